"""The index from outside: a real folder, a real server, the commands of its owner, and files that change under it."""
import json
import os
import pathlib
import shutil
import signal
import socket
import tempfile
import time
import unittest
import urllib.parse

from harness import Tandem, until

CONFIG = """
retrieval: {{ quiet: 50ms, forget_within: 2s, rescan: 1h{more} }}
{keys}
"""


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


class Folder(unittest.TestCase):
    """A server with a folder of files."""

    keys = ""
    more = ""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.fill()
        self.tandem = Tandem(CONFIG.format(keys=self.keys, more=self.more))
        self.addCleanup(self.tandem.stop)

    def fill(self):
        pass

    def cli(self, *arguments, code=0, timeout=120):
        done = self.tandem.cli(*arguments, timeout=timeout)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout

    def add(self, name="notes", *more, folder=None):
        return json.loads(self.cli("index", "add", name, str(folder or self.folder), "--wait", "--json", *more))

    def ask(self, path):
        """An answer of the server; a command takes a second to start where sanitizers are built in."""
        status, _, body = self.tandem.request(path)
        self.assertEqual(status, 200, body)
        return json.loads(body)

    def search(self, *query, limit=10):
        return self.ask("/tandem/v1/search?" + urllib.parse.urlencode({"q": " ".join(query), "limit": limit}))["hits"]

    def names(self, *query):
        return [pathlib.Path(hit["path"]).name for hit in self.search(*query)]

    def search_by_command(self, *query):
        return [json.loads(line) for line in self.cli("search", "--json", *query).splitlines()]

    def status(self):
        return self.ask("/tandem/v1/index")

    def halt(self):
        """The server ends in order, and its data stay."""
        self.tandem.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.tandem.process.wait(60), 0, self.tandem.log_text()[-3000:])

    def settled(self):
        """Until nothing is left to do, told of or forgotten."""
        def current():
            status = self.status()
            return not status["forgetting"] and all(one["state"] == "current" for one in status["collections"])
        until(current, "the index to be as the folders are", 60)


class Files(Folder):
    def fill(self):
        write(self.folder / "solar.md", "# Solar roof\n\nThe panels were put up in March.\n\n## Warranty\n\nThe warranty ends in 2041.\n")
        write(self.folder / "deep/down/garage.txt", "Garage\n\nThe garage door opener needs a new battery.\n")
        write(self.folder / "deep/page.html", "<title>Boiler</title><nav>menu</nav><p>The boiler was serviced by a plumber.</p>")
        write(self.folder / "people.csv", "name,phone\nAda Example,+49 30 901820\n")
        write(self.folder / ".hidden.txt", "invisible words of a hidden file\n")
        write(self.folder / ".gitignore", "*.log\nignored/\n")
        write(self.folder / "noise.log", "words of an ignored file\n")
        write(self.folder / "ignored/a.txt", "words of an ignored folder\n")
        write(self.folder / ".tandemignore", "secret-*\n")
        write(self.folder / "secret-plan.txt", "words of a file that tandem leaves out\n")
        write(self.folder / "picture.png", b"\x89PNG\r\n\x1a\n\0\0")
        write(self.folder / "empty.txt", "")
        write(self.folder / "broken.gz", b"\x1f\x8b\x08\0broken")
        os.mkfifo(self.folder / "pipe.txt")
        os.symlink(self.folder, self.folder / "deep/loop")
        os.symlink("/etc/passwd", self.folder / "passwd.txt")
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(str(self.folder / "socket.txt"))

    def test_files_are_found_where_they_are(self):
        added = self.add()
        self.assertEqual((added["files"], added["state"], added["other_formats"]), (4, "current", 1))
        hit = self.search_by_command("when does the warranty end?")[0]
        self.assertEqual((hit["path"], hit["collection"], hit["label"]), (str(self.folder / "solar.md"), "notes", "private"))
        self.assertIn("warranty", hit["snippet"].lower())
        self.assertEqual(set(hit) >= {"path", "collection", "label", "score", "start_line", "end_line", "page", "heading", "snippet"}, True)
        self.assertEqual(hit["page"], None)
        self.assertEqual(self.names("batteries garage"), ["garage.txt"])
        self.assertEqual(self.names("plumber"), ["page.html"])
        self.assertEqual(self.names("menu"), [])
        for query in ("invisible", "ignored", "tandem leaves", "root daemon"):
            self.assertEqual(self.names(query), [], query)
        for query in ("C++", "don't", '"open', "-", "path:", "after:soon", "((", "type:nothing warranty"):
            self.search(query)
        self.assertEqual(self.search_by_command("--", "the", "-garage", "-warranty"), self.search("the -garage -warranty"))

    def test_failures_have_reasons_and_are_tried_again_only_when_they_changed(self):
        self.add()
        failures = {pathlib.Path(one["path"]).name: one["reason"] for one in json.loads(self.cli("index", "failures", "notes", "--json"))["failures"]}
        self.assertEqual(set(failures), {"empty.txt", "broken.gz", "pipe.txt", "socket.txt"})
        self.assertEqual(failures["empty.txt"], "the file is empty")
        self.assertIn("broken", failures["broken.gz"])
        self.assertIn("a pipe", failures["pipe.txt"])
        write(self.folder / "empty.txt", "words at last\n")
        until(lambda: self.names("words at last"), "the changed file")
        self.assertNotIn("empty.txt", self.cli("index", "failures", "notes"))

    def test_filters_hold(self):
        self.add()
        self.assertEqual(self.names("the", "type:html"), ["page.html"])
        self.assertEqual(sorted(self.names("the", "path:deep")), ["garage.txt", "page.html"])
        self.assertEqual(self.names("the", "path:deep/**/*.txt"), ["garage.txt"])
        self.assertEqual(self.names('"door opener"'), ["garage.txt"])
        self.assertEqual(sorted(self.names("the", "-garage", "-warranty")), ["page.html"])
        self.assertEqual(self.names("garage", "after:2100-01-01"), [])
        self.assertEqual(self.names("garage", "after:1d"), ["garage.txt"])
        self.assertEqual(self.names("garage", "collection:others"), [])

    def test_changes_are_followed(self):
        self.add()
        write(self.folder / "deep/new/one.md", "A zeppelin flew over the house.\n")
        until(lambda: self.names("zeppelin") == ["one.md"], "a new file in a new folder")
        (self.folder / "deep/new").rename(self.folder / "moved")
        until(lambda: [hit["path"] for hit in self.search("zeppelin")] == [str(self.folder / "moved/one.md")], "the moved folder")
        write(self.folder / "moved/one.md", "A balloon flew over the house.\n")
        until(lambda: self.names("balloon") == ["one.md"] and not self.names("zeppelin"), "the changed file")
        (self.folder / "moved/one.md").unlink()
        self.assertEqual(self.names("balloon"), [])  # at once: a hit is there on the disk
        write(self.folder / ".gitignore", "garage.txt\n")
        until(lambda: not self.names("battery") and sorted(self.names("ignored file")) == ["a.txt", "noise.log"], "other rules")

    def test_what_is_deleted_is_off_the_disk(self):
        words = ["xylophonist", "quetzalcoatl", "zwischenzug"]
        write(self.folder / "gone.txt", f"Title {words[0]}\n\nThe {words[1]} and the {words[2]}.\n")
        write(self.folder / f"{words[2]}.txt", "another file\n")
        self.add()
        data = self.tandem.folder / "data"

        def left():
            return sorted({word for file in data.rglob("*") if file.is_file() and "index" in str(file) for word in words if word.encode() in file.read_bytes().lower()})

        self.assertEqual(left(), sorted(words))
        (self.folder / "gone.txt").unlink()
        (self.folder / f"{words[2]}.txt").unlink()
        gone = time.monotonic()
        until(lambda: not left(), "no byte of it to be left")
        self.assertLess(time.monotonic() - gone, 4)  # forget_within is 2 s, and this machine may be busy
        self.settled()
        self.assertEqual(left(), [])

    def test_a_collection_that_is_removed_is_off_the_disk(self):
        self.add()
        self.cli("index", "rm", "notes")
        self.assertEqual(self.status()["collections"], [])
        self.assertEqual(self.search("warranty"), [])
        self.settled()
        for file in (self.tandem.folder / "data").rglob("*"):
            if file.is_file():
                self.assertNotIn(b"warranty", file.read_bytes().lower(), file)
        self.cli("index", "rm", "notes", code=5)
        self.add()
        self.assertEqual(self.names("warranty"), ["solar.md"])

    def test_same_content_is_one_hit_that_names_all_files(self):
        write(self.folder / "copy.md", (self.folder / "solar.md").read_bytes())
        self.add()
        hit, = self.search("warranty")
        self.assertEqual({hit["path"], *hit["also"]}, {str(self.folder / "solar.md"), str(self.folder / "copy.md")})
        pathlib.Path(hit["path"]).unlink()
        left = pathlib.Path(hit["also"][0])
        self.settled()
        self.assertEqual([one["path"] for one in self.search("warranty")], [str(left)])

    def test_labels_rise_with_what_is_found(self):
        write(self.folder / "card.txt", "Payment\n\nThe card is 4111 1111 1111 1111, paid in May.\n")
        write(self.folder / "plain.txt", "Weather\n\nIt rained in May.\n")
        self.add("open", "--label", "public")
        labels = {pathlib.Path(hit["path"]).name: hit["label"] for hit in self.search("May")}
        self.assertEqual(labels, {"card.txt": "private", "plain.txt": "public"})

    def test_explain_says_why(self):
        self.add()
        *hits, last = self.search_by_command("what about the warranty", "--explain")
        words = {word["word"]: word for word in last["explain"]["words"]}
        self.assertEqual(words["warranty"]["documents"], 1)
        self.assertTrue(words["what"]["dropped"])
        self.assertGreater(hits[0]["document_score"], 0)
        self.assertEqual(last["explain"]["left_out"]["by_path"], 0)

    def test_rebuild_reads_anew(self):
        self.add()
        before = self.search("the")
        self.cli("index", "rebuild", "notes")
        until(lambda: self.search("the") == before, "the same answers")

    def test_without_a_server_the_commands_do_it_themselves(self):
        self.halt()
        self.assertEqual(self.add()["files"], 4)
        self.assertEqual([hit["path"] for hit in self.search_by_command("warranty")], [str(self.folder / "solar.md")])
        self.assertIn("notes", self.cli("index", "status"))
        self.assertIn("broken.gz", self.cli("index", "failures", "notes"))
        self.cli("index", "rm", "notes")
        self.assertEqual(self.search_by_command("warranty"), [])

    def test_a_folder_that_is_not_there_today_is_not_forgotten(self):
        self.add()
        away = self.folder.with_name(self.folder.name + "-away")
        self.folder.rename(away)
        self.addCleanup(shutil.rmtree, away, ignore_errors=True)
        self.halt()
        self.tandem.start()
        until(lambda: self.status()["collections"][0]["state"] == "trouble", "the folder to be missed")
        self.assertEqual(self.names("warranty"), [])
        away.rename(self.folder)
        self.assertEqual(self.names("warranty"), ["solar.md"])


class Keys(Folder):
    def status(self):
        return json.loads(self.cli("index", "status", "--json"))

    keys = "keys: { alice: { secret: alice-key-0123456789abcdef }, bob: { secret: bob-key-0123456789abcdef } }"

    def fill(self):
        write(self.folder / "alice/plan.md", "The walrus plan is secret.\n\nIts budget is large.\n")
        write(self.folder / "alice/bad.txt", b"\0\1\2\0")
        write(self.folder / "bob/plan.md", "The otter plan is known.\n")

    def ask_as(self, who, path):
        status, headers, body = self.tandem.request(path, headers={"Authorization": f"Bearer {who}-key-0123456789abcdef"})
        return status, headers, body.decode()

    def test_a_key_sees_its_own_collections_and_nothing_of_others(self):
        self.add("hers", "--key", "alice", folder=self.folder / "alice")
        alone = self.add("his", "--key", "bob", folder=self.folder / "bob")
        self.assertEqual(alone["files"], 1)
        status, _, body = self.ask_as("alice", "/tandem/v1/search?q=plan&explain=1")[:3]
        hers = json.loads(body)
        self.assertEqual([hit["collection"] for hit in hers["hits"]], ["hers"])
        self.assertEqual(hers["explain"]["documents"], 1)
        status, _, body = self.ask_as("bob", "/tandem/v1/search?q=plan&explain=1")[:3]
        his = json.loads(body)
        self.assertEqual([hit["collection"] for hit in his["hits"]], ["his"])
        self.assertEqual([word["documents"] for word in his["explain"]["words"]], [1])
        for path in ("/tandem/v1/search?q=walrus", "/tandem/v1/search?q=walrus&collection=hers&explain=1", "/tandem/v1/search?q=walrus+collection:hers",
                     "/tandem/v1/index", "/tandem/v1/index/hers/failures"):
            status, _, body = self.ask_as("bob", path)[:3]
            self.assertNotIn("alice", body, path)
            self.assertNotIn("secret", body, path)
            self.assertNotIn("walrus plan", body, path)
            if path.endswith("failures"):
                self.assertEqual(status, 404)
        self.assertIn("bad.txt", self.ask_as("alice", "/tandem/v1/index/hers/failures")[2])
        # The numbers of one's own hits do not tell what others have.
        score = his["hits"][0]["score"]
        self.cli("index", "rm", "hers")
        self.settled()
        self.assertEqual(json.loads(self.ask_as("bob", "/tandem/v1/search?q=plan&explain=1")[2])["hits"][0]["score"], score)
        self.assertEqual(self.tandem.request("/tandem/v1/index", {"name": "x", "folder": "/etc"}, {"Authorization": "Bearer bob-key-0123456789abcdef"})[0], 403)

    def test_a_file_of_others_with_the_same_bytes_changes_nothing(self):
        """Bob writes what alice may have, and asks for it by the name that he gave it."""
        write(self.folder / "bob/whistle.txt", "The guess that bob makes of her file.\n")
        write(self.folder / "bob/another/whistle.txt", "The guess that bob makes of her file, which is wrong.\n")
        self.add("his", "--key", "bob", folder=self.folder / "bob")
        ask = "/tandem/v1/search?q=whistle&explain=1"
        alone = self.ask_as("bob", ask)[2]
        self.assertEqual(len(json.loads(alone)["hits"]), 2)
        write(self.folder / "alice/aardvark.txt", "The guess that bob makes of her file.\n")
        write(self.folder / "alice/0/zebra.txt", "The guess that bob makes of her file, which is wrong.\n")
        self.add("hers", "--key", "alice", folder=self.folder / "alice")
        self.assertEqual(self.ask_as("bob", ask)[2], alone)
        self.assertEqual(json.loads(self.ask_as("alice", ask)[2])["hits"], [])
        self.assertEqual([pathlib.Path(hit["path"]).name for hit in json.loads(self.ask_as("alice", "/tandem/v1/search?q=aardvark")[2])["hits"]], ["aardvark.txt"])


class Bounds(Folder):
    more = ", max_file: 1KiB, max_bytes: 1MiB"

    def fill(self):
        write(self.folder / "large.txt", "word " * 1000)
        for i in range(200):
            write(self.folder / f"many/{i}.txt", " ".join(f"w{i}x{j}" for j in range(120)))

    def test_large_files_and_a_full_index_are_told(self):
        self.add()
        reasons = {pathlib.Path(one["path"]).name: one["reason"] for one in json.loads(self.cli("index", "failures", "notes", "--json"))["failures"]}
        self.assertIn("retrieval.max_file", reasons["large.txt"])

    def test_a_config_names_collections(self):
        text = CONFIG.format(keys="", more=f", collections: {{ written: {{ folder: {self.folder / 'many'}, label: internal, globs: ['1*.txt'] }} }}")
        self.tandem.write(text)
        until(lambda: any(one["name"] == "written" and one["state"] == "current" and one["files"] > 0 for one in self.status()["collections"]), "the collection of the config")
        self.assertEqual(self.names("w10x1"), ["10.txt"])
        self.assertEqual(self.names("w20x1"), [])
        self.cli("index", "rm", "written", code=3)
        self.tandem.write(CONFIG.format(keys="", more=""))
        until(lambda: not self.status()["collections"], "it to be gone")


if __name__ == "__main__":
    unittest.main()
