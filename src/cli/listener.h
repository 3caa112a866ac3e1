// Who listens on a port of this machine. Private to cli/.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace tandem::cli {

// Whether every listener on the port belongs to one of the users, or to root; also where that cannot be known (another
// machine's port, no /proc, nobody listens). `table` is the text of /proc/net/tcp or tcp6 (proc_pid_net(5)).
bool listeners_belong_to(const std::string& table, std::uint16_t port, uid_t one, uid_t other);

// The same by the tables of this machine, for the current user and the owner of the data folder.
bool is_trusted_port(std::uint16_t port, uid_t owner);

}  // namespace tandem::cli
