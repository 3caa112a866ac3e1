// tandem doctor: what is in order, what is not, and how to mend it. Keys are never printed.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/json.h"
#include "cli/cli.h"
#include "cli/remote.h"
#include "engine/engines.h"
#include "privacy/checkpoints.h"
#include "privacy/detect.h"
#include "privacy/memory.h"
#include "privacy/patterns/patterns.h"

namespace tandem::cli {

namespace {

namespace fs = std::filesystem;

enum class Grade { good, warning, bad };

struct Check {
    std::string name;
    Grade grade;
    std::string text;
    std::string mend;
};

constexpr std::uint64_t kLittleDisk = 1ULL << 30;
constexpr std::int64_t kEarliestTime = 1'700'000'000'000;  // before this program was written
constexpr milliseconds kReachTime{3'000};

void check_engine(const config::Config& config, const Globals& globals, std::vector<Check>& checks) {
    const engine::EnginesSettings settings{config.data, config::cache_folder(globals.environment), globals.environment};
    bool any = false;
    for (const auto& model : config.models) {
        if (config.provider(model.provider)->kind != config::ProviderKind::engine) continue;
        if (!any) {
            const auto binary = engine::find_binary(config, settings);
            checks.push_back({"engine", binary ? Grade::good : Grade::bad,
                              binary ? binary->string() : binary.error().message,
                              "run `packaging/setup.sh engine`, or set engine.binary"});
        }
        any = true;
        const auto file = engine::find_model_file(config, model, settings);
        checks.push_back({"model " + model.id, file ? Grade::good : Grade::bad,
                          file ? file->string() : file.error().message, "put the GGUF there, or correct `file:`"});
    }
}

void check_port(const config::Config& config, std::vector<Check>& checks) {
    auto answer = call(remote_of(config), {.path = "/healthz", .headers = {}, .body = {}, .timeout = kReachTime});
    if (answer && answer->status == 200) {
        checks.push_back({"server", Grade::good, fmt::format("answers at {}", remote_of(config).url), ""});
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

// A llama-server says how large its context is and what its chat template knows: measured beats claimed.
void check_llama_server(const config::Config& config, const config::Provider& provider, std::vector<Check>& checks) {
    auto base = provider.base_url;
    if (base.ends_with("/v1")) base.resize(base.size() - 3);
    auto answer = call({base, std::string(provider.api_key->reveal())},
                       {.path = "/props", .headers = {}, .body = {}, .timeout = kReachTime});
    json::Document document;
    if (!answer || answer->status != 200 || !document.parse(answer->body)) return;
    const auto root = document.root();
    const auto context = root["default_generation_settings"]["n_ctx"].integer().value_or(0);
    const bool tools = root["chat_template"].text().find("tools") != std::string_view::npos;
    for (const auto& model : config.models) {
        if (model.provider != provider.id || (model.capabilities && !model.capabilities->has(config::Capability::chat)))
            continue;
        const std::string name = "model " + model.id;
        if (context > 0 && model.context_tokens > context)
            checks.push_back(
                {name, Grade::bad,
                 fmt::format("the config says context {}, the server has {}", model.context_tokens, context),
                 fmt::format("set context: {}, or start the server with more", context)});
        else if (context > 0)
            checks.push_back({name, Grade::good, fmt::format("the server has a context of {}", context), ""});
        if (tools && model.render_tools)
            checks.push_back({name, Grade::warning,
                              "its chat template knows tools, and Tandem renders them all the same",
                              "set tools: native"});
        if (!tools && !model.render_tools && model.capabilities && model.capabilities->has(config::Capability::tools))
            checks.push_back({name, Grade::bad,
                              "its chat template knows no tools, so the server ignores them in silence",
                              "set tools: rendered, or take `tools` out of its capabilities"});
    }
}

void check_providers(const config::Config& config, std::vector<Check>& checks) {
    for (const auto& provider : config.providers) {
        if (provider.kind == config::ProviderKind::engine) continue;
        const std::string name = "provider " + provider.id;
        const Remote remote{provider.base_url, std::string(provider.api_key->reveal())};
        if (provider.kind == config::ProviderKind::llama_server) check_llama_server(config, provider, checks);
        // Each kind has its own list of models and its own header for the key.
        RemoteRequest list{.path = provider.kind == config::ProviderKind::ollama ? "/api/tags" : "/models",
                           .headers = {},
                           .body = {},
                           .timeout = kReachTime};
        if (provider.kind == config::ProviderKind::anthropic) {
            list.headers.add("x-api-key", provider.api_key->reveal());
            list.headers.add("anthropic-version", "2023-06-01");
        }
        if (provider.kind == config::ProviderKind::gemini)
            list.headers.add("x-goog-api-key", provider.api_key->reveal());
        auto answer = call(remote, std::move(list));
        if (!answer)
            checks.push_back({name, Grade::bad, fmt::format("{} does not answer", provider.base_url),
                              "start it, or correct base_url"});
        else if (answer->status == 401 || answer->status == 403)
            checks.push_back({name, Grade::bad, "it refuses the key", "set a valid api_key"});
        else if (answer->status >= 500)
            checks.push_back({name, Grade::warning, fmt::format("it answers with status {}", answer->status),
                              "see its own status page or log"});
        else
            checks.push_back({name, Grade::good, fmt::format("answers at {}", provider.base_url), ""});
        if (provider.zone == Zone::cloud && provider.base_url.starts_with("http://") &&
            provider.base_url.find("//127.") == std::string::npos &&
            provider.base_url.find("//localhost") == std::string::npos)
            checks.push_back({name, Grade::warning, "the connection is not encrypted", "use https"});
        for (const auto& model : config.models)
            if (model.provider == provider.id && provider.zone == Zone::cloud && !model.priced)
                checks.push_back({"model " + model.id, Grade::warning,
                                  "it has no price: its cost counts as 0, and keys with budgets may not use it",
                                  "add price: { input: ..., output: ... }"});
            else if (model.provider == provider.id && provider.kind == config::ProviderKind::anthropic &&
                     model.priced && !model.price.cache_write)
                checks.push_back({"model " + model.id, Grade::warning,
                                  "it has no price for what goes into its provider's prompt cache, so that is billed "
                                  "as other input",
                                  "add cache_write to its price, per million tokens"});
    }
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
    const auto now = system_clock()->wall().time_since_epoch().count();
    checks.push_back({"clock", now < kEarliestTime ? Grade::bad : Grade::good,
                      now < kEarliestTime ? "the clock is wrong" : "plausible",
                      "set the clock: budgets and records depend on it"});
    struct stat info{};
    if (!config.source.empty() && stat(config.source.c_str(), &info) == 0 && (info.st_mode & 0077) != 0 &&
        !config.keys.empty())
        checks.push_back({"config", Grade::warning, "other users can read the config file",
                          fmt::format("chmod 600 {}", config.source.string())});
    for (const auto* name : {"admin.token", "privacy.key", "ledger.db", "ledger.db-wal", "egress.checkpoints"})
        check_closed(config.data / name, checks);
    check_closed(config.data, checks);
    checks.push_back({"keys", Grade::good,
                      config.keys.empty() ? "none: everyone on this machine may use it"
                                          : fmt::format("{} API keys", config.keys.size()),
                      ""});
}

int doctor(const Globals& globals) {
    std::vector<Check> checks;
    auto config = globals.load_whole();
    if (!config) {
        checks.push_back({"config", Grade::bad, config.error().message, "correct the lines named above"});
    } else {
        checks.push_back(
            {"config", Grade::good,
             config->source.empty() ? "built-in default; `tandem init` writes a file" : config->source.string(), ""});
        check_machine(*config, checks);
        check_port(*config, checks);
        check_engine(*config, globals, checks);
        check_providers(*config, checks);
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
