#include "chat/filter.h"

#include <algorithm>
#include <string_view>

#include "base/json.h"

namespace tandem::chat {

namespace {

class ThinkFilter final : public EventFilter {
  public:
    void take(Event event, std::vector<Event>& out) override {
        auto* text = std::get_if<TextDelta>(&event);
        if (text == nullptr || text->choice != 0 || state_ == State::over) {
            // Whatever follows text, follows it here too.
            if (text == nullptr && !std::holds_alternative<Started>(event) && !std::holds_alternative<Used>(event))
                flush(out);
            out.push_back(std::move(event));
            return;
        }
        held_ += text->text;
        read(out);
    }
    void end(std::vector<Event>& out) override { flush(out); }

  private:
    static constexpr std::string_view kOpen = "<think>";
    static constexpr std::string_view kClose = "</think>";

    void read(std::vector<Event>& out) {
        if (state_ == State::start) {
            const auto begins = held_.find_first_not_of(" \t\r\n");
            if (begins == std::string::npos) return;
            const auto word = std::string_view(held_).substr(begins);
            if (word.size() < kOpen.size() && kOpen.starts_with(word)) return;
            if (!word.starts_with(kOpen)) {
                say(out, std::exchange(held_, {}));
                state_ = State::over;
                return;
            }
            held_.erase(0, begins + kOpen.size());
            state_ = State::thinking;
        }
        if (state_ == State::thinking) {
            const auto close = held_.find(kClose);
            if (close == std::string::npos) {
                // All but what could be the head of the closing tag.
                std::size_t keep = std::min(held_.size(), kClose.size() - 1);
                while (keep > 0 && !kClose.starts_with(std::string_view(held_).substr(held_.size() - keep))) --keep;
                think(out, held_.substr(0, held_.size() - keep));
                held_.erase(0, held_.size() - keep);
                return;
            }
            think(out, held_.substr(0, close));
            out.emplace_back(ReasoningEnd{});
            held_.erase(0, close + kClose.size());
            state_ = State::behind;
        }
        if (state_ == State::behind) {
            const auto begins = held_.find_first_not_of(" \t\r\n");
            if (begins == std::string::npos) return;
            say(out, held_.substr(begins));
            held_.clear();
            state_ = State::over;
        }
    }

    void flush(std::vector<Event>& out) {
        if (state_ == State::thinking) {
            think(out, std::exchange(held_, {}));
            out.emplace_back(ReasoningEnd{});
        } else if (state_ == State::start) {
            say(out, std::exchange(held_, {}));
        }
        state_ = State::over;
    }

    static void say(std::vector<Event>& out, std::string text) {
        if (!text.empty()) out.emplace_back(TextDelta{0, std::move(text)});
    }
    static void think(std::vector<Event>& out, std::string text) {
        if (!text.empty()) out.emplace_back(ReasoningDelta{0, std::move(text)});
    }

    enum class State { start, thinking, behind, over } state_ = State::start;
    std::string held_;
};

class IdFilter final : public EventFilter {
  public:
    explicit IdFilter(std::string id) : id_(std::move(id)) {}
    void take(Event event, std::vector<Event>& out) override {
        if (auto* call = std::get_if<ToolCallDelta>(&event))
            if (known_.insert({call->choice, call->index}).second && call->id.empty())
                call->id = "call_" + id_ + "_" + std::to_string(known_.size() - 1);
        out.push_back(std::move(event));
    }

  private:
    const std::string id_;
    std::set<std::pair<std::int64_t, std::int64_t>> known_;
};

class CustomFilter final : public EventFilter {
  public:
    explicit CustomFilter(std::set<std::string> names) : names_(std::move(names)) {}

    void take(Event event, std::vector<Event>& out) override {
        if (const auto* call = std::get_if<ToolCallDelta>(&event)) {
            const auto found = calls_.find(call->index);
            if (found == calls_.end() && !names_.contains(call->name)) {
                out.push_back(std::move(event));
                return;
            }
            auto& open = calls_[call->index];
            if (open.id.empty())
                open = *call;
            else
                open.arguments += call->arguments;
            return;
        }
        if (const auto* ended = std::get_if<ToolCallEnd>(&event)) say(ended->index, out);
        if (std::holds_alternative<Finished>(event)) end(out);
        out.push_back(std::move(event));
    }
    void end(std::vector<Event>& out) override {
        while (!calls_.empty()) say(calls_.begin()->first, out);
    }

  private:
    void say(std::int64_t index, std::vector<Event>& out) {
        const auto found = calls_.find(index);
        if (found == calls_.end()) return;
        auto call = std::move(found->second);
        calls_.erase(found);
        json::Document document;
        call.custom = true;
        // A model that wrote something else than the object meant its text.
        if (document.parse(call.arguments) && document.root()["input"].string())
            call.arguments = std::string(document.root()["input"].text());
        out.emplace_back(std::move(call));
    }
    std::set<std::string> names_;
    std::map<std::int64_t, ToolCallDelta> calls_;
};

class NameFilter final : public EventFilter {
  public:
    explicit NameFilter(std::map<std::string, std::string> names) : names_(std::move(names)) {}
    void take(Event event, std::vector<Event>& out) override {
        if (auto* call = std::get_if<ToolCallDelta>(&event))
            if (const auto name = names_.find(call->name); name != names_.end()) call->name = name->second;
        out.push_back(std::move(event));
    }

  private:
    const std::map<std::string, std::string> names_;
};

}  // namespace

std::unique_ptr<EventFilter> think_filter() {
    return std::make_unique<ThinkFilter>();
}

std::unique_ptr<EventFilter> id_filter(std::string id) {
    return std::make_unique<IdFilter>(std::move(id));
}

std::unique_ptr<EventFilter> name_filter(std::map<std::string, std::string> names) {
    return std::make_unique<NameFilter>(std::move(names));
}

std::unique_ptr<EventFilter> custom_filter(std::set<std::string> names) {
    return std::make_unique<CustomFilter>(std::move(names));
}

}  // namespace tandem::chat
