"""`tandem model suggest`, `tandem model show` of what is not here yet, and `tandem hardware`: on this machine, and on others."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import harness
import made_models
from hubs import Hub, sha
from pull_test import Place

MIB = 1 << 20

# NVML's interface as its reference manual has it, with two devices.
NVML = r"""
#include <string.h>
struct memory { unsigned long long total, free, used; };
static const struct memory all[2] = {{25757220864ULL, 20000000000ULL, 5757220864ULL}, {8589934592ULL, 8000000000ULL, 589934592ULL}};
int nvmlInit_v2(void) { return 0; }
int nvmlShutdown(void) { return 0; }
int nvmlDeviceGetCount_v2(unsigned* count) { *count = COUNT; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** device) { *device = (void*)&all[index % 2]; return index == 2 ? 15 : 0; }
int nvmlDeviceGetName(void* device, char* name, unsigned size) { memset(name, 'x', size); strcpy(name, "Made \x1b[31mGPU"); return 0; }
int nvmlDeviceGetMemoryInfo(void* device, struct memory* memory) { *memory = *(const struct memory*)device; return 0; }
"""


class Machines(unittest.TestCase):
    def setUp(self):
        self.place = Place()
        self.addCleanup(self.place.close)

    def good(self, *arguments, env=None):
        result = self.place.run(*arguments, env=env)
        self.assertEqual(result.returncode, 0, result.stderr + result.stdout)
        return result.stdout

    def nvml(self, count):
        compiler = shutil.which("clang-19") or shutil.which("cc")
        if not compiler:
            self.skipTest("no C compiler on this machine")
        folder = pathlib.Path(tempfile.mkdtemp(prefix="tandem-nvml-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        (folder / "nvml.c").write_text(NVML)
        subprocess.run([compiler, "-shared", "-fPIC", f"-DCOUNT={count}", "-o", folder / "libnvidia-ml.so.1", folder / "nvml.c"], check=True)
        return {"LD_LIBRARY_PATH": str(folder)}


class Suggested(Machines):
    def suggested(self, *arguments, env=None):
        return json.loads(self.good("model", "suggest", "--json", *arguments, env=env))

    def test_each_machine_gets_what_fits_it_with_the_command_that_fetches_it(self):
        best = {}
        for memory in (4, 8, 16, 64, 128):
            found = self.suggested("--memory", str(memory))
            self.assertLessEqual(1, len(found["models"]))
            self.assertLessEqual(len(found["models"]), 3)
            for model in found["models"]:
                self.assertLessEqual(model["memory_bytes"], memory * 9e8)
                self.assertGreater(model["memory_bytes"], model["bytes"])
                self.assertRegex(model["pull"], r"^tandem model pull --add hf:[\w.-]+/[\w.-]+:\w+$")
                self.assertEqual(len(model["sha256"]), 64)
                self.assertTrue(model["recorded"] and model["licence"] and model["good_at"])
            best[memory] = found["models"][0]["bytes"]
        self.assertTrue(any("Coder" in model["name"] for model in self.suggested("--memory", "64")["models"]))
        self.assertEqual(sorted(best.values()), list(best.values()))
        self.assertEqual(len(set(best.values())), 4)  # of 16 and 64 GB the same
        self.assertEqual(self.suggested("--memory", "0.5")["models"], [])
        self.assertIn("no model of the list fits", self.good("model", "suggest", "--memory", "0.5"))

    def test_a_gpu_is_filled_as_far_as_it_goes(self):
        found = self.suggested("--memory", "16", "--gpu", "24")["models"]
        self.assertTrue(found[0]["on_gpu"])
        self.assertLessEqual(found[0]["gpu_bytes"], 24 * 9e8)
        self.assertIn("on the GPU", self.good("model", "suggest", "--memory", "16", "--gpu", "24"))

    def test_this_machine_is_measured_and_the_list_is_dated(self):
        found = self.suggested()
        self.assertEqual(found["date"], "2026-11-27")
        self.assertGreater(found["bytes_per_second"], 1e8)
        self.assertEqual(found["basis"], "memory")
        words = self.good("model", "suggest")
        self.assertIn("this machine has", words)
        self.assertIn("the list is of 2026-11-27", words)
        self.assertGreaterEqual(len(self.suggested("--all")["models"]), len(found["models"]))

    def test_a_file_that_its_maker_has_changed_since_is_said_to_be_another(self):
        hub = Hub({"Qwen3-0.6B-Q8_0.gguf": made_bytes()}, repository="Qwen/Qwen3-0.6B-GGUF")
        self.addCleanup(hub.close)
        pulled = self.place.run("model", "pull", "--add", "hf:Qwen/Qwen3-0.6B-GGUF:Q8_0", env={"HF_ENDPOINT": hub.url})
        self.assertEqual(pulled.returncode, 0, pulled.stderr)
        self.assertIn("it had 639446688 bytes when `tandem model suggest` was made", pulled.stderr)
        self.assertIn("added to", pulled.stdout)

    def test_init_says_the_next_step_in_one_line(self):
        if not (os.path.exists(harness.MODEL) and os.path.exists(harness.ENGINE)):
            self.skipTest("no engine or model on this machine")
        self.place.config.unlink()
        said = self.good("init", "--yes", "--no-scan", env={"TANDEM_CACHE": str(pathlib.Path(harness.MODEL).parent.parent)})
        self.assertRegex(said, r"fits this machine and knows far more: tandem model pull --add hf:\S+ \(")


class OfNvidia(Machines):
    def test_gpus_are_asked_of_the_drivers_library(self):
        gpus = json.loads(self.good("hardware", "--json", env=self.nvml(2)))["gpus"]
        self.assertEqual([(gpu["by"], gpu["total_bytes"], gpu["available_bytes"]) for gpu in gpus],
                         [("nvml", 25757220864, 20000000000), ("nvml", 8589934592, 8000000000)])
        self.assertNotIn("\x1b", gpus[0]["name"])
        self.assertEqual(len(json.loads(self.good("hardware", "--json", env=self.nvml(4_000_000_000)))["gpus"]), 63)  # one of 64 is broken
        self.assertEqual(json.loads(self.good("hardware", "--json", env=self.nvml(0)))["gpus"], [])

    def test_a_library_that_is_another_is_none(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="tandem-nvml-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        (folder / "libnvidia-ml.so.1").write_bytes(b"no library")
        self.assertEqual(json.loads(self.good("hardware", "--json", env={"LD_LIBRARY_PATH": str(folder)}))["gpus"], [])

    def test_what_is_suggested_and_shown_goes_by_it(self):
        env = self.nvml(1)
        found = json.loads(self.good("model", "suggest", "--json", env=env))
        self.assertEqual(found["gpu_room_bytes"], 25757220864 // 10 * 9)
        self.assertTrue(found["models"][0]["on_gpu"])
        file = self.place.folder / "made.gguf"
        file.write_bytes(made_bytes())
        [gpu] = json.loads(self.good("model", "show", "--json", str(file), env=env))["memory"]["gpus"]
        self.assertTrue(gpu["fits"])
        self.assertIn("it fits there", self.good("model", "show", str(file), env=env))


class Hardware(Machines):
    def test_it_says_what_this_machine_has(self):
        found = json.loads(self.good("hardware", "--json"))
        self.assertGreaterEqual(found["cpu"]["threads"], len(os.sched_getaffinity(0)))
        self.assertEqual(found["cpu"]["usable"], len(os.sched_getaffinity(0)))
        self.assertGreater(found["memory"]["total_bytes"], found["memory"]["available_bytes"])
        self.assertIn("tandem model suggest", self.good("hardware"))
        one = min(os.sched_getaffinity(0))
        pinned = subprocess.run(["taskset", "-c", str(one), harness.BINARY, "hardware", "--json"], env=self.place.env, capture_output=True, text=True)
        self.assertEqual(json.loads(pinned.stdout)["cpu"]["usable"], 1)


SHAPE = {"architecture": "qwen3", "layers": 3, "embedding": 128, "heads": 2, "kv_heads": 2, "head": 64, "feed_forward": 256, "vocabulary": 60000}


def made_bytes(**more):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tandem-made-"))
    try:
        made_models.write(folder / "made.gguf", {**SHAPE, **more})
        return (folder / "made.gguf").read_bytes()
    finally:
        shutil.rmtree(folder)


class BeforeADownload(Machines):
    def hub(self, files):
        hub = Hub(files)
        self.addCleanup(hub.close)
        return hub

    def shown(self, hub, what, *more):
        result = self.place.run("model", "show", "--json", what, *more, env={"HF_ENDPOINT": hub.url})
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout)

    def test_the_answer_is_that_of_the_file_and_only_its_header_is_read(self):
        data = made_bytes(layers=40)  # 18 MB, of which 2 MB are the vocabulary
        hub = self.hub({"made-Q8_0.gguf": data})
        far = self.shown(hub, "hf:acme/Tiny-GGUF:Q8_0", "--context", "2048")
        self.assertLess(hub.given, 5 * MIB)
        self.assertLessEqual(far["read_bytes"], 4 * MIB)
        self.assertEqual((far["version"], far["size"], far["licence"]), (hub.commit, len(data), "apache-2.0"))
        file = self.place.folder / "made.gguf"
        file.write_bytes(data)
        near = json.loads(self.good("model", "show", "--json", str(file), "--context", "2048"))
        self.assertEqual(far["gguf"], near["gguf"])
        self.assertEqual(far["memory"]["parts"], near["memory"]["parts"])
        self.assertEqual(sum(far["memory"]["parts"].values()), far["memory"]["total_bytes"])
        self.assertEqual(self.place.listed(), [])
        words = self.place.run("model", "show", "hf:acme/Tiny-GGUF", env={"HF_ENDPOINT": hub.url}).stdout
        self.assertIn("to have it: tandem model pull --add hf:acme/Tiny-GGUF", words)
        self.assertIn("of it its own", words)

    def test_bad_hubs_and_headers_are_errors(self):
        whole = made_bytes()
        endless = b"GGUF" + b"".join(number.to_bytes(size, "little") for number, size in ((3, 4), (0, 8), (1, 8), (1, 8))) + b"a"
        endless += b"".join(number.to_bytes(size, "little") for number, size in ((9, 4), (8, 4), (20_000_000, 8))) + bytes(100 * MIB)
        for name, data, words in (("cut", whole[:MIB], "damaged"), ("cut-behind", whole[:-MIB], "cut off"), ("other", b"<html>" + bytes(5 * MIB), "does not begin with GGUF"),
                                  ("endless", endless, "does not end within")):
            with self.subTest(name):
                hub = self.hub({"tiny.gguf": data})
                result = self.place.run("model", "show", "hf:acme/Tiny-GGUF", env={"HF_ENDPOINT": hub.url})
                self.assertNotEqual(result.returncode, 0)
                self.assertIn(words, result.stderr)
                self.assertLess(hub.given, 66 * MIB)
        hub = self.hub({"tiny.gguf": whole})
        hub.no_ranges = True
        self.assertIn("gives no parts of a file", self.place.run("model", "show", "hf:acme/Tiny-GGUF", env={"HF_ENDPOINT": hub.url}).stderr)
        self.assertIn("no repository", self.place.run("model", "show", "hf:acme/Gone", env={"HF_ENDPOINT": hub.url}).stderr)
        self.assertEqual(self.place.run("model", "show", "hf:acme").returncode, 2)

    def test_a_projector_and_a_draft_model_take_memory_too(self):
        for name, more in (("model", {}), ("draft", {"layers": 1}), ("projector", {"layers": 2})):
            (self.place.folder / f"{name}.gguf").write_bytes(made_bytes(**more))
        plain = json.loads(self.good("model", "show", "--json", "model.gguf"))["memory"]
        both = json.loads(self.good("model", "show", "--json", "model.gguf", "--mmproj", "projector.gguf", "--draft", "draft.gguf"))["memory"]
        self.assertEqual(plain["parts"]["projector_bytes"] + plain["parts"]["draft_bytes"], 0)
        self.assertGreater(both["parts"]["projector_bytes"], 10 * MIB)
        self.assertGreater(both["parts"]["draft_bytes"], both["parts"]["projector_bytes"])
        self.assertEqual(both["total_bytes"] - plain["total_bytes"], both["parts"]["projector_bytes"] + both["parts"]["draft_bytes"])
        self.assertIn("gone.gguf", self.place.run("model", "show", "model.gguf", "--draft", "gone.gguf").stderr)


if __name__ == "__main__":
    unittest.main()
