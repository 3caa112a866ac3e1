#include "access/principal.h"

#include <algorithm>
#include <array>

namespace tandem::access {

namespace {

constexpr std::string_view kAdmin = "admin";
constexpr std::string_view kAnonymous = "anonymous";
constexpr std::array<std::string_view, 4> kPartNames = {"probe", "learning", "cache", "experiment"};

// An id that a principal of ours has or could have.
bool is_ours(std::string_view id) {
    const auto part = id.substr(0, id.find(':'));
    return id == kAdmin || id == kAnonymous || std::ranges::find(kPartNames, part) != kPartNames.end();
}

}  // namespace

std::string client_id(std::string_view name) {
    std::string id(name);
    if (is_ours(name)) id += "@key";
    return id;
}

Principal Principal::client(const config::Key& key) {
    Principal principal(Kind::client, client_id(key.id));
    principal.label = key.label;
    principal.high_value = key.high_value;
    principal.admin_ = key.admin;
    principal.scrapes_ = key.metrics_only;
    principal.aliases = key.aliases;
    principal.dialects = key.dialects;
    principal.most = key.most;
    principal.team_ = key.team;
    principal.owner_ = key.owner;
    principal.limits = key.limits;
    return principal;
}

Principal Principal::admin() {
    return {Kind::admin, std::string(kAdmin)};
}

Principal Principal::anonymous() {
    return {Kind::anonymous, std::string(kAnonymous)};
}

Principal Principal::internal(Part part, std::string_view name) {
    std::string id(kPartNames[static_cast<std::size_t>(part)]);
    if (!name.empty()) id.append(":").append(name);
    return {Kind::internal, std::move(id)};
}

bool Principal::may_speak(std::string_view dialect) const {
    return dialects.empty() || std::ranges::find(dialects, dialect) != dialects.end();
}

bool Principal::may_use(std::string_view alias) const {
    return aliases.empty() || std::ranges::find(aliases, alias) != aliases.end();
}

}  // namespace tandem::access
