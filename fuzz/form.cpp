// Uploads: the first line is the content type, the rest the body. Parts lie inside the body.
#include <cstdlib>

#include "net/multipart.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto line = text.find('\n');
    if (line == std::string_view::npos) return 0;
    const auto body = text.substr(line + 1);
    const auto parts = tandem::net::parse_form(text.substr(0, line), body);
    if (!parts) return 0;
    for (const auto& part : *parts)
        if (!part.data.empty() &&
            (part.data.data() < body.data() || part.data.data() + part.data.size() > body.data() + body.size()))
            std::abort();
    return 0;
}
