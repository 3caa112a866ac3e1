"""What clients send as they come: offers of hosted tools, namespaces, odd items of a history, values that change nothing, base URLs, codings
of bodies, pages of other origins. Nothing is set but what `tandem init` sets; the providers are strict."""
import gzip
import json
import os
import socket
import subprocess
import unittest
import urllib.request
import zlib

from harness import ANSWER, Tandem, Upstream, http
from strict import OverStrict, StrictUpstream

FUNCTION = {"type": "object", "properties": {"q": {"type": "string"}}}
SEARCH = {"type": "web_search", "external_web_access": False}
ALL = ("openai-chat", "openai-responses", "anthropic", "gemini", "ollama")


class Calls(StrictUpstream):
    """Calls the tool that `wanted` names, and says "Done." once it has the result."""
    wanted = None

    def choose(self, body, common):
        if self.wanted and not [m for m in common["messages"] if m[0] == "result"]:
            return [("call", "call_1", self.wanted, '{"q": "x"}')], "calls"
        return [("text", "Done.")], "stop"


class Clients(OverStrict, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.start(Calls)

    def setUp(self):
        for u in self.upstreams.values():
            u.wanted = None
            u.seen.clear()
            u.rejected.clear()

    def ask(self, path, body, behind, status=200, **headers):
        got, answered, text = self.tandem.request(path, body, headers)
        self.assertEqual(got, status, (text, self.upstreams[behind].rejected))
        return (json.loads(text) if not body.get("stream") else text.decode()), answered

    def sent(self, behind):
        self.assertEqual(self.upstreams[behind].rejected, [])
        return self.upstreams[behind].seen[-1]

    def respond(self, behind, status=200, **body):
        return self.ask("/v1/responses", {"model": f"m-{behind}", "input": "hi", **body}, behind, status)

    # ---- hosted tools ----

    def test_an_offered_search_is_said_in_the_providers_words_or_left_out_with_a_warning(self):
        function = {"type": "function", "name": "f", "parameters": FUNCTION}
        for behind, words in (("openai-chat", None), ("ollama", None), ("openai-responses", SEARCH), ("anthropic", {"type": "web_search_20250305", "name": "web_search"})):
            for stream in (False, True):
                with self.subTest(behind=behind, stream=stream):
                    _, headers = self.respond(behind, tools=[SEARCH, function], stream=stream)
                    tools = self.sent(behind)[0].get("tools", [])
                    self.assertEqual([t for t in tools if "search" in json.dumps(t)], [words] if words else [])
                    self.assertEqual("tools that the provider runs left out" in (headers["x-tandem-warnings"] or ""), words is None)

    def test_gemini_searches_where_there_are_no_functions(self):
        self.respond("gemini", tools=[SEARCH])
        self.assertEqual(self.sent("gemini")[0]["tools"], [{"googleSearch": {}}])
        self.respond("gemini", tools=[SEARCH, {"type": "function", "name": "f", "parameters": FUNCTION}])
        self.assertNotIn("googleSearch", json.dumps(self.sent("gemini")[0]))

    def test_a_search_goes_from_every_dialect_that_has_one_to_every_other(self):
        place = {"type": "approximate", "city": "Oslo"}
        claude = {"type": "web_search_20250305", "name": "web_search", "max_uses": 8, "allowed_domains": ["a.org"], "user_location": place}
        self.ask("/v1/messages", {"model": "m-openai-responses", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}], "tools": [claude]}, "openai-responses")
        self.assertEqual(self.sent("openai-responses")[0]["tools"], [{"type": "web_search", "filters": {"allowed_domains": ["a.org"]}, "user_location": place}])
        gemini = {"contents": [{"parts": [{"text": "hi"}]}], "tools": [{"googleSearch": {}}]}
        self.ask("/v1beta/models/m-anthropic:generateContent", gemini, "anthropic")
        self.assertEqual(self.sent("anthropic")[0]["tools"], [{"type": "web_search_20250305", "name": "web_search"}])

    def test_a_hosted_tool_that_is_forced_is_a_demand(self):
        for behind in ("openai-chat", "gemini", "ollama"):
            answer, _ = self.respond(behind, 400, tools=[SEARCH], tool_choice={"type": "web_search"})
            self.assertIn("tool_choice", answer["error"]["message"])
        self.respond("anthropic", tools=[SEARCH], tool_choice={"type": "web_search"})
        self.assertEqual(self.sent("anthropic")[0]["tool_choice"], {"type": "tool", "name": "web_search"})
        self.respond("openai-chat", 400, tools=[{"type": "code_interpreter", "container": {"type": "auto"}}], tool_choice="required")

    def test_allowed_tools_are_the_ones_that_are_sent(self):
        tools = [{"type": "function", "name": n, "parameters": FUNCTION} for n in "abc"]
        self.respond("anthropic", tools=tools, tool_choice={"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "b"}]})
        body, common = self.sent("anthropic")
        self.assertEqual(([t["name"] for t in body["tools"]], common["choice"]), (["b"], "required"))

    # ---- Codex ----

    def codex(self, **more):
        return {"tools": [{"type": "function", "name": "search", "parameters": FUNCTION},
                          {"type": "namespace", "name": "mcp__docs", "description": "Docs", "tools": [{"type": "function", "name": "search", "description": "d", "strict": False, "parameters": FUNCTION}]},
                          SEARCH],
                "store": False, "include": ["reasoning.encrypted_content"], "prompt_cache_key": "k", "client_metadata": {"a": "b"}, "parallel_tool_calls": True, "tool_choice": "auto",
                "reasoning": {"summary": "auto"}, **more}

    def test_tools_of_a_namespace_have_names_of_their_own_and_come_back_as_they_were(self):
        for behind in ALL:
            for stream in (False, True):
                with self.subTest(behind=behind, stream=stream):
                    self.upstreams[behind].wanted = "mcp__docs__search"
                    body = self.codex(input=[{"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Be brief."}, {"type": "input_text", "text": "Be kind."}]},
                                             {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Search."}]}], stream=stream)
                    answer, _ = self.respond(behind, **body)
                    if stream:
                        answer = json.loads([l for l in answer.splitlines() if l.startswith('data: {"type":"response.completed"')][0][6:])["response"]
                    call = next(i for i in answer["output"] if i["type"] == "function_call")
                    self.assertEqual((call["name"], call["namespace"], json.loads(call["arguments"])), ("search", "mcp__docs", {"q": "x"}))
                    self.assertEqual([t[0] for t in self.sent(behind)[1]["tools"]], ["search", "mcp__docs__search"])
                    body["input"] += [call, {"type": "function_call_output", "call_id": call["call_id"], "output": "found"}]
                    self.respond(behind, **body)
                    self.assertIn(("call", "mcp__docs__search", {"q": "x"}), self.sent(behind)[1]["messages"])

    def test_a_tool_of_a_namespace_never_has_another_ones_name(self):
        spaced = {"type": "namespace", "name": "mcp", "description": "d", "tools": [{"type": "function", "name": "run", "parameters": FUNCTION}]}
        plain = {"type": "function", "name": "mcp__run", "parameters": FUNCTION}
        for behind in ALL:
            for tools in ([spaced, plain], [plain, spaced]):
                for stream in (False, True):
                    with self.subTest(behind=behind, first=tools[0]["name"], stream=stream):
                        self.respond(behind, tools=tools)
                        names = [t[0] for t in self.sent(behind)[1]["tools"]]
                        self.assertEqual((len(set(names)), "mcp__run" in names), (2, True), names)
                        for name in names:
                            self.upstreams[behind].wanted = name
                            answer, _ = self.respond(behind, tools=tools, stream=stream)
                            if stream:
                                answer = json.loads([l for l in answer.splitlines() if l.startswith('data: {"type":"response.completed"')][0][6:])["response"]
                            call = next(i for i in answer["output"] if i["type"] == "function_call")
                            self.assertEqual((call["name"], call.get("namespace")), ("mcp__run", None) if name == "mcp__run" else ("run", "mcp"))
                        self.upstreams[behind].wanted = None

    def test_tools_that_come_as_an_item_are_tools(self):
        item = {"type": "additional_tools", "role": "developer", "tools": [{"type": "namespace", "name": "n", "tools": [{"type": "function", "name": "f", "parameters": FUNCTION}]},
                                                                          {"type": "custom", "name": "exec", "description": "Run"}]}
        for behind in ("openai-chat", "anthropic", "gemini", "ollama"):
            self.respond(behind, input=[item, {"role": "user", "content": "hi"}])
            self.assertEqual([t[0] for t in self.sent(behind)[1]["tools"]], ["n__f", "exec"])

    def test_a_search_for_tools_that_the_client_makes_is_a_function_and_comes_back_as_what_it_is(self):
        search = {"type": "tool_search", "execution": "client", "description": "Find tools", "parameters": FUNCTION}
        for stream in (False, True):
            self.upstreams["anthropic"].wanted = "tool_search"
            body = {"input": [{"role": "user", "content": "Find."}], "tools": [search], "stream": stream}
            answer, _ = self.respond("anthropic", **body)
            if stream:
                answer = json.loads([l for l in answer.splitlines() if l.startswith('data: {"type":"response.completed"')][0][6:])["response"]
            (call,) = answer["output"]
            self.assertEqual((call["type"], call["execution"], call["arguments"]), ("tool_search_call", "client", {"q": "x"}))
            body["input"] += [call, {"type": "tool_search_output", "call_id": call["call_id"], "execution": "client", "status": "completed",
                                     "tools": [{"type": "namespace", "name": "mcp__a", "tools": [{"type": "function", "name": "found", "parameters": FUNCTION}]}]}]
            self.respond("anthropic", **body)
            self.assertEqual([t[0] for t in self.sent("anthropic")[1]["tools"]], ["tool_search", "mcp__a__found"])

    def test_records_of_other_tools_in_a_history_are_told_or_left_out(self):
        items = [{"role": "user", "content": "Begin."}, {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}},
                 {"type": "local_shell_call", "call_id": "ls_1", "status": "completed", "action": {"type": "exec", "command": ["ls"]}},
                 {"type": "local_shell_call_output", "id": "ls_1", "output": "a.txt"},
                 {"type": "agent_message", "author": "root", "recipient": "child", "content": [{"type": "input_text", "text": "Look at b.txt."}]},
                 {"type": "code_interpreter_call", "id": "ci_1", "code": "print(7)", "outputs": [{"type": "logs", "logs": "7"}]}, {"role": "user", "content": "Go on."}]
        for behind in ("openai-chat", "anthropic", "gemini", "ollama"):
            with self.subTest(behind=behind):
                _, headers = self.respond(behind, input=items)
                messages = self.sent(behind)[1]["messages"]
                said = json.dumps(messages)
                for words in ("a.txt", "local_shell", "Look at b.txt.", "print(7)", "Go on."):
                    self.assertIn(words, said)
                self.assertNotIn("ws_1", said)
                self.assertIn("records of a provider's own tools", headers["x-tandem-warnings"])

    def test_an_item_that_would_be_lost_is_refused_by_its_type_and_place(self):
        for kind in ("compaction", "item_reference", "image_generation_call"):
            answer, _ = self.respond("anthropic", 400, input=[{"role": "user", "content": "hi"}, {"type": kind, "id": "x_1", "encrypted_content": "sealed"}])
            self.assertEqual(answer["error"]["param"], "input[1]")
            self.assertIn(f'"{kind}"', answer["error"]["message"])

    def test_blocks_that_claude_code_sends_are_told_in_words(self):
        messages = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": [{"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
                                                                                      {"type": "web_search_tool_result", "tool_use_id": "s", "content": []}, {"type": "tool_use", "id": "t", "name": "ToolSearch", "input": {}}]},
                    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": [{"type": "tool_reference", "tool_name": "Cron"}]},
                                                 {"type": "search_result", "source": "s", "title": "T", "content": [{"type": "text", "text": "found words"}]}]}]
        tools = [{"name": "ToolSearch", "input_schema": FUNCTION}, {"name": "Cron", "input_schema": FUNCTION, "defer_loading": True}]
        for behind in ("openai-chat", "openai-responses", "gemini", "ollama"):
            self.ask("/v1/messages", {"model": f"m-{behind}", "max_tokens": 99, "messages": messages, "tools": tools}, behind)
            said = json.dumps(self.sent(behind)[1]["messages"])
            self.assertIn("Cron can be called now.", said)
            self.assertIn("found words", said)

    # ---- servers that are not OpenAI ----

    def test_developers_lists_of_text_and_the_bound_are_said_plainly_also_in_the_clients_own_bytes(self):
        body = {"model": "m-openai-chat", "max_tokens": 50, "messages": [{"role": "developer", "content": [{"type": "text", "text": "A"}, {"type": "text", "text": "B"}]}, {"role": "user", "content": [{"type": "text", "text": "hi"}]}]}
        self.ask("/v1/chat/completions", body, "openai-chat")
        sent = self.sent("openai-chat")[0]
        self.assertEqual(sent["messages"], [{"role": "system", "content": "A\nB"}, {"role": "user", "content": "hi"}])
        self.ask("/v1/messages", {**body, "messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}]}, "openai-chat")
        self.assertEqual(self.sent("openai-chat")[0]["max_tokens"], 50)

    def test_the_word_for_the_bound_is_found_out_once_by_its_refusal(self):
        refused = []

        def script(connection, body, number):
            if b'"max_tokens"' in body:
                refused.append(body)
                return connection.sendall(http({"error": {"message": "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
                                                          "type": "invalid_request_error", "param": "max_tokens", "code": "unsupported_parameter"}}, "400 Bad Request"))
            return connection.sendall(http(ANSWER))

        upstream = Upstream(script)
        tandem = Tandem(f"providers:\n  far: {{ kind: openai, zone: cloud, base_url: {upstream.base_url}, api_key: upstream-key }}\nmodels: {{ m: {{ provider: far, context: 9000 }} }}\npolicy: {{ attempts: 1 }}\n")
        try:
            for _ in range(2):
                self.assertEqual(tandem.request("/v1/messages", {"model": "m", "max_tokens": 40, "messages": [{"role": "user", "content": "hi"}]})[0], 200)
                self.assertEqual(tandem.chat(model="m", max_tokens=40)[0], 200)
            self.assertEqual(len(refused), 1)
            self.assertEqual(json.loads(upstream.requests[-1][1])["max_completion_tokens"], 40)
        finally:
            tandem.stop()
            upstream.close()

    def test_a_body_of_responses_at_the_path_of_chat_completions_is_answered_as_that(self):
        """Cursor: `input`, flat tools and items of Responses, and it wants chunks of Chat Completions."""
        function = {"type": "function", "name": "f", "description": "d", "parameters": FUNCTION}
        path = "/v1/chat/completions"
        for behind in ALL:
            for stream in (False, True):
                with self.subTest(behind=behind, stream=stream):
                    self.upstreams[behind].wanted = "f"
                    body = {"model": f"m-{behind}", "input": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": [{"type": "input_text", "text": "hi"}]}],
                            "tools": [function], "tool_choice": "auto", "stream": stream, "metadata": {"cursorConversationId": "c"}, "store": False, "include": ["reasoning.encrypted_content"],
                            "reasoning": {"effort": "medium", "summary": "auto"}}
                    answer, _ = self.ask(path, body, behind)
                    if stream:
                        self.assertIn('"object":"chat.completion.chunk"', answer)
                        self.assertIn('"name":"f"', answer)
                    else:
                        self.assertEqual(answer["choices"][0]["message"]["tool_calls"][0]["function"]["name"], "f")
                    body["input"] += [{"type": "function_call", "call_id": "call_1", "name": "f", "arguments": '{"q": "x"}'}, {"type": "function_call_output", "call_id": "call_1", "output": "ok"}]
                    answer, _ = self.ask(path, body, behind)
                    self.assertIn("Done.", answer if stream else answer["choices"][0]["message"]["content"])

    # ---- what asks for nothing, and what is only a wish ----

    def test_values_that_change_nothing_are_never_refused(self):
        chat = {"frequency_penalty": 0, "presence_penalty": 0.0, "logit_bias": {}, "n": 1, "top_logprobs": None, "seed": None, "stop": [], "user": "", "best_of": 1, "logprobs": False,
                "tools": [], "functions": [], "top_k": 0, "min_p": 0, "repeat_penalty": 1, "response_format": {"type": "text"}, "audio": None, "modalities": ["text"], "echo": False, "x_unknown": {}}
        ollama = {"options": {"repeat_penalty": 1, "min_p": 0, "mirostat": 0, "mirostat_tau": 5.0, "tfs_z": 1, "num_keep": 0, "penalize_newline": False, "stop": [""], "typical_p": 1}, "suffix": "", "think": False,
                  "format": "", "tools": [], "x_unknown": "", "logprobs": False}
        for behind in ALL:
            with self.subTest(behind=behind):
                messages = [{"role": "user", "content": "hi"}]
                self.ask("/v1/chat/completions", {"model": f"m-{behind}", "messages": messages, **({} if behind == "openai-chat" else chat)}, behind)
                self.sent(behind)
                self.ask("/api/chat", {"model": f"m-{behind}", "messages": messages, "stream": False, **({} if behind == "ollama" else ollama)}, behind)
                self.sent(behind)
                self.respond(behind, presence_penalty=0, frequency_penalty=0, top_logprobs=0, truncation="disabled", background=False, tools=[], metadata={}, max_tool_calls=None)
                self.sent(behind)

    def test_wishes_of_a_client_are_left_out_with_a_warning_where_the_provider_has_no_word(self):
        gemini = {"contents": [{"parts": [{"text": "hi"}]}], "generationConfig": {"temperature": 1, "topP": 0.95, "topK": 64, "thinkingConfig": {"includeThoughts": True}}}
        _, headers = self.ask("/v1beta/models/m-openai-chat:generateContent", gemini, "openai-chat")
        self.assertIn("top_k", headers["x-tandem-warnings"])
        _, headers = self.ask("/api/chat", {"model": "m-anthropic", "stream": False, "messages": [{"role": "user", "content": "hi"}], "options": {"min_p": 0.05, "repeat_penalty": 1.1, "numa": True}}, "anthropic")
        for word in ("min_p", "options.numa"):
            self.assertIn(word, headers["x-tandem-warnings"])
        self.sent("anthropic")

    def test_how_freely_a_model_should_speak_is_a_wish(self):
        wishes = {"seed": 7, "presence_penalty": 0.4, "frequency_penalty": 0.3, "temperature": 1.4}  # chat interfaces send such with every request
        for stream in (False, True):
            _, headers = self.ask("/v1/chat/completions", {"model": "m-anthropic", "stream": stream, "messages": [{"role": "user", "content": "hi"}], **wishes}, "anthropic")
            for word in ("seed", "penalty", "temperature"):
                self.assertIn(word, headers["x-tandem-warnings"])
            sent = self.sent("anthropic")[0]
            self.assertEqual((sent["temperature"], [word for word in wishes if word in sent]), (1, ["temperature"]))
        _, headers = self.ask("/api/chat", {"model": "m-openai-responses", "stream": False, "messages": [{"role": "user", "content": "hi"}], "options": {"seed": 7, "frequency_penalty": 0.3}}, "openai-responses")
        self.assertIn("seed", headers["x-tandem-warnings"])

    def test_a_demand_is_still_refused_by_its_name(self):
        for field in ({"guided_json": {"type": "object"}}, {"modalities": ["text", "audio"]}, {"n": 2}, {"logprobs": True}, {"logit_bias": {"50256": -100}}):
            answer, _ = self.ask("/v1/chat/completions", {"model": "m-anthropic", "messages": [{"role": "user", "content": "hi"}], **field}, "anthropic", 400)
            self.assertIn(next(iter(field)), answer["error"]["message"])

    def test_an_error_has_one_word_for_clients_of_every_api(self):
        hi = [{"role": "user", "content": "hi"}]
        fronts = {"/v1/chat/completions": {"messages": hi}, "/v1/responses": {"input": "hi"}, "/v1/messages": {"max_tokens": 9, "messages": hi},
                  "/v1beta/models/MODEL:generateContent": {"contents": [{"parts": [{"text": "hi"}]}]}, "/api/chat": {"messages": hi}}
        for path, body in fronts.items():
            for word, model, more in (("unknown_model", "nobody", {}), ("invalid_field", "m-anthropic", {name: 7 for name in body})):
                _, headers, _ = self.tandem.request(path.replace("MODEL", model), {"model": model, **body, **more})
                self.assertEqual(headers["x-tandem-error"], word, path)
            _, headers, _ = self.tandem.request(path.replace("MODEL", "m-anthropic"), method="DELETE")
            self.assertEqual(headers["x-tandem-error"], "method_not_allowed", path)
        _, headers, _ = self.tandem.request("/v1/chat/completion", {})
        self.assertEqual(headers["x-tandem-error"], "unknown_path")

    # ---- room ----

    def test_the_room_for_an_answer_is_a_wish(self):
        text = "word " * 1200
        for behind in ALL:
            for path, body in (("/v1/messages", {"max_tokens": 32000}), ("/v1/chat/completions", {"max_tokens": 32000}), ("/v1/chat/completions", {"max_completion_tokens": 32000})):
                with self.subTest(behind=behind, body=body):
                    _, headers = self.ask(path, {"model": f"m-{behind}", "messages": [{"role": "user", "content": text}], **body}, behind)
                    most = self.sent(behind)[1]["max"]
                    self.assertTrue(20000 < most < 32000, most)
                    self.assertIn(f"the answer has room for {most} tokens", headers["x-tandem-warnings"])

    def test_a_refusal_that_tells_of_less_room_is_understood(self):
        said = (("This model's maximum context length is 32768 tokens. However, you requested 33153 tokens (1153 in the messages, 32000 in the completion).", 31615),
                ("'max_tokens' is too large: 32000. This model's maximum context length is 32768 tokens and your request has 1200 input tokens (32000 > 32768 - 1200).", 31568),
                ("input length and `max_tokens` exceed context limit: 1300 + 32000 > 32768, decrease input length or `max_tokens` and try again", 31468))
        for message, room in said:
            def script(connection, body, number):
                if json.loads(body)["max_tokens"] > room:
                    return connection.sendall(http({"error": {"message": message, "type": "invalid_request_error"}}, "400 Bad Request"))
                return connection.sendall(http(ANSWER))

            upstream = Upstream(script)
            tandem = Tandem(f"providers:\n  lab: {{ kind: openai, zone: local, base_url: {upstream.base_url} }}\nmodels: {{ m: {{ provider: lab }} }}\npolicy: {{ attempts: 1 }}\n")
            try:
                for path in ("/v1/messages", "/v1/chat/completions"):
                    status, headers, answer = tandem.request(path, {"model": "m", "max_tokens": 32000, "messages": [{"role": "user", "content": "hi"}]})
                    self.assertEqual(status, 200, answer)
                    self.assertIn(f"room for {room} tokens", headers["x-tandem-warnings"])
            finally:
                tandem.stop()
                upstream.close()

    def test_a_prompt_that_cannot_fit_is_refused_in_each_dialects_words(self):
        text = "word " * 40000
        for stream in (False, True):
            messages = [{"role": "user", "content": text}]
            for path, body, words in (("/v1/messages", {"messages": messages, "max_tokens": 100}, "prompt is too long: "), ("/v1/chat/completions", {"messages": messages}, "maximum context length is 32768"),
                                      ("/v1/responses", {"input": text}, "maximum context length is 32768"), ("/api/chat", {"messages": messages}, "exceeds the available context size (32768"),
                                      ("/v1beta/models/m-anthropic:" + ("streamGenerateContent" if stream else "generateContent"), {"contents": [{"parts": [{"text": text}]}]}, "exceeds the maximum number of tokens allowed (32768)")):
                with self.subTest(path=path, stream=stream):
                    status, _, answer = self.tandem.request(path, {"model": "m-anthropic", "stream": stream, **body})
                    self.assertEqual(status, 400)
                    self.assertIn(words, answer.decode())

    # ---- addresses, codings, pages ----

    def test_base_urls_with_and_without_their_version_and_slash_are_understood(self):
        chat = {"model": "m-openai-chat", "messages": [{"role": "user", "content": "hi"}]}
        for path in ("/chat/completions", "/v1/v1/chat/completions", "/v1/chat/completions/", "//v1/chat/completions", "/v1//chat/completions", "/api/v1/chat/completions", "/v1beta/openai/chat/completions", "/openai/v1/chat/completions"):
            self.assertEqual(self.tandem.request(path, chat)[0], 200, path)
        for path in ("/messages", "/v1/v1/messages", "/anthropic/v1/messages", "/v1/messages/"):
            status, _, body = self.tandem.request(path, {**chat, "max_tokens": 9})
            self.assertEqual((status, json.loads(body)["type"]), (200, "message"), path)
        for path in ("/responses", "/v1/v1/responses"):
            self.assertEqual(self.tandem.request(path, {"model": "m-openai-chat", "input": "hi"})[0], 200, path)
        for path in ("/v1/api/chat", "/api/api/chat", "/api/chat/"):
            self.assertEqual(self.tandem.request(path, {**chat, "stream": False})[0], 200, path)
        gemini = {"contents": [{"parts": [{"text": "hi"}]}]}
        for path in ("/v1beta/v1beta/models/m-openai-chat:generateContent", "/models/m-openai-chat:generateContent", "/v1beta/v1/models/m-openai-chat:generateContent"):
            status, _, body = self.tandem.request(path, gemini)
            self.assertEqual(status, 200, (path, body))
        for path in ("/models", "/v1/models/", "/v1/v1/models", "/api/v1/models", "/v1/api/tags"):
            self.assertEqual(self.tandem.request(path)[0], 200, path)
        for path in ("/", ""):
            for method in ("GET", "HEAD"):
                self.assertEqual(self.tandem.request(path, method=method)[0], 200)
        for path in ("/v2/chat/completions", "/v1/chat", "/nothing"):
            self.assertEqual(self.tandem.request(path, chat)[0], 404, path)
        self.assertEqual(json.loads(self.tandem.request("/v1/v1/messages", b"{")[2])["type"], "error")

    def packed(self, name, data):
        if name == "zstd":
            return subprocess.run(["zstd", "-q", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout
        if name == "gzip":
            return gzip.compress(data)
        return zlib.compress(data) if name == "deflate" else zlib.compress(data)[2:-4]

    def test_bodies_in_a_coding_are_read_within_the_limit(self):
        data = json.dumps({"model": "m-openai-chat", "messages": [{"role": "user", "content": "hi " * 9000}]}).encode()
        codings = ["gzip", "deflate", "bare deflate", *(["zstd"] if subprocess.run(["which", "zstd"], capture_output=True).returncode == 0 else [])]
        for coding in codings:
            with self.subTest(coding=coding):
                body = self.packed(coding, data)
                header = {"content-encoding": coding.split()[-1]}
                status, _, answer = self.tandem.request("/v1/chat/completions", body, header)
                self.assertEqual(status, 200, answer)
                self.assertEqual(len(self.sent("openai-chat")[0]["messages"][0]["content"]), 27000)
                self.assertEqual(self.tandem.request("/v1/chat/completions", body[:-20], header)[0], 400)
                bomb = self.packed(coding, b'{"model": "' + b" " * (40 << 20))
                self.assertLess(len(bomb), 1 << 20)
                status, _, answer = self.tandem.request("/v1/chat/completions", bomb, header)
                self.assertEqual(status, 413, answer)
        status, _, answer = self.tandem.request("/v1/chat/completions", data, {"content-encoding": "lz4"})
        self.assertEqual(status, 415)
        self.assertIn("lz4", answer.decode())
        self.assertEqual(self.tandem.request("/v1/chat/completions", data, {"content-encoding": "identity"})[0], 200)

    def test_a_page_of_an_allowed_origin_may_send_what_it_asks_for_and_read_why_it_was_refused(self):
        origin = "https://page.example"
        tandem = Tandem(f"server: {{ listen: 127.0.0.1:PORT, cors: [{origin}] }}\nkeys: {{ me: {{ secret: my-key-0123456789 }} }}\n")
        try:
            asked = "authorization, x-stainless-lang, x-stainless-retry-count, openai-organization, anthropic-dangerous-direct-browser-access"
            status, headers, _ = tandem.request("/v1/chat/completions", headers={"origin": origin, "access-control-request-method": "POST", "access-control-request-headers": asked}, method="OPTIONS")
            self.assertEqual((status, headers["access-control-allow-headers"], headers["access-control-allow-origin"]), (204, asked, origin))
            for body, key in ((b"{}", "wrong"), (b"{", "my-key-0123456789")):
                status, headers, _ = tandem.request("/v1/chat/completions", body, {"origin": origin, "authorization": f"Bearer {key}"})
                self.assertIn(status, (400, 401))
                self.assertEqual(headers["access-control-allow-origin"], origin)
            status, headers, _ = tandem.request("/v1/chat/completions", b"{}", {"origin": "https://other.example"})
            self.assertEqual((status, headers["access-control-allow-origin"]), (403, None))
        finally:
            tandem.stop()

    # ---- Responses ----

    REQUIRED = {"id", "object", "created_at", "completed_at", "status", "incomplete_details", "model", "previous_response_id", "instructions", "output", "error", "tools", "tool_choice", "truncation",
                "parallel_tool_calls", "text", "top_p", "presence_penalty", "frequency_penalty", "top_logprobs", "temperature", "reasoning", "usage", "max_output_tokens", "max_tool_calls", "store",
                "background", "service_tier", "metadata", "safety_identifier", "prompt_cache_key"}

    def check_response(self, response):
        self.assertEqual(self.REQUIRED - set(response), set())
        for name, kind in (("background", bool), ("presence_penalty", (int, float)), ("frequency_penalty", (int, float)), ("store", bool), ("tools", list), ("metadata", dict)):
            self.assertIsInstance(response[name], kind, name)
        self.assertEqual(response["completed_at"] is not None, response["status"] == "completed")
        for tool in response["tools"]:
            self.assertLessEqual({"type", "name", "description", "parameters", "strict"}, set(tool))

    def test_every_response_has_what_the_schema_requires_in_each_event_too(self):
        tools = [{"type": "function", "name": "f", "parameters": FUNCTION}]
        for behind in ALL:
            with self.subTest(behind=behind):
                self.check_response(self.respond(behind, tools=tools)[0])
                text, _ = self.respond(behind, tools=tools, stream=True, presence_penalty=0)
                events = [json.loads(l[6:]) for l in text.splitlines() if l.startswith("data: ")]
                responses = [e["response"] for e in events if "response" in e]
                self.assertGreaterEqual(len(responses), 2)
                for response in responses:
                    self.check_response(response)


if __name__ == "__main__":
    unittest.main()
