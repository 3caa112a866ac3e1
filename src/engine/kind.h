// The kinds of engines, one file each (kinds/): what a kind of server is started with, how it is known to be ready and
// to work, what memory it is counted at. Everybody else in engine/ reads the row; nobody asks which kind an engine is.
//
// A new kind is a file in kinds/ and a line of kind.cpp. The provider kind of the same name says how requests for it
// are made (provider/kind.h). Private to engine/.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "config/config.h"
#include "engine/engines.h"
#include "engine/kept_prompts.h"
#include "engine/machine_memory.h"
#include "engine/planned_memory.h"

namespace tandem::engine {

// What a kind is asked about: one model as its owner has set it up, on this machine. Borrowed for the call.
struct Asked {
    const config::Config& config;
    const config::Model& model;
    const EnginesSettings& settings;
    MachineMemory machine;
};

// What is known when a process is started.
struct Starting {
    std::filesystem::path program;  // as EngineKind::program gave it
    std::filesystem::path file;     // as EngineKind::file gave it
    std::filesystem::path folder;   // its own: the working directory
    std::string socket;             // its name within the working directory
    int port = 0;                   // where Supervision::on_port says so
    const Secret& key;              // that requests will have
    std::filesystem::path prompts;  // the folder for what it has read (PromptStore); empty: none is wanted
};

// What it needs of the machine beside a program, a model and a folder of its own.
struct Reach {
    bool runs_programs = false;
    bool listens = false;  // on a TCP port
    std::string connects;  // what lets it open connections ("`connects: true`"); empty: nothing does
    std::vector<std::filesystem::path> readable, writable;
};

// What a process is started with.
struct Start {
    std::vector<std::string> command;      // [0] is an absolute path
    std::vector<std::string> environment;  // NAME=value, before what an engine inherits of the same name
    std::vector<std::string> usual = {};   // NAME=value, where it inherits none of the name
    Reach reach = {};
    bool keeps_prompts = false;  // in the folder that was given
};

// How it is looked at while it runs.
struct Supervision {
    std::string ready;          // the path that answers 200 once it is ready
    std::string health;         // and while it is well
    std::string progress;       // whose answer changes while it works; empty: bytes and CPU time alone say so
    milliseconds stop{5'000};   // from SIGTERM to SIGKILL
    bool on_port = false;       // it listens on a TCP port, and not on a socket
    int port = 0;               // the owner's; 0: one that is free
    bool has_children = false;  // its memory and its processor time are those of all its processes
};

struct EngineKind {
    std::string_view provider;  // the name of its kind of provider in tandem.yaml

    // ---- its start ----

    // Absolute. Errors: not_found, with what to do.
    Result<std::filesystem::path> (*program)(const Asked& asked);
    Result<std::filesystem::path> (*file)(const Asked& asked);
    Start (*start)(const Asked& asked, const Starting& starting);
    // What else a measurement of its memory and its speed depends on, beside program and file.
    std::string (*setup)(const Asked& asked);
    // What it is counted at before it has run.
    PlannedMemory (*planned)(const Asked& asked, const std::filesystem::path& file);
    // What the last words of one that did not start hint at, for a message; empty: nothing that is known.
    std::string (*hint)(std::string_view last_words);

    Supervision (*supervision)(const Asked& asked);
    bool has_versions = false;  // `tandem engine upgrade` takes another program in its place
    // What to do about one that takes more memory than there is ("lower its ...").
    std::string_view smaller;
    const PromptStore* prompts = nullptr;  // null: what it has read goes with its process
};

// The kind of the engines of a provider; nullptr: Tandem starts no servers of it.
const EngineKind* engine_kind(const config::Provider& provider);

}  // namespace tandem::engine
