#include "dialect/plain_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include "base/json.h"
#include "dialect/fields.h"

namespace tandem::dialect {

namespace {

using JsonKind = json::Kind;
using json::Value;

constexpr int kDeepest = 24;                // of what is followed; below it a schema says nothing
constexpr std::size_t kMostNodes = 20'000;  // of a schema with its references in their places
constexpr std::size_t kMostValues = 24;     // to choose from, in a description

// All that holds for one value: a schema, what it refers to, and the elements of its allOf.
using Layers = std::vector<Value>;

class Plain {
  public:
    Plain(const Value& root, bool closed) : root_(root), closed_(closed) {}

    std::string take() {
        auto layers = layers_of(root_, 0);
        // No server takes alternatives at the top.
        for (const Value alternative : alternatives_of(layers)) add_layers(alternative, 0, layers);
        write_object(layers, 0, true);
        return out_.take();
    }

  private:
    // The schema that a reference within the document is for; absent where there is none.
    Value target_of(std::string_view reference) const {
        if (!reference.starts_with("#")) return {};
        reference.remove_prefix(1);
        Value here = root_;
        while (!reference.empty() && here.exists()) {
            reference.remove_prefix(1);
            const auto end = std::min(reference.find('/'), reference.size());
            std::string key(reference.substr(0, end));
            for (const auto& [escape, sign] : {std::pair{"~1", "/"}, {"~0", "~"}})
                for (auto at = key.find(escape); at != std::string::npos; at = key.find(escape, at + 1))
                    key.replace(at, 2, sign);
            here = here[key];
            reference.remove_prefix(end);
        }
        return here;
    }

    void add_layers(const Value& schema, int depth, Layers& layers) const {
        if (!schema.is(JsonKind::object) || depth > kDeepest) return;
        layers.push_back(schema);
        if (const auto reference = schema["$ref"].string()) add_layers(target_of(*reference), depth + 1, layers);
        for (const Value part : schema["allOf"].children()) add_layers(part, depth + 1, layers);
    }
    Layers layers_of(const Value& schema, int depth) const {
        Layers layers;
        add_layers(schema, depth, layers);
        return layers;
    }

    static Value first(const Layers& layers, std::string_view key) {
        for (const auto& layer : layers)
            if (const Value value = layer[key]; given(value)) return value;
        return {};
    }

    // Whether null is a value too: by a type, an alternative, or one to choose from. All that is said must let it be.
    static bool may_be_null(const Layers& layers) {
        const auto lists = [](const Value& list, auto&& is_null) {
            for (const Value one : list.children())
                if (is_null(one)) return true;
            return false;
        };
        const auto by_word = [](const Value& one) { return one.text() == "null"; };
        const auto by_type = [](const Value& one) { return one["type"].text() == "null"; };
        const auto by_value = [](const Value& one) { return one.is_null(); };
        bool said = false;
        for (const auto& layer : layers) {
            const Value type = layer["type"], choice = layer["enum"], constant = layer["const"];
            const bool marked = layer["nullable"].boolean().value_or(false);  // OpenAPI 3.0
            if (given(type) && !marked && !by_word(type) && !lists(type, by_word)) return false;
            if (given(choice) && !lists(choice, by_value)) return false;
            if (constant.exists() && !constant.is_null()) return false;
            for (const auto* key : {"anyOf", "oneOf"})
                if (given(layer[key]) && !lists(layer[key], by_type)) return false;
            said = said || given(type) || given(choice) || given(layer["anyOf"]) || given(layer["oneOf"]);
        }
        return said;
    }

    // Of anyOf or oneOf, without those that say that it may be null.
    static Layers alternatives_of(const Layers& layers) {
        Layers found;
        for (const auto& layer : layers)
            for (const auto* key : {"anyOf", "oneOf"})
                for (const Value one : layer[key].children())
                    if (one["type"].text() != "null" && one.is(JsonKind::object)) found.push_back(one);
        return found;
    }

    static std::vector<std::string> types_of(const Layers& layers) {
        std::vector<std::string> types;
        const Value said = first(layers, "type");
        if (said.string()) types.emplace_back(said.text());
        for (const Value one : said.children())
            if (one.text() != "null") types.emplace_back(one.text());
        std::erase_if(types, [](const std::string& type) {
            constexpr auto kTypes =
                std::to_array<std::string_view>({"string", "number", "integer", "boolean", "object", "array"});
            return std::ranges::find(kTypes, type) == kTypes.end();
        });
        if (!types.empty()) return types;
        if (first(layers, "properties").is(JsonKind::object)) return {"object"};
        if (given(first(layers, "items")) || given(first(layers, "prefixItems"))) return {"array"};
        return {};
    }

    // What a value is chosen from; null may be among it.
    static Layers choice_of(const Layers& layers) {
        Layers choice;
        if (const Value constant = first(layers, "const"); constant.exists()) choice.push_back(constant);
        for (const Value value : first(layers, "enum").children())
            if (!value.is_null()) choice.push_back(value);
        return choice;
    }

    void describe(const Layers& layers, const std::string& more) {
        std::string text(first(layers, "description").text());
        if (text.empty()) text = first(layers, "title").text();
        if (!more.empty()) text += (text.empty() ? "" : " ") + more;
        if (!text.empty()) out_.member("description", text);
    }

    void write(const Value& schema, int depth) {
        if (++nodes_ > kMostNodes || depth > kDeepest || !schema.is(JsonKind::object)) {
            out_.begin_object().end_object();
            return;
        }
        auto layers = layers_of(schema, depth);
        const bool nullable = may_be_null(layers);
        auto alternatives = alternatives_of(layers);
        if (alternatives.size() == 1) {
            add_layers(alternatives[0], depth, layers);
            alternatives.clear();
        }
        auto choice = choice_of(layers);
        // Constants to choose from are an enum, however they are said.
        Layers constants;
        for (const auto& one : alternatives) {
            const auto some = choice_of(layers_of(one, depth));
            if (some.empty()) break;
            constants.insert(constants.end(), some.begin(), some.end());
            if (&one == &alternatives.back()) {
                choice = constants;
                alternatives.clear();
                break;
            }
        }
        const auto types = types_of(layers);
        if (!alternatives.empty()) {
            begin_alternatives(layers);
            for (const auto& one : alternatives) write(one, depth + 1);
            end_alternatives(nullable);
        } else if (nullable && (!choice.empty() || types.size() == 1)) {
            begin_alternatives(layers);
            if (choice.empty())
                write_typed(layers, types[0], depth + 1, false);
            else
                write_choice(layers, choice, types, false);
            end_alternatives(true);
        } else if (!choice.empty()) {
            write_choice(layers, choice, types);
        } else if (types.size() > 1) {
            begin_alternatives(layers);
            for (const auto& type : types) write_typed(layers, type, depth + 1, false);
            end_alternatives(nullable);
        } else {
            write_typed(layers, types.empty() ? std::string() : types[0], depth);
        }
    }

    void begin_alternatives(const Layers& layers) {
        out_.begin_object();
        describe(layers, "");
        out_.key("anyOf").begin_array();
    }
    void end_alternatives(bool nullable) {
        if (nullable) out_.begin_object().member("type", "null").end_object();
        out_.end_array().end_object();
    }

    void write_choice(const Layers& layers, const Layers& choice, const std::vector<std::string>& types,
                      bool described = true) {
        const bool texts = std::ranges::all_of(choice, [](const Value& v) { return v.is(JsonKind::string); });
        out_.begin_object();
        if (texts) {
            out_.member("type", "string");
            if (described) describe(layers, "");
            out_.key("enum").begin_array();
            std::set<std::string_view> said;
            for (const auto& value : choice)
                if (said.insert(value.text()).second) out_.value(value.text());
            out_.end_array();
        } else {
            const bool numbers = std::ranges::all_of(choice, [](const Value& v) { return v.is(JsonKind::number); });
            if (!types.empty() || numbers) out_.member("type", types.empty() ? std::string("number") : types[0]);
            std::string values;
            for (std::size_t i = 0; i < std::min(choice.size(), kMostValues); ++i)
                values += (i == 0 ? "" : ", ") + std::string(choice[i].raw());
            const auto one_of = fmt::format("One of: {}{}", values, choice.size() > kMostValues ? ", ..." : "");
            if (described)
                describe(layers, one_of);
            else
                out_.member("description", one_of);
        }
        out_.end_object();
    }

    void write_typed(const Layers& layers, const std::string& type, int depth, bool described = true) {
        if (type == "object") return write_object(layers, depth, described);
        out_.begin_object();
        if (!type.empty()) out_.member("type", type);
        if (described) describe(layers, "");
        if (type == "array") {
            const Value items = first(layers, "items"), tuple = first(layers, "prefixItems");
            const Value list = items.is(JsonKind::array) ? items : tuple;
            out_.key("items");
            if (items.is(JsonKind::object))
                write(items, depth + 1);
            else if (list.size() > 0)
                write(*begin(list.children()), depth + 1);
            else
                out_.begin_object().member("type", "string").end_object();
        }
        out_.end_object();
    }

    void write_object(const Layers& layers, int depth, bool described) {
        out_.begin_object().member("type", "object");
        if (described) describe(layers, "");
        std::set<std::string> names;
        out_.key("properties").begin_object();
        for (const auto& layer : layers)
            for (const Value property : layer["properties"].children())
                if (names.insert(std::string(property.key())).second)
                    write(property, depth + 1, std::string(property.key()));
        out_.end_object();
        std::vector<std::string> required;
        // Of alternatives at the top nothing is required but what stands beside them.
        const auto alternatives = depth == 0 ? alternatives_of(layers) : Layers();
        for (const auto& layer : layers) {
            const bool alternative =
                std::ranges::any_of(alternatives, [&](const Value& one) { return one.offset() == layer.offset(); });
            for (const Value name : layer["required"].children())
                if (!alternative && names.contains(std::string(name.text())) &&
                    std::ranges::find(required, name.text()) == required.end())
                    required.emplace_back(name.text());
        }
        write_texts(out_, "required", required);
        if (closed_) out_.member("additionalProperties", false);
        out_.end_object();
    }
    void write(const Value& property, int depth, const std::string& name) {
        out_.key(name);
        write(property, depth);
    }

    const Value root_;
    const bool closed_;
    json::Writer out_;
    std::size_t nodes_ = 0;
};

}  // namespace

std::string plain_schema(std::string_view schema, bool closed) {
    json::Document document;
    if (!document.parse(schema) || !document.root().is(JsonKind::object)) return R"({"type":"object","properties":{}})";
    return Plain(document.root(), closed).take();
}

}  // namespace tandem::dialect
