// Servers that Tandem did not start and never ends: what their own lists say of the models that they have in memory.
// Their kinds are rows, as those of engines are (kind.h): a new one is a file in kinds/ and a line of adopted.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "config/config.h"

namespace tandem::engine {

// One model of such a server, by its own words.
struct AdoptedModel {
    std::string name;
    bool loaded = false;
    std::int64_t bytes = 0;      // that it takes; 0: the server does not say
    std::int64_t gpu_bytes = 0;  // of them on GPUs
    bool file_size = false;      // `bytes` is the size of its file: the server says no more
    std::int64_t context_tokens = 0;
    std::string until;  // when it will be unloaded, as the server writes it; empty: not said
};

struct AdoptedKind {
    std::string_view provider;  // the name of its kind of provider
    // Paths below the server's root, the best first: the first that is answered is read.
    std::vector<std::string_view> (*paths)();
    // Of the answer at paths()[which]; nullopt: it is not such a list.
    std::optional<std::vector<AdoptedModel>> (*read)(std::size_t which, const json::Value& answer);
    // Whether the server's name for a model is what the config calls it.
    bool (*same)(std::string_view servers, std::string_view own);
};
// nullptr: servers of this kind have no such list.
const AdoptedKind* adopted_kind(const config::Provider& provider);

// One line for people: a model of the config, or one that is loaded beside those and takes memory all the same.
struct AdoptedStatus {
    std::string provider, kind;
    std::string model;                 // id in the config; empty: it is not in it
    std::string name;                  // the server's
    std::string state = "not loaded";  // loaded; unreachable
    std::string error;                 // why it is unreachable
    AdoptedModel said;
};
// What the models of `provider` are, by its list; `error`: why there is none.
std::vector<AdoptedStatus> adopted_models(const config::Config& config, const config::Provider& provider,
                                          const std::vector<AdoptedModel>& list, const std::string& error);

}  // namespace tandem::engine
