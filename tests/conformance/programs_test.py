"""Programs that people use, headless and set up by `tandem connect` alone, each against providers in dialects that are not its
own: a task in which a file is written by the program's own tool, and a second turn of the same session."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest
import warnings

from harness import CACHE
from strict import OverStrict, StrictUpstream

BIN = CACHE / "clients/node_modules/.bin"
AIDER = CACHE / "python-programs/bin"
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
        for name, arguments in (("Write", {"file_path": str(self.target), "content": CONTENT}), ("write", {"filePath": str(self.target), "content": CONTENT}),
                                ("write_file", {"file_path": str(self.target), "content": CONTENT})):
            if name in names:
                return name, arguments
        script = f"cat > {self.target} <<'END'\n{CONTENT}END"
        for name, arguments in (("exec_command", {"cmd": script}), ("shell_command", {"command": script}), ("shell", {"command": ["bash", "-lc", script]})):
            if name in names:
                return name, arguments
        return None


class Programs(OverStrict, unittest.TestCase):
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
                              env={"PATH": os.environ["PATH"], "HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home / "config"), "XDG_DATA_HOME": str(self.home / "data"),
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
            before = len(self.upstreams[behind].seen)
            result = self.program(*go_on, **env)
            self.check(behind, result, "Done.")
            self.assertGreater(len(self.upstreams[behind].seen), before)
            messages = self.upstreams[behind].seen[-1][1]["messages"]
            self.assertTrue([m for m in messages if m[0] == "result"] or client == "aider", "the second turn knows the first one's call")

    def test_claude_code(self):
        for behind in ("openai-chat", "openai-responses", "gemini"):
            run = [BIN / "claude", "--allowedTools", "Write", "--permission-mode", "acceptEdits", "-p"]
            self.session("claude-code", behind, [*run, "TASK: write note.txt"], [*run, "Was it done?", "--continue"])

    def test_codex(self):
        for behind in ("anthropic", "openai-chat", "gemini"):
            run = [BIN / "codex", "exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"]
            self.session("codex", behind, [*run, "TASK: write note.txt"], [*run, "resume", "--last", "Was it done?"])

    def test_opencode(self):
        for behind in ("anthropic", "gemini"):
            run = [BIN / "opencode", "run"]
            self.session("opencode", behind, [*run, "TASK: write note.txt"], [*run, "--continue", "Was it done?"], XDG_CONFIG_HOME=str(self.home / ".config"))

    def test_gemini_cli(self):
        for behind in ("openai-chat", "anthropic"):
            run = [BIN / "gemini", "--yolo"]
            self.session("gemini-cli", behind, [*run, "-p", "TASK: write note.txt"], [*run, "--resume", "latest", "-p", "Was it done?"])

    # ---- aider, which edits by text ----

    def test_aider(self):
        for behind in ("anthropic", "gemini"):
            with self.subTest(behind=behind):
                done = self.connect("aider", "--write", "--model", f"m-{behind}", "--key", "me")
                self.assertEqual(done.returncode, 0, done.stderr)
                run = [AIDER / "aider", "--no-git", "--yes-always", "--no-check-update", "--analytics-disable", "--no-show-model-warnings", "--no-pretty"]
                self.check(behind, self.program(*run, "--message", "Greet me."), HELLO)
                note = self.work / "note.txt"
                note.write_text("old\n")
                self.check_written(behind, self.program(*run, "--edit-format", "whole", "--message", "TASK: write note.txt", "note.txt"))

    # ---- llm ----

    def test_llm(self):
        (self.home / "llm").mkdir()
        for behind in ("ollama", "anthropic"):
            printed = self.connect("llm", "--model", f"m-{behind}", "--key", "me", "--show-key").stdout
            models = [l for l in printed.splitlines() if l and not l.startswith("#")]
            (self.home / "llm/extra-openai-models.yaml").write_text("\n".join(models) + "\n")
            (self.home / "llm/keys.json").write_text(json.dumps({"tandem": KEY}))
            for more in ((), ("--no-stream",), ("-c",)):
                self.check(behind, self.program(AIDER / "llm", "-m", "tandem", *more, "Greet me.", LLM_USER_PATH=str(self.home / "llm")), HELLO)

    # ---- tandem connect ----

    def connect(self, *arguments):
        return subprocess.run([os.environ["TANDEM_BINARY"], "connect", *arguments], env={**self.tandem.env, "HOME": str(self.home)}, capture_output=True, text=True, timeout=30)

    def test_connect_keeps_what_was_in_the_file(self):
        before = {".claude/settings.json": '{"permissions": {"allow": ["Read"]}, "env": {"A": "1"}}', ".codex/config.toml": 'model = "gpt-5"\napproval_policy = "never"\n\n[tools]\nweb_search = false\n',
                  ".aider.conf.yml": "dark-mode: true\nmodel: other\n", ".gemini/.env": "OTHER=1\nGEMINI_API_KEY=old\n"}
        for name, text in before.items():
            (self.home / name).parent.mkdir(exist_ok=True)
            (self.home / name).write_text(text)
        for client in ("claude-code", "codex", "aider", "gemini-cli"):
            for _ in range(2):  # a second time changes nothing of the backup
                self.assertEqual(self.connect(client, "--write", "--key", "me", "--model", "cloud").returncode, 0)
        claude = json.loads((self.home / ".claude/settings.json").read_text())
        self.assertEqual((claude["permissions"], claude["env"]["A"], claude["env"]["ANTHROPIC_BASE_URL"]), ({"allow": ["Read"]}, "1", self.tandem.url))
        codex = (self.home / ".codex/config.toml").read_text()
        self.assertIn('approval_policy = "never"', codex)
        self.assertIn("[tools]\nweb_search = false", codex)
        self.assertNotIn("gpt-5", codex)
        self.assertEqual(codex.count("[model_providers.tandem]"), 1)
        self.assertIn("dark-mode: true", (self.home / ".aider.conf.yml").read_text())
        self.assertNotIn("old", (self.home / ".gemini/.env").read_text())
        self.assertEqual((self.home / ".gemini/.env").stat().st_mode & 0o777, 0o600)
        for client in ("claude-code", "codex", "aider", "gemini-cli"):
            self.assertEqual(self.connect(client, "--undo").returncode, 0)
            self.assertEqual(self.connect(client, "--undo").returncode, 5)
        self.assertEqual({name: (self.home / name).read_text() for name in before}, before)

    def test_connect_prints_settings_for_every_client(self):
        for client in ("claude-code", "codex", "opencode", "aider", "gemini-cli", "open-webui", "continue", "cursor", "zed", "n8n", "home-assistant", "langchain", "python", "curl"):
            done = self.connect(client, "--key", "me", "--model", "cloud")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(self.tandem.url, done.stdout)
        self.assertIn("did you mean 'codex'", self.connect("codx").stderr)
        self.assertEqual(self.connect("cursor", "--write", "--key", "me").returncode, 5)
        # What is printed runs.
        for client, run in (("python", [AIDER / "python", "-c"]), ("curl", ["bash", "-c"])):
            text = "\n".join(line for line in self.connect(client, "--key", "me", "--model", "m-gemini", "--show-key").stdout.splitlines() if not line.startswith("# "))
            self.check("gemini", self.program(*run, text), "Hello")


if __name__ == "__main__":
    unittest.main()
