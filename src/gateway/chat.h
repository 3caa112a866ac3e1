// A chat request from the decoded body to the last byte. Private to gateway/, but for its entrance.
#pragma once

#include "gateway/gateway.h"

namespace tandem::gateway {

// Answers a POST of a chat completion. `key` lives as long as the snapshot.
net::Task<> answer_chat(Gateway& gateway, net::Exchange& exchange, std::shared_ptr<const Snapshot> snapshot,
                        const config::Key& key);

// What a request without a client would be decided, for `explain --dry-run`. Nothing is sent, nothing is recorded.
// Without services, health, budgets and earlier labels are not considered.
struct DryRun {
    routing::Inputs inputs;
    Result<routing::Decision> decision;
};
DryRun decide_only(const Snapshot& snapshot, privacy::Detector& detector, Services* services, const config::Key& key,
                   const json::Document& document, const chat::Request& request, Label asked_label, bool high_value);

}  // namespace tandem::gateway
