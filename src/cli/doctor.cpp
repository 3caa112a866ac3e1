// tandem doctor: what is in order, what is not, and how to mend it. Keys are never printed.
#include "cli/doctor.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <set>

#include "base/json.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/fetch.h"
#include "cli/remote.h"
#include "privacy/checkpoints.h"
#include "privacy/detect.h"
#include "privacy/memory.h"
#include "privacy/patterns/patterns.h"

namespace tandem::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLittleDisk = 1ULL << 30;
constexpr std::int64_t kEarliestTime = 1'700'000'000'000;  // before this program was written
constexpr milliseconds kReachTime{3'000};

void check_port(const config::Config& config, std::vector<Check>& checks) {
    auto answer = call(remote_of(config), {.path = "/healthz", .headers = {}, .body = {}, .timeout = kReachTime});
    if (answer && answer->status == 200) {
        checks.push_back({"server", Grade::good, fmt::format("answers at {}", remote_of(config).url), ""});
        return;
    }
    if (!answer && !config.server.tls_certificate.empty() && silence_of(answer.error()) == Silence::tls) {
        checks.push_back({"server", Grade::good,
                          fmt::format("something answers with TLS at {}, under another name than the address",
                                      remote_of(config).url),
                          ""});
        return;
    }
    if (answer) {
        checks.push_back({"port", Grade::bad,
                          fmt::format("something else than tandem answers at {}", remote_of(config).url),
                          "stop it, or set server.listen"});
        return;
    }
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(config.server.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const bool free = fd >= 0 && bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    if (fd >= 0) close(fd);
    checks.push_back({"port", free ? Grade::good : Grade::bad,
                      fmt::format("port {} is {}; no server runs", config.server.port, free ? "free" : "taken"),
                      "stop what uses it, or set server.listen"});
}

// A key whose memory of labels is full has a floor: nothing of it is public any more.
void check_label_memory(const config::Config& config, store::Database& database, std::vector<Check>& checks) {
    const auto keys = privacy::memory_of_keys(database);
    if (!keys) {
        checks.push_back({"label memory", Grade::bad, keys.error().message, "see the log of the server"});
        return;
    }
    const auto quota = static_cast<std::int64_t>(config.privacy.label_memory);
    bool all_good = true;
    for (const auto& key : *keys) {
        const bool full = key.floor > Label::public_;
        if (!full && key.entries < quota - quota / 10) continue;
        all_good = false;
        checks.push_back({"label memory of " + key.key, Grade::warning,
                          full ? fmt::format("it was full: everything of this key is at least {}", name_of(key.floor))
                               : fmt::format("{} of {} entries are used", key.entries, quota),
                          fmt::format("tandem label forget --key {}, or a larger privacy.label_memory", key.key)});
    }
    if (all_good) checks.push_back({"label memory", Grade::good, "there is room for every key", ""});
}

// What is open, of what should be closed.
void check_privacy(const config::Config& config, std::vector<Check>& checks) {
    const auto detector = privacy::make_detector(config.privacy.own);
    checks.push_back({"detectors", detector ? Grade::good : Grade::bad,
                      detector ? fmt::format("{} patterns, {} rules of your own", privacy::patterns().size(),
                                             config.privacy.own.size())
                               : detector.error().message,
                      "correct the pattern that it names, or reinstall the Vectorscan package"});
    for (const auto& rule : config.privacy.own)
        if (rule.too_short > 0)
            checks.push_back(
                {"privacy.own." + rule.name, Grade::warning,
                 fmt::format("{} values are shorter than 8 characters and are not looked for", rule.too_short),
                 "make them 'words', if they matter"});
    for (const auto& warning : config.warnings)
        checks.push_back({"config", Grade::warning, warning, "write the new name; the old one is still read"});
    for (const auto& place : config.bare_secrets)
        checks.push_back({"secret", Grade::warning, fmt::format("{} stands in the config file itself", place),
                          "write ${NAME}, file:PATH or credential:NAME; for keys, sha256:HASH"});
    for (const auto& provider : config.providers)
        if (provider.zone == Zone::cloud && provider.clearance > Label::internal)
            checks.push_back({"provider " + provider.id, Grade::warning,
                              fmt::format("it may see {} content, as it is", name_of(provider.clearance)),
                              "lower its clearance unless you have a contract that says so"});
    if (config.keys.empty() && config.privacy.cloud_clearance > Label::public_)
        checks.push_back(
            {"labels", Grade::good, "no keys, so labels come from detectors, headers and aliases alone", ""});
    const auto key = privacy::public_key_of(config.data);
    if (!key && key.error().code == ErrorCode::not_found) return;  // not started yet
    checks.push_back({"vault", key ? Grade::good : Grade::bad, key ? "its key is there" : key.error().message,
                      "put back a copy of privacy.key"});
    const auto database = open_ledger(config);
    if (!key || !database) return;
    const auto verdict = privacy::verify_record(config.data, config.checkpoints_file(), **database);
    const auto broken = verdict ? verdict->broken() : verdict.error().message;
    checks.push_back({"egress record", broken.empty() ? Grade::good : Grade::bad,
                      broken.empty() ? fmt::format("whole: {} records, {} of them signed", verdict->chain.records,
                                                   verdict->checkpoints.newest.records)
                                     : broken,
                      "keep what is there as evidence; tandem audit prove says more"});
    check_label_memory(config, **database, checks);
}

// A file of root's may be read by the group of the service that it is for, as the package makes it.
bool others_may_read_config(const struct stat& info) {
    const bool group = info.st_uid != 0 && (info.st_mode & 0070) != 0;
    return group || (info.st_mode & 0007) != 0;
}

// Nobody else on this machine may read it.
void check_closed(const fs::path& file, std::vector<Check>& checks) {
    struct stat info{};
    if (stat(file.c_str(), &info) == 0 && (info.st_mode & 0077) != 0)
        checks.push_back({file.filename().string(), Grade::bad, "other users can read it",
                          fmt::format("chmod go= {}", file.string())});
}

void check_machine(const config::Config& config, std::vector<Check>& checks) {
    fs::path folder = config.data;
    std::error_code ignored;
    while (!fs::exists(folder, ignored) && folder.has_parent_path() && folder != folder.parent_path())
        folder = folder.parent_path();
    const bool writable = access(folder.c_str(), W_OK) == 0;
    checks.push_back({"data", writable ? Grade::good : Grade::bad, config.data.string(),
                      "make the folder writable, or set `data:`"});
    struct statvfs disk{};
    if (statvfs(folder.c_str(), &disk) == 0) {
        const std::uint64_t free = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
        checks.push_back({"disk", free < kLittleDisk ? Grade::warning : Grade::good,
                          fmt::format("{} MiB free", free >> 20), "free some space: a full disk stops requests"});
    }
    const auto now = unix_ms(system_clock()->wall());
    checks.push_back({"clock", now < kEarliestTime ? Grade::bad : Grade::good,
                      now < kEarliestTime ? "the clock is wrong" : "plausible",
                      "set the clock: budgets and records depend on it"});
    struct stat info{};
    if (!config.source.empty() && stat(config.source.c_str(), &info) == 0 && others_may_read_config(info) &&
        !config.keys.empty())
        checks.push_back({"config", Grade::warning, "other users can read the config file",
                          info.st_uid == 0 ? fmt::format("chmod o= {}", config.source.string())
                                           : fmt::format("chmod 600 {}", config.source.string())});
    for (const auto* name : {"admin.token", "privacy.key", "ledger.db", "ledger.db-wal", "egress.checkpoints"})
        check_closed(config.data / name, checks);
    check_closed(config.data, checks);
    checks.push_back({"keys", Grade::good,
                      config.keys.empty() ? "none: everyone on this machine may use it"
                                          : fmt::format("{} API keys", config.keys.size()),
                      ""});
}

// What the running server knows; nullopt where none answers.
std::optional<std::string> running_status(const config::Config& config) {
    auto answer =
        call(remote_of(config), {.path = "/tandem/v1/status", .headers = {}, .body = {}, .timeout = kReachTime});
    if (!answer || answer->status != 200) return {};
    return std::move(answer->body);
}

void check_running_config(const std::optional<std::string>& status, std::vector<Check>& checks) {
    json::Document document;
    if (!status || !document.parse(*status)) return;
    if (const auto refused = document.root()["config_refused"].text(); !refused.empty())
        checks.push_back(
            {"config in force", Grade::bad,
             fmt::format("the running server has refused the config on disk, and goes by the one before: {}",
                         printable(refused, 400)),
             "correct the file, or start tandem anew where that is meant"});
}

// A key of the server's that its provider refused, which the shell's own may not be.
void check_refused_keys(const std::optional<std::string>& status, std::vector<Check>& checks) {
    json::Document document;
    if (!status || !document.parse(*status)) return;
    for (const auto provider : document.root()["providers"].children())
        if (provider["breaker"].text() == "key refused")
            checks.push_back(
                {"provider " + printable(provider["id"].text(), 60), Grade::bad,
                 fmt::format("the running server's key is refused: {}", printable(provider["reason"].text(), 200)),
                 "give the server another key and start it anew, or correct the one in tandem.yaml"});
}

// Models that their providers said not to have.
void check_refused_models(const std::optional<std::string>& status, std::vector<Check>& checks) {
    json::Document document;
    if (!status || !document.parse(*status)) return;
    for (const auto refused : document.root()["refused_models"].children())
        checks.push_back({"model " + printable(refused["model"].text(), 60), Grade::bad, "its provider refuses it",
                          printable(refused["why"].text(), 300)});
}

std::string server_says(const json::Value& provider) {
    if (const auto reason = provider["reason"].text(); !reason.empty()) return printable(reason, 200);
    const auto attempts = provider["attempts"].integer().value_or(0);
    if (attempts == 0) return "it has not asked it yet";
    return fmt::format("{}, {:.0f} % of its last attempts failed",
                       provider["healthy"].boolean().value_or(false) ? "up" : "down",
                       provider["failure_share"].number().value_or(0) * 100);
}

// Providers whose secret this shell has not: what the server that has it says of them. Gives their ids.
std::set<std::string> check_unresolved(const config::Config& config, const std::optional<std::string>& status,
                                       std::vector<Check>& checks) {
    constexpr std::string_view kPrefix = "providers.";
    std::set<std::string> unheard;
    json::Document document;
    const bool runs = status && document.parse(*status);
    for (const auto& one : config.unresolved) {
        std::string provider;
        for (const auto& known : config.providers)
            if (one.field.starts_with(fmt::format("{}{}.", kPrefix, known.id))) provider = known.id;
        std::string says;
        if (runs)
            for (const auto entry : document.root()["providers"].children())
                if (entry["id"].text() == provider) says = server_says(entry);
        if (!provider.empty()) unheard.insert(provider);
        const auto name = provider.empty() ? one.field : "provider " + provider;
        if (!says.empty())
            checks.push_back({name, Grade::warning,
                              fmt::format("cannot be tried from this shell ({}: {}); the running server says: {}",
                                          one.field, one.missing, says),
                              "nothing, where the server has it; to try it here, set it in this shell too"});
        else if (runs)
            checks.push_back({name, Grade::warning,
                              fmt::format("{}: {} here; the running server has it", one.field, one.missing),
                              "nothing, where that is meant"});
        else
            checks.push_back({name, Grade::bad, fmt::format("{}: {}", one.field, one.missing),
                              "set it where `tandem serve` is started, and here to try it"});
    }
    return unheard;
}

// The config with what this shell has; what it lacks is said by check_unresolved().
Result<config::Config> config_here(const Globals& globals) {
    auto whole = globals.load_whole();
    if (whole) return whole;
    auto partly = config::load(globals.config_path(), !globals.config_file.empty(), globals.environment,
                               config::Missing::left_out);
    const bool lacks_data = partly && std::ranges::find(partly->unresolved, std::string_view("data"),
                                                        &config::Unresolved::field) != partly->unresolved.end();
    return partly && !lacks_data ? std::move(partly) : std::move(whole);
}

int doctor(const Globals& globals) {
    std::vector<Check> checks;
    auto config = config_here(globals);
    if (!config) {
        checks.push_back({"config", Grade::bad, config.error().message, "correct the lines named above"});
    } else {
        const auto status = running_status(*config);
        checks.push_back(
            {"config", Grade::good,
             config->source.empty() ? "built-in default; `tandem init` writes a file" : config->source.string(), ""});
        check_machine(*config, checks);
        check_port(*config, checks);
        check_tls(*config, checks);
        check_engines(*config, globals.environment, checks);
        check_running_config(status, checks);
        check_refused_keys(status, checks);
        check_refused_models(status, checks);
        const auto unheard = check_unresolved(*config, status, checks);
        check_providers(*config, unheard, checks);
        check_privacy(*config, checks);
    }
    bool bad = false;
    json::Writer out;
    out.begin_array();
    for (const auto& check : checks) {
        static constexpr std::array<std::string_view, 3> kGrades = {"good", "warning", "bad"};
        const auto grade = kGrades[static_cast<std::size_t>(check.grade)];
        bad = bad || check.grade == Grade::bad;
        out.begin_object().member("check", check.name).member("grade", grade).member("text", check.text);
        if (check.grade != Grade::good) out.member("mend", check.mend);
        out.end_object();
        if (globals.json) continue;
        fmt::print("{:<8} {:<20} {}\n", grade, check.name, check.text);
        if (check.grade != Grade::good) fmt::print("{:<8} {:<20} mend: {}\n", "", "", check.mend);
    }
    out.end_array();
    if (globals.json) fmt::print("{}\n", out.text());
    return bad ? kBroken : kOk;
}

}  // namespace

void add_doctor(CLI::App& app, Globals& globals, Action& action) {
    auto* command = app.add_subcommand(
        "doctor", "Check config, port, engine, models, providers, disk and clock; exit 6 where something is bad");
    command->callback([&] { action = [&globals] { return doctor(globals); }; });
}

}  // namespace tandem::cli
