// Every dialect's decoder of requests, and its readers of answers. The first byte picks the dialect, the rest is JSON.
// What decodes encodes to JSON that decodes to the same; what an answer is read as, every writer can say.
#include <cstdio>
#include <cstdlib>

#include "dialect/anthropic.h"
#include "dialect/embeddings.h"
#include "dialect/losses.h"
#include "dialect/openai_chat.h"
#include "privacy/detect.h"

namespace dialect = tandem::dialect;
using tandem::json::Document;

namespace {

void check_answers(const dialect::Dialect& client, const Document& document) {
    auto reader = client.reader();
    dialect::Events events;
    reader->piece(document.root(), events);
    reader->piece(document.root(), events);
    reader->end(events);
    auto other = client.reader();
    dialect::Events whole;
    other->whole(document.root(), whole);
    tandem::chat::Assembler assembler("");
    for (const auto& event : events) assembler.take(event);
    const tandem::chat::Request request;
    for (int kind = 0; kind < 5; ++kind) {
        dialect::AnswerFrame frame;
        frame.id = "x";
        frame.request = &request;
        auto writer = dialect::of(static_cast<dialect::Kind>(kind)).writer(frame);
        std::string out;
        for (const auto& event : events) writer->event(event, out);
        writer->end({}, out);
        Document said;
        if (!said.parse(dialect::of(static_cast<dialect::Kind>(kind)).writer(frame)->whole(assembler.answer(), {})))
            std::abort();
    }
}

void check_request(const dialect::Dialect& client, const dialect::Incoming& incoming) {
    const auto request = client.decode_request(incoming);
    if (!request) return;
    const dialect::Target target{"m", request->stream, true, 4096};
    Document forwarded;
    if (!forwarded.parse(client.forward_request(incoming, target).body)) std::abort();
    for (int speaker = 0; speaker < 6; ++speaker) {
        const auto to = static_cast<dialect::Speaker>(speaker);
        const auto& provider = dialect::of(dialect::kind_of(to));
        const auto fitted = dialect::fit(*request, to, true);
        const auto outgoing = provider.encode_request(fitted.request, target);
        Document encoded;
        if (!encoded.parse(outgoing.body)) std::abort();
        const auto again = provider.decode_request({encoded, "/v1beta" + outgoing.path});
        // A request can be empty once what its target does not have is gone.
        if (!again) continue;
        const auto once_more = dialect::fit(*again, to, true);
        const auto second = provider.encode_request(once_more.request, target).body;
        if (second == outgoing.body) continue;
        std::fprintf(stderr, "speaker %d, once:  %s\nspeaker %d, twice: %s\n", speaker, outgoing.body.c_str(), speaker,
                     second.c_str());
        std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    if (size < 1) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    Document document;
    if (!document.parse(text)) return 0;
    (void)tandem::privacy::all_text(document);
    const auto kind = static_cast<dialect::Kind>(data[0] % 5);
    const auto& client = dialect::of(kind);
    static constexpr std::string_view kPaths[] = {"/v1/chat/completions", "/v1/responses", "/v1/messages",
                                                  "/v1beta/models/m:generateContent", "/api/chat"};
    const dialect::Incoming incoming{document, kPaths[data[0] % 5]};
    check_answers(client, document);
    check_request(client, incoming);
    (void)dialect::openai_chat::decode_completion(document);
    (void)dialect::openai_chat::chunk_facts(document.root());
    (void)dialect::anthropic::dialect().decode_request({document, "/v1/messages/count_tokens"});
    (void)dialect::decode_embed(kind, incoming);
    (void)dialect::decode_rerank(document);
    for (int speaker = 0; speaker < 6; ++speaker)
        (void)dialect::decode_embeddings(static_cast<dialect::Speaker>(speaker), document.root(), 2);
    return 0;
}
