// tandem init: writes a first tandem.yaml, with what it finds on this machine and in the environment.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "base/world.h"
#include "cli/cli.h"
#include "cli/config_file.h"
#include "cli/doctor.h"
#include "cli/init/compose.h"
#include "cli/init/environment.h"
#include "cli/init/products.h"
#include "cli/init/questions.h"
#include "cli/model.h"
#include "cli/route_try.h"
#include "engine/engines.h"

namespace tandem::cli {

namespace {

namespace fs = std::filesystem;

struct Options {
    bool force = false;
    bool yes = false;
    bool no_scan = false;
    std::vector<std::string> probe;
};

constexpr std::uint16_t kProbedPort = 8000;  // of an address without one

Result<std::vector<Address>> addresses_of(const Options& options, std::vector<Address> of_environment) {
    std::vector<Address> addresses;
    for (const auto& text : options.probe) {
        auto address = address_from(text, kProbedPort);
        if (!address) return fail(address.error().code, "--probe: " + address.error().message);
        addresses.push_back(std::move(*address));
    }
    std::ranges::move(of_environment, std::back_inserter(addresses));
    if (!options.no_scan) std::ranges::copy(usual_addresses(), std::back_inserter(addresses));
    return addresses;
}

// Of the servers at home whose key is in the environment, those that were not found: they may only be down.
std::vector<Cloud> silent_of(std::vector<Cloud> home, const Found& found) {
    std::erase_if(home, [&found](const Cloud& cloud) {
        const auto base = without_version(cloud.base_url);
        const auto is_there = [&](const auto& server) { return without_version(server.base_url) == base; };
        // What answers there and is no model server has no use for the key.
        const auto is_other = [&](const NotFound& other) {
            return without_version(other.address) == base && !other.silent;
        };
        return std::ranges::any_of(found.servers, is_there) || std::ranges::any_of(found.others, is_other);
    });
    return home;
}

// ---- the file ----

Result<> check_absent(const fs::path& file, bool force) {
    std::error_code ignored;
    if (force || !fs::exists(file, ignored)) return {};
    return fail(Fault::already_exists, fmt::format("{} is there already; --force keeps it as {} and writes a new one",
                                                   file.string(), backup_of(file).string()));
}

// Gives the backup of what was there, or an empty path. After an error there is none.
Result<fs::path> write_config(const fs::path& file, const std::string& text) {
    if (auto ok = make_folder_of(file); !ok) return fail(ok.error());
    std::error_code error;
    fs::path backup;
    if (fs::exists(file, error)) {
        auto kept = keep_backup(file);
        if (!kept) return fail(kept.error());
        backup = std::move(*kept);
    }
    // A config that a service reads as another user stays one that it can read.
    if (auto ok = write_file(file, text, protection_of(file)); !ok) {
        if (!backup.empty()) fs::remove(backup, error);
        return fail(ok.error());
    }
    return backup;
}

// The secret of the one key that has the budget; one that is there stays.
Result<> write_key(const fs::path& file) {
    std::error_code error;
    if (fs::exists(file, error)) return {};
    if (auto ok = make_folder_of(file); !ok) return ok;
    const auto random = system_random();
    std::string secret = "tandem-";
    for (int i = 0; i < 3; ++i) secret += fmt::format("{:016x}", random->next());
    return write_private_file(file, secret + "\n");
}

// ---- what is said ----

// What is wrong with a provider that was written down, or with a variable of the environment, in words that say what to
// do.
struct Trouble {
    std::string_view kind;  // provider or variable
    std::string name;
    std::string what;
};

// Asks each provider of the new config for its models, as doctor does: a key that is wrong is best known now.
std::vector<Trouble> troubles_of(const config::Config& config) {
    std::vector<Check> checks;
    check_providers(config, {}, checks);
    std::vector<Trouble> troubles;
    for (const auto& check : checks) {
        constexpr std::string_view kProvider = "provider ";
        const bool about_answer = check.name.starts_with(kProvider) && check.grade == Grade::bad;
        if (about_answer)
            troubles.push_back(
                {"provider", check.name.substr(kProvider.size()), fmt::format("{}; {}", check.text, check.mend)});
    }
    return troubles;
}

void print_found(const Plan& plan, const Composed& composed, const std::vector<Trouble>& troubles) {
    for (std::size_t i = 0; i < plan.found.servers.size(); ++i) {
        const auto& server = plan.found.servers[i];
        fmt::print("  found {} at {} with {} models, zone {}\n", server.product, server.base_url, server.models.size(),
                   name_of(plan.zones[i]));
    }
    for (const auto& other : plan.found.others) fmt::print("  not used: {}: {}\n", other.address, other.what);
    for (const auto& cloud : plan.clouds)
        fmt::print("  found {} in the environment: {} at {}\n", cloud.variable, cloud.known.model, cloud.base_url);
    if (plan.found.servers.empty() && plan.clouds.empty())
        fmt::print(
            "  found no local server and no cloud key{}\n",
            plan.engine_here ? "; the embedded engine and its tiny model are here, not tried yet: tandem doctor" : "");
    for (const auto& trouble : troubles) fmt::print("  {}: {}\n", trouble.name, trouble.what);
    for (const auto& note : composed.notes) fmt::print("  note: {}\n", note);
}

void print_json(const fs::path& path, const fs::path& backup, const Plan& plan, const Composed& composed,
                const std::vector<Trouble>& troubles) {
    json::Writer out;
    out.begin_object().member("config", path.string());
    if (!backup.empty()) out.member("backup", backup.string());
    out.key("servers").begin_array();
    for (std::size_t i = 0; i < plan.found.servers.size(); ++i) {
        const auto& server = plan.found.servers[i];
        out.begin_object().member("product", server.product).member("base_url", server.base_url);
        out.member("zone", name_of(plan.zones[i])).member("models", server.models.size()).end_object();
    }
    out.end_array().key("not_used").begin_array();
    for (const auto& other : plan.found.others)
        out.begin_object().member("address", other.address).member("why", other.what).end_object();
    out.end_array().key("clouds").begin_array();
    for (const auto& cloud : plan.clouds) out.value(cloud.known.id);
    out.end_array().key("notes").begin_array();
    for (const auto& note : composed.notes) out.value(note);
    out.end_array().key("troubles").begin_array();
    for (const auto& one : troubles)
        out.begin_object().member(one.kind, one.name).member("what", one.what).end_object();
    out.end_array().end_object();
    fmt::print("{}\n", out.text());
}

bool engine_is_here(const Globals& globals) {
    const auto built_in = config::parse("", {}, globals.environment);
    if (!built_in) return false;
    const engine::EnginesSettings settings{built_in->data, config::cache_folder(*built_in, globals.environment),
                                           globals.environment};
    return engine::find_binary(*built_in, settings) &&
           engine::find_model_file(*built_in, built_in->models.front(), settings);
}

bool can_answer(const Plan& plan) {
    const auto has_models = [](const FoundServer& server) { return !server.wants_key && !server.models.empty(); };
    return plan.engine_here || !plan.clouds.empty() || std::ranges::any_of(plan.found.servers, has_models);
}

int init(const Globals& globals, const Options& options) {
    const auto path = globals.config_path();
    // A link stays one: what it leads to is written.
    const auto file = behind_links(path);
    if (!file) return report(globals, file.error());
    if (auto ok = check_absent(*file, options.force); !ok) return report(globals, ok.error());
    auto environment = read_environment(globals.environment);
    const auto addresses = addresses_of(options, std::move(environment.addresses));
    if (!addresses) {
        report(globals, addresses.error());
        return kUsage;
    }
    Plan plan;
    plan.found = discover(*addresses, globals.environment);
    for (const auto& server : plan.found.servers) plan.zones.push_back(likely_zone(server));
    plan.clouds = std::move(environment.clouds);
    plan.silent = silent_of(std::move(environment.home), plan.found);
    plan.engine_here = engine_is_here(globals);
    const bool asks = !options.yes && !globals.json && isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0;
    if (asks) ask_owner(plan, stdin, stdout);
    const auto composed = compose(plan);
    if (plan.daily_budget)
        if (auto ok = write_key(path.parent_path() / kKeyFile); !ok) return report(globals, ok.error());
    const auto config = config::parse(composed.text, path, globals.environment);
    if (!config) return report(globals, config.error());  // never leave a wrong file behind
    const auto backup = write_config(*file, composed.text);
    if (!backup) return report(globals, backup.error());
    auto troubles = options.no_scan ? std::vector<Trouble>() : troubles_of(*config);
    for (auto& fault : environment.faults)
        troubles.push_back({"variable", std::move(fault.variable), "it is not used: " + fault.what});
    if (globals.json) {
        print_json(path, *backup, plan, composed, troubles);
        return kOk;
    }
    fmt::print("{}wrote {}\n", asks ? "\n" : "", path.string());
    if (!backup->empty()) fmt::print("  what was there is in {}\n", backup->string());
    print_found(plan, composed, troubles);
    if (!can_answer(plan)) {
        fmt::print(
            "\nnothing can answer yet: start a local server or export the key of a cloud (OPENAI_API_KEY, "
            "ANTHROPIC_API_KEY, ...) and run `tandem init --force`, or install the embedded engine, which `tandem "
            "doctor` explains\n");
        return kOk;
    }
    fmt::print("\nwhere a dozen questions would go with it (tandem route try --examples):\n\n");
    if (const int code = try_examples(globals, *config); code != kOk) return code;
    fmt::print("\nnext: tandem doctor, then tandem serve\n");
    const bool tiny = plan.engine_here && plan.clouds.empty() && plan.found.servers.empty();
    if (const auto better = tiny ? better_model(*config) : std::string(); !better.empty())
        fmt::print("\nthe embedded model is tiny, and its answers are poor\n{}\n", better);
    return kOk;
}

}  // namespace

void add_init(CLI::App& app, Globals& globals, Action& action) {
    auto* command = app.add_subcommand(
        "init", "Write a first tandem.yaml, with the local servers and cloud keys that are found; asks at a terminal");
    auto options = std::make_shared<Options>();
    command->add_flag("--force", options->force,
                      "Replace a config that is there; the old one is kept as .old, .old.2, ...");
    command->add_flag("-y,--yes", options->yes, "Ask nothing: take what is usual");
    command->add_option("--probe", options->probe,
                        "Look for a model server at this address (HOST:PORT or URL) too; may be given several times");
    command->add_flag(
        "--no-scan", options->no_scan,
        "Do not look at the usual ports of this machine, only at --probe and the environment, and try no key");
    command->callback([&, options] { action = [&globals, options] { return init(globals, *options); }; });
}

}  // namespace tandem::cli
