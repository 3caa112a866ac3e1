"""Law 1 and 2 on every path into a model: what is private never reaches a cloud that may not see it, in whichever dialect it came
and whatever it is asked for; what leaves is on record before."""
import io
import json
import unittest
import warnings

import openai

from harness import Tandem, Upstream, until

IBAN = "DE89 3704 0044 0532 0130 00"


def paths(secret):
    """(path, body) of every way to ask, with the secret in a different place each."""
    tool = {"name": "f", "description": f"uses {secret}", "parameters": {"type": "object", "properties": {}}}
    return [
        ("/v1/chat/completions", {"model": "m", "messages": [{"role": "user", "content": secret}]}),
        ("/v1/chat/completions", {"model": "m", "stream": True, "messages": [{"role": "user", "content": "x"}], "tools": [{"type": "function", "function": tool}]}),
        ("/v1/chat/completions", {"model": "m", "messages": [{"role": "user", "content": "x"}, {"role": "assistant", "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "f", "arguments": json.dumps({"iban": secret})}}]}, {"role": "tool", "tool_call_id": "a", "content": "ok"}]}),
        ("/v1/completions", {"model": "m", "prompt": secret}),
        ("/v1/responses", {"model": "m", "input": secret}),
        ("/v1/responses", {"model": "m", "input": [{"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"}, {"type": "function_call_output", "call_id": "a", "output": secret}], "stream": True}),
        ("/v1/responses", {"model": "m", "input": "x", "metadata": {"note": secret}}),
        ("/v1/messages", {"model": "m", "max_tokens": 9, "system": secret, "messages": [{"role": "user", "content": "x"}]}),
        ("/v1/messages", {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": [{"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": secret}}]}]}),
        ("/v1beta/models/m:generateContent", {"contents": [{"parts": [{"text": secret}]}]}),
        ("/v1beta/models/m:streamGenerateContent?alt=sse", {"contents": [{"parts": [{"text": "x"}]}], "systemInstruction": {"parts": [{"text": secret}]}}),
        ("/api/chat", {"model": "m", "messages": [{"role": "user", "content": secret}]}),
        ("/api/generate", {"model": "m", "prompt": secret}),
        ("/v1/embeddings", {"model": "e", "input": ["x", secret]}),
        ("/api/embed", {"model": "e", "input": secret}),
        ("/api/embeddings", {"model": "e", "prompt": secret}),
        ("/v1beta/models/e:batchEmbedContents", {"requests": [{"content": {"parts": [{"text": secret}]}}]}),
        ("/v1/rerank", {"model": "r", "query": "x", "documents": [secret, "y"]}),
    ]


class PrivatePaths(unittest.TestCase):
    def setUp(self):
        warnings.simplefilter("ignore", ResourceWarning)
        self.cloud = Upstream()
        self.tandem = Tandem(f"providers:\n  far: {self.cloud.provider('cloud')}\nmodels:\n  m: {{ provider: far, context: 32768 }}\n"
                             "  e: { provider: far, capabilities: [embeddings] }\n  r: { provider: far, capabilities: [rerank] }\npolicy: { preset: cloud-first }\n")
        self.addCleanup(self.cloud.close)
        self.addCleanup(self.tandem.stop)

    def test_private_content_is_refused_on_every_path_and_nothing_leaves(self):
        for path, body in paths(IBAN):
            with self.subTest(path=path):
                status, headers, raw = self.tandem.request(path, body)
                self.assertIn(status, (400, 422), raw)
                self.assertIn(b"private", raw)
                self.assertEqual(headers["x-tandem-label"], "private")
                self.assertNotIn(IBAN.encode(), raw)
        # Counting stays home, too.
        for path, body in (("/v1/messages/count_tokens", {"model": "m", "messages": [{"role": "user", "content": IBAN}]}), ("/v1/responses/input_tokens", {"model": "m", "input": IBAN}),
                           ("/v1beta/models/m:countTokens", {"contents": [{"parts": [{"text": IBAN}]}]})):
            status, headers, raw = self.tandem.request(path, body)
            self.assertEqual((status, headers["x-tandem-count"]), (200, "estimate"), raw)
        client = openai.OpenAI(base_url=self.tandem.url + "/v1", api_key="x", max_retries=0)
        response = client.responses.create(model="m", input=IBAN, background=True)
        done = until(lambda: (r := client.responses.retrieve(response.id)).status not in ("queued", "in_progress") and r, "the background response")
        self.assertEqual(done.status, "failed")
        self.assertIn("private", done.error.message)
        conversation = client.conversations.create(items=[{"type": "message", "role": "user", "content": IBAN}])
        with self.assertRaises(openai.APIStatusError):
            client.responses.create(model="m", input="x", conversation=conversation.id)
        line = {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "m", "messages": [{"role": "user", "content": IBAN}]}}
        file = client.files.create(file=("in.jsonl", io.BytesIO(json.dumps(line).encode())), purpose="batch")
        batch = client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")
        batch = until(lambda: (b := client.batches.retrieve(batch.id)).status == "completed" and b, "the batch")
        self.assertIn("private", client.files.content(batch.error_file_id).text)
        self.assertEqual((self.cloud.connections, self.tandem.egress()), (0, []))

    def test_a_conversation_keeps_its_label_when_its_client_changes_the_dialect(self):
        self.tandem.request("/v1/chat/completions", {"model": "m", "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": f"Remember {IBAN}"}]})
        self.tandem.request("/v1/chat/completions", {"model": "m", "messages": [{"role": "user", "content": "a secret plan"}]}, {"x-tandem-label": "private"})
        for path, body in (("/v1/messages", {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "a secret plan"}, {"role": "assistant", "content": "ok"}, {"role": "user", "content": "go on"}]}),
                           ("/v1/responses", {"model": "m", "input": [{"role": "user", "content": "a secret plan"}, {"role": "assistant", "content": "ok"}, {"role": "user", "content": "go on"}]}),
                           ("/api/chat", {"model": "m", "messages": [{"role": "user", "content": "a secret plan"}, {"role": "assistant", "content": "ok"}, {"role": "user", "content": "go on"}]}),
                           ("/v1beta/models/m:generateContent", {"contents": [{"parts": [{"text": "a secret plan"}]}, {"role": "model", "parts": [{"text": "ok"}]}, {"parts": [{"text": "go on"}]}]})):
            with self.subTest(path=path):
                _, headers, _ = self.tandem.request(path, body)
                self.assertEqual(headers["x-tandem-label"], "private")
        self.assertEqual(self.cloud.connections, 0)

    def test_what_leaves_is_on_record_on_every_path(self):
        chats = [(p, b) for p, b in paths("public words") if "embed" not in p.lower() and "rerank" not in p]
        for path, body in chats:
            self.assertEqual(self.tandem.request(path, body)[0], 200, path)
        records = self.tandem.egress()
        self.assertEqual(len(records), len(chats))
        self.assertEqual([r["bytes"] for r in records], [len(body) for _, body in self.cloud.requests])
        self.assertEqual(self.tandem.cli("audit", "verify").returncode, 0)


if __name__ == "__main__":
    unittest.main()
