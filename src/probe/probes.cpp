#include "probe/probes.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "base/text.h"
#include "config/names.h"
#include "gateway/ask.h"
#include "store/query.h"

namespace tandem::probe {

namespace {

// Errors: not_found, invalid.
Result<const config::Model*> model_of(const config::Config& config, const std::string& model) {
    const auto* const known = config.model(model);
    if (known == nullptr || config::is_pattern(model)) {
        std::vector<std::string> names;
        for (const auto& one : config.models) names.push_back(one.id);
        return fail(Fault::unknown_model,
                    fmt::format("there is no model '{}'{}", printable(model, 60), suggest(model, names)), "model");
    }
    const auto claims = known->capabilities.value_or(config::Capabilities());
    if (claims.has(config::Capability::embeddings) || claims.has(config::Capability::rerank))
        return fail(Fault::unsupported_demand, fmt::format("'{}' makes no answers that could be checked", model),
                    "model");
    return known;
}

Result<> check_suites(const std::vector<std::string>& wanted) {
    std::vector<std::string> names;
    for (const auto& row : suites()) names.emplace_back(row.name);
    for (const auto& name : wanted)
        if (find_suite(name) == nullptr)
            return fail(Fault::invalid_field,
                        fmt::format("there is no suite '{}'{}", printable(name, 60), suggest(name, names)), "suites");
    return {};
}

// What a probe asks of a cloud costs money, so its owner says how much. Errors: invalid.
Result<> check_budget(const gateway::Snapshot& snapshot, const config::Model& model, const Wanted& wanted) {
    const auto& config = *snapshot.config;
    if (config.provider(model.provider)->zone != Zone::cloud) return {};
    if (!wanted.budget)
        return fail(Fault::invalid_field,
                    fmt::format("'{}' is a cloud model: say what the probe may cost at most, as with "
                                "`tandem probe {} --budget 0.50` (in {})",
                                model.id, model.id, config.currency),
                    "budget");
    if (!snapshot.pricing->of(model).known())
        return fail(Fault::price_unknown,
                    fmt::format("nobody knows what '{}' costs, so no budget can hold: set models.{}.price in "
                                "tandem.yaml",
                                model.id, model.id),
                    "model");
    return {};
}

Subject subject_of(const config::Config& config, const config::Model& model, const Wanted& wanted) {
    const auto claims = model.capabilities.value_or(config::Capabilities());
    return {.context_tokens = model.context_tokens,
            .thinks = claims.has(config::Capability::reasoning),
            .can_render = config.provider(model.provider)->kind->holds_to_grammar,
            .slots = model.slots,
            .each = wanted.each,
            .longest = wanted.longest,
            .seed = wanted.seed};
}

// The questions at most of the suites from `first` on.
std::size_t most_of(const Subject& subject, const Wanted& wanted, std::size_t first) {
    std::size_t sum = 0;
    for (std::size_t i = first; i < wanted.suites.size(); ++i)
        if (const auto* row = find_suite(wanted.suites[i]); row != nullptr) sum += row->make(subject)->most();
    return sum;
}

}  // namespace

// A job under way.
struct Probes::Job {
    gateway::Gateway& gateway;
    jobs::Queue::Context& context;
    const Wanted wanted;
    Subject subject;
    Way way;
    int errors = 0;            // in a row
    bool over_budget = false;  // there was no room for the last question

    const std::string& model() const { return wanted.model; }
    std::size_t done() const { return way.before + way.outcomes.size(); }
};

Probes::Probes(store::Store& store, const Clock& clock, learning::Learning& learning, jobs::Queue& queue,
               Effects effects)
    : store_(store), clock_(clock), learning_(learning), queue_(queue), effects_(std::move(effects)) {}

net::Task<Result<std::size_t>> Probes::start(gateway::Gateway& gateway, Wanted wanted) {
    auto& services = gateway.services();
    const auto snapshot = services.snapshot();
    const auto model = model_of(*snapshot->config, wanted.model);
    if (!model) co_return fail(model.error());
    if (auto ok = check_suites(wanted.suites); !ok) co_return fail(ok.error());
    if (auto ok = check_budget(*snapshot, **model, wanted); !ok) co_return fail(ok.error());
    const auto most = most_of(subject_of(*snapshot->config, **model, wanted), wanted, 0);
    jobs::Job job{.id = services.new_id("probe_"),
                  .kind = std::string(kJob),
                  .owner = who_.id(),
                  .label = Label::public_,
                  .budget = who_.id(),
                  .payload = text_of(wanted),
                  .created = services.unix_seconds()};
    if (auto ok = begin(wanted.model, job.id, {0, most, true, {}, wanted.suites.front()}); !ok)
        co_return fail(ok.error());
    const auto kept = co_await store::change(store_, [job](store::Database& database) { return put(database, job); });
    if (!kept) {
        note(wanted.model, [](Progress& p) { p.runs = false; });
        co_return fail(kept.error());
    }
    queue_.enter(std::move(job));
    co_return most;
}

net::Task<Result<>> Probes::cancel(std::string model) {
    using Ids = std::vector<std::string>;
    // The rows know also those that wait for their turn since a start.
    const auto ended = co_await store::query<Ids>(store_, [model](store::Database& database) -> Result<Ids> {
        auto jobs = jobs::open_jobs(database, kJob);
        if (!jobs) return fail(jobs.error());
        Ids ids;
        for (const auto& job : *jobs) {
            if (wanted_from(job.payload).model != model) continue;
            if (auto ok = jobs::want_ended(database, job.id); !ok) return fail(ok.error());
            ids.push_back(job.id);
        }
        return ids;
    });
    if (!ended) co_return fail(ended.error());
    if (ended->empty())
        co_return fail(Fault::not_found, fmt::format("no probe of '{}' is under way", printable(model, 60)), "model");
    for (const auto& id : *ended) queue_.end(id);
    co_return Result<>{};
}

net::Task<Result<>> Probes::forget(gateway::Gateway& gateway, std::string model) {
    const auto gone = co_await store::change(store_, [model](store::Database& database) -> Result<> {
        if (auto ok = catalog::forget(database, model); !ok) return ok;
        return forget_findings(database, model);
    });
    if (!gone) co_return gone;
    co_return co_await net::run_on<Result<>>(gateway.services().pool, effects_.measured);
}

std::optional<Probes::Progress> Probes::progress(const std::string& model) const {
    const std::lock_guard lock(mutex_);
    const auto found = runs_.find(model);
    return found == runs_.end() ? std::nullopt : std::optional(found->second.progress);
}

std::vector<config::Budget> Probes::budgets() const {
    const std::lock_guard lock(mutex_);
    std::vector<config::Budget> list;
    for (const auto& [model, run] : runs_) {
        if (!run.budget) continue;
        config::Budget budget;
        budget.field = fmt::format("probe of {}", model);
        budget.limit = run.budget;
        budget.window.period = Period::total;
        budget.of.workflow = run.job;  // nobody else names it
        budget.on_budget = config::OnBudget::refuse;
        list.push_back(std::move(budget));
    }
    return list;
}

Result<> Probes::begin(const std::string& model, const std::string& job, Progress progress) {
    const std::lock_guard lock(mutex_);
    auto& run = runs_[model];
    if (run.progress.runs && run.job != job)
        return fail(Fault::already_running, fmt::format("'{}' is being probed already: {} of {} questions are done",
                                                        model, run.progress.done, run.progress.of));
    run = {job, std::move(progress)};
    return {};
}

void Probes::note(const std::string& model, const std::function<void(Progress&)>& change) {
    const std::lock_guard lock(mutex_);
    change(runs_[model].progress);
}

net::Task<Result<>> Probes::hold_budget(gateway::Gateway& gateway, const Job& job) {
    if (!job.wanted.budget) co_return Result<>{};
    {
        const std::lock_guard lock(mutex_);
        runs_[job.model()].budget = job.wanted.budget;
    }
    co_return co_await net::run_on<Result<>>(gateway.services().pool, effects_.budgets_changed);
}

net::Task<Result<Outcome>> Probes::ask(Job& job, const SuiteRow& row, Asker& asker, const Question& question) {
    const auto began = clock_.steady();
    const auto told = co_await asker.ask(question);
    if (job.context.cancel.fired()) co_return Outcome{};  // it is asked again at the next start
    Record record;
    record.model = job.model();
    record.suite = row.name;
    record.task = question.task.empty() ? fmt::format("{}/{}", row.name, question.name) : question.task;
    record.kind = question.kind.empty() ? std::string(row.name) : question.kind;
    record.identity = learning_.identity(job.model());
    record.decision = told.decision;
    record.time = unix_ms(clock_.wall());
    record.milliseconds = std::chrono::duration_cast<milliseconds>(clock_.steady() - began).count();
    Outcome outcome{std::nullopt, {}, told.error};
    if (told.error.empty()) outcome = question.judge(told.heard);
    record.passed = outcome.passed;
    record.note = printable(outcome.note, 300);
    job.over_budget = told.over_budget;
    job.errors = told.error.empty() ? 0 : job.errors + 1;
    if (told.error.empty() && !question.task.empty() && outcome.passed)
        learning_.probed(told.decision, question.task, *outcome.passed);
    const auto kept =
        co_await store::change(store_, [record](store::Database& database) { return put(database, record); });
    if (!kept) co_return fail(kept.error());
    co_return outcome;
}

// What it found, and what routing goes by from now on.
net::Task<Result<>> Probes::keep(Job& job, const SuiteRow& row, const Suite& suite) {
    const auto identity = learning_.identity(job.model());
    const auto now = unix_ms(clock_.wall());
    std::vector<Found> all;
    for (auto& finding : suite.findings())
        all.push_back({job.model(), std::string(row.name), std::move(finding), identity,
                       static_cast<std::int64_t>(job.wanted.seed), now, std::ssize(all)});
    std::vector<catalog::Measurement> measured;
    for (const auto& one : suite.decided())
        measured.push_back({job.model(), one.quantity, one.value, identity,
                            fmt::format("the suite {} of tandem probe", row.name), now, one.low, one.high, one.asked});
    const bool decides = !measured.empty();
    auto kept = co_await store::change(store_,
                                       [all = std::move(all), measured = std::move(measured), model = job.model(),
                                        suite = std::string(row.name)](store::Database& database) -> Result<> {
                                           for (const auto& one : measured)
                                               if (auto ok = catalog::put(database, one); !ok) return ok;
                                           return replace(database, model, suite, all);
                                       });
    if (!kept || !decides) co_return kept;
    co_return co_await net::run_on<Result<>>(job.gateway.services().pool, effects_.measured);
}

net::Task<std::string> Probes::ask_suite(Job& job, const SuiteRow& row) {
    const auto suite = row.make(job.subject);
    for (const auto& outcome : job.way.outcomes) {
        (void)suite->next();  // as when it was asked
        suite->take(outcome);
    }
    if (job.way.outcomes.empty() && row.name != "basics")
        (void)co_await store::change(store_, [model = job.model(), name = std::string(row.name)](auto& database) {
            return forget_records(database, model, name);
        });
    Asker asker(job.gateway, who_, job.context, job.model(), {row.name != "basics", job.wanted.budget.has_value()});
    while (const auto question = suite->next()) {
        if (job.wanted.idle) co_await asker.wait_for_quiet();
        if (job.context.ends) co_return "it was cancelled";
        auto outcome = co_await ask(job, row, asker, *question);
        if (job.context.cancel.fired()) co_return "";
        if (!outcome) co_return "its results cannot be written: " + outcome.error().message;
        if (job.over_budget)
            co_return fmt::format(
                "its budget has no room for the next question after {}; what was answered is kept: "
                "ask again with a higher --budget",
                job.done());
        suite->take(*outcome);
        job.way.outcomes.push_back(std::move(*outcome));
        note(job.model(), [&](Progress& p) { p.done = job.done(); });
        // Where that fails, the next start asks the question again.
        (void)co_await job.context.note(text_of(job.way));
        if (job.errors < kMostErrors || !suite->next()) continue;
        const auto& why = job.way.outcomes.back().note;
        co_return fmt::format("{} questions in a row could not be asked: {}", kMostErrors, why);
    }
    if (auto ok = co_await keep(job, row, *suite); !ok)
        co_return "its results cannot be written: " + ok.error().message;
    co_return "";
}

net::Task<std::string> Probes::ask_suites(Job& job) {
    while (job.way.suite < job.wanted.suites.size()) {
        const auto& row = *find_suite(job.wanted.suites[job.way.suite]);
        note(job.model(), [&](Progress& p) { p.suite = row.name; });
        auto ended = co_await ask_suite(job, row);
        if (!ended.empty() || job.context.cancel.fired()) co_return ended;
        job.way = {job.way.suite + 1, job.done(), {}};
        const auto left = most_of(job.subject, job.wanted, job.way.suite);
        note(job.model(), [&](Progress& p) { p.of = job.way.before + left; });
        (void)co_await job.context.note(text_of(job.way));
    }
    co_return "";
}

net::Task<jobs::Queue::Outcome> Probes::run(gateway::Gateway& gateway, jobs::Queue::Context& context) {
    const auto snapshot = gateway.services().snapshot();
    const auto wanted = wanted_from(context.job.payload);
    const auto model = model_of(*snapshot->config, wanted.model);
    const auto suites = check_suites(wanted.suites);
    const auto budget = model ? check_budget(*snapshot, **model, wanted) : Result<>();
    Job job{gateway, context, wanted, {}, way_from(context.job.progress)};
    Result<> begun = !model ? Result<>(fail(model.error())) : !suites ? suites : budget;
    if (begun) {
        job.subject = subject_of(*snapshot->config, **model, wanted);
        const auto most = job.way.before + most_of(job.subject, wanted, job.way.suite);
        begun = begin(wanted.model, context.job.id, {job.done(), most, true, {}, {}});
    }
    if (!begun) {
        spdlog::warn("the probe {} ended early: {}", context.job.id, begun.error().message);
        co_return jobs::Queue::done();
    }
    const auto held = co_await hold_budget(gateway, job);
    const auto ended = held ? co_await ask_suites(job) : "its budget cannot be held: " + held.error().message;
    if (context.cancel.fired()) co_return jobs::Queue::interrupted();
    {
        const std::lock_guard lock(mutex_);
        auto& run = runs_[wanted.model];
        run.budget.reset();
        run.progress.runs = false;
        run.progress.ended = ended;
    }
    if (wanted.budget) (void)co_await net::run_on<Result<>>(gateway.services().pool, effects_.budgets_changed);
    if (!ended.empty()) spdlog::warn("the probe of {} ended early: {}", wanted.model, ended);
    co_return jobs::Queue::done();
}

}  // namespace tandem::probe
