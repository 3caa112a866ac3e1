"""The reference is made from the program and its code, and each page says what they say: `python tests/docs/reference_test.py --write` writes
what is made, and a page that is stale fails.

cli.md is the manual that the program prints; api.md the table of routes that it shows; metrics.md what /metrics has; errors.md and
headers.md what the code has; config.md what the sections of src/config say of their keys."""
# ctest: starts no real engine
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

from harness import BINARY, Tandem, Upstream, until
from pages import DOCS, ROOT, base_config, blocks, completed

sys.path.insert(0, str(ROOT / "packaging/docs"))
from fit import fitted

SRC = ROOT / "src"
REFERENCE = DOCS / "reference"
BEGIN, END = "<!-- made by tests/docs/reference_test.py -->\n", "<!-- end -->\n"


# ---- cli.md ----

def plain(text):
    """Text of a man page as it is read."""
    return re.sub(r"\\f[BIR]", "", text.replace("\\-", "-").replace("\\e", "\\").removeprefix("\\&"))


def cli():
    page = subprocess.run([BINARY, "manual"], capture_output=True, text=True, check=True).stdout
    body = page.split(".SH OPTIONS\n")[1].split(".SH FILES\n")[0]
    out = "## Options of every command\n\nThey may stand before and behind it.\n\n"
    lines = iter(body.splitlines()[1:])
    listed = False
    for line in lines:
        if line.startswith(".SH "):
            out += ("\n" if listed else "") + f"## {line[5:-1].capitalize()}\n\n"
            listed = False
        elif line.startswith(".SS "):
            out += ("\n" if listed else "") + f"### `{plain(line[4:])}`\n\n{plain(next(lines))}.\n\n"
            listed = False
        elif line == ".TP":
            name, what = plain(next(lines)), plain(next(lines))
            out += f"- `{name}`: {what}\n" if what else f"- `{name}`\n"
            listed = True
    return "\n" + fitted(out.replace("\n\n\n", "\n\n")) + "\n"


# ---- api.md ----

GROUPS = [("The server", r"/(health.*|readyz|metrics)?"), ("Tandem's own", r"/tandem/v1/.*"), ("Anthropic", r"/v1/messages.*"), ("Ollama", r"/api/.*"),
          ("Gemini", r"/v1beta/.*|/v1/models/.*:.*"), ("OpenAI Responses and Conversations", r"/v1/(responses|conversations).*"), ("OpenAI", r".*")]
SHOWN = ["The server", "OpenAI", "OpenAI Responses and Conversations", "Anthropic", "Gemini", "Ollama", "Tandem's own"]


def routes():
    tandem = Tandem("models: { m: { provider: p } }\nproviders: { p: { kind: openai, zone: local, base_url: http://127.0.0.1:9/v1 } }\n")
    try:
        paths = json.loads(tandem.request("/tandem/v1/openapi.json")[2])["paths"]
    finally:
        tandem.stop()
    return [(method.upper(), path, one["x-tandem-scope"], one["summary"]) for path, methods in paths.items() for method, one in methods.items()]


def api():
    table = routes()
    out = ""
    for title in SHOWN:
        mine = [r for r in table if next(name for name, pattern in GROUPS if re.fullmatch(pattern, r[1])) == title]
        out += f"\n## {title}\n\n| route | who | what |\n| --- | --- | --- |\n"
        out += "".join(f"| `{method} {path}` | {scope} | {summary} |\n" for method, path, scope, summary in mine)
    return out + "\n"


# ---- errors.md ----

def shapes(file, function):
    """What a `switch` over ErrorCode gives for each of its names."""
    text = (SRC / file).read_text()
    body = re.search(rf"\n[\w:]+ {function}\(ErrorCode code\) {{\n(.*?)\n}}\n", text, re.S)[1]
    found, waiting = {}, []
    for line in body.splitlines():
        if match := re.match(r"\s*case ErrorCode::(\w+):", line):
            waiting.append(match[1])
        elif match := re.match(r"\s*return \{?(.*?)\}?;", line):
            value = re.findall(r'"([^"]*)"|(\d+)', match[1])
            value = [a or b for a, b in value]
            found.update({name: value for name in waiting})
            waiting = []
        elif "break;" in line:
            last = waiting
            waiting = []
    found.update({name: value for name in last})  # what stands behind the switch
    return found


def faults():
    """(name, kind, what, remedy) of each row of the table of codes, in its order."""
    text = r'((?:"(?:[^"\\\\]|\\\\.)*"\s*)+)'
    found = re.findall(rf'\{{Fault::(\w+),\s*"(\w+)",\s*(\w+),\s*{text},\s*{text}\}}', (SRC / "base/fault.cpp").read_text())
    said = lambda literals: "".join(re.findall(r'"([^"]*)"', literals))
    assert all(fault == name for fault, name, *_ in found)
    return [(name, kind, said(what), said(remedy)) for _, name, kind, what, remedy in found]


def error_codes():
    """ErrorCode's names, in the enum's order."""
    body = re.search(r"enum class ErrorCode : std::uint8_t \{\n(.*?)\};", (SRC / "base/fault.h").read_text(), re.S)[1]
    return re.findall(r"^\s*(\w+),", body, re.M)


def errors():
    openai, anthropic = shapes("dialect/openai_chat_writer.cpp", "shape_of"), shapes("dialect/anthropic_answer.cpp", "shape_of")
    gemini, ollama = shapes("dialect/gemini_answer.cpp", "shape_of"), shapes("dialect/ollama.cpp", "status_of")
    out = "\n| kind | OpenAI: status, `type`, `code` | Anthropic | Gemini | Ollama |\n| --- | --- | --- | --- | --- |\n"
    for name in error_codes():
        status, kind, code = openai[name]
        a, g = anthropic[name], gemini[name]
        out += f"| `{name}` | {status} `{kind}` `{code}` | {a[0]} `{a[1]}` | {g[0]} `{g[1]}` | {ollama[name][0]} |\n"
    rows = faults()
    for kind in error_codes():
        out += f"\n## {kind}\n\n"
        own = next(row for row in rows if row[0] == kind)
        lines = [own, *(row for row in rows if row[1] == kind and row[0] != kind)]
        out += "".join(f"- `{name}`: {what}. {remedy[0].upper()}{remedy[1:]}.\n" for name, _, what, remedy in lines)
    return fitted(out) + "\n"


# ---- metrics.md ----

WORLD = """
providers:
  near: {near}
  far:  {far}
  home: {{ kind: engine }}
models:
  n: {{ provider: near, context: 32768 }}
  f: {{ provider: far, context: 32768, price: {{ input: 1.00, output: 1.00 }} }}
  e: {{ provider: home, file: nothing.gguf, context: 4096 }}
keys:
  me: {{ secret: my-key-0123456789, budgets: [{{ limit: 5.00, window: day }}] }}
privacy: {{ actions: {{ cloud: {{ private: redact }} }} }}
"""


def metrics():
    near, far = Upstream(), Upstream()
    tandem = Tandem(WORLD.format(near=near.provider("local"), far=far.provider("cloud")))
    try:
        for model, text in (("n", "hello"), ("f", "My IBAN is DE89 3704 0044 0532 0130 00")):
            status = tandem.chat(text, model, {"authorization": "Bearer my-key-0123456789"}, max_tokens=9)[0]
            assert status == 200, status
        token = (tandem.folder / "data/admin.token").read_text().strip()
        # An answer is counted when it has gone.
        def page():
            return tandem.request("/metrics", headers={"authorization": f"Bearer {token}"})[2].decode()
        until(lambda: "tandem_redactions_total{" in page(), "the count of both answers")
        text = page()
    finally:
        tandem.stop()
        near.close()
        far.close()
    out = "\n"
    for name, what, kind in re.findall(r"# HELP (\S+) (.*)\n# TYPE \S+ (\S+)", text):
        samples = re.findall(rf"^{name}(?:_bucket)?\{{(.*?)\}} ", text, re.M)
        assert samples, f"{name} has no sample, so its labels are not known here"
        labels = re.findall(r'(\w+)="', samples[0])
        out += f"- `{name}` ({', '.join([kind, *(f'`{l}`' for l in labels)])}): {what}\n"
    return fitted(out) + "\n"


# ---- config.md ----

# What is said once: as it stands elsewhere.
SAME = [(r"(policy\.rules\[\]|aliases\.NAME)\.failure", "policy.failure"), (r"(keys|teams)\.NAME\.budgets\[\]", "budgets[]")]


def said_elsewhere(key, keys):
    """Whether a key says what another one does, which the page has."""
    for here, there in SAME:
        if match := re.match(here + r"\.", key["key"]):
            other = keys[there + "." + key["key"][match.end():]]
            assert (key["type"], key["what"], key.get("default")) == (other["type"], other["what"], other.get("default")), key
            return True
    return False


def entry(key):
    more = [key["type"]]
    for here, there in SAME:
        if re.fullmatch(here.removesuffix(r"\[\]"), key["key"]):
            more = [f"as `{there.removesuffix('[]')}`"]
    more += ["required"] if key["required"] else [f"required {key['required_where']}"] if "required_where" in key else []
    more += [f"default {key['default']}"] if "default" in key else []
    more += [f"formerly `{key['formerly']}`"] if "formerly" in key else []
    more += [f"write `{key['instead']}`"] if "instead" in key else []
    return f"- `{key['key']}` ({'; '.join(more)}): {told(key)}\n"


def told(key):
    page = key.get("docs", "")
    link = f" ([more]({page.removeprefix('reference/') if page.startswith('reference/') else '../' + page}))" if page else ""
    return key["what"] + link + "."


def config():
    listed = json.loads(subprocess.run([BINARY, "config", "keys", "--json"], capture_output=True, text=True, check=True).stdout)
    keys = {key["key"]: key for key in listed}
    sections = list(dict.fromkeys(re.split(r"[.\[]", name)[0] for name in keys))
    alone = [name for name in sections if not keys[name]["type"].startswith(("mapping", "list of mappings"))]
    out = "\n## At the left of the file\n\n" + "".join(entry(keys[name]) for name in alone)
    for name in sections:
        if name in alone:
            continue
        words = told(keys[name])
        out += f"\n## {name}\n\n{words[0].upper()}{words[1:]}\n\n"
        # A key that takes two types stands twice.
        out += "".join(entry(key) for key in listed if re.match(rf"{name}[.\[]", key["key"]) and not said_elsewhere(key, keys))
    return fitted(out) + "\n"


# ---- docs/clients ----

def client(name):
    """What `tandem connect` sets for a client, with the config of the examples, and what it says besides."""
    with tempfile.TemporaryDirectory() as home:
        file = pathlib.Path(home) / "tandem.yaml"
        page = DOCS / f"clients/{name}.md"
        file.write_text(completed("".join(b.text for b in blocks(page, "yaml")), base_config()))
        model = re.findall(r"--model (\S+)", page.read_text().split(BEGIN)[0])
        said = subprocess.run([BINARY, "connect", name, *(["--model", model[-1]] if model else []), "--config", file], env={"HOME": home}, capture_output=True, text=True, check=True).stdout
    first, *lines = said.splitlines()
    assert first.startswith(f"# {name}: "), first
    last = max(i for i, line in enumerate(lines) if not line.startswith("# "))
    settings, notes = "\n".join(parts for line in lines[:last + 1] for parts in json_lines(line)), lines[last + 1:]
    out = f"\nWhere: {first.removeprefix(f'# {name}: ')}.\n\n```text\n{settings}\n```\n\n" + "".join(f"- {note[2:]}\n" for note in notes)
    return fitted(out) + "\n"


def json_lines(line):
    """JSON of one line in several, where it is too long."""
    out = []
    while len(line) > 138 and ', "' in line[:136]:
        at = max(line.rindex(mark, 0, 136) + len(mark) - 2 for mark in (', "', '{ "') if mark in line[:136])
        out.append(line[:at + 1].rstrip())
        line = " " * (len(line) - len(line.lstrip()) + (2 if len(out) == 1 else 0)) + line[at + 1:].lstrip()
    return [*out, line]


def client_names():
    manual = subprocess.run([BINARY, "manual"], capture_output=True, text=True, check=True).stdout
    return plain(re.search(r"\.SS tandem connect.*\n.*\n\.TP\n.*\n(.*)", manual)[1]).split(", ")


# ---- headers.md ----

def request_headers():
    names = re.search(r"kNames = \{(.*?)\};", (SRC / "access/request_headers.cpp").read_text(), re.S)[1]
    return set(re.findall(r'"(x-tandem-\w+)"', names))


def answer_headers():
    return {name for folder in ("gateway", "api", "resources") for file in (SRC / folder).rglob("*.cpp") for name in re.findall(r'headers\.add\("(x-tandem-[\w-]+)"', file.read_text())}


MADE = {"cli.md": cli, "api.md": api, "errors.md": errors, "metrics.md": metrics, "config.md": config}


def with_part(text, part):
    begin, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    return text[:begin] + part + text[end:]


class Reference(unittest.TestCase):
    maxDiff = None

    def made(self, name):
        text = (REFERENCE / name).read_text()
        self.assertEqual(text, with_part(text, MADE[name]()), f"stale; python tests/docs/reference_test.py --write writes it")

    def test_commands(self):
        self.made("cli.md")

    def test_routes(self):
        self.made("api.md")

    def test_errors(self):
        self.made("errors.md")

    def test_metrics(self):
        self.made("metrics.md")

    def test_clients(self):
        names = client_names()
        self.assertEqual(sorted(p.stem for p in (DOCS / "clients").glob("*.md") if p.name != "README.md"), sorted(names))
        for name in names:
            with self.subTest(name):
                text = (DOCS / f"clients/{name}.md").read_text()
                self.assertEqual(text, with_part(text, client(name)), "stale; python tests/docs/reference_test.py --write writes it")

    def test_headers(self):
        request, _, answer = (REFERENCE / "headers.md").read_text().partition("\n## Of an answer\n")
        said = lambda text: set(re.findall(r"^- `(x-tandem-[\w-]+)`", text, re.M))
        self.assertEqual(said(request), request_headers())
        self.assertEqual(said(answer), answer_headers())

    def test_keys_of_the_config(self):
        self.made("config.md")


def write():
    for name, make in MADE.items():
        file = REFERENCE / name
        file.write_text(with_part(file.read_text(), make()))
    for name in client_names():
        file = DOCS / f"clients/{name}.md"
        file.write_text(with_part(file.read_text(), client(name)))


if __name__ == "__main__":
    if "--write" in sys.argv:
        write()
    else:
        unittest.main()
