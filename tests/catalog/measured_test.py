"""Law 4 from outside: what was measured of a model goes before what its owner claims, as long as it is the same model."""
import contextlib
import json
import sqlite3
import unittest

from harness import Tandem, Upstream


class Measured(unittest.TestCase):
    def setUp(self):
        self.upstream = Upstream()
        self.addCleanup(self.upstream.close)
        self.tandem = Tandem(f"""
providers:
  lab: {{ kind: openai, zone: local, base_url: {self.upstream.base_url} }}
models:
  m: {{ provider: lab, context: 8000 }}
""")
        self.addCleanup(self.tandem.stop)

    def measure(self, identity):
        """As a probe writes it."""
        self.tandem.process.terminate()
        self.tandem.process.wait(60)
        with contextlib.closing(sqlite3.connect(self.tandem.folder / "data/ledger.db")) as ledger:
            ledger.execute("INSERT INTO measurements (model, quantity, value, identity, source, time) VALUES ('m', 0, 1000, ?, 'a test', 1)", (identity,))
            ledger.commit()
        self.tandem.start()

    def ask(self):
        return self.tandem.chat("word " * 2500)

    def test_a_context_that_was_measured_decides(self):
        self.assertEqual(self.ask()[0], 200)
        self.measure("lab\nm")
        status, _, body = self.ask()
        self.assertEqual(status, 400, body)
        self.assertIn("1000", json.loads(body)["error"]["message"])
        self.assertEqual(len(self.upstream.requests), 1)

    def test_that_of_another_model_under_the_name_does_not(self):
        self.measure("lab\nanother")
        self.assertEqual(self.ask()[0], 200)


if __name__ == "__main__":
    unittest.main()
