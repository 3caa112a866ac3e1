// What kind of work a request asks for and how hard it is, told from its text in any language and from its structure,
// without asking a model. What it goes by: words of work_lexicon.h, signs of work_clues.h, weights that
// bench/work/train.py fitted to public data (docs/measurements.md names them), and the rules for tools, turns and
// system prompts in work.cpp.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "chat/conversation.h"

namespace tandem::routing {

enum class WorkKind {
    talk,       // greetings, small talk, commands, titles
    transform,  // extract, classify, translate, summarise, rewrite, convert
    facts,      // short questions of knowledge
    code,
    reasoning,  // mathematics and logic
    planning,   // planning, analysis, diagnosis, decisions
    writing,    // long or difficult writing
    tools,      // loops of tool calls, and agents
    document,   // work over a long document
};
inline constexpr std::array<std::string_view, 9> kWorkKindNames = {
    "talk", "transform", "facts", "code", "reasoning", "planning", "writing", "tools", "document"};

struct Work {
    WorkKind kind = WorkKind::talk;
    double sure = 0;  // probability of the kind, 0 to 1
    // 0 to 100: the ability that a model needs to do the work well half of the time. 0: a greeting; 25: a sentence to
    // translate; 45: an ordinary function; 60: a word problem of several steps; 80: a concurrent server with tests.
    int difficulty = 0;
    // At most 5, the most telling first: words of the embedded vocabulary, or names of structure ("code", "several
    // demands"). Never other text of the request.
    std::vector<std::string> telling;
    // A client makes it beside a conversation, for its title and the like; not part of the record.
    bool aside = false;
    bool operator==(const Work&) const = default;
};

// Deterministic and safe from any thread. Looks at a bounded part of the last user message, the one before and the
// system prompt, but for their length. Never throws but for want of memory.
Work work_of(const chat::Request& request);

}  // namespace tandem::routing
