"""Programs that people use, and a provider's model that has them do something: what the tests that start them share."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import warnings

from harness import CACHE
from strict import OverStrict, StrictUpstream

BIN = CACHE / "agents/node_modules/.bin"
PYTHON_BIN = CACHE / "python-programs/bin"
LANGCHAIN = CACHE / "langchain/bin/python"
KEY = "my-key-0123456789"
HELLO = "Hello from the scripted model"
CONTENT = "written by the model: ä \"quoted\" \\ 1.50\n"


class Agent(StrictUpstream):
    """Greets; asked for the TASK, it calls the tool that writes files, and says so once it has the result."""

    def __init__(self, name):
        super().__init__(name)
        self.target = None

    def choose(self, body, common):
        words = [m[1] for m in common["messages"] if m[0] == "user" and isinstance(m[1], str)]
        results = [m for m in common["messages"] if m[0] == "result"]
        asked = any("TASK" in w for w in words)
        names = {n: p for n, p in common["tools"]}
        if asked and not results:
            call = self.call(names)
            if call:
                return [("text", "I write it."), ("call", "call_w1", call[0], json.dumps(call[1]))], "calls"
            if "aider" in " ".join(m[1] for m in common["messages"] if m[0] == "system").lower() or not names:
                return [("text", f"{self.target.name}\n```\n{CONTENT}```\n")], "stop"
        return [("text", "Done." if results else HELLO)], "stop"

    def call(self, names):
        for name in ("Write", "write", "write_file", "create", "editor"):
            if name in names:
                given = (names[name] or {}).get("properties", {})
                return name, {**{p: str(self.target) for p in ("file_path", "filePath", "filepath", "path") if p in given},
                              **{p: CONTENT for p in ("content", "file_text", "new_text") if p in given}}
        script = f"cat > {self.target} <<'END'\n{CONTENT}END"
        for name, arguments in (("exec_command", {"cmd": script}), ("shell_command", {"command": script}), ("shell", {"command": ["bash", "-lc", script]})):
            if name in names:
                return name, arguments
        return None


class Sessions(OverStrict):
    """For test cases: programs that are started in a home of their own, before a Tandem before a strict provider of each dialect."""
    @classmethod
    def setUpClass(cls):
        warnings.simplefilter("ignore", ResourceWarning)
        cls.start(Agent, f"policy: {{ preset: cloud-first }}\nkeys: {{ me: {{ secret: {KEY} }} }}\n", 200000)

    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="program-"))
        self.work = self.home / "work"
        self.work.mkdir()
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)
        for u in self.upstreams.values():
            u.target = self.work / "note.txt"
            u.seen.clear()
            u.rejected.clear()

    def program(self, *command, timeout=120, **env):
        return subprocess.run([str(c) for c in command], cwd=self.work, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL,
                              env={"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home / "config"), "XDG_DATA_HOME": str(self.home / "data"),
                                   "XDG_CACHE_HOME": str(self.home / "cache"), "XDG_STATE_HOME": str(self.home / "state"), "NO_COLOR": "1", **env})

    def check(self, behind, result, said):
        upstream = self.upstreams[behind]
        detail = f"exit {result.returncode}\n{result.stdout[-3000:]}\n{result.stderr[-3000:]}\nrejected: {[r[0] for r in upstream.rejected]}"
        self.assertEqual(upstream.rejected, [], detail)
        self.assertEqual(result.returncode, 0, detail)
        self.assertTrue(upstream.seen, detail)
        self.assertIn(said, result.stdout + result.stderr, detail)

    def check_written(self, behind, result):
        note = self.work / "note.txt"
        self.check(behind, result, "")
        self.assertTrue(note.exists(), f"{result.stdout[-3000:]}\n{result.stderr[-3000:]}")
        self.assertEqual(note.read_text(), CONTENT)

    # ---- a session: what `connect` writes, a task with a tool, and a turn that goes on with it ----

    def session(self, client, behind, task, go_on, **env):
        """Both commands run in the same folder with nothing set but what `connect --write` has written."""
        with self.subTest(client=client, behind=behind):
            (self.work / "note.txt").unlink(missing_ok=True)
            done = self.connect(client, "--write", "--model", f"m-{behind}", "--key", "me")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.check_written(behind, self.program(*task, **env))
            self.check_goes_on(behind, self.program(*go_on, **env))

    def check_goes_on(self, behind, result):
        """A second turn has been asked for, with the first one's call and result before it."""
        self.check(behind, result, "Done.")
        messages = self.upstreams[behind].seen[-1][1]["messages"]
        self.assertTrue(any("Was it done?" in m[1] for m in messages if m[0] == "user" and isinstance(m[1], str)), messages)
        self.assertTrue([m for m in messages if m[0] == "result"], "the second turn knows the first one's call")

    def connect(self, *arguments):
        return subprocess.run([os.environ["TANDEM_BINARY"], "connect", *arguments], env={**self.tandem.env, "HOME": str(self.home)}, capture_output=True, text=True, timeout=30)
