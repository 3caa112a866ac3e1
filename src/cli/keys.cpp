// tandem keys: keys that are made, changed and revoked while the server runs.
#include <fmt/format.h>

#include <cctype>
#include <memory>

#include "api/explain.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time_text.h"
#include "cli/cli.h"
#include "cli/remote.h"

namespace tandem::cli {

namespace {

struct Asked {
    std::string name, team, owner, label, most, expires, overlap;
    std::vector<std::string> aliases, dialects, budgets;
    std::int64_t rpm = 0, tpm = 0, concurrency = 0;
    bool admin = false, metrics = false;
};

constexpr milliseconds kLongest = std::chrono::years(100);

// "90d" from now, or a date as it is. Errors: invalid.
Result<std::string> expiry_from(const std::string& text) {
    if (time_from(text)) return text;
    const auto span = span_from(text);
    if (!span || span->count() <= 0 || *span > kLongest)
        return fail(ErrorCode::invalid,
                    fmt::format("--expires: expected 90d, 12w, 24h or 2027-01-31, got '{}'", printable(text, 40)));
    return api::time_text(unix_ms(system_clock()->wall() + *span));
}

// "24h" in seconds. Errors: invalid.
Result<std::int64_t> overlap_from(const std::string& text) {
    const auto span = span_from(text);
    if (!span || *span > kLongest)
        return fail(ErrorCode::invalid,
                    fmt::format("--overlap: expected 30m, 24h or 7d, got '{}'", printable(text, 40)));
    return std::chrono::duration_cast<seconds>(*span).count();
}

// "5/day", "100/month" or, in tokens, "200000t/day". Errors: invalid.
Result<> write_budget(json::Writer& out, const std::string& text) {
    const auto slash = text.find('/');
    auto amount = text.substr(0, slash);
    const auto window = slash == std::string::npos ? std::string("day") : text.substr(slash + 1);
    const bool tokens = amount.ends_with("t");
    if (tokens) amount.pop_back();
    const auto count = whole_number(amount);
    if (amount.empty() || (tokens && !count) || (!tokens && !Money::parse(amount)))
        return fail(ErrorCode::invalid,
                    fmt::format("--budget: expected an amount and its window such as 5/day, 100/month or, in tokens, "
                                "200000t/day, got '{}'",
                                printable(text, 40)));
    out.begin_object();
    if (tokens)
        out.member("tokens", static_cast<std::int64_t>(*count));
    else
        out.member("limit", amount);
    out.member("window", window).end_object();
    return {};
}

void write_list(json::Writer& out, std::string_view name, const std::vector<std::string>& values) {
    if (values.empty()) return;
    out.key(name).begin_array();
    for (const auto& value : values) out.value(value);
    out.end_array();
}

Result<std::string> settings_of(const Asked& asked) {
    json::Writer out;
    out.begin_object();
    const auto text = [&](std::string_view name, const std::string& value) {
        if (!value.empty()) out.member(name, value);
    };
    text("team", asked.team);
    text("owner", asked.owner);
    text("label", asked.label);
    text("most", asked.most);
    if (asked.admin) out.member("admin", true);
    if (asked.metrics) out.member("metrics", true);
    write_list(out, "aliases", asked.aliases);
    write_list(out, "dialects", asked.dialects);
    if (!asked.expires.empty()) {
        auto expires = expiry_from(asked.expires);
        if (!expires) return fail(expires.error());
        out.member("expires", *expires);
    }
    if (!asked.budgets.empty()) {
        out.key("budgets").begin_array();
        for (const auto& budget : asked.budgets)
            if (auto ok = write_budget(out, budget); !ok) return fail(ok.error());
        out.end_array();
    }
    if (asked.rpm > 0 || asked.tpm > 0 || asked.concurrency > 0) {
        out.key("limits").begin_object();
        if (asked.rpm > 0) out.member("rpm", asked.rpm);
        if (asked.tpm > 0) out.member("tpm", asked.tpm);
        if (asked.concurrency > 0) out.member("concurrency", asked.concurrency);
        out.end_object();
    }
    out.end_object();
    return out.take();
}

// The answer's body; the exit code where there is none.
std::optional<std::string> send(const Globals& globals, std::string_view method, const std::string& path,
                                std::string body, int& code) {
    auto config = globals.load();
    if (!config) {
        code = report(globals, config.error());
        return {};
    }
    auto answer = ask(globals, *config,
                      {.method = std::string(method), .path = path, .headers = {}, .body = std::move(body)}, code);
    if (!answer) return {};
    return std::move(answer->body);
}

// A name has no character that a path would have to escape; another one is nobody's.
std::string path_of(const std::string& name, std::string_view action = {}) {
    std::string safe;
    for (const char c : name)
        safe += std::isgraph(static_cast<unsigned char>(c)) != 0 && c != '?' && c != '%' ? c : '_';
    return fmt::format("/tandem/v1/keys/{}{}", safe, action);
}

// The secret alone goes to stdout, so that a script can take it.
void print_secret(const Globals& globals, const std::string& body, std::string_view what) {
    json::Document document;
    if (globals.json || !document.parse(body)) {
        fmt::print("{}\n", body);
        return;
    }
    fmt::print(stderr, "{}; this is the only time that its secret is shown:\n", what);
    fmt::print("{}\n", document.root()["secret"].text());
}

int create(const Globals& globals, const Asked& asked) {
    auto settings = settings_of(asked);
    if (!settings) return report(globals, settings.error());
    json::Writer out;
    out.begin_object().member("name", asked.name).raw_member("settings", *settings).end_object();
    int code = kOk;
    const auto body = send(globals, "POST", "/tandem/v1/keys", out.take(), code);
    if (!body) return code;
    print_secret(globals, *body, fmt::format("the key '{}' is made and counts from now on", asked.name));
    return kOk;
}

int rotate(const Globals& globals, const Asked& asked) {
    json::Writer out;
    out.begin_object();
    if (!asked.overlap.empty()) {
        const auto seconds = overlap_from(asked.overlap);
        if (!seconds) return report(globals, seconds.error());
        out.member("overlap_seconds", *seconds);
    }
    if (!asked.expires.empty()) {
        const auto expires = expiry_from(asked.expires);
        if (!expires) return report(globals, expires.error());
        out.member("expires", *expires);
    }
    out.end_object();
    int code = kOk;
    const auto body = send(globals, "POST", path_of(asked.name, "/rotate"), out.take(), code);
    if (!body) return code;
    print_secret(globals, *body,
                 asked.overlap.empty()
                     ? fmt::format("the key '{}' has a new secret, and the old one counts no more", asked.name)
                     : fmt::format("the key '{}' has a new secret, and the old one counts for {} more", asked.name,
                                   asked.overlap));
    return kOk;
}

int revoke(const Globals& globals, const Asked& asked) {
    int code = kOk;
    const auto body = send(globals, "DELETE", path_of(asked.name), {}, code);
    if (!body) return code;
    if (globals.json)
        fmt::print("{}\n", *body);
    else
        fmt::print("the key '{}' is revoked: it opens nothing from now on; what it did stays in the ledger\n",
                   asked.name);
    return kOk;
}

std::string joined(const json::Value& list) {
    std::vector<std::string> texts;
    for (const auto one : list.children()) texts.emplace_back(one.text());
    return texts.empty() ? "all" : join(texts, " ");
}

int list(const Globals& globals) {
    int code = kOk;
    const auto body = send(globals, "GET", "/tandem/v1/keys", {}, code);
    if (!body) return code;
    json::Document document;
    if (globals.json || !document.parse(*body)) {
        fmt::print("{}\n", *body);
        return kOk;
    }
    fmt::print("{:<20} {:<12} {:<12} {:<14} {:<10} {:<20} {:<22} {}\n", "key", "from", "team", "owner", "label",
               "aliases", "expires", "budgets");
    for (const auto key : document.root()["keys"].children()) {
        std::vector<std::string> budgets;
        for (const auto budget : key["budgets"].children())
            budgets.push_back(budget["limit"].exists()
                                  ? fmt::format("{} {}", budget["limit"].text(), budget["window"].text())
                                  : fmt::format("{} tokens {}", budget["tokens"].text(), budget["window"].text()));
        std::string note;
        if (key["revoked"].exists()) note = fmt::format("revoked on {}", key["revoked"].text());
        if (key["left_out"].exists()) note = fmt::format("LEFT OUT: {}", key["left_out"].text());
        if (key["old_secret_until"].exists())
            budgets.push_back(fmt::format("(its old secret counts until {})", key["old_secret_until"].text()));
        const auto team = key["team"].text(), expires = key["expires"].text();
        const auto owner = key["owner"].text();
        fmt::print("{:<20} {:<12} {:<12} {:<14} {:<10} {:<20} {:<22} {}\n", key["name"].text(), key["from"].text(),
                   team.empty() ? "-" : team, owner.empty() ? "-" : owner, key["label"].text(),
                   note.empty() ? joined(key["aliases"]) : "-", expires.empty() ? "never" : expires,
                   note.empty() ? join(budgets, ", ") : note);
    }
    return kOk;
}

}  // namespace

void add_keys(CLI::App& app, Globals& globals, Action& action) {
    auto* group = app.add_subcommand("keys", "Keys of people and programs, made while the server runs");
    group->require_subcommand(1);
    auto asked = std::make_shared<Asked>();

    auto* make = group->add_subcommand("create", "Make a key; its secret is shown once");
    make->add_option("name", asked->name, "What the ledger calls it")->required();
    make->add_option("--team", asked->team, "One of `teams:` of tandem.yaml, whose budgets and limits count as well");
    make->add_option("--owner", asked->owner, "Who answers for it: a name that reports and budgets know its keys by");
    make->add_option("--label", asked->label, "At least this label for all that it sends");
    make->add_option("--most", asked->most, "Refuse what has a higher label than this");
    make->add_option("--alias", asked->aliases, "An alias or model that it may ask; all where none is named");
    make->add_option("--dialect", asked->dialects,
                     "openai-chat, openai-responses, anthropic, gemini or ollama; all where none is named");
    make->add_option("--budget", asked->budgets, "5/day, 100/month or, in tokens, 200000t/day");
    make->add_option("--rpm", asked->rpm, "Requests in 60 seconds")->check(CLI::PositiveNumber);
    make->add_option("--tpm", asked->tpm, "Tokens in 60 seconds")->check(CLI::PositiveNumber);
    make->add_option("--concurrency", asked->concurrency, "Requests at once")->check(CLI::PositiveNumber);
    make->add_option("--expires", asked->expires, "90d, 12w, 24h or 2027-01-31");
    make->add_flag("--admin", asked->admin, "May read decisions, cost and engines of everybody, and make keys");
    make->add_flag("--metrics", asked->metrics, "May read /metrics, and nothing else");
    make->callback([&globals, &action, asked] { action = [&globals, asked] { return create(globals, *asked); }; });

    group->add_subcommand("list", "All keys, of tandem.yaml and of the store")->callback([&globals, &action] {
        action = [&globals] { return list(globals); };
    });

    auto* renew = group->add_subcommand("rotate", "Give a key a new secret");
    renew->add_option("name", asked->name, "Of the key")->required();
    renew->add_option("--overlap", asked->overlap, "How long the old secret counts as well: 30m, 24h or 7d");
    renew->add_option("--expires", asked->expires, "90d, 12w, 24h or 2027-01-31");
    renew->callback([&globals, &action, asked] { action = [&globals, asked] { return rotate(globals, *asked); }; });

    auto* end = group->add_subcommand("revoke", "End a key at once");
    end->add_option("name", asked->name, "Of the key")->required();
    end->callback([&globals, &action, asked] { action = [&globals, asked] { return revoke(globals, *asked); }; });
}

}  // namespace tandem::cli
