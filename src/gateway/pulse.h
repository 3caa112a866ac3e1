// A client's line that shows life while its answer is made. Whoever reads a long prompt or thinks for minutes says
// nothing, and proxies and clients take a line on which nothing comes for a dead one. Here something that says nothing
// goes out in the client's dialect wherever nothing was written for a while: a comment of SSE, Anthropic's ping, an
// empty message of Ollama, white space where the others would stumble over more. Private to gateway/.
#pragma once

#include <exception>
#include <functional>
#include <optional>

#include "net/children.h"
#include "net/server.h"

namespace tandem::gateway {

// The exchange of a request, with a pulse once begin() was called. One worker's thread. Nothing else may use the
// exchange meanwhile, and rest() must have been waited for before this goes.
class Pulse final : public net::Exchange, private net::Watched {
  public:
    static constexpr milliseconds kEvery{10'000};  // of silence: proxies wait for 15 s and more

    Pulse(net::Exchange& line, const Clock& clock) : line_(line), clock_(clock) {}
    ~Pulse() override;

    // From here on, whenever nothing was written for `every`, `words` is. The answer begins with it, as a 200 with
    // `headers`, where it has not begun.
    struct Words {
        std::function<net::Fields()> headers;
        std::function<std::string()> beat;
    };
    void begin(milliseconds every, Words words);
    // The provider has shown life: so does the line, where the answer has begun.
    void beat();
    // How long the client had nothing but beats, where one was its first byte; 0 where the answer's own came first.
    milliseconds beating() const;
    // No more; until what is being written is written.
    net::Task<> rest();

    net::Request& request() override { return line_.request(); }
    net::Worker& worker() override { return line_.worker(); }
    net::Cancel& cancel() override { return line_.cancel(); }
    net::Task<bool> reply(net::Response response) override;
    void start(int status, net::Fields headers) override { line_.start(status, std::move(headers)); }
    net::Task<bool> write(std::string bytes) override;
    net::Task<bool> finish(std::string last_bytes) override;
    bool started() const override { return line_.started(); }
    std::shared_ptr<const net::Admitted> admitted() const override { return line_.admitted(); }

  private:
    void on_deadline() override;
    void say();
    net::Task<> write_beat(std::string bytes);
    void note_words();
    net::Task<> turn();
    void written();

    net::Exchange& line_;
    const Clock& clock_;
    Words words_;
    milliseconds every_{0};
    bool watched_ = false;
    bool busy_ = false;  // somebody writes
    SteadyTime last_{};
    std::optional<SteadyTime> first_beat_, first_words_;  // of a line that began with a beat
    std::function<void()> free_;
};

}  // namespace tandem::gateway
