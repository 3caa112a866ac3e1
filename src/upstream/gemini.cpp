// Gemini.
#include "base/text.h"
#include "upstream/manner.h"

namespace tandem::upstream {

namespace {

// The key in a header: in the URL it would stand in logs.
void authorize(net::Fields& headers, const Secret& key) {
    if (!key.empty()) headers.add("x-goog-api-key", key.reveal());
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

const Manner kGemini = {authorize, read_error, "text/event-stream"};

}  // namespace tandem::upstream
