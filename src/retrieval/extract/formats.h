// The formats of files that are read. One file for each, and one line in the table of formats.cpp.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "retrieval/extract/extracted.h"

namespace tandem::retrieval {

// False where the file is broken or empty: `why` then says it.
using Read = bool (*)(const Input& input, Extracted& to, std::string& why);

struct Format {
    std::string_view name;        // "markdown": what `type:` in a query and the index know it by
    std::string_view extensions;  // " md markdown ": lower case, between blanks
    int version;                  // raised when the reader gives something else: its files are read anew
    Read read;
};

std::span<const Format> formats();
// By the name's extension; the plain text format where no other claims it. Never null.
const Format* format_of(std::string_view name);
const Format* format_named(std::string_view name);  // null: there is none
// Whether a name's extension says that it is something that is never read: pictures, programs, archives.
bool is_other(std::string_view name);

// Each format's reader.
bool read_text(const Input& input, Extracted& to, std::string& why);
bool read_markdown(const Input& input, Extracted& to, std::string& why);
bool read_html(const Input& input, Extracted& to, std::string& why);
bool read_code(const Input& input, Extracted& to, std::string& why);
bool read_csv(const Input& input, Extracted& to, std::string& why);
bool read_json(const Input& input, Extracted& to, std::string& why);
bool read_gzip(const Input& input, Extracted& to, std::string& why);
bool read_mail(const Input& input, Extracted& to, std::string& why);
bool read_mailbox(const Input& input, Extracted& to, std::string& why);

// Reads a file by its format, and says why where nothing came of it. In a sandboxed child (child.h), or for tests.
bool extract(const Format& format, const Input& input, Extracted& to, std::string& why);

}  // namespace tandem::retrieval
