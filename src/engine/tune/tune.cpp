#include "engine/tune/tune.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "engine/gguf.h"
#include "engine/kind.h"
#include "engine/programs.h"

namespace tandem::engine::tune {

namespace fs = std::filesystem;

namespace {

constexpr double kSmaller = 0.5;  // of the parameters: a draft model that is larger does not pay
constexpr std::size_t kMostDrafts = 2;

// Smaller models of the config that cut text into the same tokens.
std::vector<std::string> drafts_for(const config::Config& config, const config::Model& model, const GgufFacts& facts,
                                    const EnginesSettings& places) {
    std::vector<std::string> files;
    for (const auto& other : config.models) {
        const auto* kind = engine_kind(*config.provider(other.provider));
        if (kind == nullptr || !kind->has_versions || other.file == model.file || files.size() >= kMostDrafts) continue;
        const auto file = find_model_file(config, other, places);
        const auto of_other = file ? read_gguf(*file) : Result<GgufFacts>(fail(file.error()));
        if (!of_other || of_other->tokenizer.model != facts.tokenizer.model ||
            of_other->tokenizer.pre != facts.tokenizer.pre || of_other->tokenizer.tokens != facts.tokenizer.tokens)
            continue;
        const auto small = static_cast<double>(of_other->parameters) < kSmaller * static_cast<double>(facts.parameters);
        if (small && std::ranges::find(files, file->string()) == files.end()) files.push_back(file->string());
    }
    return files;
}

// What is asked while the search goes on, and what it said before.
class Guard {
  public:
    Guard(Trials& trials, Choices before) : trials_(trials), before_(std::move(before)) {}

    std::string refuses(const Choices& choices, bool whole) {
        auto& before = whole ? whole_ : near_;
        if (!before) {
            auto said = trials_.sayings(before_, whole);
            if (!said) return "what is in use did not answer the questions: " + said.error().message;
            before = std::move(*said);
        }
        const auto after = trials_.sayings(choices, whole);
        if (!after) return "it did not answer the questions: " + after.error().message;
        divergence = mean_divergence(*before, *after);
        return what_changed(*before, *after);
    }

    double divergence = 0;  // of the last one that was asked

  private:
    Trials& trials_;
    Choices before_;
    std::optional<Sayings> near_, whole_;
};

std::string ratio_text(const Ratio& ratio) {
    if (!ratio.known()) return ratio.rounds == 0 ? "not measured" : fmt::format("{:.2f} of the time", ratio.mean);
    return fmt::format("{:.3f} of the time ({:.3f}-{:.3f}, {} rounds)", ratio.mean, ratio.low, ratio.high,
                       ratio.rounds);
}

// One tuning: what the search asks of the world.
class Tuning {
  public:
    Tuning(TrialsSettings settings, std::vector<Knob> knobs, const Wish& wish)
        : wish_(wish),
          clock_(system_clock()),
          random_(system_random()),
          cpu_(hardware().cpu),
          knobs_(std::move(knobs)),
          model_(settings.model),
          start_(in_use(knobs_)),
          trials_(std::move(settings), knobs_, *random_, *clock_),
          guard_(trials_, start_) {}

    Result<Report> run() {
        const auto begun = clock_->steady();
        if (auto ok = trials_.begin(); !ok) return fail(ok.error());
        say(fmt::format("a run is {} of {} tokens and answers of {}", counted(wish_.concurrency),
                        trials_.amount().prompt, trials_.amount().answer));
        report_.beside = trials_.room() > 1;
        report_.found = search(trials_, space());
        if (wish_.stopped()) return fail(Fault::cancelled, "tuning was stopped; nothing was changed");
        if (!report_.found.broken.empty()) return fail(Fault::engine_down, report_.found.broken);
        report_.before = model_;
        report_.after = served(model_, knobs_, report_.found.best);
        if (!report_.found.steps.empty()) report_.request_seconds = report_.found.steps.front().race.seconds;
        report_.knobs = knobs_;
        report_.amount = trials_.amount();
        report_.far_tokens = trials_.far_tokens();
        report_.divergence = report_.found.is_better ? guard_.divergence : 0;
        report_.seconds = std::chrono::duration<double>(clock_->steady() - begun).count();
        return std::move(report_);
    }

  private:
    static std::string counted(int count) { return count == 1 ? "a prompt" : fmt::format("{} prompts at once", count); }

    void say(const std::string& line) { wish_.say(line, trials_.seconds_left()); }

    SearchSpace space() {
        SearchSpace space;
        space.start = start_;
        for (const auto& knob : knobs_) space.values.push_back(knob.values.size());
        space.impossible = [this](const Choices& choices) { return impossible(choices); };
        space.refused = [this](const Choices& choices, bool whole) {
            const auto left = trials_.seconds_left();
            auto why = guard_.refuses(choices, whole);
            if (!whole) answers_seconds_ = std::max(answers_seconds_, left - trials_.seconds_left());
            const auto what = difference(knobs_, start_, choices);
            say(why.empty() ? fmt::format("{}: answers as before", what) : fmt::format("{}: refused, {}", what, why));
            if (!why.empty()) report_.not_tried.push_back({what, why});
            return why;
        };
        space.answers_seconds = [this] { return 2 * (answers_seconds_ + trials_.far_seconds()); };
        space.begins = [this](std::size_t knob, std::size_t others) {
            say(fmt::format("{}: {} other{} to try", knobs_[knob].name, others, others == 1 ? "" : "s"));
        };
        space.suspected = [this](std::size_t knob) { return knobs_[knob].changes_answers; };
        space.told = [this](std::size_t knob, const RaceEnd& race, const Choices& now) { tell(knob, race, now); };
        return space;
    }

    std::string impossible(const Choices& choices) {
        const auto work = trials_.amount().prompt * wish_.concurrency;
        auto why = nonsense(model_, served(model_, knobs_, choices), cpu_, work);
        if (!why.empty()) return why;
        why = trials_.too_large(choices);
        if (!why.empty()) report_.not_tried.push_back({difference(knobs_, start_, choices), why});
        return why;
    }

    void tell(std::size_t knob, const RaceEnd& race, const Choices& now) {
        for (const auto& one : race.all) {
            const auto& value = knobs_[knob].values[one.choices[knob]].text;
            say(fmt::format("{} {}: {}{}", knobs_[knob].name, value, ratio_text(one.ratio),
                            one.choices == now ? ", taken"
                            : one.left.empty() ? ""
                                               : "; " + one.left));
        }
    }

    const Wish& wish_;
    std::unique_ptr<Clock> clock_;
    std::unique_ptr<Random> random_;
    Cpu cpu_;
    std::vector<Knob> knobs_;
    config::Model model_;
    Choices start_;
    Trials trials_;
    Guard guard_;
    double answers_seconds_ = 0;  // of the short questions to both, where they were asked
    Report report_;
};

}  // namespace

Result<TrialsSettings> ground_of(const config::Config& config, const EnginesSettings& places, const Wish& wish) {
    const auto* model = config.model(wish.model);
    if (model == nullptr) {
        std::vector<std::string> names;
        for (const auto& one : config.models) names.push_back(one.id);
        return fail(ErrorCode::not_found,
                    fmt::format("there is no model '{}'{}", printable(wish.model, 60), suggest(wish.model, names)));
    }
    const auto* kind = engine_kind(*config.provider(model->provider));
    if (kind == nullptr || !kind->has_versions)
        return fail(ErrorCode::invalid, fmt::format("{} is not run by Tandem's llama-server (a provider of kind "
                                                    "`engine`), so there is nothing to tune",
                                                    model->id));
    if (model->capabilities && !model->capabilities->has(config::Capability::chat))
        return fail(ErrorCode::invalid,
                    fmt::format("{} writes no answers, and those are what tuning measures", model->id));
    TrialsSettings settings{.config = config,
                            .model = *model,
                            .engines = places,
                            .room_bytes = wish.room_bytes,
                            .concurrency = wish.concurrency,
                            .end = std::chrono::steady_clock::now() + wish.time,
                            .amount = {},
                            .stopped = wish.stopped,
                            .questions = wish.questions};
    const auto program = find_binary(config, places);
    if (!program) return fail(program.error());
    settings.config.engine_binary = program->string();
    const auto file = find_model_file(config, *model, places);
    if (!file) return fail(file.error());
    settings.model.file = file->string();
    return settings;
}

Result<Report> tune(const config::Config& config, EnginesSettings places, const fs::path& folder, const Wish& wish) {
    auto settings = ground_of(config, places, wish);
    if (!settings) return fail(settings.error());
    const auto facts = read_gguf(fs::path(settings->model.file));
    if (!facts) return fail(facts.error());
    const auto machine = hardware();
    Ground ground{.cpu = machine.cpu,
                  .gpus = machine.gpus,
                  .help = words_for(settings->config.engine_binary, "--help"),
                  .concurrency = wish.concurrency,
                  .quantised_cache = wish.quantised_cache,
                  .drafts = drafts_for(config, settings->model, *facts, places)};
    auto knobs = knobs_for(settings->model, ground);
    settings->engines.data = folder;
    return Tuning(std::move(*settings), std::move(knobs), wish).run();
}

}  // namespace tandem::engine::tune
