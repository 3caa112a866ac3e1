#include "api/metrics.h"

#include <fmt/format.h>

#include "access/principal.h"
#include "ledger/meter.h"

namespace tandem::api {

namespace {

// A value of a label: backslash, quote and line end are escaped.
std::string label_value(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '\\' || c == '"') out += '\\';
        if (c == '\n')
            out += "\\n";
        else
            out += c;
    }
    return out + "\"";
}

class Page {
  public:
    void family(std::string_view name, std::string_view type, std::string_view help) {
        out_ += fmt::format("# HELP tandem_{} {}\n# TYPE tandem_{} {}\n", name, help, name, type);
    }
    template <typename Number>
    void sample(std::string_view name, std::string_view labels, Number number) {
        out_ += fmt::format("tandem_{}{{{}}} {}\n", name, labels, number);
    }
    void histogram(std::string_view name, const std::string& labels, const ledger::Meter::Times& times) {
        std::int64_t below = 0;
        for (std::size_t i = 0; i < times.counts.size(); ++i) {
            below += times.counts[i];
            const auto bound = i < ledger::Meter::kBounds.size()
                                   ? fmt::format("{}", static_cast<double>(ledger::Meter::kBounds[i]) / 1000)
                                   : std::string("+Inf");
            sample(fmt::format("{}_bucket", name), fmt::format("{},le=\"{}\"", labels, bound), below);
        }
        sample(fmt::format("{}_sum", name), labels, static_cast<double>(times.sum_ms) / 1000);
        sample(fmt::format("{}_count", name), labels, times.count);
    }
    std::string take() { return std::move(out_); }

  private:
    std::string out_;
};

void attempts(Page& page, gateway::Services& services, const std::string& currency) {
    const auto lines = services.ledger.meter().lines();
    auto labels = [](const ledger::Meter::Line& line) {
        return fmt::format("provider={},model={}", label_value(line.provider), label_value(line.model));
    };
    page.family("attempts_total", "counter", "Attempts at providers, by how they ended.");
    for (const auto& line : lines)
        for (const auto& [outcome, count] : line.outcomes)
            page.sample("attempts_total", fmt::format("{},outcome={}", labels(line), label_value(outcome)), count);
    page.family("tokens_total", "counter", "Tokens used.");
    for (const auto& line : lines)
        for (const auto& [kind, tokens] : {std::pair("input", line.usage.input),
                                           {"cached_input", line.usage.cached_input},
                                           {"output", line.usage.output}})
            page.sample("tokens_total", fmt::format("{},kind=\"{}\"", labels(line), kind), tokens.count);
    page.family("cost_total", "counter", "Cost of the attempts, in the owner's currency.");
    for (const auto& line : lines)
        page.sample("cost_total", fmt::format("{},currency={}", labels(line), label_value(currency)), line.cost.text());
    page.family("first_byte_seconds", "histogram", "From the beginning of an attempt to the first byte of its answer.");
    for (const auto& line : lines) page.histogram("first_byte_seconds", labels(line), line.first_byte);
    page.family("answer_seconds", "histogram", "From the beginning of an attempt to the end of its answer.");
    for (const auto& line : lines) page.histogram("answer_seconds", labels(line), line.whole);
}

void requests(Page& page, const Traffic::Counts& counts) {
    page.family("requests_total", "counter",
                "Requests by the alias asked for, their label, where they were answered, and the status.");
    for (const auto& [kind, count] : counts.requests)
        page.sample("requests_total",
                    fmt::format("alias={},label={},zone={},status={}", label_value(kind.alias), label_value(kind.label),
                                label_value(kind.zone), label_value(kind.status)),
                    count);
    page.family("cache_answers_total", "counter", "Requests that got an answer given before.");
    page.sample("cache_answers_total", "", counts.cached);
    page.family("fallbacks_total", "counter", "How often another model was asked after one had failed.");
    page.sample("fallbacks_total", "", counts.fallbacks);
    page.family("redactions_total", "counter", "Values that were taken out of what left, by their type.");
    for (const auto& [type, count] : counts.redactions)
        page.sample("redactions_total", fmt::format("type={}", label_value(type)), count);
}

// What each key has used, and what its budgets have left.
void keys(Page& page, gateway::Services& services, const config::Config& config) {
    const auto lines = services.ledger.meter().keys();
    page.family("key_attempts_total", "counter", "Attempts for a key.");
    for (const auto& line : lines)
        page.sample("key_attempts_total", fmt::format("key={}", label_value(line.key)), line.attempts);
    page.family("key_tokens_total", "counter", "Tokens that a key has used.");
    for (const auto& line : lines)
        for (const auto& [kind, tokens] : {std::pair("input", line.usage.input), {"output", line.usage.output}})
            page.sample("key_tokens_total", fmt::format("key={},kind=\"{}\"", label_value(line.key), kind),
                        tokens.count);
    page.family("key_cost_total", "counter", "Cost of a key's attempts, in the owner's currency.");
    for (const auto& line : lines)
        page.sample("key_cost_total",
                    fmt::format("key={},currency={}", label_value(line.key), label_value(config.currency)),
                    line.cost.text());
    page.family("key_budget", "gauge", "A key's budgets: their limit, and what is spent of it in the window.");
    for (const auto& state : services.budgets.states()) {
        const auto& budget = state.budget;
        if (budget.of.key.empty() || !budget.limit) continue;
        const auto labels =
            fmt::format("key={},window={}", label_value(budget.of.key), label_value(config::text_of(budget.window)));
        page.sample("key_budget", labels + ",what=\"limit\"", budget.limit->text());
        page.sample("key_budget", labels + ",what=\"spent\"", state.spent.cost.text());
    }
    page.family("budget", "gauge",
                "Every budget, by where the owner wrote it: its limit, what is spent of it in the window, what is "
                "reserved; in money or in tokens.");
    for (const auto& state : services.budgets.states()) {
        const auto& budget = state.budget;
        const auto labels =
            fmt::format("budget={},window={},unit=\"{}\"", label_value(budget.field),
                        label_value(config::text_of(budget.window)), budget.limit ? config.currency : "tokens");
        const auto sample = [&](std::string_view what, const std::string& value) {
            page.sample("budget", fmt::format("{},what=\"{}\"", labels, what), value);
        };
        const auto text = [&](const ledger::Spent& s) {
            return budget.limit ? s.cost.text() : std::to_string(s.tokens.count);
        };
        sample("limit", budget.limit ? budget.limit->text() : std::to_string(budget.tokens));
        sample("spent", text(state.spent));
        sample("reserved", text(state.reserved));
    }
}

void providers(Page& page, gateway::Services& services, const config::Config& config) {
    struct Known {
        std::string label;
        upstream::Health::Status health;
        upstream::Gate::Status gate;
        std::size_t keys;
    };
    std::vector<Known> all;
    for (const auto& provider : config.providers)
        all.push_back({fmt::format("provider={},zone=\"{}\"", label_value(provider.id), name_of(provider.zone)),
                       services.health.status(provider.id), services.gate.status(provider.id),
                       provider.api_keys.size()});
    auto gauge = [&](std::string_view name, std::string_view help, auto value) {
        page.family(name, "gauge", help);
        for (const auto& one : all) page.sample(name, one.label, value(one));
    };
    gauge("provider_up", "1 where the circuit breaker lets requests through.",
          [](const Known& one) { return one.health.state == "closed" || one.health.state == "limited" ? 1 : 0; });
    gauge("provider_failure_share", "Of the last attempts, the newest counting most.",
          [](const Known& one) { return one.health.failure_share; });
    gauge("provider_keys_resting", "API keys that were told to wait.",
          [](const Known& one) { return one.health.keys_resting; });
    gauge("provider_limit", "Requests that may be there at once, as learned or as set.",
          [](const Known& one) { return one.gate.limit; });
    gauge("provider_running", "Requests that are there.", [](const Known& one) { return one.gate.running; });
    gauge("provider_waiting", "Requests that wait for their turn.", [](const Known& one) { return one.gate.waiting; });
}

void memory(Page& page, gateway::Services& services) {
    const auto status = services.memory.status();
    page.family("memory_bytes", "gauge", "Bytes held for clients, as counted by the account, by what they are for.");
    for (std::size_t kind = 0; kind < kMemoryKindNames.size(); ++kind)
        page.sample("memory_bytes", fmt::format("kind=\"{}\"", kMemoryKindNames[kind]), status.by_kind[kind]);
    page.family("memory_limit_bytes", "gauge", "The most that may be held: server.limits.memory_bytes.");
    page.sample("memory_limit_bytes", "", status.limit);
    page.family("memory_most_bytes", "gauge", "The most that was ever held at once.");
    page.sample("memory_most_bytes", "", status.most);
    page.family("memory_refused_total", "counter", "How often there was no room in the account.");
    page.sample("memory_refused_total", "", status.refused);
    const auto scans = services.scans.status();
    page.family("scans_running", "gauge", "Large bodies that are being read and looked through.");
    page.sample("scans_running", "", scans.running);
    page.family("scans_waiting", "gauge", "Large bodies that wait for their turn.");
    page.sample("scans_waiting", "", scans.waiting);
}

}  // namespace

std::string metrics(gateway::Services& services, const Traffic& traffic) {
    const auto snapshot = services.snapshot();
    Page page;
    page.family("build_info", "gauge", "The running version.");
    page.sample("build_info", fmt::format("version={}", label_value(TANDEM_VERSION)), 1);
    requests(page, traffic.counts());
    attempts(page, services, snapshot->config->currency);
    keys(page, services, *snapshot->config);
    providers(page, services, *snapshot->config);
    memory(page, services);
    page.family("engine_running", "gauge", "1 for each engine that runs.");
    page.family("engine_restarts_total", "counter", "How often an engine was started again.");
    for (const auto& engine : services.engines.status()) {
        page.sample("engine_running", fmt::format("model={}", label_value(engine.model)), engine.pid > 0 ? 1 : 0);
        page.sample("engine_restarts_total", fmt::format("model={}", label_value(engine.model)), engine.restarts);
    }
    return page.take();
}

}  // namespace tandem::api
