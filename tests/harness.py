"""What the tests from outside share: a Tandem with its own folder, scripted upstreams, a proxy that counts bytes.

Everything listens on loopback, and stops with the test.
"""
import contextlib
import fcntl
import itertools
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

BINARY = os.environ.get("TANDEM_BINARY", str(pathlib.Path(__file__).parent.parent / "build/release/tandem"))
CACHE = pathlib.Path(os.environ.get("TANDEM_CACHE") or pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "tandem")
ENGINE = shutil.which("llama-server") or str(CACHE / "engine/llama-server")
MODEL = str(CACHE / "models/smollm2-135m-instruct-q4_1.gguf")


PORTS_LOCK = threading.Lock()
PORTS_OF_ONE = 200


def own_ports():
    """Ports that no other test gives, for as long as this process lives: tests run beside each other. Below those that the system gives for
    port 0 (what it gave to one test and took back, it gives to the next, and two servers that share ports between their threads would share
    it), and below those that Tandem gives its engines."""
    folder = pathlib.Path(tempfile.gettempdir()) / f"tandem-test-ports-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    for lowest in itertools.cycle(range(10_000, 20_000, PORTS_OF_ONE)):
        lock = open(folder / str(lowest), "w")
        with contextlib.suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock, itertools.cycle(range(lowest, lowest + PORTS_OF_ONE))
        lock.close()


OWN_PORTS = own_ports()  # with the lock, which goes with the process


def free_port():
    """A port that nobody listens on, and that is not given again for long."""
    while True:
        with PORTS_LOCK:
            port = next(OWN_PORTS[1])
        with socket.socket() as s, contextlib.suppress(OSError):
            s.bind(("127.0.0.1", port))
            return port


def until(condition, what, seconds=30):
    """Waits for a condition; the wait is for an event, and the bound only ends a broken test."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"waited {seconds} s for {what}")


def close_listener(listener):
    """A close alone leaves a thread in accept(), which takes one more connection."""
    with contextlib.suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)
    listener.close()


class Tandem:
    """A server with a data folder of its own. `config` has {port} and {data} filled in by whoever writes it with %s-free
    braces: the text is used as it is, and `server:` and `data:` are put in front unless it has them."""

    def __init__(self, config, env=None, start=True, tls=False):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tandem-"))
        self.port = free_port()
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.file = self.folder / "tandem.yaml"
        self.env = {**os.environ, "HOME": str(self.folder), "TANDEM_CACHE": str(CACHE), "TANDEM_CONFIG": str(self.file), **(env or {})}
        self.write(config)
        self.log = self.folder / "log"
        self.process = None
        self.wrapper = ()  # a program that runs the server in another surrounding, as its own process
        if start:
            self.start()

    def write(self, config):
        text = config.replace("PORT", str(self.port))
        if "server:" not in text:
            text = f"server: {{ listen: 127.0.0.1:{self.port}, workers: 2 }}\n" + text
        new = self.folder / "tandem.yaml.new"
        new.write_text(f"data: {self.folder}/data\n" + text)
        os.replace(new, self.file)

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([*self.wrapper, BINARY, "serve"], env=self.env, cwd=self.folder, stdout=log, stderr=log, start_new_session=True)
        def ready():
            if self.process.poll() is not None:
                raise AssertionError("tandem ended: " + self.log_text())
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return True
        until(ready, "tandem to answer")

    def log_text(self):
        return self.log.read_text(errors="replace")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """In order; says whether it ended with 0, which it does not when a sanitizer found something."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)
        code = self.process.returncode if self.process else 0
        text = self.log_text() if self.log.exists() else ""
        shutil.rmtree(self.folder, ignore_errors=True)
        if code not in (0, -signal.SIGKILL) or "ERROR: AddressSanitizer" in text or "runtime error" in text:
            raise AssertionError(f"tandem ended with {code}:\n{text[-6000:]}")

    def cli(self, *arguments, input=None, timeout=60):
        return subprocess.run([BINARY, *arguments], env=self.env, cwd=self.folder, input=input, capture_output=True, text=True, timeout=timeout)

    def request(self, path, body=None, headers=None, method=None, timeout=60):
        """(status, headers, body bytes)."""
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"content-type": "application/json", **(headers or {})}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def chat(self, content="hello", model="auto", headers=None, timeout=60, **fields):
        messages = fields.pop("messages", None) or [{"role": "user", "content": content}]
        return self.request("/v1/chat/completions", {"model": model, "messages": messages, **fields}, headers, timeout=timeout)

    def explain(self, decision="last"):
        result = self.cli("explain", "--json", *([] if decision == "last" else [decision]))
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    def egress(self):
        result = self.cli("audit", "list", "--json")
        assert result.returncode == 0, result.stderr
        return [json.loads(line) for line in result.stdout.splitlines()]


ANSWER = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "scripted",
          "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello there"}, "finish_reason": "stop"}],
          "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}}


def http(body, status="200 OK", type="application/json", extra=""):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return f"HTTP/1.1 {status}\r\nContent-Type: {type}\r\nContent-Length: {len(body)}\r\n{extra}\r\n".encode() + body


def chunk(content=None, finish=None, usage=None, **delta):
    if content is not None:
        delta["content"] = content
    data = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "scripted",
            "choices": [] if usage else [{"index": 0, "delta": delta, "finish_reason": finish}]}
    if usage:
        data["usage"] = usage
    return b"data: " + json.dumps(data).encode() + b"\n\n"


SSE_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
DONE = b"data: [DONE]\n\n"


class Upstream:
    """A server on a real socket that does what its script says: script(connection, request, number) may write, wait,
    and close as it likes. Without one it answers well, streaming where it is asked to."""

    def __init__(self, script=None):
        self.script = script or self.answer_well
        self.requests = []      # (head, body), whole requests
        self.raw = b""          # every byte received
        self.connections = 0
        self.closed_early = threading.Event()
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        self.base_url = f"http://127.0.0.1:{self.port}/v1"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        pending = b""
        with connection, contextlib.suppress(OSError):
            while True:
                while b"\r\n\r\n" not in pending:
                    pending += self.receive(connection)
                head, _, pending = pending.partition(b"\r\n\r\n")
                length = next((int(l.split(b":")[1]) for l in head.split(b"\r\n") if l.lower().startswith(b"content-length:")), 0)
                while len(pending) < length:
                    pending += self.receive(connection)
                body, pending = pending[:length], pending[length:]
                with self.lock:
                    self.requests.append((head.decode(), body))
                    number = len(self.requests)
                if self.script(connection, body, number) == "close":
                    return

    def receive(self, connection):
        data = connection.recv(65536)
        if not data:
            raise OSError("closed")
        with self.lock:
            self.raw += data
        return data

    @staticmethod
    def answer_well(connection, body, number):
        if body and json.loads(body).get("stream"):
            connection.sendall(SSE_HEAD + chunk("", role="assistant") + chunk("Hello ") + chunk("there") + chunk(finish="stop")
                               + chunk(usage=ANSWER["usage"]) + DONE)
            return "close"
        connection.sendall(http(ANSWER))

    def close(self):
        close_listener(self.listener)

    def provider(self, zone="local", extra=""):
        return f"{{ kind: openai, zone: {zone}, base_url: {self.base_url}, api_key: upstream-key{extra} }}"


class CountingProxy:
    """Forwards TCP and keeps what it forwards towards the target."""

    def __init__(self, port):
        self.target = port
        self.bytes = 0
        self.seen = b""
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.target))
            threading.Thread(target=self.pump, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self.pump, args=(server, client, False), daemon=True).start()

    def pump(self, source, sink, counted):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if counted:
                    self.bytes += len(data)
                    self.seen += data
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self):
        close_listener(self.listener)


class LlamaServer:
    """A llama-server of the test's own, apart from Tandem, with a key and a model name: the "cloud" side."""

    def __init__(self, name="big-cloud-model", key="cloud-key-0123456789"):
        self.port = free_port()
        self.key = key
        self.base_url = f"http://127.0.0.1:{self.port}/v1"
        self.process = subprocess.Popen([ENGINE, "--model", MODEL, "--alias", name, "--host", "127.0.0.1", "--port", str(self.port), "--ctx-size", "8192",
                                         "--parallel", "2", "--no-webui"], env={**os.environ, "LLAMA_API_KEY": key}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        def healthy():
            with contextlib.suppress(OSError):
                return urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=2).status == 200
        until(healthy, "llama-server", 120)

    def stop(self):
        self.process.kill()
        self.process.wait()


def processes_of(text):
    """Ids of processes whose command line has `text` in it."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if text in (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"):
                    found.append(int(entry.name))
    return found
