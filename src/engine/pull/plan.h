// What has to be fetched for a reference: which files, from where, in which version, with which SHA-256.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/pull/reference.h"
#include "engine/pull/transfer.h"

namespace tandem::engine {

struct Plan {
    std::string source;   // as the manifest keeps it
    std::string version;  // pinned
    std::string licence;
    std::vector<Piece> pieces;       // in order; the names are wishes
    std::vector<std::string> notes;  // what the owner should know: "has a vision projector, which is not pulled"

    std::int64_t size() const;  // bytes; below 0 where a piece does not say its own
};

// A file of a repository.
struct HubFile {
    std::string path;  // in the repository
    std::int64_t size = 0;
    std::string sha256;
};

// The GGUF files that `wanted` means: those of one model, the parts of a split one in order. `wanted` is a path, the
// name of a file, or a quantization as a whole word of the name ("Q4_K_M", in any case); empty: the only model there
// is, else the one in Q4_K_M. Projectors, importance matrices and drafters are no models, unless they are asked for by
// path. Errors: not_found (with what there is), invalid (more than one, or parts are missing).
Result<std::vector<HubFile>> chosen(const std::vector<HubFile>& files, const std::string& wanted);

struct Hub {
    std::string endpoint = "https://huggingface.co";  // HF_ENDPOINT, without a slash at its end
    bool has_token = false;                           // for what to say of a refusal
};

// Errors: not_found, forbidden (gated, or the token is refused), upstream, timeout, rate_limited, invalid.
net::Task<Result<Plan>> plan_of_hub(Web& web, Reference reference, Hub hub);
net::Task<Result<Plan>> plan_of_ollama(Web& web, Reference reference);
Result<Plan> plan_of_url(const Reference& reference);

}  // namespace tandem::engine
