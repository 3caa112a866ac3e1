// models of providers of kind `command`: what is started, and what must hold of it.
#include "config/command.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "config/names.h"
#include "config/reader.h"

namespace tandem::config {

namespace {

constexpr std::size_t kLeastMemory = 1UL << 20;
constexpr std::size_t kMostMemory = 1UL << 50;

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || c == '_';
}

// The length of "{word}" at the beginning of `text`; 0: there is none.
std::size_t braced(std::string_view text) {
    if (!text.starts_with('{')) return 0;
    std::size_t end = 1;
    while (end < text.size() && is_letter(text[end])) ++end;
    return end > 1 && end < text.size() && text[end] == '}' ? end + 1 : 0;
}

void check_placeholders(Section& s, const char* key, const std::vector<std::string>& texts, const Model& model) {
    for (const auto& text : texts)
        for (const auto& name : placeholders_of(text)) {
            if (std::ranges::find(kPlaceholders, name) == kPlaceholders.end())
                s.complain(
                    key, fmt::format(
                             "there is no placeholder {{{}}}{}; there are: {}. Write {{{{{}}}}} for the "
                             "word in braces itself",
                             name, suggest(name, std::vector<std::string>(kPlaceholders.begin(), kPlaceholders.end())),
                             join(std::vector<std::string>(kPlaceholders.begin(), kPlaceholders.end()), ", "), name));
            if (name == "model_file" && model.file.empty())
                s.complain(key, "has {model_file}, and the model has no `file`");
            if (name == "context" && model.context_tokens == 0)
                s.complain(key, "has {context}, and the model has no `context`");
        }
}

void check_line(Section& s, const Command& command) {
    if (command.line.empty()) return;
    const auto& program = command.line.front();
    if (!program.starts_with('/') || !placeholders_of(program).empty())
        s.complain("command", fmt::format("starts with '{}': give the absolute path of the program (`command -v {}` "
                                          "prints it); each argument is an element of its own, and no shell is used",
                                          printable(program, 80), printable(program.substr(0, program.find(' ')), 40)));
    const bool port = command.uses("port"), socket = command.uses("socket");
    if (port && socket) s.complain("command", "has {port} and {socket}: a server listens on one of them");
    if (!port && !socket)
        s.complain("command",
                   "needs {port} or {socket}, here or in `environment`: Tandem says where the server is to listen");
    if (socket && command.port != 0) s.complain("port", "the command has {socket}: take out `port`");
}

void check_forms(Section& s, const Command& command) {
    for (const auto& [key, path] : {std::pair("ready", command.ready), {"health", command.health}})
        if (!path.starts_with('/') && !(key == std::string_view("health") && path.empty()))
            s.complain(key, fmt::format("expected a path such as /health, got '{}'", printable(path, 80)));
    for (const auto& variable : command.environment)
        if (variable.find('=') == std::string::npos || variable.starts_with('='))
            s.complain("environment", fmt::format("expected NAME=value, got '{}'", printable(variable, 40)));
}

void check_port(Section& s, const Model& model, const Config& config) {
    const int port = model.command.port;
    if (port == 0) return;
    if (port == config.server.port) s.complain("port", fmt::format("{} is Tandem's own (server.listen)", port));
    for (const auto& other : config.models)
        if (other.command.port == port)
            s.complain("port", fmt::format("{} is that of model {} already; without `port` Tandem takes one that is "
                                           "free",
                                           port, other.id));
}

void check_paths(Section& s, const char* key, const std::vector<std::string>& paths) {
    for (const auto& path : paths)
        if (!path.starts_with('/')) s.complain(key, fmt::format("'{}' is no absolute path", printable(path, 80)));
}

}  // namespace

bool Command::uses(std::string_view placeholder) const {
    const auto has = [&](const std::string& text) {
        const auto names = placeholders_of(text);
        return std::ranges::find(names, placeholder) != names.end();
    };
    return std::ranges::any_of(line, has) || std::ranges::any_of(environment, has);
}

std::string filled(std::string_view text, const std::function<std::string(std::string_view)>& value) {
    std::string result;
    for (std::size_t at = 0; at < text.size();) {
        const auto rest = text.substr(at);
        const auto escaped = rest.starts_with("{{") ? braced(rest.substr(1)) : 0;
        if (escaped > 0 && rest.size() > escaped + 1 && rest[escaped + 1] == '}') {
            result += rest.substr(1, escaped);
            at += escaped + 2;
        } else if (const auto length = braced(rest); length > 0) {
            result += value(rest.substr(1, length - 2));
            at += length;
        } else {
            result += text[at++];
        }
    }
    return result;
}

std::vector<std::string> placeholders_of(std::string_view text) {
    std::vector<std::string> names;
    (void)filled(text, [&](std::string_view name) {
        names.emplace_back(name);
        return std::string();
    });
    return names;
}

void read_command(Section& s, bool needed, const Config& config, Model& model) {
    auto& command = model.command;
    s.texts("command", command.line,
            About("for `command`: the program of the server by its absolute path, and its arguments, one element each. "
                  "No shell is used. {port} or {socket} is where it has to listen; there are {model_file}, {name}, "
                  "{context}, {slots}, {key} (that requests will have) and {folder} (its own) besides")
                .see("how-to/run-another-server.md")
                .needed("for `command`"));
    s.texts("environment", command.environment,
            About("for `command`: `NAME=value`, with the same placeholders, besides what Tandem's own environment has "
                  "that is no secret")
                .like("^[A-Za-z_][A-Za-z0-9_]*=", "HF_HUB_OFFLINE=1"));
    s.text("ready", command.ready,
           About("for `command`: the path that answers 200 once the server answers requests").like("^/", "/health"));
    s.text("health", command.health,
           About("for `command`: the path that answers 200 while the server is well", "as `ready`")
               .like("^(/|$)", "/health"));
    s.number("port", command.port, 1, 65'535, {"for `command`: its TCP port", "one that is free, at each start"});
    s.bytes("memory", command.memory_bytes, kLeastMemory, kMostMemory,
            About("for `command`: what the server takes of the machine's memory, before Tandem has measured it",
                  "by the size of `file`")
                .needed("for `command` without `file`"));
    s.duration("stop", command.stop, "for `command`: how long it may take to end before it is killed");
    s.flag("connects", command.connects,
           "for `command`: its sandbox lets it open connections, to this machine and to others");
    s.texts(
        "readable", command.readable,
        About("for `command`: absolute paths that its sandbox lets it read and run besides").like("^/", "/srv/models"));
    s.texts("writable", command.writable,
            About("for `command`: absolute paths that its sandbox lets it write besides").like("^/", "/srv/cache"));
    if (!needed) return;
    if (command.line.empty())
        s.complain("'command' is missing: the program that Tandem is to start, and its arguments");
    if (command.memory_bytes == 0 && model.file.empty())
        s.complain("'memory' is missing: Tandem cannot know before its first run what the server takes");
    check_forms(s, command);
    check_line(s, command);
    check_placeholders(s, "command", command.line, model);
    check_placeholders(s, "environment", command.environment, model);
    check_port(s, model, config);
    check_paths(s, "readable", command.readable);
    check_paths(s, "writable", command.writable);
}

}  // namespace tandem::config
