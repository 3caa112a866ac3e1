#include "provider/kind.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>

#include "base/text.h"

namespace tandem::provider {

// One line for each kind, which is defined in its file.
#define TANDEM_KINDS(X) \
    X(kEngine)          \
    X(kCommand)         \
    X(kOpenAi)          \
    X(kResponses)       \
    X(kAnthropic)       \
    X(kGemini)          \
    X(kOllama)          \
    X(kLmStudio)        \
    X(kLlamaServer)

#define TANDEM_DECLARE(kind) extern const Kind kind;
TANDEM_KINDS(TANDEM_DECLARE)
#undef TANDEM_DECLARE

std::span<const Kind* const> kinds() {
#define TANDEM_LIST(kind) &kind,
    static constexpr auto kKinds = std::to_array<const Kind*>({TANDEM_KINDS(TANDEM_LIST)});
#undef TANDEM_LIST
    return kKinds;
}

std::vector<std::string_view> names() {
    std::vector<std::string_view> list;
    for (const auto* kind : kinds()) list.push_back(kind->name);
    return list;
}

const Kind* find(std::string_view name) {
    const auto found = std::ranges::find(kinds(), name, &Kind::name);
    return found == kinds().end() ? nullptr : *found;
}

const Kind& named(std::string_view name) {
    const auto* kind = find(name);
    assert(kind != nullptr);
    return *kind;
}

std::string with_version(const Kind& kind, std::string url) {
    return url.empty() || kind.with_version == nullptr ? url : kind.with_version(std::move(url));
}

std::string root_of(std::string url) {
    if (url.ends_with("/v1")) url.resize(url.size() - 3);
    return url;
}

std::string with_v1(std::string url) {
    return url.ends_with("/v1") ? url : url + "/v1";
}

void bearer(net::Fields& headers, const Secret& key) {
    if (!key.empty()) headers.add("Authorization", fmt::format("Bearer {}", key.reveal()));
}

namespace {

// FastAPI's: a text, or a list of {"loc": ["body", "messages"], "msg": "Field required"}.
std::string detail_in(const json::Value& detail) {
    if (const auto text = detail.string()) return std::string(*text);
    std::vector<std::string> parts;
    for (const json::Value one : detail.children()) {
        std::vector<std::string> place;
        for (const json::Value step : one["loc"].children()) place.emplace_back(step.text());
        if (const auto text = one["msg"].string())
            parts.push_back(place.empty() ? std::string(*text) : fmt::format("{}: {}", join(place, "."), *text));
    }
    return join(parts, "; ");
}

std::string text_in(const json::Value& body) {
    const auto error = body["error"];
    if (const auto text = error["message"].string()) return std::string(*text);
    if (const auto text = error.string()) return std::string(*text);
    if (const auto text = body["message"].string()) return std::string(*text);
    return detail_in(body["detail"]);
}

// What OpenRouter hands on from whom it asked itself; its own message says no more than that there was an error.
std::string handed_on(const json::Value& metadata) {
    const auto raw = metadata["raw"].string();
    if (!raw || raw->empty()) return {};
    json::Document inner;
    std::string words;
    if (inner.parse(std::string(*raw))) words = text_in(inner.root());
    if (words.empty()) words = *raw;
    const auto name = metadata["provider_name"].string();
    return name ? fmt::format(" ({}: {})", *name, words) : fmt::format(" ({})", words);
}

}  // namespace

std::string message_in(const json::Value& body) {
    return printable(text_in(body) + handed_on(body["error"]["metadata"]), kQuotedError);
}

std::vector<long long> numbers_in(std::string_view text) {
    std::vector<long long> numbers;
    for (std::size_t at = 0; at < text.size();) {
        if (text[at] < '0' || text[at] > '9') {
            ++at;
            continue;
        }
        std::string digits;
        for (; at < text.size() && ((text[at] >= '0' && text[at] <= '9') || text[at] == ','); ++at)
            if (text[at] != ',') digits += text[at];
        if (const auto number = whole_number(digits); number && digits.size() >= 2) numbers.push_back(*number);
    }
    return numbers;
}

void take_numbers(Said& said, bool limit_first) {
    const auto numbers = numbers_in(said.message);
    if (!said.too_long || numbers.size() < 2) return;
    said.prompt_tokens = numbers[limit_first ? 1 : 0];
    said.context_tokens = numbers[limit_first ? 0 : 1];
}

}  // namespace tandem::provider
