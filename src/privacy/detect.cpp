#include "privacy/detect.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <limits>
#include <map>
#include <ranges>
#include <tuple>

#include "base/text.h"
#include "privacy/disguise.h"
#include "privacy/names/names.h"
#include "privacy/patterns/matcher.h"
#include "privacy/patterns/patterns.h"

namespace tandem::privacy {

namespace {

constexpr int kNestedLevels = 3;
constexpr int kDisguises = 3;      // one within the other: base64 of base64 of escapes
constexpr std::size_t kSeam = 80;  // bytes of a long string's end that may hold a part of a value

class Vectorscan final : public Detector {
  public:
    explicit Vectorscan(hs_database_t* database) : database_(database) {}
    ~Vectorscan() override { hs_free_database(database_); }

    Result<std::vector<Finding>> scan(std::string_view text, bool names) override {
        std::vector<Finding> findings;
        if (auto ok = look(text, kDisguises, findings); !ok) return fail(ok.error());
        if (names) find_names(text, findings);
        // What several passes, or several ends of one match, found alike stands once.
        auto place = [](const Finding& f) { return std::tuple(f.begin, f.end, f.detector, -f.score); };
        std::ranges::sort(findings, {}, place);
        const auto twice = std::ranges::unique(findings, [](const Finding& a, const Finding& b) {
            return a.begin == b.begin && a.end == b.end && a.detector == b.detector;
        });
        findings.erase(twice.begin(), twice.end());
        return findings;
    }

  private:
    struct Pass {
        std::string_view text;
        Sink sink;
    };

    static int on_match(unsigned id, unsigned long long, unsigned long long end, unsigned, void* context) {
        auto& pass = *static_cast<Pass*>(context);
        const auto& pattern = patterns()[id];
        const auto last = static_cast<std::size_t>(end);
        const Candidate candidate{pass.text, last - std::min<std::size_t>(last, kPatternWidths[id]), last};
        if (pattern.check != nullptr)
            pattern.check(pattern.kind, candidate, pass.sink);
        else
            pass.sink.add(pattern.kind, candidate.begin, candidate.end, 0.9F);
        return 0;
    }

    // The text as it is, then without its disguises.
    Result<> look(std::string_view text, int disguises, std::vector<Finding>& findings) {
        hs_scratch_t* scratch = scratch_of_thread();
        if (scratch == nullptr) return fail(ErrorCode::internal, "the detector has no working memory");
        if (text.size() > std::numeric_limits<unsigned>::max())
            return fail(ErrorCode::internal, "the text is too large for the detector");
        Pass pass{text, {}};
        const auto code =
            hs_scan(database_, text.data(), static_cast<unsigned>(text.size()), 0, scratch, on_match, &pass);
        if (code != HS_SUCCESS) return fail(ErrorCode::internal, fmt::format("the detector failed with code {}", code));
        for (const auto& hit : pass.sink.hits)
            findings.push_back({hit.kind->id, hit.kind->type, hit.kind->category, hit.begin, hit.end, hit.score, {}});
        if (disguises == 0) return {};
        if (const auto plain = fold(text)) {
            std::vector<Finding> inner;
            if (auto ok = look(plain->text, disguises - 1, inner); !ok) return ok;
            for (auto& finding : inner) {
                finding.begin = plain->origin[finding.begin];
                finding.end = plain->origin[finding.end];
                if (finding.end > finding.begin) findings.push_back(finding);
            }
        }
        Result<> failed;
        each_encoded(text, [&](std::size_t begin, std::size_t end, std::string_view decoded) {
            std::vector<Finding> inner;
            if (auto ok = look(decoded, disguises - 1, inner); !ok) failed = ok;
            for (auto& finding : inner) {
                if (finding.score < kSure) continue;
                finding.begin = begin;
                finding.end = end;
                findings.push_back(finding);
            }
        });
        return failed;
    }

    // Scratch belongs to one scan at a time, and one thread scans one text at a time.
    hs_scratch_t* scratch_of_thread() const {
        struct Scratch {
            hs_scratch_t* memory = nullptr;
            const hs_database_t* sized_for = nullptr;
            ~Scratch() { hs_free_scratch(memory); }
        };
        thread_local Scratch scratch;
        if (scratch.sized_for != database_) {
            if (hs_alloc_scratch(database_, &scratch.memory) != HS_SUCCESS) return nullptr;
            scratch.sized_for = database_;
        }
        return scratch.memory;
    }

    hs_database_t* database_;
};

void append_text(const json::Document& document, int levels, std::string& out) {
    document.each_text([&](std::string_view text, bool is_key) {
        out += text;
        if (is_key) {
            out += ": ";
            return;
        }
        out += '\n';
        const auto inner = trim(text);
        if (levels > 0 && (inner.starts_with('{') || inner.starts_with('['))) {
            json::Document nested;
            if (nested.parse(inner)) append_text(nested, levels - 1, out);
        }
    });
}

}  // namespace

Result<std::unique_ptr<Detector>> make_detector() {
    hs_database_t* database = nullptr;
    if (hs_deserialize_database(reinterpret_cast<const char*>(kPatternsDatabase), kPatternsDatabaseSize, &database) !=
        HS_SUCCESS) {
        spdlog::warn("the detectors' database was built for another Vectorscan; compiling it anew");
        std::string why;
        database = compile_patterns(why);
        if (database == nullptr)
            return fail(ErrorCode::internal, fmt::format("the detectors do not run on this machine: {}", why));
    }
    return std::make_unique<Vectorscan>(database);
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

std::string all_text(const json::Document& document) {
    std::string out;
    out.reserve(document.source().size() + 64);
    append_text(document, kNestedLevels, out);
    return out;
}

std::string seams(const json::Document& document) {
    static constexpr std::array<std::string_view, 12> kNoContent = {
        "role", "type",   "model",  "id",         "tool_call_id", "tool_use_id",
        "name", "object", "detail", "media_type", "mime_type",    "call_id"};
    std::string out;
    bool content = true;
    document.each_text([&](std::string_view text, bool is_key) {
        if (is_key) {
            content = std::ranges::find(kNoContent, text) == kNoContent.end();
            return;
        }
        if (!std::exchange(content, true)) return;
        if (text.size() <= 2 * kSeam) {
            out += text;
            return;
        }
        out += text.substr(0, kSeam);
        out += '\n';
        out += text.substr(text.size() - kSeam);
    });
    return out;
}

}  // namespace tandem::privacy
