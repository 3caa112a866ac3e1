#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "probe/checks.h"
#include "probe/draw.h"
#include "probe/suites/feature.h"
#include "probe/suites/notes.h"
#include "probe/suites/tool_tasks.h"

namespace tandem::probe {

namespace {

using Outcomes = std::span<const Outcome>;

constexpr std::int64_t kShort = 24, kUsual = 96, kLong = 400;  // tokens of an answer
constexpr std::int64_t kBound = 8, kSlack = 2;     // tokens that an answer is bound to, and that it may miss
constexpr std::size_t kMostCounted = 10;           // words that fit kBound tokens, for who counts none
constexpr std::size_t kAbandoned = 4;              // streams that are left, or that run beside a question
constexpr std::int64_t kLongestOverflow = 32'768;  // tokens of a claim that is tried to be overrun
constexpr std::size_t kBytesOfToken = 4;           // of notes, at most: the prompt has to be too long
constexpr std::int64_t kReadShare = 85;            // percent of a prompt; fewer that are read were cut
constexpr std::int64_t kContention = 2;  // a question takes so many times as long beside others, to tell anything

Draw draw_for(const Subject& subject, std::string_view feature, Outcomes before) {
    return Draw::of(subject.seed, feature, before.size());
}

Asking asking(chat::Request request) {
    return {.request = std::move(request)};
}

// ---- how long, and where it ends ----

Question ask_max_tokens(const Subject& subject, Outcomes before) {
    auto draw = draw_for(subject, "max tokens", before);
    auto request = request_saying(fmt::format("Write a long story about {} and {}.", draw.name(), draw.name()), kBound);
    return asked_of("max_tokens", asking(std::move(request)), [](const Heard& heard) {
        const auto words = words_of(heard.told.text).size();
        const bool counted = !heard.usage.estimated;
        return Outcome{words <= kMostCounted && (!counted || heard.usage.output.count <= kBound + kSlack), {}};
    });
}

// First as it is said freely; then with a word of that at which it is to stop.
Question ask_stop(const Subject& subject, Outcomes before) {
    constexpr std::string_view kText = "Count from 1 to 30 in words, one after the other.";
    if (before.empty())
        return asked_of("stop, without", asking(request_saying(kText, subject.room(kUsual), R"(,"temperature":0)")),
                        [](const Heard& heard) {
                            const auto words = words_of(heard.told.text);
                            Outcome outcome{true, {}};
                            if (words.size() >= 6) outcome.note = words[words.size() / 2];
                            outcome.numbers.push_back(static_cast<std::int64_t>(heard.told.text.size()));
                            return outcome;
                        });
    const auto word = before[0].note.empty() ? std::string("nine") : before[0].note;
    const auto whole = before[0].numbers.empty() ? 0 : before[0].numbers[0];
    auto request =
        request_saying(kText, subject.room(kUsual), fmt::format(R"(,"temperature":0,"stop":[{}])", json::quoted(word)));
    return asked_of("stop, with", asking(std::move(request)), [word, whole](const Heard& heard) {
        const auto text = lower(heard.told.text);
        if (text.find(word) != std::string::npos) return Outcome{false, {}};
        if (static_cast<std::int64_t>(text.size()) < whole) return Outcome{true, {}};
        return Outcome{std::nullopt, {}};
    });
}

// ---- chance ----

// Three times: with a seed, with the same, and with another one.
Question ask_seed(const Subject& subject, Outcomes before) {
    auto draw = Draw::of(subject.seed, "seed", 0);
    const auto text = fmt::format("Invent a sentence about {} with many unusual words.", draw.name());
    const auto seed = static_cast<std::int64_t>(draw.from(1, 1'000'000)) + (before.size() == 2 ? 1 : 0);
    auto request = request_saying(text, subject.room(kShort), fmt::format(R"(,"temperature":1.5,"seed":{})", seed));
    return asked_of(fmt::format("seed, {}", before.size() + 1), asking(std::move(request)), [](const Heard& heard) {
        return Outcome{true, {}, hex(sha256(heard.told.whole())).substr(0, 16)};
    });
}

Verdict judge_seed(const Subject&, Outcomes outcomes) {
    if (const auto error = failed(outcomes)) return *error;
    if (outcomes[0].note != outcomes[1].note) return Verdict::ignores;
    // A server that always says the same may not have looked at it.
    return outcomes[1].note == outcomes[2].note ? Verdict::unknown : Verdict::honours;
}

// ---- what comes beside the text ----

Question ask_logprobs(const Subject& subject, Outcomes) {
    return asked_of("logprobs", asking(request_saying("Name a fruit.", subject.room(kShort), R"(,"logprobs":true)")),
                    [](const Heard& heard) { return Outcome{heard.told.sure.known(), {}}; });
}

Question ask_choices(const Subject& subject, Outcomes) {
    return asked_of("n", asking(request_saying("Name an animal.", subject.room(kShort), R"(,"n":2)")),
                    [](const Heard& heard) { return Outcome{heard.choices == 2, {}}; });
}

Question ask_stream_usage(const Subject& subject, Outcomes) {
    auto one = asking(request_saying("Name a colour.", subject.room(kShort)));
    one.streamed = true;
    return asked_of("usage in streams", std::move(one),
                    [](const Heard& heard) { return Outcome{!heard.usage.estimated, {}}; });
}

// ---- tools and forms ----

template <ToolTask task>
Question ask_tool_choice(const Subject& subject, Outcomes before) {
    auto made = tool_task(subject.seed, task, static_cast<int>(before.size()), subject.room(kUsual));
    return asked_of(
        fmt::format("tool_choice {}, {}", kToolTaskNames[static_cast<std::size_t>(task)], before.size() + 1),
        asking(std::move(made.request)), [right = std::move(made.right)](const Heard& heard) {
            // A call that was cut at its length is none yet, and no words either.
            const bool cut =
                heard.told.finish == chat::Finish::length && heard.told.calls.empty() && trim(heard.told.text).empty();
            return Outcome{cut ? std::optional<bool>() : right(heard.told), {}};
        });
}

// A schema that nobody meets who is not held to it.
Question ask_schema(const Subject& subject, Outcomes before) {
    auto draw = draw_for(subject, "schema", before);
    const auto names = draw.words(3);
    const auto format = fmt::format(
        R"(,"response_format":{{"type":"json_schema","json_schema":{{"name":"answer","strict":true,"schema":{{"type":"object","properties":{{"{0}":{{"enum":["{1}","{2}"]}}}},"required":["{0}"],"additionalProperties":false}}}}}})",
        names[0], names[1], names[2]);
    auto request = request_saying("What do you think of rain?", subject.room(kUsual), format);
    return asked_of(fmt::format("response_format json_schema, {}", before.size() + 1), asking(std::move(request)),
                    [names](const Heard& heard) {
                        json::Document document;
                        if (!document.parse(trim(heard.told.text))) return Outcome{false, {}};
                        const auto value = document.root()[names[0]].text();
                        return Outcome{value == names[1] || value == names[2], {}};
                    });
}

Question ask_object(const Subject& subject, Outcomes before) {
    auto draw = draw_for(subject, "object", before);
    auto request = request_saying(fmt::format("Tell me of a town called {}, as JSON with its name.", draw.name()),
                                  subject.room(kUsual * 2), R"(,"response_format":{"type":"json_object"})");
    return asked_of(fmt::format("response_format json_object, {}", before.size() + 1), asking(std::move(request)),
                    [](const Heard& heard) {
                        // One that is cut in its middle has begun as one.
                        if (heard.told.finish == chat::Finish::length)
                            return Outcome{trim(heard.told.text).starts_with("{") ? std::optional<bool>() : false, {}};
                        json::Document document;
                        return Outcome{document.parse(trim(heard.told.text)) && document.root().is(json::Kind::object),
                                       {}};
                    });
}

// ---- several, and too much ----

Question ask_parallel(const Subject& subject, Outcomes) {
    auto draw = Draw::of(subject.seed, "parallel", 0);
    const auto words = draw.words(kAbandoned);
    Question question;
    question.name = "parallel streams";
    question.errors = Errors::any;
    for (const auto& word : words) {
        auto one = asking(request_saying(fmt::format("Say the word {} five times, and nothing else.", word),
                                         subject.room(kShort), R"(,"temperature":0)"));
        one.streamed = true;
        question.at_once.push_back(std::move(one));
    }
    question.judge = [words](std::span<const Heard> heard) {
        Outcome outcome{true, {}};
        for (std::size_t i = 0; i < heard.size(); ++i) {
            if (auto failure = failure_of(heard[i])) return std::move(*failure);
            const auto text = lower(heard[i].told.text);
            for (const auto& word : words)
                if (word != words[i] && text.find(word) != std::string::npos)
                    return Outcome{false, {kBroke}, "an answer has another one's word: " + said(heard[i].told)};
            if (trim(text).empty()) return Outcome{false, {kBroke}, "an answer was empty"};
        }
        return outcome;
    };
    return question;
}

// A prompt that is half as long again as the context that is claimed, with something to be said from its beginning.
Question ask_overflow(const Subject& subject, Outcomes) {
    const auto tokens = subject.context_tokens * 3 / 2;
    const auto bytes = static_cast<std::size_t>(tokens) * kBytesOfToken;
    auto made = notes(subject.seed, NotesKind::one, 0, bytes, 0.02);
    const auto sent = static_cast<std::int64_t>(made.text.size() / kBytesOfToken);
    auto one = asking(request_saying(made.text, subject.room(kShort)));
    one.unbounded = true;
    return asked_of("overflow", std::move(one), [sent, right = made.right](const Heard& heard) {
        const bool counted = !heard.usage.estimated && heard.usage.input.count > 0;
        const bool read = counted ? heard.usage.input.count * 100 >= sent * kReadShare : right(heard.told);
        Outcome outcome{read, {heard.usage.input.count, sent}};
        if (!read)
            outcome.note = counted ? fmt::format("it read {} tokens of about {} and said nothing of that",
                                                 heard.usage.input.count, sent)
                                   : "it answered without what stood at the beginning";
        return outcome;
    });
}

// To say that a prompt is too long is what is wanted of a server.
Verdict judge_overflow(const Subject& subject, Outcomes outcomes) {
    const auto failure = failed(outcomes);
    if (failure == Verdict::refuses) return Verdict::honours;
    if (failure) return *failure;
    if (subject.context_tokens == 0) return Verdict::unknown;
    return outcomes[0].passed == true ? Verdict::honours : Verdict::ignores;
}

// ---- the end of work that nobody wants ----

Asking long_stream(const Subject& subject, std::uint64_t number, std::int64_t tokens, bool leaves) {
    auto draw = Draw::of(subject.seed, "left", number);
    auto one =
        asking(request_saying(fmt::format("Write a very long story about {}.", draw.name()), subject.room(tokens)));
    one.streamed = true;
    one.leaves = leaves;
    return one;
}
Asking short_question(const Subject& subject, std::uint64_t number) {
    auto draw = Draw::of(subject.seed, "short", number);
    return asking(request_saying(fmt::format("Say {}.", draw.name()), kBound));
}

// How long a short question takes: alone, beside streams that run, and behind streams that were left.
Question ask_cancel(const Subject& subject, Outcomes before) {
    const auto timed = [](std::span<const Heard> heard) {
        const auto& one = heard.back();
        if (auto failure = failure_of(one)) return std::move(*failure);
        return Outcome{true, {one.last.count(), 0}};
    };
    Question question;
    question.errors = Errors::any;
    question.judge = timed;
    switch (before.size()) {
        case 1:
            question.name = "cancel, beside";
            for (std::size_t i = 0; i < kAbandoned; ++i)
                question.at_once.push_back(long_stream(subject, i, kUsual, false));
            break;
        case 2:
            question.name = "cancel, leave";
            for (std::size_t i = 0; i < kAbandoned; ++i)
                question.at_once.push_back(long_stream(subject, kAbandoned + i, kLong, true));
            question.judge = [](std::span<const Heard>) { return Outcome{true, {}}; };
            return question;
        default:
            question.name = before.empty() ? "cancel, alone" : "cancel, behind";
    }
    question.at_once.push_back(short_question(subject, before.size()));
    return question;
}

Verdict judge_cancel(const Subject&, Outcomes outcomes) {
    if (failed(outcomes)) return Verdict::unknown;
    const auto time = [&](std::size_t step) {
        return outcomes[step].numbers.empty() ? 0 : std::max<std::int64_t>(1, outcomes[step].numbers[0]);
    };
    const auto alone = time(0), beside = time(1), behind = time(3);
    // Where others beside it do not slow it down, nothing can be seen.
    if (beside < alone * kContention) return Verdict::unknown;
    return behind * behind <= alone * beside ? Verdict::honours : Verdict::ignores;
}

constexpr std::array<Feature, 13> kFeatures = {{
    {"max_tokens", 1, ask_max_tokens, all_passed},
    {"stop", 2, ask_stop, all_passed},
    {"seed", 3, ask_seed, judge_seed},
    {"logprobs", 1, ask_logprobs, all_passed},
    {"n", 1, ask_choices, all_passed},
    {"usage in streams", 1, ask_stream_usage, all_passed},
    {"tool_choice required", 2, ask_tool_choice<ToolTask::required>, all_passed},
    {"tool_choice named", 2, ask_tool_choice<ToolTask::named>, all_passed},
    {"tool_choice none", 2, ask_tool_choice<ToolTask::forbidden>, all_passed},
    {"response_format json_schema", 2, ask_schema, all_passed},
    {"response_format json_object", 2, ask_object, all_passed},
    {"parallel streams", 1, ask_parallel, all_passed},
    {"cancel stops work", 4, ask_cancel, judge_cancel},
}};
constexpr Feature kOverflow = {"overflow", 1, ask_overflow, judge_overflow};

}  // namespace

std::vector<const Feature*> features_for(const Subject& subject) {
    std::vector<const Feature*> list;
    for (const auto& feature : kFeatures) list.push_back(&feature);
    if (subject.context_tokens > 0 && subject.context_tokens <= kLongestOverflow) list.push_back(&kOverflow);
    return list;
}

}  // namespace tandem::probe
