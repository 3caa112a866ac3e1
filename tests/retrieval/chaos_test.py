"""`kill -9` while files change: the index then is what a fresh one of the same folder is, by content and by ranking. And changes that the
system loses."""
import contextlib
import json
import pathlib
import random
import sqlite3
import time
import unittest
import urllib.parse

from harness import Tandem, until
from index_test import CONFIG, Folder, write

WORDS = pathlib.Path("/usr/share/common-licenses/GPL-3").read_text().split() if pathlib.Path("/usr/share/common-licenses/GPL-3").exists() else "some words that are here in place of a licence".split()
QUERIES = ["software license", "copies of the work", "source code", "warranty", "user product information", "convey covered works"]
KILLS = 20


def content(database):
    """Everything that a search goes by, without ids."""
    with contextlib.closing(sqlite3.connect(database)) as d:
        files = d.execute("SELECT f.path, ifnull(hex(d.hash), ''), ifnull(d.title, ''), f.reason, ifnull(d.reason, '') FROM files f LEFT JOIN documents d ON d.id = f.document ORDER BY f.path").fetchall()
        chunks = d.execute("SELECT f.path, c.ordinal, c.heading, c.first_line, c.last_line, t.text, t.label FROM files f JOIN chunks c ON c.document = f.document "
                           "JOIN texts t ON t.id = c.text ORDER BY f.path, c.ordinal").fetchall()
        loose = d.execute("SELECT (SELECT count(*) FROM documents WHERE id NOT IN (SELECT document FROM files)), "
                          "(SELECT count(*) FROM texts WHERE id NOT IN (SELECT text FROM chunks)), "
                          "(SELECT count(*) FROM chunks WHERE document NOT IN (SELECT id FROM documents))").fetchone()
    return files, chunks, loose


class Chaos(Folder):
    def fill(self):
        self.pick = random.Random(20)
        for _ in range(60):
            self.change()

    def change(self):
        """One change of a random file."""
        files = sorted(self.folder.rglob("*.txt")) + sorted(self.folder.rglob("*.md"))
        what = self.pick.random()
        if what < 0.2 and len(files) > 20:
            self.pick.choice(files).unlink()
        elif what < 0.35 and len(files) > 20:
            to = self.folder / f"d{self.pick.randint(0, 5)}" / f"moved{self.pick.randint(0, 10**6)}.txt"
            to.parent.mkdir(exist_ok=True)
            self.pick.choice(files).rename(to)
        else:
            path = self.folder / f"d{self.pick.randint(0, 5)}" / f"f{self.pick.randint(0, 60)}.{self.pick.choice(['txt', 'md'])}"
            write(path, " ".join(self.pick.choices(WORDS, k=self.pick.randint(5, 900))) + "\n")

    def answers(self, tandem):
        found = {}
        for query in QUERIES:
            status, _, body = tandem.request("/tandem/v1/search?" + urllib.parse.urlencode({"q": query, "limit": 30}))
            self.assertEqual(status, 200, body)
            found[query] = [(hit["path"], hit["score"], hit["start_line"], hit["snippet"], hit["label"], hit.get("also")) for hit in json.loads(body)["hits"]]
        return found

    def test_after_kills_the_index_is_a_fresh_one(self):
        self.add("notes", "--label", "internal")
        for _ in range(KILLS):
            for _ in range(self.pick.randint(3, 12)):
                self.change()
            time.sleep(self.pick.random() * 0.4)  # not for an event: the kill is to come at any moment
            self.tandem.kill()
            self.change()
            self.tandem.start()
        until(lambda: self.status()["collections"][0]["files"] == sum(1 for one in self.folder.rglob("*") if one.is_file()), "all files to be known")
        self.settled()
        fresh = Tandem(CONFIG.format(keys="", more=""))
        self.addCleanup(fresh.stop)
        added = fresh.cli("index", "add", "notes", str(self.folder), "--label", "internal", "--wait", timeout=120)
        self.assertEqual(added.returncode, 0, added.stderr)
        old, new = content(self.tandem.folder / "data/index/index.db"), content(fresh.folder / "data/index/index.db")
        self.assertEqual(old[0], new[0])
        self.assertEqual(old[1], new[1])
        self.assertEqual(old[2], (0, 0, 0))
        answers = self.answers(fresh)
        self.assertTrue(any(answers.values()))
        self.assertEqual(self.answers(self.tandem), answers)

    def test_segments_may_be_thrown_away(self):
        self.add()
        before = self.answers(self.tandem)
        segments = list((self.tandem.folder / "data/index/segments").iterdir())
        self.assertTrue(segments)
        self.halt()
        for number, segment in enumerate(segments):
            if number % 2:
                segment.write_bytes(segment.read_bytes()[:100])
            else:
                segment.unlink()
        self.tandem.start()
        self.settled()
        self.assertEqual(self.answers(self.tandem), before)


class Overflow(Folder):
    LIMIT = pathlib.Path("/proc/sys/fs/inotify/max_queued_events")

    def setUp(self):
        try:
            usual = self.LIMIT.read_text()
            self.LIMIT.write_text("16\n")
        except OSError as error:
            self.skipTest(f"the system's limit cannot be set here: {error}")
        self.addCleanup(self.LIMIT.write_text, usual)
        self.usual = usual
        super().setUp()

    def test_changes_that_the_system_loses_are_found_and_told(self):
        self.add()
        self.LIMIT.write_text(self.usual)  # it is of the queue that was made meanwhile
        for i in range(3000):
            (self.folder / f"{i}.txt").write_text(f"overflowing words {i}\n")
        until(lambda: self.status()["collections"][0]["files"] == 3000, "all files to be known", 120)
        self.assertGreaterEqual(self.status()["overflows"], 1)
        self.assertIn("max_queued_events", self.tandem.log_text())


if __name__ == "__main__":
    unittest.main()
