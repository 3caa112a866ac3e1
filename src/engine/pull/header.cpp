#include "engine/pull/header.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "engine/pull/pull.h"

namespace tandem::engine {

namespace {

constexpr std::int64_t kFirst = 1LL << 20;  // bytes that are asked for at first; then twice as many in all
constexpr int kMore = 2;
constexpr int kMostTries = 3;

// The bytes from `bytes.size()` to `end`, added to them.
net::Task<Tried<bool>> add_range(Web& web, const Located& located, std::int64_t end, std::string& bytes) {
    using Failed = std::unexpected<Trouble>;
    const auto begin = static_cast<std::int64_t>(bytes.size());
    auto answer = co_await web.get(located.url, {begin, end - 1}, "");
    if (!answer) co_return Failed(std::move(answer.error()));
    if (answer->status() != 206) co_return Failed(trouble_of(answer->status(), answer->headers(), located.url));
    if (!answer->headers().get("content-range").starts_with(fmt::format("bytes {}-", begin)))
        co_return Failed(Trouble{
            .error = {ErrorCode::upstream, shown(located.url) + " sent another part of the file than was asked for"}});
    auto part = co_await answer->read_first(static_cast<std::size_t>(end - begin));
    if (!part) co_return Failed(Trouble{.error = part.error(), .again = part.error().code != ErrorCode::cancelled});
    bytes += *part;
    co_return true;
}

}  // namespace

net::Task<Result<RemoteHeader>> header_of(Web& web, Piece piece) {
    auto located = co_await web.locate(piece.url);
    if (!located) co_return fail(located.error().error);
    if (!located->ranges || located->size < 0)
        co_return fail(
            ErrorCode::upstream,
            fmt::format("{} gives no parts of a file: its header cannot be read without all of it", shown(piece.url)));
    if (located->size > kLargestFile) co_return fail(too_large(piece.name, located->size));
    if (piece.size >= 0 && located->size != piece.size)
        co_return fail(ErrorCode::upstream, fmt::format("{} has {} bytes where {} are said to be", shown(piece.url),
                                                        located->size, piece.size));
    std::string bytes;
    int tries = 0;
    for (auto wanted = std::min(kFirst, located->size);;) {
        if (static_cast<std::int64_t>(bytes.size()) < wanted) {
            const auto before = bytes.size();
            auto came = co_await add_range(web, *located, wanted, bytes);
            tries = bytes.size() > before ? 0 : tries + 1;
            if (!came && (!came.error().again || tries >= kMostTries)) co_return fail(came.error().error);
            if (!came)
                if (auto ok = co_await web.wait(came.error(), tries); !ok) co_return fail(ok.error());
            if (tries >= kMostTries)
                co_return fail(ErrorCode::upstream, shown(piece.url) + " gives an empty part of the file");
            continue;
        }
        std::istringstream in(bytes);
        auto facts = read_gguf(in, static_cast<std::uint64_t>(located->size));
        if (facts) co_return RemoteHeader{std::move(*facts), located->size, static_cast<std::int64_t>(bytes.size())};
        const auto most = std::min(kLongestHeader, located->size);
        if (!in.eof() || wanted == located->size)
            co_return fail(facts.error().code, fmt::format("{}: {}", piece.name, facts.error().message));
        if (wanted >= most)
            co_return fail(ErrorCode::too_large,
                           fmt::format("the header of {} does not end within {} bytes", piece.name, kLongestHeader));
        wanted = std::min(most, wanted * kMore);
    }
}

}  // namespace tandem::engine
