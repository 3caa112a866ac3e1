// Which files of a folder are left out: the rules of .gitignore (gitignore(5)) and .tandemignore, and globs.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::retrieval {

// `*` and `?` stand for characters of one name, `**` for any; `[a-z]` and `[!a]` for one of a set; `\` takes the next
// character as it is. Time is bounded by the product of both lengths.
bool glob_matches(std::string_view glob, std::string_view path);

// A path below a collection's folder against one of its globs: one without a slash is about the name alone.
bool is_chosen(const std::vector<std::string>& globs, std::string_view path);

// The rules that hold in one folder: its own files of rules behind those of the folders around it. A value.
class IgnoreRules {
  public:
    // With the rules of a file in the folder `folder` ("" or "a/b/"), in which they hold.
    IgnoreRules with(std::string_view folder, std::string_view text) const;
    // `path` is below the root, without a slash at its end.
    bool ignores(std::string_view path, bool is_folder) const;

  private:
    struct Rule {
        std::string folder, glob;
        bool negated, folders_only, anchored;
    };
    std::shared_ptr<const std::vector<Rule>> rules_;
};

}  // namespace tandem::retrieval
