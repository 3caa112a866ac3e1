// Events in the order in which dialects with one open block at a time can say them. Private to dialect/.
//
// Chat Completions lets calls interleave and text come between; Anthropic, Responses, Ollama and Gemini want one part
// after the other. The first part streams as it comes, the others wait their turn; nothing is lost.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "chat/answer.h"
#include "chat/conversation.h"
#include "dialect/dialect.h"

namespace tandem::dialect {

struct Piece {
    enum class Kind { text, refusal, media, reasoning, call } kind = Kind::text;
    std::string text;  // all of it so far: text, reasoning, arguments
    std::string signature;
    bool redacted = false;
    std::string id;
    std::string name;
    bool custom = false;
    chat::Media media{};                      // has no delta
    std::vector<chat::Citation> citations{};  // of text
};

class Sequencer {
  public:
    class Sink {
      public:
        virtual ~Sink() = default;
        virtual void open(const Piece& piece) = 0;
        // `added` is the new end of piece.text.
        virtual void delta(const Piece& piece, std::string_view added) = 0;
        // The last text was said, and piece.citations has the one at `place` of it.
        virtual void cite(const Piece&, std::size_t /*place*/) {}
        virtual void close(const Piece& piece) = 0;
    };

    // Events of other choices than the first, and those that are no part, are ignored.
    void take(const chat::Event& event, Sink& sink);
    // No more parts come.
    void finish(Sink& sink);

  private:
    struct Waiting {
        Piece piece;
        std::int64_t index = -1;  // of a call
        std::size_t said = 0;     // bytes of text that the sink has
        std::size_t cited = 0;    // citations that it has
        bool opened = false;
        bool ended = false;
    };
    Waiting& last(Piece::Kind kind);
    void pump(Sink& sink, bool finishing);

    std::deque<Waiting> queue_;  // the first is the open one
    std::vector<std::int64_t> closed_calls_;
};

// A writer of a dialect with one open part at a time: it is told of parts by open(), delta() and close(), and adds to
// `out_`.
class SequencedWriter : public AnswerWriter, protected Sequencer::Sink {
  public:
    void event(const chat::Event& event, std::string& out) override;

  protected:
    explicit SequencedWriter(AnswerFrame frame) : frame_(std::move(frame)), model_(frame_.model) {}
    // No more parts come.
    void finish_parts(std::string& out);

    const AnswerFrame frame_;
    std::string model_;        // the provider's word, once it has come
    chat::Finished finished_;  // of the first choice
    std::string* out_ = nullptr;

  private:
    Sequencer sequencer_;
};

// The signature of a foreign provider as a client of another dialect keeps it: "tandem:DIALECT/PROVIDER:SIGNATURE".
// Thoughts without a signature have such a one too, so that they go back to who thought them and to nobody else.
std::string tagged_signature(const std::string& signature, std::string_view signed_by, std::string_view own);
// Takes the tag off, and says whose it is.
void read_signature(std::string_view text, std::string_view own, chat::ReasoningPart& part);

}  // namespace tandem::dialect
