"""What left can be listed, shown, taken away and proved; whoever changes or cuts the record is found out."""
import json
import pathlib
import shutil
import sqlite3
import unittest
import warnings

from harness import Tandem, Upstream, until

IBAN = "DE89 3704 0044 0532 0130 00"


class Audit(unittest.TestCase):
    def setUp(self):
        warnings.simplefilter("ignore", ResourceWarning)
        self.cloud = Upstream()
        self.addCleanup(self.cloud.close)
        self.tandem = Tandem(f"privacy: {{ actions: {{ cloud: {{ private: redact }} }} }}\nproviders:\n  far: {self.cloud.provider('cloud')}\nmodels:\n  m: {{ provider: far }}\n")
        self.addCleanup(self.tandem.stop)

    def leave(self, count=3):
        for i in range(count):
            self.assertEqual(self.tandem.chat(f"Pay {IBAN}" if i == 1 else f"hello {i}", model="m")[0], 200)

    def checkpoints(self):
        file = self.tandem.folder / "data/egress.checkpoints"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def signed(self, count):
        until(lambda: self.checkpoints() and self.checkpoints()[-1]["records"] == count, "the checkpoint")

    def end(self):
        self.tandem.process.terminate()
        self.tandem.process.wait(30)

    def sql(self, text):
        with sqlite3.connect(self.tandem.folder / "data/ledger.db") as database:
            database.execute(text)
        database.close()

    def test_prove_lists_what_left_by_label_and_says_that_the_law_held(self):
        self.leave()
        result = self.tandem.cli("audit", "prove", "--since", "1h")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("public: 3 bodies", result.stdout)
        self.assertIn("without IBAN_CODE:1", result.stdout)
        self.assertIn("the law held", result.stdout)
        left = json.loads(self.tandem.cli("audit", "prove", "--json").stdout)["left"]["public"]
        self.assertEqual([r["bytes"] for r in left], [len(body) for _, body in self.cloud.requests])
        self.assertIn("IBAN_CODE:1", self.tandem.cli("audit", "show", "2").stdout)
        self.assertEqual(self.tandem.cli("audit", "show", "9").returncode, 5)

    def test_a_cut_end_is_missed(self):
        self.leave()
        self.end()
        self.assertEqual(self.checkpoints()[-1]["records"], 3)
        self.assertEqual(self.tandem.cli("audit", "verify").returncode, 0)
        self.sql("DELETE FROM egress WHERE sequence = 3")
        result = self.tandem.cli("audit", "verify")
        self.assertEqual(result.returncode, 6)
        self.assertIn("its end is missing", result.stderr)
        # A new start does not paper it over.
        self.tandem.start()
        self.assertIn("its end is missing", self.tandem.log_text())
        self.leave(1)
        self.assertEqual(self.tandem.cli("audit", "verify").returncode, 6)

    def test_what_a_cloud_answered_without_a_record_is_missed(self):
        self.leave()
        self.sql("DELETE FROM egress")
        self.assertEqual(self.tandem.cli("audit", "prove").returncode, 6)

    def test_a_checkpoint_that_was_changed_is_found(self):
        self.leave()
        self.end()
        file = self.tandem.folder / "data/egress.checkpoints"
        file.write_text(file.read_text().replace('"records":3', '"records":2'))
        result = self.tandem.cli("audit", "verify")
        self.assertEqual(result.returncode, 6)
        self.assertIn("not signed", result.stderr)

    def test_an_export_can_be_checked_elsewhere(self):
        self.leave()
        self.signed(3)
        export = self.tandem.cli("audit", "export").stdout
        elsewhere = self.tandem.folder / "elsewhere"
        elsewhere.mkdir()
        def check(text):
            (elsewhere / "x.jsonl").write_text(text)
            return self.tandem.cli("audit", "verify", "--file", str(elsewhere / "x.jsonl")).returncode
        lines = export.splitlines(keepends=True)
        self.assertEqual(len(lines), 4)
        self.assertEqual(check(export), 0)
        self.assertEqual(check("".join(lines[1:])), 0)  # from a later date on
        for bad in ("".join(lines[:2] + lines[3:]), "".join(lines[:3]), export.replace('"bytes":', '"bytes":1', 1), export.replace('"records":3', '"records":4')):
            self.assertEqual(check(bad), 6)

    def test_the_key_is_the_owners_alone(self):
        key = self.tandem.folder / "data/privacy.key"
        self.assertEqual(key.stat().st_mode & 0o777, 0o600)
        self.assertEqual((self.tandem.folder / "data/egress.checkpoints").stat().st_mode & 0o777 if self.checkpoints() else 0o600, 0o600)


class Release(unittest.TestCase):
    def test_a_label_is_lowered_on_the_owners_word_alone_and_on_record(self):
        warnings.simplefilter("ignore", ResourceWarning)
        cloud = Upstream()
        self.addCleanup(cloud.close)
        tandem = Tandem(f"keys:\n  alice: {{ secret: alice-key-0123456789 }}\nproviders:\n  far: {cloud.provider('cloud')}\nmodels:\n  m: {{ provider: far }}\n")
        self.addCleanup(tandem.stop)
        alice = {"authorization": "Bearer alice-key-0123456789"}
        def ask(*texts, **headers):
            messages = [{"role": "assistant" if i % 2 else "user", "content": t} for i, t in enumerate(texts)]
            return tandem.chat(model="m", messages=messages, headers={**alice, **headers})
        first = f"The account of our foundation is {IBAN}, as printed on its letters."
        status, headers, _ = ask(first)
        self.assertEqual((status, headers["x-tandem-label"]), (422, "private"))
        decision = headers["x-tandem-decision"]
        body = {"decision": decision, "reason": "it is printed on every letter"}
        self.assertEqual(tandem.request("/tandem/v1/labels/release", body, alice)[0], 403)
        self.assertEqual(tandem.cli("label", "release", decision).returncode, 2)  # no reason
        self.assertEqual(tandem.cli("label", "release", "dec_none", "--reason", "x").returncode, 5)
        self.assertEqual(tandem.cli("label", "release", "no-such-name", "--key", "alice", "--reason", "x").returncode, 5)
        self.assertEqual(ask(f"again {IBAN}", **{"x-tandem-conversation": "talk"})[0], 422)
        self.assertEqual(tandem.cli("label", "release", "talk", "--key", "bob", "--reason", "x").returncode, 5)
        result = tandem.cli("label", "release", decision, "--reason", "it is printed on every letter")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(ask(first, "noted", "thanks")[0], 200)
        # What comes after is looked at as ever, and so is another conversation.
        self.assertEqual(ask(first, "noted", "and GB82 WEST 1234 5698 7654 32")[0], 422)
        self.assertEqual(ask(f"also {IBAN}")[0], 422)
        (record, _) = tandem.egress()
        self.assertEqual((record["operation"], record["rule"], record["decision"]), ("release", "it is printed on every letter", decision))
        tandem.kill()
        tandem.start()
        self.assertEqual(ask(first, "noted", "thanks again")[0], 200)
        self.assertEqual(tandem.cli("audit", "verify").returncode, 0)


if __name__ == "__main__":
    unittest.main()
