// HTTP messages as plain values.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::net {

// Header fields in order. Names compare without case. All of them share one buffer, written as a head writes them, so
// that taking a request's and sending an answer's cost one allocation each.
class Fields {
  public:
    void add(std::string_view name, std::string_view value);
    // The value of the first field of that name; empty where there is none. Valid until the next add().
    std::string_view get(std::string_view name) const;
    bool has(std::string_view name) const;
    std::size_t size() const { return places_.size(); }
    // "name: value" CR LF, for each.
    std::string_view lines() const { return lines_; }

    // visit(name, value) for each.
    template <typename Visit>
    void each(Visit&& visit) const {
        for (const auto& place : places_) visit(name(place), value(place));
    }

  private:
    struct Place {
        std::uint32_t name, name_size, value_size;
    };
    std::string_view name(const Place& p) const { return std::string_view(lines_).substr(p.name, p.name_size); }
    std::string_view value(const Place& p) const {
        return std::string_view(lines_).substr(p.name + p.name_size + 2, p.value_size);
    }
    const Place* find(std::string_view name) const;
    std::string lines_;
    std::vector<Place> places_;
};

// What a service wants to know of a request again when it has been answered.
struct Note {
    virtual ~Note() = default;
};

struct Request {
    std::string method;
    std::string target;  // as sent
    std::string path;    // target without its query, percent-decoded
    std::string query;   // after the '?', as sent
    Fields headers;
    std::string body;
    std::string peer;    // the client's address; empty where it is local
    bool local = false;  // came over the server's own socket, from the user that runs the server or from root
    std::shared_ptr<Note> note;

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
