#include "gateway/way.h"

#include <fmt/format.h>

#include <algorithm>

#include "access/origin.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "chat/answer.h"
#include "chat/cite_filter.h"
#include "chat/told.h"
#include "dialect/openai_chat.h"
#include "gateway/detached.h"
#include "gateway/weight.h"
#include "privacy/guard.h"

namespace tandem::gateway {

store::Store::Job both(store::Store::Job first, store::Store::Job second) {
    if (!first) return second;
    if (!second) return first;
    return [first = std::move(first), second = std::move(second)](store::Database& database) -> Result<> {
        if (auto ok = first(database); !ok) return ok;
        return second(database);
    };
}

Way::Way(Gateway& gateway, Call call, translate::Front front, Keeping keeping)
    : gateway(gateway),
      services(gateway.services()),
      pulse(call.exchange, services.clock),
      exchange(pulse),
      snapshot(std::move(call.snapshot)),
      config(*snapshot->config),
      who(std::move(call.who)),
      asked(std::move(call.said)),
      keeping(std::move(keeping)),
      arrived(services.clock.steady()),
      deadline{arrived + config.server.request_timeout},
      detached_(dynamic_cast<const Detached*>(&call.exchange) != nullptr),
      admission_(std::move(call.admission)) {
    if (asked.timeout && arrived + *asked.timeout < deadline.at) deadline = {arrived + *asked.timeout, true};
    for (const auto& warning : asked.warnings) warn(warning);
    question.front = front;
    question.path = exchange.request().path;
    question.array = client_dialect().streams_array(exchange.request().parameter("alt"));
}

// For the log, in the words of the config: what a client writes for a `*` is not named, nor an alias that nobody has.
Way::~Way() {
    auto* const note = dynamic_cast<RequestNote*>(exchange.request().note.get());
    if (note == nullptr) return;
    note->decision = id.text();
    if (decided_) note->alias = named.entry;
    note->model = in_log(model_);
    note->provider = std::move(provider_);
    note->zone = zone_;
    if (!note->decision.empty()) note->label = label();
    note->attempts = begun_ - skipped_;
    note->cached = cached_;
    note->fallbacks = history.fallbacks;
    note->beating = pulse.beating();
    note->redacted = std::move(taken_out_);
    note->usage = used_;
    note->cost = spent_;
}

Result<> Way::enter() {
    if (!admission_) {
        auto admission = services.budgets.admit(who);
        if (!admission) return fail(admission.error());
        admission_ = std::make_shared<const ledger::Admission>(std::move(*admission));
    }
    const auto weight = weight_of(exchange.request().body);
    auto taken = services.memory.take(MemoryKind::document, who.id(), weight, is_small(weight));
    if (!taken) return fail(taken.error());
    memory_ = std::move(*taken);
    return {};
}

Result<> Way::enter_alias() {
    auto admission = services.budgets.admit_alias(request().model);
    if (!admission) return fail(admission.error());
    alias_admission_ = std::move(*admission);
    return {};
}

void Way::add(ledger::AttemptRecord record) {
    used_ = used_ + record.usage;
    spent_ += record.cost;
    if (record.outcome == "skipped") ++skipped_;
    cached_ = cached_ || record.outcome == "cached";
    if (cached_ || record.outcome == "answered" || record.outcome == "cut" || record.outcome == "cancelled") {
        model_ = record.model;
        provider_ = record.provider;
        zone_ = record.zone;
    }
    if (record.outcome == "cut")
        log::Line(log::Level::warning, "an answer broke off")
            .add("decision", id.text())
            .add("key", record.key)
            .add("model", in_log(record.model))
            .add("provider", record.provider)
            .add("attempt", record.number);
    attempts_.push_back(std::move(record));
}

bool Way::forget_skipped() {
    if (!nobody_asked()) return false;
    begun_ = skipped_ = 0;
    told_ = 0;  // who is passed over then is another matter
    attempts_.clear();
    history.failures.clear();
    history.last = {};
    history.last_asked = {};
    return true;
}

void Way::identify() {
    if (!identity_.prefixes.empty()) return;
    const auto& name = asked.conversation;
    identity_ = privacy::identify(asked_request(), name.empty() ? "" : who.id() + "\n" + name);
}

void Way::look_up_name() {
    auto known = routing::named(snapshot->table, request().model);
    if (!known) return;
    named = std::move(*known);
    if (named.by_pattern && named.rest.empty())
        warn(fmt::format("no model here is called '{}': the alias '{}' stands for it{}", printable(request().model, 80),
                         named.entry, named.means == named.entry ? "" : fmt::format(" and means {}", named.means)));
}

config::Model Way::model_of(const routing::Candidate& candidate) const {
    auto model = *config.model(candidate.model);
    if (candidate.model == named.entry) model.name = routing::provider_name(model.name, named.rest);
    if (const auto* entry = snapshot->table.find(candidate.model); entry != nullptr && entry->renders_tools)
        model.render_tools = *entry->renders_tools;
    return model;
}

const config::FailurePolicy& Way::failure_policy() const {
    for (const auto& name : {named.entry, alias()})
        if (const auto* owned = config.alias(name); owned != nullptr && owned->failure) return *owned->failure;
    for (const auto& rule : config.policy.rules)
        if (rule.failure && decided_ && rule.name == decided_->decision().rule) return *rule.failure;
    return config.policy.failure;
}

bool Way::runs_tools() const {
    return translate::offers_hosted_tools(request());
}

ledger::AttemptRecord Way::new_attempt(const Decided& decided, const std::string& provider, const std::string& model,
                                       Zone zone) {
    ledger::AttemptRecord record;
    record.decision = id;
    record.number = ++begun_;
    record.time = unix_ms(services.clock.wall());
    record.key = who.id();
    record.provider = provider;
    record.model = model;
    record.zone = zone;
    record.team = who.team();
    record.owner = who.owner();
    record.workflow = asked.workflow;
    record.alias = request().model;
    record.label = decided.inputs().label;
    record.work = routing::kWorkKindNames[static_cast<std::size_t>(decided.inputs().features.work.kind)];
    return record;
}

void Way::tell(std::string text) {
    if (std::ranges::find(warnings_, text) == warnings_.end()) warnings_.push_back(std::move(text));
}

void Way::tell_failed(const std::string& model, bool was_asked, const std::string& why) {
    auto one =
        std::ranges::find_if(told_failed_, [&](const Failed& f) { return f.was_asked == was_asked && f.why == why; });
    if (one == told_failed_.end()) one = told_failed_.insert(one, {was_asked, why, {}, {}});
    if (std::ranges::find(one->models, model) == one->models.end()) one->models.push_back(model);
    const auto* verb = was_asked ? "failed" : one->models.size() == 1 ? "was not asked" : "were not asked";
    // Why its provider is left alone ends with what was told of those that failed there.
    std::string_view told_why = why;
    for (const auto& other : told_failed_)
        if (!was_asked && other.was_asked && told_why.ends_with(": " + other.why))
            told_why.remove_suffix(other.why.size() + 2);
    auto text = fmt::format("{} {}: {}", join(one->models, ", "), verb, told_why);
    const auto before = one->text.empty() ? warnings_.end() : std::ranges::find(warnings_, one->text);
    one->text = text;
    if (before == warnings_.end())
        tell(std::move(text));
    else
        *before = std::move(text);
}

void Way::warn(std::string text) {
    if (std::ranges::find(warnings_, text) != warnings_.end()) return;
    unrecorded_.push_back(text);
    tell(std::move(text));
}

void Way::tell_passed_over(std::size_t place) {
    std::vector<std::pair<std::string, std::string>> reasons;  // of each model
    for (; told_ < passed_over_.size() && passed_over_[told_].before <= place; ++told_) {
        const auto& one = passed_over_[told_];
        reasons.emplace_back(one.model, one.reason);
        if (one.what == routing::Excluded::budget && decided_)
            tell_no_room(services, *snapshot, who, decided_->inputs(), decided_->decision(), one.model);
        log::Line(log::Level::info, "a model was not asked")
            .add("decision", id.text())
            .add("key", who.id())
            .add("model", in_log(one.model))
            .add("provider", one.provider)
            .add("why", one.what == routing::Excluded::budget ? "budget" : "health");
    }
    for (const auto& [models, why] : grouped_by_reason(reasons))
        warn(fmt::format("{} {} not asked: {}", join(models, ", "), models.size() == 1 ? "was" : "were", why));
}

void Way::pass_over(std::size_t place, std::string why) {
    const auto& candidate = decided_->candidates()[place];
    auto at = told_;
    while (at < passed_over_.size() && passed_over_[at].before <= place) ++at;
    passed_over_.insert(passed_over_.begin() + static_cast<std::ptrdiff_t>(at),
                        {candidate.model, candidate.provider, routing::Excluded::health, std::move(why), place});
}

// ---- redaction ----

Result<std::shared_ptr<const Redacted>> Way::redacted_for(Zone zone) {
    auto& made = redacted_[static_cast<std::size_t>(zone)];
    if (made) return made;
    auto fresh = redacted(question, zone);
    if (fresh) made = *fresh;
    return fresh;
}

Result<std::shared_ptr<const Redacted>> Way::redacted(const translate::Question& whole, Zone zone) {
    if (auto room = memory_.grow(redacted_weight_of(whole.document.source())); !room) return fail(room.error());
    auto& vault = services.privacy.vault();
    auto scope = vault.scope_of(who.id(), conversation_name());
    if (!scope) return fail(scope.error());
    const auto known = vault.entries(*scope);
    if (!known) return fail(known.error());
    const auto& rules = config.privacy;
    auto redaction = privacy::redact(whole.document, *snapshot->detector,
                                     {rules.detect, rules.treatments[static_cast<std::size_t>(zone)], rules.realistic},
                                     *known, *vault.keys());
    if (!redaction) return fail(redaction.error());
    auto result = std::make_shared<Redacted>();
    result->redaction = std::move(*redaction);
    result->question.front = whole.front;
    result->question.path = whole.path;
    result->question.array = whole.array;
    if (auto ok = result->question.document.parse(result->redaction.body); !ok) return fail(ok.error());
    if (auto ok = decode(result->question); !ok) return fail(ok.error());
    result->stands = std::make_shared<privacy::Stands>(result->redaction.used);
    taken_out_ = result->redaction.summary();
    remember(vault.keep(*scope, result->redaction.fresh, rules.vault_keeps));
    return result;
}

std::string Way::conversation_name() {
    if (!asked.conversation.empty()) return "id\n" + asked.conversation;
    identify();
    const auto& messages = asked_request().messages;
    const auto first = std::ranges::find_if(messages, [](const auto& m) { return m.role == chat::Role::user; });
    const auto at = first == messages.end() ? 0 : static_cast<std::size_t>(first - messages.begin());
    return identity_.prefixes.empty() ? "" : std::to_string(identity_.prefixes[at]);
}

void Way::remember_answer(const Served& served, const chat::Told& told) {
    const auto& text = told.text;
    const privacy::Known known{of_itself().label,
                               served.sent && !history.part_of_whole ? of_itself().rest : of_itself().label};
    auto& memory = services.privacy.memory();
    // An answer that calls tools is not told apart by its text.
    if (told.calls.empty() && is_short()) {
        identify();
        remember(memory.remember_short(identity_, text, known, who.id()));
    }
    if (of_itself().label == Label::public_) {
        remember(memory.remember_public_answer(text, who.id()));
        return;
    }
    const auto* keys = services.privacy.vault().keys();
    // A client may send it back without the list of its sources.
    if (const auto bare = chat::without_list(text); context != nullptr && bare.size() < text.size())
        remember(memory.remember_answer(privacy::piece_of_answer(bare), 0, known, who.id(), id.text()));
    remember(memory.remember_answer(privacy::piece_of_answer(text),
                                    keys == nullptr || text.empty() ? 0 : privacy::leaf_digest(*keys, text), known,
                                    who.id(), id.text()));
}

bool Way::is_short() const {
    constexpr std::size_t kMost = 2 * privacy::kShortestMark;  // with its blanks
    std::size_t bytes = 0;
    for (const auto& message : asked_request().messages) {
        if (message.role == chat::Role::system || message.role == chat::Role::developer) continue;
        for (const auto& part : message.parts)
            if (const auto* text = part.as<chat::TextPart>(); text != nullptr && (bytes += text->text.size()) > kMost)
                return false;
    }
    return true;
}

bool Way::needs_words() const {
    const auto listens = [](const AnswerObserver* observer) { return observer->listens(); };
    return label() > Label::public_ || (decided_ && decided_->place().learns) ||
           std::ranges::any_of(services.observers, listens) || is_short() || !services.privacy.memory().empty();
}

AnswerFinished Way::finished(Ending how, const Served& served, const std::string& model, const chat::Told& told) {
    return {how,
            gateway,
            exchange.worker(),
            request(),
            alias(),
            decided_->decision(),
            label(),
            served.record,
            model,
            told,
            {},
            false,
            false,
            keeping.aside,
            context != nullptr,
            [this] { return unit(); }};
}

void Way::publish(const Served& served, const AnswerFinished& finished) {
    // What nobody gets is nobody's to send back.
    if (finished.how != Ending::escalated) remember_answer(served, finished.told);
    for (auto* observer : services.observers)
        if (observer->listens()) remember(observer->finished(finished));
}

void Way::remember_whole_was_seen() {
    remember(services.privacy.memory().remember(identity_, {of_itself().label, of_itself().label}, {.key = who.id()}));
}

// ---- records ----

store::Store::Job Way::pending_records() {
    auto memory = both(std::exchange(remember_, {}), std::exchange(keep_, {}));
    store::Store::Job made;
    if (!decision_recorded_ && decided_) {
        decision_recorded_ = true;
        // Its JSON is made on the ledger's thread: this one has requests to serve.
        made = [id = id, time = unix_ms(services.clock.wall()), snapshot = snapshot, inputs = decided_->shared_inputs(),
                decision = decided_->shared_decision()](store::Database& database) {
            return ledger::insert(
                database, {id, time, inputs->key, inputs->alias, inputs->label, decision->rule, snapshot->table_id,
                           routing::to_json(*inputs), routing::to_json(*decision)});
        };
    }
    return both(std::move(memory), std::move(made));
}

net::Task<Result<ledger::Receipt>> Way::close_record() {
    co_return co_await net::wait_for<Result<ledger::Receipt>>([&](auto resume) {
        services.ledger.close(std::exchange(attempts_, {}), pending_records(), std::move(resume));
    });
}

net::Task<Result<ledger::Receipt>> Way::close_with(const std::string& response, const Served& served) {
    keep_response(response, served);
    co_return co_await close_record();
}

Label Way::label_of_answer(const Served& served) const {
    return served.sent && !history.part_of_whole ? decided_->inputs().rest : label();
}

void Way::keep_response(const std::string& response, const Served& served) {
    if (keeping.keep && !response.empty()) keep_ = keeping.keep(response, label_of_answer(served), id);
}

void Way::record_unwatched() {
    services.ledger.close_unwatched(std::exchange(attempts_, {}), pending_records());
}

std::string Way::recordable(std::string_view message, int status) const {
    if (status != 0 && label() >= Label::private_)
        return fmt::format("answered with status {}; its words are not written down, since the content is {}", status,
                           name_of(label()));
    return privacy::scrubbed(*snapshot->detector, config.privacy.detect, message);
}

// ---- the answer ----

net::Fields Way::answer_headers(const Served& served, std::string_view type) const {
    net::Fields headers;
    add_headers(type, headers);
    headers.add("x-tandem-model", served.record.model);
    headers.add("x-tandem-provider", served.record.provider);
    headers.add("x-tandem-zone", name_of(served.record.zone));
    if (served.sent) headers.add("x-tandem-redacted", served.sent->redaction.summary());
    return headers;
}

namespace {

// `member` as the first one of the first object in `bytes`.
bool put_first(std::string& bytes, std::string_view member) {
    const auto brace = bytes.find('{');
    if (brace == std::string::npos) return false;
    const auto next = bytes.find_first_not_of(" \t\r\n", brace + 1);
    const bool alone = next != std::string::npos && bytes[next] == '}';
    bytes.insert(brace + 1, fmt::format("{}{}", member, alone ? "" : ","));
    return true;
}

}  // namespace

bool Way::tell_in_stream(const Served& served, std::string& bytes) {
    const auto& record = served.record;
    const auto redacted = served.sent ? served.sent->redaction.summary() : std::string();
    const auto changes = header_text(join(warnings_, "; "));
    if (has_comments()) {
        std::string comment = fmt::format(": tandem: model={} provider={} zone={}", header_text(record.model),
                                          record.provider, name_of(record.zone));
        if (!redacted.empty()) comment += " redacted=" + redacted;
        if (!changes.empty()) comment += " warnings=" + changes;
        bytes.insert(0, comment + "\n\n");
        warnings_told_ = warnings_.size();
        return true;
    }
    json::Writer out;
    out.begin_object().member("model", record.model).member("provider", record.provider);
    out.member("zone", name_of(record.zone));
    if (!redacted.empty()) out.member("redacted", redacted);
    if (!changes.empty()) out.member("warnings", changes);
    out.end_object();
    if (!put_first(bytes, fmt::format("\"tandem\":{}", out.text()))) return false;
    warnings_told_ = warnings_.size();
    return true;
}

void Way::tell_more_in_stream(std::string& bytes) const {
    if (has_comments() || warnings_told_ >= warnings_.size()) return;  // comments say it where it happens
    json::Writer out;
    out.begin_object().member("warnings", header_text(join(std::span(warnings_).subspan(warnings_told_), "; ")));
    out.end_object();
    (void)put_first(bytes, fmt::format("\"tandem\":{}", out.text()));
}

bool Way::has_comments() const {
    return !question.array && client_dialect().has_comments();
}

void Way::add_headers(std::string_view type, net::Fields& headers) const {
    headers.add("content-type", type);
    headers.add("x-tandem-decision", id.text());
    headers.add("x-tandem-label", name_of(label()));
    if (context) headers.add("x-tandem-context", context->summary());
    if (!warnings_.empty()) headers.add("x-tandem-warnings", header_text(join(warnings_, "; ")));
    headers.add(client_dialect().id_header(), id.text());
    if (type == "text/event-stream") {
        headers.add("cache-control", "no-cache");
        headers.add("x-accel-buffering", "no");
    }
    access::add_cors(config.server, exchange.request().headers, headers);
}

void Way::begin_pulse() {
    if (!request().stream || detached_ || !translate::answers_in_text(question.front.operation)) return;
    pulse.begin(Pulse::kEvery, {[this] {
                                    net::Fields headers;
                                    add_headers(stream_type(), headers);
                                    return headers;
                                },
                                [this] { return client_dialect().beat(frame()); }});
}

std::string_view Way::stream_type() const {
    return question.array ? "application/json" : client_dialect().stream_type();
}

dialect::AnswerFrame Way::frame(const Served& served) const {
    dialect::AnswerFrame frame;
    frame.id = keeping.id.empty() ? std::string(id.tail()) : keeping.id;
    frame.model = served.record.model;
    frame.created = served.record.time / 1000;
    frame.now = [&services = services] { return services.unix_seconds(); };
    frame.prompt_tokens = decided_ ? decided_->inputs().features.prompt_tokens : 0;
    frame.request = &request();
    frame.array = question.array && request().stream;
    frame.generate = question.path == "/api/generate";
    frame.echo = keeping.echo;
    frame.own = keeping.own;
    return frame;
}

dialect::AnswerFrame Way::frame() const {
    Served nobody;
    nobody.record.model = request().model;
    nobody.record.time = unix_ms(services.clock.wall());
    return frame(nobody);
}

void Way::keep_answer(const Served& served, std::string body, std::string_view type, bool stream) {
    if (cache.request.empty()) return;
    const auto& by = served.record;
    services.cache.keep(
        cache.request,
        {std::move(body), std::string(type), stream, by.model, by.provider, by.zone, services.clock.steady()},
        config.cache.bytes);
    if (cache.meaning.known()) services.cache.keep_meaning(cache.request, std::move(cache.meaning));
}

net::Task<> Way::give(ledger::Receipt receipt, net::Fields headers, std::string body, bool stream) {
    if (stream) {
        if (!exchange.started()) exchange.start(200, std::move(headers));
        co_await last_bytes(std::move(receipt), std::move(body));
        co_return;
    }
    net::Response response;
    response.headers = std::move(headers);
    response.body = std::move(body);
    co_await last_byte(std::move(receipt), std::move(response));
}

net::Task<> Way::last_byte(ledger::Receipt, net::Response response) {
    co_await exchange.reply(std::move(response));
}

net::Task<> Way::last_bytes(ledger::Receipt, std::string bytes) {
    co_await exchange.finish(std::move(bytes));
}

net::Task<> Way::refuse_in_stream(const Error& error) {
    std::string bytes;
    const auto writer = question.front.operation == translate::Operation::completion
                            ? dialect::openai_chat::completion_writer(frame())
                            : client_dialect().writer(frame());
    writer->fail(error, bytes);
    co_await exchange.write(std::move(bytes));
}

net::Task<> Way::refuse(Error error, std::optional<seconds> retry_after) {
    if (auto* const note = dynamic_cast<RequestNote*>(exchange.request().note.get()))
        note->refused = error.code.fault();
    if (exchange.started()) {
        co_await refuse_in_stream(error);
        co_return;
    }
    auto response = error_response(question.front.kind, 0, error);
    if (retry_after && response.headers.has("retry-after")) {
        // The provider knows better than we do.
        net::Fields headers;
        response.headers.each([&](std::string_view name, std::string_view value) {
            headers.add(name, name == "retry-after" ? std::to_string(retry_after->count()) : std::string(value));
        });
        response.headers = std::move(headers);
    }
    if (!id.text().empty()) {
        response.headers.add("x-tandem-decision", id.text());
        response.headers.add("x-tandem-label", name_of(label()));
        response.headers.add(client_dialect().id_header(), id.text());
    }
    if (!warnings_.empty()) response.headers.add("x-tandem-warnings", header_text(join(warnings_, "; ")));
    access::add_cors(config.server, exchange.request().headers, response.headers);
    co_await exchange.reply(std::move(response));
}

}  // namespace tandem::gateway
