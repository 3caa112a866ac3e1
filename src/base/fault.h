// The codes of errors: what failed, finer than the neutral kind by which each dialect chooses its status and words.
//
// A code is stable: scripts match it, and people look it up in docs/reference/errors.md, which is made from the table
// in fault.cpp. A code is never renamed, and never means something else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tandem {

// The neutral kind of an error. One place per dialect maps it to that dialect's status and error shape.
enum class ErrorCode : std::uint8_t {
    invalid,          // the request or the input is wrong; sending it again does not help
    unauthenticated,  // no key, or one that is not known
    forbidden,        // the key may not do that
    not_found,        // no such model, alias, decision, path
    method,           // the path exists, the method does not
    too_large,        // over one of the named limits
    rate_limited,     // over a limit of the key; waiting helps
    over_budget,      // the budget of the key is used up for this window
    policy,           // no candidate may take the request: the owner's rules exclude every one
    unavailable,      // no candidate can take the request now
    context,          // the prompt with room for its answer does not fit
    upstream,         // a provider answered with an error or not in its dialect
    timeout,          // the deadline of the request has passed
    cancelled,        // the client has gone, or the server is stopping
    storage,          // a record could not be written; nothing is sent without its record
    internal,         // our own mistake
};

// The first sixteen are the kinds themselves, in their order: of an error of which nothing finer is known.
enum class Fault : std::uint8_t {
    invalid,
    unauthenticated,
    forbidden,
    not_found,
    method,
    too_large,
    rate_limited,
    over_budget,
    policy,
    unavailable,
    context,
    upstream,
    timeout,
    cancelled,
    storage,
    internal,
    // The request as it came.
    invalid_framing,
    invalid_encoding,
    invalid_form,
    invalid_json,
    json_too_large,
    header_too_large,
    body_too_large,
    request_too_slow,
    invalid_header,
    unknown_header,
    repeated_header,
    invalid_parameter,
    unknown_parameter,
    // Its fields.
    invalid_field,
    unknown_field,
    conflicting_fields,
    field_too_large,
    too_many_items,
    unsupported_demand,
    // Who asks, and what they may.
    missing_key,
    unknown_key,
    expired_key,
    two_keys,
    admin_only,
    local_only,
    metrics_only,
    origin_not_allowed,
    host_not_allowed,
    address_not_allowed,
    api_not_allowed,
    model_not_allowed,
    label_not_allowed,
    read_only_models,
    // What is not there.
    unknown_path,
    method_not_allowed,
    no_websocket,
    unknown_model,
    unknown_decision,
    unknown_key_name,
    unknown_object,
    file_gone,
    not_enabled,
    // What stands against it.
    already_exists,
    wrong_state,
    set_in_config,
    too_many_keys,
    key_gone,
    // Limits and budgets.
    quota_used_up,
    request_limit_reached,
    token_limit_reached,
    too_many_under_way,
    request_over_limit,
    budget_used_up,
    budget_reserved,
    request_over_budget,
    answer_over_budget,
    // Who may see it.
    no_candidate,
    no_candidate_for_label,
    blocked_by_policy,
    excluded_by_rule,
    no_capable_candidate,
    price_unknown,
    redaction_impossible,
    redaction_incomplete,
    answer_stopped,
    label_rose,
    detector_failed,
    vault_locked,
    // Who can take it now.
    no_healthy_candidate,
    provider_unwell,
    engine_down,
    engine_loading,
    engine_too_large,
    server_stopping,
    server_full,
    memory_used_up,
    memory_over_limit,
    already_running,
    // The prompt's length.
    prompt_too_long,
    history_too_long,
    // What a provider did.
    provider_unreachable,
    provider_timeout,
    provider_busy,
    provider_rate_limited,
    provider_error,
    provider_refused,
    provider_refused_key,
    provider_unknown_model,
    content_filtered,
    provider_misspoke,
    provider_broke_off,
    provider_answer_too_large,
    answer_not_json,
    no_answer_passed,
    // Its end.
    deadline_passed,
    client_gone,
    // Records.
    record_not_written,
    // Commands.
    invalid_config,
    config_not_found,
    file_not_found,
    ledger_not_found,
    server_unreachable,
    folder_in_use,
    engine_not_found,
    model_file_not_found,
};

// A row of the table: what is said of a code.
struct FaultRow {
    Fault fault;
    std::string_view name;  // the enumerator's own word
    ErrorCode kind;
    std::string_view what;    // what has failed, in one sentence
    std::string_view remedy;  // what to set or do, in one sentence
};
inline constexpr std::size_t kFaults = static_cast<std::size_t>(Fault::model_file_not_found) + 1;
const FaultRow& row_of(Fault fault);
std::optional<Fault> fault_named(std::string_view name);

inline std::string_view name_of(Fault fault) {
    return row_of(fault).name;
}
// Whether it is one of the kinds, and says no more.
constexpr bool is_kind(Fault fault) {
    return fault <= Fault::internal;
}

// A Fault, which is also compared and set as its kind.
class FaultCode {
  public:
    constexpr FaultCode(ErrorCode kind) : fault_(static_cast<Fault>(kind)) {}  // nothing finer is known
    constexpr FaultCode(Fault fault) : fault_(fault) {}
    operator ErrorCode() const { return row_of(fault_).kind; }
    constexpr Fault fault() const { return fault_; }
    std::string_view name() const { return row_of(fault_).name; }

  private:
    Fault fault_;
};

}  // namespace tandem
