// An answer put together from its events, and small questions about parts.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chat/conversation.h"

namespace tandem::chat {

struct Choice {
    std::vector<Part> parts;  // in the order in which they began
    std::optional<Finished> finished;
    Raw logprobs;
};

struct Answer {
    std::string id;
    std::string model;
    std::vector<Choice> choices;
    std::optional<Usage> usage;
    std::optional<Error> failed;
};

// Takes events in any order that upstreams send them in: calls that interleave, reasoning that comes back after text.
class Assembler {
  public:
    // `dialect`: whose signatures reasoning carries.
    explicit Assembler(std::string dialect) : dialect_(std::move(dialect)) {}
    void take(const Event& event);
    const Answer& answer() const { return answer_; }
    Answer release() { return std::move(answer_); }

  private:
    struct Open {
        std::map<std::int64_t, std::size_t> calls;  // index of a call -> place among the parts
        bool reasoning_closed = true;
    };
    Choice& choice(std::int64_t index);
    template <typename T>
    T& last(std::int64_t choice);

    std::string dialect_;
    Answer answer_;
    std::vector<Open> open_;
};

// The events that would have made this answer, without Started.
std::vector<Event> events_of(const Answer& answer);

// The part of a conversation that media are, by their type: a picture, sound or a file.
Part part_of(Media media);
// The media of a part; null where it has none.
const Media* media_of(const Part& part);

// All text of these parts, reasoning and calls aside.
std::string text_of(const std::vector<Part>& parts);

// Text of the last turn of a user; empty where there is none.
std::string last_user_text(const Request& request);

// Arguments as servers write them, as the one object that they mean: {} for nothing and null, what a text of an object
// says, and what stands behind an empty object. Anything else stays as it is.
std::string one_object(std::string_view arguments);

// `arguments` as a JSON object: as it is where it is one, {} where it is empty, else {"arguments": "..."} with the text
// in it, so that a malformed call in a replayed history does not end the conversation.
std::string arguments_object(std::string_view arguments);

// Whether `text` is one whole JSON object.
bool is_json_object(std::string_view text);

}  // namespace tandem::chat
