#include "engine/engines.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <thread>

#include "base/text.h"
#include "engine/state.h"

namespace tandem::engine {

namespace fs = std::filesystem;

namespace {

bool same_engine(const config::Model& a, const config::Model& b) {
    return a.id == b.id && a.name == b.name && a.file == b.file && a.context_tokens == b.context_tokens &&
           a.slots == b.slots && a.load_timeout == b.load_timeout && a.args == b.args && a.command == b.command;
}

bool same_program(const config::Config& a, const config::Config& b) {
    return a.engine_binary == b.engine_binary && a.engine_sandbox == b.engine_sandbox &&
           a.engine_readable == b.engine_readable;
}

}  // namespace

Engines::State::State(EnginesSettings given, Random& random, const Clock& clock)
    : settings(std::move(given)),
      random(random),
      clock(clock),
      client(worker, client_shared),
      machine(machine_memory()),
      incidents(settings.data / "engines" / "incidents.json"),
      measured(settings.data / "engines" / "measured.json"),
      schedule({}),
      timer(worker.context()) {
    // What a Tandem that was ended by force has left.
    PromptFolders(settings.data).remove_all();
    worker.start();
}

std::shared_ptr<Engine> Engines::State::find(const std::string& model) const {
    const std::lock_guard lock(mutex);
    const auto found = engines.find(model);
    return found == engines.end() ? nullptr : found->second;
}

Result<Lease> Engines::State::lend(const std::shared_ptr<Engine>& engine) {
    ++engine->in_use;
    engine->answered = engine->answered || *engine->heard > engine->last_lent;
    *engine->heard = engine->last_lent = steady_ms();
    auto hold = std::shared_ptr<void>(nullptr, [this, engine](void*) {
        --engine->in_use;
        post([this, engine] {
            schedule.done(engine->slot, clock.steady());
            apply();
        });
    });
    if (engine->supervision.on_port && engine->port.look(engine->shown.pid) != EnginePort::State::ours)
        return fail(Fault::engine_down, fmt::format("the engine of {} does not listen on its port {} any more",
                                                    engine->model.id, engine->port.number()));
    return Lease(std::move(hold), engine->address, engine->key, engine->heard, engine->port.number());
}

void Engines::State::answer_all(Engine& engine, const Error& error) {
    for (auto& [ticket, waiter] : std::exchange(engine.waiters, {})) {
        schedule.give_up(ticket, clock.steady());
        waiter.done(fail(error));
    }
}

// Those whose time is over get told; gives when the next one's is.
SteadyTime Engines::State::answer_late() {
    const auto now = clock.steady();
    auto next = SteadyTime::max();
    for (auto& [slot, engine] : by_slot)
        std::erase_if(engine->waiters, [&](auto& one) {
            auto& waiter = one.second;
            if (waiter.deadline > now) {
                next = std::min(next, waiter.deadline);
                return false;
            }
            schedule.give_up(one.first, now);
            waiter.done(fail(Fault::engine_loading,
                             fmt::format("the engine of {} was still {} when the deadline of the request passed",
                                         engine->model.id, engine->running ? "loading" : "waiting for its turn")));
            return true;
        });
    return next;
}

void Engines::State::want(const std::shared_ptr<Engine>& engine, Waiter waiter) {
    // Its config is taken over by what comes behind this.
    if (engine->slot == 0) return post([this, engine, waiter = std::move(waiter)] { want(engine, waiter); });
    if (ending || refusing) return waiter.done(fail(Fault::server_stopping, "Tandem is stopping"));
    if (clock.steady() < engine->rests_until)
        return waiter.done(fail(Fault::engine_down, fmt::format("the engine of {} does not run: {}", engine->model.id,
                                                                engine->shown.last_error)));
    if (!engine->running) learn_size(*engine);
    if (schedule.too_large(engine->slot)) return waiter.done(fail(too_large(*engine)));
    engine->waiters.emplace(schedule.want(engine->slot, clock.steady()), std::move(waiter));
    apply();
}

void Engines::State::give_up(std::uint64_t id, const Error& error) {
    for (auto& [slot, engine] : by_slot) {
        const auto found = std::ranges::find_if(engine->waiters, [&](const auto& one) { return one.second.id == id; });
        if (found == engine->waiters.end()) continue;
        schedule.give_up(found->first, clock.steady());
        auto done = std::move(found->second.done);
        engine->waiters.erase(found);
        done(fail(error));
        return apply();
    }
}

void Engines::State::apply() {
    // Those that are not in the config any more, and have gone.
    std::erase_if(by_slot, [&](const auto& one) { return !schedule.knows(one.first); });
    auto wake = answer_late();
    const auto now = clock.steady();
    const auto steps = ending ? Schedule::Steps{} : schedule.step(now);
    const auto take = [&](Schedule::Ticket ticket) -> std::pair<std::shared_ptr<Engine>, Waiter> {
        for (auto& [slot, engine] : by_slot)
            if (const auto found = engine->waiters.find(ticket); found != engine->waiters.end()) {
                auto waiter = std::move(found->second);
                engine->waiters.erase(found);
                return {engine, std::move(waiter)};
            }
        return {};
    };
    for (const auto slot : steps.load) {
        auto& engine = by_slot.at(slot);
        engine->running = true;
        ++alive;
        net::asio::co_spawn(worker.context(), run(engine), net::asio::detached);
    }
    for (const auto slot : steps.unload) by_slot.at(slot)->unload_wanted = true;
    std::vector<std::pair<std::function<void(Result<Lease>)>, Result<Lease>>> told;
    for (const auto ticket : steps.lend)
        if (auto [engine, waiter] = take(ticket); engine) told.emplace_back(std::move(waiter.done), lend(engine));
    for (const auto ticket : steps.refuse)
        if (auto [engine, waiter] = take(ticket); engine)
            told.emplace_back(std::move(waiter.done), fail(too_large(*engine)));
    for (auto& [slot, engine] : by_slot) show(*engine);
    {
        const std::lock_guard lock(mutex);
        const auto used = schedule.used();
        memory.used_bytes = used.empty() ? 0 : used[0];
        for (std::size_t i = 0; i < memory.devices.size(); ++i)
            memory.devices[i].used_bytes = i + 1 < used.size() ? used[i + 1] : 0;
    }
    arm(std::min(wake, steps.look_again));
    for (auto& [done, lease] : told) done(std::move(lease));
}

void Engines::State::arm(SteadyTime when) {
    if (when == SteadyTime::max()) {
        timer.cancel();
        return;
    }
    const auto left = std::chrono::ceil<milliseconds>(when - clock.steady());
    timer.expires_after(std::max(left, milliseconds(1)));
    timer.async_wait([this](const boost::system::error_code& error) {
        if (!error) apply();
    });
}

// What others are told of it.
void Engines::State::show(Engine& engine) {
    const auto now = clock.steady();
    const auto since = schedule.waiting_since(engine.slot);
    const auto waits = since ? std::chrono::duration_cast<milliseconds>(now - *since) : milliseconds(0);
    const auto expected = schedule.expected_wait(engine.slot, now);
    const std::lock_guard lock(mutex);
    engine.shown.waiting = engine.waiters.size();
    engine.shown.longest_wait = std::max(engine.shown.longest_wait, waits);
    engine.shown.expected_wait = expected;
    if (engine.shown.state == "ready" && schedule.leaves(engine.slot)) engine.shown.state = "leaving";
    if (engine.shown.state == "leaving" && !schedule.leaves(engine.slot)) engine.shown.state = "ready";
}

// What the config says now. Those that wait for an engine that goes wait for the one that comes in its place.
void Engines::State::take_over(const std::vector<std::shared_ptr<Engine>>& all,
                               const std::vector<std::shared_ptr<Engine>>& gone) {
    share_memory();
    PromptFolders(settings.data).make_room(0, static_cast<std::int64_t>(config->engine_prompts));
    for (const auto& engine : all) {
        const auto* model = config->model(engine->model.id);
        if (model != nullptr) engine->model = *model;
        engine->config = config;
        ScheduledModel about;
        if (engine->slot != 0) about = schedule.about(engine->slot);
        about.idle_unload = engine->model.idle_unload;
        about.pinned = engine->model.pin;
        about.preload = engine->model.preload;
        about.group = engine->model.group;
        if (engine->slot != 0) {
            schedule.change(engine->slot, std::move(about));
            continue;
        }
        engine->slot = schedule.add(std::move(about));
        by_slot[engine->slot] = engine;
        learn_size(*engine);
    }
    for (const auto& engine : gone) {
        engine->retired = true;
        auto waiters = std::exchange(engine->waiters, {});
        for (auto& [ticket, waiter] : waiters) {
            schedule.give_up(ticket, clock.steady());
            if (auto next = find(engine->model.id); next && next->slot != 0)
                want(next, std::move(waiter));
            else
                waiter.done(
                    fail(Fault::unknown_model, fmt::format("{} was taken out of the config", engine->model.id)));
        }
        schedule.retire(engine->slot);
    }
    apply();
}

Engines::Engines(EnginesSettings settings, Random& random, const Clock& clock)
    : state_(std::make_unique<State>(std::move(settings), random, clock)) {}

Engines::~Engines() {
    state_->ending = true;
    while (state_->alive > 0) std::this_thread::sleep_for(milliseconds(5));
    state_->worker.stop();
    PromptFolders(state_->settings.data).remove_all();
}

void Engines::State::learn_program(const config::Config& config) {
    const bool any = std::ranges::any_of(config.models, [&](const config::Model& model) {
        const auto* kind = engine_kind(*config.provider(model.provider));
        return kind != nullptr && kind->has_versions;
    });
    if (!any) return;
    const auto file = find_binary(config, settings);
    std::error_code error;
    std::string seen;
    if (file)
        seen = fmt::format("{} {} {}", file->string(), fs::file_size(*file, error),
                           fs::last_write_time(*file, error).time_since_epoch().count());
    {
        const std::lock_guard lock(mutex);
        if (seen == program_seen) return;
        program_seen = seen;
        program = {file.value_or(fs::path()), {}};
    }
    if (!file) return;
    ++alive;
    std::thread([this, file = *file] {
        auto version = version_of(file);
        auto devices = devices_of(file);
        {
            const std::lock_guard lock(mutex);
            if (program.file == file) {
                program.version = std::move(version);
                post([this, devices = std::move(devices)]() mutable { take_devices(std::move(devices)); });
            }
        }
        --alive;
    }).detach();
}

void Engines::State::configure(const std::shared_ptr<const config::Config>& config) {
    std::vector<std::shared_ptr<Engine>> all, gone;
    learn_program(*config);
    {
        const std::lock_guard lock(mutex);
        configured = config;
        std::unordered_map<std::string, std::shared_ptr<Engine>> next;
        for (const auto& model : config->models) {
            const auto* kind = engine_kind(*config->provider(model.provider));
            if (kind == nullptr) continue;
            const auto chosen = kind->program({*config, model, settings, machine}).value_or(fs::path());
            const auto old = engines.find(model.id);
            if (old != engines.end() && old->second->kind == kind && old->second->chosen == chosen &&
                same_engine(old->second->model, model) && same_program(*old->second->config, *config)) {
                next.emplace(model.id, old->second);
            } else {
                auto engine = std::make_shared<Engine>();
                engine->model = model;
                engine->config = config;
                engine->kind = kind;
                engine->chosen = chosen;
                engine->log = log_file(settings.data, model.id);
                engine->shown.model = model.id;
                engine->shown.kind = kind->provider;
                engine->shown.log = engine->log;
                next.emplace(model.id, std::move(engine));
            }
            all.push_back(next.at(model.id));
        }
        for (const auto& [id, engine] : engines)
            if (!next.contains(id) || next[id] != engine) gone.push_back(engine);
        engines = std::move(next);
    }
    post([this, config, all = std::move(all), gone = std::move(gone)] {
        this->config = config;
        take_over(all, gone);
    });
}

void Engines::configure(std::shared_ptr<const config::Config> config) {
    state_->configure(config);
}

const EnginesSettings& Engines::settings() const {
    return state_->settings;
}

std::uint64_t Engines::acquire(const std::string& model, SteadyTime deadline, std::function<void(Result<Lease>)> done) {
    auto& state = *state_;
    auto engine = state.find(model);
    if (!engine) {
        done(fail(Fault::unknown_model, fmt::format("there is no engine for model {}", model)));
        return 0;
    }
    const auto id = state.next_id++;
    state.post([&state, engine, model, id, deadline, done = std::move(done)]() mutable {
        // The config may have changed since.
        if (engine->retired) {
            engine = state.find(model);
            if (!engine) return done(fail(Fault::unknown_model, fmt::format("{} is not in the config", model)));
        }
        state.want(engine, {id, deadline, std::move(done)});
    });
    return id;
}

void Engines::give_up(std::uint64_t waiting) {
    if (waiting == 0) return;
    auto& state = *state_;
    state.post(
        [&state, waiting] { state.give_up(waiting, {Fault::cancelled, "nobody waits for the engine any more"}); });
}

void Engines::forgive(const std::string& model) {
    auto& state = *state_;
    if (auto engine = state.find(model))
        state.post([&state, engine] {
            engine->failures = 0;
            engine->backoff = milliseconds(0);
            const std::lock_guard lock(state.mutex);
            engine->rests_until = {};
            if (engine->shown.state == "waiting" || engine->shown.state == "quarantined")
                engine->shown.state = "stopped";
        });
}

void Engines::stop(const std::string& model, std::function<void(Result<>)> done) {
    auto& state = *state_;
    auto engine = state.find(model);
    if (!engine) {
        done(fail(Fault::unknown_model, fmt::format("there is no engine for model {}", model)));
        return;
    }
    state.post([&state, engine, done = std::move(done)] {
        engine->stop_wanted = true;
        if (!engine->running)
            state.answer_all(*engine,
                             {Fault::engine_down, fmt::format("the engine of {} was stopped", engine->model.id)});
        state.apply();
        done({});
    });
}

void Engines::refuse_from_now() {
    auto& state = *state_;
    state.post([&state] {
        state.refusing = true;
        for (const auto& [slot, engine] : state.by_slot)
            state.answer_all(*engine, {Fault::server_stopping, "Tandem is stopping"});
    });
}

std::string Engines::unhealthy(const std::string& model) const {
    const auto now = state_->clock.steady();
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->engines.find(model);
    if (found == state_->engines.end()) return "its engine is not configured";
    if (now < found->second->rests_until)
        return fmt::format("its engine does not run: {}", found->second->shown.last_error);
    return {};
}

milliseconds Engines::expected_wait(const std::string& model) const {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->engines.find(model);
    return found == state_->engines.end() ? milliseconds(0) : found->second->shown.expected_wait;
}

std::vector<EngineStatus> Engines::status() const {
    std::vector<EngineStatus> result;
    {
        const auto now = state_->clock.steady();
        const std::lock_guard lock(state_->mutex);
        for (const auto& [id, engine] : state_->engines) {
            auto shown = engine->shown;
            shown.in_use = engine->in_use;
            const bool rested = now >= engine->rests_until;
            if (rested && (shown.state == "waiting" || shown.state == "quarantined")) shown.state = "stopped";
            if (shown.state == "stopped" && shown.waiting > 0) shown.state = "queued";
            result.push_back(std::move(shown));
        }
    }
    for (auto& one : result) one.incidents = state_->incidents.count(one.model);
    std::ranges::sort(result, {}, &EngineStatus::model);
    return result;
}

EnginesMemory Engines::memory() const {
    const std::lock_guard lock(state_->mutex);
    return state_->memory;
}

std::vector<Incident> Engines::incidents(std::string_view model, std::size_t most) const {
    return state_->incidents.newest(model, most);
}

}  // namespace tandem::engine
