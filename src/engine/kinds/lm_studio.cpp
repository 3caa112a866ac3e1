// LM Studio: since 0.4 /api/v1/models has the sizes of files and the loaded instances of each model; before,
// /api/v0/models has their states (lmstudio.ai/docs/developer/rest). Neither says what a model takes.
#include <algorithm>

#include "engine/adopted.h"

namespace tandem::engine {

namespace {

std::vector<std::string_view> paths() {
    return {"/api/v1/models", "/api/v0/models"};
}

std::optional<std::vector<AdoptedModel>> read_v1(const json::Value& answer) {
    if (!answer["models"].is(json::Kind::array)) return std::nullopt;
    std::vector<AdoptedModel> all;
    for (const json::Value one : answer["models"].children()) {
        AdoptedModel model;
        model.name = one["key"].text();
        const auto instances = one["loaded_instances"];
        model.loaded = instances.size() > 0;
        model.bytes = one["size_bytes"].integer().value_or(0) *
                      std::max<std::int64_t>(1, static_cast<std::int64_t>(instances.size()));
        model.file_size = true;
        for (const json::Value instance : instances.children())
            model.context_tokens =
                std::max(model.context_tokens, instance["config"]["context_length"].integer().value_or(0));
        all.push_back(std::move(model));
    }
    return all;
}

std::optional<std::vector<AdoptedModel>> read_v0(const json::Value& answer) {
    if (!answer["data"].is(json::Kind::array)) return std::nullopt;
    std::vector<AdoptedModel> all;
    for (const json::Value one : answer["data"].children()) {
        AdoptedModel model;
        model.name = one["id"].text();
        model.loaded = one["state"].text() == "loaded";
        model.context_tokens = one["loaded_context_length"].integer().value_or(0);
        all.push_back(std::move(model));
    }
    return all;
}

std::optional<std::vector<AdoptedModel>> read(std::size_t which, const json::Value& answer) {
    return which == 0 ? read_v1(answer) : read_v0(answer);
}

bool same(std::string_view servers, std::string_view own) {
    return servers == own;
}

}  // namespace

extern const AdoptedKind kLmStudio;
constinit const AdoptedKind kLmStudio = {.provider = "lmstudio", .paths = paths, .read = read, .same = same};

}  // namespace tandem::engine
