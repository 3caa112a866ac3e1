#include "probe/suites/tool_tasks.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/text.h"
#include "probe/checks.h"
#include "probe/draw.h"

namespace tandem::probe {

namespace {

enum class Takes { number, town, thing };

// A tool of one argument, and what somebody says who wants it called with `{}`.
struct Plain {
    std::string_view name, about, argument;
    Takes takes;
    std::string_view wish;
};
constexpr std::array<Plain, 24> kPlain = {{
    {"get_weather", "The weather in a town now.", "town", Takes::town, "Do I need an umbrella in {} today?"},
    {"set_timer", "Starts a timer.", "minutes", Takes::number, "Tell me when {} minutes have passed."},
    {"book_train", "Books a seat in the next train to a town.", "town", Takes::town, "I have to go to {} by rail."},
    {"set_heating", "Sets the heating of the house.", "degrees", Takes::number, "I want it to be {} degrees in here."},
    {"add_to_shopping_list", "Puts something on the shopping list.", "item", Takes::thing,
     "We have no {} any more, note that I have to buy some."},
    {"dim_lights", "Sets how bright the lamps are.", "percent", Takes::number, "Make the lamps {} percent bright."},
    {"find_hotel", "Hotels in a town.", "town", Takes::town, "Where could I sleep in {}?"},
    {"play_song", "Plays a song by its title.", "title", Takes::thing, "I want to hear the song {}."},
    {"start_washing", "Starts the washing machine.", "degrees", Takes::number, "Wash my shirts at {} degrees."},
    {"call_person", "Calls a person by phone.", "name", Takes::thing, "Ring up {} for me."},
    {"population_of", "How many people live in a town.", "town", Takes::town, "How many inhabitants has {}?"},
    {"open_window", "Opens the window of a floor.", "floor", Takes::number, "Let fresh air in on floor {}."},
    {"translate_word", "A word in French.", "word", Takes::thing, "What is {} in French?"},
    {"water_garden", "Waters the garden.", "liters", Takes::number, "Give my plants {} liters."},
    {"find_restaurant", "Restaurants in a town.", "town", Takes::town, "Where can one eat well in {}?"},
    {"lock_door", "Locks a door by its number.", "door", Takes::number, "Nobody shall come through door {} any more."},
    {"search_recipe", "Recipes with an ingredient.", "ingredient", Takes::thing, "What could I cook with {}?"},
    {"time_in_town", "What time it is in a town.", "town", Takes::town, "Is it night in {} now?"},
    {"read_meter", "Reads a power meter by its number.", "meter", Takes::number, "What does power meter {} say?"},
    {"remind_of", "Reminds of something tomorrow.", "what", Takes::thing, "I must not forget the {} tomorrow."},
    {"air_quality", "How clean the air of a town is.", "town", Takes::town, "Is the air in {} clean?"},
    {"track_parcel", "Where a parcel is.", "parcel", Takes::number, "When will parcel {} be here?"},
    {"rent_bicycle", "Rents a bicycle in a town.", "town", Takes::town, "I would like to cycle through {}."},
    {"define_word", "What a word means.", "word", Takes::thing, "What is the meaning of {}?"},
}};

// What no tool is for.
constexpr std::array<std::string_view, 8> kIdle = {
    "Thank you, that was kind of you.",
    "Write two lines that rhyme about the sea.",
    "What is the sum of 12 and 30?",
    "Say good morning to me.",
    "Which of the two is heavier, a stone or a feather?",
    "Explain in one sentence why the sky is blue.",
    "What is the opposite of cold?",
    "Tell me in a few words what a poem is.",
};

std::string definition(std::string_view name, std::string_view about, std::string_view parameters) {
    return fmt::format(R"({{"type":"function","function":{{"name":{},"description":{},"parameters":{}}}}})",
                       json::quoted(name), json::quoted(about), parameters);
}

std::string definition(const Plain& tool) {
    return definition(tool.name, tool.about,
                      fmt::format(R"({{"type":"object","properties":{{"{}":{{"type":"{}"}}}},"required":["{}"]}})",
                                  tool.argument, tool.takes == Takes::number ? "integer" : "string", tool.argument));
}

// A value for a tool's argument.
std::string value_for(Draw& draw, const Plain& tool) {
    switch (tool.takes) {
        case Takes::number:
            return std::to_string(draw.from(11, 97));
        case Takes::town:
            return draw.name();
        default:
            return draw.word();
    }
}

bool has(const json::Value& value, const std::string& wanted) {
    return value.is(json::Kind::number) ? value.text() == wanted : lower(value.text()) == lower(wanted);
}

bool calls(const chat::Told::Call& call, const Plain& tool, const std::string& value) {
    json::Document arguments;
    return call.name == tool.name && arguments.parse(call.arguments) && has(arguments.root()[tool.argument], value);
}

bool answers_in_words(const chat::Told& told) {
    return told.calls.empty() && !trim(told.text).empty();
}

class Maker {
  public:
    Maker(std::uint64_t seed, ToolTask task, int number, std::int64_t room)
        : draw_(Draw::of(seed, kToolTaskNames[static_cast<std::size_t>(task)], static_cast<std::uint64_t>(number))),
          number_(number),
          room_(room) {
        for (const auto& tool : kPlain) offered_.push_back(&tool);
        draw_.shuffle(offered_);
    }

    MadeTask choice(std::size_t tools, std::string_view more = "") {
        offered_.resize(tools);
        const auto& tool = *draw_.one_of(offered_);
        const auto value = value_for(draw_, tool);
        return {ask(fmt::format(fmt::runtime(tool.wish), value), more), [&tool, value](const chat::Told& told) {
                    return told.calls.size() == 1 && calls(told.calls[0], tool, value);
                }};
    }

    MadeTask arguments() {
        const auto from = draw_.name(), to = draw_.name();
        const int people = draw_.from(2, 9);
        const bool quiet = draw_.from(0, 1) == 0;
        const auto kind = draw_.one_of(std::array<std::string_view, 3>{"train", "ship", "bus"});
        own_.push_back(definition(
            "book_journey", "Books a journey.",
            R"({"type":"object","properties":{"from":{"type":"string"},"to":{"type":"string"},"people":{"type":"integer"},"by":{"enum":["train","ship","bus"]},"quiet":{"type":"boolean"}},"required":["from","to","people","by","quiet"]})"));
        offered_.resize(3);
        const auto text = fmt::format("Book a journey by {} from {} to {} for {} people, {} a quiet place.", kind, from,
                                      to, people, quiet ? "in" : "not in");
        return {ask(text), [=, kind = std::string(kind)](const chat::Told& told) {
                    json::Document given;
                    if (told.calls.size() != 1 || told.calls[0].name != "book_journey" ||
                        !given.parse(told.calls[0].arguments))
                        return false;
                    const auto root = given.root();
                    return has(root["from"], from) && has(root["to"], to) && root["people"].integer() == people &&
                           root["by"].text() == kind && root["quiet"].boolean() == quiet;
                }};
    }

    MadeTask parallel() {
        const auto& tool = kPlain[0];
        std::erase(offered_, &tool);
        offered_.resize(2);
        offered_.push_back(&tool);
        const auto towns = draw_.names(2);
        return {ask(fmt::format("What is the weather in {} and in {}? Ask for both at once.", towns[0], towns[1])),
                [towns](const chat::Told& told) {
                    if (told.calls.size() != 2) return false;
                    const auto is = [&](std::size_t a, std::size_t b) {
                        return calls(told.calls[a], kPlain[0], towns[0]) && calls(told.calls[b], kPlain[0], towns[1]);
                    };
                    return is(0, 1) || is(1, 0);
                }};
    }

    MadeTask none_fits() {
        offered_.resize(4);
        return {ask(kIdle[static_cast<std::size_t>(number_ + draw_.from(0, 3)) % kIdle.size()]), answers_in_words};
    }

    MadeTask turns() {
        const auto who = draw_.name();
        const int id = draw_.from(1'000, 9'999);
        own_.push_back(definition("find_customer", "The number of a customer by the name.",
                                  R"({"type":"object","properties":{"name":{"type":"string"}},"required":["name"]})"));
        own_.push_back(
            definition("send_parcel", "Sends a parcel to a customer.",
                       R"({"type":"object","properties":{"customer":{"type":"integer"}},"required":["customer"]})"));
        offered_.resize(2);
        const auto messages = fmt::format(
            R"([{{"role":"user","content":{}}},{{"role":"assistant","content":null,"tool_calls":[{{"id":"call_1","type":"function","function":{{"name":"find_customer","arguments":{}}}}}]}},{{"role":"tool","tool_call_id":"call_1","content":{}}}])",
            json::quoted(fmt::format("Send a parcel to {}.", who)),
            json::quoted(fmt::format(R"({{"name":"{}"}})", who)),
            json::quoted(fmt::format(R"({{"name":"{}","customer":{}}})", who, id)));
        return {request_of(messages, room_, members("")), [id](const chat::Told& told) {
                    json::Document given;
                    return told.calls.size() == 1 && told.calls[0].name == "send_parcel" &&
                           given.parse(told.calls[0].arguments) && given.root()["customer"].integer() == id;
                }};
    }

    // What is said fits none of the tools well, so that the choice alone makes a call of it.
    MadeTask required() {
        offered_.resize(3);
        std::vector<std::string> names;
        for (const auto* tool : offered_) names.emplace_back(tool->name);
        return {ask(kIdle[static_cast<std::size_t>(number_) % kIdle.size()], R"(,"tool_choice":"required")"),
                [names](const chat::Told& told) {
                    return !told.calls.empty() && std::ranges::all_of(told.calls, [&](const auto& call) {
                        return std::ranges::find(names, call.name) != names.end();
                    });
                }};
    }

    MadeTask named() {
        offered_.resize(3);
        const std::string name(offered_[1]->name);
        const auto wish = fmt::format(fmt::runtime(offered_[0]->wish), value_for(draw_, *offered_[0]));
        return {ask(wish, fmt::format(R"(,"tool_choice":{{"type":"function","function":{{"name":"{}"}}}})", name)),
                [name](const chat::Told& told) {
                    return !told.calls.empty() &&
                           std::ranges::all_of(told.calls, [&](const auto& call) { return call.name == name; });
                }};
    }

    MadeTask forbidden() {
        auto made = choice(3, R"(,"tool_choice":"none")");
        made.right = answers_in_words;
        return made;
    }

    MadeTask nested() {
        const auto who = draw_.name();
        const auto things = draw_.words(2);
        const int first = draw_.from(2, 30), second = draw_.from(2, 30);
        own_.push_back(definition(
            "place_order", "Orders goods for a customer.",
            R"({"type":"object","properties":{"customer":{"type":"object","properties":{"name":{"type":"string"}},"required":["name"]},"lines":{"type":"array","items":{"type":"object","properties":{"article":{"type":"string"},"count":{"type":"integer"}},"required":["article","count"]}}},"required":["customer","lines"]})"));
        offered_.resize(2);
        const auto text = fmt::format("Order {} of {} and {} of {} for {}.", first, things[0], second, things[1], who);
        return {ask(text), [=](const chat::Told& told) {
                    json::Document given;
                    if (told.calls.size() != 1 || told.calls[0].name != "place_order" ||
                        !given.parse(told.calls[0].arguments))
                        return false;
                    const auto root = given.root();
                    if (!has(root["customer"]["name"], who) || root["lines"].size() != 2) return false;
                    std::size_t at = 0;
                    for (const json::Value line : root["lines"].children()) {
                        if (!has(line["article"], things[at]) || line["count"].integer() != (at == 0 ? first : second))
                            return false;
                        ++at;
                    }
                    return true;
                }};
    }

  private:
    // The tools in any order, and what else the request says.
    std::string members(std::string_view more) {
        auto all = own_;
        for (const auto* tool : offered_) all.push_back(definition(*tool));
        draw_.shuffle(all);
        return fmt::format(R"(,"temperature":0,"tools":[{}]{})", join(all, ","), more);
    }
    chat::Request ask(std::string_view text, std::string_view more = "") {
        return request_saying(text, room_, members(more));
    }

    Draw draw_;
    int number_;
    std::int64_t room_;
    std::vector<const Plain*> offered_;
    std::vector<std::string> own_;
};

constexpr std::size_t kFew = 4;

}  // namespace

MadeTask tool_task(std::uint64_t seed, ToolTask task, int number, std::int64_t room) {
    Maker maker(seed, task, number, room);
    switch (task) {
        case ToolTask::choice:
            return maker.choice(kFew);
        case ToolTask::arguments:
            return maker.arguments();
        case ToolTask::parallel:
            return maker.parallel();
        case ToolTask::none_fits:
            return maker.none_fits();
        case ToolTask::turns:
            return maker.turns();
        case ToolTask::required:
            return maker.required();
        case ToolTask::named:
            return maker.named();
        case ToolTask::forbidden:
            return maker.forbidden();
        case ToolTask::nested:
            return maker.nested();
        default:
            return maker.choice(kPlain.size());
    }
}

}  // namespace tandem::probe
