#include "cli/prices_apply.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/json.h"
#include "base/json_mend.h"
#include "base/text.h"
#include "chat/token_weights.h"

namespace tandem::cli {

namespace {

using prices::Amount;
using prices::Bucket;

// The id of a line that is not JSON, so that its owner finds it; "null" where there is none.
std::string id_in(std::string_view line) {
    const auto name = line.find("\"id\"");
    auto at = name == std::string_view::npos ? name : line.find(':', name);
    if (at == std::string_view::npos) return "null";
    auto rest = trim(line.substr(at + 1));
    const auto end = rest.starts_with('"') ? rest.find('"', 1) : rest.find_first_of(",}");
    if (end == std::string_view::npos) return "null";
    const auto id = std::string(trim(rest.substr(0, rest.starts_with('"') ? end + 1 : end)));
    json::Document check;
    return check.parse("[" + id + "]") ? id : "null";
}

Applied bad(std::string_view id, std::size_t number, std::string_view why) {
    json::Writer out;
    out.begin_object().raw_member("id", id);
    out.key("usage").null().key("cost").null().member("unit", "USD").key("source").null();
    out.key("warnings").begin_array().value(why).end_array();
    out.member("error", fmt::format("line {}: {}", number, why)).end_object();
    return {out.take(), true, false};
}

// What was said in an answer, in thousandths of a token: the strings that hold words, and what tools are called with.
std::int64_t thousandths_in(const json::Value& value, int depth) {
    constexpr int kDeepest = 8;
    constexpr std::array<std::string_view, 9> kWords = {
        "content", "text", "thinking", "reasoning", "reasoning_content", "response", "refusal", "arguments", "name"};
    constexpr std::array<std::string_view, 9> kHolders = {"choices", "candidates", "output",   "message",     "content",
                                                          "parts",   "tool_calls", "function", "functionCall"};
    if (depth > kDeepest) return 0;
    std::int64_t sum = 0;
    for (const auto one : value.children()) {
        const auto key = one.key();
        const auto text = one.string();
        if (depth == 0 && key == "name") continue;  // of a resource
        if (text && std::ranges::find(kWords, key) != kWords.end())
            sum += chat::thousandths_of(*text);
        else if (!text && (key == "input" || key == "args"))
            sum += chat::thousandths_of(one.raw());
        else if (!text && (value.is(json::Kind::array) || std::ranges::find(kHolders, key) != kHolders.end()))
            sum += thousandths_in(one, depth + 1);
    }
    return sum;
}

// An answer whose tokens are not said is estimated by its text, as the gateway does. Whether it was.
bool estimate_answer(const json::Value& body, prices::Reading& reading) {
    if (!reading.found || !body.is(json::Kind::object) || reading.buckets.answer() > 0) return false;
    if (reading.buckets.prompt() == 0 && !reading.partial) return false;  // not billed by tokens
    const auto inner = body["response"]["body"];                          // a line of a batch's output
    const auto tokens = chat::tokens_of_thousandths(thousandths_in(inner.exists() ? inner : body, 0));
    if (tokens == 0) return false;
    reading.buckets.add(Bucket::output, tokens);
    reading.warn(fmt::format("the answer's tokens are not said: {} are an estimate by its text", tokens));
    return true;
}

void write_usage(json::Writer& out, const prices::Reading& reading) {
    out.key("usage");
    if (!reading.found) {
        out.null();
        return;
    }
    out.begin_object();
    for (std::size_t i = 0; i < prices::kBuckets; ++i) {
        const auto bucket = static_cast<Bucket>(i);
        const auto count = reading.buckets[bucket];
        // A 0 of what every answer has is said; of the rest it is left out.
        if (count == 0 && bucket != Bucket::input && bucket != Bucket::output) continue;
        if (bucket == Bucket::seconds)
            out.raw_member(name_of(bucket),
                           Amount::from_atto(static_cast<Amount::Atto>(count) * 1'000'000'000'000'000).plain());
        else
            out.member(name_of(bucket), count);
    }
    out.end_object();
}

void write_amount(json::Writer& out, std::string_view name, const std::optional<Amount>& amount) {
    out.key(name);
    if (amount)
        out.value(amount->text());
    else
        out.null();
}

void write_entry(json::Writer& out, const prices::Entry* entry) {
    if (entry == nullptr) return;
    out.key("entry")
        .begin_object()
        .member("provider", entry->provider)
        .member("model", entry->model)
        .member("source", entry->source)
        .member("checked", entry->checked)
        .end_object();
}

std::string answer(std::string_view id, const prices::Reading& reading, const prices::Booked& booked, bool estimated) {
    json::Writer out;
    out.begin_object().raw_member("id", id);
    write_usage(out, reading);
    if (estimated) out.member("estimated", true);
    write_amount(out, "cost", booked.cost);
    out.member("unit", "USD").key("source");
    if (booked.cost)
        out.value(booked.by_provider ? "provider" : "book");
    else
        out.null();
    out.key("warnings").begin_array();
    for (const auto* list : {&reading.warnings, &booked.warnings})
        for (const auto& warning : *list) out.value(warning);
    out.end_array();
    if (reading.charged) {
        write_amount(out, "charged", reading.charged);
        write_amount(out, "book_cost", booked.by_book);
    }
    if (!reading.service_tier.empty()) out.member("service_tier", reading.service_tier);
    if (!reading.region.empty()) out.member("region", reading.region);
    write_entry(out, booked.entry);
    out.end_object();
    return out.take();
}

std::optional<std::int64_t> time_in(const json::Value& line, bool& unread) {
    for (const auto* name : {"time", "timestamp"})
        if (const auto value = line[name]; value.exists() && !value.is_null()) {
            if (const auto time = prices::time_of(value)) return time;
            unread = true;
        }
    return std::nullopt;
}

}  // namespace

Applied apply_prices(std::string_view line, std::size_t number, const prices::Books& books, std::int64_t now_ms) {
    json::Document document;
    if (auto ok = document.parse(line); !ok && !document.parse(json::mended(line)))
        return bad(id_in(line), number, "it is not JSON: " + ok.error().message);
    const auto root = document.root();
    const auto id = root["id"].exists() ? root["id"].raw() : std::string_view("null");
    if (!root.is(json::Kind::object))
        return bad("null", number,
                   "it is no object; a line is {\"id\",\"provider\",\"model\",\"dialect\",\"time\",\"body\"}");
    auto body = root["body"];
    if (!body.exists()) body = root["usage"];
    const auto text = body.string();
    if (!text && !body.is(json::Kind::object) && !body.is(json::Kind::array))
        return bad(id, number,
                   "it has no 'body': the provider's response, or its usage object, as an object or a string of JSON");
    prices::Attempt attempt;
    attempt.hints = {std::string(root["provider"].text()), std::string(root["model"].text()),
                     std::string(root["dialect"].text()), std::string(root["service_tier"].text()),
                     std::string(root["region"].text())};
    auto reading = text ? prices::read_usage(*text, attempt.hints) : prices::read_usage(body, attempt.hints);
    json::Document inside;
    const bool whole = !text || inside.parse(*text);
    const bool estimated = whole && estimate_answer(text ? inside.root() : body, reading);
    attempt.time_ms = time_in(root, attempt.time_unread);
    const auto booked = prices::book(reading, attempt, books, now_ms);
    return {answer(id, reading, booked, estimated), false, booked.cost.has_value()};
}

}  // namespace tandem::cli
