#include "engine/gguf.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cctype>
#include <cmath>
#include <fstream>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "base/file.h"
#include "engine/gguf_types.h"

namespace tandem::engine {

namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::uint64_t kMostEntries = 1UL << 16;  // of metadata, and tensors
constexpr std::uint64_t kMostText = 1024;          // bytes of a key, and of a text that is kept
constexpr std::uint32_t kMostDimensions = 4;
constexpr int kMostNesting = 4;                         // arrays of arrays
constexpr std::uint64_t kMostLayers = 4'096;            // of an array with a number for each
constexpr std::int64_t kLargestOfLayer = 1LL << 32;     // such a number
constexpr std::uint64_t kLargestAlignment = 1UL << 20;  // bytes

enum Type : std::uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, text, array, u64, i64, f64 };

std::uint64_t size_of(std::uint32_t type) {
    constexpr std::array<std::uint64_t, 13> kSizes = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    return type < kSizes.size() ? kSizes[type] : 0;
}

// `general.file_type`, llama.cpp's llama_ftype.
std::string quantization_of(std::uint64_t file_type) {
    constexpr std::array<std::string_view, 33> kNames = {
        "F32",    "F16",     "Q4_0",   "Q4_1",   "",       "",       "",       "Q8_0",  "Q5_0",    "Q5_1",   "Q2_K",
        "Q3_K_S", "Q3_K_M",  "Q3_K_L", "Q4_K_S", "Q4_K_M", "Q5_K_S", "Q5_K_M", "Q6_K",  "IQ2_XXS", "IQ2_XS", "Q2_K_S",
        "IQ3_XS", "IQ3_XXS", "IQ1_S",  "IQ4_NL", "IQ3_S",  "IQ3_M",  "IQ2_S",  "IQ2_M", "IQ4_XS",  "IQ1_M",  "BF16"};
    return file_type < kNames.size() ? std::string(kNames[file_type]) : std::string();
}

class Reader {
  public:
    explicit Reader(std::istream& in) : in_(in) {}

    std::uint64_t at() const { return at_; }
    bool failed() const { return failed_; }

    template <typename Number>
    Number number() {
        std::array<char, sizeof(Number)> bytes{};
        if (!take(bytes.size())) return {};
        in_.read(bytes.data(), bytes.size());
        if (!in_) failed_ = true;
        return failed_ ? Number{} : std::bit_cast<Number>(bytes);
    }
    void skip(std::uint64_t size) {
        if (!take(size)) return;
        in_.ignore(static_cast<std::streamsize>(size));
        // What was not there to be skipped is missing.
        if (static_cast<std::uint64_t>(in_.gcount()) != size) failed_ = true;
    }
    // A text that is longer than `most` is skipped, and comes back empty.
    std::string string(std::uint64_t most) {
        const auto size = number<std::uint64_t>();
        if (failed_) return {};
        if (size > most) {
            skip(size);
            return {};
        }
        if (!take(size)) return {};
        std::string result(size, '\0');
        in_.read(result.data(), static_cast<std::streamsize>(size));
        if (!in_) failed_ = true;
        return failed_ ? std::string() : result;
    }
    void fail() { failed_ = true; }

  private:
    bool take(std::uint64_t size) {
        if (failed_ || size > kMostHeader - at_) {
            failed_ = true;
            return false;
        }
        at_ += size;
        return true;
    }
    std::istream& in_;
    std::uint64_t at_ = 0;
    bool failed_ = false;
};

void skip_elements(Reader& in, std::uint32_t of, std::uint64_t count, int depth);

void skip_value(Reader& in, std::uint32_t type, int depth = 0) {
    if (type == text) {
        in.string(0);
        return;
    }
    if (type != array) {
        const auto size = size_of(type);
        return size == 0 ? in.fail() : in.skip(size);
    }
    const auto of = in.number<std::uint32_t>();
    const auto count = in.number<std::uint64_t>();
    skip_elements(in, of, count, depth);
}

void skip_elements(Reader& in, std::uint32_t of, std::uint64_t count, int depth) {
    if (in.failed() || depth == kMostNesting || count > kMostHeader) return in.fail();
    if (const auto size = size_of(of); size > 0) return in.skip(size * count);
    for (std::uint64_t i = 0; i < count && !in.failed(); ++i) skip_value(in, of, depth + 1);
}

// A whole number of any type; nullopt, and skipped, where the value is something else.
std::optional<std::uint64_t> whole_number(Reader& in, std::uint32_t type) {
    switch (type) {
        case u8:
        case boolean:
            return in.number<std::uint8_t>();
        case u16:
            return in.number<std::uint16_t>();
        case u32:
            return in.number<std::uint32_t>();
        case u64:
            return in.number<std::uint64_t>();
        case i32:
            return static_cast<std::uint64_t>(std::max(0, in.number<std::int32_t>()));
        case i64:
            return static_cast<std::uint64_t>(std::max<std::int64_t>(0, in.number<std::int64_t>()));
        default:
            skip_value(in, type);
            return std::nullopt;
    }
}

std::int64_t bounded(std::uint64_t number) {
    return static_cast<std::int64_t>(std::min<std::uint64_t>(number, std::numeric_limits<std::int64_t>::max()));
}

std::int64_t count_of(Reader& in, std::uint32_t type) {
    return bounded(whole_number(in, type).value_or(0));
}

double fraction(Reader& in, std::uint32_t type) {
    double value = 0;
    if (type == f32)
        value = in.number<float>();
    else if (type == f64)
        value = in.number<double>();
    else
        return static_cast<double>(count_of(in, type));
    return std::isfinite(value) ? value : 0;
}

// How many elements an array has; they are skipped.
std::int64_t elements_of(Reader& in, std::uint32_t type) {
    if (type != array) {
        skip_value(in, type);
        return 0;
    }
    const auto of = in.number<std::uint32_t>();
    const auto count = in.number<std::uint64_t>();
    skip_elements(in, of, count, 0);
    return bounded(count);
}

// One number for all layers, or one for each of them.
struct PerLayer {
    std::int64_t most = 0, sum = 0, some = 0;  // `sum` and `some` (that are above 0): of an array alone
};
PerLayer per_layer(Reader& in, std::uint32_t type) {
    PerLayer result;
    if (type != array) {
        result.most = count_of(in, type);
        return result;
    }
    const auto of = in.number<std::uint32_t>();
    const auto count = in.number<std::uint64_t>();
    if (of == array || of == text || count > kMostLayers) {
        skip_elements(in, of, count, 0);
        return result;
    }
    for (std::uint64_t i = 0; i < count && !in.failed(); ++i) {
        const auto one = std::min(count_of(in, of), kLargestOfLayer);
        result.most = std::max(result.most, one);
        result.sum += one;
        if (one > 0) ++result.some;
    }
    return result;
}

std::string string_of(Reader& in, std::uint32_t type, std::uint64_t most = kMostText) {
    if (type == text) return in.string(most);
    skip_value(in, type);
    return {};
}

// A template that has `tools` as a word of its own writes them into the prompt (Jinja, as transformers passes them).
bool has_tools(std::string_view words) {
    const auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
    constexpr std::string_view kTools = "tools";
    for (auto at = words.find(kTools); at != std::string_view::npos; at = words.find(kTools, at + 1)) {
        const auto end = at + kTools.size();
        if ((at == 0 || !is_word(words[at - 1])) && (end == words.size() || !is_word(words[end]))) return true;
    }
    return false;
}

void read_template(Reader& in, std::uint32_t type, std::string_view key, GgufFacts& facts) {
    auto words = string_of(in, type, kLongestTemplate);
    facts.template_has_tools = facts.template_has_tools || has_tools(words) || key.ends_with(".tool_use");
    if (key == "tokenizer.chat_template") facts.chat_template = std::move(words);
}

using Take = void (*)(Reader& in, std::uint32_t type, GgufFacts& facts);

// Keys as they are (ggml's docs/gguf.md).
constexpr std::array<std::pair<std::string_view, Take>, 11> kKeys{{
    {"general.architecture",
     [](Reader& in, std::uint32_t type, GgufFacts& facts) { facts.architecture = string_of(in, type); }},
    {"general.name", [](Reader& in, std::uint32_t type, GgufFacts& facts) { facts.name = string_of(in, type); }},
    {"general.license", [](Reader& in, std::uint32_t type, GgufFacts& facts) { facts.licence = string_of(in, type); }},
    {"general.file_type",
     [](Reader& in, std::uint32_t type, GgufFacts& facts) {
         facts.quantization = quantization_of(whole_number(in, type).value_or(~0ULL));
     }},
    {"general.alignment",
     [](Reader& in, std::uint32_t type, GgufFacts&) {
         const auto alignment = whole_number(in, type).value_or(0);
         if (!std::has_single_bit(alignment) || alignment > kLargestAlignment) in.fail();
     }},
    {"tokenizer.ggml.model",
     [](Reader& in, std::uint32_t type, GgufFacts& facts) { facts.tokenizer.model = string_of(in, type); }},
    {"tokenizer.ggml.pre",
     [](Reader& in, std::uint32_t type, GgufFacts& facts) { facts.tokenizer.pre = string_of(in, type); }},
    {"tokenizer.ggml.tokens",
     [](Reader& in, std::uint32_t type, GgufFacts& facts) { facts.tokenizer.tokens = elements_of(in, type); }},
    {"split.no", [](Reader& in, std::uint32_t type, GgufFacts& facts) { facts.split.number = count_of(in, type); }},
    {"split.count", [](Reader& in, std::uint32_t type, GgufFacts& facts) { facts.split.count = count_of(in, type); }},
    {"split.tensors.count",
     [](Reader& in, std::uint32_t type, GgufFacts& facts) { facts.split.tensors = count_of(in, type); }},
}};

// What stands behind the name of the architecture ("llama.context_length").
constexpr std::array<std::pair<std::string_view, Take>, 25> kEnds{{
    {".context_length",
     [](Reader& in, std::uint32_t type, GgufFacts& facts) { facts.context_tokens = count_of(in, type); }},
    {".expert_count", [](Reader& in, std::uint32_t type, GgufFacts& facts) { facts.experts = count_of(in, type); }},
    {".expert_used_count",
     [](Reader& in, std::uint32_t type, GgufFacts& facts) { facts.experts_used = count_of(in, type); }},
    {".block_count", [](Reader& in, std::uint32_t type, GgufFacts& facts) { facts.layers.count = count_of(in, type); }},
    {".embedding_length",
     [](Reader& in, std::uint32_t type, GgufFacts& facts) { facts.layers.embedding = count_of(in, type); }},
    {".attention.head_count",
     [](Reader& in, std::uint32_t type, GgufFacts& facts) { facts.layers.heads = per_layer(in, type).most; }},
    {".attention.head_count_kv",
     [](Reader& in, std::uint32_t type, GgufFacts& facts) {
         const auto heads = per_layer(in, type);
         facts.layers.kv_heads = heads.most;
         facts.layers.kv_heads_sum = heads.sum;
         facts.layers.kv_layers = heads.some;
     }},
    {".feed_forward_length",
     [](Reader& in, std::uint32_t type, GgufFacts& facts) { facts.layers.feed_forward = per_layer(in, type).most; }},
    {".expert_feed_forward_length",
     [](Reader& in, std::uint32_t type, GgufFacts& facts) {
         facts.layers.expert_feed_forward = per_layer(in, type).most;
     }},
    {".attention.sliding_window_pattern",
     [](Reader& in, std::uint32_t type, GgufFacts& facts) {
         const bool each = type == array;
         const auto pattern = per_layer(in, type);
         (each ? facts.layers.windowed : facts.layers.window_period) = each ? pattern.some : pattern.most;
     }},
    {".full_attention_interval",
     [](Reader& in, std::uint32_t type, GgufFacts& facts) { facts.layers.attention_period = count_of(in, type); }},
    {".ssm.inner_size",
     [](Reader& in, std::uint32_t type, GgufFacts& facts) { facts.layers.inner_size = count_of(in, type); }},
    {".ssm.conv_kernel",
     [](Reader& in, std::uint32_t type, GgufFacts& facts) { facts.layers.conv_kernel = count_of(in, type); }},
    {".ssm.group_count",
     [](Reader& in, std::uint32_t type, GgufFacts& facts) { facts.layers.groups = count_of(in, type); }},
    {".shortconv.l_cache",
     [](Reader& in, std::uint32_t type, GgufFacts& facts) { facts.layers.short_conv = count_of(in, type); }},
    {".attention.key_length",
     [](Reader& in, std::uint32_t type, GgufFacts& facts) { facts.layers.key_length = count_of(in, type); }},
    {".attention.value_length",
     [](Reader& in, std::uint32_t type, GgufFacts& facts) { facts.layers.value_length = count_of(in, type); }},
    {".attention.sliding_window",
     [](Reader& in, std::uint32_t type, GgufFacts& facts) { facts.layers.sliding_window = per_layer(in, type).most; }},
    {".attention.kv_lora_rank",
     [](Reader& in, std::uint32_t type, GgufFacts& facts) { facts.layers.kv_lora_rank = count_of(in, type); }},
    {".ssm.state_size",
     [](Reader& in, std::uint32_t type, GgufFacts& facts) { facts.layers.recurrent_state = count_of(in, type); }},
    {".wkv.head_size",
     [](Reader& in, std::uint32_t type, GgufFacts& facts) { facts.layers.recurrent_state = count_of(in, type); }},
    {".rope.scaling.type",
     [](Reader& in, std::uint32_t type, GgufFacts& facts) { facts.rope.scaling = string_of(in, type); }},
    {".rope.scaling.factor",
     [](Reader& in, std::uint32_t type, GgufFacts& facts) { facts.rope.factor = fraction(in, type); }},
    {".rope.freq_base", [](Reader& in, std::uint32_t type, GgufFacts& facts) { facts.rope.base = fraction(in, type); }},
    {".rope.scaling.original_context_length",
     [](Reader& in, std::uint32_t type, GgufFacts& facts) { facts.rope.original_context_tokens = count_of(in, type); }},
}};

Take take_of(std::string_view key) {
    for (const auto& [name, take] : kKeys)
        if (key == name) return take;
    const auto dot = key.find('.');
    if (dot == std::string_view::npos || key.starts_with("general.") || key.starts_with("tokenizer.")) return nullptr;
    for (const auto& [end, take] : kEnds)
        if (key.substr(dot) == end) return take;
    return nullptr;
}

void read_entry(Reader& in, std::set<std::string>& seen, GgufFacts& facts) {
    auto key = in.string(kMostText);
    const auto type = in.number<std::uint32_t>();
    if (in.failed()) return;
    if (key.starts_with("tokenizer.chat_template"))
        read_template(in, type, key, facts);
    else if (const auto take = take_of(key))
        take(in, type, facts);
    else
        skip_value(in, type);
    // Two readers could take different ones of two. A key that is too long to be kept is nobody's.
    if (!key.empty() && !seen.insert(std::move(key)).second) in.fail();
}

struct Tensors {
    std::uint64_t all = 0, of_experts = 0;  // parameters
    std::int64_t expert_bytes = 0, embedding_bytes = 0;
    std::string embedding_type;
    bool has_output = false;
    std::uint64_t end = 0;  // of the last one, from where they begin
    std::map<std::string, GgufQuant> quants;
    std::set<std::string> names;
};

void read_tensor(Reader& in, Tensors& tensors) {
    auto name = in.string(kMostText);
    const auto dimensions = in.number<std::uint32_t>();
    if (in.failed() || dimensions > kMostDimensions) return in.fail();
    std::uint64_t size = 1, row = 1;
    for (std::uint32_t i = 0; i < dimensions; ++i) {
        const auto dimension = in.number<std::uint64_t>();
        if (i == 0) row = dimension;
        if (__builtin_mul_overflow(size, dimension, &size)) return in.fail();
    }
    const auto type = in.number<std::uint32_t>();
    const auto offset = in.number<std::uint64_t>();
    if (in.failed() || __builtin_add_overflow(tensors.all, size, &tensors.all)) return in.fail();
    // llama.cpp calls the tensors that hold all experts of a layer ffn_*_exps.
    const bool of_experts = name.find("_exps") != std::string::npos, embedding = name == "token_embd.weight";
    if (of_experts) tensors.of_experts += size;
    if (name == "output.weight") tensors.has_output = true;
    if (!name.empty() && !tensors.names.insert(std::move(name)).second) return in.fail();
    const auto* known = tensor_type(type);
    auto& quant = tensors.quants[known != nullptr ? std::string(known->name) : fmt::format("type {}", type)];
    ++quant.tensors;
    if (known == nullptr) return;
    std::uint64_t bytes = 0, end = 0;
    if (!tensor_bytes(*known, row, size, bytes) || __builtin_add_overflow(offset, bytes, &end) ||
        end > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
        return in.fail();
    tensors.end = std::max(tensors.end, end);
    if (__builtin_add_overflow(quant.bytes, static_cast<std::int64_t>(bytes), &quant.bytes)) return in.fail();
    if (embedding) {
        tensors.embedding_bytes = static_cast<std::int64_t>(bytes);
        tensors.embedding_type = known->name;
    }
    if (of_experts &&
        __builtin_add_overflow(tensors.expert_bytes, static_cast<std::int64_t>(bytes), &tensors.expert_bytes))
        in.fail();
}

// Of a mixture: what is no expert's, and the experts that a token meets.
void count_active(GgufFacts& facts) {
    if (facts.experts <= 0 || facts.experts_used <= 0 || facts.experts_used > facts.experts) return;
    facts.active_parameters =
        facts.parameters - facts.expert_parameters + facts.expert_parameters / facts.experts * facts.experts_used;
}

Result<> enter(const Tensors& tensors, GgufFacts& facts) {
    facts.parameters = bounded(tensors.all);
    facts.expert_parameters = bounded(tensors.of_experts);
    facts.expert_bytes = tensors.expert_bytes;
    facts.embedding_bytes = tensors.embedding_bytes;
    facts.embedding_type = tensors.embedding_type;
    facts.has_output = tensors.has_output;
    count_active(facts);
    for (const auto& [type, quant] : tensors.quants) {
        facts.quants.push_back({type, quant.tensors, quant.bytes});
        if (__builtin_add_overflow(facts.tensor_bytes, quant.bytes, &facts.tensor_bytes))
            return fail(ErrorCode::invalid, "the GGUF header claims tensors of more bytes than there can be");
    }
    std::ranges::sort(facts.quants, std::greater<>{}, &GgufQuant::bytes);
    return {};
}

}  // namespace

Result<GgufFacts> read_gguf(std::istream& stream, std::uint64_t file_bytes) {
    Reader in(stream);
    const auto magic = in.number<std::array<char, 4>>();
    if (in.failed() || std::string_view(magic.data(), magic.size()) != "GGUF")
        return fail(ErrorCode::invalid, "the file is no GGUF file: it does not begin with GGUF");
    const auto version = in.number<std::uint32_t>();
    if (version != 2 && version != 3)
        return fail(ErrorCode::invalid, fmt::format("GGUF version {} is not known; 2 and 3 are", version));
    const auto tensors = in.number<std::uint64_t>();
    const auto entries = in.number<std::uint64_t>();
    if (in.failed() || tensors > kMostEntries || entries > kMostEntries)
        return fail(ErrorCode::invalid, "the GGUF header is cut off, or claims too many entries");
    GgufFacts facts;
    std::set<std::string> seen;
    for (std::uint64_t i = 0; i < entries && !in.failed(); ++i) read_entry(in, seen, facts);
    Tensors counted;
    for (std::uint64_t i = 0; i < tensors && !in.failed(); ++i) read_tensor(in, counted);
    if (in.failed()) return fail(ErrorCode::invalid, fmt::format("the GGUF header is damaged at byte {}", in.at()));
    facts.tensors = static_cast<std::int64_t>(tensors);
    facts.header_bytes = in.at();
    if (auto ok = enter(counted, facts); !ok) return fail(ok.error());
    if (file_bytes > 0 && counted.end > file_bytes - std::min(file_bytes, in.at()))
        return fail(ErrorCode::invalid,
                    fmt::format("the file is cut off: its tensors need {} bytes, and it has {}; fetch it again",
                                in.at() + counted.end, file_bytes));
    return facts;
}

Result<GgufFacts> read_gguf(const std::filesystem::path& file) {
    if (auto ok = check_readable(file); !ok) return fail(ok.error());
    std::ifstream in(file, std::ios::binary);
    if (!in) return fail(ErrorCode::not_found, fmt::format("{} cannot be read", file.string()));
    std::error_code error;
    const auto size = std::filesystem::file_size(file, error);
    auto facts = read_gguf(in, error ? 0 : size);
    if (!facts) return fail(facts.error().code, fmt::format("{}: {}", file.string(), facts.error().message));
    return facts;
}

Result<> add_part(GgufFacts& facts, const GgufFacts& part) {
    const auto over = [](std::int64_t& sum, std::int64_t more) { return __builtin_add_overflow(sum, more, &sum); };
    if (over(facts.parameters, part.parameters) || over(facts.expert_parameters, part.expert_parameters) ||
        over(facts.tensor_bytes, part.tensor_bytes) || over(facts.expert_bytes, part.expert_bytes))
        return fail(ErrorCode::invalid, "the parts of the model claim more than there can be");
    facts.tensors += part.tensors;
    if (facts.embedding_type.empty()) {
        facts.embedding_bytes = part.embedding_bytes;
        facts.embedding_type = part.embedding_type;
    }
    facts.has_output = facts.has_output || part.has_output;
    for (const auto& quant : part.quants) {
        const auto same = std::ranges::find(facts.quants, quant.type, &GgufQuant::type);
        if (same == facts.quants.end()) {
            facts.quants.push_back(quant);
        } else {
            same->tensors += quant.tensors;
            same->bytes += quant.bytes;  // within the sum of all, which was bounded above
        }
    }
    std::ranges::sort(facts.quants, std::greater<>{}, &GgufQuant::bytes);
    count_active(facts);
    return {};
}

}  // namespace tandem::engine
