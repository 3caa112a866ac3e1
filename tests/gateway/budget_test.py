"""What an answer costs is bounded before it is asked, and paid whatever happens to it. Providers here are scripted, speak every
dialect, and count what they have said themselves."""
import contextlib
from http.client import HTTPException
import json
import socket
import threading
import time
import unittest

from harness import SSE_HEAD, Tandem, Upstream, chunk, http, until
from strict import DIALECTS, StrictUpstream

PRICE = "{ input: 1, output: 10 }"
KEY = {"authorization": "Bearer alice-0123456789abc"}
IN_FLIGHT = 800  # tokens that a provider writes, one in two milliseconds, until it sees on a busy machine that its connection has gone
FRONTS = {"openai-chat": "/v1/chat/completions", "openai-responses": "/v1/responses", "anthropic": "/v1/messages", "ollama": "/api/chat",
          "gemini": "/v1beta/models/{model}:streamGenerateContent?alt=sse"}


def question(front, model, text="tell me", most=None, stream=True):
    """(path, body) of one question in a dialect."""
    path = FRONTS[front].format(model=model)
    if front == "gemini":
        body = {"contents": [{"role": "user", "parts": [{"text": text}]}]}
        if most:
            body["generationConfig"] = {"maxOutputTokens": most}
        return (path if stream else path.replace("streamGenerateContent?alt=sse", "generateContent")), body
    if front == "openai-responses":
        body = {"model": model, "input": text, "stream": stream}
        return path, {**body, **({"max_output_tokens": most} if most else {})}
    body = {"model": model, "messages": [{"role": "user", "content": text}], "stream": stream}
    if front == "ollama":
        return path, {**body, **({"options": {"num_predict": most}} if most else {})}
    if front == "anthropic":
        return path, {**body, "max_tokens": most or 200}
    return path, {**body, **({"max_completion_tokens": most} if most else {})}


LENGTH = {"openai-chat": '"finish_reason":"length"', "openai-responses": "response.incomplete", "anthropic": '"stop_reason":"max_tokens"',
          "gemini": '"finishReason":"MAX_TOKENS"', "ollama": '"done_reason":"length"'}


class Endless(StrictUpstream):
    """Streams a token at a time, far beyond what it was asked for, until its client goes. Counts what it has said."""

    def __init__(self, name, tokens=60000):
        self.said = []  # of each answer
        self.tokens = tokens
        super().__init__(name)

    def token(self, n):
        if self.dialect.__class__.__name__ == "OpenAiChat":
            return self.dialect.chunk({"content": "word "})
        if self.dialect.__class__.__name__ == "OpenAiResponses":
            return self.dialect.sse({"type": "response.output_text.delta", "item_id": "msg_1", "output_index": 0, "content_index": 0, "delta": "word "}, "response.output_text.delta")
        if self.dialect.__class__.__name__ == "Anthropic":
            return self.dialect.sse({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "word "}}, "content_block_delta")
        if self.dialect.__class__.__name__ == "Gemini":
            return self.dialect.sse({"candidates": [{"index": 0, "content": {"role": "model", "parts": [{"text": "word "}]}}], "modelVersion": "scripted"})
        return (json.dumps({"model": "scripted", "created_at": "2026-01-01T00:00:00Z", "message": {"role": "assistant", "content": "word "}, "done": False}) + "\n").encode()

    def begin(self):
        if self.dialect.__class__.__name__ == "Anthropic":
            start = {"type": "message_start", "message": {"id": "msg_1", "type": "message", "role": "assistant", "model": "scripted", "content": [], "stop_reason": None,
                                                          "stop_sequence": None, "usage": {"input_tokens": 10, "output_tokens": 1}}}
            return self.dialect.sse(start, "message_start") + self.dialect.sse({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}, "content_block_start")
        if self.dialect.__class__.__name__ == "OpenAiResponses":
            return self.dialect.sse({"type": "response.created", "response": {"id": "resp_1", "object": "response", "status": "in_progress", "model": "scripted", "output": []}}, "response.created")
        return b""

    def answer(self, connection, raw, number):
        content = "application/x-ndjson" if self.dialect.ndjson else "text/event-stream"
        self.seen.append((json.loads(raw), self.dialect.common(json.loads(raw))))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self.lock:
            place = len(self.said)
            self.said.append(0)
        try:
            connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Type: {content}\r\nConnection: close\r\n\r\n".encode() + self.begin())
            for n in range(self.tokens):
                connection.sendall(self.token(n))
                self.said[place] += 1
                time.sleep(0.002)
        except OSError:
            pass
        return "close"


class Budgets(unittest.TestCase):
    def start(self, upstreams, budget="limit: 0.30, window: day", policy="", more="", price=PRICE, model=""):
        providers = "".join(f"  p-{n}: {u.provider(extra=', clearance: secret')}\n" for n, u in upstreams.items())
        models = "".join(f"  m-{n}: {{ provider: p-{n}, name: scripted, context: 200000{', price: ' + price if price else ''}{model} }}\n" for n in upstreams)
        tandem = Tandem(f"providers:\n{providers}models:\n{models}{policy}"
                        f"keys:\n  alice: {{ secret: alice-0123456789abc, budgets: [{{ {budget} }}] }}\n  free: {{ secret: free-0123456789abcd }}\n{more}")
        self.addCleanup(tandem.stop)
        for upstream in upstreams.values():
            self.addCleanup(upstream.close)
        return tandem

    @staticmethod
    def cost(tandem):
        return json.loads(tandem.cli("cost", "--json").stdout)["total_micros"]

    def test_an_endless_stream_is_cut_at_what_was_reserved_in_every_dialect(self):
        upstreams = {name: Endless(name, 3000) for name in DIALECTS}
        tandem = self.start(upstreams, budget="limit: 5, window: day")
        for behind, upstream in upstreams.items():
            for front in FRONTS:
                with self.subTest(front=front, behind=behind):
                    upstream.said.clear()
                    path, body = question(front, f"m-{behind}", most=40)
                    status, _, answer = tandem.request(path, body, KEY)
                    self.assertEqual(status, 200, answer)
                    text = answer.decode()
                    self.assertLessEqual(text.count("word "), 41 * (5 if front == "openai-responses" else 1))
                    self.assertIn(LENGTH[front], text.replace(": ", ":").replace(", ", ","))
                    attempt = tandem.explain()["attempts"][0]
                    self.assertTrue(attempt["usage"]["estimated"])
                    self.assertGreaterEqual(attempt["usage"]["output"], 40)
                    self.assertLessEqual(attempt["usage"]["output"], 42)
                    self.assertIn("beyond", attempt["warnings"])

    def test_a_request_without_a_maximum_gets_one_under_a_budget_and_only_there(self):
        upstreams = {name: StrictUpstream(name) for name in DIALECTS}
        tandem = self.start(upstreams, budget="limit: 5, window: day")
        for behind, upstream in upstreams.items():
            for front in FRONTS:
                if front == "anthropic":
                    continue  # it always names one
                for stream in (True, False):
                    with self.subTest(front=front, behind=behind, stream=stream):
                        path, body = question(front, f"m-{behind}", stream=stream)
                        status, headers, answer = tandem.request(path, body, KEY)
                        self.assertEqual((status, upstream.rejected), (200, []), answer)
                        self.assertEqual(upstream.seen[-1][1]["max"], 4096)
                        self.assertIn("4096 tokens", headers["x-tandem-warnings"])
                        status, headers, _ = tandem.request(path, body, {"authorization": "Bearer free-0123456789abcd"})
                        self.assertEqual(status, 200)
                        if behind != "anthropic":
                            self.assertIsNone(upstream.seen[-1][1]["max"])
                        self.assertNotIn("4096", headers.get("x-tandem-warnings", ""))

    def test_the_owner_can_have_the_models_own_maximum_reserved(self):
        upstreams = {"openai-chat": StrictUpstream("openai-chat")}
        tandem = self.start(upstreams, budget="limit: 0.30, window: day", policy="policy: { unbounded: reserve }\n", model=", max_output: 20000")
        path, body = question("openai-chat", "m-openai-chat")
        status, headers, _ = tandem.request(path, body, KEY)
        self.assertEqual(status, 200)
        self.assertIsNone(upstreams["openai-chat"].seen[-1][1]["max"])
        self.assertEqual(headers.get("x-tandem-warnings"), None)
        status, _, answer = tandem.request(path, {**body, "n": 2}, KEY)  # twice 20,000 tokens at 10 a million are 0.40
        self.assertEqual(status, 429, answer)
        message = json.loads(answer)["error"]["message"]
        for part in ("USD", "UTC", "keys.alice.budgets", "0.4000"):
            self.assertIn(part, message)

    def test_sixty_four_at_once_do_not_spend_more_than_there_is(self):
        upstream = Endless("openai-chat")
        tandem = self.start({"openai-chat": upstream})
        path, body = question("openai-chat", "m-openai-chat")
        codes = []
        threads = [threading.Thread(target=lambda: codes.append(tandem.request(path, body, KEY, timeout=120)[0])) for _ in range(64)]
        [t.start() for t in threads]
        [t.join() for t in threads]
        self.assertEqual(set(codes), {200, 429})
        spent = sum(upstream.said) * 10
        self.assertLessEqual(spent, 300_000 + 10 * IN_FLIGHT * len(upstream.said))
        self.assertLessEqual(self.cost(tandem), 300_000 + 20 * len(upstream.said))
        self.assertGreater(self.cost(tandem), 200_000)

    def test_all_texts_of_an_embedding_and_a_reranking_are_reserved(self):
        asked = []
        def embed(connection, body, number):
            asked.append(body)
            document = json.loads(body)
            if "documents" in document:
                connection.sendall(http({"results": [{"index": 0, "relevance_score": 1}], "usage": {"total_tokens": 4000}}))
                return
            data = [{"object": "embedding", "index": i, "embedding": [0.1, 0.2]} for i in range(len(document["input"]))]
            connection.sendall(http({"object": "list", "data": data, "model": "e", "usage": {"prompt_tokens": 1000 * len(data), "total_tokens": 1000 * len(data)}}))
        upstream = Upstream(embed)
        self.addCleanup(upstream.close)
        tandem = Tandem(f"providers:\n  far: {upstream.provider('cloud')}\nmodels:\n  e: {{ provider: far, capabilities: [embeddings, rerank], price: {{ input: 10 }} }}\n"
                        "keys:\n  alice: { secret: alice-0123456789abc, budgets: [{ limit: 0.01, window: day }] }\n")
        self.addCleanup(tandem.stop)
        texts = ["word " * 80] * 400
        self.assertEqual(tandem.request("/v1/embeddings", {"model": "e", "input": texts}, KEY)[0], 429)
        self.assertEqual(tandem.request("/v1/rerank", {"model": "e", "query": "word", "documents": texts}, KEY)[0], 429)
        self.assertEqual(asked, [])
        self.assertEqual(tandem.request("/v1/embeddings", {"model": "e", "input": ["hello"]}, KEY)[0], 200)

    def test_a_model_without_a_price_is_refused_where_there_is_a_budget(self):
        upstream = StrictUpstream("openai-chat")
        tandem = self.start({"openai-chat": upstream}, price="")
        path, body = question("openai-chat", "m-openai-chat", stream=False)
        status, _, answer = tandem.request(path, body, KEY)
        self.assertEqual(status, 429, answer)
        self.assertIn("models.m-openai-chat.price", answer.decode())
        self.assertEqual(upstream.requests, [])
        self.assertEqual(tandem.request(path, body, {"authorization": "Bearer free-0123456789abcd"})[0], 200)

    def test_what_a_provider_did_is_paid_however_it_ends(self):
        usage = {"prompt_tokens": 500, "completion_tokens": 700, "total_tokens": 1200}
        a_hundred = 900  # of a hundred words at 10 each, as they are estimated (docs/cost.md: half of all texts within a tenth)
        for name, answer, least in (
                ("no choices", http({"id": "x", "choices": [], "usage": usage}), 7500),
                ("an error inside", http({"error": {"message": "sorry"}, "usage": usage}), 7500),
                ("no JSON", http(b'{"choices": [oops], "usage": ' + json.dumps(usage).encode() + b"}"), 7500),
                ("cut JSON", http(b'{"usage": ' + json.dumps(usage).encode() + b', "choices": [{"mess'), 7500),
                ("a refusal with a usage", http({"error": {"message": "overloaded"}, "usage": usage}, "500 Internal Server Error"), 7500),
                ("a connection that goes", b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n{", 1000),
                ("no header at all", None, 1000),
                ("a usage of nothing for text", http({"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [
                    {"index": 0, "message": {"role": "assistant", "content": "word " * 100}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 0, "completion_tokens": 0}}), a_hundred),
                ("a usage that makes no sense", http({"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [
                    {"index": 0, "message": {"role": "assistant", "content": "word " * 100}, "finish_reason": "stop"}],
                    "usage": {"prompt_tokens": -5, "completion_tokens": "many"}}), a_hundred),
        ):
            with self.subTest(name):
                upstream = Upstream(lambda c, b, n, answer=answer: (c.sendall(answer) if answer else None) or "close")
                tandem = Tandem(f"providers:\n  far: {upstream.provider('cloud')}\nmodels:\n  big: {{ provider: far, price: {PRICE} }}\npolicy: {{ attempts: 1 }}\n")
                try:
                    tandem.chat(model="big", max_tokens=100)
                    self.assertGreaterEqual(self.cost(tandem), least)
                finally:
                    tandem.stop()
                    upstream.close()

    def test_a_stream_that_breaks_off_costs_what_was_seen(self):
        early = chunk("word ", usage=None) + b""
        def script(connection, body, number):
            connection.sendall(SSE_HEAD)
            first = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "scripted",
                     "choices": [{"index": 0, "delta": {"role": "assistant"}, "finish_reason": None}], "usage": {"prompt_tokens": 9, "completion_tokens": 1}}
            connection.sendall(b"data: " + json.dumps(first).encode() + b"\n\n" + early * 500)
            return "close"
        upstream = Upstream(script)
        self.addCleanup(upstream.close)
        tandem = Tandem(f"providers:\n  far: {upstream.provider('cloud')}\nmodels:\n  big: {{ provider: far, price: {PRICE} }}\npolicy: {{ attempts: 1 }}\n")
        self.addCleanup(tandem.stop)
        with contextlib.suppress(ValueError, HTTPException):  # how Python sees a stream that is cut
            tandem.chat(model="big", stream=True)
        attempt = until(lambda: (all := tandem.explain()["attempts"]) and all[0], "the attempt's record")
        self.assertEqual((attempt["outcome"], attempt["usage"]["estimated"]), ("cut", True))
        self.assertGreaterEqual(attempt["usage"]["output"], 500)

    def test_a_client_that_leaves_before_a_whole_answer_pays_for_it(self):
        came = threading.Event()
        def script(connection, body, number):
            came.set()
            time.sleep(1)
            return "close"
        upstream = Upstream(script)
        self.addCleanup(upstream.close)
        tandem = Tandem(f"providers:\n  far: {upstream.provider('cloud')}\nmodels:\n  big: {{ provider: far, price: {PRICE} }}\n")
        self.addCleanup(tandem.stop)
        body = json.dumps({"model": "big", "max_tokens": 300, "messages": [{"role": "user", "content": "hello"}]}).encode()
        client = socket.create_connection(("127.0.0.1", tandem.port))
        client.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        self.assertTrue(came.wait(10))
        client.close()
        until(lambda: self.cost(tandem) >= 3000, "the attempt to be settled")
        self.assertTrue(tandem.explain()["attempts"][0]["usage"]["estimated"])

    def test_hedges_and_retries_each_reserve_for_themselves(self):
        quick, slow = Endless("openai-chat"), Endless("openai-chat")
        tandem = self.start({"a": slow, "b": quick}, more="aliases: { both: [m-a, m-b] }\n", policy="policy: { failure: { hedge: { after: 1ms } } }\n")
        path, body = question("openai-chat", "both")
        codes = []
        threads = [threading.Thread(target=lambda: codes.append(tandem.request(path, body, KEY, timeout=120)[0])) for _ in range(24)]
        [t.start() for t in threads]
        [t.join() for t in threads]
        attempts = len(quick.said) + len(slow.said)
        self.assertLessEqual(10 * (sum(quick.said) + sum(slow.said)), 300_000 + 10 * IN_FLIGHT * attempts)
        self.assertLessEqual(self.cost(tandem), 300_000 + 20 * attempts)

    def test_what_goes_into_a_providers_cache_has_its_own_price(self):
        upstream = StrictUpstream("anthropic")
        answer = {"id": "msg_1", "type": "message", "role": "assistant", "model": "scripted", "content": [{"type": "text", "text": "Hello"}], "stop_reason": "end_turn",
                  "stop_sequence": None, "usage": {"input_tokens": 10, "cache_creation_input_tokens": 1000, "cache_read_input_tokens": 0, "output_tokens": 5}}
        upstream.script = lambda c, b, n: c.sendall(http(answer))
        tandem = self.start({"anthropic": upstream}, price="{ input: 4, output: 10, cache_write: 5 }", budget="limit: 5, window: day")
        path, body = question("anthropic", "m-anthropic", stream=False)
        self.assertEqual(tandem.request(path, body, KEY)[0], 200)
        attempt = tandem.explain()["attempts"][0]
        self.assertEqual((attempt["usage"]["cache_write"], attempt["cost_micros"]), (1000, 40 + 5000 + 50))
        row = json.loads(tandem.cli("cost", "--json").stdout)["rows"][0]
        self.assertEqual(row["cache_write"], 1000)


if __name__ == "__main__":
    unittest.main()
