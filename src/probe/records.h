// What came of probes, as it is kept: each question the last time it was asked, and what the suites found.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "probe/suite.h"
#include "store/store.h"

namespace tandem::probe {

extern const char* const kProbesSchema;
extern const char* const kFindingsSchema;

// What came of one question, the last time it was asked.
struct Record {
    std::string model;
    std::string task;
    std::string kind;
    std::string identity;  // of the model that was asked, as the learner has it
    std::string decision;  // empty where none was made
    std::int64_t time = 0;
    std::int64_t milliseconds = 0;
    std::optional<bool> passed;  // nothing where it could not be asked
    std::string note;            // why not; or the beginning of a wrong answer
    std::string suite = "basics";
};
// Inside a transaction. One of the same model and task is replaced. Errors: storage.
Result<> put(store::Database& database, const Record& record);
// Of one model, or of all where it is empty; by model, suite and task. Errors: storage.
Result<std::vector<Record>> records(store::Database& database, const std::string& model);
// Those of a suite that begins anew. Errors: storage.
Result<> forget_records(store::Database& database, const std::string& model, const std::string& suite);

// A finding, of which model and when.
struct Found {
    std::string model;
    std::string suite;
    Finding finding;
    std::string identity;  // of the model that was asked
    std::int64_t seed = 0;
    std::int64_t time = 0;   // Unix milliseconds
    std::int64_t place = 0;  // among the findings of its suite
};
// Inside a transaction: what the suite found before goes. Errors: storage.
Result<> replace(store::Database& database, const std::string& model, const std::string& suite,
                 const std::vector<Found>& all);
// Of one model, or of all where it is empty; by model, suite and place. Errors: storage.
Result<std::vector<Found>> findings(store::Database& database, const std::string& model);
// Nothing is measured of the model any more. Errors: storage.
Result<> forget_findings(store::Database& database, const std::string& model);

}  // namespace tandem::probe
