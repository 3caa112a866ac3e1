#include "advice/situation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "base/time_text.h"
#include "ledger/ledger.h"
#include "ledger/local/hours.h"
#include "ledger/pricing.h"
#include "ledger/reports/question.h"

namespace tandem::advice {

namespace {

constexpr int kMostOutcomes = 1'000'000;
constexpr std::int64_t kUsualDays = 30;
constexpr std::int64_t kDay = 86'400'000;

Result<Span> span_asked(const Asked& asked, std::int64_t now_ms) {
    Span span{now_ms - kUsualDays * kDay, now_ms};
    for (const auto& [text, field, target] :
         {std::tuple(&asked.since, "since", &span.start), {&asked.until, "until", &span.end}}) {
        if (text->empty()) continue;
        const auto time = ledger::reports::time_from(*text, now_ms, field);
        if (!time) return fail(time.error());
        *target = *time;
    }
    if (asked.since.empty() && !asked.until.empty()) span.start = span.end - kUsualDays * kDay;
    if (span.end <= span.start)
        return fail(ErrorCode::invalid, "until: is not after since, so there is no time between them", "until");
    return span;
}

// What the server knew of models' files when it decided last: their headers say what names do not.
Result<> take_strengths(store::Database& database, routing::Table& table) {
    auto row = database.prepare(
        "SELECT t.json FROM decisions d JOIN routing_tables t ON t.id = d.routing_table ORDER BY d.id DESC LIMIT 1");
    const auto found = row.step();
    if (!found) return fail(found.error());
    json::Document document;
    if (!*found || !document.parse(row.text(0))) return {};
    const auto recorded = routing::table_from_json(document.root());
    if (!recorded) return {};
    for (auto& entry : table.models) {
        const auto* known = recorded->find(entry.model);
        if (known != nullptr && known->provider == entry.provider && known->strength && !entry.quality)
            entry.strength = known->strength;
    }
    return {};
}

const Said* said_of(const Profile* profile, std::string_view model) {
    if (profile == nullptr) return nullptr;
    const auto found = std::ranges::find(profile->models, model, &Said::model);
    return found == profile->models.end() ? nullptr : &*found;
}

Station station_of(const config::Config& config, const config::Model& model, const Profile* profile,
                   std::int64_t now_ms) {
    const auto* provider = config.provider(model.provider);
    Station station;
    station.model = model.id;
    station.patience_ms = static_cast<double>(provider->first_byte_timeout.count());
    if (const auto* machine = ledger::local::machine_of(config, model.provider);
        machine != nullptr && machine->bought <= now_ms)
        station.machine = machine->id;
    const auto limit = static_cast<std::int64_t>(provider->concurrency);
    if (provider->kind->runs_here)
        station.slots = model.slots;
    else if (const auto* said = said_of(profile, model.id); said != nullptr && said->slots > 0)
        station.slots = said->slots;
    else if (limit > 0)
        station.slots = static_cast<int>(limit);
    else if (model.limits.concurrency > 0)
        station.slots = static_cast<int>(model.limits.concurrency);
    else
        station.slots_known = false;
    constexpr int kMostSlots = 1'024;
    station.slots = std::clamp(station.slots, 1, kMostSlots);
    return station;
}

Result<Added> added_of(const config::Config& config, const ledger::Pricing& pricing, const std::string& name) {
    const auto slash = name.find('/');
    const auto unknown = [&](std::string_view why) {
        std::vector<std::string> ids;
        for (const auto& model : config.models) ids.push_back(model.id);
        return fail(ErrorCode::invalid,
                    fmt::format("with: {} (PROVIDER/MODEL names one of the price book, such as openai/gpt-5.1; `tandem "
                                "prices list` shows them){}",
                                why, suggest(name, ids)),
                    "with");
    };
    if (slash == std::string::npos || slash == 0 || slash + 1 == name.size())
        return unknown(fmt::format("tandem.yaml has no model '{}'", printable(name, 80)));
    if (config.currency != "USD")
        return fail(ErrorCode::invalid,
                    fmt::format("with: '{}' is no model of tandem.yaml, and the price book is in USD while `currency` "
                                "is {}: add it to models: with a price of its own",
                                printable(name, 80), config.currency),
                    "with");
    const auto said = name.substr(0, slash);
    Added added;
    added.name = name.substr(slash + 1);
    auto book_id = said;
    const auto provider = std::ranges::find_if(config.providers, [&](const config::Provider& one) {
        return one.id == said || (one.zone == Zone::cloud && pricing.book_id(one.id) == said);
    });
    added.entry.model = name;
    added.entry.provider = said;
    added.entry.zone = Zone::cloud;
    added.entry.clearance = config.privacy.cloud_clearance;
    if (provider != config.providers.end()) {
        if (provider->zone == Zone::local)
            return unknown(fmt::format("the provider '{}' is at home, and has no model '{}' in tandem.yaml", said,
                                       printable(added.name, 80)));
        added.provider_is_there = true;
        added.entry.provider = provider->id;
        added.entry.clearance = provider->clearance;
        if (!pricing.book_id(provider->id).empty()) book_id = pricing.book_id(provider->id);
    }
    const auto books = prices::Books::open(config.data, {{book_id, added.name}});
    if (!books) return fail(books.error());
    const auto found = books->find_all(book_id, {added.name});
    if (found.entries.empty())
        return unknown(fmt::format("neither tandem.yaml nor the price book has '{}'", printable(name, 80)));
    added.entry.price = prices::Tariff::of_book(found.entries, {});
    added.entry.strength = routing::strength_of({.name = added.name, .cloud = true});
    return added;
}

Result<> read_models(store::Database* database, const config::Config& config, const Asked& asked,
                     const Profile* profile, std::int64_t now_ms, Situation& situation) {
    const auto pricing = ledger::Pricing::of(config);
    if (!pricing) return fail(pricing.error());
    auto& today = situation.today;
    today.id = "today";
    today.name = "as it is";
    today.table = routing::table_of(config, {}, [&](const config::Model& model) { return (*pricing)->of(model); });
    if (database != nullptr)
        if (auto ok = take_strengths(*database, today.table); !ok) return ok;
    for (const auto& model : config.models)
        if (config.provider(model.provider)->zone == Zone::local)
            today.stations.push_back(station_of(config, model, profile, now_ms));
    for (const auto& machine : config.hardware)
        if (machine.bought <= now_ms) today.machines.push_back({machine});
    for (const auto& name : asked.with) {
        if (config.model(name) != nullptr) continue;
        auto added = added_of(config, **pricing, name);
        if (!added) return fail(added.error());
        situation.with.push_back(std::move(*added));
    }
    return {};
}

Result<> check_currency(store::Database* database, const config::Config& config, const Profile* profile) {
    if (profile != nullptr && !profile->currency.empty() && profile->currency != config.currency)
        return fail(ErrorCode::invalid,
                    fmt::format("currency: the profile is in {} and tandem.yaml in {}; nothing is converted: write "
                                "currency: {} and its amounts",
                                profile->currency, config.currency, config.currency));
    if (database == nullptr) return {};
    const auto kept = ledger::currency_of(*database, config.currency);
    if (!kept) return fail(kept.error());
    if (*kept == config.currency) return {};
    return fail(ErrorCode::invalid,
                fmt::format("currency: the ledger is in {} and tandem.yaml in {}; nothing is converted: set currency: "
                            "{}",
                            *kept, config.currency, *kept));
}

// When the ledger begins. Errors: storage.
Result<std::int64_t> beginning_of(store::Database& database, std::int64_t otherwise) {
    auto row = database.prepare("SELECT time FROM decisions ORDER BY id LIMIT 1");
    const auto found = row.step();
    if (!found) return fail(found.error());
    return *found ? row.integer(0) : otherwise;
}

Result<> read_hours(store::Database& database, Situation& situation) {
    constexpr std::int64_t kMostDays = 365;
    const auto span = situation.traffic.span;
    const auto begun = beginning_of(database, span.start);
    if (!begun) return fail(begun.error());
    const auto since = std::min(span.start, std::max(*begun, span.end - kMostDays * kDay));
    const auto hours = ledger::local::entries(database, since, span.end);
    if (!hours) return fail(hours.error());
    std::int64_t sum = 0;
    double squares = 0;
    for (const auto& entry : *hours) {
        sum = saturating_sum(sum, entry.ms);
        squares += static_cast<double>(entry.ms) * static_cast<double>(entry.ms);
    }
    situation.work_ms =
        static_cast<std::int64_t>(static_cast<__int128>(sum) * (span.end - span.start) / (span.end - since));
    // Of a sum of so many lumps that come by chance (compound Poisson): the root of the sum of their squares.
    if (sum > 0) situation.work_error = std::sqrt(squares) / static_cast<double>(sum);
    return {};
}

Result<> read_record(store::Database& database, Situation& situation, Span span, bool only_known) {
    auto traffic = read_traffic(database, span.start, span.end);
    if (!traffic) return fail(traffic.error());
    const auto outcomes = learning::newest_outcomes(database, "", kMostOutcomes);
    if (!outcomes) return fail(outcomes.error());
    std::map<std::string, int> slots;
    for (const auto& station : situation.today.stations) slots[station.model] = station.slots;
    note_outcomes(*traffic, *outcomes);
    // What is known of models is learned of more than the work that is looked at: outcomes are few.
    constexpr std::int64_t kKnownDays = 180;
    const auto since = std::min(span.start, span.end - kKnownDays * kDay);
    const bool all_of_it = since == span.start || traffic->older > 0;
    const auto longer = all_of_it ? Result<Traffic>(Traffic()) : read_traffic(database, since, span.end);
    if (!longer) return fail(longer.error());
    situation.knowledge = knowledge_of(all_of_it ? *traffic : *longer, *outcomes, situation.today.table, slots);
    traffic->ids = {};
    if (only_known) return {};
    situation.traffic = std::move(*traffic);
    if (auto ok = read_hours(database, situation); !ok) return ok;
    for (const auto& machine : situation.today.machines) {
        auto quarters = ledger::local::measured(database, machine.hardware.id, situation.traffic.span);
        if (!quarters) return fail(quarters.error());
        if (!quarters->empty()) situation.measured[machine.hardware.id] = std::move(*quarters);
    }
    return {};
}

void note_span(const Traffic& traffic, Span asked, std::vector<std::string>& notes) {
    const auto count = [&](std::int64_t number, std::string_view one, std::string_view many) {
        if (number > 0) notes.push_back(fmt::format("{} {}", number, number == 1 ? one : many));
    };
    if (traffic.of_profile) {
        notes.emplace_back("the work is what the profile says, not what was recorded");
        return;
    }
    if (traffic.older > 0)
        notes.push_back(
            fmt::format("there are more requests than are looked at: the newest {} count, from {} on; {} "
                        "older ones do not",
                        traffic.requests.size(), time_text(traffic.span.start / 1000 * 1000), traffic.older));
    count(traffic.cached, "request was answered from Tandem's cache and is not counted: no model would be asked",
          "requests were answered from Tandem's cache and are not counted: no model would be asked");
    count(traffic.unread, "decision is of another version and cannot be read",
          "decisions are of another version and cannot be read");
    constexpr std::int64_t kShort = 7 * kDay;
    if (traffic.length_ms() < kShort)
        notes.push_back(fmt::format("only {:.1f} days are on record: a month is made of them, and may be another one",
                                    static_cast<double>(traffic.length_ms()) / static_cast<double>(kDay)));
    else if (traffic.span.start > asked.start + kDay)
        notes.push_back(fmt::format("the record begins on {}", time_text(traffic.span.start / 1000 * 1000)));
}

void note_unknowns(const config::Config& config, Situation& situation) {
    auto& notes = situation.notes;
    const bool local = !situation.today.stations.empty();
    if (local && config.hardware.empty())
        notes.emplace_back(
            "tandem.yaml has no hardware:, so what is at home costs nothing here; docs/concepts/local-cost.md says "
            "what to write");
    for (const auto& machine : config.hardware)
        if (machine.busy_watts <= 0 && !situation.measured.contains(machine.id))
            notes.push_back(
                fmt::format("hardware.{}.busy_watts is not said: its electricity is not known, and costs nothing here",
                            machine.id));
    for (const auto& station : situation.today.stations) {
        const auto* known = situation.knowledge.find(station.model);
        if (known == nullptr || !known->speed)
            notes.push_back(fmt::format("how fast {} answers is not known, so neither are its waits: `tandem probe {}`",
                                        station.model, station.model));
        if (!station.slots_known)
            notes.push_back(
                fmt::format("how many answers {} gives at once is not said; one is taken. Set "
                            "providers.{}.concurrency",
                            station.model, config.model(station.model)->provider));
    }
    if (situation.work_ms > 0 && !situation.hour_rate)
        notes.emplace_back("hours.rate is not in tandem.yaml: the hours of work cost nothing here");
    if (situation.knowledge.said == 0)
        notes.emplace_back(
            "nobody has said how answers were: quality is what Tandem expects of models by their names "
            "(`tandem feedback`, `tandem probe`)");
}

}  // namespace

Result<Situation> read_situation(store::Database* database, const config::Config& config, const Asked& asked,
                                 const Profile* profile, std::int64_t now_ms) {
    const auto span = span_asked(asked, now_ms);
    if (!span) return fail(span.error());
    if (auto ok = check_currency(database, config, profile); !ok) return fail(ok.error());
    Situation situation;
    situation.currency = config.currency;
    situation.energy = config.energy;
    situation.hour_rate = config.hours.rate;
    if (auto ok = read_models(database, config, asked, profile, now_ms, situation); !ok) return fail(ok.error());
    const bool described = profile != nullptr && !profile->work.empty();
    if (database != nullptr)
        if (auto ok = read_record(*database, situation, *span, described); !ok) return fail(ok.error());
    if (described) situation.traffic = traffic_of(*profile, span->end);
    if (situation.traffic.requests.empty())
        return fail(ErrorCode::not_found,
                    fmt::format("there is no request on record from {} to {}; an earlier --since may have some, and "
                                "--profile FILE describes work that is not on record (docs/concepts/compare.md)",
                                time_text(span->start / 1000 * 1000), time_text(span->end / 1000 * 1000)));
    if (profile != nullptr)
        for (const auto& said : profile->models) {
            if (config.model(said.model) == nullptr) {
                std::vector<std::string> ids;
                for (const auto& model : config.models) ids.push_back(model.id);
                return fail(ErrorCode::invalid, fmt::format("models.{}: tandem.yaml has no such model{}",
                                                            printable(said.model, 80), suggest(said.model, ids)));
            }
            auto& known = situation.knowledge.models[said.model];
            if (!known.speed) known.speed = said.speed;
        }
    note_span(situation.traffic, *span, situation.notes);
    note_unknowns(config, situation);
    return situation;
}

}  // namespace tandem::advice
