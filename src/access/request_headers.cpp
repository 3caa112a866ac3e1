#include "access/request_headers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "config/names.h"

namespace tandem::access {

namespace {

constexpr std::string_view kOurs = "x-tandem-";
constexpr std::array<std::string_view, 8> kNames = {"x-tandem-label",    "x-tandem-stakes", "x-tandem-conversation",
                                                    "x-tandem-timeout",  "x-tandem-cache",  "x-tandem-key",
                                                    "x-tandem-workflow", "x-tandem-context"};
// Those of others that decide who asks and how the body is read.
constexpr std::array<std::string_view, 8> kDeciding = {"authorization",  "x-api-key",        "api-key",
                                                       "x-goog-api-key", "origin",           "content-encoding",
                                                       "content-type",   "anthropic-version"};
constexpr std::string_view kOldStakes = "x-tandem-value";
constexpr std::size_t kLongestName = 1'024;

bool decides(std::string_view name) {
    return std::ranges::find(kDeciding, name) != kDeciding.end() || name.starts_with(kOurs);
}

// Each deciding header stands once, and each x-tandem- header is one that there is.
Result<> check_names(const net::Fields& headers) {
    std::vector<std::string> seen;
    std::optional<Error> wrong;
    headers.each([&](std::string_view field, std::string_view) {
        auto name = lower(field);
        if (wrong || !decides(name)) return;
        if (name.starts_with(kOurs) && name != kOldStakes && std::ranges::find(kNames, name) == kNames.end()) {
            const std::vector<std::string> names(kNames.begin(), kNames.end());
            wrong = Error{Fault::unknown_header,
                          fmt::format("there is no request header '{}'{}", printable(name, 60), suggest(name, names)),
                          printable(name, 60)};
        } else if (std::ranges::find(seen, name) != seen.end()) {
            wrong =
                Error{Fault::repeated_header, fmt::format("the header '{}' stands twice; send it once", name), name};
        }
        seen.push_back(std::move(name));
    });
    if (wrong) return fail(std::move(*wrong));
    return {};
}

Result<Label> read_label(std::string_view text) {
    if (const auto label = label_from(text)) return *label;
    const std::vector<std::string> names(kLabelNames.begin(), kLabelNames.end());
    return fail(Fault::invalid_header,
                fmt::format("x-tandem-label: there is no label '{}'{}", printable(text, 40), suggest(text, names)),
                "x-tandem-label");
}

Result<> read_stakes(const net::Fields& headers, RequestHeaders& read) {
    constexpr std::string_view kStakes = "x-tandem-stakes";
    const bool old = headers.has(kOldStakes);
    if (!old && !headers.has(kStakes)) return {};
    if (old && headers.has(kStakes))
        return fail(
            Fault::repeated_header,
            fmt::format("{} is now called {}, and the request has both; send {} alone", kOldStakes, kStakes, kStakes),
            std::string(kOldStakes));
    const auto name = old ? kOldStakes : kStakes;
    const auto stakes = config::stakes_from(trim(headers.get(name)));
    if (!stakes)
        return fail(Fault::invalid_header, fmt::format("{}: expected high, normal or low", name), std::string(name));
    if (old) read.warnings.push_back(fmt::format("{} is now called {}", kOldStakes, kStakes));
    read.stakes = *stakes;
    return {};
}

// Names of collections with commas between them.
Result<std::vector<std::string>> read_context(std::string_view text) {
    std::vector<std::string> names;
    while (!text.empty()) {
        const auto comma = std::min(text.find(','), text.size());
        const auto name = trim(text.substr(0, comma));
        if (!config::is_collection_name(name))
            return fail(Fault::invalid_header,
                        "x-tandem-context: expected names of collections with commas between them", "x-tandem-context");
        if (std::ranges::find(names, name) == names.end()) names.emplace_back(name);
        text.remove_prefix(std::min(text.size(), comma + 1));
    }
    return names;
}

}  // namespace

Result<RequestHeaders> read_headers(const net::Fields& headers) {
    if (auto ok = check_names(headers); !ok) return fail(ok.error());
    RequestHeaders read;
    if (headers.has("x-tandem-label")) {
        const auto label = read_label(trim(headers.get("x-tandem-label")));
        if (!label) return fail(label.error());
        read.label = *label;
    }
    if (auto ok = read_stakes(headers, read); !ok) return fail(ok.error());
    if (headers.has("x-tandem-timeout")) {
        const auto wait = whole_number(trim(headers.get("x-tandem-timeout")));
        if (!wait || *wait < 1 || *wait > 86'400)
            return fail(Fault::invalid_header, "x-tandem-timeout: expected whole seconds, from 1 to 86400",
                        "x-tandem-timeout");
        read.timeout = std::chrono::seconds(*wait);
    }
    if (headers.has("x-tandem-cache")) {
        const auto wish = trim(headers.get("x-tandem-cache"));
        if (wish != "no" && wish != "yes")
            return fail(Fault::invalid_header, "x-tandem-cache: expected no or yes", "x-tandem-cache");
        read.fresh = wish == "no";
    }
    auto context = read_context(trim(headers.get("x-tandem-context")));
    if (!context) return fail(context.error());
    read.context = std::move(*context);
    read.conversation = trim(headers.get("x-tandem-conversation"));
    if (read.conversation.size() > kLongestName)
        return fail(Fault::invalid_header,
                    fmt::format("x-tandem-conversation: is longer than {} bytes; send a shorter name", kLongestName),
                    "x-tandem-conversation");
    read.workflow = trim(headers.get("x-tandem-workflow"));
    if (!read.workflow.empty() && !config::is_name(read.workflow))
        return fail(Fault::invalid_header, "x-tandem-workflow: expected at most 100 letters, digits and . _ : / -",
                    "x-tandem-workflow");
    if (lower(headers.get("cache-control")).find("no-") != std::string::npos) read.fresh = true;
    return read;
}

}  // namespace tandem::access
