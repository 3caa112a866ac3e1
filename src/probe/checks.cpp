#include "probe/checks.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "dialect/openai_chat.h"

namespace tandem::probe {

namespace {

constexpr std::size_t kMostSaid = 100;      // bytes of an answer that are shown
constexpr std::size_t kLongestNumber = 15;  // digits

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_of_word(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
}

}  // namespace

std::optional<std::int64_t> last_number(std::string_view text) {
    std::string digits;
    for (std::size_t at = text.size(); at-- > 0;) {
        const bool between = text[at] == ',' && !digits.empty() && at > 0 && is_digit(text[at - 1]);
        if (is_digit(text[at]))
            digits.insert(digits.begin(), text[at]);
        else if (!between && !digits.empty())
            break;
        // "12.0" and "12.00" are twelve.
        if (digits.find_first_not_of('0') == std::string::npos && at > 0 && text[at - 1] == '.' && !digits.empty()) {
            digits.clear();
            --at;
        }
    }
    if (digits.empty() || digits.size() > kLongestNumber) return {};
    return std::stoll(digits);
}

std::vector<std::int64_t> numbers_in(std::string_view text) {
    std::vector<std::int64_t> list;
    for (std::size_t at = 0; at < text.size();) {
        if (!is_digit(text[at])) {
            ++at;
            continue;
        }
        std::size_t end = at;
        while (end < text.size() && is_digit(text[end])) ++end;
        if (end - at <= kLongestNumber) list.push_back(std::stoll(std::string(text.substr(at, end - at))));
        at = end;
    }
    return list;
}

std::string bare(std::string_view text) {
    constexpr std::string_view kAround = " \t\r\n\"'`*.";
    const auto first = text.find_first_not_of(kAround);
    if (first == std::string_view::npos) return {};
    return std::string(text.substr(first, text.find_last_not_of(kAround) + 1 - first));
}

std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> words;
    std::string word;
    for (const char c : text) {
        if (is_of_word(c)) {
            word += c;
            continue;
        }
        if (!word.empty()) words.push_back(lower(std::exchange(word, {})));
    }
    if (!word.empty()) words.push_back(lower(word));
    return words;
}

chat::Request request_of(std::string_view messages, std::int64_t most_tokens, std::string_view more) {
    json::Document document;
    const auto parsed = document.parse(
        fmt::format(R"({{"model":"any","messages":{},"max_tokens":{}{}}})", messages, most_tokens, more));
    auto request = parsed ? dialect::openai_chat::decode_request(document) : fail(parsed.error());
    return request ? std::move(*request) : chat::Request();  // what suites write is a request
}

chat::Request request_saying(std::string_view text, std::int64_t most_tokens, std::string_view more) {
    json::Writer messages;
    messages.begin_array().begin_object().member("role", "user").member("content", text).end_object().end_array();
    return request_of(messages.text(), most_tokens, more);
}

std::string said(const chat::Told& told) {
    return printable(trim(told.whole()), kMostSaid);
}

Question ask_one(std::string name, chat::Request request, std::function<bool(const chat::Told&)> right) {
    Question question;
    question.name = std::move(name);
    question.at_once.push_back({std::move(request)});
    question.judge = [right = std::move(right)](std::span<const Heard> heard) {
        Outcome outcome{right(heard[0].told), {}};
        if (!*outcome.passed) outcome.note = "said: " + said(heard[0].told);
        return outcome;
    };
    return question;
}

}  // namespace tandem::probe
