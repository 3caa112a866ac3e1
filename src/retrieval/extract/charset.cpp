#include "retrieval/extract/charset.h"

#include <iconv.h>
#include <simdjson.h>
#include <uchardet.h>

#include <algorithm>
#include <cerrno>

namespace tandem::retrieval {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::size_t kSample = 64UL << 10;  // bytes that the charset is guessed from

std::string guessed_charset(std::string_view bytes) {
    uchardet_t detector = uchardet_new();
    std::string name;
    if (uchardet_handle_data(detector, bytes.data(), std::min(bytes.size(), kSample)) == 0) {
        uchardet_data_end(detector);
        name = uchardet_get_charset(detector);
    }
    uchardet_delete(detector);
    return name;
}

struct Mark {
    std::string_view bytes;
    const char* charset;
};
constexpr Mark kMarks[] = {{{"\xEF\xBB\xBF", 3}, "UTF-8"},
                           {{"\xFF\xFE\x00\x00", 4}, "UTF-32LE"},
                           {{"\x00\x00\xFE\xFF", 4}, "UTF-32BE"},
                           {{"\xFF\xFE", 2}, "UTF-16LE"},
                           {{"\xFE\xFF", 2}, "UTF-16BE"}};

// UTF-16 without a mark: every other byte of Latin text is zero.
const char* unmarked_utf16(std::string_view bytes) {
    const auto sample = bytes.substr(0, std::min<std::size_t>(bytes.size(), 4'096) & ~std::size_t{1});
    std::size_t even = 0, odd = 0;
    for (std::size_t at = 0; at < sample.size(); ++at) (at % 2 == 0 ? even : odd) += sample[at] == '\0' ? 1 : 0;
    const auto half = sample.size() / 2;
    if (half < 2) return nullptr;
    if (odd * 10 > half * 7 && even * 10 < half) return "UTF-16LE";
    if (even * 10 > half * 7 && odd * 10 < half) return "UTF-16BE";
    return nullptr;
}

}  // namespace

bool is_utf8(std::string_view text) {
    return simdjson::validate_utf8(text.data(), text.size());
}

std::optional<std::string> from_charset(std::string_view bytes, const std::string& charset, std::size_t most) {
    const auto handle = iconv_open("UTF-8", charset.c_str());
    if (handle == reinterpret_cast<iconv_t>(-1)) return {};
    std::string out;
    char* in = const_cast<char*>(bytes.data());
    std::size_t left = bytes.size();
    char buffer[16'384];
    while (left > 0 && out.size() <= most) {
        char* to = buffer;
        std::size_t room = sizeof buffer;
        const auto done = iconv(handle, &in, &left, &to, &room);
        out.append(buffer, sizeof buffer - room);
        if (done != static_cast<std::size_t>(-1) || errno == E2BIG) continue;
        // A byte that is wrong, or half a character at the end.
        out += kReplacement;
        ++in;
        --left;
    }
    iconv_close(handle);
    if (out.size() > most) return {};
    return out;
}

std::optional<std::string_view> to_utf8(std::string_view bytes, std::string& own, std::size_t most) {
    if (bytes.size() > most) return {};
    std::string charset;
    for (const auto& mark : kMarks)
        if (bytes.starts_with(mark.bytes)) {
            bytes.remove_prefix(mark.bytes.size());
            charset = mark.charset;
            break;
        }
    const bool zeros = bytes.find('\0') != std::string_view::npos;
    if ((charset.empty() || charset == "UTF-8") && !zeros && is_utf8(bytes)) return bytes;
    if (charset.empty() && zeros) {
        const char* found = unmarked_utf16(bytes);
        if (found == nullptr) return {};
        charset = found;
    }
    if (charset.empty()) charset = guessed_charset(bytes);
    // Every byte means something there, and most files that are neither were written so.
    if (charset.empty() || charset == "ASCII" || charset == "UTF-8") charset = "WINDOWS-1252";
    auto converted = from_charset(bytes, charset, most);
    if (!converted) converted = from_charset(bytes, "WINDOWS-1252", most);
    if (!converted || converted->find('\0') != std::string::npos || !is_utf8(*converted)) return {};
    own = std::move(*converted);
    return own;
}

}  // namespace tandem::retrieval
