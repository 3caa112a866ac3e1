#include "probe/tasks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/json.h"
#include "base/text.h"
#include "dialect/openai_chat.h"
#include "probe/checks.h"
#include "probe/draw.h"

namespace tandem::probe {

namespace {

using chat::Told;

constexpr std::array<std::string_view, 8> kNames = {"Nora", "Ilja", "Marta", "Tomas", "Aiko", "Samir", "Lena", "Petra"};
constexpr std::array<std::string_view, 8> kTowns = {"Bergen", "Basel", "Turin", "Ghent",
                                                    "Porto",  "Graz",  "Tartu", "Galway"};
constexpr std::array<std::string_view, 8> kThings = {"lamp", "stone",  "river",  "candle",
                                                     "rope", "pencil", "window", "basket"};

std::string request(std::string_view text, std::int64_t most, std::string_view more = "") {
    json::Writer messages;
    messages.begin_array().begin_object().member("role", "user").member("content", text).end_object().end_array();
    return fmt::format("\"messages\":{},\"max_tokens\":{}{}}}", messages.text(), most, more);
}

std::function<bool(const Told&)> ends_with_number(std::int64_t wanted) {
    return [wanted](const Told& told) { return last_number(told.text) == wanted; };
}

std::function<bool(const Told&)> says(std::string wanted) {
    return [wanted = std::move(wanted)](const Told& told) { return bare(told.text) == wanted; };
}

Task arithmetic(Draw& draw, int number, std::int64_t room) {
    const int a = draw.from(6, 24), b = draw.from(3, 12), c = draw.from(2, 17);
    const auto who = draw.one_of(kNames);
    constexpr auto kEnd = " Think in a few short steps, and end with the number alone.";
    std::string text;
    std::int64_t answer = 0;
    switch (number % 4) {
        case 0:
            text = fmt::format(
                "A crate holds {} boxes, and each box holds {} jars. {} jars are broken. How many are "
                "whole?",
                a, b, c);
            answer = a * b - c;
            break;
        case 1:
            text = fmt::format(
                "{} reads {} pages on each of {} days, and {} pages on the day after. How many pages is "
                "that?",
                who, a, b, c);
            answer = a * b + c;
            break;
        case 2:
            text = fmt::format(
                "{} people share {} coins evenly, and {} gets {} more from a friend. How many coins "
                "does {} have then?",
                b, a * b, who, c, who);
            answer = a + c;
            break;
        default:
            text = fmt::format(
                "A shop sells {} tickets in the morning and twice as many in the afternoon. {} are given "
                "back. How many are sold in the end?",
                a, c);
            answer = 3 * a - c;
    }
    return {{}, {}, request(text + kEnd, room), ends_with_number(answer)};
}

Task code(Draw& draw, int number, std::int64_t room) {
    const int a = draw.from(8, 20), b = draw.from(2, 4);
    std::string text = "What does this Python program print? Reply with what it prints and nothing else.\n\n";
    std::int64_t answer = 0;
    switch (number % 3) {
        case 0:
            text += fmt::format("total = 0\nfor n in range({}):\n    if n % {} == 0:\n        total += n\nprint(total)",
                                a, b);
            for (int n = 0; n < a; ++n) answer += n % b == 0 ? n : 0;
            break;
        case 1: {
            text +=
                fmt::format("x = {}\nsteps = 0\nwhile x > 1:\n    x = x // {}\n    steps += 1\nprint(steps)", a * 7, b);
            for (int x = a * 7; x > 1; x /= b) ++answer;
            break;
        }
        default: {
            const auto one = draw.one_of(kThings), two = draw.one_of(kThings), three = draw.one_of(kThings);
            text += fmt::format("words = [\"{}\", \"{}\", \"{}\"]\nprint(sum(len(w) for w in words if len(w) > 4))",
                                one, two, three);
            for (const auto word : {one, two, three})
                answer += word.size() > 4 ? static_cast<std::int64_t>(word.size()) : 0;
        }
    }
    return {{}, {}, request(text, room), ends_with_number(answer)};
}

Task extraction(Draw& draw, int number, std::int64_t room) {
    const auto order = fmt::format("{}{}-{}", static_cast<char>('A' + draw.from(0, 25)),
                                   static_cast<char>('A' + draw.from(0, 25)), draw.from(10'000, 99'999));
    const auto invoice = fmt::format("R{}", draw.from(100'000, 999'999));
    const auto who = draw.one_of(kNames), town = draw.one_of(kTowns);
    const int amount = draw.from(20, 900);
    const auto letter = fmt::format(
        "Dear team,\n\nabout my order {} (invoice {}): the {} came broken to {}. I paid {} euros on the {}th of May. "
        "Please send a new one.\n\n{}",
        order, invoice, draw.one_of(kThings), town, amount, draw.from(4, 20), who);
    struct Asked {
        std::string_view what;
        std::string answer;
    };
    const std::array<Asked, 4> asked = {
        Asked{"the number of the order", order}, Asked{"the number of the invoice", invoice},
        Asked{"the name of the town", std::string(town)}, Asked{"the name of the writer", std::string(who)}};
    const auto& one = asked[static_cast<std::size_t>(number) % asked.size()];
    return {{},
            {},
            request(fmt::format("{}\n\n---\nWhat is {}? Reply with it alone.", letter, one.what), room),
            says(one.answer)};
}

Task format(Draw& draw, int number, std::int64_t room) {
    std::vector<std::string_view> words;
    while (words.size() < 3)
        if (const auto word = draw.one_of(kThings); std::ranges::find(words, word) == words.end())
            words.push_back(word);
    const auto list = fmt::format("{}, {}, {}", words[0], words[1], words[2]);
    switch (number % 3) {
        case 0: {
            std::string big;
            for (const char c : list) big += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
            return {{},
                    {},
                    request(fmt::format("Write these words in capital letters, separated by a comma and a "
                                        "space, and nothing else: {}",
                                        list),
                            room),
                    says(big)};
        }
        case 1:
            return {{},
                    {},
                    request(fmt::format("Write these words in the reverse order, separated by a comma and a "
                                        "space, and nothing else: {}",
                                        list),
                            room),
                    says(fmt::format("{}, {}, {}", words[2], words[1], words[0]))};
        default:
            return {{},
                    {},
                    request(fmt::format("Write the second of these words, and nothing else: {}", list), room),
                    says(std::string(words[1]))};
    }
}

Task json_by_schema(Draw& draw, int, std::int64_t room) {
    const std::string who(draw.one_of(kNames)), town(draw.one_of(kTowns));
    const int age = draw.from(19, 88);
    constexpr auto kFormat =
        R"(,"response_format":{"type":"json_schema","json_schema":{"name":"person","strict":true,"schema":{"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"},"town":{"type":"string"}},"required":["name","age","town"],"additionalProperties":false}}})";
    auto passed = [who, town, age](const Told& told) {
        json::Document document;
        if (!document.parse(trim(told.text))) return false;
        const auto root = document.root();
        return root.size() == 3 && root["name"].text() == who && root["age"].integer() == age &&
               root["town"].text() == town;
    };
    return {{},
            {},
            request(fmt::format("Give this as JSON with name, age and town: {}, who turned {} last week, lives "
                                "in {} with two cats.",
                                who, age, town),
                    room, kFormat),
            passed};
}

Task language(Draw& draw, int number, std::int64_t room) {
    struct Line {
        std::string_view text, language;
        std::array<std::string_view, 2> wanted;  // in lower case
    };
    constexpr std::array kLines = {Line{"The house is red.", "German", {"haus", "rot"}},
                                   Line{"The water is cold.", "French", {"eau", "froid"}},
                                   Line{"My sister has a dog.", "Spanish", {"hermana", "perro"}},
                                   Line{"The night is long.", "Italian", {"notte", "lung"}},
                                   Line{"Der Brief ist schwer.", "English", {"letter", "heavy"}},
                                   Line{"Le pain est sur la table.", "English", {"bread", "table"}},
                                   Line{"The bird sings.", "Portuguese", {"canta", "p"}},
                                   Line{"Where is the station?", "German", {"wo", "bahnhof"}}};
    const auto& line =
        number < static_cast<int>(kLines.size()) ? kLines[static_cast<std::size_t>(number)] : draw.one_of(kLines);
    return {
        {},
        {},
        request(fmt::format("Translate into {}, and reply with the translation alone: {}", line.language, line.text),
                room),
        [wanted = line.wanted](const Told& told) {
            const auto low = lower(told.text);
            return low.size() < 200 &&
                   std::ranges::all_of(
                       wanted, [&](std::string_view word) { return low.find(word) != std::string::npos; });
        }};
}

// One sentence in many; the texts get longer, up to some 4,000 tokens.
Task reading(Draw& draw, int number, std::int64_t room) {
    constexpr std::array<std::string_view, 6> kDoes = {"paints the fence", "waters the beans", "mends the roof",
                                                       "feeds the geese",  "sweeps the yard",  "oils the gate"};
    constexpr std::array<std::string_view, 5> kDays = {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday"};
    constexpr std::array<std::string_view, 4> kColours = {"blue", "green", "white", "brown"};
    constexpr std::array<int, 4> kSentences = {30, 80, 160, 320};
    const int sentences = kSentences[static_cast<std::size_t>(number) % kSentences.size()];
    const int at = draw.from(sentences / 5, sentences * 4 / 5), secret = draw.from(1'000, 9'999);
    const auto colour = draw.one_of(kColours);
    std::string text;
    for (int i = 0; i < sentences; ++i) {
        if (i == at) text += fmt::format("The number of the {} locker is {}. ", colour, secret);
        text += fmt::format("{} of house {} {} on {}. ", draw.one_of(kNames), draw.from(1, 99), draw.one_of(kDoes),
                            draw.one_of(kDays));
    }
    return {
        {},
        {},
        request(fmt::format("{}\n\nWhat is the number of the {} locker? Reply with the number alone.", text, colour),
                room),
        ends_with_number(secret)};
}

Task tools(Draw& draw, int number, std::int64_t room) {
    constexpr auto kTools =
        R"(,"tools":[{"type":"function","function":{"name":"set_timer","description":"Starts a timer.","parameters":{"type":"object","properties":{"minutes":{"type":"integer"},"name":{"type":"string"}},"required":["minutes","name"]}}},{"type":"function","function":{"name":"get_weather","description":"The weather in a town now.","parameters":{"type":"object","properties":{"town":{"type":"string"}},"required":["town"]}}}])";
    const bool timer = number % 2 == 0;
    const int minutes = draw.from(3, 55);
    const std::string thing(draw.one_of(kThings)), town(draw.one_of(kTowns));
    auto passed = [timer, minutes, thing, town](const Told& told) {
        if (told.calls.size() != 1 || told.calls[0].name != (timer ? "set_timer" : "get_weather")) return false;
        json::Document document;
        if (!document.parse(told.calls[0].arguments)) return false;
        const auto root = document.root();
        if (!timer) return lower(root["town"].text()).starts_with(lower(town));
        return root["minutes"].integer() == minutes && lower(root["name"].text()).find(thing) != std::string::npos;
    };
    const auto text = timer ? fmt::format("Start a timer of {} minutes with the name {}.", minutes, thing)
                            : fmt::format("Do I need an umbrella in {} now?", town);
    return {{}, {}, request(text, room, kTools), passed};
}

}  // namespace

chat::Request Task::request_to(std::string_view model) const {
    json::Document document;
    const auto parsed = document.parse("{\"model\":\"any\"," + rest);
    auto request = parsed ? dialect::openai_chat::decode_request(document) : fail(parsed.error());
    if (!request) return {};  // what tasks() writes is a request
    request->model = model;
    return std::move(*request);
}

std::vector<Task> tasks(int each, bool thinks) {
    constexpr std::array<Task (*)(Draw&, int, std::int64_t), kKinds.size()> kMakers = {
        arithmetic, code, extraction, format, json_by_schema, language, reading, tools};
    constexpr std::int64_t kRoom = 160, kRoomToReckon = 320, kRoomToThink = 4'096;
    std::vector<Task> list;
    for (int number = 0; number < std::clamp(each, 1, kMostEach); ++number)
        for (std::size_t kind = 0; kind < kKinds.size(); ++kind) {
            Draw draw(static_cast<std::uint64_t>(kind) * 1'000 + static_cast<std::uint64_t>(number) + 1);
            auto task = kMakers[kind](draw, number, thinks ? kRoomToThink : kind == 0 ? kRoomToReckon : kRoom);
            task.kind = kKinds[kind];
            task.id = fmt::format("{}-{}", task.kind, number + 1);
            list.push_back(std::move(task));
        }
    return list;
}

}  // namespace tandem::probe
