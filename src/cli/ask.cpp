// tandem ask: one question from the terminal, the answer as it comes, and a line that says where it came from.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <iterator>

#include "access/authenticate.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/remote.h"
#include "cli/streamed.h"
#include "cli/terminal.h"
#include "dialect/openai_chat.h"

namespace tandem::cli {

namespace {

struct Options {
    std::string prompt;
    std::string alias = "auto";
    std::string system;
    std::string label;
    std::string stakes;
    std::string key;
    std::vector<std::string> with;
    std::int64_t max_tokens = 0;
};

chat::Request request_of(const Options& options) {
    chat::Request request;
    request.stream = true;
    request.include_usage = true;
    if (options.max_tokens > 0) request.max_output_tokens = options.max_tokens;
    auto add = [&](chat::Role role, const std::string& text) {
        chat::Message message;
        message.role = role;
        message.parts.push_back({chat::TextPart{text}, {}});
        request.messages.push_back(std::move(message));
    };
    if (!options.system.empty()) add(chat::Role::system, options.system);
    add(chat::Role::user, options.prompt);
    return request;
}

int print_json(const Remote& remote, const Streamed& streamed) {
    auto answer = call(remote, {.path = "/tandem/v1/decisions/" + streamed.decision(), .headers = {}, .body = {}});
    json::Writer out;
    out.begin_object().member("answer", streamed.text());
    if (answer && answer->status == 200) out.raw_member("record", answer->body);
    out.end_object();
    fmt::print("{}\n", out.text());
    return kOk;
}

// The model that ships, and no other: who asks it may take it for what models can.
bool has_only_the_tiny_one(const config::Config& config) {
    return !config.models.empty() && std::ranges::all_of(config.models, [](const config::Model& model) {
        return model.file.find("smollm2-135m") != std::string::npos;
    });
}

int ask(const Globals& globals, Options options) {
    auto config = globals.load();
    if (!config) return report(globals, config.error());
    if (isatty(STDIN_FILENO) == 0) {
        std::string piped((std::istreambuf_iterator<char>(std::cin)), {});
        if (!trim(piped).empty()) options.prompt += (options.prompt.empty() ? "" : "\n\n") + piped;
    }
    if (options.prompt.empty()) {
        fmt::print(stderr, "tandem: there is nothing to ask; give a prompt, or pipe one in\n");
        return kUsage;
    }
    const Remote remote = remote_of(*config);
    RemoteRequest request{.method = "POST",
                          .path = "/v1/chat/completions",
                          .headers = {},
                          .body = dialect::openai_chat::encode_request(request_of(options), options.alias)};
    request.headers.add("content-type", "application/json");
    // Under that key's rules, or nobody's: not with all that the owner may do.
    request.headers.add(access::kActAs, options.key.empty() ? access::Principal::anonymous().id() : options.key);
    if (!options.label.empty()) request.headers.add("x-tandem-label", options.label);
    if (!options.stakes.empty()) request.headers.add("x-tandem-stakes", options.stakes);
    if (!options.with.empty()) request.headers.add("x-tandem-context", join(options.with, ","));

    const bool terminal = isatty(STDOUT_FILENO) != 0;
    Streamed streamed(!globals.json);
    auto answer = call(remote, std::move(request),
                       [&](const net::Fields& headers, std::string_view piece) { streamed.take(headers, piece); });
    if (!answer && !streamed.failed()) {
        if (!globals.json && !streamed.text().empty()) fmt::print("\n");
        std::fflush(stdout);
        report(globals, answer.error());
        return answer.error().code == ErrorCode::unavailable ? kUnreachable : kFailed;
    }
    if (answer && answer->status != 200) {
        print_warnings(answer->headers.get("x-tandem-warnings"));
        report(globals, error_of(*answer));
        return kFailed;
    }
    if (!globals.json && !streamed.text().ends_with('\n')) fmt::print("\n");
    std::fflush(stdout);
    print_warnings(streamed.warnings());
    if (!streamed.done()) return report(globals, {ErrorCode::upstream, streamed.error()});
    if (globals.json) return print_json(remote, streamed);
    if (terminal) print_record(remote, streamed.decision(), *config);
    if (terminal && has_only_the_tiny_one(*config))
        fmt::print(
            stderr,
            "the embedded model is tiny, and its answers are poor: `tandem model suggest` names some that fit this "
            "machine\n");
    return kOk;
}

}  // namespace

void add_ask(CLI::App& app, Globals& globals, Action& action) {
    auto* command = app.add_subcommand("ask", "Ask one question; the answer streams to the terminal");
    auto options = std::make_shared<Options>();
    command->add_option("prompt", options->prompt, "The question; what is piped in is added to it");
    command->add_option("-a,--alias", options->alias, "Alias or model: auto, local, cloud, private, ...");
    command->add_option("-s,--system", options->system, "System prompt");
    command->add_option("-l,--label", options->label, "public, internal, private or secret; may only raise");
    command
        ->add_option("-w,--with", options->with, "A collection of your files in which it is looked for; several times")
        ->allow_extra_args(false);
    command->add_option("-k,--key", options->key, "Name of the key under whose rules and budget it is asked");
    add_stakes(*command, options->stakes, "high: worth the best model");
    command->add_option("--max-tokens", options->max_tokens, "Bound of the answer")->check(CLI::PositiveNumber);
    command->callback([&, options] { action = [&globals, options] { return ask(globals, *options); }; });
}

}  // namespace tandem::cli
