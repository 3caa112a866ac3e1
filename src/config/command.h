// How a server that its owner names is started: the command of a model whose provider is of kind `command`.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/world.h"

namespace tandem::config {

// What `command` and `environment` may have in braces.
inline constexpr std::array<std::string_view, 8> kPlaceholders = {"port",    "socket", "model_file", "name",
                                                                  "context", "slots",  "key",        "folder"};

struct Command {
    std::vector<std::string> line;         // of the program and its arguments; the first is an absolute path
    std::vector<std::string> environment;  // NAME=value
    std::string ready = "/health";         // the path that answers 200 once requests are served
    std::string health;                    // the same, while it runs; empty: as `ready`
    int port = 0;                          // 0: one that is free
    std::size_t memory_bytes = 0;          // before it was measured; 0: by its file
    milliseconds stop{10'000};             // from SIGTERM to SIGKILL
    bool connects = false;                 // it may open connections
    std::vector<std::string> readable;     // absolute paths, besides
    std::vector<std::string> writable;

    bool operator==(const Command&) const = default;
    bool uses(std::string_view placeholder) const;
};

// `text` with what `value` gives for each word of letters and _ in braces; "{{" and "}}" around such a word stand for
// single braces. Other braces stay as they are: arguments may be JSON.
std::string filled(std::string_view text, const std::function<std::string(std::string_view name)>& value);
// The words in braces of a text, in order.
std::vector<std::string> placeholders_of(std::string_view text);

}  // namespace tandem::config
