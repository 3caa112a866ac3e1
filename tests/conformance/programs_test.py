"""Programs that people use, headless and set up by `tandem connect` alone, each against providers in dialects that are not its
own: a task in which a file is written by the program's own tool, and a second turn of the same session."""
import json
import unittest

from agents import BIN, CONTENT, HELLO, KEY, PYTHON_BIN, Sessions


class Programs(Sessions, unittest.TestCase):
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
                run = [PYTHON_BIN / "aider", "--no-git", "--yes-always", "--no-check-update", "--analytics-disable", "--no-show-model-warnings", "--no-pretty"]
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
                self.check(behind, self.program(PYTHON_BIN / "llm", "-m", "tandem", *more, "Greet me.", LLM_USER_PATH=str(self.home / "llm")), HELLO)

    # ---- tandem connect ----

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
        for client, run in (("python", [PYTHON_BIN / "python", "-c"]), ("curl", ["bash", "-c"])):
            text = "\n".join(line for line in self.connect(client, "--key", "me", "--model", "m-gemini", "--show-key").stdout.splitlines() if not line.startswith("# "))
            self.check("gemini", self.program(*run, text), "Hello")


if __name__ == "__main__":
    unittest.main()
