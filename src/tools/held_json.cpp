// Answers in JSON held to their schema: what a provider, or a grammar, does not hold itself.
#include <fmt/format.h>

#include "base/text.h"
#include "tools/reader.h"

namespace tandem::tools {

namespace {

using chat::Event;
using Events = std::vector<Event>;

class HeldJson final : public chat::EventFilter {
  public:
    HeldJson(const std::string& schema, Holding holding, std::shared_ptr<CallNotes> notes)
        : holding_(holding), notes_(std::move(notes)) {
        if (auto made = schema::Schema::compile(schema)) schema_.emplace(std::move(*made));
    }

    void take(Event event, Events& out) override {
        if (const auto* text = std::get_if<chat::TextDelta>(&event); text != nullptr && text->choice == 0)
            text_ += text->text;
        calls_ = calls_ || std::holds_alternative<chat::ToolCallDelta>(event);
        if (const auto* finished = std::get_if<chat::Finished>(&event);
            finished != nullptr && finished->choice == 0 && finished->reason == chat::Finish::stop && !calls_)
            if (check(out)) return;
        out.push_back(std::move(event));
    }

  private:
    std::string wrong() const {
        json::Document document;
        if (!document.parse("[" + text_ + "]") || document.root().size() != 1) return "it is no JSON";
        const auto verdict = schema_->check(*json::begin(document.root().children()));
        return verdict.invalid() ? verdict.text() : std::string();
    }

    // True: the answer has failed, so that the model is asked again.
    bool check(Events& out) {
        const auto message = schema_ ? wrong() : std::string();
        if (message.empty()) return false;
        notes_->wrong.push_back({"", text_, message});
        auto text = fmt::format("the answer is not such as its schema wants: {}", printable(message, 300));
        if (!holding_.again || !holding_.whole) {
            notes_->warn(std::move(text));
            return false;
        }
        out.emplace_back(chat::Failed{Error{Fault::provider_misspoke, std::move(text)}});
        return true;
    }

    std::optional<schema::Schema> schema_;
    const Holding holding_;
    const std::shared_ptr<CallNotes> notes_;
    std::string text_;
    bool calls_ = false;
};

}  // namespace

std::unique_ptr<chat::EventFilter> held_json(const std::string& schema, Holding holding,
                                             std::shared_ptr<CallNotes> notes) {
    return std::make_unique<HeldJson>(schema, holding, std::move(notes));
}

}  // namespace tandem::tools
