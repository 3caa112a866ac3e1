#include "engine/engines.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

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
#include "engine/engine_memory.h"
#include "engine/machine_memory.h"
#include "engine/process.h"
#include "engine/repeated_error.h"
#include "engine/serving.h"
#include "engine/speed.h"
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
constexpr std::uintmax_t kSeenEnd = 64 * 1024;           // bytes of a log's end that are looked at while it runs
constexpr std::int64_t kWorthKeeping = 4 * 1024 * 1024;  // bytes by which a peak has grown

// Secrets of the owner's environment are not the engine's business.
bool may_inherit(std::string_view variable) {
    const auto name = lower(variable.substr(0, variable.find('=')));
    for (const auto* word : {"key", "token", "secret", "password", "passwd", "credential"})
        if (name.find(word) != std::string::npos) return false;
    return true;
}

std::string last_lines(const fs::path& log) {
    std::ifstream file(log, std::ios::binary);
    std::string line, last;
    file.seekg(0, std::ios::end);
    const auto size = static_cast<std::int64_t>(file.tellg());
    file.seekg(std::max<std::int64_t>(0, size - 2000));
    while (std::getline(file, line))
        if (line.find("error") != std::string::npos || line.find("failed") != std::string::npos) last = line;
    return last.empty() ? "" : ": " + printable(trim(last), 200);
}

std::string part_of(const fs::path& file, std::uintmax_t begin, std::uintmax_t most) {
    std::ifstream in(file, std::ios::binary);
    std::string text(static_cast<std::size_t>(most), '\0');
    in.seekg(static_cast<std::streamoff>(begin));
    in.read(text.data(), static_cast<std::streamsize>(most));
    text.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, in.gcount())));
    return text;
}

// Built by packaging/setup.sh, in the version that it names.
bool is_ours(const fs::path& binary, const EnginesSettings& settings) {
    return binary.parent_path() == settings.cache / "engine";
}

// The sum before the start, of the file and of what tandem.yaml says.
EngineMemory guess(const config::Model& model, const fs::path& file) {
    EngineMemory memory;
    memory.file = file.string();
    const auto facts = read_gguf(file);
    const auto serving = serving_of(&model, facts.value_or(GgufFacts{}), machine_memory());
    memory.settings = serving.settings;
    if (!facts || facts->split.count > 1 || bytes_of_cache_type(serving.settings.keys) == 0 ||
        bytes_of_cache_type(serving.settings.values) == 0)
        return memory;
    auto need = memory_need(*facts, serving.settings);
    if (add_files(serving, need)) memory.guess = need.total();
    memory.bytes_per_token = bytes_per_token(*facts, serving.settings, 0);
    return memory;
}

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
    std::uint16_t port = 0;
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
    std::uintmax_t log_begin = 0;  // bytes of the log before this start
    EngineMemory memory;           // behind the mutex of State
};

bool same_engine(const config::Model& a, const config::Model& b) {
    return a.id == b.id && a.file == b.file && a.context_tokens == b.context_tokens && a.slots == b.slots &&
           a.idle_unload == b.idle_unload && a.load_timeout == b.load_timeout && a.args == b.args;
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
        return {std::move(hold), fmt::format("http://127.0.0.1:{}/v1", engine->port), engine->key};
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
    void look_at_memory(Engine& engine, bool first);
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
    const auto port = free_port();
    if (!port) return fail(port.error());
    std::error_code ignored;
    fs::create_directories(engine.log.parent_path(), ignored);
    if (fs::exists(engine.log, ignored) && fs::file_size(engine.log, ignored) > kLargestLog)
        fs::rename(engine.log, engine.log.string() + ".1", ignored);
    engine.log_begin = fs::exists(engine.log, ignored) ? fs::file_size(engine.log, ignored) : 0;
    auto key = std::make_shared<const Secret>(random_hex(random, 48));
    Process::Settings start;
    const auto& m = engine.model;
    start.command = {binary->string(),
                     "--model",
                     file->string(),
                     "--alias",
                     m.name,
                     "--host",
                     "127.0.0.1",
                     "--port",
                     std::to_string(*port),
                     "--ctx-size",
                     std::to_string(m.context_tokens * m.slots),
                     "--parallel",
                     std::to_string(m.slots),
                     "--no-webui",
                     "--offline"};
    start.command.insert(start.command.end(), m.args.begin(), m.args.end());
    for (char** variable = environ; *variable != nullptr; ++variable)
        if (may_inherit(*variable)) start.environment.emplace_back(*variable);
    // In the environment, not among the arguments, which every user of the machine can see.
    start.environment.push_back(fmt::format("LLAMA_API_KEY={}", key->reveal()));
    // llama-server's own bound is 8 GiB. An older one knows no such variable; the owner's own, and `args`, go before
    // it.
    start.environment.push_back(fmt::format("LLAMA_ARG_CACHE_RAM={}", prompt_cache_mib(machine_memory())));
    // The least at which ours says what memory its buffers take; it says nothing of prompts there. What the same number
    // means to another one is not known here.
    if (is_ours(*binary, settings)) start.environment.emplace_back("LLAMA_ARG_LOG_VERBOSITY=4");
    start.log = engine.log;
    auto process = Process::start(start);
    if (process) {
        auto memory = guess(m, *file);
        const std::lock_guard lock(mutex);
        engine.port = *port;
        engine.pid = process->pid();
        engine.key = std::move(key);
        engine.memory = std::move(memory);
    }
    return process;
}

// What the engine has said of its memory, and what the kernel says; kept where it is news.
void Engines::State::look_at_memory(Engine& engine, bool first) {
    std::error_code error;
    const auto size = fs::file_size(engine.log, error);
    auto memory = engine.memory;
    if (first) memory.words = words_of(part_of(engine.log, engine.log_begin, kMostWords));
    if (!error)
        memory.tokens_per_second = std::max(memory.tokens_per_second,
                                            fastest_of(part_of(engine.log, size - std::min(size, kSeenEnd), kSeenEnd)));
    const auto resident = resident_of(engine.pid);
    const bool news = first || resident.peak >= memory.resident.peak + kWorthKeeping ||
                      memory.tokens_per_second > engine.memory.tokens_per_second * 1.05;
    if (resident.peak > 0) memory.resident = resident;
    memory.when_ms = unix_ms(clock.wall());
    if (news)
        if (auto ok = keep(settings.data, engine.model.id, memory); !ok)
            spdlog::warn("the memory of engine {} is not kept: {}", engine.model.id, ok.error().message);
    // What it has said is read; a log that grows while it runs goes on from its beginning.
    if (!error && size > kLargestLog) {
        fs::copy_file(engine.log, engine.log.string() + ".1", fs::copy_options::overwrite_existing, error);
        fs::resize_file(engine.log, 0, error);
        engine.log_begin = 0;
    }
    const std::lock_guard lock(mutex);
    if (!news) memory.when_ms = engine.memory.when_ms;
    engine.memory = std::move(memory);
}

net::Task<bool> Engines::State::healthy(const Engine& engine) {
    net::Cancel never;
    net::Call call;
    call.method = "GET";
    call.url = {false, "127.0.0.1", fmt::format("127.0.0.1:{}", engine.port), engine.port, "/health"};
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
            co_return fmt::format("it {} while it loaded{}", *how, last_lines(engine.log));
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
        look_at_memory(engine, false);
        failures = co_await healthy(engine) ? 0 : failures + 1;
        if (failures >= kHealthFailures) co_return std::string("it stopped answering");
    }
    co_return std::string();
}

net::Task<> Engines::State::end(Engine& engine, Process& process) {
    if (engine.memory.resident.peak > 0) look_at_memory(engine, false);  // it was ready
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
                    spdlog::info("engine {} is ready after {} ms (pid {}, port {})", engine.model.id,
                                 std::chrono::duration_cast<milliseconds>(clock.steady() - started).count(), engine.pid,
                                 engine.port);
                    engine.idle_since = steady_ms();
                    look_at_memory(engine, true);
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
            engine.port = 0;
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
                old->second->config->engine_binary == config->engine_binary) {
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
        result.push_back({id, engine->state, engine->last_error, engine->pid, engine->port, engine->in_use,
                          engine->restarts, engine->log, engine->memory});
    std::ranges::sort(result, {}, &EngineStatus::model);
    return result;
}

}  // namespace tandem::engine
