// What a principal may leave with us. Private to resources/.
#pragma once

#include "access/principal.h"
#include "gateway/services.h"
#include "resources/quota.h"
#include "store/query.h"

namespace tandem::resources {

inline Quota quota_of(const access::Principal& who) {
    const auto& limits = who.limits;
    return {limits.files,         static_cast<std::int64_t>(limits.file_bytes),
            limits.responses,     static_cast<std::int64_t>(limits.response_bytes),
            limits.conversations, static_cast<std::int64_t>(limits.conversation_bytes)};
}

// Errors: those of `check`.
inline net::Task<Result<>> check_quota(gateway::Services& services, std::function<Result<>(store::Database&)> check) {
    return store::change(services.store, std::move(check));
}

}  // namespace tandem::resources
