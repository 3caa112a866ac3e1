#include "gateway/batches.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <set>

#include "base/file.h"
#include "base/text.h"
#include "gateway/detached.h"
#include "gateway/query.h"
#include "gateway/run.h"
#include "kept/kept.h"
#include "net/multipart.h"

namespace tandem::gateway {

namespace {

namespace fs = std::filesystem;
using json::Value;
using Answer = Result<std::string>;

constexpr std::size_t kMostLines = 50'000;
constexpr int kLanes = 4;     // lines of one batch under way at once
constexpr int kAttempts = 6;  // of a line that is told to come back later
constexpr seconds kLongestWait{60};
constexpr std::string_view kEndpoints[] = {"/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses",
                                           "/v1/messages"};

fs::path path_of(const Snapshot& snapshot, const std::string& id) {
    return snapshot.config->data / "files" / id;
}

Result<> write_file(const fs::path& file, std::string_view bytes) {
    std::error_code ignored;
    const auto folder = file.parent_path();
    if (fs::create_directories(folder, ignored)) fs::permissions(folder, fs::perms::owner_all, ignored);
    if (auto ok = write_private_file(file, bytes); !ok)
        return fail(ErrorCode::storage,
                    fmt::format("the file could not be written below {}; is the disk full?", folder.string()));
    return {};
}

Result<std::string> read_file(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) return fail(ErrorCode::not_found, "the bytes of this file are gone from the data folder");
    return std::string((std::istreambuf_iterator<char>(in)), {});
}

std::string file_object(const kept::File& file) {
    json::Writer out;
    out.begin_object().member("id", file.id).member("object", "file").member("bytes", file.bytes);
    out.member("created_at", file.created).member("filename", file.name).member("purpose", file.purpose);
    out.member("status", "processed").end_object();
    return out.take();
}

void write_text_or_null(json::Writer& out, std::string_view name, const std::string& text) {
    out.key(name);
    if (text.empty())
        out.null();
    else
        out.value(text);
}

std::string batch_object(const kept::Batch& b) {
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

struct Line {
    std::int64_t number = 0;
    std::string custom_id;
    std::string body;
};

struct BatchRun {
    Gateway& gateway;
    kept::Batch batch;
    std::vector<Line> lines;  // those that have no answer
    std::size_t next = 0;
    int lanes = 0;
    std::atomic<bool> cancelled = false;
};

// The lines of an input file; what is wrong goes into `errors`, as JSON objects.
std::vector<Line> parse_lines(std::string_view text, const std::string& endpoint, std::vector<std::string>& errors) {
    std::vector<Line> lines;
    std::set<std::string> ids;
    json::Document document;
    std::int64_t number = 0;
    auto wrong = [&](std::string_view code, std::string message) {
        json::Writer out;
        out.begin_object()
            .member("code", code)
            .member("line", number + 1)
            .member("message", message)
            .key("param")
            .null();
        errors.push_back(out.end_object().take());
    };
    while (!text.empty() && errors.size() < 100) {
        const auto end = std::min(text.find('\n'), text.size());
        const auto line = trim(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.empty()) continue;
        if (lines.size() == kMostLines) {
            wrong("too_many_lines", fmt::format("a batch has at most {} lines; split the file", kMostLines));
            break;
        }
        const auto parsed = document.parse(line);
        const Value root = document.root();
        if (!parsed || !root.is(json::Kind::object))
            wrong("invalid_json_line", "this line is not a JSON object");
        else if (!root["custom_id"].string() || root["custom_id"].text().empty())
            wrong("missing_required_parameter", "custom_id: expected a string");
        else if (!ids.emplace(root["custom_id"].text()).second)
            wrong("duplicate_custom_id", fmt::format("custom_id '{}' stands in an earlier line already",
                                                     printable(root["custom_id"].text(), 60)));
        else if (root["method"].text() != "POST" || root["url"].text() != endpoint)
            wrong("invalid_url", fmt::format("expected method POST and url {}", endpoint));
        else if (!root["body"].is(json::Kind::object))
            wrong("invalid_request", "body: expected an object");
        else if (root["body"]["stream"].boolean() == true)
            wrong("invalid_request", "body.stream: a line of a batch cannot stream; leave it out");
        else
            lines.push_back({number, std::string(root["custom_id"].text()), std::string(root["body"].raw())});
        ++number;
    }
    if (lines.empty() && errors.empty()) wrong("empty_file", "the file has no lines");
    return lines;
}

std::string output_line(const kept::BatchLine& line, const std::string& batch) {
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

// Writes the answers, and ends the batch, with one commit.
net::Task<> conclude(std::shared_ptr<BatchRun> run) {
    auto& services = run->gateway.services();
    const auto snapshot = services.snapshot();
    auto lines = co_await query<std::vector<kept::BatchLine>>(
        services.store, [id = run->batch.id](store::Database& d) { return kept::lines_of(d, id); });
    if (!lines) {
        spdlog::error("batch {} could not be concluded: {}", run->batch.id, lines.error().message);
        co_return;
    }
    auto batch = run->batch;
    std::string good, bad;
    Label label = Label::public_;
    for (const auto& line : *lines) {
        (line.status == 200 ? good : bad) += output_line(line, batch.id);
        label = higher(label, line.label);
    }
    const auto now = services.unix_seconds();
    std::vector<kept::File> files;
    auto keep = [&](const std::string& bytes, std::string_view kind, std::string& id) -> Result<> {
        if (bytes.empty()) return {};
        id = services.new_id("file-");
        files.push_back({id, batch.key, fmt::format("{}_{}.jsonl", batch.id, kind), "batch_output",
                         static_cast<std::int64_t>(bytes.size()), now, label});
        return write_file(path_of(*snapshot, id), bytes);
    };
    auto written = keep(good, "output", batch.output_file);
    if (written) written = keep(bad, "error", batch.error_file);
    batch.status = run->cancelled ? "cancelled" : "completed";
    batch.finished = now;
    if (written)
        written = co_await change(services.store, [files, batch](store::Database& d) -> Result<> {
            for (const auto& file : files)
                if (auto ok = kept::put(d, file); !ok) return ok;
            return kept::put(d, batch);
        });
    if (!written) spdlog::error("batch {} could not be concluded: {}", batch.id, written.error().message);
}

// One line to its answer. What says "later" is asked again later.
net::Task<> answer_line(BatchRun& run, Line line, std::shared_ptr<Live> live, net::Worker& worker) {
    auto& services = run.gateway.services();
    for (int attempt = 1;; ++attempt) {
        const auto snapshot = services.snapshot();
        const auto* key = run.gateway.key_named(*snapshot, run.batch.key);
        net::Request request;
        request.method = "POST";
        request.path = request.target = run.batch.endpoint;
        request.body = line.body;
        request.headers.add("content-type", "application/json");
        net::Response answer;
        Detached exchange(worker, std::move(request),
                          {[&](net::Response response) { answer = std::move(response); }, [](std::string) {}});
        live->runs_with(&exchange.cancel());
        Keeping keeping;
        keeping.keep = [&](const std::string& body, Label label) -> store::Store::Job {
            return [batch = run.batch.id, kept = kept::BatchLine{line.number, line.custom_id, 200, {}, body, label}](
                       store::Database& d) { return kept::put(d, batch, kept); };
        };
        keeping.keep_whole = true;
        keeping.batch = true;
        if (key != nullptr)
            co_await answer_question(run.gateway, exchange, snapshot, *key, *front_of(run.batch.endpoint),
                                     std::move(keeping));
        else
            answer = run.gateway.error(
                run.batch.endpoint, 0,
                {ErrorCode::forbidden, fmt::format("the key '{}' is not in the config any more", run.batch.key)});
        live->runs_with(nullptr);
        if (answer.status == 200 || exchange.cancel().fired())
            co_return;  // kept with its receipt, or for the next start
        const bool later = answer.status == 429 || answer.status == 503 || answer.status == 529;
        if (later && attempt < kAttempts && !run.cancelled) {
            const auto asked = whole_number(answer.headers.get("retry-after")).value_or(1);
            const auto wait = std::min<milliseconds>(kLongestWait, seconds(asked) * attempt);
            for (milliseconds waited{0}; waited < wait && !run.gateway.background().stopping();
                 waited += milliseconds(100))
                co_await net::sleep_for(worker.context(), milliseconds(100));
            if (run.gateway.background().stopping()) co_return;
            continue;
        }
        const kept::BatchLine kept{line.number,   line.custom_id,
                                   answer.status, std::string(answer.headers.get("x-tandem-decision")),
                                   answer.body,   Label::public_};
        auto done = co_await change(
            services.store, [batch = run.batch.id, kept](store::Database& d) { return kept::put(d, batch, kept); });
        if (!done) spdlog::error("a line of batch {} was not kept: {}", run.batch.id, done.error().message);
        co_return;
    }
}

net::Task<> lane(std::shared_ptr<BatchRun> run, std::shared_ptr<Live> live, net::Worker& worker) {
    auto& background = run->gateway.background();
    while (run->next < run->lines.size() && !run->cancelled && !background.stopping()) {
        auto line = std::move(run->lines[run->next++]);
        co_await answer_line(*run, std::move(line), live, worker);
    }
    if (--run->lanes > 0) co_return;
    if (!background.stopping()) co_await conclude(run);
    run->gateway.forget_batch(run->batch.id);
}

// All lanes of a batch run on one worker, so that they share without locks.
void start_batch(Gateway& gateway, kept::Batch batch, std::vector<Line> lines, net::Worker& worker) {
    auto run = std::make_shared<BatchRun>(gateway, std::move(batch), std::move(lines));
    run->lanes = kLanes;
    run->cancelled = run->batch.status == "cancelling";
    gateway.remember_batch(run->batch.id, [run] { run->cancelled = true; });
    for (int i = 0; i < kLanes; ++i) {
        auto live = std::make_shared<Live>(worker);
        auto work = [run, live, &worker] { return lane(run, live, worker); };
        if (!gateway.background().start(worker, fmt::format("{}#{}", run->batch.id, i), live, work)) --run->lanes;
    }
}

// ---- requests ----

struct Served {
    Gateway& gateway;
    net::Exchange& exchange;
    const Snapshot& snapshot;
    const config::Key& key;
    std::vector<std::string> parts;

    const net::Request& request() const { return exchange.request(); }
    bool is(std::string_view method) const { return exchange.request().method == method; }
    Services& services() const { return gateway.services(); }
};

net::Task<Answer> upload(const Served& s) {
    auto parts = net::parse_form(s.request().headers.get("content-type"), s.request().body);
    if (!parts) co_return fail(parts.error());
    kept::File file;
    std::string_view bytes;
    bool has_file = false;
    for (const auto& part : *parts) {
        if (part.name == "purpose") file.purpose = part.data;
        if (part.name != "file") continue;
        has_file = true;
        bytes = part.data;
        file.name = printable(part.file_name.empty() ? "upload" : part.file_name, 200);
    }
    if (!has_file) co_return fail(ErrorCode::invalid, "file: expected a part of the form with a file in it", "file");
    if (file.purpose.empty())
        co_return fail(ErrorCode::invalid, "purpose: expected a field such as 'batch'", "purpose");
    file.id = s.services().new_id("file-");
    file.key = s.key.id;
    file.bytes = static_cast<std::int64_t>(bytes.size());
    file.created = s.services().unix_seconds();
    // A large file takes a while to look through and to write; the worker has others to serve.
    auto written = co_await net::run_on<Result<Label>>(s.services().scans, s.key.id, [&]() -> Result<Label> {
        privacy::Labelled labelled;
        labelled.raise(s.key.label, "key");
        privacy::label_by_text(*s.snapshot.detector, bytes, s.snapshot.config->privacy.detect, labelled);
        if (auto ok = write_file(path_of(s.snapshot, file.id), bytes); !ok) return fail(ok.error());
        return labelled.label;
    });
    if (!written) co_return fail(written.error());
    file.label = *written;
    auto done = co_await change(s.services().store, [file](store::Database& d) { return kept::put(d, file); });
    if (!done) co_return fail(done.error());
    co_return file_object(file);
}

template <typename T>
std::string listed(const std::vector<T>& entries, std::string (*object)(const T&)) {
    json::Writer out;
    out.begin_object().member("object", "list").key("data").begin_array();
    for (const auto& entry : entries) out.raw(object(entry));
    out.end_array().member("has_more", false).end_object();
    return out.take();
}

net::Task<Answer> files(const Served& s, bool& is_content) {
    auto& store = s.services().store;
    const auto& key = s.key.id;
    if (s.parts.empty() && s.is("POST")) co_return co_await upload(s);
    if (s.parts.empty() && s.is("GET")) {
        auto list = co_await query<std::vector<kept::File>>(
            store, [key, purpose = s.request().parameter("purpose")](store::Database& d) {
                return kept::files_of(d, key, purpose);
            });
        if (!list) co_return fail(list.error());
        co_return listed<kept::File>(*list, file_object);
    }
    if (s.parts.empty()) co_return fail(ErrorCode::method, "/v1/files takes GET and POST");
    const auto& id = s.parts[0];
    auto file =
        co_await query<kept::File>(store, [key, id](store::Database& d) { return kept::find_file(d, key, id); });
    if (!file) co_return fail(file.error());
    if (s.parts.size() == 2 && s.parts[1] == "content" && s.is("GET")) {
        is_content = true;
        co_return co_await net::run_on<Answer>(s.services().scans, s.key.id,
                                               [&] { return read_file(path_of(s.snapshot, id)); });
    }
    if (s.parts.size() == 1 && s.is("GET")) co_return file_object(*file);
    if (s.parts.size() != 1 || !s.is("DELETE")) co_return fail(ErrorCode::method, "a file takes GET and DELETE");
    auto done = co_await change(store, [key, id](store::Database& d) { return kept::remove_file(d, key, id); });
    if (!done) co_return fail(done.error());
    std::error_code ignored;
    fs::remove(path_of(s.snapshot, id), ignored);
    co_return fmt::format("{{\"id\":{},\"object\":\"file\",\"deleted\":true}}", json::quoted(id));
}

net::Task<Answer> create_batch(const Served& s) {
    json::Document document;
    if (auto ok = document.parse(s.request().body); !ok) co_return fail(ok.error());
    const Value root = document.root();
    kept::Batch batch;
    batch.endpoint = root["endpoint"].text();
    if (std::ranges::find(kEndpoints, batch.endpoint) == std::end(kEndpoints))
        co_return fail(ErrorCode::invalid,
                       fmt::format("endpoint: expected one of {}",
                                   join(std::vector<std::string>(std::begin(kEndpoints), std::end(kEndpoints)), ", ")),
                       "endpoint");
    batch.input_file = root["input_file_id"].text();
    auto& store = s.services().store;
    auto file = co_await query<kept::File>(
        store, [key = s.key.id, id = batch.input_file](store::Database& d) { return kept::find_file(d, key, id); });
    if (!file) {
        Error error = file.error();
        error.param = "input_file_id";
        co_return fail(std::move(error));
    }
    auto text = co_await net::run_on<Answer>(s.services().scans, s.key.id,
                                             [&] { return read_file(path_of(s.snapshot, file->id)); });
    if (!text) co_return fail(text.error());
    std::vector<std::string> errors;
    auto lines = parse_lines(*text, batch.endpoint, errors);
    batch.id = s.services().new_id("batch_");
    batch.key = s.key.id;
    batch.window = root["completion_window"].string().value_or("24h");
    if (root["metadata"].is(json::Kind::object)) batch.metadata = root["metadata"].raw();
    batch.created = s.services().unix_seconds();
    batch.total = static_cast<std::int64_t>(lines.size());
    batch.status = errors.empty() ? "in_progress" : "failed";
    if (!errors.empty()) {
        batch.errors = "[" + join(errors, ",") + "]";
        batch.finished = batch.created;
    }
    auto done = co_await change(store, [batch](store::Database& d) { return kept::put(d, batch); });
    if (!done) co_return fail(done.error());
    if (errors.empty()) start_batch(s.gateway, batch, std::move(lines), s.exchange.worker());
    co_return batch_object(batch);
}

net::Task<Answer> batches(const Served& s) {
    auto& store = s.services().store;
    const auto& key = s.key.id;
    if (s.parts.empty() && s.is("POST")) co_return co_await create_batch(s);
    if (s.parts.empty() && s.is("GET")) {
        auto list = co_await query<std::vector<kept::Batch>>(
            store, [key](store::Database& d) { return kept::batches_of(d, key); });
        if (!list) co_return fail(list.error());
        co_return listed<kept::Batch>(*list, batch_object);
    }
    if (s.parts.empty()) co_return fail(ErrorCode::method, "/v1/batches takes GET and POST");
    const auto& id = s.parts[0];
    auto batch =
        co_await query<kept::Batch>(store, [key, id](store::Database& d) { return kept::find_batch(d, key, id); });
    if (!batch) co_return fail(batch.error());
    if (s.parts.size() == 1 && s.is("GET")) co_return batch_object(*batch);
    if (s.parts.size() != 2 || s.parts[1] != "cancel" || !s.is("POST"))
        co_return fail(ErrorCode::method, "a batch takes GET, and POST at /cancel");
    if (batch->status != "in_progress") co_return batch_object(*batch);
    batch->status = "cancelling";
    auto done = co_await change(store, [b = *batch](store::Database& d) { return kept::put(d, b); });
    if (!done) co_return fail(done.error());
    s.gateway.cancel_batch(id);
    co_return batch_object(*batch);
}

}  // namespace

net::Task<bool> serve_batches(Gateway& gateway, net::Exchange& exchange, std::shared_ptr<const Snapshot> snapshot,
                              const config::Key& key) {
    const auto& path = exchange.request().path;
    const bool is_files = path == "/v1/files" || path.starts_with("/v1/files/");
    const bool is_batches = path == "/v1/batches" || path.starts_with("/v1/batches/");
    if (!is_files && !is_batches) co_return false;
    Served served{gateway, exchange, *snapshot, key, parts_below(path, is_files ? "/v1/files" : "/v1/batches")};
    bool is_content = false;
    Answer body = fail(ErrorCode::internal, "");
    if (is_files)
        body = co_await files(served, is_content);
    else
        body = co_await batches(served);
    net::Response response;
    if (body) {
        response.headers.add("content-type", is_content ? "application/octet-stream" : "application/json");
        response.body = std::move(*body);
    } else {
        response = gateway.error(path, 0, body.error());
    }
    add_cors(*snapshot, exchange.request().headers, response.headers);
    co_await exchange.reply(std::move(response));
    co_return true;
}

Result<> resume_batches(Gateway& gateway, const std::vector<net::Worker*>& workers) {
    auto& services = gateway.services();
    std::vector<kept::Batch> open;
    std::vector<std::set<std::int64_t>> answered;
    auto read = services.store.run([&](store::Database& d) -> Result<> {
        if (auto ok = kept::fail_interrupted(d); !ok) return ok;
        auto list = kept::open_batches(d);
        if (!list) return fail(list.error());
        open = std::move(*list);
        for (const auto& batch : open) {
            auto lines = kept::answered_lines(d, batch.id);
            if (!lines) return fail(lines.error());
            answered.emplace_back(lines->begin(), lines->end());
        }
        return {};
    });
    if (!read) return read;
    for (std::size_t i = 0; i < open.size(); ++i) {
        auto text = read_file(path_of(*services.snapshot(), open[i].input_file));
        std::vector<std::string> errors;
        auto lines = parse_lines(text.value_or(""), open[i].endpoint, errors);
        std::erase_if(lines, [&](const Line& line) { return answered[i].contains(line.number); });
        spdlog::info("batch {} goes on: {} of {} lines are left", open[i].id, lines.size(), open[i].total);
        start_batch(gateway, open[i], std::move(lines), *workers[i % workers.size()]);
    }
    return {};
}

}  // namespace tandem::gateway
