"""Servers that take less of a dialect than who made it, and say so in their own words or in none: fields that can be left out, tools and
items that only OpenAI and Anthropic have, images in results, calls without a result, thoughts of another provider. The client speaks the
server's own dialect, so that its bytes are what is asked first. Then answers that leave out what every client reads."""
import json
import unittest

import harness
from matrix_test import CLIENTS, sse
from providers_test import CHAT, COUNTS, Case, answers, chat_ascii

HI = [{"role": "user", "content": "hi"}]
SCHEMA = {"type": "object", "properties": {"q": {"type": "string"}}}
PNG = "data:image/png;base64,iVBORw0KGgo="
FIELDS = {"store": False, "metadata": {"a": "b"}, "user": "u", "service_tier": "auto", "prediction": {"type": "content", "content": "x"}, "web_search_options": {}, "modalities": ["text"],
          "provider": {"order": ["x"]}, "usage": {"include": True}, "options": {"num_ctx": 4096}, "keep_alive": "5m", "chat_id": "x", "presence_penalty": 0.5, "seed": 3, "n": 1,
          "logprobs": False, "response_format": {"type": "text"}}
KNOWN = {"model", "messages", "stream", "stream_options", "max_tokens", "tools", "tool_choice"}


def refused(body, status="400 Bad Request"):
    return harness.http(body, status, extra="Connection: close\r\n")


def said(message):
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}}


def camel(name):
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def google(name):
    text = f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.'
    return [{"error": {"code": 400, "message": text, "status": "INVALID_ARGUMENT", "details": [{"fieldViolations": [{"description": text}]}]}}]


# What servers say of a field that they do not know.
WORDS = {
    "openai": lambda n: said(f"Unrecognized request argument supplied: {n}"),
    "openai-newer": lambda n: said(f"Unknown parameter: '{n}'."),
    "groq": lambda n: said(f"property '{n}' is unsupported"),
    "mistral": lambda n: {"object": "error", "message": {"detail": [{"type": "extra_forbidden", "loc": ["body", n], "msg": "Extra inputs are not permitted", "input": "x"}]}, "code": None},
    "google": google,
    "fireworks": lambda n: said(f"Extra inputs are not permitted, field: '{n}', value: 'x'"),
    "bedrock": lambda n: {"message": f"Malformed input request: #: extraneous key [{n}] is not permitted, please reformat your input and try again."},
    "go": lambda n: {"message": f'invalid request: json: unknown field "{n}"'},
    "azure": lambda n: said(f"Additional properties are not allowed ('{n}' was unexpected)"),
    "nim": lambda n: {"detail": f"Validation: Unsupported parameter(s): `{n}`"},
    "xai": lambda n: {"code": "Client specified an invalid argument", "error": f"Argument not supported on this model: {n}"},
    "xai-camel": lambda n: {"code": "Client specified an invalid argument", "error": f"Model grok-4 does not support parameter {camel(n)}."},
    "serde": lambda n: said(f"Failed to deserialize the JSON body into the target type: unknown field `{n}`, expected one of `model`, `messages` at line 1 column 5"),
    "dashscope": lambda n: said(f"<400> InternalError.Algo.InvalidParameter: The parameter {n} is not supported."),
    "together": lambda n: said(f"Unknown field in request body: {n}"),
    "cohere": lambda n: {"id": "x", "message": f"{n}: field is not supported by this model"},
}


def knows_few_fields(words):
    def does(dialect, request, stream):
        for name in request:
            if name not in KNOWN:
                return refused(words(name), "422 Unprocessable Entity" if words is WORDS["mistral"] else "400 Bad Request")
        return answers(dialect, request, stream)
    return does


def only_plain_chat(dialect, request, stream):
    """It names nothing of what it refuses."""
    open_calls = set()
    for message in request["messages"]:
        text = message.get("content")
        good = message["role"] == "user" or text is None or isinstance(text, str)
        good = good and not (isinstance(text, list) and all(p["type"] == "text" for p in text)) and "functions" not in request
        good = good and set(message) <= {"role", "content", "tool_calls", "tool_call_id"} and (message["role"] == "tool" or not open_calls)
        if message["role"] == "tool":
            good = good and message["tool_call_id"] in open_calls
            open_calls.discard(message["tool_call_id"])
        open_calls |= {c["id"] for c in message.get("tool_calls", [])}
        if not good:
            return refused(said("The request is malformed."))
    choice = request.get("tool_choice", "auto")
    if any(t["type"] != "function" for t in request.get("tools", [])) or (isinstance(choice, dict) and choice["type"] != "function"):
        return refused(said("The request is malformed."))
    return answers(dialect, request, stream)


def only_plain_responses(dialect, request, stream):
    for name in ("store", "include"):
        if name in request:
            return refused(said(f"Unknown parameter: '{name}'."))
    kinds = {item.get("type", "message") for item in request["input"]} if isinstance(request["input"], list) else set()
    if kinds - {"message", "function_call", "function_call_output", "reasoning"} or any(t["type"] != "function" for t in request.get("tools", [])):
        return refused(said("Bad request"), "422 Unprocessable Entity")
    return answers(dialect, request, stream)


def only_plain_messages(dialect, request, stream):
    blocks = [b["type"] for m in request["messages"] if isinstance(m["content"], list) for b in m["content"]]
    roles = [m["role"] for m in request["messages"]]
    if set(blocks) - {"text", "image", "tool_use", "tool_result"} or any("type" in t for t in request.get("tools", [])) or any(a == b for a, b in zip(roles, roles[1:])):
        return refused({"type": "error", "error": {"type": "invalid_request_error", "message": "invalid params"}})
    return answers(dialect, request, stream)


def refusal_of_others_thoughts(dialect):
    if dialect == "messages":
        return {"type": "error", "error": {"type": "invalid_request_error", "message": "messages.1.content.0: Invalid `signature` in `thinking` block"}}
    if dialect == "responses":
        return {"error": {**said("The encrypted content OTHE...ERS= could not be verified. Reason: Encrypted content could not be decrypted or parsed.")["error"], "code": "invalid_encrypted_content"}}
    return {"error": {"code": 400, "message": "Thought signature is not valid.", "status": "INVALID_ARGUMENT"}}


def takes_no_thoughts_of_others(dialect, request, stream):
    if "OTHERS" in json.dumps(request):
        return refused(refusal_of_others_thoughts(dialect))
    return answers(dialect, request, stream)


def takes_none_and_says_so_within_a_200(dialect, request, stream):
    """Where the history is only read once the stream has begun; Responses has an event for it, and first one that says that it begins."""
    if "OTHERS" not in json.dumps(request):
        return answers(dialect, request, stream)
    refusal = refusal_of_others_thoughts(dialect)
    if not stream:
        return harness.http(refusal, extra="Connection: close\r\n")
    if dialect != "responses":
        return harness.SSE_HEAD + (b"event: error\n" if dialect == "messages" else b"") + f"data: {json.dumps(refusal)}\n\n".encode()
    begun = {"id": "resp_1", "object": "response", "status": "in_progress", "model": "m", "output": []}
    events = [{"type": "response.created", "sequence_number": 0, "response": begun}, {"type": "response.failed", "sequence_number": 1, "response": {**begun, "status": "failed", "error": refusal["error"]}}]
    return harness.SSE_HEAD + b"".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n".encode() for e in events)


def system_first(dialect, request, stream):
    """Templates of Qwen's models."""
    if any(m["role"] == "system" for m in request["messages"][1:]):
        return refused(said("Error rendering prompt with jinja template: \"System message must be at the beginning.\""))
    return answers(dialect, request, stream)


def streams_only(dialect, request, stream):
    if not stream:
        return refused(said("parameter.enable_thinking must be set to false for non-streaming calls"))
    return answers(dialect, request, stream)


def one_system(dialect, request, stream):
    if any(m["role"] in ("system", "developer") for m in request["messages"][1:]):
        return refused({"error": {"code": 500, "message": "Jinja Exception: System message must be at the beginning.", "type": "server_error"}}, "500 Internal Server Error")
    return answers(dialect, request, stream)


def marks_beginnings(dialect, request, stream):
    last = request["messages"][-1]
    if last["role"] == "assistant" and last.get("prefix") is not True:
        return refused(said("Expected last role User or Tool (or Assistant with prefix True) for serving but got assistant"))
    return answers(dialect, request, stream)


def misspeaks(dialect, request, stream):
    return refused({"error": {"message": "Failed to call a function. Please adjust your prompt. See 'failed_generation' for more details.", "type": "invalid_request_error", "code": "tool_use_failed",
                              "failed_generation": "<function=note{}"}})


def alternates(dialect, request, stream):
    roles = [m["role"] for m in request["messages"] if m["role"] != "system"]
    if any(a == b for a, b in zip(roles, roles[1:])):
        return refused(said("After the (optional) system message(s), user or tool message(s) should alternate with assistant message(s)."))
    return answers(dialect, request, stream)


# ---- answers ----

def chunks(*chunks):
    return lambda dialect, request, stream: [*(c if isinstance(c, bytes) else b"data: " + json.dumps(c).encode() + b"\n\n" for c in chunks), b"data: [DONE]\n\n"]


def choice(**fields):
    return {"id": "c1", "object": "chat.completion.chunk", "created": 7, "model": "x", "choices": [{"index": 0, **fields}]}


def in_one_piece(**fields):
    return lambda dialect, request, stream: {**CHAT, "usage": COUNTS, "choices": [{"index": 0, "finish_reason": "stop", **fields}]}


def without(*names):
    def does(dialect, request, stream):
        if stream:
            pieces = [choice(delta={"content": "Hel"}, finish_reason=None), choice(delta={"content": "lo"}, finish_reason="stop")]
            return chunks(*({**p, **{n: None for n in names}} for p in pieces))(dialect, request, stream)
        return {**{k: v for k, v in CHAT.items() if k not in names}, "usage": COUNTS, "choices": [{"message": {"content": "Hello"}, "finish_reason": None}]}
    return does


CALL = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "note", "arguments": "{}"}}


def calls_and_stops(dialect, request, stream):
    if stream:
        return [chat_ascii({"role": "assistant", "tool_calls": [CALL]}), chat_ascii({}, "stop"), b"data: [DONE]\n\n"]
    return {**CHAT, "usage": COUNTS, "choices": [{"index": 0, "message": {"role": "assistant", "content": None, "tool_calls": [CALL]}, "finish_reason": "stop"}]}


def bare_anthropic(dialect, request, stream):
    """No names of events, no usage, no content in the beginning."""
    if not stream:
        return {"id": "m", "model": "x", "type": "message", "role": "assistant", "content": "Hello", "stop_reason": None}
    events = [{"type": "message_start", "message": {"id": "m", "model": "x"}}, {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
              {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello"}}, {"type": "content_block_stop", "index": 0},
              {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}, {"type": "message_stop"}]
    return [b"data: " + json.dumps(e).encode() + b"\n\n" for e in events]


LACKING = {
    "null-delta": chunks(choice(delta=None, finish_reason=None), choice(delta={"content": "Hello"}, finish_reason=None), choice(delta={}, finish_reason="stop")),
    "no-delta": chunks(choice(delta={"content": "Hello"}, finish_reason=None), choice(finish_reason="stop")),
    "message": chunks(choice(message={"role": "assistant", "content": "Hello"}, finish_reason="stop")),
    "parts": chunks(choice(delta={"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "Hello"}]}, finish_reason=None), choice(delta={}, finish_reason="stop")),
    "nameless": without("id", "object", "created", "model"),
    "nulls": chunks(b"data: null\n\n", {**choice(delta={"role": None, "content": "Hello", "tool_calls": None}, finish_reason=None), "object": "chat.completion"}, choice(delta={}, finish_reason="stop")),
    "empties": chunks(*(choice(delta={**delta, "role": "", "tool_calls": [], "function_call": ""}, finish_reason=end) for delta, end in (({"content": "Hel"}, None), ({"content": "lo"}, None), ({}, "stop")))),
    "usage-alone": chunks(choice(delta={"content": "Hello"}, finish_reason=None), choice(delta={}, finish_reason="stop"), {"id": "usage-1", "model": "x", "usage": COUNTS}),
    "no-empty-lines": lambda d, r, s: [b"data: " + json.dumps(choice(delta={"content": "Hel"}, finish_reason=None)).encode() + b"\n", b"data: " + json.dumps(choice(delta={"content": "lo"}, finish_reason="stop")).encode() + b"\ndata: [DONE]\n"],
}
WHOLE = {"whole-parts": in_one_piece(message={"role": "assistant", "content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "Hello"}]}),
         "whole-nameless": without("id", "object", "created", "model"), "whole-text": in_one_piece(text="Hello")}


def two_systems(front):
    """Of Chat Completions and Responses two system messages at the beginning, of Anthropic one in the middle, as Claude Code sends them."""
    def change(body):
        if front == "openai-chat":
            return {**body, "messages": [{"role": "system", "content": "FIRST"}, {"role": "developer", "content": "SECOND"}, *HI]}
        if front == "openai-responses":
            return {**body, "instructions": "FIRST", "input": [{"role": "developer", "content": "SECOND"}, {"role": "user", "content": "hi"}]}
        if front == "anthropic":
            return {**body, "system": "FIRST", "messages": [*HI, {"role": "system", "content": "SECOND"}]}
        if front == "gemini":
            return {**body, "systemInstruction": {"parts": [{"text": "FIRST"}, {"text": "SECOND"}]}}
        return {**body, "messages": [{"role": "system", "content": "FIRST"}, {"role": "system", "content": "SECOND"}, *HI]}
    return change


def says(text):
    return lambda dialect, request, stream: answers(dialect, request, stream, text)


def wants_json(front):
    def change(body):
        if front == "openai-chat":
            return {**body, "response_format": {"type": "json_object"}}
        if front == "openai-responses":
            return {**body, "text": {"format": {"type": "json_object"}}}
        if front == "gemini":
            return {**body, "generationConfig": {"responseMimeType": "application/json"}}
        return {**body, "format": "json"}
    return change


class JsonInWords(Case):
    """A JSON object of Anthropic, which has a word for schemas alone."""
    does = {"bare": says('{"a": 1}'), "fenced": says('Here it is:\n```json\n{"a": 1}\n```'), "prose": says("I would rather not.")}

    def test_an_object_is_asked_for_in_words_and_an_answer_that_is_none_is_a_failure(self):
        for front in ("openai-chat", "openai-responses", "gemini", "ollama"):
            for stream in (False, True):
                for model in ("bare", "fenced", "prose"):
                    with self.subTest(front=front, stream=stream, model=model):
                        name = f"{model}-anthropic" + ("-or-spare" if model == "prose" else "")
                        status, _, raw = self.ask(front, name, stream, wants_json(front))
                        self.assertEqual(status, 200, raw)
                        said = CLIENTS[front].read(raw, stream)["text"]
                        self.assertEqual(said, "Hello there" if model == "prose" else '{"a": 1}')  # the spare's, whose scripted answer is no JSON
                self.assertIn("one JSON object", json.dumps(self.upstreams["anthropic"].asked[-1][1]["system"]))


class Vectors(unittest.TestCase):
    """Embeddings: base64 is a way to say numbers, which not every server has."""
    NUMBERS, TEXT = [0.5, -1.25], "AAAAPwAAoL8="

    @classmethod
    def setUpClass(cls):
        cls.upstream = harness.Upstream(cls.answer)
        cls.tandem = harness.Tandem(f"providers:\n  p: {cls.upstream.provider()}\nmodels:\n" + "".join(f"  {m}: {{ provider: p, name: {m}, context: 8192, capabilities: [embeddings] }}\n" for m in ("numbers", "texts", "refuses")))

    @classmethod
    def tearDownClass(cls):
        cls.tandem.stop()
        cls.upstream.close()

    @classmethod
    def answer(cls, connection, raw, number):
        body = json.loads(raw)
        if body["model"] == "refuses" and "encoding_format" in body:
            connection.sendall(harness.http(said("encoding_format base64 is not supported"), "400 Bad Request"))
            return
        vector = cls.TEXT if body["model"] == "texts" else cls.NUMBERS
        connection.sendall(harness.http(json.dumps({"object": "list", "model": "x", "data": [{"object": "embedding", "index": 0, "embedding": vector}], "usage": {"prompt_tokens": 2, "total_tokens": 2}}, indent=1).encode()))

    def test_numbers_and_base64_come_as_they_were_asked_for(self):
        for model in ("numbers", "texts", "refuses"):
            for asked, wanted in (({}, self.NUMBERS), ({"encoding_format": "float"}, self.NUMBERS), ({"encoding_format": "base64"}, self.TEXT)):
                with self.subTest(model=model, asked=asked):
                    status, _, raw = self.tandem.request("/v1/embeddings", {"model": model, "input": "a", **asked})
                    self.assertEqual(status, 200, raw)
                    self.assertEqual(json.loads(raw)["data"][0]["embedding"], wanted)


class Plainer(Case):
    does = {**{f"words-{name}": knows_few_fields(words) for name, words in WORDS.items()}, "plain": only_plain_chat, "plain-responses": only_plain_responses, "plain-messages": only_plain_messages,
            "no-others": takes_no_thoughts_of_others, "no-others-late": takes_none_and_says_so_within_a_200, "system-first": system_first, "one-system": one_system, "streams-only": streams_only, "misspeaks": misspeaks, "marks-beginnings": marks_beginnings, "alternates": alternates, "calls-and-stops": calls_and_stops, "bare": bare_anthropic, **LACKING, **WHOLE}

    def post(self, path, model, behind, **body):
        upstream = self.upstreams[behind]
        before = len(upstream.asked)
        name = {} if behind == "gemini" else {"model": f"{model}-{behind}"}
        status, headers, raw = self.tandem.request(path, {**name, **body}, {"anthropic-version": "2023-06-01"} if behind == "anthropic" else {})
        return status, headers, raw, [request for _, request in upstream.asked[before:]]

    def chat(self, model, messages=HI, **body):
        return self.post("/v1/chat/completions", model, "openai-chat", messages=messages, **body)

    # ---- refusals that name a field ----

    def test_fields_that_no_answer_depends_on_are_left_out_in_whatever_words_they_are_refused(self):
        for words in WORDS:
            for stream in (False, True):
                with self.subTest(words=words, stream=stream):
                    status, headers, raw, asked = self.chat(f"words-{words}", stream=stream, **FIELDS)
                    self.assertEqual(status, 200, raw)
                    self.assertEqual(set(asked[-1]) - KNOWN, set())
                    self.assertIn("left out: the server refuses it", headers["x-tandem-warnings"])
            self.assertEqual(len(asked), 1, "what was refused is remembered")

    def test_a_demand_is_never_left_out(self):
        for field, value in (("n", 2), ("logprobs", True), ("response_format", {"type": "json_object"}), ("guided_json", SCHEMA), ("modalities", ["text", "audio"]), ("logit_bias", {"5": 1})):
            for words in ("openai", "google", "mistral"):
                with self.subTest(field=field, words=words):
                    status, _, raw, _ = self.chat(f"words-{words}", **{field: value})
                    self.assertEqual(status, 400 if words != "mistral" else 422, raw)
                    self.assertIn(field.encode(), raw)

    # ---- refusals that name nothing ----

    def test_chat_that_a_plain_server_refuses_is_asked_plainly_once_and_then_at_once(self):
        call = {"role": "assistant", "content": None, "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}
        image = {"type": "image_url", "image_url": {"url": PNG}}
        tool = {"type": "function", "function": {"name": "f", "parameters": SCHEMA}}
        seen = [{"type": "text", "text": "see"}, image]
        forms = [
            ({"messages": [*HI, call, {"role": "tool", "tool_call_id": "c1", "content": seen}], "tools": [tool]}, lambda r: r["messages"][-1]["content"][-1]["image_url"]["url"] == PNG),
            ({"messages": [{"role": "user", "content": [{"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}]}]}, lambda r: r["messages"][0]["content"] == "hi"),
            ({"messages": HI, "tools": [tool, {"type": "web_search"}, {"type": "openrouter:web_search"}]}, lambda r: [t["type"] for t in r["tools"]] == ["function"]),
            ({"messages": HI, "functions": [tool["function"]], "function_call": "auto"}, lambda r: [t["function"]["name"] for t in r["tools"]] == ["f"]),
            ({"messages": [*HI, call, *HI], "tools": [tool]}, lambda r: [m["role"] for m in r["messages"]] == ["user", "assistant", "tool", "user"]),
            ({"messages": [*HI, {"role": "tool", "tool_call_id": "gone", "content": "found"}]}, lambda r: "found" in json.dumps(r["messages"][-1]["content"])),
            ({"messages": [*HI, {"role": "assistant", "content": "Sure:", "prefix": True}]}, lambda r: r["messages"][-1] == {"role": "assistant", "content": "Sure:"}),
            ({"messages": HI, "tools": [tool, {**tool, "function": {**tool["function"], "name": "g"}}],
              "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "g"}}]}}}, lambda r: [t["function"]["name"] for t in r["tools"]] == ["g"]),
        ]
        for number, (body, is_so) in enumerate(forms):
            for stream in (False, True):
                with self.subTest(form=number, stream=stream):
                    status, _, raw, asked = self.chat("plain", stream=stream, **body)
                    self.assertEqual(status, 200, raw)
                    self.assertTrue(is_so(asked[-1]), asked[-1])
                    self.assertEqual(len(asked), 1 if stream or number == 5 else 2)  # the order was found out with number 4

    def test_items_of_openai_alone_are_told_in_words_where_a_server_refuses_them(self):
        items = [{"role": "user", "content": "hi"}, {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}},
                 {"type": "local_shell_call", "id": "l1", "call_id": "c1", "status": "completed", "action": {"type": "exec", "command": ["ls"], "env": {}}},
                 {"type": "local_shell_call_output", "call_id": "c1", "output": "files"}, {"role": "user", "content": "go on"}]
        tools = [{"type": "function", "name": "f", "parameters": SCHEMA}, {"type": "web_search"}, {"type": "image_generation"}, {"type": "code_interpreter", "container": {"type": "auto"}}]
        status, headers, raw, asked = self.post("/v1/responses", "plain-responses", "openai-responses", input=items, tools=tools)
        self.assertEqual((status, len(asked)), (200, 4), raw)  # store, the items and tools, include
        self.assertIn("files", json.dumps(asked[-1]["input"]))
        self.assertEqual([t["type"] for t in asked[-1]["tools"]], ["function"])
        self.assertIn("tools that the provider runs left out", headers["x-tandem-warnings"])

    def test_blocks_of_anthropic_alone_are_told_in_words_where_a_server_refuses_them(self):
        history = [*HI, {"role": "assistant", "content": [{"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}},
                                                          {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}, {"type": "text", "text": "Found it."}]}, *HI, *HI]
        tools = [{"name": "f", "input_schema": SCHEMA}, {"type": "web_search_20250305", "name": "web_search"}, {"type": "bash_20250124", "name": "bash"}]
        status, _, raw, asked = self.post("/v1/messages", "plain-messages", "anthropic", max_tokens=99, messages=history, tools=tools)
        self.assertEqual((status, len(asked)), (200, 2), raw)
        self.assertIn("Found it.", json.dumps(asked[-1]["messages"]))

    def test_a_plain_request_is_not_asked_twice_and_its_refusal_is_the_servers_own(self):
        status, _, raw, asked = self.chat("plain", [{"role": "assistant", "content": "x", "tool_calls": []}, {"role": "user", "content": [{"type": "image_url", "image_url": {"url": PNG}}], "name": None}], tools=[{"type": "function", "function": {"name": "f", "parameters": SCHEMA}}], tool_choice="required")
        self.assertEqual(status, 200, raw)
        status, _, raw, asked = self.chat("words-openai", n=2)
        self.assertEqual((status, len(asked)), (400, 1))
        self.assertEqual(json.loads(raw), said("Unrecognized request argument supplied: n"))

    # ---- thoughts ----

    def test_thoughts_of_another_provider_are_left_out_where_they_are_refused(self):
        messages = [*HI, {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm", "signature": "OTHERS"}, {"type": "text", "text": "yo"}]}, *HI]
        items = [{"role": "user", "content": "hi"}, {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "OTHERS"}, {"role": "assistant", "content": "yo"}, {"role": "user", "content": "go on"}]
        contents = [{"role": "user", "parts": [{"text": "hi"}]}, {"role": "model", "parts": [{"text": "yo", "thoughtSignature": "OTHERS"}]}, {"role": "user", "parts": [{"text": "go on"}]}]
        for path, behind, body in (("/v1/messages", "anthropic", {"max_tokens": 4000, "messages": messages, "thinking": {"type": "enabled", "budget_tokens": 1024}}),
                                   ("/v1/responses", "openai-responses", {"input": items, "store": False}),
                                   ("/v1beta/models/MODEL-gemini:generateContent", "gemini", {"contents": contents})):
            for model, stream in (("no-others", False), ("no-others", True), ("no-others-late", False), ("no-others-late", True)):
                with self.subTest(behind=behind, model=model, stream=stream):
                    place, flag = path.replace("MODEL", model), {"stream": True} if stream else {}
                    if stream and behind == "gemini":
                        place, flag = place.replace(":generate", ":streamGenerate") + "?alt=sse", {}
                    status, headers, raw, asked = self.post(place, model, behind, **body, **flag)
                    self.assertEqual(status, 200, raw)
                    self.assertEqual(len(asked), 2, raw)
                    self.assertIn("yo", json.dumps(asked[-1]))
                    self.assertNotIn("OTHERS", json.dumps(asked[-1]))
                    self.assertIn("Hello", raw.decode())
                    self.assertIn("thoughts in the history were left out", headers["x-tandem-warnings"])

    # ---- order of turns ----

    def test_system_messages_stand_where_the_template_takes_them(self):
        status, _, raw, asked = self.chat("system-first", [{"role": "system", "content": "S"}, *HI, {"role": "assistant", "content": "yo"}, {"role": "system", "content": "be brief"}, *HI])
        self.assertEqual(status, 200, raw)
        self.assertIn("be brief", json.dumps(asked[-1]["messages"][1:]))

    def test_two_system_messages_are_one_where_the_template_takes_one(self):
        for front in CLIENTS:
            with self.subTest(front=front):
                status, _, raw = self.ask(front, "one-system-openai-chat", False, two_systems(front))
                self.assertEqual(status, 200, raw)
                text = json.dumps(self.upstreams["openai-chat"].asked[-1][1])
                self.assertTrue("FIRST" in text and "SECOND" in text, text)

    # ---- streams alone, and models that misspeak ----

    def test_who_streams_alone_is_asked_for_a_stream_that_is_put_together(self):
        for front in CLIENTS:
            with self.subTest(front=front):
                status, _, raw = self.ask(front, "streams-only-openai-chat", False)
                self.assertEqual(status, 200, raw)
                self.assertEqual(CLIENTS[front].read(raw, False)["text"], "Hello there")
        self.assertEqual([r.get("stream", False) for m, r in self.upstreams["openai-chat"].asked if m == "streams-only"].count(False), 1)

    def test_a_refusal_of_what_the_model_said_is_no_refusal_of_the_request(self):
        for front in CLIENTS:
            with self.subTest(front=front):
                status, _, raw = self.ask(front, "misspeaks-openai-chat-or-spare", False)
                self.assertEqual(status, 200, raw)

    def test_the_beginning_of_an_answer_is_marked_where_the_server_wants_that(self):
        for path, body in (("/v1/chat/completions", {}), ("/v1/messages", {"max_tokens": 9})):
            status, _, raw = self.tandem.request(path, {"model": "marks-beginnings-openai-chat", "messages": [*HI, {"role": "assistant", "content": "Sure: {"}], **body}, {"anthropic-version": "2023-06-01"})
            self.assertEqual(status, 200, raw)

    def test_perplexitys_words_for_alternation_are_understood(self):
        status, _, raw, asked = self.chat("alternates", [*HI, *HI])
        self.assertEqual((status, len(asked)), (200, 2), raw)

    # ---- answers ----

    def test_chunks_have_all_that_clients_read(self):
        for model in LACKING:
            with self.subTest(model=model):
                status, _, raw, _ = self.chat(model, stream=True, stream_options={"include_usage": True})
                self.assertEqual(status, 200, raw)
                events = [data for _, data in sse(raw)]
                self.assertEqual(events.pop(), "[DONE]")
                text = thought = ""
                for chunk in map(json.loads, events):
                    self.assertTrue(chunk["id"] and chunk["model"] and isinstance(chunk["created"], int) and chunk["object"] == "chat.completion.chunk", chunk)
                    for one in chunk["choices"]:
                        self.assertIsInstance(one["index"], int)
                        self.assertFalse([one["delta"][name] for name in ("role", "tool_calls", "function_call") if name in one["delta"] and not one["delta"][name]], chunk)
                        text += one["delta"].get("content") or ""
                        thought += one["delta"].get("reasoning_content") or ""
                self.assertEqual((text, thought), ("Hello", "hm" if model == "parts" else ""))

    def test_whole_answers_have_all_that_clients_read(self):
        for model in WHOLE:
            with self.subTest(model=model):
                status, _, raw, _ = self.chat(model)
                self.assertEqual(status, 200, raw)
                answer = json.loads(raw)
                self.assertTrue(answer["id"] and answer["model"] and isinstance(answer["created"], int) and answer["object"] == "chat.completion", answer)
                one = answer["choices"][0]
                self.assertEqual((one["index"], one["message"]["role"], one["message"]["content"], one["finish_reason"]), (0, "assistant", "Hello", "stop"))

    def test_answers_of_anthropics_dialect_have_what_its_clients_read(self):
        for stream in (False, True):
            with self.subTest(stream=stream):
                status, _, raw, _ = self.post("/v1/messages", "bare", "anthropic", max_tokens=99, messages=HI, stream=stream)
                self.assertEqual(status, 200, raw)
                if not stream:
                    answer = json.loads(raw)
                    self.assertEqual((answer["content"], answer["stop_reason"]), ([{"type": "text", "text": "Hello"}], "end_turn"))
                    self.assertGreater(answer["usage"]["output_tokens"], 0)
                    continue
                events = [(name, json.loads(data)) for name, data in sse(raw)]
                self.assertEqual([name for name, _ in events], [event["type"] for _, event in events])
                self.assertEqual((events[0][1]["message"]["content"], set(events[0][1]["message"]["usage"]) >= {"input_tokens", "output_tokens"}), ([], True))
                self.assertGreater(events[-2][1]["usage"]["output_tokens"], 0)
        for front in CLIENTS:
            if front != "anthropic":
                self.assertEqual(CLIENTS[front].read(self.ask(front, "bare-anthropic", False)[2], False)["text"], "Hello")

    def test_an_answer_that_calls_ends_as_one_that_does(self):
        tool = {"type": "function", "function": {"name": "note", "parameters": SCHEMA}}
        for stream in (False, True):
            for named, end in ((None, "tool_calls"), ({"type": "function", "function": {"name": "note"}}, "stop")):
                with self.subTest(stream=stream, named=bool(named)):
                    _, _, raw, _ = self.chat("calls-and-stops", stream=stream, tools=[tool], **({"tool_choice": named} if named else {}))
                    self.assertEqual(raw.count(f'"finish_reason": "{end}"'.encode()) + raw.count(f'"finish_reason":"{end}"'.encode()), 1, raw)


if __name__ == "__main__":
    unittest.main()
