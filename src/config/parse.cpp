#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <tuple>

#include "base/file.h"
#include "base/text.h"
#include "config/config.h"
#include "config/names.h"
#include "config/reader.h"
#include "config/service.h"

namespace tandem::config {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLargestFile = 1 << 20;
constexpr std::size_t kLongestName = 1'000;  // bytes of a path in an error
constexpr std::array<std::string_view, 2> kDurabilityNames = {"process", "power"};
constexpr std::array<std::string_view, 3> kSandboxNames = {"auto", "require", "off"};

// What an empty config means: the embedded engine with its small model.
void add_embedded_default(Config& config) {
    Provider home;
    home.id = "home";
    home.kind = &provider::named("engine");
    home.zone = Zone::local;
    home.api_key = std::make_shared<const Secret>();
    home.clearance = config.privacy.local_clearance;
    config.providers.push_back(std::move(home));
    Model model;
    model.id = "smollm2";
    model.provider = "home";
    model.name = "smollm2";
    model.file = "smollm2-135m-instruct-q4_1.gguf";
    model.context_tokens = 8192;
    model.slots = 2;
    model.capabilities = Capabilities{};
    for (const auto capability : {Capability::json, Capability::chat, Capability::tools})
        model.capabilities->add(capability);
    model.render_tools = true;
    config.models.push_back(std::move(model));
}

fs::path home_of(const Environment& environment) {
    if (const auto home = environment("HOME"); home && !home->empty()) return *home;
    return "/";
}

fs::path xdg(const Environment& environment, const std::string& variable, const char* below_home) {
    if (const auto folder = environment(variable); folder && !folder->empty()) return *folder;
    return home_of(environment) / below_home;
}

}  // namespace

void read_data(Section& root, Config& config) {
    const auto& environment = root.environment();
    std::string data;
    root.text(
        "data", data,
        {"the folder of the ledger, the engines' logs, the admin token and the commands' socket. For the owner's eyes "
         "only. That of `/etc/tandem/tandem.yaml` is `/var/lib/tandem` by default",
         "`~/.local/share/tandem`"});
    if (data.empty() && config.source == kServiceConfig)
        config.data = kServiceData;
    else if (data.empty())
        config.data = xdg(environment, "XDG_DATA_HOME", ".local/share") / "tandem";
    else if (data.starts_with("~/"))
        config.data = home_of(environment) / data.substr(2);
    else
        config.data = fs::path(data).is_absolute() || config.source.empty()
                          ? fs::path(data)
                          : fs::absolute(config.source).parent_path() / data;
    if (config.data.is_relative()) config.data = fs::absolute(config.data);
    config.data = config.data.lexically_normal();
}

namespace {

// What is said at the left of the file beside its sections.
void read_currency(Section& root, Config& config) {
    root.text("currency", config.currency, About("three letters; the unit of all money").like("^[A-Z]{3}$", "EUR"));
    if (config.currency.size() != 3 ||
        config.currency.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") != std::string::npos)
        root.complain("currency", "expected three capital letters such as USD or EUR");
    root.choice("durability", config.durability, kDurabilityNames,
                "what is acknowledged survives `kill -9` (`process`), or is on the disk too (`power`, slower)");
}

void read_log(Section& s, Config& config) {
    s.choice("level", config.logging.level, log::kLevelNames, "the least that is written");
    s.choice("format", config.logging.format, log::kFormatNames,
             About("`serve --log` goes before both").see("reference/cli.md#the-log"));
}

// What is asked, and whom.
void read_models(Section& root, Config& config) {
    root.each_named("providers", About("whom Tandem may ask").like(kNamePattern, "openai").see("providers/README.md"),
                    [&](const std::string& id, Section& s) { read_provider(id, s, config); });
    root.each_named("models",
                    About("what is asked. A name may have one `*`, and stands for all models of its provider then")
                        .like(kNamesPattern, "gpt")
                        .see("how-to/map-names.md"),
                    [&](const std::string& id, Section& s) { read_model(id, s, config); });
    if (config.providers.empty() && config.models.empty()) add_embedded_default(config);
    if (config.models.empty()) root.complain("there is no model; add one under 'models:'");
}

// Machines at home and what they cost.
void read_home(Section& root, Config& config) {
    root.each_named(
        "hardware",
        About("machines at home, and what they cost").like("^.{1,60}$", "workstation").see("concepts/local-cost.md"),
        [&](const std::string& id, Section& s) { read_hardware(id, s, config); });
    config.energy.zone = config.usual_window.zone;
    root.section("energy", About("what electricity costs").see("concepts/local-cost.md"),
                 [&](Section& s) { read_energy(s, config.energy); });
    root.section("hours", "what your work costs", [&](Section& s) { read_hours(s, config.hours); });
    check_hardware(root, config);
}

void read_engine(Section& s, Config& config) {
    s.text("binary", config.engine_binary,
           {"absolute path of a llama-server", "that on PATH, then the one in the cache"});
    s.choice("sandbox", config.engine_sandbox, kSandboxNames,
             About("an engine reads its model, writes a folder of its own, and reaches no network and no other "
                   "process. `auto`: what of that the system lets Tandem hold it to; `require`: it does not start "
                   "where that is not all; `off`: it may do what Tandem may")
                 .see("concepts/engine-sandbox.md"));
    s.texts("readable", config.engine_readable,
            About("absolute paths of files and folders that engines may read and run besides, such as a driver's "
                  "libraries in an unusual place")
                .like("^/", "/srv/rocm")
                .see("concepts/engine-sandbox.md"));
    for (const auto& path : config.engine_readable)
        if (!fs::path(path).is_absolute())
            s.complain("readable", fmt::format("'{}' is not an absolute path", printable(path, 80)));
    constexpr std::size_t kLeastMemory = 1UL << 20, kMostMemory = 1UL << 50;
    s.bytes("memory", config.engine_memory, kLeastMemory, kMostMemory,
            About("what the loaded models may take together. A model that would take more alone is refused",
                  "nine tenths of the machine's, or of the cgroup's; a larger model is then loaded alone")
                .see("concepts/engines.md"));
    s.bytes("prompts", config.engine_prompts, 0, kMostMemory,
            About("what engines have read may take on disk while they are unloaded, so that conversations go on after "
                  "a swap without being read again. 0: nothing is kept")
                .see("concepts/engines.md"));
    s.duration("patience", config.engine_patience, milliseconds(1), std::chrono::hours(1),
               "how long a request waits for its model's turn before a model in use makes room for it, once what "
               "runs has ended");
    s.duration("stall", config.engine_stall, std::chrono::seconds(1), std::chrono::hours(24),
               "an engine that is asked and sends nothing for that long, without working, is restarted; one that "
               "works, after five times that long");
}

}  // namespace

void read_root(Section& root, Config& config) {
    root.section("server", "where Tandem listens, and what it takes",
                 [&](Section& s) { read_server(s, config.server); });
    read_data(root, config);
    config.privacy.vault_key = std::make_shared<const Secret>();
    root.section("privacy", About("what may leave, and what is looked for").see("privacy.md"),
                 [&](Section& s) { read_privacy(s, config); });
    read_models(root, config);
    read_time_zone(root, config.usual_window.zone, "where the days, weeks and months of budgets begin");
    root.choice("week_starts", config.usual_window.first_of_week, kWeekdayNames, "the first day of a week");
    root.each_named("teams",
                    About("keys that share budgets and limits").like(kNamePattern, "support").see("concepts/keys.md"),
                    [&](const std::string& id, Section& s) { read_team(id, s, config); });
    root.each_named("keys",
                    About("who may ask. Once there is one, every client needs one")
                        .like(kNamePattern, "alice")
                        .see("concepts/keys.md"),
                    [&](const std::string& id, Section& s) { read_key(id, s, config); });
    root.always("policy", About("what decides where work runs").see("concepts/decision.md"),
                [&](Section& s) { read_policy(s, config, config.policy); });
    root.section("aliases",
                 About("names beside `auto`, `local`, `cloud`, `private` and each model's own, which exist already")
                     .like(kNamesPattern, "fast")
                     .see("how-to/map-names.md"),
                 [&](Section& s) { read_aliases(s, config); });
    for (const auto& key : config.keys) check_key_aliases(key, root, config);
    read_budgets(root, {}, "what may be spent, on what, in which time: here of the whole system, or of what `of` says",
                 config, config.budgets);
    config.alerts.webhook_secret = std::make_shared<const Secret>();
    root.section("alerts",
                 About("who is told of budgets that fill up and of keys that spend out of the ordinary")
                     .see("concepts/alerts.md"),
                 [&](Section& s) { read_alerts(s, config.alerts); });
    root.section("cache", "answers that are given again", [&](Section& s) { read_cache(s, config); });
    root.each_named(
        "experiments",
        About("two models that are compared; `tandem experiment start` begins one without the file")
            .like("^[A-Za-z0-9._-]{1,60}$", "smaller")
            .see("concepts/experiments.md"),
        [&](const std::string& id, Section& s) { config.experiments.push_back(read_experiment(id, s, config)); });
    root.section("ledger", "what is kept of requests", [&](Section& s) {
        s.number("keep_days", config.ledger.keep_days, config::Ledger::kLeastDays, 36'500,
                 About("how many days single attempts and decisions are kept; their sums by day stay", "for ever")
                     .see("cost.md#how-long-it-is-kept"));
    });
    read_home(root, config);
    root.section("engine", "the llama-server that Tandem runs", [&](Section& s) { read_engine(s, config); });
    root.section("retrieval", About("what is found of your files").see("concepts/retrieval.md"),
                 [&](Section& s) { read_retrieval(s, config); });
    root.section("log", "what is written, and how", [&](Section& s) { read_log(s, config); });
    read_currency(root, config);
    if (!config.server.loopback && config.keys.empty())
        root.complain(
            "server",
            fmt::format("{} is not a loopback address, and there is no API key: everyone on the network could use "
                        "your models. Add one under 'keys:', or listen on 127.0.0.1",
                        config.server.host));
}

bool Server::operator==(const Server& other) const {
    auto fixed = [](const Server& s) {
        return std::tie(s.host, s.port, s.tls_certificate, s.tls_key, s.workers, s.hosts, s.limits, s.drain_timeout);
    };
    return fixed(*this) == fixed(other);
}

fs::path Config::checkpoints_file() const {
    return privacy.checkpoints.empty() ? data / "egress.checkpoints" : privacy.checkpoints;
}

std::vector<fs::path> Config::files() const {
    std::vector<fs::path> list = {source};
    list.insert(list.end(), watched.begin(), watched.end());
    return list;
}

std::optional<Stakes> stakes_from(std::string_view name) {
    const auto* const found = std::ranges::find(kStakesNames, name);
    if (found == kStakesNames.end()) return {};
    return static_cast<Stakes>(found - kStakesNames.begin());
}

const Provider* Config::provider(std::string_view id) const {
    for (const auto& entry : providers)
        if (entry.id == id) return &entry;
    return nullptr;
}

const Team* Config::team(std::string_view id) const {
    for (const auto& entry : teams)
        if (entry.id == id) return &entry;
    return nullptr;
}

const Model* Config::model(std::string_view id) const {
    for (const auto& entry : models)
        if (entry.id == id) return &entry;
    return nullptr;
}

const Alias* Config::alias(std::string_view id) const {
    for (const auto& entry : aliases)
        if (entry.id == id) return &entry;
    return nullptr;
}

namespace {

// The home that the system knows of the user: services and containers are often started without HOME.
std::optional<std::string> home_of_user() {
    constexpr std::size_t kMostBytes = 16 * 1024;
    std::string buffer(kMostBytes, '\0');
    passwd entry{};
    passwd* found = nullptr;
    if (getpwuid_r(getuid(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr)
        return std::nullopt;
    return std::string(found->pw_dir);
}

}  // namespace

Environment process_environment() {
    return [](const std::string& name) -> std::optional<std::string> {
        const char* value = std::getenv(name.c_str());
        if (value != nullptr) return std::string(value);
        return name == "HOME" ? home_of_user() : std::nullopt;
    };
}

namespace {

// What the words of yaml-cpp mean for the owner: where they point is where the parser gave up, often a line too late.
std::string_view hint_of(const std::string& text, const YAML::Mark& mark, std::string_view words) {
    if (mark.is_null() || mark.pos < 0 || static_cast<std::size_t>(mark.pos) > text.size()) return "";
    const auto begin = text.rfind('\n', std::max(mark.pos, 1) - 1);
    const auto from = begin == std::string::npos ? 0 : begin + 1;
    const auto line = std::string_view(text).substr(from, text.find('\n', from) - from);
    // A name that begins with `*` is the mark of YAML's own aliases.
    const auto star = line.find('*');
    const bool quoted = star != std::string_view::npos && star > 0 && (line[star - 1] == '"' || line[star - 1] == '\'');
    if (star != std::string_view::npos && !quoted) return "; a name that begins with * needs quotes: \"*\"";
    const auto indent = line.substr(0, line.find_first_not_of(" \t"));
    if (indent.find('\t') != std::string_view::npos) return "; a tab stands before it: indent with blanks";
    if (words.find("end of map flow") != std::string_view::npos)
        return "; in this line or the one before, a comma, a quote or a `}` is missing, or a value with `: ` in it has "
               "no quotes";
    if (words.find("end of sequence flow") != std::string_view::npos)
        return "; in this line or the one before, a comma, a quote or a `]` is missing";
    if (words.find("illegal map value") != std::string_view::npos)
        return "; a value with `: ` in it needs quotes, and the line before may lack its `:`";
    return "";
}

}  // namespace

Result<Config> parse(const std::string& text, const fs::path& source, const Environment& environment, Missing missing) {
    Problems problems;
    problems.source = source.empty() ? "tandem.yaml" : source.string();
    problems.missing = missing;
    Config config;
    config.source = source;
    config.text = text;
    if (text.size() > kLargestFile)
        return fail(Fault::invalid_config,
                    fmt::format("{}: larger than 1 MiB", printable(problems.source, kLongestName)));
    if (text.find("$`") != std::string::npos)
        return fail(Fault::invalid_config,
                    fmt::format("{}: '$`' is not taken anywhere in it", printable(problems.source, kLongestName)));
    try {
        // Of several documents, all but the first would be left out in silence.
        if (const auto line = second_document(text))
            problems.lines.push_back(
                fmt::format("{}:{}:1: a second document begins here (---): put everything into one, without ---",
                            problems.source, *line));
        const YAML::Node document = YAML::Load(shield_variables(text));
        if (const auto line = first_content(text); line && (!document.IsDefined() || document.IsNull()))
            problems.lines.push_back(fmt::format("{}:{}:1: this is no YAML mapping: a config is lines of `name: value`",
                                                 problems.source, *line));
        find_twins(document, problems);
        Section root(document, "", problems, environment);
        read_root(root, config);
    } catch (const YAML::Exception& error) {
        problems.add(error.mark, fmt::format("not valid YAML: {}{}", error.msg, hint_of(text, error.mark, error.msg)));
    }
    config.bare_secrets = std::move(problems.bare_secrets);
    config.warnings = std::move(problems.warnings);
    for (auto& line : config.warnings) line = printable(line, kLongestProblem);
    config.unresolved = std::move(problems.unresolved);
    config.watched.insert(config.watched.end(), problems.watched.begin(), problems.watched.end());
    // Names of the file and of the path stand in them, and what is said goes to a terminal and into the log.
    for (auto& line : problems.lines) line = printable(line, kLongestProblem);
    if (!problems.lines.empty()) return fail(Fault::invalid_config, join(problems.lines, "\n"));
    return config;
}

namespace {

// Why there is no text of the config `path`, and what to do.
Error unread(const fs::path& path, const Error& error, const Environment& environment) {
    const auto name = printable(path.string(), kLongestName);
    std::error_code ignored;
    if (error.code == ErrorCode::invalid) return {ErrorCode::invalid, printable(error.message, kLongestName)};
    if (error.code == ErrorCode::not_found && fs::is_symlink(path, ignored))
        return {Fault::config_not_found, fmt::format("cannot read {}: it is a link to a file that is not there", name)};
    if (error.code == ErrorCode::not_found)
        return {Fault::config_not_found,
                fmt::format("cannot read {}{}; `tandem init --config {}` writes one", name,
                            environment("TANDEM_CONFIG") == path.string() ? ", which $TANDEM_CONFIG names" : "", name)};
    if (access(path.c_str(), R_OK) != 0 && errno == EACCES)
        return {Fault::config_not_found,
                fmt::format("cannot read {}: this user may not; sudo, or the user whose it is", name)};
    return {ErrorCode::not_found, printable(error.message, kLongestName)};
}

}  // namespace

Result<Config> load(const fs::path& path, bool must_exist, const Environment& environment, Missing missing) {
    std::error_code none;
    if (fs::is_directory(path, none))
        return fail(
            Fault::invalid_config,
            fmt::format("{} is a folder, and the config is a file. Docker makes such a folder where the file that "
                        "it is to mount is not there: remove it, and write the file (`tandem init`)",
                        printable(path.string(), kLongestName)));
    const auto text = read_regular(path, kLargestFile + 1);
    if (text) return parse(*text, path, environment, missing);
    // A file that $TANDEM_CONFIG names is wanted as much as one of --config.
    const bool is_wanted = must_exist || environment("TANDEM_CONFIG") == path.string() || fs::is_symlink(path, none);
    if (is_wanted || text.error().code != ErrorCode::not_found) return fail(unread(path, text.error(), environment));
    return parse("", {}, environment, missing);
}

fs::path data_folder_of(const fs::path& path, const Environment& environment) {
    const auto text = read_regular(path, kLargestFile + 1).value_or(std::string());
    auto read = [&](const std::string& yaml) {
        Problems ignored;
        ignored.missing = Missing::left_out;
        Config config;
        config.source = path;
        Section root(YAML::Load(shield_variables(yaml)), "", ignored, environment);
        read_data(root, config);
        return config.data;
    };
    try {
        return read(text);
    } catch (const YAML::Exception&) {
    }
    // The line alone, where the rest is no YAML.
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find('\n', at), text.size());
        const auto line = text.substr(at, end - at);
        at = end + 1;
        if (!line.starts_with("data:")) continue;
        try {
            return read(line);
        } catch (const YAML::Exception&) {
        }
    }
    return read("");
}

fs::path default_path(const Environment& environment) {
    if (const auto named = environment("TANDEM_CONFIG"); named && !named->empty()) return *named;
    std::error_code ignored;
    if (fs::exists("tandem.yaml", ignored)) return "tandem.yaml";
    auto own = xdg(environment, "XDG_CONFIG_HOME", ".config") / "tandem" / "tandem.yaml";
    // For those who may read the service's: sudo tandem status.
    if (!fs::exists(own, ignored) && access(kServiceConfig, R_OK) == 0) return kServiceConfig;
    return own;
}

fs::path cache_folder(const Config& config, const Environment& environment) {
    if (config.source == kServiceConfig && !environment("TANDEM_CACHE")) return kServiceCache;
    if (const auto named = environment("TANDEM_CACHE"); named && !named->empty()) return *named;
    return xdg(environment, "XDG_CACHE_HOME", ".cache") / "tandem";
}

}  // namespace tandem::config
