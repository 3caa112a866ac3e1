// Answers of models that were asked in words for a JSON object, since their provider has no word for it.
#include <map>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "chat/filter.h"

namespace tandem::chat {

namespace {

constexpr std::string_view kBlank = " \t\r\n";

bool is_object(std::string_view text) {
    json::Document document;
    return document.parse(text).has_value() && document.root().is(json::Kind::object);
}

// The object in a text that has words or a fence of Markdown around it; empty where there is none.
std::string_view object_in(std::string_view text) {
    text = trim(text);
    if (is_object(text)) return text;
    const auto begin = text.find('{'), end = text.rfind('}');
    if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) return {};
    text = text.substr(begin, end + 1 - begin);
    return is_object(text) ? text : std::string_view();
}

class JsonFilter final : public EventFilter {
  public:
    void take(Event event, std::vector<Event>& out) override {
        if (const auto* text = std::get_if<TextDelta>(&event)) return read(*text, out);
        if (const auto* call = std::get_if<ToolCallDelta>(&event)) choices_[call->choice].calls = true;
        if (const auto* finished = std::get_if<Finished>(&event))
            if (!finish(*finished, out)) return;
        out.push_back(std::move(event));
    }
    void end(std::vector<Event>& out) override {
        for (auto& [number, choice] : choices_) say(number, choice, out);
    }

  private:
    struct Choice {
        std::string text;      // all of it
        std::size_t said = 0;  // bytes of it that the client has
        bool calls = false;
    };

    // What begins as an object is handed on as it comes.
    void read(const TextDelta& delta, std::vector<Event>& out) {
        auto& choice = choices_[delta.choice];
        choice.text += delta.text;
        const auto first = choice.text.find_first_not_of(kBlank);
        if (first != std::string::npos && choice.text[first] == '{') say(delta.choice, choice, out);
    }

    // False where the answer is a failure, which is said in place of its end.
    bool finish(const Finished& finished, std::vector<Event>& out) {
        auto& choice = choices_[finished.choice];
        const bool whole = finished.reason == Finish::stop || finished.reason == Finish::other;
        if (choice.calls || !whole || is_object(trim(choice.text))) {
            say(finished.choice, choice, out);
            return true;
        }
        const auto object = choice.said == 0 ? object_in(choice.text) : std::string_view();
        if (!object.empty()) {
            out.emplace_back(TextDelta{finished.choice, std::string(object)});
            choice.said = choice.text.size();
            return true;
        }
        choice.said = choice.text.size();
        out.emplace_back(Failed{
            Error{Fault::answer_not_json, "a JSON object was asked for, and the model answered with something else"}});
        return false;
    }

    static void say(std::int64_t number, Choice& choice, std::vector<Event>& out) {
        if (choice.said == choice.text.size()) return;
        out.emplace_back(TextDelta{number, choice.text.substr(choice.said)});
        choice.said = choice.text.size();
    }

    std::map<std::int64_t, Choice> choices_;
};

}  // namespace

std::unique_ptr<EventFilter> json_filter() {
    return std::make_unique<JsonFilter>();
}

}  // namespace tandem::chat
