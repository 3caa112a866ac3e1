#include "gateway/enrich.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <sstream>

#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "base/utf8.h"
#include "chat/answer.h"
#include "chat/estimate.h"
#include "gateway/context_text.h"
#include "gateway/way.h"
#include "gateway/weight.h"
#include "net/fair_pool.h"
#include "translate/enriched.h"

namespace tandem::gateway {

namespace {

constexpr std::size_t kMostPassages = 24;
constexpr std::size_t kLongestQuestion = 2'048;  // bytes of each end of a long turn that are looked for
constexpr std::size_t kFewWords = 16;            // a turn of fewer may go on with the one before
constexpr float kLeastShare = 0.25F;             // of the best score: what is below it has a word in common by chance
constexpr std::int64_t kFrameTokens = 40;        // of a piece's mark, place and title, about
// Of the room that is left in the largest context: an estimate may be too low.
constexpr std::int64_t kRoomParts = 3, kRoomOf = 4;

using Passages = Result<std::vector<retrieval::Passage>>;

void add(ContextWish& wish, const std::vector<std::string>& names, const std::string& from) {
    bool any = false;
    for (const auto& name : names) {
        if (std::ranges::find(wish.collections, name) != wish.collections.end()) continue;
        wish.collections.push_back(name);
        any = true;
    }
    if (any) wish.from += (wish.from.empty() ? "" : ", ") + from;
}

std::size_t words_in(const std::string& text) {
    std::istringstream words(text);
    return static_cast<std::size_t>(
        std::distance(std::istream_iterator<std::string>(words), std::istream_iterator<std::string>()));
}

// Both ends of a text, at characters' edges.
std::string ends_of(std::string_view text) {
    if (text.size() <= 2 * kLongestQuestion) return std::string(text);
    auto first = kLongestQuestion, last = text.size() - kLongestQuestion;
    while (continues_character(text[first])) --first;
    while (continues_character(text[last])) ++last;
    return fmt::format("{} {}", text.substr(0, first), text.substr(last));
}

Passages look(const Services& services, const access::Principal& who, const retrieval::PassageRequest& request) {
    std::shared_ptr<const retrieval::Files> files;
    if (services.files) {
        auto found = services.files();
        if (!found) return fail(found.error());
        files = std::move(*found);
    }
    // In the words of a collection that is not there.
    if (files == nullptr)
        return fail(Fault::unknown_object, fmt::format("there is no collection '{}'", request.collections.front()));
    return files->passages(who, request);
}

std::int64_t tokens_of(const retrieval::Passage& passage) {
    return chat::estimate_tokens(passage.text).count + kFrameTokens;
}

// How many tokens of what is found the request has room for.
std::int64_t room_for(const Way& way, routing::Inputs inputs, const std::vector<retrieval::Passage>& passages) {
    for (const auto& one : passages) {
        inputs.label = higher(inputs.label, one.label);
        inputs.rest = higher(inputs.rest, one.collections_label);
    }
    const auto bound = way.config.retrieval.context_tokens;
    const auto& table = way.snapshot->table;
    const auto decision = routing::decide(table, inputs);
    std::optional<std::int64_t> most;
    for (const auto& one : decision ? decision->candidates : std::vector<routing::Candidate>()) {
        if (one.excluded != routing::Excluded::no && one.excluded != routing::Excluded::context) continue;
        if (one.context_tokens == 0) return bound;
        most = std::max(most.value_or(0),
                        one.context_tokens - routing::least_room(*table.find(one.model), inputs.features));
    }
    // Where nobody may be asked, the decision that follows says so.
    if (!most) return bound;
    return std::min(bound, (*most - inputs.features.prompt_tokens) * kRoomParts / kRoomOf);
}

// Takes the first passages that have room. Errors: context.
Result<> choose(Context& context, std::vector<retrieval::Passage> found) {
    if (found.empty()) return {};
    const auto least = found.front().score * kLeastShare;
    std::erase_if(found, [&](const auto& one) { return one.score < least; });
    context.found = found.size();
    std::int64_t left = context.room;
    for (auto& passage : found) {
        const auto tokens = tokens_of(passage);
        if (tokens > left) break;
        left -= tokens;
        context.tokens.push_back(tokens);
        context.passages.push_back(std::move(passage));
    }
    if (!context.passages.empty()) return {};
    return fail(ErrorCode::context,
                fmt::format("there is room for {} tokens of what was found in {}, and the first piece has {}; make the "
                            "conversation shorter, or ask a model with a larger context",
                            std::max<std::int64_t>(0, context.room), join(context.collections, ", "),
                            tokens_of(found.front())));
}

std::string identity_of(const Way& way, const Context& context) {
    std::string all = fmt::format("{}\n{}\n", way.question.document.source(), join(context.collections, ","));
    for (const auto& one : context.passages)
        all += fmt::format("{}\n{}\n{}\n{}\n{}\n", one.path, one.first_line, one.page, name_of(one.label),
                           hex(sha256(one.text)));
    return hex(sha256(all));
}

}  // namespace

std::int64_t Context::all_tokens() const {
    std::int64_t sum = 0;
    for (const auto one : tokens) sum += one;
    return sum;
}

std::string Context::summary() const {
    return fmt::format("{}; passages={}; tokens={}", join(collections, ","), passages.size(), all_tokens());
}

std::string Context::record() const {
    json::Writer out;
    out.begin_object().key("collections").begin_array();
    for (const auto& name : collections) out.value(name);
    out.end_array().member("from", from).member("found", found).member("tokens", all_tokens()).member("room", room);
    out.key("passages").begin_array();
    for (std::size_t i = 0; i < passages.size(); ++i) {
        const auto& one = passages[i];
        out.begin_object().member("path", one.path).member("collection", one.collection);
        out.member("label", name_of(one.label)).raw_member("score", fmt::format("{:.3f}", one.score));
        if (one.first_line > 0) out.member("line", one.first_line);
        if (one.page > 0) out.member("page", one.page);
        out.member("tokens", tokens[i]).end_object();
    }
    out.end_array();
    if (!left_out.empty()) {
        out.key("left_out").begin_array();
        for (const auto& tool : left_out) out.value(tool);
        out.end_array();
    }
    return out.end_object().take();
}

ContextWish context_wish(const Way& way, const config::Rule* rule) {
    ContextWish wish;
    add(wish, way.asked.context, "header x-tandem-context");
    wish.demanded = !wish.collections.empty();
    for (const auto& name : {way.named.entry, way.alias()})
        if (const auto* alias = way.config.alias(name); alias != nullptr)
            add(wish, alias->context, fmt::format("alias {}", alias->id));
    if (rule != nullptr) add(wish, rule->context, fmt::format("rule {}", rule->name));
    return wish;
}

std::string question_for_files(const chat::Request& request) {
    std::string question;
    for (auto message = request.messages.rbegin(); message != request.messages.rend(); ++message) {
        if (message->role != chat::Role::user) continue;
        const auto text = chat::text_of(message->parts);
        const bool goes_on = !question.empty();
        // What was asked last counts twice as much.
        question = goes_on ? fmt::format("{}\n{}\n{}", ends_of(text), question, question) : ends_of(text);
        if (goes_on || words_in(question) >= kFewWords) break;
    }
    return question;
}

net::Task<Result<std::shared_ptr<const Context>>> enrich(Way& way, ContextWish wish, routing::Inputs inputs,
                                                         bool outward) {
    auto context = std::make_shared<Context>();
    context->collections = wish.collections;
    context->from = wish.from;
    retrieval::PassageRequest request{std::move(wish.collections), question_for_files(way.request()), kMostPassages};
    auto found = co_await net::run_on<Passages>(way.services.scans, way.who.id(),
                                                [&way, &request] { return look(way.services, way.who, request); });
    if (!found) co_return fail(found.error());
    context->room = room_for(way, std::move(inputs), *found);
    if (auto ok = choose(*context, std::move(*found)); !ok) co_return fail(ok.error());
    auto made = context_text(context->passages, join(context->collections, ", "), way.services.random);
    made.sources.prose = !way.request().response_format.asks_json();
    context->sources = std::make_shared<const chat::Sources>(std::move(made.sources));
    auto question = translate::enriched(way.question, made.text, outward || context->passages.empty());
    if (!question) co_return fail(question.error());
    context->identity = identity_of(way, *context);
    context->left_out = std::move(question->left_out);
    context->asked = std::move(way.question.request);
    way.question = std::move(question->question);
    co_return context;
}

}  // namespace tandem::gateway
