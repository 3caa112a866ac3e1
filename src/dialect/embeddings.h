// Embeddings and reranking in the words of each dialect: OpenAI's /v1/embeddings, Ollama's /api/embed and
// /api/embeddings, Gemini's embedContent and batchEmbedContents, and /v1/rerank as Jina, Cohere, vLLM and llama-server
// have it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dialect/dialect.h"
#include "dialect/losses.h"

namespace tandem::dialect {

struct EmbedRequest {
    std::string model;
    std::vector<std::string> texts;
    std::optional<std::int64_t> dimensions;
    bool base64 = false;  // OpenAI: float32, little endian
    bool single = false;  // one text was asked about, in a dialect where that has an answer of its own form
};

// `path` tells the operation within a dialect. Errors: invalid, with the field.
Result<EmbedRequest> decode_embed(Kind client, const Incoming& incoming);
// For a provider of that kind; `takes_base64`: it has not refused that. `same`: the client's body where it is in the
// same dialect, or null.
Outgoing encode_embed(const EmbedRequest& request, Speaker target, const Target& model, const Incoming* same,
                      bool takes_base64 = true);

struct Embeddings {
    std::vector<std::vector<float>> vectors;  // in the order of the texts
    std::optional<std::int64_t> input_tokens;
    bool base64 = false;  // as they came
};
// Errors: upstream, when it is not as many vectors as texts.
Result<Embeddings> decode_embeddings(Speaker provider, const json::Value& answer, std::size_t texts);
std::string encode_embeddings(Kind client, std::string_view path, const EmbedRequest& request,
                              const Embeddings& embeddings, std::string_view model);

// A rerank request: the query and the documents, which are what it sends. Errors: invalid.
struct RerankRequest {
    std::string model;
    std::string query;
    std::vector<std::string> documents;
};
Result<RerankRequest> decode_rerank(const json::Document& document);

}  // namespace tandem::dialect
