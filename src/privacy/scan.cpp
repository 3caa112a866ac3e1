#include "privacy/scan.h"

#include <fmt/format.h>

namespace tandem::privacy {

Result<Scan> scan(Detector& detector, std::string_view text, const config::Detection& detection) {
    auto findings = detector.scan(text, true);
    if (!findings) return fail(findings.error());
    std::erase_if(*findings, [](const Finding& f) { return f.score < kTold; });
    Scan result;
    std::size_t byte = 0, point = 0;
    auto points_to = [&](std::size_t to) {
        for (; byte < to; ++byte) point += (static_cast<unsigned char>(text[byte]) & 0xC0) != 0x80 ? 1 : 0;
        return point;
    };
    for (const auto& finding : *findings)
        if (finding.score >= kSure) result.label = higher(result.label, label_of(finding, detection));
    for (const auto& finding : resolve(std::move(*findings))) {
        const auto start = points_to(finding.begin);
        result.spans.push_back({finding.detector, finding.type, start, points_to(finding.end),
                                label_of(finding, detection), finding.score});
    }
    return result;
}

std::string to_json(const Scan& scan, std::string_view id) {
    json::Writer out;
    out.begin_object();
    if (!id.empty()) out.member("id", id);
    out.member("label", name_of(scan.label)).key("spans").begin_array();
    for (const auto& span : scan.spans)
        out.begin_object()
            .member("type", span.type)
            .member("start", span.start)
            .member("end", span.end)
            .member("label", name_of(span.label))
            .raw_member("score", fmt::format("{:.2f}", span.score))
            .member("detector", span.detector)
            .end_object();
    out.end_array().end_object();
    return out.take();
}

}  // namespace tandem::privacy
