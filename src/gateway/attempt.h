// One candidate, asked once: from the leave to spend (attempt.cpp) to the end of its answer (attempt_answer.cpp).
// Private to gateway/.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/way.h"
#include "ledger/bill.h"
#include "upstream/model_refused.h"

namespace tandem::gateway {

// What comes after an attempt, or a part of it.
enum class Next {
    ready,  // there is something for the client
    done,   // the client has all that it will get
    retry,
    next_candidate,
    give_up,
    cut,  // the answer broke off when the client had seen some of it
};

// What an attempt is to do. The request, what is decided and the candidates outlive it.
struct AttemptPlan {
    const routing::Candidate& candidate;
    // The client sees nothing of the answer before it has passed its checks, and this one would be asked then.
    const routing::Candidate* better = nullptr;
    bool queues = true;  // it waits for room at its provider; an attempt beside another one does not
    // An answer that is wrong a second time is a failure, as the owner's policy has it: another model is asked.
    bool others_follow = false;
    // Where it goes on with an answer that broke off:
    std::shared_ptr<const translate::Question> question = nullptr;  // that it is asked; null: the client's own
    std::shared_ptr<const Redacted> sent = nullptr;                 // what it may see of that; null: all
    std::shared_ptr<translate::StreamRelay> relay = nullptr;        // what it says goes behind what this has given
    std::unique_ptr<chat::EventFilter> splice = nullptr;            // leaves out what is said twice
    std::shared_ptr<chat::CitingNotes> citing = nullptr;            // what that has named of the owner's files
};

// One worker's thread; a cancel of its request is one of it.
class Attempt final : public Served {
  public:
    Attempt(Way& way, const Decided& decided, AttemptPlan plan);
    Attempt(const Attempt&) = delete;
    Attempt& operator=(const Attempt&) = delete;

    // Asks, and reads on until there is something for the client. Nothing is given yet.
    net::Task<Next> begin();
    // Gives the answer, once begin() was ready.
    net::Task<Next> give();
    // Another one was faster. What it has is dropped, or begin() comes to its end soon.
    void lose();
    // After `cut`: the client is told, and it is recorded.
    net::Task<> break_off();

    const routing::Candidate& candidate() const { return candidate_; }
    // After `cut`: the owner's rules for answers have stopped it, so nobody is to go on.
    bool stopped_by_owner() const { return broken_ && broken_->code == ErrorCode::policy; }
    const std::shared_ptr<chat::CitingNotes>& citing() const { return citing_; }
    const std::shared_ptr<translate::StreamRelay>& relay() const { return relay_; }

    // Instead of begin(): asks how many tokens the question has. Nullopt where that is not to be had.
    net::Task<std::optional<std::int64_t>> count();

  private:
    struct Doubt {
        std::string reason;   // empty where it is good enough
        bool faulty = false;  // nobody could use it; else it is only expected to be worse
    };
    Doubt doubt_of(const chat::Told& told) const;
    // The same, after a second answer was asked for where that may be worth it.
    net::Task<Doubt> doubt_after_sample(const chat::Told& told);
    bool worth_a_sample(const chat::Told& told) const;
    const config::Rule* rule_of_cascade() const;
    Next escalate(const chat::Told& told, Doubt doubt, const ledger::Used& used, const std::function<Spare()>& say);
    // The one end of an answer of which a client saw something, or would have: it is settled, learned from, and
    // published. `used`: nothing where that was settled before. `why`: it did not pass.
    void finish(Ending how, const std::optional<ledger::Used>& used, const chat::Told& told, std::string why = {});
    void learn(const AnswerFinished& finished) const;
    learning::Learning::Answered outcome_of(const chat::Told& told, std::string fault) const;

    // One question beside the answer, at the server's root; false where there is none.
    net::Task<bool> ask_json(const ledger::Reservation& reservation, std::string path, std::string body,
                             json::Document& answer);
    // Of a request in the provider's words. Nullopt where its server does not say.
    net::Task<std::optional<std::int64_t>> tokens_of(const std::string& request,
                                                     const ledger::Reservation& reservation);
    // Whether the most that the prompt may be does not fit, and its own tokenizer can say what it is.
    bool fit_is_open() const;
    net::Task<std::optional<std::int64_t>> count_prompt();
    // Errors: context, with both numbers.
    Result<> hold_fit(std::int64_t prompt) const;
    // Where the candidate is reached; an engine is started for it, and held. Errors: as Engines::acquire(), cancelled.
    net::Task<Result<>> reach();
    net::Task<Next> send();
    // Asks with the bytes of the conversion; `also` is recorded before it leaves.
    net::Task<std::expected<upstream::Sent, upstream::Failure>> ask(store::Store::Job also);
    // Whether it refuses turns that call tools without the thoughts before them; that is remembered.
    bool wants_thoughts(const upstream::Failure& failure, std::string_view words);
    bool refuses_words_of_chat(const upstream::Failure& failure) const;
    bool is_told_without_thoughts(const upstream::Failure& failure, std::string_view words);
    bool is_told_plainly(const upstream::Failure& failure);
    bool is_told_what_is_wrong();
    bool learns_from(const upstream::Failure& failure);
    bool learns_from(const Error& said);
    upstream::Gate::Asked room_asked() const;
    net::Task<Result<upstream::Gate::Pass>> wait_for_room(const upstream::Gate::Asked& asked);
    net::Task<Result<privacy::Clearance>> clear(std::string body, store::Store::Job also);
    // Leave to spend the most that it may use. Errors: over_budget, rate_limited.
    bool understands(const upstream::Failure& failure);
    Result<> reserve();
    // Writes down, before it is sent, that it is under way and what it may cost at most.
    store::Store::Job opened() const;
    net::Task<Result<>> commit(store::Store::Job job);
    // The provider says more than was reserved: true where the budget has room for it.
    bool may_say(std::int64_t tokens);
    void end_at_limit();
    Result<> choose_question();
    // The question in the provider's words; a prompt that may be too long is counted before it is sent. Errors:
    // invalid, context.
    net::Task<Result<>> convert();
    net::Task<Result<>> say();
    void add_filters();
    upstream::Call call_of();
    std::vector<privacy::ClientHeader> client_headers();

    net::Task<Next> begin_whole();
    net::Task<Next> give_whole();
    net::Task<Next> begin_stream();
    net::Task<Next> give_stream();
    net::Task<> read_on();
    void begin_answer(std::string& bytes);
    Result<> hold_what_is_kept();
    // In the record, and to the client: in a comment, where its stream has begun and has those.
    void tell(std::string text);
    // Events that were left out are never so in silence.
    void tell_malformed(std::size_t events);
    // What was put right in calls.
    void tell_calls();
    // Media that the client's dialect has no place for are not left out in silence.
    void tell_unsaid(const translate::Unsaid& unsaid);

    // For the client: what a provider says of our key is not about the client's.
    static FaultCode code_for_client(FaultCode code);
    std::string reason_for_all(const upstream::Failure& failure) const;
    std::string about_key() const;
    void note_refused_model(upstream::Failure& failure);
    void note_model_answered();
    std::string about_model(upstream::ModelRefused refused) const;
    // A failure that is not its provider's.
    static upstream::Failure ours(Error error, upstream::Remedy remedy);
    // `usage`: what the provider did all the same.
    Next failed(upstream::Failure failure, const ledger::Used& used = {});
    Next skipped(Error error);
    // What is different about this attempt, for the client and for its record.
    void note(std::string text);
    void note_bound();
    void take_notes();
    upstream::Remedy remedy_of(upstream::Failure& failure) const;
    void log_failure(const upstream::Failure& failure) const;
    Next unreadable(Error error, const ledger::Used& used);
    Next stopped(Error error, const ledger::Used& used);
    Next cancelled(bool was_sent);
    void settle(const ledger::Used& used, std::string_view outcome, ledger::Reservation& reservation);
    void settle(const ledger::Used& used, std::string_view outcome) { settle(used, outcome, *reservation_); }
    // What it used and costs goes into its record.
    void book(const ledger::Used& used);
    Money at_most(Tokens prompt, Tokens answer) const;
    const prices::Asked& asked_price() const { return decided_.inputs().features.price; }
    // What is read of its provider's words on usage; of one that is free, nothing is.
    prices::Reading read_usage(std::string_view words) const;
    // What a provider has used: what it says, and an estimate of what it leaves out, or, where its word is not its
    // last, of what was seen since.
    Usage usage_of(const std::optional<Usage>& said, Tokens seen, bool is_final) const;
    ledger::Used usage_of_stream() const;
    ledger::Used usage_of_whole() const;
    ledger::Used usage_of_body(std::string_view body) const;
    Usage usage_of_failure(const upstream::Failure& failure) const;
    Usage estimate(Tokens output) const;
    // It was sent, and what its provider has made of it is not known: the most that it may have used.
    Usage unknown() const;
    void mark_first_byte();
    void note_pace(bool stream) const;
    std::int64_t elapsed_ms() const;
    const translate::Question& question() const;
    bool engine() const { return provider_.kind->runs_here; }

    Way& way_;
    const Decided& decided_;
    const routing::Candidate& candidate_;
    const routing::Table::Entry& entry_;
    const config::Provider& provider_;
    const config::Model model_;
    const prices::Tariff price_;
    const prices::Hints hints_;  // of its provider's words on usage
    const SteadyTime started_;
    const routing::Candidate* const better_;
    const bool queues_;
    const bool others_follow_;
    bool ready_ = false;
    bool lost_ = false;
    const bool joins_;                                        // what another one has begun
    bool told_who_ = false;                                   // the client knows who answers
    const std::shared_ptr<const translate::Question> asked_;  // where it is not the client's own
    std::unique_ptr<chat::EventFilter> splice_;

    net::Cancel cancel_;
    net::Cancel::Hook hook_;  // of the request's
    std::optional<upstream::Health::Trial> trial_;
    std::optional<ledger::Reservation> reservation_;
    Usage most_;               // that it may use
    Tokens most_prompt_;       // that money is reserved for
    std::int64_t bound_ = 0;   // tokens of all its answers, where a budget or a limit bounds them; 0: not bounded
    bool sets_bound_ = false;  // the client set none, so the request sent has ours
    std::int64_t beyond_ = 0;  // tokens that were reserved later
    std::int64_t prompt_tokens_ = 0;  // counted; 0: estimated
    upstream::Gate::Pass pass_;
    engine::Lease lease_;
    upstream::Endpoint endpoint_;
    std::size_t used_key_ = 0;  // which of the provider's
    std::optional<translate::Conversion> conversion_;
    std::optional<net::Answer> answer_;
    bool streamed_ = false;  // as it came

    std::vector<std::string> notes_;  // for its record
    const std::shared_ptr<chat::CitingNotes> citing_;

    Held memory_;       // for the answer
    std::string body_;  // of an answer in one piece
    translate::Conversion::Whole whole_;
    std::shared_ptr<translate::StreamRelay> relay_;
    bool over_ = false;
    std::optional<Error> broken_;
};

}  // namespace tandem::gateway
