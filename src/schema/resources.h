// Where the parts of a schema are: documents, the resources in them ($id), and what they are called ($anchor,
// $dynamicAnchor). JSON Schema core, draft 2020-12, section 8. Nothing is ever fetched. Private to schema/.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace tandem::schema {

// A schema, and the resource that it stands in.
struct Place {
    json::Value schema;
    std::size_t resource = 0;
};

class Resources {
  public:
    // Adds a document with all resources in it. `uri`: its own, where it names none. Errors: invalid, too_large.
    Result<Place> add(std::string_view json, const std::string& uri);

    // What a reference in `from` means; nullopt: nothing that is here. `dynamic`: its fragment, where a $dynamicAnchor
    // made it.
    std::optional<Place> find(std::size_t from, std::string_view reference, std::string* dynamic = nullptr) const;
    // The $dynamicAnchor of this name in a resource.
    std::optional<Place> dynamic(std::size_t resource, const std::string& name) const;
    // The resource that begins with this schema, or `inside`, in which it stands.
    std::size_t resource_of(const json::Value& schema, std::size_t inside) const;

    // Somewhere in it is asked what was not looked at, so that it has to be remembered what was.
    bool asks_for_rest() const { return asks_for_rest_; }
    const std::vector<std::string>& patterns() const { return patterns_; }
    const std::vector<std::pair<std::size_t, std::string>>& references() const { return references_; }

  private:
    struct Resource {
        std::string uri;
        json::Value root;
        std::map<std::string, json::Value, std::less<>> anchors, dynamic_anchors;
    };
    void index(const json::Value& schema, std::size_t resource);
    void index_children(const json::Value& member, std::size_t resource);
    std::size_t begin(const json::Value& root, std::string uri);
    std::optional<Place> at_pointer(Place from, std::string_view pointer) const;

    std::vector<std::unique_ptr<json::Document>> documents_;
    std::vector<Resource> resources_;
    std::map<std::string, std::size_t, std::less<>> by_uri_;
    std::map<const char*, std::size_t> by_root_;  // by where its bytes are
    std::vector<std::string> patterns_;
    std::vector<std::pair<std::size_t, std::string>> references_;  // with the resource that they stand in
    bool asks_for_rest_ = false;
};

}  // namespace tandem::schema
