#include "cli/connect/clients.h"

#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "cli/connect/jsonc.h"
#include "cli/connect/lines.h"

namespace tandem::cli {

namespace {

using config::Capability;

std::string in_json(std::string_view text) {
    return json::quoted(text);
}

const char* truth(bool flag) {
    return flag ? "true" : "false";
}

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
    return change_toml(before,
                       {{"model", in_json(v.model)},
                        {"model_provider", "\"tandem\""},
                        {"model_context_window", std::to_string(v.context)}},
                       "model_providers.tandem",
                       {{"name", "\"Tandem\""},
                        {"base_url", in_json(v.url + "/v1")},
                        {"wire_api", "\"responses\""},
                        {"experimental_bearer_token", in_json(v.key)}});
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

// ---- Zed: zed.dev/docs/ai/llm-providers ----

std::vector<Setting> zed_settings(const Values& v) {
    const auto models = fmt::format(
        "[{{ \"name\": {}, \"display_name\": {}, \"max_tokens\": {}, \"max_output_tokens\": {}, \"capabilities\": {{ "
        "\"tools\": {}, \"images\": {}, \"parallel_tool_calls\": false, \"prompt_cache_key\": false }} }}]",
        in_json(v.model), in_json("Tandem " + v.model), v.context, v.output, truth(v.has(Capability::tools)),
        truth(v.has(Capability::vision)));
    return {{{"language_models", "openai_compatible", "Tandem", "api_url"}, in_json(v.url + "/v1")},
            {{"language_models", "openai_compatible", "Tandem", "available_models"}, models}};
}

// ---- Crush: github.com/charmbracelet/crush ----

std::vector<Setting> crush_settings(const Values& v) {
    const auto models = fmt::format(
        "[{{ \"id\": {}, \"name\": {}, \"context_window\": {}, \"default_max_tokens\": {}, \"can_reason\": {}, "
        "\"supports_attachments\": {} }}]",
        in_json(v.model), in_json("Tandem " + v.model), v.context, v.output, truth(v.has(Capability::reasoning)),
        truth(v.has(Capability::vision)));
    return {{{"providers", "tandem", "name"}, "\"Tandem\""},
            {{"providers", "tandem", "type"}, "\"openai-compat\""},
            {{"providers", "tandem", "base_url"}, in_json(v.url + "/v1")},
            {{"providers", "tandem", "api_key"}, in_json(v.key)},
            {{"providers", "tandem", "models"}, models}};
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

// ---- Gemini CLI and Qwen Code ----

Lines gemini_lines(const Values& v) {
    return {{"GEMINI_API_KEY", v.key}, {"GOOGLE_GEMINI_BASE_URL", v.url}, {"GEMINI_MODEL", v.model}};
}
Lines qwen_lines(const Values& v) {
    return {{"OPENAI_API_KEY", v.key}, {"OPENAI_BASE_URL", v.url + "/v1"}, {"OPENAI_MODEL", v.model}};
}
Result<std::string> select_auth(const std::string& before, std::string_view type) {
    return change_jsonc(before, {{{"security", "auth", "selectedType"}, in_json(type)}});
}

// ---- goose: goose-docs.ai/docs/guides/config-files ----

Lines goose_lines(const Values& v) {
    return {{"GOOSE_PROVIDER", "openai"},
            {"GOOSE_MODEL", v.model},
            {"OPENAI_HOST", v.url},
            {"OPENAI_BASE_PATH", "v1/chat/completions"},
            {"GOOSE_CONTEXT_LIMIT", std::to_string(v.context)}};
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
        in_json(v.model), v.url, in_json(v.key), join(can, ", "), v.context, v.output);
}

// ---- settings that are printed alone ----

std::string curl_text(const Values& v) {
    return fmt::format(
        "curl -N {}/v1/chat/completions -H 'content-type: application/json' -H \"authorization: Bearer {}\" \\\n"
        "  -d '{{\"model\": \"{}\", \"stream\": true, \"messages\": [{{\"role\": \"user\", \"content\": "
        "\"Hello\"}}]}}'\n",
        v.url, v.key_hidden ? "$TANDEM_API_KEY" : v.key, v.model);
}

std::string python_key(const Values& v) {
    return v.key_hidden ? "os.environ[\"TANDEM_API_KEY\"]" : in_json(v.key);
}

std::string python_text(const Values& v) {
    return fmt::format(
        "{}from openai import OpenAI\n\nclient = OpenAI(base_url=\"{}/v1\", api_key={})\nanswer = "
        "client.chat.completions.create(model=\"{}\", messages=[{{\"role\": \"user\", \"content\": \"Hello\"}}])\n"
        "print(answer.choices[0].message.content)\n",
        v.key_hidden ? "import os\n" : "", v.url, python_key(v), v.model);
}

std::string langchain_text(const Values& v) {
    return fmt::format(
        "{}from langchain_openai import ChatOpenAI\n\nmodel = ChatOpenAI(base_url=\"{}/v1\", api_key={}, "
        "model=\"{}\")\n",
        v.key_hidden ? "import os\n" : "", v.url, python_key(v), v.model);
}

std::string librechat_text(const Values& v) {
    return fmt::format(
        "# librechat.yaml, below endpoints: custom:\n- name: \"Tandem\"\n  apiKey: {}\n  baseURL: \"{}/v1\"\n  models: "
        "{{ default: [{}], fetch: true }}\n  titleConvo: true\n  titleModel: {}\n  modelDisplayLabel: \"Tandem\"\n",
        in_json(v.key), v.url, in_json(v.model), in_json(v.model));
}

std::string cline_text(const Values& v) {
    return fmt::format(
        "API Provider:    OpenAI Compatible\nBase URL:        {}/v1\nAPI Key:         {}\nModel ID:        {}\n"
        "Model Configuration: Context Window Size {}, Max Output Tokens {}, Supports Images {}\n",
        v.url, v.key, v.model, v.context, v.output, v.has(Capability::vision) ? "yes" : "no");
}

std::string llm_text(const Values& v) {
    return fmt::format(
        "# extra-openai-models.yaml in the folder that `llm logs path` names\n- model_id: tandem\n  model_name: {}\n  "
        "api_base: {}/v1\n  api_key_name: tandem\n  supports_tools: {}\n  vision: {}\n# and: llm keys set tandem "
        "--value "
        "{}\n",
        in_json(v.model), v.url, truth(v.has(Capability::tools)), truth(v.has(Capability::vision)), v.key);
}

}  // namespace

// The names in `taken` are those that the programs resolve themselves.
std::span<const Client> clients() {
    static const std::vector<Client> list = {
        {"claude-code",
         "~/.claude/settings.json",
         [](const Values& v) { return json_text(claude_settings(v)); },
         {{"CLAUDE_CONFIG_DIR", ".claude", "settings.json",
           [](const std::string& before, const Values& v) { return change_jsonc(before, claude_settings(v)); }}},
         {"default", "best", "sonnet", "opus", "haiku", "fable", "opusplan"},
         false,
         true,
         22'000},
        {"codex",
         "~/.codex/config.toml",
         [](const Values& v) { return change_codex("", v).value_or(""); },
         {{"CODEX_HOME", ".codex", "config.toml",
           [](const std::string& before, const Values& v) { return change_codex(before, v); }}},
         {},
         false,
         true,
         11'000},
        {"opencode",
         "~/.config/opencode/opencode.json",
         [](const Values& v) { return json_text(opencode_settings(v)); },
         {{"XDG_CONFIG_HOME", ".config", "opencode/opencode.json",
           [](const std::string& before, const Values& v) { return change_jsonc(before, opencode_settings(v)); }}},
         {}},
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
         true,
         10'000,
         "Gemini CLI reads ~/.gemini/.env only in folders that it trusts, and without it would ask Google: "
         "security.folderTrust.enabled: false lets it. To keep its question for each folder, take that line out again, "
         "and export the variables in your shell instead",
         "gemini-2.5-flash"},
        {"qwen-code",
         "~/.qwen/.env, and security.auth.selectedType: openai in ~/.qwen/settings.json",
         [](const Values& v) { return change_env("", qwen_lines(v)); },
         {{"", ".qwen", ".env",
           [](const std::string& before, const Values& v) -> Result<std::string> {
               return change_env(before, qwen_lines(v));
           }},
          {"", ".qwen", "settings.json",
           [](const std::string& before, const Values&) { return select_auth(before, "openai"); }}},
         {}},
        {"crush",
         "~/.config/crush/crush.json",
         [](const Values& v) { return json_text(crush_settings(v)); },
         {{"XDG_CONFIG_HOME", ".config", "crush/crush.json",
           [](const std::string& before, const Values& v) { return change_jsonc(before, crush_settings(v)); }}},
         {}},
        {"goose",
         "~/.config/goose/config.yaml; the key goes into `goose configure` or the variable OPENAI_API_KEY",
         [](const Values& v) { return change_yaml("", goose_lines(v)).value_or(""); },
         {{"XDG_CONFIG_HOME", ".config", "goose/config.yaml",
           [](const std::string& before, const Values& v) { return change_yaml(before, goose_lines(v)); }}},
         {}},
        {"continue",
         "~/.continue/config.yaml",
         yaml_of_continue,
         {{"", ".continue", "config.yaml",
           [](const std::string& before, const Values& v) -> Result<std::string> {
               if (trim(before).empty() || before.starts_with("name: Tandem\n")) return yaml_of_continue(v);
               return fail(
                   ErrorCode::invalid,
                   "there are settings in the file already, and they were left as they are; put the entry of `models:` "
                   "that is printed without --write into it");
           }}},
         {}},
        {"zed",
         "~/.config/zed/settings.json; the key goes into Zed's settings page, or the variable TANDEM_API_KEY",
         [](const Values& v) { return json_text(zed_settings(v)); },
         {{"XDG_CONFIG_HOME", ".config", "zed/settings.json",
           [](const std::string& before, const Values& v) { return change_jsonc(before, zed_settings(v)); }}},
         {}},
        {"cline", "its settings in VS Code (Roo Code and Kilo Code have the same)", cline_text, {}, {}},
        {"open-webui",
         "environment of the container, or Admin > Settings > Connections",
         [](const Values& v) {
             return fmt::format("OPENAI_API_BASE_URL={}/v1\nOPENAI_API_KEY={}\nENABLE_OLLAMA_API=false\n", v.url,
                                v.key);
         },
         {},
         {},
         true},
        {"librechat", "librechat.yaml", librechat_text, {}, {}, true},
        {"llm", "the llm command", llm_text, {}, {}},
        {"cursor",
         "Settings > Models > API Keys: OpenAI API Key, Override OpenAI Base URL (it must be reachable from Cursor's "
         "servers)",
         [](const Values& v) {
             return fmt::format(
                 "OpenAI API Key:            {}\nOverride OpenAI Base URL:  {}/v1\nAdd model:                 {}\n",
                 v.key, v.url, v.model);
         },
         {},
         {}},
        {"n8n",
         "Credentials > OpenAI",
         [](const Values& v) {
             return fmt::format("API Key:   {}\nBase URL:  {}/v1\nModel:     {} (in the node, by id)\n", v.key, v.url,
                                v.model);
         },
         {},
         {},
         true},
        {"home-assistant",
         "Settings > Devices & services > Add integration > Ollama",
         [](const Values& v) { return fmt::format("URL:    {}\nModel:  {}\n", v.url, v.model); },
         {},
         {},
         true,
         false},
        {"langchain", "Python, with langchain-openai", langchain_text, {}, {}},
        {"python", "with openai", python_text, {}, {}},
        {"curl", "a shell", curl_text, {}, {}},
    };
    return list;
}

}  // namespace tandem::cli
