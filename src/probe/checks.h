// What the questions of several suites share: a request of one message, and how an answer is read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chat/conversation.h"
#include "probe/suite.h"

namespace tandem::probe {

// The last number that is said, commas between thousands left out; "12.00" is twelve.
std::optional<std::int64_t> last_number(std::string_view text);
// All whole numbers, in order.
std::vector<std::int64_t> numbers_in(std::string_view text);
// What is said, without what models like to put around it.
std::string bare(std::string_view text);
// Its words in lower case, letters and digits of ASCII and all bytes beyond; in order.
std::vector<std::string> words_of(std::string_view text);

// A request of Chat Completions: `more` are members behind the others (",\"stop\":[...]").
chat::Request request_of(std::string_view messages, std::int64_t most_tokens, std::string_view more = {});
chat::Request request_saying(std::string_view text, std::int64_t most_tokens, std::string_view more = {});

// A question of one request whose answer is right or not.
Question ask_one(std::string name, chat::Request request, std::function<bool(const chat::Told&)> right);
// The beginning of an answer, for people.
std::string said(const chat::Told& told);

}  // namespace tandem::probe
