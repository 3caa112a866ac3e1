// From the bytes of a text file to UTF-8.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tandem::retrieval {

// The text as UTF-8, without a byte order mark. By the mark, else as UTF-8 where the bytes are, else by what uchardet
// finds likely. `own` keeps a copy where one is needed; the view is of it or of `bytes`. Nullopt: it is no text (it has
// bytes of zero, or nothing reads it), or more than `most` bytes come of it.
std::optional<std::string_view> to_utf8(std::string_view bytes, std::string& own, std::size_t most);

// The same from a charset by its name, as mails and pages say it; what is wrong becomes U+FFFD. Nullopt: the name is
// not known.
std::optional<std::string> from_charset(std::string_view bytes, const std::string& charset, std::size_t most);

bool is_utf8(std::string_view text);

}  // namespace tandem::retrieval
