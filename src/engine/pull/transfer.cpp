#include "engine/pull/transfer.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <optional>

#include "base/base64.h"
#include "base/hash.h"
#include "base/sha256.h"
#include "base/text.h"
#include "net/children.h"

namespace tandem::engine {

namespace fs = std::filesystem;

namespace {

constexpr int kMostTries = 10;     // of a range, without a byte in between
constexpr int kMostRefused = 4;    // of those, that the server refused: a new address did not help
constexpr int kMostWrong = 4;      // times that a range may come wrong
constexpr int kMostMisplaced = 2;  // times that another part than was asked for may come
// What brings less than this in that time is left, and asked for again; after so many times in a row it is given up.
constexpr milliseconds kSlowTime{20'000};
constexpr std::int64_t kSlowBytes = 20 * 1024;  // 1 KiB a second
constexpr int kMostSlow = 3;
constexpr std::int64_t kNoteEvery = 1LL << 20;  // bytes of a range, between two notes of how far it is
constexpr milliseconds kTick{250};

// RFC 9530: Content-Digest: sha-256=:BASE64:. Of the bytes of this answer; empty where there is none.
std::string digest_of(const net::Fields& headers) {
    const auto field = headers.get("content-digest");
    const auto at = field.find("sha-256=:");
    if (at == std::string_view::npos) return {};
    const auto text = field.substr(at + 9, field.find(':', at + 9) - at - 9);
    const auto bytes = from_base64(text);
    if (!bytes || bytes->size() != 32) return {};
    return hex({reinterpret_cast<const std::uint8_t*>(bytes->data()), bytes->size()});
}

// The last byte of "bytes FIRST-LAST/SIZE", below 0 where it says another beginning or size. A server may give less
// than was asked for (RFC 9110 section 14.2).
std::int64_t last_of(std::string_view content_range, std::int64_t first, std::int64_t size) {
    const auto begin = fmt::format("bytes {}-", first), end = fmt::format("/{}", size);
    if (!content_range.starts_with(begin) || !content_range.ends_with(end)) return -1;
    if (content_range.size() < begin.size() + end.size()) return -1;
    content_range.remove_prefix(begin.size());
    content_range.remove_suffix(end.size());
    return whole_number(content_range).value_or(-1);
}

Result<> check_head(std::string_view head) {
    if (head.starts_with("GGUF")) return {};
    const std::string_view hint = head.starts_with("version https://git-lfs") ? " (it is a pointer of Git LFS)"
                                  : head.starts_with("<")                     ? " (it is a page of a web site)"
                                                                              : "";
    return fail(ErrorCode::invalid, fmt::format("the file is no GGUF file{}: it begins with '{}'", hint,
                                                printable(head.substr(0, 16), 24)));
}

// Whether bytes come faster than the floor, in each stretch of kSlowTime.
class Pace {
  public:
    // Nothing while they do.
    std::optional<Trouble> take(std::size_t bytes, std::string_view url) {
        const auto now = std::chrono::steady_clock::now();
        bytes_ += static_cast<std::int64_t>(bytes);
        if (now - since_ < kSlowTime) return std::nullopt;
        const auto came = std::exchange(bytes_, 0);
        const auto took = std::chrono::duration_cast<std::chrono::seconds>(now - std::exchange(since_, now));
        if (came >= kSlowBytes) return std::nullopt;
        return Trouble{
            .error = {ErrorCode::timeout, fmt::format("{} sent {} bytes in {} s", shown(url), came, took.count())},
            .again = true,
            .slow = true};
    }

  private:
    std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
    std::int64_t bytes_ = 0;
};

// One word on how often it was tried.
Error given_up(Error error, int times) {
    error.message += fmt::format(", {} times: it is too slow to be waited for; what is there is kept", times);
    return error;
}

class Transfer {
  public:
    Transfer(Web& web, Piece piece, Fetching how) : web_(web), piece_(std::move(piece)), how_(std::move(how)) {}
    net::Task<Result<Fetched>> run(fs::path target);

  private:
    struct Attempt {  // of one range
        Sha256* sha = nullptr;
        std::int64_t have = 0;  // bytes of it
        std::string said;       // Content-Digest of a whole range
    };
    Result<> open();
    net::Task<> work();
    net::Task<> watch();
    net::Task<Result<>> all_ranges();
    net::Task<Result<>> range(std::size_t index);
    net::Task<Result<bool>> once(std::size_t index);
    net::Task<Tried<bool>> ask(const FileRange& range, Attempt& attempt);
    net::Task<Tried<bool>> read(net::Answer& answer, const FileRange& range, Attempt& attempt);
    net::Task<Tried<bool>> read_whole(net::Answer& answer);
    net::Task<Result<>> whole();
    net::Task<Result<>> place();
    net::Task<Result<std::string>> checked();
    net::Task<Result<>> mend_disk();
    net::Task<Result<bool>> mend_source(std::string& sha256);
    Result<> check_room() const;
    void stop(Error error);
    void note(const std::string& text) const {
        if (how_.note) how_.note(text);
    }

    Web& web_;
    Piece piece_;
    Fetching how_;
    std::optional<PartFile> part_;
    Located located_;
    bool stale_ = false, placing_ = false;
    std::size_t next_ = 0;
    std::int64_t under_way_ = 0;  // bytes of ranges that are not whole
    std::int64_t asked_ = 0;
    std::optional<Error> stopped_;
    bool over_ = false;
};

void Transfer::stop(Error error) {
    if (!stopped_) stopped_ = std::move(error);
    web_.cancel().fire(net::Cancel::Reason::not_needed);
}

Result<> Transfer::check_room() const {
    return engine::check_room(how_.folder, piece_.size - part_->done(), piece_.name, how_.folder.parent_path());
}

// The key is the file's, not its address: a mirror goes on with what another one began.
Result<> Transfer::open() {
    const auto what = !piece_.sha256.empty() ? piece_.sha256 : piece_.url;
    const auto version = !piece_.sha256.empty() ? piece_.sha256 : located_.validator;
    auto ranges = covers(piece_.ranges, piece_.size) ? piece_.ranges : ranges_of(piece_.size);
    const auto identity =
        version.empty()
            ? "- " + piece_.name
            : hex(sha256(fmt::format("{} {} {} {}", what, version, piece_.size, ranges.size()))) + " " + piece_.name;
    auto part = PartFile::open(how_.folder, hex(sha256(what)).substr(0, 32), identity, piece_.size, std::move(ranges));
    if (!part) return fail(part.error());
    part_.emplace(std::move(*part));
    return check_room();
}

net::Task<Result<>> Transfer::place() {
    auto located = co_await web_.locate(piece_.url);
    if (!located) co_return fail(located.error().error);
    if (located->size < 0)
        co_return fail(ErrorCode::upstream, fmt::format("{} does not say how large it is", shown(piece_.url)));
    if (located->size > kLargestFile) co_return fail(too_large(piece_.name, located->size));
    if (piece_.size >= 0 && located->size != piece_.size)
        co_return fail(ErrorCode::upstream, fmt::format("{} has {} bytes where {} are said to be", shown(piece_.url),
                                                        located->size, piece_.size));
    if (!piece_.sha256.empty() && !located->sha256.empty() && located->sha256 != piece_.sha256)
        co_return fail(ErrorCode::upstream, fmt::format("{} has the SHA-256 {} where {} is said to be",
                                                        shown(piece_.url), located->sha256, piece_.sha256));
    if (!located_.validator.empty() && piece_.sha256.empty() && located->validator != located_.validator)
        co_return fail(ErrorCode::upstream,
                       fmt::format("{} has changed while it was fetched; run the command again", shown(piece_.url)));
    piece_.size = located->size;
    if (piece_.sha256.empty()) piece_.sha256 = located->sha256;
    located_ = std::move(*located);
    co_return Result<>{};
}

// Reads what is left of the range.
net::Task<Tried<bool>> Transfer::read(net::Answer& answer, const FileRange& range, Attempt& attempt) {
    using Failed = std::unexpected<Trouble>;
    Pace pace;
    while (attempt.have < range.size()) {
        auto bytes = co_await answer.read();
        if (!bytes)
            co_return Failed(Trouble{.error = bytes.error(), .again = bytes.error().code != ErrorCode::cancelled});
        if (bytes->empty())
            co_return Failed(
                Trouble{.error = {ErrorCode::upstream, shown(located_.url) + " ended early"}, .again = true});
        if (attempt.have + static_cast<std::int64_t>(bytes->size()) > range.size())
            co_return Failed(Trouble{
                .error = {ErrorCode::upstream, shown(located_.url) + " sent more than was asked for"}, .again = true});
        if (auto ok = part_->write(range.first + attempt.have, *bytes); !ok)
            co_return Failed(Trouble{.error = ok.error()});
        attempt.sha->add(*bytes);
        const auto before = attempt.have / kNoteEvery;
        attempt.have += static_cast<std::int64_t>(bytes->size());
        if (attempt.have / kNoteEvery > before && attempt.have < range.size())
            part_->note_part(static_cast<std::size_t>(&range - part_->ranges().data()), attempt.have);
        under_way_ += static_cast<std::int64_t>(bytes->size());
        asked_ += static_cast<std::int64_t>(bytes->size());
        if (auto slow = pace.take(bytes->size(), located_.url)) co_return Failed(std::move(*slow));
    }
    co_await answer.read();  // the end, so that the connection can be kept
    co_return true;
}

// One answer for what is missing of the range. True where the range is whole.
net::Task<Tried<bool>> Transfer::ask(const FileRange& range, Attempt& attempt) {
    using Failed = std::unexpected<Trouble>;
    const auto first = range.first + attempt.have;
    const auto url = located_.url;
    auto answer = co_await web_.get(url, {first, range.last}, piece_.sha256.empty() ? located_.validator : "");
    if (!answer) co_return Failed(std::move(answer.error()));
    const int status = answer->status();
    if (status == 206) {
        const auto said = answer->headers().get("content-range");
        const auto last = last_of(said, first, piece_.size);
        if (last < first || last > range.last)
            co_return Failed(
                Trouble{.error = {ErrorCode::upstream, fmt::format("{} sent '{}' for bytes {}-{}", shown(url),
                                                                   printable(said, 60), first, range.last)},
                        .again = true,
                        .misplaced = true});
        if (attempt.have == 0 && last == range.last) attempt.said = digest_of(answer->headers());
        co_return co_await read(*answer, range, attempt);
    }
    auto trouble = trouble_of(status, answer->headers(), url);
    if (status == 200)
        trouble.error.message = piece_.sha256.empty()
                                    ? shown(url) + " has changed while it was fetched; run the command again"
                                    : shown(url) + " sent the whole file where a range was asked for";
    // A signed address expires, and one node of many may have lost the file: the source itself is asked again.
    const bool elsewhere =
        located_.redirected && (status == 400 || status == 401 || status == 403 || status == 404 || status == 410);
    if (elsewhere && located_.url == url) stale_ = true;
    if (elsewhere) trouble.again = true;
    co_return Failed(std::move(trouble));
}

// The range once, over as many answers as it takes. False where it came wrong.
net::Task<Result<bool>> Transfer::once(std::size_t index) {
    auto& range = part_->ranges()[index];
    Sha256 sha;
    Attempt attempt{.sha = &sha, .have = std::exchange(range.have, 0), .said = {}};
    if (attempt.have > 0) {  // an earlier run left it
        range.odd = true;
        if (auto ok = part_->read_into(range.first, attempt.have, sha); !ok) co_return fail(ok.error());
        under_way_ += attempt.have;
    }
    for (int tries = 0, slow = 0, misplaced = 0; attempt.have < range.size();) {
        while (placing_)
            co_await net::sleep_until(web_.worker(), std::chrono::steady_clock::now() + kTick, web_.cancel());
        if (stopped_) co_return fail(*stopped_);
        if (stale_) {
            placing_ = true;
            auto placed = co_await place();
            placing_ = stale_ = false;
            if (!placed) co_return fail(placed.error());
        }
        const auto had = attempt.have;
        auto asked = co_await ask(range, attempt);
        if (asked) break;
        range.odd = true;
        tries = attempt.have > had ? 0 : tries + 1;
        slow = asked.error().slow ? slow + 1 : attempt.have - had >= kSlowBytes ? 0 : slow;
        if (slow >= kMostSlow) co_return fail(given_up(std::move(asked.error().error), slow));
        if (asked.error().misplaced && ++misplaced >= kMostMisplaced) co_return fail(asked.error().error);
        const int most = asked.error().status / 100 == 4 && !asked.error().after_ms ? kMostRefused : kMostTries;
        if (!asked.error().again || tries >= most) co_return fail(asked.error().error);
        if (asked.error().after_ms && tries == 1)
            note(fmt::format("{}; waiting {} s", asked.error().error.message, *asked.error().after_ms / 1'000));
        if (stale_ && tries < 3) continue;
        if (auto ok = co_await web_.wait(asked.error(), tries); !ok) co_return fail(ok.error());
    }
    under_way_ -= range.size();
    const auto came = hex(sha.finish());
    if (!range.sha256.empty() && came != range.sha256) co_return false;
    if (!range.odd && !attempt.said.empty() && came != attempt.said) co_return false;
    if (auto ok = part_->keep(index, came); !ok) co_return fail(ok.error());
    co_return true;
}

net::Task<Result<>> Transfer::range(std::size_t index) {
    for (int wrong = 1;; ++wrong) {
        auto came = co_await once(index);
        if (!came) co_return fail(came.error());
        const auto& range = part_->ranges()[index];
        if (*came) {
            if (index == 0)
                if (auto ok = check_head(part_->head(32)); !ok) co_return ok;
            co_return Result<>{};
        }
        note(fmt::format("bytes {}-{} came wrong, fetching them again", range.first, range.last));
        if (wrong >= kMostWrong)
            co_return fail(
                ErrorCode::upstream,
                fmt::format("bytes {}-{} of {} came wrong {} times: their SHA-256 is not the one that is said",
                            range.first, range.last, shown(piece_.url), wrong));
    }
}

net::Task<> Transfer::work() {
    while (!stopped_) {
        auto& ranges = part_->ranges();
        while (next_ < ranges.size() && !ranges[next_].came.empty()) ++next_;
        if (next_ >= ranges.size()) co_return;
        const auto index = next_++;
        if (auto ok = co_await range(index); !ok) stop(ok.error());
    }
}

net::Task<> Transfer::watch() {
    while (!over_ && !stopped_) {
        if (how_.progress) how_.progress(part_->done() + std::max<std::int64_t>(under_way_, 0));
        co_await net::sleep_until(web_.worker(), std::chrono::steady_clock::now() + kTick, web_.cancel());
    }
}

// One answer with all of the file, kept in ranges as it comes.
net::Task<Tried<bool>> Transfer::read_whole(net::Answer& answer) {
    using Failed = std::unexpected<Trouble>;
    auto& ranges = part_->ranges();
    auto sha = std::make_unique<Sha256>();
    std::int64_t at = 0;
    Pace pace;
    for (std::size_t index = 0; index < ranges.size();) {
        auto bytes = co_await answer.read();
        if (!bytes)
            co_return Failed(Trouble{.error = bytes.error(), .again = bytes.error().code != ErrorCode::cancelled});
        const auto end = at + static_cast<std::int64_t>(bytes->size());
        if (bytes->empty() || end > piece_.size)
            co_return Failed(Trouble{
                .error = {ErrorCode::upstream, shown(located_.url) + (bytes->empty() ? " ended early" : " has grown")},
                .again = bytes->empty()});
        if (auto ok = part_->write(at, *bytes); !ok) co_return Failed(Trouble{.error = ok.error()});
        under_way_ += end - at;
        asked_ += end - at;
        if (auto slow = pace.take(bytes->size(), located_.url)) co_return Failed(std::move(*slow));
        for (std::string_view left = *bytes; !left.empty();) {
            const auto size =
                std::min<std::int64_t>(static_cast<std::int64_t>(left.size()), ranges[index].last + 1 - at);
            sha->add(left.substr(0, static_cast<std::size_t>(size)));
            left.remove_prefix(static_cast<std::size_t>(size));
            at += size;
            if (at <= ranges[index].last) continue;
            under_way_ -= ranges[index].size();
            if (auto ok = part_->keep(index, hex(sha->finish())); !ok) co_return Failed(Trouble{.error = ok.error()});
            if (index++ == 0)
                if (auto ok = check_head(part_->head(32)); !ok) co_return Failed(Trouble{.error = ok.error()});
            sha = std::make_unique<Sha256>();
        }
    }
    co_return true;
}

// A server that gives no ranges: the whole, from its beginning.
net::Task<Result<>> Transfer::whole() {
    net::Children watcher(web_.worker());
    watcher.start(watch());
    Trouble trouble;
    for (int tries = 0, slow = 0; tries < kMostTries; ++tries) {
        under_way_ = -part_->done();  // what is there already comes again
        auto answer = co_await web_.get(located_.url, {}, "");
        if (answer && answer->status() == 200) {
            auto all = co_await read_whole(*answer);
            if (all) break;
            trouble = std::move(all.error());
        } else {
            trouble =
                answer ? trouble_of(answer->status(), answer->headers(), located_.url) : std::move(answer.error());
        }
        if (trouble.slow && ++slow >= kMostSlow) stop(given_up(trouble.error, slow));
        if (!trouble.again || tries + 1 == kMostTries) stop(trouble.error);
        if (stopped_) break;
        if (auto ok = co_await web_.wait(trouble, tries); !ok) stop(ok.error());
        if (stopped_) break;
    }
    over_ = true;
    while (watcher.running() > 0) co_await watcher.wait();
    if (stopped_) co_return fail(*stopped_);
    co_return Result<>{};
}

net::Task<Result<>> Transfer::all_ranges() {
    next_ = 0;
    over_ = false;
    net::Children children(web_.worker());
    const auto wanted = std::min<std::size_t>(static_cast<std::size_t>(how_.connections), part_->ranges().size());
    for (std::size_t i = 0; i < wanted; ++i) children.start(work());
    net::Children watcher(web_.worker());
    watcher.start(watch());
    while (children.running() > 0) co_await children.wait();
    over_ = true;
    while (watcher.running() > 0) co_await watcher.wait();
    if (stopped_) co_return fail(*stopped_);
    co_return Result<>{};
}

// Ranges whose bytes on the disk are not those that came: fetched again.
net::Task<Result<>> Transfer::mend_disk() {
    bool any = false;
    for (auto& range : part_->ranges()) {
        auto there = part_->sha256_of(range);
        if (!there) co_return fail(there.error());
        if (*there == range.came) continue;
        note(fmt::format("bytes {}-{} have changed on the disk, fetching them again", range.first, range.last));
        range.came.clear();
        any = true;
    }
    if (!any) co_return Result<>{};
    co_return co_await all_ranges();
}

// The source says another SHA-256 than that of what it sent. The ranges are fetched again, first those that took more
// than one answer, until the one that was wrong is found. True where it was.
net::Task<Result<bool>> Transfer::mend_source(std::string& sha256) {
    std::vector<std::size_t> order;
    for (const bool odd : {true, false})
        for (std::size_t i = 0; i < part_->ranges().size(); ++i)
            if (part_->ranges()[i].odd == odd) order.push_back(i);
    for (const auto index : order) {
        const auto before = part_->ranges()[index].came;
        if (auto ok = co_await range(index); !ok) co_return fail(ok.error());
        if (part_->ranges()[index].came == before) continue;
        note(fmt::format("bytes {}-{} had come wrong, and were fetched again", part_->ranges()[index].first,
                         part_->ranges()[index].last));
        auto all = part_->sha256();
        if (!all) co_return fail(all.error());
        sha256 = *all;
        if (sha256 == piece_.sha256) co_return true;
    }
    co_return false;
}

net::Task<Result<std::string>> Transfer::checked() {
    auto sha256 = part_->sha256();
    if (!sha256 || piece_.sha256.empty() || *sha256 == piece_.sha256) co_return sha256;
    if (auto ok = co_await mend_disk(); !ok) co_return fail(ok.error());
    sha256 = part_->sha256();
    if (!sha256 || *sha256 == piece_.sha256) co_return sha256;
    const bool named =
        std::ranges::all_of(part_->ranges(), [](const FileRange& range) { return !range.sha256.empty(); });
    if (located_.ranges && !named) {
        note("the SHA-256 is another than the one that is said; looking for the range that came wrong");
        auto mended = co_await mend_source(*sha256);
        if (!mended) co_return fail(mended.error());
        if (*mended) co_return sha256;
    }
    part_->discard();
    co_return fail(
        ErrorCode::upstream,
        fmt::format("{} has the SHA-256 {} where {} is said to be, also when it is fetched again; nothing was "
                    "kept",
                    shown(piece_.url), *sha256, piece_.sha256));
}

net::Task<Result<Fetched>> Transfer::run(fs::path target) {
    if (auto ok = co_await place(); !ok) co_return fail(ok.error());
    if (piece_.size == 0) co_return fail(ErrorCode::invalid, shown(piece_.url) + " is empty");
    if (auto ok = open(); !ok) co_return fail(ok.error());
    const auto begun = part_->done() + part_->begun();
    if (begun > 0)
        note(fmt::format("{}: {:.1f} of {:.1f} MB are there already", piece_.name, static_cast<double>(begun) / 1e6,
                         static_cast<double>(piece_.size) / 1e6));
    if (part_->done() < piece_.size) {
        auto ok = located_.ranges ? co_await all_ranges() : co_await whole();
        if (!ok) {
            if (ok.error().code == ErrorCode::invalid) part_->discard();
            co_return fail(ok.error());
        }
    }
    if (how_.progress) how_.progress(piece_.size);
    auto sha256 = co_await checked();
    if (!sha256) co_return fail(sha256.error());
    if (auto ok = part_->finish(target, how_.replaces); !ok) co_return fail(ok.error());
    co_return Fetched{*sha256, !piece_.sha256.empty(), piece_.size, asked_};
}

}  // namespace

Error too_large(std::string_view name, std::int64_t size) {
    return {ErrorCode::upstream,
            fmt::format("{} is said to have {} bytes, and no model has so many", printable(name, 160), size)};
}

std::int64_t bytes_there(const fs::path& folder, const Piece& piece) {
    struct stat info{};
    const auto part = folder / (hex(sha256(piece.sha256)).substr(0, 32) + ".part");
    if (piece.sha256.empty() || stat(part.c_str(), &info) != 0) return 0;
    return std::min<std::int64_t>(piece.size, static_cast<std::int64_t>(info.st_blocks) * 512);
}

net::Task<Result<Fetched>> fetch_file(Web& web, Piece piece, Fetching how, fs::path target) {
    Transfer transfer(web, std::move(piece), std::move(how));
    co_return co_await transfer.run(std::move(target));
}

}  // namespace tandem::engine
