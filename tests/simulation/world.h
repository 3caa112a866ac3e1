// A gateway in a world that is a script: its clock stands still until nothing is left to do, its network answers, fails
// and lingers as a seed says. The same seed gives the same run, to the byte.
#pragma once

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "experiment/experiments.h"
#include "gateway/gateway.h"
#include "net/children.h"
#include "tests/support.h"

namespace tandem::simulation {

// What every provider has to say. An answer that is whole says exactly this, whoever said which part of it.
inline constexpr std::string_view kAnswer =
    "The quick brown fox jumps over the lazy dog, sits down by the river and waits for the evening.";
inline constexpr std::string_view kCard = "4111111111111111";  // a detector finds it
inline constexpr std::string_view kHome = "homeward";          // in what is private by its header

// A call that the network has seen.
struct Seen {
    std::string provider;
    bool cloud = false;
    std::string body;
    SteadyTime time;
};

class Network {
  public:
    Network(test::ManualClock& clock, std::uint64_t seed, int trouble) : clock(clock), random(seed), trouble(trouble) {}
    std::unique_ptr<net::Caller> caller(net::Worker& worker);

    test::ManualClock& clock;
    std::mt19937_64 random;
    int trouble;  // of a hundred calls, how many go wrong
    std::vector<Seen> seen;
    int open = 0;  // answers that are not at their end
};

// A client, as the gateway sees it.
class Client final : public net::Exchange {
  public:
    Client(net::Worker& worker, test::ManualClock& clock, net::Request request, milliseconds slow)
        : worker_(worker), clock_(clock), request_(std::move(request)), slow_(slow) {}

    net::Request& request() override { return request_; }
    net::Worker& worker() override { return worker_; }
    net::Cancel& cancel() override { return cancel_; }
    net::Task<bool> reply(net::Response response) override;
    void start(int status, net::Fields headers) override;
    net::Task<bool> write(std::string bytes) override;
    net::Task<bool> finish(std::string last_bytes) override;
    bool started() const override { return started_; }

    int replies = 0, finishes = 0, starts = 0;
    bool wrote_late = false;  // something came when all was said
    int status = 0;
    net::Fields headers;
    std::string body;
    SteadyTime began, ended;
    bool gone = false;  // left of its own accord

  private:
    net::Task<bool> take(std::string bytes);
    net::Worker& worker_;
    test::ManualClock& clock_;
    net::Request request_;
    const milliseconds slow_;
    net::Cancel cancel_;
    bool started_ = false;
};

// What is dear to make and knows nothing of a run: shared by all runs of a thread.
struct Ground {
    Ground();
    test::Folder folder;
    test::ManualClock clock;
    std::unique_ptr<Random> random = seeded_random(1);
    std::unique_ptr<store::Store> store;
    std::shared_ptr<privacy::Detector> detector;
    MemoryAccount memory;
    net::FairPool scans{1};                    // nothing of a simulation goes there
    net::asio::thread_pool pool{1};            // nor there
    std::unique_ptr<engine::Engines> engines;  // none runs
};

struct Outcome {
    std::vector<std::string> broken;  // invariants, in words
    std::string trace;                // all that clients and providers saw
    std::size_t requests = 0, whole = 0, cut = 0, refused = 0, calls = 0, hedged = 0, gone_on = 0, left = 0;
};

// One run: up to four clients at once, of a config and a network that the seed makes.
Outcome run(Ground& ground, std::uint64_t seed);

}  // namespace tandem::simulation
