#include "net/multipart.h"

#include "base/text.h"

namespace tandem::net {

namespace {

constexpr std::size_t kMostParts = 100;

// The value of a parameter such as boundary=x or name="x".
std::string parameter(std::string_view header, std::string_view name) {
    for (std::size_t at = 0; at < header.size();) {
        auto end = at;
        bool quoted = false;
        for (; end < header.size() && (quoted || header[end] != ';'); ++end) {
            if (header[end] == '\\' && quoted && end + 1 < header.size())
                ++end;
            else if (header[end] == '"')
                quoted = !quoted;
        }
        const auto piece = trim(header.substr(at, end - at));
        const auto equals = piece.find('=');
        if (equals != std::string_view::npos && equals_ignoring_case(trim(piece.substr(0, equals)), name)) {
            auto value = trim(piece.substr(equals + 1));
            if (value.size() < 2 || value.front() != '"' || value.back() != '"') return std::string(value);
            value = value.substr(1, value.size() - 2);
            std::string text;
            for (std::size_t i = 0; i < value.size(); ++i) {
                if (value[i] == '\\' && i + 1 < value.size()) ++i;
                text += value[i];
            }
            return text;
        }
        at = end + 1;
    }
    return {};
}

}  // namespace

Result<std::vector<FormPart>> parse_form(std::string_view content_type, std::string_view body) {
    if (!lower(content_type).starts_with("multipart/form-data"))
        return fail(Fault::invalid_form,
                    "expected a body of multipart/form-data, with the fields 'purpose' and 'file'");
    const auto boundary = parameter(content_type, "boundary");
    if (boundary.empty() || boundary.size() > 70)
        return fail(Fault::invalid_form, "the content type names no boundary of at most 70 characters");
    const std::string mark = "--" + boundary;
    const std::string between = "\r\n" + mark;
    std::vector<FormPart> parts;
    auto at = body.starts_with(mark) ? 0 : body.find(between);
    if (at == std::string_view::npos) return fail(Fault::invalid_form, "the body has no part");
    if (at != 0) at += 2;
    while (true) {
        at += mark.size();
        if (body.substr(at).starts_with("--")) return parts;
        const auto line = body.find("\r\n", at);
        const auto head_end = body.find("\r\n\r\n", at);
        const auto end = head_end == std::string_view::npos ? head_end : body.find(between, head_end + 2);
        if (line == std::string_view::npos || end == std::string_view::npos || parts.size() == kMostParts)
            return fail(Fault::invalid_form, "the body does not end with its boundary, or has more than 100 parts");
        FormPart part;
        auto head = body.substr(line + 2, head_end > line + 2 ? head_end - line - 2 : 0);
        while (!head.empty()) {
            const auto stop = std::min(head.find("\r\n"), head.size());
            const auto field = head.substr(0, stop);
            head.remove_prefix(std::min(stop + 2, head.size()));
            const auto colon = field.find(':');
            if (colon == std::string_view::npos || !equals_ignoring_case(field.substr(0, colon), "content-disposition"))
                continue;
            part.name = parameter(field.substr(colon + 1), "name");
            part.file_name = parameter(field.substr(colon + 1), "filename");
        }
        part.data = end >= head_end + 4 ? body.substr(head_end + 4, end - head_end - 4) : std::string_view();
        parts.push_back(std::move(part));
        at = end + 2;
    }
}

}  // namespace tandem::net
