// The model files on disk that Tandem knows: data/models/manifest.json. It says of each where it came from, its pinned
// version, its SHA-256 and whether Tandem owns its files or only adopted those of another program.
//
// It is read as outside input: bounded, and an entry that could lead out of the folder is refused. It is written whole
// or not at all, under a lock that a killed process gives back.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/descriptor.h"
#include "base/json.h"
#include "base/result.h"

namespace tandem::engine {

inline constexpr std::size_t kLargestManifest = 8UL << 20;  // bytes
inline constexpr std::size_t kMostDiskModels = 10'000;
inline constexpr std::size_t kMostFilesOfModel = 1'000;  // of a split GGUF

struct DiskFile {
    std::filesystem::path path;  // of an owned file: its name in the models folder; of an adopted one: absolute
    std::int64_t size = 0;       // bytes
    std::string sha256;          // 64 lower-case hexadecimal digits
};

struct DiskModel {
    std::string name = {};     // what `file:` of tandem.yaml says: ends in .gguf, has no slash
    std::string source = {};   // "hf:ORG/REPO:FILE", "ollama:NAME:TAG", a URL, or a path
    std::string version = {};  // pinned: a commit, or the SHA-256 of Ollama's manifest; empty: the source has none
    std::string licence = {};  // as its source says it; empty: not said
    bool adopted = false;
    bool compared = false;  // its SHA-256 was compared with one that the source, or the owner, had said
    std::int64_t added_ms = 0;
    std::vector<DiskFile> files = {};  // at least one; the parts of a split GGUF in order

    std::int64_t size() const;
};

class Manifest {
  public:
    // `models` is data/models. Without a file it is empty. Errors: storage, invalid (what is wrong, and where).
    static Result<Manifest> read(const std::filesystem::path& models);
    const std::vector<DiskModel>& models() const { return models_; }
    // Nothing where there is none. Valid as long as the manifest.
    const DiskModel* find(std::string_view name) const;
    // Where a file of it lies.
    std::filesystem::path path_of(const DiskFile& file) const;

  private:
    friend Result<> change_manifest(const std::filesystem::path& models,
                                    const std::function<Result<>(std::vector<DiskModel>&)>& change);
    std::filesystem::path folder_;
    std::vector<DiskModel> models_;
};

// Reads it, lets `change` have its models, and writes it, while no other process does so. The folder is made where it
// is missing. Errors: as Manifest::read(), those of `change` (then nothing is written), storage.
Result<> change_manifest(const std::filesystem::path& models,
                         const std::function<Result<>(std::vector<DiskModel>&)>& change);

// Puts a model into the manifest, in place of one of its name. Errors: as change_manifest().
Result<> enter(const std::filesystem::path& models, const DiskModel& model);
// That none of them has the name, with the nearest that one has. Errors: not_found.
Error no_model(const std::vector<DiskModel>& models, std::string_view name);
// The files of a model as a member "files".
void write_files(json::Writer& out, const DiskModel& model);

// Whether a model may have this name: 1 to 200 letters, digits, '.', '_', '+', '-', ending in ".gguf" and not beginning
// with a dot.
bool is_model_name(std::string_view name);
// A name made of any words, by replacing what a name may not have.
std::string model_name_of(std::string_view words);

// What one program at a time may do, while this lives: `name` is a file in the folder of the models. Errors: storage.
Result<std::unique_ptr<Descriptor>> lock_in(const std::filesystem::path& models, std::string_view name);

// Gives a file that is whole its name. Where `replaces` is false and a file of that name came to be meanwhile, that
// one stays. Errors: invalid, storage.
Result<> give_name(const std::filesystem::path& part, const std::filesystem::path& target, bool replaces);

}  // namespace tandem::engine
