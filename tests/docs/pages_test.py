"""What holds of every page: its links lead somewhere, its lines have a bounded length, its YAML is a config of the program, its commands are
ones that the program understands, and what is named in code is there. And of the reference: it has all that the program has."""
import os
import pathlib
import re
import shlex
import subprocess
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor

from harness import BINARY
from pages import DOCS, ROOT, base_config, blocks, completed, pages

WIDTH = 140
SECRETS = "OPENAI ANTHROPIC GEMINI GROQ OPENROUTER MISTRAL ALICE LAB".split()


def without_blocks(text):
    return re.sub(r"^( *)```.*?^\1```$", "", text, flags=re.S | re.M)


def anchors(page):
    """The names of a page's headings, as they are linked to."""
    found = set()
    for title in re.findall(r"^#+ (.*)$", without_blocks(page.read_text()), re.M):
        title = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).replace("`", "")
        found.add(re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-"))
    return found


class Pages(unittest.TestCase):
    maxDiff = None

    def test_links_lead_somewhere(self):
        wrong = []
        for page in pages():
            text = re.sub(r"`[^`\n]*`", "", without_blocks(page.read_text()))
            for target in re.findall(r"\]\(([^)\s]+)\)", text):
                if re.match(r"[a-z]+:", target):
                    continue
                path, _, anchor = target.partition("#")
                there = (page.parent / path).resolve() if path else page
                if not there.exists():
                    wrong.append(f"{page.relative_to(ROOT)}: {target} is not there")
                elif anchor and there.suffix == ".md" and anchor not in anchors(there):
                    wrong.append(f"{page.relative_to(ROOT)}: {target}: no such heading")
        self.assertEqual(wrong, [])

    def test_lines_have_a_bounded_length(self):
        long = []
        for page in pages():
            made = False
            for number, line in enumerate(page.read_text().splitlines(), 1):
                made = made and not line.startswith("<!-- end") or bool(re.match(r"<!-- (made by|table)", line))
                # Rows of a table that a program makes cannot be split.
                if len(line) > WIDTH and not (made and line.startswith("|")):
                    long.append(f"{page.relative_to(ROOT)}:{number}: {len(line)}")
        self.assertEqual(long, [], "packaging/docs/fit.py mends prose and tables")

    def test_every_page_is_reached_from_the_index(self):
        reached, left = set(), [ROOT / "README.md"]
        while left:
            page = left.pop()
            if page in reached or page.suffix != ".md" or not page.exists():
                continue
            reached.add(page)
            left += [(page.parent / t.partition("#")[0]).resolve() for t in re.findall(r"\]\(([^)\s:]+)\)", page.read_text())]
        self.assertEqual([str(p.relative_to(ROOT)) for p in pages() if p not in reached], [])

    def test_the_code_and_the_tests_name_pages_that_are_there(self):
        wrong = []
        for folder in ("src", "tests", "packaging", "bench", "fuzz", "run", "test", "CMakeLists.txt"):
            for file in [ROOT / folder] if (ROOT / folder).is_file() else (ROOT / folder).rglob("*"):
                if file.suffix not in (".h", ".cpp", ".py", ".sh", ".json", ".yaml", ".txt", "") or not file.is_file() or file == pathlib.Path(__file__):
                    continue
                text = file.read_text(errors="replace")
                for name in re.findall(r"(?<![\w/.-])(?<!'s )docs/[\w/-]+\.md\b", text):
                    # Files of others stand behind the name of their repository.
                    if not (ROOT / name).exists() and not re.search(rf"\w+/\w[\w-]* `?[^\s`]*{re.escape(name)}", text):
                        wrong.append(f"{file.relative_to(ROOT)}: {name}")
        self.assertEqual(wrong, [])

    def test_files_that_are_named_are_there_and_have_what_is_said_of_them(self):
        wrong = []
        for page in [*(DOCS / "contributing").glob("*.md"), *(DOCS / "internals").glob("*.md"), ROOT / "CONTRIBUTING.md"]:
            text = without_blocks(page.read_text())
            for name in re.findall(r"`((?:src|tests|packaging|fuzz|bench|docs)/[\w./-]*)`", text):
                if not (ROOT / name).exists():
                    wrong.append(f"{page.name}: {name} is not there")
            # "`file`: `name`, `name`": names behind a file stand in it.
            for name, words in re.findall(r"`((?:src|tests|fuzz)/[\w./]+\.\w+)`:((?:\s+(?:and )?`[\w:]+`,?)+)", text):
                if (ROOT / name).exists():
                    wrong += [f"{page.name}: {name} has no {word}" for word in re.findall(r"`([\w:]+)`", words) if word.split("::")[-1] not in (ROOT / name).read_text()]
        self.assertEqual(wrong, [])


class Configs(unittest.TestCase):
    """Each block of YAML that is a config, completed by the rule of pages.py."""

    maxDiff = None

    def check(self, text, where, whole=False):
        with tempfile.TemporaryDirectory() as home:
            home = pathlib.Path(home)
            text = text if whole else completed(text, base_config())
            for name in re.findall(r"credential:(\w+)", text):
                (home / name).write_text(f"a-secret-of-some-length-for-{name}")
            (home / ".env").write_text("TOKEN=a-value-that-is-secret\n")
            file = home / "tandem.yaml"
            file.write_text(text)
            env = {"HOME": str(home), "CREDENTIALS_DIRECTORY": str(home), **{f"{name}_{kind}": f"{name}-secret-0123456789-{kind}" for name in SECRETS for kind in ("API_KEY", "KEY")}}
            env |= {name: f"{name}-0123456789abcdef0123456789" for name in re.findall(r"\$\{(\w+)\}", text) if name not in env}
            said = subprocess.run([BINARY, "policy", "show", "--config", file], env=env, capture_output=True, text=True)
            return "" if said.returncode == 0 else f"{where}: {said.stderr}\n{text}"

    def test_each_is_taken_by_the_program(self):
        found = [b for page in pages() for b in blocks(page, "yaml") if b.is_config()]
        self.assertGreater(len(found), 30)
        with ThreadPoolExecutor(2) as pool:
            wrong = [w for w in pool.map(lambda b: self.check(b.text, b.where), found) if w]
        self.assertEqual(wrong, [])

    def test_the_examples_are_taken_whole(self):
        files = sorted((ROOT / "packaging/examples").glob("*.yaml"))
        self.assertEqual([f.stem for f in files], ["agent-heavy-team", "homelab", "private-clinic", "small-office"])
        page = (ROOT / "packaging/examples/README.md").read_text()
        for file in files:
            self.assertIn(f"({file.name})", page)
            self.assertEqual(self.check(file.read_text(), file.name, whole=True), "")

    def test_a_wrong_one_is_not(self):
        self.assertIn("did you mean", self.check("keys:\n  me: { secrt: a-secret-of-some-length }\n", "here"))
        self.assertIn("no model", self.check("aliases:\n  x: [nobody, mine]\n", "here"))


def commands_of(block):
    """The command lines of a block that ask something of tandem, without what is piped in or where their output goes."""
    script = block.text
    if block.kind == "console":
        script = "\n".join(re.sub(r"^\s*[$#] ", "", line) for line in script.splitlines())
    script = re.sub(r"<<'?(\w+)'?\n.*?^\1$", "", script, flags=re.S | re.M).replace("\\\n", " ")
    found = []
    for line in script.splitlines():
        try:
            lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;()<>")
            lexer.whitespace_split = True
            words = list(lexer)
        except ValueError:
            continue  # a text over several lines
        command = []
        for word in [*words, ";"]:
            if not re.fullmatch(r"[|&;()<>]+", word):
                command.append(word)
                continue
            # What runs the command: another user, a negation, variables for it, a prompt.
            while command and (command[0] in ("$", "!", "--", "exec") or re.match(r"\w+=", command[0])):
                command.pop(0)
            if command[:1] in (["sudo"], ["runuser"]) and command[1:2] == ["-u"]:
                command = command[4 if command[3:4] == ["--"] else 3:]
            if command and re.search(r"(^|/)tandem$", command[0]) and command[1:] and re.match(r"[a-z-]", command[1]):
                found.append(command[1:])
            command = []
    return found


class Commands(unittest.TestCase):
    """Each line that asks something of tandem is given to it, in an empty home with a config that is no config: it ends with 2 where it does
    not understand the line, and with something else where it does."""

    maxDiff = None

    def understood(self, words):
        with tempfile.TemporaryDirectory() as home:
            file = pathlib.Path(home) / "none.yaml"
            file.write_text("broken: [\n")
            env = {"HOME": home, "TANDEM_CONFIG": str(file), "PATH": "/nonexistent", "XDG_RUNTIME_DIR": home}
            said = subprocess.run([BINARY, *words], env=env, cwd=home, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
            return said.returncode != 2, said.stderr

    def test_the_program_understands_each(self):
        found = {}
        for page in pages():
            # Those of howto_test.py are run there.
            for block in blocks(page, *(() if page.parent.name == "how-to" else ("sh", "")), "console"):
                for words in commands_of(block):
                    # No looks at the machine, and nothing that waits: the line's own words are what is tried.
                    words = [*words, "--no-scan"] if words[0] == "init" and "--no-scan" not in words else words
                    found.setdefault(tuple(w.replace("192.168.1.20", "127.0.0.1") for w in words), block.where)
        self.assertGreater(len(found), 60)
        with ThreadPoolExecutor(2) as pool:
            tried = pool.map(lambda item: (item, self.understood(item[0])), found.items())
            wrong = [f"{where}: tandem {shlex.join(words)}\n{said}" for (words, where), (ok, said) in tried if not ok]
        self.assertEqual(wrong, [])

    def test_a_wrong_one_is_not(self):
        self.assertFalse(self.understood(["ask", "--modle", "x"])[0])
        self.assertFalse(self.understood(["asks"])[0])


if __name__ == "__main__":
    unittest.main()
