// Model files of other programs, used where they lie: Ollama's, LM Studio's, llama.cpp's and the hub's cache. Nothing
// of them is copied, moved or changed.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "engine/disk/check.h"
#include "engine/disk/manifest.h"

namespace tandem::engine {

inline constexpr int kDeepestFolder = 6;               // below the one that is looked into
inline constexpr std::size_t kMostLookedAt = 200'000;  // entries of folders

struct Store {
    std::string program;           // "ollama", "lmstudio", "llama.cpp", "hub"
    std::filesystem::path folder;  // where its models are
};

// Where these programs keep models on this machine, by their own variables (OLLAMA_MODELS, HF_HOME, HF_HUB_CACHE,
// LLAMA_CACHE) or their usual folders; only those that are there.
std::vector<Store> stores_of(const config::Environment& environment);

// What can be adopted of a store. A file's SHA-256 is the one that the store says, and empty where it says none. What
// is no GGUF file, and a split one that is not whole, is left out.
std::vector<DiskModel> models_of(const Store& store);
// The same of one file, or of all below a folder. Errors: not_found, invalid (it is no GGUF file).
Result<std::vector<DiskModel>> models_at(const std::filesystem::path& path);

// Whether the engine can begin with this file: it is whole, and where it is a part of a split model its name says so.
// Errors: invalid, as read_gguf().
Result<> check_split(const std::filesystem::path& file);

struct Adopted {
    std::vector<DiskModel> added;
    std::size_t known = 0;  // that were in the manifest already
};

// Enters them, each under a name of its own. A SHA-256 that nobody said is computed. Errors: as change_manifest().
Result<Adopted> adopt(const std::filesystem::path& models, std::vector<DiskModel> found, const Reading& reading = {});

// Copies the owner's own file (and the other parts of a split one) into the models folder. Errors: not_found, invalid,
// unavailable (no room), storage.
Result<DiskModel> copy_in(const std::filesystem::path& models, const std::filesystem::path& file,
                          const Reading& reading = {});

}  // namespace tandem::engine
