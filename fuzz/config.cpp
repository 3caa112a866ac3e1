// The config loader. What it accepts is consistent: every name that it mentions is there.
#include "config/config.h"

#include <cstdlib>

#include "routing/routing.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    const auto environment = [](const std::string& name) -> std::optional<std::string> {
        if (name == "HOME") return "/home/user";
        if (name.starts_with("A")) return "a value that is long enough";
        return std::nullopt;
    };
    const auto config = tandem::config::parse(text, "tandem.yaml", environment);
    if (!config) {
        if (config.error().message.empty()) std::abort();
        return 0;
    }
    for (const auto& model : config->models)
        if (config->provider(model.provider) == nullptr) std::abort();
    for (const auto& alias : config->aliases)
        for (const auto& model : alias.models)
            if (config->model(model) == nullptr) std::abort();
    if (!config->server.loopback && config->keys.empty()) std::abort();
    tandem::json::Document document;
    if (!document.parse(tandem::routing::to_json(tandem::routing::table_of(*config)))) std::abort();
    return 0;
}
