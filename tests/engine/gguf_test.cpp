#include "engine/gguf.h"

#include <gtest/gtest.h>

#include <sstream>
#include <vector>

namespace tandem::engine {
namespace {

// A GGUF header as a file would have it.
class Header {
  public:
    Header& entry(const std::string& key, const std::string& text) {
        string(key).number<std::uint32_t>(8).string(text);
        ++entries_;
        return *this;
    }
    Header& entry(const std::string& key, std::uint32_t value) {
        string(key).number<std::uint32_t>(4).number(value);
        ++entries_;
        return *this;
    }
    Header& words(const std::string& key, const std::vector<std::string>& words) {
        string(key).number<std::uint32_t>(9).number<std::uint32_t>(8).number<std::uint64_t>(words.size());
        for (const auto& word : words) string(word);
        ++entries_;
        return *this;
    }
    Header& tensor(const std::string& name, std::vector<std::uint64_t> dimensions) {
        string(name).number(static_cast<std::uint32_t>(dimensions.size()));
        for (const auto dimension : dimensions) number(dimension);
        number<std::uint32_t>(2).number<std::uint64_t>(0);
        ++tensors_;
        return *this;
    }
    std::string file() const {
        Header whole;
        whole.bytes_ = "GGUF";
        whole.number<std::uint32_t>(3).number<std::uint64_t>(tensors_).number<std::uint64_t>(entries_);
        return whole.bytes_ + bytes_;
    }

  private:
    template <typename Number>
    Header& number(Number value) {
        bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
        return *this;
    }
    Header& string(const std::string& text) {
        number<std::uint64_t>(text.size());
        bytes_ += text;
        return *this;
    }
    std::string bytes_;
    std::uint64_t entries_ = 0, tensors_ = 0;
};

Result<GgufFacts> read(const std::string& file) {
    std::istringstream in(file);
    return read_gguf(in);
}

Header mixture() {
    Header header;
    header.entry("general.architecture", "qwen3moe")
        .entry("general.name", "Some Mixture")
        .entry("general.file_type", 15U);
    header.words("tokenizer.ggml.tokens", {"a", "b", std::string(5000, 'c')}).entry("qwen3moe.context_length", 32768U);
    header.entry("qwen3moe.expert_count", 8U).entry("qwen3moe.expert_used_count", 2U);
    header.tensor("token_embd.weight", {100, 1000}).tensor("blk.0.ffn_up_exps.weight", {100, 100, 8});
    return header;
}

TEST(Gguf, says_what_the_model_is_and_counts_its_parameters) {
    const auto facts = read(mixture().file());
    ASSERT_TRUE(facts) << facts.error().message;
    EXPECT_EQ(facts->architecture, "qwen3moe");
    EXPECT_EQ(facts->name, "Some Mixture");
    EXPECT_EQ(facts->quantization, "Q4_K_M");
    EXPECT_EQ(facts->context_tokens, 32768);
    EXPECT_EQ(facts->parameters, 100'000 + 80'000);
    EXPECT_EQ(facts->active_parameters, 100'000 + 20'000);
}

TEST(Gguf, that_is_cut_off_anywhere_is_refused) {
    const auto whole = mixture().file();
    for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(read(whole.substr(0, size))) << size;
}

TEST(Gguf, with_claims_that_cannot_be_is_refused) {
    EXPECT_FALSE(read("<html>not found</html>"));
    auto many = mixture().file();
    many[8 + 7] = '\x7f';  // tensors
    EXPECT_FALSE(read(many));
    EXPECT_FALSE(read(Header().tensor("x", {1UL << 40, 1UL << 40}).file()));
    EXPECT_FALSE(read(Header().tensor("x", {1, 1, 1, 1, 1}).file()));
    auto version = mixture().file();
    version[4] = 1;
    EXPECT_FALSE(read(version));
}

}  // namespace
}  // namespace tandem::engine
