// Engines with other settings, started beside those that serve, in a folder of their own: the Track of a search on the
// real machine. They end with this object, and with the process, however it ends.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>

#include "base/world.h"
#include "engine/engines.h"
#include "engine/tune/guard.h"
#include "engine/tune/knobs.h"
#include "engine/tune/work.h"

namespace tandem::engine::tune {

struct TrialsSettings {
    config::Config config;        // as it is; its engines' program and the model's file are found already
    config::Model model;          // that is tuned
    EnginesSettings engines;      // `data` is a folder for this alone
    std::int64_t room_bytes = 0;  // of memory, for all of them together
    int concurrency = 1;
    SteadyTime end;  // no run begins after it
    Amount amount;   // of a request; 0: as much as the time allows
    std::function<bool()> stopped;
    std::vector<UpgradeQuestion> questions;
};

class Trials final : public Track {
  public:
    static constexpr std::size_t kMostLoaded = 4;  // at once: more would fight for caches while they wait

    // Clock and random outlive it.
    Trials(TrialsSettings settings, std::vector<Knob> knobs, Random& random, const Clock& clock);
    ~Trials() override;
    Trials(const Trials&) = delete;
    Trials& operator=(const Trials&) = delete;

    // Starts what is in use, and finds how much work a run shall be. Errors: it does not start, or fit.
    Result<> begin();

    Result<double> run(const Choices& choices, int round) override;
    std::size_t room() const override;
    void leave(const Choices& choices) override;
    bool has_time(double seconds) const override;

    // What it says to the fixed questions and texts; `whole`: to the long text as well. Errors: as run().
    Result<Sayings> sayings(const Choices& choices, bool whole);
    // Why it cannot be loaded; empty: it can, and room() counts with its size from now on.
    std::string too_large(const Choices& choices);
    config::Model served(const Choices& choices) const { return tune::served(settings_.model, knobs_, choices); }
    Amount amount() const { return amount_; }
    std::size_t far_tokens() const { return far_tokens_; }  // of the long text; 0: it is not asked
    double far_seconds() const;                             // that reading it takes, about
    double seconds_left() const;

  private:
    struct Loaded {
        Choices choices;
        std::string id;
        bool wanted = true;
    };
    struct Answers {
        std::vector<std::string> texts;
        double seconds = 0;
    };

    // Its id among the engines, loaded when the first question comes.
    const std::string& loaded(const Choices& choices);
    void configure();
    // `seconds`: that it takes with what is in use.
    Result<Answers> ask(const Choices& choices, std::vector<EngineQuestion> questions, double seconds);
    Result<std::string> ask_one(const Choices& choices, std::string path, std::string body, double seconds);
    Result<Tokens> tokens_of(const Choices& choices, const std::string& text);
    Result<std::vector<Likely>> next_tokens(const Choices& choices, std::size_t length, std::size_t places);
    Result<Answered> answer(const Choices& choices, const UpgradeQuestion& question);
    Result<> size_work();
    SteadyTime latest(double seconds, bool loads) const;
    bool is_loaded(const Choices& choices) const;

    TrialsSettings settings_;
    std::vector<Knob> knobs_;
    const Clock& clock_;
    MachineMemory machine_;
    Tokens text_;
    std::vector<Tokens> endings_;
    Amount amount_;
    std::size_t far_tokens_ = 0;
    double seconds_ = 0;        // of a run of what is in use
    double load_ = 0;           // seconds of its loading, with the first answer
    double speed_ = 0;          // tokens that it reads in a second, at least
    std::int64_t planned_ = 0;  // bytes of the largest that is tried
    int next_ = 0;
    std::list<Loaded> all_;  // the one that was asked last comes first
    std::unique_ptr<Engines> engines_;
};

}  // namespace tandem::engine::tune
