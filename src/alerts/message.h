// What an alert says, and how a webhook is signed. Private to alerts/.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tandem::alerts {

struct Alert {
    std::string id;         // "alert_...": the same at each try
    std::string type;       // "budget", "runaway"
    std::string detail;     // JSON object, of the ledger
    std::int64_t time = 0;  // milliseconds of Unix time
};

// A line for people: "80 % of the budget of 5.00 USD per day of the key 'alice' is spent (4.02 USD), until ...".
std::string sentence_of(const Alert& alert);
// {"id", "type", "time", "text", "data": {...}}
std::string body_of(const Alert& alert);

// The header `webhook-signature` of Standard Webhooks (standardwebhooks.com, 1.0): "v1," and the base64 of the
// HMAC-SHA256 of "ID.TIMESTAMP.BODY". A secret that begins with "whsec_" is base64 behind that; any other counts as it
// is written.
std::string signature_of(std::string_view secret, std::string_view id, std::int64_t timestamp, std::string_view body);

}  // namespace tandem::alerts
