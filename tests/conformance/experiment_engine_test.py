"""Experiments on real engines: one at home, one as the cloud, and the one at home as a judge of both. What so small a model
judges is worth nothing; that everything is asked, compared and recorded is what is shown."""
import json
import unittest

import openai

from harness import CountingProxy, LlamaServer, MODEL, Tandem, until


class OnRealEngines(unittest.TestCase):
    def test_conversations_are_shared_out_and_pairs_are_judged(self):
        cloud = LlamaServer()
        self.addCleanup(cloud.stop)
        proxy = CountingProxy(cloud.port)
        self.addCleanup(proxy.close)
        tandem = Tandem(f"""providers:
  home: {{ kind: engine }}
  far: {{ kind: llama-server, zone: cloud, base_url: 'http://127.0.0.1:{proxy.port}/v1', api_key: {cloud.key} }}
models:
  small: {{ provider: home, file: {MODEL}, context: 4096, slots: 2 }}
  big-cloud-model: {{ provider: far, context: 8192, price: {{ input: 1, output: 5 }} }}
aliases: {{ both: [small, big-cloud-model] }}
experiments:
  duel: {{ kind: pairs, control: small, treatment: big-cloud-model, aliases: [both], judge: small, minimum: 10 }}
""")
        self.addCleanup(tandem.stop)
        client = openai.OpenAI(base_url=tandem.url + "/v1", api_key="none", max_retries=0, timeout=180)
        status = lambda: json.loads(tandem.cli("experiment", "status", "duel", "--json").stdout)
        seen, asked = set(), 0
        while asked < 8 and (asked < 4 or len(seen) < 2):
            i, asked = asked, asked + 1
            raw = client.chat.completions.with_raw_response.create(model="both", messages=[{"role": "user", "content": f"Name an animal with {i + 2} letters."}], max_tokens=12)
            self.assertTrue(raw.parse().choices[0].message.content)
            seen.add(raw.headers["x-tandem-model"])
            # The other one was asked as well, and the judge twice, unless it said nothing that is a verdict.
            until(lambda: (j := status()["judge"])["wins"] + j["ties"] + j["losses"] + j["unclear"] == i + 1, "the verdict", 120)
        self.assertEqual(seen, {"small", "big-cloud-model"})
        found = status()
        print(found["judge"], found["verdict"], found["spent_besides"])
        self.assertEqual(found["trials"], asked)
        self.assertIn("too early", found["verdict"])
        self.assertIn("experiment:duel", tandem.cli("cost", "--by", "key").stdout)
        before = proxy.bytes
        answer = client.chat.completions.create(model="both", messages=[{"role": "user", "content": "Name an animal."}], max_tokens=8, extra_headers={"x-tandem-label": "private"})
        self.assertTrue(answer.choices)
        self.assertEqual(tandem.explain()["decision"]["candidates"][0]["model"], "small")
        self.assertEqual(proxy.bytes, before, "a private question is part of no experiment that would take it out")
        self.assertEqual(tandem.cli("audit", "verify").returncode, 0)


if __name__ == "__main__":
    unittest.main()
