"""The code is as clang-format leaves it."""
import pathlib
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Format(unittest.TestCase):
    def test_clang_format_changes_nothing(self):
        files = [str(f) for folder in ("src", "tests", "fuzz", "bench") for f in (ROOT / folder).rglob("*") if f.suffix in (".h", ".cpp")]
        result = subprocess.run(["clang-format-19", "--dry-run", "--Werror", *files], capture_output=True, text=True)
        self.assertEqual(result.returncode, 0, result.stderr[-2000:] + "\nmend: clang-format-19 -i on these")


if __name__ == "__main__":
    unittest.main()
