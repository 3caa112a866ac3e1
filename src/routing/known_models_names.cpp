// How a model's name is read: its pieces, its size, its quantization.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "routing/known_models.h"
#include "routing/known_models_table.h"

namespace tandem::routing {

namespace {

constexpr std::size_t kLooked = 512;  // of a name; servers list no longer ones

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_letter(char c) {
    return c >= 'a' && c <= 'z';
}
bool is_word(char c) {
    return is_digit(c) || is_letter(c);
}

std::string lowered(std::string_view name) {
    std::string low(name.substr(0, kLooked));
    for (auto& c : low)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    return low;
}

std::size_t digits_from(std::string_view text, std::size_t at) {
    while (at < text.size() && is_digit(text[at])) ++at;
    return at;
}

// The end of a number with at most one point; "2p5" is 2.5, as some hosts write it.
std::size_t number_from(std::string_view text, std::size_t at) {
    const auto end = digits_from(text, at);
    if (end == at || end + 1 >= text.size() || (text[end] != '.' && text[end] != 'p') || !is_digit(text[end + 1]))
        return end;
    return digits_from(text, end + 1);
}

double number_of(std::string_view text) {
    std::string plain(text);
    std::ranges::replace(plain, 'p', '.');
    double value = 0;
    std::from_chars(plain.data(), plain.data() + plain.size(), value);
    return value;
}

// Digits and letters by turns are an identifier ("sha256-74a4da8c9fdbcd15b"), not a name before a size ("codellama7b").
bool in_identifier(std::string_view text, std::size_t at) {
    while (at > 0 && is_letter(text[at - 1])) --at;
    return at > 0 && is_digit(text[at - 1]);
}

// The end of a size that begins at `at`: "7b", "1.5b", "8x7b", "135m", "1t"; `at` where there is none. Fewer than ten
// millions are a context ("1m").
std::size_t size_from(std::string_view text, std::size_t at) {
    if (in_identifier(text, at)) return at;
    auto end = number_from(text, at);
    if (end == at || end >= text.size()) return at;
    if (text[end] == 'x' && number_from(text, end + 1) > end + 1) end = number_from(text, end + 1);
    const bool unit = end < text.size() && (text[end] == 'b' || text[end] == 'm' || text[end] == 't');
    if (!unit || (end + 1 < text.size() && is_word(text[end + 1]))) return at;
    const double value = number_of(text.substr(at, end - at));
    if (text[end] == 'm' && (value < 10 || value >= 1000)) return at;
    if (text[end] == 'b' && (value < 0.05 || value > 5000)) return at;
    if (text[end] == 't' && value > 9) return at;
    return end + 1;
}

// "a3b", "e2b": the parameters that are active, or that count.
std::size_t marked_size_from(std::string_view text, std::size_t at) {
    if ((text[at] != 'a' && text[at] != 'e') || at + 1 >= text.size()) return at;
    const auto end = size_from(text, at + 1);
    return end > at + 1 && text[end - 1] == 'b' ? end : at;
}

struct Size {
    double parameters = 0;
    double active = 0;
    bool effective = false;
};

double plain_size(std::string_view piece) {
    const double unit = piece.back() == 'b' ? 1e9 : piece.back() == 'm' ? 1e6 : 1e12;
    return number_of(piece.substr(0, piece.size() - 1)) * unit;
}

// Experts share what is not a feed-forward layer: 8x7b has 46.7e9 parameters, of which two experts' 12.9e9 work.
constexpr double kOfExperts = 46.7 / 56;
constexpr double kOfTwo = 12.9 / 7;

void add_size(std::string_view piece, Size& size) {
    const bool marked = piece.front() == 'a' || piece.front() == 'e';
    if (piece.size() < 2 || !is_digit(piece[marked ? 1 : 0]) || is_digit(piece.back())) return;
    if (size_from(piece, marked ? 1 : 0) != piece.size()) return;
    if (const auto by = piece.find('x'); by != std::string_view::npos) {
        const double one = plain_size(piece.substr(by + 1));
        size.parameters = std::max(size.parameters, number_of(piece.substr(0, by)) * one * kOfExperts);
        size.active = one * kOfTwo;
    } else if (piece.front() == 'a') {
        size.active = plain_size(piece.substr(1));
    } else if (piece.front() == 'e') {
        size.parameters = plain_size(piece.substr(1));
        size.effective = true;
    } else if (!size.effective) {
        size.parameters = std::max(size.parameters, plain_size(piece));
    }
}

Size size_of(std::string_view name) {
    const auto slash = name.find_last_of("/\\");
    Size size;
    if (slash != std::string_view::npos)
        for (const auto& piece : known::pieces_of(name.substr(slash + 1))) add_size(piece, size);
    if (size.parameters == 0)
        for (const auto& piece : known::pieces_of(name)) add_size(piece, size);
    return size;
}

// The end of a quantization that begins at `at`, which is where a word begins; `at` where there is none.
std::size_t literal_from(std::string_view text, std::size_t at, std::string_view what) {
    return text.substr(at).starts_with(what) ? at + what.size() : at;
}

// "q4_k_m", "q8_0", "iq2_xxs", "tq1_0", "q4f16_1": of GGUF and of MLC.
std::size_t gguf_from(std::string_view text, std::size_t at) {
    auto start = at;
    if (text[at] == 'i' || text[at] == 't') ++start;
    if (start + 1 >= text.size() || text[start] != 'q' || !is_digit(text[start + 1])) return at;
    auto end = start + 2;
    if (end < text.size() && text[end] == 'f') end = digits_from(text, end + 1);
    for (int parts = 0; parts < 2 && end + 1 < text.size() && text[end] == '_'; ++parts) {
        auto next = end + 1;
        while (next < text.size() && is_word(text[next])) ++next;
        static constexpr std::array<std::string_view, 12> kParts = {"0",  "1",   "k",  "s",  "m",   "l",
                                                                    "xs", "xxs", "nl", "xl", "xxl", "p"};
        if (std::ranges::find(kParts, text.substr(end + 1, next - end - 1)) == kParts.end()) break;
        end = next;
    }
    return end;
}

// "4bit", "4-bit", "2.4bpw", "w4a16".
std::size_t bits_from(std::string_view text, std::size_t at) {
    if (text[at] == 'w' && at + 1 < text.size()) {
        const auto middle = digits_from(text, at + 1);
        if (middle == at + 1 || middle >= text.size() || text[middle] != 'a') return at;
        const auto end = digits_from(text, middle + 1);
        return end > middle + 1 ? end : at;
    }
    auto end = number_from(text, at);
    if (end == at) return at;
    if (end < text.size() && text[end] == '-') ++end;
    const auto rest = text.substr(end);
    return rest.starts_with("bit") || rest.starts_with("bpw") ? end + 3 : at;
}

std::size_t quantization_from(std::string_view text, std::size_t at) {
    auto end = std::max(gguf_from(text, at), bits_from(text, at));
    static constexpr std::array<std::string_view, 23> kNames = {
        "awq", "gptq", "mlx", "exl2", "exl3", "bnb",  "hqq",  "aqlm",  "fp16",  "bf16", "f16",  "fp32",
        "f32", "fp8",  "fp4", "int8", "int4", "int3", "int2", "mxfp4", "nvfp4", "nf4",  "mxfp8"};
    for (const auto what : kNames) end = std::max(end, literal_from(text, at, what));
    if (end == at || (end < text.size() && is_word(text[end]))) return at;
    return end;
}

// A method and its bits are one: "gptq-4bit", "awq-int4".
std::size_t whole_quantization_from(std::string_view text, std::size_t at) {
    auto end = quantization_from(text, at);
    if (end == at || end + 1 >= text.size() || (text[end] != '-' && text[end] != '_')) return end;
    const auto more = quantization_from(text, end + 1);
    return more > end + 1 ? more : end;
}

}  // namespace

namespace known {

Pieces pieces_of(std::string_view name) {
    const auto low = lowered(name);
    const std::string_view text = low;
    Pieces pieces;
    for (std::size_t at = 0; at < text.size();) {
        const bool begins = at == 0 || !is_letter(text[at - 1]);
        auto end = at + 1;
        if (is_digit(text[at])) {
            end = std::max(size_from(text, at), digits_from(text, at));
            pieces.emplace_back(text.substr(at, end - at));
            if (end + 1 < text.size() && text[end] == 'p' && is_digit(text[end + 1])) ++end;  // "2p5"
        } else if (const auto marked = is_letter(text[at]) && begins ? marked_size_from(text, at) : at; marked > at) {
            pieces.emplace_back(text.substr(at, marked - at));
            end = marked;
        } else if (is_letter(text[at])) {
            while (end < text.size() && is_letter(text[end])) ++end;
            const auto word = text.substr(at, end - at);
            if (word != "v" || end >= text.size() || !is_digit(text[end])) pieces.emplace_back(word);
        }
        at = end;
    }
    return pieces;
}

}  // namespace known

std::int64_t parameters_in_name(std::string_view name) {
    return std::llround(size_of(name).parameters);
}

std::int64_t active_parameters_in_name(std::string_view name) {
    return std::llround(size_of(name).active);
}

std::string quantization_in_name(std::string_view name) {
    const auto low = lowered(name);
    std::string found;
    for (std::size_t at = 0; at < low.size();) {
        const bool begins = is_word(low[at]) && (at == 0 || !is_word(low[at - 1]));
        const auto end = begins ? whole_quantization_from(low, at) : at;
        if (end > at) found = std::string(name.substr(at, end - at));
        at = std::max(end, at + 1);
    }
    return found;
}

double bits_of_quantization(std::string_view quantization) {
    const auto low = lowered(quantization);
    double bits = 0;
    for (std::size_t at = 0; at < low.size() && bits == 0; ++at)
        if (is_digit(low[at])) bits = number_of(std::string_view(low).substr(at, number_from(low, at) - at));
    if (low.starts_with("exl")) {  // the digit of its name is no number of bits
        const auto after = low.find_first_of("-_");
        return after == std::string::npos ? 4 : bits_of_quantization(low.substr(after + 1));
    }
    if (bits == 0) return low.find("awq") != std::string::npos || low.find("gptq") != std::string::npos ? 4 : 0;
    return bits > 32 ? 0 : bits;
}

}  // namespace tandem::routing
