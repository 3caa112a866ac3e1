#include "alerts/message.h"

#include <gtest/gtest.h>

namespace tandem::alerts {
namespace {

// The example of the specification (standard-webhooks, spec 1.0, its libraries' test): made by another implementation.
TEST(Webhook, is_signed_as_the_standard_says) {
    EXPECT_EQ(signature_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
                           R"({"test": 2432232314})"),
              "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(Alert, says_in_a_sentence_what_is_used_and_until_when) {
    const Alert alert{.id = "alert_1",
                      .type = "budget",
                      .detail =
                          R"({"budget":"keys.alice.budgets[0]","of":"the key 'alice'","window":"day","percent":80,)"
                          R"("limit":"5.000000","spent":"4.020000","currency":"USD","ends":"2026-11-27 00:00 UTC"})",
                      .time = 0};
    EXPECT_EQ(sentence_of(alert),
              "80 % of the budget of 5.000000 USD per day of the key 'alice' is used: 4.020000 USD, until 2026-11-27 "
              "00:00 UTC (keys.alice.budgets[0])");
}

}  // namespace
}  // namespace tandem::alerts
