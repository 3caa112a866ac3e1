// What is learned of models from requests that were made by known numbers.
#include "advice/knowledge.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/splitmix.h"

namespace tandem::advice {

namespace {

// Answers of one model: `start` + new tokens / `read` + output / `write`, in milliseconds.
Traffic answers(int count, double start, double read, double write, bool streams, bool one_size = false) {
    Traffic traffic;
    SplitMix64 random(5);
    for (int i = 0; i < count; ++i) {
        Request request;
        request.time_ms = request.attempt_ms = 1'000'000LL * i;
        request.model = traffic.models.number_of("small");
        request.whole = true;
        request.zone = Zone::local;
        const auto draw = [&](std::uint64_t below) { return static_cast<std::int64_t>(random.next() % below); };
        request.usage.input = {one_size ? 1000 : 100 + draw(8000)};
        request.usage.cached_input = {one_size ? 0 : draw(100)};
        request.usage.output = {one_size ? 200 : 1 + draw(900)};
        const auto fresh = static_cast<double>(request.usage.input.count - request.usage.cached_input.count);
        const double first = start + fresh / read;
        request.total_ms = std::llround(first + static_cast<double>(request.usage.output.count) / write);
        request.first_byte_ms = streams ? std::llround(first) : request.total_ms;
        traffic.busy.push_back({0, request.model, {request.attempt_ms, request.attempt_ms + request.total_ms}});
        traffic.requests.push_back(request);
    }
    return traffic;
}

}  // namespace

TEST(Knowledge, findsTheSpeedThatAnswersWereMadeBy) {
    for (const bool streams : {true, false}) {
        const auto knowledge = knowledge_of(answers(200, 80, 1.5, 0.04, streams), {}, {}, {{"small", 1}});
        const auto& speed = *knowledge.find("small")->speed;
        EXPECT_NEAR(speed.start_ms, 80, 2) << streams;
        EXPECT_NEAR(speed.input_per_ms, 1.5, 0.02) << streams;
        EXPECT_NEAR(speed.output_per_ms, 0.04, 0.0005) << streams;
        EXPECT_EQ(speed.answers, 200);
    }
}

TEST(Knowledge, isNotMisledByAModelThatHadToBeLoaded) {
    auto traffic = answers(200, 80, 1.5, 0.04, false);
    for (std::size_t i = 0; i < traffic.requests.size(); i += 40) {
        traffic.requests[i].total_ms += 60'000;
        traffic.requests[i].first_byte_ms += 60'000;
    }
    const auto knowledge = knowledge_of(traffic, {}, {}, {{"small", 1}});
    const auto& speed = *knowledge.find("small")->speed;
    EXPECT_NEAR(speed.output_per_ms, 0.04, 0.002);
    EXPECT_NEAR(speed.total_ms(1000, 0, 200), 80 + 1000 / 1.5 + 200 / 0.04, 100);
}

TEST(Knowledge, foretellsAnswersOfOneSizeAlthoughTheyTellOneNumberAlone) {
    const auto knowledge = knowledge_of(answers(50, 80, 1.5, 0.04, false, true), {}, {}, {{"small", 1}});
    EXPECT_NEAR(knowledge.find("small")->speed->total_ms(1000, 0, 200), 80 + 1000 / 1.5 + 200 / 0.04, 1);
}

// Ten at once on a model that gives one answer at a time: what nine of them waited is no speed of the model's.
TEST(Knowledge, leavesOutWhoWaitedForAnother) {
    auto traffic = answers(100, 0, 1e9, 0.1, true);
    traffic.busy.clear();
    std::int64_t ends = 0;
    for (std::size_t i = 0; i < traffic.requests.size(); ++i) {
        auto& one = traffic.requests[i];
        one.usage.output = {100};  // a second of work
        one.time_ms = one.attempt_ms =
            static_cast<std::int64_t>(i / 10) * 1'000'000 + static_cast<std::int64_t>(i % 10);
        if (i % 10 == 0) ends = one.time_ms;
        ends += 1000;
        one.total_ms = ends - one.time_ms;
        one.first_byte_ms = one.total_ms - 1000;
        traffic.busy.push_back({0, one.model, {one.attempt_ms, ends}});
    }
    const auto knowledge = knowledge_of(traffic, {}, {}, {{"small", 1}});
    const auto& speed = *knowledge.find("small")->speed;
    EXPECT_EQ(speed.answers, 10);
    EXPECT_NEAR(speed.total_ms(1000, 0, 100), 1000, 1);
    // Whoever says that it gives ten at once gets what was seen.
    EXPECT_EQ(knowledge_of(traffic, {}, {}, {{"small", 10}}).find("small")->speed->answers, 100);
}

TEST(Knowledge, correctsWhatWasExpectedByWhatWasSaid) {
    Traffic traffic;
    routing::Table table;
    table.models.emplace_back();
    table.models.front().model = "small";
    table.models.front().quality = 0.5;  // expected of every request, since it has no strength
    std::vector<learning::OutcomeRecord> outcomes;
    for (int i = 0; i < 36; ++i) {
        Request request;
        request.kind = routing::WorkKind::code;
        traffic.requests.push_back(request);
        traffic.ids.push_back("d" + std::to_string(i));
        outcomes.emplace_back();
        outcomes.back().decision = traffic.ids.back();
        outcomes.back().source = "feedback";
        outcomes.back().model = "small";
        outcomes.back().value = 0.9;
    }
    const auto knowledge = knowledge_of(traffic, outcomes, table, {});
    const auto& belief = knowledge.find("small")->belief;
    // d = 36 x 0.4 / (36 + 12) = 0.3; of code (36 x 0.4 + 12 x 0.3) / (36 + 12) = 0.375; of what was not seen, d.
    EXPECT_NEAR(belief.correction, 0.3, 1e-9);
    EXPECT_NEAR(belief.by_kind[static_cast<std::size_t>(routing::WorkKind::code)], 0.375, 1e-9);
    EXPECT_NEAR(belief.by_kind[static_cast<std::size_t>(routing::WorkKind::talk)], 0.3, 1e-9);
    Request code;
    code.kind = routing::WorkKind::code;
    // As easy as what was seen: (36 x 0.4 + 24 x 0.375) / (36 + 24) = 0.39; of hard code nothing was said, so 0.375.
    EXPECT_NEAR(quality_of(table.models.front(), knowledge.find("small"), code), 0.89, 1e-9);
    code.difficulty = 80;
    EXPECT_NEAR(quality_of(table.models.front(), knowledge.find("small"), code), 0.875, 1e-9);
}

// What was said of the model that had the name before counts a quarter.
TEST(Knowledge, countsAnotherModelOfTheSameNameLess) {
    Traffic traffic;
    routing::Table table;
    table.models.emplace_back();
    table.models.front().model = "small";
    table.models.front().quality = 0.5;
    std::vector<learning::OutcomeRecord> outcomes(8);
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        outcomes[i].model = "small";
        outcomes[i].identity = i < 4 ? "old" : "new";
        outcomes[i].value = i < 4 ? 0 : 1;
        outcomes[i].expected = 0.5;
    }
    const auto knowledge = knowledge_of(traffic, outcomes, table, {});
    const auto& belief = knowledge.find("small")->belief;
    EXPECT_NEAR(belief.weight, 4 + 4 * 0.25, 1e-9);
    EXPECT_NEAR(belief.correction, (4 * 0.5 - 4 * 0.25 * 0.5) / (5 + 12), 1e-9);
}

TEST(Knowledge, scalesLengthsOnlyWhereBothAreKnown) {
    Knowledge knowledge;
    knowledge.models["a"].answer_tokens[0] = 100;
    knowledge.models["a"].answers[0] = 20;
    knowledge.models["b"].answer_tokens[0] = 250;
    knowledge.models["b"].answers[0] = 19;
    EXPECT_EQ(output_of(knowledge, "b", "a", routing::WorkKind::talk, 40), 40);
    knowledge.models["b"].answers[0] = 20;
    EXPECT_EQ(output_of(knowledge, "b", "a", routing::WorkKind::talk, 40), 100);
}

}  // namespace tandem::advice
