// Names of providers and models as people, SDKs and gateways write them, and the forms under which the book may have
// them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tandem::prices {

// A name of a model, in lower case, and what it may be called in the book, nearest first: without the way to it
// ("models/", "openai/", an ARN), without a region in front (Bedrock's "us."), without a date, version or "latest"
// behind. A variant that is another offer (":free", a fine-tuning) keeps what says so.
std::vector<std::string> model_forms(std::string_view model);

// The provider that a model's name says, as an id; else empty: "openai" of "openai/gpt-5" and "openai:gpt-5", "bedrock"
// of "us.anthropic.claude-opus-4-6-v1", "openrouter" of "some/model:free".
std::string provider_in(std::string_view model);

// The provider whose API answers at `host`, as an id; empty where the host says nothing.
std::string provider_at(std::string_view host);

// Whether `id` is one that people's names of providers stand for (provider_id()).
bool is_known_provider(std::string_view id);

// Whether anybody may serve it, at any price: what its maker asks for says nothing about another's price.
bool has_open_weights(std::string_view model);

}  // namespace tandem::prices
