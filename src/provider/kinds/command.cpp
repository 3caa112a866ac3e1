// Any server that Tandem starts by its owner's command, and that speaks Chat Completions: vLLM, SGLang, llamafile and
// others. It answers and refuses in the words of such servers.
#include "dialect/losses.h"
#include "provider/kind.h"

namespace tandem::provider {

extern const Kind kCommand;
constinit const Kind kCommand = {.name = "command",
                                 .product = "a server that Tandem starts",
                                 .speaker = dialect::Speaker::openai_chat,
                                 .authorize = bearer,
                                 .read_error = read_openai_error,
                                 .runs_here = true,
                                 .runs_command = true,
                                 .price_book = "engine"};

}  // namespace tandem::provider
