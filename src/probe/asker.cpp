#include "probe/asker.h"

#include <algorithm>
#include <array>

#include "ledger/ledger.h"
#include "net/children.h"
#include "store/query.h"

namespace tandem::probe {

namespace {

constexpr std::array<std::string_view, 3> kOverBudget = {"budget_used_up", "budget_reserved", "request_over_budget"};
constexpr std::size_t kMostSnapshots = 8;

bool may_be(Errors errors, const Heard& heard) {
    return heard.error.empty() || errors == Errors::any || (errors == Errors::refusals && is_refusal(heard.code));
}

}  // namespace

std::shared_ptr<const gateway::Snapshot> Asker::snapshot_for(const Asking& asking) {
    if (!how_.as_claimed) return nullptr;
    auto& services = gateway_.services();
    const auto newest = services.snapshot();
    const Variant variant{newest.get(), asking.unbounded, asking.renders_tools ? *asking.renders_tools : -1};
    if (const auto found = snapshots_.find(variant); found != snapshots_.end()) return found->second;
    if (snapshots_.size() >= kMostSnapshots) snapshots_.clear();
    return snapshots_[variant] = gateway::snapshot_with(services, {model_, asking.unbounded, asking.renders_tools});
}

net::Task<> Asker::ask_one(const Asking& asking, Heard& heard, std::string& decision) {
    gateway::InternalQuestion question;
    question.request = asking.request;
    question.request.model = model_;
    question.label = context_.job.label;
    question.reason = "a probe";
    question.judged = true;
    if (how_.budget) question.workflow = context_.job.id;
    question.fresh = true;
    question.streamed = asking.streamed;
    question.leaves = asking.leaves;
    question.snapshot = snapshot_for(asking);
    auto answer = co_await gateway::ask(gateway_, context_.worker, who_, std::move(question), context_.cancel);
    heard = {std::move(answer.error),
             std::move(answer.code),
             std::move(answer.told),
             std::move(answer.warnings),
             answer.usage,
             answer.choices,
             answer.first,
             answer.last};
    decision = std::move(answer.decision);
    if (co_await counted_by_us(decision)) heard.usage.estimated = true;
}

// Clients are told our own count where the provider gave none; the ledger knows whose it is.
net::Task<bool> Asker::counted_by_us(std::string decision) const {
    const auto attempts = co_await store::query<std::vector<ledger::AttemptRecord>>(
        gateway_.services().store,
        [decision](store::Database& database) { return ledger::attempts_of(database, decision); });
    co_return attempts && !attempts->empty() && attempts->back().usage.estimated;
}

net::Task<Told> Asker::ask(const Question& question) {
    Told told;
    told.heard.resize(question.at_once.size());
    std::vector<std::string> decisions(question.at_once.size());
    net::Children children(context_.worker);
    for (std::size_t i = 0; i < question.at_once.size(); ++i)
        children.start(ask_one(question.at_once[i], told.heard[i], decisions[i]));
    while (children.running() > 0) co_await children.wait();
    told.decision = decisions.front();
    for (const auto& heard : told.heard) {
        told.over_budget = told.over_budget || std::ranges::find(kOverBudget, heard.code) != kOverBudget.end();
        if (told.error.empty() && (told.over_budget || !may_be(question.errors, heard))) told.error = heard.error;
    }
    last_ = traffic().first;
    co_return told;
}

std::pair<std::uint64_t, bool> Asker::traffic() const {
    auto& services = gateway_.services();
    const auto snapshot = services.snapshot();
    std::uint64_t attempts = 0;
    bool running = false;
    for (const auto& provider : snapshot->config->providers) {
        attempts += static_cast<std::uint64_t>(services.health.status(provider.id).attempts);
        running = running || services.gate.status(provider.id).running > 0;
    }
    for (const auto& model : snapshot->config->models) running = running || services.gate.status(model.id).running > 0;
    return {attempts, running};
}

net::Task<> Asker::wait_for_quiet() {
    const auto& clock = gateway_.services().clock;
    auto [seen, running] = traffic();
    if (seen == last_ && !running) co_return;
    auto since = clock.steady();
    while (!context_.ends && !context_.cancel.fired()) {
        co_await net::sleep_for(context_.worker.context(), kLook, context_.cancel);
        const auto [now, busy] = traffic();
        if (busy || now != seen) since = clock.steady();
        seen = now;
        if (clock.steady() - since >= kQuiet) co_return;
    }
}

}  // namespace tandem::probe
