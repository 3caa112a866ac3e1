// A report as CSV.
#include <fmt/format.h>

#include "base/text.h"
#include "ledger/reports/render.h"

namespace tandem::ledger::reports {

std::string csv_field(std::string_view text) {
    std::string field;
    if (!text.empty() && std::string_view("=+-@\t\r\n").find(text.front()) != std::string_view::npos) field = "'";
    field += text;
    if (field.find_first_of(",\"\r\n;\t") == std::string::npos && trim(field) == field) return field;
    std::string quoted = "\"";
    for (const char c : field) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + "\"";
}

std::string as_csv(const Report& report, std::string_view currency) {
    std::string out;
    for (const auto dimension : report.question.by) out += fmt::format("{},", name_of(dimension));
    out +=
        "attempts,answered,input,cached_input,cache_write,output,reasoning,estimated_attempts,unpriced,cost,"
        "cost_per_answer,currency\r\n";
    for (const auto& line : report.lines) {
        for (const auto& group : line.groups) out += csv_field(group) + ",";
        const auto& f = line.figures;
        const auto& usage = f.sums.usage;
        const auto each = f.cost_per_answer();
        out += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{}\r\n", f.sums.attempts, f.answered, usage.input.count,
                           usage.cached_input.count, usage.cache_write.count, usage.output.count, usage.reasoning.count,
                           f.estimated, f.unpriced, f.sums.cost.text(), each ? each->text() : "", csv_field(currency));
    }
    return out;
}

}  // namespace tandem::ledger::reports
