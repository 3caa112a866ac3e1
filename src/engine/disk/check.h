// Model files held against what the manifest says of them, and taken away.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "engine/disk/manifest.h"

namespace tandem::engine {

// Told how many bytes have been read so far.
using Reading = std::function<void(std::int64_t bytes)>;

// SHA-256 of a regular file as 64 lower-case hexadecimal digits. `reading` may be empty. Errors: as read_regular().
Result<std::string> sha256_of_file(const std::filesystem::path& file, const Reading& reading = {});

enum class FileState { good, missing, wrong_size, changed, unreadable };
std::string_view name_of(FileState state);

// Reads all of the file.
FileState check_file(const Manifest& manifest, const DiskFile& file, const Reading& reading = {});

// Forgets a model. Owned files that no other entry names are deleted, adopted ones are not touched. Errors: not_found,
// storage.
Result<> remove_model(const std::filesystem::path& models, const std::string& name);

}  // namespace tandem::engine
