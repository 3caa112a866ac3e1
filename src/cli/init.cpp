// tandem init: writes a first tandem.yaml, with what it finds on this machine.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <filesystem>

#include "base/json.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/remote.h"

namespace tandem::cli {

namespace {

namespace fs = std::filesystem;

// Where local servers usually listen.
struct KnownServer {
    std::string_view id;
    std::string_view what;
    std::uint16_t port;
    std::string_view kind;
};
constexpr std::array kServers = {
    KnownServer{"llamacpp", "llama-server", 8080, "llama-server"},
    KnownServer{"ollama", "Ollama", 11434, "ollama"},
    KnownServer{"lmstudio", "LM Studio", 1234, "openai"},
    KnownServer{"vllm", "vLLM", 8000, "openai"},
};

// Providers by the environment variable that their users set.
struct KnownCloud {
    std::string_view id;
    std::string_view variable;
    std::string_view base_url;
    std::string_view example;  // a model line to start from
    std::string_view kind = "openai";
};
constexpr std::array kClouds = {
    KnownCloud{"openai", "OPENAI_API_KEY", "https://api.openai.com/v1", "gpt-5.1"},
    KnownCloud{"anthropic", "ANTHROPIC_API_KEY", "https://api.anthropic.com", "claude-sonnet-4-5", "anthropic"},
    KnownCloud{"gemini", "GEMINI_API_KEY", "https://generativelanguage.googleapis.com", "gemini-2.5-flash", "gemini"},
    KnownCloud{"mistral", "MISTRAL_API_KEY", "https://api.mistral.ai/v1", "mistral-large-latest"},
    KnownCloud{"openrouter", "OPENROUTER_API_KEY", "https://openrouter.ai/api/v1", "openai/gpt-5.1"},
    KnownCloud{"groq", "GROQ_API_KEY", "https://api.groq.com/openai/v1", "llama-3.3-70b-versatile"},
    KnownCloud{"deepseek", "DEEPSEEK_API_KEY", "https://api.deepseek.com/v1", "deepseek-chat"},
};

constexpr milliseconds kProbeTime{400};
constexpr std::size_t kMostModels = 8;  // of one server

struct Found {
    KnownServer server;
    std::vector<std::string> models;
};

std::optional<Found> probe(const KnownServer& server) {
    const Remote remote{fmt::format("http://127.0.0.1:{}", server.port), {}};
    auto answer = call(remote, {.path = "/v1/models", .headers = {}, .body = {}, .timeout = kProbeTime});
    json::Document document;
    if (!answer || answer->status != 200 || !document.parse(answer->body) ||
        !document.root()["data"].is(json::Kind::array))
        return std::nullopt;
    Found found{server, {}};
    for (const json::Value model : document.root()["data"].children())
        if (const auto id = model["id"].string(); id && found.models.size() < kMostModels)
            found.models.emplace_back(*id);
    return found;
}

// A model's name as an id that tandem.yaml takes.
std::string id_of(std::string_view name) {
    std::string id(name.substr(name.find_last_of('/') == std::string_view::npos ? 0 : name.find_last_of('/') + 1));
    for (char& c : id)
        if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.' && c != '_' && c != '-' && c != ':') c = '-';
    return id;
}

std::string yaml_text(std::string_view text) {
    std::string out = json::quoted(printable(text, 200));  // JSON strings are YAML strings
    return out;
}

std::string compose(const std::vector<Found>& servers, const std::vector<KnownCloud>& clouds) {
    std::string providers =
        "  home: { kind: engine }                 # llama-server processes that Tandem starts and stops itself\n";
    std::string models =
        "  # A tiny model, good for trying things out. Any GGUF that you have does better: give its path as `file`.\n"
        "  smollm2: { provider: home, file: smollm2-135m-instruct-q4_1.gguf, context: 8192, slots: 2 }\n"
        "  # mine: { provider: home, file: /path/to/model.gguf, context: 32768, capabilities: [tools, json] }\n";
    std::vector<std::string> used = {"smollm2"};
    for (const auto& found : servers) {
        providers +=
            fmt::format("  {}: {{ kind: {}, zone: local, base_url: http://127.0.0.1:{}/v1 }}   # {}, found running\n",
                        found.server.id, found.server.kind, found.server.port, found.server.what);
        for (const auto& model : found.models) {
            std::string id = id_of(model);
            if (std::ranges::find(used, id) != used.end()) id = fmt::format("{}-{}", found.server.id, id);
            if (std::ranges::find(used, id) != used.end()) continue;
            used.push_back(id);
            // Ollama cuts what is longer than its own setting in silence; with a context here, Tandem asks for it.
            models += fmt::format("  {}: {{ provider: {}, name: {}{} }}\n", id, found.server.id, yaml_text(model),
                                  found.server.kind == "ollama" ? ", context: 8192" : "");
        }
    }
    for (const auto& cloud : clouds) {
        providers += fmt::format("  {}: {{ kind: {}, zone: cloud, base_url: {}, api_key: ${{{}}} }}\n", cloud.id,
                                 cloud.kind, cloud.base_url, cloud.variable);
        models += fmt::format(
            "  # Prices are per million tokens; look them up, and `tandem cost` is right.\n"
            "  {}: {{ provider: {}, name: {}, price: {{ input: 0, output: 0 }} }}\n",
            id_of(cloud.example), cloud.id, yaml_text(cloud.example));
    }
    if (clouds.empty()) {
        providers +=
            "  # openai: { kind: openai, zone: cloud, base_url: https://api.openai.com/v1, api_key: ${OPENAI_API_KEY} "
            "}\n";
        models +=
            "  # gpt: { provider: openai, name: gpt-5.1, context: 400000, capabilities: [tools, vision, json, "
            "reasoning],\n"
            "  #        price: { input: 1.25, cached_input: 0.125, output: 10.00 } }     # per million tokens\n";
    }
    return fmt::format(R"(# Tandem's config. Everything has a default; docs/guide.md explains each key.
# A changed file is read again by itself; a wrong one keeps the old config and says so in the log.

server: {{ listen: 127.0.0.1:7117 }}       # beyond this machine it needs `keys:` below

providers:
{}
models:
{}
# Names that clients can use besides `auto`, `local`, `cloud`, `private` and each model's own.
# aliases: {{ best: [gpt], small: [smollm2] }}

# hybrid: private, light and repetitive work at home; hard work in the cloud. Also: local-first, cloud-first.
# `tandem policy show` prints the rules, ready to copy here and change.
policy: {{ preset: hybrid }}

privacy:
  clearance: {{ local: secret, cloud: internal }}   # the highest label that a zone may see
  # What detectors find raises the label: public < internal < private < secret.
  detect: {{ email: internal, card: private, iban: private, credential: secret }}

# keys:
#   alice: {{ secret: ${{ALICE_KEY}}, label: internal, aliases: [auto, local],
#            budgets: [{{ limit: 5.00, window: day }}], limits: {{ rpm: 600, tpm: 200000, concurrency: 8 }} }}

currency: USD
)",
                       providers, models);
}

// `force` keeps the old file beside the new one.
Result<> write_file(const fs::path& file, const std::string& text, bool force) {
    std::error_code error;
    if (file.has_parent_path()) fs::create_directories(file.parent_path(), error);
    if (fs::exists(file, error)) {
        if (!force)
            return fail(ErrorCode::invalid,
                        fmt::format("{} is there already; --force keeps it as {}.old and writes a new one",
                                    file.string(), file.string()));
        fs::rename(file, file.string() + ".old", error);
    }
    const int fd = open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    const bool ok = fd >= 0 && write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    const int why = errno;
    if (fd >= 0) close(fd);
    if (!ok) return fail(ErrorCode::storage, fmt::format("cannot write {}: {}", file.string(), std::strerror(why)));
    return {};
}

int init(const Globals& globals, bool force) {
    std::vector<Found> servers;
    for (const auto& server : kServers)
        if (auto found = probe(server)) servers.push_back(std::move(*found));
    std::vector<KnownCloud> clouds;
    for (const auto& cloud : kClouds)
        if (const auto key = globals.environment(std::string(cloud.variable)); key && !key->empty())
            clouds.push_back(cloud);
    const auto text = compose(servers, clouds);
    const auto path = globals.config_path();
    if (auto ok = config::parse(text, path, globals.environment); !ok)
        return report(globals, ok.error());  // never leave a wrong file behind
    if (auto ok = write_file(path, text, force); !ok) return report(globals, ok.error());
    if (globals.json) {
        json::Writer out;
        out.begin_object().member("config", path.string()).key("servers").begin_array();
        for (const auto& found : servers) out.value(found.server.id);
        out.end_array().key("clouds").begin_array();
        for (const auto& cloud : clouds) out.value(cloud.id);
        out.end_array().end_object();
        fmt::print("{}\n", out.text());
        return kOk;
    }
    fmt::print("wrote {}\n", path.string());
    for (const auto& found : servers)
        fmt::print("  found {} on port {} with {} models\n", found.server.what, found.server.port, found.models.size());
    for (const auto& cloud : clouds)
        fmt::print("  found {} in the environment: set the prices of its model\n", cloud.variable);
    if (servers.empty() && clouds.empty())
        fmt::print("  found no other local server and no cloud key; the embedded engine works by itself\n");
    fmt::print("next: tandem doctor, then tandem serve\n");
    return kOk;
}

}  // namespace

void add_init(CLI::App& app, Globals& globals, Action& action) {
    auto* command = app.add_subcommand("init", "Write a first tandem.yaml, with what is found on this machine");
    auto force = std::make_shared<bool>(false);
    command->add_flag("--force", *force, "Replace a config that is there; the old one is kept as .old");
    command->callback([&, force] { action = [&globals, force] { return init(globals, *force); }; });
}

}  // namespace tandem::cli
