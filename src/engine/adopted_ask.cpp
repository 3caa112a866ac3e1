// Asking adopted servers for their lists.
#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "base/text.h"
#include "engine/state.h"

namespace tandem::engine {

namespace {

constexpr milliseconds kTime{2'000};             // for a list
constexpr std::size_t kMostBytes = 1024 * 1024;  // of one

struct List {
    std::vector<AdoptedModel> models;
    std::string error;
};

std::string root_of(const std::string& base_url) {
    return base_url.ends_with("/v1") ? base_url.substr(0, base_url.size() - 3) : base_url;
}

// The answer's status and body; an error in words where there is none.
net::Task<std::pair<int, std::string>> get(net::Client& client, const config::Provider& provider, std::string url) {
    net::Cancel never;
    net::Call call;
    call.method = "GET";
    auto parsed = net::parse_url(url);
    if (!parsed) co_return std::pair(0, parsed.error().message);
    call.url = std::move(*parsed);
    if (provider.api_key && !provider.api_key->empty()) provider.kind->authorize(call.headers, *provider.api_key);
    call.connect_timeout = call.first_byte_timeout = call.idle_timeout = kTime;
    auto answer = co_await client.send(std::move(call), never);
    if (!answer) co_return std::pair(0, answer.error().error.message);
    const int status = answer->status();
    auto text = co_await answer->read_first(kMostBytes);
    if (!text) co_return std::pair(0, text.error().message);
    co_return std::pair(status, std::move(*text));
}

net::Task<List> list_of(net::Client& client, const config::Provider& provider, const AdoptedKind& kind) {
    const auto paths = kind.paths();
    List list;
    for (std::size_t which = 0; which < paths.size(); ++which) {
        auto [status, body] = co_await get(client, provider, root_of(provider.base_url) + std::string(paths[which]));
        if (status == 0) {
            list.error = std::move(body);
            break;
        }
        json::Document document;
        if (status == 200 && document.parse(std::move(body)))
            if (auto models = kind.read(which, document.root())) {
                list.models = std::move(*models);
                list.error.clear();
                break;
            }
        list.error = fmt::format("{} answers with {}", paths[which], status);
    }
    co_return list;
}

}  // namespace

net::Task<> Engines::State::ask_adopted(std::function<void(std::vector<AdoptedStatus>)> done) {
    std::vector<AdoptedStatus> all;
    const auto now = config;
    for (const auto& provider : now ? now->providers : std::vector<config::Provider>()) {
        const auto* kind = adopted_kind(provider);
        if (kind == nullptr || provider.zone != Zone::local) continue;
        const auto list = co_await list_of(client, provider, *kind);
        std::ranges::move(adopted_models(*now, provider, list.models, list.error), std::back_inserter(all));
    }
    done(std::move(all));
    --alive;
}

void Engines::adopted(std::function<void(std::vector<AdoptedStatus>)> done) const {
    auto& state = *state_;
    ++state.alive;
    state.post([&state, done = std::move(done)]() mutable {
        net::asio::co_spawn(state.worker.context(), state.ask_adopted(std::move(done)), net::asio::detached);
    });
}

}  // namespace tandem::engine
