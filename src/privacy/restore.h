// Puts back what stand-ins stand for, in an answer: in text, thoughts, refusals and the arguments of calls, however the
// stream is cut, and where the model has written a stand-in a little differently.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "chat/filter.h"
#include "privacy/vault.h"

namespace tandem::privacy {

// Finds stand-ins in text. A placeholder is also found in another case, with blanks inside its brackets, with its
// underscores as blanks or dashes, with its brackets escaped (HTML, JSON), replaced by [], {} or () or left out, and
// with an ending inside them ("<PERSON_1's>"). Something realistic is found in any case, and where it is digits, also
// with other separators. Plain values; the stand-ins outlive it.
class Stands {
  public:
    explicit Stands(const std::vector<StandIn>& used);

    struct Match {
        enum class Kind { none, partial, whole } kind = Kind::none;
        std::size_t length = 0;  // bytes of text that it takes
        const StandIn* stand_in = nullptr;
        std::string_view ending;  // what the model put inside the brackets behind it
    };
    // What begins at `at`; `partial` where the text ends before it is clear. With `last`, nothing follows the text.
    // `before` is the byte before `at`, 0 at the beginning.
    Match match(std::string_view text, std::size_t at, char before, bool last) const;
    bool empty() const { return empty_; }

  private:
    Match placeholder_at(std::string_view text, std::size_t at, char before, bool last) const;
    Match literal_at(const StandIn& entry, std::string_view text, std::size_t at, char before, bool last) const;

    std::map<std::pair<std::string, std::int64_t>, const StandIn*, std::less<>> placeholders_;
    std::array<std::vector<const StandIn*>, 256> literals_;  // by their first byte, in capitals
    std::vector<std::string> types_;                         // of placeholders, each once
    bool heads_[256] = {};                                   // bytes that one can begin with
    bool empty_ = true;
};

// One text in pieces. Gives what is certain; holds back only what could be the head of a stand-in.
class Restorer {
  public:
    // `in_json`: the text is JSON, and what is put back is escaped as its string needs it.
    Restorer(std::shared_ptr<const Stands> stands, bool in_json) : stands_(std::move(stands)), in_json_(in_json) {}
    std::string take(std::string_view piece) { return run(piece, false); }
    std::string end() { return run({}, true); }

  private:
    std::string run(std::string_view piece, bool last);
    void note(char c);

    std::shared_ptr<const Stands> stands_;
    bool in_json_;
    std::string held_;
    char before_ = 0;
    int backslashes_ = 0;         // in front of where we are
    std::array<bool, 6> open_{};  // strings within each other that we are in
};

// For whole texts: an error's message, a body.
std::string restored(const std::shared_ptr<const Stands>& stands, std::string_view text, bool in_json);

// For a stream of events. Keep `stands` and what it borrows alive beside it.
std::unique_ptr<chat::EventFilter> restore_filter(std::shared_ptr<const Stands> stands);

}  // namespace tandem::privacy
