#include "engine/pull/reference.h"

#include <gtest/gtest.h>

#include "engine/disk/manifest.h"
#include "engine/pull/plan.h"
#include "engine/split.h"

namespace tandem::engine {
namespace {

TEST(Reference, reads_the_forms_that_people_write) {
    struct Case {
        std::string text;
        Reference::From from;
        std::string origin, name, wanted, revision;
    };
    const std::string registry = "https://registry.ollama.ai";
    const std::vector<Case> cases = {
        {"hf:acme/Tiny-GGUF", Reference::From::hub, "", "acme/Tiny-GGUF", "", "main"},
        {"hf:acme/Tiny-GGUF:Q4_K_M", Reference::From::hub, "", "acme/Tiny-GGUF", "Q4_K_M", "main"},
        {"hf:acme/Tiny-GGUF:sub/a.gguf@v1.0", Reference::From::hub, "", "acme/Tiny-GGUF", "sub/a.gguf", "v1.0"},
        {"hf.co/acme/Tiny-GGUF:Q4_0", Reference::From::hub, "", "acme/Tiny-GGUF", "Q4_0", "main"},
        {"https://huggingface.co/acme/Tiny-GGUF/", Reference::From::hub, "", "acme/Tiny-GGUF", "", "main"},
        {"https://huggingface.co/acme/Tiny-GGUF/tree/main", Reference::From::hub, "", "acme/Tiny-GGUF", "", "main"},
        {"https://huggingface.co/acme/Tiny/resolve/v2/a%20b/c.gguf?download=true", Reference::From::hub, "",
         "acme/Tiny", "a b/c.gguf", "v2"},
        {"ollama:llama3.2", Reference::From::registry, registry, "library/llama3.2", "latest", ""},
        {"ollama:llama3.2:3b", Reference::From::registry, registry, "library/llama3.2", "3b", ""},
        {"ollama:me/mine:q8", Reference::From::registry, registry, "me/mine", "q8", ""},
        {"ollama:http://127.0.0.1:5000/me/mine:q8", Reference::From::registry, "http://127.0.0.1:5000", "me/mine", "q8",
         ""},
        {"https://host/a.gguf?token=1", Reference::From::url, "", "https://host/a.gguf?token=1", "", ""},
        {"./a.gguf", Reference::From::file, "", "./a.gguf", "", ""},
    };
    for (const auto& one : cases) {
        const auto found = reference_of(one.text);
        ASSERT_TRUE(found) << one.text << ": " << found.error().message;
        EXPECT_EQ(static_cast<int>(found->from), static_cast<int>(one.from)) << one.text;
        EXPECT_EQ(found->origin, one.origin) << one.text;
        EXPECT_EQ(found->name, one.name) << one.text;
        EXPECT_EQ(found->wanted, one.wanted) << one.text;
        EXPECT_EQ(found->revision, one.revision) << one.text;
    }
    for (const char* wrong : {"", "hf:", "hf:acme", "hf:acme/../x", "hf:acme/a b", "hf:acme/x@", "hf:acme/x@../../y",
                              "ollama:", "ollama:a/b/c/d", "ollama:../x", "s3://bucket/a.gguf", "https://host/a b.gguf",
                              "hf:acme/x\r\nAuthorization: y", "https://me:secret@host/a.gguf"})
        EXPECT_FALSE(reference_of(wrong)) << wrong;
    EXPECT_EQ(reference_of("https://me:secret@host/a.gguf").error().message.find("secret"), std::string::npos);
}

std::vector<HubFile> files(const std::vector<std::string>& paths) {
    std::vector<HubFile> all;
    for (const auto& path : paths) all.push_back({path, 1'000'000'000, {}});
    return all;
}

std::string first_of(const std::vector<HubFile>& all, const std::string& wanted) {
    const auto found = chosen(all, wanted);
    return found ? found->front().path : "error: " + found.error().message.substr(0, found.error().message.find('\n'));
}

TEST(Choice, takes_a_quantization_as_a_whole_word_and_never_one_of_two) {
    const auto all = files({"m-Q4_K_M.gguf", "m-UD-Q4_K_XL.gguf", "m-IQ4_XS.gguf", "m-Q6_K.gguf", "m-Q6_K_L.gguf",
                            "mmproj-F16.gguf", "mtp-m-Q8_0.gguf", "m.imatrix.gguf", "README.md",
                            "BF16/m-BF16-00001-of-00002.gguf", "BF16/m-BF16-00002-of-00002.gguf"});
    EXPECT_EQ(first_of(all, ""), "m-Q4_K_M.gguf");
    EXPECT_EQ(first_of(all, "q4_k_m"), "m-Q4_K_M.gguf");
    EXPECT_EQ(first_of(all, "Q4_K_XL"), "m-UD-Q4_K_XL.gguf");
    EXPECT_EQ(first_of(all, "UD-Q4_K_XL"), "m-UD-Q4_K_XL.gguf");
    EXPECT_EQ(first_of(all, "Q6_K"), "m-Q6_K.gguf");
    EXPECT_EQ(first_of(all, "BF16"), "BF16/m-BF16-00001-of-00002.gguf");
    EXPECT_EQ(first_of(all, "m-BF16-00002-of-00002.gguf"), "BF16/m-BF16-00001-of-00002.gguf");
    EXPECT_EQ(first_of(all, "mmproj-f16.GGUF"), "mmproj-F16.gguf");
    EXPECT_EQ(first_of(all, "Q4_K"), "error: it has no model for 'Q4_K'; write :FILE with one of:");
    EXPECT_EQ(first_of(all, "Q8_0"), "error: it has no model for 'Q8_0'; write :FILE with one of:");
    EXPECT_EQ(first_of(files({"a-Q4_K_M.gguf", "b-Q4_K_M.gguf"}), "Q4_K_M"),
              "error: it has more than one model for 'Q4_K_M'; write :FILE with one of:");
    EXPECT_EQ(first_of(files({"a-Q4_K_M.gguf", "a-UD-Q4_K_M.gguf"}), "Q4_K_M"), "a-Q4_K_M.gguf");
    EXPECT_EQ(first_of(files({"only.gguf", "mmproj.gguf"}), ""), "only.gguf");
    EXPECT_EQ(chosen(files({"model.safetensors"}), "").error().code, ErrorCode::not_found);
}

TEST(Choice, reads_the_names_of_parts) {
    EXPECT_EQ(split_name_of("m-00002-of-00003.gguf")->number, 2);
    EXPECT_EQ(split_name(*split_name_of("a/m-00002-of-00003.gguf")), "a/m-00002-of-00003.gguf");
    for (const char* none : {"m.gguf", "m-00004-of-00003.gguf", "m-00000-of-00003.gguf", "-00001-of-00001.gguf",
                             "m-1-of-3.gguf", "m-00001-of-99999.gguf"})
        EXPECT_FALSE(split_name_of(none)) << none;
}

TEST(Manifest, names_lead_nowhere_else) {
    for (const char* good : {"a.gguf", "Qwen2.5-7B_Q4+K.gguf"}) EXPECT_TRUE(is_model_name(good)) << good;
    for (const char* bad : {"", ".gguf", "..gguf", "../a.gguf", "a/b.gguf", ".a.gguf", "a.bin", "a b.gguf", "a\n.gguf"})
        EXPECT_FALSE(is_model_name(bad)) << bad;
    for (const char* any : {"", "../../etc/passwd", "My Model (1).GGUF", "\xc3\xa9t\xc3\xa9", "...", "a:b/c"})
        EXPECT_TRUE(is_model_name(model_name_of(any))) << any;
    EXPECT_EQ(model_name_of("My Model (1).GGUF"), "My-Model-1.gguf");
}

TEST(Parts, ranges_cover_a_file_and_only_it) {
    for (const std::int64_t size : std::vector<std::int64_t>{1, kSmallestRange, kSmallestRange + 1, 700L << 30}) {
        const auto ranges = ranges_of(size);
        EXPECT_TRUE(covers(ranges, size)) << size;
        EXPECT_LE(ranges.size(), static_cast<std::size_t>(kMostRanges));
    }
    auto ranges = ranges_of(3 * kSmallestRange);
    EXPECT_FALSE(covers(ranges, 3 * kSmallestRange + 1));
    std::swap(ranges[0], ranges[1]);
    EXPECT_FALSE(covers(ranges, 3 * kSmallestRange));
}

}  // namespace
}  // namespace tandem::engine
