"""`tandem cost local` and `tandem cost hours` as an owner uses them. The worked example of docs/concepts/local-cost.md is computed here once
more, with decimals and Python's time zones: this file shares no code with src/ledger/local."""
import datetime
import json
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import tempfile
import unittest
from decimal import ROUND_HALF_EVEN, Decimal as D
from zoneinfo import ZoneInfo

from advice.record import decision
from cli.terminal_test import on_terminal
from harness import Tandem, Upstream, http, until

DOCS = (pathlib.Path(__file__).resolve().parents[2] / "docs/concepts/local-cost.md").read_text()
EXAMPLE = re.search(r"<!-- worked example.*?```yaml\n(.*?)```", DOCS, re.S).group(1)
UTC = datetime.timezone.utc


def micros(value):
    return int((value * 1_000_000).to_integral_value(ROUND_HALF_EVEN))


def ms(*when, zone=UTC):
    return int(datetime.datetime(*when, tzinfo=zone).timestamp() * 1000)


class Ledger(unittest.TestCase):
    def start(self, config):
        self.tandem = Tandem(config, env={"OPENAI_API_KEY": "k-of-nobody"})
        self.addCleanup(self.tandem.stop)
        self.count = 0

    def insert(self, at, length, tokens_in=500_000, tokens_out=100_000, provider="lab", model="small", outcome="answered", zone=0, work="chat", cached=0):
        """An attempt of before, as the gateway would have written it."""
        self.count += 1
        row = {"decision": decision(at, self.count), "number": 1, "time": at, "key": "anonymous", "provider": provider, "model": model, "zone": zone,
               "outcome": outcome, "status": 200, "error": "", "first_byte_ms": 5, "total_ms": length, "input": tokens_in, "cached": cached,
               "output": tokens_out, "reasoning": 0, "estimated": 0, "cost": 0, "warnings": "", "cache_write": 0, "source": "free", "bill": "",
               "alias": "auto", "label": 0, "work": work, "team": ""}
        with sqlite3.connect(self.tandem.folder / "data/ledger.db", timeout=30) as ledger:
            ledger.execute(f"INSERT INTO attempts ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", list(row.values()))

    def local(self, *arguments):
        result = self.tandem.cli("cost", "local", "--json", *arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout)

    def refused(self, text, *arguments, code=2):
        result = self.tandem.cli(*arguments)
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        self.assertIn(text, result.stderr)


def hours_by_price():
    """Of March 2026 in UTC: hours in the window and outside of it, minute by minute of Berlin's clock."""
    zone, inside, outside = ZoneInfo("Europe/Berlin"), 0, 0
    at, end = datetime.datetime(2026, 3, 1, tzinfo=UTC), datetime.datetime(2026, 4, 1, tzinfo=UTC)
    while at < end:
        hour = at.astimezone(zone).hour
        inside, outside = (inside + 1, outside) if hour >= 22 or hour < 6 else (inside, outside + 1)
        at += datetime.timedelta(minutes=15)
    return D(inside) / 4, D(outside) / 4


class WorkedExample(Ledger):
    def expected(self):
        night, day = hours_by_price()
        self.assertEqual((night, day), (248, 496))
        depreciation = D(3200 - 800) * D("0.5") / 48
        capital = D(3200 + 800) / 2 * D("0.5") * D("0.04") / 12
        busy_price = 30 * D("0.34") + 10 * D("0.22")
        busy = busy_price * D("0.45") * D("1.1")
        idle = ((day - 30) * D("0.34") + (night - 10) * D("0.22")) * D("0.06") * D("1.1") * D("0.5")
        added = busy - busy_price * D("0.06") * D("1.1") * D("0.5")
        parts = [micros(v) for v in (depreciation, capital, busy, idle)]
        machine = sum(parts)
        used = micros(D(parts[0] + parts[1]) / 1_000_000 * 40 / 744) + parts[2]
        total = machine + micros(D(2) * 50)
        return {"depreciation": parts[0], "cost of capital": parts[1], "electricity, busy": parts[2], "electricity, idle": parts[3], "used": used,
                "idle": machine - used, "all of it": machine, "hours of work": 100_000_000, "total": total,
                "a million tokens, full": micros(D(total) / 24 / 1_000_000), "a million tokens, added": micros(added / 24),
                "an answer, full": micros(D(total) / 40 / 1_000_000), "in the cloud": micros(20 * D("1.25") + 4 * D(10))}

    def test_every_number_is_the_one_that_decimals_give(self):
        self.start(EXAMPLE)
        berlin = ZoneInfo("Europe/Berlin")
        for day in range(1, 31):
            self.insert(ms(2026, 3, day, 10, zone=berlin), 3_600_000)
        for day in range(1, 11):
            self.insert(ms(2026, 3, day, 23, zone=berlin), 3_600_000, work="code")
        for time, kind in (("1.5h", "operation"), ("30m", "debug")):
            result = self.tandem.cli("cost", "hours", "add", time, "--kind", kind, "--date", "2026-03-20", "work")
            self.assertEqual(result.returncode, 0, result.stderr)
        expected = self.expected()
        found = self.local("--month", "2026-03")
        machine, = found["machines"]
        self.assertEqual(
            {"depreciation": machine["depreciation_micros"], "cost of capital": machine["capital_micros"], "electricity, busy": machine["energy_busy_micros"],
             "electricity, idle": machine["energy_idle_micros"], "used": machine["used_micros"], "idle": machine["idle_micros"],
             "all of it": machine["total_micros"], "hours of work": found["hours_micros"], "total": found["total_micros"],
             "a million tokens, full": found["per_million_micros"], "a million tokens, added": found["marginal_per_million_micros"],
             "an answer, full": found["per_answer_micros"], "in the cloud": found["cloud"]["cost_micros"]}, expected)
        self.assertEqual((machine["energy_source"], found["energy_source"], found["currency"], found["ended"]), ("modelled", "modelled", "EUR", True))
        self.assertEqual(machine["busy_ms"], 40 * 3_600_000)
        self.assertEqual(found["used_micros"] + found["idle_micros"] + found["hours_micros"], found["total_micros"])
        for groups in (found["by_model"], found["by_work"]):
            self.assertEqual(sum(g["used_micros"] for g in groups), found["used_micros"])
            self.assertEqual(sum(g["full_micros"] for g in groups), found["total_micros"])
            self.assertEqual(sum(g["marginal_micros"] for g in groups), machine["marginal_micros"])
        self.assertEqual({g["group"]: g["answered"] for g in found["by_work"]}, {"chat": 30, "code": 10})
        self.assertEqual((found["cloud"]["model"], found["cloud"]["named"], found["cloud"]["source"]), ("gpt", False, "by models.*.price"))

        status, _, body = self.tandem.request("/tandem/v1/cost/local?month=2026-03&against=gpt")
        self.assertEqual(status, 200, body)
        self.assertEqual({**json.loads(body), "cloud": None}, {**found, "cloud": None})
        self.assertTrue(json.loads(body)["cloud"]["named"])
        for query in ("month=2026-03&month=2026-04", "moth=2026-03", "month=now", "against=nothing"):
            self.assertEqual(self.tandem.request("/tandem/v1/cost/local?" + query)[0], 400, query)

        rows = {m[0].strip("* "): m[1] for m in re.findall(r"^\| ([^|]+) \|[^|]*\| ([\d.]+) \|$", DOCS, re.M)}
        self.assertEqual({name: micros(D(value)) for name, value in rows.items()}, expected)

        text = self.tandem.cli("cost", "local", "--month", "2026-03").stdout
        for name in ("depreciation", "cost of capital", "electricity, busy", "electricity, idle", "used", "idle", "all of it", "hours of work", "total"):
            self.assertRegex(text, rf"(?m)^  {name} +{D(expected[name]) / 1_000_000:.6f}")
        self.assertEqual(text.count("modelled"), 4)

    def test_what_runs_at_once_counts_once_and_what_is_no_work_not_at_all(self):
        self.start(EXAMPLE)
        at = ms(2026, 3, 3, 12)
        self.insert(at, 1_000_000)
        self.insert(at + 500_000, 1_000_000)
        self.insert(at + 5_000_000, 4_000, outcome="failed", tokens_in=0, tokens_out=0)
        self.insert(at + 6_000_000, 9_000, outcome="cached")
        self.insert(at + 6_000_000, 9_000, outcome="skipped")
        self.insert(at + 6_000_000, 9_000, outcome="lost")
        self.insert(at + 6_000_000, 9_000, provider="far", model="gpt", zone=1)
        self.insert(ms(2026, 3, 31, 23, 59, 59), 5_000, tokens_in=0, tokens_out=0)  # to the end of the month
        self.insert(ms(2026, 4, 1), 5_000)
        found = self.local("--month", "2026-03")
        self.assertEqual(found["machines"][0]["busy_ms"], 1_500_000 + 4_000 + 1_000)
        self.assertEqual((found["tokens"]["attempts"], found["tokens"]["answered"], found["tokens"]["input"]), (4, 3, 1_000_000))
        self.assertEqual(found["cloud"]["cost_micros"], micros(D("1.25") + 2))

    def test_a_month_without_answers_is_all_idle(self):
        self.start(EXAMPLE)
        found = self.local("--month", "2026-02")
        self.assertEqual((found["used_micros"], found["per_million_micros"], found["per_answer_micros"]), (0, None, None))
        self.assertEqual(found["idle_micros"], found["total_micros"])
        self.assertEqual(found["machines"][0]["wall_ms"], 28 * 86_400_000)
        # Before it was bought it costs nothing; in the month of it depreciation counts whole, electricity from the day on.
        self.assertEqual(self.local("--month", "2025-08")["total_micros"], 0)
        self.assertEqual(self.local("--month", "2025-09")["machines"][0]["depreciation_micros"], 25_000_000)
        self.assertEqual(self.local("--month", "2025-09")["machines"][0]["wall_ms"], 16 * 86_400_000)
        self.assertFalse(self.local()["ended"])

    def test_days_whose_attempts_are_no_longer_kept_count_by_their_sums(self):
        self.start(EXAMPLE)
        kind = {"key": "anonymous", "alias": "auto", "label": 0, "provider": "lab", "model": "small", "zone": 0, "work": "chat", "source": "free", "outcome": "answered", "estimated": 0}
        with sqlite3.connect(self.tandem.folder / "data/ledger.db", timeout=30) as ledger:
            columns = [c[1] for c in ledger.execute("PRAGMA table_info(cost_kinds)")]
            ledger.execute(f"INSERT INTO cost_kinds ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})", [1 if c == "id" else kind.get(c, "") for c in columns])
            sums = {"day": ms(2026, 3, 2) // 86_400_000, "kind": 1, "attempts": 4, "input": 2_000_000, "output": 400_000, "total_ms": 4 * 3_600_000}
            columns = [c[1] for c in ledger.execute("PRAGMA table_info(cost_days)")]
            ledger.execute(f"INSERT INTO cost_days ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})", [sums.get(c, 0) for c in columns])
            ledger.execute("UPDATE attempts_kept SET since = ?", [ms(2026, 3, 5)])
        self.insert(ms(2026, 3, 6, 10), 3_600_000)
        found = self.local("--month", "2026-03")
        self.assertEqual(found["machines"][0]["busy_ms"], 5 * 3_600_000)
        self.assertEqual((found["tokens"]["attempts"], found["tokens"]["input"]), (5, 2_500_000))
        self.assertEqual(found["cloud"]["cost_micros"], micros(D("2.5") * D("1.25") + D("0.5") * 10))
        self.assertTrue(any("2026-03-05" in note for note in found["notes"]), found["notes"])

    def test_what_is_wrong_is_said(self):
        self.start(EXAMPLE)
        self.refused("month: expected a month such as 2026-11", "cost", "local", "--month", "2026-13")
        self.refused("month: 2999-01 has not begun", "cost", "local", "--month", "2999-01")
        self.refused("no cloud model 'gtp'; did you mean 'gpt'?", "cost", "local", "--against", "gtp")
        self.refused("no cloud model 'small'", "cost", "local", "--against", "small")
        self.refused("the price book is in USD while `currency` is EUR", "cost", "local", "--against", "openai/gpt-5.1")
        self.tandem.write("models: { m: { provider: p } }\nproviders: { p: { kind: openai, zone: local, base_url: http://127.0.0.1:9/v1 } }\ncurrency: EUR\n")
        self.refused("there is no hardware: in tandem.yaml", "cost", "local")

    def test_a_model_of_the_book_can_be_named(self):
        self.start(EXAMPLE.replace("currency: EUR", "currency: USD"))
        self.insert(ms(2026, 3, 3, 12), 1_000)
        named = self.local("--month", "2026-03", "--against", "openai/gpt-4o")["cloud"]
        self.assertEqual((named["model"], named["named"], named["source"]), ("openai/gpt-4o", True, "by the price book"))
        self.assertEqual(named["cost_micros"], micros(D("0.5") * D("2.5") + D("0.1") * 10))  # 2.50 and 10.00 a million
        self.refused("the price book has no 'openai/gpt-nobody'", "cost", "local", "--against", "openai/gpt-nobody")


class OwnersHours(Ledger):
    def test_entries_are_added_listed_and_taken_out(self):
        self.start(EXAMPLE)
        add = self.tandem.cli("cost", "hours", "add", "1.25h", "--kind", "upgrade", "--date", "2026-03-04", "new driver", "--json")
        self.assertEqual(add.returncode, 0, add.stderr)
        entry = json.loads(add.stdout)
        self.assertEqual((entry["ms"], entry["hours"], entry["kind"], entry["text"], entry["time"]), (4_500_000, "1.25", "upgrade", "new driver", ms(2026, 3, 4)))
        self.tandem.cli("cost", "hours", "add", "10m", "today")
        entries = json.loads(self.tandem.cli("cost", "hours", "list", "--json").stdout)["entries"]
        self.assertEqual([(e["hours"], e["kind"]) for e in entries], [("1.25", "upgrade"), ("0.1667", "operation")])
        self.assertIn("new driver", self.tandem.cli("cost", "hours", "list").stdout)
        self.assertEqual(self.local("--month", "2026-03")["hours"], {"operation_ms": 0, "upgrade_ms": 4_500_000, "debug_ms": 0, "cost_micros": 62_500_000})
        self.assertEqual(self.local()["hours_micros"], micros(D(50) / 6))
        self.assertEqual(self.tandem.cli("cost", "hours", "rm", str(entry["id"])).returncode, 0)
        self.refused("there is no entry", "cost", "hours", "rm", str(entry["id"]), code=5)
        self.assertEqual(self.local("--month", "2026-03")["hours_micros"], 0)

    def test_what_is_wrong_is_said(self):
        self.start(EXAMPLE)
        for time in ("0h", "-1h", "1e300h", "NaN", "h", "5", "1001h", "1.5 days", "99999999999999999999h"):
            self.refused("expected hours or minutes such as 1.5h or 90m", "cost", "hours", "add", "--", time, "text")
        self.refused("there is no 'debgu'; did you mean 'debug'?", "cost", "hours", "add", "1h", "text", "--kind", "debgu")
        self.refused("text: expected what was done", "cost", "hours", "add", "1h", " ")
        self.refused("text: expected what was done", "cost", "hours", "add", "1h", "x" * 301)
        self.refused("date: expected a day that has begun", "cost", "hours", "add", "1h", "text", "--date", "2999-01-01")
        status, _, body = self.tandem.request("/tandem/v1/cost/hours", {"time": "1h", "kind": "debug", "text": "x", "hours": 1})
        self.assertEqual(status, 400, body)

    def test_the_table_is_bounded(self):
        self.start(EXAMPLE)
        with sqlite3.connect(self.tandem.folder / "data/ledger.db", timeout=30) as ledger:
            ledger.executemany("INSERT INTO own_hours (id, time, ms, kind, text) VALUES (?, 0, 1, 0, 'x')", [(i,) for i in range(1, 10_001)])
        self.refused("there are 10000 entries, and no more are kept", "cost", "hours", "add", "1h", "text")


class Noticed(unittest.TestCase):
    """What happened at home is proposed as work, and never counted by itself."""

    def setUp(self):
        self.home, self.cloud = Upstream(lambda connection, body, number: connection.sendall(http({"error": {"message": "my dog is called Bello"}}, 500))), Upstream()
        self.addCleanup(self.home.close)
        self.addCleanup(self.cloud.close)
        folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        self.engine = folder / "llama-server"
        self.engine.write_text("#!/bin/sh\necho my dog is called Bello >&2\nexit 3\n")
        self.engine.chmod(0o755)
        (folder / "mine.gguf").write_bytes(b"GGUF\x03\0\0\0" + bytes(16))
        self.tandem = Tandem(f"providers:\n  lab: {self.home.provider()}\n  far: {self.cloud.provider('cloud')}\n  own: {{ kind: engine }}\n"
                             f"models:\n  a: {{ provider: lab }}\n  b: {{ provider: far }}\n  mine: {{ provider: own, file: {folder}/mine.gguf, context: 512 }}\n"
                             f"engine: {{ binary: {self.engine} }}\nhours: {{ rate: 50 }}\n")
        self.addCleanup(self.tandem.stop)

    def noticed(self):
        return json.loads(self.tandem.cli("cost", "hours", "list", "--json").stdout)["noticed"]

    def test_what_failed_at_home_is_proposed_until_it_is_booked_or_forgotten(self):
        for _ in range(3):
            self.tandem.chat(model="a")
        self.tandem.chat(model="mine")
        until(lambda: len(self.noticed()) == 2, "both to be noticed")
        found = {one["text"]: one for one in self.noticed()}
        (of_engine,), (of_lab,) = ([n for text, n in found.items() if text.startswith(begin)] for begin in ("the engine of mine failed", "lab failed"))
        self.assertEqual({of_engine["kind"], of_lab["kind"]}, {"debug"})
        # It is no record of what others said.
        self.assertNotIn("Bello", json.dumps(self.noticed()))
        self.assertNotIn(b"Bello", (self.tandem.folder / "data/ledger.db").read_bytes() + (self.tandem.folder / "data/ledger.db-wal").read_bytes())
        text = self.tandem.cli("cost", "hours", "list").stdout
        self.assertIn("noticed, and not counted", text)
        self.assertIn("lab failed again and again", text)
        # Nothing is counted by itself.
        self.assertEqual(json.loads(self.tandem.cli("cost", "hours", "list", "--json").stdout)["entries"], [])
        self.assertEqual(self.tandem.cli("cost", "hours", "add", "30m", "--for", str(of_engine["id"])).returncode, 0)
        (entry,) = json.loads(self.tandem.cli("cost", "hours", "list", "--json").stdout)["entries"]
        self.assertEqual((entry["ms"], entry["kind"], entry["text"]), (1_800_000, "debug", of_engine["text"]))
        self.assertGreaterEqual(entry["time"], of_engine["time"])  # it may have failed once more
        self.assertEqual(self.tandem.cli("cost", "hours", "dismiss", str(of_lab["id"])).returncode, 0)
        # The engine may have failed once more, which is another piece of work.
        self.assertFalse([one for one in self.noticed() if one["id"] in (of_engine["id"], of_lab["id"])])
        for command in (("add", "30m", "--for", str(of_engine["id"])), ("dismiss", str(of_engine["id"]))):
            result = self.tandem.cli("cost", "hours", *command)
            self.assertEqual(result.returncode, 5)
            self.assertIn("there is nothing noticed with the number", result.stderr)
        result = self.tandem.cli("cost", "hours", "add", "30m")
        self.assertEqual(result.returncode, 2)
        self.assertIn("say what was done", result.stderr)

    def test_what_was_upgraded_is_seen_at_the_next_start(self):
        self.assertEqual(self.noticed(), [])
        self.tandem.kill()
        self.tandem.start()
        self.assertEqual(self.noticed(), [])
        self.tandem.kill()
        self.engine.write_text("#!/bin/sh\nexit 4\n")
        self.tandem.start()
        (one,) = self.noticed()
        self.assertEqual((one["kind"], one["count"]), ("upgrade", 1))
        self.assertRegex(one["text"], r"^llama-server: \d+ bytes of 20\S+ became 17 bytes of 20\S+$")


class Measured(Ledger):
    """What the server reads of counters, and what becomes of it."""

    def rows(self):
        with sqlite3.connect(self.tandem.folder / "data/ledger.db", timeout=30) as ledger:
            return ledger.execute("SELECT machine, sum(uj), sum(covered_ms) FROM measured_energy GROUP BY machine").fetchall()

    def config(self, measure, more=""):
        return EXAMPLE.replace("cost_of_capital_percent: 4", f"cost_of_capital_percent: 4\n    measure: {measure}").replace("cooling: 1.1", f"cooling: 1.1\n  every: 1s{more}")

    def drawn(self, uj):
        until(lambda: sum(row[1] for row in self.rows()) >= uj, f"{uj} microjoules to be in the ledger")
        (machine, sum_, covered), = self.rows()
        self.assertEqual((machine, sum_), ("workstation", uj))
        self.assertGreater(covered, 0)

    def test_counters_of_processors_are_read_and_turn_over(self):
        folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)

        def write(package, name, text):
            (folder / package).mkdir(exist_ok=True)
            (folder / "new").write_text(f"{text}\n")
            os.replace(folder / "new", folder / package / name)

        for package, name in (("intel-rapl:0", "package-0"), ("intel-rapl:1", "psys"), ("intel-rapl:0:0", "core")):
            write(package, "name", name)
            write(package, "max_energy_range_uj", 262_143_328_850)
            write(package, "energy_uj", 262_143_328_000)
        self.start(self.config("{ source: rapl, rest_watts: 35 }", f"\n  powercap: {folder}"))
        until(lambda: "electricity is measured" in self.tandem.log_text(), "the first look")
        write("intel-rapl:1", "energy_uj", 262_143_328_849)
        write("intel-rapl:0", "energy_uj", 20_000)  # 850 to the end of its range, and 20,000
        self.drawn(20_850)
        write("intel-rapl:0", "energy_uj", 1_020_000)
        self.drawn(1_020_850)
        os.remove(folder / "intel-rapl:0/energy_uj")
        until(lambda: "electricity is not measured" in self.tandem.log_text(), "the log to say it")

    # A driver's library with two cards, whose counters are lines of a file.
    NVML = r"""
#include <stdio.h>
#include <string.h>
int nvmlInit_v2(void) { return 0; }
int nvmlShutdown(void) { return 0; }
const char* nvmlErrorString(int status) { return status == 15 ? "GPU is lost" : "Unknown Error"; }
int nvmlDeviceGetCount_v2(unsigned* count) { *count = 2; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** device) { *device = (void*)(unsigned long)(index + 1); return 0; }
int nvmlDeviceGetUUID(void* device, char* name, unsigned size) { return snprintf(name, size, "GPU-%lu", (unsigned long)device) < 0; }
int nvmlDeviceGetTotalEnergyConsumption(void* device, unsigned long long* mj) {
    FILE* file = fopen(COUNTERS, "r");
    if (!file) return 15;
    int found = 0;
    for (unsigned long i = 0; i < (unsigned long)device; ++i) found = fscanf(file, "%llu", mj);
    fclose(file);
    return found == 1 ? 0 : 3;
}
"""

    def test_counters_of_cards_are_read(self):
        folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        counters, library = folder / "counters", folder / "libnvidia-ml.so.1"

        def write(*mj):
            (folder / "new").write_text("\n".join(map(str, mj)))
            os.replace(folder / "new", counters)

        compiler = shutil.which("clang-19") or shutil.which("cc")
        subprocess.run([compiler, "-x", "c", "-shared", "-fPIC", f'-DCOUNTERS="{counters}"', "-o", library, "-"], input=self.NVML, text=True, check=True)
        write(5_000_000_000, 10)
        self.start(self.config("{ source: nvml, rest_watts: 90 }", f"\n  nvml: {library}"))
        until(lambda: "electricity is measured" in self.tandem.log_text(), "the first look")
        write(5_000_000_250, 40)
        self.drawn(280_000)  # microjoules
        os.remove(counters)
        until(lambda: "GPU is lost" in self.tandem.log_text(), "the log to say it")
        # One card alone is not what the machine drew.
        write(7_000_000_000)
        until(lambda: "does not count its energy" in self.tandem.log_text(), "the log to say it")
        self.assertEqual(self.rows()[0][1], 280_000)

    def test_a_machine_without_the_driver_says_so(self):
        self.start(self.config("{ source: rapl+nvml, rest_watts: 35 }", "\n  powercap: /nowhere"))
        until(lambda: "there is no package below /nowhere" in self.tandem.log_text(), "the log to say it")
        self.tandem.write(self.config("{ source: nvml, rest_watts: 35 }", "\n  nvml: /nowhere/libnvidia-ml.so.1"))
        until(lambda: "comes with NVIDIA's driver, and energy.nvml says where" in self.tandem.log_text(), "the log to say it")

    def plug(self, measure, answers, expected, header=""):
        seen = []

        def script(connection, body, number):
            seen.append(number)
            connection.sendall(http(answers[min(len(seen), len(answers)) - 1]))

        upstream = Upstream(script)
        self.addCleanup(upstream.close)
        self.start(self.config(measure.replace("URL", f"http://127.0.0.1:{upstream.port}")))
        self.drawn(expected)
        head = upstream.requests[0][0]
        self.assertTrue(head.startswith("GET "), head)
        self.assertIn(header.lower(), head.lower())
        return head.split()[1]

    def test_plugs_are_asked(self):
        path = self.plug("{ source: shelly, url: URL, channel: 1 }", [{"aenergy": {"total": 10.5}}, {"aenergy": {"total": 10.501}}], 3_600_000)
        self.assertEqual(path, "/rpc/Switch.GetStatus?id=1")
        path = self.plug("{ source: tasmota, url: URL }", [{"StatusSNS": {"ENERGY": {"Total": 1.5}}}, {"StatusSNS": {"ENERGY": {"Total": 1.50001}}}], 36_000_000)
        self.assertEqual(path, "/cm?cmnd=Status%2010")
        path = self.plug("{ source: home-assistant, url: URL, entity: sensor.pc, token: word }",
                         [{"state": v, "attributes": {"unit_of_measurement": "Wh"}} for v in ("100", "100.002")], 7_200_000, "Authorization: Bearer word")
        self.assertEqual(path, "/api/states/sensor.pc")

    def test_a_month_that_was_measured_is_called_so(self):
        self.start(self.config("{ source: tasmota, url: 'http://127.0.0.1:9' }"))
        first, last = ms(2026, 3, 1), ms(2026, 4, 1)
        night, day = hours_by_price()
        self.insert(ms(2026, 3, 3, 12), 3_600_000)
        with sqlite3.connect(self.tandem.folder / "data/ledger.db", timeout=30) as ledger:
            ledger.executemany("INSERT INTO measured_energy (machine, quarter, uj, covered_ms) VALUES ('workstation', ?, ?, 900000)",
                               [(at, 360_000_000_000 if ms(2026, 3, 3, 12) <= at < ms(2026, 3, 3, 13) else 36_000_000_000) for at in range(first, last, 900_000)])
        machine, = (found := self.local("--month", "2026-03"))["machines"]
        self.assertEqual((machine["energy_source"], found["energy_source"]), ("measured", "measured"))
        # 400 Wh in the hour of work, 40 Wh in each of the others.
        self.assertEqual(machine["energy_busy_micros"], micros(D("0.4") * D("1.1") * D("0.34")))
        self.assertEqual(machine["energy_idle_micros"], micros(D("0.04") * D("1.1") * D("0.5") * ((day - 1) * D("0.34") + night * D("0.22"))))
        self.assertEqual(machine["measured_wh"], 400 + 743 * 40)
        self.assertEqual(found["used_micros"] + found["idle_micros"] + found["hours_micros"], found["total_micros"])
        text = self.tandem.cli("cost", "local", "--month", "2026-03").stdout
        self.assertIn("Electricity is measured.", text)
        self.assertNotIn("modelled", text)


class OneAnswer(Ledger):
    """What `tandem explain` and its JSON say of an answer at home."""
    CONFIG = EXAMPLE.replace("http://127.0.0.1:8080/v1", "BASE")

    def test_an_answer_has_its_electricity_and_its_part_of_the_machine(self):
        upstream = Upstream()
        self.addCleanup(upstream.close)
        self.start(self.CONFIG.replace("BASE", upstream.base_url).replace('windows: [{ from: "22:00", to: "06:00", price: 0.22 }]', ""))
        self.assertEqual(self.tandem.chat(model="small")[0], 200)
        attempt, = self.tandem.explain()["attempts"]
        with sqlite3.connect(self.tandem.folder / "data/ledger.db", timeout=30) as ledger:  # an hour, in a month that is known
            ledger.execute("UPDATE attempts SET time = ?, total_ms = 3600000", [ms(2026, 3, 3, 12)])
        attempt, = self.tandem.explain()["attempts"]
        energy, hardware = micros(D("0.45") * D("1.1") * D("0.34")), micros(D("28.333333") / 744)
        self.assertEqual(attempt["at_home"], {"machine": "workstation", "energy_micros": energy, "energy_source": "modelled", "hardware_micros": hardware,
                                              "total_micros": energy + hardware,
                                              "text": f"electricity {D(energy) / 1_000_000:.6f}, modelled, and {D(hardware) / 1_000_000:.6f} of workstation"})
        text = self.tandem.cli("explain").stdout
        self.assertIn(f"{D(energy + hardware) / 1_000_000:.6f} EUR (electricity", text)
        self.assertNotIn("0.000000 EUR", text.split("  attempts")[1])

    def test_the_page_of_reports_says_where_energy_and_hours_went(self):
        upstream = Upstream()
        self.addCleanup(upstream.close)
        self.start(self.CONFIG.replace("BASE", upstream.base_url))
        self.assertEqual(self.tandem.chat(model="small")[0], 200)
        self.assertEqual(self.tandem.cli("cost", "hours", "add", "90m", "looked at it", "--kind", "debug").returncode, 0)
        status, _, over_api = self.tandem.request("/tandem/v1/cost?format=html")
        self.assertEqual(status, 200)
        for page in (self.tandem.cli("cost", "--html", "-").stdout, over_api.decode()):
            self.assertNotIn("not recorded yet", page)
            for text in ("workstation, busy", "workstation, idle", "modelled", "typed in", "1.5 h", "75.00"):
                self.assertIn(text, page)

    def test_the_page_has_the_hours_of_before_the_first_answer(self):
        upstream = Upstream()
        self.addCleanup(upstream.close)
        self.start(self.CONFIG.replace("BASE", upstream.base_url))
        days = [str(datetime.date.today() - datetime.timedelta(n)) for n in (6, 5, 3)]
        self.assertEqual(self.tandem.cli("cost", "hours", "add", "2h", "install", "--date", days[1]).returncode, 0)
        before = self.tandem.cli("cost", "--html", "-", "--since", days[0], "--until", days[2]).stdout
        self.assertIn("100.00", before)  # 2 h at 50, and no answer at all
        self.assertEqual(self.tandem.chat(model="small")[0], 200)
        self.assertEqual(self.tandem.cli("cost", "hours", "add", "30m", "looked at it").returncode, 0)
        for since in ((), ("--since", days[0])):
            page = self.tandem.cli("cost", "--html", "-", *since).stdout
            self.assertIn("2.5 h", page, since)
            self.assertIn("125.00", page, since)

    def test_a_machine_of_the_future_is_told(self):
        upstream = Upstream()
        self.addCleanup(upstream.close)
        later = str(datetime.date.today() + datetime.timedelta(400))
        self.start(re.sub(r"bought: [0-9-]+", f"bought: {later}", self.CONFIG.replace("BASE", upstream.base_url)))
        self.assertEqual(self.tandem.chat(model="small")[0], 200)
        self.assertIn(f"hardware.workstation.bought is {later}", self.tandem.cli("cost", "local").stdout)
        self.assertNotIn("at_home", self.tandem.explain()["attempts"][0])

    def test_the_last_line_of_an_answer_has_it_too(self):
        upstream = Upstream()
        self.addCleanup(upstream.close)
        self.start(self.CONFIG.replace("BASE", upstream.base_url))
        last = on_terminal(["ask", "--alias", "small", "hello"], self.tandem.env, self.tandem.folder).decode().strip().splitlines()[-1]
        self.assertRegex(last, r"small at lab \(local\), .* tokens, \d\.\d{6} EUR \(electricity \d\.\d{6}, modelled, and \d\.\d{6} of workstation\), \d+ ms, dec_")

    def test_what_it_costs_at_home_is_nobodys_business_but_the_owners(self):
        upstream = Upstream()
        self.addCleanup(upstream.close)
        self.start(self.CONFIG.replace("BASE", upstream.base_url) + "keys: { alice: { secret: key-of-alice-0123456789 } }\n")
        key = {"authorization": "Bearer key-of-alice-0123456789"}
        status, headers, body = self.tandem.chat(model="small", headers=key)
        self.assertEqual(status, 200, body)
        record = json.loads(self.tandem.request("/tandem/v1/decisions/" + headers["x-tandem-decision"], headers=key)[2])
        self.assertNotIn("at_home", record["attempts"][0])
        self.assertIn("at_home", self.tandem.explain()["attempts"][0])


if __name__ == "__main__":
    unittest.main()
