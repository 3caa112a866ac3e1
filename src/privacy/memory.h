// The highest label that each conversation has had. A conversation is known by the id that its client gives, and by the
// chain of its messages: whoever sends the same beginning again goes on with the same conversation.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/label.h"
#include "base/result.h"
#include "chat/conversation.h"
#include "store/store.h"

namespace tandem::privacy {

// What identifies a conversation: one number for its id, if it has one, and one for each prefix of its messages, the
// whole last. 64 bits of SHA-256; two that meet by chance can only raise a label.
std::vector<std::int64_t> fingerprints(const chat::Request& request, std::string_view conversation_id);

extern const char* const kLabelSchema;

// Safe from any thread. About 40 bytes for each labelled conversation turn, loaded at start.
class LabelMemory {
  public:
    // Errors: storage.
    Result<> load(store::Store& store);
    // Whether nothing is remembered at all; then fingerprints need not be made to recall.
    bool empty() const;
    // The highest label of any of these; public where none is known.
    Label recall(const std::vector<std::int64_t>& fingerprints) const;
    // Raises what identifies this conversation from now on: its id and its whole. Effective at once; the job returned
    // keeps it beyond a restart, and is empty where nothing rose.
    store::Store::Job remember(const std::vector<std::int64_t>& fingerprints, bool has_id, Label label);

  private:
    mutable std::mutex mutex_;
    std::unordered_map<std::int64_t, Label> labels_;
};

}  // namespace tandem::privacy
