#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "chat/conversation.h"

namespace tandem::routing {

enum class WorkKind { talk, transform, facts, code, reasoning, planning, writing, tools, document };
inline constexpr std::array<std::string_view, 9> kWorkKindNames = {
    "talk", "transform", "facts", "code", "reasoning", "planning", "writing", "tools", "document"};

struct Work {
    WorkKind kind = WorkKind::talk;
    double sure = 0;
    int difficulty = 0;
    std::vector<std::string> telling;
    bool operator==(const Work&) const = default;
};

Work work_of(const chat::Request& request);

}  // namespace tandem::routing
