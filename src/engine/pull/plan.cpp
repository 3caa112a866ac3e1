#include "engine/pull/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "engine/disk/manifest.h"
#include "engine/split.h"

namespace tandem::engine {

namespace {

constexpr std::size_t kLargestList = 32UL << 20;  // bytes of one answer of a hub
constexpr int kMostPages = 50;
constexpr std::size_t kLargestLicence = 64UL << 10;

// What stands in a path of a URL (RFC 3986 section 3.3), slashes as they are.
std::string encoded(std::string_view path) {
    constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
    std::string text;
    for (const char c : path)
        text += kPlain.find(c) != std::string_view::npos
                    ? std::string(1, c)
                    : fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    return text;
}

// A path of a repository that leads nowhere else.
bool is_inside(std::string_view path) {
    return !path.empty() && path.front() != '/' && path.find("..") == std::string_view::npos &&
           path.find('\\') == std::string_view::npos &&
           std::ranges::none_of(path, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

std::string licence_of(const json::Value& about) {
    const auto card = about["cardData"];
    const auto said = card["license"];
    std::string licence;
    if (said.is(json::Kind::array))
        for (const auto one : said.children()) licence += (licence.empty() ? "" : ", ") + std::string(one.text());
    else
        licence = said.text();
    if (licence.empty())
        for (const auto tag : about["tags"].children())
            if (tag.text().starts_with("license:")) licence = tag.text().substr(8);
    if (const auto name = card["license_name"].text(); !name.empty() && licence == "other") licence = name;
    if (const auto link = card["license_link"].text(); !link.empty()) licence += fmt::format(" ({})", link);
    return printable(licence, 300);
}

// What a refusal of the hub means, in words that say what to do.
Error explained(const Trouble& trouble, const Reference& reference, const Hub& hub) {
    const auto page = fmt::format("{}/{}", hub.endpoint, reference.name);
    const auto& code = trouble.hub_code;
    if (code == "GatedRepo")
        return {ErrorCode::forbidden,
                hub.has_token
                    ? fmt::format("{} is gated, and the account of the token has no access: accept its terms at {}",
                                  reference.name, page)
                    : fmt::format("{} is gated: accept its terms at {}, and set HF_TOKEN to a token of that account "
                                  "that may read it",
                                  reference.name, page)};
    if (code == "RevisionNotFound")
        return {ErrorCode::not_found,
                fmt::format("{} has no revision '{}'", reference.name, printable(reference.revision, 80))};
    if (code == "EntryNotFound")
        return {ErrorCode::not_found, fmt::format("{} does not have that file (any more)", reference.name)};
    if (trouble.status == 401 && hub.has_token && code != "RepoNotFound")
        return {ErrorCode::forbidden,
                fmt::format("the hub refuses the token: {}; set HF_TOKEN to one that is in force, or unset it",
                            trouble.hub_message.empty() ? "401" : trouble.hub_message)};
    if (code == "RepoNotFound" || trouble.status == 404 || trouble.status == 401)
        return {ErrorCode::not_found,
                fmt::format("{} has no repository {}, or it is private: check how it is written{}", hub.endpoint,
                            reference.name, hub.has_token ? "" : "; a private one needs HF_TOKEN")};
    if (trouble.status == 403)
        return {ErrorCode::forbidden,
                fmt::format("the hub refuses {}: {}; its page says what it wants: {}", reference.name,
                            trouble.hub_message.empty() ? "403" : trouble.hub_message, page)};
    return trouble.error;
}

// The next page of a list: Link: <URL>; rel="next" (RFC 8288), at the same origin.
std::string next_of(const net::Fields& headers, std::string_view url) {
    const auto link = headers.get("link");
    const auto rel = link.find("rel=\"next\"");
    if (rel == std::string_view::npos) return {};
    const auto begin = link.rfind('<', rel), end = link.find('>', begin == std::string_view::npos ? rel : begin);
    if (begin == std::string_view::npos || end == std::string_view::npos || end > rel) return {};
    auto next = std::string(link.substr(begin + 1, end - begin - 1));
    if (next.starts_with('/')) next = origin_of(url) + next;
    return origin_of(next) == origin_of(url) ? next : std::string();
}

Result<> add_files(std::string_view body, std::vector<HubFile>& files) {
    json::Document document;
    if (auto ok = document.parse(body); !ok || !document.root().is(json::Kind::array))
        return fail(ErrorCode::upstream, "the hub's list of files is no list");
    for (const auto one : document.root().children()) {
        HubFile file;
        file.path = one["path"].text();
        if (one["type"].text() != "file" || !is_inside(file.path)) continue;
        const auto lfs = one["lfs"];
        file.size = (lfs ? lfs["size"] : one["size"]).integer().value_or(-1);
        auto oid = lower(lfs["oid"].text());
        if (oid.starts_with("sha256:")) oid.erase(0, 7);
        Digest digest{};
        if (from_hex(oid, digest)) file.sha256 = oid;
        if (file.size >= 0) files.push_back(std::move(file));
    }
    return {};
}

struct Listed {
    std::vector<HubFile> files;
    bool whole = true;  // not more than kMostPages
};

net::Task<Tried<Listed>> files_of(Web& web, std::string url) {
    using Failed = std::unexpected<Trouble>;
    Listed listed;
    for (int pages = 0; !url.empty() && pages < kMostPages; ++pages) {
        auto page = co_await web.page(url, "application/json", kLargestList);
        if (!page) co_return Failed(std::move(page.error()));
        if (auto ok = add_files(page->body, listed.files); !ok) co_return Failed(Trouble{.error = ok.error()});
        url = next_of(page->headers, url);
    }
    listed.whole = url.empty();
    co_return listed;
}

std::string base_name(std::string_view path) {
    return std::string(path.substr(path.rfind('/') + 1));
}

}  // namespace

std::int64_t Plan::size() const {
    std::int64_t sum = 0;
    for (const auto& piece : pieces) {
        if (piece.size < 0) return -1;
        sum += piece.size;
    }
    return sum;
}

net::Task<Result<Plan>> plan_of_hub(Web& web, Reference reference, Hub hub) {
    const auto api = fmt::format("{}/api/models/{}", hub.endpoint, reference.name);
    auto about = co_await web.page(fmt::format("{}/revision/{}", api, encoded(reference.revision)), "application/json",
                                   kLargestList);
    if (!about) co_return fail(explained(about.error(), reference, hub));
    json::Document document;
    if (auto ok = document.parse(about->body); !ok)
        co_return fail(ErrorCode::upstream, fmt::format("{} gave no JSON for {}", hub.endpoint, reference.name));
    Plan plan;
    plan.version = lower(document.root()["sha"].text());
    std::array<std::uint8_t, 20> commit{};
    if (!from_hex(plan.version, commit))
        co_return fail(ErrorCode::upstream, fmt::format("{} names no commit of {}", hub.endpoint, reference.name));
    plan.licence = licence_of(document.root());
    auto listed = co_await files_of(web, fmt::format("{}/tree/{}?recursive=true", api, plan.version));
    if (!listed) co_return fail(explained(listed.error(), reference, hub));
    const auto& files = listed->files;
    const auto cut =
        listed->whole ? std::string()
                      : fmt::format("its list of files has more than {} pages, and only those were read", kMostPages);
    auto picked = chosen(files, reference.wanted);
    if (!picked)
        co_return fail(picked.error().code,
                       fmt::format("{}: {}{}{}", reference.name, picked.error().message, cut.empty() ? "" : "; ", cut));
    if (!cut.empty()) plan.notes.push_back(cut);
    plan.source = fmt::format("hf:{}:{}", reference.name, picked->front().path);
    for (const auto& file : *picked)
        plan.pieces.push_back(
            {.url = fmt::format("{}/{}/resolve/{}/{}", hub.endpoint, reference.name, plan.version, encoded(file.path)),
             .name = model_name_of(base_name(file.path)),
             .size = file.size,
             .sha256 = file.sha256,
             .ranges = {}});
    // A gated repository shows its list to everybody: the file says whether this account may have it.
    if (auto there = co_await web.locate(plan.pieces.front().url); !there)
        co_return fail(explained(there.error(), reference, hub));
    const bool projector = std::ranges::any_of(
        files, [](const HubFile& file) { return lower(file.path).find("mmproj") != std::string::npos; });
    if (projector) plan.notes.emplace_back("it has a projector for images (mmproj), which is not pulled with it");
    co_return plan;
}

namespace {

// The ranges that Ollama's registry knows: GET .../chunksums/DIGEST gives lines of "sha256:HEX FIRST-LAST".
std::vector<FileRange> chunks_in(std::string_view body) {
    std::vector<FileRange> ranges;
    while (!body.empty() && ranges.size() < kMostNamedRanges) {
        const auto line = trim(body.substr(0, body.find('\n')));
        body.remove_prefix(
            std::min(body.find('\n') == std::string_view::npos ? body.size() : body.find('\n') + 1, body.size()));
        if (line.empty()) continue;
        const auto blank = line.find(' '), dash = line.rfind('-');
        if (!line.starts_with("sha256:") || blank == std::string_view::npos || dash == std::string_view::npos ||
            dash < blank)
            return {};
        const auto first = whole_number(line.substr(blank + 1, dash - blank - 1));
        const auto last = whole_number(line.substr(dash + 1));
        FileRange range{.first = first.value_or(-1), .last = last.value_or(-1), .sha256 = {}, .came = {}};
        range.sha256 = line.substr(7, blank - 7);
        Digest digest{};
        if (!first || !last || !from_hex(range.sha256, digest)) return {};
        ranges.push_back(std::move(range));
    }
    return ranges;
}

Error explained(const Trouble& trouble, const Reference& reference) {
    if (trouble.status == 404)
        return {ErrorCode::not_found,
                fmt::format("{} has no model {}:{}", reference.origin, reference.name, reference.wanted)};
    return trouble.error;
}

// The first line of a licence that says anything.
std::string first_line(std::string_view text) {
    while (!text.empty()) {
        const auto line = trim(text.substr(0, text.find('\n')));
        if (!line.empty()) return printable(line, 120);
        const auto end = text.find('\n');
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return {};
}

}  // namespace

net::Task<Result<Plan>> plan_of_ollama(Web& web, Reference reference) {
    const auto base = fmt::format("{}/v2/{}", reference.origin, reference.name);
    auto page = co_await web.page(fmt::format("{}/manifests/{}", base, reference.wanted),
                                  "application/vnd.docker.distribution.manifest.v2+json", kLargestList);
    if (!page) co_return fail(explained(page.error(), reference));
    json::Document document;
    if (auto ok = document.parse(page->body); !ok)  // the registry calls it text/plain
        co_return fail(ErrorCode::upstream,
                       fmt::format("{} gave no manifest for {}", reference.origin, reference.name));
    Plan plan;
    plan.version = "sha256:" + hex(sha256(page->body));
    plan.source = fmt::format(
        "ollama:{}{}:{}", reference.origin == "https://registry.ollama.ai" ? "" : reference.origin + "/",
        reference.name.starts_with("library/") ? reference.name.substr(8) : reference.name, reference.wanted);
    std::string licence;
    for (const auto layer : document.root()["layers"].children()) {
        const auto type = layer["mediaType"].text();
        const auto digest = std::string(layer["digest"].text());
        Digest bytes{};
        if (!digest.starts_with("sha256:") || !from_hex(digest.substr(7), bytes)) continue;
        if (type == "application/vnd.ollama.image.projector")
            plan.notes.emplace_back("it has a projector for images, which is not pulled with it");
        if (type == "application/vnd.ollama.image.license" && licence.empty()) licence = digest;
        if (type != "application/vnd.ollama.image.model" || !plan.pieces.empty()) continue;
        plan.pieces.push_back({.url = fmt::format("{}/blobs/{}", base, digest),
                               .name = model_name_of(base_name(reference.name) +
                                                     (reference.wanted == "latest" ? "" : "-" + reference.wanted)),
                               .size = layer["size"].integer().value_or(-1),
                               .sha256 = digest.substr(7),
                               .ranges = {}});
    }
    if (plan.pieces.empty())
        co_return fail(ErrorCode::not_found,
                       fmt::format("{}:{} has no GGUF file: it is a model of Ollama's cloud, or of another format",
                                   reference.name, reference.wanted));
    auto& piece = plan.pieces.front();
    // A registry that names no ranges has the SHA-256 of the whole.
    if (auto chunks =
            co_await web.page(fmt::format("{}/chunksums/sha256:{}", base, piece.sha256), "text/plain", kLargestList))
        piece.ranges = chunks_in(chunks->body);
    if (!licence.empty())
        if (auto text = co_await web.page(fmt::format("{}/blobs/{}", base, licence), "*/*", kLargestLicence))
            plan.licence = first_line(text->body);
    co_return plan;
}

Result<Plan> plan_of_url(const Reference& reference) {
    Plan plan;
    const auto& url = reference.name;
    const auto query = std::min(url.find_first_of("?#"), url.size());
    plan.source = url.substr(0, query);  // what signs it expires, and is nobody's business
    const auto file = net::percent_decoded(base_name(url.substr(0, query)));
    const auto split = split_name_of(file);
    if (!split) {
        plan.pieces.push_back({.url = url, .name = model_name_of(file), .size = -1, .sha256 = {}, .ranges = {}});
        return plan;
    }
    const auto folder = url.substr(0, url.substr(0, query).rfind('/') + 1);
    for (int number = 1; number <= split->count; ++number) {
        const auto name = split_name({split->stem, number, split->count});
        plan.pieces.push_back({.url = folder + encoded(name) + url.substr(query),
                               .name = model_name_of(name),
                               .size = -1,
                               .sha256 = {},
                               .ranges = {}});
    }
    return plan;
}

}  // namespace tandem::engine
