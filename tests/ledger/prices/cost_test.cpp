// Amounts, the book, and what a usage costs by it.
#include "ledger/prices/cost.h"

#include <gtest/gtest.h>

#include "base/time_text.h"
#include "ledger/prices/books.h"
#include "ledger/prices/import.h"
#include "ledger/prices/names.h"

namespace tandem::prices {
namespace {

TEST(Amount, reads_decimals_exactly) {
    const auto plain = [](std::string_view text) { return Amount::parse(text)->plain(); };
    EXPECT_EQ(plain("1.25e-07"), "0.000000125");
    EXPECT_EQ(plain("0.0375"), "0.0375");
    EXPECT_EQ(plain("1E+2"), "100");
    EXPECT_EQ(plain("-0.50"), "-0.5");
    EXPECT_EQ(plain("0"), "0");
    EXPECT_EQ(plain("0.0000000000000000005"), "0");  // half of the last place goes to the even one
    EXPECT_EQ(plain("0.0000000000000000015"), "0.000000000000000002");
    EXPECT_EQ(plain("0.00000000000000000051"), "0.000000000000000001");
    for (const auto* text : {"", ".", "e5", "1e", "0x10", "1,5", "NaN", "1e99999999999", "--1"})
        EXPECT_FALSE(Amount::parse(text)) << text;
    EXPECT_EQ(plain("1e-99999999999"), "0");
}

TEST(Amount, is_rounded_half_to_even) {
    const auto text = [](std::string_view amount) { return Amount::parse(amount)->text(); };
    EXPECT_EQ(text("0.0000000000005"), "0.000000000000");
    EXPECT_EQ(text("0.0000000000015"), "0.000000000002");
    EXPECT_EQ(text("-0.0000000000015"), "-0.000000000002");
    EXPECT_EQ(Amount::parse("0.0000025")->micros().micros(), 2);
    EXPECT_EQ(Amount::parse("0.0000035")->micros().micros(), 4);
    EXPECT_EQ(Amount::parse("0.04")->times(9'000, 3'600'000).text(), "0.000100000000");
}

TEST(Amount, of_hostile_numbers_does_not_wrap) {
    const auto most = *Amount::parse("999999999999");
    EXPECT_GT(most.times(kMostCount, 1), Amount{});
    auto sum = most.times(kMostCount, 1);
    for (int i = 0; i < 100; ++i) sum += sum;
    EXPECT_GT(sum, Amount{});
    EXPECT_GE(sum.micros().micros(), 0);
}

// A book with each kind of condition.
constexpr std::string_view kBook = R"({"format":1,"made":"2026-11-26","sources":["by hand"],"providers":[
  {"id":"maker","owns":{"starts_with":"big"},"stand_ins":[]},{"id":"seller","stand_ins":["maker"]}],"entries":[
  {"provider":"maker","model":"big","match":["big",{"starts_with":"big-"}],"until":"2026-01-01","source":"s","checked":"2026-11-26",
   "cards":[{"rates":{"input":"10","output":"20"}}]},
  {"provider":"maker","model":"big","match":["big",{"starts_with":"big-"}],"from":"2026-01-01","source":"s","checked":"2026-08-01","free_quota":{"web_search":"10 a day"},
   "cards":[{"rates":{"input":"1","cache_read":"0.1","cache_write":"1.25","output":"4","web_search":"10","requests":"1"}},
            {"over":1000,"rates":{"input":"2","cache_read":"0.2","output":"6"}},
            {"service":"batch","rates":{"input":"0.5","output":"2"}},
            {"service":"batch","over":1000,"rates":{"input":"1","output":"3"}},
            {"service":"priority","rates":{"input":"3","output":"9"}},
            {"region":"us","rates":{"input":"1.1","cache_read":"0.11","output":"4.4"}},
            {"windows":[{"hours":"22:00-02:00","days":[5]}],"rates":{"input":"0.25","output":"1"}}]},
  {"provider":"maker","model":"edge","source":"s","checked":"2026-11-26",
   "cards":[{"rates":{"input":"1","output":"1"}},{"from":1000,"rates":{"input":"2","output":"2"}}]}]})";

Buckets used(std::initializer_list<std::pair<Bucket, std::int64_t>> counts) {
    Buckets buckets;
    for (const auto& [bucket, count] : counts) buckets.set(bucket, count);
    return buckets;
}

const Entry& entry_of(const Book& book, std::string_view model, std::string_view day) {
    static std::vector<std::shared_ptr<const Book>> kept;
    kept.push_back(std::make_shared<const Book>(book));
    return *Books({kept.back()}).find("maker", {std::string(model)}, time_from(day), *time_from("2026-11-26")).entry;
}

struct Priced : testing::Test {
    Book book = *Book::parse(kBook);
    std::string cost(std::initializer_list<std::pair<Bucket, std::int64_t>> counts, const Circumstances& now,
                     std::string_view model = "big") {
        const auto found = cost_of(used(counts), entry_of(book, model, "2026-06-01"), now);
        warnings = found.warnings;
        return found.amount ? found.amount->text() : "unknown";
    }
    std::vector<std::string> warnings;
    std::int64_t noon = *time_from("2026-06-01T12:00:00Z");
};

TEST_F(Priced, a_tier_by_length_reprices_the_whole_request) {
    EXPECT_EQ(cost({{Bucket::input, 1000}}, {noon}), "0.002000000000");  // with the fee of a request
    EXPECT_EQ(cost({{Bucket::input, 900}, {Bucket::cache_read, 101}, {Bucket::output, 10}}, {noon}), "0.002880200000");
    EXPECT_EQ(cost({{Bucket::input, 999}}, {noon}, "edge"), "0.000999000000");
    EXPECT_EQ(cost({{Bucket::input, 1000}}, {noon}, "edge"), "0.002000000000");
}

TEST_F(Priced, tiers_of_service_combine_with_length) {
    EXPECT_EQ(cost({{Bucket::input, 1000}, {Bucket::output, 1000}}, {noon, "batch"}), "0.003500000000");
    EXPECT_EQ(cost({{Bucket::input, 2000}, {Bucket::output, 1000}}, {noon, "batch"}), "0.006000000000");
    EXPECT_TRUE(warnings.empty());
    EXPECT_EQ(cost({{Bucket::input, 2000}}, {noon, "priority"}), "0.007000000000");
    EXPECT_FALSE(warnings.empty());  // the book has no such card
}

TEST_F(Priced, regions_hours_and_unknown_tiers) {
    EXPECT_EQ(cost({{Bucket::input, 1000}}, {noon, "", "us"}), "0.002100000000");
    EXPECT_EQ(cost({{Bucket::input, 1000}}, {noon, "", "mars"}), "0.002000000000");
    EXPECT_FALSE(warnings.empty());
    EXPECT_EQ(cost({{Bucket::input, 1000}}, {noon, "golden"}), "0.002000000000");
    EXPECT_FALSE(warnings.empty());
    // 2026-06-05 is a Friday; the window goes on into Saturday.
    EXPECT_EQ(cost({{Bucket::input, 1000}}, {*time_from("2026-06-05T22:00:00Z")}), "0.001250000000");
    EXPECT_EQ(cost({{Bucket::input, 1000}}, {*time_from("2026-06-06T01:59:59Z")}), "0.001250000000");
    EXPECT_EQ(cost({{Bucket::input, 1000}}, {*time_from("2026-06-06T02:00:00Z")}), "0.002000000000");
    EXPECT_EQ(cost({{Bucket::input, 1000}}, {*time_from("2026-06-05T01:00:00Z")}), "0.002000000000");
}

TEST_F(Priced, what_has_no_rate_is_said_and_no_silent_0) {
    EXPECT_EQ(cost({{Bucket::input, 1000}, {Bucket::maps_grounding, 2}}, {noon}), "0.002000000000");
    EXPECT_FALSE(warnings.empty());
    EXPECT_EQ(cost({{Bucket::cache_write_1h, 1000}}, {noon}), "0.002250000000");
    EXPECT_FALSE(warnings.empty());
    EXPECT_EQ(cost({{Bucket::reasoning, 1000}, {Bucket::audio_input, 1000}}, {noon}), "0.006000000000");
    EXPECT_TRUE(warnings.empty());
    // The batch tier has no price of a cache read: the standard one, and it is said.
    EXPECT_EQ(cost({{Bucket::cache_read, 1000}}, {noon, "batch"}), "0.001100000000");
    EXPECT_FALSE(warnings.empty());
}

TEST_F(Priced, the_time_is_the_requests) {
    const Books books({std::make_shared<const Book>(book)});
    const auto at = [&](std::string_view day) {
        return books.find("maker", {"big"}, time_from(day), *time_from("2026-11-26"))
            .entry->base()
            ->rate(Bucket::input)
            ->plain();
    };
    EXPECT_EQ(at("2025-12-31T23:59:59Z"), "10");
    EXPECT_EQ(at("2026-01-01"), "1");
    EXPECT_EQ(at("2026-01-01T01:00:00+02:00"), "10");
}

TEST_F(Priced, names_are_found_as_people_write_them) {
    const Books books({std::make_shared<const Book>(book)});
    const auto found = [&](std::string_view provider, std::string model) {
        const auto found = books.find(provider, {std::move(model)}, std::nullopt, *time_from("2026-11-26"));
        return found.entry == nullptr ? std::string() : found.entry->model;
    };
    for (const auto* name : {"big", "BIG", "maker/big", "models/big", "big-2025-11-13", "big-latest", "big@20250101",
                             "big-20250101", "x/y/big"})
        EXPECT_EQ(found("maker", name), "big") << name;
    EXPECT_EQ(found("seller", "big"), "big");
    EXPECT_EQ(found("nobody", "big"), "big");
    EXPECT_EQ(found("", "big"), "big");
    EXPECT_EQ(found("maker", "small"), "");
    EXPECT_EQ(found("maker", "edge:free"), "");
    EXPECT_EQ(model_forms("us.anthropic.claude-sonnet-4-5-20250929-v1:0")[1],
              "anthropic.claude-sonnet-4-5-20250929-v1:0");
}

TEST_F(Priced, an_old_entry_says_so_and_a_quota_too) {
    const Books books({std::make_shared<const Book>(book)});
    Reading reading;
    reading.found = true;
    reading.buckets.set(Bucket::web_search, 3);
    const auto booked = prices::book(reading, {{"maker", "big", ""}, noon}, books, *time_from("2026-11-26"));
    EXPECT_EQ(booked.cost->text(), "0.031000000000");
    std::string all;
    for (const auto& warning : booked.warnings) all += warning + "\n";
    EXPECT_NE(all.find("117 days ago"), std::string::npos) << all;
    EXPECT_NE(all.find("10 a day are free"), std::string::npos) << all;
}

TEST(Cost, by_the_piece_does_not_ask_for_the_price_of_tokens) {
    const auto book = Book::parse(
        R"({"format":1,"entries":[{"provider":"p","model":"ear","least_seconds":10,"cards":[{"rates":{"seconds":"0.36"}}]}]})");
    const auto& entry = book->entries()[0];
    EXPECT_EQ(cost_of(used({{Bucket::seconds, 20'000}, {Bucket::input, 500}}), entry, {}).amount->text(),
              "0.002000000000");
    EXPECT_EQ(cost_of(used({{Bucket::seconds, 1'500}}), entry, {}).amount->text(), "0.001000000000");
    EXPECT_FALSE(cost_of(used({{Bucket::input, 500}}), entry, {}).amount);
}

TEST(Book, is_written_as_it_is_read) {
    const auto book = Book::parse(kBook);
    ASSERT_TRUE(book) << book.error().message;
    const auto again = Book::parse(book->write());
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(again->write(), book->write());
    for (const auto* broken :
         {"{}", "[", R"({"format":2})", R"({"format":1,"entries":[{}]})",
          R"({"format":1,"entries":[{"provider":"a","model":"b","cards":[{"over":1,"rates":{}}]}]})",
          R"({"format":1,"entries":[{"provider":"a","model":"b","cards":[{"rates":{"input":"x"}}]}]})",
          R"({"format":1,"entries":[{"provider":"a","model":"b","match":{"regex":"("},"cards":[{"rates":{}}]}]})"})
        EXPECT_FALSE(Book::parse(broken)) << broken;
}

TEST(Book, that_ships_is_whole) {
    const auto book = shipped_book();
    ASSERT_TRUE(book) << book.error().message;
    EXPECT_GT((*book)->entries().size(), 3'000U);
    const auto now = *time_from("2026-11-26");
    const Books books({*book});
    for (const auto& [provider, model] : {std::pair{"openai", "gpt-5.1"},
                                          {"anthropic", "claude-opus-5-5"},
                                          {"google", "gemini-2.5-pro"},
                                          {"vertex", "gemini-2.5-flash"},
                                          {"xai", "grok-4.5"},
                                          {"mistral", "mistral-large-latest"},
                                          {"deepseek", "deepseek-chat"},
                                          {"groq", "openai/gpt-oss-120b"},
                                          {"cohere", "command-a-03-2025"},
                                          {"moonshot", "kimi-k2.5"},
                                          {"perplexity", "sonar-pro"},
                                          {"azure", "gpt-4o"},
                                          {"bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"},
                                          {"openrouter", "anthropic/claude-sonnet-4.5"},
                                          {"together", "meta-llama/Llama-3.3-70B-Instruct-Turbo"},
                                          {"fireworks", "accounts/fireworks/models/deepseek-v3p1"}})
        EXPECT_NE(books.find(provider, {model}, now, now).entry, nullptr) << provider << " " << model;
    // Written out, each rate is a whole number of pico-units for one unit; of this the few that a source divided by
    // three.
    std::size_t finer = 0;
    for (const auto& entry : (*book)->entries())
        for (const auto& card : entry.cards)
            for (const auto& [bucket, rate] : card.rates)
                finer +=
                    bucket != Bucket::seconds && rate.atto() % (Amount::Atto(1'000'000) * units_of_rate(bucket)) != 0;
    EXPECT_LT(finer, 40U);
}

TEST(Import, knows_the_tables_of_others_by_their_shape) {
    const auto litellm = import_table(
        R"({"sample_spec":{},"gpt-x":{"litellm_provider":"openai","input_cost_per_token":1.25e-07,"output_cost_per_token":1e-06,
        "input_cost_per_token_above_272k_tokens_batches":2.5e-07,"provider_specific_entry":{"us":1.1}},"free":{"litellm_provider":"openai","input_cost_per_token":0}})",
        "f", "2026-11-26");
    ASSERT_TRUE(litellm) << litellm.error().message;
    EXPECT_EQ(litellm->kind, "litellm");
    EXPECT_EQ(litellm->left_out, 1U);
    const auto& entry = litellm->book.entries().at(0);
    EXPECT_EQ(entry.base()->rate(Bucket::input)->plain(), "0.125");
    EXPECT_EQ(entry.cards.at(1).when.service, "batch");
    EXPECT_EQ(entry.cards.at(1).when.over, 272'000);
    EXPECT_EQ(entry.cards.at(2).rate(Bucket::input)->plain(), "0.1375");
    const auto genai = import_table(
        R"([{"id":"openai","models":[{"id":"a","match":{"or":[{"starts_with":"a-"},{"equals":"a"}]},"prices":[
        {"prices":{"input_mtok":10,"output_mtok":40}},{"constraint":{"start_date":"2025-06-10"},"prices":{"input_mtok":{"base":2,"tiers":[{"start":200000,"price":4}]}}}]}]}])",
        "f", "2026-11-26");
    ASSERT_TRUE(genai) << genai.error().message;
    EXPECT_EQ(genai->kind, "genai-prices");
    ASSERT_EQ(genai->book.entries().size(), 2U);
    EXPECT_EQ(time_text(genai->book.entries()[0].until), "2025-06-10");
    EXPECT_EQ(genai->book.entries()[1].cards.at(1).when.over, 200'000);
    for (const auto* other : {"{}", "[]", "x", R"({"a":{"b":1}})"})
        EXPECT_FALSE(import_table(other, "f", "2026-11-26")) << other;
}

TEST(Compare, counts_what_both_have_and_says_what_differs) {
    const auto one = Book::parse(
        R"({"format":1,"entries":[{"provider":"p","model":"a","cards":[{"rates":{"input":"1","output":"2"}}]},
        {"provider":"p","model":"b","cards":[{"rates":{"input":"1"}}]}]})");
    const auto other = Book::parse(
        R"({"format":1,"entries":[{"provider":"p","model":"a","cards":[{"rates":{"input":"1","output":"3"}}]}]})");
    const auto found = compare(*one, *other, 0);
    EXPECT_EQ(found.shared, 2U);
    EXPECT_EQ(found.only_one, 1U);
    ASSERT_EQ(found.differences.size(), 1U);
    EXPECT_EQ(found.differences[0].bucket, Bucket::output);
}

}  // namespace
}  // namespace tandem::prices
