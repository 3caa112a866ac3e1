// The book as JSON, read and written.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "base/time_text.h"
#include "ledger/prices/book.h"

namespace tandem::prices {

namespace {

constexpr std::int64_t kFormat = 1;

std::unexpected<Error> wrong(std::string_view what) {
    return fail(ErrorCode::invalid, std::string(what));
}

// "16:30" in minutes.
std::optional<int> minute_from(std::string_view text) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto hour = whole_number(text.substr(0, colon)), minute = whole_number(text.substr(colon + 1));
    if (!hour || !minute || *hour > 24 || *minute > 59) return std::nullopt;
    return static_cast<int>((*hour * 60 + *minute) % 1440);
}

Result<Window> read_window(const json::Value& value) {
    Window window;
    const auto hours = value["hours"].string();
    const auto dash = hours ? hours->find('-') : std::string_view::npos;
    if (dash == std::string_view::npos) return wrong("hours are written as \"16:30-00:30\", in UTC");
    const auto from = minute_from(hours->substr(0, dash)), to = minute_from(hours->substr(dash + 1));
    if (!from || !to) return wrong("hours are written as \"16:30-00:30\", in UTC");
    window.from = *from;
    window.to = *to;
    if (!value["days"].exists()) return window;
    window.days = 0;
    for (const auto day : value["days"].children()) {
        const auto number = day.integer();
        if (!number || *number < 1 || *number > 7) return wrong("days are numbers from 1, Monday, to 7, Sunday");
        window.days |= 1U << (*number - 1);
    }
    return window;
}

Result<Card> read_card(const json::Value& value) {
    Card card;
    card.when.service = value["service"].text();
    card.when.region = value["region"].text();
    card.when.over = value["over"].integer();
    card.when.from = value["from"].integer();
    for (const auto one : value["windows"].children()) {
        auto window = read_window(one);
        if (!window) return fail(window.error());
        card.when.windows.push_back(*window);
    }
    for (const auto rate : value["rates"].children()) {
        const auto bucket = bucket_named(rate.key());
        if (!bucket) return wrong(fmt::format("'{}' is no bucket", printable(rate.key(), 40)));
        const auto amount = Amount::parse(rate.text());
        if (!amount || *amount < Amount{})
            return wrong(fmt::format("the rate of {} is no amount of money", rate.key()));
        card.rates.emplace_back(*bucket, *amount);
    }
    return card;
}

Result<> read_times(const json::Value& value, Entry& entry) {
    for (const auto& [name, time] : {std::pair{"from", &entry.from}, {"until", &entry.until}}) {
        const auto said = value[name].string();
        if (!said) continue;
        const auto read = time_from(*said);
        if (!read) return wrong(fmt::format("{} is no date: write 2026-11-26", name));
        *time = *read;
    }
    return {};
}

void write_windows(json::Writer& out, const std::vector<Window>& windows) {
    out.key("windows").begin_array();
    for (const auto& window : windows) {
        out.begin_object().member("hours", fmt::format("{:02}:{:02}-{:02}:{:02}", window.from / 60, window.from % 60,
                                                       window.to / 60, window.to % 60));
        if (window.days != Window{}.days) {
            out.key("days").begin_array();
            for (int day = 0; day < 7; ++day)
                if ((window.days >> day & 1U) != 0) out.value(day + 1);
            out.end_array();
        }
        out.end_object();
    }
    out.end_array();
}

void write_card(json::Writer& out, const Card& card) {
    out.begin_object();
    if (!card.when.service.empty()) out.member("service", card.when.service);
    if (!card.when.region.empty()) out.member("region", card.when.region);
    if (card.when.over) out.member("over", *card.when.over);
    if (card.when.from) out.member("from", *card.when.from);
    if (!card.when.windows.empty()) write_windows(out, card.when.windows);
    out.key("rates").begin_object();
    for (const auto& [bucket, rate] : card.rates) out.member(name_of(bucket), rate.plain());
    out.end_object().end_object();
}

}  // namespace

Result<Entry> read_entry(const json::Value& value) {
    Entry entry;
    entry.provider = value["provider"].text();
    entry.model = value["model"].text();
    if (entry.provider.empty() || entry.model.empty()) return wrong("provider and model are needed");
    auto match = value["match"].exists() ? Matcher::read(value["match"]) : Matcher::equals(entry.model);
    if (!match) return fail(match.error());
    entry.match = std::move(*match);
    if (auto ok = read_times(value, entry); !ok) return fail(ok.error());
    entry.source = value["source"].text();
    entry.checked = value["checked"].text();
    entry.note = value["note"].text();
    entry.search_once = value["search_once"].boolean().value_or(false);
    entry.least_seconds = std::clamp<std::int64_t>(value["least_seconds"].integer().value_or(0), 0, 3'600);
    for (const auto quota : value["free_quota"].children()) entry.free_quota.emplace(quota.key(), quota.text());
    if (value["cache_storage"].exists()) entry.cache_storage = Amount::parse(value["cache_storage"].text());
    for (const auto one : value["cards"].children()) {
        auto card = read_card(one);
        if (!card) return fail(card.error());
        entry.cards.push_back(std::move(*card));
    }
    if (entry.base() == nullptr) return wrong("a card without a condition is needed");
    return entry;
}

void write_entry(json::Writer& out, const Entry& entry) {
    out.begin_object().member("provider", entry.provider).member("model", entry.model);
    out.key("match");
    entry.match.write(out);
    if (entry.from != INT64_MIN) out.member("from", time_text(entry.from));
    if (entry.until != INT64_MAX) out.member("until", time_text(entry.until));
    if (!entry.source.empty()) out.member("source", entry.source);
    if (!entry.checked.empty()) out.member("checked", entry.checked);
    if (!entry.note.empty()) out.member("note", entry.note);
    if (entry.search_once) out.member("search_once", true);
    if (entry.least_seconds > 0) out.member("least_seconds", entry.least_seconds);
    if (!entry.free_quota.empty()) {
        out.key("free_quota").begin_object();
        for (const auto& [bucket, quota] : entry.free_quota) out.member(bucket, quota);
        out.end_object();
    }
    if (entry.cache_storage) out.member("cache_storage", entry.cache_storage->plain());
    out.key("cards").begin_array();
    for (const auto& card : entry.cards) write_card(out, card);
    out.end_array().end_object();
}

Result<Book> Book::parse(std::string_view json) {
    json::Document document;
    if (auto ok = document.parse(json); !ok)
        return fail(ErrorCode::invalid, "the price book is not JSON: " + ok.error().message);
    const auto root = document.root();
    if (root["format"].integer() != kFormat)
        return wrong("the price book has another format than this program reads: 1");
    Book book;
    book.made = root["made"].text();
    for (const auto source : root["sources"].children()) book.sources.emplace_back(source.text());
    for (const auto provider : root["providers"].children())
        if (auto ok = book.read_provider(provider); !ok) return fail(ok.error());
    for (const auto one : root["entries"].children()) {
        auto entry = read_entry(one);
        if (!entry) {
            return fail(ErrorCode::invalid, fmt::format("the price book's entry {} '{}': {}", book.entries_.size(),
                                                        printable(one["model"].text(), 60), entry.error().message));
        }
        book.add(std::move(*entry));
    }
    return book;
}

std::string Book::write() const {
    json::Writer out;
    out.begin_object().member("format", kFormat).member("made", made);
    out.key("sources").begin_array();
    for (const auto& source : sources) out.value(source);
    out.end_array().key("providers").begin_array();
    for (const auto& provider : providers_) {
        out.begin_object().member("id", provider.id);
        if (provider.owns) {
            out.key("owns");
            provider.owns->write(out);
        }
        out.key("stand_ins").begin_array();
        for (const auto& one : provider.stand_ins) out.value(one);
        out.end_array().end_object();
    }
    out.end_array().key("entries").begin_array();
    for (const auto& entry : entries_) write_entry(out, entry);
    out.end_array().end_object();
    return out.take();
}

}  // namespace tandem::prices
