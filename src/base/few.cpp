#include "base/few.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace tandem {

std::string few(std::span<const std::string> names, std::size_t most) {
    const auto shown = std::min(names.size(), most);
    const auto text = join(names.first(shown), ", ");
    return shown == names.size() ? text : fmt::format("{} and {} more", text, names.size() - shown);
}

}  // namespace tandem
