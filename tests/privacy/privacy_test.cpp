#include "privacy/privacy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <future>

#include "base/hash.h"
#include "privacy/disguise.h"
#include "privacy/egress.h"
#include "privacy/keys.h"
#include "privacy/patterns/patterns.h"
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
    const auto findings = detector().scan(text, false);
    return findings && std::ranges::any_of(*findings, [&](const Finding& f) { return f.detector == id; });
}

Label label_of_body(std::string_view body) {
    json::Document document;
    EXPECT_TRUE(document.parse(body)) << body;
    Labelled labelled;
    label_by_content(detector(), document, {}, labelled);
    return labelled.label;
}

// Writes out the {36} of the examples; see patterns/credentials.cpp.
std::string expand(std::string_view example) {
    static constexpr std::string_view kAll = "kV7mXq2RtL9cZs4WnB8yHd3GfJ6pTgQ5xMvK1wNzCrDbPhFsY0ajEuSiAeOoUlI";
    std::string out;
    std::size_t next = 7;
    for (std::size_t i = 0; i < example.size(); ++i) {
        std::size_t count = 0, at = i + 1;
        while (example[i] == '{' && at < example.size() && example[at] >= '0' && example[at] <= '9')
            count = count * 10 + static_cast<std::size_t>(example[at++] - '0');
        const char kind = count > 0 && at < example.size() && example[at] != '}' ? example[at++] : '}';
        if (count == 0 || at >= example.size() || example[at] != '}') {
            out += example[i];
            continue;
        }
        i = at;
        while (count > 0) {
            char c = kAll[next = (next * 29 + 11) % kAll.size()];
            next += count;
            if (kind == 'h') c = "0123456789abcdef"[static_cast<std::size_t>(c) * 7 % 16];
            if (kind == 'd') c = static_cast<char>('0' + c % 10);
            if (kind == 'u') c = static_cast<char>(std::toupper(c));
            if (kind == 'u' && (c == '0' || c == '1' || c == '8' || c == '9')) c = 'Q';
            if (kind == 'k') c = static_cast<char>(std::tolower(c));
            if (kind == 'l' && std::isdigit(c)) c = 'w';
            out += c;
            --count;
        }
    }
    return out;
}

TEST(Detectors, find_their_examples_and_nothing_in_what_looks_alike) {
    for (const auto& pattern : patterns()) {
        const auto id = pattern.kind.id;
        const auto match = expand(pattern.match), other = expand(pattern.no_match);
        EXPECT_TRUE(finds(id, match)) << id << " in " << match;
        EXPECT_FALSE(finds(id, other)) << id << " in " << other;
        EXPECT_TRUE(finds(id, "some text before, " + match + " and after")) << id << " in " << match;
    }
}

TEST(Detectors, say_where_it_begins_and_ends) {
    struct Case {
        std::string_view before, found, after, type;
    };
    for (const auto& c : std::initializer_list<Case>{
             {"mail ", "jane.doe@example.org", ", please", "EMAIL_ADDRESS"},
             {"pay with ", "4111 1111 1111 1111", " today", "CREDIT_CARD"},
             {"IBAN: ", "DE89 3704 0044 0532 0130 00", ".", "IBAN_CODE"},
             {"call ", "+49 171 1234567", " now", "PHONE_NUMBER"},
             {"call me at ", "(212) 555-0198", ".", "PHONE_NUMBER"},
             {"ssn ", "536-22-1847", " ok", "US_SSN"},
             {"CPF ", "529.982.247-25", "", "BR_CPF"},
             {"PESEL ", "44051401359", "", "PL_PESEL"},
             {"num\u00e9ro ", "2 55 08 14 168 025 38", "", "FR_NIR"},
             {"Steuer-ID ", "86095742719", "", "DE_TAX_ID"},
             {"Aadhaar ", "2341 2341 2346", "", "IN_AADHAAR"},
             {"BSN ", "111222333", "", "NL_BSN"},
             {"NHS number ", "943 476 5919", "", "UK_NHS"},
             {"from ", "192.168.17.4", " today", "IP_ADDRESS"},
             {"born on ", "12/03/1980", ".", "DATE_TIME"},
             {"lives at ", "12 Old Mill Road, Springfield, IL 62704", ".", "LOCATION"},
             {"wohnt ",
              "Lindenstra\xC3\x9F"
              "e 12a, 10969 Berlin",
              "", "LOCATION"},
             {"export TOKEN=", "ghp_kV7mXq2RtL9cZs4WnB8yHd3GfJ6pTgQ5xMvK", "\n", "CREDENTIAL"},
         }) {
        const auto text = std::string(c.before) + std::string(c.found) + std::string(c.after);
        const auto findings = resolve(*detector().scan(text, false));
        const auto found = std::ranges::find(findings, c.type, &Finding::type);
        ASSERT_NE(found, findings.end()) << text;
        EXPECT_EQ(text.substr(found->begin, found->end - found->begin), c.found) << text;
    }
}

TEST(Detectors, are_not_evaded_by_disguises) {
    for (const auto* text :
         {"4111 1111 1111\xE2\x80\x8B 1111", "\xEF\xBC\x94\xEF\xBC\x91\xEF\xBC\x91\xEF\xBC\x91 1111 1111 1111",
          "4111&#32;1111&#x20;1111&nbsp;1111", "4111%201111%201111%201111", "\\u0034111 1111 1111 1111",
          "4111\xC2\xA0"
          "1111-1111-1111",
          "4111\xE2\x80\x91"
          "1111\xE2\x80\x91"
          "1111\xE2\x80\x91"
          "1111",
          "\xE2\x80\xAE"
          "4111111111111111\xE2\x80\xAC",
          "card NDExMSAxMTExIDExMTEgMTExMQ== here", "data:text/plain;base64,TXkgY2FyZCBpcyA0MTExIDExMTEgMTExMSAxMTEx",
          "VFhrZ1kyRnlaQ0JwY3lBME1URXhJREV4TVRFZ01URXhNU0F4TVRFeA==", "34313131203131313120313131312031313131",
          "\xD9\xA4\xD9\xA1\xD9\xA1\xD9\xA1 1111 1111 1111"})
        EXPECT_TRUE(finds("card", text)) << text;
    for (const auto* text :
         {"jane&#64;example.org", "jane%40example.org", "jane [at] example [dot] org", "j\xD0\xB0ne@ex\xD0\xB0mple.org",
          "jane\xEF\xBC\xA0"
          "example.org"})
        EXPECT_TRUE(finds("email", text)) << text;
    EXPECT_TRUE(finds("github-token", "ghp_kV7mXq2RtL9c\xE2\x80\x8DZs4WnB8yHd3GfJ6pTgQ5xMvK"));
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
        const auto findings = detector().scan(text, false);
        ASSERT_TRUE(findings);
        EXPECT_TRUE(findings->empty()) << text << ": " << findings->front().detector;
    }
}

TEST(Detectors, find_passwords_told_in_plain_words) {
    for (const auto* text :
         {"my password is hunter2", "My password is hunter2.", "the password for the server is now: hunter2!",
          "Das Passwort lautet Sommer2024", "mein Passwort f\u00fcr das WLAN ist jetzt \"geheim\"",
          "Mon mot de passe est soleil99", "mon mot de passe pour le wifi c'est soleil99",
          "mi contrase\u00f1a es luna#llena", "la contrasena de la red es luna2020", "minha senha \u00e9 gato7preto",
          "la mia password \u00e8 'gattonero'", "la parola d'ordine era gatto77nero", "mijn wachtwoord is kaas4ever",
          "Moje has\u0142o to kot77pies", "the pass phrase is \"correct horse battery staple\"", "passcode is 48151623",
          "the password is **hunter2**", "the password will be h%nter", "password is `abcd`"})
        EXPECT_TRUE(finds("told-password", text)) << text;
    EXPECT_EQ(label_of_body(R"({"messages":[{"content":"my password is hunter2"}]})"), Label::secret);
    EXPECT_EQ(label_of_body(R"({"messages":[{"content":"he said \"my password is \\\"hunter2\\\"\" once"}]})"),
              Label::secret);
}

TEST(Detectors, take_no_sentence_about_a_password_for_one) {
    for (const auto* text : {"my password is wrong",
                             "my password is not working",
                             "the password is too short",
                             "my password is reset",
                             "The password is 12 characters long",
                             "the password is 8-character",
                             "my password is 'incorrect'",
                             "the password is SHA256 hashed",
                             "the password is 2FA protected",
                             "the password is case-sensitive",
                             "the password field is input2",
                             "the password hash is 5f4dcc3b5aa7",
                             "the password manager is KeePass2",
                             "the default password is admin123",
                             "my password is ${DB_PASSWORD}",
                             "my password is <CREDENTIAL_1>",
                             "my password is *****",
                             "the password is stored in vault2.yaml",
                             "a password is required",
                             "Das Passwort ist falsch",
                             "mein Passwort ist zu kurz",
                             "mon mot de passe est incorrect",
                             "mi contrase\u00f1a es incorrecta",
                             "minha senha \u00e9 fraca",
                             "la password \u00e8 errata",
                             "mijn wachtwoord is verlopen",
                             "passwords is hunter2",
                             "the password is version2.1",
                             "password is sent 3 times"})
        EXPECT_FALSE(finds("told-password", text)) << text;
}

TEST(Detectors, leave_mailboxes_that_nobody_reads_alone) {
    for (const auto* text : {"Co-Authored-By: Claude <noreply@anthropic.com>", "from no-reply@accounts.example.org",
                             "do_not_reply@shop.example.org"})
        EXPECT_FALSE(finds("email", text)) << text;
    EXPECT_TRUE(finds("email", "noreply.jane@navy-example.org"));
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
    // A value that is cut in two: between parts, between messages, in single characters.
    EXPECT_EQ(
        label_of_body(
            R"({"messages":[{"role":"user","content":[{"type":"text","text":"my card 4111 1111 "},{"type":"text","text":"1111 1111"}]}]})"),
        Label::private_);
    EXPECT_EQ(
        label_of_body(R"({"messages":[{"role":"user","content":"4111 11"},{"role":"user","content":"11 1111 1111"}]})"),
        Label::private_);
    EXPECT_EQ(label_of_body(R"({"x":["4","1","1","1","1","1","1","1","1","1","1","1","1","1","1","1"]})"),
              Label::private_);
}

TEST(Labelling, says_each_reason_once) {
    json::Document document;
    ASSERT_TRUE(document.parse(R"({"a":"4111 1111 1111 1111","b":"and 5555 5555 5555 4444"})"));
    Labelled labelled;
    label_by_content(detector(), document, {}, labelled);
    EXPECT_EQ(labelled.reasons, std::vector<std::string>{"detector card: private"});
}

TEST(Labelling, fails_closed_when_a_detector_fails) {
    struct Broken final : Detector {
        bool throws = false;
        Result<std::vector<Finding>> scan(std::string_view, bool) override {
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
    Vault vault{nullptr, "no key", clock};
    Opened() { store = std::move(*store::Store::open(folder.path / "db", migrations(), store::Durability::process)); }
    static std::span<const store::Migration> migrations() {
        static const std::string sql = std::string(kEgressSchema) + kLabelSchema + kEgressSchema2 + kLabelSchema2 +
                                       kVaultSchema + kEgressSchema3 + kLabelSchema3;
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
    return {DecisionId::from_text("dec_1"), "p", "m", zone, clearance, label, "rule", "the body", "chat"};
}

TEST(Clearance, is_given_only_up_to_the_clearance_of_the_provider) {
    Opened o;
    Privacy privacy(*o.store, o.vault, o.clock);
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
    Privacy privacy(*o.store, o.vault, o.clock);
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
        Privacy privacy(*o.store, o.vault, o.clock);
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

Known remembered(const LabelMemory& memory, std::vector<std::string> texts, std::string_view id = "") {
    return memory.recall(identify(conversation(std::move(texts)), id), "").known;
}

Known recalled_of(const LabelMemory& memory, std::vector<std::string> texts, const std::string& key) {
    const auto recalled = memory.recall(identify(conversation(std::move(texts)), ""), key);
    return {higher(recalled.known.label, recalled.floor.label), higher(recalled.known.rest, recalled.floor.rest)};
}

constexpr Known kNothing{};
constexpr Known kPrivate{Label::private_, Label::private_};

TEST(LabelMemory, a_conversation_keeps_its_highest_label_across_turns_and_restarts) {
    Opened o;
    {
        LabelMemory memory;
        const auto first = identify(conversation({"my card is ..."}), "");
        EXPECT_EQ(memory.recall(first, "").known, kNothing);
        auto job = memory.remember(first, kPrivate, {});
        ASSERT_TRUE(job);
        ASSERT_TRUE(o.store->run(job));
        EXPECT_EQ(remembered(memory, {"my card is ...", "noted", "thanks"}), kPrivate);
        EXPECT_EQ(remembered(memory, {"another", "noted", "thanks"}), kNothing);
        // Lower labels change nothing and write nothing.
        EXPECT_FALSE(memory.remember(first, {Label::internal, Label::internal}, {}));
        EXPECT_FALSE(memory.remember(first, kNothing, {}));
        auto by_id = memory.remember(identify(conversation({"x"}), "c1"), {Label::secret, Label::public_}, {});
        ASSERT_TRUE(o.store->run(by_id));
    }
    LabelMemory again;
    ASSERT_TRUE(again.load(*o.store));
    EXPECT_EQ(remembered(again, {"my card is ...", "noted"}), kPrivate);
    EXPECT_EQ(remembered(again, {"something else entirely"}, "c1"), (Known{Label::secret, Label::public_}));
    EXPECT_EQ(remembered(again, {"something else entirely"}, "c2"), kNothing);
}

TEST(LabelMemory, knows_a_part_of_a_conversation_again) {
    const std::string question = "What does the report say about the patient in room four?";
    const std::string answer = "It says that he is to be kept for another night, and why.";
    LabelMemory memory;
    (void)memory.remember(identify(conversation({"hello", "hello", question}), ""), kPrivate, {});
    (void)memory.remember_answer(piece_of_answer(answer), 0, kPrivate, "", "");
    EXPECT_EQ(remembered(memory, {question}), kPrivate);
    EXPECT_EQ(remembered(memory, {"go on", answer}), kPrivate);
    EXPECT_EQ(remembered(memory, {"hello", "hello"}), kNothing);
}

TEST(LabelMemory, short_words_are_no_mark_of_a_new_conversation) {
    Opened o;
    LabelMemory memory;
    for (const auto* words : {"hi there", "yes", "continue", "thanks", "hi there \n\n\n          \t            "}) {
        const auto begun = identify(conversation({words}), "");
        ASSERT_TRUE(o.store->run(memory.remember(begun, kPrivate, {.key = "alice"})));
        if (auto job = memory.remember_short(begun, "Hello!", kPrivate, "alice")) ASSERT_TRUE(o.store->run(job));
    }
    EXPECT_FALSE(memory.remember_short(identify(conversation({"hi there"}), ""), "Good day.", kNothing, "alice"));
    LabelMemory again;
    ASSERT_TRUE(again.load(*o.store));
    for (auto* one : {&memory, &again})
        for (const auto* words : {"hi there", "yes", "continue", "thanks"}) {
            EXPECT_EQ(recalled_of(*one, {words}, "alice"), kNothing) << words;
            EXPECT_EQ(recalled_of(*one, {words, "Hello!", "and then?"}, "alice"), kPrivate) << words;
            // What the answer was is not known here, so that it may be the same conversation.
            EXPECT_EQ(recalled_of(*one, {words, "Another day.", "and then?"}, "alice"), kPrivate) << words;
            EXPECT_EQ(recalled_of(*one, {words, "Hello!", "and then?"}, "bob"), kNothing) << words;
        }
    EXPECT_EQ(recalled_of(memory, {"hi there", " Good  day.\n", "and then?"}, "alice"), kNothing);
    EXPECT_EQ(recalled_of(again, {"hi there", "Good day.", "and then?"}, "alice"), kPrivate);
}

TEST(LabelMemory, between_keys_only_a_document_is_known_again) {
    std::string document;
    for (int i = 0; content_bytes(document) < kShortestDocument; ++i)
        document += "Line " + std::to_string(i) + " of the report of the foundation.\n";
    const auto shorter = document.substr(0, kShortestDocument - 1);
    const auto padded = shorter + std::string(kShortestDocument, ' ');
    LabelMemory memory;
    for (const auto& text : {document, shorter, padded})
        (void)memory.remember(identify(conversation({text}), ""), kPrivate, {.key = "alice"});
    EXPECT_EQ(recalled_of(memory, {document}, "bob"), kPrivate);
    EXPECT_EQ(recalled_of(memory, {"look at this", "yes?", document}, "bob"), kPrivate);
    for (const auto& text : {shorter, padded}) {
        EXPECT_EQ(recalled_of(memory, {text}, "alice"), kPrivate);
        EXPECT_EQ(recalled_of(memory, {text}, "bob"), kNothing);
        EXPECT_EQ(recalled_of(memory, {text, "noted", "thanks"}, "bob"), kNothing);
    }
    // What a model said of it is known in an answer's place, unless the other key was told the same in public.
    const std::string answer = "An answer that only the house gave, about the tide tables of March";
    (void)memory.remember_answer(piece_of_answer(answer), 0, kPrivate, "alice", "");
    EXPECT_EQ(recalled_of(memory, {"what was it?", answer, "shorter"}, "bob"), kPrivate);
    EXPECT_EQ(recalled_of(memory, {answer}, "bob"), kNothing);
    Opened o;
    ASSERT_TRUE(
        o.store->run(memory.remember_answer(piece_of_answer(answer), 0, {Label::secret, Label::secret}, "alice", "")));
    ASSERT_TRUE(o.store->run(memory.remember_public_answer(answer, "bob")));
    LabelMemory again;
    ASSERT_TRUE(again.load(*o.store));
    for (auto* one : {&memory, &again}) {
        EXPECT_EQ(recalled_of(*one, {"what was it?", answer, "shorter"}, "bob"), kNothing);
        EXPECT_EQ(recalled_of(*one, {"what was it?", answer, "shorter"}, "carol").label, Label::secret);
    }
    EXPECT_EQ(memory.recall(identify(conversation({document}), ""), "bob").why, "a long text that was labelled before");
    EXPECT_EQ(memory.recall(identify(conversation({document}), ""), "alice").why, "this conversation before");
}

TEST(LabelMemory, what_was_public_before_is_no_mark_of_a_private_conversation) {
    const std::string command = "Please write a title of four words for this conversation.";
    LabelMemory memory;
    memory.note_public(identify(conversation({command}), ""), "");
    (void)memory.remember(identify(conversation({"my card is ...", "noted", command}), ""), kPrivate, {});
    EXPECT_EQ(remembered(memory, {command}), kNothing);
    EXPECT_EQ(remembered(memory, {"my card is ...", "noted", command}), kPrivate);
}

TEST(LabelMemory, a_release_holds_for_the_beginning_it_was_given_for) {
    const std::string later = "And now something else that is private all the same.";
    Opened o;
    LabelMemory memory;
    const auto whole = identify(conversation({"a long enough text to be remembered alone"}), "");
    ASSERT_TRUE(o.store->run(memory.remember(whole, kPrivate, {.decision = "dec_1"})));
    LabelledConversation named;
    ASSERT_TRUE(o.store->run([&](store::Database& database) -> Result<> {
        auto found = conversation_of(database, "dec_1");
        EXPECT_FALSE(conversation_of(database, "dec_2"));
        if (!found) return fail(found.error());
        named = *found;
        return {};
    }));
    auto job = memory.release(named, Label::public_);
    ASSERT_TRUE(job);
    ASSERT_TRUE(o.store->run(*job));
    LabelMemory again;
    ASSERT_TRUE(again.load(*o.store));
    for (auto* one : {&memory, &again}) {
        const auto recalled = one->recall(
            identify(conversation({"a long enough text to be remembered alone", "noted", "thanks"}), ""), "");
        EXPECT_EQ(recalled.known, kNothing);
        EXPECT_EQ(recalled.released.size(), 1U);
    }
    (void)memory.remember(identify(conversation({"a long enough text to be remembered alone", "noted", later}), ""),
                          kPrivate, {.decision = "dec_3"});
    EXPECT_EQ(remembered(memory, {"a long enough text to be remembered alone", "noted", later, "ok"}), kPrivate);
    EXPECT_EQ(remembered(memory, {"a long enough text to be remembered alone", "noted"}), kNothing);
}

std::vector<std::string> many(const std::string& of, int count) {
    std::vector<std::string> texts;
    for (int i = 0; i < count; ++i) texts.push_back(of + " says this for the time " + std::to_string(i) + ".");
    return texts;
}

TEST(LabelMemory, of_one_key_is_bounded_and_never_lets_go_of_what_was_private) {
    Opened o;
    LabelMemory memory;
    memory.set_quota(100);
    const auto run = [&](store::Store::Job job) {
        if (job) ASSERT_TRUE(o.store->run(std::move(job)));
    };
    const auto hers = many("She", 3), his = many("He of room four", 3);
    run(memory.remember(identify(conversation(his), ""), kPrivate, {.key = "bob"}));
    run(memory.remember(identify(conversation(hers), ""), {Label::secret, Label::public_}, {.key = "alice"}));
    for (int i = 0; i < 20; ++i)
        run(memory.remember(identify(conversation(many("Flood " + std::to_string(i), 40)), ""),
                            {Label::internal, Label::internal}, {.key = "alice"}));
    LabelMemory again;
    again.set_quota(100);
    ASSERT_TRUE(again.load(*o.store));
    for (auto* one : {&memory, &again}) {
        EXPECT_EQ(recalled_of(*one, hers, "alice").label, Label::secret);
        EXPECT_EQ(recalled_of(*one, {hers[2]}, "alice").label, Label::secret);
        EXPECT_EQ(recalled_of(*one, {his[2]}, "bob"), kPrivate);
        EXPECT_EQ(recalled_of(*one, {"something else that is long enough to be known"}, "bob"), kNothing);
        EXPECT_EQ(recalled_of(*one, {"something else that is long enough to be known"}, "alice").label, Label::secret);
    }
    ASSERT_TRUE(o.store->run([](store::Database& database) -> Result<> {
        const auto keys = memory_of_keys(database);
        if (!keys) return fail(keys.error());
        EXPECT_EQ(keys->size(), 2U);
        for (const auto& key : *keys) {
            EXPECT_LE(key.entries, 100);
            EXPECT_EQ(key.floor, key.key == "alice" ? Label::secret : Label::public_);
        }
        return {};
    }));
    run(again.forget("alice"));
    EXPECT_EQ(recalled_of(again, hers, "alice"), kNothing);
    EXPECT_EQ(recalled_of(again, {his[2]}, "bob"), kPrivate);
    LabelMemory third;
    ASSERT_TRUE(third.load(*o.store));
    EXPECT_EQ(recalled_of(third, hers, "alice"), kNothing);
    EXPECT_EQ(recalled_of(third, {his[2]}, "bob"), kPrivate);
}

TEST(LabelMemory, remembers_little_of_a_request_that_nobody_may_see) {
    Opened o;
    LabelMemory memory;
    const auto texts = many("A message of many", 10'000);
    const Known found{Label::private_, Label::public_};
    ASSERT_TRUE(
        o.store->run(memory.remember(identify(conversation(texts), "talk"), found, {.key = "k", .refused = true})));
    EXPECT_EQ(recalled_of(memory, {"other words that are long enough to be known"}, "k"), kNothing);
    EXPECT_EQ(memory.recall(identify(conversation({"x"}), "talk"), "k").known, found);
    auto longer = texts;
    longer.emplace_back("and on");
    EXPECT_EQ(recalled_of(memory, longer, "k"), found);
    ASSERT_TRUE(o.store->run([](store::Database& database) -> Result<> {
        const auto keys = memory_of_keys(database);
        if (!keys) return fail(keys.error());
        EXPECT_LE(keys->front().entries, static_cast<std::int64_t>(kMostPiecesRefused) + 3);
        return {};
    }));
    // What its client called private, and was not found, is not let go.
    (void)memory.remember(identify(conversation(texts), ""), kPrivate, {.key = "other", .refused = true});
    EXPECT_EQ(recalled_of(memory, {texts[5]}, "other"), kPrivate);
    EXPECT_EQ(recalled_of(memory, {"other words that are long enough to be known"}, "k"), kNothing);
}

TEST(Release, covers_the_texts_that_something_was_found_in_and_nothing_else) {
    test::Folder folder;
    auto keys = Keys::open(folder.path, "");
    ASSERT_TRUE(keys);
    const auto labelled_with = [&](const std::string& body, std::vector<std::shared_ptr<const Released>> released) {
        json::Document document;
        EXPECT_TRUE(document.parse(body)) << body;
        Labelled labelled;
        label_by_content(detector(), document, {}, labelled, {keys->get(), std::move(released)});
        return labelled;
    };
    const std::string card = "4111 1111 1111 1111", other = "5555 5555 5555 4444";
    const auto first = labelled_with(R"({"messages":[{"content":"my card is )" + card + R"("}],"max_tokens":9})", {});
    EXPECT_EQ(first.label, Label::private_);
    ASSERT_FALSE(first.leaves.empty());
    const auto released = std::make_shared<Released>(Released{{first.leaves.begin(), first.leaves.end()}, {}});
    const std::string said = "my card is " + card;
    for (const auto& [body, label] : std::initializer_list<std::pair<std::string, Label>>{
             {R"({"messages":[{"content":")" + said + R"("}],"max_tokens":9})", Label::public_},
             {R"({"messages":[{"content":")" + said + R"("},{"content":"noted"},{"content":"12 of 12"}],"n":1})",
              Label::public_},
             {R"({"messages":[{"content":[{"type":"text","text":")" + said + R"(","cache_control":{}}]}]})",
              Label::public_},
             {R"({"messages":[{"content":")" + said + R"(!"}]})", Label::private_},
             {R"({"messages":[{"content":")" + said + R"("}],"user":")" + card + R"("})", Label::private_},
             {R"({"messages":[{"content":")" + said + R"(","name":")" + other + R"("}]})", Label::private_},
             {R"({"messages":[{"content":")" + said + R"(","x":{")" + other + R"(":1}}]})", Label::private_},
             {R"({"messages":[{"content":")" + said + R"("},{"content":"5555 5555 "},{"content":"5555 4444"}]})",
              Label::private_},
             {R"({"a":"{\"b\":\")" + other + R"(\"}","messages":[{"content":")" + said + R"("}]})", Label::private_},
         })
        EXPECT_EQ(labelled_with(body, {released}).label, label) << body;
    // Without what was released, or without the key, all of it counts.
    EXPECT_EQ(labelled_with(R"({"content":")" + said + R"("})", {}).label, Label::private_);
    json::Document document;
    ASSERT_TRUE(document.parse(R"({"content":")" + said + R"("})"));
    Labelled labelled;
    label_by_content(detector(), document, {}, labelled, {nullptr, {released}});
    EXPECT_EQ(labelled.label, Label::private_);
}

// Runs are sought in blocks of 48 bytes: one that begins, ends or lies at any place of them is found, and where it
// lies.
TEST(Disguise, is_found_at_every_place) {
    const std::string hex = "6a616e652e646f65406578616d706c652e6f7267";  // jane.doe@example.org
    for (const std::string filler : {" ", "(", "a b ", "&"}) {
        for (std::size_t before = 0; before < 130; ++before) {
            std::string text;
            while (text.size() < before) text += filler;
            text += ' ';
            const std::size_t at = text.size();
            text += hex + " end";
            std::vector<std::pair<std::size_t, std::size_t>> found;
            each_encoded(text, [&](const Encoded& encoded) {
                if (encoded.spelled) return;  // of the filler
                EXPECT_EQ(encoded.decoded, "jane.doe@example.org");
                found.emplace_back(encoded.begin, encoded.end);
            });
            ASSERT_EQ(found.size(), 1U) << text;
            EXPECT_EQ(found[0], std::pair(at, at + hex.size())) << text;
            const std::string escaped = std::string(before, 'x') + " jane&#46;doe [at] example.org" + filler;
            const auto folded = fold(escaped);
            ASSERT_TRUE(folded) << escaped;
            EXPECT_NE(folded->text.find(" jane.doe@example.org"), std::string::npos) << folded->text;
        }
    }
    each_encoded("a run of fifteen: abcdefghijklmno, and not more", [](const Encoded&) { ADD_FAILURE(); });
}

}  // namespace
}  // namespace tandem::privacy
