#include "api/retrieval.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "api/parameters.h"
#include "base/json.h"
#include "base/text.h"

namespace tandem::api {

namespace {

using retrieval::Retrieval;
using retrieval::View;
using Body = Result<std::string>;

constexpr std::size_t kMostFailures = 10'000;

std::unexpected<Error> no_index() {
    return fail(Fault::unknown_object, "there is no collection yet: `tandem index add NAME FOLDER` makes one");
}

// Off the workers: the disk is waited for.
net::Task<Body> away(const gateway::Call& call, gateway::Services& services, std::function<Body()> work) {
    co_return co_await net::run_on<Body>(services.scans, call.who.id(), std::move(work));
}

Result<retrieval::SearchRequest> request_of(std::string_view query) {
    retrieval::SearchRequest request;
    std::string collections, limit, explain;
    const std::array<Parameter, 4> parameters = {
        {{"q", request.query}, {"collection", collections, true}, {"limit", limit}, {"explain", explain}}};
    // Forms and clients write a blank as a plus sign (the URL standard, application/x-www-form-urlencoded).
    std::string spaced;
    for (const char c : query) spaced += c == '+' ? std::string("%20") : std::string(1, c);
    if (auto ok = read_parameters(spaced, parameters); !ok) return fail(ok.error());
    if (!limit.empty()) {
        const auto number = whole_number(limit);
        if (!number) return fail(Fault::invalid_parameter, "limit: expected a whole number", "limit");
        request.limit = static_cast<std::size_t>(*number);
    }
    request.explain = !explain.empty() && explain != "0" && explain != "false";
    for (std::size_t at = 0; at < collections.size();) {
        const auto end = std::min(collections.find(',', at), collections.size());
        if (end > at) request.collections.push_back(collections.substr(at, end - at));
        at = end + 1;
    }
    return request;
}

Result<std::vector<std::string>> texts_of(const json::Value& value, const std::string& field) {
    std::vector<std::string> list;
    if (!value.exists() || value.is_null()) return list;
    const auto wrong = [&] { return fail(Fault::invalid_field, field + ": expected a list of texts", field); };
    if (!value.is(json::Kind::array)) return wrong();
    for (const json::Value one : value.children()) {
        const auto text = one.string();
        if (!text || text->find('\n') != std::string_view::npos) return wrong();
        list.emplace_back(*text);
    }
    return list;
}

Result<config::Collection> collection_of(std::string_view body) {
    json::Document document;
    if (auto ok = document.parse(body); !ok) return fail(ok.error());
    const auto root = document.root();
    constexpr std::array<std::string_view, 6> kFields = {"name", "folder", "label", "owner", "keys", "globs"};
    for (const json::Value one : root.children())
        if (std::ranges::find(kFields, one.key()) == kFields.end())
            return fail(Fault::unknown_field, fmt::format("there is no field '{}'", printable(one.key(), 40)),
                        printable(one.key(), 40));
    config::Collection made;
    const auto name = root["name"].string(), folder = root["folder"].string();
    if (!name) return fail(Fault::invalid_field, "name: expected a collection's name", "name");
    if (!folder) return fail(Fault::invalid_field, "folder: expected the path of a folder", "folder");
    made.name = *name;
    made.folder = *folder;
    if (root["label"].exists()) {
        const auto label = label_from(root["label"].text());
        if (!label) return fail(Fault::invalid_field, "label: expected public, internal, private or secret", "label");
        made.label = *label;
    }
    made.owner = root["owner"].text();
    auto keys = texts_of(root["keys"], "keys");
    if (!keys) return fail(keys.error());
    made.keys = std::move(*keys);
    auto globs = texts_of(root["globs"], "globs");
    if (!globs) return fail(globs.error());
    made.globs = std::move(*globs);
    return made;
}

}  // namespace

net::Task<Body> search_files(const FindIndex& find, gateway::Services& services, const gateway::Call& call) {
    auto request = request_of(call.request().query);
    if (!request) co_return fail(request.error());
    const auto index = find(false);
    if (!index) co_return fail(index.error());
    if (*index == nullptr) co_return no_index();
    std::function<Body()> work = [index = *index, view = View::of(call.who), request = std::move(*request)] {
        return index->search(view, request);
    };
    co_return co_await away(call, services, std::move(work));
}

Body show_index(const FindIndex& find, const gateway::Call& call) {
    const auto index = find(false);
    if (!index) return fail(index.error());
    if (*index == nullptr) return R"({"collections":[],"keeps":true})";
    return (*index)->status(View::of(call.who));
}

net::Task<Body> add_collection(const FindIndex& find, gateway::Services& services, const gateway::Call& call) {
    auto wanted = collection_of(call.request().body);
    if (!wanted) co_return fail(wanted.error());
    for (const auto& key : wanted->keys)
        if (std::ranges::find(call.snapshot->config->keys, key, &config::Key::id) == call.snapshot->config->keys.end())
            co_return fail(Fault::invalid_field, fmt::format("keys: there is no key '{}'", printable(key, 60)), "keys");
    std::function<Body()> work = [find, wanted = std::move(*wanted)]() -> Body {
        const auto index = find(true);
        if (!index) return fail(index.error());
        if (auto ok = (*index)->add(wanted); !ok) return fail(ok.error());
        json::Writer out;
        return out.begin_object().member("name", wanted.name).member("added", true).end_object().take();
    };
    co_return co_await away(call, services, std::move(work));
}

net::Task<Body> remove_collection(const FindIndex& find, gateway::Services& services, const gateway::Call& call) {
    std::function<Body()> work = [find, name = call.parts[0]]() -> Body {
        const auto index = find(false);
        if (!index) return fail(index.error());
        if (*index == nullptr) return no_index();
        if (auto ok = (*index)->remove(name); !ok) return fail(ok.error());
        json::Writer out;
        return out.begin_object().member("name", name).member("removed", true).end_object().take();
    };
    co_return co_await away(call, services, std::move(work));
}

net::Task<Body> rebuild_collection(const FindIndex& find, gateway::Services& services, const gateway::Call& call) {
    std::function<Body()> work = [find, name = call.parts[0]]() -> Body {
        const auto index = find(false);
        if (!index) return fail(index.error());
        if (*index == nullptr) return no_index();
        if (auto ok = (*index)->rebuild(name); !ok) return fail(ok.error());
        json::Writer out;
        return out.begin_object().member("name", name).member("rebuilding", true).end_object().take();
    };
    co_return co_await away(call, services, std::move(work));
}

net::Task<Body> list_failures(const FindIndex& find, gateway::Services& services, const gateway::Call& call) {
    std::function<Body()> work = [find, name = call.parts[0], view = View::of(call.who)]() -> Body {
        const auto index = find(false);
        if (!index) return fail(index.error());
        if (*index == nullptr) return no_index();
        return (*index)->failures(view, name, kMostFailures);
    };
    co_return co_await away(call, services, std::move(work));
}

}  // namespace tandem::api
