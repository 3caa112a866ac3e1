// One file that gzip has made smaller; it is read by the name that it had. Lines and bytes are those of the file
// inside.
#include <zlib.h>

#include "retrieval/extract/formats.h"

namespace tandem::retrieval {

namespace {

// False where it is broken, or more than `most` bytes come of it.
bool inflate_all(std::string_view bytes, std::string& out, std::size_t most, std::string& why) {
    z_stream stream{};
    constexpr int kGzip = 16;
    if (inflateInit2(&stream, MAX_WBITS + kGzip) != Z_OK) return false;
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    char buffer[65'536];
    int state = Z_OK;
    while (state == Z_OK && out.size() <= most) {
        stream.next_out = reinterpret_cast<Bytef*>(buffer);
        stream.avail_out = sizeof buffer;
        state = inflate(&stream, Z_NO_FLUSH);
        out.append(buffer, sizeof buffer - stream.avail_out);
        if (state == Z_STREAM_END && stream.avail_in > 0) state = inflateReset(&stream);  // several in one file
    }
    inflateEnd(&stream);
    if (out.size() > most)
        why = "more comes out of the archive than is read";
    else if (state != Z_STREAM_END)
        why = "the archive is broken";
    return state == Z_STREAM_END && out.size() <= most;
}

}  // namespace

bool read_gzip(const Input& input, Extracted& to, std::string& why) {
    if (input.depth >= kDeepest) {
        why = "archives lie too deep in each other";
        return false;
    }
    auto name = input.name;
    if (name.size() > 3) name.remove_suffix(3);
    if (is_other(name)) {
        why = "what is in the archive is no format that is read";
        return false;
    }
    std::string out;
    if (!inflate_all(input.bytes, out, input.most_text, why)) return false;
    return extract(*format_of(name), {out, name, input.most_text, input.depth + 1}, to, why);
}

}  // namespace tandem::retrieval
