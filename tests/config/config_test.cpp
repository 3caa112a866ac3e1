#include "config/config.h"

#include <gtest/gtest.h>
#include <pwd.h>
#include <unistd.h>

#include <cstdlib>

#include "config/names.h"

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

// Services and containers are often started without HOME (ollama/ollama#9945).
TEST(Environment, has_the_home_that_the_system_knows_of_the_user_where_home_is_not_set) {
    const char* const before = std::getenv("HOME");
    const std::string kept = before == nullptr ? "" : before;
    ASSERT_EQ(setenv("HOME", "/home/of/tests", 1), 0);
    EXPECT_EQ(process_environment()("HOME"), "/home/of/tests");
    ASSERT_EQ(unsetenv("HOME"), 0);
    const auto* const user = getpwuid(getuid());
    const auto home = process_environment()("HOME");
    if (before != nullptr) setenv("HOME", kept.c_str(), 1);
    ASSERT_NE(user, nullptr);
    EXPECT_EQ(home, std::string(user->pw_dir));
    EXPECT_FALSE(process_environment()("TANDEM_NO_SUCH_VARIABLE"));
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
    EXPECT_EQ(config->model("gpt")->price->cached_input.micros(), 125'000);
    EXPECT_TRUE(config->model("gpt")->capabilities->has(Capability::vision));
    EXPECT_TRUE(config->model("smollm2")->render_tools);
    ASSERT_EQ(config->keys.size(), 1U);
    EXPECT_EQ(config->keys[0].label, Label::internal);
    EXPECT_EQ(config->keys[0].budgets[0].limit->micros(), 5'000'000);
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

TEST(Config, sizes_and_times_have_units) {
    const auto config = parse(
        "providers: { p: { kind: openai, zone: local, base_url: 'http://127.0.0.1:9/v1', idle_timeout: 90 s } }\n"
        "models: { m: { provider: p } }\nkeys: { a: { secret: a-secret-0123456789, limits: { file_bytes: 1GiB, "
        "response_bytes: 2 TiB, conversation_bytes: 512 } } }",
        "tandem.yaml", env());
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->keys[0].limits.file_bytes, 1UL << 30);
    EXPECT_EQ(config->keys[0].limits.response_bytes, 2UL << 40);
    EXPECT_EQ(config->keys[0].limits.conversation_bytes, 512U);
    EXPECT_EQ(config->providers[0].idle_timeout, milliseconds(90'000));
    for (const auto* size : {"17TiB", "1GB", "GiB", "99999999999999999999TiB", "-1"})
        EXPECT_NE(
            problems("keys: { a: { secret: a-secret-0123456789, limits: { file_bytes: " + std::string(size) + " } } }")
                .find("expected a size from 0 to 17592186044416 bytes"),
            std::string::npos)
            << size;
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
    EXPECT_NE(problems("server: { limits: { body_bytes: lots } }").find("such as 16KiB, 32MiB or 1GiB, got 'lots'"),
              std::string::npos);
    EXPECT_NE(problems("server: [1]").find("must be a mapping"), std::string::npos);
    EXPECT_NE(problems("server: { listen: a").find("not valid YAML"), std::string::npos);
    EXPECT_NE(problems("server:\n\tlisten: a\n").find("indent with blanks"), std::string::npos);
    EXPECT_NE(problems("server: { listen: \"a }\nmodels: { m: { provider: p } }\n").find("a quote"), std::string::npos);
    EXPECT_NE(problems("providers:\n  p:\n    base_url: http://a.example: 1\n").find("needs quotes"),
              std::string::npos);
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
             {"privacy: { answers: [{ label: public, do: mask }] }", "expected one of internal, private, secret"},
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

TEST(Config, a_name_that_stands_twice_is_an_error_in_every_mapping_with_both_lines) {
    const std::string provider = "providers: { a: { kind: openai, zone: cloud, base_url: 'http://h/v1' } }\n";
    EXPECT_NE(problems(provider + "models:\n  gpt: { provider: a }\n  gpt: { provider: a, name: other }\n")
                  .find("tandem.yaml:4:3: models.gpt stands twice, in line 3 and here"),
              std::string::npos);
    EXPECT_NE(
        problems("providers:\n  a: { kind: engine }\n  \"a\": { kind: openai, zone: cloud, base_url: 'http://h/v1' }\n")
            .find("tandem.yaml:3:3: providers.a stands twice, in line 2 and here"),
        std::string::npos);
    for (const auto& [text, name] : std::initializer_list<std::pair<std::string, std::string>>{
             {"models: { m: { provider: a, context: 100, context: 200 } }", "models.m.context"},
             {"models: { m: { provider: a } }\naliases: { x: [m], x: [m] }", "aliases.x"},
             {"models: { m: { provider: a } }\nprivacy: { clearance: { cloud: public, cloud: private } }",
              "privacy.clearance.cloud"},
             {"models: { m: { provider: a } }\nprivacy: { own: { w: { words: [ab] }, w: { words: [cd] } } }",
              "privacy.own.w"},
             {"models: { m: { provider: a } }\nkeys: { k: { secret: 0123456789abcdef, budgets: [{ limit: 1, limit: 2 "
              "}] } }",
              "keys.k.budgets[0].limit"},
             {"models: { m: { provider: a } }\npolicy: { rules: [{ name: r, prefer: local, prefer: cloud }] }",
              "policy.rules[0].prefer"},
             {"models: { m: { provider: a } }\nmodels: { n: { provider: a } }", "models"}})
        EXPECT_NE(problems(provider + text).find(name + " stands twice"), std::string::npos)
            << text << ": " << problems(provider + text);
}

TEST(Config, a_second_document_in_the_file_is_an_error) {
    EXPECT_NE(
        problems("currency: USD\n---\nprivacy: { clearance: { cloud: public } }\n").find("a second document begins"),
        std::string::npos);
    EXPECT_EQ(problems("---\ncurrency: USD\n"), "");
}

TEST(SecondDocument, begins_at_a_mark_behind_content) {
    EXPECT_EQ(second_document("# mine\n\n---\ncurrency: USD\n...\n# no more\n"), std::nullopt);
    EXPECT_EQ(second_document("currency: USD\nprivacy: {}\n"), std::nullopt);
    EXPECT_EQ(second_document("text: |\n  ---\n  more\nnext: ---x\n"), std::nullopt);
    EXPECT_EQ(second_document("currency: USD\n--- # other\ndata: /x\n"), 2U);
    EXPECT_EQ(second_document("---\ncurrency: USD\n---\n"), 3U);
    EXPECT_EQ(second_document("currency: USD\n...\ndata: /x\n"), 3U);
}

TEST(Config, of_text_that_is_no_document_ends_in_an_error) {
    for (const auto* text : {",,,\n", ",=", "\xA9=", "[", "- a\n- b\n"}) EXPECT_NE(problems(text), "") << text;
}

TEST(Config, anchors_that_multiply_are_looked_at_once) {
    std::string text = "currency: USD\nx0: &x0 { a: 1, a: 2 }\n";
    for (int i = 1; i < 40; ++i)
        text += "x" + std::to_string(i) + ": &x" + std::to_string(i) + " [*x" + std::to_string(i - 1) + ", *x" +
                std::to_string(i - 1) + "]\n";
    const auto said = problems(text);
    EXPECT_NE(said.find("x0.a stands twice"), std::string::npos);
}

TEST(Config, a_model_may_be_kept_from_auto_or_be_a_fallback_only) {
    const std::string rest = "providers: { a: { kind: openai, zone: local, base_url: 'http://h/v1' } }\n";
    const auto config = parse(rest +
                                  "models: { m: { provider: a }, n: { provider: a, auto: false }, o: { provider: a, "
                                  "fallback: only }, p: { provider: a, auto: true } }",
                              "tandem.yaml", env());
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->model("m")->auto_use, AutoUse::yes);
    EXPECT_EQ(config->model("n")->auto_use, AutoUse::no);
    EXPECT_EQ(config->model("o")->auto_use, AutoUse::fallback_only);
    EXPECT_EQ(config->model("p")->auto_use, AutoUse::yes);
    EXPECT_NE(problems(rest + "models: { m: { provider: a, fallback: true } }").find("expected one of only"),
              std::string::npos);
    EXPECT_NE(problems(rest + "models: { m: { provider: a, auto: never } }").find("expected true or false"),
              std::string::npos);
    EXPECT_NE(problems(rest + "models: { m: { provider: a, auto: false, fallback: only } }").find("give one of them"),
              std::string::npos);
}

TEST(Config, aliases_may_have_a_star_and_stand_for_another) {
    const std::string rest =
        "providers: { a: { kind: openai, zone: cloud, base_url: 'http://h/v1' }, e: { kind: engine } }\n"
        "models: { m: { provider: a }, \"or/*\": { provider: a } }\n";
    const auto config =
        parse(rest +
                  "aliases: { strong: [m], \"claude-*\": strong, \"*\": auto, fixed: private }\n"
                  "keys: { k: { secret: 0123456789abcdef, aliases: [\"claude-*\", or/some-model, strong] } }",
              "tandem.yaml", env());
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->alias("claude-*")->means, "strong");
    EXPECT_EQ(config->alias("*")->means, "auto");
    EXPECT_EQ(config->alias("fixed")->means, "private");
    EXPECT_EQ(config->model("or/*")->name, "*");
    for (const auto& [text, message] : std::initializer_list<std::pair<std::string, std::string>>{
             {"aliases: { x: [auto, m] }", "'auto' is a choice of its own"},
             {"aliases: { x: [strnog], strong: [m] }", "no model or alias 'strnog'; did you mean 'strong'?"},
             {"aliases: { x: y, y: auto }", "'y' stands for 'auto' itself"},
             {"aliases: { x: \"y*\", \"y*\": [m] }", "stands for names of clients"},
             {"aliases: { x: [m, \"or/*\"] }", "stands for many models"},
             {"aliases: { x: }", "expected a list of models"},
             {"aliases: { auto: [m] }", "exists already"},
             {"aliases: { \"a b*\": [m] }", "has only letters"},
             {"keys: { k: { secret: 0123456789abcdef, aliases: [\"gpt-*\"] } }", "no alias or model 'gpt-*'"},
             {"aliases:\n  *: auto\n", "a name that begins with * needs quotes"},
             {"policy: { objective: { embedding: \"or/*\" } }", "no model that claims"}})
        EXPECT_NE(problems(rest + text).find(message), std::string::npos) << text << ": " << problems(rest + text);
    EXPECT_NE(problems("providers: { e: { kind: engine } }\nmodels: { \"x*\": { provider: e, file: f } }")
                  .find("runs one file"),
              std::string::npos);
    EXPECT_NE(
        problems(
            "providers: { a: { kind: openai, zone: cloud, base_url: 'http://h/v1' } }\nmodels: { \"x*\": { provider: "
            "a, name: y } }")
            .find("needs one *"),
        std::string::npos);
}

TEST(Names, the_most_specific_pattern_stands_for_a_name) {
    EXPECT_TRUE(matches("claude-*", "claude-sonnet-4-5"));
    EXPECT_TRUE(matches("*sonnet*", "us.anthropic.claude-sonnet-4-5-v1:0"));
    EXPECT_TRUE(matches("*", ""));
    EXPECT_FALSE(matches("claude-*", "Claude-x"));
    EXPECT_FALSE(matches("a*b*c", "acb"));
    EXPECT_EQ(rest_of("or/*", "or/openai/gpt-5.1"), "openai/gpt-5.1");
    EXPECT_EQ(rest_of("x-*-y", "x-a-b-y"), "a-b");
    const std::vector<std::string_view> patterns = {"*", "claude-*", "exact", "claude-opus-*", "*-opus-*x"};
    EXPECT_EQ(most_specific(patterns, "claude-opus-4x"), 3U);
    EXPECT_EQ(most_specific(patterns, "claude-sonnet"), 1U);
    EXPECT_EQ(most_specific(patterns, "gpt"), 0U);
    EXPECT_EQ(most_specific({"exact"}, "exact"), std::nullopt);
    // Many stars end soon, too.
    EXPECT_FALSE(matches(std::string(50, '*') + "b", std::string(20'000, 'a')));
}

}  // namespace
}  // namespace tandem::config
