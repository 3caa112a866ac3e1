"""What clients say in other words than their dialect has, and where they say it: flat tools, one object for a list, lists of nothing, keys in
addresses, paths of Azure and of Google's clouds, management of Ollama, WebSockets. The providers are strict."""
import json
import socket
import unittest

from harness import Tandem, Upstream
from strict import PNG, OverStrict, StrictUpstream

FUNCTION = {"type": "object", "properties": {"q": {"type": "string"}}}
TOOL = {"type": "function", "function": {"name": "f", "description": "d", "parameters": FUNCTION}}
FLAT = {"type": "function", "name": "f", "description": "d", "parameters": FUNCTION}
HI = [{"role": "user", "content": "hi"}]
CALL = {"role": "assistant", "content": None, "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}
ALL = ("openai-chat", "openai-responses", "anthropic", "gemini", "ollama")
KEY = "my-key-0123456789"


class OwnWords(OverStrict, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.start(StrictUpstream)

    def setUp(self):
        for u in self.upstreams.values():
            u.seen.clear()
            u.rejected.clear()

    def ask(self, path, body, behind, status=200):
        got, _, text = self.tandem.request(path, body)
        self.assertEqual((got, self.upstreams[behind].rejected), (status, []), text)
        return self.upstreams[behind].seen[-1] if status == 200 else text.decode()

    def chat(self, behind, messages=HI, status=200, **body):
        return self.ask("/v1/chat/completions", {"model": f"m-{behind}", "messages": messages, **body}, behind, status)

    def everywhere(self, **body):
        for behind in ALL:
            with self.subTest(behind=behind, body=body):
                yield behind, self.chat(behind, **body)

    # ---- Chat Completions ----

    def test_flat_tools_and_those_of_anthropic_are_tools(self):
        for tool in (FLAT, {"name": "f", "description": "d", "input_schema": FUNCTION}, {"function": TOOL["function"]}, {**FLAT, "type": None}):
            for _, (_, common) in self.everywhere(tools=[tool]):
                self.assertEqual([t[0] for t in common["tools"]], ["f"])
                self.assertEqual(common["tools"][0][1]["properties"], FUNCTION["properties"])

    def test_a_flat_custom_tool_is_one_and_its_call_comes_back_as_one(self):
        custom = {"type": "custom", "name": "ApplyPatch", "description": "d", "format": {"type": "grammar", "syntax": "lark", "definition": "start: /.+/"}}
        for behind in ("anthropic", "gemini", "ollama"):
            body, common = self.chat(behind, tools=[custom])
            self.assertEqual([t[0] for t in common["tools"]], ["ApplyPatch"])
            self.assertIn("start: /.+/", json.dumps(body))

    def test_a_choice_in_another_dialects_words_is_that_choice(self):
        for choice, meant in (({"type": "function", "name": "f"}, "f"), ({"type": "tool", "name": "f"}, "f"), ("any", "required"), ({"type": "any"}, "required"), ({"type": "auto"}, "auto")):
            for behind in ("openai-chat", "openai-responses", "anthropic", "gemini"):
                with self.subTest(choice=choice, behind=behind):
                    self.assertEqual(self.chat(behind, tools=[TOOL], tool_choice=choice)[1]["choice"], meant)

    def test_parts_of_other_dialects_are_texts_and_images(self):
        url = "data:image/png;base64," + PNG
        for part in ({"type": "input_text", "text": "hi"}, "hi"):
            for _, (_, common) in self.everywhere(messages=[{"role": "user", "content": [part]}]):
                self.assertEqual(common["messages"], [("user", "hi")])
        for part in ({"type": "image_url", "image_url": url}, {"type": "input_image", "image_url": url}, {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}):
            for _, (_, common) in self.everywhere(messages=[{"role": "user", "content": [{"type": "text", "text": "hi"}, part]}]):
                self.assertIn(("user", "image", url), common["messages"])

    def test_blocks_of_anthropic_are_calls_and_results(self):
        tool = {"name": "f", "description": "d", "input_schema": FUNCTION}
        messages = [*HI, {"role": "assistant", "content": [{"type": "text", "text": "I look."}, {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"q": "x"}}]},
                    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "found"}]}, {"type": "text", "text": "go on"}]},
                    {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_2", "name": "f", "input": {}}]},
                    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_2", "content": "more"}]}]
        for _, (_, common) in self.everywhere(messages=messages, tools=[tool], tool_choice={"type": "auto"}):
            self.assertEqual(common["messages"], [("user", "hi"), ("assistant", "I look."), ("call", "f", {"q": "x"}), ("result", "f", "found"), ("user", "go on"), ("call", "f", {}), ("result", "f", "more")])

    def test_keywords_of_a_schema_that_are_null_are_none(self):
        schema = {"type": "object", "properties": {"q": {"type": "string", "default": None, "description": None, "enum": None}}, "required": None}
        for behind, (body, common) in self.everywhere(tools=[{"type": "function", "function": {"name": "f", "parameters": schema}}]):
            if behind != "gemini":
                self.assertEqual(common["tools"][0][1], {"type": "object", "properties": {"q": {"type": "string", "default": None}}})

    def test_a_result_without_content_is_empty_and_a_call_without_arguments_has_none(self):
        for content in ({"content": None}, {}, {"content": ""}):
            for _, (_, common) in self.everywhere(messages=[*HI, CALL, {"role": "tool", "tool_call_id": "call_1", **content}], tools=[TOOL]):
                self.assertIn(("result", "f", ""), common["messages"])
        _, common = self.chat("openai-chat", [*HI, CALL, {"role": "tool", "tool_call_id": "call_1", "content": {"a": 1}}], tools=[TOOL])
        self.assertIn(("result", "f", '{"a": 1}'), common["messages"])
        for arguments in ({"arguments": ""}, {"arguments": None}, {}):
            call = {"role": "assistant", "content": "", "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", **arguments}}]}
            for _, (_, common) in self.everywhere(messages=[*HI, call, {"role": "tool", "tool_call_id": "call_1", "content": "x"}], tools=[TOOL]):
                self.assertIn(("call", "f", {}), common["messages"])

    def test_no_tools_are_no_tools_and_there_is_nothing_to_choose(self):
        for more in ({"tools": []}, {"functions": []}, {"tools": [], "tool_choice": "auto", "parallel_tool_calls": True}, {"tool_choice": "none"}, {"parallel_tool_calls": False}):
            for _, (body, _) in self.everywhere(**more):
                self.assertEqual({"tools", "functions", "tool_choice", "parallel_tool_calls", "toolConfig"} & set(body), set())

    def test_an_answer_that_comes_back_with_all_its_members_says_no_more_than_it_has(self):
        answer = {"role": "assistant", "content": "yo", "refusal": None, "audio": None, "function_call": None, "annotations": [], "tool_calls": [], "reasoning_content": None}
        for _, (body, common) in self.everywhere(messages=[*HI, answer, *HI]):
            self.assertIn(("assistant", "yo"), common["messages"])
        body, _ = self.chat("openai-chat", [*HI, answer, *HI], user=None, metadata=None, functions=None, x_unknown=None)
        self.assertEqual((set(body), set(body["messages"][1])), ({"model", "messages"}, {"role", "content"}))
        body, _ = self.chat("openai-chat", [*HI, {"role": "assistant", "content": None}, {"role": "system", "content": []}, *HI])
        self.assertEqual([m["content"] for m in body["messages"]], ["hi", "", "", "hi"])

    def test_two_bounds_are_the_smaller_one_and_minus_one_is_none(self):
        for _, (_, common) in self.everywhere(max_tokens=70, max_completion_tokens=60):
            self.assertEqual(common["max"], 60)
        for _, (_, common) in self.everywhere(max_tokens=50, max_completion_tokens=60):
            self.assertEqual(common["max"], 50)
        body, _ = self.chat("openai-chat", max_tokens=-1)
        self.assertNotIn("max_tokens", body)
        self.chat("openai-chat", status=400, max_tokens=-7)

    def test_a_conversation_of_system_messages_alone_has_a_turn(self):
        for _, (_, common) in self.everywhere(messages=[{"role": "system", "content": "Say hi."}]):
            self.assertEqual(common["messages"][-1][1], "Say hi.")
        for path, body in (("/v1/responses", {"input": [{"role": "developer", "content": "Say hi."}]}), ("/v1/responses", {"instructions": "Say hi.", "input": ""})):
            for behind in ("anthropic", "gemini"):
                self.assertEqual(self.ask(path, {"model": f"m-{behind}", **body}, behind)[1]["messages"], [("user", "Say hi.")])

    def test_files_of_text_that_come_as_bytes_are_read(self):
        file = {"type": "file", "file": {"filename": "a.txt", "file_data": "data:text/plain;base64,aGkgdGhlcmU="}}
        for behind in ("openai-chat", "anthropic", "ollama"):
            body, _ = self.ask("/v1beta/models/m-%s:generateContent" % behind, {"contents": [{"role": "user", "parts": [{"inlineData": {"mimeType": "text/markdown; charset=utf-8", "data": "aGkgdGhlcmU="}}, {"text": "x"}]}]}, behind)
            self.assertIn("hi there", json.dumps(body))
        self.assertIn("hi there", json.dumps(self.chat("ollama", [{"role": "user", "content": [file]}])[0]))

    def test_a_strict_tool_that_openai_would_refuse_is_not_strict_there(self):
        closed = {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"], "additionalProperties": False}
        for schema, strict in ((closed, True), ({**closed, "required": []}, None), ({**closed, "properties": {"q": FUNCTION}}, None)):
            body, _ = self.ask("/v1/messages", {"model": "m-openai-chat", "max_tokens": 9, "messages": HI, "tools": [{"name": "f", "strict": True, "input_schema": schema}]}, "openai-chat")
            self.assertEqual(body["tools"][0]["function"].get("strict"), strict)

    def test_completions_take_what_asks_for_nothing(self):
        for more in ({"suffix": "", "echo": False, "best_of": 1, "logprobs": 0}, {"suffix": None, "logprobs": None}, {"prompt": ["x"]}):
            self.ask("/v1/completions", {"model": "m-openai-chat", "prompt": "x", **more}, "openai-chat")
        for more in ({"suffix": "y"}, {"best_of": 2}, {"logprobs": 1}, {"echo": True}):
            self.assertIn(next(iter(more)), self.ask("/v1/completions", {"model": "m-openai-chat", "prompt": "x", **more}, "openai-chat", 400))

    # ---- Responses, Anthropic ----

    def test_nested_tools_and_images_of_chat_completions_are_those_of_responses(self):
        url = "data:image/png;base64," + PNG
        for behind in ALL:
            with self.subTest(behind=behind):
                body = {"model": f"m-{behind}", "input": [{"role": "user", "content": [{"type": "input_text", "text": "hi"}, {"type": "image_url", "image_url": {"url": url}}]}], "tools": [TOOL],
                        "tool_choice": {"type": "function", "function": {"name": "f"}} if behind != "ollama" else "auto"}
                _, common = self.ask("/v1/responses", body, behind)
                self.assertEqual([t[0] for t in common["tools"]], ["f"])
                self.assertIn(("user", "image", url), common["messages"])
                body = {"model": f"m-{behind}", "tools": [FLAT], "input": [*HI, {"type": "function_call", "call_id": "c", "name": "f", "arguments": ""}, {"type": "function_call_output", "call_id": "c", "output": "x"}]}
                self.assertIn(("call", "f", {}), self.ask("/v1/responses", body, behind)[1]["messages"])

    def test_texts_have_the_type_of_who_said_them_in_responses(self):
        items = [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "output_text", "text": "b"}]}, {"role": "assistant", "content": [{"type": "input_text", "text": "c"}]}, {"role": "user", "content": "d"}]
        body, _ = self.ask("/v1/responses", {"model": "m-openai-responses", "input": items}, "openai-responses")
        self.assertEqual([p["type"] for item in body["input"][:2] for p in item["content"]], ["input_text", "input_text", "output_text"])

    def test_a_free_text_tool_is_a_function_for_a_server_of_responses_that_is_not_openai(self):
        custom = {"type": "custom", "name": "apply_patch", "description": "d", "format": {"type": "grammar", "syntax": "lark", "definition": "start: /.+/"}}
        body, _ = self.ask("/v1/responses", {"model": "m-openai-responses", "input": "hi", "tools": [custom]}, "openai-responses")
        self.assertEqual((body["tools"][0]["type"], body["tools"][0]["name"]), ("function", "apply_patch"))

    def test_what_is_left_of_a_shortened_conversation_and_chunks_of_a_document_are_told(self):
        blocks = [{"type": "compaction", "content": "They spoke of fish."}, {"type": "fallback", "from": "a"}, {"type": "text", "text": "a"}]
        chunks = {"type": "document", "title": "t", "source": {"type": "content", "content": [{"type": "text", "text": "chunk"}]}}
        for behind in ("openai-chat", "openai-responses", "gemini", "ollama"):
            messages = [*HI, {"role": "assistant", "content": blocks}, {"role": "user", "content": [chunks, {"type": "text", "text": "x"}]}]
            told = json.dumps(self.ask("/v1/messages", {"model": f"m-{behind}", "max_tokens": 9, "messages": messages}, behind)[0])
            for words in ("They spoke of fish.", "chunk"):
                self.assertIn(words, told)

    # ---- Gemini ----

    def test_one_object_stands_for_a_list_as_in_googles_own_examples(self):
        declaration = {"name": "f", "parameters": {"type": "OBJECT", "properties": {"q": {"type": "STRING"}}}}
        for behind in ALL:
            for body in ({"systemInstruction": {"parts": {"text": "Be brief."}}, "contents": {"role": "user", "parts": {"text": "hi"}}}, {"systemInstruction": "Be brief.", "contents": "hi"},
                         {"systemInstruction": [{"text": "Be brief."}], "contents": ["hi"]}, {"systemInstruction": {"text": "Be brief."}, "contents": [{"role": "user", "parts": ["hi", {}]}]}):
                with self.subTest(behind=behind, body=body):
                    _, common = self.ask(f"/v1beta/models/m-{behind}:generateContent", {**body, "tools": {"functionDeclarations": declaration}}, behind)
                    self.assertEqual(common["messages"], [("system", "Be brief."), ("user", "hi")])
                    self.assertEqual([t[0] for t in common["tools"]], ["f"])
        for role in ("tool", "function", "user"):
            contents = [{"role": "user", "parts": [{"text": "hi"}]}, {"role": "assistant", "parts": [{"functionCall": {"name": "f", "args": {}}}]}, {"role": role, "parts": [{"functionResponse": {"name": "f", "response": {"output": "x"}}}]}]
            _, common = self.ask("/v1beta/models/m-anthropic:generateContent", {"contents": contents, "tools": [{"functionDeclarations": [declaration]}]}, "anthropic")
            self.assertIn(("result", "f", "x"), common["messages"])

    def test_an_image_in_the_letters_of_urls_is_said_in_those_of_all(self):
        data = PNG.replace("+", "-").replace("/", "_").rstrip("=")
        for behind in ("anthropic", "openai-chat", "ollama"):
            _, common = self.ask(f"/v1beta/models/m-{behind}:generateContent", {"contents": [{"role": "user", "parts": [{"inlineData": {"mimeType": "image/png", "data": data}}, {"text": "x"}]}]}, behind)
            self.assertIn(("user", "image", "data:image/png;base64," + PNG), common["messages"])

    def test_one_of_several_words_is_asked_of_gemini_alone(self):
        config = {"responseMimeType": "text/x.enum", "responseSchema": {"type": "STRING", "enum": ["a", "b"]}}
        contents = [{"role": "user", "parts": [{"text": "hi"}]}]
        self.assertEqual(self.ask("/v1beta/models/m-gemini:generateContent", {"contents": contents, "generationConfig": config}, "gemini")[0]["generationConfig"], config)
        self.assertIn("response_format", self.ask("/v1beta/models/m-anthropic:generateContent", {"contents": contents, "generationConfig": config}, "anthropic", 400))

    # ---- Ollama ----

    def test_ollamas_clients_load_pull_and_are_told_what_is_not_done_here(self):
        for path, body, member in (("/api/generate", {}, "response"), ("/api/chat", {}, "message"), ("/api/generate", {"prompt": "", "stream": False}, "response"), ("/api/chat", {"messages": []}, "message")):
            for keep, reason in ((None, "load"), (-1, "load"), ("5m", "load"), (0, "unload")):
                status, _, text = self.tandem.request(path, {"model": "m-anthropic:latest", "keep_alive": keep, **body})
                answer = json.loads(text)
                self.assertEqual((status, answer["done"], answer["done_reason"], member in answer), (200, True, reason, True))
        self.assertEqual(self.upstreams["anthropic"].requests, [r for r in self.upstreams["anthropic"].requests if b"max_tokens" in r[1]])
        self.assertEqual(json.loads(self.tandem.request("/api/pull", {"model": "m-anthropic", "stream": True})[2]), {"status": "success"})
        status, _, text = self.tandem.request("/api/pull", {"name": "llama3"})
        self.assertEqual(status, 404)
        self.assertIn("none is pulled", json.loads(text)["error"])
        for method, path in (("POST", "/api/create"), ("POST", "/api/copy"), ("POST", "/api/push"), ("DELETE", "/api/delete"), ("POST", "/api/blobs/sha256:00")):
            status, _, text = self.tandem.request(path, {"model": "x"}, method=method)
            self.assertEqual(status, 403, text)
            self.assertIn("tandem.yaml", json.loads(text)["error"])

    def test_ollamas_messages_in_the_words_of_others_are_understood(self):
        url = "data:image/png;base64," + PNG
        for behind in ALL:
            with self.subTest(behind=behind):
                call = {"role": "assistant", "content": None, "tool_calls": [{"id": "x", "function": {"name": "f", "arguments": '{"q": "x"}'}}]}
                messages = [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": [{"type": "text", "text": "hi"}], "images": [url]}, call, {"role": "tool", "tool_name": "f", "tool_call_id": "x", "content": None}]
                _, common = self.ask("/api/chat", {"model": f"m-{behind}", "stream": False, "messages": messages, "tools": [TOOL]}, behind)
                for one in (("user", "image", url), ("call", "f", {"q": "x"}), ("result", "f", "")):
                    self.assertIn(one, common["messages"])

    # ---- addresses, keys, bytes ----

    def test_paths_of_azure_of_googles_clouds_and_whole_addresses_as_base_are_understood(self):
        body, gemini = {"messages": HI}, {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
        for model in ({}, {"model": "gpt-4o"}):
            self.ask("/openai/deployments/m-openai-chat/chat/completions?api-version=2024-10-21", {**body, **model}, "openai-chat")
        self.assertEqual(self.ask("/openai/deployments/m-openai-chat/completions?api-version=2024-10-21", {"prompt": "hi"}, "openai-chat")[1]["messages"], [("user", "hi")])
        for path in ("/v1alpha/models/m-gemini:generateContent", "/v1beta1/projects/p/locations/us/publishers/google/models/m-gemini:generateContent",
                     "/v1beta1/publishers/google/models/m-gemini:streamGenerateContent?alt=sse", "/v1beta/models/models/m-gemini:generateContent"):
            self.ask(path, gemini, "gemini")
        named = {"model": "m-openai-chat", "max_tokens": 9, **body}
        for path in ("/v1/chat/completions/chat/completions", "/v1/chat/completions/v1/chat/completions", "/v1/messages/v1/messages", "/v1/responses/chat/completions"):
            self.ask(path, named, "openai-chat")
        self.ask("/v1/responses/responses", {"model": "m-openai-chat", "input": "hi"}, "openai-chat")
        for path in ("/upload/v1beta/files", "/v1beta/files"):
            status, _, text = self.tandem.request(path, {})
            self.assertEqual((status, json.loads(text)["error"]["status"]), (404, "NOT_FOUND"), path)
        self.assertEqual(self.tandem.request("/v1/chat", named)[0], 404)

    def raw(self, data):
        """The answer with its body. The connection stays open: who closes a half of it is gone to the server."""
        with socket.create_connection(("127.0.0.1", self.tandem.port), 30) as s, s.makefile("rb") as lines:
            s.sendall(data)
            head = b"".join(iter(lines.readline, b"\r\n"))
            length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
            return head + lines.read(length)

    def test_a_websocket_is_refused_so_that_codex_asks_over_http_at_once(self):
        answer = self.raw(b"GET /v1/responses HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\n\r\n")
        self.assertTrue(answer.startswith(b"HTTP/1.1 426 Upgrade Required\r\n"), answer)
        self.assertIn(b"over HTTP", answer)
        self.assertEqual(self.tandem.request("/v1/responses")[0], 405)

    def test_bodies_of_java_of_http_1_0_and_with_a_byte_order_mark_are_read(self):
        body = json.dumps({"model": "m-openai-chat", "messages": HI}).encode()
        length = b"Content-Length: %d\r\n\r\n" % len(body)
        settings = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n"
        for head in (b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n" + settings, b"POST /v1/chat/completions HTTP/1.0\r\n"):
            self.assertIn(b" 200 OK\r\n", self.raw(head + length + body)[:40])
        self.assertEqual(self.tandem.request("/v1/chat/completions", b"\xef\xbb\xbf" + body)[0], 200)
        self.assertIn(b" 421 ", self.raw(b"POST /v1/chat/completions HTTP/1.1\r\nHost: evil.example\r\n" + length + body)[:40])


class Keys(unittest.TestCase):
    def test_a_page_of_the_internet_may_call_a_server_at_home_where_the_owner_says_so(self):
        tandem = Tandem("server: { listen: 127.0.0.1:PORT, cors: [https://page.example] }\n")
        try:
            for origin, allowed in (("https://page.example", "true"), (tandem.url, None)):
                asked = {"origin": origin, "access-control-request-method": "POST", "access-control-request-private-network": "true"}
                self.assertEqual(tandem.request("/v1/chat/completions", headers=asked, method="OPTIONS")[1]["access-control-allow-private-network"], allowed)
        finally:
            tandem.stop()

    def test_keys_are_read_where_azures_and_googles_clients_put_them(self):
        upstream = Upstream()
        tandem = Tandem(f"providers:\n  lab: {upstream.provider()}\nmodels: {{ m: {{ provider: lab }} }}\nkeys: {{ me: {{ secret: {KEY} }}, you: {{ secret: your-key-0123456789 }} }}\n")
        try:
            gemini = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
            chat = {"messages": HI}
            for key, status in ((KEY, 200), ("wrong-key-0123456789", 401)):
                self.assertEqual(tandem.request(f"/v1beta/models/m:generateContent?key={key}", gemini)[0], status)
                self.assertEqual(tandem.request(f"/v1beta/models/m:streamGenerateContent?alt=sse&key={key}", gemini)[0], status)
                self.assertEqual(tandem.request(f"/v1beta/models?key={key}")[0], status)
                self.assertEqual(tandem.request("/openai/deployments/m/chat/completions?api-version=1", chat, {"api-key": key})[0], status)
            # In nobody else's address, and never two.
            self.assertEqual(tandem.request(f"/v1/chat/completions?key={KEY}", {"model": "m", **chat})[0], 401)
            self.assertEqual(tandem.request(f"/v1beta/models?key={KEY}", headers={"x-goog-api-key": "your-key-0123456789"})[0], 401)
            self.assertNotIn(KEY, tandem.log_text())
            self.assertNotIn(KEY.encode(), upstream.raw)
        finally:
            tandem.stop()
            upstream.close()


if __name__ == "__main__":
    unittest.main()
