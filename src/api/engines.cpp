#include "api/engines.h"

#include "base/json.h"

namespace tandem::api {

namespace {

void write_sandbox(json::Writer& out, const engine::sandbox::Held& held) {
    auto list = [&](std::string_view key, std::initializer_list<std::pair<std::string_view, bool>> parts) {
        out.key(key).begin_array();
        for (const auto& [name, there] : parts)
            if (there) out.value(name);
        out.end_array();
    };
    out.begin_object();
    list("holds",
         {{"files", held.files}, {"network", held.network}, {"processes", held.processes}, {"calls", held.calls}});
    list("by", {{"namespaces", held.by.namespaces},
                {"mounts", held.by.mounts},
                {"landlock", held.by.landlock},
                {"seccomp", held.by.calls}});
    out.key("missing").begin_array();
    for (const auto& one : held.missing) out.value(one);
    out.end_array().end_object();
}

}  // namespace

std::string engines_json(const std::vector<engine::EngineStatus>& engines) {
    json::Writer out;
    out.begin_object().key("engines").begin_array();
    for (const auto& e : engines) {
        out.begin_object()
            .member("model", e.model)
            .member("state", e.state)
            .member("pid", e.pid)
            .member("socket", e.socket.string());
        out.key("sandbox");
        write_sandbox(out, e.sandbox);
        out.member("in_use", e.in_use).member("restarts", e.restarts).member("log", e.log.string());
        if (!e.last_error.empty()) out.member("last_error", e.last_error);
        out.end_object();
    }
    out.end_array().end_object();
    return out.take();
}

}  // namespace tandem::api
