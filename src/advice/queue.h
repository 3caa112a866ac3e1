// Waiting for whole servers: first come, first served, by the arrivals and times of work that are given. A pure
// simulation of events, without randomness; tests check it against closed forms (M/D/1: Pollaczek and Khinchine; M/M/c:
// Erlang 1917; both in Kleinrock, Queueing Systems, volume 1, 1975, sections 5.7 and 3.5).
#pragma once

#include <cstdint>
#include <vector>

namespace tandem::advice {

// Servers of one kind that share one queue. What comes is offered in order of its arrival.
class Servers {
  public:
    explicit Servers(int count);

    // How long one that arrives now would wait, in milliseconds: no event is changed.
    double wait_at(double arrival_ms) const;
    // Takes the next in order: of the servers that are free the first, else the first to be free, works on it.
    struct Served {
        double wait_ms = 0;
        int server = 0;  // from 0
    };
    Served serve(double arrival_ms, double work_ms);
    int count() const { return static_cast<int>(free_at_.size()); }
    // Milliseconds of work that all servers were given.
    double worked_ms() const { return worked_; }

  private:
    std::size_t next(double arrival_ms) const;
    double worked_ = 0;
    std::vector<double> free_at_;  // of each server; a few, so that looking through them is quick
};

struct Arrival {
    double time_ms = 0;
    double work_ms = 0;
};

struct Waits {
    std::vector<double> ms;        // of each that was served, in order
    std::int64_t turned_away = 0;  // would have waited longer than `patience_ms`
    double utilisation = 0;        // work / (servers x time between first arrival and last end)
    double p50 = 0, p95 = 0, mean = 0;
};

// `arrivals` are in order of time. Negative times of work count as 0. patience_ms < 0: everybody waits.
Waits simulate(const std::vector<Arrival>& arrivals, int servers, double patience_ms = -1);

// The value below which `share` (0 to 1) of them lie, by the nearest rank; 0 where there are none. Orders `values`.
double percentile(std::vector<double>& values, double share);

// Closed forms, for tests and for docs: mean waits, in the unit of `work`.
// M/M/c (Erlang C): C(c, a) work / (c - a), a = arrivals x work, c > a.
double erlang_c_wait(double arrivals, double work, int servers);
// M/D/1 (Pollaczek and Khinchine, no variance): rho work / (2 (1 - rho)), rho = arrivals x work < 1.
double md1_wait(double arrivals, double work);

}  // namespace tandem::advice
