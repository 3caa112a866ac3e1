// Whether advice is right: bench_owners FOLDER [OWNER [FIRST [COUNT [YEARS [lines]]]]]. Each of four owners works for
// two months, asks the advisor, and the combinations that it considers are then played for years of new work of the
// same world. One JSON object a line; summary.py adds them up. README.md says what is drawn and what counts as equal.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "owners/judge.h"

using namespace tandem::owners;

int main(int argc, char** argv) {
    if (argc < 2) {
        fmt::print(stderr,
                   "bench_owners FOLDER [OWNER [FIRST [COUNT [YEARS [lines]]]]]\nOWNER: 0 individual, 1 "
                   "office, 2 clinic, 3 agents, -1 all; COUNT seeds from FIRST on\n");
        return 2;
    }
    const std::filesystem::path folder = argv[1];
    const int owner = argc > 2 ? std::atoi(argv[2]) : -1;
    const auto first = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 0;
    const auto count = argc > 4 ? std::strtoull(argv[4], nullptr, 10) : 200;
    Scale scale;
    if (argc > 5) scale.more = std::max(0, std::atoi(argv[5]) - scale.years);
    const bool lines = argc > 6 && std::string_view(argv[6]) == "lines";
    for (auto seed = first; seed < first + count; ++seed)
        for (int i = 0; i < static_cast<int>(kOwnerNames.size()); ++i) {
            if (owner >= 0 && owner != i) continue;
            const auto which = static_cast<Owner>(i);
            fmt::print("{}\n", as_json(which, seed, judge(which, seed, scale, folder), lines));
            std::fflush(stdout);
        }
    return 0;
}
