#include "probe/suites.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace tandem::probe {

namespace {

constexpr std::int64_t kRoomToThink = 4'096;  // tokens of thoughts before an answer
constexpr double kThousand = 1'000;

#define TANDEM_LIST(name, about) SuiteRow{#name, about, make_##name},
constexpr auto kSuites = std::to_array<SuiteRow>({TANDEM_SUITES(TANDEM_LIST)});
#undef TANDEM_LIST

}  // namespace

bool is_refusal(std::string_view code) {
    constexpr std::array<std::string_view, 5> kRefusals = {"provider_refused", "unsupported_demand", "prompt_too_long",
                                                           "history_too_long", "context"};
    return std::ranges::find(kRefusals, code) != kRefusals.end();
}

std::span<const SuiteRow> suites() {
    return kSuites;
}

const SuiteRow* find_suite(std::string_view name) {
    const auto found = std::ranges::find(kSuites, name, &SuiteRow::name);
    return found == kSuites.end() ? nullptr : &*found;
}

std::int64_t Subject::room(std::int64_t tokens) const {
    return thinks ? kRoomToThink + tokens : tokens;
}

Finding share_of(std::string name, const Proportion& proportion, std::string word) {
    const auto interval = proportion.interval();
    const auto thousandths = [](double share) { return std::llround(share * kThousand); };
    return {.name = std::move(name),
            .unit = "share",
            .value = thousandths(proportion.share()),
            .low = thousandths(interval.low),
            .high = thousandths(interval.high),
            .asked = proportion.asked(),
            .right = proportion.right(),
            .word = std::move(word)};
}

}  // namespace tandem::probe
