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
    Header& entry(const std::string& key, float value) {
        string(key).number<std::uint32_t>(6).number(value);
        ++entries_;
        return *this;
    }
    Header& numbers(const std::string& key, const std::vector<std::uint32_t>& values) {
        string(key).number<std::uint32_t>(9).number<std::uint32_t>(4).number<std::uint64_t>(values.size());
        for (const auto value : values) number(value);
        ++entries_;
        return *this;
    }
    // Of 32-bit numbers (0) where nothing else is said.
    Header& tensor(const std::string& name, std::vector<std::uint64_t> dimensions, std::uint32_t type = 0,
                   std::uint64_t offset = 0) {
        string(name).number(static_cast<std::uint32_t>(dimensions.size()));
        for (const auto dimension : dimensions) number(dimension);
        number(type).number(offset);
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

TEST(Gguf, says_how_it_is_stretched_cut_and_split_and_what_its_template_can) {
    Header header;
    header.entry("general.architecture", "llama").entry("general.license", "apache-2.0");
    header.entry("llama.rope.scaling.type", "yarn").entry("llama.rope.scaling.factor", 4.0F);
    header.entry("llama.rope.scaling.original_context_length", 32768U).entry("llama.context_length", 131072U);
    header.entry("llama.block_count", 3U).entry("llama.attention.head_count", 32U);
    header.numbers("llama.attention.head_count_kv", {8, 0, 4}).entry("llama.attention.sliding_window", 1024U);
    header.entry("llama.attention.kv_lora_rank", 512U).entry("llama.ssm.state_size", 16U);
    header.entry("tokenizer.ggml.model", "gpt2").entry("tokenizer.ggml.pre", "llama-bpe");
    header.words("tokenizer.ggml.tokens", {"a", "b", "c"});
    header.entry("tokenizer.chat_template", "{% if tools %}{{ tools | tojson }}{% endif %}");
    header.entry("split.no", 1U).entry("split.count", 3U).entry("split.tensors.count", 9U);
    header.tensor("a", {256, 4}, 12).tensor("b", {256, 2}, 12, 576).tensor("c", {64}, 8, 864).tensor("d", {5}, 77, 932);
    const auto facts = read(header.file());
    ASSERT_TRUE(facts) << facts.error().message;
    EXPECT_EQ(facts->rope.scaling, "yarn");
    EXPECT_EQ(facts->rope.factor, 4.0);
    EXPECT_EQ(facts->rope.original_context_tokens, 32768);
    EXPECT_EQ(facts->layers.kv_heads, 8);
    EXPECT_EQ(facts->layers.kv_heads_sum, 12);
    EXPECT_EQ(facts->layers.sliding_window, 1024);
    EXPECT_EQ(facts->layers.kv_lora_rank, 512);
    EXPECT_EQ(facts->layers.recurrent_state, 16);
    EXPECT_EQ(facts->tokenizer.tokens, 3);
    EXPECT_EQ(facts->tokenizer.pre, "llama-bpe");
    EXPECT_TRUE(facts->template_has_tools);
    EXPECT_EQ(facts->split.count, 3);
    ASSERT_EQ(facts->quants.size(), 3U);
    EXPECT_EQ(facts->quants[0].type, "Q4_K");
    EXPECT_EQ(facts->quants[0].bytes, 6 * 144);
    EXPECT_EQ(facts->quants[1].bytes, 68);
    EXPECT_EQ(facts->quants[2].type, "type 77");
    EXPECT_EQ(facts->tensor_bytes, 6 * 144 + 68);
}

TEST(Gguf, a_template_that_only_has_a_longer_word_has_no_tools) {
    Header header;
    header.entry("tokenizer.chat_template", "{{ toolset }}{{ my_tools }}{{ tools_in }}");
    const auto facts = read(header.file());
    ASSERT_TRUE(facts) << facts.error().message;
    EXPECT_FALSE(facts->template_has_tools);
    EXPECT_FALSE(facts->chat_template.empty());
}

TEST(Gguf, refuses_what_stands_twice_and_what_is_no_whole_number_of_blocks) {
    Header twice;
    twice.entry("general.name", "one").entry("general.name", "two");
    EXPECT_FALSE(read(twice.file()));
    Header tensors;
    tensors.tensor("a", {4}).tensor("a", {4});
    EXPECT_FALSE(read(tensors.file()));
    Header row;
    row.tensor("a", {100, 256}, 12);
    EXPECT_FALSE(read(row.file()));
    Header alignment;
    alignment.entry("general.alignment", 1U << 30);
    EXPECT_FALSE(read(alignment.file()));
    Header far;
    far.tensor("a", {4}, 0, ~0ULL - 3);
    EXPECT_FALSE(read(far.file()));
}

TEST(Gguf, notices_a_file_that_was_cut) {
    Header header;
    header.entry("general.architecture", "llama").tensor("a", {1024});
    const auto file = header.file() + std::string(4096, 'x');
    std::istringstream whole(file), cut(file);
    EXPECT_TRUE(read_gguf(whole, file.size()));
    const auto facts = read_gguf(cut, file.size() - 1);
    ASSERT_FALSE(facts);
    EXPECT_NE(facts.error().message.find("cut off"), std::string::npos);
}

}  // namespace
}  // namespace tandem::engine
