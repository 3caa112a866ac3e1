#include "engine/tune/knobs.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "base/text.h"
#include "engine/arguments.h"

namespace tandem::engine::tune {

namespace {

// llama-server's own, where nothing is said.
constexpr std::int64_t kUsualBatch = 2048, kUsualUbatch = 512;  // tokens
constexpr int kMostSlots = 64;                                  // as config/model.cpp has it

constexpr std::array<std::string_view, 2> kThreads = {"--threads", "-t"};
constexpr std::array<std::string_view, 2> kBatchThreads = {"--threads-batch", "-tb"};
constexpr std::array<std::string_view, 2> kBatch = {"--batch-size", "-b"};
constexpr std::array<std::string_view, 2> kUbatch = {"--ubatch-size", "-ub"};
constexpr std::array<std::string_view, 3> kDraft = {"--model-draft", "-md", "--spec-draft-model"};

Option option(std::span<const std::string_view> names) {
    return {{names.begin(), names.end()}};
}

bool knows(const Ground& ground, std::string_view name) {
    return ground.help.find(name) != std::string::npos;
}

Value unset(std::string text, std::size_t options = 1) {
    return {std::move(text), std::vector<std::optional<std::string>>(options), 0};
}

Value set_to(std::string value) {
    return {value, {value}, 0};
}

std::optional<std::string> value_now(const std::vector<std::string>& args, const Option& option) {
    if (!has_argument(args, option.names)) return std::nullopt;
    return option.has_value ? argument(args, option.names) : std::string();
}

// Finds the value in use among those of the knob, and adds it where it is not there.
Knob settled(Knob knob, const std::vector<std::string>& args) {
    Value now;
    std::vector<std::string> words;
    for (const auto& one : knob.options) {
        now.set.push_back(value_now(args, one));
        if (now.set.back()) words.push_back(one.has_value ? *now.set.back() : std::string(one.names[0]));
    }
    const auto same = std::ranges::find(knob.values, now.set, &Value::set);
    knob.now = static_cast<std::size_t>(same - knob.values.begin());
    if (same == knob.values.end()) {
        now.text = join(words, " ");
        knob.values.push_back(std::move(now));
    }
    return knob;
}

std::vector<Value> numbers(std::string usual, const std::set<std::int64_t>& all) {
    std::vector<Value> values = {unset(std::move(usual))};
    for (const auto number : all) values.push_back(set_to(std::to_string(number)));
    return values;
}

Knob threads(const Ground& ground) {
    const int most = most_threads(ground.cpu), usual = usual_threads(ground.cpu);
    std::set<std::int64_t> counts;
    for (const int count : {most / 4, most / 2, most * 3 / 4, ground.cpu.cores, most})
        if (count >= 1 && count <= most && count != usual) counts.insert(count);
    return {"threads", {option(kThreads)}, numbers(fmt::format("{}, as llama-server has it", usual), counts)};
}

// Reading a prompt is work for more threads than making tokens, which waits for memory.
Knob batch_threads(const Ground& ground) {
    std::set<std::int64_t> counts;
    for (const int count : {ground.cpu.cores, most_threads(ground.cpu)})
        if (count >= 1 && count <= most_threads(ground.cpu)) counts.insert(count);
    return {"threads for prompts", {option(kBatchThreads)}, numbers("as many as threads", counts)};
}

Knob ubatch() {
    return {"ubatch", {option(kUbatch)}, numbers(std::to_string(kUsualUbatch), {128, 256, 1024, 2048})};
}

Knob batch() {
    return {"batch", {option(kBatch)}, numbers(std::to_string(kUsualBatch), {512, 4096})};
}

Knob flash_attention(const Ground& ground) {
    Knob knob{"flash attention", {Option{{"--flash-attn", "-fa"}}}, {unset("auto"), set_to("off")}};
    if (!ground.gpus.empty()) knob.values.push_back(set_to("on"));
    return knob;
}

Knob load_mode(const Ground& ground) {
    if (knows(ground, "--load-mode"))
        return {"mmap", {Option{{"--load-mode", "-lm"}}}, {unset("yes"), {"no", {"none"}, 0}}};
    return {"mmap", {Option{{"--no-mmap"}, false}}, {unset("yes"), {"no", {""}, 0}}};
}

Knob speculation(const Ground& ground) {
    Knob knob{"speculation", {Option{{"--spec-type"}}, option(kDraft)}, {unset("none", 2)}};
    for (const std::string type : {"ngram-simple", "ngram-mod"})
        if (knows(ground, type)) knob.values.push_back({type, {type, std::nullopt}, 0});
    if (knows(ground, kDraft[0]))
        for (const auto& file : ground.drafts)
            knob.values.push_back(
                {"draft " + std::filesystem::path(file).filename().string(),
                 {knows(ground, "draft-simple") ? std::optional<std::string>("draft-simple") : std::nullopt, file},
                 0});
    return knob;
}

Knob cache_type(const Ground& ground) {
    Knob knob{"cache", {Option{{"--cache-type-k", "-ctk"}}, Option{{"--cache-type-v", "-ctv"}}}, {unset("f16", 2)}};
    knob.changes_answers = true;
    if (ground.quantised_cache)
        for (const std::string type : {"q8_0", "q4_0"}) knob.values.push_back({type, {type, type}, 0});
    return knob;
}

Knob gpu_layers(const Ground& ground) {
    Knob knob{"GPU layers", {Option{{"--gpu-layers", "-ngl", "--n-gpu-layers"}}}, {unset("as many as fit")}};
    if (!ground.gpus.empty())
        for (const std::string count : {"0", "999"}) knob.values.push_back(set_to(count));
    return knob;
}

// By what llama-server finds free, evenly, or by size.
Knob tensor_split(const Ground& ground) {
    Knob knob{"tensor split", {Option{{"--tensor-split", "-ts"}}}, {unset("as llama-server has it")}};
    if (ground.gpus.size() < 2) return knob;
    constexpr std::int64_t kUnit = 1LL << 30;
    std::vector<std::string> even, sizes;
    for (const auto& gpu : ground.gpus) {
        even.emplace_back("1");
        sizes.push_back(std::to_string(std::max<std::int64_t>(1, gpu.total / kUnit)));
    }
    knob.values.push_back(set_to(join(even, ",")));
    if (join(sizes, ",") != join(even, ",")) knob.values.push_back(set_to(join(sizes, ",")));
    return knob;
}

Knob slots(const config::Model& model, int concurrency) {
    std::set<int> counts = {model.slots};
    for (int count = 1; count <= std::min(concurrency, kMostSlots); count *= 2) counts.insert(count);
    counts.insert(std::min(concurrency, kMostSlots));
    Knob knob{"slots", {}, {}};
    for (const int count : counts) {
        if (count == model.slots) knob.now = knob.values.size();
        knob.values.push_back({std::to_string(count), {}, count});
    }
    return knob;
}

std::int64_t number_of(const std::vector<std::string>& args, std::span<const std::string_view> names,
                       std::int64_t usual) {
    return whole_number(argument(args, names).value_or("")).value_or(usual);
}

}  // namespace

int most_threads(const Cpu& cpu) {
    const int usable = std::max(1, cpu.usable > 0 ? cpu.usable : cpu.threads);
    if (cpu.quota <= 0) return usable;
    return std::clamp(static_cast<int>(cpu.quota), 1, usable);  // one more than the quota runs is throttled with all
}

int usual_threads(const Cpu& cpu) {
    return std::max(1, cpu.cores);
}

std::vector<Knob> knobs_for(const config::Model& model, const Ground& ground) {
    std::vector<Knob> all;
    if (ground.concurrency > 1) all.push_back(slots(model, ground.concurrency));
    for (auto knob : {gpu_layers(ground), tensor_split(ground), threads(ground), batch_threads(ground), ubatch(),
                      batch(), flash_attention(ground), load_mode(ground), speculation(ground), cache_type(ground)})
        if (std::ranges::all_of(knob.options, [&](const Option& one) {
                return knows(ground, one.names[0]) || has_argument(model.args, one.names);
            }))
            all.push_back(settled(std::move(knob), model.args));
    std::erase_if(all, [](const Knob& knob) { return knob.values.size() < 2; });
    return all;
}

Choices in_use(const std::vector<Knob>& knobs) {
    Choices choices;
    for (const auto& knob : knobs) choices.push_back(knob.now);
    return choices;
}

config::Model served(config::Model model, const std::vector<Knob>& knobs, const Choices& choices) {
    for (std::size_t at = 0; at < knobs.size(); ++at) {
        const auto& knob = knobs[at];
        if (choices[at] == knob.now) continue;
        const auto& value = knob.values[choices[at]];
        if (value.slots > 0) model.slots = value.slots;
        for (std::size_t i = 0; i < knob.options.size(); ++i) {
            const auto& [names, has_value] = knob.options[i];
            model.args = without_arguments(model.args, names, has_value);
            if (!value.set[i]) continue;
            model.args.emplace_back(names[0]);
            if (has_value) model.args.push_back(*value.set[i]);
        }
    }
    return model;
}

std::string nonsense(const config::Model& before, const config::Model& served, const Cpu& cpu,
                     std::int64_t read_tokens) {
    const auto differs = [&](std::span<const std::string_view> names) {
        return argument(before.args, names) != argument(served.args, names);
    };
    const auto batch = number_of(served.args, kBatch, kUsualBatch);
    const auto ubatch = number_of(served.args, kUbatch, kUsualUbatch);
    if ((differs(kUbatch) || differs(kBatch)) && ubatch > batch) return "an ubatch is no larger than a batch";
    const auto least = [&](std::span<const std::string_view> names, std::int64_t now, std::int64_t usual) {
        return std::min(now, number_of(before.args, names, usual));
    };
    if ((differs(kUbatch) && least(kUbatch, ubatch, kUsualUbatch) >= read_tokens) ||
        (differs(kBatch) && least(kBatch, batch, kUsualBatch) >= read_tokens))
        return "the work has no prompt that is as long";
    const auto threads = number_of(served.args, kThreads, usual_threads(cpu));
    if (differs(kBatchThreads) && number_of(served.args, kBatchThreads, threads) == threads &&
        !has_argument(before.args, kBatchThreads))
        return "prompts have as many threads already";
    return {};
}

std::string difference(const std::vector<Knob>& knobs, const Choices& from, const Choices& to) {
    std::vector<std::string> words;
    for (std::size_t at = 0; at < knobs.size(); ++at)
        if (from[at] != to[at]) words.push_back(fmt::format("{} {}", knobs[at].name, knobs[at].values[to[at]].text));
    return join(words, ", ");
}

}  // namespace tandem::engine::tune
