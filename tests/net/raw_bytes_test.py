"""Raw bytes against the real server: each limit expires or overflows, each doubtful framing is refused, and it lives on."""
import json
import socket
import ssl
import subprocess
import time
import unittest

from harness import SSE_HEAD, Tandem, Upstream, chunk, until

LIMITS = ("{ header_bytes: 4KiB, header_count: 20, body_bytes: 64KiB, bodies_bytes: 256KiB, header_timeout: 400ms, body_timeout: 500ms, idle_timeout: 600ms, "
          "write_timeout: 700ms, connections: 40, requests_per_connection: 5 }")


class RawBytes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.upstream = Upstream(cls.script)
        cls.tandem = Tandem(f"server: {{ listen: 127.0.0.1:PORT, workers: 2, limits: {LIMITS} }}\n"
                            f"providers: {{ up: {cls.upstream.provider()} }}\nmodels: {{ m: {{ provider: up }} }}\n")

    @classmethod
    def tearDownClass(cls):
        cls.tandem.stop()
        cls.upstream.close()

    @staticmethod
    def script(connection, body, number):
        return Upstream.answer_well(connection, body, number)

    def connect(self):
        s = socket.create_connection(("127.0.0.1", self.tandem.port), 10)
        s.settimeout(10)
        return s

    def exchange(self, data):
        """Sends bytes, and gives all that comes until the server closes."""
        with self.connect() as s:
            s.sendall(data)
            return self.read_all(s)

    @staticmethod
    def read_all(s):
        out = b""
        try:
            while data := s.recv(65536):
                out += data
        except ConnectionResetError:
            pass
        return out

    def refused(self, data, status, part):
        answer = self.exchange(data)
        head, _, body = answer.partition(b"\r\n\r\n")
        self.assertTrue(head.startswith(f"HTTP/1.1 {status} ".encode()), answer[:300])
        self.assertIn(part, json.loads(body)["error"]["message"])
        return answer

    def post(self, body, extra="", path="/v1/chat/completions"):
        return f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n{extra}\r\n".encode() + body

    def good(self, **more):
        return json.dumps({"model": "m", "messages": [{"role": "user", "content": "x"}], **more}).encode()

    def tearDown(self):
        self.assertEqual(self.tandem.request("/healthz")[0], 200, "the server lives")

    # ---- framing (HAZARDS.md 5) ----

    def test_doubtful_framing_is_refused_before_an_upstream_sees_a_byte(self):
        before = len(self.upstream.raw)
        body = self.good()
        start = "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
        n = len(body)
        for head, status in [
            (f"{start}Content-Length: {n}\r\nTransfer-Encoding: chunked\r\n", 400),
            (f"{start}Transfer-Encoding: gzip\r\nContent-Length: {n}\r\n", 400),
            (f"{start}Transfer-Encoding: chunked, identity\r\nContent-Length: {n}\r\n", 400),
            (f"{start}Transfer-Encoding: xchunked\r\n", 501),
            (f"{start}Content-Length: {n}, {n}\r\n", 400),
            (f"{start}Content-Length: {n}\r\nContent-Length: {n}\r\n", 400),
            (f"{start}Content-Length: -1\r\n", 400),
            (f"POST /v1/chat/completions HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n", 400),
            (f"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: {n}\r\n", 400),
            (f"{start}Host: localhost\r\nContent-Length: {n}\r\n", 400),
            (f"{start}X: a\r\n b\r\nContent-Length: {n}\r\n", 400),
            (f"{start}X : a\r\nContent-Length: {n}\r\n", 400),
            (f"{start}X: a\nContent-Length: {n}\r\n", 400),
            (f"POST http://localhost/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: {n}\r\n", 400),
            (f"POST  /v1 HTTP/1.1\r\nHost: localhost\r\n", 400),
            (f"GET / HTTP/3.0\r\nHost: localhost\r\n", 505),
            (f"{start}Trailer: x\r\nTransfer-Encoding: chunked\r\n", 400),
        ]:
            with self.subTest(head=head):
                answer = self.exchange(head.encode() + b"\r\n" + body)
                self.assertTrue(answer.startswith(f"HTTP/1.1 {status} ".encode()), answer[:200])
                self.assertEqual(answer.count(b"content-length:"), 1, "nothing behind it is read as a request")
                json.loads(answer.partition(b"\r\n\r\n")[2])
        self.assertEqual(len(self.upstream.raw), before)

    def chunked(self, chunks):
        return b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + chunks

    def test_a_chunked_body_is_taken_whole_and_cut_anywhere(self):
        body = self.good()
        data = self.chunked(b"%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n" % (10, body[:10], len(body) - 10, body[10:]))
        self.assertIn(b"Hello there", self.exchange(data))
        with self.connect() as s:
            for i in range(0, len(data), 7):
                s.sendall(data[i:i + 7])
            self.assertIn(b"Hello there", self.read_all(s))

    def test_chunk_extensions_trailers_and_broken_chunks_are_refused(self):
        body = self.good()
        whole = b"%x\r\n%s\r\n" % (len(body), body)
        for chunks in (b"%x;ext=1\r\n%s\r\n0\r\n\r\n" % (len(body), body), whole + b"0\r\nX: y\r\n\r\n", b"zz\r\n" + body, b"%x\r\n%sXX0\r\n\r\n" % (len(body), body),
                       b"ffffffffffffffffff\r\n", b"-1\r\n", b"5;" + b"a" * 200_000):
            with self.subTest(chunks=chunks[:40]):
                self.assertTrue(self.exchange(self.chunked(chunks)).startswith(b"HTTP/1.1 4"), chunks[:40])

    def test_a_huge_trailer_does_not_end_the_server(self):  # HAZARDS.md 4
        body = self.good()
        answer = self.exchange(self.chunked(b"%x\r\n%s\r\n0\r\nX: %s\r\n\r\n" % (len(body), body, b"a" * 70_000)))
        self.assertTrue(answer == b"" or answer.startswith(b"HTTP/1.1 4"), answer[:100])

    # ---- limits ----

    def test_header_bytes(self):
        self.refused(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 6000 + b"\r\n\r\n", 431, "larger than 4096 bytes")
        self.refused(b"GET /" + b"a" * 6000, 431, "larger than 4096 bytes")

    def test_header_count(self):
        self.refused(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: a\r\n" * 30 + b"\r\n", 431, "more than 20 header fields")

    def test_body_bytes(self):
        self.refused(self.post(b"x" * 70_000), 413, "raise server.limits.body_bytes")
        self.refused(self.chunked(b"%x\r\n%s\r\n0\r\n\r\n" % (70_000, b"x" * 70_000)), 413, "larger than 65536 bytes")

    def test_bodies_together(self):
        holders = []
        for _ in range(5):
            s = self.connect()
            s.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 65000\r\n\r\n" + b"x" * 64_000)
            holders.append(s)
        answers = [self.read_all(s) for s in holders]
        self.assertTrue(any(b" 503 " in a for a in answers), answers)
        for s in holders:
            s.close()

    def test_slow_headers(self):
        start = time.monotonic()
        with self.connect() as s:
            s.sendall(b"GET / HT")
            answer = self.read_all(s)
        self.assertTrue(answer.startswith(b"HTTP/1.1 408 "), answer)
        self.assertLess(time.monotonic() - start, 5)

    def test_slow_body(self):
        with self.connect() as s:
            s.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
            self.assertTrue(self.read_all(s).startswith(b"HTTP/1.1 408 "))

    def test_idle_connections_are_closed(self):
        with self.connect() as s:
            s.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertIn(b"200 OK", s.recv(4096))
            self.assertEqual(self.read_all(s), b"")

    def test_requests_per_connection(self):
        with self.connect() as s:
            s.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 8)
            answer = self.read_all(s)
        self.assertEqual(answer.count(b"200 OK"), 5)
        self.assertIn(b"connection: close", answer)

    def test_connections(self):
        held = [self.connect() for _ in range(46)]  # more than there are places, all at once
        try:
            answers = [self.read_all(s) for s in held]
            self.assertTrue(any(b" 503 " in a and "taken" in json.loads(a.partition(b"\r\n\r\n")[2])["error"]["message"] for a in answers if a), answers)
        finally:
            for s in held:
                s.close()
        until(lambda: self.tandem_answers(), "places to be free again")

    def tandem_answers(self):
        try:
            return self.tandem.request("/healthz", timeout=2)[0] == 200
        except OSError:
            return False

    # ---- the rest of HTTP ----

    def test_pipelined_requests_are_answered_in_order(self):
        with self.connect() as s:
            s.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answer = self.read_all(s)
        self.assertLess(answer.index(b'"ok"'), answer.index(b'"ready"'))

    def test_expect_100_continue(self):
        body = self.good()
        with self.connect() as s:
            s.sendall(f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n".encode())
            self.assertEqual(s.recv(4096), b"HTTP/1.1 100 Continue\r\n\r\n")
            s.sendall(body)
            self.assertIn(b"Hello there", self.read_all(s))

    def test_http_1_0_gets_a_stream_without_chunks(self):
        body = self.good(stream=True)
        answer = self.exchange(f"POST /v1/chat/completions HTTP/1.0\r\nContent-Length: {len(body)}\r\nHost: localhost\r\n\r\n".encode() + body)
        self.assertNotIn(b"transfer-encoding", answer)
        self.assertTrue(answer.endswith(b"data: [DONE]\n\n"), answer[-100:])

    def test_a_name_that_was_rebound_to_loopback_is_refused(self):
        self.refused(b"GET /v1/models HTTP/1.1\r\nHost: evil.example:80\r\n\r\n", 421, "server.hosts")

    def test_a_page_of_another_origin_is_refused(self):
        self.refused(b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\n\r\n", 403, "server.cors")

    def test_a_slow_reader_loses_its_connection_and_its_upstream_is_left(self):
        sent, left = [], []
        def flood(connection, body, number):
            connection.sendall(SSE_HEAD)
            line = chunk("x" * 20_000)
            try:
                for _ in range(5000):
                    connection.sendall(line)
                    sent.append(len(line))
            except OSError:
                left.append(time.monotonic())
            return "close"
        saved, self.upstream.script = self.upstream.script, flood
        try:
            with self.connect() as s:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                s.sendall(self.post(self.good(stream=True)))
                until(lambda: left, "the upstream to be left: its reader does not read", 10)
                self.assertLess(sum(sent), 24 << 20, "backpressure reached the upstream")
            until(lambda: self.tandem.explain()["attempts"], "the record")
            self.assertEqual(self.tandem.explain()["attempts"][0]["outcome"], "cancelled")
        finally:
            self.upstream.script = saved

    def test_a_client_that_leaves_cancels_its_upstream_at_once(self):
        left = []
        def endless(connection, body, number):
            connection.sendall(SSE_HEAD + chunk("first"))
            connection.settimeout(5)
            connection.recv(1)   # returns when Tandem closes
            left.append(time.monotonic())
            return "close"
        saved, self.upstream.script = self.upstream.script, endless
        try:
            for stream in (True, False):
                left.clear()
                s = self.connect()
                s.sendall(self.post(self.good(stream=stream)))
                if stream:
                    self.assertIn(b"200", s.recv(4096))
                else:
                    until(lambda: len(self.upstream.requests), "the upstream to be asked")
                    time.sleep(0.05)
                gone = time.monotonic()
                s.close()
                until(lambda: left, "the upstream to be left", 3)
                # The watch looks every 50 ms; the rest is room for a busy machine with sanitizers.
                self.assertLess(left[0] - gone, 0.3)
        finally:
            self.upstream.script = saved


class Tls(unittest.TestCase):
    def test_the_owners_certificate_is_used(self):
        tandem = Tandem("", start=False, tls=True)
        pem = tandem.folder
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", pem / "key.pem", "-out", pem / "cert.pem",
                        "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
        upstream = Upstream()
        tandem.write(f"server: {{ listen: 127.0.0.1:PORT, tls: {{ certificate: {pem}/cert.pem, key: {pem}/key.pem }} }}\n"
                     f"providers: {{ up: {upstream.provider()} }}\nmodels: {{ m: {{ provider: up }} }}\n")
        tandem.start()
        try:
            context = ssl.create_default_context(cafile=pem / "cert.pem")
            raw = socket.create_connection(("127.0.0.1", tandem.port), 10)
            with context.wrap_socket(raw, server_hostname="localhost") as s:
                body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "x"}], "stream": True}).encode()
                s.sendall(f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
                self.assertIn(b"[DONE]", RawBytes.read_all(s))
            # A second Tandem speaks TLS to the first as its provider, and verifies it.
            good = Tandem(f"providers: {{ up: {{ kind: openai, zone: cloud, base_url: 'https://localhost:{tandem.port}/v1' }} }}\nmodels: {{ m: {{ provider: up }} }}\n",
                          env={"SSL_CERT_FILE": str(pem / "cert.pem")})
            wary = Tandem(f"providers: {{ up: {{ kind: openai, zone: cloud, base_url: 'https://localhost:{tandem.port}/v1' }} }}\nmodels: {{ m: {{ provider: up }} }}\n")
            try:
                status, _, answer = good.chat("hi", "m")
                self.assertEqual((status, json.loads(answer)["choices"][0]["message"]["content"]), (200, "Hello there"))
                status, _, answer = wary.chat("hi", "m")
                self.assertEqual(status, 502, answer)
                self.assertIn("certificate verify failed", json.loads(answer)["error"]["message"])
            finally:
                good.stop()
                wary.stop()
        finally:
            tandem.stop()
            upstream.close()


if __name__ == "__main__":
    unittest.main()
