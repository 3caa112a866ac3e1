// models: what is asked, and what its owner says of it.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "config/names.h"
#include "config/reader.h"

namespace tandem::config {

namespace {

constexpr std::array<std::string_view, 3> kToolsNames = {"native", "rendered", "refuse"};
constexpr std::array<std::string_view, 1> kFallbackNames = {"only"};

void read_price(Section& s, Model& model) {
    s.section("price",
              About("what it costs, for a million tokens each. The owner's price goes before the price book's, which "
                    "still says the fees (searches, requests) and the rates of caches that are kept for long, unless "
                    "`input` and `output` are 0")
                  .see("prices.md#what-the-ledger-books"),
              [&](Section& price) {
                  auto& own = model.price.emplace();
                  price.money("input", own.input, "what goes in");
                  price.money("output", own.output, "what comes out");
                  own.cached_input = own.input;
                  price.money("cached_input", own.cached_input, {"out of a provider's cache", "as `input`"});
                  price.money("cache_write", own.cache_write, kMostMoney, {"into it", "the book's, else as `input`"});
              });
}

void read_capabilities(Section& s, Model& model) {
    const auto places =
        s.choices("capabilities", kCapabilityNames,
                  "what it can do. A model of a server without this is taken to be able to talk, use tools, see and "
                  "write JSON. `embeddings` and `rerank` must be claimed, and a model that claims one of them talks "
                  "only if it claims `chat` too");
    if (!places) return;
    auto& capabilities = model.capabilities.emplace();
    for (const auto place : *places) capabilities.add(static_cast<Capability>(place));
    if (!capabilities.has(Capability::embeddings) && !capabilities.has(Capability::rerank))
        capabilities.add(Capability::chat);
}

// Who makes tool calls where the model's chat template knows no tools.
void read_tools(Section& s, bool llama, Model& model) {
    std::optional<int> tools;
    s.choice("tools", tools, kToolsNames,
             {"for engines and `llama-server`, where the model's chat template has no tools: `rendered` puts them into "
              "the prompt and holds the answer to a schema, `native` says that the template has them, `refuse`",
              "rendered"});
    if (tools && !llama) s.complain("tools", "only models of engines and of llama-server have it");
    if (!llama || !model.capabilities->has(Capability::chat)) return;
    if (tools == 0) model.capabilities->add(Capability::tools);
    if (tools == 2 || model.capabilities->has(Capability::tools)) return;
    model.render_tools = true;
    model.capabilities->add(Capability::tools);
}

void read_auto_use(Section& s, Model& model) {
    bool use = true;
    s.flag(
        "auto", use,
        "`false`: `auto`, `local`, `cloud` and `private` never choose it. By its own name and by an alias that lists "
        "it, it is asked all the same");
    std::optional<int> fallback;
    s.choice("fallback", fallback, kFallbackNames, "these choose it only where no other model may take the request");
    if (!use && fallback)
        s.complain("fallback", "says that `auto` may use it, and `auto: false` that it may not; give one of them");
    model.auto_use = !use ? AutoUse::no : fallback ? AutoUse::fallback_only : AutoUse::yes;
}

void read_engine_keys(Section& s, bool command, Model& model) {
    s.text("file", model.file,
           About("of an engine: GGUF, absolute, or beside the config, in `data/models`, in the cache; a name of "
                 "`tandem model list`")
               .such_as("smollm2-135m-instruct-q4_1.gguf")
               .required_where("for an engine", !command));
    s.number("slots", model.slots, 1, 64, "of an engine: requests at once; each has the whole `context`");
    s.duration("idle_unload", model.idle_unload, "of an engine: unloaded after that time without a request");
    s.duration("load_timeout", model.load_timeout, "of an engine: how long loading may take");
    s.flag("preload", model.preload,
           "of an engine: loaded when Tandem starts, and again once it made room for another, where there is "
           "room");
    s.flag("pin", model.pin, "of an engine: loaded when Tandem starts, and never unloaded for another or when idle");
    s.name("group", model.group, "of an engine: loaded and unloaded together with the others of that group");
    if (command) return;
    s.texts("args", model.args, "of an engine: further arguments of llama-server");
    for (const std::string_view taken : {"--host", "--port", "--reuse-port"})
        if (std::ranges::find(model.args, taken) != model.args.end())
            s.complain("args", fmt::format("an engine listens on a socket of Tandem's alone: take out {}", taken));
    if (model.context_tokens == 0) model.context_tokens = 4096;
}

}  // namespace

void read_model(const std::string& id, Section& s, Config& config) {
    Model model;
    model.id = id;
    const bool pattern = is_pattern(id);
    if (!good_pattern(id) || std::ranges::count(id, '*') > 1)
        s.complain(
            "a model's name has only letters, digits and . _ : / -, and one * where it stands for all models of "
            "its provider");
    for (const auto reserved : kReservedAliases)
        if (id == reserved) s.complain(fmt::format("'{}' is an alias that exists already; choose another name", id));
    s.text("provider", model.provider, About("a name of `providers`").required());
    const Provider* provider = config.provider(model.provider);
    if (provider == nullptr && !model.provider.empty())
        s.complain("provider", fmt::format("no provider '{}'{}", printable(model.provider, 60),
                                           suggest(model.provider, ids(config.providers))));
    std::string given = pattern ? "*" : id;
    if (s.describing()) given.clear();
    s.text("name", given, {"what the provider calls it", "NAME"});
    if (!s.describing()) model.name = given;
    if (pattern && std::ranges::count(model.name, '*') != 1)
        s.complain("name", fmt::format("needs one *, where what stands for that of '{}' goes", printable(id, 60)));
    if (pattern && provider != nullptr && provider->kind->runs_here)
        s.complain("an engine runs one file: give the model a name without *");
    read_auto_use(s, model);
    s.number("context", model.context_tokens, 64, 100'000'000,
             {"tokens of prompt and answer together. Required for `ollama`, which cuts what is longer without a word",
              "4096 for an engine, else not checked"});
    read_capabilities(s, model);
    read_price(s, model);
    s.number("max_output", model.max_output_tokens, 1, 100'000'000,
             "the most tokens that it answers with, as its provider says");
    s.share("quality", model.quality, 0, 1,
            "how often its answers are good at ordinary work, in your opinion. Goes before the table that ships, and "
            "before its size");
    s.flag("prefill", model.prefill,
           {"whether it goes on with an answer whose beginning it is given, for `on_cut: continue`",
            "true for engines, llama-server, Ollama and Anthropic"});
    const bool command = provider != nullptr && provider->kind->runs_command;
    if (s.describing() || (provider != nullptr && provider->kind->runs_here)) read_engine_keys(s, command, model);
    if (s.describing() || command) read_command(s, command, config, model);
    if (provider != nullptr && provider->kind->cuts_prompts && model.context_tokens == 0)
        s.complain(
            fmt::format("'context' is missing: {} cuts what is longer than its own setting without a word, so Tandem "
                        "must know how much to ask for and what fits",
                        provider->kind->product));
    const bool llama = provider != nullptr && provider->kind->holds_to_grammar;
    if (llama && !model.capabilities) {
        // It constrains JSON by grammar with any model; tools need a chat template that knows them (HAZARDS 14).
        model.capabilities = Capabilities{};
        model.capabilities->add(Capability::json);
        model.capabilities->add(Capability::chat);
    }
    read_tools(s, llama, model);
    s.section("limits", "of all that ask it", [&](Section& limits) { read_rates(limits, model.limits); });
    config.models.push_back(std::move(model));
}

}  // namespace tandem::config
