#include "cli/measured.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/text.h"
#include "base/world.h"

namespace tandem::cli {

namespace {

constexpr milliseconds kTime{2'000};
constexpr std::size_t kLongestWord = 200;  // bytes that are shown

// "; old: ..." of what was measured of another model under the name.
std::string stale(const json::Value& value) {
    return value["current"].boolean() == false ? "; stale: the model, its engine or its flags have changed since" : "";
}

std::string tools_text(std::int64_t value) {
    constexpr std::array<std::string_view, 3> kWords = {"none", "native", "rendered"};
    return std::string(kWords[static_cast<std::size_t>(std::min<std::int64_t>(std::max<std::int64_t>(value, 0), 2))]);
}

std::string measurement_text(const json::Value& one, std::int64_t claimed) {
    const auto quantity = one["quantity"].text();
    const auto value = one["value"].integer().value_or(0), low = one["low"].integer().value_or(0),
               high = one["high"].integer().value_or(0);
    std::string out;
    if (quantity == "tools") {
        out = fmt::format("tools {}", tools_text(value));
        if (high > 0)
            out += fmt::format(" (right {:.2f} to {:.2f})", static_cast<double>(low) / 1'000,
                               static_cast<double>(high) / 1'000);
    } else {
        out = fmt::format("{} {}", quantity, value);
        if (high > 0) out += fmt::format(" ({} to {})", low, high);
        if (claimed > 0) out += fmt::format(" of {} claimed", claimed);
        if (quantity == "context" && value == 0) out += ", which says nothing of length";
    }
    return fmt::format("{}, {}{}", out, age_text(one["time"].integer().value_or(0)), stale(one));
}

}  // namespace

std::string age_text(std::int64_t time) {
    constexpr std::array<std::pair<std::int64_t, std::string_view>, 4> kUnits = {
        {{86'400, "day"}, {3'600, "hour"}, {60, "minute"}, {1, "second"}}};
    const auto seconds = std::max<std::int64_t>(0, (unix_ms(system_clock()->wall()) - time) / 1'000);
    for (const auto& [length, name] : kUnits)
        if (const auto count = seconds / length; count > 0)
            return fmt::format("{} {}{} ago", count, name, count == 1 ? "" : "s");
    return "now";
}

std::string finding_text(const json::Value& finding) {
    const auto unit = finding["unit"].text(), word = finding["word"].text();
    std::string out;
    if (!unit.empty()) {
        out = std::string(finding["value"].text());
        if (unit != "share") out += fmt::format(" {}", unit);
        if (finding["high"].exists()) out += fmt::format(" ({} to {})", finding["low"].text(), finding["high"].text());
        if (const auto asked = finding["asked"].integer(); asked) out += fmt::format(" of {}", *asked);
    }
    if (!word.empty()) out += fmt::format("{}{}", out.empty() ? "" : "; ", printable(word, kLongestWord));
    return out + stale(finding);
}

std::string measured_text(const json::Value& model) {
    const auto claimed = model["claimed_context"].integer().value_or(0);
    std::string out;
    for (const json::Value one : model["measured"].children())
        out += (out.empty() ? "" : "; ") + measurement_text(one, one["quantity"].text() == "context" ? claimed : 0);
    return out;
}

std::map<std::string, std::string> measured_of_all(const Remote& remote) {
    std::map<std::string, std::string> all;
    const auto answer = call(remote, {.path = "/tandem/v1/probes", .headers = {}, .body = {}, .timeout = kTime});
    json::Document document;
    if (!answer || answer->status != 200 || !document.parse(answer->body)) return all;
    for (const json::Value model : document.root()["models"].children())
        if (auto text = measured_text(model); !text.empty()) all[std::string(model["model"].text())] = std::move(text);
    return all;
}

}  // namespace tandem::cli
