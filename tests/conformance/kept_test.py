"""What is kept between requests, with the official OpenAI SDK and a real llama-server: stored responses, conversations,
background, files, batches, embeddings, counting; and what survives kill -9."""
import io
import json
import time
import unittest
import warnings

import openai

from harness import MODEL, Tandem, Upstream, http, until
from strict import StrictUpstream

KEYS = "keys:\n  alice: { secret: alice-key-0123456789 }\n  bob: { secret: bob-key-0123456789012 }\n"
CONFIG = f"""
providers:
  home: {{ kind: engine }}
  far: UPSTREAM
models:
  small: {{ provider: home, file: {MODEL}, context: 8192, slots: 2 }}
  embed: {{ provider: home, file: {MODEL}, context: 2048, capabilities: [embeddings], args: [--embeddings, --pooling, mean] }}
  big: {{ provider: far, name: scripted, context: 32768 }}
policy: {{ preset: local-first }}
{KEYS}"""


class Kept(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        warnings.simplefilter("ignore", ResourceWarning)
        cls.far = StrictUpstream("openai-responses")
        cls.tandem = Tandem(CONFIG.replace("UPSTREAM", cls.far.provider()))
        cls.alice = cls.client("alice-key-0123456789")
        cls.bob = cls.client("bob-key-0123456789012")

    @classmethod
    def client(cls, key):
        return openai.OpenAI(base_url=cls.tandem.url + "/v1", api_key=key, max_retries=0, timeout=120)

    @classmethod
    def tearDownClass(cls):
        cls.tandem.stop()
        cls.far.close()

    def create(self, input="Say hi.", client=None, model="small", **fields):
        return (client or self.alice).responses.create(model=model, input=input, max_output_tokens=fields.pop("max_output_tokens", 16), **fields)

    def test_a_stored_response_is_found_continued_and_deleted_by_its_key_alone(self):
        first = self.create("Remember the word plum.", instructions="Be short.")
        self.assertTrue(first.output_text)
        again = self.alice.responses.retrieve(first.id)
        self.assertEqual((again.output_text, again.instructions, again.store), (first.output_text, "Be short.", True))
        with self.assertRaises(openai.NotFoundError):
            self.bob.responses.retrieve(first.id)
        second = self.create("Which word?", previous_response_id=first.id)
        self.assertEqual(second.previous_response_id, first.id)
        self.assertGreater(second.usage.input_tokens, first.usage.input_tokens)
        with self.assertRaises(openai.NotFoundError):
            self.create("x", client=self.bob, previous_response_id=first.id)
        items = self.alice.responses.input_items.list(first.id).data
        self.assertEqual((items[0].type, items[0].content[0].text), ("message", "Remember the word plum."))
        self.assertTrue(items[0].id)
        self.alice.responses.delete(first.id)
        with self.assertRaises(openai.NotFoundError):
            self.alice.responses.retrieve(first.id)
        unstored = self.create(store=False)
        with self.assertRaises(openai.NotFoundError):
            self.alice.responses.retrieve(unstored.id)

    def test_what_goes_on_reaches_a_responses_provider_whole_and_its_answer_is_ours(self):
        first = self.create("scenario:think", model="big")
        self.assertEqual((first.output_text, first.output[0].encrypted_content), ("42", "sealed=="))
        self.create("scenario:text", model="big", previous_response_id=first.id)
        body, common = self.far.seen[-1]
        self.assertNotIn("previous_response_id", body)
        self.assertFalse(body["store"])  # nothing is left at the provider
        self.assertEqual([i.get("encrypted_content") for i in body["input"] if i.get("type") == "reasoning"], ["sealed=="])
        self.assertEqual(common["messages"][:2], [("user", "scenario:think"), ("assistant", "42")])
        self.assertEqual(self.alice.responses.retrieve(first.id).id, first.id)

    def test_a_stream_is_stored_too(self):
        with self.alice.responses.stream(model="small", input="Say hi.", max_output_tokens=600) as stream:
            # The model may talk up to its bound: that is an end too, which the SDK's get_final_response() does not take.
            final = [event.response for event in stream if event.type in ("response.completed", "response.incomplete")][-1]
        self.assertEqual(self.alice.responses.retrieve(final.id).output_text, final.output_text)

    def test_a_background_response_is_polled_and_its_stream_resumed(self):
        queued = self.create("Count to five.", background=True)
        self.assertIn(queued.status, ("queued", "in_progress"))
        done = until(lambda: (r := self.alice.responses.retrieve(queued.id)).status not in ("queued", "in_progress") and r, "the background response", 60)
        self.assertIn(done.status, ("completed", "incomplete"))
        self.assertTrue(done.output_text)
        events = list(self.create("Count to five.", background=True, stream=True))
        numbers = [e.sequence_number for e in events]
        self.assertEqual(numbers, list(range(len(numbers))))
        self.assertEqual(events[0].type, "response.created")
        id = events[0].response.id
        rest = list(self.alice.responses.retrieve(id, stream=True, starting_after=3))
        self.assertEqual([e.sequence_number for e in rest], numbers[4:])
        with self.assertRaises(openai.NotFoundError):
            self.bob.responses.cancel(id)

    def test_a_background_response_is_cancelled(self):
        queued = self.create("Write a very long story about the sea.", background=True, max_output_tokens=4000)
        cancelled = self.alice.responses.cancel(queued.id)
        self.assertEqual(cancelled.status, "cancelled")

    def test_a_conversation_collects_items(self):
        conversation = self.alice.conversations.create(items=[{"type": "message", "role": "user", "content": "My name is Ada."}], metadata={"a": "b"})
        self.create("What is my name?", conversation=conversation.id)
        self.create("And again?", conversation=conversation.id)
        items = self.alice.conversations.items.list(conversation.id, order="asc").data
        self.assertEqual([i.role for i in items], ["user", "user", "assistant", "user", "assistant"])
        self.assertEqual(self.alice.conversations.retrieve(conversation.id).metadata, {"a": "b"})
        with self.assertRaises(openai.NotFoundError):
            self.bob.conversations.retrieve(conversation.id)
        self.alice.conversations.delete(conversation.id)
        with self.assertRaises(openai.NotFoundError):
            self.alice.conversations.retrieve(conversation.id)

    def test_what_was_made_from_private_data_is_private(self):
        first = self.create("My IBAN is DE89 3704 0044 0532 0130 00.", model="local")
        raw = self.alice.responses.with_raw_response.create(model="local", input="Thanks.", previous_response_id=first.id, max_output_tokens=8)
        self.assertEqual(raw.headers["x-tandem-label"], "private")
        with self.assertRaises(openai.APIStatusError) as caught:
            self.create("Thanks.", model="big", previous_response_id=first.id)
        self.assertIn("private", caught.exception.message)

    def test_input_tokens_are_counted_as_the_engine_counts_them(self):
        tools = [{"type": "function", "name": "f", "description": "Does it", "parameters": {"type": "object", "properties": {"x": {"type": "string"}}}, "strict": False}]
        for fields in ({}, {"tools": tools}):
            counted = self.alice.responses.input_tokens.count(model="small", input="How many tokens is this?", **fields)
            self.assertEqual(counted.input_tokens, self.create("How many tokens is this?", **fields).usage.input_tokens)

    def test_embeddings_from_a_real_engine(self):
        floats = self.alice.embeddings.create(model="embed", input=["a cat", "a dog"], encoding_format="float")
        default = self.alice.embeddings.create(model="embed", input="a cat")  # the SDK asks for base64
        self.assertEqual(len(floats.data), 2)
        for a, b in zip(floats.data[0].embedding, default.data[0].embedding):
            self.assertAlmostEqual(a, b, places=4)
        with self.assertRaises(openai.APIStatusError) as caught:
            self.alice.embeddings.create(model="small", input="x")
        self.assertIn("embeddings", caught.exception.message)
        with self.assertRaises(openai.APIStatusError):
            self.alice.chat.completions.create(model="embed", messages=[{"role": "user", "content": "x"}])

    def test_legacy_completions(self):
        answer = self.alice.completions.create(model="small", prompt="The capital of France is", max_tokens=8)
        self.assertTrue(answer.choices[0].text)
        chunks = list(self.alice.completions.create(model="small", prompt="Say hi.", max_tokens=8, stream=True))
        self.assertTrue("".join(c.choices[0].text for c in chunks if c.choices))

    def lines(self, count, model="small"):
        return "".join(json.dumps({"custom_id": f"line-{i}", "method": "POST", "url": "/v1/chat/completions",
                                   "body": {"model": model, "max_tokens": 4, "messages": [{"role": "user", "content": f"Say {i}."}]}}) + "\n" for i in range(count))

    def batch(self, text, client=None, endpoint="/v1/chat/completions"):
        client = client or self.alice
        file = client.files.create(file=("in.jsonl", io.BytesIO(text.encode())), purpose="batch")
        return client.batches.create(input_file_id=file.id, endpoint=endpoint, completion_window="24h")

    def finished(self, batch, client=None):
        return until(lambda: (b := (client or self.alice).batches.retrieve(batch.id)).status in ("completed", "cancelled", "failed") and b, "the batch", 120)

    def test_a_batch_answers_every_line(self):
        text = self.lines(6) + json.dumps({"custom_id": "bad", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "nobody", "messages": [{"role": "user", "content": "x"}]}}) + "\n"
        batch = self.batch(text)
        with self.assertRaises(openai.NotFoundError):
            self.bob.batches.retrieve(batch.id)
        done = self.finished(batch)
        self.assertEqual((done.status, done.request_counts.completed, done.request_counts.failed), ("completed", 6, 1))
        out = [json.loads(line) for line in self.alice.files.content(done.output_file_id).text.splitlines()]
        self.assertEqual([o["custom_id"] for o in out], [f"line-{i}" for i in range(6)])
        self.assertTrue(out[0]["response"]["body"]["choices"][0]["message"]["content"])
        bad = [json.loads(line) for line in self.alice.files.content(done.error_file_id).text.splitlines()]
        self.assertEqual((bad[0]["custom_id"], bad[0]["response"]["status_code"]), ("bad", 404))
        self.assertIn(batch.id, [b.id for b in self.alice.batches.list().data])
        self.assertEqual([f.purpose for f in self.alice.files.list(purpose="batch_output").data][:2], ["batch_output"] * 2)

    def test_a_line_of_a_batch_goes_on_from_nothing_and_says_so(self):
        lines = {"previous_response_id": "resp_none", "conversation": "conv_none", "background": True, "input": "Say hi."}
        text = "".join(json.dumps({"custom_id": name, "method": "POST", "url": "/v1/responses", "body": {"model": "small", "input": "x", "max_output_tokens": 4, name: value}}) + "\n"
                       for name, value in lines.items())
        done = self.finished(self.batch(text, endpoint="/v1/responses"))
        bad = [json.loads(line) for line in self.alice.files.content(done.error_file_id).text.splitlines()]
        wrong = {b["custom_id"]: (b["response"]["status_code"], b["response"]["body"]["error"]["message"]) for b in bad}
        for name in ("previous_response_id", "conversation", "background"):
            self.assertEqual(wrong[name][0], 400)
            self.assertIn(name, wrong[name][1])
        self.assertNotIn("input", wrong)

    def test_a_batch_says_which_lines_are_wrong(self):
        done = self.batch('not json\n{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{}}\n{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{}}\n')
        self.assertEqual(done.status, "failed")
        self.assertEqual([(e.line, e.code) for e in done.errors.data], [(1, "invalid_json_line"), (3, "duplicate_custom_id")])


class KillNine(unittest.TestCase):
    def test_stored_responses_and_batches_survive_kill_9(self):
        warnings.simplefilter("ignore", ResourceWarning)
        asked = []

        def slow(connection, body, number):
            asked.append(json.loads(body)["messages"][0]["content"])
            time.sleep(0.02)
            connection.sendall(http({"id": "x", "object": "chat.completion", "created": 1, "model": "m", "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
                                     "choices": [{"index": 0, "message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}]}))
        upstream = Upstream(slow)
        tandem = Tandem(f"providers:\n  p: {upstream.provider()}\nmodels:\n  m: {{ provider: p, context: 9000 }}\n{KEYS}")
        client = openai.OpenAI(base_url=tandem.url + "/v1", api_key="alice-key-0123456789", max_retries=0, timeout=30)
        stored = client.responses.create(model="m", input="keep me")
        lines = "".join(json.dumps({"custom_id": str(i), "method": "POST", "url": "/v1/chat/completions",
                                    "body": {"model": "m", "messages": [{"role": "user", "content": str(i)}]}}) + "\n" for i in range(150))
        file = client.files.create(file=("in.jsonl", io.BytesIO(lines.encode())), purpose="batch")
        batch = client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")
        for kill in range(3):
            before = len(asked)
            until(lambda: len(asked) > before + 15, "some lines")
            tandem.kill()
            tandem.start()
        done = until(lambda: (b := client.batches.retrieve(batch.id)).status == "completed" and b, "the batch", 60)
        out = [json.loads(line)["custom_id"] for line in client.files.content(done.output_file_id).text.splitlines()]
        self.assertEqual(out, [str(i) for i in range(150)])
        self.assertEqual(client.responses.retrieve(stored.id).output_text, "ok")
        # Only what was under way at a kill was asked twice: four lanes, three kills.
        self.assertLessEqual(len(asked) - 1, 150 + 12)
        tandem.stop()
        upstream.close()


if __name__ == "__main__":
    unittest.main()
