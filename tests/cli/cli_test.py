"""The commands as a user types them: output, exit codes, JSON."""
# ctest: starts no real engine
import json
import os
import pathlib
import subprocess
import unittest

from harness import BINARY, Tandem, Upstream, free_port, until


class Cli(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.local, cls.cloud = Upstream(), Upstream()
        cls.tandem = Tandem(f"providers:\n  lab: {cls.local.provider()}\n  far: {cls.cloud.provider('cloud')}\nmodels:\n  small: {{ provider: lab }}\n"
                            "  big: { provider: far, price: { input: 1, output: 10 } }\n")

    @classmethod
    def tearDownClass(cls):
        cls.tandem.stop()
        cls.local.close()
        cls.cloud.close()

    def ok(self, *arguments, code=0, **more):
        result = self.tandem.cli(*arguments, **more)
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        return result

    def test_ask_gives_a_pipe_plain_text_only(self):
        result = self.ok("ask", "hello")
        self.assertEqual((result.stdout, result.stderr), ("Hello there\n", ""))

    def test_ask_adds_what_is_piped_in(self):
        self.ok("ask", "-a", "small", "look:", input="piped text")
        self.assertEqual(json.loads(self.local.requests[-1][1])["messages"][-1]["content"], "look:\n\npiped text")

    def test_ask_on_a_terminal_ends_with_one_dim_line(self):
        command = f"{BINARY} ask -a big hello"
        result = subprocess.run(["script", "-qec", command, "/dev/null"], env=self.tandem.env, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
        last = result.stdout.strip().splitlines()[-1]
        self.assertIn("big at far (cloud)", last)
        self.assertIn("7 + 3 tokens, 0.000037 USD", last)
        self.assertTrue(last.startswith("\x1b[2m"), last)

    def test_ask_in_json_has_the_record(self):
        answer = json.loads(self.ok("ask", "--json", "hello").stdout)
        self.assertEqual(answer["answer"], "Hello there")
        self.assertEqual(answer["record"]["attempts"][0]["outcome"], "answered")

    def test_ask_says_why_not(self):
        self.assertIn("did you mean 'small'?", self.ok("ask", "-a", "smal", "x", code=1).stderr)
        self.assertIn("nothing to ask", self.ok("ask", code=2, input="").stderr)

    def test_explain_and_its_dry_run(self):
        self.ok("ask", "hello")
        text = self.ok("explain", "--last").stdout
        self.assertIn("the same inputs give the same decision", text)
        self.assertIn("small at lab (local)", text)
        self.ok("explain", "dec_unknown", code=5)
        before = len(self.cloud.requests)
        text = self.ok("explain", "--dry-run", "my card 4111 1111 1111 1111", "--alias", "cloud").stdout
        self.assertIn("excluded by label", text)
        self.assertIn("detector card: private", text)
        dry = json.loads(self.ok("explain", "--json", "--dry-run", "hi", "--label", "private").stdout)
        self.assertEqual(dry["inputs"]["label"], "private")
        self.assertEqual(len(self.cloud.requests), before)

    def test_the_dry_run_works_without_a_server(self):
        lonely = Tandem("policy: { preset: local-first }", start=False)
        result = lonely.cli("explain", "--dry-run", "hello")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("no server answers", result.stdout)
        self.assertEqual(lonely.cli("ask", "x").returncode, 4)
        self.assertEqual(lonely.cli("cost").returncode, 5)
        lonely.stop()

    def test_cost_adds_up(self):
        self.ok("ask", "-a", "big", "hello")
        for by in ("model", "zone", "key", "day"):
            table = json.loads(self.ok("cost", "--by", by, "--json").stdout)
            self.assertEqual(sum(r["cost_micros"] for r in table["rows"]), table["total_micros"])
            self.assertGreater(table["total_micros"], 0)
        self.assertIn("total", self.ok("cost", "--since", "1h").stdout)
        self.ok("cost", "--since", "yesterday", code=2)
        self.ok("cost", "--by", "moon", code=2)

    def test_audit(self):
        self.ok("ask", "-a", "big", "hello")
        self.assertIn("is whole", self.ok("audit", "verify").stdout)
        self.assertIn("far", self.ok("audit", "list", "--since", "1h").stdout)

    def test_policy_show_is_yaml_that_can_be_used(self):
        for preset in ("hybrid", "local-first", "cloud-first"):
            shown = self.ok("policy", "show", preset).stdout
            copied = Tandem("policy:\n" + "".join("  " + line + "\n" for line in shown.splitlines()), start=False)
            self.assertEqual(copied.cli("policy", "show").returncode, 0)
            copied.stop()
        self.assertIn("did you mean 'hybrid'?", self.ok("policy", "show", "hybrd", code=5).stderr)

    def test_doctor_finds_what_is_wrong_and_prints_no_key(self):
        result = self.ok("doctor")
        self.assertNotIn("upstream-key", result.stdout)
        broken = Tandem(f"providers: {{ a: {{ kind: openai, zone: cloud, base_url: 'http://127.0.0.1:{free_port()}/v1', api_key: hidden-key-hidden }}, h: {{ kind: engine }} }}\n"
                        "models: { m: { provider: a }, e: { provider: h, file: nothing.gguf } }\n", start=False)
        result = broken.cli("doctor", "--json")
        self.assertEqual(result.returncode, 6)
        bad = {c["check"] for c in json.loads(result.stdout) if c["grade"] == "bad"}
        self.assertEqual(bad, {"provider a", "model e"})
        self.assertNotIn("hidden-key", result.stdout + result.stderr)
        broken.write("servr: 1")
        result = broken.cli("doctor")
        self.assertEqual(result.returncode, 6)
        self.assertIn("did you mean 'server'?", result.stdout)
        broken.stop()

    def test_doctor_says_what_of_the_privacy_is_open(self):
        open_one = Tandem("keys: { a: { secret: a-key-in-the-file-itself } }\nprivacy: { clearance: { cloud: private }, own: { env: { values_of: values } } }\n"
                          "providers: { c: { kind: openai, zone: cloud, base_url: 'http://127.0.0.1:9/v1' } }\nmodels: { m: { provider: c } }\n", start=False)
        self.addCleanup(open_one.stop)
        self.assertEqual(open_one.cli("doctor").returncode, 6)  # the file of values is not there
        (open_one.folder / "values").write_text("PORT=3000\nTOKEN=long-enough-to-look-for\n")
        open_one.start()
        (open_one.folder / "data/privacy.key").chmod(0o644)
        checks = {(c["check"], c["grade"]): c["text"] for c in json.loads(open_one.cli("doctor", "--json").stdout)}
        self.assertIn(("privacy.key", "bad"), checks)
        self.assertIn("keys.a.secret", checks[("secret", "warning")])
        self.assertIn("1 values are shorter", checks[("privacy.own.env", "warning")])
        self.assertIn("may see private", checks[("provider c", "warning")])
        self.assertIn("whole", checks[("egress record", "good")])
        self.assertNotIn("long-enough", json.dumps(list(checks.values())))

    def test_keys_as_hashes_files_and_credentials(self):
        import hashlib
        hashed = hashlib.sha256(b"alice-secret-0123456789").hexdigest()
        server = Tandem(f"keys:\n  alice: {{ secret: 'sha256:{hashed}' }}\n  bob: {{ secret: file:bob.key }}\n  carol: {{ secret: credential:carol }}\n"
                        "models: { m: { provider: c } }\nproviders: { c: { kind: openai, zone: local, base_url: 'http://127.0.0.1:9/v1' } }\n", start=False)
        self.addCleanup(server.stop)
        (server.folder / "bob.key").write_text("bob-secret-0123456789\n")
        server.env["CREDENTIALS_DIRECTORY"] = str(server.folder / "credentials")
        (server.folder / "credentials").mkdir()
        (server.folder / "credentials/carol").write_text("carol-secret-0123456789")
        server.start()
        for key, status in (("alice-secret-0123456789", 200), ("bob-secret-0123456789", 200), ("carol-secret-0123456789", 200), (f"sha256:{hashed}", 401), (hashed, 401), ("x", 401)):
            self.assertEqual(server.request("/v1/models", headers={"authorization": "Bearer " + key})[0], status, key)
        self.assertIn("hash", server.cli("connect", "aider", "--key", "alice", "--write").stderr)

    def test_secrets_in_files_are_read_again_when_they_change(self):
        import hashlib
        home = Upstream()
        self.addCleanup(home.close)
        server = Tandem(f"keys:\n  bob: {{ secret: file:bob.key }}\n  carol: {{ secret: credential:carol }}\nmodels: {{ m: {{ provider: c }} }}\n"
                        f"providers: {{ c: {{ kind: openai, zone: local, base_url: {home.base_url}, api_key: file:provider.key }} }}\n", start=False)
        self.addCleanup(server.stop)
        credentials = server.folder / "credentials"
        credentials.mkdir()
        server.env["CREDENTIALS_DIRECTORY"] = str(credentials)
        (server.folder / "bob.key").write_text("bob-secret-0123456789\n")
        (credentials / "carol").write_text("carol-secret-0123456789")
        (server.folder / "provider.key").write_text("sk-first")
        server.start()
        status = lambda key: server.request("/v1/models", headers={"authorization": "Bearer " + key})[0]
        self.assertEqual((status("bob-secret-0123456789"), status("carol-secret-0123456789")), (200, 200))
        (server.folder / "bob.key").write_text("sha256:" + hashlib.sha256(b"bob-second-secret-01234").hexdigest())
        until(lambda: status("bob-second-secret-01234") == 200, "the new key of bob")
        self.assertEqual(status("bob-secret-0123456789"), 401)
        (credentials / "carol").write_text("carol-second-secret-0123456789")
        until(lambda: status("carol-second-secret-0123456789") == 200, "the new key of carol")
        # A file that is gone or empty for a moment takes nobody's key.
        (server.folder / "bob.key").write_text("")
        until(lambda: "stays in force" in server.log_text(), "the complaint")
        self.assertEqual(status("bob-second-secret-01234"), 200)
        (server.folder / "bob.key").write_text("bob-third-secret-0123456")
        until(lambda: status("bob-third-secret-0123456") == 200, "the newest key of bob")
        (server.folder / "provider.key").write_text("sk-second")
        def sent():
            server.chat(model="m", headers={"authorization": "Bearer bob-third-secret-0123456"})
            return "Bearer sk-second" in home.requests[-1][0]
        until(sent, "the new key of the provider")

    def test_privacy_scan_over_the_api_is_what_the_command_says(self):
        text = "Ring Anna on +49 30 901820, caf\u00e9, and pay DE89 3704 0044 0532 0130 00"
        line = json.dumps({"id": "a", "text": text})
        command = subprocess.run([BINARY, "privacy", "scan", "--jsonl"], env=self.tandem.env, input=line, capture_output=True, text=True)
        status, _, raw = self.tandem.request("/tandem/v1/privacy/scan", {"id": "a", "text": text})
        self.assertEqual((status, json.loads(raw)), (200, json.loads(command.stdout)))
        (span,) = [s for s in json.loads(raw)["spans"] if s["type"] == "IBAN_CODE"]
        self.assertEqual(text[span["start"]:span["end"]], "DE89 3704 0044 0532 0130 00")
        self.assertEqual(self.tandem.request("/tandem/v1/privacy/scan", {"text": 1})[0], 400)

    def test_init_writes_a_config_that_works_and_keeps_an_old_one(self):
        fresh = Tandem("", start=False, env={"OPENAI_API_KEY": "sk-test-0123456789"})
        target = fresh.folder / "sub/tandem.yaml"
        result = fresh.cli("init", "--no-scan", "--config", str(target))
        self.assertEqual(result.returncode, 0, result.stderr)
        text = target.read_text()
        self.assertIn("${OPENAI_API_KEY}", text)
        self.assertNotIn("sk-test", text)
        self.assertEqual(target.stat().st_mode & 0o777, 0o600)
        self.assertEqual(fresh.cli("policy", "show", "--config", str(target)).returncode, 0)
        again = fresh.cli("init", "--no-scan", "--config", str(target))
        self.assertEqual(again.returncode, 3)
        self.assertIn("--force", again.stderr)
        self.assertEqual(fresh.cli("init", "--no-scan", "--force", "--config", str(target)).returncode, 0)
        self.assertEqual(pathlib.Path(str(target) + ".old").read_text(), text)
        fresh.stop()

    def test_a_wrong_config_is_exit_3_with_the_place(self):
        wrong = Tandem("modles: {}", start=False)
        result = wrong.cli("serve")
        self.assertEqual(result.returncode, 3)
        self.assertIn("tandem.yaml:3:1: unknown key 'modles'; did you mean 'models'?", result.stderr)
        wrong.stop()

    def test_a_second_server_is_refused_by_folder_and_by_port(self):
        result = self.tandem.cli("serve")
        self.assertEqual(result.returncode, 1)
        self.assertIn("another tandem uses", result.stderr)
        other = Tandem(f"server: {{ listen: 127.0.0.1:{self.tandem.port} }}", start=False)
        result = other.cli("serve")
        self.assertEqual(result.returncode, 1)
        self.assertIn("cannot listen on", result.stderr)
        other.stop()

    def test_off_loopback_needs_a_key(self):
        open_one = Tandem("server: { listen: 0.0.0.0:PORT }", start=False)
        result = open_one.cli("serve")
        self.assertEqual(result.returncode, 3)
        self.assertIn("no API key", result.stderr)
        open_one.stop()

    def test_a_newer_ledger_is_refused_untouched(self):
        import sqlite3
        t = Tandem("")
        t.kill()
        with sqlite3.connect(t.folder / "data/ledger.db") as ledger:
            ledger.execute("PRAGMA user_version = 99")
        ledger.close()
        result = t.cli("serve")
        self.assertEqual(result.returncode, 1)
        self.assertIn("version 99", result.stderr)
        t.stop()

    def test_version_help_and_completion(self):
        self.assertRegex(self.ok("version").stdout, r"^tandem \d+\.\d+\.\d+\n$")
        self.assertIn("sqlite", json.loads(self.ok("version", "--json").stdout))
        self.ok("--help")
        self.ok("nonsense", code=2)
        for shell in ("bash", "zsh", "fish"):
            self.assertIn("explain", self.ok("completion", shell).stdout)
        script = self.ok("completion", "bash").stdout + "\nCOMP_WORDS=(tandem audit v); COMP_CWORD=2; _tandem; echo ${COMPREPLY[@]}\n"
        self.assertEqual(subprocess.run(["bash", "-c", script], capture_output=True, text=True).stdout, "verify\n")

    def test_secrets_and_prompts_are_in_no_file(self):
        self.ok("ask", "-a", "small", "the prompt is only in memory, AKIAIOSFODNN7EXAMPLE.")
        for file in (self.tandem.folder / "data").rglob("*"):
            if file.is_file() and file.name != "admin.token":
                data = file.read_bytes()
                for hidden in (b"only in memory", b"AKIAIOSFODNN7EXAMPLE", b"upstream-key"):
                    self.assertNotIn(hidden, data, file)
        self.assertEqual(os.stat(self.tandem.folder / "data/admin.token").st_mode & 0o777, 0o600)
        self.assertEqual(os.stat(self.tandem.folder / "data/ledger.db").st_mode & 0o777, 0o600)


if __name__ == "__main__":
    unittest.main()
