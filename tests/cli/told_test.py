"""What a person at a terminal or behind a pipe is told when something is not as it should be: a key that is refused, a weaker model that
answers, a stream that broke, a config that was refused, a budget, a secret that this shell has not."""
# ctest: starts no real engine
import json
import subprocess
import threading
import unittest

from harness import BINARY, SSE_HEAD, Tandem, Upstream, chunk, http, until

HARD = "Write a TCP proxy in Rust with async, backpressure and tests for half-closed connections"
REFUSED = http({"error": {"message": "Incorrect API key provided.", "code": "invalid_api_key"}}, "401 Unauthorized")


class Told(unittest.TestCase):
    def upstream(self, script=None):
        upstream = Upstream(script)
        self.addCleanup(upstream.close)
        return upstream

    def tandem(self, config, **more):
        tandem = Tandem(config, **more)
        self.addCleanup(tandem.stop)
        return tandem

    def two(self, cloud, key="${CLOUD_KEY}"):
        """A strong model in the cloud and a toy at home that answers where no other may."""
        home = self.upstream()
        return self.tandem(f"""providers:
  far: {{ kind: openai, zone: cloud, base_url: {cloud.base_url}, api_key: {key} }}
  near: {{ kind: openai, zone: local, base_url: {home.base_url} }}
models:
  gpt-5.1: {{ provider: far, context: 32768, price: {{ input: 1, output: 1 }} }}
  smollm2-135m: {{ provider: near, context: 8192, fallback: only }}
policy: {{ preset: hybrid }}
""", env={"CLOUD_KEY": "sk-wrong-0123456789"})

    def test_a_refused_key_is_said_wherever_the_provider_is(self):
        answers = [lambda c: c.sendall(REFUSED)]
        tandem = self.two(self.upstream(lambda connection, body, number: answers[0](connection)))
        status, headers, body = tandem.chat("hello", model="gpt-5.1")
        self.assertEqual((status, headers["x-should-retry"]), (502, "false"), body)
        self.assertIn("the owner has to correct the key of far", json.loads(body)["error"]["message"])
        for command in ("status", "models"):
            self.assertIn("far refuses its key", tandem.cli(command).stdout)
        self.assertIn("refuses the key", tandem.cli("doctor").stdout)
        # A shell without the key hears it of the server.
        tandem.env.pop("CLOUD_KEY")
        self.assertIn("far refuses its key", tandem.cli("doctor").stdout)
        # It is asked again, and well as soon as it answers.
        answers[0] = lambda c: c.sendall(http({"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}}))
        self.assertEqual(tandem.chat("hello", model="gpt-5.1")[0], 200)
        self.assertNotIn("refuses", tandem.cli("status").stdout + tandem.cli("models").stdout)

    def test_a_refused_key_is_tried_once_and_not_with_each_model(self):
        cloud, other = self.upstream(lambda connection, body, number: connection.sendall(REFUSED)), self.upstream()
        tandem = self.tandem(f"""providers:
  far: {{ kind: openai, zone: cloud, base_url: {cloud.base_url}, api_key: sk-wrong-0123456789 }}
  near: {{ kind: openai, zone: cloud, base_url: {other.base_url} }}
models:
  gpt-5.1: {{ provider: far, price: {{ input: 1, output: 1 }} }}
  gpt-5: {{ provider: far, price: {{ input: 1, output: 1 }} }}
  gpt-4.1: {{ provider: far, price: {{ input: 1, output: 1 }} }}
  spare: {{ provider: near, price: {{ input: 1, output: 1 }} }}
aliases: {{ strong: [gpt-5.1, gpt-5, gpt-4.1, spare], far: [gpt-5, gpt-4.1] }}
""")
        status, headers, body = tandem.chat(model="strong")
        self.assertEqual((status, headers["x-tandem-model"], len(cloud.requests)), (200, "spare", 1), body)
        said = headers["x-tandem-warnings"]
        self.assertIn("gpt-5, gpt-4.1 were not asked: far refuses its key", said)
        self.assertEqual(said.count("providers.far.api_key"), 1, said)
        # The next request goes to who answers, and says why.
        status, headers, _ = tandem.chat(model="strong")
        self.assertEqual((status, headers["x-tandem-model"], len(cloud.requests)), (200, "spare", 1))
        self.assertIn("gpt-5.1, gpt-5, gpt-4.1 were not asked: far refuses its key", headers["x-tandem-warnings"])
        # Where nobody else may answer it is asked all the same, once: the key may have been mended.
        status, headers, body = tandem.chat(model="far")
        self.assertEqual((status, headers["x-should-retry"], len(cloud.requests)), (502, "false", 2), body)
        cloud.script = None or other.script
        self.assertEqual(tandem.chat(model="far")[0], 200)
        self.assertEqual(tandem.chat(model="strong")[1]["x-tandem-model"], "gpt-5.1")

    def test_a_model_that_its_provider_has_not_is_asked_once_where_another_may_answer(self):
        for refusal, words in ((http({"error": {"message": "This model is only supported in v1/responses and not in v1/chat/completions.", "type": "invalid_request_error"}}, "404 Not Found"), "kind: responses"),
                               (http({"error": {"message": "The model `gpt-9` does not exist or you do not have access to it.", "code": "model_not_found"}}, "404 Not Found"), "correct models.gone.name"),
                               (http({"error": {"message": "Model Not Exist", "type": "invalid_request_error"}}, "400 Bad Request"), "correct models.gone.name")):
            with self.subTest(words=words):
                mended, asked = [], []
                def script(connection, body, number):
                    if not body or "model" not in json.loads(body):  # doctor asks for the list of models
                        return connection.sendall(http({"object": "list", "data": [{"id": "gpt-9"}, {"id": "gpt-5"}]}))
                    name = json.loads(body)["model"]
                    asked.append(name)
                    if name == "gpt-9" and not mended:
                        return connection.sendall(refusal)
                    connection.sendall(http({"id": "x", "object": "chat.completion", "created": 1, "model": name, "choices": [
                        {"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}}))
                far = self.upstream(script)
                config = f"""providers:
  far: {{ kind: openai, zone: cloud, base_url: {far.base_url} }}
models:
  gone: {{ provider: far, name: gpt-9, price: {{ input: 1, output: 1 }} }}
  there: {{ provider: far, name: gpt-5, price: {{ input: 1, output: 1 }} }}
aliases: {{ strong: [gone, there] }}
"""
                tandem = self.tandem(config)
                status, headers, body = tandem.chat(model="strong")
                self.assertEqual((status, headers["x-tandem-model"], asked), (200, "there", ["gpt-9", "gpt-5"]), body)
                self.assertIn(words, headers["x-tandem-warnings"])
                # The model rests, its provider does not, and it says why.
                for _ in range(3):
                    status, headers, body = tandem.chat(model="strong")
                    self.assertEqual((status, headers["x-tandem-model"]), (200, "there"), body)
                    self.assertIn("gone was not asked: far s", headers["x-tandem-warnings"])
                self.assertEqual(asked.count("gpt-9"), 1)
                for command in ("status", "models", "doctor"):
                    self.assertIn(words, tandem.cli(command).stdout, command)
                until(lambda: "a model was not asked" in tandem.log_text(), "its line in the log")
                # Where no other may answer, it is asked all the same, and well as soon as it answers.
                status, headers, body = tandem.chat(model="gone")
                self.assertGreaterEqual(status, 400)
                self.assertIn(words, headers["x-tandem-warnings"])
                mended.append(True)
                self.assertEqual(tandem.chat(model="gone")[1]["x-tandem-model"], "gone")
                self.assertEqual(tandem.chat(model="strong")[1]["x-tandem-model"], "gone")
                self.assertNotIn(words, tandem.cli("status").stdout + tandem.cli("models").stdout)

    def test_no_client_makes_a_model_rest_by_what_it_says(self):
        quoted = "The model you speak of does not exist, says model_not_found in this sentence"
        far = self.upstream(lambda c, body, n: c.sendall(http({"error": {"message": f"Invalid content: '{json.loads(body)['messages'][0]['content']}'"}}, "400 Bad Request")))
        tandem = self.tandem(f"providers:\n  far: {far.provider('cloud')}\nmodels:\n  m: {{ provider: far, price: {{ input: 1, output: 1 }} }}\n")
        self.assertEqual(tandem.chat(quoted, model="m")[0], 400)
        self.assertNotIn("is asked where no other may", tandem.cli("status").stdout)

    def test_a_bound_of_ours_is_told_once_and_only_where_money_is_reserved(self):
        broken = self.upstream(lambda c, b, n: c.sendall(http({"error": {"message": "boom"}}, "500 Oh")))
        near = self.upstream()
        tandem = self.tandem(f"""providers:
  far: {{ kind: openai, zone: cloud, base_url: {broken.base_url} }}
  near: {{ kind: openai, zone: local, base_url: {near.base_url} }}
models:
  a: {{ provider: far, price: {{ input: 1, output: 1 }} }}
  b: {{ provider: far, price: {{ input: 1, output: 2 }} }}
  free: {{ provider: near, price: {{ input: 0, output: 0 }} }}
aliases: {{ strong: [a, b, free] }}
keys: {{ me: {{ secret: my-key-0123456789abcdef, budgets: [{{ limit: 5, window: day }}] }} }}
""")
        asked = tandem.cli("ask", "--key", "me", "--alias", "free", "hello")
        self.assertEqual(asked.returncode, 0, asked.stderr)
        self.assertNotIn("no maximum was given", asked.stderr)
        asked = tandem.cli("ask", "--key", "me", "--alias", "strong", "hello")
        self.assertEqual(asked.stderr.count("no maximum was given"), 1, asked.stderr)

    def test_what_is_the_same_of_many_models_is_said_once(self):
        down, near = self.upstream(lambda c, b, n: c.sendall(http({"error": {"message": "boom"}}, "500 Oh"))), self.upstream()
        names = [f"m{i}" for i in range(7)]
        tandem = self.tandem(f"providers:\n  far: {down.provider('cloud')}\n  near: {near.provider('local')}\nmodels:\n" + "".join(f"  {n}: {{ provider: far }}\n" for n in names)
                             + "  home: { provider: near }\n" + f"aliases: {{ all: [{', '.join(names)}, home] }}\npolicy: {{ preset: hybrid, failure: {{ attempts: 1 }} }}\n")
        said = tandem.chat(model="all")[1]["x-tandem-warnings"]
        self.assertEqual(said.count("boom"), 1, said)
        self.assertIn("m0, m1, m2 failed: far answered with status 500: boom; m3, m4, m5, m6 were not asked: far failed 3 times in a row", said)
        for _ in range(3):
            tandem.chat(model="all")
        first = tandem.cli("explain", "--last").stdout.split("  asked for")[0]
        self.assertIn("m0, m1, m2 and 4 more", first)
        self.assertNotIn("m5", first)

    def test_who_is_passed_over_or_refused_is_in_the_log(self):
        tandem = self.two(self.upstream(lambda c, b, n: c.sendall(http({"error": {"message": "boom"}}, "500 Oh"))))
        for _ in range(5):
            tandem.chat(HARD)
        decision = tandem.chat(HARD)[1]["x-tandem-decision"]
        lines = [line for line in tandem.log_text().splitlines() if decision in line]
        self.assertTrue(any("a model was not asked" in line and "model=gpt-5.1" in line and "why=health" in line for line in lines), lines)
        refused = tandem.chat(HARD, model="gpt-5.1")
        self.assertEqual(refused[0], 503)
        line = until(lambda: next((line for line in tandem.log_text().splitlines() if refused[1]["x-tandem-decision"] in line and " request " in line), None), "its line")
        self.assertIn("why=no_healthy_candidate", line)

    def test_explain_says_why_home_did_not_come_first_and_in_the_prompts_words(self):
        tandem = self.two(self.upstream())
        self.assertIn("prefers local, but smollm2-135m answers only where no other model may", tandem.cli("explain", "--dry-run", "hi there").stdout)
        for prompt in ("Sort these alphabetically: pear, fig", "Extract the email from this: nothing"):
            told = tandem.cli("explain", "--dry-run", prompt).stdout.split("told by: ")[1].splitlines()[0].split(", ")
            self.assertFalse([word for word in told if word.isascii() is False], told)

    def test_connect_knows_keys_that_may_not_ask_and_names_that_clients_refuse(self):
        far = self.upstream()
        plain = self.tandem(f"providers:\n  far: {far.provider('cloud')}\nmodels:\n  m: {{ provider: far, context: 200000 }}\n"
                            "keys: { me: { secret: my-key-0123456789abcdef }, prom: { secret: prom-key-0123456789abc, metrics: true } }\n")
        refused = plain.cli("connect", "codex", "--key", "prom", "--write")
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("may read /metrics alone", refused.stderr)
        self.assertEqual(plain.cli("connect", "codex", "--write").returncode, 0)  # the only key that may ask needs no name
        certificate, key = plain.folder / "c.pem", plain.folder / "k.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "3", "-subj", "/CN=ai.office.example"], check=True, capture_output=True)
        plain.write(f"server: {{ listen: 127.0.0.1:{plain.port}, tls: {{ certificate: {certificate}, key: {key} }} }}\nproviders:\n  far: {far.provider('cloud')}\nmodels:\n  m: {{ provider: far }}\n")
        self.assertIn(f"use --url https://ai.office.example:{plain.port}", plain.cli("connect", "claude-code").stdout)
        self.assertNotIn("use --url", plain.cli("connect", "claude-code", "--url", f"https://ai.office.example:{plain.port}").stdout)

    def test_a_refused_key_is_said_also_behind_a_pipe(self):
        tandem = self.two(self.upstream(lambda connection, body, number: connection.sendall(REFUSED)))
        asked = tandem.cli("ask", HARD)
        self.assertEqual((asked.returncode, asked.stdout), (0, "Hello there\n"), asked.stderr)
        for words in ("far refuses its key ($CLOUD_KEY)", "tandem doctor", "smollm2-135m answers in place of gpt-5.1"):
            self.assertIn(words, asked.stderr)
        self.assertNotIn("sk-wrong", asked.stderr)
        self.assertIn("$CLOUD_KEY", tandem.chat(HARD)[1]["x-tandem-warnings"])
        asked = tandem.cli("chat", input=HARD + "\n")
        self.assertIn("far refuses its key", asked.stderr)
        # Where nobody else may answer, and where the key stands in the file, it is not told what it is.
        asked = tandem.cli("ask", "--alias", "gpt-5.1", HARD)
        self.assertNotEqual(asked.returncode, 0)
        self.assertIn("$CLOUD_KEY", asked.stderr)
        bare = self.two(self.upstream(lambda connection, body, number: connection.sendall(REFUSED)), key="sk-in-the-file-0123")
        asked = bare.cli("ask", HARD)
        self.assertIn("providers.far.api_key", asked.stderr)
        self.assertNotIn("sk-in-the-file", asked.stderr)

    def test_an_answer_without_anything_odd_says_nothing_behind_a_pipe(self):
        tandem = self.two(self.upstream())
        asked = tandem.cli("ask", HARD)
        self.assertEqual((asked.returncode, asked.stdout, asked.stderr), (0, "Hello there\n", ""))

    def test_a_stream_that_breaks_names_who_broke_it(self):
        def breaks(connection, body, number):
            head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 99999\r\n\r\n"
            connection.sendall(head + chunk("Hello "))
            return "close"
        asked = self.two(self.upstream(breaks)).cli("ask", HARD)
        self.assertEqual((asked.returncode, asked.stdout), (1, "Hello \n"), asked.stderr)
        self.assertIn("far broke off", asked.stderr)

    def test_a_server_that_goes_away_is_named_as_that(self):
        begun, over = threading.Event(), threading.Event()
        self.addCleanup(over.set)

        def waits(connection, body, number):
            connection.sendall(SSE_HEAD + chunk("Hello "))
            begun.set()
            over.wait(60)
            return "close"
        tandem = self.two(self.upstream(waits))
        asked = subprocess.Popen([BINARY, "ask", HARD], env=tandem.env, cwd=tandem.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertTrue(begun.wait(60))
        self.assertEqual(asked.stdout.read(6), "Hello ")
        tandem.kill()
        _, errors = asked.communicate(timeout=60)
        self.assertNotEqual(asked.returncode, 0)
        self.assertIn(f"the tandem server at {tandem.folder}/data/tandem.sock went away", errors)

    def test_status_and_doctor_say_that_the_config_on_disk_was_refused(self):
        config = f"providers: {{ far: {self.upstream().provider('cloud')} }}\nmodels: {{ m: {{ provider: far, context: 8192 }} }}\n"
        keys = "keys: { me: { secret: my-key-of-twenty-characters, budgets: [{ limit: 2.50, window: day }, { limit: 9, window: total }] } }\n"
        tandem = self.tandem(config + keys)
        said = tandem.cli("status").stdout
        self.assertNotIn("refused", said.replace("requests refused", ""))
        self.assertRegex(said, r"budget of the key 'me': 0\.0+ of 2\.50*  ?USD per day spent, until \d{4}-\d\d-\d\d")
        self.assertRegex(said, r"budget of the key 'me': 0\.0+ of 9(\.0+)? USD in total spent\n")
        status = json.loads(tandem.cli("status", "--json").stdout)
        self.assertEqual([(b["key"], b["window"]) for b in status["budgets"]], [("me", "day"), ("me", "total")])
        self.assertNotIn("config_refused", status)
        tandem.write(config)
        until(lambda: "config_refused" in json.loads(tandem.cli("status", "--json").stdout), "the refusal to be told")
        self.assertIn("the config on disk was refused, and the one before is in force: the new config has no keys", tandem.cli("status").stdout)
        checks = json.loads(tandem.cli("doctor", "--json").stdout)
        self.assertIn("the new config has no keys", next(c for c in checks if c["check"] == "config in force")["text"])
        tandem.write(config + keys + "currency: EUR\n")
        until(lambda: "config_refused" not in json.loads(tandem.cli("status", "--json").stdout), "the good config to be taken")

    def test_doctor_asks_the_running_server_about_what_this_shell_has_no_secret_for(self):
        tandem = self.two(self.upstream())
        self.assertEqual(tandem.chat(HARD)[0], 200)
        env = {k: v for k, v in tandem.env.items() if k != "CLOUD_KEY"}
        asked = subprocess.run([BINARY, "doctor", "--json"], env=env, cwd=tandem.folder, capture_output=True, text=True, timeout=60)
        checks = json.loads(asked.stdout)
        (found,) = [c for c in checks if c["check"] == "provider far"]
        self.assertEqual(found["grade"], "warning")
        for words in ("CLOUD_KEY", "cannot be tried from this shell", "the running server says: up"):
            self.assertIn(words, found["text"])
        self.assertIn("provider near", [c["check"] for c in checks])  # the others are tried as ever
        tandem.kill()
        asked = subprocess.run([BINARY, "doctor", "--json"], env=env, cwd=tandem.folder, capture_output=True, text=True, timeout=60)
        (found,) = [c for c in json.loads(asked.stdout) if c["check"] == "provider far"]
        self.assertEqual((found["grade"], asked.returncode), ("bad", 6))
        self.assertIn("CLOUD_KEY", found["text"])


if __name__ == "__main__":
    unittest.main()
