// Rows of a table as structs, by the names of their columns: one list says which member stands in which column, and the
// statements are made from it, so no position is written by hand, and a new column is a line.
#pragma once

#include <algorithm>
#include <cassert>
#include <cmath>
#include <concepts>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/id.h"
#include "base/label.h"
#include "base/money.h"
#include "base/result.h"
#include "store/store.h"

namespace tandem::store {

template <typename T>
struct Column {
    std::string name;  // or an expression, of what is only read
    std::function<void(Statement& statement, int parameter, const T& row)> write;  // empty: it is only read
    std::function<void(const Statement& statement, int column, T& row)> read;      // empty: it is only written
    std::string expression = {};  // what is read in its place, of the same row; empty: it
};

template <typename T>
using Columns = std::vector<Column<T>>;

// ---- values ----

// Text and ids; amounts in millionths, counts of tokens, whole numbers, flags and enums as numbers.
template <typename Value>
void bind_value(Statement& to, int at, const Value& value) {
    if constexpr (std::convertible_to<const Value&, std::string_view>)
        to.bind(at, value);
    else if constexpr (std::same_as<Value, DecisionId>)
        to.bind(at, value.text());
    else if constexpr (std::same_as<Value, Money>)
        to.bind(at, value.micros());
    else if constexpr (std::same_as<Value, Tokens>)
        to.bind(at, value.count);
    else
        to.bind(at, static_cast<std::int64_t>(value));
}

template <typename Value>
Value value_at(const Statement& from, int at) {
    if constexpr (std::same_as<Value, std::string>)
        return from.text(at);
    else if constexpr (std::same_as<Value, DecisionId>)
        return DecisionId::from_text(from.text(at));
    else if constexpr (std::same_as<Value, Money>)
        return Money::from_micros(from.integer(at));
    else if constexpr (std::same_as<Value, Tokens>)
        return {from.integer(at)};
    else if constexpr (std::same_as<Value, bool>)
        return from.integer(at) != 0;
    else
        return static_cast<Value>(from.integer(at));
}

// ---- columns ----

// The member of the member ... of a row.
template <typename Row, typename Member, typename... Path>
auto& member_of(Row& row, Member first, Path... rest) {
    if constexpr (sizeof...(rest) == 0)
        return row.*first;
    else
        return member_of(row.*first, rest...);
}

// What stands in a member, or in a member of that one (`&AttemptRecord::usage, &Usage::input`). A view is only written.
template <typename T, typename Member, typename... Path>
Column<T> column(std::string name, Member T::* first, Path... path) {
    using Value = std::remove_reference_t<decltype(member_of(std::declval<T&>(), first, path...))>;
    Column<T> made{std::move(name),
                   [=](Statement& to, int at, const T& row) { bind_value(to, at, member_of(row, first, path...)); },
                   nullptr};
    if constexpr (!std::same_as<Value, std::string_view>)
        made.read = [=](const Statement& from, int at, T& row) {
            member_of(row, first, path...) = value_at<Value>(from, at);
        };
    return made;
}

// Text that a row has in another form: `write(row)` makes it (a view must live as long as the row), `read(row, text)`
// takes it.
template <typename T, typename Write, typename Read>
Column<T> text(std::string name, Write write, Read read) {
    return {std::move(name),
            [write](Statement& to, int at, const T& row) {
                if constexpr (std::same_as<std::invoke_result_t<Write, const T&>, std::string>)
                    to.bind_copy(at, write(row));
                else
                    to.bind(at, write(row));
            },
            [read](const Statement& from, int at, T& row) { read(row, from.text(at)); }};
}

// What else a row has in its table, made of the others.
template <typename T>
Column<T> written(std::string name, std::function<std::int64_t(const T& row)> value) {
    return {std::move(name),
            [value = std::move(value)](Statement& to, int at, const T& row) { to.bind(at, value(row)); }, nullptr};
}

// What is read is `expression` of the same row.
template <typename T>
Column<T> read_as(std::string_view expression, Column<T> column) {
    column.expression = expression;
    return column;
}

// What is not written: the table gives it, or it is an expression.
template <typename T>
Column<T> only_read(Column<T> column) {
    column.write = nullptr;
    return column;
}

// An enum of which `last` is the last; what is none is the nearest one.
template <typename T, typename Enum>
Column<T> choice(std::string name, Enum T::* member, Enum last) {
    auto made = column(std::move(name), member);
    made.read = [=](const Statement& from, int at, T& row) {
        row.*member = static_cast<Enum>(std::clamp<std::int64_t>(from.integer(at), 0, static_cast<std::int64_t>(last)));
    };
    return made;
}

// A label; what is no label is the nearest one.
template <typename T>
Column<T> label(std::string name, Label T::* member) {
    return choice(std::move(name), member, Label::secret);
}

// Bytes.
template <typename T>
Column<T> blob(std::string name, std::string T::* member) {
    return {std::move(name), [member](Statement& to, int at, const T& row) { to.bind_blob(at, row.*member); },
            [member](const Statement& from, int at, T& row) { row.*member = from.text(at); }};
}

// A fraction, kept as a whole number of its `units`-th parts.
template <typename T>
Column<T> parts(std::string name, double T::* member, int units) {
    return {
        std::move(name), [=](Statement& to, int at, const T& row) { to.bind(at, std::llround(row.*member * units)); },
        [=](const Statement& from, int at, T& row) { row.*member = static_cast<double>(from.integer(at)) / units; }};
}
template <typename T>
Column<T> thousandths(std::string name, double T::* member) {
    return parts(std::move(name), member, 1000);
}

// What may be missing; `none` stands in its place, and is no value that it can have.
template <typename T, typename Value>
Column<T> optional(std::string name, std::optional<Value> T::* member, std::int64_t none) {
    constexpr std::int64_t kUnit = std::same_as<Value, double> ? 1000 : 1;  // fractions are kept in thousandths
    return {std::move(name),
            [member, none](Statement& to, int at, const T& row) {
                const auto& value = row.*member;
                if constexpr (std::same_as<Value, double>)
                    to.bind(at, value ? std::llround(*value * kUnit) : none);
                else
                    to.bind(at, value ? static_cast<std::int64_t>(*value) : none);
            },
            [member, none](const Statement& from, int at, T& row) {
                const auto kept = from.integer(at);
                if (kept == none)
                    row.*member = std::nullopt;
                else if constexpr (std::same_as<Value, double>)
                    row.*member = static_cast<double>(kept) / kUnit;
                else
                    row.*member = static_cast<Value>(kept);
            }};
}

// ---- lists of columns ----

// Those of both lists.
template <typename T>
Columns<T> both(Columns<T> columns, Columns<T> more) {
    std::ranges::move(more, std::back_inserter(columns));
    return columns;
}

// Those of these names, in the order of the list.
template <typename T>
Columns<T> only(Columns<T> columns, std::initializer_list<std::string_view> names) {
    std::erase_if(columns, [&](const auto& one) { return std::ranges::find(names, one.name) == names.end(); });
    assert(columns.size() == names.size());  // each is one of them
    return columns;
}

// Those of a member, which is a row too. `table`: what its table is called in the statement; empty: not at all.
template <typename T, typename Part>
Columns<T> within(Part T::* part, const Columns<Part>& columns, const std::string& table = {}) {
    Columns<T> list;
    for (const auto& one : columns) {
        Column<T> made{table.empty() ? one.name : table + '.' + one.name, nullptr, nullptr, one.expression};
        if (one.write)
            made.write = [part, write = one.write](Statement& to, int at, const T& row) { write(to, at, row.*part); };
        if (one.read)
            made.read = [part, read = one.read](const Statement& from, int at, T& row) { read(from, at, row.*part); };
        list.push_back(std::move(made));
    }
    return list;
}

// ---- tables ----

// What is read of one or more tables into a struct. It outlives the databases that it is used with: their statements
// are known by where its text is.
template <typename T>
class Selection {
  public:
    // `from`: a table, or several that are joined.
    Selection(std::string from, Columns<T> columns) : from_(std::move(from)), columns_(std::move(columns)) {}
    Selection(const Selection&) = delete;
    Selection& operator=(const Selection&) = delete;

    // The columns that are read, as a statement names them.
    std::string list() const {
        std::string list;
        for (const auto& column : columns_)
            if (column.read)
                (list += list.empty() ? "" : ", ") += column.expression.empty() ? column.name : column.expression;
        return list;
    }
    // "SELECT its columns FROM it" and `rest` ("WHERE model = ? ORDER BY time"). To be kept as long as the databases
    // that it is prepared for.
    std::string select(std::string_view rest) const {
        return "SELECT " + list() + " FROM " + from_ + " " + std::string(rest);
    }
    // The row where a statement of select() stands.
    T read(const Statement& rows) const {
        T row{};
        int at = 0;
        for (const auto& column : columns_)
            if (column.read) column.read(rows, at++, row);
        return row;
    }
    // visit(row) for each row of such a statement; where it returns a Result, until that is an error. Errors: storage,
    // visit's.
    template <typename Visit>
    Result<> each(Statement& rows, Visit&& visit) const {
        while (true) {
            const auto there = rows.step();
            if (!there) return fail(there.error());
            if (!*there) return {};
            if constexpr (std::is_void_v<decltype(visit(read(rows)))>)
                visit(read(rows));
            else if (Result<> ok = visit(read(rows)); !ok)
                return ok;
        }
    }
    // All rows of such a statement. Errors: storage.
    Result<std::vector<T>> all(Statement& rows) const {
        std::vector<T> list;
        if (auto ok = each(rows, [&list](T row) { list.push_back(std::move(row)); }); !ok) return fail(ok.error());
        return list;
    }

  protected:
    const Columns<T>& columns() const { return columns_; }
    const std::string& from() const { return from_; }

  private:
    std::string from_;
    Columns<T> columns_;
};

// A table, or the columns of it that a struct has.
template <typename T>
class Table : public Selection<T> {
  public:
    Table(std::string name, Columns<T> columns)
        : Selection<T>(std::move(name), std::move(columns)),
          insert_(into("INSERT")),
          insert_new_(into("INSERT OR IGNORE")),
          replace_(into("INSERT OR REPLACE")) {}

    // Inside a transaction. Errors: storage.
    Result<> insert(Database& database, const T& row) const { return run(database, insert_, row); }
    // The same, unless it would be in conflict with a row: then nothing is written.
    Result<> insert_new(Database& database, const T& row) const { return run(database, insert_new_, row); }
    // The same, in place of a row that it would be in conflict with.
    Result<> replace(Database& database, const T& row) const { return run(database, replace_, row); }

    // "INSERT INTO it ... VALUES ..." and `rest` ("ON CONFLICT ..."), for run(). To be kept as select() says.
    std::string into(std::string_view verb, std::string_view rest = {}) const {
        std::string names, values;
        each_written([&](const std::string& name, int at) {
            (names += at == 1 ? "" : ", ") += name;
            (values += at == 1 ? "?" : ", ?") += std::to_string(at);
        });
        return std::string(verb) + " INTO " + this->from() + " (" + names + ") VALUES (" + values + ") " +
               std::string(rest);
    }
    // "UPDATE it SET" all columns but `keys`, of the row that has its keys, for run(). To be kept as select() says.
    std::string update(std::initializer_list<std::string_view> keys) const {
        const auto is_key = [&](std::string_view name) { return std::ranges::find(keys, name) != keys.end(); };
        return "UPDATE " + this->from() + " SET " + equal(", ", [&](std::string_view name) { return !is_key(name); }) +
               " WHERE " + equal(" AND ", is_key);
    }
    // "SELECT `what` FROM it" where all columns are the row's, which bind() says. To be kept as select() says.
    std::string find(std::string_view what) const {
        return "SELECT " + std::string(what) + " FROM " + this->from() + " WHERE " +
               equal(" AND ", [](std::string_view) { return true; });
    }
    // The values of a statement of into(), update() or find(). The row's texts are borrowed until the statement goes.
    void bind(Statement& statement, const T& row) const {
        int at = 0;
        for (const auto& column : this->columns())
            if (column.write) column.write(statement, ++at, row);
    }
    // Errors: storage.
    Result<> run(Database& database, const std::string& sql, const T& row) const {
        auto statement = database.prepare(sql.c_str());
        bind(statement, row);
        return statement.run();
    }

  private:
    template <typename Visit>
    void each_written(Visit&& visit) const {
        int at = 0;
        for (const auto& column : this->columns())
            if (column.write) visit(column.name, ++at);
    }
    template <typename Wanted>
    std::string equal(std::string_view between, Wanted&& wanted) const {
        std::string text;
        each_written([&](const std::string& name, int at) {
            if (!wanted(name)) return;
            if (!text.empty()) text += between;
            ((text += name) += " = ?") += std::to_string(at);
        });
        return text;
    }

    std::string insert_, insert_new_, replace_;
};

}  // namespace tandem::store
