// Which product a server is, by what it answers alone, and what it says of its models. Private to cli/init/.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "cli/fetch.h"
#include "cli/init/discover.h"

namespace tandem::cli {

// What every address is asked. The order is that of Asked. `native` is asked only where a variable says the dialect:
// POST /v1/messages without a question of Anthropic's, /v1beta/models of Gemini's.
enum Asked : std::size_t { root, version, models, props, tags, lmstudio, kobold, webui, own, native, kAsked };
inline constexpr std::array<std::string_view, native> kPaths = {
    "/",
    "/version",
    "/v1/models",
    "/props",                   // llama-server
    "/api/tags",                // Ollama
    "/api/v0/models",           // LM Studio
    "/api/extra/version",       // KoboldCpp
    "/v1/internal/model/info",  // text-generation-webui
    "/tandem/v1/openapi.json",  // Tandem itself
};

struct Answer {
    bool there = false;  // something answered, whatever it was
    int status = 0;
    std::string body;
    json::Document document;
    bool is_json = false;
    json::Value json() const { return is_json ? document.root() : json::Value{}; }
};
using Answers = std::array<Answer, kAsked>;

// A base URL without the /v1 at its end.
std::string without_version(std::string url);

// `server` has its address already, and as its kind the dialect that a variable says. What only says that it wants a
// key is taken for a model server where its owner has `named` it. Nullopt: it is no model server, or Tandem itself.
std::optional<FoundServer> recognise(const Answers& answers, FoundServer server, std::uint16_t port, bool named);
bool is_tandem(const Answers& answers);
// What a person is told of something that is no model server.
std::string description_of(const Answers& answers);

// What a server is asked of its models, and what it answers, in the same order. `ollama_context`: the context that the
// owner has set for Ollama; 0: none.
std::vector<Fetch> detail_questions(const FoundServer& server, const net::Fields& headers);
void read_details(FoundServer& server, const Answers& answers, std::span<const Answer> details,
                  std::int64_t ollama_context);

}  // namespace tandem::cli
