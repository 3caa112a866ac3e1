"""The schema that editors check a tandem.yaml by says what the parser says: `tandem config schema`, packaging/tandem.schema.json.

`python tests/config/schema_test.py --write` writes the file that is checked in.
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import jsonschema
import yaml

from harness import BINARY

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/docs"))
from pages import base_config, blocks, completed, pages

FILE = ROOT / "packaging/tandem.schema.json"

# ---- YAML as editors read it: 1.2's core schema ----


class Core(yaml.SafeLoader):
    """true and false alone are flags, and no date is more than text."""


Core.yaml_implicit_resolvers = {}
for tag, form, first in (("null", r"~|null|Null|NULL|", "~nN\0"), ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"), ("int", r"[-+]?[0-9]+", "-+0123456789"),
                         ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789")):
    Core.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(rf"^(?:{form})$"), [*first.replace("\0", ""), ""] if tag == "null" else list(first))


def read(text):
    """A config as JSON, by the rules of YAML: what editors and other programs read too."""
    def back(value):
        if isinstance(value, dict):
            return {str(k): back(v) for k, v in value.items()}
        if isinstance(value, list):
            return [back(v) for v in value]
        return value
    return back(yaml.load(text, Core))


def tandem(*arguments):
    return subprocess.run([BINARY, *arguments], capture_output=True, text=True, check=True).stdout


def problems(document):
    """What the parser says, by key: {"server.workers": ["expected ..."]}, and the keys that it does not know."""
    with tempfile.TemporaryDirectory() as home:
        file = pathlib.Path(home) / "tandem.yaml"
        file.write_text(document if isinstance(document, str) else json.dumps(document))
        said = subprocess.run([BINARY, "policy", "show", "--config", file], env={"HOME": home, "SET": "x"}, capture_output=True, text=True)
    assert said.returncode in (0, 3), said.stderr
    found = re.findall(r"tandem\.yaml(?::\d+:\d+)?: (.*)", said.stderr)
    by_key = {}
    for line in found:
        key, colon, words = line.partition(": ")
        by_key.setdefault(key if colon else "", []).append(words if colon else line)
    return by_key, [line for line in found if "unknown key" in line]


def path_text(parts):
    return re.sub(r"^\.", "", "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in parts))


# ---- a document with every key ----

# Of two providers, models, rules, budgets and aliases, each key stands where the parser reads it.
NAMES = {"providers": ["here", "run", "there"], "models": ["of_engine", "of_command", "of_other"], "aliases": ["listed", "mapped"]}
ENGINES = ("file", "slots", "idle_unload", "load_timeout", "preload", "pin", "group", "args")
COMMANDS = ("command", "environment", "ready", "health", "port", "memory", "stop", "connects", "readable", "writable")


def places(path):
    """Where the keys of a path stand in the document."""
    found = [[]]
    for part in re.findall(r"\[\]|[^.\[]+", path):
        options = [0, 1] if part == "[]" else NAMES.get(found[0][0], ["one"]) if part == "NAME" else [part]
        found = [[*one, option] for one in found for option in options]
    return [one for one in found if is_read(one)]


def is_read(place):
    first, last = place[0], place[-1]
    if first == "providers" and last == "base_url":
        return place[1] == "there"
    if first == "models" and (last in COMMANDS or (len(place) > 2 and place[2] in COMMANDS)):
        return place[1] == "of_command"
    if first == "models" and last in ENGINES:
        return place[1] == "of_engine" or (place[1] == "of_command" and last != "args")
    if first == "aliases":
        return (len(place) == 2) == (place[1] == "listed")
    if first == "policy" and "cascade" in place:
        return (last == "cascade") == (place[2] == 0)
    if "budgets" in place:
        at = place[place.index("budgets") + 1]
        return last not in (("window", "time_zone", "week_starts") if at == 0 else ("rolling",))
    return path_text(place) != "policy.preset"  # which rules stand in place of


# What else has to be as it is, so that the other keys are read.
FIXED = {"providers.here.kind": "engine", "providers.run.kind": "command", "models.of_command.provider": "run", "providers.there.kind": "openai", "models.of_engine.provider": "here", "models.of_other.provider": "there",
         "hardware.one.measure.source": "shelly"}
UNSAID = object()


def document(keys, value_of):
    root = {}
    for key in keys:
        if key["type"].startswith(("mapping", "list of mappings")):
            continue
        for place in places(key["key"]):
            value = FIXED.get(path_text(place), value_of(key))
            if value is UNSAID:
                continue
            at = root
            for part, after in zip(place, place[1:]):
                empty = [{}, {}] if isinstance(after, int) else {}
                at = at[part] if isinstance(part, int) else at.setdefault(part, empty)
            at[place[-1]] = value
    return root


SAMPLES = {"text": "some-text", "secret": "${SET}", "true": True, "time": "2027-01-31", "size": "8MiB", "money": 2.5, "list": ["some-text"], "duration": "5m"}


def sample(key):
    """A value of the key's type."""
    if "example" in key:
        return [key["example"]] if key["type"].startswith("list") else key["example"]
    if key["key"] == "energy.every":
        return "5s"
    if key["type"] == "label":
        return "private"
    if key["key"] == "retrieval.extract_memory":
        return "128MiB"
    if choice := re.search(r"one of `(.*?)`", key["type"]):
        return [choice[1]] if key["type"].startswith("list") else choice[1]
    if bounds := re.match(r"(?:whole )?number, (?:0 or )?([\d.,]+) to", key["type"]):
        low = float(bounds[1].replace(",", ""))
        return int(low) if low.is_integer() else low
    if key["type"].startswith("size"):
        return "32KiB" if "60 KiB" in key["type"] else "8MiB"
    return ["${SET}"] if key["type"] == "list of secrets" else SAMPLES[key["type"].split()[0].rstrip(",")]


# What the parser says, and no schema of the file can: the reason, and the parser's words.
BEYOND = {
    "it is about a name that stands elsewhere": r"no (local )?(provider|model|model or alias|alias|key|team|time zone)\b|is no model that claims|this alias exists already|is the same model|knows no time zone",
    "it is about another key": r"it needs|needs a second|is for |only models of|is below the label|says nothing|give (them|api_key|one of them|a preset|`after)|not both|nothing to look for|two budgets"
                               r"|a judge compares|nobody sees|is more than the price|may read them already|say which model judges|there is a judge only|is missing|nobody|draws electricity|clearance of"
                               r"|same as|0.01 to 0.99|anything|the same model|an engine runs|stands at|more than|everyone on the network|expected a list of models",
    "it is about one element of a list, or how many there are": r"more than \d+ thresholds|absolute path of a program|starts with '|needs \{port\} or \{socket\}|a glob has 1 to 200",
    "it is about the length or the content of a secret": r"shorter than|expected sha256|is of less than|of less than|one character",
    "it is about what a number means": r"a rate of 0",
}
# Values that the schema takes and the parser does not everywhere, with the reason.
LOST = {
    "a bound of what is written with a unit or in quotes is a number's, and no pattern's": lambda value: isinstance(value, str) and re.fullmatch(r"[0-9.]+(s|GiB|%)?", value),
    "JSON has one way to write a number, YAML has more": lambda value: value == 1e30,
}


def of_form(said):
    """What is said of a value's form."""
    return [words for words in said if not any(re.search(form, words) for form in BEYOND.values())]


class Schema(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.text = tandem("config", "schema")
        cls.schema = json.loads(cls.text)
        cls.keys = json.loads(tandem("config", "keys", "--json"))
        jsonschema.Draft202012Validator.check_schema(cls.schema)
        cls.validator = jsonschema.Draft202012Validator(cls.schema)

    def errors(self, document):
        def within(error):
            # Of what may be one value or a mapping, the mapping's errors are those of its keys.
            below = [e for e in error.context or [] if e.relative_path] if isinstance(error.instance, dict) else []
            return [e for one in below for e in within(one)] or [error]
        return {path_text(e.absolute_path): e for error in self.validator.iter_errors(document) for e in within(error)}

    def test_the_file_is_what_the_program_prints(self):
        self.assertEqual(FILE.read_text(), self.text, "stale; python tests/config/schema_test.py --write writes it")

    def test_keys_are_listed_for_people(self):
        self.assertIn("policy.answer_bound (whole number, 16 to 100,000,000; default 4096)\n    tokens that", tandem("config", "keys", "policy.answer_bound"))
        below = [key["key"] for key in json.loads(tandem("config", "keys", "server.tls", "--json"))]
        self.assertEqual(below, ["server.tls", "server.tls.certificate", "server.tls.key"])
        wrong = subprocess.run([BINARY, "config", "keys", "server.lisen"], capture_output=True, text=True)
        self.assertNotEqual(wrong.returncode, 0)
        self.assertIn("did you mean 'server.listen'?", wrong.stderr)
        wrong = subprocess.run([BINARY, "config", "keys", "nothing-like-it"], capture_output=True, text=True)
        self.assertNotIn("did you mean", wrong.stderr)

    def test_each_default_and_example_is_taken(self):
        seen = 0
        def walk(node, path):
            nonlocal seen
            if isinstance(node, list):
                for one in node:
                    walk(one, path)
            if not isinstance(node, dict):
                return
            for value in [*([node["default"]] if "default" in node and "description" in node else []), *(node.get("examples") or [])]:
                seen += 1
                one = jsonschema.Draft202012Validator({**node, "$defs": self.schema["$defs"]})
                self.assertEqual([e.message for e in one.iter_errors(value)], [], f"{path}: {value}")
            for name, below in node.items():
                if name == "properties":
                    for key, one in below.items():
                        walk(one, f"{path}.{key}")
                elif name in ("additionalProperties", "items", "anyOf"):
                    walk(below, path)
        walk(self.schema, "")
        self.assertGreater(seen, 150)

    def test_configs_of_the_docs_are_taken(self):
        found = [(b.where, completed(b.text, base_config())) for page in pages() for b in blocks(page, "yaml") if b.is_config()]
        found += [(str(f.relative_to(ROOT)), f.read_text()) for f in (ROOT / "packaging").rglob("*.yaml") if f.name not in ("compose.yaml",)]
        self.assertGreater(len(found), 40)
        for where, text in found:
            with self.subTest(where):
                self.assertEqual({path: e.message for path, e in self.errors(read(text)).items()}, {})

    def test_every_key_is_read_and_taken(self):
        """A value of its type at each key at once: the parser knows all of them, and neither finds its form wrong."""
        # Beside the name that a key has now, an old one is a mistake.
        whole = document([key for key in self.keys if "instead" not in key], sample)
        said, unknown = problems(whole)
        self.assertEqual(unknown, [], "keys that are described, and not read")
        self.assertEqual({path: words for path, words in said.items() if of_form(words)}, {})
        self.assertEqual({path: e.message for path, e in self.errors(whole).items()}, {})

    def test_what_a_key_demands_of_those_beside_it_is_said_by_both(self):
        def lacks(config):
            return [e.message for e in self.errors(config).values()], problems(config)[0]
        home = {"providers": {"home": {"kind": "engine"}}, "models": {"m": {"provider": "home", "file": "/m.gguf"}}}
        self.assertEqual(self.errors(home), {})
        for kind, missing in (("openai", {"base_url", "zone"}), ("responses", {"base_url", "zone"}), ("llama-server", {"base_url", "zone"}), ("anthropic", {"zone"}), ("ollama", {"zone"})):
            with self.subTest(kind):
                by_schema, by_parser = lacks({**home, "providers": {**home["providers"], "p": {"kind": kind}}})
                self.assertEqual(len(by_schema), 1)
                self.assertIn("is a required property", by_schema[0])
                self.assertTrue(by_parser)
                whole = {"kind": kind, **{name: {"base_url": "http://127.0.0.1:1", "zone": "local"}[name] for name in missing}}
                self.assertEqual(self.errors({**home, "providers": {**home["providers"], "p": whole}}), {})
        for source, needed in (("shelly", "url"), ("home-assistant", "entity"), ("rapl", "rest_watts")):
            with self.subTest(source):
                machine = {"hardware": {"box": {"measure": {"source": source}}}}
                by_schema, _ = lacks({**home, **machine})
                self.assertTrue(any("is a required property" in words for words in by_schema), by_schema)
                machine["hardware"]["box"]["measure"]["source"] = "${SET}"  # nobody knows what it stands for
                self.assertFalse(any("is a required property" in words and needed in words for words in lacks({**home, **machine})[0]))

    def test_every_old_name_of_a_key_is_taken_by_both(self):
        by_name = {"aliases", *(key["key"] for key in self.keys if key["type"] == "mapping by NAME")}
        old = {key["key"]: key["formerly"] for key in self.keys if "formerly" in key}
        renamed = []

        def rename(node, path):
            for name, below in [*node.items()] if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else []:
                at = path + ("[]" if isinstance(name, int) else ".NAME" if path in by_name else f".{name}" if path else name)
                rename(below, at)
                if at in old:
                    node[old[at]] = node.pop(name)
                    renamed.append(at)

        whole = document([key for key in self.keys if "instead" not in key], sample)
        rename(whole, "")
        self.assertEqual(set(renamed), set(old))
        said, unknown = problems(whole)
        self.assertEqual(unknown, [])
        self.assertEqual({path: words for path, words in said.items() if of_form(words)}, {})
        self.assertEqual({path: e.message for path, e in self.errors(whole).items()}, {})

    def test_every_key_that_the_parser_asks_for_is_described(self):
        """To a key that it does not know, the parser answers with those that it asked for."""
        none = "q" * 40
        by_name = {"aliases", *(key["key"] for key in self.keys if key["type"] == "mapping by NAME")}

        def spoil(node, path):
            for name, below in [*node.items()] if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else []:
                spoil(below, path + ("[]" if isinstance(name, int) else ".NAME" if path in by_name else f".{name}" if path else name))
            if isinstance(node, dict) and path not in by_name:
                node[none] = 1

        whole = document(self.keys, sample)
        spoil(whole, "")
        _, unknown = problems(whole)
        described = {key["key"] for key in self.keys}
        asked = {}
        for line in unknown:
            match = re.search(rf"unknown key '{none}'(?: in (\S+?))?; there are: (.*)", line)
            self.assertTrue(match, line)
            parts = re.findall(r"\[\d+\]|[^.\[]+", match[1] or "")
            path = "".join("[]" if p[0] == "[" else f".{'NAME' if p in ('one', *sum(NAMES.values(), [])) else p}" for p in parts).removeprefix(".")
            asked.setdefault(path, set()).update(match[2].split(", "))
        self.assertGreater(len(asked), 40)
        missing = [f"{path}.{name}".removeprefix(".") for path, names in asked.items() for name in names if f"{path}.{name}".removeprefix(".") not in described]
        self.assertEqual(missing, [])

    def test_schema_and_parser_agree_on_values_of_every_kind(self):
        differences = {}
        for value in ("some words", "", "5", "true", "10s", "0s", "1GiB", "1.5", "public", "80%", 0, 1, 7, -1, 0.25, 10 ** 17, 1e30, True, None, [], ["some words"], [7], [None], [["a"]], {}, {"a": 1}):
            whole = document(self.keys, lambda key: value)
            said, unknown = problems(whole)
            wrong = self.errors(whole)
            self.assertEqual(unknown, [] if not isinstance(value, dict) else unknown)
            for key in self.keys:
                if key["type"].startswith(("mapping", "list of mappings")):
                    continue
                for place in places(key["key"]):
                    path = path_text(place)
                    if path in FIXED:
                        continue
                    if isinstance(value, dict) and path in ("aliases.listed", "policy.rules[0].cascade"):
                        continue  # where mappings may stand too
                    words = of_form(said.get(path, []))
                    if bool(words) == (path in wrong) or (words and any(lost(value) for lost in LOST.values())):
                        continue
                    # One line for each kind of difference: the keys are in the report of the first.
                    differences.setdefault(f"{value!r} at {key['type'][:30]}: parser {words or 'takes it'}", []).append(path)
        self.assertEqual({kind: paths[:3] for kind, paths in differences.items()}, {})

    def test_mappings_and_lists_are_told_apart_alike(self):
        for value in ("some words", 5, True, None, [], ["a"], {"nobody-knows-this": 1}):
            for key in self.keys:
                if key["type"] != "mapping" or "." in key["key"]:
                    continue
                whole = {key["key"]: value}
                said, unknown = problems(whole)
                text = str(said)
                refused = unknown or "must be a" in text or "expected a list" in text
                self.assertEqual(bool(refused), bool([e for e in self.errors(whole).values() if e.validator != "required"]), f"{whole}: {said} {unknown}")

    def test_names_have_the_form_that_the_parser_wants(self):
        for section in ("providers", "models", "keys", "teams", "aliases", "experiments", "hardware"):
            for name in ("good", "with blanks", "ü", "x" * 101):
                whole = {section: {name: {}}}
                said, _ = problems(whole)
                text = str(said)
                with self.subTest(f"{section}: {name[:20]}"):
                    refused = "has only letters" in text or "at most 60" in text
                    self.assertEqual([e.validator for e in self.errors(whole).values() if e.validator == "pattern"], ["pattern"] if refused else [])


if __name__ == "__main__":
    if "--write" in sys.argv:
        FILE.write_text(tandem("config", "schema"))
    else:
        unittest.main()
