"""What `tandem model show` says of real models of 0.5 and 1.5 B, which no constant was fitted to, and what an engine says of itself: held against the peak
of the real engine (VmHWM)."""
import json
import os
import pathlib
import sys
import unittest

import harness
import real_models
from fit_test import peak
from harness import Tandem, until

MOST_OFF = 0.10  # of what was measured

SETTINGS = [(2048, 1, "f16"), (4096, 2, "f16"), (8192, 1, "q8_0"), (16384, 1, "f16")]


@unittest.skipUnless(os.path.exists(harness.ENGINE), "no engine on this machine")
class OfRealModels(unittest.TestCase):
    def file(self, name):
        path, why = real_models.model(name)
        if path is None:
            print(f"\nSKIPPED, AND SO NOT SHOWN: {why}", file=sys.stderr)
            self.skipTest(why)
        return path

    def tandem(self, path, context, slots, kind="f16", more=()):
        args = [*more, *(("--cache-type-k", kind, "--cache-type-v", kind) if kind != "f16" else ())]
        tandem = Tandem(f"providers:\n  engine: {{ kind: engine, first_byte_timeout: 10m }}\nmodels:\n  own: {{ provider: engine, file: {path}, context: {context}, slots: {slots}, args: {json.dumps(args)} }}\n")
        self.addCleanup(tandem.stop)
        return tandem

    def memory(self, tandem, path, *more):
        result = tandem.cli("model", "show", "--json", str(path), *more)
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout)

    def close(self, name, said, measured):
        off = said / measured - 1
        print(f"{name}: {said} said, {measured} measured, {100 * off:+.1f} %")
        self.assertLess(abs(off), MOST_OFF, name)

    def seen(self, tandem, words):
        """The engine's row of the running server, once its peak was looked at after an answer."""
        status, _, body = tandem.chat(words, model="own", max_tokens=16, timeout=300)
        self.assertEqual(status, 200, body)

        def row():
            [engine] = json.loads(tandem.cli("engine", "list", "--json").stdout)["engines"]
            return engine if engine["memory"]["peak_bytes"] >= 0.98 * peak(engine["pid"]) else None

        return until(row, "the peak to be looked at", 30)

    def held(self, name, settings):
        path = self.file(name)
        for context, slots, kind in settings:
            with self.subTest(context=context, slots=slots, kind=kind):
                tandem = self.tandem(path, context, slots, kind)
                before = self.memory(tandem, path)["memory"]
                self.assertEqual(before["basis"], "sum")
                engine = self.seen(tandem, "Say a word. " * 130)
                measured, memory = peak(engine["pid"]), engine["memory"]
                self.close(f"{name}, {context} x {slots}, {kind}: before", before["total_bytes"], measured)
                self.assertEqual(memory["guess_bytes"], before["total_bytes"])
                # Its own words replace the guess; the program is not among them.
                after = self.memory(tandem, path)
                self.assertEqual(after["memory"]["basis"], "engine")
                self.close(f"{name}, {context} x {slots}, {kind}: after", after["memory"]["total_bytes"], measured)
                self.assertEqual(sum(after["memory"]["parts"].values()), after["memory"]["total_bytes"])
                self.assertEqual(after["after_start"]["said_bytes"], memory["said_bytes"])
                # Of other settings it is the sum again.
                self.assertEqual(self.memory(tandem, path, "--context", "512")["memory"]["basis"], "sum")
                tandem.stop()

    def test_half_a_billion_parameters(self):
        self.held("qwen2.5-coder-0.5b", SETTINGS)

    def test_one_and_a_half_billion_parameters(self):
        self.held("qwen2.5-coder-1.5b", SETTINGS[:3])

    def test_a_draft_model_beside_it(self):
        path, draft = self.file("qwen2.5-coder-1.5b"), self.file("qwen2.5-coder-0.5b")
        tandem = self.tandem(path, 2048, 1, more=("--model-draft", str(draft)))
        before = self.memory(tandem, path)["memory"]
        self.assertGreater(before["parts"]["draft_bytes"], 5e8)
        engine = self.seen(tandem, "Say a word. " * 130)
        self.close("1.5 B with a draft of 0.5 B, 2048 x 1", before["total_bytes"], peak(engine["pid"]))


@unittest.skipUnless(os.path.exists(harness.MODEL) and os.path.exists(harness.ENGINE), "no engine or model on this machine")
class OfTheEngine(unittest.TestCase):
    """Its log says what memory its buffers take, and nothing of what it is asked."""

    def test_no_word_of_a_prompt_is_in_its_log_and_what_it_said_stays_after_it(self):
        tandem = Tandem(f"providers:\n  engine: {{ kind: engine }}\nmodels:\n  own: {{ provider: engine, file: {harness.MODEL}, context: 2048 }}\n")
        self.addCleanup(tandem.stop)
        tool = {"type": "function", "function": {"name": "zebrafinch", "description": "quetzalcoatl", "parameters": {"type": "object", "properties": {}}}}
        for words, more in (("xylophone " * 40, {}), ("xylophone", {"tools": [tool]}), ("xylophone " * 4000, {}), ("xylophone", {"stream": True, "stop": ["ocelot"]})):
            tandem.request("/v1/chat/completions", {"model": "own", "max_tokens": 12, "messages": [{"role": "system", "content": "platypus"}, {"role": "user", "content": words}], **more},
                           timeout=180)
        [engine] = json.loads(tandem.cli("engine", "list", "--json").stdout)["engines"]
        log = pathlib.Path(engine["log"]).read_text(errors="replace")
        self.assertIn("KV buffer size", log)
        for word in ("xylophone", "platypus", "zebrafinch", "quetzalcoatl", "ocelot"):
            self.assertNotIn(word, log)
        self.assertGreater(engine["memory"]["said_bytes"], 5e7)
        self.assertIn("measured", tandem.cli("engine", "list").stdout)
        tandem.cli("engine", "stop", "own")
        until(lambda: json.loads(tandem.cli("engine", "list", "--json").stdout)["engines"][0]["state"] == "stopped", "its end", 30)
        after = json.loads(tandem.cli("model", "show", "--json", harness.MODEL).stdout)
        self.assertEqual(after["memory"]["basis"], "engine")
        self.assertGreater(after["after_start"]["peak_bytes"], after["after_start"]["said_bytes"])
        # Where the machine was too busy, what it reached says nothing.
        speed = after["speed"]
        self.assertEqual(speed["basis"], "engine" if speed["reached_bytes_per_second"] > 0 else "memory")
        kept = json.loads(next(pathlib.Path(engine["log"]).parent.glob("*.memory.json")).read_text())
        self.assertGreater(kept["tokens_per_second"], 0)
        words = tandem.cli("model", "show", harness.MODEL).stdout
        self.assertIn("at its peak (VmHWM)", words)
        self.assertIn("the sum before the start was", words)
        self.assertIn("tokens a second on the CPU", words)


if __name__ == "__main__":
    unittest.main()
