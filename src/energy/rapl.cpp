#include "energy/rapl.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "base/text.h"

namespace tandem::energy {

namespace {

namespace fs = std::filesystem;

std::optional<std::string> word_of(const fs::path& file) {
    std::error_code error;
    if (!fs::is_regular_file(file, error)) return {};
    std::ifstream in(file, std::ios::binary);
    std::string text(64, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    if (text.empty()) return {};
    return std::string(trim(text));
}

// "intel-rapl:1"; no part of one, and not intel-rapl-mmio. AMD's have the same name.
bool is_top(std::string_view folder) {
    constexpr std::string_view kBegin = "intel-rapl:";
    if (!folder.starts_with(kBegin)) return false;
    const auto number = folder.substr(kBegin.size());
    return !number.empty() && number.find_first_not_of("0123456789") == std::string_view::npos;
}

std::optional<std::int64_t> count_of(const fs::path& file) {
    const auto text = word_of(file);
    const auto number = text ? whole_number(*text) : std::nullopt;
    if (!number) return {};
    return *number;
}

}  // namespace

Result<std::vector<Domain>> read_packages(const fs::path& powercap) {
    std::error_code error;
    std::vector<std::string> folders;
    for (fs::directory_iterator at(powercap, error), end; !error && at != end; at.increment(error))
        if (auto name = at->path().filename().string(); is_top(name)) folders.push_back(std::move(name));
    std::ranges::sort(folders);
    std::vector<Domain> packages;
    for (const auto& folder : folders) {
        const auto place = powercap / folder;
        const auto name = word_of(place / "name");
        if (!name || !name->starts_with("package")) continue;
        const auto uj = count_of(place / "energy_uj"), range = count_of(place / "max_energy_range_uj");
        if (!uj || !range || *range <= 0)
            return fail(ErrorCode::storage,
                        fmt::format("{} cannot be read; only root may, unless a rule of udev lets others (chmod a+r)",
                                    (place / (uj ? "max_energy_range_uj" : "energy_uj")).string()));
        packages.push_back({folder, {*uj, *range}});
    }
    if (packages.empty())
        return fail(ErrorCode::not_found, fmt::format("there is no package below {}: this machine's processors tell "
                                                      "nothing of their energy (or this is a virtual machine)",
                                                      powercap.string()));
    return packages;
}

}  // namespace tandem::energy
