#include "cli/index_here.h"

#include <fmt/format.h>

#include "cli/remote.h"
#include "privacy/detect.h"

namespace tandem::cli {

namespace fs = std::filesystem;

Result<IndexHere> open_index(const config::Config& config, retrieval::Retrieval::Use use) {
    IndexHere here;
    here.random = system_random();
    std::error_code error;
    if (use == retrieval::Retrieval::Use::keep) {
        fs::create_directories(config.data, error);
        auto lock = store::FolderLock::take(config.data);
        if (!lock) return fail(lock.error());
        here.lock = std::make_unique<store::FolderLock>(std::move(*lock));
    }
    auto detector = privacy::make_detector(config.privacy.own);
    if (!detector) return fail(detector.error());
    const auto self = fs::read_symlink("/proc/self/exe", error);
    auto index = retrieval::Retrieval::open(config, std::move(*detector), self, *here.random, use);
    if (!index) return fail(index.error());
    here.index = std::move(*index);
    return here;
}

Result<std::string> ask_index(const config::Config& config, const std::string& method, const std::string& path,
                              const std::string& body, retrieval::Retrieval::Use use, const Here& here) {
    auto answer = call(remote_of(config), {.method = method, .path = path, .headers = {}, .body = body});
    if (answer && answer->status == 200) return std::move(answer->body);
    if (answer) return fail(error_of(*answer));
    if (answer.error().code != ErrorCode::unavailable) return fail(answer.error());
    auto opened = open_index(config, use);
    if (!opened) return fail(opened.error());
    return here(*opened->index);
}

std::string percent_encoded(std::string_view text) {
    std::string out;
    for (const unsigned char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                           c == '_' || c == '.';
        out += plain ? std::string(1, static_cast<char>(c)) : fmt::format("%{:02X}", c);
    }
    return out;
}

}  // namespace tandem::cli
