"""`tandem cost`: reports are what the attempts' rows add up to, whatever happens; the page is safe; a bill is reconciled; a corrected
price recomputes its days. Sums are recomputed here from the rows, by SQL and Python that share nothing with the program."""
import csv
import datetime
import io
import json
import random
import re
import signal
import sqlite3
import threading
import unittest
from decimal import Decimal as D
from html.parser import HTMLParser

from booking_test import CONFIG, Provider
from harness import Tandem, Upstream, http, until

BOB, BOSS = ({"authorization": f"Bearer {name}"} for name in ("bob-0123456789abcdef", "boss-0123456789abc"))
KINDS = "key, alias, label, provider, model, zone, work, source, tier, outcome, estimated, team, owner, workflow"
FROM_ROWS = """SELECT time / 86400000, key, alias, label, provider, model, zone, work, source, CASE WHEN bill = '' THEN '' ELSE COALESCE(json_extract(bill, '$.tier'), '') END,
  outcome, estimated, team, owner, workflow, count(*), sum(input), sum(cached), sum(cache_write), sum(output), sum(reasoning), sum(cost), sum(total_ms) FROM attempts GROUP BY 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15"""
FROM_DAYS = f"SELECT day, {KINDS}, attempts, input, cached, cache_write, output, reasoning, cost, total_ms FROM cost_days JOIN cost_kinds ON id = kind"
FROM_MONTHS = f"SELECT month, {KINDS}, attempts, input, cached, cache_write, output, reasoning, cost, total_ms FROM cost_months JOIN cost_kinds ON id = kind"


def month_of(day):
    date = datetime.date(1970, 1, 1) + datetime.timedelta(day)
    return date.year * 12 + date.month - 1


class Served(unittest.TestCase):
    extra = ""

    @classmethod
    def setUpClass(cls):
        cls.provider = Provider()
        cls.tandem = Tandem(cls.config())

    @classmethod
    def config(cls):
        return CONFIG.replace("BASE", f"http://127.0.0.1:{cls.provider.port}").replace("UNKNOWN", "").replace("LIMIT", "100") + cls.extra

    @classmethod
    def tearDownClass(cls):
        cls.provider.close()
        cls.tandem.stop()

    def ask(self, model, usage, beside=None, headers=BOB, **fields):
        self.provider.usage, self.provider.beside = usage, beside or {}
        status, answer, text = self.tandem.request("/v1/chat/completions", {"model": model, "messages": [{"role": "user", "content": "hi"}], "max_tokens": 64, **fields}, headers)
        self.assertEqual(status, 200, text)
        return answer["x-tandem-decision"]

    def rows(self, sql, *arguments):
        with sqlite3.connect(self.tandem.folder / "data/ledger.db") as ledger:
            return ledger.execute(sql, arguments).fetchall()

    def cost(self, *arguments):
        result = self.tandem.cli("cost", "--json", *arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout)

    def assert_sums_are_exact(self):
        rows = sorted(self.rows(FROM_ROWS))
        self.assertEqual(sorted(self.rows(FROM_DAYS)), rows)
        months = {}
        for day, *rest in rows:
            kind, sums = (month_of(day), *rest[:14]), rest[14:]
            months[kind] = [a + b for a, b in zip(months.get(kind, [0] * 8), sums)]
        self.assertEqual({row[:15]: list(row[15:]) for row in self.rows(FROM_MONTHS)}, months)
        return rows


class Exact(Served):
    def test_after_random_traffic_and_kills(self):
        rng = random.Random(18)
        for round in range(6):
            stop, begun = threading.Event(), threading.Event()

            def load(seed):
                mine = random.Random(seed)
                while not stop.is_set():
                    model = mine.choice(["gpt", "sonnet", "small", "mystery", "routed", "or/openai/gpt-5.1", "best-of-none"])
                    self.provider.usage = {"prompt_tokens": mine.randrange(1, 9000), "completion_tokens": mine.randrange(1, 900), "input_tokens": 5, "output_tokens": mine.randrange(1, 99)}
                    self.provider.beside = {"service_tier": mine.choice(["flex", "default", "priority"])}
                    try:
                        self.tandem.request("/v1/chat/completions", {"model": model, "messages": [{"role": "user", "content": mine.choice(["hi", "write a function in C that sorts"])}], "stream": mine.random() < 0.5},
                                            mine.choice([BOB, BOSS]), timeout=20)
                        begun.set()
                    except Exception:  # cut by the kill
                        pass

            threads = [threading.Thread(target=load, args=(round * 10 + n,)) for n in range(5)]
            [t.start() for t in threads]
            begun.wait(30)
            stop.wait(0.1 + rng.random() * 0.4)  # the kill comes at any moment
            self.tandem.kill()
            stop.set()
            [t.join() for t in threads]
            self.tandem.start()  # which settles what was lost
            rows = self.assert_sums_are_exact()
        self.assertGreater(len({row[5] for row in rows}), 4)
        self.assertEqual(self.cost()["total_micros"], sum(row[21] for row in rows))
        # The command while nobody serves: the same.
        whole = self.cost("--by", "key,outcome")
        self.tandem.kill()
        self.assertEqual(self.cost("--by", "key,outcome"), whole)
        self.tandem.start()


class Asked(Served):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        one = cls("test_nothing")
        usage = {"prompt_tokens": 1_000, "completion_tokens": 100, "total_tokens": 1_100}
        for model in ("gpt", "gpt", "mystery", "small"):
            one.ask(model, usage)
        for tier in ("flex", "<b onload=x>", "=HYPERLINK(1)"):  # a provider may say anything
            one.ask("gpt", usage, beside={"service_tier": tier})

    def test_nothing(self):
        """The fixture's."""

    def api(self, query, headers=BOSS, status=200):
        said, answer, text = self.tandem.request(f"/tandem/v1/cost{query}", headers=headers)
        self.assertEqual(said, status, text)
        return answer, text.decode()

    def test_command_and_api_say_the_same(self):
        for by in ("model", "key,day", "tier,outcome", "work,zone", "month,source"):
            self.assertEqual(json.loads(self.api(f"?by={by}")[1]), self.cost("--by", by))
        self.assertEqual(self.cost("--by", "key", "--by", "day"), self.cost("--by", "key,day"))
        tiers = {tuple(row["groups"].values()): row["attempts"] for row in self.cost("--by", "model,tier")["rows"]}
        self.assertEqual((tiers["gpt", "standard"], tiers["gpt", "flex"]), (2, 1))

    def test_a_table_says_what_it_is_of(self):
        text = self.tandem.cli("cost", "--by", "zone,model").stdout
        self.assertIn("days are UTC", text)
        self.assertRegex(text, r"(?m)^total +7 ")
        self.assertIn("OF UNKNOWN PRICE", text)
        today = datetime.datetime.now(datetime.timezone.utc).date()
        day = self.cost("--since", str(today), "--until", str(today + datetime.timedelta(1)))
        self.assertEqual((day["until"] - day["since"], day["total"]["attempts"]), (86_400_000, 7))
        self.assertEqual(self.cost("--until", str(today))["total"]["attempts"], 0)

    def test_csv_is_read_by_a_spreadsheet_as_what_it_is(self):
        kind, text = self.api("?by=tier,key&format=csv")
        self.assertTrue(kind["content-type"].startswith("text/csv"))
        rows = list(csv.DictReader(io.StringIO(text)))
        self.assertEqual(text, self.tandem.cli("cost", "--csv", "--by", "tier,key").stdout.replace("\n", "\r\n"))
        self.assertEqual({row["currency"] for row in rows}, {"USD"})
        self.assertEqual(sum(D(row["cost"]) for row in rows) * 1_000_000, self.cost()["total_micros"])
        for row in rows:
            self.assertNotRegex(row["tier"], "^[=+@-]")
        self.assertIn("'=hyperlink(1)", [row["tier"].lower() for row in rows])

    def test_what_is_misspelled_is_refused(self):
        for query in ("?bye=model", "?by=modle", "?by=model,day,key", "?since=yesterday", "?format=xml", "?since=7d&since=1d", "?since=2026-02-02&until=2026-02-01"):
            self.assertIn("error", json.loads(self.api(query, status=400)[1]))
        for arguments in (("--by", "modle"), ("--since", "yesterday"), ("--by", "model,day,key"), ("--csv", "--html", "x")):
            result = self.tandem.cli("cost", *arguments)
            self.assertEqual(result.returncode, 2, (arguments, result.stdout, result.stderr))
        self.api("", headers=BOB, status=403)
        self.assertIn("/tandem/v1/cost", json.loads(self.tandem.request("/tandem/v1/openapi.json", headers=BOSS)[2])["paths"])

    def test_the_page_is_whole_and_safe(self):
        file = self.tandem.folder / "cost.html"
        result = self.tandem.cli("cost", "--html", str(file), "--by", "key,tier")
        self.assertEqual(result.returncode, 0, result.stderr)
        text = file.read_text()
        page = Page()
        page.feed(text)
        page.close()
        self.assertEqual(page.open, [])
        self.assertFalse(page.tags & {"script", "img", "link", "iframe", "object", "a", "form"}, page.tags)
        self.assertFalse([a for a in page.attributes if a.startswith("on") or a in ("href", "src")])
        self.assertNotRegex(text, r"https?:|url\(|@import")
        self.assertIn("&lt;b onload=x&gt;", text)
        self.assertGreaterEqual(page.count["svg"], 4)
        self.assertGreaterEqual(page.count["table"], page.count["svg"])
        self.assertGreater(page.count["rect"], 6)
        self.assertIn("prefers-color-scheme:dark", text)
        self.assertEqual(text.count("not recorded yet"), 2)
        for title in ("Spend over time, by model", "Local against cloud", "Cost per successful task", "Where the energy went", "Where the hours went", "By key and tier"):
            self.assertIn(title, text)
        # The charts show the sums of the tables: heights add up to what the axis says.
        self.assertEqual(json.dumps(page.attributes).count("NaN"), 0)
        # An empty time is a page too.
        self.assertEqual(self.tandem.cli("cost", "--html", str(file), "--until", "2020-01-01").returncode, 0)
        self.assertIn("no attempts in this time", file.read_text())


class Page(HTMLParser):
    VOID = {"meta", "line", "rect", "br"}

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.attributes, self.count = [], set(), [], {}

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.count[tag] = self.count.get(tag, 0) + 1
        self.attributes += [name for name, _ in attrs]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag in self.VOID or tag == "rect":
            return
        while self.open[-1] in ("p", "li", "td", "th", "tr") and self.open[-1] != tag:
            self.open.pop()
        assert self.open.pop() == tag, (tag, self.open)


class Recompute(Served):
    def test_a_corrected_price_recomputes_its_days(self):
        usage = {"prompt_tokens": 1_000, "completion_tokens": 100, "total_tokens": 1_100}
        for _ in range(3):
            self.ask("mystery", usage, beside={"service_tier": "flex"})
        self.ask("routed", {**usage, "cost": 0.5})
        self.ask("gpt", usage)
        before = self.cost()
        self.assertEqual(before["unpriced"], 3)
        today = str(datetime.datetime.now(datetime.timezone.utc).date())
        nothing = self.tandem.cli("cost", "recompute", "--since", today, "--json")
        self.assertEqual((nothing.returncode, json.loads(nothing.stdout)["attempts"]), (0, 0), nothing.stderr)
        book = self.tandem.folder / "litellm.json"
        book.write_text(json.dumps({"mystery-9": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 2e-06, "output_cost_per_token": 1e-05}}))
        result = self.tandem.cli("prices", "import", str(book))
        self.assertEqual(result.returncode, 0, result.stderr)
        dry = json.loads(self.tandem.cli("cost", "recompute", "--since", today, "--dry-run", "--json").stdout)
        self.assertEqual((dry["attempts"], dry["after_micros"], dry["written"]), (3, 9_000, False))
        self.assertEqual(self.cost()["total_micros"], before["total_micros"])
        result = self.tandem.cli("cost", "recompute", "--since", today)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stdout, rf"(?m)^{today} +3 +0\.000000 +0\.009000$")
        self.assertIn("budgets go by it from now on", result.stdout)
        after = self.cost()
        self.assertEqual((after["total_micros"], after["unpriced"]), (before["total_micros"] + 9_000, 0))
        self.assertEqual([(c["day"], c["attempts"], c["after_micros"]) for c in after["corrections"]], [(today, 3, 9_000)])
        self.assertIn("was priced anew", self.tandem.cli("cost").stdout)
        self.assertEqual(self.rows("SELECT count(*), sum(cost), max(source) FROM corrected_attempts"), [(3, 0, "unknown")])
        self.assert_sums_are_exact()
        # A charge of the provider is its own word; a price of the owner's is taken only where that is said.
        self.assertEqual(self.rows("SELECT cost, source FROM attempts WHERE model = 'routed'"), [(500_000, "provider")])
        for body in ({}, {"since": "x"}, {"since": today, "bogus": 1}):
            self.assertEqual(self.tandem.request("/tandem/v1/cost/recompute", body, BOSS)[0], 400)
        self.assertEqual(self.tandem.request("/tandem/v1/cost/recompute", {"since": today}, BOB)[0], 403)

    def test_owners_prices_only_where_that_is_said(self):
        usage = {"prompt_tokens": 1_000, "completion_tokens": 100, "total_tokens": 1_100}
        self.ask("owned", usage)
        cost = lambda: self.rows("SELECT cost FROM attempts WHERE model = 'owned' ORDER BY decision DESC LIMIT 1")[0][0]
        self.assertEqual(cost(), 2_300)
        self.tandem.write(self.config().replace("price: { input: 2, cached_input: 1, output: 3 }", "price: { input: 20, cached_input: 1, output: 30 }"))
        self.tandem.process.send_signal(signal.SIGHUP)
        until(lambda: "20.0" in self.tandem.cli("models", "--json").stdout, "the new price")
        def recompute(*arguments):
            return json.loads(self.tandem.cli("cost", "recompute", "--since", "1d", "--json", *arguments).stdout)
        def corrected():
            self.ask("owned", usage)
            return cost() == 23_000
        until(corrected, "the server's new price")
        self.assertGreater(recompute()["left"]["priced_by_owner"], 0)
        self.assertEqual(self.rows("SELECT count(*) FROM attempts WHERE model = 'owned' AND cost = 2300")[0][0] > 0, True)
        self.assertGreater(recompute("--own-prices")["attempts"], 0)
        self.assertEqual(self.rows("SELECT count(*) FROM attempts WHERE model = 'owned' AND cost = 2300")[0][0], 0)
        self.assert_sums_are_exact()


def openai_page(day, results, **more):
    return {"object": "page", "data": [{"object": "bucket", "start_time": day, "end_time": day + 86_400, "results": results}], "has_more": False, "next_page": None, **more}


def openai_usage(model, input, output, cached=0, requests=1, key="key_ours", **more):
    return {"object": "organization.usage.completions.result", "input_tokens": input, "output_tokens": output, "input_cached_tokens": cached, "input_audio_tokens": 0, "output_audio_tokens": 0,
            "num_model_requests": requests, "project_id": "proj_1", "user_id": None, "api_key_id": key, "model": model, "batch": False, "service_tier": "default", **more}


def openai_cost(line_item, value, key="key_ours"):
    return {"object": "organization.costs.result", "amount": {"value": value, "currency": "usd"}, "line_item": line_item, "project_id": "proj_1", "api_key_id": key}


def anthropic_page(day, results):
    at = lambda t: datetime.datetime.fromtimestamp(t, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"data": [{"starting_at": at(day), "ending_at": at(day + 86_400), "results": results}], "has_more": False, "next_page": None}


class Reconcile(Served):
    """What the scripted providers served is known, so what they would report is."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        one = cls("test_nothing")
        for _ in range(3):
            one.ask("gpt", {"prompt_tokens": 10_000, "completion_tokens": 1_000, "total_tokens": 11_000, "prompt_tokens_details": {"cached_tokens": 4_000}})
        one.ask("gpt", {"prompt_tokens": 1_000, "completion_tokens": 100, "total_tokens": 1_100}, beside={"service_tier": "flex"})
        for _ in range(2):
            one.ask("sonnet", {"input_tokens": 2_000, "cache_read_input_tokens": 30_000, "cache_creation_input_tokens": 5_000, "output_tokens": 500,
                               "cache_creation": {"ephemeral_5m_input_tokens": 5_000, "ephemeral_1h_input_tokens": 0}})
        now = datetime.datetime.now(datetime.timezone.utc)
        cls.day = int(datetime.datetime(now.year, now.month, now.day, tzinfo=datetime.timezone.utc).timestamp())
        cls.date = str(now.date())

    def test_nothing(self):
        """The fixture's."""

    USAGE = [openai_usage("gpt-5.1-2025-11-13", 30_000, 3_000, 12_000, 3), openai_usage("gpt-5.1-2025-11-13", 1_000, 100, 0, 1, service_tier="flex")]
    # 18,000 at 1.25, 12,000 at 0.125, 3,000 at 10 a million; flex at half.
    COSTS = [openai_cost("gpt-5.1-2025-11-13, input", 0.0225), openai_cost("gpt-5.1-2025-11-13, cached input", "0.0015"), openai_cost("gpt-5.1-2025-11-13, output", 0.03),
             openai_cost("gpt-5.1-2025-11-13, input, flex", 0.000625), openai_cost("gpt-5.1-2025-11-13, output, flex", 5e-4)]

    def reconcile(self, *contents, arguments=(), code=0, suffix="json"):
        files = []
        for i, content in enumerate(contents):
            file = self.tandem.folder / f"report{i}.{suffix}"
            file.write_text(content if isinstance(content, str) else json.dumps(content))
            files.append(str(file))
        result = self.tandem.cli("cost", "reconcile", *files, *arguments, "--json")
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        if code:
            return result.stderr + result.stdout
        said = json.loads(result.stdout)
        for row in said["rows"]:  # a difference is the sum of its causes, exactly
            self.assertEqual(sum((D(c["amount"]) for c in row["causes"]), D(0)), D(row["difference"]), row)
        self.assertEqual(self.tandem.cli("cost", "reconcile", *files, *arguments, "--all").returncode, 0)
        return said

    def causes(self, said):
        return {(row["model"] and row["model"].split("-20")[0], c["cause"]): D(c["amount"]) for row in said["rows"] for c in row["causes"]}

    def test_an_exact_bill_agrees(self):
        for contents in ((openai_page(self.day, self.USAGE), openai_page(self.day, self.COSTS)), ([openai_page(self.day, self.USAGE), openai_page(self.day, self.COSTS)],),
                         (openai_page(self.day, self.COSTS),), ("\n".join(json.dumps(p) for p in (openai_page(self.day, self.USAGE), openai_page(self.day, self.COSTS))),)):
            said = self.reconcile(*contents)
            self.assertEqual((said["difference"], self.causes(said)), ("0", {}), said)
            self.assertEqual((said["theirs"], len(said["rows"]), said["rows"][0]["day"]), ("0.055125", 1, self.date))

    def test_traffic_that_was_not_ours(self):
        other = openai_usage("gpt-5.1-2025-11-13", 8_000, 0, 0, 2, key="key_other")
        more = openai_cost("gpt-5.1-2025-11-13, input", 0.01, key="key_other")
        said = self.reconcile(openai_page(self.day, [*self.USAGE, other]), openai_page(self.day, [*self.COSTS, more]))
        self.assertEqual(self.causes(said), {("gpt-5.1", "not_ours"): D("0.01")})
        self.assertIn("--keys", " ".join(said["notes"]))
        said = self.reconcile(openai_page(self.day, [*self.USAGE, other]), openai_page(self.day, [*self.COSTS, more]), arguments=("--keys", "key_ours=openai"))
        self.assertEqual({row["key"]: row["difference"] for row in said["rows"]}, {"openai": "0", "key_other": "0.01"})
        # Another model, whose price nobody here knows.
        said = self.reconcile(openai_page(self.day, [*self.USAGE, openai_usage("o9", 5, 5)]), openai_page(self.day, [*self.COSTS, openai_cost("o9, input", 7)]))
        self.assertEqual(self.causes(said), {("o9", "not_ours"): D(7)})

    def test_a_tier_a_price_fees_and_what_is_missing(self):
        flex = [openai_usage("gpt-5.1-2025-11-13", 31_000, 3_100, 12_000, 4, service_tier="flex")]
        said = self.reconcile(openai_page(self.day, flex))
        self.assertEqual(self.causes(said), {("gpt-5.1", "tier"): D("-0.027")})
        dearer = [openai_cost("gpt-5.1-2025-11-13, input", 0.0450), *self.COSTS[1:], openai_cost("web search tool calls", 0.02)]
        said = self.reconcile(openai_page(self.day, self.USAGE), openai_page(self.day, dearer))
        self.assertEqual(self.causes(said), {("gpt-5.1", "price"): D("0.0225"), ("", "no_tokens"): D("0.02")})
        said = self.reconcile(openai_page(self.day, [openai_usage("gpt-5.1-2025-11-13", 0, 0)][:0]))
        self.assertEqual(self.causes(said), {("gpt-5.1", "not_theirs"): D("-0.055125")})
        said = self.reconcile(openai_page(self.day - 86_400, []))
        self.assertEqual(said["rows"], [])

    def test_anthropic_counts_in_cents(self):
        usage = {"uncached_input_tokens": 4_000, "cache_creation": {"ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": 10_000}, "cache_read_input_tokens": 60_000, "output_tokens": 1_000,
                 "server_tool_use": {"web_search_requests": 0}, "api_key_id": "apikey_1", "workspace_id": None, "model": "claude-sonnet-4-5-20250929", "service_tier": "standard", "context_window": "0-200k"}
        def cost(token_type, amount, **more):
            return {"currency": "USD", "amount": amount, "workspace_id": None, "description": f"Claude Sonnet 4.5 Usage - {token_type}", "cost_type": "tokens", "context_window": "0-200k",
                    "model": "claude-sonnet-4-5-20250929", "service_tier": "standard", "token_type": token_type, **more}
        costs = [cost("uncached_input_tokens", "1.2"), cost("cache_creation.ephemeral_5m_input_tokens", "3.75"), cost("cache_read_input_tokens", "1.8"), cost("output_tokens", "1.5")]
        said = self.reconcile(anthropic_page(self.day, [usage]), anthropic_page(self.day, costs))
        self.assertEqual((said["theirs"], said["difference"], said["provider"]), ("0.0825", "0", "anthropic"), said)
        said = self.reconcile([anthropic_page(self.day, costs[:2]), anthropic_page(self.day, costs[2:] + [cost("x", "25", cost_type="web_search", model=None, description="Web Search Usage")])])
        self.assertEqual(self.causes(said), {("", "no_tokens"): D("0.25")})
        # Without group_by, one sum a day is compared as one.
        said = self.reconcile(anthropic_page(self.day, [{"currency": "USD", "amount": "8.25", "description": None, "model": None, "cost_type": None}]))
        self.assertEqual((said["difference"], [row["model"] for row in said["rows"]]), ("0", [""]))

    def test_a_csv_with_a_map_of_columns(self):
        table = f'\ufeffDate,Model,"Amount, $"\r\n{self.date},gpt-5.1-2025-11-13,"$0.054125"\r\n{self.date},gpt-5.1-2025-11-13,0.001\r\n'
        renamed = table.replace('"Amount, $"', "Amount")
        said = self.reconcile(renamed, suffix="csv", arguments=("--columns", "day=Date,model=Model,cost=Amount", "--provider", "openai"))
        self.assertEqual((said["theirs"], said["difference"]), ("0.055125", "0"))
        said = self.reconcile(f"start_time_iso\tn\n{self.date}T00:00:00+00:00\t5.5125\n", suffix="tsv", arguments=("--columns", "day=start_time_iso,cents=n", "--provider", "openai"))
        self.assertEqual(said["difference"], "0")
        for text, arguments, words in ((renamed, (), "day=NAME"), (renamed, ("--columns", "day=Day,cost=Amount"), "no column 'Day'"), (renamed, ("--columns", "day=Date,cost=Amount"), "--provider"),
                                       (renamed.replace(self.date, "11/12/2026"), ("--columns", "day=Date,cost=Amount"), "line 2"), (renamed.replace("0.001", '"1,5"'), ("--columns", "day=Date,cost=Amount"), "line 3"),
                                       (renamed, ("--columns", "bogus=Date"), "bogus"), (renamed + '"', ("--columns", "day=Date,cost=Amount"), "not closed")):
            self.assertIn(words, self.reconcile(text, suffix="csv", arguments=arguments, code=2))

    def test_what_is_no_report_is_refused_with_what_to_do(self):
        for content in ({}, [], {"data": 5}, {"object": "list", "data": [{"id": "x"}]}, "[", '{"error": {"message": "bad key"}}', openai_page(self.day, [openai_cost("x", "five")]),
                        openai_page(self.day, [openai_usage("m", -1, 2)]), openai_page(self.day + 3600, []), openai_page(self.day, [{**openai_cost("m, input", 1), "amount": {"value": 1, "currency": "eur"}}])):
            self.assertNotIn("ours", self.reconcile(content, code=2))
        said = self.reconcile(openai_page(self.day, self.COSTS, has_more=True, next_page="page_AAA"))
        self.assertIn("has_more", " ".join(said["notes"]))
        self.assertEqual(self.tandem.cli("cost", "reconcile", "/no/such/file").returncode, 5)


class FeesAndHours(Served):
    """Searches, an hour's cache, and what others asked."""

    reconcile, causes = Reconcile.reconcile, Reconcile.causes

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        one = cls("test_nothing")
        one.ask("sonnet", {"input_tokens": 0, "cache_creation_input_tokens": 10_000, "output_tokens": 100, "server_tool_use": {"web_search_requests": 2},
                           "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 10_000}})
        one.ask("gpt", {"prompt_tokens": 1_000, "completion_tokens": 200, "total_tokens": 1_200})
        cls.day = int(datetime.datetime.now(datetime.timezone.utc).timestamp()) // 86_400 * 86_400

    def test_nothing(self):
        """The fixture's."""

    def used(self, hour, **more):
        return {"uncached_input_tokens": 0, "cache_creation": {"ephemeral_1h_input_tokens": hour, "ephemeral_5m_input_tokens": 0}, "cache_read_input_tokens": 0, "output_tokens": 100,
                "server_tool_use": {"web_search_requests": 2}, "api_key_id": "apikey_1", "model": "claude-sonnet-4-5-20250929", "service_tier": "standard", **more}

    def paid(self, amount, kind="tokens"):
        return {"currency": "USD", "amount": amount, "description": "Web Search Usage" if kind != "tokens" else "tokens", "cost_type": kind,
                "model": "claude-sonnet-4-5-20250929" if kind == "tokens" else None, "service_tier": "standard"}

    def test_searches_that_both_have_are_no_difference(self):
        said = self.reconcile(anthropic_page(self.day, [self.used(10_000)]), anthropic_page(self.day, [self.paid("6"), self.paid("0.15"), self.paid("2", "web_search")]))
        self.assertEqual((said["theirs"], said["ours"], said["difference"], self.causes(said)), ("0.0815", "0.0815", "0", {}), said)
        # Three there, two here.
        said = self.reconcile(anthropic_page(self.day, [self.used(10_000)]), anthropic_page(self.day, [self.paid("6.15"), self.paid("3", "web_search")]))
        self.assertEqual(self.causes(said), {("", "no_tokens"): D("0.01")}, said)
        said = self.reconcile(anthropic_page(self.day, [self.paid("6.15"), self.paid("2", "web_search")]))
        self.assertEqual(said["difference"], "0", said)

    def test_what_is_kept_for_an_hour_is_priced_so(self):
        said = self.reconcile(anthropic_page(self.day, [self.used(12_000)]))
        self.assertEqual(self.causes(said), {("claude-sonnet-4-5", "not_ours"): D("0.012")}, said)

    def test_a_line_that_is_a_models_name_is_no_fee(self):
        for item in ("gpt-5.1-2025-11-13", "gpt-5.1-2025-11-13, input", None):
            said = self.reconcile(openai_page(self.day, [openai_cost(item, 0.00325)]))
            self.assertEqual((said["difference"], self.causes(said)), ("0", {}), said)

    def test_what_others_asked_is_priced_by_the_book(self):
        said = self.reconcile(openai_page(self.day, [openai_usage("gpt-5.1-2025-11-13", 1_000, 200, 0, 1), openai_usage("gpt-4o-2024-08-06", 50_000, 1_000, 0, 5)]))
        self.assertEqual(self.causes(said), {("gpt-4o", "not_ours"): D("0.135")}, said)


class Estimates(unittest.TestCase):
    def test_a_cancelled_answer_is_the_cause_of_its_difference(self):
        """A stream that its client leaves is booked by estimate; what the provider bills for it differs, and that is said."""
        from harness import SSE_HEAD, chunk
        left = threading.Event()

        def half(connection, body, number):
            connection.sendall(SSE_HEAD + chunk("word " * 50))
            left.wait(20)
            return "close"

        cloud = Upstream(half)
        tandem = Tandem(f"providers:\n  openai: {cloud.provider('cloud')}\nmodels:\n  m: {{ provider: openai, name: gpt-5.1, price: {{ input: 1, output: 10 }} }}\n")
        try:
            import socket
            body = json.dumps({"model": "m", "stream": True, "messages": [{"role": "user", "content": "hi"}]}).encode()
            with socket.create_connection(("127.0.0.1", tandem.port)) as client:
                client.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                until(lambda: b"word" in client.recv(4096), "the first words")
            rows = until(lambda: [r for r in json.loads(tandem.cli("cost", "--json", "--by", "outcome").stdout)["rows"] if r["group"] == "cancelled"], "the record")
            self.assertEqual((rows[0]["attempts"], rows[0]["estimated"]), (1, True))
            left.set()
            now = datetime.datetime.now(datetime.timezone.utc)
            day = int(datetime.datetime(now.year, now.month, now.day, tzinfo=datetime.timezone.utc).timestamp())
            billed = D(rows[0]["cost_micros"]) / 1_000_000 + D("0.000040")
            file = tandem.folder / "costs.json"
            file.write_text(json.dumps(openai_page(day, [openai_cost("gpt-5.1, output", str(billed))])))
            said = json.loads(tandem.cli("cost", "reconcile", str(file), "--provider", "openai", "--json").stdout)
            self.assertEqual([(c["cause"], D(c["amount"])) for c in said["rows"][0]["causes"]], [("cancelled", D("0.00004"))])
        finally:
            left.set()
            tandem.stop()
            cloud.close()


if __name__ == "__main__":
    unittest.main()
