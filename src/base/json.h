// JSON in and out. A document keeps the exact bytes of each value beside its decoded form, so that what we do not
// interpret survives byte for byte: numbers such as 1.50 or with 20 digits, white space, escapes, key order.
//
// It is one flat table of values made by a single strict pass of simdjson; nothing in it throws. Strings are valid
// UTF-8 (a lone surrogate is an error), a key stands once in its object, and depth, size and value count are bounded:
// it is meant for hostile input.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tandem::json {

inline constexpr std::size_t kMaxDepth = 100;
inline constexpr std::size_t kMaxValues = 1'000'000;

// How many values `json` has at most, by its brackets and commas, those inside strings left out. One fast pass; exact
// for JSON without empty arrays and objects, and at least as many as parse() would make of anything.
std::size_t values_at_most(std::string_view json);

enum class Kind : std::uint8_t { null, boolean, number, string, array, object };

class Document;

// One value of a document: two words, borrowed, valid while the document lives. A default-made Value is "absent":
// every question about it is answered as for a missing member, so chains such as v["a"]["b"].string() need no checks.
class Value {
  public:
    Value() = default;
    bool exists() const { return document_ != nullptr; }
    explicit operator bool() const { return exists(); }
    Kind kind() const;
    bool is(Kind kind) const { return exists() && this->kind() == kind; }
    bool is_null() const { return is(Kind::null); }

    std::string_view raw() const;   // the exact bytes, without white space around them
    std::string_view text() const;  // a string decoded, a number as it was written; else empty
    std::optional<std::string_view> string() const;
    std::optional<bool> boolean() const;
    std::optional<std::int64_t> integer() const;  // a whole number that fits, written with or without ".0"
    std::optional<double> number() const;

    Value operator[](std::string_view key) const;  // a member of an object, or absent
    std::string_view key() const;                  // decoded name of this member in its object
    std::size_t offset() const;                    // where raw() starts in the source

    // for (Value v : array.children()): the elements of an array, the members of an object, nothing for the rest.
    class Iterator;
    struct Children {
        const Document* document;
        std::uint32_t first, end;
    };
    Children children() const;
    std::size_t size() const;  // how many children

  private:
    friend class Document;
    Value(const Document* document, std::uint32_t index) : document_(document), index_(index) {}
    const Document* document_ = nullptr;
    std::uint32_t index_ = 0;
};

class Document {
  public:
    // Reads `source` whole; a copy of it is kept. Reusable: the table and the buffers keep their memory.
    // Errors: invalid, with the byte where it broke; too_large for size, depth and value count.
    Result<> parse(std::string_view source);
    // The same without a copy: the document keeps `source` itself.
    Result<> take(std::string source);

    Value root() const { return nodes_.empty() ? Value() : Value(this, 0); }
    std::string_view source() const { return {source_.data(), size_}; }

    // Visits each decoded string and key of the whole document, and each number as it was written, in order, at any
    // depth: visit(text, is_key).
    template <typename Visit>
    void each_text(Visit&& visit) const {
        for (const auto& node : nodes_) {
            if (node.key_size > 0) visit(key_of(node), true);
            if (node.kind == Kind::string || node.kind == Kind::number) visit(text_of(node), false);
        }
    }

  private:
    friend class Value;
    friend struct Walker;
    // 32 bytes: a document of small numbers has one for every two bytes of it.
    struct Node {
        std::uint32_t key, key_size;    // decoded; empty in arrays
        std::uint32_t raw, raw_size;    // in source_
        std::uint32_t text, text_size;  // decoded string, or the number as written
        std::uint32_t next;             // index after this value and all below it
        Kind kind;
        bool key_decoded, text_decoded;  // they lie in arena_, else in source_
    };
    std::string_view view(std::uint32_t at, std::uint32_t size, bool decoded) const {
        return {(decoded ? arena_ : source_).data() + at, size};
    }
    std::string_view key_of(const Node& node) const { return view(node.key, node.key_size, node.key_decoded); }
    std::string_view raw_of(const Node& node) const { return view(node.raw, node.raw_size, false); }
    std::string_view text_of(const Node& node) const { return view(node.text, node.text_size, node.text_decoded); }
    Result<> read();
    std::string source_;  // with the padding that simdjson reads beyond the end
    std::size_t size_ = 0;
    std::string arena_;  // decoded forms of strings that have escapes
    std::vector<Node> nodes_;
};

class Value::Iterator {
  public:
    Iterator(const Document* document, std::uint32_t index) : document_(document), index_(index) {}
    Value operator*() const { return {document_, index_}; }
    Iterator& operator++();
    bool operator==(const Iterator& other) const { return index_ == other.index_; }

  private:
    const Document* document_;
    std::uint32_t index_;
};

inline Value::Iterator begin(const Value::Children& children) {
    return {children.document, children.first};
}
inline Value::Iterator end(const Value::Children& children) {
    return {children.document, children.end};
}

// Appends `text` to `out` as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD.
void append_string(std::string& out, std::string_view text);
std::string quoted(std::string_view text);

// Writes JSON in order, minified. Commas are its own affair; nesting is the caller's.
class Writer {
  public:
    Writer& begin_object() { return open('{'); }
    Writer& end_object() { return close('}'); }
    Writer& begin_array() { return open('['); }
    Writer& end_array() { return close(']'); }
    Writer& key(std::string_view name);
    Writer& value(std::string_view text);
    Writer& value(const char* text) { return value(std::string_view(text)); }
    Writer& value(const std::string& text) { return value(std::string_view(text)); }
    Writer& value(std::int64_t number);
    Writer& value(int number) { return value(static_cast<std::int64_t>(number)); }
    Writer& value(std::size_t number) { return value(static_cast<std::int64_t>(number)); }
    Writer& value(bool flag);
    Writer& null() { return raw("null"); }
    Writer& raw(std::string_view json);  // bytes that are JSON already
    template <typename T>
    Writer& member(std::string_view name, T&& v) {
        key(name);
        return value(std::forward<T>(v));
    }
    Writer& raw_member(std::string_view name, std::string_view json) { return key(name).raw(json); }
    const std::string& text() const { return out_; }
    std::string take() { return std::move(out_); }

  private:
    void separate();
    Writer& open(char bracket);
    Writer& close(char bracket);
    std::string out_;
    bool comma_ = false;
};

}  // namespace tandem::json
