#include "ledger/meter.h"

#include <algorithm>

#include "config/names.h"
#include "ledger/ledger.h"

namespace tandem::ledger {

void Meter::Times::add(std::int64_t ms) {
    const auto* const place = std::ranges::lower_bound(kBounds, ms);
    ++counts[static_cast<std::size_t>(place - kBounds.begin())];
    ++count;
    sum_ms += ms;
}

void Meter::name_models(std::vector<std::string> models) {
    const std::lock_guard lock(mutex_);
    models_ = std::move(models);
}

std::string Meter::name_of(const std::string& model) const {
    if (models_.empty() || std::ranges::find(models_, model) != models_.end()) return model;
    const std::vector<std::string_view> names(models_.begin(), models_.end());
    const auto found = config::most_specific(names, model);
    return found ? models_[*found] : "other";
}

void Meter::add(const AttemptRecord& attempt) {
    const std::lock_guard lock(mutex_);
    auto& line = lines_[{attempt.provider, name_of(attempt.model)}];
    ++line.outcomes[attempt.outcome];
    line.usage = line.usage + attempt.usage;
    line.cost += attempt.cost;
    const bool known = keys_.contains(attempt.key) || keys_.size() < kMostKeys;
    auto& key = keys_[known ? attempt.key : std::string("other")];
    ++key.attempts;
    key.usage = key.usage + attempt.usage;
    key.cost += attempt.cost;
    if (attempt.first_byte_ms >= 0) line.first_byte.add(attempt.first_byte_ms);
    if (attempt.outcome == "answered") line.whole.add(attempt.total_ms);
}

std::vector<Meter::KeyLine> Meter::keys() const {
    const std::lock_guard lock(mutex_);
    std::vector<KeyLine> result;
    for (const auto& [name, line] : keys_) {
        result.push_back(line);
        result.back().key = name;
    }
    return result;
}

std::vector<Meter::Line> Meter::lines() const {
    const std::lock_guard lock(mutex_);
    std::vector<Line> result;
    for (const auto& [names, line] : lines_) {
        result.push_back(line);
        std::tie(result.back().provider, result.back().model) = names;
    }
    return result;
}

}  // namespace tandem::ledger
