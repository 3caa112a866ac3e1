#include "engine/tune/work.h"

#include <algorithm>
#include <array>
#include <random>
#include <span>
#include <string_view>

#include "base/json.h"

namespace tandem::engine::tune {

namespace {

constexpr std::string_view kTemperature = "0.7";
constexpr int kAlternatives = 40;             // of the next token
constexpr std::size_t kWordsOfSentence = 14;  // about

constexpr std::array<std::string_view, 24> kWho = {
    "The harbour master", "A young botanist",  "Our neighbour",     "The night train",     "An old printer",
    "The committee",      "Her second letter", "The glass factory", "A retired surveyor",  "The orchestra",
    "Every third ferry",  "The town archive",  "A passing cyclist", "The weather station", "His grandmother",
    "The new bridge",     "A silent film",     "The bakery",        "The winter market",   "An unsigned note",
    "The lighthouse",     "A small museum",    "The river",         "The chess club"};
constexpr std::array<std::string_view, 24> kDid = {
    "had quietly replaced", "never mentioned",     "was compared with", "arrived before",
    "depends on",           "describes in detail", "cost less than",    "was painted over by",
    "reminded everyone of", "disagreed with",      "outlasted",         "was measured against",
    "slowly turned into",   "borrowed money from", "looked towards",    "kept a record of",
    "lost its way near",    "was rebuilt beside",  "took the place of", "sent word about",
    "could not explain",    "was older than",      "apologised for",    "carefully avoided"};
constexpr std::array<std::string_view, 24> kWhat = {
    "the copper roof",         "seven crates of apples", "an unfinished map",     "the last open ticket office",
    "what the children heard", "a theory of tides",      "the smell of cut hay",  "two identical clocks",
    "the colour of the door",  "a bill from 1931",       "the steepest street",   "any known recipe",
    "the missing stairs",      "a borrowed umbrella",    "the first frost",       "the owner of the kiosk",
    "a list of lost birds",    "the sound of the mill",  "every printed edition", "the mayor's speech",
    "a rope of wet silk",      "the cellar's low arch",  "three kinds of salt",   "the southern wall"};
constexpr std::array<std::string_view, 16> kWhen = {
    "before noon",           "during the drought",     "although it rained", "in the spring of that year",
    "for reasons of thrift", "without a map",          "while others slept", "as a matter of fact",
    "twice a week",          "after the fair",         "on paper only",      "by candlelight",
    "to nobody's surprise",  "until the road was cut", "in a loud voice",    "with some care"};

template <std::size_t N>
std::string_view one_of(const std::array<std::string_view, N>& words, std::mt19937_64& random) {
    return words[random() % N];
}

void write_tokens(json::Writer& out, std::span<const std::int64_t> tokens) {
    for (const auto token : tokens) out.value(token);
}

}  // namespace

std::string prose(std::uint64_t seed, std::size_t words) {
    std::mt19937_64 random(seed);
    std::string text;
    for (std::size_t sentence = 0; sentence * kWordsOfSentence < words; ++sentence) {
        text += std::string(one_of(kWho, random)) + " " + std::string(one_of(kDid, random)) + " " +
                std::string(one_of(kWhat, random)) + " ";
        if (random() % 2 == 0)
            text += std::string(one_of(kWhen, random)) + ", and " + std::to_string(random() % 900);
        else
            text += "and then " + std::string(one_of(kWhat, random)) + " " + std::string(one_of(kWhen, random));
        text += sentence % 6 == 5 ? ".\n\n" : ". ";
    }
    return text;
}

std::vector<std::string> endings() {
    return {"\n\nQuestion: Which two things in this text seem odd to you, and why?\nAnswer:",
            "\n\nTask: Write a function in Python that counts how often each noun of the text occurs.\n```python\n",
            "\n\nTask: Rewrite the last sentence in the present tense, then go on with the story.\nAnswer:"};
}

std::vector<std::string> requests(const Tokens& text, const std::vector<Tokens>& endings, Amount amount, int round,
                                  int count) {
    std::vector<std::string> bodies;
    for (int i = 0; i < count; ++i) {
        const auto& ending = endings[static_cast<std::size_t>(round + i) % endings.size()];
        const auto room = static_cast<std::size_t>(std::max<std::int64_t>(1, amount.prompt));
        const auto end = std::min(ending.size(), room - 1), begin = std::min(room - end, text.size());
        const auto places = text.size() - begin + 1;
        const auto at = (static_cast<std::size_t>(round) * 997 + static_cast<std::size_t>(i) * 131) % places;
        json::Writer out;
        out.begin_object().key("prompt").begin_array();
        write_tokens(out, std::span(text).subspan(at, begin));
        write_tokens(out, std::span(ending).last(end));
        out.end_array().member("n_predict", amount.answer).member("ignore_eos", true).member("cache_prompt", false);
        out.raw_member("temperature", kTemperature).member("seed", std::int64_t{round} * 100 + i + 1);
        bodies.push_back(out.end_object().take());
    }
    return bodies;
}

std::string next_token_request(const Tokens& text, std::size_t length) {
    json::Writer out;
    out.begin_object().key("prompt").begin_array();
    write_tokens(out, std::span(text).first(std::min(length, text.size())));
    out.end_array().member("n_predict", 1).member("temperature", 0).member("n_probs", kAlternatives);
    return out.member("cache_prompt", true).end_object().take();
}

}  // namespace tandem::engine::tune
