#include "ledger/reports/theirs.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/json.h"
#include "base/text.h"
#include "ledger/prices/reading.h"
#include "ledger/reports/question.h"
#include "ledger/reports/rollup.h"

namespace tandem::ledger::reports {

void Theirs::note(std::string text) {
    if (std::ranges::find(notes, text) == notes.end()) notes.push_back(std::move(text));
}

Result<> Theirs::join(Theirs other) {
    if (!provider.empty() && !other.provider.empty() && provider != other.provider)
        return fail(ErrorCode::invalid, fmt::format("the reports are of two providers, {} and {}; reconcile one after "
                                                    "the other",
                                                    provider, other.provider));
    if (provider.empty()) provider = other.provider;
    lines.insert(lines.end(), std::make_move_iterator(other.lines.begin()), std::make_move_iterator(other.lines.end()));
    first_day = std::min(first_day, other.first_day);
    last_day = std::max(last_day, other.last_day);
    has_usage = has_usage || other.has_usage;
    has_costs = has_costs || other.has_costs;
    for (auto& text : other.notes) note(std::move(text));
    return {};
}

std::string tier_named(std::string_view said) {
    const auto tier = lower(trim(said));
    return tier == "default" || tier == "standard" || tier == "auto" || tier == "not_available" ? std::string() : tier;
}

namespace {

using json::Value;

// A count; none where it is not there or null.
Result<std::optional<std::int64_t>> count_in(const Value& value, std::string_view name) {
    if (!value.exists() || value.is_null()) return std::optional<std::int64_t>();
    const auto count = value.integer();
    if (!count || *count < 0)
        return fail(ErrorCode::invalid,
                    fmt::format("{}: expected a number of 0 or more, got {}", name, printable(value.raw(), 40)));
    return count;
}

std::optional<std::int64_t> sum(std::optional<std::int64_t> a, std::optional<std::int64_t> b) {
    if (!a && !b) return {};
    return saturating_sum(a.value_or(0), b.value_or(0));
}

class Reader {
  public:
    explicit Reader(std::string_view currency) : currency_(currency) {}

    // A page, a bucket, or a list of either.
    Result<> read(const Value& value, int depth) {
        constexpr int kDeepest = 4;
        if (depth > kDeepest) return wrong("lists in lists");
        if (value.is(json::Kind::array)) return read_all(value, depth);
        if (!value.is(json::Kind::object)) return wrong("no object");
        if (value["start_time"].exists() || value["starting_at"].exists()) return read_bucket(value);
        if (value["data"].is(json::Kind::array)) {
            ++pages_;
            // Whether the last of several says so is seen when all are read.
            more_ = value["has_more"].boolean() == true;
            next_ = value["next_page"].text();
            return read_all(value["data"], depth);
        }
        if (value["error"].exists())
            return fail(ErrorCode::invalid, fmt::format("the file holds an error of the provider, not a report: {}",
                                                        printable(value["error"].raw(), 120)));
        return wrong("neither `data` nor a bucket");
    }

    Result<Theirs> finish() && {
        if (buckets_ == 0 && pages_ == 0) return fail(wrong("nothing").error());
        if (more_)
            theirs_.note(
                fmt::format("the last page says has_more: ask for the page after it too (page={}), or the days "
                            "behind it are not compared",
                            printable(next_, 40)));
        return std::move(theirs_);
    }

  private:
    static std::unexpected<Error> wrong(std::string_view found) {
        return fail(ErrorCode::invalid,
                    fmt::format("this is no usage or cost report that is known ({}): expected the JSON of OpenAI's "
                                "organization/usage/... or organization/costs, or of Anthropic's usage_report/messages "
                                "or cost_report; a CSV takes --columns",
                                found));
    }

    Result<> read_all(const Value& list, int depth) {
        for (const auto one : list.children())
            if (auto ok = read(one, depth + 1); !ok) return ok;
        return {};
    }

    Result<> read_bucket(const Value& bucket) {
        ++buckets_;
        const bool openai = bucket["start_time"].exists();
        const auto from = prices::time_of(bucket[openai ? "start_time" : "starting_at"]);
        const auto to = prices::time_of(bucket[openai ? "end_time" : "ending_at"]);
        if (!from) return fail(ErrorCode::invalid, "a bucket's start is no time");
        const auto day = day_of(*from);
        if (to && *to > (day + 1) * kDayMs)
            return fail(
                ErrorCode::invalid,
                fmt::format("the bucket of {} does not end on its UTC day; ask for bucket_width=1d from midnight "
                            "UTC",
                            day_text(day)));
        if (buckets_ == 1 && *from % kDayMs != 0)
            theirs_.note(
                fmt::format("the first bucket begins within {}: that day is there in part, or the report is by "
                            "hours",
                            day_text(day)));
        if (to && buckets_ > 1 && openai != openai_)
            return fail(ErrorCode::invalid,
                        "the file has buckets of OpenAI and of Anthropic; reconcile one after the "
                        "other");
        openai_ = openai;
        theirs_.provider = openai ? "openai" : "anthropic";
        theirs_.first_day = std::min(theirs_.first_day, day);
        theirs_.last_day = std::max(theirs_.last_day, day);
        const auto results = bucket["results"].exists() ? bucket["results"] : bucket["result"];
        for (const auto result : results.children()) {
            auto line = openai ? openai_line(result) : anthropic_line(result);
            if (!line)
                return fail(ErrorCode::invalid, fmt::format("bucket of {}: {}", day_text(day), line.error().message));
            line->day = day;
            (line->cost ? theirs_.has_costs : theirs_.has_usage) = true;
            theirs_.lines.push_back(std::move(*line));
        }
        return {};
    }

    Result<> check_currency(const Value& said) const {
        const auto text = lower(said.text());
        if (text.empty() || text == lower(currency_)) return {};
        return fail(ErrorCode::invalid, fmt::format("its amounts are in {}, and `currency` of tandem.yaml is {}",
                                                    printable(said.text(), 10), currency_));
    }

    Result<TheirLine> openai_line(const Value& r) const {
        TheirLine line;
        line.key = r["api_key_id"].text();
        line.model = r["model"].text();
        if (r["amount"].exists()) {
            if (auto ok = check_currency(r["amount"]["currency"]); !ok) return fail(ok.error());
            line.cost = prices::Amount::parse(r["amount"]["value"].text());
            if (!line.cost)
                return fail(ErrorCode::invalid, fmt::format("amount.value: expected a decimal, got {}",
                                                            printable(r["amount"]["value"].raw(), 40)));
            read_line_item(r["line_item"].text(), line);
            return line;
        }
        // Other siblings count images, seconds or sessions.
        if (!r["input_tokens"].exists() && !r["output_tokens"].exists()) {
            line.item = r["object"].text();
            return line;
        }
        const auto input = count_in(r["input_tokens"], "input_tokens");
        const auto cached = count_in(r["input_cached_tokens"], "input_cached_tokens");
        const auto output = count_in(r["output_tokens"], "output_tokens");
        const auto requests = count_in(r["num_model_requests"], "num_model_requests");
        for (const auto* part : {&input, &cached, &output, &requests})
            if (!*part) return fail(part->error());
        line.input = *input;
        line.cached = *cached;
        line.output = *output;
        line.requests = *requests;
        line.tier = r["batch"].boolean() == true ? "batch" : tier_named(r["service_tier"].text());
        return line;
    }

    // "gpt-5.1-2025-11-13" alone is a model too, in reports that are not by kind of tokens.
    static bool is_model(std::string_view name) {
        if (name.find(' ') != std::string_view::npos) return false;
        if (name.find_first_of("0123456789") != std::string_view::npos) return true;
        constexpr std::array<std::string_view, 5> kFamilies = {"gpt-", "chatgpt-", "codex-", "omni-", "computer-use-"};
        return std::ranges::any_of(kFamilies, [&](std::string_view family) { return name.starts_with(family); });
    }

    // "gpt-4o-mini-2024-07-18, input", "gpt-5, cached input, flex", "web search tool calls".
    static void read_line_item(std::string_view item, TheirLine& line) {
        const auto comma = item.find(',');
        const auto name = trim(item.substr(0, std::min(comma, item.size())));
        if (comma == std::string_view::npos ? !is_model(name) : name.find(' ') != std::string_view::npos) {
            line.item = item;
            return;
        }
        if (line.model.empty()) line.model = name;
        const auto rest = lower(item.substr(std::min(comma, item.size())));
        for (const std::string_view tier : {"batch", "flex", "priority"})
            if (rest.find(tier) != std::string::npos) line.tier = tier;
    }

    Result<TheirLine> anthropic_line(const Value& r) const {
        TheirLine line;
        line.key = r["api_key_id"].text();
        line.model = r["model"].text();
        line.tier = tier_named(r["service_tier"].text());
        if (r["amount"].exists()) {
            if (auto ok = check_currency(r["currency"]); !ok) return fail(ok.error());
            const auto cents = prices::Amount::parse(r["amount"].text());
            if (!cents)
                return fail(ErrorCode::invalid, fmt::format("amount: expected a decimal of cents, got {}",
                                                            printable(r["amount"].raw(), 40)));
            line.cost = prices::Amount::from_atto(prices::divided_half_to_even(cents->atto(), 100));
            if (const auto type = r["cost_type"].text(); !type.empty() && type != "tokens")
                line.item = r["description"].text().empty() ? type : r["description"].text();
            return line;
        }
        const auto fresh = count_in(r["uncached_input_tokens"], "uncached_input_tokens");
        const auto read = count_in(r["cache_read_input_tokens"], "cache_read_input_tokens");
        const auto five = count_in(r["cache_creation"]["ephemeral_5m_input_tokens"], "ephemeral_5m_input_tokens");
        const auto hour = count_in(r["cache_creation"]["ephemeral_1h_input_tokens"], "ephemeral_1h_input_tokens");
        const auto output = count_in(r["output_tokens"], "output_tokens");
        for (const auto* part : {&fresh, &read, &five, &hour, &output})
            if (!*part) return fail(part->error());
        line.cached = *read;
        line.cache_write = sum(*five, *hour);
        line.cache_write_hour = *hour;
        line.input = sum(sum(*fresh, *read), line.cache_write);
        line.output = *output;
        return line;
    }

    std::string currency_;
    Theirs theirs_;
    std::size_t pages_ = 0, buckets_ = 0;
    bool more_ = false, openai_ = false;
    std::string next_;
};

}  // namespace

Result<Theirs> read_json_report(std::string_view text, std::string_view currency) {
    if (text.size() > kMostReportBytes)
        return fail(ErrorCode::too_large, "the file is larger than 64 MiB; reconcile fewer days at a time");
    Reader reader(currency);
    json::Document document;
    const auto whole = document.parse(text);
    if (whole) {
        if (auto ok = reader.read(document.root(), 0); !ok) return fail(ok.error());
        return std::move(reader).finish();
    }
    // Pages one behind the other, a line each.
    std::size_t number = 0;
    for (auto rest = text; !rest.empty();) {
        const auto end = std::min(rest.find('\n'), rest.size());
        const auto line = trim(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
        ++number;
        if (line.empty()) continue;
        if (!document.parse(line))
            return fail(ErrorCode::invalid, number == 1
                                                ? whole.error().message
                                                : fmt::format("line {} is no JSON: {}", number, printable(line, 60)));
        if (auto ok = reader.read(document.root(), 0); !ok) return fail(ok.error());
    }
    return std::move(reader).finish();
}

}  // namespace tandem::ledger::reports
