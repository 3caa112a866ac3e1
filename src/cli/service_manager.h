// What a server tells the service manager that started it (sd_notify(3): a datagram to the socket in $NOTIFY_SOCKET),
// so that who starts the service waits until it answers. Private to cli/.
#pragma once

#include <string_view>

#include "config/config.h"

namespace tandem::cli {

// "READY=1", "STOPPING=1". Does nothing where no service manager listens; an error is no concern of the server's.
void tell_service_manager(const config::Environment& environment, std::string_view state);

}  // namespace tandem::cli
