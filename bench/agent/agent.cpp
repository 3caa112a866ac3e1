// The bill of an agent of sixty turns under three ways to choose its model: bench_agent [SEED]. The trace is made by
// the seed: a system prompt with tools, then turns that read files (long results) and turns that reason. A provider has
// the beginning of a prompt in its cache where it answered the turn before, within five minutes. Quality is what each
// model is right with on easy and on hard turns; it is the same for all three. One line of JSON for each way.
#include <fmt/format.h>

#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "routing/routing.h"

using namespace tandem;

namespace {

struct Turn {
    std::int64_t prompt = 0;  // tokens, all so far
    std::int64_t answer = 0;
    bool hard = false;
};

std::vector<Turn> trace(unsigned seed) {
    std::mt19937 random(seed);
    std::vector<Turn> turns;
    std::int64_t tokens = 6000;  // system prompt and tools
    for (int i = 0; i < 60; ++i) {
        const bool hard = random() % 4 == 0;
        const std::int64_t answer = hard ? 300 + random() % 700 : 40 + random() % 160;
        turns.push_back({tokens, answer, hard});
        tokens += answer + (random() % 3 == 0 ? 800 + random() % 2500 : 100 + random() % 300);
    }
    return turns;
}

}  // namespace

int main(int argc, char** argv) {
    const auto turns = trace(argc > 1 ? static_cast<unsigned>(std::atoi(argv[1])) : 1);
    const auto config = config::parse(
        "providers:\n  one: { kind: openai, zone: cloud, base_url: 'https://a/v1' }\n  two: { kind: openai, zone: "
        "cloud, "
        "base_url: 'https://b/v1' }\nmodels:\n"
        "  strong: { provider: one, context: 400000, price: { input: 1.25, cached_input: 0.125, output: 10 } }\n"
        "  cheap: { provider: two, context: 400000, price: { input: 0.25, cached_input: 0.025, output: 2 } }\n"
        "policy: { objective: { answer_value: 0.1 }, rules: [ { name: all, prefer: best } ] }\n",
        {}, [](const std::string&) { return std::optional<std::string>("/"); });
    if (!config) {
        fmt::print(stderr, "{}\n", config.error().message);
        return 1;
    }
    const auto table = routing::table_of(*config);
    auto right = [](const std::string& model, bool hard) {
        return model == "strong" ? (hard ? 0.9 : 0.97) : (hard ? 0.5 : 0.95);
    };
    for (const std::string_view way : {"always strong", "by the turn alone", "with the price of switching"}) {
        std::map<std::string, std::int64_t> cached;  // tokens of the conversation that each provider has seen
        Money bill;
        double good = 0;
        int switches = 0;
        std::string before;
        for (const auto& turn : turns) {
            routing::Inputs in;
            in.alias = "auto";
            in.features.prompt_tokens = turn.prompt;
            in.features.answer_tokens = turn.answer;
            for (const auto* model : {"cheap", "strong"})
                in.outlook.push_back(
                    {.model = model, .quality = right(model, turn.hard), .doubt = 0.05, .outcomes = 50});
            if (way == "with the price of switching")
                for (auto& outlook : in.outlook) outlook.warm_tokens = cached[outlook.model];
            const auto decision = routing::decide(table, in);
            const std::string model = way == "always strong" ? "strong" : decision->candidates.front().model;
            const auto& price = table.find(model)->price;
            const Usage usage{{turn.prompt}, {std::min(cached[model], turn.prompt)}, {turn.answer}, {0}, false};
            bill += price.cost(prices::buckets_of(usage), {}).micros();
            cached[model] = turn.prompt + turn.answer;
            good += right(model, turn.hard);
            switches += !before.empty() && before != model ? 1 : 0;
            before = model;
        }
        fmt::print(R"({{"way":"{}","bill":{},"good_turns":{:.1f},"switches":{}}})"
                   "\n",
                   way, bill.text(), good, switches);
    }
    return 0;
}
