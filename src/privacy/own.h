// What the owner alone knows to look for: words, patterns, names of files, exact values. Private to privacy/.
#pragma once

#include <hs/hs.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "privacy/detect.h"

namespace tandem::privacy {

// One compiled set of rules. Safe from any thread; each scan brings its own scratch.
class Own {
  public:
    // Errors: invalid, with the rule and what Vectorscan says of its pattern.
    static Result<std::unique_ptr<Own>> compile(const std::vector<config::OwnRule>& rules);
    ~Own() {
        hs_free_database(database_);
        hs_free_database(values_);
    }
    Own(const Own&) = delete;
    Own& operator=(const Own&) = delete;

    const hs_database_t* database() const { return database_; }
    // What a match of expression `id` that ends at `end` makes of `text`; `from` is where it begins, for those that
    // say. `canonical`: the text is the canonical form of another.
    void take(unsigned id, std::string_view text, std::size_t from, std::size_t end, bool canonical,
              std::vector<Finding>& findings) const;

    // Secret values, by their letters and digits alone: null where there are none.
    const hs_database_t* values() const { return values_; }
    // Finds them in a text however they are parted or written. False where Vectorscan fails.
    bool find_values(std::string_view text, hs_scratch_t* scratch, std::vector<Finding>& findings) const;

  private:
    struct Rule {
        std::string id;    // "own:NAME"
        std::string type;  // NAME in capitals
        Label label;
    };
    struct Expression {
        enum class Kind { word, path, pattern, value } kind;
        const Rule* rule;
        std::string text;
        std::size_t width = 0;  // of words and values, bytes
        bool caseless = false;
        bool open_end = false;   // of paths
        bool canonical = false;  // is looked for in canonical forms only
        std::string word = {};   // one with blanks, as the owner wrote it
    };
    struct Compact {
        const Rule* rule;
        std::string text;
    };
    Own() = default;
    Result<> compile_expressions();
    Result<> compile_values();
    std::size_t begin_of_word(const Expression& expression, std::string_view text, std::size_t end) const;
    void add_words(const Rule& rule, const std::vector<std::string>& words);
    void add_paths(const Rule& rule, const std::vector<std::string>& paths);
    void add_value(const Rule& rule, std::string_view value);

    std::deque<Rule> rules_;  // findings point to them
    std::vector<Expression> expressions_;
    hs_database_t* database_ = nullptr;
    std::vector<Compact> compact_;
    hs_database_t* values_ = nullptr;
};

}  // namespace tandem::privacy
