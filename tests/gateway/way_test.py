"""The request's way, against scripted upstreams on real sockets: labels, decisions, failures, money, records."""
import gzip
import json
import pathlib
import socket
import threading
import time
import unittest

from harness import ANSWER, DONE, SSE_HEAD, Tandem, Upstream, chunk, http, until

CARD = "my card is 4111 1111 1111 1111"


def error_of(body):
    return json.loads(body)["error"]


class Way(unittest.TestCase):
    def setUp(self):
        self.local, self.cloud = Upstream(), Upstream()
        self.tandem = None

    def tearDown(self):
        if self.tandem:
            self.tandem.stop()
        self.local.close()
        self.cloud.close()

    def start(self, policy="policy: { preset: hybrid }", more="", local_extra="", cloud_extra="", price="{ input: 1, output: 10 }", cloud_model=""):
        self.tandem = Tandem(f"providers:\n  lab: {self.local.provider('local', local_extra)}\n  far: {self.cloud.provider('cloud', cloud_extra)}\n"
                             f"models:\n  small: {{ provider: lab, name: small-model }}\n  big: {{ provider: far, name: big-model, price: {price}{cloud_model} }}\n{policy}\n{more}\n")
        return self.tandem

    # ---- deciding, and saying why ----

    def test_headers_say_where_it_ran_and_explain_says_why(self):
        t = self.start()
        status, headers, body = t.chat("hello")
        self.assertEqual(status, 200)
        self.assertEqual((headers["x-tandem-model"], headers["x-tandem-provider"], headers["x-tandem-zone"], headers["x-tandem-label"]), ("small", "lab", "local", "public"))
        self.assertNotIn("x-tandem-warnings", headers)
        self.assertEqual(json.loads(body), ANSWER)
        record = t.explain(headers["x-tandem-decision"])
        self.assertEqual((record["rule"], record["replay_is_same"], record["attempts"][0]["outcome"]), ("everyday", True, "answered"))
        self.assertEqual(record["attempts"][0]["usage"], {"input": 7, "cached_input": 0, "cache_write": 0, "output": 3, "reasoning": 0, "estimated": False})
        status, _, body = t.request(f"/tandem/v1/decisions/{headers['x-tandem-decision']}")
        self.assertEqual((status, json.loads(body)), (200, record))
        self.assertEqual(t.request("/tandem/v1/decisions/dec_nope")[0], 404)

    def test_an_answer_that_is_too_much_is_the_providers_fault(self):
        """It was 413, as if the client had sent too much."""
        deep = b'{"choices":' + b"[" * 200 + b"]" * 200 + b"}"
        large = b'{"a":"' + b"x" * (64 * 1024 * 1024) + b'"}'
        for body, words in ((deep, b"nested deeper"), (large, b"is larger than 67108864 bytes")):
            self.cloud.script = lambda connection, request, number, body=body: connection.sendall(http(body))
            t = self.start(policy="policy: { preset: hybrid, failure: { attempts: 1 } }\nserver: { listen: '127.0.0.1:PORT', limits: { memory_bytes: 4096MiB } }")
            for stream in (False, True):
                status, _, raw = t.chat("hello", model="big", stream=stream)
                self.assertEqual((status, words in raw, b"far" in raw), (502, True, True), raw[:400])
            t.stop()
            self.tandem = None

    def test_hard_and_valuable_work_goes_to_the_cloud(self):
        t = self.start()
        _, headers, _ = t.chat("Prove the theorem step by step and analyze the complexity of the algorithm in detail")
        self.assertEqual(headers["x-tandem-model"], "big")
        _, headers, _ = t.chat("hello", headers={"x-tandem-stakes": "high"})
        self.assertEqual(headers["x-tandem-zone"], "cloud")
        self.assertEqual(json.loads(self.cloud.requests[0][1])["model"], "big-model")
        self.assertIn("Bearer upstream-key", self.cloud.requests[0][0])

    def test_bytes_pass_through_but_for_the_models_name(self):
        t = self.start()
        body = b'{ "model" : "small", "messages":[{"role":"user","content":"h\\u00e9"}],  "temperature":0.70,"seed":12345678901234567890123, "x":{"a" : 1.50} }'
        self.assertEqual(t.request("/v1/chat/completions", body)[0], 200)
        self.assertEqual(self.local.requests[0][1], body.replace(b'"small"', b'"small-model"'))

    def test_unknown_names_get_the_nearest(self):
        t = self.start()
        status, _, body = t.chat(model="smal")
        self.assertEqual((status, error_of(body)["code"], error_of(body)["param"]), (404, "model_not_found", "model"))
        self.assertIn("did you mean 'small'?", error_of(body)["message"])
        status, _, body = t.chat(headers={"x-tandem-label": "privat"})
        self.assertEqual(status, 400)
        self.assertIn("did you mean 'private'?", error_of(body)["message"])
        self.assertEqual(t.chat(headers={"x-tandem-stakes": "huge"})[0], 400)

    def test_models_are_listed(self):
        t = self.start(more="aliases: { best: [big, small] }")
        ids = [m["id"] for m in json.loads(t.request("/v1/models")[2])["data"]]
        self.assertEqual(ids, ["auto", "local", "cloud", "private", "best", "small", "big"])
        self.assertEqual(json.loads(t.request("/v1/models/big")[2])["owned_by"], "far")
        self.assertEqual(t.request("/v1/models/none")[0], 404)
        _, headers, _ = t.chat(model="best")
        self.assertEqual(headers["x-tandem-model"], "big")

    def test_a_list_of_models_says_what_they_take(self):
        """As OpenRouter, vLLM and Anthropic do; of a name that stands for models of several sizes it says nothing."""
        t = self.start(cloud_model=", context: 150000, max_output: 9000", more="aliases: { same: [big], several: [big, small] }")
        sizes = lambda m: {k: v for k, v in m.items() if "context" in k or "max" in k}
        said = {"context_length": 150000, "max_model_len": 150000, "max_completion_tokens": 9000}
        models = {m["id"]: sizes(m) for m in json.loads(t.request("/v1/models")[2])["data"]}
        self.assertEqual((models["big"], models["same"], models["several"], models["auto"]), (said, said, {}, {}))
        self.assertEqual(sizes(json.loads(t.request("/v1/models/big")[2])), said)
        self.assertEqual(sizes(json.loads(t.request("/v1/models/big", headers={"anthropic-version": "2023-06-01"})[2])), {"max_input_tokens": 150000, "max_tokens": 9000})

    def test_a_model_without_what_is_needed_is_not_asked(self):
        t = self.start(cloud_model=", capabilities: [json], context: 1000")
        tools = [{"type": "function", "function": {"name": "f", "parameters": {}}}]
        status, headers, body = t.chat(model="big", tools=tools)
        self.assertEqual((status, error_of(body)["code"]), (422, "no_capable_candidate"))
        self.assertIn("it has no tools", error_of(body)["message"])
        self.assertEqual(t.explain(headers["x-tandem-decision"])["decision"]["eligible"], 0)
        status, _, body = t.chat("word " * 2000, model="big")
        self.assertEqual((status, error_of(body)["code"]), (400, "context_length_exceeded"))
        self.assertEqual(self.cloud.connections, 0)

    # ---- private stays home ----

    def test_private_content_never_reaches_the_cloud(self):
        t = self.start(policy="policy: { preset: cloud-first }")
        for content, label in ((CARD, "private"), ("key AKIAIOSFODNN7EXAMPLE.", "secret")):
            _, headers, _ = t.chat(content)
            self.assertEqual((headers["x-tandem-zone"], headers["x-tandem-label"]), ("local", label))
        _, headers, _ = t.chat("hi", model="private")
        self.assertEqual(headers["x-tandem-zone"], "local")
        status, _, body = t.chat(CARD, model="cloud")
        self.assertEqual((status, error_of(body)["code"]), (422, "no_candidate_for_label"))
        self.assertEqual(t.chat("hi", model="big", headers={"x-tandem-label": "private"})[0], 422)
        self.assertEqual(self.cloud.connections, 0)
        self.assertEqual(t.egress(), [])

    def test_a_local_failure_never_moves_private_content_to_the_cloud(self):
        t = self.start(policy="policy: { preset: cloud-first }")
        for script in (lambda c, b, n: "close", lambda c, b, n: c.sendall(http({"error": {"message": "broken"}}, "500 Oops")),
                       lambda c, b, n: c.sendall(SSE_HEAD + chunk("", role="assistant")) or "close"):
            self.local.script = script
            for stream in (False, True):
                self.assertIn(t.chat(CARD, stream=stream)[0], (502, 503))
        self.local.close()
        status, _, body = t.chat(CARD)
        self.assertIn(status, (502, 503), body)
        self.assertEqual((self.cloud.connections, t.egress()), (0, []))

    def test_a_conversation_keeps_its_highest_label_over_turns_ids_and_restarts(self):
        t = self.start(policy="policy: { preset: cloud-first }")
        t.chat(CARD)
        turn = [{"role": "user", "content": CARD}, {"role": "assistant", "content": "noted"}, {"role": "user", "content": "thanks"}]
        t.chat("plain", headers={"x-tandem-label": "private", "x-tandem-conversation": "c1"})
        plain = [{"role": "user", "content": "a plain beginning"}]
        t.chat(messages=plain, headers={"x-tandem-label": "private"})
        for restart in (False, True):
            if restart:
                t.kill()
                t.start()
            self.assertEqual(t.chat(messages=turn)[1]["x-tandem-label"], "private")
            self.assertEqual(t.chat("what else", headers={"x-tandem-conversation": "c1"})[1]["x-tandem-zone"], "local")
            self.assertEqual(t.chat(messages=plain + [{"role": "assistant", "content": "yes"}, {"role": "user", "content": "go on"}])[1]["x-tandem-zone"], "local")
            self.assertEqual(t.chat("quite another", headers={"x-tandem-conversation": "c2"})[1]["x-tandem-zone"], "cloud")

    def test_the_egress_record_names_each_body_that_left(self):
        import hashlib
        t = self.start(policy="policy: { preset: cloud-first }")
        for i in range(5):
            t.chat(f"question {i}", stream=i % 2 == 0)
        records = t.egress()
        self.assertEqual([r["body_sha256"] for r in records], [hashlib.sha256(body).hexdigest() for _, body in self.cloud.requests])
        self.assertEqual([r["bytes"] for r in records], [len(body) for _, body in self.cloud.requests])
        self.assertEqual(t.cli("audit", "verify").returncode, 0)

    # ---- failure before the first byte ----

    def test_a_retry_and_a_fallback_are_made_and_told(self):
        t = self.start()
        self.local.script = lambda c, b, n: c.sendall(http({"error": {"message": "busy"}}, "503 Busy")) if n == 1 else Upstream.answer_well(c, b, n)
        status, headers, _ = t.chat("one")
        self.assertEqual((status, headers["x-tandem-model"]), (200, "small"))
        self.assertIn("small failed: lab answered with status 503: busy", headers["x-tandem-warnings"])
        self.local.script = lambda c, b, n: "close"
        status, headers, _ = t.chat("two")
        self.assertEqual((status, headers["x-tandem-model"]), (200, "big"))
        record = t.explain(headers["x-tandem-decision"])
        self.assertEqual([a["outcome"] for a in record["attempts"]], ["failed", "failed", "answered"])
        self.assertRegex(t.cli("explain", headers["x-tandem-decision"]).stdout.splitlines()[1], r"^  big at \w+ \(cloud\) answered, after others failed: small: ")
        self.assertEqual(len(t.egress()), 1)

    def test_a_stream_that_fails_before_its_first_content_is_an_http_error_or_another_attempt(self):
        t = self.start(policy="policy: { rules: [{ name: home, prefer: local, only: local }] }")
        for code, script in (("provider_broke_off", lambda c, b, n: c.sendall(SSE_HEAD + chunk("", role="assistant")) or "close"),
                             ("provider_error", lambda c, b, n: c.sendall(SSE_HEAD + b'data: {"error":{"message":"out of memory"}}\n\n' + DONE) or "close"),
                             ("provider_error", lambda c, b, n: c.sendall(http({"error": {"message": "200 but no"}})))):
            self.local.script = script
            status, _, body = t.chat(stream=True)
            self.assertEqual((status, error_of(body)["code"]), (502, code))
            self.local.script = Upstream.answer_well
            self.assertEqual(t.chat()[0], 200)  # so that no breaker opens
        t.process.send_signal(1)  # nothing is pending
        self.local.script = lambda c, b, n: c.sendall(http({"error": {"message": "not now"}})) if n % 2 else Upstream.answer_well(c, b, n)
        until(lambda: t.chat()[0] == 200, "the breaker to close", 10)

    def test_a_wrong_request_is_the_providers_own_error_and_nobody_else_is_asked(self):
        t = self.start()
        self.local.script = lambda c, b, n: c.sendall(http({"error": {"message": "temperature is too hot", "type": "invalid_request_error"}}, "400 Bad"))
        status, headers, body = t.chat()
        self.assertEqual((status, error_of(body)["message"]), (400, "temperature is too hot"))
        self.assertEqual((len(self.local.requests), self.cloud.connections), (1, 0))

    def test_a_prompt_that_the_provider_finds_too_long_goes_to_a_larger_context(self):
        t = self.start()
        self.local.script = lambda c, b, n: c.sendall(http({"error": {"message": "too long", "type": "exceed_context_size_error", "n_prompt_tokens": 9000, "n_ctx": 8192}}, "400 Bad"))
        status, headers, _ = t.chat()
        self.assertEqual((status, headers["x-tandem-model"]), (200, "big"))
        status, _, body = t.chat(model="small")
        self.assertEqual((status, error_of(body)["code"]), (400, "context_length_exceeded"))
        self.assertIn("maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens", error_of(body)["message"])

    def test_nothing_healthy_is_503_with_the_reason_of_each(self):
        t = self.start()
        self.local.close(); self.cloud.close()
        codes = [t.chat()[0] for _ in range(4)]
        self.assertEqual(set(codes) - {502, 503}, set())
        status, headers, body = t.chat()
        self.assertEqual(status, 503)
        self.assertIn("small: lab failed", error_of(body)["message"])
        self.assertIn("big: far failed", error_of(body)["message"])
        self.assertIn("retry-after", headers)

    def test_the_deadline_of_the_request_holds(self):
        t = self.start(policy="policy: { rules: [{ name: home, prefer: local, only: local }] }")
        release = threading.Event()
        self.local.script = lambda c, b, n: release.wait(20) and None
        start = time.monotonic()
        status, _, body = t.chat(headers={"x-tandem-timeout": "1"})
        self.assertEqual((status, error_of(body)["code"]), (504, "deadline_passed"))
        self.assertLess(time.monotonic() - start, 5)
        release.set()

    # ---- streams ----

    def stream(self, **fields):
        status, headers, body = self.tandem.chat(stream=True, **fields)
        return status, headers, [line[6:] for line in body.decode().split("\n") if line.startswith("data: ")]

    def test_usage_is_in_the_ledger_always_and_at_the_client_when_it_asked(self):
        t = self.start()
        _, headers, events = self.stream()
        self.assertEqual(events[-1], "[DONE]")
        self.assertFalse(any('"usage"' in e for e in events))
        self.assertEqual(json.loads(self.local.requests[0][1])["stream_options"], {"include_usage": True})
        self.assertEqual(t.explain(headers["x-tandem-decision"])["attempts"][0]["usage"]["input"], 7)
        _, _, events = self.stream(stream_options={"include_usage": True})
        self.assertEqual(json.loads(events[-2])["usage"]["total_tokens"], 10)
        # A provider that never gives any: counted by us, and marked as an estimate.
        self.local.script = lambda c, b, n: c.sendall(SSE_HEAD + chunk("Hello there, friend") + chunk(finish="stop") + DONE) or "close"
        _, headers, events = self.stream(stream_options={"include_usage": True})
        self.assertGreater(json.loads(events[-2])["usage"]["completion_tokens"], 0)
        self.assertTrue(t.explain(headers["x-tandem-decision"])["attempts"][0]["usage"]["estimated"])

    def test_odd_streams_arrive_whole(self):
        self.start()
        tool = [chunk(role="assistant", tool_calls=[{"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}]),
                chunk(tool_calls=[{"index": 0, "function": {"arguments": '{"a": "\u00e9'}}]), chunk(tool_calls=[{"index": 0, "function": {"arguments": '"}'}}]), chunk(finish="tool_calls"), DONE]
        plain = chunk("caf\u00e9 ") + chunk("ole") + chunk(finish="stop")
        for name, data in (("crlf", (plain + DONE).replace(b"\n", b"\r\n")), ("no done", plain), ("no last blank line", (plain + DONE).rstrip(b"\n")), ("comments", b": ping\n\n" + plain + b":\n\n" + DONE),
                           ("event first", plain.replace(b"data:", b"event: x\ndata:") + DONE), ("malformed in between", chunk("caf\u00e9 ") + b"data: {oops\n\n" + chunk("ole") + chunk(finish="stop") + DONE),
                           ("tools", b"".join(tool))):
            for step in (1, 10_000):
                with self.subTest(name=name, step=step):
                    def script(c, b, n, data=data, step=step):
                        c.sendall(SSE_HEAD)
                        for i in range(0, len(data), step):
                            c.sendall(data[i:i + step])
                        return "close"
                    self.local.script = script
                    status, _, events = self.stream()
                    self.assertEqual((status, events[-1]), (200, "[DONE]"))
                    deltas = [json.loads(e)["choices"][0]["delta"] for e in events[:-1]]
                    if name == "tools":
                        self.assertEqual("".join(d["tool_calls"][0]["function"]["arguments"] for d in deltas if "tool_calls" in d), '{"a": "\u00e9"}')
                    else:
                        self.assertEqual("".join(d.get("content", "") for d in deltas), "caf\u00e9 ole")

    def test_a_stream_that_is_cut_ends_with_an_error_and_without_done(self):
        t = self.start()
        self.local.script = lambda c, b, n: c.sendall(SSE_HEAD + chunk("half an ans")) or "close"
        status, headers, events = self.stream_until_cut()
        self.assertNotIn("[DONE]", events)
        self.assertIn("before the answer was finished", events[-1])
        self.assertEqual(self.cloud.connections, 0, "half an answer is not begun again elsewhere")
        self.assertEqual(t.explain(headers["x-tandem-decision"])["attempts"][0]["outcome"], "cut")

    def stream_until_cut(self):
        """urllib hides what came before a cut; this reads it."""
        body = json.dumps({"model": "auto", "stream": True, "messages": [{"role": "user", "content": "hi"}]}).encode()
        with socket.create_connection(("127.0.0.1", self.tandem.port), 10) as s:
            s.sendall(f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
            data = b""
            while piece := s.recv(65536):
                data += piece
        head, _, rest = data.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        self.assertFalse(rest.endswith(b"0\r\n\r\n"), "the chunked body must not look whole")
        return int(lines[0].split()[1]), dict(l.split(": ", 1) for l in lines[1:]), [l[6:] for l in rest.decode().split("\n") if l.startswith("data: ")]

    def test_a_provider_that_does_not_stream_still_gives_a_stream(self):
        self.start()
        self.local.script = lambda c, b, n: c.sendall(http(ANSWER))
        status, _, events = self.stream(stream_options={"include_usage": True})
        self.assertEqual((status, events[-1]), (200, "[DONE]"))
        text = "".join(c["delta"].get("content", "") for e in events[:-1] for c in json.loads(e)["choices"])
        self.assertEqual((text, json.loads(events[-2])["usage"]["total_tokens"]), ("Hello there", 10))

    # ---- the HTTP client ----

    def test_gzip_chunks_interim_answers_and_stale_connections(self):
        t = self.start()
        packed = gzip.compress(json.dumps(ANSWER).encode())
        for name, answer in (("gzip", http(packed, extra="Content-Encoding: gzip\r\n")), ("interim", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + http(ANSWER)),
                             ("chunked", b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" + b"".join(b"%x;e=1\r\n%s\r\n" % (len(p), p) for p in (packed[:0] + json.dumps(ANSWER).encode()[:9], json.dumps(ANSWER).encode()[9:])) + b"0\r\nX: y\r\n\r\n")):
            with self.subTest(name=name):
                self.local.script = lambda c, b, n, answer=answer: c.sendall(answer)
                status, _, body = t.chat(model="small")
                self.assertEqual((status, json.loads(body)), (200, ANSWER))
        # The server closes a kept connection; the next request goes out on a new one, once.
        self.local.script = lambda c, b, n: c.sendall(http(ANSWER)) or "close"
        count = len(self.local.requests)
        for _ in range(5):
            self.assertEqual(t.chat(model="small")[0], 200)
        self.assertEqual(len(self.local.requests), count + 5)

    def test_answers_that_are_not_http_or_lie_are_failures(self):
        t = self.start(policy="policy: { rules: [{ name: home, prefer: local, only: local }], attempts: 1 }")
        for answer in (b"junk\r\n\r\n", http(b"{not json"), http(b"{}"), b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", http(b"x" * 30, extra="Content-Encoding: gzip\r\n"), http(b"", "302 Found", extra="Location: http://x/\r\n"),
                       b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000 + b"\r\n", http(ANSWER, extra="Content-Encoding: br\r\n")):
            with self.subTest(answer=answer[:40]):
                self.local.script = lambda c, b, n, answer=answer: c.sendall(answer) or "close"
                self.assertIn(t.chat()[0], (502, 503))

    # ---- keys, money, rates ----

    KEYS = ("keys:\n  alice: { secret: alice-0123456789abc, label: internal, aliases: [auto, cloud], budgets: [{ limit: 0.05, window: day }] }\n"
            "  bob: { secret: bob-0123456789abc, limits: { rpm: 3 }, stakes: high }\n  boss: { secret: boss-0123456789abc, admin: true }\n")

    @staticmethod
    def key(name):
        return {"authorization": f"Bearer {name}-0123456789abc"}

    def test_keys_open_what_they_may_and_nothing_else(self):
        t = self.start(more=self.KEYS)
        for headers in ({}, {"authorization": "Bearer wrong"}, {"x-api-key": "wrong"}):
            status, answer, body = t.chat(headers=headers)
            self.assertEqual((status, error_of(body)["code"], answer["www-authenticate"]), (401, "invalid_api_key", "Bearer"))
        status, headers, _ = t.chat(headers=self.key("alice"))
        self.assertEqual((status, headers["x-tandem-label"]), (200, "internal"))
        self.assertEqual(t.chat(model="big", headers=self.key("alice"))[0], 403)
        decision = headers["x-tandem-decision"]
        self.assertEqual(t.request(f"/tandem/v1/decisions/{decision}", headers=self.key("alice"))[0], 200)
        self.assertEqual(t.request(f"/tandem/v1/decisions/{decision}", headers=self.key("bob"))[0], 404)
        self.assertEqual(t.request("/tandem/v1/status", headers=self.key("bob"))[0], 403)
        self.assertEqual(t.request("/tandem/v1/status", headers=self.key("boss"))[0], 200)
        self.assertEqual(t.request("/tandem/v1/status")[0], 401)
        self.assertEqual(t.request("/healthz")[0], 200)

    def test_a_budget_holds_under_concurrency(self):
        t = self.start(more=self.KEYS)
        # One request may cost 100 tokens * 10 per million + the prompt: about 0.0011. 0.05 pays for fewer than 50.
        self.cloud.script = lambda c, b, n: c.sendall(http({**ANSWER, "usage": {"prompt_tokens": 40, "completion_tokens": 100, "total_tokens": 140}}))
        codes = []
        def ask():
            for _ in range(12):
                codes.append(t.chat("hello", model="cloud", headers=self.key("alice"), max_tokens=100)[0])
        threads = [threading.Thread(target=ask) for _ in range(8)]
        [x.start() for x in threads]
        [x.join() for x in threads]
        cost = json.loads(t.cli("cost", "--by", "key", "--json").stdout)
        self.assertLessEqual(cost["total_micros"], 50_000)
        self.assertGreater(cost["total_micros"], 40_000)
        self.assertEqual(set(codes), {200, 429})
        t.kill()
        t.start()
        self.assertEqual(t.chat("hello " * 300, model="cloud", headers=self.key("alice"), max_tokens=4000)[0], 429)

    def test_a_rate_limit_says_when_to_come_back(self):
        t = self.start(more=self.KEYS)
        codes = [t.chat(headers=self.key("bob"))[0] for _ in range(8)]
        self.assertIn(429, codes)
        self.assertEqual(codes[:3], [200] * 3)

    # ---- config ----

    def test_a_changed_config_is_read_again_and_a_wrong_one_is_not_taken(self):
        t = self.start()
        good = t.file.read_text()
        t.write(good.split("\n", 1)[1] + "aliases: { quick: [small] }\n")
        until(lambda: t.chat(model="quick")[0] == 200, "the new alias")
        t.write(good.split("\n", 1)[1] + "aliases: { quick: [smal] }\n")
        until(lambda: "did you mean 'small'" in t.log_text(), "the complaint")
        self.assertEqual(t.chat(model="quick")[0], 200)
        t.write(good.split("\n", 1)[1])
        t.process.send_signal(1)
        until(lambda: t.chat(model="quick")[0] == 404, "the old config")

    # ---- stopping ----

    def test_a_stop_lets_requests_end_and_exits_with_0(self):
        t = self.start()
        begun, release = threading.Event(), threading.Event()
        def slow(c, b, n):
            begun.set()
            release.wait(10)
            return Upstream.answer_well(c, b, n)
        self.local.script = slow
        result = []
        thread = threading.Thread(target=lambda: result.append(t.chat(stream=True)))
        thread.start()
        begun.wait(10)
        t.process.terminate()
        until(lambda: "stopping" in t.log_text(), "the stop to begin")
        release.set()
        thread.join()
        self.assertTrue(result[0][2].endswith(b"[DONE]\n\n"))
        self.assertEqual(t.process.wait(10), 0)

    # ---- bad input ----

    def test_bad_input_gets_a_clear_error_each_and_bounded_memory(self):
        t = self.start()
        def rss():
            status = pathlib.Path(f"/proc/{t.process.pid}/status").read_text()
            return int(status.split("VmRSS:")[1].split()[0]) // 1024
        t.chat()
        before = rss()
        message = {"role": "user", "content": "x"}
        big = json.dumps({"model": "auto", "messages": [{"role": "user", "content": "x" * (33 << 20)}]}).encode()
        for body, status in ((b'{"model":"auto","messages":[{"role":"user"', 400), (b"[" * 100_000, 413), (b'{"model":"auto","messages":[{"role":"user","content":"\xff\xfe"}]}', 400), (b"", 400), (b"null", 400),
                             ({"model": 5, "messages": [message]}, 400), ({"model": "auto", "messages": "x"}, 400), ({"model": "auto", "messages": [message], "n": 10**9}, 400), (big, 413),
                             (b'{"model":"auto","model":"big","messages":[{"role":"user","content":"x"}]}', 400)):
            for _ in range(3):
                try:
                    got, _, answer = t.request("/v1/chat/completions", body)
                except (ConnectionError, OSError):
                    self.assertEqual(status, 413)  # refused while the client was still sending
                    continue
                self.assertEqual(got, status, (str(body)[:60], answer[:200]))
                self.assertTrue(error_of(answer)["message"])
        self.assertEqual(t.request("/v1/nothing")[0], 404)
        self.assertEqual(t.request("/v1/chat/completions")[0], 405)
        self.assertLess(rss() - before, 400, "MiB")
        self.assertEqual(t.chat()[0], 200)


if __name__ == "__main__":
    unittest.main()
