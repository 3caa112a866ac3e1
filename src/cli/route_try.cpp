#include "cli/route_try.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <tuple>
#include <utility>

#include "base/text.h"
#include "chat/answer.h"
#include "cli/dry_run.h"
#include "cli/input.h"
#include "cli/terminal.h"
#include "dialect/openai_chat.h"

namespace tandem::cli {

namespace {

constexpr std::size_t kMostPrompts = 10'000;
constexpr std::size_t kMostOfPrompt = 256UL << 10;  // bytes
constexpr std::size_t kShown = 48;                  // characters of a prompt in the table

// A dozen prompts of different kinds, from light to hard.
constexpr std::array kExamples = std::to_array<std::string_view>({
    "hi, how are you?",
    "Set a timer for ten minutes",
    "Give this chat a short title: we talked about repairing a bicycle tyre",
    "Translate to French: The train leaves at nine from platform four.",
    "Is this review positive or negative? 'The battery died after two days and nobody answered my mails.'",
    "What is the capital of Australia?",
    "Write a polite mail to my landlord: the heating has been broken since Monday",
    "Explain the difference between TCP and UDP to a trainee",
    "Write a Python function that merges overlapping intervals, with tests for the edge cases",
    "A tank is filled by two pipes in 6 and 9 hours and emptied by a third in 12. How long does filling take with all "
    "three open?",
    "Our PostgreSQL primary stalls for 30 seconds every night at 02:00 while autovacuum runs. How do I find the cause?",
    "Design a migration of a monolith with 40 tables to services without downtime, with the order of steps and the way "
    "back from each",
    "My IBAN is DE89 3704 0044 0532 0130 00. Which bank is that?",
});

struct Options {
    std::string file;
    bool examples = false;
    std::vector<std::string> presets;
    DryRuns::Asked asked;
};

// One policy that is looked at: the configured one, or a preset in its place.
struct Column {
    std::string name;
    routing::Table table;
};

struct Prompt {
    std::string text;  // of its last turn
    std::string body;  // of the whole request, where more than a prompt is given
};

struct Row {
    std::size_t place = 0;  // in the file
    std::string prompt;
    routing::Inputs inputs;
    std::vector<routing::Decision> decisions;  // one for each column
};

// A line of the file: a prompt as it is, or JSON with a `prompt` of several lines or the `messages` of a whole request.
Prompt prompt_from(std::string_view line) {
    json::Document document;
    if (!line.starts_with('{') || !document.parse(line)) return {std::string(line), {}};
    const auto root = document.root();
    if (const auto prompt = root["prompt"].string()) return {std::string(*prompt), {}};
    if (!root["messages"].is(json::Kind::array)) return {std::string(line), {}};
    const auto request = dialect::openai_chat::decode_request(document);
    return {request ? chat::last_user_text(*request) : std::string(line), std::string(line)};
}

// False at the end. Of a line that is too long, no more is read than shows that.
bool next_line(std::istream& in, std::string& line) {
    line.clear();
    for (char c = 0; line.size() <= kMostOfPrompt && in.get(c);) {
        if (c == '\n') return true;
        line += c;
    }
    return !line.empty();
}

Result<std::vector<Prompt>> prompts_of(const Options& options) {
    std::vector<Prompt> prompts;
    if (options.examples) {
        for (const auto example : kExamples) prompts.push_back({std::string(example), {}});
        return prompts;
    }
    if (options.file.empty())
        return fail(ErrorCode::invalid,
                    "give a file with a prompt on each line, `-` for the standard input, or --examples");
    std::ifstream file;
    const auto in = open_input(options.file, file);
    if (!in) return fail(in.error());
    bool first = true;
    for (std::string line; next_line(**in, line);) {
        const auto text = trim(std::exchange(first, false) ? without_byte_order_mark(line) : line);
        if (text.empty() && line.size() <= kMostOfPrompt) continue;
        if (prompts.size() == kMostPrompts)
            return fail(ErrorCode::invalid,
                        fmt::format("{} has more than {} prompts; split it", options.file, kMostPrompts));
        if (line.size() > kMostOfPrompt)
            return fail(ErrorCode::invalid,
                        fmt::format("prompt {} of {} is too long; a prompt may have {} bytes at most",
                                    prompts.size() + 1, options.file, kMostOfPrompt));
        prompts.push_back(prompt_from(text));
    }
    if (prompts.empty())
        return fail(ErrorCode::invalid, fmt::format("{} has no prompt; write one on each line", options.file));
    return prompts;
}

Result<std::vector<Column>> columns_of(const Globals& globals, const config::Config& config, const routing::Table& own,
                                       const std::vector<std::string>& presets) {
    if (presets.empty())
        return std::vector<Column>{{config.policy.preset.empty() ? "your rules" : config.policy.preset, own}};
    std::vector<Column> columns;
    for (const auto& preset : presets) {
        if (config::preset_text(preset).empty())
            return fail(ErrorCode::not_found, fmt::format("no preset '{}'{}", printable(preset, 40),
                                                          suggest(preset, config::preset_names())));
        const auto other = config::parse(fmt::format("policy: {{ preset: {} }}", preset), {}, globals.environment);
        if (!other) return fail(other.error());
        columns.push_back({preset, own});
        columns.back().table.rules = other->policy.rules;
    }
    return columns;
}

std::string_view kind_of(const Row& row) {
    return routing::kWorkKindNames[static_cast<std::size_t>(row.inputs.features.work.kind)];
}

std::string place_of(const routing::Decision& decision) {
    if (decision.eligible == 0) return "nowhere";
    const auto& first = decision.candidates.front();
    return fmt::format("{} ({})", first.model, name_of(first.zone));
}

Result<std::vector<Row>> decide_all(DryRuns& runs, const std::vector<Prompt>& prompts,
                                    const std::vector<Column>& columns) {
    std::vector<Row> rows;
    for (const auto& prompt : prompts) {
        auto run = prompt.body.empty() ? runs.run(prompt.text) : runs.run_body(prompt.body);
        if (!run) return fail(run.error().code, fmt::format("prompt {}: {}", rows.size() + 1, run.error().message));
        Row row{rows.size(), prompt.text, std::move(run->inputs), {}};
        for (const auto& column : columns) {
            auto decision = routing::decide(column.table, row.inputs);
            if (!decision) return fail(decision.error());
            row.decisions.push_back(std::move(*decision));
        }
        rows.push_back(std::move(row));
    }
    return rows;
}

// Of one column: how many of a kind go where.
struct Share {
    std::size_t local = 0, cloud = 0, nowhere = 0;
    void count(const routing::Decision& decision) {
        if (decision.eligible == 0) return void(++nowhere);
        ++(decision.candidates.front().zone == Zone::local ? local : cloud);
    }
};

std::map<std::string_view, std::vector<Share>> shares_of(const std::vector<Row>& rows, std::size_t columns) {
    std::map<std::string_view, std::vector<Share>> shares;
    for (const auto& row : rows)
        for (const auto kind : {kind_of(row), std::string_view("all")}) {
            auto& of_kind = shares[kind];
            of_kind.resize(columns);
            for (std::size_t i = 0; i < columns; ++i) of_kind[i].count(row.decisions[i]);
        }
    return shares;
}

void print_json(const std::vector<Row>& rows, const std::vector<Column>& columns, bool offline) {
    json::Writer out;
    out.begin_object().member("offline", offline).key("prompts").begin_array();
    for (const auto& row : rows) {
        const auto& work = row.inputs.features.work;
        out.begin_object().member("prompt", row.prompt).member("kind", kind_of(row));
        out.raw_member("sure", fmt::format("{:.3f}", work.sure)).member("difficulty", work.difficulty);
        out.member("label", name_of(row.inputs.label)).key("telling").begin_array();
        for (const auto& word : work.telling) out.value(word);
        out.end_array().key("policies").begin_object();
        for (std::size_t i = 0; i < columns.size(); ++i) {
            const auto& decision = row.decisions[i];
            out.key(columns[i].name).begin_object();
            if (decision.eligible > 0) {
                const auto& first = decision.candidates.front();
                out.member("model", first.model).member("provider", first.provider).member("zone", name_of(first.zone));
                out.raw_member("quality", fmt::format("{:.4f}", first.terms.quality));
                out.raw_member("cost", fmt::format("{:.6f}", first.terms.cost));
            }
            out.member("rule", decision.rule).member("sentence", decision.sentence()).end_object();
        }
        out.end_object().end_object();
    }
    out.end_array().key("shares").begin_object();
    for (const auto& [kind, shares] : shares_of(rows, columns.size())) {
        out.key(kind).begin_object();
        for (std::size_t i = 0; i < columns.size(); ++i)
            out.key(columns[i].name)
                .begin_object()
                .member("local", shares[i].local)
                .member("cloud", shares[i].cloud)
                .member("nowhere", shares[i].nowhere)
                .end_object();
        out.end_object();
    }
    out.end_object().end_object();
    fmt::print("{}\n", out.text());
}

// One line, without what acts on a terminal or turns the direction of writing, cut between characters.
std::string shown_prompt(std::string_view prompt) {
    constexpr std::size_t kMostLooked = kShown * 8;
    TerminalFilter filter;
    std::string safe, out;
    filter.feed(prompt.substr(0, kMostLooked), safe);
    filter.finish(safe);
    std::size_t characters = 0;
    for (std::size_t at = 0; at < safe.size(); ++at) {
        const bool begins = (static_cast<unsigned char>(safe[at]) & 0xC0) != 0x80;
        if (begins && ++characters > kShown) return out + "...";
        out += safe[at] == '\n' || safe[at] == '\t' ? ' ' : safe[at];
    }
    return prompt.size() > kMostLooked ? out + "..." : out;
}

// By the kind, then from light to hard.
void print_text(std::vector<Row> rows, const std::vector<Column>& columns, bool offline) {
    std::ranges::sort(rows, {}, [](const Row& row) {
        return std::tuple(row.inputs.features.work.kind, row.inputs.features.work.difficulty, row.place);
    });
    std::size_t width = 16;
    for (const auto& row : rows)
        for (const auto& decision : row.decisions) width = std::max(width, place_of(decision).size());
    fmt::print("{:<10} {:>4}  ", "kind", "hard");
    for (const auto& column : columns) fmt::print("{:<{}} {:>5}  ", column.name, width, "good");
    fmt::print("prompt\n");
    for (const auto& row : rows) {
        fmt::print("{:<10} {:>4}  ", kind_of(row), row.inputs.features.work.difficulty);
        for (const auto& decision : row.decisions)
            fmt::print("{:<{}} {:>5}  ", place_of(decision), width,
                       decision.eligible == 0 ? "-" : fmt::format("{:.2f}", decision.candidates.front().terms.quality));
        fmt::print("{}{}\n", shown_prompt(row.prompt),
                   row.inputs.label == Label::public_ ? "" : fmt::format("  [{}]", name_of(row.inputs.label)));
    }
    fmt::print("\n");
    const auto shares = shares_of(rows, columns.size());
    for (std::size_t i = 0; i < columns.size(); ++i) {
        const auto& all = shares.at("all")[i];
        fmt::print("{}: {} of {} stay home, {} go to the cloud{}\n", columns[i].name, all.local, rows.size(), all.cloud,
                   all.nowhere > 0 ? fmt::format(", {} may go nowhere", all.nowhere) : "");
    }
    fmt::print(
        "hard: difficulty, 0 to 100; good: how likely the answer of that model is good. One prompt in detail: tandem "
        "explain --dry-run 'PROMPT'\n");
    if (offline) fmt::print("no server answers, so health, budgets, earlier labels and feedback are not considered\n");
}

int try_prompts(const Globals& globals, const config::Config& config, const Options& options) {
    const auto prompts = prompts_of(options);
    if (!prompts) {
        const int code = report(globals, prompts.error());
        return options.file.empty() ? kUsage : code;
    }
    DryRuns runs(config, globals.environment, options.asked);
    const auto columns = columns_of(globals, config, runs.table(), options.presets);
    if (!columns) return report(globals, columns.error());
    const auto rows = decide_all(runs, *prompts, *columns);
    if (!rows) return report(globals, rows.error());
    if (globals.json)
        print_json(*rows, *columns, runs.offline());
    else
        print_text(*rows, *columns, runs.offline());
    return kOk;
}

}  // namespace

int try_examples(const Globals& globals, const config::Config& config) {
    Options options;
    options.examples = true;
    options.asked.by_config = true;
    return try_prompts(globals, config, options);
}

void add_route_try(CLI::App& group, Globals& globals, Action& action) {
    auto options = std::make_shared<Options>();
    auto* command = group.add_subcommand("try", "Where each line of a file would go now, and why; nothing is run");
    command->add_option("file", options->file,
                        "A prompt on each line, or JSON with `prompt` or `messages`; - for the standard input");
    command->add_flag("--examples", options->examples, "A dozen prompts of different kinds in place of a file");
    command->add_option("--preset", options->presets,
                        "Decide by this preset in place of your policy; several are shown side by side");
    command->add_option("-a,--alias", options->asked.alias, "The alias that is asked for")->capture_default_str();
    command->add_option("-l,--label", options->asked.label, "The label of all prompts; detectors may raise it");
    add_stakes(*command, options->asked.stakes, "high: as if `x-tandem-stakes` said so");
    command->callback([&, options] {
        action = [&globals, options] {
            const auto config = globals.load();
            if (!config) return report(globals, config.error());
            return try_prompts(globals, *config, *options);
        };
    });
}

}  // namespace tandem::cli
