"""Hostile files: mutated ones of each format (TANDEM_HOSTILE_FILES says how many). Each is read or listed with a reason, the server answers meanwhile, and nothing of it
reaches another file. And what the process that reads files is held to."""
import gzip
import json
import os
import random
import unittest

from index_test import Folder, write

EACH = int(os.environ.get("TANDEM_HOSTILE_FILES", "40"))

SEEDS = {
    "txt": b"Title\n\nA paragraph of text\nwith lines \xc3\xa4\xc3\xb6.\n\nAnother one.\n" * 4,
    "md": b"# One\n\ntext *bold* `code` [link](x)\n\n> quote\n\n- a\n  - b\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```c\nint x;\n```\n" * 3,
    "html": b"<!doctype html><html><head><title>T</title></head><body><main><h1>A</h1><p>text<br><b>bold</b><table><tr><td>1<td>2</table><pre>x\n y</pre></main></body></html>" * 2,
    "py": b"import os\n\nclass A:\n    def b(self):\n        return '''x'''\n\ndef c():\n    pass\n" * 3,
    "csv": b'a,b,"c d"\n1,"two ""quoted""\nlines",3\n' * 6,
    "json": b'{"a": {"b": [1, 2.5, "x\\u00e4", null, true]}, "title": "T", "c": [[[[]]]]}',
    "txt.gz": gzip.compress(b"words inside of an archive\n" * 40),
    "eml": b"Subject: =?utf-8?Q?a=C3=BC?=\nFrom: a@b.example\nContent-Type: multipart/mixed; boundary=\"B\"\n\n--B\nContent-Type: text/plain; charset=latin1\n"
           b"Content-Transfer-Encoding: quoted-printable\n\nSch=F6n\n--B\nContent-Type: text/html\nContent-Transfer-Encoding: base64\n\nPHA+eDwvcD4=\n--B--\n",
    "mbox": b"From a\nSubject: x\n\nbody\n\nFrom b\nSubject: y\n\nbody\n" * 3,
}


def mutated(pick, seed):
    data = bytearray(seed)
    for _ in range(pick.randint(1, 12)):
        at = pick.randrange(len(data)) if data else 0
        kind = pick.randrange(6)
        if kind == 0 and data:
            data[at] = pick.randrange(256)
        elif kind == 1:
            del data[at:at + pick.randint(1, 40)]
        elif kind == 2:
            data[at:at] = bytes(pick.randrange(256) for _ in range(pick.randint(1, 20)))
        elif kind == 3:
            piece = bytes(data[at:at + pick.randint(1, 30)])
            data[at:at] = piece * pick.randint(2, 200)
        elif kind == 4:
            data[at:at] = pick.choice([b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"<" * 300, b"[" * 500, b">" * 400, b"--B\n" * 50, b'"', b"\x1f\x8b\x08"])
        else:
            data = data[:at]
    return bytes(data)


class Hostile(Folder):
    more = ", extract_timeout: 5s"

    def fill(self):
        pick = random.Random(1)
        for ending, seed in SEEDS.items():
            for i in range(EACH):
                write(self.folder / ending / f"{i}.{ending}", mutated(pick, seed))
        write(self.folder / "good.txt", "The wholesome zebra.\n")
        bomb = self.folder / "bomb.txt.gz"
        write(bomb, gzip.compress(b"a" * (1 << 28)))
        nested = b"x"
        for _ in range(8):
            nested = gzip.compress(nested)
        write(self.folder / "nested.gz.gz.gz.gz.gz.gz.gz.gz", nested)
        write(self.folder / "deep.html", b"<div>" * 200_000 + b"x")
        write(self.folder / "deep.md", b">" * 100_000 + b"x")
        write(self.folder / "deep.json", b"[" * 100_000)

    def test_none_of_them_harms(self):
        added = self.add("notes", "--label", "public")
        self.assertEqual(added["state"], "current")
        self.assertEqual(added["files"] + added["failed"] + added["other_formats"], sum(1 for one in self.folder.rglob("*") if one.is_file()))
        failures = {one["path"]: one["reason"] for one in json.loads(self.cli("index", "failures", "notes", "--json"))["failures"]}
        self.assertTrue(all(failures.values()))
        # On a machine with much to do, the time ends first.
        self.assertRegex(failures[str(self.folder / "bomb.txt.gz")], "more comes out|took too long")
        self.assertIn(str(self.folder / "nested.gz.gz.gz.gz.gz.gz.gz.gz"), failures)
        self.assertEqual(self.names("wholesome zebra"), ["good.txt"])
        for query in ("text", "words archive", "body", "bold code"):
            self.search(query)
        log = self.tandem.log_text()
        self.assertNotIn("AddressSanitizer", log)
        print("hostile:", {key: added[key] for key in ("files", "failed", "other_formats")}, {reason: list(failures.values()).count(reason) for reason in set(failures.values())})

    def add(self, name="notes", *more, folder=None):
        return json.loads(self.cli("index", "add", name, str(folder or self.folder), "--wait", "--json", *more, timeout=500))


class Held(Folder):
    def fill(self):
        write(self.folder / "a.txt", "words\n")

    def test_the_reader_is_held(self):
        self.add()
        held = self.status()["reader_held_to"]
        self.assertIn("system calls", held)
        self.assertIn("network", held)


if __name__ == "__main__":
    unittest.main()
