#include "cache/cache.h"

namespace tandem::cache {

void AnswerCache::drop(std::list<Entry>::iterator entry) {
    bytes_ -= size_of(*entry);
    by_request_.erase(entry->request);
    entries_.erase(entry);
}

std::shared_ptr<const AnswerCache::Answer> AnswerCache::find(const std::string& request, SteadyTime now,
                                                             milliseconds ttl) {
    const std::lock_guard lock(mutex_);
    const auto found = by_request_.find(request);
    if (found == by_request_.end()) return nullptr;
    if (now - found->second->answer->made > ttl) {
        drop(found->second);
        return nullptr;
    }
    entries_.splice(entries_.begin(), entries_, found->second);
    return found->second->answer;
}

void AnswerCache::keep(const std::string& request, Answer answer, std::size_t bytes) {
    if (answer.body.size() > kLargest) return;
    answer.body.shrink_to_fit();
    const std::lock_guard lock(mutex_);
    if (const auto old = by_request_.find(request); old != by_request_.end()) drop(old->second);
    entries_.push_front({request, std::make_shared<const Answer>(std::move(answer))});
    by_request_[request] = entries_.begin();
    bytes_ += size_of(entries_.front());
    fit(bytes);
}

void AnswerCache::fit(std::size_t bytes) {
    while (bytes_ > bytes && !entries_.empty()) drop(std::prev(entries_.end()));
    while (!held_.resize(bytes_ + meaning_bytes_)) {
        if (!entries_.empty())
            drop(std::prev(entries_.end()));
        else if (!meanings_.empty())
            drop_oldest_meaning();
        else
            return;
    }
}

std::size_t AnswerCache::bytes() const {
    const std::lock_guard lock(mutex_);
    return bytes_ + meaning_bytes_;
}

void AnswerCache::drop_oldest_meaning() {
    meaning_bytes_ -= meanings_.front().bytes();
    meanings_.pop_front();
}

AnswerCache::Similar AnswerCache::find_similar(const Meaning& meaning, double at_least, SteadyTime now,
                                               milliseconds ttl) {
    std::string nearest;
    double best = at_least;
    {
        const std::lock_guard lock(mutex_);
        std::erase_if(meanings_, [&](const Meant& m) {
            const bool gone = !by_request_.contains(m.request);
            if (gone) meaning_bytes_ -= m.bytes();
            return gone;
        });
        for (const auto& known : meanings_) {
            if (known.meaning.scope != meaning.scope || known.meaning.facts != meaning.facts) continue;
            const double near = nearness(known.meaning.vector, meaning.vector);
            if (near < best) continue;
            best = near;
            nearest = known.request;
        }
    }
    if (nearest.empty()) return {};
    return {find(nearest, now, ttl), best};
}

void AnswerCache::keep_meaning(const std::string& request, Meaning meaning) {
    const std::lock_guard lock(mutex_);
    if (!by_request_.contains(request)) return;
    meaning.facts.shrink_to_fit();
    Meant meant{request, std::move(meaning)};
    if (meant.bytes() > kLargestMeaning) return;
    meaning_bytes_ += meant.bytes();
    meanings_.push_back(std::move(meant));
    while (meanings_.size() > kMostMeanings || meaning_bytes_ > kMostMeaningBytes) drop_oldest_meaning();
    fit(bytes_);
}

}  // namespace tandem::cache
