#include "engine/pull/reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.h"
#include "net/message.h"

namespace tandem::engine {

namespace {

constexpr std::size_t kLongest = 2'048;  // bytes of a reference
constexpr std::string_view kOllama = "https://registry.ollama.ai";

std::unexpected<Error> refuse(std::string_view text, std::string_view why) {
    return fail(ErrorCode::invalid,
                fmt::format("'{}' names no model: {}; write hf:ORG/REPO[:QUANT or FILE], ollama:NAME[:TAG], "
                            "https://... or the path of a file",
                            printable(text, 120), why));
}

// Of an organisation, a repository, a namespace, a tag: what stands in a URL as it is.
bool is_plain(std::string_view word) {
    constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    return !word.empty() && word.size() <= 128 && word.find_first_not_of(kAllowed) == std::string_view::npos &&
           word != "." && word != "..";
}

Result<Reference> hub(std::string_view text, std::string_view rest) {
    Reference found;
    found.from = Reference::From::hub;
    found.revision = "main";
    if (const auto at = rest.rfind('@'); at != std::string_view::npos) {
        found.revision = rest.substr(at + 1);
        rest = rest.substr(0, at);
        if (found.revision.empty() || found.revision.find("..") != std::string::npos)
            return refuse(text, "the revision after @ is empty, or none");
    }
    const auto colon = rest.find(':');
    if (colon != std::string_view::npos) found.wanted = rest.substr(colon + 1);
    found.name = rest.substr(0, colon);
    const auto parts = split(found.name, '/');
    if (parts.size() != 2 || !is_plain(parts[0]) || !is_plain(parts[1]))
        return refuse(text, "a repository of the hub is ORG/REPO");
    return found;
}

// A page or a file of the hub's own web site: /ORG/REPO[/resolve or blob or tree/REVISION[/FILE]].
Result<Reference> hub_page(std::string_view text, std::string_view path) {
    path = path.substr(0, path.find_first_of("?#"));
    while (path.ends_with('/')) path.remove_suffix(1);
    const auto parts = split(path, '/');
    if (parts.size() < 3 || (parts[2] != "resolve" && parts[2] != "blob" && parts[2] != "tree")) return hub(text, path);
    auto found = hub(text, path.substr(0, parts[0].size() + 1 + parts[1].size()));
    if (!found || parts.size() < 4) return found;
    found->revision = net::percent_decoded(parts[3]);
    for (std::size_t i = 4; i < parts.size(); ++i) found->wanted += (i > 4 ? "/" : "") + net::percent_decoded(parts[i]);
    return found;
}

Result<Reference> ollama(std::string_view text, std::string_view rest) {
    Reference found;
    found.from = Reference::From::registry;
    found.origin = kOllama;
    found.wanted = "latest";
    std::string scheme = "https://";
    for (const std::string_view one : {"http://", "https://"})
        if (rest.starts_with(one)) {
            scheme = one;
            rest.remove_prefix(one.size());
        }
    auto parts = split(rest, '/');
    if (parts.size() == 3) {
        found.origin = scheme + std::string(parts[0]);
        parts.erase(parts.begin());
    }
    if (const auto colon = parts.back().find(':'); colon != std::string_view::npos) {
        found.wanted = parts.back().substr(colon + 1);
        parts.back() = parts.back().substr(0, colon);
    }
    if (parts.size() == 1) parts.insert(parts.begin(), "library");
    if (parts.size() != 2 || !is_plain(parts[0]) || !is_plain(parts[1]) || !is_plain(found.wanted))
        return refuse(text, "a model of Ollama is NAME[:TAG], NAMESPACE/NAME[:TAG] or HOST/NAMESPACE/NAME[:TAG]");
    found.name = fmt::format("{}/{}", parts[0], parts[1]);
    return found;
}

}  // namespace

Result<Reference> reference_of(std::string_view text) {
    text = trim(text);
    if (text.empty() || text.size() > kLongest) return refuse(text, "it is empty, or too long");
    if (std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; }))
        return refuse(text, "it has control characters");
    if (text.starts_with("hf:")) return hub(text, text.substr(3));
    if (text.starts_with("ollama:")) return ollama(text, text.substr(7));
    constexpr std::array<std::string_view, 6> kPages = {"https://huggingface.co/", "https://www.huggingface.co/",
                                                        "https://hf.co/",          "http://huggingface.co/",
                                                        "huggingface.co/",         "hf.co/"};
    for (const auto page : kPages)
        if (text.starts_with(page)) return hub_page(text, text.substr(page.size()));
    Reference found;
    found.name = text;
    if (text.starts_with("https://") || text.starts_with("http://")) {
        if (text.find(' ') != std::string_view::npos) return refuse(text, "a URL has no blanks");
        // It would be written into the manifest.
        if (const auto host = text.substr(text.find("://") + 3);
            host.substr(0, host.find_first_of("/?#")).find('@') != std::string_view::npos)
            return refuse(text.substr(0, text.find("://") + 3), "a URL with a name and a password in it is not taken");
        found.from = Reference::From::url;
        return found;
    }
    if (const auto scheme = text.find("://"); scheme != std::string_view::npos)
        return refuse(text, fmt::format("{} is not spoken", text.substr(0, scheme)));
    return found;
}

}  // namespace tandem::engine
