#include "engine/serving.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>
#include <string_view>

#include "base/text.h"
#include "engine/arguments.h"

namespace tandem::engine {

namespace {

constexpr std::int64_t kLargestBatch = 1L << 20;  // tokens
constexpr std::int64_t kContext = 4'096;          // tokens, as config/parse.cpp has it for engines

}  // namespace

Serving serving_of(const config::Model* model, const GgufFacts& facts, const MachineMemory& machine) {
    Serving serving;
    auto& settings = serving.settings;
    settings.repacked = repacked_types();
    settings.context_tokens = facts.context_tokens > 0 ? std::min(kContext, facts.context_tokens) : kContext;
    const auto args = model != nullptr ? model->args : std::vector<std::string>();
    if (model != nullptr) {
        settings.context_tokens = model->context_tokens;
        settings.slots = model->slots;
    }
    if (auto type = argument(args, {"--cache-type-k", "-ctk"})) settings.keys = std::move(*type);
    if (auto type = argument(args, {"--cache-type-v", "-ctv"})) settings.values = std::move(*type);
    if (has_argument(args, {"--no-repack", "-nr"})) settings.repacked.clear();
    for (const auto& names : {std::initializer_list<std::string_view>{"--ubatch-size", "-ub"}, {"--batch-size", "-b"}})
        if (const auto tokens = whole_number(argument(args, names).value_or("")))
            settings.batch = std::clamp<std::int64_t>(
                *tokens, 1, names.begin()->starts_with("--u") ? kLargestBatch : settings.batch);
    serving.projector = argument(args, {"--mmproj", "-mm"}).value_or("");
    serving.draft = argument(args, {"--model-draft", "-md", "--spec-draft-model"}).value_or("");
    std::int64_t mib = prompt_cache_mib(machine);
    if (const auto text = argument(args, {"--cache-ram", "-cram"}))
        std::from_chars(text->data(), text->data() + text->size(), mib);
    serving.prompt_cache = mib < 0 ? -1 : std::min(mib, std::int64_t{1} << 30) * 1024 * 1024;
    return serving;
}

Result<> add_files(const Serving& serving, MemoryNeed& need) {
    if (!serving.projector.empty()) {
        const auto facts = read_gguf(std::filesystem::path(serving.projector));
        if (!facts) return fail(facts.error());
        need.projector = facts->tensor_bytes;  // clip.cpp reads them into memory of its own
    }
    if (!serving.draft.empty()) {
        const auto facts = read_gguf(std::filesystem::path(serving.draft));
        if (!facts) return fail(facts.error());
        auto settings = serving.settings;
        settings.keys = settings.values = "f16";  // its cache has types of its own
        need.draft = memory_need(*facts, settings).of_draft();
    }
    return {};
}

}  // namespace tandem::engine
