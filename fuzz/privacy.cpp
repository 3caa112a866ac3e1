// The detectors, the undoing of disguises, and taking out and putting back, on any text. The first byte says whether it
// is a document. Each byte of a canonical form comes from a place of the text, in order. What has been taken out is
// found no more, and an answer that says it all again is the same in pieces as whole.
#include "privacy/privacy.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "privacy/disguise.h"
#include "privacy/redact.h"
#include "privacy/restore.h"
#include "privacy/scan.h"

namespace privacy = tandem::privacy;
using tandem::config::Treatment;

namespace {

privacy::Detector& detector() {
    static const auto made = privacy::make_detector();
    return **made;
}

const privacy::Keys& keys() {
    static const auto folder = std::filesystem::temp_directory_path() / "tandem-fuzz-privacy";
    std::filesystem::create_directories(folder);
    static const auto made = privacy::Keys::open(folder, "");
    return **made;
}

void check_pieces(const privacy::Redaction& redaction, std::size_t step) {
    const auto stands = std::make_shared<const privacy::Stands>(redaction.used);
    for (const bool json : {false, true}) {
        const auto whole = privacy::restored(stands, redaction.body, json);
        privacy::Restorer restorer(stands, json);
        std::string out;
        for (std::size_t at = 0; at < redaction.body.size(); at += step)
            out += restorer.take(std::string_view(redaction.body).substr(at, step));
        out += restorer.end();
        if (out != whole) std::abort();
    }
}

void check_origins(const privacy::Folded& plain, std::size_t size) {
    if (plain.pieces.empty() || plain.pieces.back().begin != plain.text.size()) std::abort();
    std::size_t last = 0;
    for (std::size_t at = 0; at <= plain.text.size(); ++at) {
        const auto origin = plain.origin_of(at);
        if (origin < std::exchange(last, origin) || origin > size || plain.end_of(at) < origin) std::abort();
    }
}

void check_disguises(std::string_view text) {
    check_origins(privacy::canonical(text), text.size());
    for (const auto& plain : {privacy::fold(text), privacy::unwrapped(text)})
        if (plain) check_origins(*plain, text.size());
    privacy::each_encoded(text, [&](const privacy::Encoded& encoded) {
        if (encoded.begin >= encoded.end || encoded.end > text.size() || encoded.decoded.empty()) std::abort();
    });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    if (size < 2) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
    if ((data[0] & 1U) == 0) {
        const auto found = detector().scan(text, (data[0] & 2U) != 0);
        if (!found) std::abort();
        for (const auto& f : *found)
            if (f.begin > f.end || f.end > text.size()) std::abort();
        (void)privacy::scan(detector(), text, {});
        check_disguises(text);
        return 0;
    }
    tandem::json::Document document;
    if (!document.parse(text)) return 0;
    constexpr std::array<std::optional<Treatment>, 4> kAll = {std::nullopt, Treatment::redact, Treatment::redact,
                                                              Treatment::redact};
    const auto redaction = privacy::redact(document, detector(), {{}, kAll, (data[0] & 4U) != 0}, {}, keys());
    if (!redaction) return 0;
    tandem::json::Document again;
    if (!again.parse(redaction->body)) std::abort();
    // A byte order mark before the document is no part of it.
    if (redaction->used.empty() && redaction->body != document.source()) std::abort();
    check_pieces(*redaction, 1 + data[1] % 9U);
    return 0;
}
