// A backup put back. The archive is unpacked beside what is there, verified whole, and only then takes its place; what
// was there is kept.
//
// The steps, each of which kill -9 may end: `restore.XXXXXX` in the data folder is being unpacked and counts for
// nothing. Renamed to `restore.decided` it is verified and on the disk: from here the restore is finished by whoever
// opens the folder next. What was there moves into `before-TIME`, then `restore.decided` becomes `restore.moving`, and
// its files move to their places. It works inside the folder, so that the folder may be a mount point.
#pragma once

#include <filesystem>
#include <string>

#include "backup/backup.h"
#include "base/result.h"
#include "base/world.h"

namespace tandem::backup {

struct Target {
    std::filesystem::path data;
    std::filesystem::path config;     // where a config of the archive goes; beside, where one is there already
    bool force = false;               // also over a folder that has something in it
    std::int64_t ledger_version = 0;  // the newest that this program knows
};

struct Restored {
    Facts facts;
    std::size_t files = 0;
    std::filesystem::path before;  // where the old content is; empty where there was none
    std::filesystem::path config;  // that was written; empty where the archive has none
};

// `archive` may be "-": stdin. Errors: unavailable, while a server uses the folder; invalid, for an archive that is
// damaged, hostile or of a newer version, or for a folder with content and no `force`; not_found; storage. After an
// error the folder is as it was.
Result<Restored> restore(const std::filesystem::path& archive, const Target& target, const Clock& clock);

// Unpacks into a temporary folder ($TMPDIR) and verifies, and changes nothing. Errors: as restore().
Result<Restored> check(const std::filesystem::path& archive, std::int64_t ledger_version);

// Finishes a restore that was decided and not finished; nothing where there is none. The caller has the folder's lock.
// Errors: storage.
Result<> finish_restore(const std::filesystem::path& data);

}  // namespace tandem::backup
