// tandem advise: which combination of models, rules and machines would be better for the work on record.
#include "advice/advise.h"

#include <fmt/format.h>

#include "base/file.h"
#include "cli/advise_apply.h"

namespace tandem::cli {

namespace {

struct Options : AdviceOptions {
    std::string html, apply;
    bool all = false, check = false, undo = false;
};

int advise(const Globals& globals, const Options& options) {
    if (options.check) return check_advice(globals);
    if (options.undo) return undo_advice(globals);
    int code = kOk;
    const auto input = read_advice_input(globals, options, code);
    if (!input) return code;
    const auto& situation = input->situation;
    const auto offers = input->profile ? input->profile->hardware : std::vector<advice::Offer>();
    const auto advice = advice::advise(situation, input->config, offers);
    if (!options.apply.empty()) return apply_advice(globals, *input, advice, options.apply);
    if (!options.html.empty()) {
        const auto page = advice::as_html(situation, advice, options.all);
        if (options.html == "-") {
            std::fwrite(page.data(), 1, page.size(), stdout);
            return kOk;
        }
        if (auto ok = write_private_file(options.html, page); !ok) return report(globals, ok.error());
        if (!globals.json) fmt::print("{} is written; open it in a browser\n", options.html);
        return kOk;
    }
    fmt::print("{}", globals.json ? advice::as_json(situation, advice, options.all) + "\n"
                                  : advice::as_text(situation, advice, options.all));
    return kOk;
}

}  // namespace

void add_advise(CLI::App& app, Globals& globals, Action& action) {
    auto* command =
        app.add_subcommand("advise", "Which models, rules and machines would be better for the work you do, and why");
    auto options = std::make_shared<Options>();
    add_advice_options(*command, *options);
    command->add_flag("--all", options->all, "Also what is dominated or not offered, and why");
    auto* html = command->add_option("--html", options->html,
                                     "Write a page with a picture to this file; - for the standard output");
    auto* apply = command->add_option("--apply", options->apply,
                                      "Write this one (its number or its name) into tandem.yaml, with a backup");
    auto* check =
        command->add_flag("--check", options->check, "What was predicted when advice was applied, and what came");
    auto* undo = command->add_flag("--undo", options->undo, "Put back the tandem.yaml of before advice was applied");
    apply->excludes(html)->excludes(check)->excludes(undo);
    check->excludes(undo)->excludes(html);
    undo->excludes(html);
    command->callback(
        [&globals, &action, options] { action = [&globals, options] { return advise(globals, *options); }; });
}

}  // namespace tandem::cli
