#include "catalog/models.h"

namespace tandem::catalog {

std::optional<config::Capabilities> Known::capabilities() const {
    const auto has = measured.has.bits, lacks = measured.lacks.bits;
    if ((has | lacks) == 0) return claims.capabilities;
    // What is not claimed is assumed, so that one which lacks something still has the rest.
    if (!claims.capabilities && lacks == 0) return std::nullopt;
    constexpr std::uint8_t kAll = (1U << config::kCapabilityNames.size()) - 1;
    const std::uint8_t claimed = claims.capabilities ? claims.capabilities->bits : kAll;
    return config::Capabilities{static_cast<std::uint8_t>((claimed | has) & ~lacks)};
}

}  // namespace tandem::catalog
