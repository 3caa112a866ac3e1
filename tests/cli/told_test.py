"""What a person at a terminal or behind a pipe is told when something is not as it should be: a key that is refused, a weaker model that
answers, a stream that broke, a config that was refused, a budget, a secret that this shell has not."""
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
