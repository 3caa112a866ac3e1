// The local engines: started when a request needs one, watched, restarted with backoff, unloaded when idle, stopped
// with us. One server for each model of a provider whose kind runs here (kind.h). They share the memory that the owner
// gives them: which are loaded when is schedule.h.
//
// It does not know what is sent to an engine, and opens no connection for requests: it lends an address and a key.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "base/world.h"
#include "config/config.h"
#include "engine/adopted.h"
#include "engine/engine_memory.h"
#include "engine/incidents.h"
#include "engine/sandbox/held.h"
#include "engine/upgrade.h"

namespace tandem::net {
class LocalAddress;
}

namespace tandem::engine {

struct EngineStatus {
    std::string model;
    // stopped; queued (requests wait for its turn); starting; ready; leaving (for another model, once what runs has
    // ended); stopping; waiting (for a restart); quarantined (it failed again and again)
    std::string state = "stopped";
    std::string last_error;  // of the last start or run that failed
    int pid = 0;
    std::string kind;                // of its provider
    std::filesystem::path socket;    // empty where it does not run, or has a port
    int port = 0;                    // 0: where it does not run, or has a socket
    sandbox::Held sandbox;           // of the last start
    int in_use = 0;                  // leases
    int restarts = 0;                // after a failure, since Tandem started
    int loads = 0;                   // since Tandem started
    std::size_t waiting = 0;         // requests that wait for it
    milliseconds longest_wait{0};    // of one that has been served or waits, since Tandem started
    milliseconds expected_wait{0};   // of a request that comes now
    std::int64_t planned_bytes = 0;  // that it is counted at
    DeviceBytes planned_devices;     // and of each GPU; those of which it takes nothing are left out
    bool measured = false;           // those were measured, at its last run with the same file and settings
    std::size_t incidents = 0;
    std::filesystem::path log;
    EngineMemory memory;  // of this start, or of the last one
};

// A GPU, as the llama-server in use sees it (devices.h).
struct EnginesDevice {
    std::string name, about;
    std::int64_t limit_bytes = 0;  // nine tenths of its memory
    std::int64_t used_bytes = 0;   // counted
};

// What its engines may have of the machine.
struct EnginesMemory {
    std::int64_t limit_bytes = 0;
    bool by_owner = false;        // engine.memory; else nine tenths of the machine's
    std::int64_t used_bytes = 0;  // counted
    std::vector<EnginesDevice> devices;
};

// The llama-server that is in use.
struct EnginesProgram {
    std::filesystem::path file;
    std::string version;  // as it says it; empty: not known (yet)
};

// The right to use a running engine; it is not unloaded while one is held. Safe to drop on any thread.
class Lease {
  public:
    Lease() = default;
    Lease(std::shared_ptr<void> hold, std::shared_ptr<const net::LocalAddress> address,
          std::shared_ptr<const Secret> key, std::shared_ptr<std::atomic<std::int64_t>> heard, int port)
        : hold_(std::move(hold)),
          address_(std::move(address)),
          key_(std::move(key)),
          heard_(std::move(heard)),
          port_(port) {}
    // Ends in /v1. Where there is an address, the URL has the path alone.
    std::string base_url() const {
        return address_ ? "http://engine/v1" : "http://127.0.0.1:" + std::to_string(port_) + "/v1";
    }
    const std::shared_ptr<const net::LocalAddress>& address() const { return address_; }
    const std::shared_ptr<const Secret>& api_key() const { return key_; }
    // Bytes of an answer have come: an engine that says nothing for long is looked at, whatever its /health says.
    void progressed(SteadyTime now) const {
        if (heard_) *heard_ = std::chrono::duration_cast<milliseconds>(now.time_since_epoch()).count();
    }

  private:
    std::shared_ptr<void> hold_;
    std::shared_ptr<const net::LocalAddress> address_;
    std::shared_ptr<const Secret> key_;
    std::shared_ptr<std::atomic<std::int64_t>> heard_;
    int port_ = 0;
};

// A request of Tandem's own to an engine: nothing that a client said.
struct EngineQuestion {
    std::string method = "POST", path, body;
    SteadyTime deadline;  // of its turn, its loading and its answer
};

struct EnginesSettings {
    std::filesystem::path data;   // logs go to data/engines/
    std::filesystem::path cache;  // engine/llama-server and models/ are looked for there
    config::Environment environment;
    // Told of each start or run that failed, without the engine's own words; on the engines' thread. May be empty.
    std::function<void(const std::string& model, const std::string& why)> failed = {};
    // Called by whoever has made another program the one in use, on a thread that may wait. May be empty.
    std::function<Result<>()> switched = {};
};

// The llama-server to run: the config's, PATH's, the cache's. Errors: not_found, with what to do.
Result<std::filesystem::path> find_binary(const config::Config& config, const EnginesSettings& settings);
// The model's file: absolute, beside the config file, in data/models, in the cache, or the name of an adopted one
// (`tandem model list`). Errors: not_found, naming the places.
Result<std::filesystem::path> find_model_file(const config::Config& config, const config::Model& model,
                                              const EnginesSettings& settings);

// The program of a model's engine, by its kind. Errors: as find_binary(); invalid, where Tandem starts none for it.
Result<std::filesystem::path> find_program(const config::Config& config, const config::Model& model,
                                           const EnginesSettings& settings);

// Where an engine's output goes. A model's id may have characters in it that a file name may not.
std::filesystem::path log_file(const std::filesystem::path& data, std::string_view model);

class Engines {
  public:
    // Random and clock outlive it.
    Engines(EnginesSettings settings, Random& random, const Clock& clock);
    // Stops every engine, and waits until they are gone.
    ~Engines();
    Engines(const Engines&) = delete;
    Engines& operator=(const Engines&) = delete;

    // Takes over what the config says; engines that changed or went are stopped, once nobody uses them.
    void configure(std::shared_ptr<const config::Config> config);

    // Starts the engine of this model if it does not run, once there is room for it (schedule.h), waits until it
    // answers, and gives a lease. `done` is called once, on another thread. Gives what give_up() takes. Errors:
    // unavailable (it does not start or fit, and why), timeout, not_found.
    std::uint64_t acquire(const std::string& model, SteadyTime deadline, std::function<void(Result<Lease>)> done);
    // Acquires the engine, sends it that, and gives the body of its answer, 8 MiB of it at most. `done` is called once,
    // on another thread. Errors: as acquire(); unavailable, where it gives no 200.
    void ask(const std::string& model, EngineQuestion question, std::function<void(Result<std::string>)> done);
    // Nobody waits for that any more: `done` is called with `cancelled`, if it was not called yet. A load that nobody
    // waits for ends.
    void give_up(std::uint64_t waiting);
    // It is started again at the next request, however often it has failed.
    void forgive(const std::string& model);
    // Ends it now, whatever runs on it; a later request starts it again. Errors as acquire().
    void stop(const std::string& model, std::function<void(Result<>)> done);

    const EnginesSettings& settings() const;
    // Tries another llama-server beside the one in use, and puts it in its place where it is not worse (upgrade.h), or
    // where the owner wants it all the same. Requests that run end at the old one, later ones go to the new one. Takes
    // minutes; `done` is called once, on another thread. Errors: invalid, not_found, unavailable (one runs), storage.
    void upgrade(UpgradeWish wish, std::function<void(Result<UpgradeReport>)> done);
    // Puts the one before the last upgrade in its place again. Errors: not_found, unavailable, storage.
    Result<UpgradeReport> rollback();
    EnginesProgram program() const;

    // Nobody waits for an engine any more, and none is started: for a stop. Those that run, run on.
    void refuse_from_now();

    // Why a request cannot count on this engine now, or empty. Safe from any thread, does not wait.
    std::string unhealthy(const std::string& model) const;
    // How long a request that came now would wait for its turn and the loading, as far as known. Does not wait.
    milliseconds expected_wait(const std::string& model) const;
    std::vector<EngineStatus> status() const;
    EnginesMemory memory() const;
    // Asks the servers that Tandem did not start, of this machine or a network that its owner trusts, what they have in
    // memory. `done` is called once, on another thread, within some seconds.
    void adopted(std::function<void(std::vector<AdoptedStatus>)> done) const;
    // What went wrong, the newest first; of all models where `model` is empty.
    std::vector<Incident> incidents(std::string_view model, std::size_t most) const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace tandem::engine
