#!/usr/bin/env python3
"""Brings pages of Markdown within 140 characters a line: paragraphs and items with a longer line are broken anew, and a table with a longer
row becomes a list, an item for each row. All else stays as it is; so do fenced blocks and parts that are made (`<!-- made by`, `<!-- table`).

    packaging/docs/fit.py docs/guide.md ...      # without names: all pages of the repository
"""
import pathlib
import re
import sys

WIDTH = 140
ITEM = re.compile(r"( *)([-*] |\d+\. )")
# What would mean something else at the beginning of a line.
MARK = re.compile(r"([-+*>|]|#+|\d+[.)])(\s|$)")


def words_of(text):
    """Words, with each short span of code and each link's text in one piece."""
    pieces = re.findall(r"(?:`[^`]{1,60}`|\[[^\]]{1,60}\]\([^)\s]*\)|[^\s`]|`)+", text)
    joined = []
    for piece in pieces:
        if joined and MARK.match(piece + " "):
            joined[-1] += " " + piece
        else:
            joined.append(piece)
    return joined


def broken(text, first, rest):
    """`text` in lines, the first behind `first`, the others behind `rest`."""
    lines, line = [], first
    for word in words_of(text):
        if len(line) + len(word) + 1 > WIDTH and line.strip() and line != first:
            lines.append(line.rstrip())
            line = rest
        line += ("" if line in (first, rest) else " ") + word
    return [*lines, line.rstrip()]


def cells(row):
    return [c.strip().replace("\\|", "|") for c in re.split(r"(?<!\\)\|", row.strip())[1:-1]]


def as_list(rows):
    head, out = cells(rows[0]), []
    for row in rows[2:]:
        values = cells(row)
        text = ": ".join(v for v in values[:2] if v)
        for name, value in zip(head[2:], values[2:]):
            if value:
                text += ("" if text.endswith((".", ":", "?", "!")) else ".") + (f" *{name}*: {value}" if name else f" {value}")
        out += broken(text, "- ", "  ")
    return out


def fitted(text):
    lines, out, i = text.split("\n"), [], 0
    while i < len(lines):
        line = lines[i]
        if line.lstrip().startswith("```") or re.match(r"<!-- (made by|table)", line):
            end = line[:len(line) - len(line.lstrip())] + "```" if line.lstrip().startswith("```") else "<!-- end"
            out.append(line)
            i += 1
            while i < len(lines) and not lines[i].startswith(end):
                out.append(lines[i])
                i += 1
            continue_to = i
            if i < len(lines):
                out.append(lines[i])
            i = continue_to + 1
            continue
        if line.startswith("|"):
            end = i
            while end < len(lines) and lines[end].startswith("|"):
                end += 1
            rows = lines[i:end]
            out += as_list(rows) if any(len(r) > WIDTH for r in rows) else rows
            i = end
            continue
        if not line.strip() or line.startswith(("#", "<!--")):
            out.append(line)
            i += 1
            continue
        item = ITEM.match(line)
        first = item[0] if item else line[:len(line) - len(line.lstrip())]
        rest = " " * len(first) if item else first
        end = i + 1
        while end < len(lines) and lines[end].strip() and not ITEM.match(lines[end]) and not lines[end].lstrip().startswith(("```", "|", "#", "<!--")) \
                and (not item or lines[end].startswith(rest) or not lines[end].startswith(" ")):
            end += 1
        block = lines[i:end]
        if any(len(l) > WIDTH for l in block):
            block = broken(" ".join([line[len(first):], *[l.strip() for l in block[1:]]]), first, rest)
        out += block
        i = end
    return "\n".join(out)


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    names = [pathlib.Path(n) for n in sys.argv[1:]] or [*root.glob("*.md"), *(root / "docs").rglob("*.md"), root / "packaging/examples/README.md"]
    for name in names:
        text = name.read_text()
        new = fitted(text)
        if new != text:
            name.write_text(new)


if __name__ == "__main__":
    main()
