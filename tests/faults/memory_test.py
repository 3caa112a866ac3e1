"""One account of bytes: what large requests take of it, what is left to the others, and that all of it is given back."""
import contextlib
import json
import re
import socket
import threading
import unittest

from harness import ANSWER, SSE_HEAD, Tandem, Upstream, chunk, http, until

MIB = 1 << 20
ADMIN, MALLORY, ALICE = ({"authorization": f"Bearer {name}-key-0123456789"} for name in ("admin", "mallory", "alice"))


def config(upstream, limits):
    return (f"server: {{ listen: 127.0.0.1:PORT, workers: 2, limits: {limits} }}\n"
            f"providers: {{ p: {upstream.provider()} }}\nmodels: {{ m: {{ provider: p, context: 100000000 }} }}\n"
            "keys: { admin: { secret: admin-key-0123456789, admin: true }, mallory: { secret: mallory-key-0123456789 }, "
            "alice: { secret: alice-key-0123456789 } }\n")


class Base(unittest.TestCase):
    LIMITS = "{ memory_bytes: 32MiB, body_bytes: 32MiB }"

    def setUp(self):
        self.open = threading.Event()
        self.upstream = Upstream(self.script)
        self.addCleanup(self.upstream.close)
        self.tandem = Tandem(config(self.upstream, self.LIMITS))
        self.addCleanup(self.tandem.stop)
        self.addCleanup(self.open.set)
        self.threads, self.answers = [], []

    def script(self, connection, body, number):
        if b"WAIT" in body:
            self.open.wait(60)
        Upstream.answer_well(connection, body, number)

    def metric(self, name, **labels):
        text = self.tandem.request("/metrics", headers=ADMIN)[2].decode()
        inner = ",".join(f'{k}="{v}"' for k, v in labels.items())
        return float(re.search(rf"^tandem_{name}\{{{re.escape(inner)}\}} (\S+)$", text, re.M)[1])

    def held(self):
        return sum(self.metric("memory_bytes", kind=kind) for kind in ("body", "document", "answer", "job"))

    def in_background(self, *arguments, **fields):
        def run():
            with contextlib.suppress(OSError):
                self.answers.append(self.tandem.chat(*arguments, **fields))
        self.threads.append(threading.Thread(target=run))
        self.threads[-1].start()

    def join(self):
        for thread in self.threads:
            thread.join()


class Account(Base):
    def test_large_requests_are_refused_beyond_it_and_small_ones_go_on(self):
        for _ in range(12):
            self.in_background("WAIT" + "x" * MIB, headers=MALLORY)
        until(lambda: any(a[0] == 503 for a in self.answers), "a refusal")
        refused = next(a for a in self.answers if a[0] == 503)
        self.assertIn("server.limits.memory_bytes", refused[2].decode())
        self.assertTrue(refused[1]["retry-after"])
        # Others are served, with large requests too, and so is mallory with small ones.
        self.assertEqual(self.tandem.chat("hello", headers=ALICE)[0], 200)
        self.assertEqual(self.tandem.chat("y" * MIB, headers=ALICE)[0], 200)
        self.assertEqual(self.tandem.chat("hello", headers=MALLORY)[0], 200)
        self.assertLessEqual(self.metric("memory_most_bytes"), 32 * MIB)
        self.assertGreater(self.held(), 5 * MIB)
        self.open.set()
        self.join()
        self.assertTrue(any(a[0] == 200 for a in self.answers))
        until(lambda: self.held() == 0, "all of it to be given back")

    def test_a_request_that_could_never_be_had_is_told_so(self):
        status, headers, body = self.tandem.chat("x" * 8 * MIB, headers=ALICE)
        self.assertEqual(status, 413)
        self.assertIn("server.limits.memory_bytes", body.decode())
        status, headers, body = self.tandem.request("/v1/chat/completions", b'{"model":"m","messages":[{"role":"user","content":"a"}],"x":[' + b"0," * 200_000 + b"0]}", ALICE)
        self.assertEqual(status, 413, body)

    def test_a_body_that_never_ends_is_given_back(self):
        sockets = []
        for name in ("mallory", "alice") * 4:
            s = socket.create_connection(("127.0.0.1", self.tandem.port))
            s.sendall(f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {name}-key-0123456789\r\n"
                      f"Content-Length: {4 * MIB}\r\n\r\n".encode() + b" " * (3 * MIB))
            sockets.append(s)
        until(lambda: self.metric("memory_bytes", kind="body") >= 12 * MIB, "bodies to arrive")
        self.assertLessEqual(self.metric("memory_most_bytes"), 32 * MIB)
        self.assertEqual(self.tandem.chat("hello", headers=ALICE)[0], 200)
        for s in sockets:
            s.close()
        until(lambda: self.held() == 0, "all of it to be given back")

    def test_chunked_bodies_count_as_all_others(self):
        body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "x" * MIB}]}).encode()
        with socket.create_connection(("127.0.0.1", self.tandem.port)) as s:
            s.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer alice-key-0123456789\r\n"
                      b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(body) + body[:-1000])
            until(lambda: self.metric("memory_bytes", kind="body") >= MIB - 1000, "the body to arrive")
            s.sendall(body[-1000:] + b"\r\n0\r\n\r\n")
            self.assertTrue(s.recv(4096).startswith(b"HTTP/1.1 200 "))
        until(lambda: self.held() == 0, "all of it to be given back")

    def test_status_shows_it(self):
        status = json.loads(self.tandem.request("/tandem/v1/status", headers=ADMIN)[2])
        self.assertEqual(status["memory"]["limit_bytes"], 32 * MIB)
        self.assertIn("of 32 MiB held", self.tandem.cli("status").stdout)


class Answers(Base):
    """What a provider sends is counted too: many large answers at once are no way around the account."""
    def script(self, connection, body, number):
        if b"LARGE" not in body:
            return Upstream.answer_well(connection, body, number)
        text = "y" * (12 * MIB)
        if json.loads(body).get("stream"):
            connection.sendall(SSE_HEAD + chunk("", role="assistant"))
            for i in range(12):
                connection.sendall(chunk(text[:MIB]))
            return "close"
        connection.sendall(http({**ANSWER, "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]}))

    def test_one_that_has_no_room_is_refused_and_its_provider_is_not_blamed(self):
        for _ in range(6):
            status, _, body = self.tandem.chat("LARGE", headers=MALLORY)
            self.assertEqual(status, 503, body[:300])
            self.assertIn(b"memory", body)
        self.assertLessEqual(self.metric("memory_most_bytes"), 32 * MIB)
        self.assertEqual(self.tandem.chat("hello", headers=ALICE)[0], 200)
        until(lambda: self.held() == 0, "all of it to be given back")


if __name__ == "__main__":
    unittest.main()
