// Who is asked, one after the other or two beside each other, until one of them has answered; and what is done where
// none does. One worker's thread. Private to gateway/.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/attempt.h"
#include "gateway/prepare.h"

namespace tandem::gateway {

class Attempts {
  public:
    Attempts(Way& way, Preparation& preparation, const Decided& decided)
        : way_(way), preparation_(preparation), decided_(decided), services_(way.services), exchange_(way.exchange) {}
    Attempts(const Attempts&) = delete;
    Attempts& operator=(const Attempts&) = delete;

    // Until the client has its answer, or knows why there is none.
    net::Task<> run();

  private:
    // One after the other. Whether one of them answered; if not, nobody else is asked.
    net::Task<bool> try_candidates(int attempts);
    // One try at a candidate, or, where that takes long and the owner wants it, at the next one too.
    net::Task<Next> attempt(std::size_t i);
    static net::Task<> begin_one(Attempt& attempt, std::optional<Next>& next);
    net::Task<Next> follow(Next next, Attempt& attempt, std::size_t i);
    void warn_of_less(const std::string& failed, const routing::Candidate& candidate);
    bool does_not_fit(std::size_t i) const;
    std::optional<milliseconds> hedge_after(const routing::Candidate& candidate) const;
    std::size_t next_untried(std::size_t i) const;
    net::Task<bool> pause_before_retry(int attempt, const std::string& provider);

    // ---- an answer that broke off ----

    struct GoingOn {
        std::shared_ptr<const translate::Question> question;  // none: the client's own
        std::shared_ptr<const Redacted> sent;
        routing::Candidate candidate;
    };
    net::Task<Next> go_on_after(Attempt& cut, std::size_t i);
    Result<GoingOn> plan_to_go_on(const Attempt& cut, const routing::Candidate& candidate, const std::string& text);

    net::Task<> give_up();
    const std::vector<routing::Candidate>& candidates() const { return decided_.candidates(); }
    const chat::Request& request() const { return way_.request(); }

    Way& way_;
    Preparation& preparation_;
    const Decided& decided_;
    Services& services_;
    net::Exchange& exchange_;
    std::vector<int> tries_;  // of each candidate
};

}  // namespace tandem::gateway
