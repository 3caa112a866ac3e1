"""`tandem prices apply` against an independent computation.

What providers publish stands below, by hand and with its source, and is computed with `decimal`: this file shares no code and no table
with src/ledger/prices. Usages are random (TANDEM_PRICES_CASES of them, TANDEM_PRICES_SEED), bodies are written as each provider writes
them, and the costs must be equal to the pico-unit."""
import datetime
import json
import os
import pathlib
import random
import subprocess
import tempfile
import unittest
from decimal import ROUND_HALF_EVEN, Decimal as D

BINARY = os.environ["TANDEM_BINARY"]
CASES = int(os.environ.get("TANDEM_PRICES_CASES", "4000"))
SEED = int(os.environ.get("TANDEM_PRICES_SEED", "1"))
PICO = D("0.000000000001")

# USD for a million tokens. OpenAI: developers.openai.com/api/docs/pricing, tables Standard, Batch, Flex, Priority.
OPENAI = {
    "gpt-5.1": {"default": ("1.25", "0.125", "10"), "flex": ("0.625", "0.0625", "5"), "batch": ("0.625", "0.0625", "5"), "priority": ("2.5", "0.25", "20")},
    "gpt-4o-2024-08-06": {"default": ("2.5", "1.25", "10"), "priority": ("4.25", "2.125", "17")},
    "gpt-4.1": {"default": ("2", "0.5", "8"), "priority": ("3.5", "0.875", "14")},
    "gpt-4o-mini": {"default": ("0.15", "0.075", "0.6"), "priority": ("0.25", "0.125", "1")},
}
# Prompts over 272,000 tokens at gpt-5.4: the whole request at other rates. Same page.
GPT54 = {False: ("2.5", "0.25", "15"), True: ("5", "0.5", "22.5")}
# input, read, written for 5 minutes, written for an hour, output. platform.claude.com/docs/en/about-claude/pricing
ANTHROPIC = {
    "claude-sonnet-4-5-20250929": {"standard": ("3", "0.3", "3.75", "6", "15"), "batch": ("1.5", "0.15", "1.875", "3", "7.5")},
    "claude-opus-4-5-20251101": {"standard": ("5", "0.5", "6.25", "10", "25"), "batch": ("2.5", "0.25", "3.125", "5", "12.5")},
    "claude-haiku-4-5-20251001": {"standard": ("1", "0.1", "1.25", "2", "5"), "batch": ("0.5", "0.05", "0.625", "1", "2.5")},
}
WEB_SEARCH = D("0.01")  # each, at Anthropic and OpenAI; same pages
# input, cached, output. ai.google.dev/gemini-api/docs/pricing; over 200,000 tokens of prompt the second row.
GEMINI_PRO = {False: ("1.25", "0.125", "10"), True: ("2.5", "0.25", "15")}
# text, image and video; audio; cached text; cached audio; output. Same page.
GEMINI_FLASH = ("0.30", "1.00", "0.03", "0.10", "2.50")
# input, cached, output below 200,000 tokens, and at that and more. docs.x.ai/developers/models
GROK = {False: ("2", "0.3", "6"), True: ("4", "0.6", "12")}
# input, hit, output; 16:30 to 00:30 UTC. api-docs.deepseek.com/quick_start/pricing, March to August 2025.
DEEPSEEK = {"deepseek-chat": {False: ("0.27", "0.07", "1.10"), True: ("0.135", "0.035", "0.55")},
            "deepseek-reasoner": {False: ("0.55", "0.14", "2.19"), True: ("0.135", "0.035", "0.55")}}
COHERE = ("2.5", "10")  # command-a-03-2025. cohere.com/pricing
WHISPER_MINUTE = D("0.006")  # developers.openai.com/api/docs/pricing
# us. geographic inference of Claude Sonnet 4.5: aws.amazon.com/bedrock/pricing (a tenth over the global price)
BEDROCK = ("3.3", "0.33", "4.125", "16.5")


def cost(*parts):
    """Parts are (count, USD for a million). Rounded once, half to even, as a bill of whole pico-dollars."""
    total = sum((D(n) * D(rate) / 1_000_000 for n, rate in parts), D(0))
    return total


def text(amount):
    return format(amount.quantize(PICO, ROUND_HALF_EVEN), "f")


class Cases:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def count(self, most=120_000):
        kind = self.random.random()
        if kind < 0.1:
            return 0
        return self.random.randint(1, 50) if kind < 0.3 else self.random.randint(1, most)

    def part(self, whole):
        return self.random.choice((0, whole, self.random.randint(0, whole)))

    def one(self):
        make = self.random.choice([getattr(self, name) for name in dir(self) if name.startswith("case_")])
        line, expected = make()
        line.setdefault("time", "2026-10-20T11:00:00Z")
        return line, text(expected)

    def case_openai_chat(self):
        model = self.random.choice(list(OPENAI))
        tier = self.random.choice(list(OPENAI[model]))
        prompt, answer = self.count(), self.count()
        cached, thoughts = self.part(prompt), self.part(answer)
        i, c, o = OPENAI[model][tier]
        usage = {"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer,
                 "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": 0},
                 "completion_tokens_details": {"reasoning_tokens": thoughts, "audio_tokens": 0, "accepted_prediction_tokens": 0}}
        body = {"object": "chat.completion", "model": model, "service_tier": tier, "choices": [], "usage": usage}
        return {"provider": "openai", "model": model, "dialect": "openai-chat", "body": body}, cost((prompt - cached, i), (cached, c), (answer, o))

    def case_openai_responses(self):
        prompt, answer = self.random.choice((self.count(), 272_000, 272_001, self.random.randint(200_000, 900_000))), self.count()
        cached, thoughts, searches = self.part(prompt), self.part(answer), self.random.randint(0, 3)
        i, c, o = GPT54[prompt > 272_000]
        usage = {"input_tokens": prompt, "input_tokens_details": {"cached_tokens": cached}, "output_tokens": answer,
                 "output_tokens_details": {"reasoning_tokens": thoughts}, "total_tokens": prompt + answer}
        output = [{"type": "web_search_call", "status": "completed", "action": {"type": "search", "query": "x"}}] * searches
        body = {"object": "response", "model": "gpt-5.4-2026-03-05", "service_tier": "default", "output": output, "usage": usage}
        if self.random.random() < 0.3:
            body = {"type": "response.completed", "sequence_number": 9, "response": body}
        return ({"provider": "OpenAI", "model": "openai/gpt-5.4", "dialect": "responses", "body": body},
                cost((prompt - cached, i), (cached, c), (answer, o)) + searches * WEB_SEARCH)

    def case_anthropic(self):
        model = self.random.choice(list(ANTHROPIC))
        tier = self.random.choice(("standard", "batch"))
        given, read, five, hour, answer = self.count(20_000), self.count(40_000), self.count(20_000), self.count(20_000), self.count()
        searches = self.random.randint(0, 4)
        i, r, w5, w1, o = ANTHROPIC[model][tier]
        usage = {"input_tokens": given, "cache_creation_input_tokens": five + hour, "cache_read_input_tokens": read,
                 "cache_creation": {"ephemeral_5m_input_tokens": five, "ephemeral_1h_input_tokens": hour}, "output_tokens": answer,
                 "server_tool_use": {"web_search_requests": searches}, "service_tier": tier}
        body = self.random.choice(({"type": "message", "role": "assistant", "model": model, "usage": usage}, usage))
        return ({"provider": "anthropic", "model": model, "dialect": "anthropic", "body": body},
                cost((given, i), (read, r), (five, w5), (hour, w1), (answer, o)) + searches * WEB_SEARCH)

    def case_gemini_pro(self):
        prompt, answer, thoughts = self.random.choice((self.count(), 200_000, 200_001, 400_000)), self.count(), self.count()
        cached, tools = self.part(prompt), 0
        i, c, o = GEMINI_PRO[prompt > 200_000]
        usage = {"promptTokenCount": prompt, "cachedContentTokenCount": cached, "candidatesTokenCount": answer, "thoughtsTokenCount": thoughts,
                 "totalTokenCount": prompt + answer + thoughts + tools, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": prompt}],
                 "trafficType": "ON_DEMAND"}
        body = {"candidates": [], "usageMetadata": usage, "modelVersion": "gemini-2.5-pro"}
        return ({"provider": self.random.choice(("google", "gemini", "vertex_ai")), "model": "models/gemini-2.5-pro", "dialect": "gemini", "body": body},
                cost((prompt - cached, i), (cached, c), (answer + thoughts, o)))

    def case_gemini_flash(self):
        words, sound, pictures, answer, thoughts = self.count(40_000), self.count(40_000), self.count(40_000), self.count(), self.count()
        cached_words, cached_sound = self.part(words), self.part(sound)
        i, a, c, ca, o = GEMINI_FLASH
        details = [{"modality": m, "tokenCount": n} for m, n in (("TEXT", words), ("AUDIO", sound), ("IMAGE", pictures)) if n]
        cached = [{"modality": m, "tokenCount": n} for m, n in (("TEXT", cached_words), ("AUDIO", cached_sound)) if n]
        usage = {"promptTokenCount": words + sound + pictures, "cachedContentTokenCount": cached_words + cached_sound, "candidatesTokenCount": answer,
                 "thoughtsTokenCount": thoughts, "totalTokenCount": words + sound + pictures + answer + thoughts, "promptTokensDetails": details,
                 "cacheTokensDetails": cached}
        return ({"provider": "google", "model": "gemini-2.5-flash", "dialect": "gemini", "body": {"usageMetadata": usage}},
                cost((words - cached_words + pictures, i), (sound - cached_sound, a), (cached_words, c), (cached_sound, ca), (answer + thoughts, o)))

    def case_xai(self):
        prompt, answer, thoughts = self.random.choice((self.count(), 199_999, 200_000, 200_001)), self.count(), self.count()
        cached = self.part(prompt)
        i, c, o = GROK[prompt >= 200_000]
        usage = {"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer + thoughts,
                 "prompt_tokens_details": {"text_tokens": prompt, "audio_tokens": 0, "image_tokens": 0, "cached_tokens": cached},
                 "completion_tokens_details": {"reasoning_tokens": thoughts, "audio_tokens": 0}, "num_sources_used": 0}
        return ({"provider": "x-ai", "model": "grok-4.5", "dialect": "openai", "body": {"model": "grok-4.5", "usage": usage}},
                cost((prompt - cached, i), (cached, c), (answer + thoughts, o)))

    def case_deepseek(self):
        model = self.random.choice(list(DEEPSEEK))
        when = datetime.datetime(2025, 3, 1) + datetime.timedelta(minutes=self.random.randint(0, 180 * 1440))
        minute = when.hour * 60 + when.minute
        i, h, o = DEEPSEEK[model][minute >= 16 * 60 + 30 or minute < 30]
        hit, miss, answer = self.count(), self.count(), self.count()
        thoughts = self.part(answer)
        usage = {"prompt_tokens": hit + miss, "completion_tokens": answer, "total_tokens": hit + miss + answer, "prompt_cache_hit_tokens": hit,
                 "prompt_cache_miss_tokens": miss, "prompt_tokens_details": {"cached_tokens": hit},
                 "completion_tokens_details": {"reasoning_tokens": thoughts}}
        return ({"provider": "deepseek", "model": model, "time": when.isoformat() + "Z", "body": json.dumps({"model": model, "usage": usage})},
                cost((miss, i), (hit, h), (answer, o)))

    def case_cohere(self):
        prompt, answer = self.count(), self.count()
        body = {"usage": {"billed_units": {"input_tokens": prompt, "output_tokens": answer},
                          "tokens": {"input_tokens": prompt + 66, "output_tokens": answer}}}
        return {"provider": "cohere", "model": "command-a-03-2025", "body": body}, cost((prompt, COHERE[0]), (answer, COHERE[1]))

    def case_bedrock(self):
        given, read, written, answer = self.count(20_000), self.count(40_000), self.count(40_000), self.count()
        i, r, w, o = BEDROCK
        usage = {"inputTokens": given, "outputTokens": answer, "totalTokens": given + read + written + answer, "cacheReadInputTokens": read,
                 "cacheWriteInputTokens": written}
        return ({"provider": "aws_bedrock", "model": "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "dialect": "converse", "body": {"usage": usage}},
                cost((given, i), (read, r), (written, w), (answer, o)))

    def case_whisper(self):
        seconds = self.random.randint(0, 7200)
        return ({"provider": "openai", "model": "whisper-1", "body": {"text": "", "usage": {"type": "duration", "seconds": seconds}}},
                D(seconds) * WHISPER_MINUTE / 60)


def apply(lines, before=None):
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder, "tandem.yaml")
        config.write_text(f"data: {folder}/data\n")
        result = subprocess.run([BINARY, "--config", str(config), "prices", "apply", "--jsonl", "-"], 
                                input="".join(l + "\n" for l in ([before] if before else []) + [json.dumps(l) for l in lines]),
                                capture_output=True, text=True, timeout=500)
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


class Prices(unittest.TestCase):
    def test_equal_an_independent_computation_to_the_pico_unit(self):
        cases = Cases(SEED)
        made = [cases.one() for _ in range(CASES)]
        for n, (line, _) in enumerate(made):
            line["id"] = n
        answers = apply([line for line, _ in made])
        self.assertEqual(len(answers), CASES)
        for (line, expected), answer in zip(made, answers):
            self.assertEqual((answer["id"], answer["cost"]), (line["id"], expected), f"{json.dumps(line)}\n{json.dumps(answer)}")
            self.assertEqual((answer["source"], answer["unit"]), ("book", "USD"))

    def test_what_others_users_reported_as_wrong_is_right(self):
        reports = json.loads(pathlib.Path(__file__).with_name("prices").joinpath("reports.json").read_text())
        lines = [{"id": r["report"], "time": "2026-10-20T11:00:00Z", **r["line"]} for r in reports]
        for report, answer in zip(reports, apply(lines)):
            with self.subTest(report["report"]):
                self.assertEqual({k: answer[k] for k in report if k in ("usage", "cost", "book_cost")},
                                 {k: v for k, v in report.items() if k in ("usage", "cost", "book_cost")}, answer)

    def test_a_prompt_kept_for_an_hour_costs_twice_its_input_at_anthropic(self):
        usage = {"input_tokens": 0, "output_tokens": 0, "cache_creation_input_tokens": 1_000_000,
                 "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 1_000_000}}
        rates = {"claude-3-haiku-20240307": "0.500000000000", "claude-3-haiku": "0.500000000000", "claude-3-5-haiku-20241022": "1.600000000000",
                 "claude-3-opus-20240229": "30.000000000000", "claude-3-opus-latest": "30.000000000000"}
        answers = apply([{"id": name, "provider": "anthropic", "model": name, "dialect": "anthropic", "time": "2025-12-20",
                          "body": {"type": "message", "model": name, "usage": usage}} for name in rates])
        self.assertEqual({a["id"]: a["cost"] for a in answers}, rates)

    def test_a_long_prompt_costs_what_its_range_says(self):
        def line(provider, model, prompt, answer=100):
            return {"id": f"{model} {prompt}", "provider": provider, "model": model, "time": "2026-01-20",
                    "body": {"model": model, "usage": {"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer}}}
        answers = apply([line("dashscope", "qwen-plus-latest", 300_000), line("dashscope", "qwen-plus-latest", 256_000), line("dashscope", "qwen3-max", 100_000),
                         line("dashscope", "qwen-flash", 1_000), line("xai", "grok-4", 130_000), line("xai", "grok-4-0709", 130_000), line("xai", "grok-4-fast", 130_000)])
        self.assertEqual([a["cost"][:-6] for a in answers], ["0.360360", "0.102520", "0.241200", "0.000090", "0.783000", "0.783000", "0.052100"])

    def test_what_is_not_said_is_estimated_or_taken_from_the_total(self):
        words = "The quick brown fox jumps over the lazy dog. " * 20  # ten tokens a sentence at OpenAI
        chat = lambda content, usage: {"model": "gpt-5.1", "body": {"object": "chat.completion", "model": "gpt-5.1", "usage": usage,
                                                                   "choices": [{"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}]}}
        gemini = {"model": "gemini-2.5-pro", "provider": "google", "dialect": "gemini",
                  "body": {"candidates": [{"content": {"parts": [{"text": "x"}]}}], "usageMetadata": {"candidatesTokenCount": 10, "totalTokenCount": 110}, "modelVersion": "gemini-2.5-pro"}}
        line = lambda n, more: {"id": n, "provider": "openai", "dialect": "openai-chat", "time": "2026-11-20", **more}
        left_out, null, none, total = apply([line(0, chat(words, {"prompt_tokens": 100})), line(1, chat(words, {"prompt_tokens": 100, "completion_tokens": None})),
                                             line(2, chat("", {"prompt_tokens": 100, "completion_tokens": 0, "total_tokens": 100})), line(3, gemini)])
        for answer in (left_out, null):
            output = answer["usage"]["output"]
            self.assertAlmostEqual(output, 200, delta=30)
            self.assertEqual((answer["estimated"], D(answer["cost"])), (True, (100 * D("1.25") + output * 10) / 1_000_000))
            self.assertIn("an estimate", " ".join(answer["warnings"]))
        self.assertEqual((none["usage"]["output"], none["cost"]), (0, "0.000125000000"))
        self.assertNotIn("estimated", none)
        self.assertEqual((total["usage"]["input"], total["usage"]["output"]), (100, 10))
        self.assertIn("taken from the total", " ".join(total["warnings"]))

    def test_a_bad_line_is_answered_and_is_not_the_end(self):
        good = {"id": "g", "provider": "openai", "model": "gpt-4o", "body": {"usage": {"prompt_tokens": 1, "completion_tokens": 1}}}
        lines = [{"id": "a"}, {"id": "b", "body": 3}, [], {"id": {"x": 1}, "body": {}}, {"id": "e", "provider": "openai", "model": "gpt-4o", "body": "<html>"}, good]
        answers = apply(lines, '{"id": "h", "provider"')
        self.assertEqual([a["id"] for a in answers], ["h", "a", "b", None, {"x": 1}, "e", "g"])
        for answer in answers[:-1]:
            self.assertIsNone(answer["cost"])
            self.assertTrue(answer["warnings"])
        self.assertEqual(answers[-1]["cost"], "0.000012500000")

    def test_what_the_provider_charged_is_booked_and_a_0_is_not_always_a_price(self):
        usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
        line = lambda n, model, **more: {"id": n, "provider": "openrouter", "model": model, "time": "2026-10-20", "body": {"usage": {**usage, **more}}}
        said, own_key, free, zero = apply([
            line(0, "anthropic/claude-sonnet-4.5", cost=0.00123),
            line(1, "anthropic/claude-sonnet-4.5", cost=0, is_byok=True, cost_details={"upstream_inference_cost": 0.00045}),
            line(2, "some/model:free", cost=0), line(3, "some/unknown-model", cost=0)])
        self.assertEqual((said["cost"], said["source"]), ("0.001230000000", "provider"))
        self.assertEqual((own_key["cost"], own_key["source"]), ("0.000450000000", "provider"))
        self.assertEqual((free["cost"], free["source"]), ("0.000000000000", "provider"))
        self.assertEqual((zero["cost"], zero["source"]), (None, None))

    def test_other_tables_are_imported_shown_and_compared(self):
        with tempfile.TemporaryDirectory() as folder:
            config = pathlib.Path(folder, "tandem.yaml")
            config.write_text(f"data: {folder}/data\n")
            def run(*args, code=0):
                result = subprocess.run([BINARY, "--config", str(config), "--json", "prices", *args], capture_output=True, text=True, timeout=60)
                self.assertEqual(result.returncode, code, result.stderr)
                return json.loads(result.stdout)
            shipped = run("show", "gpt-4o-mini")["entry"]
            self.assertEqual(next(c for c in shipped["cards"] if len(c) == 1)["rates"]["input"], "0.15")
            self.assertIn("error", run("diff", code=5))
            litellm = pathlib.Path(folder, "model_prices_and_context_window.json")
            litellm.write_text(json.dumps({"sample_spec": {}, "gpt-4o-mini": {"litellm_provider": "openai", "input_cost_per_token": 3e-07, "output_cost_per_token": 6e-07}}))
            self.assertEqual([(d["rate"], d["first"], d["shipped"]) for d in run("diff", str(litellm))["differences"]], [("input", "0.3", "0.15")])
            self.assertEqual(run("import", str(litellm))["kind"], "litellm")
            self.assertEqual(run("show", "gpt-4o-mini")["entry"]["cards"][0]["rates"]["input"], "0.3")
            self.assertEqual(len(run("diff")["differences"]), 1)
            ranges = pathlib.Path(folder, "ranges.json")
            ranges.write_text(json.dumps({"dashscope/qwen-new": {"litellm_provider": "dashscope", "tiered_pricing": [
                {"input_cost_per_token": 4e-07, "output_cost_per_token": 1.2e-06, "range": [0, 256000.0]},
                {"input_cost_per_token": 1.2e-06, "output_cost_per_token": 3.6e-06, "range": [256000.0, 1000000.0]}]},
                "exa_ai/search": {"litellm_provider": "exa_ai", "tiered_pricing": [{"input_cost_per_query": 0.005, "max_results_range": [0, 25]}]}}))
            self.assertEqual([run("import", str(ranges))[k] for k in ("entries", "left_out")], [1, 1])
            self.assertEqual(run("show", "qwen-new", "--provider", "dashscope")["entry"]["cards"],
                             [{"rates": {"input": "0.4", "output": "1.2"}}, {"over": 256000, "rates": {"input": "1.2", "output": "3.6"}}])
            genai = pathlib.Path(folder, "data.json")
            genai.write_text(json.dumps([{"id": "x-ai", "models": [{"id": "grok-9", "match": {"starts_with": "grok-9"}, "prices": {"input_mtok": 7, "output_mtok": 9}}]}]))
            self.assertEqual(run("import", str(genai))["kind"], "genai-prices")
            self.assertEqual(run("show", "grok-9-fast", "--provider", "xai")["entry"]["cards"][0]["rates"]["input"], "7")
            self.assertEqual([e["model"] for e in run("list", "--model", "grok-9")["entries"]], ["grok-9"])
            self.assertEqual(run("show", "grok-9")["entry"]["provider"], "xai")  # a book says whose it is
            line = json.dumps({"provider": "openai", "model": "gpt-5.1", "body": {"model": "gpt-5-mini-2025-08-07", "usage": {"prompt_tokens": 1000, "completion_tokens": 100}}})
            self.assertIn("the line names gpt-5.1, and its body gpt-5-mini-2025-08-07, which cost differently: the price is gpt-5-mini-2025-08-07's",
                          json.loads(subprocess.run([BINARY, "--config", str(config), "prices", "apply", "--jsonl", "-"], input=line, capture_output=True, text=True, timeout=60).stdout.splitlines()[0])["warnings"])
            entry = {"provider": "openai", "model": "gpt-mine", "checked": "2026-03-01", "cards": [{"rates": {"input": "3", "output": "4"}}]}
            mine = pathlib.Path(folder, "mine.json")
            undated = {k: v for k, v in entry.items() if k != "checked"}
            for n, table in enumerate(([entry], {"entries": [entry]}, entry, {"made": "2026-03-01", "entries": [undated]}, {"format": 1, "entries": [entry]})):
                mine.write_text(json.dumps(json.loads(json.dumps(table).replace("gpt-mine", f"gpt-mine-{n}"))))
                self.assertEqual([run("import", str(mine))[k] for k in ("kind", "entries")], ["tandem", 1])
                found = run("show", f"gpt-mine-{n}")["entry"]
                self.assertEqual((found["checked"], found["cards"]), ("2026-03-01", entry["cards"]))
            mine.write_text(json.dumps(run("list", "--model", "gpt-4o-mini", "--provider", "openai")))
            self.assertGreater(run("import", str(mine))["entries"], 0)
            mine.write_text(json.dumps([{"provider": "openai", "model": "m"}]))
            self.assertIn("entry 0 'm': ", run("import", str(mine), code=3)["error"])
            other = pathlib.Path(folder, "other.json")
            other.write_text('{"a": 1}')
            self.assertIn("no price table", run("import", str(other), code=3)["error"])
            self.assertIn("error", run("import", str(other) + "x", code=5))
            self.assertIn("error", run("show", "no-such-model", code=5))


if __name__ == "__main__":
    unittest.main()
