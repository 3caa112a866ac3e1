#include "retrieval/view.h"

#include <algorithm>

namespace tandem::retrieval {

View View::of(const access::Principal& who) {
    using Kind = access::Principal::Kind;
    return {who.is_owner() || who.kind() == Kind::anonymous, who.kind() == Kind::client ? who.id() : std::string()};
}

bool View::sees(const config::Collection& collection) const {
    if (all_) return true;
    return !id_.empty() && std::ranges::any_of(collection.keys, [this](const std::string& key) {
        return access::client_id(key) == id_;
    });
}

}  // namespace tandem::retrieval
