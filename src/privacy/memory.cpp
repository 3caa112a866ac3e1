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

void add_parts(std::string& out, const std::vector<chat::Part>& parts) {
    auto add = [&](std::string_view text) {
        out += '\0';
        out += text;
    };
    for (const auto& part : parts) {
        if (const auto* text = part.as<chat::TextPart>()) {
            add(text->text);
        } else if (const auto* refusal = part.as<chat::RefusalPart>()) {
            add(refusal->text);
        } else if (const auto* image = part.as<chat::ImagePart>()) {
            add(image->media.url);
            add(image->media.data);
        } else if (const auto* document = part.as<chat::DocumentPart>()) {
            add(document->text);
            add(document->media.url);
            add(document->media.data);
        } else if (const auto* audio = part.as<chat::AudioPart>()) {
            add(audio->media.data);
        } else if (const auto* call = part.as<chat::ToolCallPart>()) {
            add(call->name);
            add(call->arguments);
        } else if (const auto* result = part.as<chat::ToolResultPart>()) {
            add_parts(out, result->content);
        } else if (const auto* other = part.as<chat::OtherPart>()) {
            add(other->json.json);
        }
        // Reasoning is not part of it: clients leave it out of what they send back, or do not.
    }
}

// What of a message makes it the same message, whatever dialect its client speaks: role and all content, in order.
std::string essence(const chat::Message& message) {
    // A developer is a system of another dialect.
    const auto role = message.role == chat::Role::developer ? chat::Role::system : message.role;
    std::string out(1, static_cast<char>('0' + static_cast<int>(role)));
    add_parts(out, message.parts);
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
