// What happens to a server that may cost its owner work, noted for `tandem cost hours` (ledger/local/noticed.h).
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "base/world.h"
#include "config/config.h"
#include "store/store.h"

namespace tandem::alerts {

// Safe from any thread. Nobody waits for what it notes, but for versions().
class NoticedWork {
  public:
    using Versions = std::map<std::string, std::string>;  // of a program by its name

    // Both outlive it.
    NoticedWork(store::Store& store, const Clock& clock) : store_(store), clock_(clock) {}

    // `why` has no word of the engine's: it may have been told to print prompts.
    void engine_failed(const std::string& model, const std::string& why) const;
    // One at home: what happens in the cloud is not the owner's work.
    void provider_down(const config::Config& config, const std::string& provider) const;
    // Of what runs now; another one than at the last start was an upgrade. Errors: storage.
    Result<> versions(const Versions& versions) const;

  private:
    void note(const std::string& subject, const std::string& text) const;

    store::Store& store_;
    const Clock& clock_;
};

}  // namespace tandem::alerts
