// What the owner's files say to a question, as pieces that a model is given: the search, for the way of a request.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "access/principal.h"
#include "base/label.h"
#include "base/result.h"

namespace tandem::retrieval {

struct Passage {
    std::string path;  // absolute
    std::string collection, title, heading, text;
    Label collections_label = Label::public_;  // of the collections through which the asker sees it, the highest
    Label label = Label::public_;              // that, or what detectors found in the text, where it is higher
    float score = 0;
    std::int64_t first_line = 0, last_line = 0, page = 0;  // 0: the format has none
    bool changed = false;                                  // the file is not as it was when it was read
};

struct PassageRequest {
    std::vector<std::string> collections;
    std::string question;  // words alone: nothing in it is syntax
    std::size_t most = 0;
};

// Safe from any thread; waits for the disk.
class Files {
  public:
    virtual ~Files() = default;
    // The best first; several of one file where it has them. Errors: unknown_object, for a collection that is not there
    // or that `who` may not see, in the same words; storage.
    virtual Result<std::vector<Passage>> passages(const access::Principal& who,
                                                  const PassageRequest& request) const = 0;
};

}  // namespace tandem::retrieval
