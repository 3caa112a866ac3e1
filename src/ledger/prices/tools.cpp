// Tools that ran at the provider and have a fee of their own.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "ledger/prices/counts.h"
#include "ledger/prices/tool_calls.h"

namespace tandem::prices {

namespace {

// Responses: each call is an item of the output. Of the web's only searches have a fee, not a page that is opened; the
// interpreter has one for each container, not for each call.
void read_output_items(const json::Value& body, Reading& reading) {
    std::set<std::string, std::less<>> containers;
    std::int64_t searches = 0, files = 0;
    bool pictures = count_of(at(body, "tool_usage.image_gen.total_tokens"), "image_gen", reading).value_or(0) > 0;
    for (const auto item : body["output"].children()) {
        const auto type = item["type"].text();
        if (type == "web_search_call") {
            const auto action = item["action"]["type"].text();
            if (action.empty() || action == "search") ++searches;
        } else if (type == "file_search_call") {
            ++files;
        } else if (type == "code_interpreter_call") {
            containers.emplace(item["container_id"].text());
        } else if (type == "image_generation_call") {
            pictures = true;
        }
    }
    if (pictures) reading.warn("the pictures that a tool made are billed by a model of their own: not counted");
    reading.buckets.add(searches_by_preview(body) ? Bucket::web_search_preview : Bucket::web_search, searches);
    reading.buckets.add(Bucket::file_search, files);
    reading.buckets.add(Bucket::code_execution, static_cast<std::int64_t>(containers.size()));
}

}  // namespace

bool searches_always(std::string_view model) {
    return model.find("-search-preview") != std::string_view::npos ||
           model.find("-search-api") != std::string_view::npos;
}

bool searches_by_preview(const json::Value& response) {
    bool preview = false, newer = false;
    for (const auto tool : response["tools"].children()) {
        const auto type = tool["type"].text();
        preview = preview || type.starts_with("web_search_preview");
        newer = newer || type == "web_search" || type.starts_with("web_search_2");
    }
    return preview && !newer;
}

void read_grounding(const json::Value& body, Reading& reading) {
    std::int64_t queries = 0, maps = 0;
    for (const auto candidate : body["candidates"].children()) {
        auto grounding = candidate["groundingMetadata"];
        if (!grounding.exists()) grounding = candidate["grounding_metadata"];
        auto said = grounding["webSearchQueries"];
        if (!said.exists()) said = grounding["web_search_queries"];
        for (const auto query : said.children())
            if (!query.text().empty()) ++queries;
        auto chunks = grounding["groundingChunks"];
        if (!chunks.exists()) chunks = grounding["grounding_chunks"];
        for (const auto chunk : chunks.children())
            if (chunk["maps"].exists()) maps = 1;
    }
    reading.buckets.add(Bucket::web_search, queries);
    reading.buckets.add(Bucket::maps_grounding, maps);
}

void read_tools(const Source& source, Reading& reading) {
    Counts counts(source.usage, reading);
    auto& buckets = reading.buckets;
    const auto at_xai = counts.has("server_side_tool_usage_details");
    if (at_xai) {
        const auto of = [&](std::string_view name) {
            return counts.count_or_0({fmt::format("server_side_tool_usage_details.{}", name)});
        };
        buckets.add(Bucket::web_search, of("web_search_calls"));
        buckets.add(Bucket::x_search, of("x_search_calls"));
        buckets.add(Bucket::code_execution, of("code_interpreter_calls"));
        buckets.add(Bucket::file_search, of("file_search_calls") + of("document_search_calls"));
        return;
    }
    buckets.add(Bucket::search_sources, counts.count_or_0({"num_sources_used"}));
    const auto searches =
        counts.count({"server_tool_use.web_search_requests", "server_tool_use_details.web_search_requests",
                      "tool_calls_details.search_web.invocation"});
    if (searches) {
        buckets.add(Bucket::web_search, *searches);
        return;
    }
    read_output_items(source.body, reading);
    read_grounding(source.body, reading);
    // These models search the web for each request, and each is billed as one search.
    const auto& model = reading.model.empty() ? source.hints.model : reading.model;
    if (searches_always(model) && source.body["choices"].exists() && buckets[Bucket::web_search] == 0)
        buckets.add(Bucket::web_search, 1);
}

}  // namespace tandem::prices
