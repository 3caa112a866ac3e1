#include "api/traffic.h"

#include "base/text.h"

namespace tandem::api {

namespace {

// One more of a name, or of "other" where there are as many names as may be.
template <typename Map, typename Name>
void count(Map& map, Name name, Name other, std::int64_t more) {
    if (auto found = map.find(name); found != map.end())
        found->second += more;
    else
        map[map.size() < Traffic::kMost ? std::move(name) : std::move(other)] += more;
}

// "IBAN_CODE:1,PERSON:2"
void count_redactions(std::map<std::string, std::int64_t>& map, std::string_view summary) {
    while (!summary.empty()) {
        const auto end = std::min(summary.find(','), summary.size());
        const auto one = summary.substr(0, end);
        const auto colon = std::min(one.rfind(':'), one.size());
        const auto number = whole_number(one.substr(std::min(colon + 1, one.size())));
        count(map, std::string(one.substr(0, colon)), std::string("other"), number.value_or(1));
        summary.remove_prefix(std::min(end + 1, summary.size()));
    }
}

}  // namespace

void Traffic::add(const gateway::RequestNote* note, int status) {
    Kind kind{"", "", "", std::to_string(status)};
    if (note != nullptr) {
        kind.alias = note->alias;
        if (note->label) kind.label = name_of(*note->label);
        if (note->zone) kind.zone = name_of(*note->zone);
    }
    Kind other{"other", "", "", kind.status};
    const std::lock_guard lock(mutex_);
    count(counts_.requests, std::move(kind), std::move(other), 1);
    if (note == nullptr) return;
    counts_.cached += note->cached ? 1 : 0;
    counts_.fallbacks += note->fallbacks;
    count_redactions(counts_.redactions, note->redacted);
}

Traffic::Counts Traffic::counts() const {
    const std::lock_guard lock(mutex_);
    return counts_;
}

}  // namespace tandem::api
