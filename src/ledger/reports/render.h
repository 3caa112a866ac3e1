// A report as text for a terminal, JSON, CSV or a page. Each in its own file; all take the same report.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/reports/report.h"

namespace tandem::ledger::reports {

// A table with its total, and below it whose word the costs are and what to beware of. Names are printable.
std::string as_text(const Report& report, std::string_view currency);

// {"currency", "by", "since", "until", "rows": [...], "total_micros", "unpriced", "corrections", "notes"}:
// docs/cost.md.
std::string as_json(const Report& report, std::string_view currency);

// RFC 4180 with a line of names, lines ended by CR LF. Spreadsheets run what begins as a formula, so such a name has an
// apostrophe in front (https://owasp.org/www-community/attacks/CSV_Injection).
std::string as_csv(const Report& report, std::string_view currency);
// One field of a line, as above.
std::string csv_field(std::string_view text);

// ---- the page ----

// What is not in attempts: energy and hours, by what they went to. Whoever records them fills this in.
struct Spent {
    std::string what;    // a machine, a model, a kind of work
    std::string amount;  // with its unit: "12.4 kWh", "3.5 h"
    std::string how;     // "measured", "modelled", "typed in"
    Money cost;
};
struct Beyond {
    std::optional<std::vector<Spent>> energy, hours;  // nullopt: not recorded
};

// The reports that a page is made of, each over the same span.
struct Page {
    std::int64_t made = 0;  // milliseconds since 1970
    std::string_view period = "day";
    std::vector<std::string> periods;  // every one from the first to the last, also those without attempts
    Report spend;                      // by period and model
    Report zones;                      // by period and zone
    Report work;                       // by kind of work and zone
    Report models;                     // by model
    Report aliases;                    // by alias
    std::optional<Report> asked;       // by what was asked for besides
    Beyond beyond;
};
// Errors: storage.
Result<Page> make_page(store::Database& database, const Question& question, bool asked_by, std::int64_t now_ms,
                       Beyond beyond);

// One HTML file without anything from outside: no script, all text escaped, charts as SVG with a table beside each.
std::string as_html(const Page& page, std::string_view currency);

// ---- all of it ----

// What a request for a report says, in the words of the command's options and of the API's parameters.
struct Asked {
    std::string by, since, until, format;
};
inline constexpr std::array<std::string_view, 4> kFormatNames = {"json", "csv", "html", "text"};
struct Answer {
    std::string_view type;  // of its content
    std::string body;
};
// Reads what was asked, makes the report and writes it. Errors: invalid, storage.
Result<Answer> answer(store::Database& database, const Asked& asked, std::string_view currency, std::int64_t now_ms,
                      Beyond beyond = {});

// "2026-11-01 to 2026-11-30", "all time": the span in whole days where it is, in UTC.
std::string span_text(const Question& question);
// How a group without a name is shown.
std::string_view shown(std::string_view group);
std::string_view words_of(prices::PriceSource source);

}  // namespace tandem::ledger::reports
