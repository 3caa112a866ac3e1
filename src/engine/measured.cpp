#include "engine/measured.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"

namespace tandem::engine {

namespace {

constexpr std::size_t kLargestFile = 1UL << 20;

std::string identity(const std::filesystem::path& file) {
    struct stat about{};
    if (stat(file.c_str(), &about) != 0) return file.string();
    return fmt::format("{}|{}|{}.{}", file.string(), about.st_size, about.st_mtim.tv_sec, about.st_mtim.tv_nsec);
}

}  // namespace

std::string measurement_key(const std::filesystem::path& model, const std::filesystem::path& program,
                            const std::string& settings) {
    constexpr std::size_t kLetters = 32;
    return hex(sha256(identity(model) + "\n" + identity(program) + "\n" + settings)).substr(0, kLetters);
}

Measured::Measured(std::filesystem::path file) : file_(std::move(file)) {
    const auto text = read_regular(file_, kLargestFile);
    json::Document document;
    if (!text || !document.parse(*text)) return;
    for (const auto one : document.root()["engines"].children()) {
        std::optional<DeviceBytes> devices;
        if (one["devices"].exists()) devices = device_bytes(one["devices"]);
        Measurement measurement{one["peak_bytes"].integer().value_or(0), std::move(devices),
                                std::chrono::milliseconds(one["load_ms"].integer().value_or(0)),
                                one["day"].integer().value_or(0)};
        const auto key = std::string(one["key"].text());
        if (key.empty() || measurement.peak_bytes <= 0 || measurement.load.count() < 0 || all_.size() >= kMost)
            continue;
        auto& known = all_[key];
        measurement.peak_bytes = std::max(measurement.peak_bytes, known.peak_bytes);
        known = measurement;
    }
}

std::optional<Measurement> Measured::of(const std::string& key) const {
    const auto found = all_.find(key);
    return found == all_.end() ? std::nullopt : std::optional(found->second);
}

void Measured::put(const std::string& key, Measurement measurement) {
    all_[key] = measurement;
    if (all_.size() > kMost)
        all_.erase(std::ranges::min_element(all_, {}, [](const auto& one) { return one.second.day; }));
    json::Writer out;
    out.begin_object().key("engines").begin_array();
    for (const auto& [name, one] : all_) {
        out.begin_object()
            .member("key", name)
            .member("peak_bytes", one.peak_bytes)
            .member("load_ms", static_cast<std::int64_t>(one.load.count()))
            .member("day", one.day);
        if (one.devices) write(out.key("devices"), *one.devices);
        out.end_object();
    }
    out.end_array().end_object();
    if (make_folder_of(file_)) (void)write_private_file(file_, out.take());
}

}  // namespace tandem::engine
