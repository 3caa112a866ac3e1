"""The suites of `tandem probe` on scripted servers: what a server does not do is found out, and routing goes by what was measured."""
import json
import os
import re
import threading
import time
import unittest

from able import Able
from harness import Tandem, Upstream, http, until

CONFIG = """providers:
  lab: {{ kind: openai, zone: {zone}, base_url: {url}, api_key: k }}
models:
  m: {{ provider: lab, context: {context}{more} }}
"""

FEATURES = ("max_tokens", "stop", "seed", "logprobs", "n", "usage in streams", "tool_choice required", "tool_choice named", "tool_choice none",
            "response_format json_schema", "response_format json_object", "parallel streams", "cancel stops work", "overflow")


class Suites(unittest.TestCase):
    def serve(self, able, zone="local", context=2048, more=""):
        self.able, self.upstream = able, Upstream(able)
        self.addCleanup(self.upstream.close)
        self.tandem = Tandem(CONFIG.format(zone=zone, url=self.upstream.base_url, context=context, more=more))
        self.addCleanup(self.tandem.stop)

    def probe(self, *more):
        done = self.tandem.cli("probe", "m", "--json", *more, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout[-2000:])
        return json.loads(done.stdout)

    def findings(self, *more):
        return {(f["suite"], f["name"]): f for f in self.probe(*more)["findings"]}

    # ---- context ----

    def test_a_server_that_sees_4k_is_measured_at_4k_and_routing_obeys(self):
        for keeps in ("end", "beginning"):
            with self.subTest(keeps):
                self.serve(Able(without=("overflow",), context=4096, keeps=keeps), context=32768)
                self.assertEqual(self.tandem.chat("word " * 9000)[0], 200)
                found = self.probe("--suite", "context")
                usable = next(f for f in found["findings"] if f["name"] == "usable")
                self.assertEqual((usable["value"], usable["low"], usable["high"]), (4096, 4096, 8191), found["findings"])
                self.assertIn("its server read 4096 tokens", usable["word"])
                self.assertEqual([(m["quantity"], m["value"], m["current"]) for m in found["measured"]], [("context", 4096, True)])
                # A 32k claim and a measured 4k: it does not get a 10k prompt, and the reason is said.
                status, headers, body = self.tandem.chat("word " * 9000)
                self.assertEqual(status, 400, body)
                self.assertIn("4096", body.decode())
                explained = self.tandem.cli("explain").stdout
                self.assertRegex(explained, r"context of 4096 \(context of 4096, of 32768 claimed, measured \d{4}-\d\d-\d\d by the suite context of tandem probe\)")
                self.assertIn("the same inputs give the same decision", explained)
                self.assertEqual(self.tandem.chat("word " * 1000)[0], 200)
                listed = self.tandem.cli("models").stdout
                self.assertRegex(listed, r"m: context 4096 \(4096 to 8191\) of 32768 claimed, (now|\d+ second)")
                # It can be measured again, beyond what routing lets through.
                self.able.context = 32768
                self.assertEqual(next(f for f in self.probe("--suite", "context")["findings"] if f["name"] == "usable")["value"], 32768)
                self.assertEqual(self.tandem.chat("word " * 9000)[0], 200)

    def test_what_was_measured_of_another_model_under_the_name_is_stale_and_can_be_taken_back(self):
        self.serve(Able(without=("overflow",), context=1024), context=4096)
        self.probe("--suite", "context")
        self.assertEqual(self.tandem.chat("word " * 2000)[0], 400)
        self.assertIn("nothing is measured of m any more", self.tandem.cli("probe", "m", "--forget").stdout)
        self.assertEqual(self.tandem.chat("word " * 2000)[0], 200)
        self.probe("--suite", "context")
        self.assertEqual(self.tandem.chat("word " * 2000)[0], 400)
        self.tandem.process.terminate()
        self.tandem.process.wait(60)
        self.tandem.file.write_text(self.tandem.file.read_text().replace("context: 4096", "context: 4096, name: other"))
        self.tandem.start()
        self.assertEqual(self.tandem.chat("word " * 2000)[0], 200)
        self.assertIn("stale", self.tandem.cli("probe").stdout)

    def test_a_server_that_says_any_number_has_no_usable_context(self):
        class Guesser(Able):
            def say(self, asked, text):
                return (re.findall(r"\d+", text.rpartition("\n\n")[0]) or ["7"])[0 if self.keeps == "first" else -1]
        for which in ("first", "last"):
            self.serve(Guesser(keeps=which), context=4096)
            found = self.probe("--suite", "context")
            self.assertEqual(next(f for f in found["findings"] if f["name"] == "usable")["value"], 0)
            # That says nothing of length: the claim holds.
            self.assertEqual(self.tandem.chat("word " * 2000)[0], 200)

    # ---- compatibility ----

    def verdicts(self):
        return {name: f["word"] for (_, name), f in self.findings("--suite", "compatibility").items()}

    def test_a_server_that_does_all_honours_all(self):
        self.serve(Able(context=2048, pace=0.002))
        self.assertEqual(self.verdicts(), dict.fromkeys(FEATURES, "honours"))

    def test_each_feature_that_a_server_ignores_is_found_out(self):
        # Each is ignored by one of the servers, and honoured by the others.
        servers = [{"max_tokens", "seed", "n", "tool_choice required", "response_format json_schema", "overflow"},
                   {"stop", "logprobs", "usage in streams", "tool_choice named", "tool_choice none", "response_format json_object"},
                   {"cancel stops work"}]
        self.assertEqual(set().union(*servers), set(FEATURES) - {"parallel streams"})
        self.serve(Able(context=2048))
        for left_out in servers:
            cancels = "cancel stops work" in left_out
            self.upstream.script = Able(without=left_out, context=2048, pace=0.002 if cancels else 0)
            verdicts = self.verdicts()
            if not cancels:
                verdicts.pop("cancel stops work")  # without a pace nothing can be seen of it
            self.assertEqual({feature for feature, word in verdicts.items() if word.startswith("ignores")}, left_out, verdicts)
            self.assertEqual({word for feature, word in verdicts.items() if feature not in left_out}, {"honours"}, verdicts)

    def test_answers_of_others_and_errors_are_no_honour(self):
        last = []

        class Mixed(Able):
            def say(self, asked, text):
                said = super().say(asked, text)
                if text.startswith("Say the word"):
                    last.append(said)
                    return last[0]
                return said

            def __call__(self, connection, body, number):
                asked = json.loads(body)
                if asked.get("n", 1) > 1:
                    return connection.sendall(http({"error": {"message": "n is not supported"}}, "400 Bad Request"))
                if asked.get("logprobs"):
                    return connection.sendall(http({"error": {"message": "oops"}}, "500 Internal Server Error"))
                return super().__call__(connection, body, number)

        self.serve(Mixed(context=2048))
        verdicts = self.verdicts()
        self.assertTrue(verdicts["parallel streams"].startswith("breaks: an answer has another one's word"), verdicts)
        self.assertTrue(verdicts["n"].startswith("refuses"), verdicts)
        self.assertTrue(verdicts["logprobs"].startswith("breaks"), verdicts)

    def test_what_others_reported_of_servers(self):
        """docs/internals/field.md, "Claims and what servers do with them"."""
        def refusing(*parts):
            return lambda able: lambda c, b, n: c.sendall(http({"error": {"message": "not supported"}}, "400 Bad Request")) if any(p in b for p in parts) else able(c, b, n)
        fixed = lambda able: lambda c, b, n: able(c, re.sub(rb'"seed":\d+', b'"seed":1', b), n)
        cases = {
            "567-labs/instructor#2051": (Able(), refusing(b'"tool_choice":{'), "tool_choice named", "refuses"),
            "lmstudio-bug-tracker#307": (Able(), refusing(b'"json_object"'), "response_format json_object", "refuses"),
            "optillm#8": (Able(), refusing(b'"n":2'), "n", "refuses"),
            "ollama#5044": (Able(), fixed, "seed", "unknown"),
            "ollama#3839": (Able(without=("overflow",), context=2048, cut_to=1026), lambda able: able, "overflow", "ignores: it read 1026 tokens of about"),
        }
        self.serve(Able())
        for report, (able, bend, feature, verdict) in cases.items():
            with self.subTest(report):
                self.upstream.script = bend(able)
                self.assertTrue((word := self.verdicts()[feature]).startswith(verdict), word)

    def test_a_server_that_cuts_a_long_prompt_to_half_its_context_has_the_whole_of_it(self):
        """ollama/ollama#17427, #17889: a prompt of more than 4,096 tokens is cut to 2,050, one of fewer is read whole."""
        self.serve(Able(without=("overflow",), context=4096, cut_to=2050), context=40960)
        found = self.findings("--suite", "context")
        self.assertEqual(found["context", "usable"]["value"], 4096)
        self.assertIn("read 2050 tokens of a prompt of about 8192", found["context", "usable"]["word"])

    def test_a_cache_of_prompts_makes_no_model_faster(self):
        """defilantech/LLMKube#1268: the same prompt again and again is read at the speed of the cache."""
        seen = []

        def cached(connection, body, number):
            text = json.loads(body)["messages"][-1]["content"]
            known = max((len(os.path.commonprefix([text, one])) for one in seen), default=0)
            seen.append(text)
            time.sleep((len(text) - known) / 4 / 1000)  # 1,000 tokens a second: a busy machine's delays are few of it
            Able(pace=0.0005)(connection, body, number)

        self.serve(Able(), context=8192)
        self.upstream.script = cached
        reading = self.findings("--suite", "speed")["speed", "reading"]["value"]
        self.assertTrue(625 < reading < 1250, reading)

    # ---- the others ----

    def test_two_models_of_different_ability_are_told_apart(self):
        depth = lambda: self.findings("--suite", "reasoning")["reasoning", "depth"]["value"]
        self.serve(Able())
        strong = depth()
        self.upstream.script = Able(right=0.3)
        weak = depth()
        self.assertEqual((strong, weak), (5, 0))

    def test_a_server_that_calls_always_is_wrong_where_no_tool_fits(self):
        self.serve(Able())
        found = self.findings("--suite", "tools")
        self.assertEqual(found["tools", "required"]["value"], 1)
        self.assertEqual(found["tools", "none-fits"]["value"], 0)
        self.assertLess(found["tools", "score"]["value"], 0.5)

    def test_a_server_without_tools_has_none_and_gets_no_requests_with_tools(self):
        self.serve(Able(without=("tool_choice required", "tool_choice named", "tool_choice none")))
        self.able.call = lambda asked, text: None
        found = self.probe("--suite", "tools")
        self.assertEqual([(m["quantity"], m["value"]) for m in found["measured"]], [("tools", 0)])
        tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
        status, _, body = self.tandem.chat("hello", tools=tools)
        self.assertEqual(status, 422, body)
        self.assertIn("tools none, measured", self.tandem.cli("explain").stdout)
        self.assertEqual(self.tandem.chat("hello")[0], 200)

    def test_speed_is_measured_of_streams(self):
        self.serve(Able(pace=0.001), context=8192)
        found = self.findings("--suite", "speed")
        self.assertGreater(found["speed", "writing"]["value"], 50)
        self.assertIn(("speed", "first token at 512 tokens"), found)
        self.assertIn(("speed", "writing of 4 at once"), found)

    # ---- the job ----

    def test_a_cloud_model_is_probed_within_a_budget_alone(self):
        # Each question costs about 0.02: 400 tokens in and 48 out at most.
        self.serve(Able(), zone="cloud", more=", price: { input: 10, output: 100 }")
        refused = self.tandem.cli("probe", "m", "--suite", "context")
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("say what the probe may cost at most, as with `tandem probe m --budget 0.50`", refused.stderr)
        self.assertEqual(len(self.able.asked), 0)
        done = self.tandem.cli("probe", "m", "--suite", "context", "--budget", "0.05", "--json")
        self.assertEqual(done.returncode, 1)
        found = json.loads(done.stdout)
        self.assertIn("budget", found["ended"])
        self.assertEqual(found["findings"], [])
        self.assertGreater(len(self.able.asked), 1)
        spent = json.loads(self.tandem.cli("cost", "--by", "key", "--json").stdout)["total_micros"]
        self.assertTrue(0 < spent <= 50_000, spent)
        done = self.tandem.cli("probe", "m", "--suite", "json", "--budget", "5")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        # One nobody knows the price of cannot be bounded.
        self.serve(Able(), zone="cloud")
        refused = self.tandem.cli("probe", "m", "--budget", "5")
        self.assertIn("nobody knows what 'm' costs", refused.stderr)

    def test_a_suite_goes_on_after_a_crash_with_the_question_that_it_had_come_to(self):
        gate = threading.Event()
        able = Able()

        def slow_from_the_fourth_on(connection, body, number):
            if len(able.asked) == 3:
                able.asked.append(json.loads(body))
                gate.wait(20)
                return None
            return able(connection, body, number)

        self.serve(able)
        self.upstream.script = slow_from_the_fourth_on
        self.assertEqual(self.tandem.request("/tandem/v1/probes", {"model": "m", "suites": ["reasoning", "json"]})[0], 200)
        progress = lambda: json.loads(self.tandem.request("/tandem/v1/probes/m")[2])
        until(lambda: len(able.asked) == 4 and progress()["done"] == 3, "three answers")
        self.tandem.kill()
        gate.set()
        self.upstream.script = able
        self.tandem.start()
        until(lambda: {"done", "running"} <= (now := progress()).keys() and not now["running"], "the end of the probe", 60)
        found = progress()
        self.assertEqual({f["suite"] for f in found["findings"]}, {"reasoning", "json"})
        texts = [a["messages"][-1]["content"] for a in able.asked]
        self.assertEqual((texts[3], len(set(texts))), (texts[4], len(texts) - 1))
        self.assertEqual(found["done"], len(texts) - 1)

    def test_in_idle_time_alone_questions_wait_for_others(self):
        self.serve(Able())
        gate = threading.Event()
        self.addCleanup(gate.set)
        self.upstream.script = lambda c, b, n: (gate.wait(30) if b"somebody" in b else None, self.able(c, b, n))[1]
        threading.Thread(target=lambda: self.tandem.chat("somebody asks"), daemon=True).start()
        until(lambda: self.upstream.requests, "the client's question")
        self.assertEqual(self.tandem.request("/tandem/v1/probes", {"model": "m", "each": 1, "idle": True})[0], 200)
        progress = lambda: json.loads(self.tandem.request("/tandem/v1/probes/m")[2])
        until(lambda: progress()["running"], "the probe")
        self.assertEqual((len(self.upstream.requests), progress()["done"]), (1, 0))
        gate.set()
        until(lambda: progress()["done"] == 8, "the questions", 30)

    def test_wrong_suites_say_what_there_is(self):
        self.serve(Able())
        done = self.tandem.cli("probe", "m", "--suite", "contxt")
        self.assertIn("did you mean 'context'", done.stderr)
        for body in ({"model": "m", "suites": []}, {"model": "m", "suites": "context"}, {"model": "m", "seed": -1}, {"model": "m", "budget": "0"}, {"model": "m", "longest": 5}):
            self.assertEqual(self.tandem.request("/tandem/v1/probes", body)[0], 400, body)


if __name__ == "__main__":
    unittest.main()
