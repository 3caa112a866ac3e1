// The columns of a row of the ledger. Private to ledger/.
#pragma once

#include "ledger/ledger.h"
#include "store/row.h"

namespace tandem::ledger {

// Of `open_attempts`, and of `attempts`, which has more.
store::Columns<AttemptRecord> open_attempt_columns();
store::Columns<AttemptRecord> attempt_columns();
store::Columns<DecisionRecord> decision_columns();

}  // namespace tandem::ledger
