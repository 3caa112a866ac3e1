#include "upstream/bound_words.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace tandem::upstream {

namespace {

constexpr int kBadRequest = 400, kUnprocessable = 422;

// What servers say of a field that they do not know. A bound that is only too high reads otherwise.
bool is_about_the_word(std::string_view text) {
    static constexpr std::array kWords = std::to_array<std::string_view>(
        {"unsupported", "not supported", "unrecognized", "unknown", "unexpected", "extra", "not permitted",
         "not allowed", "instead", "no such", "invalid parameter", "invalid field"});
    return std::ranges::any_of(kWords, [&](auto word) { return text.find(word) != std::string_view::npos; });
}

}  // namespace

std::string_view BoundWords::of(const std::string& provider, const std::string& model) const {
    const std::lock_guard lock(mutex_);
    const auto found = words_.find({provider, model});
    return found == words_.end() ? std::string_view() : found->second;
}

bool BoundWords::learn(const std::string& provider, const std::string& model, int status, std::string_view body) {
    if (status != kBadRequest && status != kUnprocessable) return false;
    const auto text = lower(body);
    const auto modern = text.find(kModern), plain = text.find(kPlain);
    if ((modern == std::string::npos && plain == std::string::npos) || !is_about_the_word(text)) return false;
    // The refused word stands first; the one to take instead may follow it.
    const auto other = modern < plain ? kPlain : kModern;
    const std::lock_guard lock(mutex_);
    if (words_.size() >= kMost) words_.clear();
    return words_.try_emplace({provider, model}, other).second;
}

}  // namespace tandem::upstream
