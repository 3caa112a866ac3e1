"""Models that share a GPU: a program in front of the real llama-server says that it sees one, and what it put there; the real
SmolLM2 answers. No card is in the machines that these tests run on, so what a driver does is not tried here."""
import json
import os
import pathlib
import shutil
import tempfile
import unittest

from harness import ENGINE, MODEL, Tandem, until

MIB = 1 << 20
# What is said stands in the log as llama-server writes it.
WRAPPER = f"""#!/bin/sh
case "$1" in
--list-devices) echo "Available devices:"; echo "  CUDA0: NVIDIA Test Card (400 MiB, 390 MiB free)"; exit 0;;
--version) echo "version: 1 (wrapped)"; exit 0;;
esac
case "$*" in
*"-ngl 0"*) ;;
*) echo "load_tensors:        CUDA0 model buffer size =   150.00 MiB"; echo "llama_kv_cache:      CUDA0 KV buffer size =   100.00 MiB";;
esac
exec {ENGINE} "$@"
"""


class Gpu(unittest.TestCase):
    def setUp(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="gpu-"))
        self.addCleanup(shutil.rmtree, folder, True)
        program = folder / "llama-server"
        program.write_text(WRAPPER)
        program.chmod(0o755)
        model = f"provider: home, file: {MODEL}, context: 2048, slots: 2"
        self.tandem = Tandem(
            f"engine: {{ binary: {program}, readable: [{os.path.dirname(os.path.realpath(ENGINE))}], patience: 200ms }}\n"
            f"providers: {{ home: {{ kind: engine }} }}\nmodels:\n  a: {{ {model} }}\n  b: {{ {model} }}\n  c: {{ {model}, args: ['-ngl', '0'] }}\n")
        self.addCleanup(self.tandem.stop)

    def engines(self):
        return json.loads(self.tandem.request("/tandem/v1/engines")[2])

    def engine(self, model):
        (one,) = [e for e in self.engines()["engines"] if e["model"] == model]
        return one

    def ask(self, model):
        status, _, body = self.tandem.chat("Say hello.", model=model, max_tokens=4, timeout=120)
        self.assertEqual(status, 200, body)

    def test_models_that_a_card_has_no_room_for_have_turns_though_the_machine_has(self):
        (device,) = until(lambda: self.engines()["memory"]["devices"], "the program to name its devices")
        self.assertEqual((device["name"], device["about"], device["limit_bytes"]), ("CUDA0", "NVIDIA Test Card", 400 * MIB // 10 * 9))
        guess = self.engine("a")["memory"]["planned_devices"]["CUDA0"]
        self.assertGreater(guess, 100 * MIB, "weights, cache and what is between layers")
        self.ask("a")
        self.ask("c")
        self.assertEqual(self.engine("a")["memory"]["planned_devices"], {"CUDA0": 250 * MIB}, "as it said itself")
        self.assertEqual(self.engine("c")["memory"]["planned_devices"], {}, "all of it stays with the CPU")
        self.assertEqual([self.engine(m)["state"] for m in "ac"], ["ready", "ready"])
        self.ask("b")
        until(lambda: self.engine("a")["state"] == "stopped", "the first to leave the card")
        self.assertEqual([self.engine(m)["state"] for m in "bc"], ["ready", "ready"])
        self.assertEqual(self.engines()["memory"]["devices"][0]["used_bytes"], 250 * MIB)
        memory = self.engines()["memory"]
        self.assertLess(memory["used_bytes"], memory["limit_bytes"] // 2, "the machine itself had room for all")
        self.ask("a")
        self.assertEqual(self.engine("b")["loads"], 1)
        self.assertRegex(self.tandem.cli("engine", "list").stdout, r"on CUDA0 \(NVIDIA Test Card\) they share 360 MB|on CUDA0 \(NVIDIA Test Card\) they share 3\d\d")


if __name__ == "__main__":
    unittest.main()
