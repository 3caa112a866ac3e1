// tandem manual: the man page, made from the commands themselves.
#include <fmt/format.h>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/help.h"

namespace tandem::cli {

namespace {

// Text as troff shows it.
std::string plain(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\\')
            out += "\\e";
        else if (c == '-')
            out += "\\-";
        else if (c == '\n')
            out += ' ';
        else
            out += c;
    }
    if (out.starts_with('.') || out.starts_with('\'')) out.insert(0, "\\&");
    return out;
}

std::string names_of(const CLI::Option& option) {
    std::vector<std::string> names;
    for (const auto& name : option.get_snames()) names.push_back("-" + name);
    for (const auto& name : option.get_lnames()) names.push_back("--" + name);
    return join(names, ", ");
}

void add_options(const CLI::App& command, std::string& out) {
    for (const auto* option : command.get_options()) {
        if (option->get_name() == "--help") continue;
        const auto names = option->get_positional() ? option->get_name(true) : names_of(*option);
        const bool value = !option->get_positional() && option->get_expected_min() > 0;
        out += fmt::format(".TP\n\\fB{}\\fR{}\n{}\n", plain(names), value ? " \\fIVALUE\\fR" : "",
                           plain(option->get_description()));
    }
}

std::string usage_line(const CLI::App& command, const std::string& path) {
    std::string line = "tandem " + path;
    for (const auto* option : command.get_options())
        if (option->get_positional())
            line += option->get_required() ? " " + option->get_name(true) : " [" + option->get_name(true) + "]";
    return line;
}

void add_command(const CLI::App& command, const std::string& path, std::string& out) {
    out += fmt::format(".SS {}\n{}\n", plain(usage_line(command, path)), plain(command.get_description()));
    add_options(command, out);
    for (const auto* below : commands_of(command)) add_command(*below, path + " " + below->get_name(), out);
}

constexpr std::string_view kAfter = R"(.SH FILES
.TP
\fI$TANDEM_CONFIG\fR, \fI./tandem.yaml\fR, \fI~/.config/tandem/tandem.yaml\fR, \fI/etc/tandem/tandem.yaml\fR
The config: the first that is there and can be read, unless \fB\-\-config\fR names one. The last is that of the Debian
package's service.
.TP
\fI~/.local/share/tandem\fR
The data folder: the ledger, the record of what left, the keys of the vault, files of clients. The config's \fBdata\fR
names another. The service has \fI/var/lib/tandem\fR.
.TP
\fI~/.cache/tandem\fR
llama\-server and models that were built or fetched.
.SH ENVIRONMENT
.TP
\fBTANDEM_CONFIG\fR
The config to use.
.TP
\fBTANDEM_CACHE\fR
The folder of what was built or fetched.
.TP
\fBCREDENTIALS_DIRECTORY\fR
Where \fBcredential:NAME\fR in the config is read from; systemd sets it.
.SH EXIT STATUS
.TP
0
The command did what it was asked to do.
.TP
1
It ran, and what it was asked for did not work.
.TP
2
Wrong arguments.
.TP
3
tandem.yaml is missing or wrong.
.TP
4
No server answers.
.TP
5
There is no such decision, model or record.
.TP
6
A check failed: audit verify, doctor, restore.
.SH SIGNALS
A server that runs reads its config again on SIGHUP, and stops in order on SIGTERM and SIGINT; a second one stops it at
once.
.SH EXAMPLES
.nf
tandem init && tandem doctor && tandem serve
tandem ask \-\-label private "Summarise this" <contract.txt
tandem explain \-\-last
tandem cost \-\-by model \-\-since 7d
tandem backup /backups && tandem restore \-\-check /backups/tandem\-20261126T002417Z.tar
.fi
)";

std::string page(const CLI::App& app) {
    std::string out = fmt::format(".\\\" Made by `tandem manual`.\n.TH TANDEM 1 \"\" \"tandem {}\" \"User Commands\"\n",
                                  plain(TANDEM_VERSION));
    out += ".SH NAME\ntandem \\- one endpoint in front of the models you run and the models you rent\n";
    out +=
        ".SH SYNOPSIS\n\\fBtandem\\fR [\\fB\\-\\-config\\fR \\fIFILE\\fR] [\\fB\\-\\-json\\fR] \\fICOMMAND\\fR ...\n";
    out +=
        ".SH DESCRIPTION\nTandem speaks the OpenAI, Anthropic, Ollama and Gemini APIs. For each request it decides "
        "where "
        "the work runs, on a local model or in a cloud, by the label of its content, your rules, budgets and what was "
        "learned, and can say why.\n";
    out += ".SH OPTIONS\nThey may stand before and behind every command.\n";
    add_options(app, out);
    for (const auto& group : groups_of(app)) {
        std::string title = group.name;
        for (char& c : title) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        out += fmt::format(".SH \"{}\"\n", plain(title));
        for (const auto* command : group.commands) add_command(*command, command->get_name(), out);
    }
    return out + std::string(kAfter);
}

}  // namespace

void add_manual(CLI::App& app, Globals&, Action& action) {
    auto* command = app.add_subcommand("manual", "Print the man page: tandem manual | man -l -");
    command->callback([&app, &action] {
        action = [&app] {
            fmt::print("{}", page(app));
            return kOk;
        };
    });
}

}  // namespace tandem::cli
