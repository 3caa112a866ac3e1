// One file from a server to the disk, in ranges, several at once.
#pragma once

#include <functional>
#include <string>

#include "engine/pull/parts.h"
#include "engine/pull/web.h"

namespace tandem::engine {

struct Piece {
    std::string url;   // as it can be asked for again, not a signed one
    std::string name;  // of the file in data/models
    std::int64_t size = -1;
    std::string sha256;             // that the source says; empty: it says none
    std::vector<FileRange> ranges;  // that the source names; empty: ours
};

inline constexpr std::int64_t kLargestFile = 1L << 52;  // bytes; what is said to be larger is no model
Error too_large(std::string_view name, std::int64_t size);

struct Fetching {
    std::filesystem::path folder;  // of what is under way
    int connections = 4;
    bool replaces = false;  // a file of that name, which is the same model's
    // Told how many bytes of this file are there, a few times a second.
    std::function<void(std::int64_t bytes)> progress = {};
    // Told what the owner should know: a range that was wrong, a server that asks to wait.
    std::function<void(const std::string& note)> note = {};
};

// Bytes that an earlier run has left on the disk of a file whose SHA-256 is known.
std::int64_t bytes_there(const std::filesystem::path& folder, const Piece& piece);

struct Fetched {
    std::string sha256;
    bool compared = false;   // with a SHA-256 of the source
    std::int64_t size = 0;   // bytes
    std::int64_t asked = 0;  // bytes that came over the network
};

// Fetches one file and gives it its name `target`. A broken connection, a refused or expired address and a wrong range
// are asked for again, each range by itself; what came stays for the next run. Errors: as Web's, and unavailable (no
// room, another process), storage, invalid (it is no GGUF file), upstream (the SHA-256 is another).
net::Task<Result<Fetched>> fetch_file(Web& web, Piece piece, Fetching how, std::filesystem::path target);

}  // namespace tandem::engine
