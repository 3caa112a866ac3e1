"""What the tests of the docs share: the pages, their fenced blocks, and a config completed by the stated rule.

The kinds of blocks, by the word behind the fence:
- `yaml`: a part of tandem.yaml, unless its first line is a comment that names another file ("# prometheus.yml"). It is completed by
  `completed()` and has to be a config of the program.
- `sh`: commands that a reader can run. Those of docs/how-to are run, in the order of their page (howto_test.py). A `text` block behind one is
  what they say: each of its lines stands in the output, with `...` for anything.
- `console`: commands that are shown and not run here (other machines, root). What they ask of `tandem` is parsed by the program all the same.
- all others: shown, and only measured.
"""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
EXAMPLES = DOCS / "how-to/README.md"  # has the config whose names the examples of all pages use


def pages():
    """Every page for people: docs/ and what stands beside it at the top."""
    return sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), ROOT / "packaging/examples/README.md"])


class Block:
    def __init__(self, page, line, kind, text):
        self.page, self.line, self.kind, self.text = page, line, kind, text

    @property
    def where(self):
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    def is_config(self):
        return self.kind == "yaml" and not re.match(r"# *[\w./-]+\.(ya?ml|conf|json|env)\b", self.text) or self.text.startswith("# tandem.yaml")


def blocks(page, *kinds):
    """The fenced blocks of a page, in order."""
    found = []
    fence = None
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if fence is None:
            if match := re.match(r"( *)```(\w*)", line):
                fence, begun, lines = match, number, []
        elif re.match(rf"{fence[1]}```\s*$", line):
            found.append(Block(page, begun, fence[2], "".join(l.removeprefix(fence[1]) + "\n" for l in lines)))
            fence = None
        else:
            lines.append(line)
    return [b for b in found if not kinds or b.kind in kinds]


def sections(text):
    """A config by its names at the left: each with its own text, or with that of each name below it."""
    found = {}
    name = below = None
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if match := re.match(r"""(["']?)([\w*./:-]+)\1:(?: +(.*))?$""", line):
            name, below = match[2], None
            value = re.sub(r"(^| )#.*", "", match[3] or "").strip()
            found[name] = line + "\n" if value else {}
        elif isinstance(found.get(name), dict):
            match = re.match(r"""  (["']?)([^\s"'].*?)\1:(?: |$)""", line)
            if match:
                below = match[2]
                found[name][below] = line + "\n"
            elif below is not None:
                found[name][below] += line + "\n"
            else:  # a list
                found[name] = f"{name}:\n{line}\n"
        else:
            found[name] += line + "\n"
    return found


def completed(text, base):
    """The rule: a block says some of a config; each name at the left that it lacks, and each name one step below one that it has as a mapping
    over several lines, is taken from `base`. What it says itself goes before that."""
    merged, own = sections(base), sections(text)
    for name, value in own.items():
        if isinstance(value, dict) and isinstance(merged.get(name), dict):
            value = {**merged[name], **value}
            if name == "policy" and "rules" in own[name]:
                value.pop("preset", None)
        merged[name] = value
    return "".join(value if isinstance(value, str) else f"{name}:\n" + "".join(value.values()) for name, value in merged.items())


def base_config():
    return next(b.text for b in blocks(EXAMPLES, "yaml"))
