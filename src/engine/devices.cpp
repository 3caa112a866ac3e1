#include "engine/devices.h"

#include <algorithm>
#include <charconv>
#include <numeric>

#include "base/text.h"
#include "engine/arguments.h"
#include "engine/programs.h"

namespace tandem::engine {

namespace {

constexpr std::size_t kLongestName = 96;
constexpr std::int64_t kMib = 1L << 20;
constexpr std::int64_t kMostMib = 1L << 24;  // of one device: 16 TiB

// "24124 MiB" at the beginning of the words; 0 where there is no such number.
std::int64_t mib_in(std::string_view words) {
    words = trim(words);
    std::int64_t mib = 0;
    const auto [end, error] = std::from_chars(words.data(), words.data() + words.size(), mib);
    if (error != std::errc() || !std::string_view(end, words.data() + words.size()).starts_with(" MiB")) return 0;
    return std::clamp<std::int64_t>(mib, 0, kMostMib) * kMib;
}

std::optional<Device> device_in(std::string_view line) {
    const auto colon = line.find(": "), open = line.rfind(" ("), comma = line.rfind(", ");
    if (!line.starts_with("  ") || colon == std::string_view::npos || open == std::string_view::npos || open < colon ||
        comma == std::string_view::npos || comma < open)
        return std::nullopt;
    Device device{std::string(trim(line.substr(0, colon))),
                  printable(line.substr(colon + 2, open - colon - 2), kLongestName), mib_in(line.substr(open + 2)),
                  mib_in(line.substr(comma + 2))};
    if (device.total == 0 || device.name.empty() || device.name.find(' ') != std::string::npos) return std::nullopt;
    return device;
}

// The parts of a whole that each device takes, which add up to 1, or to 0 where none takes anything.
using Shares = std::vector<double>;

Shares in_parts(Shares shares) {
    const auto sum = std::reduce(shares.begin(), shares.end());
    for (auto& share : shares) share = sum > 0 ? share / sum : 0;
    return shares;
}

// Indices of the devices that an owner names, in their order; all where none is named.
std::vector<std::size_t> named(const std::vector<Device>& devices, const std::vector<std::string>& args) {
    std::vector<std::size_t> list;
    const auto names = argument(args, {"--device", "-dev"});
    for (std::size_t i = 0; i < devices.size(); ++i) {
        const bool is_meant = !names || std::ranges::any_of(split(*names, ','), [&](const auto& one) {
            return trim(one) == devices[i].name;
        });
        if (is_meant) list.push_back(i);
    }
    return list;
}

Shares shares_of(const std::vector<Device>& devices, const std::vector<std::string>& args) {
    const auto list = named(devices, args);
    Shares shares(devices.size(), 0);
    if (list.empty()) return shares;
    if (argument(args, {"--split-mode", "-sm"}) == "none") {
        const auto main = whole_number(argument(args, {"--main-gpu", "-mg"}).value_or("0")).value_or(0);
        shares[list[std::min<std::size_t>(static_cast<std::size_t>(main), list.size() - 1)]] = 1;
        return shares;
    }
    const auto wish = argument(args, {"--tensor-split", "-ts"});
    std::vector<std::string> parts;
    if (wish)
        for (const auto one : split(*wish, ',')) parts.emplace_back(trim(one));
    for (std::size_t i = 0; i < list.size(); ++i) {
        auto share = static_cast<double>(devices[list[i]].total);
        if (wish) {
            share = 0;
            if (i < parts.size()) std::from_chars(parts[i].data(), parts[i].data() + parts[i].size(), share);
        }
        shares[list[i]] = std::clamp(share, 0.0, 1e15);
    }
    return in_parts(std::move(shares));
}

// The part of the layers that goes to devices: 1 unless fewer are asked for.
double offloaded(const std::vector<std::string>& args, std::int64_t layers) {
    const auto wish = whole_number(argument(args, {"--n-gpu-layers", "--gpu-layers", "-ngl"}).value_or(""));
    if (!wish || layers <= 0) return 1;
    return std::min(1.0, static_cast<double>(*wish) / static_cast<double>(layers));
}

}  // namespace

std::vector<Device> devices_in(std::string_view words) {
    std::vector<Device> devices;
    for (const auto line : split(words, '\n')) {
        auto device = device_in(line);
        if (device && devices.size() < kMostDevices) devices.push_back(std::move(*device));
    }
    return devices;
}

std::vector<Device> devices_of(const std::filesystem::path& program) {
    return devices_in(words_for(program, "--list-devices"));
}

std::vector<std::int64_t> device_need(const std::vector<Device>& devices, const std::vector<std::string>& args,
                                      const MemoryNeed& need, std::int64_t layers) {
    const auto part = offloaded(args, layers);
    const bool some_stay = argument(args, {"--override-tensor", "-ot", "--n-cpu-moe", "-ncmoe"}) ||
                           has_argument(args, {"--cpu-moe", "-cmoe"});
    const bool cache_stays = has_argument(args, {"--no-kv-offload", "-nkvo"});
    const auto split_up =
        static_cast<double>((some_stay ? 0 : need.weights) + (cache_stays ? 0 : need.cache())) * part +
        static_cast<double>(need.projector + need.draft);
    std::vector<std::int64_t> bytes;
    for (const auto share : shares_of(devices, args))
        bytes.push_back(share <= 0 || part <= 0 ? 0 : static_cast<std::int64_t>(split_up * share) + need.compute);
    return bytes;
}

}  // namespace tandem::engine
