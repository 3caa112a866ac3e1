#include "access/request_headers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "config/names.h"

namespace tandem::access {

namespace {

constexpr std::string_view kOurs = "x-tandem-";
constexpr std::array<std::string_view, 7> kNames = {"x-tandem-label",   "x-tandem-value", "x-tandem-conversation",
                                                    "x-tandem-timeout", "x-tandem-cache", "x-tandem-key",
                                                    "x-tandem-workflow"};
// Those of others that decide who asks and how the body is read.
constexpr std::array<std::string_view, 8> kDeciding = {"authorization",  "x-api-key",        "api-key",
                                                       "x-goog-api-key", "origin",           "content-encoding",
                                                       "content-type",   "anthropic-version"};
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
        if (name.starts_with(kOurs) && std::ranges::find(kNames, name) == kNames.end()) {
            const std::vector<std::string> names(kNames.begin(), kNames.end());
            wrong = Error{ErrorCode::invalid,
                          fmt::format("there is no request header '{}'{}", printable(name, 60), suggest(name, names)),
                          printable(name, 60)};
        } else if (std::ranges::find(seen, name) != seen.end()) {
            wrong = Error{ErrorCode::invalid, fmt::format("the header '{}' stands twice; send it once", name), name};
        }
        seen.push_back(std::move(name));
    });
    if (wrong) return fail(std::move(*wrong));
    return {};
}

Result<Label> read_label(std::string_view text) {
    if (const auto label = label_from(text)) return *label;
    const std::vector<std::string> names(kLabelNames.begin(), kLabelNames.end());
    return fail(ErrorCode::invalid,
                fmt::format("x-tandem-label: there is no label '{}'{}", printable(text, 40), suggest(text, names)),
                "x-tandem-label");
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
    if (headers.has("x-tandem-value")) {
        const auto stakes = config::stakes_from(trim(headers.get("x-tandem-value")));
        if (!stakes) return fail(ErrorCode::invalid, "x-tandem-value: expected high, normal or low", "x-tandem-value");
        read.stakes = *stakes;
    }
    if (headers.has("x-tandem-timeout")) {
        const auto wait = whole_number(trim(headers.get("x-tandem-timeout")));
        if (!wait || *wait < 1 || *wait > 86'400)
            return fail(ErrorCode::invalid, "x-tandem-timeout: expected whole seconds, from 1 to 86400",
                        "x-tandem-timeout");
        read.timeout = std::chrono::seconds(*wait);
    }
    if (headers.has("x-tandem-cache")) {
        const auto wish = trim(headers.get("x-tandem-cache"));
        if (wish != "no" && wish != "yes")
            return fail(ErrorCode::invalid, "x-tandem-cache: expected no or yes", "x-tandem-cache");
        read.fresh = wish == "no";
    }
    read.conversation = trim(headers.get("x-tandem-conversation"));
    if (read.conversation.size() > kLongestName)
        return fail(ErrorCode::invalid,
                    fmt::format("x-tandem-conversation: is longer than {} bytes; send a shorter name", kLongestName),
                    "x-tandem-conversation");
    read.workflow = trim(headers.get("x-tandem-workflow"));
    if (!read.workflow.empty() && !config::is_name(read.workflow))
        return fail(ErrorCode::invalid, "x-tandem-workflow: expected at most 100 letters, digits and . _ : / -",
                    "x-tandem-workflow");
    if (lower(headers.get("cache-control")).find("no-") != std::string::npos) read.fresh = true;
    return read;
}

}  // namespace tandem::access
