#include "learning/learning.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "base/text.h"
#include "chat/answer.h"
#include "chat/told.h"
#include "ledger/ledger.h"

namespace tandem::learning {

namespace {

// What each sign counts beside a person's word, which counts 1.
constexpr double kCheckWeight = 1, kAgainWeight = 0.3, kDisputedWeight = 0.7, kContinuedWeight = 0.1,
                 kRejectedWeight = 0.5, kJudgeWeight = 0.5, kProbeWeight = 0.5;
constexpr int kMostAgain = 2;  // who sends the same more often is a program that means it

// Each prefix of the messages as a number; nothing depends on it but what is learned.
std::vector<std::uint64_t> prefixes_of(const chat::Request& request) {
    const std::hash<std::string_view> hash;
    std::vector<std::uint64_t> result;
    std::uint64_t chain = 0x9E3779B97F4A7C15ULL;
    auto add = [&](std::string_view text) { chain = (chain ^ hash(text)) * 0xBF58476D1CE4E5B9ULL + (chain >> 31); };
    for (const auto& message : request.messages) {
        chain += static_cast<std::uint64_t>(message.role) + 1;
        for (const auto& part : message.parts) {
            if (const auto* text = part.as<chat::TextPart>()) add(text->text);
            if (const auto* call = part.as<chat::ToolCallPart>()) {
                add(call->name);
                add(call->arguments);
            }
            if (const auto* answer = part.as<chat::ToolResultPart>()) add(chat::text_of(answer->content));
            if (const auto* image = part.as<chat::ImagePart>())
                add(image->media.url.empty() ? image->media.data : image->media.url);
        }
        result.push_back(chain);
    }
    return result;
}

// All that is known of an answer and what it answers.
Traits traits_with(std::string_view prompt, const Meaning& meaning, std::string_view answer,
                   const chat::Sureness& sure) {
    auto traits = traits_of(prompt, answer, sure);
    add_meaning(traits, meaning);
    return traits;
}

const std::shared_ptr<const Meaning>& no_meaning() {
    static const auto kNone = std::make_shared<const Meaning>();
    return kNone;
}

}  // namespace

void Learning::configure(const config::Config& config, const routing::Expectations& expected) {
    std::vector<Learner::Model> models;
    std::unordered_map<std::string, std::shared_ptr<const std::string>> identities;
    for (const auto& model : config.models) {
        auto identity = identity_(config, model);
        identities[model.id] = std::make_shared<const std::string>(identity);
        models.push_back({model.id, std::move(identity), routing::expected_of(expected, model.id).value_or(0.5)});
    }
    learner_.configure(std::move(models));
    const std::lock_guard lock(mutex_);
    identities_ = std::move(identities);
}

Result<> Learning::load() {
    return store_.run([this](store::Database& database) -> Result<> {
        std::vector<std::string> models;
        {
            const std::lock_guard lock(mutex_);
            for (const auto& [model, identity] : identities_) models.push_back(model);
        }
        const auto hour = now() / 3'600'000;
        for (const auto& model : models) {
            if (auto pruned = prune_signs(database, model, kMostSigns); !pruned) return pruned;
            auto records = newest_outcomes(database, model, Predictor::kMostExamples);
            if (!records) return fail(records.error());
            std::vector<Outcome> outcomes;
            for (auto& r : *records) {
                auto traits = traits_from_bytes(r.traits);
                if (!traits) continue;  // of another version: its features are no longer known
                if (r.source == "feedback" && r.time / 3'600'000 == hour) {
                    const std::lock_guard lock(mutex_);
                    said_[r.key].hour = hour;
                    ++said_[r.key].count;
                }
                outcomes.push_back({r.decision, r.model, r.identity, r.source, r.key, r.value, r.weight,
                                    std::move(*traits), r.expected});
            }
            learner_.learn(std::move(outcomes));
        }
        return {};
    });
}

std::shared_ptr<const std::string> Learning::identity_of(const std::string& model) const {
    static const auto kNone = std::make_shared<const std::string>();
    const std::lock_guard lock(mutex_);
    const auto found = identities_.find(model);
    return found == identities_.end() ? kNone : found->second;
}

Learning::Past* Learning::find(std::uint64_t whole) {
    auto& past = past_[whole % past_.size()];
    return past.kept && past.whole == whole ? &past : nullptr;
}

Learning::Place Learning::place(const chat::Request& request, const std::string& key, bool note, bool predict,
                                routing::WorkKind kind, routing::Expectations expected, Meaning meaning) {
    Place place;
    place.kind = kind;
    place.usual = learner_.usual(kind);
    place.meaning = meaning.empty() ? no_meaning() : std::make_shared<const Meaning>(std::move(meaning));
    const auto prefixes = prefixes_of(request);
    auto text = chat::last_user_text(request);
    const bool disputed = note && chat::disputes(text);
    text = std::string(text, 0, kLooked);  // a copy: resize() would keep the memory of the whole
    place.learns = true;
    if (predict) place.outlook = learner_.outlook(text, *place.meaning, expected, kind);
    place.expected = std::move(expected);
    place.prompt = std::make_shared<const std::string>(std::move(text));
    if (prefixes.empty()) return place;
    place.whole = prefixes.back();

    struct Sign {
        std::shared_ptr<const Kept> of;
        const char* source;
        double value, weight;
    };
    std::vector<Sign> signs;
    auto sign = [&](const Past& past, const char* source, double value, double weight) {
        signs.push_back({past.kept, source, value, weight});
    };
    {
        const std::lock_guard lock(mutex_);
        const auto time = clock_.steady();
        auto* const same = find(place.whole);
        const bool in_conversation = std::ranges::any_of(
            request.messages, [](const chat::Message& m) { return m.role == chat::Role::assistant; });
        if (note && same != nullptr && same->kept->key == key && time - same->time < kAgain &&
            ++same->again <= kMostAgain && in_conversation)
            sign(*same, "regenerated", 0, kAgainWeight);
        // The turn before the last answer.
        const auto& messages = request.messages;
        const auto n = messages.size();
        if (note && n >= 3 && messages[n - 1].role == chat::Role::user &&
            messages[n - 2].role == chat::Role::assistant) {
            auto* const before = find(prefixes[n - 3]);
            if (before != nullptr && before->kept->key == key && !before->judged) {
                before->judged = true;
                if (disputed)
                    sign(*before, "disputed", 0, kDisputedWeight);
                else
                    sign(*before, "continued", 1, kContinuedWeight);
            }
        }
        // Who has the beginning of it in a cache.
        for (std::size_t i = n - 1; i-- > 0;) {
            const auto* const warm = find(prefixes[i]);
            if (warm == nullptr || warm->kept->key != key || time - warm->time > kWarm) continue;
            auto outlook = std::ranges::find(place.outlook, warm->kept->model, &routing::Outlook::model);
            if (outlook == place.outlook.end()) {
                place.outlook.push_back({.model = warm->kept->model});
                outlook = std::prev(place.outlook.end());
            }
            outlook->warm_tokens = warm->tokens;
            outlook->holds_state = warm->holds_state;
            outlook->holds_session = !request.tools.empty();
            break;
        }
    }
    std::ranges::sort(place.outlook, {}, &routing::Outlook::model);
    for (const auto& one : signs) learn_unwatched(*one.of, one.source, key, one.value, one.weight);
    return place;
}

std::shared_ptr<const Learning::Kept> Learning::keep(const Place& place, Answered a) const {
    auto identity = identity_of(a.model);
    const auto expected = routing::expected_of(place.expected, a.model);
    return std::make_shared<const Kept>(Kept{std::move(a.decision), std::move(a.key), std::move(a.model),
                                             std::move(identity), place.prompt, place.meaning,
                                             std::string(a.text, 0, kLooked), a.sure, place.whole, expected});
}

std::size_t Learning::Kept::bytes() const {
    return sizeof(Kept) + decision.capacity() + key.capacity() + model.capacity() + prompt->capacity() +
           meaning->size() * sizeof(float) + answer.capacity() + 128;
}

std::size_t Learning::bytes() const {
    const std::lock_guard lock(mutex_);
    return bytes_;
}

void Learning::drop_oldest() {
    const auto gone = std::exchange(newest_[oldest_++ % newest_.size()], nullptr);
    if (!gone) return;
    bytes_ -= gone->bytes();
    if (auto& past = past_[gone->whole % past_.size()]; past.kept == gone) past = {};
}

// As many of the newest as fit into the bounds, and into what the account has room for.
void Learning::remember(std::shared_ptr<const Kept> kept) {
    const auto bytes = kept->bytes();
    while (oldest_ < next_ && (next_ - oldest_ == newest_.size() || bytes_ + bytes > kMostKept)) drop_oldest();
    bytes_ += bytes;
    newest_[next_++ % newest_.size()] = std::move(kept);
    while (!held_.resize(bytes_) && oldest_ < next_) drop_oldest();
}

std::shared_ptr<const Learning::Kept> Learning::kept_of(const std::string& decision) const {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find_if(newest_, [&](const auto& k) { return k && k->decision == decision; });
    return found == newest_.end() ? nullptr : *found;
}

void Learning::answered(const Place& place, Answered a) {
    learner_.measured(a.model, place.kind, a.seconds, a.answer_tokens);
    if (!place.learns) return;
    const auto tokens = a.prompt_tokens;
    const bool holds_state = a.holds_state;
    const auto fault = std::exchange(a.fault, {});
    const auto kept = keep(place, std::move(a));
    {
        const std::lock_guard lock(mutex_);
        const auto* const same = find(place.whole);
        const int again = same == nullptr ? 0 : same->again;
        past_[place.whole % past_.size()] = {place.whole, kept, clock_.steady(), tokens, holds_state, again, false};
        remember(kept);
    }
    if (!fault.empty()) learn_unwatched(*kept, "check", kept->key, 0, kCheckWeight, fault);
}

void Learning::rejected(const Place& place, Answered a) {
    if (!place.learns) return;
    const auto fault = a.fault;
    const auto kept = keep(place, std::move(a));
    learn_unwatched(*kept, "escalated", kept->key, 0, kRejectedWeight, fault);
}

Traits Learning::Kept::traits() const {
    return traits_with(*prompt, *meaning, answer, sure);
}

std::optional<double> Learning::judge(const Place& place, const std::string& model, const chat::Told& answer) const {
    if (!place.learns) return {};
    return learner_.judge(model, traits_with(*place.prompt, *place.meaning,
                                             std::string_view(answer.text).substr(0, kLooked), answer.sure));
}

void Learning::learn_unwatched(const Kept& kept, const char* source, const std::string& key, double value,
                               double weight, const std::string& note) {
    {
        const std::lock_guard lock(mutex_);
        if (const auto second = now() / 1000; second != second_) {
            second_ = second;
            signs_ = 0;
        }
        if (++signs_ > kSignsPerSecond) return;
    }
    commit_unwatched(kept, source, key, value, weight, note);
}

void Learning::commit_unwatched(const Kept& kept, const char* source, const std::string& key, double value,
                                double weight, const std::string& note) {
    auto traits = kept.traits();
    OutcomeRecord record{kept.decision, source,           key,  now(),        kept.model, *kept.identity, value,
                         weight,        to_bytes(traits), note, kept.expected};
    Outcome outcome{kept.decision, kept.model, *kept.identity,    source,       key,
                    value,         weight,     std::move(traits), kept.expected};
    store_.submit([record = std::move(record)](store::Database& database) { return insert(database, record); },
                  [this, outcome = std::move(outcome)](Result<> kept_it) mutable {
                      if (!kept_it) {
                          spdlog::error("how an answer turned out could not be written: {}", kept_it.error().message);
                          return;
                      }
                      net::asio::post(pool_, [this, outcome = std::move(outcome)]() mutable {
                          std::vector<Outcome> one;
                          one.push_back(std::move(outcome));
                          learner_.learn(std::move(one));
                      });
                  });
}

// The first ones of an hour count whole; of what one key says beyond that, all together counts less than as much again.
double Learning::weight_of_feedback(const std::string& key) {
    const std::lock_guard lock(mutex_);
    auto& said = said_[key];
    if (const auto hour = now() / 3'600'000; said.hour != hour) said = {hour, 0};
    const double share = static_cast<double>(kFullFeedback) / std::max(kFullFeedback, ++said.count);
    return share * share;
}

void Learning::feedback(std::string decision, const std::string& key, bool owner, double value, std::string note,
                        std::function<void(Result<double>)> done) {
    struct Made {
        OutcomeRecord record;
        Traits traits;
    };
    auto made = std::make_shared<Made>();
    auto job = [this, made, decision = std::move(decision), key, owner, value,
                note = std::move(note)](store::Database& database) -> Result<> {
        const auto nothing = fail(Fault::unknown_decision, fmt::format("there is no answer of decision {}", decision));
        auto kept = kept_of(decision);
        if (!kept) {
            // From before the last start, or long ago: what it was like is not known any more, who answered is.
            const auto attempts = ledger::attempts_of(database, decision);
            if (!attempts) return fail(attempts.error());
            const auto answered = std::ranges::find(*attempts, "answered", &ledger::AttemptRecord::outcome);
            if (answered == attempts->end()) return nothing;
            kept = std::make_shared<const Kept>(Kept{decision,
                                                     answered->key,
                                                     answered->model,
                                                     identity_of(answered->model),
                                                     std::make_shared<const std::string>(),
                                                     no_meaning(),
                                                     {},
                                                     {},
                                                     0});
        }
        // Whose decision it is not, does not learn that it exists.
        if (!owner && kept->key != key) return nothing;
        if (!kept->prompt->empty()) made->traits = kept->traits();
        made->record = {
            decision, "feedback",    key, now(), kept->model, *kept->identity, value, 1, to_bytes(made->traits),
            note,     kept->expected};
        made->record.weight = weight_of_feedback(key);
        return insert(database, made->record);
    };
    store_.submit(std::move(job), [this, made, done = std::move(done)](Result<> kept) {
        if (!kept) return done(fail(kept.error()));
        net::asio::post(pool_, [this, made, done] {
            const auto& r = made->record;
            std::vector<Outcome> one;
            one.push_back({r.decision, r.model, r.identity, r.source, r.key, r.value, r.weight, std::move(made->traits),
                           r.expected});
            learner_.learn(std::move(one));
            done(r.weight);
        });
    });
}

void Learning::judged(const std::string& decision, double value) {
    if (const auto kept = kept_of(decision)) learn_unwatched(*kept, "judge", kept->key, value, kJudgeWeight);
}

void Learning::probed(const std::string& decision, const std::string& task, bool passed) {
    const auto kept = kept_of(decision);
    if (!kept) return;
    auto one = *kept;
    one.decision = fmt::format("probe:{}:{}", one.model, task);
    commit_unwatched(one, "probe", one.key, passed ? 1 : 0, kProbeWeight, decision);
}

void Learning::forget(std::string model, std::function<void(Result<>)> done) {
    store_.submit([model](store::Database& database) { return forget_outcomes(database, model); },
                  [this, model, done = std::move(done)](Result<> gone) {
                      if (gone) learner_.forget(model);
                      done(std::move(gone));
                  });
}

}  // namespace tandem::learning
