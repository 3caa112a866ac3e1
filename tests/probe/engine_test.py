"""The suites on a real engine: what is found is kept beside the claim, belongs to the model with these flags, and can be compared."""
import json
import unittest

from harness import MODEL, Tandem

CONFIG = """providers:
  home: {{ kind: engine }}
models:
  small: {{ provider: home, file: {file}, context: 4096, slots: {slots} }}
"""


class Engine(unittest.TestCase):
    def test_a_real_model_is_measured_and_compared(self):
        tandem = Tandem(CONFIG.format(file=MODEL, slots=2))
        self.addCleanup(tandem.stop)
        done = tandem.cli("probe", "small", "--suite", "context", "--json", timeout=300)
        self.assertEqual(done.returncode, 0, done.stderr)
        found = json.loads(done.stdout)
        usable = next(f for f in found["findings"] if f["name"] == "usable")
        # 135 million parameters do not find one of thirty lockers, however short the text is: that takes a few questions.
        self.assertEqual((usable["value"], usable["current"]), (0, True), found["findings"])
        self.assertLessEqual(usable["asked"], 10)
        self.assertEqual(tandem.chat("word " * 600, max_tokens=2, timeout=120)[0], 200)
        compared = tandem.cli("compare", "small", "--html", "page.html")
        self.assertEqual(compared.returncode, 0, compared.stderr)
        self.assertRegex(compared.stdout, r"usable context +0 of 4096")
        self.assertRegex(compared.stdout, r"memory +\d+\.\d MB")
        self.assertIn("tandem probe small --suite compatibility,instructions,json", compared.stdout)
        page = (tandem.folder / "page.html").read_text()
        self.assertIn("<svg", page)
        self.assertNotIn("<script", page)
        # With other flags it is another model.
        tandem.process.terminate()
        tandem.process.wait(60)
        tandem.write(CONFIG.format(file=MODEL, slots=1))
        tandem.start()
        self.assertIn("stale", tandem.cli("probe").stdout)
        self.assertIn("is not measured yet as it is now", tandem.cli("compare", "small").stdout)


if __name__ == "__main__":
    unittest.main()
