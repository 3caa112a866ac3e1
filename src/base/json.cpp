#include "base/json.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <unordered_set>

#include "base/json_mend.h"
#include "base/text.h"

namespace tandem::json {

namespace ondemand = simdjson::ondemand;

namespace {

// RFC 8259 section 6. simdjson would refuse integers beyond 64 bits, which we keep as they are written.
bool is_number(std::string_view text) {
    std::size_t i = 0;
    auto digits = [&] {
        const std::size_t start = i;
        while (i < text.size() && text[i] >= '0' && text[i] <= '9') ++i;
        return i - start;
    };
    if (i < text.size() && text[i] == '-') ++i;
    const std::size_t start = i;
    const std::size_t whole = digits();
    if (whole == 0 || (whole > 1 && text[start] == '0')) return false;
    if (i < text.size() && text[i] == '.') {
        ++i;
        if (digits() == 0) return false;
    }
    if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
        ++i;
        if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
        if (digits() == 0) return false;
    }
    return i == text.size();
}

// Without a way out of the loop, so that many bytes are compared at once.
bool has_control(std::string_view text) {
    unsigned char least = 0xFF;
    for (const char c : text) least = std::min(least, static_cast<unsigned char>(c));
    return least < 0x20;
}

std::string_view trim_front(std::string_view text) {
    while (!text.empty() &&
           (text.front() == ' ' || text.front() == '\n' || text.front() == '\r' || text.front() == '\t'))
        text.remove_prefix(1);
    return text;
}

constexpr std::size_t kMaxSource = 2UL << 30;            // places in it are numbers of 32 bits
constexpr std::size_t kFewKeys = 16;                     // objects up to this size are compared pairwise
constexpr std::size_t kLargestKeptParser = 256UL << 10;  // a parser that grew beyond this source size is not kept

}  // namespace

// Fills the table of one document, depth first.
struct Walker {
    Document& document;
    ondemand::parser& parser;
    const char* at = nullptr;  // where the walk is, for messages

    Result<> broken(std::string_view why) const {
        const auto offset = at == nullptr ? 0 : static_cast<std::size_t>(at - document.source_.data());
        return fail(Fault::invalid_json,
                    fmt::format("not valid JSON at byte {}: {}", std::min(offset, document.size_), why));
    }

    // A decoded string: a slice of the source where nothing is escaped, else of the arena.
    struct Decoded {
        std::string_view text;
        bool in_arena = false;
    };
    Result<Decoded> decode(std::string_view inner, ondemand::raw_json_string raw) {
        if (std::memchr(inner.data(), '\\', inner.size()) == nullptr) return Decoded{inner, false};
        // parse() reserved as much as the source is long plus padding, so the arena never moves.
        const std::size_t start = document.arena_.size();
        document.arena_.resize(start + inner.size() + simdjson::SIMDJSON_PADDING);
        auto* target = reinterpret_cast<std::uint8_t*>(document.arena_.data() + start);
        std::string_view text;
        if (parser.unescape(raw, target).get(text) != simdjson::SUCCESS) {
            return fail(broken("a string has a wrong escape or half a surrogate pair").error());
        }
        document.arena_.resize(start + text.size());
        return Decoded{text, true};
    }

    std::uint32_t place_of(std::string_view text, bool in_arena) const {
        const auto& home = in_arena ? document.arena_ : document.source_;
        return static_cast<std::uint32_t>(text.data() - home.data());
    }
    void set_raw(std::uint32_t index, std::string_view token) {
        auto& node = document.nodes_[index];
        node.raw = place_of(token, false);
        node.raw_size = static_cast<std::uint32_t>(token.size());
    }
    void set_text(std::uint32_t index, const Decoded& decoded) {
        auto& node = document.nodes_[index];
        node.text = place_of(decoded.text, decoded.in_arena);
        node.text_size = static_cast<std::uint32_t>(decoded.text.size());
        node.text_decoded = decoded.in_arena;
    }

    static std::string_view trimmed(std::string_view token) {
        while (!token.empty() &&
               (token.back() == ' ' || token.back() == '\n' || token.back() == '\r' || token.back() == '\t'))
            token.remove_suffix(1);
        return token;
    }

    Result<> string(ondemand::value& value, std::string_view token, std::uint32_t index) {
        ondemand::raw_json_string raw;
        if (value.get_raw_json_string().get(raw) != simdjson::SUCCESS || token.size() < 2 || token.back() != '"')
            return broken("a string is not closed");
        const auto inner = token.substr(1, token.size() - 2);
        if (has_control(inner)) return broken("a control character inside a string; write it as an escape");
        auto text = decode(inner, raw);
        if (!text) return fail(text.error());
        document.nodes_[index].kind = Kind::string;
        set_raw(index, token);
        set_text(index, *text);
        return {};
    }

    Result<> scalar(ondemand::value& value, std::string_view token, std::uint32_t index) {
        auto& node = document.nodes_[index];
        set_raw(index, token);
        if (token == "null") {
            node.kind = Kind::null;
            bool null = false;
            if (value.is_null().get(null) != simdjson::SUCCESS || !null) return broken("expected a value");
        } else if (token == "true" || token == "false") {
            node.kind = Kind::boolean;
            bool flag = false;
            if (value.get_bool().get(flag) != simdjson::SUCCESS) return broken("expected a value");
        } else if (is_number(token)) {
            node.kind = Kind::number;
            set_text(index, {token, false});
        } else {
            return broken(fmt::format("'{}' is not a value", token.substr(0, 20)));
        }
        return {};
    }

    Result<> one_key_once(std::uint32_t index, std::size_t members) {
        const auto& nodes = document.nodes_;
        auto key_of = [&](std::size_t i) { return document.key_of(nodes[i]); };
        auto twice = [&](std::string_view key) {
            return broken(fmt::format("the key '{}' stands twice in one object", key.substr(0, 60)));
        };
        if (members <= kFewKeys) {
            for (auto a = index + 1; a < nodes.size(); a = nodes[a].next)
                for (auto b = nodes[a].next; b < nodes.size(); b = nodes[b].next)
                    if (key_of(a) == key_of(b)) return twice(key_of(a));
            return {};
        }
        std::unordered_set<std::string_view> seen;
        seen.reserve(members);
        for (auto a = index + 1; a < nodes.size(); a = nodes[a].next)
            if (!seen.insert(key_of(a)).second) return twice(key_of(a));
        return {};
    }

    // From the bracket at `start` to its partner: simdjson has checked that it comes next after the last child.
    Result<> close(std::uint32_t index, const char* start, const char* after_children, char bracket) {
        const char* const end = document.source_.data() + document.size_;
        const char* p = after_children;
        while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) ++p;
        if (p >= end || *p != bracket) return broken(fmt::format("expected '{}'", bracket));
        set_raw(index, {start, static_cast<std::size_t>(p - start + 1)});
        return {};
    }

    template <typename V>
    Result<> object(V& value, std::uint32_t index, std::size_t depth) {
        const char* const start = at;
        const char* end = start + 1;
        document.nodes_[index].kind = Kind::object;
        ondemand::object fields;
        if (value.get_object().get(fields) != simdjson::SUCCESS) return broken("the object is not closed");
        std::size_t members = 0;
        for (auto entry : fields) {
            ondemand::field field;
            if (std::move(entry).get(field) != simdjson::SUCCESS) return broken("expected \"key\": value");
            const auto raw_key = field.key();
            const char* const key_end = closing_quote(raw_key.raw());
            if (key_end == nullptr) return broken("a key is not closed");
            auto key = decode({raw_key.raw(), static_cast<std::size_t>(key_end - raw_key.raw())}, raw_key);
            if (!key) return fail(key.error());
            auto child = this->value(field.value(), *key, depth + 1);
            if (!child) return fail(child.error());
            end = *child;
            ++members;
        }
        if (auto closed = close(index, start, end, '}'); !closed) return closed;
        document.nodes_[index].next = static_cast<std::uint32_t>(document.nodes_.size());
        return one_key_once(index, members);
    }

    template <typename V>
    Result<> array(V& value, std::uint32_t index, std::size_t depth) {
        const char* const start = at;
        const char* end = start + 1;
        document.nodes_[index].kind = Kind::array;
        ondemand::array elements;
        if (value.get_array().get(elements) != simdjson::SUCCESS) return broken("the array is not closed");
        for (auto entry : elements) {
            ondemand::value element;
            if (std::move(entry).get(element) != simdjson::SUCCESS) return broken("expected a value or ']'");
            auto child = this->value(element, {}, depth + 1);
            if (!child) return fail(child.error());
            end = *child;
        }
        return close(index, start, end, ']');
    }

    const char* closing_quote(const char* p) const {
        const char* const end = document.source_.data() + document.size_;
        for (; p < end; ++p) {
            if (*p == '\\')
                ++p;
            else if (*p == '"')
                return p;
            else if (static_cast<unsigned char>(*p) < 0x20)
                return nullptr;
        }
        return nullptr;
    }

    // Adds one value and what is below it; gives the place just behind it.
    template <typename V>
    Result<const char*> value(V&& value, const Decoded& key, std::size_t depth) {
        if (depth > kMaxDepth)
            return fail(Fault::json_too_large, fmt::format("the JSON is nested deeper than {} levels", kMaxDepth));
        if (document.nodes_.size() >= kMaxValues)
            return fail(Fault::json_too_large, fmt::format("the JSON has more than {} values", kMaxValues));
        const std::string_view token = trimmed(value.raw_json_token());
        if (token.empty()) return fail(broken("expected a value").error());
        at = token.data();
        const auto index = static_cast<std::uint32_t>(document.nodes_.size());
        Document::Node fresh{};
        if (!key.text.empty()) {
            fresh.key = place_of(key.text, key.in_arena);
            fresh.key_size = static_cast<std::uint32_t>(key.text.size());
            fresh.key_decoded = key.in_arena;
        }
        document.nodes_.push_back(fresh);
        Result<> done;
        switch (token.front()) {
            case '{':
                done = object(value, index, depth);
                break;
            case '[':
                done = array(value, index, depth);
                break;
            case '"':
                done = string(value, token, index);
                break;
            default:
                done = scalar(value, token, index);
                break;
        }
        if (!done) return fail(done.error());
        auto& node = document.nodes_[index];
        node.next = static_cast<std::uint32_t>(document.nodes_.size());
        return document.source_.data() + node.raw + node.raw_size;
    }
};

std::size_t values_at_most(std::string_view json) {
    // '[' is 0x5B and '{' is 0x7B: one bit apart.
    auto counts = [](char c) { return c == ',' || (c & 0xDF) == '['; };
    // In pieces whose number fits a byte: so the compiler counts sixteen at once, and a worker is not held up.
    constexpr std::size_t kPiece = 255;
    std::size_t count = 1;
    for (std::size_t from = 0; from < json.size(); from += kPiece) {
        std::uint8_t found = 0;
        for (const char c : json.substr(from, kPiece)) found = static_cast<std::uint8_t>(found + (counts(c) ? 1 : 0));
        count += found;
    }
    // Few are enough to know; else those inside strings must not count.
    if (count <= kMaxValues / 4) return count;
    count = 1;
    bool inside = false;
    for (std::size_t i = 0; i < json.size(); ++i) {
        const char c = json[i];
        if (c == '"')
            inside = !inside;
        else if (inside && c == '\\')
            ++i;
        else if (!inside)
            count += counts(c) ? 1 : 0;
    }
    return count;
}

// RFC 8259 section 8.1 lets us skip a byte order mark.
Result<> Document::parse(std::string_view source) {
    source = without_byte_order_mark(source);
    source_.reserve(source.size() + simdjson::SIMDJSON_PADDING);
    source_.assign(source);
    return read();
}

Result<> Document::take(std::string source) {
    source_ = std::move(source);
    source_.erase(0, source_.size() - without_byte_order_mark(source_).size());
    source_.reserve(source_.size() + simdjson::SIMDJSON_PADDING);
    return read();
}

Result<> Document::read() {
    nodes_.clear();
    arena_.clear();
    size_ = source_.size();
    if (size_ > kMaxSource) return fail(Fault::json_too_large, "the JSON is larger than 2 GiB");
    // Before simdjson makes its own table, of four bytes for each bracket, comma, colon and value.
    const auto values = values_at_most(source_);
    if (values > 2 * kMaxValues)
        return fail(Fault::json_too_large, fmt::format("the JSON has more than {} values", kMaxValues));
    nodes_.reserve(std::min(values, kMaxValues));
    if (std::memchr(source_.data(), '\\', size_) != nullptr) arena_.reserve(size_ + 2 * simdjson::SIMDJSON_PADDING);
    thread_local ondemand::parser kept_parser;
    ondemand::parser large_parser;
    auto& parser = size_ > kLargestKeptParser ? large_parser : kept_parser;
    ondemand::document document;
    const auto error = parser.iterate(source_.data(), size_, source_.capacity() + 1).get(document);
    if (error == simdjson::UTF8_ERROR)
        return fail(Fault::invalid_json, "the body is not valid UTF-8; send JSON encoded as UTF-8");
    if (error == simdjson::EMPTY) return fail(Fault::invalid_json, "the body is empty; a JSON object was expected");
    if (error != simdjson::SUCCESS)
        return fail(Fault::invalid_json, fmt::format("not valid JSON: {}", simdjson::error_message(error)));
    Walker walker{*this, parser};
    ondemand::value root;
    Result<const char*> done;
    if (document.get_value().get(root) == simdjson::SUCCESS) {
        done = walker.value(root, {}, 1);
    } else {
        // simdjson hands out no value for a scalar at the root; nothing that we read is one.
        done = fail(Fault::invalid_json, "not valid JSON: an object or an array was expected");
    }
    if (done) {
        const auto rest = trim_front({*done, static_cast<std::size_t>(source_.data() + size_ - *done)});
        if (!rest.empty())
            done = fail(Fault::invalid_json, fmt::format("not valid JSON at byte {}: text follows the end of the value",
                                                         size_ - rest.size()));
    }
    if (!done) {
        nodes_.clear();
        return fail(done.error());
    }
    return {};
}

Value::Iterator& Value::Iterator::operator++() {
    index_ = document_->nodes_[index_].next;  // NOLINT: the children of an absent value are none, so nothing gets here
    return *this;
}

Kind Value::kind() const {
    return document_ == nullptr ? Kind::null : document_->nodes_[index_].kind;
}

std::string_view Value::raw() const {
    return document_ == nullptr ? std::string_view() : document_->raw_of(document_->nodes_[index_]);
}

std::string_view Value::text() const {
    return document_ == nullptr ? std::string_view() : document_->text_of(document_->nodes_[index_]);
}

std::optional<std::string_view> Value::string() const {
    if (!is(Kind::string)) return std::nullopt;
    return text();
}

std::optional<bool> Value::boolean() const {
    if (!is(Kind::boolean)) return std::nullopt;
    return raw() == "true";
}

std::optional<double> Value::number() const {
    if (!is(Kind::number)) return std::nullopt;
    double result = 0;
    const auto t = text();
    if (std::from_chars(t.data(), t.data() + t.size(), result).ec != std::errc()) return std::nullopt;
    return result;
}

std::optional<std::int64_t> Value::integer() const {
    if (!is(Kind::number)) return std::nullopt;
    std::int64_t whole = 0;
    const auto t = text();
    if (const auto read = std::from_chars(t.data(), t.data() + t.size(), whole);
        read.ec == std::errc() && read.ptr == t.data() + t.size())
        return whole;
    constexpr double kExact = 9007199254740992.0;  // 2^53: whole numbers up to here are exact in a double
    const auto real = number();
    if (!real || std::abs(*real) > kExact || std::trunc(*real) != *real) return std::nullopt;
    return static_cast<std::int64_t>(*real);
}

Value Value::operator[](std::string_view key) const {
    if (!is(Kind::object)) return {};
    const auto& nodes = document_->nodes_;
    const auto end = nodes[index_].next;
    for (auto i = index_ + 1; i < end; i = nodes[i].next)
        if (nodes[i].key_size == key.size() && document_->key_of(nodes[i]) == key) return {document_, i};
    return {};
}

std::string_view Value::key() const {
    return document_ == nullptr ? std::string_view() : document_->key_of(document_->nodes_[index_]);
}

std::size_t Value::offset() const {
    return document_ == nullptr ? 0 : static_cast<std::size_t>(raw().data() - document_->source_.data());
}

Value::Children Value::children() const {
    if (document_ == nullptr) return {nullptr, 0, 0};
    const auto kind = this->kind();
    if (kind != Kind::array && kind != Kind::object) return {document_, 0, 0};
    return {document_, index_ + 1, document_->nodes_[index_].next};
}

std::size_t Value::size() const {
    std::size_t count = 0;
    for ([[maybe_unused]] const Value child : children()) ++count;
    return count;
}

void append_string(std::string& out, std::string_view text) {
    static constexpr char kDigits[] = "0123456789abcdef";
    out += '"';
    for (std::size_t i = 0; i < text.size();) {
        const char c = text[i];
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x80) {
            const std::size_t length = character_length(text, i);
            out += length == 0 ? std::string_view("\xEF\xBF\xBD") : text.substr(i, length);
            i += length == 0 ? 1 : length;
            continue;
        }
        ++i;
        switch (c) {
            case '"':
                out += "\\\"";
                break;
            case '\\':
                out += "\\\\";
                break;
            case '\n':
                out += "\\n";
                break;
            case '\r':
                out += "\\r";
                break;
            case '\t':
                out += "\\t";
                break;
            default:
                if (byte >= 0x20 && byte != 0x7f) {
                    out += c;
                } else {
                    out += "\\u00";
                    out += kDigits[byte >> 4];
                    out += kDigits[byte & 15];
                }
        }
    }
    out += '"';
}

std::string quoted(std::string_view text) {
    std::string out;
    append_string(out, text);
    return out;
}

void Writer::separate() {
    if (comma_) out_ += ',';
    comma_ = true;
}

Writer& Writer::open(char bracket) {
    separate();
    out_ += bracket;
    comma_ = false;
    return *this;
}

Writer& Writer::close(char bracket) {
    out_ += bracket;
    comma_ = true;
    return *this;
}

Writer& Writer::key(std::string_view name) {
    separate();
    append_string(out_, name);
    out_ += ':';
    comma_ = false;
    return *this;
}

Writer& Writer::value(std::string_view text) {
    separate();
    append_string(out_, text);
    return *this;
}

Writer& Writer::value(std::int64_t number) {
    separate();
    fmt::format_to(std::back_inserter(out_), "{}", number);
    return *this;
}

Writer& Writer::value(bool flag) {
    return raw(flag ? "true" : "false");
}

Writer& Writer::raw(std::string_view json) {
    separate();
    out_ += json;
    return *this;
}

}  // namespace tandem::json
