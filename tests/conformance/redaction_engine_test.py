"""Redaction with a real model behind it: a llama-server plays the cloud, and a proxy in front of it keeps every byte."""
import json
import unittest
import warnings

import openai

from harness import CountingProxy, LlamaServer, Tandem

IBAN = "DE89 3704 0044 0532 0130 00"
MAIL = "grace.hopper@navy-example.org"


class Engine(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        warnings.simplefilter("ignore", ResourceWarning)
        cls.llama = LlamaServer()
        cls.addClassCleanup(cls.llama.stop)
        cls.proxy = CountingProxy(cls.llama.port)
        cls.addClassCleanup(cls.proxy.close)
        cls.tandem = Tandem(f"""privacy: {{ actions: {{ cloud: {{ private: redact, internal: redact }} }} }}
providers:
  far: {{ kind: llama-server, zone: cloud, base_url: 'http://127.0.0.1:{cls.proxy.port}', api_key: {cls.llama.key} }}
models:
  big-cloud-model: {{ provider: far, context: 8192 }}
""")
        cls.addClassCleanup(cls.tandem.stop)
        cls.client = openai.OpenAI(base_url=cls.tandem.url + "/v1", api_key="x", max_retries=0)

    def test_a_real_model_sees_placeholders_and_its_answer_has_the_values(self):
        before = self.proxy.bytes
        answers = []
        # A grammar makes the model repeat what it was given, which a small one hardly does by itself. It must not name a
        # placeholder itself: what the client typed is left alone.
        for stream in (False, True):
            said = self.client.chat.completions.create(
                model="big-cloud-model", max_tokens=60, temperature=0, stream=stream,
                messages=[{"role": "user", "content": f"Send the money to {IBAN} and tell {MAIL}."}],
                extra_body={"grammar": 'root ::= "Sent to <IBAN_CODE_" [1] ">, told <EMAIL_ADDRESS_" [1] ">."'})
            answers.append("".join(c.choices[0].delta.content or "" for c in said if c.choices) if stream else said.choices[0].message.content)
        self.assertEqual(answers, [f"Sent to {IBAN}, told {MAIL}."] * 2)
        self.assertGreater(self.proxy.bytes, before)
        for value in (IBAN, IBAN.replace(" ", ""), MAIL, "0532"):
            self.assertNotIn(value.encode(), self.proxy.seen)
        self.assertIn(b"<IBAN_CODE_1>", self.proxy.seen)

    def test_counting_stays_an_estimate_where_the_whole_may_not_be_sent(self):
        seen = len(self.proxy.seen)
        status, headers, _ = self.tandem.request("/v1/messages/count_tokens", {"model": "big-cloud-model", "messages": [{"role": "user", "content": IBAN}]})
        self.assertEqual((status, headers["x-tandem-count"]), (200, "estimate"))
        self.assertEqual(len(self.proxy.seen), seen)


if __name__ == "__main__":
    unittest.main()
