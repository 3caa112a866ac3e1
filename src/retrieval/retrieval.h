// Search over the owner's files: collections, their index, and what is asked of it.
//
// One object for each data folder. A server has one that also keeps the index; a command beside no server has one that
// reads, or one that keeps the index as long as the command runs.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/world.h"
#include "config/config.h"
#include "retrieval/index/indexer.h"
#include "retrieval/passages.h"
#include "retrieval/search/search.h"
#include "retrieval/view.h"

namespace tandem::retrieval {

// What is asked of search over the API and by the command.
struct SearchRequest {
    std::string query;
    std::vector<std::string> collections;
    std::size_t limit = 10;
    bool explain = false;
};

class Retrieval final : public Files {
  public:
    enum class Use {
        keep,  // keeps the index; the data folder's lock is held
        read,  // reads what is there
    };
    // `program` is this tandem, which reads files as a child. `detector` is what the config's server labels with.
    // Errors: storage; not_found, where there is no index to read.
    static Result<std::unique_ptr<Retrieval>> open(const config::Config& config,
                                                   std::shared_ptr<privacy::Detector> detector,
                                                   const std::filesystem::path& program, Random& random, Use use);
    // Whether the data folder has an index.
    static bool is_there(const config::Config& config);
    ~Retrieval() override;
    Retrieval(const Retrieval&) = delete;
    Retrieval& operator=(const Retrieval&) = delete;

    // Begins to look through the folders. With Use::keep alone, as all below up to wait().
    void start();
    // Takes over another config. Errors: storage.
    Result<> configure(const config::Config& config, std::shared_ptr<privacy::Detector> detector);
    // Errors: already_exists, invalid_field, storage.
    Result<> add(config::Collection collection);
    // Of one that the config does not name. What is indexed of it is off the disk within retrieval.forget_within.
    // Errors: unknown_object, set_in_config, storage.
    Result<> remove(const std::string& name);
    // Reads all files of it anew. Errors: unknown_object.
    Result<> rebuild(const std::string& name);
    // Until the index is as the folders are, or `stopped` says so.
    void wait(const std::function<bool()>& stopped);

    // From any thread; each answers with JSON. Errors: unknown_object, invalid_parameter, storage.
    Result<std::string> search(const View& view, const SearchRequest& request) const;
    Result<std::vector<Passage>> passages(const access::Principal& who, const PassageRequest& request) const override;
    Result<std::string> status(const View& view) const;
    Result<std::string> failures(const View& view, const std::string& name, std::size_t most) const;

  private:
    struct State;
    explicit Retrieval(std::unique_ptr<State> state);
    Result<> take_collections();
    Result<Snapshot::Collection> collection(const View& view, const std::string& name) const;
    Result<Found> find(const View& view, const Query& query, std::size_t limit, std::size_t of_each) const;
    std::unique_ptr<State> state_;
};

}  // namespace tandem::retrieval
