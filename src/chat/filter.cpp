#include "chat/filter.h"

#include <algorithm>
#include <string_view>

#include "base/json.h"
#include "base/text.h"
#include "chat/answer.h"

namespace tandem::chat {

namespace {

class ThinkFilter final : public EventFilter {
  public:
    explicit ThinkFilter(bool whole) : whole_(whole) {}
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
    struct Tags {
        std::string_view open, close;
    };
    static constexpr Tags kTags[] = {{"<think>", "</think>"},
                                     {"<thinking>", "</thinking>"},
                                     {"<thought>", "</thought>"},
                                     {"\u25c1think\u25b7", "\u25c1/think\u25b7"}};  // Kimi's

    void read(std::vector<Event>& out) {
        if (state_ == State::start) {
            const auto begins = held_.find_first_not_of(" \t\r\n");
            if (begins == std::string::npos) return;
            if (ends_thoughts()) {
                state_ = State::thinking;
                return read(out);
            }
            const auto word = std::string_view(held_).substr(begins);
            const auto* const tags =
                std::ranges::find_if(kTags, [&](const Tags& one) { return word.starts_with(one.open); });
            if (tags == std::end(kTags)) {
                if (std::ranges::any_of(kTags, [&](const Tags& one) { return one.open.starts_with(word); })) return;
                say(out, std::exchange(held_, {}));
                state_ = State::over;
                return;
            }
            close_ = tags->close;
            held_.erase(0, begins + tags->open.size());
            state_ = State::thinking;
        }
        if (state_ == State::thinking) {
            const auto close = held_.find(close_);
            if (close == std::string::npos) {
                // All but what could be the head of the closing tag.
                std::size_t keep = std::min(held_.size(), close_.size() - 1);
                while (keep > 0 && !close_.starts_with(std::string_view(held_).substr(held_.size() - keep))) --keep;
                think(out, held_.substr(0, held_.size() - keep));
                held_.erase(0, held_.size() - keep);
                return;
            }
            think(out, held_.substr(0, close));
            out.emplace_back(ReasoningEnd{});
            held_.erase(0, close + close_.size());
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

    // A template may have said the opening tag itself. The closing one stands on a line of its own then.
    bool ends_thoughts() {
        if (!whole_) return false;
        const auto close = held_.find("\n" + std::string(kTags[0].close));
        if (close == std::string::npos || held_.find(kTags[0].open) < close) return false;
        close_ = kTags[0].close;
        return true;
    }

    enum class State { start, thinking, behind, over } state_ = State::start;
    const bool whole_;
    std::string_view close_;
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

class ArgumentsFilter final : public EventFilter {
  public:
    void take(Event event, std::vector<Event>& out) override {
        if (auto* call = std::get_if<ToolCallDelta>(&event)) {
            auto& open = calls_[{call->choice, call->index}];
            if (open.passes || call->custom) {
                open.passes = true;
                out.push_back(std::move(event));
                return;
            }
            open.held += std::exchange(call->arguments, {});
            if (!call->id.empty() || !call->name.empty()) out.push_back(*call);
            if (!may_be_odd(open.held)) pass(call->choice, call->index, open, std::exchange(open.held, {}), out);
            return;
        }
        if (const auto* ended = std::get_if<ToolCallEnd>(&event)) {
            if (const auto open = calls_.find({ended->choice, ended->index}); open != calls_.end()) {
                say(open->first, open->second, out);
                open->second.passes = true;
            }
        } else if (std::holds_alternative<Finished>(event)) {
            end(out);
        }
        out.push_back(std::move(event));
    }
    void end(std::vector<Event>& out) override {
        for (auto& [place, open] : calls_) {
            say(place, open, out);
            open.passes = true;
        }
    }

  private:
    struct Open {
        std::string held;
        bool passes = false;  // what follows is handed on as it comes
    };
    using Place = std::pair<std::int64_t, std::int64_t>;

    // An object is handed on as soon as it has begun, but for an empty one, which may be a beginning only.
    static bool may_be_odd(std::string_view held) {
        const auto first = held.find_first_not_of(" \t\r\n");
        if (first == std::string_view::npos || held[first] != '{') return true;
        const auto second = held.find_first_not_of(" \t\r\n", first + 1);
        return second == std::string_view::npos || held[second] == '}';
    }
    static void pass(std::int64_t choice, std::int64_t index, Open& open, std::string text, std::vector<Event>& out) {
        open.passes = true;
        if (!text.empty()) out.emplace_back(ToolCallDelta{choice, index, {}, {}, std::move(text), false});
    }
    static void say(const Place& place, Open& open, std::vector<Event>& out) {
        if (!open.passes) pass(place.first, place.second, open, one_object(std::exchange(open.held, {})), out);
    }

    std::map<Place, Open> calls_;
};

class StopFilter final : public EventFilter {
  public:
    explicit StopFilter(std::vector<std::string> stops) : stops_(std::move(stops)) {}

    void take(Event event, std::vector<Event>& out) override {
        if (const auto* text = std::get_if<TextDelta>(&event)) {
            auto& choice = choices_[text->choice];
            if (choice.met.empty()) read(text->choice, choice, text->text, out);
            return;
        }
        if (auto* finished = std::get_if<Finished>(&event)) {
            auto& choice = choices_[finished->choice];
            say(finished->choice, choice.held, out);
            if (!choice.met.empty()) event = Finished{finished->choice, Finish::stop, choice.met};
        } else if (const auto* call = std::get_if<ToolCallDelta>(&event)) {
            if (!choices_[call->choice].met.empty()) return;
            say(call->choice, choices_[call->choice].held, out);
        } else if (const auto* ended = std::get_if<ToolCallEnd>(&event)) {
            if (!choices_[ended->choice].met.empty()) return;
        }
        out.push_back(std::move(event));
    }
    void end(std::vector<Event>& out) override {
        for (auto& [number, choice] : choices_) say(number, choice.held, out);
    }

  private:
    struct Choice {
        std::string held, met;
    };

    void read(std::int64_t number, Choice& choice, const std::string& text, std::vector<Event>& out) {
        choice.held += text;
        auto first = std::string::npos;
        for (const auto& stop : stops_)
            if (const auto at = choice.held.find(stop); at < first) {
                first = at;
                choice.met = stop;
            }
        if (first != std::string::npos) {
            choice.held.resize(first);
            say(number, choice.held, out);
            return;
        }
        auto keep = std::string_view();
        for (const auto& stop : stops_)
            for (std::size_t size = std::min(stop.size() - 1, choice.held.size()); size > keep.size(); --size)
                if (std::string_view(choice.held).ends_with(std::string_view(stop).substr(0, size)))
                    keep = std::string_view(stop).substr(0, size);
        auto said = choice.held.substr(0, choice.held.size() - keep.size());
        choice.held.erase(0, said.size());
        say(number, said, out);
    }
    static void say(std::int64_t number, std::string& text, std::vector<Event>& out) {
        if (!text.empty()) out.emplace_back(TextDelta{number, std::exchange(text, {})});
    }

    const std::vector<std::string> stops_;
    std::map<std::int64_t, Choice> choices_;
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

std::unique_ptr<EventFilter> think_filter(bool whole) {
    return std::make_unique<ThinkFilter>(whole);
}

std::unique_ptr<EventFilter> stop_filter(std::vector<std::string> stops) {
    return std::make_unique<StopFilter>(std::move(stops));
}

std::unique_ptr<EventFilter> id_filter(std::string id) {
    return std::make_unique<IdFilter>(std::move(id));
}

std::unique_ptr<EventFilter> arguments_filter() {
    return std::make_unique<ArgumentsFilter>();
}

std::unique_ptr<EventFilter> name_filter(std::map<std::string, std::string> names) {
    return std::make_unique<NameFilter>(std::move(names));
}

std::unique_ptr<EventFilter> custom_filter(std::set<std::string> names) {
    return std::make_unique<CustomFilter>(std::move(names));
}

}  // namespace tandem::chat
