// tandem completion: what a shell needs to complete commands and options, read from the commands themselves.
#include <fmt/format.h>

#include "base/text.h"
#include "cli/cli.h"

namespace tandem::cli {

namespace {

struct Level {
    std::string path;  // "audit verify", or empty for the root
    std::vector<std::string> words;
};

void collect(const CLI::App& app, const std::string& path, std::vector<Level>& levels) {
    Level level{path, {}};
    for (const auto* sub : app.get_subcommands([](const CLI::App*) { return true; }))
        level.words.push_back(sub->get_name());
    for (const auto* option : app.get_options())
        for (const auto& name : option->get_lnames()) level.words.push_back("--" + name);
    levels.push_back(std::move(level));
    for (const auto* sub : app.get_subcommands([](const CLI::App*) { return true; }))
        collect(*sub, path.empty() ? sub->get_name() : path + " " + sub->get_name(), levels);
}

std::string bash(const std::vector<Level>& levels) {
    std::string out =
        "_tandem() {\n    local path=\"\" word\n    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
        "        case $word in -*) ;; *) case \"$path $word\" in\n";
    for (const auto& level : levels)
        if (!level.path.empty()) out += fmt::format("            \" {}\") path=\" {}\" ;;\n", level.path, level.path);
    out += "        esac ;; esac\n    done\n    case $path in\n";
    for (const auto& level : levels)
        out += fmt::format("        \"{}{}\") COMPREPLY=($(compgen -W \"{}\" -- \"${{COMP_WORDS[COMP_CWORD]}}\")) ;;\n",
                           level.path.empty() ? "" : " ", level.path, join(level.words, " "));
    out += "    esac\n}\ncomplete -o default -F _tandem tandem\n";
    return out;
}

// A function that the shell loads from a file of its name. `path` would be the PATH of zsh.
std::string zsh(const std::vector<Level>& levels) {
    std::string out =
        "#compdef tandem\n_tandem() {\n    local at=\"\" word\n    for word in \"${(@)words[2,CURRENT-1]}\"; do\n"
        "        case \"$at $word\" in\n";
    for (const auto& level : levels)
        if (!level.path.empty()) out += fmt::format("            \" {}\") at=\" {}\" ;;\n", level.path, level.path);
    out += "        esac\n    done\n    case $at in\n";
    for (const auto& level : levels)
        out += fmt::format("        \"{}{}\") compadd -- {} ;;\n", level.path.empty() ? "" : " ", level.path,
                           join(level.words, " "));
    out +=
        "    esac\n    [[ $PREFIX == -* ]] || _files\n}\n"
        "if [ \"$funcstack[1]\" = _tandem ]; then _tandem \"$@\"; else compdef _tandem tandem; fi\n";
    return out;
}

std::string fish(const std::vector<Level>& levels) {
    std::string out = "complete -c tandem -f\n";
    for (const auto& level : levels) {
        const auto last = level.path.substr(level.path.rfind(' ') == std::string::npos ? 0 : level.path.rfind(' ') + 1);
        const std::string condition =
            level.path.empty() ? "__fish_use_subcommand" : "__fish_seen_subcommand_from " + last;
        for (const auto& word : level.words)
            out += word.starts_with("--") ? fmt::format("complete -c tandem -n '{}' -l {}\n", condition, word.substr(2))
                                          : fmt::format("complete -c tandem -n '{}' -a {}\n", condition, word);
    }
    return out;
}

}  // namespace

void add_completion(CLI::App& app, Globals&, Action& action) {
    auto* command = app.add_subcommand("completion", "Print a completion script: source <(tandem completion bash)");
    auto shell = std::make_shared<std::string>();
    command->add_option("shell", *shell, "bash, zsh or fish")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
    command->callback([&app, &action, shell] {
        action = [&app, shell] {
            std::vector<Level> levels;
            collect(app, "", levels);
            if (*shell == "fish")
                fmt::print("{}", fish(levels));
            else if (*shell == "zsh")
                fmt::print("{}", zsh(levels));
            else
                fmt::print("{}", bash(levels));
            return kOk;
        };
    });
}

}  // namespace tandem::cli
