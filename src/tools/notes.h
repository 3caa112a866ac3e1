// What was noticed about the calls of one answer, for the client and for the record. Shared by the filters of the
// answer and by who reads them; one thread at a time.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace tandem::tools {

// A call that cannot be used.
struct Wrong {
    std::string name;       // empty: it is an answer without a call
    std::string arguments;  // as the model wrote them
    std::string message;    // what is wrong, for the model
};

// How an answer is held.
struct Holding {
    bool again = false;   // an answer that cannot be used fails: the model is asked again once, then another one is
    bool others = false;  // there are tools whose calls are not judged (hosted, custom)
    bool whole = false;   // the client sees nothing of the answer before its end
    bool must = false;    // a call was demanded
    bool none = false;    // no tool was to be called
    bool one = false;     // one call at most was wanted
    std::string only{};   // the tool that was named; empty: none was
};

struct CallNotes {
    std::vector<std::string> warnings;  // each once
    std::vector<Wrong> wrong;
    bool changed = false;  // the client gets other events than the provider sent

    void warn(std::string text);
    std::vector<std::string> take_warnings() { return std::exchange(warnings, {}); }
};

}  // namespace tandem::tools
