// tandem cost reconcile: a provider's usage and cost reports against the ledger.
#include "ledger/reports/reconcile.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/input.h"
#include "config/names.h"
#include "ledger/pricing.h"
#include "ledger/reports/report.h"
#include "routing/names.h"

namespace tandem::cli {

namespace {

namespace reports = ledger::reports;

struct Options {
    std::vector<std::string> files, providers, keys;
    std::string columns;
    bool all = false;
};

Result<std::string> read_file(const std::string& name) {
    std::ifstream file;
    auto input = open_input(name, file);
    if (!input) return fail(input.error());
    std::string text(reports::kMostReportBytes + 1, '\0');
    (*input)->read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>((*input)->gcount()));
    text.shrink_to_fit();
    return text;
}

bool is_json(std::string_view text) {
    const auto begin = trim(without_byte_order_mark(text));
    return begin.starts_with('{') || begin.starts_with('[');
}

Result<reports::Theirs> read_reports(const Options& options, const std::string& currency) {
    const auto columns = reports::columns_from(options.columns);
    if (!columns) return fail(columns.error());
    std::optional<reports::Theirs> all;
    for (const auto& name : options.files) {
        auto text = read_file(name);
        if (!text) return fail(text.error());
        auto one = is_json(*text) ? reports::read_json_report(*text, currency)
                                  : reports::read_csv_report(*text, *columns, currency);
        if (!one) return fail(one.error().code, fmt::format("{}: {}", name, one.error().message));
        if (!all)
            all = std::move(*one);
        else if (auto ok = all->join(std::move(*one)); !ok)
            return fail(ok.error());
    }
    return std::move(*all);
}

// The model of the config that the ledger has under a name, and how its provider calls it.
struct Known {
    const config::Model* model = nullptr;
    std::string name;
    std::string rest;  // of a pattern
};
Known known_model(const config::Config& config, const std::string& provider, const std::string& shown) {
    const auto* model = config.model(shown);
    if (model != nullptr && model->provider == provider && !config::is_pattern(model->id))
        return {model, model->name, {}};
    std::vector<std::string_view> ids;
    for (const auto& one : config.models) ids.push_back(one.provider == provider ? std::string_view(one.id) : "");
    const auto place = config::most_specific(ids, shown);
    if (!place) return {nullptr, shown, {}};
    const auto& pattern = config.models[*place];
    const std::string rest(config::rest_of(pattern.id, shown));
    return {&pattern, routing::provider_name(pattern.name, rest), rest};
}

// The providers of tandem.yaml whose bill the report is.
Result<std::vector<std::string>> our_providers(const config::Config& config, const ledger::Pricing& pricing,
                                               const reports::Theirs& theirs, const Options& options,
                                               const reports::Matching& matching) {
    std::vector<std::string> ids;
    for (const auto& provider : config.providers) ids.push_back(provider.id);
    const auto check = [&](const std::string& name) -> Result<> {
        if (config.provider(name) != nullptr) return {};
        return fail(ErrorCode::invalid,
                    fmt::format("there is no provider '{}' in tandem.yaml{}", printable(name, 40), suggest(name, ids)));
    };
    for (const auto& [key, name] : matching.keys)
        if (auto ok = check(name); !ok) return fail(ok.error());
    std::vector<std::string> ours = options.providers;
    for (const auto& name : ours)
        if (auto ok = check(name); !ok) return fail(ok.error());
    if (ours.empty())
        for (const auto& [key, name] : matching.keys) ours.push_back(name);
    if (ours.empty())
        for (const auto& provider : config.providers)
            if (!theirs.provider.empty() && pricing.book_id(provider.id) == theirs.provider)
                ours.push_back(provider.id);
    if (ours.empty())
        return fail(
            ErrorCode::invalid,
            theirs.provider.empty()
                ? fmt::format("whose table is this? Say so with --provider NAME; there are: {}", join(ids, ", "))
                : fmt::format("no provider of tandem.yaml is {}; say with --provider NAME whose bill this is; "
                              "there are: {}",
                              theirs.provider, join(ids, ", ")));
    return ours;
}

Result<reports::Matching> matching_of(const Options& options) {
    reports::Matching matching;
    for (const auto& pair : options.keys) {
        const auto equals = pair.find('=');
        if (equals == std::string::npos || equals == 0 || equals + 1 == pair.size())
            return fail(
                ErrorCode::invalid,
                fmt::format("--keys: expected KEY=PROVIDER, such as key_abc=openai, got '{}'", printable(pair, 40)));
        matching.keys[pair.substr(0, equals)] = pair.substr(equals + 1);
    }
    return matching;
}

// What so many tokens cost by the model's price, whatever the length of the prompts was: the sum of a day says nothing
// of that.
std::optional<prices::Amount> price_of(const prices::Tariff& tariff, const std::string& tier,
                                       const reports::Volume& volume, std::int64_t day) {
    constexpr std::int64_t kSome = 1'000;
    if (!tariff.known() || tariff.source() == prices::PriceSource::free) return {};
    prices::Asked asked;
    asked.time_ms = day * reports::kDayMs + reports::kDayMs / 2;
    asked.service_tier = tier;
    auto whole = prices::buckets_of(volume.usage);
    const auto hour = std::min(volume.cache_write_hour, whole[prices::Bucket::cache_write]);
    whole.add(prices::Bucket::cache_write_1h, hour);
    whole.add(prices::Bucket::cache_write, -hour);
    prices::Amount sum;
    for (std::size_t i = 0; i < prices::kBuckets; ++i) {
        const auto bucket = static_cast<prices::Bucket>(i);
        if (whole[bucket] == 0) continue;
        prices::Buckets some;
        some.set(bucket, kSome);
        sum += tariff.cost(some, asked).times(whole[bucket], kSome);
    }
    return sum;
}

struct Ledgered {
    std::vector<reports::OurLine> lines;
    // By provider, and the name there or id_of() here: two models of tandem.yaml may be one there.
    std::map<std::pair<std::string, std::string>, prices::Tariff> tariffs;
};

std::string id_of(const std::string& shown) {
    return "=" + shown;
}

// Of models that are not in tandem.yaml: what others asked the same provider for.
class ByBook {
  public:
    ByBook(const config::Config& config, const ledger::Pricing& pricing) : config_(config), pricing_(pricing) {}

    // `providers` are of tandem.yaml. Unknown where the book has no such model, or is in another currency.
    prices::Tariff of(const std::vector<std::string>& providers, const std::string& model) {
        const auto nobody = prices::Tariff::unknown("it is not in the book");
        if (!pricing_.in_dollars() || model.empty()) return nobody;
        if (!books_) books_ = prices::Books::open(config_.data);
        if (!*books_) return nobody;
        for (const auto& provider : providers)
            if (const auto found = (*books_)->find_all(pricing_.book_id(provider), {model}); !found.entries.empty())
                return prices::Tariff::of_book(found.entries, {});
        return nobody;
    }

  private:
    const config::Config& config_;
    const ledger::Pricing& pricing_;
    std::optional<Result<prices::Books>> books_;
};

void add_tariffs(const config::Config& config, const ledger::Pricing& pricing, Ledgered& ledgered) {
    for (const auto& model : config.models)
        if (!config::is_pattern(model.id))
            ledgered.tariffs.try_emplace({model.provider, model.name}, pricing.of(model));
}

Result<Ledgered> read_ledger(const config::Config& config, const ledger::Pricing& pricing,
                             const reports::Theirs& theirs, const std::vector<std::string>& ours) {
    auto database = open_ledger(config);
    if (!database) return fail(database.error());
    Ledgered ledgered;
    add_tariffs(config, pricing, ledgered);
    auto read = reports::each_sum(
        **database, theirs.first_day, theirs.last_day,
        [&](std::int64_t day, const reports::Kind& kind, const reports::Sums& sums) {
            if (std::ranges::find(ours, kind.provider) == ours.end()) return;
            const auto known = known_model(config, kind.provider, kind.model);
            if (known.model != nullptr)
                ledgered.tariffs.try_emplace(
                    {kind.provider, id_of(kind.model)},
                    known.rest.empty() ? pricing.of(*known.model) : pricing.of(*known.model, known.name));
            ledgered.lines.push_back({day, known.name, kind.provider, id_of(kind.model), kind, sums});
        });
    if (!read) return fail(read.error());
    return ledgered;
}

int reconcile(const Globals& globals, const Options& options) {
    auto config = globals.load();
    if (!config) return report(globals, config.error());
    // What is wrong with the arguments or the files is no fault of the config.
    const auto wrong = [&](const Error& error) {
        const int code = report(globals, error);
        return error.code == ErrorCode::invalid || error.code == ErrorCode::too_large ? kUsage : code;
    };
    const auto matching = matching_of(options);
    if (!matching) return wrong(matching.error());
    const auto theirs = read_reports(options, config->currency);
    if (!theirs) return wrong(theirs.error());
    const auto pricing = ledger::Pricing::of(*config);
    if (!pricing) return report(globals, pricing.error());
    const auto ours = our_providers(*config, **pricing, *theirs, options, *matching);
    if (!ours) return wrong(ours.error());
    const auto ledgered = read_ledger(*config, **pricing, *theirs, *ours);
    if (!ledgered) return report(globals, ledgered.error());
    ByBook by_book(*config, **pricing);
    const auto result = reports::reconcile(
        *theirs, ledgered->lines, *matching,
        [&](const std::string& key, const std::string& model, const std::string& tier, const reports::Volume& volume,
            std::int64_t day) -> std::optional<prices::Amount> {
            auto found = ledgered->tariffs.find({key, model});
            for (auto ours_at = ours->begin(); found == ledgered->tariffs.end() && ours_at != ours->end(); ++ours_at)
                found = ledgered->tariffs.find({*ours_at, model});
            if (found != ledgered->tariffs.end()) return price_of(found->second, tier, volume, day);
            return price_of(by_book.of(*ours, model), tier, volume, day);
        });
    fmt::print("{}{}",
               globals.json ? as_json(result, config->currency) : as_text(result, config->currency, options.all),
               globals.json ? "\n" : "");
    return kOk;
}

}  // namespace

void add_reconcile(CLI::App& group, Globals& globals, Action& action) {
    auto* command = group.add_subcommand("reconcile", "Compare a provider's usage and cost reports with the ledger");
    auto options = std::make_shared<Options>();
    command
        ->add_option("file", options->files,
                     "OpenAI's or Anthropic's usage and cost reports as JSON, or a CSV; - reads the standard input")
        ->required();
    command
        ->add_option("--provider", options->providers,
                     "The provider of tandem.yaml whose bill it is; by the report's "
                     "shape by default")
        ->take_all();
    command
        ->add_option("--keys", options->keys,
                     "Which of the provider's API keys Tandem uses: key_abc=openai,...; others are not ours")
        ->delimiter(',')
        ->take_all();
    command->add_option("--columns", options->columns,
                        "What a CSV calls its columns: day=Date,model=Model,cost=Amount");
    command->add_flag("--all", options->all, "Show rows that agree too");
    command->callback(
        [&globals, &action, options] { action = [&globals, options] { return reconcile(globals, *options); }; });
}

}  // namespace tandem::cli
