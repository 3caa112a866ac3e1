"""Experiments from outside: who gets which model, what is asked besides, what is found, and what is not let out."""
import json
import random
import threading
import unittest

from harness import ANSWER, Tandem, Upstream, http, until


def says(text, wait=0, cost=3):
    def script(connection, body, number):
        connection.sendall(http({**ANSWER, "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
                                 "usage": {"prompt_tokens": 7, "completion_tokens": cost, "total_tokens": 7 + cost}}))
    return script


def judges(prefers):
    """Says which of the two answers has `prefers` in it."""
    def script(connection, body, number):
        text = json.loads(body)["messages"][-1]["content"]
        first = text.split('<answer number="1">')[1].split("</answer>")[0]
        second = text.split('<answer number="2">')[1].split("</answer>")[0]
        says("tie" if (prefers in first) == (prefers in second) else "1" if prefers in first else "Answer 2.")(connection, body, number)
    return script


class Experiments(unittest.TestCase):
    def start(self, old, new, judge=None, zone="cloud", extra=""):
        self.old, self.new, self.judge = Upstream(old), Upstream(new), Upstream(judge or judges("better"))
        for upstream in (self.old, self.new, self.judge):
            self.addCleanup(upstream.close)
        self.tandem = Tandem(f"providers:\n  o: {self.old.provider()}\n  n: {self.new.provider(zone)}\n  j: {self.judge.provider()}\n"
                             "models:\n  old: { provider: o, price: { input: 1, output: 1 } }\n  new: { provider: n, price: { input: 1, output: 1 } }\n  wise: { provider: j, capabilities: [chat] }\n"
                             f"aliases: {{ both: [old, new] }}\npolicy: {{ preset: local-first }}\n{extra}")
        self.addCleanup(self.tandem.stop)

    def begin(self, name="e", *more, kind="ab"):
        done = self.tandem.cli("experiment", "start", name, "--kind", kind, "--control", "old", "--treatment", "new", "--alias", "both", *more)
        self.assertEqual(done.returncode, 0, done.stderr)

    def status(self, name="e"):
        done = self.tandem.cli("experiment", "status", name, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def ask(self, text, **more):
        status, headers, body = self.tandem.chat(text, model="both", **more)
        self.assertEqual(status, 200, body)
        return headers

    def feedback(self, headers, outcome):
        status, _, body = self.tandem.request("/tandem/v1/feedback", {"decision": headers["x-tandem-decision"], "outcome": outcome})
        self.assertEqual(status, 200, body)

    def test_a_conversation_stays_where_it_is_and_feedback_tells_which_is_better(self):
        self.start(says("old answer"), says("new answer"))
        self.begin("e", "--minimum", "20")
        chance, first = random.Random(4), {}
        for i in range(120):
            headers = self.ask(f"question {i}")
            first[i] = headers["x-tandem-model"]
            self.feedback(headers, "good" if chance.random() < (0.9 if first[i] == "new" else 0.3) else "bad")
            if i == 10:
                early = self.status()
                self.assertFalse(early["enough"])
                self.assertIn("too early", early["verdict"])
        self.assertGreater(list(first.values()).count("new"), 35)
        self.assertGreater(list(first.values()).count("old"), 35)
        for i in range(0, 20):
            turns = [{"role": "user", "content": f"question {i}"}, {"role": "assistant", "content": "an answer"}, {"role": "user", "content": "and then?"}]
            self.assertEqual(self.ask("", messages=turns)["x-tandem-model"], first[i])
        found = self.status()
        self.assertEqual((found["better"], found["enough"]), ("new", True), found)
        self.assertGreater(found["effect"]["low"], 0)
        self.assertIn("new is better by feedback", found["verdict"])
        # The decision is explained, and can be made again.
        shown = self.tandem.explain()
        self.assertEqual(shown["decision"]["experiment"], "e")
        self.assertIn("the experiment e gives this conversation", self.tandem.cli("explain", "last").stdout)
        self.assertTrue(shown["replay_is_same"])
        # Applied, it holds after a restart; stopped, it is as before.
        done = self.tandem.cli("experiment", "apply", "e")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.tandem.process.terminate()
        self.tandem.process.wait(30)
        self.tandem.start()
        self.assertEqual({self.ask(f"later {i}")["x-tandem-model"] for i in range(12)}, {"new"})
        self.assertEqual(self.tandem.cli("experiment", "stop", "e").returncode, 0)
        self.assertEqual({self.ask(f"last {i}")["x-tandem-model"] for i in range(12)}, {"old"})

    def test_no_difference_is_said_plainly_and_not_applied(self):
        self.start(says("an answer"), says("an answer"))
        self.begin("e", "--minimum", "15", "--metric", "checks")
        for i in range(80):
            self.ask(f"question {i}")
        found = self.status()
        self.assertTrue(found["enough"], found)
        self.assertNotIn("better", found)
        self.assertIn("no difference found in checks", found["verdict"])
        refused = self.tandem.cli("experiment", "apply", "e")
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("no difference found", refused.stderr)
        self.assertEqual(self.tandem.cli("experiment", "apply", "e", "--arm", "treatment").returncode, 0)

    def test_a_shadow_is_asked_and_nobody_sees_it(self):
        self.start(says("old answer"), says("better answer", cost=30))
        self.begin("e", "--share", "1", "--metric", "cost", "--minimum", "10", kind="shadow")
        for i in range(14):
            status, headers, body = self.tandem.chat(f"question {i}", model="both")
            self.assertEqual((headers["x-tandem-model"], json.loads(body)["choices"][0]["message"]["content"]), ("old", "old answer"))
            until(lambda: len(self.new.requests) == i + 1, "the shadow")
        found = until(lambda: (s := self.status())["control"]["count"] == 14 and s, "all to be compared")
        self.assertEqual(found["better"], "old", found)
        # Its attempts are in the ledger, under the experiment's own key, and what left is in the egress record.
        self.assertIn("experiment:e", self.tandem.cli("cost", "--by", "key").stdout)
        self.assertEqual(len(self.tandem.egress()), 14)
        self.assertEqual(self.tandem.cli("audit", "verify").returncode, 0)

    def test_a_shadow_of_what_is_private_stays_home(self):
        self.start(says("old answer"), says("better answer"))
        self.begin("e", "--share", "1", kind="shadow")
        self.begin("p", "--judge", "wise", kind="pairs")
        for text, headers in (("my card is 4111 1111 1111 1111", {}), ("hello", {"x-tandem-label": "private"})):
            self.assertEqual(self.ask(text, headers=headers)["x-tandem-model"], "old")
        until(lambda: self.status("e")["trials"] == 2, "the trials")
        self.ask("a public one")
        until(lambda: len(self.new.requests) >= 1, "what may leave")
        self.assertNotIn(b"4111", self.new.raw)
        self.assertNotIn(b'"hello"', self.new.raw)

    def test_what_a_budget_does_not_cover_is_not_asked_besides(self):
        self.start(says("old answer"), says("better answer", cost=1000))
        self.begin("e", "--share", "1", "--metric", "cost", "--budget", "0.0062", kind="shadow")  # room for one answer of 4,096 tokens
        for i in range(6):
            self.ask(f"question {i}")
            until(lambda: self.status()["trials"] == i + 1, "the trial")
        until(lambda: "experiment:e" in self.tandem.cli("cost", "--by", "key").stdout, "the bill")
        self.assertLess(len(self.new.requests), 4)

    def test_a_judge_compares_pairs_in_both_orders_and_with_the_owner(self):
        self.start(says("a plain answer"), says("a better answer"))
        self.begin("e", "--judge", "wise", "--minimum", "10", kind="pairs")
        for i in range(16):
            self.ask(f"question {i}")
            until(lambda: len(self.judge.requests) == 2 * (i + 1), "both orders")
        found = until(lambda: (s := self.status())["judge"]["wins"] == 16 and s, "the verdicts")
        self.assertEqual(found["better"], "new", found)
        bodies = [json.loads(b)["messages"][-1]["content"] for _, b in self.judge.requests]
        self.assertEqual(sum(b.index("plain") < b.index("better answer") for b in bodies), 16, "half of them each way")
        pairs = json.loads(self.tandem.cli("experiment", "pairs", "e", "--json").stdout)["pairs"]
        self.assertEqual(len(pairs), 16)
        firsts = ["better" in p["answer_1"] for p in pairs]
        self.assertTrue(any(firsts) and not all(firsts), "the order says nothing")
        for i, pair in enumerate(pairs):
            better = "1" if "better" in pair["answer_1"] else "2"
            self.assertEqual(self.tandem.cli("experiment", "vote", "e", str(pair["number"]), better if i else "tie").returncode, 0)
        found = self.status()
        self.assertEqual(found["judge"]["votes"], 16)
        self.assertIn("kappa", found["judge"])
        # The router has learned from it too.
        self.assertIn("judge", self.tandem.cli("learning", "export").stdout)

    def test_a_judge_that_goes_by_the_position_has_no_preference(self):
        self.start(says("a plain answer"), says("a better answer"), says("1"))
        self.begin("e", "--judge", "wise", "--minimum", "10", kind="pairs")
        for i in range(12):
            self.ask(f"question {i}")
            until(lambda: len(self.judge.requests) == 2 * (i + 1), "both orders")
        found = until(lambda: (s := self.status())["judge"]["ties"] == 12 and s, "the verdicts")
        self.assertNotIn("better", found)
        self.assertIn("no difference found in judge", found["verdict"])

    def test_one_of_the_config_and_what_is_wrong_with_one(self):
        self.start(says("x"), says("y"), extra="experiments: { mine: { control: old, treatment: new, aliases: [both], minimum: 10 } }\n")
        models = {self.ask(f"question {i}")["x-tandem-model"] for i in range(30)}
        self.assertEqual(models, {"old", "new"})
        self.assertIn("mine (ab, running)", self.tandem.cli("experiment", "status").stdout)
        for arguments, said in ((["--treatment", "nwe"], "did you mean"), (["--treatment", "old"], "nothing to compare"),
                                (["--treatment", "new", "--metric", "judge"], "kind: pairs"), (["--treatment", "new", "--kind", "pairs"], "judge: gpt"),
                                (["--treatment", "new", "--share", "7"], "share")):
            done = self.tandem.cli("experiment", "start", "x", "--control", "old", *arguments)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(said, done.stderr)
        self.assertIn("did you mean", self.tandem.cli("experiment", "stop", "mien").stderr)

    def test_clients_cannot_touch_them(self):
        self.start(says("x"), says("y"), extra="keys: { k: { secret: client-key-0123456789 } }\n")
        status, _, _ = self.tandem.request("/tandem/v1/experiments", {"name": "e", "control": "old", "treatment": "new"}, {"authorization": "Bearer client-key-0123456789"})
        self.assertEqual(status, 403)


if __name__ == "__main__":
    unittest.main()
