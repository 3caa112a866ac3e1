#include "cli/advice_input.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>

#include "base/text.h"
#include "base/world.h"
#include "cli/input.h"

namespace tandem::cli {

namespace {

Result<advice::Profile> open_profile(const std::string& name) {
    const auto text = read_profile_file(name, "docs/concepts/compare.md");
    if (!text) return fail(text.error());
    return advice::read_profile(*text, std::filesystem::path(name).filename().string());
}

// One line of the terminal; nullopt at its end.
std::optional<std::string> answer_to(const std::string& question, std::string_view usual) {
    fmt::print("{} [{}]: ", question, usual);
    std::fflush(stdout);
    std::array<char, 200> line{};
    if (std::fgets(line.data(), static_cast<int>(line.size()), stdin) == nullptr) return std::nullopt;
    const auto said = trim(std::string_view(line.data()));
    return std::string(said.empty() ? usual : said);
}

// The answers as a profile: the same words, bounds and errors as a file's.
std::optional<Result<advice::Profile>> profile_by_questions() {
    fmt::print("Nothing is on record yet. What would the work be? (Enter takes what stands in brackets)\n");
    struct Question {
        const char* key;
        const char* text;
        const char* usual;
    };
    constexpr std::array kQuestions = {
        Question{"kind", "Kind of work (talk, transform, facts, code, reasoning, planning, writing, tools, document)",
                 "code"},
        Question{"requests_per_day", "Requests a day", "100"},
        Question{"input_tokens", "Tokens of a prompt", "2000"},
        Question{"output_tokens", "Tokens of an answer", "500"},
        Question{"private", "Share of it that is private, 0 to 1", "0"},
        Question{"arrivals", "When they come (steady, office, bursts)", "office"}};
    std::string text = "work:\n  - {";
    for (const auto& question : kQuestions) {
        const auto said = answer_to(question.text, question.usual);
        if (!said) return std::nullopt;
        // As a plain word of YAML it is read as a file would have it, and is complained of where it is none.
        std::string plain = *said;
        std::erase_if(
            plain, [](char c) { return std::string_view("{}[],:#&*!|>'\"%@`\\").find(c) != std::string_view::npos; });
        text += fmt::format("{}{}: {}", question.key == kQuestions.front().key ? "" : ", ", question.key, plain);
    }
    return advice::read_profile(text + "}\n", "answers");
}

int usage_code(const Globals& globals, const Error& error) {
    const int code = report(globals, error);
    return error.code == ErrorCode::invalid ? kUsage : code;
}

}  // namespace

void add_advice_options(CLI::App& command, AdviceOptions& options) {
    command.add_option("--since", options.asked.since, "Work from then on: 24h, 7d, a date; 30 days by default");
    command.add_option("--until", options.asked.until, "The first moment that no longer counts; now by default");
    command
        .add_option("--with", options.asked.with,
                    "Models of the price book to look at besides: openai/gpt-5.1-mini, ...")
        ->delimiter(',')
        ->take_all();
    command.add_option("--profile", options.profile,
                       "A file that describes work in place of the record, and machines to buy");
}

std::optional<AdviceInput> read_advice_input(const Globals& globals, const AdviceOptions& options, int& code) {
    auto config = globals.load();
    if (!config) {
        code = report(globals, config.error());
        return {};
    }
    AdviceInput input{std::move(*config), nullptr, {}, {}};
    if (!options.profile.empty()) {
        auto profile = open_profile(options.profile);
        if (!profile) {
            code = usage_code(globals, profile.error());
            return {};
        }
        input.profile = std::move(*profile);
    }
    std::optional<Error> no_ledger;
    if (auto database = open_ledger(input.config))
        input.database = std::move(*database);
    else if (database.error().code == ErrorCode::not_found)
        no_ledger = database.error();
    else {
        code = report(globals, database.error());
        return {};
    }
    const auto now = unix_ms(system_clock()->wall());
    const auto read = [&] {
        return advice::read_situation(input.database.get(), input.config, options.asked,
                                      input.profile ? &*input.profile : nullptr, now);
    };
    auto situation = read();
    const bool asks = !globals.json && isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0;
    if (!situation && situation.error().code == ErrorCode::not_found && asks) {
        auto said = profile_by_questions();
        if (said && !*said) {
            code = usage_code(globals, said->error());
            return {};
        }
        if (said) {
            if (input.profile) (**said).hardware = std::move(input.profile->hardware);
            input.profile = std::move(**said);
            situation = read();
        }
    }
    if (!situation) {
        code = usage_code(globals, situation.error());
        return {};
    }
    input.situation = std::move(*situation);
    return input;
}

}  // namespace tandem::cli
