#include "tools/hold.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>

#include "base/json.h"
#include "tools/schema_grammar.h"

namespace tandem::tools {

namespace {

using Choice = chat::ToolChoice::Kind;

constexpr std::string_view kOpen = "<tool_call>", kClose = "</tool_call>";
constexpr std::string_view kFence = "```json\n", kFenceEnd = "\n```";

// Characters of a class, escaped.
std::string in_class(std::string_view characters) {
    std::string out;
    for (const char c : characters) {
        if (c == '\n') {
            out += "\\n";
            continue;
        }
        if (c == ']' || c == '\\' || c == '^' || c == '-' || c == '[') out += '\\';
        out += c;
    }
    return out;
}

std::string chr(char c) {
    return SchemaGrammar::literal(std::string_view(&c, 1));
}

bool is_plain(std::string_view name) {
    return !name.empty() && std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
               c == '.';
    });
}

class CallRules {
  public:
    explicit CallRules(const chat::Request& request) : request_(request) {}

    std::optional<Held> run() {
        if (!add_tools()) return std::nullopt;
        const auto choice = request_.tool_choice.kind;
        const bool must = choice == Choice::required || choice == Choice::named;
        const bool single = choice == Choice::named || request_.parallel_tool_calls == false;
        const auto again = single ? std::string() : " (ws tagged){0,15}";
        grammar_.named("call", R"("{" ws "\"name\"" ws ":" ws )" + named_calls() + R"( ws "}")");
        grammar_.named("tagged",
                       fmt::format("{} ws call ws {}", SchemaGrammar::literal(kOpen), SchemaGrammar::literal(kClose)));
        grammar_.named("more", fmt::format("ws call ws {}{}", SchemaGrammar::literal(kClose), again));
        grammar_.named("fence",
                       fmt::format("{} call {}", SchemaGrammar::literal(kFence), SchemaGrammar::literal(kFenceEnd)));
        until("</think>", "th", "", false);
        grammar_.named("think", SchemaGrammar::literal("<think>") + " th-0 ws");
        std::string body;
        if (request_.response_format.asks_json())
            body = must ? "tagged" + again : answer() + " | tagged" + again;
        else if (must)
            body = fmt::format("tagged{} | call{} | fence", again, single ? "" : " (ws call){0,15}");
        else
            body = free_text(single);
        grammar_.named("body", body);
        if (grammar_.too_large()) return std::nullopt;
        return Held{grammar_.text("think? ws body"), grammar_.relaxed()};
    }

  private:
    struct Tool {
        std::string name, arguments;
    };

    bool add_tools() {
        for (const auto& tool : request_.tools) {
            if (tool.kind != chat::Tool::Kind::function) continue;
            if (request_.tool_choice.kind == Choice::named && tool.name != request_.tool_choice.name) continue;
            documents_.push_back(std::make_unique<json::Document>());
            const bool has = tool.parameters.given() && documents_.back()->parse(tool.parameters.json).has_value();
            const auto root = documents_.back()->root();
            // Arguments are an object whatever a schema leaves out.
            const bool object = has && (root["type"].text() == "object" || root["properties"].exists());
            tools_.push_back({tool.name, object ? grammar_.add(root) : grammar_.any_object()});
        }
        return !tools_.empty();
    }

    // "NAME", and what follows it in the object.
    std::string named_calls() {
        std::string all;
        for (std::size_t i = 0; i < tools_.size(); ++i) {
            grammar_.named(fmt::format("tail-{}", i), R"(ws "," ws "\"arguments\"" ws ":" ws )" + tools_[i].arguments);
            all += fmt::format("{}{} tail-{}", i == 0 ? "" : " | ",
                               SchemaGrammar::literal(json::quoted(tools_[i].name)), i);
        }
        return "(" + all + ")";
    }

    std::string answer() {
        const auto& format = request_.response_format;
        documents_.push_back(std::make_unique<json::Document>());
        if (format.kind == chat::ResponseFormat::Kind::json_schema && documents_.back()->parse(format.schema.json))
            return grammar_.add(documents_.back()->root());
        return grammar_.any_object();
    }

    // Rules NAME-0 to NAME-n for text in which `mark` may stand once, with `then` behind it. `<` begins a mark and
    // stands nowhere else in it. `may_end`: the text may end without it.
    void until(std::string_view mark, std::string_view name, std::string_view then, bool may_end) {
        const std::string end = may_end ? "\"\" | " : "";
        grammar_.named(fmt::format("{}-0", name),
                       may_end ? fmt::format("[^<]* (\"<\" {}-1)?", name) : fmt::format("[^<]* \"<\" {}-1", name));
        for (std::size_t i = 1; i < mark.size(); ++i) {
            const bool last = i + 1 == mark.size();
            const auto next = last ? std::string(then) : fmt::format("{}-{}", name, i + 1);
            grammar_.named(fmt::format("{}-{}", name, i),
                           fmt::format("{}{} {} | \"<\" {}-1 | [^{}<] {}-0", end, chr(mark[i]), next, name,
                                       in_class(mark.substr(i, 1)), name));
        }
    }

    // Text that is free until it begins as a call does.
    std::string free_text(bool single) {
        until(kOpen, "t", "more", true);
        if (!std::ranges::all_of(tools_, [](const Tool& tool) { return is_plain(tool.name); })) return "t-0";
        prefix("p", single ? "" : " (ws call){0,15}");
        prefix("q", SchemaGrammar::literal(kFenceEnd));
        // At the beginning: an object, a fence, or anything else.
        for (std::size_t i = 1; i < kFence.size(); ++i) {
            const auto next = i + 1 == kFence.size() ? std::string("q-0") : fmt::format("f-{}", i + 1);
            grammar_.named(fmt::format("f-{}", i), otherwise({{kFence[i], next}}, {}));
        }
        return otherwise({{'{', "p-1"}, {'`', "f-1"}}, {});
    }

    // One rule of an automaton: the end, these characters and what follows each, the head of a tag, or free text. A
    // character of `loops` leads back to `self`.
    static std::string otherwise(const std::map<char, std::string>& next, std::string_view loops,
                                 std::string_view self = {}) {
        std::string body = "\"\"", known = "<";
        for (const auto& [c, rule] : next) {
            body += " | " + chr(c) + " " + rule;
            known += c;
        }
        if (!loops.empty()) body += fmt::format(" | [{}] {}", in_class(loops), self);
        return body + " | \"<\" t-1 | [^" + in_class(known + std::string(loops)) + "] t-0";
    }

    // Rules NAME-0 and on for an object that may begin as a call does: {"name": "TOOL" with white space between.
    void prefix(const std::string& name, const std::string& after) {
        struct Step {
            char wanted;
            bool blank;  // white space may stand before it
        };
        constexpr Step kSteps[] = {{'{', true},  {'"', true},  {'n', false}, {'a', false}, {'m', false},
                                   {'e', false}, {'"', false}, {':', true},  {'"', true}};
        const auto count = std::size(kSteps);
        for (std::size_t i = 0; i < count; ++i) {
            const auto self = fmt::format("{}-{}", name, i);
            const auto next = i + 1 == count ? name + "-name" : fmt::format("{}-{}", name, i + 1);
            grammar_.named(self, otherwise({{kSteps[i].wanted, next}}, kSteps[i].blank ? " \t\n" : "", self));
        }
        add_names(name + "-name", "", name, after);
    }

    // The names of tools, letter by letter: what is another name is free text.
    void add_names(const std::string& rule, const std::string& start, const std::string& name,
                   const std::string& after) {
        std::map<char, std::string> next;
        for (std::size_t i = 0; i < tools_.size(); ++i) {
            if (tools_[i].name == start)
                next['"'] = fmt::format("tail-{} ws \"}}\"{}", i, after.empty() ? "" : " " + after);
            else if (tools_[i].name.starts_with(start))
                next[tools_[i].name[start.size()]] = {};
        }
        for (auto& [c, follows] : next) {
            if (c == '"') continue;
            follows = fmt::format("{}-n{}", name, names_++);
            add_names(follows, start + c, name, after);
        }
        grammar_.named(rule, otherwise(next, {}));
    }

    const chat::Request& request_;
    SchemaGrammar grammar_;
    std::vector<std::unique_ptr<json::Document>> documents_;
    std::vector<Tool> tools_;
    std::size_t names_ = 0;
};

}  // namespace

std::optional<Held> hold_answer(const chat::ResponseFormat& format) {
    if (!format.asks_json()) return std::nullopt;
    SchemaGrammar grammar;
    json::Document document;
    std::string root = grammar.any_object();
    if (format.kind == chat::ResponseFormat::Kind::json_schema && document.parse(format.schema.json))
        root = grammar.add(document.root());
    if (grammar.too_large()) return std::nullopt;
    return Held{grammar.text(root), grammar.relaxed()};
}

std::optional<Held> hold_calls(const chat::Request& request) {
    if (request.tools.empty() || request.tool_choice.kind == Choice::none) return std::nullopt;
    return CallRules(request).run();
}

}  // namespace tandem::tools
