#include "resources/files.h"

#include <fmt/format.h>

#include "access/origin.h"
#include "base/text.h"
#include "net/multipart.h"
#include "privacy/guard.h"
#include "resources/batch_file.h"
#include "resources/items.h"
#include "resources/quotas.h"
#include "store/query.h"

namespace tandem::resources {

namespace {

namespace fs = std::filesystem;
using Answer = Result<std::string>;

constexpr std::size_t kLongestPurpose = 64;         // bytes; OpenAI's have 20 at most
constexpr std::size_t kMostFilesListed = 10'000;    // as OpenAI lists
constexpr std::size_t kDownloadPiece = 256 * 1024;  // of a file on its way to a client

std::string file_object(const File& file) {
    json::Writer out;
    out.begin_object().member("id", file.id).member("object", "file").member("bytes", file.bytes);
    out.member("created_at", file.created).member("filename", file.name).member("purpose", file.purpose);
    out.member("status", "processed").end_object();
    return out.take();
}

}  // namespace

fs::path path_of(const gateway::Snapshot& snapshot, const std::string& id) {
    return snapshot.config->data / "files" / id;
}

void remove_unfinished(const fs::path& data) {
    std::error_code ignored;
    for (const auto& file : fs::directory_iterator(data / "files", ignored))
        if (file.path().extension() == FileWriter::kUnfinished) fs::remove(file.path(), ignored);
}

net::Task<Result<File>> file_of(gateway::Gateway& gateway, std::string key, std::string id) {
    co_return co_await store::query<File>(
        gateway.services().store, [key, id](store::Database& database) { return find_file(database, key, id); });
}

net::Task<Answer> upload_file(gateway::Gateway& gateway, const gateway::Call& call) {
    auto& services = gateway.services();
    auto parts = net::parse_form(call.request().headers.get("content-type"), call.request().body);
    if (!parts) co_return fail(parts.error());
    File file;
    std::string_view bytes;
    bool has_file = false;
    for (const auto& part : *parts) {
        if (part.name == "purpose") file.purpose = printable(part.data, kLongestPurpose);
        if (part.name != "file") continue;
        has_file = true;
        bytes = part.data;
        file.name = printable(part.file_name.empty() ? "upload" : part.file_name, 200);
    }
    if (!has_file) co_return fail(Fault::invalid_form, "file: expected a part of the form with a file in it", "file");
    if (file.purpose.empty())
        co_return fail(Fault::invalid_form, "purpose: expected a field such as 'batch'", "purpose");
    file.id = services.new_id("file-");
    file.key = call.who.id();
    file.said = higher(call.who.label, call.said.label);
    file.bytes = static_cast<std::int64_t>(bytes.size());
    file.created = services.unix_seconds();
    auto room = co_await check_quota(services, [key = file.key, quota = quota_of(call.who), size = file.bytes](
                                                   store::Database& d) { return check_file(d, key, quota, size); });
    if (!room) co_return fail(room.error());
    // Detectors make a copy of what they look at.
    auto held =
        services.memory.take(MemoryKind::document, file.key, bytes.size(), bytes.size() <= MemoryAccount::kSmall);
    if (!held) co_return fail(held.error());
    // A large file takes a while to look through and to write; the worker has others to serve.
    auto written = co_await net::run_on<Result<Label>>(services.scans, file.key, [&]() -> Result<Label> {
        privacy::Labelled labelled;
        labelled.raise(file.said, "key or header");
        privacy::label_by_text(*call.snapshot->detector, bytes, call.snapshot->config->privacy.detect, labelled);
        FileWriter writer(path_of(*call.snapshot, file.id));
        if (auto ok = writer.write(bytes); !ok) return fail(ok.error());
        if (auto ok = writer.finish(); !ok) return fail(ok.error());
        return labelled.label;
    });
    if (!written) co_return fail(written.error());
    file.label = *written;
    // Asked again with the commit: many uploads at once must not pass the quota together.
    auto done =
        co_await store::change(services.store, [file, quota = quota_of(call.who)](store::Database& d) -> Result<> {
            if (auto ok = check_file(d, file.key, quota, file.bytes); !ok) return ok;
            return put(d, file);
        });
    if (!done) {
        std::error_code ignored;
        fs::remove(path_of(*call.snapshot, file.id), ignored);
        co_return fail(done.error());
    }
    co_return file_object(file);
}

net::Task<Answer> list_files(gateway::Gateway& gateway, const gateway::Call& call) {
    auto asked = list_asked_for(call.request(), kMostFilesListed, kMostFilesListed);
    if (!asked) co_return fail(asked.error());
    auto list = co_await store::query<Page<File>>(
        gateway.services().store, [key = call.who.id(), purpose = call.request().parameter("purpose"), asked = *asked](
                                      store::Database& database) { return files_of(database, key, purpose, asked); });
    if (!list) co_return fail(list.error());
    co_return list_of<File>(*list, file_object);
}

net::Task<Answer> read_file_object(gateway::Gateway& gateway, const gateway::Call& call) {
    auto file = co_await file_of(gateway, call.who.id(), call.parts[0]);
    if (!file) co_return fail(file.error());
    co_return file_object(*file);
}

net::Task<> read_file_content(gateway::Gateway& gateway, gateway::Call call) {
    auto file = co_await file_of(gateway, call.who.id(), call.parts[0]);
    const auto path = file ? path_of(*call.snapshot, file->id) : fs::path();
    std::error_code missing;
    if (!file || !fs::exists(path, missing)) {
        co_await gateway::reply_json(
            call, dialect::Kind::openai_chat,
            fail(file ? Error{Fault::file_gone, "the bytes of this file are gone from the data folder"}
                      : file.error()));
        co_return;
    }
    // A piece at a time, as fast as the client takes it.
    net::Fields headers;
    headers.add("content-type", "application/octet-stream");
    access::add_cors(call.snapshot->config->server, call.request().headers, headers);
    if (call.request().method == "HEAD") {
        net::Response response;
        response.headers = std::move(headers);
        co_await call.exchange.reply(std::move(response));
        co_return;
    }
    call.exchange.start(200, std::move(headers));
    for (std::uint64_t at = 0; at < static_cast<std::uint64_t>(file->bytes);) {
        auto piece = co_await net::run_on<Result<std::string>>(
            gateway.services().scans, call.who.id(), [&path, at] { return read_piece(path, at, kDownloadPiece); });
        if (!piece || piece->empty()) co_return;  // cut, which the client sees
        at += piece->size();
        if (!co_await call.exchange.write(std::move(*piece))) co_return;
    }
    co_await call.exchange.finish({});
}

net::Task<Answer> delete_file(gateway::Gateway& gateway, const gateway::Call& call) {
    const auto& id = call.parts[0];
    auto done = co_await store::change(gateway.services().store, [key = call.who.id(), id](store::Database& database) {
        return remove_file(database, key, id);
    });
    if (!done) co_return fail(done.error());
    std::error_code ignored;
    fs::remove(path_of(*call.snapshot, id), ignored);
    co_return fmt::format("{{\"id\":{},\"object\":\"file\",\"deleted\":true}}", json::quoted(id));
}

}  // namespace tandem::resources
