"""What users of other gateways reported about reports of cost (docs/internals/field.md), asked of this one."""
import csv
import datetime
import io
import itertools
import json
import unittest

from harness import Tandem, Upstream, http, until

NAMES = ("model", "provider", "zone", "key", "team", "alias", "label", "work", "source", "tier", "outcome", "day", "week", "month")
PLUS = "-mini"  # a model that a client names, behind a pattern


def bearer(name):
    return {"authorization": f"Bearer {name}-0123456789abcdef"}


class Reports(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        def script(connection, body, number):
            if body and b"fail" in body:
                return connection.sendall(http({"error": {"message": "overloaded", "type": "server_error"}}, status="503 Busy"))
            return good(connection, body, number)
        cls.far, cls.home = Upstream(), Upstream()
        good, cls.far.script = cls.far.script, script
        cls.config = (f"providers:\n  far: {cls.far.provider('cloud')}\n  home: {cls.home.provider()}\nmodels:\n  big: {{ provider: far, price: {{ input: 10, output: 20 }} }}\n"
                      f"  '*': {{ provider: far, price: {{ input: 1, output: 2 }} }}\n  small: {{ provider: home }}\npolicy: {{ attempts: 1 }}\n")
        cls.keys = ("teams: { lab: {}, shop: {} }\nkeys:\n  alice: { secret: alice-0123456789abcdef, team: lab }\n  bob: { secret: bob-0123456789abcdef, team: shop }\n"
                    "  carol: { secret: carol-0123456789abcdef, team: lab }\n")
        cls.tandem = Tandem(cls.config + cls.keys)
        for key, model, text in itertools.product(("alice", "bob", "carol"), ("big", PLUS, "small"), ("hello", "please fail")):
            cls.tandem.chat(text, model=model, headers=bearer(key), max_tokens=9)
        cls.before = {by: cls.report(by) for by in NAMES}

    @classmethod
    def tearDownClass(cls):
        cls.tandem.stop()
        cls.far.close()
        cls.home.close()

    @classmethod
    def report(cls, by, *more):
        result = cls.tandem.cli("cost", "--json", "--by", by, *more)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    def test_every_way_to_add_up_comes_to_the_same(self):  # vstorm-co/agenticos#170, dimagi/open-chat-studio#4009, ccusage#1638
        whole = self.before["model"]["total"]
        self.assertEqual(whole["attempts"], 18)
        for by in (*NAMES, "team,model", "key,outcome", "day,zone"):
            report = self.report(by)
            self.assertEqual(report["total"], whole, by)
            for figure in ("attempts", "answered", "input", "cached_input", "output", "cost_micros"):
                self.assertEqual(sum(row[figure] for row in report["rows"]), whole[figure], (by, figure))

    def test_a_day_has_its_own_and_no_other(self):  # litellm#27780, #22176, #29568, #41363
        day = min(self.decided()).astimezone(datetime.timezone.utc).date()
        days = [self.report("model", "--since", str(day + datetime.timedelta(n)), "--until", str(day + datetime.timedelta(n + 1)))["total"]["cost_micros"] for n in (-1, 0, 1)]
        self.assertEqual(days[0], 0)
        self.assertEqual(sum(days), self.before["model"]["total"]["cost_micros"])
        # Up to now is up to now.
        self.assertEqual(self.report("model", "--since", str(day - datetime.timedelta(7)))["total"], self.before["model"]["total"])

    def decided(self):
        lines = map(json.loads, self.tandem.cli("logs", "--json").stdout.splitlines())
        return [datetime.datetime.fromisoformat(line["time"].replace("Z", "+00:00")) for line in lines if "decision" in line]

    def test_what_was_paid_has_tokens_and_what_failed_is_no_answer(self):  # litellm#1806
        for row in self.before["outcome"]["rows"]:
            if row["cost_micros"]:
                self.assertGreater(row["input"] + row["output"], 0)
            if row["group"] == "failed":
                self.assertEqual((row["cost_micros"], row["answered"], row["attempts"]), (0, 0, 6))

    def test_a_key_and_a_team_that_are_gone_keep_what_they_spent(self):  # litellm#24225, getsentry/sentry#76069, reply-fr/sustainable-personal-accounts#105
        self.tandem.write(self.config + "keys: { bob: { secret: bob-0123456789abcdef } }\n")
        until(lambda: self.tandem.request("/v1/models", None, bearer("alice"))[0] == 401, "the key to be gone")
        for by in ("key", "team"):
            self.assertEqual(self.report(by)["rows"], self.before[by]["rows"])
        self.assertEqual({row["group"] for row in self.before["team"]["rows"]}, {"lab", "shop"})
        self.tandem.write(self.config + self.keys)
        until(lambda: self.tandem.request("/v1/models", None, bearer("alice"))[0] == 200, "the key to be back")

    def test_the_csv_has_what_the_table_has_and_runs_nothing(self):  # litellm#32015, onyx-dot-app/onyx#13807, simstudioai/sim#5405
        rows = list(csv.DictReader(io.StringIO(self.tandem.cli("cost", "--csv", "--by", "model,key").stdout)))
        report = self.report("model,key")
        self.assertEqual(len(rows), len(report["rows"]))
        for name in ("input", "cached_input", "cache_write", "output", "reasoning", "attempts"):
            self.assertEqual([int(row[name]) for row in rows], [row[name] for row in report["rows"]], name)
        self.assertFalse([cell for row in rows for cell in row.values() if cell[:1] in ("=", "+", "-", "@")])
        self.assertIn("'" + PLUS, [row["model"] for row in rows])

    def test_what_is_shown_is_what_is_enforced(self):  # openlegion-ai/openlegion#1287
        self.tandem.write(self.config + self.keys.replace("lab: {}", "lab: { budgets: [{ limit: 5, window: total }] }"))
        until(lambda: json.loads(self.tandem.cli("status", "--json").stdout)["budgets"], "the budget")
        spent = json.loads(self.tandem.cli("status", "--json").stdout)["budgets"][0]["spent"]
        lab = next(row for row in self.report("team")["rows"] if row["group"] == "lab")
        self.assertEqual(spent, f"{lab['cost_micros'] / 1e6:.6f}")


if __name__ == "__main__":
    unittest.main()
