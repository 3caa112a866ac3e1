#include "engine/folder.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/descriptor.h"
#include "base/hash.h"
#include "base/id.h"
#include "engine/engines.h"

namespace tandem::engine {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kNameDigits = 12;

Result<> make_private(const fs::path& folder) {
    if (mkdir(folder.c_str(), 0700) == 0) return {};
    const int why = errno;
    if (why == EEXIST && chmod(folder.c_str(), 0700) == 0) return {};
    return fail(Fault::engine_down,
                fmt::format("cannot make the engine's folder {}: {}", folder.string(), std::strerror(errno)));
}

// Some file systems have no sockets: shares of virtual machines and of Windows, some of FUSE. The engine would say no
// more than that it cannot bind.
Result<> hold_socket(const net::LocalAddress& address, const fs::path& folder) {
    const Descriptor probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto endpoint = address.endpoint();
    if (bind(probe.get(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) == 0)
        return address.remove_socket();
    return fail(Fault::engine_down,
                fmt::format("no UNIX socket can be made in {} ({}): set `data` to a folder of another file system",
                            folder.string(), std::strerror(errno)));
}

}  // namespace

Result<EngineFolder> make_engine_folder(const fs::path& data, std::string_view model) {
    auto log = log_file(data, model);
    std::string name = log.stem();
    // Two models may have one name for their log; a socket is for one alone.
    if (name != model) name += "-" + hex(sha256(model)).substr(0, 8);
    std::error_code error;
    fs::create_directories(log.parent_path(), error);
    const auto parent = fs::canonical(log.parent_path(), error);
    if (error)
        return fail(Fault::engine_down, fmt::format("cannot make {}: {}", log.parent_path().string(), error.message()));
    const EngineFolder made{parent / (name + ".d")};
    for (const auto& folder : {made.root, made.run(), made.home(), made.temporary(), made.prompts(), made.skeleton()})
        if (auto ok = make_private(folder); !ok) return fail(ok.error());
    return made;
}

Result<EngineAddress> new_address(const EngineFolder& folder, Random& random) {
    auto name = random_hex(random, kNameDigits) + ".sock";
    auto address = net::LocalAddress::of(folder.run() / name);
    if (!address) return fail(address.error());
    if (auto ok = hold_socket(*address, folder.run()); !ok) return fail(ok.error());
    return EngineAddress{std::move(name), std::make_shared<const net::LocalAddress>(std::move(*address))};
}

void remove_sockets(const EngineFolder& folder) {
    std::error_code error;
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(folder.run(), error))
        if (fs::is_socket(entry.symlink_status(error))) found.push_back(entry.path());
    for (const auto& socket : found) fs::remove(socket, error);
}

std::vector<std::string> with_absolute_paths(std::vector<std::string> arguments) {
    for (auto& argument : arguments) {
        std::error_code error;
        if (argument.empty() || argument.starts_with('-') || argument.starts_with('/')) continue;
        if (fs::exists(argument, error)) argument = fs::absolute(argument, error).string();
    }
    return arguments;
}

}  // namespace tandem::engine
