#include "chat/splice.h"

#include <optional>

namespace tandem::chat {

namespace {

constexpr std::size_t kLongestOverlap = 2'000;  // of the end of what was given; the whole of it is known besides

// Text of the first choice is held until it is clear how it follows, or the answer is finished. What is held when it
// just ends is not said: it may be a repetition that was cut.
class Splice : public EventFilter {
  public:
    explicit Splice(std::string given) : given_(std::move(given)) {}

    void take(Event event, std::vector<Event>& out) override {
        auto* text = std::get_if<TextDelta>(&event);
        if (joined_ || std::holds_alternative<Started>(event)) {
            out.push_back(std::move(event));
            return;
        }
        // Of text that is held: where it is a repetition, it was named when that was given.
        if (const auto* cited = std::get_if<Cited>(&event); cited != nullptr && cited->choice == 0) return;
        if (text == nullptr || text->choice != 0) {
            if (ends_the_wait(event)) join(out);
            out.push_back(std::move(event));
            return;
        }
        held_ += text->text;
        if (is_clear()) join(out);
    }

  protected:
    // Whether more text can change what is left out.
    virtual bool is_clear() const = 0;
    // What of the text held is to be said.
    virtual std::string rest() const = 0;

    const std::string given_;
    std::string held_;

  private:
    static bool ends_the_wait(const Event& event) {
        return std::holds_alternative<ToolCallDelta>(event) || std::holds_alternative<RefusalDelta>(event) ||
               std::holds_alternative<Finished>(event);
    }
    void join(std::vector<Event>& out) {
        if (joined_) return;
        joined_ = true;
        if (auto text = rest(); !text.empty()) out.emplace_back(TextDelta{0, std::move(text)});
    }
    bool joined_ = false;
};

class Continuation final : public Splice {
  public:
    using Splice::Splice;

  private:
    // Where, within what was given, the text held may begin again; the first is the longest repetition.
    template <typename Visit>
    void each_beginning(Visit&& visit) const {
        const auto first = given_.size() - std::min(given_.size(), kLongestOverlap);
        if (first > 0) visit(std::size_t{0});
        for (auto at = first; at < given_.size(); ++at) visit(at);
    }
    bool is_clear() const override {
        bool open = false;
        each_beginning([&](std::size_t at) {
            const auto left = given_.size() - at;
            open = open || (left > held_.size() && given_.compare(at, held_.size(), held_) == 0);
        });
        return !open;
    }
    std::string rest() const override {
        std::optional<std::size_t> repeated;
        each_beginning([&](std::size_t at) {
            const auto left = given_.size() - at;
            const bool counts = left >= kShortestOverlap || at == 0 || at >= end_of_words();
            if (!repeated && counts && left <= held_.size() && held_.compare(0, left, given_, at) == 0) repeated = left;
        });
        return held_.substr(repeated.value_or(0));
    }
    // White space at the end is not sent as a beginning, since some providers refuse it: it comes again.
    std::size_t end_of_words() const {
        const auto last = given_.find_last_not_of(" \t\r\n");
        return last == std::string::npos ? 0 : last + 1;
    }
};

class Restart final : public Splice {
  public:
    using Splice::Splice;

  private:
    bool is_clear() const override { return held_.size() >= given_.size() || !given_.starts_with(held_); }
    std::string rest() const override {
        if (held_.starts_with(given_)) return held_.substr(given_.size());
        if (given_.starts_with(held_)) return {};
        return std::string(kBeginsAgain) + held_;
    }
};

}  // namespace

std::unique_ptr<EventFilter> continuation_splice(std::string given) {
    return std::make_unique<Continuation>(std::move(given));
}

std::unique_ptr<EventFilter> restart_splice(std::string given) {
    return std::make_unique<Restart>(std::move(given));
}

}  // namespace tandem::chat
