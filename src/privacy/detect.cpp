#include "privacy/detect.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <limits>

#include "base/text.h"
#include "privacy/matcher.h"

namespace tandem::privacy {

namespace {

constexpr int kNestedLevels = 3;

class Vectorscan final : public Detector {
  public:
    explicit Vectorscan(hs_database_t* database) : database_(database) {}
    ~Vectorscan() override { hs_free_database(database_); }

    Result<std::vector<Finding>> scan(std::string_view text) override {
        hs_scratch_t* scratch = scratch_of_thread();
        if (scratch == nullptr) return fail(ErrorCode::internal, "the detector has no working memory");
        if (text.size() > std::numeric_limits<unsigned>::max())
            return fail(ErrorCode::internal, "the text is too large for the detector");
        Pass pass{text, {}, std::vector<bool>(patterns().size())};
        const auto code =
            hs_scan(database_, text.data(), static_cast<unsigned>(text.size()), 0, scratch, on_match, &pass);
        if (code != HS_SUCCESS) return fail(ErrorCode::internal, fmt::format("the detector failed with code {}", code));
        return std::move(pass.findings);
    }

  private:
    struct Pass {
        std::string_view text;
        std::vector<Finding> findings;
        std::vector<bool> found;
    };

    static int on_match(unsigned id, unsigned long long, unsigned long long end, unsigned, void* context) {
        auto& pass = *static_cast<Pass*>(context);
        if (pass.found[id]) return 0;
        const auto& pattern = patterns()[id];
        if (pattern.check != nullptr && !pattern.check(pass.text, static_cast<std::size_t>(end))) return 0;
        pass.found[id] = true;
        pass.findings.push_back({pattern.id, pattern.finds, static_cast<std::size_t>(end)});
        return 0;
    }

    // Scratch belongs to one thread at a time.
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

std::string all_text(const json::Document& document) {
    std::string out;
    out.reserve(document.source().size() + 64);
    append_text(document, kNestedLevels, out);
    return out;
}

}  // namespace tandem::privacy
