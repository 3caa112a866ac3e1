// The index without a server: what a command does by itself where none runs. Private to cli/.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "cli/cli.h"
#include "retrieval/retrieval.h"
#include "store/folder_lock.h"

namespace tandem::cli {

// An index that this command has opened; `lock` where it keeps the index.
struct IndexHere {
    std::unique_ptr<Random> random;
    std::unique_ptr<store::FolderLock> lock;
    std::unique_ptr<retrieval::Retrieval> index;
};

// Errors: unavailable, where a server that does not answer has the data folder; storage; not_found.
Result<IndexHere> open_index(const config::Config& config, retrieval::Retrieval::Use use);

// Asks the server, or, where none runs, `here` of an index that this command opens. Errors: those of both.
using Here = std::function<Result<std::string>(retrieval::Retrieval& index)>;
Result<std::string> ask_index(const config::Config& config, const std::string& method, const std::string& path,
                              const std::string& body, retrieval::Retrieval::Use use, const Here& here);

// A text as part of a query.
std::string percent_encoded(std::string_view text);

}  // namespace tandem::cli
