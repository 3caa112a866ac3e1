#include "privacy/memory.h"

#include <cstring>

#include "base/hash.h"

namespace tandem::privacy {

namespace {

std::int64_t shortened(const Digest& digest) {
    std::int64_t number = 0;
    std::memcpy(&number, digest.data(), sizeof number);
    return number;
}

// What of a message makes it the same message, however its client writes it: role and all text, in order.
std::string essence(const chat::Message& message) {
    std::string out(1, static_cast<char>('0' + static_cast<int>(message.role)));
    auto add = [&](std::string_view text) {
        out += '\0';
        out += text;
    };
    if (message.content)
        for (const auto& part : *message.content) {
            if (const auto* text = std::get_if<chat::TextPart>(&part))
                add(text->text);
            else if (const auto* image = std::get_if<chat::ImagePart>(&part))
                add(image->url);
            else
                add(std::get<chat::OtherPart>(part).json.json);
        }
    for (const auto& call : message.tool_calls) {
        add(call.name);
        add(call.arguments);
    }
    return out;
}

}  // namespace

const char* const kLabelSchema =
    "CREATE TABLE conversation_labels (fingerprint INTEGER PRIMARY KEY, label INTEGER NOT NULL) STRICT;";

std::vector<std::int64_t> fingerprints(const chat::Request& request, std::string_view conversation_id) {
    std::vector<std::int64_t> result;
    result.reserve(request.messages.size() + 1);
    if (!conversation_id.empty()) result.push_back(shortened(sha256("conversation\n" + std::string(conversation_id))));
    std::string chain;
    for (const auto& message : request.messages) {
        chain += essence(message);
        const auto digest = sha256(chain);
        result.push_back(shortened(digest));
        chain.assign(reinterpret_cast<const char*>(digest.data()), digest.size());
    }
    return result;
}

Result<> LabelMemory::load(store::Store& store) {
    return store.run([this](store::Database& database) -> Result<> {
        const std::lock_guard lock(mutex_);
        auto rows = database.prepare("SELECT fingerprint, label FROM conversation_labels");
        while (true) {
            const auto row = rows.step();
            if (!row) return fail(row.error());
            if (!*row) return {};
            labels_[rows.integer(0)] =
                static_cast<Label>(std::min<std::int64_t>(rows.integer(1), static_cast<std::int64_t>(Label::secret)));
        }
    });
}

bool LabelMemory::empty() const {
    const std::lock_guard lock(mutex_);
    return labels_.empty();
}

Label LabelMemory::recall(const std::vector<std::int64_t>& fingerprints) const {
    const std::lock_guard lock(mutex_);
    Label label = Label::public_;
    if (labels_.empty()) return label;
    for (const auto fingerprint : fingerprints)
        if (const auto found = labels_.find(fingerprint); found != labels_.end()) label = higher(label, found->second);
    return label;
}

store::Store::Job LabelMemory::remember(const std::vector<std::int64_t>& fingerprints, bool has_id, Label label) {
    if (label == Label::public_ || fingerprints.empty()) return {};
    std::vector<std::int64_t> raised;
    {
        const std::lock_guard lock(mutex_);
        auto raise = [&](std::int64_t fingerprint) {
            auto& known = labels_[fingerprint];
            if (known < label) {
                known = label;
                raised.push_back(fingerprint);
            }
        };
        if (has_id) raise(fingerprints.front());
        raise(fingerprints.back());
    }
    if (raised.empty()) return {};
    return [raised, label](store::Database& database) -> Result<> {
        for (const auto fingerprint : raised) {
            auto ok = database
                          .prepare(
                              "INSERT INTO conversation_labels VALUES (?1, ?2) ON CONFLICT (fingerprint) DO UPDATE SET "
                              "label = max(label, ?2)")
                          .bind(1, fingerprint)
                          .bind(2, static_cast<std::int64_t>(label))
                          .run();
            if (!ok) return ok;
        }
        return {};
    };
}

}  // namespace tandem::privacy
