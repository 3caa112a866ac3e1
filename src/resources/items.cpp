#include "resources/items.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "dialect/fields.h"

namespace tandem::resources {

using json::Value;

std::string array_of(const std::vector<std::string>& items) {
    return "[" + join(items, ",") + "]";
}

std::string with_id(const std::string& item, const std::string& id) {
    json::Document document;
    if (!document.parse(item) || document.root()["id"].string()) return item;
    const auto type = document.root()["type"].string().value_or("message");
    const auto* prefix = type == "function_call" ? "fc" : type == "function_call_output" ? "fco" : "msg";
    std::vector<std::pair<std::string_view, std::string>> members = {
        {"id", json::quoted(fmt::format("{}_{}", prefix, id))}};
    if (!document.root()["type"].exists()) members.emplace_back("type", "\"message\"");
    // A message that came as a string is shown as its part.
    const Value content = document.root()["content"];
    if (const auto text = content.string())
        members.emplace_back("content", fmt::format("[{{\"type\":\"{}_text\",\"text\":{}}}]",
                                                    document.root()["role"].text() == "assistant" ? "output" : "input",
                                                    json::quoted(*text)));
    return dialect::with_members(document.root(), members);
}

std::string id_of_item(const std::string& item) {
    json::Document document;
    return document.parse(item) ? std::string(document.root()["id"].text()) : std::string();
}

ItemsAsked asked_for(const net::Request& request) {
    const auto limit = std::clamp<std::size_t>(
        static_cast<std::size_t>(whole_number(request.parameter("limit")).value_or(20)), 1, kMostListed);
    return {request.parameter("after"), request.parameter("order") == "asc", limit, kMostListedBytes};
}

Result<ListAsked> list_asked_for(const net::Request& request, std::size_t usual, std::size_t most) {
    ListAsked asked{request.parameter("after"), false, usual};
    if (const auto said = request.parameter("limit"); !said.empty()) {
        const auto limit = whole_number(said);
        if (!limit || *limit < 1 || static_cast<std::size_t>(*limit) > most)
            return fail(Fault::invalid_parameter,
                        fmt::format("limit: expected a number from 1 to {}, got '{}'", most, printable(said, 40)),
                        "limit");
        asked.limit = static_cast<std::size_t>(*limit);
    }
    const auto order = request.parameter("order");
    if (!order.empty() && order != "asc" && order != "desc")
        return fail(Fault::invalid_parameter,
                    fmt::format("order: expected asc or desc, got '{}'", printable(order, 40)), "order");
    asked.ascending = order == "asc";
    return asked;
}

std::string list_object(const SomeItems& some) {
    json::Writer out;
    out.begin_object().member("object", "list").raw_member("data", array_of(some.items)).key("first_id");
    if (some.items.empty())
        out.null().key("last_id").null();
    else
        out.value(id_of_item(some.items.front())).member("last_id", id_of_item(some.items.back()));
    out.member("has_more", some.more).end_object();
    return out.take();
}

std::string listed(std::vector<std::string> items, const ItemsAsked& asked) {
    if (!asked.ascending) std::ranges::reverse(items);
    if (!asked.after.empty()) {
        const auto place = std::ranges::find(items, asked.after, id_of_item);
        if (place != items.end()) items.erase(items.begin(), place + 1);
    }
    std::size_t count = 0, bytes = 0;
    while (count < std::min(items.size(), asked.limit) && (count == 0 || bytes + items[count].size() <= asked.bytes))
        bytes += items[count++].size();
    const bool more = items.size() > count;
    items.resize(count);
    return list_object({std::move(items), more});
}

std::string deleted(const std::string& id, std::string_view object) {
    json::Writer out;
    out.begin_object().member("id", id).member("object", object).member("deleted", true).end_object();
    return out.take();
}

std::int64_t bytes_of(const std::vector<std::string>& items) {
    std::int64_t bytes = 0;
    for (const auto& item : items) bytes += static_cast<std::int64_t>(item.size());
    return bytes;
}

}  // namespace tandem::resources
