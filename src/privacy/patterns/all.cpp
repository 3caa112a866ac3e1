#include "privacy/patterns/patterns.h"

namespace tandem::privacy {

const std::vector<Pattern>& patterns() {
    static const std::vector<Pattern> all = [] {
        std::vector<Pattern> list;
        for (const auto family :
             {credential_patterns(), assignment_patterns(), told_patterns(), personal_patterns(), number_patterns()})
            list.insert(list.end(), family.begin(), family.end());
        return list;
    }();
    return all;
}

}  // namespace tandem::privacy
