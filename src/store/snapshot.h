// A database as it was at one moment, to be copied while writers go on.
#pragma once

#include <filesystem>
#include <memory>

#include "base/result.h"

struct sqlite3;

namespace tandem::store {

class Snapshot {
  public:
    // Begins to read: from here on the content is fixed. Errors: not_found; invalid, for a damaged file; storage.
    static Result<Snapshot> of(const std::filesystem::path& file);
    // Copies it whole, page by page, into `target`, which is overwritten. Errors: as of().
    Result<> copy_to(const std::filesystem::path& target);

  private:
    struct Close {
        void operator()(sqlite3* handle) const;
    };
    using Handle = std::unique_ptr<sqlite3, Close>;
    explicit Snapshot(Handle handle) : handle_(std::move(handle)) {}
    Handle handle_;
};

}  // namespace tandem::store
