#include "translate/unsaid.h"

#include <fmt/format.h>

#include <vector>

namespace tandem::translate {

void Unsaid::add(const chat::Media& media) {
    if (media.media_type.starts_with("image/"))
        ++pictures_;
    else if (media.media_type.starts_with("audio/"))
        ++sounds_;
    else
        ++files_;
}

std::string Unsaid::text(std::string_view provider) const {
    std::vector<std::string> kinds;
    auto name = [&kinds](std::int64_t count, std::string_view one, std::string_view more) {
        if (count > 0) kinds.push_back(fmt::format("{} {}", count, count == 1 ? one : more));
    };
    name(pictures_, "picture", "pictures");
    name(sounds_, "sound", "sounds");
    name(files_, "file", "files");
    if (kinds.empty()) return {};
    return fmt::format("the answer of {} has {}, which the client's API has no place for: left out", provider,
                       fmt::join(kinds, ", "));
}

}  // namespace tandem::translate
