// Which files of a repository are meant.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "engine/pull/plan.h"
#include "engine/split.h"

namespace tandem::engine {

namespace {

constexpr std::size_t kMostShown = 24;  // files in a message

std::string_view base_of(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}

// Files that belong to a model and are none (llama.cpp's and the makers' names).
bool belongs_to_one(std::string_view path) {
    const auto name = lower(base_of(path));
    return name.find("mmproj") != std::string::npos || name.find("imatrix") != std::string::npos ||
           name.starts_with("mtp-") || name.find("-mtp.") != std::string::npos || name.starts_with("draft") ||
           name.find("-draft-") != std::string::npos || name.starts_with("eagle");
}

bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Whether `tag` stands in the name as a word of its own: Q4_K is none of Q4_K_M.
bool has_word(std::string_view name, std::string_view tag) {
    const auto text = lower(name), word = lower(tag);
    for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
        const bool begins = at == 0 || !is_word(text[at - 1]);
        const bool ends = at + word.size() == text.size() || !is_word(text[at + word.size()]);
        if (begins && ends) return true;
    }
    return false;
}

// A model: one file, or the parts of one.
struct Candidate {
    std::string name;  // the path of its first file
    std::vector<HubFile> files;
    int count = 1;  // parts that it should have
    std::int64_t size() const {
        std::int64_t sum = 0;
        for (const auto& file : files) sum += file.size;
        return sum;
    }
};

std::vector<Candidate> candidates_of(const std::vector<HubFile>& files) {
    std::map<std::string, Candidate> models;
    for (const auto& file : files) {
        if (!lower(file.path).ends_with(".gguf")) continue;
        const auto split = split_name_of(file.path);
        auto& model = models[split ? fmt::format("{}/{}", split->stem, split->count) : file.path];
        if (split) model.count = split->count;
        model.files.push_back(file);
    }
    std::vector<Candidate> candidates;
    for (auto& [key, model] : models) {
        std::ranges::sort(model.files, {}, &HubFile::path);
        model.name = model.files.front().path;
        candidates.push_back(std::move(model));
    }
    return candidates;
}

std::string listed(const std::vector<Candidate>& candidates) {
    std::string text;
    for (std::size_t i = 0; i < candidates.size() && i < kMostShown; ++i)
        text += fmt::format("\n  {} ({:.1f} GB{})", printable(candidates[i].name, 160),
                            static_cast<double>(candidates[i].size()) / 1e9,
                            candidates[i].count > 1 ? fmt::format(", {} parts", candidates[i].count) : "");
    if (candidates.size() > kMostShown) text += fmt::format("\n  and {} more", candidates.size() - kMostShown);
    return text;
}

Result<std::vector<HubFile>> whole(const Candidate& model) {
    if (model.files.size() == static_cast<std::size_t>(model.count)) return model.files;
    return fail(ErrorCode::invalid, fmt::format("{} has {} of its {} parts there", printable(model.name, 160),
                                                model.files.size(), model.count));
}

std::vector<Candidate> with_tag(const std::vector<Candidate>& models, const std::string& tag) {
    std::vector<Candidate> found;
    for (const auto& model : models)
        if (has_word(base_of(model.name), tag)) found.push_back(model);
    if (found.size() < 2) return found;
    // A maker's own recipe ("UD-Q4_K_M") is meant where it is said.
    std::vector<Candidate> plain;
    for (const auto& model : found)
        if (!has_word(base_of(model.name), "UD")) plain.push_back(model);
    return plain.size() == 1 ? plain : found;
}

}  // namespace

Result<std::vector<HubFile>> chosen(const std::vector<HubFile>& files, const std::string& wanted) {
    const auto all = candidates_of(files);
    if (all.empty()) {
        const bool tensors =
            std::ranges::any_of(files, [](const HubFile& file) { return file.path.ends_with(".safetensors"); });
        return fail(ErrorCode::not_found,
                    fmt::format("it has no GGUF file{}", tensors ? ", only safetensors, which llama-server does not "
                                                                   "read; look for a repository of the same name "
                                                                   "with -GGUF at its end"
                                                                 : ""));
    }
    if (lower(wanted).ends_with(".gguf")) {
        std::vector<Candidate> found;
        for (const auto& model : all)
            for (const auto& file : model.files)
                if (equals_ignoring_case(file.path, wanted) || equals_ignoring_case(base_of(file.path), wanted))
                    found.push_back(model);
        if (found.size() == 1) return whole(found.front());
        if (found.empty())
            return fail(ErrorCode::not_found,
                        fmt::format("it has no file '{}'; there are:{}", printable(wanted, 120), listed(all)));
        return fail(ErrorCode::invalid, fmt::format("'{}' is the name of more than one; write the path of one:{}",
                                                    printable(wanted, 120), listed(found)));
    }
    std::vector<Candidate> models;
    for (const auto& model : all)
        if (!belongs_to_one(model.name)) models.push_back(model);
    if (wanted.empty() && models.size() == 1) return whole(models.front());
    const auto found = with_tag(models, wanted.empty() ? "Q4_K_M" : wanted);
    if (found.size() == 1) return whole(found.front());
    if (wanted.empty())
        return fail(ErrorCode::invalid,
                    fmt::format("it has more than one model; write which, as :QUANT or :FILE:{}", listed(models)));
    return fail(found.empty() ? ErrorCode::not_found : ErrorCode::invalid,
                fmt::format("{} for '{}'; write :FILE with one of:{}",
                            found.empty() ? "it has no model" : "it has more than one model", printable(wanted, 60),
                            listed(found.empty() ? models : found)));
}

}  // namespace tandem::engine
