// The check between a request's header and everything behind it: are its bounds beyond doubt?
//
// Two servers that disagree on where a request ends can be made to smuggle one inside another. Beast accepts more than
// RFC 9112 allows (docs/internals/architecture.md lists it), so the raw bytes of the head pass this check first, and
// what two readers could read differently is refused.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tandem::net {

struct Refusal {
    int status = 400;
    std::string message;
};

struct Framing {
    bool chunked = false;
    std::uint64_t content_length = 0;  // 0 where there is no body
    bool keep_alive = true;
    bool expect_continue = false;
    bool http10 = false;
};

// Where the head ends: one past its blank line, or npos. Looks only at bytes from `from` on, less three.
std::size_t head_end(std::string_view bytes, std::size_t from);

// What a checked head says, as slices of it.
struct HeadParts {
    std::string_view method;
    std::string_view target;
    std::vector<std::pair<std::string_view, std::string_view>>
        fields;  // names as sent, values without white space around
};

// `head` is a whole request head with its blank line. At most `max_fields` header fields are taken. `parts`, where it
// is given, is filled with what was checked, so that nothing parses it a second time and differently.
std::expected<Framing, Refusal> check_framing(std::string_view head, std::size_t max_fields,
                                              HeadParts* parts = nullptr);

}  // namespace tandem::net
