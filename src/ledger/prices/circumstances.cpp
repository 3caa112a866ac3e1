// What else a response says that a price depends on: the tier and the place that it was served from, and the charge.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "ledger/prices/counts.h"
#include "ledger/prices/tariff.h"

namespace tandem::prices {

namespace {

constexpr std::string_view kTicks = "cost_in_usd_ticks";  // of xAI: 10^10 of them are a dollar

// The book's name of a tier; empty for the standard one, however it is called.
std::string tier_named(std::string_view said) {
    auto tier = lower(said);
    for (const auto* standard : {"default", "standard", "auto", "on_demand", "not_available", "standard_only", "none"})
        if (tier == standard) return {};
    if (tier.starts_with("on_demand_")) tier.erase(0, 10);
    if (tier == "provisioned_throughput") return "provisioned";
    return tier;
}

std::string tier_of(const Source& source) {
    for (const auto& [value, path] : {std::pair{source.usage, "service_tier"},
                                      {source.body, "service_tier"},
                                      {source.usage, "serviceTier"},
                                      {source.body, "serviceTier.type"},
                                      {source.body, "serviceTier"},
                                      {source.usage, "trafficType"},
                                      {source.usage, "traffic_type"}}) {
        const auto said = at(value, path).string();
        if (said && !said->empty())
            if (auto tier = tier_named(*said); !tier.empty()) return tier;
    }
    // A mode of its own at Anthropic: faster, and dearer.
    if (lower(at(source.usage, "speed").text()) == "fast") return "fast";
    // At Perplexity the fee of a request goes by how much of the web it read.
    if (source.hints.provider == "perplexity") return lower(at(source.usage, "search_context_size").text());
    return {};
}

std::optional<Amount> amount_of(const json::Value& value, std::string_view name, Reading& reading) {
    if (!value.exists() || value.is_null() || value.is(json::Kind::object)) return std::nullopt;
    const auto amount =
        value.is(json::Kind::number) || value.is(json::Kind::string) ? Amount::parse(trim(value.text())) : std::nullopt;
    if (amount && *amount >= Amount{}) return amount;
    reading.warn(fmt::format("{} is no amount of money: not believed", printable(name, 60)));
    return std::nullopt;
}

// OpenRouter, where the owner's own key paid the provider: its `cost` is a fee, what the provider took stands beside.
std::optional<Amount> with_own_key(const Source& source, std::optional<Amount> cost, Reading& reading) {
    const bool own_key = at(source.usage, "is_byok").boolean().value_or(false);
    const auto upstream =
        amount_of(at(source.usage, "cost_details.upstream_inference_cost"), "upstream_inference_cost", reading);
    const bool without_saying =
        !at(source.usage, "is_byok").exists() && cost && *cost == Amount{} && upstream && *upstream > Amount{};
    if (!own_key && !without_saying) return cost;
    if (!upstream || *upstream == Amount{}) {
        reading.warn("paid with the owner's own key, and what that cost is not said: usage.cost is not the price");
        return std::nullopt;
    }
    reading.warn("paid with the owner's own key: what its provider took and the fee are both counted");
    return *upstream + cost.value_or(Amount{});
}

std::optional<Amount> charge_of(const Source& source, Reading& reading) {
    if (const auto ticks = at(source.usage, kTicks); ticks.exists() && !ticks.is_null()) {
        const auto count = amount_of(ticks, kTicks, reading);
        if (count) return Amount::from_atto(divided_half_to_even(count->atto(), 10'000'000'000));
    }
    const auto cost = at(source.usage, "cost");
    for (const auto& [value, name] : {std::pair{cost, "usage.cost"}, {cost["total_cost"], "usage.cost.total_cost"}}) {
        const auto amount = amount_of(value, name, reading);
        if (amount || at(source.usage, "cost_details.upstream_inference_cost").exists())
            return with_own_key(source, amount, reading);
    }
    return std::nullopt;
}

}  // namespace

namespace {

bool is_an_hour(const json::Value& cache_control) {
    return cache_control["ttl"].text() == "1h";
}

// Marks of what is to be kept stand on parts of messages, of the system prompt, and on tools.
bool any_an_hour(const json::Value& parts) {
    if (!parts.is(json::Kind::array)) return false;
    for (const auto part : parts.children())
        if (is_an_hour(part["cache_control"]) || any_an_hour(part["content"])) return true;
    return false;
}

// Of the tools of a request that its provider runs, in any dialect: OpenAI's and xAI's by their type, Anthropic's with
// max_uses, Gemini's by their name.
int calls_in(const json::Value& request) {
    constexpr auto kTypes = std::to_array<std::string_view>(
        {"web_search", "web_fetch", "file_search", "code_interpreter", "code_execution", "x_search"});
    constexpr auto kNames = std::to_array<std::string_view>({"google_search", "googleSearch", "google_search_retrieval",
                                                             "googleSearchRetrieval", "google_maps", "googleMaps",
                                                             "enterprise_web_search", "enterpriseWebSearch"});
    constexpr std::int64_t kMostCalls = 1'000;
    std::int64_t calls = 0;
    const auto add = [&](std::int64_t more) { calls = std::min(kMostCalls, calls + std::max<std::int64_t>(more, 0)); };
    for (const auto tool : request["tools"].children()) {
        const auto type = tool["type"].text();
        const bool hosted = std::ranges::any_of(kTypes, [&](auto begin) { return type.starts_with(begin); }) ||
                            std::ranges::any_of(kNames, [&](auto name) { return tool[name].exists(); });
        if (hosted) add(tool["max_uses"].integer().value_or(kUsualCalls));
    }
    // Of all of them together.
    if (const auto most = request["max_tool_calls"].integer(); most && calls > 0)
        calls = std::clamp<std::int64_t>(*most, 0, kMostCalls);
    if (request["web_search_options"].exists()) add(kUsualCalls);
    if (const auto search = request["search_parameters"]; search.exists() && search["mode"].text() != "off")
        add(search["max_search_results"].integer().value_or(2LL * kUsualCalls));
    return static_cast<int>(calls);
}

}  // namespace

Asked asked_in(const json::Value& request, std::int64_t time_ms) {
    Asked asked{.time_ms = time_ms, .calls = calls_in(request)};
    // Gemini's stands in its settings too, Bedrock's is an object.
    for (const auto* path : {"service_tier", "serviceTier", "serviceTier.type", "generationConfig.serviceTier",
                             "generationConfig.service_tier"}) {
        const auto said = lower(at(request, path).text());
        if (asked.service_tier.empty()) asked.service_tier = tier_named(said);
        asked.any_tier = asked.any_tier || said == "auto";
    }
    if (request["speed"].text() == "fast") asked.service_tier = "fast";
    asked.region = lower(request["inference_geo"].text());
    if (asked.region == "global") asked.region.clear();
    asked.keeps_cache_an_hour = is_an_hour(request["cache_control"]) || any_an_hour(request["system"]) ||
                                any_an_hour(request["tools"]) || any_an_hour(request["messages"]);
    return asked;
}

void read_circumstances(const Source& source, Reading& reading) {
    reading.service_tier = tier_of(source);
    const auto place = lower(at(source.usage, "inference_geo").text());
    if (!place.empty() && place != "global" && place != "not_available") reading.region = place;
    reading.charged = charge_of(source, reading);
}

}  // namespace tandem::prices
