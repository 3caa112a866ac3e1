"""A conversation in the terminal: edited lines, streamed answers, commands, feedback, and Ctrl-C that stops an answer and not the program."""
# ctest: starts no real engine
import json
import os
import pty
import re
import select
import subprocess
import threading
import time
import unittest
import warnings

from harness import ANSWER, BINARY, DONE, SSE_HEAD, Tandem, Upstream, chunk, free_port, until

HOSTILE = "a\x1b]52;c;eA==\x07b\x1b[2Jc\u009b2Jd\u202ee"


class Terminal:
    """`tandem chat` with a terminal of its own."""

    def __init__(self, tandem, *arguments, term="xterm-256color"):
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen([BINARY, "chat", *arguments], env={**tandem.env, "TERM": term}, cwd=tandem.folder, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                                        preexec_fn=lambda: __import__("fcntl").ioctl(0, 0x540E, 0))  # TIOCSCTTY: Ctrl-C is a signal
        os.close(slave)
        self.out = ""
        self.read = 0

    def pump(self, seconds=0.05):
        if select.select([self.master], [], [], seconds)[0]:
            try:
                self.out += os.read(self.master, 65536).decode("utf-8", "replace")
            except OSError:
                pass

    def wait(self, text, seconds=30):
        """Everything since the last wait, up to and with the text."""
        end = time.monotonic() + seconds
        while text not in self.out[self.read:]:
            if time.monotonic() > end:
                raise AssertionError(f"waited for {text!r}, got {self.out[self.read:]!r}")
            self.pump()
        at = self.out.index(text, self.read) + len(text)
        seen, self.read = self.out[self.read:at], at
        return seen

    def type(self, text):
        os.write(self.master, text.encode() if isinstance(text, str) else text)

    def ended(self, seconds=10):
        end = time.monotonic() + seconds
        while self.process.poll() is None:
            if time.monotonic() > end:
                raise AssertionError(f"it goes on: {self.out[self.read:]!r}")
            self.pump()
        return self.process.returncode

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)


class Chat(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        warnings.simplefilter("ignore", ResourceWarning)
        cls.model = Upstream()
        cls.tandem = Tandem(f"providers:\n  p: {cls.model.provider()}\nmodels:\n  m: {{ provider: p, context: 32768 }}\n  other: {{ provider: p, context: 32768 }}\naliases: {{ best: [other] }}\n")

    @classmethod
    def tearDownClass(cls):
        cls.tandem.stop()
        cls.model.close()

    def setUp(self):
        self.model.script = Upstream.answer_well
        self.model.requests.clear()

    def start(self, *arguments, **more):
        terminal = Terminal(self.tandem, *arguments, **more)
        self.addCleanup(terminal.close)
        terminal.wait("/help")
        terminal.wait("> ")
        return terminal

    def asked(self, number=-1):
        return json.loads(self.model.requests[number][1])["messages"]

    def pipe(self, text, *arguments, code=0):
        result = self.tandem.cli("chat", *arguments, input=text)
        self.assertEqual(result.returncode, code, result.stderr)
        return result

    # ---- in a terminal ----

    def test_an_answer_streams_and_a_dim_line_says_where_it_came_from(self):
        terminal = self.start("-a", "m")
        terminal.type("hello\r")
        terminal.wait("Hello there")
        line = terminal.wait("\x1b[0m")
        self.assertRegex(line, r"\x1b\[2mm at p \(local\), .*7 \+ 3 tokens, .* ms, dec_\w+")
        terminal.wait("m> ")
        terminal.type("and again\r")
        terminal.wait("Hello there")
        self.assertEqual([(m["role"], m["content"]) for m in self.asked()], [("user", "hello"), ("assistant", "Hello there"), ("user", "and again")])
        terminal.wait("m> ")
        terminal.type("/quit\r")
        self.assertEqual(terminal.ended(), 0)

    def test_feedback_is_a_sign_on_a_line_of_its_own(self):
        terminal = self.start("-a", "m")
        terminal.type("+\r")
        terminal.wait("no answer yet")
        terminal.type("rate me\r")
        decision = re.search(r"dec_\w+", terminal.wait("\x1b[0m")).group(0)
        terminal.type("-\r")
        terminal.wait(f"{decision} was bad")
        terminal.type("\x04")
        self.assertEqual(terminal.ended(), 0)
        outcomes = [json.loads(line) for line in self.tandem.cli("learning", "export").stdout.splitlines()]
        self.assertIn((decision, 0), [(o["decision"], o["outcome"]) for o in outcomes])
        self.assertEqual(len(self.model.requests), 1)

    def test_what_is_typed_while_an_answer_is_printed_is_kept_and_so_is_the_end(self):
        def slow(connection, body, number):
            connection.sendall(SSE_HEAD + chunk("", role="assistant"))
            until(typed.is_set, "what is typed ahead")
            connection.sendall(chunk("Hello there") + chunk("", finish="stop") + b"data: [DONE]\n\n")
            return "close"

        typed = threading.Event()
        self.model.script = slow
        terminal = self.start("-a", "m")
        terminal.type("first\r")
        until(lambda: self.model.requests, "the question")
        time.sleep(0.2)     # it waits for the answer by now
        terminal.type("sekond\x7f\x15second\r\x04")
        typed.set()
        self.assertEqual(terminal.ended(), 0)
        self.assertEqual([json.loads(body)["messages"][-1]["content"] for _, body in self.model.requests], ["first", "second"])

    def test_model_label_and_new_hold_for_what_follows(self):
        terminal = self.start()
        terminal.type("/model\r")
        terminal.wait("now auto; there are: auto local cloud private best m other")
        terminal.type("/model best\r")
        terminal.wait("best> ")
        terminal.type("/label privat\r")
        terminal.wait("is no label")
        terminal.type("/label private\r")
        terminal.wait("best private> ")
        terminal.type("one\r")
        decision = re.search(r"dec_\w+", terminal.wait("\x1b[0m")).group(0)
        record = self.tandem.explain(decision)
        self.assertEqual((record["inputs"]["label"], record["attempts"][0]["model"]), ("private", "other"))
        terminal.type("/new\r")
        terminal.wait("> ")
        terminal.type("two\r")
        terminal.wait("\x1b[0m")
        self.assertEqual([m["content"] for m in self.asked()], ["two"])
        terminal.type("/modell x\r")
        terminal.wait("did you mean /model?")
        terminal.type("//etc is a folder\r")
        terminal.wait("\x1b[0m")
        self.assertEqual(self.asked()[-1]["content"], "/etc is a folder")

    def test_ctrl_c_stops_the_answer_and_not_the_program_and_a_second_one_ends_it(self):
        gone = threading.Event()

        def endless(connection, body, number):
            connection.sendall(SSE_HEAD + chunk("", role="assistant"))
            try:
                while True:
                    connection.sendall(chunk("word "))
                    time.sleep(0.02)
            except OSError:
                gone.set()
            return "close"

        self.model.script = endless
        terminal = self.start("-a", "m")
        terminal.type("talk\r")
        terminal.wait("word word ")
        terminal.type("\x03")
        terminal.wait("stopped")
        terminal.wait("m> ")
        self.assertTrue(gone.wait(20), "the upstream still writes")
        self.model.script = Upstream.answer_well
        terminal.type("go on\r")
        terminal.wait("Hello there")
        self.assertRegex(self.asked()[1]["content"], "^(word )+$")  # what was seen is part of the conversation
        terminal.wait("m> ")
        terminal.type("\x03")
        terminal.wait("once more")
        terminal.wait("m> ")
        terminal.type("\x03")
        self.assertEqual(terminal.ended(), 0)

    def test_ctrl_c_stops_a_model_that_says_nothing(self):
        hold = threading.Event()
        self.addCleanup(hold.set)
        self.model.script = lambda connection, body, number: hold.wait(30) and "close"
        terminal = self.start("-a", "m")
        terminal.type("hello\r")
        until(lambda: self.model.requests, "the request")
        terminal.type("\x03")
        terminal.wait("stopped")
        self.model.script = Upstream.answer_well
        terminal.type("other\r")
        terminal.wait("Hello there")
        self.assertEqual([m["content"] for m in self.asked()], ["other"])

    def test_lines_are_edited_and_older_ones_come_back(self):
        terminal = self.start("-a", "m")
        for keys, meant in ((b"wrold\x1b[D\x1b[D\x7fo\x1b[D\x1b[D\x1b[C\x1b[3~r\r", None), ("gr\u00fc\u00dfe \u65e5\u672c\x7f\x7fx\r", "gr\u00fc\u00dfe x"), (b"abc\x01X\x05Y\r", "XabcY"), (b"one two\x17three\r", "one three"), (b"cut\x15kept\r", "kept"),
                            (b"\x1b[A\r", "kept"), (b"\x1b[A\x1b[A\x1b[B!\r", "kept!"), (b"a\tb\x1bOD\x1b[H\x1b[F\x1b[5~\r", "a b")):
            before = len(self.model.requests)
            terminal.type(keys)
            terminal.wait("Hello there")
            terminal.wait("m> ")
            until(lambda: len(self.model.requests) > before, "the request")
            if meant:
                self.assertEqual(self.asked()[-1]["content"], meant)

    def test_a_line_that_is_longer_than_the_terminal_and_pasted_lines_are_one_message(self):
        terminal = self.start("-a", "m")
        terminal.type("x" * 500 + "\r")
        terminal.wait("Hello there")
        self.assertEqual(self.asked()[-1]["content"], "x" * 500)
        terminal.wait("m> ")
        terminal.type("\x1b[200~def f():\r\n    return 1\x1b[2J\r\n\x1b[201~ what is it?\r")
        seen = terminal.wait("Hello there")
        self.assertNotIn("1\x1b[2J", seen)
        self.assertEqual(self.asked()[-1]["content"], "def f():\n    return 1[2J what is it?")
        terminal.wait("m> ")
        terminal.type("first \\\rsecond\r")
        terminal.wait("Hello there")
        self.assertEqual(self.asked()[-1]["content"], "first \nsecond")

    def test_words_of_a_model_cannot_act_on_the_terminal(self):
        self.model.script = lambda connection, body, number: connection.sendall(SSE_HEAD + chunk("", role="assistant") + b"".join(chunk(c) for c in HOSTILE) + chunk(finish="stop") + chunk(usage=ANSWER["usage"]) + DONE) or "close"
        terminal = self.start("-a", "m")
        terminal.type("hello\r")
        seen = terminal.wait("ms, dec_")
        answer = seen[seen.index("\u241b]52;c;"):]
        self.assertEqual(re.findall("[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f\u0080-\u009f\u202a-\u202e]", answer), [])
        self.assertEqual(set(re.findall("\x1b\\[[0-9;]*[a-zA-Z]|\x1b.", answer)), {"\x1b[2m"})

    def test_the_terminal_is_given_back_as_it_was(self):
        import termios
        terminal = self.start("-a", "m")
        raw = termios.tcgetattr(terminal.master)
        self.assertFalse(raw[3] & termios.ECHO)
        terminal.process.terminate()
        terminal.ended()
        self.assertTrue(termios.tcgetattr(terminal.master)[3] & termios.ECHO)

    def test_a_dumb_terminal_has_plain_lines(self):
        terminal = Terminal(self.tandem, "-a", "m", term="dumb")
        self.addCleanup(terminal.close)
        terminal.wait("m> ")
        terminal.type("hello\n")
        terminal.wait("Hello there")
        terminal.wait("m> ")
        terminal.type("\x04")
        self.assertEqual(terminal.ended(), 0)

    # ---- through a pipe ----

    def test_a_pipe_gets_answers_alone(self):
        result = self.pipe("one\n/model other\ntwo\n+\n", "-a", "m", "-s", "be short")
        self.assertEqual((result.stdout, result.stderr), ("Hello there\nHello there\n", ""))
        self.assertEqual([m["content"] for m in self.asked()], ["be short", "one", "Hello there", "two"])
        self.assertEqual(json.loads(self.model.requests[-1][1])["model"], "other")

    def test_an_answer_that_fails_is_not_part_of_the_conversation(self):
        result = self.pipe("hello\n/model m\nagain\n", "-a", "nosuch", code=1)
        self.assertIn("nosuch", result.stderr)
        self.assertEqual(result.stdout, "Hello there\n")
        self.assertEqual([m["content"] for m in self.asked()], ["again"])

    def test_without_a_server_it_says_so_at_once(self):
        lonely = Tandem("", start=False)
        self.addCleanup(lonely.stop)
        result = lonely.cli("chat", input="x\n")
        self.assertEqual(result.returncode, 4)
        self.assertIn("tandem serve", result.stderr)
        self.assertEqual(self.tandem.cli("chat", "-l", "privat", input="").returncode, 2)


class Helpful(unittest.TestCase):
    """What somebody sees who does not know the commands yet."""

    @classmethod
    def setUpClass(cls):
        warnings.simplefilter("ignore", ResourceWarning)
        cls.model = Upstream()
        cls.tandem = Tandem(f"providers:\n  p: {cls.model.provider()}\n  far: {{ kind: openai, zone: cloud, base_url: 'http://127.0.0.1:{free_port()}/v1' }}\nmodels:\n  m: {{ provider: p, context: 32768, capabilities: [chat, tools] }}\n"
                            "  big: { provider: far, price: { input: 1.25, output: 10 } }\n  bare: { provider: far }\naliases: { best: [big, m] }\n")

    @classmethod
    def tearDownClass(cls):
        cls.tandem.stop()
        cls.model.close()

    def test_alone_it_shows_the_first_commands(self):
        result = self.tandem.cli()
        self.assertEqual(result.returncode, 2)
        for command in ("init", "doctor", "serve", "chat", "connect"):
            self.assertIn(f"tandem {command}", result.stdout)
        self.assertLess(len(result.stdout.splitlines()), 15)

    def test_help_has_the_commands_in_groups(self):
        text = self.tandem.cli("--help").stdout
        first = text[text.index("The first evening"):text.index("Why, and what it costs")]
        self.assertIn("chat", first)
        self.assertIn("backup", text[text.index("Care:"):])
        self.assertNotIn("Subcommands:", text)

    def test_an_unknown_command_names_the_nearest(self):
        for words, near in ((("sevre",), "tandem serve"), (("--json", "modles"), "tandem models"), (("audit", "verfy"), "tandem audit verify"), (("--config", "x.yaml", "stauts"), "tandem status")):
            result = self.tandem.cli(*words)
            self.assertEqual((result.returncode, result.stdout), (2, ""), words)
            self.assertIn(f"did you mean '{near}'?", result.stderr)
        self.assertNotIn("did you mean", self.tandem.cli("xyzzyxyzzy").stderr)

    def test_a_missing_argument_shows_how_the_command_is_used(self):
        result = self.tandem.cli("connect")
        self.assertEqual(result.returncode, 2)
        for word in ("client", "claude-code", "open-webui", "tandem connect CLIENT [--write]"):
            self.assertIn(word, result.stderr)
        result = self.tandem.cli("audit")
        self.assertEqual(result.returncode, 2)
        self.assertIn("verify", result.stderr)
        self.assertIn("--max-tokenz", self.tandem.cli("ask", "--max-tokenz", "3", "x").stderr)

    def test_models_shows_claims_prices_aliases_and_states(self):
        answer = json.loads(self.tandem.cli("models", "--json").stdout)
        m, big, bare = answer["models"]
        self.assertTrue(answer["server"])
        self.assertEqual((m["provider"], m["zone"], m["context"], sorted(m["capabilities"]), m["aliases"], m["state"]), ("p", "local", 32768, ["chat", "tools"], ["best"], "up"))
        self.assertEqual((big["price"]["input"], big["price"]["output"], big["kind"]), ("1.250000", "10.000000", "openai"))
        self.assertNotIn("price", bare)
        text = self.tandem.cli("models").stdout
        self.assertRegex(text, r"m +p +local +32768 +tools chat +- +up +best")
        self.assertRegex(text, r"bare .*unknown")

    def test_models_needs_no_server(self):
        lonely = Tandem("", start=False)
        self.addCleanup(lonely.stop)
        result = lonely.cli("models")
        self.assertEqual(result.returncode, 0)
        self.assertRegex(result.stdout, r"smollm2 +home +local")
        self.assertIn("no server answers", result.stdout)

    def test_health_is_for_a_supervisor(self):
        self.assertEqual((self.tandem.cli("health").returncode, self.tandem.cli("health").stdout), (0, "ready\n"))
        lonely = Tandem("", start=False)
        self.addCleanup(lonely.stop)
        self.assertEqual(lonely.cli("health").returncode, 4)
        wrong = Tandem(f"server: {{ listen: 127.0.0.1:{self.model.port} }}", start=False)
        self.addCleanup(wrong.stop)
        self.assertIn(wrong.cli("health").returncode, (4, 6))


if __name__ == "__main__":
    unittest.main()
