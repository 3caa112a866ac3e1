#include "engine/programs.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "engine/disk/check.h"

namespace tandem::engine {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kLargestList = 1UL << 20;
constexpr std::chrono::milliseconds kWordsTime{5'000};
constexpr std::size_t kMostOutput = 256 * 1024;
constexpr std::size_t kLongestVersion = 120;
constexpr std::size_t kFolderLetters = 16;

fs::path manifest_in(const fs::path& folder) {
    return folder / "programs.json";
}

bool is_library(const fs::path& file) {
    const auto name = file.filename().string();
    return name.starts_with("lib") && name.find(".so") != std::string::npos;
}

// Into a folder that is renamed once all is there.
Result<> copy_whole(const fs::path& program, const fs::path& to) {
    const fs::path unfinished = to.string() + ".new";
    std::error_code error;
    fs::remove_all(unfinished, error);
    fs::create_directories(unfinished, error);
    if (!error) fs::copy_file(program, unfinished / "llama-server", error);
    const auto source = fs::canonical(program, error).parent_path();
    for (const auto& entry : fs::directory_iterator(source, error)) {
        if (error || !is_library(entry.path())) continue;
        fs::copy(entry.path(), unfinished / entry.path().filename(), fs::copy_options::copy_symlinks, error);
        if (error) break;
    }
    if (!error) fs::permissions(unfinished / "llama-server", fs::perms(0755), error);
    if (!error) fs::remove_all(to, error);
    if (!error) fs::rename(unfinished, to, error);
    if (error)
        return fail(ErrorCode::storage,
                    fmt::format("{} cannot be kept in {}: {}", program.string(), to.string(), error.message()));
    return {};
}

}  // namespace

Programs Programs::read(const fs::path& data) {
    Programs programs;
    programs.folder_ = data / "engines" / "programs";
    const auto text = read_regular(manifest_in(programs.folder_), kLargestList);
    json::Document document;
    if (!text || !document.parse(*text)) return programs;
    const auto root = document.root();
    programs.in_use_ = root["in_use"].text();
    programs.before_ = root["before"].text();
    for (const json::Value one : root["programs"].children()) {
        KeptProgram kept{std::string(one["sha256"].text()),
                         std::string(one["version"].text()),
                         std::string(one["from"].text()),
                         {},
                         one["time_ms"].integer().value_or(0)};
        if (kept.sha256.size() != 64 || programs.all_.size() >= kMost) continue;
        kept.file = programs.folder_ / kept.sha256.substr(0, kFolderLetters) / "llama-server";
        std::error_code ignored;
        if (fs::is_regular_file(kept.file, ignored)) programs.all_.push_back(std::move(kept));
    }
    return programs;
}

const KeptProgram* Programs::find(const std::string& sha256) const {
    const auto found = std::ranges::find(all_, sha256, &KeptProgram::sha256);
    return sha256.empty() || found == all_.end() ? nullptr : &*found;
}

Result<KeptProgram> Programs::keep(const fs::path& program, std::int64_t now_ms) {
    std::error_code error;
    if (!fs::is_regular_file(program, error) || access(program.c_str(), X_OK) != 0)
        return fail(ErrorCode::invalid, fmt::format("{} is no program", program.string()));
    const auto sum = sha256_of_file(program);
    if (!sum) return fail(sum.error());
    if (const auto* known = find(*sum)) return *known;
    KeptProgram kept{*sum, version_of(program), program.string(),
                     folder_ / sum->substr(0, kFolderLetters) / "llama-server", now_ms};
    if (auto ok = make_folder_of(kept.file.parent_path()); !ok) return fail(ok.error());
    if (auto ok = copy_whole(program, kept.file.parent_path()); !ok) return fail(ok.error());
    if (const auto copied = sha256_of_file(kept.file); !copied || *copied != *sum)
        return fail(ErrorCode::storage, fmt::format("{} changed while it was copied", program.string()));
    if (all_.size() >= kMost) {
        const auto spare =
            std::ranges::find_if(all_, [&](const auto& one) { return one.sha256 != in_use_ && one.sha256 != before_; });
        if (spare != all_.end()) {
            fs::remove_all(spare->file.parent_path(), error);
            all_.erase(spare);
        }
    }
    all_.push_back(kept);
    if (auto ok = write(); !ok) return fail(ok.error());
    return kept;
}

Result<> Programs::use(const std::string& sha256, const std::string& previous) {
    const auto was = std::pair(in_use_, before_);
    in_use_ = sha256;
    before_ = previous;
    auto written = write();
    if (!written) std::tie(in_use_, before_) = was;
    return written;
}

Result<> Programs::write() const {
    json::Writer out;
    out.begin_object().member("in_use", in_use_).member("before", before_).key("programs").begin_array();
    for (const auto& one : all_)
        out.begin_object()
            .member("sha256", one.sha256)
            .member("version", one.version)
            .member("from", one.from)
            .member("time_ms", one.time_ms)
            .end_object();
    out.end_array().end_object();
    const auto file = manifest_in(folder_);
    if (auto ok = make_folder_of(file); !ok) return ok;
    return write_private_file(file, out.take());
}

std::string words_for(const fs::path& program, std::string option) {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) return {};
    posix_spawn_file_actions_t actions{};
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    std::string name = program.string();
    std::array<char*, 3> arguments = {name.data(), option.data(), nullptr};
    pid_t pid = 0;
    const int failed = posix_spawn(&pid, name.c_str(), &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    std::string output;
    const auto end = std::chrono::steady_clock::now() + kWordsTime;
    while (failed == 0 && output.size() < kMostOutput) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
        pollfd waited{ends[0], POLLIN, 0};
        if (left <= 0 || poll(&waited, 1, static_cast<int>(left)) <= 0) break;
        std::array<char, 4096> piece{};
        const auto size = ::read(ends[0], piece.data(), piece.size());
        if (size <= 0) break;
        output.append(piece.data(), static_cast<std::size_t>(size));
    }
    close(ends[0]);
    if (failed != 0) return {};
    kill(pid, SIGKILL);  // one that is done already has left its output
    waitpid(pid, nullptr, 0);
    return output;
}

std::string version_of(const fs::path& program) {
    const auto said = words_for(program, "--version");
    const auto at = said.find("version: ");
    if (at == std::string::npos) return {};
    return printable(said.substr(at + 9, said.find('\n', at) - at - 9), kLongestVersion);
}

}  // namespace tandem::engine
