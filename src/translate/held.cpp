// How an answer is held to what its request wants: calls judged by the schemas of their tools, JSON by its own; at
// engines of ours by a grammar besides.
#include <algorithm>

#include "chat/answer.h"
#include "chat/rendered_tools.h"
#include "tools/kept_grammars.h"
#include "tools/reader.h"
#include "translate/conversion.h"
#include "translate/correction.h"

namespace tandem::translate {

namespace {

// A member that llama-server takes beside those of Chat Completions; one that is there already is replaced.
void put(chat::Request& request, std::string_view name, std::string json) {
    std::erase_if(request.extra, [&](const auto& one) { return one.first == name; });
    request.extra.emplace_back(std::string(name), chat::Raw{std::move(json)});
}

const chat::Raw* member(const chat::Request& request, std::string_view name) {
    const auto found = std::ranges::find(request.extra, name, [](const auto& one) { return one.first; });
    return found == request.extra.end() ? nullptr : &found->second;
}

// The tools as a template reads them: a server that is offered them would put a grammar of its own around the answer.
std::string for_template(const chat::Request& request) {
    json::Writer out;
    out.begin_object();
    json::Document given;
    if (const auto* raw = member(request, "chat_template_kwargs"); raw != nullptr && given.parse(raw->json))
        for (const auto one : given.root().children())
            if (one.key() != "tools") out.raw_member(one.key(), one.raw());
    out.key("tools").begin_array();
    for (const auto& tool : request.tools) {
        out.begin_object().member("type", "function").key("function").begin_object().member("name", tool.name);
        if (!tool.description.empty()) out.member("description", tool.description);
        out.raw_member("parameters", tool.parameters.given() ? tool.parameters.json : R"({"type":"object"})");
        out.end_object().end_object();
    }
    return out.end_array().end_object().take();
}

}  // namespace

void correct(const tools::Wrong& wrong, chat::Request& request) {
    chat::Message said{chat::Role::assistant, {}, {}, {}};
    if (wrong.name.empty()) {
        said.parts.push_back({chat::TextPart{wrong.arguments}, {}});
        request.messages.push_back(std::move(said));
        request.messages.push_back(
            {chat::Role::user,
             {{chat::TextPart{"That answer cannot be used: " + wrong.message + ". Answer again."}, {}}},
             {},
             {}});
        return;
    }
    constexpr std::string_view kId = "call_corrected";
    said.parts.push_back(
        {chat::ToolCallPart{std::string(kId), wrong.name, chat::arguments_object(wrong.arguments), false, {}}, {}});
    request.messages.push_back(std::move(said));
    chat::ToolResultPart result;
    result.call_id = kId;
    result.name = wrong.name;
    result.is_error = true;
    result.content.push_back(
        {chat::TextPart{"The call was not made, since its arguments are not such as they must be: " + wrong.message +
                        ". Call again with arguments that are."},
         {}});
    request.messages.push_back({chat::Role::tool, {{std::move(result), {}}}, {}, {}});
}

bool Conversion::wants_hold(const config::Provider& provider) const {
    const auto& request = question_->request;
    if (!provider.kind->takes_grammar || question_->front.operation != Operation::chat) return false;
    // A client that has a grammar of its own knows better.
    if (member(request, "grammar") != nullptr || member(request, "json_schema") != nullptr) return false;
    return !request.tools.empty() || request.response_format.asks_json();
}

void Conversion::hold(chat::Request& request) {
    const bool calls = !request.tools.empty();
    const bool none = request.tool_choice.kind == chat::ToolChoice::Kind::none;
    static tools::KeptGrammars grammars;
    const auto held = calls && !none ? grammars.calls(request) : grammars.answer(request.response_format);
    if (calls && none) {
        // A model that is not told of tools calls none.
        request.tools.clear();
        request.tool_choice = {};
        request.parallel_tool_calls.reset();
    }
    if (!held) return;
    if (calls && !none) {
        put(request, "chat_template_kwargs", for_template(request));
        request.tools.clear();
        request.tool_choice = {};
        request.parallel_tool_calls.reset();
    }
    request.response_format = {};
    put(request, "grammar", json::quoted(held->grammar));
}

void Conversion::judge_calls(const chat::Request& request, const config::Provider& provider) {
    // Who made the dialect reads its own models' calls, if it serves no others.
    const bool knows_its_models = made_the_dialect(provider, kind_of(speaker_)) && !provider.kind->serves_others_models;
    if (knows_its_models || question_->front.operation != Operation::chat) return;
    may_ask_again_ = request.choices <= 1 && !runs_tools_;
    if (request.response_format.kind == chat::ResponseFormat::Kind::json_schema)
        schema_ = request.response_format.schema.json;
    auto offer = std::make_shared<const tools::Offer>(request.tools);
    if (!offer->empty()) offer_ = std::move(offer);
}

std::vector<std::unique_ptr<chat::EventFilter>> Conversion::filters(const std::string& id, bool whole) const {
    std::vector<std::unique_ptr<chat::EventFilter>> list;
    if (auto names = dialect::of(kind_of(speaker_)).names_filter(question_->request)) list.push_back(std::move(names));
    if (same_ && looks_at_calls_) {
        if (!forbids_calls()) list.push_back(tools::written_calls(offer_, id, takes_calls_from_text(), call_notes_));
        list.push_back(chat::id_filter(id));
        list.push_back(tools::held_calls(offer_, holding(whole), call_notes_));
    }
    if (same_) {  // nothing else has to be put right
        if (more_filters_) more_filters_(list);
        return list;
    }
    list.push_back(chat::think_filter(whole));
    if (offer_ && !rendered_ && !forbids_calls())
        list.push_back(tools::written_calls(offer_, id, takes_calls_from_text(), call_notes_));
    if (!stops_.empty()) list.push_back(chat::stop_filter(stops_));
    if (json_in_words_) list.push_back(chat::json_filter());
    if (rendered_) list.push_back(chat::rendered_tools_filter(id));
    list.push_back(chat::id_filter(id));
    list.push_back(chat::arguments_filter());
    if (offer_) list.push_back(tools::held_calls(offer_, holding(whole), call_notes_));
    if (!schema_.empty()) list.push_back(tools::held_json(schema_, holding(whole), call_notes_));
    if (!names_.empty()) list.push_back(chat::name_filter(names_));
    if (thoughts_ != nullptr) list.push_back(thoughts_->watch(owner_, question_->request));
    if (!custom_.empty()) list.push_back(chat::custom_filter(custom_));
    if (more_filters_) more_filters_(list);
    return list;
}

tools::Holding Conversion::holding(bool whole) const {
    const bool others = std::ranges::any_of(
        question_->request.tools, [](const chat::Tool& tool) { return tool.kind != chat::Tool::Kind::function; });
    using Choice = chat::ToolChoice::Kind;
    const auto choice = question_->request.tool_choice.kind;
    const bool named = choice == Choice::named && names_.empty();
    return {.again = may_ask_again_,
            .others = others,
            .whole = whole,
            .must = !others && (choice == Choice::required || choice == Choice::named),
            .none = forbids_calls(),
            .one = question_->request.parallel_tool_calls == false,
            .only = named ? question_->request.tool_choice.name : std::string()};
}

bool Conversion::forbids_calls() const {
    return question_->request.tool_choice.kind == chat::ToolChoice::Kind::none;
}

}  // namespace tandem::translate
