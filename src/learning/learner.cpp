#include "learning/learner.h"

#include <algorithm>
#include <cmath>

namespace tandem::learning {

namespace {

constexpr double kFewest = 5;  // outcomes, by weight, before an answer is judged by what was learned
// What is expected before the first outcome counts like so many: one word about a greeting moves little of all work.
constexpr double kWeightOfExpectation = 12;
constexpr double kWeightOfGuess = 2;  // the same for answers that are looked at, of which nothing was expected
constexpr double kNewest = 0.1;       // what an answer's time and length count beside those before
constexpr double kWeightOfUsual = 3;  // a kind's usual time and length count like so many answers of a model

double rounded(double number) {
    return std::round(number * 1e4) / 1e4;
}

bool has_answer(const Traits& traits) {
    return std::ranges::any_of(traits, [](const auto& entry) { return is_of_answer(entry.first); });
}

Traits of_prompt_alone(const Traits& traits) {
    Traits result = traits;
    std::erase_if(result, [](const auto& entry) { return is_of_answer(entry.first); });
    return result;
}

// Whoever says it again replaces what was said.
std::string id_of(const Outcome& outcome) {
    return outcome.decision + "\n" + outcome.source + "\n" + outcome.key;
}

double weight_of(const Outcome& outcome, const Learner::Model& model) {
    return outcome.weight * (outcome.identity == model.identity ? 1 : Learner::kOtherIdentity);
}

routing::Outlook& entry(std::vector<routing::Outlook>& list, const std::string& model) {
    const auto found = std::ranges::find(list, model, &routing::Outlook::model);
    if (found != list.end()) return *found;
    return list.emplace_back(routing::Outlook{.model = model});
}

}  // namespace

std::size_t Learner::most_bytes() const {
    return std::min(Predictor::kMostBytes, kMostBytes / std::max<std::size_t>(models_, 1));
}

// The oldest go until those that stay fit.
void Learner::bound(Known& known) const {
    known.bytes = 0;
    auto first = known.outcomes.end();
    while (first != known.outcomes.begin()) {
        const auto bytes = Predictor::bytes_of(std::prev(first)->traits);
        if (known.bytes + bytes > most_bytes()) break;
        known.bytes += bytes;
        --first;
    }
    known.outcomes.erase(known.outcomes.begin(), first);
}

std::size_t Learner::bytes() const {
    const std::lock_guard lock(learning_);
    std::size_t sum = 0;
    for (const auto& known : known_) sum += known.bytes + known.of_prompt->bytes() + known.of_answer->bytes();
    return sum;
}

void Learner::rebuild(Known& known) const {
    bound(known);
    known.of_prompt = std::make_unique<Predictor>(0, kWeightOfExpectation, most_bytes());
    known.of_answer = std::make_unique<Predictor>(known.model.expected, kWeightOfGuess, most_bytes());
    for (const auto& outcome : known.outcomes) {
        const double weight = weight_of(outcome, known.model);
        known.of_prompt->add(of_prompt_alone(outcome.traits), outcome.value, weight,
                             outcome.expected.value_or(known.model.expected));
        if (has_answer(outcome.traits)) known.of_answer->add(outcome.traits, outcome.value, weight);
    }
    known.of_prompt->settle();
    known.of_answer->settle();
}

void Learner::configure(std::vector<Model> models) {
    const std::lock_guard lock(learning_);
    const bool others = models_ != models.size();  // each has another part of the whole
    models_ = models.size();
    std::vector<Known> next;
    for (auto& model : models) {
        const auto same = std::ranges::find(known_, model.id, [](const Known& k) { return k.model.id; });
        const bool stays = !others && same != known_.end() && same->model.identity == model.identity &&
                           same->model.expected == model.expected;
        if (stays) {
            next.push_back(std::move(*same));
            continue;
        }
        Known known;
        known.model = std::move(model);
        if (same != known_.end()) known.outcomes = std::move(same->outcomes);
        rebuild(known);
        next.push_back(std::move(known));
    }
    known_ = std::move(next);
    publish();
}

void Learner::learn(std::vector<Outcome> outcomes) {
    constexpr std::size_t kMany = 20;  // from here on all of it is solved anew, once
    const bool many = outcomes.size() > kMany;
    const std::lock_guard lock(learning_);
    std::vector<Known*> changed;
    for (auto& outcome : outcomes) {
        const auto found = std::ranges::find(known_, outcome.model, [](const Known& k) { return k.model.id; });
        if (found == known_.end()) continue;
        auto& known = *found;
        const auto id = id_of(outcome);
        const bool again = !many && std::erase_if(known.outcomes, [&](const Outcome& o) { return id_of(o) == id; }) > 0;
        if (again) bound(known);
        const bool full = known.outcomes.size() == Predictor::kMostExamples;
        if (full) {
            known.bytes -= Predictor::bytes_of(known.outcomes.front().traits);
            known.outcomes.erase(known.outcomes.begin());
        }
        if (!many && !again) {
            const double weight = weight_of(outcome, known.model);
            known.of_prompt->learn(of_prompt_alone(outcome.traits), outcome.value, weight,
                                   outcome.expected.value_or(known.model.expected));
            if (has_answer(outcome.traits)) known.of_answer->learn(outcome.traits, outcome.value, weight);
        }
        outcome.traits.shrink_to_fit();
        known.bytes += Predictor::bytes_of(outcome.traits);
        known.outcomes.push_back(std::move(outcome));
        if (known.bytes > most_bytes()) bound(known);
        if (many || again) changed.push_back(&known);
    }
    std::ranges::sort(changed);
    const auto rest = std::ranges::unique(changed);
    changed.erase(rest.begin(), rest.end());
    for (auto* known : changed) rebuild(*known);
    publish();
}

void Learner::forget(std::string_view model) {
    const std::lock_guard lock(learning_);
    for (auto& known : known_) {
        if (!model.empty() && known.model.id != model) continue;
        known.outcomes.clear();
        rebuild(known);
    }
    publish();
}

void Learner::publish() {
    auto views = std::make_shared<Views>();
    std::vector<const Learned*> learned;
    for (const auto& known : known_) {
        if (known.outcomes.empty()) continue;
        const auto& l = learned.emplace_back(&known.of_prompt->learned());
        views->views.push_back({known.model.id, known.model.expected, l->bias, l->noise, l->weight, l->prior_weight,
                                known.of_answer->learned()});
    }
    const auto models = learned.size();
    views->table.resize(models * 2 * kAllTraits);
    for (std::size_t m = 0; m < models; ++m)
        for (std::size_t trait = 0; trait < kAllTraits; ++trait) {
            auto* row = views->table.data() + trait * 2 * models;
            row[m] = learned[m]->coefficients[trait];
            row[models + m] = learned[m]->doubt_of(trait);
        }
    const std::lock_guard lock(views_mutex_);
    views_ = std::move(views);
}

void Learner::Pace::add(double took, std::int64_t tokens) {
    const double share = std::max(kNewest, 1.0 / static_cast<double>(++answers));
    seconds += share * (took - seconds);
    answer_tokens += share * (static_cast<double>(tokens) - answer_tokens);
}

void Learner::measured(const std::string& model, routing::WorkKind kind, double seconds, std::int64_t answer_tokens) {
    const auto at = static_cast<std::size_t>(kind);
    const std::lock_guard lock(pace_mutex_);
    pace_[model][at].add(seconds, answer_tokens);
    usual_[at].add(seconds, answer_tokens);
}

// Over all kinds of work, each by how many answers of it there were.
Learner::Pace Learner::mean_of(const PaceByKind& by_kind) {
    Pace sum;
    for (const auto& pace : by_kind) {
        sum.seconds += static_cast<double>(pace.answers) * pace.seconds;
        sum.answer_tokens += static_cast<double>(pace.answers) * pace.answer_tokens;
        sum.answers += pace.answers;
    }
    const auto answers = static_cast<double>(std::max<std::int64_t>(sum.answers, 1));
    return {sum.seconds / answers, sum.answer_tokens / answers, sum.answers};
}

routing::Usual Learner::usual(routing::WorkKind kind) const {
    const std::lock_guard lock(pace_mutex_);
    const auto& usual = usual_[static_cast<std::size_t>(kind)];
    return {rounded(usual.seconds), std::llround(usual.answer_tokens)};
}

// A model's own answers, beside as many usual ones as kWeightOfUsual.
void Learner::add_pace(routing::WorkKind kind, std::vector<routing::Outlook>& result) const {
    const auto at = static_cast<std::size_t>(kind);
    const std::lock_guard lock(pace_mutex_);
    const auto& usual = usual_[at];
    for (const auto& [model, by_kind] : pace_) {
        const auto& own = by_kind[at];
        if (own.answers == 0) continue;
        const double share = 1 - kWeightOfUsual / (static_cast<double>(own.answers) + kWeightOfUsual);
        auto& outlook = entry(result, model);
        outlook.seconds = rounded(usual.seconds + share * (own.seconds - usual.seconds));
        outlook.answer_tokens = std::llround(usual.answer_tokens + share * (own.answer_tokens - usual.answer_tokens));
    }
}

std::vector<routing::Outlook> Learner::outlook(const Traits& prompt, const routing::Expectations& expected,
                                               routing::WorkKind kind) const {
    std::shared_ptr<const Views> views;
    {
        const std::lock_guard lock(views_mutex_);
        views = views_;
    }
    std::vector<routing::Outlook> result;
    const auto models = views->views.size();
    std::vector<float> sums(models * 2);
    for (const auto& [index, value] : prompt) {
        const auto* row = views->table.data() + index * 2 * models;
        for (std::size_t m = 0; m < models; ++m) sums[m] += row[m] * value;
        for (std::size_t m = models; m < 2 * models; ++m) sums[m] += row[m] * value * value;
    }
    for (std::size_t m = 0; m < models; ++m) {
        const auto& view = views->views[m];
        const double spread = 1 / (view.weight + view.prior_weight) + static_cast<double>(sums[models + m]);
        auto& outlook = entry(result, view.model);
        const double before = routing::expected_of(expected, view.model).value_or(view.expected);
        outlook.quality = rounded(std::clamp(before + view.bias + static_cast<double>(sums[m]), 0.0, 1.0));
        outlook.doubt = rounded(std::sqrt(view.noise * spread));
        outlook.outcomes = rounded(view.weight);
    }
    add_pace(kind, result);
    std::ranges::sort(result, {}, &routing::Outlook::model);
    return result;
}

std::vector<routing::Outlook> Learner::outlook(std::string_view prompt, const Meaning& meaning,
                                               const routing::Expectations& expected, routing::WorkKind kind) const {
    bool any = false;
    {
        const std::lock_guard lock(views_mutex_);
        any = !views_->views.empty();
    }
    if (!any) return outlook(Traits(), expected, kind);
    auto traits = traits_of(prompt);
    add_meaning(traits, meaning);
    return outlook(traits, expected, kind);
}

std::optional<double> Learner::judge(const std::string& model, const Traits& prompt_and_answer) const {
    std::shared_ptr<const Views> views;
    {
        const std::lock_guard lock(views_mutex_);
        views = views_;
    }
    const auto found = std::ranges::find(views->views, model, &Views::View::model);
    if (found == views->views.end() || found->of_answer.weight < kFewest) return {};
    return rounded(found->of_answer.predict(prompt_and_answer).mean);
}

std::vector<Learner::Summary> Learner::summary() const {
    std::vector<Summary> result;
    const std::lock_guard lock(learning_);
    const std::lock_guard pace_lock(pace_mutex_);
    for (const auto& known : known_) {
        const auto& learned = known.of_prompt->learned();
        Summary summary{known.model.id,
                        known.model.identity,
                        known.model.expected,
                        known.outcomes.size(),
                        rounded(learned.weight),
                        rounded(std::clamp(known.model.expected + learned.bias, 0.0, 1.0)),
                        0,
                        0};
        if (const auto pace = pace_.find(known.model.id); pace != pace_.end()) {
            const auto all = mean_of(pace->second);
            summary.seconds = rounded(all.seconds);
            summary.answer_tokens = std::llround(all.answer_tokens);
        }
        result.push_back(std::move(summary));
    }
    return result;
}

}  // namespace tandem::learning
