#include <fmt/format.h>

#include <algorithm>

#include "cli/connect/rows.h"

namespace tandem::cli {

namespace {

using config::Capability;

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
        "{{ default: [{}], fetch: true }}\n  titleConvo: true\n  titleModel: {}\n  modelDisplayLabel: \"Tandem\"\n"
        "  tokenConfig: {{ {}: {{ prompt: 0, completion: 0, context: {} }} }}\n",
        in_json(v.key), v.url, in_json(v.model), in_json(v.model), in_json(v.model), v.context);
}

// A word of a shell, in quotes where it needs them.
std::string in_shell(std::string_view text) {
    const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("-_.:/@%+,").find(c) != std::string_view::npos;
    };
    if (!text.empty() && std::ranges::all_of(text, plain)) return std::string(text);
    std::string out = "'";
    for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return out + "'";
}

std::string cline_text(const Values& v) {
    return fmt::format(
        "API Provider:    OpenAI Compatible\nBase URL:        {}/v1\nAPI Key:         {}\nModel ID:        {}\n"
        "Model Configuration: Context Window Size {}, Max Output Tokens {}, Supports Images {}\n"
        "Its command line:    cline auth -p openai-compatible -b {}/v1 -k {} -m {}\n",
        v.url, v.key, v.model, v.context, v.usual_output, v.has(Capability::vision) ? "yes" : "no", v.url,
        in_shell(v.key), in_shell(v.model));
}

std::string llm_text(const Values& v) {
    return fmt::format(
        "# extra-openai-models.yaml in the folder that `llm logs path` names\n- model_id: tandem\n  model_name: {}\n  "
        "api_base: {}/v1\n  api_key_name: tandem\n  supports_tools: {}\n  supports_schema: {}\n  vision: {}\n"
        "# and: llm keys set tandem --value {}\n",
        in_json(v.model), v.url, truth(v.has(Capability::tools)), truth(v.has(Capability::json)),
        truth(v.has(Capability::vision)), v.key);
}

// The prompt and the answer share the context, and each variable stands for its own part.
std::string copilot_text(const Values& v) {
    return fmt::format(
        "export COPILOT_PROVIDER_BASE_URL={}/v1\nexport COPILOT_PROVIDER_API_KEY={}\nexport COPILOT_MODEL={}\n"
        "export COPILOT_PROVIDER_MAX_PROMPT_TOKENS={}\nexport COPILOT_PROVIDER_MAX_OUTPUT_TOKENS={}\n"
        "export COPILOT_OFFLINE=true\n",
        v.url, in_shell(v.key), in_shell(v.model), v.context - v.usual_output, v.usual_output);
}

std::string vscode_text(const Values& v) {
    return fmt::format(
        "[{{ \"name\": \"Tandem\", \"vendor\": \"customendpoint\", \"apiKey\": {}, \"apiType\": \"chat-completions\",\n"
        "   \"models\": [{{ \"id\": {}, \"name\": {}, \"url\": {},\n"
        "     \"toolCalling\": {}, \"vision\": {}, \"thinking\": {}, \"maxInputTokens\": {}, \"maxOutputTokens\": {} "
        "}}] }}]\n",
        in_json(v.key), in_json(v.model), in_json("Tandem " + v.model), in_json(v.url + "/v1/chat/completions"),
        truth(v.has(Capability::tools)), truth(v.has(Capability::vision)), truth(v.has(Capability::reasoning)),
        v.context - v.usual_output, v.usual_output);
}

std::string vibe_text(const Values& v) {
    return fmt::format(
        "# ~/.vibe/config.toml: the first line above all tables\nactive_model = \"tandem\"\n\n[[providers]]\n"
        "name = \"tandem\"\napi_base = {}\napi_key_env_var = \"TANDEM_API_KEY\"\napi_style = \"openai\"\n"
        "backend = \"generic\"\n\n[[models]]\nname = {}\nprovider = \"tandem\"\nalias = \"tandem\"\n"
        "supports_images = {}\nmax_context_length = {}\nmax_output_tokens = {}\n# ~/.vibe/.env\nTANDEM_API_KEY={}\n",
        in_json(v.url + "/v1"), in_json(v.model), truth(v.has(Capability::vision)), v.context, v.usual_output, v.key);
}

// It asks for this many tokens of context with every request, and a model with fewer would be passed over.
std::string home_assistant_text(const Values& v) {
    constexpr std::int64_t kUsual = 8'192;
    return fmt::format(
        "URL:                  {}\nAPI Key:              {}\nModel:                {}\n"
        "Context window size:  {}\n",
        v.url, v.key, v.model, std::min(v.context, kUsual));
}

}  // namespace

std::vector<Client> printed_clients() {
    return {
        {"cline",
         "its settings in VS Code, which Zoo Code (once Roo Code) has too; its command line shares them",
         cline_text,
         {},
         {}},
        {"copilot",
         "a shell, or its profile: GitHub Copilot's command line has no file for them",
         copilot_text,
         {},
         {},
         false,
         12'000,
         "COPILOT_OFFLINE=true keeps it from asking GitHub for anything, telemetry included, and takes its web tools "
         "away: leave it out to keep those"},
        {"vscode",
         "chatLanguageModels.json of VS Code: Chat: Manage Language Models > Add Models > Custom Endpoint opens it",
         vscode_text,
         {},
         {},
         false,
         0,
         "titles, commit messages and other small work go to no model, or to GitHub's, until chat.utilityModel and "
         "chat.utilitySmallModel in settings.json name this one. VS Code shows a model that has no tools in no list of "
         "an "
         "agent"},
        {"vibe",
         "~/.vibe/config.toml of Mistral Vibe, and ~/.vibe/.env for the key",
         vibe_text,
         {},
         {},
         false,
         0,
         "Vibe sends usage data to its makers until enable_telemetry = false stands in its config.toml"},
        {"jetbrains",
         "Settings > Tools > AI Assistant > Providers & API keys: an OpenAI-compatible provider",
         [](const Values& v) {
             return fmt::format("Base URL:  {}/v1\nKey:       {}\nModel:     {}\n", v.url, v.key, v.model);
         },
         {},
         {},
         false,
         0,
         "one entry is one model. Completion in the editor and some other features stay with JetBrains' own service"},
        {"obsidian-copilot",
         "Settings > Copilot: a model of the provider 3rd party (openai-format), or in version 4 BYOK > Add a provider",
         [](const Values& v) {
             return fmt::format(
                 "Model:     {}\nProvider:  3rd party (openai-format)\nBase URL:  {}/v1\nAPI Key:   {}\n", v.model,
                 v.url, v.key);
         },
         {},
         {},
         false,
         0,
         "leave CORS off in the form of the model, since it takes streaming away: put app://obsidian.md under "
         "server.cors: in tandem.yaml instead"},
        {"open-webui",
         "environment of the container, or Admin > Settings > Connections",
         [](const Values& v) {
             return fmt::format(
                 "OPENAI_API_BASE_URL={}/v1\nOPENAI_API_KEY={}\nENABLE_OLLAMA_API=false\nDEFAULT_MODELS={}\n", v.url,
                 v.key, v.model);
         },
         {},
         {},
         true,
         0,
         "Open WebUI takes these from its environment at its first start alone, and from its database ever after: one "
         "that has started before is changed in Admin > Settings > Connections, or started with "
         "ENABLE_PERSISTENT_CONFIG=False"},
        {"librechat", "librechat.yaml, which is read when LibreChat starts", librechat_text, {}, {}, true},
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
         {},
         false,
         0,
         "Cursor asks from its own servers, so that it needs a public https:// address (--url). It takes models of "
         "yours in a paid plan, for chat and not for Tab"},
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
         "Settings > Devices & services > Add integration > Ollama; Model and Context window size are the "
         "conversation agent's",
         home_assistant_text,
         {},
         {},
         true,
         0,
         "take a model from the list that stands there as downloaded, or type an alias of yours: for any other name "
         "Home "
         "Assistant asks for a download, which fails. A Home Assistant without a field for the API Key is too old for "
         "a Tandem with keys:"},
        {"langchain", "Python, with langchain-openai", langchain_text, {}, {}},
        {"python", "with openai", python_text, {}, {}},
        {"curl", "a shell", curl_text, {}, {}},
    };
}

}  // namespace tandem::cli
