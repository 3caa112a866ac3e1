"""The words that a case may use in {{...}}: values that a user has, the ways in which they can be written, and what earlier
steps of the case kept. Every value is made up; the tokens are put together here so that no file has one as it stands."""
import base64
import json
import pathlib
import quopri
import re
import time
import unicodedata
import urllib.parse

VALUES = {
    "iban": "DE89 3704 0044 0532 0130 00", "iban2": "GB82 WEST 1234 5698 7654 32", "iban3": "FR14 2004 1010 0505 0001 3M02 606",
    "card": "4111 1111 1111 1111", "phone": "+49 30 901820",
    "token": "gh" + "p_" + "Qz7LmT2xWc9RkV4bNp1HsD8fYj3GaE1SZr5m",
    "openai_token": "sk" + "-ZYX987654321abcABC12T3Blbk" + "FJqwertyyiop1234567890",
    "aws": "AKIA" + "Q3EGT5VXW2LM7NPD", "esc": "\x1b", "bel": "\x07", "cr": "\r", "word": "word ", "A": "QUFB",
    "part": '--x\r\ncontent-disposition: form-data; name="note"\r\n\r\n1\r\n',
}


def between(sign):
    return lambda text: sign.join(text)


def digits_of(zero):
    return lambda text: "".join(chr(ord(zero) + int(c)) if c.isdigit() else c for c in text)


def grouped(sign):
    return lambda text: text.replace(" ", sign)


def hexdump(text):
    data, lines = text.encode(), []
    for at in range(0, len(data), 16):
        lines.append(f"{at:08x}  " + " ".join(f"{b:02x}" for b in data[at:at + 16]) + "  |................|")
    return "\n".join(lines)


WAYS = {
    "tight": lambda t: t.replace(" ", ""), "base64": lambda t: base64.b64encode(t.encode()).decode(),
    "base64url": lambda t: base64.urlsafe_b64encode(t.encode()).decode().rstrip("="), "mime": lambda t: base64.encodebytes(t.encode()).decode(),
    "utf16le": lambda t: base64.b64encode(t.encode("utf-16-le")).decode(), "utf16be": lambda t: base64.b64encode(t.encode("utf-16-be")).decode(),
    "utf16": lambda t: base64.b64encode(b"\xff\xfe" + t.encode("utf-16-le")).decode(),
    "percent": lambda t: "".join(f"%{b:02X}" for b in t.encode()), "url": urllib.parse.quote, "hex": lambda t: t.encode().hex(),
    "spaced": lambda t: t.encode().hex(" "), "coloned": lambda t: t.encode().hex(":"), "escaped": lambda t: "".join(f"\\x{b:02x}" for b in t.encode()),
    "octal": lambda t: "".join(f"\\{b:03o}" for b in t.encode()), "entities": lambda t: "".join(f"&#{ord(c):06};" for c in t),
    "unicode": lambda t: "".join(f"\\u{ord(c):04x}" for c in t), "hexdump": hexdump, "quoted": lambda t: "".join(f"={b:02X}" for b in t.encode()),
    "soft": lambda t: quopri.encodestring(t.encode()).decode(), "json": json.dumps,
    "zero_width": between("​"), "joiner": between("⁠"), "zwj": between("‍"), "variation": between("️"), "filler": between("ㅤ"),
    "tags": between("\U000e0020"), "soft_hyphen": between("­"), "control": between("\x01"),
    "full_width": digits_of("０"), "arabic": digits_of("٠"), "devanagari": digits_of("०"), "bold": digits_of("𝟎"),
    "dashes": grouped("–"), "lows": grouped("_"), "slashes": grouped("/"), "tabs": grouped("\t"), "twice": grouped("  "), "lines": grouped("\n"),
    "points": grouped("."), "hyphens": grouped("-"), "first": lambda t: t[:len(t) // 2], "rest": lambda t: t[len(t) // 2:], "reversed": lambda t: t[::-1],
}


def word(name, kept):
    """{{iban|tight|base64}} or {{word*400}}."""
    name, *ways = name.split("|")
    name, _, times = name.partition("*")
    value = kept[name] if name in kept else time.strftime("%Y-%m-%d", time.gmtime()) if name == "today" else VALUES[name]
    for way in ways:
        value = WAYS[way](value)
    return value * int(times) if times else value


def fill(thing, kept):
    """A part of a case with its {{words}} in place. A text that is one word alone keeps the word's type."""
    if isinstance(thing, dict):
        return {fill(k, kept): fill(v, kept) for k, v in thing.items()}
    if isinstance(thing, list):
        return [fill(v, kept) for v in thing]
    if not isinstance(thing, str):
        return thing
    alone = re.fullmatch(r"\{\{([^{}]+)\}\}", thing)
    if alone:
        return word(alone[1], kept)
    return re.sub(r"\{\{([^{}]+)\}\}", lambda found: str(word(found[1], kept)), thing)


def bare(text):
    """Letters and digits alone, as a reader takes them: widths and scripts folded, everything between them left out."""
    text = unicodedata.normalize("NFKC", text)
    text = "".join(str(unicodedata.digit(c)) if unicodedata.digit(c, None) is not None else c for c in text)
    return "".join(c for c in text if c.isalnum() and c.isprintable() and unicodedata.category(c) != "Lo").casefold()


def strings_of(thing):
    if isinstance(thing, dict):
        return [s for k, v in thing.items() for s in [k, *strings_of(v)]]
    if isinstance(thing, list):
        return [s for v in thing for s in strings_of(v)]
    return [str(thing)]


def readable(data):
    """Bytes that somebody received, as they stand and with JSON's escapes undone."""
    text = data.decode(errors="replace")
    said = [text]
    for piece in re.split(r"\r?\n\r?\n|\n", text):
        piece = piece.removeprefix("data:").strip()
        if piece[:1] in ("{", "["):
            try:
                said += strings_of(json.loads(piece))
            except ValueError:
                pass
    return "\n".join(said)


def has_in_any_form(data, value):
    """Whether somebody who received the data could read the value in it: as it is, with anything between its letters, in base64 or hex."""
    text = readable(data)
    raw = value.encode()
    if len(bare(value)) < 6:
        return value in text
    inner = [base64.b64encode(b"x" * shift + raw)[4 if shift else 0:-4].decode() for shift in range(3)]
    return value in text or bare(value) in bare(text) or raw.hex() in text.lower() or any(len(i) > 8 and i in text for i in inner)


def load(file):
    case = json.loads(pathlib.Path(file).read_text())
    for name in ("report", "area", "title", "steps"):
        assert case.get(name), f"{file}: `{name}` is missing"
    return case
