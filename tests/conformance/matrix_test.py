"""Every dialect in front of every dialect behind, streamed and whole: the same conversations in, the same answers out.

The clients here build requests by each API's own documentation, and read answers with as much strictness; the providers
(strict.py) reject what the real ones reject. Prints the matrix.
"""
import json
import sys
import unittest

from harness import Tandem
from strict import CALLS, DIALECTS, PNG, SCENARIOS, TEXT, THOUGHT, StrictUpstream, providers_and_models

WEATHER = {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "number"}}, "required": ["city"]}
TIME = {"type": "object", "properties": {}}
TOOLS = [("get_weather", "The weather of a city", WEATHER), ("get_time", "The time", TIME)]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}
RESULTS = [("get_weather", {"city": "Köln"}, '{"sun": true, "note": "a \\"b\\""}'), ("get_time", {}, "12:30")]
SYSTEM = "You are terse.\nAnswer in German."


def tools_of(scenario):
    return TOOLS if scenario in ("call", "calls", "history", "forced") else []


# ---- clients: what they send and how they read it ----

class Chat:
    path = "/v1/chat/completions"

    def request(self, s, stream):
        user = [{"type": "text", "text": f"scenario:{s}"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64," + PNG}}] if s == "history" else f"scenario:{s}"
        messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": user}]
        if s == "history":
            messages.append({"role": "assistant", "content": "I look.", "tool_calls": [
                {"id": f"call_{i}", "type": "function", "function": {"name": n, "arguments": json.dumps(a)}} for i, (n, a, _) in enumerate(RESULTS)]})
            messages += [{"role": "tool", "tool_call_id": f"call_{i}", "content": r} for i, (_, _, r) in enumerate(RESULTS)]
            messages.append({"role": "user", "content": "And now?"})
        body = {"model": "m", "messages": messages, "max_completion_tokens": 500, "temperature": 0.5}
        if tools_of(s):
            body["tools"] = [{"type": "function", "function": {"name": n, "description": d, "parameters": p}} for n, d, p in TOOLS]
        if s == "forced":
            body["tool_choice"] = {"type": "function", "function": {"name": "get_weather"}}
        if s == "schema":
            body["response_format"] = {"type": "json_schema", "json_schema": {"name": "city", "schema": SCHEMA, "strict": True}}
        return {**body, **({"stream": True, "stream_options": {"include_usage": True}} if stream else {})}

    def read(self, raw, stream):
        if not stream:
            a = json.loads(raw)
            m = a["choices"][0]["message"]
            calls = [(c["function"]["name"], c["function"]["arguments"]) for c in m.get("tool_calls") or []]
            ids = [c["id"] for c in m.get("tool_calls") or []]
            text, think, finish, usage = m["content"] or "", m.get("reasoning_content", ""), a["choices"][0]["finish_reason"], a["usage"]
        else:
            text = think = ""
            calls, ids, finish, usage = [], [], None, None
            events = sse(raw)
            assert events[-1] == (None, "[DONE]")
            for _, data in events[:-1]:
                c = json.loads(data)
                assert c["object"] == "chat.completion.chunk" and c["id"]
                usage = c.get("usage") or usage
                for choice in c["choices"]:
                    d = choice["delta"]
                    text += d.get("content") or ""
                    think += d.get("reasoning_content") or ""
                    for call in d.get("tool_calls", []):
                        if call["index"] == len(calls):
                            calls.append((call["function"]["name"], ""))
                            ids.append(call["id"])
                        name, arguments = calls[call["index"]]
                        calls[call["index"]] = (name, arguments + call["function"].get("arguments", ""))
                    if choice["finish_reason"]:
                        assert finish is None
                        finish = choice["finish_reason"]
        assert all(ids) and len(set(ids)) == len(ids)
        return {"text": text, "think": think, "calls": calls, "finish": {"tool_calls": "calls"}.get(finish, finish),
                "usage": (usage["prompt_tokens"], usage["completion_tokens"], usage["prompt_tokens_details"]["cached_tokens"])}


class Responses:
    path = "/v1/responses"

    def request(self, s, stream):
        content = [{"type": "input_text", "text": f"scenario:{s}"}]
        if s == "history":
            content.append({"type": "input_image", "image_url": "data:image/png;base64," + PNG})
        items = [{"role": "user", "content": content}]
        if s == "history":
            items.append({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "I look.", "annotations": []}]})
            items += [{"type": "function_call", "call_id": f"call_{i}", "name": n, "arguments": json.dumps(a)} for i, (n, a, _) in enumerate(RESULTS)]
            items += [{"type": "function_call_output", "call_id": f"call_{i}", "output": r} for i, (_, _, r) in enumerate(RESULTS)]
            items.append({"role": "user", "content": "And now?"})
        body = {"model": "m", "instructions": SYSTEM, "input": items, "max_output_tokens": 500, "temperature": 0.5, "store": False}
        if tools_of(s):
            body["tools"] = [{"type": "function", "name": n, "description": d, "parameters": p, "strict": False} for n, d, p in TOOLS]
        if s == "forced":
            body["tool_choice"] = {"type": "function", "name": "get_weather"}
        if s == "schema":
            body["text"] = {"format": {"type": "json_schema", "name": "city", "schema": SCHEMA, "strict": True}}
        return {**body, **({"stream": True} if stream else {})}

    def read(self, raw, stream):
        if not stream:
            a = json.loads(raw)
        else:
            deltas, done, added = {}, {}, {}
            events = [(n, json.loads(d)) for n, d in sse(raw)]
            for number, (name, e) in enumerate(events):
                assert e["type"] == name and e["sequence_number"] == number, (name, e)
                if name == "response.output_item.added":
                    added[e["output_index"]] = e["item"]["id"]
                if name.endswith(".delta"):
                    assert added[e["output_index"]] == e["item_id"]
                    deltas[e["output_index"]] = deltas.get(e["output_index"], "") + e["delta"]
                if name == "response.output_item.done":
                    done[e["output_index"]] = e["item"]
            assert events[0][0] == "response.created" and events[-1][0] in ("response.completed", "response.incomplete")
            a = events[-1][1]["response"]
            assert [done[i] for i in sorted(done)] == a["output"]
            for i, item in enumerate(a["output"]):
                whole = {"message": lambda: item["content"][0]["text"], "reasoning": lambda: "".join(p["text"] for p in item["summary"]),
                         "function_call": lambda: item["arguments"]}[item["type"]]()
                assert deltas.get(i, "") == whole, (deltas.get(i), whole)
        text = "".join(p["text"] for i in a["output"] if i["type"] == "message" for p in i["content"])
        think = "".join(p["text"] for i in a["output"] if i["type"] == "reasoning" for p in i["summary"])
        calls = [(i["name"], i["arguments"]) for i in a["output"] if i["type"] == "function_call"]
        finish = "length" if a["status"] == "incomplete" else "calls" if calls else "stop"
        assert a["status"] in ("completed", "incomplete") and a["object"] == "response"
        u = a["usage"]
        return {"text": text, "think": think, "calls": calls, "finish": finish, "usage": (u["input_tokens"], u["output_tokens"], u["input_tokens_details"]["cached_tokens"])}


class Messages:
    path = "/v1/messages"

    def request(self, s, stream):
        content = [{"type": "text", "text": f"scenario:{s}", **({"cache_control": {"type": "ephemeral"}} if s == "text" else {})}]
        if s == "history":
            content.append({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}})
        messages = [{"role": "user", "content": content}]
        if s == "history":
            messages.append({"role": "assistant", "content": [{"type": "text", "text": "I look."}] + [
                {"type": "tool_use", "id": f"toolu_{i}", "name": n, "input": a} for i, (n, a, _) in enumerate(RESULTS)]})
            messages.append({"role": "user", "content": [{"type": "tool_result", "tool_use_id": f"toolu_{i}", "content": r} for i, (_, _, r) in enumerate(RESULTS)]
                             + [{"type": "text", "text": "And now?"}]})
        body = {"model": "m", "max_tokens": 500, "system": SYSTEM, "messages": messages, "temperature": 0.5}
        if tools_of(s):
            body["tools"] = [{"name": n, "description": d, "input_schema": p} for n, d, p in TOOLS]
        if s == "forced":
            body["tool_choice"] = {"type": "tool", "name": "get_weather"}
        if s == "schema":
            body["output_config"] = {"format": {"type": "json_schema", "schema": SCHEMA}}
        return {**body, **({"stream": True} if stream else {})}

    def read(self, raw, stream):
        if not stream:
            a = json.loads(raw)
        else:
            events = [(n, json.loads(d)) for n, d in sse(raw)]
            assert all(n == e["type"] for n, e in events)
            events = [e for _, e in events if e["type"] != "ping"]
            assert events[0]["type"] == "message_start" and events[-1]["type"] == "message_stop"
            a = events[0]["message"]
            open_block = None
            for e in events[1:-1]:
                if e["type"] == "content_block_start":
                    assert open_block is None and e["index"] == len(a["content"])
                    open_block = {**e["content_block"], "json": ""}
                elif e["type"] == "content_block_delta":
                    d = e["delta"]
                    assert open_block is not None and e["index"] == len(a["content"])
                    field = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature", "input_json_delta": "partial_json"}[d["type"]]
                    open_block["json" if field == "partial_json" else field] += d[field]
                elif e["type"] == "content_block_stop":
                    partial = open_block.pop("json")
                    if open_block["type"] == "tool_use":
                        open_block["raw"] = partial or "{}"
                    a["content"].append(open_block)
                    open_block = None
                else:
                    assert e["type"] == "message_delta"
                    a.update(e["delta"])
                    a["usage"].update({k: v for k, v in e["usage"].items() if v is not None})
        calls = [(b["name"], b.get("raw") or json.dumps(b["input"])) for b in a["content"] if b["type"] == "tool_use"]
        u = a["usage"]
        return {"text": "".join(b["text"] for b in a["content"] if b["type"] == "text"), "think": "".join(b["thinking"] for b in a["content"] if b["type"] == "thinking"),
                "calls": calls, "finish": {"end_turn": "stop", "max_tokens": "length", "tool_use": "calls"}[a["stop_reason"]],
                "usage": (u["input_tokens"] + u["cache_read_input_tokens"] + u["cache_creation_input_tokens"], u["output_tokens"], u["cache_read_input_tokens"])}


class GenerateContent:
    def path_for(self, stream):
        return "/v1beta/models/m:" + ("streamGenerateContent?alt=sse" if stream else "generateContent")

    def request(self, s, stream):
        parts = [{"text": f"scenario:{s}"}]
        if s == "history":
            parts.append({"inlineData": {"mimeType": "image/png", "data": PNG}})
        contents = [{"role": "user", "parts": parts}]
        if s == "history":
            contents.append({"role": "model", "parts": [{"text": "I look."}] + [{"functionCall": {"name": n, "args": a}} for n, a, _ in RESULTS]})
            contents.append({"role": "user", "parts": [{"functionResponse": {"name": n, "response": {"output": r}}} for n, _, r in RESULTS] + [{"text": "And now?"}]})
        body = {"contents": contents, "systemInstruction": {"parts": [{"text": SYSTEM}]}, "generationConfig": {"maxOutputTokens": 500, "temperature": 0.5}}
        if tools_of(s):
            body["tools"] = [{"functionDeclarations": [{"name": n, "description": d, "parametersJsonSchema": p} for n, d, p in TOOLS]}]
        if s == "forced":
            body["toolConfig"] = {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["get_weather"]}}
        if s == "schema":
            body["generationConfig"].update(responseMimeType="application/json", responseJsonSchema=SCHEMA)
        return body

    def read(self, raw, stream):
        chunks = [json.loads(d) for _, d in sse(raw)] if stream else [json.loads(raw)]
        parts = [p for c in chunks for p in c["candidates"][0]["content"]["parts"]]
        finish = [c["candidates"][0]["finishReason"] for c in chunks if "finishReason" in c["candidates"][0]]
        assert len(finish) == 1
        calls = [(p["functionCall"]["name"], json.dumps(p["functionCall"]["args"])) for p in parts if "functionCall" in p]
        u = chunks[-1]["usageMetadata"]
        return {"text": "".join(p["text"] for p in parts if "text" in p and not p.get("thought")), "think": "".join(p["text"] for p in parts if p.get("thought")), "calls": calls,
                "finish": "length" if finish[0] == "MAX_TOKENS" else "calls" if calls else "stop",
                "usage": (u["promptTokenCount"], u["candidatesTokenCount"], u.get("cachedContentTokenCount", 0))}


class OllamaChat:
    path = "/api/chat"

    def request(self, s, stream):
        messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": f"scenario:{s}", **({"images": [PNG]} if s == "history" else {})}]
        if s == "history":
            messages.append({"role": "assistant", "content": "I look.", "tool_calls": [{"function": {"name": n, "arguments": a}} for n, a, _ in RESULTS]})
            messages += [{"role": "tool", "tool_name": n, "content": r} for n, _, r in RESULTS]
            messages.append({"role": "user", "content": "And now?"})
        body = {"model": "m", "messages": messages, "stream": stream, "options": {"num_predict": 500, "temperature": 0.5}}
        if tools_of(s):
            body["tools"] = [{"type": "function", "function": {"name": n, "description": d, "parameters": p}} for n, d, p in TOOLS]
        if s == "schema":
            body["format"] = SCHEMA
        return body

    def read(self, raw, stream):
        lines = [json.loads(line) for line in raw.splitlines()]
        assert len(lines) == 1 or stream
        assert [line["done"] for line in lines] == [False] * (len(lines) - 1) + [True]
        calls = [(c["function"]["name"], json.dumps(c["function"]["arguments"])) for line in lines for c in line["message"].get("tool_calls", [])]
        last = lines[-1]
        return {"text": "".join(line["message"]["content"] for line in lines), "think": "".join(line["message"].get("thinking", "") for line in lines), "calls": calls,
                "finish": "length" if last["done_reason"] == "length" else "calls" if calls else "stop", "usage": (last["prompt_eval_count"], last["eval_count"], None)}


CLIENTS = {"openai-chat": Chat(), "openai-responses": Responses(), "anthropic": Messages(), "gemini": GenerateContent(), "ollama": OllamaChat()}


def sse(raw):
    events = []
    for block in raw.decode().split("\n\n"):
        if not block.strip():
            continue
        lines = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))  # a comment says that the line lives
        if not lines:
            continue
        events.append((lines.get("event"), lines["data"]))
    return events


def expected_answer(s, front, behind):
    calls = [(n, json.loads(a)) for n, a in CALLS.get(s, CALLS["call"] if s == "forced" else [])]
    cached = None if "ollama" in (front,) else 0 if behind == "ollama" else 32
    return {"text": "42" if s == "think" else '{"city":"Köln"}' if s == "schema" else "" if calls else TEXT, "think": THOUGHT if s == "think" else "",
            "calls": calls, "finish": "length" if s == "length" else "calls" if calls else "stop", "usage": (57, 13, cached)}


def expected_request(s, front, behind):
    messages = [("system", SYSTEM), ("user", f"scenario:{s}")]
    if s == "history":
        messages += [("user", "image", "data:image/png;base64," + PNG), ("assistant", "I look.")]
        messages += [("call", n, a) for n, a, _ in RESULTS] + [("result", n, r) for n, _, r in RESULTS] + [("user", "And now?")]
    choice = "get_weather" if s == "forced" and front != "ollama" and behind != "ollama" else None
    return {"messages": messages, "tools": [(n, p) for n, _, p in tools_of(s)], "choice": choice, "max": 500, "temperature": 0.5, "schema": SCHEMA if s == "schema" else None}


class Matrix(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.upstreams = {name: StrictUpstream(name, cut=11) for name in DIALECTS}
        providers, models = providers_and_models(cls.upstreams)
        cls.tandem = Tandem(f"providers:\n{providers}models:\n{models}policy: {{ preset: cloud-first }}\n")
        cls.table = {}

    @classmethod
    def tearDownClass(cls):
        cls.tandem.stop()
        for u in cls.upstreams.values():
            u.close()
        print("\nfront \\ behind     " + "".join(f"{name:>18}" for name in DIALECTS), file=sys.stderr)
        for front in CLIENTS:
            print(f"{front:<18} " + "".join(f"{cls.table.get((front, behind), 'not run'):>18}" for behind in DIALECTS), file=sys.stderr)

    def ask(self, front, behind, scenario, stream):
        client = CLIENTS[front]
        body = client.request(scenario, stream)
        path = client.path_for(stream).replace("models/m:", f"models/m-{behind}:") if front == "gemini" else client.path
        if front != "gemini":
            body["model"] = f"m-{behind}"
        headers = {"anthropic-version": "2023-06-01"} if front == "anthropic" else {}
        return self.tandem.request(path, body, headers)

    def one(self, front, behind, scenario, stream):
        upstream = self.upstreams[behind]
        upstream.rejected.clear()
        before = len(upstream.seen)
        status, headers, raw = self.ask(front, behind, scenario, stream)
        self.assertEqual(upstream.rejected, [])
        if scenario == "forced" and behind == "ollama" and front != "ollama":
            self.assertEqual(status, 400, raw)
            self.assertIn(b"tool_choice", raw)
            return
        self.assertEqual(status, 200, raw)
        body, common = upstream.seen[before]
        want = expected_request(scenario, front, behind)
        # Texts of one message may have been joined, or an answer's call and text reordered: the words are the same.
        self.assertEqual(common, want)
        answer = CLIENTS[front].read(raw, stream)
        # Arguments exactly as they were written, where both say them as text.
        as_text = {"openai-chat", "openai-responses"} | ({"anthropic"} if stream else set())
        if scenario in CALLS and {front, behind} <= as_text:
            self.assertEqual(answer["calls"], CALLS[scenario])
        answer["calls"] = [(n, json.loads(a)) for n, a in answer["calls"]]
        self.assertEqual(answer, expected_answer(scenario, front, behind))


def make(front, behind):
    def test(self):
        failed = 0
        for scenario in SCENARIOS:
            for stream in (False, True):
                with self.subTest(scenario=scenario, stream=stream):
                    failed += 1
                    self.one(front, behind, scenario, stream)
                    failed -= 1
        self.table[front, behind] = "all" if failed == 0 else f"{failed} failed"
    return test


for front_name in CLIENTS:
    for behind_name in DIALECTS:
        setattr(Matrix, f"test_{front_name}_to_{behind_name}".replace("-", "_"), make(front_name, behind_name))

if __name__ == "__main__":
    unittest.main()
