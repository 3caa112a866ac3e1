// Requests of Tandem's own to its engines.
#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "engine/state.h"

namespace tandem::engine {

namespace {

constexpr std::size_t kMostBytes = 8UL << 20;  // of an answer

}  // namespace

net::Task<> Engines::State::answer(std::shared_ptr<Engine> engine, Lease lease, EngineQuestion question,
                                   std::function<void(Result<std::string>)> done) {
    const auto left = std::chrono::duration_cast<milliseconds>(question.deadline - clock.steady());
    const auto path = question.path;
    std::optional<std::string> text;
    if (left.count() > 0)
        text = co_await ask(*engine, {std::move(question.method), std::move(question.path), std::move(question.body),
                                      left, kMostBytes});
    lease.progressed(clock.steady());
    lease = {};
    if (text)
        done(std::move(*text));
    else if (clock.steady() >= question.deadline)
        done(fail(Fault::engine_loading,
                  fmt::format("the engine did not answer {} in time: it is stuck, or the machine is busy "
                              "with other work; try again when that has ended",
                              path)));
    else
        done(fail(Fault::engine_down,
                  fmt::format("it gave no answer to {}{}", path, engine->running ? "" : ", and has ended")));
    --alive;
}

void Engines::ask(const std::string& model, EngineQuestion question, std::function<void(Result<std::string>)> done) {
    auto& state = *state_;
    const auto deadline = question.deadline;
    acquire(model, deadline,
            [&state, model, question = std::move(question), done = std::move(done)](Result<Lease> lease) mutable {
                auto engine = lease ? state.find(model) : nullptr;
                if (!lease) return done(fail(lease.error()));
                if (!engine) return done(fail(Fault::unknown_model, fmt::format("{} is not in the config", model)));
                ++state.alive;
                state.post([&state, engine, lease = std::move(*lease), question = std::move(question),
                            done = std::move(done)]() mutable {
                    net::asio::co_spawn(
                        state.worker.context(),
                        state.answer(std::move(engine), std::move(lease), std::move(question), std::move(done)),
                        net::asio::detached);
                });
            });
}

}  // namespace tandem::engine
