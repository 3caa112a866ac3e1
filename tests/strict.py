"""Scripted providers that speak each dialect as its provider does, and reject what it rejects.

What one answers is chosen by a word in the last user's text ("scenario:calls"). What it was asked is kept as it came and in
one common form, so that the same conversation can be compared however it arrived.
"""
import base64
import json
import re
import time

from harness import Tandem, Upstream, http

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
TEXT = 'Hello — wörld 😀 "quoted" \\ and\na second line'
CALLS = {"call": [("get_weather", '{"city":"Köln \\"am Rhein\\"","days":1.50}')],
         "calls": [("get_weather", '{"city":"Köln \\"am Rhein\\"","days":1.50}'), ("get_time", "{}")]}
SIGNATURE = "c2lnbmVk"  # of Gemini's pictures, which its newer models demand back
THOUGHT = "Let me think: 6 × 7"
USAGE = {"input": 57, "output": 13, "cached": 32}
SCENARIOS = ["text", "call", "calls", "think", "length", "history", "schema", "forced"]


class Rejected(Exception):
    pass


def need(condition, what):
    if not condition:
        raise Rejected(what)


def only(body, *keys):
    for key in body:
        need(key in keys, f"Unrecognized request argument supplied: {key}")


def scenario_of(text):
    found = re.findall(r"scenario:(\w+)", text)
    return found[-1] if found else "text"


def pieces(text, size=7):
    """Cut by characters, so that every piece is UTF-8."""
    return [text[i:i + size] for i in range(0, len(text), size)] or [""]


def parts_of(scenario):
    """What the model answers: [(kind, ...)], and how it ends. A scenario can be that itself."""
    if isinstance(scenario, tuple):
        return scenario
    if scenario in CALLS or scenario == "forced":
        return [("call", f"call_{i}_a", name, arguments) for i, (name, arguments) in enumerate(CALLS.get(scenario, CALLS["call"]))], "calls"
    if scenario == "think":
        return [("think", THOUGHT), ("text", "42")], "stop"
    if scenario == "schema":
        return [("text", '{"city":"Köln"}')], "stop"
    return [("text", TEXT)], "length" if scenario == "length" else "stop"


class Dialect:
    """One provider: check() raises Rejected; common() is the request in the common form; whole() and stream() answer."""
    ndjson = False

    def sse(self, data, name=None):
        return ((f"event: {name}\n" if name else "") + "data: " + json.dumps(data, ensure_ascii=False) + "\n\n").encode()


class OpenAiChat(Dialect):
    path = "/v1/chat/completions"
    provider = "kind: openai"

    def check(self, path, headers, body):
        need(path == self.path, path)
        need(headers.get("authorization") == "Bearer upstream-key", "no key")
        # One of the many servers that are not OpenAI itself: no role developer, text as a string.
        only(body, "model", "messages", "tools", "tool_choice", "response_format", "max_completion_tokens", "max_tokens", "stream", "stream_options",
             "temperature", "top_p", "stop", "seed", "n", "parallel_tool_calls", "reasoning_effort", "verbosity", "logprobs", "top_logprobs",
             "presence_penalty", "frequency_penalty", "logit_bias", "modalities", "image_config")
        open_calls = []
        for m in body["messages"]:
            need(m["role"] in ("system", "user", "assistant", "tool"), m["role"])
            need(not isinstance(m.get("content"), list) or any(p["type"] != "text" for p in m["content"]), "content: invalid type: sequence, expected a string")
            if m["role"] == "tool":
                only(m, "role", "tool_call_id", "content", "name")
                need(m["tool_call_id"] in open_calls, "messages with role 'tool' must be a response to a preceding message with 'tool_calls'")
                open_calls.remove(m["tool_call_id"])
                need(isinstance(m["content"], str) or all(p["type"] == "text" for p in m["content"]), "tool messages have text only")
                continue
            need(not open_calls, f"tool_call_ids did not have response messages: {open_calls}")
            only(m, "role", "content", "tool_calls", "name", "refusal")
            for p in m["content"] if isinstance(m["content"], list) else []:
                only(p, "type", "text", "image_url", "file", "input_audio", "refusal")
                need(m["role"] != "assistant" or p["type"] in ("text", "refusal"), f"Invalid content type {p['type']} in an assistant's message")
                need(p["type"] in ("text", "image_url", "file", "input_audio", "refusal"), p["type"])
            need(m.get("content") is not None or m.get("tool_calls"), "content is null")
            for call in m.get("tool_calls", []):
                need(isinstance(call["function"]["arguments"], str), "arguments is no string")
                need(len(call["id"]) <= 64, "id is too long")
                open_calls.append(call["id"])
        for tool in body.get("tools", []):
            need(tool["type"] == "function" and tool["function"]["name"], "tool")
            only(tool["function"], "name", "description", "parameters", "strict")
        need("tools" in body or "tool_choice" not in body, "tool_choice without tools")

    def common(self, body):
        messages = []
        names = {}
        for m in body["messages"]:
            if m["role"] == "tool":
                content = m["content"] if isinstance(m["content"], str) else "\n".join(p["text"] for p in m["content"])
                messages.append(("result", names.get(m["tool_call_id"]), content))
                continue
            for p in [{"type": "text", "text": m["content"]}] if isinstance(m["content"], str) else m["content"] or []:
                if p["type"] == "text":
                    messages.append((m["role"], p["text"]))
                elif p["type"] == "image_url":
                    messages.append((m["role"], "image", p["image_url"]["url"]))
            for call in m.get("tool_calls", []):
                names[call["id"]] = call["function"]["name"]
                messages.append(("call", call["function"]["name"], json.loads(call["function"]["arguments"])))
        choice = body.get("tool_choice")
        return {"messages": messages, "tools": [(t["function"]["name"], t["function"].get("parameters")) for t in body.get("tools", [])],
                "choice": choice["function"]["name"] if isinstance(choice, dict) else choice,
                "max": body.get("max_completion_tokens", body.get("max_tokens")), "temperature": body.get("temperature"),
                "schema": body.get("response_format", {}).get("json_schema", {}).get("schema")}

    FINISH = {"stop": "stop", "length": "length", "calls": "tool_calls"}
    usage = {"prompt_tokens": 57, "completion_tokens": 13, "total_tokens": 70, "prompt_tokens_details": {"cached_tokens": 32}}

    def whole(self, scenario):
        parts, finish = parts_of(scenario)
        message = {"role": "assistant", "content": "".join(p[1] for p in parts if p[0] == "text") or None}
        if any(p[0] == "think" for p in parts):
            message["reasoning_content"] = "".join(p[1] for p in parts if p[0] == "think")
        if images := [self.image(p[1]) for p in parts if p[0] == "picture"]:
            message["images"] = images
        calls = [{"id": p[1], "type": "function", "function": {"name": p[2], "arguments": p[3]}} for p in parts if p[0] == "call"]
        if calls:
            message["tool_calls"] = calls
        return {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "scripted",
                "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": self.FINISH[finish]}], "usage": self.usage}

    @staticmethod
    def image(data):  # OpenRouter's form
        return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}

    def chunk(self, delta, finish=None):
        return self.sse({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "scripted",
                         "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

    def stream(self, scenario, body):
        parts, finish = parts_of(scenario)
        out = self.chunk({"role": "assistant", "content": ""})
        calls = 0
        for p in parts:
            if p[0] == "call":
                out += self.chunk({"tool_calls": [{"index": calls, "id": p[1], "type": "function", "function": {"name": p[2], "arguments": ""}}]})
                for piece in pieces(p[3], 3):
                    out += self.chunk({"tool_calls": [{"index": calls, "function": {"arguments": piece}}]})
                calls += 1
            elif p[0] == "picture":
                out += self.chunk({"role": "assistant", "content": "", "images": [{**self.image(p[1]), "index": 0}]})
            else:
                for piece in pieces(p[1]):
                    out += self.chunk({"content" if p[0] == "text" else "reasoning_content": piece})
        out += self.chunk({}, self.FINISH[finish])
        if body.get("stream_options", {}).get("include_usage"):
            out += self.sse({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "scripted", "choices": [], "usage": self.usage})
        return out + b"data: [DONE]\n\n"

    def error(self, message):
        return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}}


class OpenAiResponses(OpenAiChat):
    path = "/v1/responses"
    provider = "kind: responses"

    def check(self, path, headers, body):
        need(path == self.path, path)
        need(headers.get("authorization") == "Bearer upstream-key", "no key")
        only(body, "model", "input", "instructions", "tools", "tool_choice", "text", "max_output_tokens", "stream", "temperature", "top_p", "parallel_tool_calls",
             "reasoning", "store", "include", "top_logprobs", "metadata", "prompt_cache_key", "client_metadata", "presence_penalty", "frequency_penalty", "truncation", "max_tool_calls")
        calls = set()
        for item in body["input"] if isinstance(body["input"], list) else []:
            kind = item.get("type", "message")
            if kind == "message":
                need(item["role"] in ("user", "assistant", "system"), f"unknown variant `{item['role']}`")
                for p in item["content"] if isinstance(item["content"], list) else []:
                    need(p["type"] in (("output_text", "refusal") if item["role"] == "assistant" else ("input_text", "input_image", "input_file")),
                         f"Invalid value: '{p['type']}' for {item['role']}")
            elif kind == "function_call":
                need(isinstance(item["arguments"], str) and len(item["call_id"]) <= 64, "function_call")
                calls.add(item["call_id"])
            elif kind == "function_call_output":
                need(item["call_id"] in calls, f"No tool call found for function call output with call_id {item['call_id']}")
            else:
                need(kind == "reasoning" and "summary" in item, kind)
        for tool in body.get("tools", []):
            if tool["type"] == "web_search":
                only(tool, "type", "filters", "user_location", "search_context_size", "external_web_access")
                continue
            need(tool["type"] == "function" and tool["name"], "tool")
            only(tool, "type", "name", "description", "parameters", "strict")
            need(not tool.get("strict"), "Invalid schema for function: additionalProperties is required to be false")

    def common(self, body):
        messages = [("system", body["instructions"])] if body.get("instructions") else []
        names = {}
        for item in [{"role": "user", "content": body["input"]}] if isinstance(body["input"], str) else body["input"]:
            kind = item.get("type", "message")
            if kind == "message":
                for p in [{"type": "input_text", "text": item["content"]}] if isinstance(item["content"], str) else item["content"]:
                    messages.append((item["role"], "image", p["image_url"]) if p["type"] == "input_image" else (item["role"], p["text"]))
            elif kind == "function_call":
                names[item["call_id"]] = item["name"]
                messages.append(("call", item["name"], json.loads(item["arguments"])))
            elif kind == "function_call_output":
                output = item["output"] if isinstance(item["output"], str) else "\n".join(p["text"] for p in item["output"])
                messages.append(("result", names[item["call_id"]], output))
        choice = body.get("tool_choice")
        return {"messages": messages, "tools": [(t["name"], t.get("parameters")) for t in body.get("tools", []) if t["type"] == "function"],
                "choice": choice["name"] if isinstance(choice, dict) else choice, "max": body.get("max_output_tokens"), "temperature": body.get("temperature"),
                "schema": body.get("text", {}).get("format", {}).get("schema")}

    def items(self, scenario):
        items = []
        for i, p in enumerate(parts_of(scenario)[0]):
            if p[0] == "call":
                items.append({"type": "function_call", "id": f"fc_{i}", "call_id": p[1], "name": p[2], "arguments": p[3], "status": "completed"})
            elif p[0] == "think":
                items.append({"type": "reasoning", "id": f"rs_{i}", "summary": [{"type": "summary_text", "text": p[1]}], "encrypted_content": "sealed=="})
            elif p[0] == "picture":
                items.append({"type": "image_generation_call", "id": f"ig_{i}", "status": "completed", "result": p[1], "output_format": "png"})
            else:
                items.append({"type": "message", "id": f"msg_{i}", "role": "assistant", "status": "completed",
                              "content": [{"type": "output_text", "text": p[1], "annotations": []}]})
        return items

    def whole(self, scenario, status=None):
        cut = parts_of(scenario)[1] == "length"
        return {"id": "resp_1", "object": "response", "created_at": 1, "status": status or ("incomplete" if cut else "completed"), "error": None,
                "incomplete_details": {"reason": "max_output_tokens"} if cut else None, "model": "scripted", "output": [] if status else self.items(scenario),
                "usage": None if status else {"input_tokens": 57, "input_tokens_details": {"cached_tokens": 32}, "output_tokens": 13,
                                              "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 70}}

    def stream(self, scenario, body):
        out, number = b"", 0

        def event(kind, **fields):
            nonlocal out, number
            out += self.sse({"type": kind, "sequence_number": number, **fields}, kind)
            number += 1
        event("response.created", response=self.whole(scenario, "in_progress"))
        event("response.in_progress", response=self.whole(scenario, "in_progress"))
        for i, item in enumerate(self.items(scenario)):
            place = {"item_id": item["id"], "output_index": i}
            if item["type"] == "message":
                event("response.output_item.added", output_index=i, item={**item, "content": [], "status": "in_progress"})
                event("response.content_part.added", **place, content_index=0, part={"type": "output_text", "text": "", "annotations": []})
                for piece in pieces(item["content"][0]["text"]):
                    event("response.output_text.delta", **place, content_index=0, delta=piece)
                event("response.output_text.done", **place, content_index=0, text=item["content"][0]["text"])
            elif item["type"] == "reasoning":
                event("response.output_item.added", output_index=i, item={**item, "summary": []})
                for piece in pieces(item["summary"][0]["text"]):
                    event("response.reasoning_summary_text.delta", **place, summary_index=0, delta=piece)
            elif item["type"] == "image_generation_call":
                event("response.output_item.added", output_index=i, item={"type": item["type"], "id": item["id"], "status": "in_progress", "result": None})
                event("response.image_generation_call.completed", **place)
            else:
                event("response.output_item.added", output_index=i, item={**item, "arguments": "", "status": "in_progress"})
                for piece in pieces(item["arguments"], 3):
                    event("response.function_call_arguments.delta", **place, delta=piece)
                event("response.function_call_arguments.done", **place, arguments=item["arguments"])
            event("response.output_item.done", output_index=i, item=item)
        final = self.whole(scenario)
        event("response." + final["status"], response=final)
        return out


class Anthropic(Dialect):
    path = "/v1/messages"
    provider = "kind: anthropic"

    def check(self, path, headers, body):
        need(path == self.path, path)
        need(headers.get("x-api-key") == "upstream-key", "invalid x-api-key")
        need(headers.get("anthropic-version") == "2023-06-01", "anthropic-version: header is required")
        only(body, "model", "max_tokens", "messages", "system", "tools", "tool_choice", "stream", "temperature", "top_p", "top_k", "stop_sequences", "thinking",
             "output_config", "metadata", "context_management")
        need(isinstance(body.get("max_tokens"), int), "max_tokens: Field required")
        need(not body.get("temperature", 0) > 1, "temperature: range: 0..1")
        blocks = [b for b in body.get("system", []) if isinstance(b, dict)] if isinstance(body.get("system"), list) else []
        need(all(b["type"] == "text" and b["text"] for b in blocks), "system: text content blocks must be non-empty")
        before, calls = None, []
        need(body["messages"][0]["role"] == "user", "messages: first message must use the \"user\" role")
        for m in body["messages"]:
            only(m, "role", "content")
            need(m["role"] in ("user", "assistant") and m["role"] != before, f"messages: roles must alternate, got {m['role']} twice")
            before = m["role"]
            content = [{"type": "text", "text": m["content"]}] if isinstance(m["content"], str) else m["content"]
            need(content, "messages: at least one block is required")
            results = [b["tool_use_id"] for b in content if b["type"] == "tool_result"]
            need(sorted(results) == sorted(calls), "messages: `tool_use` ids were found without `tool_result` blocks immediately after, or the other way")
            need([b["type"] == "tool_result" for b in content] == sorted((b["type"] == "tool_result" for b in content), reverse=True), "tool_result blocks must come first")
            calls = []
            for b in content:
                if b["type"] == "text":
                    need(b["text"], "messages: text content blocks must be non-empty")
                elif b["type"] == "tool_use":
                    need(isinstance(b["input"], dict), "tool_use.input: Input should be a valid dictionary")
                    need(re.fullmatch(r"[a-zA-Z0-9_-]+", b["id"]), "tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'")
                    calls.append(b["id"])
                elif b["type"] in ("thinking", "redacted_thinking"):
                    need(b.get("signature", b.get("data")) == "sig==", "Invalid `signature` in `thinking` block")
                else:
                    need(b["type"] in ("image", "document", "tool_result"), b["type"])
                    need(m["role"] == "user", f"messages: {b['type']} blocks are not permitted within assistant turns")
        for tool in body.get("tools", []):
            if tool.get("type", "custom") != "custom":
                need(tool["type"] == "web_search_20250305" and tool["name"] == "web_search", f"tools.0.type: {tool['type']}")
                only(tool, "type", "name", "max_uses", "allowed_domains", "blocked_domains", "user_location", "cache_control")
                continue
            only(tool, "name", "description", "input_schema", "cache_control", "type", "strict")
            need(tool["input_schema"].get("type") == "object", "tools.0.input_schema.type: Field required")
        need("tools" in body or "tool_choice" not in body, "tool_choice may only be specified while providing tools")

    def common(self, body):
        system = body.get("system", [])
        messages = [("system", b["text"]) for b in ([{"text": system}] if isinstance(system, str) else system)]
        names = {}
        for m in body["messages"]:
            for b in [{"type": "text", "text": m["content"]}] if isinstance(m["content"], str) else m["content"]:
                if b["type"] == "text":
                    messages.append((m["role"], b["text"]))
                elif b["type"] == "image":
                    messages.append((m["role"], "image", f"data:{b['source']['media_type']};base64,{b['source']['data']}"))
                elif b["type"] == "tool_use":
                    names[b["id"]] = b["name"]
                    messages.append(("call", b["name"], b["input"]))
                elif b["type"] == "tool_result":
                    content = b.get("content", "")
                    messages.append(("result", names[b["tool_use_id"]], content if isinstance(content, str) else "\n".join(p["text"] for p in content)))
        choice = body.get("tool_choice")
        return {"messages": messages, "tools": [(t["name"], t["input_schema"]) for t in body.get("tools", []) if "input_schema" in t],
                "choice": choice and {"any": "required", "tool": choice.get("name")}.get(choice["type"], choice["type"]), "max": body["max_tokens"],
                "temperature": body.get("temperature"), "schema": body.get("output_config", {}).get("format", {}).get("schema")}

    FINISH = {"stop": "end_turn", "length": "max_tokens", "calls": "tool_use"}

    def blocks(self, scenario):
        blocks = []
        for p in parts_of(scenario)[0]:
            blocks.append({"type": "tool_use", "id": p[1], "name": p[2], "input": json.loads(p[3])} if p[0] == "call"
                          else {"type": "thinking", "thinking": p[1], "signature": "sig=="} if p[0] == "think" else {"type": "text", "text": p[1]})
        return blocks

    usage = {"input_tokens": 25, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 32, "output_tokens": 13}

    def whole(self, scenario):
        return {"id": "msg_1", "type": "message", "role": "assistant", "model": "scripted", "content": self.blocks(scenario),
                "stop_reason": self.FINISH[parts_of(scenario)[1]], "stop_sequence": None, "usage": self.usage}

    def stream(self, scenario, body):
        out = self.sse({"type": "message_start", "message": {**self.whole(scenario), "content": [], "stop_reason": None, "usage": {**self.usage, "output_tokens": 1}}}, "message_start")
        out += self.sse({"type": "ping"}, "ping")
        for i, p in enumerate(parts_of(scenario)[0]):
            start = {"call": lambda: {"type": "tool_use", "id": p[1], "name": p[2], "input": {}}, "think": lambda: {"type": "thinking", "thinking": "", "signature": ""},
                     "text": lambda: {"type": "text", "text": ""}}[p[0]]()
            out += self.sse({"type": "content_block_start", "index": i, "content_block": start}, "content_block_start")
            for piece in pieces(p[-1], 5):
                delta = {"call": {"type": "input_json_delta", "partial_json": piece}, "think": {"type": "thinking_delta", "thinking": piece},
                         "text": {"type": "text_delta", "text": piece}}[p[0]]
                out += self.sse({"type": "content_block_delta", "index": i, "delta": delta}, "content_block_delta")
            if p[0] == "think":
                out += self.sse({"type": "content_block_delta", "index": i, "delta": {"type": "signature_delta", "signature": "sig=="}}, "content_block_delta")
            out += self.sse({"type": "content_block_stop", "index": i}, "content_block_stop")
        out += self.sse({"type": "message_delta", "delta": {"stop_reason": self.FINISH[parts_of(scenario)[1]], "stop_sequence": None}, "usage": {"output_tokens": 13}}, "message_delta")
        return out + self.sse({"type": "message_stop"}, "message_stop")

    def error(self, message):
        return {"type": "error", "error": {"type": "invalid_request_error", "message": message}}


class Gemini(Dialect):
    path = "/v1beta/models/scripted"
    provider = "kind: gemini"

    def check(self, path, headers, body):
        need(path in (self.path + ":generateContent", self.path + ":streamGenerateContent?alt=sse"), path)
        need(headers.get("x-goog-api-key") == "upstream-key", "API key not valid")
        only(body, "contents", "systemInstruction", "tools", "toolConfig", "generationConfig", "safetySettings")
        only(body.get("generationConfig", {}), "temperature", "topP", "topK", "seed", "maxOutputTokens", "stopSequences", "responseMimeType", "responseJsonSchema",
             "responseSchema", "thinkingConfig", "candidateCount", "responseModalities", "imageConfig", "presencePenalty", "frequencyPenalty")
        kinds = [k for t in body.get("tools", []) for k in t]
        need(set(kinds) <= {"functionDeclarations", "googleSearch"} and len(set(kinds)) <= 1, "Tool use with function calling is unsupported")
        calls, before = 0, None
        for content in body["contents"]:
            need(content["role"] in ("user", "model") and content["parts"], "Please use a valid role: user, model.")
            need(content["role"] != before, "roles must alternate")
            before = content["role"]
            results = sum("functionResponse" in p for p in content["parts"])
            need(results == calls, "Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.")
            calls = 0
            for p in content["parts"]:
                need(len(set(p) - {"thought", "thoughtSignature"}) == 1, f"parts: oneof field 'data' is not one: {list(p)}")
                if "functionCall" in p:
                    calls += 1
                    need(isinstance(p["functionCall"].get("args", {}), dict), "args")
                if "functionResponse" in p:
                    need(isinstance(p["functionResponse"]["response"], dict) and p["functionResponse"]["name"], "response")
                need(p.get("text", "x") != "", "parts must not be empty")
                need("inlineData" not in p or content["role"] == "user" or p.get("thoughtSignature") == SIGNATURE, "Image part is missing a thought_signature")
        need(body["contents"][0]["role"] == "user", "function call turn comes immediately after a user turn")

    def common(self, body):
        messages = [("system", p["text"]) for p in body.get("systemInstruction", {}).get("parts", [])]
        for content in body["contents"]:
            role = "assistant" if content["role"] == "model" else "user"
            for p in content["parts"]:
                if "functionCall" in p:
                    messages.append(("call", p["functionCall"]["name"], p["functionCall"].get("args", {})))
                elif "functionResponse" in p:
                    messages.append(("result", p["functionResponse"]["name"], p["functionResponse"]["response"].get("output")))
                elif "inlineData" in p:
                    messages.append((role, "image", f"data:{p['inlineData']['mimeType']};base64,{p['inlineData']['data']}"))
                else:
                    messages.append((role, p["text"]))
        config = body.get("generationConfig", {})
        calling = body.get("toolConfig", {}).get("functionCallingConfig", {})
        names = calling.get("allowedFunctionNames")
        return {"messages": messages, "tools": [(f["name"], f.get("parametersJsonSchema", f.get("parameters"))) for t in body.get("tools", []) for f in t.get("functionDeclarations", [])],
                "choice": names[0] if names else {"ANY": "required", "AUTO": "auto", "NONE": "none"}.get(calling.get("mode")), "max": config.get("maxOutputTokens"),
                "temperature": config.get("temperature"), "schema": config.get("responseJsonSchema")}

    FINISH = {"stop": "STOP", "length": "MAX_TOKENS", "calls": "STOP"}
    usage = {"promptTokenCount": 57, "candidatesTokenCount": 13, "cachedContentTokenCount": 32, "totalTokenCount": 70}

    def parts(self, scenario):
        parts = []
        for p in parts_of(scenario)[0]:
            parts.append({"functionCall": {"name": p[2], "args": json.loads(p[3])}} if p[0] == "call"
                         else {"inlineData": {"mimeType": "image/png", "data": p[1]}, "thoughtSignature": SIGNATURE} if p[0] == "picture" else {"text": p[1], "thought": True} if p[0] == "think" else {"text": p[1]})
        return parts

    def response(self, parts, finish=None):
        candidate = {"content": {"parts": parts, "role": "model"}, "index": 0}
        if finish:
            candidate["finishReason"] = finish
        return {"candidates": [candidate], **({"usageMetadata": self.usage} if finish else {}), "modelVersion": "scripted", "responseId": "r1"}

    def whole(self, scenario):
        return self.response(self.parts(scenario), self.FINISH[parts_of(scenario)[1]])

    def stream(self, scenario, body):
        out = b""
        for part in self.parts(scenario):
            for piece in pieces(part["text"]) if "text" in part else [None]:
                out += self.sse(self.response([part if piece is None else {**part, "text": piece}]))
        return out + self.sse(self.response([], self.FINISH[parts_of(scenario)[1]]))

    def error(self, message):
        return {"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}}


class Ollama(Dialect):
    path = "/api/chat"
    provider = "kind: ollama"
    ndjson = True

    def check(self, path, headers, body):
        need(path == self.path, path)
        only(body, "model", "messages", "tools", "stream", "format", "think", "options", "keep_alive")
        need(isinstance(body["stream"], bool), "stream")
        only(body.get("options", {}), "temperature", "top_p", "top_k", "min_p", "seed", "num_predict", "num_ctx", "stop", "repeat_penalty", "presence_penalty", "frequency_penalty")
        need(body["options"]["num_ctx"] in (32768, 200000), "the test wants its context said")
        for m in body["messages"]:
            only(m, "role", "content", "images", "tool_calls", "tool_name", "tool_call_id", "thinking")
            need(m["role"] in ("system", "user", "assistant", "tool") and isinstance(m["content"], str), "message")
            for image in m.get("images", []):
                base64.b64decode(image, validate=True)
            for call in m.get("tool_calls", []):
                need(isinstance(call["function"]["arguments"], dict), "cannot unmarshal string into Go struct field arguments")
        for tool in body.get("tools", []):
            need(tool["type"] == "function" and tool["function"]["name"], "tool")

    def common(self, body):
        messages = []
        for m in body["messages"]:
            if m["role"] == "tool":
                messages.append(("result", m["tool_name"], m["content"]))
                continue
            if m["content"]:
                messages.append((m["role"], m["content"]))
            for image in m.get("images", []):
                messages.append((m["role"], "image", f"data:image/png;base64,{image}"))
            for call in m.get("tool_calls", []):
                messages.append(("call", call["function"]["name"], call["function"]["arguments"]))
        return {"messages": messages, "tools": [(t["function"]["name"], t["function"].get("parameters")) for t in body.get("tools", [])], "choice": None,
                "max": body["options"].get("num_predict"), "temperature": body["options"].get("temperature"),
                "schema": body.get("format") if isinstance(body.get("format"), dict) else None}

    def line(self, message, last=None):
        return {"model": "scripted", "created_at": "2026-01-01T00:00:00Z", "message": {"role": "assistant", "content": "", **message}, "done": last is not None,
                **({"done_reason": last, "total_duration": 1, "prompt_eval_count": 57, "eval_count": 13} if last else {})}

    def message(self, p):
        if p[0] == "picture":
            return {"images": [p[1]]}
        return {"tool_calls": [{"function": {"name": p[2], "arguments": json.loads(p[3])}}]} if p[0] == "call" else {"thinking" if p[0] == "think" else "content": p[1]}

    def whole(self, scenario):
        parts, finish = parts_of(scenario)
        message = {}
        for p in parts:
            for key, value in self.message(p).items():
                message[key] = message.get(key, []) + value if isinstance(value, list) else value
        return self.line(message, "length" if finish == "length" else "stop")

    def stream(self, scenario, body):
        parts, finish = parts_of(scenario)
        lines = []
        for p in parts:
            lines += [self.line(self.message(p))] if p[0] in ("call", "picture") else [self.line(self.message((p[0], piece))) for piece in pieces(p[1])]
        lines.append(self.line({}, "length" if finish == "length" else "stop"))
        return b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in lines)

    def error(self, message):
        return {"error": message}


DIALECTS = {"openai-chat": OpenAiChat(), "openai-responses": OpenAiResponses(), "anthropic": Anthropic(), "gemini": Gemini(), "ollama": Ollama()}


class StrictUpstream(Upstream):
    """A provider of one dialect on a real socket. `seen` holds (body, common form) of each request it took."""

    def __init__(self, name, cut=None):
        self.dialect = DIALECTS[name]
        self.seen = []
        self.rejected = []
        self.pause = 0  # seconds behind each piece
        self.cut = cut  # bytes of a write: an answer is sent in pieces of this size
        super().__init__(self.answer)
        self.base_url = f"http://127.0.0.1:{self.port}" + ("/v1" if name.startswith("openai") else "")

    def provider(self, zone="cloud", extra=""):
        return f"{{ {self.dialect.provider}, zone: {zone}, base_url: {self.base_url}, api_key: upstream-key{extra} }}"

    def choose(self, body, common):
        texts = [m[1] for m in common["messages"] if m[0] == "user" and isinstance(m[1], str)]
        return scenario_of(" ".join(texts))

    def answer(self, connection, raw, number):
        head = self.requests[-1][0].split("\r\n")
        path = head[0].split(" ")[1]
        headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in head[1:])}
        try:
            body = json.loads(raw)
            self.dialect.check(path, headers, body)
            common = self.dialect.common(body)
        except (Rejected, KeyError, TypeError, ValueError, IndexError, AttributeError) as e:
            self.rejected.append((str(e), raw))
            connection.sendall(http(self.dialect.error(f"{e.__class__.__name__}: {e}"), "400 Bad Request"))
            return
        self.seen.append((body, common))
        scenario = self.choose(body, common)
        stream = body.get("stream") or "streamGenerate" in path
        if not stream:
            connection.sendall(http(json.dumps(self.dialect.whole(scenario), ensure_ascii=False).encode()))
            return
        content = "application/x-ndjson" if self.dialect.ndjson else "text/event-stream"
        connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Type: {content}\r\nConnection: close\r\n\r\n".encode())
        data = self.dialect.stream(scenario, body)
        for i in range(0, len(data), self.cut or len(data)):
            connection.sendall(data[i:i + (self.cut or len(data))])
            time.sleep(self.pause)
        return "close"


def providers_and_models(upstreams, extra="", context=32768):
    """Entries of a config for one provider and one model of each dialect: p-NAME and m-NAME."""
    providers = "".join(f"  p-{n}: {u.provider(extra=', clearance: secret' + extra)}\n" for n, u in upstreams.items())
    models = "".join(f"  m-{n}: {{ provider: p-{n}, name: scripted, context: {context} }}\n" for n in upstreams)
    return providers, models


class OverStrict:
    """For test cases: one Tandem before a strict provider of each dialect, for all tests of the class."""
    @classmethod
    def start(cls, kind, more="", context=32768):
        cls.upstreams = {name: kind(name) for name in DIALECTS}
        providers, models = providers_and_models(cls.upstreams, context=context)
        cls.tandem = Tandem(f"providers:\n{providers}models:\n{models}{more}")

    @classmethod
    def tearDownClass(cls):
        cls.tandem.stop()
        for upstream in cls.upstreams.values():
            upstream.close()
