#include "retrieval/search/search.h"

#include <fmt/format.h>

#include <algorithm>
#include <bitset>
#include <map>
#include <set>
#include <span>
#include <tuple>

#include "base/text.h"
#include "retrieval/search/words.h"
#include "retrieval/watch/ignore.h"
#include "retrieval/watch/walk.h"

namespace tandem::retrieval {

namespace {

constexpr std::size_t kSpare = 50;                // places beside four for each hit: some drop out
constexpr std::size_t kMostPhraseChecks = 5'000;  // texts that are read for a phrase

// Which files the one who asks may see, and which the filters leave.
class Scope {
  public:
    Scope(const SearchInput& input, const View& view, const Query& query, std::vector<std::string>& notes)
        : snapshot_(*input.snapshot), query_(query) {
        std::set<std::string> asked(query.collections.begin(), query.collections.end());
        std::set<std::string> known;
        for (const auto& one : snapshot_.collections) {
            const auto now = std::ranges::find(input.collections, one.id, &Snapshot::Collection::id);
            const bool seen = now != input.collections.end() && view.sees(now->is);
            if (seen) known.insert(now->is.name);
            collections_.push_back(seen && (asked.empty() || asked.contains(now->is.name)) ? &now->is : nullptr);
        }
        for (const auto& name : asked)
            if (!known.contains(name))
                notes.push_back(fmt::format("there is no collection '{}' that you may see", printable(name, 60)));
    }

    const config::Collection* collection_of(const Snapshot::File& file) const { return collections_[file.collection]; }
    bool is_seen(const Snapshot::File& file) const { return collection_of(file) != nullptr; }

    enum class Left { in, by_path, by_type, by_time };
    Left filtered(const Snapshot::File& file) const {
        for (const auto& path : query_.paths)
            if (!fits(file.path, path)) return Left::by_path;
        if (!query_.types.empty() && std::ranges::none_of(query_.types, [&](const std::string& type) {
                return format_of(file.path)->name == type || lower(file.path).ends_with("." + type);
            }))
            return Left::by_type;
        if (query_.after && file.state.modified / 1'000'000 < *query_.after) return Left::by_time;
        return Left::in;
    }

    // Of each document of each segment.
    std::vector<std::vector<Standing>> standing(Explained& explained) const {
        std::vector<std::vector<Standing>> all;
        for (const auto& places : snapshot_.places) {
            auto& of = all.emplace_back();
            of.reserve(places.size());
            for (const auto place : places)
                of.push_back(place == Snapshot::kNone ? Standing::hidden
                                                      : standing_of(snapshot_.documents[place], explained));
        }
        return all;
    }

    std::vector<Language> languages() const {
        std::bitset<kLanguages> there;
        for (const auto& document : snapshot_.documents) {
            const auto files =
                std::span(snapshot_.files).subspan(document.first_file, document.end_file - document.first_file);
            if (std::ranges::any_of(files, [this](const auto& file) { return is_seen(file); }))
                there.set(static_cast<std::size_t>(document.language));
        }
        std::vector<Language> list;
        for (std::size_t i = 0; i < kLanguages; ++i)
            if (there[i]) list.push_back(static_cast<Language>(i));
        return list;
    }

  private:
    static bool fits(const std::string& path, const std::string& wanted) {
        if (wanted.find_first_of("*?[") != std::string::npos) return is_chosen({wanted}, path);
        return lower(path).find(lower(wanted)) != std::string::npos;
    }

    Standing standing_of(const Snapshot::Document& document, Explained& explained) const {
        bool seen = false;
        auto left = Left::in;
        for (auto f = document.first_file; f < document.end_file; ++f) {
            const auto& file = snapshot_.files[f];
            if (!is_seen(file)) continue;
            seen = true;
            left = filtered(file);
            if (left == Left::in) return Standing::asked;
        }
        if (!seen) return Standing::hidden;
        ++(left == Left::by_path   ? explained.left_out_by_path
           : left == Left::by_type ? explained.left_out_by_type
                                   : explained.left_out_by_time);
        return Standing::counted;
    }

    const Snapshot& snapshot_;
    const Query& query_;
    std::vector<const config::Collection*>
        collections_;  // of each of the snapshot's; null: not asked or not to be seen
};

// From places to hits.
class Collector {
  public:
    Collector(const SearchInput& input, const Scope& scope, const Query& query, const QueryWords& words,
              std::span<const Language> languages, Found& found)
        : input_(input), scope_(scope), query_(query), words_(words), languages_(languages), found_(found) {}

    Result<> collect(const std::vector<Place>& places, std::size_t limit) {
        for (const auto& place : in_order(places)) {
            if (found_.hits.size() >= limit) break;
            if (auto ok = take(place); !ok) return ok;
        }
        return {};
    }

  private:
    // Equal scores by path, so that the order is the same whatever segments there are, and by one that is seen: the
    // order says nothing of files of others.
    std::vector<Place> in_order(std::vector<Place> places) const {
        std::map<std::pair<std::uint32_t, std::uint32_t>, const std::string*> paths;
        for (const auto& place : places) paths[{place.segment, place.document}] = &first_path(document_of(place));
        std::ranges::sort(places, [&](const Place& a, const Place& b) {
            if (a.score != b.score) return a.score > b.score;
            const auto &one = *paths.at({a.segment, a.document}), &other = *paths.at({b.segment, b.document});
            return std::tie(one, a.chunk) < std::tie(other, b.chunk);
        });
        return places;
    }

    const std::string& first_path(const Snapshot::Document& document) const {
        const auto files =
            std::span(input_.snapshot->files).subspan(document.first_file, document.end_file - document.first_file);
        const auto seen = std::ranges::find_if(files, [this](const auto& file) { return scope_.is_seen(file); });
        return seen == files.end() ? files.front().path : seen->path;
    }

    const Snapshot::Document& document_of(const Place& place) const {
        return input_.snapshot->documents[input_.snapshot->places[place.segment][place.document]];
    }

    Result<> take(const Place& place) {
        const auto& document = document_of(place);
        const auto& segment = *input_.snapshot->segments[place.segment];
        auto ordinal = static_cast<std::int64_t>(place.chunk - segment.first_chunk(place.document));
        auto row = chunk(input_.database, document.id, ordinal);
        if (!row) return fail(row.error());
        if (!*row) {
            ++found_.explained.gone;
            return {};
        }
        if (!query_.phrases.empty()) {
            auto fits = with_phrases(document.id, **row);
            if (!fits) return fail(fits.error());
            if (!*fits) {
                ++found_.explained.without_phrase;
                return {};
            }
        }
        add_hit(place, document, **row);
        return {};
    }

    // Whether the document has every phrase in one chunk, and none of those that it may not have; `row` becomes the
    // chunk.
    Result<bool> with_phrases(std::int64_t document, ChunkRow& row) {
        if (checks_ >= kMostPhraseChecks) return false;
        auto all = chunks(input_.database, document);
        if (!all) return fail(all.error());
        checks_ += all->size();
        const auto has = [](const ChunkRow& one, const Query::Phrase& phrase) {
            return has_phrase(one.text, phrase.text);
        };
        for (const auto& phrase : query_.phrases)
            if (phrase.excluded && std::ranges::any_of(*all, [&](const auto& one) { return has(one, phrase); }))
                return false;
        const auto fits = [&](const ChunkRow& one) {
            return std::ranges::all_of(query_.phrases,
                                       [&](const auto& phrase) { return phrase.excluded || has(one, phrase); });
        };
        if (fits(row)) return true;
        const auto other = std::ranges::find_if(*all, fits);
        if (other == all->end()) return false;
        row = *other;
        return true;
    }

    void add_hit(const Place& place, const Snapshot::Document& document, const ChunkRow& row) {
        Hit hit;
        for (auto f = document.first_file; f < document.end_file; ++f) {
            const auto& file = input_.snapshot->files[f];
            const auto* collection = scope_.collection_of(file);
            if (collection == nullptr || scope_.filtered(file) != Scope::Left::in) continue;
            const auto state = state_of(*collection, file.path);
            if (!state) continue;
            // Whoever sees it in two collections knows it by the higher label.
            hit.label = hit.collections_label = higher(hit.label, collection->label);
            auto path = (collection->folder / file.path).string();
            if (!hit.path.empty()) {
                hit.also.push_back(std::move(path));
                continue;
            }
            hit.path = std::move(path);
            hit.collection = collection->name;
            hit.changed = !(*state == file.state);
        }
        if (hit.path.empty()) {
            ++found_.explained.gone;
            return;
        }
        if (const auto same = by_text_.find(row.hash); same != by_text_.end()) {
            ++found_.explained.same;
            auto& first = found_.hits[same->second];
            first.also.push_back(std::move(hit.path));
            first.label = higher(first.label, hit.label);
            first.collections_label = higher(first.collections_label, hit.label);
            return;
        }
        hit.label = higher(hit.label, row.label);
        if (row.detection != input_.detectors.settings)
            hit.label = higher(hit.label, label_of(input_.detectors, row.text));
        hit.score = place.score;
        hit.document_score = place.document_score;
        hit.chunk_score = place.chunk_score;
        hit.first_line = row.first_line;
        hit.last_line = row.last_line;
        hit.page = row.page;
        hit.title = document.title;
        hit.heading = row.heading;
        hit.snippet = snippet_of(row.text, words_, languages_);
        hit.text = row.text;
        by_text_[row.hash] = found_.hits.size();
        found_.hits.push_back(std::move(hit));
    }

    std::optional<FileState> state_of(const config::Collection& collection, const std::string& path) {
        auto [walk, added] = walks_.try_emplace(collection.name);
        if (added)
            if (auto opened = Walk::open(collection.folder, {}); opened)
                walk->second = std::make_unique<Walk>(std::move(*opened));
        return walk->second == nullptr ? std::nullopt : walk->second->state_of(path);
    }

    const SearchInput& input_;
    const Scope& scope_;
    const Query& query_;
    const QueryWords& words_;
    std::span<const Language> languages_;
    Found& found_;
    std::map<std::string, std::size_t> by_text_;  // from a text's hash to its hit
    std::map<std::string, std::unique_ptr<Walk>> walks_;
    std::size_t checks_ = 0;
};

}  // namespace

Result<Found> search(const SearchInput& input, const View& view, const Query& query, std::size_t limit,
                     std::size_t of_each) {
    Found found;
    found.notes = query.notes;
    const Scope scope(input, view, query, found.notes);
    const auto languages = scope.languages();
    auto words = words_of(query, languages);
    const auto standing = scope.standing(found.explained);
    const bool has_words = std::ranges::any_of(words.asked, [](const AskedWord& word) { return !word.excluded; });
    if (!has_words) found.notes.emplace_back("the query has no word to look for");
    const bool any = std::ranges::any_of(
        standing, [](const auto& of) { return std::ranges::find(of, Standing::asked) != of.end(); });
    const auto& out = found.explained;
    if (!any && out.left_out_by_path + out.left_out_by_type + out.left_out_by_time > 0)
        found.notes.emplace_back("no file fits what the query says of paths, types and times");
    // A phrase drops out what the ranking cannot know of.
    const auto most = query.phrases.empty() ? limit * 4 + kSpare : kMostPhraseChecks;
    const auto ranking = rank(input.snapshot->segments, standing, words.asked, kWeights, has_words ? most : 0, of_each);
    for (std::size_t i = 0; i < ranking.words.size(); ++i) words.explained[i].count = ranking.words[i];
    found.explained.words = words.explained;
    found.explained.documents = ranking.documents;
    found.explained.chunks = ranking.chunks;
    found.explained.matched = ranking.matched;
    Collector collector(input, scope, query, words, languages, found);
    if (auto ok = collector.collect(ranking.places, limit); !ok) return fail(ok.error());
    if (found.hits.empty() && !query.phrases.empty()) {
        auto plain = query;
        plain.phrases.clear();
        plain.notes.emplace_back("nothing has the whole phrase; these have its words");
        return search(input, view, plain, limit, of_each);
    }
    return found;
}

}  // namespace tandem::retrieval
