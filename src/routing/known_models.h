#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace tandem::routing {

struct Strength {
    double ability = 0;
    std::array<double, 9> by_kind{};
    std::string source;
    bool known = false;
    bool operator==(const Strength&) const = default;
};
struct ModelFacts {
    std::string name;
    bool cloud = false;
    bool engine = false;
    std::int64_t parameters = 0;
    std::string quantization;
    std::string family;
    std::int64_t active_parameters = 0;
};
Strength strength_of(const ModelFacts& facts);

}  // namespace tandem::routing
