// How an evaluation is shown, in text and JSON. Private to advice/.
#pragma once

#include <string>

#include "advice/evaluate.h"
#include "base/json.h"

namespace tandem::advice {

// Members of an object that is open.
void write_members(json::Writer& out, const Evaluation& evaluation);
void write_number(json::Writer& out, std::string_view name, double number, int digits = 4);
void write_list(json::Writer& out, std::string_view name, const std::vector<std::string>& list);

std::string money_text(Money money);          // "1,234.56"
std::string quality_text(const Evaluation&);  // "0.81 (0.72-0.90)"
std::string time_text(double milliseconds);   // "0.4 s", "2.1 min"
std::string latency_text(const Evaluation&);  // "1.2 s / 8.4 s"
std::string private_text(const Evaluation&);  // "100 %"
// "12 (label 10, context 2)"; "-" where all are.
std::string unserved_text(const Evaluation&);
// "yes: small is busy 3 % of the time, ...", "no: ...", "not known: ..."; "-" where no model is at home.
std::string keeps_up_text(const Evaluation&);

}  // namespace tandem::advice
