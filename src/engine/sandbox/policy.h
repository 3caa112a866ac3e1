// What an engine may touch. The policy names it; landlock, mounts and filter see to it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/folder.h"

namespace tandem::engine::sandbox {

enum class May {
    list,    // the names in a folder
    read,    // files, and folders with all below them
    run,     // the same, and execute them
    write,   // all but execute
    note,    // read, and write what is there
    device,  // read, write and ioctl
};

// An absolute path of something that exists, as the engine will name it: links in it are followed.
struct Place {
    std::filesystem::path path;
    May may;

    bool operator==(const Place&) const = default;
};

struct Policy {
    std::filesystem::path program;  // links resolved
    EngineFolder folder;
    std::vector<Place> places;   // the engine's own folder among them
    bool runs_programs = false;  // it is a script, so it has to
    bool network = false;        // it may reach other machines,
    std::string network_by;      // by what its owner has said: "`--rpc`"
    bool listens = false;        // on a TCP port of this machine
    bool large_files = false;    // it was told to save slots or a log of its own
    bool locks_memory = false;   // `--mlock`
};

// What a policy is made from.
struct Wish {
    std::filesystem::path program;
    std::vector<std::string> arguments;    // of the program; paths in them are absolute
    std::vector<std::string> environment;  // NAME=value
    EngineFolder folder;
    std::vector<std::filesystem::path>
        kept_closed;  // our data, the owner's home: no folder that has one of them is opened
    std::vector<std::filesystem::path> readable;  // what the owner opens besides (`engine.readable`)
    std::vector<std::filesystem::path> writable = {};
    bool runs_programs = false;
    bool listens = false;  // on a TCP port
    std::string connects =
        {};  // what lets it reach other machines; empty: nothing, but arguments of llama-server's may
};

// What of the wish exists, by the system's files. Errors: not_found, where the program does not exist.
Result<Policy> policy_for(const Wish& wish);

}  // namespace tandem::engine::sandbox
