#include "learning/predictor.h"

#include <algorithm>
#include <cmath>

namespace tandem::learning {

namespace {

constexpr double kRidge = 10;  // how much smaller coefficients are preferred
constexpr int kSweeps = 2;     // over all examples, for each new one
constexpr int kSettling = 20;  // over all, for many new ones
constexpr double kLeastVariance = 0.02;

double dot(const std::vector<float>& coefficients, const Traits& traits) {
    double sum = 0;
    for (const auto& [index, value] : traits) sum += static_cast<double>(coefficients[index]) * value;
    return sum;
}

}  // namespace

double Learned::score(const Traits& traits) const {
    return bias + dot(coefficients, traits);
}

float Learned::doubt_of(std::size_t trait) const {
    return 1 / (static_cast<float>(kRidge) + information[trait]);
}

Estimate Learned::predict(const Traits& traits) const {
    double mean = bias, spread = 1 / (weight + prior_weight);
    for (const auto& [index, value] : traits) {
        mean += static_cast<double>(coefficients[index]) * value;
        spread += static_cast<double>(value) * value / (kRidge + static_cast<double>(information[index]));
    }
    return {std::clamp(mean, 0.0, 1.0), std::sqrt(noise * spread)};
}

Predictor::Predictor(double prior, double prior_weight, std::size_t most_bytes)
    : prior_(prior),
      prior_weight_(prior_weight),
      most_bytes_(most_bytes),
      learned_{std::vector<float>(kAllTraits), std::vector<float>(kAllTraits), prior, 0, 0, prior_weight} {
    note_noise();
}

void Predictor::note_noise() {
    learned_.noise = std::max(kLeastVariance, (errors_ + prior_weight_ / 4) / (learned_.weight + prior_weight_));
}

// What it has given is taken back.
void Predictor::drop_oldest() {
    const auto& oldest = examples_.front();
    for (const auto& [index, value] : oldest.traits) {
        learned_.coefficients[index] -= static_cast<float>(oldest.share * value);
        auto& information = learned_.information[index];
        information = std::max(0.0F, information - static_cast<float>(oldest.weight * value * value));
    }
    errors_ *= std::max(0.0, 1 - oldest.weight / learned_.weight);
    learned_.weight = std::max(0.0, learned_.weight - oldest.weight);
    bytes_ -= bytes_of(oldest.traits);
    examples_.pop_front();
}

double Predictor::missed(const Traits& traits, double outcome, double expected) const {
    const double missed = outcome - std::clamp(expected + score(traits), 0.0, 1.0);
    return missed * missed;
}

void Predictor::add(Traits traits, double outcome, double weight, double expected) {
    errors_ += weight * missed(traits, outcome, expected);
    learned_.weight += weight;
    double square = 0;
    for (const auto& [index, value] : traits) {
        square += static_cast<double>(value) * value;
        learned_.information[index] += static_cast<float>(weight * value * value);
    }
    while (!examples_.empty() && (examples_.size() == kMostExamples || bytes_ + bytes_of(traits) > most_bytes_))
        drop_oldest();
    traits.shrink_to_fit();
    bytes_ += bytes_of(traits);
    examples_.push_back({std::move(traits), outcome, weight, expected, square});
}

void Predictor::learn(Traits traits, double outcome, double weight, double expected) {
    add(std::move(traits), outcome, weight, expected);
    for (int i = 0; i < kSweeps; ++i) sweep();
    note_noise();
}

void Predictor::settle() {
    for (int i = 0; i < kSettling; ++i) sweep();
    // What was wrong before anything was learned says nothing of what is explained now.
    errors_ = 0;
    for (const auto& example : examples_)
        errors_ += example.weight * missed(example.traits, example.outcome, example.expected);
    note_noise();
}

// Each example's share is set to what is best with all others as they are: for the objective
// sum of weight (outcome - expected - bias - w x)^2 + ridge w^2 with w = sum of share x,
// ridge share = weight (outcome - expected - bias - w x).
void Predictor::sweep() {
    double rest = prior_weight_ * (prior_ - learned_.bias);
    for (auto& example : examples_) {
        const double missed =
            example.outcome - example.expected - learned_.bias - dot(learned_.coefficients, example.traits);
        const double step =
            (example.weight * missed - kRidge * example.share) / (kRidge + example.weight * example.square);
        example.share += step;
        for (const auto& [index, value] : example.traits)
            learned_.coefficients[index] += static_cast<float>(step * value);
        rest += example.weight * (missed - step * example.square);
    }
    learned_.bias += rest / (learned_.weight + prior_weight_);
}

}  // namespace tandem::learning
