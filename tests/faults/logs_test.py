"""The log: a line for each request and for what happens besides, and not a byte of what was asked, said or kept secret."""
import http.client
import json
import os
import random
import signal
import subprocess
import unittest

from harness import ANSWER, BINARY, DONE, SSE_HEAD, Tandem, Upstream, chunk, free_port, http as answer_of, until

ALICE, ROOT = ({"authorization": f"Bearer {name}-key-0123456789"} for name in ("alice", "root"))
KEYS = """keys:
  alice: { secret: alice-key-0123456789, budgets: [{ limit: 1.00, window: day }] }
  root: { secret: root-key-0123456789, admin: true }
"""


def lines_of(tandem):
    """The lines of the log that are JSON."""
    return [json.loads(line) for line in tandem.log_text().splitlines() if line.startswith("{")]


class Lines(unittest.TestCase):
    def server(self, config, **more):
        tandem = Tandem(config, **more)
        self.addCleanup(tandem.stop)
        return tandem

    def upstream(self, script=None):
        upstream = Upstream(script)
        self.addCleanup(upstream.close)
        return upstream

    def wait_for(self, tandem, message, count=1, **fields):
        def there():
            found = [l for l in lines_of(tandem) if l["message"] == message and all(l.get(k) == v for k, v in fields.items())]
            return found if len(found) >= count else None
        return until(there, f"{count} lines '{message}' with {fields}; there is: {tandem.log_text()}")

    def test_a_request_has_one_line_that_says_what_came_of_it(self):
        home = self.upstream()
        tandem = self.server(f"log: {{ format: json }}\nproviders: {{ lab: {home.provider()} }}\nmodels: {{ small: {{ provider: lab, price: {{ input: 1, output: 10 }} }} }}\n{KEYS}")
        status, headers, _ = tandem.chat(model="small", headers={**ALICE, "x-tandem-label": "internal"})
        self.assertEqual(status, 200)
        (line,) = self.wait_for(tandem, "request", route="/v1/chat/completions")
        self.assertEqual({k: line[k] for k in ("level", "method", "status", "key", "alias", "model", "provider", "zone", "label", "decision", "tokens_in", "tokens_out", "cost")},
                         {"level": "info", "method": "POST", "status": 200, "key": "alice", "alias": "small", "model": "small", "provider": "lab", "zone": "local",
                          "label": "internal", "decision": headers["x-tandem-decision"], "tokens_in": 7, "tokens_out": 3, "cost": 0.000037})
        self.assertRegex(line["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d$")
        self.assertGreaterEqual(line["ms"], line["first_byte_ms"])
        self.assertEqual(tandem.chat(model="small", stream=True, headers=ALICE)[0], 200)
        self.wait_for(tandem, "request", 2, route="/v1/chat/completions", status=200, tokens_out=3)
        # What is refused has one too, and so has what has no route; a health check is for those who debug.
        tandem.request("/v1/models")
        self.wait_for(tandem, "request", route="/v1/models", status=401, peer="127.0.0.1")
        tandem.request("/no/such/thing", headers=ALICE)
        self.wait_for(tandem, "request", route="none", status=404)
        tandem.request("/v1/files/file-x", headers=ALICE)
        self.wait_for(tandem, "request", route="/v1/files/{id}", status=404, key="alice")
        for path in ("/healthz", "/health", "/health/liveliness"):
            self.assertEqual(tandem.request(path)[0], 200)
        tandem.request("/tandem/v1/status", headers=ROOT)
        self.wait_for(tandem, "request", route="/tandem/v1/status", key="root")
        self.assertFalse([l for l in lines_of(tandem) if l.get("route", "").startswith("/health")])

    def test_what_happens_besides_has_its_lines(self):
        answers = {"well": False}
        def script(connection, body, number):
            if answers["well"]:
                return Upstream.answer_well(connection, body, number)
            connection.sendall(answer_of({"error": {"message": "no"}}, "500 Internal Server Error"))
        ill, well = self.upstream(script), self.upstream()
        tandem = self.server(f"""log: {{ format: json }}
providers: {{ ill: {ill.provider("cloud")}, well: {well.provider("cloud")} }}
models:
  first: {{ provider: ill, price: {{ input: 1000, output: 1000 }} }}
  second: {{ provider: well, price: {{ input: 1, output: 1 }} }}
aliases: {{ both: [first, second] }}
policy: {{ rules: [{{ name: all, prefer: cheapest, zone_bias: 1 }}], failure: {{ attempts: 1 }} }}
{KEYS}""")
        for _ in range(4):
            tandem.chat(model="first", headers=ROOT)
        (line, *_) = self.wait_for(tandem, "an attempt failed", 3, provider="ill", why="server_error", status=500)
        self.assertEqual((line["model"], line["zone"], line["key"], line["attempt"]), ("first", "cloud", "root", 1))
        self.wait_for(tandem, "a breaker opened", provider="ill", failures=3)
        answers["well"] = True
        until(lambda: tandem.chat(model="first", headers=ROOT)[0] == 200, "the breaker to let one through")
        self.wait_for(tandem, "a breaker closed", provider="ill")
        self.assertEqual(tandem.chat(model="first", headers=ALICE, max_tokens=5000)[0], 429)
        (line,) = self.wait_for(tandem, "a budget has no room", key="alice")
        self.assertEqual((line["window"], line["limit"], line["currency"]), ("day", 1.0, "USD"))
        tandem.chat(model="first", headers=ALICE, max_tokens=5000)
        self.assertEqual(len(self.wait_for(tandem, "a budget has no room")), 1, "once for each window")

    def test_a_fallback_says_from_where_to_where(self):
        ill, well = self.upstream(lambda c, b, n: c.sendall(answer_of({"error": {"message": "no"}}, "500 Internal Server Error"))), self.upstream()
        tandem = self.server(f"log: {{ format: json }}\nproviders: {{ a: {ill.provider()}, b: {well.provider()} }}\nmodels: {{ one: {{ provider: a }}, two: {{ provider: b }} }}\n"
                             "policy: { rules: [{ name: all, prefer: local }], failure: { attempts: 1 } }\n")
        status, headers, _ = tandem.chat(model="local")
        self.assertEqual((status, headers["x-tandem-model"]), (200, "two"))
        self.wait_for(tandem, "fallback", decision=headers["x-tandem-decision"], **{"from": "one", "to": "two"})
        (line,) = self.wait_for(tandem, "request", route="/v1/chat/completions")
        self.assertEqual((line["attempts"], line["model"]), (2, "two"))
        metrics = tandem.request("/metrics")[2].decode()
        self.assertRegex(metrics, r"tandem_fallbacks_total\{\} 1\n")

    def test_level_and_format_change_with_the_config_and_not_where_the_command_says(self):
        config = "log: { level: %s, format: %s }\n"
        tandem = self.server(config % ("warning", "text"))
        tandem.request("/v1/models")
        tandem.write(config % ("debug", "json"))
        tandem.process.send_signal(signal.SIGHUP)
        self.wait_for(tandem, "the config was read again")
        tandem.request("/healthz")
        self.wait_for(tandem, "request", route="/healthz", level="debug")
        self.assertNotIn("/v1/models", tandem.log_text())
        tandem.write("log: { level: loud }\n")
        tandem.process.send_signal(signal.SIGHUP)
        line = until(lambda: next((l for l in lines_of(tandem) if "stays in force" in l["message"]), None), "the complaint")
        self.assertIn("expected one of debug, info, warning, error", line["message"])
        self.assertEqual(line["level"], "error")
        self.assertEqual(tandem.cli("serve", "--log", "loud").returncode, 2)
        other = Tandem("log: { level: error, format: text }\n", start=False)
        self.addCleanup(other.stop)
        with open(other.log, "ab") as log:
            other.process = subprocess.Popen([BINARY, "serve", "--log", "info,json"], env=other.env, stdout=log, stderr=log, start_new_session=True)
        until(lambda: "is ready" in other.log_text(), "the server")
        other.request("/v1/models")
        self.wait_for(other, "request", route="/v1/models")

    def test_a_reader_that_does_not_read_holds_nothing_up(self):
        home = self.upstream()
        tandem = Tandem(f"log: {{ level: debug }}\nproviders: {{ lab: {home.provider()} }}\nmodels: {{ small: {{ provider: lab }} }}\n", start=False)
        self.addCleanup(tandem.stop)
        read, write = os.pipe()
        self.addCleanup(os.close, read)
        with open(tandem.log, "ab") as log:
            tandem.process = subprocess.Popen([BINARY, "serve"], env=tandem.env, stdout=log, stderr=write, start_new_session=True)
        os.close(write)
        until(lambda: "is ready" in tandem.log_text(), "the server")
        connection = http.client.HTTPConnection("127.0.0.1", tandem.port, timeout=20)
        for _ in range(1500):  # a pipe holds 64 KiB
            connection.request("GET", "/healthz")
            self.assertEqual(connection.getresponse().read(), b'{"status":"ok"}')
        tandem.kill()


class NeverContent(unittest.TestCase):
    """Everything that others say is planted with marks, and no mark is in any line, at the lowest level, in both formats."""

    def marks(self, count=1):
        made = ["".join(self.random.choice("bcdfghjkmnpqrstvwz") for _ in range(14)) for _ in range(count)]
        self.planted += made
        return made if count > 1 else made[0]

    def evil(self, connection, body, number):
        """A provider that quotes what it was asked, in every place that it has."""
        quote = body.decode(errors="replace")[:3000]
        mark = self.marks()
        kind = self.random.randrange(9)
        if kind == 0:
            connection.sendall(answer_of({"error": {"message": quote + mark, "type": mark, "code": mark, "param": quote[:50]}}, "400 Bad Request", extra=f"x-mark: {mark}\r\n"))
        elif kind == 1:
            connection.sendall(answer_of(f"{mark} {quote}".encode(), "500 Internal Server Error", "text/plain"))
        elif kind == 2:
            connection.sendall(answer_of({"error": quote + mark}, "429 Too Many Requests", extra=f"retry-after: {mark}\r\n"))
        elif kind == 3:
            connection.sendall(f"HTTP/1.1 200 {mark}\r\n{mark}: {mark}\r\n\r\n{mark}".encode())
            return "close"
        elif kind == 4:
            connection.sendall(f"{mark} {quote}".encode())
            return "close"
        elif kind == 5:
            connection.sendall(answer_of(("{\"choices\": [" + mark + quote).encode()))
        elif kind == 6:
            connection.sendall(SSE_HEAD + chunk(mark) + f"data: {{{mark}\n\n".encode())
            return "close"
        elif kind == 7:
            connection.sendall(SSE_HEAD + chunk(mark) + b"data: " + json.dumps({"error": {"message": mark + quote}}).encode() + b"\n\n")
            return "close"
        else:
            answer = json.loads(json.dumps(ANSWER))
            answer["model"] = mark
            answer["choices"][0]["message"]["content"] = mark
            connection.sendall(answer_of(answer))

    def requests(self):
        tool = {"type": "function", "function": {"name": "f" + self.marks(), "description": self.marks(), "parameters": {"type": "object", "properties": {self.marks(): {"type": "string"}}}}}
        call = {"id": self.marks(), "type": "function", "function": {"name": tool["function"]["name"], "arguments": json.dumps({self.marks(): self.marks()})}}
        messages = [{"role": "system", "content": self.marks()}, {"role": "user", "content": f"{self.marks()} /home/{self.marks()}/{self.marks()}.pdf", "name": self.marks()},
                    {"role": "assistant", "content": None, "tool_calls": [call]}, {"role": "tool", "tool_call_id": call["id"], "content": self.marks()}]
        chat = {"model": "local", "messages": messages, "tools": [tool], "user": self.marks(), "metadata": {"m": self.marks()}}
        yield "POST", "/v1/chat/completions", chat, {}
        yield "POST", "/v1/chat/completions", {**chat, "stream": True}, {"x-tandem-conversation": self.marks()}
        yield "POST", "/v1/chat/completions", {**chat, "model": self.marks()}, {}
        yield "POST", "/v1/chat/completions", {**chat, self.marks(): self.marks(), "stop": [self.marks()]}, {"user-agent": self.marks(), "x-request-id": self.marks()}
        yield "POST", "/v1/chat/completions", {**chat, "messages": self.marks()}, {}
        yield "POST", "/v1/chat/completions", ("{\"model\": \"" + self.marks()).encode(), {}
        yield "POST", "/v1/chat/completions", chat, {"x-tandem-label": self.marks()}
        yield "POST", "/v1/chat/completions", chat, {"x-tandem-" + self.marks(): "1"}
        yield "POST", "/v1/chat/completions", chat, {"authorization": "Bearer " + self.marks()}
        yield "POST", "/v1/chat/completions", chat, {"x-tandem-key": self.marks()}
        yield "POST", "/v1/chat/completions?" + self.marks(), chat, {}
        yield "POST", "/v1/messages", {"model": "local", "max_tokens": 50, "system": self.marks(), "messages": [{"role": "user", "content": self.marks()}]}, {"anthropic-beta": self.marks()}
        yield "POST", "/v1/responses", {"model": "local", "input": self.marks(), "instructions": self.marks()}, {}
        yield "POST", f"/v1beta/models/{self.marks()}:generateContent", {"contents": [{"parts": [{"text": self.marks()}]}]}, {}
        yield "POST", "/v1/embeddings", {"model": "local", "input": self.marks()}, {}
        yield "POST", "/api/chat", {"model": "local", "messages": [{"role": "user", "content": self.marks()}]}, {}
        yield "GET", "/v1/files/" + self.marks(), None, {}
        yield "GET", f"/{self.marks()}/{self.marks()}?{self.marks()}={self.marks()}", None, {}
        yield self.marks().upper(), "/v1/models", None, {}
        yield "POST", "/tandem/v1/feedback", {"decision": self.marks(), "outcome": self.marks(), "comment": self.marks()}, {}
        yield "POST", "/tandem/v1/privacy/scan", {"text": self.marks()}, {}
        boundary = self.marks()
        line = json.dumps({"custom_id": self.marks(), "method": "POST", "url": "/v1/chat/completions", "body": {"model": "local", "messages": [{"role": "user", "content": self.marks()}]}})
        body = (f"--{boundary}\r\ncontent-disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--{boundary}\r\ncontent-disposition: form-data; name=\"file\"; "
                f"filename=\"{self.marks()}.jsonl\"\r\n\r\n{line}\n{{{self.marks()}\r\n--{boundary}--\r\n").encode()
        yield "POST", "/v1/files", body, {"content-type": f"multipart/form-data; boundary={boundary}"}

    def send(self, tandem, method, path, body, headers):
        connection = http.client.HTTPConnection("127.0.0.1", tandem.port, timeout=30)
        data = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
        connection.request(method, path, data, {"content-type": "application/json", **headers})
        answer = connection.getresponse()
        try:
            raw = answer.read()
        except (http.client.IncompleteRead, OSError):
            raw = b""
        connection.close()
        return answer.status, raw

    def run_one(self, format, seed):
        self.random, self.planted = random.Random(seed), []
        upstream = Upstream(self.evil)
        self.addCleanup(upstream.close)
        secrets = {"PROVIDER_KEY": "sk-" + self.marks(), "OWN": self.marks(), "ALICE": self.marks() + "-0123456789"}
        tandem = Tandem(f"""log: {{ level: debug, format: {format} }}
providers:
  lab: {{ kind: openai, zone: local, base_url: {upstream.base_url}, api_key: ${{PROVIDER_KEY}} }}
  far: {{ kind: anthropic, zone: cloud, base_url: {upstream.base_url[:-3]}, api_key: ${{PROVIDER_KEY}} }}
  down: {{ kind: openai, zone: local, base_url: 'http://127.0.0.1:{free_port()}/v1' }}
models: {{ a: {{ provider: lab }}, b: {{ provider: far }}, c: {{ provider: down }} }}
keys: {{ alice: {{ secret: ${{ALICE}}, budgets: [{{ limit: 5, window: day }}] }} }}
privacy: {{ own: {{ mine: {{ values: [${{OWN}}] }} }} }}
""", env=secrets)
        try:
            for method, path, body, headers in self.requests():
                status, raw = self.send(tandem, method, path, body, {"authorization": "Bearer " + secrets["ALICE"], **headers})
                if path == "/v1/files" and status == 200:
                    self.send(tandem, "POST", "/v1/batches", {"input_file_id": json.loads(raw)["id"], "endpoint": "/v1/chat/completions", "completion_window": "24h"},
                              {"authorization": "Bearer " + secrets["ALICE"]})
            tandem.process.send_signal(signal.SIGTERM)
            tandem.process.wait(30)
            log = tandem.log_text()
        finally:
            tandem.stop()
        self.assertGreater(log.count("an attempt failed"), 3, log)
        self.assertGreater(len(self.planted), 60)
        for mark in self.planted:
            # No part of one that is long enough to tell; in any case.
            for at in range(0, len(mark) - 7):
                self.assertNotIn(mark[at:at + 8].lower(), log.lower())

    def test_no_byte_of_what_others_say_is_in_any_line(self):
        for seed, format in enumerate(("text", "json")):
            with self.subTest(seed=seed, format=format):
                self.run_one(format, seed)


class Command(unittest.TestCase):
    """tandem logs."""

    @classmethod
    def setUpClass(cls):
        cls.home = Upstream()
        cls.tandem = Tandem(f"providers: {{ lab: {cls.home.provider()} }}\nmodels: {{ small: {{ provider: lab }} }}\n{KEYS}")
        cls.tandem.chat(model="small", headers=ALICE)
        cls.tandem.chat(model="small", headers=ROOT)
        cls.tandem.chat(model="nothing", headers=ROOT)
        cls.tandem.request("/v1/models")
        until(lambda: '"status":401' in cls.tandem.cli("logs", "--json").stdout, "the lines")

    @classmethod
    def tearDownClass(cls):
        cls.tandem.stop()
        cls.home.close()

    def lines(self, *arguments):
        result = self.tandem.cli("logs", "--json", *arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        return [json.loads(l) for l in result.stdout.splitlines()]

    def test_lines_are_chosen_by_key_status_and_time(self):
        self.assertEqual({l["key"] for l in self.lines("--key", "alice")}, {"alice"})
        self.assertEqual({l["status"] for l in self.lines("--status", "401")}, {401})
        self.assertEqual({l["status"] for l in self.lines("--status", "4xx")}, {401, 404})
        self.assertEqual({l["status"] for l in self.lines("--status", "error")}, {401, 404})
        self.assertEqual(len(self.lines("--status", "200", "--key", "root", "-n", "1")), 1)
        self.assertEqual(self.lines("--since", "2099-01-01"), [])
        self.assertEqual(self.tandem.cli("logs", "--status", "many").returncode, 2)
        self.assertEqual(self.tandem.cli("logs", "--since", "yesterday").returncode, 2)
        text = self.tandem.cli("logs", "--status", "401").stdout
        self.assertRegex(text, r"^\S+ info request method=GET route=/v1/models status=401 ")

    def test_following_goes_on_with_what_comes_and_through_a_restart(self):
        tandem = Tandem(f"providers: {{ lab: {self.home.provider()} }}\nmodels: {{ small: {{ provider: lab }} }}\n")
        self.addCleanup(tandem.stop)
        out = tandem.folder / "followed"
        with open(out, "w") as file:
            follower = subprocess.Popen([BINARY, "logs", "-f"], env=tandem.env, stdout=file, stderr=subprocess.DEVNULL)
        self.addCleanup(follower.wait)
        self.addCleanup(follower.kill)
        until(lambda: tandem.chat(model="small")[0] == 200 and "route=/v1/chat/completions" in out.read_text(), "the first line")
        # The next server has written more lines than the one before when the follower looks.
        follower.send_signal(signal.SIGSTOP)
        tandem.kill()
        tandem.start()
        tandem.request("/v1/models")
        for _ in range(30):
            tandem.chat(model="small")
        follower.send_signal(signal.SIGCONT)
        until(lambda: "route=/v1/models" in out.read_text(), "a line of the next server")

    def test_what_earlier_servers_did_is_told_by_the_ledger(self):
        tandem = Tandem(f"providers: {{ lab: {self.home.provider()} }}\nmodels: {{ small: {{ provider: lab }} }}\n{KEYS}")
        self.addCleanup(tandem.stop)
        status, headers, _ = tandem.chat(model="small", headers=ALICE)
        tandem.kill()
        result = tandem.cli("logs", "--json", "--key", "alice")
        (line,) = [json.loads(l) for l in result.stdout.splitlines()]
        self.assertEqual({k: line[k] for k in ("message", "outcome", "decision", "alias", "model", "provider", "zone", "label", "tokens_in", "tokens_out")},
                         {"message": "request", "outcome": "answered", "decision": headers["x-tandem-decision"], "alias": "small", "model": "small", "provider": "lab",
                          "zone": "local", "label": "public", "tokens_in": 7, "tokens_out": 3})
        self.assertIn("no server answers", result.stderr)
        tandem.start()
        tandem.chat(model="small", headers=ALICE)
        until(lambda: len(tandem.cli("logs", "--json", "--since", "1h", "--key", "alice").stdout.splitlines()) == 2, "both requests, each once")
        self.assertEqual(tandem.cli("logs", "--since", "1h", "--status", "200", "--key", "alice").stdout.count("decision="), 2)


if __name__ == "__main__":
    unittest.main()
