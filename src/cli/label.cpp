// tandem label: the owner's word on how private a conversation is.
#include <fmt/format.h>

#include "base/json.h"
#include "cli/cli.h"
#include "cli/remote.h"

namespace tandem::cli {

namespace {

struct Asked {
    std::string conversation, key, reason, label = "public";
};

void print_released(const Asked& asked, const std::string& body) {
    fmt::print(
        "{} is {} from now on: what was found in it then, wherever it stands. Whatever else comes is looked at as "
        "ever. It "
        "is recorded: tandem audit list\n",
        asked.conversation, asked.label);
    json::Document document;
    if (document.parse(body) && !document.root()["whole"].boolean().value_or(true))
        fmt::print("more was found in it than can be released at once: the rest counts as before\n");
}

int release(const Globals& globals, const Asked& asked) {
    auto config = globals.load();
    if (!config) return report(globals, config.error());
    json::Writer out;
    out.begin_object().member(asked.conversation.starts_with("dec_") ? "decision" : "conversation", asked.conversation);
    if (!asked.key.empty()) out.member("key", asked.key);
    out.member("reason", asked.reason).member("label", asked.label).end_object();
    int code = kOk;
    const auto answer =
        ask(globals, *config,
            {.method = "POST", .path = "/tandem/v1/labels/release", .headers = {}, .body = out.take()}, code);
    if (!answer) return code;
    if (globals.json)
        fmt::print("{}\n", answer->body);
    else
        print_released(asked, answer->body);
    return kOk;
}

struct Forgetting {
    std::string key, reason;
    bool all = false;
};

int forget(const Globals& globals, const Forgetting& asked) {
    auto config = globals.load();
    if (!config) return report(globals, config.error());
    json::Writer out;
    out.begin_object();
    if (asked.all)
        out.member("all", true);
    else
        out.member("key", asked.key);
    out.member("reason", asked.reason).end_object();
    int code = kOk;
    const auto answer =
        ask(globals, *config, {.method = "POST", .path = "/tandem/v1/labels/forget", .headers = {}, .body = out.take()},
            code);
    if (!answer) return code;
    if (globals.json)
        fmt::print("{}\n", answer->body);
    else
        fmt::print(
            "the labels that conversations of {} have had are forgotten; what they hold is looked at as ever. It is "
            "recorded: tandem audit list\n",
            asked.all ? "all keys" : asked.key);
    return kOk;
}

}  // namespace

void add_label(CLI::App& app, Globals& globals, Action& action) {
    auto* group = app.add_subcommand("label", "How private a conversation is");
    group->require_subcommand(1);
    auto* command = group->add_subcommand(
        "release", "Lower the label of a conversation as it is now: on your word, on record, and for good");
    auto asked = std::make_shared<Asked>();
    command
        ->add_option("conversation", asked->conversation,
                     "Its last decision (x-tandem-decision, dec_...), or what its client calls it "
                     "(x-tandem-conversation)")
        ->required();
    command->add_option("--reason", asked->reason, "Why, for the record")->required();
    command->add_option("--key", asked->key, "Whose conversation it is, where it is named by its client's name");
    command->add_option("--to", asked->label, "public (the default), internal or private");
    command->callback([&, asked] { action = [&globals, asked] { return release(globals, *asked); }; });

    auto* drop = group->add_subcommand("forget",
                                       "Forget which labels the conversations of a key have had, so that its memory "
                                       "has room again: on your word, and on record");
    auto forgetting = std::make_shared<Forgetting>();
    auto* key = drop->add_option("--key", forgetting->key, "Whose conversations; 'anonymous' where there are no keys");
    auto* all = drop->add_flag("--all", forgetting->all, "Those of all keys, and of earlier versions");
    key->excludes(all);
    drop->add_option("--reason", forgetting->reason, "Why, for the record")->required();
    drop->callback([&, forgetting] { action = [&globals, forgetting] { return forget(globals, *forgetting); }; });
}

}  // namespace tandem::cli
