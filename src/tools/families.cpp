#include "tools/family.h"

namespace tandem::tools {

// A family is a file of families/ and a line in each list. Where two have a mark in common, the first that reads it
// does.
extern const Family kHermes, kQwenCoder, kGlm, kLlama, kMistral, kDeepSeek, kDeepSeekDsml, kFunctionary, kCommand,
    kGranite, kKimi, kHarmony, kGemma, kMiniMax, kLfm2, kTagged;

std::span<const Family* const> families() {
    static constexpr const Family* kAll[] = {&kHermes,       &kQwenCoder,   &kGlm,     &kLlama,   &kMistral, &kDeepSeek,
                                             &kDeepSeekDsml, &kFunctionary, &kCommand, &kGranite, &kKimi,    &kHarmony,
                                             &kGemma,        &kMiniMax,     &kLfm2,    &kTagged};
    return kAll;
}

}  // namespace tandem::tools
