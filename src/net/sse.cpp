#include "net/sse.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace tandem::net {

namespace {

// Where the first line ends; npos where none does. Each byte is looked at with memchr, which takes many at once.
std::size_t end_of_line(std::string_view bytes) {
    const auto newline = bytes.find('\n');
    const auto carriage_return = bytes.substr(0, newline).find('\r');
    return std::min(newline, carriage_return);
}

}  // namespace

Result<> SseParser::feed(std::string_view bytes, const Visit& visit) {
    while (!bytes.empty()) {
        if (after_cr_) {
            after_cr_ = false;
            if (bytes.front() == '\n') {
                bytes.remove_prefix(1);
                continue;
            }
        }
        const auto end = end_of_line(bytes);
        const auto piece = bytes.substr(0, end);
        if (partial_.size() + data_.size() + piece.size() > kLargestEvent)
            return fail(Fault::provider_misspoke,
                        fmt::format("the provider sent an event larger than {} bytes", kLargestEvent));
        if (end == std::string_view::npos) {
            partial_ += piece;
            break;
        }
        after_cr_ = bytes[end] == '\r';
        bytes.remove_prefix(end + 1);
        if (partial_.empty()) {
            line(piece, visit);
        } else {
            partial_ += piece;
            line(partial_, visit);
            partial_.clear();
        }
    }
    return {};
}

void SseParser::finish(const Visit& visit) {
    if (!partial_.empty()) line(partial_, visit);
    partial_.clear();
    dispatch(visit);
}

void SseParser::line(std::string_view line, const Visit& visit) {
    if (at_start_) {
        at_start_ = false;
        line = without_byte_order_mark(line);
    }
    if (line.empty()) {
        dispatch(visit);
        return;
    }
    const auto colon = line.find(':');
    const auto field = line.substr(0, colon);
    auto value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    if (field == "data") {
        if (has_data_) data_ += '\n';
        data_ += value;
        has_data_ = true;
    } else if (field == "event") {
        type_ = value;
    } else if (colon == 0) {
        ++comments_;
    }
}

void SseParser::dispatch(const Visit& visit) {
    if (has_data_) visit({type_.empty() ? std::string_view("message") : std::string_view(type_), data_});
    has_data_ = false;
    data_.clear();
    type_.clear();
}

void append_sse_event(std::string& out, std::string_view data) {
    while (true) {
        const auto end = end_of_line(data);
        out += "data: ";
        out += data.substr(0, end);
        out += '\n';
        if (end == std::string_view::npos) break;
        const bool crlf = data.substr(end, 2) == "\r\n";
        data.remove_prefix(end + (crlf ? 2 : 1));
    }
    out += '\n';
}

std::string sse_event(std::string_view data) {
    std::string out;
    append_sse_event(out, data);
    return out;
}

}  // namespace tandem::net
