// A backup put back. The archive is unpacked beside what is there, verified whole, and only then takes its place; what
// was there is kept.
//
// The steps, each of which kill -9 may end: `restore.XXXXXX` in the data folder is being unpacked and counts for
// nothing. Renamed to `restore.decided` it is verified and on the disk: from here the restore is finished by whoever
// opens the folder next. What was there moves into `before-TIME`, then `restore.decided` becomes `restore.moving`, and
// its files move to their places. It works inside the folder, so that the folder may be a mount point. The config comes
// last: there is never a new config with the old data.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "backup/backup.h"
#include "base/result.h"
#include "base/world.h"

namespace tandem::backup {

struct Target {
    std::filesystem::path data;
    // Where a config of the archive goes; beside, where one is there already. Empty: the archive's is left out.
    // Absolute.
    std::filesystem::path config;
    // The names, without their folders, of the files that a config with this text reads: those alone are written beside
    // it. Errors: invalid, for what is no config.
    std::function<Result<std::vector<std::string>>(const std::string& text)> files_named;
    bool force = false;               // also over a folder that has something in it
    std::int64_t ledger_version = 0;  // the newest that this program knows
};

struct Restored {
    Facts facts;
    std::size_t files = 0;
    std::filesystem::path before;               // where the old content is; empty where there was none
    std::vector<std::filesystem::path> config;  // each file of it, tandem.yaml first; none where the archive has none
    std::string note = {};                      // what is left for the owner to do; empty: nothing
};

// `archive` may be "-": stdin. Errors: unavailable, while a server uses the folder; invalid, for an archive that is
// damaged, hostile or of a newer version, that has files beside its config which the config does not read, or for a
// folder with content and no `force`; not_found; storage. After an error the folder is as it was. Where root restores
// for a service, the config and its files get the group of the data folder and mode 0640.
Result<Restored> restore(const std::filesystem::path& archive, const Target& target, const Clock& clock);

// Unpacks into a temporary folder ($TMPDIR) and verifies, and changes nothing. Errors: as restore().
Result<Restored> check(const std::filesystem::path& archive, std::int64_t ledger_version);

// Whether a restore was decided and not finished.
bool is_unfinished(const std::filesystem::path& data);

// Finishes a restore that was decided and not finished, its config included, and removes what unfinished work has left;
// nothing where there is none. The caller has the folder's lock. What is left for the owner to do, or an empty text: a
// config is kept in the data folder where this process may not write it, or where the folder is another user's, who
// could have put it there. Errors: storage.
Result<std::string> finish_restore(const std::filesystem::path& data);

}  // namespace tandem::backup
