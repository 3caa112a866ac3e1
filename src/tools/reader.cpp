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
            // Of an answer that was cut, nobody knows what its last call was to be.
            if (finished->reason == chat::Finish::stop || finished->reason == chat::Finish::tool_calls)
                read(true, out);
            else
                say(held_.size(), out);
            over_ = true;
            if (called_ && finished->reason == chat::Finish::stop) finished->reason = chat::Finish::tool_calls;
        }
        out.push_back(std::move(event));
    }
    // Without its end, it was cut.
    void end(Events& out) override { say(held_.size(), out); }

  private:
    static constexpr std::size_t kMostHeld = 1UL << 20;
    static constexpr std::size_t kLongestMark = 64;
    static constexpr int kMostMarks = 256;  // of an answer that are read; what is behind them is text

    // Says what can be no call, makes calls of what is one, and holds back what may become one.
    void read(bool ended, Events& out) {
        if (may_be_bare_ && !read_bare(ended, out)) return;
        while (!held_.empty()) {
            if (waits_ && !ended && !may_be_whole()) return;
            const auto mark = read_ < kMostMarks ? next_mark() : std::string::npos;
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
            if (is_quoted()) {
                say(mark + 1, out);
                continue;
            }
            ++read_;
            if (!read_mark(mark, ended, out)) return;
        }
    }

    // What ends a call is a bracket of one kind or another, or a fence; what lies between cannot. A long one is looked
    // at again when it has grown by a share of itself, so that all looks together are linear.
    bool may_be_whole() const {
        constexpr std::size_t kShort = 4'096;
        if (held_.size() > kShort && held_.size() < looked_ + looked_ / 16) return false;
        return held_.size() >= looked_ + looked_ / 4 + 1 || held_.find_first_of(">}])`", looked_) != std::string::npos;
    }

    // What a model shows or thinks is not called: in a fence, in marks of code or of speech, in its thoughts.
    bool is_quoted() const {
        if (thinking_ || (fenced_ && !fence_is_first_)) return true;
        const auto before = trim(line_);
        if (before.empty()) return false;
        constexpr std::string_view kQuotes[] = {"`", "\"", "'", "(", "\u201c", "\u201e", "\u00ab", "\u2018", "\u300c"};
        return std::ranges::count(line_, '`') % 2 == 1 ||
               std::ranges::any_of(kQuotes, [&](auto quote) { return before.ends_with(quote); });
    }

    // Follows what was said: the line that goes on, fences and thoughts that are open.
    void follow(std::string_view text) {
        constexpr std::string_view kThink = "<think>", kThought = "</think>";
        constexpr std::size_t kMostOfLine = 4'096;
        for (const char c : text) {
            if (c == '\n') {
                lines_ = lines_ || line_.find_first_not_of(kBlank) != std::string::npos;
                line_.clear();
                continue;
            }
            if (line_.size() == kMostOfLine) line_.erase(0, kMostOfLine / 2);
            line_ += c;
            const auto begin = line_.find_first_not_of(kBlank);
            if (begin != std::string::npos && line_.size() == begin + 3 &&
                (line_.ends_with("```") || line_.ends_with("~~~"))) {
                fenced_ = !fenced_;
                // Some models put a fence around what they call.
                fence_is_first_ = fenced_ && !lines_;
            }
            if (line_.ends_with(kThink)) thinking_ = true;
            if (line_.ends_with(kThought)) thinking_ = false;
        }
    }

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
        line_.clear();
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
        follow(std::string_view(held_).substr(0, size));
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
    int read_ = 0;        // marks that were read
    std::string line_;    // that goes on, of what was said
    bool lines_ = false;  // one with words came before that
    bool fenced_ = false;
    bool fence_is_first_ = false;
    bool thinking_ = false;
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
