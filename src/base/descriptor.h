// File descriptors of the system.
#pragma once

#include <string_view>

namespace tandem {

// Owns a descriptor, which it closes; below 0 it has none.
class Descriptor {
  public:
    explicit Descriptor(int fd) : fd_(fd) {}
    ~Descriptor();
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return fd_; }
    // Closes it; what close(2) says.
    bool closed();

  private:
    int fd_;
};

// Writes all of it; false, with errno, where the system takes no more.
bool write_all(int fd, std::string_view bytes);

}  // namespace tandem
