// Anthropic.
#include "base/text.h"
#include "upstream/manner.h"

namespace tandem::upstream {

namespace {

constexpr std::string_view kVersion = "2023-06-01";

void authorize(net::Fields& headers, const Secret& key) {
    if (!key.empty()) headers.add("x-api-key", key.reveal());
    headers.add("anthropic-version", kVersion);
}

// "prompt is too long: 210000 tokens > 200000 maximum", with the type of any other wrong request.
Said read_error(const json::Value& body) {
    Said said;
    said.message = message_in(body);
    said.too_long = lower(said.message).find("prompt is too long") != std::string::npos;
    take_numbers(said, false);
    return said;
}

}  // namespace

const Manner kAnthropic = {authorize, read_error, "text/event-stream"};

}  // namespace tandem::upstream
