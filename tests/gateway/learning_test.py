"""Feedback and what follows from it, from outside: decisions that move and say why, outcomes that survive kill -9, the cascade."""
import concurrent.futures
import json
import random
import sqlite3
import time
import unittest

from harness import ANSWER, DONE, SSE_HEAD, Tandem, Upstream, chunk, http, until

CONFIG = """providers:
  home: {home}
  far: {far}
models:
  small: {{ provider: home, context: 8192 }}
  big: {{ provider: far, context: 100000, price: {{ input: 1, output: 5 }} }}
policy: {{ {policy} }}
"""


def answer(text, finish="stop"):
    return {**ANSWER, "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}]}


def saying(text, finish="stop"):
    def script(connection, body, number):
        if json.loads(body).get("stream"):
            connection.sendall(SSE_HEAD + chunk(text) + chunk(finish=finish) + chunk(usage=ANSWER["usage"]) + DONE)
            return "close"
        connection.sendall(http(answer(text, finish)))
    return script


class Base(unittest.TestCase):
    def serve(self, policy="preset: hybrid", home=None, far=None, kind="openai", **more):
        self.home = Upstream(home)
        self.far = Upstream(far)
        self.tandem = Tandem(CONFIG.format(home=self.home.provider().replace("openai", kind, 1), far=self.far.provider("cloud"), policy=policy), **more)
        self.addCleanup(self.far.close)
        self.addCleanup(self.home.close)
        self.addCleanup(self.tandem.stop)
        return self.tandem

    def feedback(self, decision, outcome, headers=None, **more):
        status, _, body = self.tandem.request("/tandem/v1/feedback", {"decision": decision, "outcome": outcome, **more}, headers)
        return status, json.loads(body)

    def models(self):
        return {m["model"]: m for m in json.loads(self.tandem.request("/tandem/v1/learning")[2])["models"]}


class Learning(Base):
    def test_moves_one_class_of_work_and_explains_it(self):
        tandem = self.serve()
        moved = None
        for i in range(50):
            status, headers, _ = tandem.chat(f"Write a haiku about mountain number {i} in the old style")
            self.assertEqual(status, 200)
            if headers["x-tandem-model"] == "big":
                moved = moved or i
                self.assertEqual(self.feedback(headers["x-tandem-decision"], "good")[0], 200)
            else:
                self.assertEqual(self.feedback(headers["x-tandem-decision"], "bad")[0], 200)
            # Another class, which the small model is good at.
            _, headers, _ = tandem.chat(f"Convert {i} miles to kilometres, number only")
            if headers["x-tandem-model"] == "small":
                self.feedback(headers["x-tandem-decision"], "good")
        self.assertIsNotNone(moved)
        self.assertLess(moved, 50)
        _, headers, _ = tandem.chat("Write a haiku about mountain number 77 in the old style")
        self.assertEqual(headers["x-tandem-model"], "big")
        shown = tandem.explain(headers["x-tandem-decision"])
        self.assertTrue(shown["replay_is_same"])
        first, second = shown["decision"]["candidates"][:2]
        self.assertGreater(first["scores"]["quality"], second["scores"]["quality"] + 0.2)
        self.assertGreater(first["scores"]["utility"], second["scores"]["utility"])
        text = tandem.cli("explain", headers["x-tandem-decision"]).stdout
        self.assertIn("good with", text)
        _, headers, _ = tandem.chat("Convert 99 miles to kilometres, number only")
        self.assertEqual(headers["x-tandem-model"], "small")
        # What was learned is shown, exported and reset; after that it is as at the start.
        self.assertIn("small", tandem.cli("learning", "show").stdout)
        lines = [json.loads(l) for l in tandem.cli("learning", "export").stdout.splitlines()]
        self.assertGreaterEqual(len(lines), 50)
        self.assertNotIn("haiku", json.dumps(lines))
        self.assertEqual(tandem.cli("learning", "reset", "nosuch").returncode, 5)
        self.assertEqual(tandem.cli("learning", "reset").returncode, 0)
        _, headers, _ = tandem.chat("Write a haiku about mountain number 78 in the old style")
        self.assertEqual(headers["x-tandem-model"], "small")

    def test_survives_kill_and_loses_nothing_that_was_acknowledged(self):
        tandem = self.serve()
        acknowledged = []
        def one(i):
            try:
                _, headers, _ = tandem.chat(f"Question {i} about rivers")
                status, _ = self.feedback(headers["x-tandem-decision"], "bad")
                if status == 200:
                    acknowledged.append(headers["x-tandem-decision"])
            except OSError:
                pass
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            work = [pool.submit(one, i) for i in range(400)]
            until(lambda: len(acknowledged) > 60, "feedback")
            tandem.kill()
            for w in work:
                w.cancel()
        tandem.start()
        kept = {json.loads(l)["decision"] for l in tandem.cli("learning", "export").stdout.splitlines() if json.loads(l)["source"] == "feedback"}
        self.assertEqual(set(acknowledged) - kept, set())
        self.assertGreaterEqual(sum(m["outcomes"] for m in self.models().values()), len(acknowledged))

    def test_takes_the_last_word_of_a_key_and_counts_spam_less(self):
        tandem = self.serve()
        _, headers, _ = tandem.chat("Tell me of lakes")
        decision = headers["x-tandem-decision"]
        self.assertEqual(self.feedback(decision, "bad")[0], 200)
        self.assertEqual(self.feedback(decision, "good", comment="on second thought")[0], 200)
        lines = [json.loads(l) for l in tandem.cli("learning", "export").stdout.splitlines()]
        self.assertEqual([(l["outcome"], l.get("note")) for l in lines], [(1, "on second thought")])
        self.assertEqual(self.models()["small"]["outcomes"], 1)
        weights = [self.feedback(decision, "good")[1]["weight"] for _ in range(60)]
        self.assertEqual(weights[0], 1)
        self.assertLess(weights[-1], 0.3)

    def test_refuses_what_it_cannot_learn_from(self):
        tandem = self.serve()
        _, headers, _ = tandem.chat("Tell me of lakes")
        decision = headers["x-tandem-decision"]
        for body, status, word in [({"decision": decision, "outcome": "great"}, 400, "outcome"), ({"outcome": "good"}, 400, "decision"),
                                   ({"decision": decision, "outcome": 1.5}, 400, "outcome"), ({"decision": "dec_nothing", "outcome": 1}, 404, "dec_nothing"),
                                   ({"decision": decision, "outcome": True}, 400, "outcome"), ([1], 400, "decision")]:
            got, _, text = tandem.request("/tandem/v1/feedback", body)
            self.assertEqual(got, status, body)
            self.assertIn(word, text.decode())
        self.assertEqual(tandem.request("/tandem/v1/feedback", b"{")[0], 400)
        self.assertEqual(tandem.request("/tandem/v1/feedback")[0], 405)
        self.assertEqual(tandem.cli("feedback", decision, "sublime").returncode, 2)
        self.assertEqual(tandem.cli("feedback", "last", "good").returncode, 0)

    def test_takes_signs_for_what_they_are(self):
        tandem = self.serve(home=saying("The answer is four."))
        first = [{"role": "user", "content": "What is two and three?"}]
        tandem.chat(messages=first)
        tandem.chat(messages=first + [{"role": "assistant", "content": "The answer is four."}, {"role": "user", "content": "That's wrong, it is five."}])
        def sources():
            return {(l["source"], l["outcome"]) for l in map(json.loads, tandem.cli("learning", "export").stdout.splitlines())}
        until(lambda: ("disputed", 0) in sources(), "the sign")
        second = [{"role": "user", "content": "Name a river"}]
        tandem.chat(messages=second)
        tandem.chat(messages=second + [{"role": "assistant", "content": "The answer is four."}, {"role": "user", "content": "Thank you. And a lake?"}])
        until(lambda: ("continued", 1) in sources(), "the sign")
        tandem.chat(messages=second + [{"role": "assistant", "content": "The answer is four."}, {"role": "user", "content": "Thank you. And a lake?"}])
        until(lambda: ("regenerated", 0) in sources(), "the sign")
        tandem.chat("Give me JSON", response_format={"type": "json_object"})
        until(lambda: ("check", 0) in sources(), "the sign")

    def test_does_not_learn_where_it_shall_not(self):
        tandem = self.serve("preset: hybrid, objective: { learn: false }")
        _, headers, _ = tandem.chat("Tell me of lakes")
        self.assertEqual(self.feedback(headers["x-tandem-decision"], "bad")[0], 404)

    def test_secret_content_leaves_no_traits(self):
        tandem = self.serve()
        _, headers, _ = tandem.chat("Tell me of lakes", headers={"x-tandem-label": "secret"})
        self.assertEqual(self.feedback(headers["x-tandem-decision"], "bad")[0], 200)
        tandem.kill()
        with sqlite3.connect(tandem.folder / "data/ledger.db") as database:
            self.assertEqual(database.execute("SELECT length(traits) FROM outcomes").fetchall(), [(0,)])
        tandem.start()

    def test_feedback_on_an_answer_from_before_a_restart_counts_for_the_whole(self):
        tandem = self.serve()
        _, headers, _ = tandem.chat("Tell me of lakes")
        tandem.kill()
        tandem.start()
        self.assertEqual(self.feedback(headers["x-tandem-decision"], "bad")[0], 200)
        self.assertLess(self.models()["small"]["expected"], self.models()["small"]["prior"] - 0.03)

    def test_keys_judge_their_own_answers_only(self):
        self.tandem = Tandem(CONFIG.format(home=(up := Upstream()).provider(), far=up.provider("cloud"), policy="preset: hybrid")
                             + "keys:\n  a: { secret: aaaaaaaaaaaaaaaa }\n  b: { secret: bbbbbbbbbbbbbbbb }\n")
        self.addCleanup(up.close)
        self.addCleanup(self.tandem.stop)
        a, b = ({"authorization": f"Bearer {c * 16}"} for c in "ab")
        _, headers, _ = self.tandem.chat("Tell me of lakes", headers=a)
        self.assertEqual(self.feedback(headers["x-tandem-decision"], "bad", b)[0], 404)
        self.assertEqual(self.feedback(headers["x-tandem-decision"], "bad", a)[0], 200)
        self.assertEqual(self.tandem.request("/tandem/v1/learning", headers=a)[0], 403)


class Exploring(Base):
    def test_is_recorded_with_its_propensity_and_stops_where_it_must(self):
        tandem = self.serve("objective: { explore: 0.3 }, rules: [ { name: all, prefer: best } ]")
        explored = 0
        for i in range(60):
            _, headers, _ = tandem.chat(f"Tell me of lake {i}")
            shown = tandem.explain(headers["x-tandem-decision"])["decision"]
            self.assertEqual([c["propensity"] for c in shown["candidates"]], [0.3, 0.7] if shown.get("explored") else [0.7, 0.3])
            explored += shown.get("explored", False)
        self.assertTrue(4 < explored < 36, explored)
        for headers in ({"x-tandem-label": "internal"}, {"x-tandem-stakes": "high"}):
            for _ in range(15):
                _, answered, _ = tandem.chat("Tell me of lakes", headers=headers)
                shown = tandem.explain(answered["x-tandem-decision"])["decision"]
                self.assertNotIn("explored", shown)
                self.assertEqual(shown["candidates"][0]["propensity"], 1)


class Replay(Base):
    def test_says_what_another_policy_would_have_cost_and_how_good_it_would_have_been(self):
        tandem = self.serve("objective: { explore: 0.4 }, rules: [ { name: all, prefer: local, zone_bias: 0.5 } ]")
        for i in range(120):
            _, headers, _ = tandem.chat(f"Tell me of lake {i}")
            model = headers["x-tandem-model"]
            self.feedback(headers["x-tandem-decision"], "good" if model == "big" else "bad")
        policy = tandem.folder / "other.yaml"
        text = (tandem.folder / "tandem.yaml").read_text()
        policy.write_text(text.replace("prefer: local, zone_bias: 0.5", "prefer: cloud").replace("explore: 0.4", "explore: 0"))
        shown = json.loads(tandem.cli("replay", "--policy", str(policy), "--json").stdout)
        self.assertEqual((shown["decisions"], shown["refused"], shown["unread"]), (120, 0, 0))
        big = next(m for m in shown["models"] if m["model"] == "big")
        self.assertEqual(big["would"], 120)
        self.assertEqual(shown["moved"], 120 - big["answers"])
        # 7 tokens at 1 and 3 at 5 a million.
        self.assertEqual(shown["would_cost_micros"], 120 * 22)
        self.assertEqual(shown["cost_micros"], big["answers"] * 22)
        self.assertGreater(shown["quality"]["low"], 0.75)
        same = json.loads(tandem.cli("replay", "--policy", str(tandem.folder / "tandem.yaml"), "--json").stdout)
        self.assertEqual((same["moved"], same["would_cost_micros"]), (0, same["cost_micros"]))
        self.assertIn("quality", tandem.cli("replay", "--policy", str(policy)).stdout)
        self.assertNotEqual(tandem.cli("replay", "--policy", "nosuch.yaml").returncode, 0)
        policy.write_text("models: 5")
        self.assertNotEqual(tandem.cli("replay", "--policy", str(policy)).returncode, 0)

    def test_warns_where_nothing_was_tried(self):
        tandem = self.serve("preset: local-first")
        for i in range(40):
            _, headers, _ = tandem.chat(f"Tell me of lake {i}")
            self.feedback(headers["x-tandem-decision"], "good")
        policy = tandem.folder / "other.yaml"
        policy.write_text((tandem.folder / "tandem.yaml").read_text().replace("local-first", "cloud-first"))
        self.assertIn("BEWARE", tandem.cli("replay", "--policy", str(policy)).stdout)


class Meaning(Base):
    def test_tells_classes_of_work_apart_that_no_word_does(self):
        words = ["amber", "birch", "cedar", "dune", "ember", "fjord", "grove", "heath", "islet", "jetty"]
        def script(connection, body, number):
            asked = json.loads(body)
            if "input" not in asked:
                return saying("An answer.")(connection, body, number)
            # Which words come first is all that tells them apart.
            first, second = (words.index(w) for w in asked["input"].split()[:2])
            vector = [1, 0.2, first / 50] if first < second else [-0.2, 1, second / 50]
            connection.sendall(http({"object": "list", "model": "e", "data": [{"object": "embedding", "index": 0, "embedding": vector}], "usage": {"prompt_tokens": 3, "total_tokens": 3}}))
        self.home, self.far = Upstream(script), Upstream(saying("A good answer."))
        self.addCleanup(self.far.close)
        self.addCleanup(self.home.close)
        config = CONFIG.format(home=self.home.provider(), far=self.far.provider("cloud"), policy="preset: hybrid, objective: { embedding: e }")
        self.tandem = tandem = Tandem(config.replace("models:\n", "models:\n  e: { provider: home, capabilities: [embeddings] }\n", 1))
        self.addCleanup(tandem.stop)
        pairs = [(a, b) for a in range(10) for b in range(10) if a != b]
        random.Random(7).shuffle(pairs)
        def best(a, b):
            return "big" if a < b else "small"
        for a, b in pairs[30:]:
            _, headers, _ = tandem.chat(f"{words[a]} {words[b]}")
            outcome = "good" if headers["x-tandem-model"] == best(a, b) else "bad"
            self.assertEqual(self.feedback(headers["x-tandem-decision"], outcome)[0], 200)
        right = sum(tandem.chat(f"{words[a]} {words[b]}")[1]["x-tandem-model"] == best(a, b) for a, b in pairs[:30])
        self.assertGreaterEqual(right, 27)
        self.assertTrue(tandem.explain()["replay_is_same"])
        self.assertIn("learning", tandem.cli("cost", "--by", "key").stdout)
        # Nothing of what is secret is looked at, and a model that does not answer is no reason not to.
        embedded = sum(b"input" in body for _, body in self.home.requests)
        tandem.chat("amber birch", headers={"x-tandem-label": "secret"})
        self.assertEqual(sum(b"input" in body for _, body in self.home.requests), embedded)
        self.home.script = lambda c, b, n: c.sendall(http({"error": {"message": "no"}}, "500 No")) if b"input" in b else saying("An answer.")(c, b, n)
        status, headers, _ = tandem.chat("birch cedar")
        self.assertEqual(status, 200)
        self.assertIn("what it means was not looked at", headers["x-tandem-warnings"])


class Cascade(Base):
    POLICY = "rules: [ { name: all, prefer: local, cascade: true } ]"

    def test_asks_elsewhere_before_the_client_saw_a_byte(self):
        faults = {"empty": saying(""), "loop": saying("and so on " * 60), "cut": saying("It begins", "length"),
                  "refused": saying("I'm sorry, but I can't help with that.")}
        for fault, script in faults.items():
            for stream in (False, True):
                with self.subTest(fault=fault, stream=stream):
                    tandem = self.serve(self.POLICY, home=script, far=saying("A good answer."))
                    status, headers, body = tandem.chat("Tell me of lakes", stream=stream)
                    self.assertEqual((status, headers["x-tandem-model"]), (200, "big"))
                    self.assertIn(b"A good answer.", body)
                    self.assertNotIn(b"and so on", body)
                    self.assertIn(fault, headers["x-tandem-warnings"])
                    shown = tandem.explain(headers["x-tandem-decision"])
                    self.assertEqual([a["outcome"] for a in shown["attempts"]], ["escalated", "answered"])

    def test_leaves_a_good_answer_and_private_content_at_home(self):
        tandem = self.serve(self.POLICY, home=saying("A lake is still water."))
        for stream in (False, True):
            status, headers, body = tandem.chat("Tell me of lakes", stream=stream)
            self.assertEqual(headers["x-tandem-model"], "small")
            self.assertIn(b"still water", body)
        self.home.script = saying("")
        status, headers, _ = tandem.chat("Tell me of lakes", headers={"x-tandem-label": "private"})
        self.assertEqual(len(self.far.requests), 0)

    def test_asks_the_model_twice_where_the_owner_wants_to_know_whether_it_means_it(self):
        said = iter(["There are 17 lakes.", "I count 42 of them.", "There are 17 lakes.", "There are 17 lakes.", "There are 3 lakes.", "About 99 of them."] * 2)
        def wavering(connection, body, number):
            saying(next(said))(connection, body, number)
            return "close"
        tandem = self.serve("rules: [ { name: all, prefer: local, cascade: { agree: 0.5 } } ]", home=wavering, far=saying("A good answer."))
        for stream in (False, True):
            text = f"How many lakes are there, {stream}?"  # each its own: the label below stays with the conversation
            before = len(self.home.requests)
            status, headers, body = tandem.chat(text, stream=stream)
            self.assertEqual((status, headers["x-tandem-model"]), (200, "big"), body)
            self.assertRegex(headers["x-tandem-warnings"], r"a second answer of it agrees with 0\.\d+ only \(dec_")
            self.assertNotIn(b"17", body)
            status, headers, body = tandem.chat(text, stream=stream)
            self.assertEqual((status, headers["x-tandem-model"]), (200, "small"), body)
            self.assertIn(b"17 lakes", body)
            # What would be the same again is not asked again; nor where nobody else may be asked.
            tandem.chat(text, stream=stream, temperature=0)
            tandem.chat(text, stream=stream, headers={"x-tandem-label": "private"})
            self.assertEqual(len(self.home.requests) - before, 6)
        sample = json.loads(self.home.requests[1][1])
        self.assertEqual((sample.get("max_tokens") or sample.get("max_completion_tokens"), sample.get("stream")), (64, False if "stream" in sample else None))

    def weighing(self, log_of):
        """Of a llama-server whose tokens are as likely as log_of(question) says, where it is asked for that."""
        def script(connection, body, number):
            asked = json.loads(body)
            whole = answer("There are seven.")
            log = {"content": [{"token": "There", "logprob": log_of(asked["messages"][-1]["content"]), "bytes": None, "top_logprobs": []}], "refusal": None}
            if asked.get("stream"):
                one = json.loads(chunk("There are seven.")[6:])
                if asked.get("logprobs"):
                    one["choices"][0]["logprobs"] = log
                connection.sendall(SSE_HEAD + b"data: " + json.dumps(one).encode() + b"\n\n" + chunk(finish="stop") + chunk(usage=ANSWER["usage"]) + DONE)
                return "close"
            if asked.get("logprobs"):
                whole["choices"][0]["logprobs"] = log
            connection.sendall(http(whole))
        return script

    def test_asks_how_sure_the_model_was_and_keeps_that_to_itself(self):
        tandem = self.serve("rules: [ { name: all, prefer: local, cascade: { sure: 0.5 } } ]", kind="llama-server",
                            home=self.weighing(lambda q: -2 if "doubt" in q else -0.1), far=saying("A good answer."))
        last = lambda: json.loads(self.home.requests[-1][1])
        for stream in (False, True):
            for path, more in (("/v1/chat/completions", {}), ("/v1/messages", {"max_tokens": 50})):
                with self.subTest(path, stream=stream):
                    ask = lambda text: tandem.request(path, {"model": "auto", "messages": [{"role": "user", "content": text}], "stream": stream, **more})
                    status, headers, body = ask("How many lakes?")
                    self.assertEqual((status, headers["x-tandem-model"]), (200, "small"), body)
                    self.assertEqual((last().get("logprobs"), last().get("top_logprobs")), (True, 1))
                    self.assertIn(b"seven", body)
                    self.assertNotIn(b'"logprob"', body)
                    status, headers, body = ask("How many lakes? No doubt.")
                    self.assertEqual((status, headers["x-tandem-model"]), (200, "big"), body)
                    self.assertIn("its words had a mean probability of 0.14, and rule", headers["x-tandem-warnings"])
            # Who asks for them gets them.
            status, headers, body = tandem.chat("How many lakes?", stream=stream, logprobs=True, top_logprobs=3)
            self.assertEqual((status, headers["x-tandem-model"], last()["top_logprobs"]), (200, "small", 3))
            self.assertIn(b'"logprob"', body)
            # llama-server refuses them beside tools in a stream.
            tandem.chat("How many lakes?", stream=stream, tools=[{"type": "function", "function": {"name": "count", "parameters": {"type": "object", "properties": {}}}}])
            self.assertNotIn("logprobs", last())

    def test_learns_how_sure_is_sure_enough(self):
        tandem = self.serve(self.POLICY, kind="llama-server", home=self.weighing(lambda q: -1.5 if int(q.split()[2]) % 2 else -0.05), far=saying("A good answer."))
        for i in range(50):
            _, headers, _ = tandem.chat(f"What is {i} here?")
            if headers["x-tandem-model"] == "small":
                self.feedback(headers["x-tandem-decision"], "bad" if i % 2 else "good")
        _, headers, _ = tandem.chat("What is 101 here?")
        self.assertEqual(headers["x-tandem-model"], "big")
        self.assertIn("by what was learned", headers["x-tandem-warnings"])
        self.assertEqual(tandem.chat("What is 102 here?")[1]["x-tandem-model"], "small")

    def test_learns_when_an_answer_is_not_good_enough(self):
        def by_topic(connection, body, number):
            text = json.loads(body)["messages"][-1]["content"]
            connection.sendall(http(answer("Perhaps, maybe, I think it could be seven." if "sum" in text else "Paris, France.")))
        tandem = self.serve(self.POLICY, home=by_topic, far=saying("A good answer."))
        for i in range(25):
            for text, outcome in ((f"What is the sum of {i} and 4?", "bad"), (f"Capital number {i} of Europe?", "good")):
                _, headers, _ = tandem.chat(text)
                if headers["x-tandem-model"] == "small":
                    self.feedback(headers["x-tandem-decision"], outcome)
        _, headers, _ = tandem.chat("What is the sum of 99 and 4?")
        self.assertEqual(headers["x-tandem-model"], "big")
        self.assertIn("by what was learned", headers["x-tandem-warnings"])
        _, headers, _ = tandem.chat("Capital number 99 of Europe?")
        self.assertEqual(headers["x-tandem-model"], "small", headers["x-tandem-warnings"])
        # Where nobody else answers, it is given all the same.
        self.far.script = lambda connection, body, number: connection.sendall(http({"error": {"message": "down"}}, "500 Internal Server Error"))
        for stream in (False, True):
            status, headers, body = tandem.chat("What is the sum of 98 and 4?", stream=stream)
            self.assertEqual((status, headers["x-tandem-model"]), (200, "small"))
            self.assertIn(b"Perhaps, maybe", body)
            self.assertIn("nobody else answered", headers["x-tandem-warnings"])


class Cache(Base):
    def test_gives_the_same_answer_again_and_says_so(self):
        number = [0]
        def counting(connection, body, n):
            number[0] += 1
            saying(f"Answer {number[0]}.")(connection, body, n)
            return "close"
        self.home = Upstream(counting)
        self.tandem = tandem = Tandem(CONFIG.format(home=self.home.provider(), far=self.home.provider("cloud"), policy="preset: local-first")
                                      + "cache: { ttl: 2s }\nkeys:\n  a: { secret: aaaaaaaaaaaaaaaa }\n  b: { secret: bbbbbbbbbbbbbbbb }\n")
        self.addCleanup(self.home.close)
        self.addCleanup(tandem.stop)
        a, b = ({"authorization": f"Bearer {c * 16}"} for c in "ab")
        for stream in (False, True):
            text = f"Tell me of lakes, {stream}"  # each its own: the labels below stay with the conversation
            first = tandem.chat(text, headers=a, stream=stream)
            again = tandem.chat(text, headers=a, stream=stream)
            self.assertEqual((first[0], again[0]), (200, 200))
            self.assertEqual(first[2], again[2])
            self.assertIsNone(first[1]["x-tandem-cache"])
            self.assertTrue(again[1]["x-tandem-cache"].startswith("hit"))
            self.assertEqual(first[1]["content-type"], again[1]["content-type"])
            shown = json.loads(tandem.request("/tandem/v1/decisions/" + again[1]["x-tandem-decision"], headers=a)[2])
            self.assertEqual([(x["outcome"], x["cost_micros"]) for x in shown["attempts"]], [("cached", 0)])
            for other in (dict(headers=b), dict(headers={**a, "x-tandem-label": "internal"}), dict(headers={**a, "x-tandem-cache": "no"}),
                          dict(headers={**a, "cache-control": "no-cache"}), dict(headers=a, temperature=0.5), dict(headers={**a, "x-tandem-label": "secret"})):
                self.assertIsNone(tandem.chat(text, stream=stream, **other)[1]["x-tandem-cache"], other)
        tandem.chat("Tell me of rivers", headers=a)
        time.sleep(2.1)
        self.assertIsNone(tandem.chat("Tell me of rivers", headers=a)[1]["x-tandem-cache"])

    def test_gives_it_to_a_question_that_means_nearly_the_same(self):
        embedded = []
        def script(connection, body, number):
            asked = json.loads(body)
            if "input" not in asked:
                return saying(f"Answer {len(self.home.requests)}.")(connection, body, number)
            embedded.append(asked["input"])
            # Questions of distances are near each other, all else is far from them.
            vector = [1, 0.05 * len(asked["input"]) / 100, 0] if "mile" in asked["input"] else [0, 0, 1]
            connection.sendall(http({"object": "list", "model": "e", "data": [{"object": "embedding", "index": 0, "embedding": vector}], "usage": {"prompt_tokens": 3, "total_tokens": 3}}))
        self.home = Upstream(script)
        self.addCleanup(self.home.close)
        self.tandem = tandem = Tandem(CONFIG.format(home=self.home.provider(), far=self.home.provider("cloud"), policy="preset: local-first")
                                      .replace("models:\n", "models:\n  e: { provider: far, capabilities: [embeddings] }\n", 1) + "cache: { ttl: 60s, similar: { model: e } }\n")
        self.addCleanup(tandem.stop)
        first = tandem.chat("How far is a mile?")
        again = tandem.chat("What is the length of a mile?")
        self.assertEqual((first[0], again[0], first[2]), (200, 200, again[2]), again[2])
        self.assertRegex(again[1]["x-tandem-cache"], r"similar; nearness=(0\.99\d|1\.000); age=\d")
        self.assertIn("means nearly the same", again[1]["x-tandem-warnings"])
        self.assertTrue(tandem.chat("How far is a mile?")[1]["x-tandem-cache"].startswith("hit"))
        for text, more in (("How far are 5 miles?", {}), ("How far is a lake?", {}), ("How far is no mile?", {}), ("What is a mile?", {"temperature": 0.5}),
                           ("What is a mile?", {"headers": {"x-tandem-label": "internal"}})):
            self.assertIsNone(tandem.chat(text, **more)[1]["x-tandem-cache"], text)
        # What the embedding's provider may not see is not looked up, and that is said.
        before = len(embedded)
        status, headers, _ = tandem.chat("Is a mile my private matter?", headers={"x-tandem-label": "private"})
        self.assertEqual((status, headers["x-tandem-cache"], len(embedded)), (200, None, before))
        self.assertIn("was not asked for similar", headers["x-tandem-warnings"])

    def test_is_off_unless_asked_for(self):
        tandem = self.serve()
        for _ in range(2):
            self.assertIsNone(tandem.chat("Tell me of lakes")[1]["x-tandem-cache"])
        self.assertEqual(len(self.home.requests), 2)


if __name__ == "__main__":
    unittest.main()
