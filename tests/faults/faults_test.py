"""The fault lab: a provider that fails in every way there is, and what comes of it under each rule.

The table in docs/concepts/attempts-and-failure.md is made of what was seen here: `python tests/faults/faults_test.py --write` writes it, and the
test fails where the two differ.
"""
import json
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request
from http import client as http_client

from harness import ANSWER, DONE, SSE_HEAD, Tandem, Upstream, chunk, free_port, http

DOC = pathlib.Path(__file__).resolve().parents[2] / "docs/concepts/attempts-and-failure.md"


def error(status, message="no", extra="", **more):
    return lambda connection, body, number: connection.sendall(http({"error": {"message": message, **more}}, status, extra=extra))


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    return "close"


def raw(data, then="close"):
    def script(connection, body, number):
        connection.sendall(data)
        return then
    return script


def raw_then_reset(data):
    def script(connection, body, number):
        connection.sendall(data)
        time.sleep(0.05)
        return reset(connection)
    return script


def stall(connection, body, number):
    time.sleep(2)
    return "close"


def dribble(connection, body, number):
    for byte in http(ANSWER):
        connection.sendall(bytes([byte]))
        time.sleep(0.001)


def oversized(connection, body, number):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n")
    block = b" " * 1_048_576
    connection.sendall(block)
    time.sleep(0.4)  # longer than any hedge waits, however fast the rest is
    for _ in range(69):
        connection.sendall(block)
    return "close"


def half_close(connection, body, number):
    connection.shutdown(socket.SHUT_WR)
    time.sleep(0.3)
    return "close"


def ask(tandem, model, stream):
    """Also of an answer that is cut."""
    request = urllib.request.Request(tandem.url + "/v1/chat/completions", json.dumps({"model": model, "stream": stream, "messages": [{"role": "user", "content": "hello"}]}).encode(),
                                     {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            try:
                return answer.status, answer.headers, answer.read()
            except http_client.IncompleteRead as cut:
                return answer.status, answer.headers, cut.partial
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def later(seconds):
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + seconds))


WHOLE = http(ANSWER)
# name: (script or address, streamed)
FAULTS = {
    "connection refused": ("refused", False),
    "TLS that is none": ("tls", False),
    "reset before the header": (lambda c, b, n: reset(c), False),
    "reset within the header": (raw_then_reset(WHOLE[:40]), False),
    "reset within the body": (raw_then_reset(WHOLE[:-20]), False),
    "closed for writing, no answer": (half_close, False),
    "body shorter than its length": (raw(WHOLE[:-20]), False),
    "silent longer than attempt_timeout": (stall, False),
    "a byte at a time": (dribble, False),
    "not HTTP": (raw(b"220 smtp.example.org ready\r\n"), False),
    "a header without end": (raw(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000), False),
    "a body larger than 64 MiB": (oversized, False),
    "two lengths that differ": (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"), False),
    "200, not JSON": (raw(http(b"<html>sign in</html>", type="text/html")), False),
    "200, JSON without an answer": (raw(http({"choices": []})), False),
    "redirect": (raw(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"), False),
    "400": (error("400 Bad Request"), False),
    "401": (error("401 Unauthorized"), False),
    "404": (error("404 Not Found"), False),
    "429": (error("429 Too Many Requests"), False),
    "429, Retry-After: 1": (error("429 Too Many Requests", extra="Retry-After: 1\r\n"), False),
    "429, Retry-After as a date": (lambda c, b, n: error("429 Too Many Requests", extra=f"Retry-After: {later(2)}\r\n")(c, b, n), False),
    "429, Retry-After: 600": (error("429 Too Many Requests", extra="Retry-After: 600\r\n"), False),
    "429, x-ratelimit-reset-tokens: 10m": (error("429 Too Many Requests", extra="x-ratelimit-remaining-tokens: 0\r\nx-ratelimit-reset-tokens: 10m0s\r\n"), False),
    "500": (error("500 Internal Server Error"), False),
    "503": (error("503 Service Unavailable"), False),
    "context exceeded": (error("400 Bad Request", code="context_length_exceeded"), False),
    "content filter": (error("400 Bad Request", code="content_filter"), False),
    "stream, ends before content": (raw(SSE_HEAD), True),
    "stream, an error before content": (raw(SSE_HEAD + b'data: {"error":{"message":"overloaded"}}\n\n'), True),
    "stream, reset before content": (raw_then_reset(SSE_HEAD + chunk("", role="assistant")), True),
    "stream, reset within content": (raw_then_reset(SSE_HEAD + chunk("Hel")), True),
    "stream, ends within content": (raw(SSE_HEAD + chunk("Hel")), True),
    "stream, no [DONE] behind the end": (raw(SSE_HEAD + chunk("Hello there") + chunk(finish="stop")), True),
}
CLASSES = ["connection", "timeout", "rate_limit", "server_error", "key", "not_found", "context", "content_filter", "invalid_output", "invalid_request"]


def all_are(reaction):
    return f"on: {{ {', '.join(f'{c}: {reaction}' for c in CLASSES)} }}"


RULES = {"default": "", "all stop": all_are("stop"), "all next": all_are("next"), "all retry": all_are("retry"), "on_cut: continue": "on_cut: continue", "on_cut: restart": "on_cut: restart",
         "hedge: after 200ms": "hedge: { after: 200ms }"}


class Faults(unittest.TestCase):
    def observe(self):
        """{fault: {rule: outcome}}"""
        good = Upstream()
        self.addCleanup(good.close)
        providers, models, aliases = [f"  good: {good.provider()}"], ["  second: { provider: good, context: 100000, prefill: true }"], []
        upstreams = {}
        for i, (fault, (script, _)) in enumerate(FAULTS.items()):
            if script == "refused":
                url = f"http://127.0.0.1:{free_port()}/v1"
            elif script == "tls":
                upstreams[fault] = Upstream(raw(b"HTTP/1.1 200 OK\r\n\r\n"))
                url = f"https://127.0.0.1:{upstreams[fault].port}/v1"
            else:
                upstreams[fault] = Upstream(script)
                url = upstreams[fault].base_url
            for k, (rule, reaction) in enumerate(RULES.items()):
                # A provider for each, so that no breaker opens for another's failures.
                providers.append(f"  p{i}-{k}: {{ kind: openai, zone: local, base_url: '{url}', api_key: upstream-key }}")
                models.append(f"  m{i}-{k}: {{ provider: p{i}-{k}, context: 8192, prefill: true }}")
                aliases.append(f"  a{i}-{k}: {{ models: [m{i}-{k}, second], failure: {{ attempt_timeout: 500ms{', ' + reaction if reaction else ''} }} }}")
        for upstream in upstreams.values():
            self.addCleanup(upstream.close)
        tandem = Tandem("providers:\n" + "\n".join(providers) + "\nmodels:\n" + "\n".join(models) + "\naliases:\n" + "\n".join(aliases) + "\n")
        self.addCleanup(tandem.stop)
        seen = {}
        for i, (fault, (_, streamed)) in enumerate(FAULTS.items()):
            seen[fault] = {}
            for k, rule in enumerate(RULES):
                before = len(upstreams[fault].requests) if fault in upstreams else 0
                status, headers, body = ask(tandem, f"a{i}-{k}", streamed)
                shown = json.loads(tandem.request("/tandem/v1/decisions/" + headers["x-tandem-decision"])[2])
                tries = [a["model"] for a in shown["attempts"]]
                # Every attempt that was made is in the ledger, and none that was not.
                if fault in upstreams and fault != "TLS that is none":
                    self.assertEqual(len(upstreams[fault].requests) - before, tries.count(f"m{i}-{k}"), (fault, rule))
                self.assertTrue(headers["x-tandem-decision"])
                joined = any(a["outcome"] == "cut" for a in shown["attempts"]) and any(a["outcome"] == "answered" for a in shown["attempts"])
                seen[fault][rule] = self.outcome(status, headers, body, streamed, tries.count(f"m{i}-{k}"), f"m{i}-{k}", joined)
        self.assertEqual(tandem.chat("hello", model="second")[0], 200)
        return seen

    def outcome(self, status, headers, body, streamed, tries, first, joined):
        """What the client saw, in words; and that it was one well-formed answer or error."""
        if streamed and status == 200:
            events = [e[6:] for e in body.decode().split("\n\n") if e and not e.startswith(":")]
            self.assertEqual(events.count("[DONE]") + sum('"error"' in e for e in events), 1, body)
            for event in events:
                if event != "[DONE]":
                    json.loads(event)
            whole = events[-1] == "[DONE]"
            text = "".join(c["delta"].get("content") or "" for e in events if e != "[DONE]" for c in json.loads(e).get("choices", []))
            self.assertIn(text, ("Hello there",) if whole else ("Hel",))
        else:
            data = json.loads(body)
            self.assertEqual(status == 200, "error" not in data, body)
            whole = status == 200
            if status != 200:
                self.assertTrue(data["error"]["message"])
        by = "" if status != 200 else "first" if headers["x-tandem-model"] == first else "second"
        answered = "first + second" if joined else by if whole else f"{by}, cut" if by else str(status)
        return f"{answered} ({tries})"

    def test_end_as_the_table_says(self):
        self.maxDiff = None
        seen = table(self.observe())
        if "--write" in sys.argv:
            text = DOC.read_text()
            DOC.write_text(re.sub(r"(<!-- table -->\n).*?(<!-- end -->)", lambda m: m[1] + seen + m[2], text, flags=re.S))
        self.assertEqual(re.search(r"<!-- table -->\n(.*?)<!-- end -->", DOC.read_text(), re.S)[1], seen)


class Keys(unittest.TestCase):
    def test_the_next_key_goes_on_where_one_is_limited(self):
        used = []
        def script(connection, body, number):
            key = re.search(r"Bearer (\S+)", upstream.requests[-1][0])[1]
            used.append(key)
            if key == "first-key-000000" :
                connection.sendall(http({"error": {"message": "slow down"}}, "429 Too Many Requests", extra="Retry-After: 60\r\n"))
            else:
                connection.sendall(http(ANSWER))
        upstream = Upstream(script)
        self.addCleanup(upstream.close)
        tandem = Tandem(f"providers:\n  p: {{ kind: openai, zone: local, base_url: {upstream.base_url}, api_keys: [first-key-000000, second-key-00000] }}\nmodels:\n  m: {{ provider: p }}\n")
        self.addCleanup(tandem.stop)
        began = time.monotonic()
        for _ in range(5):
            self.assertEqual(tandem.chat()[0], 200)
        self.assertLess(time.monotonic() - began, 10)
        self.assertEqual(used.count("first-key-000000"), 1)
        status = json.loads(tandem.request("/tandem/v1/status")[2])["providers"][0]
        self.assertEqual((status["keys"], status["keys_resting"], status["healthy"]), (2, 1, True))
        self.assertIn("1 of 2", tandem.cli("status").stdout)
        self.assertNotIn("first-key", tandem.log_text())

    def test_a_limit_that_an_answer_announces_is_kept_before_it_is_hit(self):
        upstream = Upstream(lambda c, b, n: c.sendall(http(ANSWER, extra="x-ratelimit-remaining-requests: 0\r\nx-ratelimit-reset-requests: 30s\r\n")))
        other = Upstream()
        for u in (upstream, other):
            self.addCleanup(u.close)
        tandem = Tandem(f"providers:\n  p: {upstream.provider()}\n  q: {other.provider()}\nmodels:\n  m: {{ provider: p }}\n  n: {{ provider: q }}\naliases: {{ both: [m, n] }}\n")
        self.addCleanup(tandem.stop)
        self.assertEqual([tandem.chat(model="both")[1]["x-tandem-model"] for _ in range(3)], ["m", "n", "n"])
        self.assertEqual(len(upstream.requests), 1)
        self.assertIn("wants to be asked no more", json.dumps(tandem.explain()["decision"]))

    def test_tools_that_the_provider_runs_run_once(self):
        upstream = Upstream(lambda c, b, n: reset(c))
        self.addCleanup(upstream.close)
        tandem = Tandem(f"providers:\n  p: {{ kind: responses, zone: local, base_url: {upstream.base_url}, api_key: upstream-key }}\nmodels:\n  m: {{ provider: p }}\n")
        self.addCleanup(tandem.stop)
        status, _, body = tandem.request("/v1/responses", {"model": "m", "input": "hello", "tools": [{"type": "web_search"}]})
        self.assertGreaterEqual(status, 500)
        self.assertEqual(len(upstream.requests), 1)
        self.assertIn("not asked again", body.decode())


class SlowNames(unittest.TestCase):
    """getaddrinfo cannot be stopped: whoever waits for it is let go at his deadline all the same."""

    def test_do_not_hold_up_anybody(self):
        folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder, True)
        source = folder / "slow.c"
        # Names below .slow take five seconds; all others are as they are.
        source.write_text("""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>
int getaddrinfo(const char* node, const char* service, const struct addrinfo* hints, struct addrinfo** found) {
    int (*real)(const char*, const char*, const struct addrinfo*, struct addrinfo**) = dlsym(RTLD_NEXT, "getaddrinfo");
    size_t size = node ? strlen(node) : 0;
    if (size > 5 && strcmp(node + size - 5, ".slow") == 0) { sleep(5); return EAI_AGAIN; }
    return real(node, service, hints, found);
}
""")
        subprocess.run(["clang-19", "-shared", "-fPIC", "-o", folder / "slow.so", source, "-ldl"], check=True)
        good = Upstream()
        self.addCleanup(good.close)
        tandem = Tandem(f"providers:\n  far: {{ kind: openai, zone: local, base_url: 'http://name.slow/v1', connect_timeout: 500ms }}\n  good: {good.provider()}\n"
                        f"  named: {{ kind: openai, zone: local, base_url: 'http://localhost:{good.port}/v1' }}\n"
                        "models:\n  m: { provider: far }\n  n: { provider: good }\n  l: { provider: named }\naliases: { both: { models: [m, n], failure: { on: { timeout: next } } } }\n",
                        env={"LD_PRELOAD": str(folder / "slow.so"), "ASAN_OPTIONS": "verify_asan_link_order=0"})
        self.addCleanup(tandem.stop)
        began = time.monotonic()
        status, headers, _ = tandem.chat(model="both")
        self.assertEqual((status, headers["x-tandem-model"]), (200, "n"), headers["x-tandem-warnings"])
        self.assertLess(time.monotonic() - began, 3)
        # Names of others are looked up meanwhile.
        began = time.monotonic()
        self.assertEqual(tandem.chat(model="l")[0], 200)
        self.assertLess(time.monotonic() - began, 2)


class Deadlines(unittest.TestCase):
    def test_no_attempt_begins_after_it(self):
        upstream = Upstream(stall)
        self.addCleanup(upstream.close)
        tandem = Tandem(f"providers:\n  p: {upstream.provider()}\nmodels:\n  m: {{ provider: p }}\npolicy:\n  failure: {{ timeout: 700ms, attempts: 10, on: {{ timeout: retry }}, attempt_timeout: 300ms }}\n  rules: [ {{ name: all, prefer: local }} ]\n")
        self.addCleanup(tandem.stop)
        began = time.monotonic()
        status, _, _ = tandem.chat()
        self.assertEqual(status, 504)
        self.assertLess(time.monotonic() - began, 1.5)
        self.assertLessEqual(len(upstream.requests), 2)


def table(seen):
    lines = ["| fault | " + " | ".join(RULES) + " |", "| --- |" + " --- |" * len(RULES)]
    return "\n".join(lines + [f"| {fault} | " + " | ".join(outcomes[r] for r in RULES) + " |" for fault, outcomes in seen.items()]) + "\n"


if __name__ == "__main__":
    unittest.main(argv=[a for a in sys.argv if a != "--write"])
