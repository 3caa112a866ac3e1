"""Servers of Chat Completions that refuse what others take: Mistral's ids and order of turns, templates without a system prompt or with
turns that must alternate, servers that take no thoughts of a history, and OpenRouter's reasoning_details, which must come back. Each is
behind every dialect in front; what is wanted is found out by a refusal, once."""
import json
import re
import unittest

from harness import http
from matrix_test import CLIENTS
from providers_test import CHAT, COUNTS, Case, answers, chat_ascii, offer, second_turn

DETAILS = [{"type": "reasoning.text", "text": "I should call the tool.", "format": "anthropic-claude-v1", "index": 0, "signature": "c2lnbmVk"},
           {"type": "reasoning.encrypted", "data": "c2VhbGVk", "format": "google-gemini-v1", "index": 1, "id": "call_7"}]
CALL = {"index": 0, "id": "call_7", "type": "function", "function": {"name": "note", "arguments": '{"t": "x"}'}}


def refuse(message, status="400 Bad Request"):
    return http({"object": "error", "message": message, "type": "invalid_request_error", "param": None, "code": None}, status)


def calls_first(request, stream, call=CALL, **beside):
    if any(m["role"] == "tool" for m in request["messages"]):
        return answers("chat", request, stream, "done")
    if stream:
        return [chat_ascii({"role": "assistant", "tool_calls": [call], **beside}), chat_ascii({}, "tool_calls"), b"data: [DONE]\n\n"]
    return {**CHAT, "choices": [{"index": 0, "message": {"role": "assistant", "content": None, "tool_calls": [call], **beside}, "finish_reason": "tool_calls"}], "usage": COUNTS}


def mistral(dialect, request, stream):
    """Mistral's two rules, and the thoughts of its reasoning models."""
    before = None
    for message in request["messages"]:
        for ident in [c["id"] for c in message.get("tool_calls") or []] + [v for k, v in message.items() if k == "tool_call_id"]:
            if not re.fullmatch(r"[a-zA-Z0-9]{9}", ident):
                return refuse(f"Tool call id was {ident} but must be a-z, A-Z, 0-9, with a length of 9.")
        if (before, message["role"]) == ("tool", "user"):
            return refuse("Unexpected role 'user' after role 'tool'")
        if message["role"] == "assistant" and not message.get("content") and not message.get("tool_calls"):
            return refuse("Assistant message must have either content or tool_calls, but not none.")
        if "reasoning_content" in message or "reasoning_details" in message:
            return refuse('{"detail":[{"type":"extra_forbidden","loc":["body","messages",1,"assistant","reasoning_content"],"msg":"Extra inputs are not permitted"}]}', "422 Unprocessable Entity")
        before = message["role"]
    return calls_first(request, stream, {**CALL, "id": "a1B2c3D4e"})


def thinks_in_parts(dialect, request, stream):
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "First "}, {"type": "text", "text": "this."}]}, {"type": "text", "text": "Hello there"}]
    if stream:
        return [chat_ascii({"role": "assistant", "content": parts[:1]}), chat_ascii({"content": parts[1:]}), chat_ascii({}, "stop"), b"data: [DONE]\n\n"]
    return {**CHAT, "choices": [{"index": 0, "message": {"role": "assistant", "content": parts}, "finish_reason": "stop"}], "usage": COUNTS}


def old_template(dialect, request, stream):
    """A local model whose template knows neither a system prompt nor two turns of one role."""
    roles = [m["role"] for m in request["messages"]]
    if "system" in roles:
        return refuse("System role not supported")
    if any(a == b for a, b in zip(roles, roles[1:])):
        return refuse("Conversation roles must alternate user/assistant/user/assistant/...", "500 Internal Server Error")
    return answers("chat", request, stream)


def openrouter(dialect, request, stream):
    for message in request["messages"]:
        if message.get("tool_calls") and not any(d.get("data") or d.get("signature") for d in message.get("reasoning_details", [])):
            return http({"error": {"message": "Provider returned error", "code": 400, "metadata": {"raw": "Gemini models require OpenRouter reasoning details to be preserved in each request. Upstream error: Function call is missing a thought_signature in functionCall parts."}}}, "400 Bad Request")
        for detail in message.get("reasoning_details", []):
            if detail["type"] == "reasoning.text" and not detail.get("signature"):
                return http({"error": {"message": "Invalid `signature` in `thinking` block", "code": 400}}, "400 Bad Request")
    if any(m["role"] == "tool" for m in request["messages"]):
        return answers("chat", request, stream, "done")
    if not stream:
        return calls_first(request, stream, reasoning="I should call the tool.", reasoning_details=DETAILS)
    text, sealed = DETAILS
    kept = {k: v for k, v in text.items() if k in ("type", "format", "index")}
    return [chat_ascii({"role": "assistant", "reasoning": "I should ", "reasoning_details": [{**kept, "text": "I should "}]}),
            chat_ascii({"reasoning": "call the tool.", "reasoning_details": [{**kept, "text": "call the tool."}]}), chat_ascii({"reasoning_details": [{**kept, "signature": text["signature"]}]}),
            chat_ascii({"tool_calls": [CALL]}), chat_ascii({"reasoning_details": [sealed]}), chat_ascii({}, "tool_calls"), b"data: [DONE]\n\n"]


def numbers_calls(first, with_ids=True):
    """Two calls side by side in pieces, numbered from `first`, all alike (0), or not at all (None)."""
    def does(dialect, request, stream):
        def piece(number, ident, **function):
            index = {} if first is None else {"index": first + number * (first > 0)}
            return chat_ascii({"tool_calls": [{**index, **({"id": ident} if ident else {}), "type": "function", "function": function}]})
        said = []
        for number, name in enumerate(("note", "other")):
            said += [piece(number, f"call_{name}", name=name, arguments=""), piece(number, None, arguments='{"t": '), piece(number, None, arguments=f'"{name}"}}')]
        return said + [chat_ascii({}, "tool_calls"), b"data: [DONE]\n\n"]
    return does


def ends_with_every_piece(dialect, request, stream):
    """Open WebUI in front of vLLM."""
    pieces = [{"role": "assistant", "content": "One "}, {"content": "two."}, {"tool_calls": [{**CALL, "function": {"name": "note", "arguments": '{"t": '}}]}, {"tool_calls": [{"index": 0, "function": {"arguments": '"x"}'}}]}]
    return [chunk for delta in pieces for chunk in (chat_ascii(delta), chat_ascii({}, "stop"))] + [b"data: [DONE]\n\n"]


def no_options_without_stream(dialect, request, stream):
    if request.get("stream_options") and not stream:
        return refuse("Stream options can only be defined when `stream=True`.")
    if any(t["function"].get("strict") is not None for t in request.get("tools", [])):
        return refuse("tools.0.function.strict: Extra inputs are not permitted", "422 Unprocessable Entity")
    return answers("chat", request, stream)


class Wants(Case):
    does = {"mistral": mistral, "magistral": thinks_in_parts, "gemma": old_template, "router": openrouter, "from-one": numbers_calls(1), "all-alike": numbers_calls(0), "unnumbered": numbers_calls(None),
            "ends-often": ends_with_every_piece, "picky": no_options_without_stream}

    def setUp(self):
        self.upstream = self.upstreams["openai-chat"]

    def every_front(self):
        return [(front, stream) for front in CLIENTS for stream in (True, False)]

    def good(self, *asked):
        front, _, stream = asked[:3]
        status, _, raw = self.ask(*asked)
        self.assertEqual(status, 200, (front, stream, raw))
        return raw, CLIENTS[front].read(raw, stream)

    def test_a_tool_goes_round_at_a_server_of_short_ids_also_where_the_user_speaks_after_its_result(self):
        speaks = {"messages": {"role": "user", "content": "go on"}, "input": {"type": "message", "role": "user", "content": "go on"}, "contents": {"role": "user", "parts": [{"text": "go on"}]}}
        for front, stream in self.every_front():
            raw, _ = self.good(front, "mistral-openai-chat", stream, offer("note"))
            turn = second_turn(front, raw, stream, False)
            _, said = self.good(front, "mistral-openai-chat", stream, turn)
            self.assertEqual(said["text"], "done")

            def speak(body):
                body = turn(body)
                name = next(n for n in speaks if n in body)
                return {**body, name: body[name] + [speaks[name]]}
            _, said = self.good(front, "mistral-openai-chat", stream, speak)
            self.assertEqual(said["text"], "done")
            self.assertIn("go on", json.dumps(self.upstream.asked[-1][1]["messages"][-1]))

    def test_what_is_wanted_is_found_out_once(self):
        history = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": None, "reasoning_content": "hm", "tool_calls": [{k: v for k, v in CALL.items() if k != "index"}]},
                   {"role": "tool", "tool_call_id": "call_7", "content": "ok"}, {"role": "user", "content": "go on"}]
        for _ in range(2):
            self.good("openai-chat", "mistral-openai-chat", False, lambda body: {**offer("note")(body), "messages": history})
        before = len(self.upstream.asked)
        self.good("openai-chat", "mistral-openai-chat", False, lambda body: {**offer("note")(body), "messages": history})
        self.assertEqual(len(self.upstream.asked), before + 1)

    def test_thoughts_among_the_parts_are_thoughts(self):
        for front, stream in self.every_front():
            if front == "openai-chat":
                continue  # its clients get the provider's bytes
            _, said = self.good(front, "magistral-openai-chat", stream)
            self.assertEqual((said["text"], said["think"]), ("Hello there", "First this."))

    def test_thoughts_among_the_parts_of_a_history_are_no_parts_that_only_one_dialect_has(self):
        parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "First this."}]}, {"type": "text", "text": "Hello there"}]
        history = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": parts}, {"role": "user", "content": "go on"}]
        for behind in self.upstreams:
            with self.subTest(behind=behind):
                status, _, raw = self.ask("openai-chat", f"good-{behind}", False, lambda body: {**body, "messages": history})
                self.assertEqual(status, 200, raw)

    def test_a_template_without_system_prompt_and_with_turns_that_alternate_is_asked_so(self):
        for front, stream in self.every_front():
            if front == "openai-responses":
                history = {"instructions": "Be brief.", "input": [{"role": "user", "content": "one"}, {"role": "user", "content": "two"}]}
            elif front == "gemini":
                history = {"systemInstruction": {"parts": [{"text": "Be brief."}]}, "contents": [{"role": "user", "parts": [{"text": "one"}]}, {"role": "user", "parts": [{"text": "two"}]}]}
            elif front == "anthropic":
                history = {"system": "Be brief.", "messages": [{"role": "user", "content": "one"}, {"role": "user", "content": "two"}]}
            else:
                history = {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "one"}, {"role": "user", "content": "two"}]}
            _, said = self.good(front, "gemma-openai-chat", stream, lambda body: {**body, **history})
            self.assertEqual(said["text"], "Hello there")
            self.assertEqual(self.upstream.asked[-1][1]["messages"], [{"role": "user", "content": "Be brief.\none\ntwo"}])

    def test_the_details_of_thoughts_come_back_whole_from_every_client(self):
        for front, stream in self.every_front():
            for forgets in (False, True):
                raw, said = self.good(front, "router-openai-chat", stream, offer("note"))
                self.assertEqual([n for n, _ in said["calls"]], ["note"])
                _, said = self.good(front, "router-openai-chat", stream, second_turn(front, raw, stream, forgets))
                self.assertEqual(said["text"], "done")
                sent = next(m for m in self.upstream.asked[-1][1]["messages"] if m.get("tool_calls"))["reasoning_details"]
                # What a client of its own dialect has lost before we knew is lost: a call of another model's is said to be so.
                unseen = [{"type": "reasoning.encrypted", "data": "skip_thought_signature_validator", "id": "call_7", "format": "google-gemini-v1"}]
                by_type = sorted(sent, key=lambda d: d["type"], reverse=True)
                self.assertIn(by_type, [DETAILS, unseen] if front == "openai-chat" else [DETAILS], f"{front} {stream} {forgets}")

    def test_calls_are_told_apart_and_numbered_as_clients_count_them(self):
        for model in ("from-one", "all-alike", "unnumbered"):
            for front in CLIENTS:
                with self.subTest(model=model, front=front):
                    raw, said = self.good(front, f"{model}-openai-chat", True, offer("note"))
                    self.assertEqual([(n, json.loads(a) if isinstance(a, str) else a) for n, a in said["calls"]], [("note", {"t": "note"}), ("other", {"t": "other"})])
                    if front == "openai-chat":
                        events = [json.loads(line[6:]) for line in raw.decode().split("\n") if line.startswith("data: {")]
                        numbers = [call["index"] for e in events for choice in e["choices"] for call in choice["delta"].get("tool_calls", [])]
                        self.assertEqual(numbers, [0, 0, 0, 1, 1, 1])

    def test_an_end_behind_every_piece_ends_nothing(self):
        for front in CLIENTS:
            with self.subTest(front=front):
                raw, said = self.good(front, "ends-often-openai-chat", True, offer("note"))
                self.assertEqual((said["text"], len(said["calls"])), ("One two.", 1))
                if front == "anthropic":
                    self.assertIn(b'"stop_reason":"tool_use"', raw)

    def test_options_that_ask_for_nothing_do_not_reach_a_picky_server(self):
        self.good("openai-chat", "picky-openai-chat", False, lambda body: {**body, "stream_options": {"include_usage": True}})
        self.good("openai-responses", "picky-openai-chat", False, offer("note"))


def quotes_the_client(dialect, request, stream):
    """vLLM and others quote what they refuse."""
    bad = (request.get("metadata") or {}).get("bad")
    if bad:
        return refuse(f"metadata.bad: {bad!r} is not one of the values that are allowed")
    return answers("chat", request, stream)


def thinks_in_many_parts(dialect, request, stream):
    """Far more than was asked for, in members that are no text."""
    return ([chat_ascii({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "word word word word "}]}]}) for _ in range(1500)]
            + [chat_ascii({"content": "done"}), chat_ascii({}, "stop"), b"data: [DONE]\n\n"])


class Clients(Case):
    """What one client says or was told stays its own."""
    does = {"quotes": quotes_the_client, "router": openrouter, "endless": thinks_in_many_parts}
    extra = "keys:\n  alice: { secret: alice-0123456789abc, budgets: [{ limit: 0.001, window: total }] }\n  mallory: { secret: mallory-0123456789abc }\n"

    def ask_as(self, key, model, body, stream=False, **headers):
        status, answered, raw = self.tandem.request("/v1/chat/completions", {"model": f"{model}-openai-chat", "stream": stream, **body}, {"authorization": f"Bearer {key}-0123456789abc", **headers})
        return status, raw

    def sent(self):
        return self.upstreams["openai-chat"].asked[-1][1]

    def test_one_clients_words_in_a_refusal_change_nothing_for_another(self):
        history = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "one"}, {"role": "user", "content": "two"}]
        for bad in ("system role not supported", "Conversation roles must alternate", "Tool call id was x but must have a length of 9", "Unexpected role 'user' after role 'tool'", "temperature is not supported",
                    "x" * 40 + " roles must alternate " + "y" * 40):
            status, _ = self.ask_as("mallory", "quotes", {"messages": [{"role": "user", "content": "hi"}], "metadata": {"bad": bad}})
            self.assertEqual((status, "metadata" in self.sent()), (200, False))  # asked plainly, for this key alone
            self.ask_as("mallory", "good", {"messages": history})  # so that no breaker opens
            status, raw = self.ask_as("mallory", "quotes", {"messages": history, "temperature": 0.5})
            self.assertEqual(status, 200, raw)
            self.assertEqual((self.sent()["messages"], self.sent()["temperature"]), (history, 0.5), bad)
            status, raw = self.ask_as("alice", "quotes", {"messages": history, "max_tokens": 9, "metadata": {"good": "x"}})
            self.assertEqual((status, self.sent().get("metadata")), (200, {"good": "x"}), raw)

    def test_a_thought_goes_back_in_its_own_conversation_alone(self):
        tools = [{"type": "function", "function": {"name": "note", "parameters": {"type": "object", "properties": {}}}}]
        call = {k: v for k, v in CALL.items() if k != "index"}

        def turn(before, **headers):
            """A question, and the turn after its call, without the thought."""
            first = {"tools": tools, "messages": before + [{"role": "user", "content": "go on"}]}
            status, raw = self.ask_as("mallory", "router", first, **headers)
            return status, raw, {**first, "messages": first["messages"] + [{"role": "assistant", "content": None, "tool_calls": [call]}, {"role": "tool", "tool_call_id": "call_7", "content": "ok"}]}

        def details():
            return next(m for m in self.sent()["messages"] if m.get("tool_calls")).get("reasoning_details", [])
        status, raw, second = turn([{"role": "user", "content": "A"}, {"role": "assistant", "content": "a"}])
        self.assertEqual(self.ask_as("mallory", "router", second)[0], 200)   # the first refusal tells that details are wanted
        private = {"x-tandem-label": "private"}
        status, raw, second = turn([{"role": "user", "content": "B"}, {"role": "assistant", "content": "b"}], **private)
        self.assertEqual(status, 200, raw)
        status, raw = self.ask_as("mallory", "router", second, **private)
        self.assertEqual((status, sorted(d["type"] for d in details())), (200, ["reasoning.encrypted", "reasoning.text"]), raw)
        # The same call and last words of another conversation.
        _, _, other = turn([{"role": "user", "content": "C"}, {"role": "assistant", "content": "c"}])
        other["messages"][0]["content"] = "D"
        status, raw = self.ask_as("mallory", "router", other)
        self.assertEqual((status, [d.get("data") for d in details()]), (200, ["skip_thought_signature_validator"]), raw)

    def test_members_that_are_no_text_are_bounded_and_paid_too(self):
        status, raw = self.ask_as("alice", "endless", {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 100}, stream=True)
        self.assertEqual(status, 200, raw)
        self.assertLess(raw.count(b"thinking"), 300)


if __name__ == "__main__":
    unittest.main()
