// A provider's stream, raw bytes cut anywhere, through every relay: first byte the dialect behind, second the dialect
// in front, third the size of the pieces.
#include <cstdlib>

#include "chat/filter.h"
#include "chat/rendered_tools.h"
#include "translate/relay.h"

namespace dialect = tandem::dialect;
namespace translate = tandem::translate;

namespace {

std::string run(translate::StreamRelay& relay, std::string_view stream, std::size_t size) {
    std::string out;
    for (std::size_t at = 0; at < stream.size() && !relay.done() && !relay.failed(); at += size) {
        if (!relay.feed(stream.substr(at, size))) return out;
        out += relay.take();
    }
    if (!relay.done() && !relay.failed()) relay.end();
    if (relay.failed()) return out + relay.fail(*relay.failed());
    return out + relay.finish(relay.usage().value_or(tandem::Usage{}));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    if (size < 3) return 0;
    const auto& behind = dialect::of(static_cast<dialect::Kind>(data[0] % 5));
    const auto& front = dialect::of(static_cast<dialect::Kind>(data[1] % 5));
    const std::string_view stream(reinterpret_cast<const char*>(data) + 3, size - 3);
    static const tandem::chat::Request request;
    dialect::AnswerFrame frame;
    frame.id = "x";
    frame.request = &request;
    auto translated = [&](std::size_t piece) {
        std::vector<std::unique_ptr<tandem::chat::EventFilter>> filters;
        filters.push_back(tandem::chat::think_filter());
        if (data[1] >= 128) filters.push_back(tandem::chat::rendered_tools_filter("x"));
        filters.push_back(tandem::chat::id_filter("x"));
        filters.push_back(tandem::chat::custom_filter({"g"}));
        const auto relay = translate::translating_relay(behind, front.writer(frame), 1, std::move(filters));
        return run(*relay, stream, piece);
    };
    const std::size_t piece = 1 + data[2] % 64;
    // However it is cut, a client gets the same.
    if (translated(piece) != translated(stream.size() + 1)) std::abort();
    (void)run(*translate::same_relay(behind, frame), stream, piece);
    (void)run(*translate::chat_relay({.wants_usage = true}), stream, piece);
    return 0;
}
