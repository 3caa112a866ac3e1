#include "energy/sampler.h"

#include <fmt/format.h>

#include <set>

#include "base/log.h"
#include "energy/plug.h"
#include "net/event.h"
#include "store/query.h"

namespace tandem::energy {

namespace {

using Source = config::Measure::Source;

constexpr milliseconds kLongestCall{3'000};
constexpr std::size_t kMostAnswer = 64 * 1024;

net::Task<Result<Counter>> ask_plug(const config::Measure& measure, net::Client& client, net::Cancel& cancel,
                                    SteadyTime now) {
    const auto path = path_of(measure);
    const auto query = std::min(path.find('?'), path.size());
    auto url = net::parse_url(measure.url + path.substr(0, query));
    if (!url) co_return fail(url.error());
    url->path += path.substr(query);
    net::Call call;
    call.method = "GET";
    call.url = std::move(*url);
    call.deadline = now + kLongestCall;
    call.answer_bytes = kMostAnswer;
    if (!measure.token->reveal().empty())
        call.headers.add("Authorization", fmt::format("Bearer {}", measure.token->reveal()));
    auto answer = co_await client.send(std::move(call), cancel);
    if (!answer) co_return fail(answer.error().error);
    auto body = co_await answer->read_first(kMostAnswer);
    if (!body) co_return fail(body.error());
    if (answer->status() != 200)
        co_return fail(ErrorCode::upstream, fmt::format("it answered with status {}", answer->status()));
    co_return counter_from(measure, *body);
}

std::string key_of(const config::Hardware& machine) {
    const auto& m = machine.measure;
    return fmt::format("{}\n{}\n{}\n{}\n{}", machine.id, static_cast<int>(m.source), m.url, m.channel, m.entity);
}

}  // namespace

net::Task<> Sampler::watch(net::Worker& worker, net::Cancel& cancel) {
    net::Client client(worker, shared_);
    while (!cancel.fired()) {
        const auto config = config_();
        co_await sample(*config, client, cancel);
        co_await net::sleep_for(worker.context(), config->energy.every, cancel);
    }
}

net::Task<Result<Sampler::Look>> Sampler::look(const config::Config& config, const config::Measure& measure,
                                               net::Client& client, net::Cancel& cancel) {
    if (measure.at_socket()) {
        const auto counter = co_await ask_plug(measure, client, cancel, clock_.steady());
        if (!counter) co_return fail(counter.error());
        co_return Look{unix_ms(clock_.wall()), {{"plug", *counter}}};
    }
    // One look at a time, and only one machine has this one's counters.
    co_return co_await net::run_on<Result<Look>>(
        pool_, [this, energy = config.energy, measure] { return count(energy, measure); });
}

Result<Sampler::Look> Sampler::count(const config::Energy& energy, const config::Measure& measure) {
    Look look;
    if (measure.has_processors()) {
        auto packages = read_packages(energy.powercap);
        if (!packages) return fail(packages.error());
        look.counters = std::move(*packages);
    }
    if (measure.has_cards()) {
        if (nvml_ == nullptr || nvml_name_ != energy.nvml) {
            nvml_.reset();
            auto opened = Nvml::open(energy.nvml);
            if (!opened) return fail(opened.error());
            nvml_ = std::move(*opened);
            nvml_name_ = energy.nvml;
        }
        auto cards = nvml_->read();
        if (!cards) {
            nvml_.reset();  // a driver that was loaded anew wants to be asked anew
            return fail(cards.error());
        }
        look.counters.insert(look.counters.end(), cards->begin(), cards->end());
    }
    look.time = unix_ms(clock_.wall());
    return look;
}

ledger::local::Quarters Sampler::take(State& state, const Look& look) {
    std::optional<Span> time;
    std::int64_t uj = 0;
    bool all = state.meters.size() == look.counters.size();
    for (const auto& [name, counter] : look.counters) {
        const auto drawn = state.meters[name].take(look.time, counter);
        all = all && drawn.has_value();
        if (drawn) time = drawn->time;
        if (drawn) uj += drawn->uj;
    }
    // A processor that is gone, or a new one: what the others drew alone is not what the machine did.
    if (state.meters.size() > look.counters.size()) state.meters.clear();
    if (!all || !time) return {};
    return ledger::local::quarters_of(*time, uj);
}

net::Task<> Sampler::sample(const config::Config& config, net::Client& client, net::Cancel& cancel) {
    std::set<std::string> wanted;
    for (const auto& machine : config.hardware) {
        if (machine.measure.source == Source::none || cancel.fired()) continue;
        const auto key = key_of(machine);
        wanted.insert(key);
        auto& state = states_[key];
        const auto seen = co_await look(config, machine.measure, client, cancel);
        if (!seen) {
            if (!cancel.fired()) tell(machine.id, state, fail(seen.error()));
            continue;
        }
        const auto quarters = take(state, *seen);
        const auto id = machine.id;
        const auto kept = co_await store::change(store_, [id, quarters](store::Database& database) {
            return ledger::local::add_measured(database, id, quarters);
        });
        tell(machine.id, state, kept);
    }
    std::erase_if(states_, [&](const auto& state) { return !wanted.contains(state.first); });
}

void Sampler::tell(const std::string& machine, State& state, const Result<>& outcome) {
    const auto error = outcome ? std::string() : outcome.error().message;
    if (error == state.told) return;
    state.told = error;
    if (error.empty())
        log::Line(log::Level::info, "a machine's electricity is measured").add("machine", machine);
    else
        log::Line(log::Level::warning, "a machine's electricity is not measured")
            .add("machine", machine)
            .add("why", error);
}

}  // namespace tandem::energy
