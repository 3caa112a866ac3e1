#include "net/coding.h"

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

namespace tandem::net {
namespace {

std::string deflated(std::string_view text, int window) {
    z_stream stream{};
    EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
    std::string out(text.size() + 200, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
    out.resize(out.size() - stream.avail_out);
    deflateEnd(&stream);
    return out;
}
std::string gzip(std::string_view text) {
    return deflated(text, 31);
}

std::string zstd(std::string_view text, int window_log = 0) {
    auto* context = ZSTD_createCCtx();
    if (window_log > 0) {
        ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
        ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
    }
    std::string out(ZSTD_compressBound(text.size()) + 100, '\0');
    ZSTD_inBuffer in{text.data(), text.size(), 0};
    ZSTD_outBuffer to{out.data(), out.size(), 0};
    // In a stream, since of one piece the window is as large as the text.
    ZSTD_compressStream2(context, &to, &in, ZSTD_e_flush);
    EXPECT_EQ(ZSTD_compressStream2(context, &to, &in, ZSTD_e_end), 0U);
    ZSTD_freeCCtx(context);
    out.resize(to.pos);
    return out;
}

// Of few letters, as libbrotli writes it (RFC 7932): a block as it is, whose length stands in the second byte.
std::string brotli(std::string_view text) {
    return std::string{'\x0B', static_cast<char>(text.size() / 2), static_cast<char>(text.size() % 2 * 128)} +
           std::string(text) + '\x03';
}

// What it is, or why it is nothing, in pieces of `most` bytes.
std::string unpacked(std::string_view coding, const std::string& packed, std::size_t most = 1000) {
    const auto unpacker = unpacker_of(coding);
    if (!unpacker || *unpacker == nullptr) return "no such coding";
    std::string out;
    while (true) {
        const auto more = (*unpacker)->next(packed, out, most);
        if (!more) return "error: " + more.error().message;
        if (!*more) return out;
    }
}

TEST(Codings, join_the_members_of_gzip_and_the_frames_of_zstd) {
    for (const std::size_t most : {1UL, 7UL, 1000UL}) {
        EXPECT_EQ(unpacked("gzip", gzip("Hello ") + gzip("") + gzip("there"), most), "Hello there");
        EXPECT_EQ(unpacked("zstd", zstd("Hello ") + zstd("") + zstd("there"), most), "Hello there");
        EXPECT_EQ(unpacked("deflate", deflated("Hello there", 15), most), "Hello there");
        EXPECT_EQ(unpacked("br", brotli("Hello there"), most), "Hello there");
    }
}

TEST(Codings, refuse_what_stands_behind_their_end) {
    for (const std::string more : {"x", "x and more", "{\"a\":1}"}) {
        EXPECT_TRUE(unpacked("gzip", gzip("Hello") + more).contains("behind the end of the gzip")) << more;
        EXPECT_TRUE(unpacked("deflate", deflated("Hello", 15) + more).contains("behind the end of the deflate"));
        EXPECT_TRUE(unpacked("deflate", deflated("Hello", -15) + more).contains("behind the end of the deflate"));
        EXPECT_TRUE(unpacked("br", brotli("Hello") + more).contains("behind the end of the br")) << more;
        EXPECT_TRUE(unpacked("zstd", zstd("Hello") + more).contains("behind the end of the zstd")) << more;
    }
    EXPECT_TRUE(unpacked("deflate", deflated("a", 15) + deflated("b", 15)).starts_with("error"));
    EXPECT_TRUE(unpacked("gzip", gzip("Hello") + gzip("there").substr(0, 12)).contains("no whole gzip"));
    std::string many;
    for (int i = 0; i < 70'000; ++i) many += gzip("");
    EXPECT_TRUE(unpacked("gzip", many).contains("gzip members"));
}

TEST(Codings, say_which_window_is_too_large) {
    std::string text;
    for (int i = 0; i < 100; ++i) text += std::to_string(i * 7919);
    EXPECT_EQ(unpacked("zstd", zstd(text, 23)), text);
    EXPECT_TRUE(unpacked("zstd", zstd(text, 27)).contains("a window of more than 8 MiB"));
}

}  // namespace
}  // namespace tandem::net
