#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

#include "base/splitmix.h"
#include "chat/answer.h"
#include "probe/checks.h"
#include "probe/draw.h"
#include "probe/suite.h"
#include "probe/suites/notes.h"
#include "probe/suites/tool_tasks.h"
#include "probe/tasks.h"
#include "probe/wanted.h"

namespace tandem::probe {
namespace {

Subject subject(std::uint64_t seed = 1) {
    return {.context_tokens = 16'384, .can_render = true, .slots = 2, .each = 2, .longest = 0, .seed = seed};
}

std::string asked(const Question& question) {
    return chat::last_user_text(question.at_once[0].request);
}

// What a model says; nothing: an error of its server.
using Model = std::function<chat::Told(const Question&)>;

Outcome answer(const Question& question, const Model& model) {
    std::vector<Heard> heard(question.at_once.size());
    for (auto& one : heard) {
        one.told = model(question);
        one.usage.input.count = static_cast<std::int64_t>(asked(question).size()) / 4;
        one.last = milliseconds(10);
    }
    return question.judge(heard);
}

std::unique_ptr<Suite> run(std::string_view name, const Subject& of, const Model& model) {
    auto suite = find_suite(name)->make(of);
    while (const auto question = suite->next()) suite->take(answer(*question, model));
    return suite;
}

// A model of which only is known how often it is right: by what its prompt is.
std::unique_ptr<Suite> run_noisy(std::string_view name, const Subject& of, std::uint64_t noise,
                                 const std::function<double(std::int64_t tokens)>& share) {
    auto suite = find_suite(name)->make(of);
    SplitMix64 numbers(noise);
    while (const auto question = suite->next()) {
        const auto tokens = static_cast<std::int64_t>(asked(*question).size()) / 4;
        const bool right = static_cast<double>(numbers.next() >> 11U) * 0x1p-53 < share(tokens);
        suite->take({right, {tokens}});
    }
    return suite;
}

Finding find(const Suite& suite, std::string_view name) {
    for (auto& one : suite.findings())
        if (one.name == name) return one;
    return {};
}

chat::Told saying(std::string text) {
    chat::Told told;
    told.text = std::move(text);
    return told;
}

TEST(Suites, ask_the_same_again_after_the_same_outcomes) {
    for (const auto& row : suites()) {
        const auto one = row.make(subject());
        std::vector<Outcome> outcomes;
        std::set<std::string> names;
        SplitMix64 numbers(3);
        while (const auto question = one->next()) {
            const auto again = row.make(subject());
            for (const auto& outcome : outcomes) {
                (void)again->next();
                again->take(outcome);
            }
            const auto same = again->next();
            ASSERT_TRUE(same) << row.name;
            EXPECT_EQ(same->name, question->name);
            EXPECT_EQ(asked(*same), asked(*question));
            EXPECT_TRUE(names.insert(question->name).second) << question->name;
            EXPECT_FALSE(asked(*question).empty() && question->at_once[0].request.messages.empty());
            auto outcome = answer(*question, [](const Question&) { return saying("I do not know."); });
            outcome.passed = numbers.next() % 3 != 0;
            outcomes.push_back(outcome);
            one->take(outcomes.back());
            if (outcomes.size() > 40) break;  // texts get long
        }
        EXPECT_LE(outcomes.size(), one->most()) << row.name;
        EXPECT_GT(outcomes.size(), 0U);
    }
}

TEST(Suites, that_can_be_answered_give_nothing_for_nothing) {
    for (const auto& row : suites()) {
        if (row.name == "speed" || row.name == "compatibility") continue;
        const auto suite = row.make(subject());
        for (int i = 0; i < 10; ++i) {
            const auto question = suite->next();
            if (!question) break;
            EXPECT_NE(answer(*question, [](const Question&) { return saying(""); }).passed, true) << question->name;
            suite->take({true, {}});
        }
    }
}

TEST(Suites, of_another_seed_ask_other_questions) {
    for (const auto& row : suites()) {
        if (row.name == "basics") continue;
        const auto one = row.make(subject(1)), other = row.make(subject(2));
        EXPECT_NE(asked(*one->next()), asked(*other->next())) << row.name;
    }
}

TEST(Suites, go_on_from_what_their_job_has_kept) {
    Way way{2, 17, {{true, {512, -1}, "a \"word\""}, {std::nullopt, {}, ""}, {false, {}, std::string(500, 'x')}}};
    const auto read = way_from(text_of(way));
    EXPECT_EQ(read.suite, 2U);
    EXPECT_EQ(read.before, 17U);
    ASSERT_EQ(read.outcomes.size(), 3U);
    EXPECT_EQ(read.outcomes[0].numbers, (std::vector<std::int64_t>{512, -1}));
    EXPECT_EQ(read.outcomes[0].note, "a \"word\"");
    EXPECT_FALSE(read.outcomes[1].passed);
    EXPECT_EQ(read.outcomes[2].passed, false);
    EXPECT_LE(read.outcomes[2].note.size(), kMostNote + 3);
    EXPECT_EQ(way_from("3").suite, 0U) << "what an older version has noted";
}

// ---- the texts of the suite `context` ----

TEST(Notes, hide_what_is_asked_for_among_others_of_its_form) {
    for (std::size_t kind = 0; kind < kNotesKindNames.size(); ++kind)
        for (int number = 0; number < 10; ++number) {
            const auto made = notes(5, static_cast<NotesKind>(kind), number, 6'000, 0.1 * number);
            const auto question = made.text.substr(made.text.rfind("\n\n") + 2);
            for (const auto form : {" opens with ", " crates to ", "Gauge ", " of house "}) {
                std::size_t count = 0;
                for (auto at = made.text.find(form); at != std::string::npos; at = made.text.find(form, at + 1))
                    ++count;
                EXPECT_GE(count, 6U) << form;
            }
            EXPECT_NEAR(static_cast<double>(made.text.size()), 6'000, 150);
            EXPECT_FALSE(made.right(saying(made.text))) << "who says everything says nothing";
            EXPECT_FALSE(made.right(saying(question)));
        }
}

TEST(Notes, have_questions_without_a_word_of_what_answers_them) {
    for (int number = 0; number < 30; ++number) {
        const auto made = notes(9, NotesKind::unworded, number, 3'000, 0.5);
        const auto cut = made.text.rfind("\n\n");
        const auto trade = words_of(made.text.substr(cut))[3];
        EXPECT_EQ(made.text.substr(0, cut).find(trade), std::string::npos) << trade;
    }
}

// Who is asked for is told of in other notes too, and is not the only one that does rare work.
TEST(Notes, tell_of_nobody_more_or_less_than_of_others) {
    int alone = 0;
    for (int number = 0; number < 20; ++number) {
        const auto made = notes(3, NotesKind::summing, number, 12'000, 0.3);
        const auto question = made.text.substr(made.text.rfind("did ") + 4);
        const auto who = question.substr(0, question.find(' '));
        std::size_t all = 0, brought = 0;
        for (auto at = made.text.find(who); at != std::string::npos; at = made.text.find(who, at + 1)) ++all;
        for (auto at = made.text.find(who + " brought"); at != std::string::npos;
             at = made.text.find(who + " brought", at + 1))
            ++brought;
        EXPECT_EQ(brought, 3U);
        alone += all == brought + 1 ? 1 : 0;
    }
    EXPECT_LE(alone, 5);
}

TEST(Notes, stand_where_they_are_wanted) {
    for (const double depth : {0.05, 0.5, 0.95}) {
        const auto made = notes(7, NotesKind::one, 0, 20'000, depth);
        const auto question = made.text.substr(made.text.rfind("opens the ") + 10);
        const auto which = question.substr(0, question.find('?'));
        const auto at = made.text.find("The " + which + " opens with");
        EXPECT_NEAR(static_cast<double>(at) / static_cast<double>(made.text.size()), depth, 0.03);
    }
}

// ---- what is measured ----

TEST(ContextSuite, is_not_fooled_by_who_says_the_first_or_the_last_number) {
    for (const bool first : {true, false}) {
        const auto suite = run("context", subject(), [first](const Question& question) {
            const auto text = asked(question);
            const auto numbers = numbers_in(text.substr(0, text.rfind("\n\n")));
            return saying(std::to_string(first ? numbers.front() : numbers.back()));
        });
        EXPECT_EQ(find(*suite, "usable").value, 0);
        EXPECT_LE(find(*suite, "usable").asked, 10) << "that is clear early";
    }
}

TEST(ContextSuite, finds_the_length_from_which_on_answers_are_wrong) {
    for (const std::int64_t cut : {1'024, 4'096, 8'192}) {
        const auto suite =
            run_noisy("context", subject(), 1, [cut](std::int64_t tokens) { return tokens <= cut ? 1.0 : 0.4; });
        const auto usable = find(*suite, "usable");
        EXPECT_EQ(usable.value, cut);
        EXPECT_EQ(usable.low, cut);
        EXPECT_EQ(usable.high, 2 * cut - 1);
        ASSERT_EQ(suite->decided().size(), 1U);
        EXPECT_EQ(suite->decided()[0].value, cut);
    }
}

TEST(ContextSuite, holds_the_claim_where_all_of_it_is_good_and_says_nothing_beyond_what_was_asked) {
    const auto good = [](std::int64_t) { return 1.0; };
    const auto all = run_noisy("context", subject(), 1, good);
    EXPECT_EQ(find(*all, "usable").value, 16'384);
    EXPECT_EQ(all->decided().size(), 1U);
    auto part = subject();
    part.longest = 2'048;
    const auto some = run_noisy("context", part, 1, good);
    EXPECT_EQ(find(*some, "usable").value, 2'048);
    EXPECT_TRUE(some->decided().empty());
}

TEST(ContextSuite, gives_a_model_that_fails_when_short_nothing) {
    const auto suite = run_noisy("context", subject(), 4, [](std::int64_t) { return 0.3; });
    EXPECT_EQ(find(*suite, "usable").value, 0);
    EXPECT_EQ(suite->decided()[0].value, 0);
}

TEST(Suites, give_verdicts_within_their_intervals_in_19_of_20_repeats) {
    auto small = subject();
    small.context_tokens = 8'192;
    int context = 0, tools = 0, instructions = 0;
    for (std::uint64_t repeat = 1; repeat <= 20; ++repeat) {
        const auto usable = find(*run_noisy("context", small, repeat * 101,
                                            [](std::int64_t tokens) { return tokens <= 2'048 ? 0.9 : 0.35; }),
                                 "usable");
        context += usable.low <= 2'048 && 2'048 <= usable.high ? 1 : 0;
        EXPECT_LE(usable.low, usable.value);
        EXPECT_GE(usable.high, usable.value);
        const auto seven = [](std::int64_t) { return 0.7; };
        const auto calls = find(*run_noisy("tools", subject(), repeat * 103, seven), "score");
        tools += calls.low <= 700 && 700 <= calls.high ? 1 : 0;
        const auto forms = find(*run_noisy("instructions", subject(), repeat * 107, seven), "score");
        instructions += forms.low <= 700 && 700 <= forms.high ? 1 : 0;
    }
    EXPECT_GE(context, 19);
    EXPECT_GE(tools, 19);
    EXPECT_GE(instructions, 19);
}

TEST(Suites, tell_two_models_of_different_ability_apart) {
    for (const std::string_view name : {"tools", "instructions", "json", "languages"}) {
        const auto strong = find(*run_noisy(name, subject(), 1, [](std::int64_t) { return 0.95; }), "score");
        const auto weak = find(*run_noisy(name, subject(), 2, [](std::int64_t) { return 0.3; }), "score");
        EXPECT_GT(strong.low, weak.high) << name;
    }
    const auto strong = find(*run_noisy("reasoning", subject(), 1, [](std::int64_t) { return 0.97; }), "depth");
    const auto weak = find(*run_noisy("reasoning", subject(), 2, [](std::int64_t) { return 0.3; }), "depth");
    EXPECT_EQ(strong.value, 5);
    EXPECT_EQ(weak.value, 0);
}

// ---- calls of tools ----

TEST(ToolsSuite, decides_how_tools_are_told_best_and_counts_calls_that_nobody_wanted) {
    const auto told = [](bool rendered_works) {
        return run("tools", subject(), [rendered_works](const Question& question) {
            chat::Told told;
            const auto& request = question.at_once[0].request;
            // It calls the first tool always; where it is told in the way that it knows, it says words where none fits.
            const bool knows = *question.at_once[0].renders_tools == rendered_works;
            const bool words = question.name.find("none-fits") != std::string::npos ||
                               question.name.find("forbidden") != std::string::npos;
            if (words && knows) return saying("Good morning.");
            const auto named = request.tool_choice.name;
            told.call(0, named.empty() ? request.tools[0].name : named, "{}", false);
            return told;
        });
    };
    EXPECT_EQ(told(true)->decided()[0].value, catalog::kRendered);
    EXPECT_EQ(told(false)->decided()[0].value, catalog::kNative);
    EXPECT_EQ(find(*told(true), "none-fits").right, find(*told(true), "none-fits").asked);
    const auto silent = run("tools", subject(), [](const Question&) { return saying("I would call a tool."); });
    EXPECT_EQ(silent->decided()[0].value, 0) << "it has none";
    EXPECT_EQ(find(*silent, "score").word, "none");
}

}  // namespace
}  // namespace tandem::probe
