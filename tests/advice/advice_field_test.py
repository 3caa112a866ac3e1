"""What users of others reported of comparisons, recommendations and reconciled bills, tried on the program. Each test names its reports;
docs/internals/field.md has what came. Figures are computed here once more with decimals, from published rates."""
import json
import unittest
from decimal import Decimal as D

from advice.compare_test import MONTHS, SPAN, START, Compared, micros
from advice.record import Record

HOUR = 3_600_000
DAYS = 28
# USD for a million tokens (claude.com/pricing, 2026): input, read, written for five minutes, for an hour, output.
OPUS41 = {"input": D(15), "read": D("1.5"), "write": D("18.75"), "hour": D(30), "output": D(75)}
GPT51 = {"input": D("1.25"), "read": D("0.125"), "output": D(10)}


def month(total):
    return micros(micros(total) * MONTHS)


class FromOthers(Compared):
    def write(self, rows, more=""):
        """rows: (hours from the start, changes of the inputs, changes of the row) of requests that `gpt` answered."""
        self.start(more)
        self.assertEqual(self.tandem.chat("write a function", model="gpt")[0], 200)
        record = Record(self.tandem)
        pattern = record.pattern("gpt")
        record.forget()
        base = {"alias": "auto", "prompt_tokens": 2_000, "work": {"kind": "code", "sure": 1, "difficulty": 35, "telling": []}}
        usual = {"input": 2_000, "cached": 0, "output": 300, "first_byte_ms": 500, "total_ms": 3_000, "alias": "auto"}
        return record.add([(START + round(hours * HOUR), pattern, {**base, **inputs},
                            {**usual, "cost": self.price({**usual, **row}["input"], {**usual, **row}["cached"], {**usual, **row}["output"]), **row})
                           for hours, inputs, row in rows])

    def test_a_cache_is_read_and_written_at_the_other_models_rates(self):
        """Metabuilder-Labs/tokenjam#577, teamchong/pxpipe#117, langwatch/langwatch#5996, cnighswonger/claude-code-cache-fix#330,
        yvgude/lean-ctx#1191: the alternative's price leaves out what is read from a cache, what is written into it, or for how long."""
        row = {"input": 30_000, "cached": 20_000, "cache_write": 9_000, "output": 100}
        for hour in (False, True):
            with self.subTest(hour=hour):
                self.write([(n, {"prompt_tokens": 30_000, "keeps_cache_an_hour": hour}, row) for n in range(0, DAYS * 24, 8)])
                rows, _ = self.rows(*SPAN, "--with", "anthropic/claude-opus-4-1")
                each = micros(1_000 * OPUS41["input"] + 20_000 * OPUS41["read"] + 9_000 * OPUS41["hour" if hour else "write"] + 100 * OPUS41["output"])
                self.assertAlmostEqual(rows["anthropic/claude-opus-4-1"]["month"]["cloud_micros"], month(each * DAYS * 3), delta=3)
                self.doCleanups()

    def test_a_dearer_model_is_told_as_dearer(self):
        """BerriAI/litellm#35402: a saving below 0 is shown as none; cached tokens are priced twice."""
        self.write([(n, {}, {"cached": 1_000}) for n in range(0, DAYS * 24, 8)])
        rows, answer = self.rows(*SPAN, "--with", "anthropic/claude-opus-4-1")
        self.assertGreater(rows["anthropic/claude-opus-4-1"]["month"]["cloud_micros"], 5 * rows["today"]["month"]["cloud_micros"])
        each = micros(1_000 * GPT51["input"] + 1_000 * GPT51["read"] + 300 * GPT51["output"])
        self.assertAlmostEqual(rows["today"]["month"]["cloud_micros"], month(each * DAYS * 3), delta=3)

    def test_the_tier_that_was_asked_for_is_the_alternatives_too(self):
        """BerriAI/litellm#41177: a fast request is compared with a baseline at the standard rate."""
        self.write([(n, {"service_tier": "priority"}, {}) for n in range(0, DAYS * 24, 8)])
        rows, _ = self.rows(*SPAN, "--with", "openai/gpt-5.1")
        each = micros(2_000 * 2 * GPT51["input"] + 300 * 2 * GPT51["output"])
        self.assertAlmostEqual(rows["openai/gpt-5.1"]["month"]["cloud_micros"], month(each * DAYS * 3), delta=3)

    def test_a_turn_at_another_model_than_the_last_one_finds_no_cache(self):
        """BerriAI/litellm#35402 (cold cache after a switch), latitude-dev/latitude-llm#4323: what a change of models costs is left out."""
        warm = {"outlook": [{"model": "gpt", "quality": 0.9, "doubt": 0.1, "outcomes": 5, "warm_tokens": 1_900}]}
        rows = [turn for day in range(DAYS) for turn in ((day * 24, {}, {}), (day * 24 + 0.05, {"prompt_tokens": 10_000, **warm}, {"input": 10_000, "cached": 1_900}))]
        self.write(rows)
        first = 2_000 * GPT51["input"] + 300 * GPT51["output"]
        warm, cold = (10_000 * GPT51["input"] - cached * (GPT51["input"] - GPT51["read"]) + 300 * GPT51["output"] for cached in (1_900, 0))
        today, _ = self.rows(*SPAN)
        self.assertAlmostEqual(today["cloud-only"]["month"]["cloud_micros"], month((micros(first) + micros(warm)) * DAYS), delta=3)
        # Now short prompts are answered at home, and the long one that follows by the same model as before.
        file = self.tandem.folder / "tandem.yaml"
        text = file.read_text()
        file.write_text(text + "policy: { rules: [{ name: long, prompt_tokens: 5000, prefer: best }, { name: rest, prefer: cheapest }] }\n")
        now = json.loads(self.tandem.cli("advise", "--json", *SPAN).stdout)["now"]
        self.assertEqual(now["models"], {"gpt": DAYS, "small": DAYS})
        self.assertAlmostEqual(now["month"]["cloud_micros"], month(micros(cold) * DAYS), delta=3)

    def test_what_has_no_price_is_not_free(self):
        """getagentseal/codeburn#638, can1357/oh-my-pi#9930, vivekchand/clawmetry#626, openclaw/openclaw#90674, pollinations#14709: an
        unknown price counts as 0 and wins every comparison."""
        self.write([(n, {}, {}) for n in range(0, DAYS * 24, 8)], 'policy: { preset: hybrid }\n')
        text = (self.tandem.folder / "tandem.yaml").read_text()
        (self.tandem.folder / "tandem.yaml").write_text(text.replace("hardware:", "  mystery: { provider: far, name: mystery-9, context: 128000, quality: 0.9 }\nhardware:"))
        rows, answer = self.rows(*SPAN)
        with_it = [row for row in answer["rows"] if "mystery" in row["models"]]
        self.assertTrue(with_it)
        self.assertTrue(all(row["unpriced"] == ["mystery"] for row in with_it), with_it)
        advice = json.loads(self.tandem.cli("advise", "--json", "--all", *SPAN).stdout)
        for one in advice["proposals"]:
            if "mystery" in one["models"] and "mystery" not in advice["now"]["models"]:
                self.assertIn("nobody knows the price of mystery", one["refused"])
                self.assertEqual(one["number"], 0)

    def test_work_that_a_model_cannot_do_is_no_saving(self):
        """neatlogs/neatlogs#57 (a model without vision is shown as 100 % cheaper), sipyourdrink-ltd/bernstein#419."""
        self.write([(n, {"needs": 2}, {}) for n in range(0, DAYS * 24, 8)])
        text = (self.tandem.folder / "tandem.yaml").read_text()
        (self.tandem.folder / "tandem.yaml").write_text(text.replace("gpt: { provider: far,", "gpt: { provider: far, capabilities: [tools, vision, json, reasoning],").replace("small: { provider: lab,", "small: { provider: lab, capabilities: [tools],"))
        rows, _ = self.rows(*SPAN)
        local = rows["local-only"]
        self.assertEqual((local["unserved"]["capability"], local["answered"]), (DAYS * 3, 0))
        advice = json.loads(self.tandem.cli("advise", "--json", "--all", *SPAN).stdout)
        for one in advice["proposals"]:
            if one["unserved"]["capability"]:
                self.assertEqual(one["number"], 0)

    def test_a_record_of_a_few_days_or_a_few_answers_is_no_certainty(self):
        """vivekchand/clawmetry#1415 ("99 % retention", tested on 43 calls), Bike4Mind/bike4mind#1520, blockrun (a claim without its
        baseline), managoat/fountain#1038 (a known error bar)."""
        ids = self.write([(n, {}, {}) for n in range(43)])
        Record(self.tandem).say([(d, "gpt", 1) for d in ids])
        advice = json.loads(self.tandem.cli("advise", "--json", "--all", *SPAN).stdout)
        self.assertGreater(advice["now"]["quality"]["high"] - advice["now"]["quality"]["low"], 0.05)
        for one in advice["proposals"]:
            if one["number"]:
                self.assertIn("likely", one["gain"])
                self.assertIn("expected_loss", one["gain"])
            # Whoever would get answers that another model gave has been seen by nobody.
            if one["number"] and one["models"].get("small"):
                self.assertFalse(one["gain"]["sure"], one)

    def test_electricity_that_nobody_said_is_not_free(self):
        """GeiserX/CashPilot#173 (unknown is not zero), llm-d-incubation/llm-d-planner#70 and ollama/ollama#16339 (idle draw and cooling)."""
        self.write([(n, {}, {}) for n in range(0, DAYS * 24, 8)])
        rows, _ = self.rows(*SPAN)
        # 50 W idle all month, times 1.1 for cooling, at 0.30.
        idle = micros(D(730) * D("0.05") * D("1.1") * D("0.30") * 1_000_000)
        self.assertAlmostEqual(rows["today"]["month"]["energy_idle_micros"], idle, delta=5)
        file = self.tandem.folder / "tandem.yaml"
        text = file.read_text()
        file.write_text(text.replace("energy: { tariff: 0.30, cooling: 1.1 }\n", ""))
        checked = self.tandem.cli("serve", "--check")
        self.assertNotEqual(checked.returncode, 0)
        self.assertIn("energy.tariff is missing", checked.stdout + checked.stderr)
        self.tandem.kill()
        file.write_text(text.replace("idle_watts: 50, busy_watts: 300, ", ""))
        self.tandem.start()
        _, answer = self.rows(*SPAN)
        self.assertTrue(any("hardware.box.busy_watts is not said" in note for note in answer["notes"]), answer["notes"])


if __name__ == "__main__":
    unittest.main()
