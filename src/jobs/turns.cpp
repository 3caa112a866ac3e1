#include "jobs/turns.h"

#include <algorithm>
#include <utility>

namespace tandem::jobs {

void Turns::enter(const std::string& owner, std::string id, std::function<void()> start) {
    {
        const std::lock_guard lock(mutex_);
        auto& line = lines_[owner];
        if (line.waiting.empty()) turns_.push_back(owner);
        line.waiting.push_back({std::move(id), std::move(start)});
    }
    start_those_that_may();
}

bool Turns::take_out(const std::string& owner, std::string_view id) {
    const std::lock_guard lock(mutex_);
    const auto line = lines_.find(owner);
    if (line == lines_.end()) return false;
    auto& waiting = line->second.waiting;
    const auto place = std::ranges::find(waiting, id, &Waiting::id);
    if (place == waiting.end()) return false;
    waiting.erase(place);
    if (!waiting.empty()) return true;
    turns_.remove(owner);
    if (line->second.at_work == 0) lines_.erase(line);
    return true;
}

void Turns::leave(const std::string& owner) {
    {
        const std::lock_guard lock(mutex_);
        const auto line = lines_.find(owner);
        if (line == lines_.end() || line->second.at_work == 0) return;
        --line->second.at_work;
        --at_work_;
        if (line->second.at_work == 0 && line->second.waiting.empty()) lines_.erase(line);
    }
    start_those_that_may();
}

std::function<void()> Turns::next() {
    if (at_work_ >= limits_.at_work) return {};
    const auto turn = std::ranges::find_if(
        turns_, [this](const std::string& owner) { return lines_[owner].at_work < limits_.at_work_of_owner; });
    if (turn == turns_.end()) return {};
    auto& line = lines_[*turn];
    auto start = std::move(line.waiting.front().start);
    line.waiting.pop_front();
    if (line.waiting.empty())
        turns_.erase(turn);
    else
        turns_.splice(turns_.end(), turns_, turn);
    ++line.at_work;
    ++at_work_;
    return start;
}

void Turns::start_those_that_may() {
    while (true) {
        std::function<void()> start;
        {
            const std::lock_guard lock(mutex_);
            start = next();
        }
        if (!start) return;
        start();
    }
}

std::size_t Turns::open_of(const std::string& owner) const {
    const std::lock_guard lock(mutex_);
    const auto line = lines_.find(owner);
    return line == lines_.end() ? 0 : line->second.at_work + line->second.waiting.size();
}

}  // namespace tandem::jobs
