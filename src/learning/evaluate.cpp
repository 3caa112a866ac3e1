#include "learning/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <random>

#include "base/text.h"
#include "learning/predictor.h"

namespace tandem::learning {

namespace {

constexpr std::size_t kNeighbours = 20;
constexpr int kBins = 10;
constexpr int kCosts = 50;

// Fields of one record; `at` moves behind it. False at the end.
Result<bool> read_record(std::string_view csv, std::size_t& at, std::size_t& line, std::vector<std::string>& fields) {
    fields.clear();
    if (at >= csv.size()) return false;
    const auto first = line;
    while (true) {
        std::string field;
        if (at < csv.size() && csv[at] == '"') {
            ++at;
            while (true) {
                const auto quote = csv.find('"', at);
                if (quote == std::string_view::npos)
                    return fail(ErrorCode::invalid, fmt::format("line {}: a quote is opened and not closed", first));
                field += csv.substr(at, quote - at);
                at = quote + 1;
                if (at >= csv.size() || csv[at] != '"') break;
                field += '"';
                ++at;
            }
            line += static_cast<std::size_t>(std::ranges::count(field, '\n'));
            if (at < csv.size() && csv[at] != ',' && csv[at] != '\n' && csv[at] != '\r')
                return fail(ErrorCode::invalid, fmt::format("line {}: something stands behind a closing quote", line));
        } else {
            const auto end = std::min(csv.find_first_of(",\r\n", at), csv.size());
            field = csv.substr(at, end - at);
            at = end;
        }
        fields.push_back(std::move(field));
        if (at >= csv.size()) return true;
        if (csv[at] == ',') {
            ++at;
            continue;
        }
        if (csv[at] == '\r' && at + 1 < csv.size() && csv[at + 1] == '\n') ++at;
        ++at;
        ++line;
        return true;
    }
}

std::optional<bool> right_from(std::string_view text) {
    const auto word = lower(trim(text));
    if (word == "true" || word == "yes") return true;
    if (word == "false" || word == "no") return false;
    char* end = nullptr;
    const double number = std::strtod(word.c_str(), &end);
    if (word.empty() || end != word.c_str() + word.size() || number < 0 || number > 1) return std::nullopt;
    return number >= 0.5;
}

// What of the gap between weak and strong is recovered when the first `calls` of an order go to the strong model.
std::vector<double> recovered(const std::vector<Answered>& rows, const std::vector<std::size_t>& test,
                              const std::vector<double>& scores) {
    std::vector<std::size_t> order(test.size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::sort(order, {}, [&](std::size_t i) { return std::pair(-scores[i], i); });
    double gap = 0;
    for (const auto row : test) gap += static_cast<double>(rows[row].strong) - static_cast<double>(rows[row].weak);
    std::vector<double> curve = {0};
    double sum = 0;
    for (const auto i : order) {
        sum += static_cast<double>(rows[test[i]].strong) - static_cast<double>(rows[test[i]].weak);
        curve.push_back(gap != 0 ? sum / gap : 0);
    }
    return curve;
}

double area(const std::vector<double>& curve) {
    double sum = 0;
    for (std::size_t i = 1; i < curve.size(); ++i) sum += (curve[i] + curve[i - 1]) / 2;
    return sum / static_cast<double>(curve.size() - 1);
}

double calls_for(const std::vector<double>& curve, double share) {
    const auto found = std::ranges::find_if(curve, [&](double r) { return r >= share; });
    return static_cast<double>(found - curve.begin()) / static_cast<double>(curve.size() - 1);
}

double at_share(const std::vector<double>& curve, double share) {
    const auto i = std::clamp(share, 0.0, 1.0) * static_cast<double>(curve.size() - 1);
    return curve[static_cast<std::size_t>(std::lround(i))];
}

// Expected calibration error (Naeini et al. 2015): bins of equal width, by their sizes.
class Calibration {
  public:
    void add(double predicted, bool right) {
        auto& bin = bins_[std::min<std::size_t>(kBins - 1, static_cast<std::size_t>(predicted * kBins))];
        bin[0] += 1;
        bin[1] += predicted;
        bin[2] += right ? 1 : 0;
    }
    double error() const {
        double all = 0, sum = 0;
        for (const auto& bin : bins_) all += bin[0];
        for (const auto& bin : bins_)
            if (bin[0] > 0) sum += std::abs(bin[1] - bin[2]);
        return all > 0 ? sum / all : 0;
    }

  private:
    std::array<std::array<double, 3>, kBins> bins_{};
};

Spread spread_of(std::vector<double> values) {
    std::ranges::sort(values);
    auto at = [&](double share) {
        return values[static_cast<std::size_t>(std::lround(share * static_cast<double>(values.size() - 1)))];
    };
    return {std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size()), at(0.025),
            at(0.975)};
}

double similarity(const Traits& a, const Traits& b) {
    double sum = 0;
    for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
        if (a[i].first == b[j].first)
            sum += static_cast<double>(a[i++].second) * b[j++].second;
        else
            a[i].first < b[j].first ? ++i : ++j;
    }
    return sum;
}

// The mean gap of the nearest.
double neighbours_gap(const std::vector<Answered>& rows, const std::vector<Traits>& traits,
                      const std::vector<std::size_t>& train, std::size_t row) {
    std::vector<std::pair<double, std::size_t>> near;
    for (const auto known : train) near.emplace_back(-similarity(traits[row], traits[known]), known);
    const auto count = std::min(kNeighbours, near.size());
    std::ranges::partial_sort(near, near.begin() + static_cast<std::ptrdiff_t>(count));
    double sum = 0;
    for (std::size_t i = 0; i < count; ++i)
        sum += static_cast<double>(rows[near[i].second].strong) - static_cast<double>(rows[near[i].second].weak);
    return sum;
}

struct Numbers {
    std::vector<double> apgr, calls50, calls80;
};

}  // namespace

Result<std::vector<Answered>> read_answers(std::string_view csv) {
    csv = without_byte_order_mark(csv);
    std::size_t at = 0, line = 1;
    std::vector<std::string> header, fields;
    auto read = read_record(csv, at, line, header);
    if (!read) return fail(read.error());
    if (!*read || header.size() < 3 || header[0] != "prompt")
        return fail(ErrorCode::invalid, "line 1: expected the columns prompt, the weak model, the strong model");
    std::size_t answer = 0;
    for (std::size_t i = 3; i < header.size(); ++i)
        if (header[i] == header[1] + "_response") answer = i;
    std::vector<Answered> rows;
    while (true) {
        const auto here = line;
        read = read_record(csv, at, line, fields);
        if (!read) return fail(read.error());
        if (!*read) break;
        if (fields.size() == 1 && fields[0].empty()) continue;
        if (fields.size() != header.size())
            return fail(ErrorCode::invalid,
                        fmt::format("line {}: {} fields, and the header has {}", here, fields.size(), header.size()));
        const auto weak = right_from(fields[1]), strong = right_from(fields[2]);
        if (!weak || !strong)
            return fail(ErrorCode::invalid, fmt::format("line {}: expected true, false or a number from 0 to 1", here));
        rows.push_back({std::move(fields[0]), *weak, *strong, answer > 0 ? std::move(fields[answer]) : ""});
    }
    return rows;
}

Result<Evaluation> evaluate(const std::vector<Answered>& rows, const EvaluateSettings& settings) {
    if (rows.size() < settings.train + 50)
        return fail(ErrorCode::invalid, fmt::format("{} rows are too few to learn from {} and be tested on 50 at least",
                                                    rows.size(), settings.train));
    Evaluation result;
    result.rows = rows.size();
    for (const auto& row : rows) {
        result.weak += row.weak ? 1.0 / static_cast<double>(rows.size()) : 0;
        result.strong += row.strong ? 1.0 / static_cast<double>(rows.size()) : 0;
    }
    if (result.strong <= result.weak)
        return fail(ErrorCode::invalid,
                    "the strong model is no better than the weak one, so there is no gap to recover");
    result.cascades = settings.cascade;
    if (settings.cascade && std::ranges::all_of(rows, [](const auto& r) { return r.weak_answer.empty(); }))
        return fail(ErrorCode::invalid, "a cascade needs the weak model's answers: a column NAME_response");
    std::vector<Traits> traits, with_answer;
    for (const auto& row : rows) {
        traits.push_back(traits_of(row.prompt));
        if (settings.cascade) with_answer.push_back(traits_of(row.prompt, row.weak_answer));
    }
    std::vector<std::string> names = {"tandem", "random", "length", "kNN", "oracle"};
    if (settings.cascade) names.emplace_back("cascade");
    std::map<std::string, Numbers> numbers;
    std::vector<double> errors, gains;
    for (int repeat = 0; repeat < settings.repeats; ++repeat) {
        std::mt19937_64 random(settings.seed * 1'000'003 + static_cast<std::uint64_t>(repeat));
        std::vector<std::size_t> order(rows.size());
        std::iota(order.begin(), order.end(), 0);
        for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random() % i]);
        const std::vector<std::size_t> train(order.begin(),
                                             order.begin() + static_cast<std::ptrdiff_t>(settings.train));
        const std::vector<std::size_t> test(order.begin() + static_cast<std::ptrdiff_t>(settings.train), order.end());
        Predictor weak, strong, checked;
        for (const auto row : train) {
            weak.learn(traits[row], rows[row].weak ? 1 : 0);
            strong.learn(traits[row], rows[row].strong ? 1 : 0);
            if (settings.cascade) checked.learn(with_answer[row], rows[row].weak ? 1 : 0);
        }
        std::map<std::string, std::vector<double>> scores;
        Calibration calibration;
        for (const auto row : test) {
            scores["tandem"].push_back(strong.score(traits[row]) - weak.score(traits[row]));
            scores["random"].push_back(static_cast<double>(random() % 1'000'000));
            scores["length"].push_back(static_cast<double>(rows[row].prompt.size()));
            scores["kNN"].push_back(neighbours_gap(rows, traits, train, row));
            scores["oracle"].push_back(static_cast<double>(rows[row].strong) - static_cast<double>(rows[row].weak));
            if (settings.cascade)
                scores["cascade"].push_back(strong.score(traits[row]) - checked.score(with_answer[row]));
            calibration.add(weak.predict(traits[row]).mean, rows[row].weak);
            calibration.add(strong.predict(traits[row]).mean, rows[row].strong);
        }
        errors.push_back(calibration.error());
        std::map<std::string, std::vector<double>> curves;
        for (const auto& name : names) {
            const auto& curve = curves[name] = recovered(rows, test, scores[name]);
            numbers[name].apgr.push_back(area(curve));
            numbers[name].calls50.push_back(calls_for(curve, 0.5));
            numbers[name].calls80.push_back(calls_for(curve, 0.8));
        }
        if (!settings.cascade) continue;
        // A cascade pays for the weak call always; routing alone for one or the other.
        double sum = 0;
        for (int i = 0; i <= kCosts; ++i) {
            const double cost = 1 + (settings.strong_price - 1) * i / kCosts;
            const double routed = at_share(curves["tandem"], (cost - 1) / (settings.strong_price - 1));
            const double cascaded = at_share(curves["cascade"], (cost - 1) / settings.strong_price);
            sum += cascaded - routed;
        }
        gains.push_back(sum / (kCosts + 1));
    }
    for (const auto& name : names)
        result.routers.push_back(
            {name, spread_of(numbers[name].apgr), spread_of(numbers[name].calls50), spread_of(numbers[name].calls80)});
    result.error = spread_of(errors);
    if (settings.cascade) result.gain = spread_of(gains);
    return result;
}

}  // namespace tandem::learning
