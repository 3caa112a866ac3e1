// The one table of what this server answers: method, path, who may call, the dialect of its errors, and what answers.
// 404, 405, CORS, /tandem/v1/openapi.json and the tests that walk all routes are made from it.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dialect/dialect.h"
#include "gateway/call.h"

namespace tandem::api {

class Api;

// Who may call.
enum class Scope {
    open,     // everybody who reaches the port
    client,   // whoever has a key, or everybody where there are none
    owner,    // the admin token, a key with `admin: true`, or everybody where there are no keys
    admin,    // the admin token, or a key with `admin: true`; nobody else, also where there are no keys
    metrics,  // the owner, and keys with `metrics: true`
    local,    // the owner's user on this machine, over the server's own socket
};

inline constexpr std::array<std::string_view, 6> kScopeNames = {"open", "client", "owner", "admin", "metrics", "local"};

struct Route {
    std::string_view method;  // GET answers HEAD too
    // {name} stands for one segment of a path, {name*} for what is left of it, slashes included; text may follow.
    std::string_view path;
    Scope scope;
    dialect::Kind errors;  // the dialect that its clients know
    std::string_view summary;
    net::Task<> (*answer)(Api& api, const Route& route, gateway::Call call);
};

std::span<const Route> routes();

// What a path and a method mean to the table.
struct Match {
    const Route* route = nullptr;                       // of this path and method
    std::vector<std::string> parts;                     // what stands at its parameters
    dialect::Kind errors = dialect::Kind::openai_chat;  // of the path, or of the nearest prefix
    std::string path;                                   // as the table has it, where the client's is meant for it
};
// Clients put their own path behind a base URL, and people write that with a version or without, with a slash at its
// end, or with one version too many: such a path is taken for the one of the table that it must mean.
Match match(std::string_view method, std::string_view path);

// The methods that a path takes, as the table has it (Match::path): "GET, POST"; empty where there is no such path.
std::string methods_of(std::string_view path);

// ", did you mean ..." with the path nearest to one that there is not; may be empty.
std::string nearest_path(std::string_view path);

// The table as an OpenAPI 3.1 document.
std::string openapi();

}  // namespace tandem::api
