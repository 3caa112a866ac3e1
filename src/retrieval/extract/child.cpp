#include "retrieval/extract/child.h"

#include <sys/resource.h>
#include <unistd.h>

#include <new>

#include "retrieval/extract/formats.h"
#include "retrieval/extract/wire.h"

namespace tandem::retrieval {

namespace {

constexpr std::size_t kMostQuestion = 2UL << 30;

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kSanitized = true;  // its shadow is terabytes of addresses
#else
constexpr bool kSanitized = false;
#endif
#else
constexpr bool kSanitized = false;
#endif

void bound_memory(int mib) {
    if (kSanitized || mib <= 0) return;
    const auto bytes = static_cast<rlim_t>(mib) << 20U;
    const rlimit limit{bytes, bytes};
    setrlimit(RLIMIT_DATA, &limit);
}

Answer answer_to(const Question& question) {
    Answer answer;
    const auto* format = format_named(question.format);
    if (format == nullptr) {
        answer.why = "its format is not known";
        return answer;
    }
    try {
        if (!extract(*format, {question.bytes, question.name, question.most_text}, answer.extracted, answer.why))
            answer.extracted = {};
    } catch (const std::bad_alloc&) {
        answer = {};
        answer.why = "reading it takes more memory than retrieval.extract_memory";
    }
    return answer;
}

}  // namespace

int read_files(int memory_mib) {
    bound_memory(memory_mib);
    const auto never = SteadyTime::max() - std::chrono::hours(24);
    while (true) {
        const auto frame = receive_frame(STDIN_FILENO, kMostQuestion, never);
        if (!frame) return 0;
        const auto question = decode_question(*frame);
        if (!question) return 1;
        if (auto ok = send_frame(STDIN_FILENO, encode(answer_to(*question)), never); !ok) return 0;
    }
}

}  // namespace tandem::retrieval
