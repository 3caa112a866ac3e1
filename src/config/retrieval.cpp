#include "config/retrieval.h"

#include <fmt/format.h>

#include "base/text.h"
#include "config/reader.h"

namespace tandem::config {

namespace {

constexpr std::size_t kLongestName = 60, kLongestGlob = 200;

void read_collection(const std::string& name, Section& s, Config& config) {
    Collection one;
    one.name = name;
    if (!is_collection_name(name)) s.complain("a collection's name has at most 60 letters, digits and . _ -");
    std::string folder;
    s.text("folder", folder, About("its files, and those of all folders below it").such_as("~/notes").required());
    if (!folder.empty()) one.folder = beside_config(folder, config.source, s.environment());
    s.label("label", one.label, "of all that is found in it, at least");
    s.name("owner", one.owner, {"who answers for it", "nobody is said"});
    s.texts("keys", one.keys,
            {"names of `keys` that see it; who may read everything over the API sees it too", "none"});
    s.texts("globs", one.globs,
            About("of which files, by their path below the folder: `*`, `**`, `?` and `[abc]` as in .gitignore", "all")
                .such_as("*.md"));
    for (const auto& glob : one.globs)
        if (const auto wrong = wrong_with_glob(glob); !wrong.empty()) s.complain("globs", wrong);
    config.retrieval.collections.push_back(std::move(one));
}

}  // namespace

bool is_collection_name(std::string_view name) {
    return !name.empty() && name.size() <= kLongestName && name.front() != '.' && name.front() != '-' &&
           name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
               std::string_view::npos;
}

std::string wrong_with_glob(std::string_view glob) {
    if (glob.empty() || glob.size() > kLongestGlob) return "a glob has 1 to 200 bytes";
    if (glob.find('\n') != std::string_view::npos) return "a glob has no line break";
    return {};
}

void read_retrieval(Section& s, Config& config) {
    auto& r = config.retrieval;
    s.each_named("collections",
                 About("folders whose files are found; `tandem index add` makes one without the file")
                     .like("^[A-Za-z0-9_][A-Za-z0-9._-]{0,59}$", "notes")
                     .see("concepts/retrieval.md"),
                 [&](const std::string& name, Section& one) { read_collection(name, one, config); });
    s.bytes(
        "max_bytes", r.max_bytes, 1UL << 20, 1UL << 50,
        "of the index on the disk; where it is reached, no further file is taken, and `tandem index status` says so");
    s.bytes("max_file", r.max_file_bytes, 1UL << 10, 1UL << 30, "a larger file is not read, and listed as a failure");
    s.number("context_tokens", r.context_tokens, 100, 1'000'000,
             About("of what is found, that a request with `context` gets at most; a model with less room gets less")
                 .see("concepts/asking.md"));
    s.duration("quiet", r.quiet, milliseconds(1), std::chrono::hours(1),
               "a file is read when nothing has changed it for so long");
    s.duration("rescan", r.rescan, std::chrono::seconds(1), std::chrono::hours(24 * 7),
               "every folder is looked through so often, also where the system tells of each change");
    s.duration("forget_within", r.forget_within, std::chrono::seconds(1), std::chrono::hours(24),
               "the words of a deleted file are off the disk after so long");
    s.duration("extract_timeout", r.extract_timeout, milliseconds(100), std::chrono::hours(1),
               "how long the reading of one file may take");
    s.bytes("extract_memory", r.extract_memory, 64UL << 20, 64UL << 30,
            "of the process that reads files, which has no network and sees no file but by what is given to it");
}

}  // namespace tandem::config
