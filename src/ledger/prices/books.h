// The books that are asked, one after the other: the owner's own and what was imported first, then the one that came
// with the program; and what an attempt costs by them or by its provider's word.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ledger/prices/book.h"
#include "ledger/prices/cost.h"
#include "ledger/prices/reading.h"

namespace tandem::prices {

// The book in the binary. It is inflated and read once. Errors: internal.
Result<std::shared_ptr<const Book>> shipped_book();
// The same with the entries of these providers alone, which takes a small part of the time. Read anew at each call.
Result<std::shared_ptr<const Book>> shipped_book(const std::vector<std::string>& providers);

inline constexpr int kOldDays = 90;  // an entry that was checked so long ago says so
// Days since `entry` was last compared with its source; nullopt where it does not say.
std::optional<std::int64_t> age_days(const Entry& entry, std::int64_t now_ms);

struct Found {
    const Entry* entry = nullptr;  // nullptr: the price is not known
    std::vector<std::string> warnings;
};

// All entries of one model, each for its time; none: the price is not known.
struct FoundModel {
    std::vector<const Entry*> entries;
    std::vector<std::string> warnings;
};

// The entry that holds at a time, the newest of several; where none does, the nearest, with a warning. nullptr where
// there is no entry at all.
const Entry* entry_at(const std::vector<const Entry*>& entries, std::int64_t time_ms,
                      std::vector<std::string>& warnings);

// A model at a provider, by any of its names.
struct ModelName {
    std::string provider, model;
};

// The provider that a response shows besides the one that is given (Reading).
struct Other {
    std::string provider = {};
    bool by_shape = false;
};

class Books {
  public:
    explicit Books(std::vector<std::shared_ptr<const Book>> books) : books_(std::move(books)) {}
    // The books of a data folder (import) and the shipped one. Errors: invalid, storage; internal.
    static Result<Books> open(const std::filesystem::path& data);
    // The same, of the shipped one only with what find() looks through for these models. A model without a name stands
    // for any of its provider's.
    static Result<Books> open(const std::filesystem::path& data, const std::vector<ModelName>& models);

    // The entries for a model at any time. `models` are names of it, the one to believe first first.
    FoundModel find_all(std::string_view provider, const std::vector<std::string>& models,
                        const Other& other = {}) const;
    // The entry for a model at a time. `models` are names of it, the one to believe first first; no time means now.
    Found find(std::string_view provider, const std::vector<std::string>& models, std::optional<std::int64_t> time_ms,
               std::int64_t now_ms, const Other& other = {}) const;
    const std::vector<std::shared_ptr<const Book>>& all() const { return books_; }

  private:
    std::vector<std::shared_ptr<const Book>> books_;
};

// Where imported books lie in a data folder.
std::filesystem::path imported_folder(const std::filesystem::path& data);

struct Attempt {
    Hints hints;
    std::optional<std::int64_t> time_ms;  // of the request; without it, the response's own
    bool time_unread = false;             // one was given that could not be read
};

// What an attempt is booked at. The provider's own word counts where it is a price; ours stands beside it.
struct Booked {
    std::optional<Amount> cost;  // rounded nowhere yet; nullopt: not known
    bool by_provider = false;
    std::optional<Amount> by_book;
    const Entry* entry = nullptr;
    std::vector<Line> lines;
    std::vector<std::string> warnings;  // those of the reading not included
};
Booked book(const Reading& reading, const Attempt& attempt, const Books& books, std::int64_t now_ms);
// The same where the entry is known already; nullptr: it has no price. `books` have the prices of other models that did
// a part; without them such a part is not in the cost, with a warning.
Booked book_at(const Entry* entry, const Reading& reading, const Hints& hints, std::int64_t time_ms,
               const Books* books);

}  // namespace tandem::prices
