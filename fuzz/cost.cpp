// What owners and plugs say of costs at home: a profile that is taken has an answer, a counter is not below 0, hours
// are within their bounds, and what was split adds up.
#include "ledger/local/cost.h"

#include <cstdlib>

#include "base/json.h"
#include "cost/answer.h"
#include "energy/plug.h"
#include "ledger/local/hours.h"

namespace {

void read_profile(std::string_view text) {
    const auto profile = tandem::cost::read_profile(text, "home.yaml");
    if (!profile) {
        if (profile.error().message.empty()) std::abort();
        return;
    }
    tandem::json::Writer out;
    tandem::cost::write_json(out, tandem::cost::answer(profile->options.front(), 2, 1));
    tandem::json::Document document;
    if (!document.parse(out.text())) std::abort();
}

void read_counter(std::string_view text) {
    using Source = tandem::config::Measure::Source;
    tandem::config::Measure measure;
    for (const auto source : {Source::shelly, Source::shelly_gen1, Source::tasmota, Source::home_assistant}) {
        measure.source = source;
        if (const auto counter = tandem::energy::counter_from(measure, text); counter && counter->uj < 0) std::abort();
    }
}

void read_hours(std::string_view text) {
    using namespace tandem::ledger::local;
    const auto ms = work_from(text);
    if (ms && (*ms <= 0 || *ms > kLongestWork || hours_text(*ms).empty())) std::abort();
    std::vector<std::int64_t> weights(text.size());
    std::int64_t all = 0;
    for (std::size_t i = 0; i < text.size(); ++i) all += weights[i] = static_cast<unsigned char>(text[i]);
    const auto amount = tandem::Money::from_micros(static_cast<std::int64_t>(text.size()) * 1'000'003);
    tandem::Money sum;
    for (const auto part : split(amount, weights)) sum += part;
    if (sum != (all > 0 ? amount : tandem::Money{})) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    read_profile(text);
    read_counter(text);
    read_hours(text);
    return 0;
}
