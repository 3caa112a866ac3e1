// Rows of a table as structs, by the names of their columns: one list says which member stands in which column, and the
// statements are made from it, so no position is written by hand, and a new column is a line.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/label.h"
#include "base/result.h"
#include "store/store.h"

namespace tandem::store {

template <typename T>
struct Column {
    std::string_view name;
    std::function<void(Statement& statement, int parameter, const T& row)> write;
    std::function<void(const Statement& statement, int column, T& row)> read;  // empty: it is only written
    std::string_view expression = {};  // what is read in its place, of the same row; empty: it
};

// Text, or a number: whole numbers, flags and enums as they are.
template <typename T, typename Member>
Column<T> column(std::string_view name, Member T::* member) {
    if constexpr (std::same_as<Member, std::string>)
        return {name, [member](Statement& to, int at, const T& row) { to.bind(at, row.*member); },
                [member](const Statement& from, int at, T& row) { row.*member = from.text(at); }};
    else if constexpr (std::same_as<Member, bool>)
        return {name,
                [member](Statement& to, int at, const T& row) { to.bind(at, static_cast<std::int64_t>(row.*member)); },
                [member](const Statement& from, int at, T& row) { row.*member = from.integer(at) != 0; }};
    else
        return {
            name,
            [member](Statement& to, int at, const T& row) { to.bind(at, static_cast<std::int64_t>(row.*member)); },
            [member](const Statement& from, int at, T& row) { row.*member = static_cast<Member>(from.integer(at)); }};
}

// What else a row has in its table, made of the others.
template <typename T>
Column<T> written(std::string_view name, std::function<std::int64_t(const T& row)> value) {
    return {name, [value = std::move(value)](Statement& to, int at, const T& row) { to.bind(at, value(row)); },
            nullptr};
}

// What is read is `expression` of the same row.
template <typename T>
Column<T> read_as(std::string_view expression, Column<T> column) {
    column.expression = expression;
    return column;
}

// A label; what is no label is the nearest one.
template <typename T>
Column<T> label(std::string_view name, Label T::* member) {
    return {name,
            [member](Statement& to, int at, const T& row) { to.bind(at, static_cast<std::int64_t>(row.*member)); },
            [member](const Statement& from, int at, T& row) {
                row.*member = static_cast<Label>(std::clamp<std::int64_t>(from.integer(at), 0, 3));
            }};
}

// Bytes.
template <typename T>
Column<T> blob(std::string_view name, std::string T::* member) {
    return {name, [member](Statement& to, int at, const T& row) { to.bind_blob(at, row.*member); },
            [member](const Statement& from, int at, T& row) { row.*member = from.text(at); }};
}

// A fraction, kept in thousandths as a whole number.
template <typename T>
Column<T> thousandths(std::string_view name, double T::* member) {
    return {name, [member](Statement& to, int at, const T& row) { to.bind(at, std::llround(row.*member * 1000)); },
            [member](const Statement& from, int at, T& row) {
                row.*member = static_cast<double>(from.integer(at)) / 1000;
            }};
}

// What may be missing; `none` stands in its place, and is no value that it can have.
template <typename T, typename Value>
Column<T> optional(std::string_view name, std::optional<Value> T::* member, std::int64_t none) {
    constexpr std::int64_t kUnit = std::same_as<Value, double> ? 1000 : 1;  // fractions are kept in thousandths
    return {name,
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

// A table, or the columns of it that a struct has. It outlives the databases that it is used with: their statements are
// known by where its text is.
template <typename T>
class Table {
  public:
    Table(std::string_view name, std::vector<Column<T>> columns)
        : name_(name),
          columns_(std::move(columns)),
          insert_(statement("INSERT")),
          replace_(statement("INSERT OR REPLACE")) {}
    Table(const Table&) = delete;
    Table& operator=(const Table&) = delete;

    // Inside a transaction. Errors: storage.
    Result<> insert(Database& database, const T& row) const { return run(database, insert_, row); }
    // The same, in place of a row that it would be in conflict with.
    Result<> replace(Database& database, const T& row) const { return run(database, replace_, row); }

    // "SELECT its columns FROM it" and `rest` ("WHERE model = ? ORDER BY time"). To be kept as long as the databases
    // that it is prepared for.
    std::string select(std::string_view rest) const {
        std::string list;
        for (const auto& column : columns_)
            if (column.read)
                (list += list.empty() ? "" : ", ") += column.expression.empty() ? column.name : column.expression;
        return "SELECT " + list + " FROM " + name_ + " " + std::string(rest);
    }
    // The row where a statement of select() stands.
    T read(const Statement& rows) const {
        T row{};
        int at = 0;
        for (const auto& column : columns_)
            if (column.read) column.read(rows, at++, row);
        return row;
    }
    // All rows of such a statement. Errors: storage.
    Result<std::vector<T>> all(Statement& rows) const {
        std::vector<T> list;
        while (true) {
            const auto there = rows.step();
            if (!there) return fail(there.error());
            if (!*there) return list;
            list.push_back(read(rows));
        }
    }

  private:
    std::string names() const {
        std::string list;
        for (const auto& column : columns_) (list += list.empty() ? "" : ", ") += column.name;
        return list;
    }
    std::string statement(std::string_view verb) const {
        std::string values;
        for (std::size_t i = 0; i < columns_.size(); ++i) values += i == 0 ? "?" : ",?";
        return std::string(verb) + " INTO " + name_ + " (" + names() + ") VALUES (" + values + ")";
    }
    Result<> run(Database& database, const std::string& sql, const T& row) const {
        auto statement = database.prepare(sql.c_str());
        int at = 0;
        for (const auto& column : columns_) column.write(statement, ++at, row);
        return statement.run();
    }

    std::string name_;
    std::vector<Column<T>> columns_;
    std::string insert_, replace_;
};

}  // namespace tandem::store
