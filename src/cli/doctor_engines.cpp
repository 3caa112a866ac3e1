#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <ctime>
#include <memory>
#include <thread>

#include "base/file.h"
#include "base/text.h"
#include "base/world.h"
#include "cli/certificate.h"
#include "cli/doctor.h"
#include "engine/disk/adopt.h"
#include "engine/engines.h"
#include "engine/sandbox/start.h"

namespace tandem::cli {

namespace {

namespace fs = std::filesystem;

constexpr milliseconds kVersionTime{5'000};
constexpr std::size_t kMostOutput = 64 * 1024;
constexpr int kFewDays = 14;

// What a program prints for --version, on both of its outputs; empty where it does not start. It is killed after
// kVersionTime, or when it prints more than kMostOutput.
std::string version_of(const fs::path& binary) {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) return {};
    posix_spawn_file_actions_t actions{};
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    std::string name = binary.string(), flag = "--version";
    std::array<char*, 3> arguments = {name.data(), flag.data(), nullptr};
    pid_t pid = 0;
    const int failed = posix_spawn(&pid, name.c_str(), &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    std::string output;
    const auto end = std::chrono::steady_clock::now() + kVersionTime;
    while (failed == 0 && output.size() < kMostOutput) {
        const auto left = std::chrono::duration_cast<milliseconds>(end - std::chrono::steady_clock::now()).count();
        pollfd waited{ends[0], POLLIN, 0};
        if (left <= 0 || poll(&waited, 1, static_cast<int>(left)) <= 0) break;
        std::array<char, 4096> piece{};
        const auto size = read(ends[0], piece.data(), piece.size());
        if (size <= 0) break;
        output.append(piece.data(), static_cast<std::size_t>(size));
    }
    close(ends[0]);
    if (failed != 0) return {};
    kill(pid, SIGKILL);  // one that is done already has left its output
    waitpid(pid, nullptr, 0);
    return output;
}

// Whether it is one.
bool check_binary(const Result<fs::path>& binary, std::vector<Check>& checks) {
    constexpr std::string_view kMend = "run `packaging/setup.sh engine`, or set engine.binary to a llama-server";
    if (!binary) {
        checks.push_back({"engine", Grade::bad, binary.error().message, std::string(kMend)});
        return false;
    }
    const auto said = version_of(*binary);
    const auto at = said.find("version: ");
    if (at != std::string::npos) {
        const auto line = said.substr(at, said.find('\n', at) - at);
        checks.push_back({"engine", Grade::good, fmt::format("{} ({})", binary->string(), printable(line, 60)), ""});
        return true;
    }
    checks.push_back(
        {"engine", Grade::bad,
         fmt::format("{} is no llama-server: {}", binary->string(),
                     trim(said).empty()
                         ? "--version gives nothing"
                         : fmt::format("--version gives '{}'", printable(trim(said.substr(0, said.find('\n'))), 80))),
         std::string(kMend)});
    return false;
}

// A folder that goes with us.
struct Scratch {
    Scratch() {
        std::error_code error;
        auto name = (fs::temp_directory_path(error) / "tandem-doctor-XXXXXX").string();
        if (mkdtemp(name.data()) != nullptr) path = name;
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch() {
        std::error_code error;
        if (!path.empty()) fs::remove_all(path, error);
    }
    fs::path path;
};

// Waits for its end, kVersionTime at most; what it wrote.
std::string output_of(engine::Process process, const fs::path& log) {
    const auto end = std::chrono::steady_clock::now() + kVersionTime;
    while (!process.ended() && std::chrono::steady_clock::now() < end)
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    process.kill();
    return read_regular(log, kMostOutput).value_or(std::string());
}

// Starts the engine's program as an engine is started, and has it say its version: what holds here, and whether the
// program finds there what it needs.
void check_sandbox(const config::Config& config, const config::Environment& environment, const fs::path& binary,
                   std::vector<Check>& checks) {
    const std::string name = "engine sandbox";
    if (config.engine_sandbox == config::Sandbox::off) {
        checks.push_back({name, Grade::warning, "engine.sandbox is `off`: an engine may do what Tandem may",
                          "say `engine: { sandbox: auto }`"});
        return;
    }
    const Scratch scratch;
    const auto folder = engine::make_engine_folder(scratch.path, "doctor");
    if (!folder) {
        checks.push_back({name, Grade::warning, folder.error().message, "make room for temporary files"});
        return;
    }
    engine::sandbox::Wish wish{binary, {"--version"}, {}, *folder, {config.data}, {}};
    if (const auto home = environment("HOME")) wish.kept_closed.emplace_back(*home);
    wish.readable.assign(config.engine_readable.begin(), config.engine_readable.end());
    const auto policy = engine::sandbox::policy_for(wish);
    if (!policy) return;
    engine::Process::Settings settings{{binary.string(), "--version"},
                                       {"HOME=" + folder->home().string()},
                                       scratch.path / "log",
                                       folder->run(),
                                       nullptr};
    const auto random = system_random();
    auto started = engine::sandbox::start(settings, *policy, config.engine_sandbox, *random);
    if (!started) {
        checks.push_back({name, Grade::bad, started.error().message, "mend that, or say `engine: { sandbox: auto }`"});
        return;
    }
    const auto held = started->held;
    const auto said = output_of(std::move(started->process), settings.log);
    if (said.find("version: ") == std::string::npos)
        checks.push_back({name, Grade::bad,
                          fmt::format("{} does not start in it: {}", binary.string(), printable(trim(said), 120)),
                          "name in engine.readable what it needs, or say `engine: { sandbox: off }`"});
    else
        checks.push_back({name, held.whole() ? Grade::good : Grade::warning,
                          fmt::format("holds {}{}{}", engine::sandbox::words(held),
                                      held.missing.empty() ? "" : "; without ", join(held.missing, "; ")),
                          "docs/concepts/engine-sandbox.md says what each needs"});
}

// A page, a pointer of Git LFS or a download that was cut in its place: what is wrong with the file.
Result<> check_header(const fs::path& file) {
    if (read_regular(file, 4).value_or(std::string()) != "GGUF")
        return fail(ErrorCode::invalid, fmt::format("{} is no GGUF file", file.string()));
    return engine::check_split(file);
}

}  // namespace

void check_engines(const config::Config& config, const config::Environment& environment, std::vector<Check>& checks) {
    const engine::EnginesSettings settings{config.data, config::cache_folder(config, environment), environment};
    bool any = false;
    for (const auto& model : config.models) {
        if (!config.provider(model.provider)->kind->runs_here) continue;
        if (const auto binary = engine::find_binary(config, settings); !any) {
            if (check_binary(binary, checks)) check_sandbox(config, environment, *binary, checks);
        }
        any = true;
        const auto file = engine::find_model_file(config, model, settings);
        const auto header = file ? check_header(*file) : Result<>{};
        if (!header)
            checks.push_back({"model " + model.id, Grade::bad, header.error().message,
                              "download it again (a page or a pointer of Git LFS may stand in its place)"});
        else
            checks.push_back({"model " + model.id, file ? Grade::good : Grade::bad,
                              file ? file->string() : file.error().message, "put the GGUF there, or correct `file:`"});
    }
}

void check_tls(const config::Config& config, std::vector<Check>& checks) {
    const auto& file = config.server.tls_certificate;
    if (file.empty()) return;
    const auto certificate = read_certificate(file);
    if (!certificate)
        checks.push_back({"tls", Grade::bad, fmt::format("{} cannot be read as a certificate in PEM", file),
                          "correct server.tls.certificate"});
    else if (certificate->days_left < 0)
        checks.push_back(
            {"tls", Grade::bad, fmt::format("{} ended {} days ago", file, -certificate->days_left), "renew it"});
    else
        checks.push_back({"tls", certificate->days_left < kFewDays ? Grade::warning : Grade::good,
                          fmt::format("{} is good for {} days", file, certificate->days_left), "renew it"});
    if (access(config.server.tls_key.c_str(), R_OK) != 0)
        checks.push_back({"tls", Grade::bad, fmt::format("{} cannot be read", config.server.tls_key),
                          "correct server.tls.key, or its owner"});
}

}  // namespace tandem::cli
