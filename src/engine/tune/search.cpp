#include "engine/tune/search.h"

#include <algorithm>

namespace tandem::engine::tune {

namespace {

// A track that keeps time for the proof at the end.
class Saving final : public Track {
  public:
    Saving(Track& track, const SearchSpace& space) : track_(track), space_(space) {}
    Result<double> run(const Choices& choices, int round) override {
        auto time = track_.run(choices, round);
        if (time && first_ == 0) first_ = *time;
        return time;
    }
    std::size_t room() const override { return track_.room(); }
    void leave(const Choices& choices) override { track_.leave(choices); }
    bool has_time(double seconds) const override {
        return track_.has_time(seconds + first_ * 2 * kFewestProofRounds + space_.answers_seconds());
    }

  private:
    Track& track_;
    const SearchSpace& space_;
    double first_ = 0;  // seconds of a run of what is in use
};

class Search {
  public:
    Search(Track& track, const SearchSpace& space) : track_(track), space_(space), now_(space.start) {}

    Found find() {
        Saving saving(track_, space_);
        for (std::size_t knob = 0; knob < space_.values.size() && !is_over(); ++knob) turn(saving, knob);
        if (!found_.broken.empty()) return std::move(found_);
        prove();
        return std::move(found_);
    }

  private:
    bool is_over() const { return found_.out_of_time || !found_.broken.empty(); }

    void turn(Track& track, std::size_t knob) {
        std::vector<Choices> others;
        for (std::size_t value = 0; value < space_.values[knob]; ++value) {
            auto other = now_;
            other[knob] = value;
            if (other != now_ && space_.impossible(other).empty() && !is_suspect(track, knob, other))
                others.push_back(std::move(other));
        }
        if (others.empty()) return;
        space_.begins(knob, others.size());
        auto race = tune::race(track, now_, others);
        found_.out_of_time = race.out_of_time;
        found_.broken = race.broken;
        if (race.broken.empty()) adopt(race);
        space_.told(knob, race, now_);
        found_.steps.push_back({knob, std::move(race), now_});
    }

    // Answers take time as runs do.
    bool is_suspect(Track& track, std::size_t knob, const Choices& other) {
        if (!space_.suspected(knob)) return false;
        const bool refused = !track.has_time(0) || !space_.refused(other, false).empty();
        if (refused) track_.leave(other);
        return refused;
    }

    // The best of those that are better, surely or after all rounds likely, and whose answers are the same.
    void adopt(RaceEnd& race) {
        std::vector<Raced*> better;
        for (auto& one : race.all)
            if (one.ratio.is_better(kLeastStep) ||
                (one.left.empty() && one.ratio.rounds >= kMostRounds && one.ratio.is_likely_better(kLeastStep)))
                better.push_back(&one);
        std::ranges::sort(better, {}, [](const Raced* one) { return one->ratio.mean; });
        for (auto* one : better) {
            if (auto why = space_.refused(one->choices, false); !why.empty()) {
                one->left = std::move(why);
                continue;
            }
            track_.leave(now_);
            path_.push_back(now_);
            now_ = one->choices;
            return;
        }
    }

    // Goes back along the path while the answers of what was found are not the same at length.
    void prove() {
        found_.best = space_.start;
        while (!path_.empty()) {
            if (!track_.has_time(0)) return give_up("the time was over before it could be proved");
            found_.why = space_.refused(now_, true);
            if (found_.why.empty()) break;
            track_.leave(now_);
            now_ = path_.back();
            path_.pop_back();
        }
        if (now_ == space_.start) {
            if (found_.why.empty())
                found_.why = found_.out_of_time ? "the time was over before anything faster was found"
                                                : "nothing that was tried is faster";
            return;
        }
        found_.ratio = compared(track_, space_.start, now_, kProofRounds);
        if (found_.ratio.rounds < kFewestProofRounds) return give_up("the time was over before it could be proved");
        if (!found_.ratio.is_better(kLeastGain)) return give_up("what looked faster was not, when both ran again");
        found_.best = now_;
        found_.is_better = true;
    }

    void give_up(std::string why) { found_.why = std::move(why); }

    Track& track_;
    const SearchSpace& space_;
    Choices now_;
    std::vector<Choices> path_;  // what was in use before each step
    Found found_;
};

}  // namespace

Found search(Track& track, const SearchSpace& space) {
    return Search(track, space).find();
}

}  // namespace tandem::engine::tune
