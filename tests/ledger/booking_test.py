"""What the ledger books against an independent computation: rates stand here, by hand, and are multiplied with `decimal`.

A scripted provider for each dialect, whole and streamed, says what was used; the attempt's record must cost what the published rates
make of it, rounded once to a micro-dollar, half to even, and keep every bucket."""
from http.client import IncompleteRead
import json
import re
import signal
import sqlite3
import unittest
from decimal import ROUND_HALF_EVEN, Decimal as D

from harness import SSE_HEAD, Tandem, Upstream, http, until

# USD for a million tokens, as the providers publish them (see tests/ledger/prices_test.py for the pages).
GPT51 = {"": ("1.25", "0.125", "10"), "flex": ("0.625", "0.0625", "5"), "priority": ("2.5", "0.25", "20")}
SONNET = {False: {"input": "3", "read": "0.3", "write": "3.75", "hour": "6", "output": "15"},
          True: {"input": "6", "read": "0.6", "write": "7.5", "hour": "12", "output": "22.5"}}
GEMINI = {False: ("1.25", "0.125", "10"), True: ("2.5", "0.25", "15")}

CONFIG = """
providers:
  openai: { kind: openai, zone: cloud, base_url: BASE/v1, api_key: k }
  newer: { kind: responses, zone: cloud, base_url: BASE/v1, api_key: k }
  claude: { kind: anthropic, zone: cloud, base_url: BASE, api_key: k }
  gem: { kind: gemini, zone: cloud, base_url: BASE, api_key: k }
  openrouter: { kind: openai, zone: cloud, base_url: BASE/v1, api_key: k }
  home: { kind: openai, zone: local, base_url: BASE/v1 }
models:
  gpt: { provider: openai, name: gpt-5.1 }
  owned: { provider: openai, name: gpt-5.1, price: { input: 2, cached_input: 1, output: 3 } }
  gpt-r: { provider: newer, name: gpt-5.1 }
  sonnet: { provider: claude, name: claude-sonnet-4-5 }
  pro: { provider: gem, name: gemini-2.5-pro }
  routed: { provider: openrouter, name: openai/gpt-5.1 }
  "or/*": { provider: openrouter, name: "*" }
  mystery: { provider: openai, name: mystery-9 }
  small: { provider: home }
policy: { rules: [{ name: r, prefer: cloud }], attempts: 1 UNKNOWN}
keys:
  alice: { secret: alice-0123456789abc, budgets: [{ limit: LIMIT, window: total }] }
  carol: { secret: carol-0123456789abc, budgets: [{ limit: LIMIT, window: total }] }
  bob: { secret: bob-0123456789abcdef }
  boss: { secret: boss-0123456789abc, admin: true }
"""
ALICE, BOB, CAROL = ({"authorization": f"Bearer {name}"} for name in ("alice-0123456789abc", "bob-0123456789abcdef", "carol-0123456789abc"))


def micros(*parts):
    """Parts are (count, USD for a million)."""
    total = sum((D(n) * D(rate) for n, rate in parts), D(0))
    return int(total.quantize(D(1), ROUND_HALF_EVEN))


class Provider(Upstream):
    """Answers in the dialect of the path with the usage that was put into `usage`, and with `beside` beside it."""

    def __init__(self):
        self.usage, self.beside, self.first, self.earlier, self.broken = {}, {}, None, None, None
        super().__init__(self.say)

    def say(self, connection, body, number):
        path = self.requests[number - 1][0].split(" ")[1]
        if not body:  # doctor asks for the models
            return connection.sendall(http({"object": "list", "data": []}))
        asked = {"model": "", **json.loads(body)}  # doctor asks whether there is the route
        if self.broken:
            return self.stream(connection, *self.broken)
        if "/messages" in path:
            return self.messages(connection, asked)
        if "enerateContent" in path:
            return self.gemini(connection, "stream" in path)
        if "/responses" in path:
            return self.responses(connection, asked)
        return self.chat(connection, asked)

    def stream(self, connection, events, named=False, end=b""):
        data = b"".join((f"event: {e['type']}\n" if named else "").encode() + b"data: " + json.dumps(e).encode() + b"\n\n" for e in events)
        connection.sendall(SSE_HEAD + data + end)
        return "close"

    def chat(self, connection, asked):
        head = {"id": "c", "created": 1, "model": asked["model"], **self.beside}
        if not asked.get("stream"):
            choice = {"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}
            return connection.sendall(http({**head, "object": "chat.completion", "choices": [choice], "usage": self.usage}))
        head["object"] = "chat.completion.chunk"
        return self.stream(connection, [
            {**head, "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hel"}}], "usage": None},
            {**head, "choices": [{"index": 0, "delta": {"content": "lo"}}], "usage": self.earlier},
            {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": None},
            {**head, "choices": [], "usage": self.usage}], end=b"data: [DONE]\n\n")

    def responses(self, connection, asked):
        message = {"id": "m", "type": "message", "role": "assistant", "status": "completed", "content": [{"type": "output_text", "text": "Hello", "annotations": []}]}
        whole = {"id": "r", "object": "response", "created_at": 1, "status": "completed", "model": asked["model"], "output": [message], "usage": self.usage, **self.beside}
        if not asked.get("stream"):
            return connection.sendall(http(whole))
        begun = {**whole, "status": "in_progress", "output": [], "usage": None}
        return self.stream(connection, [
            {"type": "response.created", "response": begun, "sequence_number": 0},
            {"type": "response.output_item.added", "output_index": 0, "item": {**message, "content": [], "status": "in_progress"}, "sequence_number": 1},
            {"type": "response.content_part.added", "output_index": 0, "item_id": "m", "content_index": 0, "part": {"type": "output_text", "text": ""}, "sequence_number": 2},
            {"type": "response.output_text.delta", "output_index": 0, "item_id": "m", "content_index": 0, "delta": "Hello", "sequence_number": 3},
            {"type": "response.output_item.done", "output_index": 0, "item": message, "sequence_number": 4},
            {"type": "response.completed", "response": whole, "sequence_number": 5}], named=True)

    def messages(self, connection, asked):
        whole = {"id": "m", "type": "message", "role": "assistant", "model": asked["model"], "stop_reason": "end_turn", "stop_sequence": None,
                 "content": [{"type": "text", "text": "Hello"}], "usage": self.usage}
        if not asked.get("stream"):
            return connection.sendall(http(whole))
        begun = {**whole, "content": [], "stop_reason": None, "usage": {**self.usage, "output_tokens": 1}}
        last = {k: v for k, v in self.usage.items() if k not in ("cache_creation", "service_tier")} if self.first == "all" else {"output_tokens": self.usage["output_tokens"]}
        return self.stream(connection, [
            {"type": "message_start", "message": begun},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello"}},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": last},
            {"type": "message_stop"}], named=True)

    def gemini(self, connection, stream):
        def piece(text, **more):
            return {"candidates": [{"content": {"role": "model", "parts": [{"text": text}]}, "index": 0, **({"finishReason": "STOP"} if more else {})}], "modelVersion": "gemini-2.5-pro", **more}
        if not stream:
            return connection.sendall(http(piece("Hello", usageMetadata=self.usage)))
        return self.stream(connection, [{**piece("Hel"), "usageMetadata": {"promptTokenCount": self.usage["promptTokenCount"], "candidatesTokenCount": 1}}, piece("lo", usageMetadata=self.usage)])


class WithProvider(unittest.TestCase):
    unknown, limit = "", "100"

    @classmethod
    def setUpClass(cls):
        cls.provider = Provider()
        cls.tandem = Tandem(cls.config())

    @classmethod
    def config(cls):
        return CONFIG.replace("BASE", f"http://127.0.0.1:{cls.provider.port}").replace("UNKNOWN", cls.unknown).replace("LIMIT", cls.limit)

    @classmethod
    def tearDownClass(cls):
        cls.provider.close()
        cls.tandem.stop()

    def ask(self, model, usage, stream=False, beside=None, headers=BOB, status=200, path="/v1/chat/completions", **fields):
        """The record of the request's attempt."""
        self.provider.usage, self.provider.beside = usage, beside or {}
        said, answer, text = self.tandem.request(path, {"model": model, "messages": [{"role": "user", "content": "hi"}], "max_tokens": 64, "stream": stream, **fields}, headers)
        self.assertEqual(said, status, text)
        if status != 200:
            return json.loads(text)
        return self.tandem.explain(answer["x-tandem-decision"])["attempts"][-1]

    def both_ways(self, expected, model, usage, source="book", **fields):
        attempts = [self.ask(model, usage, stream, **fields) for stream in (False, True)]
        for attempt in attempts:
            self.assertEqual((attempt["cost_micros"], attempt["source"]), (expected, source), attempt)
            self.assertLessEqual(len(json.dumps(attempt["bill"], separators=(",", ":"))), 300)
        return attempts[0]["bill"]


class Booking(WithProvider):
    def test_openai_cached_and_thought(self):
        usage = {"prompt_tokens": 10_007, "completion_tokens": 333, "total_tokens": 10_340, "prompt_tokens_details": {"cached_tokens": 4_096}, "completion_tokens_details": {"reasoning_tokens": 300}}
        rate = GPT51[""]
        bill = self.both_ways(micros((5_911, rate[0]), (4_096, rate[1]), (333, rate[2])), "gpt", usage)
        self.assertEqual(bill["usage"], {"input": 5_911, "cache_read": 4_096, "output": 33, "reasoning": 300})
        self.assertEqual(bill["entry"], "openai/gpt-5.1")

    def test_the_tier_of_the_response_counts(self):
        usage = {"prompt_tokens": 10_007, "completion_tokens": 333, "total_tokens": 10_340}
        for tier in ("flex", "priority"):
            rate = GPT51[tier]
            bill = self.both_ways(micros((10_007, rate[0]), (333, rate[2])), "gpt", usage, beside={"service_tier": tier})
            self.assertEqual(bill["tier"], tier)
        rate = GPT51[""]
        self.both_ways(micros((10_007, rate[0]), (333, rate[2])), "gpt", usage, beside={"service_tier": "default"}, service_tier="flex")

    def test_responses(self):
        usage = {"input_tokens": 9_001, "input_tokens_details": {"cached_tokens": 1_024}, "output_tokens": 77, "output_tokens_details": {"reasoning_tokens": 64}, "total_tokens": 9_078}
        rate = GPT51["flex"]
        self.both_ways(micros((7_977, rate[0]), (1_024, rate[1]), (77, rate[2])), "gpt-r", usage, beside={"service_tier": "flex"})

    def test_anthropic_writes_for_five_minutes_and_an_hour(self):
        usage = {"input_tokens": 2_001, "cache_read_input_tokens": 30_000, "cache_creation_input_tokens": 5_000, "output_tokens": 503,
                 "cache_creation": {"ephemeral_5m_input_tokens": 1_000, "ephemeral_1h_input_tokens": 4_000}, "service_tier": "standard"}
        rate = SONNET[False]
        expected = micros((2_001, rate["input"]), (30_000, rate["read"]), (1_000, rate["write"]), (4_000, rate["hour"]), (503, rate["output"]))
        for path in ("/v1/chat/completions", "/v1/messages"):
            for first in (None, "all"):
                self.provider.first = first
                bill = self.both_ways(expected, "sonnet", usage, path=path)
                self.assertEqual(bill["usage"], {"input": 2_001, "cache_read": 30_000, "cache_write": 1_000, "cache_write_1h": 4_000, "output": 503})

    def test_a_long_prompt_reprices_the_whole(self):
        self.provider.first = None
        for length, long in ((200_000, False), (200_001, True)):
            rate = SONNET[long]
            self.both_ways(micros((length - 1_000, rate["input"]), (1_000, rate["read"]), (10, rate["output"])), "sonnet",
                           {"input_tokens": length - 1_000, "cache_read_input_tokens": 1_000, "output_tokens": 10})
            rate = GEMINI[long]
            self.both_ways(micros((length - 1_000, rate[0]), (1_000, rate[1]), (30, rate[2])), "pro",
                           {"promptTokenCount": length, "cachedContentTokenCount": 1_000, "candidatesTokenCount": 10, "thoughtsTokenCount": 20, "totalTokenCount": length + 30})

    def test_what_openrouter_charged_is_booked(self):
        usage = {"prompt_tokens": 1_000, "completion_tokens": 100, "total_tokens": 1_100, "cost": 0.00231, "cost_details": {"upstream_inference_cost": None}}
        ours = micros((1_000, "1.25"), (100, "10"))
        bill = self.both_ways(2_310, "routed", usage, source="provider")
        self.assertEqual(D(bill["by_book"]) * 1_000_000, ours)
        # 0 is no price of what costs something.
        self.both_ways(ours, "routed", {**usage, "cost": 0})
        # Nor is what comes to nothing, nor what is far beyond any price; a name in the response makes nothing free.
        self.both_ways(ours, "routed", {**usage, "cost": 1e-15})
        self.both_ways(ours, "routed", {**usage, "cost": "1000000000"})
        self.both_ways(ours, "routed", {**usage, "cost": 0}, beside={"model": "openai/gpt-5.1:free"})
        # A name behind a pattern has its own price.
        del usage["cost"]
        self.both_ways(ours, "or/openai/gpt-5.1", usage)

    def test_the_owners_price_goes_before_the_book(self):
        usage = {"prompt_tokens": 1_001, "completion_tokens": 100, "total_tokens": 1_101, "prompt_tokens_details": {"cached_tokens": 500}}
        self.both_ways(micros((501, "2"), (500, "1"), (100, "3")), "owned", usage, source="owner", beside={"service_tier": "priority"})

    def test_home_is_free(self):
        attempt = self.ask("small", {"prompt_tokens": 1_001, "completion_tokens": 100, "total_tokens": 1_101, "cost": 5})
        self.assertEqual((attempt["cost_micros"], attempt["source"]), (0, "free"))
        self.assertNotIn("bill", attempt)

    def test_tools_of_a_stream_that_broke_off_are_paid(self):
        def item(kind, number, **more):
            return {"type": kind, "id": f"{kind}_{number}", "status": "completed", **more}
        searches = [item("web_search_call", n, action={"type": "search", "query": "x"}) for n in range(3)]
        output = [*searches, item("web_search_call", 9, action={"type": "open_page", "url": "http://x"}), item("file_search_call", 1),
                  item("code_interpreter_call", 1, container_id="c1"), item("code_interpreter_call", 2, container_id="c1")]
        begun = {"id": "r", "object": "response", "created_at": 1, "status": "in_progress", "model": "gpt-5.1", "output": [], "usage": None,
                 "tools": [{"type": "web_search"}]}
        responses = [{"type": "response.created", "response": begun}]
        for place, one in enumerate(output):
            for kind in ("added", "done"):
                known = one if kind == "done" else {k: v for k, v in one.items() if k != "action"}
                responses.append({"type": f"response.output_item.{kind}", "output_index": place, "item": known})
        responses.append({"type": "response.output_text.delta", "output_index": 7, "item_id": "m", "content_index": 0, "delta": "found " * 8})
        bill = self.broken("gpt-r", responses, named=True)
        self.assertEqual({k: v for k, v in bill["usage"].items() if k not in ("input", "output")}, {"web_search": 3, "file_search": 1, "code_execution": 1})
        self.assertEqual(bill["cost"], micros((bill["usage"]["input"], "1.25"), (bill["usage"]["output"], "10"), (3, "10000"), (1, "2500"), (1, "30000")))

        blocks = [{"type": "server_tool_use", "id": f"s{n}", "name": "web_search", "input": {}} for n in range(3)]
        blocks.append({"type": "web_search_tool_result", "tool_use_id": "s2", "content": {"type": "web_search_tool_result_error", "error_code": "unavailable"}})
        blocks.append({"type": "text", "text": ""})
        begun = {"id": "m", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5", "stop_reason": None, "content": [],
                 "usage": {"input_tokens": 40, "output_tokens": 1}}
        messages = [{"type": "message_start", "message": begun}]
        for place, one in enumerate(blocks):
            messages.append({"type": "content_block_start", "index": place, "content_block": one})
            if one["type"] == "text":
                messages.append({"type": "content_block_delta", "index": place, "delta": {"type": "text_delta", "text": "found " * 8}})
            else:
                messages.append({"type": "content_block_stop", "index": place})
        bill = self.broken("sonnet", messages, named=True)
        self.assertEqual(bill["usage"].get("web_search"), 2)

        grounded = {"content": {"role": "model", "parts": [{"text": "found " * 8}]}, "index": 0, "groundingMetadata": {"webSearchQueries": ["a", "b"]}}
        bill = self.broken("pro", [{"candidates": [grounded]}, {"candidates": [grounded]}])
        self.assertEqual(bill["usage"].get("web_search"), 2)

    def broken(self, model, events, named=False):
        """The bill of a stream that ends behind these events, without a usage."""
        self.provider.broken = (events, named)
        try:
            with self.assertRaises(IncompleteRead):
                self.tandem.request("/v1/chat/completions", {"model": model, "messages": [{"role": "user", "content": "hi"}], "stream": True}, BOB)
        finally:
            self.provider.broken = None
        attempt = self.tandem.explain()["attempts"][-1]
        self.assertTrue(attempt["usage"]["estimated"], attempt)
        return {**attempt["bill"], "cost": attempt["cost_micros"]}

    def test_an_unknown_price_is_loud(self):
        usage = {"prompt_tokens": 1_000, "completion_tokens": 100, "total_tokens": 1_100}
        attempt = self.ask("mystery", usage)
        self.assertEqual((attempt["cost_micros"], attempt["source"], attempt["bill"]["usage"]), (0, "unknown", {"input": 1_000, "output": 100}))
        self.assertIn("no price is known", attempt["warnings"])
        self.assertEqual(len(re.findall("a model has no price.*mystery", self.tandem.log_text())), 1, self.tandem.log_text())
        for command in (("cost",), ("explain",), ("models",), ("doctor",)):
            self.assertRegex(self.tandem.cli(*command).stdout, "(?i)unknown price|no price|UNKNOWN", command)
        cost = json.loads(self.tandem.cli("cost", "--json").stdout)
        self.assertEqual(sum(row["unpriced"] for row in cost["rows"]), cost["unpriced"])
        self.assertIn("mystery", {row["group"] for row in cost["rows"] if row["unpriced"]})
        refused = self.ask("mystery", usage, headers=ALICE, status=429)
        self.assertIn("no price", refused["error"]["message"])

    def test_models_say_whose_price_it_is(self):
        models = {m["id"]: m for m in json.loads(self.tandem.cli("models", "--json").stdout)["models"]}
        self.assertEqual({k: v["price_source"] for k, v in models.items()},
                         {"gpt": "book", "owned": "owner", "gpt-r": "book", "sonnet": "book", "pro": "book", "routed": "book", "or/*": "unknown", "mystery": "unknown", "small": "free"})
        self.assertEqual((models["sonnet"]["price"], models["sonnet"]["price_entry"]), ({"input": "3.000000", "cache_read": "0.300000", "cache_write": "3.750000", "cache_write_1h": "6.000000", "output": "15.000000"}, "anthropic/claude-sonnet-4-5"))

    def test_an_attempts_row_keeps_every_bucket(self):
        usage = {"input_tokens": 11, "cache_read_input_tokens": 12, "cache_creation_input_tokens": 13, "output_tokens": 14, "server_tool_use": {"web_search_requests": 2}}
        attempt = self.ask("sonnet", usage)
        rate = SONNET[False]
        self.assertEqual(attempt["cost_micros"], micros((11, rate["input"]), (12, rate["read"]), (13, rate["write"]), (14, rate["output"]), (2, "10000")))
        with sqlite3.connect(self.tandem.folder / "data/ledger.db") as ledger:
            row = ledger.execute("SELECT bill FROM attempts ORDER BY decision DESC, number DESC LIMIT 1").fetchone()[0]
        self.assertEqual(json.loads(row)["usage"], {"input": 11, "cache_read": 12, "cache_write": 13, "output": 14, "web_search": 2})


    def test_an_estimate_says_at_most_only_where_it_is_the_most(self):
        usage = {"prompt_tokens": 10, "completion_tokens": 20_000, "total_tokens": 20_010}
        def line(model, headers=BOB, **fields):
            self.provider.usage, self.provider.beside = usage, {}
            _, answer, _ = self.tandem.request("/v1/chat/completions", {"model": model, "messages": [{"role": "user", "content": "hi"}], **fields}, headers)
            text = self.tandem.cli("explain", answer["x-tandem-decision"]).stdout
            return next(l for l in text.splitlines() if l.strip().startswith("1. "))
        self.assertRegex(line("gpt"), r"about 0\.0102\d\d USD for 1024 tokens of answer, no maximum was asked$")
        self.assertRegex(line("gpt", max_tokens=100), r", at most 0\.001\d\d\d USD$")
        self.assertRegex(line("gpt", ALICE), r", at most 0\.\d+ USD$")  # its budget gives it a maximum
        self.assertRegex(line("mystery"), r", price unknown$")
        self.assertRegex(line("small"), r", at most 0\.000000 USD$")
        # A pattern costs what the model costs that was asked for.
        self.assertRegex(line("or/openai/gpt-5.1", max_tokens=100), r", at most 0\.001\d\d\d USD$")
        self.assertRegex(line("or/openai/gpt-5.1", max_tokens=100), r" - cost 0\.0010")
        self.assertRegex(line("or/nobody/knows-9"), r", price unknown$")
        self.assertIn("the same inputs give the same decision", self.tandem.cli("explain", "last").stdout)

    def test_another_model_in_the_response_is_told(self):
        usage = {"prompt_tokens": 1_000, "completion_tokens": 100, "total_tokens": 1_100}
        attempt = self.ask("gpt", usage, beside={"model": "gpt-5-mini-2025-08-07"})
        self.assertEqual(attempt["cost_micros"], micros((1_000, "1.25"), (100, "10")))
        self.assertIn("the response names gpt-5-mini-2025-08-07, whose price would come to 0.000450000000; it is booked as gpt-5.1", attempt["warnings"])
        self.assertNotIn("the response names", self.ask("gpt", usage, beside={"model": "gpt-5.1-2025-11-13"}).get("warnings", ""))

    def test_a_reservation_that_past_answers_raise_says_so(self):
        # 70 USD of a budget of 100, and 7 million tokens beyond a bound of 64: less than 100 times what is asked for next.
        self.ask("gpt-r", {"input_tokens": 10, "output_tokens": 7_000_064, "total_tokens": 7_000_074}, headers=CAROL)
        refused = self.ask("gpt-r", {}, headers=CAROL, status=429, max_tokens=128_000)["error"]["message"]
        found = re.search(r"(\d+) tokens of answer are reserved where 128000 were asked for at most, since gpt-r went that far beyond", refused)
        self.assertIsNotNone(found, refused)
        # Half of it is forgotten in ten minutes.
        self.assertTrue(3_628_000 < int(found[1]) <= 7_128_000, refused)

    def test_row_and_cost_are_one_reading_of_what_was_said(self):
        def row_of(attempt):
            usage = attempt["usage"]
            return usage["input"], usage["output"]
        for usage in ({"prompt_tokens": 10**18, "completion_tokens": 2**70}, {"prompt_tokens": 1000.6, "completion_tokens": 100.4},
                      {"prompt_tokens": 1_005, "completion_tokens": 10, "prompt_tokens_details": {"cached_tokens": 10_000_000}},
                      {"prompt_tokens": 1_000, "completion_tokens": 1_000, "billed_units": {"input_tokens": 1, "output_tokens": 1}},
                      {"prompt_tokens": 1_000, "completion_tokens": 1_000, "promptTokenCount": 1, "candidatesTokenCount": 1},
                      {"prompt_tokens": 1_000, "completion_tokens": 1_000, "inputTokens": 1, "outputTokens": 1}):
            for stream in (False, True):
                attempt = self.ask("gpt", usage, stream)
                told = attempt["bill"]["usage"]
                prompt = told.get("input", 0) + told.get("cache_read", 0)
                self.assertEqual(row_of(attempt), (prompt, told["output"]), (usage, attempt))
                self.assertLessEqual(max(row_of(attempt)), 10**9)
                self.assertEqual(attempt["cost_micros"], micros((told.get("input", 0), "1.25"), (told.get("cache_read", 0), "0.125"), (told["output"], "10")))
                if usage["prompt_tokens"] == 1_000:
                    self.assertEqual(row_of(attempt), (1_000, 1_000))

    def test_the_higher_of_two_usages_in_a_stream_is_paid(self):
        self.provider.earlier = {"prompt_tokens": 1_000, "completion_tokens": 1_000, "total_tokens": 2_000}
        self.addCleanup(setattr, self.provider, "earlier", None)
        attempt = self.ask("gpt", {"prompt_tokens": 10, "completion_tokens": 1, "total_tokens": 11}, stream=True)
        self.assertEqual(attempt["cost_micros"], micros((1_000, "1.25"), (1_000, "10")))
        self.assertEqual((attempt["usage"]["input"], attempt["usage"]["output"]), (1_000, 1_000))

    def test_an_ordinary_answer_is_no_line_of_a_batch(self):
        usage = {"prompt_tokens": 1_000, "completion_tokens": 1_000, "total_tokens": 2_000}
        for beside in ({"custom_id": "x"}, {"response": {"body": {"usage": {"prompt_tokens": 1, "completion_tokens": 1}}}}, {"modelOutput": {"usage": {"prompt_tokens": 1, "completion_tokens": 1}}}):
            self.both_ways(micros((1_000, "1.25"), (1_000, "10")), "gpt", usage, beside=beside)

    def test_the_sums_of_all_rows_say_whose_word_they_are(self):
        usage = {"prompt_tokens": 1_000, "completion_tokens": 100, "total_tokens": 1_100}
        self.ask("gpt", usage)
        self.ask("owned", usage)
        cost = json.loads(self.tandem.cli("cost", "--json").stdout)
        for source in ("book", "owner"):
            self.assertEqual(cost["total"]["sources"][source], sum(row["sources"].get(source, 0) for row in cost["rows"]))
            self.assertGreater(cost["total"]["sources"][source], 0)


class Refuse(WithProvider):
    unknown = ", unknown_price: refuse"

    def test_what_the_owner_refuses_is_no_matter_of_money(self):
        for headers in (BOB, ALICE):
            refused = self.ask("mystery", {}, headers=headers, status=422)["error"]
            self.assertEqual(refused["code"], "price_unknown")
            self.assertIn("policy.unknown_price is refuse", refused["message"])
        said, _, text = self.tandem.request("/v1/messages", {"model": "or/nobody/knows-9", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}, BOB)
        self.assertEqual((said, json.loads(text)["error"]["type"]), (400, "invalid_request_error"), text)  # as Anthropic says it


class Currency(unittest.TestCase):
    def test_amounts_stay_in_the_currency_that_they_were_booked_in(self):
        provider = Provider()
        self.addCleanup(provider.close)
        config = CONFIG.replace("BASE", f"http://127.0.0.1:{provider.port}").replace("UNKNOWN", "").replace("LIMIT", "100")
        tandem = Tandem("currency: EUR\n" + config)
        self.addCleanup(tandem.stop)
        told = lambda: json.loads(tandem.cli("status", "--json").stdout)
        # Nothing was booked: it is what the config says.
        tandem.write("currency: USD\n" + config)
        until(lambda: told()["currency"] == "USD", "the new currency")
        provider.usage = {"prompt_tokens": 1_000, "completion_tokens": 100, "total_tokens": 1_100}
        self.assertEqual(tandem.request("/v1/chat/completions", {"model": "gpt", "messages": [{"role": "user", "content": "hi"}]}, BOB)[0], 200)
        tandem.write("currency: EUR\n" + config)
        until(lambda: told().get("config_refused"), "the refusal")
        self.assertIn("the amounts of this ledger are in USD, and they are not converted to EUR", told()["config_refused"])
        self.assertEqual(told()["currency"], "USD")
        self.assertEqual(json.loads(tandem.cli("cost", "--json").stdout)["currency"], "USD")
        self.assertNotIn("EUR", tandem.cli("explain", "last").stdout)
        tandem.kill()
        with self.assertRaises(AssertionError) as refused:
            tandem.start()
        self.assertIn("set currency: USD, or begin a new ledger", str(refused.exception))
        self.assertEqual(json.loads(tandem.cli("cost", "--json").stdout)["currency"], "USD")
        tandem.write("currency: USD\n" + config)
        tandem.start()


class Import(WithProvider):
    def test_an_imported_price_counts_in_the_running_server(self):
        usage = {"prompt_tokens": 1_000_000, "completion_tokens": 1, "total_tokens": 1_000_001}
        self.assertEqual(self.ask("mystery", usage)["source"], "unknown")
        table = self.tandem.folder / "table.json"
        table.write_text(json.dumps({"mystery-9": {"litellm_provider": "openai", "input_cost_per_token": 1e-06, "output_cost_per_token": 8e-06}}))
        imported = self.tandem.cli("prices", "import", str(table))
        self.assertEqual(imported.returncode, 0, imported.stderr)
        until(lambda: self.ask("mystery", usage)["source"] == "book", "the imported price")
        self.assertEqual(self.ask("mystery", usage)["cost_micros"], 1_000_008)
        # It is found without its provider, which the table says.
        self.assertEqual(json.loads(self.tandem.cli("prices", "show", "mystery-9", "--json").stdout)["entry"]["provider"], "openai")


class Reload(WithProvider):
    def take_over(self, config, price):
        self.tandem.write(config)
        self.tandem.process.send_signal(signal.SIGHUP)
        usage = {"prompt_tokens": 1_000, "completion_tokens": 1, "total_tokens": 1_001}
        until(lambda: self.ask("gpt", usage)["cost_micros"] == price, "the new price")

    def test_takes_the_owners_price_and_gives_it_back(self):
        config = self.config()
        book = micros((1_000, "1.25"), (1, "10"))
        self.take_over(config, book)
        self.take_over(config.replace("name: gpt-5.1 }", "name: gpt-5.1, price: { input: 7, output: 7 } }", 1), 7_007)
        self.take_over(config, book)


class Estimated(WithProvider):
    unknown, limit = ", unknown_price: estimate 20", "0.01"

    def test_an_unknown_price_is_estimated_and_holds_budgets(self):
        usage = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}
        attempt = self.ask("mystery", usage, headers=ALICE)
        self.assertEqual((attempt["cost_micros"], attempt["source"]), (3_000, "estimate"))
        self.ask("mystery", usage, headers=ALICE)
        self.ask("mystery", usage, headers=ALICE)
        refused = self.ask("mystery", usage, headers=ALICE, status=429)
        self.assertIn("limit", refused["error"]["message"])

    def test_the_worst_tier_that_was_asked_for_is_reserved(self):
        # 64 tokens cost 640 by the standard rates of gpt-5.1, and 1,280 with priority.
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        decisions = []
        for tier in ("default", "priority", "flex", "auto"):
            self.provider.usage, self.provider.beside = usage, {}
            _, answer, _ = self.tandem.request("/v1/chat/completions", {"model": "gpt", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 64, "service_tier": tier}, BOB)
            decisions.append(self.tandem.explain(answer["x-tandem-decision"])["decision"]["candidates"][0]["scores"]["estimate_micros"])
        self.assertGreaterEqual(decisions[1], 1_280)
        self.assertGreaterEqual(decisions[0], 640)
        # The tier's name counts as a token or two of the prompt.
        self.assertAlmostEqual(decisions[1], 2 * decisions[0], delta=8)
        self.assertAlmostEqual(decisions[2], decisions[0], delta=8)
        # The provider chooses: a project's own setting may be priority.
        self.assertAlmostEqual(decisions[3], decisions[1], delta=8)


class OwnersPrice(WithProvider):
    """What an owner's price has no words for is the book's, where it knows the model."""

    @classmethod
    def config(cls):
        own = "price: { input: 3, cached_input: 0.3, cache_write: 3.75, output: 15 }"
        return super().config().replace("  mystery: {", f"  own-sonnet: {{ provider: claude, name: claude-sonnet-4-5, {own} }}\n  own-new: {{ provider: claude, name: claude-nobody-9, {own} }}\n"
                                        "  own-free: { provider: claude, name: claude-sonnet-4-5, price: { input: 0, output: 0 } }\n  mystery: {")

    USAGE = {"input_tokens": 100, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 2_000, "output_tokens": 10,
             "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 2_000}, "server_tool_use": {"web_search_requests": 3}}

    def test_fees_and_hours_of_a_cache_are_the_books(self):
        attempt = self.ask("own-sonnet", self.USAGE)
        self.assertEqual((attempt["cost_micros"], attempt["source"]), (300 + 150 + 12_000 + 30_000, "owner"))
        self.assertNotIn("not in the cost", attempt.get("warnings", ""))

    def test_what_nobody_says_is_warned_of(self):
        attempt = self.ask("own-new", self.USAGE)
        self.assertEqual((attempt["cost_micros"], attempt["source"]), (300 + 150 + 7_500, "owner"))
        for words in ("'web_search'", "3 not in the cost", "'cache_write_1h'", "that of 'cache_write' is taken"):
            self.assertIn(words, attempt["warnings"])

    def test_what_costs_nothing_has_no_fees(self):
        self.assertEqual(self.ask("own-free", self.USAGE)["cost_micros"], 0)


if __name__ == "__main__":
    unittest.main()
