#include "tools/reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "tools/bare.h"
#include "tools/family.h"

namespace tandem::tools {

namespace {

using chat::Event;
using Events = std::vector<Event>;

class WrittenCalls final : public chat::EventFilter {
  public:
    WrittenCalls(std::shared_ptr<const Offer> offer, std::string id, bool bare, std::shared_ptr<CallNotes> notes)
        : offer_(std::move(offer)), id_(std::move(id)), notes_(std::move(notes)), may_be_bare_(bare) {}

    void take(Event event, Events& out) override {
        if (const auto* text = std::get_if<chat::TextDelta>(&event); text != nullptr && text->choice == 0 && !over_) {
            held_ += text->text;
            read(false, out);
            return;
        }
        if (const auto* call = std::get_if<chat::ToolCallDelta>(&event); call != nullptr && call->choice == 0) {
            // Its server reads them.
            may_be_bare_ = false;
            read(true, out);
            next_ = std::max(next_, call->index + 1);
        }
        if (auto* finished = std::get_if<chat::Finished>(&event); finished != nullptr && finished->choice == 0) {
            read(true, out);
            over_ = true;
            if (called_ && finished->reason == chat::Finish::stop) finished->reason = chat::Finish::tool_calls;
        }
        out.push_back(std::move(event));
    }
    void end(Events& out) override { read(true, out); }

  private:
    static constexpr std::size_t kMostHeld = 1UL << 20;
    static constexpr std::size_t kLongestMark = 64;

    // Says what can be no call, makes calls of what is one, and holds back what may become one.
    void read(bool ended, Events& out) {
        if (may_be_bare_ && !read_bare(ended, out)) return;
        while (!held_.empty()) {
            const auto mark = next_mark();
            if (mark == std::string::npos) {
                // Nor is white space behind the last one.
                if (ended && called_ && trim(held_).empty()) held_.clear();
                say(ended ? held_.size() : held_.size() - kept_tail(), out);
                break;
            }
            // White space in front of a call is text only behind text.
            const auto text_end = std::string_view(held_).substr(0, mark).find_last_not_of(kBlank);
            if (text_end != std::string_view::npos) {
                say(text_end + 1, out);
                continue;
            }
            if (mark > 0 && text_before_) {
                say(mark, out);
                continue;
            }
            if (waits_ && !ended && held_.size() < looked_ + looked_ / 4 + 1 && !may_close()) return;
            if (!read_mark(mark, ended, out)) return;
        }
    }

    // What ends a call is a bracket of one kind or another, or a fence; what lies between cannot.
    bool may_close() const { return held_.find_first_of(">}])`", looked_) != std::string::npos; }

    // False: it has to wait for more.
    bool read_mark(std::size_t mark, bool ended, Events& out) {
        const bool last = ended || held_.size() > kMostHeld;
        const auto reading = best_reading(std::string_view(held_).substr(mark), last);
        looked_ = held_.size();
        waits_ = reading.state == Reading::State::more;
        if (waits_) return false;
        if (reading.state == Reading::State::none) {
            say(mark + 1, out);
            return true;
        }
        give(reading.calls, out);
        held_.erase(0, mark + reading.size);
        return true;
    }

    Reading best_reading(std::string_view text, bool ended) const {
        Reading best;
        for (const auto* family : families()) {
            if (!std::ranges::any_of(family->marks, [&](auto mark) { return text.starts_with(mark); })) continue;
            auto reading = family->read({text, ended, offer_.get()});
            if (reading.state == Reading::State::calls) return reading;
            if (reading.state == Reading::State::more) best = std::move(reading);
        }
        return best;
    }

    // False: it has to wait for more, or there is no more.
    bool read_bare(bool ended, Events& out) {
        if (!ended && may_be_bare(held_, *offer_) && held_.size() < kMostHeld) return false;
        may_be_bare_ = false;
        if (!ended) return true;
        const auto calls = bare_calls(held_, *offer_);
        if (!calls) return true;
        give(*calls, out);
        held_.clear();
        return false;
    }

    // Where the first mark begins.
    std::size_t next_mark() const {
        auto first = std::string::npos;
        for (const auto* family : families())
            for (const auto mark : family->marks) first = std::min(first, held_.find(mark));
        return first;
    }

    // Bytes at the end that may be the head of a mark, and the white space before it.
    std::size_t kept_tail() const {
        const std::string_view held(held_);
        std::size_t keep = 0;
        for (std::size_t size = std::min(held.size(), kLongestMark); size > 0 && keep == 0; --size)
            for (const auto* family : families())
                for (const auto mark : family->marks)
                    if (mark.size() > size && mark.starts_with(held.substr(held.size() - size))) keep = size;
        const auto before = held.substr(0, held.size() - keep).find_last_not_of(kBlank);
        return before == std::string_view::npos ? held.size() : held.size() - before - 1;
    }

    void give(const Calls& calls, Events& out) {
        for (const auto& call : calls) {
            for (const auto& repair : call.repairs)
                notes_->warn(fmt::format("the call of '{}' was not quite JSON: {}", printable(call.name), repair));
            const auto index = next_++;
            out.emplace_back(chat::ToolCallDelta{0, index, fmt::format("call_{}_w{}", id_, index), call.name,
                                                 call.arguments, false});
            out.emplace_back(chat::ToolCallEnd{0, index});
        }
        called_ = true;
        text_before_ = false;
        notes_->changed = true;
        waits_ = false;
        looked_ = 0;
    }

    void say(std::size_t size, Events& out) {
        if (size == 0) return;
        if (std::string_view(held_).substr(0, size).find_first_not_of(kBlank) != std::string_view::npos)
            text_before_ = true;
        if (text_before_) may_be_bare_ = false;
        out.emplace_back(chat::TextDelta{0, held_.substr(0, size)});
        held_.erase(0, size);
        waits_ = false;
        looked_ = 0;
    }

    const std::shared_ptr<const Offer> offer_;
    const std::string id_;
    const std::shared_ptr<CallNotes> notes_;
    bool may_be_bare_;
    std::string held_;
    std::size_t looked_ = 0;  // bytes that were there when a call was last read
    bool waits_ = false;      // it was not whole then
    std::int64_t next_ = 0;   // index of the next call
    bool called_ = false;
    bool text_before_ = false;  // what was said last was text
    bool over_ = false;
};

}  // namespace

void CallNotes::warn(std::string text) {
    constexpr std::size_t kMost = 20;
    if (warnings.size() < kMost && std::ranges::find(warnings, text) == warnings.end())
        warnings.push_back(std::move(text));
}

std::unique_ptr<chat::EventFilter> written_calls(std::shared_ptr<const Offer> offer, std::string id, bool bare,
                                                 std::shared_ptr<CallNotes> notes) {
    return std::make_unique<WrittenCalls>(std::move(offer), std::move(id), bare, std::move(notes));
}

}  // namespace tandem::tools
