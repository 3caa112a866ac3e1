"""What users of other gateways reported about budgets, limits and keys (docs/internals/field.md), asked of this one."""
import contextlib
import json
import signal
import socket
import threading
import time
import unittest

from harness import SSE_HEAD, Tandem, Upstream, chunk, until

ALICE = {"authorization": "Bearer alice-0123456789abcdef"}
BOB = {"authorization": "Bearer bob-0123456789abcdef"}


class Reports(unittest.TestCase):
    def start(self, more, model="price: { input: 10, output: 20 }", script=None):
        self.upstream = Upstream(script)
        self.addCleanup(self.upstream.close)
        self.config = (f"providers:\n  far: {self.upstream.provider('cloud')}\nmodels:\n  big: {{ provider: far, {model} }}\n  other: {{ provider: far, price: {{ input: 10, output: 20 }} }}\n")
        tandem = Tandem(self.config + more)
        self.addCleanup(tandem.stop)
        return tandem

    def ask(self, tandem, headers=ALICE, model="big", **fields):
        return tandem.chat(model=model, headers=headers, max_tokens=5, **fields)[0]

    def drain(self, tandem, headers=ALICE, model="big", most=60):
        for _ in range(most):
            if self.ask(tandem, headers, model) == 429:
                return
        self.fail("the budget never held")

    def budgets(self, tandem):
        return {b["field"]: b for b in json.loads(tandem.cli("status", "--json").stdout)["budgets"]}

    def test_the_owners_own_token_spends_of_the_whole_systems_budget(self):  # trailofbits/buttercup#550
        tandem = self.start("budgets: [{ limit: 0.001 }]\n")
        token = (tandem.folder / "data" / "admin.token").read_text().strip()
        self.drain(tandem, {"authorization": f"Bearer {token}"})
        self.assertEqual(tandem.cli("ask", "hello", "--model", "big").returncode != 0, True)

    def test_a_budget_that_a_key_is_given_counts_its_window_and_not_its_life(self):  # litellm#34492
        keys = "keys: { alice: { secret: alice-0123456789abcdef%s } }\n"
        tandem = self.start(keys % "")
        for _ in range(5):
            self.assertEqual(self.ask(tandem), 200)
        tandem.write(self.config + keys % ", budgets: [{ limit: 0.01, window: hour }]")
        until(lambda: self.budgets(tandem), "the budget to be there")
        budget = self.budgets(tandem)["keys.alice.budgets[0]"]
        spent = sum(a["cost_micros"] for a in [tandem.explain()["attempts"][0]]) * 5
        self.assertEqual(budget["spent"], f"{spent / 1e6:.6f}")
        self.assertEqual(self.ask(tandem), 200)

    def test_a_raised_limit_counts_at_once_and_what_was_spent_stays(self):  # litellm#38686, #30002
        keys = "keys: { alice: { secret: alice-0123456789abcdef, budgets: [{ limit: %s }] } }\n"
        tandem = self.start(keys % "0.001")
        self.drain(tandem)
        spent = self.budgets(tandem)["keys.alice.budgets[0]"]["spent"]
        tandem.write(self.config + keys % "0.1")
        until(lambda: self.ask(tandem) == 200, "the new limit")
        self.assertGreater(float(self.budgets(tandem)["keys.alice.budgets[0]"]["spent"]), float(spent))

    def test_a_key_without_a_budget_is_not_refused_for_one(self):  # litellm#22726, #20615
        tandem = self.start("keys: { alice: { secret: alice-0123456789abcdef, budgets: [{ limit: 0.0005 }] }, bob: { secret: bob-0123456789abcdef } }\n")
        self.drain(tandem)
        self.assertEqual([self.ask(tandem, BOB) for _ in range(20)], [200] * 20)

    def test_a_key_may_have_a_budget_for_one_model(self):  # litellm#7302
        tandem = self.start("keys: { alice: { secret: alice-0123456789abcdef } }\nbudgets: [{ limit: 0.0005, of: { key: alice, model: big } }]\n")
        self.drain(tandem)
        self.assertEqual(self.ask(tandem, model="other"), 200)

    def test_what_a_key_spent_stays_with_the_team_that_it_was_in(self):
        config = ("teams: { lab: { budgets: [{ limit: 0.0005 }] }, shop: { budgets: [{ limit: 1 }] } }\n"
                  "keys: { alice: { secret: alice-0123456789abcdef, team: %s } }\n")
        tandem = self.start(config % "lab")
        self.drain(tandem)
        lab = self.budgets(tandem)["teams.lab.budgets[0]"]["spent"]
        tandem.write(self.config + config % "shop")
        until(lambda: self.ask(tandem) == 200, "the other team's budget")
        def sums():
            return {row["group"]: f"{row['cost_micros'] / 1e6:.6f}" for row in json.loads(tandem.cli("cost", "--json", "--by", "team").stdout)["rows"]}
        def spent():
            return {field.split(".")[1]: b["spent"] for field, b in self.budgets(tandem).items()}
        self.assertEqual(spent(), sums())
        self.assertEqual(spent()["lab"], lab)
        # A start compares windows with attempts; new windows are made of attempts; and so does a recount.
        tandem.process.send_signal(signal.SIGTERM)
        tandem.process.wait(60)
        tandem.write(self.config + (config % "shop").replace("0.0005 }", "0.0005, window: week }").replace("1 }", "1, window: total }"))
        tandem.start()
        self.assertNotIn("a window of a budget is not right", tandem.log_text())
        self.assertEqual(spent(), sums())
        self.assertEqual(self.ask(tandem), 200)

    def test_what_refuses_and_what_status_says_are_one_number(self):  # litellm#27735
        tandem = self.start("keys: { alice: { secret: alice-0123456789abcdef, budgets: [{ limit: 0.001 }] } }\n")
        self.drain(tandem)
        said = json.loads(tandem.chat(model="big", headers=ALICE, max_tokens=5)[2])["error"]["message"]
        self.assertIn(f"{self.budgets(tandem)['keys.alice.budgets[0]']['spent']} USD spent", said)

    def test_places_come_back_however_a_request_ends(self):  # litellm#27955, #20256
        def script(connection, body, number):
            if number % 3 == 0:  # streams until its client goes
                connection.sendall(SSE_HEAD)
                while True:
                    connection.sendall(chunk("word "))
                    time.sleep(0.01)
            if number % 3 == 1:  # hangs up without an answer
                return "close"
            return Upstream.answer_well(connection, body, number)
        tandem = self.start("teams: { lab: { limits: { concurrency: 2 } } }\nkeys: { alice: { secret: alice-0123456789abcdef, team: lab, limits: { concurrency: 2 } } }\n"
                            "aliases: { strong: { models: [big], limits: { concurrency: 2 } } }\npolicy: { attempts: 1 }\n",
                            model="price: { input: 10, output: 20 }, limits: { concurrency: 2 }", script=script)
        body = json.dumps({"model": "strong", "stream": True, "messages": [{"role": "user", "content": "hello"}]}).encode()
        def one():
            with socket.create_connection(("127.0.0.1", tandem.port)) as client:
                client.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer alice-0123456789abcdef\r\nContent-Type: application/json\r\n"
                               b"Content-Length: %d\r\n\r\n" % len(body) + body)
                client.settimeout(0.3)
                with contextlib.suppress(OSError):
                    client.recv(100)
        for _ in range(6):
            threads = [threading.Thread(target=one) for _ in range(3)]
            [t.start() for t in threads]
            [t.join() for t in threads]
        self.upstream.script = Upstream.answer_well
        until(lambda: self.ask(tandem, model="strong") == 200, "a place", seconds=20)
        self.assertEqual([self.ask(tandem, model="strong") for _ in range(4)], [200] * 4)


if __name__ == "__main__":
    unittest.main()
