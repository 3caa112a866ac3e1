"""`tandem connect`: what is printed and written for clients, without running them (tests/conformance does)."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import tomllib
import unittest

from harness import BINARY

SECRET = "me-secret-0123456789"
CONFIG = f"""
server: {{ listen: 127.0.0.1:7117 }}
providers:
  lab: {{ kind: openai, zone: local, base_url: http://127.0.0.1:9/v1 }}
  far: {{ kind: openai, zone: cloud, base_url: http://127.0.0.1:9/v1 }}
models:
  small: {{ provider: lab, context: 16000, capabilities: [tools, json] }}
  big: {{ provider: far, context: 150000, max_output: 20000, capabilities: [tools, vision, json, reasoning] }}
  vectors: {{ provider: lab, context: 900000, capabilities: [embeddings] }}
aliases: {{ best: [big], sonnet: [big, small], "claude-*": auto }}
"""
KEYS = f"keys: {{ me: {{ secret: {SECRET} }} }}\n"


class Connect(unittest.TestCase):
    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="connect-"))
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)
        self.config = self.home / "tandem.yaml"
        self.config.write_text(CONFIG + KEYS)
        drop = ("XDG_CONFIG_HOME", "CODEX_HOME", "CLAUDE_CONFIG_DIR", "GEMINI_CLI_HOME", "QWEN_HOME", "CONTINUE_GLOBAL_DIR", "CRUSH_GLOBAL_CONFIG", "PI_CODING_AGENT_DIR", "KIMI_CODE_HOME", "OPENCLAW_STATE_DIR")
        self.env = {**{k: v for k, v in os.environ.items() if k not in drop and not k.startswith(("OPENAI_", "GOOSE_", "GEMINI_", "GOOGLE_"))}, "HOME": str(self.home), "TANDEM_CONFIG": str(self.config)}

    def connect(self, *arguments, code=0, **env):
        result = subprocess.run([BINARY, "connect", *arguments], env={**self.env, **env}, capture_output=True, text=True, timeout=30)
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        return result.stdout + result.stderr

    def put(self, name, text):
        file = self.home / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())
        return file

    # ---- names ----

    def test_names_that_a_client_has_for_itself_are_refused_with_a_better_one(self):
        for name in ("best", "sonnet"):
            said = self.connect("claude-code", "--model", name, code=3)
            self.assertIn(f"takes '{name}' for a choice of its own", said)
        self.assertIn("--model big", self.connect("claude-code", "--model", "best", code=3))
        self.assertIn("`tandem-sonnet: [big, small]`", self.connect("claude-code", "--model", "sonnet", code=3))
        self.connect("claude-code", "--model", "best", "--write", code=3)
        self.assertFalse((self.home / ".claude").exists())
        self.connect("codex", "--model", "best")
        self.assertIn("tandem-auto: auto", self.connect("gemini-cli", code=3))
        self.config.write_text(CONFIG.replace('"claude-*": auto', "tandem: auto"))
        self.assertIn("--model tandem", self.connect("gemini-cli", code=3))
        self.assertIn("GEMINI_MODEL=tandem", self.connect("gemini-cli", "--model", "tandem"))

    def test_a_name_is_a_clients_own_in_any_case_and_with_a_window(self):
        names = ["Opus", "SONNET", "Best", "inherit", "OpusPlan"]
        self.config.write_text(CONFIG.replace("aliases: {", 'aliases: { "sonnet*": auto, ' + "".join(f'"{name}": [big], ' for name in names)))
        for name in (*names, "sonnet[1m]"):
            self.assertIn("for a choice of its own", self.connect("claude-code", "--model", name, code=3))
            self.connect("codex", "--model", name)

    def test_context_and_answer_are_of_one_model_that_hard_work_goes_to(self):
        models = """
  gpt-5.1: { provider: far, context: 400000, max_output: 128000 }
  gpt-5: { provider: far, context: 272000, max_output: 90000 }
  gpt-4.1: { provider: far, context: 1047576, max_output: 32768 }
  never: { provider: far, name: gpt-5.2, context: 5000, auto: false }
  last: { provider: far, name: gpt-5.2, context: 6000, fallback: only }
"""
        self.config.write_text(CONFIG.replace("models:\n", "models:" + models))
        read = lambda *a: json.loads("".join(l for l in self.connect(*a).splitlines(True) if not l.startswith("#")))
        self.assertEqual(read("opencode")["provider"]["tandem"]["models"]["auto"]["limit"], {"context": 272000, "output": 90000})
        self.assertEqual(read("opencode", "--model", "gpt-4.1")["provider"]["tandem"]["models"]["gpt-4.1"]["limit"], {"context": 1047576, "output": 32768})
        (model,) = read("crush")["providers"]["tandem"]["models"]
        self.assertEqual((model["context_window"], model["default_max_tokens"]), (272000, 32768))
        self.assertIn("contextLength: 272000\n      maxTokens: 32768\n", self.connect("continue"))
        (model,) = read("zed")["language_models"]["openai_compatible"]["Tandem"]["available_models"]
        self.assertEqual((model["max_tokens"], model["max_output_tokens"]), (272000, 32768))
        self.assertIn("Max Output Tokens 4000", self.connect("cline", "--model", "small"))

    def test_a_name_that_a_pattern_stands_for_is_one(self):
        self.assertIn("claude-sonnet-4-5", self.connect("claude-code", "--model", "claude-sonnet-4-5"))
        self.assertIn("there is no model or alias 'gpt-x'", self.connect("claude-code", "--model", "gpt-x", code=5))
        self.connect("claude-code", "--model", "claude-*", code=5)

    # ---- keys ----

    def test_no_secret_is_printed_unless_asked(self):
        for client in ("claude-code", "codex", "opencode", "aider", "qwen-code", "crush", "goose", "continue", "zed", "cline", "open-webui", "librechat", "llm", "cursor", "n8n", "home-assistant", "langchain", "python", "curl"):
            self.assertNotIn(SECRET, self.connect(client), client)
            self.assertNotIn(SECRET, self.connect(client, "--json"), client)
        for client in ("claude-code", "codex", "opencode", "aider", "qwen-code", "crush", "goose", "continue", "zed", "cline", "open-webui", "librechat", "llm", "cursor", "n8n", "home-assistant", "langchain", "python", "curl"):
            self.assertIn(SECRET, self.connect(client, "--show-key"), client)
        self.assertIn("$TANDEM_API_KEY", self.connect("curl"))
        self.assertIn('os.environ["TANDEM_API_KEY"]', self.connect("python"))

    def test_a_key_that_a_client_keeps_elsewhere_is_not_said_to_be_written(self):
        for client, file in (("goose", ".config/goose/config.yaml"), ("zed", ".config/zed/settings.json")):
            self.assertNotIn("--write puts it into the file", self.connect(client))
            self.connect(client, "--write")
            self.assertNotIn(SECRET, (self.home / file).read_text())
        self.assertIn("--write puts it into the file", self.connect("codex"))

    def test_a_key_is_read_back_as_it_is_from_the_file_of_each_client(self):
        odd = "p4ss#word$HOME-`id`-0123"
        self.config.write_text(CONFIG + f"keys: {{ me: {{ secret: '{odd}' }} }}\n")
        for client, file in (("gemini-cli", ".gemini/.env"), ("qwen-code", ".qwen/.env")):
            self.connect(client, "--write", "--model", "big")
            self.assertIn(f"_API_KEY='{odd}'\n", (self.home / file).read_text())  # without quotes dotenv ends it at the #
        self.connect("crush", "--write")
        written = json.loads((self.home / ".config/crush/crush.json").read_text())["providers"]["tandem"]["api_key"]
        self.assertEqual(written, r"p4ss#word\$HOME-\`id\`-0123")  # Crush expands it as a shell does

    def test_the_only_key_need_not_be_named_and_of_several_one_must(self):
        self.connect("codex", "--write")
        self.assertIn(SECRET, (self.home / ".codex/config.toml").read_text())
        self.config.write_text(CONFIG + f"keys: {{ me: {{ secret: {SECRET} }}, you: {{ secret: you-secret-0123456789 }} }}\n")
        self.assertIn("one of: me, you", self.connect("codex", "--write", code=3))
        self.assertIn("did you mean 'you'", self.connect("codex", "--write", "--key", "yuo", code=5))

    # ---- addresses ----

    def test_an_address_is_taken_as_people_write_it_and_what_it_means_is_said(self):
        for url in ("http://192.168.1.10:7117", "192.168.1.10:7117", "http://192.168.1.10:7117/v1/", "http://192.168.1.10:7117/"):
            said = self.connect("codex", "--url", url)
            self.assertIn('base_url = "http://192.168.1.10:7117/v1"', said)
            self.assertIn("listens on 127.0.0.1 alone", said)
        self.assertIn("https://ai.example.com/tandem/v1", self.connect("opencode", "--url", "https://ai.example.com/tandem"))
        self.assertIn("not encrypted", self.connect("codex", "--url", "http://ai.example.com"))
        self.assertNotIn("not encrypted", self.connect("codex", "--url", "https://ai.example.com"))
        for wrong in ("ftp://x", "http://", "http://h/?x=1", 'http://h"'):
            self.assertIn("--url: expected an address", self.connect("codex", "--url", wrong, code=3))

    def test_a_client_in_a_container_is_told_what_loopback_is_there(self):
        said = self.connect("open-webui")
        self.assertIn("--url http://host.docker.internal:7117", said)
        self.assertIn("server.listen: 0.0.0.0:7117 and keys:", said)
        self.assertIn("OPENAI_API_BASE_URL=http://host.docker.internal:7117/v1", self.connect("open-webui", "--url", "http://host.docker.internal:7117"))

    # ---- what a model can do ----

    def test_context_and_capabilities_of_what_a_name_stands_for_are_written(self):
        self.assertIn("model_context_window = 150000", self.connect("codex"))
        self.assertIn("model_context_window = 16000", self.connect("codex", "--model", "local"))  # not the embedder's 900000
        opencode = json.loads("".join(l for l in self.connect("opencode", "--model", "small").splitlines(True) if not l.startswith("#")))
        model = opencode["provider"]["tandem"]["models"]["small"]
        self.assertEqual((model["limit"], model["tool_call"], model["attachment"], model["modalities"]["input"]), ({"context": 16000, "output": 4000}, True, False, ["text"]))
        zed = json.loads("".join(l for l in self.connect("zed").splitlines(True) if not l.startswith("#")))
        (model,) = zed["language_models"]["openai_compatible"]["Tandem"]["available_models"]
        self.assertEqual((model["max_tokens"], model["max_output_tokens"], model["capabilities"]["images"], model["capabilities"]["tools"]), (150000, 20000, True, True))
        self.assertIn("contextLength: 150000", self.connect("continue"))
        self.assertIn("capabilities: [tool_use, image_input]", self.connect("continue"))
        self.assertIn('"CLAUDE_CODE_AUTO_COMPACT_WINDOW": "16000"', self.connect("claude-code", "--model", "small"))

    def test_claude_code_has_its_settings_of_today(self):
        self.connect("claude-code", "--write")
        env = json.loads((self.home / ".claude/settings.json").read_text())["env"]
        self.assertEqual({env[k] for k in ("ANTHROPIC_MODEL", "ANTHROPIC_DEFAULT_OPUS_MODEL", "ANTHROPIC_DEFAULT_SONNET_MODEL", "ANTHROPIC_DEFAULT_HAIKU_MODEL", "CLAUDE_CODE_SUBAGENT_MODEL")}, {"auto"})
        self.assertEqual((env["ANTHROPIC_AUTH_TOKEN"], env["ANTHROPIC_API_KEY"], env["ANTHROPIC_BASE_URL"]), (SECRET, "", "http://127.0.0.1:7117"))

    def test_the_model_is_the_one_that_a_client_starts_with(self):
        zed = json.loads("".join(l for l in self.connect("zed").splitlines(True) if not l.startswith("#")))
        self.assertEqual(zed["agent"]["default_model"], {"provider": "Tandem", "model": "auto"})
        self.connect("crush", "--write")
        crush = json.loads((self.home / ".config/crush/crush.json").read_text())["models"]
        self.assertEqual([crush[k] for k in ("large", "small")], [{"provider": "tandem", "model": "auto"}] * 2)
        self.put(".qwen/settings.json", '{ "model": { "name": "qwen3-coder-plus", "chatCompression": 1 } }')
        self.connect("qwen-code", "--write", "--model", "big")
        qwen = json.loads((self.home / ".qwen/settings.json").read_text())
        self.assertEqual(qwen["security"]["auth"]["selectedType"], "openai")
        self.assertEqual(qwen["model"], {"name": "big", "chatCompression": 1, "generationConfig": {"contextWindowSize": 150000, "modalities": {"image": True}}})
        self.assertIn("DEFAULT_MODELS=big", self.connect("open-webui", "--model", "big"))

    def test_a_base_url_that_goose_has_from_before_does_not_win(self):
        file = self.put(".config/goose/config.yaml", "OPENAI_BASE_URL: https://elsewhere.example/v1\nOPENAI_HOST: https://elsewhere.example\n")
        self.connect("goose", "--write")
        self.assertNotIn("elsewhere", file.read_text())
        self.assertIn("OPENAI_BASE_URL: http://127.0.0.1:7117/v1\nOPENAI_HOST: http://127.0.0.1:7117\n", file.read_text())

    def test_what_home_assistant_asks_of_a_model_is_what_it_has(self):
        said = self.connect("home-assistant", "--model", "small", "--show-key")
        self.assertIn(f"API Key:              {SECRET}\n", said)
        self.assertIn("Context window size:  8192\n", said)
        self.config.write_text(CONFIG.replace("context: 16000", "context: 4096") + KEYS)
        self.assertIn("Context window size:  4096\n", self.connect("home-assistant", "--model", "small"))

    def test_a_client_that_lists_contexts_is_told_that_of_the_model(self):
        self.assertIn('tokenConfig: { "auto": { prompt: 0, completion: 0, context: 150000 } }', self.connect("librechat"))
        self.assertIn("supports_schema: true", self.connect("llm", "--model", "small"))

    # ---- variables ----

    def test_a_variable_that_goes_before_the_file_is_named(self):
        self.assertNotIn("of this shell", self.connect("qwen-code"))
        self.assertIn("OPENAI_API_KEY of this shell goes before", self.connect("qwen-code", OPENAI_API_KEY="sk-other"))
        said = self.connect("goose", "--write", GOOSE_MODEL="gpt-5", OPENAI_HOST="https://elsewhere.example")
        self.assertIn("note: GOOSE_MODEL, OPENAI_HOST of this shell go before", said)
        self.assertNotIn("elsewhere", said)
        self.assertNotIn("of this shell", self.connect("codex", OPENAI_API_KEY="sk-other"))

    # ---- files ----

    def test_comments_commas_order_and_layout_of_a_file_stay(self):
        before = ('// my settings\n{\n    "permissions": { "allow": ["Read", /* and */ "Grep",] }, // keep\n    "env": {\n        "A": "1", // one\n        /* the model */ "ANTHROPIC_MODEL": "opus",\n'
                  '        "URL": "http://x/y//z",\n    },\n    "theme": "dark" // last\n    /* end */\n}\n')
        file = self.put(".claude/settings.json", before)
        self.connect("claude-code", "--write")
        after = file.read_text()
        kept = [l for l in before.splitlines() if "ANTHROPIC_MODEL" not in l]
        self.assertEqual([l for l in after.splitlines() if l in kept], kept)
        self.assertIn('/* the model */ "ANTHROPIC_MODEL": "auto",', after)
        plain = re.sub(r",(\s*[}\]])", r"\1", re.sub(r"/\*.*?\*/", "", re.sub(r"(^|\s)//.*", "", after)))
        parsed = json.loads(plain)
        self.assertEqual((parsed["theme"], parsed["env"]["A"], parsed["env"]["URL"], parsed["env"]["ANTHROPIC_MODEL"]), ("dark", "1", "http://x/y//z", "auto"))
        again = after
        self.connect("claude-code", "--write")
        self.assertEqual(file.read_text(), again)
        self.connect("claude-code", "--undo")
        self.assertEqual(file.read_text(), before)

    def test_files_in_every_layout_are_read_again_as_json(self):
        for before in ("", "{}", "{ }", "{\n}", '{"a":1}', '{"a": {"b": 1}}\n', '{"env": null}', '{"env":{}}', '{\r\n\t"a": [1, 2],\r\n\t"env": { "X": "y" }\r\n}\r\n', '\ufeff{"a":1}', '{"env": {"ANTHROPIC_MODEL": "x", "ANTHROPIC_MODEL": "y"}}'):
            with self.subTest(before=before):
                file = self.put(".claude/settings.json", before)
                self.connect("claude-code", "--write")
                after = json.loads(file.read_bytes().decode("utf-8-sig"))
                self.assertEqual(after["env"]["ANTHROPIC_MODEL"], "auto")
                old = json.loads(before.lstrip("\ufeff") or "{}")
                self.assertEqual({k: v for k, v in after.items() if k != "env"}, {k: v for k, v in old.items() if k != "env"})
                self.connect("claude-code", "--undo")

    def test_what_a_client_has_changed_since_is_kept_when_its_settings_are_taken_back(self):
        file = self.put(".claude/settings.json", '{"a": 1}\n')
        kept = file.with_name("settings.json.with-tandem")
        for change in ("one", "two"):
            self.connect("claude-code", "--write")
            self.connect("claude-code", "--write")  # as often as one likes
            changed = json.loads(file.read_text())
            changed["plugins"] = change
            file.write_text(json.dumps(changed, indent=2))
            self.assertIn("it was changed since", self.connect("claude-code", "--undo"))
            self.assertEqual(file.read_text(), '{"a": 1}\n')
        self.assertEqual([json.loads(p.read_text())["plugins"] for p in (kept, kept.with_name(kept.name + ".2"))], ["one", "two"])
        # A file that was new goes, and what its client made of it stays as well.
        file.unlink()
        self.connect("claude-code", "--write")
        file.write_text("{}")
        self.connect("claude-code", "--undo")
        self.assertFalse(file.exists())
        self.assertEqual(kept.with_name(kept.name + ".3").read_text(), "{}")
        # Without a change there is nothing to keep.
        self.connect("claude-code", "--write")
        self.assertNotIn("it was changed", self.connect("claude-code", "--undo"))
        self.assertFalse(kept.with_name(kept.name + ".4").exists())

    def test_a_file_that_cannot_be_read_is_never_written(self):
        for name, client, text in ((".claude/settings.json", "claude-code", '{"a": 1,, }'), (".claude/settings.json", "claude-code", "[1]"), (".claude/settings.json", "claude-code", '{"a": "open'),
                                   (".claude/settings.json", "claude-code", "{} trailing"), (".codex/config.toml", "codex", "model = \"x\nnot toml at all\n"), (".codex/config.toml", "codex", "x = [1,\n"),
                                   (".codex/config.toml", "codex", "model_providers = { tandem = { name = 'x' } }\n"), (".aider.conf.yml", "aider", "a: [1\n"), (".aider.conf.yml", "aider", "- a\n- b\n"),
                                   (".aider.conf.yml", "aider", "model:\n  - x\n  - y\n"), (".aider.model.metadata.json", "aider", "{"), (".continue/config.yaml", "continue", "name: mine\nmodels: []\n")):
            with self.subTest(text=text):
                file = self.put(name, text)
                said = self.connect(client, "--write", code=3)
                self.assertIn(name, said)
                self.assertEqual(file.read_text(), text)
                self.assertEqual([p.name for p in self.home.rglob("*tandem") if p.name.endswith("-tandem")], [])  # no other file of it was written either
                file.unlink()

    def test_toml_with_arrays_strings_and_tables_of_all_kinds_keeps_them(self):
        before = ('# mine\nmodel = "gpt-5" # old\nnotify = [\n  "a",\n  "[not.a.table]",\n]\ntext = """\n[model_providers.tandem]\nmodel = "inside"\n"""\n\n[ model_providers . "tandem" ]\nbase_url = "old"\n'
                  '[model_providers.tandem.http_headers]\nx = "y"\n[profiles.fast]\nmodel = "gpt-5-mini"\n[[list]]\na = 1\n')
        file = self.put(".codex/config.toml", before)
        for _ in range(2):
            self.connect("codex", "--write")
        after, old = tomllib.loads(file.read_text()), tomllib.loads(before)
        self.assertEqual((after["model"], after["model_provider"], after["model_providers"]["tandem"]["wire_api"]), ("auto", "tandem", "responses"))
        self.assertEqual({k: after[k] for k in ("notify", "text", "profiles", "list")}, {k: old[k] for k in ("notify", "text", "profiles", "list")})
        self.assertIn("# mine", file.read_text())
        self.assertEqual(after["model_providers"]["tandem"]["http_headers"], {"x": "y"})
        self.assertNotIn("old", after["model_providers"]["tandem"].values())

    def test_toml_keys_in_every_form_are_the_same_key_once(self):
        for before in (b'"model" = "a"\n', b"'model' = 'a'\r\nx = 1\r\n", b'"mod\\u0065l"="a"\n', b'\xef\xbb\xbfmodel = "a"\n', b'model = """\na\nb"""\n', b"model = ''''a''''\n",
                       b'[model_providers.tandem]\nname = "q"\nenv_key = "OTHER"\nrequest_max_retries = 2\nquery_params = { a = "b" }\n[model_providers.tandem.http_headers]\nX-Team = "blue"\n',
                       b'[model_providers.tandem.http_headers]\nX-Team = "blue"\n[z]\nmodel = 1\n', b'[model_providers.other]\nname = "o"\n[model_providers."tandem"]\n"name" = "q"\n[[l]]\nmodel = 2\n'):
            with self.subTest(before=before):
                file = self.home / ".codex/config.toml"
                file.parent.mkdir(exist_ok=True)
                file.write_bytes(before)
                self.connect("codex", "--write")
                once = file.read_bytes()
                self.connect("codex", "--write")
                self.assertEqual(file.read_bytes(), once)
                after = tomllib.loads(once.decode())
                ours = after["model_providers"]["tandem"]
                self.assertEqual((after["model"], ours["name"], ours["wire_api"], "env_key" in ours), ("auto", "Tandem", "responses", False))
                old = tomllib.loads(before.decode("utf-8-sig"))
                for name, value in old.get("model_providers", {}).get("tandem", {}).items():
                    if name not in ("name", "env_key"):
                        self.assertEqual(ours[name], value)
                self.assertEqual({k: v for k, v in after.items() if k in ("x", "z", "l")}, {k: v for k, v in old.items() if k in ("x", "z", "l")})
                self.connect("codex", "--undo")
                self.assertEqual(file.read_bytes(), before)
                file.unlink()

    def test_toml_beside_which_the_settings_would_not_be_valid_is_refused(self):
        for before in ('model.x = 1\n', '[model]\nx = 1\n', '[[model_providers]]\nname = "x"\n', '[[model_providers.tandem]]\nname = "x"\n', 'model_providers.tandem.name = "x"\n', '[model_providers]\ntandem.name = "x"\n',
                       '[model_providers]\ntandem = { name = "x" }\n', '[model_providers.tandem]\nauth = { command = "x" }\n', '[model_providers.tandem.auth]\ncommand = "x"\n', '[model_providers.tandem.name]\nx = 1\n',
                       'x = [1, 2}\n', 'x = "open\n', '[a\nx = 1\n', '"a\n" = 1\n'):
            with self.subTest(before=before):
                file = self.put(".codex/config.toml", before)
                self.assertIn(".codex/config.toml", self.connect("codex", "--write", code=3))
                self.assertEqual(file.read_text(), before)

    def test_a_line_inside_of_a_value_of_several_lines_is_no_setting(self):
        before = 'X="multi\nOPENAI_API_KEY=inside\nline" # mine\nY=\'one\nexport OPENAI_MODEL=inside\'\nexport OPENAI_API_KEY="a\nb"\nOPENAI_MODEL: old\nZ="open\nOPENAI_BASE_URL=old\n'
        file = self.put(".qwen/.env", before)
        self.connect("qwen-code", "--write")
        after = file.read_text()
        self.assertTrue(after.startswith('X="multi\nOPENAI_API_KEY=inside\nline" # mine\nY=\'one\nexport OPENAI_MODEL=inside\'\nZ="open\nOPENAI_API_KEY='), after)
        self.assertNotIn("old", after)
        file = self.put(".aider.conf.yml", '\ufeff"model": old\n\'openai-api-key\' : old\nx: 1\n')
        self.connect("aider", "--write")
        self.assertNotIn("old", file.read_text())
        self.assertEqual(file.read_text().count("model"), 1)
        text = 'x: "a\nmodel: inside\n  b"\nmodel: z\n'
        file = self.put(".aider.conf.yml", text)
        self.connect("aider", "--write", code=3)
        self.assertEqual(file.read_text(), text)

    def test_a_nested_setting_of_the_same_name_is_not_ours(self):
        file = self.put(".aider.conf.yml", "# mine\nextra:\n  model: theirs\nmodel: old\n")
        self.connect("aider", "--write")
        self.assertIn("extra:\n  model: theirs\n", file.read_text())
        self.assertNotIn("old", file.read_text())
        self.assertEqual(json.loads((self.home / ".aider.model.metadata.json").read_text())["openai/auto"]["max_input_tokens"], 150000)

    def test_the_folders_that_clients_are_told_are_theirs(self):
        self.connect("codex", "--write", CODEX_HOME=str(self.home / "cx"))
        self.assertTrue((self.home / "cx/config.toml").exists())
        self.connect("claude-code", "--write", CLAUDE_CONFIG_DIR=str(self.home / "cl"))
        self.assertTrue((self.home / "cl/settings.json").exists())
        self.put("xdg/opencode/opencode.jsonc", '{\n  // mine\n  "theme": "x"\n}\n')
        self.connect("opencode", "--write", XDG_CONFIG_HOME=str(self.home / "xdg"))
        self.assertIn("// mine", (self.home / "xdg/opencode/opencode.jsonc").read_text())
        self.assertFalse((self.home / "xdg/opencode/opencode.json").exists())
        self.connect("opencode", "--undo", XDG_CONFIG_HOME=str(self.home / "xdg"))
        for client, variable, name in (("qwen-code", "QWEN_HOME", "settings.json"), ("continue", "CONTINUE_GLOBAL_DIR", "config.yaml"), ("crush", "CRUSH_GLOBAL_CONFIG", "crush.json"),
                                       ("pi", "PI_CODING_AGENT_DIR", "models.json"), ("kimi-code", "KIMI_CODE_HOME", "config.toml"), ("openclaw", "OPENCLAW_STATE_DIR", "openclaw.json")):
            self.connect(client, "--write", **{variable: str(self.home / client)})
            self.assertTrue((self.home / client / name).exists(), client)

    def test_a_key_is_a_key_and_no_reference_or_command(self):
        """Pi takes $NAME and !command for others; a shell takes much for its own."""
        self.config.write_text(CONFIG + "keys: { me: { secret: '!a$B\"c d0123456789' } }\n")
        self.connect("pi", "--write")
        self.assertEqual(json.loads((self.home / ".pi/agent/models.json").read_text())["providers"]["tandem"]["apiKey"], '$!a$$B"c d0123456789')
        self.assertEqual(json.loads((self.home / ".pi/agent/settings.json").read_text()), {"defaultProvider": "tandem", "defaultModel": "auto"})
        script = "".join(line + "\n" for line in self.connect("copilot", "--show-key").splitlines() if not line.startswith("#"))
        said = subprocess.run(["bash", "-c", script + 'printf %s "$COPILOT_PROVIDER_API_KEY"'], capture_output=True, text=True, timeout=10)
        self.assertEqual(said.stdout, '!a$B"c d0123456789')

    def test_toml_with_two_tables_of_ours_keeps_all_others(self):
        before = b'telemetry = false\n[providers.tandem]\napi_key_env = "OLD"\ncustom_headers = { a = "b" }\n[models."x.y"]\nmodel = "z"\n'
        file = self.put(".kimi-code/config.toml", before.decode())
        for _ in range(2):
            self.connect("kimi-code", "--write", "--model", "big")
        self.assertEqual(tomllib.loads(file.read_text()), {
            "default_model": "tandem", "telemetry": False,
            "providers": {"tandem": {"type": "openai", "base_url": "http://127.0.0.1:7117/v1", "api_key": SECRET, "custom_headers": {"a": "b"}}},
            "models": {"x.y": {"model": "z"}, "tandem": {"provider": "tandem", "model": "big", "max_context_size": 150000, "max_output_size": 20000, "capabilities": ["tool_use", "image_in", "thinking"]}}})
        self.connect("kimi-code", "--undo")
        self.assertEqual(file.read_bytes(), before)

    def test_sizes_that_share_a_context_fill_it_and_no_more(self):
        said = self.connect("vscode", "--model", "big")
        model = json.loads("".join(line for line in said.splitlines() if not line.startswith("#")))[0]["models"][0]
        self.assertEqual((model["maxInputTokens"], model["maxOutputTokens"]), (130000, 20000))
        self.assertIn("COPILOT_PROVIDER_MAX_PROMPT_TOKENS=130000\n", self.connect("copilot", "--model", "big"))

    def test_a_name_with_a_c_at_its_end_is_another_file_for_who_does_not_read_it(self):
        self.put(".config/crush/crush.jsonc", "{}\n")
        self.put(".claude/settings.jsonc", "{}\n")
        self.connect("crush", "--write")
        self.connect("claude-code", "--write")
        self.assertTrue((self.home / ".config/crush/crush.json").exists())
        self.assertTrue((self.home / ".claude/settings.json").exists())

    def test_a_file_that_is_a_link_stays_one_and_undo_works_without_a_config(self):
        real = self.put("dotfiles/claude.json", '{"a": 1}\n')
        (self.home / ".claude").mkdir()
        (self.home / ".claude/settings.json").symlink_to(real)
        self.connect("claude-code", "--write")
        self.assertTrue((self.home / ".claude/settings.json").is_symlink())
        self.assertIn("ANTHROPIC_MODEL", real.read_text())
        self.config.write_text("broken: [\n")
        self.connect("claude-code", "--undo")
        self.assertEqual(real.read_text(), '{"a": 1}\n')

    def test_a_link_to_nothing_stays_one_and_leads_to_nothing_again(self):
        (self.home / ".claude").mkdir()
        link = self.home / ".claude/settings.json"
        link.symlink_to("../dotfiles/claude.json")
        self.connect("claude-code", "--write")
        self.assertTrue(link.is_symlink())
        self.assertIn("ANTHROPIC_MODEL", (self.home / "dotfiles/claude.json").read_text())
        self.connect("claude-code", "--undo")
        self.assertTrue(link.is_symlink() and not link.exists())
        self.assertEqual(list((self.home / "dotfiles").iterdir()), [])
        link.unlink()
        link.symlink_to(link)
        self.assertIn("symbolic links", self.connect("claude-code", "--write", code=1))

    def test_a_file_has_its_mode_and_its_owner_again(self):
        for mode in (0o644, 0o600, 0o664):
            file = self.put(".claude/settings.json", '{"a": 1}\n')
            file.chmod(mode)
            if os.geteuid() == 0:
                os.chown(file, 12345, 12346)
            before = file.stat()
            self.connect("claude-code", "--write")
            self.assertEqual((file.stat().st_mode & 0o777, file.stat().st_uid), (0o600, before.st_uid))  # there is a key in it
            self.connect("claude-code", "--undo")
            self.assertEqual((file.stat().st_mode, file.stat().st_uid, file.stat().st_gid), (before.st_mode, before.st_uid, before.st_gid))

    def test_what_is_no_file_in_its_place_is_said(self):
        (self.home / ".claude/settings.json").mkdir(parents=True)
        self.assertIn("settings.json is a folder", self.connect("claude-code", "--write", code=3))
        (self.home / ".claude/settings.json").rmdir()
        os.mkfifo(self.home / ".claude/settings.json")
        self.assertIn("settings.json is a pipe", self.connect("claude-code", "--write", code=3))


if __name__ == "__main__":
    unittest.main()
