// Requests without a client on the line: a background response, a line of a batch. They go the same way as all others.
// Private to gateway/.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/label.h"
#include "net/server.h"

namespace tandem::gateway {

// An exchange whose answer goes to functions. They are called on the worker's thread.
class Detached final : public net::Exchange {
  public:
    struct Sink {
        std::function<void(net::Response)> reply;      // a whole answer, or an error
        std::function<void(std::string bytes)> bytes;  // a piece of a stream
    };
    Detached(net::Worker& worker, net::Request request, Sink sink)
        : worker_(worker), request_(std::move(request)), sink_(std::move(sink)) {
        request_.note.reset();  // it is told of as it was answered, which may be long ago
    }

    net::Request& request() override { return request_; }
    net::Worker& worker() override { return worker_; }
    net::Cancel& cancel() override { return cancel_; }
    net::Task<bool> reply(net::Response response) override {
        label_ = label_from(response.headers.get("x-tandem-label"));
        sink_.reply(std::move(response));
        co_return true;
    }
    void start(int, net::Fields headers) override {
        label_ = label_from(headers.get("x-tandem-label"));
        headers_ = std::move(headers);
        started_ = true;
    }
    net::Task<bool> write(std::string bytes) override {
        sink_.bytes(std::move(bytes));
        co_return true;
    }
    net::Task<bool> finish(std::string last_bytes) override {
        sink_.bytes(std::move(last_bytes));
        co_return true;
    }
    bool started() const override { return started_; }
    // Of a stream that has started.
    const net::Fields& headers() const { return headers_; }
    // From now on `cancel`, which outlives the exchange, ends it too.
    void end_with(net::Cancel& cancel) {
        cancel.on_fire(hook_, [this, &cancel] { cancel_.fire(cancel.reason()); });
    }
    // Of the content, as its decision had it; none before there was one.
    std::optional<Label> label() const { return label_; }

  private:
    net::Worker& worker_;
    net::Request request_;
    Sink sink_;
    net::Cancel cancel_;
    net::Cancel::Hook hook_;  // of end_with()
    std::optional<Label> label_;
    net::Fields headers_;
    bool started_ = false;
};

}  // namespace tandem::gateway
