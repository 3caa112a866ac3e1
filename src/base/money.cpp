#include "base/money.h"

#include <fmt/format.h>

#include <algorithm>

namespace tandem {

namespace {
constexpr int kFractionDigits = 6;
constexpr std::int64_t kMicros = 1'000'000;
constexpr std::int64_t kMaxWhole = 1'000'000'000;  // a thousand million units: far below the edge of int64 in micros
}  // namespace

Result<Money> Money::parse(std::string_view text) {
    auto bad = [&] {
        return fail(ErrorCode::invalid,
                    fmt::format("'{}' is not an amount of money; write a plain number such as 2.50", text));
    };
    std::int64_t whole = 0;
    std::int64_t fraction = 0;
    int fraction_digits = 0;
    bool point = false;
    bool any = false;
    for (char c : text) {
        if (c == '.' && !point) {
            point = true;
        } else if (c < '0' || c > '9') {
            return bad();
        } else if (!point) {
            any = true;
            whole = whole * 10 + (c - '0');
            if (whole > kMaxWhole) return bad();
        } else {
            any = true;
            if (fraction_digits == kFractionDigits) {
                if (c != '0')
                    return fail(ErrorCode::invalid, fmt::format("'{}' has more than six digits after the point", text));
                continue;
            }
            fraction = fraction * 10 + (c - '0');
            ++fraction_digits;
        }
    }
    if (!any) return bad();
    for (; fraction_digits < kFractionDigits; ++fraction_digits) fraction *= 10;
    return Money(whole * kMicros + fraction);
}

std::string Money::text() const {
    const std::uint64_t magnitude =
        micros_ < 0 ? -static_cast<std::uint64_t>(micros_) : static_cast<std::uint64_t>(micros_);
    return fmt::format("{}{}.{:06}", micros_ < 0 ? "-" : "", magnitude / kMicros, magnitude % kMicros);
}

Usage most_of(const Usage& one, const Usage& other) {
    return {std::max(one.input, other.input),   std::max(one.cached_input, other.cached_input),
            std::max(one.output, other.output), std::max(one.reasoning, other.reasoning),
            one.estimated || other.estimated,   std::max(one.cache_write, other.cache_write)};
}

}  // namespace tandem
