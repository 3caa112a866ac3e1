#include "net/ndjson.h"

#include "base/text.h"

namespace tandem::net {

Result<> LineParser::feed(std::string_view bytes, const Visit& visit) {
    while (true) {
        const auto end = bytes.find('\n');
        if (partial_.size() + std::min(end, bytes.size()) > kLargestLine)
            return fail(Fault::provider_misspoke, "a line of the stream is larger than 8 MiB");
        if (end == std::string_view::npos) {
            partial_ += bytes;
            return {};
        }
        partial_ += bytes.substr(0, end);
        if (const auto line = trim(partial_); !line.empty()) visit(line);
        partial_.clear();
        bytes.remove_prefix(end + 1);
    }
}

void LineParser::finish(const Visit& visit) {
    if (const auto line = trim(partial_); !line.empty()) visit(line);
    partial_.clear();
}

}  // namespace tandem::net
