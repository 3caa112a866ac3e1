#include "resources/batches.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <unordered_set>

#include "access/authenticate.h"
#include "base/text.h"
#include "gateway/detached.h"
#include "gateway/run.h"
#include "gateway/weight.h"
#include "net/event.h"
#include "resources/batch_file.h"
#include "resources/files.h"
#include "resources/items.h"
#include "resources/promises.h"
#include "resources/quotas.h"
#include "resources/stored.h"
#include "store/query.h"

namespace tandem::resources {

namespace {

namespace fs = std::filesystem;
using json::Value;
using Answer = Result<std::string>;

constexpr int kLanes = 4;     // lines of one batch under way at once
constexpr int kAttempts = 6;  // of a line that is told to come back later
constexpr seconds kLongestWait{60};
constexpr seconds kPauseAfterError{5};        // before a batch is taken up again that could not be read or written
constexpr milliseconds kRoomPause{500};       // between two looks whether there is memory for a line
constexpr std::size_t kLineCopies = 3;        // of a line while it is answered, beside its question
constexpr std::size_t kOutputStep = 1 << 20;  // bytes of answers that are written to a file in one go
constexpr std::size_t kLongestWindow = 16;    // bytes of "24h"
constexpr std::size_t kLargestMetadata = 16 * 1024;  // of a batch
constexpr std::size_t kUsuallyListed = 20, kMostBatchesListed = 100;
constexpr std::int64_t kOutputFrame = 256;  // bytes of an output line beside its body, about

// Where the lines of a batch may go.
struct Endpoint {
    std::string_view path;
    translate::Front front;
};
constexpr std::array kEndpoints = {
    Endpoint{"/v1/chat/completions", {dialect::Kind::openai_chat, translate::Operation::chat}},
    Endpoint{"/v1/completions", {dialect::Kind::openai_chat, translate::Operation::completion}},
    Endpoint{"/v1/embeddings", {dialect::Kind::openai_chat, translate::Operation::embed}},
    Endpoint{"/v1/responses", {dialect::Kind::openai_responses, translate::Operation::chat}},
    Endpoint{"/v1/messages", {dialect::Kind::anthropic, translate::Operation::chat}},
};

const Endpoint* endpoint_named(std::string_view path) {
    const auto* const found = std::ranges::find(kEndpoints, path, &Endpoint::path);
    return found == kEndpoints.end() ? nullptr : found;
}

void write_text_or_null(json::Writer& out, std::string_view name, const std::string& text) {
    out.key(name);
    if (text.empty())
        out.null();
    else
        out.value(text);
}

std::string batch_object(const Batch& b) {
    json::Writer out;
    out.begin_object().member("id", b.id).member("object", "batch").member("endpoint", b.endpoint).key("errors");
    if (b.errors.empty())
        out.null();
    else
        out.begin_object().member("object", "list").raw_member("data", b.errors).end_object();
    out.member("input_file_id", b.input_file).member("completion_window", b.window).member("status", b.status);
    write_text_or_null(out, "output_file_id", b.output_file);
    write_text_or_null(out, "error_file_id", b.error_file);
    out.member("created_at", b.created).member("in_progress_at", b.created);
    auto at = [&](std::string_view name, std::string_view status) {
        out.key(name);
        if (b.status == status && b.finished > 0)
            out.value(b.finished);
        else
            out.null();
    };
    at("completed_at", "completed");
    at("failed_at", "failed");
    at("cancelled_at", "cancelled");
    out.key("expired_at").null().key("request_counts").begin_object().member("total", b.total);
    out.member("completed", b.completed).member("failed", b.failed).end_object();
    out.raw_member("metadata", b.metadata.empty() ? "null" : b.metadata).end_object();
    return out.take();
}

// ---- a batch at work ----

struct BatchRun {
    gateway::Gateway& gateway;
    jobs::Runner& runner;
    const std::atomic<bool>& cancelled;  // by its key
    net::Event& told;                    // happens when it is
    Batch batch;
    std::string payer;  // id of the principal whose budgets its lines count in
    fs::path input;
    std::vector<LinePlace> lines;  // those that have no answer
    Held memory;                   // of the places
    Promises& promises;
    Promises::Part output;  // bytes of its answers, which become files
    std::size_t next = 0;
    int lanes = 0;
    net::Event lane_ended;
    bool ending() const { return cancelled || runner.stopping(); }
};

// Waits, as long as the batch goes on, until the account has room. False where it ends before.
net::Task<bool> wait_for_room(const BatchRun& run, Held& held, std::size_t bytes, net::Worker& worker,
                              net::Cancel& cancel) {
    while (!held.resize(bytes)) {
        if (run.ending()) co_return false;
        co_await net::sleep_for(worker.context(), kRoomPause, cancel);
    }
    co_return true;
}

std::string output_line(const BatchLine& line, const std::string& batch) {
    json::Writer out;
    out.begin_object().member("id", fmt::format("batch_req_{}_{}", batch.substr(6), line.number));
    out.member("custom_id", line.custom_id).key("response").begin_object().member("status_code", line.status);
    out.member("request_id", line.decision).key("body");
    json::Document document;
    if (document.parse(line.body))
        out.raw(document.root().raw());
    else
        out.value(line.body);
    out.end_object().key("error").null().end_object();
    return out.take() + "\n";
}

// The answers of a batch on their way into its files, a part at a time.
struct Output {
    struct Kind {
        std::string_view name;
        std::string id;
        std::unique_ptr<FileWriter> writer;
    };
    Kind good{"output", {}, nullptr}, bad{"error", {}, nullptr};
    std::int64_t completed = 0, failed = 0;  // lines
    Label label = Label::public_;

    Result<> write(gateway::Services& services, const gateway::Snapshot& snapshot, const Batch& batch,
                   const std::vector<BatchLine>& lines) {
        for (const auto& line : lines) {
            auto& kind = line.status == 200 ? good : bad;
            ++(line.status == 200 ? completed : failed);
            if (!kind.writer) {
                kind.id = services.new_id("file-");
                kind.writer = std::make_unique<FileWriter>(path_of(snapshot, kind.id));
            }
            if (auto ok = kind.writer->write(output_line(line, batch.id)); !ok) return ok;
            label = higher(label, line.label);
        }
        return {};
    }
    // The files are there, and known by what is returned.
    Result<std::vector<File>> finish(const Batch& batch, std::int64_t now) {
        std::vector<File> files;
        for (auto* kind : {&good, &bad}) {
            if (!kind->writer) continue;
            if (auto ok = kind->writer->finish(); !ok) return fail(ok.error());
            files.push_back({kind->id, batch.key, fmt::format("{}_{}.jsonl", batch.id, kind->name), "batch_output",
                             kind->writer->bytes(), now, label});
        }
        return files;
    }
};

// Writes the answers, and ends the batch, with one commit; what stands in the files need not stay in the ledger.
net::Task<Result<>> conclude(std::shared_ptr<BatchRun> run) {
    auto& services = run->gateway.services();
    const auto snapshot = services.snapshot();
    auto batch = run->batch;
    Output output;
    for (std::int64_t after = -1;;) {
        auto lines = co_await store::query<std::vector<BatchLine>>(
            services.store,
            [id = batch.id, after](store::Database& d) { return next_lines(d, id, after, kOutputStep); });
        if (!lines) co_return fail(lines.error());
        if (lines->empty()) break;
        after = lines->back().number;
        auto written = co_await net::run_on<Result<>>(services.pool,
                                                      [&] { return output.write(services, *snapshot, batch, *lines); });
        if (!written) co_return written;
    }
    const auto now = services.unix_seconds();
    auto files = output.finish(batch, now);
    if (!files) co_return fail(files.error());
    batch.output_file = output.good.id;
    batch.error_file = output.bad.id;
    if (batch.errors.empty())
        batch.status = run->cancelled ? "cancelled" : "completed";
    else
        batch.status = "failed";
    batch.finished = now;
    batch.completed = output.completed;
    batch.failed = output.failed;
    co_return co_await store::change(services.store, [run, files = *files, batch](store::Database& d) -> Result<> {
        run->output.release();  // from here on they are files
        for (const auto& file : files)
            if (auto ok = put(d, file); !ok) return ok;
        if (auto ok = put(d, batch); !ok) return ok;
        if (auto ok = remove_lines(d, batch.id); !ok) return ok;
        return make_room_for_batches(d, batch.key, batch.id, batch.finished);
    });
}

net::Task<Result<BatchItem>> read_item(BatchRun& run, LinePlace place) {
    if (place.size <= gateway::kLargeBody) co_return read_line(run.input, place);
    co_return co_await net::run_on<Result<BatchItem>>(run.gateway.services().scans, run.batch.key,
                                                      [&run, place] { return read_line(run.input, place); });
}

// Why a line cannot be answered in a batch, though its endpoint could: what it goes on from or leaves behind is kept
// for clients that wait. Empty where it can.
std::string beyond_a_line(std::string_view endpoint, const std::string& body) {
    json::Document document;
    if (endpoint != "/v1/responses" || !document.parse(body)) return {};
    for (const auto* name : {"previous_response_id", "conversation"})
        if (const Value value = document.root()[name]; value.exists() && !value.is_null())
            return fmt::format("{}: a line of a batch goes on from nothing; put the earlier turns into its input",
                               name);
    if (document.root()["background"].boolean().value_or(false))
        return "background: a line of a batch is answered in its batch; leave it out";
    return {};
}

// The line's answer is an error of ours.
net::Task<> refuse_line(const BatchRun& run, LinePlace place, std::string custom_id, Error error) {
    const BatchLine refused{place.number,
                            std::move(custom_id),
                            error.code == ErrorCode::too_large ? 413 : 400,
                            {},
                            gateway::error_response(dialect::Kind::openai_chat, 0, error).body,
                            Label::public_};
    (void)co_await store::change(run.gateway.services().store, [batch = run.batch.id, refused](store::Database& d) {
        return put(d, batch, refused);
    });
}

std::string promise_of(const std::string& key) {
    return "files of " + key;
}

// Whether the key's files have room for more answers, those of its batches at work counted. Errors: too_large, storage.
net::Task<Result<>> room_for_answer(const BatchRun& run) {
    auto& services = run.gateway.services();
    const auto who = access::principal_of(*services.snapshot()->config, run.batch.key);
    if (!who) co_return Result<>{};  // which is said where it is asked
    co_return co_await check_quota(
        services, [key = run.batch.key, quota = quota_of(*who),
                   bytes = run.promises.of(promise_of(run.batch.key)) + kOutputFrame](store::Database& d) {
            return check_file_bytes(d, key, quota, bytes);
        });
}

// One line to its answer. What says "later" is asked again later.
net::Task<> answer_line(BatchRun& run, LinePlace place, net::Worker& worker, net::Cancel& cancel) {
    auto& services = run.gateway.services();
    auto held = services.memory.open(MemoryKind::job, run.batch.key, place.size <= MemoryAccount::kSmall);
    if (!co_await wait_for_room(run, held, place.size * kLineCopies, worker, cancel)) co_return;
    auto item = co_await read_item(run, place);
    if (!item) {
        // Not why: that may quote the line.
        spdlog::error("line {} of batch {} could not be read", place.number, run.batch.id);
        const BatchLine lost{
            place.number,  "", 404, {}, gateway::error_response(dialect::Kind::openai_chat, 0, item.error()).body,
            Label::public_};
        (void)co_await store::change(services.store,
                                     [batch = run.batch.id, lost](store::Database& d) { return put(d, batch, lost); });
        co_return;
    }
    if (const auto wrong = beyond_a_line(run.batch.endpoint, item->body); !wrong.empty()) {
        co_await refuse_line(run, place, item->custom_id, {Fault::invalid_field, wrong});
        co_return;
    }
    if (const auto room = co_await room_for_answer(run); !room) {
        co_await refuse_line(run, place, item->custom_id, room.error());
        co_return;
    }
    struct {
        std::int64_t number;
        std::string custom_id, body;
    } line{place.number, std::move(item->custom_id), std::move(item->body)};
    for (int attempt = 1;; ++attempt) {
        const auto snapshot = services.snapshot();
        auto who = access::principal_of(*snapshot->config, run.payer);
        net::Request request;
        request.method = "POST";
        request.path = request.target = run.batch.endpoint;
        request.body = line.body;
        request.headers.add("content-type", "application/json");
        net::Response answer;
        gateway::Detached exchange(worker, std::move(request),
                                   {[&](net::Response response) { answer = std::move(response); }, [](std::string) {}});
        exchange.end_with(cancel);
        gateway::Keeping keeping;
        keeping.keep = [&](const std::string& body, Label label, const DecisionId& decision) -> store::Store::Job {
            run.output.grow(static_cast<std::int64_t>(body.size()) + kOutputFrame);
            return [batch = run.batch.id,
                    kept = BatchLine{line.number, line.custom_id, 200, std::string(decision.text()), body, label}](
                       store::Database& d) { return put(d, batch, kept); };
        };
        keeping.keep_whole = true;
        keeping.batch = true;
        keeping.label = run.batch.label;
        keeping.label_reason = "its batch";
        const auto front = endpoint_named(run.batch.endpoint)->front;
        if (who)
            co_await gateway::answer_question(run.gateway, {exchange, snapshot, std::move(*who), {}, nullptr, {}},
                                              front, std::move(keeping));
        else
            answer = gateway::error_response(
                front.kind, 0,
                {Fault::key_gone, fmt::format("the key '{}' is not in the config any more", run.batch.key)});
        if (answer.status == 200 || exchange.cancel().fired())
            co_return;  // kept with its receipt, or for the next start
        const bool later = (answer.status == 429 || answer.status == 503 || answer.status == 529) &&
                           answer.headers.get("x-should-retry") != "false";
        if (later && attempt < kAttempts && !run.cancelled) {
            const auto asked = whole_number(answer.headers.get("retry-after")).value_or(1);
            const auto wait = std::min<milliseconds>(kLongestWait, seconds(asked) * attempt);
            if (const auto seen = run.told.count(); !run.cancelled)
                co_await run.told.wait(seen, worker.context(), wait, cancel);
            if (run.ending()) co_return;
            continue;
        }
        const BatchLine kept{line.number,   line.custom_id,
                             answer.status, std::string(answer.headers.get("x-tandem-decision")),
                             answer.body,   Label::public_};
        auto done = co_await store::change(
            services.store, [batch = run.batch.id, kept](store::Database& d) { return put(d, batch, kept); });
        if (!done) spdlog::error("a line of batch {} was not kept: {}", run.batch.id, done.error().message);
        co_return;
    }
}

net::Task<> lane(std::shared_ptr<BatchRun> run, net::Worker& worker, net::Cancel& cancel) {
    while (run->next < run->lines.size() && !run->ending()) {
        const auto place = run->lines[run->next++];
        co_await answer_line(*run, place, worker, cancel);
    }
    --run->lanes;
    run->lane_ended.notify();
}

// Where the lines stand that have no answer yet. Errors: as read_lines(), unavailable where there is no room now.
Result<BatchLines> places_of(const BatchRun& run, Held& held, std::size_t longest,
                             const std::unordered_set<std::int64_t>& answered) {
    auto looked = run.gateway.services().memory.open(MemoryKind::document, run.batch.key, false);
    auto read = read_lines(run.input, run.batch.endpoint, longest,
                           [&](std::string_view line) { return looked.resize(gateway::weight_of(line)); });
    if (!read) return read;
    std::erase_if(read->lines, [&](const LinePlace& line) { return answered.contains(line.number); });
    if (auto room = held.resize(read->lines.capacity() * sizeof(LinePlace)); !room) return fail(room.error());
    return read;
}

// Finds out what is left to do. Errors: storage.
net::Task<Result<>> find_lines(BatchRun& run, net::Worker& worker, net::Cancel& cancel) {
    auto& services = run.gateway.services();
    auto numbers = co_await store::query<std::vector<std::int64_t>>(
        services.store, [id = run.batch.id](store::Database& d) { return answered_lines(d, id); });
    if (!numbers) co_return fail(numbers.error());
    const auto bytes = co_await store::query<std::int64_t>(
        services.store, [id = run.batch.id](store::Database& d) { return bytes_of_lines(d, id); });
    if (!bytes) co_return fail(bytes.error());
    run.output = run.promises.take(promise_of(run.batch.key),
                                   *bytes + kOutputFrame * static_cast<std::int64_t>(numbers->size()));
    const auto longest = services.snapshot()->config->server.limits.body_bytes;
    const std::unordered_set<std::int64_t> answered(numbers->begin(), numbers->end());
    while (!run.ending()) {
        auto read = co_await net::run_on<Result<BatchLines>>(
            services.scans, run.batch.key, [&] { return places_of(run, run.memory, longest, answered); });
        if (!read && read.error().code == ErrorCode::unavailable) {
            co_await net::sleep_for(worker.context(), kRoomPause, cancel);
            continue;
        }
        if (read)
            run.lines = std::move(read->lines);
        else
            run.batch.errors = fmt::format(R"([{{"code":"file_not_readable","line":null,"message":{},"param":null}}])",
                                           json::quoted(read.error().message));
        break;
    }
    co_return Result<>{};
}

// ---- requests ----

net::Task<Result<Batch>> batch_of(gateway::Gateway& gateway, const gateway::Call& call) {
    co_return co_await store::query<Batch>(
        gateway.services().store,
        [key = call.who.id(), id = call.parts[0]](store::Database& database) { return find_batch(database, key, id); });
}

}  // namespace

Batches::Batches(gateway::Gateway& gateway, jobs::Runner& runner, jobs::Queue& queue)
    : gateway_(gateway), runner_(runner), queue_(queue) {}

// A batch from what is left of it to its end: as many lanes as it has, all on one worker, so that they share without
// locks.
net::Task<jobs::Queue::Outcome> Batches::run(jobs::Queue::Context& context) {
    auto& services = gateway_.services();
    auto batch = co_await store::query<Batch>(
        services.store, [key = context.job.owner, id = context.job.id](store::Database& database) {
            return find_batch(database, key, id);
        });
    // Gone, or ended just before a crash.
    if (batch ? batch->finished > 0 : batch.error().code == ErrorCode::not_found) co_return jobs::Queue::done();
    if (!batch) co_return jobs::Queue::again(kPauseAfterError, batch.error().message);
    batch->label = higher(batch->label, context.job.label);
    auto run = std::make_shared<BatchRun>(gateway_, runner_, context.ends, context.told, *batch, context.job.budget,
                                          path_of(*services.snapshot(), batch->input_file), std::vector<LinePlace>(),
                                          services.memory.open(MemoryKind::job, batch->key, false), promises_);
    if (auto found = co_await find_lines(*run, context.worker, context.cancel); !found)
        co_return jobs::Queue::again(kPauseAfterError, found.error().message);
    for (int i = 0; i < kLanes; ++i) {
        auto work = [run](net::Worker& on, net::Cancel& ends) { return lane(run, on, ends); };
        if (runner_.start(context.worker, fmt::format("{}#{}", batch->id, i), work)) ++run->lanes;
    }
    net::Cancel never;  // a stop ends the lanes
    for (auto seen = run->lane_ended.count(); run->lanes > 0; seen = run->lane_ended.count())
        co_await run->lane_ended.wait(seen, context.worker.context(), kLongestWait, never);
    if (runner_.stopping()) co_return jobs::Queue::interrupted();
    if (auto ended = co_await conclude(run); !ended)
        co_return jobs::Queue::again(kPauseAfterError, ended.error().message);
    co_return jobs::Queue::done();
}

net::Task<Answer> Batches::create(const gateway::Call& call) {
    auto& services = gateway_.services();
    json::Document document;
    if (auto ok = document.parse(call.request().body); !ok) co_return fail(ok.error());
    const Value root = document.root();
    Batch batch;
    batch.endpoint = root["endpoint"].text();
    if (endpoint_named(batch.endpoint) == nullptr) {
        std::vector<std::string> paths;
        for (const auto& endpoint : kEndpoints) paths.emplace_back(endpoint.path);
        co_return fail(Fault::invalid_field, fmt::format("endpoint: expected one of {}", join(paths, ", ")),
                       "endpoint");
    }
    if (!call.said.context.empty())
        co_return fail(Fault::invalid_header,
                       "x-tandem-context: a batch has no header for its lines; ask for an alias with `context` in them",
                       "x-tandem-context");
    batch.input_file = root["input_file_id"].text();
    auto file = co_await file_of(gateway_, call.who.id(), batch.input_file);
    if (!file) {
        Error error = file.error();
        error.param = "input_file_id";
        co_return fail(std::move(error));
    }
    if (root["metadata"].raw().size() > kLargestMetadata)
        co_return fail(Fault::field_too_large, fmt::format("metadata: at most {} bytes are kept", kLargestMetadata),
                       "metadata");
    // Asked again with the commit; here so that nothing is read for nothing.
    auto room = co_await check_quota(services, [key = call.who.id(), quota = quota_of(call.who)](store::Database& d) {
        return check_batch(d, key, quota);
    });
    if (!room) co_return fail(room.error());
    auto looked = services.memory.open(MemoryKind::document, call.who.id(), false);
    auto read = co_await net::run_on<Result<BatchLines>>(services.scans, call.who.id(), [&] {
        return read_lines(path_of(*call.snapshot, file->id), batch.endpoint,
                          call.snapshot->config->server.limits.body_bytes,
                          [&](std::string_view line) { return looked.resize(gateway::weight_of(line)); });
    });
    looked.release();
    if (!read) co_return fail(read.error());
    const auto& errors = read->errors;
    batch.id = services.new_id("batch_");
    batch.key = call.who.id();
    batch.label = higher(higher(call.who.label, call.said.label), file->said);
    batch.window = printable(root["completion_window"].string().value_or("24h"), kLongestWindow);
    if (root["metadata"].is(json::Kind::object)) batch.metadata = root["metadata"].raw();
    batch.created = services.unix_seconds();
    batch.total = static_cast<std::int64_t>(read->lines.size());
    batch.status = errors.empty() ? "in_progress" : "failed";
    if (!errors.empty()) {
        batch.errors = "[" + join(errors, ",") + "]";
        batch.finished = batch.created;
    }
    jobs::Job job{.id = batch.id,
                  .kind = std::string(kJob),
                  .owner = batch.key,
                  .label = batch.label,
                  .budget = batch.key,
                  .created = batch.created};
    auto done = co_await store::change(
        services.store, [batch, job, quota = quota_of(call.who)](store::Database& d) -> Result<> {
            if (auto ok = check_batch(d, batch.key, quota); !ok) return ok;
            if (auto ok = put(d, batch); !ok) return ok;
            if (auto ok = make_room_for_batches(d, batch.key, batch.id, batch.created); !ok) return ok;
            return batch.finished > 0 ? Result<>() : jobs::put(d, job);
        });
    if (!done) co_return fail(done.error());
    if (errors.empty()) queue_.enter(std::move(job));
    co_return batch_object(batch);
}

net::Task<Answer> Batches::list(const gateway::Call& call) {
    auto asked = list_asked_for(call.request(), kUsuallyListed, kMostBatchesListed);
    if (!asked) co_return fail(asked.error());
    if (asked->ascending) co_return fail(Fault::invalid_parameter, "order: batches are listed newest first", "order");
    auto list = co_await store::query<Page<Batch>>(
        gateway_.services().store,
        [key = call.who.id(), asked = *asked](store::Database& database) { return batches_of(database, key, asked); });
    if (!list) co_return fail(list.error());
    co_return list_of<Batch>(*list, batch_object);
}

net::Task<Answer> Batches::read(const gateway::Call& call) {
    auto batch = co_await batch_of(gateway_, call);
    if (!batch) co_return fail(batch.error());
    co_return batch_object(*batch);
}

net::Task<Answer> Batches::cancel(const gateway::Call& call) {
    // In one job: a batch that ends meanwhile stays as it ended.
    bool ends = false;
    auto batch = co_await store::query<Batch>(
        gateway_.services().store,
        [key = call.who.id(), id = call.parts[0], &ends](store::Database& database) -> Result<Batch> {
            auto found = find_batch(database, key, id);
            ends = found && found->status == "in_progress";
            if (!ends) return found;
            found->status = "cancelling";
            if (auto ok = put(database, *found); !ok) return fail(ok.error());
            if (auto ok = jobs::want_ended(database, found->id); !ok) return fail(ok.error());
            return found;
        });
    if (!batch) co_return fail(batch.error());
    if (ends) queue_.end(batch->id);
    co_return batch_object(*batch);
}

}  // namespace tandem::resources
