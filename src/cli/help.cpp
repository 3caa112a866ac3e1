#include "cli/help.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/text.h"
#include "cli/commands.h"

namespace tandem::cli {

namespace {

std::string_view group_of(std::string_view name) {
    const auto* const command = std::ranges::find(kCommands, name, &Command::name);
    return kGroupNames[static_cast<std::size_t>(command == kCommands.end() ? Group::more : command->group)];
}

// Whether the word behind this option belongs to it.
bool takes_a_value(const CLI::App& app, const std::string& word) {
    for (const CLI::App* at = &app; at != nullptr; at = at->get_parent())
        if (const auto* option = at->get_option_no_throw(word)) return option->get_expected_min() > 0;
    return false;
}

}  // namespace

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
    return app.get_subcommands([](const CLI::App*) { return true; });
}

void arrange(CLI::App& app) {
    for (auto* command : app.get_subcommands([](const CLI::App*) { return true; }))
        command->group(std::string(group_of(command->get_name())));
    app.footer(
        "What a command takes: tandem COMMAND --help. Exit codes: 0 done, 1 failed, 2 wrong arguments, 3 wrong "
        "config,\n"
        "4 no server, 5 not found, 6 a check failed.");
}

std::vector<CommandGroup> groups_of(const CLI::App& app) {
    std::vector<CommandGroup> groups;
    for (const auto name : kGroupNames) {
        CommandGroup group{std::string(name), {}};
        for (const auto* command : commands_of(app))
            if (group_of(command->get_name()) == name) group.commands.push_back(command);
        groups.push_back(std::move(group));
    }
    return groups;
}

std::string first_help() {
    return "One endpoint in front of the models you run and the models you rent.\n"
           "\n"
           "A first evening:\n"
           "  tandem init             write a config with the servers and keys that are found here\n"
           "  tandem doctor           check it, and say how to mend what is wrong\n"
           "  tandem serve            run the server; the other commands talk to it from another terminal\n"
           "  tandem chat             talk with the models; each answer says where it came from\n"
           "  tandem connect CLIENT   point Claude Code, Codex, Open WebUI or another client at it\n"
           "\n"
           "All commands: tandem --help. One of them: tandem COMMAND --help. The manual: man tandem\n";
}

std::string unknown_command(const CLI::App& app, int argc, const char* const* argv) {
    const CLI::App* at = &app;
    for (int i = 1; i < argc; ++i) {
        const auto commands = commands_of(*at);
        if (commands.empty()) return {};  // what follows are its arguments
        const std::string word = argv[i];
        if (word.starts_with('-')) {
            if (word == "--") return {};
            if (word.find('=') == std::string::npos && takes_a_value(*at, word)) ++i;
            continue;
        }
        const auto found = std::ranges::find(commands, word, [](const auto* c) { return c->get_name(); });
        if (found != commands.end()) {
            at = *found;
            continue;
        }
        std::vector<std::string> names;
        for (const auto* command : commands) names.push_back(command->get_name());
        const auto path = at == &app ? std::string("tandem") : "tandem " + at->get_name();
        const auto near = nearest(word, names);
        return fmt::format("tandem: there is no command '{} {}'{}\n{} --help lists them\n", path, printable(word, 40),
                           near.empty() ? std::string() : fmt::format("; did you mean '{} {}'?", path, near), path);
    }
    return {};
}

std::string usage_of(const CLI::App& app, const CLI::ParseError& error) {
    const CLI::App* at = &app;
    std::string path = "tandem";
    while (true) {
        const auto parsed = at->get_subcommands();
        if (parsed.empty()) break;
        at = parsed.front();
        path += " " + at->get_name();
    }
    // `tandem audit` alone: the group's own commands are what is missing.
    std::string text = fmt::format("{}: {}\n", path, printable(error.what(), 300));
    if (at == &app) return text + "tandem --help lists the commands and options\n";
    return text + "\n" + at->help(path.substr(0, path.size() - at->get_name().size() - 1));
}

}  // namespace tandem::cli
