"""Engines that Tandem runs are held by its own grammar: `required` and a named tool always call, `none` never does, `auto` may answer in words, arguments
and JSON are such as their schemas want, and a schema that llama.cpp's converter refuses fails no request. The real llama-server; SmolLM2, whose
template knows no tools, and Qwen2.5-Coder-0.5B, whose template does, where it is in the cache."""
import json
import os
import pathlib
import sys
import unittest

import jsonschema

import harness
sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "models"))
import real_models
from harness import Tandem

WEATHER = {"type": "object", "properties": {"city": {"type": "string", "maxLength": 20}, "days": {"type": "integer", "minimum": 1, "maximum": 7}}, "required": ["city", "days"], "additionalProperties": False}
TIME = {"type": "object", "properties": {"zone": {"enum": ["UTC", "CET", "JST"]}}, "required": ["zone"]}
# Each of these is refused by llama.cpp's own converter, or would be by its parser.
HOSTILE = {"type": "object", "properties": {"id": {"type": "string", "pattern": "^\\d+$"}, "ids": {"type": "array", "items": {"type": "string", "pattern": "^(\\d+|imap:[A-Za-z0-9_-]+)$"}, "maxItems": 3},
                                            "text": {"type": "string", "minLength": 2, "maxLength": 20000}, "other": {"$ref": "https://example.com/schema.json"}, "not": {"not": {"type": "null"}},
                                            "tree": {"$ref": "#/$defs/tree"}},
           "required": ["id"], "$defs": {"tree": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/tree"}]}}, "if": {"required": ["text"]}, "then": {"required": ["ids"]}}


def function(name, schema, description=""):
    return {"type": "function", "function": {"name": name, "description": description, "parameters": schema}}


TOOLS = [function("get_weather", WEATHER, "Weather of a city"), function("get_time", TIME, "Time in a zone")]
SCHEMAS = {"get_weather": WEATHER, "get_time": TIME}
ASKED = ["What is the weather in Paris for 3 days?", "What time is it in Japan?", "Tell me a joke.", "2 + 2"]


class Held:
    kind = "native"

    @classmethod
    def setUpClass(cls):
        file, why = cls.file()
        if file is None:
            print(f"\nSKIPPED, AND SO NOT SHOWN: {why}", file=sys.stderr)
            raise unittest.SkipTest(why)
        cls.tandem = Tandem(f"providers:\n  home: {{ kind: engine, first_byte_timeout: 10m }}\nmodels:\n  own: {{ provider: home, file: {file}, context: 4096, slots: 1, tools: {cls.kind} }}\n")

    @classmethod
    def tearDownClass(cls):
        cls.tandem.stop()

    def ask(self, words, **fields):
        status, headers, raw = self.tandem.request("/v1/chat/completions", {"model": "own", "messages": [{"role": "user", "content": words}], "temperature": 0, "max_tokens": 120, **fields}, timeout=300)
        self.assertEqual(status, 200, raw)
        choice = json.loads(raw)["choices"][0]
        return choice, headers

    def calls(self, choice):
        calls = choice["message"].get("tool_calls") or []
        for call in calls:
            name = call["function"]["name"]
            self.assertIn(name, SCHEMAS)
            jsonschema.validate(json.loads(call["function"]["arguments"]), SCHEMAS[name])
        return [call["function"]["name"] for call in calls]

    def test_required_always_calls(self):
        for words in ASKED:
            with self.subTest(words):
                choice, _ = self.ask(words, tools=TOOLS, tool_choice="required")
                self.assertTrue(self.calls(choice), choice)
                self.assertEqual(choice["finish_reason"], "tool_calls")

    def test_a_named_tool_is_called_once(self):
        for name in SCHEMAS:
            choice, _ = self.ask(ASKED[2], tools=TOOLS, tool_choice={"type": "function", "function": {"name": name}})
            self.assertEqual(self.calls(choice), [name])

    def test_none_never_calls(self):
        for words in ASKED[:2]:
            choice, _ = self.ask(words, tools=TOOLS, tool_choice="none", max_tokens=40)
            self.assertFalse(choice["message"].get("tool_calls"))
            self.assertTrue(choice["message"]["content"])

    def test_auto_calls_or_speaks(self):
        for words in ASKED:
            choice, _ = self.ask(words, tools=TOOLS)
            names = self.calls(choice)
            self.assertTrue(names or choice["message"]["content"], choice)

    def test_a_schema_that_the_server_refuses_fails_nothing(self):
        for fields in ({"tools": [function("look", HOSTILE)], "tool_choice": "required"}, {"tools": [function("look", HOSTILE)]},
                       {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": HOSTILE}}}):
            status, _, raw = self.tandem.request("/v1/chat/completions", {"model": "own", "messages": [{"role": "user", "content": "Give the id 12."}], "max_tokens": 60, "temperature": 0, "stream": True, **fields}, timeout=300)
            self.assertEqual(status, 200, raw)

    def test_json_is_such_as_its_schema_wants_in_three_dialects(self):
        schema = {"type": "object", "properties": {"colour": {"enum": ["red", "blue"]}, "size": {"type": "integer", "minimum": 1, "maximum": 5}}, "required": ["colour", "size"], "additionalProperties": False}
        choice, _ = self.ask("Describe a ball.", response_format={"type": "json_schema", "json_schema": {"name": "ball", "schema": schema}})
        jsonschema.validate(json.loads(choice["message"]["content"]), schema)
        status, _, raw = self.tandem.request("/v1/messages", {"model": "own", "max_tokens": 100, "messages": [{"role": "user", "content": "Describe a ball."}], "output_config": {"format": {"type": "json_schema", "schema": schema}}}, timeout=300)
        self.assertEqual(status, 200, raw)
        jsonschema.validate(json.loads(json.loads(raw)["content"][0]["text"]), schema)
        status, _, raw = self.tandem.request("/v1beta/models/own:generateContent", {"contents": [{"role": "user", "parts": [{"text": "Describe a ball."}]}],
                                             "generationConfig": {"responseMimeType": "application/json", "responseJsonSchema": schema}}, timeout=300)
        self.assertEqual(status, 200, raw)
        jsonschema.validate(json.loads(json.loads(raw)["candidates"][0]["content"]["parts"][0]["text"]), schema)

    def test_streams_say_the_same(self):
        body = {"model": "own", "messages": [{"role": "user", "content": ASKED[0]}], "temperature": 0, "max_tokens": 120, "tools": TOOLS, "tool_choice": "required", "stream": True}
        status, _, raw = self.tandem.request("/v1/chat/completions", body, timeout=300)
        self.assertEqual(status, 200, raw)
        events = [json.loads(line[6:]) for line in raw.decode().splitlines() if line.startswith("data: {")]
        calls = [call for event in events for choice in event["choices"] for call in choice["delta"].get("tool_calls", [])]
        arguments = "".join(call["function"].get("arguments", "") for call in calls if call["index"] == 0)
        jsonschema.validate(json.loads(arguments), SCHEMAS[calls[0]["function"]["name"]])


@unittest.skipUnless(os.path.exists(harness.ENGINE), "no engine on this machine")
class WithoutToolsInItsTemplate(Held, unittest.TestCase):
    kind = "rendered"

    @staticmethod
    def file():
        return harness.MODEL, None  # smollm2


@unittest.skipUnless(os.path.exists(harness.ENGINE), "no engine on this machine")
class WithToolsInItsTemplate(Held, unittest.TestCase):
    @staticmethod
    def file():
        return real_models.model("qwen2.5-coder-0.5b")


if __name__ == "__main__":
    unittest.main()
