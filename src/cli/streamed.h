// An answer that comes as a stream, as the commands read it. Private to cli/.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/json.h"
#include "cli/remote.h"
#include "config/config.h"
#include "dialect/dialect.h"
#include "net/sse.h"

namespace tandem::cli {

// What came of the answer so far.
class Streamed {
  public:
    // With `print`, the text goes to stdout as it comes.
    explicit Streamed(bool print);
    // For call(): the pieces of a 200.
    void take(const net::Fields& headers, std::string_view piece);

    const std::string& text() const { return text_; }
    bool done() const { return done_; }
    // What ended it early: the server's words, which name the provider, or that nothing was said of it.
    std::string error() const {
        return error_.empty() ? "the answer ended before it was whole, and the server did not say why; `tandem explain "
                                "--last` and `tandem logs` say more"
                              : error_;
    }
    // The server has said why it ends. It cuts the connection then, so that no client takes the answer for whole.
    bool failed() const { return !error_.empty(); }
    const std::string& decision() const { return decision_; }
    const std::string& warnings() const { return warnings_; }  // x-tandem-warnings

  private:
    void take_event(std::string_view data);
    bool print_;
    net::SseParser parser_;
    json::Document document_;
    std::unique_ptr<dialect::AnswerReader> reader_;
    std::string text_;
    std::string error_;
    std::string decision_;
    std::string warnings_;
    bool done_ = false;
};

// On stderr what is different from what was asked, also where nobody sits before a terminal: a model that failed, a key
// that is refused, a weaker one that answers. Nothing where there is nothing.
void print_warnings(std::string_view warnings);

// A dim line that says which model answered and why, what it cost and how long it took, from the record of the
// decision. Nothing where there is no such record.
void print_record(const Remote& remote, const std::string& decision, const config::Config& config);

}  // namespace tandem::cli
