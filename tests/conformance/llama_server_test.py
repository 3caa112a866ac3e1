"""Every dialect in front of a real llama-server that runs already (kind llama-server): answers, streams, a forced tool call on a
model whose template has no tools, a schema; exact counts; and what doctor says of it."""
import json
import sys
import unittest
import warnings

from harness import LlamaServer, Tandem
from matrix_test import CLIENTS


class Real(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        warnings.simplefilter("ignore", ResourceWarning)
        cls.server = LlamaServer()
        cls.tandem = Tandem(f"""
providers:
  lab: {{ kind: llama-server, zone: local, base_url: http://127.0.0.1:{cls.server.port}, api_key: {cls.server.key} }}
models:
  m-real: {{ provider: lab, name: big-cloud-model, context: 4096 }}
""")

    @classmethod
    def tearDownClass(cls):
        cls.tandem.stop()
        cls.server.stop()

    def ask(self, front, scenario, stream):
        client = CLIENTS[front]
        # Less to say, with a model of this size.
        body = json.loads(json.dumps(client.request(scenario, stream)).replace("500", "64").replace('"temperature": 0.5', '"temperature": 0').replace('"type": "string"', '"type": "string", "maxLength": 12'))
        path = client.path_for(stream).replace("models/m:", "models/m-real:") if front == "gemini" else client.path
        if front != "gemini":
            body["model"] = "m-real"
        status, headers, raw = self.tandem.request(path, body, {"anthropic-version": "2023-06-01"} if front == "anthropic" else {})
        self.assertEqual(status, 200, raw)
        return client.read(raw, stream)

    def test_every_dialect(self):
        for front in CLIENTS:
            for stream in (False, True):
                with self.subTest(front=front, stream=stream):
                    answer = self.ask(front, "text", stream)
                    self.assertTrue(answer["text"])
                    self.assertGreater(answer["usage"][0], 10)
                    self.assertIn(answer["finish"], ("stop", "length"))
                    answer = self.ask(front, "schema", stream)
                    if answer["finish"] == "stop":  # so small a model may fill its room with white space
                        self.assertEqual(list(json.loads(answer["text"])), ["city"])
                    answer = self.ask(front, "forced", stream)
                    if front == "ollama":  # has no word for it
                        continue
                    self.assertEqual(([n for n, _ in answer["calls"]], answer["finish"]), (["get_weather"], "calls"))
                    self.assertIsInstance(json.loads(answer["calls"][0][1])["city"], str)
            print(f"{front}: real llama-server answers", file=sys.stderr)

    def test_counts_are_exact(self):
        for tools in ([], [{"name": "f", "description": "Finds it", "input_schema": {"type": "object", "properties": {"x": {"type": "string", "maxLength": 5}}}}]):
            body = {"model": "m-real", "messages": [{"role": "user", "content": "Count this, please."}], **({"tools": tools} if tools else {})}
            status, headers, raw = self.tandem.request("/v1/messages/count_tokens", body)
            self.assertEqual((status, headers["x-tandem-count"]), (200, "exact"))
            usage = json.loads(self.tandem.request("/v1/messages", {**body, "max_tokens": 30})[2])["usage"]
            self.assertEqual(json.loads(raw)["input_tokens"], usage["input_tokens"] + usage["cache_read_input_tokens"])

    def test_a_tool_choice_of_none_and_tools_refused_by_the_owner(self):
        body = {"model": "m-real", "max_tokens": 20, "messages": [{"role": "user", "content": "Hi"}], "tools": [{"type": "function", "function": {"name": "f"}}]}
        answer = json.loads(self.tandem.request("/v1/chat/completions", {**body, "tool_choice": "none"})[2])
        self.assertNotIn("tool_calls", answer["choices"][0]["message"])
        self.assertFalse(answer["choices"][0]["message"]["content"].startswith("{"))
        strict = Tandem(self.tandem.file.read_text().split("\n", 2)[2].replace("context: 4096", "context: 4096, tools: refuse"))
        try:
            status, _, raw = strict.request("/v1/chat/completions", body)
            self.assertEqual(status, 422)
            self.assertIn(b"tools", raw)
        finally:
            strict.stop()

    def test_doctor_compares_the_servers_word_with_the_config(self):
        checks = json.loads(self.tandem.cli("doctor", "--json").stdout)
        text = json.dumps(checks)
        self.assertIn("the server has a context of", text)
        self.assertIn("answers at", text)


if __name__ == "__main__":
    unittest.main()
