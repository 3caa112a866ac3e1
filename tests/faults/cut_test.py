"""A stream that breaks off when the client has seen some of it, and another model that goes on or begins again: the client
sees exactly one well-formed stream, in each dialect."""
import json
import unittest
import urllib.request
from http.client import IncompleteRead

from harness import ANSWER, SSE_HEAD, Tandem, Upstream, chunk
from faults_test import raw, raw_then_reset

GIVEN = "The quick brown fox jumps "
CUT = raw_then_reset(SSE_HEAD + chunk("", role="assistant") + chunk("The quick ") + chunk("brown fox jumps "))
USAGE = {"prompt_tokens": 20, "completion_tokens": 4, "total_tokens": 24}


def goes_on(*texts):
    return raw(SSE_HEAD + chunk("", role="assistant") + b"".join(chunk(t) for t in texts) + chunk(finish="stop") + chunk(usage=USAGE) + b"data: [DONE]\n\n")


def call(arguments):
    return chunk(tool_calls=[{"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": arguments}}])


class Cut(unittest.TestCase):
    def start(self, first, second, on_cut="continue", zone="local", more="", prefill="true", extra=""):
        self.first, self.second = Upstream(first), Upstream(second)
        for upstream in (self.first, self.second):
            self.addCleanup(upstream.close)
        self.tandem = Tandem(f"providers:\n  p: {self.first.provider()}\n  q: {self.second.provider(zone)}\n"
                             f"models:\n  a: {{ provider: p, price: {{ input: 1, output: 1 }} }}\n  b: {{ provider: q, prefill: {prefill}, price: {{ input: 1, output: 1 }} }}\n"
                             f"aliases: {{ both: {{ models: [a, b], failure: {{ on_cut: {on_cut}, attempts: 1 }} }} }}\n{extra}")
        self.addCleanup(self.tandem.stop)

    def stream(self, path="/v1/chat/completions", body=None, headers=None, **fields):
        body = body or {"model": "both", "stream": True, "messages": [{"role": "user", "content": "a fox"}], **fields}
        request = urllib.request.Request(self.tandem.url + path, json.dumps(body).encode(), {"content-type": "application/json", **(headers or {})})
        with urllib.request.urlopen(request, timeout=30) as answer:
            self.headers = answer.headers
            try:
                return answer.read().decode()
            except IncompleteRead as cut:  # what breaks off has no end in HTTP either
                return cut.partial.decode()

    def text_of(self, answer):
        lines = [l for l in answer.split("\n\n") if l and not l.startswith(":")]
        self.assertEqual(lines[-1], "data: [DONE]", answer)
        chunks = [json.loads(l[6:]) for l in lines[:-1]]
        self.assertEqual(len({c["id"] for c in chunks}), 1, "one answer has one id")
        finishes = [c["choices"][0]["finish_reason"] for c in chunks if c["choices"] and c["choices"][0]["finish_reason"]]
        self.assertEqual(finishes, ["stop"])
        return "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks if c["choices"])

    def test_another_model_goes_on_with_what_was_said(self):
        for comes in (["over ", "the dog."], [" over the dog."], ["The quick brown fox jumps over the dog."], ["brown fox jum", "ps over the dog."]):
            self.start(CUT, goes_on(*comes))
            answer = self.stream()
            self.assertEqual(self.text_of(answer), "The quick brown fox jumps over the dog.")
            self.assertIn(": tandem: a broke off; b goes on with its 26 bytes\n\n", answer)
            asked = json.loads(self.second.requests[0][1])
            self.assertEqual(asked["messages"][-1], {"role": "assistant", "content": GIVEN.rstrip()})
            self.assertEqual(self.headers["x-tandem-model"], "a")
            shown = self.tandem.explain()
            self.assertEqual([(a["model"], a["outcome"]) for a in shown["attempts"]], [("a", "cut"), ("b", "answered")])
            self.assertIn("b goes on with its 26 bytes", shown["attempts"][1]["warnings"])

    def test_the_client_is_told_the_usage_of_both(self):
        self.start(CUT, goes_on("over."))
        answer = self.stream(stream_options={"include_usage": True})
        usage = [json.loads(l[6:]) for l in answer.split("\n\n") if '"usage"' in l][-1]["usage"]
        self.assertGreater(usage["prompt_tokens"], USAGE["prompt_tokens"])
        self.assertGreater(usage["completion_tokens"], USAGE["completion_tokens"])

    def test_in_the_other_dialects(self):
        said = "The quick brown fox jumps over the dog."
        self.start(CUT, goes_on("over the dog."))
        answer = self.stream("/v1/messages", {"model": "both", "stream": True, "max_tokens": 99, "messages": [{"role": "user", "content": "a fox"}]})
        events = [json.loads(l.split("data: ", 1)[1]) for l in answer.split("\n\n") if "data: " in l]
        kinds = [e["type"] for e in events if e["type"] not in ("content_block_delta", "ping")]
        self.assertEqual(kinds, ["message_start", "content_block_start", "content_block_stop", "message_delta", "message_stop"])
        self.assertEqual("".join(e["delta"]["text"] for e in events if e["type"] == "content_block_delta"), said)
        answer = self.stream("/api/chat", {"model": "both", "messages": [{"role": "user", "content": "a fox"}]})
        lines = [json.loads(l) for l in answer.splitlines()]
        self.assertEqual("".join(l["message"]["content"] for l in lines), said)
        self.assertEqual([l["done"] for l in lines].count(True), 1)
        answer = self.stream("/v1beta/models/both:streamGenerateContent?alt=sse", {"contents": [{"role": "user", "parts": [{"text": "a fox"}]}]})
        self.assertEqual("".join(json.loads(l[6:])["candidates"][0]["content"]["parts"][0].get("text", "") for l in answer.replace("\r", "").split("\n\n") if l.startswith("data: ")
                                 if json.loads(l[6:])["candidates"][0].get("content", {}).get("parts")), said)

    def test_begun_again(self):
        self.start(CUT, goes_on("The quick ", "brown fox jumps over the dog."), "restart", prefill="false")
        answer = self.stream()
        self.assertEqual(self.text_of(answer), "The quick brown fox jumps over the dog.")
        self.assertEqual(json.loads(self.second.requests[0][1])["messages"], [{"role": "user", "content": "a fox"}])
        self.start(CUT, goes_on("A lazy dog."), "restart", prefill="false")
        self.assertEqual(self.text_of(self.stream()), GIVEN + "\n\n[The answer broke off here, and begins again.]\n\nA lazy dog.")

    def broken(self, answer):
        self.assertEqual(answer.count('"error"'), 1, answer)
        self.assertNotIn("[DONE]", answer)
        self.assertEqual(len(self.second.requests), 0)

    TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]

    def test_half_a_tool_call_is_seen_by_nobody_and_another_model_goes_on(self):
        for on_cut, seam in (("continue", "over."), ("restart", "\n\n[The answer broke off here, and begins again.]\n\nover.")):
            self.start(raw_then_reset(SSE_HEAD + chunk("Let me see. ") + call('{"city":"Be')), goes_on("over."), on_cut)
            answer = self.stream(tools=self.TOOLS)
            self.assertEqual(self.text_of(answer), "Let me see. " + seam)
            self.assertNotIn("tool_calls", answer)
            asked = json.loads(self.second.requests[0][1])
            self.assertNotIn("Be", json.dumps(asked["messages"]))
            self.assertEqual(asked["messages"][1:], [{"role": "assistant", "content": "Let me see."}] if on_cut == "continue" else [])

    def test_the_default_is_an_error(self):
        self.start(CUT, goes_on("over."), "error")
        self.broken(self.stream())

    def test_a_model_that_does_not_go_on_is_not_asked_to(self):
        self.start(CUT, goes_on("over."), prefill="false")
        self.broken(self.stream())

    def test_an_error_where_nobody_goes_on(self):
        self.start(CUT, raw(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"))
        answer = self.stream()
        self.assertEqual(answer.count('"error"'), 1, answer)
        self.assertIn(GIVEN.split()[0], answer)
        self.assertEqual([a["outcome"] for a in self.tandem.explain()["attempts"]], ["cut", "failed"])

    def test_what_a_model_said_of_the_whole_does_not_leave_home(self):
        self.start(CUT, goes_on("over."), zone="cloud")
        self.broken(self.stream(headers={"x-tandem-label": "private"}))
        # Public question; but what the local model said has something private in it.
        self.start(raw_then_reset(SSE_HEAD + chunk("Write to IBAN DE89370400440532013000 ") + chunk("and ")), goes_on("over."), zone="cloud")
        self.broken(self.stream())
        self.assertEqual(self.second.raw, b"")
        self.start(CUT, goes_on("over the dog."), zone="cloud")
        self.assertEqual(self.text_of(self.stream()), "The quick brown fox jumps over the dog.")
        self.assertEqual(len(self.tandem.egress()), 1)

    def test_what_goes_on_in_the_cloud_is_redacted_too(self):
        self.start(CUT, goes_on("over the dog."), zone="cloud", extra="privacy: { actions: { cloud: { internal: redact, private: redact } } }\n")
        asked = [{"role": "user", "content": "a fox of jane.roe@example.com"}]
        self.assertEqual(self.text_of(self.stream(messages=asked)), "The quick brown fox jumps over the dog.")
        self.assertEqual(len(self.second.requests), 1)
        self.assertNotIn(b"jane.roe", self.second.raw)
        # What the first one said of the whole is as private as the whole, and nobody can take that out.
        self.start(CUT, goes_on("over the dog."), zone="cloud", extra="privacy: { detect: { email: private }, actions: { cloud: { private: redact } } }\n")
        self.broken(self.stream(messages=asked))
        self.assertEqual(self.second.raw, b"")

    def test_three_in_a_row(self):
        self.start(CUT, raw_then_reset(SSE_HEAD + chunk("over ")))
        third = Upstream(goes_on("the dog."))
        self.addCleanup(third.close)
        text = self.tandem.file.read_text().replace("models:\n", f"  r: {third.provider()}\nmodels:\n  c: {{ provider: r, prefill: true }}\n", 1).replace("[a, b]", "[a, b, c]")
        self.tandem.file.write_text(text)
        self.tandem.process.terminate()
        self.tandem.process.wait()
        self.tandem.start()
        self.assertEqual(self.text_of(self.stream()), "The quick brown fox jumps over the dog.")
        self.assertEqual(json.loads(third.requests[0][1])["messages"][-1]["content"], "The quick brown fox jumps over")


if __name__ == "__main__":
    unittest.main()
