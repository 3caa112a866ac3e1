#include <gtest/gtest.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "config/command.h"
#include "engine/port.h"
#include "engine/sandbox/jail.h"
#include "engine/upgrade.h"

namespace tandem::engine {
namespace {

namespace fs = std::filesystem;

TEST(Placeholders, are_words_in_braces_and_json_is_none) {
    const auto value = [](std::string_view name) { return "<" + std::string(name) + ">"; };
    EXPECT_EQ(config::filled("--port={port}", value), "--port=<port>");
    EXPECT_EQ(config::filled(R"({"a": {"b": 1}} {} { port } {port)", value), R"({"a": {"b": 1}} {} { port } {port)");
    EXPECT_EQ(config::filled("{{port}} {{port} {port}}", value), "{port} {<port> <port>}");
    EXPECT_EQ(config::placeholders_of("{a}{b_c}{D}"), (std::vector<std::string>{"a", "b_c"}));
}

TEST(Listeners, are_read_from_the_kernels_tables) {
    const fs::path root = fs::temp_directory_path() / ("tandem-port-" + std::to_string(getpid()));
    fs::create_directories(root / "proc/net");
    // 8001 at 127.0.0.1, a connection of 8001, 8002 at every address; 8001 at ::1 and at ::.
    std::ofstream(root / "proc/net/tcp")
        << "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
           "   0: 0100007F:1F41 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 11 1 x 100 0\n"
           "   1: 0100007F:1F41 0100007F:9C40 01 00000000:00000000 00:00000000 00000000  1000        0 12 1 x 100 0\n"
           "   2: 00000000:1F42 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 13 1 x 100 0\n"
           "nonsense\n";
    std::ofstream(root / "proc/net/tcp6")
        << "  sl  local_address                         remote_address                        st ...\n"
           "   0: 00000000000000000000000001000000:1F41 00000000000000000000000000000000:0000 0A 0:0 0:0 0  5 0 14 1\n"
           "   1: 00000000000000000000000000000000:1F41 00000000000000000000000000000000:0000 0A 0:0 0:0 0  5 0 15 1\n";
    const auto found = listeners_of(8001, root);
    ASSERT_EQ(found.size(), 3U);
    EXPECT_EQ(found[0].inode, 11U);
    EXPECT_EQ(found[0].user, 1000U);
    EXPECT_FALSE(found[0].everywhere);
    EXPECT_FALSE(found[1].everywhere);
    EXPECT_TRUE(found[2].everywhere);
    EXPECT_TRUE(listeners_of(8002, root).at(0).everywhere);
    EXPECT_TRUE(listeners_of(8003, root).empty());
    fs::remove_all(root);
    EXPECT_TRUE(listeners_of(8001, root).empty());
}

std::uint32_t said(const sandbox::Filter& filter, long call, std::uint64_t one, std::uint64_t two = 0,
                   std::uint64_t three = 0, std::uint64_t four = 0) {
    const std::uint64_t arguments[6] = {one, two, three, four, 0, 0};
    return sandbox::verdict(filter, sandbox::own_architecture(), static_cast<int>(call), arguments) &
           SECCOMP_RET_ACTION_FULL;
}

TEST(CommandFilter, lets_a_server_answer_and_begin_no_connection) {
    sandbox::Policy policy;
    policy.runs_programs = policy.listens = true;
    const sandbox::Layers layers{true, true, true, true};
    constexpr auto kAllow = SECCOMP_RET_ALLOW;
    const auto filter = sandbox::filter_for(policy, 1, layers);
    EXPECT_EQ(said(filter, SYS_socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC), kAllow);
    EXPECT_EQ(said(filter, SYS_socket, AF_INET6, SOCK_STREAM | SOCK_NONBLOCK), kAllow);
    EXPECT_NE(said(filter, SYS_socket, AF_INET, SOCK_DGRAM), kAllow);
    EXPECT_NE(said(filter, SYS_socket, AF_UNIX, SOCK_DGRAM), kAllow);
    EXPECT_NE(said(filter, SYS_socket, AF_NETLINK, SOCK_RAW), kAllow);
    EXPECT_NE(said(filter, SYS_connect, 3), kAllow);
    EXPECT_NE(said(filter, SYS_sendmmsg, 3), kAllow);
    EXPECT_EQ(said(filter, SYS_sendmsg, 3, 0, MSG_NOSIGNAL), kAllow);
    EXPECT_NE(said(filter, SYS_sendmsg, 3, 0, MSG_FASTOPEN), kAllow);
    EXPECT_NE(said(filter, SYS_sendto, 3, 0, 0, MSG_FASTOPEN), kAllow);
    EXPECT_EQ(said(filter, SYS_bind, 3), kAllow);
    EXPECT_EQ(said(filter, SYS_kill, 5, SIGTERM), kAllow);
    EXPECT_EQ(said(filter, SYS_execve, 0), kAllow);
    policy.listens = false;
    const auto local = sandbox::filter_for(policy, 1, {false, false, true, true});
    EXPECT_NE(said(local, SYS_socket, AF_INET, SOCK_STREAM), kAllow);
    EXPECT_EQ(said(local, SYS_socket, AF_UNIX, SOCK_STREAM), kAllow);
    EXPECT_NE(said(local, SYS_kill, 5, SIGTERM), kAllow) << "without a namespace it would reach others";
}

TEST(Upgrade, is_refused_at_its_bounds) {
    UpgradeReport report;
    report.old_one = {"a", "1", "", 6, 6, 4, 100, {}, 0, 0};
    report.new_one = {"b", "2", "", 6, 6, 4, 100, {}, 0, 0};
    report.agreement = 1;
    EXPECT_EQ(what_is_worse(report), "");
    report.new_one.tokens_per_second = 80;
    report.new_one.right = 3;
    report.agreement = 0.4;
    EXPECT_EQ(what_is_worse(report), "");
    report.new_one.tokens_per_second = 79;
    EXPECT_NE(what_is_worse(report).find("79.0 tokens a second, and the one in use 100.0"), std::string::npos);
    report.agreement = 0.39;
    EXPECT_NE(what_is_worse(report).find("agree"), std::string::npos);
    report.new_one.right = 2;
    EXPECT_NE(what_is_worse(report).find("2 of its 6"), std::string::npos);
    report.new_one.answered = 5;
    EXPECT_NE(what_is_worse(report).find("it answers 5 of 6"), std::string::npos);
    // One in use that does not start is no measure.
    report.old_one = {"a", "1", "", 0, 0, 0, 0, {}, 0, 0};
    report.agreement = 1;
    EXPECT_EQ(what_is_worse(report), "");
    EXPECT_EQ(median({3, 1, 2}), 2);
    EXPECT_EQ(median({4, 1}), 2.5);
    EXPECT_EQ(median({}), 0);
}

}  // namespace
}  // namespace tandem::engine
