#include "net/coding.h"

#include <brotli/decode.h>
#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>

#include "base/text.h"

namespace tandem::net {

namespace {

std::unexpected<Error> broken(std::string_view coding) {
    return fail(ErrorCode::invalid,
                fmt::format("the body is not what its Content-Encoding says: it is no whole {}", coding));
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
        const int result = inflate(&stream_, Z_NO_FLUSH);
        out.resize(out.size() - stream_.avail_out);
        if (result == Z_STREAM_END) return false;
        // No progress with room to write means that the input has ended too early.
        if (result != Z_OK || stream_.avail_out == most) return broken(name());
        return true;
    }

  private:
    static constexpr int kWindow = 15, kGzip = 16;
    std::string_view name() const { return gzip_ ? "gzip" : "deflate"; }
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
        // The window is memory that is taken before the first byte comes (RFC 8878 asks for 8 MB at least).
        constexpr int kWindowLog = 23;
        if (stream_) ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, kWindowLog);
    }
    Result<bool> next(std::string_view packed, std::string& out, std::size_t most) override {
        if (!stream_) return broken("zstd");
        const auto before = out.size();
        out.resize(before + most);
        ZSTD_inBuffer in{packed.data(), packed.size(), used_};
        ZSTD_outBuffer to{out.data() + before, most, 0};
        const auto result = ZSTD_decompressStream(stream_.get(), &to, &in);
        used_ = in.pos;
        out.resize(before + to.pos);
        if (ZSTD_isError(result) != 0) return broken("zstd");
        if (result == 0 && used_ == packed.size()) return false;  // the end of the last frame
        if (to.pos == 0 && used_ == packed.size()) return broken("zstd");
        return true;
    }

  private:
    struct End {
        void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
    };
    std::unique_ptr<ZSTD_DStream, End> stream_{ZSTD_createDStream()};
    std::size_t used_ = 0;
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
        return fail(ErrorCode::invalid,
                    fmt::format("Content-Encoding: '{}' is not known here; send the body plain, or in one of {}",
                                printable(name, 40), kCodings));
    return unpacker;
}

}  // namespace tandem::net
