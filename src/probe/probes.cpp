#include "probe/probes.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "base/text.h"
#include "config/names.h"
#include "gateway/ask.h"
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

struct Probes::Work {
    gateway::Gateway& gateway;
    std::string model;
    std::vector<Task> tasks;
};

Probes::Probes(store::Store& store, const Clock& clock, learning::Learning& learning, jobs::Runner& runner)
    : store_(store), clock_(clock), learning_(learning), runner_(runner) {}

Result<std::size_t> Probes::start(gateway::Gateway& gateway, net::Worker& worker, const std::string& model, int each) {
    const auto snapshot = gateway.services().snapshot();
    const auto* const known = snapshot->config->model(model);
    if (known == nullptr || config::is_pattern(model)) {
        std::vector<std::string> names;
        for (const auto& one : snapshot->config->models) names.push_back(one.id);
        return fail(ErrorCode::not_found,
                    fmt::format("there is no model '{}'{}", printable(model, 60), suggest(model, names)), "model");
    }
    const auto claims = known->capabilities.value_or(config::Capabilities());
    if (claims.has(config::Capability::embeddings) || claims.has(config::Capability::rerank))
        return fail(ErrorCode::invalid, fmt::format("'{}' makes no answers that could be checked", model), "model");
    auto list = tasks(each, claims.has(config::Capability::reasoning));
    const auto count = list.size();
    {
        const std::lock_guard lock(mutex_);
        auto& progress = progress_[model];
        if (progress.runs)
            return fail(ErrorCode::unavailable, fmt::format("'{}' is being probed already: {} of {} questions are done",
                                                            model, progress.done, progress.of));
        progress = {0, count, true, {}};
    }
    auto work = std::make_shared<Work>(Work{gateway, model, std::move(list)});
    auto go = [this, work](net::Worker& on, net::Cancel& cancel) { return run(work, on, cancel); };
    if (runner_.start(worker, "probe#" + model, go)) return count;
    note(model, [](Progress& p) { p.runs = false; });
    return fail(ErrorCode::unavailable, "the server is stopping");
}

std::optional<Probes::Progress> Probes::progress(const std::string& model) const {
    const std::lock_guard lock(mutex_);
    const auto found = progress_.find(model);
    return found == progress_.end() ? std::nullopt : std::optional(found->second);
}

void Probes::note(const std::string& model, const std::function<void(Progress&)>& change) {
    const std::lock_guard lock(mutex_);
    change(progress_[model]);
}

net::Task<> Probes::run(std::shared_ptr<Work> work, net::Worker& worker, net::Cancel& cancel) {
    int errors = 0;
    std::string ended;
    for (const auto& task : work->tasks) {
        if (cancel.fired()) ended = "the server stopped";
        if (errors == kMostErrors) ended = fmt::format("{} questions in a row could not be asked", errors);
        if (!ended.empty()) break;
        const auto began = clock_.steady();
        const auto answer = co_await gateway::ask(
            work->gateway, worker, who_, {task.request_to(work->model), Label::public_, "a probe", true}, cancel);
        Record record;
        record.model = work->model;
        record.task = task.id;
        record.kind = task.kind;
        record.identity = learning_.identity(work->model);
        record.decision = answer.decision;
        record.time = unix_ms(clock_.wall());
        record.milliseconds = std::chrono::duration_cast<milliseconds>(clock_.steady() - began).count();
        record.note = printable(answer.error, 300);
        errors = answer.error.empty() ? 0 : errors + 1;
        if (answer.error.empty()) {
            record.passed = task.passed(answer.told);
            if (!*record.passed) record.note = fmt::format("said: {}", printable(trim(answer.text()), kMostSaid));
            learning_.probed(answer.decision, task.id, *record.passed);
        }
        auto kept = co_await net::wait_for<Result<>>([&](auto resume) {
            store_.submit([record](store::Database& database) { return put(database, record); }, std::move(resume));
        });
        if (!kept) ended = "its results cannot be written: " + kept.error().message;
        note(work->model, [](Progress& p) { ++p.done; });
    }
    note(work->model, [&](Progress& p) {
        p.runs = false;
        p.ended = ended;
    });
    if (!ended.empty()) spdlog::warn("the probe of {} ended early: {}", work->model, ended);
}

}  // namespace tandem::probe
