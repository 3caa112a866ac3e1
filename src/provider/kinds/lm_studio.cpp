// LM Studio: Chat Completions, and lists of its own in which a model's state stands.
#include "dialect/losses.h"
#include "provider/kind.h"

namespace tandem::provider {

extern const Kind kLmStudio;
constinit const Kind kLmStudio = {.name = "lmstudio",
                                  .product = "LM Studio",
                                  .speaker = dialect::Speaker::openai_chat,
                                  .usual_url = "http://127.0.0.1:1234/v1",
                                  .with_version = with_v1,
                                  .url_varies = false,
                                  .asking_path = "/chat/completions",
                                  .authorize = bearer,
                                  .read_error = read_openai_error};

}  // namespace tandem::provider
