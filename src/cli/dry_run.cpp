#include "cli/dry_run.h"

#include "access/principal.h"
#include "dialect/openai_chat.h"

namespace tandem::cli {

namespace {

// Without the price book where that cannot be read: `tandem serve` says why.
routing::Table table_by(const config::Config& config, const config::Environment& environment) {
    const auto pricing = ledger::Pricing::of(config);
    static const ledger::Pricing none;
    return gateway::table_of(config, environment, pricing ? **pricing : none);
}

}  // namespace

DryRuns::DryRuns(const config::Config& config, const config::Environment& environment, Asked asked)
    : config_(config),
      environment_(environment),
      asked_(std::move(asked)),
      remote_(remote_of(config)),
      table_(table_by(config, environment)),
      offline_(asked_.by_config) {}

Result<DryRuns::Run> DryRuns::run(const std::string& prompt) {
    json::Writer out;
    out.begin_object().member("model", asked_.alias).key("messages").begin_array();
    out.begin_object().member("role", "user").member("content", prompt).end_object();
    out.end_array().end_object();
    return decide(out.text());
}

Result<DryRuns::Run> DryRuns::run_body(const std::string& body) {
    json::Document document;
    if (auto ok = document.parse(body); !ok) return fail(ok.error());
    json::Writer out;
    out.begin_object().member("model", asked_.alias);
    for (const json::Value member : document.root().children())
        if (member.key() != "model") out.raw_member(member.key(), member.raw());
    out.end_object();
    return decide(out.text());
}

Result<DryRuns::Run> DryRuns::decide(const std::string& body) {
    return offline_ ? by_config(body) : by_server(body);
}

Result<DryRuns::Run> DryRuns::by_server(const std::string& body) {
    RemoteRequest ask{.method = "POST", .path = "/tandem/v1/decide", .headers = {}, .body = body};
    if (!asked_.label.empty()) ask.headers.add("x-tandem-label", asked_.label);
    if (!asked_.stakes.empty()) ask.headers.add("x-tandem-stakes", asked_.stakes);
    auto answer = call(remote_, std::move(ask));
    if (!answer) {
        offline_ = true;
        return by_config(body);
    }
    if (answer->status != 200) return fail(ErrorCode::upstream, error_message(*answer));
    json::Document document;
    if (auto ok = document.parse(answer->body); !ok) return fail(ok.error());
    auto inputs = routing::inputs_from_json(document.root()["inputs"]);
    if (!inputs) return fail(inputs.error());
    auto decision = routing::decide(table_, *inputs);
    if (!decision) return fail(decision.error());
    return Run{std::move(*inputs), std::move(*decision), std::move(answer->body)};
}

Result<DryRuns::Run> DryRuns::by_config(const std::string& body) {
    const auto label = label_from(asked_.label.empty() ? "public" : asked_.label);
    if (!label)
        return fail(ErrorCode::invalid,
                    "there is no label '" + asked_.label + "'; there are: public, internal, private, secret");
    if (!snapshot_) {
        auto snapshot = gateway::snapshot_of(config_, environment_);
        if (!snapshot) return fail(snapshot.error());
        snapshot_ = std::move(*snapshot);
    }
    json::Document document;
    if (auto ok = document.parse(body); !ok) return fail(ok.error());
    const auto request = dialect::openai_chat::decode_request(document);
    if (!request) return fail(request.error());
    access::RequestHeaders headers;
    headers.label = *label;
    headers.stakes = config::stakes_from(asked_.stakes).value_or(config::Stakes::normal);
    auto dry = gateway::decide_only(*snapshot_, nullptr, access::Principal::anonymous(), document, *request, headers);
    if (!dry.decision) return fail(dry.decision.error());
    return Run{std::move(dry.inputs), std::move(*dry.decision), {}};
}

}  // namespace tandem::cli
