"""Pictures that a model made: each client gets them where its API has a place for them, and a warning where it has none, streamed
and whole, whoever made them; and they go back with the history."""
import json
import unittest

from strict import PNG, SIGNATURE, OverStrict, StrictUpstream

DRAWS = ("openai-chat", "openai-responses", "gemini", "ollama")
URL = f"data:image/png;base64,{PNG}"


def lines(text):
    """The data of a stream's events."""
    return [json.loads(line.removeprefix("data: ")) for line in text.splitlines()
            if line.startswith(("data: {", "{"))]


def in_chat(text, stream):
    said = [c.get("delta" if stream else "message", {}) for a in (lines(text) if stream else [json.loads(text)]) for c in a.get("choices", [])]
    return [i["image_url"]["url"] for m in said for i in m.get("images", [])]


def in_responses(text, stream):
    events = lines(text) if stream else [{"type": "response.completed", "response": json.loads(text)}]
    final = [i["result"] for i in events[-1]["response"]["output"] if i["type"] == "image_generation_call"]
    if stream:
        done = [e["item"]["result"] for e in events if e["type"] == "response.output_item.done" and e["item"]["type"] == "image_generation_call"]
        assert done == final, (done, final)
        assert sum(e["type"] == "response.image_generation_call.completed" for e in events) == len(final)
    return [f"data:image/png;base64,{r}" for r in final]


def in_gemini(text, stream):
    answers = json.loads(text) if text.startswith("[") else lines(text) if stream else [json.loads(text)]
    parts = [p for a in answers for c in a.get("candidates", []) for p in c["content"]["parts"]]
    return [f"data:{p['inlineData']['mimeType']};base64,{p['inlineData']['data']}" for p in parts if "inlineData" in p]


def in_ollama(text, stream):
    return [f"data:image/png;base64,{i}" for a in (lines(text) if stream else [json.loads(text)]) for i in a.get("message", {}).get("images", [])]


def nowhere(text, stream):
    assert PNG not in text
    return []


def contents(words, picture):
    mine = [{"role": "user", "parts": [{"text": "Draw a cat."}]}, {"role": "model", "parts": [{"inlineData": {"mimeType": "image/png", "data": PNG}, "thoughtSignature": SIGNATURE}]}] if picture else []
    return [*mine, {"role": "user", "parts": [{"text": words}]}]


def turns(words, **picture):
    return [*([{"role": "user", "content": "Draw a cat."}, {"role": "assistant", "content": "", **picture}] if picture else []), {"role": "user", "content": words}]


IMAGES = [{"type": "image_url", "image_url": {"url": URL}}]
ITEM = {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": PNG}
# How a client asks, where it finds pictures in an answer, and how it says one in its history (None: it cannot).
FRONTS = {
    "chat": (lambda model, stream: ("/v1/chat/completions", {"model": model, "messages": turns("Draw."), "stream": stream}), in_chat,
             lambda model: ("/v1/chat/completions", {"model": model, "messages": turns("Bigger.", images=IMAGES)})),
    "completions": (lambda model, stream: ("/v1/completions", {"model": model, "prompt": "Draw.", "stream": stream}), nowhere, None),
    "responses": (lambda model, stream: ("/v1/responses", {"model": model, "input": "Draw.", "stream": stream}), in_responses,
                  lambda model: ("/v1/responses", {"model": model, "input": [{"role": "user", "content": "Draw a cat."}, ITEM, {"role": "user", "content": "Bigger."}]})),
    "messages": (lambda model, stream: ("/v1/messages", {"model": model, "max_tokens": 3000, "messages": turns("Draw."), "stream": stream}), nowhere, None),
    "gemini": (lambda model, stream: (f"/v1beta/models/{model}:" + ("streamGenerateContent?alt=sse" if stream else "generateContent"), {"contents": contents("Draw.", False)}), in_gemini,
               lambda model: (f"/v1beta/models/{model}:generateContent", {"contents": contents("Bigger.", True)})),
    "gemini array": (lambda model, stream: (f"/v1beta/models/{model}:" + ("streamGenerateContent" if stream else "generateContent"), {"contents": contents("Draw.", False)}), in_gemini, None),
    "ollama": (lambda model, stream: ("/api/chat", {"model": model, "messages": turns("Draw."), "stream": stream}), in_ollama,
               lambda model: ("/api/chat", {"model": model, "messages": turns("Bigger.", images=[PNG]), "stream": False})),
    "generate": (lambda model, stream: ("/api/generate", {"model": model, "prompt": "Draw.", "stream": stream}), nowhere, None),
}


class Draws(StrictUpstream):
    answers = ([("text", "Here: "), ("picture", PNG), ("text", "Nice?"), ("picture", PNG)], "stop")

    def choose(self, body, common):
        return self.answers


class Pictures(OverStrict, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.start(Draws)

    def ask(self, path, body, behind):
        status, headers, text = self.tandem.request(path, body)
        self.assertEqual(status, 200, (text, self.upstreams[behind].rejected))
        return headers, text.decode()

    def test_each_client_gets_them_or_is_told(self):
        for front, (ask, find, _) in FRONTS.items():
            for behind in DRAWS:
                if (front, behind) == ("generate", "ollama"):
                    continue  # handed on as it is; the provider of the tests has no such path
                for stream in (False, True):
                    with self.subTest(front=front, behind=behind, stream=stream):
                        headers, text = self.ask(*ask(f"m-{behind}", stream), behind)
                        if find is not nowhere:
                            self.assertEqual(find(text, stream), [URL, URL])
                            continue
                        find(text, stream)
                        told = "has 2 pictures, which the client's API has no place for: left out"
                        # Where the answer was there at once, its headers say so; else the stream.
                        self.assertIn(told, (headers["x-tandem-warnings"] or "") + (text if stream else ""))
                        self.assertIn(told, json.dumps(self.tandem.explain()))

    def test_a_stream_that_has_begun_says_what_it_leaves_out(self):
        for front, behind in (("messages", "gemini"), ("completions", "openai-responses"), ("generate", "openai-chat")):
            with self.subTest(front=front, behind=behind):
                upstream = self.upstreams[behind]
                upstream.cut, upstream.pause = 700, 0.05
                try:
                    headers, text = self.ask(*FRONTS[front][0](f"m-{behind}", True), behind)
                finally:
                    upstream.cut, upstream.pause = None, 0
                self.assertIsNone(headers["x-tandem-warnings"])
                self.assertIn("has 2 pictures, which the client's API has no place for: left out", text)

    def test_a_picture_alone_is_an_answer(self):
        for front in ("chat", "responses", "gemini", "ollama"):
            for behind in DRAWS:
                for stream in (False, True):
                    with self.subTest(front=front, behind=behind, stream=stream):
                        self.upstreams[behind].answers = ([("picture", PNG)], "stop")
                        try:
                            _, text = self.ask(*FRONTS[front][0](f"m-{behind}", stream), behind)
                        finally:
                            del self.upstreams[behind].answers
                        self.assertEqual(FRONTS[front][1](text, stream), [URL])

    def test_asking_for_pictures_and_their_form_is_said_in_the_providers_words(self):
        chat = {"modalities": ["image", "text"], "image_config": {"aspect_ratio": "16:9", "image_size": "2K"}}
        google = {"responseModalities": ["TEXT", "IMAGE"], "imageConfig": {"aspectRatio": "16:9", "imageSize": "2K"}}
        self.ask("/v1/chat/completions", {"model": "m-gemini", "messages": turns("Draw."), **chat}, "gemini")
        sent = self.upstreams["gemini"].seen[-1][0]["generationConfig"]
        self.assertEqual({name: sent[name] for name in google}, google)
        self.ask("/v1beta/models/m-openai-chat:generateContent", {"contents": contents("Draw.", False), "generationConfig": google}, "openai-chat")
        sent = self.upstreams["openai-chat"].seen[-1][0]
        self.assertEqual({name: sent[name] for name in chat}, chat)
        for model, more in (("m-anthropic", {"modalities": ["image"]}), ("m-gemini", {"modalities": ["text", "audio"]}), ("m-gemini", {"image_config": {"odd": 1}})):
            status, _, text = self.tandem.request("/v1/chat/completions", {"model": model, "messages": turns("Draw."), **more})
            self.assertEqual(status, 400, text)
            self.assertIn(next(iter(more)), json.loads(text)["error"]["message"])

    def test_they_go_back_with_the_history(self):
        for front, (_, _, again) in FRONTS.items():
            if again is None:
                continue
            for behind, upstream in self.upstreams.items():
                if (front, behind) in (("chat", "openai-chat"), ("responses", "openai-responses")):
                    continue  # its own words, as they are
                with self.subTest(front=front, behind=behind):
                    self.ask(*again(f"m-{behind}"), behind)
                    seen = [m[1:] for m in upstream.seen[-1][1]["messages"]]
                    self.assertIn(("image", URL), seen)
                    self.assertLess(seen.index(("image", URL)), seen.index(("Bigger.",)))

    def test_a_kept_response_goes_on(self):
        for behind, upstream in self.upstreams.items():
            if behind not in DRAWS or behind == "openai-responses":
                continue
            with self.subTest(behind=behind):
                _, text = self.ask("/v1/responses", {"model": f"m-{behind}", "input": "Draw.", "store": True}, behind)
                self.ask("/v1/responses", {"model": f"m-{behind}", "input": "Bigger.", "previous_response_id": json.loads(text)["id"]}, behind)
                self.assertEqual(sum(m[1] == "image" for m in upstream.seen[-1][1]["messages"]), 2)
        roles = [m[0] for m in self.upstreams["gemini"].seen[-1][1]["messages"] if m[1] == "image"]
        self.assertEqual(roles, ["assistant", "assistant"], "it thought them, and takes them back with its signatures")


if __name__ == "__main__":
    unittest.main()
