#include "alerts/message.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "base/base64.h"
#include "base/calendar.h"
#include "base/json.h"

namespace tandem::alerts {

std::string sentence_of(const Alert& alert) {
    json::Document document;
    if (!document.parse(alert.detail)) return "an alert that cannot be read";
    const auto data = document.root();
    if (alert.type == "runaway")
        return fmt::format("the key '{}' has spent {} {} in {} minutes, and usually spends {}", data["key"].text(),
                           data["spent"].text(), data["currency"].text(), data["minutes"].text(), data["usual"].text());
    const bool tokens = data["limit_tokens"].exists();
    const auto unit = tokens ? std::string_view("tokens") : data["currency"].text();
    const auto window = data["window"].text(), ends = data["ends"].text();
    const auto when = window == "total"                ? std::string("in total")
                      : window.starts_with("the last") ? fmt::format("in {}", window)
                                                       : fmt::format("per {}", window);
    const auto spent = data[tokens ? "spent_tokens" : "spent"].text();
    const auto until = ends.empty() ? std::string() : fmt::format(", until {}", ends);
    if (data["no_room"].boolean().value_or(false))
        return fmt::format("the budget of {} {} {} of {} had no room for a request: {} {} is used{} ({})",
                           data[tokens ? "limit_tokens" : "limit"].text(), unit, when, data["of"].text(), spent, unit,
                           until, data["budget"].text());
    return fmt::format("{} % of the budget of {} {} {} of {} is used: {} {}{} ({})", data["percent"].text(),
                       data[tokens ? "limit_tokens" : "limit"].text(), unit, when, data["of"].text(), spent, unit,
                       until, data["budget"].text());
}

std::string body_of(const Alert& alert) {
    json::Writer out;
    out.begin_object().member("id", alert.id).member("type", alert.type);
    out.member("time", minute_text(alert.time)).member("text", sentence_of(alert));
    out.raw_member("data", alert.detail).end_object();
    return out.take();
}

std::string signature_of(std::string_view secret, std::string_view id, std::int64_t timestamp, std::string_view body) {
    constexpr std::string_view kPrefix = "whsec_";
    std::string key(secret);
    if (secret.starts_with(kPrefix))
        if (auto decoded = from_base64(secret.substr(kPrefix.size()))) key = std::move(*decoded);
    const auto text = fmt::format("{}.{}.{}", id, timestamp, body);
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
         text.size(), digest.data(), &length);
    return "v1," + to_base64({reinterpret_cast<const char*>(digest.data()), length});
}

}  // namespace tandem::alerts
