#include "cli/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace tandem::cli {

void tell_service_manager(const config::Environment& environment, std::string_view state) {
    const auto path = environment("NOTIFY_SOCKET");
    sockaddr_un address{};
    // A path, or the name of an abstract socket behind an @.
    if (!path || path->size() < 2 || path->size() >= sizeof address.sun_path) return;
    if (path->front() != '/' && path->front() != '@') return;
    address.sun_family = AF_UNIX;
    std::ranges::copy(*path, address.sun_path);
    if (path->front() == '@') address.sun_path[0] = '\0';
    const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket < 0) return;
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path->size());
    sendto(socket, state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT, reinterpret_cast<const sockaddr*>(&address),
           size);
    close(socket);
}

}  // namespace tandem::cli
