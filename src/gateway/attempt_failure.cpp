// What an attempt's failure tells: the client, the log, the requests that follow, and the owner, who can mend it.
#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "config/key_reference.h"
#include "dialect/own_words.h"
#include "gateway/attempt.h"
#include "upstream/credit.h"

namespace tandem::gateway {

// Of a failure, without a word of the provider's: the next requests are told why it is passed over, whoever sends them,
// and what it said may quote this one.
std::string Attempt::reason_for_all(const upstream::Failure& failure) const {
    if (failure.status != 0) return fmt::format("{} answered with status {}", provider_.id, failure.status);
    const bool ours = failure.what == config::FailureClass::connection || failure.what == config::FailureClass::timeout;
    if (ours) return failure.error.message;
    return fmt::format(
        "{} gave an answer that is none ({})", provider_.id,
        failure.what ? config::kFailureClassNames[static_cast<std::size_t>(*failure.what)] : failure.error.code.name());
}

// Where the provider says that the model is not there, others are asked before it from now on.
void Attempt::note_refused_model(upstream::Failure& failure) {
    if (failure.body.empty() || !translate::answers_in_text(way_.question.front.operation)) return;
    const auto words = dialect::own_words_of(failure.body, question().document.root());
    const auto refused = upstream::model_refused(failure.status, words);
    if (!refused) return;
    failure.what = config::FailureClass::not_found;  // whatever its status: another model may answer
    auto why = about_model(*refused);
    way_.services.health.refused_model(upstream::Health::model_key(provider_, model_.name), why);
    note(std::move(why));
}

void Attempt::note_model_answered() {
    auto& health = way_.services.health;
    if (health.any_model_refused()) health.model_answered(upstream::Health::model_key(provider_, model_.name));
}

std::string Attempt::about_model(upstream::ModelRefused refused) const {
    const auto name = printable(model_.name, 80);
    switch (refused) {
        case upstream::ModelRefused::responses_only:
            return fmt::format(
                "{} serves {} on its Responses API alone: give it a provider with kind: responses in "
                "tandem.yaml, with the same base_url and api_key",
                provider_.id, name);
        case upstream::ModelRefused::other_api:
            return fmt::format(
                "{} says that {} is no model for a conversation: take models.{} out of tandem.yaml, or "
                "set auto: false",
                provider_.id, name, candidate_.model);
        case upstream::ModelRefused::unknown:
            break;
    }
    return fmt::format(
        "{} says that it has no model {}, or that its key may not ask it: correct models.{}.name in "
        "tandem.yaml",
        provider_.id, name, candidate_.model);
}

// What its owner has to do: no other request will fare better until then.
std::string Attempt::about_key() const {
    if (upstream::lacks_credit(record.status, record.error))
        return fmt::format("{} says that the owner's account has no credit left: add some there", provider_.id);
    if (provider_.api_key->reveal().empty())
        return fmt::format("{} wants a key and has none: set providers.{}.api_key in tandem.yaml", provider_.id,
                           provider_.id);
    const auto named = config::key_reference(way_.config, provider_.id);
    return fmt::format("{} refuses its key ({}): correct that{}, then `tandem doctor` tries it", provider_.id,
                       named.empty() ? fmt::format("providers.{}.api_key", provider_.id) : named,
                       named.starts_with('$') ? " where `tandem serve` is started, and start that anew" : "");
}

// In our words alone: what the provider said may quote the prompt.
void Attempt::log_failure(const upstream::Failure& failure) const {
    log::Line line(log::Level::warning, record.outcome == "skipped" ? "a model was not asked" : "an attempt failed");
    line.add("decision", way_.id.text()).add("key", record.key).add("model", way_.in_log(record.model));
    line.add("provider", record.provider).add("zone", name_of(record.zone)).add("attempt", record.number);
    line.add("why", failure.what ? config::kFailureClassNames[static_cast<std::size_t>(*failure.what)]
                                 : failure.error.code.name());
    if (record.status != 0) line.add("status", record.status);
    line.add("ms", record.total_ms);
}

}  // namespace tandem::gateway
