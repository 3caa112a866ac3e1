"""The table of codes (src/base/fault.cpp) and the code that uses it: no row that nothing gives, no key or command in it that is not there."""
import json
import pathlib
import re
import subprocess
import sys
import unittest

from harness import BINARY

ROOT = pathlib.Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
sys.path.insert(0, str(ROOT / "tests/docs"))
from reference_test import error_codes, faults


class Codes(unittest.TestCase):
    def test_each_row_has_a_kind_and_two_sentences(self):
        kinds = error_codes()
        for name, kind, what, remedy in faults():
            with self.subTest(name):
                self.assertRegex(name, r"^[a-z]+(_[a-z]+)*$")
                self.assertIn(kind, kinds)
                self.assertNotRegex(what + remedy, r"\.$")
                self.assertGreater(min(len(what), len(remedy)), 10)

    def test_each_code_is_given_somewhere(self):
        code = "".join(file.read_text() for file in SRC.rglob("*.[ch]*") if file.parent.name != "base" or not file.stem.startswith("fault"))
        for name, kind, *_ in faults():
            with self.subTest(name):
                self.assertRegex(code, rf"\b(Fault|ErrorCode)::{name}\b")

    def test_keys_and_commands_that_a_remedy_names_are_there(self):
        keys = {key["key"] for key in json.loads(subprocess.run([BINARY, "config", "keys", "--json"], capture_output=True, text=True, check=True).stdout)}
        manual = subprocess.run([BINARY, "manual"], capture_output=True, text=True, check=True).stdout.replace("\\-", "-")
        for name, _, what, remedy in faults():
            named = re.findall(r"`([^`]+)`", what + remedy)
            for word in named:
                with self.subTest(code=name, word=word):
                    if match := re.match(r"tandem ([\w-]+(?: [a-z]+)?)$", word):
                        self.assertRegex(manual, rf"tandem {match[1]}\b")
                    elif re.match(r"(server|privacy|providers|models|keys|policy|engine|aliases)\.\w", word) and word != "privacy.key":
                        self.assertIn(word, keys)


if __name__ == "__main__":
    unittest.main()
