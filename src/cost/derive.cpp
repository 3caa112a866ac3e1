#include "cost/model.h"

namespace tandem::cost {

namespace {

Exact all_tokens(const Inputs<Exact>& in) {
    return in[Field::tokens_input] + in[Field::tokens_cached_input] + in[Field::tokens_output];
}

// The month's costs at home apart: what is paid whatever is done, what each machine costs when it is on and idle, and
// what the volume of the first month adds to that. local() = fixed + machines x each + volume.
struct Parts {
    Exact fixed, each, volume;
};

Parts parts_of(const Inputs<Exact>& in, const Month<Exact>& month) {
    Parts parts;
    parts.fixed = month.work + month.other;
    const bool by_hours = in.has(Field::busy_hours_per_month) || in.has(Field::busy_hours_per_day);
    if (!by_hours) {
        const bool steady = in.has(Field::watts);
        const Exact idle = steady ? in[Field::watts] : in[Field::watts_idle];
        const Exact busy = steady ? in[Field::watts] : in[Field::watts_busy];
        parts.volume = month.busy_hours * (busy - idle * in[Field::share]) / 1000 * in[Field::overhead_factor] *
                       in[Field::tariff_per_kwh];
    }
    parts.each = (month.local() - parts.fixed - parts.volume) / month.machines;
    return parts;
}

// The volume, as a part of the first month's, from which the cloud costs as much as home:
//   cloud_fixed + v x cloud_volume = fixed + n x each + v x volume, with v <= n x most.
// With n machines, v(n) grows by each / saved for a machine, and what they can do by `most`: the first n that can do
// its own v(n) is the answer, and there is none where a full machine costs more than what it saves.
struct Even {
    std::optional<Exact> whole, as_is;
};

Even even_volume(const Inputs<Exact>& in, const Month<Exact>& month, const std::optional<Exact>& most) {
    const auto parts = parts_of(in, month);
    const Exact cloud_volume = month.cloud_input + month.cloud_cached_input + month.cloud_output + month.bill;
    const Exact fixed = parts.fixed - (month.cloud() - cloud_volume);
    const Exact saved = cloud_volume - parts.volume;
    Even even;
    const auto volume_at = [&](const Exact& machines) -> std::optional<Exact> {
        const Exact missing = fixed + machines * parts.each;
        if (missing <= 0) return Exact(0);
        if (saved <= 0) return std::nullopt;
        return Exact(missing / saved);
    };
    even.as_is = volume_at(month.machines);
    const Exact least = ceiling(in[Field::machines]);
    even.whole = volume_at(least);
    if (!most || !even.whole || *even.whole <= least * *most) return even;
    const Exact surplus = *most * saved - parts.each;
    if (surplus <= 0) {
        even.whole = std::nullopt;
        return even;
    }
    const Exact needed = ceiling(Exact(fixed / surplus));
    even.whole = volume_at(needed > least ? needed : least);
    return even;
}

void split_by_kind(const Inputs<Exact>& in, const Month<Exact>& month, Derived& derived) {
    const std::array<Exact, 4> tokens = {in[Field::tokens_input], in[Field::tokens_cached_input],
                                         in[Field::tokens_output], all_tokens(in)};
    const Exact one = 1;
    const auto work = work_of(in, one);
    // Without a speed, a token is a token.
    const std::array<Exact, 3> weight = work.all() > 0 ? std::array<Exact, 3>{work.input, work.cached, work.output}
                                                       : std::array<Exact, 3>{tokens[0], tokens[1], tokens[2]};
    const Exact all = weight[0] + weight[1] + weight[2];
    const bool bare = month.bill == 0 && month.subscription == 0;
    const std::array<Exact, 3> cloud = {month.cloud_input, month.cloud_cached_input, month.cloud_output};
    for (std::size_t i = 0; i < 3; ++i) {
        if (tokens[i] == 0) continue;
        if (bare) derived.cloud_per_million[i] = cloud[i] * 1'000'000 / tokens[i];
        if (weight[i] > 0) derived.local_per_million[i] = month.local() * weight[i] / all * 1'000'000 / tokens[i];
    }
    if (tokens[3] == 0) return;
    derived.cloud_per_million[3] = month.cloud() * 1'000'000 / tokens[3];
    derived.local_per_million[3] = month.local() * 1'000'000 / tokens[3];
}

}  // namespace

Derived derive(const Inputs<Exact>& in, const Month<Exact>& month) {
    Derived derived;
    split_by_kind(in, month, derived);
    const Exact one = 1, tokens = all_tokens(in);
    const auto work = work_of(in, one);
    if (month.busy_hours > 0 && month.running_hours > 0) derived.utilisation = month.busy_hours / month.running_hours;
    std::optional<Exact> most;  // of the first month's volume, what one machine can do
    if (work.all() > 0) most = running_hours(in) * in[Field::max_utilisation] / (work.all() * in[Field::peak_factor]);
    if (tokens > 0 && work.all() > 0)
        derived.local_per_million_marginal = parts_of(in, month).volume * 1'000'000 / tokens;
    const bool spread = in[Field::price] == 0 || in.has(Field::life_months);
    if (tokens > 0 && most) {
        derived.capacity_tokens = tokens * *most * month.machines;
        const auto parts = parts_of(in, month);
        if (spread)
            derived.local_per_million_at_capacity =
                (parts.fixed + month.machines * (parts.each + *most * parts.volume)) * 1'000'000 /
                *derived.capacity_tokens;
    }
    if (tokens > 0 && spread) {
        const auto even = even_volume(in, month, most);
        if (even.whole) derived.even_tokens = *even.whole * tokens;
        if (even.as_is) derived.even_tokens_as_is = *even.as_is * tokens;
    }
    return derived;
}

}  // namespace tandem::cost
