// What a client asked, in its own words, and how one provider is asked it and its answer is given back: the one place
// where the dialect in front meets the dialect behind. Private to gateway/.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "chat/conversation.h"
#include "config/config.h"
#include "dialect/dialect.h"
#include "dialect/embeddings.h"
#include "dialect/losses.h"
#include "dialect/wants.h"
#include "ledger/prices/reading.h"
#include "tools/notes.h"
#include "tools/offer.h"
#include "translate/plainer.h"
#include "translate/relay.h"
#include "translate/thoughts.h"

namespace tandem::translate {

enum class Operation : std::uint8_t { chat, completion, count, embed, rerank };
inline constexpr std::array<std::string_view, 5> kOperationNames = {"chat", "completion", "count", "embed", "rerank"};

// What is answered is text that a model writes, and that can be learned from.
constexpr bool answers_in_text(Operation operation) {
    return operation == Operation::chat || operation == Operation::completion;
}

// What a route to a model stands for.
struct Front {
    dialect::Kind kind = dialect::Kind::openai_chat;
    Operation operation = Operation::chat;
};

// A client's request, decoded. The document and the request outlive what is made of it.
struct Question {
    Front front;
    std::string path;
    bool array = false;         // Gemini without alt=sse: a stream is one JSON array
    bool as_responses = false;  // Chat Completions asked in a body of Responses, as Cursor does
    json::Document document;
    chat::Request request;  // for embeddings and reranking: its texts, as a user's messages
    dialect::EmbedRequest embed;

    dialect::Incoming incoming() const { return {document, path}; }
};
// Fills in `request` (and `embed`) from the document, which is parsed. Errors: invalid.
Result<> decode(Question& question);

// The question with `text` behind it as the beginning of the answer, for a provider that goes on with it. Errors:
// invalid, where the client's dialect has no such thing.
Result<std::shared_ptr<const Question>> begun_question(const Question& question, std::string_view text);
// Whether a model goes on with an answer whose beginning it is given.
bool goes_on(const config::Provider& provider, const config::Model& model);

// Whether tools are offered that a provider runs itself.
bool offers_hosted_tools(const chat::Request& request);

// What an attempt adds to a question.
struct AnswerTerms {
    // Log-probabilities are asked for, for told() alone, of who gives them and where that changes nothing else.
    bool weighs = false;
    std::int64_t answer_bound = 0;   // of an answer that the client sets no bound for; 0: none
    dialect::Wants wants{};          // of the provider, where its refusals have told
    std::int64_t room = 0;           // tokens that the answer has room for, where a refusal has told
    std::int64_t prompt_tokens = 0;  // as its model counts them; 0: estimated
    bool plainly = false;            // in plain words (plainer.h), where the same dialect's were refused
    bool without_thoughts = false;   // of the history: they were refused
    // What was wrong with the answer before, of which the model is told; outlives make(). None: nothing.
    const tools::Wrong* correction = nullptr;
    // A second answer that is wrong too is an error; else it is given as it is, with a warning.
    bool fails_if_wrong_again = false;
    // Where what `key` was answered before has left what the provider wants back; outlives it. None: that is not looked
    // for.
    Thoughts* thoughts = nullptr;
    std::string key{};
    Label label = Label::public_;  // of the request
    // By which the usage in an answer is read in full; outlive the conversion. None: that is not wanted.
    const prices::Hints* usage_hints = nullptr;
};

// One question for one provider, and its answer for the client.
class Conversion {
  public:
    // Errors: invalid, where the provider's dialect cannot say it, with the field and what to do.
    static Result<Conversion> make(const Question& question, const config::Provider& provider,
                                   const config::Model& model, const AnswerTerms& terms = {});

    // The provider is offered tools that it works through itself: asking twice may do something twice.
    bool runs_tools() const { return runs_tools_; }
    // What was said in plain words, since the server refused or may refuse the client's; empty: nothing.
    const std::set<std::string>& unusual() const { return unusual_; }
    // It is asked for a stream, which the client wants in one piece.
    bool gathers() const { return gathers_; }
    // The tokens that the answer may have at most, as it was sent; 0: no bound was.
    std::int64_t most_tokens() const { return most_tokens_; }
    const dialect::Outgoing& outgoing() const { return outgoing_; }
    std::string take_body() { return std::move(outgoing_.body); }
    const std::vector<std::string>& warnings() const { return warnings_; }
    // What was noticed about the calls of its answer so far.
    tools::CallNotes& call_notes() const { return *call_notes_; }
    // Both speak the client's dialect: its bytes are what was sent, and the provider's are what the client gets, unless
    // filters have to see them.
    bool same() const { return same_; }
    // Filters that see the answer last, made anew for each: what a guard or a restorer needs. Not for embeddings.
    using MakeFilters = std::function<void(std::vector<std::unique_ptr<chat::EventFilter>>&)>;
    void filter_with(MakeFilters make) { more_filters_ = std::move(make); }

    // `frame` is asked for where words of our own are needed; most streams pass as they are.
    // `resumable`: another provider can go on with it, which costs that each event is said anew.
    std::unique_ptr<StreamRelay> relay(const std::function<dialect::AnswerFrame()>& frame, bool resumable) const;
    // Its answer follows in a stream that was begun, through `splice` last; `id` as in the frame.
    void go_on(StreamRelay& relay, const std::string& id, std::unique_ptr<chat::EventFilter> splice) const;

    // An answer that came in one piece, read.
    struct Whole {
        chat::Answer answer;  // where it has to be said anew
        std::optional<dialect::Embeddings> embeddings;
        std::optional<Usage> usage;
        prices::Reading said;       // of usage, where hints were given
        Tokens output;              // estimated
        chat::Told told;            // the first choice
        bool usage_is_last = true;  // nothing was said after it
        std::string instead;        // of the body, where it has to be put right to be handed on
        bool lacking = false;       // lacks_members() of its dialect
        std::size_t malformed = 0;  // StreamRelay::malformed()
        Unsaid unsaid{};            // StreamRelay::unsaid()
        bool as_it_came = false;    // its calls were looked at, and stay as they are
    };
    // `streamed`: it came as a stream all the same; `id` as in the frame. Errors: upstream, context,
    // rate_limited, unauthenticated, not_found, policy.
    Result<Whole> read(const std::string& body, bool streamed, const std::string& id) const;
    // The usage that the body of an answer names, whatever else is wrong with it; of several the highest numbers.
    std::optional<Usage> usage_in(std::string_view body) const;
    // What came of a stream that is no answer: what it says that it used, and what it said.
    struct Part {
        std::optional<Usage> usage;
        Tokens output;
    };
    Part part_in(std::string_view stream) const;
    // Whether a body is a stream, whatever its type says.
    bool is_stream(std::string_view body) const;
    // What the client gets: bytes of the body where nothing has to change, a stream where it asked for one.
    struct Said {
        std::string body;
        bool stream = false;
        std::string response;  // OpenAI Responses: the response object, for the store
    };
    Said say(const Whole& whole, std::string body, bool streamed, const Usage& usage, dialect::AnswerFrame frame) const;

  private:
    Conversion(const Question& question, dialect::Speaker speaker) : question_(&question), speaker_(speaker) {}
    // An answer in one piece behind its filters; `id` as in the frame.
    dialect::Events filtered(dialect::Events events, const std::string& id) const;
    // What of an answer the client's dialect has no place for.
    void note_unsaid(const dialect::Events& events, Unsaid& unsaid) const;
    // The provider's bytes are what the client gets, in one piece.
    bool passes(const Whole& whole, bool streamed) const {
        const bool unchanged = through() || (same_ && !more_filters_ && whole.as_it_came);
        return unchanged && !streamed && !question_->request.stream;
    }
    // Each event's bytes are handed on as they came.
    bool through() const { return same_ && !more_filters_ && !looks_at_calls_; }
    chat::Request with_thoughts(const config::Model& model, const AnswerTerms& terms) const;
    // Whether our own grammar is to hold the answer.
    bool wants_hold(const config::Provider& provider) const;
    // Puts it into the request, and the tools where the template alone reads them.
    void hold(chat::Request& request);
    // Judges the calls of the answer by what this request offers.
    void judge_calls(const chat::Request& request, const config::Provider& provider);
    // An answer that is JSON alone may be a call, unless JSON was asked for.
    bool takes_calls_from_text() const { return !question_->request.response_format.asks_json(); }
    tools::Holding holding(bool whole) const;
    bool speaks_plainly(const config::Provider& provider, const config::Model& model, const AnswerTerms& terms);
    std::unique_ptr<dialect::AnswerWriter> writer(dialect::AnswerFrame frame) const;
    std::vector<std::unique_ptr<chat::EventFilter>> filters(const std::string& id, bool whole = false) const;

    const Question* question_;
    dialect::Speaker speaker_;
    dialect::Outgoing outgoing_;
    std::vector<std::string> warnings_;
    std::set<std::string> unusual_;
    std::optional<Plain> plain_;  // until it is sent
    std::set<std::string> custom_;
    std::map<std::string, std::string> names_;  // of tools, by what the provider calls them
    std::shared_ptr<const tools::Offer>
        offer_;                  // functions, as the provider calls them, where it may write calls as text
    bool forbids_calls() const;  // tool_choice: none
    std::shared_ptr<tools::CallNotes> call_notes_ = std::make_shared<tools::CallNotes>();
    std::string schema_;              // of an answer in JSON that is checked
    std::vector<std::string> stops_;  // that the provider was not told
    std::int64_t most_tokens_ = 0;
    bool runs_tools_ = false;
    bool gathers_ = false;
    bool same_ = false;
    bool rendered_ = false;
    bool json_in_words_ = false;
    bool looks_at_calls_ = false;  // though the provider's bytes are the client's
    bool may_ask_again_ = false;   // where a call is wrong
    bool weighs_ = false;
    Thoughts* thoughts_ = nullptr;
    const prices::Hints* usage_hints_ = nullptr;
    Thoughts::Owner owner_;
    MakeFilters more_filters_;
};

}  // namespace tandem::translate
