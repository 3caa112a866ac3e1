// A value that must not get out: it has no way into a log, a stream or a copy, and is compared in constant time.
#pragma once

#include <openssl/crypto.h>

#include <string>
#include <string_view>

namespace tandem {

class Secret {
  public:
    Secret() = default;
    explicit Secret(std::string value) : value_(std::move(value)) {}
    Secret(Secret&&) noexcept = default;
    Secret& operator=(Secret&& other) noexcept {
        wipe();
        value_ = std::move(other.value_);
        return *this;
    }
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;
    ~Secret() { wipe(); }

    // A copy is asked for by name, so that it can be found.
    Secret clone() const { return Secret(value_); }
    bool empty() const { return value_.empty(); }
    // The only way to the value. For the one header or environment variable that carries it.
    std::string_view reveal() const { return value_; }
    // Time depends on the length of the longer one only.
    bool equals(std::string_view other) const {
        return value_.size() == other.size() && CRYPTO_memcmp(value_.data(), other.data(), other.size()) == 0;
    }

  private:
    void wipe() { OPENSSL_cleanse(value_.data(), value_.size()); }
    std::string value_;
};

}  // namespace tandem
