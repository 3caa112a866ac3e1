#include <gtest/gtest.h>

#include <set>

#include "access/authenticate.h"
#include "access/principal.h"
#include "access/request_headers.h"

namespace tandem::access {
namespace {

config::Key key_named(std::string name) {
    config::Key key;
    key.id = std::move(name);
    key.secret = std::make_shared<const Secret>("secret-of-" + key.id);
    key.digest = sha256(key.secret->reveal());
    return key;
}

TEST(Principals, of_different_kinds_have_different_ids_whatever_a_key_is_called) {
    const std::array ours{Principal::admin(),
                          Principal::anonymous(),
                          Principal::internal(Part::probe),
                          Principal::internal(Part::learning),
                          Principal::internal(Part::cache),
                          Principal::internal(Part::experiment),
                          Principal::internal(Part::experiment, "style")};
    std::set<std::string> ids;
    for (const auto& one : ours) {
        EXPECT_TRUE(ids.insert(one.id()).second) << one.id();
        const auto client = Principal::client(key_named(one.id()));
        EXPECT_TRUE(ids.insert(client.id()).second) << client.id();
    }
    EXPECT_EQ(Principal::client(key_named("alice")).id(), "alice");
}

TEST(Principals, are_found_again_by_their_id_and_parts_of_ours_are_nobodys_to_act_for) {
    config::Config config;
    for (const auto* name : {"alice", "admin", "probe"}) config.keys.push_back(key_named(name));
    for (const auto& key : config.keys) {
        const auto found = principal_of(config, Principal::client(key).id());
        ASSERT_TRUE(found);
        EXPECT_EQ(found->kind(), Principal::Kind::client);
        EXPECT_FALSE(found->is_owner());
    }
    EXPECT_EQ(principal_of(config, "admin")->kind(), Principal::Kind::admin);
    EXPECT_FALSE(principal_of(config, "anonymous"));  // there are keys
    EXPECT_FALSE(principal_of(config, "learning"));
    EXPECT_FALSE(principal_of(config, "nobody"));
    config.keys.clear();
    EXPECT_EQ(principal_of(config, "anonymous")->kind(), Principal::Kind::anonymous);
}

TEST(Principals, authenticate_by_one_key_that_may_stand_in_several_headers) {
    config::Config config;
    config.keys = {key_named("alice"), key_named("bob")};
    const Secret admin("admin-token-of-this-folder");
    const auto who = [&](std::initializer_list<std::pair<const char*, const char*>> list) -> std::string {
        net::Fields fields;
        for (const auto& [name, value] : list) fields.add(name, value);
        const auto found = authenticate(config, admin, fields, 1'000);
        return found ? found->id() : "refused";
    };
    EXPECT_EQ(who({{"Authorization", "Bearer secret-of-alice"}}), "alice");
    EXPECT_EQ(who({{"authorization", "bearer  secret-of-alice "}}), "alice");
    EXPECT_EQ(who({{"X-Api-Key", "secret-of-bob"}}), "bob");
    EXPECT_EQ(who({{"x-goog-api-key", "secret-of-bob"}, {"authorization", "Bearer nothing"}}), "bob");
    EXPECT_EQ(who({{"x-api-key", "secret-of-bob"}, {"authorization", "Bearer secret-of-alice"}}), "refused");
    EXPECT_EQ(who({{"x-api-key", "secret-of-bob"}, {"x-goog-api-key", "admin-token-of-this-folder"}}), "refused");
    EXPECT_EQ(who({{"authorization", "Bearer admin-token-of-this-folder"}}), "admin");
    EXPECT_EQ(who({{"authorization", "Basic secret-of-alice"}}), "refused");
    EXPECT_EQ(who({}), "refused");
}

TEST(Principals, over_the_local_socket_are_the_admin_without_a_key_and_a_key_counts_there_too) {
    config::Config config;
    config.keys = {key_named("alice"), key_named("bob")};
    const Secret admin("admin-token-of-this-folder");
    const auto who = [&](bool local, std::initializer_list<std::pair<const char*, const char*>> list) -> std::string {
        net::Fields fields;
        for (const auto& [name, value] : list) fields.add(name, value);
        const auto found = authenticate(config, admin, fields, 1'000, local);
        return found ? found->id() : "refused";
    };
    EXPECT_EQ(who(true, {}), "admin");
    EXPECT_EQ(who(true, {{"x-api-key", "secret-of-bob"}}), "bob");
    EXPECT_EQ(who(true, {{"x-api-key", "secret-of-nobody"}}), "refused");
    // The admin asks as another, and nobody else does.
    EXPECT_EQ(who(true, {{"x-tandem-key", "alice"}}), "alice");
    EXPECT_EQ(who(true, {{"x-tandem-key", "anonymous"}}), "admin");  // beside keys nobody else asks without one
    EXPECT_EQ(who(true, {{"x-tandem-key", "carol"}}), "refused");
    EXPECT_EQ(who(false, {{"x-tandem-key", "alice"}}), "refused");
    EXPECT_EQ(who(false, {{"x-api-key", "admin-token-of-this-folder"}, {"x-tandem-key", "bob"}}), "bob");
    EXPECT_EQ(who(false, {{"x-api-key", "secret-of-bob"}, {"x-tandem-key", "alice"}}), "refused");
    EXPECT_EQ(who(false, {{"x-api-key", "secret-of-bob"}, {"x-tandem-key", "anonymous"}}), "refused");
    EXPECT_EQ(who(false, {{"x-api-key", "secret-of-bob"}, {"x-tandem-key", "bob"}}), "bob");
    config.keys.clear();
    EXPECT_EQ(who(false, {{"x-tandem-key", "anonymous"}}), "anonymous");
}

TEST(Headers, that_decide_stand_once_and_exist) {
    const auto read = [](std::initializer_list<std::pair<const char*, const char*>> list) {
        net::Fields fields;
        for (const auto& [name, value] : list) fields.add(name, value);
        return read_headers(fields);
    };
    const auto good = read({{"X-Tandem-Label", " private "},
                            {"x-tandem-timeout", "30"},
                            {"cache-control", "no-cache"},
                            {"x-stainless-lang", "js"}});
    ASSERT_TRUE(good);
    EXPECT_EQ(good->label, Label::private_);
    EXPECT_EQ(good->timeout, std::chrono::seconds(30));
    EXPECT_TRUE(good->fresh);
    for (const auto* name :
         {"x-tandem-label", "authorization", "x-api-key", "x-goog-api-key", "content-type", "x-tandem-conversation"})
        EXPECT_FALSE(read({{name, "public"}, {name, "public"}})) << name;
    EXPECT_FALSE(read({{"x-tandem-lable", "private"}}));
    EXPECT_NE(read({{"x-tandem-lable", "private"}}).error().message.find("x-tandem-label"), std::string::npos);
    EXPECT_FALSE(read({{"x-tandem-label", ""}}));
    EXPECT_FALSE(read({{"x-tandem-label", "Private"}}));
    EXPECT_FALSE(read({{"x-tandem-timeout", "1e3"}}));
    EXPECT_FALSE(read({{"x-tandem-conversation", std::string(2'000, 'a').c_str()}}));
}

}  // namespace
}  // namespace tandem::access
