#include "dialect/web_search.h"

#include "base/json.h"
#include "dialect/fields.h"

namespace tandem::dialect {

namespace {

// What limits a search, as the client's dialect says it: OpenAI has `filters`, Anthropic lists beside the type.
struct Limits {
    chat::Raw allowed, blocked, location;
};

Limits limits_of(const json::Value& tool) {
    const json::Value filters = tool["filters"];
    auto list = [&](const char* name) {
        const json::Value value = given(filters[name]) ? filters[name] : tool[name];
        return value.size() > 0 ? raw_of(value) : chat::Raw{};
    };
    return {list("allowed_domains"), list("blocked_domains"), raw_of(tool["user_location"])};
}

}  // namespace

chat::Tool::Service service_of(std::string_view type) {
    const bool search = type == "web_search" || type.starts_with("web_search_2") ||
                        type.starts_with("web_search_preview") || type == "googleSearch" || type == "google_search";
    return search ? chat::Tool::Service::web_search : chat::Tool::Service::other;
}

std::optional<std::string> web_search_for(const chat::Tool& tool, Speaker target) {
    json::Document document;
    const Limits limits = document.parse(tool.hosted.json) ? limits_of(document.root()) : Limits{};
    json::Writer out;
    switch (target) {
        case Speaker::openai_responses:
            if (limits.blocked.given()) return std::nullopt;
            out.begin_object().member("type", "web_search");
            if (limits.allowed.given())
                out.key("filters").begin_object().raw_member("allowed_domains", limits.allowed.json).end_object();
            break;
        case Speaker::anthropic:
            out.begin_object().member("type", "web_search_20250305").member("name", "web_search");
            write_raw(out, "allowed_domains", limits.allowed);
            write_raw(out, "blocked_domains", limits.blocked);
            break;
        case Speaker::gemini:
            if (limits.allowed.given() || limits.blocked.given()) return std::nullopt;
            return R"({"googleSearch":{}})";
        case Speaker::openai_chat:
        case Speaker::llama_server:
        case Speaker::ollama:
            return std::nullopt;
    }
    write_raw(out, "user_location", limits.location);
    out.end_object();
    return out.take();
}

}  // namespace tandem::dialect
