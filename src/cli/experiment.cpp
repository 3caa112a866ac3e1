// tandem experiment: start, status, stop and apply experiments, and vote on their pairs.
#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/remote.h"

namespace tandem::cli {

namespace {

constexpr const char* kPath = "/tandem/v1/experiments";

// Sends it, and prints the answer by `print`, or as it is with --json.
int send(const Globals& globals, const std::string& method, const std::string& path, std::string body,
         const std::function<void(const json::Value&)>& print) {
    auto config = globals.load();
    if (!config) return report(globals, config.error());
    int code = kOk;
    const auto answer =
        ask(globals, *config, {.method = method, .path = path, .headers = {}, .body = std::move(body)}, code);
    if (!answer) return code;
    json::Document document;
    if (globals.json || !document.parse(answer->body))
        fmt::print("{}\n", answer->body);
    else
        print(document.root());
    return kOk;
}

void print_one(const json::Value& e) {
    const auto definition = e["definition"];
    fmt::print("{} ({}, {}): {} against {}, by {}\n", e["name"].text(), definition["kind"].text(), e["state"].text(),
               definition["treatment"].text(), definition["control"].text(), definition["metric"].text());
    for (const auto* arm : {"control", "treatment"}) {
        const auto mean = e[arm]["mean"].text();
        fmt::print("  {:<10} {:<28} {:>7}{}\n", arm, e[arm]["model"].text(), e[arm]["count"].text(),
                   mean.empty() ? "" : fmt::format("   mean {}", mean));
    }
    if (const auto judge = e["judge"]; judge.is(json::Kind::object)) {
        fmt::print("  judge      {} wins, {} ties, {} losses of the treatment; {} without a verdict\n",
                   judge["wins"].text(), judge["ties"].text(), judge["losses"].text(), judge["unclear"].text());
        if (const auto kappa = judge["kappa"].text(); !kappa.empty())
            fmt::print("  agreement  kappa {} over {} of your votes\n", kappa, judge["votes"].text());
        else
            fmt::print("  agreement  not known: {} of your votes are on pairs that it compared\n",
                       judge["votes"].text());
    }
    if (const auto spent = e["spent_besides"].text(); !spent.empty())
        fmt::print("  besides    {} spent on answers that nobody saw\n", spent);
    if (const auto applied = e["applied"].text(); !applied.empty()) fmt::print("  applied    {}\n", applied);
    fmt::print("  {}\n", e["verdict"].text());
}

struct Start {
    std::string name, kind = "ab", control, treatment, metric, judge, rubric;
    std::vector<std::string> aliases;
    double share = 0, budget = 0;
    std::int64_t minimum = 0;
};

int start(const Globals& globals, const Start& s) {
    json::Writer out;
    out.begin_object().member("name", s.name).member("kind", s.kind);
    out.member("control", s.control).member("treatment", s.treatment);
    if (s.share > 0) out.raw_member("share", fmt::format("{}", s.share));
    if (!s.aliases.empty()) {
        out.key("aliases").begin_array();
        for (const auto& alias : s.aliases) out.value(alias);
        out.end_array();
    }
    if (!s.metric.empty()) out.member("metric", s.metric);
    if (!s.judge.empty()) out.member("judge", s.judge);
    if (!s.rubric.empty()) out.member("rubric", s.rubric);
    if (s.minimum > 0) out.member("minimum", s.minimum);
    if (s.budget > 0) out.raw_member("budget", fmt::format("{:.6f}", s.budget));
    return send(globals, "POST", kPath, out.end_object().take(), [&](const json::Value&) {
        fmt::print("{} runs; `tandem experiment status {}` shows what it finds\n", s.name, s.name);
    });
}

int status(const Globals& globals, const std::string& name) {
    if (!name.empty()) return send(globals, "GET", fmt::format("{}/{}", kPath, name), "", print_one);
    return send(globals, "GET", kPath, "", [](const json::Value& all) {
        for (const auto e : all["experiments"].children()) print_one(e);
        if (all["experiments"].size() == 0)
            fmt::print("there is no experiment; `tandem experiment start --help` shows how to begin one\n");
    });
}

int pairs(const Globals& globals, const std::string& name) {
    return send(globals, "GET", fmt::format("{}/{}/pairs", kPath, name), "", [&](const json::Value& all) {
        for (const auto pair : all["pairs"].children()) {
            if (pair["voted"].boolean() == true) continue;
            fmt::print("== pair {}\n{}\n-- answer 1\n{}\n-- answer 2\n{}\n\n", pair["number"].text(),
                       printable(pair["question"].text(), 2000), printable(pair["answer_1"].text(), 4000),
                       printable(pair["answer_2"].text(), 4000));
        }
        fmt::print("`tandem experiment vote {} PAIR 1|2|tie` says which is better\n", name);
    });
}

}  // namespace

void add_experiment(CLI::App& app, Globals& globals, Action& action) {
    auto* group = app.add_subcommand("experiment", "Compare two models on your own traffic");
    group->require_subcommand(1);

    auto s = std::make_shared<Start>();
    auto* begin = group->add_subcommand("start", "Begin one; it survives restarts");
    begin->add_option("name", s->name, "What to call it")->required();
    begin->add_option("--control", s->control, "The model that you have")->required();
    begin->add_option("--treatment", s->treatment, "The model that may be better")->required();
    begin->add_option("--kind", s->kind,
                      "ab: each conversation gets one of them; shadow: the treatment is asked besides, unseen; pairs: "
                      "both are asked, and a judge compares");
    begin->add_option("--metric", s->metric, "feedback, judge, checks, cost or latency");
    begin->add_option("--share", s->share, "Of conversations for the treatment, or of requests with a shadow");
    begin->add_option("--alias", s->aliases, "About requests for this alias (default: auto); may be repeated");
    begin->add_option("--judge", s->judge, "The model that compares");
    begin->add_option("--rubric", s->rubric, "What makes an answer better, in your words");
    begin->add_option("--minimum", s->minimum, "Of each, before anything is said of the difference (default: 30)");
    begin->add_option("--budget", s->budget, "Money a day for what is asked besides");
    begin->callback([&, s] { action = [&globals, s] { return start(globals, *s); }; });

    auto name = std::make_shared<std::string>();
    auto* show = group->add_subcommand("status", "What they have shown so far; look as often as you like");
    show->add_option("name", *name, "This one only");
    show->callback([&, name] { action = [&globals, name] { return status(globals, *name); }; });

    auto* stop = group->add_subcommand("stop", "End it; what it has measured stays");
    stop->add_option("name", *name)->required();
    stop->callback([&, name] {
        action = [&globals, name] {
            return send(globals, "POST", fmt::format("{}/{}/stop", kPath, *name), "{}",
                        [&](const json::Value&) { fmt::print("{} has ended\n", *name); });
        };
    });

    auto arm = std::make_shared<std::string>();
    auto* apply = group->add_subcommand("apply", "Use the better model from now on; `stop` takes that back");
    apply->add_option("name", *name)->required();
    apply->add_option("--arm", *arm, "control or treatment, where no difference was found");
    apply->callback([&, name, arm] {
        action = [&globals, name, arm] {
            json::Writer out;
            out.begin_object();
            if (!arm->empty()) out.member("arm", *arm);
            return send(globals, "POST", fmt::format("{}/{}/apply", kPath, *name), out.end_object().take(),
                        [&](const json::Value& done) {
                            fmt::print("from now on {} answers, where it may\n", done["model"].text());
                        });
        };
    });

    auto* list = group->add_subcommand("pairs", "Pairs of answers to vote on; which is whose is not told");
    list->add_option("name", *name)->required();
    list->callback([&, name] { action = [&globals, name] { return pairs(globals, *name); }; });

    auto pair = std::make_shared<std::int64_t>(0);
    auto better = std::make_shared<std::string>();
    auto* vote = group->add_subcommand("vote", "Say which answer of a pair is better");
    vote->add_option("name", *name)->required();
    vote->add_option("pair", *pair)->required();
    vote->add_option("better", *better, "1, 2 or tie")->required()->check(CLI::IsMember({"1", "2", "tie"}));
    vote->callback([&, name, pair, better] {
        action = [&globals, name, pair, better] {
            json::Writer out;
            out.begin_object().member("pair", *pair).member("better", *better).end_object();
            return send(globals, "POST", fmt::format("{}/{}/vote", kPath, *name), out.take(),
                        [](const json::Value&) { fmt::print("noted\n"); });
        };
    });
}

}  // namespace tandem::cli
