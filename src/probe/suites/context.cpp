// How long a prompt may be before the model loses what stands in it.
//
// Lengths are doubled from kShort on. At each one questions of five kinds are asked, with the note that answers at
// different depths. A length is good while the answers are right at least 85 % as often as at the shortest one, and at
// least half of the time. Usable is the longest length up to which all are good. A model that fails at the shortest one
// has usable 0: it cannot read such texts at all, of whichever length.
//
// The kinds and the rule are those of the public work on it: RULER (Hsieh et al. 2024: several needles, tracking,
// aggregation; effective length), NoLiMa (Modarressi et al. 2025: questions without words of the passage; 85 % of the
// short score). Texts, questions and code are ours.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "probe/checks.h"
#include "probe/suite.h"
#include "probe/suites.h"
#include "probe/suites/notes.h"

namespace tandem::probe {

namespace {

constexpr std::int64_t kShort = 512;              // tokens of the shortest prompt
constexpr std::int64_t kLongestUnasked = 32'768;  // tokens, where nobody wants longer ones: they take long, or cost
constexpr std::int64_t kAnswer = 64;              // tokens of an answer
constexpr std::int64_t kFrame = 48;               // tokens that a template may put around a message
constexpr int kShortQuestions = 10, kMostQuestions = 20;  // at the shortest length; at each other one, at most
constexpr double kKept = 0.85;                            // of the short score, that a usable length has at least
constexpr double kFloor = 0.5;                            // of right answers, that it has at least
constexpr double kGood = 0.8, kBad = 0.4;                 // at the shortest length, to tell early that it fails
constexpr double kWorse = 0.7;                            // of the short score, that a length is told from
constexpr int kDepths = 5;
constexpr double kBytesOfToken = 3, kFewestBytes = 1.5, kMostBytes = 6;  // of such text, before a count is known
constexpr double kSpread = 0.97;                                         // by which texts of one size differ in tokens
constexpr std::int64_t kCutShare = 85;  // percent of the tokens that were sent: fewer that are read were cut

// Deep in the middle, at the beginning and at the end alike, whatever the kind is.
double depth_of(int number) {
    constexpr std::array<double, kDepths> kPlaces = {0.5, 0.05, 0.95, 0.25, 0.75};
    return kPlaces[static_cast<std::size_t>(number + number / kDepths) % kDepths];
}

class Context final : public Suite {
  public:
    explicit Context(const Subject& subject) : subject_(subject) {
        const auto claimed = subject.context_tokens;
        const auto wanted = subject.longest > 0 ? subject.longest : kLongestUnasked;
        const auto most = claimed > 0 ? std::min(claimed, wanted) : wanted;
        for (auto tokens = kShort; tokens < most; tokens *= 2) lengths_.push_back({.tokens = tokens});
        lengths_.push_back({.tokens = std::max(most, kShort)});
    }

    std::optional<Question> next() override {
        if (at_ >= lengths_.size()) return std::nullopt;
        const auto tokens = lengths_[at_].tokens;
        const int number = static_cast<int>(lengths_[at_].right.asked());
        const auto kind = static_cast<NotesKind>(static_cast<std::size_t>(number) % kNotesKindNames.size());
        const auto room = subject_.room(kAnswer);
        const auto prompt = std::max(tokens - std::min(room, tokens / 4) - kFrame, tokens / 2);
        bytes_ = static_cast<std::size_t>(static_cast<double>(prompt) * kSpread * bytes_of_token());
        auto made = notes(subject_.seed, kind, number, bytes_, depth_of(number));
        bytes_ = made.text.size();
        auto question = ask_one(fmt::format("{} in {} tokens, {}", kNotesKindNames[static_cast<std::size_t>(kind)],
                                            tokens, number / static_cast<int>(kNotesKindNames.size()) + 1),
                                request_saying(made.text, room, R"(,"temperature":0)"), std::move(made.right));
        // A server that refuses a prompt that is not longer than it claims fails at that length.
        question.errors = Errors::refusals;
        question.judge = [judge = std::move(question.judge)](std::span<const Heard> heard) {
            const auto& one = heard[0];
            Outcome outcome = one.error.empty() ? judge(heard) : Outcome{false, {}, one.error};
            outcome.numbers = {one.usage.estimated ? 0 : one.usage.input.count};
            return outcome;
        };
        return question;
    }

    void take(const Outcome& outcome) override {
        if (!outcome.passed) return;
        auto& length = lengths_[at_];
        const int number = static_cast<int>(length.right.asked());
        const bool right = *outcome.passed;
        const auto read = outcome.numbers.empty() ? 0 : outcome.numbers[0];
        if (read > 0 && at_ == 0) {
            bytes_sent_ += static_cast<double>(bytes_);
            tokens_read_ += static_cast<double>(read);
        }
        const auto sent = static_cast<std::int64_t>(static_cast<double>(bytes_) / bytes_of_token());
        if (read > 0 && at_ > 0 && read * 100 < sent * kCutShare) length.cut_to = read;
        length.right.add(right);
        length.by_depth[static_cast<int>(depth_of(number) * 100)].add(right);
        by_kind_[static_cast<std::size_t>(number) % kNotesKindNames.size()].add(right);
        if (at_ == 0 ? is_short_decided(right) : is_decided(right)) end_length();
    }

    std::size_t most() const override {
        return kShortQuestions + (lengths_.size() - 1) * static_cast<std::size_t>(kMostQuestions);
    }

    std::vector<Finding> findings() const override {
        std::vector<Finding> list;
        list.push_back({.name = "usable",
                        .unit = "tokens",
                        .value = usable(),
                        .low = lowest(),
                        .high = highest(),
                        .asked = asked(),
                        .right = right(),
                        .word = meaning()});
        for (const auto& length : lengths_)
            if (length.right.asked() > 0)
                list.push_back(share_of(fmt::format("at {} tokens", length.tokens), length.right, depths_of(length)));
        for (std::size_t kind = 0; kind < by_kind_.size(); ++kind)
            if (by_kind_[kind].asked() > 0)
                list.push_back(share_of(std::string(kNotesKindNames[kind]), by_kind_[kind]));
        return list;
    }

    // That all lengths are good which were asked says nothing against a longer claim.
    std::vector<Decided> decided() const override {
        const bool all_good = good_ == lengths_.size();
        if (all_good && lengths_.back().tokens < subject_.context_tokens) return {};
        if (all_good && subject_.context_tokens == 0) return {};
        return {{catalog::Quantity::context, usable(), lowest(), highest(), asked()}};
    }

  private:
    struct Length {
        std::int64_t tokens = 0;
        Proportion right = {};
        std::map<int, Proportion> by_depth = {};
        bool clear = false;       // the test has decided, and not the number of questions
        std::int64_t cut_to = 0;  // tokens that its server says to have read, where that is fewer than were sent
    };

    double bytes_of_token() const {
        if (tokens_read_ <= 0) return kBytesOfToken;
        return std::clamp(bytes_sent_ / tokens_read_, kFewestBytes, kMostBytes);
    }

    bool is_short_decided(bool right) {
        short_test_.add(right);
        if (short_test_.verdict() == Sprt::Verdict::bad) {
            fails_ = true;
            return true;
        }
        const auto& score = lengths_[0].right;
        if (score.asked() < kShortQuestions) return false;
        fails_ = score.share() < kFloor;
        return true;
    }

    bool is_decided(bool right) {
        test_->add(right);
        const auto& score = lengths_[at_].right;
        const auto verdict = test_->verdict();
        lengths_[at_].clear = verdict != Sprt::Verdict::open;
        if (verdict == Sprt::Verdict::open && score.asked() < kMostQuestions) return false;
        fails_ = verdict == Sprt::Verdict::bad || score.share() < kKept * lengths_[0].right.share() ||
                 score.share() < kFloor;
        return true;
    }

    // The next length, or the end.
    void end_length() {
        if (fails_) {
            at_ = lengths_.size();
            return;
        }
        good_ = ++at_;
        // Laplace's rule: ten of ten are no certainty.
        const auto& score = lengths_[0].right;
        const double expected = (static_cast<double>(score.right()) + 1) / (static_cast<double>(score.asked()) + 2);
        test_.emplace(expected, kWorse * expected);
    }

    std::int64_t usable() const { return good_ == 0 ? 0 : lengths_[good_ - 1].tokens; }
    // It is surely not less: the longest length up to which all are clearly good.
    std::int64_t lowest() const {
        std::int64_t low = good_ == 0 ? 0 : kShort;
        for (std::size_t i = 1; i < good_ && lengths_[i].clear; ++i) low = lengths_[i].tokens;
        return low;
    }
    // And not more: below the length that failed clearly; where it was not clear, below the next one.
    std::int64_t highest() const {
        if (good_ == 0) return kShort - 1;
        const auto failed = good_;
        if (failed == lengths_.size()) return std::max(subject_.context_tokens, lengths_.back().tokens);
        if (lengths_[failed].clear) return lengths_[failed].tokens - 1;
        return failed + 1 < lengths_.size() ? lengths_[failed + 1].tokens - 1 : lengths_.back().tokens;
    }
    std::int64_t asked() const {
        std::int64_t sum = 0;
        for (const auto& length : lengths_) sum += length.right.asked();
        return sum;
    }
    std::int64_t right() const {
        std::int64_t sum = 0;
        for (const auto& length : lengths_) sum += length.right.right();
        return sum;
    }

    std::string meaning() const {
        if (good_ == 0) return fmt::format("it fails at the shortest prompt ({} tokens)", kShort);
        std::string out;
        for (const auto& length : lengths_)
            if (length.cut_to > 0)
                out = fmt::format("its server read {} tokens of a prompt of about {}", length.cut_to, length.tokens);
        if (good_ == lengths_.size()) out = "all lengths that were asked are good";
        return out;
    }

    static std::string depths_of(const Length& length) {
        std::string out;
        for (const auto& [depth, right] : length.by_depth)
            out += fmt::format("{}depth {} %: {}/{}", out.empty() ? "" : ", ", depth, right.right(), right.asked());
        return out;
    }

    Subject subject_;
    std::vector<Length> lengths_;
    std::size_t at_ = 0, good_ = 0;
    bool fails_ = false;
    Sprt short_test_{kGood, kBad};
    std::optional<Sprt> test_;
    std::array<Proportion, kNotesKindNames.size()> by_kind_;
    std::size_t bytes_ = 0;  // of the question under way
    double bytes_sent_ = 0, tokens_read_ = 0;
};

}  // namespace

std::unique_ptr<Suite> make_context(const Subject& subject) {
    return std::make_unique<Context>(subject);
}

}  // namespace tandem::probe
