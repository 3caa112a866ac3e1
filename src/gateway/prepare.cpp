#include "gateway/prepare.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "chat/estimate.h"
#include "gateway/ask.h"
#include "gateway/enrich.h"
#include "gateway/standing.h"
#include "gateway/weight.h"
#include "tools/loop.h"
#include "translate/betas.h"

namespace tandem::gateway {

namespace {

// A tool that is to be called has to be offered.
Result<> hold_tool_choice(const chat::Request& request) {
    using Choice = chat::ToolChoice::Kind;
    const auto& choice = request.tool_choice;
    if (request.tools.empty() && (choice.kind == Choice::required || choice.kind == Choice::named))
        return fail(Fault::invalid_parameter,
                    "tool_choice demands a call, and no tools are offered: send `tools`, or leave tool_choice out",
                    "tool_choice");
    if (choice.kind != Choice::named) return {};
    std::vector<std::string> names;
    for (const auto& tool : request.tools) {
        if (tool.kind != chat::Tool::Kind::function || !tool.space.empty() || tool.name == choice.name) return {};
        names.push_back(printable(tool.name, 80));
    }
    return fail(
        Fault::invalid_parameter,
        fmt::format("tool_choice names '{}', and the tools are {}", printable(choice.name, 80), join(names, ", ")),
        "tool_choice");
}

}  // namespace

// The parts of a label that need no detector.
privacy::Labelled label_by_source(const access::Principal& who, const std::string& alias, Label asked,
                                  const privacy::LabelMemory::Recalled& remembered) {
    privacy::Labelled labelled;
    labelled.raise(who.label, fmt::format("key {}", who.id()));
    if (alias == "private") labelled.raise(Label::private_, "alias private");
    labelled.raise(asked, "header x-tandem-label");
    labelled.recall(remembered.known, remembered.why);
    return labelled;
}

void bound_answer(bool is_bound, const config::Policy& policy, const chat::Request& request,
                  routing::Features& features) {
    if (!is_bound) return;
    // Thoughts that the client wants count too, and providers refuse a bound that leaves no room behind them.
    features.bound_tokens =
        saturating_sum(policy.answer_bound, std::max<std::int64_t>(0, request.thinking.budget_tokens.value_or(0)));
    features.reserves_most = policy.unbounded == config::Unbounded::reserve;
}

void label_by_floor(const privacy::LabelMemory::Recalled& remembered, privacy::Labelled& labelled) {
    labelled.raise(remembered.floor.label, "the label memory of this key is full");
}

routing::Inputs inputs_of(const access::Principal& who, const chat::Request& request, privacy::Labelled labelled,
                          const access::RequestHeaders& asked, int repeats) {
    routing::Inputs inputs;
    inputs.alias = request.model;
    inputs.key = who.id();
    inputs.workflow = asked.workflow;
    inputs.label = labelled.label;
    inputs.rest = labelled.rest;
    inputs.found = labelled.found;
    inputs.label_reasons = std::move(labelled.reasons);
    inputs.stakes = who.high_value ? config::Stakes::high : asked.stakes;
    inputs.features = routing::features_of(request);
    inputs.features.repeats = repeats;
    return inputs;
}

net::Task<Result<const Decided*>> Preparation::run() {
    const auto size = exchange_.request().body.size();
    if (auto entered = way_.enter(); !entered) co_return fail(entered.error());
    large_ = size > kLargeBody;
    auto ok = co_await away_if_large([this] { return decode_question(); });
    if (ok) ok = co_await add_context();
    if (ok) ok = co_await away_if_large([this] { return label_question(); });
    if (ok) ok = way_.enter_alias();
    if (!ok) co_return fail(ok.error());
    if (!way_.config.policy.objective.embedding.empty()) co_await look_at_meaning();
    ok = co_await away_if_large([this] { return decide(std::move(labelled_)); });
    if (ok) ok = co_await wait_for_budget();
    if (ok) ok = co_await away_if_large([this] { return note_label(); });
    if (!ok) co_return fail(ok.error());
    co_return &decided();
}

// On the pool where the body is large, so that nobody else waits for it.
net::Task<Result<>> Preparation::away_if_large(std::function<Result<>()> work) {
    if (!large_) co_return work();
    co_return co_await net::run_on<Result<>>(services_.scans, way_.who.id(), std::move(work));
}

Result<> Preparation::decode_question() {
    auto& question = way_.question;
    // The document keeps the body itself; nobody else has a copy of it.
    if (auto ok = question.document.take(std::move(exchange_.request().body)); !ok) return ok;
    if (auto ok = decode(question); !ok) return ok;
    const auto& who = way_.who;
    if (const auto speaks = dialect::name_of(question.front.kind); !who.may_speak(speaks))
        return fail(Fault::api_not_allowed,
                    fmt::format("the key '{}' may speak {}, and this is {}; the owner sets `dialects` of the key",
                                who.id(), join(who.dialects, ", "), speaks));
    way_.look_up_name();
    if (!routing::may_use(who, way_.snapshot->table, request().model))
        return fail(Fault::model_not_allowed,
                    fmt::format("the key '{}' may not use '{}'{}", who.id(), printable(request().model, 80),
                                suggest(request().model, who.aliases)),
                    "model");
    if (auto ok = hold_tool_choice(request()); !ok) return ok;
    return look_for_loop();
}

// ---- what the owner's files say to it ----

// Nothing that Tandem itself asks is looked up in them.
net::Task<Result<>> Preparation::add_context() {
    if (way_.keeping.aside) co_return Result<>{};
    const bool ruled = std::ranges::any_of(way_.config.policy.rules, [](const auto& r) { return !r.context.empty(); });
    const auto wish = context_wish(way_, nullptr);
    if (wish.collections.empty() && !ruled) co_return Result<>{};
    if (way_.question.front.operation == translate::Operation::chat) co_return co_await add_context(ruled);
    // A client that sends the header with all that it asks counts tokens too, and makes embeddings.
    if (wish.demanded && way_.question.front.operation == translate::Operation::completion)
        co_return fail(Fault::unsupported_demand,
                       "x-tandem-context: a completion has no question that could be looked for in files; ask "
                       "/v1/chat/completions",
                       "x-tandem-context");
    if (wish.demanded && way_.question.front.operation != translate::Operation::count)
        way_.warn("x-tandem-context was not used: only what is asked in a conversation is looked for in files");
    co_return Result<>{};
}

net::Task<Result<>> Preparation::add_context(bool ruled) {
    // What is remembered of the conversation is known by what its client says.
    way_.identify();
    routing::Inputs inputs;
    if (auto ok = co_await away_if_large([this, &inputs]() -> Result<> {
            inputs = inputs_as_asked();
            return {};
        });
        !ok)
        co_return ok;
    const auto* const rule = routing::rule_of(way_.snapshot->table, inputs);
    auto wish = context_wish(way_, ruled ? rule : nullptr);
    const bool aside = inputs.features.work.aside && !wish.demanded;
    if (aside) about_ = wish.collections;
    if (wish.collections.empty() || aside || trim(question_for_files(request())).empty()) co_return Result<>{};
    const bool outward = rule != nullptr && rule->outward_tools;
    auto context = co_await enrich(way_, std::move(wish), std::move(inputs), outward);
    if (!context) co_return fail(context.error());
    way_.context = std::move(*context);
    if (!way_.context->left_out.empty())
        way_.warn(
            fmt::format("{} was left out: a turn that holds text of files may not reach out of this request, "
                        "unless the owner's rule says `outward_tools: true`",
                        join(way_.context->left_out, ", ")));
    const auto size = way_.question.document.source().size();
    large_ = size > kLargeBody;
    if (auto room = way_.memory_.grow(weight_of(way_.question.document.source())); !room) co_return fail(room.error());
    co_return Result<>{};
}

// What the decision would know of the request without what is found for it.
routing::Inputs Preparation::inputs_as_asked() {
    return inputs_of(way_.who, request(), label_by_all(), way_.asked, 0);
}

// ---- its label ----

privacy::Labelled Preparation::label_by_all() {
    auto& memory = services_.privacy.memory();
    if (!memory.empty()) way_.identify();
    recalled_ = memory.recall(way_.identity(), way_.who.id());
    auto found = label_by_source(way_.who, way_.alias(), way_.asked.label, recalled_);
    found.raise(way_.keeping.label, way_.keeping.label_reason);
    if (way_.context)
        for (const auto& one : way_.context->passages)
            found.raise(one.collections_label, fmt::format("the collection {}", one.collection));
    for (const auto& name : about_) {
        const auto one = std::ranges::find(way_.config.retrieval.collections, name, &config::Collection::name);
        // One that tandem.yaml does not have is as private as can be by default.
        found.raise(one == way_.config.retrieval.collections.end() ? Label::private_ : one->label,
                    fmt::format("the collection {}, in which this conversation's questions are looked for", name));
    }
    privacy::label_by_content(*way_.snapshot->detector, way_.question.document, way_.config.privacy.detect, found,
                              released_content());
    // What detectors saw in the whole file they may not see in a piece of it: then it cannot be taken out either.
    if (way_.context)
        for (const auto& one : way_.context->passages)
            if (one.label > found.label)
                found.raise(one.label, fmt::format("a file of the collection {}", one.collection));
    return found;
}

Result<> Preparation::label_question() {
    const auto& who = way_.who;
    auto& found = labelled_.found_;
    found = label_by_all();
    read_betas();
    labelled_.of_itself_ = {found.label, found.rest};
    label_by_floor(recalled_, found);
    if (who.most && found.label > *who.most)
        return fail(Fault::label_not_allowed,
                    fmt::format("this is {} ({}), and the key '{}' may send what is {} at most; the owner sets "
                                "`most` of the key",
                                name_of(found.label),
                                found.reasons.empty() ? std::string("by its source") : found.reasons.front(), who.id(),
                                name_of(*who.most)));
    if (labelled_.of_itself().label == Label::public_ && !way_.identity().prefixes.empty())
        services_.privacy.memory().note_public(way_.identity(), who.id());
    return {};
}

// A model that goes round in circles does so until somebody tells it, or its client, to stop.
Result<> Preparation::look_for_loop() {
    const auto loop = tools::loop_of(request());
    if (!loop) return {};
    auto text = fmt::format("the last {} turns made the same call of '{}' and got the same result", loop->turns,
                            printable(loop->name));
    if (way_.config.policy.loops == config::Loops::stop)
        return fail(Fault::invalid, text + "; say something else, or set policy.loops: warn in tandem.yaml");
    way_.warn(text + ": the model may be going round in circles");
    return {};
}

privacy::ReleasedContent Preparation::released_content() const {
    return {services_.privacy.vault().keys(), recalled_.released};
}

// What a client asks for in a header leaves beside the body, so detectors look at it as well.
void Preparation::read_betas() {
    if (!way_.client_dialect().has_betas()) return;
    auto betas = translate::betas_of(exchange_.request().headers);
    if (betas.said.empty()) return;
    privacy::label_by_header(*way_.snapshot->detector, betas.said, way_.config.privacy.detect, labelled_.found_);
    if (betas.left_out > 0)
        way_.warn(
            fmt::format("anthropic-beta: {} values were left out, since no beta has such a name: words and a "
                        "date, and at most {}",
                        betas.left_out, translate::kMostBetas));
    labelled_.betas_ = std::move(betas.known);
}

Result<> Preparation::decide(Labelled&& labelled) {
    way_.id = way_.keeping.decision.text().empty() ? DecisionId::make(services_.clock, services_.random)
                                                   : way_.keeping.decision;
    leaves_ = std::move(labelled.found_.leaves);
    const auto& asked = way_.asked_request();
    auto inputs = inputs_of(way_.who, asked, std::move(labelled.found_), way_.asked, services_.repeats.count(asked));
    if (way_.context) count_context(inputs);
    need(inputs.features);
    inputs.features.price = prices::asked_in(way_.question.document.root(), unix_ms(services_.clock.wall()));
    const bool text = translate::answers_in_text(way_.question.front.operation);
    if (text) bound_answer(services_.budgets.bind(way_.who), way_.config.policy, request(), inputs.features);
    learning::Learning::Place place;
    if (way_.config.policy.objective.learn && text) {
        place = services_.learning.place(
            asked, way_.who.id(), !way_.keeping.aside, routing::is_choice(way_.snapshot->table, request().model),
            inputs.features.work.kind, routing::expectations(way_.snapshot->table, inputs.features),
            std::move(meaning_));
        inputs.outlook = place.outlook;
        inputs.usual = place.usual;
        // Nothing of what is secret is kept, not even which words it has.
        if (inputs.label == Label::secret) place.learns = false;
    }
    if (services_.trials.any() && !way_.keeping.aside && !way_.keeping.batch && text)
        inputs.assigned = services_.trials.assign(way_.alias(), way_.unit());
    if (way_.snapshot->table.objective.explore > 0)
        inputs.dice = static_cast<double>(services_.random.next() % 1'000'000) / 1e6;
    Decided next(std::move(labelled), std::move(place));
    if (auto ok = choose(next, std::move(inputs)); !ok) return ok;
    way_.decided_.emplace(std::move(next));
    return {};
}

// What it asks for is what its client wrote; how long it is, what is sent.
void Preparation::count_context(routing::Inputs& inputs) const {
    inputs.features.prompt_tokens = chat::estimate_prompt(request()).count;
    inputs.features.most_tokens = chat::most_prompt(request()).count;
    inputs.context = way_.context->record();
}

Result<> Preparation::choose(Decided& decided, routing::Inputs inputs) {
    inputs.standing = standing_of(services_, *way_.snapshot, way_.who, inputs, way_.named);
    auto choice = decide_now(services_, *way_.snapshot, way_.named, inputs);
    if (!choice) return fail(choice.error());
    queued_ = choice->queued;
    decided.inputs_ = std::make_shared<const routing::Inputs>(std::move(inputs));
    decided.decision_ = std::make_shared<const routing::Decision>(std::move(choice->decision));
    decided.last_resort_ = std::move(choice->last_resort);
    way_.passed_over_ = passed_over(way_.snapshot->table, decided.inputs(), decided.decision());
    return {};
}

// Until the budget that wants it to wait has room, or there is no point in waiting any longer.
net::Task<Result<>> Preparation::wait_for_budget() {
    constexpr milliseconds kLookAgain{1'000};  // a window may end without an event
    const auto begun = services_.clock.steady();
    waits_ = waits_ || queued_;
    while (queued_) {
        const auto seen = services_.budgets.settled().count();
        const auto error = refusal_of(services_, *way_.snapshot, way_.who, decided().inputs(), decided().decision());
        const auto now = services_.clock.steady();
        const seconds wait(error.again_in.value_or(0));
        const bool in_time = wait <= seconds(ledger::Budgets::kGuess) || now + wait < way_.deadline.at;
        if (error.certain || way_.late() || !in_time) break;
        // What ends when a window does would hold the stop up.
        if (services_.stopping)
            co_return fail(Fault::server_stopping, "the server is stopping; ask again when it is back");
        co_await services_.budgets.settled().wait(seen, exchange_.worker().context(), kLookAgain, exchange_.cancel());
        if (exchange_.cancel().fired()) break;
        if (auto ok = choose(decided(), decided().inputs()); !ok) co_return ok;
    }
    const auto waited = std::chrono::duration_cast<milliseconds>(services_.clock.steady() - begun);
    if (waited >= milliseconds(100)) way_.warn(fmt::format("it waited {} ms for room in a budget", waited.count()));
    co_return Result<>{};
}

// Another request took the room that there was when this one was decided on, and nobody was asked: it is decided on
// anew, without the warnings behind the first so many, and waits again where its budget wants that. Whether
// somebody may take it.
net::Task<bool> Preparation::decide_anew(std::size_t warnings) {
    constexpr milliseconds kAfterRace{50};  // so that those who were woken together do not all try again at once
    if (!lost_room() || way_.late() || !way_.forget_skipped()) co_return false;
    ++races_;
    way_.forget_warnings(warnings);
    if (waits_) co_await net::sleep_for(exchange_.worker().context(), kAfterRace, exchange_.cancel());
    if (exchange_.cancel().fired() || !choose(decided(), decided().inputs())) co_return false;
    if (auto ok = co_await wait_for_budget(); !ok) co_return false;
    if (decided().decision().eligible == 0)
        way_.history.last.error =
            refusal_of(services_, *way_.snapshot, way_.who, decided().inputs(), decided().decision());
    co_return decided().decision().eligible > 0;
}

// The last attempt had no room in a budget, and it may be decided on anew.
bool Preparation::lost_room() const {
    constexpr int kMostRaces = 3;  // of a request that does not wait
    const auto& error = way_.history.last.error;
    return error.code == ErrorCode::over_budget && !error.certain && (waits_ || races_ < kMostRaces);
}

Result<> Preparation::note_label() {
    if (decided().inputs().label > Label::public_) way_.identify();
    way_.remember(services_.privacy.memory().remember(way_.identity(), decided().labelled().of_itself(),
                                                      {.key = way_.who.id(),
                                                       .decision = way_.id.text(),
                                                       .response = way_.keeping.id,
                                                       .from = way_.keeping.from,
                                                       .leaves = std::move(leaves_),
                                                       .refused = decided().decision().eligible == 0}));
    return {};
}

// What a model must have for other work than to answer.
void Preparation::need(routing::Features& features) const {
    const auto operation = way_.question.front.operation;
    if (operation != translate::Operation::embed && operation != translate::Operation::rerank) return;
    features.needs = {};
    features.needs.add(operation == translate::Operation::embed ? config::Capability::embeddings
                                                                : config::Capability::rerank);
    features.answer_tokens = 1;
    features.choices = 1;
    // The texts are looked at one by one: the longest must fit, and all of them are paid. Reranking reads the
    // query, which is the last of them, with each.
    constexpr std::int64_t kFrame = 4;  // of each text, at most
    const auto count = static_cast<std::int64_t>(request().messages.size());
    std::int64_t longest = 0, last = 0, all = 0, most = 0, last_most = 0;
    for (const auto& message : request().messages) {
        const auto text = chat::text_of(message.parts);
        last = chat::estimate_tokens(text).count;
        last_most = chat::most_tokens(text).count + kFrame;
        longest = std::max(longest, last);
        all = saturating_sum(all, last);
        most = saturating_sum(most, last_most);
    }
    if (operation == translate::Operation::rerank) {
        all = saturating_sum(all, last * count);
        most = saturating_sum(most, last_most * count);
    }
    features.prompt_tokens = longest;
    features.all_tokens = all;
    features.most_tokens = most;
}

// ---- what the last turn means ----

// Made once for each model. The part of Tandem that asks pays for it, and is named in the ledger.
net::Task<Result<std::vector<float>>> Preparation::embed(const std::string& model, access::Part part, Label label) {
    if (embedded_by_ == model) co_return embedded_;
    const auto who = access::Principal::internal(part);
    auto vector = co_await gateway::embed(
        way_.gateway, exchange_.worker(), who, model,
        {chat::last_user_text(way_.asked_request()), label, fmt::format("a question for the {}", who.id())},
        exchange_.cancel());
    if (!vector) co_return vector;
    embedded_by_ = model;
    embedded_ = *vector;
    co_return vector;
}
// For those who choose between models by what they have learned. Without it, they go by its words.
net::Task<> Preparation::look_at_meaning() {
    const auto& objective = way_.config.policy.objective;
    if (!translate::answers_in_text(way_.question.front.operation) || !objective.learn || way_.keeping.aside ||
        labelled_.label() == Label::secret || !routing::is_choice(way_.snapshot->table, request().model) ||
        trim(chat::last_user_text(way_.asked_request())).empty())
        co_return;
    const auto vector = co_await embed(objective.embedding, access::Part::learning, labelled_.label());
    if (vector)
        meaning_ = learning::meaning_of(*vector);
    else
        way_.warn("what it means was not looked at: " + vector.error().message);
}

}  // namespace tandem::gateway
