#include "schema/schema.h"

#include <fmt/format.h>

#include "base/text.h"
#include "schema/evaluate.h"

namespace tandem::schema {

struct Schema::Parts {
    Resources resources;
    Patterns patterns;
    Place root;
    std::vector<std::string> unchecked;
};

std::string Verdict::text() const {
    std::vector<std::string> said;
    for (const auto& problem : problems)
        said.push_back(fmt::format("{} {}", problem.place.empty() ? "it" : problem.place, problem.message));
    return join(said, "; ");
}

Schema::Schema(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Schema::~Schema() = default;
Schema::Schema(Schema&&) noexcept = default;
Schema& Schema::operator=(Schema&&) noexcept = default;

Result<Schema> Schema::compile(std::string_view json, const Known& known) {
    constexpr std::size_t kMostPatterns = 200;
    if (json.size() > kMostBytes)
        return fail(ErrorCode::too_large,
                    fmt::format("a schema of {} bytes; {} are the most", json.size(), kMostBytes));
    auto parts = std::make_unique<Parts>();
    for (const auto& [uri, text] : known)
        if (auto ok = parts->resources.add(text, uri); !ok) return fail(ok.error());
    const auto count_known = parts->resources.references().size();
    auto root = parts->resources.add(json, "tandem:schema");
    if (!root) return fail(root.error());
    parts->root = *root;
    for (const auto& pattern : parts->resources.patterns()) {
        if (parts->patterns.contains(pattern)) continue;
        if (parts->patterns.size() == kMostPatterns) {
            parts->unchecked.emplace_back(fmt::format("patterns after the first {}", kMostPatterns));
            break;
        }
        const auto& made = parts->patterns.emplace(pattern, Pattern(pattern)).first->second;
        if (!made.can_be_checked()) parts->unchecked.push_back(fmt::format("pattern {}", printable(pattern)));
    }
    const auto& references = parts->resources.references();
    for (auto i = count_known; i < references.size(); ++i)
        if (!parts->resources.find(references[i].first, references[i].second))
            parts->unchecked.push_back(fmt::format("$ref {}", printable(references[i].second)));
    return Schema(std::move(parts));
}

Verdict Schema::check(const json::Value& value) const {
    return Evaluation(parts_->resources, parts_->patterns).run(parts_->root, value);
}

const std::vector<std::string>& Schema::unchecked() const {
    return parts_->unchecked;
}

}  // namespace tandem::schema
