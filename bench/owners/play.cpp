#include "owners/play.h"

#include <algorithm>
#include <cmath>
#include <queue>

namespace tandem::owners {

namespace {

constexpr double kPatienceMs = 120'000;                 // first_byte_timeout, as it is where the config says nothing
constexpr double kWarmMs = 300'000;                     // how long a provider keeps a prompt, and a gateway thinks so
constexpr std::array<double, 3> kStakes = {0.2, 1, 5};  // docs/concepts/decision.md

// Words that a request of this look has: what a learner can tell it by.
std::string text_of(const World& world, const Look& look) {
    static const std::array<const char*, kKinds> kWords = {
        "hello thanks please tell",    "summarise extract translate table",
        "what when which who is",      "function class test error",
        "prove number equation steps", "plan options risks decide",
        "write story letter tone",     "call tool file result",
        "document section clause page"};
    const auto& stream = world.streams[static_cast<std::size_t>(look.stream)];
    std::string text = stream.name + " " + kWords[static_cast<std::size_t>(look.kind)];
    text += look.difficulty < 25 ? " short quick" : look.difficulty < 45 ? " some details" : " several hard demands";
    for (int i = 0; i < look.tokens && i < 64; i += 16) text += " and more of it";
    return text;
}

}  // namespace

routing::Features features_of(const World& world, const Look& look) {
    const auto& stream = world.streams[static_cast<std::size_t>(look.stream)];
    routing::Features features;
    features.prompt_tokens = look.tokens;
    features.work.kind = static_cast<routing::WorkKind>(look.kind);
    features.work.sure =
        std::round(100 * (static_cast<std::size_t>(look.kind) == stream.kind ? stream.told_rightly : 0.5)) / 100;
    features.work.difficulty = look.difficulty;
    if (stream.tools) features.needs.add(config::Capability::tools);
    if (stream.vision) features.needs.add(config::Capability::vision);
    features.repeats = stream.repeats ? 50 : 0;
    return features;
}

Mind::Mind(const World& world, const Looks& looks, const routing::Table& today)
    : world_(world), looks_(looks), today_(today), learner_(std::make_unique<learning::Learner>()) {
    routing::Features ordinary;
    ordinary.work.difficulty = routing::kOrdinaryDifficulty;
    std::vector<learning::Learner::Model> models;
    for (const auto& [model, quality] : routing::expectations(today, ordinary)) models.push_back({model, "", quality});
    learner_->configure(std::move(models));
}

void Mind::learn(std::vector<learning::Outcome> outcomes) {
    inputs_.clear();
    outcomes_.insert(outcomes_.end(), outcomes.begin(), outcomes.end());
    learner_->learn(std::move(outcomes));
}

void Mind::measured(const std::string& model, std::size_t kind, double seconds, double tokens) {
    learner_->measured(model, static_cast<routing::WorkKind>(kind), seconds, std::llround(tokens));
    paces_.push_back({model, kind, seconds, tokens});
}

std::shared_ptr<Mind> Mind::with(const std::vector<learning::Outcome>& more) const {
    auto other = std::make_shared<Mind>(world_, looks_, today_);
    // A learner keeps the newest of each model.
    std::unordered_map<std::string, std::size_t> count;
    std::vector<learning::Outcome> newest;
    for (const auto* list : {&more, &outcomes_})
        for (auto one = list->rbegin(); one != list->rend(); ++one)
            if (++count[one->model] <= learning::Predictor::kMostExamples) newest.push_back(*one);
    std::ranges::reverse(newest);
    other->learn(std::move(newest));
    const std::size_t first = paces_.size() > 4000 ? paces_.size() - 4000 : 0;
    for (std::size_t i = first; i < paces_.size(); ++i)
        other->measured(paces_[i].model, paces_[i].kind, paces_[i].seconds, paces_[i].tokens);
    return other;
}

const learning::Traits& Mind::traits(int look) {
    if (traits_.size() <= static_cast<std::size_t>(look)) traits_.resize(looks_.size());
    auto& one = traits_[static_cast<std::size_t>(look)];
    if (!one) one = learning::traits_of(text_of(world_, looks_[look]));
    return *one;
}

double Mind::expected(int look, const std::string& model) {
    const auto all = routing::expectations(today_, features_of(world_, looks_[look]));
    return routing::expected_of(all, model).value_or(0.5);
}

const routing::Inputs& Mind::inputs(int look) {
    if (inputs_.size() <= static_cast<std::size_t>(look)) inputs_.resize(looks_.size());
    auto& one = inputs_[static_cast<std::size_t>(look)];
    if (one) return *one;
    const auto& seen = looks_[look];
    const auto& stream = world_.streams[static_cast<std::size_t>(seen.stream)];
    routing::Inputs in;
    in.alias = stream.alias;
    in.key = "key-" + stream.key;
    in.label = in.rest = static_cast<Label>(seen.label);
    in.stakes = static_cast<config::Stakes>(seen.stakes);
    in.features = features_of(world_, seen);
    in.usual = learner_->usual(in.features.work.kind);
    in.outlook = learner_->outlook(traits(look), routing::expectations(today_, in.features), in.features.work.kind);
    one = std::move(in);
    return *one;
}

Gateway::Gateway(const World& world, const routing::Table& table, std::shared_ptr<Mind> mind)
    : world_(world), table_(table), mind_(std::move(mind)) {}

void Gateway::think(std::shared_ptr<Mind> mind) {
    mind_ = std::move(mind);
    plans_.clear();
}

routing::Inputs Gateway::inputs(int look, int held) const {
    auto in = mind_->inputs(look);
    if (held < 0) return in;
    const auto& model = world_.models[static_cast<std::size_t>(held)].id;
    auto at = std::ranges::find(in.outlook, model, &routing::Outlook::model);
    if (at == in.outlook.end()) at = in.outlook.insert(at, routing::Outlook{.model = model});
    at->warm_tokens = in.features.prompt_tokens * 9 / 10;
    at->holds_session = in.features.needs.has(config::Capability::tools);
    std::ranges::sort(in.outlook, {}, &routing::Outlook::model);
    return in;
}

const Plan& Gateway::plan(int look, int held) {
    const auto at = static_cast<std::size_t>(look) * (world_.models.size() + 1) + static_cast<std::size_t>(held + 1);
    if (plans_.size() <= at) plans_.resize(at + 1'000);
    auto& plan = plans_[at];
    if (plan) return *plan;
    plan.emplace();
    const auto decision = routing::decide(table_, inputs(look, held));
    if (!decision) return *plan;
    const auto eligible = decision->fallback ? decision->eligible : std::min<std::size_t>(1, decision->eligible);
    for (std::size_t i = 0; i < eligible; ++i) {
        const auto& candidate = decision->candidates[i];
        if (i > 0 && candidate.propensity > 0) plan->others.push_back(static_cast<std::uint8_t>(i));
        plan->order.push_back(static_cast<std::uint8_t>(world_.model(candidate.model)));
    }
    return *plan;
}

namespace {

struct Desk {
    std::vector<double> free_at;
    std::size_t first() const { return static_cast<std::size_t>(std::ranges::min_element(free_at) - free_at.begin()); }
};

struct Next {
    double at_ms;
    std::size_t session;
    int number;
    int held;
    double held_at_ms, held_tokens;
    // Of one that has waited in vain: since when, and for whom. The others it asks when it has given up, and not
    // before: else a slot would be taken for it while it still waits elsewhere.
    double asked_ms = 0;
    std::vector<Try> tries = {};
    bool operator>(const Next& other) const { return at_ms > other.at_ms; }
};

// A year, or another time, under way.
class Playing {
  public:
    Playing(const World& world, const Looks& looks, const Asked& asked, Gateway& gateway, const Watch& watch)
        : world_(world), looks_(looks), asked_(asked), gateway_(gateway), watch_(watch) {
        for (const auto& model : world.models)
            desks_.push_back({std::vector<double>(static_cast<std::size_t>(std::max(1, model.slots)), 0)});
    }
    // Gives the turn that follows, where there is one.
    std::optional<Next> turn(const Next& next);
    Came came;

  private:
    bool attempt(Try& one, const Turn& turn, const Next& next);
    double work(Try& one, const Turn& turn, const Next& next, int others) const;

    const World& world_;
    const Looks& looks_;
    const Asked& asked_;
    Gateway& gateway_;
    const Watch& watch_;
    std::vector<Desk> desks_;
    double busy_until_ = 0;
    std::vector<std::uint8_t> tried_;
    Done done_;
};

// Milliseconds of work on one attempt that begins now; fills in tokens, cost and times.
double Playing::work(Try& one, const Turn& turn, const Next& next, int others) const {
    const auto& model = world_.models[static_cast<std::size_t>(one.model)];
    const auto& look = looks_[turn.look];
    const auto& stream = world_.streams[static_cast<std::size_t>(look.stream)];
    one.input = turn.input;
    one.output = std::clamp(turn.output * model.wordy[stream.kind], 1.0, 16'000.0);
    const bool warm = next.held == one.model && next.at_ms - next.held_at_ms < kWarmMs && turn.cache < 0.9;
    one.cached = warm ? std::floor(std::min<double>(next.held_tokens, turn.input) * 0.97) : 0;
    one.input = std::round(one.input);
    one.output = std::round(one.output);
    one.cost = ((one.input - one.cached) * model.input_price + one.cached * model.cached_price +
                one.output * model.output_price) /
               1e6;
    const double pace = std::exp(model.jitter * static_cast<double>(turn.pace)) * (1 + model.slowed * others);
    one.first_ms += pace * (model.start_ms + (one.input - one.cached) / model.input_per_ms);
    return pace * (model.start_ms + (one.input - one.cached) / model.input_per_ms + one.output / model.output_per_ms);
}

bool Playing::attempt(Try& one, const Turn& turn, const Next& next) {
    const auto& model = world_.models[static_cast<std::size_t>(one.model)];
    const double share = turn.failed + 0.618 * one.model;
    const bool fails = share - std::floor(share) < model.fails;
    auto& desk = desks_[static_cast<std::size_t>(one.model)];
    const auto slot = desk.first();
    const double wait = model.local ? std::max(0.0, desk.free_at[slot] - one.at_ms) : 0;
    if (wait > kPatienceMs) {
        one.total_ms = kPatienceMs;
        ++came.queued_out;
        return false;
    }
    if (fails) {
        one.total_ms = wait + 400;
        return false;
    }
    int others = 0;
    if (model.local)
        for (const double free : desk.free_at) others += free > one.at_ms + wait ? 1 : 0;
    one.first_ms = wait;
    const double worked = work(one, turn, next, others);
    one.total_ms = wait + worked;
    one.answered = true;
    if (!model.local) return true;
    const double start = one.at_ms + wait, end = start + worked;
    desk.free_at[slot] = end;
    came.busy_ms += std::max(0.0, end - std::max(start, busy_until_));
    busy_until_ = std::max(busy_until_, end);
    return true;
}

std::optional<Next> Playing::turn(const Next& next) {
    const auto& session = asked_.sessions[next.session];
    const auto& turn = asked_.turns[session.first + static_cast<std::size_t>(next.number)];
    const auto& look = looks_[turn.look];
    const auto& stream = world_.streams[static_cast<std::size_t>(look.stream)];
    const double asked_ms = next.tries.empty() ? next.at_ms : next.asked_ms;
    const int held = asked_ms - next.held_at_ms < kWarmMs ? next.held : -1;
    const auto& plan = gateway_.plan(turn.look, held);
    done_.turn = &turn;
    done_.number = next.number;
    done_.last = next.number + 1 == session.turns;
    done_.held = held;
    done_.at_ms = asked_ms;
    done_.tries = next.tries;
    done_.model = -1;
    if (done_.tries.empty()) {
        ++came.asked;
        if (look.label >= 2) ++came.private_asked;
        if (plan.order.empty()) ++came.nobody;
    }
    const auto* order = &plan.order;
    done_.explored = !plan.others.empty() && turn.dice < world_.explore;
    if (done_.explored) {
        const auto which =
            static_cast<std::size_t>(turn.dice / world_.explore * static_cast<double>(plan.others.size()));
        tried_ = plan.order;
        const auto place = tried_.begin() + plan.others[std::min(which, plan.others.size() - 1)];
        std::rotate(tried_.begin(), place, place + 1);
        order = &tried_;
    }
    double at = next.at_ms;
    for (std::size_t i = done_.tries.size(); i < order->size(); ++i) {
        Try one;
        one.model = (*order)[i];
        one.at_ms = at;
        const bool answered = attempt(one, turn, next);
        at += one.total_ms;
        done_.tries.push_back(one);
        came.cloud += one.cost;
        if (answered) {
            done_.model = one.model;
            break;
        }
        if (one.total_ms < kPatienceMs || i + 1 == order->size()) continue;
        auto again = next;
        again.at_ms = at;
        again.asked_ms = asked_ms;
        again.tries = done_.tries;
        return again;
    }
    done_.waited_ms = at - asked_ms;
    if (done_.model < 0) {
        if (!plan.order.empty()) ++came.too_late;
        if (watch_) watch_(done_);
        return std::nullopt;  // whoever gets no answer stops here
    }
    const auto& model = world_.models[static_cast<std::size_t>(done_.model)];
    ++came.answered;
    if (look.label >= 2 && model.local) ++came.private_home;
    done_.good = turn.good < model.quality(stream.kind, turn.difficulty, turn.input);
    if (done_.good) came.value += world_.value * kStakes[static_cast<std::size_t>(look.stakes)];
    came.waited += world_.second * done_.waited_ms / 1000;
    if (watch_) watch_(done_);
    if (done_.last) return std::nullopt;
    return Next{at + turn.think_ms, next.session, next.number + 1,
                done_.model,        at,           turn.input + done_.tries.back().output};
}

}  // namespace

Came play(const World& world, const Looks& looks, const Asked& asked, Gateway& gateway, const Watch& watch,
          const Clock& clock) {
    Playing playing(world, looks, asked, gateway, watch);
    std::priority_queue<Next, std::vector<Next>, std::greater<>> later;
    std::size_t session = 0;
    while (session < asked.sessions.size() || !later.empty()) {
        const bool fresh =
            later.empty() || (session < asked.sessions.size() && asked.sessions[session].start_ms <= later.top().at_ms);
        Next next{};
        if (fresh) {
            next = {asked.sessions[session].start_ms, session, 0, -1, 0, 0};
            ++session;
        } else {
            next = later.top();
            later.pop();
        }
        if (clock) clock(next.at_ms);
        if (const auto follows = playing.turn(next)) later.push(*follows);
    }
    return playing.came;
}

std::vector<Sign> signs_of(const World& world, const Looks& looks, const Done& done) {
    std::vector<Sign> signs;
    if (done.model < 0) return signs;
    const auto& f = world.feedback;
    const auto& stream = world.streams[static_cast<std::size_t>(looks[done.turn->look].stream)];
    Dice dice(done.turn->said * 977ULL + static_cast<std::uint64_t>(done.model));
    const bool good = done.good;
    const double says = f.says * (good ? 1 : f.says_more_of_bad) * (stream.person ? 1 : 0.15);
    if (dice.chance(says)) signs.push_back({"feedback", dice.chance(f.mistaken) == good ? 0.0 : 1.0, 1});
    if (!good && dice.chance(f.fault_seen)) signs.push_back({"check", 0, 1});
    if (!stream.person) return signs;
    if (dice.chance(good ? f.again_good : f.again_bad)) signs.push_back({"regenerated", 0, 0.3});
    if (done.last) return signs;
    if (dice.chance(good ? f.disputes_good : f.disputes_bad))
        signs.push_back({"disputed", 0, 0.7});
    else if (dice.chance(good ? f.goes_on_good : f.goes_on_bad))
        signs.push_back({"continued", 1, 0.1});
    return signs;
}

}  // namespace tandem::owners
