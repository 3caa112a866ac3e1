// Answers that were given already, for exactly the same request of the same key under the same label, or, where the
// owner wants that too, for one whose last turn means nearly the same. Off unless the owner wants it; in memory only,
// bounded, and gone with the process.
#pragma once

#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/hash.h"
#include "base/label.h"
#include "base/memory_account.h"
#include "base/world.h"
#include "cache/meaning.h"

namespace tandem::cache {

// Safe from any thread.
class AnswerCache {
  public:
    static constexpr std::size_t kLargest = 1 << 20;  // bytes of one answer

    explicit AnswerCache(MemoryAccount& memory) : held_(memory.open(MemoryKind::kept, "", false)) {}

    struct Answer {
        std::string body;
        std::string type;     // of its content
        bool stream = false;  // to be given as one
        std::string model, provider;
        Zone zone = Zone::local;
        SteadyTime made{};
    };
    // Null where there is none that is younger than `ttl`.
    std::shared_ptr<const Answer> find(const std::string& request, SteadyTime now, milliseconds ttl);
    // Whatever was used longest ago goes, until all fit into `bytes`, and into what the account has room for.
    void keep(const std::string& request, Answer answer, std::size_t bytes);

    static constexpr std::size_t kMostMeanings = 4'000;
    static constexpr std::size_t kMostMeaningBytes = 16UL << 20;  // of all of them; the oldest go
    static constexpr std::size_t kLargestMeaning = 64UL << 10;    // a larger one is not kept
    struct Similar {
        std::shared_ptr<const Answer> answer;
        double nearness = 0;
    };
    // The answer to the nearest question of the same scope and facts that is at least so near. Null where there is
    // none.
    Similar find_similar(const Meaning& meaning, double at_least, SteadyTime now, milliseconds ttl);
    // What the request that was kept means.
    void keep_meaning(const std::string& request, Meaning meaning);
    // Of all answers and meanings.
    std::size_t bytes() const;

  private:
    struct Entry {
        std::string request;
        std::shared_ptr<const Answer> answer;
    };
    static std::size_t size_of(const Entry& entry) {
        return entry.answer->body.capacity() + 2 * entry.request.capacity() + 384;
    }
    void drop(std::list<Entry>::iterator entry);
    void drop_oldest_meaning();
    void fit(std::size_t bytes);  // under the lock, as those above

    mutable std::mutex mutex_;
    std::list<Entry> entries_;  // used last comes first
    std::unordered_map<std::string, std::list<Entry>::iterator> by_request_;
    std::size_t bytes_ = 0;
    struct Meant {
        std::string request;
        Meaning meaning;
        std::size_t bytes() const {
            return request.capacity() + meaning.scope.capacity() + meaning.facts.capacity() +
                   meaning.vector.capacity() * sizeof(float) + 128;
        }
    };
    std::deque<Meant> meanings_;  // oldest first
    std::size_t meaning_bytes_ = 0;
    Held held_;
};

}  // namespace tandem::cache
