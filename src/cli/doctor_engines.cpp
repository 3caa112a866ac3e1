#include <fmt/format.h>
#include <unistd.h>

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
#include "engine/programs.h"
#include "engine/sandbox/start.h"

namespace tandem::cli {

namespace {

namespace fs = std::filesystem;

constexpr milliseconds kVersionTime{5'000};
constexpr std::size_t kMostOutput = 64 * 1024;
constexpr int kFewDays = 14;

// Whether it is one.
bool check_binary(const Result<fs::path>& binary, std::vector<Check>& checks) {
    constexpr std::string_view kMend = "run `packaging/setup.sh engine`, or set engine.binary to a llama-server";
    if (!binary) {
        checks.push_back({"engine", Grade::bad, binary.error().message, std::string(kMend)});
        return false;
    }
    const auto said = engine::words_for(*binary, "--version");
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

// The program of a server that its owner names, and what of the sandbox its keys take away.
void check_command(const config::Config& config, const config::Model& model, const engine::EnginesSettings& settings,
                   std::vector<Check>& checks) {
    const auto name = "model " + model.id;
    const auto program = engine::find_program(config, model, settings);
    if (!program) return checks.push_back({name, Grade::bad, program.error().message, "correct `command`"});
    if (!model.file.empty())
        if (const auto file = engine::find_model_file(config, model, settings); !file)
            return checks.push_back({name, Grade::bad, file.error().message, "correct `file`"});
    if (config.engine_sandbox == config::Sandbox::off) {
        checks.push_back({name, Grade::good, program->string() + "; engine.sandbox is `off`", ""});
    } else if (model.command.connects) {
        checks.push_back({name, Grade::warning,
                          program->string() + "; its sandbox lets it open connections (`connects: true`)",
                          "take out `connects`, where the server works without it"});
    } else {
        const auto* where = model.command.uses("port")
                                ? "it listens on a TCP port, which every program of this machine "
                                  "reaches, and opens no connection"
                                : "it listens on a socket, and opens no connection";
        checks.push_back({name, Grade::good, fmt::format("{}; in its sandbox {}", program->string(), where), ""});
    }
}

}  // namespace

void check_engines(const config::Config& config, const config::Environment& environment, std::vector<Check>& checks) {
    const engine::EnginesSettings settings{config.data, config::cache_folder(config, environment), environment};
    bool any = false;
    for (const auto& model : config.models) {
        const auto& kind = *config.provider(model.provider)->kind;
        if (kind.runs_command) check_command(config, model, settings, checks);
        if (!kind.runs_here || kind.runs_command) continue;
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
