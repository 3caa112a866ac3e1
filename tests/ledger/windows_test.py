"""Budgets of keys, teams, providers and the whole system, all at once, and what becomes of a request that they have no room for.
Providers here are scripted, of every dialect, slow and quick, and some fail; what they served they count themselves."""
import json
import os
import random
import sqlite3
import threading
import time
import unittest

from harness import Tandem, Upstream, http, until
from strict import DIALECTS, StrictUpstream

FRONTS = ("openai-chat", "openai-responses", "anthropic", "ollama", "gemini")
KEYS = ("alice", "bob", "carol")
LIMIT = 1500  # micro-units, of the tightest budget
ROUNDS = int(os.environ.get("TANDEM_KILLS", "4"))
REQUESTS = int(os.environ.get("TANDEM_REQUESTS", "240"))
BILL = 57 * 1 + 13 * 10  # micro-units for an answer, of the usage that every scripted provider tells (strict.py)


def bearer(name):
    return {"authorization": f"Bearer {name}-0123456789abcdef"}


def question(front, model, stream):
    path = {"openai-chat": "/v1/chat/completions", "openai-responses": "/v1/responses", "anthropic": "/v1/messages", "ollama": "/api/chat",
            "gemini": f"/v1beta/models/{model}:" + ("streamGenerateContent?alt=sse" if stream else "generateContent")}[front]
    if front == "gemini":
        return path, {"contents": [{"role": "user", "parts": [{"text": "tell me"}]}], "generationConfig": {"maxOutputTokens": 20}}
    if front == "openai-responses":
        return path, {"model": model, "input": "tell me", "stream": stream, "max_output_tokens": 20}
    body = {"model": model, "messages": [{"role": "user", "content": "tell me"}], "stream": stream}
    return path, {**body, **({"options": {"num_predict": 20}} if front == "ollama" else {"max_tokens": 20})}


class Windows(unittest.TestCase):
    def start(self, config, **upstreams):
        tandem = Tandem(config)
        self.addCleanup(tandem.stop)
        return tandem

    def mixed(self):
        """Five providers, one of each dialect; their answers wait for up to 0.2 s, and one in ten fails. The first answer of each waits
        until a storm has begun, and does not fail."""
        self.upstreams, self.answered, self.storming = {}, {}, threading.Event()
        providers, models = [], []
        for dialect in DIALECTS:
            upstream = StrictUpstream(dialect)
            good = upstream.script
            dice = random.Random(dialect)
            lock = threading.Lock()
            name = dialect.replace("-", "")
            def script(connection, body, number, good=good, dice=dice, lock=lock, name=name):
                with lock:
                    wait, fails = dice.random() * 0.2, dice.random() < 0.1
                if number == 1:
                    self.storming.wait(30)
                time.sleep(wait)
                if fails and number > 1:
                    connection.sendall(http({"error": {"message": "overloaded", "type": "server_error"}}, status="500 Oh"))
                    return None
                with lock:
                    self.answered[name] = self.answered.get(name, 0) + 1
                return good(connection, body, number)
            upstream.script = script
            self.upstreams[name] = upstream
            self.addCleanup(upstream.close)
            providers.append(f"  {name}: {upstream.provider('cloud')}")
            models.append(f"  m-{name}: {{ provider: {name}, name: scripted, context: 32768, price: {{ input: 1, output: 10 }} }}")
        return "providers:\n" + "\n".join(providers) + "\nmodels:\n" + "\n".join(models) + "\n", [m.split(":")[0].strip() for m in models]

    def storm(self, tandem, models, count, seed, leave=True):
        dice = random.Random(seed)
        plan = [(dice.choice(FRONTS), dice.choice(models), dice.random() < 0.5, dice.choice(KEYS), dice.random() < 0.1) for _ in range(count)]
        statuses = []
        def one(front, model, stream, key, leaves):
            path, body = question(front, model, stream)
            try:
                statuses.append(tandem.request(path, body, bearer(key), timeout=0.05 if leaves and leave else 60)[0])
            except Exception as error:  # a client that left, or a server that was killed
                statuses.append(type(error).__name__)
        threads = [threading.Thread(target=one, args=p) for p in plan]
        for thread in threads:
            thread.start()
        self.storming.set()
        return threads, statuses

    def sums(self, tandem):
        """What the ledger's attempts came to, by key, by provider and in all."""
        with sqlite3.connect(f"file:{tandem.folder}/data/ledger.db?mode=ro", uri=True) as database:
            rows = database.execute("SELECT key, provider, cost FROM attempts").fetchall()
        keys, providers = {}, {}
        for key, provider, cost in rows:
            keys[key] = keys.get(key, 0) + cost
            providers[provider] = providers.get(provider, 0) + cost
        return keys, providers, sum(row[2] for row in rows)

    def windows(self, tandem):
        with sqlite3.connect(f"file:{tandem.folder}/data/ledger.db?mode=ro", uri=True) as database:
            return {counter: cost for counter, cost in database.execute("SELECT counter, sum(cost) FROM budget_windows GROUP BY counter")}

    BUDGETS = ("teams: { lab: { budgets: [{ limit: 0.0025, window: week }] } }\n"
               "keys:\n  alice: { secret: alice-0123456789abcdef, team: lab, budgets: [{ limit: 0.0015 }] }\n"
               "  bob: { secret: bob-0123456789abcdef, team: lab, budgets: [{ limit: 0.002 }] }\n"
               "  carol: { secret: carol-0123456789abcdef }\n"
               "budgets:\n  - { limit: 0.004, window: month }\n  - { limit: 0.001, of: { provider: anthropic } }\n  - { limit: 0.0015, of: { key: carol }, rolling: 1h }\n"
               "time_zone: Europe/Berlin\n")

    def check(self, tandem):
        keys, providers, total = self.sums(tandem)
        # Where a maximum is set and kept to, no reservation is passed.
        self.assertLessEqual(keys.get("alice", 0), 1500)
        self.assertLessEqual(keys.get("bob", 0), 2000)
        self.assertLessEqual(keys.get("carol", 0), 1500)
        self.assertLessEqual(keys.get("alice", 0) + keys.get("bob", 0), 2500)
        self.assertLessEqual(providers.get("anthropic", 0), 1000)
        self.assertLessEqual(total, 4000)
        rows = self.windows(tandem)
        self.assertEqual(rows["key=alice;|day Europe/Berlin"], keys.get("alice", 0))
        self.assertEqual(rows["team=lab;|week Europe/Berlin 1"], keys.get("alice", 0) + keys.get("bob", 0))
        self.assertEqual(rows["provider=anthropic;|day Europe/Berlin"], providers.get("anthropic", 0))
        self.assertEqual(rows["|month Europe/Berlin"], total)
        self.compare_with_providers(tandem)
        return total

    def compare_with_providers(self, tandem):
        """What the ledger has against what the providers themselves counted."""
        with sqlite3.connect(f"file:{tandem.folder}/data/ledger.db?mode=ro", uri=True) as database:
            rows = database.execute("SELECT provider, outcome, cost FROM attempts WHERE outcome <> 'skipped'").fetchall()
        for name, upstream in self.upstreams.items():
            costs = {}
            for provider, outcome, cost in rows:
                if provider == name:
                    costs.setdefault(outcome, []).append(cost)
            self.assertEqual(set(costs.get("answered", [])) - {BILL}, set(), name)
            self.assertLessEqual(len(costs.get("answered", [])), self.answered.get(name, 0))
            # An attempt is on record before it is sent, so nothing that a provider did is on nobody's bill.
            self.assertGreaterEqual(sum(map(len, costs.values())), len(upstream.requests))
            self.assertGreaterEqual(sum(map(sum, costs.values())), BILL * self.answered.get(name, 0))

    def test_nested_budgets_hold_for_every_dialect_at_once(self):
        config, models = self.mixed()
        tandem = self.start(config + self.BUDGETS)
        # The budgets have room for about twenty answers, so the storm alone would leave out a dialect now and then: one request to each
        # dialect is under way when the storm begins.
        early = []
        first = [threading.Thread(target=lambda asked: early.append(tandem.request(*asked, bearer("carol"), timeout=60)[0]),
                                  args=(question("openai-chat", model, stream=False),)) for model in models]
        [t.start() for t in first]
        until(lambda: all(upstream.requests for upstream in self.upstreams.values()), "each dialect to be asked")
        self.assertEqual(early, [])  # all of them are open
        threads, statuses = self.storm(tandem, models, REQUESTS, seed=1)
        [t.join() for t in first + threads]
        self.assertEqual(early, [200] * len(models))
        self.assertIn(200, statuses)
        self.assertTrue(any(s in (402, 429) for s in statuses), statuses)
        until(lambda: all(b["reserved"] == "0.000000" for b in self.status(tandem)["budgets"]), "every reservation to be settled")
        total = self.check(tandem)
        self.assertGreater(total, 2000)
        self.assertEqual(self.answered.keys(), self.upstreams.keys())  # each dialect takes part

    def status(self, tandem):
        return json.loads(tandem.cli("status", "--json").stdout)

    def test_nothing_is_lost_or_counted_twice_when_it_is_killed_in_the_middle(self):
        config, models = self.mixed()
        tandem = self.start(config + self.BUDGETS)
        for round in range(ROUNDS):
            threads, _ = self.storm(tandem, models, 60, seed=100 + round, leave=False)
            time.sleep(0.1 + 0.1 * (round % 4))
            tandem.kill()
            [t.join() for t in threads]
            tandem.start()
            self.check(tandem)
            spent = {b["of"]: b["spent"] for b in self.status(tandem)["budgets"]}
            keys, _, total = self.sums(tandem)
            self.assertEqual(spent["the whole system"], f"{total / 1e6:.6f}")
            self.assertEqual(spent["the key 'carol'"], f"{keys.get('carol', 0) / 1e6:.6f}")

    def test_prompts_that_have_many_tokens_for_their_bytes_pass_no_budget(self):
        """Digits, tables and JSON have a token for each byte or two; the provider counts them as cl100k_base does, and slowly."""
        rows = "\n".join(",".join(str((7 * i + 3 * k) % 10) for i in range(20)) for k in range(100))
        prompts = [rows, json.dumps([{"id": i, "score": i * 1.7} for i in range(120)]), "aQzXvJqKwZ" * 300, "\u1230\u120b\u121d " * 400]
        shares = [1, 0.52, 0.94, 0.93]  # of a token for each byte
        upstream = Upstream(lambda connection, body, number: (time.sleep(0.5), connection.sendall(http({
            "id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [{"index": 0, "message": {"role": "assistant", "content": "a"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": int(len((text := json.loads(body)["messages"][0]["content"]).encode()) * shares[prompts.index(text)]), "completion_tokens": 1, "total_tokens": 9}})))[1])
        self.addCleanup(upstream.close)
        tandem = self.start(f"providers: {{ far: {upstream.provider('cloud')} }}\nmodels: {{ m: {{ provider: far, price: {{ input: 1, output: 10 }} }} }}\n"
                            "keys: { alice: { secret: alice-0123456789abcdef, budgets: [{ limit: 0.03 }] } }\n")
        statuses = []
        def one(text):
            statuses.append(tandem.request("/v1/chat/completions", {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": text}]}, bearer("alice"), timeout=60)[0])
        threads = [threading.Thread(target=one, args=(prompts[i % len(prompts)],)) for i in range(60)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(set(statuses), {200, 429})
        spent = self.sums(tandem)[2]
        self.assertLessEqual(spent, 30_000)
        self.assertGreater(spent, 15_000)  # it was not refused for nothing

    def test_tools_that_a_provider_runs_pass_no_budget(self):
        """Searches have a fee each; as many are reserved as the request allows."""
        searched = {"input_tokens": 57, "output_tokens": 13, "server_tool_use": {"web_search_requests": 5}}
        upstream = Upstream(lambda connection, body, number: (time.sleep(0.3), connection.sendall(http({
            "id": "m", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5", "content": [{"type": "text", "text": "found"}], "stop_reason": "end_turn", "usage": searched})))[1])
        self.addCleanup(upstream.close)
        tandem = self.start(f"providers: {{ far: {{ kind: anthropic, zone: cloud, base_url: {upstream.base_url[:-3]}, api_key: sk-test-0123456789 }} }}\nmodels: {{ m: {{ provider: far, name: claude-sonnet-4-5 }} }}\n"
                            "keys: { alice: { secret: alice-0123456789abcdef, budgets: [{ limit: 0.25 }] } }\n")
        statuses = []
        body = {"model": "m", "max_tokens": 20, "messages": [{"role": "user", "content": "what is new?"}], "tools": [{"type": "web_search_20250305", "name": "web_search", "max_uses": 5}]}
        threads = [threading.Thread(target=lambda: statuses.append(tandem.request("/v1/messages", body, bearer("alice"), timeout=60)[0])) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(set(statuses), {200, 402})  # as Anthropic's clients understand it
        spent = self.sums(tandem)[2]
        self.assertLessEqual(spent, 250_000)
        self.assertGreaterEqual(spent, 50_000)  # each answer is 0.05 for its searches

    # ---- what becomes of a request without room ----

    def wish(self, wish, limit="0.00005", more=""):
        strong, weak, home = Upstream(), Upstream(), Upstream()
        for upstream in (strong, weak, home):
            self.addCleanup(upstream.close)
        self.strong, self.weak, self.home = strong, weak, home
        tandem = self.start(f"providers:\n  a: {strong.provider('cloud')}\n  b: {weak.provider('cloud')}\n  c: {home.provider()}\n"
                            "models:\n  strong: { provider: a, price: { input: 1, output: 100 } }\n  weak: { provider: b, price: { input: 0.01, output: 0.1 } }\n  home: { provider: c }\n"
                            "aliases: { team: [strong, weak, home] }\npolicy: { rules: [{ name: order, prefer: best }] }\n"
                            f"keys: {{ alice: {{ secret: alice-0123456789abcdef, budgets: [{{ limit: {limit}, on_budget: {wish}{more} }}] }} }}\n")
        return tandem

    def ask(self, tandem, tokens=100, **fields):
        return tandem.request("/v1/chat/completions", {"model": "team", "max_tokens": tokens, "messages": [{"role": "user", "content": "hello"}], **fields}, bearer("alice"), timeout=30)

    def all_at_once(self, tandem, count):
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(self.ask(tandem))) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return answers

    def test_cheaper_takes_the_next_that_fits(self):
        tandem = self.wish("cheaper")
        status, headers, _ = self.ask(tandem)
        self.assertEqual((status, headers["x-tandem-model"]), (200, "weak"))
        self.assertIn("strong", headers["x-tandem-warnings"])
        self.assertIn("budget", headers["x-tandem-warnings"])

    def test_local_takes_only_what_costs_nothing(self):
        tandem = self.wish("local")
        status, headers, _ = self.ask(tandem)
        self.assertEqual((status, headers["x-tandem-model"], headers["x-tandem-zone"]), (200, "home", "local"))

    def test_refuse_asks_nobody_and_says_what_is_left(self):
        tandem = self.wish("refuse")
        status, headers, body = self.ask(tandem)
        self.assertEqual(status, 429, body)
        error = json.loads(body)["error"]
        self.assertEqual(error["code"], "insufficient_quota")
        for part in ("0.000050 USD", "left until", "keys.alice.budgets[0].limit"):
            self.assertIn(part, error["message"])
        self.assertEqual(len(self.strong.requests) + len(self.weak.requests) + len(self.home.requests), 0)
        # What the first choice fits into is asked as ever.
        self.assertEqual(self.ask(tandem, tokens=0 or None)[0] in (200, 429), True)

    def test_queue_waits_until_there_is_room(self):
        tandem = self.wish("queue", limit="0.0105")
        go = threading.Event()
        good = self.strong.script
        def slow(connection, body, number):
            if number == 1:
                go.wait(20)
            return good(connection, body, number)
        self.strong.script = slow
        first, second = [], []
        one = threading.Thread(target=lambda: first.append(self.ask(tandem)))
        one.start()
        until(lambda: self.strong.requests, "the first to be asked")
        two = threading.Thread(target=lambda: second.append(self.ask(tandem)))
        two.start()
        time.sleep(0.5)  # it would have been answered by now, were it not waiting
        self.assertEqual(len(self.strong.requests) + len(self.weak.requests) + len(self.home.requests), 1)
        go.set()
        one.join()
        two.join()
        self.assertEqual((first[0][0], second[0][0]), (200, 200), second[0][2])
        self.assertEqual(second[0][1]["x-tandem-model"], "strong")
        self.assertIn("waited", second[0][1]["x-tandem-warnings"])
        # There is no point in waiting for tomorrow.
        began = time.monotonic()
        status, _, body = self.ask(tandem, tokens=1000)
        self.assertEqual(status, 429, body)
        self.assertLess(time.monotonic() - began, 10)

    def test_a_stop_waits_for_what_is_under_way_and_not_for_who_waits(self):
        tandem = self.wish("queue", limit="0.0105")
        go = threading.Event()
        self.addCleanup(go.set)
        good = self.strong.script
        self.strong.script = lambda connection, body, number: (go.wait(20), good(connection, body, number))[1]
        first, second = [], []
        one, two = (threading.Thread(target=lambda answers=answers: answers.append(self.ask(tandem))) for answers in (first, second))
        one.start()
        until(lambda: self.strong.requests, "the first to be asked")
        two.start()
        time.sleep(2)  # so that it waits, also on a machine with other work
        tandem.process.terminate()
        two.join(30)  # while the first is still under way
        self.assertEqual((second[0][0], first), (503, []), second[0][2])
        self.assertIn(b"the server is stopping", second[0][2])
        go.set()
        one.join(30)
        self.assertEqual(first[0][0], 200)
        self.assertEqual(tandem.process.wait(30), 0)

    def test_many_that_wait_for_one_place_all_get_it(self):
        # One reservation of 0.01 at a time; what is spent is far less.
        tandem = self.wish("queue", limit="0.019")
        answers = self.all_at_once(tandem, 24)
        self.assertEqual([a[0] for a in answers], [200] * 24, [a[2] for a in answers if a[0] != 200][:1])
        self.assertEqual({a[1]["x-tandem-model"] for a in answers}, {"strong"})
        self.assertFalse([a[1]["x-tandem-warnings"] for a in answers if "not asked" in (a[1]["x-tandem-warnings"] or "")])

    def test_budgets_of_tokens_queue_as_those_of_money_do(self):
        # A reservation is some 110 tokens; what is spent is far less.
        tandem = self.tokens("queue", 400)
        answers = self.all_at_once(tandem, 12)
        self.assertEqual([a[0] for a in answers], [200] * 12, [a[2] for a in answers if a[0] != 200][:1])
        # What never fits is refused at once, whatever the wish is, and for good.
        for fields in ({"tokens": 300, "n": 2}, {"tokens": 900}):
            began = time.monotonic()
            status, headers, body = self.ask(tandem, **fields)
            self.assertEqual((status, headers["x-should-retry"], headers["retry-after"]), (429, "false", None), body)
            self.assertLess(time.monotonic() - began, 10)

    def tokens(self, wish, limit):
        home = Upstream()
        self.addCleanup(home.close)
        return self.start(f"providers:\n  c: {home.provider()}\nmodels:\n  team: {{ provider: c, max_output: 20000 }}\n"
                          f"keys: {{ alice: {{ secret: alice-0123456789abcdef, budgets: [{{ tokens: {limit}, on_budget: {wish} }}] }} }}\n")

    def test_who_has_little_time_waits_for_room_too(self):
        tandem = self.wish("queue", limit="0.0105")
        good = self.strong.script
        self.strong.script = lambda connection, body, number: (time.sleep(0.6), good(connection, body, number))[1]
        first = threading.Thread(target=lambda: self.ask(tandem))
        first.start()
        until(lambda: self.strong.requests, "the first to be asked")
        status, headers, body = tandem.request("/v1/chat/completions", {"model": "team", "max_tokens": 100, "messages": [{"role": "user", "content": "hello"}]},
                                               {**bearer("alice"), "x-tandem-timeout": "4"}, timeout=30)
        self.assertEqual((status, headers["x-tandem-model"]), (200, "strong"), body)
        first.join()

    def test_a_soft_budget_is_told_and_refuses_nothing(self):
        tandem = self.wish("refuse", more=", soft: true")
        status, headers, _ = self.ask(tandem)
        self.assertEqual((status, headers["x-tandem-model"]), (200, "strong"))
        self.assertIn("a budget has no room", tandem.log_text())
        self.assertIn("soft", tandem.cli("status").stdout)

    def test_a_limit_of_tokens_binds_a_free_model_too(self):
        home = Upstream()
        self.addCleanup(home.close)
        tandem = self.start(f"providers:\n  c: {home.provider()}\nmodels:\n  home: {{ provider: c }}\n"
                            "keys: { alice: { secret: alice-0123456789abcdef, budgets: [{ tokens: 60 }] } }\n")
        body = {"model": "home", "max_tokens": 20, "messages": [{"role": "user", "content": "hello"}]}
        answers = [tandem.request("/v1/chat/completions", body, bearer("alice")) for _ in range(6)]
        self.assertEqual(answers[0][0], 200)
        self.assertEqual(answers[-1][0], 429)
        self.assertIn("tokens", str(answers[-1][2]))

    def test_the_config_says_where_a_budget_is_wrong(self):
        for text, parts in (("budgets: [{ limit: 1, window: fortnight }]", ("budgets[0].window", "month")), ("budgets: [{ window: day }]", ("budgets[0]", "limit")),
                            ("budgets: [{ limit: 1, tokens: 5 }]", ("two budgets",)), ("budgets: [{ limit: 1, of: { provider: nobody } }]", ("no provider 'nobody'",)),
                            ("time_zone: Europe/Berln", ("time_zone", "Europe/Berlin")), ("budgets: [{ limit: 1, rolling: 1y }]", ("rolling",)),
                            ("budgets: [{ limit: 1, rolling: 1d, window: day }]", ("not both",)), ("keys: { a: { secret: a-0123456789abcdefg, team: lab } }", ("no team 'lab'",)),
                            ("week_starts: funday", ("sunday",)), ("budgets: [{ limit: 1, of: {} }]", ("provider",))):
            tandem = Tandem("providers: { p: { kind: openai, base_url: 'http://127.0.0.1:9/v1', zone: local } }\nmodels: { m: { provider: p } }\n" + text + "\n", start=False)
            said = tandem.cli("policy", "show").stderr
            for part in parts:
                self.assertIn(part, said, text)
            tandem.stop()


if __name__ == "__main__":
    unittest.main()
