// The marks by which a model names sources in its answer, on their way to the client: each that is known becomes the
// number of a source, each that is not is left out and counted, and a list of the sources stands at the end.
//
// A mark is the request's tag, a dash and the source's own letters, all of them random: "[kvzq-bdkfzw]". A model that
// was not given a source cannot name it, and no text that it reads can be made so that it names one.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "chat/conversation.h"
#include "chat/filter.h"

namespace tandem::chat {

struct MarkedSource {
    std::string mark;  // "kvzq-bdkfzw"
    Source source;     // without its number, which it gets when it is named first
};

// What an answer may name.
struct Sources {
    std::string tag;  // of all marks: lower letters
    std::vector<MarkedSource> known;
    std::string searched;  // the collections, for people
    bool prose = true;     // the answer is a text, at whose end they are listed; else it is JSON
};

// What came of the marks of an answer; whoever goes on with it goes on with this.
struct CitingNotes {
    std::map<std::size_t, std::int64_t> numbers;              // of what is named, by places in Sources::known
    std::map<std::int64_t, std::set<std::size_t>> named;      // in each choice
    std::map<std::int64_t, std::set<std::size_t>> misquotes;  // of those, where a quote does not stand
    std::size_t unknown = 0;                                  // marks of this request that name nothing
    std::size_t forged = 0;     // numbers in brackets that the model wrote itself, as if they were ours
    std::size_t misquoted = 0;  // quotes that do not stand in the source that they name
    std::size_t images = 0;     // that a client would have fetched
    // For people, each once; then there are none.
    std::vector<std::string> take_warnings();
};

// An answer without the list that the filter has put at its end: as its model gave it.
std::string_view without_list(std::string_view answer);

// Numbers in brackets that the model writes itself and that could be a source's stand in round ones: "[1]" is always
// ours, and no link is made of it. An image of the answer becomes a link, and an element of HTML that is fetched
// becomes text, since clients fetch those unasked, from an address that a file may have made up. Neither is changed in
// a block of code, or in an answer that is JSON. Holds back only what may be the head of one of these. `sources` and
// `notes` are never null.
std::unique_ptr<EventFilter> cite_filter(std::shared_ptr<const Sources> sources, std::shared_ptr<CitingNotes> notes);

}  // namespace tandem::chat
