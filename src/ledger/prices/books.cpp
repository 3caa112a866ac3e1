#include "ledger/prices/books.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/file.h"
#include "base/text.h"
#include "base/time_text.h"
#include "ledger/prices/names.h"

namespace tandem::prices {

namespace {

constexpr std::int64_t kDay = 86'400'000;
// Servers that people run themselves: what the makers of their models ask for tokens elsewhere is no price of theirs.
constexpr std::array<std::string_view, 12> kOwnServers = {"ollama",    "llama.cpp", "vllm",      "lmstudio",
                                                          "lm-studio", "sglang",    "llamafile", "localai",
                                                          "tgi",       "koboldcpp", "mlx",       "local"};

void warn(std::vector<std::string>& warnings, std::string text) {
    if (std::ranges::find(warnings, text) == warnings.end()) warnings.push_back(std::move(text));
}

// The providers whose entries are looked through, in order. `other` is the one that the response shows.
std::vector<std::string> providers_for(const std::vector<std::shared_ptr<const Book>>& books, const std::string& id,
                                       const Other& other, const std::vector<std::string>& models) {
    std::vector<std::string> out;
    const auto add = [&](const std::string& one) {
        if (!one.empty() && std::ranges::find(out, one) == out.end()) out.push_back(one);
    };
    const auto with_stand_ins = [&](const std::string& one) {
        add(one);
        for (const auto& book : books)
            for (const auto& stand_in : book->stand_ins(one)) add(stand_in);
    };
    with_stand_ins(id);
    const bool known = std::ranges::any_of(books, [&](const auto& book) { return book->has_entries_of(id); });
    if (known && out.size() > 1) return out;
    if (other.by_shape) with_stand_ins(other.provider);
    // Offers without a price are of one provider, and a model that anybody may serve has no price that is its own.
    const auto elsewhere = [&](const std::string& model) {
        return model.ends_with(":free") || (!id.empty() && has_open_weights(model));
    };
    if (std::ranges::any_of(models, elsewhere)) return out;
    for (const auto& model : models) {
        if (!known) add(provider_in(model));
        for (const auto& book : books) add(book->owner_of(model_forms(model)));
    }
    return out;
}

std::string strange_provider(std::string_view provider, std::string_view taken, std::string_view model) {
    if (trim(provider).empty()) return fmt::format("no provider is given: priced as {}'s {}", taken, model);
    return fmt::format("'{}' is no provider of the book, or has no such model: priced as {}'s {}",
                       printable(provider, 40), taken, model);
}

}  // namespace

std::optional<std::int64_t> age_days(const Entry& entry, std::int64_t now_ms) {
    const auto checked = time_from(entry.checked);
    if (!checked) return std::nullopt;
    return (now_ms - *checked) / kDay;
}

std::filesystem::path imported_folder(const std::filesystem::path& data) {
    return data / "prices";
}

namespace {

Result<std::vector<std::shared_ptr<const Book>>> imported_books(const std::filesystem::path& data) {
    std::vector<std::shared_ptr<const Book>> books;
    std::vector<std::filesystem::path> files;
    std::error_code ignored;
    for (const auto& file : std::filesystem::directory_iterator(imported_folder(data), ignored))
        if (file.path().extension() == ".json") files.push_back(file.path());
    std::ranges::sort(files, std::greater());  // the later import has the later name
    for (const auto& file : files) {
        auto book = Book::parse(whole_file(file));
        if (!book)
            return fail(ErrorCode::invalid,
                        fmt::format("{}: {}; import it again or remove the file", file.string(), book.error().message));
        books.push_back(std::make_shared<const Book>(std::move(*book)));
    }
    return books;
}

}  // namespace

Result<Books> Books::open(const std::filesystem::path& data) {
    auto books = imported_books(data);
    if (!books) return fail(books.error());
    auto shipped = shipped_book();
    if (!shipped) return fail(shipped.error());
    books->push_back(std::move(*shipped));
    return Books(std::move(*books));
}

Result<Books> Books::open(const std::filesystem::path& data, const std::vector<ModelName>& models) {
    auto books = imported_books(data);
    if (!books) return fail(books.error());
    const auto head = shipped_book(std::vector<std::string>{});
    if (!head) return fail(head.error());
    books->push_back(*head);
    std::vector<std::string> wanted;
    const auto want = [&](std::vector<std::string> providers) {
        wanted.insert(wanted.end(), std::make_move_iterator(providers.begin()),
                      std::make_move_iterator(providers.end()));
    };
    for (const auto& one : models) {
        want(providers_for(*books, provider_id(one.provider), {}, {one.model}));
        if (one.model.empty()) want((*head)->owners());
    }
    auto shipped = shipped_book(wanted);
    if (!shipped) return fail(shipped.error());
    books->back() = std::move(*shipped);
    return Books(std::move(*books));
}

const Entry* entry_at(const std::vector<const Entry*>& entries, std::int64_t time_ms,
                      std::vector<std::string>& warnings) {
    const Entry* best = nullptr;
    const Entry* nearest = nullptr;
    std::int64_t distance = INT64_MAX;
    for (const auto* entry : entries) {
        if (time_ms >= entry->from && time_ms < entry->until) {
            if (best == nullptr || entry->from > best->from) best = entry;
            continue;
        }
        const auto away = time_ms < entry->from ? entry->from - time_ms : time_ms - entry->until;
        if (away < distance) {
            distance = away;
            nearest = entry;
        }
    }
    if (best != nullptr || nearest == nullptr) return best;
    warnings.push_back(fmt::format("the book has no price of {} at {}: its {} is taken", nearest->model,
                                   date_text(time_ms), time_ms < nearest->from ? "first" : "last"));
    return nearest;
}

FoundModel Books::find_all(std::string_view provider, const std::vector<std::string>& models,
                           const Other& other) const {
    FoundModel found;
    const auto id = provider_id(provider);
    if (std::ranges::find(kOwnServers, id) != kOwnServers.end()) {
        found.warnings.push_back(
            fmt::format("{} has no price for tokens: what a model of one's own costs is not in the book", id));
        return found;
    }
    for (const auto& one : providers_for(books_, id, other, models)) {
        for (const auto& model : models) {
            const auto forms = model_forms(model);
            for (const auto& book : books_) {
                found.entries = book->find(one, forms);
                if (found.entries.empty()) continue;
                const auto stand_ins = book->stand_ins(id);
                if (one != id && std::ranges::find(stand_ins, one) == stand_ins.end())
                    found.warnings.push_back(strange_provider(provider, one, found.entries.front()->model));
                return found;
            }
        }
    }
    found.warnings.push_back(fmt::format("unknown price: no entry for {} at {}; tandem prices import FILE adds some",
                                         models.empty() ? "a model without a name" : printable(models.front(), 80),
                                         id.empty() ? "a provider without a name" : printable(id, 40)));
    return found;
}

Found Books::find(std::string_view provider, const std::vector<std::string>& models,
                  std::optional<std::int64_t> time_ms, std::int64_t now_ms, const Other& other) const {
    auto all = find_all(provider, models, other);
    Found found;
    found.entry = entry_at(all.entries, time_ms.value_or(now_ms), found.warnings);
    for (auto& warning : all.warnings) found.warnings.push_back(std::move(warning));
    return found;
}

namespace {

// Names of the model, the one to believe first first. A body's name is mostly the more exact one; but where the price
// goes by the region or deployment, the name that was asked for says it.
std::vector<std::string> names_of(const Reading& reading, const Hints& hints) {
    const auto id = provider_id(hints.provider);
    const bool asked_first =
        id == "bedrock" || id == "vertex" || (id == "azure" && hints.model.find('/') != std::string::npos);
    std::vector<std::string> names;
    for (const auto* name : {asked_first ? &hints.model : &reading.model, asked_first ? &reading.model : &hints.model})
        if (!name->empty() && std::ranges::find(names, *name) == names.end()) names.push_back(*name);
    return names;
}

// A charge of 0 for something that was used is a price only where the book or the offer's name says so.
bool is_price(const Reading& reading, const Booked& booked, const std::vector<std::string>& names) {
    if (*reading.charged != Amount{}) return true;
    if (reading.buckets.empty() || (booked.by_book && *booked.by_book == Amount{})) return true;
    return std::ranges::any_of(names, [](const std::string& name) { return name.ends_with(":free"); });
}

void book_charge(const Reading& reading, const std::vector<std::string>& names, Booked& booked) {
    booked.cost = booked.by_book;
    if (!reading.charged) return;
    if (is_price(reading, booked, names)) {
        booked.cost = reading.charged;
        booked.by_provider = true;
        if (booked.by_book && booked.by_book->text() != reading.charged->text())
            warn(booked.warnings, fmt::format("by the book it would be {}", booked.by_book->text()));
        return;
    }
    warn(booked.warnings, booked.by_book
                              ? "the provider says that it charged 0, which may be no price: the book's is taken"
                              : "the provider says that it charged 0, which may be no price, and the book has none");
}

// What other models did for it, each at its own price.
void add_others(const Reading& reading, const Hints& hints, const Circumstances& now, const Books* books,
                Booked& booked) {
    for (const auto& other : reading.others) {
        const auto found =
            books == nullptr ? Found{} : books->find(hints.provider, {other.model}, now.time_ms, now.time_ms);
        const auto cost = found.entry != nullptr ? cost_of(other.buckets, *found.entry, now) : Cost{};
        if (!cost.amount || cost.incomplete) {
            warn(booked.warnings,
                 fmt::format("the part of {} has no price in the book: not in the cost", printable(other.model, 60)));
            continue;
        }
        warn(booked.warnings, fmt::format("{} of the cost are {}'s part, by its own price", cost.amount->text(),
                                          printable(other.model, 60)));
        for (const auto& line : cost.lines) booked.lines.push_back(line);
        if (booked.by_book) *booked.by_book += *cost.amount;
    }
}

void price(const Reading& reading, const Hints& hints, std::int64_t time_ms, const Books* books, Booked& booked) {
    if (booked.entry == nullptr) return;
    const Circumstances now{time_ms, reading.service_tier, reading.region};
    auto cost = cost_of(reading.buckets, *booked.entry, now);
    booked.by_book = cost.amount;
    booked.lines = std::move(cost.lines);
    for (auto& warning : cost.warnings) warn(booked.warnings, std::move(warning));
    add_others(reading, hints, now, books, booked);
}

}  // namespace

Booked book_at(const Entry* entry, const Reading& reading, const Hints& hints, std::int64_t time_ms,
               const Books* books) {
    Booked booked;
    booked.entry = entry;
    price(reading, hints, time_ms, books, booked);
    book_charge(reading, names_of(reading, hints), booked);
    return booked;
}

Booked book(const Reading& reading, const Attempt& attempt, const Books& books, std::int64_t now_ms) {
    Booked booked;
    if (!reading.found) return booked;
    auto hints = attempt.hints;
    if (trim(hints.provider).empty() && !reading.provider.empty()) {
        hints.provider = reading.provider;
        warn(booked.warnings, fmt::format("no provider is given: taken as {}'s", reading.provider));
    }
    const auto time_ms = attempt.time_ms ? attempt.time_ms : reading.time_ms;
    const auto names = names_of(reading, hints);
    auto found = books.find(hints.provider, names, time_ms, now_ms, {reading.provider, reading.by_shape});
    booked.entry = found.entry;
    for (auto& warning : found.warnings) warn(booked.warnings, std::move(warning));
    price(reading, hints, time_ms.value_or(now_ms), &books, booked);
    if (found.entry != nullptr && names.size() > 1) {
        const auto other =
            books.find(hints.provider, {names[1]}, time_ms, now_ms, {reading.provider, reading.by_shape});
        const Circumstances now{time_ms.value_or(now_ms), reading.service_tier, reading.region};
        if (other.entry != nullptr && cost_of(reading.buckets, *other.entry, now).amount != booked.by_book)
            warn(booked.warnings,
                 fmt::format("the line names {}, and its body {}, which cost differently: the price "
                             "is {}'s",
                             printable(hints.model, 60), printable(reading.model, 60), printable(names[0], 60)));
    }
    if (const auto age = found.entry != nullptr ? age_days(*found.entry, now_ms) : std::nullopt;
        age && *age >= kOldDays)
        warn(booked.warnings, fmt::format("this price was checked {} days ago, on {}", *age, found.entry->checked));
    if (const auto* whose = time_ms ? "the response's own" : "today's"; attempt.time_unread)
        warn(booked.warnings,
             fmt::format("the line's time is not read, {} is taken: write 2026-11-26T10:00:00Z", whose));
    else if (!time_ms && booked.entry != nullptr)
        warn(booked.warnings, "no time is given: today's price is taken");
    book_charge(reading, names, booked);
    return booked;
}

}  // namespace tandem::prices
