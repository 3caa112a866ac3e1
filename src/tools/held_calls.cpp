// Calls held to their schemas, whoever read them.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "chat/answer.h"
#include "tools/reader.h"
#include "tools/settle.h"

namespace tandem::tools {

namespace {

using chat::Event;
using Events = std::vector<Event>;

class HeldCalls final : public chat::EventFilter {
  public:
    HeldCalls(std::shared_ptr<const Offer> offer, Holding holding, std::shared_ptr<CallNotes> notes)
        : offer_(std::move(offer)), holding_(holding), notes_(std::move(notes)) {}

    void take(Event event, Events& out) override {
        if (failed_) return;
        if (auto* call = std::get_if<chat::ToolCallDelta>(&event)) {
            const Place place{call->choice, call->index};
            const auto open = open_.find(place);
            if (open != open_.end()) {
                if (!call->name.empty() && open->second.name.empty()) open->second.name = call->name;
                open->second.arguments += call->arguments;
                return;
            }
            if (!call->custom && !done_.contains(place)) {
                open_.emplace(place, std::move(*call));
                return;
            }
        } else if (const auto* ended = std::get_if<chat::ToolCallEnd>(&event)) {
            const Place place{ended->choice, ended->index};
            // One that is no object may have been cut, which the end of the answer says.
            if (const auto open = open_.find(place); open != open_.end()) {
                if (!chat::is_json_object(open->second.arguments)) return;
                say(open, out);
            }
            if (done_.contains(place)) return;  // its end was said with it
        } else if (const auto* finished = std::get_if<chat::Finished>(&event)) {
            cut_ = cut_ || (finished->reason != chat::Finish::stop && finished->reason != chat::Finish::tool_calls);
            end(out);
            if (!failed_ && holding_.must && done_.empty() && finished->reason == chat::Finish::stop) lacks_call(out);
        } else if (const auto* text = std::get_if<chat::TextDelta>(&event)) {
            said_ = said_ || !text->text.empty();
            if (holding_.must) text_ += text->text;
        } else if (std::holds_alternative<chat::ReasoningDelta>(event)) {
            said_ = true;
        }
        if (!failed_) out.push_back(std::move(event));
    }
    void end(Events& out) override {
        while (!open_.empty() && !failed_) say(open_.begin(), out);
    }

  private:
    using Place = std::pair<std::int64_t, std::int64_t>;
    using Open = std::map<Place, chat::ToolCallDelta>;

    void say(Open::iterator at, Events& out) {
        auto call = std::move(at->second);
        const auto place = at->first;
        open_.erase(at);
        const bool another =
            holding_.one && std::ranges::any_of(done_, [&](const auto& one) { return one.first.first == place.first; });
        done_[place] = true;
        if (another) return leave_out(call);
        if (holding_.none) {
            if (wrong(call, "no tool was to be called; answer in words", out)) return;
        } else if (cut_ && !chat::is_json_object(call.arguments)) {
            // What was cut is as it is.
        } else if (!holding_.only.empty() && call.name != holding_.only) {
            if (wrong(call, fmt::format("the tool '{}' was to be called", holding_.only), out)) return;
        } else if (offer_->has(call.name)) {
            auto settled = settle(*offer_, call.name, call.arguments);
            if (!cut_ && !settled.wrong.empty() && wrong(call, settled.wrong, out)) return;
            for (const auto& repair : settled.repairs)
                notes_->warn(fmt::format("the arguments of '{}' were put right: {}", printable(call.name), repair));
            if (settled.wrong.empty()) {
                notes_->changed = notes_->changed || settled.arguments != call.arguments;
                call.arguments = std::move(settled.arguments);
            }
        } else if (!holding_.others && wrong(call, unknown(call.name), out)) {
            return;
        }
        said_ = true;
        out.emplace_back(std::move(call));
        out.emplace_back(chat::ToolCallEnd{place.first, place.second});
    }

    // The model makes it again once it has seen what came of the first one.
    void leave_out(const chat::ToolCallDelta& call) {
        notes_->changed = true;
        notes_->warn(fmt::format("the call of '{}' was left out: it was another one, and one at most was wanted",
                                 printable(call.name)));
    }

    // True: the answer has failed, so that the model is asked again.
    bool wrong(const chat::ToolCallDelta& call, const std::string& message, Events& out) {
        notes_->wrong.push_back({call.name, call.arguments, message});
        auto text = fmt::format("the call of '{}' is not such as was wanted: {}", printable(call.name),
                                printable(message, 300));
        if (!holding_.again || (said_ && !holding_.whole)) {
            notes_->warn(std::move(text));
            return false;
        }
        failed_ = true;
        out.emplace_back(chat::Failed{Error{Fault::provider_misspoke, std::move(text)}});
        return true;
    }

    // The same, where a call was demanded and none was made.
    void lacks_call(Events& out) {
        notes_->wrong.push_back({"", text_, "one of the tools must be called now"});
        const std::string text = "a call was demanded, and the model made none";
        if (!holding_.again || (said_ && !holding_.whole)) return notes_->warn(text);
        failed_ = true;
        out.emplace_back(chat::Failed{Error{Fault::provider_misspoke, text}});
    }

    std::string unknown(const std::string& name) const {
        constexpr std::size_t kMost = 30;
        auto names = offer_->names();
        if (names.size() > kMost) names.resize(kMost);
        return fmt::format("there is no tool '{}'; there are {}", printable(name), join(names, ", "));
    }

    const std::shared_ptr<const Offer> offer_;
    const Holding holding_;
    const std::shared_ptr<CallNotes> notes_;
    Open open_;
    std::string text_;  // where a call was demanded
    std::map<Place, bool> done_;
    bool said_ = false;  // the client has something of the answer
    bool cut_ = false;
    bool failed_ = false;
};

}  // namespace

std::unique_ptr<chat::EventFilter> held_calls(std::shared_ptr<const Offer> offer, Holding holding,
                                              std::shared_ptr<CallNotes> notes) {
    return std::make_unique<HeldCalls>(std::move(offer), holding, std::move(notes));
}

}  // namespace tandem::tools
