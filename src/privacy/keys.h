// The two keys of a data folder: one that seals the vault, one that signs the egress record. Made at the first start,
// in `privacy.key`, which only its owner may read. Private to privacy/, but for those who verify.
#pragma once

#include <array>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace tandem::privacy {

using Signature = std::array<unsigned char, 64>;
using PublicKey = std::array<unsigned char, 32>;
using Scope = std::array<unsigned char, 16>;

class Keys {
  public:
    // Reads `privacy.key` in `data`, or makes it. `from_owner` (32 characters or more), where given, seals the vault
    // instead of the file's. Errors: storage, for a file that cannot be read or written, or is damaged.
    static Result<std::unique_ptr<Keys>> open(const std::filesystem::path& data, std::string_view from_owner);
    ~Keys();
    Keys(const Keys&) = delete;
    Keys& operator=(const Keys&) = delete;

    // XChaCha20-Poly1305 (libsodium), bound to `context`: the nonce, then the sealed bytes.
    std::string seal(std::string_view plain, std::string_view context) const;
    // Nothing where it was sealed by another key, for another context, or changed.
    std::optional<std::string> unseal(std::string_view sealed, std::string_view context) const;
    // A keyed hash (BLAKE2b): what it is of cannot be found without the key.
    Scope scope_of(std::string_view text) const;
    // A number that follows from `text` and the key alone.
    std::uint64_t number_of(std::string_view text) const;

    Signature sign(std::string_view text) const;  // Ed25519
    PublicKey public_key() const;                 // of the key that signs

  private:
    Keys() = default;
    std::array<unsigned char, 32> vault_{};
    std::array<unsigned char, 64> signing_{};
};

bool verify(const PublicKey& key, std::string_view text, const Signature& signature);

// The public half of the folder's signing key. Errors: not_found, storage.
Result<PublicKey> public_key_of(const std::filesystem::path& data);

}  // namespace tandem::privacy
