// /tandem/v1/engines: what runs on this machine, what it takes, what went wrong.
#include "engine/engines.h"

#include "api/api.h"

namespace tandem::api {

namespace {

constexpr seconds kLongestStart{600};

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

net::Task<Result<std::string>> Api::start_engine(const Call& call) {
    auto& engines = gateway_.services().engines;
    const auto deadline = gateway_.services().clock.steady() + kLongestStart;
    engines.forgive(call.parts[0]);
    auto lease = co_await net::wait_for<Result<engine::Lease>>(
        [&](auto resume) { engines.acquire(call.parts[0], deadline, std::move(resume)); });
    if (!lease) co_return fail(lease.error());
    co_return engines_with(call, {});
}

net::Task<Result<std::string>> Api::stop_engine(const Call& call) {
    auto& engines = gateway_.services().engines;
    auto stopped =
        co_await net::wait_for<Result<>>([&](auto resume) { engines.stop(call.parts[0], std::move(resume)); });
    if (!stopped) co_return fail(stopped.error());
    co_return engines_with(call, {});
}

namespace {

void write_adopted(json::Writer& out, const std::vector<engine::AdoptedStatus>& all) {
    out.key("adopted").begin_array();
    for (const auto& one : all) {
        out.begin_object().member("provider", one.provider).member("kind", one.kind);
        if (!one.model.empty()) out.member("model", one.model);
        out.member("name", one.name).member("state", one.state);
        if (!one.error.empty()) out.member("error", one.error);
        if (one.said.bytes > 0) out.member("bytes", one.said.bytes);
        if (one.said.bytes > 0) out.member("bytes_are", one.said.file_size ? "of its file" : "of memory");
        if (one.said.gpu_bytes > 0) out.member("gpu_bytes", one.said.gpu_bytes);
        if (one.said.context_tokens > 0) out.member("context_tokens", one.said.context_tokens);
        if (!one.said.until.empty()) out.member("until", one.said.until);
        out.end_object();
    }
    out.end_array();
}

}  // namespace

net::Task<Result<std::string>> Api::engines(const Call& call) {
    auto adopted = co_await net::wait_for<std::vector<engine::AdoptedStatus>>(
        [&](auto resume) { gateway_.services().engines.adopted(std::move(resume)); });
    co_return engines_with(call, adopted);
}

Result<std::string> Api::engines_with(const Call&, const std::vector<engine::AdoptedStatus>& adopted) {
    constexpr std::size_t kIncidents = 20;
    auto& engines = gateway_.services().engines;
    const auto memory = engines.memory();
    json::Writer out;
    const auto program = engines.program();
    out.begin_object().key("program").begin_object().member("file", program.file.string());
    out.member("version", program.version).end_object().key("memory").begin_object();
    out.member("limit_bytes", memory.limit_bytes)
        .member("set_by_owner", memory.by_owner)
        .member("used_bytes", memory.used_bytes)
        .key("devices")
        .begin_array();
    for (const auto& device : memory.devices)
        out.begin_object()
            .member("name", device.name)
            .member("about", device.about)
            .member("limit_bytes", device.limit_bytes)
            .member("used_bytes", device.used_bytes)
            .end_object();
    out.end_array().end_object();
    out.key("engines").begin_array();
    for (const auto& e : engines.status()) {
        out.begin_object()
            .member("model", e.model)
            .member("kind", e.kind)
            .member("state", e.state)
            .member("pid", e.pid)
            .member("socket", e.socket.string())
            .member("port", e.port);
        out.key("sandbox");
        write_sandbox(out, e.sandbox);
        out.member("in_use", e.in_use).member("restarts", e.restarts).member("loads", e.loads);
        out.member("waiting", e.waiting).member("longest_wait_ms", e.longest_wait.count());
        out.member("expected_wait_ms", e.expected_wait.count());
        out.key("memory").begin_object();
        out.member("planned_bytes", e.planned_bytes).member("planned_by", e.measured ? "measurement" : "estimate");
        out.member("guess_bytes", e.memory.guess).member("said_bytes", e.memory.words.host());
        engine::write(out.key("planned_devices"), e.planned_devices);
        out.member("said_gpu_bytes", e.memory.words.on_devices()).member("peak_bytes", e.memory.resident.peak);
        out.member("resident_bytes", e.memory.resident.now).member("anonymous_bytes", e.memory.resident.anonymous);
        out.end_object();
        out.member("incidents", e.incidents).member("log", e.log.string());
        if (!e.last_error.empty()) out.member("last_error", e.last_error);
        out.end_object();
    }
    out.end_array();
    write_adopted(out, adopted);
    out.key("incidents").begin_array();
    for (const auto& one : engines.incidents("", kIncidents)) engine::write(out, one);
    out.end_array().end_object();
    return out.take();
}

}  // namespace tandem::api
