// Content codings of request bodies (RFC 9110, section 8.4): gzip, deflate, br, zstd, undone piece by piece, so that
// whoever asks bounds what a small body grows to.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tandem::net {

class Unpacker {
  public:
    virtual ~Unpacker() = default;
    // Appends at most `most` bytes of what `packed` stands for to `out`; false once all of it has come. `packed` is the
    // same at each call, and outlives the calls. Errors: invalid, where it is no such coding, ends early, or has other
    // bytes behind its end. Members of gzip and frames of zstd may follow one another.
    virtual Result<bool> next(std::string_view packed, std::string& out, std::size_t most) = 0;
};

// By the value of Content-Encoding; null where there is nothing to undo. Errors: invalid, for a coding that is not
// known, or several.
Result<std::unique_ptr<Unpacker>> unpacker_of(std::string_view coding);

// What can be undone, for Accept-Encoding.
inline constexpr std::string_view kCodings = "gzip, deflate, br, zstd";

}  // namespace tandem::net
