#include "privacy/guard.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "base/json.h"
#include "chat/sealed.h"
#include "privacy/privacy.h"
#include "privacy/standins.h"

namespace tandem::privacy {

namespace {

constexpr std::size_t kHeld = 160;           // bytes that may be the beginning of a value
constexpr std::size_t kLongestKey = 16'384;  // a private key in PEM is held until its end
constexpr std::string_view kKeyBegins = "-----BEGIN";
constexpr std::string_view kKeyEnds = "-----END";

class Guard final : public chat::EventFilter {
  public:
    Guard(Detector& detector, const config::Detection& detection, std::vector<config::AnswerRule> rules,
          std::function<std::string()> asked)
        : detector_(detector), detection_(detection), rules_(std::move(rules)), asked_(std::move(asked)) {}

    void take(chat::Event event, std::vector<chat::Event>& out) override {
        if (stopped_) return;
        if (auto* text = std::get_if<chat::TextDelta>(&event)) return piece(kText, *text, out);
        if (auto* text = std::get_if<chat::ReasoningDelta>(&event)) return piece(kThought, *text, out);
        if (auto* text = std::get_if<chat::RefusalDelta>(&event)) return piece(kRefusal, *text, out);
        // The same text in tokens, before it could be looked at.
        if (std::holds_alternative<chat::Logprobs>(event)) return;
        if (auto* call = std::get_if<chat::ToolCallDelta>(&event)) {
            flush_texts(call->choice, out);
            auto& open = calls_[{call->choice, call->index}];
            if (open.id.empty()) open.id = call->id;
            if (open.name.empty()) open.name = call->name;
            open.choice = call->choice;
            open.index = call->index;
            open.custom = call->custom;
            open.arguments += call->arguments;
            return;
        }
        if (const auto* ended = std::get_if<chat::ToolCallEnd>(&event)) flush_call({ended->choice, ended->index}, out);
        if (auto* ended = std::get_if<chat::ReasoningEnd>(&event)) {
            flush_texts(ended->choice, out);
            look_at_details(*ended, out);
        }
        if (const auto* ended = std::get_if<chat::Finished>(&event)) flush_all(ended->choice, out);
        if (!stopped_) out.push_back(std::move(event));
    }

    void end(std::vector<chat::Event>& out) override { flush_all(std::nullopt, out); }

  private:
    static constexpr int kThought = 0, kText = 1, kRefusal = 2;

    template <typename Delta>
    void piece(int kind, Delta& delta, std::vector<chat::Event>& out) {
        for (const int other : {kThought, kText, kRefusal})
            if (const auto held = texts_.find({other, delta.choice});
                other != kind && held != texts_.end() && !stopped_)
                flush_text(held, out);
        if (stopped_) return;
        auto& held = texts_[{kind, delta.choice}];
        held += delta.text;
        if (held.size() <= kHeld) return;
        const auto key = held.rfind(kKeyBegins);
        if (key != std::string::npos && held.find(kKeyEnds, key) == std::string::npos && held.size() < kLongestKey)
            return;
        say(kind, delta.choice, held, held.size() - kHeld, out);
    }

    // Looks at what is held, and gives its first `ready` bytes, or more where a value would be cut.
    void say(int kind, std::int64_t choice, std::string& held, std::size_t ready, std::vector<chat::Event>& out) {
        auto cleaned = clean(held, false, ready, out);
        if (stopped_) return;
        if (cleaned.empty()) return;
        if (kind == kText)
            out.emplace_back(chat::TextDelta{choice, std::move(cleaned)});
        else if (kind == kThought)
            out.emplace_back(chat::ReasoningDelta{choice, std::move(cleaned)});
        else
            out.emplace_back(chat::RefusalDelta{choice, std::move(cleaned)});
    }

    // OpenRouter's list says the thoughts once more, under a signature that nothing may change: where something would
    // be masked in it, the list stays here. What is sealed in it only its provider can read.
    void look_at_details(chat::ReasoningEnd& ended, std::vector<chat::Event>& out) {
        json::Document document;
        const std::string_view signature = ended.signature;
        if (!signature.starts_with(chat::kReasoningDetails) ||
            !document.parse(signature.substr(chat::kReasoningDetails.size())))
            return;
        for (const json::Value element : document.root().children())
            for (const auto* key : {"text", "summary"}) {
                std::string text(element[key].text());
                if (stopped_ || text.empty()) continue;
                const auto before = text;
                if (clean(text, false, before.size(), out) == before) continue;
                ended.signature.clear();
                return;
            }
    }

    // What may go of `held`, which loses it.
    std::string clean(std::string& held, bool in_call, std::size_t ready, std::vector<chat::Event>& out) {
        auto findings = scan_safely(detector_, held, looks_for_names(detection_));
        if (!findings) {
            stop("a detector failed", out);
            return {};
        }
        std::string result;
        std::size_t at = 0;
        std::erase_if(*findings, [](const Finding& f) { return f.score < kSure; });
        for (const auto& found : resolve(std::move(*findings))) {
            const auto label = label_of(found, detection_);
            std::optional<config::AnswerRule::Do> act;
            for (const auto& rule : rules_)
                if (label >= rule.label && (in_call || !rule.tool_calls_only) && act != config::AnswerRule::Do::stop)
                    act = rule.act;
            if (!act || found.begin >= ready) continue;
            if (known(std::string_view(held).substr(found.begin, found.end - found.begin))) continue;
            if (act == config::AnswerRule::Do::stop) {
                stop(fmt::format("the answer holds {} ({}) that the request did not", found.type, name_of(label)), out);
                return {};
            }
            result += held.substr(at, found.begin - at);
            result += mask(found.type);
            at = found.end;
        }
        if (at < ready) {
            // Not within a character.
            while (ready < held.size() && (static_cast<unsigned char>(held[ready]) & 0xC0) == 0x80) ++ready;
            result += held.substr(at, ready - at);
            at = ready;
        }
        held.erase(0, at);
        return result;
    }

    bool known(std::string_view value) {
        if (!text_) text_ = asked_();
        return text_->find(value) != std::string::npos;
    }

    void stop(const std::string& why, std::vector<chat::Event>& out) {
        stopped_ = true;
        out.emplace_back(chat::Failed{
            {Fault::answer_stopped, fmt::format("the answer was stopped: {}; privacy.answers says so", why)}});
    }

    using Text = std::map<std::pair<int, std::int64_t>, std::string>::iterator;
    void flush_text(Text text, std::vector<chat::Event>& out) {
        const auto [kind, choice] = text->first;
        auto held = std::move(text->second);
        texts_.erase(text);
        const auto size = held.size();
        if (size > 0) say(kind, choice, held, size, out);
    }
    void flush_texts(std::int64_t choice, std::vector<chat::Event>& out) {
        for (const int kind : {kThought, kText, kRefusal})
            if (const auto found = texts_.find({kind, choice}); found != texts_.end() && !stopped_)
                flush_text(found, out);
    }
    void flush_call(std::pair<std::int64_t, std::int64_t> which, std::vector<chat::Event>& out) {
        const auto found = calls_.find(which);
        if (found == calls_.end() || stopped_) return;
        auto call = std::move(found->second);
        calls_.erase(found);
        for (auto* text : {&call.id, &call.name, &call.arguments})
            if (const auto size = text->size(); !stopped_) *text = clean(*text, true, size, out);
        if (!stopped_) out.emplace_back(std::move(call));
    }
    void flush_all(std::optional<std::int64_t> choice, std::vector<chat::Event>& out) {
        while (!stopped_ && !texts_.empty()) {
            const auto next =
                std::ranges::find_if(texts_, [&](const auto& t) { return !choice || t.first.second == *choice; });
            if (next == texts_.end()) break;
            flush_text(next, out);
        }
        while (!stopped_ && !calls_.empty()) {
            const auto next =
                std::ranges::find_if(calls_, [&](const auto& c) { return !choice || c.first.first == *choice; });
            if (next == calls_.end()) break;
            flush_call(next->first, out);
        }
    }

    Detector& detector_;
    const config::Detection& detection_;
    const std::vector<config::AnswerRule> rules_;
    const std::function<std::string()> asked_;
    std::optional<std::string> text_;
    std::map<std::pair<int, std::int64_t>, std::string> texts_;
    std::map<std::pair<std::int64_t, std::int64_t>, chat::ToolCallDelta> calls_;
    bool stopped_ = false;
};

}  // namespace

std::vector<config::AnswerRule> rules_for(const std::vector<config::AnswerRule>& rules, Zone zone) {
    std::vector<config::AnswerRule> result;
    for (const auto& rule : rules)
        if (!rule.from || *rule.from == zone) result.push_back(rule);
    return result;
}

std::unique_ptr<chat::EventFilter> guard_filter(Detector& detector, const config::Detection& detection,
                                                std::vector<config::AnswerRule> rules,
                                                std::function<std::string()> asked) {
    return std::make_unique<Guard>(detector, detection, std::move(rules), std::move(asked));
}

std::string scrubbed(Detector& detector, const config::Detection& detection, std::string_view text) {
    auto findings = scan_safely(detector, text, false);
    if (!findings) return "(left out: a detector failed)";
    std::erase_if(*findings,
                  [&](const Finding& f) { return f.score < kSure || label_of(f, detection) == Label::public_; });
    std::string result;
    std::size_t at = 0;
    for (const auto& found : resolve(std::move(*findings))) {
        result += text.substr(at, found.begin - at);
        result += mask(found.type);
        at = found.end;
    }
    return result + std::string(text.substr(at));
}

}  // namespace tandem::privacy
