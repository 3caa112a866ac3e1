"""Whether a prompt fits is what its model's own tokenizer says: an estimate refuses none that fits, one that does not fit is refused with both
numbers before it is sent or goes to another model, and nothing is cut. The real llama-server and the real SmolLM2."""
import json
import unittest

from harness import ANSWER, MODEL, Tandem, Upstream, http

CONFIG = f"""
providers: {{ home: {{ kind: engine }} }}
models:
  small: {{ provider: home, file: {MODEL}, context: 1024, slots: 1 }}
  large: {{ provider: home, file: {MODEL}, context: 4096, slots: 1 }}
aliases: {{ either: [small, large] }}
"""
# Each is estimated at more than 1,024 tokens, and has fewer.
FITS = {"blanks": ("x" + " " * 60 + "\n") * 80, "words": "hello " * 900, "columns": "\n".join(" " * 40 + f"| {word}" for word in ("one", "two") * 60)}
# Estimated at fewer than 1,024, with room for the answer, and has more.
TOO_LONG = "".join(str(7 ** n) for n in range(1, 60))[:1500]


class Fit(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tandem = Tandem(CONFIG)

    @classmethod
    def tearDownClass(cls):
        cls.tandem.stop()

    def ask(self, content, model="small", **more):
        status, headers, raw = self.tandem.chat(content, model=model, timeout=120, **more)
        return status, headers, json.loads(raw) if raw[:1] == b"{" else raw

    def warnings(self, headers):
        return headers["x-tandem-warnings"] or ""

    def test_what_fits_is_not_refused_by_an_estimate(self):
        for name, text in FITS.items():
            with self.subTest(name):
                status, headers, answer = self.ask(text, max_tokens=4)
                self.assertEqual(status, 200, answer)
                self.assertEqual(headers["x-tandem-model"], "small")
                self.assertLess(answer["usage"]["prompt_tokens"], 1020)
                self.assertTrue(self.tandem.explain()["replay_is_same"])

    def test_what_does_not_fit_is_refused_with_both_numbers(self):
        for stream in (False, True):
            status, headers, answer = self.ask(TOO_LONG, max_tokens=4, stream=stream)
            self.assertEqual(status, 400, answer)
            self.assertEqual(answer["error"]["code"], "context_length_exceeded")
            counted = self.count(TOO_LONG)
            self.assertGreater(counted, 1024)
            self.assertIn(f"{counted} by its own tokenizer", answer["error"]["message"])
            self.assertIn("1024", answer["error"]["message"])

    def count(self, text):
        status, headers, raw = self.tandem.request("/v1/messages/count_tokens", {"model": "large", "messages": [{"role": "user", "content": text}]})
        self.assertEqual((status, headers["x-tandem-count"]), (200, "exact"))
        return json.loads(raw)["input_tokens"]

    def test_or_goes_to_a_model_where_it_fits(self):
        for stream in (False, True):
            status, headers, answer = self.ask(TOO_LONG, model="either", max_tokens=4, stream=stream)
            self.assertEqual((status, headers["x-tandem-model"]), (200, "large"), answer)

    def test_the_answer_has_the_room_that_is_there(self):
        """The estimate leaves it one token."""
        status, headers, answer = self.ask("hello " * 650, max_tokens=900)
        self.assertEqual(status, 200, answer)
        prompt = answer["usage"]["prompt_tokens"]
        self.assertIn(f"room for {1024 - prompt} tokens", self.warnings(headers))
        self.assertGreater(1024 - prompt, 200)

    def test_only_a_prompt_that_may_be_too_long_is_counted(self):
        """A server of the owner's is asked for its count too, and one that has none is sent the prompt."""
        server = Upstream(lambda connection, body, number: self.serve(server, connection))
        self.addCleanup(server.close)
        tandem = Tandem(f"providers: {{ lab: {{ kind: llama-server, zone: local, base_url: {server.base_url} }} }}\n"
                        "models: { m: { provider: lab, context: 1024 } }\n")
        self.addCleanup(tandem.stop)
        for text, counted, asked in (("hello", 9, []), ("hello " * 700, 700, ["/apply-template", "/tokenize"]),
                                     ("hello " * 700, None, ["/apply-template"])):
            server.tokens, server.requests = counted, []
            status, headers, raw = tandem.chat(text, model="m", max_tokens=4)
            self.assertEqual(status, 200, raw)
            paths = [head.split()[1] for head, _ in server.requests if head.startswith("POST")]
            self.assertEqual(paths, [*asked, "/v1/chat/completions"])

    @staticmethod
    def serve(server, connection):
        path = server.requests[-1][0].split()[1]
        if path == "/apply-template":
            connection.sendall(http({"prompt": "x"}) if server.tokens else http({"error": {"message": "no such path"}}, status="404 Not Found"))
        elif path == "/tokenize":
            connection.sendall(http({"tokens": [1] * server.tokens}))
        else:
            connection.sendall(http(ANSWER))


if __name__ == "__main__":
    unittest.main()
