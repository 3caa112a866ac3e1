// tandem connect: the settings with which a client talks to this Tandem, printed, written, and taken back.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/remote.h"
#include "dialect/fields.h"

namespace tandem::cli {

namespace {

namespace fs = std::filesystem;

struct Options {
    std::string client;
    std::string model = "auto";
    std::string key;
    bool write = false;
    bool undo = false;
};

// What a client's settings are made of.
struct Values {
    std::string url;  // of the server, without a path
    std::string key;  // the secret, or a word where the server wants none
    std::string model;
    std::int64_t context = 0;
    fs::path home;
};

// A file of a client's settings, and how it is changed: the new text from the old.
struct File {
    std::string_view path;  // below the home folder
    Result<std::string> (*change)(const std::string& before, const Values& v);
};

// A client: where its settings are, for people, and how they read.
struct Client {
    std::string_view id;
    std::string_view what;
    std::string (*text)(const Values&);
    std::vector<File> files;  // none: there is nothing to write
};

// ---- changing files ----

// Sets a member deep in a JSON object; the others keep their bytes.
std::string with_path(const json::Value& object, std::span<const std::string> path, const std::string& value) {
    if (path.empty()) return value;
    const auto inner = with_path(object[path[0]], path.subspan(1), value);
    if (!object.is(json::Kind::object)) {
        json::Writer out;
        out.begin_object().raw_member(path[0], inner).end_object();
        return out.take();
    }
    return dialect::with_members(object, {{path[0], inner}});
}

struct Setting {
    std::vector<std::string> path;
    std::string json;
};

Result<std::string> change_json(const std::string& before, const std::vector<Setting>& settings) {
    std::string text = trim(before).empty() ? "{}" : before;
    for (const auto& setting : settings) {
        json::Document document;
        if (!document.parse(text) || !document.root().is(json::Kind::object))
            return fail(
                ErrorCode::invalid,
                "the file is not plain JSON (has it comments?), and was left as it is; put the settings into it by "
                "hand: without --write they are printed");
        text = with_path(document.root(), setting.path, setting.json);
    }
    return text + "\n";
}

// KEY=value lines of an .env file, or "key: value" lines at the top of a YAML file.
std::string change_lines(const std::string& before, const std::vector<std::pair<std::string, std::string>>& lines,
                         std::string_view between) {
    std::string out;
    std::size_t at = 0;
    while (at < before.size()) {
        const auto end = std::min(before.find('\n', at), before.size());
        const auto line = before.substr(at, end - at);
        at = end + 1;
        bool ours = false;
        for (const auto& [key, value] : lines) ours = ours || trim(line).starts_with(key + std::string(trim(between)));
        if (!ours) out += line + "\n";
    }
    for (const auto& [key, value] : lines) out += fmt::format("{}{}{}\n", key, between, value);
    return out;
}

// Codex's TOML: two keys at its top, and a table of ours.
std::string change_codex(const std::string& before, const Values& v) {
    std::string top, rest;
    bool in_table = false, ours = false;
    std::size_t at = 0;
    while (at < before.size()) {
        const auto end = std::min(before.find('\n', at), before.size());
        const auto line = before.substr(at, end - at);
        at = end + 1;
        const auto text = trim(line);
        if (text.starts_with('[')) {
            in_table = true;
            ours = text == "[model_providers.tandem]";
        }
        const auto key = trim(text.substr(0, text.find('=')));
        if (ours || (!in_table && (key == "model" || key == "model_provider"))) continue;
        (in_table ? rest : top) += line + "\n";
    }
    return fmt::format(
        "model = {}\nmodel_provider = \"tandem\"\n{}{}\n[model_providers.tandem]\nname = \"Tandem\"\nbase_url = "
        "\"{}/v1\"\n"
        "wire_api = \"responses\"\nexperimental_bearer_token = {}\n",
        json::quoted(v.model), top, rest, v.url, json::quoted(v.key));
}

std::vector<Setting> claude_settings(const Values& v) {
    return {{{"env", "ANTHROPIC_BASE_URL"}, json::quoted(v.url)},
            {{"env", "ANTHROPIC_API_KEY"}, json::quoted(v.key)},
            {{"env", "ANTHROPIC_MODEL"}, json::quoted(v.model)},
            {{"env", "ANTHROPIC_SMALL_FAST_MODEL"}, json::quoted(v.model)}};
}

std::vector<Setting> opencode_settings(const Values& v) {
    const auto limit =
        fmt::format("{{\"name\":\"Tandem {}\",\"limit\":{{\"context\":{},\"output\":8192}}}}", v.model, v.context);
    return {{{"provider", "tandem", "npm"}, "\"@ai-sdk/openai-compatible\""},
            {{"provider", "tandem", "name"}, "\"Tandem\""},
            {{"provider", "tandem", "options", "baseURL"}, json::quoted(v.url + "/v1")},
            {{"provider", "tandem", "options", "apiKey"}, json::quoted(v.key)},
            {{"provider", "tandem", "models", v.model}, limit},
            {{"model"}, json::quoted("tandem/" + v.model)}};
}

std::vector<Setting> zed_settings(const Values& v) {
    const auto models = fmt::format("[{{\"name\":{},\"max_tokens\":{}}}]", json::quoted(v.model), v.context);
    return {{{"language_models", "openai_compatible", "Tandem", "api_url"}, json::quoted(v.url + "/v1")},
            {{"language_models", "openai_compatible", "Tandem", "available_models"}, models}};
}

std::vector<std::pair<std::string, std::string>> gemini_lines(const Values& v) {
    return {{"GEMINI_API_KEY", v.key}, {"GOOGLE_GEMINI_BASE_URL", v.url}, {"GEMINI_MODEL", v.model}};
}

std::vector<std::pair<std::string, std::string>> aider_lines(const Values& v) {
    return {{"openai-api-base", v.url + "/v1"}, {"openai-api-key", v.key}, {"model", "openai/" + v.model}};
}

std::string yaml_of_continue(const Values& v) {
    return fmt::format(
        "name: Tandem\nversion: 1.0.0\nschema: v1\nmodels:\n  - name: Tandem\n    provider: openai\n    model: {}\n    "
        "apiBase: "
        "{}/v1\n    apiKey: {}\n    roles: [chat, edit, apply]\n",
        v.model, v.url, v.key);
}

std::string json_text(const std::vector<Setting>& settings) {
    return change_json("", settings).value_or("");
}

const std::vector<Client>& clients() {
    static const std::vector<Client> list = {
        {"claude-code",
         "~/.claude/settings.json",
         [](const Values& v) { return json_text(claude_settings(v)); },
         {{".claude/settings.json",
           [](const std::string& before, const Values& v) { return change_json(before, claude_settings(v)); }}}},
        {"codex",
         "~/.codex/config.toml",
         [](const Values& v) { return change_codex("", v); },
         {{".codex/config.toml",
           [](const std::string& before, const Values& v) -> Result<std::string> { return change_codex(before, v); }}}},
        {"opencode",
         "~/.config/opencode/opencode.json",
         [](const Values& v) { return json_text(opencode_settings(v)); },
         {{".config/opencode/opencode.json",
           [](const std::string& before, const Values& v) { return change_json(before, opencode_settings(v)); }}}},
        {"aider",
         "~/.aider.conf.yml",
         [](const Values& v) { return change_lines("", aider_lines(v), ": "); },
         {{".aider.conf.yml",
           [](const std::string& before, const Values& v) -> Result<std::string> {
               return change_lines(before, aider_lines(v), ": ");
           }}}},
        {"gemini-cli",
         "~/.gemini/.env, and security.auth.selectedType: gemini-api-key in ~/.gemini/settings.json",
         [](const Values& v) { return change_lines("", gemini_lines(v), "="); },
         {{".gemini/.env",
           [](const std::string& before, const Values& v) -> Result<std::string> {
               return change_lines(before, gemini_lines(v), "=");
           }},
          {".gemini/settings.json",
           [](const std::string& before, const Values&) {
               return change_json(before, {{{"security", "auth", "selectedType"}, "\"gemini-api-key\""}});
           }}}},
        {"continue",
         "~/.continue/config.yaml",
         yaml_of_continue,
         {{".continue/config.yaml",
           [](const std::string& before, const Values& v) -> Result<std::string> {
               if (trim(before).empty()) return yaml_of_continue(v);
               return fail(
                   ErrorCode::invalid,
                   "there are settings in the file already, and they were left as they are; put the entry of `models:` "
                   "that is printed without --write into it");
           }}}},
        {"zed",
         "~/.config/zed/settings.json; the key goes into Zed's settings page",
         [](const Values& v) { return json_text(zed_settings(v)); },
         {{".config/zed/settings.json",
           [](const std::string& before, const Values& v) { return change_json(before, zed_settings(v)); }}}},
        {"open-webui",
         "environment of the container, or Admin > Settings > Connections",
         [](const Values& v) {
             return fmt::format("OPENAI_API_BASE_URL={}/v1\nOPENAI_API_KEY={}\nOLLAMA_BASE_URL={}\n", v.url, v.key,
                                v.url);
         },
         {}},
        {"cursor",
         "Settings > Models > API Keys: OpenAI API Key, Override OpenAI Base URL (it must be reachable from Cursor's "
         "servers)",
         [](const Values& v) {
             return fmt::format(
                 "OpenAI API Key:            {}\nOverride OpenAI Base URL:  {}/v1\nAdd model:                 {}\n",
                 v.key, v.url, v.model);
         },
         {}},
        {"n8n",
         "Credentials > OpenAI",
         [](const Values& v) {
             return fmt::format("API Key:   {}\nBase URL:  {}/v1\nModel:     {} (in the node, by id)\n", v.key, v.url,
                                v.model);
         },
         {}},
        {"home-assistant",
         "Settings > Devices & services > Add integration > Ollama",
         [](const Values& v) { return fmt::format("URL:    {}\nModel:  {}\n", v.url, v.model); },
         {}},
        {"langchain",
         "Python, with langchain-openai",
         [](const Values& v) {
             return fmt::format(
                 "from langchain_openai import ChatOpenAI\n\nmodel = ChatOpenAI(base_url=\"{}/v1\", api_key=\"{}\", "
                 "model=\"{}\")\n",
                 v.url, v.key, v.model);
         },
         {}},
        {"python",
         "with openai",
         [](const Values& v) {
             return fmt::format(
                 "from openai import OpenAI\n\nclient = OpenAI(base_url=\"{}/v1\", api_key=\"{}\")\nanswer = "
                 "client.chat.completions.create("
                 "model=\"{}\", messages=[{{\"role\": \"user\", \"content\": "
                 "\"Hello\"}}])\nprint(answer.choices[0].message.content)\n",
                 v.url, v.key, v.model);
         },
         {}},
        {"curl",
         "a shell",
         [](const Values& v) {
             return fmt::format(
                 "curl -N {}/v1/chat/completions -H 'content-type: application/json' -H 'authorization: Bearer {}' \\\n"
                 "  -d '{{\"model\": \"{}\", \"stream\": true, \"messages\": [{{\"role\": \"user\", \"content\": "
                 "\"Hello\"}}]}}'\n",
                 v.url, v.key, v.model);
         },
         {}},
    };
    return list;
}

// ---- writing ----

fs::path backup_of(const fs::path& file) {
    return file.string() + ".before-tandem";
}
// Stands for "there was no file".
fs::path absence_of(const fs::path& file) {
    return file.string() + ".new-by-tandem";
}

// There is a key in it.
Result<> write_text(const fs::path& file, const std::string& text) {
    std::error_code ignored;
    fs::create_directories(file.parent_path(), ignored);
    return write_private_file(file, text);
}

Result<> write_settings(const Client& client, const File& one, const Values& v) {
    const auto file = v.home / one.path;
    std::string before;
    const bool exists = fs::exists(file);
    if (exists) {
        std::ifstream in(file, std::ios::binary);
        if (!in) return fail(ErrorCode::storage, fmt::format("cannot read {}", file.string()));
        before.assign((std::istreambuf_iterator<char>(in)), {});
    }
    auto after = one.change(before, v);
    if (!after) return fail(after.error().code, fmt::format("{}: {}", file.string(), after.error().message));
    // The first backup is the one to go back to, however often this is run.
    if (!fs::exists(backup_of(file)) && !fs::exists(absence_of(file)))
        if (auto ok = exists ? write_text(backup_of(file), before) : write_text(absence_of(file), ""); !ok) return ok;
    if (auto ok = write_text(file, *after); !ok) return ok;
    fmt::print("wrote {}{}\n`tandem connect {} --undo` takes it back\n", file.string(),
               exists ? fmt::format(" (what was there is in {})", backup_of(file).string()) : "", client.id);
    return {};
}

Result<> undo_settings(const File& one, const Values& v) {
    const auto file = v.home / one.path;
    std::error_code error;
    if (fs::exists(backup_of(file))) {
        fs::rename(backup_of(file), file, error);
    } else if (fs::exists(absence_of(file))) {
        fs::remove(file, error);
        fs::remove(absence_of(file), error);
    } else {
        return fail(
            ErrorCode::not_found,
            fmt::format("{} was not written by `tandem connect --write`; there is nothing to undo", file.string()));
    }
    if (error) return fail(ErrorCode::storage, fmt::format("cannot restore {}: {}", file.string(), error.message()));
    fmt::print("{} is as it was before\n", file.string());
    return {};
}

// Why the secret of a key is not to be had here; null where there is another reason.
const config::Unresolved* lacking(const config::Config& config, const std::string& key) {
    const auto found =
        std::ranges::find(config.unresolved, fmt::format("keys.{}.secret", key), &config::Unresolved::field);
    return found == config.unresolved.end() ? nullptr : &*found;
}

Result<Values> values_of(const Globals& globals, const Options& options) {
    auto config = globals.load();
    if (!config) return fail(config.error());
    Values v;
    v.url = remote_of(*config).url;
    v.model = options.model;
    v.home = globals.environment("HOME").value_or("/");
    std::vector<std::string> names = {"auto", "local", "cloud", "private"};
    for (const auto& alias : config->aliases) names.push_back(alias.id);
    for (const auto& model : config->models) names.push_back(model.id);
    if (std::ranges::find(names, v.model) == names.end())
        return fail(ErrorCode::not_found,
                    fmt::format("there is no model or alias '{}'{}", printable(v.model, 60), suggest(v.model, names)));
    for (const auto& model : config->models)
        if (model.id == v.model || (v.model == "auto" && model.context_tokens > v.context))
            v.context = model.context_tokens;
    if (v.context == 0) v.context = 32768;
    v.key = "tandem";
    if (config->keys.empty()) return v;
    std::vector<std::string> keys;
    for (const auto& key : config->keys) keys.push_back(key.id);
    const auto found = std::ranges::find(config->keys, options.key, &config::Key::id);
    if (found != config->keys.end() && !found->secret->empty())
        v.key = found->secret->reveal();
    else if (found != config->keys.end() && options.write && lacking(*config, found->id))
        return fail(ErrorCode::invalid,
                    fmt::format("{}: {}; export it for this command, or run it without --write",
                                lacking(*config, found->id)->field, lacking(*config, found->id)->missing));
    else if (found != config->keys.end() && options.write)
        return fail(ErrorCode::invalid,
                    fmt::format("the config has only the hash of '{}': run it without --write, and put the key where "
                                "THE-SECRET-OF-A-KEY stands",
                                found->id));
    else if (found != config->keys.end())
        v.key = "THE-SECRET-OF-A-KEY";
    else if (!options.key.empty())
        return fail(ErrorCode::not_found,
                    fmt::format("there is no key '{}'{}", printable(options.key, 60), suggest(options.key, keys)));
    else if (options.write)
        return fail(ErrorCode::invalid,
                    fmt::format("which key shall the client use? Add --key with one of: {}", join(keys, ", ")));
    else
        v.key = "THE-SECRET-OF-A-KEY";
    return v;
}

int connect(const Globals& globals, const Options& options) {
    std::vector<std::string> names;
    for (const auto& client : clients()) names.emplace_back(client.id);
    const auto client = std::ranges::find(clients(), options.client, &Client::id);
    if (client == clients().end()) {
        fmt::print(stderr, "tandem: there is no client '{}'{}\n", printable(options.client, 60),
                   suggest(options.client, names));
        return kUsage;
    }
    auto values = values_of(globals, options);
    if (!values) return report(globals, values.error());
    if ((options.write || options.undo) && client->files.empty())
        return report(
            globals,
            {ErrorCode::not_found,
             fmt::format(
                 "{} keeps its settings where a command cannot reach them: {}. Without --write they are printed",
                 client->id, client->what)});
    if (options.undo || options.write) {
        for (const auto& file : client->files) {
            const auto done = options.undo ? undo_settings(file, *values) : write_settings(*client, file, *values);
            if (!done) return report(globals, done.error());
        }
        return kOk;
    }
    const auto text = client->text(*values);
    if (globals.json) {
        json::Writer out;
        out.begin_object()
            .member("client", client->id)
            .member("where", client->what)
            .member("settings", text)
            .end_object();
        fmt::print("{}\n", out.text());
        return kOk;
    }
    fmt::print("# {}: {}\n{}", client->id, client->what, text);
    if (!client->files.empty()) fmt::print("# --write puts this into the file, and keeps what was there for --undo\n");
    return kOk;
}

}  // namespace

void add_connect(CLI::App& app, Globals& globals, Action& action) {
    auto* command =
        app.add_subcommand("connect", "Settings for a client: printed, written with --write, taken back with --undo");
    auto options = std::make_shared<Options>();
    std::vector<std::string> names;
    for (const auto& client : clients()) names.emplace_back(client.id);
    command->add_option("client", options->client, join(names, ", "))->required();
    command->add_option("-m,--model", options->model, "Alias or model that the client shall ask for");
    command->add_option("-k,--key", options->key, "Id of the key in tandem.yaml that it shall use");
    auto* write = command->add_flag("--write", options->write, "Change the client's file, with a backup");
    command->add_flag("--undo", options->undo, "Restore what was there before --write")->excludes(write);
    command->callback([&, options] { action = [&globals, options] { return connect(globals, *options); }; });
}

}  // namespace tandem::cli
