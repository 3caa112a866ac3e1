// The clients that `tandem connect` knows: where each keeps its settings, and what they are. Private to cli/connect/.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/config.h"

namespace tandem::cli {

// What a client's settings are made of.
struct Values {
    std::string url;  // of the server, without a path of the API and without a slash at its end
    std::string key;  // the secret, or what stands for it where it is not shown
    bool key_hidden = false;
    std::string model;
    std::int64_t context = 0;           // what the model takes
    std::int64_t output = 0;            // what it answers with at most
    config::Capabilities capabilities;  // what it can do
    bool has(config::Capability c) const { return capabilities.has(c); }
};

// A file of a client's settings, and how it is changed: the new text from the old.
struct File {
    std::string_view folder_variable;  // environment variable that names its folder; empty: none
    std::string_view folder;           // below the home folder, where that is not set
    std::string_view name;             // below the folder
    Result<std::string> (*change)(const std::string& before, const Values& v);
};

struct Client {
    std::string_view id;
    std::string_view what;                // where its settings are, for people
    std::string (*text)(const Values&);   // as they are printed
    std::vector<File> files;              // none: there is nothing to write
    std::vector<std::string_view> taken;  // names of models that mean something of its own, and never reach a server
    bool in_container = false;            // it mostly runs in one, where 127.0.0.1 is the container
    bool has_key = true;                  // it has a field for a key
    std::int64_t prompt_tokens = 0;       // about what its own instructions and tools take of every request; 0: little
    std::string_view note = {};           // what its owner should know of what is written
    std::string_view also_asks_for = {};  // a model that it asks for by itself, whatever it is told
};

std::span<const Client> clients();

}  // namespace tandem::cli
