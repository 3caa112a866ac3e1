#include "advice/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <unordered_map>

#include "advice/plans.h"
#include "advice/queue.h"
#include "base/text.h"
#include "ledger/local/hours.h"

namespace tandem::advice {

namespace {

namespace local = ledger::local;

constexpr std::int64_t kDay = 86'400'000;
constexpr std::int64_t kFewestPrompts = 20;  // before a share of cached tokens is taken from them

double as_double(Money money) {
    return static_cast<double>(money.micros()) / 1e6;
}

// What one model would come to for one request.
struct Share {
    std::int64_t cost_micros = 0;
    float quality = 0;
    float first_ms = -1, total_ms = -1;  // without waiting for others; below 0: not known
    bool reckoned = false;
};

// Tokens of a prompt that would come from the provider's cache: where another one had seen the beginning a moment ago,
// this one would have, unless another model answered the turn before (`cold`).
std::int64_t cached_at(const Situation& situation, const routing::Table::Entry& entry, const Request& request,
                       bool cold_start) {
    const auto& knowledge = situation.knowledge;
    if (situation.traffic.of_profile) return request.usage.cached_input.count;  // its owner says how many
    const auto* known = knowledge.find(entry.model);
    const Cached own = known == nullptr ? Cached{} : known->cached;
    Cached usual;
    if (entry.zone == Zone::cloud) {
        usual = knowledge.usual_cached;
        // As the router reckons where nothing was measured: what was seen a moment ago is in the cache.
        if (usual.warm_prompts < kFewestPrompts) usual.warm = 1;
    }
    const double warm = own.warm_prompts >= kFewestPrompts ? own.warm : usual.warm;
    const double cold = own.cold_prompts >= kFewestPrompts ? own.cold : usual.cold;
    const auto all = request.usage.input.count,
               seen = cold_start ? 0 : std::clamp<std::int64_t>(request.warm_tokens, 0, all);
    return static_cast<std::int64_t>(warm * static_cast<double>(seen) + cold * static_cast<double>(all - seen));
}

// Of the prompt that does not come from a cache, as large a part is put into one as of the recorded answer's.
Tokens written_at(const Usage& recorded, Tokens input, Tokens cached) {
    const auto rest = recorded.input.count - recorded.cached_input.count;
    if (recorded.cache_write.count <= 0 || rest <= 0) return {};
    const double share = std::min(1.0, static_cast<double>(recorded.cache_write.count) / static_cast<double>(rest));
    return {std::llround(share * static_cast<double>(std::max<std::int64_t>(0, input.count - cached.count)))};
}

Usage usage_at(const Situation& situation, const routing::Table::Entry& entry, const Request& request,
               const std::string& answered_by, bool cold_start) {
    const auto& knowledge = situation.knowledge;
    if (entry.model == answered_by && !cold_start) return request.usage;
    Usage usage;
    usage.input = request.usage.input;
    usage.output = {output_of(knowledge, entry.model, answered_by, request.kind, request.usage.output.count)};
    if (entry.max_output_tokens > 0) usage.output.count = std::min(usage.output.count, entry.max_output_tokens);
    usage.cached_input = {cached_at(situation, entry, request, cold_start)};
    usage.cache_write = written_at(request.usage, usage.input, usage.cached_input);
    usage.estimated = request.usage.estimated;
    return usage;
}

std::optional<Speed> speed_at(const Situation& situation, const routing::Table::Entry& entry) {
    const auto* known = situation.knowledge.find(entry.model);
    if (known != nullptr && known->speed) return known->speed;
    return entry.zone == Zone::cloud ? situation.knowledge.usual_cloud : std::nullopt;
}

// A station at work.
struct Desk {
    const Station* station = nullptr;
    Servers servers{1};
    StationResult result;
    std::vector<double> waits;
    std::vector<local::Times> busy;  // of each machine
    std::optional<Speed> speed;
    std::size_t machine = SIZE_MAX;  // in Combination::machines
};

}  // namespace

struct Evaluator::State {
    explicit State(const Situation& situation)
        : situation(situation), shapes(situation.traffic, situation.today.table) {}
    const Situation& situation;
    Shapes shapes;
    // By model id, where it is not a machine's that is not there yet, whose speed is its own. With what its provider
    // has in its cache, and without.
    struct Lists {
        std::vector<Share> warm, cold;
    };
    std::unordered_map<std::string, Lists> shares;

    Share& share(Lists& lists, std::size_t at, const routing::Table::Entry& entry, const std::optional<Speed>& speed,
                 bool cold_start) const {
        auto& list = cold_start ? lists.cold : lists.warm;
        if (list.empty()) list.resize(situation.traffic.requests.size());
        auto& one = list[at];
        if (one.reckoned) return one;
        const auto& request = situation.traffic.requests[at];
        const auto& answered_by = situation.traffic.models[request.model];
        const auto usage = usage_at(situation, entry, request, answered_by, cold_start);
        one.reckoned = true;
        // What was booked is what the provider charged, or all the buckets that it told.
        if (entry.model == answered_by && !cold_start) {
            one.cost_micros = request.cost.micros();
        } else {
            auto asked =
                request.asked < 0 ? prices::Asked{} : situation.traffic.asked[static_cast<std::size_t>(request.asked)];
            asked.time_ms = request.time_ms;
            auto buckets = prices::buckets_of(usage);
            if (asked.keeps_cache_an_hour) {
                buckets.set(prices::Bucket::cache_write_1h, buckets[prices::Bucket::cache_write]);
                buckets.set(prices::Bucket::cache_write, 0);
            }
            one.cost_micros = entry.price.cost(buckets, asked).micros().micros();
        }
        one.quality = static_cast<float>(quality_of(entry, situation.knowledge.find(entry.model), request));
        if (speed) {
            const auto input = usage.input.count, cached = usage.cached_input.count;
            one.first_ms = static_cast<float>(speed->first_ms(input, cached));
            one.total_ms = static_cast<float>(speed->total_ms(input, cached, usage.output.count));
        }
        return one;
    }
};

Evaluator::Evaluator(const Situation& situation) : state_(std::make_unique<State>(situation)) {}
Evaluator::~Evaluator() = default;

namespace {

// One evaluation, under way.
class Run {
  public:
    Run(const Situation& situation, const Combination& combination, const Shapes& shapes, std::size_t from)
        : situation_(situation),
          combination_(combination),
          plans_(situation, combination, shapes),
          from_(from),
          gave_(situation.traffic.requests.size(), -1) {
        out_.id = combination.id;
        out_.name = combination.name;
        const auto& traffic = situation.traffic;
        span_ = traffic.span;
        // A search among the newest stands for their time alone.
        if (from > 0) span_.start = std::min(traffic.requests[from].time_ms, span_.end - kLeastSpanMs);
        out_.span_ms = span_.end - span_.start;
        out_.daily.resize(static_cast<std::size_t>((span_.end - span_.start + kDay - 1) / kDay));
        for (const auto& entry : combination.table.models) desks_.push_back(desk_of(entry));
    }

    template <typename ShareOf>
    void go(const ShareOf& share_of) {
        const auto& requests = situation_.traffic.requests;
        for (std::size_t i = from_; i < requests.size(); ++i) one(i, requests[i], share_of);
    }

    Evaluation finish();

  private:
    std::optional<Desk> desk_of(const routing::Table::Entry& entry) const;
    template <typename ShareOf>
    void one(std::size_t at, const Request& request, const ShareOf& share_of);
    template <typename ShareOf>
    void as_it_was(std::size_t at, const Request& request, const ShareOf& share_of);
    // Who answered the turn before it in this combination; -1: none, or none is known.
    int held_at(const Request& request) const {
        if (request.turn_before >= 0) return gave_[static_cast<std::size_t>(request.turn_before)];
        return plans_.number_of(request.warm);
    }
    // Another model answered the turn before, so this one's provider has not seen the beginning.
    bool is_cold(const Request& request, std::size_t model) const {
        return request.turn_before >= 0 && held_at(request) >= 0 && held_at(request) != static_cast<int>(model);
    }
    double serve(Desk& desk, const Request& request, const Share& share);
    void note_times(double first_ms, double total_ms);
    void answered(const Request& request, std::size_t model, const Share& share, double first_ms, double total_ms);
    void not_answered(const Request& request, Unserved why);
    std::size_t day_of(const Request& request) const {
        const auto day = (std::clamp(request.time_ms, span_.start, span_.end - 1) - span_.start) / kDay;
        return static_cast<std::size_t>(day);
    }
    void add_stations();
    void add_machines();
    void add_hours();
    void add_quality();
    Money of_month(Money of_span) const { return local::part_of(of_span, kMonthMs, span_.end - span_.start); }

    const Situation& situation_;
    const Combination& combination_;
    Plans plans_;
    std::size_t from_;
    Span span_;
    Evaluation out_;
    std::vector<std::optional<Desk>> desks_;  // of the table's models
    std::vector<std::int16_t> gave_;          // by request: number of the table's model that answered; -1: none
    Money cloud_;
    double quality_ = 0, value_ = 0, worth_ = 0;
    std::vector<double> first_, total_;
    Loadings answers_;
};

std::optional<Desk> Run::desk_of(const routing::Table::Entry& entry) const {
    const auto station = std::ranges::find(combination_.stations, entry.model, &Station::model);
    if (station == combination_.stations.end()) return std::nullopt;
    Desk desk;
    desk.station = &*station;
    const auto machine = std::ranges::find_if(combination_.machines, [&](const Machine& one) {
        return !station->machine.empty() && one.hardware.id == station->machine;
    });
    int count = 1;
    if (machine != combination_.machines.end()) {
        desk.machine = static_cast<std::size_t>(machine - combination_.machines.begin());
        count = machine->count;
    }
    desk.servers = Servers(station->slots * count);
    desk.busy.resize(static_cast<std::size_t>(count));
    desk.speed = station->speed ? station->speed : speed_at(situation_, entry);
    desk.result.model = station->model;
    desk.result.machine = station->machine;
    desk.result.servers = desk.servers.count();
    desk.result.speed_known = desk.speed.has_value();
    return desk;
}

template <typename ShareOf>
void Run::one(std::size_t at, const Request& request, const ShareOf& share_of) {
    ++out_.requests;
    value_ += routing::value_of_answer(combination_.table, request.stakes);
    if (request.label >= Label::private_) ++out_.private_requests;
    if (combination_.as_recorded) return as_it_was(at, request, share_of);
    const auto& plan = plans_.of(at, held_at(request));
    if (plan.renamed) ++out_.renamed;
    if (plan.order.empty()) return not_answered(request, plan.reason);
    double passed_ms = 0;
    for (std::size_t i = 0; i < plan.order.size(); ++i) {
        const auto model = plan.order[i];
        auto& desk = desks_[model];
        const auto& share = share_of(at, model, is_cold(request, model));
        const auto arrival = static_cast<double>(request.time_ms);
        if (desk && desk->speed && desk->servers.wait_at(arrival) > desk->station->patience_ms) {
            ++(i + 1 == plan.order.size() ? desk->result.turned_away : desk->result.passed_on);
            passed_ms += desk->station->patience_ms;
            continue;
        }
        const double before = passed_ms + (desk ? serve(*desk, request, share) : 0);
        gave_[at] = static_cast<std::int16_t>(model);
        return answered(request, model, share, share.first_ms < 0 ? -1 : share.first_ms + before,
                        share.total_ms < 0 ? -1 : share.total_ms + before);
    }
    not_answered(request, Unserved::failed);
}

// What the ledger says: who answered, and in which time; the queue is simulated to say how busy a station was.
template <typename ShareOf>
void Run::as_it_was(std::size_t at, const Request& request, const ShareOf& share_of) {
    cloud_ += request.cost;
    if (request.outcome == Outcome::failed) return not_answered(request, Unserved::failed);
    if (request.outcome == Outcome::refused) {
        const auto& plan = plans_.of(at, -1);
        return not_answered(request, plan.order.empty() ? plan.reason : Unserved::other);
    }
    ++out_.by_model[situation_.traffic.models[request.model]];
    const auto first = static_cast<double>(request.first_byte_ms);
    const double total = request.whole ? static_cast<double>(request.total_ms) : -1;
    const int model = plans_.number_of(request.model);
    if (model < 0) {  // it is no longer in the config: nothing is known of its answers
        constexpr double kUnknown = 0.5;
        ++out_.answered;
        if (request.label >= Label::private_ && request.zone == Zone::local) ++out_.private_home;
        quality_ += kUnknown;
        note_times(first, total);
        return;
    }
    const auto number = static_cast<std::size_t>(model);
    const auto& share = share_of(at, number, false);
    if (auto& desk = desks_[number]) serve(*desk, request, share);
    answered(request, number, share, first, total);
}

// Gives the wait, in milliseconds.
double Run::serve(Desk& desk, const Request& request, const Share& share) {
    ++desk.result.served;
    if (!desk.speed) return 0;
    const auto served = desk.servers.serve(static_cast<double>(request.time_ms), share.total_ms);
    desk.waits.push_back(served.wait_ms);
    const auto start = request.time_ms + std::llround(served.wait_ms);
    const auto machine = static_cast<std::size_t>(served.server / desk.station->slots);
    desk.busy[machine].push_back({start, start + std::llround(share.total_ms)});
    return served.wait_ms;
}

void Run::note_times(double first_ms, double total_ms) {
    if (first_ms >= 0) first_.push_back(first_ms);
    if (total_ms >= 0) total_.push_back(total_ms);
}

void Run::answered(const Request& request, std::size_t model, const Share& share, double first_ms, double total_ms) {
    const auto& entry = combination_.table.models[model];
    ++out_.answered;
    const auto cost = combination_.as_recorded ? request.cost : Money::from_micros(share.cost_micros);
    if (!combination_.as_recorded) {
        ++out_.by_model[entry.model];
        cloud_ += cost;
    }
    if (!entry.price.known() && std::ranges::find(out_.unpriced, entry.model) == out_.unpriced.end())
        out_.unpriced.push_back(entry.model);
    if (request.label >= Label::private_ && entry.zone == Zone::local) ++out_.private_home;
    quality_ += share.quality;
    answers_[entry.model][cell_of(request)] += 1;
    note_times(first_ms, total_ms);
    const double value = routing::value_of_answer(combination_.table, request.stakes);
    const double wait = std::max(0.0, total_ms) / 1000 * as_double(combination_.table.objective.second);
    const double worth = value * share.quality - as_double(cost) - wait;
    worth_ += worth;
    out_.daily[day_of(request)] += worth;
}

void Run::not_answered(const Request& request, Unserved why) {
    ++out_.unserved[static_cast<std::size_t>(why)];
    if (!combination_.as_recorded) return;
    worth_ -= as_double(request.cost);
    out_.daily[day_of(request)] -= as_double(request.cost);
}

void Run::add_stations() {
    const auto span_ms = static_cast<double>(span_.end - span_.start);
    for (auto& desk : desks_) {
        if (!desk || (desk->result.served == 0 && desk->result.turned_away + desk->result.passed_on == 0)) continue;
        auto& result = desk->result;
        result.wait_p50 = percentile(desk->waits, 0.5);
        result.wait_p95 = percentile(desk->waits, 0.95);
        result.utilisation = desk->servers.worked_ms() / (span_ms * desk->servers.count());
        result.keeps_up = result.turned_away == 0 && result.passed_on == 0 && result.utilisation < 1 &&
                          result.wait_p95 <= desk->station->patience_ms;
        out_.stations.push_back(result);
    }
}

void Run::add_machines() {
    const auto month = local::month_at(span_.end - 1);
    for (std::size_t m = 0; m < combination_.machines.size(); ++m) {
        auto hardware = combination_.machines[m].hardware;
        if (combination_.machines[m].new_) hardware.bought = month.start;
        const auto count = combination_.machines[m].count;
        const auto depreciation = local::depreciation_of(hardware, month), capital = local::capital_of(hardware, month);
        // Electricity of the span, as if the machine had been there all of it.
        hardware.bought = 0;
        hardware.life_months = 0;
        for (int i = 0; i < count; ++i) {
            local::Times busy;
            if (combination_.as_recorded) {
                for (const auto& one : situation_.traffic.busy)
                    if (std::ranges::find(hardware.providers, situation_.traffic.providers[one.provider]) !=
                        hardware.providers.end())
                        busy.push_back(one.span);
            } else {
                for (const auto& desk : desks_)
                    if (desk && desk->machine == m) {
                        const auto& times = desk->busy[static_cast<std::size_t>(i)];
                        busy.insert(busy.end(), times.begin(), times.end());
                    }
            }
            static const local::Quarters kNone;
            const auto measured = situation_.measured.find(hardware.id);
            const bool known = combination_.as_recorded && measured != situation_.measured.end();
            const auto cost = local::cost_of(hardware, situation_.energy, span_, span_, local::merged(std::move(busy)),
                                             known ? measured->second : kNone);
            out_.energy_used += of_month(cost.energy_busy);
            out_.energy_idle += of_month(cost.energy_idle);
            out_.depreciation += depreciation;
            out_.capital += capital;
            out_.hardware_used += local::part_of(depreciation + capital, cost.busy_ms, cost.wall_ms);
        }
    }
}

// Hours were noted for what is at home: they stay in proportion to the machines, or go with the last local model.
void Run::add_hours() {
    int here = 0, now = 0;
    for (const auto& machine : combination_.machines) here += machine.count;
    for (const auto& machine : situation_.today.machines) now += machine.count;
    if (now == 0) {
        now = 1;
        here =
            std::ranges::any_of(combination_.table.models, [](const auto& e) { return e.zone == Zone::local; }) ? 1 : 0;
    }
    const auto ms = static_cast<std::int64_t>(static_cast<__int128>(situation_.work_ms) * here / now);
    out_.work = of_month(local::cost_of_work(ms, situation_.hour_rate.value_or(Money{})));
    out_.hours =
        static_cast<double>(ms) / 3.6e6 * static_cast<double>(kMonthMs) / static_cast<double>(span_.end - span_.start);
}

void Run::add_quality() {
    if (out_.requests == 0) return;
    const auto all = static_cast<double>(out_.requests);
    for (auto& [model, by_cell] : answers_) {
        for (auto& count : by_cell) count /= all;
        out_.loadings[model] = by_cell;
    }
    out_.quality = quality_ / all;
    out_.mean_value = value_ / all;
    const double half = kNormal * std::sqrt(variance_of(situation_.knowledge, out_.loadings));
    out_.low = std::max(0.0, out_.quality - half);
    out_.high = std::min(1.0, out_.quality + half);
}

Evaluation Run::finish() {
    out_.cloud = of_month(cloud_);
    add_stations();
    add_machines();
    add_hours();
    add_quality();
    out_.timed = static_cast<std::int64_t>(total_.size());
    out_.first_p50 = percentile(first_, 0.5);
    out_.first_p95 = percentile(first_, 0.95);
    out_.total_p50 = percentile(total_, 0.5);
    out_.total_p95 = percentile(total_, 0.95);
    const double months = static_cast<double>(kMonthMs) / static_cast<double>(span_.end - span_.start);
    out_.worth = worth_ * months - as_double(out_.machines() + out_.work);
    return std::move(out_);
}

}  // namespace

Evaluation Evaluator::evaluate(const Combination& combination, std::size_t most) {
    const auto& requests = state_->situation.traffic.requests;
    const std::size_t from = most > 0 && requests.size() > most ? requests.size() - most : 0;
    Run run(state_->situation, combination, state_->shapes, from);
    std::vector<State::Lists*> lists;
    std::vector<State::Lists> own(combination.table.models.size());
    std::vector<std::optional<Speed>> speeds;
    for (std::size_t i = 0; i < combination.table.models.size(); ++i) {
        const auto& entry = combination.table.models[i];
        const auto station = std::ranges::find(combination.stations, entry.model, &Station::model);
        const bool is_own = station != combination.stations.end() && station->speed;
        lists.push_back(is_own ? &own[i] : &state_->shares[entry.model]);
        speeds.push_back(is_own ? station->speed : speed_at(state_->situation, entry));
    }
    run.go([&](std::size_t at, std::size_t model, bool cold_start) -> const Share& {
        return state_->share(*lists[model], at, combination.table.models[model], speeds[model], cold_start);
    });
    return run.finish();
}

Evaluation evaluate(const Situation& situation, const Combination& combination, std::size_t most) {
    return Evaluator(situation).evaluate(combination, most);
}

double Evaluation::private_share() const {
    return private_requests == 0 ? 1 : static_cast<double>(private_home) / static_cast<double>(private_requests);
}

bool Evaluation::latency_known() const {
    constexpr double kMost = 0.9;
    return timed > 0 && static_cast<double>(timed) >= kMost * static_cast<double>(answered);
}

bool Evaluation::keeps_up() const {
    return std::ranges::all_of(stations, &StationResult::keeps_up);
}

}  // namespace tandem::advice
