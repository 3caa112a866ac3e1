// aliases: names that stand for models.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "config/names.h"
#include "config/reader.h"

namespace tandem::config {

namespace {

void check_model_of_alias(const std::string& id, const std::string& model, Section& s, const Config& config) {
    if (is_reserved(model))
        s.complain(id, fmt::format("'{}' is a choice of its own: write it alone, or list models", model));
    else if (config.model(model) == nullptr)
        s.complain(id, fmt::format("no model '{}'{}", printable(model, 60), suggest(model, ids(config.models))));
    else if (is_pattern(model))
        s.complain(id, fmt::format("'{}' stands for many models; give the one that you mean a name of its own under "
                                   "'models:'",
                                   printable(model, 60)));
}

void read_alias(const std::string& id, Alias alias, Section& s, Config& config) {
    if (is_reserved(id)) s.complain(id, "this alias exists already; choose another name");
    if (config.model(id) != nullptr) s.complain(id, "a model has this name; each model's name is an alias already");
    if (!good_pattern(id)) s.complain(id, "an alias has only letters, digits and . _ : / -, and * for any text");
    if (alias.models.empty())
        s.complain(id, "expected a list of models such as [gpt, smollm2], or the name of one alias such as auto");
    // One that is no model is the name of another alias, which may follow in the file.
    if (alias.models.size() == 1 && config.model(alias.models[0]) == nullptr) {
        alias.means = std::move(alias.models[0]);
        alias.models.clear();
    }
    for (const auto& model : alias.models) check_model_of_alias(id, model, s, config);
    alias.id = id;
    config.aliases.push_back(std::move(alias));
}

// What an alias stands for, once all are read: a reserved one, or one that lists models.
void check_meaning(const Alias& alias, Section& s, const Config& config) {
    if (alias.means.empty() || is_reserved(alias.means)) return;
    const auto* other = config.alias(alias.means);
    auto names = all_names(config);
    std::erase(names, alias.id);
    std::erase_if(names, is_pattern);
    if (other == nullptr)
        s.complain(alias.id,
                   fmt::format("no model or alias '{}'{}", printable(alias.means, 60), suggest(alias.means, names)));
    else if (is_pattern(other->id))
        s.complain(alias.id, fmt::format("'{}' stands for names of clients, not for models", other->id));
    else if (!other->means.empty())
        s.complain(alias.id, fmt::format("'{}' stands for '{}' itself; write that", other->id, other->means));
}

void read_either(const std::string& id, Section& s, const Config& config, Alias& alias) {
    const About models("models in your order, or the name of one other alias (`fixed: auto`)");
    if (s.describing() || s.is_section(id))
        s.section(id, "the same, with more to say", [&](Section& one) {
            one.texts("models", alias.models, models.required());
            one.texts("context", alias.context,
                      About("collections in which what is asked is looked for", "none")
                          .such_as("notes")
                          .see("concepts/asking.md"));
            one.section("limits", "of all that ask by this name",
                        [&](Section& limits) { read_rates(limits, alias.limits); });
            one.section("failure", "goes before a rule's and the policy's",
                        [&](Section& failure) { read_failure(failure, alias.failure.emplace(config.policy.failure)); });
        });
    if (s.describing()) alias.models.clear();
    if (s.describing() || !s.is_section(id)) s.texts(id, alias.models, models);
}

}  // namespace

// Names that a client may send, and patterns that stand for some.
std::vector<std::string> all_names(const Config& config) {
    std::vector<std::string> names(kReservedAliases.begin(), kReservedAliases.end());
    for (const auto& id : ids(config.aliases)) names.push_back(id);
    for (const auto& id : ids(config.models)) names.push_back(id);
    return names;
}

void read_aliases(Section& s, Config& config) {
    for (const auto& id : s.keys()) {
        Alias alias;
        read_either(id, s, config, alias);
        read_alias(id, std::move(alias), s, config);
    }
    for (const auto& alias : config.aliases) check_meaning(alias, s, config);
}

// A key may name what is there, and a name that a pattern stands for.
void check_key_aliases(const Key& key, Section& root, const Config& config) {
    const auto names = all_names(config);
    const std::vector<std::string_view> patterns(names.begin(), names.end());
    for (const auto& alias : key.aliases)
        if (std::ranges::find(names, alias) == names.end() && (is_pattern(alias) || !most_specific(patterns, alias)))
            root.complain("keys", fmt::format("{}: no alias or model '{}'{}", key.id, printable(alias, 60),
                                              suggest(alias, names)));
}

}  // namespace tandem::config
