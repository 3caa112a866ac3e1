// Looks at what measures the machines' electricity while the server runs, and writes what was drawn into the store.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "config/config.h"
#include "energy/nvml.h"
#include "energy/rapl.h"
#include "ledger/local/measured.h"
#include "net/client.h"
#include "store/store.h"

namespace tandem::energy {

class Sampler {
  public:
    using ConfigNow = std::function<std::shared_ptr<const config::Config>()>;
    // `pool` reads the kernel's files. All outlive it.
    Sampler(store::Store& store, const Clock& clock, net::asio::thread_pool& pool, ConfigNow config)
        : store_(store), clock_(clock), pool_(pool), config_(std::move(config)) {}

    // Looks every energy.every until `cancel` is fired. By the config as it is at each look; what cannot be read is
    // told in the log once, until it can be again.
    net::Task<> watch(net::Worker& worker, net::Cancel& cancel);

  private:
    // Of one machine: a meter for each counter, by name.
    struct State {
        std::map<std::string, Meter> meters;
        std::optional<std::string> told;  // the last error, empty where there was none
    };
    struct Look {
        std::int64_t time = 0;
        std::vector<Domain> counters;
    };
    net::Task<Result<Look>> look(const config::Config& config, const config::Measure& measure, net::Client& client,
                                 net::Cancel& cancel);
    // What the machine drew since the last look; nothing where a counter began anew.
    static ledger::local::Quarters take(State& state, const Look& look);
    net::Task<> sample(const config::Config& config, net::Client& client, net::Cancel& cancel);
    // In a thread of the pool.
    Result<Look> count(const config::Energy& energy, const config::Measure& measure);
    static void tell(const std::string& machine, State& state, const Result<>& outcome);

    store::Store& store_;
    const Clock& clock_;
    net::asio::thread_pool& pool_;
    ConfigNow config_;
    net::ClientShared shared_;
    std::shared_ptr<const Nvml> nvml_;  // once it was opened; from nvml_name_
    std::string nvml_name_;
    std::map<std::string, State> states_;  // by machine and what measures it
};

}  // namespace tandem::energy
