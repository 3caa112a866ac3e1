#include "privacy/values.h"

#include <algorithm>
#include <cctype>
#include <cstring>

#include "base/text.h"
#include "privacy/disguise.h"

namespace tandem::privacy {

namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

std::uint32_t head_of(std::string_view text, std::size_t at) {
    std::uint32_t head = 0;
    std::memcpy(&head, text.data() + at, sizeof head);
    return head;
}
std::size_t slot_of(std::uint32_t head) {
    return (head * 2654435761U) >> 16;
}

bool is_whole(std::string_view text, std::size_t begin, std::size_t end) {
    if (begin > 0 && word_byte(text[begin - 1]) && word_byte(text[begin])) return false;
    return end >= text.size() || !word_byte(text[end - 1]) || !word_byte(text[end]);
}

// A text's letters and digits, and where each was.
struct Bare {
    std::string text;
    std::vector<std::size_t> origin;
    explicit Bare(std::string_view canonical) {
        for (std::size_t i = 0; i < canonical.size(); ++i)
            if (word_byte(canonical[i])) {
                text += canonical[i];
                origin.push_back(i);
            }
    }
};

}  // namespace

void Values::Index::add(Needle needle) {
    const auto head = head_of(needle.text, 0);
    may_begin.set(slot_of(head));
    by_head[head].push_back(std::move(needle));
}

void Values::Index::each(std::string_view text,
                         const std::function<void(std::size_t, std::size_t, std::size_t)>& visit) const {
    if (by_head.empty()) return;
    for (std::size_t i = 0; i + kHead <= text.size(); ++i) {
        const auto head = head_of(text, i);
        if (!may_begin[slot_of(head)]) continue;
        const auto found = by_head.find(head);
        if (found == by_head.end()) continue;
        for (const auto& needle : found->second) {
            const auto end = i + needle.text.size();
            if (text.substr(i, needle.text.size()) != needle.text) continue;
            if (needle.within || is_whole(text, i, end)) visit(i, end, needle.value);
        }
    }
}

void Values::add(std::string_view value, std::string_view type, Label label) {
    if (value.size() < kAsWord) return;
    const auto [known, fresh] = known_.try_emplace(std::string(value), values_.size());
    if (!fresh) {
        auto& other = values_[known->second];
        other.label = higher(other.label, label);
        return;
    }
    const std::size_t number = values_.size();
    values_.push_back({std::string(type), label});
    const bool digits = std::ranges::any_of(value, is_digit);
    const bool letters = std::ranges::any_of(value, [](char c) { return word_byte(c) && !is_digit(c); });
    exact_.add({std::string(value), value.size() >= (letters ? kWithin : kDigitsWithin), number});
    const auto plain = lower(canonical(value).text);
    // A word alone is looked for as it is written only: a name in small letters may be any word.
    const bool parted = std::ranges::any_of(plain, [](char c) { return !word_byte(c); });
    if (plain.size() >= kAsWord && (digits || parted)) canonical_.add({plain, false, number});
    const auto bare = Bare(plain).text;
    if (digits && bare.size() >= kBare) bare_.add({bare, true, number});
}

void Values::each(std::string_view text, int depth, const Visit& visit) const {
    exact_.each(text,
                [&](std::size_t begin, std::size_t end, std::size_t value) { visit(begin, end, values_[value]); });
    const auto plain = canonical(text);
    const auto small = lower(plain.text);
    auto visit_plain = [&](std::size_t begin, std::size_t end, std::size_t value) {
        visit(plain.origin_of(begin), plain.end_of(end), values_[value]);
    };
    canonical_.each(small, visit_plain);
    if (!bare_.by_head.empty()) {
        const Bare bare(small);
        bare_.each(bare.text, [&](std::size_t begin, std::size_t end, std::size_t value) {
            visit_plain(bare.origin[begin], bare.origin[end - 1] + 1, value);
        });
    }
    if (depth == 0) return;
    each_encoded(plain.text, [&](const Encoded& encoded) {
        each(encoded.decoded, depth - 1, [&](std::size_t, std::size_t, const Value& value) {
            visit(plain.origin_of(encoded.begin), plain.end_of(encoded.end), value);
        });
    });
}

void Values::each(std::string_view text, const Visit& visit) const {
    if (!empty()) each(text, kDisguises - 1, visit);
}

}  // namespace tandem::privacy
