// providers: whom Tandem may ask.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "config/base_url.h"
#include "config/names.h"
#include "config/reader.h"

namespace tandem::config {

namespace {

constexpr std::array<std::string_view, 2> kTranslationNames = {"refuse", "drop"};

std::vector<std::string> names_of(auto& names) {
    return {names.begin(), names.end()};
}

std::vector<std::string> kinds_that(bool (*hold)(const provider::Kind&)) {
    std::vector<std::string> names;
    for (const auto* kind : provider::kinds())
        if (hold(*kind)) names.emplace_back(kind->name);
    return names;
}

// One that turns out to be empty, as a variable without a value may make it, is no word for the usual one: what is
// asked would go elsewhere than its owner thinks.
void read_base_url(Section& s, std::string& url) {
    const std::string usual = url.empty() ? "" : fmt::format("; leave it out for {}", url);
    const std::string unsaid(1, '\0');  // a variable that is not set leaves it so
    auto said = s.describing() ? std::string() : unsaid;
    s.text("base_url", said,
           About("address of its API", "by kind")
               .like(kServerAddressPattern, "http://127.0.0.1:8080/v1")
               .required_where("for `openai`, `responses` and `llama-server`", url.empty())
               .where("kind", kinds_that([](const provider::Kind& kind) {
                          return !kind.runs_here && kind.usual_url.empty();
                      })));
    if (said == unsaid || s.describing()) return;
    if (trim(said).empty()) return s.complain("base_url", "is empty" + usual);
    url = std::move(said);
}

}  // namespace

void read_provider(const std::string& id, Section& s, Config& config) {
    Provider provider;
    provider.id = id;
    if (!is_name(id)) s.complain("a provider's name has only letters, digits and . _ : / -");
    const auto kinds = provider::names();
    const auto missing = fmt::format("; there are: {}", join(names_of(kinds), ", "));
    std::optional<std::size_t> kind;
    s.choice(
        "kind", kind, kinds,
        About(
            "`engine` is a llama-server that Tandem runs, `command` another server that Tandem starts, `llama-server` "
            "one that runs already, `openai` Chat Completions and all servers that have it")
            .see("providers/README.md")
            .required(missing));
    if (kind) provider.kind = provider::kinds()[*kind];
    const bool engine = provider.kind->runs_here;
    provider.zone = engine ? Zone::local : Zone::cloud;
    std::optional<Zone> zone;
    s.choice("zone", zone, kZoneNames,
             About("`local` is this machine or a network that you trust, `cloud` everything else",
                   "`local` for `engine` and `command`")
                 .required_where("unless the kind is `engine` or `command`", !engine,
                                 ": local (this machine or a network that you trust) or cloud")
                 .where("kind", kinds_that([](const provider::Kind& each) { return !each.runs_here; })));
    provider.zone = zone.value_or(provider.zone);
    if (engine && provider.zone != Zone::local)
        s.complain("zone", "an engine runs on this machine, so its zone is local");
    if (s.describing() || !engine) {
        provider.base_url = provider.kind->usual_url;
        read_base_url(s, provider.base_url);
        provider.base_url = without_route(std::move(provider.base_url));
        while (provider.base_url.ends_with('/')) provider.base_url.pop_back();
        if (!provider.base_url.empty()) {
            const bool user = provider.base_url.find('@') != std::string::npos;
            if (!is_server_address(provider.base_url))
                s.complain(
                    "base_url",
                    fmt::format("expected a URL such as https://host/v1, without a query or a password in it, got '{}'",
                                user ? "a URL with a password" : printable(provider.base_url, 80)));
        }
        provider.base_url = provider::with_version(*provider.kind, std::move(provider.base_url));
    }
    provider.api_key = std::make_shared<const Secret>();
    s.secret("api_key", provider.api_key, {"the provider's key", "none"});
    s.secrets("api_keys", provider.api_keys, "several that take turns, in place of `api_key`");
    if (s.has("api_key") && !provider.api_keys.empty()) s.complain("api_keys", "give api_key or api_keys, not both");
    if (provider.api_keys.empty()) provider.api_keys.push_back(provider.api_key);
    provider.api_key = provider.api_keys.front();
    std::optional<Label> clearance;
    provider.clearance = provider.zone == Zone::local ? config.privacy.local_clearance : config.privacy.cloud_clearance;
    s.choice("clearance", clearance, kLabelNames, {"the highest label that this provider may see", "its zone's"});
    provider.clearance = clearance.value_or(provider.clearance);
    s.flag("stream_usage", provider.stream_usage, "false for servers that do not know `stream_options`");
    std::optional<int> translation;
    s.choice("translation", translation, kTranslationNames,
             About("`drop` leaves out with a warning what the provider cannot be told", "refuse")
                 .see("dialects/translation.md"));
    provider.drop_untranslatable = translation == 1;
    s.number("concurrency", provider.concurrency, 1, 100'000,
             {"requests at once. Without it the limit grows with good answers and is cut by 429, 503 and time-outs; "
              "for an engine it is `slots`",
              "learned"});
    s.duration("connect_timeout", provider.connect_timeout, "until a connection stands");
    s.duration("first_byte_timeout", provider.first_byte_timeout, "from there to the first byte of an answer");
    s.duration("idle_timeout", provider.idle_timeout, "between two reads of an answer");
    config.providers.push_back(std::move(provider));
}

}  // namespace tandem::config
