#include "retrieval/extract/extractor.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cstdlib>
#include <thread>

#include "base/descriptor.h"
#include "engine/folder.h"
#include "engine/process.h"
#include "engine/sandbox/start.h"
#include "retrieval/extract/child.h"
#include "retrieval/extract/wire.h"

namespace tandem::retrieval {

namespace fs = std::filesystem;

namespace {

constexpr int kMostFiles = 2'000;                  // of one process: what one file left in it reaches few others
constexpr std::size_t kFramesAround = 64UL << 20;  // places of blocks, beside their text

// The program and its libraries. No file that is read is among them: its bytes come through the socket.
Result<engine::sandbox::Policy> policy_of(const fs::path& program, const fs::path& root) {
    using engine::sandbox::May;
    engine::sandbox::Policy policy;
    policy.program = program;
    policy.folder = {root};
    std::error_code error;
    for (const auto& folder :
         {policy.folder.run(), policy.folder.home(), policy.folder.temporary(), policy.folder.skeleton()}) {
        fs::create_directories(folder, error);
        if (error) return fail(ErrorCode::storage, fmt::format("cannot make {}: {}", folder.string(), error.message()));
        chmod(folder.c_str(), 0700);
    }
    policy.places.push_back({program, May::run});
    for (const char* path : {"/usr/lib", "/lib", "/lib64", "/usr/local/lib", "/nix/store", "/gnu/store"})
        if (fs::exists(path, error)) policy.places.push_back({path, May::run});
    for (const char* path : {"/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d"})
        if (fs::exists(path, error)) policy.places.push_back({path, May::read});
    for (const char* path : {"/dev/null", "/dev/urandom"})
        if (fs::exists(path, error)) policy.places.push_back({path, May::device});
    policy.places.push_back({policy.folder.run(), May::write});
    return policy;
}

}  // namespace

struct Extractor::Child {
    engine::Process process;
    std::unique_ptr<Descriptor> socket;
};

Extractor::Extractor(Settings settings, Random& random) : settings_(std::move(settings)), random_(random) {}
Extractor::~Extractor() = default;

void Extractor::stop() {
    std::unique_ptr<Child> ended;
    const std::lock_guard lock(mutex_);
    ended = std::move(child_);
}

void Extractor::interrupt() {
    const std::lock_guard lock(mutex_);
    if (child_ != nullptr) child_->process.kill();
}

Result<> Extractor::start() {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return fail(ErrorCode::unavailable, "cannot make a socket for the process that reads files");
    auto ours = std::make_unique<Descriptor>(pair[0]);
    const Descriptor theirs(pair[1]);
    std::error_code error;
    fs::create_directories(settings_.folder, error);
    const auto root = fs::canonical(settings_.folder, error);
    if (error)
        return fail(ErrorCode::storage, fmt::format("cannot make {}: {}", settings_.folder.string(), error.message()));
    auto policy = policy_of(settings_.program, root);
    if (!policy) return fail(policy.error());
    engine::Process::Settings process;
    process.command = {settings_.program.string(), kChildArgument, std::to_string(settings_.memory >> 20U)};
    process.environment = {"LC_ALL=C.UTF-8", "ASAN_OPTIONS=detect_leaks=0", "LSAN_OPTIONS=detect_leaks=0"};
    process.log = "/dev/null";
    process.folder = policy->folder.run();
    process.talk = theirs.get();
    auto started = engine::sandbox::start(process, *policy, settings_.sandbox, random_);
    if (!started) return fail(started.error());
    held_ = std::move(started->held);
    auto child = std::make_unique<Child>(std::move(started->process), std::move(ours));
    const std::lock_guard lock(mutex_);
    child_ = std::move(child);
    return {};
}

Result<Extracted> Extractor::read(const Format& format, std::string_view name, std::string_view bytes,
                                  std::string& why) {
    why.clear();
    if (files_ >= kMostFiles) stop();
    if (child_ == nullptr) {
        if (auto ok = start(); !ok) return fail(ok.error());
        files_ = 0;
    }
    ++files_;
    const auto deadline = std::chrono::steady_clock::now() + settings_.timeout;
    const auto socket = child_->socket->get();
    const auto most = settings_.most_text + kFramesAround;
    Result<std::string> frame = fail(ErrorCode::unavailable, "");
    if (auto sent = send_frame(
            socket, encode(Question{std::string(format.name), std::string(name), bytes, settings_.most_text}),
            deadline);
        sent)
        frame = receive_frame(socket, most, deadline);
    else
        frame = fail(sent.error());
    auto answer = frame ? decode_answer(*frame) : Result<Answer>(fail(frame.error()));
    if (answer) {
        why = std::move(answer->why);
        return std::move(answer->extracted);
    }
    // Whatever it was, the process is not to be trusted any more.
    why = answer.error().code == ErrorCode::unavailable ? how_it_ended() : answer.error().message;
    stop();
    return Extracted{};
}

std::string Extractor::how_it_ended() {
    for (int i = 0; i < 100; ++i) {
        if (const auto how = child_->process.ended()) return fmt::format("the process that read it {}", *how);
        std::this_thread::sleep_for(milliseconds(10));
    }
    return "the process that read it has ended";
}

}  // namespace tandem::retrieval
