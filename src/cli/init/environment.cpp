#include "cli/init/environment.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "config/base_url.h"
#include "config/plain_value.h"
#include "net/client.h"

namespace tandem::cli {

namespace {

constexpr std::uint16_t kOllamaPort = 11434;
constexpr std::uint16_t kOpenAiPort = 8000;

// A base URL as a variable says it, made whole.
struct Base {
    std::string url;
    bool home = false;
};

// Without a scheme, what is not at home is asked by HTTPS.
Result<Base> base_from(std::string_view value) {
    auto address = address_from(value, kOpenAiPort);
    if (!address) return fail(address.error());
    const auto parsed = net::parse_url(address->url);
    if (!parsed) return fail(parsed.error());
    if (is_this_machine(parsed->host) || is_private_network(parsed->host)) return Base{address->url, true};
    auto url = config::without_route(config::plain_value(value));
    while (url.ends_with('/')) url.pop_back();
    if (url.find("://") == std::string::npos) url = (parsed->port == 80 ? "http://" : "https://") + url;
    return Base{std::move(url), false};
}

class Reader {
  public:
    explicit Reader(const config::Environment& environment) : environment_(environment) {}

    FromEnvironment read() {
        read_ollama();
        for (const auto& known : known_clouds()) read_cloud(known);
        return std::move(result_);
    }

  private:
    std::string value_of(std::string_view variable) const {
        return variable.empty() ? "" : config::plain_value(environment_(std::string(variable)).value_or(""));
    }

    // The first of them that is set.
    std::string_view set_of(const std::array<std::string_view, 2>& variables) const {
        const auto* const found =
            std::ranges::find_if(variables, [this](auto variable) { return !value_of(variable).empty(); });
        return found == variables.end() ? std::string_view() : *found;
    }

    void read_ollama() {
        const auto value = value_of("OLLAMA_HOST");
        if (value.empty()) return;
        auto address = address_from(value, kOllamaPort);
        if (address)
            result_.addresses.push_back(std::move(*address));
        else
            result_.faults.push_back({"OLLAMA_HOST", address.error().message});
    }

    void read_cloud(const KnownCloud& known) {
        Cloud cloud{known, std::string(known.base_url)};
        const auto key = set_of(known.variables);
        if (!key.empty()) cloud.variable = key;
        const auto variable = set_of(known.base_variables);
        if (variable.empty()) {
            if (!key.empty()) result_.clouds.push_back(std::move(cloud));
            return;
        }
        auto base = base_from(value_of(variable));
        if (!base) {
            // The key may be for there: it is shown to nobody else.
            result_.faults.push_back(
                {std::string(variable),
                 base.error().message +
                     (key.empty() ? "" : fmt::format("; {}, which may be for there, is not used either", key))});
            return;
        }
        // Groq's own library adds this part itself.
        if (const auto url = net::parse_url(base->url); variable == "GROQ_BASE_URL" && url && url->path == "/")
            base->url += "/openai/v1";
        cloud.base_url = base->url;
        if (base->home) result_.addresses.push_back({base->url, std::string(key), true, std::string(known.kind)});
        if (!key.empty()) (base->home ? result_.home : result_.clouds).push_back(std::move(cloud));
    }

    const config::Environment& environment_;
    FromEnvironment result_;
};

}  // namespace

FromEnvironment read_environment(const config::Environment& environment) {
    return Reader(environment).read();
}

}  // namespace tandem::cli
