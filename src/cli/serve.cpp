// tandem serve: runs the server until it is told to stop.
#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdlib>
#include <optional>
#include <thread>

#include "app.h"
#include "cli/cli.h"

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

void reload(App& app) {
    if (auto ok = app.reload(); ok)
        spdlog::info("the config was read again");
    else
        spdlog::error("the config is wrong, the old one stays in force:\n{}", ok.error().message);
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

int serve(const Globals& globals) {
    auto logger = spdlog::stderr_color_mt("tandem");
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e %^%l%$ %v");
    spdlog::set_default_logger(logger);
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

    auto config = globals.load();
    if (!config) return report(globals, config.error());
    const bool has_file = !config->source.empty();
    auto marks = marks_of(config->files());
    auto app = App::start(std::move(*config), globals.environment);
    if (!app) return report(globals, app.error());
    fmt::print("tandem is ready at {}\n", (*app)->url());
    std::fflush(stdout);

    while (true) {
        const int signal = sigtimedwait(&signals, nullptr, &kConfigPoll);
        if (signal == SIGINT || signal == SIGTERM) break;
        if (signal == SIGHUP) {
            marks = marks_of((*app)->files());
            reload(**app);
        } else if (auto now = marks_of((*app)->files()); has_file && now != marks && now.front().size >= 0) {
            marks = std::move(now);
            reload(**app);
            // Another config may read other files.
            if (const auto files = (*app)->files(); files.size() != marks.size()) marks = marks_of(files);
        }
    }
    spdlog::info("stopping: requests under way may end; once more stops at once");
    std::thread second([signals] {  // a copy: it may begin to wait after this function has returned
        int signal = 0;
        sigwait(&signals, &signal);
        std::_Exit(130);  // the kernel ends the engines with us
    });
    second.detach();
    app->reset();
    spdlog::info("stopped");
    return kOk;
}

}  // namespace

void add_serve(CLI::App& app, Globals& globals, Action& action) {
    auto* command = app.add_subcommand("serve", "Run the server until Ctrl-C");
    command->callback([&] { action = [&globals] { return serve(globals); }; });
}

}  // namespace tandem::cli
