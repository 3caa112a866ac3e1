#include "engine/pull/pull.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <utility>

#include "base/file.h"
#include "base/text.h"
#include "engine/disk/check.h"
#include "engine/pull/header.h"

namespace tandem::engine {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kLargestToken = 1'024;  // bytes

std::string set_in(const config::Environment& environment, const std::string& name) {
    return std::string(trim(environment(name).value_or("")));
}

// Where the hub's own programs keep it (huggingface_hub's constants): HF_TOKEN_PATH, else HF_HOME/token, else
// ~/.cache/huggingface/token.
Secret token_of(const config::Environment& environment) {
    for (const char* name : {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"})
        if (auto token = set_in(environment, name); !token.empty()) return Secret(std::move(token));
    fs::path file = set_in(environment, "HF_TOKEN_PATH");
    if (file.empty()) {
        fs::path home = set_in(environment, "HF_HOME");
        if (home.empty()) {
            const fs::path cache = set_in(environment, "XDG_CACHE_HOME");
            home = (cache.empty() ? fs::path(set_in(environment, "HOME")) / ".cache" : cache) / "huggingface";
        }
        file = home / "token";
    }
    const auto text = read_regular(file, kLargestToken);
    return Secret(std::string(trim(text.value_or(""))));
}

std::string endpoint_of(const config::Environment& environment) {
    auto endpoint = set_in(environment, "HF_ENDPOINT");
    while (endpoint.ends_with('/')) endpoint.pop_back();
    return endpoint.empty() ? "https://huggingface.co" : endpoint;
}

class Pull {
  public:
    Pull(const Reference& reference, const PullSettings& settings)
        : reference_(reference), settings_(settings), token_(token_of(settings.environment)) {
        hub_.endpoint = endpoint_of(settings.environment);
        hub_.has_token = !token_.empty();
    }
    net::Task<Result<Pulled>> run(net::Worker& worker);
    net::Task<Result<Looked>> look(net::Worker& worker);
    // The error without the token, which a hub could say back.
    Error harmless(Error error) const;

  private:
    Result<WebSettings> web_settings() const;
    net::Task<Result<Plan>> plan(Web& web);
    net::Task<Result<Pulled>> fetch(Web& web, Plan plan);
    Result<> name_pieces(Plan& plan, const Manifest& manifest) const;
    const DiskModel* there(const Plan& plan, const Manifest& manifest) const;
    Result<> check_room(const Plan& plan) const;
    Result<std::optional<DiskFile>> kept(const Piece& piece) const;
    // Whether a file of that name is an earlier one of the same model.
    bool is_ours(const Piece& piece, const Plan& plan) const;

    const Reference& reference_;
    const PullSettings& settings_;
    Secret token_;
    Hub hub_;
};

net::Task<Result<Plan>> Pull::plan(Web& web) {
    if (reference_.from == Reference::From::hub) co_return co_await plan_of_hub(web, reference_, hub_);
    if (reference_.from == Reference::From::registry) co_return co_await plan_of_ollama(web, reference_);
    auto plan = plan_of_url(reference_);
    if (plan && plan->pieces.size() == 1) plan->pieces.front().sha256 = settings_.sha256;
    co_return plan;
}

// The same file, whole, by whatever name.
const DiskModel* Pull::there(const Plan& plan, const Manifest& manifest) const {
    const auto& pieces = plan.pieces;
    if (pieces.front().sha256.empty()) return nullptr;
    for (const auto& model : manifest.models()) {
        if (model.files.size() != pieces.size()) continue;
        bool same = true;
        for (std::size_t i = 0; i < pieces.size() && same; ++i) {
            std::error_code error;
            const auto size = fs::file_size(manifest.path_of(model.files[i]), error);
            same = !error && model.files[i].sha256 == pieces[i].sha256 &&
                   size == static_cast<std::uintmax_t>(model.files[i].size);
        }
        if (same) return &model;
    }
    return nullptr;
}

// A name that another model, or a file of the owner's, has already gets its maker before it.
Result<> Pull::name_pieces(Plan& plan, const Manifest& manifest) const {
    const auto taken = [&](const Piece& piece) {
        for (const auto& model : manifest.models()) {
            if (model.name == piece.name && model.source != plan.source) return true;
            if (model.source != plan.source &&
                std::ranges::any_of(model.files, [&](const DiskFile& file) { return file.path == piece.name; }))
                return true;
        }
        std::error_code error;
        const auto file = settings_.models / piece.name;
        const auto* own = manifest.find(plan.pieces.front().name);
        const bool ours = own != nullptr && own->source == plan.source;
        if (ours || !fs::exists(file, error)) return false;
        // What a killed pull of the same left is no stranger's.
        return piece.sha256.empty() || sha256_of_file(file).value_or("") != piece.sha256;
    };
    if (std::ranges::none_of(plan.pieces, taken)) return {};
    auto maker = reference_.name;
    if (const auto scheme = maker.find("://"); scheme != std::string::npos) maker.erase(0, scheme + 3);
    maker = maker.substr(0, maker.find('/'));
    for (auto& piece : plan.pieces) piece.name = model_name_of(fmt::format("{}_{}", maker, piece.name));
    if (std::ranges::none_of(plan.pieces, taken)) return {};
    return fail(ErrorCode::invalid,
                fmt::format("{} is there already and is another file; move it away, or `tandem model rm` it",
                            (settings_.models / plan.pieces.front().name).string()));
}

// All of its files, before the first byte of one; what an earlier run has written counts.
Result<> Pull::check_room(const Plan& plan) const {
    std::int64_t needed = 0;
    for (const auto& piece : plan.pieces) {
        std::error_code error;
        const bool whole = fs::exists(settings_.models / piece.name, error);
        if (piece.size > 0 && !whole) needed += piece.size - bytes_there(settings_.models / ".pull", piece);
    }
    return engine::check_room(settings_.models, needed, plan.pieces.front().name, settings_.models);
}

// A file that has its name already: of a pull that was killed before it was entered.
Result<std::optional<DiskFile>> Pull::kept(const Piece& piece) const {
    std::error_code error;
    const auto file = settings_.models / piece.name;
    if (piece.sha256.empty() || !fs::exists(file, error)) return std::nullopt;
    auto sha256 = sha256_of_file(file);
    if (!sha256) return fail(sha256.error());
    if (*sha256 != piece.sha256) return std::nullopt;
    return DiskFile{piece.name, static_cast<std::int64_t>(fs::file_size(file, error)), *sha256};
}

bool Pull::is_ours(const Piece& piece, const Plan& plan) const {
    const auto manifest = Manifest::read(settings_.models);
    return manifest && std::ranges::any_of(manifest->models(), [&](const DiskModel& model) {
               return model.source == plan.source &&
                      std::ranges::find(model.files, fs::path(piece.name), &DiskFile::path) != model.files.end();
           });
}

net::Task<Result<Pulled>> Pull::fetch(Web& web, Plan plan) {
    DiskModel model{.name = plan.pieces.front().name,
                    .source = plan.source,
                    .version = plan.version,
                    .licence = plan.licence,
                    .adopted = false,
                    .compared = true,
                    .added_ms = unix_ms(system_clock()->wall()),
                    .files = {}};
    std::int64_t before = 0;
    const auto total = plan.size();
    for (auto& piece : plan.pieces) {
        auto have = kept(piece);
        if (!have) co_return fail(have.error());
        if (!*have) {
            Fetching how{.folder = settings_.models / ".pull", .connections = settings_.connections};
            how.replaces = is_ours(piece, plan);
            how.note = settings_.note;
            how.progress = [this, before, total](std::int64_t bytes) {
                if (settings_.progress) settings_.progress(before + bytes, total);
            };
            auto fetched = co_await fetch_file(web, piece, std::move(how), settings_.models / piece.name);
            if (!fetched) co_return fail(fetched.error());
            model.compared = model.compared && fetched->compared;
            *have = DiskFile{piece.name, fetched->size, fetched->sha256};
        }
        before += (*have)->size;
        model.files.push_back(std::move(**have));
    }
    if (auto ok = enter(settings_.models, model); !ok) co_return fail(ok.error());
    co_return Pulled{std::move(model), false};
}

Error Pull::harmless(Error error) const {
    constexpr std::string_view kInstead = "(the token)";
    const auto token = token_.reveal();
    if (token.empty()) return error;
    for (auto at = error.message.find(token); at != std::string::npos;
         at = error.message.find(token, at + kInstead.size()))
        error.message.replace(at, token.size(), kInstead);
    return error;
}

Result<WebSettings> Pull::web_settings() const {
    // In a header, a line break within it would be a header of its own.
    if (std::ranges::any_of(token_.reveal(), [](char c) { return c <= ' ' || c > '~'; }))
        return fail(ErrorCode::invalid,
                    "the hub's token has a blank or another character that no token has: set HF_TOKEN, or the file of "
                    "the hub's own program, to the token alone");
    auto proxies = Proxies::of(settings_.environment);
    if (!proxies) return fail(proxies.error());
    WebSettings settings;
    settings.user_agent = fmt::format("tandem/{}", TANDEM_VERSION);
    settings.token_origin = origin_of(hub_.endpoint);
    settings.token = &token_;
    settings.proxies = std::move(*proxies);
    return settings;
}

net::Task<Result<Looked>> Pull::look(net::Worker& worker) {
    auto settings = web_settings();
    if (!settings) co_return fail(settings.error());
    Web web(worker, std::move(*settings));
    auto plan = co_await this->plan(web);
    if (!plan) co_return fail(plan.error());
    Looked looked;
    for (bool first = true; auto& piece : plan->pieces) {
        auto header = co_await header_of(web, piece);
        if (!header) co_return fail(header.error());
        looked.size += piece.size = header->size;
        looked.read += header->read;
        if (std::exchange(first, false))
            looked.facts = std::move(header->facts);
        else if (auto ok = add_part(looked.facts, header->facts); !ok)
            co_return fail(ok.error());
    }
    looked.plan = std::move(*plan);
    co_return looked;
}

net::Task<Result<Pulled>> Pull::run(net::Worker& worker) {
    auto ready = web_settings();
    if (!ready) co_return fail(ready.error());
    Web web(worker, std::move(*ready));
    auto plan = co_await this->plan(web);
    if (!plan) co_return fail(plan.error());
    for (const auto& piece : plan->pieces)
        if (piece.size > kLargestFile) co_return fail(too_large(piece.name, piece.size));
    const auto manifest = Manifest::read(settings_.models);
    if (!manifest) co_return fail(manifest.error());
    if (const auto* same = there(*plan, *manifest)) co_return Pulled{*same, true};
    if (auto ok = name_pieces(*plan, *manifest); !ok) co_return fail(ok.error());
    if (settings_.planned) settings_.planned(*plan, plan->size());
    if (auto ok = check_room(*plan); !ok) co_return fail(ok.error());
    co_return co_await fetch(web, std::move(*plan));
}

// Runs one of Pull's questions until it is answered.
template <typename Answer>
Result<Answer> answer_of(const Reference& reference, const PullSettings& settings,
                         net::Task<Result<Answer>> (Pull::*question)(net::Worker&)) {
    if (reference.from == Reference::From::file) return fail(ErrorCode::invalid, "a file is copied, not fetched");
    net::Worker worker;
    Pull pull(reference, settings);
    Result<Answer> result = fail(ErrorCode::internal, "nothing was fetched");
    net::asio::co_spawn(worker.context(), (pull.*question)(worker),
                        [&](const std::exception_ptr& thrown, Result<Answer> answer) {
                            if (!thrown) result = std::move(answer);
                            worker.context().stop();
                        });
    worker.context().restart();
    worker.context().run();
    if (!result) return fail(pull.harmless(std::move(result.error())));
    return result;
}

}  // namespace

Result<Pulled> pull(const Reference& reference, const PullSettings& settings) {
    return answer_of<Pulled>(reference, settings, &Pull::run);
}

Result<Looked> look(const Reference& reference, const PullSettings& settings) {
    return answer_of<Looked>(reference, settings, &Pull::look);
}

}  // namespace tandem::engine
