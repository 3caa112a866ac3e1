#include "engine/schedule.h"

#include <algorithm>

namespace tandem::engine {

namespace {

std::int64_t at(const Bytes& bytes, std::size_t i) {
    return i < bytes.size() ? bytes[i] : 0;
}

void add_to(Bytes& sum, const Bytes& more, std::int64_t factor = 1) {
    if (sum.size() < more.size()) sum.resize(more.size());
    for (std::size_t i = 0; i < more.size(); ++i) sum[i] += factor * more[i];
}

// What of `need` `room` does not have.
Bytes missing_of(const Bytes& need, const Bytes& room) {
    Bytes missing(need.size());
    for (std::size_t i = 0; i < need.size(); ++i) missing[i] = std::max<std::int64_t>(0, need[i] - at(room, i));
    return missing;
}

bool is_nothing(const Bytes& bytes) {
    return std::ranges::all_of(bytes, [](auto one) { return one <= 0; });
}

std::int64_t sum_of(const Bytes& bytes) {
    std::int64_t sum = 0;
    for (const auto one : bytes) sum += one;
    return sum;
}

}  // namespace

Schedule::Model Schedule::add(ScheduledModel model) {
    entries_[next_model_].about = std::move(model);
    return next_model_++;
}

void Schedule::change(Model model, ScheduledModel to) {
    entries_.at(model).about = std::move(to);
}

void Schedule::retire(Model model) {
    auto& entry = entries_.at(model);
    entry.retired = true;
    entry.called.reset();
    if (entry.stage == Stage::out && entry.lent == 0) forget(model);
}

void Schedule::forget(Model model) {
    for (const auto& [ticket, since] : entries_.at(model).waiting) tickets_.erase(ticket);
    entries_.erase(model);
}

bool Schedule::too_large(Model model) const {
    if (!settings_.strict) return false;
    Bytes room = settings_.limits;
    const auto unit = unit_of(model);
    for (const auto& [other, entry] : entries_)
        if (entry.about.pinned && entry.stage != Stage::out && std::ranges::find(unit, other) == unit.end())
            add_to(room, need(entry), -1);
    Bytes wanted;
    for (const auto one : unit) add_to(wanted, need(entries_.at(one)));
    return !fits(wanted, room);
}

Schedule::Ticket Schedule::want(Model model, SteadyTime now) {
    auto& entry = entries_.at(model);
    entry.waiting.emplace(next_ticket_, now);
    entry.preloaded = true;
    entry.again_from.reset();
    tickets_.emplace(next_ticket_, model);
    return next_ticket_++;
}

void Schedule::give_up(Ticket ticket, SteadyTime now) {
    const auto found = tickets_.find(ticket);
    if (found == tickets_.end()) return;
    auto& entry = entries_.at(found->second);
    entry.waiting.erase(ticket);
    if (entry.waiting.empty()) entry.unwatched_since = now;
    tickets_.erase(found);
}

void Schedule::call_for(Model model, SteadyTime now) {
    auto& entry = entries_.at(model);
    if (entry.stage == Stage::in && !entry.draining) return;
    if (!entry.called) entry.called = now;
    entry.again_from.reset();
}

void Schedule::done(Model model, SteadyTime now) {
    auto& entry = entries_.at(model);
    --entry.lent;
    entry.idle_since = now;
    if (entry.retired && entry.stage == Stage::out && entry.lent == 0) forget(model);
}

void Schedule::loaded(Model model, SteadyTime now) {
    auto& entry = entries_.at(model);
    if (entry.stage != Stage::loading) return;
    entry.stage = Stage::in;
    entry.since = entry.idle_since = now;
    entry.called.reset();
    entry.again_from.reset();
}

void Schedule::ended(Model model, SteadyTime now) {
    auto& entry = entries_.at(model);
    entry.stage = Stage::out;
    entry.since = now;
    entry.draining = false;
    if (entry.retired && entry.lent == 0) forget(model);
}

void Schedule::failed(Model model, SteadyTime now, std::optional<SteadyTime> again_from) {
    auto& entry = entries_.at(model);
    for (const auto& [ticket, since] : entry.waiting) tickets_.erase(ticket);
    entry.waiting.clear();
    entry.called.reset();
    entry.again_from = again_from;
    ended(model, now);
}

Schedule::Steps Schedule::step(SteadyTime now) {
    Steps steps;
    lend(steps);
    refuse_too_large(steps);
    end_loads(now, steps);
    unload_idle(now, steps);
    unload_drained(now, steps);
    shed(now, steps);
    serve_queue(now, steps);
    preload(now, steps);
    return steps;
}

void Schedule::lend(Steps& steps) {
    for (auto& [model, entry] : entries_) {
        if (entry.stage != Stage::in || entry.draining) continue;
        for (const auto& [ticket, since] : entry.waiting) {
            steps.lend.push_back(ticket);
            tickets_.erase(ticket);
            ++entry.lent;
        }
        entry.waiting.clear();
    }
}

void Schedule::refuse_too_large(Steps& steps) {
    for (auto& [model, entry] : entries_) {
        if (entry.stage != Stage::out || !first_wait(entry) || !too_large(model)) continue;
        for (const auto& [ticket, since] : entry.waiting) {
            steps.refuse.push_back(ticket);
            tickets_.erase(ticket);
        }
        entry.waiting.clear();
        entry.called.reset();
    }
}

// A load that nobody waits for any more ends: at once where somebody waits for its room.
void Schedule::end_loads(SteadyTime now, Steps& steps) {
    const bool others_wait = !queue().empty();
    for (auto& [model, entry] : entries_) {
        if (entry.stage != Stage::loading) continue;
        const bool kept = entry.about.preload || entry.about.pinned || first_wait(unit_of(model));
        if (kept && !entry.retired) continue;
        const auto end = std::max(entry.since, entry.unwatched_since) + settings_.unwatched_load;
        if (entry.retired || others_wait || now >= end)
            unload(model, now, steps);
        else
            steps.look_again = std::min(steps.look_again, end);
    }
}

void Schedule::unload_idle(SteadyTime now, Steps& steps) {
    for (auto& [model, entry] : entries_) {
        if (entry.stage != Stage::in || entry.lent > 0 || !entry.waiting.empty()) continue;
        if (entry.about.pinned && !entry.retired) continue;
        const auto unit = unit_of(model);
        const bool together = std::ranges::all_of(unit, [&](Model one) {
            const auto& other = entries_.at(one);
            return other.lent == 0 || other.about.pinned;
        });
        auto last_use = entry.idle_since;
        for (const auto one : unit) last_use = std::max(last_use, entries_.at(one).idle_since);
        const auto end = last_use + entry.about.idle_unload;
        if (entry.retired || (together && now >= end))
            unload(model, now, steps);
        else if (together)
            steps.look_again = std::min(steps.look_again, end);
    }
}

// What grew beyond the limit gives way at the cost of what nobody uses.
void Schedule::shed(SteadyTime now, Steps& steps) {
    while (true) {
        auto room = free();
        add_to(room, coming());
        if (std::ranges::all_of(room, [](auto one) { return one >= 0; })) return;
        const Entry* least = nullptr;
        Model who = 0;
        for (const auto& [model, entry] : entries_) {
            if (entry.stage != Stage::in || entry.lent > 0 || entry.draining || entry.about.pinned) continue;
            if (least != nullptr && worth_keeping({who}, now) <= worth_keeping({model}, now)) continue;
            least = &entry;
            who = model;
        }
        if (least == nullptr) return;
        unload(who, now, steps);
    }
}

void Schedule::unload_drained(SteadyTime now, Steps& steps) {
    // Those that waited for the room have gone, or it came otherwise: what drains stays.
    if (!comer_.empty()) {
        std::erase_if(comer_, [&](Model one) { return !entries_.contains(one); });
        const bool waits = !comer_.empty() && first_wait(comer_) && !is_nothing(need_of(comer_));
        if (!waits) {
            end_claim();
            lend(steps);
        }
    }
    for (auto& [model, entry] : entries_)
        if (entry.draining && entry.stage == Stage::in && entry.lent == 0) unload(model, now, steps);
}

void Schedule::serve_queue(SteadyTime now, Steps& steps) {
    const auto all = queue();
    if (all.empty()) return;
    if (comer_.empty()) {
        const auto& [since, unit] = all.front();
        const auto wanted = need_of(unit);
        auto room = free();
        if (fits(wanted, room)) {
            load(unit, now, steps);
            return serve_queue(now, steps);
        }
        add_to(room, coming());
        if (const auto missing = missing_of(wanted, room); is_nothing(missing)) {
            comer_ = unit;
        } else {
            const auto who = who_goes(unit, missing, since, now);
            if (!who.units.empty()) make_room(unit, who, now, steps);
            steps.look_again = std::min(steps.look_again, who.look_again);
        }
    } else if (const auto wanted = need_of(comer_); fits(wanted, free())) {
        load(comer_, now, steps);
        end_claim();
        lend(steps);
        return serve_queue(now, steps);
    } else {
        // What was measured meanwhile may have made the room smaller.
        auto room = free();
        add_to(room, coming());
        if (const auto missing = missing_of(wanted, room); !is_nothing(missing)) {
            const auto who = who_goes(comer_, missing, *first_wait(comer_), now);
            if (!who.units.empty()) make_room(comer_, who, now, steps);
            steps.look_again = std::min(steps.look_again, who.look_again);
        }
    }
    // Others that fit beside the first one.
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto& unit = all[i].second;
        if (unit == comer_ || (comer_.empty() && i == 0)) continue;
        auto room = free();
        const auto wanted = need_of(unit);
        if (!fits(wanted, room)) continue;
        if (!comer_.empty()) {
            add_to(room, coming());
            add_to(room, need_of(comer_), -1);
            if (!fits(wanted, room)) continue;
        }
        load(unit, now, steps);
    }
}

void Schedule::preload(SteadyTime now, Steps& steps) {
    if (!comer_.empty() || !queue().empty()) return;
    for (auto& [model, entry] : entries_) {
        const bool wanted = (entry.about.preload && !entry.preloaded) || entry.about.pinned || entry.again_from;
        if (!wanted || entry.stage != Stage::out || entry.retired) continue;
        if (!may_load(entry, now)) {
            steps.look_again = std::min(steps.look_again, *entry.again_from);
            continue;
        }
        if (fits(need_of({model}), free())) load({model}, now, steps);
    }
}

void Schedule::load(const Unit& unit, SteadyTime now, Steps& steps) {
    for (const auto one : unit) {
        auto& entry = entries_.at(one);
        if (entry.stage != Stage::out || !may_load(entry, now)) continue;
        entry.stage = Stage::loading;
        entry.since = entry.unwatched_since = now;
        entry.preloaded = true;
        steps.load.push_back(one);
    }
}

void Schedule::unload(Model model, SteadyTime now, Steps& steps) {
    auto& entry = entries_.at(model);
    entry.stage = Stage::leaving;
    entry.since = now;
    // One that makes room is preloaded again, once there is room.
    if (std::exchange(entry.draining, false)) entry.preloaded = false;
    steps.unload.push_back(model);
}

Schedule::Unit Schedule::unit_of(Model model) const {
    const auto& entry = entries_.at(model);
    if (entry.about.group.empty() || entry.retired) return {model};
    Unit unit;
    for (const auto& [other, one] : entries_)
        if (one.about.group == entry.about.group && !one.retired) unit.push_back(other);
    return unit;
}

std::optional<SteadyTime> Schedule::first_wait(const Entry& entry) const {
    std::optional<SteadyTime> first = entry.called;
    // Tickets grow with time.
    if (!entry.waiting.empty() && (!first || entry.waiting.begin()->second < *first))
        first = entry.waiting.begin()->second;
    return first;
}

std::optional<SteadyTime> Schedule::first_wait(const Unit& unit) const {
    std::optional<SteadyTime> first;
    for (const auto one : unit)
        if (const auto since = first_wait(entries_.at(one)); since && (!first || *since < *first)) first = since;
    return first;
}

std::optional<SteadyTime> Schedule::waiting_since(Model model) const {
    return first_wait(entries_.at(model));
}

std::vector<std::pair<SteadyTime, Schedule::Unit>> Schedule::queue() const {
    std::vector<std::pair<SteadyTime, Unit>> all;
    for (const auto& [model, entry] : entries_) {
        if (entry.stage != Stage::out || !first_wait(entry)) continue;
        auto unit = unit_of(model);
        if (std::ranges::find(all, unit, &std::pair<SteadyTime, Unit>::second) != all.end()) continue;
        // Those of a group that are still leaving come back with the rest.
        if (std::ranges::any_of(unit, [&](Model one) { return entries_.at(one).stage == Stage::leaving; })) continue;
        const auto since = *first_wait(unit);
        all.emplace_back(since, std::move(unit));
    }
    std::ranges::sort(all);
    return all;
}

// Where the limit is not the owner's, what is larger than all of it counts as all of it.
Bytes Schedule::need(const Entry& entry) const {
    auto bytes = entry.about.bytes;
    if (bytes.size() <= first_soft()) return bytes;
    Bytes most = settings_.limits;
    for (const auto& [model, other] : entries_)
        if (&other != &entry && other.about.pinned && other.stage != Stage::out) {
            auto theirs = other.about.bytes;
            for (std::size_t i = 0; i < theirs.size(); ++i) theirs[i] = std::min(theirs[i], at(settings_.limits, i));
            add_to(most, theirs, -1);
        }
    for (auto i = first_soft(); i < bytes.size(); ++i)
        bytes[i] = std::min(bytes[i], std::max<std::int64_t>(0, at(most, i)));
    return bytes;
}

Bytes Schedule::need_of(const Unit& unit) const {
    Bytes sum;
    for (const auto one : unit)
        if (const auto& entry = entries_.at(one); entry.stage == Stage::out) add_to(sum, need(entry));
    for (auto i = first_soft(); i < sum.size(); ++i) sum[i] = std::min(sum[i], at(settings_.limits, i));
    return sum;
}

Bytes Schedule::used() const {
    Bytes sum;
    for (const auto& [model, entry] : entries_)
        if (entry.stage != Stage::out) add_to(sum, need(entry));
    return sum;
}

Bytes Schedule::free() const {
    Bytes room = settings_.limits;
    add_to(room, used(), -1);
    return room;
}

Bytes Schedule::coming() const {
    Bytes sum;
    for (const auto& [model, entry] : entries_)
        if (entry.stage == Stage::leaving || (entry.stage == Stage::in && entry.draining)) add_to(sum, need(entry));
    return sum;
}

bool Schedule::fits(const Bytes& need, const Bytes& room) const {
    for (std::size_t i = 0; i < need.size(); ++i)
        if (need[i] > 0 && need[i] > at(room, i)) return false;
    return true;
}

milliseconds Schedule::turn(const Entry& entry) const {
    return std::max(settings_.patience, entry.about.load);
}

milliseconds Schedule::linger(const Entry& entry) const {
    return std::min(settings_.patience, entry.about.load);
}

milliseconds Schedule::worst_turn() const {
    milliseconds longest = settings_.patience, load{0};
    for (const auto& [model, entry] : entries_) {
        longest = std::max(longest, turn(entry));
        load = std::max(load, entry.about.load);
    }
    return longest + load;
}

std::optional<SteadyTime> Schedule::may_go(const Unit& unit, SteadyTime waits_since) const {
    SteadyTime idle_from{}, turn_over{};
    bool used = false, there = false;
    for (const auto one : unit) {
        const auto& entry = entries_.at(one);
        if (entry.draining || entry.stage == Stage::loading) return {};
        if (entry.stage != Stage::in || entry.about.pinned) continue;
        there = true;
        used = used || entry.lent > 0 || !entry.waiting.empty();
        idle_from = std::max(idle_from, entry.idle_since + linger(entry));
        turn_over = std::max(turn_over, entry.since + turn(entry));
    }
    if (!there) return {};
    turn_over = std::max(turn_over, waits_since + settings_.patience);
    return used ? turn_over : std::min(idle_from, turn_over);
}

// The loading time that keeping a byte of it may save, by how long nobody used it.
double Schedule::worth_keeping(const Unit& unit, SteadyTime now) const {
    double load = 0, bytes = 1;
    bool used = false;
    SteadyTime last{};
    for (const auto one : unit) {
        const auto& entry = entries_.at(one);
        load += static_cast<double>(entry.about.load.count());
        bytes += static_cast<double>(sum_of(entry.about.bytes));
        used = used || entry.lent > 0;
        last = std::max(last, entry.idle_since);
    }
    const auto idle = std::max<double>(0, std::chrono::duration<double, std::milli>(now - last).count());
    constexpr double kUsed = 1e12;  // those in use go last
    return load / bytes / (idle + 1) + (used ? kUsed : 0);
}

// Nobody, where those that may go now do not make room enough.
Schedule::Leaving Schedule::who_goes(const Unit& comer, Bytes missing, SteadyTime waits_since, SteadyTime now) const {
    Leaving leaving;
    std::vector<Unit> may;
    for (const auto& [model, entry] : entries_) {
        if (entry.stage != Stage::in) continue;
        auto unit = unit_of(model);
        if (std::ranges::find(comer, model) != comer.end() || std::ranges::find(may, unit) != may.end()) continue;
        const auto when = may_go(unit, waits_since);
        if (!when) continue;
        if (*when <= now)
            may.push_back(std::move(unit));
        else
            leaving.look_again = std::min(leaving.look_again, *when);
    }
    std::ranges::sort(may, {}, [&](const Unit& unit) { return worth_keeping(unit, now); });
    const auto gives = [&](const Unit& unit) {
        Bytes bytes;
        for (const auto one : unit)
            if (const auto& entry = entries_.at(one); entry.stage == Stage::in && !entry.about.pinned)
                add_to(bytes, need(entry));
        return bytes;
    };
    for (const auto& unit : may) {
        if (is_nothing(missing)) break;
        const auto freed = gives(unit);
        bool helps = false;
        for (std::size_t i = 0; i < missing.size(); ++i) helps = helps || (missing[i] > 0 && at(freed, i) > 0);
        if (!helps) continue;
        add_to(missing, freed, -1);
        leaving.units.push_back(unit);
    }
    if (!is_nothing(missing)) {
        leaving.units.clear();
        return leaving;
    }
    // The last ones may have made the first ones needless.
    std::erase_if(leaving.units, [&](const Unit& unit) {
        auto without = missing;
        add_to(without, gives(unit));
        if (!is_nothing(without)) return false;
        missing = without;
        return true;
    });
    return leaving;
}

void Schedule::end_claim() {
    comer_.clear();
    for (auto& [model, entry] : entries_) entry.draining = false;
}

void Schedule::make_room(const Unit& comer, const Leaving& who, SteadyTime now, Steps& steps) {
    comer_ = comer;
    for (const auto& unit : who.units)
        for (const auto one : unit) {
            auto& entry = entries_.at(one);
            if (entry.stage != Stage::in || entry.about.pinned) continue;
            entry.draining = true;
            if (entry.lent == 0) unload(one, now, steps);
        }
}

milliseconds Schedule::expected_wait(Model model, SteadyTime now) const {
    const auto& entry = entries_.at(model);
    const auto left = [&](SteadyTime end) {
        return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(end - now));
    };
    if (entry.stage == Stage::in && !entry.draining) return milliseconds(0);
    if (entry.stage == Stage::loading) return left(entry.since + entry.about.load);
    milliseconds wait = entry.about.load;
    for (const auto& [since, unit] : queue())
        if (std::ranges::find(unit, model) == unit.end()) {
            milliseconds longest{0};
            for (const auto one : unit) longest = std::max(longest, entries_.at(one).about.load);
            wait += longest + settings_.patience;
        }
    const auto unit = unit_of(model);
    const auto wanted = need_of(unit);
    auto room = free();
    if (fits(wanted, room)) return wait;
    add_to(room, coming());
    const auto missing = missing_of(wanted, room);
    if (is_nothing(missing)) return wait;
    // When the first of those that could go may; more than one is rarely needed.
    std::optional<SteadyTime> first;
    for (const auto& [other, one] : entries_)
        if (one.stage == Stage::in && std::ranges::find(unit, other) == unit.end())
            if (const auto when = may_go(unit_of(other), now); when && (!first || *when < *first)) first = when;
    return wait + (first ? left(*first) : milliseconds(0));
}

}  // namespace tandem::engine
