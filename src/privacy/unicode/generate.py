"""Writes plain.h from the Unicode Character Database, as ICU 72 (Unicode 15) and Python's unicodedata have it:
python3 generate.py > plain.h; clang-format-19 -i plain.h

What a code point beyond ASCII is in the canonical form, the first rule that says something:
 1. nothing: Default_Ignorable_Code_Point, or of the categories Cf, Cc, Mn, Me (U+0085 is a line break)
 2. a blank: category Zs, and U+2800 (the empty Braille pattern); a line break: Zl and Zp
 3. a digit: it has a decimal or digit value (Numeric_Type), whatever its script
 4. an ASCII character: its compatibility decomposition (NFKC) is that one character
 5. "-": category Pd; ".": what IDNA (UTS 46) takes for a full stop
 6. a letter: its name says that it is a Latin letter X in another form (circled, squared, regional, small capital, modifier)
 7. a letter or digit: its confusable prototype (UTS 39) is that one ASCII character
Everything else stays as it is; so do letters with accents that are one code point.
"""
import ctypes, re, sys, unicodedata

uc, i18n = ctypes.CDLL("libicuuc.so.72"), ctypes.CDLL("libicui18n.so.72")
DEFAULT_IGNORABLE = 5
error = ctypes.c_int(0)
i18n.uspoof_open_72.restype = ctypes.c_void_p
checker = ctypes.c_void_p(i18n.uspoof_open_72(ctypes.byref(error)))
FORM = re.compile(r"(?:CIRCLED|SQUARED|PARENTHESIZED|REGIONAL INDICATOR SYMBOL|MODIFIER|SUBSCRIPT|SUPERSCRIPT|TORTOISE SHELL BRACKETED).*"
                  r"\b(?:(CAPITAL) |SMALL )?LETTER (?:SMALL )?([A-Z])$|^LATIN LETTER (SMALL CAPITAL) ([A-Z])$")


def skeleton(c):
    data, out = c.encode(), ctypes.create_string_buffer(64)
    size = i18n.uspoof_getSkeletonUTF8_72(checker, 0, data, len(data), out, 64, ctypes.byref(error))
    return out.raw[:size].decode()


def plain(point):
    """1: nothing, 0: stays, else the ASCII character's code"""
    if 0xD800 <= point <= 0xDFFF:
        return 0
    c = chr(point)
    category = unicodedata.category(c)
    if point == 0x85:
        return 10
    if uc.u_hasBinaryProperty_72(point, DEFAULT_IGNORABLE) & 0xFF or category in ("Cf", "Cc", "Mn", "Me"):
        return 1
    if category == "Zs" or point == 0x2800:
        return 32
    if category in ("Zl", "Zp"):
        return 10
    digit = unicodedata.digit(c, None)
    if digit is not None:
        return 48 + digit
    folded = unicodedata.normalize("NFKC", c)
    if len(folded) == 1 and folded < "\x7f" and folded != c:
        return ord(folded)
    if category == "Pd" or point == 0x2212:
        return 45
    if point in (0x3002, 0xFF0E, 0xFF61):
        return 46
    form = FORM.search(unicodedata.name(c, ""))
    if form:
        letter = form[2] or form[4]
        return ord(letter if form[1] or form[3] or "REGIONAL" in form[0] else letter.lower())
    alike = skeleton(c)
    if len(alike) == 1 and alike.isascii() and alike.isalnum() and category[0] in "LN":
        if alike == "l" and category == "Lu":
            return ord("I")
        return ord(alike)
    return 0


def rows():
    """(first, last, what the first is, how much more each next one is)"""
    result = []
    for point in range(0x80, 0x110000):
        what = plain(point)
        if what == 0:
            continue
        if result:
            first, last, begin, step = result[-1]
            if last + 1 == point:
                if what == begin and (step == 0 or first == last):
                    result[-1] = (first, point, begin, 0)
                    continue
                if what > 1 and what == begin + (point - first) and (step == 1 or first == last):
                    result[-1] = (first, point, begin, 1)
                    continue
        result.append((point, point, what, 0))
    return result


table = rows()
print(f"""// Written by generate.py from ICU 72's and Unicode {unicodedata.unidata_version}'s data; not to be edited. Private to disguise.cpp.
#pragma once

#include <array>
#include <cstdint>

namespace tandem::privacy {{

struct PlainRow {{
    std::uint32_t first, last;
    std::uint8_t plain;  // of the first: 1 is nothing, else an ASCII character
    std::uint8_t step;   // how much more each next one is
}};
constexpr auto kPlain = std::to_array<PlainRow>({{""")
for i in range(0, len(table), 5):
    print("    " + " ".join("{0x%X, 0x%X, %d, %d}," % row for row in table[i:i + 5]))
print("""});

// A letter with accents that is one code point, and the letter that it is without them (the beginning of NFD).
struct Accented {
    std::uint16_t point, base;
};
constexpr auto kAccented = std::to_array<Accented>({""")
accented = [(p, ord(unicodedata.normalize("NFD", chr(p))[0])) for p in range(0xC0, 0x2000)
            if len(unicodedata.normalize("NFD", chr(p))) > 1 and unicodedata.category(chr(p))[0] == "L"]
for i in range(0, len(accented), 8):
    print("    " + " ".join("{0x%X, 0x%X}," % row for row in accented[i:i + 8]))
print("""});

}  // namespace tandem::privacy""")
print(len(table), "rows", file=sys.stderr)
