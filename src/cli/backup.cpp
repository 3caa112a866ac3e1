// tandem backup and tandem restore: the data folder in one archive, and back.
#include "backup/backup.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "app.h"
#include "backup/restore.h"
#include "base/json.h"
#include "cli/cli.h"

namespace tandem::cli {

namespace {

namespace fs = std::filesystem;

struct Options {
    std::string file;
    std::string data;
    bool models = false;
    bool with_config = false;
    bool without_config = false;
    bool force = false;
    bool check = false;
};

int code_of(const Globals& globals, const Error& error) {
    const int code = report(globals, error);
    return error.code == ErrorCode::invalid ? kBroken : code;
}

void write_facts(json::Writer& out, const backup::Facts& facts) {
    out.raw_member("backup", backup::to_json(facts));
}

// To stderr where the archive itself goes to stdout.
void print_made(const Globals& globals, const backup::Made& made) {
    if (globals.json && !made.file.empty()) {
        json::Writer out;
        out.begin_object().member("file", made.file.string()).member("files", made.files);
        out.member("bytes", static_cast<std::int64_t>(made.bytes)).key("left_out").begin_array();
        for (const auto& name : made.left_out) out.value(name);
        out.end_array();
        write_facts(out, made.facts);
        out.end_object();
        fmt::print("{}\n", out.text());
    } else {
        fmt::print(made.file.empty() ? stderr : stdout,
                   "{}: {} files, {} bytes; the ledger is sound, {} egress records{}\n",
                   made.file.empty() ? "the archive" : made.file.string(), made.files, made.bytes,
                   made.facts.egress_records, made.file.empty() ? "" : ", every sum read back");
    }
    for (const auto& name : made.left_out) fmt::print(stderr, "tandem: left out: {}\n", name);
    if (!made.facts.egress_damage.empty())
        fmt::print(stderr, "tandem: the egress record is not whole, and was backed up as it is: {}\n",
                   made.facts.egress_damage);
}

int make(const Globals& globals, const Options& options) {
    if (options.file == "-" && isatty(STDOUT_FILENO) != 0) {
        fmt::print(stderr, "tandem: an archive is not for a terminal; name a file, or pipe it on\n");
        return kUsage;
    }
    backup::Source source;
    source.models = options.models;
    source.force = options.force;
    source.in_use = {globals.config_path()};
    if (options.data.empty() || options.with_config) {
        const auto config = globals.load();
        if (!config) return report(globals, config.error());
        source.data = config->data;
        source.checkpoints = config->checkpoints_file();
        std::ranges::copy(config->files(), std::back_inserter(source.in_use));
        if (options.with_config && !config->source.empty()) source.config = config->files();
    }
    if (!options.data.empty()) {
        source.data = fs::absolute(options.data);
        if (source.checkpoints.empty()) source.checkpoints = source.data / "egress.checkpoints";
    }
    const auto made = backup::make(source, options.file, *system_clock());
    if (!made) return code_of(globals, made.error());
    print_made(globals, *made);
    return made->facts.egress_damage.empty() ? kOk : kBroken;
}

void print_restored(const Globals& globals, const backup::Restored& restored, const fs::path& data) {
    if (globals.json) {
        json::Writer out;
        out.begin_object().member("files", restored.files);
        if (!data.empty()) out.member("data", data.string());
        if (!restored.before.empty()) out.member("before", restored.before.string());
        if (!restored.config.empty()) {
            out.member("config", restored.config.front().string()).key("config_files").begin_array();
            for (const auto& file : restored.config) out.value(file.string());
            out.end_array();
        }
        if (!restored.note.empty()) out.member("note", restored.note);
        write_facts(out, restored.facts);
        out.end_object();
        fmt::print("{}\n", out.text());
        return;
    }
    fmt::print("{} files of {}, made by tandem {}: every sum is right, the ledger is sound, {} egress records{}\n",
               restored.files, restored.facts.created, restored.facts.tandem, restored.facts.egress_records,
               restored.facts.egress_damage.empty() ? "" : " (not whole when it was made)");
    if (!data.empty()) fmt::print("they are in {} now; start the server\n", data.string());
    if (!restored.before.empty()) fmt::print("what was there is in {}\n", restored.before.string());
    for (std::size_t i = 0; i < restored.config.size(); ++i)
        fmt::print("{} {}\n", i == 0 ? "its config is" : "a file that its config reads is",
                   restored.config[i].string());
    if (!restored.note.empty()) fmt::print("{}\n", restored.note);
}

// Of the files that a config reads, their names alone: their folders are those of another machine.
Result<std::vector<std::string>> files_named(const Globals& globals, const std::string& text) {
    // A credential is named by the config, and its folder by the service manager.
    const auto environment = [&globals](const std::string& name) {
        auto value = globals.environment(name);
        return !value && name == "CREDENTIALS_DIRECTORY" ? std::optional<std::string>("/") : value;
    };
    const auto config = config::parse(text, globals.config_path(), environment, config::Missing::left_out);
    if (!config) return fail(config.error());
    std::vector<std::string> names;
    for (const auto& file : config->files()) names.push_back(file.filename().string());
    return names;
}

int put_back(const Globals& globals, const Options& options) {
    const auto newest = static_cast<std::int64_t>(migrations().size());
    if (options.check) {
        const auto checked = backup::check(options.file, newest);
        if (!checked) return code_of(globals, checked.error());
        print_restored(globals, *checked, {});
        return kOk;
    }
    backup::Target target{.data = options.data,
                          .config = {},
                          .files_named = [&](const std::string& text) { return files_named(globals, text); },
                          .force = options.force,
                          .ledger_version = newest};
    if (!options.without_config) target.config = fs::absolute(globals.config_path());
    if (options.data.empty()) {
        const auto config = globals.load();
        if (!config) return report(globals, config.error());
        target.data = config->data;
    } else {
        target.data = fs::absolute(options.data);
    }
    const auto restored = backup::restore(options.file, target, *system_clock());
    if (!restored) return code_of(globals, restored.error());
    print_restored(globals, *restored, target.data);
    return kOk;
}

}  // namespace

void add_backup(CLI::App& app, Globals& globals, Action& action) {
    auto options = std::make_shared<Options>();
    auto* command = app.add_subcommand(
        "backup", "Write ledger, vault, keys and files into one verified archive, beside a running server");
    command->add_option("file", options->file, "Archive to write; a folder gets tandem-TIME.tar; - is stdout")
        ->required();
    command->add_flag("--with-config", options->with_config, "Add the config and the files that it reads");
    command->add_flag("--force", options->force, "Also over a file that is no archive");
    command->add_flag("--models", options->models, "Add the models of the data folder");
    command->add_option("--data", options->data, "Data folder, where there is no config that names it");
    command->callback([&, options] { action = [&globals, options] { return make(globals, *options); }; });
}

void add_restore(CLI::App& app, Globals& globals, Action& action) {
    auto options = std::make_shared<Options>();
    auto* command =
        app.add_subcommand("restore", "Verify an archive of `tandem backup` and put it into the data folder");
    command->add_option("file", options->file, "Archive to read; - is stdin")->required();
    command->add_flag("--force", options->force, "Also over a data folder with content, which is kept beside");
    command->add_flag("--without-config", options->without_config,
                      "Leave the config of the archive, and the files that it reads, in the archive");
    command->add_flag("--check", options->check, "Verify the archive, and change nothing");
    command->add_option("--data", options->data, "Data folder, where there is no config that names it");
    command->callback([&, options] { action = [&globals, options] { return put_back(globals, *options); }; });
}

}  // namespace tandem::cli
