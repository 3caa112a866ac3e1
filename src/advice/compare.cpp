#include "advice/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "advice/render.h"
#include "base/text.h"
#include "base/time_text.h"
#include "config/names.h"

namespace tandem::advice {

namespace {

std::vector<std::string> models_in(const Combination& combination, std::optional<Zone> zone) {
    std::vector<std::string> ids;
    for (const auto& entry : combination.table.models)
        if (!zone || entry.zone == *zone) ids.push_back(entry.model);
    return ids;
}

// Collects sets of models, each once.
class Sets {
  public:
    explicit Sets(const Combination& all) : all_(all) {}
    void taken(std::vector<std::string> keep) { seen_.insert(sorted(std::move(keep))); }
    void add(const std::string& name, const std::vector<std::string>& keep) {
        if (keep.empty() || sets_.size() >= kMostSets || !seen_.insert(sorted(keep)).second) return;
        sets_.push_back(only(all_, join(keep, "+"), name, keep));
    }
    std::vector<Combination> done() { return std::move(sets_); }

  private:
    static std::vector<std::string> sorted(std::vector<std::string> list) {
        std::ranges::sort(list);
        return list;
    }
    const Combination& all_;
    std::set<std::vector<std::string>> seen_;
    std::vector<Combination> sets_;
};

std::vector<std::string> without(std::vector<std::string> list, const std::string& one) {
    std::erase(list, one);
    return list;
}

Row row_of(Evaluator& evaluator, const Combination& combination) {
    Row row;
    row.evaluation = evaluator.evaluate(combination);
    if (row.evaluation.keeps_up() || combination.as_recorded) return row;
    const auto enough = grown(evaluator, combination);
    if (!enough) return row;
    for (const auto& machine : enough->machines) row.machines_needed += machine.count;
    row.total_with_them = evaluator.evaluate(*enough).total();
    return row;
}

}  // namespace

Combination only(const Combination& today, const std::string& id, const std::string& name,
                 const std::vector<std::string>& keep) {
    auto result = today;
    result.id = id;
    result.name = name;
    const auto kept = [&](const std::string& model) { return std::ranges::find(keep, model) != keep.end(); };
    std::erase_if(result.table.models, [&](const auto& entry) { return !kept(entry.model); });
    std::erase_if(result.stations, [&](const Station& station) { return !kept(station.model); });
    const auto works = [](const Combination& combination, const Machine& machine) {
        return std::ranges::any_of(combination.stations,
                                   [&](const Station& one) { return one.machine == machine.hardware.id; });
    };
    // One on which nothing is left is sold; one on which nothing was before is there for something else.
    std::erase_if(result.machines,
                  [&](const Machine& machine) { return works(today, machine) && !works(result, machine); });
    return result;
}

Combination with_model(const Combination& today, const Added& added) {
    auto result = today;
    result.id = "with-" + added.entry.model;
    result.name = "with " + added.entry.model;
    result.table.models.push_back(added.entry);
    if (!added.provider_is_there) result.changes.push_back({Change::What::need_provider, added.entry.provider, {}});
    result.changes.push_back(
        {Change::What::add_model, added.entry.model,
         fmt::format("{{ provider: {}, name: {} }}", added.entry.provider, json::quoted(added.name))});
    return result;
}

std::vector<Combination> sets_of(const Situation& situation) {
    auto all = situation.today;
    for (const auto& added : situation.with) all = with_model(all, added);
    std::erase_if(all.table.models, [](const auto& entry) { return config::is_pattern(entry.model); });
    const auto everything = models_in(all, {}), cloud = models_in(all, Zone::cloud),
               local = models_in(all, Zone::local);
    const auto today = models_in(situation.today, {});
    Sets sets(all);
    sets.taken(today);
    sets.taken(models_in(situation.today, Zone::cloud));
    sets.taken(models_in(situation.today, Zone::local));
    for (const auto& added : situation.with) {
        auto more = today;
        more.push_back(added.entry.model);
        sets.add("with " + added.entry.model, more);
    }
    if (everything.size() <= kAllSets) {
        for (unsigned bits = 1; bits < 1U << everything.size(); ++bits) {
            std::vector<std::string> keep;
            for (std::size_t i = 0; i < everything.size(); ++i)
                if ((bits >> i & 1U) != 0) keep.push_back(everything[i]);
            sets.add((keep.size() == 1 ? "only " : "") + join(keep, " and "), keep);
        }
        return sets.done();
    }
    for (const auto& model : everything) sets.add("without " + model, without(everything, model));
    for (const auto& model : cloud) {
        auto keep = local;
        keep.push_back(model);
        sets.add(fmt::format("local and {}", model), keep);
        sets.add("only " + model, {model});
    }
    for (const auto& model : local) {
        auto keep = cloud;
        keep.push_back(model);
        sets.add(fmt::format("cloud and {}", model), keep);
        sets.add("only " + model, {model});
    }
    return sets.done();
}

Comparison compare(const Situation& situation) {
    Evaluator evaluator(situation);
    Comparison result;
    auto now = situation.today;
    now.as_recorded = !situation.traffic.of_profile;
    now.name = now.as_recorded ? "as it was routed" : "as tandem.yaml routes it";
    result.rows.push_back(row_of(evaluator, now));
    const auto cloud = models_in(situation.today, Zone::cloud), local = models_in(situation.today, Zone::local);
    if (!cloud.empty() && !local.empty()) {
        result.rows.push_back(row_of(evaluator, only(situation.today, "cloud-only", "cloud only", cloud)));
        result.rows.push_back(row_of(evaluator, only(situation.today, "local-only", "local only", local)));
    }
    const auto first = static_cast<std::ptrdiff_t>(result.rows.size());
    for (const auto& set : sets_of(situation)) result.rows.push_back(row_of(evaluator, set));
    std::ranges::sort(result.rows.begin() + first, result.rows.end(), {},
                      [](const Row& row) { return std::pair(row.evaluation.total(), row.evaluation.id); });
    return result;
}

std::string as_json(const Situation& situation, const Comparison& comparison) {
    json::Writer out;
    const auto& traffic = situation.traffic;
    out.begin_object().member("currency", situation.currency);
    out.member("since", tandem::time_text(traffic.span.start / 1000 * 1000));
    out.member("until", tandem::time_text(traffic.span.end / 1000 * 1000));
    out.member("span_ms", traffic.length_ms()).member("requests", traffic.requests.size());
    out.member("of_profile", traffic.of_profile).key("rows").begin_array();
    for (const auto& row : comparison.rows) {
        out.begin_object();
        write_members(out, row.evaluation);
        if (row.machines_needed > 0)
            out.member("machines_needed", row.machines_needed)
                .member("total_with_them_micros", row.total_with_them.micros());
        out.end_object();
    }
    out.end_array();
    write_list(out, "notes", situation.notes);
    out.end_object();
    return out.take();
}

std::string as_text(const Situation& situation, const Comparison& comparison) {
    const auto& traffic = situation.traffic;
    std::string out = fmt::format("{} requests from {} to {}; amounts are {} of a month of 730 hours\n\n",
                                  traffic.requests.size(), tandem::time_text(traffic.span.start / 1000 * 1000),
                                  tandem::time_text(traffic.span.end / 1000 * 1000), situation.currency);
    std::size_t wide = 20;
    for (const auto& row : comparison.rows)
        wide = std::max(wide, std::min<std::size_t>(44, row.evaluation.name.size()));
    out += fmt::format("{:<{}} {:>11} {:>11} {:>11} {:>11}  {:<18} {:>8}  {:<19} {}\n", "models", wide, "month",
                       "cloud", "machines", "work", "quality (95 %)", "private", "time p50 / p95", "not answered");
    for (const auto& row : comparison.rows) {
        const auto& e = row.evaluation;
        out += fmt::format("{:<{}} {:>11} {:>11} {:>11} {:>11}  {:<18} {:>8}  {:<19} {}\n", printable(e.name, wide),
                           wide, money_text(e.total()), money_text(e.cloud), money_text(e.machines()),
                           money_text(e.work), quality_text(e), private_text(e), latency_text(e), unserved_text(e));
    }
    out += "\n";
    for (const auto& row : comparison.rows) {
        const auto& e = row.evaluation;
        std::vector<std::string> said;
        if (const auto keeps = keeps_up_text(e); keeps != "-") said.push_back("local keeps up: " + keeps);
        if (row.machines_needed > 0)
            said.push_back(
                fmt::format("{} machines would, for {} a month", row.machines_needed, money_text(row.total_with_them)));
        if (const auto label = e.unserved[static_cast<std::size_t>(Unserved::label)]; label > 0)
            said.push_back(fmt::format("{} requests cannot be served: no model may see their label", label));
        if (e.renamed > 0)
            said.push_back(
                fmt::format("{} requests named a model or a zone that is not in it: they count as `auto`", e.renamed));
        if (!e.unpriced.empty())
            said.push_back(fmt::format("nobody knows the price of {}: it counts as 0", join(e.unpriced, ", ")));
        if (!said.empty()) out += fmt::format("{}: {}\n", e.name, join(said, "; "));
    }
    for (const auto& note : situation.notes) out += fmt::format("note: {}\n", note);
    return out;
}

}  // namespace tandem::advice
