#include "routing/known_models.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <vector>

#include "routing/known_models_table.h"

namespace tandem::routing {

namespace {

using known::Marks;
using known::Pieces;

struct Point {
    double x, ability;
};

// From the size, in billions.
constexpr Point kSizes[] = {{0.03, 2}, {0.135, 8}, {0.5, 14}, {1, 22},   {3, 35},   {7.5, 48},
                            {14, 58},  {32, 66},   {70, 74},  {235, 80}, {671, 84}, {2000, 87}};
// From scores. Qwen2.5 7B, 14B, 32B and 72B have MMLU-Pro 56, 64, 69 and 71, and GPQA 36, 46, 50 and 49; 7B, 72B and
// Phi-4 have 34.9, 51.4 and 41.6 of LiveBench. Above them: GPT-4o, Claude 3.5 Sonnet, DeepSeek R1 and later ones, in
// steps that become smaller, since the benchmarks end at 100.
constexpr Point kMmluPro[] = {{10, 4},  {15, 14}, {20, 20}, {31, 28}, {44, 37}, {56, 48}, {64, 58},
                              {69, 66}, {71, 72}, {74, 78}, {78, 82}, {82, 86}, {85, 88}, {90, 92}};
constexpr Point kGpqa[] = {{25, 20}, {30, 38}, {36, 48}, {45, 58}, {49, 68}, {54, 76},
                           {60, 80}, {66, 82}, {75, 86}, {81, 88}, {86, 90}, {92, 93}};
constexpr Point kLive24[] = {{20, 30}, {26, 39}, {34.9, 48}, {42, 60}, {46, 66}, {51.4, 74},
                             {55, 78}, {60, 82}, {66, 85},   {72, 88}, {82, 90}};
constexpr Point kLive26[] = {{30, 57}, {33, 60}, {39, 67}, {44, 72}, {46, 75}, {52, 81},
                             {58, 86}, {62, 87}, {68, 89}, {72, 91}, {76, 93}, {81, 95}};
constexpr Point kAider[] = {{3.6, 54}, {9, 60},    {16, 68}, {18, 72}, {27, 76},
                            {32, 79},  {45, 81.5}, {52, 83}, {72, 88}, {88, 91}};
constexpr Point kWhatmodel[] = {{30, 14},   {33, 24},   {47, 40}, {53, 50},   {57.5, 78}, {60, 82},
                                {66.4, 87}, {70.8, 91}, {75, 93}, {80.5, 94}, {84.8, 96}};

double on_line(std::span<const Point> line, double x) {
    if (x <= line.front().x) return line.front().ability;
    for (std::size_t i = 1; i < line.size(); ++i) {
        const auto &low = line[i - 1], &high = line[i];
        if (x <= high.x) return low.ability + (high.ability - low.ability) * (x - low.x) / (high.x - low.x);
    }
    return line.back().ability;
}

double of_size(double billions) {
    std::array<Point, std::size(kSizes)> line{};
    for (std::size_t i = 0; i < line.size(); ++i) line[i] = {.x = std::log(kSizes[i].x), .ability = kSizes[i].ability};
    return on_line(line, std::log(std::max(billions, 1e-6)));
}

std::optional<double> of_scores(const known::Scores& scores) {
    double sum = 0, count = 0;
    const auto add = [&](std::span<const Point> line, double score) {
        if (score == 0) return;
        sum += on_line(line, score);
        ++count;
    };
    add(kMmluPro, scores.mmlu_pro);
    add(kGpqa, scores.gpqa);
    add(kLive24, scores.live24);
    add(kLive26, scores.live26);
    add(kAider, scores.aider);
    add(kWhatmodel, scores.whatmodel);
    return count == 0 ? std::nullopt : std::optional(sum / count);
}

double effective(double total, double active) {
    return active > 0 && active < total ? std::sqrt(total * active) : total;
}

constexpr double kSmall = 40;  // billions, effective: whose scores count half above their size

double of_model(const known::Model& model) {
    if (model.judged != 0) return model.judged;
    const double by_scores = of_scores(model.scores).value_or(0);
    const double billions = effective(model.billions, model.active);
    if (billions == 0 || billions >= kSmall) return by_scores;
    return std::min(by_scores, (by_scores + of_size(billions)) / 2);
}

// A family's distance is that of its 7B; what is smaller is nearer to nothing, and so to its neighbours.
double of_family(const known::Family& family, double billions) {
    const double by_size = of_size(billions);
    return by_size + family.above * std::min(1.0, by_size / of_size(7));
}

// By kind of work, in the order of Strength::by_kind.
struct Mark {
    Marks mark;
    std::array<double, 9> by_kind;
};
constexpr Mark kMarks[] = {
    {known::kCoder, {-3, 0, -2, 8, 0, 0, -6, 0, 0}},        {known::kThinks, {-2, 0, 0, 2, 8, 4, -2, 0, 0}},
    {known::kOld, {0, 0, 0, -2, -2, 0, 0, -10, -6}},        {known::kKnowsLittle, {0, 0, -12, 0, 0, 0, -2, 0, 0}},
    {known::kLoose, {-4, -6, 0, 0, 0, 0, -2, -8, -2}},      {known::kObeys, {2, 4, 0, 0, 0, 0, 0, 2, 0}},
    {known::kTools, {0, 0, 0, 0, 0, 0, 0, 5, 0}},           {known::kWrites, {2, 0, 0, 0, 0, 0, 4, 0, 0}},
    {known::kMath, {-8, -6, -10, -4, 10, 0, -10, -10, -4}}, {known::kBase, {-8, -2, 0, 0, 0, -2, 0, -10, 0}},
};

std::array<double, 9> kinds_of(Marks marks) {
    std::array<double, 9> kinds{};
    for (const auto& [mark, by_kind] : kMarks)
        for (std::size_t i = 0; (marks & mark) != 0 && i < kinds.size(); ++i) kinds[i] += by_kind[i];
    return kinds;
}

bool has(const Pieces& name, std::string_view piece) {
    return std::ranges::find(name, piece) != name.end();
}

Marks marks_in(const Pieces& name) {
    Marks marks = 0;
    const auto mark = [&](Marks which, std::initializer_list<std::string_view> words) {
        if (std::ranges::any_of(words, [&](auto word) { return has(name, word); })) marks |= which;
    };
    mark(known::kCoder, {"coder", "code", "coding", "codex", "sql"});
    mark(known::kMath, {"math"});
    if (!has(name, "non")) mark(known::kThinks, {"thinking", "reasoning", "reasoner", "think", "r1"});
    mark(known::kBase, {"base", "pretrain", "pretrained"});
    if (has(name, "gemma")) mark(known::kBase, {"pt"});  // elsewhere "pt" is PyTorch
    for (std::size_t i = 1; i < name.size(); ++i)        // "llama3.1:8b-text", Ollama's word for it
        if (name[i] == "text" && name[i - 1].back() == 'b' && name[i - 1].front() <= '9') marks |= known::kBase;
    return marks;
}

// A pattern's pieces, in order and side by side in a name.
struct Found {
    std::size_t covered = 0;  // characters of the name; 0: not found
    std::size_t at = 0;       // which piece is first

    bool better_than(const Found& other) const {
        return covered != other.covered ? covered > other.covered : at < other.at;
    }
};

Found find_in(const Pieces& name, const Pieces& pattern) {
    const auto place = std::ranges::search(name, pattern);
    if (pattern.empty() || place.empty()) return {};
    Found found{.at = static_cast<std::size_t>(place.begin() - name.begin())};
    for (const auto& piece : pattern) found.covered += piece.size();
    return found;
}

std::vector<Pieces> patterns_of(std::string_view patterns) {
    std::vector<Pieces> all;
    while (!patterns.empty()) {
        const auto end = std::min(patterns.find('|'), patterns.size());
        all.push_back(known::pieces_of(patterns.substr(0, end)));
        patterns.remove_prefix(std::min(end + 1, patterns.size()));
    }
    return all;
}

// A table with its patterns taken apart, once for a process.
template <typename Row>
struct Index {
    struct Entry {
        const Row* row;
        std::vector<Pieces> patterns;
    };
    std::vector<Entry> entries;

    explicit Index(std::span<const Row> rows) {
        for (const auto& row : rows) entries.push_back({&row, patterns_of(row.patterns)});
    }
};

template <typename Entry>
Found best_of(const Entry& entry, const Pieces& name) {
    Found best;
    for (const auto& pattern : entry.patterns)
        if (const auto found = find_in(name, pattern); found.better_than(best)) best = found;
    return best;
}

struct FamilyFound {
    const known::Family* family = nullptr;
    Found found;
};

FamilyFound family_in(const Pieces& name) {
    static const Index<known::Family> index(known::families());
    FamilyFound best;
    for (const auto& entry : index.entries)
        if (const auto found = best_of(entry, name); found.covered > 0 && found.better_than(best.found))
            best = {entry.row, found};
    return best;
}

// How far a size is from a row's, as a share; "7b" is said of what has 7.6e9.
double apart(double size, double billions) {
    return std::abs(size / billions - 1);
}
constexpr double kSame = 0.15;

struct ModelFound {
    const known::Model* model = nullptr;
    Found found;
    double apart = kSame;  // of its size from the name's; a row of any size gives way to one of the name's
};

void look(const Index<known::Model>& index, const Pieces& name, double billions, ModelFound& best) {
    for (const auto& entry : index.entries) {
        const auto& model = *entry.row;
        const bool by_size = model.billions > 0 && !model.any_size;
        const double distance = by_size ? apart(billions, model.billions) : kSame;
        if (by_size && distance >= kSame) continue;
        const auto found = best_of(entry, name);
        if (found.covered == 0) continue;
        const bool same = found.covered == best.found.covered && found.at == best.found.at;
        if (same ? distance < best.apart : found.better_than(best.found)) best = {&model, found, distance};
    }
}

// `told`: whether the name tells a size, so that a hosted model's name in it is where it was distilled from.
ModelFound model_in(const Pieces& name, double billions, bool told) {
    static const Index<known::Model> hosted(known::hosted_models()), open(known::open_models());
    ModelFound best;
    look(open, name, billions, best);
    if (!told) {
        look(hosted, name, billions, best);
        return best;
    }
    ModelFound with_size;
    look(hosted, name, billions, with_size);
    if (with_size.model != nullptr && with_size.model->any_size && with_size.found.better_than(best.found))
        best = with_size;
    return best;
}

struct Sizes {
    double total = 0, active = 0;  // billions
    bool told = false;             // by the name
};

// "ft:BASE:OWNER::ID" is OpenAI's name of a tuned BASE.
std::string_view without_owner(std::string_view name) {
    if (!name.starts_with("ft:")) return name;
    name.remove_prefix(3);
    return name.substr(0, name.find(':'));
}

// "e2b" and its like count for less than the file has.
bool has_effective_size(double told, double given) {
    return given > told * 1.4 && given < told * 3 && told < 10;
}

// Servers count packed weights, some to a number ("8.7B" of gemma4:26b-mxfp8, ollama/ollama#15679).
bool is_packed(const ModelFacts& facts, double told, double given) {
    return !facts.engine && given > told * 0.1 && given < told * 0.7;
}

Sizes sizes_of(const ModelFacts& facts) {
    const auto name = without_owner(facts.name);
    const auto told = static_cast<double>(parameters_in_name(name)) / 1e9;
    const auto given = static_cast<double>(std::max<std::int64_t>(facts.parameters, 0)) / 1e9;
    const auto active = facts.active_parameters > 0 ? facts.active_parameters : active_parameters_in_name(name);
    const bool name_counts = told > 0 && (has_effective_size(told, given) || is_packed(facts, told, given));
    return {.total = given > 0 && !name_counts ? given : told,
            .active = static_cast<double>(active) / 1e9,
            .told = told > 0};
}

// The part of a name that says which model it is: the last of a path, if anything is known of it.
Pieces telling_pieces(std::string_view name) {
    const auto slash = name.find_last_of("/\\");
    if (slash != std::string_view::npos) {
        auto last = known::pieces_of(name.substr(slash + 1));
        if (family_in(last).family != nullptr || model_in(last, 0, false).model != nullptr) return last;
    }
    return known::pieces_of(name);
}

// Makers that call their tuned models "instruct", "chat" or "it", and the others nothing.
bool is_plain_base(const ModelFacts& facts, const Pieces& name, const known::Family* family) {
    if (family == nullptr || !family->tuned_says || facts.cloud || facts.engine) return false;
    const auto whole = known::pieces_of(facts.name.substr(0, facts.name.find('/')));
    static constexpr std::string_view kMakers[] = {"qwen", "meta", "google", "mistralai"};
    if (facts.name.find('/') == std::string::npos || facts.name.find(':') != std::string::npos) return false;
    if (whole.empty() || std::ranges::find(kMakers, whole.front()) == std::end(kMakers)) return false;
    static constexpr std::string_view kTuned[] = {"instruct", "chat", "it", "sft", "dpo", "gguf", "thinking"};
    return std::ranges::none_of(kTuned, [&](auto word) { return has(name, word); });
}

std::string size_text(double billions) {
    if (billions >= 1000) return fmt::format("{:.3g}T", billions / 1000);
    return billions >= 1 ? fmt::format("{:.3g}B", billions) : fmt::format("{:.3g}M", billions * 1000);
}

// What a quantization takes: little of four bits, which is what most people run.
double lost_to(double bits) {
    if (bits == 0 || bits >= 3.5) return 0;
    return bits >= 2.7 ? 3 : bits >= 1.8 ? 7 : 14;
}

struct Told {
    double ability = 0;
    Marks marks = 0;
    std::string source;
    bool known = true;
};

// The benchmarks are hard work. What a model is below its size there, it is less in the light work that a model at home
// is asked for: that counts by this share.
constexpr double kBelowSize = 0.4;

double not_far_below_size(double ability, const Sizes& sizes) {
    if (sizes.total == 0) return ability;
    const double by_size = of_size(effective(sizes.total, sizes.active));
    return ability < by_size ? by_size + kBelowSize * (ability - by_size) : ability;
}

Told from_table(const ModelFound& model, const known::Family* family, const Sizes& sizes) {
    if (model.model != nullptr)
        return {not_far_below_size(of_model(*model.model), sizes), model.model->marks,
                fmt::format("table of {}: {}", kTableDate, model.model->title)};
    return {not_far_below_size(of_family(*family, effective(sizes.total, sizes.active)), sizes), family->marks,
            fmt::format("table of {}: {}, {}", kTableDate, family->title, size_text(sizes.total))};
}

Told from_size_or_nothing(const ModelFacts& facts, const Sizes& sizes) {
    if (sizes.total > 0) {
        const auto by = facts.parameters <= 0 ? "name" : facts.engine ? "file" : "server";
        return {of_size(effective(sizes.total, sizes.active)), 0,
                fmt::format("{} by its {}", size_text(sizes.total), by)};
    }
    if (facts.cloud) return {82, 0, "not known; a cloud model is taken to be strong", false};
    if (facts.engine) return {20, 0, "not known; a file of unknown size is taken to be weak", false};
    return {45, 0, "not known; a local server's model is taken to be middling", false};
}

Told told_of(const ModelFacts& facts, const Pieces& name, FamilyFound family, Sizes sizes) {
    if (sizes.total == 0 && family.family != nullptr)
        sizes.total = facts.cloud && family.family->cloud > 0 ? family.family->cloud : family.family->home;
    auto model = model_in(name, sizes.total, sizes.told);
    if (model.model != nullptr && family.found.covered > model.found.covered) model = {};
    if (model.model == nullptr && family.family == nullptr) return from_size_or_nothing(facts, sizes);
    return from_table(model, family.family, sizes);
}

// The family as a server tells it. "llama" is the architecture of many others.
FamilyFound family_of(const ModelFacts& facts, const Pieces& name) {
    auto family = family_in(name);
    if (family.family != nullptr || facts.family.empty() || facts.family == "llama") return family;
    family = family_in(known::pieces_of(facts.family));
    family.found = {};  // the name's own words count before it
    return family;
}

bool any_in(std::string_view name, std::span<const std::string_view> patterns) {
    const auto pieces = known::pieces_of(name);
    return std::ranges::any_of(patterns,
                               [&](auto pattern) { return find_in(pieces, known::pieces_of(pattern)).covered > 0; });
}

constexpr double kBaseLoses = 10;

}  // namespace

Strength strength_of(const ModelFacts& facts) {
    if (is_embedder(facts.name)) return {.source = "an embedding model, which does not answer", .known = true};
    if (is_reranker(facts.name)) return {.source = "a model that orders texts, which does not answer", .known = true};
    const auto name = telling_pieces(without_owner(facts.name));
    const auto family = family_of(facts, name);
    const auto sizes = sizes_of(facts);
    auto told = told_of(facts, name, family, sizes);
    // A deployment's other words ("gpt-4o-code-review", "base") are its owner's, and say nothing of the model.
    told.marks |= marks_in(name) & (facts.cloud && !sizes.told ? known::kThinks : ~Marks{0});
    if (is_plain_base(facts, name, family.family)) told.marks |= known::kBase;
    if ((told.marks & known::kBase) != 0) told.ability -= kBaseLoses;
    const auto quantization = facts.quantization.empty() ? quantization_in_name(facts.name) : facts.quantization;
    if (const auto lost = facts.cloud ? 0 : lost_to(bits_of_quantization(quantization)); lost > 0) {
        told.ability -= lost;
        told.source += fmt::format(", less for {}", quantization);
    }
    return {.ability = std::clamp(told.ability, 0.0, 100.0),
            .by_kind = kinds_of(told.marks),
            .source = std::move(told.source),
            .known = told.known};
}

bool is_reranker(std::string_view name) {
    return any_in(name, known::rerankers());
}

bool is_embedder(std::string_view name) {
    return !is_reranker(name) && any_in(name, known::embedders());
}

}  // namespace tandem::routing
