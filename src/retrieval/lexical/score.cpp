#include "retrieval/lexical/score.h"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace tandem::retrieval {

namespace {

constexpr std::uint32_t kNone = 0xFFFFFFFF;

// Of all that is counted.
struct Totals {
    std::uint64_t documents = 0, chunks = 0, words = 0, chunk_words = 0;
};

float idf(std::uint64_t all, std::uint64_t with) {
    const auto n = static_cast<double>(with);
    return static_cast<float>(std::log(1.0 + (static_cast<double>(all) - n + 0.5) / (n + 0.5)));
}

// The chunks of one word in a segment, over all its terms, rising: visit(chunk, count).
template <typename Visit>
void each_posting(std::vector<std::span<const Posting>>& lists, Visit&& visit) {
    if (lists.size() == 1) {
        for (const auto one : lists[0]) visit(one >> 8U, one & kMostCount);
        return;
    }
    while (true) {
        std::uint32_t chunk = kNone;
        for (const auto& list : lists)
            if (!list.empty()) chunk = std::min(chunk, list.front() >> 8U);
        if (chunk == kNone) return;
        std::uint32_t count = 0;
        for (auto& list : lists)
            if (!list.empty() && list.front() >> 8U == chunk) {
                count += list.front() & kMostCount;
                list = list.subspan(1);
            }
        visit(chunk, count);
    }
}

// One segment's part of a search.
class Part {
  public:
    Part(const Segment& segment, std::span<const Standing> standing)
        : segment_(segment),
          standing_(standing),
          document_scores_(segment.documents().size()),
          chunk_scores_(segment.chunks()) {}

    void add_to(Totals& totals) const {
        for (std::size_t d = 0; d < standing_.size(); ++d) {
            if (standing_[d] == Standing::hidden) continue;
            ++totals.documents;
            totals.words += segment_.documents()[d].words;
            const auto first = segment_.first_chunk(d);
            totals.chunks += segment_.end_chunk(d) - first - 1;
            totals.chunk_words += segment_.documents()[d].words - segment_.lengths()[first];
        }
    }

    void find(const AskedWord& word) {
        lists_.clear();
        for (const auto& term : word.terms)
            if (const auto list = segment_.find(term); !list.empty()) lists_.push_back(list);
    }

    // The lists of find() are as they were afterwards.
    void count(WordCount& count) {
        if (lists_.empty()) return;
        auto lists = lists_;
        std::uint32_t last = kNone;
        each_posting(lists, [&](std::uint32_t chunk, std::uint32_t) {
            if (chunk >= chunk_scores_.size()) return;
            const auto document = segment_.document_of()[chunk];
            if (standing_[document] == Standing::hidden) return;
            if (document != last) ++count.documents;
            last = document;
            if (chunk != segment_.first_chunk(document)) ++count.chunks;
        });
    }

    void score(const WordCount& count, float weight, const Totals& totals, const Weights& w) {
        if (lists_.empty()) return;
        const auto of_document = Unit(count.document_idf * weight, w, totals.words, totals.documents);
        const auto of_chunk = Unit(count.chunk_idf * weight, w, totals.chunk_words, totals.chunks);
        std::uint32_t open = kNone, sum = 0;
        const auto close = [&] {
            if (open != kNone) document_scores_[open] += of_document.score(sum, segment_.documents()[open].words);
        };
        each_posting(lists_, [&](std::uint32_t chunk, std::uint32_t times) {
            if (chunk >= chunk_scores_.size()) return;
            const auto document = segment_.document_of()[chunk];
            if (standing_[document] != Standing::asked) return;
            if (document != open) {
                close();
                open = document;
                sum = 0;
            }
            sum += times;
            if (chunk != segment_.first_chunk(document))
                chunk_scores_[chunk] += of_chunk.score(times, segment_.lengths()[chunk]);
        });
        close();
    }

    // Chunks without the word are left out from here on.
    void need() {
        if (missing_.empty()) missing_.assign(chunk_scores_.size(), 0);
        std::vector<std::uint8_t> has(chunk_scores_.size(), 0);
        if (!lists_.empty())
            each_posting(lists_, [&](std::uint32_t chunk, std::uint32_t) {
                if (chunk < has.size()) has[chunk] = 1;
            });
        for (std::size_t i = 0; i < has.size(); ++i) missing_[i] |= has[i] == 0 ? 1 : 0;
    }

    void exclude(std::vector<Standing>& standing) {
        if (lists_.empty()) return;
        each_posting(lists_, [&](std::uint32_t chunk, std::uint32_t) {
            if (chunk >= chunk_scores_.size()) return;
            auto& one = standing[segment_.document_of()[chunk]];
            if (one == Standing::asked) one = Standing::counted;
        });
    }

    // The best chunks of each document that has a score, and how many documents that are. Behind the first of a
    // document are only those with a word of the question.
    std::uint64_t collect(std::uint32_t number, float share, std::size_t of_each, std::vector<Place>& places) const {
        std::uint64_t documents = 0;
        std::vector<std::uint32_t> best;
        for (std::uint32_t d = 0; d < standing_.size(); ++d) {
            if (standing_[d] != Standing::asked || document_scores_[d] <= 0) continue;
            const auto first = segment_.first_chunk(d);
            best.clear();
            for (auto c = first + 1; c < segment_.end_chunk(d); ++c)
                if (missing_.empty() || missing_[c] == 0) best.push_back(static_cast<std::uint32_t>(c));
            if (best.empty()) continue;
            ++documents;
            const auto count = std::min(of_each, best.size());
            std::ranges::partial_sort(best, best.begin() + static_cast<std::ptrdiff_t>(count),
                                      [this](std::uint32_t a, std::uint32_t b) {
                                          return std::tie(chunk_scores_[b], a) < std::tie(chunk_scores_[a], b);
                                      });
            for (std::size_t i = 0; i < count && (i == 0 || chunk_scores_[best[i]] > 0); ++i)
                places.push_back({number, d, best[i], document_scores_[d] + share * chunk_scores_[best[i]],
                                  document_scores_[d], chunk_scores_[best[i]]});
        }
        return documents;
    }

  private:
    struct Unit {
        Unit(float weighted_idf, const Weights& w, std::uint64_t words, std::uint64_t units)
            : factor(weighted_idf * (w.k1 + 1)),
              constant(w.k1 * (1 - w.b)),
              by_length(words == 0 ? 0 : w.k1 * w.b * static_cast<float>(units) / static_cast<float>(words)) {}
        float score(std::uint32_t times, std::uint32_t length) const {
            const auto f = static_cast<float>(times);
            return factor * f / (f + constant + by_length * static_cast<float>(length));
        }
        float factor, constant, by_length;
    };

    const Segment& segment_;
    std::span<const Standing> standing_;
    std::vector<float> document_scores_, chunk_scores_;
    std::vector<std::uint8_t> missing_;  // of each chunk: it lacks a needed word; empty: none is needed
    std::vector<std::span<const Posting>> lists_;
};

}  // namespace

Ranking rank(std::span<const std::shared_ptr<const Segment>> segments, std::span<const std::vector<Standing>> given,
             std::span<const AskedWord> words, const Weights& weights, std::size_t most, std::size_t of_each) {
    Ranking ranking;
    std::vector<std::vector<Standing>> standing(given.begin(), given.end());
    std::vector<Part> parts;
    Totals totals;
    for (std::size_t s = 0; s < segments.size(); ++s) {
        parts.emplace_back(*segments[s], standing[s]);
        parts.back().add_to(totals);
    }
    ranking.documents = totals.documents;
    ranking.chunks = totals.chunks;
    for (const auto& word : words)
        for (std::size_t s = 0; word.excluded && s < parts.size(); ++s) {
            parts[s].find(word);
            parts[s].exclude(standing[s]);
        }
    for (const auto& word : words) {
        auto& count = ranking.words.emplace_back();
        if (word.excluded) continue;
        for (auto& part : parts) {
            part.find(word);
            part.count(count);
        }
        count.document_idf = idf(totals.documents, count.documents);
        count.chunk_idf = idf(totals.chunks, count.chunks);
        for (auto& part : parts) {
            part.find(word);
            part.score(count, word.weight, totals, weights);
            if (!word.needed) continue;
            part.find(word);
            part.need();
        }
    }
    for (std::uint32_t s = 0; s < parts.size(); ++s)
        ranking.matched += parts[s].collect(s, weights.chunk_share, of_each, ranking.places);
    const auto better = [](const Place& a, const Place& b) {
        return std::tie(b.score, a.segment, a.document, a.chunk) < std::tie(a.score, b.segment, b.document, b.chunk);
    };
    if (ranking.places.size() > most) {
        std::ranges::nth_element(ranking.places, ranking.places.begin() + static_cast<std::ptrdiff_t>(most), better);
        ranking.places.resize(most);
    }
    std::ranges::sort(ranking.places, better);
    return ranking;
}

}  // namespace tandem::retrieval
