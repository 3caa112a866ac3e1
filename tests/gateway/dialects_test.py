"""What every dialect promises on the wire: errors in its own shape and with its own status, before and during a stream; what a
provider cannot say; what is too long; large requests; compressed answers."""
import gzip
import http.client as http_client
import json
import time
import unittest

from harness import SSE_HEAD, Tandem, Upstream, chunk, http
from strict import DIALECTS, TEXT, StrictUpstream

USER = "Say something."
REQUESTS = {
    "/v1/chat/completions": lambda text, stream: {"model": "m", "stream": stream, "messages": [{"role": "user", "content": text}]},
    "/v1/responses": lambda text, stream: {"model": "m", "stream": stream, "input": text},
    "/v1/messages": lambda text, stream: {"model": "m", "max_tokens": 100, "stream": stream, "messages": [{"role": "user", "content": text}]},
    "/v1beta/models/m": lambda text, stream: {"contents": [{"role": "user", "parts": [{"text": text}]}]},
    "/api/chat": lambda text, stream: {"model": "m", "stream": stream, "messages": [{"role": "user", "content": text}]},
}


def path_of(path, stream):
    return path if "/models/" not in path else path + (":streamGenerateContent?alt=sse" if stream else ":generateContent")


def message_of(path, raw):
    error = json.loads(raw)["error"]
    return error if isinstance(error, str) else error["message"]


class Dialects(unittest.TestCase):
    def start(self, script=None, name=None, extra="", model="context: 32768"):
        self.upstream = StrictUpstream(name) if name else Upstream(script)
        self.tandem = Tandem(f"providers:\n  p: {self.upstream.provider('cloud', extra)}\nmodels:\n  m: {{ provider: p, name: scripted, {model} }}\npolicy: {{ preset: cloud-first, attempts: 1 }}\n")
        self.addCleanup(self.upstream.close)
        self.addCleanup(self.tandem.stop)
        return self.tandem

    def each(self, text=USER, streams=(False, True)):
        for path, body in REQUESTS.items():
            for stream in streams:
                with self.subTest(path=path, stream=stream):
                    yield path, self.tandem.request(path_of(path, stream), body(text, stream), {"anthropic-version": "2023-06-01"})

    def test_a_prompt_that_is_too_long_is_said_in_each_dialects_own_words(self):
        self.start(model="context: 2048")
        want = {"/v1/chat/completions": (400, "maximum context length is 2048 tokens"), "/v1/responses": (400, "maximum context length is 2048 tokens"),
                "/v1/messages": (400, "prompt is too long: "), "/v1beta/models/m": (400, "exceeds the maximum number of tokens allowed (2048)"),
                "/api/chat": (400, "exceeds the available context size (2048 tokens)")}
        for path, (status, _, raw) in self.each("word " * 4000):
            self.assertEqual(status, want[path][0])
            self.assertIn(want[path][1], message_of(path, raw))
            if path in ("/v1/chat/completions", "/v1/responses"):
                self.assertEqual(json.loads(raw)["error"]["code"], "context_length_exceeded")
        self.assertEqual(self.upstream.connections, 0)

    def test_what_the_provider_finds_too_long_keeps_both_numbers(self):
        for name, error in (("openai", {"error": {"message": "This model's maximum context length is 4096 tokens. However, your messages resulted in 5000 tokens.", "code": "context_length_exceeded"}}),
                            ("vllm", {"error": {"message": "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens", "code": 400}})):
            with self.subTest(name):
                t = self.start(lambda c, b, n, error=error: c.sendall(http(error, "400 Bad")))
                status, _, raw = t.request("/v1/messages", REQUESTS["/v1/messages"]("x", False))
                self.assertEqual((status, message_of("", raw)), (400, "prompt is too long: 5000 tokens > 4096 maximum"))

    def test_a_stream_that_fails_before_its_first_content_is_an_http_error(self):
        def failing(connection, body, number):
            if b"all is well" in body:
                return Upstream.answer_well(connection, body, number)
            if json.loads(body).get("stream"):
                connection.sendall(SSE_HEAD + chunk("", role="assistant") + b'data: {"error":{"message":"no memory left"}}\n\n')
                return "close"
            connection.sendall(http({"error": {"message": "no memory left"}}))
        self.start(failing)
        for path, (status, headers, raw) in self.each():
            self.assertEqual(status, 502)
            self.assertIn("no memory left", message_of(path, raw))
            self.assertNotIn("event-stream", headers["content-type"])
            self.assertEqual(self.tandem.chat("all is well")[0], 200)  # so that no breaker opens

    def test_a_stream_that_breaks_off_says_so_in_its_own_words(self):
        self.start(lambda c, b, n: (c.sendall(SSE_HEAD + chunk("partly")), time.sleep(0.2), c.sendall(b'data: {"error":{"message":"died"}}\n\n'), "close")[3])
        want = {"/v1/chat/completions": b'"error"', "/v1/responses": b"event: response.failed", "/v1/messages": b"event: error", "/v1beta/models/m": b'"status":"UNAVAILABLE"', "/api/chat": b'{"error"'}
        for path, body in REQUESTS.items():
            with self.subTest(path=path):
                with self.assertRaises(http_client.IncompleteRead) as caught:  # the transport says it too
                    self.tandem.request(path_of(path, True), body(USER, True))
                raw = caught.exception.partial
                self.assertIn(b"partly", raw)
                self.assertIn(want[path], raw)
                for end in (b"[DONE]", b"response.completed", b"message_stop", b'"done":true', b"finishReason"):
                    self.assertNotIn(end, raw)

    def test_unavailable_has_its_status_and_retry_after_in_each_dialect(self):
        self.start(lambda c, b, n: c.sendall(http({"error": {"message": "slow down"}}, "429 Too Many", extra="Retry-After: 7\r\n")))
        for path, (status, headers, raw) in self.each(streams=(False,)):
            self.assertEqual(status, 529 if path == "/v1/messages" else 503)
            self.assertEqual(headers["retry-after"], "7")
            self.assertIn("p answered with status 429", message_of(path, raw))

    def test_wrong_requests_name_their_field_in_each_dialect(self):
        self.start()
        for path, body in (("/v1/chat/completions", {"model": "m", "messages": [{"role": "user", "content": 5}]}), ("/v1/responses", {"model": "m", "input": 5}),
                           ("/v1/messages", {"model": "m", "max_tokens": 5, "messages": [{"role": "bot", "content": "x"}]}), ("/v1/messages", {"model": "m", "messages": []}),
                           ("/v1beta/models/m:generateContent", {"contents": []}), ("/api/chat", {"model": "m", "messages": [{"role": "x"}]})):
            status, _, raw = self.tandem.request(path, body)
            self.assertEqual(status, 400, raw)
            self.assertRegex(message_of(path, raw), "messages|input|contents|max_tokens")
        self.assertEqual(self.tandem.request("/v1/messages/nothing", {})[0], 404)
        self.assertEqual(self.tandem.request("/v1/messages", None)[0], 405)

    def test_what_a_provider_cannot_say_is_refused_or_dropped_as_the_owner_chose(self):
        body = {**REQUESTS["/v1/chat/completions"]("scenario:text", False), "logit_bias": {"50256": -100}, "user": "bob"}
        t = self.start(name="anthropic")
        status, _, raw = t.request("/v1/chat/completions", body)
        self.assertEqual((status, json.loads(raw)["error"]["param"]), (400, "logit_bias"))
        self.assertEqual(self.upstream.connections, 0)
        t = self.start(name="anthropic", extra=", translation: drop")
        status, headers, raw = t.request("/v1/chat/completions", body)
        self.assertEqual(status, 200)
        for word in ("logit_bias", "user", "max_tokens"):
            self.assertIn(word, headers["x-tandem-warnings"])
            self.assertIn(word, t.explain()["attempts"][0]["warnings"])

    def test_same_dialect_on_both_sides_passes_bytes(self):
        for name, path, body in (("anthropic", "/v1/messages", b'{ "model":"m",\n "max_tokens" : 50, "messages":[{"role":"user","content":"scenario:text"}], "temperature":0.50, "metadata":{"user_id":"\\u00e9"} }'),
                                 ("openai-chat", "/v1/chat/completions", b'{ "messages":[{"role":"user","content":"scenario:text"}], "temperature":0.50,  "model" : "m" }')):
            with self.subTest(name):
                t = self.start(name=name)
                status, _, raw = t.request(path, body)
                self.assertEqual(status, 200)
                self.assertEqual(self.upstream.requests[-1][1], body.replace(b'"m"', b'"scripted"'))
                self.assertEqual(json.loads(raw), DIALECTS[name].whole("text"))

    def test_translated_requests_are_the_same_each_time(self):
        t = self.start(name="openai-chat")
        for _ in range(3):
            t.request("/v1/messages", {"model": "m", "max_tokens": 9, "system": "s", "messages": [{"role": "user", "content": "scenario:text"}],
                                       "tools": [{"name": "f", "input_schema": {"type": "object", "properties": {"b": {}, "a": {}}}}]})
        self.assertEqual(len({body for _, body in self.upstream.requests}), 1)

    def test_a_system_prompt_of_300_kb_with_80_tools(self):
        schema = {"type": "object", "properties": {f"field_{i}": {"type": "string", "description": "What it is " * 10} for i in range(10)}}
        body = {"model": "m", "max_tokens": 100, "system": [{"type": "text", "text": "rule " * 60_000, "cache_control": {"type": "ephemeral"}}], "stream": True,
                "messages": [{"role": "user", "content": "scenario:calls"}], "tools": [{"name": f"tool_{i}", "description": "It does " * 20, "input_schema": schema} for i in range(80)]}
        for name in DIALECTS:
            with self.subTest(name):
                t = self.start(name=name, model="context: 400000") if name != "ollama" else self.start(name=name, model="context: 200000")
                status, _, raw = t.request("/v1/messages", body)
                self.assertEqual((status, self.upstream.rejected), (200, []), raw[:500])
                self.assertEqual(len(self.upstream.seen[0][1]["tools"]), 80)
                self.assertEqual(len(self.upstream.seen[0][1]["messages"][0][1]), 300_000)
                self.assertEqual(raw.replace(b" ", b"").count(b'"type":"tool_use","id"'), 2)

    def test_compressed_answers(self):
        def compressed(connection, body, number):
            data = gzip.compress(json.dumps(DIALECTS["openai-chat"].whole("text")).encode())
            connection.sendall(http(data, extra="Content-Encoding: gzip\r\n"))
        t = self.start(compressed)
        status, _, raw = t.request("/v1/messages", REQUESTS["/v1/messages"]("x", False))
        self.assertEqual((status, json.loads(raw)["content"][0]["text"]), (200, TEXT))

    def test_a_provider_that_streams_unasked_and_one_that_does_not(self):
        streams = lambda c, b, n: (c.sendall(SSE_HEAD + DIALECTS["openai-chat"].stream("calls", {})), "close")[1]
        whole = lambda c, b, n: c.sendall(http(DIALECTS["openai-chat"].whole("calls")))
        self.start(streams)
        for path, (status, _, raw) in self.each(streams=(False,)):
            self.assertEqual(status, 200)
            self.assertIn(b"get_time", raw)
            json.loads(raw)
        self.start(whole)
        for path, (status, _, raw) in self.each(streams=(True,)):
            self.assertEqual(status, 200)
            self.assertIn(b"get_time", raw)

    def test_legacy_functions_through_a_dialect_without_them(self):
        t = self.start(name="anthropic")
        body = {"model": "m", "messages": [{"role": "user", "content": "scenario:call"}, {"role": "assistant", "content": None, "function_call": {"name": "get_weather", "arguments": "{}"}},
                                           {"role": "function", "name": "get_weather", "content": "sunny"}], "functions": [{"name": "get_weather", "parameters": {"type": "object", "properties": {}}}]}
        status, _, raw = t.request("/v1/chat/completions", body)
        choice = json.loads(raw)["choices"][0]
        self.assertEqual((status, choice["finish_reason"], choice["message"]["function_call"]["name"]), (200, "function_call", "get_weather"))

    def test_reranking(self):
        answer = {"model": "x", "usage": {"total_tokens": 9}, "results": [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.1}]}
        t = self.start(lambda c, b, n: c.sendall(http(answer)), model="capabilities: [rerank]")
        status, _, raw = t.request("/v1/rerank", {"model": "m", "query": "cat", "documents": ["dog", "cat"]})
        self.assertEqual((status, json.loads(raw)), (200, answer))
        self.assertEqual(json.loads(self.upstream.requests[0][1])["model"], "scripted")
        self.assertEqual(t.request("/v1/rerank", {"model": "m", "query": "cat"})[0], 400)

    def test_gemini_streams_as_an_array_without_alt(self):
        t = self.start(name="anthropic")
        status, _, raw = t.request("/v1beta/models/m:streamGenerateContent", REQUESTS["/v1beta/models/m"]("scenario:text", True))
        pieces = json.loads(raw)
        self.assertEqual("".join(p["text"] for c in pieces for p in c["candidates"][0]["content"]["parts"]), TEXT)


if __name__ == "__main__":
    unittest.main()
