// What belongs to one engine alone: a folder with its socket, its HOME and its temporary files. Private to engine/.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/world.h"
#include "net/local.h"

namespace tandem::engine {

struct EngineFolder {
    std::filesystem::path root;  // absolute, 0700, links resolved

    // The socket's folder, which is the engine's working directory: the engine is told a bare name, so that the path
    // may be longer than sockaddr_un takes, and may have a comma in it, at which llama-server would split it.
    std::filesystem::path run() const { return root / "run"; }
    std::filesystem::path home() const { return root / "home"; }  // kept: GPU drivers keep compiled kernels there
    std::filesystem::path temporary() const { return root / "tmp"; }
    std::filesystem::path prompts() const { return root / "prompts"; }  // what it has read, while it is unloaded
    std::filesystem::path skeleton() const { return root / "root"; }    // mount points, where it has a root of its own
};

// Makes data/engines/MODEL.d and what is in it. Errors: unavailable.
Result<EngineFolder> make_engine_folder(const std::filesystem::path& data, std::string_view model);

struct EngineAddress {
    std::string name;  // within run(); ends in .sock, by which llama-server knows a socket
    std::shared_ptr<const net::LocalAddress> address;
};

// A name that no process before had, so that no connection to an older process is taken for one to this. Errors:
// unavailable.
Result<EngineAddress> new_address(const EngineFolder& folder, Random& random);
// Removes every socket of the folder: llama-server leaves its own behind, and starts at none that is there.
void remove_sockets(const EngineFolder& folder);

// The arguments, where those that name a file or a folder relative to our working directory name it absolutely: the
// engine has another working directory.
std::vector<std::string> with_absolute_paths(std::vector<std::string> arguments);

}  // namespace tandem::engine
