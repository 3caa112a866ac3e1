"""The official test suite of JSON Schema, draft 2020-12, as the source of PyPI's `jsonschema` has it: what it says is right, is right."""
import collections
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import unittest

import harness

JUDGE = pathlib.Path(harness.BINARY).parent / "tests" / "schema_judge"
CACHE = pathlib.Path(os.environ.get("TANDEM_CACHE", pathlib.Path.home() / ".cache/tandem")) / "test-data"
VERSION, DIGEST = "4.26.0", "0c26707e2efad8aa1bfc5b7ce170f3fccc2e4918ff85989ba9ffa9facb2be326"

# What Tandem does not do: a metaschema of one's own that takes keywords away.
LEFT = {("schema that uses custom metaschema with with no validation vocabulary", "no validation: invalid number, but it still validates")}


def suite():
    """The folder `json` of the suite; None where it is not to be had."""
    archive = CACHE / f"jsonschema-{VERSION}.tar.gz"
    if not archive.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="tandem-suite-", dir=CACHE) as folder:
            command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--disable-pip-version-check", "--no-binary", "jsonschema",
                       "--dest", folder, f"jsonschema=={VERSION}"]
            try:
                subprocess.run(command, check=True, timeout=300, capture_output=True)
                (pathlib.Path(folder) / archive.name).rename(archive)
            except (OSError, subprocess.SubprocessError):
                return None
    if hashlib.sha256(archive.read_bytes()).hexdigest() != DIGEST:
        raise AssertionError(f"{archive} is another file than the one that is known by its SHA-256")
    folder = CACHE / f"jsonschema-{VERSION}"
    if not folder.exists():
        with tempfile.TemporaryDirectory(prefix="tandem-suite-", dir=CACHE) as work, tarfile.open(archive) as tar:
            tar.extractall(work, filter="data")
            (pathlib.Path(work) / folder.name).rename(folder)
    return folder / "json"


def known(folder):
    """What schemas of the suite refer to: nothing of it is fetched."""
    from jsonschema_specifications import REGISTRY
    remotes = folder / "remotes"
    texts = {f"http://localhost:1234/{file.relative_to(remotes).as_posix()}": file.read_text() for file in sorted(remotes.rglob("*.json"))
             if "draft" not in file.relative_to(remotes).parts[0] or file.relative_to(remotes).parts[0] == "draft2020-12"}
    return texts | {uri: json.dumps(REGISTRY[uri].contents) for uri in REGISTRY if "2020-12" in uri}


class Judge:
    def __enter__(self):
        self.process = subprocess.Popen([JUDGE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def __call__(self, schema, values, known=None):
        self.process.stdin.write(json.dumps({"schema": schema, "known": known or {}, "values": values}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


class Suite(unittest.TestCase):
    def test_passes_whole(self):
        folder = suite()
        if folder is None:
            self.skipTest("THE OFFICIAL TEST SUITE DID NOT RUN: PyPI's jsonschema is not to be had")
        texts, count, wrong = known(folder), collections.Counter(), set()
        with Judge() as judge:
            for file in sorted((folder / "tests/draft2020-12").glob("*.json")):
                for case in json.loads(file.read_text()):
                    said = judge(case["schema"], [test["data"] for test in case["tests"]], texts)
                    for i, test in enumerate(case["tests"]):
                        verdict = said.get("verdicts", [said] * 1000)[i]
                        good = verdict == ("valid" if test["valid"] else "invalid")
                        count[good] += 1
                        if not good:
                            wrong.add((case["description"], test["description"]))
                            print(file.name, case["description"], "/", test["description"], verdict)
        print(f"the official suite, draft 2020-12: {count[True]} of {count.total()} right")
        self.assertEqual(wrong, LEFT)
        self.assertGreater(count.total(), 1250)

    def test_of_draft_7_is_mostly_right(self):
        """Tools of today say their schemas in the words of draft 7 as well. What differs: a $ref beside other keywords, which counts in 2020-12."""
        folder = suite()
        if folder is None:
            self.skipTest("THE OFFICIAL TEST SUITE DID NOT RUN: PyPI's jsonschema is not to be had")
        count = collections.Counter()
        with Judge() as judge:
            for file in sorted((folder / "tests/draft7").glob("*.json")):
                if file.name in ("refRemote.json", "definitions.json"):
                    continue  # of documents that are not here
                for case in json.loads(file.read_text()):
                    said = judge(case["schema"], [test["data"] for test in case["tests"]])
                    for i, test in enumerate(case["tests"]):
                        verdict = said.get("verdicts", [said] * 1000)[i]
                        count[verdict == ("valid" if test["valid"] else "invalid")] += 1
                        if verdict != ("valid" if test["valid"] else "invalid"):
                            print(file.name, case["description"], "/", test["description"], verdict)
        print(f"the official suite, draft 7: {count[True]} of {count.total()} right")
        self.assertGreater(count[True] / count.total(), 0.97)


class Hostile(unittest.TestCase):
    def test_schemas_are_bounded(self):
        with Judge() as judge:
            loop = {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}
            self.assertEqual(judge(loop, [1])["verdicts"], ["unknown"])
            deep = {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}
            self.assertEqual(judge(deep, [1])["verdicts"], ["unknown"])
            # Time that a backtracking matcher would not live to see the end of.
            self.assertEqual(judge({"pattern": "^(a+)+$"}, ["a" * 50_000 + "!"])["verdicts"], ["invalid"])
            self.assertEqual(judge({"pattern": "^((a{1,1000}){1,1000}){1,1000}$"}, ["b"])["unchecked"], ["pattern ^((a{1,1000}){1,1000}){1,1000}$"])
            elsewhere = judge({"$ref": "https://example.com/x"}, [1])
            self.assertEqual((elsewhere["verdicts"], elsewhere["words"], elsewhere["unchecked"]), (["valid"], [""], ["$ref https://example.com/x"]))
            wide = {"anyOf": [{"const": i} for i in range(20_000)]}
            self.assertEqual(judge({"items": wide}, [[-1] * 5000])["verdicts"], ["unknown"])

    def test_what_is_wrong_is_said(self):
        schema = {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer", "maximum": 7}}, "required": ["city"], "additionalProperties": False}
        with Judge() as judge:
            said = judge(schema, [{"days": "5"}, {"city": "x", "days": 9, "y": 1}, {"city": "x", "days": 5.0}])
        self.assertEqual(said["verdicts"], ["invalid", "invalid", "valid"])
        self.assertEqual(said["words"][0], "it lacks the required member 'city'; /days must be integer, and is string")
        self.assertEqual(said["words"][1], "/days must be at most 7; it has the member 'y', which is not known")


if __name__ == "__main__":
    unittest.main()
