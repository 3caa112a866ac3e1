#include "ledger/reports/chart.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json_mend.h"
#include "base/text.h"

namespace tandem::ledger::reports {

std::string escaped(std::string_view text) {
    constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        const char c = text[i];
        const auto byte = static_cast<unsigned char>(c);
        const auto length = byte < 0x80 ? 1 : json::character_length(text, i);
        if (length == 0 || byte < 0x20 || byte == 0x7F)
            out += kReplacement;
        else if (c == '&')
            out += "&amp;";
        else if (c == '<')
            out += "&lt;";
        else if (c == '>')
            out += "&gt;";
        else if (c == '"')
            out += "&quot;";
        else if (c == '\'')
            out += "&#39;";
        else
            out += text.substr(i, length);
        i += std::max<std::size_t>(length, 1);
    }
    return out;
}

std::vector<std::int64_t> ticks_for(std::int64_t most) {
    constexpr std::int64_t kSteps = 4;
    if (most <= 0) return {0, 1};
    std::int64_t step = 1;
    while (step < INT64_MAX / 50) {
        const auto reaches = [&](std::int64_t by) { return (most + by - 1) / by <= kSteps; };
        if (reaches(step)) break;
        if (reaches(step * 2)) {
            step *= 2;
            break;
        }
        if (reaches(step * 5)) {
            step *= 5;
            break;
        }
        step *= 10;
    }
    std::vector<std::int64_t> ticks;
    for (std::int64_t at = 0; at < most + step && ticks.size() < 16; at += step) {
        ticks.push_back(at);
        if (at >= most) break;
    }
    return ticks;
}

namespace {

// In tenths of a pixel.
constexpr std::int64_t kWidth = 9200, kLeft = 1100, kRight = 100, kTop = 120, kPlot = 2200, kFoot = 420;

std::string px(std::int64_t tenths) {
    return fmt::format("{}.{}", tenths / 10, tenths % 10);
}

std::int64_t scaled(std::int64_t value, std::int64_t most, std::int64_t room) {
    return most <= 0 ? 0 : static_cast<std::int64_t>(__int128(value) * room / most);
}

std::string open_svg(const Chart& chart, std::int64_t height) {
    return fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\"><title>{}</title>\n", px(kWidth),
                       px(height), escaped(chart.title), escaped(chart.title));
}

std::string legend(const Chart& chart) {
    std::string out = "<ul class=\"legend\">";
    for (const auto& series : chart.series)
        out += fmt::format("<li><span class=\"key c{}\"></span>{}</li>", series.colour, escaped(series.name));
    return out + "</ul>\n";
}

std::string text_at(std::int64_t x, std::int64_t y, std::string_view anchor, std::string_view text) {
    return fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"{}\">{}</text>\n", px(x), px(y), anchor, escaped(text));
}

}  // namespace

std::string stacked_columns(const Chart& chart) {
    const auto count = static_cast<std::int64_t>(chart.places.size());
    std::int64_t most = 0;
    for (std::size_t i = 0; i < chart.places.size(); ++i) {
        std::int64_t sum = 0;
        for (const auto& series : chart.series) sum += series.values[i];
        most = std::max(most, sum);
    }
    const auto ticks = ticks_for(most);
    const auto top = ticks.back();
    const auto wide = kWidth - kLeft - kRight, foot = kTop + kPlot;
    std::string out = "<figure>" + legend(chart) + open_svg(chart, foot + kFoot);
    for (const auto tick : ticks) {
        const auto y = foot - scaled(tick, top, kPlot);
        out += fmt::format("<line class=\"{}\" x1=\"{}\" x2=\"{}\" y1=\"{}\" y2=\"{}\"/>\n",
                           tick == 0 ? "axis" : "grid", px(kLeft), px(kWidth - kRight), px(y), px(y));
        out += text_at(kLeft - 80, y + 40, "end", chart.unit(tick));
    }
    out += fmt::format("<line class=\"axis\" x1=\"{0}\" x2=\"{0}\" y1=\"{1}\" y2=\"{2}\"/>\n", px(kLeft), px(kTop),
                       px(foot));
    const auto step = count == 0 ? wide : std::min<std::int64_t>(wide / count, 900);
    const auto width = std::max<std::int64_t>(step * 7 / 10, 5);
    constexpr std::int64_t kLabel = 900;  // room for one
    const auto every = std::max<std::int64_t>(1, (kLabel + step - 1) / std::max<std::int64_t>(step, 1));
    for (std::int64_t i = 0; i < count; ++i) {
        const auto x = kLeft + i * step + (step - width) / 2;
        std::int64_t sum = 0;
        for (const auto& series : chart.series) {
            const auto value = series.values[static_cast<std::size_t>(i)];
            if (value <= 0) continue;
            const auto from = scaled(sum, top, kPlot);
            sum += value;
            // What is there is seen.
            const auto high = std::max<std::int64_t>(scaled(sum, top, kPlot) - from, 5);
            out += fmt::format(
                "<rect class=\"c{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"><title>{}: {}, {}</title></rect>\n",
                series.colour, px(x), px(foot - from - high), px(width), px(high),
                escaped(chart.places[static_cast<std::size_t>(i)]), escaped(series.name), escaped(chart.unit(value)));
        }
        if (i % every != 0) continue;
        const auto middle = kLeft + i * step + step / 2;
        out += fmt::format("<line class=\"axis\" x1=\"{0}\" x2=\"{0}\" y1=\"{1}\" y2=\"{2}\"/>\n", px(middle), px(foot),
                           px(foot + 40));
        out += text_at(middle, foot + 180, "middle", chart.places[static_cast<std::size_t>(i)]);
    }
    return out + "</svg></figure>\n";
}

std::string bars(const Chart& chart) {
    constexpr std::int64_t kRow = 280, kName = 2400, kValue = 1300;
    const auto& values = chart.series.front().values;
    const auto ticks = ticks_for(values.empty() ? 0 : *std::ranges::max_element(values));
    const auto top = ticks.back();
    const auto wide = kWidth - kName - kValue, foot = kTop + static_cast<std::int64_t>(values.size()) * kRow;
    std::string out = "<figure>" + open_svg(chart, foot + kFoot);
    for (const auto tick : ticks) {
        const auto x = kName + scaled(tick, top, wide);
        out += fmt::format("<line class=\"{}\" x1=\"{}\" x2=\"{}\" y1=\"{}\" y2=\"{}\"/>\n",
                           tick == 0 ? "axis" : "grid", px(x), px(x), px(kTop), px(foot));
        out += text_at(x, foot + 180, "middle", chart.unit(tick));
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
        constexpr std::size_t kMostName = 34;
        const auto y = kTop + static_cast<std::int64_t>(i) * kRow;
        const auto long_ = std::max<std::int64_t>(scaled(values[i], top, wide), values[i] > 0 ? 5 : 0);
        out += text_at(kName - 80, y + 180, "end", printable(chart.places[i], kMostName));
        out += fmt::format(
            "<rect class=\"c{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"><title>{}: {}</title></rect>\n",
            chart.series.front().colour, px(kName), px(y + 50), px(long_), px(kRow - 100), escaped(chart.places[i]),
            escaped(chart.unit(values[i])));
        out += text_at(kName + long_ + 60, y + 180, "start", chart.unit(values[i]));
    }
    return out + "</svg></figure>\n";
}

}  // namespace tandem::ledger::reports
