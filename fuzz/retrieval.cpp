// Our own readers of files, the frames between them and us, and what people look for: nothing ends the process, and
// what is taken holds its bounds. Libraries' readers (HTML, Markdown) run besides, as their callers use them.
#include <cstdlib>

#include "retrieval/chunk/chunk.h"
#include "retrieval/extract/charset.h"
#include "retrieval/extract/formats.h"
#include "retrieval/extract/wire.h"
#include "retrieval/search/words.h"
#include "retrieval/watch/ignore.h"

namespace {

using namespace tandem::retrieval;

void check(bool holds) {
    if (!holds) std::abort();
}

void read_file(const Format& format, std::string_view bytes) {
    Answer answer;
    constexpr std::size_t kMost = 1UL << 20;
    if (!extract(format, {bytes, "file", kMost}, answer.extracted, answer.why)) {
        check(!answer.why.empty());
        return;
    }
    check(answer.extracted.text_bytes <= kMost);
    for (const auto& block : answer.extracted.blocks)
        check(is_utf8(block.text) && block.begin <= block.end && block.first_line <= block.last_line);
    check(decode_answer(encode(answer)).has_value());
    for (const auto& chunk : chunks_of(answer.extracted)) {
        check(!chunk.text.empty() && is_utf8(chunk.text) && is_utf8(chunk.heading));
        check(tokens_at_most(chunk.text) + tokens_at_most(chunk.heading) <= kMostChunkTokens);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    const auto all = formats();
    const auto which = data[0] % (all.size() + 3);
    if (which < all.size()) {
        read_file(all[which], text);
    } else if (which == all.size()) {
        (void)decode_answer(text);
        (void)decode_question(text);
    } else if (which == all.size() + 1) {
        const auto query = parse_query(text, 1'700'000'000'000);
        const std::array languages{Language::english, Language::german};
        const auto words = words_of(query, languages);
        check(words.asked.size() <= words.explained.size());
        (void)snippet_of(text, words, languages);
    } else {
        const auto half = text.size() / 2;
        (void)glob_matches(text.substr(0, half), text.substr(half));
        (void)IgnoreRules().with("", text.substr(0, half)).ignores(text.substr(half), false);
    }
    return 0;
}
