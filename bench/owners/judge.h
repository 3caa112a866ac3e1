// What the advisor says, beside what each combination comes to in years of new work of the same world.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "owners/record.h"

namespace tandem::owners {

struct Scale {
    int days = 60;  // of the record
    int years = 4;  // that each combination is played
    int more = 8;   // and so many more those that the advice names, or that may be the best
    double year_days = 364;
};

// One combination's years, in the owner's currency a month.
struct Line {
    std::string id;
    std::vector<double> worth;  // of each year
    bool admissible = true;     // it answers no fewer, and keeps no less at home, than today's
    std::string why;            // it is not
    double mean = 0;
    bool named = false;  // in the advice
    // What the advisor says.
    int number = 0;  // 0: it does not offer it
    double said = 0, error = 0;
    std::string refused;
    bool dominated = false;
    // Of a month, for those who look for a reason: what is said and what is.
    struct Parts {
        double value = 0, cloud = 0, machines = 0, hours = 0, waited = 0, quality = 0;
    } truly, as_said;
};

// By one measure of what is the same: two combinations that differ by less.
struct Verdict {
    bool best = false;   // what stands first in its order is as good as the best that may be done
    bool order = false;  // no two of the advice's list stand in the wrong order
    int wrong = 0;       // pairs
    bool equal() const { return best && order; }
};

struct Judgement {
    std::vector<Line> lines;  // the first: change nothing
    // Places in `lines`: what the advice says to do, what stands first in its order, and what is best in truth.
    int advised = 0, first = 0, truly_best = 0;
    int pairs = 0;
    double tau = 0;  // Kendall's, of the advice's list
    Verdict strict;  // without any tolerance
    Verdict error;   // 1.96 standard errors of the mean of the years
    Verdict year;    // 1.96 standard deviations of a year
    // 1.96 standard deviations of the difference of two years that have nothing in common: what an owner could see, who
    // has the year before and the year after.
    Verdict seen;
    // The same of pairs whose order the advice says to be sure of, whatever is best; and how many those are.
    Verdict known;
    int asserted = 0;
    double first_lost = 0;  // of a month, by doing what stands first
    // How much a measure tells at all: the same of the list in an order by chance.
    Verdict chance_year, chance_seen;
    double lost = 0, to_gain = 0;  // of a month, by doing what is advised; by doing the best in place of nothing
    bool sure = false;
};

// Whether the advice says that the first is worth more than the second, by more than what is not known.
using Asserted = std::function<bool(int first, int second)>;
// Fills in the verdicts of a list of places in `lines`, in the advice's order, and of `truly_best`.
void compare(Judgement& judgement, const std::vector<int>& list, const Asserted& asserted);

// Plays an owner's past, asks the advisor, and plays the years. `folder` is made, and removed afterwards.
Judgement judge(Owner owner, std::uint64_t seed, const Scale& scale, const std::filesystem::path& folder);
std::string as_json(Owner owner, std::uint64_t seed, const Judgement& judgement, bool lines);

}  // namespace tandem::owners
