// The address of a UNIX socket in a folder that nobody else may write, for those who may read the folder alone.
#pragma once

#include <boost/asio/local/stream_protocol.hpp>
#include <filesystem>
#include <string>
#include <utility>

#include "base/result.h"

namespace tandem::net {

// Holds the folder open while the address is used, so that a path may be longer than sockaddr_un takes (108 bytes, see
// unix(7)): then the socket is named through /proc/self/fd.
class LocalAddress {
  public:
    // Errors: unavailable, where the folder is not there, or others than its owner may write to it: they could put a
    // socket of theirs in its place.
    static Result<LocalAddress> of(const std::filesystem::path& file);
    LocalAddress(LocalAddress&& other) noexcept
        : folder_(std::exchange(other.folder_, -1)), path_(std::move(other.path_)), name_(std::move(other.name_)) {}
    LocalAddress& operator=(LocalAddress&&) = delete;
    ~LocalAddress();

    boost::asio::local::stream_protocol::endpoint endpoint() const { return {path_}; }
    // Whether a socket is there, and belongs to the folder's owner, to us, or to root.
    bool has_socket() const;
    // Removes a socket that is there, and nothing else. Errors: unavailable.
    Result<> remove_socket() const;

  private:
    LocalAddress(int folder, std::string path, std::string name)
        : folder_(folder), path_(std::move(path)), name_(std::move(name)) {}
    int folder_;
    std::string path_, name_;
};

// Whether the process at the other end of a connected UNIX socket is of our own user, or root's (SO_PEERCRED).
bool peer_is_ours(int fd);

}  // namespace tandem::net
