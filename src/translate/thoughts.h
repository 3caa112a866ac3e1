// What providers thought before they called a tool, for those who want it back with the call: DeepSeek's and Kimi's
// reasoning_content, the signatures of Gemini, Anthropic and Responses. A client whose dialect has no place for it does
// not send it, so it is remembered here, by the calls that follow it. In memory alone, and never given to another
// provider or another key. Private to gateway/.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/label.h"
#include "chat/conversation.h"
#include "chat/filter.h"

namespace tandem::translate {

// Whose thought it is, as its signature says it to a client of another dialect: "openai-chat/deepseek".
std::string thinker(std::string_view dialect, std::string_view provider);
// Thoughts that this provider said to a client of another dialect are those of its own dialect again; those of other
// providers stay foreign.
void know_own_thoughts(chat::Request& request, std::string_view dialect, std::string_view provider);

// Safe from any thread.
class Thoughts {
  public:
    static constexpr std::size_t kMostBytes = 16UL << 20;  // of all of them; the oldest go
    static constexpr std::size_t kLargest = 1UL << 20;     // before one call

    // `where`: the provider's zone and address, so that what stands behind its id after a change of the config gets
    // nothing. `label`: of the request. A thought is given back in a request of its own label or a higher one alone:
    // what answered a private question may repeat it.
    struct Owner {
        std::string key, provider, where;
        Label label = Label::public_;
    };

    // Sees an answer to `request`, and remembers what stands before its calls. It must see the calls as the client
    // does, and the thoughts as the provider said them. This outlives it.
    std::unique_ptr<chat::EventFilter> watch(Owner owner, const chat::Request& request);
    // Puts back what its owner thought before the calls of this request, in those turns that have no thoughts of their
    // own. `leads`: thoughts begin their turn; else each stands before its call.
    void bring_back(const Owner& owner, std::string_view dialect, bool leads, chat::Request& request) const;

    // What a model has refused a turn with calls for, since it was missing: from now on a blank stands for what nobody
    // knows.
    enum class Wanted { nothing, reasoning_content, thought_signature, reasoning_details };
    void demand(const std::string& model, Wanted what);
    Wanted demanded(const std::string& model) const;

    std::size_t bytes() const;

    struct Thought {
        std::string text, signature;
        bool redacted = false;
    };
    // `asked`: the digest of the user's turns up to the one that is answered.
    void keep(const Owner& owner, std::string_view asked, const chat::ToolCallPart& call, std::vector<Thought> before);

  private:
    using Before = std::shared_ptr<const std::vector<Thought>>;
    Before find(const Owner& owner, std::string_view asked, const chat::ToolCallPart& call) const;
    void insert(const std::string& name, const Before& before, Label label, std::size_t bytes);

    struct Kept {
        Before before;
        Label label = Label::public_;
        std::size_t bytes = 0;
    };
    mutable std::mutex mutex_;
    std::unordered_map<std::string, Kept> kept_;  // by the digest of owner, turn and call
    std::deque<std::string> order_;               // oldest first
    std::size_t bytes_ = 0;
    std::unordered_map<std::string, Wanted> demanding_;
};

// What a refusal says that is missing. DeepSeek: "Missing `reasoning_content` field in the assistant message"; Kimi:
// "reasoning_content is missing in assistant tool call message"; Gemini behind Chat Completions: "Function call is
// missing a thought_signature"; OpenRouter: "Gemini models require OpenRouter reasoning details to be preserved".
Thoughts::Wanted wanted_in(std::string_view refusal);
// Thoughts of this dialect in turns that call tools, which lack what is wanted of them, are left out.
void drop_unsigned(Thoughts::Wanted what, chat::Request& request, std::string_view dialect);
// Turns that call tools without it get a blank one.
void think_blanks(Thoughts::Wanted what, chat::Request& request, std::string_view dialect);

}  // namespace tandem::translate
