#include "cli/init/discover.h"

#include <algorithm>

#include "base/text.h"
#include "cli/fetch.h"
#include "cli/init/products.h"
#include "net/client.h"
#include "provider/kind.h"

namespace tandem::cli {

namespace {

constexpr milliseconds kProbeTime{1'500};
constexpr milliseconds kShowTime{2'000};
constexpr std::size_t kMostBytes = 2UL << 20;  // of one answer

std::string key_of(const Address& address, const config::Environment& environment) {
    if (address.key_variable.empty()) return {};
    return environment(address.key_variable).value_or("");
}

// How clients of a kind of provider say their key.
net::Fields headers_of(std::string_view kind, const std::string& key) {
    net::Fields headers;
    const auto* const known = provider::find(kind);
    (known != nullptr ? *known : provider::named("openai")).authorize(headers, Secret(key));
    return headers;
}

Answer as_answer(Result<Fetched> fetched) {
    Answer answer;
    if (!fetched) {
        // A server that talks, but not HTTP, is there all the same.
        answer.there = silence_of(fetched.error()) == Silence::not_http;
        return answer;
    }
    answer.there = true;
    answer.status = fetched->status;
    answer.body = std::move(fetched->body);
    answer.is_json = answer.document.parse(answer.body).has_value();
    return answer;
}

std::vector<Answer> ask_all(const std::vector<Fetch>& questions, milliseconds time) {
    std::vector<Answer> answers;
    answers.reserve(questions.size());
    for (auto& fetched : fetch_all(questions, time, kMostBytes)) answers.push_back(as_answer(std::move(fetched)));
    return answers;
}

// Why an address gives no answer; empty where something is there, which is then asked everything.
std::vector<std::string> silences(const std::vector<Address>& addresses) {
    std::vector<Fetch> questions;
    for (const auto& address : addresses) questions.push_back({without_version(address.url) + "/", {}, {}});
    std::vector<std::string> why;
    for (const auto& answer : fetch_all(questions, kProbeTime, 1024)) {
        const auto silence = answer ? Silence::none : silence_of(answer.error());
        why.emplace_back(silence == Silence::refused     ? "nothing listens there"
                         : silence == Silence::name      ? "no machine has this name"
                         : silence == Silence::timed_out ? "it did not answer in time"
                         : silence == Silence::tls       ? "its TLS certificate is not trusted here"
                                                         : "");
    }
    return why;
}

Answers ask_everything(const Address& address, const std::string& key) {
    std::vector<Fetch> questions;
    const auto base = without_version(address.url);
    // A key goes only to where its owner has said that it belongs.
    const auto headers = headers_of(address.kind, key);
    for (const auto path : kPaths) questions.push_back({base + std::string(path), headers, {}});
    if (address.kind == "anthropic") questions.push_back({base + "/v1/messages", headers, "{}"});
    if (address.kind == "gemini") questions.push_back({base + "/v1beta/models", headers, {}});
    auto list = ask_all(questions, kProbeTime);
    Answers answers;
    std::ranges::move(list, answers.begin());
    return answers;
}

}  // namespace

Found discover(const std::vector<Address>& addresses, const config::Environment& environment) {
    Found found;
    const auto silent = silences(addresses);
    const auto ollama_context = whole_number(environment("OLLAMA_CONTEXT_LENGTH").value_or("")).value_or(0);
    std::vector<std::string> seen;
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        const auto& address = addresses[i];
        const auto url = net::parse_url(address.url);
        const auto base = without_version(address.url);
        if (!url || std::ranges::find(seen, base) != seen.end()) continue;
        seen.push_back(base);
        if (!silent[i].empty()) {
            if (address.named) found.others.push_back({address.url, silent[i], true});
            continue;
        }
        const auto key = key_of(address, environment);
        const auto answers = ask_everything(address, key);
        FoundServer server;
        server.base_url = base;
        server.kind = address.kind;
        server.loopback = is_this_machine(url->host);
        server.private_network = is_private_network(url->host);
        if (!key.empty()) server.key_variable = address.key_variable;
        auto known = recognise(answers, std::move(server), url->port, address.named);
        if (!known) {
            if (address.named || is_tandem(answers))
                found.others.push_back({address.url, description_of(answers), false});
            continue;
        }
        const auto questions = detail_questions(*known, headers_of(address.kind, key));
        const auto details = ask_all(questions, kShowTime);
        read_details(*known, answers, details, ollama_context);
        found.servers.push_back(std::move(*known));
    }
    return found;
}

}  // namespace tandem::cli
