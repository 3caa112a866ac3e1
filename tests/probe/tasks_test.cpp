#include "probe/tasks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <set>

#include "chat/answer.h"

namespace tandem::probe {
namespace {

const Task& find(const std::vector<Task>& list, const std::string& id) {
    return *std::ranges::find(list, id, &Task::id);
}

bool passes(const Task& task, const std::string& text) {
    chat::Told told;
    told.text = text;
    return task.passed(told);
}

std::string asked(const Task& task) {
    return chat::last_user_text(task.request_to("m"));
}

TEST(Tasks, are_requests_that_every_model_gets_alike) {
    const auto all = tasks(kMostEach, false);
    EXPECT_EQ(all.size(), kKinds.size() * kMostEach);
    std::set<std::string> ids;
    for (const auto& task : all) {
        const auto request = task.request_to("a \"model\"");
        EXPECT_EQ(request.model, "a \"model\"");
        EXPECT_FALSE(chat::last_user_text(request).empty()) << task.rest;
        EXPECT_TRUE(request.max_output_tokens) << task.rest;
        EXPECT_TRUE(ids.insert(task.id).second);
        EXPECT_FALSE(passes(task, "")) << task.id;
        EXPECT_FALSE(passes(task, "I'm sorry, but I can't help with that.")) << task.id;
    }
    const auto few = tasks(2, false);
    for (std::size_t i = 0; i < few.size(); ++i) EXPECT_EQ(few[i].rest, all[i].rest);
    EXPECT_NE(tasks(1, true)[0].rest, all[0].rest) << "room to think";
}

TEST(Tasks, of_numbers_take_the_last_one_that_is_said) {
    const auto all = tasks(8, false);
    for (const auto& task : all) {
        if (task.kind != "reading") continue;
        const auto text = asked(task);
        std::smatch found;
        ASSERT_TRUE(std::regex_search(text, found, std::regex(R"(locker is (\d+)\.)")));
        const auto number = found[1].str();
        EXPECT_TRUE(passes(task, number));
        EXPECT_TRUE(passes(task, "Not 17, but **" + number + "**."));
        EXPECT_TRUE(passes(task, number.substr(0, 1) + "," + number.substr(1) + ".00"));
        EXPECT_FALSE(passes(task, number + "1"));
        EXPECT_FALSE(passes(task, number + " of 20"));
    }
    const auto& jars = find(all, "arithmetic-1");
    std::smatch n;
    const auto text = asked(jars);
    ASSERT_TRUE(std::regex_search(text, n, std::regex(R"((\d+) boxes.* (\d+) jars\. (\d+) jars)")));
    EXPECT_TRUE(passes(jars, std::to_string(std::stoi(n[1]) * std::stoi(n[2]) - std::stoi(n[3]))));
}

TEST(Tasks, of_form_want_that_and_nothing_else) {
    const auto all = tasks(4, false);
    const auto& capitals = find(all, "format-1");
    auto words = asked(capitals).substr(asked(capitals).find(": ") + 2);
    EXPECT_FALSE(passes(capitals, words));
    std::ranges::transform(words, words.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    EXPECT_TRUE(passes(capitals, "\"" + words + "\"\n"));
    EXPECT_FALSE(passes(capitals, "Here you are: " + words));

    const auto& person = find(all, "json-1");
    std::smatch found;
    const auto text = asked(person);
    ASSERT_TRUE(
        std::regex_search(text, found, std::regex(R"(town: (\w+), who turned (\d+) last week, lives in (\w+))")));
    const auto right =
        R"({"name":")" + found[1].str() + R"(","age":)" + found[2].str() + R"(,"town":")" + found[3].str();
    EXPECT_TRUE(passes(person, right + "\"}"));
    EXPECT_FALSE(passes(person, right + R"(","cats":2})"));
    EXPECT_FALSE(passes(person, "```json\n" + right + "\"}\n```"));

    const auto& timer = find(all, "tools-1");
    const auto wish = asked(timer);
    ASSERT_TRUE(std::regex_search(wish, found, std::regex(R"(of (\d+) minutes with the name (\w+))")));
    chat::Told told;
    told.call(0, "set_timer", R"({"minutes":)" + found[1].str() + R"(,"name":")" + found[2].str() + "\"}", false);
    EXPECT_TRUE(timer.passed(told));
    auto twice = told;
    twice.call(1, "set_timer", "{}", false);
    EXPECT_FALSE(timer.passed(twice));
    told.calls[0].name = "get_weather";
    EXPECT_FALSE(timer.passed(told));
}

}  // namespace
}  // namespace tandem::probe
