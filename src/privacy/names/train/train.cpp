// Learns weights.h from annotated text: an averaged structured perceptron over features.h, cut to a table of a fixed
// size.
//
//   train OUT.h SLOTS EPOCHS COST FILE[*WEIGHT]... [--dev FILE...]
//
// FILE: lines as prepare.py writes them; read WEIGHT times in an epoch. COST: how much a missed name costs beside a
// false one (loss-augmented training). --dev: measured, not learned from.
#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <random>
#include <string>
#include <unordered_map>

#include "privacy/names/model.h"

using namespace tandem::privacy;

namespace {

constexpr std::uint8_t kUnknown = 255;  // annotated as something that is not learned

struct Span {
    std::size_t begin, end;
    std::uint8_t tag;
};
struct Text {
    std::string text;
    std::vector<Span> spans;
};

std::vector<Text> read(const std::string& path) {
    std::vector<Text> texts;
    std::ifstream in(path);
    if (!in) fmt::print(stderr, "cannot read {}\n", path);
    const std::map<std::string, std::uint8_t> tags = {
        {"PER", kPerson}, {"ORG", kOrganization}, {"LOC", kPlace}, {"ADR", kAddress}, {"X", kUnknown}};
    for (std::string line; std::getline(in, line);) {
        Text text;
        std::size_t i = 0;
        for (; i < line.size() && line[i] != '\t'; ++i) {
            if (line[i] == '\\' && i + 1 < line.size()) {
                ++i;
                text.text += line[i] == 'n' ? '\n' : line[i];
            } else {
                text.text += line[i];
            }
        }
        std::size_t at = i + 1;
        while (at < line.size()) {
            unsigned long begin = 0, end = 0;
            char kind[8] = {};
            if (std::sscanf(line.c_str() + at, "%lu,%lu,%7[A-Z]", &begin, &end, kind) == 3)
                text.spans.push_back({begin, end, tags.at(kind)});
            at = line.find(' ', at);
            if (at == std::string::npos) break;
            ++at;
        }
        texts.push_back(std::move(text));
    }
    return texts;
}

struct Example {
    std::vector<std::array<std::uint32_t, kFeatures>> features;
    std::vector<std::uint8_t> gold;
};

// 0 is the feature that nothing knows.
struct Dictionary {
    std::unordered_map<std::uint64_t, std::uint32_t> ids;
    std::vector<std::uint64_t> hashes = {0};
    std::vector<std::uint32_t> counts = {0};
};

void each_zone(const std::string& text, auto&& visit) {
    std::vector<Token> tokens;
    std::vector<Zone> zones;
    for (std::size_t at = 0; at < text.size();) {
        tokens.clear();
        zones.clear();
        at = read_tokens(text, at, tokens);
        find_zones(tokens, zones);
        for (const Zone& zone : zones) visit(tokens, zone);
    }
}

class Trainer {
  public:
    void add(const Text& text, unsigned weight) {
        each_zone(text.text, [&](const std::vector<Token>& tokens, const Zone& zone) {
            Example example;
            Sentence sentence(tokens);
            for (std::size_t i = zone.begin; i < zone.end; ++i) {
                std::array<std::uint32_t, kFeatures> ids{};
                const auto features = sentence.features(i);
                for (std::size_t f = 0; f < kFeatures; ++f) {
                    auto [entry, fresh] =
                        dictionary_.ids.try_emplace(features[f], static_cast<std::uint32_t>(dictionary_.hashes.size()));
                    if (fresh) {
                        dictionary_.hashes.push_back(features[f]);
                        dictionary_.counts.push_back(0);
                    }
                    ids[f] = entry->second;
                    ++dictionary_.counts[ids[f]];
                }
                example.features.push_back(ids);
                std::uint8_t gold = kNoName;
                for (const Span& span : text.spans)
                    if (span.begin < tokens[i].end && span.end > tokens[i].begin) gold = span.tag;
                example.gold.push_back(gold);
            }
            for (unsigned w = 0; w < weight; ++w) order_.push_back(examples_.size());
            examples_.push_back(std::move(example));
        });
    }

    void learn(unsigned epochs, float cost, std::uint32_t least) {
        const std::size_t n = dictionary_.hashes.size();
        now_.assign(n * kTags, 0);
        sum_.assign(n * kTags, 0);
        for (auto& example : examples_)
            for (auto& ids : example.features)
                for (auto& id : ids)
                    if (dictionary_.counts[id] < least || (!kept_.empty() && !kept_[id])) id = 0;
        std::mt19937 random(1);
        steps_ = 0;
        transitions_now_ = transitions_sum_ = {};
        for (unsigned epoch = 0; epoch < epochs; ++epoch) {
            std::ranges::shuffle(order_, random);
            std::size_t wrong = 0;
            for (const std::size_t which : order_) wrong += step(examples_[which], cost);
            fmt::print("epoch {}: {} of {} zones wrong\n", epoch + 1, wrong, order_.size());
            std::fflush(stdout);
        }
    }

    // The weights' averages; the strongest features that find room in the table, and learn() again with these alone.
    void choose(std::size_t slots) {
        const std::size_t n = dictionary_.hashes.size();
        std::vector<std::pair<float, std::uint32_t>> strong;
        for (std::uint32_t id = 1; id < n; ++id) {
            float norm = 0;
            for (std::size_t t = 0; t < kTags; ++t) norm = std::max(norm, std::abs(average(id, t)));
            if (norm > 0) strong.emplace_back(norm * std::pow(static_cast<float>(dictionary_.counts[id]), 0.3F), id);
        }
        std::ranges::sort(strong, std::greater{});
        kept_.assign(n, false);
        std::vector<std::uint8_t> full(slots / 2);
        std::size_t count = 0;
        for (const auto& [norm, id] : strong) {
            auto& used = full[dictionary_.hashes[id] & (slots / 2 - 1)];
            if (used == 2) continue;
            ++used;
            ++count;
            kept_[id] = true;
        }
        fmt::print("{} features, {} with weights, {} kept\n", n, strong.size(), count);
    }

    void write(const std::string& path, std::size_t slots) {
        std::vector<std::uint64_t> rows(slots);
        std::vector<float> sizes;
        for (std::uint32_t id = 1; id < kept_.size(); ++id)
            if (kept_[id])
                for (std::size_t t = 0; t < kTags; ++t) sizes.push_back(std::abs(average(id, t)));
        std::ranges::sort(sizes);
        const float scale = 127.0F / sizes[sizes.size() * 9995 / 10000];
        for (std::uint32_t id = 1; id < kept_.size(); ++id) {
            if (!kept_[id]) continue;
            const std::uint64_t hash = dictionary_.hashes[id];
            std::uint64_t row = hash >> 48U << 48U;
            for (std::size_t t = 0; t < kTags; ++t) {
                const auto w = static_cast<std::int8_t>(std::clamp(std::lround(average(id, t) * scale), -127L, 127L));
                row |= static_cast<std::uint64_t>(w + 128) << (8 * t);
            }
            row |= std::uint64_t{1} << (8 * kTags);
            std::size_t slot = (hash & (slots / 2 - 1)) * 2;
            if (rows[slot] != 0) ++slot;
            rows[slot] = row;
        }
        std::ofstream out(path);
        out << "// Written by train/train.cpp; not to be edited. Private to model.cpp.\n#pragma once\n\n#include "
               "<cstdint>\n\n"
               "#include \"privacy/names/model.h\"\n\nnamespace tandem::privacy {\n\nconstexpr Transitions "
               "kTransitions = {{\n";
        for (const auto& from : transitions_sum_) {
            out << "    {";
            for (std::size_t t = 0; t < kTags; ++t)
                out << std::lround(static_cast<float>(from[t]) / static_cast<float>(steps_) * scale)
                    << (t + 1 < kTags ? ", " : "},\n");
        }
        out << "}};\n\nconstexpr std::uint64_t kWeights[] = {\n";
        for (std::size_t i = 0; i < slots; ++i)
            out << (i % 5 == 0 ? "    " : " ") << fmt::format("0x{:x}U,", rows[i])
                << (i % 5 == 4 || i + 1 == slots ? "\n" : "");
        out << "};\n\n}  // namespace tandem::privacy\n";
    }

  private:
    float average(std::uint32_t id, std::size_t tag) const {
        return static_cast<float>(now_[id * kTags + tag] - sum_[id * kTags + tag] / static_cast<double>(steps_ + 1));
    }

    bool step(const Example& example, float cost) {
        ++steps_;
        const std::size_t n = example.gold.size();
        fits_.assign(n, Fit{});
        constexpr float kUnit = 64;  // of the fits, which are whole numbers
        for (std::size_t i = 0; i < n; ++i) {
            std::array<float, kTags> sums{};
            for (const auto id : example.features[i])
                for (std::size_t t = 0; t < kTags; ++t) sums[t] += now_[id * kTags + t];
            for (std::size_t t = 0; t < kTags; ++t) {
                const auto gold = example.gold[i];
                float extra = 0;  // a wrong tag has to lose by this much
                if (gold != kUnknown && t != gold) extra = gold != kNoName && t == kNoName ? cost : 1;
                fits_[i][t] = static_cast<std::int32_t>((sums[t] + extra) * kUnit);
            }
        }
        Transitions transitions;
        for (std::size_t a = 0; a <= kTags; ++a)
            for (std::size_t b = 0; b < kTags; ++b)
                transitions[a][b] = static_cast<std::int32_t>(static_cast<float>(transitions_now_[a][b]) * kUnit);
        best_tags(fits_, transitions, tags_);
        bool wrong = false;
        std::size_t last_gold = kTags, last_best = kTags;
        for (std::size_t i = 0; i < n; ++i) {
            const std::size_t best = tags_[i], gold = example.gold[i] == kUnknown ? best : example.gold[i];
            if (gold != best) {
                wrong = true;
                for (const auto id : example.features[i]) {
                    if (id == 0) continue;
                    move(id, gold, 1);
                    move(id, best, -1);
                }
            }
            if (gold != best || last_gold != last_best) {
                transitions_now_[last_gold][gold] += 1;
                transitions_now_[last_best][best] -= 1;
            }
            last_gold = gold;
            last_best = best;
        }
        for (std::size_t a = 0; a <= kTags; ++a)
            for (std::size_t b = 0; b < kTags; ++b) transitions_sum_[a][b] += transitions_now_[a][b];
        return wrong;
    }

    void move(std::uint32_t id, std::size_t tag, float by) {
        now_[id * kTags + tag] += by * kRate;
        sum_[id * kTags + tag] += static_cast<double>(by * kRate) * static_cast<double>(steps_);
    }

    static constexpr float kRate = 0.1F;  // features share a margin of 1

    Dictionary dictionary_;
    std::vector<Example> examples_;
    std::vector<std::size_t> order_;
    std::vector<float> now_;
    std::vector<double> sum_;
    std::vector<bool> kept_;
    std::size_t steps_ = 0;
    std::array<std::array<double, kTags>, kTags + 1> transitions_now_{}, transitions_sum_{};
    std::vector<Fit> fits_;
    std::vector<Tag> tags_;
};

}  // namespace

int main(int count, char** values) {
    if (count < 6) return fmt::print(stderr, "train OUT.h SLOTS EPOCHS COST FILE[*WEIGHT]...\n"), 2;
    const std::size_t slots = std::stoul(values[2]);
    const auto epochs = static_cast<unsigned>(std::stoul(values[3]));
    const float cost = std::stof(values[4]);
    Trainer trainer;
    for (int i = 5; i < count; ++i) {
        std::string path = values[i];
        unsigned weight = 1;
        if (const auto star = path.find('*'); star != std::string::npos) {
            weight = static_cast<unsigned>(std::stoul(path.substr(star + 1)));
            path.resize(star);
        }
        for (const auto& text : read(path)) trainer.add(text, weight);
    }
    trainer.learn(epochs, cost, 2);
    trainer.choose(slots);
    trainer.learn(epochs, cost, 2);
    trainer.write(values[1], slots);
}
