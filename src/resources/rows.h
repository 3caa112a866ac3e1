// Reading rows of our tables. Private to resources/.
#pragma once

#include <algorithm>

#include "base/label.h"
#include "store/store.h"

namespace tandem::resources {

inline Label label_in(const store::Statement& row, int column) {
    return static_cast<Label>(std::clamp<std::int64_t>(row.integer(column), 0, 3));
}

}  // namespace tandem::resources
