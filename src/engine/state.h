// What Engines is made of: the engines, the schedule, and the coroutine of each process. Private to engine/.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "engine/devices.h"
#include "engine/engines.h"
#include "engine/folder.h"
#include "engine/incidents.h"
#include "engine/kind.h"
#include "engine/machine_memory.h"
#include "engine/measured.h"
#include "engine/planned_memory.h"
#include "engine/port.h"
#include "engine/process.h"
#include "engine/process_stat.h"
#include "engine/programs.h"
#include "engine/repeated_error.h"
#include "engine/sandbox/start.h"
#include "engine/schedule.h"
#include "net/client.h"
#include "net/worker.h"

namespace tandem::engine {

// Which file a name means: another one of the same name has another.
struct FileId {
    dev_t device = 0;
    ino_t number = 0;
    bool operator==(const FileId&) const = default;
};

struct Waiter {
    std::uint64_t id = 0;
    SteadyTime deadline;
    std::function<void(Result<Lease>)> done;
};

// How a process came to its end: `why` is empty where Tandem wanted it.
struct RunEnd {
    std::string kind;           // of the incident
    std::string why;            // "it was ended by signal 9 (Killed)", may have the engine's own words behind ": "
    bool from_outside = false;  // somebody has ended it: no fault of its own
};

// What was seen of a process since something last came from it.
struct Silence {
    SteadyTime since{};
    milliseconds cpu_then{0};
    std::optional<std::string> slots;  // what it said of its slots
    SteadyTime next_look{};
};

// One model's engine. Its coroutine runs on the control thread; what others look at is behind the mutex of State.
struct Engine {
    config::Model model;
    std::shared_ptr<const config::Config> config;
    const EngineKind* kind = nullptr;
    std::filesystem::path program;  // in place of its kind's: it is tried, and serves nobody
    std::filesystem::path chosen;   // its kind's, when it was configured
    std::filesystem::path log;
    std::atomic<int> in_use{0};
    // Steady milliseconds: when something last came from it, or a request was given to it.
    std::shared_ptr<std::atomic<std::int64_t>> heard = std::make_shared<std::atomic<std::int64_t>>(0);
    // behind the mutex
    EngineStatus shown;
    SteadyTime rests_until{};  // it has failed, and is not started before
    std::shared_ptr<const Secret> key;
    std::shared_ptr<const net::LocalAddress> address;
    // control thread only
    Schedule::Model slot = 0;
    std::map<Schedule::Ticket, Waiter> waiters;
    bool running = false;        // its coroutine exists
    bool stop_wanted = false;    // by the owner
    bool unload_wanted = false;  // by the schedule
    bool retired = false;        // not in the config any more
    int failures = 0;            // in a row
    milliseconds backoff{0};
    bool answered = false;       // in this run
    std::int64_t last_lent = 0;  // steady milliseconds
    RepeatedError logged;
    std::string measured_as;  // key of its measurements
    milliseconds load_took{0};
    std::filesystem::path prompts;  // of this start: where it keeps what it has read; empty: nowhere
    double writes_per_second = 0;   // bytes, as it last wrote there; 0: not known
    PlannedMemory guess;            // before its start
    std::uintmax_t log_begin = 0;   // bytes of the log before this start
    std::string told_missing;       // of the sandbox, as it was logged
    // of this run
    Supervision supervision;
    EnginePort port;
    std::optional<FileId> socket;  // as it was when it was ready
    std::string mark;              // NAME=value in the environment of all its processes
};

struct Engines::State {
    State(EnginesSettings given, Random& random, const Clock& clock);

    std::int64_t steady_ms() const {
        return std::chrono::duration_cast<milliseconds>(clock.steady().time_since_epoch()).count();
    }
    void post(std::function<void()> act) { net::asio::post(worker.context(), std::move(act)); }
    std::shared_ptr<Engine> find(const std::string& model) const;
    Asked asked(const Engine& engine) const {
        auto memory_here = machine;
        memory_here.models_bytes = static_cast<std::int64_t>(engine.config->engine_memory);
        return {*engine.config, engine.model, settings, memory_here};
    }
    Result<std::filesystem::path> program_of(const Engine& engine) const {
        return engine.program.empty() ? engine.kind->program(asked(engine)) : engine.program;
    }
    // Any thread's.
    void configure(const std::shared_ptr<const config::Config>& config);
    // The program that llama-server's engines run now, and asks it for its version where it is another one.
    void learn_program(const config::Config& config);

    // ---- control thread (engines.cpp) ----
    void take_over(const std::vector<std::shared_ptr<Engine>>& all, const std::vector<std::shared_ptr<Engine>>& gone);
    void want(const std::shared_ptr<Engine>& engine, Waiter waiter);
    void give_up(std::uint64_t id, const Error& error);
    // Does what the schedule says now, and looks again when it may say something new.
    void apply();
    void arm(SteadyTime when);
    // Errors: unavailable, where somebody else has its port.
    Result<Lease> lend(const std::shared_ptr<Engine>& engine);
    void answer_all(Engine& engine, const Error& error);
    SteadyTime answer_late();
    void show(Engine& engine);
    // What is known of it: the measurement of what it is now, else an estimate.
    void learn_size(Engine& engine);
    // By what was measured of it as it was last looked up, else by its header.
    void count_as_known(Engine& engine);
    void count_at(Engine& engine, Bytes bytes, milliseconds load, bool is_measured);
    // The limits of all memories, by what the config and the program's devices are now.
    void share_memory();
    // What it takes of each device: by its own words at its last run, else by its header.
    Bytes on_devices(const Engine& engine, const std::optional<DeviceBytes>& said) const;
    // Its engines' GPUs are these from now on.
    void take_devices(std::vector<Device> found);
    Error too_large(const Engine& engine) const;

    // ---- another version (upgrade.cpp) ----
    struct Trial;
    net::Task<std::optional<std::pair<std::string, milliseconds>>> ask_trial(const Trial& trial, std::string rest);
    net::Task<> ask_question(Trial& trial, const UpgradeQuestion& question);
    net::Task<> run_for_speed(Trial& trial, bool counts);
    net::Task<> ask_trials(std::vector<Trial*> trials, const UpgradeWish& wish);
    net::Task<Result<Lease>> lend_to(const Trial& trial);
    Result<std::shared_ptr<Engine>> engine_for_upgrade(const std::string& model) const;
    std::shared_ptr<Engine> trial_engine(const Engine& like, const std::filesystem::path& program);
    bool fit_beside(const Engine& old_one, const Engine& new_one) const;
    net::Task<std::string> compare(Trial& old_one, Trial& new_one, const UpgradeWish& wish, bool beside);
    net::Task<> upgrade(UpgradeWish wish, KeptProgram now, KeptProgram next,
                        std::function<void(Result<UpgradeReport>)> done);

    net::Task<> ask_adopted(std::function<void(std::vector<AdoptedStatus>)> done);

    // ---- one process (supervise.cpp) ----
    Result<Process> launch(Engine& engine);
    // Over an unload (kept_prompts.cpp).
    net::Task<> keep_prompts(Engine& engine);
    net::Task<> bring_back_prompts(Engine& engine);
    struct Asking {
        std::string method, path;
        std::string body = {};
        milliseconds timeout{4'000};
        std::size_t most = 256 * 1024;  // bytes of the answer that are read
    };
    Result<sandbox::Confined> confine(Engine& engine, const Process::Settings& start, const EngineFolder& folder,
                                      const Reach& reach);
    // What is set up for a process before its start (launch.cpp), and undone after its end.
    Result<Starting> prepare(Engine& engine, const EngineFolder& folder, const Secret& key);
    void clear_away(Engine& engine);
    // Whether another process of this model runs on, as it does while its last requests end.
    bool has_twin(const Engine& engine) const;
    // Empty, or what has become of its socket, by which nobody reaches it any more.
    std::string socket_lost(const Engine& engine) const;
    // Empty, or who has its port in its place.
    std::string taken_by(Engine& engine, const Process& process);
    std::optional<ProcessStat> stat_of(const Engine& engine) const;
    net::Task<bool> healthy(Engine& engine, std::string path);
    // The body of a 200, or its beginning.
    net::Task<std::optional<std::string>> ask(const Engine& engine, Asking what);
    // For as long as the lease is held (asking.cpp).
    net::Task<> answer(std::shared_ptr<Engine> engine, Lease lease, EngineQuestion question,
                       std::function<void(Result<std::string>)> done);
    net::Task<std::string> hangs(Engine& engine, const ProcessStat& stat, Silence& silence);
    net::Task<RunEnd> load(Engine& engine, Process& process);
    net::Task<RunEnd> watch(Engine& engine, Process& process);
    net::Task<> end(Engine& engine, Process& process);
    net::Task<> run(std::shared_ptr<Engine> engine);
    // For another model, or since nobody has asked for it for long.
    bool unloads(const Engine& engine) const { return engine.unload_wanted && !engine.stop_wanted && !ending; }
    bool wanted_end(const Engine& engine) const { return ending || engine.stop_wanted || engine.unload_wanted; }
    void set_state(Engine& engine, std::string state, std::optional<std::string> error = {});
    void note_memory(Engine& engine, const ProcessStat& stat);
    void look_at_memory(Engine& engine, bool first);
    // Its own words replace what was guessed of the GPUs.
    void count_devices(Engine& engine);
    void settle(Engine& engine, RunEnd how, SteadyTime started);

    EnginesSettings settings;
    Random& random;
    const Clock& clock;
    net::Worker worker;  // the control thread, parent of all engines
    net::ClientShared client_shared;
    net::Client client;
    const MachineMemory machine;
    Incidents incidents;
    std::atomic<std::uint64_t> next_id{1};
    mutable std::mutex mutex;
    std::unordered_map<std::string, std::shared_ptr<Engine>> engines;
    EnginesMemory memory;
    EnginesProgram program;
    std::string program_seen;                          // its file, size and time
    std::shared_ptr<const config::Config> configured;  // the last one
    std::atomic<bool> upgrading{false};
    std::atomic<int> alive{0};  // coroutines, and threads of their own
    std::atomic<bool> ending{false};
    // control thread only
    Measured measured;
    Schedule schedule;
    std::vector<Device> devices;  // of the program in use
    std::map<Schedule::Model, std::shared_ptr<Engine>> by_slot;
    net::asio::steady_timer timer;
    std::shared_ptr<const config::Config> config;
    bool refusing = false;
};

}  // namespace tandem::engine
