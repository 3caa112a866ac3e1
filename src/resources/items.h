// The items of responses and conversations, and lists of them in OpenAI's shape. Private to resources/.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "net/message.h"
#include "resources/stored.h"

namespace tandem::resources {

inline constexpr std::size_t kMostListed = 100;
inline constexpr std::size_t kMostListedBytes = 8UL
                                                << 20;  // of the items of one list; the client asks for the next ones
inline constexpr std::size_t kStoredCopies = 2;         // of what is stored on its way to its client

// A JSON array of items that are JSON.
std::string array_of(const std::vector<std::string>& items);
std::int64_t bytes_of(const std::vector<std::string>& items);

// An item with an id; one without gets one that is made from `id`.
std::string with_id(const std::string& item, const std::string& id);
std::string id_of_item(const std::string& item);  // empty where there is none

// What a request's `limit`, `after` and `order` ask for.
ItemsAsked asked_for(const net::Request& request);
std::string list_object(const SomeItems& some);
// Those of all items, in their order, that are asked for.
std::string listed(std::vector<std::string> items, const ItemsAsked& asked);

// What a request for a list of files or batches asks for, at most `most` entries at once. Errors: invalid, for a limit
// or an order that is none.
Result<ListAsked> list_asked_for(const net::Request& request, std::size_t usual, std::size_t most);

// A part of a list in OpenAI's shape.
template <typename T>
std::string list_of(const Page<T>& page, std::string (*object)(const T&)) {
    json::Writer out;
    out.begin_object().member("object", "list").key("data").begin_array();
    for (const auto& entry : page.entries) out.raw(object(entry));
    out.end_array().key("first_id");
    if (page.entries.empty())
        out.null().key("last_id").null();
    else
        out.value(page.entries.front().id).member("last_id", page.entries.back().id);
    out.member("has_more", page.more).end_object();
    return out.take();
}

// What a client hears of something that it has deleted.
std::string deleted(const std::string& id, std::string_view object);

}  // namespace tandem::resources
