// What clients leave with us between requests: responses, conversations, files, batches. Each belongs to the key that
// made it and is found by no other; each carries the label of what it was made from.
//
// Functions work inside a job of the store; they do not know HTTP or models.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/label.h"
#include "base/result.h"
#include "store/store.h"

namespace tandem::resources {

extern const char* const kKeptSchema;
extern const char* const kKeptSchema2;
extern const char* const kKeptSchema3;  // decisions of responses; how finished batches ended, without their lines

// ---- responses ----

struct StoredResponse {
    std::string id;
    std::string key;  // id of the API key
    Label label = Label::public_;
    std::int64_t created = 0;  // Unix seconds
    std::string previous;      // id of the response that it goes on from; empty: none
    std::string conversation;
    std::string input;          // its own items, a JSON array
    std::string response;       // the response object
    std::string events;         // of a background stream, as they were sent; empty where there are none
    std::string decision = {};  // by which it was answered; empty: none was made, or an earlier version kept it
};

// Adds or replaces. Errors: storage.
Result<> put(store::Database& database, const StoredResponse& response);
// Errors: not_found, for one that does not exist or is another key's.
Result<StoredResponse> find_response(store::Database& database, const std::string& key, const std::string& id);
// What there is of it, without reading it. Errors: not_found.
struct ResponseSize {
    std::int64_t bytes = 0;          // of all
    std::int64_t history_bytes = 0;  // of its input and the response
};
Result<ResponseSize> size_of_response(store::Database& database, const std::string& key, const std::string& id);
Result<> remove_response(store::Database& database, const std::string& key, const std::string& id);
// The items before a request that goes on from `id`: input and output of each response of the chain, oldest first, and
// the highest label among them.
struct History {
    std::vector<std::string> items;
    Label label = Label::public_;
};
// How many bytes history_of() would read, without reading them. Errors: not_found; context, for more than `most` bytes
// or a chain longer than 1,000.
Result<std::int64_t> history_bytes(store::Database& database, const std::string& key, const std::string& id,
                                   std::int64_t most);
// Errors: as history_bytes().
Result<History> history_of(store::Database& database, const std::string& key, const std::string& id, std::int64_t most);
// Lowers the label of a response, of those it goes on from and of its conversation, which the owner has released; one
// that is not kept is no error. Errors: storage.
Result<> lower_label(store::Database& database, const std::string& id, Label to);
// Responses that a restart has cut off: their objects' status becomes failed. Errors: storage.
Result<> fail_interrupted(store::Database& database);

// ---- conversations ----

struct Conversation {
    std::string id;
    std::string key;
    Label label = Label::public_;
    std::int64_t created = 0;
    std::string metadata;    // JSON
    std::int64_t bytes = 0;  // of its items; put() leaves it as it is
};
Result<> put(store::Database& database, const Conversation& conversation);
Result<Conversation> find_conversation(store::Database& database, const std::string& key, const std::string& id);
Result<> remove_conversation(store::Database& database, const std::string& key, const std::string& id);
// Adds items at the end; each has an id. Raises the label.
Result<> add_items(store::Database& database, const std::string& conversation, const std::vector<std::string>& items,
                   Label label);
Result<std::vector<std::string>> items_of(store::Database& database, const std::string& conversation);
// Some of them: from behind the item `after` (empty: from the beginning), forwards or backwards, at most `limit` and,
// but for the first, at most `bytes`.
struct ItemsAsked {
    std::string after;
    bool ascending = false;
    std::size_t limit = 20;
    std::size_t bytes = 0;
};
struct SomeItems {
    std::vector<std::string> items;
    bool more = false;
};
Result<SomeItems> some_items_of(store::Database& database, const std::string& conversation, const ItemsAsked& asked);
// Errors: not_found.
Result<std::string> find_item(store::Database& database, const std::string& conversation, const std::string& item);
Result<> remove_item(store::Database& database, const std::string& conversation, const std::string& item);

// ---- lists of files and batches ----

// A part of a list: from behind the entry `after`, which may be gone (empty: from the beginning).
struct ListAsked {
    std::string after;
    bool ascending = false;  // oldest first
    std::size_t limit = 20;
};
template <typename T>
struct Page {
    std::vector<T> entries;
    bool more = false;
};

// ---- files ----

struct File {
    std::string id;
    std::string key;
    std::string name;
    std::string purpose;
    std::int64_t bytes = 0;
    std::int64_t created = 0;
    Label label = Label::public_;  // of all that is in it
    Label said = Label::public_;   // of that, what its key and its header said: it holds for each part of the file
};
// The bytes themselves are a file in the data folder, named by the id.
Result<> put(store::Database& database, const File& file);
Result<File> find_file(store::Database& database, const std::string& key, const std::string& id);
Result<> remove_file(store::Database& database, const std::string& key, const std::string& id);
// Of one purpose, or of all where that is empty.
Result<Page<File>> files_of(store::Database& database, const std::string& key, const std::string& purpose,
                            const ListAsked& asked);

// ---- batches ----

struct Batch {
    std::string id;
    std::string key;
    std::string endpoint;
    std::string input_file;
    std::string window;
    std::string metadata;  // JSON, or empty
    std::string status;    // in_progress, cancelling, finalizing, completed, failed, cancelled
    std::string errors;    // JSON array of what is wrong with the input file
    std::string output_file, error_file;
    std::int64_t created = 0, finished = 0;
    std::int64_t total = 0;
    std::int64_t completed = 0, failed = 0;  // lines; counted until it is finished
    Label label = Label::public_;            // of each line, at least
};
Result<> put(store::Database& database, const Batch& batch);
Result<Batch> find_batch(store::Database& database, const std::string& key, const std::string& id);
Result<Page<Batch>> batches_of(store::Database& database, const std::string& key, const ListAsked& asked);

struct BatchLine {
    std::int64_t number = 0;  // in the input file, from 0
    std::string custom_id;
    int status = 0;  // HTTP
    std::string decision;
    std::string body;
    Label label = Label::public_;
};
// The answer of a line. One that has an answer keeps it. Errors: storage.
Result<> put(store::Database& database, const std::string& batch, const BatchLine& line);
Result<std::vector<std::int64_t>> answered_lines(store::Database& database, const std::string& batch);
// The next answers behind line `after`, in order: at most so many bytes, or one. None where there are no more.
Result<std::vector<BatchLine>> next_lines(store::Database& database, const std::string& batch, std::int64_t after,
                                          std::size_t bytes);
// Of the bodies of all its answers.
Result<std::int64_t> bytes_of_lines(store::Database& database, const std::string& batch);
// Drops the lines of a batch that is finished: its files have the answers, and itself how many ended how.
Result<> remove_lines(store::Database& database, const std::string& batch);

}  // namespace tandem::resources
