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

// A row in parts: `inner` and its `deep` stand in columns of the same table; `mark` has another form there.
struct Deep {
    Money cost;
    Tokens used;
};
struct Inner {
    std::int64_t count = 0;
    Deep deep;
};
struct Whole {
    std::string id = {};
    Inner inner = {};
    std::vector<int> mark = {};
    std::int64_t size = 0;  // the table's
};

Columns<Inner> inner_columns() {
    return {column("count", &Inner::count), column("share", &Inner::deep, &Deep::cost),
            column("expected", &Inner::deep, &Deep::used)};
}

Columns<Whole> whole_columns() {
    return both(both({column("id", &Whole::id)}, within(&Whole::inner, inner_columns())),
                {text<Whole>(
                     "note", [](const Whole& whole) { return std::string(whole.mark.size(), '|'); },
                     [](Whole& whole, const std::string& marks) { whole.mark.resize(marks.size()); }),
                 only_read(column("size", &Whole::size))});
}

class RowParts : public testing::Test {
  protected:
    Result<> in(const Store::Job& job) { return store_->run(job); }
    // Of the statement that `select` makes, in which one value is asked for.
    template <typename T>
    std::vector<T> read(const Selection<T>& selection, const std::string& select, std::int64_t asked) {
        std::vector<T> list;
        EXPECT_TRUE(in([&](Database& database) -> Result<> {
            kept_.push_back(std::make_unique<std::string>(select));
            auto rows = database.prepare(kept_.back()->c_str());
            rows.bind(1, asked);
            auto all = selection.all(rows);
            if (!all) return fail(all.error());
            list = std::move(*all);
            return {};
        }));
        return list;
    }

    const Table<Whole> table_{"wholes", whole_columns()};
    std::vector<std::unique_ptr<std::string>> kept_;

  private:
    static constexpr Migration kTables[] = {
        {"CREATE TABLE wholes (size INTEGER NOT NULL DEFAULT 7, note TEXT NOT NULL, expected INTEGER NOT NULL, share "
         "INTEGER NOT NULL, id TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT;"
         "CREATE TABLE names (id TEXT NOT NULL, name TEXT NOT NULL) STRICT; INSERT INTO names VALUES ('a', 'Ada');"}};
    test::Folder folder_;
    std::unique_ptr<Store> store_ = *Store::open_at_once(folder_.path / "rows.db", kTables);
};

Whole whole(std::string id, std::int64_t count, std::size_t marks) {
    return {std::move(id), {count, {Money::from_micros(5), {11}}}, std::vector<int>(marks), 0};
}

TEST_F(RowParts, are_columns_of_the_same_row_and_a_value_may_have_another_form_there) {
    // Longer than a short text, so that one that is gone would show.
    ASSERT_TRUE(in([&](Database& database) { return table_.insert(database, whole("a", 3, 100)); }));
    const auto kept = read(table_, table_.select("WHERE count = ?"), 3);
    ASSERT_EQ(kept.size(), 1U);
    EXPECT_EQ(kept[0].id, "a");
    EXPECT_EQ(kept[0].inner.deep.cost, Money::from_micros(5));
    EXPECT_EQ(kept[0].inner.deep.used, Tokens{11});
    EXPECT_EQ(kept[0].mark.size(), 100U);
    EXPECT_EQ(kept[0].size, 7) << "the table's own, since it is only read";
}

TEST_F(RowParts, are_found_and_changed_by_name) {
    ASSERT_TRUE(in([&](Database& database) { return table_.insert_new(database, whole("a", 3, 1)); }));
    ASSERT_TRUE(in([&](Database& database) { return table_.insert_new(database, whole("a", 4, 2)); })) << "it stays";
    const auto find = table_.find("count");
    const auto there = [&](const Whole& one) {
        bool found = false;
        EXPECT_TRUE(in([&](Database& database) -> Result<> {
            auto row = database.prepare(find.c_str());
            table_.bind(row, one);
            const auto stepped = row.step();
            if (!stepped) return fail(stepped.error());
            found = *stepped;
            return {};
        }));
        return found;
    };
    EXPECT_TRUE(there(whole("a", 3, 1)));
    EXPECT_FALSE(there(whole("a", 4, 2)));
    const Table<Whole> counts("wholes", only(whole_columns(), {"id", "count"}));
    const auto update = counts.update({"id"});
    ASSERT_TRUE(in([&](Database& database) { return counts.run(database, update, whole("a", 9, 50)); }));
    EXPECT_TRUE(there(whole("a", 9, 1))) << "the note is no column of that table";
    const auto add = table_.into("INSERT", "ON CONFLICT (id) DO UPDATE SET count = count + excluded.count");
    ASSERT_TRUE(in([&](Database& database) { return table_.run(database, add, whole("a", 1, 8)); }));
    EXPECT_TRUE(there(whole("a", 10, 1)));
}

TEST_F(RowParts, of_joined_tables_are_read_until_somebody_has_enough) {
    struct Joined {
        Whole whole;
        std::string name;
    };
    for (const auto* id : {"a", "b"})
        ASSERT_TRUE(in([&](Database& database) { return table_.insert(database, whole(id, 1, 0)); }));
    const Selection<Joined> joined(
        "wholes w LEFT JOIN names n ON n.id = w.id",
        both(within(&Joined::whole, whole_columns(), "w"), {column("n.name", &Joined::name)}));
    const auto select = joined.select("WHERE w.count = ? ORDER BY w.id");
    const auto all = read(joined, select, 1);
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].whole.id + all[0].name, "aAda");
    EXPECT_EQ(all[1].whole.id + all[1].name, "b");
    int seen = 0;
    const auto ended = in([&](Database& database) -> Result<> {
        auto rows = database.prepare(select.c_str());
        rows.bind(1, std::int64_t{1});
        return joined.each(rows, [&](const Joined&) -> Result<> {
            ++seen;
            return fail(ErrorCode::invalid, "enough");
        });
    });
    EXPECT_EQ(seen, 1);
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().message, "enough");
}

}  // namespace
}  // namespace tandem::store
