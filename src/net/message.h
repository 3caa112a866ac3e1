// HTTP messages as plain values.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tandem::net {

// Header fields in order. Names compare without case.
class Fields {
  public:
    void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
    // The value of the first field of that name; empty where there is none.
    std::string_view get(std::string_view name) const;
    bool has(std::string_view name) const;
    auto begin() const { return fields_.begin(); }
    auto end() const { return fields_.end(); }
    std::size_t size() const { return fields_.size(); }

  private:
    std::vector<std::pair<std::string, std::string>> fields_;
};

struct Request {
    std::string method;
    std::string target;  // as sent
    std::string path;    // target without its query, percent-decoded
    std::string query;   // after the '?', as sent
    Fields headers;
    std::string body;
    std::string peer;    // the client's address

    // A parameter of the query, percent-decoded; empty where there is none.
    std::string parameter(std::string_view name) const;
};

struct Response {
    int status = 200;
    Fields headers;
    std::string body;
    bool close = false;  // end the connection after it
};

std::string_view reason_phrase(int status);

// Replaces %41 by A; a wrong escape stays as it is.
std::string percent_decoded(std::string_view text);

}  // namespace tandem::net
