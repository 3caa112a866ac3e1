// What one scope has spent in one kind of window.
//
// A window of the calendar is one cell, from its start to its end; one that rolls is up to kCells + 1 of them, each of
// which counts until the last that may have gone into it is too old. A cell is a row of the table `budget_windows`:
// the next window is another row, so that nothing is ever set back to 0.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/money.h"
#include "base/world.h"
#include "config/budget.h"

namespace tandem::ledger {

struct Spent {
    Money cost;
    Tokens tokens;
    bool operator==(const Spent&) const = default;
};

class Counter {
  public:
    static constexpr std::int64_t kCells = 60;

    Counter(config::BudgetScope of, config::Window window);

    // Of the scope and the window together; two budgets that differ in their limits alone share a counter.
    const std::string& id() const { return id_; }
    const config::BudgetScope& of() const { return of_; }
    const config::Window& window() const { return window_; }

    // The cell that what begins at `at` counts in, in milliseconds of Unix time. `until`: it counts before that; 0:
    // always.
    struct Cell {
        std::int64_t start = 0;
        std::int64_t until = 0;
    };
    Cell cell_at(WallTime at) const;

    void add(Cell cell, Spent spent, WallTime now);
    void forget() { cells_.clear(); }
    Spent spent(WallTime now) const;
    const std::map<std::int64_t, Spent>& cells() const { return cells_; }
    // When the window that `now` lies in began; of one that rolls: what is older does not count.
    std::int64_t start(WallTime now) const;
    // When what is spent now is `most_cost` and `most_tokens` or less, if nothing is added; 0: never.
    std::int64_t when_at_most(WallTime now, Spent most) const;

    // Reserved by attempts under way, whichever window they will be settled in.
    Spent reserved;

  private:
    bool is_over(std::int64_t start, WallTime now) const;

    config::BudgetScope of_;
    config::Window window_;
    std::string id_;
    std::int64_t width_ = 0;               // of a cell of a window that rolls, in milliseconds
    std::map<std::int64_t, Spent> cells_;  // settled, by the start of the cell
    mutable Span span_;                    // of the calendar, looked up last
};

}  // namespace tandem::ledger
