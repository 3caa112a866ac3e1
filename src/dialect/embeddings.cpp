#include "dialect/embeddings.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cstring>

#include "dialect/fields.h"
#include "dialect/gemini.h"

namespace tandem::dialect {

namespace {

using json::Value;

constexpr std::size_t kMostTexts = 4096;

Result<> read_inputs(const Value& input, const std::string& param, EmbedRequest& request) {
    if (const auto text = input.string()) {
        request.texts.emplace_back(*text);
        request.single = true;
        return {};
    }
    if (!input.is(json::Kind::array) || input.size() == 0 || input.size() > kMostTexts)
        return wrong(param, fmt::format("a string, or a list of 1 to {} strings", kMostTexts));
    for (const Value element : input.children()) {
        const auto text = element.string();
        // Token ids are of one tokenizer; detectors and other models cannot read them.
        if (!text)
            return fail(
                Fault::invalid_field,
                fmt::format("{}[{}]: expected a string; token ids cannot be looked at for private data, so send "
                            "the text (for LangChain: check_embedding_ctx_length=False)",
                            param, request.texts.size()),
                param);
        request.texts.emplace_back(*text);
    }
    return {};
}

std::string gemini_text(const Value& content) {
    if (const auto text = content.string()) return std::string(*text);
    std::string text;
    for (const Value part : content["parts"].children()) text += part["text"].text();
    return text;
}

std::string base64_of(const std::vector<float>& vector) {
    std::string bytes(vector.size() * sizeof(float), '\0');
    std::memcpy(bytes.data(), vector.data(), bytes.size());
    std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
    const int size =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                        reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    out.resize(static_cast<std::size_t>(size));
    return out;
}

std::vector<float> floats_of_base64(std::string_view text) {
    std::string bytes(text.size() / 4 * 3 + 3, '\0');
    const int size =
        EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                        reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
    if (size < 0) return {};
    std::size_t length = static_cast<std::size_t>(size);
    for (std::size_t i = text.size(); i > 0 && text[i - 1] == '=' && length > 0; --i) --length;
    std::vector<float> vector(length / sizeof(float));
    std::memcpy(vector.data(), bytes.data(), vector.size() * sizeof(float));
    return vector;
}

std::vector<float> vector_of(const Value& value) {
    if (const auto text = value.string()) return floats_of_base64(*text);
    std::vector<float> vector;
    vector.reserve(value.size());
    for (const Value element : value.children()) {
        // llama-server wraps one more list around it where its model pools nothing.
        if (element.is(json::Kind::array)) return vector_of(element);
        vector.push_back(static_cast<float>(element.number().value_or(0)));
    }
    return vector;
}

void write_vector(json::Writer& out, const std::vector<float>& vector) {
    std::string text = "[";
    for (const auto number : vector) {
        if (text.size() > 1) text += ',';
        fmt::format_to(std::back_inserter(text), "{}", number);
    }
    out.raw(text + "]");
}

}  // namespace

Result<EmbedRequest> decode_embed(Kind client, const Incoming& incoming) {
    const Value root = incoming.body.root();
    if (!root.is(json::Kind::object)) return fail(Fault::invalid_json, "the body must be a JSON object");
    EmbedRequest request;
    if (client == Kind::gemini) {
        request.model = gemini::call_of(incoming.path).model;
        auto one = [&](const Value& value) -> Result<> {
            request.texts.push_back(gemini_text(value["content"]));
            const Value size = value["outputDimensionality"].exists()
                                   ? value["outputDimensionality"]
                                   : value["embedContentConfig"]["outputDimensionality"];
            return read_count(size, "outputDimensionality", request.dimensions);
        };
        request.single = !root["requests"].exists();
        if (request.single) {
            if (auto ok = one(root); !ok) return fail(ok.error());
        }
        for (const Value value : root["requests"].children())
            if (auto ok = one(value); !ok) return fail(ok.error());
        if (request.texts.empty()) return wrong("requests", "at least one request");
        return request;
    }
    auto model = root["model"].text();
    if (model.empty()) return wrong("model", "the name of an alias or a model");
    if (client == Kind::ollama && model.ends_with(":latest")) model.remove_suffix(7);
    request.model = model;
    const bool legacy = client == Kind::ollama && incoming.path.ends_with("/embeddings");
    const char* field = legacy ? "prompt" : "input";
    if (auto ok = read_inputs(root[field], field, request); !ok) return fail(ok.error());
    if (auto ok = read_count(root["dimensions"], "dimensions", request.dimensions); !ok) return fail(ok.error());
    const auto format = root["encoding_format"].text();
    if (!format.empty() && format != "float" && format != "base64") return wrong("encoding_format", "float or base64");
    request.base64 = format == "base64";
    return request;
}

Outgoing encode_embed(const EmbedRequest& request, Speaker target, const Target& model, const Incoming* same,
                      bool takes_base64) {
    json::Writer out;
    if (target == Speaker::gemini) {
        out.begin_object().key("requests").begin_array();
        for (const auto& text : request.texts) {
            out.begin_object().member("model", "models/" + model.model).key("content").begin_object().key("parts");
            out.begin_array().begin_object().member("text", text).end_object().end_array().end_object();
            if (request.dimensions) out.member("outputDimensionality", *request.dimensions);
            out.end_object();
        }
        out.end_array().end_object();
        return {fmt::format("/models/{}:batchEmbedContents", model.model), out.take()};
    }
    if (target == Speaker::ollama) {
        out.begin_object().member("model", model.model).key("input").begin_array();
        for (const auto& text : request.texts) out.value(text);
        out.end_array();
        if (request.dimensions) out.member("dimensions", *request.dimensions);
        // Left out, it cuts what is too long without a word.
        const bool may_cut = same != nullptr && same->body.root()["truncate"].boolean() == true;
        out.member("truncate", may_cut).end_object();
        return {"/api/embed", out.take()};
    }
    if (same != nullptr) {
        Splice splice(same->body);
        splice.replace(same->body.root()["model"], json::quoted(model.model));
        if (!takes_base64)
            splice.leave_out(same->body.root(), [](const Value& member) { return member.key() == "encoding_format"; });
        return {"/embeddings", splice.take()};
    }
    out.begin_object().member("model", model.model).key("input").begin_array();
    for (const auto& text : request.texts) out.value(text);
    out.end_array().member("encoding_format", "float");
    if (request.dimensions) out.member("dimensions", *request.dimensions);
    out.end_object();
    return {"/embeddings", out.take()};
}

Result<Embeddings> decode_embeddings(Speaker provider, const Value& answer, std::size_t texts) {
    Embeddings result;
    if (provider == Speaker::ollama) {
        for (const Value vector : answer["embeddings"].children()) result.vectors.push_back(vector_of(vector));
        result.input_tokens = answer["prompt_eval_count"].integer();
    } else if (provider == Speaker::gemini) {
        for (const Value entry : answer["embeddings"].children()) result.vectors.push_back(vector_of(entry["values"]));
    } else {
        const Value data = answer["data"].exists() ? answer["data"] : answer;
        result.vectors.resize(std::min(texts, data.size()));
        std::size_t place = 0;
        for (const Value entry : data.children()) {
            const auto index = static_cast<std::size_t>(
                std::max<std::int64_t>(0, entry["index"].integer().value_or(static_cast<std::int64_t>(place))));
            ++place;
            if (index < result.vectors.size()) result.vectors[index] = vector_of(entry["embedding"]);
            result.base64 = result.base64 || entry["embedding"].string().has_value();
        }
        result.input_tokens = answer["usage"]["prompt_tokens"].integer();
    }
    const bool empty = std::ranges::any_of(result.vectors, [](const auto& v) { return v.empty(); });
    if (result.vectors.size() != texts || empty)
        return fail(Fault::provider_misspoke,
                    fmt::format("the provider answered with {} embeddings for {} texts", result.vectors.size(), texts));
    return result;
}

std::string encode_embeddings(Kind client, std::string_view path, const EmbedRequest& request,
                              const Embeddings& embeddings, std::string_view model) {
    json::Writer out;
    out.begin_object();
    if (client == Kind::gemini) {
        if (request.single) {
            out.key("embedding").begin_object().key("values");
            write_vector(out, embeddings.vectors[0]);
            out.end_object();
        } else {
            out.key("embeddings").begin_array();
            for (const auto& vector : embeddings.vectors) {
                out.begin_object().key("values");
                write_vector(out, vector);
                out.end_object();
            }
            out.end_array();
        }
    } else if (client == Kind::ollama && path.ends_with("/embeddings")) {
        out.key("embedding");
        write_vector(out, embeddings.vectors[0]);
    } else if (client == Kind::ollama) {
        out.member("model", model).key("embeddings").begin_array();
        for (const auto& vector : embeddings.vectors) write_vector(out, vector);
        out.end_array().member("total_duration", 0).member("load_duration", 0);
        out.member("prompt_eval_count", embeddings.input_tokens.value_or(0));
    } else {
        out.member("object", "list").key("data").begin_array();
        for (std::size_t i = 0; i < embeddings.vectors.size(); ++i) {
            out.begin_object().member("object", "embedding").member("index", i).key("embedding");
            if (request.base64)
                out.value(base64_of(embeddings.vectors[i]));
            else
                write_vector(out, embeddings.vectors[i]);
            out.end_object();
        }
        const auto tokens = embeddings.input_tokens.value_or(0);
        out.end_array().member("model", model).key("usage").begin_object();
        out.member("prompt_tokens", tokens).member("total_tokens", tokens).end_object();
    }
    out.end_object();
    return out.take();
}

Result<RerankRequest> decode_rerank(const json::Document& document) {
    const Value root = document.root();
    RerankRequest request;
    request.model = root["model"].text();
    if (request.model.empty()) return wrong("model", "the name of an alias or a model");
    if (!root["query"].string()) return wrong("query", "a string");
    request.query = root["query"].text();
    const Value documents = root["documents"];
    if (!documents.is(json::Kind::array) || documents.size() == 0) return wrong("documents", "a list of texts");
    for (const Value one : documents.children()) {
        const auto text = one.string();
        if (!text && !one["text"].string())
            return wrong(fmt::format("documents[{}]", request.documents.size()), "a string, or an object with a text");
        request.documents.emplace_back(text ? *text : one["text"].text());
    }
    return request;
}

}  // namespace tandem::dialect
