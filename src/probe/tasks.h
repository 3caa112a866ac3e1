// What a model is asked to find out what it really does: questions whose answers can be checked without a model.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "chat/conversation.h"
#include "chat/told.h"

namespace tandem::probe {

inline constexpr std::array<std::string_view, 8> kKinds = {"arithmetic", "code",     "extraction", "format",
                                                           "json",       "language", "reading",    "tools"};
inline constexpr int kUsualEach = 4, kMostEach = 20;  // questions of each kind

struct Task {
    std::string id;    // kind and number, such as "tools-2": the same question in every run and for every model
    std::string kind;  // of kKinds
    std::string rest;  // members of a Chat Completions request behind "model", and its closing brace
    std::function<bool(const chat::Told&)> passed;

    chat::Request request_to(std::string_view model) const;
};

// `each` of each kind, 1 to kMostEach. `thinks`: there is room for thoughts before the answer.
std::vector<Task> tasks(int each, bool thinks);

}  // namespace tandem::probe
