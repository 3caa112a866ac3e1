// What stands for what was taken out, for one conversation of one key: so that the same value has the same stand-in in
// every turn, also after a restart. At rest each entry is sealed, bound to its conversation, and goes after a time.
// There is no way to read it but through a request of the same key in the same conversation.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/world.h"
#include "privacy/keys.h"
#include "store/store.h"

namespace tandem::privacy {

struct StandIn {
    std::string type;         // "PERSON"
    std::int64_t number = 0;  // of its type in the conversation, from 1
    std::string text;         // what is sent: "<PERSON_1>", or something that looks like the value
    std::string value;        // what it stands for
    bool operator==(const StandIn&) const = default;
};

extern const char* const kVaultSchema;

class Vault {
  public:
    // Of all entries together, sealed, in memory and on the disk; the oldest go. A value whose entry has gone gets a
    // new stand-in the next time that it is redacted.
    static constexpr std::size_t kMostBytes = 24UL << 20;

    // Without keys it is locked: nothing can be redacted, and so nothing that has to be is sent. `why` says why.
    // The clock outlives it.
    Vault(std::unique_ptr<Keys> keys, std::string why, const Clock& clock)
        : keys_(std::move(keys)), why_(std::move(why)), clock_(clock) {}

    // Errors: storage.
    Result<> load(store::Store& store);

    const Keys* keys() const { return keys_.get(); }

    // Errors: unavailable, where it is locked.
    Result<Scope> scope_of(std::string_view key_id, std::string_view conversation) const;
    // Errors: unavailable, where it is locked or an entry was sealed by another key.
    Result<std::vector<StandIn>> entries(const Scope& scope) const;
    // Adds entries, effective at once; the job keeps them beyond a restart. Each lives `keeps` from now.
    store::Store::Job keep(const Scope& scope, const std::vector<StandIn>& fresh, milliseconds keeps);
    std::size_t bytes() const;

  private:
    struct Sealed {
        std::string bytes;
        std::int64_t expires;  // milliseconds since 1970
        std::size_t size() const { return bytes.capacity() + 128; }
    };
    // Under the lock.
    void add(const Scope& scope, Sealed entry);
    void drop_oldest();
    std::size_t fit();  // how many entries had to go
    const std::unique_ptr<Keys> keys_;
    const std::string why_;
    const Clock& clock_;
    mutable std::mutex mutex_;
    std::map<Scope, std::deque<Sealed>> entries_;
    std::deque<Scope> order_;  // whose entry is the oldest, the next, and so on
    std::size_t bytes_ = 0;
    std::int64_t next_purge_ = 0;
};

}  // namespace tandem::privacy
