"""Providers whose behaviour a case writes down: what is said, in the dialect of the path that is asked for, in which pieces, with which
usage, and how it ends."""
import json
import time

from harness import Upstream, http
from words import fill

DIALECT_OF = {"/chat/completions": "chat", "/responses": "responses", "/messages": "messages", "enerateContent": "gemini", "/api/chat": "ollama",
              "/embeddings": "embeddings", "/rerank": "rerank"}


def dialect_of(path):
    return next((name for part, name in DIALECT_OF.items() if part in path), "chat")


def usage_of(dialect, usage):
    """The counts of a case ({input, output, cached, written}) in a dialect's own form."""
    if usage is None:
        return None
    given, made, cached, written = (usage.get(n, 0) for n in ("input", "output", "cached", "written"))
    if dialect == "messages":
        return {"input_tokens": given - cached - written, "cache_read_input_tokens": cached, "cache_creation_input_tokens": written, "output_tokens": made}
    if dialect == "responses":
        return {"input_tokens": given, "input_tokens_details": {"cached_tokens": cached}, "output_tokens": made, "total_tokens": given + made}
    if dialect == "gemini":
        return {"promptTokenCount": given, "cachedContentTokenCount": cached, "candidatesTokenCount": made, "totalTokenCount": given + made}
    if dialect == "ollama":
        return {"prompt_eval_count": given, "eval_count": made}
    return {"prompt_tokens": given, "completion_tokens": made, "total_tokens": given + made, "prompt_tokens_details": {"cached_tokens": cached}}


def last_text(body):
    """What was said last, in any dialect."""
    said = body.get("messages") or body.get("contents") or body.get("input") or body.get("prompt") or ""
    while not isinstance(said, str):
        said = said[-1] if isinstance(said, list) else said.get("content") or said.get("parts") or said.get("text") or ""
    return said


def bound_of(request):
    """The tokens that a request allows for its answer, in any dialect."""
    names = [request.get("max_tokens"), request.get("max_completion_tokens"), request.get("max_output_tokens"), (request.get("generationConfig") or {}).get("maxOutputTokens"),
             (request.get("options") or {}).get("num_predict")]
    return next((n for n in names if n), None)


def call_of(dialect, text):
    arguments = json.dumps({"text": text})
    if dialect == "messages":
        return {"type": "tool_use", "id": "call_1", "name": "note", "input": {"text": text}}
    return {"id": "call_1", "type": "function", "function": {"name": "note", "arguments": arguments}}


def wanted_of(request):
    """The schema that an answer is to fit, and the tool whose call it is to be."""
    choice = request.get("tool_choice")
    if isinstance(choice, dict) and choice.get("type") == "function" and "function" in choice:
        (tool,) = [t["function"] for t in request["tools"] if t["function"]["name"] == choice["function"]["name"]]
        return tool["parameters"], tool["name"]
    places = (("response_format", "json_schema", "schema"), ("text", "format", "schema"), ("output_config", "format", "schema"), ("format",))
    for place in places:
        found = request
        for step in place:
            found = found.get(step) if isinstance(found, dict) else None
        if isinstance(found, dict) and found.get("type") == "object":
            return found, None
    return None, None


def instance_of(schema):
    return {name: "Hello there" if one.get("type") == "string" else 1 for name, one in schema.get("properties", {}).items()}


def whole(dialect, text, usage, how):
    counts = usage_of(dialect, usage)
    call, finish = how.get("call"), how.get("finish")
    model, name = how.get("model", "scripted"), how.get("id", "id-1")
    if dialect == "messages":
        content = ([{"type": "thinking", "thinking": how["think"], "signature": "sig=="}] if "think" in how else []) + ([call_of(dialect, text)] if call else [{"type": "text", "text": text}])
        return {"id": name, "type": "message", "role": "assistant", "model": model, "content": content, "stop_reason": finish or ("tool_use" if call else "end_turn"),
                "stop_sequence": None, "usage": counts}
    if dialect == "responses":
        return {"id": name, "object": "response", "created_at": 1, "status": "completed", "error": None, "incomplete_details": None, "model": model, "usage": counts,
                "output": [{"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [{"type": "output_text", "text": text, "annotations": []}]}]}
    if dialect == "gemini":
        return {"candidates": [{"content": {"role": "model", "parts": [{"text": text}]}, "index": 0, "finishReason": "STOP"}], "usageMetadata": counts, "modelVersion": model}
    if dialect == "ollama":
        return {"model": model, "created_at": "2026-01-01T00:00:00Z", "message": {"role": "assistant", "content": text}, "done": True, "done_reason": "stop", **(counts or {})}
    message = {"role": "assistant", "content": None if call else text}
    if call:
        message["tool_calls"] = [call_of(dialect, text)]
    if "think" in how:
        message["reasoning_content"] = how["think"]
    return {"id": name, "object": "chat.completion", "created": 1, "model": model, **({} if counts is None and "usage" in how else {"usage": counts}),
            "choices": [] if how.get("no_choices") else [{"index": 0, "message": message, "finish_reason": finish or ("tool_calls" if call else "stop")}]}


def event(data, name=None):
    return ((f"event: {name}\n" if name else "") + "data: " + json.dumps(data, ensure_ascii=False) + "\n\n").encode()


def chat_chunk(delta, finish=None, **more):
    return event({"id": "id-1", "object": "chat.completion.chunk", "created": 1, "model": "scripted", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more})


class Stream:
    """The events of one answer: head, one for each piece, tail."""

    def __init__(self, dialect, usage, how):
        self.dialect, self.usage, self.how = dialect, usage, how
        self.counts = usage_of(dialect, usage)
        self.text = ""
        self.number = 0

    def response_event(self, kind, **fields):
        self.number += 1
        return event({"type": kind, "sequence_number": self.number, **fields}, kind)

    def head(self):
        if self.dialect == "messages":
            first = {**whole("messages", "", self.usage, {}), "content": [], "stop_reason": None}
            first["usage"] = {**(first["usage"] or {"input_tokens": 0}), "output_tokens": 1}
            block = {"type": "tool_use", "id": "call_1", "name": "note", "input": {}} if self.how.get("call") else {"type": "text", "text": ""}
            return event({"type": "message_start", "message": first}, "message_start") + event({"type": "content_block_start", "index": 0, "content_block": block}, "content_block_start")
        if self.dialect == "responses":
            open_one = {**whole("responses", "", None, {}), "status": "in_progress", "output": []}
            item = {"type": "message", "id": "msg_1", "role": "assistant", "status": "in_progress", "content": []}
            return (self.response_event("response.created", response=open_one) + self.response_event("response.output_item.added", output_index=0, item=item)
                    + self.response_event("response.content_part.added", item_id="msg_1", output_index=0, content_index=0, part={"type": "output_text", "text": "", "annotations": []}))
        if self.dialect in ("gemini", "ollama"):
            return b""
        out = chat_chunk({"role": "assistant", "content": ""})
        if self.how.get("call"):
            out += chat_chunk({"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": {"name": "note", "arguments": ""}}]})
        for at in range(0, len(self.how.get("think", "")), 3):
            out += chat_chunk({"reasoning_content": self.how["think"][at:at + 3]})
        return out

    def piece(self, text):
        self.text += text
        if self.dialect == "messages":
            delta = {"type": "input_json_delta", "partial_json": text} if self.how.get("call") else {"type": "text_delta", "text": text}
            return event({"type": "content_block_delta", "index": 0, "delta": delta}, "content_block_delta")
        if self.dialect == "responses":
            return self.response_event("response.output_text.delta", item_id="msg_1", output_index=0, content_index=0, delta=text)
        if self.dialect == "gemini":
            return event({"candidates": [{"content": {"role": "model", "parts": [{"text": text}]}, "index": 0}], "modelVersion": "scripted"})
        if self.dialect == "ollama":
            return json.dumps({"model": "scripted", "created_at": "2026-01-01T00:00:00Z", "message": {"role": "assistant", "content": text}, "done": False}).encode() + b"\n"
        delta = {"tool_calls": [{"index": 0, "function": {"arguments": text}}]} if self.how.get("call") else {"content": text}
        return chat_chunk(delta, **({"usage": None} if self.how.get("usage_null") else {}))

    def tail(self):
        if self.dialect == "messages":
            return (event({"type": "content_block_stop", "index": 0}, "content_block_stop")
                    + event({"type": "message_delta", "delta": {"stop_reason": "tool_use" if self.how.get("call") else "end_turn", "stop_sequence": None},
                             "usage": {"output_tokens": (self.usage or {}).get("output", 0)}}, "message_delta") + event({"type": "message_stop"}, "message_stop"))
        if self.dialect == "responses":
            if self.how.get("failed"):
                return self.response_event("response.failed", response={**whole("responses", self.text, None, {}), "status": "failed", "error": {"code": "server_error", "message": "it broke"}})
            return self.response_event("response.completed", response=whole("responses", self.text, self.usage, {}))
        if self.dialect == "gemini":
            return event(whole("gemini", "", self.usage, {}))
        if self.dialect == "ollama":
            return json.dumps(whole("ollama", "", self.usage, {})).encode() + b"\n"
        out = chat_chunk({}, "tool_calls" if self.how.get("call") else "stop", **({"usage": self.counts} if self.how.get("usage_with_finish") else {"usage": None} if self.how.get("usage_null") else {}))
        last = event({"id": "id-1", "object": "chat.completion.chunk", "created": 1, "model": "scripted", "choices": [], "usage": self.counts})
        asked = self.usage is not None and not self.how.get("usage_with_finish")
        if self.how.get("usage_after_done"):
            return out + b"data: [DONE]\n\n" + last
        return out + (last if asked else b"") + b"data: [DONE]\n\n"


class Provider(Upstream):
    """Answers by a list of descriptions, one for each request; the last one goes for all that come after it."""

    def __init__(self, answers, kept):
        self.answers = answers if isinstance(answers, list) else [answers]
        self.kept = kept            # the words of the case, which change while it runs
        self.words = 0              # pieces that were sent in streams
        self.made = []              # tokens of each answer that was sent to its end
        self.ended = []             # seconds that each endless stream lasted
        super().__init__(self.play)

    def play(self, connection, body, number):
        how = fill(self.answers[min(number, len(self.answers)) - 1], self.kept)
        path = self.requests[number - 1][0].split(" ")[1]
        try:
            request = json.loads(body) if body else {}
        except ValueError:
            request = {}
        time.sleep(how.get("delay", 0))
        if how.get("closes_at_once"):
            return "close"
        if how.get("silent"):
            time.sleep(how["silent"])
            return "close"
        if "raw" in how:
            connection.sendall(how["raw"].encode())
            return "close"
        if "status" in how:
            connection.sendall(http(how["body"] if isinstance(how["body"], dict) else how["body"].encode(), how["status"], extra=how.get("extra", "")))
            return None
        return self.answer(connection, path, request, how)

    def answer(self, connection, path, request, how):
        dialect = dialect_of(path)
        usage = how.get("usage", {"input": 7, "output": 3})
        if dialect in ("embeddings", "rerank"):
            return self.vectors(connection, dialect, request, usage, how)
        bound = bound_of(request)
        if how.get("obeys") and bound and usage:
            usage = {**usage, "output": min(usage["output"], bound)}
        text = last_text(request) if how.get("echo") else how.get("say", "Hello there")
        if how.get("fits"):
            schema, name = wanted_of(request)
            text = json.dumps(instance_of(schema)) if schema else text
            if name:
                answer = whole(dialect, text, usage, {**how, "call": True})
                answer["choices"][0]["message"]["tool_calls"][0]["function"] = {"name": name, "arguments": text}
                connection.sendall(http(answer))
                return None
        if how.get("call") == "if asked":
            how = {**how, "call": bool(request.get("tools"))}
        if (request.get("stream") or "stream" in path) and not how.get("never_streams"):
            return self.stream(connection, dialect, text, usage, how, request)
        data = json.dumps(whole(dialect, text, usage, how), ensure_ascii=False).encode()
        self.made.append(usage)
        if how.get("half"):
            connection.sendall(http(data)[:-20])
            return "close"
        connection.sendall(http(data))
        return None

    def vectors(self, connection, dialect, request, usage, how):
        if dialect == "rerank":
            connection.sendall(http({"results": [{"index": i, "relevance_score": 0.5} for i, _ in enumerate(request.get("documents", []))]}))
            return
        texts = request["input"] if isinstance(request["input"], list) else [request["input"]]
        counts = {} if "usage" in how and usage is None else {"usage": {"prompt_tokens": usage["input"], "total_tokens": usage["input"]}}
        connection.sendall(http({"object": "list", "model": "scripted", "data": [{"object": "embedding", "index": i, "embedding": [1, 2]} for i, _ in enumerate(texts)], **counts}))

    def stream(self, connection, dialect, text, usage, how, request):
        kind = "application/x-ndjson" if dialect == "ollama" else "text/event-stream"
        connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n".encode())
        one = Stream(dialect, usage, how)
        said = json.dumps({"text": text}) if how.get("call") else text
        began = time.monotonic()
        try:
            connection.sendall(one.head())
            for piece in self.pieces(said, how, request):
                connection.sendall(one.piece(piece))
                self.words += 1
                time.sleep(how.get("every", 0))
            if how.get("ends", "well") == "silent":
                time.sleep(how.get("for", 5))
            if how.get("ends", "well") == "well":
                connection.sendall(one.tail())
                self.made.append(usage)
            elif how["ends"] == "error":
                connection.sendall(event({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "error"))
        finally:
            self.ended.append(time.monotonic() - began)
        return "close"

    def pieces(self, said, how, request):
        bound = how.get("obeys") and bound_of(request)
        if "repeat" in how:
            for _ in range(min(how["repeat"], bound or how["repeat"])):
                yield how.get("say", "word ")
        elif "cut" in how:
            yield from (said[:how["cut"]], said[how["cut"]:])
        else:
            size = how.get("pieces", 3)
            yield from (said[at:at + size] for at in range(0, len(said), size))
        if "then" in how:
            yield from how["then"]
