// Whether answers in JSON hold: any JSON that is asked for in words, and such as a schema wants. What counts is that
// the answer parses, that it is valid by the schema, and that the values are those of the text.
#include "base/json.h"

#include <fmt/format.h>

#include "base/text.h"
#include "probe/checks.h"
#include "probe/draw.h"
#include "probe/scored.h"
#include "probe/suites.h"
#include "schema/schema.h"

namespace tandem::probe {

namespace {

constexpr std::int64_t kAnswer = 256;  // tokens
constexpr int kRounds = 6;
constexpr std::array<std::string_view, 4> kStates = {"new", "packed", "sent", "lost"};

// An order in words, and as JSON.
struct Order {
    std::string who, town, state;
    int number;
    std::vector<std::pair<std::string, int>> items;

    explicit Order(Draw& draw)
        : who(draw.name()), town(draw.name()), state(draw.one_of(kStates)), number(draw.from(1'000, 9'999)) {
        const int count = draw.from(2, 3);
        for (int i = 0; i < count; ++i) items.emplace_back(draw.word(), draw.from(2, 40));
    }
    std::string text() const {
        auto out = fmt::format("Order {} of {} from {} is {}. It has", number, who, town, state);
        for (std::size_t i = 0; i < items.size(); ++i)
            out += fmt::format("{} {} of {}", i == 0 ? "" : " and", items[i].second, items[i].first);
        return out + ".";
    }
};

bool has_head(const json::Value& root, const Order& order) {
    return root["number"].integer() == order.number && root["name"].text() == order.who &&
           root["town"].text() == order.town;
}

bool has_items(const json::Value& items, const Order& order) {
    if (items.size() != order.items.size()) return false;
    std::size_t at = 0;
    for (const json::Value item : items.children()) {
        const auto& [what, count] = order.items[at++];
        if (item["what"].text() != what || item["count"].integer() != count) return false;
    }
    return true;
}

std::string format_of(std::string_view schema) {
    return fmt::format(
        R"(,"response_format":{{"type":"json_schema","json_schema":{{"name":"order","strict":true,"schema":{}}}}})",
        schema);
}

constexpr std::string_view kFlat =
    R"({"type":"object","properties":{"number":{"type":"integer"},"name":{"type":"string"},"town":{"type":"string"},"state":{"enum":["new","packed","sent","lost"]}},"required":["number","name","town","state"],"additionalProperties":false})";
constexpr std::string_view kNested =
    R"({"type":"object","properties":{"number":{"type":"integer"},"name":{"type":"string"},"town":{"type":"string"},"items":{"type":"array","items":{"type":"object","properties":{"what":{"type":"string"},"count":{"type":"integer"}},"required":["what","count"],"additionalProperties":false}}},"required":["number","name","town","items"],"additionalProperties":false})";

// Valid by the schema where there is one, and right.
std::function<bool(const chat::Told&)> holds(std::string_view schema,
                                             std::function<bool(const json::Value&)> is_right) {
    return [schema, is_right = std::move(is_right)](const chat::Told& told) {
        json::Document document;
        if (!document.parse(trim(told.text))) return false;
        if (!schema.empty()) {
            const auto read = schema::Schema::compile(schema);
            if (!read || !read->check(document.root()).valid()) return false;
        }
        return is_right(document.root());
    };
}

Question plain(const Subject& subject, int number) {
    auto draw = Draw::of(subject.seed, "plain", static_cast<std::uint64_t>(number));
    const Order order(draw);
    return ask_one(fmt::format("object-{}", number + 1),
                   request_saying(order.text() + " Give this as a JSON object with the members number (an integer), "
                                                 "name and town, and nothing else.",
                                  subject.room(kAnswer), R"(,"response_format":{"type":"json_object"})"),
                   holds({}, [order](const json::Value& root) { return has_head(root, order); }));
}

Question flat(const Subject& subject, int number) {
    auto draw = Draw::of(subject.seed, "flat", static_cast<std::uint64_t>(number));
    const Order order(draw);
    return ask_one(
        fmt::format("schema-{}", number + 1),
        request_saying(order.text() + " Give the order as JSON: its number, the name, the town and the state.",
                       subject.room(kAnswer), format_of(kFlat)),
        holds(kFlat, [order](const json::Value& root) {
            return has_head(root, order) && root["state"].text() == order.state;
        }));
}

Question nested(const Subject& subject, int number) {
    auto draw = Draw::of(subject.seed, "nested", static_cast<std::uint64_t>(number));
    const Order order(draw);
    return ask_one(fmt::format("nested-{}", number + 1),
                   request_saying(order.text() + " Give the order as JSON: its number, the name, the town and its "
                                                 "items, in this order, each with what it is and how many.",
                                  subject.room(kAnswer), format_of(kNested)),
                   holds(kNested, [order](const json::Value& root) {
                       return has_head(root, order) && has_items(root["items"], order);
                   }));
}

}  // namespace

std::unique_ptr<Suite> make_json(const Subject& subject) {
    std::vector<Scored::Group> groups;
    groups.push_back({"object", [subject](int number) { return plain(subject, number); }});
    groups.push_back({"schema", [subject](int number) { return flat(subject, number); }});
    groups.push_back({"nested", [subject](int number) { return nested(subject, number); }});
    return std::make_unique<Scored>(std::move(groups), kRounds);
}

}  // namespace tandem::probe
