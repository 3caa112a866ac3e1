// What a sandbox is made of. That nothing gets out of it is shown by sandbox_test.py, from within.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <thread>

#include "engine/sandbox/start.h"

namespace tandem::engine::sandbox {
namespace {

namespace fs = std::filesystem;

struct Ground {
    Ground() {
        auto name = (fs::temp_directory_path() / "tandem-sandbox-XXXXXX").string();
        path = mkdtemp(name.data());
        for (const auto* folder : {"data", "home/models", "bin", "hub/blobs", "hub/snapshots"})
            fs::create_directories(path / folder);
        write("data/ledger.db", "money");
        write("home/models/a-00001-of-00002.gguf", "one");
        write("home/models/a-00002-of-00002.gguf", "two");
        write("home/models/b-00001-of-00002.gguf", "other");
        write("hub/blobs/abc", "weights");
        fs::create_symlink("../blobs/abc", path / "hub/snapshots/m.gguf");
        write("bin/llama-server",
              "\x7f"
              "ELF");
        write("bin/libggml.so.0", "");
        write("bin/diary.txt", "");
        folder = *make_engine_folder(path / "data", "m");
    }
    Ground(const Ground&) = delete;
    Ground& operator=(const Ground&) = delete;
    ~Ground() {
        std::error_code ignored;
        fs::remove_all(path, ignored);
    }
    void write(const fs::path& name, const std::string& text) const { std::ofstream(path / name) << text; }
    Wish wish(std::vector<std::string> arguments) const {
        return {path / "bin/llama-server", std::move(arguments), {}, folder, {path / "data", path / "home"}, {}};
    }
    fs::path path;
    EngineFolder folder;
};

bool has(const Policy& policy, const fs::path& path, May may) {
    return std::ranges::find(policy.places, Place{path, may}) != policy.places.end();
}

bool has_any(const Policy& policy, const fs::path& path) {
    return std::ranges::any_of(policy.places, [&](const Place& place) { return place.path == path; });
}

TEST(SandboxPolicy, opens_the_model_with_its_parts_and_no_other_file_of_its_folder) {
    const Ground ground;
    const auto models = ground.path / "home/models";
    const auto policy = policy_for(ground.wish({"--model", models / "a-00001-of-00002.gguf"}));
    ASSERT_TRUE(policy);
    EXPECT_TRUE(has(*policy, models / "a-00001-of-00002.gguf", May::read));
    EXPECT_TRUE(has(*policy, models / "a-00002-of-00002.gguf", May::read));
    EXPECT_FALSE(has_any(*policy, models / "b-00001-of-00002.gguf"));
    EXPECT_FALSE(has_any(*policy, models));
    EXPECT_TRUE(has(*policy, ground.folder.run(), May::write));
    EXPECT_TRUE(has(*policy, ground.folder.home(), May::write));
    EXPECT_FALSE(has_any(*policy, ground.folder.root));
}

TEST(SandboxPolicy, opens_what_arguments_name_and_a_link_of_the_hub_by_its_name) {
    const Ground ground;
    const auto link = ground.path / "hub/snapshots/m.gguf";
    const auto a = (ground.path / "hub/blobs/abc").string();
    const auto policy = policy_for(ground.wish({"--model", link, "--lora-scaled", a + ":0.5", "--slot-save-path",
                                                ground.path / "hub", "--mmproj", a + "," + a}));
    ASSERT_TRUE(policy);
    EXPECT_TRUE(has(*policy, link, May::read));
    EXPECT_TRUE(has(*policy, a, May::read));
    EXPECT_TRUE(has(*policy, ground.path / "hub", May::write));
    EXPECT_TRUE(policy->large_files);
    EXPECT_FALSE(policy->network);
    EXPECT_FALSE(policy->runs_programs);
}

TEST(SandboxPolicy, opens_no_folder_that_has_our_data_or_the_owners_home_whoever_names_it) {
    const Ground ground;
    auto wish = ground.wish({"--media-path", ground.path, "--path", "/", "--models-dir", ground.path / "home"});
    wish.readable = {ground.path, "/", ground.path / "data"};
    wish.environment = {"LD_LIBRARY_PATH=" + ground.path.string() + ":" + (ground.path / "hub").string()};
    const auto policy = policy_for(wish);
    ASSERT_TRUE(policy);
    for (const auto& path : {ground.path, fs::path("/"), ground.path / "data", ground.path / "home"})
        EXPECT_FALSE(has_any(*policy, path)) << path;
    EXPECT_TRUE(has(*policy, ground.path / "hub", May::run));
}

TEST(SandboxPolicy, opens_the_programs_own_libraries_and_not_what_else_lies_beside_it) {
    const Ground ground;
    const auto policy = policy_for(ground.wish({}));
    ASSERT_TRUE(policy);
    EXPECT_TRUE(has(*policy, ground.path / "bin/llama-server", May::run));
    EXPECT_TRUE(has(*policy, ground.path / "bin/libggml.so.0", May::run));
    EXPECT_FALSE(has_any(*policy, ground.path / "bin/diary.txt"));
    EXPECT_TRUE(has(*policy, ground.path / "bin", May::list));
}

TEST(SandboxPolicy, goes_around_our_data_where_that_lies_in_a_folder_of_the_system) {
    const Ground ground;
    auto wish = ground.wish({});
    wish.kept_closed.emplace_back("/usr/local/share");
    const auto policy = policy_for(wish);
    ASSERT_TRUE(policy);
    EXPECT_FALSE(has_any(*policy, "/usr"));
    EXPECT_FALSE(has_any(*policy, "/usr/local"));
    EXPECT_FALSE(has_any(*policy, "/usr/local/share"));
    EXPECT_TRUE(has(*policy, "/usr/bin", May::run));
    EXPECT_TRUE(has(*policy, "/usr/local/lib", May::run));
}

TEST(SandboxPolicy, lets_a_script_run_programs_and_rpc_reach_machines) {
    const Ground ground;
    ground.write("bin/llama-server", "#!/bin/sh\nexec llama-server\n");
    const auto policy = policy_for(ground.wish({"--mlock", "--rpc", "10.0.0.2:50052"}));
    ASSERT_TRUE(policy);
    EXPECT_TRUE(policy->runs_programs);
    EXPECT_TRUE(policy->network);
    EXPECT_TRUE(policy->locks_memory);
    EXPECT_FALSE(held_by(*policy, {true, true, true, true}).network);
}

TEST(SandboxLandlock, knows_what_each_version_knows) {
    constexpr std::uint64_t kRefer = 1U << 13, kTruncate = 1U << 14, kIoctl = 1U << 15, kExecute = 1;
    EXPECT_EQ(rights_of(May::write, true, 1) & (kRefer | kTruncate), 0);
    EXPECT_EQ(rights_of(May::write, true, 2) & (kRefer | kTruncate), kRefer);
    EXPECT_EQ(rights_of(May::write, true, 3) & (kRefer | kTruncate), kRefer | kTruncate);
    EXPECT_EQ(rights_of(May::device, false, 4) & kIoctl, 0);
    EXPECT_EQ(rights_of(May::device, false, 5) & kIoctl, kIoctl);
    EXPECT_EQ(rights_of(May::write, true, 7) & kExecute, 0) << "what an engine wrote it cannot run";
    EXPECT_EQ(rights_of(May::list, false, 7), 0);
    // The kernel takes rights of folders for a file as an error.
    EXPECT_EQ(rights_of(May::read, false, 7) & 0x3ff8, 0);
}

class SandboxFilter : public testing::Test {
  protected:
    static constexpr std::uint64_t kCookie = 0x1234'5678'9abc'def0;
    std::uint32_t ask(long call, std::initializer_list<std::uint64_t> given = {}) const {
        std::uint64_t arguments[6] = {};
        std::ranges::copy(given, arguments);
        return verdict(filter, own_architecture(), static_cast<int>(call), arguments);
    }
    static std::uint32_t refused(int why) { return SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(why); }
    Policy policy;
    Filter filter = filter_for(policy, kCookie, {true, true, true, true});
};

TEST_F(SandboxFilter, lets_a_server_serve_and_connect_to_nothing) {
    for (const long call :
         {SYS_read, SYS_write, SYS_mmap, SYS_futex, SYS_accept4, SYS_listen, SYS_bind, SYS_exit_group})
        EXPECT_EQ(ask(call), SECCOMP_RET_ALLOW) << call;
    EXPECT_EQ(ask(SYS_socket, {AF_UNIX, SOCK_STREAM}), SECCOMP_RET_ALLOW);
    EXPECT_EQ(ask(SYS_sendto, {3, 0x1000, 5, 0, 0, 0}), SECCOMP_RET_ALLOW);
    EXPECT_EQ(ask(SYS_sendto, {3, 0x1000, 5, 0, 0x7000'0000'0000, 16}), refused(EPERM));
    for (const std::uint64_t family : {AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_VSOCK})
        EXPECT_EQ(ask(SYS_socket, {family, SOCK_STREAM}), refused(EAFNOSUPPORT));
    for (const long call : {SYS_connect, SYS_sendmsg, SYS_sendmmsg}) EXPECT_EQ(ask(call), refused(EPERM));
}

TEST_F(SandboxFilter, allows_threads_and_no_process) {
    EXPECT_EQ(ask(SYS_clone, {CLONE_VM | CLONE_THREAD | CLONE_SIGHAND}), SECCOMP_RET_ALLOW);
    EXPECT_EQ(ask(SYS_clone, {SIGCHLD}), refused(EPERM));
    EXPECT_EQ(ask(SYS_clone, {CLONE_VM | CLONE_THREAD | CLONE_NEWUSER}), refused(EPERM));
    EXPECT_EQ(ask(435), refused(ENOSYS)) << "the C library takes clone then";
    EXPECT_EQ(ask(SYS_execve), refused(EPERM));
    EXPECT_EQ(ask(SYS_execveat, {kCookie}), SECCOMP_RET_ALLOW);
    for (const auto guess : {kCookie + 1, kCookie ^ (std::uint64_t{1} << 63), kCookie & 0xffff'ffff, std::uint64_t{0}})
        EXPECT_EQ(ask(SYS_execveat, {guess}), refused(EPERM)) << guess;
}

TEST_F(SandboxFilter, signals_itself_alone) {
    for (const auto at : filter.pid_places) filter.program[at].k = 77;
    EXPECT_EQ(ask(SYS_kill, {77, 9}), SECCOMP_RET_ALLOW);
    EXPECT_EQ(ask(SYS_tgkill, {77, 78, 6}), SECCOMP_RET_ALLOW);
    for (const std::uint64_t other : {std::uint64_t{76}, std::uint64_t{1}, ~std::uint64_t{0}}) {
        EXPECT_EQ(ask(SYS_kill, {other, 0}), refused(EPERM));
        EXPECT_EQ(ask(SYS_tgkill, {other, other, 0}), refused(EPERM));
        EXPECT_EQ(ask(SYS_prlimit64, {other}), refused(EPERM));
    }
    EXPECT_EQ(ask(SYS_fcntl, {3, 8, 1}), refused(EPERM));
    EXPECT_EQ(ask(SYS_fcntl, {3, 1, 1}), SECCOMP_RET_ALLOW);
    EXPECT_EQ(ask(SYS_tkill, {5}), SECCOMP_RET_ALLOW);
    filter = filter_for(policy, kCookie, {false, false, true, true});
    EXPECT_EQ(ask(SYS_tkill, {5}), refused(EPERM));
}

TEST_F(SandboxFilter, keeps_files_as_they_are_where_landlock_would_not) {
    filter = filter_for(policy, kCookie, {false, false, true, true});
    for (const long call : {long{SYS_truncate}, long{SYS_fchmodat}, long{SYS_fchownat}, long{SYS_setxattr}, 452L})
        EXPECT_EQ(ask(call), refused(EPERM)) << call;
    EXPECT_EQ(ask(SYS_openat, {0, 0, O_RDONLY | O_TRUNC}), refused(EPERM)) << "Landlock before version 3";
    EXPECT_EQ(ask(SYS_openat, {0, 0, O_RDONLY | O_CLOEXEC}), SECCOMP_RET_ALLOW);
    EXPECT_EQ(ask(SYS_openat, {0, 0, O_WRONLY | O_TRUNC | O_CREAT}), SECCOMP_RET_ALLOW);
    EXPECT_EQ(ask(437), refused(ENOSYS));
    EXPECT_EQ(ask(SYS_utimensat, {3, 0}), SECCOMP_RET_ALLOW);
    EXPECT_EQ(ask(SYS_utimensat, {3, 0x7000'0000'0000}), refused(EPERM));
}

TEST_F(SandboxFilter, refuses_the_kernels_larger_surfaces_and_kills_for_another_architecture) {
    for (const long call : {long{SYS_ptrace}, long{SYS_bpf}, long{SYS_mount}, long{SYS_unshare}, long{SYS_keyctl},
                            long{SYS_userfaultfd}, long{SYS_perf_event_open}, 425L, 438L, 442L})
        EXPECT_EQ(ask(call), refused(EPERM)) << call;
    constexpr std::uint64_t kNone[6] = {};
    for (const std::uint32_t other : {AUDIT_ARCH_I386, AUDIT_ARCH_ARM})
        EXPECT_EQ(verdict(filter, other, SYS_read, kNone), SECCOMP_RET_KILL_PROCESS);
    EXPECT_EQ(ask(SYS_read | 0x40000000), SECCOMP_RET_KILL_PROCESS) << "x32";
    EXPECT_EQ(ask(SYS_ptrace | 0x40000000), SECCOMP_RET_KILL_PROCESS);
}

TEST_F(SandboxFilter, lets_a_script_run_what_it_runs_and_nothing_else_besides) {
    policy.runs_programs = true;
    filter = filter_for(policy, kCookie, {true, true, true, true});
    EXPECT_EQ(ask(SYS_execve), SECCOMP_RET_ALLOW);
    EXPECT_EQ(ask(SYS_clone, {SIGCHLD}), SECCOMP_RET_ALLOW);
    EXPECT_EQ(ask(SYS_clone, {SIGCHLD | CLONE_NEWUSER}), refused(EPERM));
    EXPECT_EQ(ask(SYS_connect), refused(EPERM));
}

// What cat says of a file that its policy names, and of one that it does not.
std::string read_both(const Ground& ground, const Most& most, Held& held) {
    const auto open = ground.path / "hub/blobs/abc", closed = ground.path / "data/ledger.db";
    auto wish = ground.wish({open});
    wish.program = "/bin/cat";
    const auto policy = policy_for(wish);
    const auto log = ground.path / "log";
    fs::remove(log);
    const auto random = seeded_random(1);
    auto started = start({{"/bin/cat", open, closed}, {}, log, ground.folder.run(), nullptr}, *policy,
                         config::Sandbox::automatic, *random, most);
    if (!started) return started.error().message;
    held = started->held;
    while (!started->process.ended()) std::this_thread::sleep_for(milliseconds(2));
    std::ostringstream text;
    text << std::ifstream(log).rdbuf();
    return text.str();
}

TEST(SandboxStart, holds_files_with_the_rules_of_every_version_of_landlock_alone) {
    const Ground ground;
    if (landlock_version() == 0) GTEST_SKIP() << "no Landlock here";
    for (int version = 1; version <= landlock_version(); ++version) {
        Held held;
        const auto said = read_both(ground, {{false, false, true, false}, version}, held);
        EXPECT_NE(said.find("weights"), std::string::npos) << version << said;
        EXPECT_NE(said.find("ledger.db: Permission denied"), std::string::npos) << version << said;
        EXPECT_EQ(held.by, (Layers{false, false, true, false}));
        EXPECT_TRUE(held.files);
        EXPECT_FALSE(held.network);
    }
}

TEST(SandboxStart, holds_files_by_a_root_alone) {
    const Ground ground;
    Held held;
    const auto said = read_both(ground, {{true, true, false, false}, 0}, held);
    if (!held.by.mounts) GTEST_SKIP() << "no namespaces here";
    EXPECT_NE(said.find("weights"), std::string::npos) << said;
    EXPECT_NE(said.find("ledger.db: No such file or directory"), std::string::npos) << said;
    EXPECT_TRUE(held.whole() || !held.calls);
}

TEST(SandboxStart, says_the_programs_own_mistake_as_it_is) {
    const Ground ground;
    ground.write("bin/llama-server", "no program");
    fs::permissions(ground.path / "bin/llama-server", fs::perms::owner_all);
    const auto policy = policy_for(ground.wish({}));
    const auto random = seeded_random(1);
    const auto started =
        start({{(ground.path / "bin/llama-server").string()}, {}, ground.path / "log", ground.folder.run(), nullptr},
              *policy, config::Sandbox::automatic, *random);
    ASSERT_FALSE(started);
    EXPECT_NE(started.error().message.find("Exec format error"), std::string::npos) << started.error().message;
}

}  // namespace
}  // namespace tandem::engine::sandbox
