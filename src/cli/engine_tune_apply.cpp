// What `tandem engine tune` writes: tandem.yaml with other settings of a model, and how to go back.
#include <fmt/format.h>

#include <algorithm>

#include "advice/edit.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "base/world.h"
#include "cli/config_file.h"
#include "cli/engine_tune.h"

namespace tandem::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostNotes = 100;  // the oldest go
constexpr std::size_t kMostBytes = 1UL << 20;

// One tuning that was written.
struct Note {
    std::string model, file, backup;
    std::string sum;  // of the file as it was written
    TunedKeys before, after;
    std::int64_t time_ms = 0;
    bool undone = false;
};

fs::path notes_file(const config::Config& config) {
    return config.data / "tuned.json";
}

TunedKeys keys_in(const json::Value& value) {
    TunedKeys keys;
    for (const auto one : value["args"].children()) keys.args.emplace_back(one.text());
    keys.slots = static_cast<int>(std::clamp<std::int64_t>(value["slots"].integer().value_or(1), 1, 64));
    return keys;
}

// What is no such file is as good as an empty one.
std::vector<Note> read_notes(const config::Config& config) {
    std::vector<Note> notes;
    auto text = read_regular(notes_file(config), kMostBytes);
    json::Document document;
    if (!text || !document.parse(std::move(*text))) return notes;
    for (const auto one : document.root()["tunings"].children()) {
        Note note{std::string(one["model"].text()), std::string(one["file"].text()), std::string(one["backup"].text()),
                  std::string(one["sum"].text()),   keys_in(one["before"]),          keys_in(one["after"])};
        note.time_ms = one["time_ms"].integer().value_or(0);
        note.undone = one["undone"].boolean() == true;
        if (notes.size() < kMostNotes) notes.push_back(std::move(note));
    }
    return notes;
}

void write_keys(json::Writer& out, std::string_view name, const TunedKeys& keys) {
    out.key(name).begin_object().key("args").begin_array();
    for (const auto& one : keys.args) out.value(one);
    out.end_array().member("slots", keys.slots).end_object();
}

Result<> write_notes(const config::Config& config, const std::vector<Note>& notes) {
    json::Writer out;
    out.begin_object().key("tunings").begin_array();
    for (std::size_t at = notes.size() > kMostNotes ? notes.size() - kMostNotes : 0; at < notes.size(); ++at) {
        const auto& note = notes[at];
        out.begin_object().member("model", note.model).member("file", note.file).member("backup", note.backup);
        out.member("sum", note.sum).member("time_ms", note.time_ms).member("undone", note.undone);
        write_keys(out, "before", note.before);
        write_keys(out, "after", note.after);
        out.end_object();
    }
    out.end_array().end_object();
    return write_private_file(notes_file(config), out.take());
}

// "--name", which needs no quotes.
bool is_plain_option(std::string_view word) {
    constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz-";
    return word.starts_with("--") && word.find_first_not_of(kLetters) == std::string_view::npos;
}

std::string yaml_word(const std::string& word) {
    return is_plain_option(word) ? word : json::quoted(word);
}

std::string yaml_list(const std::vector<std::string>& words) {
    std::vector<std::string> parts;
    for (const auto& word : words) parts.push_back(yaml_word(word));
    return "[" + join(parts, ", ") + "]";
}

// What the changed text says of the model must be `keys`.
Result<std::string> checked(const Globals& globals, const config::Config& config, const std::string& model,
                            const TunedKeys& keys, Result<std::string> text) {
    if (!text) return text;
    const auto parsed = parsed_change(globals, config, *text);
    if (!parsed) return fail(parsed.error());
    const auto* changed = parsed->model(model);
    if (changed != nullptr && tuned_keys(*changed) == keys) return text;
    return fail(ErrorCode::invalid,
                fmt::format("{} cannot be changed in the text as it is written; write it there by hand: {}", model,
                            yaml_of(keys, tuned_keys(*config.model(model)))));
}

Result<std::string> with_keys(std::string text, const config::Model& now, const TunedKeys& keys) {
    Result<std::string> changed = std::move(text);
    if (keys.args != now.args) changed = advice::with_value(*changed, {"models", now.id, "args"}, yaml_list(keys.args));
    if (changed && keys.slots != now.slots)
        changed = advice::with_value(*changed, {"models", now.id, "slots"}, std::to_string(keys.slots));
    return changed;
}

// The model that an empty config has, as it is with other keys.
Result<std::string> with_model(const std::string& text, const config::Model& now, const TunedKeys& keys) {
    auto changed = advice::with_value(text, {"providers", now.provider}, "{ kind: engine }");
    if (!changed) return changed;
    return advice::with_value(
        *changed, {"models", now.id},
        fmt::format("{{ provider: {}, file: {}, context: {}, slots: {}, args: {} }}", now.provider,
                    json::quoted(now.file), now.context_tokens, keys.slots, yaml_list(keys.args)));
}

Result<std::string> changed_text(const Globals& globals, const config::Config& config, const std::string& model,
                                 const TunedKeys& keys) {
    const auto text = text_to_change(config);
    if (!text) return text;
    const auto& now = *config.model(model);
    auto changed = checked(globals, config, model, keys, with_keys(*text, now, keys));
    if (changed) return changed;
    if (auto whole = checked(globals, config, model, keys, with_model(*text, now, keys))) return whole;
    return changed;
}

}  // namespace

TunedKeys tuned_keys(const config::Model& model) {
    return {model.args, model.slots};
}

std::string yaml_of(const TunedKeys& keys, const TunedKeys& before) {
    std::string lines;
    if (keys.args != before.args) lines = "args: " + yaml_list(keys.args);
    if (keys.slots != before.slots) lines += fmt::format("{}slots: {}", lines.empty() ? "" : "\n", keys.slots);
    return lines;
}

Result<TunedConfig> apply_tuning(const Globals& globals, const config::Config& config,
                                 const engine::tune::Report& report) {
    Note note{report.before.id,        fs::absolute(config.source).string(), {}, {}, tuned_keys(report.before),
              tuned_keys(report.after)};
    const auto text = changed_text(globals, config, note.model, note.after);
    if (!text) return fail(text.error());
    const auto backup = keep_backup(config.source);
    if (!backup) return fail(backup.error());
    note.backup = fs::absolute(*backup).string();
    note.sum = sum_of(*text);
    note.time_ms = unix_ms(system_clock()->wall());
    auto notes = read_notes(config);
    notes.push_back(note);
    // Whoever is killed between the two leaves a note of something that was not written, which --undo sees.
    auto ok = write_notes(config, notes);
    if (ok) ok = overwrite_config(config.source, *text);
    if (!ok) {
        std::error_code ignored;
        fs::remove(*backup, ignored);
        return fail(ok.error());
    }
    return TunedConfig{note.file, note.backup};
}

int undo_tuning(const Globals& globals, const std::string& model) {
    const auto config = globals.load();
    if (!config) return cli::report(globals, config.error());
    auto notes = read_notes(*config);
    const auto file = config->source.empty() ? std::string() : fs::absolute(config->source).string();
    const auto last = std::ranges::find_if(notes.rbegin(), notes.rend(), [&](const Note& note) {
        return !note.undone && note.model == model && note.file == file;
    });
    if (last == notes.rend())
        return cli::report(globals, {ErrorCode::not_found,
                                     fmt::format("there is nothing to take back: no tuning of {} was written into {}",
                                                 printable(model, 60), file.empty() ? "a tandem.yaml" : file)});
    const auto* now = config->model(model);
    const bool is_in_force = now != nullptr && tuned_keys(*now) == last->after;
    const bool is_back = now != nullptr && tuned_keys(*now) == last->before;
    if (!is_in_force && !is_back)
        return cli::report(globals, {ErrorCode::invalid,
                                     fmt::format("the settings of {} were changed since they were tuned; {} has what "
                                                 "was there before",
                                                 model, last->backup)});
    if (is_in_force) {
        // The whole file where it is as it was written, else the model's own keys.
        const auto text = whole_file(file);
        const auto before = whole_file(last->backup);
        const bool whole = sum_of(text) == last->sum && !before.empty() && parsed_change(globals, *config, before);
        const auto changed = whole ? Result<std::string>(before) : changed_text(globals, *config, model, last->before);
        if (!changed) return cli::report(globals, changed.error());
        if (auto ok = overwrite_config(file, *changed); !ok) return cli::report(globals, ok.error());
    }
    last->undone = true;
    if (auto ok = write_notes(*config, notes); !ok) return cli::report(globals, ok.error());
    if (globals.json) {
        json::Writer out;
        out.begin_object().member("undone", model).member("file", file).member("written", is_in_force).end_object();
        fmt::print("{}\n", out.text());
    } else if (is_in_force) {
        fmt::print("{} has its settings from before the tuning; the running server reads {} by itself\n", model, file);
    } else {
        fmt::print("{} has its settings from before the tuning already: nothing is changed\n", model);
    }
    return kOk;
}

}  // namespace tandem::cli
