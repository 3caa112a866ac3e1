// The composition root: builds the objects of a server from its config, and nothing else.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "base/world.h"
#include "config/config.h"
#include "privacy/detect.h"
#include "store/store.h"

namespace tandem {

// The parts of the world that a test puts in place of the real ones; what is empty is real.
struct World {
    std::unique_ptr<Clock> clock;
    // Called for each config that is taken over.
    std::function<Result<std::shared_ptr<privacy::Detector>>(const config::Config&)> detector;
    std::filesystem::path program;  // the tandem that reads files for the index as a child
};

class App {
  public:
    // Opens the data folder (one Tandem at a time), the ledger and the ports, and begins to answer.
    // Errors: unavailable, storage, invalid, internal; each says what to do.
    static Result<std::unique_ptr<App>> start(config::Config config, const config::Environment& environment,
                                              World world = {});
    // Stops in order: no new requests, those under way up to the drain timeout, engines, ledger.
    ~App();
    App(const App&) = delete;
    App& operator=(const App&) = delete;

    // Reads the config's file again. A wrong one changes nothing. Errors: invalid, not_found.
    Result<> reload();
    std::string url() const;
    // How the config in force wants the log.
    log::Settings logging() const;
    // What the config in force was read from (config::Config::files()), and behind that the folder of imported prices.
    std::vector<std::filesystem::path> files() const;

  private:
    Result<> take_over();
    struct Parts;
    explicit App(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

// Every module's tables, in the order in which versions added them. Released ones never change.
std::span<const store::Migration> migrations();

// Where a server listens for the owner's commands on this machine, without a token (net::ServerSettings::local_socket).
std::filesystem::path local_socket(const std::filesystem::path& data);

// Opens the owner's commands on this machine; made at the first start, 0600. Errors: storage.
Result<Secret> admin_token(const std::filesystem::path& data, bool create);

}  // namespace tandem
