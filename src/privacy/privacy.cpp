#include "privacy/privacy.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/hash.h"
#include "privacy/egress.h"

namespace tandem::privacy {

void Labelled::raise(Label to, std::string reason) {
    if (to == Label::public_) return;
    rest = higher(rest, to);
    add(std::move(reason), to);
}

void Labelled::recall(const Known& known, std::string_view why) {
    if (known.label == Label::public_) return;
    rest = higher(rest, known.rest);
    if (known.label > known.rest) found = static_cast<std::uint8_t>(found | 1U << static_cast<unsigned>(known.label));
    add(std::string(why), known.label);
}

void Labelled::find(Label what, std::string reason) {
    if (what == Label::public_) return;
    found = static_cast<std::uint8_t>(found | 1U << static_cast<unsigned>(what));
    add(std::move(reason), what);
}

void Labelled::add(std::string reason, Label of) {
    label = higher(label, of);
    reason += ": ";
    reason += name_of(of);
    if (std::ranges::find(reasons, reason) == reasons.end()) reasons.push_back(std::move(reason));
}

bool looks_for_names(const config::Detection& detection) {
    using enum config::Category;
    return std::ranges::any_of(std::array{person, organization, place},
                               [&](config::Category c) { return detection.of(c) > Label::public_; });
}

std::int64_t leaf_digest(const Keys& keys, std::string_view text) {
    return static_cast<std::int64_t>(keys.number_of("leaf\n" + std::string(text)));
}

namespace {

constexpr std::size_t kMostTogether = 8;      // texts that one finding may lie in, and still be released
constexpr std::size_t kLongestAlone = 4'096;  // bytes of a text that are looked at once more by themselves
constexpr std::size_t kAround = 256;          // bytes of its surroundings
constexpr int kMostLooks = 256;               // of them in one document

// The texts that findings lie in: notes their digests, and knows which of them were released.
class Texts {
  public:
    Texts(Detector& detector, std::string_view text, std::vector<Leaf> leaves, bool names,
          const ReleasedContent& content, std::vector<std::int64_t>& noted)
        : detector_(detector),
          text_(text),
          leaves_(std::move(leaves)),
          names_(names),
          content_(content),
          noted_(noted) {}

    // Whether it counts; what would have to be released so that it does not, is noted.
    bool counts(const Finding& finding) {
        if (content_.released.empty() && noted_.size() >= kMostLeaves) return true;
        const auto after = [](std::size_t at, const Leaf& leaf) { return at < leaf.end; };
        const auto first = std::upper_bound(leaves_.begin(), leaves_.end(), finding.begin, after);
        auto last = std::lower_bound(leaves_.begin(), leaves_.end(), finding.end,
                                     [](const Leaf& leaf, std::size_t at) { return leaf.begin < at; });
        if (first == leaves_.end() || first >= last || last - first > static_cast<std::ptrdiff_t>(kMostTogether))
            return true;
        --last;
        bool released = is_released(*first, *last);
        if (first == last) return !released;
        if (stands_at_end(finding, *first)) released = is_released(*first, *first) || released;
        if (stands_at_begin(finding, *last)) released = is_released(*last, *last) || released;
        return !released;
    }

  private:
    std::string_view text_of(const Leaf& leaf) const { return text_.substr(leaf.begin, leaf.end - leaf.begin); }

    bool is_released(const Leaf& first, const Leaf& last) {
        const auto [place, fresh] = known_.try_emplace({first.begin, last.begin}, false);
        if (!fresh) return place->second;
        if (content_.released.empty() && noted_.size() >= kMostLeaves) return false;
        std::string whole(text_of(first));
        for (const auto* leaf = &first; leaf != &last;) {
            ++leaf;
            whole += '\0';
            whole += text_of(*leaf);
        }
        const auto digest = note(whole);
        // The ends of a long text stand for it in the seams.
        if (&first == &last)
            if (const auto seam = seam_of(whole); seam.size() != whole.size()) note(seam);
        place->second = std::ranges::any_of(content_.released,
                                            [&](const auto& released) { return released->leaves.contains(digest); });
        return place->second;
    }

    std::int64_t note(std::string_view text) {
        const auto digest = leaf_digest(*content_.keys, text);
        if (noted_.size() < kMostLeaves && seen_.insert(digest).second) noted_.push_back(digest);
        return digest;
    }

    // The same is found in this text alone, and only runs on into the next one.
    bool stands_at_end(const Finding& finding, const Leaf& leaf) {
        if (finding.begin < leaf.begin || leaf.end - finding.begin > kLongestAlone) return false;
        const auto from = std::max(leaf.begin, finding.begin - std::min(finding.begin, kAround));
        return found_alone(finding, from, leaf.end,
                           [&](const Finding& alone) { return from + alone.begin == finding.begin; });
    }
    bool stands_at_begin(const Finding& finding, const Leaf& leaf) {
        if (finding.end > leaf.end || finding.end - leaf.begin > kLongestAlone) return false;
        return found_alone(finding, leaf.begin, std::min(leaf.end, finding.end + kAround),
                           [&](const Finding& alone) { return leaf.begin + alone.end == finding.end; });
    }
    template <typename Same>
    bool found_alone(const Finding& finding, std::size_t begin, std::size_t end, Same&& same) {
        if (looks_++ >= kMostLooks) return false;
        const auto alone = scan_safely(detector_, text_.substr(begin, end - begin), names_);
        return alone && std::ranges::any_of(*alone, [&](const Finding& one) {
                   return one.score >= kSure && one.detector == finding.detector && same(one);
               });
    }

    Detector& detector_;
    const std::string_view text_;
    const std::vector<Leaf> leaves_;
    const bool names_;
    const ReleasedContent& content_;
    std::vector<std::int64_t>& noted_;
    std::set<std::int64_t> seen_;
    std::map<std::pair<std::size_t, std::size_t>, bool> known_;  // by where the first and the last text begin
    int looks_ = 0;
};

// Gives each sure finding to `visit`, with its label and reason; where the detector fails, the whole is secret.
// `counts` says which of those that raise a label do.
template <typename Counts, typename Visit>
void each_sure(Detector& detector, std::string_view text, bool names, const config::Detection& detection,
               Labelled& labelled, Counts&& counts, Visit&& visit) {
    const auto findings = scan_safely(detector, text, names);
    if (!findings) {
        spdlog::error("a detector failed, the request stays home: {}", findings.error().message);
        labelled.raise(Label::secret, "a detector failed");
        return;
    }
    for (const auto& finding : *findings) {
        if (finding.score < kSure) continue;
        const auto label = label_of(finding, detection);
        if (label > Label::public_ && counts(finding)) visit(label, fmt::format("detector {}", finding.detector));
    }
}

struct Seams {
    std::string text;
    std::vector<Leaf> leaves;
};

// The seams with a break for each text that was released.
Seams fresh_seams(const json::Document& document, const ReleasedContent& content) {
    std::vector<Leaf> leaves;
    const auto all = seams(document, &leaves);
    Seams fresh;
    std::size_t last = 0;
    for (const auto& leaf : leaves) {
        fresh.text += all.substr(last, leaf.begin - last);  // the breaks between the kinds of seams
        last = leaf.end;
        const auto text = std::string_view(all).substr(leaf.begin, leaf.end - leaf.begin);
        const auto digest = leaf_digest(*content.keys, text);
        if (std::ranges::any_of(content.released, [&](const auto& r) { return r->leaves.contains(digest); })) {
            fresh.text += '\n';
            continue;
        }
        fresh.leaves.push_back({fresh.text.size(), fresh.text.size() + text.size()});
        fresh.text += text;
    }
    return fresh;
}

}  // namespace

void label_by_content(Detector& detector, const json::Document& document, const config::Detection& detection,
                      Labelled& labelled, const ReleasedContent& content) {
    std::optional<Texts> texts;
    // The texts are looked for once something is found: most requests hold nothing.
    auto counting = [&](const std::string& text, bool names, auto make) {
        texts.reset();
        return [&, names, make](const Finding& finding) {
            if (content.keys == nullptr) return true;
            if (!texts) {
                std::vector<Leaf> leaves;
                make(document, &leaves);
                texts.emplace(detector, text, std::move(leaves), names, content, labelled.leaves);
            }
            return texts->counts(finding);
        };
    };
    const bool names = looks_for_names(detection);
    const auto all = all_text(document);
    each_sure(detector, all, names, detection, labelled, counting(all, names, all_text),
              [&](Label label, std::string reason) { labelled.find(label, std::move(reason)); });
    // Most of what stands near a seam is found in the text too, and only what is cut stays when that is taken out.
    Labelled cut;
    const auto joined = seams(document);
    const auto cut_value = [&](Label label, std::string reason) { cut.raise(label, std::move(reason)); };
    each_sure(detector, joined, false, detection, cut, counting(joined, false, seams), cut_value);
    if (content.keys != nullptr && !content.released.empty()) {
        // Once more without what was released, which could hide what is cut beside it.
        const auto fresh = fresh_seams(document, content);
        each_sure(detector, fresh.text, false, detection, cut,
                  counting(fresh.text, false,
                           [&](const json::Document&, std::vector<Leaf>* leaves) { *leaves = fresh.leaves; }),
                  cut_value);
    }
    for (const auto& reason : cut.reasons)
        if (std::ranges::find(labelled.reasons, reason) == labelled.reasons.end()) {
            labelled.rest = higher(labelled.rest, cut.label);
            labelled.label = higher(labelled.label, cut.label);
            labelled.reasons.push_back(reason);
        }
}

void label_by_header(Detector& detector, std::string_view text, const config::Detection& detection,
                     Labelled& labelled) {
    each_sure(
        detector, text, looks_for_names(detection), detection, labelled, [](const Finding&) { return true; },
        [&](Label label, const std::string& reason) { labelled.raise(label, "header, " + reason); });
}

void label_by_text(Detector& detector, std::string_view text, const config::Detection& detection, Labelled& labelled) {
    each_sure(
        detector, text, looks_for_names(detection), detection, labelled, [](const Finding&) { return true; },
        [&](Label label, std::string reason) { labelled.find(label, std::move(reason)); });
}

namespace {

// The label of what is in a body whose stand-ins are taken for nothing; secret where it cannot be looked at.
Label label_of_rest(const Privacy::Ask& ask) {
    json::Document document;
    if (!document.parse(ask.body)) return Label::secret;
    Labelled labelled;
    for (auto text : {all_text(document), seams(document)}) {
        for (const auto& stand_in : ask.redacted->stand_ins)
            for (auto at = text.find(stand_in); at != std::string::npos; at = text.find(stand_in, at))
                text.replace(at, stand_in.size(), "\n");
        label_by_text(ask.redacted->detector, text, ask.redacted->detection, labelled);
    }
    return labelled.label;
}

}  // namespace

void Privacy::clear(Ask ask, store::Store::Job also, std::function<void(Result<Clearance>)> done) {
    if (ask.label > ask.clearance) {
        done(
            fail(Fault::no_candidate_for_label, fmt::format("the content is {}, and {} may see {} at most",
                                                            name_of(ask.label), ask.provider, name_of(ask.clearance))));
        return;
    }
    if (ask.redacted) {
        if (const auto left = label_of_rest(ask); left > ask.clearance) {
            done(fail(Fault::redaction_incomplete,
                      fmt::format("{} content is left after redaction, and {} may see {} at most; leave it out, or ask "
                                  "a model at home",
                                  name_of(left), ask.provider, name_of(ask.clearance))));
            return;
        }
    }
    if (ask.zone == Zone::local) {
        if (also)
            store_.submit(std::move(also), [](Result<> kept) {
                if (!kept) spdlog::error("a record was not kept: {}", kept.error().message);
            });
        done(Clearance(std::move(ask.provider), std::move(ask.body), std::move(ask.headers)));
        return;
    }
    auto record = std::make_shared<EgressRecord>();
    record->time = unix_ms(clock_.wall());
    record->decision = ask.decision.text();
    record->provider = ask.provider;
    record->model = ask.model;
    record->label = ask.label;
    record->rule = ask.rule;
    record->bytes = static_cast<std::int64_t>(ask.body.size());
    record->operation = ask.operation;
    record->clearance = ask.clearance;
    if (ask.redacted) record->redacted = ask.redacted->summary;
    for (const auto& header : ask.headers)
        record->headers += fmt::format("{}{}: {}", record->headers.empty() ? "" : "; ", header.name, header.value);
    auto clearance =
        std::make_shared<Clearance>(Clearance(std::move(ask.provider), std::move(ask.body), std::move(ask.headers)));
    auto hashed = [record, clearance, also = std::move(also)](store::Database& database) -> Result<> {
        record->body_sha256 = hex(sha256(clearance->body()));
        return also ? also(database) : Result<>();
    };
    this->record(record, std::move(hashed), [clearance, done = std::move(done)](Result<> written) {
        if (!written)
            done(fail(Fault::record_not_written,
                      fmt::format("the egress record could not be written, so nothing was sent: {}",
                                  written.error().message)));
        else
            done(std::move(*clearance));
    });
}

void Privacy::record(std::shared_ptr<EgressRecord> record, store::Store::Job also, std::function<void(Result<>)> done) {
    store_.submit(
        [record, also = std::move(also)](store::Database& database) -> Result<> {
            if (also)
                if (auto ok = also(database); !ok) return ok;
            return append(database, *record);
        },
        [told = told_, record, done = std::move(done)](Result<> written) {
            if (written && told) told(*record);
            done(std::move(written));
        });
}

void Privacy::record_release(std::string conversation, Label to, std::string reason, store::Store::Job also,
                             std::function<void(Result<>)> done) {
    auto record = std::make_shared<EgressRecord>();
    record->time = unix_ms(clock_.wall());
    record->decision = std::move(conversation);
    record->label = to;
    record->rule = std::move(reason);
    record->body_sha256 = hex(sha256(""));
    record->operation = kRelease;
    this->record(std::move(record), std::move(also), std::move(done));
}

}  // namespace tandem::privacy
