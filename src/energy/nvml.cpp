#include "energy/nvml.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <array>

#include "base/text.h"

namespace tandem::energy {

namespace {

// Of nvml.h, whose interface is kept from version to version.
using Status = int;
using Device = void*;
constexpr Status kSuccess = 0, kNotSupported = 3;
constexpr unsigned kMostCards = 64;
constexpr std::size_t kUuidBytes = 96;  // NVML_DEVICE_UUID_V2_BUFFER_SIZE

template <typename Function>
bool find(void* handle, const char* name, Function*& function) {
    function = reinterpret_cast<Function*>(dlsym(handle, name));
    return function != nullptr;
}

std::string why_not_loaded() {
    const char* const why = dlerror();  // NOLINT(concurrency-mt-unsafe): of this thread
    return why == nullptr ? "it has not what NVML has" : printable(why, 200);
}

}  // namespace

struct Nvml::Library {
    void* handle = nullptr;
    bool begun = false;
    Status (*init)() = nullptr;
    Status (*shutdown)() = nullptr;
    const char* (*error_text)(Status) = nullptr;
    Status (*count)(unsigned*) = nullptr;
    Status (*card_at)(unsigned, Device*) = nullptr;
    Status (*uuid)(Device, char*, unsigned) = nullptr;
    Status (*energy)(Device, unsigned long long*) = nullptr;

    Library() = default;
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;
    ~Library() {
        if (begun) shutdown();
        if (handle != nullptr) dlclose(handle);
    }

    bool find_all() {
        return find(handle, "nvmlInit_v2", init) && find(handle, "nvmlShutdown", shutdown) &&
               find(handle, "nvmlErrorString", error_text) && find(handle, "nvmlDeviceGetCount_v2", count) &&
               find(handle, "nvmlDeviceGetHandleByIndex_v2", card_at) && find(handle, "nvmlDeviceGetUUID", uuid) &&
               find(handle, "nvmlDeviceGetTotalEnergyConsumption", energy);
    }
    std::unexpected<Error> failed(std::string_view what, Status status) const {
        const char* const text = error_text(status);
        return fail(ErrorCode::upstream,
                    fmt::format("NVIDIA's driver: {}: {}", what,
                                printable(text == nullptr ? "an error without a text" : text, 100)));
    }
};

Nvml::Nvml(std::unique_ptr<Library> library) : library_(std::move(library)) {}
Nvml::~Nvml() = default;

Result<std::shared_ptr<const Nvml>> Nvml::open(const std::string& name) {
    auto library = std::make_unique<Library>();
    library->handle = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library->handle == nullptr || !library->find_all())
        return fail(
            ErrorCode::not_found,
            fmt::format("{} cannot be used: {}; it comes with NVIDIA's driver, and energy.nvml says where it is",
                        printable(name, 200), why_not_loaded()));
    if (const auto status = library->init(); status != kSuccess) return library->failed("it does not begin", status);
    library->begun = true;
    return std::shared_ptr<const Nvml>(new Nvml(std::move(library)));
}

Result<std::vector<Domain>> Nvml::read() const {
    unsigned count = 0;
    if (const auto status = library_->count(&count); status != kSuccess)
        return library_->failed("its cards are not told", status);
    if (count == 0) return fail(ErrorCode::not_found, "NVIDIA's driver has no card on this machine");
    std::vector<Domain> cards;
    for (unsigned i = 0; i < std::min(count, kMostCards); ++i) {
        Device device = nullptr;
        std::array<char, kUuidBytes> uuid{};
        unsigned long long mj = 0;
        if (const auto status = library_->card_at(i, &device); status != kSuccess)
            return library_->failed(fmt::format("card {}", i), status);
        if (const auto status = library_->uuid(device, uuid.data(), uuid.size() - 1); status != kSuccess)
            return library_->failed(fmt::format("name of card {}", i), status);
        const auto status = library_->energy(device, &mj);
        if (status == kNotSupported)
            return fail(ErrorCode::upstream,
                        fmt::format("card {} does not count its energy, as those before Volta; a plug measures all of "
                                    "the machine",
                                    i));
        if (status != kSuccess) return library_->failed(fmt::format("energy of card {}", i), status);
        constexpr unsigned long long kMostMj = INT64_MAX / 1'000;
        if (mj > kMostMj) return fail(ErrorCode::upstream, fmt::format("card {} tells no number of millijoules", i));
        cards.push_back({std::string(uuid.data()), {static_cast<std::int64_t>(mj) * 1'000, 0}});
    }
    return cards;
}

}  // namespace tandem::energy
