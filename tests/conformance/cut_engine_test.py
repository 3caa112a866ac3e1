"""A real llama-server whose connection breaks in the middle of an answer, and a real engine that goes on with it, seen by
the official SDK: one stream, one text."""
import contextlib
import json
import socket
import struct
import threading
import unittest

import openai

from harness import LlamaServer, MODEL, CountingProxy, Tandem


class Breaking(CountingProxy):
    """Lets so many bytes of an answer through, then resets both ends."""
    allowed = 6000

    def pump(self, source, sink, counted):
        if counted:
            return super().pump(source, sink, counted)
        left = self.allowed
        try:
            while left > 0 and (data := source.recv(min(left, 4096))):
                sink.sendall(data)
                left -= len(data)
        except OSError:
            pass
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)  # the other thread's read ends, without which a close is none
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.close()


class GoesOn(unittest.TestCase):
    def test_with_an_answer_that_broke_off(self):
        cloud = LlamaServer()
        self.addCleanup(cloud.stop)
        proxy = Breaking(cloud.port)
        self.addCleanup(proxy.close)
        tandem = Tandem(f"""providers:
  far: {{ kind: llama-server, zone: cloud, base_url: 'http://127.0.0.1:{proxy.port}/v1', api_key: {cloud.key} }}
  home: {{ kind: engine }}
models:
  big-cloud-model: {{ provider: far, context: 8192 }}
  small: {{ provider: home, file: {MODEL}, context: 4096 }}
aliases: {{ both: {{ models: [big-cloud-model, small], failure: {{ on_cut: continue, attempts: 1 }} }} }}
""")
        self.addCleanup(tandem.stop)
        client = openai.OpenAI(base_url=tandem.url + "/v1", api_key="none", max_retries=0, timeout=180)
        asked = [{"role": "user", "content": "Count from one to twenty in words."}]
        text, ids, finishes = "", set(), []
        for chunk in client.chat.completions.create(model="both", messages=asked, stream=True, max_tokens=60, temperature=0):
            ids.add(chunk.id)
            for choice in chunk.choices:
                text += choice.delta.content or ""
                finishes += [choice.finish_reason] if choice.finish_reason else []
        shown = tandem.explain()
        print(json.dumps([(a["model"], a["outcome"], a.get("warnings")) for a in shown["attempts"]]))
        print(repr(text))
        self.assertEqual([(a["model"], a["outcome"]) for a in shown["attempts"]], [("big-cloud-model", "cut"), ("small", "answered")])
        self.assertEqual((len(ids), len(finishes)), (1, 1))
        # Both are the same model at temperature 0, so what was begun and gone on with is what it says in one go.
        whole = client.chat.completions.create(model="small", messages=asked, max_tokens=60, temperature=0).choices[0].message.content
        print(repr(whole))
        common = next((i for i, (a, b) in enumerate(zip(text, whole)) if a != b), min(len(text), len(whole)))
        self.assertGreater(common, 0.8 * min(len(text), len(whole)), "the seam is not where it should be")
        words = text.split()
        self.assertFalse(any(words[i:i + 6] == words[i + 6:i + 12] for i in range(len(words) - 12)), "something was said twice")


if __name__ == "__main__":
    unittest.main()
