// How models of one family write calls of tools into their text. One file each (families/), one line in the table
// (families.cpp). All that is odd about a family stands in its file.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/offer.h"

namespace tandem::tools {

// A call as it was written; `arguments` is meant to be a JSON object.
struct Written {
    std::string name;
    std::string arguments;
    std::vector<std::string> repairs{};  // of its syntax, in words
};
using Calls = std::vector<Written>;

// A text that begins with a mark of the family.
struct Text {
    std::string_view text;
    bool ended = false;  // nothing follows
    const Offer* offer = nullptr;
};

struct Reading {
    enum class State {
        none,   // it is no call
        more,   // it may be one, when more of it is there
        calls,  // it is: `size` bytes of the text
    } state = State::none;
    std::size_t size = 0;
    Calls calls{};
};

struct Family {
    std::string_view name;
    // With what its calls begin, wherever they stand. Two families may have the same: the first one that reads it,
    // does.
    std::span<const std::string_view> marks;
    Reading (*read)(const Text& text);
};

std::span<const Family* const> families();

// ---- what the files of families share ----

inline constexpr std::string_view kBlank = " \t\r\n";

// `text` behind white space.
std::string_view skip_blank(std::string_view text);
// Nothing of the text is a call.
Reading no_call();
Reading wait_or_none(const Text& text);

// Whether what follows a mark, behind white space, begins with one of these characters, or may still.
bool goes_on_with(const Text& text, std::string_view mark, std::string_view characters);

// The calls between `open` and `close`; where the answer has ended, the close may be missing. `read` makes calls of
// what stands between, or nothing.
Reading between(const Text& text, std::string_view open, std::string_view close,
                std::optional<Calls> (*read)(std::string_view inside, const Text& text));

// Objects that name a tool and its arguments, one, several behind each other, or a list of them; a fence around them is
// left out. Nullopt where one is something else, or names no tool that is offered.
std::optional<Calls> json_calls(std::string_view inside, const Text& text);
// The same with nothing left out or put right but what `arguments` say (bare JSON may be an answer).
std::optional<Calls> strict_json_calls(std::string_view inside, const Text& text);
// name(argument=value, ...), one, or a list of them in brackets; values as Python or JSON writes them.
std::optional<Calls> python_calls(std::string_view inside, const Text& text);
// <invoke name="..."> with <parameter name="...">value</parameter> in it, as often as it stands there.
std::optional<Calls> invoke_calls(std::string_view inside, const Text& text);

// An object of arguments whose values are written as plain text: each is what the schema of its argument says it is, a
// text where that says nothing else.
class TypedArguments {
  public:
    TypedArguments(const Offer& offer, std::string name) : offer_(offer), name_(std::move(name)) {
        out_.begin_object();
    }
    void add(const std::string& argument, std::string_view value);
    Written take() { return {std::move(name_), out_.end_object().take(), std::move(repairs_)}; }

  private:
    const Offer& offer_;
    std::string name_;
    json::Writer out_;
    std::vector<std::string> known_;
    std::vector<std::string> repairs_;
};

}  // namespace tandem::tools
