// Files of clients' settings: whatever stands in them, a change ends, is refused or done, and done again changes
// nothing.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "cli/connect/jsonc.h"
#include "cli/connect/lines.h"
#include "cli/connect/toml.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    const std::vector<tandem::cli::Setting> settings = {
        {{"env", "A"}, "\"1\""}, {{"b"}, "[1]"}, {{"env", "c", "d"}, "2"}};
    if (const auto once = tandem::cli::change_jsonc(text, settings)) {
        const auto twice = tandem::cli::change_jsonc(*once, settings);
        if (!twice || *twice != *once) std::abort();
    }
    const tandem::cli::Lines lines = {{"model", "\"x\""}, {"b", "1"}};
    const tandem::cli::TomlChange change{
        .top = lines, .table = "t.u", .keys = {{"k", "1"}}, .instead_of = {"old"}, .against = {"other"}};
    if (const auto once = tandem::cli::change_toml(text, change)) {
        const auto twice = tandem::cli::change_toml(*once, change);
        if (!twice || *twice != *once) std::abort();
    }
    if (const auto once = tandem::cli::change_yaml(text, lines); once && !tandem::cli::change_yaml(*once, lines))
        std::abort();
    tandem::cli::change_env(text, lines);
    return 0;
}
