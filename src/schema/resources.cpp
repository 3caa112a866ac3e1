#include "schema/resources.h"

#include <algorithm>
#include <array>
#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>
#include <charconv>

namespace tandem::schema {

namespace {

using json::Kind;
using json::Value;

// Keywords whose value is a schema, a list of them, or an object of them: whatever stands elsewhere (enum, const,
// default, examples) is data.
constexpr auto kOne = std::to_array<std::string_view>({"not", "if", "then", "else", "items", "additionalItems",
                                                       "additionalProperties", "propertyNames", "contains",
                                                       "unevaluatedItems", "unevaluatedProperties", "contentSchema"});
constexpr auto kList = std::to_array<std::string_view>({"allOf", "anyOf", "oneOf", "prefixItems", "items"});
constexpr auto kNamed = std::to_array<std::string_view>(
    {"$defs", "definitions", "properties", "patternProperties", "dependentSchemas", "dependencies"});

bool among(const auto& names, std::string_view name) {
    return std::ranges::find(names, name) != names.end();
}

std::string resolved(const std::string& base, std::string_view reference) {
    const auto ref = boost::urls::parse_uri_reference({reference.data(), reference.size()});
    if (!ref) return std::string(reference);
    if (ref->has_scheme()) return std::string(reference);
    const auto from = boost::urls::parse_uri({base.data(), base.size()});
    boost::urls::url url;
    if (!from || !boost::urls::resolve(*from, *ref, url)) return std::string(reference);
    return {url.buffer().data(), url.buffer().size()};
}

// ~1 is /, ~0 is ~ (RFC 6901), %XX is a byte.
std::string pointer_token(std::string_view text) {
    std::string token;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size()) {
            unsigned byte = 0;
            const auto hex = text.substr(i + 1, 2);
            if (std::from_chars(hex.data(), hex.data() + 2, byte, 16).ptr == hex.data() + 2) {
                token += static_cast<char>(byte);
                i += 2;
                continue;
            }
        }
        token += text[i];
    }
    for (const auto& [from, to] : {std::pair{"~1", "/"}, std::pair{"~0", "~"}})
        for (auto at = token.find(from); at != std::string::npos; at = token.find(from, at + 1))
            token.replace(at, 2, to);
    return token;
}

Value child(const Value& value, const std::string& token) {
    if (value.is(Kind::object)) return value[token];
    std::size_t wanted = 0;
    const auto end = token.data() + token.size();
    if (!value.is(Kind::array) || std::from_chars(token.data(), end, wanted).ptr != end) return {};
    for (const auto element : value.children())
        if (wanted-- == 0) return element;
    return {};
}

}  // namespace

Result<Place> Resources::add(std::string_view json, const std::string& uri) {
    auto document = std::make_unique<json::Document>();
    // In a list, since true and false are schemas too.
    if (auto ok = document->take("[" + std::string(json) + "]"); !ok) return fail(ok.error());
    if (document->root().size() != 1) return fail(ErrorCode::invalid, "a schema is one value of JSON");
    const auto root = *json::begin(document->root().children());
    if (!root.is(Kind::object) && !root.is(Kind::boolean))
        return fail(ErrorCode::invalid, "a schema is an object, true or false");
    documents_.push_back(std::move(document));
    const auto resource = begin(root, uri);
    index(root, resource);
    return Place{root, resource_of(root, resource)};
}

std::size_t Resources::begin(const Value& root, std::string uri) {
    if (const auto hash = uri.find('#'); hash != std::string::npos) uri.resize(hash);
    by_uri_[uri] = resources_.size();
    resources_.push_back({std::move(uri), root, {}, {}});
    return resources_.size() - 1;
}

void Resources::index(const Value& schema, std::size_t resource) {
    if (!schema.is(Kind::object)) return;
    if (const auto id = schema["$id"]; id.string() && !id.text().starts_with('#')) {
        resource = begin(schema, resolved(resources_[resource].uri, id.text()));
        by_root_[schema.raw().data()] = resource;
    }
    // Draft 7 writes an anchor as an id.
    if (const auto id = schema["$id"]; id.string() && id.text().starts_with('#'))
        resources_[resource].anchors.emplace(id.text().substr(1), schema);
    for (const auto member : schema.children()) {
        const auto key = member.key();
        if (key == "$anchor" && member.string()) resources_[resource].anchors.emplace(member.text(), schema);
        if (key == "$dynamicAnchor" && member.string()) {
            resources_[resource].anchors.emplace(member.text(), schema);
            resources_[resource].dynamic_anchors.emplace(member.text(), schema);
        }
        if ((key == "$ref" || key == "$dynamicRef") && member.string())
            references_.emplace_back(resource, member.text());
        if (key == "pattern" && member.string()) patterns_.emplace_back(member.text());
        asks_for_rest_ = asks_for_rest_ || key.starts_with("unevaluated");
        index_children(member, resource);
    }
}

void Resources::index_children(const Value& member, std::size_t resource) {
    const auto key = member.key();
    if (member.is(Kind::array)) {
        if (among(kList, key))
            for (const auto one : member.children()) index(one, resource);
        return;
    }
    if (!member.is(Kind::object)) return;
    if (among(kOne, key)) index(member, resource);
    if (!among(kNamed, key)) return;
    for (const auto one : member.children()) {
        if (key == "patternProperties") patterns_.emplace_back(one.key());
        index(one, resource);
    }
}

std::size_t Resources::resource_of(const Value& schema, std::size_t inside) const {
    if (!schema.is(Kind::object)) return inside;
    const auto found = by_root_.find(schema.raw().data());
    return found == by_root_.end() ? inside : found->second;
}

std::optional<Place> Resources::dynamic(std::size_t resource, const std::string& name) const {
    const auto& anchors = resources_[resource].dynamic_anchors;
    const auto found = anchors.find(name);
    if (found == anchors.end()) return std::nullopt;
    return Place{found->second, resource};
}

std::optional<Place> Resources::at_pointer(Place from, std::string_view pointer) const {
    while (!pointer.empty()) {
        pointer.remove_prefix(1);
        const auto end = std::min(pointer.size(), pointer.find('/'));
        from.schema = child(from.schema, pointer_token(pointer.substr(0, end)));
        if (!from.schema.exists()) return std::nullopt;
        from.resource = resource_of(from.schema, from.resource);
        pointer.remove_prefix(end);
    }
    return from;
}

std::optional<Place> Resources::find(std::size_t from, std::string_view reference, std::string* dynamic) const {
    const auto hash = std::min(reference.size(), reference.find('#'));
    auto resource = from;
    if (hash > 0) {
        const auto found = by_uri_.find(resolved(resources_[from].uri, reference.substr(0, hash)));
        if (found == by_uri_.end()) return std::nullopt;
        resource = found->second;
    }
    const auto fragment = reference.substr(std::min(reference.size(), hash + 1));
    const auto& there = resources_[resource];
    if (fragment.empty() || fragment.starts_with('/')) return at_pointer({there.root, resource}, fragment);
    const auto anchor = there.anchors.find(fragment);
    if (anchor == there.anchors.end()) return std::nullopt;
    if (dynamic != nullptr && there.dynamic_anchors.contains(fragment)) *dynamic = fragment;
    return Place{anchor->second, resource};
}

}  // namespace tandem::schema
