#include "dialect/pairing.h"

#include <fmt/format.h>

#include <algorithm>

namespace tandem::dialect {

std::string Pairing::call(std::string_view own_id, std::string_view name) {
    ++count_;
    open_.push_back({own_id.empty() ? fmt::format("call_{}", count_) : std::string(own_id), std::string(name)});
    return open_.back().id;
}

std::string Pairing::result(std::string_view own_id, std::string_view name) {
    auto found =
        own_id.empty() ? std::ranges::find(open_, name, &Open::name) : std::ranges::find(open_, own_id, &Open::id);
    if (own_id.empty() && name.empty()) found = open_.begin();
    if (found == open_.end()) return std::string(own_id);
    std::string id = found->id;
    open_.erase(found);
    return id;
}

}  // namespace tandem::dialect
