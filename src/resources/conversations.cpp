#include "resources/conversations.h"

#include <fmt/format.h>

#include "dialect/fields.h"
#include "resources/items.h"
#include "resources/quotas.h"
#include "resources/stored.h"
#include "resources/turn.h"
#include "store/query.h"

namespace tandem::resources {

namespace {

using dialect::given;
using json::Value;
using Answer = Result<std::string>;

constexpr std::size_t kLargestMetadata = 16 * 1024;

std::string conversation_object(const Conversation& c) {
    json::Writer out;
    out.begin_object().member("id", c.id).member("object", "conversation").member("created_at", c.created);
    out.raw_member("metadata", c.metadata.empty() ? "{}" : c.metadata).end_object();
    return out.take();
}

Result<std::vector<std::string>> items_in(const Value& items, const std::string& id) {
    std::vector<std::string> list;
    if (!given(items)) return list;
    if (!items.is(json::Kind::array)) return fail(Fault::invalid_field, "items: expected a list", "items");
    for (const Value item : items.children()) {
        if (!item.is(json::Kind::object)) return fail(Fault::invalid_field, "items: expected objects", "items");
        list.push_back(with_id(std::string(item.raw()), fmt::format("{}_{}", id, list.size())));
    }
    return list;
}

// What a client puts into a conversation is labelled like a request.
Label label_of(const gateway::Call& call, const json::Document& document) {
    privacy::Labelled labelled;
    labelled.raise(call.who.label, "key");
    labelled.raise(call.said.label, "header x-tandem-label");
    privacy::label_by_content(*call.snapshot->detector, document, call.snapshot->config->privacy.detect, labelled);
    return labelled.label;
}

// What a client brings for a conversation, and the memory that it takes.
struct Brought {
    Held memory;
    json::Document document;
    Label label = Label::public_;
    json::Value root() const { return document.root(); }
};

// The body of a request that may have none.
net::Task<Result<>> bring(gateway::Services& services, const gateway::Call& call, Brought& brought) {
    const std::string_view body = call.request().body.empty() ? "{}" : std::string_view(call.request().body);
    const auto weight = gateway::weight_of(body);
    auto room = services.memory.take(MemoryKind::document, call.who.id(), weight, gateway::is_small(weight));
    if (!room) co_return fail(room.error());
    brought.memory = std::move(*room);
    co_return co_await in_turn(services, call.who.id(), body.size(), [&call, &brought, body]() -> Result<> {
        if (auto ok = brought.document.parse(body); !ok) return ok;
        if (brought.root()["metadata"].raw().size() > kLargestMetadata)
            return fail(Fault::field_too_large, fmt::format("metadata: at most {} bytes are kept", kLargestMetadata),
                        "metadata");
        brought.label = label_of(call, brought.document);
        return {};
    });
}

net::Task<Result<Conversation>> conversation_of(gateway::Gateway& gateway, const gateway::Call& call) {
    co_return co_await store::query<Conversation>(gateway.services().store,
                                                  [key = call.who.id(), id = call.parts[0]](store::Database& database) {
                                                      return find_conversation(database, key, id);
                                                  });
}

}  // namespace

net::Task<Answer> create_conversation(gateway::Gateway& gateway, const gateway::Call& call) {
    auto& services = gateway.services();
    Brought brought;
    if (auto ok = co_await bring(services, call, brought); !ok) co_return fail(ok.error());
    const auto fresh = services.new_id();
    auto items = items_in(brought.root()["items"], fresh);
    if (!items) co_return fail(items.error());
    const Value metadata = brought.root()["metadata"];
    Conversation c{"conv_" + fresh, call.who.id(), brought.label, services.unix_seconds(),
                   given(metadata) ? std::string(metadata.raw()) : "{}"};
    auto done = co_await store::change(
        services.store,
        [c, quota = quota_of(call.who), items = std::move(*items)](store::Database& database) -> Result<> {
            if (auto ok = check_conversation(database, c.key, quota); !ok) return ok;
            if (auto ok = put(database, c); !ok) return ok;
            if (auto ok = check_items(database, c.id, quota, bytes_of(items)); !ok) return ok;
            return add_items(database, c.id, items, c.label);
        });
    if (!done) co_return fail(done.error());
    co_return conversation_object(c);
}

net::Task<Answer> read_conversation(gateway::Gateway& gateway, const gateway::Call& call) {
    auto found = co_await conversation_of(gateway, call);
    if (!found) co_return fail(found.error());
    co_return conversation_object(*found);
}

net::Task<Answer> update_conversation(gateway::Gateway& gateway, const gateway::Call& call) {
    Brought brought;
    if (auto ok = co_await bring(gateway.services(), call, brought); !ok) co_return fail(ok.error());
    auto found = co_await conversation_of(gateway, call);
    if (!found) co_return fail(found.error());
    if (const Value metadata = brought.root()["metadata"]; given(metadata)) found->metadata = metadata.raw();
    found->label = higher(found->label, brought.label);
    auto done = co_await store::change(gateway.services().store,
                                       [c = *found](store::Database& database) { return put(database, c); });
    if (!done) co_return fail(done.error());
    co_return conversation_object(*found);
}

net::Task<Answer> delete_conversation(gateway::Gateway& gateway, const gateway::Call& call) {
    const auto& id = call.parts[0];
    auto done = co_await store::change(gateway.services().store, [key = call.who.id(), id](store::Database& database) {
        return remove_conversation(database, key, id);
    });
    if (!done) co_return fail(done.error());
    co_return deleted(id, "conversation.deleted");
}

net::Task<Answer> add_conversation_items(gateway::Gateway& gateway, const gateway::Call& call) {
    Brought brought;
    if (auto ok = co_await bring(gateway.services(), call, brought); !ok) co_return fail(ok.error());
    auto found = co_await conversation_of(gateway, call);
    if (!found) co_return fail(found.error());
    auto items = items_in(brought.root()["items"], gateway.services().new_id());
    if (!items) co_return fail(items.error());
    auto done = co_await store::change(gateway.services().store,
                                       [id = found->id, items = *items, label = brought.label,
                                        quota = quota_of(call.who)](store::Database& database) -> Result<> {
                                           if (auto ok = check_items(database, id, quota, bytes_of(items)); !ok)
                                               return ok;
                                           return add_items(database, id, items, label);
                                       });
    if (!done) co_return fail(done.error());
    co_return listed(std::move(*items), {{}, true, kMostListed, kMostListedBytes});
}

net::Task<Answer> list_conversation_items(gateway::Gateway& gateway, const gateway::Call& call) {
    auto found = co_await conversation_of(gateway, call);
    if (!found) co_return fail(found.error());
    auto& services = gateway.services();
    const auto bytes = kStoredCopies * std::min(static_cast<std::size_t>(found->bytes), kMostListedBytes);
    auto room = services.memory.take(MemoryKind::answer, call.who.id(), bytes, bytes <= MemoryAccount::kSmall);
    if (!room) co_return fail(room.error());
    auto some = co_await store::query<SomeItems>(
        services.store, [id = found->id, asked = asked_for(call.request())](store::Database& database) {
            return some_items_of(database, id, asked);
        });
    if (!some) co_return fail(some.error());
    co_return list_object(*some);
}

net::Task<Answer> read_conversation_item(gateway::Gateway& gateway, const gateway::Call& call) {
    auto found = co_await conversation_of(gateway, call);
    if (!found) co_return fail(found.error());
    co_return co_await store::query<std::string>(
        gateway.services().store,
        [id = found->id, item = call.parts[1]](store::Database& database) { return find_item(database, id, item); });
}

net::Task<Answer> delete_conversation_item(gateway::Gateway& gateway, const gateway::Call& call) {
    auto found = co_await conversation_of(gateway, call);
    if (!found) co_return fail(found.error());
    auto done = co_await store::change(
        gateway.services().store,
        [id = found->id, item = call.parts[1]](store::Database& database) { return remove_item(database, id, item); });
    if (!done) co_return fail(done.error());
    co_return conversation_object(*found);
}

}  // namespace tandem::resources
