// The SSE parser gives the same events however its input is cut.
#include "net/sse.h"

#include <cstdlib>
#include <string>

using tandem::net::SseEvent;
using tandem::net::SseParser;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    std::string whole, pieces;
    auto into = [](std::string& out) {
        return [&out](const SseEvent& e) { out.append(e.type).append("\x1e").append(e.data).append("\x1f"); };
    };
    SseParser one;
    (void)one.feed(text, into(whole));
    one.finish(into(whole));
    SseParser many;
    std::size_t step = size > 0 ? data[0] % 7 + 1 : 1;
    for (std::size_t at = 0; at < size; at += step) (void)many.feed(text.substr(at, step), into(pieces));
    many.finish(into(pieces));
    if (whole != pieces) std::abort();
    return 0;
}
