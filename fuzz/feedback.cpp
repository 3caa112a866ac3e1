// What is said of answers, and what is kept of them: feedback as it comes over the wire, the traits that are stored
// with it, and the experiments that are started over the API.
#include "api/feedback.h"

#include <cmath>
#include <cstdlib>

#include "config/config.h"
#include "learning/learner.h"
#include "learning/traits.h"

namespace {

using namespace tandem;

void expect(bool holds) {
    if (!holds) std::abort();
}

void feedback(std::string_view text) {
    json::Document document;
    if (!document.parse(text)) return;
    const auto said = api::read_feedback(document.root());
    if (!said) return expect(!said.error().message.empty());
    expect(said->value >= 0 && said->value <= 1 && !said->decision.empty() && said->comment.size() <= 2000);
}

// Whatever was said, what is expected stays within its bounds.
void learned(std::string_view text) {
    const auto half = text.size() / 2;
    auto traits = learning::traits_of(text.substr(0, half), text.substr(half));
    for (const auto& [index, value] : traits) expect(index < learning::kAllTraits && std::isfinite(value));
    const auto again = learning::traits_from_bytes(learning::to_bytes(traits));
    expect(again && again->size() == traits.size());
    static learning::Learner learner;
    static int count = 0;
    if (count == 0) learner.configure({{"m", "i", 0.5}});
    const double value = static_cast<double>(text.size() % 5) / 4;
    // A learner that has seen much solves much: enough is seen of one that has seen little.
    if (++count % 64 == 0) learner.forget("m");
    learner.learn({{std::to_string(count), "m", "i", "feedback", "k", value, 1, std::move(traits)}});
    for (const auto& outlook : learner.outlook(text))
        expect(outlook.quality >= 0 && outlook.quality <= 1 && std::isfinite(outlook.doubt));
}

void stored(std::string_view bytes) {
    const auto traits = learning::traits_from_bytes(bytes);
    if (!traits) return expect(!traits.error().message.empty());
    for (const auto& [index, value] : *traits) expect(index < learning::kAllTraits && std::isfinite(value));
}

void experiment(std::string_view text) {
    static const auto config = config::parse("", "", [](const std::string&) { return std::nullopt; });
    const auto read = config::parse_experiment("e", std::string(text), *config);
    if (!read) return expect(!read.error().message.empty());
    expect(config->model(read->control) != nullptr && config->model(read->treatment) != nullptr);
    // What was read is written so that it is read again.
    const auto again = config::parse_experiment("e", config::to_json(*read), *config);
    expect(again && *again == *read);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    switch (data[0] % 4) {
        case 0:
            feedback(text);
            break;
        case 1:
            learned(text);
            break;
        case 2:
            stored(text);
            break;
        default:
            experiment(text);
    }
    return 0;
}
