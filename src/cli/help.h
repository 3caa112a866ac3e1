// Help that helps: the commands in groups, the first ones of a first evening, the nearest name for a slip. Private to
// cli/ and main.cpp.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace tandem::cli {

// Puts each command of `app` into its group in --help.
void arrange(CLI::App& app);

// For `tandem` alone.
std::string first_help();

// What is wrong with the words of a command line, as text for stderr: the first that is no command where one must be,
// with the nearest that is. Empty where all are commands.
std::string unknown_command(const CLI::App& app, int argc, const char* const* argv);

// For an error of parsing: what is wrong, and how the command that it concerns is used.
std::string usage_of(const CLI::App& app, const CLI::ParseError& error);

// The groups with their commands, in the order of --help; every command is in one.
struct CommandGroup {
    std::string name;
    std::vector<const CLI::App*> commands;
};
std::vector<CommandGroup> groups_of(const CLI::App& app);

// All commands below `app`, in the order in which they were added.
std::vector<const CLI::App*> commands_of(const CLI::App& app);

}  // namespace tandem::cli
