#include "engine/adopted.h"

#include <algorithm>
#include <array>

#include "config/names.h"

namespace tandem::engine {

#define TANDEM_ADOPTED_KINDS(X) \
    X(kOllama)                  \
    X(kLmStudio)

#define TANDEM_DECLARE(kind) extern const AdoptedKind kind;
TANDEM_ADOPTED_KINDS(TANDEM_DECLARE)
#undef TANDEM_DECLARE

const AdoptedKind* adopted_kind(const config::Provider& provider) {
#define TANDEM_LIST(kind) &kind,
    static constexpr auto kKinds = std::to_array<const AdoptedKind*>({TANDEM_ADOPTED_KINDS(TANDEM_LIST)});
#undef TANDEM_LIST
    const auto found = std::ranges::find(kKinds, provider.kind->name, &AdoptedKind::provider);
    return found == kKinds.end() ? nullptr : *found;
}

std::vector<AdoptedStatus> adopted_models(const config::Config& config, const config::Provider& provider,
                                          const std::vector<AdoptedModel>& list, const std::string& error) {
    const auto* kind = adopted_kind(provider);
    std::vector<AdoptedStatus> all;
    std::vector<bool> named(list.size(), false);
    for (const auto& model : config.models) {
        if (model.provider != provider.id || config::is_pattern(model.id)) continue;
        AdoptedStatus one;
        one.provider = provider.id;
        one.kind = kind->provider;
        one.model = model.id;
        one.name = model.name;
        if (!error.empty()) one.state = "unreachable";
        one.error = error;
        for (std::size_t at = 0; at < list.size(); ++at) {
            if (!kind->same(list[at].name, model.name)) continue;
            named[at] = true;
            one.said = list[at];
            if (list[at].loaded) one.state = "loaded";
        }
        all.push_back(std::move(one));
    }
    for (std::size_t at = 0; at < list.size(); ++at)
        if (list[at].loaded && !named[at])
            all.push_back({provider.id, std::string(kind->provider), "", list[at].name, "loaded", "", list[at]});
    return all;
}

}  // namespace tandem::engine
