// Runs in the build: writes the compiled pattern database as C++ source to the file named by its argument.
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "privacy/patterns/matcher.h"
#include "privacy/patterns/patterns.h"

int main(int argc, char** argv) {
    std::string why;
    hs_database_t* database = argc == 2 ? tandem::privacy::compile_patterns(why) : nullptr;
    char* bytes = nullptr;
    std::size_t size = 0;
    if (database == nullptr || hs_serialize_database(database, &bytes, &size) != HS_SUCCESS) {
        std::fprintf(stderr, "the detectors' patterns do not compile: %s\n", why.c_str());
        return 1;
    }
    std::FILE* out = std::fopen(argv[1], "w");
    if (out == nullptr) return 1;
    std::fprintf(out,
                 "#include \"privacy/patterns/matcher.h\"\nnamespace tandem::privacy {\nconst unsigned "
                 "kPatternWidths[] = {");
    for (const auto& pattern : tandem::privacy::patterns()) {
        hs_expr_info_t* info = nullptr;
        hs_compile_error_t* error = nullptr;
        const unsigned flags = pattern.caseless ? HS_FLAG_CASELESS : 0U;
        if (hs_expression_info(pattern.expression, flags, &info, &error) != HS_SUCCESS) return 1;
        std::fprintf(out, "%u,", info->min_width);
        std::free(info);
    }
    std::fprintf(out, "};\nconst unsigned char kPatternsDatabase[] = {");
    for (std::size_t i = 0; i < size; ++i)
        std::fprintf(out, "%s%u,", i % 32 == 0 ? "\n" : "", static_cast<unsigned char>(bytes[i]));
    std::fprintf(out, "\n};\nconst std::size_t kPatternsDatabaseSize = %zu;\n}\n", size);
    std::free(bytes);
    hs_free_database(database);
    return std::fclose(out) == 0 ? 0 : 1;
}
