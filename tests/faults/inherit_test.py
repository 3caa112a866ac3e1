"""What an engine inherits from Tandem: its log, and nothing else. A connection of a client ends when its answer does."""
# ctest: starts no real engine
import contextlib
import os
import pathlib
import socket
import sys
import unittest

from harness import Tandem, Upstream, until

# The system's, since an engine sees no other.
PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else os.path.realpath(sys.executable)
ENGINE = f"""#!{PYTHON}
import http.server, json, socketserver, sys
class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self, body):
        raw = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)
    def log_message(self, *words):
        pass
    def do_GET(self):
        self.answer({{"status": "ok"}})
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.answer({{"id": "x", "object": "chat.completion", "created": 1, "model": "m",
                     "choices": [{{"index": 0, "message": {{"role": "assistant", "content": "hello"}}, "finish_reason": "stop"}}],
                     "usage": {{"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}}})
Server(sys.argv[sys.argv.index("--host") + 1], Handler).serve_forever()
"""


def descriptors_of(pid):
    """What a process has open; a descriptor may be closed while it is looked at."""
    held = {}
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            held[int(fd)] = os.readlink(f"/proc/{pid}/fd/{fd}")
    return held


class Inherits(unittest.TestCase):
    def setUp(self):
        self.cloud = Upstream()
        self.addCleanup(self.cloud.close)
        self.tandem = Tandem("", start=False)
        self.addCleanup(self.tandem.stop)
        engine = self.tandem.folder / "engine"
        engine.write_text(ENGINE)
        engine.chmod(0o755)
        (self.tandem.folder / "m.gguf").write_bytes(b"GGUF" + bytes(64))
        self.tandem.write(f"engine: {{ binary: {engine} }}\nproviders: {{ home: {{ kind: engine }}, far: {self.cloud.provider('cloud')} }}\n"
                          "models: { m: { provider: home, file: m.gguf, context: 4096 }, c: { provider: far } }\n")
        self.tandem.start()

    def engine_pid(self):
        import json
        (one,) = json.loads(self.tandem.request("/tandem/v1/engines")[2])["engines"]
        return one["pid"]

    def test_nothing_but_its_log(self):
        kept = socket.create_connection(("127.0.0.1", self.tandem.port))  # a client that stays
        self.addCleanup(kept.close)
        self.assertEqual(self.tandem.chat(model="c")[0], 200)  # and a kept connection to a provider
        self.assertEqual(self.tandem.chat(model="m")[0], 200)
        pid = self.engine_pid()
        held = descriptors_of(pid)
        # In a root of its own the names are those of its mounts.
        self.assertTrue(held[0].endswith("/null"), held)
        self.assertTrue(held[1].endswith("/m.log") and held[1] == held[2], held)
        ours = set(descriptors_of(self.tandem.process.pid).values())
        sockets = {target for target in ours if target.startswith("socket:")}
        self.assertGreater(len(sockets), 3, "the listeners and the client are there to be inherited")
        self.assertFalse(set(held.values()) & sockets, held)
        others = {fd: target for fd, target in held.items() if fd > 2 and not target.startswith("socket:")}
        self.assertFalse([t for t in others.values() if "ledger.db" in t or "tandem.lock" in t or "eventpoll" in t or "eventfd" in t or "pipe:" in t], others)

    def test_a_connection_that_starts_an_engine_ends_with_its_answer(self):
        body = b'{"model": "m", "messages": [{"role": "user", "content": "hello"}]}'
        with socket.create_connection(("127.0.0.1", self.tandem.port), 30) as connection:
            connection.settimeout(30)
            connection.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n"
                               b"content-length: %d\r\n\r\n%s" % (len(body), body))
            answer = b""
            while data := connection.recv(65536):
                answer += data
        self.assertIn(b"hello", answer)

    def test_the_port_of_tandem_is_free_again_when_it_is_killed(self):
        self.assertEqual(self.tandem.chat(model="m")[0], 200)
        pid = self.engine_pid()
        self.tandem.kill()
        until(lambda: not pathlib.Path(f"/proc/{pid}").exists() or "Z" in pathlib.Path(f"/proc/{pid}/stat").read_text().split()[2], "the engine to end with it")
        self.tandem.start()


if __name__ == "__main__":
    unittest.main()
