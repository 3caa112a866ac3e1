"""A real engine at home and another as the cloud: feedback moves one class of work within fifty requests, and explain says why."""
import json
import unittest

from harness import LlamaServer, MODEL, Tandem


class Moves(unittest.TestCase):
    def test_one_class_of_work_and_says_why(self):
        cloud = LlamaServer()
        self.addCleanup(cloud.stop)
        tandem = Tandem(f"""providers:
  home: {{ kind: engine }}
  far: {{ kind: openai, zone: cloud, base_url: {cloud.base_url}, api_key: {cloud.key} }}
models:
  small: {{ provider: home, file: {MODEL}, quality: 0.8, context: 4096, slots: 2 }}
  big-cloud-model: {{ provider: far, context: 8192, price: {{ input: 1, output: 5 }} }}
policy: {{ preset: hybrid }}
""")
        self.addCleanup(tandem.stop)
        moved = None
        for i in range(50):
            status, headers, _ = tandem.chat(f"Write a haiku about mountain number {i}", max_tokens=8, timeout=120)
            self.assertEqual(status, 200)
            at_home = headers["x-tandem-zone"] == "local"
            if not at_home:
                moved = i
                break
            status, _, body = tandem.request("/tandem/v1/feedback", {"decision": headers["x-tandem-decision"], "outcome": "bad"})
            self.assertEqual(status, 200, body)
            # What it is good at, is said too.
            _, headers, _ = tandem.chat(f"Convert {i} miles to kilometres", max_tokens=8, timeout=120)
            tandem.request("/tandem/v1/feedback", {"decision": headers["x-tandem-decision"], "outcome": "good"})
        self.assertIsNotNone(moved, "never moved")
        print(f"moved at request {moved}")
        text = tandem.cli("explain").stdout
        print(text)
        self.assertIn("good with", text)
        shown = tandem.explain()
        self.assertTrue(shown["replay_is_same"])
        self.assertEqual(shown["decision"]["candidates"][0]["model"], "big-cloud-model")
        _, headers, _ = tandem.chat("Convert 99 miles to kilometres", max_tokens=8, timeout=120)
        self.assertEqual(headers["x-tandem-zone"], "local")
        # What is private stays at home, however bad the answers are.
        _, headers, _ = tandem.chat("Write a haiku about mountain number 99", max_tokens=8, timeout=120, headers={"x-tandem-label": "private"})
        self.assertEqual(headers["x-tandem-zone"], "local")

    def test_how_sure_a_real_model_was_stays_between_it_and_the_cascade(self):
        cloud = LlamaServer()
        self.addCleanup(cloud.stop)
        tandem = Tandem(f"""providers:
  home: {{ kind: engine }}
  far: {{ kind: openai, zone: cloud, base_url: {cloud.base_url}, api_key: {cloud.key} }}
models:
  small: {{ provider: home, file: {MODEL}, context: 4096 }}
  big-cloud-model: {{ provider: far, context: 8192 }}
policy: {{ rules: [ {{ name: all, prefer: local, cascade: {{ sure: 1 }} }} ] }}
""")
        self.addCleanup(tandem.stop)
        for stream in (False, True):
            text = f"Name an animal, {stream}."  # each its own: the label below stays with the conversation
            status, headers, body = tandem.chat(text, max_tokens=8, timeout=120, stream=stream)
            self.assertEqual((status, headers["x-tandem-model"]), (200, "big-cloud-model"), body)
            self.assertRegex(headers["x-tandem-warnings"], r"its words had a mean probability of 0\.\d\d, and rule")
            print(headers["x-tandem-warnings"])
            status, headers, body = tandem.chat(text, max_tokens=8, timeout=120, stream=stream, headers={"x-tandem-label": "private"})
            self.assertEqual((status, headers["x-tandem-model"]), (200, "small"), body)
            self.assertNotIn(b'"logprob"', body)

    def test_what_a_real_model_can_do_is_found_out(self):
        tandem = Tandem(f"""providers:
  home: {{ kind: engine }}
models:
  small: {{ provider: home, file: {MODEL}, context: 8192 }}
""")
        self.addCleanup(tandem.stop)
        done = tandem.cli("probe", "small", "--each", "1", timeout=240)
        print(done.stdout)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len([l for l in done.stdout.splitlines() if l.split()[1:2] in (["right"], ["wrong"])]), 8)
        self.assertIn("probe", tandem.cli("learning", "export", "small").stdout)


if __name__ == "__main__":
    unittest.main()
