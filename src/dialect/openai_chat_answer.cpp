// Answers of servers of Chat Completions, streamed and whole, and of the legacy Completions, as they are read.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include "base/hash.h"
#include "base/text.h"
#include "chat/answer.h"
#include "chat/token_weights.h"
#include "dialect/failure.h"
#include "dialect/fields.h"
#include "dialect/openai_chat.h"

namespace tandem::dialect::openai_chat {

namespace {

using json::Kind;
using json::Value;

// The first of these members that counts something.
std::int64_t first_count(const Value& object, std::initializer_list<const char*> names) {
    for (const auto* name : names)
        if (const auto count = count_of(object[name]); count > 0) return count;
    return 0;
}

Usage read_usage(const Value& usage) {
    Usage result;
    result.input.count = first_count(usage, {"prompt_tokens", "input_tokens"});
    result.output.count = first_count(usage, {"completion_tokens", "output_tokens"});
    result.cached_input.count = count_of(usage["prompt_tokens_details"]["cached_tokens"]);
    // DeepSeek, Moonshot, and what stands before Anthropic.
    if (result.cached_input.count == 0)
        result.cached_input.count =
            first_count(usage, {"prompt_cache_hit_tokens", "cached_tokens", "cache_read_input_tokens"});
    result.reasoning.count = count_of(usage["completion_tokens_details"]["reasoning_tokens"]);
    if (result.reasoning.count == 0) result.reasoning.count = count_of(usage["reasoning_tokens"]);
    // xAI counts thoughts beside the answer, and Gemini says them in the sum alone.
    const auto beside = count_of(usage["total_tokens"]) - result.input.count - result.output.count;
    if (beside > 0 && (beside == result.reasoning.count ||
                       (result.reasoning.count == 0 && result.cached_input.count == 0 && result.output.count > 0))) {
        result.output.count += beside;
        result.reasoning.count = beside;
    }
    return result;
}

// Where a chunk or an answer says it: beside its choices, in one of them (Moonshot), or in a member of Groq's.
Value usage_in(const Value& root) {
    if (const Value usage = root["usage"]; usage.is(Kind::object)) return usage;
    if (const Value usage = root["x_groq"]["usage"]; usage.is(Kind::object)) return usage;
    for (const Value choice : root["choices"].children())
        if (const Value usage = choice["usage"]; usage.is(Kind::object)) return usage;
    return {};
}

// OpenRouter has the error of one choice beside its end, "error".
std::optional<Error> failure_of(const Value& choice) {
    if (given(choice["error"])) return failure_in(choice);
    const auto ended = end_event(0, choice["finish_reason"].text(), false);
    const auto* failed = std::get_if<chat::Failed>(&ended);
    return failed != nullptr ? std::optional(failed->error) : std::nullopt;
}

// A call as its pieces have come so far.
struct Call {
    std::int64_t wire_index;
    std::string id;
    std::string name;
    std::string arguments;
    bool said = false;  // to a client that is handed the pieces on
};

// Some servers say a call once more where it ends.
bool is_said_again(const Call& call, std::string_view arguments) {
    return arguments.starts_with('{') && arguments != "{}" && call.arguments == arguments &&
           chat::is_json_object(arguments);
}

// Behind a whole object another one is another call, whatever it is numbered: nothing else can begin with a brace.
bool begins_another(const Call& call, std::string_view arguments) {
    return arguments.starts_with('{') && call.arguments.ends_with('}') && trim(call.arguments) != "{}" &&
           chat::is_json_object(call.arguments);
}

// The call that a piece belongs to; null where it begins one. The newest call of that index is meant, unless an id or a
// name says that another one begins: some servers number every call 0.
Call* call_meant(std::vector<Call>& calls, std::int64_t wire_index, std::string_view id, std::string_view name) {
    Call* known = nullptr;
    for (auto& one : calls)
        if (one.wire_index == wire_index) known = &one;
    if (!id.empty())
        for (auto& one : calls)
            if (one.id == id) known = &one;
    if (known != nullptr && !id.empty() && !known->id.empty() && known->id != id) return nullptr;
    if (known != nullptr && id.empty() && known->id.empty() && !name.empty() && chat::is_json_object(known->arguments))
        return nullptr;
    return known;
}

constexpr std::size_t kMostCalls = 1024;  // of one choice; what follows is left out

class Reader final : public AnswerReader {
  public:
    void whole(const Value& answer, Events& events) override { read(answer, true, events); }
    void piece(const Value& data, Events& events) override { read(data, false, events); }
    void end(Events& events) override {
        // [DONE] without a finish_reason: the answer has ended all the same.
        for (auto& [index, state] : choices_)
            if (!state.finished && state.content && done_) {
                state.finished = true;
                events.emplace_back(end_event(index, "stop", !state.calls.empty()));
            }
    }
    bool done() const override { return done_; }
    bool mark(std::string_view data) override {
        done_ = done_ || data == kDone;
        return data == kDone;
    }

  private:
    // An element of OpenRouter's reasoning_details; a stream brings it in pieces of one index, of which the last one
    // may have the signature alone.
    struct Detail {
        std::int64_t index;
        std::string type;
        std::map<std::string, std::string, std::less<>> texts;   // that grow: text, summary, data
        std::map<std::string, std::string, std::less<>> others;  // JSON of the other members, as they came last
    };
    struct Choice {
        std::vector<Call> calls;
        std::vector<Detail> details;  // not said yet
        std::size_t details_bytes = 0;
        bool content = false;
        bool finished = false;
        bool sounds = false;
        bool legacy = false;  // what it calls, it calls as a function_call
    };

    void read(const Value& root, bool is_whole, Events& events) {
        if (auto error = failure_in(root)) {
            events.emplace_back(chat::Failed{std::move(*error)});
            return;
        }
        if (!started_ && (root["id"].string() || root["choices"].size() > 0)) {
            started_ = true;
            events.emplace_back(chat::Started{std::string(root["id"].text()), std::string(root["model"].text())});
        }
        std::optional<Error> failed;
        for (const Value choice : root["choices"].children()) {
            const auto index = choice_of(choice["index"]);
            auto& state = choices_[index];
            if (const Value delta = choice["delta"]; delta.exists() && !is_whole)
                read_delta(delta, index, false, events);
            // Whole answers have it, and some servers put all of the answer into their last chunk.
            if (const Value message = choice["message"]; message.exists()) read_delta(message, index, true, events);
            if (const auto text = choice["text"].string(); text && !text->empty())  // legacy Completions
                add_text(state, chat::TextDelta{index, std::string(*text)}, events);
            if (const Value logprobs = choice["logprobs"]; logprobs.is(Kind::object))
                events.emplace_back(chat::Logprobs{index, {std::string(logprobs.raw())}});
            if (auto error = failure_of(choice)) {
                failed = std::move(error);
            } else if (const auto reason = choice["finish_reason"].string();
                       reason && !reason->empty() && !state.finished) {
                state.finished = true;
                if (!state.calls.empty()) say_details(state, index, events);
                events.emplace_back(end_event(index, *reason, !state.calls.empty()));
            } else if (is_whole && !state.finished) {
                state.finished = true;
                events.emplace_back(end_event(index, "stop", !state.calls.empty()));
            }
        }
        if (const Value usage = usage_in(root); usage.exists()) events.emplace_back(chat::Used{read_usage(usage)});
        if (failed) events.emplace_back(chat::Failed{std::move(*failed)});
    }

    template <typename Delta>
    static void add_text(Choice& state, Delta delta, Events& events) {
        state.content = true;
        state.finished = false;  // some servers say "stop" behind each piece
        events.emplace_back(std::move(delta));
    }

    void read_delta(const Value& piece, std::int64_t choice, bool complete, Events& events) {
        auto& state = choices_[choice];
        const bool had_content = state.content;
        if (!complete || !had_content) keep_details(state, piece["reasoning_details"]);
        for (const Value thought : {piece["reasoning_content"], piece["reasoning"], piece["thinking"],
                                    piece["thinking"]["content"], piece["thinking_content"]})
            if (const auto text = thought.string(); text && !text->empty()) {
                if (!complete || !had_content)
                    add_text(state, chat::ReasoningDelta{choice, std::string(*text)}, events);
                break;  // servers that write both write the same twice
            }
        if (!complete || !had_content) {
            const Value content = piece["content"];
            if (content.size() > 0 || !content.text().empty()) say_details(state, choice, events);
            if (const auto text = content.string(); text && !text->empty())
                add_text(state, chat::TextDelta{choice, std::string(*text)}, events);
            for (const Value part : content.children())
                if (auto thought = thinking_text(part); !thought.empty())
                    add_text(state, chat::ReasoningDelta{choice, std::move(thought)}, events);
                else if (const auto text = part["text"].string(); text && !text->empty())
                    add_text(state, chat::TextDelta{choice, std::string(*text)}, events);
                else if (const auto url = part["image_url"]["url"].string())
                    add_text(state, picture(choice, *url), events);
            for (const Value image : piece["images"].children())  // OpenRouter
                if (const auto url = image["image_url"]["url"].string()) add_text(state, picture(choice, *url), events);
            read_sound(state, choice, piece["audio"], events);
            if (const auto text = piece["refusal"].string(); text && !text->empty())
                add_text(state, chat::RefusalDelta{choice, std::string(*text)}, events);
        }
        std::int64_t position = 0;
        if (piece["tool_calls"].size() > 0) say_details(state, choice, events);
        for (const Value call : piece["tool_calls"].children())
            read_call(state, choice, call, call["index"].integer().value_or(position++), complete, events);
        // Some servers say one call in both ways.
        const Value call = piece["function_call"];
        if (call.is(Kind::object) && (state.calls.empty() || state.legacy) && piece["tool_calls"].size() == 0) {
            state.legacy = true;
            Call* known = state.calls.empty() ? nullptr : &state.calls.front();
            add_call(state, choice, known, 0, known ? "" : "call_function_0", call["name"].text(),
                     arguments_in(call["arguments"]), complete, false, events);
        }
    }

    static chat::MediaSaid picture(std::int64_t choice, std::string_view url) {
        auto media = media_of_url(url);
        if (media.media_type.empty()) media.media_type = "image/png";
        return {choice, std::move(media)};
    }

    // Its words are text. The sound itself comes in pieces of a form that the request names; no other dialect has it.
    static void read_sound(Choice& state, std::int64_t choice, const Value& audio, Events& events) {
        if (const auto text = audio["transcript"].string(); text && !text->empty())
            add_text(state, chat::TextDelta{choice, std::string(*text)}, events);
        if (audio["data"].text().empty() || std::exchange(state.sounds, true)) return;
        add_text(state, chat::MediaSaid{choice, {{}, "audio/*", {}, {}}}, events);
    }

    // Too many of them are left out: a part of what is signed is no use to anybody.
    static void keep_details(Choice& state, const Value& details) {
        constexpr std::size_t kMostBytes = 1UL << 20, kMostElements = 1024;
        for (const Value element : details.children()) {
            state.details_bytes += element.raw().size();
            if (state.details_bytes > kMostBytes || state.details.size() >= kMostElements) return state.details.clear();
            const auto index = element["index"].integer();
            const auto known = std::ranges::find_if(state.details, [&](const Detail& one) {
                return index && one.index == *index && one.type == element["type"].text();
            });
            auto& detail = known != state.details.end()
                               ? *known
                               : state.details.emplace_back(
                                     Detail{index.value_or(-1), std::string(element["type"].text()), {}, {}});
            for (const Value member : element.children()) {
                const auto key = member.key();
                if (const bool grows = key == "text" || key == "summary" || key == "data"; grows && member.string())
                    detail.texts[std::string(key)] += *member.string();
                else if (given(member) || !detail.others.contains(key))
                    detail.others.insert_or_assign(std::string(key), std::string(member.raw()));
            }
        }
    }

    // Ends the thoughts with what their provider wants back with them; a text that nobody signed needs nothing.
    static void say_details(Choice& state, std::int64_t choice, Events& events) {
        const auto details = std::exchange(state.details, {});
        const bool sealed = std::ranges::any_of(details, [](const Detail& one) {
            const auto signature = one.others.find("signature");
            return one.texts.contains("data") || (signature != one.others.end() && signature->second != "null");
        });
        if (!sealed) return;
        json::Writer out;
        out.begin_array();
        for (const auto& detail : details) {
            out.begin_object();
            for (const auto& [name, json] : detail.others)
                if (!detail.texts.contains(name)) out.raw_member(name, json);
            for (const auto& [name, text] : detail.texts) out.member(name, text);
            out.end_object();
        }
        out.end_array();
        events.emplace_back(
            chat::ReasoningEnd{choice, std::string(kReasoningDetails) + on_one_line(out.take()), false});
    }

    static std::string arguments_in(const Value& value) {
        return std::string(value.is(Kind::object) ? value.raw() : value.text());
    }

    void read_call(Choice& state, std::int64_t choice, const Value& call, std::int64_t wire_index, bool complete,
                   Events& events) {
        const bool custom = call["custom"].exists();
        const Value body = call[custom ? "custom" : "function"];
        const auto id = call["id"].text();
        const auto name = body["name"].text();
        if (const Value extra = call["extra_content"]; extra.is(Kind::object))
            events.emplace_back(chat::ReasoningEnd{
                choice, fmt::format("{}{}", kExtraContent, on_one_line(std::string(extra.raw()))), false});
        auto* known = call_meant(state.calls, wire_index, id, name);
        add_call(state, choice, known, wire_index, id, name, arguments_in(body[custom ? "input" : "arguments"]),
                 complete, custom, events);
    }

    void add_call(Choice& state, std::int64_t choice, Call* known, std::int64_t wire_index, std::string_view id,
                  std::string_view name, std::string arguments, bool complete, bool custom, Events& events) {
        if (known == nullptr) {
            if (state.calls.size() >= kMostCalls) {
                events.emplace_back(chat::Failed{Error{
                    Fault::provider_misspoke, fmt::format("the answer calls more than {} tools at once", kMostCalls)}});
                return;
            }
            state.calls.push_back({wire_index, {}, {}, {}});
            known = &state.calls.back();
        } else if (!complete && !custom && is_said_again(*known, arguments)) {
            return;
        } else if (!complete && !custom && begins_another(*known, arguments) && state.calls.size() < kMostCalls) {
            state.calls.push_back({wire_index, {}, {}, {}});
            known = &state.calls.back();
            if (name.empty()) name = state.calls[state.calls.size() - 2].name;
            id = {};
        }
        state.content = true;
        state.finished = false;
        chat::ToolCallDelta delta{choice, known - state.calls.data(), {}, {}, std::move(arguments), custom};
        if (known->id.empty()) known->id = delta.id = id;
        if (known->name.empty()) known->name = delta.name = name;
        // A complete call that follows its fragments adds only what they lacked.
        if (complete && delta.arguments.starts_with(known->arguments))
            delta.arguments = delta.arguments.substr(known->arguments.size());
        else if (complete && !known->arguments.empty())
            return;
        known->arguments += delta.arguments;
        if (!delta.id.empty() || !delta.name.empty() || !delta.arguments.empty()) events.emplace_back(std::move(delta));
    }

    std::map<std::int64_t, Choice> choices_;
    bool started_ = false;
    bool done_ = false;
};

}  // namespace

std::unique_ptr<AnswerReader> make_reader() {
    return std::make_unique<Reader>();
}

namespace {

void tell_call(const Value& call, chat::Told& told) {
    const auto index = std::max<std::int64_t>(0, call["index"].integer().value_or(0));
    const auto function = call["function"];
    told.call(static_cast<std::size_t>(index), function["name"].text(), function["arguments"].text(), false);
}

// Every text in it, at any depth.
void count_texts(const Value& value, ChunkFacts& facts) {
    if (const auto text = value.string()) {
        facts.text_bytes += text->size();
        facts.thousandths += chat::thousandths_of(*text);
    }
    for (const Value child : value.children()) count_texts(child, facts);
}

// What a model showed: no words. A second of sound is 20 tokens and 48,000 bytes (pcm16 of 24 kHz) in base64.
void count_media(const Value& value, ChunkFacts& facts) {
    constexpr std::int64_t kThousandthsOfSecond = 20'000, kBytesOfSecond = 64'000;
    if (const auto text = value.string(); text && value.key() == "data") {
        facts.text_bytes += text->size();
        facts.thousandths += 1 + static_cast<std::int64_t>(text->size()) * kThousandthsOfSecond / kBytesOfSecond;
    } else if (text && text->starts_with("data:")) {
        facts.text_bytes += text->size();
        facts.thousandths += chat::kPictureThousandths;
    } else if (text && value.key() != "type" && value.key() != "id") {
        count_texts(value, facts);
    }
    for (const Value child : value.children()) count_media(child, facts);
}

// The texts of OpenRouter's details stand beside them.
bool says_reasoning(const Value& delta) {
    return !delta["reasoning"].text().empty() || !delta["reasoning_content"].text().empty();
}

void read_delta(const Value& delta, ChunkFacts& facts, chat::Told* told) {
    for (const Value piece : delta.children()) {
        const auto name = piece.key();
        if (piece.is(Kind::string) &&
            (name == "content" || name == "reasoning_content" || name == "reasoning" || name == "refusal")) {
            const auto text = piece.text();
            facts.text_bytes += text.size();
            facts.thousandths += chat::thousandths_of(text);
            if (told != nullptr && name == "content") told->text += text;
            if (told != nullptr && name == "refusal") told->refused = told->refused || !text.empty();
        } else if (name == "tool_calls") {
            facts.calls = facts.calls || piece.size() > 0;
            for (const Value call : piece.children()) {
                for (const Value member : call.children())
                    if (member.key() != "type") count_texts(member, facts);
                if (told != nullptr) tell_call(call, *told);
            }
        } else if (name == "images" || name == "audio" || (name == "content" && piece.is(Kind::array))) {
            const auto before = facts.text_bytes;
            count_media(piece, facts);
            if (told != nullptr) told->shown = told->shown || facts.text_bytes > before;
        } else if (name != "role" && !(name == "reasoning_details" && says_reasoning(delta))) {
            count_texts(piece, facts);  // whatever else a server says is said too, and paid
        }
    }
}

// A message where a delta should be.
bool is_said_instead(const Value& choice, const Value& field) {
    return field.key() == "message" && field.is(Kind::object) && !choice["delta"].is(Kind::object);
}

}  // namespace

ChunkFacts chunk_facts(const Value& chunk, chat::Told* told) {
    ChunkFacts facts;
    facts.lacking = lacks_members(chunk, true);
    bool beside = true;  // something else than an answer may be in it
    auto fail_by = [&](std::optional<Error> error) {
        if (error && !facts.error) facts.error = std::move(error);
    };
    for (const Value member : chunk.children()) {
        const auto key = member.key();
        if (key == "error" || key == "base_resp") fail_by(failure_in(chunk));
        if (key == "usage" || key == "x_groq" || (key == "choices" && !facts.usage))
            if (const Value usage = usage_in(chunk); usage.exists()) facts.usage = read_usage(usage);
        if (key != "choices") continue;
        for (const Value choice : member.children()) {
            beside = facts.only_usage = false;
            const bool first = told != nullptr && choice["index"].integer().value_or(0) == 0;
            for (const Value field : choice.children()) {
                if (field.key() == "finish_reason" && field.is(Kind::string) && !field.text().empty()) {
                    ++facts.finished;
                    fail_by(failure_of(choice));
                    if (first) told->finish = ending_of(field.text()).reason;
                }
                if (field.key() == "error") fail_by(failure_of(choice));
                if (first && field.key() == "logprobs") told->sure.take(field);
                const auto before = facts.text_bytes;
                if (field.key() == "delta" || (facts.lacking && is_said_instead(choice, field)))
                    read_delta(field, facts, first ? told : nullptr);
                if (facts.text_bytes > before) ++facts.deltas;
            }
        }
    }
    if (beside && !facts.usage) fail_by(failure_in(chunk));
    return facts;
}

namespace {

// An id for a call whose server gives none. The chunk it came in makes it another one each time.
std::string id_for(const json::Document& chunk, std::size_t number) {
    return "call_" + hex(sha256(fmt::format("{} {}", number, chunk.source()))).substr(0, 24);
}

// A call of a whole answer with all that a client reads in it.
std::string whole_call(const json::Document& answer, const Value& call, std::size_t number) {
    const bool custom = call["custom"].exists();
    const Value body = call[custom ? "custom" : "function"];
    std::vector<std::pair<std::string_view, std::string>> members;
    const auto id = call["id"].text();
    if (!call["id"].string() || id.empty())
        members.emplace_back("id", json::quoted(id.empty() ? id_for(answer, number) : std::string(id)));
    if (call["type"].text().empty()) members.emplace_back("type", custom ? "\"custom\"" : "\"function\"");
    if (!custom && body.is(Kind::object)) {
        const Value said = body["arguments"];
        const auto arguments = said.is(Kind::object) ? std::string(said.raw()) : chat::one_object(said.text());
        if (!said.string() || arguments != said.text())
            members.emplace_back("function", with_members(body, {{"arguments", json::quoted(arguments)}}));
    }
    return members.empty() ? std::string() : with_members(call, members);
}

// The piece as it is said to the client; empty where it says nothing, or nothing yet.
std::string put_piece_right(const json::Document& chunk, const Value& piece, std::int64_t wire_index, bool last,
                            std::vector<Call>& calls) {
    const bool custom = piece["custom"].exists();
    const std::string_view kind = custom ? "custom" : "function", word = custom ? "input" : "arguments";
    const Value body = piece[kind];
    const auto id = piece["id"].text(), name = body["name"].text();
    const auto arguments = std::string(body[word].is(Kind::object) ? body[word].raw() : body[word].text());
    auto* call = call_meant(calls, wire_index, id, name);
    if (call != nullptr && !custom && is_said_again(*call, arguments)) return {};
    std::string same_name;
    if (call != nullptr && !custom && begins_another(*call, arguments)) {
        same_name = call->name;
        call = nullptr;
    }
    if (call == nullptr) {
        if (calls.size() >= kMostCalls) return std::string(piece.raw());
        const bool other_id = same_name.empty() || std::ranges::find(calls, id, &Call::id) == calls.end();
        call = &calls.emplace_back(Call{wire_index, other_id ? std::string(id) : std::string(), same_name, {}});
    }
    call->arguments += arguments;
    if (call->id.empty() && same_name.empty()) call->id = id;
    if (call->name.empty()) call->name = name;
    if (call->name.empty()) return {};  // what has no name cannot be said yet
    const auto number = call - calls.data();
    std::vector<std::pair<std::string_view, std::string>> members, inner;
    if (piece["index"].integer() != number) members.emplace_back("index", std::to_string(number));
    if (!std::exchange(call->said, true)) {
        if (call->id.empty()) call->id = id_for(chunk, static_cast<std::size_t>(number));
        if (!piece["id"].string() || id != call->id) members.emplace_back("id", json::quoted(call->id));
        if (name != call->name) inner.emplace_back("name", json::quoted(call->name));
        const auto all = last && !custom && call->arguments.empty() ? std::string("{}") : call->arguments;
        if (!body[word].string() || body[word].text() != all) inner.emplace_back(word, json::quoted(all));
        call->arguments = all;
    } else {
        // Clients add the pieces of a text to each other, those of its id and name too.
        if (piece["id"].exists()) members.emplace_back("id", "");
        if (piece["type"].exists() && piece["type"].text().empty()) members.emplace_back("type", "");
        if (body["name"].exists()) inner.emplace_back("name", "");
        if (body[word].exists() && !body[word].string()) inner.emplace_back(word, json::quoted(arguments));
    }
    if (!inner.empty()) members.emplace_back(kind, body.is(Kind::object) ? with_members(body, inner) : std::string());
    return members.empty() ? std::string(piece.raw()) : with_members(piece, members);
}

}  // namespace

std::optional<std::string> with_whole_calls(const json::Document& answer) {
    Splice splice(answer);
    bool changed = false;
    std::size_t number = 0;
    for (const Value choice : answer.root()["choices"].children())
        for (const Value call : choice["message"]["tool_calls"].children()) {
            if (!call.is(Kind::object)) continue;
            auto whole = whole_call(answer, call, number++);
            if (whole.empty()) continue;
            splice.replace(call, std::move(whole));
            changed = true;
        }
    return changed ? std::optional(splice.take()) : std::nullopt;
}

struct CallPieces::State {
    std::map<std::int64_t, std::vector<Call>> choices;
};

CallPieces::CallPieces() : state_(std::make_unique<State>()) {}
CallPieces::~CallPieces() = default;

std::optional<std::string> CallPieces::put_right(const json::Document& chunk) {
    Splice splice(chunk);
    bool changed = false;
    for (const Value choice : chunk.root()["choices"].children()) {
        auto& calls = state_->choices[choice_of(choice["index"])];
        const Value list = choice["delta"]["tool_calls"];
        std::string pieces;
        bool list_changed = false;
        std::int64_t position = 0;
        for (const Value piece : list.children()) {
            const auto wire_index = piece["index"].integer().value_or(position++);
            auto said = piece.is(Kind::object)
                            ? put_piece_right(
                                  chunk, piece, wire_index,
                                  ending_of(choice["finish_reason"].text()).reason == chat::Finish::tool_calls, calls)
                            : std::string();
            list_changed = list_changed || said != piece.raw();
            if (!said.empty()) pieces += (pieces.empty() ? "" : ",") + said;
        }
        if (!list_changed) continue;
        splice.replace(list, "[" + pieces + "]");
        changed = true;
    }
    return changed ? std::optional(splice.take()) : std::nullopt;
}

std::string CallPieces::rest(std::int64_t choice) {
    std::string pieces;
    auto& calls = state_->choices[choice];
    for (auto& call : calls) {
        if (!call.said || !call.arguments.empty()) continue;
        call.arguments = "{}";
        pieces += fmt::format("{}{{\"index\":{},\"function\":{{\"arguments\":\"{{}}\"}}}}", pieces.empty() ? "" : ",",
                              &call - calls.data());
    }
    return pieces;
}

}  // namespace tandem::dialect::openai_chat
