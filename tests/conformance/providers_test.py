"""Providers as they are, behind every dialect and for every dialect in front: usage that comes early, errors inside a 200, words that
nobody knows, characters cut in two, tools that break the target's rules, thoughts that must come back, minutes of silence.

What a provider does is chosen by the name of the model it is asked for.
"""
import concurrent.futures
import contextlib
import http.client as client_of
import itertools
import json
import pathlib
import re
import socket
import sqlite3
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "cases"))
from harness import Tandem, Upstream, http, until
from matrix_test import CLIENTS
from scripted import Stream, chat_chunk, event, whole

SPEAKS = {"openai-chat": "chat", "openai-responses": "responses", "anthropic": "messages", "gemini": "gemini", "ollama": "ollama"}
KINDS = {"openai-chat": "openai", "openai-responses": "responses", "anthropic": "anthropic", "gemini": "gemini", "ollama": "ollama"}
USAGE = {"input": 7, "output": 3}
COUNTS = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10, "prompt_tokens_details": {"cached_tokens": 0}}
EVERY = [(front, behind) for front in CLIENTS for behind in SPEAKS]


class Scripted(Upstream):
    """Answers as `does[model](behind, request, stream)` says: bytes of the whole answer, a list of writes, or a list that ends in a wait."""

    def __init__(self, name, does):
        self.name, self.does = name, does
        self.asked = []
        super().__init__(self.answer)
        self.base_url = f"http://127.0.0.1:{self.port}" + ("/v1" if name.startswith("openai") else "")

    def answer(self, connection, raw, number):
        path = self.requests[number - 1][0].split(" ")[1]
        request = json.loads(raw)
        model = request.get("model") or re.search(r"/models/([^:]+):", path)[1]
        stream = bool(request.get("stream")) or "streamGenerate" in path
        self.asked.append((model, request))
        said = self.does[model](SPEAKS[self.name], request, stream)
        if isinstance(said, dict):
            connection.sendall(http(json.dumps(said).encode()))
            return None
        if isinstance(said, bytes):
            # It closes behind that, and says so: else the next question may meet the end of the connection.
            connection.sendall(said.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
            return "close"
        connection.sendall(head_of(SPEAKS[self.name]))
        numbers = itertools.count()
        for piece in said:
            if isinstance(piece, bytes):
                piece = re.sub(rb'"sequence_number": \d+', lambda _: b'"sequence_number": %d' % next(numbers), piece)
            if isinstance(piece, (int, float)):
                time.sleep(piece)
            else:
                connection.sendall(piece)
        return "close"


def head_of(dialect):
    kind = "application/x-ndjson" if dialect == "ollama" else "text/event-stream"
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n".encode()


def answers(dialect, request, stream, text="Hello there"):
    if not stream:
        return whole(dialect, text, USAGE, {})
    one = Stream(dialect, USAGE, {})
    return [one.head(), one.piece(text), one.tail()]


class Case(unittest.TestCase):
    """One server with all five providers; `does` are the models that each has."""
    does = {}
    policy = "{ preset: cloud-first, attempts: 1 }"
    extra = ""

    @classmethod
    def setUpClass(cls):
        cls.does = {"good": answers, **cls.does}
        cls.upstreams = {name: Scripted(name, cls.does) for name in SPEAKS}
        providers = "".join(f"  p-{n}: {{ kind: {KINDS[n]}, zone: cloud, base_url: {u.base_url}, api_key: upstream-key, clearance: secret, idle_timeout: 1s }}\n" for n, u in cls.upstreams.items())
        models = "".join(f"  {m}-{n}: {{ provider: p-{n}, name: {m}, context: 32768, price: {{ input: 1, output: 1 }} }}\n" for n in SPEAKS for m in cls.does)
        cls.spare = Scripted("openai-chat", {"good": answers})
        providers += f"  p-spare: {{ kind: openai, zone: cloud, base_url: {cls.spare.base_url}, api_key: upstream-key, clearance: secret }}\n"
        models += "  spare: { provider: p-spare, name: good, context: 32768, price: { input: 1, output: 1 } }\n"
        aliases = "".join(f"  {m}-{n}-or-spare: [{m}-{n}, spare]\n" for n in SPEAKS for m in cls.does if m != "good")
        cls.tandem = Tandem(f"providers:\n{providers}models:\n{models}" + (f"aliases:\n{aliases}" if aliases else "") + f"policy: {cls.policy}\n{cls.extra}")

    @classmethod
    def tearDownClass(cls):
        cls.tandem.stop()
        for upstream in [*cls.upstreams.values(), cls.spare]:
            upstream.close()

    def ask(self, front, model, stream, change=None, timeout=60):
        client = CLIENTS[front]
        body = client.request("text", stream)
        if change:
            body = change(body)
        path = client.path_for(stream).replace("models/m:", f"models/{model}:") if front == "gemini" else client.path
        if front != "gemini":
            body["model"] = model
        line = client_of.HTTPConnection("127.0.0.1", self.tandem.port, timeout=timeout)
        with contextlib.closing(line):
            line.request("POST", path, json.dumps(body), {"content-type": "application/json", **({"anthropic-version": "2023-06-01"} if front == "anthropic" else {})})
            answer = line.getresponse()
            try:
                return answer.status, answer.headers, answer.read()
            except client_of.IncompleteRead as cut:
                return answer.status, answer.headers, cut.partial

    def every(self, work, jobs):
        """The jobs (front, behind, ...) of each provider one after the other, with a good answer behind each, so that no breaker opens;
        the providers side by side. What went wrong of all of them."""
        def one(job):
            try:
                return work(*job)
            except Exception as error:
                return f"{job}: {type(error).__name__}: {error}"

        def all_of(behind):
            found = []
            for job in jobs:
                if job[1] == behind:
                    found.append(one(job))
                    self.ask("openai-chat", f"good-{behind}", False)
            return found
        with concurrent.futures.ThreadPoolExecutor(len(SPEAKS)) as pool:
            wrong = [what for found in pool.map(all_of, SPEAKS) for what in found if what]
        self.assertEqual(wrong, [], "\n" + "\n".join(wrong[:12]) + f"\n{len(wrong)} of {len(jobs)}")

    def attempt(self, decision):
        def look():
            with sqlite3.connect(f"file:{next((self.tandem.folder / 'data').glob('*.db'))}?mode=ro", uri=True) as store:
                return store.execute("SELECT outcome, input, output, estimated FROM attempts WHERE decision = ? ORDER BY number", (decision,)).fetchone()
        return until(look, f"the attempts of {decision}")


# ---- a usage that comes early is not the usage ----

def early(dialect):
    """The beginning of an answer, with a usage of one token in it."""
    one = Stream(dialect, {"input": 7, "output": 1}, {})
    head = one.head()
    if dialect == "chat":
        head += chat_chunk({"content": ""}, usage=one.counts)
    if dialect == "responses":
        head = head.replace(b'"usage": null', b'"usage": {"input_tokens": 7, "output_tokens": 1, "total_tokens": 8}', 1)
    if dialect == "gemini":
        head = event({"candidates": [{"content": {"role": "model", "parts": [{"text": ""}]}, "index": 0}], "usageMetadata": one.counts})
    if dialect == "ollama":
        head = json.dumps({"model": "m", "message": {"role": "assistant", "content": ""}, "done": False, **one.counts}).encode() + b"\n"
    return one, head


def broken(dialect):
    return {"messages": event({"type": "error", "error": {"type": "overloaded_error", "message": "it broke"}}, "error"),
            "responses": event({"type": "error", "code": "server_error", "message": "it broke"}, "error"),
            "ollama": b'{"error":"it broke"}\n'}.get(dialect, event({"error": {"message": "it broke", "code": 502}}))


def never_ends(how):
    def does(dialect, request, stream):
        one, head = early(dialect)
        said = [head] + [one.piece("word ") for _ in range(60)]
        return said + {"closes": [], "breaks": [broken(dialect)], "sleeps": [3]}[how]
    return does


def says_little(dialect, request, stream):
    """An end whose usage says nothing of the answer."""
    one, head = early(dialect)
    one.usage = {"input": 7, "output": 0}
    one.counts = {k: 0 if "output" in k or "completion" in k or "andidates" in k or k == "eval_count" else v for k, v in one.counts.items()}
    return [head] + [one.piece("word ") for _ in range(60)] + [one.tail()]


class EarlyUsage(Case):
    does = {how: never_ends(how) for how in ("closes", "breaks", "sleeps")} | {"little": says_little}

    def test_what_was_said_is_paid_and_marked_where_a_stream_has_no_end(self):
        def one(front, behind, how):
            _, headers, raw = self.ask(front, f"{how}-{behind}", True)
            outcome, _, output, estimated = self.attempt(headers["x-tandem-decision"])
            # What came in one piece with its error was not given to the client yet.
            if not (outcome in ("cut", "failed") and 45 <= output <= 200 and estimated):
                return f"{front} {behind} {how}: {outcome}, {output} tokens, estimated {estimated}: {raw[-200:]}"
        self.every(one, [(f, b, how) for f, b in EVERY for how in ("closes", "breaks", "sleeps")])

    def test_what_was_said_is_paid_where_it_was_to_come_in_one_piece(self):
        def one(front, behind, how):
            status, headers, raw = self.ask(front, f"{how}-{behind}", False)
            _, _, output, estimated = self.attempt(headers["x-tandem-decision"])
            if not (status >= 500 and 45 <= output <= 200 and estimated):
                return f"{front} {behind} {how}: {status}, {output} tokens, estimated {estimated}: {raw[-200:]}"
        self.every(one, [(f, b, how) for f, b in EVERY for how in ("closes", "breaks")])

    def test_an_end_that_counts_nothing_is_not_believed(self):
        def one(front, behind, stream):
            status, headers, raw = self.ask(front, f"little-{behind}", stream)
            outcome, _, output, estimated = self.attempt(headers["x-tandem-decision"])
            if not (status == 200 and outcome == "answered" and 45 <= output <= 200 and estimated):
                return f"{front} {behind} {stream}: {status} {outcome}, {output} tokens, estimated {estimated}: {raw[-200:]}"
        self.every(one, [(f, b, s) for f, b in EVERY for s in (True, False)])


# ---- errors inside a 200 ----

def raw_answer(body, kind="application/json"):
    return http(body if isinstance(body, bytes) else json.dumps(body).encode(), type=kind)


CHAT = {"id": "id-1", "object": "chat.completion", "created": 1, "model": "m"}
# By name: what a provider of each dialect answers in place of an answer, whole; the same is an event of its stream.
ERRORS = {
    "chat": {"error": {"error": {"message": "it broke", "code": 502}},
             "text": {"error": "it broke"},
             "limit": {"error": {"message": "it broke", "type": "rate_limit_error", "code": 429}},
             "object": {"object": "error", "message": "it broke", "code": 40303},
             "detail": {"detail": "it broke"},
             "details": {"detail": [{"loc": ["body"], "msg": "it broke"}]},
             "coded": {"code": 50000, "message": "it broke"},
             "base": {"choices": None, "base_resp": {"status_code": 1002, "status_msg": "it broke"}},
             "success": {"success": False, "errors": [{"code": 7, "message": "it broke"}]},
             "choice": {**CHAT, "choices": [{"index": 0, "delta": {"content": ""}, "message": {"role": "assistant", "content": ""}, "finish_reason": "error", "error": {"code": 502, "message": "it broke"}}]},
             "finish": {**CHAT, "choices": [{"index": 0, "delta": {}, "message": {"role": "assistant", "content": ""}, "finish_reason": "error"}]},
             "resource": {**CHAT, "choices": [{"index": 0, "delta": {}, "message": {"role": "assistant", "content": ""}, "finish_reason": "insufficient_system_resource"}]}},
    "messages": {"error": {"type": "error", "error": {"type": "overloaded_error", "message": "it broke"}}},
    "responses": {"error": {"error": {"code": "server_error", "message": "it broke"}}},
    "gemini": {"error": {"error": {"code": 503, "message": "it broke", "status": "UNAVAILABLE"}},
               "finish": {"candidates": [{"content": {"role": "model", "parts": []}, "index": 0, "finishReason": "MALFORMED_FUNCTION_CALL"}]}},
    "ollama": {"error": {"error": "it broke"}},
}


def error_event(dialect, what):
    if dialect == "messages":
        return event(what, "error")
    if dialect == "responses":
        return event({"type": "response.failed", "response": {**whole("responses", "", None, {}), "status": "failed", "output": [], **what}}, "response.failed")
    return json.dumps(what).encode() + b"\n" if dialect == "ollama" else event(what)


def fails(form):
    """In the given form where the dialect has it, else in its usual one; `late`: behind some words."""
    def does(dialect, request, stream, late=False):
        what = ERRORS[dialect].get(form, ERRORS[dialect]["error"])
        if not stream:
            return raw_answer(what)
        one = Stream(dialect, USAGE, {})
        return ([one.head(), one.piece("Hello "), one.piece("wor"), 0.1] if late else []) + [error_event(dialect, what)]
    return does


ODD = {"html": lambda d, r, s: raw_answer(b"<html><body>it broke</body></html>", "text/html"),
       "nothing": lambda d, r, s: raw_answer(b""),
       "empty": lambda d, r, s: [] if s else raw_answer(b"{}"),
       "done": lambda d, r, s: [b"data: [DONE]\n\n"] if s else raw_answer(b"null"),
       "words": lambda d, r, s: [b"event: error\ndata: it broke\n\n"] if s else raw_answer(b"it broke", "text/plain"),
       "whole": lambda d, r, s: raw_answer(ERRORS[d]["error"])}
FORMS = sorted({form for forms in ERRORS.values() for form in forms})
WORDS = ["error", "insufficient_system_resource", "MALFORMED_FUNCTION_CALL"]


class ErrorsInside200(Case):
    does = {f"e-{form}": fails(form) for form in FORMS} | {f"o-{name}": how for name, how in ODD.items()} \
        | {f"l-{form}": (lambda f: lambda d, r, s: fails(f)(d, r, s, late=True))(form) for form in FORMS}

    def test_another_model_answers_where_nothing_was_said_yet(self):
        def one(front, behind, stream, model):
            status, headers, raw = self.ask(front, f"{model}-{behind}-or-spare", stream)
            if status != 200:
                return f"{front} {behind} {stream} {model}: {status} {raw[:300]}"
            said = CLIENTS[front].read(raw, stream)
            if said["text"] != "Hello there" or headers["x-tandem-provider"] != "p-spare":
                return f"{front} {behind} {stream} {model}: {said} by {headers['x-tandem-provider']}"
        jobs = [(f, b, s, f"e-{form}") for f, b in EVERY for s in (True, False) for form in ERRORS[SPEAKS[b]]]
        jobs += [(f, b, s, f"o-{name}") for f, b in EVERY for s in (True, False) for name in ODD if not (name == "whole" and not s)]
        self.every(one, jobs)

    def test_behind_words_it_is_a_clear_end(self):
        def one(front, behind, form):
            model = f"l-{form}-{behind}"
            status, headers, raw = self.ask(front, model, True)
            text = raw.decode()
            whole_mark = {"openai-chat": "[DONE]", "openai-responses": "response.completed", "anthropic": "message_stop", "gemini": "finishReason", "ollama": '"done":true'}[front]
            finish = re.findall(r'"(?:finish_reason|stop_reason|finishReason|done_reason)":\s*"([^"]+)"', text)
            if status != 200 or "Hello" not in text or '"error"' not in text or whole_mark in text or finish:
                return f"{front} {model}: {status} {text[-400:]}"
            if self.attempt(headers["x-tandem-decision"])[0] != "cut":
                return f"{front} {model}: booked as {self.attempt(headers['x-tandem-decision'])}"
        self.every(one, [(f, b, form) for f, b in EVERY for form in ERRORS[SPEAKS[b]]])

    def test_alone_it_is_an_error_of_http(self):
        def one(front, behind, stream):
            status, _, raw = self.ask(front, f"e-error-{behind}", stream)
            if status not in (500, 502, 503, 529) or b"it broke" not in raw:
                return f"{front} {behind} {stream}: {status} {raw[:300]}"
        self.every(one, [(f, b, s) for f, b in EVERY for s in (True, False)])


# ---- words that no dialect knows ----

ENDS = {"eos": "stop", "COMPLETE": "stop", "end_turn": "stop", "weird_word": "stop", "model_length": "length", "max_tokens": "length", "sensitive": "filter"}
KNOWN = {"openai-chat": {"stop": "stop", "length": "length", "filter": "content_filter"}, "openai-responses": {"stop": "completed", "length": "max_output_tokens", "filter": "content_filter"},
         "anthropic": {"stop": "end_turn", "length": "max_tokens", "filter": "refusal"}, "gemini": {"stop": "STOP", "length": "MAX_TOKENS", "filter": "SAFETY"},
         "ollama": {"stop": "stop", "length": "length", "filter": "stop"}}


def ends_with(word):
    def does(dialect, request, stream):
        names = {b'"finish_reason": "stop"': "finish_reason", b'"stop_reason": "end_turn"': "stop_reason", b'"finishReason": "STOP"': "finishReason", b'"done_reason": "stop"': "done_reason"}
        said = answers(dialect, request, stream) if stream else [json.dumps(answers(dialect, request, stream)).encode()]
        for old, name in names.items():
            said = [piece.replace(old, f'"{name}": "{word}"'.encode()) for piece in said]
        return said if stream else raw_answer(said[0])
    return does


class UnknownWords(Case):
    does = {f"w-{word}": ends_with(word) for word in ENDS}

    def test_no_client_hears_them(self):
        def one(front, behind, stream, word):
            status, _, raw = self.ask(front, f"w-{word}-{behind}", stream)
            found = re.findall(r'"(?:finish_reason|stop_reason|finishReason|done_reason)":\s*"([^"]+)"', raw.decode())
            want = KNOWN[front][ENDS[word]]
            if front == "openai-responses":
                good = want in raw.decode()
            else:
                # Gemini says OTHER of what it does not know itself.
                good = found == [want] or (word == "weird_word" and found == ["OTHER"] and front == "gemini")
            if status != 200 or not good or b"Hello" not in raw:
                return f"{front} {behind} {stream} {word}: {status} {found}, wanted {want}: {raw[-300:]}"
        self.every(one, [(f, b, s, w) for f, b in EVERY if b != "openai-responses" for s in (True, False) for w in ENDS])


# ---- characters cut in two ----

def pieces_said(dialect, pieces, stream):
    """Escaped, so that half of a pair of surrogates can be said."""
    one = Stream(dialect, USAGE, {})
    if not stream:
        return raw_answer(json.dumps(whole(dialect, "".join(pieces), USAGE, {})).encode())
    marks = [f"@{number}@" for number, _ in enumerate(pieces)]
    said = [one.head()] + [one.piece(mark) for mark in marks]
    one.text = "".join(pieces).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    said.append(one.tail())
    for mark, piece in zip(marks, pieces):
        said = [data.replace(mark.encode(), json.dumps(piece)[1:-1].encode()) for data in said]
    return said


def stray_bytes(dialect, request, stream):
    said = pieces_said(dialect, ["world @@@@", "####!"], stream)
    swap = lambda data: data.replace(b"@@@@", b"\xf0\x9f").replace(b"####", b"\x8c\x8d")
    return [swap(piece) for piece in said] if stream else swap(said).replace(b"Content-Length: ", b"X-Was: ")


HALVES = {"seam": (["world \ud83c", "\udf0d!"], "world \U0001f30d!"), "lone": (["a \ud83c", "b", " \udf0dc"], "a \ufffdb \ufffdc"), "last": (["a", "b\ud83c"], "ab\ufffd"),
          "both": (["\ud83c", "\udf0d\ud83c", "\udf0d"], "\U0001f30d\U0001f30d"), "control": (["a\tb", "c"], "a\tbc")}


def halves(name):
    return lambda dialect, request, stream: pieces_said(dialect, HALVES[name][0], stream)


def call_in_pieces(dialect, request, stream):
    name = "note"
    if not stream or dialect in ("gemini", "ollama"):
        arguments = {"t": "x \ud83c y"}
        if dialect == "chat":
            return raw_answer({**CHAT, "choices": [{"index": 0, "message": {"role": "assistant", "content": None, "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}]}, "finish_reason": "tool_calls"}], "usage": COUNTS})
        if dialect == "messages":
            return raw_answer({**whole("messages", "", USAGE, {}), "content": [{"type": "tool_use", "id": "call_1", "name": name, "input": arguments}], "stop_reason": "tool_use"})
        if dialect == "responses":
            return raw_answer({**whole("responses", "", USAGE, {}), "output": [{"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": name, "arguments": json.dumps(arguments), "status": "completed"}]})
        if dialect == "gemini":
            said = {"candidates": [{"content": {"role": "model", "parts": [{"functionCall": {"name": name, "args": arguments}}]}, "index": 0, "finishReason": "STOP"}], "usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 3, "totalTokenCount": 10}}
            return [event_ascii(said)] if stream else raw_answer(said)
        said = {"model": "m", "message": {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": name, "arguments": arguments}}]}, "done": True, "done_reason": "stop", "prompt_eval_count": 7, "eval_count": 3}
        return [json.dumps(said).encode() + b"\n"] if stream else raw_answer(said)
    parts = ['{"t":"x \ud83c', '\udf0d y"}']
    if dialect == "chat":
        first = chat_ascii({"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": {"name": name, "arguments": ""}}]})
        return [first] + [chat_ascii({"tool_calls": [{"index": 0, "function": {"arguments": part}}]}) for part in parts] + [chat_ascii({}, "tool_calls"), b"data: [DONE]\n\n"]
    if dialect == "messages":
        one = Stream("messages", USAGE, {"call": True})
        return [one.head()] + [event_ascii({"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": part}}, "content_block_delta") for part in parts] + [one.tail()]
    item = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": name, "arguments": "", "status": "in_progress"}
    one = Stream("responses", USAGE, {})
    said = [one.response_event("response.created", response={**whole("responses", "", None, {}), "status": "in_progress", "output": []}), one.response_event("response.output_item.added", output_index=0, item=item)]
    said += [event_ascii({"type": "response.function_call_arguments.delta", "sequence_number": 9, "item_id": "fc_1", "output_index": 0, "delta": part}, "response.function_call_arguments.delta") for part in parts]
    done = {**item, "arguments": '{"t":"x \U0001f30d y"}', "status": "completed"}
    return said + [one.response_event("response.output_item.done", output_index=0, item=done), one.response_event("response.completed", response={**whole("responses", "", USAGE, {}), "output": [done]})]


def event_ascii(data, name=None):
    return ((f"event: {name}\n" if name else "") + "data: " + json.dumps(data) + "\n\n").encode()


def chat_ascii(delta, finish=None):
    return event_ascii({"id": "id-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


def control_raw(dialect, request, stream):
    """A tab that stands in a string as it is."""
    said = pieces_said(dialect, HALVES["control"][0], stream)
    return [data.replace(b"\\t", b"\t") for data in said] if stream else said.replace(b"\\t", b" \t").replace(b"Content-Length: ", b"X-Was: ")


def text_of(front, raw):
    """Of a stream, as its deltas have it."""
    if front != "openai-responses":
        return CLIENTS[front].read(raw, True)["text"]
    events = [json.loads(line[6:]) for line in raw.decode().split("\n") if line.startswith("data: ")]
    deltas = "".join(e["delta"] for e in events if e["type"] == "response.output_text.delta")
    final = "".join(part["text"] for item in events[-1]["response"]["output"] for part in item["content"])
    return deltas if deltas == final else f"{deltas!r}, and in the end {final!r}"


class HalfCharacters(Case):
    does = {f"h-{name}": halves(name) for name in HALVES} | {"h-bytes": stray_bytes, "h-control": control_raw, "h-call": call_in_pieces}

    def test_they_are_joined_over_the_seam_and_never_lose_an_event(self):
        def one(front, behind, name):
            want = "world \U0001f30d!" if name == "bytes" else HALVES[name][1]
            status, _, raw = self.ask(front, f"h-{name}-{behind}", True)
            if status != 200 or text_of(front, raw) != want:
                return f"{front} {behind} {name}: {status} {raw[-600:]}"
        self.every(one, [(f, b, name) for f, b in EVERY for name in [*HALVES, "bytes"]])

    def test_alone_they_are_replaced_in_an_answer_of_one_piece(self):
        def one(front, behind, name):
            want = "".join(HALVES[name][0]).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            status, _, raw = self.ask(front, f"h-{name}-{behind}", False)
            if status != 200 or CLIENTS[front].read(raw, False)["text"] != want:
                return f"{front} {behind} {name}: {status} {raw[-600:]}"
        self.every(one, [(f, b, name) for f, b in EVERY for name in ("seam", "lone", "last", "both")])

    def test_arguments_of_calls_are_joined_too(self):
        def one(front, behind, stream):
            status, _, raw = self.ask(front, f"h-call-{behind}", stream, offer("note"))
            calls = CLIENTS[front].read(raw, stream)["calls"]
            joined = stream and behind not in ("gemini", "ollama")
            want = "x \U0001f30d y" if joined else "x \ufffd y"
            got = json.loads(calls[0][1])["t"].encode("utf-8", "replace").decode().replace("?", "\ufffd")
            if status != 200 or calls[0][0] != "note" or got != want:
                return f"{front} {behind} {stream}: {status} {got!r} {raw[-600:]}"
        self.every(one, [(f, b, s) for f, b in EVERY for s in (True, False)])


# ---- tools by the target's rules ----

def offer(name, schema=None):
    """A client's request with one tool, in its own dialect."""
    def change(body):
        if "contents" in body:
            declaration = {"name": name, "description": "d", **({"parametersJsonSchema": schema} if schema is not None else {})}
            return {**body, "tools": [{"functionDeclarations": [declaration]}]}
        if "input" in body:
            return {**body, "tools": [{"type": "function", "name": name, "description": "d", "strict": False, **({"parameters": schema} if schema is not None else {})}]}
        if "system" in body:
            return {**body, "tools": [{"name": name, "description": "d", "input_schema": {} if schema is None else schema}]}
        return {**body, "tools": [{"type": "function", "function": {"name": name, "description": "d", **({"parameters": schema} if schema is not None else {})}}]}
    return change


def tool_of(dialect, request):
    """(name, schema) as the provider was told."""
    if dialect == "gemini":
        tool = request["tools"][0]["functionDeclarations"][0]
        return tool["name"], tool.get("parametersJsonSchema", tool.get("parameters"))
    tool = request["tools"][0]
    if dialect == "messages":
        return tool["name"], tool["input_schema"]
    tool = tool if dialect == "responses" else tool["function"]
    return tool["name"], tool.get("parameters")


RULES = {"chat": r"[a-zA-Z0-9_-]{1,64}", "responses": r"[a-zA-Z0-9_-]{1,64}", "messages": r"[a-zA-Z0-9_-]{1,128}", "gemini": r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}", "ollama": r".+"}


def calls_what_it_has(dialect, request, stream):
    name, schema = tool_of(dialect, request)
    if not re.fullmatch(RULES[dialect], name):
        return http({"error": {"message": f"Invalid name: {name}"}}, "400 Bad Request")
    if (schema is None and dialect in ("messages",)) or (schema is not None and (schema.get("type") != "object" or (dialect != "gemini" and not isinstance(schema.get("properties"), dict)))):
        return http({"error": {"message": f"Invalid schema: {schema}"}}, "400 Bad Request")
    if dialect == "chat":
        call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": name, "arguments": "{}"}}
        if stream:
            return [chat_ascii({"tool_calls": [call]}), chat_ascii({}, "tool_calls"), b"data: [DONE]\n\n"]
        return {**CHAT, "choices": [{"index": 0, "message": {"role": "assistant", "content": None, "tool_calls": [call]}, "finish_reason": "tool_calls"}], "usage": {"prompt_tokens": 7, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 0}}}
    if dialect == "responses":
        item = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": name, "arguments": "{}", "status": "completed"}
        final = {**whole("responses", "", USAGE, {}), "output": [item]}
        one = Stream("responses", USAGE, {})
        return [one.response_event("response.created", response={**final, "status": "in_progress", "output": []}), one.response_event("response.output_item.added", output_index=0, item={**item, "arguments": ""}),
                one.response_event("response.function_call_arguments.delta", item_id="fc_1", output_index=0, delta="{}"),
                one.response_event("response.output_item.done", output_index=0, item=item), one.response_event("response.completed", response=final)] if stream else final
    if dialect == "messages":
        block = {"type": "tool_use", "id": "call_1", "name": name, "input": {}}
        if not stream:
            return {**whole("messages", "", USAGE, {}), "content": [block], "stop_reason": "tool_use"}
        one = Stream("messages", USAGE, {"call": True})
        return [one.head().replace(b'"name": "note"', b'"name": ' + json.dumps(name).encode()), one.tail()]
    if dialect == "gemini":
        said = {"candidates": [{"content": {"role": "model", "parts": [{"functionCall": {"name": name, "args": {}}}]}, "index": 0, "finishReason": "STOP"}], "usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 3, "totalTokenCount": 10}}
        return [event_ascii(said)] if stream else said
    said = {"model": "m", "created_at": "2026-01-01T00:00:00Z", "message": {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": name, "arguments": {}}}]}, "done": True, "done_reason": "stop", "prompt_eval_count": 7, "eval_count": 3}
    return [json.dumps(said).encode() + b"\n"] if stream else said


NAMES = ["mcp__a_server_with_a_long_name__and_a_tool_with_a_longer_one_that_goes_on_and_on_for_ever_and_ever_and_a_day_more_than_anybody_would_think_of_", "files.read", "server:tool", "9lives", "plain_name"]
SCHEMAS = [None, {}, {"type": "object"}, {"properties": {"a": {"type": "string"}}}, {"$schema": "http://json-schema.org/draft-07/schema#", "additionalProperties": False}]


class ToolRules(Case):
    does = {"calls": calls_what_it_has}

    def test_names_and_schemas_are_such_as_the_target_takes_and_come_back(self):
        def one(front, behind, stream, name, schema):
            # A client of Gemini's own obeys its rules where both speak it.
            status, _, raw = self.ask(front, f"calls-{behind}", stream, offer(name, schema))
            if status != 200:
                return f"{front} {behind} {stream} {name} {schema}: {status} {raw[:300]}"
            got = CLIENTS[front].read(raw, stream)["calls"]
            if [n for n, _ in got] != [name]:
                return f"{front} {behind} {stream} {name}: called {got}"
        jobs = [(f, b, s, name, SCHEMAS[2]) for f, b in EVERY for s in (True, False) for name in NAMES]
        jobs += [(f, b, False, "plain_name", schema) for f, b in EVERY for schema in SCHEMAS if not (f == b and f in ("gemini", "ollama", "anthropic"))]
        self.every(one, jobs)


# ---- thoughts go back to who thought them ----

THOUGHT = "I should call the tool."


def wants_thoughts(dialect, request, stream):
    """DeepSeek and Kimi: a turn that calls a tool comes back with what was thought before it."""
    for number, message in enumerate(request["messages"]):
        if message.get("tool_calls") and not message.get("reasoning_content"):
            return http({"error": {"message": f"thinking is enabled but reasoning_content is missing in assistant tool call message at index {number}", "type": "invalid_request_error"}}, "400 Bad Request")
    if any(m["role"] == "tool" for m in request["messages"]):
        return answers("chat", request, stream, "done")
    call = {"index": 0, "id": "call_7", "type": "function", "function": {"name": "note", "arguments": '{"t": "x"}'}}
    if stream:
        return [chat_ascii({"role": "assistant", "reasoning_content": THOUGHT[:9]}), chat_ascii({"reasoning_content": THOUGHT[9:]}), chat_ascii({"tool_calls": [call]}), chat_ascii({}, "tool_calls"), b"data: [DONE]\n\n"]
    return {**CHAT, "choices": [{"index": 0, "message": {"role": "assistant", "content": None, "reasoning_content": THOUGHT, "tool_calls": [call]}, "finish_reason": "tool_calls"}], "usage": COUNTS}


def wants_signatures(dialect, request, stream):
    """Gemini 3: the first call of each turn comes back with its signature."""
    for content in request["contents"]:
        calls = [part for part in content["parts"] if "functionCall" in part]
        if calls and not calls[0].get("thoughtSignature"):
            return http({"error": {"code": 400, "message": "Function call is missing a thought_signature in functionCall parts.", "status": "INVALID_ARGUMENT"}}, "400 Bad Request")
    if any("functionResponse" in part for content in request["contents"] for part in content["parts"]):
        return answers("gemini", request, stream, "done")
    said = {"candidates": [{"content": {"role": "model", "parts": [{"functionCall": {"name": "note", "args": {"t": "x"}}, "thoughtSignature": "c2lnbmVk"}]}, "index": 0, "finishReason": "STOP"}], "usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 3, "totalTokenCount": 10}}
    return [event_ascii(said)] if stream else said


def second_turn(front, raw, stream, forgets):
    """What a client sends after a call: all that it was told, or, where it `forgets`, the call alone, and where its dialect can do without, no id."""
    call = {"name": "note", "input": {"t": "x"}}
    if front == "anthropic":
        blocks = [{"type": "tool_use", "id": "call_7", **call}]
        if not forgets:
            if stream:
                events = [json.loads(line[6:]) for line in raw.decode().split("\n") if line.startswith("data: ")]
                text = "".join(e["delta"].get("thinking", "") for e in events if e["type"] == "content_block_delta")
                sign = "".join(e["delta"].get("signature", "") for e in events if e["type"] == "content_block_delta")
                calls = [e["content_block"] for e in events if e["type"] == "content_block_start" and e["content_block"]["type"] == "tool_use"]
                blocks = [{"type": "thinking", "thinking": text, "signature": sign}, {**calls[0], "input": call["input"]}]
            else:
                blocks = json.loads(raw)["content"]
        ident = blocks[-1]["id"]
        return lambda body: {**offer("note")(body), "messages": body["messages"] + [{"role": "assistant", "content": blocks}, {"role": "user", "content": [{"type": "tool_result", "tool_use_id": ident, "content": "ok"}]}]}
    if front == "openai-responses":
        items = [{"type": "function_call", "call_id": "call_7", "name": "note", "arguments": '{"t": "x"}'}]
        if not forgets:
            response = json.loads(raw) if not stream else next(json.loads(line[6:])["response"] for line in raw.decode().split("\n") if line.startswith("data: ") and '"response.completed"' in line)
            items = response["output"]
        return lambda body: {**offer("note")(body), "input": body["input"] + items + [{"type": "function_call_output", "call_id": items[-1]["call_id"], "output": "ok"}]}
    if front == "gemini":
        parts = [{"functionCall": {"name": "note", "args": call["input"]}}]
        return lambda body: {**offer("note")(body), "contents": body["contents"] + [{"role": "model", "parts": parts}, {"role": "user", "parts": [{"functionResponse": {"name": "note", "response": {"output": "ok"}}}]}]}
    if front == "ollama":
        said = {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "note", "arguments": call["input"]}}]}
        return lambda body: {**offer("note")(body), "messages": body["messages"] + [said, {"role": "tool", "tool_name": "note", "content": "ok"}]}
    said = {"role": "assistant", "content": None, "tool_calls": [{"id": "call_7", "type": "function", "function": {"name": "note", "arguments": '{"t": "x"}'}}]}
    return lambda body: {**offer("note")(body), "messages": body["messages"] + [said, {"role": "tool", "tool_call_id": "call_7", "content": "ok"}]}


class Thoughts(Case):
    does = {"deep": wants_thoughts, "gemini-3-pro": wants_signatures}

    def turns(self, front, model, stream, forgets):
        status, _, raw = self.ask(front, model, stream, offer("note"))
        self.assertEqual(status, 200, raw)
        self.assertEqual([n for n, _ in CLIENTS[front].read(raw, stream)["calls"]], ["note"])
        status, headers, raw = self.ask(front, model, stream, second_turn(front, raw, stream, forgets))
        self.assertEqual(status, 200, raw)
        self.assertEqual(CLIENTS[front].read(raw, stream)["text"], "done")
        return headers

    def test_a_server_that_wants_its_reasoning_content_gets_it(self):
        upstream = self.upstreams["openai-chat"]
        for front in CLIENTS:
            for stream in (True, False):
                for forgets in (False, True):
                    with self.subTest(front=front, stream=stream, forgets=forgets):
                        self.turns(front, "deep-openai-chat", stream, forgets)
                        sent = [m.get("reasoning_content") for m in upstream.asked[-1][1]["messages"] if m.get("tool_calls")]
                        # What a client of its own dialect has lost before we knew is lost.
                        self.assertIn(sent, [[THOUGHT], [" "]] if front == "openai-chat" else [[THOUGHT]])

    def test_signatures_come_back_from_clients_that_have_no_place_for_them(self):
        upstream = self.upstreams["gemini"]
        for front in CLIENTS:
            for stream in (True, False):
                if front == "gemini":
                    continue  # its clients send what they got
                with self.subTest(front=front, stream=stream):
                    self.turns(front, "gemini-3-pro-gemini", stream, True)
                    sent = [p["thoughtSignature"] for c in upstream.asked[-1][1]["contents"] for p in c["parts"] if "functionCall" in p]
                    self.assertEqual(sent, ["c2lnbmVk"])

    def test_a_call_of_another_model_is_said_to_be_so(self):
        status, _, raw = self.ask("openai-chat", "gemini-3-pro-gemini", False, second_turn("openai-chat", b"", False, True))
        self.assertEqual(status, 200, raw)

    def test_by_previous_response_id_they_come_back_too(self):
        for stream in (True, False):
            first = lambda body: {**offer("note")(body), "store": True}
            status, _, raw = self.ask("openai-responses", "deep-openai-chat", stream, first)
            self.assertEqual(status, 200, raw)
            response = json.loads(raw) if not stream else next(json.loads(line[6:])["response"] for line in raw.decode().split("\n") if line.startswith("data: ") and '"response.completed"' in line)
            output = {"type": "function_call_output", "call_id": response["output"][-1]["call_id"], "output": "ok"}
            status, _, raw = self.ask("openai-responses", "deep-openai-chat", stream, lambda body: {**first(body), "input": [output], "previous_response_id": response["id"]})
            self.assertEqual(status, 200, raw)
            self.assertEqual(CLIENTS["openai-responses"].read(raw, stream)["text"], "done")
            sent = [m.get("reasoning_content") for m in self.upstreams["openai-chat"].asked[-1][1]["messages"] if m.get("tool_calls")]
            self.assertEqual(sent, [THOUGHT])


# ---- nothing for a minute ----

BEATS = {"openai-chat": b": keep-alive\n\n", "openai-responses": b": keep-alive\n\n", "anthropic": b'event: ping\ndata: {"type":"ping"}\n\n', "gemini": b"\n", "ollama": b'"content":""'}
SILENCE = 12.5


def reads_for_long(dialect, request, stream):
    time.sleep(SILENCE)
    return answers(dialect, request, stream)


def fails_after_long(dialect, request, stream):
    time.sleep(SILENCE)
    return raw_answer({"error": {"message": "it broke"}})


class Silence(Case):
    does = {"long": reads_for_long, "late": fails_after_long}

    def told(self, front, rest):
        """What the stream says of who answered, since its headers went out with a beat."""
        if front in ("gemini", "ollama"):
            text = b"".join(re.split(rb"\r?\n?[0-9a-f]+\r\n", rest)).decode()
            objects = [json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line.removeprefix("data: ").startswith("{")]
            return next((json.dumps(one["tandem"]) for one in objects if "tandem" in one), "")
        return next((line for line in rest.decode().splitlines() if line.startswith(": tandem: ")), "")

    def first_bytes(self, front, model):
        """(seconds to the first byte of the answer, all of it)."""
        client = CLIENTS[front]
        body = client.request("text", True)
        path = client.path_for(True).replace("models/m:", f"models/{model}:") if front == "gemini" else client.path
        if front != "gemini":
            body["model"] = model
        data = json.dumps(body).encode()
        with socket.create_connection(("127.0.0.1", self.tandem.port), 60) as line:
            line.sendall(f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data)
            began = time.monotonic()
            raw = line.recv(65536)
            first = time.monotonic() - began
            while more := line.recv(65536):
                raw += more
        return first, raw

    def test_a_client_hears_within_fifteen_seconds_that_it_is_being_worked_at(self):
        def one(front, model):
            first, raw = self.first_bytes(front, model)
            head, _, rest = raw.partition(b"\r\n\r\n")
            if not (5 < first < 12 and head.startswith(b"HTTP/1.1 200") and BEATS[front] in rest):
                return f"{front} {model}: first byte after {first:.1f} s: {raw[:600]}"
            if model.startswith("late") and "spare" not in model:
                return None if b"it broke" in rest and b'"error"' in rest else f"{front} {model}: no error: {rest[-300:]}"
            text = b"".join(re.split(rb"\r?\n?[0-9a-f]+\r\n", rest)).replace(b"\r\n", b"")
            told = self.told(front, rest)
            fell = "or-spare" not in model or ("spare" in told and "it broke" in told)
            if not ("provider" in told and "cloud" in told and fell):
                return f"{front} {model}: who answered is not told: {told or rest[-400:]}"
            return None if b"Hello there" in rest else f"{front} {model}: {text[-400:]}"
        jobs = [(f, f"{m}-{b}") for f in CLIENTS for m, b in (("long", f), ("long", "openai-chat" if f != "openai-chat" else "anthropic"), ("late", "openai-chat"), ("late", "openai-chat-or-spare"))]
        with concurrent.futures.ThreadPoolExecutor(len(jobs)) as pool:
            self.assertEqual([found for found in pool.map(lambda job: one(*job), jobs) if found], [])
        # A beat is no first byte of an answer.
        lines = [line for line in self.tandem.log_text().splitlines() if " info request " in line and " first_byte_ms=" in line and "status=200" in line and "model=" in line]
        first = [int(re.search(r" first_byte_ms=(\d+)", line)[1]) for line in lines if re.search(r" model=(long|spare)", line)]
        self.assertGreaterEqual(len(first), len(CLIENTS))
        self.assertGreaterEqual(min(first), SILENCE * 1000 - 500, lines)


if __name__ == "__main__":
    unittest.main()
