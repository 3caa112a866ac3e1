#include "resources/batch_turns.h"

#include <algorithm>
#include <utility>

namespace tandem::resources {

void BatchTurns::enter(const std::string& key, const std::string& id, std::function<void()> start) {
    {
        const std::lock_guard lock(mutex_);
        auto& line = lines_[key];
        if (line.waiting.empty()) turns_.push_back(key);
        line.waiting.push_back({id, std::move(start)});
    }
    start_those_that_may();
}

void BatchTurns::leave(const std::string& key) {
    {
        const std::lock_guard lock(mutex_);
        const auto line = lines_.find(key);
        if (line == lines_.end() || line->second.at_work == 0) return;
        --line->second.at_work;
        --at_work_;
        if (line->second.at_work == 0 && line->second.waiting.empty()) lines_.erase(line);
    }
    start_those_that_may();
}

bool BatchTurns::withdraw(const std::string& key, const std::string& id) {
    const std::lock_guard lock(mutex_);
    const auto line = lines_.find(key);
    if (line == lines_.end()) return false;
    auto& waiting = line->second.waiting;
    if (std::erase_if(waiting, [&](const Waiting& w) { return w.id == id; }) == 0) return false;
    if (waiting.empty()) {
        turns_.remove(key);
        if (line->second.at_work == 0) lines_.erase(line);
    }
    return true;
}

void BatchTurns::remember(const std::string& id, std::function<void()> cancel) {
    const std::lock_guard lock(mutex_);
    cancels_[id] = std::move(cancel);
}

void BatchTurns::forget(const std::string& id) {
    const std::lock_guard lock(mutex_);
    cancels_.erase(id);
}

void BatchTurns::cancel(const std::string& id) {
    const std::lock_guard lock(mutex_);
    if (const auto at_work = cancels_.find(id); at_work != cancels_.end()) at_work->second();
}

std::function<void()> BatchTurns::next() {
    if (at_work_ >= kMostAtWork) return {};
    const auto turn =
        std::ranges::find_if(turns_, [this](const std::string& key) { return lines_[key].at_work < kMostAtWorkOfKey; });
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

void BatchTurns::start_those_that_may() {
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

std::size_t BatchTurns::open_of(const std::string& key) const {
    const std::lock_guard lock(mutex_);
    const auto line = lines_.find(key);
    return line == lines_.end() ? 0 : line->second.at_work + line->second.waiting.size();
}

BatchTurns::Status BatchTurns::status() const {
    const std::lock_guard lock(mutex_);
    Status status{at_work_, 0};
    for (const auto& [key, line] : lines_) status.waiting += line.waiting.size();
    return status;
}

}  // namespace tandem::resources
