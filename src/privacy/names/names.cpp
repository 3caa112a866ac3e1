#include "privacy/names/names.h"

#include "privacy/names/model.h"

namespace tandem::privacy {

namespace {

using config::Category;

// An address says where in a street; what the model takes for one and has no number is the name of a place.
bool has_number(std::span<const Token> tokens) {
    return std::ranges::any_of(tokens, &Token::numeric);
}

// How sure: the mean distance between the name's tag and none, in the unit of the weights. Never as sure as a pattern
// whose form says what it is.
float score_of(std::span<const Fit> fits, Tag tag) {
    std::int64_t distance = 0;
    for (const Fit& fit : fits) distance += fit[tag] - fit[kNoName];
    const auto mean = static_cast<float>(distance) / static_cast<float>(fits.size());
    return kSure + 0.35F * std::clamp(mean / kCertain, 0.0F, 1.0F);
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
            add(tokens, name.tag, score_of(fits, name.tag));
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
