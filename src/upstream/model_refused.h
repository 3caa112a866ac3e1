// What a provider's refusal says of the model alone: that it is not there, or not on the API that it was asked by.
// Nothing but the owner mends that, so other requests need not ask it again. Private to upstream/ and gateway/.
#pragma once

#include <optional>
#include <string_view>

namespace tandem::upstream {

enum class ModelRefused {
    unknown,         // the provider has no such model, or our key has none
    responses_only,  // OpenAI's Responses API has it, and its Chat Completions API has not
    other_api,       // it is no model for a conversation
};

// Of an answer with this status, whose body is `words`: in lower case and without what it quotes of the request, as
// dialect::own_words_of() makes it, so that no client can make a model rest. Nullopt where it says nothing of the kind.
std::optional<ModelRefused> model_refused(int status, std::string_view words);

}  // namespace tandem::upstream
