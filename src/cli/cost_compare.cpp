// tandem cost compare: what the work on record would cost with each set of models.
#include <fmt/format.h>

#include "advice/compare.h"
#include "cli/advice_input.h"

namespace tandem::cli {

namespace {

int compare(const Globals& globals, const AdviceOptions& options) {
    int code = kOk;
    const auto input = read_advice_input(globals, options, code);
    if (!input) return code;
    const auto comparison = advice::compare(input->situation);
    fmt::print("{}", globals.json ? advice::as_json(input->situation, comparison) + "\n"
                                  : advice::as_text(input->situation, comparison));
    return kOk;
}

}  // namespace

void add_cost_compare(CLI::App& group, Globals& globals, Action& action) {
    auto* command =
        group.add_subcommand("compare", "What the recorded work would cost with each set of models, and what it gives");
    auto options = std::make_shared<AdviceOptions>();
    add_advice_options(*command, *options);
    command->callback(
        [&globals, &action, options] { action = [&globals, options] { return compare(globals, *options); }; });
}

}  // namespace tandem::cli
