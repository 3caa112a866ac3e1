// What detectors find, in the owner's words: `privacy.detect` gives each a label.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/label.h"

namespace tandem::config {

enum class Category : std::uint8_t {
    credential,
    card,
    iban,
    account,
    national_id,
    document,
    birth_date,
    email,
    phone,
    address,
    plate,
    crypto,
    coordinates,
    ip,
    mac,
    date,
    person,
    organization,
    place,
    own,  // the owner's own words, patterns and values, each with a label of its own
};
inline constexpr std::size_t kCategories = 19;  // without `own`
inline constexpr std::array<std::string_view, kCategories> kCategoryNames = {
    "credential", "card",  "iban",    "account",      "national_id", "document",    "birth_date",
    "email",      "phone", "address", "plate",        "crypto",      "coordinates", "ip",
    "mac",        "date",  "person",  "organization", "place"};

// What a kind of finding raises the label to.
struct Detection {
    std::array<Label, kCategories> labels = {Label::secret,   Label::private_, Label::private_, Label::private_,
                                             Label::private_, Label::private_, Label::private_, Label::internal,
                                             Label::internal, Label::internal, Label::internal, Label::internal,
                                             Label::internal, Label::public_,  Label::public_,  Label::public_,
                                             Label::public_,  Label::public_,  Label::public_};
    Label of(Category category) const { return labels[static_cast<std::size_t>(category)]; }
    Label& of(Category category) { return labels[static_cast<std::size_t>(category)]; }
};

}  // namespace tandem::config
