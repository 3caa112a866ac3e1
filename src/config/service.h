// Where the Debian package's service has its files (packaging/): for root and for the service, whatever their homes
// are.
#pragma once

namespace tandem::config {

inline constexpr const char* kServiceConfig = "/etc/tandem/tandem.yaml";
inline constexpr const char* kServiceEnvironment = "/etc/default/tandem";  // variables that it is started with
inline constexpr const char* kServiceData = "/var/lib/tandem";
inline constexpr const char* kServiceCache = "/var/cache/tandem";

}  // namespace tandem::config
