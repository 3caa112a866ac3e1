// tandem prices: the price book, and what responses cost by it.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time_text.h"
#include "base/world.h"
#include "cli/cli.h"
#include "cli/input.h"
#include "cli/prices_apply.h"
#include "ledger/prices/import.h"
#include "ledger/prices/names.h"

namespace tandem::cli {

namespace {

using prices::Amount;
using prices::Bucket;
using prices::Entry;

struct Asked {
    std::string file = "-";
    std::string model, provider, at;
    bool all = false;
};

std::int64_t now_ms() {
    return unix_ms(system_clock()->wall());
}

Result<prices::Books> open_books(const Globals& globals) {
    const auto config = globals.load();
    if (!config) return fail(config.error());
    return prices::Books::open(config->data);
}

int apply(const Globals& globals, const Asked& asked) {
    const auto books = open_books(globals);
    if (!books) return report(globals, books.error());
    std::ifstream file;
    const auto in = open_input(asked.file, file);
    if (!in) return report(globals, in.error());
    const auto now = now_ms();
    std::string line;
    std::size_t lines = 0, bad = 0, unknown = 0;
    for (std::size_t number = 1; std::getline(**in, line); ++number) {
        if (trim(line).empty()) continue;
        const auto applied = apply_prices(line, number, *books, now);
        fmt::print("{}\n", applied.line);
        ++lines;
        bad += applied.bad ? 1 : 0;
        unknown += applied.bad || applied.known ? 0 : 1;
    }
    if (bad + unknown > 0)
        fmt::print(stderr, "tandem: of {} lines {} could not be read and {} have no known price\n", lines, bad,
                   unknown);
    return kOk;
}

std::string age_note(const Entry& entry) {
    const auto age = prices::age_days(entry, now_ms());
    if (!age) return "never checked";
    return *age >= prices::kOldDays ? fmt::format("checked {} days ago", *age) : std::string();
}

bool holds(const Entry& entry, std::int64_t time) {
    return time >= entry.from && time < entry.until;
}

std::string rate_text(const Entry& entry, Bucket bucket) {
    const auto* rate = entry.base()->rate(bucket);
    return rate == nullptr ? "-" : rate->plain();
}

int list(const Globals& globals, const Asked& asked) {
    const auto books = open_books(globals);
    if (!books) return report(globals, books.error());
    const auto provider = asked.provider.empty() ? std::string() : prices::provider_id(asked.provider);
    json::Writer out;
    out.begin_object().member("unit", "USD").key("books").begin_array();
    for (const auto& book : books->all()) {
        out.begin_object().member("made", book->made).key("sources").begin_array();
        for (const auto& source : book->sources) out.value(source);
        out.end_array().end_object();
    }
    out.end_array().key("entries").begin_array();
    std::size_t shown = 0, old = 0;
    if (!globals.json)
        fmt::print("{:<11} {:<48} {:>10} {:>10} {:>10} {:>6}  {}\n", "provider", "model", "input", "cached", "output",
                   "cards", "checked");
    for (const auto& book : books->all())
        for (const auto& entry : book->entries()) {
            if (!provider.empty() && entry.provider != provider) continue;
            if (!asked.model.empty() && entry.model.find(lower(asked.model)) == std::string::npos) continue;
            if (!asked.all && !holds(entry, now_ms())) continue;
            ++shown;
            const auto note = age_note(entry);
            old += note.empty() ? 0 : 1;
            if (globals.json)
                prices::write_entry(out, entry);
            else
                fmt::print("{:<11} {:<48} {:>10} {:>10} {:>10} {:>6}  {}{}{}\n", entry.provider, entry.model,
                           rate_text(entry, Bucket::input), rate_text(entry, Bucket::cache_read),
                           rate_text(entry, Bucket::output), entry.cards.size(), entry.checked,
                           note.empty() ? "" : ", ", note);
        }
    out.end_array().end_object();
    if (globals.json)
        fmt::print("{}\n", out.text());
    else
        fmt::print(
            "\n{} entries, in USD for a million tokens; {} of them were checked {} days ago or earlier. `tandem prices "
            "show MODEL` has all of one.\n",
            shown, old, prices::kOldDays);
    return kOk;
}

std::string condition_text(const prices::Condition& when) {
    std::vector<std::string> parts;
    if (!when.service.empty()) parts.push_back(when.service);
    if (!when.region.empty()) parts.push_back("in " + when.region);
    if (when.over) parts.push_back(fmt::format("prompt over {}", *when.over));
    if (when.from) parts.push_back(fmt::format("prompt from {}", *when.from));
    for (const auto& window : when.windows) {
        std::string days;
        for (int day = 0; window.days != prices::Window{}.days && day < 7; ++day)
            if ((window.days >> day & 1U) != 0) days += fmt::format(" {}", day + 1);
        parts.push_back(fmt::format("{:02}:{:02}-{:02}:{:02} UTC{}{}", window.from / 60, window.from % 60,
                                    window.to / 60, window.to % 60, days.empty() ? "" : " on days", days));
    }
    return parts.empty() ? "standard" : join(parts, ", ");
}

std::string unit_text(Bucket bucket) {
    if (prices::is_tokens(bucket)) return "a million tokens";
    if (bucket == Bucket::characters) return "a million characters";
    return bucket == Bucket::seconds ? "an hour" : "a thousand";
}

void print_entry(const Entry& entry) {
    fmt::print("{} {}", entry.provider, entry.model);
    if (entry.from != INT64_MIN) fmt::print(", from {}", time_text(entry.from));
    if (entry.until != INT64_MAX) fmt::print(", until {}", time_text(entry.until));
    const auto note = age_note(entry);
    fmt::print("\n  source: {}; checked {}{}{}\n", entry.source, entry.checked, note.empty() ? "" : ", ", note);
    if (!entry.note.empty()) fmt::print("  {}\n", entry.note);
    for (const auto& card : entry.cards) {
        fmt::print("  {}\n", condition_text(card.when));
        for (const auto& [bucket, rate] : card.rates)
            fmt::print("    {:<16} {:>12} USD for {}\n", name_of(bucket), rate.plain(), unit_text(bucket));
    }
    for (const auto& [bucket, quota] : entry.free_quota) fmt::print("  free: {}: {}\n", bucket, quota);
    if (entry.search_once)
        fmt::print("  web_search: once for an answer that searched, whatever number of queries it made\n");
    if (entry.least_seconds > 0) fmt::print("  seconds: {} at least\n", entry.least_seconds);
    if (entry.cache_storage)
        fmt::print("  what is kept in a cache: {} USD for a million tokens and hour\n", entry.cache_storage->plain());
}

// The providers at which a book has the model by just this name.
std::vector<std::string> providers_of(const prices::Books& books, const std::string& model) {
    std::vector<std::string> names;
    for (const auto& book : books.all())
        for (const auto& entry : book->entries())
            if (entry.model == model && std::ranges::find(names, entry.provider) == names.end())
                names.push_back(entry.provider);
    return names;
}

int show(const Globals& globals, const Asked& asked) {
    const auto books = open_books(globals);
    if (!books) return report(globals, books.error());
    std::optional<std::int64_t> time;
    if (!asked.at.empty() && !(time = time_from(asked.at))) {
        report(globals,
               Error{ErrorCode::invalid, fmt::format("--at: expected 2026-11-26 or 2026-11-26T10:00:00Z, got '{}'",
                                                     printable(asked.at, 40))});
        return kUsage;
    }
    const auto provider = asked.provider.empty() ? prices::provider_in(asked.model) : asked.provider;
    auto found = books->find(provider, {asked.model}, time, now_ms());
    if (found.entry == nullptr && asked.provider.empty()) {
        const auto sellers = providers_of(*books, asked.model);
        if (sellers.size() > 1)
            return report(globals,
                          Error{ErrorCode::not_found, fmt::format("{} has a price at {}: say which with --provider",
                                                                  printable(asked.model, 60), join(sellers, ", "))});
        if (sellers.size() == 1) found = books->find(sellers.front(), {asked.model}, time, now_ms());
    }
    if (found.entry == nullptr)
        return report(globals, Error{ErrorCode::not_found,
                                     fmt::format("{}; `tandem prices list --model {}` searches for a part of a name",
                                                 join(found.warnings, "; "), printable(asked.model, 60))});
    if (globals.json) {
        json::Writer out;
        out.begin_object().member("unit", "USD").key("entry");
        prices::write_entry(out, *found.entry);
        out.key("warnings").begin_array();
        for (const auto& warning : found.warnings) out.value(warning);
        out.end_array();
        if (const auto age = prices::age_days(*found.entry, now_ms()))
            out.member("age_days", *age).member("old", *age >= prices::kOldDays);
        out.end_object();
        fmt::print("{}\n", out.text());
        return kOk;
    }
    print_entry(*found.entry);
    for (const auto& warning : found.warnings) fmt::print("  note: {}\n", warning);
    return kOk;
}

Result<prices::Imported> read_table(const std::string& name) {
    constexpr std::size_t kMostBytes = 64 << 20;
    const auto text = read_regular(name, kMostBytes + 1);
    if (!text && text.error().code == ErrorCode::not_found)
        return fail(Fault::file_not_found, fmt::format("{} cannot be read; is it there?", name));
    if (!text) return fail(text.error());
    if (text->size() > kMostBytes) return fail(ErrorCode::too_large, fmt::format("{} is larger than 64 MiB", name));
    auto imported = prices::import_table(*text, std::filesystem::path(name).filename().string(), date_text(now_ms()));
    if (!imported) return fail(imported.error().code, fmt::format("{}: {}", name, imported.error().message));
    return imported;
}

int import_file(const Globals& globals, const Asked& asked) {
    const auto config = globals.load();
    if (!config) return report(globals, config.error());
    const auto imported = read_table(asked.file);
    if (!imported) return report(globals, imported.error());
    const auto folder = prices::imported_folder(config->data);
    std::error_code failed;
    std::filesystem::create_directories(folder, failed);
    if (failed)
        return report(globals, Error{ErrorCode::storage,
                                     fmt::format("{} cannot be made: {}", folder.string(), failed.message())});
    const auto file = folder / fmt::format("{}-{}.json", now_ms(), imported->kind);
    if (auto ok = write_private_file(file, imported->book.write()); !ok) return report(globals, ok.error());
    const auto count = imported->book.entries().size();
    if (globals.json) {
        json::Writer out;
        out.begin_object()
            .member("kind", imported->kind)
            .member("entries", count)
            .member("left_out", imported->left_out);
        out.member("file", file.string()).end_object();
        fmt::print("{}\n", out.text());
    } else {
        fmt::print(
            "{} entries of {} are in force before the book that came with this program; {} without a price were left "
            "out.\n"
            "Remove {} to undo that; `tandem prices diff` says what it changes.\n",
            count, imported->kind, imported->left_out, file.string());
    }
    return kOk;
}

// A file against the shipped book, or without one what was imported last.
int diff(const Globals& globals, const Asked& asked) {
    const auto books = open_books(globals);
    if (!books) return report(globals, books.error());
    auto one = books->all().front();
    if (asked.file != "-") {
        auto imported = read_table(asked.file);
        if (!imported) return report(globals, imported.error());
        one = std::make_shared<const prices::Book>(std::move(imported->book));
    } else if (books->all().size() == 1) {
        return report(globals, Error{ErrorCode::not_found,
                                     "nothing was imported that could differ; name a file: tandem prices diff FILE"});
    }
    const auto found = prices::compare(*one, *books->all().back(), now_ms());
    json::Writer out;
    out.begin_object()
        .member("shared", found.shared)
        .member("only_first", found.only_one)
        .member("only_shipped", found.only_other);
    out.key("differences").begin_array();
    if (!globals.json)
        fmt::print("{:<11} {:<48} {:<16} {:>12} {:>12}\n", "provider", "model", "rate", "first", "shipped");
    for (const auto& difference : found.differences) {
        if (globals.json)
            out.begin_object()
                .member("provider", difference.provider)
                .member("model", difference.model)
                .member("rate", name_of(difference.bucket))
                .member("first", difference.one->plain())
                .member("shipped", difference.other->plain())
                .end_object();
        else
            fmt::print("{:<11} {:<48} {:<16} {:>12} {:>12}\n", difference.provider, difference.model,
                       name_of(difference.bucket), difference.one->plain(), difference.other->plain());
    }
    out.end_array().end_object();
    if (globals.json)
        fmt::print("{}\n", out.text());
    else
        fmt::print(
            "\n{} of {} rates that both have differ; {} models are in the first alone, {} in the shipped book alone\n",
            found.differences.size(), found.shared, found.only_one, found.only_other);
    return kOk;
}

}  // namespace

void add_prices(CLI::App& app, Globals& globals, Action& action) {
    auto* group = app.add_subcommand("prices", "The price book, and what responses cost by it");
    group->require_subcommand(1);
    auto asked = std::make_shared<Asked>();
    const auto command = [&](const char* name, const char* about, int (*run)(const Globals&, const Asked&)) {
        auto* made = group->add_subcommand(name, about);
        made->callback(
            [&globals, &action, asked, run] { action = [&globals, asked, run] { return run(globals, *asked); }; });
        return made;
    };
    auto* listed = command("list", "The entries that hold today, in USD for a million tokens", list);
    listed->add_option("--provider", asked->provider, "Of one provider");
    listed->add_option("--model", asked->model, "With this in their name");
    listed->add_flag("--all", asked->all, "Those of other times too");
    auto* shown = command("show", "All of one model: tiers, lengths of prompts, regions, hours, tools, source", show);
    shown
        ->add_option("model", asked->model,
                     "As it is asked for: gpt-5.1, openai/gpt-5.1, us.anthropic.claude-sonnet-4-5-20250929-v1:0")
        ->required();
    shown->add_option("--provider", asked->provider, "Who sells it, where its name does not say so");
    shown->add_option("--at", asked->at, "A date or a time; now by default");
    command("diff", "Rates in which a table differs from the book that came with this program", diff)
        ->add_option("file", asked->file,
                     "LiteLLM's table, genai-prices' data.json or a book; what was imported last by default");
    command("import", "Put a table before the book that came with this program", import_file)
        ->add_option("file", asked->file,
                     "LiteLLM's model_prices_and_context_window.json, genai-prices' data.json, or a book")
        ->required();
    command("apply", "Price responses, a line of JSON each", apply)
        ->add_option("--jsonl", asked->file,
                     R"(Lines {"id","provider","model","dialect","time","body"}; - is stdin, which is the default)");
}

}  // namespace tandem::cli
