// The highest label that each conversation has had. A key's conversation is known by the id that its client gives, by
// the chain of its messages (a client that sends the same beginning again goes on with the same conversation), and by
// each of its longer messages alone, so that a client that replays only a part of it does not lose the label.
//
// Short words are everybody's: "hi there" begins a conversation of its own each time, until an answer follows it. What
// one key has said labels another key's request only where it is so long that it is the same document.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
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
    // The same, whatever systems say, and whatever blanks and parts messages have: a client that puts the time
    // into its system prompt goes on with the same conversation. 0 where less than kShortestMark is said.
    std::vector<std::int64_t> plain = {};
    // Of the same messages. Bytes are counted as content_bytes() does, without systems' messages.
    struct Beginning {
        std::size_t bytes = 0;
        std::size_t asked_bytes = 0;  // without answers
        bool goes_on = false;         // a message follows
        std::int64_t answered = 0;    // with the answer that follows it, where it is short and the answer is text alone
    };
    std::vector<Beginning> beginnings = {};
    // Of each message alone: 0 where it is too short, or a system's, which many conversations share.
    struct Piece {
        std::int64_t fingerprint = 0;
        std::array<std::int64_t, 3> old_fingerprints = {};  // as older versions remembered it
        bool user = false;
        bool answer = false;
        std::size_t bytes = 0;
    };
    std::vector<Piece> pieces = {};
    // Of conversations that messages quote (a client wants a title for one): each message that they had. Labels are
    // known again by them, and none is remembered for them.
    std::vector<Piece> quoted = {};
};
Identity identify(const chat::Request& request, std::string_view conversation_id);

// How long a text is, in bytes, where each run of blanks (of any script) is one byte, and those at its ends are none.
std::size_t content_bytes(std::string_view text);

// Shorter content is no mark of a conversation by itself: "yes", "hi there", "go on, please" are in every one.
inline constexpr std::size_t kShortestMark = 32;  // bytes
// Shorter content of one key is no mark for another. Some 80 words: two people say the same sentence, the same greeting
// or the same command, but not the same 80 words, unless they have them from one document.
inline constexpr std::size_t kShortestDocument = 512;  // bytes
// What a model answered is a mark for another key from this length on, in an answer's place: unless that key was given
// the same answer in a public conversation, whichever was first. What a client wrote there (examples, greetings) is
// none.
inline constexpr std::size_t kShortestAnswer = 64;  // bytes

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
        std::string_view why = {};                              // where that comes from, for people
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
    // An answer to a conversation of short words alone, which is told apart by its answer: labelled as the conversation
    // is, or public, which is forgotten at a stop. `text` is all of the answer. The job is as above.
    store::Store::Job remember_short(const Identity& identity, std::string_view text, Known known,
                                     const std::string& key);
    // An answer that a key was given in a public conversation: another key's labels on the same words are none for it,
    // whichever was first. The job is as above; it is empty where nobody's are remembered.
    store::Store::Job remember_public_answer(std::string_view text, const std::string& key);
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
        // Pieces, and short conversations with their answers. Two generations, so that old ones go.
        std::unordered_set<std::int64_t> public_new = {}, public_old = {};
        bool was_public(std::int64_t what) const { return public_new.contains(what) || public_old.contains(what); }
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
    const Entry* find(std::int64_t fingerprint, std::uint32_t key) const;
    Entry* find(std::int64_t fingerprint, std::uint32_t key);
    // The key's own number; kNobody where nothing of it is remembered.
    std::uint32_t number_of(const std::string& key) const;
    // What is remembered of the key itself, of requests without a key, and by an earlier version.
    Known of_own(std::int64_t fingerprint, std::uint32_t key) const;
    // What any key has remembered.
    Known of_all(std::int64_t fingerprint) const;
    template <typename Counts>
    Known highest(std::int64_t fingerprint, Counts&& counts) const;
    // Whether the key's beginning at `place` is that of a conversation that was labelled.
    Known of_beginning(const Identity& identity, std::size_t place, std::uint32_t key) const;
    // What it is a mark of for a key that has not said it in a labelled conversation of its own.
    Known of_others(const Identity::Piece& piece, std::int64_t known_as, std::uint32_t key) const;
    static void keep_public(std::int64_t fingerprint, OfKey& key);
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
