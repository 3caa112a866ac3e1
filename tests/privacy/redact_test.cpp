// Taking out and putting back: whatever is cut wherever, the client gets what it would have got whole.
#include "privacy/redact.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "privacy/guard.h"
#include "privacy/privacy.h"
#include "privacy/restore.h"
#include "privacy/standins.h"
#include "tests/support.h"

namespace tandem::privacy {
namespace {

using config::Treatment;

const std::string kIban = "DE89 3704 0044 0532 0130 00";
const std::string kCard = "4111 1111 1111 1111";

Detector& detector() {
    static const auto made = make_detector();
    return **made;
}

struct Opened {
    test::Folder folder;
    std::unique_ptr<Keys> keys = std::move(*Keys::open(folder.path, ""));
};

constexpr std::array<std::optional<Treatment>, 4> kRedact = {std::nullopt, Treatment::redact, Treatment::redact,
                                                             Treatment::redact};

Result<Redaction> redacted(const std::string& source, const Keys& keys, const std::vector<StandIn>& known = {},
                           bool realistic = false) {
    json::Document document;
    EXPECT_TRUE(document.parse(source));
    return redact(document, detector(), {{}, kRedact, realistic}, known, keys);
}

TEST(Redaction, leaves_every_other_byte_as_it_was) {
    Opened o;
    const auto result = redacted(
        "{\"a\" : [1.50, \"caf\\u00e9 " + kIban + " \\n x\"],  \"n\":4111111111111111, \"z\":\"\\/\"}", *o.keys);
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result->body,
              "{\"a\" : [1.50, \"caf\u00e9 <IBAN_CODE_1> \\n x\"],  \"n\":\"<CREDIT_CARD_1>\", \"z\":\"\\/\"}");
    EXPECT_EQ(result->summary(), "CREDIT_CARD:1,IBAN_CODE:1");
}

TEST(Redaction, takes_a_value_out_wherever_it_stands_once_it_is_known) {
    Opened o;
    const auto result = redacted(R"({"a":"password: Tr0ub4dor&3xyz","b":"Tr0ub4dor&3xyz it was"})", *o.keys);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->body.find("Tr0ub4dor"), std::string::npos) << result->body;
    // Also where only the conversation knows it.
    const auto later = redacted(R"({"b":"Tr0ub4dor&3xyz it was"})", *o.keys, result->used);
    ASSERT_TRUE(later);
    EXPECT_EQ(later->body.find("Tr0ub4dor"), std::string::npos) << later->body;
    EXPECT_TRUE(later->fresh.empty());
}

// A value that was found once is found again within words, in other letters, escaped, coded and parted.
TEST(Redaction, takes_a_value_out_however_it_stands_elsewhere) {
    Opened o;
    for (const auto& [found, again] : std::vector<std::pair<std::string, std::string>>{
             {kCard, "x4111111111111111y"},
             {kCard, "x" + kCard + "y"},
             {kCard, "no4111-1111-1111-1111no"},
             {kCard, "x4111_1111_1111_1111y"},
             {kCard, "94111111111111111"},
             {kIban, "xDE89370400440532013000y"},
             {kIban, "xde89 3704 0044 0532 0130 00y"},
             {"jane.doe@example.org", "xjane.doe@example.orgy"},
             {"password: Tr0ub4dor3xyz", "xTr0ub4dor3xyzy"},
             {"password: Tr0ub4dor3xyz", "TR0UB4DOR3XYZ"},
             {"password: Tr0ub4dor3xyz", "xTr0ub4dor\\u0033xyzy"},
             {"password: Tr0ub4dor3xyz", "xTr0ub4dor&#0051;xyzy"},
             {"password: Tr0ub4dor3xyz", "Tr0ub4\u200Bdor3xyz"},
             {"password: Tr0ub4dor3xyz", "VHIwdWI0ZG9yM3h5eg=="},
             {"password: Tr0ub4dor3xyz", "547230756234646f723378797a"},
         }) {
        for (const std::string& body :
             {R"({"a":)" + json::quoted(found) + R"(,"b":)" + json::quoted("see " + again + " there") + "}",
              R"({"b":)" + json::quoted("see " + again + " there") + R"(,"a":)" + json::quoted("it is " + found) + "}",
              R"({"a":)" + json::quoted(found + " and " + again) + "}",
              R"({"a":)" + json::quoted(found) + R"(,"arguments":)" +
                  json::quoted(R"({"b":)" + json::quoted(again) + "}") + "}"}) {
            const auto result = redacted(body, *o.keys);
            ASSERT_TRUE(result) << body << result.error().message;
            EXPECT_EQ(result->body.find(again), std::string::npos) << result->body;
            for (const auto* piece : {"1111", "3704", "jane.doe", "Tr0ub", "TR0UB", "3xyz", "VHIw"})
                EXPECT_EQ(result->body.find(piece), std::string::npos) << result->body;
            // What was put in comes back as what it was; the same number has one name, however it is parted, and an
            // account in small letters too.
            auto bare = [&](std::string text) {
                std::erase_if(text, [](unsigned char c) { return std::isalnum(c) == 0; });
                if (found == kIban)
                    std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
                return text;
            };
            const auto stands = std::make_shared<const Stands>(result->used);
            json::Document before, after;
            ASSERT_TRUE(before.parse(body));
            ASSERT_TRUE(after.parse(restored(stands, result->body, true)));
            EXPECT_EQ(bare(all_text(before)), bare(all_text(after))) << result->body;
        }
    }
}

TEST(Redaction, of_a_short_value_leaves_words_and_numbers_that_hold_it) {
    Opened o;
    const std::vector<StandIn> known = {{"PERSON", 1, "<PERSON_1>", "Anna"},
                                        {"US_BANK_NUMBER", 1, "<US_BANK_NUMBER_1>", "1234"}};
    const auto result = redacted(R"({"a":"Anna, Annabel and Hanna saw 1234 of 12345 in anna"})", *o.keys, known);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->body, R"({"a":"<PERSON_1>, Annabel and Hanna saw <US_BANK_NUMBER_1> of 12345 in anna"})");
}

TEST(Redaction, leaves_nothing_of_values_that_overlap_or_begin_alike) {
    Opened o;
    const std::vector<StandIn> known = {{"CREDENTIAL", 1, "<CREDENTIAL_1>", "abc123def"},
                                        {"CREDENTIAL", 2, "<CREDENTIAL_2>", "abc123def456"},
                                        {"CREDENTIAL", 3, "<CREDENTIAL_3>", "def456ghi7"}};
    const auto result = redacted(R"({"a":"xabc123def456ghi7y abc123def456 abc123def"})", *o.keys, known);
    ASSERT_TRUE(result);
    for (const auto* piece : {"abc123", "def", "456", "ghi7"})
        EXPECT_EQ(result->body.find(piece), std::string::npos) << result->body;
}

TEST(Redaction, keeps_a_request_home_whose_names_hold_a_value) {
    Opened o;
    for (const auto& body : std::vector<std::string>{
             R"({"a":"password: Tr0ub4dor3xyz","b":{"xTr0ub4dor3xyzy":1}})",
             R"({"a":"password: Tr0ub4dor3xyz","tools":[{"function":{"name":"Tr0ub4dor3xyz","parameters":{}}}]})",
             R"({"a":"password: Tr0ub4dor3xyz","messages":[{"role":"user","name":"xTr0ub4dor3xyz","content":"hi"}]})",
             R"({"a":"password: Tr0ub4dor3xyz","b":"{\"xTr0ub4dor3xyzy\":1}"})",
         }) {
        const auto result = redacted(body, *o.keys);
        ASSERT_FALSE(result) << result->body;
        EXPECT_EQ(result.error().code, ErrorCode::policy);
    }
}

TEST(Redaction, two_ways_to_write_a_value_have_one_name) {
    Opened o;
    const auto result =
        redacted(R"({"a":"4111 1111 1111 1111 and 4111-1111-1111-1111 and 4111111111111111"})", *o.keys);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->body, R"({"a":"<CREDIT_CARD_1> and <CREDIT_CARD_1> and <CREDIT_CARD_1>"})");
}

TEST(Redaction, gives_no_name_that_another_value_or_the_text_has) {
    Opened o;
    const std::vector<StandIn> known = {{"CREDIT_CARD", 1, "<CREDIT_CARD_1>", "5555 5555 5555 4444"},
                                        {"CREDIT_CARD", 1, "<CREDIT_CARD_1>", kCard}};  // two requests at once
    for (const auto* typed : {"", "<CREDIT_CARD_2>", "credit card 2", "CREDIT_CARD-2"}) {
        const auto result = redacted(R"({"a":"5555 5555 5555 4444 and )" + kCard + " " + typed + "\"}", *o.keys, known);
        ASSERT_TRUE(result);
        ASSERT_EQ(result->used.size(), 2U);
        EXPECT_NE(result->used[0].text, result->used[1].text);
        for (const auto& used : result->used)
            if (*typed != 0) EXPECT_NE(used.number, 2) << typed;
    }
}

TEST(Redaction, fails_where_a_value_cannot_be_taken_out) {
    Opened o;
    EXPECT_FALSE(redacted("{\"" + kIban + "\":1}", *o.keys));
    struct Broken final : Detector {
        Result<std::vector<Finding>> scan(std::string_view, bool) override { return fail(ErrorCode::internal, "x"); }
    } broken;
    json::Document document;
    ASSERT_TRUE(document.parse("{}"));
    EXPECT_FALSE(redact(document, broken, {{}, kRedact, false}, {}, *o.keys));
}

TEST(StandIns, that_are_realistic_pass_the_checks_of_what_they_stand_for) {
    Opened o;
    const std::map<std::string, std::string> values = {
        {"CREDIT_CARD", kCard}, {"IBAN_CODE", kIban}, {"PHONE_NUMBER", "+49 30 901820"}, {"EMAIL_ADDRESS", "a@b.org"}};
    for (int i = 0; i < 200; ++i)
        for (const auto& [type, value] : values) {
            const auto made = realistic(*o.keys, type, value, std::to_string(i));
            ASSERT_FALSE(made.empty()) << type;
            EXPECT_NE(made, value);
            if (type == "PHONE_NUMBER") continue;  // not each is in a range that is in use, on purpose
            const auto found = detector().scan(made, false);
            ASSERT_TRUE(found);
            EXPECT_TRUE(std::ranges::any_of(*found, [&](const Finding& f) { return f.type == type; })) << type << made;
        }
}

// ---- putting back ----

std::shared_ptr<const Stands> stands() {
    static const std::vector<StandIn> used = {{"PERSON", 1, "<PERSON_1>", "Anna \"Jo\" Schmidt"},
                                              {"PERSON", 12, "<PERSON_12>", "Li"},
                                              {"IBAN_CODE", 1, "<IBAN_CODE_1>", kIban},
                                              {"CREDIT_CARD", 1, "4000 0012 3456 7899", kCard},
                                              {"PERSON", 3, "Robin Falk", "Grace Hopper"}};
    static const auto made = std::make_shared<const Stands>(used);
    return made;
}

struct Said {
    const char* model;
    const char* client;
};

constexpr Said kSaid[] = {
    {"<PERSON_1> came", "Anna \"Jo\" Schmidt came"},
    {"<PERSON_12>, <PERSON_1>", "Li, Anna \"Jo\" Schmidt"},
    {"**<PERSON_12>**", "**Li**"},
    {"'<person_12>'s", "'Li's"},
    {"<Person_12's> house", "Li's house"},
    {"<PERSON_12s>", "Lis"},
    {"< PERSON_12 >", "Li"},
    {"<PERSON 12>", "Li"},
    {"&lt;PERSON_12&gt;", "Li"},
    {"[PERSON_12]", "Li"},
    {"{PERSON_12}", "Li"},
    {"PERSON_12 and person 12.", "Li and Li."},
    {"PERSON\\_12", "Li"},
    {"<PERSON_12", "Li"},
    {"<IBAN-CODE-1>", "DE89 3704 0044 0532 0130 00"},
    {"4000001234567899", "4111 1111 1111 1111"},
    {"4000-0012-3456-7899!", "4111 1111 1111 1111!"},
    {"ROBIN FALK", "Grace Hopper"},
    {"Robin Falk's", "Grace Hopper's"},
    // What is none stays as it is.
    {"<PERSON_2> <PERSON_120> <PERSON_>", "<PERSON_2> <PERSON_120> <PERSON_>"},
    {"a < b && c > d", "a < b && c > d"},
    {"XPERSON_1 personal", "XPERSON_1 personal"},
    {"<b>bold</b> <per", "<b>bold</b> <per"},
    {"\\ \\u003 [x] (y)", "\\ \\u003 [x] (y)"},
    {"40000012345678991", "40000012345678991"},
    {"<PERSON_12><PERSON_12>", "LiLi"},
};

TEST(Restoring, takes_what_models_make_of_a_placeholder) {
    for (const auto& [model, client] : kSaid) EXPECT_EQ(restored(stands(), model, false), client);
}

TEST(Restoring, escapes_what_stands_in_json_as_deep_as_it_stands) {
    EXPECT_EQ(restored(stands(), R"({"a":"<PERSON_1>"})", true), R"({"a":"Anna \"Jo\" Schmidt"})");
    EXPECT_EQ(restored(stands(), R"({"a":"\u003cPERSON_1\u003E"})", true), R"({"a":"Anna \"Jo\" Schmidt"})");
    EXPECT_EQ(restored(stands(), R"({"a":"{\"b\":\"<PERSON_1>\"}"})", true),
              R"({"a":"{\"b\":\"Anna \\\"Jo\\\" Schmidt\"}"})");
    EXPECT_EQ(restored(stands(), R"({"a":"he said \"hi\" to <PERSON_1>"})", true),
              R"({"a":"he said \"hi\" to Anna \"Jo\" Schmidt"})");
}

TEST(Restoring, gives_the_same_however_the_stream_is_cut) {
    for (const auto& [model, client] : kSaid) {
        const std::string text = std::string("x ") + model + " y";
        for (const bool json : {false, true}) {
            const auto whole = restored(stands(), text, json);
            for (std::size_t a = 0; a <= text.size(); ++a)
                for (std::size_t b = a; b <= text.size(); ++b) {
                    Restorer restorer(stands(), json);
                    auto out = restorer.take(std::string_view(text).substr(0, a));
                    out += restorer.take(std::string_view(text).substr(a, b - a));
                    out += restorer.take(std::string_view(text).substr(b));
                    out += restorer.end();
                    ASSERT_EQ(out, whole) << model << " cut at " << a << " and " << b;
                }
            Restorer restorer(stands(), json);
            std::string out;
            for (const char c : text) out += restorer.take({&c, 1});
            ASSERT_EQ(out + restorer.end(), whole);
        }
    }
}

TEST(Restoring, random_text_is_the_same_in_any_pieces) {
    std::mt19937 random(6);
    constexpr std::string_view kAlphabet[] = {
        "<", ">", "PERSON", "_",    "1",     "2",     " ",    "person", "&lt;", "&gt;", "\\",    "u003c", "[",
        "]", "x", "\"",     "4000", "0012 ", "3456-", "7899", "IBAN",   "CODE", "-",    "Robin", " Falk", "'s"};
    for (int round = 0; round < 20'000; ++round) {
        std::string text;
        for (std::size_t n = random() % 24; n > 0; --n) text += kAlphabet[random() % std::size(kAlphabet)];
        const bool json = random() % 2 == 0;
        const auto whole = restored(stands(), text, json);
        Restorer restorer(stands(), json);
        std::string out;
        for (std::size_t at = 0; at < text.size();) {
            const auto size = 1 + random() % 7;
            out += restorer.take(std::string_view(text).substr(at, size));
            at += size;
        }
        ASSERT_EQ(out + restorer.end(), whole) << text;
    }
}

TEST(Restoring, holds_back_only_what_could_be_a_head) {
    Restorer restorer(stands(), false);
    EXPECT_EQ(restorer.take("Dear <PER"), "Dear ");
    EXPECT_EQ(restorer.take("SON_12"), "");
    EXPECT_EQ(restorer.take(">, welcome"), "Li, welcome");
    EXPECT_EQ(restorer.take(" to a < b"), " to a < b");
}

TEST(Restoring, keeps_the_order_of_events) {
    auto filter = restore_filter(stands());
    std::vector<chat::Event> out;
    filter->take(chat::ReasoningDelta{0, "I think of <PERS"}, out);
    filter->take(chat::ReasoningDelta{0, "ON_12"}, out);
    filter->take(chat::TextDelta{0, "It is <PERSON_12"}, out);
    filter->take(chat::ToolCallDelta{0, 0, "c", "f", "{\"a\":\"<PERSON", false}, out);
    filter->take(chat::ToolCallDelta{0, 0, "", "", "_1>\"}", false}, out);
    filter->take(chat::Finished{}, out);
    filter->end(out);
    std::string said;
    for (const auto& event : out) {
        if (const auto* t = std::get_if<chat::ReasoningDelta>(&event)) said += "r:" + t->text + "|";
        if (const auto* t = std::get_if<chat::TextDelta>(&event)) said += "t:" + t->text + "|";
        if (const auto* t = std::get_if<chat::ToolCallDelta>(&event)) said += "c:" + t->arguments + "|";
        if (std::holds_alternative<chat::Finished>(event)) said += "end";
    }
    EXPECT_EQ(said, "r:I think of |r:Li|t:It is |t:Li|c:{\"a\":\"|c:Anna \\\"Jo\\\" Schmidt\"}|end");
}

// ---- the guard ----

std::string guarded(const std::vector<config::AnswerRule>& rules, const std::vector<std::string>& pieces,
                    const std::string& asked = "") {
    const config::Detection detection;
    auto guard = guard_filter(detector(), detection, rules, [&] { return asked; });
    std::vector<chat::Event> out;
    for (const auto& piece : pieces) guard->take(chat::TextDelta{0, piece}, out);
    guard->take(chat::Finished{}, out);
    guard->end(out);
    std::string said;
    for (const auto& event : out) {
        if (const auto* t = std::get_if<chat::TextDelta>(&event)) said += t->text;
        if (std::holds_alternative<chat::Failed>(event)) said += "STOPPED";
    }
    return said;
}

TEST(Guard, finds_a_value_however_the_stream_is_cut) {
    const config::AnswerRule mask_private{std::nullopt, false, Label::private_, config::AnswerRule::Do::mask};
    const std::string filler(300, 'x');
    const std::string text = filler + " the account " + kIban + " is not yours. " + filler;
    const auto wanted = filler + " the account [IBAN_CODE] is not yours. " + filler;
    for (std::size_t size = 1; size < 90; ++size) {
        std::vector<std::string> pieces;
        for (std::size_t at = 0; at < text.size(); at += size) pieces.push_back(text.substr(at, size));
        ASSERT_EQ(guarded({mask_private}, pieces), wanted) << size;
    }
    // What the request held is no news.
    EXPECT_EQ(guarded({mask_private}, {text}, "mine is " + kIban), text);
}

TEST(Guard, stops_at_what_must_not_be_said) {
    const config::AnswerRule stop{std::nullopt, false, Label::private_, config::AnswerRule::Do::stop};
    EXPECT_EQ(guarded({stop}, {"it is " + kIban}), "STOPPED");
    EXPECT_EQ(guarded({stop}, {"it is fine"}), "it is fine");
}

TEST(Guard, of_calls_leaves_text_alone) {
    const config::AnswerRule stop{std::nullopt, true, Label::private_, config::AnswerRule::Do::stop};
    EXPECT_EQ(guarded({stop}, {"it is " + kIban}), "it is " + kIban);
    const config::Detection detection;
    auto guard = guard_filter(detector(), detection, {stop}, [] { return std::string(); });
    std::vector<chat::Event> out;
    guard->take(chat::ToolCallDelta{0, 0, "c", "send", "{\"to\":\"DE89 3704 0044", false}, out);
    guard->take(chat::ToolCallDelta{0, 0, "", "", " 0532 0130 00\"}", false}, out);
    EXPECT_TRUE(out.empty());
    guard->take(chat::Finished{}, out);
    ASSERT_EQ(out.size(), 1U);
    EXPECT_TRUE(std::holds_alternative<chat::Failed>(out[0]));
}

TEST(Guard, looks_at_refusals_and_at_names_and_ids_of_calls) {
    const config::AnswerRule mask{std::nullopt, false, Label::private_, config::AnswerRule::Do::mask};
    const config::Detection detection;
    auto guard = guard_filter(detector(), detection, {mask}, [] { return std::string(); });
    std::vector<chat::Event> out;
    guard->take(chat::RefusalDelta{0, "I cannot pay from DE89 3704 "}, out);
    guard->take(chat::RefusalDelta{0, "0044 0532 0130 00, sorry."}, out);
    guard->take(chat::ToolCallDelta{0, 0, "id DE89370400440532013000", "f", "{}", false}, out);
    guard->take(chat::ToolCallDelta{0, 1, "c", "to DE89370400440532013000", "{}", false}, out);
    guard->take(chat::Logprobs{0, {R"({"content":[{"token":"DE89 3704 0044 0532 0130 00"}]})"}}, out);
    guard->take(chat::Finished{}, out);
    guard->end(out);
    std::string said;
    for (const auto& event : out) {
        if (const auto* t = std::get_if<chat::RefusalDelta>(&event)) said += t->text;
        if (const auto* c = std::get_if<chat::ToolCallDelta>(&event))
            said += "|" + c->id + "|" + c->name + c->arguments;
        if (const auto* l = std::get_if<chat::Logprobs>(&event)) said += l->json.json;
    }
    EXPECT_EQ(said, "I cannot pay from [IBAN_CODE], sorry.|id [IBAN_CODE]|f{}|c|to [IBAN_CODE]{}");
}

TEST(Guard, lets_a_signed_list_of_thoughts_through_as_it_is_or_not_at_all) {
    const config::AnswerRule mask{std::nullopt, false, Label::private_, config::AnswerRule::Do::mask};
    const config::Detection detection;
    for (const auto& [thought, passes] :
         {std::pair("I think.", true), {"I think of DE89 3704 0044 0532 0130 00.", false}}) {
        auto guard = guard_filter(detector(), detection, {mask}, [] { return std::string(); });
        std::vector<chat::Event> out;
        const auto list = std::string(R"(reasoning_details:[{"text":")") + thought + R"(","signature":"c2ln"}])";
        guard->take(chat::ReasoningEnd{0, list, false}, out);
        ASSERT_EQ(out.size(), 1U);
        EXPECT_EQ(std::get<chat::ReasoningEnd>(out[0]).signature, passes ? list : "");
    }
}

TEST(Scrubbing, leaves_nothing_of_a_value) {
    EXPECT_EQ(scrubbed(detector(), {}, "invalid: " + kIban + "!"), "invalid: [IBAN_CODE]!");
}

// ---- keys and vault ----

TEST(Vault, is_sealed_bound_to_its_conversation_and_gone_in_time) {
    test::Folder folder;
    test::ManualClock clock;
    const store::Migration migrations[] = {{kVaultSchema}};
    auto store = std::move(*store::Store::open(folder.path / "db", migrations, store::Durability::process));
    auto open = [&](std::string_view key) { return Vault(std::move(*Keys::open(folder.path, key)), "", clock); };
    auto vault = open("");
    const auto scope = *vault.scope_of("alice", "c1");
    const StandIn entry{"PERSON", 1, "<PERSON_1>", "Anna"};
    ASSERT_TRUE(store->run(vault.keep(scope, {entry}, seconds(60))));
    EXPECT_EQ(*vault.entries(scope), std::vector{entry});
    EXPECT_TRUE(vault.entries(*vault.scope_of("alice", "c2"))->empty());
    EXPECT_TRUE(vault.entries(*vault.scope_of("bob", "c1"))->empty());
    auto again = open("");
    ASSERT_TRUE(again.load(*store));
    EXPECT_EQ(*again.entries(scope), std::vector{entry});
    // Moved to another conversation, it does not open.
    ASSERT_TRUE(store->run([&](store::Database& database) {
        const auto other = *vault.scope_of("bob", "c1");
        return database.prepare("UPDATE vault SET scope = ?")
            .bind_blob(1, {reinterpret_cast<const char*>(other.data()), other.size()})
            .run();
    }));
    auto moved = open("");
    ASSERT_TRUE(moved.load(*store));
    EXPECT_FALSE(moved.entries(*moved.scope_of("bob", "c1")));
    clock.now += seconds(61);
    EXPECT_TRUE(again.entries(scope)->empty());
}

TEST(Vault, without_its_key_is_locked_and_says_so) {
    test::Folder folder;
    test::ManualClock clock;
    Vault locked(nullptr, "no key", clock);
    EXPECT_FALSE(locked.scope_of("alice", "c1"));
    EXPECT_FALSE(locked.entries({}));
    (void)Keys::open(folder.path, "");
    test::write_file(folder.path / "privacy.key", "garbage");
    EXPECT_FALSE(Keys::open(folder.path, ""));
}

// ---- the owner's own ----

config::OwnRule named(std::string name) {
    config::OwnRule rule;
    rule.name = std::move(name);
    return rule;
}

std::vector<std::string> found_of(const config::OwnRule& rule, std::string_view text) {
    const auto made = make_detector({rule});
    EXPECT_TRUE(made) << made.error().message;
    std::vector<std::string> found;
    for (const auto& f : *(*made)->scan(text, false))
        if (f.category == config::Category::own) found.emplace_back(text.substr(f.begin, f.end - f.begin));
    std::ranges::sort(found);
    found.erase(std::ranges::unique(found).begin(), found.end());
    return found;
}

using Texts = std::vector<std::string>;

TEST(Own, words_are_found_whole_and_in_any_case) {
    auto rule = named("project");
    rule.words = {"Falcon", "M\u00fcller", "\u5317\u4eac"};
    EXPECT_EQ(found_of(rule, "The falcon and FALCONS of M\u00dcLLER in \u5317\u4eac\u5e02"),
              (Texts{"M\u00dcLLER", "falcon", "\u5317\u4eac"}));
    EXPECT_EQ(found_of(rule,
                       "f\xE2\x80\x8B"
                       "alcon"),
              (Texts{"f\xE2\x80\x8B"
                     "alcon"}));  // with a zero-width space
}

TEST(Own, patterns_paths_and_errors) {
    auto ticket = named("ticket");
    ticket.pattern = "ACME-[0-9]{6}";
    EXPECT_EQ(found_of(ticket, "see ACME-123456."), (Texts{"ACME-123456"}));
    auto paths = named("clients");
    paths.paths = {"/home/u/clients/**", "*.pem"};
    EXPECT_EQ(found_of(paths, "open \"/home/u/clients/a/b.txt\" and key.pem, not /home/u/other or x.pembroke"),
              (Texts{"/home/u/clients/a/b.txt", "key.pem"}));
    auto bad = named("bad");
    bad.pattern = "([";
    const auto wrong = make_detector({bad});
    ASSERT_FALSE(wrong);
    EXPECT_NE(wrong.error().message.find("privacy.own.bad"), std::string::npos);
}

TEST(Own, secrets_are_found_however_they_are_encoded) {
    const std::string value = "hunter2-The Value!";
    auto rule = named("env");
    rule.label = Label::secret;
    rule.secrets.push_back(std::make_shared<const Secret>(value));
    const std::string hex = "68756e746572322d5468652056616c756521";
    for (const auto& text :
         std::vector<std::string>{"it is " + value, "it is hunter2-The%20Value%21", "x" + hex + "y",
                                  "aHVudGVyMi1UaGUgVmFsdWUh",          // base64
                                  "dXNlcjpodW50ZXIyLVRoZSBWYWx1ZSE=",  // base64 of "user:" and the value
                                  "QUJodW50ZXIyLVRoZSBWYWx1ZSFDRA==",  // between others
                                  "YUhWdWRHVnlNaTFVYUdVZ1ZtRnNkV1Vo",  // base64 of base64
                                  "hunter2-The\\u0020Value!", "hunter2-The&#32;Value!"})
        EXPECT_FALSE(found_of(rule, text).empty()) << text;
    EXPECT_TRUE(found_of(rule, "hunter2-The Values").empty());
}

}  // namespace
}  // namespace tandem::privacy
