// The four owners, and the ranges that their worlds are drawn from. README.md says why each range is what it is.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "owners/world.h"

namespace tandem::owners {

namespace {

enum Kind : std::size_t { talk, transform, facts, code, reasoning, planning, writing, tools, document };

struct Tier {
    std::vector<const char*> names;
    double least, most;  // of the difficulty at which half of the answers are good
};
const Tier kSmall{{"qwen2.5-7b-instruct", "llama-3.1-8b-instruct", "mistral-7b-instruct-v0.3"}, 36, 60};
const Tier kMedium{{"qwen2.5-14b-instruct", "qwen2.5-32b-instruct", "gemma-2-27b-it"}, 48, 76};
const Tier kMini{{"gpt-5-mini", "claude-3-5-haiku", "gemini-2.5-flash"}, 62, 88};
const Tier kStrong{{"gpt-5.1", "claude-sonnet-4-5", "gemini-2.5-pro"}, 76, 98};

TrueModel model_of(const char* id, const char* provider, const Tier& tier, Dice& dice) {
    TrueModel model;
    model.id = id;
    model.provider = provider;
    model.name = tier.names[static_cast<std::size_t>(dice.whole(0, static_cast<int>(tier.names.size()) - 1))];
    const double centre = dice.uniform(tier.least, tier.most), high = dice.uniform(0.9, 0.985);
    for (std::size_t kind = 0; kind < kKinds; ++kind) {
        auto& curve = model.curve[kind];
        curve.high = high;
        curve.low = dice.uniform(0.01, 0.12);
        curve.centre = centre + dice.normal(0, 7);
        curve.width = dice.uniform(45, 75);
        model.wordy[kind] = dice.lognormal(1, 0.25);
    }
    model.per_doubling = dice.uniform(0, 6);
    model.on_probes = dice.normal(0, 0.05);
    return model;
}

TrueModel at_home(const char* id, const char* provider, bool medium, Dice& dice) {
    auto model = model_of(id, provider, medium ? kMedium : kSmall, dice);
    model.local = true;
    model.start_ms = dice.uniform(30, 200);
    model.input_per_ms = medium ? dice.scale(0.3, 1.5) : dice.scale(0.8, 4);
    model.output_per_ms = medium ? dice.scale(0.012, 0.04) : dice.scale(0.03, 0.09);
    model.jitter = 0.08;
    model.slowed = dice.uniform(0.05, 0.3);
    model.slots = dice.whole(1, 4);
    model.fails = dice.scale(0.0005, 0.005);
    model.context = dice.chance(0.5) ? 16384 : 32768;
    return model;
}

TrueModel in_cloud(const char* id, const char* provider, bool strong, Dice& dice) {
    auto model = model_of(id, provider, strong ? kStrong : kMini, dice);
    model.input_price = std::round(100 * (strong ? dice.scale(1.25, 5) : dice.scale(0.1, 1))) / 100;
    model.cached_price = std::round(1000 * model.input_price * (dice.chance(0.5) ? 0.1 : 0.25)) / 1000;
    model.output_price = std::round(100 * model.input_price * dice.uniform(4, 8)) / 100;
    if (strong)  // its thoughts are part of what it answers
        for (auto& wordy : model.wordy) wordy *= dice.uniform(1, 2.5);
    model.start_ms = dice.uniform(300, 1500);
    model.input_per_ms = dice.uniform(5, 30);
    model.output_per_ms = strong ? dice.uniform(0.04, 0.1) : dice.uniform(0.08, 0.2);
    model.jitter = 0.35;
    model.fails = dice.scale(0.0005, 0.01);
    model.context = strong ? 400'000 : 200'000;
    return model;
}

Stream stream_of(const char* name, Kind kind, double requests, Stream::Day day, double difficulty, double tokens,
                 double output, Dice& dice) {
    Stream stream;
    stream.name = name;
    stream.kind = kind;
    stream.requests_a_day = requests * dice.lognormal(1, 0.3);
    stream.day = day;
    stream.difficulty = difficulty + dice.normal(0, 7);
    stream.spread = dice.uniform(8, 16);
    stream.tokens = tokens * dice.lognormal(1, 0.3);
    stream.output = output * dice.lognormal(1, 0.3);
    stream.told_rightly = dice.uniform(0.72, 0.98);
    do stream.taken_for = static_cast<std::size_t>(dice.whole(0, 8));
    while (stream.taken_for == kind || stream.taken_for == tools);
    stream.misjudged = dice.normal(0, 5);
    return stream;
}

Stream& chatting(Stream& stream, int most, Dice& dice) {
    stream.most_turns = most;
    stream.think_ms = dice.scale(25'000, 120'000);
    stream.grows = 500;
    return stream;
}

Stream& looping(Stream& stream, int least, int most, Dice& dice) {
    stream.least_turns = least;
    stream.most_turns = most;
    stream.think_ms = dice.scale(1'500, 9'000);
    stream.grows = dice.scale(400, 2'000);
    stream.person = false;
    stream.tools = true;
    return stream;
}

Stream& batch(Stream& stream, int at_once) {
    stream.at_once = at_once;
    stream.person = false;
    stream.repeats = true;
    return stream;
}

void individual(World& world, Dice& dice) {
    using Day = Stream::Day;
    auto& s = world.streams;
    s.push_back(stream_of("questions", facts, 12, Day::evening, 30, 400, 350, dice));
    chatting(s.back(), 5, dice).projects = 0.5;
    s.push_back(stream_of("programming", code, 16, Day::evening, 48, 2500, 700, dice));
    chatting(s.back(), 8, dice).projects = 1;
    s.push_back(stream_of("agent", tools, 20, Day::evening, 45, 6000, 250, dice));
    looping(s.back(), 5, 25, dice).projects = 1;
    s.push_back(stream_of("notes", transform, 6, Day::evening, 26, 900, 200, dice));
    if (dice.chance(0.5)) s.back().private_share = dice.uniform(0.3, 1);
    s.push_back(stream_of("tidying", transform, 8, Day::night, 24, 1200, 150, dice));
    batch(s.back(), 12).projects = 1;
    for (auto& stream : s) stream.high_share = 0.03;
    world.value = dice.scale(0.02, 0.3);
    world.week_sigma = dice.uniform(0.3, 0.5);
    world.day_sigma = dice.uniform(0.5, 0.8);
    world.house.hour_rate = dice.chance(0.5) ? 0 : std::round(dice.uniform(10, 40));
    world.house.hours = dice.uniform(0.3, 2.5);
    world.house.price = dice.uniform(700, 2500);
}

void office(World& world, Dice& dice) {
    using Day = Stream::Day;
    auto& s = world.streams;
    s.push_back(stream_of("letters", writing, 35, Day::office, 36, 700, 450, dice));
    chatting(s.back(), 3, dice);
    s.push_back(stream_of("summaries", transform, 40, Day::office, 28, 2500, 250, dice));
    s.push_back(stream_of("sorting", transform, 60, Day::night, 20, 600, 40, dice));
    batch(s.back(), 20).key = "jobs";
    s.push_back(stream_of("questions", facts, 35, Day::office, 34, 350, 300, dice));
    chatting(s.back(), 4, dice);
    s.push_back(stream_of("analysis", planning, 12, Day::office, 55, 3000, 900, dice));
    chatting(s.back(), 4, dice).high_share = dice.uniform(0, 0.4);
    s.push_back(stream_of("contracts", document, 8, Day::office, 50, 24'000, 600, dice));
    s.back().private_share = dice.chance(0.3) ? dice.uniform(0.1, 0.5) : 0;
    s.push_back(stream_of("scans", transform, 8, Day::office, 32, 1500, 200, dice));
    s.back().vision = dice.chance(0.5);
    for (auto& stream : s) stream.internal_share = dice.uniform(0.2, 0.6);
    world.value = dice.scale(0.05, 0.5);
    world.week_sigma = dice.uniform(0.05, 0.15);
    world.day_sigma = dice.uniform(0.1, 0.2);
    world.house.hour_rate = std::round(dice.uniform(30, 80));
    world.house.hours = dice.uniform(0.5, 4);
    world.house.price = dice.uniform(2000, 6000);
}

void clinic(World& world, Dice& dice) {
    using Day = Stream::Day;
    auto& s = world.streams;
    s.push_back(stream_of("findings", writing, 40, Day::office, 38, 1200, 450, dice));
    s.push_back(stream_of("coding", transform, 50, Day::night, 34, 1500, 120, dice));
    batch(s.back(), 15).key = "jobs";
    s.push_back(stream_of("records", document, 10, Day::office, 48, 9000, 500, dice));
    for (auto& stream : s) stream.private_share = dice.uniform(0.8, 1);
    s.push_back(stream_of("questions", facts, 30, Day::office, 42, 400, 350, dice));
    chatting(s.back(), 4, dice).private_share = dice.uniform(0.1, 0.5);
    s.push_back(stream_of("reasoning", reasoning, 10, Day::office, 60, 1500, 800, dice));
    s.back().private_share = dice.uniform(0, 0.3);
    s.back().high_share = dice.uniform(0.1, 0.5);
    s.push_back(stream_of("rota", planning, 6, Day::office, 46, 1500, 500, dice));
    for (auto& stream : s) stream.internal_share = (1 - stream.private_share) * dice.uniform(0.3, 0.9);
    world.value = dice.scale(0.1, 1);
    world.week_sigma = dice.uniform(0.05, 0.15);
    world.day_sigma = dice.uniform(0.1, 0.2);
    world.house.hour_rate = std::round(dice.uniform(40, 100));
    world.house.hours = dice.uniform(0.5, 4);
    world.house.price = dice.uniform(2500, 8000);
}

void agents(World& world, Dice& dice) {
    using Day = Stream::Day;
    auto& s = world.streams;
    s.push_back(stream_of("coding agents", tools, 130, Day::always, 46, 6000, 250, dice));
    looping(s.back(), 6, 30, dice).projects = 0.4;
    s.push_back(stream_of("support agents", tools, 70, Day::always, 34, 2500, 180, dice));
    looping(s.back(), 3, 10, dice).internal_share = dice.uniform(0, 0.5);
    s.push_back(stream_of("reviews", code, 25, Day::office, 52, 6000, 500, dice));
    s.back().person = false;
    s.push_back(stream_of("triage", transform, 50, Day::always, 24, 900, 60, dice));
    batch(s.back(), 6);
    s.push_back(stream_of("plans", planning, 8, Day::office, 58, 3000, 1000, dice));
    chatting(s.back(), 4, dice).high_share = dice.uniform(0, 0.4);
    s.push_back(stream_of("questions", facts, 15, Day::office, 38, 500, 350, dice));
    chatting(s.back(), 4, dice);
    for (auto& stream : s)
        if (!stream.person) stream.key = "agents";
    world.value = dice.scale(0.02, 0.2);
    world.week_sigma = dice.uniform(0.15, 0.3);
    world.day_sigma = dice.uniform(0.2, 0.4);
    world.house.hour_rate = std::round(dice.uniform(40, 100));
    world.house.hours = dice.uniform(0.5, 5);
    world.house.price = dice.uniform(2000, 9000);
}

void feedback(World& world, Dice& dice) {
    auto& f = world.feedback;
    f.says = dice.scale(0.005, 0.06);
    f.says_more_of_bad = dice.uniform(1, 2);
    f.mistaken = dice.uniform(0.02, 0.1);
    f.again_bad = dice.uniform(0.03, 0.12);
    f.again_good = dice.uniform(0.005, 0.02);
    f.disputes_bad = dice.uniform(0.05, 0.25);
    f.disputes_good = dice.uniform(0.002, 0.01);
    f.goes_on_good = dice.uniform(0.6, 0.9);
    f.goes_on_bad = dice.uniform(0.4, 0.8);
    f.fault_seen = dice.uniform(0.01, 0.08);
    f.probes = dice.chance(0.6) ? dice.whole(10, 60) : 0;
}

void house(World& world, Dice& dice) {
    auto& h = world.house;
    h.there = true;
    h.price = std::round(h.price);
    h.residual = std::round(h.price * dice.uniform(0.1, 0.25));
    h.life_months = 12 * dice.whole(3, 5);
    h.age_months = dice.whole(2, 18);
    h.idle_watts = std::round(dice.uniform(25, 90));
    h.busy_watts = std::round(h.idle_watts + dice.uniform(120, 380));
    h.true_draw = dice.uniform(0.85, 1.15);
    h.tariff = std::round(100 * dice.uniform(0.15, 0.4)) / 100;
    h.measured = dice.chance(0.4);
    h.hours_without = dice.uniform(0, 0.25);
    h.noted = dice.uniform(0.6, 1);
}

void models(World& world, Dice& dice) {
    const bool one_small = world.owner == Owner::individual && dice.chance(0.5);
    world.models.push_back(at_home(one_small ? "small" : "medium", "lab", !one_small, dice));
    if (world.owner != Owner::individual && dice.chance(0.5))
        world.models.push_back(at_home("small", "lab2", false, dice));
    const bool one = world.owner == Owner::clinic && dice.chance(0.4);
    const bool strong = one && dice.chance(0.5);
    if (!one || !strong) world.models.push_back(in_cloud("mini", "far", false, dice));
    if (!one || strong) world.models.push_back(in_cloud("strong", "far2", true, dice));
}

// Some clients name a zone, and go on doing so.
void aliases(World& world, Dice& dice) {
    for (auto& stream : world.streams) {
        const bool names_one = dice.chance(0.1);
        if (names_one && !stream.vision)
            stream.alias = dice.chance(0.5) || stream.private_share > 0 ? "local" : "cloud";
    }
}

// The day on which a month of age began, as YAML.
std::string bought(int age_months) {
    const int month = 2026 * 12 + 9 - age_months;  // from October 2026
    return fmt::format("{:04}-{:02}-15", month / 12, month % 12 + 1);
}

std::string yaml_of(const World& world) {
    std::string out = "currency: USD\nproviders:\n";
    for (const auto& m : world.models)
        out += m.local ? fmt::format(
                             "  {}: {{ kind: openai, zone: local, base_url: http://127.0.0.1:8080/v1, "
                             "concurrency: {} }}\n",
                             m.provider, m.slots)
                       : fmt::format(
                             "  {}: {{ kind: openai, zone: cloud, base_url: https://{}.example/v1, api_key: "
                             "sk-0123456789 }}\n",
                             m.provider, m.provider);
    out += "models:\n";
    for (const auto& m : world.models) {
        out += fmt::format("  {}: {{ provider: {}, name: {}, context: {}, capabilities: [tools, json{}]", m.id,
                           m.provider, m.name, m.context, m.local ? "" : ", vision");
        if (!m.local)
            out += fmt::format(", price: {{ input: {:.2f}, cached_input: {:.3f}, output: {:.2f} }}", m.input_price,
                               m.cached_price, m.output_price);
        out += " }\n";
    }
    const auto& h = world.house;
    out += fmt::format(
        "hardware:\n  box: {{ price: {:.0f}, bought: {}, life: {} months, residual: {:.0f}, idle_watts: "
        "{:.0f}, busy_watts: {:.0f}",
        h.price, bought(h.age_months), h.life_months, h.residual, h.idle_watts, h.busy_watts);
    if (h.measured) out += ", measure: { source: shelly, url: http://127.0.0.1:8081 }";
    out += fmt::format(" }}\nenergy: {{ tariff: {:.2f} }}\n", h.tariff);
    if (h.hour_rate > 0) out += fmt::format("hours: {{ rate: {:.0f} }}\n", h.hour_rate);
    out += fmt::format("policy:\n  preset: {}\n  objective: {{ value: {:.4f}", world.preset, world.value);
    if (world.second > 0) out += fmt::format(", second: {:.6f}", world.second);
    if (world.explore > 0) out += fmt::format(", explore: {:.2f}", world.explore);
    out += " }\nprivacy: { clearance: { local: secret, cloud: internal } }\nkeys:\n";
    for (const auto* key : {"desk", "jobs", "agents"})
        if (std::ranges::find(world.streams, key, &Stream::key) != world.streams.end())
            out += fmt::format("  {}: {{ secret: {}-0123456789abcdef }}\n", key, key);
    return out;
}

}  // namespace

World world_of(Owner owner, std::uint64_t seed) {
    Dice dice(0x9E3779B97F4A7C15ULL * (seed + 1) + static_cast<std::uint64_t>(owner));
    World world;
    world.owner = owner;
    world.seed = seed;
    switch (owner) {
        case Owner::individual:
            individual(world, dice);
            break;
        case Owner::office:
            office(world, dice);
            break;
        case Owner::clinic:
            clinic(world, dice);
            break;
        case Owner::agents:
            agents(world, dice);
            break;
    }
    world.value = std::round(1e4 * world.value) / 1e4;
    // A second of a person is worth more than one of a job; a third of owners says nothing of it.
    if (dice.chance(0.67)) world.second = std::round(1e6 * world.value * dice.scale(0.0005, 0.01)) / 1e6;
    const double preset = dice.uniform();
    world.preset = preset < 0.6 ? "hybrid" : preset < 0.8 ? "learned" : preset < 0.9 ? "local-first" : "cloud-first";
    if (dice.chance(0.4)) world.explore = std::round(100 * dice.uniform(0.02, 0.06)) / 100;
    models(world, dice);
    feedback(world, dice);
    aliases(world, dice);
    house(world, dice);
    world.yaml = yaml_of(world);
    return world;
}

}  // namespace tandem::owners
