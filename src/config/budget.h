// What may be spent, on what, in which time: the budgets of keys, teams and the whole system.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/calendar.h"
#include "base/label.h"
#include "base/money.h"
#include "base/world.h"

namespace tandem::config {

// The time in which a budget's limit may be used.
struct Window {
    std::optional<Period> period = Period::day;  // nullopt: it rolls
    milliseconds length{0};                      // of one that rolls: the last so long, at every moment
    std::string zone{kUtc};                      // in which days, weeks and months begin
    Weekday first_of_week = Weekday::monday;
    bool operator==(const Window&) const = default;
};
inline constexpr milliseconds kShortestRolling{60'000};
inline constexpr milliseconds kLongestRolling{30 * 86'400'000LL};
// "day", "month (Europe/Berlin)", "the last 30d"
std::string text_of(const Window& window);

// What counts against a budget: what has all that is said here.
struct BudgetScope {
    std::string key = {};  // its id, as access::client_id() gives it
    std::string team = {};
    std::string owner = {};     // of the key
    std::string workflow = {};  // as the request names it
    std::string provider = {};
    std::string model = {};
    std::string alias = {};  // what the client asked by
    std::optional<Label> label = {};
    bool operator==(const BudgetScope&) const = default;
};

// What becomes of a request whose first choice a budget has no room for.
enum class OnBudget {
    cheaper,  // the next that fits: a cheaper model in the cloud, one at home
    local,    // only what costs nothing
    refuse,   // nothing: the client is told
    queue,    // it waits until there is room, as long as its deadline allows
};
inline constexpr std::array<std::string_view, 4> kOnBudgetNames = {"cheaper", "local", "refuse", "queue"};

struct Budget {
    std::string field;           // where the owner wrote it: "keys.alice.budgets[0]"
    std::optional<Money> limit;  // of money; a model that costs nothing is not bound by it
    std::int64_t tokens = 0;     // limit of tokens in and out; 0: none. One of the two is there.
    Window window;
    BudgetScope of;
    OnBudget on_budget = OnBudget::cheaper;
    bool soft = false;  // it is only told of, and refuses nothing
};

}  // namespace tandem::config
