// What an experiment has shown so far.
#pragma once

#include <optional>
#include <string>

#include "config/experiment.h"
#include "experiment/records.h"
#include "experiment/statistics.h"

namespace tandem::experiment {

struct Report {
    Record record;
    config::Experiment definition;
    std::size_t trials = 0;
    // Of each: conversations, or, where two answers to one question are compared, questions.
    std::size_t control = 0, treatment = 0;
    double control_mean = 0, treatment_mean = 0;
    std::optional<Interval> effect;  // treatment minus control; 95 % at all times at once
    bool enough = false;             // the minimum is reached
    int better = 0;                  // 1: the treatment is, -1: the control; 0: no difference found
    std::size_t wins = 0, ties = 0, losses = 0, unclear = 0;  // of the treatment, by the judge
    std::size_t votes = 0;                                    // of the owner's, on pairs that the judge compared
    std::optional<double> agreement;                          // kappa of both
    double spent_besides =
        0;                // on answers that nobody saw; the judge's part is under the experiment's key in the ledger
    std::string verdict;  // in a sentence
};

// Errors: storage, invalid.
Result<Report> report(store::Database& database, const Record& record, config::Experiment definition);
std::string to_json(const Report& report);

}  // namespace tandem::experiment
