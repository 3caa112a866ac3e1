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
    ~Own() { hs_free_database(database_); }
    Own(const Own&) = delete;
    Own& operator=(const Own&) = delete;

    const hs_database_t* database() const { return database_; }
    // What a match of expression `id` that ends at `end` makes of `text`; `from` is where it begins, for those that
    // say.
    void take(unsigned id, std::string_view text, std::size_t from, std::size_t end,
              std::vector<Finding>& findings) const;

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
        bool open_end = false;  // of paths
    };
    Own() = default;
    void add_words(const Rule& rule, const std::vector<std::string>& words);
    void add_paths(const Rule& rule, const std::vector<std::string>& paths);
    void add_value(const Rule& rule, std::string_view value);

    std::deque<Rule> rules_;  // findings point to them
    std::vector<Expression> expressions_;
    hs_database_t* database_ = nullptr;
};

}  // namespace tandem::privacy
