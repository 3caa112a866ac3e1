// The commands of `tandem`, one line each: add_NAME() in a file of its own, and the group in which help and the man
// page show it, in this order.
#pragma once

#include <array>
#include <CLI/CLI.hpp>
#include <functional>
#include <string_view>

namespace tandem::cli {

struct Globals;
using Action = std::function<int()>;

enum class Group { first_evening, why, rules, privacy, files, engines, care, more };
inline constexpr std::array<std::string_view, 8> kGroupNames = {
    "The first evening", "Why, and what it costs", "Rules", "Privacy",
    "Your files",        "Models and engines",     "Care",  "More"};

// clang-format off
#define TANDEM_COMMANDS(X)    \
    X(serve, first_evening)   \
    X(ask, first_evening)     \
    X(init, first_evening)    \
    X(explain, why)           \
    X(policy, rules)          \
    X(cost, why)              \
    X(prices, why)            \
    X(audit, privacy)         \
    X(label, privacy)         \
    X(privacy, privacy)       \
    X(route, rules)           \
    X(feedback, why)          \
    X(learning, why)          \
    X(probe, engines)         \
    X(compare, engines)       \
    X(experiment, rules)      \
    X(logs, why)              \
    X(status, why)            \
    X(replay, rules)          \
    X(engine, engines)        \
    X(model, engines)         \
    X(hardware, engines)      \
    X(doctor, first_evening)  \
    X(version, more)          \
    X(connect, first_evening) \
    X(backup, care)           \
    X(restore, care)          \
    X(chat, first_evening)    \
    X(models, why)            \
    X(health, care)           \
    X(manual, more)           \
    X(completion, more)       \
    X(keys, care)             \
    X(config, rules)          \
    X(advise, why)            \
    X(index, files)           \
    X(search, files)
// clang-format on

struct Command {
    std::string_view name;
    Group group;
    void (*add)(CLI::App& app, Globals& globals, Action& action);
};

#define TANDEM_DECLARE(name, group) void add_##name(CLI::App& app, Globals& globals, Action& action);
TANDEM_COMMANDS(TANDEM_DECLARE)
#undef TANDEM_DECLARE

#define TANDEM_LIST(name, group) Command{#name, Group::group, add_##name},
inline constexpr auto kCommands = std::to_array<Command>({TANDEM_COMMANDS(TANDEM_LIST)});
#undef TANDEM_LIST

}  // namespace tandem::cli
