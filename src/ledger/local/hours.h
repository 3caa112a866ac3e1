// What the owner has worked on machines and models at home, as they said it: a table of the store that is bounded.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/money.h"
#include "base/result.h"
#include "store/store.h"

namespace tandem::ledger::local {

extern const char* const kHoursSchema;

enum class Kind : std::uint8_t { operation, upgrade, debug };
inline constexpr std::array<std::string_view, 3> kKindNames = {"operation", "upgrade", "debug"};

struct Entry {
    std::int64_t id = 0;
    std::int64_t time = 0;  // on which day, milliseconds since 1970
    std::int64_t ms = 0;    // how long
    Kind kind = Kind::operation;
    std::string text;
};

inline constexpr std::int64_t kMostEntries = 10'000;
inline constexpr std::size_t kLongestText = 300;
inline constexpr std::int64_t kLongestWork = 1'000LL * 3'600'000;

// "1.5h", "90m", "0.25 h": above 0 and at most 1,000 hours, rounded to whole milliseconds. Errors: invalid.
Result<std::int64_t> work_from(std::string_view text);
// Errors: invalid, with the kinds that there are.
Result<Kind> kind_from(std::string_view text);
// "1.5", "0.75": hours with at most four digits after the point.
std::string hours_text(std::int64_t ms);

// Adds one and gives its id. Errors: invalid, where there are kMostEntries or `text` is too long; storage.
Result<std::int64_t> add(store::Database& database, Entry entry);
// Errors: not_found, storage.
Result<> remove(store::Database& database, std::int64_t id);
// From `since` to before `until`, in order of time. Errors: storage.
Result<std::vector<Entry>> entries(store::Database& database, std::int64_t since, std::int64_t until);
// When the first of them was; nullopt: there are none. Errors: storage.
Result<std::optional<std::int64_t>> first_entry(store::Database& database);

// What so long costs at `rate` for an hour, half to even.
Money cost_of_work(std::int64_t ms, Money rate);

}  // namespace tandem::ledger::local
