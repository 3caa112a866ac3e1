// The certificate with which the server answers, as its clients judge it.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace tandem::cli {

// Of the first certificate of a PEM file.
struct Certificate {
    int days_left = 0;               // below 0: it has ended
    std::vector<std::string> names;  // of hosts, then addresses that it is for; of the subject where it has none
    bool covers_host = false;        // it is for the host that was asked about
};
// Nullopt: the file is no certificate in PEM.
std::optional<Certificate> read_certificate(const std::string& file, const std::string& host = {});

}  // namespace tandem::cli
