// Ollama: /api/ps lists the models that are in memory, with what they take (docs.ollama.com/api/ps).
#include "engine/adopted.h"

namespace tandem::engine {

namespace {

std::vector<std::string_view> paths() {
    return {"/api/ps"};
}

std::optional<std::vector<AdoptedModel>> read(std::size_t, const json::Value& answer) {
    if (!answer["models"].is(json::Kind::array)) return std::nullopt;
    std::vector<AdoptedModel> all;
    for (const json::Value one : answer["models"].children()) {
        AdoptedModel model;
        model.name = one["name"].string().value_or(one["model"].text());
        model.loaded = true;
        model.bytes = one["size"].integer().value_or(0);
        model.gpu_bytes = one["size_vram"].integer().value_or(0);
        model.context_tokens = one["context_length"].integer().value_or(0);
        model.until = one["expires_at"].text();
        all.push_back(std::move(model));
    }
    return all;
}

// A name without a tag means the tag `latest`.
std::string_view without_latest(std::string_view name) {
    constexpr std::string_view kLatest = ":latest";
    return name.ends_with(kLatest) ? name.substr(0, name.size() - kLatest.size()) : name;
}

bool same(std::string_view servers, std::string_view own) {
    return without_latest(servers) == without_latest(own);
}

}  // namespace

extern const AdoptedKind kOllama;
constinit const AdoptedKind kOllama = {.provider = "ollama", .paths = paths, .read = read, .same = same};

}  // namespace tandem::engine
