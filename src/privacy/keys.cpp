#include "privacy/keys.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/file.h"

namespace tandem::privacy {

namespace {

constexpr std::string_view kMagic =
    "tandem privacy key 1\n";  // 32 bytes of the vault's key, 32 of the signing seed follow
constexpr std::size_t kFileSize = kMagic.size() + 64;

const unsigned char* bytes(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

Result<std::string> read_file(const std::filesystem::path& file) {
    auto text = read_regular(file, kFileSize + 1);
    if (!text) return text;
    if (text->size() != kFileSize || !text->starts_with(kMagic))
        return fail(
            ErrorCode::storage,
            fmt::format("{} is damaged; put back a copy of it. Without it what was redacted cannot be put back, "
                        "and the egress record's signatures cannot be made. Moving it away makes a new one",
                        file.string()));
    return text;
}

Result<> write_file(const std::filesystem::path& file, std::string_view text) {
    const auto made = file.string() + ".new";
    const int fd = open(made.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool good = fd >= 0 && write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && fsync(fd) == 0;
    if (fd >= 0) close(fd);
    good = good && rename(made.c_str(), file.c_str()) == 0;
    if (!good) return fail(ErrorCode::storage, fmt::format("cannot write {}: {}", file.string(), std::strerror(errno)));
    return {};
}

Result<> start_sodium() {
    if (sodium_init() < 0) return fail(ErrorCode::internal, "libsodium does not start: no source of randomness");
    return {};
}

}  // namespace

Keys::~Keys() {
    sodium_memzero(vault_.data(), vault_.size());
    sodium_memzero(signing_.data(), signing_.size());
}

Result<std::unique_ptr<Keys>> Keys::open(const std::filesystem::path& data, std::string_view from_owner) {
    if (auto ok = start_sodium(); !ok) return fail(ok.error());
    const auto file = data / "privacy.key";
    auto text = read_file(file);
    if (!text && text.error().code == ErrorCode::not_found) {
        std::string fresh(kMagic);
        fresh.resize(kFileSize);
        randombytes_buf(fresh.data() + kMagic.size(), 64);
        if (auto ok = write_file(file, fresh); !ok) return fail(ok.error());
        text = std::move(fresh);
    }
    if (!text) return fail(text.error());
    std::unique_ptr<Keys> keys(new Keys);
    const auto* const parts = bytes(*text) + kMagic.size();
    if (from_owner.empty())
        std::memcpy(keys->vault_.data(), parts, 32);
    else
        crypto_generichash(keys->vault_.data(), 32, bytes(from_owner), from_owner.size(), nullptr, 0);
    PublicKey ignored{};
    crypto_sign_seed_keypair(ignored.data(), keys->signing_.data(), parts + 32);
    sodium_memzero(text->data(), text->size());
    return keys;
}

std::string Keys::seal(std::string_view plain, std::string_view context) const {
    constexpr auto kNonce = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
    std::string out(kNonce + plain.size() + crypto_aead_xchacha20poly1305_ietf_ABYTES, '\0');
    auto* const nonce = reinterpret_cast<unsigned char*>(out.data());
    randombytes_buf(nonce, kNonce);
    crypto_aead_xchacha20poly1305_ietf_encrypt(nonce + kNonce, nullptr, bytes(plain), plain.size(), bytes(context),
                                               context.size(), nullptr, nonce, vault_.data());
    return out;
}

std::optional<std::string> Keys::unseal(std::string_view sealed, std::string_view context) const {
    constexpr auto kNonce = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
    constexpr auto kTag = crypto_aead_xchacha20poly1305_ietf_ABYTES;
    if (sealed.size() < kNonce + kTag) return std::nullopt;
    std::string plain(sealed.size() - kNonce - kTag, '\0');
    const auto* const nonce = bytes(sealed);
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(reinterpret_cast<unsigned char*>(plain.data()), nullptr, nullptr,
                                                   nonce + kNonce, sealed.size() - kNonce, bytes(context),
                                                   context.size(), nonce, vault_.data()) != 0)
        return std::nullopt;
    return plain;
}

Scope Keys::scope_of(std::string_view text) const {
    Scope scope{};
    crypto_generichash(scope.data(), scope.size(), bytes(text), text.size(), vault_.data(), vault_.size());
    return scope;
}

std::uint64_t Keys::number_of(std::string_view text) const {
    const auto scope = scope_of(text);
    std::uint64_t number = 0;
    std::memcpy(&number, scope.data(), sizeof number);
    return number;
}

PublicKey Keys::public_key() const {
    PublicKey key{};
    crypto_sign_ed25519_sk_to_pk(key.data(), signing_.data());
    return key;
}

Signature Keys::sign(std::string_view text) const {
    Signature signature{};
    crypto_sign_detached(signature.data(), nullptr, bytes(text), text.size(), signing_.data());
    return signature;
}

bool verify(const PublicKey& key, std::string_view text, const Signature& signature) {
    return crypto_sign_verify_detached(signature.data(), bytes(text), text.size(), key.data()) == 0;
}

Result<PublicKey> public_key_of(const std::filesystem::path& data) {
    if (auto ok = start_sodium(); !ok) return fail(ok.error());
    auto text = read_file(data / "privacy.key");
    if (!text) return fail(text.error());
    PublicKey key{};
    std::array<unsigned char, 64> secret{};
    crypto_sign_seed_keypair(key.data(), secret.data(), bytes(*text) + kMagic.size() + 32);
    sodium_memzero(secret.data(), secret.size());
    sodium_memzero(text->data(), text->size());
    return key;
}

}  // namespace tandem::privacy
