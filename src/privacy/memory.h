// The highest label that each conversation has had. A conversation is known by the id that its client gives, by the
// chain of its messages (whoever sends the same beginning again goes on with the same conversation), and by each of its
// longer messages alone, so that a client that replays only a part of it does not lose the label.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/label.h"
#include "base/result.h"
#include "chat/conversation.h"
#include "store/store.h"

namespace tandem::privacy {

// What a conversation is known by. 64 bits of SHA-256 each; two that meet by chance can only raise a label.
struct Identity {
    std::optional<std::int64_t> id;      // of what its client calls it
    std::vector<std::int64_t> prefixes;  // of the messages up to each, the whole last
    // Of each message alone: 0 where it is too short, or a system's, which many conversations share.
    struct Piece {
        std::int64_t fingerprint = 0;
        std::int64_t old_fingerprint = 0;  // with its role, as older versions remembered it
        bool user = false;
    };
    std::vector<Piece> pieces;
};
Identity identify(const chat::Request& request, std::string_view conversation_id);

// Of an answer's text, as it will come back in a later request; 0 where it is too short.
std::int64_t piece_of_answer(std::string_view text);

// A label, and that of what remains when all that detectors find is taken out. Where a model has seen the whole, the
// second is the first: what was made of private data is private, whatever it looks like.
struct Known {
    Label label = Label::public_;
    Label rest = Label::public_;
    bool operator==(const Known&) const = default;
};

extern const char* const kLabelSchema;
extern const char* const kLabelSchema2;
extern const char* const kLabelSchema3;

// Bounds of what is remembered. An entry is about 60 bytes in memory.
inline constexpr std::size_t kMostLabelEntries = 1'000'000;     // of all keys
inline constexpr std::size_t kMostPieces = 4'096;               // new ones of one request
inline constexpr std::size_t kMostPiecesRefused = 64;           // of one that nobody may see
inline constexpr std::size_t kMostLeaves = 1'024;               // of one decision
inline constexpr std::size_t kMostReleasedDigests = 1'000'000;  // of all releases
inline constexpr std::int64_t kMostDecisions = 4'096;           // that can be released, of one key

// What the owner has released: digests of the texts in which something was found, and messages.
struct Released {
    std::unordered_set<std::int64_t> leaves;
    std::unordered_set<std::int64_t> pieces;
};

// A labelled conversation, as the owner can name it.
struct LabelledConversation {
    std::vector<std::int64_t> fingerprints;  // its beginnings, and the client's name for it
    std::vector<std::int64_t> leaves;        // digests of the texts in which something was found
    std::vector<std::int64_t> pieces;        // its answers
    std::vector<std::string> kept;           // ids of the kept responses and conversations that go with it
    bool more = false;                       // more was found than can be released at once
};

// Safe from any thread. Everything is bounded: each key has a quota of entries. Where a key's quota is used up, its
// oldest entry is forgotten and the key's floor rises to that entry's label: everything of that key is at least as
// private from then on, until the owner forgets the key's memory. So nothing that was private is taken for public, and
// no key's requests change what is remembered of another's.
class LabelMemory {
  public:
    // Reads the newest kMostLabelEntries; the floors rise to what does not fit. Errors: storage.
    Result<> load(store::Store& store);
    // How many entries each key may have. Takes effect with the next entry.
    void set_quota(std::size_t entries);
    // Whether nothing is remembered at all; then an Identity need not be made to recall.
    bool empty() const;
    struct Recalled {
        Known known;                                            // the highest of what is known
        Known floor;                                            // of the key, whose memory was full
        std::vector<std::shared_ptr<const Released>> released;  // what the owner has released of this conversation
    };
    Recalled recall(const Identity& identity, const std::string& key) const;

    struct Remembering {
        std::string key = {};                   // whose request it is
        std::string decision = {};              // how the owner can name the conversation later; empty: it cannot
        std::string response = {};              // what is kept of its answer: the id without its prefix
        std::string from = {};                  // the kept response or conversation that it goes on with
        std::vector<std::int64_t> leaves = {};  // Labelled::leaves
        bool refused = false;                   // nobody may see it
    };
    // Raises what identifies this conversation from now on. Effective at once; the job returned keeps it beyond a
    // restart, and is empty where nothing rose. Of a request that is refused only its end, its name and a few messages
    // are remembered; of any other, at most kMostPieces that are new, and what is left out raises the key's floor. What
    // a refused request holds beside what was found in it raises no floor: no model has seen it.
    store::Store::Job remember(const Identity& identity, Known known, Remembering about);
    // The same for an answer's text, which belongs to a decision. `leaf` is its digest.
    store::Store::Job remember_answer(std::int64_t piece, std::int64_t leaf, Known known, const std::string& key,
                                      const std::string& decision);
    // Messages of a public conversation: what has been public is no mark of a private one later. Forgotten at a stop.
    // Bounded for each key.
    void note_public(const Identity& identity, const std::string& key);

    // Whether anything is remembered by this.
    bool knows(std::int64_t fingerprint) const;
    // Lowers a conversation as it was then, on the owner's word: its beginnings up to the last message of each
    // decision, the client's name for it, its answers, and the texts in which something was found. Whatever else it
    // holds is looked at as ever, wherever it stands. Effective at once. Errors: too_large, where too much is released
    // already; of the job: storage.
    Result<store::Store::Job> release(const LabelledConversation& conversation, Label to);
    // Forgets everything of a key but what was released, and takes its floor away; of all keys where `key` is empty.
    // Effective at once. Errors of the job: storage.
    store::Store::Job forget(const std::string& key);

  private:
    // The owner's releases, and what a version before the third remembered.
    static constexpr std::uint32_t kNobody = 0;
    struct Entry {
        Known known;
        bool released = false;
        std::uint32_t key = kNobody;
    };
    struct OfKey {
        std::string name;
        std::deque<std::int64_t> order = {};  // oldest first
        Known floor = {};
        // Two generations, so that old ones go.
        std::unordered_set<std::int64_t> public_new = {}, public_old = {};
    };
    // What a change leaves for the database.
    struct Changes {
        struct Row {
            std::int64_t fingerprint;
            std::uint32_t key;
            Known known;
        };
        std::vector<Row> raised;
        std::vector<std::pair<std::int64_t, std::uint32_t>> forgotten;
        std::map<std::uint32_t, std::pair<std::string, Known>> floors;
        bool empty() const { return raised.empty() && forgotten.empty() && floors.empty(); }
    };
    static Result<> write(store::Database& database, const Changes& changes);
    std::uint32_t id_of(const std::string& key);
    const OfKey* find_key(const std::string& key) const;
    Entry* find(std::int64_t fingerprint, std::uint32_t key);
    Known highest(std::int64_t fingerprint) const;
    bool was_public(std::int64_t piece) const;
    void raise(std::int64_t fingerprint, std::uint32_t key, Known known, Changes& changes);
    void raise_floor(std::uint32_t key, Known known, Changes& changes);
    void forget_oldest(std::uint32_t key, Changes& changes);
    void keep_to_bounds(std::uint32_t key, Changes& changes);
    void add_pieces(const Identity& identity, std::uint32_t key, Known known, bool refused, Changes& changes);
    Result<> load_keys(store::Database& database);
    Result<> load_entries(store::Database& database);
    Result<> load_released(store::Database& database);

    mutable std::mutex mutex_;
    std::unordered_multimap<std::int64_t, Entry> entries_;  // one for each key that has it
    std::vector<OfKey> keys_ = std::vector<OfKey>(1, OfKey{.name = "(an earlier version)"});  // by number
    std::unordered_map<std::string, std::uint32_t> numbers_;
    std::unordered_map<std::int64_t, std::shared_ptr<const Released>> released_;
    std::size_t released_digests_ = 0;
    std::int64_t releases_ = 0;  // the number of the last
    std::size_t quota_ = 200'000;
};

// What a client's own name for a conversation is remembered as.
std::int64_t fingerprint_of_id(std::string_view conversation_id);

// The conversation of a labelled decision, as it was then. Errors: not_found, storage.
Result<LabelledConversation> conversation_of(store::Database& database, const std::string& decision);
// All of the labelled decisions, as far as they are kept, of a conversation that its client has named. Errors: storage.
Result<LabelledConversation> conversation_named(store::Database& database, std::int64_t fingerprint);

// What is remembered of each key, for those who look after it. Errors: storage.
struct MemoryOfKey {
    std::string key;
    std::int64_t entries = 0;
    Label floor = Label::public_;
};
Result<std::vector<MemoryOfKey>> memory_of_keys(store::Database& database);

}  // namespace tandem::privacy
