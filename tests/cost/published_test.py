"""`tandem cost break-even` against calculations that others have published (published.json: source, inputs as a profile, results).

Each expected number is the published one with the error of its own rounding, or, where `agrees` is not "yes", what its own inputs
give by hand; the note says how the two differ. docs/internals/field.md has the table."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

BINARY = os.environ["TANDEM_BINARY"]
PUBLISHED = json.loads((pathlib.Path(__file__).parent / "published.json").read_text())


def run(profile, *arguments):
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "profile.json"
        file.write_text(json.dumps(profile, indent="\t"))
        result = subprocess.run([BINARY, "cost", "break-even", "--profile", file, "--json", "--draws", "10", *arguments],
                                capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def at(answer, path):
    for key in path.split("."):
        answer = answer[key]
    return answer


class Published(unittest.TestCase):
    def test_what_others_have_calculated_comes_out_of_their_inputs(self):
        for entry in PUBLISHED:
            answer = run(entry["profile"])["hardware"][0]
            for path, expected in entry["expect"].items():
                with self.subTest(source=entry["source"], number=path):
                    if expected is None:
                        self.assertIsNone(at(answer, path))
                    else:
                        self.assertIsNotNone(at(answer, path))
                        self.assertLessEqual(abs(at(answer, path) - expected[0]), expected[1] + 1e-9, at(answer, path))


if __name__ == "__main__":
    unittest.main()
