// An upgrade, on the control thread: both versions on one model, their comparison, and the switch.
#include "engine/upgrade.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <thread>

#include "base/text.h"
#include "engine/programs.h"
#include "engine/state.h"

namespace tandem::engine {

namespace fs = std::filesystem;

namespace {

constexpr milliseconds kAnswerTime{300'000};     // for one question
constexpr std::chrono::minutes kTurnTime{10};    // until both have had their turn of the memory
constexpr std::size_t kMostBytes = 1024 * 1024;  // of an answer
constexpr int kRuns = 5;
constexpr int kTokens = 32;  // of a run

// The tokens of a run are counted by us, for at most as many as were asked for; the end is not the model's to say.
std::string speed_question() {
    return fmt::format(
        "\"messages\":[{{\"role\":\"user\",\"content\":\"Count from one to one hundred in words.\"}}],"
        "\"max_tokens\":{},\"ignore_eos\":true}}",
        kTokens);
}

}  // namespace

// One version in an upgrade, and what it has answered so far.
struct Engines::State::Trial {
    std::shared_ptr<Engine> engine;
    UpgradeSide* side;
    std::vector<std::string> texts;  // of all questions
};

// The text of a 200, and how long it took. The engine is lent for that alone: one that waits while the other one is
// asked would count as hanging.
net::Task<std::optional<std::pair<std::string, milliseconds>>> Engines::State::ask_trial(const Trial& trial,
                                                                                         std::string rest) {
    const auto lease = co_await lend_to(trial);
    if (!lease) co_return std::nullopt;
    auto body = deterministic_request(trial.engine->model.name, rest);
    const auto begun = clock.steady();
    auto text = co_await ask(*trial.engine, {"POST", "/v1/chat/completions", std::move(body), kAnswerTime, kMostBytes});
    lease->progressed(clock.steady());
    if (!text) co_return std::nullopt;
    co_return std::pair(std::move(*text), std::chrono::duration_cast<milliseconds>(clock.steady() - begun));
}

net::Task<> Engines::State::ask_question(Trial& trial, const UpgradeQuestion& question) {
    ++trial.side->asked;
    trial.texts.emplace_back();
    auto said = co_await ask_trial(trial, question.rest);
    json::Document document;
    if (!said || !document.parse(std::move(said->first))) co_return;
    const auto message = first_choice(document.root())["message"];
    if (!message.exists()) co_return;
    ++trial.side->answered;
    if (question.right(document.root())) ++trial.side->right;
    trial.texts.back() = message["content"].text();
    for (const json::Value call : message["tool_calls"].children())
        trial.texts.back() += std::string(" ") + std::string(call["function"].raw());
}

net::Task<> Engines::State::run_for_speed(Trial& trial, bool counts) {
    auto said = co_await ask_trial(trial, speed_question());
    json::Document document;
    if (!counts || !said || !document.parse(std::move(said->first)) || said->second.count() <= 0) co_return;
    const auto tokens =
        std::clamp<std::int64_t>(document.root()["usage"]["completion_tokens"].integer().value_or(0), 0, kTokens);
    trial.side->runs.push_back(static_cast<double>(tokens) * 1000.0 / static_cast<double>(said->second.count()));
}

net::Task<> Engines::State::ask_trials(std::vector<Trial*> trials, const UpgradeWish& wish) {
    for (const auto& question : wish.questions)
        for (auto* trial : trials) co_await ask_question(*trial, question);
    for (int run = 0; run <= kRuns; ++run)
        for (auto* trial : trials) co_await run_for_speed(*trial, run > 0);
    for (auto* trial : trials) {
        trial->side->tokens_per_second = median(trial->side->runs);
        const std::lock_guard lock(mutex);
        trial->side->load_ms = trial->engine->load_took.count();
        trial->side->peak_bytes = trial->engine->shown.memory.resident.peak;
    }
}

net::Task<Result<Lease>> Engines::State::lend_to(const Trial& trial) {
    const auto deadline = clock.steady() + kTurnTime;
    auto lease = co_await net::wait_for<Result<Lease>>(
        [&](auto resume) { want(trial.engine, {next_id++, deadline, std::move(resume)}); });
    co_return lease;
}

// The engine of `model`, or one that is loaded, or the smallest.
Result<std::shared_ptr<Engine>> Engines::State::engine_for_upgrade(const std::string& model) const {
    std::shared_ptr<Engine> best;
    const auto worth = [](const Engine& one) { return std::pair(one.shown.state != "ready", one.shown.planned_bytes); };
    for (const auto& [slot, engine] : by_slot) {
        if (engine->retired || !engine->kind->has_versions || !engine->program.empty()) continue;
        if (!model.empty() && engine->model.id != model) continue;
        if (!best || worth(*engine) < worth(*best)) best = engine;
    }
    if (best) return best;
    if (!model.empty())
        return fail(ErrorCode::not_found, fmt::format("there is no model {} that llama-server runs", model));
    return fail(ErrorCode::not_found, "there is no model that llama-server runs, so there is nothing to upgrade");
}

// The same model with another program, known to the schedule and to nobody else.
std::shared_ptr<Engine> Engines::State::trial_engine(const Engine& like, const fs::path& program) {
    auto trial = std::make_shared<Engine>();
    trial->model = like.model;
    trial->model.id += "@upgrade";
    trial->config = like.config;
    trial->kind = like.kind;
    trial->program = program;
    trial->log = log_file(settings.data, trial->model.id);
    trial->shown.model = trial->model.id;
    trial->shown.log = trial->log;
    trial->slot = schedule.add(ScheduledModel{});
    by_slot[trial->slot] = trial;
    learn_size(*trial);
    return trial;
}

// Whether both fit into the memory with what is loaded now.
bool Engines::State::fit_beside(const Engine& old_one, const Engine& new_one) const {
    std::vector<Schedule::Model> more = {new_one.slot};
    if (!old_one.running) more.push_back(old_one.slot);
    return schedule.has_room_for(more);
}

// Both in turn, or one after the other where the memory has no room for both. Gives why the new one cannot be had.
net::Task<std::string> Engines::State::compare(Trial& old_one, Trial& new_one, const UpgradeWish& wish, bool beside) {
    const bool had = (co_await lend_to(old_one)).has_value();
    if (had && !beside) co_await ask_trials({&old_one}, wish);
    if (const auto lease = co_await lend_to(new_one); !lease) co_return lease.error().message;
    if (had && beside)
        co_await ask_trials({&old_one, &new_one}, wish);
    else
        co_await ask_trials({&new_one}, wish);
    co_return std::string();
}

net::Task<> Engines::State::upgrade(UpgradeWish wish, KeptProgram now, KeptProgram next,
                                    std::function<void(Result<UpgradeReport>)> done) {
    auto engine = engine_for_upgrade(wish.model);
    if (!engine) {
        upgrading = false;
        done(fail(engine.error()));
        --alive;
        co_return;
    }
    UpgradeReport report;
    report.model = (*engine)->model.id;
    report.old_one.sha256 = now.sha256;
    report.old_one.version = now.version;
    report.old_one.file = now.from;
    report.new_one.sha256 = next.sha256;
    report.new_one.version = next.version;
    report.new_one.file = next.from;
    Trial old_one{*engine, &report.old_one, {}};
    Trial new_one{trial_engine(**engine, next.file), &report.new_one, {}};
    report.beside = fit_beside(**engine, *new_one.engine);
    const auto missing = co_await compare(old_one, new_one, wish, report.beside);
    schedule.retire(new_one.engine->slot);
    apply();
    double sum = 0;
    const auto both = std::min(old_one.texts.size(), new_one.texts.size());
    for (std::size_t at = 0; at < both; ++at) sum += wish.agreement(old_one.texts[at], new_one.texts[at]);
    report.agreement = both == 0 ? 1 : sum / static_cast<double>(both);
    report.worse = missing.empty() ? what_is_worse(report) : "it does not run: " + missing;
    Result<> ok;
    if (missing.empty() && (report.worse.empty() || wish.force)) {
        ok = Programs::read(settings.data).use(next.sha256, now.sha256);
        report.switched = ok.has_value();
        if (ok) spdlog::info("engines run {} from now on, in place of {}", next.version, now.version);
        if (ok) configure(config);
    }
    upgrading = false;
    done(ok ? Result<UpgradeReport>(std::move(report)) : fail(ok.error()));
    --alive;
}

void Engines::upgrade(UpgradeWish wish, std::function<void(Result<UpgradeReport>)> done) {
    auto& state = *state_;
    if (state.upgrading.exchange(true))
        return done(fail(ErrorCode::unavailable, "an upgrade runs already; `tandem engine list` shows its engine"));
    ++state.alive;
    // Copies and checksums take their time, and the control thread has engines to look after.
    std::thread([&state, wish = std::move(wish), done = std::move(done)]() mutable {
        const auto give_up = [&](const Error& error) {
            state.upgrading = false;
            done(fail(error));
            --state.alive;
        };
        std::shared_ptr<const config::Config> config;
        {
            const std::lock_guard lock(state.mutex);
            config = state.configured;
        }
        if (!config->engine_binary.empty())
            return give_up({ErrorCode::invalid,
                            fmt::format("engine.binary in tandem.yaml names the program ({}): change it there, or take "
                                        "it out",
                                        config->engine_binary)});
        const auto current = find_binary(*config, state.settings);
        if (!current) return give_up(current.error());
        auto programs = Programs::read(state.settings.data);
        auto now = programs.keep(*current, unix_ms(state.clock.wall()));
        if (!now) return give_up(now.error());
        auto next = programs.keep(wish.program, unix_ms(state.clock.wall()));
        if (!next) return give_up(next.error());
        if (next->sha256 == now->sha256)
            return give_up({ErrorCode::invalid,
                            fmt::format("{} is the program that is in use ({})", wish.program.string(), now->version)});
        state.post([&state, wish = std::move(wish), now = *now, next = *next, done = std::move(done)]() mutable {
            net::asio::co_spawn(state.worker.context(),
                                state.upgrade(std::move(wish), std::move(now), std::move(next), std::move(done)),
                                net::asio::detached);
        });
    }).detach();
}

Result<UpgradeReport> Engines::rollback() {
    auto& state = *state_;
    if (state.upgrading.exchange(true))
        return fail(ErrorCode::unavailable, "an upgrade runs already; go back once it has ended");
    auto programs = Programs::read(state.settings.data);
    const auto* before = programs.before();
    const auto* now = programs.in_use();
    UpgradeReport report;
    Result<> ok;
    if (before == nullptr || now == nullptr) {
        ok = fail(ErrorCode::not_found, "there is no earlier version to go back to: no upgrade was made");
    } else {
        report.old_one.sha256 = now->sha256;
        report.old_one.version = now->version;
        report.new_one.sha256 = before->sha256;
        report.new_one.version = before->version;
        ok = programs.use(report.new_one.sha256, report.old_one.sha256);
    }
    state.upgrading = false;
    if (!ok) return fail(ok.error());
    report.switched = true;
    std::shared_ptr<const config::Config> config;
    {
        const std::lock_guard lock(state.mutex);
        config = state.configured;
    }
    state.configure(config);
    return report;
}

EnginesProgram Engines::program() const {
    const std::lock_guard lock(state_->mutex);
    return state_->program;
}

}  // namespace tandem::engine
