"""`tandem model show` says what memory a model takes before any start: held against the real engine's peak (VmHWM)."""
import json
import os
import pathlib
import re
import shutil
import tempfile
import unittest

import harness
import made_models
from harness import Tandem

MOST_OFF = 0.06  # of what was measured; 3.2 % was the most when this was written

# (context of a slot, slots, cache type) of the embedded model.
SETTINGS = [(1024, 1, "f16"), (2048, 1, "f16"), (4096, 1, "f16"), (8192, 1, "f16"), (2048, 2, "f16"), (2048, 4, "f16"), (4096, 2, "q8_0")]

# No constant of engine/memory_need.cpp was fitted to one of these: each has lengths of its own.
SHAPES = {
    "grouped": {"architecture": "llama", "layers": 10, "embedding": 896, "heads": 14, "kv_heads": 2, "head": 64, "feed_forward": 2432, "vocabulary": 48000},
    "mixture": {"architecture": "llama", "layers": 5, "embedding": 640, "heads": 10, "kv_heads": 5, "head": 64, "feed_forward": 896, "vocabulary": 24000, "experts": 12, "used": 3},
    "windows": {"architecture": "gemma3", "layers": 13, "embedding": 768, "heads": 4, "kv_heads": 2, "head": 128, "feed_forward": 3072, "vocabulary": 40000, "window": 1024},
    "words": {"architecture": "qwen3", "layers": 5, "embedding": 256, "heads": 4, "kv_heads": 4, "head": 64, "feed_forward": 768, "vocabulary": 180000},
    "reordered": {"architecture": "qwen3", "layers": 9, "embedding": 768, "heads": 12, "kv_heads": 4, "head": 64, "feed_forward": 2304, "vocabulary": 30000, "quant": made_models.Q4_K},
    "latent": {"architecture": "deepseek2", "layers": 26, "embedding": 512, "heads": 8, "head": 64, "rope": 32, "latent": 128, "feed_forward": 1536, "vocabulary": 32000},
    "states": {"architecture": "mamba", "layers": 12, "embedding": 512, "state": 16, "conv": 4, "rank": 32, "vocabulary": 32000},
}


def peak(pid):
    """Bytes."""
    return int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1)) * 1024


@unittest.skipUnless(os.path.exists(harness.MODEL) and os.path.exists(harness.ENGINE), "no engine or model on this machine")
class Fit(unittest.TestCase):
    def shown(self, tandem, *arguments):
        result = tandem.cli("model", "show", "--json", *arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout)["memory"]

    def off(self, name, file, context, slots, kind, words):
        """Serves the file with Tandem, has it read a prompt of more than one batch, and compares."""
        args = f", args: [--cache-type-k, {kind}, --cache-type-v, {kind}]" if kind != "f16" else ""
        tandem = Tandem(f"providers:\n  engine: {{ kind: engine }}\nmodels:\n  own: {{ provider: engine, file: {file}, context: {context}, slots: {slots}{args} }}\n")
        try:
            memory = self.shown(tandem, str(file))
            self.assertEqual((memory["context"], memory["slots"], memory["cache_type_k"]), (context, slots, kind))
            tandem.chat(words, model="own", max_tokens=2, timeout=180)
            engine, = json.loads(tandem.cli("engine", "list", "--json").stdout)["engines"]
            self.assertEqual(engine["state"], "ready", engine)
            self.assertEqual(engine["memory"]["guess_bytes"], memory["total_bytes"])
            measured = peak(engine["pid"])
            # llama-server's own default is 8 GiB, on every machine.
            bound = f"LLAMA_ARG_CACHE_RAM={memory['prompt_cache_limit_bytes'] >> 20}".encode()
            self.assertIn(bound, pathlib.Path(f"/proc/{engine['pid']}/environ").read_bytes().split(b"\0"))
        finally:
            tandem.stop()
        self.assertEqual(sum(memory["parts"].values()), memory["total_bytes"])
        off = memory["total_bytes"] / measured - 1
        print(f"{name}, {context} x {slots}, {kind}: {memory['total_bytes']} said, {measured} measured, {100 * off:+.1f} %")
        return off

    def test_the_embedded_model_takes_what_was_said(self):
        for context, slots, kind in SETTINGS:
            with self.subTest(context=context, slots=slots, kind=kind):
                self.assertLess(abs(self.off("embedded", harness.MODEL, context, slots, kind, "Say a word. " * 180)), MOST_OFF)

    def test_other_shapes_take_what_was_said(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="tandem-shapes-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        for name, shape in SHAPES.items():
            with self.subTest(shape=name):
                file = folder / f"{name}.gguf"
                made_models.write(file, shape)
                self.assertLess(abs(self.off(name, file, 4096, 2, "f16", "a b c d " * 100)), MOST_OFF)
                file.unlink()

    def test_a_model_in_parts_takes_what_all_of_them_take(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="tandem-parts-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        first = made_models.write(folder / "grouped.gguf", SHAPES["grouped"], parts=3)
        self.assertLess(abs(self.off("in parts", first, 4096, 2, "f16", "a b c d " * 100)), MOST_OFF)

    def test_what_cannot_fit_is_said_not_to(self):
        tandem = Tandem("", start=False)
        self.addCleanup(tandem.stop)
        small, large = (self.shown(tandem, harness.MODEL, "--context", context, "--slots", slots) for context, slots in (("2048", "1"), ("100000000", "64")))
        self.assertTrue(small["fits"])
        self.assertFalse(large["fits"])
        self.assertGreater(large["kept_bytes"], large["room_bytes"])
        # It claims 8,192 tokens, which any machine that builds Tandem has room for.
        self.assertEqual(small["largest"][0], {"slots": 1, "context": 8192})
        for one in small["largest"]:
            self.assertTrue(self.shown(tandem, harness.MODEL, "--context", str(one["context"]), "--slots", str(one["slots"]))["fits"])
        # By the name under which an engine finds the file.
        self.assertEqual(self.shown(tandem, os.path.basename(harness.MODEL))["total_bytes"], self.shown(tandem, harness.MODEL)["total_bytes"])
        refused = tandem.cli("model", "show", harness.MODEL, "--cache-type", "q7")
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("no cache type", refused.stderr)

    def test_what_is_refused_for_its_memory_is_known_to_the_doctor(self):
        tandem = Tandem(f"engine: {{ memory: 64MiB }}\nproviders:\n  home: {{ kind: engine }}\nmodels:\n  own: {{ provider: home, file: {harness.MODEL}, context: 2048 }}\n")
        self.addCleanup(tandem.stop)
        (said,) = [one for one in json.loads(tandem.cli("doctor", "--json").stdout) if one["check"] == "model own"]
        self.assertEqual(said["grade"], "bad", said)
        self.assertIn("engine.memory is 67.1 MB: it is refused", said["text"])
        self.assertEqual(tandem.chat("hello", model="own")[0], 503)


if __name__ == "__main__":
    unittest.main()
