// What a provider's refusal says of the owner's account: that nothing is left in it. Private to upstream/ and gateway/.
#pragma once

#include <string_view>

namespace tandem::upstream {

// Of an answer with this status and this message in its error. Providers say it with 402, or as if the request were
// wrong (400, 403); the request is not to blame, and waiting does not help.
bool lacks_credit(int status, std::string_view message);

}  // namespace tandem::upstream
