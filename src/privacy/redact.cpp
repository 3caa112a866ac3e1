#include "privacy/redact.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <set>
#include <tuple>

#include "base/text.h"
#include "privacy/privacy.h"
#include "privacy/standins.h"
#include "privacy/values.h"

namespace tandem::privacy {

namespace {

constexpr std::size_t kLargestRun = 4096;   // a longer finding is a file's bytes, not a value
constexpr std::size_t kMostFresh = 20'000;  // values of one request that are new; each costs a kilobyte

// What reads as a stand-in in a text, however it is written: "credit card 1", "CREDIT\_CARD-1". By its number, what
// stands before that.
class Names {
  public:
    void add(std::string_view text) {
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (std::isdigit(static_cast<unsigned char>(text[i])) == 0) continue;
            std::size_t end = i;
            std::int64_t number = 0;
            while (end < text.size() && std::isdigit(static_cast<unsigned char>(text[end])) != 0 && end - i < 10)
                number = number * 10 + (text[end++] - '0');
            std::string before;
            for (std::size_t at = i; at > 0 && before.size() < kLongestName; --at) {
                const char c = text[at - 1];
                if (c == '\\') continue;
                if (c == ' ' || c == '-' || c == '_')
                    before += '_';
                else if (std::isalpha(static_cast<unsigned char>(c)) != 0)
                    before += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
                else
                    break;
            }
            if (!before.empty()) names_[number].insert(std::move(before));  // backwards
            while (end < text.size() && std::isdigit(static_cast<unsigned char>(text[end])) != 0) ++end;
            i = end - 1;
        }
    }
    bool has(std::string_view type, std::int64_t number) const {
        const auto found = names_.find(number);
        if (found == names_.end()) return false;
        const std::string wanted(type.rbegin(), type.rend());
        return std::ranges::any_of(found->second, [&](std::string_view before) {
            return before.starts_with(wanted) || (before.starts_with('_') && before.substr(1).starts_with(wanted));
        });
    }

  private:
    static constexpr std::size_t kLongestName = 64;
    std::map<std::int64_t, std::set<std::string>> names_;
};

class Redactor {
  public:
    Redactor(Detector& detector, const RedactionRules& rules, const std::vector<StandIn>& known, const Keys& keys)
        : detector_(detector), rules_(rules), keys_(keys), names_(looks_for_names(rules.detection)) {
        for (const auto& entry : known) {
            next_[entry.type] = std::max(next_[entry.type], entry.number);
            // Two requests at once may have given one name twice: the first keeps it.
            if (taken_.insert(entry.text).second) known_.push_back(entry);
        }
    }

    Result<Redaction> run(const json::Document& document) {
        document.each_text([&](std::string_view text, bool) { names_in_it_.add(text); });
        whole_ = &document;
        for (const auto& entry : known_)
            if (!clashes(entry)) by_value_[key_of(entry.type, entry.value)] = entry;
        auto looked = look(document, kNestedLevels);
        if (!looked) return fail(looked.error());
        add_known();
        auto body = redacted(**looked);
        if (!body) return fail(body.error());
        if (result_.fresh.size() >= kMostFresh)
            return fail(Fault::redaction_impossible,
                        fmt::format("it holds {} private values or more, too many to be redacted", kMostFresh));
        result_.body = std::move(*body);
        return std::move(result_);
    }

  private:
    // A piece of the text that is looked at, and the value that it is of.
    struct Segment {
        std::size_t begin, end;
        json::Value value;
        bool key;
        bool fixed;  // a name by which something is called, which a stand-in cannot take the place of
    };
    struct Cut {
        std::size_t begin, end;
        std::string stand_in;
    };

    static std::string key_of(std::string_view type, std::string_view value) {
        return fmt::format("{}\n{}", type, normalized(type, value));
    }

    bool clashes(const StandIn& entry) const {
        if (entry.text.starts_with('<')) return names_in_it_.has(entry.type, entry.number);
        return whole_->source().find(entry.text) != std::string_view::npos;
    }

    // `glued`: it stands within a word, where only a placeholder is known again.
    const StandIn& stand_in_for(std::string_view type, std::string_view value, bool glued) {
        glued = glued && rules_.realistic;
        const auto key = key_of(type, value) + (glued ? "\nwithin a word" : "");
        auto found = by_value_.find(key);
        const bool fresh = found == by_value_.end();
        // Nothing of this request is sent, see run().
        if (fresh && result_.fresh.size() >= kMostFresh) return result_.fresh.front();
        if (fresh) {
            StandIn made{std::string(type), 0, {}, std::string(value)};
            do {
                made.number = ++next_[made.type];
                made.text =
                    rules_.realistic && !glued
                        ? realistic(keys_, type, value, fmt::format("{}\n{}", made.number, normalized(type, value)))
                        : "";
                if (made.text.empty() || made.text == value) made.text = placeholder(type, made.number);
            } while (clashes(made) || taken_.contains(made.text));
            taken_.insert(made.text);
            result_.fresh.push_back(made);
            found = by_value_.emplace(key, std::move(made)).first;
        }
        if (used_.insert(found->second.text).second) {
            result_.used.push_back(found->second);
            result_.stand_ins.push_back(found->second.text);
        }
        return found->second;
    }

    // What goes in the place of a finding; nullopt where it may stay.
    std::optional<std::string> replacement(std::string_view type, std::string_view value, Label label, bool glued) {
        const auto treatment = rules_.treatments[static_cast<std::size_t>(label)];
        if (treatment == config::Treatment::mask) {
            auto text = mask(type);
            if (used_.insert(text).second) result_.stand_ins.push_back(text);
            return text;
        }
        if (treatment == config::Treatment::redact) return stand_in_for(type, value, glued).text;
        return std::nullopt;
    }

    // The findings that have to go, merged where they overlap: the surest names the whole.
    struct Span {
        std::size_t begin, end;
        std::string_view type;
        Label label;
        float score;
    };
    // A document that was looked at, with those in its strings.
    struct Looked {
        const json::Document* document;
        std::string text;
        std::vector<Segment> segments;
        std::vector<Span> spans;
        struct Nested {
            json::Document document;
            std::unique_ptr<Looked> looked;
            std::size_t begin = 0, size = 0;  // of its bytes within the string
        };
        std::map<std::size_t, Nested> nested;  // by where the string's raw bytes begin
    };

    // The name of a tool, a call or a speaker is told by what stands beside it.
    static bool names_something(const json::Value& object) {
        return std::ranges::any_of(
            std::array{"role", "arguments", "parameters", "input_schema", "input", "function", "schema"},
            [&](const char* key) { return object[key].exists(); });
    }

    static void collect(const json::Value& value, Looked& looked, bool fixed) {
        auto& text = looked.text;
        if (!value.key().empty()) {
            looked.segments.push_back({text.size(), text.size() + value.key().size(), value, true, true});
            text += value.key();
            text += ": ";
        }
        if (value.is(json::Kind::string) || value.is(json::Kind::number)) {
            looked.segments.push_back({text.size(), text.size() + value.text().size(), value, false, fixed});
            text += value.text();
            text += '\n';
            return;
        }
        const bool names = value.is(json::Kind::object) && names_something(value);
        for (const json::Value child : value.children()) collect(child, looked, names && child.key() == "name");
    }

    // Looks at a document and at those in its strings, and notes what is found.
    Result<std::unique_ptr<Looked>> look(const json::Document& document, int levels) {
        auto looked = std::make_unique<Looked>();
        looked->document = &document;
        collect(document.root(), *looked, false);
        auto spans = spans_of(looked->text);
        if (!spans) return fail(spans.error());
        looked->spans = std::move(*spans);
        for (const auto& span : looked->spans)
            if (span.end - span.begin <= kLargestRun)
                values_.add(std::string_view(looked->text).substr(span.begin, span.end - span.begin), span.type,
                            span.label);
        if (levels == 0) return looked;
        for (const auto& segment : looked->segments) {
            const auto inner = trim(segment.value.text());
            if (segment.key || !(inner.starts_with('{') || inner.starts_with('['))) continue;
            auto& nested = looked->nested[segment.value.offset()];
            if (!nested.document.parse(inner)) {
                looked->nested.erase(segment.value.offset());
                continue;
            }
            nested.begin = static_cast<std::size_t>(inner.data() - segment.value.text().data());
            nested.size = inner.size();
            auto within = look(nested.document, levels - 1);
            if (!within) return within;
            nested.looked = std::move(*within);
        }
        return looked;
    }

    // What the conversation knows from before.
    void add_known() {
        const auto* const redacted = std::ranges::find(rules_.treatments, config::Treatment::redact);
        if (redacted == rules_.treatments.end()) return;
        for (const auto& entry : known_)
            values_.add(entry.value, entry.type, static_cast<Label>(redacted - rules_.treatments.begin()));
    }

    static const Segment* segment_of(const std::vector<Segment>& segments, std::size_t begin, std::size_t end) {
        const auto after = std::ranges::upper_bound(segments, begin, {}, [](const Segment& s) { return s.begin; });
        if (after == segments.begin()) return nullptr;
        const auto& segment = *std::prev(after);
        return end <= segment.end ? &segment : nullptr;
    }

    Result<std::vector<Span>> spans_of(std::string_view text) {
        const auto findings = scan_safely(detector_, text, names_);
        if (!findings) return fail(Fault::detector_failed, "a detector failed: " + findings.error().message);
        std::vector<Span> spans;
        for (const auto& f : *findings) {
            const auto label = label_of(f, rules_.detection);
            const auto treatment = rules_.treatments[static_cast<std::size_t>(label)];
            if (f.score < kSure || label == Label::public_ ||
                (treatment != config::Treatment::redact && treatment != config::Treatment::mask))
                continue;
            if (!spans.empty() && f.begin < spans.back().end) {
                auto& last = spans.back();
                last.end = std::max(last.end, f.end);
                if (f.score > last.score) {
                    last.type = f.type;
                    last.score = f.score;
                }
                last.label = higher(last.label, label);
            } else {
                spans.push_back({f.begin, f.end, f.type, label, f.score});
            }
        }
        return spans;
    }

    // All places that have to go: what was found, and where a value stands again. Those that overlap are one.
    std::vector<Span> places_of(const Looked& looked) const {
        auto spans = looked.spans;
        values_.each(looked.text, [&](std::size_t begin, std::size_t end, const Values::Value& value) {
            spans.push_back({begin, end, value.type, value.label, 0});
        });
        std::ranges::sort(spans, {}, [](const Span& s) { return std::tuple(s.begin, ~s.end, -s.score); });
        std::vector<Span> merged;
        for (const auto& span : spans) {
            if (merged.empty() || span.begin >= merged.back().end) {
                merged.push_back(span);
                continue;
            }
            auto& last = merged.back();
            last.end = std::max(last.end, span.end);
            if (span.score > last.score) {
                last.type = span.type;
                last.score = span.score;
            }
            last.label = higher(last.label, span.label);
        }
        return merged;
    }

    Result<std::string> redacted(const Looked& looked) {
        const auto& [document, text, segments, found, nested_in] = looked;
        std::map<std::size_t, std::vector<Cut>> cuts;  // by where the value's raw bytes begin
        std::map<std::size_t, json::Value> values;
        std::map<std::size_t, std::string> rewritten;  // of JSON in strings
        for (const auto& segment : segments) {
            const auto nested = nested_in.find(segment.value.offset());
            if (segment.key || nested == nested_in.end()) continue;
            auto body = redacted(*nested->second.looked);
            if (!body) return body;
            if (*body == nested->second.document.source()) continue;
            std::string whole(segment.value.text());
            whole.replace(nested->second.begin, nested->second.size, *body);
            rewritten[segment.value.offset()] = std::move(whole);
            values[segment.value.offset()] = segment.value;
        }
        const auto spans = places_of(looked);
        std::size_t covered = 0;
        for (const auto& span : spans) {
            if (span.begin < covered) continue;
            const auto* segment = segment_of(segments, span.begin, span.end);
            if (segment == nullptr || segment->fixed)
                return fail(Fault::redaction_impossible,
                            fmt::format("{} stands in the name of a field, a tool or a speaker, or "
                                        "across two strings, where it cannot be taken out",
                                        span.type));
            covered = span.end;
            const auto at = segment->value.offset();
            if (rewritten.contains(at)) continue;  // what it has was taken out as JSON
            if (span.end - span.begin > kLargestRun)
                return fail(
                    Fault::redaction_impossible,
                    fmt::format("{} stands in the bytes of a file, which cannot be sent without it", span.type));
            const auto value = std::string_view(text).substr(span.begin, span.end - span.begin);
            const bool glued = (span.begin > segment->begin && word_byte(text[span.begin - 1])) ||
                               (span.end < segment->end && word_byte(text[span.end]));
            auto stand_in = replacement(span.type, value, span.label, glued);
            if (!stand_in) continue;
            ++result_.counts[std::string(span.type)];
            cuts[at].push_back({span.begin - segment->begin, span.end - segment->begin, std::move(*stand_in)});
            values[at] = segment->value;
        }
        return spliced(*document, values, cuts, rewritten);
    }

    static std::string spliced(const json::Document& document, const std::map<std::size_t, json::Value>& values,
                               const std::map<std::size_t, std::vector<Cut>>& cuts,
                               const std::map<std::size_t, std::string>& rewritten) {
        const auto source = document.source();
        std::string out;
        out.reserve(source.size());
        std::size_t at = 0;
        for (const auto& [offset, value] : values) {
            out += source.substr(at, offset - at);
            std::string text;
            if (const auto whole = rewritten.find(offset); whole != rewritten.end()) {
                text = whole->second;
            } else {
                std::size_t last = 0;
                const auto old = value.text();
                for (const auto& cut : cuts.at(offset)) {
                    text += old.substr(last, cut.begin - last);
                    text += cut.stand_in;
                    last = cut.end;
                }
                text += old.substr(last);
            }
            json::append_string(out, text);
            at = offset + value.raw().size();
        }
        out += source.substr(at);
        return out;
    }

    Detector& detector_;
    const RedactionRules& rules_;
    const Keys& keys_;
    const bool names_;
    const json::Document* whole_ = nullptr;
    std::vector<StandIn> known_;
    Names names_in_it_;  // in the whole document
    std::set<std::string> taken_, used_;
    std::map<std::string, std::int64_t, std::less<>> next_;
    std::map<std::string, StandIn> by_value_;
    Values values_;  // found anywhere in the document, or earlier in the conversation
    Redaction result_;
};

}  // namespace

std::string Redaction::summary() const {
    std::string text;
    for (const auto& [type, count] : counts) text += fmt::format("{}{}:{}", text.empty() ? "" : ",", type, count);
    return text;
}

Result<Redaction> redact(const json::Document& document, Detector& detector, const RedactionRules& rules,
                         const std::vector<StandIn>& known, const Keys& keys) {
    return Redactor(detector, rules, known, keys).run(document);
}

}  // namespace tandem::privacy
