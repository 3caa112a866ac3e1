// tandem connect: the settings with which a client talks to this Tandem, printed, written, and taken back.
#include <fmt/format.h>

#include <filesystem>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/certificate.h"
#include "cli/cli.h"
#include "cli/connect/clients.h"
#include "cli/init/discover.h"
#include "cli/remote.h"
#include "config/names.h"
#include "net/client.h"
#include "routing/prior.h"
#include "routing/routing.h"

namespace tandem::cli {

namespace {

namespace fs = std::filesystem;
using config::Capability;

struct Options {
    std::string client;
    std::string model = "auto";
    std::string key;
    std::string url;
    bool show_key = false;
    bool write = false;
    bool undo = false;
};

constexpr std::int64_t kUsualContext = 32'768;
constexpr std::int64_t kUsualOutput = 8'192;
constexpr std::size_t kLargestSettings = 64UL << 20;  // bytes
constexpr std::int64_t kMostUsualOutput = 32'768;     // what a client asks for with every request, and budgets reserve

// ---- files ----

// The folder that a variable names; nullopt where it names none.
std::optional<fs::path> folder_in(const Globals& globals, std::string_view variable) {
    if (variable.empty()) return std::nullopt;
    const auto folder = globals.environment(std::string(variable));
    if (!folder || !fs::path(*folder).is_absolute()) return std::nullopt;
    return fs::path(*folder);
}

fs::path path_of(const Globals& globals, const File& file) {
    if (const auto own = folder_in(globals, file.own_folder_variable)) return *own / fs::path(file.name).filename();
    auto path = fs::path(globals.environment("HOME").value_or("/"));
    if (const auto folder = folder_in(globals, file.folder_variable))
        path = *folder;
    else if (!file.folder.empty())
        path /= file.folder;
    path /= file.name;
    std::error_code ignored;
    const fs::path with_comments = path.string() + "c";
    return file.or_jsonc && !fs::exists(path, ignored) && fs::exists(with_comments, ignored) ? with_comments : path;
}

fs::path backup_of(const fs::path& file) {
    return file.string() + ".before-tandem";
}
// Stands for "there was no file".
fs::path absence_of(const fs::path& file) {
    return file.string() + ".new-by-tandem";
}

// What a file was when its settings were taken back, where its client had changed it since: the first name that is
// free.
fs::path kept_of(const fs::path& file) {
    std::error_code ignored;
    fs::path kept = file.string() + ".with-tandem";
    for (int n = 2; fs::exists(kept, ignored); ++n) kept = fmt::format("{}.with-tandem.{}", file.string(), n);
    return kept;
}

// There is a key in it, so that nobody but its owner may read it.
Result<> write_text(const fs::path& file, const std::string& text) {
    if (auto ok = make_folder_of(file); !ok) return ok;
    auto protection = protection_of(file);
    protection.mode = 0600;
    return write_file(file, text, protection);
}

struct Change {
    fs::path file;
    bool exists = false;
    std::string before, after;
};

Result<Change> change_of(const Globals& globals, const File& one, const Values& v) {
    Change change{path_of(globals, one), false, {}, {}};
    // A link stays one: what it points to is changed.
    auto target = behind_links(change.file);
    if (!target) return fail(target.error());
    change.file = std::move(*target);
    std::error_code error;
    change.exists = fs::exists(change.file, error);
    if (change.exists) {
        auto before = read_regular(change.file, kLargestSettings + 1);
        if (!before) return fail(before.error());
        if (before->size() > kLargestSettings)
            return fail(ErrorCode::too_large, fmt::format("{} is larger than 64 MiB", change.file.string()));
        change.before = std::move(*before);
    }
    auto after = one.change(change.before, v);
    if (!after) return fail(after.error().code, fmt::format("{}: {}", change.file.string(), after.error().message));
    change.after = std::move(*after);
    return change;
}

Result<> write_change(const Client& client, const Change& change) {
    const auto& file = change.file;
    std::error_code ignored;
    const auto mark_of = [&] { return fs::exists(backup_of(file), ignored) ? backup_of(file) : absence_of(file); };
    // The first backup is the one to go back to, however often this is run.
    const bool again = fs::exists(mark_of(), ignored);
    const bool changed_since =
        again && change.exists && fs::last_write_time(file, ignored) != fs::last_write_time(mark_of(), ignored);
    if (!again)
        // The backup keeps mode and owner, for undo.
        if (auto ok = change.exists ? write_file(backup_of(file), change.before, protection_of(file))
                                    : write_text(absence_of(file), "");
            !ok)
            return ok;
    if (auto ok = write_text(file, change.after); !ok) return ok;
    // The backup has the time of what was written, by which undo knows whether somebody has changed that since. What
    // was changed between two writes stays changed.
    if (!changed_since) fs::last_write_time(mark_of(), fs::last_write_time(file, ignored), ignored);
    const bool backed_up = fs::exists(backup_of(file), ignored);
    fmt::print("wrote {}{}\n`tandem connect {} --undo` takes it back\n", file.string(),
               backed_up ? fmt::format(" (what was there before Tandem is in {})", backup_of(file).string()) : "",
               client.id);
    return {};
}

// All files are understood before the first is written.
Result<> write_settings(const Globals& globals, const Client& client, const Values& v) {
    std::vector<Change> changes;
    for (const auto& file : client.files) {
        auto change = change_of(globals, file, v);
        if (!change) return fail(change.error());
        changes.push_back(std::move(*change));
    }
    for (const auto& change : changes)
        if (auto ok = write_change(client, change); !ok) return ok;
    return {};
}

Result<> undo_settings(const Globals& globals, const File& one) {
    const auto target = behind_links(path_of(globals, one));
    if (!target) return fail(target.error());
    const auto& file = *target;
    std::error_code error;
    const bool was_there = fs::exists(backup_of(file), error);
    const auto mark = was_there ? backup_of(file) : absence_of(file);
    if (!fs::exists(mark, error))
        return fail(
            ErrorCode::not_found,
            fmt::format("{} was not written by `tandem connect --write`; there is nothing to undo", file.string()));
    error.clear();
    std::string kept;
    if (fs::exists(file, error) && fs::last_write_time(file, error) != fs::last_write_time(mark, error)) {
        kept = kept_of(file).string();
        fs::rename(file, kept, error);
    }
    if (!error && !was_there) fs::remove(file, error);
    if (!error && was_there)
        fs::rename(mark, file, error);
    else if (!error)
        fs::remove(mark, error);
    if (error) return fail(ErrorCode::storage, fmt::format("cannot restore {}: {}", file.string(), error.message()));
    fmt::print("{} is as it was before\n", file.string());
    if (!kept.empty())
        fmt::print(
            "it was changed since `tandem connect` wrote it: what it was is in {}, for what you want to keep of it\n",
            kept);
    return {};
}

// Why the secret of a key is not to be had here; null where there is another reason.
const config::Unresolved* lacking(const config::Config& config, const std::string& key) {
    const auto found =
        std::ranges::find(config.unresolved, fmt::format("keys.{}.secret", key), &config::Unresolved::field);
    return found == config.unresolved.end() ? nullptr : &*found;
}

// ---- what the settings are made of ----

// The models that a name stands for; those for other work than answers are left out.
std::vector<const config::Model*> models_of(const config::Config& config, const std::string& name) {
    std::vector<const config::Model*> models;
    const auto* alias = config.alias(name);
    const std::string means = alias != nullptr && !alias->means.empty() ? alias->means : name;
    if (const auto* other = config.alias(means); other != nullptr) alias = other;
    for (const auto& model : config.models) {
        const bool talks = !model.capabilities || model.capabilities->has(Capability::chat);
        const auto zone = config.provider(model.provider)->zone;
        const bool reserved = model.auto_use != config::AutoUse::no &&
                              (means == "auto" || (means == "cloud" && zone == Zone::cloud) ||
                               ((means == "local" || means == "private") && zone == Zone::local));
        const bool listed = alias != nullptr && std::ranges::find(alias->models, model.id) != alias->models.end();
        if (model.id == means || (talks && !config::is_pattern(model.id) && (reserved || listed)))
            models.push_back(&model);
    }
    return models;
}

double ability_of(const config::Config& config, const config::Model& model) {
    const auto strength = model.quality ? routing::strength_by_quality(*model.quality)
                                        : routing::strength_of(routing::facts_of(config, model));
    return strength.ability;
}

// The model that context and room for an answer are taken from: of the strongest, to which long and hard work goes, the
// one that takes least, so that a client shortens a conversation before it is too long for any of them. Those of an
// unknown context, and those that answer only where no other may, count where there are no others. Null: there is none.
const config::Model* measure_of(const config::Config& config, std::vector<const config::Model*> models) {
    constexpr double kAbout = 5;  // of an ability of 0 to 100
    const auto keep = [&](auto&& wanted) {
        if (std::ranges::any_of(models, wanted)) std::erase_if(models, [&](const auto* one) { return !wanted(one); });
    };
    keep([](const auto* one) { return one->context_tokens > 0; });
    keep([](const auto* one) { return one->auto_use != config::AutoUse::fallback_only; });
    double most = 0;
    for (const auto* one : models) most = std::max(most, ability_of(config, *one));
    keep([&](const auto* one) { return ability_of(config, *one) >= most - kAbout; });
    const auto found = std::ranges::min_element(models, {}, &config::Model::context_tokens);
    return found == models.end() ? nullptr : *found;
}

void read_abilities(const config::Config& config, Values& v) {
    const auto models = models_of(config, v.model);
    for (const auto* model : models) {
        for (std::size_t i = 0; i < config::kCapabilityNames.size(); ++i)
            if (const auto c = static_cast<Capability>(i); model->capabilities && model->capabilities->has(c))
                v.capabilities.add(c);
        // One that claims nothing is taken to be able, as routing does.
        if (!model->capabilities)
            for (const auto c : {Capability::tools, Capability::vision, Capability::json, Capability::chat})
                v.capabilities.add(c);
    }
    const auto* measure = measure_of(config, models);
    v.context = measure == nullptr || measure->context_tokens == 0 ? kUsualContext : measure->context_tokens;
    v.output = measure == nullptr || measure->max_output_tokens == 0 ? kUsualOutput : measure->max_output_tokens;
    // Of one that claims no maximum, a quarter is left for an answer, as providers have it.
    const bool claimed = measure != nullptr && measure->max_output_tokens > 0;
    v.output = std::min(v.output, std::max<std::int64_t>(v.context / (claimed ? 2 : 4), 1));
    v.usual_output = std::min(v.output, kMostUsualOutput);
}

// A name for an alias that a client has none of its own for.
std::string better_name(const config::Config& config, const Client& client, const std::string& model) {
    if (const auto* alias = config.alias(model); alias != nullptr && !alias->models.empty())
        for (const auto& listed : alias->models)
            if (!client.takes(listed) && alias->models.size() == 1)
                return fmt::format("ask for the model that it stands for (--model {})", listed);
    for (const auto& alias : config.aliases)
        if (alias.means == model && !config::is_pattern(alias.id) && !client.takes(alias.id))
            return fmt::format("use the alias that means it (--model {})", alias.id);
    const auto plain = lower(model.substr(0, model.find('[')));
    const std::string name = plain == "best" ? "strong" : "tandem-" + plain;
    const auto* alias = config.alias(model);
    const std::string meaning = alias == nullptr        ? model
                                : !alias->means.empty() ? alias->means
                                                        : "[" + join(alias->models, ", ") + "]";
    return fmt::format("add `{}: {}` under aliases: in tandem.yaml, and use --model {}", name, meaning, name);
}

Result<> check_model(const config::Config& config, const Client& client, const std::string& model) {
    std::vector<std::string> names(config::kReservedAliases.begin(), config::kReservedAliases.end());
    std::vector<std::string_view> patterns;
    for (const auto& alias : config.aliases) names.push_back(alias.id);
    for (const auto& one : config.models) names.push_back(one.id);
    for (const auto& name : names) patterns.push_back(name);
    const bool known = std::ranges::find(names, model) != names.end() || config::most_specific(patterns, model);
    if (!known || config::is_pattern(model))
        return fail(ErrorCode::not_found,
                    fmt::format("there is no model or alias '{}'{}", printable(model, 60), suggest(model, names)));
    if (client.takes(model))
        return fail(
            ErrorCode::invalid,
            fmt::format("{} takes '{}' for a choice of its own, and Tandem would be asked for another model: {}",
                        client.id, model, better_name(config, client, model)));
    return {};
}

// The secret that the client is to use, or what stands for it. The only key there is need not be named.
Result<> read_key(const config::Config& config, const Options& options, Values& v) {
    v.key = "tandem";
    if (config.keys.empty()) return {};
    std::vector<std::string> ids;
    for (const auto& key : config.keys)
        if (!key.metrics_only) ids.push_back(key.id);
    const auto wanted = options.key.empty() && ids.size() == 1 ? ids.front() : options.key;
    const auto found = std::ranges::find(config.keys, wanted, &config::Key::id);
    if (found != config.keys.end() && found->metrics_only)
        return fail(ErrorCode::invalid, fmt::format("the key '{}' may read /metrics alone (metrics: true), so every "
                                                    "request of {} would be refused; {}",
                                                    wanted, options.client,
                                                    ids.empty() ? "add another key to tandem.yaml"
                                                                : "use --key with one of: " + join(ids, ", ")));
    if (found == config.keys.end() && !wanted.empty())
        return fail(ErrorCode::not_found,
                    fmt::format("there is no key '{}'{}", printable(wanted, 60), suggest(wanted, ids)));
    if (found == config.keys.end() && (options.write || options.show_key))
        return fail(ErrorCode::invalid,
                    fmt::format("which key shall the client use? Add --key with one of: {}", join(ids, ", ")));
    if (found != config.keys.end() && (options.write || options.show_key))
        if (const auto* unresolved = lacking(config, found->id))
            return fail(ErrorCode::invalid,
                        fmt::format("{}: {}; export it for this command, or run it without {}", unresolved->field,
                                    unresolved->missing, options.write ? "--write" : "--show-key"));
    const bool hashed = found != config.keys.end() && found->secret->empty();
    if (hashed && (options.write || options.show_key))
        return fail(ErrorCode::invalid,
                    fmt::format("the config has only the hash of '{}': run it without --write, and put the key where "
                                "THE-SECRET-OF-A-KEY stands",
                                found->id));
    v.key_hidden = !options.write && !options.show_key;
    v.key = v.key_hidden ? "THE-SECRET-OF-A-KEY" : std::string(found->secret->reveal());
    return {};
}

// The address that the client is to use: without the path of an API, which each client's settings add themselves.
Result<std::string> url_of(const config::Config& config, const Options& options) {
    if (options.url.empty()) return remote_of(config).url;
    std::string url(trim(options.url));
    if (url.find("://") == std::string::npos) url = "http://" + url;
    while (url.ends_with('/')) url.pop_back();
    if (url.ends_with("/v1")) url.resize(url.size() - 3);
    while (url.ends_with('/')) url.pop_back();
    if (!net::parse_url(url) || url.find_first_of("?#@ \"'\\") != std::string::npos)
        return fail(ErrorCode::invalid,
                    fmt::format("--url: expected an address such as http://192.168.1.10:7117, got '{}'",
                                printable(options.url, 80)));
    return url;
}

Result<Values> values_of(const config::Config& config, const Client& client, const Options& options) {
    Values v;
    auto url = url_of(config, options);
    if (!url) return fail(url.error());
    v.url = std::move(*url);
    v.model = options.model;
    if (auto ok = check_model(config, client, v.model); !ok) return fail(ok.error());
    read_abilities(config, v);
    if (auto ok = read_key(config, options, v); !ok) return fail(ok.error());
    return v;
}

// Whether a request for this name finds a model.
bool is_known(const config::Config& config, std::string_view name) {
    std::vector<std::string_view> names;
    for (const auto& alias : config.aliases) names.push_back(alias.id);
    for (const auto& one : config.models) names.push_back(one.id);
    return std::ranges::find(names, name) != names.end() || config::most_specific(names, name).has_value();
}

// What of the client itself does not fit the models that it will ask.
void add_misfits(const config::Config& config, const Client& client, const Values& v, std::vector<std::string>& list) {
    std::vector<std::string> small;
    for (const auto* model : models_of(config, v.model))
        if (model->context_tokens > 0 && model->context_tokens < client.prompt_tokens)
            small.push_back(fmt::format("{} ({})", model->id, model->context_tokens));
    if (!small.empty())
        list.push_back(fmt::format(
            "{}'s own instructions and tools take about {} tokens of every request, which does not fit {}: {}",
            client.id, client.prompt_tokens, join(small, ", "),
            v.context < client.prompt_tokens
                ? "no turn will be answered; use --model with one that takes more, or give it more `context`"
                : "the others of this name answer"));
    if (!client.also_asks_for.empty() && !is_known(config, client.also_asks_for)) {
        // An alias of an alias that Tandem has by itself is none: the name itself is said.
        const auto* alias = config.alias(v.model);
        const std::string meant = alias != nullptr && !alias->means.empty() ? alias->means : v.model;
        list.push_back(
            fmt::format("for small work of its own it asks for other models by name, such as {}: add "
                        "`\"{}-*\": {}` under aliases: in tandem.yaml, so that those are answered too",
                        client.also_asks_for, client.also_asks_for.substr(0, client.also_asks_for.find('-')), meant));
    }
}

// Variables of this shell that the client would take instead of what is written.
void add_variables(const Globals& globals, const Client& client, std::vector<std::string>& list) {
    std::vector<std::string> set;
    for (const auto variable : client.variables)
        if (const auto value = globals.environment(std::string(variable)); value && !value->empty())
            set.emplace_back(variable);
    if (!set.empty())
        list.push_back(fmt::format(
            "{} of this shell {} before what is written here: unset {}, or give {} what stands here", join(set, ", "),
            set.size() == 1 ? "goes" : "go", set.size() == 1 ? "it" : "them", set.size() == 1 ? "it" : "them"));
}

// What the address means, where that is not plain.
std::vector<std::string> hints(const Globals& globals, const config::Config& config, const Client& client,
                               const Values& v) {
    std::vector<std::string> list;
    const auto url = net::parse_url(v.url);
    const bool here = url && is_this_machine(url->host);
    const auto port = config.server.port;
    if (client.in_container && here)
        list.push_back(
            fmt::format("in a container, {} is the container itself: use --url "
                        "http://host.docker.internal:{} (on Linux start it with --add-host "
                        "host.docker.internal:host-gateway)",
                        url->host, port));
    if (config.server.loopback && (!here || client.in_container))
        list.push_back(
            fmt::format("Tandem listens on {} alone: for containers and other machines set server.listen: "
                        "0.0.0.0:{} and keys:, or put a proxy in front of it",
                        config.server.host, port));
    if (url && !url->tls && !here && !is_private_network(url->host))
        list.push_back("the address is not encrypted: the key and all content can be read on the way; use https://");
    if (url && url->tls && here && !config.server.tls_certificate.empty())
        if (const auto ours = read_certificate(config.server.tls_certificate, url->host); ours && !ours->covers_host)
            list.push_back(fmt::format(
                "the certificate of this server is not for {}, and {} will refuse it: use --url https://{}:{}",
                url->host, client.id, ours->names.empty() ? "ITS-NAME" : ours->names.front(), url->port));
    add_misfits(config, client, v, list);
    add_variables(globals, client, list);
    if (!client.note.empty()) list.emplace_back(client.note);
    if (v.key_hidden)
        list.push_back(client.files.empty() || client.key_apart
                           ? "--show-key prints the key itself, in the place of what stands for it"
                           : "--show-key prints the key itself; --write puts it into the file");
    if (!client.files.empty()) list.push_back("--write puts this into the file, and keeps what was there for --undo");
    return list;
}

int print_settings(const Globals& globals, const config::Config& config, const Client& client, const Values& v) {
    const auto text = client.text(v);
    const auto notes = hints(globals, config, client, v);
    if (globals.json) {
        json::Writer out;
        out.begin_object().member("client", client.id).member("where", client.what).member("settings", text);
        out.key("notes").begin_array();
        for (const auto& note : notes) out.value(note);
        out.end_array().end_object();
        fmt::print("{}\n", out.text());
        return kOk;
    }
    fmt::print("# {}: {}\n{}", client.id, client.what, text);
    for (const auto& note : notes) fmt::print("# {}\n", note);
    return kOk;
}

int connect(const Globals& globals, const Options& options) {
    std::vector<std::string> names;
    for (const auto& client : clients()) names.emplace_back(client.id);
    if (options.client.empty()) {
        fmt::print(stderr, "tandem: which client? tandem connect CLIENT [--write], with one of:\n");
        for (const auto& client : clients()) fmt::print(stderr, "  {:<14} {}\n", client.id, client.what);
        return kUsage;
    }
    const auto client = std::ranges::find(clients(), options.client, &Client::id);
    if (client == clients().end()) {
        fmt::print(stderr, "tandem: there is no client '{}'{}\n", printable(options.client, 60),
                   suggest(options.client, names));
        return kUsage;
    }
    if ((options.write || options.undo) && client->files.empty())
        return report(
            globals,
            {ErrorCode::not_found,
             fmt::format(
                 "{} keeps its settings where a command cannot reach them: {}. Without --write they are printed",
                 client->id, client->what)});
    if (options.undo) {
        for (const auto& file : client->files)
            if (auto done = undo_settings(globals, file); !done) return report(globals, done.error());
        return kOk;
    }
    const auto config = globals.load();
    if (!config) return report(globals, config.error());
    const auto values = values_of(*config, *client, options);
    if (!values) return report(globals, values.error());
    if (!options.write) return print_settings(globals, *config, *client, *values);
    if (auto done = write_settings(globals, *client, *values); !done) return report(globals, done.error());
    for (const auto& note : hints(globals, *config, *client, *values))
        if (!note.starts_with("--")) fmt::print("note: {}\n", note);
    return kOk;
}

}  // namespace

void add_connect(CLI::App& app, Globals& globals, Action& action) {
    auto* command =
        app.add_subcommand("connect", "Settings for a client: printed, written with --write, taken back with --undo");
    auto options = std::make_shared<Options>();
    std::vector<std::string> names;
    for (const auto& client : clients()) names.emplace_back(client.id);
    command->add_option("client", options->client, join(names, ", "));
    command->add_option("-m,--model", options->model, "Alias or model that the client shall ask for");
    command->add_option("-k,--key", options->key, "Id of the key in tandem.yaml that it shall use");
    command->add_option("--url", options->url,
                        "Address by which the client reaches Tandem: from a container, another machine, or through a "
                        "proxy");
    auto* write = command->add_flag("--write", options->write, "Change the client's file, with a backup");
    command->add_flag("--undo", options->undo, "Restore what was there before --write")->excludes(write);
    command->add_flag("--show-key", options->show_key, "Print the key itself, not a word that stands for it");
    command->callback([&, options] { action = [&globals, options] { return connect(globals, *options); }; });
}

}  // namespace tandem::cli
