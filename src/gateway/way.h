// A request under way: what its attempts share, and how its records and its answer are given. One worker's thread.
// Private to gateway/.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/enrich.h"
#include "gateway/pulse.h"
#include "gateway/run.h"
#include "gateway/stages.h"
#include "gateway/standing.h"
#include "privacy/memory.h"
#include "privacy/redact.h"
#include "privacy/restore.h"
#include "routing/names.h"

namespace tandem::gateway {

// The question as one zone may see it, and what puts its answer right.
struct Redacted {
    translate::Question question;
    privacy::Redaction redaction;
    std::shared_ptr<const privacy::Stands> stands;
};

// Who answers, and what it was shown.
struct Served {
    ledger::AttemptRecord record;
    std::shared_ptr<const Redacted> sent;  // where it is not the question itself
};

// An answer that was held back: nobody's, unless there is no better one.
struct Spare {
    std::string body;
    bool stream = false;
    Served served;
};

// One after the other in the same commit; either may be empty.
store::Store::Job both(store::Store::Job first, store::Store::Job second);

// What attempts leave behind, for those that come after them.
struct AttemptHistory {
    upstream::Failure last;         // the last failure
    Served last_asked;              // whose it was
    bool own_error = false;         // its body is in the client's dialect
    bool in_other_words = false;    // the last failure told how the same can be asked
    std::int64_t room = 0;          // tokens for the answer, as a refusal told; 0: none did
    std::string plainly;            // the model that is asked in plain words, since it refused the client's
    std::string thoughtless;        // the model that is asked without the history's thoughts, since it refused them
    std::string corrected;          // the model that was told what was wrong with its answer
    tools::Wrong correction;        // that
    std::int64_t too_long_for = 0;  // a context that the prompt did not fit
    Held spare_memory;
    std::optional<Spare> spare;
    Usage before;                                               // of a stream that broke off and was gone on with
    bool part_of_whole = false;                                 // who began it saw what others may not
    std::vector<std::pair<std::string, std::string>> failures;  // model and why, of each attempt that failed
    std::string refused_by;                                     // the provider that refuses all our keys; empty: none
    int fallbacks = 0;                                          // from one model to another, after a failure
};

// How an answer is known to the cache.
struct CachePlace {
    std::string request;     // what makes it the same request; empty: not for the cache
    cache::Meaning meaning;  // where answers to similar ones are given again
    std::string given;       // of a stream, as far as it was given
};

struct Deadline {
    SteadyTime at;
    bool is_clients = false;  // it is sooner than the owner's
};

class Way {
  public:
    Way(Gateway& gateway, Call call, translate::Front front, Keeping keeping);
    ~Way();
    Way(const Way&) = delete;
    Way& operator=(const Way&) = delete;

    // ---- the request ----

    Gateway& gateway;
    Services& services;
    Pulse pulse;
    net::Exchange& exchange;  // with its pulse
    const std::shared_ptr<const Snapshot> snapshot;
    const config::Config& config;
    const access::Principal who;
    const access::RequestHeaders asked;
    const Keeping keeping;
    const SteadyTime arrived;
    Deadline deadline;

  private:
    Held memory_;  // for the question and what is made of it; goes after all of that

  public:
    translate::Question question;
    std::shared_ptr<const Context> context;  // what of the owner's files is in it; null: nothing was looked for
    routing::Named named;                    // what the client's name for a model falls to; empty where nothing has it
    DecisionId id;
    AttemptHistory history;
    CachePlace cache;

    // Takes a place among its principal's requests where the door has not, and memory for the question and what is made
    // of it. Errors: rate_limited, unavailable.
    Result<> enter();
    // The same among those that ask by this alias or model. Errors: rate_limited.
    Result<> enter_alias();

    const chat::Request& request() const { return question.request; }
    // The same as its client wrote it, without what was found in files.
    const chat::Request& asked_request() const { return context ? context->asked : question.request; }
    const dialect::Dialect& client_dialect() const { return dialect::of(question.front.kind); }
    // A model's name for the log: the config's, which may be a pattern.
    std::string in_log(const std::string& model) const {
        return model.empty() || config.model(model) != nullptr ? model : named.entry;
    }
    // The alias or model that the request is for; what the client wrote where nothing has that name.
    const std::string& alias() const { return named.means.empty() ? request().model : named.means; }
    // Looks up the client's name, and says so where an alias with a `*` stands for it.
    void look_up_name();
    // What the client and the ledger are told: the client's own name where a pattern stands for it.
    const std::string& shown_name(const routing::Candidate& candidate) const {
        return named.rest.empty() || candidate.model != named.entry ? candidate.model : request().model;
    }
    // The model of a candidate as its provider is to be asked for it.
    config::Model model_of(const routing::Candidate& candidate) const;
    bool late() const { return services.clock.steady() >= deadline.at; }
    // The deadline of the request has passed, and it was its client that set it.
    bool client_is_late() const { return deadline.is_clients && late(); }
    // Why an attempt ends in its middle, where its exchange is ended.
    std::string who_ended() const {
        return exchange.cancel().reason() == net::Cancel::Reason::cancelled ? "its client cancelled it"
                                                                            : "the client has gone";
    }
    // The request's messages as the memory of labels knows them; empty until somebody needs it.
    const privacy::Identity& identity() const { return identity_; }
    void identify();
    // What its client calls the conversation, or else how it begins.
    std::string conversation_name();
    // The conversation among those of all principals.
    std::string unit() { return who.id() + "\n" + conversation_name(); }
    // What the owner wants done where an attempt fails: of the alias, else of the rule, else of all.
    const config::FailurePolicy& failure_policy() const;
    // A provider works through tools itself: asking twice may do something twice.
    bool runs_tools() const;

    // ---- what the client and the record are told besides ----

    void tell(std::string text);  // the client; each once
    void warn(std::string text);  // tells the client, and notes it
    // The client: that a model failed, or was not asked, in one sentence with those of which the same was said.
    void tell_failed(const std::string& model, bool was_asked, const std::string& why);
    // Warns of those that would have been asked before the candidate at `place`. Each once.
    void tell_passed_over(std::size_t place);
    // The candidate at `place` is passed over, which is told with the next that is asked.
    void pass_over(std::size_t place, std::string why);
    // How many warnings there are, and only the first so many from now on.
    std::size_t warnings() const { return warnings_.size(); }
    void forget_warnings(std::size_t behind) { warnings_.resize(behind); }
    // The headers have them.
    void told_all() { warnings_told_ = warnings_.size(); }
    // Notes on the request, for the next attempt's record; each is given out once.
    std::vector<std::string> take_unrecorded() { return std::exchange(unrecorded_, {}); }
    // Whether the client was told that an answer has a bound that is ours; from now on it was.
    bool told_bound() { return std::exchange(told_bound_, true); }

    // ---- attempts ----

    ledger::AttemptRecord new_attempt(const Decided& decided, const std::string& provider, const std::string& model,
                                      Zone zone);
    void add(ledger::AttemptRecord record);
    // Where nobody was asked yet: forgets the attempts that were skipped, for a request that is decided on anew. False:
    // somebody was asked.
    bool forget_skipped();
    bool nobody_asked() const { return begun_ == skipped_; }
    // An answer has ended, and everybody who wants to know hears of it.
    void publish(const Served& served, const AnswerFinished& finished);
    // What `publish` says of the request.
    AnswerFinished finished(Ending how, const Served& served, const std::string& model, const chat::Told& told);

    // ---- redaction ----

    // The question as the zone may see it, made once for each. Errors: policy, internal, unavailable; then the zone may
    // not be asked.
    Result<std::shared_ptr<const Redacted>> redacted_for(Zone zone);
    // Another question of the same conversation, for a zone. Errors: as above.
    Result<std::shared_ptr<const Redacted>> redacted(const translate::Question& question, Zone zone);
    // What came of private content is as private; where a model saw only what remained, as private as that.
    Label label_of_answer(const Served& served) const;
    // Whether somebody wants to know what a streamed answer said.
    bool needs_words() const;
    // A model sees the whole, so what it makes of it is as private as that.
    void remember_whole_was_seen();

    // ---- records ----

    void remember(store::Store::Job job) { remember_ = both(std::move(remember_), std::move(job)); }
    // The records that must be there before anything that follows from them; each is given out once.
    store::Store::Job pending_records();
    // The same without the decision: what stays home is recorded with its answer.
    store::Store::Job pending_memory() { return std::exchange(remember_, {}); }
    net::Task<Result<ledger::Receipt>> close_record();
    // The same, keeping the answer where its client may ask for it again.
    net::Task<Result<ledger::Receipt>> close_with(const std::string& response, const Served& served);
    void record_unwatched();
    void keep_response(const std::string& response, const Served& served);
    // What of an error may be written down: of a provider's own words on private content nothing, since it may quote
    // it.
    std::string recordable(std::string_view message, int status) const;

    // ---- the answer ----

    net::Fields answer_headers(const Served& served, std::string_view type) const;
    // Says in the first bytes of a stream what its headers would have said, had they not gone out with a beat: in a
    // comment where the dialect has such, else in a member `tandem` of the first object. False where there is none in
    // `bytes`.
    bool tell_in_stream(const Served& served, std::string& bytes);
    // The same in its last bytes, of what came to be different after that.
    void tell_more_in_stream(std::string& bytes) const;
    std::string_view stream_type() const;
    // A client that waits for a stream is told from now on that it is being worked at. Then the answer may have begun
    // before anybody has answered.
    void begin_pulse();
    std::string_view type_of(bool stream) const { return stream ? stream_type() : "application/json"; }
    dialect::AnswerFrame frame(const Served& served) const;
    // The same where nobody has answered.
    dialect::AnswerFrame frame() const;
    void keep_answer(const Served& served, std::string body, std::string_view type, bool stream);
    // An answer that is whole, as a stream or in one piece. The last byte is given only for a receipt.
    net::Task<> give(ledger::Receipt receipt, net::Fields headers, std::string body, bool stream);
    net::Task<> last_byte(ledger::Receipt receipt, net::Response response);
    net::Task<> last_bytes(ledger::Receipt receipt, std::string bytes);
    net::Task<> refuse(Error error, std::optional<seconds> retry_after = {});

  private:
    friend class Preparation;  // decides
    // Of what was asked; public until it is decided on.
    Label label() const { return decided_ ? decided_->inputs().label : Label::public_; }
    const privacy::Known& of_itself() const { return decided_->labelled().of_itself(); }
    void remember_answer(const Served& served, const chat::Told& told);
    void add_headers(std::string_view type, net::Fields& headers) const;
    bool has_comments() const;  // the stream's framing has lines that clients do not read
    // In the stream that has begun.
    net::Task<> refuse_in_stream(const Error& error);
    const bool detached_;  // no client is on the line
    // Whether it is so short that its answer may have to tell it apart from another of the same words.
    bool is_short() const;
    std::shared_ptr<const ledger::Admission> admission_;
    ledger::Admission alias_admission_;  // of the name that it was asked by
    privacy::Identity identity_;
    std::optional<Decided> decided_;
    std::vector<PassedOver> passed_over_;  // for a line in the log, and for warnings
    std::vector<std::string> warnings_;
    std::size_t warnings_told_ = 0;  // of a stream, with its beginning
    bool told_bound_ = false;
    std::vector<std::string> unrecorded_;
    std::array<std::shared_ptr<const Redacted>, 2> redacted_;  // by zone
    bool decision_recorded_ = false;
    store::Store::Job remember_;
    store::Store::Job keep_;
    std::vector<ledger::AttemptRecord> attempts_;  // until they are recorded
    Usage used_;                                   // by all of them
    Money spent_;
    std::string model_, provider_;  // who answered
    std::optional<Zone> zone_;
    bool cached_ = false;
    std::string taken_out_;  // by redaction, types and counts
    int begun_ = 0;
    int skipped_ = 0;       // of them, nobody was asked
    std::size_t told_ = 0;  // of passed_over_
    struct Failed {
        bool was_asked = false;
        std::string why;
        std::vector<std::string> models;
        std::string text;  // as it stands in `warnings_`
    };
    std::vector<Failed> told_failed_;
};

}  // namespace tandem::gateway
