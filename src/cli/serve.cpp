// tandem serve: runs the server until it is told to stop.
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <thread>

#include "app.h"
#include "backup/restore.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/running.h"
#include "cli/service_manager.h"
#include "store/folder_lock.h"

namespace tandem::cli {

namespace {

constexpr timespec kConfigPoll{0, 500'000'000};

// Changes when the file does.
struct FileMark {
    std::int64_t seconds = 0, nanoseconds = 0, size = -1, inode = 0;
    bool operator==(const FileMark&) const = default;
};

FileMark mark_of(const std::filesystem::path& file) {
    struct stat info{};
    if (file.empty() || stat(file.c_str(), &info) != 0) return {};
    return {info.st_mtim.tv_sec, info.st_mtim.tv_nsec, info.st_size, static_cast<std::int64_t>(info.st_ino)};
}

// Of the config file and what it reads.
std::vector<FileMark> marks_of(const std::vector<std::filesystem::path>& files) {
    std::vector<FileMark> marks;
    marks.reserve(files.size());
    for (const auto& file : files) marks.push_back(mark_of(file));
    return marks;
}

// What --log says goes before what the config says.
struct LogChoice {
    std::optional<log::Level> level;
    std::optional<log::Format> format;

    log::Settings over(log::Settings settings) const {
        return {level.value_or(settings.level), format.value_or(settings.format)};
    }
};

// "debug", "json", "debug,json". Errors: invalid.
Result<LogChoice> log_choice(const std::string& text) {
    LogChoice choice;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find(',', at), text.size());
        const auto word = text.substr(at, end - at);
        at = end + 1;
        const auto* const level = std::ranges::find(log::kLevelNames, word);
        const auto* const format = std::ranges::find(log::kFormatNames, word);
        if (level != log::kLevelNames.end())
            choice.level = static_cast<log::Level>(level - log::kLevelNames.begin());
        else if (format != log::kFormatNames.end())
            choice.format = static_cast<log::Format>(format - log::kFormatNames.begin());
        else
            return fail(ErrorCode::invalid,
                        fmt::format("--log: expected debug, info, warning or error, text or json, or one of each with "
                                    "a comma between, got '{}'",
                                    printable(word, 40)));
    }
    return choice;
}

void reload(App& app, const LogChoice& choice) {
    if (auto ok = app.reload(); ok) {
        log::configure(choice.over(app.logging()));
        spdlog::info("the config was read again");
    } else {
        // One line of the log for one error, however many mistakes the config has.
        auto why = ok.error().message;
        for (auto at = why.find('\n'); at != std::string::npos; at = why.find('\n', at)) why.replace(at, 1, "; ");
        spdlog::error("the config is wrong, the old one stays in force: {}", why);
    }
}

void prepare_process() {
    // Prompts and keys must not end in a core file.
    prctl(PR_SET_DUMPABLE, 0);
    rlimit files{};
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    std::signal(SIGPIPE, SIG_IGN);
}

// Whether a server would start with the config on disk, whatever one runs with. What is not set in this shell may be
// set for the server.
int check(const Globals& globals) {
    const auto config = config::load(globals.config_path(), !globals.config_file.empty(), globals.environment,
                                     config::Missing::left_out);
    if (!config) return report(globals, config.error());
    for (const auto& one : config->unresolved) fmt::print(stderr, "tandem: {}: {} here\n", one.field, one.missing);
    for (const auto& warning : config->warnings) fmt::print(stderr, "{}\n", warning);
    fmt::print("{} is right\n", config->source.empty() ? "the config that is built in" : config->source.string());
    return kOk;
}

// The config, once a restore that was cut off has put its own in place: that is the one of the data that it restored.
Result<config::Config> load_to_serve(const Globals& globals) {
    auto config = globals.load_whole();
    const auto data = config ? config->data : config::data_folder_of(globals.config_path(), globals.environment);
    if (!backup::is_unfinished(data)) return config;
    const auto lock = store::FolderLock::take(data);
    if (!lock) return config;  // another process finishes it
    const auto left = backup::finish_restore(data);
    if (!left) return fail(left.error());
    if (!left->empty()) fmt::print(stderr, "tandem: {}\n", *left);
    return globals.load_whole();
}

int serve(const Globals& globals, const std::string& log_text) {
    const auto choice = log_choice(log_text);
    if (!choice) {
        report(globals, choice.error());
        return kUsage;
    }
    prepare_process();

    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
        // Who starts a program with a signal ignored (nohup, a script's background job) means it; but blocked, as it
        // must be for sigwait, it would come all the same.
        struct sigaction inherited{};
        sigaction(signal, nullptr, &inherited);
        if (inherited.sa_handler != SIG_IGN) sigaddset(&signals, signal);
    }
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // before any thread is made, so that all of them have it

    auto config = load_to_serve(globals);
    if (!config) return report(globals, config.error());
    const auto source = config->source, data = config->data;
    const bool has_file = !source.empty();
    auto marks = marks_of(config->files());
    log::start(choice->over(config->logging));
    for (const auto& warning : config->warnings) spdlog::warn("{}", warning);
    auto app = App::start(std::move(*config), globals.environment);
    if (!app) {
        log::stop();
        return report(globals, app.error());
    }
    // What it watches beside the config's own files.
    for (const auto files = (*app)->files(); marks.size() < files.size();)
        marks.push_back(mark_of(files[marks.size()]));
    note_data_folder(source, data, globals.environment);
    fmt::print("tandem is ready at {}\n", (*app)->url());
    std::fflush(stdout);
    tell_service_manager(globals.environment, "READY=1");

    while (true) {
        const int signal = sigtimedwait(&signals, nullptr, &kConfigPoll);
        if (signal == SIGINT || signal == SIGTERM) break;
        if (signal == SIGHUP) {
            marks = marks_of((*app)->files());
            reload(**app, *choice);
        } else if (auto now = marks_of((*app)->files()); has_file && now != marks && now.front().size >= 0) {
            marks = std::move(now);
            reload(**app, *choice);
            // Another config may read other files.
            if (const auto files = (*app)->files(); files.size() != marks.size()) marks = marks_of(files);
        }
    }
    tell_service_manager(globals.environment, "STOPPING=1");
    spdlog::info("stopping: requests under way may end; once more stops at once");
    std::thread second([signals] {  // a copy: it may begin to wait after this function has returned
        int signal = 0;
        sigwait(&signals, &signal);
        std::_Exit(130);  // the kernel ends the engines with us
    });
    second.detach();
    app->reset();
    spdlog::info("stopped");
    log::stop();
    return kOk;
}

}  // namespace

void add_serve(CLI::App& app, Globals& globals, Action& action) {
    auto* command = app.add_subcommand("serve", "Run the server until Ctrl-C");
    auto log = std::make_shared<std::string>();
    command->add_option("--log", *log,
                        "Before the config's `log:`: debug, info, warning or error; text or json; debug,json");
    auto only = std::make_shared<bool>(false);
    command->add_flag("--check", *only, "Say whether the config on disk is right, and start nothing");
    command->callback(
        [&, log, only] { action = [&globals, log, only] { return *only ? check(globals) : serve(globals, *log); }; });
}

}  // namespace tandem::cli
