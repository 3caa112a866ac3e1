// Whom the owner wants to be told of budgets that fill up and of spending out of the ordinary, and how.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/money.h"
#include "base/secret.h"

namespace tandem::config {

struct Alerts {
    std::vector<int> at = {80, 100};               // percent of every budget, rising; empty: none
    std::string webhook;                           // URL; empty: none
    std::shared_ptr<const Secret> webhook_secret;  // never null; empty: calls are not signed
    bool webhook_private = false;                  // the URL may lead to an address of this machine or network
    std::vector<std::string> command;              // [0] is an absolute path; empty: none
    double runaway = 10;  // a key's ten minutes cost so many times its usual ones; 0: nobody looks
    Money runaway_least = Money::from_micros(1'000'000);  // and at least that
};

}  // namespace tandem::config
