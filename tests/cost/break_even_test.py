"""`tandem cost break-even` as an owner uses it. The worked example of docs/break-even.md is computed here once more, with fractions
and by hand: this file shares no code with src/cost."""
import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest
from fractions import Fraction as F

from harness import Tandem

BINARY = os.environ["TANDEM_BINARY"]
DOCS = (pathlib.Path(__file__).resolve().parents[2] / "docs" / "break-even.md").read_text()


def run(profile, *arguments):
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "home.yaml"
        file.write_text(profile if isinstance(profile, str) else json.dumps(profile))
        return subprocess.run([BINARY, "cost", "break-even", "--profile", file, *arguments], capture_output=True, text=True)


def answer(profile, *arguments):
    result = run(profile, "--json", *arguments)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)["hardware"]


def owner(tokens_in, tokens_out, peak):
    return {"tokens": {"input": tokens_in, "output": tokens_out, "peak_factor": peak}, "cloud": {"input": 3, "output": 15},
            "hardware": [{"name": "rtx5090", "price": 4000, "residual_value": 1000, "life_months": 36, "throughput_total": 1500,
                          "max_utilisation": 0.6, "watts_idle": 70, "watts_busy": 600, "tariff_per_kwh": 0.3,
                          "work_hours_per_month": {"low": 1, "likely": 2, "high": 5}, "hourly_rate": 60}]}


class WorkedExample(unittest.TestCase):
    profile = re.search(r"<!-- worked example.*?```yaml\n(.*?)```", DOCS, re.S).group(1)

    def expected(self):
        million, hours = 10**6, 730
        cloud = [300 * F("1.25"), 100 * F("0.125"), 60 * F(10)]
        busy = (F(300 * million, 4000) + F(60 * million, 60)) / 3600
        self.assertLess(busy, hours * F("0.8"))  # one machine
        energy_busy = busy * 600 / 1000 * F("1.1") * F("0.3")
        energy_idle = (hours - busy) * 80 / 1000 * F("1.1") * F("0.3")
        depreciation, work, capital = F(9000 - 1800, 48), F(2 * 50), F(9000 + 1800, 2) * F(4, 100) / 12
        running = energy_busy + energy_idle + work + capital
        upfront, saving = 9000 + 12 * 50, sum(cloud) - running
        # Home and cloud cost the same where fixed costs are made up for by what each token saves; one machine does it.
        volume = busy * (600 - 80) / 1000 * F("1.1") * F("0.3")
        even = (running + depreciation - volume) / (sum(cloud) - volume)
        return {"cloud_per_month.input": cloud[0], "cloud_per_month.cached_input": cloud[1], "cloud_per_month.output": cloud[2],
                "cloud_per_month.total": sum(cloud), "busy_hours_per_month": busy, "machines": F(1),
                "local_per_month.depreciation": depreciation, "local_per_month.energy_busy": energy_busy,
                "local_per_month.energy_idle": energy_idle, "local_per_month.work": work, "local_per_month.capital": capital,
                "local_per_month.total": running + depreciation, "upfront.total": F(upfront), "saving_per_month": saving,
                "break_even_month.simple": upfront / saving, "break_even_month.cumulative": F(-(-upfront // saving)),
                "utilisation": busy / hours, "break_even_tokens_per_month": even * 460 * million,
                "gain_over_horizon": 48 * saving - upfront + 1800, "local_per_million.blended": (running + depreciation) / 460,
                "local_per_million.output": (running + depreciation) * F(1000000, 3600) / busy / 60}

    def test_every_number_is_the_one_that_fractions_give(self):
        result = run(self.profile, "--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        found = json.loads(result.stdout, parse_float=F, parse_int=F)["hardware"][0]
        for path, value in self.expected().items():
            number = found
            for key in path.split("."):
                number = number[key]
            self.assertLessEqual(abs(number - value), F(1, 2 * 10**12), path)

    def test_the_table_of_the_docs_says_the_same(self):
        rows = {m[0].strip("* "): m[1].strip("* ") for m in re.findall(r"^\| ([^|]+) \|[^|]*\| ([^|]+) \|$", DOCS, re.M)}
        e = self.expected()
        for row, path in {"cloud, input": "cloud_per_month.input", "cloud a month": "cloud_per_month.total",
                          "depreciation": "local_per_month.depreciation", "electricity, busy": "local_per_month.energy_busy",
                          "electricity, idle": "local_per_month.energy_idle", "cost of capital": "local_per_month.capital",
                          "home a month": "local_per_month.total", "paid at the start": "upfront.total",
                          "saved a month before depreciation": "saving_per_month",
                          "months until it pays, simple": "break_even_month.simple",
                          "months until it pays, cumulative": "break_even_month.cumulative"}.items():
            self.assertLessEqual(abs(F(rows[row]) - e[path]), F(5, 1000), row)


class Owners(unittest.TestCase):
    def test_bursty_and_steady_owners_get_opposite_answers_about_one_machine(self):
        bursty, = answer(owner("1.6M", "400k", 40))
        steady, = answer(owner("320M", "80M", 1.5))
        self.assertIsNone(bursty["break_even_month"]["cumulative"])
        self.assertLess(bursty["gain_over_horizon"], 0)
        self.assertEqual(bursty["monte_carlo"]["probability"], 0)
        self.assertLessEqual(steady["break_even_month"]["cumulative"], 12)
        self.assertGreater(steady["gain_over_horizon"], 0)
        self.assertEqual(steady["monte_carlo"]["probability"], 1)
        self.assertLess(bursty["tokens_per_month"]["total"], bursty["break_even_tokens_per_month"])
        self.assertGreater(steady["tokens_per_month"]["total"], steady["break_even_tokens_per_month"])

    def test_the_same_seed_gives_the_same_bytes_and_another_one_does_not(self):
        profile = owner({"low": 1e7, "likely": 3e7, "high": 1e8}, "8M", 1)
        one, again, other = (run(profile, "--json", "--draws", "500", "--seed", seed).stdout for seed in ("7", "7", "8"))
        self.assertEqual(one, again)
        self.assertNotEqual(one, other)

    def test_growth_for_a_century_is_still_a_number(self):
        profile = owner({"low": 1e7, "likely": 3e7, "high": 1e8}, "8M", 1)
        profile["horizon_months"] = 1200
        profile["tokens"]["growth_percent"] = {"low": -50, "likely": 50, "high": 100}
        result = run(profile, "--json", "--draws", "20")
        self.assertEqual(result.returncode, 0, result.stderr)

        def refuse(word):
            raise AssertionError(f"{word} is no JSON")

        json.loads(result.stdout, parse_constant=refuse)

    def test_one_machine_of_several_is_picked_by_its_name(self):
        profile = owner("1M", "1M", 1)
        profile["hardware"].append({"name": "rented", "rent_per_hour": 2})
        self.assertEqual([h["name"] for h in answer(profile)], ["rtx5090", "rented"])
        self.assertEqual([h["name"] for h in answer(profile, "--hardware", "rented")], ["rented"])
        result = run(profile, "--hardware", "rentd")
        self.assertEqual(result.returncode, 5)
        self.assertIn("did you mean 'rented'", result.stderr)

    def test_the_text_names_what_it_hinges_on(self):
        text = run(owner({"low": 1e7, "likely": 3e7, "high": 1e8}, "8M", 1)).stdout
        self.assertRegex(text, r"probability that it pays +\d+\.\d  % within 36 months")
        self.assertLess(text.index("tokens.input"), text.index("hardware.work_hours_per_month"))


class OfConfig(unittest.TestCase):
    """A machine of tandem.yaml against the profile's tokens."""
    CONFIG = """currency: EUR
providers: { lab: { kind: openai, zone: local, base_url: http://127.0.0.1:9/v1 } }
models: { m: { provider: lab, context: 1000 } }
hardware: { workstation: { price: 9000, residual: 1800, life: 4 years, bought: 2026-01-01, idle_watts: 80, busy_watts: 600, cost_of_capital_percent: 4 } }
energy: { tariff: 0.34, cooling: 1.1, windows: [{ from: 22:00, to: 06:00, price: 0.22, days: [monday] }] }
hours: { rate: 50 }
"""
    PROFILE = """currency: EUR
tokens: { input: 300M, cached_input: 100M, output: 60M }
cloud: { input: 1.25, cached_input: 0.125, output: 10 }
throughput_input: 4000
throughput_output: 60
max_utilisation: 0.8
work_hours_per_month: 2
setup_hours: 12
"""

    def setUp(self):
        self.tandem = Tandem(self.CONFIG, start=False)
        self.addCleanup(self.tandem.stop)

    def run_with(self, profile, *arguments):
        file = self.tandem.folder / "home.yaml"
        file.write_text(profile)
        return self.tandem.cli("cost", "break-even", "--profile", str(file), *arguments)

    def answer(self, profile, *arguments):
        result = self.run_with(profile, "--json", *arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        machine, = json.loads(result.stdout, parse_float=F, parse_int=F)["hardware"]
        return machine

    def test_it_gives_what_the_same_machine_in_the_profile_gives(self):
        of_config = self.answer(self.PROFILE + "tariff_per_kwh: 0.30\n", "--hardware", "workstation")
        of_profile = self.answer(WorkedExample.profile)
        self.assertEqual(of_config, of_profile)
        busy = (F(300, 4000) + F(60, 60)) * 10**6 / 3600
        self.assertLess(abs(of_config["local_per_million"]["marginal"] - busy * (600 - 80) / 1000 * F("1.1") * F("0.3") / 460), F(1, 10**11))

    def test_a_tariff_with_windows_is_its_mean_over_a_week(self):
        machine = self.answer(self.PROFILE, "--hardware", "workstation")
        mean = (8 * F("0.22") + 160 * F("0.34")) / 168
        busy = (F(300, 4000) + F(60, 60)) * 10**6 / 3600
        self.assertLess(abs(machine["local_per_month"]["energy_busy"] - busy * 600 / 1000 * F("1.1") * mean), F(1, 10**11))

    def test_what_is_wrong_is_said(self):
        for profile, arguments, code, text in (
                (self.PROFILE, ["--hardware", "workstaton"], 2, "hardware is missing"),
                (WorkedExample.profile, ["--hardware", "workstaton"], 5, "neither the profile nor tandem.yaml has a hardware 'workstaton'; did you mean 'workstation'?"),
                (self.PROFILE.replace("EUR", "USD"), ["--hardware", "workstation"], 2, "the profile is in USD and tandem.yaml"),
                ("tokens: { input: 1M }\ncurrency: EUR\ncloud: { input: 1 }\n", ["--hardware", "workstation"], 2, "workstation.busy_hours_per_day is missing")):
            result = self.run_with(profile, *arguments)
            self.assertEqual(result.returncode, code, result.stderr)
            self.assertIn(text, result.stderr)


    def test_a_config_that_cannot_be_read_is_said_where_the_profile_has_no_such_machine(self):
        self.tandem.write(self.CONFIG.replace("rate: 50", "rate: lots"))
        result = self.run_with(WorkedExample.profile, "--hardware", "other")
        self.assertEqual(result.returncode, 3, result.stderr)
        self.assertIn("hours.rate", result.stderr)
        self.assertEqual(self.run_with(WorkedExample.profile, "--hardware", "workstation").returncode, 0)  # the profile has it


class Mistakes(unittest.TestCase):
    def refused(self, profile, *texts):
        result = run(profile)
        self.assertNotEqual(result.returncode, 0)
        for text in texts:
            self.assertIn(text, result.stderr)

    def test_a_slip_in_a_key_names_the_nearest_and_all_slips_come_at_once(self):
        self.refused("tokens: {input: 1M, outptu: 1M}\ncloud: {input: 3}\nhardware: [{name: a, price: 100, wats: 300}]\nhorizon: 3\n",
                     "home.yaml:1: tokens.outptu: there is no such key; did you mean 'output'?",
                     "home.yaml:3: hardware[0].wats: there is no such key; did you mean 'watts'?", "home.yaml:4: horizon")

    def test_what_is_needed_is_named_with_its_unit(self):
        self.refused("currency: EUR\ntokens: {input: 1M}\nhardware: [{name: a, watts: 300}]\n",
                     "cloud.input is missing: EUR per million tokens", "hardware[0].tariff_per_kwh is missing: EUR per kWh",
                     "hardware[0].price is missing: EUR for a machine")
        self.refused("tokens: {input: 1M}\ncloud: {input: 1}\n", "hardware is missing")
        self.refused("hardware: [{name: a, price: 1}]\n", "tokens.output is missing")

    def test_ranges_and_bounds_are_checked(self):
        self.refused("tokens: {input: {low: 3, likely: 2, high: 4}}\ncloud: {input: 1}\nhardware: [{name: a, price: 1}]\n", "low must not be above")
        self.refused("tokens: {input: {low: 1, high: 4}}\ncloud: {input: 1}\nhardware: [{name: a, price: 1}]\n", "tokens.input.likely is missing")
        self.refused("tokens: {input: 1}\ncloud: {input: -1}\nhardware: [{name: a, price: 1, share: 1.5}]\n", "cloud.input: -1 is out of bounds",
                     "hardware[0].share: 1.5 is out of bounds; it goes from 0 to 1")
        self.refused("tokens: {input: 1, input: 2}\ncloud: {input: 1}\nhardware: [{name: a, price: 1}]\n", "stands here twice")

    def test_what_is_there_and_wrong_is_not_said_to_be_missing(self):
        for number in ("1e300", ".nan", "NaN", ".inf", "-5", "5 tokens", "[1]"):
            result = run(f"tokens: {{output: {number}}}\ncloud: {{output: 1}}\nhardware: [{{name: a, price: 0}}]\n")
            self.assertEqual(result.returncode, 2)
            self.assertIn("tokens.output: ", result.stderr)
            self.assertNotIn("missing", result.stderr)

    def test_nothing_to_do_is_no_missing_throughput(self):
        machine, = answer("tokens: {output: 0}\ncloud: {output: 0}\nhardware: [{name: a, price: 0, throughput_output: 1}]\n")
        self.assertEqual((machine["local_per_month"]["total"], machine["break_even_month"]["simple"]), (0, None))
        self.assertFalse([note for note in machine["notes"] if "throughput" in note])

    def test_a_file_that_is_none_and_one_that_is_not_there(self):
        self.refused("tokens: [1, {", "neither YAML nor JSON")
        result = subprocess.run([BINARY, "cost", "break-even", "--profile", "/nowhere.yaml"], capture_output=True, text=True)
        self.assertEqual(result.returncode, 5)


class Cost(unittest.TestCase):
    def test_the_bill_works_as_before(self):
        tandem = Tandem("providers: { lab: { kind: openai, zone: local, base_url: http://127.0.0.1:9/v1 } }\nmodels: { m: { provider: lab, context: 1000 } }\n")
        self.addCleanup(tandem.stop)
        result = tandem.cli("cost", "--by", "day", "--json")
        self.assertEqual((result.returncode, json.loads(result.stdout)["total_micros"]), (0, 0), result.stderr)
        self.assertEqual(tandem.cli("cost", "--by", "nothing").returncode, 2)


if __name__ == "__main__":
    unittest.main()
