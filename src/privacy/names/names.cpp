#include "privacy/names/names.h"

#include "privacy/names/model.h"

namespace tandem::privacy {

namespace {

using config::Category;

// An address says where in a street; what the model takes for one and has no number is the name of a place.
bool has_number(std::span<const Token> tokens) {
    return std::ranges::any_of(tokens, &Token::numeric);
}

// The mean distance between the name's tag and none, in the unit of the weights.
float distance_of(std::span<const Fit> fits, Tag tag) {
    std::int64_t distance = 0;
    for (const Fit& fit : fits) distance += fit[tag] - fit[kNoName];
    return static_cast<float>(distance) / static_cast<float>(fits.size());
}

// A nearer name is none: in code and documentation most of these are words with a capital. Chosen by EWT's dev part and
// by how much is found in code.
constexpr float kLeast = 60;

// How sure. Never as sure as a pattern whose form says what it is.
float score_of(float distance) {
    return kSure + 0.35F * std::clamp(distance / kCertain, 0.0F, 1.0F);
}

// A name has a capital, or is a place that a list knows.
bool looks_like_a_name(std::span<const Token> tokens, Tag tag) {
    return std::ranges::any_of(tokens, [&](const Token& t) {
        return t.capital() || (tag >= kPlace && (t.kinds & (kPlaceName | kStreet)) != 0);
    });
}

// Among words in capitals ("QUESTION MARK") case says nothing: there a name has a word that lists have for nothing
// else.
bool is_shouted(std::span<const Token> tokens, const Name& name) {
    const auto loud = [](const Token& t) { return t.shape == Shape::capitals && t.end - t.begin > 2; };
    const auto named = tokens.subspan(name.begin, name.end - name.begin);
    const bool alone =
        (name.begin == 0 || !loud(tokens[name.begin - 1])) && (name.end == tokens.size() || !loud(tokens[name.end]));
    return std::ranges::any_of(named, loud) && (!alone || named.size() > 1) &&
           std::ranges::none_of(
               named,
               [](const Token& t) { return t.shape != Shape::capitals && t.shape != Shape::initial && t.capital(); }) &&
           std::ranges::none_of(named, [](const Token& t) {
               return (t.kinds & (kFirstName | kLastName | kPlaceName)) != 0 && (t.kinds & kCommonWord) == 0;
           });
}

// The name of a type in code: "Gate& gate", "Gate gate", "std::Gate", "list<Gate>", "`Gate`".
bool is_of_code(std::string_view text, std::span<const Token> tokens, const Name& name) {
    if (name.end - name.begin != 1) return false;
    const Token& token = tokens[name.begin];
    const std::string_view before = text.substr(0, token.begin), behind = text.substr(token.end);
    const bool in_list = before.ends_with('<') && before.size() > 1 && before[before.size() - 2] != ' ' &&
                         before[before.size() - 2] != '\n' && before[before.size() - 2] != '>';
    return behind.starts_with('&') || behind.starts_with('*') || behind.starts_with('{') || behind.starts_with("::") ||
           before.ends_with("::") || (before.ends_with('`') && behind.starts_with('`')) || in_list ||
           (name.end < tokens.size() && tokens[name.end].shape == Shape::lower && tokens[name.end].word == token.word);
}

class Finder {
  public:
    Finder(std::string_view text, std::vector<Finding>& findings) : text_(text), findings_(findings) {}

    void find() {
        for (std::size_t at = 0; at < text_.size();) {
            tokens_.clear();
            zones_.clear();
            at = read_tokens(text_, at, tokens_);
            find_zones(tokens_, zones_);
            for (const Zone& zone : zones_) look(zone);
        }
    }

  private:
    void look(const Zone& zone) {
        read_names(tokens_, zone, reading_);
        names_.clear();
        each_name(tokens_, zone, reading_.tags, names_);
        for (const Name& name : names_) {
            const std::span fits(reading_.fits.data() + (name.begin - zone.begin), name.end - name.begin);
            const std::span tokens(tokens_.data() + name.begin, name.end - name.begin);
            const float distance = distance_of(fits, name.tag);
            if (distance < kLeast || !looks_like_a_name(tokens, name.tag) || is_shouted(tokens_, name) ||
                is_of_code(text_, tokens_, name))
                continue;
            add(tokens, name.tag, score_of(distance));
        }
    }

    void add(std::span<const Token> tokens, Tag tag, float score) {
        const std::size_t begin = tokens.front().begin, end = tokens.back().end;
        switch (tag) {
            case kPerson:
                findings_.push_back({"person", "PERSON", Category::person, begin, end, score, {}});
                break;
            case kOrganization:
                findings_.push_back({"organization", "ORGANIZATION", Category::organization, begin, end, score, {}});
                break;
            case kAddress:
                if (has_number(tokens)) {
                    findings_.push_back({"address", "LOCATION", Category::address, begin, end, score, {}});
                    break;
                }
                [[fallthrough]];
            case kPlace:
                findings_.push_back({"place", "LOCATION", Category::place, begin, end, score, {}});
                break;
            case kNoName:
                break;
        }
    }

    std::string_view text_;
    std::vector<Finding>& findings_;
    std::vector<Token> tokens_;
    std::vector<Zone> zones_;
    std::vector<Name> names_;
    Reading reading_;
};

}  // namespace

void find_names(std::string_view text, std::vector<Finding>& findings) {
    Finder(text, findings).find();
}

}  // namespace tandem::privacy
