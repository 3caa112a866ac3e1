#include "app.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <thread>

#include "access/stored_keys.h"
#include "advice/record.h"
#include "alerts/alerts.h"
#include "alerts/noticed_work.h"
#include "api/api.h"
#include "backup/restore.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/text.h"
#include "base/time_text.h"
#include "catalog/measurements.h"
#include "energy/sampler.h"
#include "experiment/experiments.h"
#include "experiment/records.h"
#include "gateway/forget.h"
#include "job_kinds.h"
#include "ledger/local/hours.h"
#include "ledger/local/measured.h"
#include "ledger/local/noticed.h"
#include "ledger/reports/retention.h"
#include "privacy/checkpoints.h"
#include "privacy/egress.h"
#include "probe/probes.h"
#include "resources/batches.h"
#include "resources/files.h"
#include "resources/quota.h"
#include "resources/stored.h"
#include "retrieval/retrieval.h"
#include "store/folder_lock.h"

namespace tandem {

namespace fs = std::filesystem;

namespace {

const std::string& first_schema() {
    static const std::string sql = std::string(ledger::kLedgerSchema) + privacy::kEgressSchema + privacy::kLabelSchema;
    return sql;
}

const std::string& privacy_schema() {
    static const std::string sql =
        std::string(privacy::kLabelSchema2) + privacy::kEgressSchema2 + privacy::kVaultSchema;
    return sql;
}

const std::string& laws_schema() {
    static const std::string sql = std::string(privacy::kEgressSchema3) + privacy::kLabelSchema3;
    return sql;
}

const std::string& local_schema() {
    static const std::string sql = std::string(ledger::local::kHoursSchema) + ledger::local::kMeasuredSchema;
    return sql;
}

net::ServerSettings server_settings(const config::Config& config) {
    const auto& server = config.server;
    net::ServerSettings settings;
    settings.local_socket = local_socket(config.data);
    settings.host = server.host;
    settings.port = server.port;
    settings.tls_certificate = server.tls_certificate;
    settings.tls_key = server.tls_key;
    settings.limits = server.limits;
    if (server.loopback) {
        settings.hosts = {"localhost", "127.0.0.1", "[::1]", lower(server.host)};
        for (const auto& host : server.hosts) settings.hosts.push_back(lower(host));
    }
    return settings;
}

}  // namespace

std::span<const store::Migration> migrations() {
    static const std::array all{store::Migration{first_schema().c_str()},
                                store::Migration{resources::kKeptSchema},
                                store::Migration{privacy_schema().c_str()},
                                store::Migration{learning::kOutcomesSchema},
                                store::Migration{experiment::kExperimentsSchema},
                                store::Migration{probe::kProbesSchema},
                                store::Migration{resources::kKeptSchema2},
                                store::Migration{ledger::kLedgerSchema2},
                                store::Migration{resources::kQuotaSchema},
                                store::Migration{laws_schema().c_str()},
                                store::Migration{learning::kOutcomesSchema2},
                                store::Migration{jobs::kJobsSchema},
                                store::Migration{ledger::kLedgerSchema3},
                                store::Migration{ledger::reports::kReportsSchema},
                                store::Migration{ledger::kBudgetsSchema},
                                store::Migration{access::kKeysSchema},
                                store::Migration{ledger::kLedgerSchema4},
                                store::Migration{resources::kKeptSchema3},
                                store::Migration{local_schema().c_str()},
                                store::Migration{ledger::local::kNoticedSchema},
                                store::Migration{advice::kAdviceSchema},
                                store::Migration{catalog::kMeasurementsSchema},
                                store::Migration{ledger::reports::kReportsSchema2},
                                store::Migration{jobs::kJobsSchema2},
                                store::Migration{ledger::kLedgerSchema5},
                                store::Migration{catalog::kMeasurementsSchema2},
                                store::Migration{probe::kFindingsSchema}};
    return all;
}

fs::path local_socket(const fs::path& data) {
    return data / "tandem.sock";
}

Result<Secret> admin_token(const fs::path& data, bool create) {
    const auto file = data / "admin.token";
    constexpr std::size_t kMostBytes = 256, kFewest = 32;
    if (const auto text = read_regular(file, kMostBytes))
        if (const auto token = trim(*text); token.size() >= kFewest) return Secret(std::string(token));
    if (!create)
        return fail(ErrorCode::not_found, fmt::format("there is no {}; `tandem serve` makes it", file.string()));
    auto token = random_hex(*system_random(), 48);
    const int fd = open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const bool written = fd >= 0 && write(fd, token.data(), token.size()) == static_cast<ssize_t>(token.size());
    if (fd >= 0) close(fd);
    if (!written)
        return fail(ErrorCode::storage, fmt::format("cannot write {}: {}", file.string(), std::strerror(errno)));
    return Secret(std::move(token));
}

namespace {

// Without its key it is locked: then nothing can be redacted, and what would have to be stays home.
privacy::Vault open_vault(const config::Config& config, const Clock& clock) {
    auto keys = privacy::Keys::open(config.data, config.privacy.vault_key->reveal());
    if (keys) return {std::move(*keys), "", clock};
    spdlog::error("the vault is locked, nothing can be redacted: {}", keys.error().message);
    return {nullptr, keys.error().message, clock};
}

// How an engine is started, as a number: other flags make another model of the same file. Empty elsewhere.
std::string flags_of(const config::Config& config, const config::Model& model) {
    if (!config.provider(model.provider)->kind->runs_here) return {};
    const auto flags = fmt::format("{} {} {}\n{}\n{}", model.context_tokens, model.slots, model.args.size(),
                                   join(model.args, "\n"), join(model.command.line, "\n"));
    return "\nflags " + hex(sha256(flags)).substr(0, 16);
}

}  // namespace

// A file is told by its size and time: reading gigabytes at each start would take too long.
std::string identity_of(const config::Config& config, const config::Model& model,
                        const config::Environment& environment) {
    std::string identity = model.provider + "\n" + model.name;
    const engine::EnginesSettings settings{config.data, config::cache_folder(config, environment), environment};
    std::error_code error;
    if (config.provider(model.provider)->kind->runs_here)
        if (const auto program = engine::find_program(config, model, settings))
            identity += fmt::format("\n{} {}", program->string(), fs::file_size(*program, error));
    identity += flags_of(config, model);
    if (model.file.empty()) return identity;
    identity += "\n" + model.file;
    const auto file = engine::find_model_file(config, model, settings);
    if (!file) return identity;
    const auto size = fs::file_size(*file, error);
    const auto time = fs::last_write_time(*file, error).time_since_epoch().count();
    return error ? identity : fmt::format("{}\n{}\n{}", identity, size, time);
}

namespace {

// Which Tandem and which llama-server run.
alerts::NoticedWork::Versions versions_of(const config::Config& config, const config::Environment& environment) {
    alerts::NoticedWork::Versions versions = {{"Tandem", TANDEM_VERSION}};
    const auto binary =
        engine::find_binary(config, {config.data, config::cache_folder(config, environment), environment});
    if (!binary) return versions;
    std::error_code error;
    const auto size = fs::file_size(*binary, error);
    const auto time = std::chrono::file_clock::to_sys(fs::last_write_time(*binary, error)).time_since_epoch();
    if (!error)
        versions["llama-server"] = fmt::format(
            "{} bytes of {}", size, time_text(std::chrono::duration_cast<std::chrono::seconds>(time).count() * 1'000));
    return versions;
}

}  // namespace

constexpr milliseconds kLockPatience{5'000};  // for a tandem that was killed a moment ago to be gone

// Members are built from top to bottom, and go from bottom to top.
struct App::Parts {
    Parts(store::FolderLock lock, std::unique_ptr<store::Store> opened, config::Environment env,
          const config::Config& config, Secret token, World given)
        : lock(std::move(lock)),
          environment(std::move(env)),
          world(std::move(given)),
          memory(config.server.limits.memory_bytes),
          store(std::move(opened)),
          vault(open_vault(config, *clock)),
          engines({config.data, config::cache_folder(config, environment), environment,
                   [this](const std::string& model, const std::string& why) { work.engine_failed(model, why); },
                   [this] { return take_engine(); }},
                  *random, *clock),
          services{.clock = *clock,
                   .random = *random,
                   .store = *store,
                   .privacy = privacy,
                   .ledger = ledger,
                   .budgets = budgets,
                   .engines = engines,
                   .health = health,
                   .gate = gate,
                   .pace = pace,
                   .wants = wants,
                   .repeats = repeats,
                   .learning = learning,
                   .cache = cache,
                   .trials = experiments,
                   .observers = {&experiments},
                   .memory = memory,
                   .scans = scans,
                   .pool = pool,
                   .admin_token = std::move(token),
                   .mutex = {},
                   .current = {},
                   .refused = {},
                   .files = {},
                   .stopping = false} {
        const unsigned count =
            config.server.workers != 0 ? config.server.workers : std::max(1U, std::thread::hardware_concurrency());
        for (unsigned i = 0; i < count; ++i) workers.push_back(std::make_unique<net::Worker>());
        drain_timeout = config.server.drain_timeout;
    }

    ~Parts() {
        services.stopping = true;
        budgets.settled().notify();
        if (server) server->stop(drain_timeout, [this] { engines.refuse_from_now(); });
        runner.stop();
        scans.join();
        pool.join();
        for (auto& worker : workers) worker->stop();
        // What was submitted while nobody waited for it refers to the members below.
        if (auto ok = store->run([](store::Database&) { return Result<>(); }); !ok)
            spdlog::error("the last records could not be written: {}", ok.error().message);
        if (checkpoints) checkpoints->stop();
    }

    Result<std::shared_ptr<const gateway::Snapshot>> snapshot_of(config::Config config) const {
        std::vector<catalog::Measurement> measurements;
        auto read = store->run([&measurements](store::Database& database) -> Result<> {
            auto all = catalog::measurements(database);
            if (!all) return fail(all.error());
            measurements = std::move(*all);
            return {};
        });
        if (!read) return fail(read.error());
        std::map<std::string, std::string> identities;
        for (const auto& model : config.models) identities[model.id] = identity_of(config, model, environment);
        const auto measured_of = [&](const config::Model& model) {
            return catalog::measured_of(measurements, model.id, identities[model.id]);
        };
        if (!world.detector) return gateway::snapshot_of(std::move(config), environment, nullptr, measured_of);
        auto detector = world.detector(config);
        if (!detector) return fail(detector.error());
        return gateway::snapshot_of(std::move(config), environment, std::move(*detector), measured_of);
    }

    // The keys of the store beside those of the config.
    Result<> add_keys(config::Config& config) const {
        std::vector<access::StoredKey> keys;
        auto read = store->run([&keys](store::Database& database) -> Result<> {
            auto all = access::stored_keys(database);
            if (!all) return fail(all.error());
            keys = std::move(*all);
            return {};
        });
        if (!read) return read;
        for (const auto& reason : access::add_to(config, keys)) spdlog::warn("{}", reason);
        return {};
    }

    // That what the windows of the last days say is what the ledger's attempts come to: a difference is a fault of
    // ours, or of whoever wrote into the ledger, and the log says it. Errors: storage.
    Result<> check_budgets() const {
        static constexpr milliseconds kReach{2 * 86'400'000LL};
        return store->run([this](store::Database& database) -> Result<> {
            const auto differences = budgets.check(database, kReach);
            if (!differences) return fail(differences.error());
            for (const auto& one : *differences) spdlog::error("a window of a budget is not right: {}", one);
            return {};
        });
    }

    // The budgets of a config, and of the experiments that run beside those that it names. Errors: storage.
    Result<> adopt_budgets(config::Config config) {
        for (auto& [record, definition] : experiments.all()) {
            if (std::ranges::find(config.experiments, definition.name, &config::Experiment::name) ==
                config.experiments.end())
                config.experiments.push_back(std::move(definition));
        }
        for (auto& budget : probes.budgets()) config.budgets.push_back(std::move(budget));
        return budgets.adopt(config, *store);
    }

    // After a change of keys or experiments. Errors: storage.
    Result<> take_keys() {
        const std::lock_guard lock(adopting);
        const auto old = services.snapshot();
        auto next = std::make_shared<gateway::Snapshot>(*old);
        auto config = *old->config;
        if (auto ok = add_keys(config); !ok) return ok;
        next->config = std::make_shared<const config::Config>(std::move(config));
        if (auto ok = adopt_budgets(*next->config); !ok) return ok;
        alerts.configure(next->config);
        services.adopt(std::move(next));
        return {};
    }

    // After another engine's program: what was measured and learned with the one before counts as another model's. And
    // after a measurement.
    Result<> take_engine() {
        const std::lock_guard lock(adopting);
        auto next = snapshot_of(*services.snapshot()->config);
        if (!next) return fail(next.error());
        services.adopt(std::move(*next));
        return {};
    }

    // The index of this data folder. It is made when there is something to put into it. Errors: storage.
    Result<std::shared_ptr<retrieval::Retrieval>> find_index(bool make) {
        const std::lock_guard one(indexing);
        if (index != nullptr || !make) return index;
        const auto snapshot = services.snapshot();
        std::error_code error;
        const auto self = world.program.empty() ? fs::read_symlink("/proc/self/exe", error) : world.program;
        auto opened = retrieval::Retrieval::open(*snapshot->config, snapshot->detector, self, *random,
                                                 retrieval::Retrieval::Use::keep);
        if (!opened) return fail(opened.error());
        index = std::move(*opened);
        index->start();
        return index;
    }

    // What a config says of the index. Errors: storage.
    Result<> configure_index() {
        const auto snapshot = services.snapshot();
        const auto found = find_index(!snapshot->config->retrieval.collections.empty() ||
                                      retrieval::Retrieval::is_there(*snapshot->config));
        if (!found) return fail(found.error());
        return *found == nullptr ? Result<>() : (*found)->configure(*snapshot->config, snapshot->detector);
    }

    std::vector<net::Worker*> worker_list() const {
        std::vector<net::Worker*> list;
        list.reserve(workers.size());
        for (const auto& worker : workers) list.push_back(worker.get());
        return list;
    }

    store::FolderLock lock;
    config::Environment environment;
    World world;
    MemoryAccount memory;
    std::unique_ptr<Clock> clock = world.clock ? std::move(world.clock) : system_clock();
    std::unique_ptr<Random> random = system_random();
    const ledger::reports::Retention retention{experiment::kDecisionsOfTrials};
    std::unique_ptr<store::Store> store;
    privacy::Vault vault;
    privacy::Privacy privacy{*store, vault, *clock};
    std::shared_ptr<privacy::Checkpoints> checkpoints;  // shared with records on their way to the disk
    ledger::Budgets budgets{*clock};
    ledger::Ledger ledger{*store, budgets};
    alerts::NoticedWork work{*store, *clock};
    engine::Engines engines;
    upstream::Health health{
        *clock, [this](const std::string& provider) { work.provider_down(*services.snapshot()->config, provider); }};
    upstream::Gate gate{*clock};
    upstream::Pace pace;
    translate::LearnedWants wants;
    routing::Repeats repeats;
    net::FairPool scans{std::max(2U, std::thread::hardware_concurrency())};
    net::asio::thread_pool pool{1};
    learning::Learning learning{*store, *clock, memory, pool,
                                [this](const config::Config& config, const config::Model& model) {
                                    return identity_of(config, model, environment);
                                }};
    jobs::Runner runner;
    jobs::Queue queue{*store, *clock, runner};
    alerts::Alerts alerts{*store, *clock, budgets, runner, queue, scans};
    experiment::Experiments experiments{*store, *clock, learning, runner};
    energy::Sampler sampler{*store, *clock, pool, [this] { return services.snapshot()->config; }};
    probe::Probes probes{*store,
                         *clock,
                         learning,
                         queue,
                         {[this] { return take_engine(); },
                          [this] {
                              const std::lock_guard lock(adopting);
                              return adopt_budgets(*services.snapshot()->config);
                          }}};
    cache::AnswerCache cache{memory};
    gateway::Services services;
    std::shared_ptr<retrieval::Retrieval> index;  // null: there is none
    std::mutex indexing;
    std::vector<std::unique_ptr<net::Worker>> workers;
    std::optional<gateway::Gateway> gateway;
    std::optional<resources::Responses> responses;
    std::optional<resources::Batches> batches;
    std::optional<api::Api> api;
    std::optional<net::Server> server;
    milliseconds drain_timeout{};
    std::mutex adopting;  // one config or change of keys at a time
};

App::App(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
App::~App() = default;

Result<std::unique_ptr<App>> App::start(config::Config config, const config::Environment& environment, World world) {
    std::error_code error;
    const mode_t mask = umask(0077);
    fs::create_directories(config.data, error);
    umask(mask);
    if (error)
        return fail(ErrorCode::storage, fmt::format("cannot make the data folder {}: {}; set `data:` in tandem.yaml",
                                                    config.data.string(), error.message()));
    auto lock = store::FolderLock::take(config.data, kLockPatience);
    if (!lock) return fail(lock.error());
    const auto left = backup::finish_restore(config.data);
    if (!left) return fail(left.error());
    if (!left->empty()) spdlog::warn("{}", *left);
    auto store = store::Store::open(
        config.data / "ledger.db", migrations(),
        config.durability == config::Durability::power ? store::Durability::power : store::Durability::process);
    if (!store) return fail(store.error());
    auto token = admin_token(config.data, true);
    if (!token) return fail(token.error());

    auto parts = std::make_unique<Parts>(std::move(*lock), std::move(*store), environment, config, std::move(*token),
                                         std::move(world));
    parts->privacy.memory().set_quota(config.privacy.label_memory);
    if (auto ok = parts->privacy.memory().load(*parts->store); !ok) return fail(ok.error());
    if (auto ok = parts->vault.load(*parts->store); !ok) return fail(ok.error());
    if (const auto* keys = parts->vault.keys()) {
        auto checkpoints = std::make_shared<privacy::Checkpoints>(config.checkpoints_file(), *keys, *parts->clock);
        if (auto ok = checkpoints->start(*parts->store); !ok) return fail(ok.error());
        parts->privacy.on_committed(
            [checkpoints](const privacy::EgressRecord& r) { checkpoints->committed(r.sequence, r.hash); });
        parts->checkpoints = std::move(checkpoints);
    }
    if (auto ok = ledger::keep_currency(*parts->store, config.currency); !ok) return fail(ok.error());
    resources::remove_unfinished(config.data);
    if (auto ok = parts->add_keys(config); !ok) return fail(ok.error());
    if (auto ok = parts->budgets.adopt(config, *parts->store); !ok) return fail(ok.error());
    const auto lost = ledger::settle_lost(*parts->store, parts->budgets);
    if (!lost) return fail(lost.error());
    if (lost->attempts > 0)
        spdlog::warn(
            "{} attempts were under way when tandem ended; {} {} is counted for them, as it was reserved (an answer "
            "without a maximum may have cost more): `tandem cost` has it, and `tandem explain` shows each as lost",
            lost->attempts, lost->cost.text(), config.currency);
    if (auto ok = parts->check_budgets(); !ok) return fail(ok.error());
    if (auto ok = parts->work.versions(versions_of(config, environment)); !ok) return fail(ok.error());
    parts->gateway.emplace(parts->services, parts->worker_list());
    parts->responses.emplace(*parts->gateway, parts->runner);
    parts->batches.emplace(*parts->gateway, parts->runner, parts->queue);
    parts->api.emplace(
        *parts->gateway, *parts->responses, *parts->batches, parts->experiments, parts->probes,
        [&parts = *parts] { return parts.take_keys(); },
        [&parts = *parts](bool make) { return parts.find_index(make); });
    parts->services.files = [&parts = *parts]() -> Result<std::shared_ptr<const retrieval::Files>> {
        return parts.find_index(false);
    };
    parts->server.emplace(server_settings(config), parts->worker_list(), *parts->api, parts->memory);
    auto snapshot = parts->snapshot_of(std::move(config));
    if (!snapshot) return fail(snapshot.error());
    parts->services.adopt(std::move(*snapshot));
    if (auto ok = parts->learning.load(); !ok) return fail(ok.error());
    if (auto ok = parts->experiments.configure(parts->services.snapshot()->config); !ok) return fail(ok.error());
    if (auto ok = parts->adopt_budgets(*parts->services.snapshot()->config); !ok) return fail(ok.error());
    if (auto ok = parts->configure_index(); !ok) return fail(ok.error());
    if (auto ok = parts->server->listen(); !ok) return fail(ok.error());
    for (auto& worker : parts->workers) worker->start([&store = *parts->store] { store.end_turn(); });
    if (auto ok = parts->responses->fail_interrupted(); !ok) return fail(ok.error());
    parts->alerts.configure(parts->services.snapshot()->config);
    add_job_kinds(parts->queue, {*parts->gateway, parts->alerts, *parts->batches, parts->probes});
    if (auto ok = parts->queue.start(parts->worker_list()); !ok) return fail(ok.error());
    parts->alerts.start(*parts->workers.front());
    parts->runner.start(*parts->workers.front(), "energy", [&sampler = parts->sampler](auto& worker, auto& cancel) {
        return sampler.watch(worker, cancel);
    });
    parts->runner.start(*parts->workers.front(), "retention", [raw = parts.get()](auto& worker, auto& cancel) {
        return gateway::forget_old(raw->services, raw->retention, worker, cancel);
    });
    return std::unique_ptr<App>(new App(std::move(parts)));
}

Result<> App::reload() {
    auto taken = take_over();
    // `tandem status` says it, since few read the log.
    parts_->services.refuse_config(taken ? std::string() : taken.error().message);
    return taken;
}

Result<> App::take_over() {
    const std::lock_guard lock(parts_->adopting);
    const auto old = parts_->services.snapshot();
    if (old->config->source.empty()) return fail(ErrorCode::not_found, "there is no config file to read again");
    auto next = config::load(old->config->source, true, parts_->environment);
    if (!next) return fail(next.error());
    // Whoever writes the file may have emptied it first, and an empty one has no keys.
    if (trim(next->text).empty())
        return fail(ErrorCode::invalid, fmt::format("{} is empty; the old config stays", next->source.string()));
    if (!(next->server == old->config->server) || next->data != old->config->data ||
        next->durability != old->config->durability)
        spdlog::warn(
            "of server only cors and request_timeout change at once; the rest of it, data and durability at the next "
            "start");
    for (const auto& warning : next->warnings) spdlog::warn("{}", warning);
    next->data = old->config->data;
    // A file that is cut while it is written has lost them, and everybody would be let in.
    const auto of_file = [](const config::Config& c) {
        return std::ranges::any_of(c.keys, [](const config::Key& key) { return !key.stored; });
    };
    if (of_file(*old->config) && !of_file(*next))
        return fail(ErrorCode::invalid,
                    "the new config has no keys, and the old one has; the old config stays. If that is meant, start "
                    "tandem anew");
    if (auto ok = parts_->add_keys(*next); !ok) return ok;
    auto snapshot = parts_->snapshot_of(std::move(*next));
    if (!snapshot) return fail(snapshot.error());
    if (auto ok = ledger::keep_currency(*parts_->store, (*snapshot)->config->currency); !ok) return ok;
    parts_->privacy.memory().set_quota((*snapshot)->config->privacy.label_memory);
    parts_->services.adopt(std::move(*snapshot));
    parts_->alerts.configure(parts_->services.snapshot()->config);
    if (auto ok = parts_->experiments.configure(parts_->services.snapshot()->config); !ok) return ok;
    if (auto ok = parts_->configure_index(); !ok) return ok;
    return parts_->adopt_budgets(*parts_->services.snapshot()->config);
}

log::Settings App::logging() const {
    return parts_->services.snapshot()->config->logging;
}

std::vector<fs::path> App::files() const {
    const auto snapshot = parts_->services.snapshot();
    auto list = snapshot->config->files();
    list.push_back(prices::imported_folder(snapshot->config->data));
    return list;
}

std::string App::url() const {
    const auto snapshot = parts_->services.snapshot();
    const auto& server = snapshot->config->server;
    const bool v6 = server.host.find(':') != std::string::npos;
    return fmt::format("{}://{}{}{}:{}", server.tls_certificate.empty() ? "http" : "https", v6 ? "[" : "", server.host,
                       v6 ? "]" : "", parts_->server->port());
}

}  // namespace tandem
