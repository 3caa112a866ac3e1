// What tuning may turn: arguments of llama-server that change its speed and not what it says, and the slots of a model.
// Each knob has the value that is in use and others that are worth a try on this machine. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "engine/hardware.h"
#include "engine/tune/race.h"

namespace tandem::engine::tune {

struct Option {
    std::vector<std::string_view> names;  // the first one is written
    bool has_value = true;
};

struct Value {
    std::string text;                             // for people
    std::vector<std::optional<std::string>> set;  // for each option of the knob; nothing: it is not given
    int slots = 0;                                // of the model; 0: as they are
};

struct Knob {
    std::string_view name;
    std::vector<Option> options;
    std::vector<Value> values;
    std::size_t now = 0;           // the value in use
    bool changes_answers = false;  // more often than not
};

// What the knobs are for.
struct Ground {
    Cpu cpu;
    std::vector<Gpu> gpus;
    std::string help;              // what the program prints for --help: an option that is not in it is not tried
    int concurrency = 1;           // requests at once; above 1 the slots are a knob
    bool quantised_cache = false;  // whether it may be tried
    std::vector<std::string> drafts = {};  // files of smaller models with the same vocabulary
};

// Those with more than one value.
std::vector<Knob> knobs_for(const config::Model& model, const Ground& ground);

// The choice that is in use.
Choices in_use(const std::vector<Knob>& knobs);

// The model as it is served with other choices: arguments that its owner gave stay where no knob says otherwise.
config::Model served(config::Model model, const std::vector<Knob>& knobs, const Choices& choices);

// Why choices make no sense, or no difference to the model as it was; empty: they may. `read_tokens`: that the work has
// read at once.
std::string nonsense(const config::Model& before, const config::Model& served, const Cpu& cpu,
                     std::int64_t read_tokens);

// "threads 2, flash attention off": what differs; empty: nothing does.
std::string difference(const std::vector<Knob>& knobs, const Choices& from, const Choices& to);

// The threads that llama-server takes where nobody says, and the most that can be of use: a quota of a cgroup is time
// that all threads share (cpu.max), which llama-server does not look at.
int usual_threads(const Cpu& cpu);
int most_threads(const Cpu& cpu);

}  // namespace tandem::engine::tune
