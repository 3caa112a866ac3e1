// What is said of a key of tandem.yaml to people, where the key is read: editors show it (tandem config schema), the
// terminal (tandem config keys) and docs/reference/config.md. Private to config/ but for Described.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tandem::config {

struct About {
    std::string_view what;          // after "key: ", in plain words
    std::string_view usual = "";    // the default in words, where it is not the value that the target has
    std::string_view page = "";     // of docs/, that tells more: "concepts/budgets.md"
    std::string_view pattern = "";  // a regular expression (ECMA-262) that the text, each element or each name matches
    std::string_view example = "";
    std::string_view missing = "";         // what an error says behind "'key' is missing"
    std::string_view condition = "";       // where it is required: "for engines"
    std::string_view sibling = "";         // required where this key, which stands beside it,
    std::vector<std::string> values = {};  // has one of these
    bool is_required = false;
    bool or_number = false;    // a number or a flag matches the pattern as well
    double low = 0, high = 0;  // of such a number; both 0: any
    bool or_null = false;      // a key without a value is taken as if it were not there
    bool or_zero = false;      // 0 is taken beside the bounds

    About(const char* text, const char* by_default = "") : what(text), usual(by_default) {}
    About see(std::string_view docs) const { return with(&About::page, docs); }
    About like(std::string_view form, std::string_view such_as) const {
        return with(&About::pattern, form).with(&About::example, such_as);
    }
    About such_as(std::string_view text) const { return with(&About::example, text); }
    About required(std::string_view why = "") const {
        return with(&About::missing, why).with(&About::is_required, true);
    }
    // Required where something else `holds`, which the reader of the file knows and a schema of it does not.
    About required_where(std::string_view when, bool holds, std::string_view why = "") const {
        return required(why).with(&About::condition, when).with(&About::is_required, holds);
    }
    // The same, where the reader itself says that it is missing.
    About needed(std::string_view when) const { return with(&About::condition, when); }
    // What `when` says, so that a schema can say it too: the key `beside` has one of `these`.
    About where(std::string_view beside, std::vector<std::string> these) const {
        return with(&About::sibling, beside).with(&About::values, std::move(these));
    }
    About or_a_number() const { return with(&About::or_number, true); }
    About or_a_number(double least, double most) const {
        return or_a_number().with(&About::low, least).with(&About::high, most);
    }
    About or_no_value() const { return with(&About::or_null, true); }
    About or_nothing() const { return with(&About::or_zero, true); }

  private:
    template <typename Value>
    About with(Value About::* member, Value value) const {
        About copy = *this;
        copy.*member = std::move(value);
        return copy;
    }
};

enum class KeyType { text, secret, flag, duration, time, size, money, number, whole, mapping, named, listed };

// A key as it was read once without a document.
struct Described {
    std::string path = {};  // "policy.rules[].name", "providers.NAME.kind"
    KeyType type = KeyType::text;
    bool list = false;                      // a list of values of the type
    bool one_too = true;                    // of a list: one value alone stands for a list of one
    bool nullable = false;                  // a key without a value is taken as if it were not there
    std::vector<std::string> choices = {};  // where it is one of these
    double low = 0, high = 0;  // bounds of numbers, sizes (bytes) and durations (milliseconds); both 0: none
    std::vector<std::string> preset =
        {};  // what it is where the file has none, as the file would have it; empty: nothing
    std::string what = {}, usual = {}, page = {}, pattern = {}, example = {}, condition = {};
    std::string formerly = {};  // the last part of its path before it was renamed, which is still read
    std::string sibling = {};   // required where this key beside it has one of `values`
    std::vector<std::string> values = {};
    std::string instead = {};  // the path that is written in its place now; the key is read for old files alone
    bool required = false;     // always; `condition` says where else
    bool or_number = false, or_zero = false;
};

// All keys, in the order in which they are read. A mapping comes before what is in it; a key that takes values of two
// types comes twice.
std::vector<Described> describe();
// "whole number, 1 to 256", "one of `a`, `b`": the type in words.
std::string type_of(const Described& key);
// The default in words; empty where there is none.
std::string default_of(const Described& key);
// All of it as JSON Schema, draft 2020-12.
std::string schema();

}  // namespace tandem::config
