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
    co_return this->engines(call);
}

net::Task<Result<std::string>> Api::stop_engine(const Call& call) {
    auto& engines = gateway_.services().engines;
    auto stopped =
        co_await net::wait_for<Result<>>([&](auto resume) { engines.stop(call.parts[0], std::move(resume)); });
    if (!stopped) co_return fail(stopped.error());
    co_return this->engines(call);
}

Result<std::string> Api::engines(const Call&) {
    constexpr std::size_t kIncidents = 20;
    auto& engines = gateway_.services().engines;
    const auto memory = engines.memory();
    json::Writer out;
    out.begin_object().key("memory").begin_object();
    out.member("limit_bytes", memory.limit_bytes)
        .member("set_by_owner", memory.by_owner)
        .member("used_bytes", memory.used_bytes)
        .end_object();
    out.key("engines").begin_array();
    for (const auto& e : engines.status()) {
        out.begin_object()
            .member("model", e.model)
            .member("state", e.state)
            .member("pid", e.pid)
            .member("socket", e.socket.string());
        out.key("sandbox");
        write_sandbox(out, e.sandbox);
        out.member("in_use", e.in_use).member("restarts", e.restarts).member("loads", e.loads);
        out.member("waiting", e.waiting).member("longest_wait_ms", e.longest_wait.count());
        out.member("expected_wait_ms", e.expected_wait.count());
        out.key("memory").begin_object();
        out.member("planned_bytes", e.planned_bytes).member("planned_by", e.measured ? "measurement" : "estimate");
        out.member("guess_bytes", e.memory.guess).member("said_bytes", e.memory.words.host());
        out.member("said_gpu_bytes", e.memory.words.other).member("peak_bytes", e.memory.resident.peak);
        out.member("resident_bytes", e.memory.resident.now).member("anonymous_bytes", e.memory.resident.anonymous);
        out.end_object();
        out.member("incidents", e.incidents).member("log", e.log.string());
        if (!e.last_error.empty()) out.member("last_error", e.last_error);
        out.end_object();
    }
    out.end_array().key("incidents").begin_array();
    for (const auto& one : engines.incidents("", kIncidents)) engine::write(out, one);
    out.end_array().end_object();
    return out.take();
}

}  // namespace tandem::api
