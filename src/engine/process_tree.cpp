#include "engine/process_tree.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "base/descriptor.h"
#include "base/text.h"

namespace tandem::engine {

namespace fs = std::filesystem;

namespace {

constexpr int kRounds = 20;  // for those that start others while they are ended

std::string contents(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

bool has_mark(pid_t pid, const std::string& variable) {
    const auto environment = std::string(1, '\0') + contents("/proc/" + std::to_string(pid) + "/environ");
    return environment.find('\0' + variable + '\0') != std::string::npos;
}

bool is_own_user(pid_t pid) {
    struct stat about{};
    return stat(("/proc/" + std::to_string(pid)).c_str(), &about) == 0 && about.st_uid == geteuid();
}

// By a descriptor of the process, so that another one with its number is never meant.
bool kill_one(pid_t pid, const std::string& variable) {
    const Descriptor process(static_cast<int>(syscall(434 /* pidfd_open */, pid, 0)));
    if (process.get() < 0 || !has_mark(pid, variable)) return false;
    return syscall(424 /* pidfd_send_signal */, process.get(), SIGKILL, nullptr, 0) == 0;
}

}  // namespace

std::vector<ListedProcess> all_processes() {
    std::vector<ListedProcess> all;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator("/proc", error)) {
        const auto number = whole_number(entry.path().filename().string());
        if (!number) continue;
        const auto line = contents(entry.path() / "stat");
        const auto begin = line.find('('), end = line.rfind(')');
        if (end == std::string::npos || begin == std::string::npos) continue;
        std::istringstream fields(line.substr(end + 1));
        ListedProcess one;
        char state = 0;
        if (!(fields >> state >> one.parent >> one.group) || state == 'Z' || state == 'X') continue;
        one.pid = static_cast<pid_t>(*number);
        one.name = line.substr(begin + 1, end - begin - 1);
        all.push_back(std::move(one));
    }
    return all;
}

std::vector<ListedProcess> tree_of(pid_t root) {
    auto rest = all_processes();
    std::vector<ListedProcess> tree;
    std::set<pid_t> known = {root};
    const auto belongs = [&](const ListedProcess& one) {
        return one.pid == root || one.group == root || known.contains(one.parent);
    };
    // A child may stand before its parent: again until none is added.
    for (bool added = true; added;) {
        added = false;
        for (auto at = rest.begin(); at != rest.end();) {
            if (!belongs(*at)) {
                ++at;
                continue;
            }
            known.insert(at->pid);
            tree.insert(at->pid == root ? tree.begin() : tree.end(), std::move(*at));
            at = rest.erase(at);
            added = true;
        }
    }
    if (tree.empty() || tree.front().pid != root) return {};
    return tree;
}

std::optional<ProcessStat> tree_stat(pid_t root) {
    auto sum = process_stat(root);
    if (!sum) return sum;
    for (const auto& one : tree_of(root)) {
        const auto stat = one.pid == root ? std::nullopt : process_stat(one.pid);
        if (!stat) continue;
        sum->cpu += stat->cpu;
        sum->memory.now += stat->memory.now;
        sum->memory.anonymous += stat->memory.anonymous;
    }
    sum->memory.peak = std::max(sum->memory.peak, sum->memory.now);
    return sum;
}

int kill_marked(const std::string& variable) {
    int ended = 0;
    for (int round = 0; round < kRounds; ++round) {
        int now = 0;
        for (const auto& one : all_processes())
            if (one.pid != getpid() && is_own_user(one.pid) && has_mark(one.pid, variable) &&
                kill_one(one.pid, variable))
                ++now;
        if (now == 0) break;
        ended += now;
        usleep(1'000);
    }
    return ended;
}

}  // namespace tandem::engine
