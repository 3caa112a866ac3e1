"""`tandem init` on the machines of newcomers: what it finds, what it calls it, and that the config it writes is right."""
# ctest: starts no real engine
import contextlib
import json
import os
import pathlib
import pty
import re
import select
import subprocess
import tempfile
import shutil
import unittest

import model_servers
from harness import BINARY, Tandem, free_port, until


class Init(unittest.TestCase):
    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="init-"))
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)
        self.file = self.home / "tandem.yaml"
        keep = {k: v for k, v in os.environ.items() if not re.search(r"_API_KEY$|^OPENAI_|^ANTHROPIC_|^OLLAMA_|^TANDEM_CONFIG", k)}
        self.env = {**keep, "HOME": str(self.home), "TANDEM_CACHE": str(self.home / "cache"), "PATH": "/usr/bin:/bin"}

    def server(self, make, *arguments, **named):
        server = make(*arguments, **named)
        self.addCleanup(server.close)
        return server

    def init(self, *servers, code=0, arguments=(), **env):
        probes = [a for s in servers for a in ("--probe", s.address)]
        result = subprocess.run([BINARY, "init", "--config", str(self.file), "--no-scan", *probes, *arguments], env={**self.env, **env}, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        return result.stdout + result.stderr

    def text(self):
        return self.file.read_text()

    def lines(self, section):
        """id -> what follows it, of a section of the file; comments are left out."""
        inside, found, last = False, {}, None
        for line in self.text().splitlines():
            if not line.startswith((" ", "#")):
                inside = line.startswith(section + ":")
            elif inside and (entry := re.match(r"  ([^\s#][^\s]*): (\{.*)", line)):
                last = entry[1]
                self.assertNotIn(last, found, "a name stands twice")
                found[last] = entry[2]
            elif inside and last and line.startswith("      ") and not line.strip().startswith("#"):
                found[last] += line.strip()
        return found

    def test_ollama_with_real_contexts_capabilities_and_embedders_that_never_chat(self):
        out = self.init(self.server(model_servers.ollama))
        self.assertIn("found Ollama", out)
        models = self.lines("models")
        self.assertIn("context: 16384, capabilities: [tools, json]", models["qwen2.5:7b"])
        self.assertIn("trained for 32768", models["qwen2.5:7b"])
        self.assertIn("context: 8192", models["llama3.2:1b"])  # its own num_ctx
        self.assertIn("context: 2048, capabilities: [embeddings]", models["nomic-embed-text"])
        self.assertEqual(list(models)[1:4], ["qwen2.5:7b", "llama3.2:1b", "nomic-embed-text"])  # the strongest first

    def test_a_model_that_ollama_runs_in_its_cloud_is_not_local(self):
        out = self.init(self.server(model_servers.ollama))
        self.assertIn("zone: cloud", self.lines("providers")["ollama-cloud"])
        self.assertIn("provider: ollama-cloud", self.lines("models")["gpt-oss:120b-cloud"])
        self.assertIn("zone cloud, as provider ollama-cloud", out)

    def test_llama_server_and_what_its_template_and_its_modalities_say(self):
        self.init(self.server(model_servers.llama_server, vision=True), self.server(model_servers.llama_server, "/m/plain.gguf", 4096, tools=False), self.server(model_servers.llama_server, "/m/vectors.gguf", 512, embeds=True))
        models = self.lines("models")
        self.assertIn('name: "/models/Qwen3-8B-Q4_K_M.gguf", context: 16384, capabilities: [tools, vision, json]', models["Qwen3-8B-Q4_K_M"])
        self.assertIn("context: 4096, capabilities: [json]", models["plain"])
        self.assertIn("context: 512, capabilities: [embeddings]", models["vectors"])
        self.assertEqual({"llamacpp", "llamacpp-2", "llamacpp-3"} - set(self.lines("providers")), set())

    def test_what_a_port_answers_is_checked_before_it_is_named(self):
        servers = [self.server(make) for make in (model_servers.vllm, model_servers.lm_studio, model_servers.koboldcpp, model_servers.text_generation_webui, model_servers.web_page)]
        out = self.init(*servers)
        for product in ("vLLM", "LM Studio", "KoboldCpp", "text-generation-webui"):
            self.assertIn(f"found {product} at", out)
        self.assertIn(f"not used: {servers[4].url}: it is no model server: it answers with a page", out)
        models = self.lines("models")
        self.assertIn("context: 24576", models["Qwen2.5-32B-Instruct-AWQ"])
        self.assertIn("context: 12000, capabilities: [tools, json]", models["qwen3-14b"])
        self.assertIn("context: 4096, capabilities: [vision, json]", models["gemma-3-4b"])
        self.assertIn("capabilities: [embeddings]", models["text-embedding-nomic-embed-text-v1.5"])
        self.assertIn("context: 12288", models["Gemma-3-12B"])
        self.assertIn("Mistral-7B-Instruct-v0.3.Q5_K_M", models)
        self.assertNotIn("gpt-3.5-turbo", self.text())

    def test_a_server_that_wants_a_key_is_written_as_a_line_to_complete(self):
        locked = self.server(model_servers.Server, {}, missing=(401, "application/json", b'{"error":{"message":"Incorrect API key"}}'))
        other = self.server(model_servers.Server, {}, missing=(401, "application/json", b'{"status":"login required"}'))
        out = self.init(locked, other)
        self.assertIn("wants a key: see the line of", out)
        self.assertIn(f'# local-{locked.port}: {{ kind: openai, zone: local, base_url: "{locked.url}/v1", api_key: "${{NAME}}" }}', self.text())
        self.assertIn(f"not used: {other.url}: it wants a key, and is no model server that is known", out)

    def test_no_name_stands_for_two_models_and_it_says_so(self):
        lists_it = self.server(model_servers.Server, {"/v1/models": model_servers.listing("gpt-5.1", "auto", "qwen3-8b")})
        out = self.init(lists_it, OPENAI_API_KEY="sk-test-0123456789", OPENROUTER_API_KEY="sk-or-0123456789")
        models = self.lines("models")
        here = f"proxy-{lists_it.port}"
        self.assertEqual({"gpt-5.1", "openrouter-gpt-5.1", f"{here}-gpt-5.1", f"{here}-auto", "qwen3-8b"} - set(models), set())
        self.assertIn(f"two models called 'gpt-5.1': that of openrouter is 'openrouter-gpt-5.1' here", out)
        # It lists what nobody runs at home: it hands on, so nothing private goes there.
        self.assertIn("zone: cloud", self.lines("providers")[here])

    def test_of_a_list_of_openai_only_what_can_talk_is_taken_and_where_it_answers(self):
        other = ["gpt-4o-realtime-preview", "gpt-4o-mini-transcribe", "gpt-4o-audio-preview", "babbage-002", "davinci-002", "gpt-4o-mini-tts", "gpt-image-1", "sora-2", "omni-moderation-latest",
                 "computer-use-preview-2025-03-11", "gpt-5-search-api", "o3-deep-research", "gpt-3.5-turbo-instruct", "whisper-1", "dall-e-3"]
        apart = ["gpt-5.1-codex", "gpt-5-pro-2025-10-06", "codex-mini-latest", "o1-pro", "o3-pro"]
        chat = ["gpt-5", "o3", "o4-mini", "gpt-4o-search-preview", "text-embedding-3-small"]
        proxy = self.server(model_servers.Server, {"/v1/models": model_servers.listing(*other, *apart, *chat)})
        out = self.init(OPENAI_BASE_URL=proxy.url + "/v1", OPENAI_API_KEY="sk-test-0123456789")
        here, models, providers = f"proxy-{proxy.port}", self.lines("models"), self.lines("providers")
        self.assertEqual({m: v.split("provider: ")[1].split(",")[0] for m, v in models.items() if m != "smollm2"}, {**{m: here + "-responses" for m in apart}, **{m: here for m in chat}})
        self.assertEqual(providers[here].replace("kind: openai", "kind: responses"), providers[here + "-responses"])
        self.assertEqual(out.count("no model for a conversation"), 1)
        self.assertIn("lists 15 that are no model", out)
        self.assertIn("and 12 more", out)
        self.assertIn(f"at provider {here}-responses, of kind responses", out)
        for model, context in (("gpt-5", 400000), ("gpt-5.1-codex", 400000), ("gpt-5-pro-2025-10-06", 400000), ("o3", 200000), ("o4-mini", 200000), ("o3-pro", 200000)):
            self.assertIn(f"context: {context}", models[model])
            self.assertIn("capabilities: [tools, vision, json, reasoning]", models[model])
        shown = subprocess.run([BINARY, "models", "--config", str(self.file)], env={**self.env, "OPENAI_API_KEY": "sk-test-0123456789"}, capture_output=True, text=True, timeout=60).stdout
        self.assertEqual(shown.count("is no provider of the book"), 1, shown)
        table = shown.split("\n\n")[0].splitlines()
        at = table[0].index("price in / out")
        self.assertEqual({line[at - 1] for line in table}, {" "}, shown)  # no column runs into the next
        self.assertNotIn(" ", {line[at] for line in table})

    def test_where_nothing_can_answer_it_says_so_and_what_to_do_and_tries_nothing(self):
        out = self.init()
        self.assertIn("found no local server and no cloud key\n", out)
        self.assertEqual(out.count("nothing can answer yet"), 1)
        self.assertNotIn("tandem route try", out)
        self.assertNotIn("where a dozen questions", out)
        out = self.init(self.server(model_servers.vllm), arguments=["--force"])
        self.assertIn("tandem route try --examples", out)
        self.assertNotIn("nothing can answer", out)

    def test_prices_are_left_to_the_book_which_has_one_of_each(self):
        self.init(OPENAI_API_KEY="sk-test-0123456789", ANTHROPIC_API_KEY="sk-ant-0123456789", MISTRAL_API_KEY="m-0123456789", GEMINI_API_KEY="g-0123456789",
                  OPENROUTER_API_KEY="sk-or-0123456789", GROQ_API_KEY="gsk-0123456789", DEEPSEEK_API_KEY="d-0123456789")
        self.assertNotIn("sk-", self.text())
        for line in self.lines("models").values():
            self.assertNotIn("price: {", line.split("#")[0])
        self.assertEqual(self.text().count("price book"), 1)
        keys = {name: "k-0123456789" for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "MISTRAL_API_KEY", "GEMINI_API_KEY", "OPENROUTER_API_KEY", "GROQ_API_KEY", "DEEPSEEK_API_KEY")}
        result = subprocess.run([BINARY, "models", "--config", str(self.file), "--json"], env={**self.env, **keys}, capture_output=True, text=True, timeout=60)
        self.assertEqual(result.returncode, 0, result.stderr)
        models = json.loads(result.stdout)["models"]
        self.assertEqual({m["price_source"] for m in models if m["zone"] == "cloud"}, {"book"}, models)
        self.assertEqual([m["price"] for m in models if m["id"] == "gpt-5.1"], [{"input": "1.250000", "cache_read": "0.125000", "output": "10.000000"}])

    def test_the_toy_comes_last_and_only_as_a_fallback_where_there_is_something_better(self):
        engine = self.home / "cache/engine/llama-server"
        engine.parent.mkdir(parents=True)
        engine.write_text("#!/bin/sh\n")
        engine.chmod(0o755)
        (self.home / "cache/models").mkdir()
        (self.home / "cache/models/smollm2-135m-instruct-q4_1.gguf").write_bytes(b"GGUF")
        self.init()
        self.assertNotIn("fallback", self.lines("models")["smollm2"])
        self.init(self.server(model_servers.vllm), arguments=["--force"])
        models = self.lines("models")
        self.assertEqual(list(models)[-1], "smollm2")
        self.assertIn("fallback: only", models["smollm2"])
        shutil.rmtree(self.home / "cache")
        self.init(self.server(model_servers.vllm), arguments=["--force"])
        self.assertNotIn("smollm2", self.lines("models"))  # no engine is installed: it could not answer

    def test_the_environment_of_other_programs_is_respected(self):
        ollama, vllm = self.server(model_servers.ollama), self.server(model_servers.vllm)
        self.init(OLLAMA_HOST=ollama.address, OPENAI_BASE_URL=vllm.url + "/v1", OPENAI_API_KEY="a-key-of-the-server")
        providers = self.lines("providers")
        self.assertIn(f'base_url: "{ollama.url}"', providers["ollama"])
        self.assertIn(f'base_url: "{vllm.url}/v1", api_key: "${{OPENAI_API_KEY}}"', providers["vllm"])
        self.assertNotIn("openai", providers)  # the key is that server's, and not for api.openai.com
        self.assertIn("Bearer a-key-of-the-server", [h.get("authorization") for _, path, h, _ in vllm.seen if path == "/v1/models"])
        self.assertEqual({h.get("authorization") for _, _, h, _ in ollama.seen}, {None})
        self.init(OPENAI_BASE_URL="https://eu.example.com/v1", OPENAI_API_KEY="sk-test-0123456789", arguments=["--force"])
        self.assertIn('base_url: "https://eu.example.com/v1"', self.lines("providers")["openai"])

    def test_a_proxy_of_anthropics_dialect_is_written_as_one_and_gets_its_key_as_its_clients_give_it(self):
        proxy = self.server(model_servers.anthropic, "claude-sonnet-4-5-20250929", "claude-opus-9")
        self.init(ANTHROPIC_BASE_URL=proxy.url, ANTHROPIC_API_KEY="sk-ant-0123456789")
        name = f"proxy-{proxy.port}"  # its models run elsewhere
        self.assertIn(f'kind: anthropic, zone: cloud, base_url: "{proxy.url}", api_key: "${{ANTHROPIC_API_KEY}}"', self.lines("providers")[name])
        asked = [{k.lower(): v for k, v in h.items()} for _, path, h, _ in proxy.seen if path == "/v1/models"]
        self.assertEqual([(h.get("x-api-key"), h.get("authorization")) for h in asked], [("sk-ant-0123456789", None)])
        models = self.lines("models")
        self.assertIn("context: 200000, max_output: 64000, capabilities: [tools, vision, json, reasoning]", models["claude-sonnet-4-5-20250929"])
        self.assertNotIn("context", models["claude-opus-9"].split("#")[0])
        # The route is enough where there is no list; a server that has only the other one is what it is.
        unlisted = self.server(model_servers.anthropic, listed=False)
        self.init(ANTHROPIC_BASE_URL=unlisted.url, ANTHROPIC_API_KEY="sk-ant-0123456789", arguments=["--force"])
        self.assertIn(f'kind: anthropic, zone: local, base_url: "{unlisted.url}"', self.text())
        vllm = self.server(model_servers.vllm)
        self.init(ANTHROPIC_BASE_URL=vllm.url, arguments=["--force"])
        self.assertIn(f'kind: openai, zone: local, base_url: "{vllm.url}/v1"', self.lines("providers")["vllm"])

    def test_other_clouds_have_their_base_urls_and_their_models_what_is_known_of_them(self):
        gateway = self.server(model_servers.Server, {"/v1/models": model_servers.listing("openai/gpt-5.1", "gpt-4o-2024-08-06", "mystery-9")})
        self.init(OPENROUTER_BASE_URL=gateway.url + "/v1", OPENROUTER_API_KEY="sk-or-0123456789", DEEPSEEK_BASE_URL="https://deepseek.example.com/v1", DEEPSEEK_API_KEY="d-0123456789")
        self.assertIn(f'zone: cloud, base_url: "{gateway.url}/v1", api_key: "${{OPENROUTER_API_KEY}}"', self.lines("providers")[f"proxy-{gateway.port}"])
        self.assertNotIn("openrouter.ai", self.text())
        self.assertIn('"https://deepseek.example.com/v1"', self.lines("providers")["deepseek"])
        models = self.lines("models")
        self.assertIn('name: "openai/gpt-5.1", context: 400000', models["gpt-5.1"])
        self.assertIn("context: 128000", models["gpt-4o-2024-08-06"])
        self.assertNotIn("context", models["mystery-9"].split("#")[0])
        for line in models.values():  # no comment ends in the middle of a word
            self.assertNotIn("...\n", line.split("#")[-1].replace("{ input: ..., output: ... }", "") + "\n", line)

    def test_addresses_of_the_environment_as_people_write_them_are_understood(self):
        ollama, vllm = self.server(model_servers.ollama), self.server(model_servers.vllm)
        for n, value in enumerate((ollama.address, f"0.0.0.0:{ollama.port}", f'"{ollama.url}"', f"  {ollama.url}/ ", f"localhost:{ollama.port}", f"HTTP://127.0.0.1:{ollama.port}")):
            out = self.init(OLLAMA_HOST=value, arguments=["--force"])
            self.assertIn("found Ollama at", out, value)
            self.assertNotIn("OLLAMA_HOST", out, value)
        for value in (f"localhost:{vllm.port}/v1", f"'{vllm.url}/v1/'", f"127.0.0.1:{vllm.port}", f"http://0.0.0.0:{vllm.port}/v1"):
            out = self.init(OPENAI_BASE_URL=value, OPENAI_API_KEY="a-key-of-the-server", arguments=["--force"])
            self.assertIn("found vLLM at", out, value)
            self.assertIn('api_key: "${OPENAI_API_KEY}"', self.lines("providers")["vllm"], value)
            self.assertNotIn("openai", self.lines("providers"), value)
        # What is not at home is asked by HTTPS, and the address of one kind of client is looked at as that of another is.
        self.init(OPENAI_BASE_URL='"gateway.example.com/v1"', OPENAI_API_KEY="sk-test-0123456789", arguments=["--force"])
        self.assertIn('base_url: "https://gateway.example.com/v1"', self.lines("providers")["openai"])
        out = self.init(ANTHROPIC_BASE_URL=vllm.url, ANTHROPIC_API_KEY="a-key-of-the-server", arguments=["--force"])
        self.assertIn("found vLLM at", out)
        self.init(GOOGLE_API_KEY="g-test-0123456789", arguments=["--force"])
        self.assertIn('api_key: "${GOOGLE_API_KEY}"', self.lines("providers")["gemini"])

    def test_an_address_of_the_environment_that_cannot_be_understood_is_said_without_what_may_be_secret(self):
        wrong = {"https//api.example.com/v1": "its beginning is neither http:// nor https://", "https:/api.example.com": "its beginning is neither",
                 "ftp://files.example.com": "another scheme", "tcp://10.0.0.9:11434": "another scheme", "https://": "names no machine",
                 "https://bob:hunter2-geheim@llm.example.com/v1": "a user name or a password", "bob:hunter2-geheim@llm.example.com": "a user name or a password",
                 "https://x.example.com/openai?api-key=hunter2-geheim": "a query", "http://localhost:123456/v1": "its port", "localhost:http": "its port",
                 "http://localhost:1234 # lm studio": "a blank or a quote", "${LLM_URL}/v1": "not filled in", "<your-base-url>": "not filled in", "undefined": "no address",
                 "sk-hunter2-geheim": "looks like a key"}
        for variable, key in (("OPENAI_BASE_URL", "OPENAI_API_KEY"), ("OLLAMA_HOST", None), ("ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY"), ("GOOGLE_GEMINI_BASE_URL", "GEMINI_API_KEY")):
            for value, words in list(wrong.items())[:None if variable == "OPENAI_BASE_URL" else 5]:
                env = {variable: value, **({key: "sk-test-0123456789"} if key else {})}
                out = self.init(arguments=["--force"], **env)
                line = next((l for l in out.splitlines() if l.startswith(f"  {variable}: ")), out)
                self.assertIn(words, line, value)
                self.assertNotIn("geheim", out + self.text())
                if key:  # the key may be for there, so nobody else is shown it
                    self.assertIn(f"{key}, which may be for there, is not used either", line)
                    self.assertNotIn(f'${{{key}}}" }}\n', re.sub(r"(?m)^  #.*\n", "", self.text()))
        said = json.loads(self.init(arguments=["--force", "--json"], OLLAMA_HOST="http://nobody:geheim@10.0.0.9"))
        self.assertEqual([t["variable"] for t in said["troubles"]], ["OLLAMA_HOST"])
        self.assertNotIn("geheim", json.dumps(said))
        self.assertNotIn("geheim", self.init(code=2, arguments=["--force", "--probe", "http://nobody:geheim@10.0.0.9"]))

    def test_a_server_of_the_environment_that_is_down_keeps_its_line(self):
        dead = f"http://127.0.0.1:{free_port()}/v1"
        out = self.init(OPENAI_BASE_URL=dead, OPENAI_API_KEY="a-key-of-the-server")
        self.assertIn("nothing listens there", out)
        self.assertIn(f"OPENAI_API_KEY is for {dead}, which gave no answer", out)
        self.assertIn(f'# openai: {{ kind: openai, zone: local, base_url: "{dead}", api_key: "${{OPENAI_API_KEY}}" }}', self.text())
        self.assertNotIn("openai", self.lines("providers"))
        self.assertNotIn("api.openai.com", self.text())

    def test_a_key_that_is_wrong_and_a_cloud_that_is_down_are_said_and_the_config_is_written(self):
        refusal = (401, "application/json", b'{"error":{"message":"Incorrect API key"}}')
        cloud = self.server(model_servers.Server, {"/v1/models": refusal}, refusal)
        for port, words in ((cloud.port, ("it refuses the key (status 401)", "$OPENAI_API_KEY")), (free_port(), ("nothing listens",))):
            # An address that nobody takes for one at home.
            env = {**self.env, "OPENAI_BASE_URL": f"http://[::ffff:127.0.0.1]:{port}/v1", "OPENAI_API_KEY": "sk-wrong-0123456789"}
            done = subprocess.run([BINARY, "init", "--yes", "--force", "--config", str(self.file)], env=env, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
            self.assertEqual(done.returncode, 0, done.stderr)
            line = next((l for l in done.stdout.splitlines() if l.startswith("  openai: ")), done.stdout)
            for word in words:
                self.assertIn(word, line)
            self.assertIn("openai", self.lines("providers"))
        self.assertIn("it refuses the key", json.dumps(self.troubles(cloud.port)))

    def troubles(self, port):
        env = {**self.env, "OPENAI_BASE_URL": f"http://[::ffff:127.0.0.1]:{port}/v1", "OPENAI_API_KEY": "sk-wrong-0123456789"}
        done = subprocess.run([BINARY, "init", "--json", "--force", "--config", str(self.file)], env=env, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
        return [one["what"] for one in json.loads(done.stdout)["troubles"] if one["provider"] == "openai"]

    def test_nothing_is_said_to_work_that_was_not_tried(self):
        out = self.init()
        self.assertNotIn("works by itself", out)
        self.assertRegex(out, "not tried yet: tandem doctor|nothing can answer yet: start a local server")

    def test_a_tandem_that_runs_is_not_taken_for_a_provider_of_itself(self):
        running = Tandem("policy: { preset: local-first }")
        self.addCleanup(running.stop)
        out = self.init(arguments=["--probe", f"127.0.0.1:{running.port}"], OPENAI_BASE_URL=running.url + "/v1", OPENAI_API_KEY="tandem")
        self.assertIn("it would ask itself", out)
        self.assertEqual(set(self.lines("providers")), {"home"})

    def test_every_forced_run_keeps_what_was_there(self):
        self.init()
        self.assertIn("--force keeps it", self.init(code=3))
        for text in ("first: 1\n", "second: 2\n", "third: 3\n"):
            self.file.write_text(text)
            self.init(arguments=["--force"])
        kept = {p.name: p.read_text() for p in self.home.glob("tandem.yaml.old*")}
        self.assertEqual(kept, {"tandem.yaml.old": "first: 1\n", "tandem.yaml.old.2": "second: 2\n", "tandem.yaml.old.3": "third: 3\n"})
        self.assertEqual(self.file.stat().st_mode & 0o777, 0o600)

    def test_a_config_that_is_a_link_stays_one_and_a_service_can_still_read_it(self):
        real = self.home / "dotfiles/tandem.yaml"
        self.file.symlink_to(real)  # to nothing yet
        self.init()
        real.write_text("first: 1\n")
        real.chmod(0o640)
        if os.geteuid() == 0:
            os.chown(real, 0, 12346)
        before = real.stat()
        self.init(arguments=["--force"])
        self.assertTrue(self.file.is_symlink())
        self.assertIn("models:", real.read_text())
        self.assertEqual((self.home / "dotfiles/tandem.yaml.old").read_text(), "first: 1\n")
        self.assertEqual((real.stat().st_mode, real.stat().st_gid), (before.st_mode, before.st_gid))

    def test_servers_that_hang_flood_or_lie_end_soon_and_harm_nothing(self):
        import socket
        import time
        silent = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(silent.close)
        flood = self.server(model_servers.Server, {"/v1/models": (200, "application/json", b'{"data":[' + b'{"id":"x"},' * 500_000 + b"{}]}")})
        odd = self.server(model_servers.Server, {"/v1/models": model_servers.listing('evil"}\n  other: { provider: home', "\x1b[31mred", "a" * 5000, "", "${HOME}", {"id": 7}), "/api/tags": [], "/props": "x"})
        before = time.monotonic()
        out = self.init(flood, odd, arguments=["--probe", f"127.0.0.1:{silent.getsockname()[1]}", "--probe", f"127.0.0.1:{free_port()}"])
        self.assertLess(time.monotonic() - before, 20)
        self.assertIn("did not answer in time", out)
        self.assertIn("nothing listens there", out)
        self.assertNotIn("\x1b", out + self.text())
        self.assertEqual(subprocess.run([BINARY, "policy", "show", "--config", str(self.file)], env=self.env, capture_output=True).returncode, 0)

    def test_a_wrong_address_is_refused_and_json_is_whole(self):
        self.assertIn("expected an address", self.init(code=2, arguments=["--probe", "http://"]))
        said = json.loads(self.init(self.server(model_servers.vllm), arguments=["--json"]))
        self.assertEqual([(s["product"], s["zone"], s["models"]) for s in said["servers"]], [("vLLM", "local", 1)])

    # ---- at a terminal ----

    def at_terminal(self, answers, *servers, **env):
        probes = [a for s in servers for a in ("--probe", s.address)]
        master, slave = pty.openpty()
        process = subprocess.Popen([BINARY, "init", "--config", str(self.file), "--no-scan", *probes], env={**self.env, **env}, stdin=slave, stdout=slave, stderr=slave, close_fds=True)
        os.close(slave)
        said = ""
        answers = list(answers)
        with contextlib.suppress(OSError):
            while select.select([master], [], [], 30)[0]:
                piece = os.read(master, 4096)
                if not piece:
                    break
                said += piece.decode()
                if said.rstrip(" ").endswith("] >") and answers:
                    answer = answers.pop(0)
                    os.write(master, b"\x04" if answer is None else answer.encode() + b"\n")
                    said += "\n"
        os.close(master)
        self.assertEqual(process.wait(30), 0, said)
        return said

    def test_at_a_terminal_it_asks_and_nonsense_is_asked_again(self):
        unknown = self.server(model_servers.Server, {"/v1/models": model_servers.listing("qwen3-8b")})
        said = self.at_terminal(["2", "banana", "3", "lots", "$2.50"], unknown, OPENAI_API_KEY="sk-test-0123456789")
        self.assertIn("Which zone is an OpenAI-compatible server", said)
        self.assertIn("'banana' is none of them", said)
        self.assertIn("'lots' is no amount", said)
        self.assertIn("zone: cloud", self.lines("providers")[f"local-{unknown.port}"])
        self.assertIn("actions: { cloud: { private: redact } }", self.text())
        self.assertIn("budgets: [{ limit: 2.50", self.text())
        key = self.home / "me.key"
        self.assertEqual(key.stat().st_mode & 0o777, 0o600)
        self.assertNotIn(key.read_text().strip(), self.text() + said)

    def test_the_end_of_the_input_and_empty_lines_take_what_is_usual(self):
        for answers in ([None, None, None], ["", "", ""], ["x", "x", "x", "x", "x", "x"]):
            self.file.unlink(missing_ok=True)
            self.at_terminal(answers, OPENAI_API_KEY="sk-test-0123456789")
            self.assertIn("cloud: internal", self.text())
            self.assertNotIn("\nkeys:", self.text())

    # ---- the config is right ----

    def test_what_it_writes_serves_a_first_evening(self):
        ollama = self.server(model_servers.ollama)
        self.init(ollama)
        evening = Tandem(self.text().replace("server: { listen: 127.0.0.1:7117 }", "server: { listen: 127.0.0.1:PORT }"))
        self.addCleanup(evening.stop)
        status, headers, body = evening.chat("my card is 4111 1111 1111 1111", model="auto")
        self.assertEqual((status, headers["x-tandem-zone"]), (200, "local"), body)
        for decision in (evening.explain()["decision"],):
            candidates = {c["model"]: c for c in decision["candidates"]}
            self.assertEqual(candidates["nomic-embed-text"]["excluded"], "capability")
            self.assertEqual(candidates["gpt-oss:120b-cloud"]["excluded"], "label")


if __name__ == "__main__":
    unittest.main()
