// Which models are in memory: which are loaded for whom, which are unloaded for another, and which requests may run
// now.
//
// Pure: it is told what happens and what time it is, and says what is to be done. The rules:
//  1. Models share each memory by bytes. A model is loaded where there is room for it; a request of a loaded model runs
//     at once, however many others wait for other models, so requests are served model by model.
//  2. Where there is no room, models are unloaded for the one whose first request waits the longest. One that nobody
//     uses goes once it has been idle for as long as its own loading takes (which is never worse than twice the best
//     that can be done: the ski-rental rule) and at most `patience`. One in use goes once it had its turn, `patience`
//     or its own loading time if that is longer, and the request has waited for `patience` itself: it gets no further
//     request, those that run end in peace, and then it is unloaded. No running request is ended.
//  3. Of those that may go, the cheapest to bring back go, by loading time, bytes and how long they have been idle.
//     The same go, idle ones only, where the loaded ones have grown beyond the limit.
//  4. A model that waits for a room that is being made gets it: what would take that room waits behind it.
//
// So a request waits at most for the turns of the models that were asked for before it; worst_turn() says how long one
// is but for the requests that run in it, which their own deadlines bound.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/world.h"

namespace tandem::engine {

// Of each memory: that of the machine, then that of each GPU. Missing ones are 0.
using Bytes = std::vector<std::int64_t>;

struct ScheduledModel {
    Bytes bytes;
    milliseconds load{1'000};           // how long loading takes, as far as known
    milliseconds idle_unload{900'000};  // after that time without a request
    bool pinned = false;                // never unloaded: not for room, not for being idle
    bool preload = false;               // loaded as soon as there is room that nobody waits for, once
    std::string group;                  // those of one name are loaded and unloaded together; empty: alone
};

class Schedule {
  public:
    using Model = int;  // from add(); never used again
    using Ticket = std::uint64_t;

    struct Settings {
        Bytes limits;
        // Of the machine's memory: a model that is larger than the limit is refused. Else, and of a GPU, it has all
        // of it to itself.
        bool strict = false;
        milliseconds patience{10'000};
        milliseconds unwatched_load{3'000};  // for how long a load goes on that nobody waits for
    };
    struct Steps {
        std::vector<Ticket> lend;    // done() is called when each has ended
        std::vector<Ticket> refuse;  // the memory can never have room for their model
        std::vector<Model> load;
        std::vector<Model> unload;  // nothing of it is lent
        SteadyTime look_again = SteadyTime::max();
        bool empty() const { return lend.empty() && refuse.empty() && load.empty() && unload.empty(); }
    };

    explicit Schedule(Settings settings) : settings_(std::move(settings)) {}

    void set(Settings settings) { settings_ = std::move(settings); }
    Model add(ScheduledModel model);
    // What is known of it now. What it takes and how long it loads may change at any time.
    void change(Model model, ScheduledModel to);
    bool knows(Model model) const { return entries_.contains(model); }
    const ScheduledModel& about(Model model) const { return entries_.at(model).about; }
    // Not in the config any more: it is unloaded once nothing of it is lent, and forgotten then.
    void retire(Model model);

    // Whether the memory can never have room for it.
    bool too_large(Model model) const;
    Ticket want(Model model, SteadyTime now);
    // It waits no more. Nothing where it is lent already.
    void give_up(Ticket ticket, SteadyTime now);
    // The owner wants it loaded, as if a request waited for it, until it is.
    void call_for(Model model, SteadyTime now);
    void done(Model model, SteadyTime now);
    void loaded(Model model, SteadyTime now);
    // Its process has gone, as was wanted.
    void ended(Model model, SteadyTime now);
    // Its process has gone by itself, or was ended by the owner: nobody waits for it any more. `again_from`: from then
    // on it is loaded again where there is room that nobody waits for; nullopt: once somebody asks for it.
    void failed(Model model, SteadyTime now, std::optional<SteadyTime> again_from);

    // What is to be done now. It counts as done: each step is to be carried out.
    Steps step(SteadyTime now);

    // How long a request that came now would wait before it runs, as far as known, without what others ask for later.
    milliseconds expected_wait(Model model, SteadyTime now) const;
    // How many requests wait for it, and since when the first of them does.
    std::size_t waiting(Model model) const { return entries_.at(model).waiting.size(); }
    std::optional<SteadyTime> waiting_since(Model model) const;
    bool leaves(Model model) const { return entries_.at(model).draining; }
    // Whether all of these, which are not loaded, fit beside what is.
    bool has_room_for(const std::vector<Model>& models) const { return fits(need_of(models), free()); }
    // Bytes of what is loaded, is loading or has not gone yet.
    Bytes used() const;
    // The longest turn of a model before it goes for another one, without the requests that run at its end.
    milliseconds worst_turn() const;

  private:
    enum class Stage { out, loading, in, leaving };
    struct Entry {
        ScheduledModel about;
        Stage stage = Stage::out;
        int lent = 0;
        std::map<Ticket, SteadyTime> waiting;
        std::optional<SteadyTime> called;  // by the owner
        SteadyTime since{};                // of this stage
        SteadyTime idle_since{};           // while nothing is lent
        SteadyTime unwatched_since{};      // while it loads, and nobody waits
        bool draining = false;             // it goes for another one, and gets no further request
        bool retired = false;
        bool preloaded = false;                // or somebody asked for it
        std::optional<SteadyTime> again_from;  // it has failed
    };
    using Unit = std::vector<Model>;  // what is loaded and unloaded together

    Unit unit_of(Model model) const;
    std::optional<SteadyTime> first_wait(const Entry& entry) const;
    std::optional<SteadyTime> first_wait(const Unit& unit) const;
    bool may_load(const Entry& entry, SteadyTime now) const { return !entry.again_from || *entry.again_from <= now; }
    // The units that wait to be loaded, in the order of their first requests.
    std::vector<std::pair<SteadyTime, Unit>> queue() const;
    Bytes need_of(const Unit& unit) const;  // of its members that are not loaded
    Bytes free() const;
    Bytes coming() const;  // what those that go will free
    Bytes need(const Entry& entry) const;
    // The first memory whose limit is not strict; those behind it are neither.
    std::size_t first_soft() const { return settings_.strict ? 1 : 0; }
    bool fits(const Bytes& need, const Bytes& room) const;
    milliseconds turn(const Entry& entry) const;
    milliseconds linger(const Entry& entry) const;

    void forget(Model model);
    void lend(Steps& steps);
    void refuse_too_large(Steps& steps);
    void end_loads(SteadyTime now, Steps& steps);
    void unload_idle(SteadyTime now, Steps& steps);
    void shed(SteadyTime now, Steps& steps);
    void unload_drained(SteadyTime now, Steps& steps);
    void serve_queue(SteadyTime now, Steps& steps);
    void preload(SteadyTime now, Steps& steps);
    void load(const Unit& unit, SteadyTime now, Steps& steps);
    void unload(Model model, SteadyTime now, Steps& steps);
    // When this unit may go for one that waits since then; nullopt: never, or it is going.
    std::optional<SteadyTime> may_go(const Unit& unit, SteadyTime waits_since) const;
    struct Leaving {
        std::vector<Unit> units;
        SteadyTime look_again = SteadyTime::max();
    };
    Leaving who_goes(const Unit& comer, Bytes missing, SteadyTime waits_since, SteadyTime now) const;
    double worth_keeping(const Unit& unit, SteadyTime now) const;
    void end_claim();
    void make_room(const Unit& comer, const Leaving& who, SteadyTime now, Steps& steps);

    Settings settings_;
    std::map<Model, Entry> entries_;
    std::map<Ticket, Model> tickets_;  // that wait
    Unit comer_;                       // that the room of those that drain is for
    Model next_model_ = 1;
    Ticket next_ticket_ = 1;
};

}  // namespace tandem::engine
