#include "probe/probes.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "base/json.h"
#include "base/text.h"
#include "config/names.h"
#include "gateway/ask.h"
#include "store/query.h"
#include "store/row.h"

namespace tandem::probe {

const char* const kProbesSchema =
    "CREATE TABLE probes (model TEXT NOT NULL, task TEXT NOT NULL, kind TEXT NOT NULL, identity TEXT NOT NULL, "
    "decision TEXT NOT NULL, time INTEGER NOT NULL, milliseconds INTEGER NOT NULL, passed INTEGER NOT NULL, "
    "note TEXT NOT NULL, PRIMARY KEY (model, task)) STRICT, WITHOUT ROWID;";

namespace {

constexpr std::int64_t kNotAsked = -1;
constexpr std::size_t kMostSaid = 100;  // bytes of a wrong answer that are shown

const store::Table<Record>& table() {
    static const store::Table<Record> probes(
        "probes", {store::column("model", &Record::model), store::column("task", &Record::task),
                   store::column("kind", &Record::kind), store::column("identity", &Record::identity),
                   store::column("decision", &Record::decision), store::column("time", &Record::time),
                   store::column("milliseconds", &Record::milliseconds),
                   store::optional("passed", &Record::passed, kNotAsked), store::column("note", &Record::note)});
    return probes;
}

}  // namespace

Result<> put(store::Database& database, const Record& r) {
    return table().replace(database, r);
}

Result<std::vector<Record>> records(store::Database& database, const std::string& model) {
    static const auto kByModel = table().select("WHERE ?1 = '' OR model = ?1 ORDER BY model, kind, length(task), task");
    auto rows = database.prepare(kByModel.c_str());
    rows.bind(1, model);
    return table().all(rows);
}

namespace {

// What a job is to do.
struct Wanted {
    std::string model;
    int each = 0;
};

std::string text_of(const Wanted& wanted) {
    json::Writer out;
    return out.begin_object()
        .member("model", wanted.model)
        .member("each", std::int64_t{wanted.each})
        .end_object()
        .take();
}

Wanted wanted_from(const std::string& payload) {
    json::Document document;
    if (!document.parse(payload)) return {};
    const auto root = document.root();
    return {std::string(root["model"].text()), static_cast<int>(root["each"].integer().value_or(0))};
}

// Errors: not_found, invalid.
Result<std::vector<Task>> questions_of(const config::Config& config, const Wanted& wanted) {
    const auto& model = wanted.model;
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
    return tasks(wanted.each, claims.has(config::Capability::reasoning));
}

}  // namespace

Probes::Probes(store::Store& store, const Clock& clock, learning::Learning& learning, jobs::Queue& queue)
    : store_(store), clock_(clock), learning_(learning), queue_(queue) {}

net::Task<Result<std::size_t>> Probes::start(gateway::Gateway& gateway, std::string model, int each) {
    auto& services = gateway.services();
    const Wanted wanted{std::move(model), each};
    const auto questions = questions_of(*services.snapshot()->config, wanted);
    if (!questions) co_return fail(questions.error());
    jobs::Job job{.id = services.new_id("probe_"),
                  .kind = std::string(kJob),
                  .owner = who_.id(),
                  .label = Label::public_,
                  .budget = who_.id(),
                  .payload = text_of(wanted),
                  .created = services.unix_seconds()};
    if (auto ok = begin(wanted.model, job.id, {0, questions->size(), true, {}}); !ok) co_return fail(ok.error());
    const auto kept = co_await store::change(store_, [job](store::Database& database) { return put(database, job); });
    if (!kept) {
        note(wanted.model, [](Progress& p) { p.runs = false; });
        co_return fail(kept.error());
    }
    queue_.enter(std::move(job));
    co_return questions->size();
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

std::optional<Probes::Progress> Probes::progress(const std::string& model) const {
    const std::lock_guard lock(mutex_);
    const auto found = runs_.find(model);
    return found == runs_.end() ? std::nullopt : std::optional(found->second.progress);
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

net::Task<Result<bool>> Probes::ask(gateway::Gateway& gateway, const std::string& model, const Task& task,
                                    jobs::Queue::Context& context) {
    const auto began = clock_.steady();
    const auto answer = co_await gateway::ask(
        gateway, context.worker, who_, {task.request_to(model), context.job.label, "a probe", true}, context.cancel);
    if (context.cancel.fired()) co_return false;  // it is asked again at the next start
    Record record;
    record.model = model;
    record.task = task.id;
    record.kind = task.kind;
    record.identity = learning_.identity(model);
    record.decision = answer.decision;
    record.time = unix_ms(clock_.wall());
    record.milliseconds = std::chrono::duration_cast<milliseconds>(clock_.steady() - began).count();
    record.note = printable(answer.error, 300);
    if (answer.error.empty()) {
        record.passed = task.passed(answer.told);
        if (!*record.passed) record.note = fmt::format("said: {}", printable(trim(answer.text()), kMostSaid));
        learning_.probed(answer.decision, task.id, *record.passed);
    }
    const auto kept =
        co_await store::change(store_, [record](store::Database& database) { return put(database, record); });
    if (!kept) co_return fail(kept.error());
    co_return answer.error.empty();
}

net::Task<jobs::Queue::Outcome> Probes::run(gateway::Gateway& gateway, jobs::Queue::Context& context) {
    const auto wanted = wanted_from(context.job.payload);
    const auto questions = questions_of(*gateway.services().snapshot()->config, wanted);
    auto done = static_cast<std::size_t>(whole_number(context.job.progress).value_or(0));
    const auto begun = questions ? begin(wanted.model, context.job.id, {done, questions->size(), true, {}})
                                 : Result<>(fail(questions.error()));
    if (!begun) {
        spdlog::warn("the probe {} ended early: {}", context.job.id, begun.error().message);
        co_return jobs::Queue::done();
    }
    int errors = 0;
    std::string ended;
    while (done < questions->size() && ended.empty()) {
        if (context.ends) {
            ended = "it was cancelled";
            break;
        }
        const auto could = co_await ask(gateway, wanted.model, (*questions)[done], context);
        if (context.cancel.fired()) co_return jobs::Queue::interrupted();
        errors = could && *could ? 0 : errors + 1;
        if (!could) ended = "its results cannot be written: " + could.error().message;
        note(wanted.model, [at = ++done](Progress& p) { p.done = at; });
        // Where that fails, the next start asks the question again.
        (void)co_await context.note(std::to_string(done));
        if (errors == kMostErrors && done < questions->size() && ended.empty())
            ended = fmt::format("{} questions in a row could not be asked", errors);
    }
    note(wanted.model, [&](Progress& p) {
        p.runs = false;
        p.ended = ended;
    });
    if (!ended.empty()) spdlog::warn("the probe of {} ended early: {}", wanted.model, ended);
    co_return jobs::Queue::done();
}

}  // namespace tandem::probe
