"""Answers of servers of Chat Completions that are not as OpenAI gives them: calls in odd pieces, usage in odd places, thoughts in other
tags. For every dialect in front."""
import gzip
import json
import unittest

from matrix_test import CLIENTS
from providers_test import CHAT, COUNTS, Case, answers, chat_ascii, event_ascii, offer
from scripted import Stream, whole

DONE = b"data: [DONE]\n\n"


def piece(index=0, **call):
    return {**({} if index is None else {"index": index}), **call}


def function(name=None, arguments=None):
    return {"function": {**({} if name is None else {"name": name}), **({} if arguments is None else {"arguments": arguments})}}


def calls_in(*pieces, end="tool_calls"):
    """A stream of these pieces, or, where it is asked for whole, one call as such servers give it."""
    def does(dialect, request, stream):
        return [chat_ascii({"role": "assistant", "content": None})] + [chat_ascii({"tool_calls": [one]}) for one in pieces] + [chat_ascii({}, end), DONE]
    return does


FIRST = piece(id="call_1", type="function", **function("note", ""))
# By name: the pieces of a stream in which one tool is called with {"t": "x"}.
STREAMS = {
    "name-each-time": (piece(id="call_1", type="function", **function("note", '{"t"')), piece(id="call_1", type="function", **function("note", ': "x"')), piece(id="call_1", type="function", **function("note", "}"))),
    "nulls": (FIRST, piece(id=None, type=None, **{"function": {"name": None, "arguments": '{"t": "x"}'}})),
    "empty-texts": (FIRST, piece(id="", **function("", '{"t": ')), piece(id="", **function("", '"x"}'))),
    "late-name": (piece(id="call_1", type="function", **function("", "")), piece(**function("note", '{"t": "x"}'))),
    "late-id": (piece(type="function", **function("note", "")), piece(**function(None, '{"t": "x"}'))),
    "number-for-id": (piece(id=17, type="function", **function("note", '{"t": "x"}')),),
    "object": (piece(id="call_1", type="function", **function("note", {"t": "x"})),),
    "null-arguments": (piece(id="call_1", type="function", **{"function": {"name": "note", "arguments": None}}), piece(**function(None, '{"t": "x"}'))),
    "said-again": (piece(id="call_1", type="function", **function("note", '{"t": ')), piece(**function(None, '"x"}')), piece(id="call_1", type="function", **function("note", '{"t": "x"}'))),
    "gap": (piece(3, id="call_1", type="function", **function("note", '{"t": "x"}')),),
}
EMPTY = {"no-arguments": (FIRST,), "null-alone": (piece(id="call_1", type="function", **{"function": {"name": "note", "arguments": None}}),), "left-out": (piece(id="call_1", type="function", **function("note")),)}
# Where only a client of another dialect is told what is meant.
MEANT = {"braces-before": (FIRST, piece(**function(None, "{}")), piece(**function(None, '{"t": "x"}'))), "twice-encoded": (piece(id="call_1", type="function", **function("note", json.dumps('{"t": "x"}'))),)}
WHOLES = {"object": {"id": "call_1", "type": "function", **function("note", {"t": "x"})}, "no-id": {"type": "function", **function("note", '{"t": "x"}')}, "number": {"id": 17, **function("note", '{"t": "x"}')},
          "text": {"id": "call_1", "type": "function", **function("note", json.dumps('{"t": "x"}'))}}


def whole_call(call):
    return lambda dialect, request, stream: {**CHAT, "choices": [{"index": 0, "message": {"role": "assistant", "content": None, "tool_calls": [call]}, "finish_reason": "tool_calls"}], "usage": COUNTS}


def two_at_one_place(dialect, request, stream):
    return calls_in(FIRST, piece(**function(None, '{"t": "a"}')), piece(**function(None, '{"t": "b"}')))(dialect, request, stream)


def both_ways(dialect, request, stream):
    call = {"name": "note", "arguments": '{"t": "x"}'}
    if not stream:
        return {**CHAT, "choices": [{"index": 0, "message": {"role": "assistant", "content": None, "function_call": call, "tool_calls": [{"id": "call_1", "type": "function", "function": call}]}, "finish_reason": "tool_calls"}], "usage": COUNTS}
    halves = ({"name": "note", "arguments": '{"t": '}, {"arguments": '"x"}'})
    said = [chat_ascii({"function_call": half, "tool_calls": [{"index": 0, **({} if number else {"id": "call_1", "type": "function"}), "function": half}]}) for number, half in enumerate(halves)]
    return said + [chat_ascii({}, "tool_calls"), DONE]


# ---- usage ----

def chunk(**more):
    return event_ascii({"id": "id-1", "object": "chat.completion.chunk", "created": 1, "model": "m", **more})


def uses(usage, place="beside"):
    """place: beside the choices, in one of them (Moonshot), or in a member of Groq's."""
    def does(dialect, request, stream):
        choice = {"index": 0, "finish_reason": "stop", **({"usage": usage} if place == "choice" else {})}
        beside = {"usage": usage} if place == "beside" else {"x_groq": {"usage": usage}} if place == "groq" else {}
        if not stream:
            return {**CHAT, "choices": [{**choice, "message": {"role": "assistant", "content": "Hello there"}}], **beside}
        return [chat_ascii({"content": "Hello there"}), chunk(choices=[{**choice, "delta": {}}], **beside), DONE]
    return does


# (input, output) that each means.
USAGES = {"moonshot": (uses({"prompt_tokens": 70, "completion_tokens": 30, "total_tokens": 100, "cached_tokens": 20}, "choice"), (70, 30)),
          "groq": (uses({"prompt_tokens": 70, "completion_tokens": 30, "total_tokens": 100}, "groq"), (70, 30)),
          "texts": (uses({"prompt_tokens": "70", "completion_tokens": "30"}), (70, 30)),
          "fractions": (uses({"prompt_tokens": 70.0, "completion_tokens": 30.0}), (70, 30)),
          "other-names": (uses({"input_tokens": 70, "output_tokens": 30}), (70, 30)),
          "xai": (uses({"prompt_tokens": 70, "completion_tokens": 30, "total_tokens": 400, "completion_tokens_details": {"reasoning_tokens": 300}}), (70, 330)),
          "gemini": (uses({"prompt_tokens": 70, "completion_tokens": 30, "total_tokens": 400}), (70, 330)),
          "openai": (uses({"prompt_tokens": 70, "completion_tokens": 330, "total_tokens": 400, "completion_tokens_details": {"reasoning_tokens": 300}}), (70, 330))}


# ---- thoughts ----

TAGS = {"think": ("<think>", "</think>"), "thinking": ("<thinking>", "</thinking>"), "thought": ("<thought>", "</thought>"), "kimi": ("◁think▷", "◁/think▷")}


def thinks_in(opens, closes):
    text = f"{opens}I should greet.{closes}\n\nHello there"
    def does(dialect, request, stream):
        if not stream:
            return answers("chat", request, stream, text)
        return [chat_ascii({"content": text[at:at + 3]}) for at in range(0, len(text), 3)] + [chat_ascii({}, "stop"), DONE]
    return does


MEMBERS = {"reasoning_content": "I should greet.", "reasoning": "I should greet.", "thinking": {"content": "I should greet."}, "thinking_content": "I should greet."}


def thinks_as(member, thought):
    """Its last thought and its first word in one chunk."""
    def does(dialect, request, stream):
        if not stream:
            return {**CHAT, "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello there", member: thought}, "finish_reason": "stop"}], "usage": COUNTS}
        return [chat_ascii({"content": "Hello ", member: thought}), chat_ascii({"content": "there"}), chat_ascii({}, "stop"), DONE]
    return does


def counts_its_thoughts(dialect, request, stream):
    """vLLM's content_index goes up with each delta."""
    one = Stream("responses", {"input": 7, "output": 3}, {})
    thoughts = [one.response_event("response.reasoning_text.delta", item_id="rs_1", output_index=0, content_index=number, delta=word) for number, word in enumerate(("I ", "should ", "greet."))]
    item = {"type": "reasoning", "id": "rs_1", "summary": [], "content": [{"type": "reasoning_text", "text": "I should greet."}]}
    final = {**whole("responses", "Hello there", {"input": 7, "output": 3}, {})}
    final["output"] = [item, *final["output"]]
    return final if not stream else [one.response_event("response.created", response={**final, "status": "in_progress", "output": []}), one.response_event("response.output_item.added", output_index=0, item={**item, "content": []}),
                                     *thoughts, one.response_event("response.output_item.done", output_index=0, item=item), one.response_event("response.completed", response=final)]


def thinks_before_it_begins(dialect, request, stream):
    """Qwen's templates say <think> in the prompt."""
    return answers("chat", request, stream, "I should greet.\n</think>\n\nHello there")


# ---- calls in the text ----

CALL = '{"name": "note", "arguments": {"t": "x"}}'
WRITTEN = {"bare": (CALL, ""), "spread": ('{\n  "name": "note",\n  "arguments": {\n    "t": "x"\n  }\n}\n', ""), "tagged": (f"<tool_call>\n{CALL}\n</tool_call>", ""),
           "behind-words": (f"I will call it.\n<tool_call>\n{CALL}\n</tool_call>", "I will call it.\n"), "behind-thoughts": (f"<think>hm</think>\n<tool_call>{CALL}</tool_call>", ""), "open": (f"<tool_call>\n{CALL}", "")}
NO_CALLS = {"another": '{"name": "other", "arguments": {"t": "x"}}', "words-behind": CALL + " is how it is called", "half": '{"name": "note", "arguments": {"t": ', "object": '{"name": "note"}', "quoted": "Use <tool_call> for it"}


def writes(text):
    def does(dialect, request, stream):
        if not stream:
            return answers(dialect, request, stream, text)
        one = Stream(dialect, {"input": 7, "output": 3}, {})
        return [one.head()] + [one.piece(text[at:at + 4]) for at in range(0, len(text), 4)] + [one.tail()]
    return does


# ---- bytes as servers send them ----

def chunked(data, cuts=7, trailer=b"", extension=b""):
    pieces = [data[at:at + cuts] for at in range(0, len(data), cuts)]
    return b"".join(b"%X%s\r\n%s\r\n" % (len(one), extension, one) for one in pieces) + b"0\r\n" + trailer + b"\r\n"


def head(*lines, status="HTTP/1.1 200 OK"):
    return "\r\n".join([status, *lines, "", ""]).encode()


STREAM = b"".join([chat_ascii({"role": "assistant", "content": "Hello "}), chat_ascii({"content": "there"}), chat_ascii({}, "stop"), DONE])
WIRE = {"chunked": head("content-type: text/event-stream", "transfer-encoding: chunked") + chunked(STREAM),
        "extensions": head("Content-Type: text/event-stream; charset=utf-8", "Transfer-Encoding: Chunked") + chunked(STREAM, 40, b"x-sum: 1\r\n", b";a=b"),
        "old": head("Content-Type: text/event-stream", status="HTTP/1.0 200 OK") + STREAM,
        "no-reason": head("Content-Type: text/event-stream", "Connection: close", status="HTTP/1.1 200 ") + STREAM,
        "length": head("Content-Type: text/event-stream", f"Content-Length: {len(STREAM)}") + STREAM,
        "other-type": head("Content-Type: application/json", "Connection: close") + STREAM,
        "plain-type": head("Content-Type: text/plain", "Connection: close") + STREAM,
        "no-type": head("Connection: close") + STREAM,
        "crlf": head("Content-Type: text/event-stream", "Connection: close") + STREAM.replace(b"\n", b"\r\n"),
        "cr": head("Content-Type: text/event-stream", "Connection: close") + STREAM.replace(b"\n", b"\r"),
        "bom": head("Content-Type: text/event-stream", "Connection: close") + b"\xef\xbb\xbf" + STREAM,
        "no-blank": head("Content-Type: text/event-stream", "Connection: close") + STREAM.replace(b"data: ", b"data:"),
        "no-end": head("Content-Type: text/event-stream", "Connection: close") + STREAM.rstrip(b"\n"),
        "continues": b"HTTP/1.1 100 Continue\r\n\r\n" + head("Content-Type: text/event-stream", "Connection: close") + STREAM,
        "hints": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + head("Content-Type: text/event-stream", "Connection: close") + STREAM,
        "named": head("Content-Type: text/event-stream", "Connection: close") + b"retry: 3000\nid: 7\nevent: message\n" + STREAM,
        "comments": head("Content-Type: text/event-stream", "Connection: close") + b": OPENROUTER PROCESSING\n\n" + STREAM + b": bye\n\n",
        "many-lines": head("Content-Type: text/event-stream", "Connection: close") + STREAM.replace(b', "choices"', b',\ndata: "choices"'),
        "azure": head("Content-Type: text/event-stream", "Connection: close") + event_ascii({"id": "", "object": "", "created": 0, "model": "", "choices": [], "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {}}]})
        + STREAM.replace(DONE, b"") + event_ascii({"id": "", "object": "", "created": 0, "model": "", "choices": [{"index": 0, "finish_reason": None, "content_filter_offsets": {"check_offset": 0}, "content_filter_results": {}}]}) + DONE,
        "gzip": head("Content-Type: text/event-stream", "Content-Encoding: gzip", "Connection: close") + gzip.compress(STREAM)}


class OddAnswers(Case):
    does = {f"s-{n}": calls_in(*p) for n, p in {**STREAMS, **EMPTY, **MEANT}.items()} | {f"stop-{n}": calls_in(*p, end="stop") for n, p in STREAMS.items()} | {f"w-{n}": whole_call(c) for n, c in WHOLES.items()} \
        | {"two": two_at_one_place, "both": both_ways} | {f"u-{n}": how for n, (how, _) in USAGES.items()} | {f"t-{n}": thinks_in(*tags) for n, tags in TAGS.items()} \
        | {f"b-{n}": (lambda data: lambda d, r, s: data)(data) for n, data in WIRE.items()} | {f"m-{n}": thinks_as(n, thought) for n, thought in MEMBERS.items()} | {"t-counted": counts_its_thoughts, "t-closing": thinks_before_it_begins} | {f"c-{n}": writes(text) for n, (text, _) in WRITTEN.items()} | {f"n-{n}": writes(text) for n, text in NO_CALLS.items()}

    def called(self, front, model, stream):
        status, _, raw = self.ask(front, f"{model}-openai-chat", stream, offer("note"))
        self.assertEqual(status, 200, raw)
        said = CLIENTS[front].read(raw, stream)
        return raw, [(n, json.loads(a) if isinstance(a, str) else a) for n, a in said["calls"]]

    def test_calls_in_odd_pieces_are_the_calls_that_they_mean(self):
        for front in CLIENTS:
            for name in STREAMS:
                for end in ("s", "stop"):
                    with self.subTest(front=front, name=name, end=end):
                        raw, calls = self.called(front, f"{end}-{name}", True)
                        self.assertEqual(calls, [("note", {"t": "x"})], raw)
            for name in EMPTY:
                with self.subTest(front=front, name=name):
                    raw, calls = self.called(front, f"s-{name}", True)
                    self.assertEqual(calls, [("note", {})], raw)
            for name in MEANT:
                if front != "openai-chat":
                    with self.subTest(front=front, name=name):
                        raw, calls = self.called(front, f"s-{name}", True)
                        self.assertEqual(calls, [("note", {"t": "x"})], raw)

    def test_a_client_that_adds_pieces_up_has_one_id_and_one_name(self):
        for name in [*STREAMS, *EMPTY]:
            with self.subTest(name=name):
                _, _, raw = self.ask("openai-chat", f"s-{name}-openai-chat", True, offer("note"))
                ids = names = ""
                first = True
                for line in raw.decode().split("\n"):
                    for call in [c for choice in json.loads(line[6:])["choices"] for c in choice["delta"].get("tool_calls", [])] if line.startswith("data: {") else []:
                        if first:
                            self.assertTrue(isinstance(call["id"], str) and call["id"] and call["function"]["name"] == "note" and isinstance(call["function"]["arguments"], str), raw)
                        first = False
                        ids += call.get("id") or ""
                        names += call["function"].get("name") or ""
                        self.assertEqual(call["index"], 0)
                self.assertEqual(names, "note")
                self.assertTrue(ids in ("call_1", "17") or len(ids) == 29, ids)

    def test_whole_calls_in_odd_forms(self):
        for front in CLIENTS:
            for name in WHOLES:
                with self.subTest(front=front, name=name):
                    raw, calls = self.called(front, f"w-{name}", False)
                    self.assertEqual(calls, [("note", {"t": "x"})], raw)
            for stream in (False, True):
                self.assertEqual(self.called(front, "both", stream)[1], [("note", {"t": "x"})])
            self.assertEqual(self.called(front, "two", True)[1], [("note", {"t": "a"}), ("note", {"t": "b"})])

    def test_usage_is_found_where_a_server_says_it(self):
        for front in CLIENTS:
            for stream in (False, True):
                for name, (_, meant) in USAGES.items():
                    with self.subTest(front=front, stream=stream, name=name):
                        status, headers, raw = self.ask(front, f"u-{name}-openai-chat", stream)
                        self.assertEqual(status, 200, raw)
                        self.assertEqual(self.attempt(headers["x-tandem-decision"]), ("answered", *meant, 0))

    def test_thoughts_in_other_tags_are_thoughts(self):
        for front in CLIENTS:
            if front == "openai-chat":
                continue  # its clients get the provider's bytes
            for stream in (False, True):
                for name in TAGS:
                    with self.subTest(front=front, stream=stream, name=name):
                        status, _, raw = self.ask(front, f"t-{name}-openai-chat", stream)
                        said = CLIENTS[front].read(raw, stream)
                        self.assertEqual((status, said["text"], said["think"]), (200, "Hello there", "I should greet."))

    def test_a_stream_is_read_however_its_bytes_are_wrapped(self):
        for front in CLIENTS:
            for name in WIRE:
                with self.subTest(front=front, name=name):
                    status, _, raw = self.ask(front, f"b-{name}-openai-chat", True)
                    self.assertEqual(status, 200, raw)
                    if (front, name) != ("openai-chat", "azure"):
                        self.assertEqual(CLIENTS[front].read(raw, True)["text"], "Hello there")
                    else:  # whose clients know its chunks about filters
                        self.assertTrue(b"Hello " in raw and raw.endswith(DONE), raw)

    def test_thoughts_in_other_members_and_beside_words_are_thoughts(self):
        for front in CLIENTS:
            for stream in (False, True):
                for name in [f"m-{member}-openai-chat" for member in MEMBERS if front != "openai-chat"] + ["t-counted-openai-responses"] * (front != "openai-responses"):
                    with self.subTest(front=front, stream=stream, name=name):
                        status, _, raw = self.ask(front, name, stream)
                        said = CLIENTS[front].read(raw, stream)
                        self.assertEqual((status, said["text"], said["think"]), (200, "Hello there", "I should greet."))

    def test_thoughts_that_only_end_are_seen_in_an_answer_of_one_piece(self):
        for front in CLIENTS:
            if front != "openai-chat":
                _, _, raw = self.ask(front, "t-closing-openai-chat", False)
                said = CLIENTS[front].read(raw, False)
                self.assertEqual((said["text"], said["think"]), ("Hello there", "I should greet.\n"))

    def test_calls_that_a_model_writes_into_its_text_are_calls(self):
        for front, behind in [(f, b) for f in CLIENTS for b in ("openai-chat", "ollama") if f != b]:
            for stream in (False, True):
                for name, (_, text) in WRITTEN.items():
                    with self.subTest(front=front, behind=behind, stream=stream, name=name):
                        status, _, raw = self.ask(front, f"c-{name}-{behind}", stream, offer("note"))
                        said = CLIENTS[front].read(raw, stream)
                        calls = [(n, json.loads(a) if isinstance(a, str) else a) for n, a in said["calls"]]
                        self.assertEqual((status, calls, said["text"]), (200, [("note", {"t": "x"})], text), raw)
                        if front == "anthropic":
                            self.assertIn(b'"stop_reason":"tool_use"', raw)
                for name, text in NO_CALLS.items():
                    with self.subTest(front=front, behind=behind, stream=stream, name=name):
                        status, _, raw = self.ask(front, f"n-{name}-{behind}", stream, offer("note"))
                        said = CLIENTS[front].read(raw, stream)
                        self.assertEqual((status, said["calls"], said["text"]), (200, [], text), raw)


if __name__ == "__main__":
    unittest.main()
