// The second half of an attempt: its answer, whole or as it comes, and what is made of it.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "base/text.h"
#include "chat/told.h"
#include "gateway/ask.h"
#include "gateway/attempt.h"
#include "gateway/weight.h"

namespace tandem::gateway {

namespace {

// With whose answer it was: an address alone tells a person little. What we have no room for is not about a provider.
Error of_provider(const std::string& provider, Error error) {
    if (error.code == ErrorCode::unavailable) return error;
    const bool cut = error.code == ErrorCode::upstream;
    error.message = fmt::format("{}{}: {}", provider, cut ? " broke off" : "", error.message);
    return error;
}

}  // namespace

// ---- learning, and the cascade ----

learning::Learning::Answered Attempt::outcome_of(const chat::Told& told, std::string fault) const {
    const auto& thinking = way_.request().thinking;
    return {way_.id.text(),
            way_.who.id(),
            candidate_.model,
            static_cast<double>(record.total_ms) / 1000,
            record.usage.input.count,
            record.usage.output.count,
            told.text,
            told.sure,
            std::move(fault),
            provider_.kind->signs_reasoning && (thinking.on.value_or(false) || !thinking.effort.empty())};
}

void Attempt::finish(Ending how, const std::optional<ledger::Used>& used, const chat::Told& told, std::string why) {
    if (used) settle(*used, kEndingNames[static_cast<std::size_t>(how)]);
    auto finished = way_.finished(how, *this, candidate_.model, told);
    finished.why = std::move(why);
    finished.at_limit = relay_ && relay_->spent();
    finished.several = joins_;
    learn(finished);
    way_.publish(*this, finished);
}

// What was answered, so that it can be learned from when its outcome is known. What several models said is nobody's,
// and what a bound of ours ended says nothing of the model.
void Attempt::learn(const AnswerFinished& finished) const {
    if (!decided_.place().learns) return;
    auto& learning = way_.services.learning;
    const auto& told = finished.told;
    if (finished.how == Ending::escalated) learning.rejected(decided_.place(), outcome_of(told, finished.why));
    const bool bounded = finished.at_limit || (sets_bound_ && told.finish == chat::Finish::length);
    if (finished.how != Ending::answered || finished.several || bounded) return;
    learning.answered(decided_.place(), outcome_of(told, way_.keeping.judged ? std::string() : finished.fault()));
}

// Why a local answer that the client has seen nothing of is not good enough.
Attempt::Doubt Attempt::doubt_of(const chat::Told& told) const {
    if (auto fault = chat::fault_of(told, way_.request()); !fault.empty()) return {std::move(fault), true};
    if (const auto* rule = rule_of_cascade(); rule != nullptr && told.sure.known() && told.sure.mean() < rule->sure)
        return {fmt::format("its words had a mean probability of {:.2f}, and rule '{}' wants {:.2f} (cascade.sure)",
                            told.sure.mean(), rule->name, rule->sure),
                false};
    const auto judged = way_.services.learning.judge(decided_.place(), candidate_.model, told);
    if (!judged) return {};
    // An answer that is likelier good than not passes, however good the next model is: else none would be learned from.
    constexpr double kLikely = 0.5;
    const double gain = (std::min(better_->terms.quality, kLikely) - *judged) *
                        routing::value_of_answer(way_.snapshot->table, decided_.decision().stakes);
    if (gain <= better_->terms.cost) return {};
    return {fmt::format("it is good with a probability of {:.2f}, by what was learned", *judged), false};
}

const config::Rule* Attempt::rule_of_cascade() const {
    const auto& rules = way_.config.policy.rules;
    const auto rule = std::ranges::find(rules, decided_.decision().rule, &config::Rule::name);
    return rule == rules.end() ? nullptr : &*rule;
}

// A second answer is worth asking for where the owner wants that, where it may differ, and where the next candidate
// would be asked if it did.
bool Attempt::worth_a_sample(const chat::Told& told) const {
    const auto* const rule = rule_of_cascade();
    const auto& request = way_.request();
    if (rule == nullptr || rule->agree <= 0 || !told.calls.empty() || request.response_format.asks_json()) return false;
    const auto& temperature = request.sampling.temperature.json;
    const bool fixed = !temperature.empty() && std::strtod(temperature.c_str(), nullptr) == 0;
    if (fixed || !request.sampling.seed.json.empty()) return false;
    const double worth =
        better_->terms.quality * routing::value_of_answer(way_.snapshot->table, decided_.decision().stakes);
    return worth > better_->terms.cost;
}

net::Task<Attempt::Doubt> Attempt::doubt_after_sample(const chat::Told& told) {
    constexpr std::int64_t kSampleTokens = 64;
    auto doubt = doubt_of(told);
    if (!doubt.reason.empty() || !worth_a_sample(told)) co_return doubt;
    // Its place is free for the sample: a model of one slot would wait for itself.
    answer_.reset();
    pass_ = {};
    lease_ = {};
    auto request = way_.request();
    request.max_output_tokens = std::min(request.max_output_tokens.value_or(kSampleTokens), kSampleTokens);
    request.model = record.model;
    const auto sample = co_await gateway::ask(way_.gateway, way_.exchange.worker(), way_.who,
                                              {.request = std::move(request),
                                               .label = decided_.inputs().label,
                                               .reason = "a second answer to compare",
                                               .workflow = way_.asked.workflow},
                                              cancel_);
    const auto said = sample.text();
    if (!sample.error.empty() || said.empty()) co_return doubt;
    const double agreed = chat::agreement(told.text, said);
    if (agreed < rule_of_cascade()->agree)
        doubt.reason = fmt::format("a second answer of it agrees with {:.2f} only ({})", agreed, sample.decision);
    co_return doubt;
}

// The answer stays here, and the next candidate is asked. `say` makes what the client would have got: one that is only
// expected to be worse is better than none, where nobody else answers.
Next Attempt::escalate(const chat::Told& told, Doubt doubt, const ledger::Used& used,
                       const std::function<Spare()>& say) {
    if (!doubt.faulty) {
        way_.history.spare = say();
        way_.history.spare_memory = std::move(memory_);
        way_.history.spare->served = *this;
    }
    way_.tell(fmt::format("{} answered, and its answer did not pass: {}", record.model, doubt.reason));
    way_.history.failures.emplace_back(record.model, "its answer did not pass: " + doubt.reason);
    record.error = doubt.reason;
    finish(Ending::escalated, used, told, std::move(doubt.reason));
    way_.history.last =
        ours({Fault::no_answer_passed, "no answer passed the checks of the cascade"}, upstream::Remedy::next);
    return Next::next_candidate;
}

// ---- the answer, whole ----

net::Task<Next> Attempt::begin_whole() {
    auto body = co_await answer_->read_all(memory_, kAnswerCopies);
    if (cancel_.fired()) {
        if (body) body_ = std::move(*body);
        co_return cancelled(true);
    }
    if (!body) co_return unreadable(of_provider(provider_.id, body.error()), unknown());
    lease_.progressed(way_.services.clock.steady());
    mark_first_byte();
    streamed_ = streamed_ || conversion_->is_stream(*body);
    const auto id = way_.frame(*this).id;
    auto read_it = [this, &body, &id] { return conversion_->read(*body, streamed_, id); };
    Result<translate::Conversion::Whole> read;
    if (body->size() <= kLargeBody)
        read = read_it();
    else
        read = co_await net::run_on<Result<translate::Conversion::Whole>>(way_.services.scans, way_.who.id(), read_it);
    // Where too much waits for the pool, it is done here: what was answered is paid.
    if (!read && read.error().code == ErrorCode::unavailable) read = read_it();
    if (!read && read.error().code == ErrorCode::policy) co_return stopped(read.error(), usage_of_body(*body));
    if (!read) {
        Error error = read.error();
        error.message = fmt::format("{}: {}", provider_.id, error.message);
        co_return unreadable(std::move(error), usage_of_body(*body));
    }
    body_ = std::move(*body);
    whole_ = std::move(*read);
    tell_malformed(whole_.malformed);
    tell_unsaid(whole_.unsaid);
    tell_calls();
    note_pace(false);
    way_.services.health.succeeded(provider_.id);  // a 200 alone says little: errors come behind it too
    note_model_answered();
    co_return Next::ready;
}

net::Task<Next> Attempt::give_whole() {
    auto frame = way_.frame(*this);
    const auto used = usage_of_whole();
    const auto& usage = used.usage;
    if (bound_ > 0 && usage.output.count > bound_)
        note(fmt::format("{} answered with {} tokens where {} were asked for at most; all of them are paid",
                         record.model, usage.output.count, bound_));
    if (better_ != nullptr)
        if (auto doubt = co_await doubt_after_sample(whole_.told); !doubt.reason.empty())
            co_return escalate(whole_.told, std::move(doubt), used, [&] {
                auto said = conversion_->say(whole_, body_, streamed_, usage, frame);
                return Spare{std::move(said.body), said.stream, {}};
            });
    finish(Ending::answered, used, whole_.told);
    auto say_it = [this, &frame]() -> Result<translate::Conversion::Said> {
        return conversion_->say(whole_, std::move(body_), streamed_, record.usage, std::move(frame));
    };
    Result<translate::Conversion::Said> made;
    if (body_.size() <= kLargeBody)
        made = say_it();
    else
        made = co_await net::run_on<Result<translate::Conversion::Said>>(way_.services.scans, way_.who.id(), say_it);
    if (!made) made = say_it();
    auto& said = *made;
    // Reranked texts come back as they were sent.
    if (sent && way_.question.front.operation == translate::Operation::rerank)
        said.body = privacy::restored(sent->stands, said.body, true);
    auto receipt = co_await way_.close_with(way_.keeping.keep_whole ? said.body : said.response, *this);
    if (!receipt) {
        co_await way_.refuse(receipt.error());
        co_return Next::done;
    }
    const auto type = way_.type_of(said.stream);
    way_.keep_answer(*this, said.body, type, said.stream);
    if (said.stream && way_.exchange.started()) begin_answer(said.body);
    co_await way_.give(std::move(*receipt), way_.answer_headers(*this, type), std::move(said.body), said.stream);
    co_return Next::done;
}

// ---- the answer, as it comes ----

// What a stream leaves behind while it passes: its text, once for the checks and once for what is kept of it.
Result<> Attempt::hold_what_is_kept() {
    const auto text = static_cast<std::size_t>(relay_->seen().count) * 4 + relay_->media_bytes();
    const auto wanted = text * kAnswerCopies;
    return wanted > memory_.bytes() + kAnswerStep ? memory_.resize(wanted) : Result<>{};
}

// One more piece of it.
net::Task<> Attempt::read_on() {
    auto piece = co_await answer_->read();
    if (cancel_.fired()) co_return;
    if (!piece) {
        relay_->break_off();
        broken_ = of_provider(provider_.id, piece.error());
        over_ = true;
        co_return;
    }
    if (piece->empty()) {
        relay_->end();
        over_ = true;
    } else if (auto ok = relay_->feed(*piece); !ok) {
        broken_ = ok.error();
        over_ = true;
    } else if (auto room = hold_what_is_kept(); !room) {
        broken_ = room.error();
        over_ = true;
    }
    const bool pinged = relay_->take_ping();
    if (!pinged) lease_.progressed(way_.services.clock.steady());
    if (pinged) way_.pulse.beat();
    if (!pinged || relay_->has_content()) mark_first_byte();  // a sign of life is no byte of an answer
    if (relay_->spent()) end_at_limit();
    over_ = over_ || relay_->done() || relay_->failed();
    if (!over_) co_return;
    if (relay_->failed()) broken_ = relay_->failed();
    if (!broken_ && !relay_->done() && !relay_->whole())
        broken_ = Error{Fault::provider_broke_off,
                        fmt::format("{} ended its stream before the answer was finished", provider_.id)};
    if (!broken_ && !relay_->whole() && !relay_->has_content())
        broken_ =
            Error{Fault::provider_broke_off, fmt::format("{} ended its stream without an answer in it", provider_.id)};
}

void Attempt::tell(std::string text) {
    if (relay_ && way_.stream_type() == "text/event-stream") relay_->remark("tandem: " + text);
    note(std::move(text));
}

void Attempt::tell_malformed(std::size_t events) {
    if (events > 0) tell(fmt::format("{} events of {} were no JSON, and were left out", events, provider_.id));
}

void Attempt::tell_calls() {
    for (auto& text : conversion_->call_notes().take_warnings()) tell(fmt::format("{}: {}", record.model, text));
    for (auto& text : citing_->take_warnings()) tell(fmt::format("{}: {}", record.model, text));
}

void Attempt::tell_unsaid(const translate::Unsaid& unsaid) {
    if (auto text = unsaid.text(provider_.id); !text.empty()) tell(std::move(text));
}

// The provider said more than was reserved for it: its stream ends here, and the client's with it.
void Attempt::end_at_limit() {
    answer_.reset();
    tell(fmt::format("{} went on beyond the {} tokens that were reserved for its answer, so it was cut there",
                     record.model, bound_ + beyond_));
}

net::Task<Next> Attempt::begin_stream() {
    if (relay_) {
        conversion_->go_on(*relay_, way_.frame(*this).id, std::move(splice_));
    } else {
        const bool resumable = way_.failure_policy().on_cut != config::OnCut::error;
        // Only what is said anew can be ended at a limit, but for chunks of Chat Completions. What tools of the
        // provider say has no words but its own.
        const bool ended_by_us = bound_ > 0 && !way_.client_dialect().ends_anywhere() && !way_.runs_tools();
        relay_ = conversion_->relay([this] { return way_.frame(*this); }, resumable || ended_by_us);
        if (way_.needs_words() || better_ != nullptr || resumable) relay_->collect();
    }
    if (bound_ > 0) relay_->limit(bound_, [this](std::int64_t said) { return may_say(said); });
    // Until there is content, an error can still be an HTTP error, and another attempt be made.
    while (!over_ && (better_ != nullptr || !relay_->has_content())) {
        co_await read_on();
        if (cancel_.fired()) co_return cancelled(true);
    }
    if (broken_ && broken_->code == ErrorCode::policy) co_return stopped(*broken_, usage_of_stream());
    if (broken_) co_return unreadable(*broken_, usage_of_stream());
    tell_calls();
    note_pace(true);
    way_.services.health.succeeded(provider_.id);
    note_model_answered();
    co_return Next::ready;
}

// The headers say who answers, and what is different from what was asked. Where they have gone out before anybody did,
// the stream says it.
void Attempt::begin_answer(std::string& bytes) {
    if (told_who_) return;
    if (!way_.exchange.started()) {
        way_.exchange.start(200, way_.answer_headers(*this, way_.stream_type()));
        way_.told_all();
        told_who_ = true;
    } else {
        told_who_ = joins_ || way_.tell_in_stream(*this, bytes);
    }
}

net::Task<Next> Attempt::give_stream() {
    auto& exchange = way_.exchange;
    // What came with the end is for the last bytes.
    while (!over_) {
        if (auto bytes = relay_->take(); !bytes.empty()) {
            if (!way_.cache.request.empty() && way_.cache.given.size() < cache::AnswerCache::kLargest)
                way_.cache.given += bytes;
            begin_answer(bytes);
            co_await exchange.write(std::move(bytes));
        }
        co_await read_on();
        if (!cancel_.fired()) continue;
        record.error = way_.who_ended();
        record.code = name_of(Fault::client_gone);
        finish(Ending::cancelled, usage_of_stream(), relay_->told());
        way_.record_unwatched();
        co_return Next::done;
    }
    tell_malformed(relay_->malformed());
    tell_unsaid(relay_->unsaid());
    tell_calls();
    const auto used = usage_of_stream();
    if (broken_) {
        broken_->code = code_for_client(broken_->code);
        record.error = way_.recordable(broken_->message, broken_->code == ErrorCode::policy ? 0 : record.status);
        record.code = broken_->code.name();
        settle(used, "cut");
        const bool cut_short = broken_->code == ErrorCode::timeout && way_.client_is_late();
        if (broken_->code != ErrorCode::policy && broken_->code != ErrorCode::unavailable && !cut_short)
            way_.services.health.failed(provider_.id, record.error);
        co_return Next::cut;
    }
    if (better_ != nullptr)
        if (auto doubt = co_await doubt_after_sample(relay_->told()); !doubt.reason.empty())
            co_return escalate(relay_->told(), std::move(doubt), used, [&] {
                auto bytes = relay_->take();
                return Spare{bytes + relay_->finish(used.usage), true, {}};
            });
    finish(Ending::answered, used, relay_->told());
    std::string rest = relay_->finish(way_.history.before + record.usage);
    auto receipt = co_await way_.close_with(relay_->response(), *this);
    if (!receipt && !exchange.started()) {
        co_await way_.refuse(receipt.error());
        co_return Next::done;
    }
    if (!receipt) {
        co_await exchange.write(relay_->fail(receipt.error()));
        co_return Next::done;
    }
    if (!way_.cache.request.empty() && !relay_->spent())
        way_.keep_answer(*this, way_.cache.given + rest, way_.stream_type(), true);
    begin_answer(rest);
    way_.tell_more_in_stream(rest);
    co_await way_.last_bytes(std::move(*receipt), std::move(rest));
    co_return Next::done;
}

net::Task<> Attempt::break_off() {
    finish(Ending::cut, std::nullopt, relay_->told());
    auto last = relay_->fail(*broken_);
    // The record comes before the last byte here too. Where it cannot be written, the client gets its error all the
    // same.
    (void)co_await way_.close_with(relay_->response(), *this);
    co_await way_.exchange.write(std::move(last));
}

}  // namespace tandem::gateway
