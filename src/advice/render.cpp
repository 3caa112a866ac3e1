#include "advice/render.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace tandem::advice {

namespace {

void write_money(json::Writer& out, const Evaluation& e) {
    out.key("month").begin_object().member("total_micros", e.total().micros());
    out.member("cloud_micros", e.cloud.micros()).member("machines_micros", e.machines().micros());
    out.member("depreciation_micros", e.depreciation.micros()).member("capital_micros", e.capital.micros());
    out.member("energy_used_micros", e.energy_used.micros()).member("energy_idle_micros", e.energy_idle.micros());
    out.member("used_micros", e.used().micros()).member("idle_micros", e.idle().micros());
    out.member("work_micros", e.work.micros());
    write_number(out, "hours", e.hours);
    out.end_object();
}

void write_stations(json::Writer& out, const Evaluation& e) {
    out.key("stations").begin_array();
    for (const auto& one : e.stations) {
        out.begin_object().member("model", one.model).member("machine", one.machine).member("servers", one.servers);
        out.member("served", one.served).member("passed_on", one.passed_on).member("turned_away", one.turned_away);
        out.member("speed_known", one.speed_known);
        if (one.speed_known) {
            write_number(out, "wait_p50_ms", one.wait_p50, 1);
            write_number(out, "wait_p95_ms", one.wait_p95, 1);
            write_number(out, "utilisation", one.utilisation, 6);
        }
        out.member("keeps_up", one.keeps_up).end_object();
    }
    out.end_array();
}

}  // namespace

void write_number(json::Writer& out, std::string_view name, double number, int digits) {
    out.raw_member(name, std::isfinite(number) ? fmt::format("{:.{}f}", number, digits) : std::string("null"));
}

void write_list(json::Writer& out, std::string_view name, const std::vector<std::string>& list) {
    out.key(name).begin_array();
    for (const auto& one : list) out.value(one);
    out.end_array();
}

void write_members(json::Writer& out, const Evaluation& e) {
    out.member("id", e.id).member("name", e.name).member("requests", e.requests).member("answered", e.answered);
    write_money(out, e);
    out.key("quality").begin_object();
    write_number(out, "mean", e.quality);
    write_number(out, "low", e.low);
    write_number(out, "high", e.high);
    out.end_object().key("private").begin_object().member("requests", e.private_requests);
    out.member("home", e.private_home);
    write_number(out, "share", e.private_share());
    out.end_object().key("unserved").begin_object();
    for (std::size_t i = 0; i < e.unserved.size(); ++i) out.member(kUnservedNames[i], e.unserved[i]);
    out.end_object()
        .member("renamed", e.renamed)
        .key("latency")
        .begin_object()
        .member("timed", e.timed)
        .member("known", e.latency_known());
    write_number(out, "first_p50_ms", e.first_p50, 1);
    write_number(out, "first_p95_ms", e.first_p95, 1);
    write_number(out, "total_p50_ms", e.total_p50, 1);
    write_number(out, "total_p95_ms", e.total_p95, 1);
    out.end_object();
    write_stations(out, e);
    out.member("keeps_up", e.keeps_up());
    write_number(out, "worth", e.worth);
    out.key("models").begin_object();
    for (const auto& [model, count] : e.by_model) out.member(model, count);
    out.end_object();
    write_list(out, "unpriced", e.unpriced);
}

std::string money_text(Money money) {
    // Two digits, half to even; six where two would say 0 for something.
    const auto micros = money.micros();
    if (micros != 0 && std::abs(micros) < 10'000) return money.text();
    auto cents = micros / 10'000;
    const auto rest = std::abs(micros % 10'000);
    if (rest > 5'000 || (rest == 5'000 && cents % 2 != 0)) cents += micros < 0 ? -1 : 1;
    return fmt::format("{}{}.{:02}", micros < 0 ? "-" : "", std::abs(cents / 100), std::abs(cents % 100));
}

std::string quality_text(const Evaluation& e) {
    return fmt::format("{:.2f} ({:.2f}-{:.2f})", e.quality, e.low, e.high);
}

std::string time_text(double milliseconds) {
    constexpr double kMinute = 60'000, kSecond = 1'000;
    if (milliseconds >= 2 * kMinute) return fmt::format("{:.1f} min", milliseconds / kMinute);
    if (milliseconds >= kSecond / 10) return fmt::format("{:.1f} s", milliseconds / kSecond);
    return fmt::format("{:.0f} ms", milliseconds);
}

std::string latency_text(const Evaluation& e) {
    if (!e.latency_known()) return "not known";
    return fmt::format("{} / {}", time_text(e.total_p50), time_text(e.total_p95));
}

std::string private_text(const Evaluation& e) {
    return e.private_requests == 0 ? "-" : fmt::format("{:.0f} %", 100 * e.private_share());
}

std::string unserved_text(const Evaluation& e) {
    std::vector<std::string> parts;
    std::int64_t all = 0;
    for (std::size_t i = 0; i < e.unserved.size(); ++i) {
        all += e.unserved[i];
        if (e.unserved[i] > 0) parts.push_back(fmt::format("{} {}", kUnservedNames[i], e.unserved[i]));
    }
    return all == 0 ? "-" : fmt::format("{} ({})", all, join(parts, ", "));
}

std::string keeps_up_text(const Evaluation& e) {
    if (e.stations.empty()) return "-";
    bool known = true;
    std::vector<std::string> stations;
    for (const auto& one : e.stations) {
        known = known && one.speed_known;
        if (!one.speed_known) {
            stations.push_back(fmt::format("how fast {} answers is not known", one.model));
            continue;
        }
        const auto late = one.turned_away + one.passed_on;
        stations.push_back(fmt::format("{} is busy {:.0f} % of the time, one waits {} / {} for it (p50 / p95){}",
                                       one.model, 100 * one.utilisation, time_text(one.wait_p50),
                                       time_text(one.wait_p95),
                                       late > 0 ? fmt::format(", and {} would wait too long", late) : ""));
    }
    const auto* const verdict = !e.keeps_up() ? "no" : known ? "yes" : "not known";
    return fmt::format("{}: {}", verdict, join(stations, "; "));
}

}  // namespace tandem::advice
