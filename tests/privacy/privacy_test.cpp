#include "privacy/privacy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <future>

#include "base/hash.h"
#include "privacy/egress.h"
#include "tests/support.h"

namespace tandem::privacy {
namespace {

// Law 1 and 2 as types: leave to send cannot be made, copied or kept by anyone else.
static_assert(!std::is_default_constructible_v<Clearance> && !std::is_copy_constructible_v<Clearance>);
static_assert(!std::is_constructible_v<Clearance, std::string, std::string>);

Detector& detector() {
    static const auto made = make_detector();
    return **made;
}

bool finds(std::string_view id, std::string_view text) {
    const auto findings = detector().scan(text);
    return findings && std::ranges::any_of(*findings, [&](const Finding& f) { return f.detector == id; });
}

Label label_of_body(std::string_view body) {
    json::Document document;
    EXPECT_TRUE(document.parse(body)) << body;
    Labelled labelled;
    label_by_content(detector(), document, {}, labelled);
    return labelled.label;
}

TEST(Detectors, find_their_examples_and_nothing_in_what_looks_alike) {
    for (const auto& pattern : patterns()) {
        EXPECT_TRUE(finds(pattern.id, pattern.match)) << pattern.id << " in " << pattern.match;
        EXPECT_FALSE(finds(pattern.id, pattern.no_match)) << pattern.id << " in " << pattern.no_match;
        EXPECT_TRUE(finds(pattern.id, "some text before, " + std::string(pattern.match) + " and after")) << pattern.id;
    }
}

TEST(Detectors, check_sums_and_bounds_of_numbers) {
    for (const auto* card : {"4111111111111111", "4111-1111-1111-1111", "378282246310005", "5555 5555 5555 4444",
                             "6011111111111117", "ends 4111111111111111."})
        EXPECT_TRUE(finds("card", card)) << card;
    for (const auto* other : {"4111111111111112", "41111111111111111111111111", "0000000000000000", "1234567890123456",
                              "v4111111111111111x", "2024-01-01 10:00:00 12345"})
        EXPECT_FALSE(finds("card", other)) << other;
    for (const auto* iban :
         {"DE89370400440532013000", "GB82 WEST 1234 5698 7654 32", "NO93 8601 1117 947", "de89 3704 0044 0532 0130 00"})
        EXPECT_TRUE(finds("iban", iban)) << iban;
    for (const auto* other :
         {"DE89370400440532013001", "XX89370400440532013000", "DE893704004405320130", "ADE89370400440532013000"})
        EXPECT_FALSE(finds("iban", other)) << other;
}

TEST(Detectors, leave_code_and_prose_alone) {
    for (const auto* text :
         {"password = get_password(user)", "The password is long and secret.", "token: string",
          "if (secret == nullptr) return;", "api_key = os.environ['API_KEY']", "https://example.org/path?x=1", "user@",
          "password: ${DB_PASSWORD}", "a@b", "secret: <your secret here>"}) {
        const auto findings = detector().scan(text);
        ASSERT_TRUE(findings);
        EXPECT_TRUE(findings->empty()) << text << ": " << findings->front().detector;
    }
}

TEST(Labelling, looks_at_all_text_of_a_request_however_it_is_written) {
    const std::string card = "4111 1111 1111 1111";
    for (const std::string& body : std::initializer_list<std::string>{
             R"({"messages":[{"role":"user","content":")" + card + R"("}]})",
             R"({"messages":[{"role":"user","content":"\u0034111 \u0031111 1111 1111"}]})",
             R"({"messages":[{"role":"system","content":[{"type":"text","text":")" + card + R"("}]}]})",
             R"({"tools":[{"function":{"parameters":{"properties":{"x":{"description":")" + card + R"("}}}}}]})",
             R"({"messages":[{"tool_calls":[{"function":{"arguments":"{\"a\":\"\\u0034111 1111 1111 1111\"}"}}]}]})",
             R"({"unknown":{"deep":[")" + card + R"("]}})",
             R"({"metadata":{")" + card + R"(":"key"}})",
             std::string(R"({"number":4111111111111111})"),
         })
        EXPECT_EQ(label_of_body(body), Label::private_) << body;
    EXPECT_EQ(label_of_body(R"({"config":{"password":"hunter2-is-mine"}})"), Label::secret);
    EXPECT_EQ(label_of_body(R"({"messages":[{"content":"write to jane@example.org"}]})"), Label::internal);
    EXPECT_EQ(label_of_body(R"({"messages":[{"content":"nothing to see"}]})"), Label::public_);
}

TEST(Labelling, fails_closed_when_a_detector_fails) {
    struct Broken final : Detector {
        bool throws = false;
        Result<std::vector<Finding>> scan(std::string_view) override {
            if (throws) throw std::runtime_error("boom");
            return fail(ErrorCode::internal, "broken");
        }
    } broken;
    json::Document document;
    ASSERT_TRUE(document.parse(R"({"a":"harmless"})"));
    for (const bool throws : {false, true}) {
        broken.throws = throws;
        Labelled labelled;
        label_by_content(broken, document, {}, labelled);
        EXPECT_EQ(labelled.label, Label::secret);
    }
}

struct Opened {
    test::Folder folder;
    std::unique_ptr<store::Store> store;
    test::ManualClock clock;
    Opened() { store = std::move(*store::Store::open(folder.path / "db", migrations(), store::Durability::process)); }
    static std::span<const store::Migration> migrations() {
        static const std::string sql = std::string(kEgressSchema) + kLabelSchema;
        static const store::Migration all[] = {{sql.c_str()}};
        return all;
    }
    Result<> sql(const std::string& text) {
        return store->run([&](store::Database& database) { return database.execute(text); });
    }
    Verdict verify() {
        Verdict verdict;
        EXPECT_TRUE(store->run([&](store::Database& database) -> Result<> {
            auto result = verify_egress(database);
            if (!result) return fail(result.error());
            verdict = *result;
            return {};
        }));
        return verdict;
    }
};

Result<std::string> clear(Privacy& privacy, Privacy::Ask ask) {
    std::promise<Result<std::string>> promise;
    auto future = promise.get_future();
    privacy.clear(std::move(ask), {}, [&](Result<Clearance> clearance) {
        promise.set_value(clearance ? Result<std::string>(clearance->body()) : fail(clearance.error()));
    });
    return future.get();
}

Privacy::Ask ask(Zone zone, Label clearance, Label label) {
    return {DecisionId::from_text("dec_1"), "p", "m", zone, clearance, label, "rule", "the body"};
}

TEST(Clearance, is_given_only_up_to_the_clearance_of_the_provider) {
    Opened o;
    Privacy privacy(*o.store, detector(), o.clock);
    for (const auto zone : {Zone::local, Zone::cloud})
        for (int clearance = 0; clearance < 4; ++clearance)
            for (int label = 0; label < 4; ++label) {
                const auto result = clear(privacy, ask(zone, static_cast<Label>(clearance), static_cast<Label>(label)));
                EXPECT_EQ(result.has_value(), label <= clearance);
                if (!result) EXPECT_EQ(result.error().code, ErrorCode::policy);
            }
    EXPECT_EQ(o.verify().records, 10);  // the ten that left, and nothing for what stayed or was refused
}

TEST(Clearance, comes_after_the_egress_record_and_not_without_it) {
    Opened o;
    Privacy privacy(*o.store, detector(), o.clock);
    ASSERT_TRUE(clear(privacy, ask(Zone::cloud, Label::internal, Label::public_)));
    ASSERT_TRUE(o.store->run([](store::Database& database) {
        return list_egress(database, 0, [](const EgressRecord& r) {
            EXPECT_EQ(r.body_sha256, hex(sha256("the body")));
            EXPECT_EQ(r.bytes, 8);
            EXPECT_EQ(r.decision, "dec_1");
        });
    }));
    ASSERT_TRUE(o.sql("ALTER TABLE egress RENAME TO gone"));
    const auto refused = clear(privacy, ask(Zone::cloud, Label::internal, Label::public_));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::storage);
}

TEST(Egress, any_tamper_breaks_the_chain) {
    for (const std::string& tamper : std::initializer_list<std::string>{
             "UPDATE egress SET bytes = 1 WHERE sequence = 3", "UPDATE egress SET label = 0 WHERE sequence = 1",
             "DELETE FROM egress WHERE sequence = 2", "UPDATE egress SET hash = previous WHERE sequence = 4",
             "UPDATE egress SET sequence = 9 WHERE sequence = 5", "UPDATE egress SET provider = 'q' WHERE sequence = 5",
             "DELETE FROM egress WHERE sequence = 1"}) {
        Opened o;
        Privacy privacy(*o.store, detector(), o.clock);
        for (int i = 0; i < 5; ++i) ASSERT_TRUE(clear(privacy, ask(Zone::cloud, Label::private_, Label::internal)));
        ASSERT_EQ(o.verify().broken, "");
        ASSERT_EQ(o.verify().records, 5);
        ASSERT_TRUE(o.sql(tamper));
        EXPECT_NE(o.verify().broken, "") << tamper;
    }
}

chat::Request conversation(std::vector<std::string> texts) {
    chat::Request request;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        chat::Message message;
        message.role = i % 2 == 0 ? chat::Role::user : chat::Role::assistant;
        message.parts.push_back({chat::TextPart{texts[i]}, {}});
        request.messages.push_back(std::move(message));
    }
    return request;
}

TEST(LabelMemory, a_conversation_keeps_its_highest_label_across_turns_and_restarts) {
    Opened o;
    {
        LabelMemory memory;
        const auto first = fingerprints(conversation({"my card is ..."}), "");
        EXPECT_EQ(memory.recall(first), Label::public_);
        auto job = memory.remember(first, false, Label::private_);
        ASSERT_TRUE(job);
        ASSERT_TRUE(o.store->run(job));
        EXPECT_EQ(memory.recall(fingerprints(conversation({"my card is ...", "noted", "thanks"}), "")),
                  Label::private_);
        EXPECT_EQ(memory.recall(fingerprints(conversation({"another", "noted", "thanks"}), "")), Label::public_);
        // Lower labels change nothing and write nothing.
        EXPECT_FALSE(memory.remember(first, false, Label::internal));
        EXPECT_FALSE(memory.remember(first, false, Label::public_));
        auto by_id = memory.remember(fingerprints(conversation({"x"}), "c1"), true, Label::secret);
        ASSERT_TRUE(o.store->run(by_id));
    }
    LabelMemory again;
    ASSERT_TRUE(again.load(*o.store));
    EXPECT_EQ(again.recall(fingerprints(conversation({"my card is ...", "noted"}), "")), Label::private_);
    EXPECT_EQ(again.recall(fingerprints(conversation({"something else entirely"}), "c1")), Label::secret);
    EXPECT_EQ(again.recall(fingerprints(conversation({"something else entirely"}), "c2")), Label::public_);
}

}  // namespace
}  // namespace tandem::privacy
