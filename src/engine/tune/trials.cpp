#include "engine/tune/trials.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "engine/planned_memory.h"
#include "engine/upgrade.h"

namespace tandem::engine::tune {

namespace {

constexpr std::chrono::hours kNever{24};
constexpr std::size_t kNearTokens = 400, kNearPlaces = 16, kFarPlaces = 4;
constexpr std::size_t kMostFarTokens = 32'768;
constexpr std::size_t kSpare = 8;  // tokens of the context that no text fills
constexpr std::string_view kFirstQuestion = R"({"prompt":[1],"n_predict":1})";
constexpr double kFarShare = 0.08;              // of all the time, for one reading of the long text
constexpr double kRunShare = 1.0 / 80;          // of all the time, for one run
constexpr std::size_t kWords = 6'000;           // of prose that prompts are cut from, and all that is far
constexpr double kWordsPerToken = 0.5;          // at least, to have enough of them
constexpr std::chrono::milliseconds kLook{30};  // between two looks whether somebody wants the end
constexpr double kPatience = 3;                 // times as long as what is in use may one run take
constexpr double kLeastPatience = 5;            // seconds

// What was asked at once, and what has come of it. Shared with callbacks that may come after nobody waits any more.
struct Waiting {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::optional<Result<std::string>>> answers;
    std::size_t left = 0;
};

}  // namespace

Trials::Trials(TrialsSettings settings, std::vector<Knob> knobs, Random& random, const Clock& clock)
    : settings_(std::move(settings)), knobs_(std::move(knobs)), clock_(clock), machine_(machine_memory()) {
    auto& config = settings_.config;
    config.engine_memory = static_cast<std::size_t>(settings_.room_bytes);
    config.engine_prompts = 0;
    machine_.models_bytes = settings_.room_bytes;
    auto& model = settings_.model;
    model.preload = model.pin = false;
    model.group.clear();
    model.idle_unload = kNever;
    engines_ = std::make_unique<Engines>(settings_.engines, random, clock);
}

Trials::~Trials() = default;

std::string Trials::too_large(const Choices& choices) {
    const auto bytes = planned_memory(served(choices), settings_.model.file, machine_).bytes;
    if (bytes > settings_.room_bytes)
        return fmt::format("it takes {} MiB, and there is room for {}", bytes >> 20, settings_.room_bytes >> 20);
    planned_ = std::max(planned_, bytes);
    return {};
}

std::size_t Trials::room() const {
    const auto each = std::max<std::int64_t>(1, planned_);
    return std::clamp<std::size_t>(static_cast<std::size_t>(settings_.room_bytes / each), 1, kMostLoaded);
}

double Trials::far_seconds() const {
    return speed_ > 0 ? static_cast<double>(far_tokens_) / speed_ : 0;
}

double Trials::seconds_left() const {
    if (settings_.stopped()) return -1;
    return std::chrono::duration<double>(settings_.end - clock_.steady()).count();
}

bool Trials::has_time(double seconds) const {
    return seconds_left() > seconds;
}

SteadyTime Trials::latest(double seconds, bool loads) const {
    if (load_ == 0) return settings_.end;
    const auto in = [](double length) {
        return std::chrono::duration_cast<SteadyTime::duration>(std::chrono::duration<double>(length));
    };
    const auto patience = std::max(kLeastPatience, kPatience * seconds) + (loads ? kPatience * load_ : 0);
    return std::min(clock_.steady() + in(patience), std::max(settings_.end, clock_.steady()) + in(seconds_));
}

bool Trials::is_loaded(const Choices& choices) const {
    return std::ranges::find(all_, choices, &Loaded::choices) != all_.end();
}

void Trials::configure() {
    auto config = std::make_shared<config::Config>(settings_.config);
    config->models.clear();
    for (const auto& one : all_) {
        config->models.push_back(served(one.choices));
        config->models.back().id = one.id;
    }
    engines_->configure(std::move(config));
}

void Trials::leave(const Choices& choices) {
    for (auto& one : all_)
        if (one.choices == choices) one.wanted = false;
}

const std::string& Trials::loaded(const Choices& choices) {
    const auto found = std::ranges::find(all_, choices, &Loaded::choices);
    if (found != all_.end()) {
        found->wanted = true;
        all_.splice(all_.begin(), all_, found);
        return all_.front().id;
    }
    std::erase_if(all_, [](const Loaded& one) { return !one.wanted; });
    while (all_.size() >= room()) all_.pop_back();
    all_.push_front({choices, fmt::format("tune-{}", ++next_)});
    configure();
    return all_.front().id;
}

Result<Trials::Answers> Trials::ask(const Choices& choices, std::vector<EngineQuestion> questions, double seconds) {
    if (!has_time(0)) return fail(Fault::engine_loading, "the time was over");
    const auto deadline = latest(seconds, !is_loaded(choices));
    const auto id = loaded(choices);
    auto waiting = std::make_shared<Waiting>();
    waiting->answers.resize(questions.size());
    waiting->left = questions.size();
    const auto begun = clock_.steady();
    for (std::size_t at = 0; at < questions.size(); ++at) {
        questions[at].deadline = deadline;
        engines_->ask(id, std::move(questions[at]), [waiting, at](Result<std::string> answer) {
            const std::lock_guard lock(waiting->mutex);
            waiting->answers[at] = std::move(answer);
            --waiting->left;
            waiting->changed.notify_all();
        });
    }
    std::unique_lock lock(waiting->mutex);
    while (waiting->left > 0) {
        waiting->changed.wait_for(lock, kLook);
        if (waiting->left > 0 && settings_.stopped())
            return fail(Fault::cancelled, "tuning was stopped; nothing was changed");
    }
    Answers answers;
    answers.seconds = std::chrono::duration<double>(clock_.steady() - begun).count();
    for (auto& one : waiting->answers) {
        if (!*one) return fail(one->error());
        answers.texts.push_back(std::move(**one));
    }
    return answers;
}

Result<std::string> Trials::ask_one(const Choices& choices, std::string path, std::string body, double seconds) {
    std::vector<EngineQuestion> questions(1);
    questions[0].path = std::move(path);
    questions[0].body = std::move(body);
    auto answers = ask(choices, std::move(questions), seconds);
    if (!answers) return fail(answers.error());
    return std::move(answers->texts[0]);
}

Result<Tokens> Trials::tokens_of(const Choices& choices, const std::string& text) {
    json::Writer body;
    body.begin_object().member("content", text).end_object();
    auto answer = ask_one(choices, "/tokenize", body.take(), seconds_);
    if (!answer) return fail(answer.error());
    json::Document document;
    if (auto ok = document.parse(std::move(*answer)); !ok) return fail(ok.error());
    Tokens tokens;
    for (const auto one : document.root()["tokens"].children())
        if (const auto token = one.integer()) tokens.push_back(*token);
    if (tokens.empty()) return fail(ErrorCode::invalid, "the program gives no tokens at /tokenize: take a newer one");
    return tokens;
}

Result<> Trials::begin() {
    const auto now = in_use(knobs_);
    if (const auto why = too_large(now); !why.empty())
        return fail(Fault::engine_too_large,
                    fmt::format("{} cannot be tuned beside what is loaded: {}; unload models with `tandem engine stop "
                                "MODEL`, then tune again",
                                settings_.model.id, why));
    const auto begun = clock_.steady();
    if (auto ready = ask_one(now, "/completion", std::string(kFirstQuestion), 0); !ready) return fail(ready.error());
    load_ = std::chrono::duration<double>(clock_.steady() - begun).count();
    const auto far = std::min(kMostFarTokens, static_cast<std::size_t>(settings_.model.context_tokens));
    const auto words = std::max(kWords, static_cast<std::size_t>(static_cast<double>(far) / kWordsPerToken));
    auto tokens = tokens_of(now, prose(1, words));
    if (!tokens) return fail(tokens.error());
    text_ = std::move(*tokens);
    for (const auto& ending : endings()) {
        auto of_ending = tokens_of(now, ending);
        if (!of_ending) return fail(of_ending.error());
        endings_.push_back(std::move(*of_ending));
    }
    return size_work();
}

// A first run of the smallest amount, then as much as gives the search the runs that it needs.
Result<> Trials::size_work() {
    const auto now = in_use(knobs_);
    const auto all = std::max(1.0, seconds_left());
    amount_ = kLeastAmount;
    for (int round = 0; round < 2; ++round) {  // the first one warms up
        const auto time = run(now, round);
        if (!time) return fail(time.error());
        seconds_ = *time;
    }
    speed_ = static_cast<double>(amount_.prompt + amount_.answer) / seconds_;
    // Time for as many runs as the search needs; what is read costs less than what is said, so this is on the safe
    // side.
    const auto& usual = settings_.concurrency > 1 ? kAmountOfMany : kUsualAmount;
    const auto most = std::clamp(settings_.model.context_tokens / 4, kLeastAmount.prompt, usual.prompt);
    const double times = std::clamp(all * kRunShare / seconds_, 1.0, static_cast<double>(most) / kLeastAmount.prompt);
    amount_ = {static_cast<std::int64_t>(static_cast<double>(kLeastAmount.prompt) * times),
               std::clamp(static_cast<std::int64_t>(static_cast<double>(kLeastAmount.answer) * times),
                          kLeastAmount.answer, usual.answer)};
    if (settings_.amount.prompt > 0) amount_ = settings_.amount;
    const auto time = run(now, 0);
    if (!time) return fail(time.error());
    seconds_ = *time;
    const auto context = static_cast<std::size_t>(settings_.model.context_tokens);
    far_tokens_ = std::min({kMostFarTokens, context - std::min(context, kSpare), text_.size(),
                            static_cast<std::size_t>(speed_ * all * kFarShare)});
    if (far_tokens_ < 2 * kNearTokens) far_tokens_ = 0;
    return {};
}

Result<double> Trials::run(const Choices& choices, int round) {
    std::vector<EngineQuestion> questions;
    for (auto& body : requests(text_, endings_, amount_, round, settings_.concurrency)) {
        auto& question = questions.emplace_back();
        question.path = "/completion";
        question.body = std::move(body);
    }
    // Its loading is no part of a run.
    if (!is_loaded(choices))
        if (auto ready = ask_one(choices, "/completion", std::string(kFirstQuestion), seconds_); !ready)
            return fail(ready.error());
    const auto answers = ask(choices, std::move(questions), seconds_);
    if (!answers) return fail(answers.error());
    for (const auto& text : answers->texts) {
        json::Document document;
        if (auto ok = document.parse(text); !ok) return fail(ok.error());
        const auto made = document.root()["tokens_predicted"].integer().value_or(0);
        if (made < amount_.answer)
            return fail(ErrorCode::upstream,
                        fmt::format("it made {} tokens where {} were asked for", made, amount_.answer));
    }
    return std::max(answers->seconds, 1e-6);
}

Result<std::vector<Likely>> Trials::next_tokens(const Choices& choices, std::size_t length, std::size_t places) {
    std::vector<Likely> all;
    for (std::size_t place = 1; place <= places; ++place) {
        const auto answer = ask_one(choices, "/completion", next_token_request(text_, length * place / places),
                                    static_cast<double>(length) / speed_);
        if (!answer) return fail(answer.error());
        auto likely = likely_of(*answer);
        if (!likely) return fail(likely.error());
        all.push_back(std::move(*likely));
    }
    return all;
}

Result<Answered> Trials::answer(const Choices& choices, const UpgradeQuestion& question) {
    auto text =
        ask_one(choices, "/v1/chat/completions", deterministic_request(settings_.model.name, question.rest), seconds_);
    if (!text) return fail(text.error());
    json::Document document;
    if (auto ok = document.parse(std::move(*text)); !ok) return fail(ok.error());
    Answered answered{question.id, {}, {}, question.right(document.root())};
    const auto message = first_choice(document.root())["message"];
    answered.text = message["content"].text();
    for (const json::Value call : message["tool_calls"].children()) answered.calls += call["function"].raw();
    return answered;
}

Result<Sayings> Trials::sayings(const Choices& choices, bool whole) {
    Sayings sayings;
    for (const auto& question : settings_.questions) {
        auto answered = answer(choices, question);
        if (!answered) return fail(answered.error());
        sayings.answers.push_back(std::move(*answered));
    }
    const auto near =
        std::min({kNearTokens, text_.size(), static_cast<std::size_t>(settings_.model.context_tokens) / 2});
    auto likely = next_tokens(choices, near, kNearPlaces);
    if (!likely) return fail(likely.error());
    sayings.near = std::move(*likely);
    if (!whole || far_tokens_ == 0) return sayings;
    likely = next_tokens(choices, far_tokens_, kFarPlaces);
    if (!likely) return fail(likely.error());
    sayings.far = std::move(*likely);
    return sayings;
}

}  // namespace tandem::engine::tune
