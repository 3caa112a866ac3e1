#include "privacy/memory.h"

#include <algorithm>
#include <cstring>

#include "base/hash.h"
#include "base/text.h"

namespace tandem::privacy {

namespace {

constexpr std::size_t kShortestPiece = 32;     // bytes; "go on, please" is in every conversation
constexpr std::size_t kPublicPieces = 50'000;  // of one generation

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

std::int64_t piece_of(std::string_view essence) {
    return essence.size() < kShortestPiece ? 0 : shortened(sha256("piece\n" + std::string(essence)));
}

}  // namespace

const char* const kLabelSchema =
    "CREATE TABLE conversation_labels (fingerprint INTEGER PRIMARY KEY, label INTEGER NOT NULL) STRICT;";

const char* const kLabelSchema2 =
    "ALTER TABLE conversation_labels ADD COLUMN rest INTEGER NOT NULL DEFAULT 3;"
    "ALTER TABLE conversation_labels ADD COLUMN released INTEGER NOT NULL DEFAULT 0;"
    "UPDATE conversation_labels SET rest = label;"
    "CREATE TABLE labelled_decisions (decision TEXT PRIMARY KEY, fingerprint INTEGER NOT NULL, response TEXT NOT NULL)"
    " STRICT;";

std::int64_t fingerprint_of_id(std::string_view conversation_id) {
    return shortened(sha256("conversation\n" + std::string(conversation_id)));
}

Identity identify(const chat::Request& request, std::string_view conversation_id) {
    Identity result;
    result.prefixes.reserve(request.messages.size());
    result.pieces.reserve(request.messages.size());
    if (!conversation_id.empty()) result.id = fingerprint_of_id(conversation_id);
    std::string chain;
    for (const auto& message : request.messages) {
        const auto text = essence(message);
        const bool system = message.role == chat::Role::system || message.role == chat::Role::developer;
        result.pieces.push_back({system ? 0 : piece_of(text), message.role == chat::Role::user});
        chain += text;
        const auto digest = sha256(chain);
        result.prefixes.push_back(shortened(digest));
        chain.assign(reinterpret_cast<const char*>(digest.data()), digest.size());
    }
    return result;
}

std::int64_t piece_of_answer(std::string_view text) {
    return piece_of(essence({chat::Role::assistant, {{chat::TextPart{std::string(text)}, {}}}, {}, {}}));
}

Result<> LabelMemory::load(store::Store& store) {
    return store.run([this](store::Database& database) -> Result<> {
        const std::lock_guard lock(mutex_);
        auto rows = database.prepare("SELECT fingerprint, label, rest, released FROM conversation_labels");
        auto label = [&](int column) {
            return static_cast<Label>(
                std::min<std::int64_t>(rows.integer(column), static_cast<std::int64_t>(Label::secret)));
        };
        while (true) {
            const auto row = rows.step();
            if (!row) return fail(row.error());
            if (!*row) return {};
            entries_[rows.integer(0)] = {{label(1), label(2)}, rows.integer(3) != 0};
        }
    });
}

bool LabelMemory::empty() const {
    const std::lock_guard lock(mutex_);
    return entries_.empty();
}

LabelMemory::Recalled LabelMemory::recall(const Identity& identity) const {
    const std::lock_guard lock(mutex_);
    Recalled recalled;
    if (entries_.empty()) return recalled;
    auto find = [&](std::int64_t fingerprint) -> const Entry* {
        const auto found = entries_.find(fingerprint);
        return found == entries_.end() ? nullptr : &found->second;
    };
    for (std::size_t i = 0; i < identity.prefixes.size(); ++i)
        if (const auto* entry = find(identity.prefixes[i]); entry != nullptr && entry->released) recalled.released = i;
    auto raise = [&](const Entry* entry) {
        if (entry == nullptr) return;
        recalled.known.label = higher(recalled.known.label, entry->known.label);
        recalled.known.rest = higher(recalled.known.rest, entry->known.rest);
    };
    if (identity.id) raise(find(*identity.id));
    // What was released is looked at as it was released: not what its parts were before.
    for (std::size_t i = recalled.released.value_or(0); i < identity.prefixes.size(); ++i)
        raise(find(identity.prefixes[i]));
    for (std::size_t i = recalled.released ? *recalled.released + 1 : 0; i < identity.pieces.size(); ++i)
        if (identity.pieces[i].fingerprint != 0) raise(find(identity.pieces[i].fingerprint));
    return recalled;
}

store::Store::Job LabelMemory::raise(std::vector<std::int64_t> fingerprints, Known known) {
    std::vector<std::int64_t> raised;
    {
        const std::lock_guard lock(mutex_);
        for (const auto fingerprint : fingerprints) {
            auto& entry = entries_[fingerprint];
            const Known next{higher(entry.known.label, known.label), higher(entry.known.rest, known.rest)};
            if (next == entry.known) continue;
            entry.known = next;
            raised.push_back(fingerprint);
        }
    }
    if (raised.empty()) return {};
    return [raised = std::move(raised), known](store::Database& database) -> Result<> {
        for (const auto fingerprint : raised) {
            auto ok = database
                          .prepare(
                              "INSERT INTO conversation_labels (fingerprint, label, rest) VALUES (?1, ?2, ?3) ON "
                              "CONFLICT (fingerprint) DO UPDATE SET label = max(label, ?2), rest = max(rest, ?3)")
                          .bind(1, fingerprint)
                          .bind(2, static_cast<std::int64_t>(known.label))
                          .bind(3, static_cast<std::int64_t>(known.rest))
                          .run();
            if (!ok) return ok;
        }
        return {};
    };
}

store::Store::Job LabelMemory::remember(const Identity& identity, Known known, const std::string& decision,
                                        const std::string& response) {
    if (known.label == Label::public_ || identity.prefixes.empty()) return {};
    std::vector<std::int64_t> all = {identity.prefixes.back()};
    if (identity.id) all.push_back(*identity.id);
    {
        const std::lock_guard lock(mutex_);
        for (const auto& piece : identity.pieces)
            if (piece.fingerprint != 0 &&
                !(piece.user && (public_new_.contains(piece.fingerprint) || public_old_.contains(piece.fingerprint))))
                all.push_back(piece.fingerprint);
    }
    auto raised = raise(std::move(all), known);
    if (decision.empty()) return raised;
    return [raised = std::move(raised), decision, response,
            whole = identity.prefixes.back()](store::Database& database) -> Result<> {
        if (raised)
            if (auto ok = raised(database); !ok) return ok;
        return database.prepare("INSERT OR IGNORE INTO labelled_decisions VALUES (?, ?, ?)")
            .bind(1, decision)
            .bind(2, whole)
            .bind(3, response)
            .run();
    };
}

store::Store::Job LabelMemory::remember_piece(std::int64_t fingerprint, Known known) {
    if (fingerprint == 0 || known.label == Label::public_) return {};
    return raise({fingerprint}, known);
}

void LabelMemory::note_public(const Identity& identity) {
    const std::lock_guard lock(mutex_);
    for (const auto& piece : identity.pieces) {
        if (!piece.user || piece.fingerprint == 0) continue;
        if (public_new_.size() >= kPublicPieces) {
            public_old_ = std::move(public_new_);
            public_new_.clear();
        }
        public_new_.insert(piece.fingerprint);
    }
}

bool LabelMemory::knows(std::int64_t fingerprint) const {
    const std::lock_guard lock(mutex_);
    return entries_.contains(fingerprint);
}

store::Store::Job LabelMemory::release(std::int64_t fingerprint, Label to) {
    {
        const std::lock_guard lock(mutex_);
        entries_[fingerprint] = {{to, to}, true};
    }
    return [fingerprint, to](store::Database& database) {
        return database
            .prepare(
                "INSERT INTO conversation_labels VALUES (?1, ?2, ?2, 1) ON CONFLICT (fingerprint) DO UPDATE SET "
                "label = ?2, rest = ?2, released = 1")
            .bind(1, fingerprint)
            .bind(2, static_cast<std::int64_t>(to))
            .run();
    };
}

Result<LabelledDecision> conversation_of(store::Database& database, const std::string& decision) {
    auto row = database.prepare("SELECT fingerprint, response FROM labelled_decisions WHERE decision = ?");
    row.bind(1, decision);
    const auto found = row.step();
    if (!found) return fail(found.error());
    if (!*found)
        return fail(ErrorCode::not_found,
                    "there is no labelled conversation of that decision; `tandem explain` shows a decision's label");
    return LabelledDecision{row.integer(0), row.text(1)};
}

}  // namespace tandem::privacy
