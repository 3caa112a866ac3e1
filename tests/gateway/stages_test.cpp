// A request's stages are types: what is not decided on cannot be asked of a model, and what has no label cannot be
// decided on. These are facts of the compiler's, so a program that breaks one is not built.
#include "gateway/stages.h"

#include <gtest/gtest.h>

#include <type_traits>

#include "gateway/attempts.h"
#include "gateway/count.h"

namespace tandem::gateway {
namespace {

template <typename T>
concept says_what_is_decided = requires(const T& it) { it.decision(); };

TEST(Stages, are_made_by_the_preparation_alone_and_not_had_twice) {
    EXPECT_FALSE((std::is_default_constructible_v<Labelled>));
    EXPECT_FALSE((std::is_constructible_v<Labelled, privacy::Labelled>));
    EXPECT_FALSE((std::is_copy_constructible_v<Labelled>));
    EXPECT_FALSE((std::is_default_constructible_v<Decided>));
    EXPECT_FALSE((std::is_constructible_v<Decided, Labelled&&>));
    EXPECT_FALSE((std::is_constructible_v<Decided, Labelled&&, learning::Learning::Place>));
    EXPECT_FALSE((std::is_copy_constructible_v<Decided>));
}

TEST(Stages, no_model_is_asked_before_it_is_decided_which) {
    EXPECT_TRUE((std::is_constructible_v<Attempt, Way&, const Decided&, AttemptPlan>));
    EXPECT_FALSE((std::is_constructible_v<Attempt, Way&, AttemptPlan>));
    EXPECT_FALSE((std::is_constructible_v<Attempt, Way&, const Labelled&, AttemptPlan>));
    EXPECT_TRUE((std::is_constructible_v<Attempts, Way&, Preparation&, const Decided&>));
    EXPECT_FALSE((std::is_constructible_v<Attempts, Way&, Preparation&, const Labelled&>));
    EXPECT_TRUE((std::is_invocable_v<decltype(&count_tokens), Way&, const Decided&>));
    EXPECT_FALSE((std::is_invocable_v<decltype(&count_tokens), Way&, const Labelled&>));
}

TEST(Stages, what_is_decided_is_said_by_no_earlier_one) {
    EXPECT_TRUE((says_what_is_decided<Decided>));
    EXPECT_FALSE((says_what_is_decided<Labelled>));
    EXPECT_FALSE((says_what_is_decided<Way>));
    EXPECT_FALSE((std::is_invocable_v<decltype(&Way::new_attempt), Way&, std::string, std::string, Zone>));
}

}  // namespace
}  // namespace tandem::gateway
