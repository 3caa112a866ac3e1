// Files that the owner or other programs may put something else in the place of: read without waiting, written whole or
// not at all.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tandem {

// Who may do what with a file.
struct Protection {
    mode_t mode = 0600;
    uid_t owner = static_cast<uid_t>(-1);  // -1: the user of this process
    gid_t group = static_cast<gid_t>(-1);  // -1: the group of this process
};

// That of the file, or of what a link points to; the default where there is none.
Protection protection_of(const std::filesystem::path& file);

// Writes a file whole or not at all: beside it first, under a name that no other file has, then renamed over what was
// there. Mode and owner are set before a byte is written; where this process may not give the file its owner, the group
// that it has instead gets no access. Nothing is left behind after an error. Its folder exists. Errors: storage, with
// the system's reason.
Result<> write_file(const std::filesystem::path& file, std::string_view bytes, const Protection& protection);

// The same with mode 0600.
Result<> write_private_file(const std::filesystem::path& file, std::string_view bytes);

// Makes the folder of a file, and the folders above it. Errors: storage, with the system's reason.
Result<> make_folder_of(const std::filesystem::path& file);

// The first `most` bytes of a regular file, or of the one that a link points to. A pipe, a socket, a device or a folder
// is refused without waiting for it. Errors: not_found, where nothing is there; invalid, for what is no regular file;
// storage, with the system's reason.
Result<std::string> read_regular(const std::filesystem::path& file, std::size_t most);

// Whether a file that is named on the command line can be read without waiting for somebody to write it: a regular
// file, or something below /dev, where the shell's own pipes are (`<(...)`). Errors: as read_regular().
Result<> check_readable(const std::filesystem::path& file);

// All bytes of a regular file; empty where it cannot be read. For files whose size somebody has bounded.
std::string whole_file(const std::filesystem::path& file);

// What a file's name leads to through links, also where nothing is there yet; the name itself where it is no link.
// Errors: storage, for links that lead in a circle.
Result<std::filesystem::path> behind_links(const std::filesystem::path& file);

}  // namespace tandem
