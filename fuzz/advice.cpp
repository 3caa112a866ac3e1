// What owners write for advice: a profile that is taken gives a bounded number of requests in order, and a change of a
// config that is made can be made again without changing anything.
#include <cstdlib>

#include "advice/edit.h"
#include "advice/profile.h"

namespace {

using namespace tandem::advice;

void read_profile_of(std::string_view text) {
    const auto profile = read_profile(text, "work.yaml");
    if (!profile) {
        if (profile.error().message.empty()) std::abort();
        return;
    }
    double per_day = 0;
    for (const auto& work : profile->work) per_day += work.requests_per_day;
    constexpr double kQuick = 200;  // a request of a profile is like the next
    if (per_day > kQuick) return;
    const auto traffic = traffic_of(*profile, 1'772'323'200'000);
    if (traffic.requests.size() > Traffic::kMostRequests + profile->work.size()) std::abort();
    for (std::size_t i = 1; i < traffic.requests.size(); ++i)
        if (traffic.requests[i].time_ms < traffic.requests[i - 1].time_ms) std::abort();
    for (const auto& one : traffic.requests)
        if (one.time_ms < traffic.span.start || one.time_ms >= traffic.span.end) std::abort();
}

void change(std::string_view text) {
    for (const auto& [path, value] : {std::pair(std::vector<std::string>{"policy", "preset"}, "learned"),
                                      {std::vector<std::string>{"models", "a", "auto"}, "false"}}) {
        const auto once = with_value(text, path, value);
        if (!once) {
            if (once.error().message.find(value) == std::string::npos) std::abort();
            continue;
        }
        const auto twice = with_value(*once, path, value);
        if (!twice || *twice != *once) std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    read_profile_of(text);
    change(text);
    return 0;
}
