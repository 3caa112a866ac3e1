// Rows as structs, by the names of their columns.
#include "store/row.h"

#include <gtest/gtest.h>

#include "tests/support.h"

namespace tandem::store {
namespace {

enum class Colour { red, blue };

struct Thing {
    std::string id = {};
    std::int64_t count = 0;
    bool good = false;
    Colour colour = Colour::red;
    Label secrecy = Label::public_;
    double share = 0;
    std::optional<double> expected = {};
    std::optional<bool> passed = {};
    std::string bytes = {};
    std::string note = {};
    bool operator==(const Thing&) const = default;
};

// In another order than the table's.
const Table<Thing>& things() {
    static const Table<Thing> table(
        "things", {column("note", &Thing::note), column("id", &Thing::id), column("count", &Thing::count),
                   column("good", &Thing::good), column("colour", &Thing::colour), label("secrecy", &Thing::secrecy),
                   thousandths("share", &Thing::share), optional("expected", &Thing::expected, -1),
                   optional("passed", &Thing::passed, -1), blob("bytes", &Thing::bytes),
                   written<Thing>("size", [](const Thing& t) { return static_cast<std::int64_t>(t.note.size()); })});
    return table;
}

class Rows : public testing::Test {
  protected:
    Result<> in(const Store::Job& job) { return store_->run(job); }
    std::vector<Thing> kept() {
        std::vector<Thing> list;
        EXPECT_TRUE(in([&](Database& database) -> Result<> {
            static const auto kById = things().select("ORDER BY id");
            auto rows = database.prepare(kById.c_str());
            auto all = things().all(rows);
            if (!all) return fail(all.error());
            list = std::move(*all);
            return {};
        }));
        return list;
    }
    std::int64_t number(const char* sql) {
        std::int64_t value = 0;
        EXPECT_TRUE(in([&](Database& database) -> Result<> {
            auto row = database.prepare(sql);
            if (const auto there = row.step(); !there) return fail(there.error());
            value = row.integer(0);
            return {};
        }));
        return value;
    }

  private:
    static constexpr Migration kTables[] = {
        {"CREATE TABLE things (id TEXT PRIMARY KEY, good INTEGER NOT NULL, count INTEGER NOT NULL, size INTEGER NOT "
         "NULL, share INTEGER NOT NULL, expected INTEGER NOT NULL, passed INTEGER NOT NULL, colour INTEGER NOT NULL, "
         "secrecy INTEGER NOT NULL, note TEXT NOT NULL, bytes BLOB NOT NULL, later INTEGER NOT NULL DEFAULT 7) "
         "STRICT;"}};
    test::Folder folder_;
    std::unique_ptr<Store> store_ = *Store::open_at_once(folder_.path / "rows.db", kTables);
};

TEST_F(Rows, come_back_as_they_were_put_whatever_the_order_of_the_columns) {
    const Thing full{"a", 3, true, Colour::blue, Label::secret, 0.125, 0.5, false, std::string("\0x", 2), "three"};
    const Thing bare{.id = "b"};
    ASSERT_TRUE(in([&](Database& database) { return things().insert(database, full); }));
    ASSERT_TRUE(in([&](Database& database) { return things().insert(database, bare); }));
    EXPECT_EQ(kept(), (std::vector{full, bare}));
    EXPECT_EQ(number("SELECT size FROM things WHERE id = 'a'"), 5);
    EXPECT_EQ(number("SELECT later FROM things WHERE id = 'a'"), 7);
}

TEST_F(Rows, are_not_put_twice_but_in_place_of_each_other) {
    const Thing first{.id = "a", .count = 1}, second{.id = "a", .count = 2};
    ASSERT_TRUE(in([&](Database& database) { return things().insert(database, first); }));
    EXPECT_FALSE(in([&](Database& database) { return things().insert(database, second); }));
    EXPECT_EQ(kept(), std::vector{first});
    ASSERT_TRUE(in([&](Database& database) { return things().replace(database, second); }));
    EXPECT_EQ(kept(), std::vector{second});
}

TEST_F(Rows, may_be_read_as_something_else_and_labels_are_labels) {
    ASSERT_TRUE(in([&](Database& database) { return things().insert(database, {.id = "a", .count = 4}); }));
    ASSERT_TRUE(in([](Database& database) { return database.execute("UPDATE things SET secrecy = 99"); }));
    static const Table<Thing> table("things", {column("id", &Thing::id), label("secrecy", &Thing::secrecy),
                                               read_as("count * 10", column("count", &Thing::count))});
    ASSERT_TRUE(in([&](Database& database) -> Result<> {
        static const auto kAll = table.select("");
        auto rows = database.prepare(kAll.c_str());
        const auto all = table.all(rows);
        if (!all) return fail(all.error());
        EXPECT_EQ(*all, (std::vector{Thing{.id = "a", .count = 40, .secrecy = Label::secret}}));
        return {};
    }));
}

}  // namespace
}  // namespace tandem::store
