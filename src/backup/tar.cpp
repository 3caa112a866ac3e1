#include "backup/tar.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/descriptor.h"
#include "base/text.h"

namespace tandem::backup {

namespace {

constexpr std::uint64_t kLargestOctal = (1ULL << 33) - 1;  // eleven octal digits
constexpr std::uint64_t kLargestSize = 1ULL << 50;
constexpr std::uint64_t kLargestExtension = 64UL * 1024;  // bytes of a pax head
constexpr std::size_t kShortName = 100;                   // bytes of the field
constexpr std::size_t kPiece = 256UL * 1024;
constexpr std::size_t kDeepest = 16;

// Where each field of a head lies, and how long it is (POSIX.1-2001, ustar interchange format).
struct Field {
    std::size_t at, size;
};
constexpr Field kName{0, 100}, kMode{100, 8}, kUid{108, 8}, kGid{116, 8}, kSize{124, 12}, kTime{136, 12}, kSum{148, 8},
    kPrefix{345, 155};
constexpr std::size_t kType = 156, kMagic = 257;

using Block = std::array<char, kBlock>;

void put_octal(Block& block, Field field, std::uint64_t number) {
    const auto text = fmt::format("{:0{}o}", number, field.size - 1);
    std::copy(text.begin(), text.end(), block.begin() + static_cast<std::ptrdiff_t>(field.at));
}

std::optional<std::uint64_t> octal(const Block& block, Field field) {
    std::uint64_t number = 0;
    bool any = false;
    for (const char c : std::string_view(block.data() + field.at, field.size)) {
        if (c == ' ' && !any) continue;
        if (c == '\0' || c == ' ') break;
        if (c < '0' || c > '7' || number > kLargestSize) return {};
        number = number * 8 + static_cast<std::uint64_t>(c - '0');
        any = true;
    }
    return number;
}

// The sum of all bytes, with blanks in place of the field itself.
std::uint64_t sum_of(const Block& block) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < block.size(); ++i)
        sum += i >= kSum.at && i < kSum.at + kSum.size ? ' ' : static_cast<unsigned char>(block[i]);
    return sum;
}

std::string text_of(const Block& block, Field field) {
    const std::string_view text(block.data() + field.at, field.size);
    return std::string(text.substr(0, text.find('\0')));
}

std::size_t padding(std::uint64_t size) {
    return static_cast<std::size_t>((kBlock - size % kBlock) % kBlock);
}

// "25 path=data/files/...\n": the length counts itself.
std::string pax_record(std::string_view key, std::string_view value) {
    std::size_t size = key.size() + value.size() + 3;
    while (size != fmt::format("{} {}={}\n", size, key, value).size())
        size = fmt::format("{} {}={}\n", size, key, value).size();
    return fmt::format("{} {}={}\n", size, key, value);
}

std::unexpected<Error> hostile(std::string message) {
    return fail(ErrorCode::invalid, "the archive is no backup, or is damaged: " + std::move(message));
}

// What the records of a pax head say of the next entry.
struct Extended {
    std::optional<std::string> path;
    std::optional<std::uint64_t> size;
};

Result<> read_pax(std::string_view records, Extended& into) {
    while (!records.empty()) {
        const auto blank = records.find(' ');
        const auto size = whole_number(records.substr(0, std::min(blank, records.size())));
        if (!size || blank == std::string_view::npos || *size <= static_cast<long long>(blank) + 1 ||
            *size > static_cast<long long>(records.size()))
            return hostile("an extended head cannot be read");
        auto record = records.substr(blank + 1, static_cast<std::size_t>(*size) - blank - 1);
        records.remove_prefix(static_cast<std::size_t>(*size));
        const auto equals = record.find('=');
        if (equals == std::string_view::npos || !record.ends_with('\n'))
            return hostile("an extended head cannot be read");
        const auto key = record.substr(0, equals);
        const auto value = record.substr(equals + 1, record.size() - equals - 2);
        if (key == "path") into.path = std::string(value);
        if (key == "size") {
            const auto number = whole_number(value);
            if (!number) return hostile("an extended head has a size that is no number");
            into.size = static_cast<std::uint64_t>(*number);
        }
    }
    return {};
}

}  // namespace

bool is_plain_name(std::string_view name) {
    if (name.empty() || name.size() > kLongestName) return false;
    std::size_t depth = 0;
    while (true) {
        const auto slash = std::min(name.find('/'), name.size());
        const auto part = name.substr(0, slash);
        if (part.empty() || part == "." || part == ".." || ++depth > kDeepest) return false;
        if (std::ranges::any_of(part, [](char c) { return (c >= 0 && c < 0x20) || c == 0x7F || c == '\\'; }))
            return false;
        if (slash == name.size()) return true;
        name.remove_prefix(slash + 1);
    }
}

// ---- writing ----

Result<> TarWriter::put(std::string_view bytes) {
    bytes_ += bytes.size();
    if (write_all(fd_, bytes)) return {};
    return fail(ErrorCode::storage, fmt::format("cannot write the archive: {}", std::strerror(errno)));
}

Result<> TarWriter::head(const std::string& name, std::uint64_t size, std::int64_t time, char type) {
    Block block{};
    std::copy(name.begin(), name.begin() + static_cast<std::ptrdiff_t>(std::min(name.size(), kShortName)),
              block.begin());
    put_octal(block, kMode, 0600);
    put_octal(block, kUid, 0);
    put_octal(block, kGid, 0);
    put_octal(block, kSize, std::min(size, kLargestOctal));
    put_octal(block, kTime, static_cast<std::uint64_t>(std::max<std::int64_t>(time, 0)));
    block[kType] = type;
    std::memcpy(block.data() + kMagic, "ustar\00000", 8);
    const auto sum = fmt::format("{:06o}", sum_of(block));
    std::memcpy(block.data() + kSum.at, sum.c_str(), sum.size() + 1);
    block[kSum.at + kSum.size - 1] = ' ';
    return put({block.data(), block.size()});
}

Result<> TarWriter::begin(const std::string& name, std::uint64_t size, std::int64_t time) {
    std::string records;
    if (name.size() > kShortName) records += pax_record("path", name);
    if (size > kLargestOctal) records += pax_record("size", std::to_string(size));
    if (!records.empty()) {
        if (auto ok = head("pax", records.size(), time, 'x'); !ok) return ok;
        if (auto ok = put(records); !ok) return ok;
        if (auto ok = put(std::string(padding(records.size()), '\0')); !ok) return ok;
    }
    return head(name, size, time, '0');
}

Result<> TarWriter::write(std::string_view bytes) {
    return put(bytes);
}

Result<> TarWriter::end() {
    return put(std::string(padding(bytes_), '\0'));
}

Result<> TarWriter::finish() {
    return put(std::string(2 * kBlock, '\0'));
}

// ---- reading ----

struct TarReader::Head {
    std::string name;
    std::uint64_t size = 0;
    char type = '0';
};

Result<bool> TarReader::block(Block& into) {
    std::size_t have = 0;
    while (have < into.size()) {
        const auto size = ::read(fd_, into.data() + have, into.size() - have);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return fail(ErrorCode::storage, fmt::format("cannot read the archive: {}", std::strerror(errno)));
        if (size == 0) break;
        have += static_cast<std::size_t>(size);
    }
    return have == into.size();
}

Result<std::optional<TarReader::Head>> TarReader::head() {
    Block block;
    const auto there = this->block(block);
    if (!there) return fail(there.error());
    if (!*there) return hostile("it ends in the middle; copy it once more");
    if (std::ranges::all_of(block, [](char c) { return c == '\0'; })) return std::optional<Head>();
    const auto size = octal(block, kSize);
    const auto sum = octal(block, kSum);
    if (std::string_view(block.data() + kMagic, 5) != "ustar" || !size || !sum || *sum != sum_of(block))
        return hostile("the head of an entry is not one of tar");
    Head head{text_of(block, kName), *size, block[kType]};
    // GNU's own format has other things there.
    const bool posix = block[kMagic + 5] == '\0';
    if (const auto prefix = text_of(block, kPrefix); posix && !prefix.empty()) head.name = prefix + "/" + head.name;
    return std::optional(std::move(head));
}

Result<std::string> TarReader::text(std::uint64_t size) {
    if (size > kLargestExtension) return hostile("an extended head is too large");
    std::string all;
    auto ok = content({"", size}, [&](std::string_view piece) -> Result<> {
        all += piece;
        return {};
    });
    if (!ok) return fail(ok.error());
    return all;
}

Result<std::optional<TarEntry>> TarReader::next() {
    Extended extended;
    while (true) {
        auto found = head();
        if (!found) return fail(found.error());
        if (!*found) return std::optional<TarEntry>();
        Head& entry = **found;
        if (entry.type == 'x' || entry.type == 'g' || entry.type == 'L') {
            auto records = text(entry.size);
            if (!records) return fail(records.error());
            if (entry.type == 'L')
                extended.path = records->substr(0, records->find('\0'));
            else if (entry.type == 'x')
                if (auto ok = read_pax(*records, extended); !ok) return fail(ok.error());
            continue;
        }
        if (extended.path) entry.name = *extended.path;
        if (extended.size) entry.size = *extended.size;
        extended = {};
        while (entry.name.starts_with("./")) entry.name.erase(0, 2);
        if (entry.type == '5' && entry.size == 0) continue;
        if (entry.type != '0' && entry.type != '\0')
            return hostile(fmt::format("'{}' is a link or a device", printable(entry.name)));
        if (!is_plain_name(entry.name) || entry.size > kLargestSize)
            return hostile(fmt::format("the name '{}' may not be in a backup", printable(entry.name)));
        return std::optional(TarEntry{std::move(entry.name), entry.size});
    }
}

Result<> TarReader::content(const TarEntry& entry, const std::function<Result<>(std::string_view)>& each) {
    std::string piece;
    std::uint64_t left = entry.size + padding(entry.size);
    std::uint64_t content = entry.size;
    while (left > 0) {
        piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(left, kPiece)));
        const auto size = ::read(fd_, piece.data(), piece.size());
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return fail(ErrorCode::storage, fmt::format("cannot read the archive: {}", std::strerror(errno)));
        if (size == 0) return hostile("it ends in the middle; copy it once more");
        left -= static_cast<std::uint64_t>(size);
        const auto of_content = std::min(content, static_cast<std::uint64_t>(size));
        content -= of_content;
        if (of_content > 0)
            if (auto ok = each({piece.data(), static_cast<std::size_t>(of_content)}); !ok) return ok;
    }
    return {};
}

}  // namespace tandem::backup
