#include "chat/told.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "base/json.h"
#include "base/text.h"
#include "chat/answer.h"

namespace tandem::chat {

namespace {

// Members of a schema's "required" that are not in the object.
bool lacks_required(const json::Value& object, const Raw& schema) {
    json::Document document;
    if (!schema.given() || !document.parse(schema.json)) return false;
    for (const auto name : document.root()["required"].children())
        if (name.is(json::Kind::string) && !object[name.text()].exists()) return true;
    return false;
}

bool sound_json(std::string_view text, const ResponseFormat& format) {
    json::Document document;
    if (!document.parse(trim(text))) return false;
    if (format.kind == ResponseFormat::Kind::json_object && !document.root().is(json::Kind::object)) return false;
    return format.kind != ResponseFormat::Kind::json_schema || !document.root().is(json::Kind::object) ||
           !lacks_required(document.root(), format.schema);
}

bool sound_call(const Told::Call& call, const Request& request) {
    const auto tool = std::ranges::find(request.tools, call.name, &Tool::name);
    if (tool == request.tools.end()) {
        // Hosted tools have calls of their own names.
        return std::ranges::any_of(request.tools, [](const Tool& t) { return t.kind == Tool::Kind::hosted; });
    }
    if (call.custom || tool->kind != Tool::Kind::function) return true;
    if (trim(call.arguments).empty()) {
        json::Document nothing;
        return nothing.parse("{}") && !lacks_required(nothing.root(), tool->parameters);
    }
    json::Document document;
    return document.parse(call.arguments) && document.root().is(json::Kind::object) &&
           !lacks_required(document.root(), tool->parameters);
}

// The end says the same again and again.
bool loops(std::string_view text) {
    constexpr std::size_t kTail = 2048, kLongest = 256, kLeast = 240, kTimes = 4;
    if (text.size() < kLeast) return false;
    const auto tail = text.substr(text.size() - std::min(text.size(), kTail));
    for (std::size_t unit = 2; unit <= kLongest && unit * kTimes <= tail.size(); ++unit) {
        std::size_t same = 0;
        while (same + unit < tail.size() && tail[tail.size() - 1 - same] == tail[tail.size() - 1 - same - unit]) ++same;
        if (same + unit >= std::max(kLeast, unit * kTimes)) return true;
    }
    return false;
}

constexpr auto kRefusals = std::to_array<std::string_view>(
    {"i'm sorry, but i can", "i am sorry, but i can", "i'm sorry, i can", "i cannot assist", "i can't assist",
     "i cannot help with", "i can't help with", "i'm unable to", "i am unable to", "as an ai language model",
     "i cannot fulfill", "i can't fulfill", "sorry, but i can't", "es tut mir leid, aber ich kann",
     "je suis d\xC3\xA9sol\xC3\xA9, mais je ne peux", "lo siento, pero no puedo", "mi dispiace, ma non posso"});

constexpr auto kDisputes = std::to_array<std::string_view>({"that's wrong",
                                                            "that is wrong",
                                                            "that's not right",
                                                            "that is not right",
                                                            "that's incorrect",
                                                            "that is incorrect",
                                                            "not correct",
                                                            "you're wrong",
                                                            "you are wrong",
                                                            "this is wrong",
                                                            "wrong answer",
                                                            "that's not what i",
                                                            "that is not what i",
                                                            "try again",
                                                            "doesn't work",
                                                            "does not work",
                                                            "didn't work",
                                                            "you made a mistake",
                                                            "no, that",
                                                            "das ist falsch",
                                                            "stimmt nicht",
                                                            "funktioniert nicht",
                                                            "c'est faux",
                                                            "\xC3\xA7"
                                                            "a ne marche pas",
                                                            "es incorrecto",
                                                            "est\xC3\xA1 mal",
                                                            "no funciona",
                                                            "\xC3\xA8 sbagliato",
                                                            "non funziona"});

constexpr std::size_t kShortTurn = 400;

struct Said {
    std::set<std::string> words, numbers;
};

Said words_and_numbers(std::string_view text) {
    Said said;
    const auto low = lower(text);
    auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0x80; };
    for (std::size_t at = 0; at < low.size();) {
        auto end = at;
        if (is_digit(low[at])) {
            while (end < low.size() && is_digit(low[end])) ++end;
            said.numbers.insert(low.substr(at, end - at));
        } else if (is_letter(low[at])) {
            while (end < low.size() && is_letter(low[end])) ++end;
            if (end - at > 2) said.words.insert(low.substr(at, end - at));
        } else {
            ++end;
        }
        at = end;
    }
    return said;
}

// Jaccard's index; 1 where both are empty.
double shared(const std::set<std::string>& one, const std::set<std::string>& other) {
    const auto both = static_cast<double>(std::ranges::count_if(one, [&](const auto& w) { return other.contains(w); }));
    const auto all = static_cast<double>(one.size() + other.size()) - both;
    return all > 0 ? both / all : 1;
}

}  // namespace

void Sureness::take(const json::Value& logprobs) {
    for (const json::Value token : logprobs["content"].children()) {
        const auto log = token["logprob"].number();
        if (!log || !(*log <= 0)) continue;
        constexpr double kLowest = -20;  // engines write -inf as some number far below
        const double bounded = std::max(*log, kLowest);
        ++tokens;
        doubted += bounded < std::log(0.5) ? 1 : 0;
        logs += bounded;
        least = std::min(least, bounded);
    }
}

double Sureness::mean() const {
    return known() ? std::exp(logs / static_cast<double>(tokens)) : 0;
}

void Told::call(std::size_t index, std::string_view name, std::string_view arguments, bool custom) {
    if (index >= kMostCalls) return;
    if (calls.size() <= index) calls.resize(index + 1);
    if (!name.empty()) calls[index].name = name;
    calls[index].arguments += arguments;
    calls[index].custom = calls[index].custom || custom;
}

std::string Told::whole() const {
    auto all = text;
    for (const auto& one : calls) all += "\n" + one.name + "(" + one.arguments + ")";
    return all;
}

void Told::take(const Event& event) {
    if (const auto* delta = std::get_if<TextDelta>(&event); delta != nullptr && delta->choice == 0) text += delta->text;
    if (const auto* delta = std::get_if<RefusalDelta>(&event); delta != nullptr && delta->choice == 0) refused = true;
    if (const auto* media = std::get_if<MediaSaid>(&event); media != nullptr && media->choice == 0) shown = true;
    if (const auto* delta = std::get_if<ToolCallDelta>(&event); delta != nullptr && delta->choice == 0)
        call(static_cast<std::size_t>(std::max<std::int64_t>(0, delta->index)), delta->name, delta->arguments,
             delta->custom);
    if (const auto* said = std::get_if<Logprobs>(&event); said != nullptr && said->choice == 0) {
        json::Document document;
        if (document.parse(said->json.json)) sure.take(document.root());
    }
    if (const auto* end = std::get_if<Finished>(&event); end != nullptr && end->choice == 0) finish = end->reason;
}

std::string fault_of(const Told& told, const Request& request) {
    if (told.refused || told.finish == Finish::content_filter) return "refused";
    if (told.calls.empty() && trim(told.text).empty()) return told.shown || told.finish == Finish::pause ? "" : "empty";
    if (told.finish == Finish::length && !request.max_output_tokens) return "cut";
    if (std::ranges::any_of(told.calls, [&](const auto& call) { return !sound_call(call, request); }))
        return "tool call";
    if (loops(told.text)) return "loop";
    if (request.response_format.asks_json() && told.calls.empty() && told.finish != Finish::length &&
        !sound_json(told.text, request.response_format))
        return "json";
    if (told.calls.empty() && told.text.size() < kShortTurn) {
        const auto low = lower(trim(told.text));
        if (std::ranges::any_of(kRefusals, [&](auto words) { return low.starts_with(words); })) return "refused";
    }
    return {};
}

double agreement(std::string_view one, std::string_view other) {
    const auto size = std::min(one.size(), other.size());
    const auto of_one = words_and_numbers(one.substr(0, size)), of_other = words_and_numbers(other.substr(0, size));
    const double words = shared(of_one.words, of_other.words);
    if (of_one.numbers.empty() || of_other.numbers.empty()) return words;
    // What is reckoned is what matters: words around a number are alike whatever it is.
    return 0.3 * words + 0.7 * shared(of_one.numbers, of_other.numbers);
}

bool disputes(std::string_view text) {
    if (text.size() > kShortTurn) return false;
    const auto low = lower(text);
    return std::ranges::any_of(kDisputes, [&](auto words) { return low.find(words) != std::string::npos; });
}

}  // namespace tandem::chat
