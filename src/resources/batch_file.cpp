#include "resources/batch_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <unordered_set>

#include "base/json.h"
#include "base/text.h"

namespace tandem::resources {

namespace {

namespace fs = std::filesystem;
using json::Value;

constexpr std::size_t kReadSize = 64 * 1024;
constexpr std::size_t kLongLine = 64 * 1024;  // from here on there is to be room for what it is read into

std::unexpected<Error> gone() {
    return fail(Fault::file_gone, "the bytes of this file are gone from the data folder");
}

// Reads a file line by line; a line that is too long is passed over.
class Lines {
  public:
    Lines(const fs::path& file, std::size_t longest) : in_(file, std::ios::binary), longest_(longest) {}
    bool open() const { return static_cast<bool>(in_); }

    // False at the end.
    bool next() {
        line.clear();
        too_long = false;
        offset = next_;
        bool any = false;
        while (true) {
            if (at_ == filled_) {
                in_.read(buffer_, kReadSize);
                at_ = 0;
                filled_ = static_cast<std::size_t>(in_.gcount());
                if (filled_ == 0) return any;
            }
            any = true;
            const std::string_view rest(buffer_ + at_, filled_ - at_);
            const auto end = rest.find('\n');
            const auto piece = rest.substr(0, end);
            if (line.size() + piece.size() > longest_) too_long = true;
            if (!too_long) line += piece;
            const auto used = piece.size() + (end == std::string_view::npos ? 0 : 1);
            at_ += used;
            next_ += used;
            if (end != std::string_view::npos) return true;
        }
    }

    std::string line;
    bool too_long = false;
    std::uint64_t offset = 0;

  private:
    std::ifstream in_;
    const std::size_t longest_;
    char buffer_[kReadSize];
    std::size_t at_ = 0, filled_ = 0;
    std::uint64_t next_ = 0;
};

std::string error_object(std::string_view code, std::int64_t line, const std::string& message) {
    json::Writer out;
    out.begin_object().member("code", code).member("line", line).member("message", message).key("param").null();
    return out.end_object().take();
}

struct Wrong {
    std::string_view code;
    std::string message;
};

// What is wrong with a line; an empty code where nothing is.
Wrong check(const Value& root, std::string_view endpoint, std::unordered_set<std::size_t>& ids) {
    if (!root.is(json::Kind::object)) return {"invalid_json_line", "this line is not a JSON object"};
    const auto id = root["custom_id"].text();
    if (!root["custom_id"].string() || id.empty())
        return {"missing_required_parameter", "custom_id: expected a string"};
    if (!ids.insert(std::hash<std::string_view>()(id)).second)
        return {"duplicate_custom_id",
                fmt::format("custom_id '{}' stands in an earlier line already", printable(id, 60))};
    if (root["method"].text() != "POST" || root["url"].text() != endpoint)
        return {"invalid_url", fmt::format("expected method POST and url {}", endpoint)};
    if (!root["body"].is(json::Kind::object)) return {"invalid_request", "body: expected an object"};
    if (root["body"]["stream"].boolean() == true)
        return {"invalid_request", "body.stream: a line of a batch cannot stream; leave it out"};
    return {};
}

}  // namespace

Result<BatchLines> read_lines(const fs::path& file, std::string_view endpoint, std::size_t longest,
                              const AskForRoom& ask) {
    auto source = std::make_unique<Lines>(file, longest);
    if (!source->open()) return gone();
    BatchLines result;
    std::unordered_set<std::size_t> ids;  // of custom_ids: two with one hash are as good as none in 50,000
    std::int32_t number = 0;
    auto wrong = [&](std::string_view code, const std::string& message) {
        result.errors.push_back(error_object(code, number + 1, message));
    };
    while (result.errors.size() < kMostLineErrors && source->next()) {
        const auto line = trim(source->line);
        if (line.empty() && !source->too_long) continue;
        if (result.lines.size() == kMostLines) {
            wrong("too_many_lines", fmt::format("a batch has at most {} lines; split the file", kMostLines));
            break;
        }
        if (source->too_long) {
            wrong("line_too_long", fmt::format("this line is longer than {} bytes", longest));
            ++number;
            continue;
        }
        if (line.size() > kLongLine)
            if (auto room = ask(line); !room) return fail(room.error());
        json::Document document;
        const auto parsed = document.parse(line);
        auto found = parsed ? check(document.root(), endpoint, ids)
                            : Wrong{"invalid_json_line", "this line is not a JSON object"};
        if (found.code.empty())
            result.lines.push_back({source->offset, static_cast<std::uint32_t>(source->line.size()), number});
        else
            wrong(found.code, found.message);
        ++number;
    }
    if (result.lines.empty() && result.errors.empty()) wrong("empty_file", "the file has no lines");
    result.lines.shrink_to_fit();
    return result;
}

Result<BatchItem> read_line(const fs::path& file, const LinePlace& place) {
    std::ifstream in(file, std::ios::binary);
    if (!in) return gone();
    std::string line(place.size, '\0');
    in.seekg(static_cast<std::streamoff>(place.offset));
    in.read(line.data(), static_cast<std::streamsize>(line.size()));
    if (static_cast<std::size_t>(in.gcount()) != line.size()) return gone();
    json::Document document;
    if (auto ok = document.take(std::move(line)); !ok) return fail(ok.error());
    const Value root = document.root();
    return BatchItem{std::string(root["custom_id"].text()), std::string(root["body"].raw())};
}

Result<std::string> read_piece(const fs::path& file, std::uint64_t offset, std::size_t most) {
    std::ifstream in(file, std::ios::binary);
    if (!in) return gone();
    in.seekg(static_cast<std::streamoff>(offset));
    std::string piece(most, '\0');
    in.read(piece.data(), static_cast<std::streamsize>(most));
    piece.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
    return piece;
}

FileWriter::FileWriter(fs::path file) : file_(std::move(file)), unfinished_(file_.string() + kUnfinished) {}

FileWriter::~FileWriter() {
    if (fd_ < 0) return;
    close(fd_);
    unlink(unfinished_.c_str());
}

Result<> FileWriter::broken() const {
    return fail(Fault::storage,
                fmt::format("the file could not be written below {}; is the disk full?", file_.parent_path().string()));
}

Result<> FileWriter::write(std::string_view bytes) {
    if (fd_ < 0) {
        std::error_code ignored;
        const auto folder = file_.parent_path();
        if (fs::create_directories(folder, ignored)) fs::permissions(folder, fs::perms::owner_all, ignored);
        fd_ = open(unfinished_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd_ < 0) return broken();
    }
    while (!bytes.empty()) {
        const auto written = ::write(fd_, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return broken();
        bytes.remove_prefix(static_cast<std::size_t>(written));
        bytes_ += written;
    }
    return {};
}

Result<> FileWriter::finish() {
    if (fd_ < 0) return {};
    const bool synced = fsync(fd_) == 0;
    const bool closed = close(std::exchange(fd_, -1)) == 0;
    if (synced && closed && rename(unfinished_.c_str(), file_.c_str()) == 0) return {};
    unlink(unfinished_.c_str());
    return broken();
}

}  // namespace tandem::resources
