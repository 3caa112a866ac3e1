"""Ranking against a slow and obvious BM25 in Python, over the same chunks as the index has them. Stemming is the index's own: the words here
are ones that the stemmer leaves as they are."""
import collections
import contextlib
import math
import pathlib
import random
import re
import sqlite3
import unittest

from harness import until
from index_test import Folder, write

K1, B, SHARE, TITLE = 0.9, 0.75, 0.5, 2
# No stop words, and nothing that English stemming would change.
WORDS = ["cat", "dog", "bird", "fox", "owl", "elk", "hawk", "toad", "newt", "yak", "crab", "wolf", "mink", "carp", "swan"]


def split(text):
    return re.findall(r"[a-z0-9]+", text.lower())


class Ranking(Folder):
    def fill(self):
        pick = random.Random(7)
        for i in range(60):
            lines = [" ".join(pick.choices(WORDS, [1 / (n + 1) for n in range(len(WORDS))], k=pick.randint(3, 12))) for _ in range(pick.randint(1, 90))]
            write(self.folder / f"{pick.choice('abc')}/f{i}.txt", f"{' '.join(pick.choices(WORDS, k=3))}\n\n" + "\n".join(lines) + "\n")

    def documents(self):
        """From the name of each file: its title, and the texts and headings of its chunks."""
        found = {}
        with contextlib.closing(sqlite3.connect(self.tandem.folder / "data/index/index.db")) as database:
            for path, title, document in database.execute("SELECT f.path, d.title, d.id FROM files f JOIN documents d ON d.id = f.document"):
                chunks = database.execute("SELECT t.text, c.heading FROM chunks c JOIN texts t ON t.id = c.text WHERE c.document = ? ORDER BY c.ordinal", (document,)).fetchall()
                found[path] = (title, chunks)
        return found

    @staticmethod
    def rank(documents, query):
        units = []
        for path, (title, chunks) in documents.items():
            head = collections.Counter()
            for word in split(title):
                head[word] += TITLE
            for word in split(pathlib.Path(path).name):
                head[word] += 1
            bodies = []
            for text, heading in chunks:
                body = collections.Counter(split(text))
                body.update(split(heading))
                bodies.append(body)
            units.append((path, head, bodies))
        whole = {path: sum(bodies, head) for path, head, bodies in units}
        mean = sum(sum(one.values()) for one in whole.values()) / len(whole)
        all_chunks = [body for _, _, bodies in units for body in bodies]
        chunk_mean = sum(sum(one.values()) for one in all_chunks) / len(all_chunks)

        def score(unit, word, among, mean):
            n = sum(1 for one in among if one[word])
            idf = math.log(1 + (len(among) - n + 0.5) / (n + 0.5))
            f = unit[word]
            return idf * f * (K1 + 1) / (f + K1 * (1 - B + B * sum(unit.values()) / mean)) if f else 0.0

        def scores(bag, among, mean):
            return sum(score(bag, word, among, mean) for word in query)

        ranked = []
        for path, _, bodies in units:
            own = scores(whole[path], list(whole.values()), mean)
            if own > 0:
                ranked.append((path, own + SHARE * max(scores(body, all_chunks, chunk_mean) for body in bodies)))
        return sorted(ranked, key=lambda one: (-round(one[1], 3), one[0]))

    def check(self, documents, query):
        wanted = self.rank(documents, query)
        hits = self.search(" ".join(query), limit=100)
        found = {str(pathlib.Path(hit["path"]).relative_to(self.folder)): hit["score"] for hit in hits}
        self.assertEqual(set(found), {path for path, _ in wanted})
        for path, score in wanted:
            self.assertAlmostEqual(found[path], score, delta=0.002, msg=f"{query}: {path}")
        self.assertEqual([hit["score"] for hit in hits], sorted((hit["score"] for hit in hits), reverse=True))

    def test_scores_are_those_of_the_formula(self):
        self.add()
        documents = self.documents()
        self.assertGreater(max(len(chunks) for _, chunks in documents.values()), 1)
        pick = random.Random(3)
        for _ in range(25):
            self.check(documents, pick.sample(WORDS, pick.randint(1, 4)))

    def test_scores_are_of_what_is_there_after_changes(self):
        self.add()
        self.settled()
        pick = random.Random(5)
        for path in sorted(self.folder.rglob("*.txt"))[::3]:
            path.unlink()
        for i in range(15):
            write(self.folder / f"new/{i}.txt", " ".join(pick.choices(WORDS, k=40)) + "\n")
        until(lambda: self.status()["collections"][0]["files"] == 55, "all changes to be known")
        self.settled()
        documents = self.documents()
        for query in (["cat"], ["swan", "crab"], ["owl", "elk", "yak"]):
            self.check(documents, query)


if __name__ == "__main__":
    unittest.main()
