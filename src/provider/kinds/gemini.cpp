// Gemini.
#include "base/text.h"
#include "dialect/losses.h"
#include "provider/kind.h"

namespace tandem::provider {

namespace {

// The key in a header: in the URL it would stand in logs.
void authorize(net::Fields& headers, const Secret& key) {
    if (!key.empty()) headers.add("x-goog-api-key", key.reveal());
}

std::string with_beta(std::string url) {
    return url.ends_with("/v1") || url.ends_with("/v1beta") ? url : url + "/v1beta";
}

// When to come back is in the body, as {"@type": ".../RetryInfo", "retryDelay": "17s"}.
Said read_error(const json::Value& body) {
    // A stream that was asked for answers with a list of one error.
    const auto root = body.is(json::Kind::array) && body.size() > 0 ? *begin(body.children()) : body;
    Said said;
    said.message = message_in(root);
    said.too_long = lower(said.message).find("exceeds the maximum number of tokens") != std::string::npos;
    take_numbers(said, false);
    for (const json::Value detail : root["error"]["details"].children()) {
        auto delay = detail["retryDelay"].text();
        if (!delay.ends_with('s')) continue;
        delay.remove_suffix(1);
        if (const auto wait = whole_number(delay.substr(0, delay.find('.')))) said.retry_after = seconds(*wait + 1);
    }
    return said;
}

}  // namespace

extern const Kind kGemini;
constinit const Kind kGemini = {.name = "gemini",
                                .product = "Gemini",
                                .speaker = dialect::Speaker::gemini,
                                .usual_url = "https://generativelanguage.googleapis.com",
                                .with_version = with_beta,
                                .list_path = "/models?pageSize=1000",
                                .url_varies = false,
                                .authorize = authorize,
                                .read_error = read_error,
                                .signs_reasoning = true,
                                .price_book = "google"};

}  // namespace tandem::provider
