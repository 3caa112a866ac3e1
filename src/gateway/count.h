// How many tokens a request has: counted by the provider where it can, else estimated. Private to gateway/.
#pragma once

#include "gateway/way.h"

namespace tandem::gateway {

net::Task<> count_tokens(Way& way, const Decided& decided);

}  // namespace tandem::gateway
