// The highest label that each conversation has had. A conversation is known by the id that its client gives, by the
// chain of its messages (whoever sends the same beginning again goes on with the same conversation), and by each of its
// longer messages alone, so that a client that replays only a part of it does not lose the label.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
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

// Safe from any thread. About 50 bytes for each labelled message, loaded at start.
class LabelMemory {
  public:
    // Errors: storage.
    Result<> load(store::Store& store);
    // Whether nothing is remembered at all; then an Identity need not be made to recall.
    bool empty() const;
    struct Recalled {
        Known known;                          // the highest of what is known
        std::optional<std::size_t> released;  // the last message of a beginning that the owner has released
    };
    Recalled recall(const Identity& identity) const;
    // Raises what identifies this conversation from now on. Effective at once; the job returned keeps it beyond a
    // restart, and is empty where nothing rose. `decision` is how the owner can name the conversation later; `response`
    // what is kept of it, where something is.
    store::Store::Job remember(const Identity& identity, Known known, const std::string& decision,
                               const std::string& response = {});
    // The same for one message.
    store::Store::Job remember_piece(std::int64_t fingerprint, Known known);
    // Messages of a public conversation: what has been public is no mark of a private one later. Forgotten at a stop.
    void note_public(const Identity& identity);

    // Whether anything is remembered by this.
    bool knows(std::int64_t fingerprint) const;
    // Lowers a conversation as it was then, on the owner's word: its beginning up to the last message of a decision, or
    // the client's name for it. What comes after is looked at as ever. Effective at once. Errors of the job: storage.
    store::Store::Job release(std::int64_t fingerprint, Label to);

  private:
    struct Entry {
        Known known;
        bool released = false;
    };
    store::Store::Job raise(std::vector<std::int64_t> fingerprints, Known known);

    mutable std::mutex mutex_;
    std::unordered_map<std::int64_t, Entry> entries_;
    // Two generations, so that old ones go.
    std::unordered_set<std::int64_t> public_new_, public_old_;
};

// What a client's own name for a conversation is remembered as.
std::int64_t fingerprint_of_id(std::string_view conversation_id);

// The conversation of a labelled decision, as it was then. Errors: not_found, storage.
struct LabelledDecision {
    std::int64_t fingerprint = 0;
    std::string response;  // the id of the kept response, without its prefix; empty: none
};
Result<LabelledDecision> conversation_of(store::Database& database, const std::string& decision);

}  // namespace tandem::privacy
