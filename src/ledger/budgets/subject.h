// What an attempt is on account of: what budgets and limits are about.
#pragma once

#include <string>

#include "base/label.h"
#include "config/budget.h"

namespace tandem::ledger {

struct Subject {
    std::string key = {};    // id of the principal
    std::string team = {};   // empty: none
    std::string owner = {};  // of the key; empty: nobody is said
    std::string workflow = {};
    std::string alias = {};  // what the client asked by, as the client wrote it
    Label label = Label::public_;
    std::string provider = {};
    std::string model = {};
};

// Whether what `subject` spends counts against a budget of this scope, the alias left out: a scope has it as the config
// writes it, and a subject as the client does.
bool counts(const config::BudgetScope& scope, const Subject& subject);

// "the key 'alice'", "the team 'lab' at the provider 'openai'"; "the whole system" for an empty scope.
std::string text_of(const config::BudgetScope& scope);

}  // namespace tandem::ledger
