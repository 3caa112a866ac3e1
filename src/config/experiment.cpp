#include "config/experiment.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "config/names.h"
#include "config/reader.h"

namespace tandem::config {

namespace {

constexpr std::size_t kLongestRubric = 4000;

void check_model(Section& s, const std::string& key, const std::string& model, const Config& config) {
    if (model.empty() || (config.model(model) != nullptr && !is_pattern(model))) return;
    std::vector<std::string> names;
    for (const auto& known : config.models) names.push_back(known.id);
    s.complain(key, fmt::format("no model '{}'{}", printable(model, 60), suggest(model, names)));
}

}  // namespace

Experiment read_experiment(const std::string& name, Section& s, const Config& config) {
    Experiment e;
    e.name = name;
    if (name.empty() || name.size() > 60 ||
        name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") !=
            std::string::npos)
        s.complain("an experiment's name has at most 60 letters, digits and . _ -");
    s.choice("kind", e.kind, kExperimentKindNames,
             "each conversation gets one of them, the treatment is asked besides, or both are asked and compared");
    if (e.kind == ExperimentKind::pairs) e.metric = Metric::judge;
    if (e.kind == ExperimentKind::shadow) e.metric = Metric::checks;
    s.text("control", e.control, About("the model that you have").required());
    s.text("treatment", e.treatment, About("the model that may be better").required());
    check_model(s, "control", e.control, config);
    check_model(s, "treatment", e.treatment, config);
    if (!e.control.empty() && e.control == e.treatment)
        s.complain("treatment", "the same model as the control: there is nothing to compare");
    s.share("share", e.share, 0.01, 1,
            "of conversations for the treatment, 0.99 at most, or of requests with a shadow");
    if (e.kind != ExperimentKind::shadow && e.share > 0.99) s.complain("share", "expected a number from 0.01 to 0.99");
    s.texts("aliases", e.aliases, "it is about requests for these");
    for (const auto& alias : e.aliases)
        if (!is_reserved(alias) && config.alias(alias) == nullptr)
            s.complain("aliases", fmt::format("no alias '{}': an experiment is about what may go to either model",
                                              printable(alias, 60)));
    s.choice("metric", e.metric, kMetricNames, {"what better means", "feedback; judge for pairs, checks for a shadow"});
    s.text("judge", e.judge, "the model that compares; needed with `metric: judge`");
    check_model(s, "judge", e.judge, config);
    s.text("rubric", e.rubric, "what makes an answer better, in your words; 4,000 bytes at most");
    if (e.rubric.size() > kLongestRubric) s.complain("rubric", fmt::format("longer than {} bytes", kLongestRubric));
    s.number("minimum", e.minimum, 10, 1'000'000, "of each, before anything is said of the difference");
    s.money("budget", e.budget, {"a day, for what is asked besides", "none"});
    if (e.kind == ExperimentKind::ab && e.metric == Metric::judge)
        s.complain("metric", "a judge compares two answers to one question: use `kind: pairs` or `kind: shadow`");
    if (e.kind != ExperimentKind::ab && e.metric == Metric::feedback)
        s.complain("metric", "nobody sees the second answer, so nobody says how it was: use `kind: ab`");
    if ((e.metric == Metric::judge) != !e.judge.empty())
        s.complain("judge", e.judge.empty() ? "say which model judges, such as `judge: gpt`"
                                            : "there is a judge only with `metric: judge`");
    return e;
}

Result<Experiment> parse_experiment(const std::string& name, const std::string& text, const Config& config) {
    Problems problems;
    problems.source = "experiment";
    Experiment experiment;
    // Nothing is taken from the environment: this comes over the network too.
    const Environment none = [](const std::string&) { return std::optional<std::string>(); };
    try {
        Section section(YAML::Load(text), "", problems, none);
        experiment = read_experiment(name, section, config);
    } catch (const YAML::Exception& error) {
        problems.add(error.mark, fmt::format("not valid: {}", error.msg));
    }
    if (!problems.lines.empty()) return fail(Fault::invalid_field, join(problems.lines, "\n"));
    return experiment;
}

std::string to_json(const Experiment& e) {
    json::Writer out;
    out.begin_object().member("kind", kExperimentKindNames[static_cast<std::size_t>(e.kind)]);
    out.member("control", e.control).member("treatment", e.treatment);
    out.raw_member("share", fmt::format("{}", e.share)).key("aliases").begin_array();
    for (const auto& alias : e.aliases) out.value(alias);
    out.end_array().member("metric", kMetricNames[static_cast<std::size_t>(e.metric)]);
    if (!e.judge.empty()) out.member("judge", e.judge);
    out.member("rubric", e.rubric).member("minimum", e.minimum);
    out.raw_member("budget", e.budget.text());
    return out.end_object().take();
}

}  // namespace tandem::config
