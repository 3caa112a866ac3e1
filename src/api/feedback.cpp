#include "api/feedback.h"

namespace tandem::api {

Result<FeedbackSaid> read_feedback(const json::Value& body) {
    constexpr std::size_t kLongestComment = 2000, kLongestId = 200;
    const auto outcome = body["outcome"];
    const auto word = outcome.string();
    FeedbackSaid said{std::string(body["decision"].text()),
                      word == "good"  ? 1.0
                      : word == "bad" ? 0.0
                                      : outcome.number().value_or(-1),
                      std::string(body["comment"].text())};
    if (said.decision.empty() || said.decision.size() > kLongestId)
        return fail(Fault::invalid_field, "decision is missing: give the x-tandem-decision header of the answer",
                    "decision");
    if (!(said.value >= 0 && said.value <= 1))
        return fail(Fault::invalid_field, "outcome: expected good, bad or a number from 0 to 1", "outcome");
    if (said.comment.size() > kLongestComment)
        return fail(Fault::invalid_field, "comment: longer than 2000 bytes", "comment");
    return said;
}

}  // namespace tandem::api
