"""A small server of Chat Completions for the tests of engines by command: a process of its own, with the habits of real ones. It loads
slowly, takes memory, starts children, ignores SIGTERM, hangs, loops or dies, as its arguments say."""
import argparse
import http.server
import json
import os
import signal
import socket
import socketserver
import sys
import threading
import time

parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int)
parser.add_argument("--socket")
parser.add_argument("--host", default="127.0.0.1")
parser.add_argument("--name", default="served")
parser.add_argument("--load", type=float, default=0, help="seconds before it is ready")
parser.add_argument("--take", type=int, default=0, help="MiB that it holds once it is ready")
parser.add_argument("--child-takes", type=int, default=0, help="MiB that a child holds")
parser.add_argument("--ignore-term", action="store_true")
parser.add_argument("--children", type=int, default=0)
parser.add_argument("--leave-group", action="store_true", help="the children do")
parser.add_argument("--say", default="Hello from a command")
parser.add_argument("rest", nargs="*")
given = parser.parse_args()
state = {"ready": False, "held": []}
key = os.environ.get("SERVED_KEY")

if given.ignore_term:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
else:
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))


def hold(mib):
    block = bytearray(mib << 20)
    for at in range(0, len(block), 4096):
        block[at] = 1
    return block


for number in range(given.children):
    if os.fork() == 0:
        if given.leave_group:
            os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        held = hold(given.child_takes)
        while True:
            time.sleep(3600)


def attempt(what):
    """What the sandbox lets it do: the word of the question, and how that went."""
    try:
        if what.startswith("read "):
            return open(what[5:]).read(20)
        if what.startswith("write "):
            with open(what[6:], "w") as file:
                file.write("written")
            return "written"
        if what.startswith("connect "):
            socket.create_connection(("127.0.0.1", int(what[8:])), 3).close()
            return "connected"
        if what == "datagram":
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.sendto(b"x", ("127.0.0.1", 9))
            return "sent"
        if what == "fast open":
            with socket.socket() as s:
                s.sendto(b"x", 0x20000000, ("127.0.0.1", 9))
            return "sent"
        if what == "run":
            import subprocess
            return subprocess.run(["/bin/echo", "ran"], capture_output=True, text=True).stdout.strip()
        if what == "arguments":
            return json.dumps(sys.argv[1:])
        if what == "environment":
            return json.dumps(dict(os.environ))
    except OSError as error:
        return f"refused: {error.strerror}"
    return given.say


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *words):
        pass

    def address_string(self):
        return "local"

    def say(self, status, body):
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def do_GET(self):
        if self.path == "/ready":
            return self.say(200 if state["ready"] else 503, {})
        self.say(200 if self.path in ("/health", "/v1/models") and state["ready"] else 404, {"object": "list", "data": []})

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if key and self.headers.get("authorization") != f"Bearer {key}":
            return self.say(401, {"error": {"message": "wrong key"}})
        text = asked["messages"][-1]["content"]
        if text == "die":
            os._exit(7)
        if text == "hang":
            time.sleep(3600)
        if text.startswith("slowly "):
            time.sleep(float(text[7:]))
        if text.startswith("take "):
            state["held"].append(hold(int(text[5:])))
        if text == "loop":
            end = time.monotonic() + 3600
            while time.monotonic() < end:
                pass
        answer = attempt(text)
        whole = {"id": "c", "object": "chat.completion", "created": 1, "model": asked["model"],
                 "choices": [{"index": 0, "message": {"role": "assistant", "content": answer}, "finish_reason": "stop"}],
                 "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}}
        if not asked.get("stream"):
            return self.say(200, whole)
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True
        for delta, finish in [({"role": "assistant", "content": answer}, None), ({}, "stop")]:
            event = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": asked["model"], "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
            self.wfile.write(b"data: " + json.dumps(event).encode() + b"\n\n")
        self.wfile.write(b"data: [DONE]\n\n")


class Tcp(socketserver.ThreadingTCPServer):
    daemon_threads = allow_reuse_address = True
    request_queue_size = 64


class Local(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


def load():
    time.sleep(given.load)
    state["held"].append(hold(given.take))
    state["ready"] = True


threading.Thread(target=load, daemon=True).start()
print("it listens", flush=True)
(Local(given.socket, Handler) if given.socket else Tcp((given.host, given.port), Handler)).serve_forever()
