// What Tandem and the process that reads files say to each other: frames of a length and bytes. Both sides take what
// comes for hostile. Private to extract/.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/world.h"
#include "retrieval/extract/extracted.h"

namespace tandem::retrieval {

struct Question {
    std::string format, name;
    std::string_view bytes;  // borrowed from the frame
    std::size_t most_text = 0;
};

std::string encode(const Question& question);
// Errors: invalid.
Result<Question> decode_question(std::string_view frame);

// What came of a file: its blocks, or why there are none.
struct Answer {
    std::string why;  // empty: it was read
    Extracted extracted;
};
std::string encode(const Answer& answer);
// All texts are UTF-8, all places in order. Errors: invalid.
Result<Answer> decode_answer(std::string_view frame);

// Sends a frame over a socket, and waits for one, until the deadline. Errors: timeout; unavailable, where the other
// side is gone; too_large.
Result<> send_frame(int socket, std::string_view bytes, SteadyTime deadline);
Result<std::string> receive_frame(int socket, std::size_t most, SteadyTime deadline);

}  // namespace tandem::retrieval
