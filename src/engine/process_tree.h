// The processes of an engine that starts others: its own, those of its group, and their descendants. Private to
// engine/.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "engine/process_stat.h"

namespace tandem::engine {

struct ListedProcess {
    pid_t pid = 0, parent = 0, group = 0;
    std::string name;
};

// Of this machine, as far as /proc shows them, without those that have ended and not been waited for.
std::vector<ListedProcess> all_processes();
// `root` first; empty where it is not there.
std::vector<ListedProcess> tree_of(pid_t root);
// The sums of memory and processor time of a tree. A page that two of them share counts twice. `peak` is the largest of
// the sum now and of the first one's own peak. Nullopt: the first one is not there any more.
std::optional<ProcessStat> tree_stat(pid_t root);

// Ends with SIGKILL every process of this user in whose environment `variable` (NAME=value, whole) stands: those that
// left the group of an engine, or were left over when Tandem was killed. Gives how many.
int kill_marked(const std::string& variable);

}  // namespace tandem::engine
