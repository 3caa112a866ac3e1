"""Engines by command: real processes of a server that its owner names, supervised in full. The server is llama-server with the real
SmolLM2, or a small one of the tests with the habits of real ones (openai_server.py)."""
import contextlib
import json
import os
import pathlib
import signal
import socket
import sys
import tempfile
import threading
import time
import unittest

from harness import ENGINE, MODEL, Tandem, free_port, processes_of, until

HERE = pathlib.Path(__file__).resolve().parent
SERVER = str(HERE / "openai_server.py")
# The system's: a sandbox opens /usr to every engine.
PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else os.path.realpath(sys.executable)
LLAMA = f"[{ENGINE}, --model, '{{model_file}}', --alias, '{{name}}', --ctx-size, '{{context}}', --parallel, '{{slots}}', --no-webui, --host"


def server(*arguments, listen="--port, '{port}'"):
    return f"[{PYTHON}, {SERVER}, {', '.join([listen, *map(str, arguments)])}]"


def model(name="s", command=None, more="memory: 64MiB, ready: /ready"):
    return f"  {name}: {{ provider: own, command: {command or server()}{', ' + more if more else ''} }}\n"


def config(*models, engine="", providers=""):
    return f"engine: {{ {engine} }}\nproviders:\n  own: {{ kind: command }}\n  home: {{ kind: engine }}\n{providers}models:\n" + "".join(models)


class Base(unittest.TestCase):
    def serve(self, *models, **more):
        self.tandem = Tandem(config(*models, **more))
        self.addCleanup(self.tandem.stop)
        return self.tandem

    def engines(self):
        return json.loads(self.tandem.request("/tandem/v1/engines")[2])

    def engine(self, model="s"):
        (one,) = [e for e in self.engines()["engines"] if e["model"] == model]
        return one

    def ask(self, content="hello", model="s", **more):
        status, headers, raw = self.tandem.chat(content, model=model, timeout=more.pop("timeout", 60), **more)
        return status, raw

    def says(self, content, model="s"):
        status, raw = self.ask(content, model)
        self.assertEqual(status, 200, raw)
        return json.loads(raw)["choices"][0]["message"]["content"]

    def incident(self, kind, seconds=30):
        return until(lambda: [one for one in self.engines()["incidents"] if one["kind"] == kind], f"an incident: {kind}", seconds)[0]

    def gone(self, text, seconds=15):
        until(lambda: not processes_of(text), f"no process with {text}", seconds)


class RealServer(Base):
    def check(self, listen):
        llama = f"{LLAMA}, {listen}]"
        self.serve(f"  s: {{ provider: own, command: {llama}, file: {MODEL}, context: 1024, slots: 2, environment: ['LLAMA_API_KEY={{key}}', 'LLAMA_ARG_CACHE_RAM=64'] }}\n")
        status, raw = self.ask("Count: one two three", max_tokens=8)
        self.assertEqual(status, 200, raw)
        status, raw = self.ask("Count: one two three", max_tokens=8, stream=True)
        self.assertEqual(status, 200, raw)
        self.assertIn(b"[DONE]", raw)
        shown = self.engine()
        self.assertEqual((shown["kind"], shown["state"]), ("command", "ready"))
        self.assertGreater(shown["memory"]["peak_bytes"], 90 << 20)
        self.assertEqual(set(shown["sandbox"]["holds"]), {"files", "network", "processes", "calls"})
        os.kill(shown["pid"], signal.SIGKILL)
        self.incident("crash")
        until(lambda: self.engine()["state"] == "ready" and self.engine()["pid"] != shown["pid"], "another one", 20)
        self.assertEqual(self.ask("hi", max_tokens=4)[0], 200)
        return shown

    def test_llama_server_runs_by_a_command_on_a_port(self):
        shown = self.check("127.0.0.1, --port, '{port}'")
        self.assertGreater(shown["port"], 0)
        self.assertEqual(shown["socket"], "")

    def test_llama_server_runs_by_a_command_on_a_socket(self):
        shown = self.check("'{socket}'")
        self.assertEqual(shown["port"], 0)
        self.assertIn("/engines/s.d/run/", shown["socket"])


class Supervised(Base):
    def test_it_is_asked_once_it_is_ready_and_with_its_key(self):
        self.serve(model(command=server("--load", 2), more="memory: 64MiB, ready: /ready, environment: ['SERVED_KEY={key}']"))
        started = time.monotonic()
        self.assertEqual(self.says("hello"), "Hello from a command")
        self.assertGreater(time.monotonic() - started, 2)
        port = self.engine()["port"]
        with socket.create_connection(("127.0.0.1", port)) as stranger:
            stranger.sendall(b'POST /v1/chat/completions HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}')
            self.assertIn(b"401", stranger.recv(100))

    def test_it_takes_its_turn_beside_a_llama_server_and_memory_is_measured(self):
        self.serve(model(command=server("--take", 200)), f"  llama: {{ provider: home, file: {MODEL}, context: 1024, args: [--cache-ram, '16'] }}\n", engine="patience: 200ms")
        self.assertEqual(self.says("hello"), "Hello from a command")
        self.assertEqual(self.ask("hi", "llama", max_tokens=4)[0], 200)
        self.assertEqual({e["state"] for e in self.engines()["engines"]}, {"ready"}, "there is room for both")
        measured = until(lambda: (peak := self.engine()["memory"]["peak_bytes"]) > 200 << 20 and peak, "its memory to be measured")
        self.assertGreaterEqual(self.engine()["memory"]["planned_bytes"], measured)
        llama = self.engine("llama")["memory"]["planned_bytes"]
        limit = max(measured, llama) + (20 << 20)
        self.tandem.write(config(model(command=server("--take", 200)), f"  llama: {{ provider: home, file: {MODEL}, context: 1024, args: [--cache-ram, '16'] }}\n", engine=f"patience: 200ms, memory: {limit}"))
        until(lambda: self.engines()["memory"]["limit_bytes"] == limit, "the config to be read again")
        seen = []
        for _ in range(3):
            for name in ("s", "llama"):
                self.assertEqual(self.ask("Count: one two", name, max_tokens=4)[0], 200)
                seen.append([e["model"] for e in self.engines()["engines"] if e["pid"]])
        self.assertEqual(seen, [["s"], ["llama"]] * 3)
        self.assertEqual(self.engines()["incidents"], [])
        self.assertEqual(self.engine()["memory"]["planned_by"], "measurement")
        # What it took is known after a restart too.
        self.tandem.process.send_signal(signal.SIGTERM)
        self.tandem.process.wait(30)
        self.tandem.start()
        until(lambda: self.engine()["memory"]["planned_by"] == "measurement", "the measurement")
        self.assertGreater(self.engine()["memory"]["planned_bytes"], 200 << 20)

    def test_a_running_request_is_not_ended_by_a_swap(self):
        self.serve(model("a", server("--take", 60), "memory: 90MiB, ready: /ready"), model("b", server("--take", 60, "--say", "b"), "memory: 90MiB, ready: /ready"), engine="memory: 120MiB, patience: 100ms")
        result = {}
        long = threading.Thread(target=lambda: result.update(long=self.ask("slowly 3", "a")))
        long.start()
        until(lambda: self.engine("a")["in_use"] == 1, "the long one to run")
        self.assertEqual(self.says("hi", "b"), "b")
        long.join()
        self.assertEqual(result["long"][0], 200)
        self.assertEqual(self.engines()["incidents"], [])

    def test_one_that_ignores_sigterm_is_killed_with_its_children(self):
        for sandbox in ("auto", "off"):
            for leave in ([], ["--leave-group"]):
                with self.subTest(sandbox=sandbox, leave=leave):
                    word = f"mark-{os.getpid()}-{sandbox}-{len(leave)}"
                    with contextlib.closing(Closing(self, model(command=server("--ignore-term", "--children", 2, *leave, word), more="memory: 64MiB, ready: /ready, stop: 1s"), engine=f"sandbox: {sandbox}")):
                        self.assertEqual(self.says("hello"), "Hello from a command")
                        self.assertEqual(len(processes_of(word)), 3)
                        started = time.monotonic()
                        self.assertEqual(self.tandem.cli("engine", "stop", "s").returncode, 0)
                        self.gone(word)
                        self.assertLess(time.monotonic() - started, 8)
                        self.assertEqual(self.engines()["incidents"], [])

    def test_children_end_with_one_that_is_killed_from_outside(self):
        word = f"mark-{os.getpid()}-killed"
        self.serve(model(command=server("--children", 2, "--leave-group", word)), engine="sandbox: off")
        self.says("hello")
        before = set(processes_of(word))
        os.kill(self.engine()["pid"], signal.SIGKILL)
        self.incident("crash")
        until(lambda: self.engine()["state"] == "ready", "its restart", 15)
        self.assertFalse(before & set(processes_of(word)))
        self.assertEqual(len(processes_of(word)), 3)

    def test_what_a_killed_tandem_left_is_ended_by_the_next(self):
        word = f"mark-{os.getpid()}-left"
        self.serve(model(command=server("--children", 1, "--leave-group", word)), engine="sandbox: off")
        self.says("hello")
        self.tandem.kill()
        until(lambda: len(processes_of(word)) == 1, "the child alone to be left")
        self.tandem.start()
        self.says("hello")
        self.assertEqual(len(processes_of(word)), 2)
        self.assertIn("an earlier Tandem left were ended", self.tandem.log_text())
        self.tandem.process.send_signal(signal.SIGTERM)
        self.tandem.process.wait(30)
        self.gone(word)

    def test_model_show_says_what_is_known_of_it(self):
        self.serve(model(command=server("--take", 100)))
        self.assertIn("67.1 MB by your word; it has not run yet", self.tandem.cli("model", "show", "s").stdout)
        self.says("hello")
        self.assertEqual(self.tandem.cli("engine", "stop", "s").returncode, 0)
        until(lambda: self.engine()["state"] == "stopped", "its end")
        memory = json.loads(self.tandem.cli("model", "show", "s", "--json").stdout)["memory"]
        self.assertEqual(memory["stated_bytes"], 64 << 20)
        self.assertGreater(memory["measured_bytes"], 100 << 20)
        self.assertEqual(memory["total_bytes"], memory["measured_bytes"])

    def test_memory_of_its_children_counts(self):
        self.serve(model(command=server("--children", 1, "--child-takes", 150)))
        self.says("hello")
        until(lambda: self.engine()["memory"]["peak_bytes"] > 150 << 20, "the child's memory to be seen")

    def test_one_that_dies_is_back_and_its_end_is_on_record(self):
        self.serve(model())
        self.says("hello")
        self.assertGreaterEqual(self.ask("die")[0], 500)
        self.assertIn("ended with code 7", self.incident("crash")["what"])
        until(lambda: self.engine()["state"] == "ready", "its restart, though nobody asks", 15)
        self.assertEqual(self.says("hello"), "Hello from a command")

    def test_one_that_hangs_is_replaced_and_one_that_loops_too(self):
        self.serve(model(), engine="stall: 1s")
        for content in ("hang", "loop"):
            status, raw = self.ask(content, timeout=90)
            self.assertGreaterEqual(status, 500, raw)
            self.incident("hang")
            until(lambda: self.engine()["state"] == "ready", "its restart", 15)
            self.assertEqual(self.says("hello"), "Hello from a command")

    def test_one_that_never_is_ready_is_said_with_its_path(self):
        self.serve(model(more="memory: 64MiB, ready: /nowhere, load_timeout: 2s"))
        status, raw = self.ask()
        self.assertEqual(status, 503, raw)
        self.assertIn("/nowhere", raw.decode())

    def test_one_that_ends_while_it_loads_is_said_at_once(self):
        self.serve(model(command="[/bin/sh, -c, 'echo error: no such model >&2; exit 3', '{port}']", more="memory: 64MiB, load_timeout: 10m"))
        started = time.monotonic()
        status, raw = self.ask()
        self.assertEqual(status, 503, raw)
        self.assertIn("ended with code 3 while it loaded: error: no such model", raw.decode())
        self.assertLess(time.monotonic() - started, 20)

    def test_it_is_unloaded_when_idle(self):
        self.serve(model(more="memory: 64MiB, ready: /ready, idle_unload: 1s"))
        self.says("hello")
        until(lambda: self.engine()["pid"] == 0, "its end")
        self.assertEqual(self.says("hello"), "Hello from a command")


class Closing:
    """A Tandem within one test that ends before the next."""

    def __init__(self, test, *models, **more):
        test.tandem = self.tandem = Tandem(config(*models, **more))

    def close(self):
        self.tandem.stop()


class Stranger:
    """Somebody else on a port, who keeps what he is sent."""

    def __init__(self, port, reuse=False):
        self.listener = socket.socket()
        if reuse:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", port))
        self.listener.listen()
        self.got = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                with connection:
                    connection.settimeout(2)
                    with contextlib.suppress(OSError):
                        self.got.append(connection.recv(65536))
                        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class Ports(Base):
    def test_a_port_that_somebody_else_has_is_said_and_never_talked_to(self):
        port = free_port()
        stranger = Stranger(port)
        self.addCleanup(stranger.close)
        self.serve(model(more=f"memory: 64MiB, ready: /ready, port: {port}"))
        status, raw = self.ask()
        self.assertEqual(status, 503, raw)
        self.assertIn(f"port {port} is not its own", raw.decode())
        self.assertIn(f"process {os.getpid()}", raw.decode())
        self.assertIn(f"port {port}", self.incident("port")["what"])
        stranger.close()
        self.assertEqual(self.tandem.cli("engine", "start", "s").returncode, 0)
        self.assertEqual(self.says("hello"), "Hello from a command")
        self.assertEqual(stranger.got, [])

    def test_a_port_that_is_stolen_while_it_runs_is_found(self):
        """Where a port is shared (SO_REUSEPORT), the kernel gives some connections to the newcomer."""
        port = free_port()
        sharing = pathlib.Path(tempfile.mkdtemp()) / "sharing.py"
        sharing.write_text(pathlib.Path(SERVER).read_text().replace("class Tcp(socketserver.ThreadingTCPServer):", "class Tcp(socketserver.ThreadingTCPServer):\n    def server_bind(self):\n        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)\n        super().server_bind()\n"))
        self.serve(model(command=f"[{PYTHON}, {sharing}, --port, '{{port}}']", more=f"memory: 64MiB, ready: /ready, port: {port}"))
        self.says("hello")
        pid = self.engine()["pid"]
        stranger = Stranger(port, reuse=True)
        self.addCleanup(stranger.close)
        self.assertIn("is not its own", self.incident("port")["what"])
        for _ in range(10):
            self.assertNotEqual(self.ask("secret words")[0], 200)
        stranger.close()
        self.assertEqual(self.tandem.cli("engine", "start", "s").returncode, 0)
        self.assertNotEqual(self.engine()["pid"], pid)
        self.assertEqual(self.says("hello"), "Hello from a command")
        self.assertFalse([one for one in stranger.got if b"secret words" in one])

    def test_one_that_listens_for_the_whole_network_is_told(self):
        self.serve(model(command=server("--host", "0.0.0.0")))
        self.says("hello")
        until(lambda: "listens at every address" in self.tandem.log_text(), "the warning")


class Sandbox(Base):
    def test_a_command_is_held_to_its_work(self):
        outside = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(outside.close)
        folder = pathlib.Path(tempfile.mkdtemp(prefix="command-"))
        (folder / "file").write_text("a file of its owner")
        for listen in ("--port, '{port}'", "--socket, '{socket}'"):
            with self.subTest(listen=listen), contextlib.closing(Closing(self, model(command=server(listen=listen)))):
                data = f"{self.tandem.folder}/data"
                self.assertEqual(self.says("run"), "ran")
                for what in (f"read {data}/ledger.db", f"read {self.tandem.file}", f"read {folder}/file", f"write {folder}/new", f"connect {outside.getsockname()[1]}", "datagram", "fast open"):
                    self.assertRegex(self.says(what), "refused: ", what)
                self.assertEqual(self.says(f"write {data}/engines/s.d/tmp/own"), "written")
                self.assertIn("network", self.engine()["sandbox"]["holds"])

    def test_what_its_owner_opens_is_open_and_said(self):
        outside = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(outside.close)
        folder = pathlib.Path(tempfile.mkdtemp(prefix="command-"))
        (folder / "file").write_text("a file of its owner")
        self.serve(model(more=f"memory: 64MiB, ready: /ready, connects: true, readable: [{folder}], writable: [{folder}]"))
        self.assertEqual(self.says(f"read {folder}/file"), "a file of its owner")
        self.assertEqual(self.says(f"write {folder}/new"), "written")
        self.assertEqual(self.says(f"connect {outside.getsockname()[1]}"), "connected")
        held = self.engine()["sandbox"]
        self.assertNotIn("network", held["holds"])
        self.assertIn("connects: true", " ".join(held["missing"]))
        self.assertIn("connects: true", self.tandem.cli("doctor").stdout)

    def test_a_virtual_environment_is_open_to_its_python(self):
        import subprocess
        folder = pathlib.Path(tempfile.mkdtemp(prefix="venv-"))
        subprocess.run([PYTHON, "-m", "venv", "--without-pip", folder / "v"], check=True)
        (packages,) = folder.glob("v/lib/python*/site-packages")
        (packages / "servable.py").write_text(pathlib.Path(SERVER).read_text())
        self.serve(model(command=f"[{folder}/v/bin/python, -m, servable, --port, '{{port}}']"))
        self.assertEqual(self.says("hello"), "Hello from a command")


class Templates(Base):
    def problem(self, *models):
        tandem = Tandem(config(*models), start=False)
        self.addCleanup(tandem.stop)
        result = tandem.cli("models")
        self.assertNotEqual(result.returncode, 0)
        return result.stderr + result.stdout

    def test_a_wrong_template_is_said_with_what_to_set(self):
        more = "memory: 64MiB"
        for command, extra, said in [
                ("[]", more, "'command' is missing"),
                ("[vllm, serve, --port, '{port}']", more, "give the absolute path of the program (`command -v vllm`"),
                ("['/usr/bin/python3 -m vllm', --port, '{port}']", more, ""),
                ("[/bin/x, --port, '{prot}']", more, "there is no placeholder {prot}; did you mean 'port'"),
                ("[/bin/x]", more, "needs {port} or {socket}"),
                ("[/bin/x, '{port}', '{socket}']", more, "a server listens on one of them"),
                ("[/bin/x, '{port}', '{model_file}']", more, "has no `file`"),
                ("[/bin/x, '{port}', '{context}']", more, "has no `context`"),
                ("[/bin/x, '{port}']", "", "'memory' is missing"),
                ("[/bin/x, '{socket}']", more + ", port: 8001", "take out `port`"),
                ("[/bin/x, '{port}']", more + ", ready: health", "ready"),
                ("[/bin/x, '{port}']", more + ", environment: [NOTHING]", "environment"),
                ("[/bin/x, '{port}']", more + ", readable: [models]", "'models' is no absolute path"),
                ("[/bin/x, '{port}']", more + ", args: [--x]", "args")]:
            if said:
                with self.subTest(command=command, extra=extra):
                    self.assertIn(said, self.problem(model(command=command, more=extra)))
        self.assertIn("is Tandem's own", self.problem(model(command="[/bin/x, '{port}']", more=more + ", port: PORT")))
        self.assertIn("is that of model a already", self.problem(model("a", "[/bin/x, '{port}']", more + ", port: 8001"), model("b", "[/bin/x, '{port}']", more + ", port: 8001")))

    def test_a_program_that_is_not_there_is_said_by_doctor_and_by_the_answer(self):
        self.serve(model(command="[/usr/bin/no-such-server, --port, '{port}']"))
        status, raw = self.ask()
        self.assertEqual(status, 503, raw)
        self.assertIn("/usr/bin/no-such-server, is not there", raw.decode())
        self.assertIn("/usr/bin/no-such-server, is not there", self.tandem.cli("doctor").stdout)

    def test_no_shell_reads_the_arguments(self):
        odd = """'{"enable_thinking": false}', "$(touch /tmp/never) ; `id` && echo 'x' | y > z", '{{port}}', 'two words'"""
        self.serve(model(command=server("--", odd), more="memory: 64MiB, ready: /ready, environment: ['OWN=of {name}']"))
        arguments = json.loads(self.says("arguments"))
        self.assertEqual(arguments[-4:], ['{"enable_thinking": false}', "$(touch /tmp/never) ; `id` && echo 'x' | y > z", "{port}", "two words"])
        environment = json.loads(self.says("environment"))
        self.assertEqual(environment["OWN"], "of s")
        self.assertIn("PATH", environment)
        self.assertTrue(environment["HOME"].endswith("/engines/s.d/home"))


if __name__ == "__main__":
    unittest.main()
