#include "advice/traffic.h"

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <unordered_map>

#include "access/principal.h"
#include "base/json.h"
#include "ledger/span.h"
#include "store/row.h"

namespace tandem::advice {

namespace {

// The requests of the parts of Tandem itself are nobody's work.
bool is_own(std::string_view key) {
    using access::Part;
    static const std::array<std::string, 4> kOwn = {
        access::Principal::internal(Part::probe).id(), access::Principal::internal(Part::learning).id(),
        access::Principal::internal(Part::cache).id(), access::Principal::internal(Part::experiment).id()};
    const auto part = key.substr(0, key.find(':'));
    return std::ranges::find(kOwn, part) != kOwn.end() && !key.ends_with("@key");
}

// One row of `attempts`.
struct Row {
    std::string decision, provider, model, outcome;
    std::int64_t time = 0, first_byte_ms = -1, total_ms = 0;
    Zone zone = Zone::local;
    Usage usage;
    Money cost;
};

const store::Selection<Row>& rows_of_attempts() {
    using store::column;
    static const store::Selection<Row> selection(
        "attempts", {column("decision", &Row::decision), column("time", &Row::time), column("provider", &Row::provider),
                     column("model", &Row::model), column("zone", &Row::zone), column("outcome", &Row::outcome),
                     column("first_byte_ms", &Row::first_byte_ms), column("total_ms", &Row::total_ms),
                     column("input", &Row::usage, &Usage::input), column("cached", &Row::usage, &Usage::cached_input),
                     column("output", &Row::usage, &Usage::output), column("reasoning", &Row::usage, &Usage::reasoning),
                     column("estimated", &Row::usage, &Usage::estimated),
                     column("cache_write", &Row::usage, &Usage::cache_write), column("cost", &Row::cost)});
    return selection;
}

const std::string& rows_from() {
    static const auto kFrom = rows_of_attempts().select("WHERE decision >= ?1 ORDER BY decision, number");
    return kFrom;
}

// Rows of attempts by decision, read beside the decisions.
class Attempts {
  public:
    Attempts(store::Database& database, const std::string& first) : rows_(database.prepare(rows_from().c_str())) {
        rows_.bind(1, first);
    }
    // Those of a decision; ids only go up. Errors: storage.
    Result<> of(const std::string& decision, std::vector<Row>& found) {
        found.clear();
        while (true) {
            if (!held_ && !ended_) {
                const auto row = rows_.step();
                if (!row) return fail(row.error());
                held_ = *row;
                ended_ = !*row;
                if (held_) row_ = rows_of_attempts().read(rows_);
            }
            if (ended_ || row_.decision > decision) return {};
            if (row_.decision == decision) found.push_back(std::move(row_));
            held_ = false;
        }
    }

  private:
    store::Statement rows_;
    Row row_;
    bool held_ = false, ended_ = false;
};

bool was_work(const Row& row) {
    return row.outcome != "skipped" && row.outcome != "cached" && row.outcome != "lost";
}

// Whose client got an answer, or a part of it.
bool gave_answer(const Row& row) {
    return row.outcome == "answered" || row.outcome == "cut" || row.outcome == "cancelled";
}

void take_inputs(const routing::Inputs& in, Traffic& traffic, Request& request) {
    request.label = in.label;
    request.rest = in.rest;
    request.found = in.found;
    request.stakes = in.stakes;
    const auto& features = in.features;
    request.kind = features.work.kind;
    request.sure = static_cast<float>(features.work.sure);
    request.difficulty = static_cast<std::uint8_t>(std::clamp(features.work.difficulty, 0, 100));
    request.needs = features.needs;
    request.repeats = features.repeats;
    request.prompt_tokens = features.prompt_tokens;
    request.answer_tokens = features.answer_tokens;
    request.context_tokens = features.context_tokens;
    for (const auto& outlook : in.outlook) {
        if (outlook.warm_tokens <= request.warm_tokens) continue;
        request.warm_tokens = outlook.warm_tokens;
        request.warm = traffic.models.number_of(outlook.model);
        request.in_session = outlook.holds_session;
    }
    auto asked = features.price;
    asked.time_ms = 0;
    if (asked == prices::Asked{}) return;
    auto found = std::ranges::find(traffic.asked, asked);
    if (found == traffic.asked.end() && traffic.asked.size() < Names::kMost)
        found = traffic.asked.insert(traffic.asked.end(), asked);
    if (found != traffic.asked.end()) request.asked = static_cast<std::int32_t>(found - traffic.asked.begin());
}

// Of the request that is added next.
void add_thoughts(const routing::Inputs& in, Traffic& traffic) {
    auto& thoughts = traffic.thoughts;
    if (thoughts.size() >= 2 * Traffic::kMostThoughts)
        thoughts.erase(thoughts.begin(), thoughts.begin() + static_cast<std::ptrdiff_t>(Traffic::kMostThoughts));
    for (const auto& one : in.outlook)
        if (one.outcomes > 0)
            thoughts.push_back({static_cast<std::uint32_t>(traffic.requests.size()),
                                traffic.models.number_of(one.model), static_cast<float>(one.quality),
                                static_cast<float>(one.doubt), static_cast<float>(one.outcomes)});
}

void take_attempts(const std::vector<Row>& rows, Traffic& traffic, Request& request) {
    const Row* last = nullptr;
    for (const auto& row : rows) {
        request.cost += row.cost;
        if (row.zone == Zone::local && was_work(row) && row.total_ms > 0) {
            constexpr std::int64_t kDay = 86'400'000;
            traffic.busy.push_back({traffic.providers.number_of(row.provider),
                                    traffic.models.number_of(row.model),
                                    {row.time, row.time + std::min(row.total_ms, kDay)}});
        }
        if (gave_answer(row)) last = &row;
    }
    request.outcome = last != nullptr ? Outcome::answered : rows.empty() ? Outcome::refused : Outcome::failed;
    if (last == nullptr) {
        request.usage.input = {request.prompt_tokens};
        request.usage.output = {routing::usual_answer_tokens(request.kind)};
        if (request.answer_tokens > 0)
            request.usage.output.count = std::min(request.usage.output.count, request.answer_tokens);
        request.usage.estimated = true;
        return;
    }
    request.whole = last->outcome == "answered";
    request.model = traffic.models.number_of(last->model);
    request.zone = last->zone;
    request.usage = last->usage;
    request.first_byte_ms = last->first_byte_ms;
    request.total_ms = last->total_ms;
    request.attempt_ms = last->time;
}

// Which turn each turn of a conversation follows, as far as it shows: the newest request before it of the same key and
// alias that the model answered whose provider had seen the beginning of this one, a moment ago, with a prompt that is
// no longer.
class Turns {
  public:
    std::int32_t before(const Traffic& traffic, const Request& request) {
        auto& recent = recent_[{request.key, request.alias}];
        while (!recent.empty() && end_of(traffic.requests[recent.front()]) < request.time_ms - kMoment)
            recent.pop_front();
        if (request.warm < 0) return -1;
        for (auto one = recent.rbegin(); one != recent.rend(); ++one) {
            const auto& earlier = traffic.requests[*one];
            if (earlier.model == request.warm && earlier.prompt_tokens <= request.prompt_tokens &&
                end_of(earlier) <= request.time_ms)
                return static_cast<std::int32_t>(*one);
        }
        return -1;
    }
    void add(const Request& request, std::size_t number) {
        auto& recent = recent_[{request.key, request.alias}];
        recent.push_back(number);
        if (recent.size() > kMost) recent.pop_front();
    }

  private:
    static constexpr std::int64_t kMoment = 300'000;  // as learning::Learning::kWarm
    static constexpr std::size_t kMost = 256;
    static std::int64_t end_of(const Request& request) {
        return std::max(request.attempt_ms, request.time_ms) + request.total_ms;
    }
    std::map<std::pair<std::int32_t, std::int32_t>, std::deque<std::size_t>> recent_;
};

// The id from which on the newest kMostRequests decisions of the span begin, and how many are before it.
Result<> bound(store::Database& database, std::int64_t since, std::int64_t until, std::string& first,
               std::int64_t& older) {
    const auto last = DecisionId::first_of(WallTime(milliseconds(until))).text();
    auto row = database.prepare(
        "SELECT id FROM decisions WHERE id >= ?1 AND id < ?2 ORDER BY id DESC LIMIT 1 OFFSET "
        "?3");
    row.bind(1, first).bind(2, last).bind(3, static_cast<std::int64_t>(Traffic::kMostRequests) - 1);
    const auto found = row.step();
    if (!found) return fail(found.error());
    if (!*found) return {};
    const auto from = row.text(0);
    auto count = database.prepare("SELECT count(*) FROM decisions WHERE id >= ?1 AND id < ?2 AND time >= ?3");
    count.bind(1, first).bind(2, from).bind(3, since);
    if (const auto counted = count.step(); !counted) return fail(counted.error());
    older = count.integer(0);
    first = from;
    return {};
}

}  // namespace

std::int32_t Names::number_of(std::string_view name) {
    if (name.empty()) return -1;
    const auto found = numbers_.find(std::string(name));
    if (found != numbers_.end()) return found->second;
    if (names_.size() >= kMost) return -1;
    names_.emplace_back(name);
    return numbers_[names_.back()] = static_cast<std::int32_t>(names_.size() - 1);
}

const std::string& Names::operator[](std::int32_t number) const {
    static const std::string kNone;
    return number < 0 ? kNone : names_[static_cast<std::size_t>(number)];
}

std::span<const Thought> Traffic::thoughts_of(std::size_t request) const {
    const auto number = static_cast<std::uint32_t>(request);
    const auto found = std::ranges::equal_range(thoughts, number, {}, &Thought::request);
    return {found.begin(), found.end()};
}

Result<Traffic> read_traffic(store::Database& database, std::int64_t since, std::int64_t until) {
    Traffic traffic;
    since = std::max<std::int64_t>(since, 0);
    auto first = DecisionId::first_of(WallTime(milliseconds(since))).text();
    if (auto ok = bound(database, since, until, first, traffic.older); !ok) return fail(ok.error());
    auto rows = database.prepare(
        "SELECT id, time, key, alias, inputs FROM decisions WHERE id >= ?1 AND time >= ?2 AND "
        "time < ?3 ORDER BY id");
    rows.bind(1, first).bind(2, since).bind(3, until);
    Attempts attempts(database, first);
    std::vector<Row> of_decision;
    json::Document document;
    Turns turns;
    std::int64_t before = 0;
    while (true) {
        const auto row = rows.step();
        if (!row) return fail(row.error());
        if (!*row) break;
        auto id = rows.text(0);
        if (auto ok = attempts.of(id, of_decision); !ok) return fail(ok.error());
        const auto read = document.parse(rows.text(4));
        const auto inputs = read ? routing::inputs_from_json(document.root()) : fail(read.error());
        if (!inputs) {
            ++traffic.unread;
            continue;
        }
        if (std::ranges::any_of(of_decision, [](const Row& one) { return one.outcome == "cached"; })) {
            ++traffic.cached;
            continue;
        }
        Request request;
        request.time_ms = before = std::max(before, rows.integer(1));
        const auto key = rows.text(2);
        request.key = traffic.keys.number_of(key);
        request.alias = traffic.aliases.number_of(rows.text(3));
        take_inputs(*inputs, traffic, request);
        take_attempts(of_decision, traffic, request);
        if (is_own(key)) {
            ++traffic.own;
            if (request.outcome == Outcome::answered) traffic.trials.push_back(request);
            continue;
        }
        add_thoughts(*inputs, traffic);
        request.turn_before = turns.before(traffic, request);
        turns.add(request, traffic.requests.size());
        traffic.requests.push_back(request);
        traffic.ids.push_back(std::move(id));
    }
    traffic.span = {traffic.requests.empty() ? since : std::max(since, traffic.requests.front().time_ms), until};
    if (traffic.older == 0 && since > 0 && !traffic.requests.empty()) {
        // A quiet beginning of what was asked for is part of it, where the ledger was there already.
        auto earlier = database.prepare("SELECT 1 FROM decisions WHERE id < ?1 LIMIT 1");
        earlier.bind(1, first);
        const auto there = earlier.step();
        if (!there) return fail(there.error());
        if (*there) traffic.span.start = since;
    }
    traffic.span.start = std::min(traffic.span.start, traffic.span.end - kLeastSpanMs);
    return traffic;
}

}  // namespace tandem::advice
