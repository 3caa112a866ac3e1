// The decision: which models may take a request, in which order, and why.
//
// decide() is a pure function of a Table (from the config) and Inputs (of one request). Both go into the ledger as
// JSON, so that each decision can be made again from its record: the same inputs give the same decision.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/label.h"
#include "base/result.h"
#include "catalog/models.h"
#include "config/config.h"
#include "ledger/prices/tariff.h"
#include "routing/features.h"
#include "routing/prior.h"

namespace tandem::routing {

// What of the config a decision depends on.
struct Table {
    struct Entry {
        std::string model;
        std::string provider;
        Zone zone = Zone::local;
        Label clearance = Label::public_;
        std::int64_t context_tokens = 0;  // 0: not claimed
        std::optional<config::Capabilities> capabilities;
        prices::Tariff price;
        std::optional<double> quality;       // the owner's word
        std::int64_t max_output_tokens = 0;  // the most that it answers with; 0: not claimed
        std::optional<Strength> strength;    // what is known of it before its first answer; nullopt: in old records
        config::AutoUse auto_use = config::AutoUse::yes;
        // Its server counts a prompt exactly before it is sent, so only what cannot fit is excluded by an estimate.
        bool counts_tokens = false;
        // Which measurement decides over the owner's claim, for people; empty: none does.
        std::string context_by = {}, tools_by = {};
        // Tools go into its prompt and not to its chat template; nullopt: nobody has measured, so as its owner says.
        std::optional<bool> renders_tools = {};
    };
    std::vector<Entry> models;
    std::vector<config::Alias> aliases;
    std::vector<config::Rule> rules;
    config::Objective objective;
    config::Treatments treatments;

    const Entry* find(std::string_view model) const;
};

// What is known of a model's file that its name does not say.
using FileFacts = std::function<ModelFacts(const config::Model&)>;
// What the config alone says of a model: its name and where it runs.
ModelFacts facts_of(const config::Config& config, const config::Model& model);
// What a model costs.
using PriceOf = std::function<prices::Tariff(const config::Model&)>;
// What the config alone says of that: the owner's price; else nothing.
prices::Tariff owners_price(const config::Model& model);
// What was measured of a model goes before what is claimed of it; empty: nothing was.
Table table_of(const config::Config& config, const FileFacts& file_facts = {}, const PriceOf& price_of = owners_price,
               const catalog::MeasuredOf& measured_of = {});
std::string to_json(const Table& table);
// Errors: invalid.
Result<Table> table_from_json(const json::Value& value);

// What is known of a model at the moment; as a reason not to use it, or empty.
struct Standing {
    std::string model;
    std::string unhealthy;
    std::string over_budget;
    config::OnBudget on_budget = config::OnBudget::cheaper;  // what the budget wants then; not part of the record
    std::string unpriced = {};                               // why the owner keeps it back: nobody knows its price
    std::optional<prices::Tariff> price = {};                // of what the client named, where the model is a pattern
    std::int64_t wait_seconds = 0;                           // until its engine has room for it and is loaded
    bool empty() const {
        return unhealthy.empty() && over_budget.empty() && unpriced.empty() && !price && wait_seconds == 0;
    }
};

// What is expected of a model for one request.
struct Outlook {
    std::string model;
    double quality = 0;              // how likely its answer is good, 0 to 1
    double doubt = 0;                // one standard deviation of that
    double outcomes = 0;             // how many it was learned from, by weight
    double seconds = 0;              // until its answer to this kind of work is there, on average; 0: unknown
    std::int64_t answer_tokens = 0;  // of its answers to this kind of work, on average; 0: unknown
    std::int64_t warm_tokens = 0;    // of the prompt that its provider has seen a moment ago
    bool holds_state = false;        // the conversation has thoughts or calls that only its provider takes back
    bool holds_session = false;      // it answered the turn before, in a session in which tools are offered
};

// What answers of all models together took for one kind of work. A model that has answered none of it is expected to
// take as much, so that having no history makes no model dearer or faster than another.
struct Usual {
    double seconds = 0;              // on average; 0: unknown
    std::int64_t answer_tokens = 0;  // the same
};
// The length of an answer before any was seen, by what such work asks for: tokens, thoughts included.
std::int64_t usual_answer_tokens(WorkKind kind);

// What an experiment wants: a model comes first, where it and the one that it is compared with may both be asked.
struct Assigned {
    std::string experiment;
    std::string model;
    std::string other;  // empty: the experiment is over, and the model has won
    bool treatment = false;
    double share = 1;  // how likely the model was to be assigned
    bool operator==(const Assigned&) const = default;
};

struct Inputs {
    std::string alias;
    std::string key;
    std::string workflow;  // that it is a part of; empty: none is said
    Label label = Label::public_;
    // Of what remains when everything that detectors found is taken out, and the labels of what they found, as bits.
    Label rest = Label::public_;
    std::uint8_t found = 0;
    std::vector<std::string> label_reasons;
    config::Stakes stakes = config::Stakes::normal;
    Features features;
    std::vector<Standing> standing;  // only models that have something to say
    std::vector<Outlook> outlook;    // only models of which something is known
    Usual usual;                     // for the others
    std::string context;             // what of the owner's files is in it, as JSON: decides nothing; empty: nothing is
    std::optional<Assigned> assigned;
    double dice = 1;  // from 0 to 1, for the choice to try another model
};

std::string to_json(const Inputs& inputs);
// Errors: invalid.
Result<Inputs> inputs_from_json(const json::Value& value);

enum class Excluded { no, label, rule, capability, context, budget, health, blocked };
inline constexpr std::array<std::string_view, 8> kExcludedNames = {"",        "label",  "rule",   "capability",
                                                                   "context", "budget", "health", "blocked"};

// Expected utility and what it is made of, in the owner's currency: worth + lean - cost - wait - leaving.
struct Terms {
    double quality = 0.5;  // what it was reckoned with, 0 to 1
    double doubt = 0;
    double expected = 0;             // of its quality, before anything was learned
    double outcomes = 0;             // that were learned from, by weight
    double worth = 0;                // of a good answer, by how likely it is
    double lean = 0;                 // of the zone that the rule prefers
    double cost = 0;                 // as expected, with what the provider has in its cache
    double wait = 0;                 // seconds, at what a second costs
    double leaving = 0;              // of the model that has the conversation's thoughts and calls
    std::int64_t answer_tokens = 0;  // that `cost` was reckoned with
    double utility = 0;
    bool below_floor = false;
    bool operator==(const Terms&) const = default;
};

struct Candidate {
    std::string model;
    std::string provider;
    Zone zone = Zone::local;
    Excluded excluded = Excluded::no;
    std::string reason;           // why it is excluded, for people
    bool redacted = false;        // what the owner does not want its zone to see is taken out before it is asked
    Label seen = Label::public_;  // the label of what it gets
    int zone_score = 0;           // 1 where the rule prefers its zone
    Terms terms;                  // of its expected utility
    Money estimate;               // of the cost of prompt and answer, that of `estimated_tokens`; 0: price unknown
    std::size_t place = 0;        // in the owner's order
    std::int64_t context_tokens = 0;
    std::int64_t needed_tokens = 0;  // of prompt and answer, where they do not fit
    double propensity = 0;           // how likely it was to come first
    bool last_resort = false;        // its owner wants it only where no other model may
    std::string strength;            // where what is expected of it comes from, for people
    // Of the answer that `estimate` was reckoned with. Where the request is not `bounded`, the answer may have more.
    std::int64_t estimated_tokens = 0;
    bool bounded = false;           // a maximum was asked for, or the owner's policy sets one
    bool priced = true;             // its price is known
    bool refused_unpriced = false;  // excluded since it is not
    std::string measured = {};      // which measurements of it hold, for people; empty: none
    bool operator==(const Candidate&) const = default;
};

struct Decision {
    std::string rule;                   // its name
    std::string why;                    // the rule in words
    std::string work;                   // what kind of work the request is and how hard, for sentence()
    bool chosen = false;                // Tandem chose by expected utility; else the client or the owner's order did
    std::vector<Candidate> candidates;  // first those that may take it, in the order of use; then the excluded
    std::size_t eligible = 0;           // how many of them may
    bool fallback = true;               // whether the second may be used at all
    bool cascade = false;               // whether a local answer is checked, and asked for again where it fails
    std::string experiment;             // that it is part of
    bool treatment = false;             // and the arm
    bool explored = false;              // the first is not the one that promised most: it is tried, to learn
    config::Stakes stakes = config::Stakes::normal;
    bool operator==(const Decision&) const = default;

    // One sentence for people: what was chosen and why, and what was not.
    std::string sentence() const;
    // Where nothing may: what to tell the client, with amounts in `currency`. Codes: policy, unavailable, context,
    // over_budget.
    Error refusal(std::string_view currency = {}) const;
    // What the choice was made by, where another one would have been near; empty where it is plain.
    std::string comparison() const;
};

std::string to_json(const Decision& decision);

// What a model of this entry would see of the content.
struct View {
    Label label = Label::public_;  // of what is left
    bool redacted = false;         // something is taken out
    bool home = false;             // the owner wants it elsewhere
    bool blocked = false;          // the owner wants to be told instead
};
View view_of(const Table& table, Zone zone, const Inputs& inputs);

// Errors: not_found, for an alias that does not exist (with the nearest that does).
Result<Decision> decide(const Table& table, const Inputs& inputs);

// The most tokens that all that is sent can be: what is reserved in money for it.
Tokens most_input(const Features& features);
// What a request may use: the estimate of all that is sent, and the bounds of all its answers.
Usage worst_usage(const Table::Entry& entry, const Features& features);
// What it may cost at most, at the model's price, or at the one that a model of a pattern has by its name.
Money worst_cost(const Table::Entry& entry, const Features& features);
Money worst_cost(const Table::Entry& entry, const Features& features, const prices::Tariff& price);
// The tokens that one answer may have: what was asked for, else the bound that the owner's policy gives it under a
// budget, else answer_room().
std::int64_t answer_bound(const Table::Entry& entry, const Features& features);
// Whether that bound has to be set in the request, since the client set none.
bool needs_bound(const Table::Entry& entry, const Features& features);
// What a good answer is worth where so much depends on it, in the owner's currency.
double value_of_answer(const Table& table, config::Stakes stakes);
// Tokens of room for the answer: what was asked for, or 1,024 (under a budget, the policy's bound) but at most a
// quarter of the context.
std::int64_t answer_room(const Table::Entry& entry, const Features& features);
// The least of it with which a model may be asked: how much a client asks for is a wish, and 1,024 tokens (at most a
// quarter of the context) do.
std::int64_t least_room(const Table::Entry& entry, const Features& features);

// What is expected of each model for such a request, before anything was learned of it.
Expectations expectations(const Table& table, const Features& features);

// Whether there is more than one model that the alias may mean: else nothing is to be expected of any.
bool is_choice(const Table& table, const std::string& alias);

// The rule that fires; null: none does.
const config::Rule* rule_of(const Table& table, const Inputs& inputs);

// The names that a client may put into `model`, without those that patterns stand for.
std::vector<std::string> alias_names(const Table& table);

}  // namespace tandem::routing
