// Who asks: a client by its key, the owner by the admin token, anybody where no keys are configured, or a part of
// Tandem itself. A value: it is copied out of the config once for each request, and outlives any reload.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/label.h"
#include "config/config.h"

namespace tandem::access {

// The parts of Tandem that ask models themselves.
enum class Part { probe, learning, cache, experiment };

class Principal {
  public:
    enum class Kind { client, admin, anonymous, internal };

    static Principal client(const config::Key& key);
    static Principal admin();
    static Principal anonymous();
    // `name` tells several of one part apart (an experiment's name); empty where there is one.
    static Principal internal(Part part, std::string_view name = {});

    Kind kind() const { return kind_; }
    // What the ledger, the store and the label memory know this principal by. No two principals of different kinds have
    // the same id, whatever the owner calls a key.
    const std::string& id() const { return id_; }
    // The team whose budgets and limits are its own as well; empty: none.
    const std::string& team() const { return team_; }
    // Who answers for its key; empty: nobody is said.
    const std::string& owner() const { return owner_; }
    // May read decisions, cost and engines of everybody.
    bool is_owner() const { return kind_ == Kind::admin || admin_; }
    // May read the metrics, and nothing else.
    bool only_scrapes() const { return scrapes_; }
    // Whether the principal may ask for this alias or model.
    bool may_use(std::string_view alias) const;
    bool may_speak(std::string_view dialect) const;

    Label label = Label::public_;  // of everything that the principal sends
    std::optional<Label> most;     // the highest that it may have; nullopt: any
    bool high_value = false;
    std::vector<std::string> aliases;   // empty: all
    std::vector<std::string> dialects;  // of config::kDialectNames; empty: all
    config::KeyLimits limits;

  private:
    Principal(Kind kind, std::string id) : kind_(kind), id_(std::move(id)) {}
    Kind kind_;
    std::string id_;
    std::string team_;
    std::string owner_;
    bool admin_ = false;
    bool scrapes_ = false;
};

// The id of the client whose key the owner calls `name`: the name itself, or, where a principal of ours has that id,
// the name with "@key" behind it. A key's name has no '@', so no two clients share an id, and no client has one of
// ours.
std::string client_id(std::string_view name);

}  // namespace tandem::access
