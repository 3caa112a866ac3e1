#include "tools/offer.h"

#include <algorithm>

namespace tandem::tools {

Offer::Offer(const std::vector<chat::Tool>& tools) {
    for (const auto& tool : tools) {
        if (tool.kind != chat::Tool::Kind::function) continue;
        auto one = std::make_shared<One>();
        if (tool.parameters.given() && one->parameters.parse(tool.parameters.json))
            if (auto made = schema::Schema::compile(tool.parameters.json)) one->schema = std::move(*made);
        tools_[tool.name] = std::move(one);
    }
}

bool Offer::may_begin(std::string_view start) const {
    const auto found = tools_.lower_bound(start);
    return found != tools_.end() && found->first.starts_with(start);
}

std::vector<std::string> Offer::names() const {
    std::vector<std::string> names;
    for (const auto& [name, one] : tools_) names.push_back(name);
    return names;
}

const schema::Schema* Offer::schema(std::string_view name) const {
    const auto found = tools_.find(name);
    return found == tools_.end() || !found->second->schema ? nullptr : &*found->second->schema;
}

json::Value Offer::parameters(std::string_view name) const {
    const auto found = tools_.find(name);
    return found == tools_.end() ? json::Value() : found->second->parameters.root();
}

json::Value Offer::argument(std::string_view name, std::string_view argument) const {
    return parameters(name)["properties"][argument];
}

}  // namespace tandem::tools
