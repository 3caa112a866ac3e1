#include "config/config.h"

#include <gtest/gtest.h>

namespace tandem::config {
namespace {

Environment env(std::vector<std::pair<std::string, std::string>> values = {}) {
    return [values = std::move(values)](const std::string& name) -> std::optional<std::string> {
        if (name == "HOME") return "/home/u";
        for (const auto& [key, value] : values)
            if (key == name) return value;
        return std::nullopt;
    };
}

std::string problems(const std::string& text) {
    auto config = parse(text, "tandem.yaml", env());
    return config ? "" : config.error().message;
}

const std::string kDesign = R"(
server: { listen: 127.0.0.1:7117 }
data: ~/.local/share/tandem
providers:
  home:   { kind: engine }
  lab:    { kind: openai, zone: local, base_url: http://127.0.0.1:8080/v1 }
  openai: { kind: openai, zone: cloud, base_url: https://api.openai.com/v1, api_key: ${OPENAI_API_KEY} }
models:
  smollm2: { provider: home, file: smollm2-135m-instruct-q4_1.gguf, context: 8192, slots: 2 }
  gpt:     { provider: openai, name: gpt-5.1, context: 400000, capabilities: [tools, vision, json, reasoning],
             price: { input: 1.25, cached_input: 0.125, output: 10.00 } }
aliases: { best: [gpt], small: [smollm2] }
policy: { preset: hybrid }
privacy:
  clearance: { local: secret, cloud: internal }
  detect: { email: internal, card: private, iban: private, credential: secret }
keys:
  alice: { secret: ${ALICE_KEY}, label: internal, aliases: [auto, local],
           budgets: [{ limit: 5.00, window: day }], limits: { rpm: 600, tpm: 200000, concurrency: 8 } }
currency: USD
)";

TEST(Config, is_read_without_secrets_where_a_command_asks_for_that_and_tells_what_it_lacks) {
    EXPECT_NE(problems(kDesign).find("OPENAI_API_KEY is not set"), std::string::npos);
    const auto config = parse(kDesign + "cache: { ttl: \"${TTL}\" }\n", "/etc/tandem.yaml", env(), Missing::left_out);
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_TRUE(config->provider("openai")->api_key->empty());
    EXPECT_TRUE(config->keys[0].secret->empty());
    ASSERT_EQ(config->unresolved.size(), 3U);
    EXPECT_EQ(config->unresolved[0].field, "providers.openai.api_key");
    EXPECT_EQ(config->unresolved[0].missing, "the environment variable OPENAI_API_KEY is not set");
    EXPECT_TRUE(config->unresolved[0].secret);
    EXPECT_EQ(config->unresolved[2].field, "cache.ttl");
    EXPECT_FALSE(config->unresolved[2].secret);
    // What is wrong is wrong all the same.
    EXPECT_FALSE(parse(kDesign + "modles: {}\n", "/etc/tandem.yaml", env(), Missing::left_out));
}

TEST(Config, reads_the_example_of_the_design) {
    const auto config =
        parse(kDesign, "/etc/tandem.yaml", env({{"OPENAI_API_KEY", "sk-1"}, {"ALICE_KEY", "alice-0123456789"}}));
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->data, "/home/u/.local/share/tandem");
    EXPECT_EQ(config->provider("openai")->api_key->reveal(), "sk-1");
    EXPECT_EQ(config->provider("openai")->clearance, Label::internal);
    EXPECT_EQ(config->provider("lab")->clearance, Label::secret);
    EXPECT_EQ(config->model("gpt")->price.cached_input.micros(), 125'000);
    EXPECT_TRUE(config->model("gpt")->capabilities->has(Capability::vision));
    EXPECT_TRUE(config->model("smollm2")->render_tools);
    ASSERT_EQ(config->keys.size(), 1U);
    EXPECT_EQ(config->keys[0].label, Label::internal);
    EXPECT_EQ(config->keys[0].budgets[0].limit.micros(), 5'000'000);
    EXPECT_EQ(config->keys[0].limits.concurrency, 8);
    EXPECT_FALSE(config->policy.rules.empty());
}

TEST(Config, an_empty_file_is_the_embedded_engine_with_the_hybrid_policy) {
    const auto config = parse("", {}, env());
    ASSERT_TRUE(config);
    EXPECT_EQ(config->models.at(0).id, "smollm2");
    EXPECT_EQ(config->policy.preset, "hybrid");
    EXPECT_EQ(config->server.port, 7117);
}

TEST(Config, an_error_names_file_line_column_what_was_expected_and_the_nearest_name) {
    EXPECT_EQ(problems("server:\n  lissten: 127.0.0.1:1\n").substr(0, 64),
              "tandem.yaml:2:3: unknown key 'lissten' in server; did you mean '");
    EXPECT_NE(problems("server:\n  lissten: 127.0.0.1:1\n").find("did you mean 'listen'"), std::string::npos);
    EXPECT_NE(problems("policy: { preset: hybrd }")
                  .find("tandem.yaml:1:19: policy.preset: no preset 'hybrd'; did you mean 'hybrid'?"),
              std::string::npos);
    EXPECT_NE(problems("privacy:\n  clearance: { cloud: intern }")
                  .find("tandem.yaml:2:23: privacy.clearance.cloud: expected one of public, internal, private, secret, "
                        "got 'intern'; did you mean 'internal'?"),
              std::string::npos);
    EXPECT_NE(problems("models: { a: { provider: hme } }\nproviders: { home: { kind: engine } }")
                  .find("no provider 'hme'; did you mean 'home'?"),
              std::string::npos);
    EXPECT_NE(problems("server: { limits: { body_bytes: lots } }").find("such as 16KiB or 32MiB, got 'lots'"),
              std::string::npos);
    EXPECT_NE(problems("server: [1]").find("must be a mapping"), std::string::npos);
    EXPECT_NE(problems("server: { listen: a").find("not valid YAML"), std::string::npos);
    EXPECT_NE(problems("currency: USD\ncurrency: EUR").find("stands twice"), std::string::npos);
}

TEST(Config, finds_all_errors_at_once) {
    const auto text = problems("server: { listen: nowhere }\ncurrency: dollars\nunknown: 1\n");
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2) << text;
}

TEST(Config, refuses_what_is_not_safe) {
    EXPECT_NE(problems("server: { listen: 0.0.0.0:7117 }").find("no API key"), std::string::npos);
    EXPECT_NE(problems("providers: { a: { kind: openai, base_url: http://x/v1 } }").find("'zone' is missing"),
              std::string::npos);
    EXPECT_NE(problems("providers: { a: { kind: engine, zone: cloud } }").find("its zone is local"), std::string::npos);
    EXPECT_NE(problems("providers: { a: { kind: openai, zone: cloud, base_url: 'http://u:p@x/v1' } }")
                  .find("without a query or a password"),
              std::string::npos);
    EXPECT_EQ(
        problems("providers: { a: { kind: openai, zone: cloud, base_url: 'http://u:hunter2@x/v1' } }").find("hunter2"),
        std::string::npos);
    EXPECT_NE(problems("keys: { a: { secret: short } }").find("shorter than 16"), std::string::npos);
    EXPECT_NE(problems("keys: { a: { secret: '${NOT_SET}' } }").find("NOT_SET is not set"), std::string::npos);
    EXPECT_NE(problems("providers: { h: { kind: engine } }\nmodels: { auto: { provider: h, file: x } }")
                  .find("exists already"),
              std::string::npos);
}

TEST(Config, reads_what_is_to_happen_with_private_content) {
    const std::string rest =
        "\nproviders: { a: { kind: openai, zone: cloud, base_url: 'http://h/v1' } }\nmodels: { m: { provider: a } }\n";
    const auto config = parse(
        "privacy:\n  own: { f: { words: [Falcon] }, e: { values: [${V}] } }\n  actions: { cloud: { private: redact, "
        "secret: "
        "block } }\n  placeholders: realistic\n  vault: { keeps: 2d }\n  answers: [{ from: local, in: tool_calls, "
        "label: "
        "private, do: stop }]\n" +
            rest,
        "tandem.yaml", env({{"V", "a-long-enough-value"}}));
    ASSERT_TRUE(config) << config.error().message;
    const auto& privacy = config->privacy;
    ASSERT_EQ(privacy.own.size(), 2U);
    EXPECT_EQ(privacy.own[0].label, Label::private_);
    EXPECT_EQ(privacy.own[1].label, Label::secret);
    EXPECT_EQ(privacy.treatments[1][2], Treatment::redact);
    EXPECT_EQ(privacy.treatments[1][3], Treatment::block);
    EXPECT_EQ(privacy.treatments[0][2], std::nullopt);
    EXPECT_TRUE(privacy.realistic);
    EXPECT_EQ(privacy.vault_keeps, std::chrono::hours(48));
    ASSERT_EQ(privacy.answers.size(), 1U);
    EXPECT_TRUE(privacy.answers[0].tool_calls_only);
    for (const auto& [text, message] : std::initializer_list<std::pair<std::string, std::string>>{
             {"privacy: { actions: { cloud: { private: allow } } }", "set clearance: { cloud: private }"},
             {"privacy: { actions: { cloud: { privat: redact } } }", "did you mean 'private'?"},
             {"privacy: { own: { x: { label: secret } } }", "nothing to look for"},
             {"privacy: { own: { x: { words: [a] } } }", "a word of one character"},
             {"privacy: { own: { x: { values: [short] } } }", "less than 8 characters"},
             {"privacy: { own: { x: { values_of: nowhere } } }", "cannot read"},
             {"privacy: { answers: [{ label: public, do: mask }] }", "everything is at least public"},
             {"privacy: { vault: { key: short } }", "shorter than 32"},
             {"keys: { a: { secret: 'sha256:12' } }", "64 hexadecimal digits"},
             {"keys: { a: { secret: 'credential:a' } }", "no systemd credentials"}})
        EXPECT_NE(problems(text + rest).find(message), std::string::npos) << text << ": " << problems(text + rest);
}

TEST(Config, expands_the_environment_with_defaults) {
    const auto config = parse("currency: ${CUR:-EUR}\ndata: /x/${WHERE}", {}, env({{"WHERE", "there"}}));
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->currency, "EUR");
    EXPECT_EQ(config->data, "/x/there");
}

TEST(Config, a_preset_printed_as_rules_is_the_same_policy) {
    for (const auto& preset : preset_names()) {
        const auto by_name = parse("policy: { preset: " + preset + " }", {}, env());
        ASSERT_TRUE(by_name);
        std::string indented;
        for (const char c : rules_as_yaml(by_name->policy)) {
            indented += c;
            if (c == '\n') indented += "  ";
        }
        const auto by_rules = parse("policy:\n  " + indented, {}, env());
        ASSERT_TRUE(by_rules) << by_rules.error().message;
        Policy rules = by_rules->policy;
        EXPECT_TRUE(rules.preset.empty());
        // Printed from the values, not from the text, it is a third way to say the same.
        const auto again = parse("policy:\n" + ("  " + rules_as_yaml(rules)), {}, env());
        EXPECT_EQ(by_name->policy.rules.size(), rules.rules.size());
        for (std::size_t i = 0; i < rules.rules.size(); ++i) {
            EXPECT_EQ(rules.rules[i].name, by_name->policy.rules[i].name);
            EXPECT_EQ(rules.rules[i].prefer, by_name->policy.rules[i].prefer);
            EXPECT_EQ(rules.rules[i].difficulty, by_name->policy.rules[i].difficulty);
        }
    }
}

}  // namespace
}  // namespace tandem::config
