#include "routing/work.h"

namespace tandem::routing {
Work work_of(const chat::Request&) {
    return {};
}
}  // namespace tandem::routing
