"""Owners of keys and workflows of requests: shown, added up by `tandem cost`, bound by budgets, before and after a restart."""
import json
import unittest

from harness import Tandem, Upstream, chunk, http

CONFIG = """
providers: { cloud: { kind: openai, zone: cloud, base_url: "BASE/v1", api_key: k } }
models: { m: { provider: cloud, context: 8000, price: { input: 0, output: 10 } } }
policy: { rules: [{ name: r, prefer: cloud }], attempts: 1 }
keys:
  boss: { secret: boss-0123456789abc, admin: true }
  filed: { secret: filed-0123456789abc, owner: anna }
budgets:
  - { limit: 0.003, window: total, of: { owner: anna } }
  - { limit: 0.002, window: total, of: { workflow: nightly } }
"""


def answer(connection, body, number):
    usage = {"prompt_tokens": 1, "completion_tokens": 100, "total_tokens": 101}
    if json.loads(body).get("stream"):
        return b"".join((chunk("x"), chunk(None, "stop"), chunk(usage=usage), b"data: [DONE]\n\n"))
    choice = {"index": 0, "message": {"role": "assistant", "content": "x"}, "finish_reason": "stop"}
    return connection.sendall(http({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}))


class Owners(unittest.TestCase):
    def setUp(self):
        self.upstream = Upstream(answer)
        self.tandem = Tandem(CONFIG.replace("BASE", f"http://127.0.0.1:{self.upstream.port}"))
        self.addCleanup(self.upstream.close)
        self.addCleanup(self.tandem.stop)

    def ask(self, secret, workflow=None, path="/v1/chat/completions", **fields):
        """The status of a request that costs 0.001 where it is answered, and its body."""
        headers = {"authorization": f"Bearer {secret}", **({"x-tandem-workflow": workflow} if workflow else {})}
        status, _, raw = self.tandem.request(path, {"model": "m", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 100, **fields}, headers)
        return status, raw if isinstance(raw, str) else raw.decode()

    def cost(self, by):
        report = json.loads(self.tandem.cli("cost", "--json", "--by", by).stdout)
        return {row["group"]: row["cost_micros"] for row in report["rows"] if row["cost_micros"]}

    def make(self, name, *options):
        made = self.tandem.cli("keys", "create", name, "--json", *options)
        self.assertEqual(made.returncode, 0, made.stderr)
        return json.loads(made.stdout)["secret"]

    def test_owners_have_keys_costs_and_budgets(self):
        first, second, other = self.make("first", "--owner", "anna"), self.make("second", "--owner", "anna"), self.make("other", "--owner", "ben")
        listed = {key["name"]: key.get("owner") for key in json.loads(self.tandem.cli("keys", "list", "--json").stdout)["keys"]}
        self.assertEqual(listed, {"boss": None, "filed": "anna", "first": "anna", "second": "anna", "other": "ben"})
        self.assertRegex(self.tandem.cli("keys", "list").stdout, r"(?m)^first +store +- +anna ")
        self.assertEqual([self.ask(s)[0] for s in (first, second, "filed-0123456789abc")], [200] * 3)
        status, said = self.ask(second)
        self.assertEqual(status, 429)
        self.assertIn("the owner 'anna'", said)
        self.assertEqual([self.ask(other)[0], self.ask(first)[0]], [200, 429])
        self.assertEqual(self.cost("owner"), {"anna": 3_000, "ben": 1_000})
        self.tandem.kill()
        self.tandem.start()
        self.assertEqual([self.ask(first)[0], self.ask(other)[0]], [429, 200])
        self.assertEqual(self.cost("owner"), {"anna": 3_000, "ben": 2_000})
        wrong = self.tandem.cli("keys", "create", "x", "--owner", "not a name")
        self.assertNotEqual(wrong.returncode, 0)
        self.assertIn("owner", wrong.stderr)

    def test_workflows_have_costs_and_budgets_in_every_dialect(self):
        boss = "boss-0123456789abc"
        self.assertEqual(self.ask(boss, "nightly", "/v1/messages")[0], 200)
        self.assertEqual(self.ask(boss, "nightly", "/api/chat", stream=False, options={"num_predict": 100})[0], 200)
        for path in ("/v1/chat/completions", "/v1/messages", "/api/chat"):
            status, said = self.ask(boss, "nightly", path)
            self.assertIn(status, (402, 429))
            self.assertIn("the workflow 'nightly'", said)
        self.assertEqual(self.ask(boss, "daily")[0], 200)
        self.assertEqual(self.ask(boss)[0], 200)
        self.assertEqual(self.cost("workflow"), {"nightly": 2_000, "daily": 1_000, "": 1_000})
        self.tandem.kill()
        self.tandem.start()
        self.assertEqual([self.ask(boss, "nightly")[0], self.ask(boss, "daily")[0]], [429, 200])
        self.assertEqual(self.ask(boss, "no such name!")[0], 400)


if __name__ == "__main__":
    unittest.main()
