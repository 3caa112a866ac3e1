#include "chat/answer.h"

#include <algorithm>

#include "base/json.h"
#include "base/json_mend.h"
#include "base/text.h"

namespace tandem::chat {

Choice& Assembler::choice(std::int64_t index) {
    const auto place = static_cast<std::size_t>(std::clamp<std::int64_t>(index, 0, kMostChoices - 1));
    if (answer_.choices.size() <= place) {
        answer_.choices.resize(place + 1);
        open_.resize(place + 1);
    }
    return answer_.choices[place];
}

// The last part, if it is of this type, or a new one.
template <typename T>
T& Assembler::last(std::int64_t index) {
    auto& parts = choice(index).parts;
    if (parts.empty() || !parts.back().as<T>()) parts.push_back({T{}, {}});
    return *parts.back().as<T>();
}

namespace {

void cite(TextPart& text, const Cited& cited) {
    const auto end = text.text.size();
    text.citations.push_back({end - std::min(end, cited.bytes), end, cited.source});
}

}  // namespace

void Assembler::take(const Event& event) {
    if (const auto* started = std::get_if<Started>(&event)) {
        answer_.id = started->id;
        answer_.model = started->model;
    } else if (const auto* text = std::get_if<TextDelta>(&event)) {
        last<TextPart>(text->choice).text += text->text;
    } else if (const auto* cited = std::get_if<Cited>(&event)) {
        cite(last<TextPart>(cited->choice), *cited);
    } else if (const auto* refusal = std::get_if<RefusalDelta>(&event)) {
        last<RefusalPart>(refusal->choice).text += refusal->text;
    } else if (const auto* said = std::get_if<MediaSaid>(&event)) {
        choice(said->choice).parts.push_back(part_of(said->media));
    } else if (const auto* reasoning = std::get_if<ReasoningDelta>(&event)) {
        auto& parts = choice(reasoning->choice).parts;
        auto& open = open_[static_cast<std::size_t>(&choice(reasoning->choice) - answer_.choices.data())];
        if (open.reasoning_closed || parts.empty() || !parts.back().as<ReasoningPart>()) {
            ReasoningPart part;
            part.dialect = dialect_;
            parts.push_back({std::move(part), {}});
        }
        open.reasoning_closed = false;
        parts.back().as<ReasoningPart>()->text += reasoning->text;
    } else if (const auto* ended = std::get_if<ReasoningEnd>(&event)) {
        auto& parts = choice(ended->choice).parts;
        auto& open = open_[static_cast<std::size_t>(&choice(ended->choice) - answer_.choices.data())];
        // Its part is the last reasoning that is still open; without one it is a part of its own.
        auto found = std::find_if(parts.rbegin(), parts.rend(), [](const Part& p) { return p.as<ReasoningPart>(); });
        if (open.reasoning_closed || found == parts.rend()) {
            ReasoningPart part;
            part.dialect = dialect_;
            parts.push_back({std::move(part), {}});
            found = parts.rbegin();
        }
        auto& part = *found->as<ReasoningPart>();
        part.signature += ended->signature;
        part.redacted = part.redacted || ended->redacted;
        open.reasoning_closed = true;
    } else if (const auto* call = std::get_if<ToolCallDelta>(&event)) {
        auto& parts = choice(call->choice).parts;
        auto& calls = open_[static_cast<std::size_t>(&choice(call->choice) - answer_.choices.data())].calls;
        const auto [place, fresh] = calls.try_emplace(call->index, parts.size());
        if (fresh) parts.push_back({ToolCallPart{}, {}});
        auto& part = *parts[place->second].as<ToolCallPart>();
        if (part.id.empty()) part.id = call->id;
        if (part.name.empty()) part.name = call->name;
        part.custom = part.custom || call->custom;
        part.arguments += call->arguments;
    } else if (const auto* logprobs = std::get_if<Logprobs>(&event)) {
        // Pieces of {"content":[...]} become one.
        auto& whole = choice(logprobs->choice).logprobs.json;
        json::Document a, b;
        if (whole.empty() || !a.parse(whole) || !b.parse(logprobs->json.json)) {
            whole = logprobs->json.json;
            return;
        }
        json::Writer out;
        out.begin_object().key("content").begin_array();
        for (const json::Value entry : a.root()["content"].children()) out.raw(entry.raw());
        for (const json::Value entry : b.root()["content"].children()) out.raw(entry.raw());
        out.end_array().end_object();
        whole = out.take();
    } else if (const auto* finished = std::get_if<Finished>(&event)) {
        choice(finished->choice).finished = *finished;
    } else if (const auto* used = std::get_if<Used>(&event)) {
        answer_.usage = used->usage;
    } else if (const auto* failed = std::get_if<Failed>(&event)) {
        answer_.failed = failed->error;
    }
}

namespace {

void add_text(const TextPart& text, std::int64_t choice, std::vector<Event>& events) {
    std::size_t said = 0;
    for (const auto& citation : text.citations) {
        if (citation.end > said) events.emplace_back(TextDelta{choice, text.text.substr(said, citation.end - said)});
        said = std::max(said, citation.end);
        events.emplace_back(Cited{choice, citation.end - citation.begin, citation.source});
    }
    if (said < text.text.size() || text.citations.empty())
        events.emplace_back(TextDelta{choice, text.text.substr(said)});
}

}  // namespace

std::vector<Event> events_of(const Answer& answer) {
    std::vector<Event> events;
    for (std::size_t i = 0; i < answer.choices.size(); ++i) {
        const auto& choice = answer.choices[i];
        const auto index = static_cast<std::int64_t>(i);
        std::int64_t calls = 0;
        for (const auto& part : choice.parts) {
            if (const auto* text = part.as<TextPart>()) {
                add_text(*text, index, events);
            } else if (const auto* refusal = part.as<RefusalPart>()) {
                events.emplace_back(RefusalDelta{index, refusal->text});
            } else if (const auto* reasoning = part.as<ReasoningPart>()) {
                if (!reasoning->text.empty()) events.emplace_back(ReasoningDelta{index, reasoning->text});
                events.emplace_back(ReasoningEnd{index, reasoning->signature, reasoning->redacted});
            } else if (const auto* call = part.as<ToolCallPart>()) {
                events.emplace_back(ToolCallDelta{index, calls, call->id, call->name, call->arguments, call->custom});
                events.emplace_back(ToolCallEnd{index, calls++});
            } else if (const auto* media = media_of(part)) {
                events.emplace_back(MediaSaid{index, *media});
            }
        }
        if (choice.logprobs.given()) events.emplace_back(Logprobs{index, choice.logprobs});
        if (choice.finished) events.emplace_back(*choice.finished);
    }
    if (answer.usage) events.emplace_back(Used{*answer.usage});
    if (answer.failed) events.emplace_back(Failed{*answer.failed});
    return events;
}

Part part_of(Media media) {
    if (media.media_type.starts_with("image/")) return {ImagePart{std::move(media), {}}, {}};
    if (media.media_type.starts_with("audio/")) return {AudioPart{std::move(media)}, {}};
    return {DocumentPart{std::move(media), {}, {}}, {}};
}

const Media* media_of(const Part& part) {
    if (const auto* image = part.as<ImagePart>()) return &image->media;
    if (const auto* audio = part.as<AudioPart>()) return &audio->media;
    if (const auto* document = part.as<DocumentPart>()) return &document->media;
    return nullptr;
}

std::string text_of(const std::vector<Part>& parts) {
    std::string text;
    for (const auto& part : parts)
        if (const auto* piece = part.as<TextPart>()) text += piece->text;
    return text;
}

bool is_json_object(std::string_view text) {
    text = trim(text);
    if (!text.starts_with('{') || !text.ends_with('}')) return false;
    if (text == "{}") return true;
    json::Document document;
    return document.parse(text).has_value() && document.root().is(json::Kind::object);
}

std::string last_user_text(const Request& request) {
    for (auto message = request.messages.rbegin(); message != request.messages.rend(); ++message)
        if (message->role == Role::user) return text_of(message->parts);
    return {};
}

std::string one_object(std::string_view arguments) {
    const auto text = trim(arguments);
    if (text.empty() || text == "null") return "{}";
    json::Document document;
    if (text.starts_with('"') && document.parse("[" + std::string(text) + "]") && document.root().size() == 1)
        if (const auto inner = (*begin(document.root().children())).text(); is_json_object(inner))
            return std::string(inner);
    if (text.starts_with('{'))
        if (const auto rest = trim(text.substr(1)); rest.starts_with('}'))
            if (const auto behind = trim(rest.substr(1)); is_json_object(behind)) return std::string(behind);
    return std::string(arguments);
}

std::string arguments_object(std::string_view arguments) {
    const auto meant = one_object(arguments);
    const auto text = trim(meant);
    if (is_json_object(text)) return std::string(text);
    // Half a character in one of its strings is no reason to lose the rest.
    if (auto mended = json::mended(text); is_json_object(mended)) return mended;
    json::Writer out;
    out.begin_object().member("arguments", arguments).end_object();
    return out.take();
}

}  // namespace tandem::chat
