// tandem config: what may stand in tandem.yaml, for editors and for people.
#include <fmt/format.h>

#include "base/text.h"
#include "cli/cli.h"
#include "config/about.h"

namespace tandem::cli {

namespace {

int schema() {
    fmt::print("{}", config::schema());
    return kOk;
}

// The key itself or one below it: `policy.rules` is for policy.rules[].name, and not for policy.rules_of.
bool is_within(std::string_view path, std::string_view asked) {
    return asked.empty() || (path.starts_with(asked) && (path.size() == asked.size() || path[asked.size()] == '.' ||
                                                         path[asked.size()] == '[' || asked.ends_with('.')));
}

void print_json(const std::vector<config::Described>& keys) {
    json::Writer out;
    out.begin_array();
    for (const auto& key : keys) {
        out.begin_object().member("key", key.path).member("type", config::type_of(key)).member("what", key.what);
        out.member("required", key.required);
        if (!key.condition.empty()) out.member("required_where", key.condition);
        if (const auto usual = config::default_of(key); !usual.empty()) out.member("default", usual);
        if (!key.example.empty()) out.member("example", key.example);
        if (!key.page.empty()) out.member("docs", key.page);
        if (!key.formerly.empty()) out.member("formerly", key.formerly);
        if (!key.instead.empty()) out.member("instead", key.instead);
        out.end_object();
    }
    fmt::print("{}\n", out.end_array().text());
}

int keys(const Globals& globals, const std::string& asked) {
    auto found = config::describe();
    std::vector<std::string> names;
    for (const auto& key : found) names.push_back(key.path);
    std::erase_if(found, [&](const config::Described& key) { return !is_within(key.path, asked); });
    if (found.empty()) {
        const auto near = nearest(asked, names);
        return report(globals,
                      {ErrorCode::not_found,
                       fmt::format("no key '{}'{}; `tandem config keys` lists all of them", printable(asked, 60),
                                   near.empty() ? "" : fmt::format("; did you mean '{}'?", near))});
    }
    if (globals.json) {
        print_json(found);
        return kOk;
    }
    for (const auto& key : found) {
        const auto usual = config::default_of(key);
        fmt::print("{} ({}{}{}{}{})\n    {}\n", key.path, config::type_of(key), key.required ? "; required" : "",
                   key.condition.empty() ? "" : "; required " + key.condition,
                   usual.empty() ? "" : "; default " + usual, key.formerly.empty() ? "" : "; formerly " + key.formerly,
                   key.what);
    }
    return kOk;
}

}  // namespace

void add_config(CLI::App& app, Globals& globals, Action& action) {
    auto* group = app.add_subcommand("config", "What may stand in tandem.yaml");
    group->require_subcommand(1);
    group->add_subcommand("schema", "Print it as JSON Schema, for editors")->callback([&] {
        action = [] { return schema(); };
    });
    auto* command = group->add_subcommand("keys", "List the keys, with type, default and meaning");
    auto asked = std::make_shared<std::string>();
    command->add_option("key", *asked, "Only this one and those below it, such as policy.failure");
    command->callback([&, asked] { action = [&globals, asked] { return keys(globals, *asked); }; });
}

}  // namespace tandem::cli
