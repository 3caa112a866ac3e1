"""A stream that is cut is booked near what the engine's own tokenizer says was delivered: within the error that docs/cost.md states, with a
real engine, and with answers whose events hold many tokens."""
import http.client
import json
import unittest
import urllib.request

from harness import SSE_HEAD, LlamaServer, Tandem, Upstream, chunk, until

CONFIG = """
providers:
  far: { kind: openai, zone: cloud, base_url: "REAL", api_key: cloud-key-0123456789 }
  lumps: { kind: openai, zone: cloud, base_url: "LUMPS/v1", api_key: k }
models:
  real: { provider: far, name: big-cloud-model, context: 8192, price: { input: 1, output: 10 } }
  lumpy: { provider: lumps, context: 8192, price: { input: 1, output: 10 } }
policy: { rules: [{ name: r, prefer: cloud }], attempts: 1 }
keys: { boss: { secret: boss-0123456789abc, admin: true } }
"""
KEY = {"authorization": "Bearer boss-0123456789abc"}
# What docs/cost.md states for the 95th percentile; a stream of one token an event is counted by its events.
STATED, BY_EVENTS = 0.48, 0.1
TEXTS = {
    "prose": "The pump was checked on Tuesday morning, and nobody found a reason for the noise that the neighbours had heard. We wrote down what each of "
             "them said, compared it with the times at which the heating runs, and will look again next week when the weather is colder. ",
    "code": "for (std::size_t i = 0; i < orders.size(); ++i) {\n    if (!orders[i].isOpen()) continue;\n    total += orders[i].amountDue(today);\n}\nreturn total;\n",
    "json": json.dumps([{"id": 4700 + n, "name": "Miller", "tags": ["new", "late"], "open": n % 2 == 0} for n in range(4)]) + "\n",
    "table": "".join(f"| North {n} | {n * 137} | open | checked by Lee |\n" for n in range(1, 9)),
}


class CutStreams(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.engine = LlamaServer()
        cls.said = ""
        cls.lumps = Upstream(lambda connection, body, number: cls.lump(connection))
        cls.tandem = Tandem(CONFIG.replace("REAL", cls.engine.base_url).replace("LUMPS", f"http://127.0.0.1:{cls.lumps.port}"))

    @classmethod
    def tearDownClass(cls):
        cls.tandem.stop()
        cls.lumps.close()
        cls.engine.stop()

    @classmethod
    def lump(cls, connection):
        """The text in events of 120 characters, and no end."""
        connection.sendall(SSE_HEAD + b"".join(chunk(cls.said[at:at + 120]) for at in range(0, len(cls.said), 120)))
        return "close"

    def tokens(self, text):
        request = urllib.request.Request(f"http://127.0.0.1:{self.engine.port}/tokenize", json.dumps({"content": text}).encode(),
                                         {"authorization": f"Bearer {self.engine.key}", "content-type": "application/json"})
        return len(json.load(urllib.request.urlopen(request, timeout=30))["tokens"])

    def ask(self, model, prompt, most):
        """The text of a stream that its client leaves after `most` characters of it, and the attempt's record."""
        connection = http.client.HTTPConnection("127.0.0.1", self.tandem.port, timeout=60)
        connection.request("POST", "/v1/chat/completions", json.dumps({"model": model, "stream": True, "max_tokens": 150, "temperature": 0,
                                                                       "messages": [{"role": "user", "content": prompt}]}),
                           {**KEY, "content-type": "application/json"})
        answer, text = connection.getresponse(), ""
        decision = answer.headers["x-tandem-decision"]
        try:
            while len(text) < most:
                line = answer.readline()
                if not line:
                    break
                if line.startswith(b"data: {"):
                    for choice in json.loads(line[6:]).get("choices", []):
                        text += choice["delta"].get("content") or ""
        except http.client.IncompleteRead:
            pass
        connection.close()
        until(lambda: self.tandem.explain(decision)["attempts"], "the attempt's record")
        return text, self.tandem.explain(decision)["attempts"][-1]

    def test_of_a_real_engine_by_its_events(self):
        for prompt in ("Tell me a long story about a ship.",):
            text, attempt = self.ask("real", prompt, 160)
            self.assertEqual(attempt["outcome"], "cancelled", attempt)
            self.assertTrue(attempt["usage"]["estimated"])
            real = self.tokens(text)
            # The engine may be some tokens ahead of what this client has read.
            self.assertLessEqual(real * (1 - BY_EVENTS) - 2, attempt["usage"]["output"], (prompt, real))
            self.assertLessEqual(attempt["usage"]["output"], real * (1 + BY_EVENTS) + 40, (prompt, real))

    def test_of_events_with_many_tokens_by_their_text(self):
        for kind, text in TEXTS.items():
            type(self).said = text * 3
            got, attempt = self.ask("lumpy", "go on", 10**9)
            self.assertEqual(got, self.said)
            self.assertTrue(attempt["usage"]["estimated"], attempt)
            real = self.tokens(got)
            self.assertLessEqual(abs(attempt["usage"]["output"] / real - 1), STATED, (kind, attempt["usage"]["output"], real))


if __name__ == "__main__":
    unittest.main()
