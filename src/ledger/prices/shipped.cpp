// The book in the binary: deflated bytes that packaging/prices/make_book.py made, put here by the assembler.
#include <zlib.h>

#include <algorithm>
#include <utility>

#include "ledger/prices/books.h"

// NOLINTNEXTLINE: the assembler's own words
asm(".section .rodata\n"
    ".balign 16\n"
    ".global tandem_price_book\n"
    "tandem_price_book:\n"
    ".incbin \"" TANDEM_PRICE_BOOK
    "\"\n"
    ".global tandem_price_book_end\n"
    "tandem_price_book_end:\n"
    ".byte 0\n"
    ".previous\n");

extern "C" {
extern const unsigned char tandem_price_book[];
extern const unsigned char tandem_price_book_end[];
}

namespace tandem::prices {

namespace {

constexpr std::size_t kMostBytes = 64 << 20;

Result<std::string> inflated(const unsigned char* bytes, std::size_t size) {
    z_stream stream{};
    if (inflateInit2(&stream, 15 + 32) != Z_OK)
        return fail(ErrorCode::internal, "the price book cannot be inflated: no memory");
    stream.next_in = const_cast<unsigned char*>(bytes);
    stream.avail_in = static_cast<unsigned>(size);
    std::string out(4 << 20, '\0');
    int state = Z_OK;
    while (state == Z_OK && out.size() <= kMostBytes) {
        if (stream.total_out == out.size()) out.resize(out.size() * 2);
        stream.next_out = reinterpret_cast<unsigned char*>(out.data()) + stream.total_out;
        stream.avail_out = static_cast<unsigned>(out.size() - stream.total_out);
        state = inflate(&stream, Z_NO_FLUSH);
    }
    out.resize(stream.total_out);
    inflateEnd(&stream);
    if (state != Z_STREAM_END)
        return fail(ErrorCode::internal, "the price book in this binary is broken; build it again");
    return out;
}

Result<std::string> shipped_text() {
    return inflated(tandem_price_book, static_cast<std::size_t>(tandem_price_book_end - tandem_price_book));
}

Result<std::shared_ptr<const Book>> parsed(const std::string& text) {
    auto book = Book::parse(text);
    if (!book) return fail(ErrorCode::internal, book.error().message);
    return std::make_shared<const Book>(std::move(*book));
}

Result<std::shared_ptr<const Book>> read_shipped() {
    const auto text = shipped_text();
    return text ? parsed(*text) : fail(text.error());
}

// The book's text without the entries of other providers. make_book.py writes an entry a line, its provider first.
std::string with_entries_of(std::string_view text, const std::vector<std::string>& providers) {
    constexpr std::string_view kEntry = "\n{\"provider\":\"";
    auto at = text.find(kEntry);
    std::string out(text.substr(0, at));
    for (bool first = true; at != std::string_view::npos; at = text.find(kEntry, at + 1)) {
        const auto from = at + kEntry.size();
        if (std::ranges::find(providers, text.substr(from, text.find('"', from) - from)) == providers.end()) continue;
        const auto line = text.substr(at + 1, text.find('\n', at + 1) - at - 1);
        if (!std::exchange(first, false)) out += ',';
        out += line.substr(0, line.rfind('}') + 1);
    }
    return out + "]}";
}

}  // namespace

Result<std::shared_ptr<const Book>> shipped_book() {
    static const auto book = read_shipped();
    return book;
}

Result<std::shared_ptr<const Book>> shipped_book(const std::vector<std::string>& providers) {
    const auto text = shipped_text();
    return text ? parsed(with_entries_of(*text, providers)) : fail(text.error());
}

}  // namespace tandem::prices
