"""Another version of llama-server in place of the one in use: a really different one, built from another release (packaging/setup.sh
other-engine), and programs that do not start, are slow, or answer nonsense. The real SmolLM2 answers."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from harness import CACHE, ENGINE, MODEL, Tandem, processes_of, until

VERSION = "10423.0.0"
OTHER = CACHE / f"engine/llama-server-{VERSION}"
PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else os.path.realpath(sys.executable)

# A program in front of the real one, which runs as its child: what the real one says, later or otherwise.
WRAPPER = f"""#!{PYTHON}
import http.client, http.server, json, os, signal, socket, socketserver, subprocess, sys, time
if "--version" in sys.argv:
    print("version: WORD (wrapped)")
    sys.exit(0)
arguments = sys.argv[1:]
at = arguments.index("--host") + 1
own, arguments[at] = arguments[at], "inner.sock"
if os.path.exists("inner.sock"):
    os.unlink("inner.sock")
child = subprocess.Popen(["{ENGINE}", *arguments])
signal.signal(signal.SIGTERM, lambda *_: (child.kill(), os._exit(0)))
class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *words):
        pass
    def address_string(self):
        return "local"
    def both(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        inner = http.client.HTTPConnection("inner")
        inner.sock = socket.socket(socket.AF_UNIX)
        try:
            inner.sock.connect("inner.sock")
            inner.request(self.command, self.path, body, dict(self.headers))
            answer = inner.getresponse()
            raw, status = answer.read(), answer.status
        except OSError:
            raw, status = b"{{}}", 503
        if self.command == "POST":
            CHANGE
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)
    do_GET = do_POST = both
Server(own, Handler).serve_forever()
"""


class Upgrade(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="upgrade-"))
        self.addCleanup(shutil.rmtree, self.folder, True)

    def serve(self, engine="", models=("s",)):
        text = f"engine: {{ {engine} }}\nproviders: {{ home: {{ kind: engine }} }}\nmodels:\n" + "".join(
            f"  {name}: {{ provider: home, file: {MODEL}, context: 2048, slots: 2, args: [--cache-ram, '16'] }}\n" for name in models)
        self.tandem = Tandem(text)
        self.addCleanup(self.tandem.stop)

    def engines(self):
        return json.loads(self.tandem.request("/tandem/v1/engines")[2])

    def engine(self, model="s"):
        (one,) = [e for e in self.engines()["engines"] if e["model"] == model]
        return one

    def ask(self, model="s", tokens=8):
        return self.tandem.chat("Count: one two three", model=model, max_tokens=tokens, timeout=120)[0]

    def upgrade(self, *arguments, code=0):
        result = self.tandem.cli("engine", "upgrade", "--json", *map(str, arguments), timeout=900)
        (self.assertNotEqual if code else self.assertEqual)(result.returncode, 0, result.stdout + result.stderr)
        return json.loads(result.stdout) if result.stdout else result.stderr

    def wrapper(self, word, change):
        file = self.folder / word
        file.write_text(WRAPPER.replace("WORD", word).replace("CHANGE", change))
        file.chmod(0o755)
        return file

    def other(self):
        if not OTHER.exists():
            self.skipTest(f"there is no {OTHER}: packaging/setup.sh other-engine builds it, for about half an hour")
        return OTHER

    def test_a_really_different_version_takes_its_place_under_load_and_goes_back(self):
        other = self.other()
        self.assertNotEqual(pathlib.Path(ENGINE).read_bytes(), other.read_bytes())
        self.serve()
        self.assertEqual(self.ask(), 200)
        before = until(lambda: (seen := self.engines()["program"])["version"] and seen, "its version to be known")
        statuses, done = [], threading.Event()

        def client():
            while not done.is_set():
                statuses.append(self.ask(tokens=24))

        clients = [threading.Thread(target=client) for _ in range(4)]
        for one in clients:
            one.start()
        # An older one may be slower on a busy machine, which is not what is tried here.
        report = self.upgrade("--to", VERSION, "--force")
        asked = len(statuses)
        until(lambda: len(statuses) > asked + 12, "requests behind the switch", 60)
        done.set()
        for one in clients:
            one.join()
        self.assertEqual(set(statuses), {200}, statuses)
        self.assertEqual((report["switched"], report["beside"]), (True, True), report)
        self.assertNotEqual(report["before"]["version"], report["after"]["version"])
        self.assertGreater(report["agreement"], 0.4)
        self.assertEqual([len(report[side]["runs"]) for side in ("before", "after")], [5, 5])
        print(f"{len(statuses)} requests over the switch; tokens/s {report['before']['runs']} and {report['after']['runs']}, agreement {report['agreement']}", file=sys.stderr)
        shown = until(lambda: (seen := self.engines()["program"])["version"] and seen, "its version to be known")
        self.assertEqual(shown["version"], report["after"]["version"])
        self.assertNotEqual(shown["file"], before["file"])
        self.assertTrue(any(shown["file"] in text for text in self.commands()), "the new one runs")
        self.assertIn(report["after"]["version"], self.tandem.cli("engine", "versions").stdout)
        self.assertIn(report["after"]["version"], self.tandem.cli("engine", "list").stdout)
        self.assertFalse(processes_of("s@upgrade"))
        self.assertEqual(self.engines()["incidents"], [])
        # It stays over a restart.
        self.tandem.process.terminate()
        self.tandem.process.wait(30)
        self.tandem.start()
        self.assertEqual(self.ask(), 200)
        self.assertEqual(self.engines()["program"]["file"], shown["file"])
        back = self.tandem.cli("engine", "rollback")
        self.assertEqual(back.returncode, 0, back.stderr)
        self.assertEqual(self.ask(), 200)
        version = until(lambda: self.engines()["program"]["version"], "its version to be known")
        self.assertEqual(version, before["version"])

    def commands(self):
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
                except OSError:
                    pass
        return found

    def test_what_was_measured_with_the_old_one_does_not_count_for_the_new(self):
        self.serve(engine="sandbox: off")
        self.assertEqual(self.ask(), 200)
        self.tandem.process.terminate()
        self.tandem.process.wait(30)
        self.tandem.start()
        until(lambda: self.engine()["memory"]["planned_by"] == "measurement", "the measurement")
        self.upgrade("--binary", self.wrapper("again", "pass"), "--force")
        until(lambda: self.engine()["memory"]["planned_by"] == "estimate", "the measurement to be stale")
        self.assertEqual(self.ask(), 200)
        self.assertTrue(any("inner.sock" in text for text in self.commands()), "the new one runs")
        self.assertEqual(self.tandem.cli("engine", "rollback").returncode, 0)
        self.assertEqual(self.ask(), 200)

    def test_one_that_does_not_start_is_refused_whatever_is_wanted(self):
        self.serve()
        self.assertEqual(self.ask(), 200)
        broken = self.folder / "broken"
        broken.write_text("#!/bin/sh\n[ \"$1\" = --version ] && echo 'version: broken' && exit 0\necho 'error: this build is broken'\nexit 3\n")
        broken.chmod(0o755)
        pid = self.engine()["pid"]
        for more in ([], ["--force"]):
            report = self.upgrade("--binary", broken, *more, code=1)
            self.assertFalse(report["switched"])
            self.assertIn("does not run", report["worse"])
        self.assertEqual(self.engine()["pid"], pid, "the one in use was left alone")
        self.assertEqual(self.ask(), 200)

    def test_one_that_is_slow_is_refused_with_numbers(self):
        self.serve(engine="sandbox: off")
        report = self.upgrade("--binary", self.wrapper("slow", "time.sleep(1)"), code=1)
        self.assertRegex(report["worse"], r"it makes [\d.]+ tokens a second, and the one in use [\d.]+; 80 % of that is the least")
        self.assertEqual(self.ask(), 200)

    def test_one_that_answers_nonsense_is_refused(self):
        self.serve(engine="sandbox: off")
        nonsense = self.wrapper("nonsense", "whole = json.loads(raw)\n            for choice in whole.get('choices', []):\n                choice['message'] = {'role': 'assistant', 'content': '#### ####'}\n            raw = json.dumps(whole).encode()")
        report = self.upgrade("--binary", nonsense, code=1)
        self.assertFalse(report["switched"])
        self.assertRegex(report["worse"], "agree|right")
        invalid = self.wrapper("invalid", "raw = b'<html>'")
        self.assertIn("it answers 0 of", self.upgrade("--binary", invalid, code=1)["worse"])
        self.assertEqual(self.ask(), 200)

    def test_where_there_is_no_room_for_both_they_have_their_turns(self):
        self.serve()
        self.assertEqual(self.ask(), 200)
        self.tandem.write(self.tandem.file.read_text().replace("engine: {", f"engine: {{ sandbox: off, patience: 200ms, memory: {self.engine()['memory']['planned_bytes'] * 3 // 2},").split("\n", 1)[1])
        until(lambda: self.engines()["memory"]["set_by_owner"], "the config to be read again")
        report = self.upgrade("--binary", self.wrapper("again", "pass"), "--force")
        self.assertEqual((report["beside"], report["switched"]), (False, True))
        self.assertEqual(self.ask(), 200)

    def test_a_tandem_that_is_killed_in_the_middle_goes_on_with_the_old_one(self):
        self.serve(engine="sandbox: off")
        self.assertEqual(self.ask(), 200)
        file = self.engines()["program"]["file"]
        slow = self.wrapper("slow", "time.sleep(1)")
        running = threading.Thread(target=lambda: self.tandem.cli("engine", "upgrade", "--binary", str(slow), timeout=120))
        running.start()
        until(lambda: processes_of("inner.sock"), "the new one to be tried")
        time.sleep(2)
        self.tandem.kill()
        running.join()
        self.tandem.start()
        self.assertEqual(self.ask(), 200)
        self.assertEqual(self.engines()["program"]["file"], file)
        self.assertNotEqual(self.tandem.cli("engine", "rollback").returncode, 0)

    def test_what_cannot_be_is_said(self):
        self.serve()
        self.assertIn("is the program that is in use", self.upgrade("--binary", ENGINE, code=1)["error"])
        self.assertIn("is no program", self.upgrade("--binary", self.folder / "nothing", code=1)["error"])
        self.assertIn("no version '1.2.3'", self.upgrade("--to", "1.2.3", code=1)["error"])
        self.assertIn("no earlier version", self.tandem.cli("engine", "rollback").stderr)
        # Nobody names a program over the network.
        self.assertEqual(self.tandem.request("/tandem/v1/engine-versions/upgrade", {"binary": ENGINE})[0], 403)
        self.tandem.write(self.tandem.file.read_text().replace("engine: {", f"engine: {{ binary: {os.path.realpath(ENGINE)},").split("\n", 1)[1])
        until(lambda: "engine.binary in tandem.yaml names the program" in str(self.upgrade("--binary", ENGINE, code=1)), "the config to be read again")


if __name__ == "__main__":
    unittest.main()
