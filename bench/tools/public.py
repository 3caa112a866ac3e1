"""A public function-calling set: the data of the Berkeley Function-Calling Leaderboard, from PyPI's bfcl-eval (Apache 2.0). Functions get
other names, so that a model that has seen the set gains nothing by them; words and right arguments stay as they are."""
import hashlib
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import zipfile

VERSION = "2026.3.23"
SUM = "3bb6dfa5f0c68ad403c9ec50b00db2bb3b4cc9b38ab1ff33f48fe30d853d3a0a"
TYPES = {"dict": "object", "float": "number", "tuple": "array"}
FITS = ("simple_python", "multiple", "live_simple", "live_multiple")    # one call is right
NONE = ("irrelevance", "live_irrelevance")                              # no function fits
WORDS = ["amber", "birch", "cedar", "delta", "ember", "flint", "grove", "heron", "iris", "jade", "koala", "lotus", "maple", "north"]


def wheel():
    folder = pathlib.Path(tempfile.gettempdir()) / f"bfcl-eval-{VERSION}"
    if not list(folder.glob("*.whl")):
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), f"bfcl-eval=={VERSION}"], check=True)
    (file,) = folder.glob("*.whl")
    found = hashlib.sha256(file.read_bytes()).hexdigest()
    if found != SUM:
        raise SystemExit(f"{file} has another checksum than expected: {found}")
    return zipfile.ZipFile(file)


def lines(archive, name):
    return [json.loads(line) for line in archive.read(f"bfcl_eval/data/{name}").decode().splitlines() if line.strip()]


def schema_of(given):
    """Their words for types are Python's."""
    if isinstance(given, list):
        return [schema_of(one) for one in given]
    if not isinstance(given, dict):
        return given
    made = {}
    for key, value in given.items():
        if key == "type" and isinstance(value, str):
            if value != "any":
                made["type"] = TYPES.get(value, value)
        elif key == "properties" and isinstance(value, dict):
            made["properties"] = {name: schema_of(one) for name, one in value.items()}
        else:
            made[key] = schema_of(value)
    return made


def functions():
    """The schemas of all functions of the set, each once."""
    archive, seen = wheel(), {}
    for name in FITS + NONE:
        for task in lines(archive, f"BFCL_v4_{name}.json"):
            for one in task["function"]:
                schema = schema_of(one["parameters"])
                seen[json.dumps(schema, sort_keys=True)] = schema
    return list(seen.values())


def tasks(seed, count):
    """`count` tasks, a third of which fits no function."""
    archive, r = wheel(), random.Random(seed)
    pools = {}
    for kind, names in (("fits", FITS), ("none", NONE)):
        pools[kind] = [(name, task) for name in names for task in lines(archive, f"BFCL_v4_{name}.json")]
        r.shuffle(pools[kind])
    answers = {one["id"]: one["ground_truth"] for name in FITS for one in lines(archive, f"possible_answer/BFCL_v4_{name}.json")}
    made = []
    for i in range(count):
        _, task = pools["none" if i % 3 == 2 else "fits"].pop()
        turns = task["question"][0]
        names = {one["name"]: f"{r.choice(WORDS)}_{r.randint(100, 999)}" for one in task["function"]}
        tools = [{"type": "function", "function": {"name": names[one["name"]], "description": one["description"], "parameters": schema_of(one["parameters"])}}
                 for one in task["function"]]
        right = None
        if task["id"] in answers:
            ((name, values),) = answers[task["id"]][0].items()
            right = {"name": names[name], "any_of": values}
        made.append({"tools": tools, "messages": turns, "right": right})
    return made


def is_right(wanted, arguments):
    """Whether each argument is one of those that are right; "" among them: it may be left out."""
    for name, allowed in wanted.items():
        if name not in arguments:
            if "" not in allowed:
                return False
        elif not any(equal(one, arguments[name]) for one in allowed):
            return False
    return set(arguments) <= set(wanted)


def plain(text):
    return "".join(c for c in text.lower() if c not in " ,./-_*^'\"")


def equal(wanted, given):
    if isinstance(wanted, str):
        return isinstance(given, str) and plain(wanted) == plain(given)
    if isinstance(wanted, bool) or isinstance(given, bool):
        return wanted is given
    if isinstance(wanted, (int, float)):
        return isinstance(given, (int, float)) and wanted == given
    if isinstance(wanted, list):
        return isinstance(given, list) and len(wanted) == len(given) and all(map(equal, wanted, given))
    if isinstance(wanted, dict):
        return isinstance(given, dict) and is_right({k: v if isinstance(v, list) else [v] for k, v in wanted.items()}, given)
    return wanted == given
