#include "privacy/memory.h"

#include <algorithm>
#include <cstring>

#include "base/hash.h"
#include "base/text.h"
#include "chat/answer.h"
#include "privacy/labelled.h"
#include "privacy/transcript.h"

namespace tandem::privacy {

namespace {

constexpr std::size_t kPublicPieces = 10'000;  // of one generation of one key
const std::string kKeyless = "anonymous";      // the id of who asks without a key (access/principal.cpp)

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

std::int64_t shortened_piece(std::string_view text) {
    return shortened(sha256("piece\n" + std::string(text)));
}

// Which bytes may begin a blank: nearly none of a text that people write, but for its spaces.
constexpr std::array<bool, 256> blank_beginnings() {
    std::array<bool, 256> begins{};
    for (std::size_t i = '\t'; i <= '\r'; ++i) begins[i] = true;
    for (const auto byte : {0x00, 0x20, 0xC2, 0xE1, 0xE2, 0xE3, 0xEF}) begins[static_cast<std::size_t>(byte)] = true;
    return begins;
}
constexpr auto kBeginsBlank = blank_beginnings();

bool may_begin_blank(char c) {
    return kBeginsBlank[static_cast<unsigned char>(c)];
}

// The bytes of the blank that begins at `at`, in any script, of no width too, or what parts of a message are separated
// by; 0 where none does.
std::size_t blank_at(std::string_view text, std::size_t at) {
    if (!may_begin_blank(text[at])) return 0;
    const auto byte = [&](std::size_t i) {
        return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U;
    };
    const unsigned first = byte(0);
    if (first < 0xC2) return 1;
    if (first == 0xC2) return byte(1) == 0xA0 || byte(1) == 0x85 || byte(1) == 0xAD ? 2 : 0;  // U+00A0, U+0085, U+00AD
    const unsigned second = byte(1), third = byte(2);
    if (first == 0xE1) return second == 0x9A && third == 0x80 ? 3 : 0;  // U+1680
    if (first == 0xE2 && second == 0x80)                                // U+2000 to U+200F, U+2028, U+2029, U+202F
        return third <= 0x8F || third == 0xA8 || third == 0xA9 || third == 0xAF ? 3 : 0;
    if (first == 0xE2) return second == 0x81 && (third == 0x9F || third == 0xA0) ? 3 : 0;  // U+205F, U+2060
    if (first == 0xE3) return second == 0x80 && third == 0x80 ? 3 : 0;                     // U+3000
    return second == 0xBB && third == 0xBF ? 3 : 0;                                        // U+FEFF
}

// The end of the bytes from `at` on of which none begins a blank, but for the first one, which is none.
std::size_t end_of_ink(std::string_view text, std::size_t at) {
    for (++at; at < text.size() && !may_begin_blank(text[at]);) ++at;
    return at;
}

// Each run of what `blank` finds is one, and there are none at the ends. `add` gets the text that is left, in pieces.
template <typename Blank, typename Add>
void each_of_content(std::string_view text, Blank&& blank, Add&& add) {
    bool between = false, any = false;
    for (std::size_t at = 0; at < text.size();) {
        if (const auto size = blank(text, at); size > 0) {
            between = any;
            at += size;
            continue;
        }
        if (std::exchange(between, false)) add(" ");
        const auto end = end_of_ink(text, at);
        add(text.substr(at, end - at));
        at = end;
        any = true;
    }
}

// What remains without any blank: a part of a message may end within a word.
std::string ink_of(std::string_view text) {
    std::string ink;
    ink.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        if (const auto size = blank_at(text, at); size > 0) {
            at += size;
            continue;
        }
        const auto end = end_of_ink(text, at);
        ink += text.substr(at, end - at);
        at = end;
    }
    return ink;
}

// As older versions remembered it: each run of ASCII's blanks as one; with its blanks as they stood; and with its role.
std::array<std::int64_t, 3> old_pieces_of(std::string_view essence) {
    const auto ascii = [](std::string_view text, std::size_t at) -> std::size_t {
        const char c = text[at];
        return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0' ? 1 : 0;
    };
    std::string content;
    content.reserve(essence.size());
    each_of_content(essence.substr(1), ascii, [&](std::string_view piece) { content += piece; });
    return {shortened_piece(content), shortened_piece(essence.substr(1)), shortened_piece(essence)};
}

// Of a message's content, in whatever role it comes back and with whatever blanks: what a model said may be pasted into
// a question, and clients trim what they send again.
std::int64_t piece_of(std::string_view essence) {
    return shortened(sha256("ink\n" + ink_of(essence.substr(1))));
}

// The same as what a model gave: a client may have written the words that others know by themselves.
std::int64_t as_given(std::int64_t piece) {
    return shortened(sha256("given\n" + std::to_string(piece)));
}

// A conversation of short words with its answer. Clients send an answer back with other blanks at its ends.
std::int64_t answered(std::int64_t prefix, std::string_view text) {
    return shortened(sha256("answered\n" + std::to_string(prefix) + "\n" + ink_of(text)));
}

// The text of a message that is nothing else; empty otherwise.
std::string text_alone(const chat::Message& message) {
    std::string text;
    for (const auto& part : message.parts) {
        if (part.as<chat::ReasoningPart>() != nullptr) continue;
        const auto* said = part.as<chat::TextPart>();
        if (said == nullptr) return {};
        text += said->text;
    }
    return text;
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

// Each key has entries of its own, so that one key's requests change nothing of another's. `age` tells the oldest.
const char* const kLabelSchema3 =
    "CREATE TABLE label_memory (age INTEGER PRIMARY KEY, fingerprint INTEGER NOT NULL, key INTEGER NOT NULL,"
    " label INTEGER NOT NULL, rest INTEGER NOT NULL, released INTEGER NOT NULL, UNIQUE (fingerprint, key)) STRICT;"
    "INSERT INTO label_memory (fingerprint, key, label, rest, released) SELECT fingerprint, 0, label, rest, released"
    " FROM conversation_labels;"
    "DROP TABLE conversation_labels;"
    "CREATE TABLE label_keys (key INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, label INTEGER NOT NULL,"
    " rest INTEGER NOT NULL) STRICT;"
    "CREATE TABLE label_releases (id INTEGER PRIMARY KEY, leaves BLOB NOT NULL, pieces BLOB NOT NULL) STRICT;"
    "CREATE TABLE label_released (fingerprint INTEGER PRIMARY KEY, release INTEGER NOT NULL) STRICT;"
    "ALTER TABLE labelled_decisions ADD COLUMN key TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE labelled_decisions ADD COLUMN name INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE labelled_decisions ADD COLUMN goes_on TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE labelled_decisions ADD COLUMN leaves BLOB NOT NULL DEFAULT x'';"
    "ALTER TABLE labelled_decisions ADD COLUMN answer INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX labelled_decisions_by_name ON labelled_decisions (name) WHERE name != 0;"
    "CREATE INDEX labelled_decisions_by_key ON labelled_decisions (key);";

std::int64_t fingerprint_of_id(std::string_view conversation_id) {
    return shortened(sha256("conversation\n" + std::string(conversation_id)));
}

std::size_t content_bytes(std::string_view text) {
    std::size_t bytes = 0;
    each_of_content(text, blank_at, [&](std::string_view piece) { bytes += piece.size(); });
    return bytes;
}

namespace {

// Of a request, the last messages: a client quotes a conversation in the one that says what it wants, or beside it.
constexpr std::size_t kMostQuoting = 4;

bool is_said(const chat::Message& message) {
    return message.role != chat::Role::system && message.role != chat::Role::developer;
}

// A chain of messages with one more. A long one counts by its fingerprint: its bytes are hashed already.
Digest plain_chain(std::string chain, std::string_view essence, const Identity::Piece& piece) {
    constexpr std::size_t kLong = 4'096;
    chain += essence.front();  // the role
    if (piece.bytes > kLong) {
        chain += std::to_string(piece.fingerprint);
    } else {
        chain += ink_of(essence.substr(1));
    }
    return sha256(chain);
}

Identity::Piece piece_of(const chat::Message& message, std::string_view essence) {
    Identity::Piece piece{.user = message.role == chat::Role::user, .answer = message.role == chat::Role::assistant};
    if (!is_said(message)) return piece;
    piece.bytes = content_bytes(essence.substr(1));
    if (piece.bytes < kShortestMark) return piece;
    piece.fingerprint = piece_of(essence);
    piece.old_fingerprints = old_pieces_of(essence);
    return piece;
}

void add_quoted(const chat::Message& message, std::vector<Identity::Piece>& quoted) {
    if (message.role == chat::Role::assistant) return;
    for (const auto& said : quoted_in(chat::text_of(message.parts))) {
        const auto role = said.answer ? chat::Role::assistant : chat::Role::user;
        const chat::Message one{role, {{chat::TextPart{said.text}, {}}}, {}, {}};
        auto piece = piece_of(one, essence(one));
        if (piece.fingerprint != 0) quoted.push_back(piece);
    }
}

}  // namespace

Identity identify(const chat::Request& request, std::string_view conversation_id) {
    Identity result;
    const auto count = request.messages.size();
    result.prefixes.reserve(count);
    result.beginnings.reserve(count);
    result.pieces.reserve(count);
    if (!conversation_id.empty()) result.id = fingerprint_of_id(conversation_id);
    result.plain.reserve(count);
    std::string chain, plain = "plain\n";
    std::int64_t plain_fingerprint = 0;
    std::size_t bytes = 0, asked = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const auto text = essence(request.messages[i]);
        result.pieces.push_back(piece_of(request.messages[i], text));
        if (i + kMostQuoting >= count) add_quoted(request.messages[i], result.quoted);
        if (is_said(request.messages[i])) {
            const auto link = plain_chain(std::move(plain), text, result.pieces.back());
            plain.assign(reinterpret_cast<const char*>(link.data()), link.size());
            plain_fingerprint = shortened(link);
        }
        bytes += result.pieces.back().bytes;
        if (!result.pieces.back().answer) asked += result.pieces.back().bytes;
        chain += text;
        const auto digest = sha256(chain);
        result.prefixes.push_back(shortened(digest));
        chain.assign(reinterpret_cast<const char*>(digest.data()), digest.size());
        result.beginnings.push_back({.bytes = bytes, .asked_bytes = asked, .goes_on = i + 1 < count});
        result.plain.push_back(bytes < kShortestMark ? 0 : plain_fingerprint);
        if (bytes >= kShortestMark || i + 1 == count || request.messages[i + 1].role != chat::Role::assistant) continue;
        if (const auto answer = text_alone(request.messages[i + 1]); !answer.empty())
            result.beginnings.back().answered = answered(result.prefixes.back(), answer);
    }
    return result;
}

std::int64_t piece_of_answer(std::string_view text) {
    if (content_bytes(text) < kShortestMark) return 0;
    const chat::Message message{chat::Role::assistant, {{chat::TextPart{std::string(text)}, {}}}, {}, {}};
    return piece_of(essence(message));
}

namespace {

Known raised(Known known, Known by) {
    return {higher(known.label, by.label), higher(known.rest, by.rest)};
}

Label label_of(std::int64_t number) {
    return static_cast<Label>(std::clamp<std::int64_t>(number, 0, static_cast<std::int64_t>(Label::secret)));
}

// visit(row) for each row. Errors: storage.
template <typename Visit>
Result<> each_row(store::Statement&& rows, Visit&& visit) {
    while (true) {
        const auto row = rows.step();
        if (!row) return fail(row.error());
        if (!*row) return {};
        visit(rows);
    }
}

}  // namespace

// ---- reading ----

Result<> LabelMemory::load(store::Store& store) {
    Changes changes;
    auto loaded = store.run([&](store::Database& database) -> Result<> {
        const std::lock_guard lock(mutex_);
        if (auto ok = load_keys(database); !ok) return ok;
        if (auto ok = load_entries(database); !ok) return ok;
        if (auto ok = load_released(database); !ok) return ok;
        for (std::uint32_t key = 0; key < keys_.size(); ++key) keep_to_bounds(key, changes);
        return write(database, changes);
    });
    return loaded;
}

Result<> LabelMemory::load_keys(store::Database& database) {
    return each_row(database.prepare("SELECT key, name, label, rest FROM label_keys ORDER BY key"),
                    [this](const store::Statement& row) {
                        const auto number = static_cast<std::size_t>(row.integer(0));
                        if (number >= keys_.size()) keys_.resize(number + 1);
                        keys_[number].name = row.text(1);
                        keys_[number].floor = {label_of(row.integer(2)), label_of(row.integer(3))};
                        if (number != kNobody) numbers_[row.text(1)] = static_cast<std::uint32_t>(number);
                    });
}

Result<> LabelMemory::load_entries(store::Database& database) {
    Changes beyond;
    // What does not fit is never read: the floor of its key says what it was.
    auto left_out = database.prepare(
        "SELECT key, max(label), max(rest) FROM label_memory WHERE released = 0 AND age <= (SELECT age FROM "
        "label_memory"
        " ORDER BY age DESC LIMIT 1 OFFSET ?1) GROUP BY key");
    left_out.bind(1, static_cast<std::int64_t>(kMostLabelEntries));
    auto ok = each_row(std::move(left_out), [&](const store::Statement& row) {
        raise_floor(static_cast<std::uint32_t>(row.integer(0)), {label_of(row.integer(1)), label_of(row.integer(2))},
                    beyond);
    });
    if (!ok) return ok;
    if (!beyond.empty()) {
        if (auto written = write(database, beyond); !written) return written;
        if (auto gone =
                database
                    .prepare("DELETE FROM label_memory WHERE released = 0 AND age <= (SELECT age FROM label_memory"
                             " ORDER BY age DESC LIMIT 1 OFFSET ?1)")
                    .bind(1, static_cast<std::int64_t>(kMostLabelEntries))
                    .run();
            !gone)
            return gone;
    }
    auto rows =
        database.prepare("SELECT fingerprint, key, label, rest, released FROM label_memory ORDER BY age DESC LIMIT ?1");
    rows.bind(1, static_cast<std::int64_t>(kMostLabelEntries));
    ok = each_row(std::move(rows), [this](const store::Statement& row) {
        const auto key = static_cast<std::uint32_t>(row.integer(1));
        if (key >= keys_.size()) keys_.resize(key + 1U);
        const bool released = row.integer(4) != 0;
        entries_.emplace(row.integer(0), Entry{{label_of(row.integer(2)), label_of(row.integer(3))}, released, key});
        if (!released) keys_[key].order.push_front(row.integer(0));
    });
    return ok;
}

Result<> LabelMemory::load_released(store::Database& database) {
    std::unordered_map<std::int64_t, std::shared_ptr<Released>> by_id;
    auto rows = database.prepare("SELECT id, leaves, pieces FROM label_releases ORDER BY id DESC");
    auto ok = each_row(std::move(rows), [&](const store::Statement& row) {
        releases_ = std::max(releases_, row.integer(0));
        const auto leaves = unpacked(row.text(1)), pieces = unpacked(row.text(2));
        if (released_digests_ + leaves.size() + pieces.size() > kMostReleasedDigests) return;
        released_digests_ += leaves.size() + pieces.size();
        by_id[row.integer(0)] =
            std::make_shared<Released>(Released{{leaves.begin(), leaves.end()}, {pieces.begin(), pieces.end()}});
    });
    if (!ok) return ok;
    return each_row(database.prepare("SELECT fingerprint, release FROM label_released"),
                    [&](const store::Statement& row) {
                        if (const auto found = by_id.find(row.integer(1)); found != by_id.end())
                            released_[row.integer(0)] = found->second;
                    });
}

void LabelMemory::set_quota(std::size_t entries) {
    const std::lock_guard lock(mutex_);
    quota_ = entries;
}

bool LabelMemory::empty() const {
    const std::lock_guard lock(mutex_);
    return entries_.empty() && std::ranges::all_of(keys_, [](const OfKey& key) { return key.floor == Known{}; });
}

LabelMemory::Recalled LabelMemory::recall(const Identity& identity, const std::string& key) const {
    const std::lock_guard lock(mutex_);
    Recalled recalled;
    // Entries of nobody in particular may have been anybody's.
    recalled.floor = keys_[kNobody].floor;
    if (const auto* own = find_key(key)) recalled.floor = raised(recalled.floor, own->floor);
    if (entries_.empty()) return recalled;
    auto is_released = [this](std::int64_t fingerprint) {
        const auto [first, last] = entries_.equal_range(fingerprint);
        return std::any_of(first, last, [](const auto& entry) { return entry.second.released; });
    };
    auto add_released = [&](std::int64_t fingerprint) {
        if (const auto found = released_.find(fingerprint); found != released_.end())
            recalled.released.push_back(found->second);
    };
    std::optional<std::size_t> last_released;
    for (std::size_t i = 0; i < identity.prefixes.size(); ++i)
        if (is_released(identity.prefixes[i])) {
            last_released = i;
            add_released(identity.prefixes[i]);
        }
    if (identity.id && is_released(*identity.id)) add_released(*identity.id);
    auto released_alone = [&](std::int64_t piece) {
        return std::ranges::any_of(recalled.released,
                                   [&](const auto& released) { return released->pieces.contains(piece); });
    };
    const auto number = number_of(key);
    auto take = [&](Known known, std::string_view why) {
        if (known.label > recalled.known.label) recalled.why = why;
        recalled.known = raised(recalled.known, known);
    };
    constexpr std::string_view kItself = "this conversation before";
    constexpr std::string_view kMessage = "a message of an earlier conversation of this key";
    constexpr std::string_view kDocument = "a long text that was labelled before";
    if (identity.id) take(of_own(*identity.id, number), kItself);
    // What was released is looked at as it was released: not what its parts were before.
    for (std::size_t i = last_released.value_or(0); i < identity.prefixes.size(); ++i) {
        take(of_beginning(identity, i, number), kItself);
        if (identity.beginnings[i].asked_bytes >= kShortestDocument) take(of_all(identity.prefixes[i]), kDocument);
    }
    for (std::size_t i = last_released ? *last_released + 1 : 0; i < identity.plain.size(); ++i)
        if (identity.plain[i] != 0) take(of_own(identity.plain[i], number), kItself);
    auto take_piece = [&](const Identity::Piece& piece, std::int64_t known_as) {
        if (known_as == 0 || released_alone(known_as)) return;
        take(of_own(known_as, number), kMessage);
        take(of_others(piece, known_as, number), kDocument);
    };
    for (std::size_t i = last_released ? *last_released + 1 : 0; i < identity.pieces.size(); ++i) {
        const auto& piece = identity.pieces[i];
        for (const auto known_as :
             {piece.fingerprint, piece.old_fingerprints[0], piece.old_fingerprints[1], piece.old_fingerprints[2]})
            take_piece(piece, known_as);
    }
    for (const auto& piece : identity.quoted) take_piece(piece, piece.fingerprint);
    return recalled;
}

Known LabelMemory::of_others(const Identity::Piece& piece, std::int64_t known_as, std::uint32_t key) const {
    const bool document = piece.bytes >= kShortestDocument;
    if (!document && (!piece.answer || piece.bytes < kShortestAnswer)) return {};
    if (keys_[key].was_public(piece.fingerprint)) return {};
    const auto* own = find(piece.fingerprint, key);
    if (own != nullptr && own->known.label == Label::public_) return {};
    return of_all(document ? known_as : as_given(known_as));
}

Known LabelMemory::of_beginning(const Identity& identity, std::size_t place, std::uint32_t key) const {
    const auto& beginning = identity.beginnings[place];
    const auto known = of_own(identity.prefixes[place], key);
    if (known == Known{} || beginning.bytes >= kShortestMark) return known;
    // Short words begin any conversation. Once there is more, it is the labelled one, unless its answer tells that it
    // is another.
    if (!beginning.goes_on) return {};
    if (beginning.answered == 0 || !keys_[key].was_public(beginning.answered)) return known;
    return of_own(beginning.answered, key);
}

template <typename Counts>
Known LabelMemory::highest(std::int64_t fingerprint, Counts&& counts) const {
    Known known;
    const auto [first, last] = entries_.equal_range(fingerprint);
    for (auto entry = first; entry != last; ++entry)
        if (counts(entry->second.key)) known = raised(known, entry->second.known);
    return known;
}

Known LabelMemory::of_own(std::int64_t fingerprint, std::uint32_t key) const {
    // Who had no key then may be anybody now.
    const auto keyless = number_of(kKeyless);
    return highest(fingerprint, [=](std::uint32_t of) { return of == key || of == kNobody || of == keyless; });
}

Known LabelMemory::of_all(std::int64_t fingerprint) const {
    return highest(fingerprint, [](std::uint32_t) { return true; });
}

bool LabelMemory::knows(std::int64_t fingerprint) const {
    const std::lock_guard lock(mutex_);
    return entries_.contains(fingerprint);
}

// ---- keys ----

std::uint32_t LabelMemory::id_of(const std::string& key) {
    const auto [place, fresh] = numbers_.try_emplace(key, static_cast<std::uint32_t>(keys_.size()));
    if (fresh) keys_.push_back({.name = key});
    return place->second;
}

const LabelMemory::OfKey* LabelMemory::find_key(const std::string& key) const {
    const auto found = numbers_.find(key);
    return found == numbers_.end() ? nullptr : &keys_[found->second];
}

std::uint32_t LabelMemory::number_of(const std::string& key) const {
    const auto found = numbers_.find(key);
    return found == numbers_.end() ? kNobody : found->second;
}

const LabelMemory::Entry* LabelMemory::find(std::int64_t fingerprint, std::uint32_t key) const {
    const auto [first, last] = entries_.equal_range(fingerprint);
    for (auto entry = first; entry != last; ++entry)
        if (entry->second.key == key && !entry->second.released) return &entry->second;
    return nullptr;
}

LabelMemory::Entry* LabelMemory::find(std::int64_t fingerprint, std::uint32_t key) {
    return const_cast<Entry*>(std::as_const(*this).find(fingerprint, key));
}

// ---- remembering ----

void LabelMemory::raise(std::int64_t fingerprint, std::uint32_t key, Known known, Changes& changes) {
    auto* entry = find(fingerprint, key);
    if (entry != nullptr && raised(entry->known, known) == entry->known) return;
    if (entry == nullptr) {
        entry = &entries_.emplace(fingerprint, Entry{{}, false, key})->second;
        keys_[key].order.push_back(fingerprint);
    }
    entry->known = raised(entry->known, known);
    changes.raised.push_back({fingerprint, key, entry->known});
    keep_to_bounds(key, changes);
}

void LabelMemory::raise_floor(std::uint32_t key, Known known, Changes& changes) {
    if (key >= keys_.size()) keys_.resize(key + 1U);
    auto& floor = keys_[key].floor;
    if (raised(floor, known) == floor) return;
    floor = raised(floor, known);
    changes.floors[key] = {keys_[key].name, floor};
}

void LabelMemory::forget_oldest(std::uint32_t key, Changes& changes) {
    auto& order = keys_[key].order;
    const auto fingerprint = order.front();
    order.pop_front();
    const auto [first, last] = entries_.equal_range(fingerprint);
    for (auto entry = first; entry != last; ++entry) {
        if (entry->second.key != key || entry->second.released) continue;
        raise_floor(key, entry->second.known, changes);
        changes.forgotten.emplace_back(fingerprint, key);
        entries_.erase(entry);
        return;
    }
}

void LabelMemory::keep_to_bounds(std::uint32_t key, Changes& changes) {
    while (key != kNobody && keys_[key].order.size() > quota_) forget_oldest(key, changes);
    while (entries_.size() > kMostLabelEntries) {
        // Of whoever has most, so that nobody else is the worse for it.
        const auto most = std::ranges::max_element(keys_, {}, [](const OfKey& of) { return of.order.size(); });
        if (most->order.empty()) return;
        forget_oldest(static_cast<std::uint32_t>(most - keys_.begin()), changes);
    }
}

bool LabelMemory::was_public(std::int64_t piece) const {
    return std::ranges::any_of(keys_, [piece](const OfKey& key) { return key.was_public(piece); });
}

// The newest messages first: an older one that is known already costs nothing.
void LabelMemory::add_pieces(const Identity& identity, std::uint32_t key, Known known, bool refused, Changes& changes) {
    std::size_t left = refused ? kMostPiecesRefused : kMostPieces;
    for (std::size_t i = identity.pieces.size(); i-- > 0;) {
        const auto& piece = identity.pieces[i];
        if (piece.fingerprint == 0 || (piece.user && was_public(piece.fingerprint))) continue;
        if (const auto* entry = find(piece.fingerprint, key);
            entry != nullptr && raised(entry->known, known) == entry->known)
            continue;
        if (left-- == 0) {
            raise_floor(key, refused ? Known{known.rest, known.rest} : known, changes);
            return;
        }
        raise(piece.fingerprint, key, known, changes);
    }
}

Result<> LabelMemory::write(store::Database& database, const Changes& changes) {
    for (const auto& [key, floor] : changes.floors) {
        auto ok = database
                      .prepare(
                          "INSERT INTO label_keys (key, name, label, rest) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (key) "
                          "DO UPDATE SET label = "
                          "max(label, ?3), "
                          "rest = max(rest, ?4)")
                      .bind(1, static_cast<std::int64_t>(key))
                      .bind(2, floor.first)
                      .bind(3, static_cast<std::int64_t>(floor.second.label))
                      .bind(4, static_cast<std::int64_t>(floor.second.rest))
                      .run();
        if (!ok) return ok;
    }
    for (const auto& row : changes.raised) {
        auto ok =
            database
                .prepare(
                    "INSERT INTO label_memory (fingerprint, key, label, rest, released) VALUES (?1, ?2, ?3, ?4, 0) ON "
                    "CONFLICT (fingerprint, key) DO UPDATE SET label = max(label, ?3), rest = max(rest, ?4)")
                .bind(1, row.fingerprint)
                .bind(2, static_cast<std::int64_t>(row.key))
                .bind(3, static_cast<std::int64_t>(row.known.label))
                .bind(4, static_cast<std::int64_t>(row.known.rest))
                .run();
        if (!ok) return ok;
    }
    for (const auto& [fingerprint, key] : changes.forgotten) {
        auto ok = database.prepare("DELETE FROM label_memory WHERE fingerprint = ? AND key = ? AND released = 0")
                      .bind(1, fingerprint)
                      .bind(2, static_cast<std::int64_t>(key))
                      .run();
        if (!ok) return ok;
    }
    return {};
}

store::Store::Job LabelMemory::remember(const Identity& identity, Known known, Remembering about) {
    if (known.label == Label::public_ || identity.prefixes.empty()) return {};
    auto changes = std::make_shared<Changes>();
    std::uint32_t key = kNobody;
    {
        const std::lock_guard lock(mutex_);
        key = id_of(about.key);
        // Named, so that its entries find their key at the next start.
        changes->floors[key] = {about.key, keys_[key].floor};
        const auto before = changes->floors;
        raise(identity.prefixes.back(), key, known, *changes);
        if (!identity.plain.empty() && identity.plain.back() != 0) raise(identity.plain.back(), key, known, *changes);
        if (identity.id) raise(*identity.id, key, known, *changes);
        add_pieces(identity, key, known, about.refused, *changes);
        if (changes->raised.empty() && changes->forgotten.empty() && changes->floors == before) changes = nullptr;
    }
    if (!changes && about.decision.empty()) return {};
    if (about.leaves.size() > kMostLeaves) about.leaves.resize(kMostLeaves);
    LabelledDecision decision{.decision = std::move(about.decision),
                              .fingerprint = identity.prefixes.back(),
                              .response = std::move(about.response),
                              .key = std::move(about.key),
                              .name = identity.id.value_or(0),
                              .from = std::move(about.from),
                              .leaves = std::move(about.leaves)};
    return [changes = std::move(changes), decision = std::move(decision)](store::Database& database) -> Result<> {
        if (changes)
            if (auto ok = write(database, *changes); !ok) return ok;
        return decision.decision.empty() ? Result<>() : insert(database, decision);
    };
}

store::Store::Job LabelMemory::remember_answer(std::int64_t piece, std::int64_t leaf, Known known,
                                               const std::string& key, const std::string& decision) {
    if (known.label == Label::public_) return {};
    auto changes = std::make_shared<Changes>();
    if (piece != 0) {
        const std::lock_guard lock(mutex_);
        const auto number = id_of(key);
        changes->floors[number] = {key, keys_[number].floor};
        raise(piece, number, known, *changes);
        raise(as_given(piece), number, known, *changes);
    }
    return [changes = std::move(changes), piece, leaf, decision](store::Database& database) -> Result<> {
        if (auto ok = write(database, *changes); !ok) return ok;
        return add_answer(database, decision, piece, leaf);
    };
}

store::Store::Job LabelMemory::remember_short(const Identity& identity, std::string_view text, Known known,
                                              const std::string& key) {
    if (identity.beginnings.empty() || identity.beginnings.back().bytes >= kShortestMark || content_bytes(text) == 0)
        return {};
    const auto whole = answered(identity.prefixes.back(), text);
    auto changes = std::make_shared<Changes>();
    {
        const std::lock_guard lock(mutex_);
        const auto number = id_of(key);
        if (known.label == Label::public_) {
            keep_public(whole, keys_[number]);
            return {};
        }
        raise(whole, number, known, *changes);
        if (changes->empty()) return {};
        changes->floors[number] = {key, keys_[number].floor};
    }
    return [changes = std::move(changes)](store::Database& database) { return write(database, *changes); };
}

store::Store::Job LabelMemory::remember_public_answer(std::string_view text, const std::string& key) {
    if (content_bytes(text) < kShortestAnswer) return {};
    const auto piece = piece_of_answer(text);
    auto changes = std::make_shared<Changes>();
    {
        const std::lock_guard lock(mutex_);
        const auto number = id_of(key);
        keep_public(piece, keys_[number]);
        if (!entries_.contains(piece)) return {};
        raise(piece, number, {}, *changes);
        if (changes->empty()) return {};
        changes->floors[number] = {key, keys_[number].floor};
    }
    return [changes = std::move(changes)](store::Database& database) { return write(database, *changes); };
}

void LabelMemory::keep_public(std::int64_t fingerprint, OfKey& key) {
    if (key.public_new.size() >= kPublicPieces) {
        key.public_old = std::move(key.public_new);
        key.public_new.clear();
    }
    key.public_new.insert(fingerprint);
}

void LabelMemory::note_public(const Identity& identity, const std::string& key) {
    const std::lock_guard lock(mutex_);
    auto& own = keys_[id_of(key)];
    for (const auto& piece : identity.pieces)
        if (piece.user && piece.fingerprint != 0) keep_public(piece.fingerprint, own);
}

// ---- releasing ----

Result<store::Store::Job> LabelMemory::release(const LabelledConversation& conversation, Label to) {
    auto released = std::make_shared<Released>(Released{{conversation.leaves.begin(), conversation.leaves.end()},
                                                        {conversation.pieces.begin(), conversation.pieces.end()}});
    std::int64_t id = 0;
    {
        const std::lock_guard lock(mutex_);
        if (released_digests_ + conversation.leaves.size() + conversation.pieces.size() > kMostReleasedDigests)
            return fail(
                Fault::quota_used_up,
                "so much is released already that no more can be remembered; `tandem label forget` makes no room "
                "for it");
        released_digests_ += conversation.leaves.size() + conversation.pieces.size();
        id = ++releases_;
        for (const auto fingerprint : conversation.fingerprints) {
            entries_.erase(fingerprint);
            entries_.emplace(fingerprint, Entry{{to, to}, true, kNobody});
            released_[fingerprint] = released;
        }
    }
    return [conversation, to, id](store::Database& database) -> Result<> {
        auto ok = database.prepare("INSERT INTO label_releases (id, leaves, pieces) VALUES (?, ?, ?)")
                      .bind(1, id)
                      .bind_blob(2, packed(conversation.leaves))
                      .bind_blob(3, packed(conversation.pieces))
                      .run();
        if (!ok) return ok;
        for (const auto fingerprint : conversation.fingerprints) {
            ok = database.prepare("DELETE FROM label_memory WHERE fingerprint = ?").bind(1, fingerprint).run();
            if (!ok) return ok;
            ok = database
                     .prepare(
                         "INSERT INTO label_memory (fingerprint, key, label, rest, released) VALUES (?1, 0, ?2, ?2, 1)")
                     .bind(1, fingerprint)
                     .bind(2, static_cast<std::int64_t>(to))
                     .run();
            if (!ok) return ok;
            ok = database.prepare("INSERT OR REPLACE INTO label_released (fingerprint, release) VALUES (?, ?)")
                     .bind(1, fingerprint)
                     .bind(2, id)
                     .run();
            if (!ok) return ok;
        }
        return {};
    };
}

store::Store::Job LabelMemory::forget(const std::string& key) {
    std::vector<std::uint32_t> gone;
    {
        const std::lock_guard lock(mutex_);
        for (std::uint32_t number = 0; number < keys_.size(); ++number)
            if (key.empty() || (number != kNobody && keys_[number].name == key)) {
                keys_[number].floor = {};
                keys_[number].order.clear();
                gone.push_back(number);
            }
        std::erase_if(entries_, [&](const auto& entry) {
            return !entry.second.released && std::ranges::find(gone, entry.second.key) != gone.end();
        });
    }
    return [gone = std::move(gone)](store::Database& database) -> Result<> {
        for (const auto number : gone) {
            auto ok = database.prepare("DELETE FROM label_memory WHERE key = ? AND released = 0")
                          .bind(1, static_cast<std::int64_t>(number))
                          .run();
            if (!ok) return ok;
            ok = database.prepare("UPDATE label_keys SET label = 0, rest = 0 WHERE key = ?")
                     .bind(1, static_cast<std::int64_t>(number))
                     .run();
            if (!ok) return ok;
        }
        return {};
    };
}

Result<std::vector<MemoryOfKey>> memory_of_keys(store::Database& database) {
    std::vector<MemoryOfKey> list;
    auto ok = each_row(
        database.prepare(
            "SELECT name, label, (SELECT count(*) FROM label_memory m WHERE m.key = k.key AND released = 0) "
            "FROM label_keys k ORDER BY key"),
        [&](const store::Statement& row) { list.push_back({row.text(0), row.integer(2), label_of(row.integer(1))}); });
    if (!ok) return fail(ok.error());
    return list;
}

}  // namespace tandem::privacy
