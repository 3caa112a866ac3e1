// A provider's stream on its way to the client. Where both speak the same dialect, each event's bytes are handed on as
// they came, and what the ledger must know is read from them; else each event is read, put right, and said anew.
// Private to gateway/.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "chat/filter.h"
#include "chat/told.h"
#include "dialect/dialect.h"
#include "ledger/prices/tool_calls.h"
#include "translate/mender.h"
#include "translate/unsaid.h"

namespace tandem::translate {

class StreamRelay {
  public:
    virtual ~StreamRelay() = default;
    // Takes the next bytes of the provider. Errors: upstream.
    virtual Result<> feed(std::string_view bytes) = 0;
    // The provider's stream has ended.
    virtual void end() = 0;
    // It broke off: what came is read, though something is missing from it.
    void break_off() { end_events(); }
    // What is for the client so far; never the closing mark.
    std::string take() { return std::exchange(out_, {}); }
    // What closes an answer that is whole: what was held back, and the dialect's mark. `usage` is what the ledger has.
    virtual std::string finish(const Usage& usage) = 0;
    // Another provider goes on where the last one broke off: its answer follows in the same stream, through `filters`.
    // Only of a relay that was made for it.
    virtual void go_on(const dialect::Dialect&, std::vector<std::unique_ptr<chat::EventFilter>>) {}
    // A line for whoever reads the stream itself, where its framing has comments.
    void remark(std::string_view text) { out_.append(": ").append(text).append("\n\n"); }
    // What tells the client that the answer breaks off.
    virtual std::string fail(const Error& error) = 0;
    // OpenAI Responses: the final response object, for the store; empty in other dialects.
    virtual std::string response() const { return {}; }

    // Something that a person would call an answer has come: text, a tool call, or its regular end.
    bool has_content() const { return content_; }
    bool done() const { return done_; }  // the stream has said that it is over
    // Every choice has its finish reason: the answer is whole even where the stream's mark is missing.
    bool whole() const { return static_cast<std::int64_t>(finished_choices_.size()) >= choices_; }
    const std::optional<Error>& failed() const { return failed_; }
    const std::optional<Usage>& usage() const { return usage_; }
    // The events in which it says that, the first and the last, one a line; what they count in full is read from them.
    std::string usage_words() const { return last_usage_.empty() ? first_usage_ : first_usage_ + '\n' + last_usage_; }
    // Tools that ran at the provider, as far as its events tell.
    prices::Buckets tools() const { return tools_.buckets(); }
    // Events that are nothing: no JSON, and nothing that could be part of the answer.
    std::size_t malformed() const { return malformed_; }
    // What the answer has that the client's dialect has no place for.
    const Unsaid& unsaid() const { return unsaid_; }
    // Bytes of pictures and other media so far, of which no token is counted by its length.
    std::size_t media_bytes() const { return media_bytes_; }
    // Signs of life of the provider that said nothing, since the last time it was asked.
    bool take_ping() { return std::exchange(pinged_, false); }
    // The provider's stream is cut where more than `tokens` were said in all answers together; then the client gets its
    // dialect's end at a length limit. `more` is asked first where that is only an estimate: true lets it go on.
    using More = std::function<bool(std::int64_t said)>;
    void limit(std::int64_t tokens, More more) {
        limit_ = tokens;
        more_ = std::move(more);
    }
    // It was cut there.
    bool spent() const { return spent_; }
    // The provider has said what it used, and nothing came after that but its end.
    bool usage_is_final() const { return usage_ && usage_is_last_ && whole() && !spent_; }
    // Keeps what the first answer says, for told().
    void collect() { collects_ = true; }
    const chat::Told& told() const { return told_; }
    // What the provider has said so far in all answers together, as an estimate: by its own count, by its events, of
    // which each is a token at least, and, where they are longer than tokens are, by their text.
    Tokens said() const;
    // The same by what was seen alone: what memory it takes is not the provider's to say.
    Tokens seen() const;

  protected:
    explicit StreamRelay(std::int64_t choices) : choices_(choices) {}
    // What the provider has said, before filters change it.
    void count(const chat::Event& event);
    void count(std::int64_t thousandths, std::int64_t deltas);
    void count(const Usage& usage);
    // What the client is told.
    void note(const chat::Event& event);
    // Whether more was said than may be.
    bool beyond_limit();
    void begin_count();
    void restart_choices() { finished_choices_.clear(); }
    bool is_finished(std::int64_t choice) const { return finished_choices_.contains(choice); }
    void finish_choice(std::int64_t choice) { finished_choices_.insert(choice); }
    void take_back_ends() { finished_choices_.clear(); }

    // An event as it came: piece() gets it once it can be read, in order. What cannot be read at all breaks the answer
    // where it may have been part of it.
    void take_event(std::string_view type, std::string_view data);
    // No more come, or one that is no JSON: those that waited are read.
    void end_events();
    // An event, or a mark of the stream's end.
    virtual void event(std::string_view type, std::string_view data) = 0;
    // `document_` holds the event.
    virtual void piece(std::string_view type, std::string_view data) = 0;
    // Whether an event is the provider's own "error" in words that its dialect does not have.
    void fail_by(std::string_view type, std::string_view data);

    const std::int64_t choices_;
    std::string out_;
    std::optional<Usage> usage_;
    std::optional<Error> failed_;
    bool collects_ = false;
    chat::Told told_;
    bool spent_ = false;
    std::size_t malformed_ = 0;
    Unsaid unsaid_;
    std::size_t media_bytes_ = 0;
    bool content_ = false;
    bool done_ = false;
    bool pinged_ = false;
    json::Document document_;

  private:
    std::int64_t certain() const;
    void read_event(std::string_view type, std::string_view data);
    void lose_event(std::string_view data);
    // Whether the lines of an event are events: some servers leave out the empty line between them.
    bool is_several(std::string_view data);
    // Keeps an event that says what was used; `document_` holds it.
    void keep_usage(std::string_view data);

    Mender mender_;
    prices::ToolCalls tools_;

    std::int64_t limit_ = 0;  // 0: none
    More more_;
    std::int64_t thousandths_ = 0;
    std::int64_t deltas_ = 0;
    bool usage_is_last_ = false;
    std::string first_usage_, last_usage_;
    std::set<std::int64_t> finished_choices_;
};

// Chat Completions to Chat Completions, which most requests are: nothing is copied but the bytes.
// `wants_usage`: the client asked for a usage chunk; `drops_logprobs`: it did not ask for those that come;
// `calls_may_stop`: the tool was named, and OpenAI ends such an answer with "stop"; `frame` is asked for where the
// provider leaves out what clients read, and outlives the relay.
struct ChatTerms {
    bool wants_usage = false;
    std::int64_t choices = 1;
    bool drops_logprobs = false;
    bool calls_may_stop = false;
    std::function<dialect::AnswerFrame()> frame{};
};
std::unique_ptr<StreamRelay> chat_relay(ChatTerms terms);

// For an answer that has come whole, as a stream: its events, and what they count to. Nothing is said of it.
class Gatherer : public StreamRelay {
  public:
    using StreamRelay::StreamRelay;
    dialect::Events take_events() { return std::move(events_); }

  protected:
    dialect::Events events_;
};
std::unique_ptr<Gatherer> gather(const dialect::Dialect& provider, std::int64_t choices);

// Any dialect to itself. `frame` is for words of our own.
std::unique_ptr<StreamRelay> same_relay(const dialect::Dialect& dialect, dialect::AnswerFrame frame);

// Any dialect to any other. Log-probabilities as above.
std::unique_ptr<StreamRelay> translating_relay(const dialect::Dialect& provider,
                                               std::unique_ptr<dialect::AnswerWriter> writer, std::int64_t choices,
                                               std::vector<std::unique_ptr<chat::EventFilter>> filters,
                                               bool drops_logprobs = false);

}  // namespace tandem::translate
