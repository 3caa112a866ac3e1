#include "routing/work.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <ranges>

#include "base/text.h"
#include "chat/answer.h"
#include "routing/work_aside.h"
#include "routing/work_clues.h"
#include "routing/work_demands.h"
#include "routing/work_shape.h"
#include "routing/work_units.h"
#include "routing/work_words.h"

namespace tandem::routing {

namespace {

#include "routing/work_weights.inc"

constexpr std::size_t kKinds = kWorkKindNames.size();
constexpr std::size_t kHarder = kKinds;  // the column of a row that adds to difficulty

std::size_t index_of(WorkKind kind) {
    return static_cast<std::size_t>(kind);
}

// ---- the model ----

struct Column {
    std::string_view shown;  // a word of the vocabulary or the name of a sign; empty: not shown
    float value = 0;
    std::size_t row = 0;
};

// What people read for a sign; empty where the sign tells nobody anything.
std::string_view shown_sign(Sign sign) {
    switch (sign) {
        case Sign::tiny:
        case Sign::few:
            return "short message";
        case Sign::many:
        case Sign::very_many:
            return "long message";
        case Sign::inserted_long:
        case Sign::inserted_huge:
            return "long text to work on";
        case Sign::numbers:
            return "numbers";
        case Sign::formula:
        case Sign::latex:
            return "formulas";
        case Sign::code:
        case Sign::much_code:
            return "code";
        case Sign::trace:
            return "stack trace";
        case Sign::table:
            return "table";
        case Sign::bullets:
        case Sign::parts:
        case Sign::verbs:
            return "several demands";
        case Sign::long_asked:
        case Sign::longer_asked:
            return "long answer asked for";
        case Sign::little_asked:
            return "short answer asked for";
        case Sign::choices:
            return "answers to choose from";
        default:
            return {};
    }
}

// The columns that are not zero, in the order of work_weights.inc: concepts, first verbs, signs, pairs.
std::vector<Column> columns_of(const Clues& clues) {
    std::vector<Column> columns;
    std::size_t row = 0;
    auto add = [&](std::string_view shown, float value) {
        if (value != 0) columns.push_back({shown, value, row});
        ++row;
    };
    const auto word = [&](std::size_t i) { return vocabulary().word(clues.words[i]); };
    for (std::size_t i = 0; i < clues.concepts.size(); ++i) add(word(i), clues.concepts[i]);
    for (std::size_t i = 0; i < clues.leads.size(); ++i)
        if (concepts()[i].role != Concept::Role::word) add(word(i), clues.leads[i]);
    for (std::size_t i = 0; i < kSigns; ++i) add(shown_sign(static_cast<Sign>(i)), clues.signs[i]);
    for (const auto value : clues.pairs) add({}, value);
    return columns;
}

struct Judged {
    std::array<double, kKinds> sure{};  // probabilities
    double difficulty = 0;
    std::vector<std::string> telling;
    std::size_t kind() const { return static_cast<std::size_t>(std::ranges::max_element(sure) - sure.begin()); }
};

std::array<double, kKinds> probabilities(const std::vector<Column>& columns) {
    std::array<double, kKinds> sure{};
    for (const auto& column : columns)
        for (std::size_t k = 0; k < kKinds; ++k) sure[k] += column.value * kColumnWeights[column.row][k];
    const double most = *std::ranges::max_element(sure);
    double sum = 0;
    for (auto& one : sure) sum += one = std::exp(one - most);
    for (auto& one : sure) one /= sum;
    return sure;
}

// The words and signs that speak most for the kind and for the difficulty, each once.
std::vector<std::string> telling_of(const std::vector<Column>& columns, std::size_t kind) {
    std::vector<std::pair<double, std::string_view>> by_weight;
    for (const auto& [shown, value, row] : columns) {
        if (shown.empty()) continue;
        const auto& weights = kColumnWeights[row];
        const double says = value * (std::max(0.F, weights[kind]) + std::abs(weights[kHarder]) / 12);
        const auto known = std::ranges::find(by_weight, shown, &std::pair<double, std::string_view>::second);
        if (known != by_weight.end())
            known->first += says;
        else
            by_weight.emplace_back(says, shown);
    }
    std::ranges::sort(by_weight, [](const auto& a, const auto& b) {
        return a.first != b.first ? a.first > b.first : a.second < b.second;
    });
    constexpr std::size_t kMost = 5;
    constexpr double kLeast = 0.25;
    std::vector<std::string> telling;
    for (const auto& [says, shown] : by_weight)
        if (says >= kLeast && telling.size() < kMost) telling.emplace_back(shown);
    return telling;
}

Judged judge(const Clues& clues) {
    Judged judged;
    const auto columns = columns_of(clues);
    judged.sure = probabilities(columns);
    double harder = 0;
    for (const auto& column : columns) harder += column.value * kColumnWeights[column.row][kHarder];
    for (std::size_t k = 0; k < kKinds; ++k)
        judged.difficulty += judged.sure[k] * (kKindBase[k] + kKindScale[k] * harder);
    judged.difficulty = std::clamp(judged.difficulty, 0.0, 100.0);
    judged.telling = telling_of(columns, judged.kind());
    return judged;
}

// ---- the request ----

// Of what a user wrote, without what agents put before it.
std::string user_text(const chat::Message& message) {
    constexpr auto kAdded = std::to_array<std::string_view>({"<system-reminder>", "<environment_context>",
                                                             "<user_instructions>", "<local-command", "<command-",
                                                             "<environment_details>", "# AGENTS.md instructions"});
    std::string text;
    for (const auto& part : message.parts) {
        const auto* one = part.as<chat::TextPart>();
        if (one == nullptr) continue;
        const auto begin = trim(std::string_view(one->text).substr(0, 256));
        if (std::ranges::any_of(kAdded, [&](auto added) { return begin.starts_with(added); })) continue;
        if (!text.empty()) text += "\n\n";
        text += one->text;
    }
    return text;
}

std::int64_t document_tokens(const chat::Message& message) {
    std::int64_t bytes = 0;
    for (const auto& part : message.parts)
        if (const auto* document = part.as<chat::DocumentPart>())
            bytes += static_cast<std::int64_t>(document->text.size() + document->media.data.size() / 2) + 8000;
    return bytes / 4;
}

struct Turns {
    const chat::Message* last = nullptr;    // of the user, with text
    const chat::Message* before = nullptr;  // the user's message before that
    const chat::Message* answer = nullptr;  // the assistant's before `last`
    bool tool_results = false;              // after `last`
    std::size_t user_turns = 0;
    std::string system;  // its beginning and its end
    std::size_t system_bytes = 0;
};

Turns turns_of(const chat::Request& request) {
    Turns turns;
    for (const auto& message : std::views::reverse(request.messages)) {
        if (message.role == chat::Role::tool) turns.tool_results |= turns.last == nullptr;
        if (message.role == chat::Role::assistant && turns.last != nullptr && turns.before == nullptr &&
            turns.answer == nullptr)
            turns.answer = &message;
        if (message.role != chat::Role::user) continue;
        const bool has_text = std::ranges::any_of(message.parts, [](const auto& part) {
            return part.template as<chat::TextPart>() != nullptr || part.template as<chat::DocumentPart>() != nullptr;
        });
        if (!has_text) continue;
        ++turns.user_turns;
        if (turns.last == nullptr)
            turns.last = &message;
        else if (turns.before == nullptr)
            turns.before = &message;
    }
    for (const auto& message : request.messages) {
        if (message.role != chat::Role::system && message.role != chat::Role::developer) continue;
        const auto text = chat::text_of(message.parts);
        turns.system_bytes += text.size();
        if (turns.system.size() < kCluesHead) (turns.system += text.substr(0, kCluesHead)) += "\n\n";
    }
    return turns;
}

// Names of tools by which agents that write code work.
bool is_agents_tool(std::string_view name) {
    constexpr auto kNames = std::to_array<std::string_view>({"bash",
                                                             "shell",
                                                             "local_shell",
                                                             "exec_command",
                                                             "edit",
                                                             "multiedit",
                                                             "write",
                                                             "read",
                                                             "glob",
                                                             "grep",
                                                             "apply_patch",
                                                             "str_replace_editor",
                                                             "str_replace_based_edit_tool",
                                                             "text_editor",
                                                             "run_terminal_cmd",
                                                             "run_in_terminal",
                                                             "read_file",
                                                             "write_file",
                                                             "edit_file",
                                                             "create_file",
                                                             "write_to_file",
                                                             "replace_in_file",
                                                             "apply_diff",
                                                             "execute_command",
                                                             "run_shell_command",
                                                             "run_command",
                                                             "search_files",
                                                             "list_files",
                                                             "task",
                                                             "todowrite",
                                                             "update_plan",
                                                             "codebase_search",
                                                             "insert_edit_into_file",
                                                             "replace_string_in_file",
                                                             "computer",
                                                             "terminal",
                                                             "execute_bash"});
    return std::ranges::find(kNames, lower(name)) != kNames.end();
}

bool is_agent(const chat::Request& request, const Turns& turns) {
    const auto tools = std::ranges::count_if(request.tools, [](const auto& tool) { return is_agents_tool(tool.name); });
    if (tools >= 2 || (tools == 1 && turns.system_bytes > 1500)) return true;
    constexpr auto kSaid =
        std::to_array<std::string_view>({"search/replace", "expert software developer", "software engineering task",
                                         "pair programm", "autonomous agent", "agentic", "coding assistant"});
    // Clients that always offer tools: without any, it is a small call of theirs beside the session.
    constexpr auto kWithTools =
        std::to_array<std::string_view>({"claude code", "codex cli", "coding agent", "interactive cli"});
    const auto system = lower(turns.system);
    const auto says = [&](auto said) { return system.contains(said); };
    // aider's, whose instructions are short where the whole file is asked for.
    constexpr auto kFirst =
        std::to_array<std::string_view>({"act as an expert software developer", "act as an expert architect engineer",
                                         "act as an expert code analyst"});
    if (std::ranges::any_of(kFirst, [&](auto said) { return system.starts_with(said); })) return true;
    if (turns.system_bytes <= 1200) return false;
    return std::ranges::any_of(kSaid, says) || (!request.tools.empty() && std::ranges::any_of(kWithTools, says));
}

bool asks_effort(const chat::Request& request) {
    constexpr std::int64_t kMuchThinking = 16'384;
    const auto& effort = request.thinking.effort;
    return effort == "high" || effort == "xhigh" || effort == "max" ||
           request.thinking.budget_tokens.value_or(0) >= kMuchThinking;
}

bool is_talk(const Clues& clues) {
    return clues.has("greeting") >= 0.5F || clues.has("thanks") >= 0.5F || clues.has("farewell") >= 0.5F ||
           clues.has("smalltalk") >= 0.5F || clues.has("device") >= 0.5F;
}

// What makes work hard, whatever else is asked for with it.
bool has_hard_words(const Clues& clues) {
    constexpr auto kNames = std::to_array<std::string_view>(
        {"implement", "debug", "systems", "engineering", "prove", "calculate", "mathematics", "logic", "plan", "design",
         "analyse", "diagnose", "advise", "legal", "thorough", "complex", "long_text", "roleplay", "step_by_step"});
    return std::ranges::any_of(kNames, [&](std::string_view name) { return clues.has(name) >= 0.4F; }) ||
           clues.sign(Sign::trace) > 0 || clues.sign(Sign::much_code) > 0 || clues.sign(Sign::long_asked) > 0;
}

// Short requests of a form that small models do well, of whatever they are: a line of shell, a plain explanation, a
// short message, ideas, a question whose answer stands in the text beside it.
bool is_light(const Clues& clues) {
    constexpr std::int64_t kFew = 24, kSome = 45, kPage = 600;
    const auto has = [&](std::string_view name) { return clues.has(name) >= 0.4F; };
    const bool asks = has("explain") || has("what_is") || has("compare") || clues.sign(Sign::asks) > 0;
    if (has_hard_words(clues) || clues.tokens > kPage) return false;
    if (has("document") && asks) return true;
    if (clues.tokens > kSome) return false;
    if (has("code_tiny") || (asks && has("simple")) || (has("write") && has("short_text"))) return true;
    if (clues.tokens > kFew || has("code_object") || has("code_language")) return false;
    return has("listing") || has("compare");
}

constexpr double kLight = 32;  // the difficulty of light work at most

class Reading {
  public:
    explicit Reading(const chat::Request& request) : request_(request), turns_(turns_of(request)) {}

    Work read() {
        const auto system = turns_.system.empty() ? Clues{} : clues_of(turns_.system);
        const bool agent = is_agent(request_, turns_);
        const bool task_is_known = !agent && turns_.system_bytes > 0 && turns_.system_bytes < 4000 &&
                                   system.led_by_transform && system.tokens < 1000;
        const std::string text = turns_.last != nullptr ? user_text(*turns_.last) : std::string();
        const auto clues = clues_of(text, task_is_known);
        const auto aside = aside_of({request_, system, turns_.system_bytes, clues, text, turns_.user_turns, agent});
        if (!aside.empty()) return {WorkKind::talk, 0.95, 3, {std::string(aside)}, true};
        if (!agent && !task_is_known && request_.tools.empty() && converts_units(text))
            return {WorkKind::talk, 0.95, 5, {"units"}};
        judged_ = judge(task_is_known ? system : clues);
        handed_in(clues);
        if (is_light(task_is_known ? system : clues)) at_most(kLight);
        if (!task_is_known) demanded(text, clues);
        documents(clues);
        inherit(clues);
        tools(agent, clues);
        much_asked(clues);
        show_as_written(text);
        return {static_cast<WorkKind>(judged_.kind()), judged_.sure[judged_.kind()],
                static_cast<int>(std::lround(std::clamp(judged_.difficulty, 0.0, 100.0))), std::move(judged_.telling)};
    }

  private:
    void tell(std::string_view what) {
        std::erase(judged_.telling, what);
        judged_.telling.insert(judged_.telling.begin(), std::string(what));
        constexpr std::size_t kMost = 5;
        if (judged_.telling.size() > kMost) judged_.telling.resize(kMost);
    }

    // The vocabulary is compared without accents: "extraç" is found in "extract", and shown as "extrac".
    void show_as_written(const std::string& text) {
        const auto written = lower(text);
        for (auto& word : judged_.telling)
            if (!written.contains(word)) word = folded(word);
    }

    void become(WorkKind kind, double sure) {
        for (auto& one : judged_.sure) one *= 1 - sure;
        judged_.sure[index_of(kind)] += sure;
    }

    void at_most(double difficulty) { judged_.difficulty = std::min(judged_.difficulty, difficulty); }
    void at_least(double difficulty) { judged_.difficulty = std::max(judged_.difficulty, difficulty); }

    // What is done with a text is more than talk, whatever words it is said in.
    void handed_in(const Clues& clues) {
        constexpr double kTransform = 24;
        if (!clues.handed_in || is_talk(clues)) return;
        become(WorkKind::transform, 0.7);
        at_least(kTransform);
    }

    // How small the demand of a sentence is; those that are small hide what is asked for behind them.
    static Small smallness(std::string_view sentence) {
        constexpr double kSmall = 12;
        constexpr std::int64_t kShortText = 6, kShortSentence = 24;
        if (tokens_of(sentence) > kShortSentence) return Small::no;
        const auto clues = clues_of(sentence);
        if (clues.led_by_transform)
            return clues.inserted_tokens > 0 && clues.inserted_tokens <= kShortText ? Small::transform : Small::no;
        if (demand_of(sentence) != Demand::none && clues.has("device") < 0.5F) return Small::no;
        if (!is_talk(clues) || judge(clues).difficulty > kSmall) return Small::no;
        return clues.has("device") >= 0.5F ? Small::command : Small::words;
    }

    // Of several demands the hardest counts, and a demand to prove or to design is hard in any words. Looks at a short
    // text whole and at the beginning of a long one, whose demands outweigh what stands before them.
    void demanded(std::string_view text, const Clues& clues) {
        constexpr std::size_t kMost = 800;  // bytes
        constexpr double kProof = 56, kDesign = 54;
        constexpr std::int64_t kLeast = 5;  // tokens: "prove it!" is talk
        if (judged_.difficulty >= kProof) return;
        const auto rest = text.size() <= kMost ? behind_small_demands(text, smallness) : text.substr(0, kMost);
        std::optional<Clues> behind;
        if (rest.size() < text.size() && text.size() <= kMost) {
            behind = clues_of(rest);
            auto other = judge(*behind);
            if (is_light(*behind)) other.difficulty = std::min(other.difficulty, kLight);
            if (other.difficulty > judged_.difficulty) {
                judged_ = std::move(other);
                tell("several demands");
            }
        }
        const auto& own = behind ? *behind : clues;
        if (own.led_by_transform || own.has("device") >= 0.5F || own.tokens < kLeast) return;
        const auto demand = demand_of(rest);
        if (demand == Demand::none) return;
        at_least(demand == Demand::prove ? kProof : kDesign);
        const auto kind = static_cast<WorkKind>(judged_.kind());
        if (kind == WorkKind::facts || kind == WorkKind::talk || kind == WorkKind::transform)
            become(demand == Demand::prove ? WorkKind::reasoning : WorkKind::planning, 0.7);
    }

    // A long text makes what is to be done with it work over a document: 40 at 2,500 tokens, 5 more for each doubling.
    void documents(const Clues& clues) {
        constexpr double kLong = 2500;
        std::int64_t tokens = clues.inserted_tokens;
        if (turns_.last != nullptr) tokens += document_tokens(*turns_.last);
        if (static_cast<double>(tokens) < kLong) return;
        const auto kind = static_cast<WorkKind>(judged_.kind());
        if (kind == WorkKind::code || kind == WorkKind::reasoning) return at_least(50);
        become(WorkKind::document, 0.7);
        at_least(std::min(62.0, 40 + 5 * std::log2(static_cast<double>(tokens) / kLong)));
        tell("long text to work on");
    }

    // "yes, do it" after a hard request is as hard as that was, nearly; "thanks" is not.
    void inherit(const Clues& clues) {
        if (turns_.before == nullptr || is_talk(clues)) return;
        constexpr std::int64_t kShort = 14;
        if (clues.tokens > kShort) return;
        const auto before = judge(clues_of(user_text(*turns_.before)));
        const bool asked = turns_.answer != nullptr && trim(chat::text_of(turns_.answer->parts)).ends_with('?');
        const bool goes_on = clues.has("proceed") > 0 || (clues.has("assent") > 0 && asked);
        const bool new_question = clues.led_by_transform || clues.has("what_is") > 0 || clues.leads_with("titling") > 0;
        if (!goes_on && (clues.has("assent") > 0 || new_question)) return;
        const double part = goes_on ? 0.9 : 0.75;
        if (before.difficulty * part <= judged_.difficulty) return;
        judged_.difficulty = before.difficulty * part;
        become(static_cast<WorkKind>(before.kind()), goes_on ? 0.8 : 0.5);
        tell("goes on with the request before");
    }

    void tools(bool agent, const Clues& clues) {
        if (agent) {
            constexpr double kAgent = 60;
            become(request_.tools.empty() ? WorkKind::code : WorkKind::tools, 0.85);
            at_least(kAgent);
            return tell("an agent's tools");
        }
        // What a provider would run is offered with every request of some clients, and tells nothing of this one.
        const bool offers =
            std::ranges::any_of(request_.tools, [](const auto& tool) { return tool.kind != chat::Tool::Kind::hosted; });
        if (!offers || request_.tool_choice.kind == chat::ToolChoice::Kind::none) return;
        if (turns_.tool_results) {
            become(WorkKind::tools, 0.8);
            at_least(40);
            return tell("tool results");
        }
        if (is_talk(clues) && clues.has("device") == 0) return;
        become(WorkKind::tools, 0.4);
        judged_.difficulty += 6;
        tell("tools");
    }

    void much_asked(const Clues& clues) {
        if (is_talk(clues)) return;
        if (asks_effort(request_)) {
            judged_.difficulty += 15;
            at_least(50);
            tell("high effort asked for");
        }
        constexpr std::size_t kManyTurns = 8;
        if (turns_.user_turns > kManyTurns) judged_.difficulty += 4;
        constexpr std::int64_t kLongAnswer = 8000;
        constexpr double kWorkLeast = 30;  // clients set a high bound whatever is asked
        if (request_.max_output_tokens.value_or(0) >= kLongAnswer && judged_.difficulty > kWorkLeast)
            judged_.difficulty += 2;
    }

    const chat::Request& request_;
    Turns turns_;
    Judged judged_;
};

}  // namespace

Work work_of(const chat::Request& request) {
    return Reading(request).read();
}

}  // namespace tandem::routing
