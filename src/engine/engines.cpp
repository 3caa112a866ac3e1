#include "engine/engines.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <unordered_map>

#include "base/id.h"
#include "base/text.h"
#include "engine/folder.h"
#include "engine/machine_memory.h"
#include "engine/process.h"
#include "engine/repeated_error.h"
#include "engine/sandbox/start.h"
#include "net/client.h"
#include "net/worker.h"

namespace tandem::engine {

namespace fs = std::filesystem;

namespace {

constexpr milliseconds kLoadPoll{20};    // between two looks while it loads
constexpr milliseconds kWatchPoll{100};  // between two looks while it runs
constexpr milliseconds kHealthEvery{5'000};
constexpr int kHealthFailures = 3;  // in a row: it has stopped answering
constexpr milliseconds kHealthTimeout{4'000};
constexpr std::size_t kHealthBytes = 64 * 1024;  // of what it says
constexpr milliseconds kStopTime{5'000};         // from SIGTERM to SIGKILL
constexpr milliseconds kFirstBackoff{500};
constexpr milliseconds kLongestBackoff{30'000};
constexpr milliseconds kStableAfter{60'000};  // a run this long forgives earlier failures
constexpr std::uintmax_t kLargestLog = 8 * 1024 * 1024;
constexpr std::int64_t kLogTail = 2'000;  // of its bytes are looked at for an error

// Secrets of the owner's environment are not the engine's business, nor is where the owner's session is.
bool may_inherit(std::string_view variable) {
    const auto name = lower(variable.substr(0, variable.find('=')));
    for (const auto* word : {"key", "token", "secret", "password", "passwd", "credential"})
        if (name.find(word) != std::string::npos) return false;
    for (const auto* place : {"xdg_", "dbus_", "ssh_"})
        if (name.starts_with(place)) return false;
    return name != "home" && name != "tmpdir" && name != "pwd" && name != "oldpwd";
}

// The file, from kLogTail before its end.
std::ifstream tail_of(const fs::path& log) {
    std::ifstream file(log, std::ios::binary);
    file.seekg(0, std::ios::end);
    const auto size = static_cast<std::int64_t>(file.tellg());
    file.seekg(std::max<std::int64_t>(0, size - kLogTail));
    return file;
}

std::string last_lines(const fs::path& log) {
    auto file = tail_of(log);
    std::string line, last;
    while (std::getline(file, line))
        if (line.find("error") != std::string::npos || line.find("failed") != std::string::npos) last = line;
    return last.empty() ? "" : ": " + printable(trim(last), 200);
}

}  // namespace

namespace {

struct Waiter {
    SteadyTime deadline;
    std::function<void(Result<Lease>)> done;
};

// One model's engine. Its coroutine runs on the control thread; what others look at is behind the mutex of State.
struct Engine {
    config::Model model;
    std::shared_ptr<const config::Config> config;
    fs::path log;
    std::string state = "stopped";
    std::string last_error;
    std::shared_ptr<const net::LocalAddress> address;
    fs::path socket;
    sandbox::Held sandbox;
    std::string told_missing;  // of the sandbox, as it was logged
    int pid = 0;
    int restarts = 0;
    std::shared_ptr<const Secret> key;
    std::atomic<int> in_use{0};
    std::atomic<std::int64_t> idle_since{0};  // steady milliseconds
    // control thread only
    std::vector<Waiter> waiters;
    bool running = false;  // its coroutine exists
    bool stop_wanted = false;
    bool retired = false;  // not in the config any more
    milliseconds backoff{0};
    SteadyTime not_before{};  // of the next start
    RepeatedError logged;
};

bool same_engine(const config::Model& a, const config::Model& b) {
    return a.id == b.id && a.file == b.file && a.context_tokens == b.context_tokens && a.slots == b.slots &&
           a.idle_unload == b.idle_unload && a.load_timeout == b.load_timeout && a.args == b.args;
}

// What an engine that does not start may be in want of, by its own last words.
std::string hint_of(const Engine& engine) {
    std::string words;
    std::getline(tail_of(engine.log), words, '\0');
    if (words.find("couldn't bind HTTP server socket") != std::string::npos)
        return "; it is too old to listen on a UNIX socket: llama-server can since April 2025 (build 5018)";
    const bool refused = words.find("Permission denied") != std::string::npos ||
                         words.find("Operation not permitted") != std::string::npos ||
                         words.find("cannot open shared object file") != std::string::npos;
    if (!refused || !engine.sandbox.wanted) return {};
    return fmt::format(
        "; the sandbox may be in the way: name in engine.readable what it may read besides, or say `engine: {{ "
        "sandbox: off }}`{}",
        geteuid() == 0 ? ". Where Tandem is root, an engine reads no file that only another user may" : "");
}

bool same_program(const config::Config& a, const config::Config& b) {
    return a.engine_binary == b.engine_binary && a.engine_sandbox == b.engine_sandbox &&
           a.engine_readable == b.engine_readable;
}

}  // namespace

struct Engines::State {
    State(EnginesSettings settings, Random& random, const Clock& clock)
        : settings(std::move(settings)), random(random), clock(clock), client(worker, client_shared) {
        worker.start();
    }

    std::int64_t steady_ms() const {
        return std::chrono::duration_cast<milliseconds>(clock.steady().time_since_epoch()).count();
    }

    void post(std::function<void()> act) { net::asio::post(worker.context(), std::move(act)); }

    void set_state(Engine& engine, std::string state, std::optional<std::string> error = {}) {
        const std::lock_guard lock(mutex);
        engine.state = std::move(state);
        if (error) engine.last_error = std::move(*error);
    }

    std::shared_ptr<Engine> find(const std::string& model) {
        const std::lock_guard lock(mutex);
        const auto found = engines.find(model);
        return found == engines.end() ? nullptr : found->second;
    }

    Lease lend(const std::shared_ptr<Engine>& engine) {
        ++engine->in_use;
        auto hold = std::shared_ptr<void>(nullptr, [this, engine](void*) {
            engine->idle_since = steady_ms();
            --engine->in_use;
        });
        return {std::move(hold), engine->address, engine->key};
    }

    void answer_all(Engine& engine, const Error& error) {
        for (auto& waiter : std::exchange(engine.waiters, {})) waiter.done(fail(error));
    }

    // Those whose time is over get told; the rest keep waiting.
    void answer_late(Engine& engine) {
        const auto now = clock.steady();
        std::erase_if(engine.waiters, [&](Waiter& waiter) {
            if (waiter.deadline > now) return false;
            waiter.done(fail(ErrorCode::timeout,
                             fmt::format("the engine of {} was still loading when the deadline of the request passed",
                                         engine.model.id)));
            return true;
        });
    }

    Result<Process> launch(Engine& engine);
    Result<sandbox::Confined> confine(Engine& engine, const Process::Settings& start, const EngineFolder& folder);
    net::Task<bool> healthy(const Engine& engine);
    net::Task<std::string> load(Engine& engine, Process& process);
    net::Task<std::string> watch(Engine& engine, Process& process);
    net::Task<> end(Engine& engine, Process& process);
    net::Task<> run(std::shared_ptr<Engine> engine);

    EnginesSettings settings;
    Random& random;
    const Clock& clock;
    net::Worker worker;  // the control thread, parent of all engines
    net::ClientShared client_shared;
    net::Client client;
    mutable std::mutex mutex;
    std::unordered_map<std::string, std::shared_ptr<Engine>> engines;
    std::atomic<int> alive{0};  // coroutines
    std::atomic<bool> ending{false};
    bool refusing = false;  // control thread only
};

Result<Process> Engines::State::launch(Engine& engine) {
    const auto binary = find_binary(*engine.config, settings);
    if (!binary) return fail(binary.error());
    const auto file = find_model_file(*engine.config, engine.model, settings);
    if (!file) return fail(file.error());
    const auto folder = make_engine_folder(settings.data, engine.model.id);
    if (!folder) return fail(folder.error());
    auto address = new_address(*folder, random);
    if (!address) return fail(address.error());
    std::error_code ignored;
    if (fs::exists(engine.log, ignored) && fs::file_size(engine.log, ignored) > kLargestLog)
        fs::rename(engine.log, engine.log.string() + ".1", ignored);
    auto key = std::make_shared<const Secret>(random_hex(random, 48));
    Process::Settings start;
    const auto& m = engine.model;
    start.command = {binary->string(),
                     "--model",
                     file->string(),
                     "--alias",
                     m.name,
                     "--host",
                     address->name,
                     "--ctx-size",
                     std::to_string(m.context_tokens * m.slots),
                     "--parallel",
                     std::to_string(m.slots),
                     "--no-webui",
                     "--offline"};
    std::ranges::copy(with_absolute_paths(m.args), std::back_inserter(start.command));
    for (char** variable = environ; *variable != nullptr; ++variable)
        if (may_inherit(*variable)) start.environment.emplace_back(*variable);
    // In the environment, not among the arguments, which every user of the machine can see.
    start.environment.push_back(fmt::format("LLAMA_API_KEY={}", key->reveal()));
    // llama-server's own bound is 8 GiB. An older one knows no such variable; the owner's own, and `args`, go before
    // it.
    start.environment.push_back(fmt::format("LLAMA_ARG_CACHE_RAM={}", prompt_cache_mib(machine_memory())));
    start.environment.push_back("HOME=" + folder->home().string());
    start.environment.push_back("TMPDIR=" + folder->temporary().string());
    start.log = engine.log;
    start.folder = folder->run();
    auto confined = confine(engine, start, *folder);
    if (!confined) return fail(confined.error());
    const std::lock_guard lock(mutex);
    engine.address = std::move(address->address);
    engine.socket = folder->run() / address->name;
    engine.sandbox = std::move(confined->held);
    engine.pid = confined->process.pid();
    engine.key = std::move(key);
    return std::move(confined->process);
}

// In its sandbox, as the config wants it. What of it could not be had is logged once.
Result<sandbox::Confined> Engines::State::confine(Engine& engine, const Process::Settings& start,
                                                  const EngineFolder& folder) {
    const auto& config = *engine.config;
    sandbox::Wish wish{start.command[0], {start.command.begin() + 1, start.command.end()}, start.environment,
                       folder,           {folder.root.parent_path().parent_path()},        {}};
    if (const auto home = settings.environment("HOME")) wish.kept_closed.emplace_back(*home);
    wish.readable.assign(config.engine_readable.begin(), config.engine_readable.end());
    const auto policy = sandbox::policy_for(wish);
    if (!policy) return fail(policy.error());
    auto confined = sandbox::start(start, *policy, config.engine_sandbox, random);
    if (!confined || !confined->held.wanted) return confined;
    const auto missing = join(confined->held.missing, "; ");
    if (!missing.empty() && std::exchange(engine.told_missing, missing) != missing)
        spdlog::warn("the sandbox of engine {} holds {}; it is without {}", engine.model.id,
                     sandbox::words(confined->held), missing);
    return confined;
}

net::Task<bool> Engines::State::healthy(const Engine& engine) {
    net::Cancel never;
    net::Call call;
    call.method = "GET";
    const auto address = engine.address;
    call.url = {false, "engine", "engine", 0, "/health"};
    call.local = address.get();
    call.connect_timeout = call.first_byte_timeout = call.idle_timeout = kHealthTimeout;
    auto answer = co_await client.send(std::move(call), never);
    if (!answer) co_return false;
    const bool ok = answer->status() == 200;
    (void)co_await answer->read_first(kHealthBytes);
    co_return ok;
}

// Until it answers; else why not.
net::Task<std::string> Engines::State::load(Engine& engine, Process& process) {
    const auto end = clock.steady() + engine.model.load_timeout;
    while (!ending && !engine.stop_wanted) {
        if (const auto how = process.ended())
            co_return fmt::format("it {} while it loaded{}{}", *how, last_lines(engine.log), hint_of(engine));
        if (co_await healthy(engine)) co_return std::string();
        if (clock.steady() >= end)
            co_return fmt::format("it did not answer within {} ms", engine.model.load_timeout.count());
        answer_late(engine);
        co_await net::sleep_for(worker.context(), kLoadPoll);
    }
    co_return std::string("it was stopped while it loaded");
}

// While it runs; gives why it does not any more, or nothing where it shall not.
net::Task<std::string> Engines::State::watch(Engine& engine, Process& process) {
    auto next_health = clock.steady() + kHealthEvery;
    int failures = 0;
    while (!ending && !engine.stop_wanted) {
        co_await net::sleep_for(worker.context(), kWatchPoll);
        if (const auto how = process.ended()) co_return fmt::format("it {}{}", *how, last_lines(engine.log));
        const bool idle = engine.in_use == 0 && engine.waiters.empty();
        if (idle && (engine.retired || steady_ms() - engine.idle_since >= engine.model.idle_unload.count()))
            co_return std::string();
        if (clock.steady() < next_health) continue;
        next_health = clock.steady() + kHealthEvery;
        failures = co_await healthy(engine) ? 0 : failures + 1;
        if (failures >= kHealthFailures) co_return std::string("it stopped answering");
    }
    co_return std::string();
}

net::Task<> Engines::State::end(Engine& engine, Process& process) {
    set_state(engine, "stopping");
    process.ask_to_stop();
    const auto latest = clock.steady() + kStopTime;
    while (!process.ended() && clock.steady() < latest) co_await net::sleep_for(worker.context(), kLoadPoll);
    process.kill();
}

net::Task<> Engines::State::run(std::shared_ptr<Engine> shared) {
    Engine& engine = *shared;
    while (!ending) {
        engine.stop_wanted = false;
        set_state(engine, "starting");
        const auto started = clock.steady();
        std::string why;
        {
            auto process = launch(engine);
            if (!process) {
                why = process.error().message;
            } else {
                why = co_await load(engine, *process);
                if (why.empty()) {
                    spdlog::info("engine {} is ready after {} ms (pid {})", engine.model.id,
                                 std::chrono::duration_cast<milliseconds>(clock.steady() - started).count(),
                                 engine.pid);
                    engine.idle_since = steady_ms();
                    set_state(engine, "ready", "");
                    for (auto& waiter : std::exchange(engine.waiters, {})) waiter.done(lend(shared));
                    why = co_await watch(engine, *process);
                }
                co_await end(engine, *process);
            }
        }
        const bool wanted_end = engine.stop_wanted || ending || why.empty();
        {
            const std::lock_guard lock(mutex);
            engine.pid = 0;
            engine.address.reset();
            std::error_code ignored;
            if (!engine.socket.empty()) fs::remove(engine.socket, ignored);
            engine.socket.clear();
        }
        if (wanted_end) {
            set_state(engine, "stopped");
            answer_all(engine, {ErrorCode::unavailable, fmt::format("the engine of {} was stopped", engine.model.id)});
            break;
        }
        if (clock.steady() - started > kStableAfter) {
            engine.backoff = milliseconds(0);
            engine.logged.forget();
        }
        engine.backoff = std::min(kLongestBackoff, std::max(kFirstBackoff, engine.backoff * 2));
        engine.not_before = clock.steady() + engine.backoff;
        // What the engine itself has said last stays in its own log: it may have been told to print prompts.
        const auto told = why.starts_with("it ") ? why.substr(0, why.find(": ")) : why;
        if (engine.logged.is_to_be_logged(told, clock.steady()))
            spdlog::error(
                "engine {} failed: {}; `tandem engine logs {}` has its words; the next start is in {} ms, and the same "
                "again is logged in {} s at the earliest",
                engine.model.id, told, engine.model.id, engine.backoff.count(),
                std::chrono::ceil<seconds>(engine.logged.pause()).count());
        if (settings.failed) settings.failed(engine.model.id, told);
        set_state(engine, "waiting", why);
        answer_all(engine,
                   {ErrorCode::unavailable, fmt::format("the engine of {} does not run: {}", engine.model.id, why)});
        while (!ending && !engine.stop_wanted && !engine.retired && clock.steady() < engine.not_before)
            co_await net::sleep_for(worker.context(), kLoadPoll);
        if (engine.stop_wanted || engine.retired) {
            set_state(engine, "stopped");
            break;
        }
        const std::lock_guard lock(mutex);
        ++engine.restarts;
    }
    engine.running = false;
    --alive;
}

Engines::Engines(EnginesSettings settings, Random& random, const Clock& clock)
    : state_(std::make_unique<State>(std::move(settings), random, clock)) {}

Engines::~Engines() {
    state_->ending = true;
    while (state_->alive > 0) std::this_thread::sleep_for(milliseconds(5));
    state_->worker.stop();
}

void Engines::configure(std::shared_ptr<const config::Config> config) {
    auto& state = *state_;
    std::vector<std::shared_ptr<Engine>> gone;
    {
        const std::lock_guard lock(state.mutex);
        std::unordered_map<std::string, std::shared_ptr<Engine>> next;
        for (const auto& model : config->models) {
            if (!config->provider(model.provider)->kind->runs_here) continue;
            const auto old = state.engines.find(model.id);
            if (old != state.engines.end() && same_engine(old->second->model, model) &&
                same_program(*old->second->config, *config)) {
                next.emplace(model.id, old->second);
                continue;
            }
            auto engine = std::make_shared<Engine>();
            engine->model = model;
            engine->config = config;
            engine->log = log_file(state.settings.data, model.id);
            next.emplace(model.id, std::move(engine));
        }
        for (const auto& [id, engine] : state.engines)
            if (!next.contains(id) || next[id] != engine) gone.push_back(engine);
        state.engines = std::move(next);
    }
    for (auto& engine : gone) state.post([engine] { engine->retired = true; });
}

void Engines::acquire(const std::string& model, SteadyTime deadline, std::function<void(Result<Lease>)> done) {
    auto& state = *state_;
    auto engine = state.find(model);
    if (!engine) {
        done(fail(ErrorCode::not_found, fmt::format("there is no engine for model {}", model)));
        return;
    }
    state.post([&state, engine, deadline, done = std::move(done)]() mutable {
        if (state.ending || state.refusing) return done(fail(ErrorCode::unavailable, "Tandem is stopping"));
        if (engine->running && engine->state == "ready" && !engine->stop_wanted) return done(state.lend(engine));
        if (engine->state == "waiting")
            return done(fail(ErrorCode::unavailable,
                             fmt::format("the engine of {} does not run: {}", engine->model.id, engine->last_error)));
        engine->waiters.push_back({deadline, std::move(done)});
        if (engine->running) return;
        engine->running = true;
        ++state.alive;
        net::asio::co_spawn(state.worker.context(), state.run(engine), net::asio::detached);
    });
}

void Engines::stop(const std::string& model, std::function<void(Result<>)> done) {
    auto& state = *state_;
    auto engine = state.find(model);
    if (!engine) {
        done(fail(ErrorCode::not_found, fmt::format("there is no engine for model {}", model)));
        return;
    }
    state.post([engine, done = std::move(done)] {
        engine->stop_wanted = true;
        done({});
    });
}

void Engines::refuse_from_now() {
    auto& state = *state_;
    state.post([&state] {
        state.refusing = true;
        std::vector<std::shared_ptr<Engine>> all;
        {
            const std::lock_guard lock(state.mutex);
            for (const auto& [id, engine] : state.engines) all.push_back(engine);
        }
        for (const auto& engine : all) state.answer_all(*engine, {ErrorCode::unavailable, "Tandem is stopping"});
    });
}

std::string Engines::unhealthy(const std::string& model) const {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->engines.find(model);
    if (found == state_->engines.end()) return "its engine is not configured";
    if (found->second->state == "waiting") return fmt::format("its engine does not run: {}", found->second->last_error);
    return {};
}

std::vector<EngineStatus> Engines::status() const {
    const std::lock_guard lock(state_->mutex);
    std::vector<EngineStatus> result;
    for (const auto& [id, engine] : state_->engines)
        result.push_back({id, engine->state, engine->last_error, engine->pid, engine->socket, engine->sandbox,
                          engine->in_use, engine->restarts, engine->log});
    std::ranges::sort(result, {}, &EngineStatus::model);
    return result;
}

}  // namespace tandem::engine
