#include "net/coding.h"

#include <brotli/decode.h>
#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>

#include "base/text.h"

namespace tandem::net {

namespace {

std::unexpected<Error> broken(std::string_view coding) {
    return fail(Fault::invalid_encoding,
                fmt::format("the body is not what its Content-Encoding says: it is no whole {}", coding));
}

// What stands behind the end of the coded body would never be looked at: not by detectors, not by a provider.
std::unexpected<Error> more_behind(std::string_view coding) {
    return fail(Fault::invalid_encoding,
                fmt::format("other bytes stand behind the end of the {} in the body; send its Content-Encoding alone, "
                            "with nothing behind it",
                            coding));
}

// gzip, and what is called deflate: with zlib's frame, as the RFC has it, or bare, as some clients send it.
class Inflate final : public Unpacker {
  public:
    explicit Inflate(bool gzip) : gzip_(gzip) {}
    ~Inflate() override {
        if (begun_) inflateEnd(&stream_);
    }
    Inflate(const Inflate&) = delete;
    Inflate& operator=(const Inflate&) = delete;

    Result<bool> next(std::string_view packed, std::string& out, std::size_t most) override {
        if (!begun_ && !begin(packed)) return broken(name());
        const auto before = out.size();
        out.resize(before + most);
        stream_.next_out = reinterpret_cast<Bytef*>(out.data() + before);
        stream_.avail_out = static_cast<uInt>(most);
        int result = inflate(&stream_, Z_NO_FLUSH);
        // Members that give nothing are gone through here: each call makes room for `most` bytes.
        while (result == Z_STREAM_END && another_member() && stream_.avail_out == most)
            result = inflate(&stream_, Z_NO_FLUSH);
        out.resize(out.size() - stream_.avail_out);
        if (result == Z_STREAM_END && stream_.avail_in == 0) return false;
        if (result == Z_STREAM_END && members_ > kMostMembers)
            return fail(Fault::invalid_encoding,
                        fmt::format("the body is of more than {} gzip members; compress it as one", kMostMembers));
        if (result == Z_STREAM_END && !begins_anew_) return more_behind(name());
        // No progress with room to write means that the input has ended too early.
        if (result != Z_STREAM_END && (result != Z_OK || stream_.avail_out == most)) return broken(name());
        return true;
    }

  private:
    static constexpr int kWindow = 15, kGzip = 16;
    static constexpr std::size_t kMostMembers = 65'536;
    std::string_view name() const { return gzip_ ? "gzip" : "deflate"; }
    // A gzip file is a series of members, whose contents follow one another (RFC 1952, section 2.2).
    bool another_member() {
        begins_anew_ = gzip_ && stream_.avail_in >= 2 && stream_.next_in[0] == 0x1F && stream_.next_in[1] == 0x8B &&
                       ++members_ <= kMostMembers && inflateReset(&stream_) == Z_OK;
        return begins_anew_;
    }
    bool begin(std::string_view packed) {
        constexpr unsigned kZlib = 8, kCheck = 31;
        const bool framed =
            packed.size() >= 2 && (static_cast<unsigned char>(packed[0]) & 15U) == kZlib &&
            (static_cast<unsigned char>(packed[0]) * 256U + static_cast<unsigned char>(packed[1])) % kCheck == 0;
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
        stream_.avail_in = static_cast<uInt>(packed.size());
        begun_ = inflateInit2(&stream_, gzip_ ? kWindow + kGzip : framed ? kWindow : -kWindow) == Z_OK;
        return begun_;
    }
    const bool gzip_;
    bool begun_ = false;
    bool begins_anew_ = false;  // at another member
    std::size_t members_ = 1;
    z_stream stream_{};
};

class Brotli final : public Unpacker {
  public:
    Result<bool> next(std::string_view packed, std::string& out, std::size_t most) override {
        if (!state_) return broken("br");
        const auto before = out.size();
        out.resize(before + most);
        auto left = packed.size() - used_;
        const auto* in = reinterpret_cast<const std::uint8_t*>(packed.data()) + used_;
        auto room = most;
        auto* to = reinterpret_cast<std::uint8_t*>(out.data() + before);
        const auto result = BrotliDecoderDecompressStream(state_.get(), &left, &in, &room, &to, nullptr);
        used_ = packed.size() - left;
        out.resize(out.size() - room);
        if (result == BROTLI_DECODER_RESULT_SUCCESS && used_ < packed.size()) return more_behind("br");
        if (result == BROTLI_DECODER_RESULT_SUCCESS) return false;
        if (result != BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT) return broken("br");
        return true;
    }

  private:
    struct End {
        void operator()(BrotliDecoderState* state) const { BrotliDecoderDestroyInstance(state); }
    };
    std::unique_ptr<BrotliDecoderState, End> state_{BrotliDecoderCreateInstance(nullptr, nullptr, nullptr)};
    std::size_t used_ = 0;
};

class Zstd final : public Unpacker {
  public:
    Zstd() {
        if (stream_) ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, kWindowLog);
    }
    Result<bool> next(std::string_view packed, std::string& out, std::size_t most) override {
        if (!stream_) return broken("zstd");
        const auto before = out.size();
        out.resize(before + most);
        ZSTD_inBuffer in{packed.data(), packed.size(), used_};
        ZSTD_outBuffer to{out.data() + before, most, 0};
        auto result = ZSTD_decompressStream(stream_.get(), &to, &in);
        // Frames that give nothing are gone through here: each call makes room for `most` bytes.
        while (ZSTD_isError(result) == 0 && to.pos == 0 && in.pos < packed.size()) {
            between_ = result == 0;
            result = ZSTD_decompressStream(stream_.get(), &to, &in);
        }
        used_ = in.pos;
        out.resize(before + to.pos);
        if (ZSTD_isError(result) != 0) return not_decoded(result);
        if (result == 0 && used_ == packed.size()) return false;  // the end of the last frame
        if (to.pos == 0 && used_ == packed.size()) return between_ ? more_behind("zstd") : broken("zstd");
        between_ = result == 0;
        return true;
    }

  private:
    // The window is memory that is taken before the first byte comes (RFC 8878 asks for 8 MB at least).
    static constexpr int kWindowLog = 23;
    std::unexpected<Error> not_decoded(std::size_t result) const {
        const auto code = ZSTD_getErrorCode(result);
        if (code == ZSTD_error_frameParameter_windowTooLarge)
            return fail(Fault::invalid_encoding,
                        fmt::format("the body's zstd wants a window of more than {} MiB; compress it without --ultra "
                                    "and --long (a window log of {} at most)",
                                    (1 << kWindowLog) >> 20, kWindowLog));
        if (between_ && code == ZSTD_error_prefix_unknown) return more_behind("zstd");
        return broken("zstd");
    }
    struct End {
        void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
    };
    std::unique_ptr<ZSTD_DStream, End> stream_{ZSTD_createDStream()};
    std::size_t used_ = 0;
    bool between_ = false;  // a frame has ended, and no other has begun
};

}  // namespace

Result<std::unique_ptr<Unpacker>> unpacker_of(std::string_view coding) {
    const auto name = lower(trim(coding));
    std::unique_ptr<Unpacker> unpacker;
    if (name.empty() || name == "identity") return unpacker;
    if (name == "gzip" || name == "x-gzip" || name == "deflate")
        unpacker = std::make_unique<Inflate>(name != "deflate");
    else if (name == "br")
        unpacker = std::make_unique<Brotli>();
    else if (name == "zstd")
        unpacker = std::make_unique<Zstd>();
    else
        return fail(Fault::invalid_encoding,
                    fmt::format("Content-Encoding: '{}' is not known here; send the body plain, or in one of {}",
                                printable(name, 40), kCodings));
    return unpacker;
}

}  // namespace tandem::net
