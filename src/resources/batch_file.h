// The files of batches, never whole in memory: where the lines of an input file stand, one line when its turn comes,
// and an output file that is written line by line. Private to resources/.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tandem::resources {

inline constexpr std::size_t kMostLines = 50'000;
inline constexpr std::size_t kMostLineErrors = 100;  // of one file that are told

// Where a line of an input file stands.
struct LinePlace {
    std::uint64_t offset = 0;
    std::uint32_t size = 0;
    std::int32_t number = 0;  // among the lines that are not empty, from 0
};

struct BatchLines {
    std::vector<LinePlace> lines;
    std::vector<std::string> errors;  // what is wrong with the file, as JSON objects
};

// Called with the size of a long line before it is looked at. Its error ends the reading.
using AskForRoom = std::function<Result<>(std::string_view line)>;

// The lines of an input file for an endpoint. A line is at most `longest` bytes. Errors: not_found, storage, and those
// of `ask`.
Result<BatchLines> read_lines(const std::filesystem::path& file, std::string_view endpoint, std::size_t longest,
                              const AskForRoom& ask);

// One line, read and checked before. Errors: not_found, storage.
struct BatchItem {
    std::string custom_id;
    std::string body;
};
Result<BatchItem> read_line(const std::filesystem::path& file, const LinePlace& place);

// At most `most` bytes of a file from a place on; none behind its end. Errors: not_found.
Result<std::string> read_piece(const std::filesystem::path& file, std::uint64_t offset, std::size_t most);

// A file that is written from its beginning to its end, and is there only once it is whole. Only its owner can read it.
class FileWriter {
  public:
    static constexpr const char* kUnfinished = ".unfinished";  // behind its name until then
    explicit FileWriter(std::filesystem::path file);
    ~FileWriter();  // what is not finished goes
    FileWriter(const FileWriter&) = delete;
    FileWriter& operator=(const FileWriter&) = delete;

    // Errors: storage.
    Result<> write(std::string_view bytes);
    Result<> finish();
    std::int64_t bytes() const { return bytes_; }

  private:
    Result<> broken() const;
    const std::filesystem::path file_, unfinished_;
    int fd_ = -1;
    std::int64_t bytes_ = 0;
};

}  // namespace tandem::resources
