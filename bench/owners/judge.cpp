#include "owners/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>

#include "advice/advise.h"
#include "advice/situation.h"

namespace tandem::owners {

namespace {

constexpr double kMonthHours = 730;

// What a combination is in the world.
struct Played {
    const advice::Combination* combination = nullptr;
    bool machine = false;
    std::unique_ptr<Gateway> first, second;  // of the halves of a year: what it has learned by then
    Came sum;
    bool goes_on = true;
};

double machine_of(const World& world, double busy_ms, double days) {
    const auto& h = world.house;
    const double hours = days * 24, busy = busy_ms / kHourMs;
    const double kwh = h.true_draw * (h.idle_watts * (hours - busy) + h.busy_watts * busy) / 1000;
    return (h.price - h.residual) / h.life_months * hours / kMonthHours + kwh * h.tariff;
}

double hours_of(const World& world, double hours, bool machine) {
    return world.house.hour_rate * hours * (machine ? 1 : world.house.hours_without);
}

void add(Came& sum, const Came& one) {
    sum.value += one.value;
    sum.cloud += one.cloud;
    sum.waited += one.waited;
    sum.busy_ms += one.busy_ms;
    sum.asked += one.asked;
    sum.answered += one.answered;
    sum.nobody += one.nobody;
    sum.too_late += one.too_late;
    sum.private_asked += one.private_asked;
    sum.private_home += one.private_home;
    sum.queued_out += one.queued_out;
}

// Mean and spread of how much more `a` is worth than `b`, over the years that both were played.
struct Difference {
    double mean = 0, deviation = 0, error = 0;
    double apart = 0;  // the deviation, if years had nothing in common
};
double mean_of(const std::vector<double>& years, std::size_t count) {
    double sum = 0;
    for (std::size_t i = 0; i < count; ++i) sum += years[i];
    return sum / static_cast<double>(count);
}
Difference difference(const Line& a, const Line& b) {
    Difference d;
    const auto count = std::min(a.worth.size(), b.worth.size());
    const auto n = static_cast<double>(count);
    const double mean_a = mean_of(a.worth, count), mean_b = mean_of(b.worth, count);
    d.mean = mean_a - mean_b;
    if (count < 2) return d;
    for (std::size_t i = 0; i < count; ++i) {
        const double of_a = a.worth[i] - mean_a, of_b = b.worth[i] - mean_b;
        d.deviation += (of_a - of_b) * (of_a - of_b) / (n - 1);
        d.apart += (of_a * of_a + of_b * of_b) / (n - 1);
    }
    d.deviation = std::sqrt(d.deviation);
    d.apart = std::sqrt(d.apart);
    d.error = d.deviation / std::sqrt(n);
    return d;
}

// All combinations, year by year, over the same work.
class Years {
  public:
    Years(const World& world, Looks& looks, const Past& past, const Scale& scale)
        : world_(world), looks_(looks), past_(past), scale_(scale) {}
    void add(const advice::Combination& combination) {
        Played one;
        one.combination = &combination;
        one.machine = !combination.machines.empty();
        one.first = std::make_unique<Gateway>(world_, combination.table, past_.mind);
        all_.push_back(std::move(one));
    }
    void go(std::vector<Line>& lines);

  private:
    // What each would have learned after half a year.
    void learn();
    void year(std::vector<Line>& lines, int number);
    void judge(std::vector<Line>& lines) const;

    const World& world_;
    Looks& looks_;
    const Past& past_;
    const Scale& scale_;
    std::vector<Played> all_;
};

void Years::learn() {
    const double half = scale_.year_days / 2 * kDayMs;
    const auto asked = asked_in(world_, looks_, kNow, kNow + half, world_.seed * 8191 + 2);
    for (auto& one : all_) {
        std::vector<learning::Outcome> fresh;
        std::int64_t count = 0;
        play(world_, looks_, asked, *one.first, [&](const Done& done) {
            auto outcomes = outcomes_of(world_, looks_, *past_.mind, done, fmt::format("later-{}", ++count));
            std::ranges::move(outcomes, std::back_inserter(fresh));
        });
        one.second = std::make_unique<Gateway>(world_, one.combination->table, past_.mind->with(fresh));
    }
}

void Years::go(std::vector<Line>& lines) {
    learn();
    for (int y = 0; y < scale_.years; ++y) year(lines, y);
    judge(lines);
    // Those of which nothing more need be known have no more years: neither does the advice name them, nor are they
    // within four standard errors of the best.
    auto best = &lines.front();
    for (auto& line : lines)
        if (line.admissible && line.mean > best->mean) best = &line;
    for (std::size_t i = 0; i < all_.size(); ++i) {
        const auto behind = difference(*best, lines[i]);
        all_[i].goes_on = i == 0 || lines[i].named || (lines[i].admissible && behind.mean <= 4 * behind.error);
    }
    for (int y = scale_.years; y < scale_.years + scale_.more; ++y) year(lines, y);
    judge(lines);
}

void Years::year(std::vector<Line>& lines, int number) {
    const double half = scale_.year_days / 2 * kDayMs;
    const double months = scale_.year_days * 24 / kMonthHours;
    const auto seed = world_.seed * 8191 + 100 + 2 * static_cast<std::uint64_t>(number);
    const auto early = asked_in(world_, looks_, kNow, kNow + half, seed);
    const auto late = asked_in(world_, looks_, kNow + half, kNow + 2 * half, seed + 1);
    Dice dice(seed * 524'287 + 11);
    double hours = 0;  // of the owner's work
    for (int left = dice.poisson(world_.house.hours * months / 0.75); left > 0; --left)
        hours += -0.75 * std::log(1 - dice.uniform());
    for (std::size_t i = 0; i < all_.size(); ++i) {
        auto& one = all_[i];
        if (!one.goes_on) continue;
        Came came = play(world_, looks_, early, *one.first);
        owners::add(came, play(world_, looks_, late, *one.second));
        const double machine = one.machine ? machine_of(world_, came.busy_ms, scale_.year_days) : 0;
        const double work = hours_of(world_, hours, one.machine);
        auto& line = lines[i];
        line.worth.push_back((came.value - came.cloud - came.waited - machine - work) / months);
        const double share = 1 / static_cast<double>(line.worth.size());
        const auto mean = [&](double& of, double value) { of += share * (value / months - of); };
        mean(line.truly.value, came.value);
        mean(line.truly.cloud, came.cloud);
        mean(line.truly.waited, came.waited);
        mean(line.truly.machines, machine);
        mean(line.truly.hours, work);
        owners::add(one.sum, came);
    }
}

// As the advisor promises: nobody is left unanswered who is answered today, and nothing private leaves home that stays
// there today; but for a thousandth, which failures and full queues of single hours make.
void Years::judge(std::vector<Line>& lines) const {
    const auto& today = all_.front().sum;
    const auto share = [](std::int64_t part, std::int64_t all) {
        return all == 0 ? 0 : static_cast<double>(part) / static_cast<double>(all);
    };
    for (std::size_t i = 0; i < all_.size(); ++i) {
        const auto& sum = all_[i].sum;
        auto& line = lines[i];
        line.mean = mean_of(line.worth, line.worth.size());
        line.why.clear();
        if (share(sum.nobody + sum.too_late, sum.asked) > share(today.nobody + today.too_late, today.asked) + 0.001)
            line.why = "leaves more unanswered";
        if (share(sum.private_home, sum.private_asked) < share(today.private_home, today.private_asked) - 0.001)
            line.why = "keeps less at home";
        line.admissible = line.why.empty();
    }
}

constexpr double kNormal = 1.96;
constexpr double kNothing = 1e-9;  // two that do the same come to the same but for the order of sums

}  // namespace

void compare(Judgement& judgement, const std::vector<int>& list, const Asserted& asserted) {
    const auto& lines = judgement.lines;
    int in_order = 0, reversed = 0;
    for (auto* verdict : {&judgement.strict, &judgement.error, &judgement.year, &judgement.seen, &judgement.known}) {
        const auto tolerance = [&](const Difference& d) {
            return kNothing + (verdict == &judgement.strict  ? 0
                               : verdict == &judgement.error ? kNormal * d.error
                               : verdict == &judgement.seen  ? kNormal * d.apart
                                                             : kNormal * d.deviation);
        };
        const auto at_most = difference(lines[static_cast<std::size_t>(judgement.truly_best)],
                                        lines[static_cast<std::size_t>(list.front())]);
        verdict->best = at_most.mean <= tolerance(at_most) || verdict == &judgement.known;
        for (std::size_t i = 0; i < list.size(); ++i)
            for (std::size_t j = i + 1; j < list.size(); ++j) {
                const auto d =
                    difference(lines[static_cast<std::size_t>(list[j])], lines[static_cast<std::size_t>(list[i])]);
                const bool said = verdict != &judgement.known || asserted(list[i], list[j]);
                if (verdict == &judgement.known && said) ++judgement.asserted;
                if (said && d.mean > tolerance(d)) ++verdict->wrong;
                if (verdict != &judgement.strict) continue;
                in_order += d.mean < -kNothing ? 1 : 0;
                reversed += d.mean > kNothing ? 1 : 0;
                ++judgement.pairs;
            }
        verdict->order = verdict->wrong == 0;
    }
    judgement.tau = judgement.pairs == 0 ? 1 : static_cast<double>(in_order - reversed) / judgement.pairs;
}

namespace {

void take_advice(const advice::Situation& situation, const advice::Advice& advice, Judgement& judgement) {
    auto& lines = judgement.lines;
    std::vector<const advice::Evaluation*> evaluations(lines.size(), nullptr);
    evaluations.front() = &advice.now;
    std::vector<std::pair<double, int>> offered = {{0, 0}};
    for (const auto& proposal : advice.proposals) {
        const auto found = std::ranges::find(lines, proposal.combination.id, &Line::id);
        if (found == lines.end()) std::abort();  // what is played is what the advisor looks at
        found->number = proposal.number;
        found->said = proposal.gain.mean;
        found->error = proposal.gain.error;
        found->refused = proposal.refused;
        found->dominated = proposal.dominated;
        const auto& e = proposal.evaluation;
        const auto amount = [](Money money) { return static_cast<double>(money.micros()) / 1e6; };
        found->as_said = {0, amount(e.cloud), amount(e.machines()), amount(e.work), 0, e.quality};
        const auto place = static_cast<int>(found - lines.begin());
        evaluations[static_cast<std::size_t>(place)] = &e;
        if (proposal.number > 0) offered.emplace_back(-proposal.gain.mean, place);
        if (advice.best > 0 && proposal.number == advice.best) {
            judgement.advised = place;
            judgement.sure = true;
        }
    }
    std::ranges::sort(offered);
    std::vector<int> list;
    for (const auto& [gain, place] : offered) list.push_back(place);
    for (std::size_t i = 1; i < lines.size(); ++i)
        if (lines[i].admissible && difference(lines[i], lines[static_cast<std::size_t>(judgement.truly_best)]).mean > 0)
            judgement.truly_best = static_cast<int>(i);
    const auto& best = lines[static_cast<std::size_t>(judgement.truly_best)];
    judgement.to_gain = difference(best, lines.front()).mean;
    judgement.lost = difference(best, lines[static_cast<std::size_t>(judgement.advised)]).mean;
    judgement.first = list.front();
    judgement.first_lost = difference(best, lines[static_cast<std::size_t>(judgement.first)]).mean;
    compare(judgement, list, [&](int first, int second) {
        return gain_of(situation, *evaluations[static_cast<std::size_t>(first)],
                       *evaluations[static_cast<std::size_t>(second)])
            .sure();
    });
    Judgement by_chance;
    by_chance.lines = lines;
    by_chance.truly_best = judgement.truly_best;
    Dice dice(list.size() * 7919 + static_cast<std::uint64_t>(1e6 * std::abs(best.mean)));
    for (std::size_t i = list.size() - 1; i > 0; --i)
        std::swap(list[i], list[static_cast<std::size_t>(dice.whole(0, static_cast<int>(i)))]);
    compare(by_chance, list, [](int, int) { return true; });
    judgement.chance_year = by_chance.year;
    judgement.chance_seen = by_chance.seen;
}

}  // namespace

Judgement judge(Owner owner, std::uint64_t seed, const Scale& scale, const std::filesystem::path& folder) {
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    const auto world = world_of(owner, seed);
    Looks looks;
    const auto past = past_of(world, looks, scale.days, folder);
    Judgement judgement;
    {
        auto database = store::Database::open_to_read(past->file);
        if (!database) std::abort();
        const auto situation = advice::read_situation(database->get(), past->config, {}, nullptr, kNow);
        if (!situation) {
            fmt::print(stderr, "{}\n", situation.error().message);
            std::abort();
        }
        const auto candidates = advice::candidates_of(*situation, past->config, {});
        Years years(world, looks, *past, scale);
        years.add(situation->today);
        judgement.lines.emplace_back().id = "today";
        for (const auto& candidate : candidates) {
            years.add(candidate);
            judgement.lines.emplace_back().id = candidate.id;
        }
        const auto advice = advice::advise(*situation, past->config, {});
        for (const auto& proposal : advice.proposals)
            for (auto& line : judgement.lines)
                line.named = line.named || (proposal.number > 0 && line.id == proposal.combination.id);
        years.go(judgement.lines);
        const auto amount = [](Money money) { return static_cast<double>(money.micros()) / 1e6; };
        judgement.lines.front().as_said = {
            0, amount(advice.now.cloud), amount(advice.now.machines()), amount(advice.now.work), 0, advice.now.quality};
        take_advice(*situation, advice, judgement);
    }
    std::filesystem::remove_all(folder);
    return judgement;
}

std::string as_json(Owner owner, std::uint64_t seed, const Judgement& j, bool lines) {
    const auto verdict = [](const Verdict& v) {
        return fmt::format(R"({{"best":{},"order":{},"wrong":{}}})", v.best, v.order, v.wrong);
    };
    std::string out = fmt::format(
        R"({{"owner":"{}","seed":{},"advised":"{}","best":"{}","sure":{},"pairs":{},"tau":{:.4f},"lost":{:.4f},)"
        R"("to_gain":{:.4f},"first":"{}","first_lost":{:.4f},"asserted":{},)"
        R"("strict":{},"error":{},"year":{},"seen":{},"known":{},"chance_year":{},"chance_seen":{})",
        kOwnerNames[static_cast<std::size_t>(owner)], seed, j.lines[static_cast<std::size_t>(j.advised)].id,
        j.lines[static_cast<std::size_t>(j.truly_best)].id, j.sure, j.pairs, j.tau, j.lost, j.to_gain,
        j.lines[static_cast<std::size_t>(j.first)].id, j.first_lost, j.asserted, verdict(j.strict), verdict(j.error),
        verdict(j.year), verdict(j.seen), verdict(j.known), verdict(j.chance_year), verdict(j.chance_seen));
    if (lines) {
        out += ",\"lines\":[";
        for (const auto& line : j.lines) {
            const auto d = difference(line, j.lines.front());
            out += fmt::format(
                R"({}{{"id":"{}","number":{},"said":{:.3f},"said_error":{:.3f},"truly":{:.3f},"year":{:.3f},)"
                R"("refused":"{}","dominated":{},"inadmissible":"{}","value":{:.2f},"cloud":[{:.2f},{:.2f}],)"
                R"("machines":[{:.2f},{:.2f}],"hours":[{:.2f},{:.2f}],"waited":{:.2f},"quality":{:.3f}}})",
                &line == j.lines.data() ? "" : ",", line.id, line.number, line.said, line.error, d.mean, d.deviation,
                line.refused, line.dominated, line.why, line.truly.value, line.as_said.cloud, line.truly.cloud,
                line.as_said.machines, line.truly.machines, line.as_said.hours, line.truly.hours, line.truly.waited,
                line.as_said.quality);
        }
        out += "]";
    }
    return out + "}";
}

}  // namespace tandem::owners
