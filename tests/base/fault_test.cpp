// Codes of errors: one word for each, which says its kind.
#include <gtest/gtest.h>

#include "base/result.h"

namespace tandem {
namespace {

TEST(Faults, AreComparedAndSetAsTheirKind) {
    Error error{Fault::budget_used_up, "no money"};
    EXPECT_EQ(error.code, ErrorCode::over_budget);
    EXPECT_EQ(error.code.fault(), Fault::budget_used_up);
    EXPECT_EQ(error.code.name(), "budget_used_up");
    error.code = ErrorCode::timeout;  // what is said anew leaves nothing of the old code
    EXPECT_EQ(error.code.fault(), Fault::timeout);
    EXPECT_EQ(error.code.name(), "timeout");
}

TEST(Faults, OfWhichNothingFinerIsKnownHaveTheWordOfTheirKind) {
    const Result<> failed = fail(ErrorCode::upstream, "no");
    EXPECT_EQ(failed.error().code.name(), "upstream");
    EXPECT_TRUE(is_kind(failed.error().code.fault()));
    EXPECT_FALSE(is_kind(Fault::provider_broke_off));
    EXPECT_EQ(Error{}.code.name(), "internal");
}

TEST(Faults, AreFoundByTheirWord) {
    for (std::size_t i = 0; i < kFaults; ++i) {
        const auto fault = static_cast<Fault>(i);
        EXPECT_EQ(fault_named(name_of(fault)), fault);
    }
    EXPECT_EQ(fault_named("no such thing"), std::nullopt);
    EXPECT_EQ(fault_named(""), std::nullopt);
}

}  // namespace
}  // namespace tandem
