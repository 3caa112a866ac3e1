#include "upstream/gate.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tests/support.h"

namespace tandem::upstream {
namespace {

struct Lab {
    test::ManualClock clock;
    Gate gate{clock};
    std::vector<Gate::Pass> passes;
    std::vector<std::string> order;
    std::vector<std::string> refused;
    // Whoever leaves lets the next one in, so that they must be gone before the list of them goes.
    ~Lab() {
        while (!passes.empty()) leave();
    }

    std::shared_ptr<Gate::Ticket> ask(const std::string& key, bool batch = false, std::size_t fixed = 1) {
        return gate.enter({.place = "p", .fixed = fixed, .key = key, .batch = batch},
                          [this, key, batch](Result<Gate::Pass> pass) {
                              if (!pass) return refused.push_back(pass.error().message);
                              order.push_back(key + (batch ? "*" : ""));
                              passes.push_back(std::move(*pass));
                          });
    }
    void leave(Gate::Verdict verdict = Gate::Verdict::none) {
        auto pass = std::move(passes.front());
        passes.erase(passes.begin());
        pass.say(verdict);
    }
};

TEST(Gate, serves_people_before_batches_and_the_keys_in_turn) {
    Lab lab;
    lab.ask("first");
    for (int i = 0; i < 3; ++i) lab.ask("greedy");
    lab.ask("batch", true);
    lab.ask("modest");
    EXPECT_EQ(lab.gate.status("p").waiting, 5U);
    while (!lab.passes.empty()) lab.leave();
    EXPECT_EQ(lab.order, (std::vector<std::string>{"first", "greedy", "modest", "greedy", "greedy", "batch*"}));
    EXPECT_EQ(lab.gate.status("p").running, 0U);
}

TEST(Gate, turns_away_when_too_many_wait) {
    Lab lab;
    lab.ask("a");
    for (std::size_t i = 0; i < Gate::kMostWaiting; ++i) lab.ask("a");
    EXPECT_TRUE(lab.refused.empty());
    lab.ask("b");
    ASSERT_EQ(lab.refused.size(), 1U);
    EXPECT_NE(lab.refused[0].find("256 requests wait for p already"), std::string::npos);
}

TEST(Gate, forgets_who_gave_up) {
    Lab lab;
    lab.ask("a");
    const auto ticket = lab.ask("b");
    lab.ask("c");
    lab.gate.give_up(ticket, {ErrorCode::timeout, "too late"});
    lab.gate.give_up(ticket, {ErrorCode::timeout, "too late"});
    EXPECT_EQ(lab.refused, std::vector<std::string>{"too late"});
    lab.leave();
    EXPECT_EQ(lab.order, (std::vector<std::string>{"a", "c"}));
    lab.gate.give_up(ticket, {ErrorCode::timeout, "too late"});
    lab.leave();
    EXPECT_EQ(lab.gate.status("p").running, 0U);
    EXPECT_EQ(lab.gate.status("p").waiting, 0U);
}

TEST(Gate, takes_nobody_whose_deadline_would_pass) {
    test::ManualClock clock;
    Gate gate(clock);
    std::vector<Gate::Pass> passes;
    std::vector<std::string> refused;
    auto ask = [&](milliseconds time) {
        return gate.enter({"p", 1, "k", false, clock.steady() + time}, [&](Result<Gate::Pass> pass) {
            if (pass)
                passes.push_back(std::move(*pass));
            else
                refused.push_back(pass.error().message);
        });
    };
    auto leave = [&](milliseconds took) {
        clock.now += took;
        auto pass = std::move(passes.front());
        passes.erase(passes.begin());
        pass.say(Gate::Verdict::good);
    };
    ask(seconds(10));
    leave(seconds(1));  // so that an answer is known to take a second
    ask(seconds(10));
    EXPECT_NE(ask(milliseconds(2500)), nullptr);
    EXPECT_EQ(ask(milliseconds(2500)), nullptr) << "one is at it, one waits: the third second is too late";
    ASSERT_EQ(refused.size(), 1U);
    EXPECT_NE(refused[0].find("before its deadline"), std::string::npos);
    leave(seconds(2));  // slower than it was
    EXPECT_TRUE(passes.empty()) << "half a second is left for an answer that takes one";
    EXPECT_EQ(refused.size(), 2U);
    EXPECT_EQ(gate.status("p").running, 0U);
}

TEST(Gate, finds_the_limit_of_a_provider) {
    // One that refuses what is more than ten at once.
    Lab lab;
    constexpr std::size_t kCapacity = 10;
    double least = 1000, most = 0;
    for (int round = 0; round < 4000; ++round) {
        lab.clock.now += milliseconds(100);
        while (lab.gate.status("p").waiting < 20) lab.ask("k", false, 0);
        const bool over = lab.passes.size() > kCapacity;
        lab.leave(over ? Gate::Verdict::overloaded : Gate::Verdict::good);
        if (round < 1000) continue;
        least = std::min(least, lab.gate.status("p").limit);
        most = std::max(most, lab.gate.status("p").limit);
    }
    EXPECT_GE(least, 5);
    EXPECT_LE(most, 12.5);
    for (int i = 0; i < 200; ++i) {
        lab.clock.now += seconds(2);
        while (lab.gate.status("p").waiting < 2) lab.ask("k", false, 0);
        lab.leave(Gate::Verdict::overloaded);
    }
    EXPECT_GE(lab.gate.status("p").limit, Gate::kLeast) << "it never closes";
    while (!lab.passes.empty()) lab.leave();
}

TEST(Gate, holds_from_many_threads) {
    test::ManualClock clock;
    // Who begins to wait just when the last one leaves is easily forgotten: many short rounds, so that it would show.
    for (int round = 0; round < 20; ++round) {
        Gate gate(clock);
        std::atomic<int> inside = 0, most = 0, served = 0;
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([&, t] {
                for (int i = 0; i < 1000; ++i)
                    (void)gate.enter({.place = "p", .fixed = 3, .key = std::to_string(t), .batch = i % 2 == 0},
                                     [&](Result<Gate::Pass> pass) {
                                         if (!pass) return;
                                         const int now = ++inside;
                                         int seen = most;
                                         while (now > seen && !most.compare_exchange_weak(seen, now)) {
                                         }
                                         ++served;
                                         --inside;
                                     });
            });
        for (auto& thread : threads) thread.join();
        EXPECT_LE(most, 4);
        EXPECT_EQ(gate.status("p").running, 0U);
        ASSERT_EQ(gate.status("p").waiting, 0U) << "in round " << round;
        EXPECT_GT(served, 500);
    }
}

}  // namespace
}  // namespace tandem::upstream
