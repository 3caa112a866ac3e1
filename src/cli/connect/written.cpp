#include <fmt/format.h>

#include "base/text.h"
#include "cli/connect/jsonc.h"
#include "cli/connect/lines.h"
#include "cli/connect/rows.h"
#include "cli/connect/toml.h"

namespace tandem::cli {

namespace {

using config::Capability;

std::string json_text(const std::vector<Setting>& settings) {
    return change_jsonc("", settings).value_or("");
}

// ---- Claude Code: code.claude.com/docs/en/settings, /model-config, /llm-gateway ----

std::vector<Setting> claude_settings(const Values& v) {
    constexpr std::int64_t kAssumed = 200'000;  // what it takes for the context of a model that it does not know
    std::vector<Setting> list = {{{"env", "ANTHROPIC_BASE_URL"}, in_json(v.url)},
                                 {{"env", "ANTHROPIC_AUTH_TOKEN"}, in_json(v.key)},
                                 // One from elsewhere would be sent beside the token.
                                 {{"env", "ANTHROPIC_API_KEY"}, "\"\""}};
    for (const auto* name :
         {"ANTHROPIC_MODEL", "ANTHROPIC_DEFAULT_OPUS_MODEL", "ANTHROPIC_DEFAULT_SONNET_MODEL",
          "ANTHROPIC_DEFAULT_HAIKU_MODEL", "ANTHROPIC_DEFAULT_FABLE_MODEL", "CLAUDE_CODE_SUBAGENT_MODEL"})
        list.push_back({{"env", name}, in_json(v.model)});
    if (v.context < kAssumed)
        list.push_back({{"env", "CLAUDE_CODE_AUTO_COMPACT_WINDOW"}, fmt::format("\"{}\"", v.context)});
    return list;
}

// ---- Codex: developers.openai.com/codex/config-reference ----

Result<std::string> change_codex(const std::string& before, const Values& v) {
    // Where env_key names a variable, Codex takes the key from that alone, and it stops where `auth` names a command
    // beside a key.
    return change_toml(before, {.top = {{"model", in_json(v.model)},
                                        {"model_provider", "\"tandem\""},
                                        {"model_context_window", std::to_string(v.context)}},
                                .table = "model_providers.tandem",
                                .keys = {{"name", "\"Tandem\""},
                                         {"base_url", in_json(v.url + "/v1")},
                                         {"wire_api", "\"responses\""},
                                         {"experimental_bearer_token", in_json(v.key)}},
                                .instead_of = {"env_key", "env_key_instructions", "requires_openai_auth"},
                                .against = {"auth", "aws"}});
}

// ---- opencode: opencode.ai/docs/providers, /models ----

std::vector<Setting> opencode_settings(const Values& v) {
    const std::vector<std::string> model = {"provider", "tandem", "models", v.model};
    auto in_model = [&](std::string name, std::string json) {
        auto path = model;
        path.push_back(std::move(name));
        return Setting{std::move(path), std::move(json)};
    };
    return {{{"provider", "tandem", "npm"}, "\"@ai-sdk/openai-compatible\""},
            {{"provider", "tandem", "name"}, "\"Tandem\""},
            {{"provider", "tandem", "options", "baseURL"}, in_json(v.url + "/v1")},
            {{"provider", "tandem", "options", "apiKey"}, in_json(v.key)},
            in_model("name", in_json("Tandem " + v.model)),
            in_model("limit", fmt::format("{{ \"context\": {}, \"output\": {} }}", v.context, v.output)),
            in_model("tool_call", truth(v.has(Capability::tools))),
            in_model("attachment", truth(v.has(Capability::vision))),
            in_model("reasoning", truth(v.has(Capability::reasoning))),
            in_model("modalities", v.has(Capability::vision) ? R"({ "input": ["text", "image"], "output": ["text"] })"
                                                             : R"({ "input": ["text"], "output": ["text"] })"),
            {{"model"}, in_json("tandem/" + v.model)}};
}

// ---- Zed: zed.dev/docs/ai/use-api-access, /agent-settings ----

std::vector<Setting> zed_settings(const Values& v) {
    const auto models = fmt::format(
        "[{{ \"name\": {}, \"display_name\": {}, \"max_tokens\": {}, \"max_output_tokens\": {}, \"capabilities\": {{ "
        "\"tools\": {}, \"images\": {}, \"parallel_tool_calls\": false, \"prompt_cache_key\": false, "
        "\"interleaved_reasoning\": {} }} }}]",
        in_json(v.model), in_json("Tandem " + v.model), v.context, v.usual_output, truth(v.has(Capability::tools)),
        truth(v.has(Capability::vision)), truth(v.has(Capability::reasoning)));
    return {
        {{"language_models", "openai_compatible", "Tandem", "api_url"}, in_json(v.url + "/v1")},
        {{"language_models", "openai_compatible", "Tandem", "available_models"}, models},
        {{"agent", "default_model"}, fmt::format("{{ \"provider\": \"Tandem\", \"model\": {} }}", in_json(v.model))}};
}

// ---- Crush: github.com/charmbracelet/crush ----

// Crush reads a key as a word of a shell.
std::string in_shell_word(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '$' || c == '`' || c == '\\') out += '\\';
        out += c;
    }
    return out;
}

std::vector<Setting> crush_settings(const Values& v) {
    const auto models = fmt::format(
        "[{{ \"id\": {}, \"name\": {}, \"context_window\": {}, \"default_max_tokens\": {}, \"can_reason\": {}, "
        "\"supports_attachments\": {}, \"cost_per_1m_in\": 0, \"cost_per_1m_out\": 0, \"cost_per_1m_in_cached\": 0, "
        "\"cost_per_1m_out_cached\": 0 }}]",
        in_json(v.model), in_json("Tandem " + v.model), v.context, v.usual_output, truth(v.has(Capability::reasoning)),
        truth(v.has(Capability::vision)));
    const auto selected = fmt::format("{{ \"provider\": \"tandem\", \"model\": {} }}", in_json(v.model));
    return {{{"providers", "tandem", "name"}, "\"Tandem\""},
            {{"providers", "tandem", "type"}, "\"openai-compat\""},
            {{"providers", "tandem", "base_url"}, in_json(v.url + "/v1")},
            {{"providers", "tandem", "api_key"}, in_json(in_shell_word(v.key))},
            {{"providers", "tandem", "models"}, models},
            // Without these it takes the first provider for which it finds a key.
            {{"models", "large"}, selected},
            {{"models", "small"}, selected}};
}

// ---- aider: aider.chat/docs/config ----

Lines aider_lines(const Values& v) {
    return {{"openai-api-base", v.url + "/v1"}, {"openai-api-key", v.key}, {"model", "openai/" + v.model}};
}
std::vector<Setting> aider_metadata(const Values& v) {
    const std::string name = "openai/" + v.model;
    return {{{name, "max_input_tokens"}, std::to_string(v.context)},
            {{name, "max_output_tokens"}, std::to_string(v.output)},
            {{name, "litellm_provider"}, "\"openai\""},
            {{name, "mode"}, "\"chat\""}};
}

// ---- Gemini CLI and Qwen Code: geminicli.com/docs, qwenlm.github.io/qwen-code-docs ----

Lines gemini_lines(const Values& v) {
    return {{"GEMINI_API_KEY", v.key}, {"GOOGLE_GEMINI_BASE_URL", v.url}, {"GEMINI_MODEL", v.model}};
}
Lines qwen_lines(const Values& v) {
    return {{"OPENAI_API_KEY", v.key}, {"OPENAI_BASE_URL", v.url + "/v1"}, {"OPENAI_MODEL", v.model}};
}
std::vector<Setting> qwen_settings(const Values& v) {
    return {{{"security", "auth", "selectedType"}, "\"openai\""},
            // One that was chosen with /model goes before OPENAI_MODEL.
            {{"model", "name"}, in_json(v.model)},
            {{"model", "generationConfig", "contextWindowSize"}, std::to_string(v.context)},
            {{"model", "generationConfig", "modalities"},
             fmt::format("{{ \"image\": {} }}", truth(v.has(Capability::vision)))}};
}

// ---- goose: goose-docs.ai/docs/guides/config-files, /environment-variables ----

Lines goose_lines(const Values& v) {
    return {{"GOOSE_PROVIDER", "openai"},
            {"GOOSE_MODEL", v.model},
            // Goose of 2026 takes the base URL, and before a host; an older one knows the host alone.
            {"OPENAI_BASE_URL", v.url + "/v1"},
            {"OPENAI_HOST", v.url},
            {"OPENAI_BASE_PATH", "v1/chat/completions"},
            {"GOOSE_CONTEXT_LIMIT", std::to_string(v.context)}};
}

// ---- Pi: pi.dev/docs, models and models-configuration ----

// In a key, Pi takes $NAME for a variable and ! at the beginning for a command.
std::string without_references(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '$' || (c == '!' && out.empty())) out += '$';
        out += c;
    }
    return out;
}

std::vector<Setting> pi_models(const Values& v) {
    const auto models = fmt::format(
        "[{{ \"id\": {}, \"name\": {}, \"reasoning\": {}, \"input\": {}, \"contextWindow\": {}, \"maxTokens\": {} }}]",
        in_json(v.model), in_json("Tandem " + v.model), truth(v.has(Capability::reasoning)),
        v.has(Capability::vision) ? R"(["text", "image"])" : R"(["text"])", v.context, v.usual_output);
    return {{{"providers", "tandem", "baseUrl"}, in_json(v.url + "/v1")},
            {{"providers", "tandem", "api"}, "\"openai-completions\""},
            {{"providers", "tandem", "apiKey"}, in_json(without_references(v.key))},
            {{"providers", "tandem", "models"}, models}};
}
std::vector<Setting> pi_settings(const Values& v) {
    return {{{"defaultProvider"}, "\"tandem\""}, {{"defaultModel"}, in_json(v.model)}};
}

// ---- OpenClaw: gateway/local-models in its documentation ----

std::vector<Setting> openclaw_settings(const Values& v) {
    const auto models = fmt::format(
        "[{{ \"id\": {}, \"name\": {}, \"reasoning\": {}, \"input\": {}, \"cost\": {{ \"input\": 0, \"output\": 0, "
        "\"cacheRead\": 0, \"cacheWrite\": 0 }}, \"contextWindow\": {}, \"maxTokens\": {} }}]",
        in_json(v.model), in_json("Tandem " + v.model), truth(v.has(Capability::reasoning)),
        v.has(Capability::vision) ? R"(["text", "image"])" : R"(["text"])", v.context, v.usual_output);
    return {{{"models", "mode"}, "\"merge\""},
            {{"models", "providers", "tandem", "baseUrl"}, in_json(v.url + "/v1")},
            {{"models", "providers", "tandem", "apiKey"}, in_json(v.key)},
            {{"models", "providers", "tandem", "api"}, "\"openai-completions\""},
            {{"models", "providers", "tandem", "models"}, models},
            {{"agents", "defaults", "model", "primary"}, in_json("tandem/" + v.model)}};
}

// ---- Kimi Code: moonshotai.github.io/kimi-code/en/configuration ----

Result<std::string> change_kimi(const std::string& before, const Values& v) {
    std::vector<std::string> can;
    if (v.has(Capability::tools)) can.emplace_back("\"tool_use\"");
    if (v.has(Capability::vision)) can.emplace_back("\"image_in\"");
    if (v.has(Capability::reasoning)) can.emplace_back("\"thinking\"");
    const auto provider = change_toml(
        before, {.top = {{"default_model", "\"tandem\""}},
                 .table = "providers.tandem",
                 .keys = {{"type", "\"openai\""}, {"base_url", in_json(v.url + "/v1")}, {"api_key", in_json(v.key)}},
                 // It takes one or the other.
                 .instead_of = {"api_key_env"},
                 .against = {}});
    if (!provider) return provider;
    return change_toml(*provider, {.top = {},
                                   .table = "models.tandem",
                                   .keys = {{"provider", "\"tandem\""},
                                            {"model", in_json(v.model)},
                                            {"max_context_size", std::to_string(v.context)},
                                            {"max_output_size", std::to_string(v.usual_output)},
                                            {"capabilities", fmt::format("[{}]", join(can, ", "))}},
                                   .instead_of = {},
                                   .against = {}});
}

// ---- Continue: docs.continue.dev/reference ----

std::string yaml_of_continue(const Values& v) {
    std::vector<std::string> can;
    if (v.has(Capability::tools)) can.emplace_back("tool_use");
    if (v.has(Capability::vision)) can.emplace_back("image_input");
    return fmt::format(
        "name: Tandem\nversion: 1.0.0\nschema: v1\nmodels:\n  - name: Tandem\n    provider: openai\n    model: {}\n"
        "    apiBase: {}/v1\n    apiKey: {}\n    roles: [chat, edit, apply]\n    capabilities: [{}]\n"
        "    defaultCompletionOptions:\n      contextLength: {}\n      maxTokens: {}\n",
        in_json(v.model), v.url, in_json(v.key), join(can, ", "), v.context, v.usual_output);
}

}  // namespace

// The names in `taken` are those that the programs resolve themselves. Claude Code compares them in lower case, not at
// every place (anthropics/claude-code#25866).
std::vector<Client> written_clients() {
    return {
        {"claude-code",
         "~/.claude/settings.json",
         [](const Values& v) { return json_text(claude_settings(v)); },
         {{"CLAUDE_CONFIG_DIR", ".claude", "settings.json",
           [](const std::string& before, const Values& v) { return change_jsonc(before, claude_settings(v)); }}},
         {"default", "best", "sonnet", "opus", "haiku", "fable", "opusplan", "inherit"},
         false,
         22'000,
         "at its very first start Claude Code may ask for a login before it reads this file: export "
         "ANTHROPIC_AUTH_TOKEN for that start. Where it warns of a second key, `claude /logout` takes that away"},
        {"codex",
         "~/.codex/config.toml",
         [](const Values& v) { return change_codex("", v).value_or(""); },
         {{"CODEX_HOME", ".codex", "config.toml",
           [](const std::string& before, const Values& v) { return change_codex(before, v); }}},
         {},
         false,
         11'000},
        {"opencode",
         "~/.config/opencode/opencode.json",
         [](const Values& v) { return json_text(opencode_settings(v)); },
         {{"XDG_CONFIG_HOME",
           ".config",
           "opencode/opencode.json",
           [](const std::string& before, const Values& v) { return change_jsonc(before, opencode_settings(v)); },
           {},
           true}},
         {},
         false,
         8'000},
        {"aider",
         "~/.aider.conf.yml, and ~/.aider.model.metadata.json for the context",
         [](const Values& v) {
             return change_yaml("", aider_lines(v)).value_or("") + "# .aider.model.metadata.json\n" +
                    json_text(aider_metadata(v));
         },
         {{"", "", ".aider.conf.yml",
           [](const std::string& before, const Values& v) { return change_yaml(before, aider_lines(v)); }},
          {"", "", ".aider.model.metadata.json",
           [](const std::string& before, const Values& v) { return change_jsonc(before, aider_metadata(v)); }}},
         {}},
        {"gemini-cli",
         "~/.gemini/.env, and in ~/.gemini/settings.json security.auth.selectedType: gemini-api-key and "
         "security.folderTrust.enabled: false",
         [](const Values& v) { return change_env("", gemini_lines(v)); },
         {{"GEMINI_CLI_HOME", "", ".gemini/.env",
           [](const std::string& before, const Values& v) -> Result<std::string> {
               return change_env(before, gemini_lines(v));
           }},
          {"GEMINI_CLI_HOME", "", ".gemini/settings.json",
           [](const std::string& before, const Values&) {
               return change_jsonc(before, {{{"security", "auth", "selectedType"}, "\"gemini-api-key\""},
                                            {{"security", "folderTrust", "enabled"}, "false"}});
           }}},
         {"auto", "pro", "flash", "flash-lite"},
         false,
         10'000,
         "Gemini CLI reads ~/.gemini/.env only in folders that it trusts, and without it would ask Google: "
         "security.folderTrust.enabled: false lets it. To keep its question for each folder, take that line out again, "
         "and export the variables in your shell instead",
         "gemini-2.5-flash",
         {"GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL", "GEMINI_MODEL"}},
        {"qwen-code",
         "~/.qwen/.env, and ~/.qwen/settings.json for the model and its context",
         [](const Values& v) {
             return change_env("", qwen_lines(v)) + "# settings.json\n" + json_text(qwen_settings(v));
         },
         {{"QWEN_HOME", ".qwen", ".env",
           [](const std::string& before, const Values& v) -> Result<std::string> {
               return change_env(before, qwen_lines(v));
           }},
          {"QWEN_HOME", ".qwen", "settings.json",
           [](const std::string& before, const Values& v) { return change_jsonc(before, qwen_settings(v)); }}},
         {},
         false,
         19'000,
         {},
         {},
         {"OPENAI_API_KEY", "OPENAI_BASE_URL"}},
        {"crush",
         "~/.config/crush/crush.json",
         [](const Values& v) { return json_text(crush_settings(v)); },
         {{"XDG_CONFIG_HOME", ".config", "crush/crush.json",
           [](const std::string& before, const Values& v) { return change_jsonc(before, crush_settings(v)); },
           "CRUSH_GLOBAL_CONFIG"}},
         {},
         false,
         0,
         "a model that was chosen in Crush stands in ~/.local/share/crush/crush.json and goes before this one: choose "
         "Tandem's there once (ctrl+l). What a crushrc says goes before crush.json too"},
        {"goose",
         "~/.config/goose/config.yaml; the key goes into `goose configure` or the variable OPENAI_API_KEY",
         [](const Values& v) {
             return change_yaml("", goose_lines(v)).value_or("") + fmt::format("# OPENAI_API_KEY: {}\n", v.key);
         },
         {{"XDG_CONFIG_HOME", ".config", "goose/config.yaml",
           [](const std::string& before, const Values& v) { return change_yaml(before, goose_lines(v)); }}},
         {},
         false,
         0,
         "Goose takes no key from its config.yaml: `goose configure` (Configure Providers, OpenAI) keeps it in the "
         "keyring, and a session that runs is to be started anew",
         {},
         {"GOOSE_PROVIDER", "GOOSE_MODEL", "GOOSE_CONTEXT_LIMIT", "OPENAI_API_KEY", "OPENAI_HOST", "OPENAI_BASE_URL",
          "OPENAI_BASE_PATH"},
         true},
        {"continue",
         "~/.continue/config.yaml",
         yaml_of_continue,
         {{"CONTINUE_GLOBAL_DIR", ".continue", "config.yaml",
           [](const std::string& before, const Values& v) -> Result<std::string> {
               if (trim(before).empty() || before.starts_with("name: Tandem\n")) return yaml_of_continue(v);
               return fail(
                   ErrorCode::invalid,
                   "there are settings in the file already, and they were left as they are; put the entry of `models:` "
                   "that is printed without --write into it");
           }}},
         {}},
        {"kilo-code",
         "~/.config/kilo/kilo.json, which its extension reads too",
         [](const Values& v) { return json_text(opencode_settings(v)); },
         {{"XDG_CONFIG_HOME",
           ".config",
           "kilo/kilo.json",
           [](const std::string& before, const Values& v) { return change_jsonc(before, opencode_settings(v)); },
           {},
           true}},
         {}},
        {"pi",
         "~/.pi/agent/models.json, and ~/.pi/agent/settings.json for the model that it starts with",
         [](const Values& v) { return json_text(pi_models(v)) + "# settings.json\n" + json_text(pi_settings(v)); },
         {{"PI_CODING_AGENT_DIR", ".pi/agent", "models.json",
           [](const std::string& before, const Values& v) { return change_jsonc(before, pi_models(v)); }},
          {"PI_CODING_AGENT_DIR", ".pi/agent", "settings.json",
           [](const std::string& before, const Values& v) { return change_jsonc(before, pi_settings(v)); }}},
         {},
         false,
         0,
         "a key that Pi has for Tandem in its auth.json goes before this one. PI_OFFLINE=1 keeps Pi from asking pi.dev "
         "for new versions and lists of models"},
        {"kimi-code",
         "~/.kimi-code/config.toml",
         [](const Values& v) { return change_kimi("", v).value_or(""); },
         {{"KIMI_CODE_HOME", ".kimi-code", "config.toml",
           [](const std::string& before, const Values& v) { return change_kimi(before, v); }}},
         {},
         false,
         0,
         "Kimi Code sends usage data to its makers until telemetry = false stands at the top of its config.toml"},
        {"openclaw",
         "~/.openclaw/openclaw.json",
         [](const Values& v) { return json_text(openclaw_settings(v)); },
         {{"OPENCLAW_STATE_DIR", ".openclaw", "openclaw.json",
           [](const std::string& before, const Values& v) { return change_jsonc(before, openclaw_settings(v)); }}},
         {},
         false,
         0,
         "where agents.defaults.model is a word and no object, or the file is JSON5 that is no JSON, it is left as it "
         "is: "
         "put in what is printed"},
        {"zed",
         "~/.config/zed/settings.json; the key goes into Zed's settings page, or the variable TANDEM_API_KEY",
         [](const Values& v) { return json_text(zed_settings(v)) + fmt::format("# TANDEM_API_KEY: {}\n", v.key); },
         {{"XDG_CONFIG_HOME", ".config", "zed/settings.json",
           [](const std::string& before, const Values& v) { return change_jsonc(before, zed_settings(v)); }}},
         {},
         false,
         0,
         "Zed lists the model only once it has a key for Tandem (Settings > AI > LLM Providers); where this Tandem has "
         "no keys:, any text is one",
         {},
         {},
         true},
    };
}

}  // namespace tandem::cli
