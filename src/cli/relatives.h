// What models of tandem.yaml have in common: the same model in other quantizations, the same file on other engines.
// Private to cli/.
#pragma once

#include <string>
#include <vector>

#include "cli/cli.h"
#include "config/config.h"

namespace tandem::cli {

struct Served {
    std::string quantization;  // as its file says: "Q4_K_M"; empty: there is no file here
    std::string engine;        // what runs it: the provider, and the arguments that this model gives it
};

// Reads the header of the model's file, where it has one on this machine.
Served served(const Globals& globals, const config::Config& config, const config::Model& model);

// The ids that were given, each followed by the models of tandem.yaml that are the same model: with `quants`, those
// whose files have another quantization of the same shape (architecture, layers, width, vocabulary) and the same name
// inside; with `engines`, those of the same file that another provider, program or line of arguments runs. No id stands
// twice.
std::vector<std::string> with_relatives(const Globals& globals, const config::Config& config,
                                        const std::vector<std::string>& ids, bool quants, bool engines);

}  // namespace tandem::cli
