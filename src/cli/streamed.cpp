#include "cli/streamed.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "cli/terminal.h"
#include "dialect/openai_chat.h"

namespace tandem::cli {

Streamed::Streamed(bool print) : print_(print), reader_(dialect::openai_chat::dialect().reader()) {}

void Streamed::take(const net::Fields& headers, std::string_view piece) {
    decision_ = headers.get("x-tandem-decision");
    warnings_ = headers.get("x-tandem-warnings");
    auto fed = parser_.feed(piece, [&](const net::SseEvent& event) { take_event(event.data); });
    if (!fed) error_ = fed.error().message;
}

void Streamed::take_event(std::string_view data) {
    if (data == dialect::openai_chat::kDone) {
        done_ = true;
        return;
    }
    if (!document_.parse(data)) return;
    std::vector<chat::Event> events;
    reader_->piece(document_.root(), events);
    for (const auto& event : events) {
        if (const auto* delta = std::get_if<chat::TextDelta>(&event)) {
            text_ += delta->text;
            if (print_) {
                std::fwrite(delta->text.data(), 1, delta->text.size(), stdout);
                std::fflush(stdout);
            }
        } else if (const auto* failure = std::get_if<chat::Failed>(&event)) {
            error_ = failure->error.message;
        }
    }
}

void print_warnings(std::string_view warnings) {
    if (warnings.empty()) return;
    if (isatty(STDERR_FILENO) != 0)
        print_dim(warnings);
    else
        fmt::print(stderr, "tandem: {}\n", warnings);
}

namespace {

// What all attempts are booked at; where the answer's machine has a cost, what it cost there.
std::string cost_text(Money booked, const json::Value& home, std::string_view currency) {
    if (!home.exists()) return fmt::format("{} {}", booked.text(), currency);
    return fmt::format(
        "{}{} {} ({})", booked == Money{} ? "" : fmt::format("{} {} and at home ", booked.text(), currency),
        Money::from_micros(home["total_micros"].integer().value_or(0)).text(), currency, home["text"].text());
}

}  // namespace

void print_record(const Remote& remote, const std::string& decision, const config::Config& config) {
    auto answer = call(remote, {.path = "/tandem/v1/decisions/" + decision, .headers = {}, .body = {}});
    json::Document document;
    if (!answer || answer->status != 200 || !document.parse(answer->body)) return;
    const auto root = document.root();
    for (const json::Value attempt : root["attempts"].children()) {
        if (attempt["outcome"].text() != "answered") continue;
        const auto usage = attempt["usage"];
        print_dim(fmt::format("{} at {} ({}), {}; {}{} + {} tokens, {}, {} ms, {}", attempt["model"].text(),
                              attempt["provider"].text(), attempt["zone"].text(), root["decision"]["why"].text(),
                              usage["estimated"].boolean().value_or(false) ? "about " : "", usage["input"].raw(),
                              usage["output"].raw(),
                              cost_text(Money::from_micros(root["cost_micros"].integer().value_or(0)),
                                        attempt["at_home"], config.currency),
                              attempt["total_ms"].raw(), decision));
    }
}

}  // namespace tandem::cli
