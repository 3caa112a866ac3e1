"""`tandem probe`: models are asked what can be checked, what comes of it is kept, and the next decision knows it."""
import json
import re
import threading
import unittest

from harness import ANSWER, Tandem, Upstream, http, until

CONFIG = """providers:
  one: {one}
  two: {two}
models:
  reader: {{ provider: one, context: 8192 }}
  other: {{ provider: two, context: 8192 }}
  vectors: {{ provider: two, capabilities: [embeddings] }}
policy: {{ preset: learned }}
"""


def reads_and_calls(connection, body, number):
    """Finds what is in the question and calls its tools; can do nothing else."""
    asked = json.loads(body)
    text = asked["messages"][-1]["content"]
    message = {"role": "assistant", "content": "I do not know."}
    if locker := re.search(r"locker is (\d+)\.", text):
        message["content"] = locker[1]
    if timer := re.search(r"of (\d+) minutes with the name (\w+)", text):
        message = {"role": "assistant", "content": None, "tool_calls": [{"id": "c1", "type": "function", "function": {
            "name": "set_timer", "arguments": json.dumps({"minutes": int(timer[1]), "name": timer[2]})}}]}
    connection.sendall(http({**ANSWER, "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}))


def knows_nothing(connection, body, number):
    connection.sendall(http({**ANSWER, "choices": [{"index": 0, "message": {"role": "assistant", "content": "I do not know."}, "finish_reason": "stop"}]}))


class Probe(unittest.TestCase):
    def setUp(self):
        self.one, self.two = Upstream(reads_and_calls), Upstream(knows_nothing)
        self.tandem = Tandem(CONFIG.format(one=self.one.provider(), two=self.two.provider()))
        for part in (self.two, self.one):
            self.addCleanup(part.close)
        self.addCleanup(lambda: self.tandem.stop())

    def probe(self, *more):
        done = self.tandem.cli("probe", *more, "--json")
        return done.returncode, json.loads(done.stdout)

    def test_what_was_found_is_kept_and_learned_from(self):
        code, found = self.probe("reader", "--each", "3")
        self.assertEqual((code, found["done"], found["of"], found["running"]), (0, 24, 24, False))
        right = {r["task"] for r in found["results"] if r["passed"]}
        self.assertEqual(right, {"reading-1", "reading-2", "reading-3", "tools-1", "tools-3"})
        self.assertTrue(all(r["current"] and r["decision"].startswith("dec_") for r in found["results"]))
        shown = self.tandem.cli("probe", "other")
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertRegex(shown.stdout, r"tools-1 +wrong +\d+\.\d s  dec_")
        self.assertIn("said: I do not know.", shown.stdout)
        self.assertIn("arithmetic 0/4", shown.stdout)
        models = lambda: {m["model"]: m for m in json.loads(self.tandem.request("/tandem/v1/learning")[2])["models"]}
        # What is malformed besides is no second outcome.
        self.assertEqual(models()["reader"]["outcomes"], 24)
        exported = [json.loads(line) for line in self.tandem.cli("learning", "export", "reader").stdout.splitlines()]
        probes = [o for o in exported if o["source"] == "probe"]
        self.assertEqual((len(probes), sum(o["outcome"] for o in probes), {o["weight"] for o in probes}), (24, 5, {0.5}))
        # The cold start is sane: nobody has said a word of either.
        _, headers, _ = self.tandem.chat("Nora of house 3 mends the roof on Monday. The number of the red locker is 77. What is the number of the red locker? Reply with the number alone.")
        self.assertEqual(headers["x-tandem-model"], "reader")
        self.assertIn("good with", self.tandem.cli("explain").stdout)
        # Asked again, it counts in place of what was.
        before = models()["reader"]["outcomes"]
        self.one.script = knows_nothing
        code, found = self.probe("reader", "--each", "3")
        self.assertFalse(any(r["passed"] for r in found["results"]))
        until(lambda: models()["reader"]["outcomes"] == before, "the same number of outcomes", 20)
        self.assertIn("probe", self.tandem.cli("cost", "--by", "key").stdout)
        listed = self.tandem.cli("probe").stdout
        self.assertIn("reader: arithmetic 0/3", listed)
        # It outlives the server.
        outcomes = models()["reader"]["outcomes"]
        self.tandem.kill()
        self.tandem.start()
        self.assertEqual(self.tandem.cli("probe").stdout, listed)
        self.assertEqual(models()["reader"]["outcomes"], outcomes)

    def test_a_probe_goes_on_after_the_server_was_killed(self):
        asked = []
        gate = threading.Event()

        def slow_from_the_fourth_on(connection, body, number):
            asked.append(json.loads(body)["messages"][-1]["content"])
            if len(asked) == 4:
                gate.wait(20)
            reads_and_calls(connection, body, number)

        self.one.script = slow_from_the_fourth_on
        self.assertEqual(self.tandem.request("/tandem/v1/probes", {"model": "reader", "each": 1})[0], 200)
        progress = lambda: json.loads(self.tandem.request("/tandem/v1/probes/reader")[2])
        until(lambda: len(asked) == 4 and progress()["done"] == 3, "three answers")
        self.tandem.kill()
        gate.set()
        self.tandem.start()
        # Before it has begun again, nothing is known of it, and it does not run either.
        until(lambda: {"done", "running"} <= (now := progress()).keys() and not now["running"], "the end of the probe")
        found = progress()
        self.assertEqual((found["done"], found["of"], len(found["results"])), (8, 8, 8))
        # The one that was under way is asked again, and no other.
        self.assertEqual((len(asked), asked[3]), (9, asked[4]))
        self.assertEqual(len(set(asked)), 8)
        # It has ended: another start finds nothing left.
        self.tandem.kill()
        self.tandem.start()
        self.assertNotIn("done", progress())
        self.assertEqual(len(asked), 9)

    def test_a_probe_is_cancelled_and_stays_so_after_a_crash(self):
        gate, asked = threading.Event(), []

        def slow_from_the_second_on(connection, body, number):
            asked.append(body)
            if len(asked) > 1:
                gate.wait(20)
            reads_and_calls(connection, body, number)

        self.addCleanup(gate.set)
        self.one.script = slow_from_the_second_on
        progress = lambda: json.loads(self.tandem.request("/tandem/v1/probes/reader")[2])
        nothing = self.tandem.cli("probe", "reader", "--cancel")
        self.assertEqual(nothing.returncode, 5, nothing.stderr)
        self.assertIn("no probe of 'reader' is under way", nothing.stderr)
        self.assertEqual(self.tandem.cli("probe", "--cancel").returncode, 2)
        self.assertEqual(self.tandem.request("/tandem/v1/probes", {"model": "reader", "each": 1})[0], 200)
        until(lambda: len(asked) == 2 and progress()["done"] == 1, "the second question")
        done = self.tandem.cli("probe", "reader", "--cancel")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("ends after the question that is under way", done.stdout)
        # What was said to the owner holds after a crash: nothing more is asked.
        self.tandem.kill()
        self.tandem.start()
        until(lambda: progress().get("ended"), "the end of the probe")
        found = progress()
        self.assertEqual((found["ended"], found["running"], found["done"], found["of"]), ("it was cancelled", False, 1, 8))
        self.assertEqual(len(asked), 2)
        # The question under way is waited for, paid and kept; and the model can be probed again.
        asked.clear()
        self.assertEqual(self.tandem.request("/tandem/v1/probes", {"model": "reader", "each": 1})[0], 200)
        until(lambda: len(asked) == 2, "the second question")
        self.assertEqual(json.loads(self.tandem.request("/tandem/v1/probes/reader", method="DELETE")[2]), {"model": "reader", "cancelled": True})
        gate.set()
        until(lambda: not progress()["running"], "the end of the probe")
        found = progress()
        self.assertEqual((found["ended"], found["done"], len(asked)), ("it was cancelled", 2, 2))
        self.assertEqual(self.tandem.request("/tandem/v1/probes/reader", method="DELETE")[0], 404)

    def test_a_probe_of_a_model_that_is_gone_ends(self):
        gate = threading.Event()
        self.one.script = lambda c, b, n: (gate.wait(20), knows_nothing(c, b, n))[1]
        self.assertEqual(self.tandem.request("/tandem/v1/probes", {"model": "reader", "each": 1})[0], 200)
        self.tandem.kill()
        gate.set()
        lines = self.tandem.file.read_text().splitlines()
        self.tandem.file.write_text("\n".join(line for line in lines if not line.strip().startswith("reader:")))
        self.tandem.start()
        until(lambda: "ended early: there is no model 'reader'" in self.tandem.log_text(), "the end of the job")
        self.assertIn("no model was measured", self.tandem.cli("probe").stdout)

    def test_what_cannot_be_asked_is_no_wrong_answer(self):
        self.one.script = lambda c, b, n: c.sendall(http({"error": {"message": "out of order"}}, "500 No"))
        code, found = self.probe("reader")
        self.assertEqual((code, found["done"], found["running"]), (1, 3, False))
        self.assertIn("in a row", found["ended"])
        self.assertTrue(all("passed" not in r and r["note"] for r in found["results"]))
        self.assertNotIn("reader", [json.loads(l)["model"] for l in self.tandem.cli("learning", "export").stdout.splitlines()])

    def test_wrong_calls_say_what_to_do(self):
        for arguments, words in ((("raeder",), "did you mean 'reader'"), (("vectors",), "no answers that could be checked")):
            done = self.tandem.cli("probe", *arguments)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(words, done.stderr)
        self.assertEqual(self.tandem.cli("probe", "reader", "--each", "21").returncode, 2)
        for body, status in (({}, 400), ({"model": "reader", "each": 0}, 400), ({"model": "reader", "each": "x"}, 400), ({"model": "nobody"}, 404)):
            self.assertEqual(self.tandem.request("/tandem/v1/probes", body)[0], status, body)
        self.assertEqual(self.tandem.request("/tandem/v1/probes/nobody")[0], 404)
        self.assertIn("no model was measured", self.tandem.cli("probe").stdout)
        gate = threading.Event()
        self.one.script = lambda c, b, n: (gate.wait(10), knows_nothing(c, b, n))[1]
        self.assertEqual(self.tandem.request("/tandem/v1/probes", {"model": "reader", "each": 1})[0], 200)
        status, _, body = self.tandem.request("/tandem/v1/probes", {"model": "reader"})
        self.assertEqual(status, 503)
        self.assertIn(b"already", body)
        gate.set()


if __name__ == "__main__":
    unittest.main()
