// The decoder of chat requests, and of chunks. What decodes, encodes to something that decodes to the same.
#include <cstdlib>

#include "dialect/openai_chat.h"
#include "privacy/detect.h"

namespace dialect = tandem::dialect::openai_chat;
using tandem::json::Document;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    Document document;
    if (!document.parse(text)) return 0;
    (void)tandem::privacy::all_text(document);
    std::vector<tandem::chat::Event> events;
    dialect::decode_chunk(document.root(), events);
    const auto facts = dialect::chunk_facts(document.root());
    std::size_t finished = 0, used = 0;
    for (const auto& event : events) {
        finished += std::holds_alternative<tandem::chat::Finished>(event) ? 1 : 0;
        used += std::holds_alternative<tandem::chat::Used>(event) ? 1 : 0;
    }
    if (!facts.error && (facts.finished != finished || facts.usage.has_value() != (used == 1))) std::abort();
    dialect::decode_answer(document.root(), events);
    for (const auto& event : events) (void)dialect::encode_chunk(event, {"id", "model", 1});
    const auto request = dialect::decode_request(document);
    if (!request) return 0;
    Document forwarded;
    if (!forwarded.parse(dialect::forward_request(document, "m", true))) std::abort();
    if (forwarded.root()["model"].text() != "m" ||
        forwarded.root()["stream_options"]["include_usage"].boolean() != true)
        std::abort();
    Document encoded;
    if (!encoded.parse(dialect::encode_request(*request, request->model))) std::abort();
    const auto again = dialect::decode_request(encoded);
    if (!again || !(*again == *request)) std::abort();
    return 0;
}
