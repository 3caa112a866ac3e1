#include "privacy/detect.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <limits>
#include <map>
#include <mutex>
#include <ranges>

#include "base/text.h"
#include "base/world.h"
#include "privacy/disguise.h"
#include "privacy/names/names.h"
#include "privacy/own.h"
#include "privacy/patterns/checks.h"
#include "privacy/patterns/classes.h"
#include "privacy/patterns/matcher.h"
#include "privacy/patterns/patterns.h"

namespace tandem::privacy {

namespace {

constexpr std::size_t kSeam = 80;  // bytes of a long string's end that may hold a part of a value

constexpr std::size_t kContext = 60;  // bytes in front of spelled characters, whose words say what they are

constexpr seconds kLongestScan{10};  // then it has failed, and what it looked at counts as secret

class Vectorscan final : public Detector {
  public:
    Vectorscan(std::shared_ptr<hs_database_t> database, std::unique_ptr<Own> own)
        : database_(std::move(database)), own_(std::move(own)) {}

    Result<std::vector<Finding>> scan(std::string_view text, bool names) override {
        std::vector<Finding> findings;
        const auto deadline = std::chrono::steady_clock::now() + kLongestScan;
        if (auto ok = look(text, kDisguises, deadline, findings); !ok) return fail(ok.error());
        if (names) find_names(text, findings);
        // What several passes, or several ends of one match, found alike stands once.
        const auto before = [](const Finding& a, const Finding& b) {
            if (a.begin != b.begin) return a.begin < b.begin;
            if (a.end != b.end) return a.end < b.end;
            // Most that are in one place are of one detector, whose name is one and the same literal.
            if (a.detector.data() != b.detector.data())
                if (const int order = a.detector.compare(b.detector); order != 0) return order < 0;
            return a.score > b.score;
        };
        if (!std::ranges::is_sorted(findings, before)) std::ranges::sort(findings, before);
        const auto twice = std::ranges::unique(findings, [](const Finding& a, const Finding& b) {
            return a.begin == b.begin && a.end == b.end && a.detector == b.detector;
        });
        findings.erase(twice.begin(), twice.end());
        return findings;
    }

  private:
    struct Pass {
        std::string_view text;
        SteadyTime deadline;
        const Own* own;
        bool canonical;  // the text is one that was made of another
        std::vector<Finding>& findings;
        Sink sink;
        ClassScan classes{text, on_candidate, this};
        const Pattern* all = patterns().data();
        unsigned matches = 0;
        // The clock is looked at now and then only.
        bool late() { return (++matches & 255U) == 0 && std::chrono::steady_clock::now() > deadline; }
    };

    static int on_own_match(unsigned id, unsigned long long from, unsigned long long end, unsigned, void* context) {
        auto& pass = *static_cast<Pass*>(context);
        pass.own->take(id, pass.text, static_cast<std::size_t>(from), static_cast<std::size_t>(end), pass.canonical,
                       pass.findings);
        return pass.late() ? 1 : 0;
    }

    static int on_match(unsigned id, unsigned long long, unsigned long long end, unsigned, void* context) {
        auto& pass = *static_cast<Pass*>(context);
        const auto last = static_cast<std::size_t>(end);
        return pass.classes.advance(last) && on_candidate(context, id, last) ? 0 : 1;
    }

    static bool on_candidate(void* context, unsigned id, std::size_t last) {
        auto& pass = *static_cast<Pass*>(context);
        work(1);
        const auto& pattern = pass.all[id];
        const Candidate candidate{pass.text, last - std::min<std::size_t>(last, kPatternWidths[id]), last};
        if (pattern.check != nullptr)
            pattern.check(pattern.kind, candidate, pass.sink);
        else
            pass.sink.add(pattern.kind, candidate.begin, candidate.end, 0.9F);
        return !pass.late();
    }

    // One text as it is.
    Result<> look_once(std::string_view text, bool canonical, SteadyTime deadline, std::vector<Finding>& findings) {
        hs_scratch_t* scratch = scratch_of_thread();
        if (scratch == nullptr) return fail(Fault::detector_failed, "the detector has no working memory");
        if (text.size() > std::numeric_limits<unsigned>::max())
            return fail(Fault::detector_failed, "the text is too large for the detector");
        work(text.size());
        Pass pass{text, deadline, own_.get(), canonical, findings, {}};
        const auto size = static_cast<unsigned>(text.size());
        auto code = hs_scan(database_.get(), text.data(), size, 0, scratch, on_match, &pass);
        if (code == HS_SUCCESS && !pass.classes.advance(text.size())) code = HS_SCAN_TERMINATED;
        if (code == HS_SUCCESS && own_->database() != nullptr)
            code = hs_scan(own_->database(), text.data(), size, 0, scratch, on_own_match, &pass);
        if (code == HS_SUCCESS && own_->values() != nullptr && !own_->find_values(text, scratch, findings))
            code = HS_INVALID;
        if (code == HS_SCAN_TERMINATED)
            return fail(Fault::detector_failed,
                        fmt::format("the detector took longer than {} s", kLongestScan.count()));
        if (code != HS_SUCCESS)
            return fail(Fault::detector_failed, fmt::format("the detector failed with code {}", code));
        findings.reserve(findings.size() + pass.sink.hits.size());
        for (const auto& hit : pass.sink.hits)
            findings.push_back({hit.kind->id, hit.kind->type, hit.kind->category, hit.begin, hit.end, hit.score, {}});
        return {};
    }

    // The text as it is, then without its disguises.
    Result<> look(std::string_view text, int disguises, SteadyTime deadline, std::vector<Finding>& findings) {
        const std::size_t before = findings.size();
        if (auto ok = look_once(text, disguises < kDisguises, deadline, findings); !ok) return ok;
        if (disguises == 0) return {};
        const std::size_t found = findings.size();
        if (auto ok = look_unwrapped(text, deadline, before, found, findings); !ok) return ok;
        if (const auto plain = fold(text)) {
            std::vector<Finding> inner;
            if (auto ok = look(plain->text, disguises - 1, deadline, inner); !ok) return ok;
            for (auto& finding : inner) {
                finding.end = plain->end_of(finding.end);
                finding.begin = plain->origin_of(finding.begin);
                if (finding.end > finding.begin) findings.push_back(finding);
            }
        }
        Result<> failed;
        each_encoded(text, [&](const Encoded& encoded) {
            std::vector<Finding> inner;
            std::string in_context;
            if (encoded.spelled) {
                const auto from = encoded.begin - std::min(encoded.begin, kContext);
                in_context = text.substr(from, encoded.begin - from);
            }
            const std::size_t begin = in_context.size();
            in_context += encoded.decoded;
            if (auto ok = look(in_context, disguises - 1, deadline, inner); !ok) failed = ok;
            for (auto& finding : inner) {
                if (finding.score < kSure || finding.end <= begin) continue;
                // Lists of small numbers read as text too: only what is sure is a phone.
                if (finding.category == config::Category::phone && finding.score < 0.9F) continue;
                finding.begin = encoded.begin;
                finding.end = encoded.end;
                findings.push_back(finding);
            }
        });
        return failed;
    }

    // What a line's end cuts: kinds whose form says what they are, and only where neither line has something by itself.
    Result<> look_unwrapped(std::string_view text, SteadyTime deadline, std::size_t from, std::size_t to,
                            std::vector<Finding>& findings) {
        const auto plain = unwrapped(text);
        if (!plain) return {};
        std::vector<Finding> inner;
        if (auto ok = look_once(plain->text, true, deadline, inner); !ok) return ok;
        std::erase_if(inner, [&](Finding& finding) {
            finding.end = plain->end_of(finding.end);
            finding.begin = plain->origin_of(finding.begin);
            return finding.end <= finding.begin || !may_be_wrapped(finding) ||
                   text.substr(finding.begin, finding.end - finding.begin).find('\n') == std::string_view::npos;
        });
        if (inner.empty()) return {};
        std::vector<std::pair<std::size_t, std::size_t>> known;  // where what was found ends, and where it begins
        for (std::size_t i = from; i < to; ++i)
            if (findings[i].score >= kSure) known.emplace_back(findings[i].end, findings[i].begin);
        std::ranges::sort(known);
        for (const auto& finding : inner) {
            const auto other =
                std::ranges::upper_bound(known, finding.begin, {}, &std::pair<std::size_t, std::size_t>::first);
            if (other == known.end() || other->second >= finding.end) findings.push_back(finding);
        }
        return {};
    }

    static bool may_be_wrapped(const Finding& finding) {
        using enum config::Category;
        static constexpr std::array<std::string_view, 8> kByName = {
            "assignment",    "service-key", "markup-password", "curl-user",
            "authorization", "bearer",      "aws-secret-key",  "kubernetes-secret"};
        if (finding.category == credential) return std::ranges::find(kByName, finding.detector) == kByName.end();
        return finding.category == email || finding.category == iban || finding.category == crypto ||
               finding.category == own;
    }

    // Scratch belongs to one scan at a time, and one thread scans one text at a time.
    hs_scratch_t* scratch_of_thread() const {
        struct Scratch {
            hs_scratch_t* memory = nullptr;
            std::uint64_t sized_for = 0;
            ~Scratch() { hs_free_scratch(memory); }
        };
        thread_local Scratch scratch;
        if (scratch.sized_for != number_) {
            if (hs_alloc_scratch(database_.get(), &scratch.memory) != HS_SUCCESS) return nullptr;
            for (const auto* own : {own_->database(), own_->values()})
                if (own != nullptr && hs_alloc_scratch(own, &scratch.memory) != HS_SUCCESS) return nullptr;
            scratch.sized_for = number_;
        }
        return scratch.memory;
    }

    static std::uint64_t next_number() {
        static std::atomic<std::uint64_t> last = 0;
        return ++last;
    }

    const std::uint64_t number_ = next_number();  // an address can be used again, a number is not
    const std::shared_ptr<hs_database_t> database_;
    const std::unique_ptr<Own> own_;
};

// The house's patterns, which all detectors of the process share.
Result<std::shared_ptr<hs_database_t>> shared_database() {
    static std::mutex mutex;
    static std::weak_ptr<hs_database_t> known;
    const std::lock_guard lock(mutex);
    if (auto database = known.lock()) return database;
    hs_database_t* database = nullptr;
    if (hs_deserialize_database(reinterpret_cast<const char*>(kPatternsDatabase), kPatternsDatabaseSize, &database) !=
        HS_SUCCESS) {
        spdlog::warn("the detectors' database was built for another Vectorscan; compiling it anew");
        std::string why;
        database = compile_patterns(why);
        if (database == nullptr)
            return fail(Fault::detector_failed, fmt::format("the detectors do not run on this machine: {}", why));
    }
    std::shared_ptr<hs_database_t> made(database, [](hs_database_t* old) { hs_free_database(old); });
    known = made;
    return made;
}

void append_text(const json::Document& document, int levels, std::string& out, std::vector<Leaf>* leaves) {
    document.each_text([&](std::string_view text, bool is_key) {
        if (leaves != nullptr && !text.empty()) leaves->push_back({out.size(), out.size() + text.size()});
        out += text;
        if (is_key) {
            out += ": ";
            return;
        }
        out += '\n';
        const auto inner = trim(text);
        if (levels > 0 && (inner.starts_with('{') || inner.starts_with('['))) {
            json::Document nested;
            if (nested.parse(inner)) append_text(nested, levels - 1, out, leaves);
        }
    });
}

}  // namespace

Result<std::vector<Finding>> scan_safely(Detector& detector, std::string_view text, bool names) {
    try {
        return detector.scan(text, names);
    } catch (const std::exception& error) {
        return fail(ErrorCode::internal, error.what());
    }
}

Result<std::unique_ptr<Detector>> make_detector(const std::vector<config::OwnRule>& own) {
    auto database = shared_database();
    if (!database) return fail(database.error());
    auto compiled = Own::compile(own);
    if (!compiled) return fail(compiled.error());
    return std::make_unique<Vectorscan>(std::move(*database), std::move(*compiled));
}

std::vector<Finding> resolve(std::vector<Finding> findings) {
    std::ranges::sort(findings, [](const Finding& a, const Finding& b) {
        if (a.score != b.score) return a.score > b.score;
        if (a.end - a.begin != b.end - b.begin) return a.end - a.begin > b.end - b.begin;
        return a.begin != b.begin ? a.begin < b.begin : a.detector < b.detector;
    });
    std::map<std::size_t, Finding> kept;  // by where they begin
    for (const auto& finding : findings) {
        const auto after = kept.upper_bound(finding.begin);
        if (after != kept.end() && after->first < finding.end) continue;
        if (after != kept.begin() && std::prev(after)->second.end > finding.begin) continue;
        kept.emplace(finding.begin, finding);
    }
    const auto values = kept | std::views::values;
    return {values.begin(), values.end()};
}

std::string all_text(const json::Document& document, std::vector<Leaf>* leaves) {
    std::string out;
    out.reserve(document.source().size() + 64);
    append_text(document, kNestedLevels, out, leaves);
    return out;
}

std::string seam_of(std::string_view text) {
    if (text.size() <= 2 * kSeam) return std::string(text);
    std::string out(text.substr(0, kSeam));
    out += '\n';
    out += text.substr(text.size() - kSeam);
    return out;
}

namespace {

// Members that say what a part is, not what is said.
bool is_structure(std::string_view key) {
    static constexpr std::array<std::string_view, 6> kKeys = {"role",   "type",       "model",
                                                              "object", "media_type", "mime_type"};
    return std::ranges::find(kKeys, key) != kKeys.end();
}
// Members that name something: whoever speaks, a tool, a call.
bool is_name(std::string_view key) {
    static constexpr std::array<std::string_view, 6> kKeys = {"name",        "id",      "tool_call_id",
                                                              "tool_use_id", "call_id", "detail"};
    return std::ranges::find(kKeys, key) != kKeys.end();
}

// Strings one after the other without a break: what is said alone; with names, each in front of what its object says;
// with the names of members; and each two neighbours for themselves, since what stands before them may hide where a
// value begins.
class Seams {
  public:
    void walk(const json::Value& value, int levels) {
        if (value.is(json::Kind::object)) {
            for (const json::Value child : value.children())
                if (is_name(child.key())) add(child.text(), named_);
            for (const json::Value child : value.children()) {
                keyed_.text += '\n';
                add(child.key(), keyed_);
                if (is_structure(child.key())) continue;
                if (is_name(child.key()) && (child.is(json::Kind::string) || child.is(json::Kind::number)))
                    add(child.text(), keyed_);
                else
                    walk(child, levels);
            }
            return;
        }
        for (const json::Value child : value.children()) walk(child, levels);
        if (!value.is(json::Kind::string) && !value.is(json::Kind::number)) return;
        const auto inner = trim(value.text());
        if (levels > 0 && (inner.starts_with('{') || inner.starts_with('['))) {
            json::Document nested;
            if (nested.parse(inner)) return walk(nested.root(), levels - 1);
        }
        for (auto* out : {&said_, &named_, &keyed_}) add(value.text(), *out);
        add_pair(value.text());
    }
    // All of them, with a line break between them.
    std::string take(std::vector<Leaf>* leaves) {
        std::string out;
        for (auto* one : {&said_, &named_, &keyed_, &pairs_}) {
            if (leaves != nullptr)
                for (const auto& leaf : one->leaves)
                    leaves->push_back({out.size() + leaf.begin, out.size() + leaf.end});
            out += one->text;
            if (one != &pairs_) out += '\n';
        }
        return out;
    }

  private:
    struct Joined {
        std::string text;
        std::vector<Leaf> leaves;
    };
    static void add(std::string_view text, Joined& out) {
        const auto at = out.text.size();
        out.text += seam_of(text);
        if (out.text.size() > at) out.leaves.push_back({at, out.text.size()});
    }
    void add_pair(std::string_view text) {
        if (text.empty()) return;
        if (!last_.empty()) {
            add(last_, pairs_);
            add(text, pairs_);
            pairs_.text += '\n';
            // A number is cut at its blank, which neither has.
            if (digit(last_.back()) && digit(text.front())) {
                add(last_, pairs_);
                pairs_.text += ' ';
                add(text, pairs_);
                pairs_.text += '\n';
            }
        }
        last_ = text.size() <= 2 * kSeam ? text : text.substr(text.size() - kSeam);
    }
    Joined said_, named_, keyed_, pairs_;
    std::string last_;  // of what was said
};

}  // namespace

std::string seams(const json::Document& document, std::vector<Leaf>* leaves) {
    Seams seams;
    seams.walk(document.root(), kNestedLevels);
    return seams.take(leaves);
}

}  // namespace tandem::privacy
