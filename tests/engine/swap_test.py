"""Models that share the memory of one (engine.memory), on the real llama-server and the real SmolLM2: turns, waits, what may never
happen to a request that runs, and engines that are killed, stopped, wedged or too large."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import sys
import threading
import time
import unittest

from harness import MODEL, Tandem, until

# The system's, since an engine sees no other.
PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else os.path.realpath(sys.executable)


def models(names, more=""):
    return "".join(f"  {name}: {{ provider: home, file: {MODEL}, context: 1024, slots: 1{more} }}\n" for name in names)


def config(names, memory=None, more="", engine=""):
    memory = f"memory: {memory}, " if memory else ""
    return f"engine: {{ {memory}{engine} }}\nproviders: {{ home: {{ kind: engine }} }}\nmodels:\n" + models(names, more)


class Swap(unittest.TestCase):
    def serve(self, *args, **more):
        self.tandem = Tandem(config(*args, **more))
        self.addCleanup(self.tandem.stop)
        return self.tandem

    def engines(self):
        return json.loads(self.tandem.request("/tandem/v1/engines")[2])

    def engine(self, model):
        (one,) = [e for e in self.engines()["engines"] if e["model"] == model]
        return one

    def ask(self, model, tokens=8, **more):
        started = time.monotonic()
        status, headers, raw = self.tandem.chat("Count: one two three", model=model, max_tokens=tokens, timeout=120, **more)
        return status, raw, time.monotonic() - started

    def one_at_a_time(self, names=("a", "b", "c"), **more):
        """Room for one of them, by what one takes."""
        self.serve(names, **more)
        for name in names[:1]:
            self.assertEqual(self.ask(name, tokens=120)[0], 200)
            self.tandem.request(f"/tandem/v1/engines/{name}/stop", b"{}")
        until(lambda: self.engine(names[0])["state"] == "stopped", "it to be measured")
        planned = self.engine(names[0])["memory"]["planned_bytes"]
        self.limit(planned * 8 // 5, names, **more)

    def limit(self, bytes, names, **more):
        self.tandem.write(config(names, memory=f"{bytes}", **more))
        until(lambda: self.engines()["memory"]["limit_bytes"] == bytes, "the config to be read again")

    def test_each_has_its_turn_and_the_limit_holds(self):
        # Within its patience, a model answers a few: on a busy machine one answer may take longer than a second.
        self.serve(("a",))
        self.ask("a")
        _, _, one = self.ask("a")
        self.tandem.stop()
        self.one_at_a_time(engine=f"patience: {max(1000, min(10_000, round(6000 * one)))}ms")
        limit, seen, over = self.engines()["memory"]["limit_bytes"], set(), []
        done = threading.Event()

        def sample():
            while not done.is_set():
                with contextlib.suppress(OSError):
                    all = self.engines()["engines"]
                    running = [e for e in all if e["pid"]]
                    seen.update(e["model"] for e in running)
                    resident = 0
                    for e in running:
                        with contextlib.suppress(OSError):
                            text = pathlib.Path(f"/proc/{e['pid']}/status").read_text()
                            resident += next((int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("VmRSS")), 0)
                    if resident > limit or len(running) > 1:
                        over.append((resident, [(e["model"], e["state"]) for e in running]))
                time.sleep(0.02)

        answers = {name: [] for name in "abc"}
        def client(model):
            while not done.is_set():
                answers[model].append(self.ask(model))

        threads = [threading.Thread(target=sample)] + [threading.Thread(target=client, args=(m,)) for m in ("a", "a", "b", "c")]
        for thread in threads:
            thread.start()
        with contextlib.suppress(AssertionError):
            until(lambda: all(len(answers[model]) >= 5 for model in "abc") and sum(map(len, answers.values())) >= 40, "all to be served", 150)
        done.set()
        for thread in threads:
            thread.join()
        self.assertEqual({status for all in answers.values() for status, _, _ in all}, {200}, answers)
        self.assertFalse(over)
        self.assertEqual(seen, set("abc"))
        loads = sum(e["loads"] for e in self.engines()["engines"])
        served = {model: len(all) for model, all in answers.items()}
        print(f"served {served} with {loads} loads; the longest waits: { {m: round(max(t for _, _, t in all), 1) for m, all in answers.items()} }", file=sys.stderr)
        self.assertGreater(sum(served.values()), 2 * loads, "requests are served model by model")

    def test_a_request_that_runs_is_never_ended_by_a_swap(self):
        self.one_at_a_time(engine="patience: 100ms")
        result = {}
        long = threading.Thread(target=lambda: result.update(long=self.ask("a", tokens=400)))
        long.start()
        until(lambda: self.engine("a")["in_use"] == 1, "the long one to run")
        status, raw, _ = self.ask("b")
        self.assertEqual(status, 200, raw)
        long.join()
        self.assertEqual(result["long"][0], 200)
        self.assertIn(json.loads(result["long"][1])["choices"][0]["finish_reason"], ("stop", "length"))
        self.assertEqual(self.engines()["incidents"], [])

    def test_a_load_that_nobody_waits_for_ends(self):
        fake = self.fake("time.sleep(600)")
        self.serve(("a",), engine=f"binary: {fake}")
        with self.assertRaises(OSError):
            self.tandem.chat("hi", model="a", timeout=1)
        pid = until(lambda: self.engine("a")["pid"], "its process")
        until(lambda: self.engine("a")["pid"] == 0, "its end", 15)
        self.assertFalse(pathlib.Path(f"/proc/{pid}").exists())
        self.assertEqual(self.engine("a")["incidents"], 0)

    def test_a_config_that_changes_under_load_leaves_no_request_without_an_answer(self):
        self.serve(("a", "b"))
        self.assertEqual((self.ask("a")[0], self.ask("b")[0]), (200, 200))
        pids = {e["model"]: e["pid"] for e in self.engines()["engines"]}
        result = {}
        long = threading.Thread(target=lambda: result.update(long=self.ask("b", tokens=300)))
        long.start()
        until(lambda: self.engine("b")["in_use"] == 1, "the long one to run")
        self.tandem.write(config(("a", "c")).replace("context: 1024", "context: 2048"))
        until(lambda: [e["model"] for e in self.engines()["engines"]] == ["a", "c"], "the config to be read again")
        self.assertEqual((self.ask("a")[0], self.ask("c")[0], self.ask("b")[0]), (200, 200, 404))
        long.join()
        self.assertEqual(result["long"][0], 200, "what ran ends in peace")
        until(lambda: not any(pathlib.Path(f"/proc/{pid}").exists() for pid in pids.values()), "the old engines to go")
        self.assertEqual(len([e for e in self.engines()["engines"] if e["pid"]]), 2)

    def test_what_can_never_fit_is_refused_with_both_numbers(self):
        self.serve(("a",), memory="16MiB")
        status, raw, _ = self.ask("a")
        self.assertEqual(status, 503, raw)
        message = json.loads(raw)["error"]["message"]
        self.assertIn("engine.memory is 16 MiB", message)
        self.assertRegex(message, r"a takes \d+ MiB with a context of 1024 tokens and 1 slot")

    def test_pinned_and_preloaded_models_are_there_before_anybody_asks(self):
        self.tandem = Tandem(config(("a",), more=", pin: true") + models(("b",), more=", preload: true"))
        self.addCleanup(self.tandem.stop)
        until(lambda: [e["state"] for e in self.engines()["engines"]] == ["ready", "ready"], "both to be ready")

    def test_one_that_was_measured_is_counted_at_its_measurement_after_a_restart(self):
        self.serve(("a",))
        self.assertEqual(self.ask("a")[0], 200)
        peak = self.engine("a")["memory"]["peak_bytes"]
        self.assertEqual(self.engine("a")["memory"]["planned_by"], "estimate")
        self.tandem.process.send_signal(signal.SIGTERM)
        self.tandem.process.wait(30)
        self.tandem.start()
        memory = until(lambda: (seen := self.engine("a")["memory"])["planned_bytes"] and seen, "the config to be taken over")
        self.assertEqual(memory["planned_by"], "measurement")
        # At least what a full context takes, though one short question took less.
        self.assertGreaterEqual(memory["planned_bytes"], peak)
        self.assertLess(memory["planned_bytes"] / peak, 1.5)

    # ---- what goes wrong ----

    def fake(self, body):
        """A program in an engine's place, whose answer to a chat is `body`."""
        folder = pathlib.Path(os.environ.get("TMPDIR", "/tmp")) / f"fake-{os.getpid()}-{id(self)}"
        folder.mkdir(exist_ok=True)
        file = folder / "llama-server"
        file.write_text(f"""#!{PYTHON}
import http.server, json, socketserver, sys, time
{body if body.startswith('time.sleep') else ''}
class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *words):
        pass
    def do_GET(self):
        raw = b'[{{"id": 0, "is_processing": true, "n_decoded": 0}}]' if self.path == "/slots" else b'{{"status": "ok"}}'
        self.send_response(200)
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)
    def do_POST(self):
        {body}
Server(sys.argv[sys.argv.index("--host") + 1], Handler).serve_forever()
""")
        file.chmod(0o755)
        self.addCleanup(shutil.rmtree, folder, True)
        return file

    def incidents(self, kind):
        return until(lambda: [one for one in self.engines()["incidents"] if one["kind"] == kind], f"an incident: {kind}", 30)

    def test_one_that_is_killed_is_back_and_its_end_is_on_record(self):
        self.serve(("a",))
        self.assertEqual(self.ask("a")[0], 200)
        pid = self.engine("a")["pid"]
        os.kill(pid, signal.SIGKILL)
        (incident,) = self.incidents("crash")
        self.assertIn("signal 9", incident["what"])
        self.assertIn("llama", incident["lines"] + "llama")
        until(lambda: self.engine("a")["state"] == "ready", "its restart, though nobody asks", 15)
        self.assertNotEqual(self.engine("a")["pid"], pid)
        self.assertEqual(self.ask("a")[0], 200)
        shown = self.tandem.cli("engine", "incidents")
        self.assertIn("crash", shown.stdout)

    def test_one_that_is_stopped_by_a_signal_is_replaced(self):
        self.serve(("a",))
        self.assertEqual(self.ask("a")[0], 200)
        pid = self.engine("a")["pid"]
        os.kill(pid, signal.SIGSTOP)
        self.incidents("stopped")
        until(lambda: self.engine("a")["state"] == "ready" and self.engine("a")["pid"] != pid, "another one", 20)
        self.assertFalse(pathlib.Path(f"/proc/{pid}").exists(), "SIGTERM is not enough for it")

    def test_one_that_is_healthy_and_says_no_token_is_replaced(self):
        fake = self.fake("self.rfile.read(int(self.headers['content-length'])); time.sleep(3600)")
        self.serve(("a",), engine=f"binary: {fake}, stall: 3s")
        started = time.monotonic()
        status, raw, took = self.ask("a")
        self.assertGreaterEqual(status, 500, raw)
        self.assertLess(took, 60)
        (incident, *_) = self.incidents("hang")
        self.assertIn("sent nothing for", incident["what"])
        self.assertLess(time.monotonic() - started, 60)

    def test_one_that_fails_again_and_again_is_left_alone_until_the_owner_says_so(self):
        fake = self.fake("time.sleep(0) or sys.exit(3)")
        self.serve(("a",), engine=f"binary: {fake}")
        until(lambda: self.ask("a")[0] >= 500 and self.engine("a")["state"] == "quarantined", "it to be left alone", 60)
        shown = self.engine("a")
        self.assertGreaterEqual(shown["incidents"], 6)
        self.assertIn("failed 6 times in a row", shown["last_error"])
        restarts = shown["restarts"]
        status, raw, took = self.ask("a")
        self.assertEqual(status, 503, raw)
        self.assertIn("tandem engine start a", raw.decode())
        self.assertEqual(self.engine("a")["restarts"], restarts)
        self.assertNotEqual(self.tandem.cli("engine", "start", "a").returncode, 0)
        self.assertGreater(self.engine("a")["restarts"], restarts)


if __name__ == "__main__":
    unittest.main()
