#include "retrieval/index/labels.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "base/hash.h"
#include "privacy/privacy.h"

namespace tandem::retrieval {

namespace {

// How far the detectors are asked at once: their time grows with what they find in one text.
constexpr std::size_t kPiece = 256UL << 10;

// Raises the labels of the chunks in `text`, of which chunk i begins at `begins[i]`.
bool raise(const Detectors& detectors, std::string_view text, std::span<const std::size_t> begins,
           std::span<Label> labels) {
    const auto findings =
        privacy::scan_safely(*detectors.detector, text, privacy::looks_for_names(detectors.detection));
    if (!findings) {
        spdlog::error("the detectors failed on a file: what is in it counts as secret ({})", findings.error().message);
        return false;
    }
    for (const auto& finding : *findings) {
        if (finding.score < privacy::kSure) continue;
        const auto label = privacy::label_of(finding, detectors.detection);
        for (std::size_t i = 0; i < labels.size(); ++i) {
            const auto end = i + 1 < begins.size() ? begins[i + 1] : text.size();
            if (begins[i] < finding.end && finding.begin < end) labels[i] = higher(labels[i], label);
        }
    }
    return true;
}

}  // namespace

std::int64_t settings_of(const config::Privacy& privacy) {
    std::string all = TANDEM_VERSION;
    for (const auto label : privacy.detect.labels) all += fmt::format("|{}", static_cast<int>(label));
    for (const auto& own : privacy.own) {
        all += fmt::format("|{}|{}|{}", own.name, static_cast<int>(own.label), own.pattern);
        for (const auto& word : own.words) all += "|" + word;
        for (const auto& path : own.paths) all += "|" + path;
        for (const auto& secret : own.secrets) all += "|" + hex(sha256(secret->reveal()));
    }
    const auto digest = sha256(all);
    std::int64_t number = 0;
    for (std::size_t i = 0; i < 7; ++i) number = number << 8U | digest[i];
    return number;
}

std::vector<Label> labels_of(const Detectors& detectors, std::span<const Chunk> chunks) {
    std::vector<Label> labels(chunks.size(), Label::public_);
    for (std::size_t from = 0; from < chunks.size();) {
        std::string text;
        std::vector<std::size_t> begins;
        auto to = from;
        for (; to < chunks.size() && text.size() < kPiece; ++to) {
            begins.push_back(text.size());
            if (!chunks[to].heading.empty()) (text += chunks[to].heading) += '\n';
            (text += chunks[to].text) += '\n';
        }
        const auto part = std::span(labels).subspan(from, to - from);
        if (!raise(detectors, text, begins, part)) std::ranges::fill(part, Label::secret);
        // The next piece begins with the chunk that this one ended with: what stands across both is seen.
        from = to < chunks.size() && to - from > 1 ? to - 1 : to;
    }
    return labels;
}

Label label_of(const Detectors& detectors, std::string_view text) {
    const std::size_t begin = 0;
    Label label = Label::public_;
    return raise(detectors, text, {&begin, 1}, {&label, 1}) ? label : Label::secret;
}

}  // namespace tandem::retrieval
