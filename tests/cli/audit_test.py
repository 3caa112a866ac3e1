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


class Damage(unittest.TestCase):
    """Whatever is taken from the record, its head or its checkpoints is told, before a new start, after it, and for ever."""

    def setUp(self):
        warnings.simplefilter("ignore", ResourceWarning)
        self.cloud = Upstream()
        self.addCleanup(self.cloud.close)

    def prepared(self):
        tandem = Tandem(f"providers:\n  far: {self.cloud.provider('cloud')}\nmodels:\n  m: {{ provider: far }}\n")
        self.addCleanup(tandem.stop)
        for i in range(5):
            self.assertEqual(tandem.chat(f"hello {i}", model="m")[0], 200)
        self.stop(tandem)
        self.assertEqual(tandem.cli("audit", "verify").returncode, 0)
        return tandem

    def stop(self, tandem):
        tandem.process.terminate()
        tandem.process.wait(60)

    def sql(self, tandem, *texts):
        with sqlite3.connect(tandem.folder / "data/ledger.db") as database:
            for text in texts:
                database.execute(text)
        database.close()

    def file(self, tandem):
        return tandem.folder / "data/egress.checkpoints"

    def test_whatever_is_taken_away_is_told_before_and_after_a_start_and_after_new_records(self):
        # The head as it would be had the last two records never been.
        shorter = "UPDATE egress_head SET records = 3, hash = (SELECT hash FROM egress WHERE sequence = 3)"
        cut = lambda keep: lambda t: self.sql(t, f"DELETE FROM egress WHERE sequence > {keep}")
        def no_file(t):
            self.file(t).unlink()
        def empty_file(t):
            self.file(t).write_text("")
        def both(*steps):
            return lambda t: [step(t) for step in steps]
        damages = {
            "the last record": cut(4), "the last two": cut(3), "all records": cut(0),
            "the first": lambda t: self.sql(t, "DELETE FROM egress WHERE sequence = 1"),
            "one in the middle": lambda t: self.sql(t, "DELETE FROM egress WHERE sequence = 3"),
            "the file of checkpoints": no_file, "what is in that file": empty_file,
            "half of its line": lambda t: self.file(t).write_text(self.file(t).read_text()[:60]),
            "the last records and the file": both(cut(3), no_file), "the last records and what is in the file": both(cut(3), empty_file),
            "all records and the file": both(cut(0), no_file),
            "the head": lambda t: self.sql(t, "DELETE FROM egress_head"),
            "the head and the last records": both(cut(3), lambda t: self.sql(t, "DELETE FROM egress_head")),
            "the head, the last records and the file": both(cut(3), lambda t: self.sql(t, "DELETE FROM egress_head"), no_file),
            "the head, which says less": lambda t: self.sql(t, shorter),
            "the head, which says more": lambda t: self.sql(t, "UPDATE egress_head SET records = 9"),
            "the head, with another hash": lambda t: self.sql(t, "UPDATE egress_head SET hash = CASE substr(hash, 1, 1) WHEN '0' THEN '1' ELSE '0' END || substr(hash, 2)"),
            "the last records, and the head says so": both(lambda t: self.sql(t, shorter), cut(3)),
            "the last records and the file, and the head says so": both(lambda t: self.sql(t, shorter), cut(3), no_file),
            "all records and the file, and the head says so": both(lambda t: self.sql(t, "UPDATE egress_head SET records = 0, hash = printf('%064d', 0)"), cut(0), no_file),
        }
        for what, damage in damages.items():
            with self.subTest(gone=what):
                tandem = self.prepared()
                damage(tandem)
                self.told(tandem, "before a start")
                tandem.start()
                until(lambda: self.file(tandem).exists() and self.file(tandem).read_text(), "the file of checkpoints")
                self.told(tandem, "after a start")
                if "middle" not in what and "the first" not in what and "another hash" not in what and "half" not in what:
                    self.assertIn("audit verify", tandem.log_text())
                for i in range(4):
                    self.assertEqual(tandem.chat(f"more {i}", model="m")[0], 200)
                self.told(tandem, "after new records")
                self.assertEqual(tandem.cli("audit", "prove").returncode, 6)
                doctor = json.loads(tandem.cli("doctor", "--json").stdout)
                self.assertEqual([c["grade"] for c in doctor if c["check"] == "egress record"], ["bad"])
                self.stop(tandem)
                tandem.start()
                self.told(tandem, "after another start")

    def told(self, tandem, when):
        result = tandem.cli("audit", "verify")
        self.assertEqual(result.returncode, 6, f"{when}: {result.stdout}")
        self.assertIn("BROKEN", result.stderr)

    def test_an_older_copy_of_the_database_is_told(self):
        tandem = self.prepared()
        data = tandem.folder / "data"
        kept = tandem.folder / "kept.db"
        with sqlite3.connect(data / "ledger.db") as live, sqlite3.connect(kept) as copy:
            live.backup(copy)
        tandem.start()
        self.assertEqual(tandem.chat("later", model="m")[0], 200)
        self.stop(tandem)
        for leftover in ("ledger.db-wal", "ledger.db-shm"):
            (data / leftover).unlink(missing_ok=True)
        shutil.copy(kept, data / "ledger.db")
        self.told(tandem, "before a start")
        tandem.start()
        self.assertIn("its end is missing", tandem.log_text())
        for i in range(3):
            self.assertEqual(tandem.chat(f"more {i}", model="m")[0], 200)
        self.told(tandem, "after new records")

    def test_a_file_that_is_cut_while_the_server_runs_is_told(self):
        for name, damage in (("removed", lambda file: file.unlink()), ("emptied", lambda file: file.write_text(""))):
            with self.subTest(file=name):
                tandem = self.prepared()
                tandem.start()
                self.assertEqual(tandem.chat("one", model="m")[0], 200)
                until(lambda: '"records":6' in self.file(tandem).read_text(), "the checkpoint")
                damage(self.file(tandem))
                self.assertEqual(tandem.chat("two", model="m")[0], 200)
                until(lambda: self.file(tandem).exists() and '"records":7' in self.file(tandem).read_text(), "the next checkpoint")
                self.told(tandem, "while it runs")
                self.assertIn("was cut or removed", tandem.log_text())

    def test_a_database_of_an_older_version_gets_its_head_from_its_last_record(self):
        tandem = self.prepared()
        self.sql(tandem, "DROP TABLE egress_head", "DROP TABLE egress_damage", "ALTER TABLE egress DROP COLUMN headers", "DROP TABLE label_memory", "DROP TABLE label_keys",
                 "DROP TABLE label_releases", "DROP TABLE label_released", "DROP INDEX labelled_decisions_by_name", "DROP INDEX labelled_decisions_by_key",
                 *[f"ALTER TABLE labelled_decisions DROP COLUMN {c}" for c in ("key", "name", "goes_on", "leaves", "answer")],
                 "CREATE TABLE conversation_labels (fingerprint INTEGER PRIMARY KEY, label INTEGER NOT NULL, rest INTEGER NOT NULL DEFAULT 3, released INTEGER NOT NULL DEFAULT 0) STRICT",
                 "INSERT INTO conversation_labels VALUES (1, 2, 2, 0)", "ALTER TABLE outcomes DROP COLUMN expected",
                 "DROP TABLE jobs", "ALTER TABLE kept_responses DROP COLUMN decision", *[f"ALTER TABLE kept_batches DROP COLUMN {c}" for c in ("completed", "failed", "bytes")], "ALTER TABLE attempts DROP COLUMN source", "ALTER TABLE attempts DROP COLUMN bill", "ALTER TABLE attempts DROP COLUMN code", "ALTER TABLE open_attempts DROP COLUMN source",
                 "DROP TABLE noticed_work", "DROP TABLE seen_versions", "DROP TABLE own_hours", "DROP TABLE applied_advice", "DROP TABLE measurements", "DROP TABLE findings", "ALTER TABLE probes DROP COLUMN suite", "DROP TABLE measured_energy", "DROP TABLE ledger_currency", "DROP TABLE budget_windows", "DROP TABLE budget_alerts", "DROP TABLE keys",
                 *[f"ALTER TABLE {table} DROP COLUMN {column}" for table in ("attempts", "open_attempts") for column in ("alias", "label", "work", "team", "owner", "workflow")],
                 *[f"DROP TABLE {table}" for table in ("cost_kinds", "cost_days", "cost_months", "corrected_attempts", "corrected_days", "attempts_kept")], "PRAGMA user_version = 9")
        tandem.start()
        self.assertEqual(tandem.chat("later", model="m")[0], 200)
        result = tandem.cli("audit", "verify")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.stop(tandem)
        self.sql(tandem, "DELETE FROM egress WHERE sequence > 4")
        self.told(tandem, "of the old records")


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
