// One process of an engine, from its start to its end: whether it lives, and what its end means.
#include <fmt/format.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <sstream>

#include "base/id.h"
#include "base/text.h"
#include "engine/log_part.h"
#include "engine/process_tree.h"
#include "engine/state.h"

namespace tandem::engine {

namespace fs = std::filesystem;

namespace {

constexpr milliseconds kLoadPoll{20};       // between two looks while it loads
constexpr milliseconds kWatchPoll{100};     // between two looks while it runs
constexpr milliseconds kStatEvery{500};     // between two looks at its process
constexpr milliseconds kStoppedFor{2'000};  // by a signal, before it counts as gone
constexpr milliseconds kHealthEvery{5'000};
constexpr int kHealthFailures = 3;  // in a row: it has stopped answering
constexpr milliseconds kFirstBackoff{500};
constexpr milliseconds kLongestBackoff{5'000};
constexpr milliseconds kStableAfter{60'000};  // a run this long forgives earlier failures
constexpr int kQuarantineAfter = 6;           // failures of its own in a row, without an answer in between
constexpr milliseconds kQuarantine{600'000};  // before it is tried once more
constexpr std::uintmax_t kLargestLog = 8 * 1024 * 1024;
constexpr std::uintmax_t kLogTail = 2'000;               // of its bytes are looked at for an error
constexpr std::uintmax_t kSeenEnd = 64 * 1024;           // bytes of a log's end that are looked at while it runs
constexpr std::int64_t kWorthKeeping = 4 * 1024 * 1024;  // bytes by which a peak has grown
// Of the time in which nothing came from it: one that used less of a processor waits for what never comes.
constexpr double kLeastWork = 0.05;
// One that works all that time and answers nothing is in a loop: so many times engine.stall.
constexpr int kLoopAfter = 5;

// Nothing where it has none, or the file is not there.
std::optional<FileId> socket_of(const Engine& engine) {
    struct stat about{};
    if (engine.shown.socket.empty() || lstat(engine.shown.socket.c_str(), &about) != 0) return std::nullopt;
    return FileId{about.st_dev, about.st_ino};
}

std::string last_complaint(const fs::path& log) {
    std::istringstream end(end_of(log, kLogTail));
    std::string line, last;
    while (std::getline(end, line))
        if (line.find("error") != std::string::npos || line.find("failed") != std::string::npos) last = line;
    return last.empty() ? "" : ": " + printable(trim(last), 200);
}

// What an engine that does not start may be in want of, by its own last words.
std::string hint_of(const Engine& engine) {
    const auto words = end_of(engine.log, kLogTail);
    if (const auto known = engine.kind->hint(words); !known.empty()) return "; " + known;
    const bool refused = words.find("Permission denied") != std::string::npos ||
                         words.find("Operation not permitted") != std::string::npos ||
                         words.find("cannot open shared object file") != std::string::npos;
    if (!refused || !engine.shown.sandbox.wanted) return {};
    return fmt::format(
        "; the sandbox may be in the way: name in engine.readable what it may read besides, or say `engine: {{ "
        "sandbox: off }}`{}",
        geteuid() == 0 ? ". Where Tandem is root, an engine reads no file that only another user may" : "");
}

}  // namespace

void Engines::State::set_state(Engine& engine, std::string state, std::optional<std::string> error) {
    const std::lock_guard lock(mutex);
    engine.shown.state = std::move(state);
    if (error) engine.shown.last_error = std::move(*error);
}

// What the engine has said of its memory, and what the kernel says; kept where it is news.
void Engines::State::look_at_memory(Engine& engine, bool first) {
    std::error_code error;
    const auto size = fs::file_size(engine.log, error);
    auto memory = engine.shown.memory;
    if (first) memory.words = words_of(part_of(engine.log, engine.log_begin, kMostWords));
    memory.tokens_per_second = std::max(memory.tokens_per_second, fastest_of(end_of(engine.log, kSeenEnd)));
    const auto stat = stat_of(engine);
    const auto resident = stat ? stat->memory : Resident{};
    const bool news = first || resident.peak >= memory.resident.peak + kWorthKeeping ||
                      memory.tokens_per_second > engine.shown.memory.tokens_per_second * 1.05;
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
    if (!news) memory.when_ms = engine.shown.memory.when_ms;
    engine.shown.memory = std::move(memory);
}

std::optional<ProcessStat> Engines::State::stat_of(const Engine& engine) const {
    return engine.supervision.has_children ? tree_stat(engine.shown.pid) : process_stat(engine.shown.pid);
}

// A port at which somebody else listens is asked nothing.
net::Task<bool> Engines::State::healthy(Engine& engine, std::string path) {
    if (engine.supervision.on_port && engine.port.look(engine.shown.pid) != EnginePort::State::ours) co_return false;
    co_return (co_await ask(engine, {"GET", std::move(path)})).has_value();
}

std::string Engines::State::socket_lost(const Engine& engine) const {
    if (!engine.socket) return {};
    const auto now = socket_of(engine);
    if (now == engine.socket) return {};
    return fmt::format("its socket {} was {} by somebody else", engine.shown.socket.string(),
                       now ? "replaced" : "removed");
}

std::string Engines::State::taken_by(Engine& engine, const Process& process) {
    if (!engine.supervision.on_port || engine.port.look(process.pid()) != EnginePort::State::stranger) return {};
    return fmt::format("port {} is not its own: {} listens there{}", engine.port.number(), engine.port.stranger(),
                       engine.supervision.port == 0 ? "" : "; end that, or take out the `port` of the model");
}

net::Task<std::optional<std::string>> Engines::State::ask(const Engine& engine, Asking what) {
    net::Cancel never;
    net::Call call;
    call.method = what.method;
    const auto address = engine.address;
    if (engine.supervision.on_port)
        call.url = {false, "127.0.0.1", fmt::format("127.0.0.1:{}", engine.port.number()),
                    static_cast<std::uint16_t>(engine.port.number()), std::move(what.path)};
    else
        call.url = {false, "engine", "engine", 0, std::move(what.path)};
    call.local = address.get();
    call.headers.add("authorization", fmt::format("Bearer {}", engine.key->reveal()));
    call.first_byte_timeout = call.idle_timeout = what.timeout;
    call.connect_timeout = std::min(call.connect_timeout, what.timeout);
    call.body = what.body;
    if (!what.body.empty()) call.headers.add("content-type", "application/json");
    auto answer = co_await client.send(std::move(call), never);
    if (!answer) co_return std::nullopt;
    const bool ok = answer->status() == 200;
    auto text = co_await answer->read_first(what.most);
    co_return ok&& text ? std::optional(std::move(*text)) : std::nullopt;
}

// Until it answers; else why not.
net::Task<RunEnd> Engines::State::load(Engine& engine, Process& process) {
    const auto end = clock.steady() + engine.model.load_timeout;
    while (!wanted_end(engine)) {
        if (const auto how = process.ended())
            co_return RunEnd{
                "start", fmt::format("it {} while it loaded{}{}", *how, last_complaint(engine.log), hint_of(engine)),
                process.told_to_end()};
        if (auto who = taken_by(engine, process); !who.empty()) co_return RunEnd{"port", std::move(who)};
        if (co_await healthy(engine, engine.supervision.ready)) {
            if (engine.supervision.on_port && engine.port.everywhere())
                spdlog::warn(
                    "engine {} listens at every address of this machine, for whoever reaches it: let its "
                    "command listen at 127.0.0.1 alone",
                    engine.model.id);
            co_return RunEnd{};
        }
        if (clock.steady() >= end)
            co_return RunEnd{"start", fmt::format("it did not answer {} with 200 within {} ms (`load_timeout`)",
                                                  engine.supervision.ready, engine.model.load_timeout.count())};
        co_await net::sleep_for(worker.context(), kLoadPoll);
    }
    co_return RunEnd{};
}

void Engines::State::note_memory(Engine& engine, const ProcessStat& stat) {
    bool grew = false;
    {
        const std::lock_guard lock(mutex);
        engine.shown.memory.resident = stat.memory;
        grew = stat.memory.peak > engine.shown.planned_bytes;
        if (grew) engine.shown.planned_bytes = stat.memory.peak;
    }
    if (!grew) return;
    auto about = schedule.about(engine.slot);
    about.bytes[0] = stat.memory.peak;
    schedule.change(engine.slot, std::move(about));
    apply();
}

// Why it counts as hanging, or empty. Its health says nothing: that is answered by another thread than those that work.
// `silence` is what was seen since something last came from it.
net::Task<std::string> Engines::State::hangs(Engine& engine, const ProcessStat& stat, Silence& silence) {
    const auto now = clock.steady();
    const auto stall = engine.config->engine_stall;
    const SteadyTime heard{milliseconds(engine.heard->load())};
    if (engine.in_use == 0 || heard > silence.since) silence = {engine.in_use == 0 ? now : heard, stat.cpu, {}};
    const auto quiet = std::chrono::duration_cast<milliseconds>(now - silence.since);
    if (quiet < stall / 2 || now < silence.next_look) co_return std::string();
    silence.next_look = now + std::min(kHealthEvery, stall / 4);
    // What each of its slots has read and said, where its kind has words for that.
    std::optional<std::string> slots;
    if (!engine.supervision.progress.empty()) slots = co_await ask(engine, {"GET", engine.supervision.progress});
    if (!silence.slots && slots) {
        silence.slots = std::move(slots);
        co_return std::string();
    }
    const double worked = static_cast<double>((stat.cpu - silence.cpu_then).count()) /
                          static_cast<double>(std::max<std::int64_t>(1, quiet.count()));
    if (slots && *slots != *silence.slots) {
        silence = {now, stat.cpu, std::move(slots)};
        co_return std::string();
    }
    const bool long_enough = quiet >= (worked < kLeastWork ? stall : stall * kLoopAfter);
    if (!long_enough || engine.in_use == 0 || milliseconds(engine.heard->load()) > heard.time_since_epoch())
        co_return std::string();
    co_return fmt::format("it sent nothing for {} s while it was asked, and worked {:.0f} % of that time",
                          std::chrono::ceil<seconds>(quiet).count(), worked * 100);
}

// While it runs; gives why it does not any more, or nothing where it shall not.
net::Task<RunEnd> Engines::State::watch(Engine& engine, Process& process) {
    auto next_health = clock.steady() + kHealthEvery, next_stat = clock.steady();
    std::optional<SteadyTime> stopped_since;
    Silence silence{clock.steady(), {}, {}};
    const auto kills_before = ended_for_memory();
    int failures = 0;
    while (!wanted_end(engine)) {
        co_await net::sleep_for(worker.context(), kWatchPoll);
        if (const auto how = process.ended()) {
            const bool for_memory = process.killed() && ended_for_memory() > kills_before;
            co_return RunEnd{
                for_memory ? "memory" : "crash",
                fmt::format("it {}{}{}", *how, for_memory ? ", as the machine had no memory left for it" : "",
                            last_complaint(engine.log)),
                process.told_to_end() && !for_memory};
        }
        const auto now = clock.steady();
        if (now >= next_stat) {
            next_stat = now + kStatEvery;
            const auto stat = stat_of(engine);
            if (!stat) continue;
            if (auto who = taken_by(engine, process); !who.empty()) co_return RunEnd{"port", std::move(who)};
            if (auto what = socket_lost(engine); !what.empty()) co_return RunEnd{"socket", std::move(what), true};
            note_memory(engine, *stat);
            if (!stat->stopped)
                stopped_since.reset();
            else if (!stopped_since)
                stopped_since = now;
            else if (now - *stopped_since >= kStoppedFor)
                co_return RunEnd{"stopped", "it was stopped by a signal (SIGSTOP) and did not go on", true};
            if (auto why = co_await hangs(engine, *stat, silence); !why.empty())
                co_return RunEnd{"hang", std::move(why)};
        }
        if (clock.steady() < next_health) continue;
        next_health = clock.steady() + kHealthEvery;
        look_at_memory(engine, false);
        failures = co_await healthy(engine, engine.supervision.health) ? 0 : failures + 1;
        if (failures >= kHealthFailures) co_return RunEnd{"hang", "it stopped answering"};
    }
    co_return RunEnd{};
}

net::Task<> Engines::State::end(Engine& engine, Process& process) {
    if (engine.shown.memory.resident.peak > 0) look_at_memory(engine, false);  // it was ready
    set_state(engine, "stopping");
    process.ask_to_stop();
    const auto latest = clock.steady() + engine.supervision.stop;
    while (!process.ended() && clock.steady() < latest) co_await net::sleep_for(worker.context(), kLoadPoll);
    process.kill();
    while (!process.ended()) co_await net::sleep_for(worker.context(), kLoadPoll);
}

net::Task<> Engines::State::run(std::shared_ptr<Engine> shared) {
    Engine& engine = *shared;
    engine.stop_wanted = engine.unload_wanted = engine.answered = false;
    engine.last_lent = *engine.heard;
    set_state(engine, "starting");
    const auto started = clock.steady();
    RunEnd how;
    if (auto process = launch(engine); !process) {
        how = {"start", process.error().message};
    } else {
        how = co_await load(engine, *process);
        if (how.why.empty() && !wanted_end(engine)) {
            engine.load_took = std::chrono::duration_cast<milliseconds>(clock.steady() - started);
            spdlog::info("engine {} is ready after {} ms (pid {})", engine.model.id, engine.load_took.count(),
                         engine.shown.pid);
            engine.socket = socket_of(engine);
            look_at_memory(engine, true);
            count_devices(engine);
            co_await bring_back_prompts(engine);
            set_state(engine, "ready", "");
            schedule.loaded(engine.slot, clock.steady());
            apply();
            how = co_await watch(engine, *process);
            if (how.why.empty() && unloads(engine)) co_await keep_prompts(engine);
        }
        co_await end(engine, *process);
        clear_away(engine);
    }
    settle(engine, std::move(how), started);
    --alive;
}

void Engines::State::settle(Engine& engine, RunEnd how, SteadyTime started) {
    const bool wanted = wanted_end(engine) || how.why.empty();
    const auto now = clock.steady();
    {
        const std::lock_guard lock(mutex);
        const auto& shown = engine.shown;
        const bool worked = engine.answered || *engine.heard > engine.last_lent;
        if (worked && shown.memory.resident.peak > 0 && engine.load_took.count() > 0 && !engine.measured_as.empty())
            measured.put(engine.measured_as,
                         {shown.memory.resident.peak,
                          shown.memory.words.any() ? std::optional(shown.memory.words.devices) : std::nullopt,
                          engine.load_took, unix_ms(clock.wall()) / (24LL * 3600 * 1000)});
        engine.shown.pid = 0;
        engine.address.reset();
        engine.shown.port = 0;
        std::error_code ignored;
        if (!engine.shown.socket.empty()) fs::remove(engine.shown.socket, ignored);
        engine.shown.socket.clear();
        engine.shown.memory.resident.now = engine.shown.memory.resident.anonymous = 0;
    }
    engine.running = false;
    if (!engine.measured_as.empty()) count_as_known(engine);
    const bool unloaded = unloads(engine);
    if (wanted) {
        set_state(engine, "stopped");
        if (unloaded) {
            schedule.ended(engine.slot, now);
        } else {
            answer_all(engine, {Fault::engine_down, fmt::format("the engine of {} was stopped", engine.model.id)});
            schedule.failed(engine.slot, now, std::nullopt);
        }
        return apply();
    }
    const bool stable = now - started > kStableAfter;
    if (stable) engine.logged.forget();
    if (stable || engine.answered || *engine.heard > engine.last_lent) {
        engine.backoff = milliseconds(0);
        engine.failures = 0;
    }
    if (!how.from_outside) ++engine.failures;
    engine.backoff = std::min(kLongestBackoff, std::max(kFirstBackoff, engine.backoff * 2));
    const bool quarantined = engine.failures >= kQuarantineAfter;
    const auto rest = quarantined ? kQuarantine : engine.backoff;
    // What the engine itself has said last stays in its own log: it may have been told to print prompts.
    const auto told = how.why.starts_with("it ") ? how.why.substr(0, how.why.find(": ")) : how.why;
    if (engine.logged.is_to_be_logged(told, now))
        spdlog::error(
            "engine {} failed: {}; `tandem engine logs {}` has its words; the next start is in {} ms, and the same "
            "again is logged in {} s at the earliest",
            engine.model.id, told, engine.model.id, rest.count(),
            std::chrono::ceil<seconds>(engine.logged.pause()).count());
    incidents.add({clock.wall(), engine.model.id, how.kind, told, last_lines_of(engine.log)});
    if (settings.failed && engine.program.empty()) settings.failed(engine.model.id, told);
    auto why = quarantined ? fmt::format(
                                 "{}; it failed {} times in a row and is tried again in {} minutes, or with "
                                 "`tandem engine start {}`",
                                 how.why, engine.failures,
                                 std::chrono::duration_cast<std::chrono::minutes>(kQuarantine).count(), engine.model.id)
                           : how.why;
    {
        const std::lock_guard lock(mutex);
        engine.rests_until = now + rest;
        ++engine.shown.restarts;
    }
    set_state(engine, quarantined ? "quarantined" : "waiting", why);
    answer_all(engine, {Fault::engine_down, fmt::format("the engine of {} does not run: {}", engine.model.id, why)});
    schedule.failed(engine.slot, now, now + rest);
    apply();
}

}  // namespace tandem::engine
