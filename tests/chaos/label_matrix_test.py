"""Law 1 as a table: every route that takes content, times every source of a label, times every way in which content waits before it
is sent. The cloud records each byte; each content has a mark of its own, and no private mark may reach the cloud. Hedges, a cascade,
fallbacks and a shadow are on, as an owner might have them."""
import itertools
import json
import re
import unittest

from harness import Tandem, Upstream, http, until

PRIVATE_ALIAS = "private"
KEYS = {"open": "open-key-0123456789", "quiet": "quiet-key-0123456789"}
# A label is said by: a header, the key, the alias, what a detector finds, or what the conversation was before.
SOURCES = ("header", "key", "alias", "content", "conversation", "nothing")


def config(cloud, home):
    return f"""
providers:
  far:  {cloud.provider("cloud")}
  near: {home.provider("local")}
models:
  m: {{ provider: far, context: 32768, price: {{ input: 1, output: 1 }} }}
  n: {{ provider: far, name: other, context: 32768, price: {{ input: 1, output: 1 }} }}
  h: {{ provider: near, context: 32768 }}
  e: {{ provider: far, capabilities: [embeddings], price: {{ input: 1, output: 0 }} }}
  r: {{ provider: far, capabilities: [rerank], price: {{ input: 1, output: 0 }} }}
aliases: {{ both: [m, n], mixed: [h, m] }}
experiments:
  duel: {{ control: m, treatment: n, aliases: [both], kind: shadow, budget: 100 }}
policy:
  rules:
    - {{ name: all, prefer: local, cascade: true }}
  failure: {{ hedge: {{ after: 1ms }}, on_cut: continue }}
keys:
  open:  {{ secret: {KEYS["open"]}, budgets: [{{ limit: 1000, window: day }}] }}
  quiet: {{ secret: {KEYS["quiet"]}, label: private }}
"""


def chat(model, text):
    return {"model": model, "messages": [{"role": "user", "content": text}]}


def answer(connection, body, number):
    asked = json.loads(body)
    if "messages" in asked:
        return Upstream.answer_well(connection, body, number)
    if "query" in asked:
        return connection.sendall(http({"results": [{"index": i, "relevance_score": 0.5} for i, _ in enumerate(asked["documents"])]}))
    texts = asked["input"] if isinstance(asked["input"], list) else [asked["input"]]
    connection.sendall(http({"object": "list", "data": [{"object": "embedding", "index": i, "embedding": [1, 2]} for i, _ in enumerate(texts)],
                             "usage": {"prompt_tokens": 1, "total_tokens": 1}}))


def gemini(text):
    return {"contents": [{"parts": [{"text": text}]}]}


# name: (path, body) for a model and a text
WAYS = {
    "chat": lambda m, t: ("/v1/chat/completions", chat(m, t)),
    "chat, streamed": lambda m, t: ("/v1/chat/completions", {**chat(m, t), "stream": True}),
    "completions": lambda m, t: ("/v1/completions", {"model": m, "prompt": t}),
    "responses": lambda m, t: ("/v1/responses", {"model": m, "input": t}),
    "responses, streamed": lambda m, t: ("/v1/responses", {"model": m, "input": t, "stream": True}),
    "responses, background": lambda m, t: ("/v1/responses", {"model": m, "input": t, "background": True}),
    "responses, background, with instructions": lambda m, t: ("/v1/responses", {"model": m, "input": t, "background": True, "instructions": "Be brief."}),
    "responses, counted": lambda m, t: ("/v1/responses/input_tokens", {"model": m, "input": t}),
    "messages": lambda m, t: ("/v1/messages", {**chat(m, t), "max_tokens": 99}),
    "messages, streamed": lambda m, t: ("/v1/messages", {**chat(m, t), "max_tokens": 99, "stream": True}),
    "messages, counted": lambda m, t: ("/v1/messages/count_tokens", chat(m, t)),
    "ollama chat": lambda m, t: ("/api/chat", {**chat(m, t), "stream": False}),
    "ollama chat, streamed": lambda m, t: ("/api/chat", chat(m, t)),
    "ollama generate": lambda m, t: ("/api/generate", {"model": m, "prompt": t, "stream": False}),
    "gemini": lambda m, t: (f"/v1beta/models/{m}:generateContent", gemini(t)),
    "gemini, streamed": lambda m, t: (f"/v1beta/models/{m}:streamGenerateContent?alt=sse", gemini(t)),
    "gemini, counted": lambda m, t: (f"/v1beta/models/{m}:countTokens", gemini(t)),
    "embeddings": lambda m, t: ("/v1/embeddings", {"model": "e", "input": ["x", t]}),
    "ollama embed": lambda m, t: ("/api/embed", {"model": "e", "input": t}),
    "ollama embeddings": lambda m, t: ("/api/embeddings", {"model": "e", "prompt": t}),
    "gemini embed": lambda m, t: ("/v1beta/models/e:embedContent", {"content": {"parts": [{"text": t}]}}),
    "gemini embed batch": lambda m, t: ("/v1beta/models/e:batchEmbedContents", {"requests": [{"content": {"parts": [{"text": t}]}}]}),
    "rerank": lambda m, t: ("/v1/rerank", {"model": "r", "query": "x", "documents": [t, "y"]}),
}
BATCHED = {"/v1/chat/completions": lambda m, t: chat(m, t), "/v1/completions": lambda m, t: {"model": m, "prompt": t}, "/v1/embeddings": lambda m, t: {"model": "e", "input": t},
           "/v1/responses": lambda m, t: {"model": m, "input": t}, "/v1/messages": lambda m, t: {**chat(m, t), "max_tokens": 99}}


class LabelMatrix(unittest.TestCase):
    def setUp(self):
        self.cloud, self.home = Upstream(answer), Upstream(answer)
        self.tandem = Tandem(config(self.cloud, self.home))
        for one in (self.cloud.close, self.home.close, self.tandem.stop):
            self.addCleanup(one)
        self.numbers = itertools.count(1)
        self.private, self.public, self.what = [], [], {}
        self.after = []  # what is still to be asked for

    def said(self, source, what):
        """(headers, model, text) of new content whose label comes from a source."""
        mark = f"mark{next(self.numbers):05}end"
        text = f"please look at {mark} for me, it is about the harbour"
        headers = {"authorization": "Bearer " + KEYS["quiet" if source == "key" else "open"]}
        model = PRIVATE_ALIAS if source == "alias" else next(self.models)
        if source == "header":
            headers["x-tandem-label"] = "private"
        if source == "content":
            text += " DE89 3704 0044 0532 0130 00"
        if source == "conversation":
            name = f"talk-{mark}"
            headers["x-tandem-conversation"] = name
            self.tandem.request("/v1/chat/completions", chat("h", "this is between us two, and about nothing else"), {**headers, "x-tandem-label": "private"})
        (self.public if source == "nothing" else self.private).append(mark)
        self.what[mark] = (source, what)
        return headers, model, text

    def ask(self, way, source):
        if source == "alias" and ("embed" in way or way == "rerank"):
            return  # the alias private means models that answer
        headers, model, text = self.said(source, way)
        path, body = WAYS[way](model, text)
        status, answer, raw = self.tandem.request(path, body, headers)
        self.assertIn(status, (200, 400, 404, 422, 502, 503, 529), (way, source, raw))
        if way.startswith("responses, background") and status == 200:
            self.after.append((f"/v1/responses/{json.loads(raw)['id']}", headers))
        if way == "responses" and status == 200 and source not in ("key", "nothing"):
            # What goes on from it has its label, though nothing says so any more.
            plain = {"authorization": headers["authorization"]}
            self.tandem.request("/v1/responses", {"model": "both", "input": "and now?", "previous_response_id": json.loads(raw)["id"]}, plain)

    def batch(self, path, source):
        headers, model, text = self.said(source, f"batch of {path}")
        line = json.dumps({"custom_id": "a", "method": "POST", "url": path, "body": BATCHED[path](model, text)})
        form = ("--b\r\ncontent-disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"in.jsonl\"\r\n\r\n"
                + line + "\r\n--b--\r\n").encode()
        plain = {"authorization": headers["authorization"]}
        # The label is said of the file or of the batch, in turn.
        of_file = self.turn = not getattr(self, "turn", False)
        if "x-tandem-conversation" in headers or (source == "alias" and "embed" in path):  # a batch has none: its lines are known by their own words
            self.private.pop()
            return
        status, _, raw = self.tandem.request("/v1/files", form, {**(headers if of_file else plain), "content-type": "multipart/form-data; boundary=b"})
        self.assertEqual(status, 200, raw)
        status, _, raw = self.tandem.request("/v1/batches", {"input_file_id": json.loads(raw)["id"], "endpoint": path, "completion_window": "24h"}, plain if of_file else headers)
        self.assertEqual(status, 200, raw)
        self.after.append((f"/v1/batches/{json.loads(raw)['id']}", headers))

    def conversation(self, place, source):
        headers, model, text = self.said(source, f"conversation, {place}")
        plain = {"authorization": headers["authorization"]}
        items = {"items": [{"type": "message", "role": "user", "content": text}]}
        if source in ("alias", "conversation"):
            self.private.pop()
            return
        if place == "created":
            raw = self.tandem.request("/v1/conversations", items, headers)[2]
        else:
            raw = self.tandem.request("/v1/conversations", {}, plain)[2]
            self.tandem.request(f"/v1/conversations/{json.loads(raw)['id']}/items", items, headers)
        for stream in (False, True):
            self.tandem.request("/v1/responses", {"model": model, "input": "what is it about?", "conversation": json.loads(raw)["id"], "stream": stream}, plain)

    def finish(self):
        for path, headers in self.after:
            plain = {"authorization": headers["authorization"]}
            until(lambda: json.loads(self.tandem.request(path, headers=plain)[2])["status"] in ("completed", "failed", "cancelled"), path, 60)
            if path.startswith("/v1/responses/"):
                # Whether it was answered or failed: what goes on from it is as private, though nothing says so any more.
                self.tandem.request("/v1/responses", {"model": "m", "input": "go on", "instructions": "Be brief.", "previous_response_id": path.rsplit("/", 1)[1]}, plain)
        self.after.clear()

    def run_all(self, batches=True):
        for source in SOURCES:
            for way in WAYS:
                self.ask(way, source)
            for path in BATCHED if batches else ():
                self.batch(path, source)
            for place in ("created", "added"):
                self.conversation(place, source)
        self.finish()

    def test_no_private_mark_reaches_the_cloud_and_public_ones_do(self):
        self.models = itertools.cycle(["m", "both", "mixed", "auto", "cloud"])
        self.run_all()
        # The same again after a crash, and while home is gone, so that everything wants to fall back.
        self.tandem.kill()
        self.tandem.start()
        self.home.close()
        self.models = itertools.cycle(["both", "mixed", "auto"])
        self.run_all(batches=False)  # whose lines would be asked again for a minute
        seen = set(re.findall(rb"mark\d{5}end", self.cloud.raw))
        self.assertEqual([self.what[mark] for mark in self.private if mark.encode() in seen], [])
        self.assertGreater(len(self.private), 200)
        self.assertGreater(len(seen), len(self.public) / 2)  # the way was open
        proved = self.tandem.cli("audit", "prove")
        self.assertEqual(proved.returncode, 0, proved.stdout + proved.stderr)


if __name__ == "__main__":
    unittest.main()
