// tandem chat: a conversation in the terminal, or through a pipe.
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>

#include "access/authenticate.h"
#include "base/json.h"
#include "base/label.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/interrupts.h"
#include "cli/line.h"
#include "cli/remote.h"
#include "cli/streamed.h"
#include "cli/terminal.h"
#include "dialect/openai_chat.h"

namespace tandem::cli {

namespace {

constexpr milliseconds kReachTime{3'000};

struct Options {
    std::string alias = "auto";
    std::string system;
    std::string label;
    std::string key;
};

constexpr std::string_view kHelp =
    "  /model NAME   ask this alias or model from now on; alone, it lists them\n"
    "  /label LABEL  public, internal, private or secret for all that follows; it may only raise what is found\n"
    "  /new          begin a new conversation\n"
    "  + or -        say that the last answer was good or bad: the next ones go where they are good\n"
    "  /help, /quit  Ctrl-C stops an answer; at an empty line, twice, it ends the chat, as Ctrl-D does\n"
    "  A line that ends with \\ goes on in the next; one that shall begin with / begins with //.\n";

class Chat {
  public:
    Chat(const config::Config& config, Options options)
        : config_(config), remote_(remote_of(config)), options_(std::move(options)) {
        begin_anew();
    }

    int run() {
        listen_for_interrupts({SIGINT});
        if (reader_.edits())
            print_dim(fmt::format("{} at {}; /help says what you can do here", options_.alias, remote_.url));
        while (true) {
            bool stopped = false;
            auto line = next_message(stopped);
            if (stopped) {
                // The first one may have been meant for an answer that had just ended.
                if (warned_) break;
                if (line && !trim(*line).empty()) continue;
                warned_ = true;
                if (reader_.edits()) print_dim("Ctrl-C once more, Ctrl-D or /quit ends the chat");
                continue;
            }
            warned_ = false;
            if (!line || !take(*line)) break;
        }
        return code_;
    }

  private:
    // With the lines that a "\" at the end joins.
    std::optional<std::string> next_message(bool& stopped) {
        const auto prompt =
            options_.label.empty() ? options_.alias + "> " : fmt::format("{} {}> ", options_.alias, options_.label);
        forget_interrupts();
        auto line = reader_.read(prompt, stopped);
        stopped = stopped || (!line && is_interrupted());
        while (line && !stopped && line->ends_with('\\')) {
            line->back() = '\n';
            const auto more = reader_.read("... ", stopped);
            if (!more) break;
            *line += *more;
        }
        return line;
    }

    // False to end.
    bool take(const std::string& line) {
        const auto text = trim(line);
        if (text.empty()) return true;
        if (text == "+" || text == "-") {
            give_feedback(text == "+");
            return true;
        }
        if (text.starts_with("//")) {
            ask(std::string(text.substr(1)));
        } else if (text.starts_with('/')) {
            return command(text.substr(1));
        } else {
            ask(line);
        }
        return true;
    }

    bool command(std::string_view text) {
        const auto blank = std::min(text.find(' '), text.size());
        const auto name = text.substr(0, blank);
        const std::string value(trim(text.substr(blank)));
        if (name == "quit" || name == "exit" || name == "q") return false;
        if (name == "help")
            say(kHelp);
        else if (name == "new")
            begin_anew();
        else if (name == "model")
            choose_model(value);
        else if (name == "label")
            choose_label(value);
        else
            refuse_command(name);
        return true;
    }

    void refuse_command(std::string_view name) {
        static const std::vector<std::string> names{"help", "label", "model", "new", "quit"};
        const auto near = nearest(name, names);
        complain(fmt::format("there is no /{}{}; /help lists what there is", printable(name, 40),
                             near.empty() ? std::string() : fmt::format("; did you mean /{}?", near)));
    }

    void choose_model(const std::string& value) {
        if (!value.empty()) {
            options_.alias = value;
            return;
        }
        std::string names = "auto local cloud private";
        for (const auto& alias : config_.aliases) names += " " + alias.id;
        for (const auto& model : config_.models) names += " " + model.id;
        say(fmt::format("now {}; there are: {}\n", options_.alias, names));
    }

    void choose_label(const std::string& value) {
        if (value.empty()) {
            say(fmt::format("now {}\n", options_.label.empty() ? "what is found" : options_.label));
        } else if (std::ranges::find(kLabelNames, value) == kLabelNames.end()) {
            complain(fmt::format("'{}' is no label: public, internal, private, secret", printable(value, 40)));
        } else {
            options_.label = value;
        }
    }

    void begin_anew() {
        request_ = {};
        request_.stream = true;
        request_.include_usage = true;
        decision_.clear();
        if (!options_.system.empty()) add(chat::Role::system, options_.system);
    }

    void add(chat::Role role, std::string text) {
        chat::Message message;
        message.role = role;
        message.parts.push_back({chat::TextPart{std::move(text)}, {}});
        request_.messages.push_back(std::move(message));
    }

    void ask(std::string text) {
        add(chat::Role::user, std::move(text));
        RemoteRequest request{.method = "POST",
                              .path = "/v1/chat/completions",
                              .headers = {},
                              .body = dialect::openai_chat::encode_request(request_, options_.alias),
                              .stopped = is_interrupted};
        request.headers.add("content-type", "application/json");
        // Under that key's rules, or nobody's: not with all that the owner may do.
        request.headers.add(access::kActAs, options_.key.empty() ? access::Principal::anonymous().id() : options_.key);
        if (!options_.label.empty()) request.headers.add("x-tandem-label", options_.label);
        Streamed streamed(true);
        forget_interrupts();
        const QuietTerminal quiet;
        const auto answer = call(remote_, std::move(request), [&](const net::Fields& headers, std::string_view piece) {
            streamed.take(headers, piece);
        });
        if (!streamed.text().empty() && !streamed.text().ends_with('\n')) fmt::print("\n");
        std::fflush(stdout);
        settle(streamed, answer);
    }

    // What is kept of the conversation: all that was seen, and nothing that got no answer.
    void settle(const Streamed& streamed, const Result<RemoteAnswer>& answer) {
        if (is_interrupted()) {
            warned_ = true;
            print_dim("stopped");
        } else if (!answer) {
            complain(streamed.failed() ? streamed.error() : answer.error().message);
        } else if (answer->status != 200) {
            print_warnings(answer->headers.get("x-tandem-warnings"));
            complain(error_message(*answer));
        } else if (!streamed.done()) {
            complain(streamed.error());
        }
        if (streamed.text().empty() && !(answer && answer->status == 200 && streamed.done())) {
            request_.messages.pop_back();
            return;
        }
        add(chat::Role::assistant, streamed.text());
        decision_ = streamed.decision();
        print_warnings(streamed.warnings());
        if (!isatty(STDERR_FILENO)) return;
        print_record(remote_, decision_, config_);
    }

    void give_feedback(bool good) {
        if (decision_.empty()) return complain("there is no answer yet to say that of");
        json::Writer out;
        out.begin_object().member("decision", decision_).member("outcome", good ? "good" : "bad").end_object();
        const auto answer =
            call(remote_, {.method = "POST", .path = "/tandem/v1/feedback", .headers = {}, .body = out.take()});
        if (!answer) return complain(answer.error().message);
        if (answer->status != 200) return complain(error_message(*answer));
        if (isatty(STDERR_FILENO) != 0) print_dim(fmt::format("noted: {} was {}", decision_, good ? "good" : "bad"));
    }

    static void say(std::string_view text) {
        std::fwrite(text.data(), 1, text.size(), stderr);
        std::fflush(stderr);
    }

    void complain(const std::string& text) {
        if (!reader_.edits()) code_ = kFailed;  // a script is told at the end
        say(fmt::format("tandem: {}\n", text));
    }

    const config::Config& config_;
    Remote remote_;
    Options options_;
    LineReader reader_;
    chat::Request request_;
    std::string decision_;  // of the last answer
    bool warned_ = false;   // one more Ctrl-C ends it
    int code_ = kOk;
};

int run_chat(const Globals& globals, const Options& options) {
    const auto config = globals.load();
    if (!config) return report(globals, config.error());
    if (!options.label.empty() && std::ranges::find(kLabelNames, options.label) == kLabelNames.end()) {
        report(globals, {ErrorCode::invalid, fmt::format("--label: '{}' is no label: public, internal, private, secret",
                                                         printable(options.label, 40))});
        return kUsage;
    }
    int code = kOk;
    if (!ask(globals, *config, {.path = "/readyz", .headers = {}, .body = {}, .timeout = kReachTime}, code))
        return code;
    return Chat(*config, options).run();
}

}  // namespace

void add_chat(CLI::App& app, Globals& globals, Action& action) {
    auto* command = app.add_subcommand("chat", "Talk with the models; each answer says where it came from and why");
    auto options = std::make_shared<Options>();
    command->add_option("-a,--alias", options->alias, "Alias or model: auto, local, cloud, private, ...");
    command->add_option("-s,--system", options->system, "System prompt");
    command->add_option("-l,--label", options->label, "public, internal, private or secret; may only raise");
    command->add_option("-k,--key", options->key, "Name of the key under whose rules and budget it is asked");
    command->callback([&, options] { action = [&globals, options] { return run_chat(globals, *options); }; });
}

}  // namespace tandem::cli
