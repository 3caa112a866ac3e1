// /tandem/v1/engines/upgrade and /rollback: another version of llama-server. Over the server's own socket alone, since
// who may name a program here may run it.
#include <fmt/format.h>

#include "api/api.h"
#include "api/engine_questions.h"
#include "base/text.h"
#include "chat/told.h"
#include "engine/engines.h"
#include "engine/programs.h"

namespace tandem::api {

namespace fs = std::filesystem;

namespace {

// A program by its path, or by the version that it has in Tandem's folder or in the cache.
Result<fs::path> program_of(const json::Value& root, const gateway::Services& services) {
    const auto binary = root["binary"].string();
    const auto version = root["to"].string();
    if (binary.has_value() == version.has_value())
        return fail(Fault::invalid_field, "give `binary`, the path of a program, or `to`, a version", "binary");
    if (binary) {
        if (!fs::path(*binary).is_absolute())
            return fail(Fault::invalid_field, "binary: expected an absolute path", "binary");
        return fs::path(*binary);
    }
    const auto& settings = services.engines.settings();
    for (const auto& kept : engine::Programs::read(settings.data).all())
        if (kept.version == *version || (version->size() >= 6 && kept.sha256.starts_with(*version))) return kept.file;
    const auto cached = settings.cache / "engine" / fmt::format("llama-server-{}", *version);
    std::error_code ignored;
    if (version->find('/') == std::string_view::npos && fs::is_regular_file(cached, ignored)) return cached;
    return fail(
        ErrorCode::not_found,
        fmt::format("no version '{}' of llama-server is here; `tandem engine versions` lists those that are, and "
                    "--binary takes any other one",
                    printable(*version, 60)));
}

void write_side(json::Writer& out, const engine::UpgradeSide& side) {
    out.begin_object().member("version", side.version).member("sha256", side.sha256).member("file", side.file);
    out.member("asked", side.asked).member("answered", side.answered).member("right", side.right);
    out.raw_member("tokens_per_second", fmt::format("{:.1f}", side.tokens_per_second));
    out.key("runs").begin_array();
    for (const auto run : side.runs) out.raw(fmt::format("{:.1f}", run));
    out.end_array();
    out.member("load_ms", side.load_ms).member("peak_bytes", side.peak_bytes).end_object();
}

std::string report_text(const engine::UpgradeReport& report) {
    json::Writer out;
    out.begin_object().member("switched", report.switched).member("model", report.model);
    out.member("beside", report.beside).raw_member("agreement", fmt::format("{:.2f}", report.agreement));
    if (!report.worse.empty()) out.member("worse", report.worse);
    out.key("before");
    write_side(out, report.old_one);
    out.key("after");
    write_side(out, report.new_one);
    out.end_object();
    return out.take();
}

}  // namespace

net::Task<Result<std::string>> Api::upgrade_engine(const Call& call) {
    json::Document document;
    if (auto ok = document.parse(call.request().body); !ok) co_return fail(ok.error());
    const auto root = document.root();
    auto program = program_of(root, gateway_.services());
    if (!program) co_return fail(program.error());
    engine::UpgradeWish wish;
    wish.program = std::move(*program);
    wish.model = root["model"].text();
    wish.force = root["force"].boolean() == true;
    wish.questions = engine_questions();
    wish.agreement = [](const std::string& one, const std::string& other) { return chat::agreement(one, other); };
    auto report = co_await net::wait_for<Result<engine::UpgradeReport>>(
        [&](auto resume) { gateway_.services().engines.upgrade(std::move(wish), std::move(resume)); });
    if (!report) co_return fail(report.error());
    if (report->switched)
        if (auto ok = co_await tell_of_switch(); !ok) co_return fail(ok.error());
    co_return report_text(*report);
}

net::Task<Result<std::string>> Api::rollback_engine(const Call&) {
    auto report = gateway_.services().engines.rollback();
    if (!report) co_return fail(report.error());
    if (auto ok = co_await tell_of_switch(); !ok) co_return fail(ok.error());
    co_return report_text(*report);
}

net::Task<Result<>> Api::tell_of_switch() {
    auto& services = gateway_.services();
    if (!services.engines.settings().switched) co_return Result<>{};
    auto told = co_await net::run_on<Result<>>(services.pool, services.engines.settings().switched);
    co_return told;
}

Result<std::string> Api::engine_versions(const Call&) {
    const auto programs = engine::Programs::read(gateway_.services().engines.settings().data);
    const auto now = gateway_.services().engines.program();
    json::Writer out;
    out.begin_object().member("file", now.file.string()).member("version", now.version);
    out.key("versions").begin_array();
    for (const auto& one : programs.all()) {
        out.begin_object().member("version", one.version).member("sha256", one.sha256).member("from", one.from);
        out.member("in_use", programs.in_use() == &one).member("before", programs.before() == &one);
        out.member("time_ms", one.time_ms).end_object();
    }
    out.end_array().end_object();
    return out.take();
}

}  // namespace tandem::api
