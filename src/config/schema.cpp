// The config as JSON Schema (draft 2020-12), for editors and for programs that write a config.
//
// It takes every file that the parser takes. What it cannot say it leaves to the parser: most of what one key demands
// of another, bounds of what is written with a unit, and how a number was spelled (docs/how-to/edit-the-config.md).
#include <fmt/format.h>

#include <memory>

#include "base/json.h"
#include "base/text.h"
#include "config/about.h"

namespace tandem::config {

namespace {

constexpr std::string_view kReference = R"(\$\{[^}]*\})";  // ${NAME}
constexpr std::string_view kDuration = "^0*[1-9][0-9]* *(ms|s|m|h|d)$";
constexpr std::string_view kSize = "^[0-9]+ *(KiB|MiB|GiB|TiB)?$";
constexpr std::string_view kDecimal = R"(^([0-9]+\.?[0-9]*|\.[0-9]+)$)";
constexpr std::string_view kWhole = "^[0-9]{1,18}$";
constexpr std::string_view kAnyName = "NAME", kAnyElement = "[]";

// A key with all that is below it.
struct Place {
    std::vector<const Described*> forms;
    std::vector<std::pair<std::string, std::unique_ptr<Place>>> below;

    Place& at(std::string_view name) {
        for (auto& [key, place] : below)
            if (key == name) return *place;
        return *below.emplace_back(name, std::make_unique<Place>()).second;
    }
    const Place* find(std::string_view name) const {
        for (const auto& [key, place] : below)
            if (key == name) return place.get();
        return nullptr;
    }
};

// "policy.rules[].name" by its parts: policy, rules, [], name.
Place& place_of(Place& root, std::string_view path) {
    auto* place = &root;
    while (!path.empty()) {
        const auto end = std::min(path.find_first_of(".["), path.size());
        if (path.starts_with(kAnyElement)) {
            place = &place->at(kAnyElement);
            path.remove_prefix(kAnyElement.size());
        } else {
            place = &place->at(path.substr(0, end));
            path.remove_prefix(end);
        }
        if (path.starts_with('.')) path.remove_prefix(1);
    }
    return *place;
}

std::string number_text(double number) {
    const auto whole = static_cast<std::int64_t>(number);
    return static_cast<double>(whole) == number ? fmt::format("{}", whole) : fmt::format("{}", number);
}

// A pattern that also takes ${NAME}.
std::string or_reference(std::string_view pattern) {
    return fmt::format("{}|{}", pattern, kReference);
}

void write_pattern(json::Writer& out, std::string_view pattern) {
    out.begin_object().member("type", "string").member("pattern", or_reference(pattern)).end_object();
}

void write_number(json::Writer& out, const Described& key, std::string_view type) {
    out.begin_object().member("type", type).raw_member("minimum", number_text(key.low));
    out.raw_member("maximum", number_text(key.high)).end_object();
    if (key.or_zero) out.begin_object().member("const", 0).end_object();
}

// Members of an `anyOf`: the values that stand for one value of the key.
void write_values(json::Writer& out, const Described& key) {
    if (!key.choices.empty()) {
        out.begin_object().key("enum").begin_array();
        for (const auto& choice : key.choices) out.value(choice);
        out.end_array().end_object();
        out.begin_object().member("$ref", "#/$defs/reference").end_object();
        return;
    }
    switch (key.type) {
        case KeyType::flag:
            out.begin_object().member("type", "boolean").end_object();
            return write_pattern(out, "^(true|false)$");
        case KeyType::duration:
            return write_pattern(out, kDuration);
        case KeyType::size:
            write_number(out, key, "integer");
            return write_pattern(out, kSize);
        case KeyType::money:
        case KeyType::number:
            write_number(out, key, "number");
            return write_pattern(out, kDecimal);
        case KeyType::whole:
            write_number(out, key, "integer");
            return write_pattern(out, kWhole);
        default:
            break;
    }
    if (key.pattern.empty()) {
        const auto* const kind = key.type == KeyType::secret ? "#/$defs/secret" : "#/$defs/text";
        out.begin_object().member("$ref", kind).end_object();
        return;
    }
    write_pattern(out, key.pattern);
    if (!key.or_number) return;
    if (key.high > 0) return write_number(out, key, "integer");
    out.begin_object().key("type").begin_array().value("number").value("boolean").end_array().end_object();
}

void write_place(json::Writer& out, const Place& place);
void write_form(json::Writer& out, const Place& place, const Described& key);

// What a key was called before: taken as well, and marked.
void write_old_name(json::Writer& out, std::string_view name, const Place& place) {
    if (place.forms.empty() || place.forms.back()->formerly.empty()) return;
    const auto& key = *place.forms.back();
    out.key(key.formerly).begin_object().member("description", fmt::format("Is now called `{}`", name));
    out.member("deprecated", true).key("anyOf").begin_array();
    for (const auto* form : place.forms) write_form(out, place, *form);
    out.end_array().end_object();
}

void write_required(json::Writer& out, const Place& place) {
    std::vector<std::string> required;
    for (const auto& [name, below] : place.below)
        if (!below->forms.empty() && below->forms.front()->required) required.push_back(name);
    if (required.empty()) return;
    out.key("required").begin_array();
    for (const auto& name : required) out.value(name);
    out.end_array();
}

// What is required where a key beside it has one of some values.
void write_conditions(json::Writer& out, const Place& place) {
    std::vector<std::pair<std::string_view, const Described*>> needs;
    for (const auto& [name, below] : place.below)
        if (!below->forms.empty() && !below->forms.front()->sibling.empty())
            needs.emplace_back(name, below->forms.front());
    if (needs.empty()) return;
    out.key("allOf").begin_array();
    for (const auto& [name, key] : needs) {
        out.begin_object().key("if").begin_object().key("properties").begin_object();
        out.key(key->sibling).begin_object().key("enum").begin_array();
        for (const auto& value : key->values) out.value(value);
        out.end_array().end_object().end_object().key("required").begin_array().value(key->sibling).end_array();
        out.end_object().key("then").begin_object().key("required").begin_array().value(name).end_array();
        out.end_object().end_object();
    }
    out.end_array();
}

// The members of an object: what a mapping has, or what each of its names has. `form`: null for one that nothing is
// said of.
void write_mapping(json::Writer& out, const Place& place, const Described* form) {
    // One that may be a value too is no mapping without a value.
    if (place.forms.size() > 1)
        out.member("type", "object");
    else
        out.key("type").begin_array().value("object").value("null").end_array();
    if (const auto* any = place.find(kAnyName)) {
        if (form != nullptr && !form->pattern.empty())
            out.key("propertyNames").begin_object().member("pattern", form->pattern).end_object();
        out.key("additionalProperties");
        write_place(out, *any);
        return;
    }
    out.key("properties").begin_object();
    for (const auto& [name, below] : place.below) {
        out.key(name);
        write_place(out, *below);
        write_old_name(out, name, *below);
    }
    out.end_object();
    write_required(out, place);
    write_conditions(out, place);
    out.member("additionalProperties", false);
}

bool has_members(const Described& key) {
    return key.type == KeyType::mapping || key.type == KeyType::named || key.type == KeyType::listed;
}

// The members of an object that says what stands at a key which has keys below it.
void write_members(json::Writer& out, const Place& place, const Described& key) {
    if (key.type != KeyType::listed) return write_mapping(out, place, &key);
    out.key("type").begin_array().value("array").value("null").end_array().key("items");
    write_place(out, *place.find(kAnyElement));
}

// Members of an `anyOf`: all that may stand at a key.
void write_form(json::Writer& out, const Place& place, const Described& key) {
    if (has_members(key)) {
        out.begin_object();
        write_members(out, place, key);
        out.end_object();
        return;
    }
    if (!key.list || key.one_too) write_values(out, key);
    if (key.list) {
        out.begin_object().member("type", "array");
        if (!key.one_too) out.member("minItems", 1);
        out.key("items").begin_object().key("anyOf").begin_array();
        write_values(out, key);
        out.end_array().end_object().end_object();
    }
    if (key.nullable) out.begin_object().member("type", "null").end_object();
}

std::string description_of(const Described& key) {
    auto text = key.what;
    if (const auto usual = default_of(key); !usual.empty()) text += fmt::format(". Default: {}", usual);
    if (!key.condition.empty()) text += fmt::format(". Required {}", key.condition);
    if (key.type == KeyType::duration && key.high < 30 * 86'400'000.0)
        text += fmt::format(". From {} s to {} s", key.low / 1000, key.high / 1000);
    if (!key.page.empty()) text += fmt::format(". More: docs/{}", key.page);
    return text;
}

void write_default(json::Writer& out, const Described& key) {
    if (key.preset.empty() || !key.usual.empty()) return;
    out.key("default");
    const bool raw = key.type == KeyType::flag || key.type == KeyType::whole || key.type == KeyType::number ||
                     key.type == KeyType::money;
    if (key.list) out.begin_array();
    for (const auto& value : key.preset) raw ? out.raw(value) : out.value(value);
    if (key.list) out.end_array();
}

void write_place(json::Writer& out, const Place& place) {
    out.begin_object();
    if (place.forms.empty()) {
        write_mapping(out, place, nullptr);
        out.end_object();
        return;
    }
    // What takes values of two types is described by the plainer one, which is read last.
    const auto& key = *place.forms.back();
    out.member("description", description_of(key));
    if (!key.instead.empty()) out.member("deprecated", true);
    write_default(out, key);
    if (!key.example.empty() && !has_members(key)) out.key("examples").begin_array().value(key.example).end_array();
    if (place.forms.size() == 1 && has_members(key)) {
        write_members(out, place, key);
    } else {
        out.key("anyOf").begin_array();
        for (const auto* form : place.forms) write_form(out, place, *form);
        out.end_array();
    }
    out.end_object();
}

// JSON over lines, for people and for `diff`: a bracket that is short stays on one line.
std::string over_lines(std::string_view json) {
    constexpr std::size_t kShort = 100;
    std::string out;
    std::size_t depth = 0;
    bool quoted = false;
    auto line = [&] { out += "\n" + std::string(2 * depth, ' '); };
    // Where the bracket at `at` closes.
    auto end_of = [&](std::size_t at) {
        bool within = false;
        for (std::size_t open = 0; at < json.size(); ++at) {
            if (json[at] == '\\')
                ++at;
            else if (json[at] == '"')
                within = !within;
            else if (!within && (json[at] == '{' || json[at] == '['))
                ++open;
            else if (!within && (json[at] == '}' || json[at] == ']') && --open == 0)
                return at;
        }
        return json.size() - 1;
    };
    for (std::size_t at = 0; at < json.size(); ++at) {
        const char c = json[at];
        if (quoted || c == '"') {
            out += c;
            if (c == '\\')
                out += json[++at];
            else if (c == '"')
                quoted = !quoted;
        } else if (c == '{' || c == '[') {
            if (const auto end = end_of(at); end - at < kShort) {
                out += json.substr(at, end + 1 - at);
                at = end;
            } else {
                out += c;
                ++depth;
                line();
            }
        } else if (c == '}' || c == ']') {
            --depth;
            line();
            out += c;
        } else {
            out += c;
            if (c == ',') line();
            if (c == ':') out += ' ';
        }
    }
    return out + "\n";
}

}  // namespace

std::string schema() {
    const auto keys = describe();
    Place root;
    for (const auto& key : keys) place_of(root, key.path).forms.push_back(&key);
    json::Writer out;
    out.begin_object().member("$schema", "https://json-schema.org/draft/2020-12/schema");
    out.member("title", "tandem.yaml").member("description", "The config of Tandem. More: docs/reference/config.md");
    out.key("$defs").begin_object().key("reference").begin_object();
    out.member("description", "an environment variable: ${NAME} or ${NAME:-default}");
    out.member("type", "string").member("pattern", kReference).end_object();
    out.key("text").begin_object().key("type").begin_array();
    out.value("string").value("number").value("boolean").end_array().end_object();
    out.key("secret")
        .begin_object()
        .member("$ref", "#/$defs/text")
        .member("pattern", R"(\S)")
        .end_object()
        .end_object();
    write_mapping(out, root, nullptr);
    return over_lines(out.end_object().take());
}

}  // namespace tandem::config
