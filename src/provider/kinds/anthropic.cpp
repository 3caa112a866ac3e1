// Anthropic.
#include "base/text.h"
#include "dialect/losses.h"
#include "provider/kind.h"

namespace tandem::provider {

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

extern const Kind kAnthropic;
constinit const Kind kAnthropic = {.name = "anthropic",
                                   .product = "Anthropic",
                                   .speaker = dialect::Speaker::anthropic,
                                   .usual_url = "https://api.anthropic.com",
                                   .with_version = with_v1,
                                   .list_path = "/models?limit=1000",
                                   .asking_path = "/messages",
                                   .authorize = authorize,
                                   .read_error = read_error,
                                   .signs_reasoning = true,
                                   .continues_answers = true,
                                   .charges_cache_writes = true,
                                   .price_book = "anthropic"};

}  // namespace tandem::provider
