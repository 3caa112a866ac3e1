"""Words of models, files, clients and providers cannot act on a terminal, by any command; a pipe gets every byte."""
import json
import os
import pathlib
import pty
import re
import select
import subprocess
import sys
import time
import unittest
import warnings

from harness import ANSWER, BINARY, DONE, SSE_HEAD, Tandem, Upstream, chunk, http, until

BELL, ESC = "\x07", "\x1b"
# Everything that a terminal acts upon, in one text, with words around it.
HOSTILE = ("begin" + ESC + "]52;c;ZWNobyBwd25lZA==" + BELL + "A" + ESC + "]8;;http://evil.example/" + ESC + "\\link" + ESC + "]8;;" + ESC + "\\B" + ESC + "[2J" + ESC + "[31mC" + ESC + "P+q544e" + ESC + "\\D"
           + "\u009b2JE\u009d52;c;eA==\u009cF\u0090q\u009cG" + "over\rwritten" + "gone\b\b\b\b" + "\u202etxt.exe\u202c\u2066x\u2069" + "\x00\x0b\x0c\x7f\x0e\x0f\x05end\tof\nit")
WORDS = ("begin", "link", "written", "end")
ACTING = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u0080-\u009f\u202a-\u202e\u2066-\u2069]")


def on_terminal(arguments, env, cwd, seconds=90, stop=None):
    """What a command writes to a terminal that is its stdin, stdout and stderr; the line discipline's own CR LF is taken back."""
    master, slave = pty.openpty()
    process = subprocess.Popen([BINARY, *arguments], env={**env, "TERM": "xterm-256color"}, cwd=cwd, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    out = b""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if stop and stop(out):
            process.terminate()
            stop = None
        if select.select([master], [], [], 0.1)[0]:
            try:
                data = os.read(master, 65536)
            except OSError:
                break
            if not data:
                break
            out += data
        elif process.poll() is not None:
            break
    process.wait(30)
    os.close(master)
    return out.replace(b"\r\n", b"\n")


def hostile_stream(size):
    """The hostile text as deltas of `size` characters, so that each sequence is cut in every way."""
    def script(connection, body, number):
        if not json.loads(body or b"{}").get("stream"):
            connection.sendall(http({**ANSWER, "choices": [{**ANSWER["choices"][0], "message": {"role": "assistant", "content": HOSTILE}}]}))
            return None
        connection.sendall(SSE_HEAD + chunk("", role="assistant") + b"".join(chunk(HOSTILE[i:i + size]) for i in range(0, len(HOSTILE), size)) + chunk(finish="stop") + chunk(usage=ANSWER["usage"]) + DONE)
        return "close"
    return script


class AtATerminal(unittest.TestCase):
    def setUp(self):
        warnings.simplefilter("ignore", ResourceWarning)
        self.model = Upstream(hostile_stream(3))
        self.addCleanup(self.model.close)

    def tandem(self, more=""):
        tandem = Tandem(f"providers:\n  p: {self.model.provider()}\nmodels:\n  m: {{ provider: p, context: 32768 }}\n{more}")
        self.addCleanup(tandem.stop)
        return tandem

    def harmless(self, out, words=()):
        text = out.decode("utf-8")  # no raw byte of a C1 control either: it would not be UTF-8
        for acting in ACTING.findall(self.without_our_own(text)):
            self.fail(f"{acting!r} reached the terminal: {text!r}")
        for word in words:
            self.assertIn(word, text)
        return text

    @staticmethod
    def without_our_own(text):
        """`ask` has its closing line dim: the one sequence of our own, around a line without others."""
        return re.sub("\x1b\\[2m([^\x1b]*)\x1b\\[0m", r"\1", text)

    def test_an_answer_cannot_act_however_it_is_cut(self):
        for size in (1, 2, 3, 5, 1000):
            with self.subTest(size=size):
                self.model.script = hostile_stream(size)
                tandem = self.tandem()
                out = on_terminal(["ask", "-a", "m", "hello"], tandem.env, tandem.folder)
                text = self.harmless(out, WORDS)
                self.assertIn("\u241b]52;c;", text)  # it is shown
                self.assertIn("end\tof\nit", text)
                self.assertIn("m at p (local)", text)

    def test_a_pipe_gets_every_byte(self):
        tandem = self.tandem()
        piped = subprocess.run([BINARY, "ask", "-a", "m", "hello"], env=tandem.env, cwd=tandem.folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        self.assertEqual(piped.stdout, HOSTILE.encode() + b"\n")
        answer = json.loads(subprocess.run([BINARY, "ask", "--json", "-a", "m", "hello"], env=tandem.env, cwd=tandem.folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=60).stdout)
        self.assertEqual(answer["answer"], HOSTILE)
        # To a terminal and a file at once: each has its own.
        file = tandem.folder / "answer"
        with open(file, "wb") as out:
            master, slave = pty.openpty()
            subprocess.run([BINARY, "ask", "-a", "m", "hello"], env=tandem.env, cwd=tandem.folder, stdin=slave, stdout=out, stderr=slave, timeout=60)
            os.close(slave), os.close(master)
        self.assertEqual(file.read_bytes(), HOSTILE.encode() + b"\n")

    def test_no_command_shows_foreign_words_as_they_are(self):
        tandem = self.tandem("policy: { objective: { learn: true } }\n")
        status, headers, _ = tandem.chat(HOSTILE, model="m")
        self.assertEqual(status, 200)
        good = headers["x-tandem-decision"]
        # A provider's own words in its error, and a model that is asked for with such a name.
        self.model.script = lambda connection, body, number: connection.sendall(http({"error": {"message": HOSTILE, "type": "x"}}, "400 Bad Request"))
        _, headers, _ = tandem.chat("fail", model="m")
        failed = headers["x-tandem-decision"]
        tandem.chat("x", model=HOSTILE)
        tandem.request("/tandem/v1/feedback", {"decision": good, "value": 1, "comment": HOSTILE})
        self.model.script = hostile_stream(3)
        table = tandem.folder / "table.jsonl"
        table.write_text(json.dumps({"id": HOSTILE, "prompt": HOSTILE, "text": HOSTILE, "models": {HOSTILE: {"quality": 1}}}) + "\n" + HOSTILE + "\n")
        texts = tandem.folder / "texts.jsonl"
        texts.write_text(json.dumps({"id": HOSTILE, "text": HOSTILE}) + "\n")
        export = tandem.folder / "export.jsonl"
        export.write_text(json.dumps({"sequence": 1, "decision": HOSTILE, "label": "public", "provider": HOSTILE, "hash": HOSTILE}) + "\n")
        evil = tandem.folder / "evil.yaml"
        evil.write_text(f"data: {tandem.folder}/data\nproviders:\n  {json.dumps('p' + HOSTILE)}: {{ kind: {json.dumps(HOSTILE)} }}\n{json.dumps(HOSTILE)}: 1\n")
        commands = [
            ["explain", good], ["explain", failed], ["explain"], ["explain", "--json", failed], ["explain", HOSTILE], ["explain", "--dry-run", HOSTILE], ["explain", "--dry-run", "x", "-a", HOSTILE],
            ["status"], ["status", "--json"], ["cost"], ["cost", "--by", "model"], ["doctor"], ["doctor", "--json"], ["learning", "show"], ["learning", "export"], ["learning", "reset", HOSTILE],
            ["replay", "--policy", str(tandem.file)], ["replay", "--policy", str(evil)], ["replay", "--policy", HOSTILE], ["feedback", good, "good", "--comment", HOSTILE], ["feedback", HOSTILE, "good"], ["feedback", good, HOSTILE],
            ["probe", "m", "--each", "1"], ["probe", HOSTILE], ["probe"], ["experiment", "status"], ["experiment", "status", HOSTILE], ["experiment", "pairs", HOSTILE], ["experiment", "vote", HOSTILE, HOSTILE, "1"],
            ["experiment", "start", "x", "--control", "m", "--treatment", HOSTILE], ["experiment", "stop", HOSTILE], ["experiment", "apply", HOSTILE],
            ["privacy", "scan", str(texts)], ["privacy", "scan", "--json", str(texts)], ["privacy", "scan", HOSTILE], ["route", "evaluate", str(table)], ["route", "evaluate", HOSTILE],
            ["policy", "show"], ["policy", "show", HOSTILE], ["audit", "list"], ["audit", "list", "--json"], ["audit", "prove"], ["audit", "export"],
            ["audit", "verify", "--file", str(export)], ["audit", "verify", "--file", HOSTILE], ["audit", "show", "1"], ["label", "release", HOSTILE, "--reason", HOSTILE, "--key", HOSTILE], ["label", "release", good, "--reason", HOSTILE],
            ["label", "forget", "--key", HOSTILE, "--reason", HOSTILE], ["engine", "list"], ["engine", "stop", HOSTILE], ["engine", "logs", HOSTILE], ["connect", HOSTILE], ["connect", "opencode", "-m", HOSTILE],
            ["completion", HOSTILE], ["init", "--help"], [HOSTILE], ["--config", str(evil), "status"], ["--config", str(evil), "doctor"], ["--config", str(evil), "serve"], ["--config", HOSTILE, "status"],
            ["models"], ["models", "--json"], ["health"], ["restore", HOSTILE], ["backup", "/nowhere/" + HOSTILE], ["audit", HOSTILE], ["connect"],
            ["version"], ["--version"], ["ask", "-a", HOSTILE, "x"], ["ask", "--json", "-a", "m", HOSTILE], ["ask", "-a", "m", "-l", HOSTILE, "x"],
        ]
        shown = 0
        for command in commands:
            with self.subTest(command=command[:2]):
                command = [part.replace("\0", "") for part in command]
                text = self.harmless(on_terminal(command, tandem.env, tandem.folder))
                shown += "\u241b" in text or "begin" in text
        self.assertGreater(shown, 8)

    def test_the_log_of_serve_cannot_act(self):
        self.model.script = lambda connection, body, number: connection.sendall(http({"error": {"message": HOSTILE, "type": "x"}}, "500 Internal Server Error"))
        tandem = self.tandem()
        tandem.process.terminate()
        tandem.process.wait(30)
        asked = []
        def stop(out):
            if b"is ready at" in out and not asked:
                asked.append(1)
                for _ in range(8):
                    tandem.chat("x", model="m")
                # A config that is wrong is told with its words, while the server runs.
                tandem.file.write_text(tandem.file.read_text() + json.dumps(HOSTILE) + ": 1\n")
            return b"old one stays" in out
        out = on_terminal(["serve"], tandem.env, tandem.folder, stop=stop)
        self.harmless(out, ["is ready at", "the old one stays in force"])


if __name__ == "__main__":
    unittest.main()
