#include "routing/predictor.h"

#include <algorithm>
#include <cmath>

namespace tandem::routing {

namespace {

constexpr double kRidge = 10;  // how much smaller coefficients are preferred
constexpr int kSweeps = 2;     // over all examples, for each new one
constexpr double kLeastVariance = 0.02;

double dot(const std::vector<float>& coefficients, const Traits& traits) {
    double sum = 0;
    for (const auto& [index, value] : traits) sum += static_cast<double>(coefficients[index]) * value;
    return sum;
}

}  // namespace

Predictor::Predictor(double prior, double prior_weight)
    : prior_(prior), prior_weight_(prior_weight), coefficients_(kAllTraits), information_(kAllTraits), bias_(prior) {}

double Predictor::score(const Traits& traits) const {
    return bias_ + dot(coefficients_, traits);
}

Predictor::Estimate Predictor::predict(const Traits& traits) const {
    const double noise = std::max(kLeastVariance, (errors_ + prior_weight_ / 4) / (weight_ + prior_weight_));
    double spread = 1 / (weight_ + prior_weight_);
    for (const auto& [index, value] : traits)
        spread += static_cast<double>(value) * value / (kRidge + static_cast<double>(information_[index]));
    return {std::clamp(score(traits), 0.0, 1.0), std::sqrt(noise * spread)};
}

void Predictor::learn(Traits traits, double outcome, double weight) {
    const double missed = outcome - std::clamp(score(traits), 0.0, 1.0);
    errors_ += weight * missed * missed;
    weight_ += weight;
    double square = 0;
    for (const auto& [index, value] : traits) {
        square += static_cast<double>(value) * value;
        information_[index] += static_cast<float>(weight * value * value);
    }
    if (examples_.size() == kMostExamples) {
        // What it has given is taken back.
        const auto& oldest = examples_.front();
        for (const auto& [index, value] : oldest.traits) {
            coefficients_[index] -= static_cast<float>(oldest.share * value);
            information_[index] =
                std::max(0.0F, information_[index] - static_cast<float>(oldest.weight * value * value));
        }
        errors_ *= 1 - oldest.weight / weight_;
        weight_ -= oldest.weight;
        examples_.pop_front();
    }
    examples_.push_back({std::move(traits), outcome, weight, square});
    for (int i = 0; i < kSweeps; ++i) sweep();
}

// Each example's share is set to what is best with all others as they are: for the objective
// sum of weight (outcome - bias - w x)^2 + ridge w^2 with w = sum of share x, ridge share = weight (outcome - bias - w
// x).
void Predictor::sweep() {
    double rest = prior_weight_ * (prior_ - bias_);
    for (auto& example : examples_) {
        const double missed = example.outcome - bias_ - dot(coefficients_, example.traits);
        const double step =
            (example.weight * missed - kRidge * example.share) / (kRidge + example.weight * example.square);
        example.share += step;
        for (const auto& [index, value] : example.traits) coefficients_[index] += static_cast<float>(step * value);
        rest += example.weight * (missed - step * example.square);
    }
    bias_ += rest / (weight_ + prior_weight_);
}

}  // namespace tandem::routing
