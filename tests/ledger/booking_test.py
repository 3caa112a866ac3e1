"""What the ledger books against an independent computation: rates stand here, by hand, and are multiplied with `decimal`.

A scripted provider for each dialect, whole and streamed, says what was used; the attempt's record must cost what the published rates
make of it, rounded once to a micro-dollar, half to even, and keep every bucket."""
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
  bob: { secret: bob-0123456789abcdef }
  boss: { secret: boss-0123456789abc, admin: true }
"""
ALICE, BOB = ({"authorization": f"Bearer {name}"} for name in ("alice-0123456789abc", "bob-0123456789abcdef"))


def micros(*parts):
    """Parts are (count, USD for a million)."""
    total = sum((D(n) * D(rate) for n, rate in parts), D(0))
    return int(total.quantize(D(1), ROUND_HALF_EVEN))


class Provider(Upstream):
    """Answers in the dialect of the path with the usage that was put into `usage`, and with `beside` beside it."""

    def __init__(self):
        self.usage, self.beside, self.first = {}, {}, None
        super().__init__(self.say)

    def say(self, connection, body, number):
        path = self.requests[number - 1][0].split(" ")[1]
        if not body:  # doctor asks for the models
            return connection.sendall(http({"object": "list", "data": []}))
        asked = json.loads(body)
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
            {**head, "choices": [{"index": 0, "delta": {"content": "lo"}}], "usage": None},
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

    def test_an_unknown_price_is_loud(self):
        usage = {"prompt_tokens": 1_000, "completion_tokens": 100, "total_tokens": 1_100}
        attempt = self.ask("mystery", usage)
        self.assertEqual((attempt["cost_micros"], attempt["source"], attempt["bill"]["usage"]), (0, "unknown", {"input": 1_000, "output": 100}))
        self.assertIn("no price is known", attempt["warnings"])
        self.assertEqual(len(re.findall("a model has no price.*mystery", self.tandem.log_text())), 1, self.tandem.log_text())
        for command in (("cost",), ("explain",), ("models",), ("doctor",)):
            self.assertRegex(self.tandem.cli(*command).stdout, "(?i)unknown price|no price|UNKNOWN", command)
        cost = json.loads(self.tandem.cli("cost", "--json").stdout)
        self.assertEqual([row["unpriced"] for row in cost["rows"] if row["group"] == "mystery"], [cost["unpriced"]])
        refused = self.ask("mystery", usage, headers=ALICE, status=429)
        self.assertIn("no price", refused["error"]["message"])

    def test_models_say_whose_price_it_is(self):
        models = {m["id"]: m for m in json.loads(self.tandem.cli("models", "--json").stdout)["models"]}
        self.assertEqual({k: v["price_source"] for k, v in models.items()},
                         {"gpt": "book", "owned": "owner", "gpt-r": "book", "sonnet": "book", "pro": "book", "routed": "book", "or/*": "unknown", "mystery": "unknown", "small": "free"})
        self.assertEqual((models["sonnet"]["price"], models["sonnet"]["price_entry"]), ({"input": "3.000000", "output": "15.000000"}, "anthropic/claude-sonnet-4-5"))

    def test_an_attempts_row_keeps_every_bucket(self):
        usage = {"input_tokens": 11, "cache_read_input_tokens": 12, "cache_creation_input_tokens": 13, "output_tokens": 14, "server_tool_use": {"web_search_requests": 2}}
        attempt = self.ask("sonnet", usage)
        rate = SONNET[False]
        self.assertEqual(attempt["cost_micros"], micros((11, rate["input"]), (12, rate["read"]), (13, rate["write"]), (14, rate["output"]), (2, "10000")))
        with sqlite3.connect(self.tandem.folder / "data/ledger.db") as ledger:
            row = ledger.execute("SELECT bill FROM attempts ORDER BY decision DESC, number DESC LIMIT 1").fetchone()[0]
        self.assertEqual(json.loads(row)["usage"], {"input": 11, "cache_read": 12, "cache_write": 13, "output": 14, "web_search": 2})


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
        for tier in ("default", "priority", "flex"):
            self.provider.usage, self.provider.beside = usage, {}
            _, answer, _ = self.tandem.request("/v1/chat/completions", {"model": "gpt", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 64, "service_tier": tier}, BOB)
            decisions.append(self.tandem.explain(answer["x-tandem-decision"])["decision"]["candidates"][0]["scores"]["estimate_micros"])
        self.assertGreaterEqual(decisions[1], 1_280)
        self.assertGreaterEqual(decisions[0], 640)
        # The tier's name counts as a token or two of the prompt.
        self.assertAlmostEqual(decisions[1], 2 * decisions[0], delta=8)
        self.assertAlmostEqual(decisions[2], decisions[0], delta=8)


if __name__ == "__main__":
    unittest.main()
