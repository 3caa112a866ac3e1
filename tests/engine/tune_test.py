"""`tandem engine tune`: settings with which a model answers faster and the same. A scripted llama-server has the faults and the speeds that
are the point of a test; the real one with SmolLM2 answers at the end."""
# ctest: measures the real engine
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from harness import BINARY, MODEL, Tandem, processes_of, until

PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else os.path.realpath(sys.executable)

# Waits as long as its settings say, and answers what its settings say. It spends no processor time, so its speed is known.
SERVER = f"""#!{PYTHON}
import http.server, json, os, signal, socketserver, sys, time
arguments = sys.argv[1:]
if "--version" in arguments:
    print("version: 1 (scripted)")
    sys.exit(0)
if "--help" in arguments:
    print("OPTIONS")
    sys.exit(0)
def of(name, usual):
    return arguments[arguments.index(name) + 1] if name in arguments else usual
threads, flash, ubatch, cache = of("--threads", "2"), of("--flash-attn", "auto"), of("--ubatch-size", "512"), of("--cache-type-k", "f16")
slots, sleep, wrong = int(of("--parallel", "1")), 0.03, False
START
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 64
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *words):
        pass
    def address_string(self):
        return "local"
    def do_GET(self):
        self.reply([] if self.path == "/slots" else dict(status="ok"))
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.reply(getattr(self, self.path.split("/")[-1])(asked))
    def tokenize(self, asked):
        return dict(tokens=[len(word) for word in asked["content"].split()])
    def completion(self, asked):
        length = len(asked["prompt"])
        if asked["n_predict"] > 1:
            time.sleep(sleep)
        likely = [-0.2, -2.0, -4.0]
        if wrong == "likely" or wrong == "far" and length > 1000:
            likely = [-2.0, -0.2, -4.0]
        return dict(tokens_predicted=asked["n_predict"], content="x",
                    completion_probabilities=[dict(top_logprobs=[dict(id=i, logprob=l) for i, l in enumerate(likely)])])
    def completions(self, asked):
        said = dict(role="assistant", content="It is as it was: " + str(len(str(asked["messages"]))))
        if "tools" in asked:
            place = "Rome" if wrong == "call" else "Paris"
            said["tool_calls"] = [dict(id="1", type="function", function=dict(name="weather", arguments=json.dumps(dict(city=place))))]
        if wrong == "text":
            said["content"] = "Otherwise: " + said["content"]
        return dict(choices=[dict(index=0, message=said, finish_reason="stop")], usage=dict(completion_tokens=9))
    def reply(self, value):
        raw = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)
Server(arguments[arguments.index("--host") + 1], Handler).serve_forever()
"""
FLASH = "--flash-attn\n"
FASTER = "if flash == 'off': sleep = 0.015"


class Tune(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tune-"))
        self.addCleanup(shutil.rmtree, self.folder, True)

    def program(self, options, start="pass"):
        file = self.folder / "llama-server"
        file.write_text(SERVER.replace('"OPTIONS"', repr(options)).replace("START", start))
        file.chmod(0o755)
        return file

    def config(self, binary=None, engine="", model="", start=False):
        own = f"binary: {binary}, sandbox: off, {engine}" if binary else engine
        self.tandem = Tandem(
            f"engine: {{ {own} }}\nproviders:\n  home: {{ kind: engine }}   # here\n  far: {{ kind: openai, zone: cloud, base_url: 'http://127.0.0.1:1/v1', api_key: none }}\n"
            f"models:\n  # the small one\n  s: {{ provider: home, file: {MODEL}, context: 4096{model} }}  # mine\n  gpt: {{ provider: far }}\n", start=start)
        self.addCleanup(self.tandem.stop)
        self.before = self.tandem.file.read_bytes()

    def tune(self, *arguments, model="s", time="40s", code=0):
        result = self.tandem.cli("engine", "tune", model, "--json", *([] if "--undo" in arguments else ["--time", time]), *arguments, timeout=120)
        (self.assertNotEqual if code else self.assertEqual)(result.returncode, 0, result.stdout + result.stderr)
        self.said = result.stderr
        return json.loads(result.stdout)

    def nothing_is_left(self):
        until(lambda: not processes_of(str(self.folder / "llama-server")), "its engines to end", 5)
        self.assertEqual(self.tandem.file.read_bytes(), self.before)

    def test_what_is_faster_is_found_written_and_taken_back(self):
        self.config(self.program(FLASH, FASTER), model=", args: [--no-webui]")
        found = self.tune()
        self.assertTrue(found["proposed"], found)
        self.assertEqual(found["change"], "flash attention off")
        self.assertLess(found["ratio"]["high"], 0.85)
        self.assertGreaterEqual(found["ratio"]["rounds"], 4)
        self.assertLessEqual(found["ratio"]["low"], found["ratio"]["mean"])
        self.assertEqual(found["after"]["args"], ["--no-webui", "--flash-attn", "off"])
        self.assertLess(found["seconds"], 42)
        self.assertIn("left  flash attention off:", self.said)
        self.nothing_is_left()
        self.assertFalse((self.tandem.folder / "data/tune").exists())

        applied = self.tune("--apply")
        self.assertTrue(applied["applied"])
        changed = self.tandem.file.read_text()
        self.assertEqual(changed, self.before.decode().replace("[--no-webui]", '[--no-webui, --flash-attn, "off"]'))
        self.assertEqual(pathlib.Path(applied["backup"]).read_bytes(), self.before)
        # What was changed beside it stays.
        self.tandem.file.write_text(changed.replace("# mine", "# still mine"))
        self.assertTrue(self.tune("--undo")["written"])
        self.assertEqual(self.tandem.file.read_text(), self.before.decode().replace("# mine", "# still mine"))
        self.assertIn("nothing to take back", self.tune("--undo", code=1)["error"])

    def test_what_is_no_faster_is_left_alone(self):
        self.config(self.program(FLASH))
        found = self.tune("--apply")
        self.assertFalse(found["proposed"], found)
        self.assertIn("nothing that was tried is faster", found["why"])
        self.assertFalse(found["applied"])
        self.nothing_is_left()

    def test_what_changes_answers_is_refused_however_fast_it_is(self):
        for wrong, why in (("text", "worded otherwise"), ("call", "tool call"), ("likely", "next tokens differ"), ("far", "in a long text")):
            with self.subTest(wrong):
                self.config(self.program(FLASH, f"if flash == 'off': sleep, wrong = 0.01, '{wrong}'"))
                found = self.tune("--apply")
                self.assertFalse(found["proposed"], found)
                self.assertIn(why, str(found["not_tried"]))
                self.assertIn("refused", self.said)
                self.nothing_is_left()

    def test_one_that_crashes_or_hangs_is_left_out(self):
        self.config(self.program(FLASH + "--ubatch-size\n", f"if ubatch == '128': sys.exit(3)\nif ubatch == '256': time.sleep(1000)\n{FASTER}"), model=", load_timeout: 4s")
        found = self.tune()
        self.assertIn("flash attention off", found.get("change", ""), found)
        (ubatch,) = [race for race in found["races"] if race["knob"] == "ubatch"]
        left = {one["value"]: one["left"] for one in ubatch["tried"]}
        self.assertIn("does not run", left["128"])
        self.assertIn("does not run", left["256"])
        self.nothing_is_left()

    def test_many_at_once_get_slots(self):
        # A request waits for a slot, as at the real one.
        self.config(self.program("", "sleep = 0.08 / slots"))
        found = self.tune("--for", "throughput", "--concurrency", "4")
        self.assertEqual((found["change"], found["after"]["slots"]), ("slots 4", 4))
        self.assertTrue(self.tune("--for", "throughput", "--concurrency", "4", "--apply")["applied"])
        self.assertIn("slots: 4", self.tandem.file.read_text())

    def test_what_does_not_fit_is_not_tried(self):
        self.config(self.program("", "sleep = 0.08 / slots"), engine="memory: 420MiB")
        found = self.tune("--for", "throughput", "--concurrency", "64")
        self.assertLess(found["after"]["slots"], 64)
        self.assertIn("there is room for", str(found["not_tried"]))
        self.tandem.write(self.tandem.file.read_text().replace("420MiB", "100MiB").split("\n", 2)[2])
        self.assertIn("tandem engine stop", self.tune(code=1)["error"])

    def test_it_can_be_stopped_and_killed_and_leaves_nothing(self):
        self.config(self.program(FLASH + "--ubatch-size\n", FASTER))
        for sent in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            process = subprocess.Popen([BINARY, "engine", "tune", "s", "--apply", "--time", "60s"], env=self.tandem.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            until(lambda: len(processes_of(str(self.folder / "llama-server"))) > 1, "both to run")
            busy = self.tandem.cli("engine", "tune", "s", "--time", "5s")
            self.assertIn("a tuning runs already", busy.stderr)
            process.send_signal(sent)
            out, err = process.communicate(timeout=20)
            self.assertNotEqual(process.returncode, 0)
            if sent != signal.SIGKILL:
                self.assertIn("nothing was changed", err)
                self.assertFalse((self.tandem.folder / "data/tune").exists())
            self.nothing_is_left()
            self.assertFalse(list(self.tandem.folder.glob("tandem.yaml.old*")))
        self.assertTrue(self.tune()["proposed"], "the next one starts anew")
        self.assertFalse((self.tandem.folder / "data/tune").exists())

    def test_what_cannot_be_is_said(self):
        broken = self.folder / "llama-server"
        broken.write_text("#!/bin/sh\necho 'error: this build is broken'\nexit 3\n")
        broken.chmod(0o755)
        self.config(broken)
        self.assertIn("this build is broken", self.tune(code=1)["error"])
        self.nothing_is_left()
        self.assertIn("no model 'x'", self.tune(model="x", code=1)["error"])
        self.assertIn("not run by Tandem's llama-server", self.tune(model="gpt", code=1)["error"])
        self.assertIn("nothing to take back", self.tune("--undo", code=1)["error"])

    def test_the_real_one_is_tuned_beside_the_one_that_serves(self):
        self.config(model=", slots: 1, args: [--threads, '1', --cache-ram, '16']", start=True)
        self.assertEqual(self.tandem.chat("Count: one two", model="s", max_tokens=8, timeout=120)[0], 200)
        (pid,) = [one["pid"] for one in json.loads(self.tandem.request("/tandem/v1/engines")[2])["engines"]]
        begun = time.monotonic()
        found = self.tune("--allow-quantised-cache", time="20s")
        self.assertLess(time.monotonic() - begun, 26)
        self.assertGreater(found["looks"], 0)
        self.assertEqual(self.tandem.file.read_bytes(), self.before)
        (engine,) = json.loads(self.tandem.request("/tandem/v1/engines")[2])["engines"]
        self.assertEqual((engine["pid"], engine["state"]), (pid, "ready"), "the one that serves was left alone")
        self.assertTrue(found["races"], found)


if __name__ == "__main__":
    unittest.main()
