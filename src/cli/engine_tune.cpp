#include "cli/engine_tune.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "api/engine_questions.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/config_file.h"
#include "cli/interrupts.h"
#include "cli/remote.h"
#include "config/service.h"
#include "store/folder_lock.h"

namespace tandem::cli {

namespace {

namespace fs = std::filesystem;
namespace tune = engine::tune;

constexpr int kLeastTime = 5, kMostTime = 24 * 3600;  // seconds
constexpr int kMostAtOnce = 64;
constexpr milliseconds kAskTime{5'000};
constexpr std::chrono::seconds kLook{2};  // between two looks at the server
constexpr milliseconds kLookStep{50};     // in which the end is noticed

struct Options {
    std::string model, goal = "latency";
    int concurrency = 0;
    int seconds = 600;
    bool quantised = false, apply = false, undo = false;
};

// The engines of the running server, as it says them; nothing where none runs.
std::optional<std::string> engines_of(const config::Config& config) {
    auto answer =
        call(remote_of(config), {.path = "/tandem/v1/engines", .headers = {}, .body = {}, .timeout = kAskTime});
    if (!answer || answer->status != 200) return std::nullopt;
    return std::move(answer->body);
}

// Memory that nothing loaded has: of what the owner gives all models, and of what the machine has now.
std::int64_t room_beside(const config::Config& config) {
    const auto machine = engine::hardware();
    auto room = config.engine_memory > 0 ? static_cast<std::int64_t>(config.engine_memory)
                                         : engine::room_for_models(machine.memory.total_bytes);
    json::Document document;
    if (auto engines = engines_of(config); engines && document.parse(std::move(*engines))) {
        const auto memory = document.root()["memory"];
        room = memory["limit_bytes"].integer().value_or(room) - memory["used_bytes"].integer().value_or(0);
    }
    if (machine.available_bytes > 0) room = std::min(room, machine.available_bytes);
    return std::max<std::int64_t>(0, room);
}

// Looks now and then whether the server's engines answer somebody meanwhile.
class Watch {
  public:
    explicit Watch(const config::Config& config) : config_(config), thread_([this] { look(); }) {}
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    ~Watch() { end(); }

    void end() {
        ended_ = true;
        if (thread_.joinable()) thread_.join();
    }
    int looks() const { return looks_; }
    int busy() const { return busy_; }

  private:
    void look() {
        while (!ended_) {
            json::Document document;
            if (auto engines = engines_of(config_); engines && document.parse(std::move(*engines))) {
                bool busy = false;
                for (const auto one : document.root()["engines"].children())
                    busy = busy || one["in_use"].integer().value_or(0) > 0;
                ++looks_;
                busy_ += busy ? 1 : 0;
            }
            for (auto waited = milliseconds(0); waited < kLook && !ended_; waited += kLookStep)
                std::this_thread::sleep_for(kLookStep);
        }
    }

    const config::Config& config_;
    std::atomic<bool> ended_{false};
    std::atomic<int> looks_{0}, busy_{0};
    std::thread thread_;
};

// data/tune: one tuning at a time, and nothing of an earlier one that was killed.
class Folder {
  public:
    static Result<Folder> make(const config::Config& config) {
        const auto path = config.data / "tune";
        std::error_code error;
        fs::create_directories(path, error);
        if (error)
            return fail(ErrorCode::storage, fmt::format("cannot make {}: {}; tune as the user that Tandem runs as",
                                                        path.string(), error.message()));
        chmod(path.c_str(), S_IRWXU);
        auto lock = store::FolderLock::take(path);
        if (!lock && lock.error().code == ErrorCode::unavailable)
            return fail(ErrorCode::unavailable, "a tuning runs already: two at once would measure each other");
        if (!lock) return fail(lock.error());
        fs::remove_all(path / "engines", error);
        return Folder(path, std::move(*lock));
    }
    Folder(Folder&& other) noexcept : path_(std::exchange(other.path_, {})), lock_(std::move(other.lock_)) {}
    Folder& operator=(Folder&&) = delete;
    ~Folder() {
        std::error_code ignored;
        if (!path_.empty()) fs::remove_all(path_, ignored);
    }
    const fs::path& path() const { return path_; }

  private:
    Folder(fs::path path, store::FolderLock lock) : path_(std::move(path)), lock_(std::move(lock)) {}
    fs::path path_;
    store::FolderLock lock_;
};

void print_progress(const std::string& line, double seconds_left) {
    const auto left = static_cast<int>(std::max(0.0, seconds_left));
    fmt::print(stderr, "{:>3}:{:02} left  {}\n", left / 60, left % 60, printable(line, 300));
    std::fflush(stderr);
}

void write_ratio(json::Writer& out, const tune::Ratio& ratio) {
    out.raw_member("mean", fmt::format("{:.4f}", ratio.mean)).raw_member("low", fmt::format("{:.4f}", ratio.low));
    out.raw_member("high", fmt::format("{:.4f}", ratio.high)).member("rounds", ratio.rounds);
}

void write_side(json::Writer& out, std::string_view name, const config::Model& model) {
    out.key(name).begin_object().key("args").begin_array();
    for (const auto& one : model.args) out.value(one);
    out.end_array().member("slots", model.slots).end_object();
}

void write_races(json::Writer& out, const tune::Report& report) {
    out.key("races").begin_array();
    for (const auto& step : report.found.steps) {
        const auto& knob = report.knobs[step.knob];
        out.begin_object().member("knob", knob.name).member("taken", knob.values[step.after[step.knob]].text);
        out.key("tried").begin_array();
        for (const auto& one : step.race.all) {
            out.begin_object().member("value", knob.values[one.choices[step.knob]].text);
            write_ratio(out, one.ratio);
            out.member("left", one.left).end_object();
        }
        out.end_array().end_object();
    }
    out.end_array().key("not_tried").begin_array();
    for (const auto& one : report.not_tried)
        out.begin_object().member("what", one.what).member("why", one.why).end_object();
    out.end_array();
}

struct Outcome {
    const tune::Report& report;
    const Options& options;
    int looks = 0, busy = 0;
    std::optional<TunedConfig> written;
    std::string unwritten = {};  // why it could not be
};

std::string change_of(const tune::Report& report) {
    return tune::difference(report.knobs, tune::in_use(report.knobs), report.found.best);
}

std::string json_of(const Outcome& outcome) {
    const auto& [report, options, looks, busy, written, unwritten] = outcome;
    json::Writer out;
    out.begin_object().member("model", options.model).member("for", options.goal);
    out.member("concurrency", options.concurrency).member("proposed", report.found.is_better);
    if (report.found.is_better) out.member("change", change_of(report));
    if (!report.found.why.empty()) out.member("why", report.found.why);
    out.key("ratio").begin_object();
    write_ratio(out, report.found.ratio);
    out.end_object();
    write_side(out, "before", report.before);
    write_side(out, "after", report.after);
    out.raw_member("run_seconds", fmt::format("{:.4f}", report.request_seconds));
    out.key("request").begin_object().member("prompt", report.amount.prompt);
    out.member("answer", report.amount.answer).end_object();
    out.raw_member("divergence", fmt::format("{:.6f}", report.divergence));
    out.member("compared_tokens", report.far_tokens).member("beside", report.beside);
    out.raw_member("seconds", fmt::format("{:.1f}", report.seconds));
    out.member("out_of_time", report.found.out_of_time).member("looks", looks).member("busy", busy);
    write_races(out, report);
    out.member("applied", written.has_value());
    if (written) out.member("file", written->file).member("backup", written->backup);
    if (!unwritten.empty()) out.member("error", unwritten);
    return out.end_object().take();
}

void print_outcome(const Outcome& outcome) {
    const auto& [report, options, looks, busy, written, unwritten] = outcome;
    const auto& found = report.found;
    if (!found.is_better) fmt::print("{} stays as it is: {}\n", options.model, found.why);
    if (found.is_better) {
        fmt::print("{} with {}: {:.1f} % less time ({:.1f} to {:.1f} % in {} rounds of both), {:.2f} s a run before\n",
                   options.model, change_of(report), 100 * (1 - found.ratio.mean), 100 * (1 - found.ratio.high),
                   100 * (1 - found.ratio.low), found.ratio.rounds, report.request_seconds);
        fmt::print("its answers are the same: the next tokens differ by {:.5f} nats on average{}\n", report.divergence,
                   report.far_tokens > 0 ? fmt::format(", over up to {} tokens", report.far_tokens) : "");
    }
    if (found.out_of_time) fmt::print("the time was over before all was tried: --time gives it more\n");
    if (busy > 0)
        fmt::print("engines were busy with requests in {} of {} looks, which makes the intervals wider\n", busy, looks);
    if (!report.beside) fmt::print("the memory has no room for two at once: they were loaded in turns\n");
    if (!found.is_better && options.apply) fmt::print("tandem.yaml is as it was\n");
    if (!found.is_better) return;
    if (written) {
        fmt::print("{} is changed, what was there is in {}; `tandem engine tune {} --undo` goes back\n", written->file,
                   written->backup, options.model);
        return;
    }
    fmt::print("in tandem.yaml, at the model {}:\n", options.model);
    fmt::print("{}\n", yaml_of(tuned_keys(report.after), tuned_keys(report.before)));
    if (unwritten.empty()) fmt::print("`tandem engine tune {} --apply` measures again and writes it\n", options.model);
}

tune::Wish wish_of(const config::Config& config, const Options& options) {
    tune::Wish wish;
    wish.model = options.model;
    wish.concurrency = options.concurrency;
    wish.time = std::chrono::seconds(options.seconds);
    wish.quantised_cache = options.quantised;
    wish.room_bytes = room_beside(config);
    wish.questions = api::engine_questions();
    wish.stopped = is_interrupted;
    wish.say = print_progress;
    return wish;
}

int run(const Globals& globals, Options options) {
    if (options.undo) return undo_tuning(globals, options.model);
    if (options.concurrency == 0) options.concurrency = options.goal == "throughput" ? 4 : 1;
    const auto config = globals.load();
    if (!config) return report(globals, config.error());
    if (options.apply)
        if (const auto text = text_to_change(*config); !text) return report(globals, text.error());
    auto folder = Folder::make(*config);
    if (!folder) return report(globals, folder.error());
    listen_for_interrupts({SIGINT, SIGTERM, SIGHUP});
    spdlog::set_level(spdlog::level::off);  // what engines do is told by the outcome
    Watch watch(*config);
    const engine::EnginesSettings places{config->data, config::cache_folder(*config, globals.environment),
                                         globals.environment};
    auto tuned = tune::tune(*config, places, folder->path(), wish_of(*config, options));
    watch.end();
    if (!tuned) return report(globals, tuned.error());
    Outcome outcome{*tuned, options, watch.looks(), watch.busy(), {}, {}};
    if (options.apply && tuned->found.is_better) {
        auto written = apply_tuning(globals, *config, *tuned);
        if (written)
            outcome.written = std::move(*written);
        else
            outcome.unwritten = written.error().message;
    }
    if (globals.json)
        fmt::print("{}\n", json_of(outcome));
    else
        print_outcome(outcome);
    // What was found took minutes to find: it is said all the same.
    if (!outcome.unwritten.empty()) fmt::print(stderr, "tandem: {}\n", outcome.unwritten);
    return outcome.unwritten.empty() ? kOk : kFailed;
}

}  // namespace

void add_engine_tune(CLI::App& group, Globals& globals, Action& action) {
    auto options = std::make_shared<Options>();
    auto* command = group.add_subcommand(
        "tune", "Find settings of llama-server with which a model answers faster and the same on this machine");
    command->add_option("model", options->model, "The model's id in tandem.yaml")->required();
    command->add_option("--for", options->goal, "The time of one request, or of many at once")
        ->check(CLI::IsMember({"latency", "throughput"}))
        ->capture_default_str();
    command->add_option("--concurrency", options->concurrency, "Requests at once, for throughput (usually 4)")
        ->check(CLI::Range(1, kMostAtOnce));
    command->add_option("--time", options->seconds, "At most that long, such as 10m (usually)")
        ->transform(CLI::AsNumberWithUnit(std::map<std::string, int>{{"s", 1}, {"m", 60}, {"h", 3600}}))
        ->check(CLI::Range(kLeastTime, kMostTime))
        ->type_name("TIME");
    command->add_flag("--allow-quantised-cache", options->quantised,
                      "Try caches of 8 and 4 bits as well; one that changes answers is refused all the same");
    auto* apply = command->add_flag("--apply", options->apply, "Write what is found into tandem.yaml");
    command->add_flag("--undo", options->undo, "Take back what the last --apply wrote")->excludes(apply);
    command->callback([&, options] { action = [&globals, options] { return run(globals, *options); }; });
}

}  // namespace tandem::cli
