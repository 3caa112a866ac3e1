#include "translate/thoughts.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "chat/answer.h"
#include "dialect/openai_chat.h"

namespace tandem::translate {

namespace {

constexpr std::size_t kMostDemanding = 1'000;
constexpr std::size_t kOverhead = 256;  // of an entry, beside its text

// JSON without the white space in which clients differ.
void write_compact(json::Writer& out, const json::Value& value) {
    if (value.is(json::Kind::object)) {
        out.begin_object();
        for (const json::Value member : value.children()) write_compact(out.key(member.key()), member);
        out.end_object();
    } else if (value.is(json::Kind::array)) {
        out.begin_array();
        for (const json::Value element : value.children()) write_compact(out, element);
        out.end_array();
    } else if (const auto text = value.string()) {
        out.value(*text);
    } else {
        out.raw(value.raw());
    }
}

std::string compact(std::string_view arguments) {
    json::Document document;
    if (!document.parse(arguments)) return std::string(arguments);
    json::Writer out;
    write_compact(out, document.root());
    return out.take();
}

std::string name_of(const Thoughts::Owner& owner, std::string_view asked, const chat::ToolCallPart& call, bool by_id) {
    return hex(sha256(fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}", owner.key, owner.provider, owner.where, asked,
                                  by_id ? call.id : std::string(), call.name, compact(call.arguments))));
}

// The turns of a user up to one more, in short: another conversation, though it ends alike, is another one.
std::string with_turn(std::string_view before, const chat::Message& message) {
    return hex(sha256(fmt::format("{}\n{}", before, chat::text_of(message.parts))));
}

bool is_details(std::string_view signature) {
    return signature.starts_with(dialect::openai_chat::kReasoningDetails);
}

class Watch final : public chat::EventFilter {
  public:
    Watch(Thoughts& thoughts, Thoughts::Owner owner, std::string asked)
        : thoughts_(thoughts), owner_(std::move(owner)), asked_(std::move(asked)) {}

    void take(chat::Event event, std::vector<chat::Event>& out) override {
        if (const auto* said = std::get_if<chat::ReasoningDelta>(&event); said != nullptr && said->choice == 0) {
            add(said->text);
        } else if (const auto* ended = std::get_if<chat::ReasoningEnd>(&event);
                   ended != nullptr && ended->choice == 0) {
            const bool behind_calls = !calls_.empty() && open_.text.empty() && is_details(ended->signature);
            size_ += ended->signature.size();
            open_.signature = ended->signature;
            open_.redacted = ended->redacted;
            close();
            // No client expects a thought there; it is brought back all the same.
            if (behind_calls) return;
        } else if (const auto* call = std::get_if<chat::ToolCallDelta>(&event); call != nullptr && call->choice == 0) {
            close();
            auto& known = calls_[call->index];
            if (known.call.id.empty()) known.call.id = call->id;
            if (known.call.name.empty()) known.call.name = call->name;
            known.call.arguments += call->arguments;
            std::ranges::move(before_, std::back_inserter(known.before));
            before_.clear();
        }
        out.push_back(std::move(event));
    }

    void end(std::vector<chat::Event>&) override {
        // Some servers sign behind the calls.
        close();
        if (!calls_.empty()) std::ranges::move(before_, std::back_inserter(calls_.begin()->second.before));
        before_.clear();
        for (auto& [index, known] : calls_)
            if (!known.before.empty()) thoughts_.keep(owner_, asked_, known.call, std::move(known.before));
        calls_.clear();
    }

  private:
    struct Call {
        chat::ToolCallPart call;
        std::vector<Thoughts::Thought> before;
    };

    // What is too long is not remembered at all: a part of it is no use to anybody.
    void add(std::string_view text) {
        size_ += text.size();
        if (size_ <= Thoughts::kLargest) open_.text += text;
    }
    void close() {
        if (size_ <= Thoughts::kLargest && (!open_.text.empty() || !open_.signature.empty()))
            before_.push_back(std::move(open_));
        open_ = {};
    }

    Thoughts& thoughts_;
    const Thoughts::Owner owner_;
    const std::string asked_;
    Thoughts::Thought open_;
    std::size_t size_ = 0;
    std::vector<Thoughts::Thought> before_;
    std::map<std::int64_t, Call> calls_;
};

// A server that speaks Anthropic's words and signs nothing (DeepSeek's) wants its thoughts back, and looks at no
// signature; thoughts without any would be taken for nobody's.
chat::ReasoningPart own_thought(std::string text, std::string signature, bool redacted, std::string_view dialect) {
    constexpr std::string_view kUnsigned = "unsigned";
    if (signature.empty() && dialect == dialect::name_of(dialect::Kind::anthropic)) signature = kUnsigned;
    return {std::move(text), std::move(signature), redacted, std::string(dialect)};
}

bool is_thought(const chat::Part& part) {
    return part.as<chat::ReasoningPart>() != nullptr;
}

bool calls_tools(const chat::Message& message) {
    return std::ranges::any_of(message.parts,
                               [](const chat::Part& part) { return part.as<chat::ToolCallPart>() != nullptr; });
}

// Kimi takes "" for none, and a blank for one. The signature is Google's own word for a call of another model.
chat::ReasoningPart blank_thought(Thoughts::Wanted what, const chat::Message& turn, std::string_view dialect) {
    constexpr std::string_view kUnseen = "skip_thought_signature_validator";
    chat::ReasoningPart blank{{}, {}, false, std::string(dialect)};
    json::Writer out;
    if (what == Thoughts::Wanted::thought_signature) {
        out.begin_object().key("google").begin_object().member("thought_signature", kUnseen).end_object().end_object();
        blank.signature = std::string(dialect::openai_chat::kExtraContent) + out.take();
    } else if (what == Thoughts::Wanted::reasoning_details) {
        out.begin_array();
        for (const auto& part : turn.parts)
            if (const auto* call = part.as<chat::ToolCallPart>())
                out.begin_object()
                    .member("type", "reasoning.encrypted")
                    .member("data", kUnseen)
                    .member("id", call->id)
                    .member("format", "google-gemini-v1")
                    .end_object();
        out.end_array();
        blank.signature = std::string(dialect::openai_chat::kReasoningDetails) + out.take();
    } else {
        blank.text = " ";
    }
    return blank;
}

}  // namespace

std::string thinker(std::string_view dialect, std::string_view provider) {
    return fmt::format("{}/{}", dialect, provider);
}

void know_own_thoughts(chat::Request& request, std::string_view dialect, std::string_view provider) {
    const auto own = thinker(dialect, provider);
    for (auto& message : request.messages)
        for (auto& part : message.parts)
            if (auto* thought = part.as<chat::ReasoningPart>(); thought != nullptr && thought->dialect == own)
                *thought = own_thought(thought->text, thought->signature, thought->redacted, dialect);
}

std::unique_ptr<chat::EventFilter> Thoughts::watch(Owner owner, const chat::Request& request) {
    std::string asked;
    for (const auto& message : request.messages)
        if (message.role == chat::Role::user) asked = with_turn(asked, message);
    return std::make_unique<Watch>(*this, std::move(owner), std::move(asked));
}

void Thoughts::bring_back(const Owner& owner, std::string_view dialect, bool leads, chat::Request& request) const {
    if (bytes() == 0) return;
    std::string asked;
    for (auto& message : request.messages) {
        if (message.role == chat::Role::user) asked = with_turn(asked, message);
        auto& parts = message.parts;
        const auto is_own = [&](const chat::Part& part) {
            const auto* thought = part.as<chat::ReasoningPart>();
            return thought != nullptr && thought->dialect == dialect &&
                   !(thought->text.empty() && thought->signature.empty());
        };
        // Of details, the client may have been told only those before the calls.
        std::vector<Before> known;  // of each call, in their order
        for (const auto& part : parts)
            if (const auto* call = part.as<chat::ToolCallPart>()) known.push_back(find(owner, asked, *call));
        const bool has_details = std::ranges::any_of(known, [](const Before& before) {
            return before != nullptr && std::ranges::any_of(*before, is_details, &Thought::signature);
        });
        if (has_details)
            std::erase_if(parts, is_own);
        else if (std::ranges::any_of(parts, is_own))
            continue;
        std::vector<chat::Part> made, first;
        bool found = false;
        auto next = known.begin();
        for (auto& part : parts) {
            const bool calls = part.as<chat::ToolCallPart>() != nullptr;
            if (const auto before = calls ? *next++ : nullptr) {
                auto& place = leads && !found ? first : made;
                for (const auto& [text, signature, redacted] : *before)
                    place.push_back({own_thought(text, signature, redacted, dialect), {}});
                found = true;
            }
            made.push_back(std::move(part));
        }
        std::ranges::move(made, std::back_inserter(first));
        parts = std::move(first);
    }
}

void Thoughts::keep(const Owner& owner, std::string_view asked, const chat::ToolCallPart& call,
                    std::vector<Thought> before) {
    std::size_t bytes = kOverhead;
    for (const auto& one : before) bytes += one.text.size() + one.signature.size() + sizeof(Thought);
    const auto kept = std::make_shared<const std::vector<Thought>>(std::move(before));
    const std::lock_guard lock(mutex_);
    // Some clients give no ids back, and some servers give the same ones to every turn.
    insert(name_of(owner, asked, call, false), kept, owner.label, kOverhead);
    if (!call.id.empty()) insert(name_of(owner, asked, call, true), kept, owner.label, bytes);
    while (bytes_ > kMostBytes && !order_.empty()) {
        const auto place = kept_.find(order_.front());
        order_.pop_front();
        bytes_ -= place->second.bytes;
        kept_.erase(place);
    }
}

void Thoughts::insert(const std::string& name, const Before& before, Label label, std::size_t bytes) {
    const auto [place, fresh] = kept_.try_emplace(name);
    if (fresh) order_.push_back(name);
    bytes_ += bytes;
    bytes_ -= place->second.bytes;
    place->second = {before, label, bytes};
}

Thoughts::Before Thoughts::find(const Owner& owner, std::string_view asked, const chat::ToolCallPart& call) const {
    for (const bool by_id : {true, false}) {
        const auto name = name_of(owner, asked, call, by_id);
        const std::lock_guard lock(mutex_);
        if (const auto place = kept_.find(name); place != kept_.end() && place->second.label <= owner.label)
            return place->second.before;
    }
    return nullptr;
}

void Thoughts::demand(const std::string& model, Wanted what) {
    const std::lock_guard lock(mutex_);
    if (demanding_.size() < kMostDemanding) demanding_[model] = what;
}

Thoughts::Wanted Thoughts::demanded(const std::string& model) const {
    const std::lock_guard lock(mutex_);
    const auto place = demanding_.find(model);
    return place == demanding_.end() ? Wanted::nothing : place->second;
}

std::size_t Thoughts::bytes() const {
    const std::lock_guard lock(mutex_);
    return bytes_;
}

Thoughts::Wanted wanted_in(std::string_view refusal) {
    const auto said = lower(refusal);
    const auto has = [&said](std::string_view word) { return said.find(word) != std::string::npos; };
    if (has("reasoning details to be preserved")) return Thoughts::Wanted::reasoning_details;
    if (!has("missing") && !has("passed back")) return Thoughts::Wanted::nothing;
    if (has("reasoning_content")) return Thoughts::Wanted::reasoning_content;
    return has("thought_signature") ? Thoughts::Wanted::thought_signature : Thoughts::Wanted::nothing;
}

void drop_unsigned(Thoughts::Wanted what, chat::Request& request, std::string_view dialect) {
    const auto mark = what == Thoughts::Wanted::thought_signature   ? dialect::openai_chat::kExtraContent
                      : what == Thoughts::Wanted::reasoning_details ? dialect::openai_chat::kReasoningDetails
                                                                    : std::string_view();
    if (mark.empty()) return;
    for (auto& message : request.messages)
        if (calls_tools(message))
            std::erase_if(message.parts, [&](const chat::Part& part) {
                const auto* thought = part.as<chat::ReasoningPart>();
                return thought != nullptr && thought->dialect == dialect && !thought->signature.starts_with(mark);
            });
}

void think_blanks(Thoughts::Wanted what, chat::Request& request, std::string_view dialect) {
    if (what == Thoughts::Wanted::nothing) return;
    for (auto& message : request.messages) {
        if (calls_tools(message) && !std::ranges::any_of(message.parts, is_thought))
            message.parts.insert(message.parts.begin(), chat::Part{blank_thought(what, message, dialect), {}});
    }
}

}  // namespace tandem::translate
