#include "retrieval/extract/formats.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "retrieval/extract/charset.h"

namespace tandem::retrieval {

namespace {

constexpr std::size_t kLongestExtension = 12;

// clang-format off
constexpr auto kFormats = std::to_array<Format>({
    {"text", " txt text log rst tex org adoc asciidoc ", 1, read_text},
    {"markdown", " md markdown mkd mdx ", 1, read_markdown},
    {"html", " html htm xhtml ", 1, read_html},
    {"code", " c cc cpp cxx h hh hpp hxx py pyi js mjs cjs ts tsx jsx java kt kts go rs rb php pl pm sh bash zsh fish lua "
             "swift scala cs fs ml mli hs el clj cljs ex exs erl r jl dart m mm sql cmake mk asm s proto css scss less vue "
             "nix tf v vhd zig yaml yml toml ini cfg conf service ", 1, read_code},
    {"csv", " csv tsv ", 1, read_csv},
    {"json", " json ", 1, read_json},
    {"gzip", " gz ", 1, read_gzip},
    {"mail", " eml ", 1, read_mail},
    {"mailbox", " mbox ", 1, read_mailbox},
});
// clang-format on

// What is never text, so that a folder of pictures is no list of failures.
constexpr std::string_view kOther =
    " png jpg jpeg gif bmp tif tiff webp avif heic ico svg svgz psd mp3 mp4 m4a m4v mkv avi mov webm flac ogg opus wav "
    "zip 7z rar tar tgz bz2 xz zst lz lz4 jar war deb rpm apk iso img dmg exe dll so a o obj lib pyc pyo class wasm "
    "bin "
    "dat db sqlite sqlite3 mdb woff woff2 ttf otf eot gguf safetensors pt pth onnx npy npz parquet mo gmo pcap pdf doc "
    "docx xls xlsx ppt pptx odt ods odp epub mobi ";

std::string extension_of(std::string_view name) {
    const auto dot = name.rfind('.');
    if (dot == std::string_view::npos || dot == 0 || name.size() - dot - 1 > kLongestExtension) return {};
    return lower(name.substr(dot + 1));
}

bool has_word(std::string_view list, const std::string& word) {
    return !word.empty() && word.find(' ') == std::string::npos &&
           list.find(" " + word + " ") != std::string_view::npos;
}

bool is_blank(std::string_view text) {
    return std::ranges::all_of(text, [](unsigned char c) { return c <= ' '; });
}

}  // namespace

std::span<const Format> formats() {
    return kFormats;
}

const Format* format_of(std::string_view name) {
    const auto extension = extension_of(name);
    for (const auto& format : kFormats)
        if (has_word(format.extensions, extension)) return &format;
    return &kFormats[0];
}

const Format* format_named(std::string_view name) {
    const auto* const found = std::ranges::find(kFormats, name, &Format::name);
    return found == kFormats.end() ? nullptr : found;
}

bool is_other(std::string_view name) {
    return has_word(kOther, extension_of(name));
}

std::optional<std::string_view> text_of(const Input& input, std::string& own, std::string& why) {
    const auto text = to_utf8(input.bytes, own, input.most_text);
    if (!text) why = "the file is no text";
    return text;
}

bool add(Extracted& to, const Input& input, Block block) {
    if (is_blank(block.text)) return true;
    if (to.blocks.size() >= kMostBlocks || to.text_bytes + block.text.size() > input.most_text) return false;
    to.text_bytes += block.text.size();
    to.blocks.push_back(std::move(block));
    return true;
}

bool extract(const Format& format, const Input& input, Extracted& to, std::string& why) {
    if (input.bytes.empty()) {
        why = "the file is empty";
        return false;
    }
    if (!format.read(input, to, why)) {
        if (why.empty()) why = "the file could not be read";
        return false;
    }
    if (to.blocks.empty()) {
        why = "nothing in the file is text";
        return false;
    }
    return true;
}

}  // namespace tandem::retrieval
