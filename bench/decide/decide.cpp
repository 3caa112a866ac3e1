// How long a whole decision takes: bench_decide [MODELS] [BYTES]. Features, traits, what was learned of each model, and
// the choice among them, on one thread; microseconds at the median and the 99th of a hundred, as one line of JSON.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <random>

#include "chat/answer.h"
#include "learning/learner.h"
#include "routing/routing.h"

using namespace tandem;

int main(int argc, char** argv) {
    const int models = argc > 1 ? std::atoi(argv[1]) : 20;
    const auto bytes = static_cast<std::size_t>(argc > 2 ? std::atoi(argv[2]) : 4096);
    std::string yaml =
        "providers:\n  home: { kind: openai, zone: local, base_url: 'http://h/v1' }\n  far: { kind: openai, zone: "
        "cloud, "
        "base_url: 'https://x/v1' }\nmodels:\n";
    std::vector<learning::Learner::Model> known;
    for (int i = 0; i < models; ++i) {
        yaml += fmt::format("  m{}: {{ provider: {}, context: 100000, price: {{ input: {}, output: 1 }} }}\n", i,
                            i % 2 == 0 ? "home" : "far", i % 7);
        known.push_back({fmt::format("m{}", i), "one", {}});
    }
    yaml +=
        "policy: { objective: { explore: 0.05 }, rules: [ { name: hard, difficulty: 50, prefer: cloud, zone_bias: 0.2 "
        "}, { "
        "name: all, prefer: best } ] }\n";
    const auto config = config::parse(yaml, {}, [](const std::string&) { return std::optional<std::string>("/"); });
    if (!config) {
        fmt::print(stderr, "{}\n", config.error().message);
        return 1;
    }
    const auto table = routing::table_of(*config);
    std::mt19937 random(1);
    auto prompt = [&] {
        // Words of a vocabulary of 5,000, as often as language has them (Zipf).
        std::string text;
        while (text.size() < bytes) {
            const double u = (random() % 1'000'000 + 1) / 1e6;
            auto word = static_cast<unsigned>(std::pow(5000.0, u));
            for (unsigned n = word * 2654435761U % 1'000'003U + 26; n > 0; n /= 26)
                text += static_cast<char>('a' + n % 26);
            text += ' ';
        }
        return text.substr(0, bytes);
    };
    learning::Learner learner;
    learner.configure(known);
    for (int i = 0; i < models; ++i) {
        std::vector<learning::Outcome> outcomes;
        for (int k = 0; k < 100; ++k)
            outcomes.push_back({fmt::format("d{}", k), fmt::format("m{}", i), "one", "feedback", "k",
                                static_cast<double>(random() % 2), 1, learning::traits_of(prompt())});
        learner.learn(std::move(outcomes));
    }
    std::vector<double> each;
    std::size_t eligible = 0;
    for (int i = 0; i < 6000; ++i) {
        chat::Request request;
        request.messages.push_back({chat::Role::user, {{chat::TextPart{prompt()}, {}}}, {}, {}});
        const auto from = std::chrono::steady_clock::now();
        routing::Inputs in;
        in.alias = "auto";
        in.features = routing::features_of(request);
        in.outlook = learner.outlook(learning::traits_of(chat::last_user_text(request)));
        in.dice = 0.5;
        const auto decision = routing::decide(table, in);
        each.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - from).count());
        eligible += decision ? decision->eligible : 0;
    }
    std::ranges::sort(each);
    fmt::print(R"({{"models":{},"prompt_bytes":{},"p50_us":{:.1f},"p99_us":{:.1f},"eligible":{}}})"
               "\n",
               models, bytes, each[each.size() / 2], each[each.size() * 99 / 100], eligible / each.size());
    return 0;
}
