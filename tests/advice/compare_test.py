"""`tandem cost compare` as an owner uses it, on rows that the running program wrote. Every figure is computed here once more with decimals:
this file shares no code with src/advice, src/ledger/local or the price book."""
import datetime
import json
import os
import pathlib
import pty
import re
import subprocess
import unittest
from decimal import ROUND_HALF_EVEN, Decimal as D

from advice.record import Record
from harness import BINARY, Tandem, Upstream

DAY = 86_400_000
START = int(datetime.datetime(2026, 3, 2, tzinfo=datetime.timezone.utc).timestamp() * 1000)  # a Monday
SPAN = ("--since", "2026-03-02", "--until", "2026-03-30")
MONTHS = D(730) / D(28 * 24)


def micros(value):
    return int(D(value).to_integral_value(ROUND_HALF_EVEN))


def config(lab, far, more="", small=0.5):
    return f"""
providers:
  lab: {lab.provider('local', ', concurrency: 1')}
  far: {far.provider('cloud')}
models:
  small: {{ provider: lab, context: 8192, quality: {small} }}
  gpt: {{ provider: far, context: 128000, quality: 0.9, price: {{ input: 1.25, cached_input: 0.125, output: 10 }} }}
hardware:
  box: {{ price: 2400, bought: 2025-01-01, life: 4 years, residual: 480, idle_watts: 50, busy_watts: 300, cost_of_capital_percent: 5 }}
energy: {{ tariff: 0.30, cooling: 1.1 }}
hours: {{ rate: 60 }}
{more}"""


def asked_on_terminal(tandem, arguments, answers):
    """What a command writes to a terminal on which somebody has typed these answers."""
    master, slave = pty.openpty()
    with subprocess.Popen([BINARY, *arguments], env=tandem.env, cwd=tandem.folder, stdin=slave, stdout=slave, stderr=slave, start_new_session=True) as process:
        os.close(slave)
        os.write(master, answers.encode())
        out = b""
        while True:
            try:
                data = os.read(master, 65536)
            except OSError:  # the other end is closed
                break
            if not data:
                break
            out += data
        process.wait(60)
    os.close(master)
    return out.decode().replace("\r\n", "\n")


class Compared(unittest.TestCase):
    def start(self, more="", small=0.5):
        self.lab, self.far = Upstream(), Upstream()
        self.addCleanup(self.lab.close)
        self.addCleanup(self.far.close)
        self.tandem = Tandem(config(self.lab, self.far, more, small))
        self.addCleanup(self.tandem.stop)

    def copy(self, requests):
        """(time from the start in ms, model, tokens in, cached, out, label, milliseconds, kind): rows of before, from real ones."""
        for model in ("small", "gpt"):
            self.assertEqual(self.tandem.chat("write a function", model=model)[0], 200)
        record = Record(self.tandem)
        pattern = {m: record.pattern(m) for m in ("small", "gpt")}
        record.forget()
        return record.add([(START + at, pattern[model],
                            {"alias": "auto", "label": label, "rest": label, "prompt_tokens": tin,
                             "work": {"kind": kind, "sure": 1, "difficulty": 35, "telling": []}},
                            {"input": tin, "cached": cached, "output": out, "first_byte_ms": length, "total_ms": length, "alias": "auto",
                             "cost": self.price(tin, cached, out) if model == "gpt" else 0})
                           for at, model, tin, cached, out, label, length, kind in requests])

    @staticmethod
    def price(tin, cached, out):
        return micros(D(tin - cached) * D("1.25") + D(cached) * D("0.125") + D(out) * 10)

    def compare(self, *arguments, code=0):
        result = self.tandem.cli("cost", "compare", "--json", *arguments)
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        return json.loads(result.stdout)

    def rows(self, *arguments):
        answer = self.compare(*arguments)
        return {row["id"]: row for row in answer["rows"]}, answer

    def refused(self, text, *arguments, code=2):
        result = self.tandem.cli(*arguments)
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        self.assertIn(text, result.stderr)


class Figures(Compared):
    def setUp(self):
        self.start()
        # Four weeks: every hour one of 2,000 tokens; each third is private, and was answered at home in 20 s; the others in the cloud.
        self.requests = []
        for hour in range(28 * 24):
            private = hour % 3 == 0
            self.requests.append((hour * 3_600_000, "small" if private else "gpt", 2000, 0 if private else 400, 300,
                                  "private" if private else "public", 20_000 if private else 3_000, "code"))
        # Two too long for the model at home.
        for i in (1, 2):
            self.requests.append((28 * DAY - i * 1000, "gpt", 20_000, 0, 300, "public", 5_000, "code"))
        self.requests.sort()
        self.copy(self.requests)
        for hours in ("3h", "90m"):
            self.assertEqual(self.tandem.cli("cost", "hours", "add", hours, "--kind", "operation", "--date", "2026-03-10", "x").returncode, 0)

    def machine(self, busy_hours):
        """Depreciation, capital, electricity used and idle, of a month, in micro-units."""
        hours = D(28 * 24)
        used = busy_hours * D("0.3") * D("1.1") * D("0.30")
        idle = (hours - busy_hours) * D("0.05") * D("1.1") * D("0.30")
        return (micros(D(2400 - 480) / 48 * 1_000_000), micros(D(2400 + 480) / 2 * D("0.05") / 12 * 1_000_000),
                micros(D(micros(used * 1_000_000)) * MONTHS), micros(D(micros(idle * 1_000_000)) * MONTHS))

    def test_every_row_is_what_decimals_give(self):
        rows, answer = self.rows(*SPAN)
        self.assertEqual(answer["requests"], 674)
        self.assertEqual([row["id"] for row in answer["rows"][:3]], ["today", "cloud-only", "local-only"])

        # As it was: what was booked, the machine with 224 answers of 20 s, 4.5 h of work.
        booked = sum(self.price(*r[2:5]) for r in self.requests if r[1] == "gpt")
        today = rows["today"]["month"]
        self.assertEqual(today["cloud_micros"], micros(D(booked) * MONTHS))
        parts = self.machine(D(224 * 20) / 3600)
        self.assertEqual((today["depreciation_micros"], today["capital_micros"], today["energy_used_micros"], today["energy_idle_micros"]), parts)
        self.assertEqual(today["work_micros"], micros(D("4.5") * 60 * 1_000_000 * MONTHS))
        self.assertEqual(today["total_micros"], today["cloud_micros"] + sum(parts) + today["work_micros"])
        self.assertEqual(today["used_micros"] + today["idle_micros"], sum(parts))
        self.assertEqual(rows["today"]["private"], {"requests": 224, "home": 224, "share": 1.0})

        # In the cloud alone private work cannot be served; the machine is sold, and its hours are gone.
        cloud = rows["cloud-only"]
        self.assertEqual(cloud["unserved"], {"label": 224, "context": 0, "capability": 0, "other": 0, "failed": 0})
        self.assertEqual(cloud["private"], {"requests": 224, "home": 0, "share": 0.0})
        self.assertEqual(cloud["month"]["cloud_micros"], micros(D(booked) * MONTHS))
        self.assertEqual(cloud["month"]["machines_micros"] + cloud["month"]["work_micros"], 0)

        # At home all but the two that are too long, in 20 s each: all answers of one size were measured by that.
        local = rows["local-only"]
        self.assertEqual(local["unserved"], {"label": 0, "context": 2, "capability": 0, "other": 0, "failed": 0})
        self.assertEqual(local["month"]["cloud_micros"], 0)
        parts = self.machine(D(672 * 20) / 3600)
        found = local["month"]
        for name, expected in zip(("depreciation_micros", "capital_micros", "energy_used_micros", "energy_idle_micros"), parts):
            self.assertAlmostEqual(found[name], expected, delta=2, msg=name)
        station, = local["stations"]
        self.assertEqual((station["served"], station["turned_away"], station["keeps_up"]), (672, 0, True))
        self.assertAlmostEqual(station["utilisation"], 672 * 20 / (28 * 86_400), places=5)
        self.assertEqual(local["latency"]["total_p95_ms"], 20_000)

    def test_the_terminal_says_what_a_row_cannot_do(self):
        text = self.tandem.cli("cost", "compare", *SPAN).stdout
        self.assertIn("224 requests cannot be served: no model may see their label", text)
        self.assertIn("224 (label 224)", text)
        self.assertIn("2 (context 2)", text)
        # 672 answers of 20 s in 28 days.
        self.assertIn("local only: local keeps up: yes: small is busy 1 % of the time, one waits 0 ms / 0 ms for it (p50 / p95)", text)

    def test_the_api_gives_the_same_to_the_owner(self):
        status, _, body = self.tandem.request("/tandem/v1/cost/compare?since=2026-03-02&until=2026-03-30")
        self.assertEqual(status, 200, body)
        self.assertEqual(json.loads(body), self.compare(*SPAN))
        self.assertEqual(self.tandem.request("/tandem/v1/cost/compare?since=2026-03-02&wiht=x")[0], 400)

    def test_a_model_of_the_price_book_is_one_row_more(self):
        rows, _ = self.rows(*SPAN, "--with", "openai/gpt-4o-mini")
        row = rows["openai/gpt-4o-mini"]
        # 0.15 and 0.60 a million, cached input 0.075 (https://openai.com/api/pricing, 2026): the share that cloud prompts had from a cache.
        cached = sum(400 for r in self.requests if r[3]) / sum(r[2] for r in self.requests if r[1] == "gpt")
        expected = D(0)
        for _, model, tin, _, out, label, _, _ in self.requests:
            if label == "private":
                continue
            of_cache = int(cached * tin)
            expected += micros(D(tin - of_cache) * D("0.15") + D(of_cache) * D("0.075") + D(out) * D("0.60"))
        self.assertEqual(row["month"]["cloud_micros"], micros(expected * MONTHS))
        self.assertEqual(row["unserved"]["label"], 224)

    def test_what_is_asked_in_wrong_words_is_said(self):
        self.refused("neither tandem.yaml nor the price book has 'openai/gpt-99'", "cost", "compare", "--with", "openai/gpt-99")
        self.refused("did you mean 'small'?", "cost", "compare", "--with", "smal")
        self.refused("until", "cost", "compare", "--since", "2026-03-30", "--until", "2026-03-02")
        self.refused("there is no request on record", "cost", "compare", "--since", "2027-01-01", "--until", "2027-01-02", code=5)
        self.refused("cannot be read; --profile needs a file", "cost", "compare", "--profile", "nowhere.yaml", code=5)


class Waits(Compared):
    def test_a_burst_does_not_fit_one_machine_and_the_row_says_how_many_would(self):
        self.start()
        # Once a day 30 at once, 20 s each: the last waits 580 s, and the client's patience is 120 s.
        self.copy([(day * DAY + i, "gpt", 2000, 0, 300, "public", 3_000, "code") for day in range(28) for i in range(30)]
                  + [(day * DAY + DAY // 2, "small", 2000, 0, 300, "private", 20_000, "code") for day in range(28)])
        rows, _ = self.rows(*SPAN)
        station, = rows["local-only"]["stations"]
        # Waits of 0, 20, ... 120 s are borne: seven a day, and 23 are not.
        self.assertEqual((station["served"], station["turned_away"]), (28 * 8, 28 * 23))
        self.assertFalse(rows["local-only"]["keeps_up"])
        self.assertEqual(rows["local-only"]["unserved"]["failed"], 28 * 23)
        # k machines: 30 / k rounds of 20 s, and the last may wait 120 s: seven rounds, so five machines.
        self.assertEqual(rows["local-only"]["machines_needed"], 5)
        # Five machines lose five times as much.
        self.assertGreater(rows["local-only"]["total_with_them_micros"], 5 * rows["local-only"]["month"]["depreciation_micros"])


class Beginnings(Compared):
    PROFILE = """
work:
  - { kind: code, requests_per_day: 10, input_tokens: 2000, cached_tokens: 500, output_tokens: 400, private: 0.5 }
  - { kind: talk, requests_per_day: 100, input_tokens: 100, output_tokens: 50, arrivals: office }
models:
  small: { input_per_second: 1000, output_per_second: 50 }
"""

    def profile(self, text):
        file = self.tandem.folder / "work.yaml"
        file.write_text(text)
        return str(file)

    def test_a_profile_stands_in_for_a_record_without_a_ledger(self):
        self.start()
        rows, answer = self.rows("--profile", self.profile(self.PROFILE))
        self.assertTrue(answer["of_profile"])
        self.assertEqual(answer["requests"], 28 * 110)
        public = 28 * 5 * D(self.price(2000, 500, 400)) + 28 * 100 * D(self.price(100, 0, 50))
        self.assertEqual(rows["cloud-only"]["month"]["cloud_micros"], micros(public * MONTHS))
        self.assertEqual(rows["cloud-only"]["unserved"]["label"], 28 * 5)
        station, = rows["local-only"]["stations"]
        self.assertAlmostEqual(station["utilisation"], (28 * 10 * (1.5 + 8) + 28 * 100 * 1.1) / (28 * 86_400), places=4)

    def test_the_profile_of_the_page_is_taken(self):
        self.start()
        page = (pathlib.Path(__file__).resolve().parents[2] / "docs/concepts/compare.md").read_text()
        rows, answer = self.rows("--profile", self.profile(re.search(r"```yaml\n(# work.yaml.*?)```", page, re.S)[1]))
        self.assertEqual(answer["requests"], 28 * 200)
        self.assertEqual(rows["cloud-only"]["unserved"]["label"], 28 * 40)

    def test_a_profile_needs_no_ledger_at_all(self):
        lab, far = Upstream(), Upstream()
        self.addCleanup(lab.close)
        self.addCleanup(far.close)
        self.tandem = Tandem(config(lab, far), start=False)
        self.addCleanup(self.tandem.stop)
        self.assertFalse((self.tandem.folder / "data").exists())
        _, answer = self.rows("--profile", self.profile(self.PROFILE))
        self.assertEqual(answer["requests"], 28 * 110)
        self.refused("--profile FILE describes work", "cost", "compare", code=5)

    def test_what_tandem_asked_itself_tells_the_speed_and_is_nobodys_work(self):
        self.start()
        self.assertEqual(self.tandem.chat("write a function", model="gpt")[0], 200)
        _, before = self.rows()
        self.assertTrue(any("how fast small answers is not known" in note for note in before["notes"]))
        self.assertEqual(self.tandem.cli("probe", "small", "--each", "1").returncode, 0)
        _, after = self.rows()
        self.assertEqual(after["requests"], 1)
        self.assertFalse(any("how fast small answers is not known" in note for note in after["notes"]), after["notes"])

    def test_questions_on_a_terminal_are_a_profile(self):
        self.start()
        text = asked_on_terminal(self.tandem, ["cost", "compare"], "code\n10\n2000\n400\n0.5\nsteady\n")
        self.assertIn("280 requests", text)
        self.assertIn("140 (label 140)", text)

    def test_a_broken_profile_is_told_all_at_once(self):
        self.start()
        for text, said in (("work:\n  - { kind: cod, requests_per_day: 0, input_tokens: 5, output_token: 3 }\n",
                            ["work[0].kind: expected one of", "did you mean 'code'?", "work[0].requests_per_day: expected a number from 0.05",
                             "work[0].output_token: there is no such key", "work[0].output_tokens is missing"]),
                           ("work: [", ["neither YAML nor JSON"]), ("{}", ["nothing is in it"]), ("hardware:\n  - { name: x }\n", ["runs is missing"]),
                           ("currency: EUR\n" + self.PROFILE, ["the profile is in EUR and tandem.yaml in USD"]),
                           (self.PROFILE.replace("small:", "smal:"), ["tandem.yaml has no such model"])):
            result = self.tandem.cli("cost", "compare", "--profile", self.profile(text))
            self.assertEqual(result.returncode, 2, result.stdout)
            for one in said:
                self.assertIn(one, result.stderr, text)

    def test_nothing_on_record_says_what_to_do(self):
        self.start()
        self.refused("--profile FILE describes work that is not on record", "cost", "compare", code=5)

    def test_one_request_is_scaled_from_a_day(self):
        self.start()
        self.assertEqual(self.tandem.chat("write a function", model="gpt")[0], 200)
        rows, answer = self.rows()
        self.assertEqual(answer["span_ms"], DAY)
        # Seven tokens in and three out.
        self.assertEqual(rows["today"]["month"]["cloud_micros"], micros(D(self.price(7, 0, 3)) * D(730) / 24))
        self.assertTrue(any("only 1.0 days" in note for note in answer["notes"]))

    def test_two_currencies_are_not_mixed(self):
        self.start()
        self.assertEqual(self.tandem.chat("hello", model="gpt")[0], 200)
        self.tandem.process.terminate()
        self.tandem.process.wait(30)
        self.tandem.write(config(self.lab, self.far, "currency: EUR\n"))
        self.refused("the ledger is in USD and tandem.yaml in EUR", "cost", "compare")
        self.tandem.write(config(self.lab, self.far))
        self.tandem.start()


if __name__ == "__main__":
    unittest.main()
