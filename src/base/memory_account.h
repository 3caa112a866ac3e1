// The account of the bytes that the process holds for its clients: bodies, documents, answers, jobs, caches, memories.
//
// Bytes are taken from the account before memory is used, and a Held gives them back when it is destroyed. The account
// promises that its total never exceeds its limit, that large holdings never use the reserve of small ones, and that
// one holder cannot take the share of the others. It counts what callers take; it does not measure the heap.
// It includes nothing but base/, so that each module can use it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"

namespace tandem {

class MemoryAccount;

// What the bytes are for. The names are those of the metric `tandem_memory_bytes{kind}`.
enum class MemoryKind : std::uint8_t { body, document, answer, job, kept };
inline constexpr std::array<std::string_view, 5> kMemoryKindNames = {"body", "document", "answer", "job", "kept"};

// Bytes that were taken from an account. Move-only; the destructor gives them back.
class Held {
  public:
    Held() = default;
    Held(Held&& other) noexcept;
    Held& operator=(Held&& other) noexcept;
    ~Held() { release(); }

    // Takes so many more bytes. Errors: unavailable; the bytes that are held stay held.
    Result<> grow(std::size_t bytes);
    // Takes or gives back, so that exactly `bytes` are held. Errors: unavailable, then nothing has changed.
    Result<> resize(std::size_t bytes);
    // What was counted as a small request turns out to be a large one. Errors: unavailable, then it stays small.
    Result<> become_large();
    bool small() const { return small_; }
    // Gives back so many bytes, or all where fewer are held.
    void shrink(std::size_t bytes);
    void release() { shrink(bytes_); }
    std::size_t bytes() const { return bytes_; }
    explicit operator bool() const { return account_ != nullptr; }

  private:
    friend class MemoryAccount;
    Held(MemoryAccount* account, MemoryKind kind, std::string holder, bool small)
        : account_(account), kind_(kind), small_(small), holder_(std::move(holder)) {}
    MemoryAccount* account_ = nullptr;
    MemoryKind kind_ = MemoryKind::body;
    bool small_ = false;
    std::string holder_;
    std::size_t bytes_ = 0;
};

// Safe from any thread. Outlives every Held that was made of it.
class MemoryAccount {
  public:
    static constexpr std::size_t kBytes = 320UL << 20;      // `server.limits.memory_bytes`, where the owner sets none
    static constexpr std::size_t kSmallest = 8UL << 20;     // the smallest limit that can be set
    static constexpr std::size_t kSmall = 256UL << 10;      // a request whose body is at most so large is a small one
    static constexpr std::size_t kReservedPart = 8;         // one part in so many is for small requests alone
    static constexpr std::size_t kShareOf = 5, kShare = 3;  // a holder has at most three parts in five

    explicit MemoryAccount(std::size_t limit = kBytes) : limit_(limit) {}
    MemoryAccount(const MemoryAccount&) = delete;
    MemoryAccount& operator=(const MemoryAccount&) = delete;

    // Takes `bytes` for `holder`: the id of a key, or "" for the process itself, which has no share. `small`: it is of
    // a small request. Errors: unavailable, with what to do; too_large, where it could not be had of an empty account.
    Result<Held> take(MemoryKind kind, std::string_view holder, std::size_t bytes, bool small);
    // The same with nothing in it yet.
    Held open(MemoryKind kind, std::string_view holder, bool small) { return {this, kind, std::string(holder), small}; }

    // The most that a large request of one holder can ever have.
    std::size_t most_for_one() const { return share_of(limit_ - reserve()); }

    struct Status {
        std::size_t limit = 0;
        std::size_t held = 0;
        std::size_t most = 0;  // that was ever held at once
        std::array<std::size_t, kMemoryKindNames.size()> by_kind{};
        std::size_t holders = 0;    // that hold something now
        std::uint64_t refused = 0;  // since the start
    };
    Status status() const;
    std::size_t held_by(std::string_view holder) const;

  private:
    friend class Held;
    struct Share {
        std::size_t bytes = 0;
        std::size_t small = 0;  // of them
    };
    std::size_t reserve() const { return limit_ / kReservedPart; }
    static std::size_t share_of(std::size_t bytes) { return bytes / kShareOf * kShare; }
    Result<> add(MemoryKind kind, const std::string& holder, std::size_t bytes, bool small);
    void give_back(MemoryKind kind, const std::string& holder, std::size_t bytes, bool small);
    Result<> make_large(const std::string& holder, std::size_t bytes);
    std::string no_room(const Share& share) const;
    bool has_room(const Share& share, bool shared, std::size_t bytes, bool small) const;

    const std::size_t limit_;
    mutable std::mutex mutex_;
    std::size_t held_ = 0;
    std::size_t most_ = 0;
    std::array<std::size_t, kMemoryKindNames.size()> by_kind_{};
    std::uint64_t refused_ = 0;
    std::unordered_map<std::string, Share> shares_;  // of those that hold something
};

}  // namespace tandem
