// A request from its body to what is decided: read, labelled, decided on, and, where a budget wants that, waited for.
// One worker's thread. Private to gateway/.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "gateway/run.h"
#include "gateway/stages.h"
#include "gateway/way.h"

namespace tandem::gateway {

class Preparation {
  public:
    explicit Preparation(Way& way) : way_(way), services_(way.services), exchange_(way.exchange) {}
    Preparation(const Preparation&) = delete;
    Preparation& operator=(const Preparation&) = delete;

    // What is decided stays where it is, also when it is decided on anew. Errors: as the client gets them.
    net::Task<Result<const Decided*>> run();

    // Another request took the room that there was when this one was decided on, and nobody was asked: it is decided on
    // anew, without the warnings behind the first so many, and waits again where its budget wants that. Whether
    // somebody may take it.
    net::Task<bool> decide_anew(std::size_t warnings);
    // The last attempt had no room in a budget, and it may be decided on anew.
    bool lost_room() const;

    // The vector of the last turn, made once for each model. The part of Tandem that asks pays for it, and is named in
    // the ledger. Errors: as the model's.
    net::Task<Result<std::vector<float>>> embed(const std::string& model, access::Part part, Label label);
    // What the owner has released of the conversation.
    privacy::ReleasedContent released_content() const;
    // What takes its time is done on the pool.
    bool large() const { return large_; }

  private:
    net::Task<Result<>> away_if_large(std::function<Result<>()> work);
    Result<> decode_question();
    net::Task<Result<>> add_context();
    net::Task<Result<>> add_context(bool ruled);
    routing::Inputs inputs_as_asked();
    privacy::Labelled label_by_all();
    Result<> label_question();
    Result<> look_for_loop();
    void read_betas();
    net::Task<> look_at_meaning();
    Result<> decide(Labelled&& labelled);
    void count_context(routing::Inputs& inputs) const;
    Result<> choose(Decided& decided, routing::Inputs inputs);
    void need(routing::Features& features) const;
    net::Task<Result<>> wait_for_budget();
    Result<> note_label();
    Decided& decided() { return *way_.decided_; }
    const chat::Request& request() const { return way_.request(); }

    Way& way_;
    Services& services_;
    net::Exchange& exchange_;
    privacy::LabelMemory::Recalled recalled_;
    Labelled labelled_;
    std::vector<std::string> about_;  // collections, of a call that is about a conversation whose questions they answer
    std::vector<std::int64_t> leaves_;  // of what was found, for the label memory
    learning::Meaning meaning_;
    std::string embedded_by_;
    std::vector<float> embedded_;
    bool large_ = false;
    bool queued_ = false;  // nothing may take it now, and a budget wants it to wait
    bool waits_ = false;   // it was so once
    int races_ = 0;        // for room in a budget, that were lost
};

// What a request has of its own, before anything is looked up; shared with decide_only().
privacy::Labelled label_by_source(const access::Principal& who, const std::string& alias, Label asked,
                                  const privacy::LabelMemory::Recalled& remembered);
// Where the key has a budget or a limit of tokens, every answer has a bound: what the client says, or the owner's.
void bound_answer(bool is_bound, const config::Policy& policy, const chat::Request& request,
                  routing::Features& features);
// What a key's full memory makes of all its requests. Last, so that it is not remembered of what they hold: that would
// label the same words of others.
void label_by_floor(const privacy::LabelMemory::Recalled& remembered, privacy::Labelled& labelled);
routing::Inputs inputs_of(const access::Principal& who, const chat::Request& request, privacy::Labelled labelled,
                          const access::RequestHeaders& asked, int repeats);

}  // namespace tandem::gateway
