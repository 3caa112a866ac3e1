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
    std::int64_t usual_output = 0;      // what a client may ask for with every request: at most `output`
    config::Capabilities capabilities;  // what it can do
    bool has(config::Capability c) const { return capabilities.has(c); }
};

// A file of a client's settings, and how it is changed: the new text from the old.
struct File {
    std::string_view folder_variable;  // environment variable that names its folder; empty: none
    std::string_view folder;           // below the home folder, where that is not set
    std::string_view name;             // below the folder
    Result<std::string> (*change)(const std::string& before, const Values& v);
    std::string_view own_folder_variable = {};  // one that names the folder that the file itself is in; goes first
    bool or_jsonc = false;                      // it is read under the same name with a c at its end too
};

struct Client {
    std::string_view id;
    std::string_view what;                // where its settings are, for people
    std::string (*text)(const Values&);   // as they are printed
    std::vector<File> files;              // none: there is nothing to write
    std::vector<std::string_view> taken;  // names of models that mean something of its own, and never reach a server
    bool in_container = false;            // it mostly runs in one, where 127.0.0.1 is the container
    std::int64_t prompt_tokens = 0;       // about what its own instructions and tools take of every request; 0: little
    std::string_view note = {};           // what its owner should know of what is written
    std::string_view also_asks_for = {};  // a model that it asks for by itself, whatever it is told
    std::vector<std::string_view> variables = {};  // of the environment, which it takes before what is written
    bool key_apart = false;                        // its key is kept elsewhere than in its files

    // Whether a name is one of `taken`, in any case and with a window behind it (sonnet[1m]), as the programs read it.
    bool takes(std::string_view name) const;
};

std::span<const Client> clients();

}  // namespace tandem::cli
