// The candidates that ClassScan finds are those that Vectorscan finds with the patterns' expressions.
#include "privacy/patterns/classes.h"

#include <gtest/gtest.h>
#include <hs/hs.h>

#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "privacy/patterns/matcher.h"
#include "privacy/patterns/patterns.h"

namespace tandem::privacy {
namespace {

using Found = std::set<std::pair<unsigned, std::size_t>>;  // the pattern, and where its candidate ends

class Vectorscan {
  public:
    Vectorscan() {
        std::vector<std::string> written;
        std::vector<const char*> expressions;
        std::vector<unsigned> flags, ids;
        for (unsigned id = 0; id < patterns().size(); ++id) {
            if (!is_of_classes(patterns()[id].kind.id)) continue;
            ids.push_back(id);
            flags.push_back(patterns()[id].caseless ? HS_FLAG_CASELESS : 0U);
            written.push_back(expression_of(patterns()[id]));
        }
        for (const auto& expression : written) expressions.push_back(expression.c_str());
        hs_compile_error_t* error = nullptr;
        EXPECT_EQ(hs_compile_multi(expressions.data(), flags.data(), ids.data(), static_cast<unsigned>(ids.size()),
                                   HS_MODE_BLOCK, nullptr, &database_, &error),
                  HS_SUCCESS);
        EXPECT_EQ(hs_alloc_scratch(database_, &scratch_), HS_SUCCESS);
    }
    ~Vectorscan() {
        hs_free_scratch(scratch_);
        hs_free_database(database_);
    }
    Vectorscan(const Vectorscan&) = delete;
    Vectorscan& operator=(const Vectorscan&) = delete;

    Found find(std::string_view text) const {
        Found found;
        auto on_match = [](unsigned id, unsigned long long, unsigned long long end, unsigned, void* context) {
            static_cast<Found*>(context)->emplace(id, static_cast<std::size_t>(end));
            return 0;
        };
        EXPECT_EQ(hs_scan(database_, text.data(), static_cast<unsigned>(text.size()), 0, scratch_, on_match, &found),
                  HS_SUCCESS);
        return found;
    }

  private:
    hs_database_t* database_ = nullptr;
    hs_scratch_t* scratch_ = nullptr;
};

// What ClassScan gives, asked to go on `step` bytes at a time.
std::vector<std::pair<unsigned, std::size_t>> given(std::string_view text, std::size_t step) {
    std::vector<std::pair<unsigned, std::size_t>> all;
    auto take = [](void* context, unsigned id, std::size_t end) {
        static_cast<decltype(all)*>(context)->emplace_back(id, end);
        return true;
    };
    ClassScan scan(text, take, &all);
    for (std::size_t to = std::min(step, text.size()); to < text.size(); to += step) EXPECT_TRUE(scan.advance(to));
    EXPECT_TRUE(scan.advance(text.size()));
    return all;
}

// Characters that the expressions ask for, and the patterns' examples, cut and changed.
std::string some_text(std::mt19937& random) {
    constexpr std::string_view kCharacters = "  001112233456789aabcdefxzABCDEFHMSTYZ__--::..,;@%+/\n\xC3\xA9";
    auto below = [&](std::size_t n) { return static_cast<std::size_t>(random()) % n; };
    std::vector<std::string> examples = {"SW1A 1AA",
                                         "a1:b:cd:ef01:2345:6::", "0x52908400098527886E0F7030069857D2E4169EE7"};
    for (const auto& pattern : patterns())
        if (is_of_classes(pattern.kind.id)) examples.emplace_back(pattern.match);
    std::string text;
    const std::size_t size = below(300);
    while (text.size() < size) {
        if (below(3) != 0) {
            text += kCharacters[below(kCharacters.size())];
            continue;
        }
        auto example = examples[below(examples.size())];
        if (below(2) == 0) example[below(example.size())] = kCharacters[below(kCharacters.size())];
        text += example.substr(below(2) == 0 ? 0 : below(example.size()));
    }
    return text;
}

TEST(Classes, give_what_their_expressions_match) {
    const Vectorscan vectorscan;
    std::mt19937 random(7);
    for (int i = 0; i < 20'000; ++i) {
        const auto text = some_text(random);
        const auto all = given(text, 1 + i % 90);
        const Found found(all.begin(), all.end());
        EXPECT_EQ(found.size(), all.size()) << "one is given twice in " << text;
        ASSERT_EQ(found, vectorscan.find(text)) << text;
    }
}

TEST(Classes, give_numbers_and_addresses_in_order_and_not_before_their_turn) {
    std::mt19937 random(8);
    for (int i = 0; i < 2'000; ++i) {
        const auto text = some_text(random);
        std::size_t last = 0;
        for (const auto& [id, end] : given(text, text.size() + 1)) {
            const auto& name = patterns()[id].kind.id;
            if (name != "phone" && name != "ipv6") continue;
            EXPECT_GE(end, last) << text;
            last = end;
        }
        std::size_t latest = 0;
        ClassScan scan(
            text,
            [](void* context, unsigned id, std::size_t end) {
                if (patterns()[id].kind.id == "phone") *static_cast<std::size_t*>(context) = end;
                return true;
            },
            &latest);
        EXPECT_TRUE(scan.advance(text.size() / 2));
        EXPECT_LE(latest, text.size() / 2) << text;
    }
}

TEST(Classes, stop_when_they_are_told_to) {
    int given = 0;
    ClassScan scan(
        "1 2 3 4",
        [](void* context, unsigned, std::size_t) {
            ++*static_cast<int*>(context);
            return false;
        },
        &given);
    EXPECT_FALSE(scan.advance(7));
    EXPECT_EQ(given, 1);
}

}  // namespace
}  // namespace tandem::privacy
