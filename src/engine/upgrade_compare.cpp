#include <fmt/format.h>

#include <algorithm>

#include "engine/upgrade.h"

namespace tandem::engine {

std::string deterministic_request(std::string_view model, std::string_view rest) {
    json::Writer name;
    name.begin_object().member("model", model).end_object();
    auto body = name.take();
    body.pop_back();
    body += ",\"temperature\":0,\"seed\":1,";
    return body.append(rest);
}

json::Value first_choice(const json::Value& answer) {
    for (const json::Value choice : answer["choices"].children()) return choice;
    return {};
}

double median(std::vector<double> values) {
    if (values.empty()) return 0;
    std::ranges::sort(values);
    const auto middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::string what_is_worse(const UpgradeReport& report) {
    const auto& old_one = report.old_one;
    const auto& new_one = report.new_one;
    if (new_one.answered < old_one.answered)
        return fmt::format("it answers {} of {} questions, and the one in use {}", new_one.answered, new_one.asked,
                           old_one.answered);
    if (new_one.right < old_one.right - kMostWorse)
        return fmt::format("{} of its {} answers are right, and of the one in use {}", new_one.right, new_one.asked,
                           old_one.right);
    if (report.agreement < kLeastAgreement)
        return fmt::format("its answers agree with those of the one in use by {:.2f}, and {:.2f} is the least",
                           report.agreement, kLeastAgreement);
    if (new_one.tokens_per_second < kLeastSpeed * old_one.tokens_per_second)
        return fmt::format("it makes {:.1f} tokens a second, and the one in use {:.1f}; {:.0f} % of that is the least",
                           new_one.tokens_per_second, old_one.tokens_per_second, kLeastSpeed * 100);
    return {};
}

}  // namespace tandem::engine
