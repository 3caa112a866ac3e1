// Which models are in memory when: the rules one by one, and random loads on which every rule must hold.
#include "engine/schedule.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <queue>
#include <random>
#include <set>

namespace tandem::engine {
namespace {

using Model = Schedule::Model;
using Ticket = Schedule::Ticket;
constexpr SteadyTime kStart{std::chrono::hours(1)};

SteadyTime after(int ms) {
    return kStart + milliseconds(ms);
}

ScheduledModel of(std::int64_t bytes, int load_ms = 1'000) {
    ScheduledModel model;
    model.bytes = {bytes};
    model.load = milliseconds(load_ms);
    return model;
}

Schedule::Settings room_for(std::int64_t bytes, bool strict = true) {
    Schedule::Settings settings;
    settings.limits = {bytes};
    settings.strict = strict;
    return settings;
}

// `model` is in memory, and nothing of it is lent since `ms`.
Model loaded(Schedule& schedule, ScheduledModel about, int ms) {
    const auto model = schedule.add(std::move(about));
    schedule.call_for(model, after(ms));
    EXPECT_EQ(schedule.step(after(ms)).load, std::vector{model});
    schedule.loaded(model, after(ms));
    EXPECT_TRUE(schedule.step(after(ms)).empty());
    return model;
}

TEST(Schedule, loads_what_fits_and_lends_to_all_that_wait) {
    Schedule schedule(room_for(10));
    const auto a = schedule.add(of(6));
    const auto first = schedule.want(a, after(0)), second = schedule.want(a, after(5));
    EXPECT_EQ(schedule.step(after(10)).load, std::vector{a});
    EXPECT_TRUE(schedule.step(after(20)).empty());
    schedule.loaded(a, after(900));
    EXPECT_EQ(schedule.step(after(900)).lend, (std::vector{first, second}));
    const auto third = schedule.want(a, after(950));
    EXPECT_EQ(schedule.step(after(950)).lend, std::vector{third});
    EXPECT_EQ(schedule.used(), Bytes{6});
}

TEST(Schedule, unloads_at_once_what_was_idle_for_as_long_as_it_loads) {
    Schedule schedule(room_for(10));
    const auto a = loaded(schedule, of(6, 1'000), 0), b = schedule.add(of(6));
    schedule.want(b, after(400));
    auto steps = schedule.step(after(400));
    EXPECT_TRUE(steps.empty());
    EXPECT_EQ(steps.look_again, after(1'000));
    steps = schedule.step(after(1'000));
    EXPECT_EQ(steps.unload, std::vector{a});
    EXPECT_TRUE(steps.load.empty()) << "its memory is not free before its process has gone";
    schedule.ended(a, after(1'300));
    EXPECT_EQ(schedule.step(after(1'300)).load, std::vector{b});
}

TEST(Schedule, ends_no_request_that_runs_and_gives_no_more_once_its_turn_is_over) {
    Schedule schedule(room_for(10));
    const auto a = loaded(schedule, of(6, 1'000), 0), b = schedule.add(of(6));
    schedule.want(a, after(10));
    EXPECT_EQ(schedule.step(after(10)).lend.size(), 1U);
    schedule.want(b, after(100));
    schedule.want(a, after(9'000));
    EXPECT_EQ(schedule.step(after(9'000)).lend.size(), 1U) << "its turn is not over";
    schedule.done(a, after(10'050));
    EXPECT_TRUE(schedule.step(after(10'100)).empty()) << "one of it still runs";
    schedule.want(a, after(10'200));
    EXPECT_TRUE(schedule.step(after(10'200)).empty()) << "it is the other one's turn";
    schedule.done(a, after(20'000));
    EXPECT_EQ(schedule.step(after(20'000)).unload, std::vector{a});
    schedule.ended(a, after(20'100));
    EXPECT_EQ(schedule.step(after(20'100)).load, std::vector{b});
    schedule.loaded(b, after(21'000));
    EXPECT_EQ(schedule.step(after(21'000)).lend.size(), 1U);
}

TEST(Schedule, keeps_the_model_whose_room_nobody_wants_any_more) {
    Schedule schedule(room_for(10));
    const auto a = loaded(schedule, of(6, 1'000), 0), b = schedule.add(of(6));
    schedule.want(a, after(10));
    (void)schedule.step(after(10));
    const auto waits = schedule.want(b, after(100));
    EXPECT_TRUE(schedule.step(after(11'000)).empty());
    EXPECT_TRUE(schedule.leaves(a));
    const auto more = schedule.want(a, after(11'100));
    EXPECT_TRUE(schedule.step(after(11'100)).empty());
    schedule.give_up(waits, after(11'200));
    EXPECT_EQ(schedule.step(after(11'200)).lend, std::vector{more});
    EXPECT_FALSE(schedule.leaves(a));
}

TEST(Schedule, unloads_what_is_cheap_to_bring_back_and_no_more_than_is_needed) {
    Schedule schedule(room_for(12));
    const auto slow = loaded(schedule, of(4, 9'000), 0), quick = loaded(schedule, of(4, 500), 0),
               small = loaded(schedule, of(2, 9'000), 0);
    const auto comer = schedule.add(of(5));
    schedule.want(comer, after(60'000));
    EXPECT_EQ(schedule.step(after(60'000)).unload, std::vector{quick});
    EXPECT_FALSE(schedule.leaves(slow) || schedule.leaves(small));
}

TEST(Schedule, never_unloads_what_is_pinned_and_refuses_what_can_never_fit) {
    Schedule schedule(room_for(10));
    auto about = of(6);
    about.pinned = true;
    const auto a = schedule.add(about), b = schedule.add(of(6)), c = schedule.add(of(11));
    EXPECT_EQ(schedule.step(after(0)).load, std::vector{a});
    schedule.loaded(a, after(1));
    const auto waits = schedule.want(b, after(2)), never = schedule.want(c, after(2));
    EXPECT_EQ(schedule.step(after(3)).refuse, (std::vector{waits, never}));
    EXPECT_TRUE(schedule.step(after(3'600'000)).empty());
    EXPECT_TRUE(schedule.too_large(b) && schedule.too_large(c));
}

TEST(Schedule, lets_a_model_beyond_a_guessed_limit_have_all_of_it) {
    Schedule schedule(room_for(10, false));
    const auto a = loaded(schedule, of(3), 0), large = schedule.add(of(40));
    EXPECT_FALSE(schedule.too_large(large));
    schedule.want(large, after(60'000));
    EXPECT_EQ(schedule.step(after(60'000)).unload, std::vector{a});
    schedule.ended(a, after(60'001));
    EXPECT_EQ(schedule.step(after(60'001)).load, std::vector{large});
}

TEST(Schedule, ends_a_load_that_nobody_waits_for) {
    Schedule schedule(room_for(10));
    const auto a = schedule.add(of(6, 60'000)), b = schedule.add(of(6));
    const auto one = schedule.want(a, after(0));
    EXPECT_EQ(schedule.step(after(0)).load, std::vector{a});
    schedule.give_up(one, after(5'000));
    EXPECT_EQ(schedule.step(after(5'000)).look_again, after(8'000));
    const auto again = schedule.want(a, after(6'000));
    EXPECT_TRUE(schedule.step(after(8'000)).empty()) << "somebody came back";
    schedule.give_up(again, after(9'000));
    schedule.want(b, after(9'500));
    EXPECT_EQ(schedule.step(after(9'500)).unload, std::vector{a}) << "another one waits for its room";
}

TEST(Schedule, loads_a_small_model_beside_one_that_waits_but_not_into_the_room_being_made) {
    Schedule schedule(room_for(10));
    const auto a = loaded(schedule, of(6, 1'000), 0);
    schedule.want(a, after(0));
    (void)schedule.step(after(0));
    const auto large = schedule.add(of(9)), small = schedule.add(of(3)), tiny = schedule.add(of(1));
    schedule.want(large, after(10));
    schedule.want(small, after(20));
    EXPECT_EQ(schedule.step(after(30)).load, std::vector{small}) << "there is room, and the large one has time";
    schedule.loaded(small, after(40));
    (void)schedule.step(after(40));
    EXPECT_TRUE(schedule.step(after(20'000)).empty()) << "both drain for the large one";
    EXPECT_TRUE(schedule.leaves(a) && schedule.leaves(small));
    schedule.want(tiny, after(20'010));
    EXPECT_EQ(schedule.step(after(20'010)).load, std::vector{tiny}) << "there is room for both";
}

TEST(Schedule, loads_and_unloads_groups_as_one) {
    Schedule schedule(room_for(10));
    auto about = of(3);
    about.group = "coding";
    const auto a = schedule.add(about), b = schedule.add(about), c = schedule.add(of(8));
    schedule.want(a, after(0));
    EXPECT_EQ(schedule.step(after(0)).load, (std::vector{a, b}));
    schedule.loaded(a, after(10));
    EXPECT_EQ(schedule.step(after(10)).lend.size(), 1U);
    schedule.loaded(b, after(20));
    schedule.done(a, after(30));
    schedule.want(c, after(60'000));
    EXPECT_EQ(schedule.step(after(60'000)).unload, (std::vector{a, b}));
}

TEST(Schedule, loads_again_what_failed_once_its_time_has_come_where_there_is_room) {
    Schedule schedule(room_for(10));
    const auto a = loaded(schedule, of(6), 0), b = schedule.add(of(6));
    schedule.failed(a, after(100), after(600));
    EXPECT_EQ(schedule.step(after(100)).look_again, after(600));
    EXPECT_EQ(schedule.step(after(600)).load, std::vector{a});
    schedule.failed(a, after(700), after(1'700));
    schedule.want(b, after(800));
    EXPECT_EQ(schedule.step(after(800)).load, std::vector{b});
    EXPECT_TRUE(schedule.step(after(1'700)).empty()) << "nobody goes for it";
}

TEST(Schedule, loads_what_failed_at_once_for_somebody_who_asks) {
    Schedule schedule(room_for(10));
    const auto a = loaded(schedule, of(6), 0);
    schedule.failed(a, after(100), after(600'000));
    EXPECT_TRUE(schedule.step(after(100)).empty());
    schedule.want(a, after(200));
    EXPECT_EQ(schedule.step(after(200)).load, std::vector{a});
}

TEST(Schedule, preloads_one_again_that_made_room_but_not_one_that_was_idle) {
    Schedule schedule(room_for(10));
    auto small = of(4);
    small.preload = true;
    const auto a = schedule.add(small);
    EXPECT_EQ(schedule.step(after(0)).load, std::vector{a});
    schedule.loaded(a, after(1'000));
    EXPECT_TRUE(schedule.step(after(1'000)).empty());
    const auto b = schedule.add(of(8));
    const auto ticket = schedule.want(b, after(5'000));
    EXPECT_EQ(schedule.step(after(5'000)).unload, std::vector{a});
    schedule.ended(a, after(5'100));
    EXPECT_EQ(schedule.step(after(5'100)).load, std::vector{b});
    schedule.loaded(b, after(6'000));
    EXPECT_EQ(schedule.step(after(6'000)).lend, std::vector{ticket});
    schedule.done(b, after(7'000));
    EXPECT_TRUE(schedule.step(after(7'000)).load.empty()) << "there is no room for it";
    const auto idle = after(7'000) + milliseconds(900'000);
    EXPECT_EQ(schedule.step(idle).unload, std::vector{b});
    schedule.ended(b, idle);
    EXPECT_EQ(schedule.step(idle).load, std::vector{a});
    schedule.loaded(a, idle);
    const auto later = idle + milliseconds(900'000);
    EXPECT_EQ(schedule.step(later).unload, std::vector{a});
    schedule.ended(a, later);
    EXPECT_TRUE(schedule.step(later).load.empty());
}

TEST(Schedule, keeps_the_memories_of_gpus_apart) {
    Schedule::Settings settings;
    settings.limits = {10, 8};
    settings.strict = true;
    Schedule schedule(settings);
    ScheduledModel on_gpu = of(1);
    on_gpu.bytes = {1, 6};
    const auto a = loaded(schedule, on_gpu, 0), cpu = loaded(schedule, of(5), 0), b = schedule.add(on_gpu);
    schedule.want(b, after(60'000));
    EXPECT_EQ(schedule.step(after(60'000)).unload, std::vector{a}) << "what is not on the GPU makes no room there";
    EXPECT_FALSE(schedule.leaves(cpu));
}

TEST(Schedule, gives_a_model_what_a_pinned_one_leaves_of_a_gpu) {
    Schedule::Settings settings;
    settings.limits = {10, 8};
    settings.strict = true;
    Schedule schedule(settings);
    ScheduledModel pinned = of(1), large = of(1);
    pinned.bytes = {1, 6};
    pinned.pinned = true;
    large.bytes = {1, 8};
    loaded(schedule, pinned, 0);
    const auto b = schedule.add(large);
    schedule.want(b, after(60'000));
    EXPECT_FALSE(schedule.too_large(b)) << "its engine puts there what fits";
    EXPECT_EQ(schedule.step(after(60'000)).load, std::vector{b});
}

// ---- a simulated machine ----

struct World {
    struct Spec {
        ScheduledModel about;
        int real_load_ms = 0;  // what it takes in truth
    };
    struct Client {
        std::size_t model = 0;
        int runs_ms = 0;
        int thinks_ms = 0;    // between an answer and the next request
        int patience_ms = 0;  // it leaves then; 0: it stays
    };
    std::vector<Spec> specs;
    std::vector<Client> clients;
    int unload_ms = 50;
    int until_ms = 60'000;
};

struct Outcome {
    std::vector<int> served;      // by client
    std::vector<int> worst_wait;  // ms, by client, of what was lent
    int loads = 0;
    int still_waiting_ms = 0;  // the longest wait that had no end
};

// Runs it, and checks each rule at each step.
class Machine {
  public:
    Machine(const World& world, Schedule::Settings settings) : world_(world), schedule_(std::move(settings)) {
        for (const auto& spec : world.specs) models_.push_back(schedule_.add(spec.about));
        state_.resize(models_.size());
        outcome_.served.resize(world.clients.size());
        outcome_.worst_wait.resize(world.clients.size());
        for (std::size_t i = 0; i < world.clients.size(); ++i) events_.push({static_cast<int>(i) % 7, Kind::ask, i, 0});
    }

    Outcome run() {
        while (!events_.empty() && events_.top().at < world_.until_ms) {
            const auto event = events_.top();
            events_.pop();
            now_ = event.at;
            take(event);
            apply();
        }
        for (const auto& [ticket, one] : waiting_)
            outcome_.still_waiting_ms = std::max(outcome_.still_waiting_ms, now_ - one.second);
        return outcome_;
    }

  private:
    enum class Kind { ask, leave, loaded, gone, done, look };
    struct Event {
        int at;
        Kind kind;
        std::size_t who;  // a client, or a model
        std::uint64_t ticket;
        bool operator<(const Event& other) const { return at > other.at; }
    };
    struct State {
        bool process = false, in = false;
        int lent = 0, epoch = 0;
    };
    void take(const Event& event) {
        switch (event.kind) {
            case Kind::ask: {
                const auto& client = world_.clients[event.who];
                const auto ticket = schedule_.want(models_[client.model], after(now_));
                waiting_[ticket] = {event.who, now_};
                if (client.patience_ms > 0) events_.push({now_ + client.patience_ms, Kind::leave, event.who, ticket});
                break;
            }
            case Kind::leave:
                if (waiting_.erase(event.ticket) > 0) {
                    schedule_.give_up(event.ticket, after(now_));
                    events_.push({now_ + 1 + world_.clients[event.who].thinks_ms, Kind::ask, event.who, 0});
                }
                break;
            case Kind::loaded:
                if (state_[event.who].epoch == static_cast<int>(event.ticket)) {
                    state_[event.who].in = true;
                    schedule_.loaded(models_[event.who], after(now_));
                }
                break;
            case Kind::gone:
                state_[event.who].process = false;
                schedule_.ended(models_[event.who], after(now_));
                break;
            case Kind::done: {
                const auto& client = world_.clients[event.who];
                --state_[client.model].lent;
                ++outcome_.served[event.who];
                schedule_.done(models_[client.model], after(now_));
                events_.push({now_ + client.thinks_ms, Kind::ask, event.who, 0});
                break;
            }
            case Kind::look:
                break;
        }
    }

    std::size_t index(Model model) const {
        return static_cast<std::size_t>(std::ranges::find(models_, model) - models_.begin());
    }

    void apply() {
        const auto steps = schedule_.step(after(now_));
        for (const auto ticket : steps.lend) {
            const auto [client, since] = waiting_.at(ticket);
            waiting_.erase(ticket);
            const auto model = world_.clients[client].model;
            ASSERT_TRUE(state_[model].in) << "lent what is not loaded";
            ++state_[model].lent;
            outcome_.worst_wait[client] = std::max(outcome_.worst_wait[client], now_ - since);
            events_.push({now_ + world_.clients[client].runs_ms, Kind::done, client, 0});
        }
        for (const auto ticket : steps.refuse) waiting_.erase(ticket);
        for (const auto model : steps.unload) {
            const auto i = index(model);
            ASSERT_EQ(state_[i].lent, 0) << "unloaded while a request runs";
            ASSERT_FALSE(world_.specs[i].about.pinned);
            ASSERT_TRUE(state_[i].process);
            state_[i].in = false;
            ++state_[i].epoch;
            events_.push({now_ + world_.unload_ms, Kind::gone, i, 0});
        }
        for (const auto model : steps.load) {
            const auto i = index(model);
            ASSERT_FALSE(state_[i].process) << "two processes of one model";
            state_[i].process = true;
            ++outcome_.loads;
            events_.push(
                {now_ + world_.specs[i].real_load_ms, Kind::loaded, i, static_cast<std::uint64_t>(++state_[i].epoch)});
        }
        check_memory();
        if (steps.look_again != SteadyTime::max()) {
            const auto in = std::chrono::ceil<milliseconds>(steps.look_again - kStart).count();
            ASSERT_GT(in, now_) << "it would be asked again at once, for ever";
            if (looks_.insert(static_cast<int>(in)).second) events_.push({static_cast<int>(in), Kind::look, 0, 0});
        }
    }

    void check_memory() {
        for (std::size_t memory = 0; memory < limits.size(); ++memory) {
            std::int64_t sum = 0;
            for (std::size_t i = 0; i < models_.size(); ++i)
                if (state_[i].process) sum += world_.specs[i].about.bytes[memory];
            ASSERT_LE(sum, limits[memory]) << "memory " << memory << " at " << now_;
        }
    }

  public:
    Bytes limits;
    Schedule& schedule() { return schedule_; }

  private:
    const World& world_;
    Schedule schedule_;
    std::vector<Model> models_;
    std::vector<State> state_;
    std::map<Ticket, std::pair<std::size_t, int>> waiting_;
    std::priority_queue<Event> events_;
    std::set<int> looks_;
    int now_ = 0;
    Outcome outcome_;
};

World::Spec spec(std::int64_t bytes, int load_ms) {
    return {of(bytes, load_ms), load_ms};
}

// First come, first served: the model of the oldest request is loaded, and goes once that request has run.
Outcome first_come(const World& world) {
    Outcome outcome;
    outcome.served.resize(world.clients.size());
    outcome.worst_wait.resize(world.clients.size());
    std::set<std::pair<int, std::size_t>> asks;
    for (std::size_t i = 0; i < world.clients.size(); ++i) asks.insert({static_cast<int>(i) % 7, i});
    int now = 0;
    std::size_t in = world.specs.size();
    while (!asks.empty()) {
        const auto [asked, client] = *asks.begin();
        asks.erase(asks.begin());
        now = std::max(now, asked);
        if (now >= world.until_ms) break;
        const auto& who = world.clients[client];
        if (in != who.model) {
            now += (in < world.specs.size() ? world.unload_ms : 0) + world.specs[who.model].real_load_ms;
            ++outcome.loads;
            in = who.model;
        }
        outcome.worst_wait[client] = std::max(outcome.worst_wait[client], now - asked);
        now += who.runs_ms;
        ++outcome.served[client];
        asks.insert({now + who.thinks_ms, client});
    }
    return outcome;
}

TEST(Schedule, serves_two_loops_on_one_model_and_one_on_another_better_than_first_come) {
    World world;
    world.specs = {spec(6, 1'200), spec(6, 1'200)};
    world.clients = {{0, 300, 5, 0}, {0, 300, 5, 0}, {1, 300, 5, 0}};
    world.until_ms = 600'000;
    auto settings = room_for(10);
    Machine machine(world, settings);
    machine.limits = {10};
    const auto ours = machine.run(), theirs = first_come(world);
    ASSERT_FALSE(HasFatalFailure());
    const auto sum = [](const std::vector<int>& all) { return std::accumulate(all.begin(), all.end(), 0); };
    EXPECT_GT(sum(ours.served), sum(theirs.served) * 2) << ours.loads << " loads against " << theirs.loads;
    const auto bound = machine.schedule().worst_turn().count() + 300 + world.unload_ms + 1'200;
    EXPECT_LE(ours.worst_wait[2], bound);
    EXPECT_LE(ours.worst_wait[0], bound);
    EXPECT_GT(ours.served[2], 50) << "nobody starves";
    ::testing::Test::RecordProperty("served", fmt::format("{} against {}", sum(ours.served), sum(theirs.served)));
}

// Every wait has an end within the turns of the others. TANDEM_ROUNDS=100000 takes 10 s in a release build, and many
// minutes with sanitizers.
TEST(Schedule, holds_its_rules_on_random_loads) {
    const char* asked = std::getenv("TANDEM_ROUNDS");
    const int rounds = asked != nullptr ? std::atoi(asked) : 3'000;
    std::mt19937 random(20261127);  // NOLINT: the same loads each time
    const auto any = [&](int from, int to) { return std::uniform_int_distribution<int>(from, to)(random); };
    int served = 0, loads = 0;
    double worst_share = 0;
    for (int round = 0; round < rounds; ++round) {
        World world;
        const int models = any(2, 5), clients = any(1, 6);
        // Of the machine, and of a GPU in half of the rounds.
        Bytes largest(any(1, 2), 0), pinned(largest.size(), 0), group(largest.size(), 0);
        for (int i = 0; i < models; ++i) {
            auto one = spec(any(1, 40), any(20, 3'000));
            one.about.idle_unload = milliseconds(any(0, 3) == 0 ? any(50, 2'000) : 900'000);
            one.about.preload = any(0, 5) == 0;
            if (any(0, 7) == 0) one.about.pinned = true;
            if (any(0, 4) == 0) one.about.group = "g";
            one.real_load_ms = std::max(1, one.real_load_ms * any(50, 200) / 100);
            if (largest.size() > 1) one.about.bytes.push_back(any(0, 2) == 0 ? 0 : any(1, 40));
            for (std::size_t memory = 0; memory < largest.size(); ++memory) {
                const auto bytes = one.about.bytes[memory];
                if (one.about.pinned) pinned[memory] += bytes;
                if (!one.about.group.empty()) group[memory] += bytes;
                largest[memory] = std::max(largest[memory], bytes);
            }
            world.specs.push_back(one);
        }
        int longest_run = 0, longest_load = 0;
        for (int i = 0; i < clients; ++i) {
            World::Client client{static_cast<std::size_t>(any(0, models - 1)), any(1, 800),
                                 any(0, 3) == 0 ? any(0, 2'000) : any(0, 20), any(0, 4) == 0 ? any(10, 5'000) : 0};
            longest_run = std::max(longest_run, client.runs_ms);
            world.clients.push_back(client);
        }
        for (const auto& one : world.specs) longest_load = std::max(longest_load, one.real_load_ms);
        world.until_ms = round % 20 == 0 ? 20'000 : 2'500;
        auto settings = room_for(0);
        settings.limits.clear();
        for (std::size_t memory = 0; memory < largest.size(); ++memory)
            settings.limits.push_back(pinned[memory] + std::max(largest[memory], group[memory]) + any(0, 40));
        settings.patience = milliseconds(any(100, 2'000));
        Machine machine(world, settings);
        machine.limits = settings.limits;
        const auto outcome = machine.run();
        ASSERT_FALSE(HasFatalFailure()) << "round " << round;
        const auto turn = machine.schedule().worst_turn().count() + longest_load + longest_run + world.unload_ms;
        const auto bound = turn * models;
        for (const auto wait : outcome.worst_wait) ASSERT_LE(wait, bound) << "round " << round;
        ASSERT_LE(outcome.still_waiting_ms, bound) << "round " << round;
        for (const auto wait : outcome.worst_wait)
            worst_share = std::max(worst_share, static_cast<double>(wait) / static_cast<double>(bound));
        served += std::accumulate(outcome.served.begin(), outcome.served.end(), 0);
        loads += outcome.loads;
    }
    EXPECT_GT(served, loads) << "it does more than load";
    fmt::print("{} served, {} loads; the longest wait was {:.2f} of its bound\n", served, loads, worst_share);
}

}  // namespace
}  // namespace tandem::engine
