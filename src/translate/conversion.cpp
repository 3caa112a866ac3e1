#include "translate/conversion.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/json_mend.h"
#include "base/text.h"
#include "chat/estimate.h"
#include "chat/rendered_tools.h"
#include "chat/token_weights.h"
#include "dialect/failure.h"
#include "dialect/fields.h"
#include "dialect/gemini.h"
#include "dialect/members.h"
#include "dialect/openai_chat.h"
#include "dialect/openai_responses.h"
#include "dialect/own_words.h"
#include "dialect/tool_rules.h"
#include "net/ndjson.h"
#include "net/sse.h"
#include "translate/correction.h"

namespace tandem::translate {

namespace {

using dialect::Kind;
using dialect::Speaker;

// The texts of a request that is no conversation, as one: for labels, features and the memory of labels.
chat::Request as_messages(Kind kind, const std::string& model, const std::vector<std::string>& texts) {
    chat::Request request;
    request.dialect = name_of(kind);
    request.model = model;
    for (const auto& text : texts) request.messages.push_back({chat::Role::user, {{chat::TextPart{text}, {}}}, {}, {}});
    return request;
}

// How many messages, items, texts or parts a list holds, and lists in them.
std::size_t elements_of(const json::Value& list) {
    if (!list.is(json::Kind::array)) return 0;
    std::size_t count = 0;
    for (const json::Value one : list.children()) {
        ++count;
        for (const json::Value member : one.is(json::Kind::object) ? one.children() : json::Value().children())
            if (const auto key = member.key();
                key == "content" || key == "parts" || key == "images" || key == "tool_calls" || key == "output")
                count += elements_of(member);
    }
    return count;
}

// Before anything is made of them: each takes more memory than its bytes. Errors: too_large.
Result<> check_counts(const json::Document& document, Operation operation) {
    const auto root = document.root();
    const auto too_many = [](std::size_t count, std::string_view what, std::size_t most) {
        return fail(Fault::too_many_items,
                    fmt::format("the request has {} {}, and {} are the most that is taken", count, what, most));
    };
    // Texts to embed have a bound of their own.
    std::size_t messages = 0, all = 0;
    for (const auto* list : {"messages", "input", "contents", "documents"}) {
        if (operation == Operation::embed) break;
        messages += root[list].is(json::Kind::array) ? root[list].size() : 0;
        all += elements_of(root[list]);
    }
    if (messages > chat::kMostMessages) return too_many(messages, "messages", chat::kMostMessages);
    if (all - messages > chat::kMostParts) return too_many(all - messages, "parts of messages", chat::kMostParts);
    const auto tools = root["tools"].is(json::Kind::array) ? root["tools"].size() : 0;
    if (tools > chat::kMostTools) return too_many(tools, "tools", chat::kMostTools);
    return {};
}

// Thoughts of a provider of another dialect, which this one would not take back.
bool has_foreign_reasoning(const chat::Request& request) {
    for (const auto& message : request.messages)
        for (const auto& part : message.parts)
            if (const auto* reasoning = part.as<chat::ReasoningPart>();
                reasoning != nullptr && reasoning->dialect != request.dialect)
                return true;
    return false;
}

// Tools as OpenAI alone takes them in Responses: in namespaces, or among the items of the input.
bool has_tools_elsewhere(const Question& question) {
    for (const json::Value item : question.document.root()["input"].children())
        if (item["type"].text() == "additional_tools") return true;
    return std::ranges::any_of(question.request.tools, [](const chat::Tool& tool) { return !tool.space.empty(); });
}

// A list of no tools, which servers refuse, says what no list says.
bool has_empty_tools(const Question& question) {
    const auto tools = question.document.root()["tools"];
    return tools.is(json::Kind::array) && tools.size() == 0;
}

std::set<std::string> custom_tools(const chat::Request& request) {
    std::set<std::string> names;
    for (const auto& tool : request.tools)
        if (tool.kind == chat::Tool::Kind::custom) names.insert(tool.name);
    return names;
}

// Tools that take free text, which few servers but OpenAI's know: many leave them out without a word.
bool has_custom_tools(const chat::Request& request) {
    for (const auto& message : request.messages)
        for (const auto& part : message.parts)
            if (const auto* call = part.as<chat::ToolCallPart>(); call != nullptr && call->custom) return true;
    return !custom_tools(request).empty();
}

// OpenAI ends an answer with a call that was named by "stop".
bool names_a_tool(const chat::Request& request) {
    return request.tool_choice.kind == chat::ToolChoice::Kind::named;
}

// A budget for thoughts that leaves no room for the answer is refused by those who have one.
void keep_thoughts_below(std::int64_t most, chat::Thinking& thinking) {
    constexpr std::int64_t kLeast = 1024;  // of Anthropic
    if (most == 0 || !thinking.budget_tokens || *thinking.budget_tokens < most) return;
    if (most / 2 >= kLeast)
        thinking.budget_tokens = most / 2;
    else
        thinking = {};
}

// The most tokens that an answer has room for behind the prompt, with some to spare for what an estimate is off; 0: not
// known, or not less than what is asked for. `counted`: tokens of the prompt; 0: they are estimated.
std::int64_t room_for_answer(const chat::Request& request, const config::Model& model, std::int64_t counted) {
    constexpr std::int64_t kSpare = 16;  // one in so many tokens of the prompt
    if (!request.max_output_tokens) return 0;
    auto room = *request.max_output_tokens;
    if (model.max_output_tokens > 0) room = std::min(room, model.max_output_tokens);
    if (model.context_tokens > 0) {
        const auto estimate = counted > 0 ? 0 : chat::estimate_prompt(request).count;
        const auto prompt = counted > 0 ? counted : estimate + estimate / kSpare;
        room = std::min(room, std::max<std::int64_t>(1, model.context_tokens - prompt));
    }
    return room < *request.max_output_tokens ? room : 0;
}

// llama-server has no log-probabilities beside tools in a stream.
bool can_weigh(const Question& question, Speaker speaker) {
    const auto& request = question.request;
    return speaker == Speaker::llama_server && question.front.operation == Operation::chat && request.tools.empty() &&
           !request.logprobs && !request.top_logprobs;
}

// The member in which a provider says what it used, and what makes a piece of its stream of that alone.
struct UsageWords {
    std::string_view member, before, after;
};
constexpr std::array<UsageWords, dialect::kKindNames.size()> kUsageWords = {{
    {"usage", R"({"usage":)", "}"},
    {"usage", R"({"type":"response.completed","response":{"status":"completed","usage":)", "}}"},
    {"usage", R"({"type":"message_delta","delta":{},"usage":)", "}"},
    {"usageMetadata", R"({"usageMetadata":)", "}"},
    {"eval_count", R"({"done":true,"eval_count":)", "}"},
}};

// The JSON that begins `text`: an object up to its closing brace, or a plain word; empty where it does not end.
std::string_view value_at(std::string_view text) {
    if (!text.starts_with('{')) return text.substr(0, text.find_first_of(",}] \t\r\n"));
    int depth = 0;
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '\\' && quoted)
            ++i;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '{' || c == '}') && (depth += c == '{' ? 1 : -1) == 0)
            return text.substr(0, i + 1);
    }
    return {};
}

// The values of a member with this name, in text that need not be JSON as a whole. Only the last few are looked at, and
// none that is longer than such values are: who wrote the text may want to keep us busy.
std::vector<std::string_view> pieces_named(std::string_view text, std::string_view member) {
    constexpr std::size_t kMost = 8, kLongest = 4096;
    const auto name = json::quoted(member);
    std::vector<std::string_view> pieces;
    std::size_t looked_at = 0;
    for (auto at = text.rfind(name); at != std::string_view::npos && looked_at++ < kMost;
         at = at == 0 ? std::string_view::npos : text.rfind(name, at - 1)) {
        const auto rest = trim(text.substr(at + name.size(), kLongest));
        if (!rest.starts_with(':')) continue;
        if (const auto value = value_at(trim(rest.substr(1))); !value.empty() && value != "null")
            pieces.push_back(value);
    }
    return pieces;
}

}  // namespace

Result<> decode(Question& question) {
    const auto& [kind, operation] = question.front;
    if (auto ok = check_counts(question.document, operation); !ok) return ok;
    question.as_responses = kind == Kind::openai_chat && operation == Operation::chat &&
                            !question.document.root()["messages"].exists() &&
                            question.document.root()["input"].exists();
    if (auto meant = dialect::in_own_words(question.as_responses ? Kind::openai_responses : kind, question.incoming()))
        if (auto ok = question.document.take(std::move(*meant)); !ok) return ok;
    if (operation == Operation::embed) {
        auto embed = dialect::decode_embed(kind, question.incoming());
        if (!embed) return fail(embed.error());
        question.embed = std::move(*embed);
        question.request = as_messages(kind, question.embed.model, question.embed.texts);
        return {};
    }
    if (operation == Operation::rerank) {
        auto rerank = dialect::decode_rerank(question.document);
        if (!rerank) return fail(rerank.error());
        rerank->documents.push_back(rerank->query);
        question.request = as_messages(kind, rerank->model, rerank->documents);
        return {};
    }
    if (question.as_responses)
        for (const auto* field : {"previous_response_id", "conversation"})
            if (const auto value = question.document.root()[field]; value.exists() && !value.is_null())
                return fail(Fault::unsupported_demand,
                            fmt::format("{}: /v1/chat/completions keeps no responses; ask /v1/responses", field),
                            field);
    auto request = operation == Operation::completion ? dialect::openai_chat::decode_completion(question.document)
                   : question.as_responses ? dialect::of(Kind::openai_responses).decode_request(question.incoming())
                                           : dialect::of(kind).decode_request(question.incoming());
    if (!request) return fail(request.error());
    question.request = std::move(*request);
    return {};
}

Result<std::shared_ptr<const Question>> begun_question(const Question& question, std::string_view text) {
    // Anthropic refuses a beginning that ends in white space.
    text = text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
    const auto root = question.document.root();
    const auto beginning = dialect::of(question.front.kind).beginning(text);
    const auto list = root[beginning.list];
    if (question.front.operation != Operation::chat || !list.is(json::Kind::array))
        return fail(Fault::unsupported_demand,
                    fmt::format("a request of {} has no place for the beginning of an answer; set on_cut: restart",
                                question.path));
    std::string messages(list.raw());
    messages.insert(messages.rfind(']'), (list.size() > 0 ? "," : "") + beginning.message);
    auto begun = std::make_shared<Question>();
    begun->front = question.front;
    begun->path = question.path;
    begun->array = question.array;
    if (auto ok = begun->document.parse(dialect::with_members(root, {{beginning.list, messages}})); !ok)
        return fail(ok.error());
    if (auto ok = decode(*begun); !ok) return fail(ok.error());
    return begun;
}

bool goes_on(const config::Provider& provider, const config::Model& model) {
    return model.prefill.value_or(provider.kind->continues_answers);
}

bool offers_hosted_tools(const chat::Request& request) {
    return std::ranges::any_of(request.tools, [](const auto& tool) { return tool.kind == chat::Tool::Kind::hosted; });
}

Result<Conversion> Conversion::make(const Question& question, const config::Provider& provider,
                                    const config::Model& model, const AnswerTerms& terms) {
    Conversion c(question, provider.kind->speaker);
    const auto& request = question.request;
    c.thoughts_ = terms.thoughts;
    c.usage_hints_ = terms.usage_hints;
    c.owner_ = {terms.key, provider.id, fmt::format("{} {}", name_of(provider.zone), provider.base_url), terms.label};
    const auto kind = kind_of(c.speaker_);
    const bool openai = kind == Kind::openai_chat || kind == Kind::openai_responses;
    c.weighs_ = terms.weighs && can_weigh(question, c.speaker_);
    const bool asks_for_usage = provider.stream_usage && terms.wants.takes("stream_options");
    dialect::Target target{model.name,           request.stream, asks_for_usage,
                           model.context_tokens, c.weighs_,      terms.answer_bound};
    target.plain = openai && !made_the_dialect(provider, kind);  // who made it knows a role developer
    target.most_word = terms.wants.bound;
    target.takes_store = terms.wants.takes("store");
    target.takes_include = terms.wants.takes("include");
    // What comes as a stream is put together for a client that wants it in one piece.
    c.gathers_ = terms.wants.streams_only && !request.stream && answers_in_text(question.front.operation);
    if (c.gathers_) target.stream = true;
    c.same_ = kind == question.front.kind && !question.as_responses;
    const auto incoming = question.incoming();
    if (question.front.operation == Operation::embed) {
        c.outgoing_ = dialect::encode_embed(question.embed, c.speaker_, target, c.same_ ? &incoming : nullptr,
                                            terms.wants.takes("encoding_format"));
        return c;
    }
    if (question.front.operation == Operation::rerank) {
        if (kind != Kind::openai_chat)
            return fail(Fault::unsupported_demand,
                        fmt::format("model: {} has no reranking; use a provider of kind openai or llama-server",
                                    dialect::kSpeakerNames[static_cast<std::size_t>(c.speaker_)]),
                        "model");
        c.outgoing_ = dialect::of(kind).forward_request(incoming, target);
        c.outgoing_.path = "/rerank";
        return c;
    }
    if (question.front.operation != Operation::count) {
        target.most_tokens = terms.room > 0 ? terms.room : room_for_answer(request, model, terms.prompt_tokens);
        c.most_tokens_ = dialect::bound_of(request, target).value_or(0);
        if (terms.room > 0) target.answer_bound = std::min(target.answer_bound, terms.room);
        if (target.most_tokens > 0 && request.max_output_tokens)
            c.warnings_.push_back(
                fmt::format("the answer has room for {} tokens at {}, not for the {} that were asked for",
                            target.most_tokens, model.id, *request.max_output_tokens));
    }
    const bool render = model.render_tools && chat::needs_rendered_tools(request);
    if (question.front.operation == Operation::completion || render || has_foreign_reasoning(request) ||
        dialect::breaks_tool_rules(request, c.speaker_) || dialect::breaks(terms.wants, request) ||
        (kind == Kind::openai_chat && has_empty_tools(question)))
        c.same_ = false;
    // Its thoughts have to be remembered, since not every client of its dialect sends them back.
    if (terms.thoughts != nullptr && terms.thoughts->demanded(model.id) != Thoughts::Wanted::nothing &&
        chat::needs_rendered_tools(request))
        c.same_ = false;
    if (terms.without_thoughts || c.gathers_ || terms.correction != nullptr || c.wants_hold(provider)) c.same_ = false;
    if (c.speaks_plainly(provider, model, terms)) c.same_ = false;
    const bool plain_responses = target.plain && kind == Kind::openai_responses;
    if (plain_responses && has_tools_elsewhere(question)) c.same_ = false;
    if (target.plain && has_custom_tools(request)) c.same_ = false;
    if (c.same_) {
        c.runs_tools_ = offers_hosted_tools(request);
        if (provider.zone == Zone::local) c.judge_calls(request, provider);
        c.looks_at_calls_ = c.offer_ != nullptr;
        c.outgoing_ = dialect::of(kind).forward_request(incoming, target);
        return c;
    }
    // Where the provider has custom tools itself, they come back as what they are.
    if (kind != Kind::openai_responses || plain_responses) c.custom_ = custom_tools(request);
    auto fitted = c.plain_ ? std::move(c.plain_->fitted)
                           : dialect::fit(c.with_thoughts(model, terms), c.speaker_, provider.drop_untranslatable);
    if (fitted.refused) return fail(*fitted.refused);
    if (terms.without_thoughts)
        c.warnings_.push_back(
            fmt::format("thoughts in the history were left out: {} takes none of another provider back", provider.id));
    c.runs_tools_ = offers_hosted_tools(fitted.request);
    std::ranges::move(fitted.warnings, std::back_inserter(c.warnings_));
    if (target.most_word.empty() && request.dialect != name_of(Kind::openai_chat))
        target.most_word = target.plain ? dialect::Wants::kPlainBound : dialect::Wants::kModernBound;
    if (render || plain_responses) dialect::make_custom_tools_functions(fitted.request);
    if (render) c.judge_calls(fitted.request, provider);
    if (render) c.rendered_ = chat::render_tools(fitted.request);
    c.names_ = dialect::keep_tool_rules(fitted.request, c.speaker_);
    if (!render) c.judge_calls(fitted.request, provider);
    // A client that is told nothing can do less with a wrong answer than one that has it, with a warning.
    if (terms.correction != nullptr && !terms.fails_if_wrong_again) c.may_ask_again_ = false;
    dialect::meet(terms.wants, fitted.request, c.warnings_);
    keep_thoughts_below(target.most_tokens, fitted.request.thinking);
    if (fitted.request.stop.empty()) c.stops_ = request.stop;
    c.json_in_words_ = request.response_format.kind == chat::ResponseFormat::Kind::json_object &&
                       !fitted.request.response_format.asks_json();
    if (c.wants_hold(provider)) c.hold(fitted.request);
    if (c.speaker_ == Speaker::anthropic && !request.max_output_tokens && terms.answer_bound == 0)
        c.warnings_.emplace_back("max_tokens was not given, and Anthropic wants it: the default was sent");
    c.outgoing_ = dialect::of(kind).encode_request(fitted.request, target);
    return c;
}

// Where the server has refused the client's words for what the request has, it is said in plain ones (plain_).
bool Conversion::speaks_plainly(const config::Provider& provider, const config::Model& model,
                                const AnswerTerms& terms) {
    if (kind_of(speaker_) != question_->front.kind || question_->front.operation != Operation::chat ||
        question_->as_responses)
        return false;
    if (!terms.plainly && terms.wants.unusual.empty()) return false;
    plain_ = said_plainly(with_thoughts(model, terms), provider, speaker_);
    const auto& known = terms.wants.unusual;
    if (plain_ && !terms.plainly &&
        std::ranges::none_of(plain_->unusual, [&](const auto& what) { return known.contains(what); }))
        plain_.reset();
    if (plain_) unusual_ = plain_->unusual;
    return plain_.has_value();
}

// The request with what this provider thought, where it may want it back.
chat::Request Conversion::with_thoughts(const config::Model& model, const AnswerTerms& terms) const {
    auto request = question_->request;
    if (terms.without_thoughts) forget_thoughts(request);
    if (terms.correction != nullptr) correct(*terms.correction, request);
    const auto dialect = name_of(kind_of(speaker_));
    know_own_thoughts(request, dialect, owner_.provider);
    if (thoughts_ == nullptr) return request;
    const auto wanted = thoughts_->demanded(model.id);
    drop_unsigned(wanted, request, dialect);
    thoughts_->bring_back(owner_, dialect, speaker_ != Speaker::gemini, request);
    think_blanks(wanted, request, dialect);
    return request;
}

std::unique_ptr<dialect::AnswerWriter> Conversion::writer(dialect::AnswerFrame frame) const {
    frame.signed_by = thinker(name_of(kind_of(speaker_)), owner_.provider);
    if (question_->front.operation == Operation::completion)
        return dialect::openai_chat::completion_writer(std::move(frame));
    return dialect::of(question_->front.kind).writer(std::move(frame));
}

std::unique_ptr<StreamRelay> Conversion::relay(const std::function<dialect::AnswerFrame()>& frame,
                                               bool resumable) const {
    const auto& request = question_->request;
    if (through() && !resumable && question_->front.kind == Kind::openai_chat)
        return chat_relay({request.include_usage, request.choices, weighs_, names_a_tool(request), frame});
    if (through() && !resumable) return same_relay(dialect::of(question_->front.kind), frame());
    auto made = frame();
    auto list = filters(made.id);
    return translating_relay(dialect::of(kind_of(speaker_)), writer(std::move(made)), request.choices, std::move(list),
                             weighs_);
}

void Conversion::go_on(StreamRelay& relay, const std::string& id, std::unique_ptr<chat::EventFilter> splice) const {
    auto list = filters(id);
    list.push_back(std::move(splice));
    relay.go_on(dialect::of(kind_of(speaker_)), std::move(list));
}

dialect::Events Conversion::filtered(dialect::Events events, const std::string& id) const {
    for (const auto& filter : filters(id, true)) {
        dialect::Events out;
        for (auto& event : events) filter->take(std::move(event), out);
        filter->end(out);
        events = std::move(out);
    }
    return events;
}

void Conversion::note_unsaid(const dialect::Events& events, Unsaid& unsaid) const {
    // Hardly any answer has media.
    if (std::ranges::none_of(events, [](const auto& e) { return std::holds_alternative<chat::MediaSaid>(e); })) return;
    dialect::AnswerFrame frame;
    frame.generate = question_->path == "/api/generate";
    const auto out = writer(std::move(frame));
    for (const auto& event : events)
        if (const auto* said = std::get_if<chat::MediaSaid>(&event); said != nullptr && !out->says(said->media))
            unsaid.add(said->media);
}

Result<Conversion::Whole> Conversion::read(const std::string& body, bool streamed, const std::string& id) const {
    Whole whole;
    json::Document document;
    const auto& provider = dialect::of(kind_of(speaker_));
    dialect::Events events;
    if (!streamed)
        if (auto ok = document.parse(body); !ok) {
            whole.instead = json::mended(body);
            if (!document.parse(whole.instead))
                return fail(Fault::provider_misspoke, fmt::format("the answer is not JSON: {}", ok.error().message));
        }
    if (usage_hints_ != nullptr && !streamed) whole.said = prices::read_usage(document.root(), *usage_hints_);
    if (streamed) {
        const auto gatherer = gather(provider, question_->request.choices);
        if (auto ok = gatherer->feed(body); !ok) return fail(ok.error());
        gatherer->end();
        if (gatherer->failed()) return fail(*gatherer->failed());
        events = gatherer->take_events();
        whole.usage_is_last = gatherer->usage_is_final();
        whole.malformed = gatherer->malformed();
        if (usage_hints_ != nullptr) whole.said = prices::read_usage(gatherer->usage_words(), *usage_hints_);
    } else if (question_->front.operation == Operation::embed) {
        auto embeddings = dialect::decode_embeddings(speaker_, document.root(), question_->embed.texts.size());
        if (!embeddings) return fail(embeddings.error());
        if (embeddings->input_tokens) whole.usage = Usage{{*embeddings->input_tokens}, {0}, {0}, {0}, false};
        whole.embeddings = std::move(*embeddings);
        return whole;
    } else if (question_->front.operation == Operation::rerank) {
        if (document.root()["results"].size() == 0) return fail(Fault::provider_misspoke, "the answer has no results");
        if (const auto tokens = document.root()["usage"]["total_tokens"].integer())
            whole.usage = Usage{{*tokens}, {0}, {0}, {0}, false};
        return whole;
    } else {
        provider.reader()->whole(document.root(), events);
    }
    if (through() && provider.kind() == Kind::openai_responses)
        dialect::openai_responses::know_spaces(question_->request, events);
    if (!through()) events = filtered(std::move(events), id);
    whole.as_it_came = looks_at_calls_ && !call_notes_->changed;
    bool finished = false;
    std::int64_t thousandths = 0;
    for (const auto& event : events) {
        whole.told.take(event);
        if (const auto* used = std::get_if<chat::Used>(&event))
            whole.usage = whole.usage ? most_of(*whole.usage, used->usage) : used->usage;
        thousandths += chat::thousandths_of(event);
        if (const auto* failed = std::get_if<chat::Failed>(&event)) return fail(failed->error);
        finished = finished || std::holds_alternative<chat::Finished>(event);
    }
    whole.output = {chat::tokens_of_thousandths(thousandths)};
    if (!finished) return fail(Fault::provider_misspoke, "the answer has no choices, or none that is finished");
    if (passes(whole, streamed)) {
        const auto& request = question_->request;
        auto mended = dialect::mended(provider.kind(), document, !whole.told.calls.empty(),
                                      request.choices == 1 && !names_a_tool(request));
        whole.lacking = mended.lacking;
        if (!mended.instead.empty()) whole.instead = std::move(mended.instead);
        return whole;
    }
    chat::Assembler assembler{std::string(provider.kind() == question_->front.kind ? "" : name_of(provider.kind()))};
    for (const auto& event : events)
        if (!weighs_ || !std::holds_alternative<chat::Logprobs>(event)) assembler.take(event);
    whole.answer = assembler.release();
    note_unsaid(events, whole.unsaid);
    return whole;
}

std::optional<Usage> Conversion::usage_in(std::string_view body) const {
    const auto kind = kind_of(speaker_);
    const auto& words = kUsageWords[static_cast<std::size_t>(kind)];
    std::optional<Usage> found;
    for (const auto piece : pieces_named(body, words.member)) {
        json::Document document;
        if (!document.parse(fmt::format("{}{}{}", words.before, piece, words.after))) continue;
        dialect::Events events;
        dialect::of(kind).reader()->piece(document.root(), events);
        for (const auto& event : events)
            if (const auto* used = std::get_if<chat::Used>(&event))
                found = found ? most_of(*found, used->usage) : used->usage;
    }
    return found;
}

Conversion::Part Conversion::part_in(std::string_view stream) const {
    const auto gatherer = gather(dialect::of(kind_of(speaker_)), question_->request.choices);
    if (gatherer->feed(stream)) gatherer->end();
    return {gatherer->usage(), gatherer->said()};
}

bool Conversion::is_stream(std::string_view body) const {
    if (!answers_in_text(question_->front.operation)) return false;
    body = trim(body);
    if (dialect::of(kind_of(speaker_)).framing() == dialect::Framing::ndjson)
        return body.starts_with('{') && body.find("\n{") != std::string_view::npos;
    return body.starts_with("data:") || body.starts_with("event:") || body.starts_with(':');
}

Conversion::Said Conversion::say(const Whole& whole, std::string body, bool streamed, const Usage& usage,
                                 dialect::AnswerFrame frame) const {
    const auto& front = question_->front;
    if (!whole.instead.empty()) body = whole.instead;
    if (front.operation == Operation::embed) {
        // Base64 was asked for, and numbers came; or the other way.
        const bool convert = question_->embed.base64 != whole.embeddings->base64;
        const bool as_it_is = front.kind == Kind::openai_chat || question_->path == "/api/embed";
        if (same_ && as_it_is && !convert) return {std::move(body), false, {}};
        return {
            dialect::encode_embeddings(front.kind, question_->path, question_->embed, *whole.embeddings, frame.model),
            false,
            {}};
    }
    if (front.operation == Operation::rerank) return {std::move(body), false, {}};
    const bool responses = front.kind == Kind::openai_responses;
    const bool wants_stream = question_->request.stream;
    if (passes(whole, streamed)) {
        Said said{std::move(body), wants_stream, {}};
        json::Document document;
        if (whole.lacking && document.parse(said.body))
            said.body = dialect::with_all_members(front.kind, document, usage, !whole.told.calls.empty(), frame);
        if (weighs_ && !streamed && document.parse(said.body))
            said.body = dialect::openai_chat::without_logprobs(document);
        if (responses && !wants_stream && !frame.own.empty() && document.parse(said.body))
            said.body = dialect::openai_responses::as_ours(document.root(), frame);
        if (responses && !wants_stream) said.response = said.body;
        return said;
    }
    const auto out = writer(std::move(frame));
    if (!wants_stream) {
        Said said{out->whole(whole.answer, usage), false, {}};
        if (responses) said.response = said.body;
        return said;
    }
    Said said{{}, true, {}};
    out->event(chat::Started{whole.answer.id, whole.answer.model}, said.body);
    for (const auto& event : chat::events_of(whole.answer)) out->event(event, said.body);
    out->end(usage, said.body);
    said.response = out->response();
    return said;
}

}  // namespace tandem::translate
