// An answer in which a model may have written calls, cut anywhere: however it is cut, a client gets the same, and what
// it gets as arguments is JSON. The first byte is the size of the pieces.
#include <cstdlib>

#include "base/json.h"
#include "chat/answer.h"
#include "tools/reader.h"

namespace chat = tandem::chat;
namespace tools = tandem::tools;

namespace {

std::shared_ptr<const tools::Offer> offer() {
    chat::Tool get, put;
    get.name = "get";
    get.parameters.json = R"({"type":"object","properties":{"a":{"type":"string"},"n":{"type":"integer"}}})";
    put.name = "put";
    return std::make_shared<const tools::Offer>(std::vector<chat::Tool>{get, put});
}

std::string run(std::string_view answer, std::size_t size) {
    static const auto some = offer();
    auto notes = std::make_shared<tools::CallNotes>();
    const auto read = tools::written_calls(some, "x", true, notes), held = tools::held_calls(some, {}, notes);
    std::vector<chat::Event> out, events;
    for (std::size_t at = 0; at < answer.size(); at += size)
        read->take(chat::TextDelta{0, std::string(answer.substr(at, size))}, out);
    read->take(chat::Finished{}, out);
    read->end(out);
    for (auto& event : out) held->take(std::move(event), events);
    held->end(events);
    std::string all, text;
    for (const auto& event : events) {
        if (const auto* said = std::get_if<chat::TextDelta>(&event)) text += said->text;
        if (const auto* call = std::get_if<chat::ToolCallDelta>(&event)) {
            tandem::json::Document document;
            if (!document.parse(call->arguments) && notes->wrong.empty()) std::abort();
            all += call->name + call->arguments + "\n";
        }
    }
    return all + text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    if (size < 1) return 0;
    const std::string_view answer(reinterpret_cast<const char*>(data) + 1, size - 1);
    if (run(answer, 1 + data[0] % 32) != run(answer, answer.size() + 1)) std::abort();
    return 0;
}
