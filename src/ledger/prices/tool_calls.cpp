#include "ledger/prices/tool_calls.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "ledger/prices/counts.h"

namespace tandem::prices {

bool ToolCalls::may_tell(std::string_view event) {
    static constexpr std::string_view kWords[] = {"_call\"", "server_tool_use", "web_search", "rounding"};
    return std::ranges::any_of(kWords,
                               [&](std::string_view word) { return event.find(word) != std::string_view::npos; });
}

void ToolCalls::note(std::string id, Bucket bucket) {
    if (calls_.size() < kMost || calls_.contains(id)) calls_.insert_or_assign(std::move(id), bucket);
}

// An item is told when it begins and when it is done; only then what a search of the web was. The place in the output
// stands in for an id.
void ToolCalls::take_item(const json::Value& item, const json::Value& place) {
    const auto type = item["type"].text();
    auto id = std::string(item["id"].text().substr(0, 200));
    if (id.empty()) id = fmt::format("at {}", place.integer().value_or(-1));
    if (type == "web_search_call") {
        const auto action = item["action"]["type"].text();
        if (action.empty() || action == "search")
            note(std::move(id), Bucket::web_search);
        else
            forget(id);
    } else if (type == "file_search_call" || type == "document_search_call") {
        note(std::move(id), Bucket::file_search);
    } else if (type == "x_search_call") {
        note(std::move(id), Bucket::x_search);
    } else if (type == "code_interpreter_call" && !item["container_id"].text().empty()) {
        // A fee for each container, whatever number of calls it has.
        note("container " + std::string(item["container_id"].text().substr(0, 200)), Bucket::code_execution);
    }
}

void ToolCalls::take_block(const json::Value& block) {
    const auto type = block["type"].text();
    if (type == "server_tool_use" && block["name"].text() == "web_search")
        note(std::string(block["id"].text().substr(0, 200)), Bucket::web_search);
    if (type == "web_search_tool_result" && block["content"]["type"].text() == "web_search_tool_result_error")
        forget(std::string(block["tool_use_id"].text().substr(0, 200)));
}

void ToolCalls::take_grounding(const json::Value& event) {
    Reading reading;
    read_grounding(event, reading);
    queries_ = std::max(queries_, reading.buckets[Bucket::web_search]);
    maps_ = maps_ || reading.buckets[Bucket::maps_grounding] > 0;
}

void ToolCalls::take(const json::Value& event) {
    const auto type = event["type"].text();
    if (type == "response.output_item.added" || type == "response.output_item.done")
        take_item(event["item"], event["output_index"]);
    else if (type == "content_block_start")
        take_block(event["content_block"]);
    else if (event["candidates"].exists())
        take_grounding(event);
    else if (event["response"]["tools"].exists())
        preview_ = searches_by_preview(event["response"]);
}

Buckets ToolCalls::buckets() const {
    Buckets buckets;
    for (const auto& [id, bucket] : calls_)
        buckets.add(bucket == Bucket::web_search && preview_ ? Bucket::web_search_preview : bucket, 1);
    buckets.add(Bucket::web_search, queries_);
    buckets.add(Bucket::maps_grounding, maps_ ? 1 : 0);
    return buckets;
}

Buckets tools_in(std::string_view stream) {
    ToolCalls calls;
    json::Document document;
    while (!stream.empty()) {
        const auto end = std::min(stream.find('\n'), stream.size());
        auto line = trim(stream.substr(0, end));
        stream.remove_prefix(std::min(end + 1, stream.size()));
        if (line.starts_with("data:")) line = trim(line.substr(5));
        if (ToolCalls::may_tell(line) && document.parse(line)) calls.take(document.root());
    }
    return calls.buckets();
}

}  // namespace tandem::prices
