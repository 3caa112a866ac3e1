#include "engine/gguf.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <fstream>
#include <limits>
#include <optional>

#include "base/file.h"

namespace tandem::engine {

namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::uint64_t kMostEntries = 1UL << 16;  // of metadata, and tensors
constexpr std::uint64_t kMostText = 1024;          // bytes of a key, and of a text that is kept
constexpr std::uint32_t kMostDimensions = 4;
constexpr int kMostNesting = 4;  // arrays of arrays

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
    if (in.failed() || depth == kMostNesting || count > kMostHeader) return in.fail();
    if (const auto size = size_of(of); size > 0) return in.skip(size * count);
    for (std::uint64_t i = 0; i < count && !in.failed(); ++i) skip_value(in, of, depth + 1);
}

// A whole number of any type; nullopt, and skipped, where the value is something else.
std::optional<std::uint64_t> whole_number(Reader& in, std::uint32_t type) {
    switch (type) {
        case u8:
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

struct Metadata {
    GgufFacts facts;
    std::uint64_t experts = 0, experts_used = 0;
};

std::int64_t bounded(std::uint64_t number) {
    return static_cast<std::int64_t>(std::min<std::uint64_t>(number, std::numeric_limits<std::int64_t>::max()));
}

void read_entry(Reader& in, Metadata& metadata) {
    const auto key = in.string(kMostText);
    const auto type = in.number<std::uint32_t>();
    if (in.failed()) return;
    auto& facts = metadata.facts;
    if (type == text && (key == "general.architecture" || key == "general.name")) {
        (key == "general.name" ? facts.name : facts.architecture) = in.string(kMostText);
        return;
    }
    const auto wanted = [&](std::string_view end) { return key.ends_with(end); };
    if (key == "general.file_type")
        facts.quantization = quantization_of(whole_number(in, type).value_or(~0ULL));
    else if (wanted(".context_length"))
        facts.context_tokens = bounded(whole_number(in, type).value_or(0));
    else if (wanted(".expert_count"))
        metadata.experts = whole_number(in, type).value_or(0);
    else if (wanted(".expert_used_count"))
        metadata.experts_used = whole_number(in, type).value_or(0);
    else
        skip_value(in, type);
}

struct Tensors {
    std::uint64_t all = 0, of_experts = 0;  // parameters
};

void read_tensor(Reader& in, Tensors& tensors) {
    const auto name = in.string(kMostText);
    const auto dimensions = in.number<std::uint32_t>();
    if (in.failed() || dimensions > kMostDimensions) return in.fail();
    std::uint64_t size = 1;
    for (std::uint32_t i = 0; i < dimensions; ++i)
        if (__builtin_mul_overflow(size, in.number<std::uint64_t>(), &size)) return in.fail();
    in.skip(sizeof(std::uint32_t) + sizeof(std::uint64_t));  // its type and its place
    if (__builtin_add_overflow(tensors.all, size, &tensors.all)) return in.fail();
    // llama.cpp calls the tensors that hold all experts of a layer ffn_*_exps.
    if (name.find("_exps") != std::string::npos) tensors.of_experts += size;
}

}  // namespace

Result<GgufFacts> read_gguf(std::istream& stream) {
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
    Metadata metadata;
    for (std::uint64_t i = 0; i < entries && !in.failed(); ++i) read_entry(in, metadata);
    Tensors counted;
    for (std::uint64_t i = 0; i < tensors && !in.failed(); ++i) read_tensor(in, counted);
    if (in.failed()) return fail(ErrorCode::invalid, fmt::format("the GGUF header is damaged at byte {}", in.at()));
    auto facts = std::move(metadata.facts);
    facts.parameters = bounded(counted.all);
    if (metadata.experts > 0 && metadata.experts_used > 0 && metadata.experts_used <= metadata.experts)
        facts.active_parameters =
            bounded(counted.all - counted.of_experts + counted.of_experts / metadata.experts * metadata.experts_used);
    return facts;
}

Result<GgufFacts> read_gguf(const std::filesystem::path& file) {
    if (auto ok = check_readable(file); !ok) return fail(ok.error());
    std::ifstream in(file, std::ios::binary);
    if (!in) return fail(ErrorCode::not_found, fmt::format("{} cannot be read", file.string()));
    auto facts = read_gguf(in);
    if (!facts) return fail(facts.error().code, fmt::format("{}: {}", file.string(), facts.error().message));
    return facts;
}

}  // namespace tandem::engine
