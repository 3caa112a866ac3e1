// A backup: one tar archive with all that a data folder holds, made beside a running server and verified.
//
//   backup.json        when, by which version, how long the egress record was and whether its chain held
//   data/...           the ledger as one file, and the other files of the data folder
//   config/...         the config and the files that it reads, where that was asked for
//   SHA256SUMS         the SHA-256 of each of them, as `sha256sum --check` reads it
//
// It has the key of the vault, the key that signs the egress record and the admin token: an archive is as secret as
// the folder. Not in it: models (unless asked for), logs of engines, locks and sockets.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/world.h"

namespace tandem::backup {

struct Source {
    std::filesystem::path data;
    std::filesystem::path checkpoints;          // of the egress record; may lie elsewhere
    std::vector<std::filesystem::path> config;  // files to add; the first is tandem.yaml
    std::vector<std::filesystem::path> in_use;  // files of the config, which an archive never replaces
    bool models = false;                        // with data/models
    bool force = false;                         // an archive may replace a file that is no archive
};

// What an archive says of itself (backup.json).
struct Facts {
    std::string tandem;               // the version that made it
    std::string created;              // 2026-11-26T00:24:17Z
    std::int64_t ledger_version = 0;  // of the schema
    std::int64_t egress_records = 0;
    std::string egress_damage;  // what was wrong with the record when the backup was made; empty where it was whole
    bool operator==(const Facts&) const = default;
};
std::string to_json(const Facts& facts);
// Errors: invalid.
Result<Facts> facts_from_json(std::string_view text);

struct Made {
    std::filesystem::path file;  // empty: stdout
    Facts facts;
    std::size_t files = 0;
    std::uint64_t bytes = 0;            // of the archive
    std::vector<std::string> left_out;  // what a reader might expect in it, each with the reason
};

// Writes the archive to `file` (0600; a folder gets tandem-TIME.tar in it), or to stdout where that is "-". A file is
// written beside, read again and compared with its sums, and only then renamed to its name; a link stays one. What has
// the name already is replaced where it is an archive of this kind or empty, or a regular file and `force`; never a
// file of the config or of the data folder, a pipe or a device. The ledger's copy is checked (structure, chain and
// checkpoints of the egress record) before it is written. Errors: invalid, for a damaged ledger or what is not
// replaced; not_found; storage.
Result<Made> make(const Source& source, const std::filesystem::path& file, const Clock& clock);

// 20261126T002417Z, for names of files.
std::string stamp(const Clock& clock);

}  // namespace tandem::backup
