// tandem model show: what the header of a model file says, whether it is known here or not.
#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "base/json.h"
#include "base/text.h"
#include "cli/model.h"
#include "cli/model_memory.h"
#include "engine/gguf.h"
#include "engine/pull/pull.h"
#include "engine/split.h"

namespace tandem::cli {

namespace {

constexpr std::size_t kLongestWord = 120;  // bytes of a text of the file that is shown

std::string count_text(std::int64_t count) {
    const auto number = static_cast<double>(count);
    if (count >= 1'000'000'000) return fmt::format("{:.1f} B", number / 1e9);
    if (count >= 1'000'000) return fmt::format("{:.0f} M", number / 1e6);
    return std::to_string(count);
}

void line(std::string_view what, const std::string& words) {
    if (!words.empty()) fmt::print("{:<14} {}\n", what, words);
}

std::string quants_text(const engine::GgufFacts& facts) {
    std::string text;
    for (const auto& quant : facts.quants)
        text +=
            fmt::format("{}{} {} in {}", text.empty() ? "" : ", ", quant.type, size_text(quant.bytes), quant.tensors);
    return text.empty() ? text : text + " tensors";
}

std::string context_text(const engine::GgufFacts& facts) {
    if (facts.context_tokens == 0) return {};
    auto text = fmt::format("{} tokens", facts.context_tokens);
    const auto& rope = facts.rope;
    if (!rope.scaling.empty() && rope.scaling != "none") {
        text += fmt::format(", stretched by {}", printable(rope.scaling, 40));
        if (rope.factor > 0) text += fmt::format(" x {}", rope.factor);
        if (rope.original_context_tokens > 0) text += fmt::format(" from {}", rope.original_context_tokens);
    }
    return text;
}

std::string layers_text(const engine::GgufLayers& layers) {
    if (layers.count == 0) return {};
    auto text = std::to_string(layers.count);
    if (layers.heads > 0) text += fmt::format(", {} heads", layers.heads);
    if (layers.kv_heads > 0 && layers.kv_heads < layers.heads)
        text += fmt::format(" on {} of keys and values", layers.kv_heads);
    if (layers.kv_lora_rank > 0) text += fmt::format(", latent attention of rank {}", layers.kv_lora_rank);
    if (layers.sliding_window > 0) text += fmt::format(", a sliding window of {} tokens", layers.sliding_window);
    if (layers.recurrent_state > 0) text += fmt::format(", recurrent ones with a state of {}", layers.recurrent_state);
    return text;
}

std::string template_text(const engine::GgufFacts& facts) {
    if (facts.chat_template.empty()) return facts.template_has_tools ? "for tools only" : "none: it is no chat model";
    return facts.template_has_tools ? "with tools" : "without tools";
}

void print_facts(const engine::GgufFacts& facts) {
    line("name", printable(facts.name, kLongestWord));
    line("architecture", printable(facts.architecture, kLongestWord));
    auto parameters = count_text(facts.parameters);
    if (facts.active_parameters > 0)
        parameters += fmt::format(", {} for a token ({} of {} experts)", count_text(facts.active_parameters),
                                  facts.experts_used, facts.experts);
    line("parameters", facts.parameters > 0 ? parameters : std::string());
    line("quantization", facts.quantization);
    line("tensors", quants_text(facts));
    line("context", context_text(facts));
    line("layers", layers_text(facts.layers));
    const auto& tokenizer = facts.tokenizer;
    if (tokenizer.tokens > 0)
        line("tokenizer",
             fmt::format("{}{}{}, {} tokens", printable(tokenizer.model, 40), tokenizer.pre.empty() ? "" : "/",
                         printable(tokenizer.pre, 40), tokenizer.tokens));
    line("template", template_text(facts));
    if (facts.split.count > 1)
        line("split", fmt::format("part {} of {}, {} tensors in all", facts.split.number + 1, facts.split.count,
                                  facts.split.tensors));
    line("licence", printable(facts.licence, kLongestWord));
}

void write_facts(json::Writer& out, const engine::GgufFacts& facts) {
    const auto& layers = facts.layers;
    out.key("gguf").begin_object().member("architecture", facts.architecture).member("name", facts.name);
    out.member("quantization", facts.quantization).member("parameters", facts.parameters);
    out.member("active_parameters", facts.active_parameters).member("experts", facts.experts);
    out.member("experts_used", facts.experts_used).member("context", facts.context_tokens);
    out.member("tensor_bytes", facts.tensor_bytes).key("tensors").begin_array();
    for (const auto& quant : facts.quants)
        out.begin_object()
            .member("type", quant.type)
            .member("count", quant.tensors)
            .member("bytes", quant.bytes)
            .end_object();
    out.end_array().key("rope").begin_object().member("scaling", facts.rope.scaling);
    out.raw_member("factor", fmt::format("{}", facts.rope.factor))
        .raw_member("base", fmt::format("{}", facts.rope.base));
    out.member("original_context", facts.rope.original_context_tokens).end_object();
    out.key("layers").begin_object().member("count", layers.count).member("embedding", layers.embedding);
    out.member("heads", layers.heads).member("kv_heads", layers.kv_heads).member("key_length", layers.key_length);
    out.member("value_length", layers.value_length).member("sliding_window", layers.sliding_window);
    out.member("kv_lora_rank", layers.kv_lora_rank).member("recurrent_state", layers.recurrent_state).end_object();
    out.key("tokenizer").begin_object().member("model", facts.tokenizer.model).member("pre", facts.tokenizer.pre);
    out.member("tokens", facts.tokenizer.tokens).end_object();
    out.key("template").begin_object().member("there", !facts.chat_template.empty());
    out.member("tools", facts.template_has_tools).end_object();
    out.key("split").begin_object().member("number", facts.split.number).member("count", facts.split.count);
    out.member("tensors", facts.split.tensors).end_object();
    out.member("licence", facts.licence).end_object();
}

// The header of the file; of a model that is split into files the tensors of all parts.
Result<engine::GgufFacts> read_whole(const engine::Manifest& manifest, const engine::DiskModel* model,
                                     const std::filesystem::path& path) {
    if (model == nullptr) {
        auto whole = engine::read_whole_gguf(path);
        return whole ? whole : engine::read_gguf(path);
    }
    auto facts = engine::read_gguf(path);
    if (!facts) return facts;
    for (const auto& file : std::span(model->files).subspan(1)) {
        const auto more = engine::read_gguf(manifest.path_of(file));
        if (!more) return fail(more.error());
        if (auto ok = engine::add_part(*facts, *more); !ok) return fail(ok.error());
    }
    return facts;
}

// Parts of a model whose other files are not known here cannot be summed.
bool is_whole(const engine::GgufFacts& facts) {
    return facts.split.count <= 1 || facts.tensors == facts.split.tensors;
}

struct Options {
    std::string name;
    MemoryWish wish;
};

// Of a source that `tandem model pull` takes, and not of a file.
bool is_elsewhere(const std::string& name) {
    return name.starts_with("hf:") || name.starts_with("ollama:") || name.find("://") != std::string::npos;
}

int show_elsewhere(const Globals& globals, const config::Config& config, const Options& options) {
    const auto reference = engine::reference_of(options.name);
    if (!reference) {
        report(globals, reference.error());
        return kUsage;
    }
    engine::PullSettings settings;
    settings.environment = globals.environment;
    const auto looked = engine::look(*reference, settings);
    if (!looked) return report(globals, looked.error());
    const auto& [plan, size, facts, read] = *looked;
    const auto memory = memory_report(facts, nullptr, options.wish, config.data);
    if (!memory) return report(globals, memory.error());
    if (globals.json) {
        json::Writer out;
        out.begin_object().member("source", plan.source).member("version", plan.version);
        out.member("size", size).member("licence", plan.licence).member("read_bytes", read);
        write_facts(out, facts);
        write_memory(out, *memory);
        fmt::print("{}\n", out.end_object().text());
        return kOk;
    }
    line("source", plan.source);
    line("version", plan.version);
    line("size", fmt::format("{}, of which {} were read for this", size_text(size), size_text(read)));
    line("licence", plan.licence.empty() ? "not said" : plan.licence);
    for (const auto& note : plan.notes) line("note", note);
    print_facts(facts);
    print_memory(*memory);
    fmt::print("\nto have it: tandem model pull --add {}\n", printable(options.name, kLongestWord));
    return kOk;
}

void print_file(const engine::DiskModel* model, const std::filesystem::path& path) {
    line("path", path.string());
    if (model == nullptr) return;
    line("size", size_text(model->size()));
    line("source", model->source);
    line("version", model->version);
    line("sha256", model->files.front().sha256);
}

// A server that its owner names: Tandem knows of it what its owner says, and what was measured when it ran.
int show_command(const Globals& globals, const config::Config& config, const config::Model& model) {
    const auto seen = engine::kept_of(config.data, model.id);
    const auto stated = static_cast<std::int64_t>(model.command.memory_bytes);
    const auto measured = seen ? seen->resident.peak : 0;
    if (globals.json) {
        json::Writer out;
        out.begin_object().member("model", model.id).key("command").begin_array();
        for (const auto& argument : model.command.line) out.value(argument);
        out.end_array().key("memory").begin_object().member("total_bytes", measured > 0 ? measured : stated);
        out.member("stated_bytes", stated).member("measured_bytes", measured).end_object();
        fmt::print("{}\n", out.end_object().text());
        return kOk;
    }
    line("model", model.id);
    line("command", printable(join(model.command.line, " "), 400));
    if (model.context_tokens > 0) line("context", fmt::format("{} tokens, by your word", model.context_tokens));
    line("memory", fmt::format("{} by your word; {}", size_text(stated),
                               measured > 0 ? fmt::format("{} at most when it last ran, with all its processes",
                                                          size_text(measured))
                                            : "it has not run yet"));
    return kOk;
}

// Of a model of tandem.yaml that has no file here; nullptr: there is none of that name.
const config::Model* command_of(const config::Config& config, const std::string& name) {
    const auto* model = config.model(name);
    if (model == nullptr || !model->file.empty() || !config.provider(model->provider)->kind->runs_command)
        return nullptr;
    return model;
}

// The file that tandem.yaml serves under this id, or that lies where engines look for a file of this name.
std::optional<std::filesystem::path> found_by_engines(const Globals& globals, const config::Config& config,
                                                      const std::string& name) {
    if (const auto* model = config.model(name); model != nullptr && !model->file.empty())
        return file_of(globals, config, *model);
    config::Model asked;
    asked.id = asked.file = name;
    return file_of(globals, config, asked);
}

// The model of tandem.yaml that serves the file, by whatever name either of them has for it; nullptr: there is none.
const config::Model* served_by(const Globals& globals, const config::Config& config, const engine::DiskModel* model,
                               const std::string& name, const std::filesystem::path& path) {
    if (const auto* named = config.model(name); model == nullptr && named != nullptr && !named->file.empty())
        return named;
    const auto users = model != nullptr ? users_of(config, *model) : std::vector<std::string>();
    for (const auto& one : config.models) {
        if (!users.empty() && one.id == users.front()) return &one;
        std::error_code error;
        const auto file = file_of(globals, config, one);
        if (file && std::filesystem::equivalent(*file, path, error)) return &one;
    }
    return nullptr;
}

int show(const Globals& globals, const Options& options) {
    const auto& name = options.name;
    const auto config = config_for_files(globals);
    if (!config) return report(globals, config.error());
    const auto manifest = engine::Manifest::read(models_folder(*config));
    if (!manifest) return report(globals, manifest.error());
    const auto* model = manifest->find(name);
    if (model == nullptr && is_elsewhere(name)) return show_elsewhere(globals, *config, options);
    std::error_code error;
    if (model == nullptr)
        if (const auto* command = command_of(*config, name)) return show_command(globals, *config, *command);
    std::optional<std::filesystem::path> found;
    if (std::filesystem::exists(name, error)) found = name;
    if (model == nullptr && !found) found = found_by_engines(globals, *config, name);
    if (model == nullptr && !found) {
        std::vector<std::string> names;
        for (const auto& one : manifest->models()) names.push_back(one.name);
        return report(globals, {ErrorCode::not_found,
                                fmt::format("there is no model file '{}'{}", printable(name, 80),
                                            names.empty() ? "; `tandem model list` has none" : suggest(name, names))});
    }
    const auto path = model != nullptr ? manifest->path_of(model->files.front()) : *found;
    const auto facts = read_whole(*manifest, model, path);
    if (!facts) return report(globals, facts.error());
    const auto memory =
        memory_report(*facts, served_by(globals, *config, model, name, path), options.wish, config->data);
    if (!memory) return report(globals, memory.error());
    const bool counted = is_whole(*facts);
    if (globals.json) {
        json::Writer out;
        out.begin_object().member("path", path.string());
        if (model != nullptr) {
            out.key("file").begin_object();
            write_model(out, *model);
            out.end_object();
        }
        write_facts(out, *facts);
        if (counted) write_memory(out, *memory);
        fmt::print("{}\n", out.end_object().text());
        return kOk;
    }
    print_file(model, path);
    print_facts(*facts);
    if (counted)
        print_memory(*memory);
    else
        line("memory", "not counted: the other parts are not known here; `tandem model import` knows them all");
    if (model == nullptr) return kOk;
    fmt::print("\n");
    return print_lines(globals, *config, *model, false);
}

}  // namespace

void add_model_show(CLI::App& group, Globals& globals, Action& action) {
    auto options = std::make_shared<Options>();
    auto& wish = options->wish;
    auto* command = group.add_subcommand("show", "What a model file says of itself, and whether it fits this machine");
    command
        ->add_option("file", options->name,
                     "Its name in `tandem model list`, the path of a GGUF file, or, before it is fetched, what "
                     "`tandem model pull` takes")
        ->required();
    command->add_option("--context", wish.context, "Tokens of a slot; else as tandem.yaml has it, else 4096")
        ->check(CLI::Range(64, 100'000'000));
    command->add_option("--slots", wish.slots, "Requests at a time; else as tandem.yaml has it, else 1")
        ->check(CLI::Range(1, 64));
    command->add_option("--cache-type", wish.cache_type, "Type of keys and values: f16, q8_0, q4_0, ...");
    command->add_option("--mmproj", wish.projector, "A projector that is served with it; else as in `args`");
    command->add_option("--draft", wish.draft, "A draft model that is served with it; else as in `args`");
    command->callback([&, options] { action = [&globals, options] { return show(globals, *options); }; });
}

}  // namespace tandem::cli
