// What a config's models cost, what an attempt is booked at, and the most that it may be.
#include "ledger/bill.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/time_text.h"
#include "ledger/ledger.h"
#include "ledger/prices/names.h"
#include "ledger/reports/rollup.h"
#include "tests/support.h"

namespace tandem::ledger {
namespace {

using prices::Amount;
using prices::Asked;
using prices::Bucket;
using prices::PriceSource;
using prices::Tariff;

const std::int64_t kNow = *time_from("2026-11-26");

std::shared_ptr<const Pricing> pricing_of(const std::string& yaml) {
    const auto config = config::parse(yaml, {}, [](const std::string&) { return std::optional<std::string>("/tmp"); });
    EXPECT_TRUE(config) << (config ? "" : config.error().message);
    if (!config) return nullptr;
    auto pricing = Pricing::of(*config);
    EXPECT_TRUE(pricing) << (pricing ? "" : pricing.error().message);
    return pricing ? *pricing : nullptr;
}

config::Model model(const std::string& id) {
    config::Model one;
    one.id = id;
    return one;
}

constexpr const char* kConfig =
    "providers:\n"
    "  a: { kind: openai, zone: cloud, base_url: 'https://api.openai.com/v1' }\n"
    "  b: { kind: openai, zone: cloud, base_url: 'https://llm.corp.example/v1' }\n"
    "  c: { kind: anthropic, zone: cloud, base_url: 'http://127.0.0.1:9' }\n"
    "  home: { kind: openai, zone: local, base_url: 'http://127.0.0.1:9/v1' }\n"
    "models:\n"
    "  gpt: { provider: a, name: gpt-5.1 }\n"
    "  own: { provider: a, name: gpt-5.1, price: { input: 4, cached_input: 0.4, output: 10 } }\n"
    "  resold: { provider: b, name: gpt-5.1 }\n"
    "  open: { provider: b, name: llama-3.3-70b }\n"
    "  claude: { provider: c, name: claude-sonnet-4-5 }\n"
    "  small: { provider: home, name: gpt-5.1 }\n";

TEST(Pricing, goes_by_the_owner_then_by_the_book_and_home_is_free) {
    const auto pricing = pricing_of(kConfig);
    const auto source = [&](const char* id) { return pricing->of(model(id)).source(); };
    EXPECT_EQ(source("gpt"), PriceSource::book);
    EXPECT_EQ(source("own"), PriceSource::owner);
    EXPECT_EQ(source("claude"), PriceSource::book);
    EXPECT_EQ(source("small"), PriceSource::free);
    // Who sells what OpenAI alone makes is taken to sell it at OpenAI's price, and that is said; of what anybody may
    // serve nothing is known.
    EXPECT_EQ(source("resold"), PriceSource::book);
    EXPECT_NE(pricing->of(model("resold")).note().find("priced as openai's"), std::string::npos);
    EXPECT_EQ(source("open"), PriceSource::unknown);
    EXPECT_NE(pricing->of(model("open")).note(), "");
}

TEST(Pricing, of_another_currency_has_no_book) {
    const auto pricing = pricing_of(std::string(kConfig) + "currency: EUR\n");
    EXPECT_EQ(pricing->of(model("gpt")).source(), PriceSource::unknown);
    EXPECT_NE(pricing->of(model("gpt")).note().find("USD"), std::string::npos);
    EXPECT_EQ(pricing->of(model("own")).source(), PriceSource::owner);
}

TEST(Pricing, estimates_what_nobody_knows_where_the_owner_says_so) {
    const auto pricing = pricing_of(std::string(kConfig) + "policy: { unknown_price: estimate 20 }\n");
    const auto tariff = pricing->of(model("open"));
    EXPECT_EQ(tariff.source(), PriceSource::estimate);
    EXPECT_EQ(tariff.at_most({10}, {5}, {}).micros().micros(), 300);
    for (const auto* wrong : {"estimate", "estimate 0", "guess", "estimate x"})
        EXPECT_FALSE(config::parse(fmt::format("policy: {{ unknown_price: {} }}\n", wrong), {}, [](const std::string&) {
            return std::optional<std::string>("/tmp");
        })) << wrong;
}

TEST(Pricing, knows_providers_by_their_hosts) {
    EXPECT_EQ(prices::provider_at("API.OpenAI.com"), "openai");
    EXPECT_EQ(prices::provider_at("eu.api.openai.com"), "openai");
    EXPECT_EQ(prices::provider_at("notapi.openai.com"), "");
    EXPECT_EQ(prices::provider_at("mine.openai.azure.com"), "azure");
    EXPECT_EQ(prices::provider_at("us-central1-aiplatform.googleapis.com"), "vertex");
    EXPECT_EQ(prices::provider_at("127.0.0.1"), "");
}

TEST(Tariff, reads_what_it_writes) {
    const auto pricing = pricing_of(kConfig);
    for (const auto* id : {"gpt", "own", "open", "claude", "small"}) {
        const auto tariff = pricing->of(model(id));
        json::Writer out;
        tariff.write(out);
        json::Document document;
        ASSERT_TRUE(document.parse(out.text()));
        const auto again = Tariff::read(document.root());
        ASSERT_TRUE(again) << id;
        EXPECT_EQ(again->source(), tariff.source());
        EXPECT_EQ(again->note(), tariff.note());
        for (const std::int64_t prompt : {10, 300'000})
            EXPECT_EQ(again->at_most({prompt}, {77}, {kNow, "batch"}).atto(),
                      tariff.at_most({prompt}, {77}, {kNow, "batch"}).atto());
    }
}

TEST(Tariff, bounds_every_usage_of_so_many_tokens) {
    const auto pricing = pricing_of(kConfig);
    for (const auto* id : {"gpt", "own", "claude"}) {
        const auto tariff = pricing->of(model(id));
        for (const auto* tier : {"", "flex", "priority", "batch"})
            for (const std::int64_t prompt : {1, 999, 199'999, 200'001, 260'000}) {
                const auto most = tariff.at_most({prompt}, {500}, {kNow, tier, "", true});
                for (const auto kind : {Bucket::input, Bucket::cache_read, Bucket::cache_write, Bucket::cache_write_1h})
                    for (const auto* got : {"", tier}) {
                        prices::Buckets used;
                        used.set(kind, prompt);
                        used.set(Bucket::output, 100);
                        used.set(Bucket::reasoning, 400);
                        const auto cost = prices::cost_of(used, *tariff.at(kNow), {kNow, got}).amount;
                        ASSERT_TRUE(cost);
                        EXPECT_LE(cost->atto(), most.atto()) << id << " " << tier << " " << prompt;
                    }
            }
    }
    // A prompt whose estimate is near the next length may be of that length.
    const auto claude = pricing->of(model("claude"));
    EXPECT_EQ(claude.at_most({180'000}, {}, {kNow}).text(), "1.350000000000");  // 7.5 for a million written
    EXPECT_EQ(claude.at_most({150'000}, {}, {kNow}).text(), "0.562500000000");
    EXPECT_TRUE(claude.writes_cost_more(kNow));
}

// Rates of an answer's million: standard 1, flex 0.5, priority 2, fast 3, batch 9 (so that a mistake is seen).
Tariff tiered(const std::string& provider) {
    prices::Entry entry;
    entry.provider = provider;
    entry.model = "m";
    for (const auto& [tier, rate] :
         {std::pair{"", "1"}, {"flex", "0.5"}, {"priority", "2"}, {"fast", "3"}, {"batch", "9"}}) {
        auto& card = entry.cards.emplace_back();
        card.when.service = tier;
        card.rates = {{Bucket::input, {}}, {Bucket::output, *Amount::parse(rate)}};
    }
    return Tariff::of_book({&entry}, {});
}

TEST(Tariff, reserves_the_dearest_tier_that_a_request_can_reach) {
    const auto most = [](const std::string& provider, Asked asked) {
        asked.time_ms = kNow;
        return tiered(provider).at_most({}, {1'000'000}, asked).micros().micros() / 1'000'000;
    };
    EXPECT_EQ(most("openai", {}), 1);
    EXPECT_EQ(most("openai", {.service_tier = "flex"}), 1);
    EXPECT_EQ(most("openai", {.service_tier = "priority"}), 2);
    EXPECT_EQ(most("openai", {.any_tier = true}), 3);
    EXPECT_EQ(most("openai", {.service_tier = "turbo"}), 3);  // a name that the book does not know
    EXPECT_EQ(most("anthropic", {.any_tier = true}), 2);
    EXPECT_EQ(most("anthropic", {.service_tier = "fast"}), 3);
    EXPECT_EQ(most("perplexity", {}), 3);
}

TEST(Tariff, asked_for_is_read_from_a_request) {
    const auto asked = [](std::string_view body) {
        json::Document document;
        EXPECT_TRUE(document.parse(body));
        return prices::asked_in(document.root(), 5);
    };
    EXPECT_EQ(asked(R"({"service_tier":"flex"})"), (Asked{5, "flex"}));
    EXPECT_EQ(asked(R"({"service_tier":"auto","inference_geo":"us"})"),
              (Asked{.time_ms = 5, .region = "us", .any_tier = true}));
    EXPECT_EQ(asked(R"({"service_tier":"default"})"), (Asked{5}));
    EXPECT_EQ(asked(R"({"generationConfig":{"serviceTier":"PRIORITY"}})"), (Asked{5, "priority"}));
    EXPECT_EQ(asked(R"({"serviceTier":{"type":"priority"}})"), (Asked{5, "priority"}));
    EXPECT_EQ(asked(R"({"speed":"fast"})"), (Asked{5, "fast"}));
    EXPECT_FALSE(
        asked(R"({"system":[{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}]})").keeps_cache_an_hour);
    EXPECT_TRUE(asked(R"({"messages":[{"role":"user","content":[{"type":"text","text":"x",
        "cache_control":{"type":"ephemeral","ttl":"1h"}}]}]})")
                    .keeps_cache_an_hour);
}

prices::Reading said(std::string_view body) {
    return prices::read_usage(body, {"openai", "gpt-5.1", ""});
}

TEST(Bill, counts_what_was_said_and_completes_what_was_estimated) {
    const auto pricing = pricing_of(kConfig);
    const auto tariff = pricing->of(model("gpt"));
    const prices::Hints hints{"openai", "gpt-5.1", ""};
    const auto micros = [&](const Used& used) { return bill_of(used, tariff, {kNow}, hints, *pricing).cost.micros(); };
    const auto whole = said(R"({"usage":{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100,
        "prompt_tokens_details":{"cached_tokens":400}}})");
    EXPECT_EQ(micros({{{1000}, {400}, {100}, {}}, whole}), 750 + 50 + 1000);
    // What came early is not the usage: more was said since.
    EXPECT_EQ(micros({{{1000}, {400}, {300}, {}, true}, whole}), 750 + 50 + 3000);
    // A part that is missing, although it was counted.
    EXPECT_EQ(micros({{{1000}, {}, {100}, {}}, said(R"({"usage":{"prompt_tokens":0,"completion_tokens":100}})")}),
              1250 + 1000);
    // Nothing was said: all of it is the estimate.
    EXPECT_EQ(micros({{{1000}, {400}, {100}, {}, true}}), 750 + 50 + 1000);
    EXPECT_EQ(micros({}), 0);
    EXPECT_EQ(bill_of({}, tariff, {kNow}, hints, *pricing).source, PriceSource::free);
}

TEST(Bill, is_rounded_once_half_to_even) {
    const auto pricing = pricing_of(kConfig);
    const auto own = Tariff::flat(PriceSource::owner, {*Amount::parse("1.25"), *Amount::parse("0.125"),
                                                       *Amount::parse("1.25"), *Amount::parse("10")});
    const auto micros = [&](Usage usage) { return bill_of(usage, own, {}, {}, *pricing).cost.micros(); };
    EXPECT_EQ(micros({{1000}, {0}, {500}, {0}}), 1250 + 5000);
    EXPECT_EQ(micros({{2}, {0}, {0}, {0}}), 2);  // 2.5
    EXPECT_EQ(micros({{6}, {0}, {0}, {0}}), 8);  // 7.5
    EXPECT_EQ(micros({{10}, {999}, {0}, {0}}), 1);
    EXPECT_GT(micros({{INT64_MAX}, {0}, {INT64_MAX}, {0}}), 0);
}

TEST(Bill, of_what_goes_into_a_cache_is_its_own) {
    const auto pricing = pricing_of(kConfig);
    const Usage usage{{1010}, {0}, {5}, {0}, false, {1000}};
    config::Price price{Money::from_micros(4'000'000), Money::from_micros(400'000), Money::from_micros(10'000'000), {}};
    EXPECT_EQ(bill_of(usage, tariff_of(price), {}, {}, *pricing).cost.micros(), 4040 + 50);
    price.cache_write = Money::from_micros(5'000'000);
    EXPECT_EQ(bill_of(usage, tariff_of(price), {}, {}, *pricing).cost.micros(), 40 + 5000 + 50);
}

TEST(Bill, takes_the_providers_word_where_it_is_a_price) {
    const auto pricing = pricing_of(kConfig);
    const auto tariff = pricing->of(model("gpt"));
    const prices::Hints hints{"openrouter", "openai/gpt-5.1", ""};
    const Usage usage{{1000}, {}, {100}, {}};
    const auto bill = [&](std::string_view cost, bool estimated = false) {
        auto used = usage;
        used.estimated = estimated;
        return bill_of({used, said(fmt::format(
                                  R"({{"usage":{{"prompt_tokens":1000,"completion_tokens":100,"cost":{}}}}})", cost))},
                       tariff, {kNow}, hints, *pricing);
    };
    EXPECT_EQ(bill("0.0125").cost.micros(), 12'500);
    EXPECT_EQ(bill("0.0125").source, PriceSource::provider);
    EXPECT_NE(bill("0.0125").details.find("\"by_book\":\"0.002250000000\""), std::string::npos);
    EXPECT_EQ(bill("0").cost.micros(), 2'250);
    EXPECT_EQ(bill("0").source, PriceSource::book);
    EXPECT_EQ(bill("0.0125", true).cost.micros(), 2'250);  // in the middle of a stream
    // A charge is a price also where nobody else knows one.
    const auto charged =
        bill_of({usage, said(R"({"usage":{"prompt_tokens":1000,"completion_tokens":100,"cost":0.5}})")},
                Tariff::unknown("why"), {kNow}, hints, *pricing);
    EXPECT_EQ(charged.cost.micros(), 500'000);
    EXPECT_EQ(charged.source, PriceSource::provider);
}

TEST(Bill, of_an_unknown_price_says_so) {
    const auto pricing = pricing_of(kConfig);
    const auto bill = bill_of(Usage{{10}, {}, {5}, {}}, Tariff::unknown("why"), {kNow}, {"b", "open", ""}, *pricing);
    EXPECT_EQ(bill.source, PriceSource::unknown);
    EXPECT_EQ(bill.cost, Money{});
    EXPECT_EQ(bill.details, R"({"usage":{"input":10,"output":5}})");
    ASSERT_EQ(bill.warnings.size(), 1U);
    EXPECT_NE(bill.warnings[0].find("no price is known"), std::string::npos);
}

TEST(Bill, details_are_short_whatever_is_said) {
    const auto pricing = pricing_of(kConfig);
    prices::Reading reading;
    reading.found = true;
    for (std::size_t i = 0; i < prices::kBuckets; ++i) reading.buckets.set(static_cast<Bucket>(i), prices::kMostCount);
    reading.service_tier = reading.region = std::string(5'000, 'x');
    const auto bill = bill_of({Usage{{1}, {}, {1}, {}}, reading}, pricing->of(model("gpt")), {kNow}, {}, *pricing);
    EXPECT_LE(bill.details.size(), Bill::kMostDetails);
}

TEST(Book, of_some_providers_is_what_the_whole_has_of_them) {
    const auto whole = *prices::shipped_book();
    const auto some = *prices::shipped_book({"openai", "groq"});
    EXPECT_EQ(some->made, whole->made);
    EXPECT_EQ(some->owner_of({"claude-x"}), "anthropic");
    std::size_t wanted = 0;
    for (const auto& entry : whole->entries())
        if (entry.provider == "openai" || entry.provider == "groq") ++wanted;
    ASSERT_EQ(some->entries().size(), wanted);
    EXPECT_GT(wanted, 100U);
    EXPECT_TRUE((*prices::shipped_book(std::vector<std::string>{}))->entries().empty());
}

// A database of before: its attempts keep their costs, and say whose word those were.
TEST(LedgerSchema, takes_over_old_attempts) {
    test::Folder folder;
    const store::Migration old[] = {{kLedgerSchema}, {kLedgerSchema2}};
    const store::Migration all[] = {{kLedgerSchema},           {kLedgerSchema2}, {kLedgerSchema3},
                                    {reports::kReportsSchema}, {kBudgetsSchema}, {reports::kReportsSchema2},
                                    {kLedgerSchema5}};
    {
        auto store = store::Store::open(folder.path / "db", old, store::Durability::process);
        ASSERT_TRUE(store);
        ASSERT_TRUE((*store)->run([](store::Database& database) {
            for (const auto* row :
                 {"'d1', 1, 5, 'alice', 'p', 'm', 1, 'answered', 200, '', 1, 2, 10, 0, 5, 0, 0, 77, '', 0",
                  "'d1', 2, 5, 'alice', 'p', 'free', 0, 'answered', 200, '', 1, 2, 10, 0, 5, 0, 0, 0, '', 0"}) {
                const auto insert = fmt::format("INSERT INTO attempts VALUES ({})", row);
                if (auto ok = database.prepare(insert.c_str()).run(); !ok) return ok;
            }
            return database.prepare("INSERT INTO open_attempts VALUES ('d2', 1, 6, 'alice', 'p', 'm', 1, 10, 5, 99)")
                .run();
        }));
    }
    auto store = store::Store::open(folder.path / "db", all, store::Durability::process);
    ASSERT_TRUE(store);
    test::ManualClock clock;
    Budgets budgets(clock);
    const auto lost = settle_lost(**store, budgets);
    ASSERT_TRUE(lost);
    EXPECT_EQ(lost->cost.micros(), 99);
    auto database = store::Database::open_to_read(folder.path / "db");
    const auto attempts = attempts_of(**database, "d1");
    ASSERT_TRUE(attempts);
    ASSERT_EQ(attempts->size(), 2U);
    EXPECT_EQ(attempts->at(0).source, PriceSource::owner);
    EXPECT_EQ(attempts->at(0).cost.micros(), 77);
    EXPECT_EQ(attempts->at(1).source, PriceSource::free);
    EXPECT_EQ(attempts->at(0).bill, "");
}

}  // namespace
}  // namespace tandem::ledger
