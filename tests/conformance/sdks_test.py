"""Official SDKs in Python other than OpenAI's, each against a real llama-server and, in a dialect that is not its own,
against a scripted provider: Anthropic, Ollama, Google GenAI."""
import json
import unittest
import warnings

import anthropic
import google.genai
import google.genai.errors
import google.genai.types
import ollama

from harness import MODEL, Tandem
from strict import DIALECTS, TEXT, THOUGHT, StrictUpstream, providers_and_models

TOOL_SCHEMA = {"type": "object", "properties": {"city": {"type": "string", "maxLength": 20}}, "required": ["city"], "additionalProperties": False}


class Sdks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        warnings.simplefilter("ignore")
        cls.upstreams = {name: StrictUpstream(name) for name in DIALECTS}
        providers, models = providers_and_models(cls.upstreams)
        cls.tandem = Tandem(f"""
providers:
  home: {{ kind: engine }}
{providers}
models:
  small: {{ provider: home, file: {MODEL}, context: 8192, slots: 2 }}
  embed: {{ provider: home, file: {MODEL}, context: 2048, capabilities: [embeddings], args: [--embeddings, --pooling, mean] }}
{models}
policy: {{ preset: local-first }}
keys: {{ me: {{ secret: my-key-0123456789 }} }}
""")
        cls.anthropic = anthropic.Anthropic(base_url=cls.tandem.url, api_key="my-key-0123456789", max_retries=0, timeout=120)
        cls.ollama = ollama.Client(host=cls.tandem.url, headers={"Authorization": "Bearer my-key-0123456789"}, timeout=120)
        cls.genai = google.genai.Client(api_key="my-key-0123456789", http_options=google.genai.types.HttpOptions(base_url=cls.tandem.url))

    @classmethod
    def tearDownClass(cls):
        cls.tandem.stop()
        for u in cls.upstreams.values():
            u.close()

    # ---- Anthropic ----

    def test_anthropic_messages_and_the_streaming_helper(self):
        answer = self.anthropic.messages.create(model="small", max_tokens=32, messages=[{"role": "user", "content": "Say hello."}])
        self.assertTrue(answer.content[0].text)
        self.assertGreater(answer.usage.input_tokens, 0)
        with self.anthropic.messages.stream(model="small", max_tokens=32, system="Be short.", messages=[{"role": "user", "content": "Say hello."}]) as stream:
            text = "".join(stream.text_stream)
            final = stream.get_final_message()
        self.assertEqual(final.content[0].text, text)
        self.assertIn(final.stop_reason, ("end_turn", "max_tokens"))
        self.assertGreater(final.usage.output_tokens, 0)

    def test_anthropic_counts_are_those_of_the_engine(self):
        messages = [{"role": "user", "content": "How many tokens has this?"}]
        tools = [{"name": "f", "description": "Finds it", "input_schema": TOOL_SCHEMA}]
        for fields in ({}, {"system": "Be brief."}, {"tools": tools}):
            counted = self.anthropic.messages.count_tokens(model="small", messages=messages, **fields)
            answer = self.anthropic.messages.create(model="small", max_tokens=60, messages=messages, **fields)
            self.assertEqual(counted.input_tokens, answer.usage.input_tokens + answer.usage.cache_read_input_tokens)
        raw = self.anthropic.messages.with_raw_response.count_tokens(model="m-gemini", messages=messages)
        self.assertEqual(raw.headers["x-tandem-count"], "estimate")

    def test_anthropic_tools_on_a_model_that_has_none(self):
        """The embedded model's template knows no tools; the call is well formed all the same."""
        tools = [{"name": "get_weather", "description": "The weather in a city", "input_schema": TOOL_SCHEMA},
                 {"name": "get_time", "description": "The time", "input_schema": {"type": "object", "properties": {}}}]
        ask = [{"role": "user", "content": "What is the weather in Paris?"}]
        for choice, name in (({"type": "tool", "name": "get_weather"}, "get_weather"), ({"type": "any"}, None)):
            answer = self.anthropic.messages.create(model="small", max_tokens=200, messages=ask, tools=tools, tool_choice=choice)
            self.assertEqual(answer.stop_reason, "tool_use")
            call = answer.content[0]
            self.assertIn(call.name, [name] if name else ["get_weather", "get_time"])
            if call.name == "get_weather":
                self.assertIsInstance(call.input["city"], str)
        with self.anthropic.messages.stream(model="small", max_tokens=200, messages=ask, tools=tools, tool_choice={"type": "tool", "name": "get_weather"}) as stream:
            final = stream.get_final_message()
        self.assertEqual(final.content[0].name, "get_weather")
        # The turn with its result goes on.
        more = ask + [{"role": "assistant", "content": [c.model_dump(include={"type", "id", "name", "input"}) for c in final.content]},
                      {"role": "user", "content": [{"type": "tool_result", "tool_use_id": final.content[0].id, "content": "Sunny, 20 degrees"}]}]
        answer = self.anthropic.messages.create(model="small", max_tokens=60, messages=more, tools=tools, tool_choice={"type": "none"})
        self.assertEqual([b.type for b in answer.content], ["text"])
        answer = self.anthropic.messages.create(model="small", max_tokens=200, messages=more, tools=tools)
        self.assertIn(answer.stop_reason, ("end_turn", "tool_use", "max_tokens"))

    def test_anthropic_thinking_and_its_signature_come_back_to_their_provider(self):
        ask = [{"role": "user", "content": "scenario:think"}]
        for model in ("m-anthropic", "m-openai-responses"):
            answer = self.anthropic.messages.create(model=model, max_tokens=4000, messages=ask, thinking={"type": "enabled", "budget_tokens": 2000})
            self.assertEqual((answer.content[0].thinking, answer.content[1].text), (THOUGHT, "42"))
            self.assertTrue(answer.content[0].signature)
            self.anthropic.messages.create(model=model, max_tokens=4000, messages=ask + [{"role": "assistant", "content": answer.content}, {"role": "user", "content": "Go on."}])
        self.assertEqual(self.upstreams["anthropic"].seen[-1][0]["messages"][1]["content"][0]["signature"], "sig==")
        self.assertEqual([i["encrypted_content"] for i in self.upstreams["openai-responses"].seen[-1][0]["input"] if i["type"] == "reasoning"], ["sealed=="])
        # A thought of one provider is not shown to another.
        other = self.anthropic.messages.with_raw_response.create(model="m-anthropic", max_tokens=100, messages=ask + [{"role": "assistant", "content": answer.content}, {"role": "user", "content": "Go on."}])
        self.assertIn("reasoning of another provider", other.headers["x-tandem-warnings"])

    def test_anthropic_errors_and_models(self):
        self.assertIn("small", [m.id for m in self.anthropic.models.list()])
        with self.assertRaises(anthropic.NotFoundError) as caught:
            self.anthropic.messages.create(model="smal", max_tokens=5, messages=[{"role": "user", "content": "x"}])
        self.assertEqual(caught.exception.body["error"]["type"], "not_found_error")
        with self.assertRaises(anthropic.BadRequestError) as caught:
            self.anthropic.messages.create(model="small", max_tokens=5, messages=[{"role": "user", "content": "word " * 9000}])
        self.assertRegex(caught.exception.body["error"]["message"], r"prompt is too long: \d+ tokens > 8192 maximum")
        bad = anthropic.Anthropic(base_url=self.tandem.url, api_key="wrong", max_retries=0)
        with self.assertRaises(anthropic.AuthenticationError):
            bad.models.list()

    # ---- Ollama ----

    def test_ollama_chat_generate_and_lists(self):
        answer = self.ollama.chat(model="small", messages=[{"role": "user", "content": "Say hello."}], options={"num_predict": 16})
        self.assertTrue(answer.message.content)
        self.assertGreater(answer.prompt_eval_count, 0)
        chunks = list(self.ollama.chat(model="small", messages=[{"role": "user", "content": "Say hello."}], stream=True, options={"num_predict": 16}))
        self.assertTrue("".join(c.message.content for c in chunks))
        self.assertEqual([c.done for c in chunks], [False] * (len(chunks) - 1) + [True])
        self.assertTrue(self.ollama.generate(model="small", prompt="Say hello.", options={"num_predict": 16}).response)
        self.assertTrue("".join(c.response for c in self.ollama.generate(model="small", prompt="Hi", stream=True, options={"num_predict": 8})))
        self.assertIn("small", [m.model for m in self.ollama.list().models])
        shown = self.ollama.show("small")
        self.assertEqual((shown.capabilities, shown.modelinfo["tandem.context_length"]), (["completion", "tools"], 8192))
        self.assertIn("small", [m.model for m in self.ollama.ps().models])

    def test_ollama_format_tools_and_context(self):
        answer = self.ollama.chat(model="small", messages=[{"role": "user", "content": "A city as JSON."}], format=TOOL_SCHEMA, options={"num_predict": 60})
        self.assertIn("city", json.loads(answer.message.content))
        answer = self.ollama.chat(model="m-anthropic", messages=[{"role": "user", "content": "scenario:call"}],
                                  tools=[{"type": "function", "function": {"name": "get_weather", "description": "w", "parameters": TOOL_SCHEMA}}])
        self.assertEqual(answer.message.tool_calls[0].function.arguments["city"], 'Köln "am Rhein"')
        with self.assertRaises(ollama.ResponseError) as caught:
            self.ollama.chat(model="small", messages=[{"role": "user", "content": "x"}], options={"num_ctx": 32768})
        self.assertIn("32768", caught.exception.error)
        with self.assertRaises(ollama.ResponseError) as caught:
            self.ollama.chat(model="small", messages=[{"role": "user", "content": "word " * 9000}])
        self.assertRegex(caught.exception.error, r"\(\d+ tokens\) exceeds the available context size \(8192 tokens\)")

    def test_ollama_embeddings(self):
        many = self.ollama.embed(model="embed", input=["a cat", "a dog"])
        self.assertEqual(len(many.embeddings), 2)
        one = self.ollama.embeddings(model="embed", prompt="a cat")
        self.assertAlmostEqual(one.embedding[0], many.embeddings[0][0], places=4)

    # ---- Google GenAI ----

    def test_genai_content_streams_and_counts(self):
        config = google.genai.types.GenerateContentConfig(max_output_tokens=16, system_instruction="Be short.")
        answer = self.genai.models.generate_content(model="small", contents="Say hello.", config=config)
        self.assertTrue(answer.text)
        self.assertGreater(answer.usage_metadata.prompt_token_count, 0)
        self.assertTrue("".join(c.text or "" for c in self.genai.models.generate_content_stream(model="small", contents="Say hello.", config=config)))
        self.assertEqual("".join(c.text or "" for c in self.genai.models.generate_content_stream(model="m-anthropic", contents="scenario:text")), TEXT)
        counted = self.genai.models.count_tokens(model="small", contents="Say hello.")
        whole = self.genai.models.generate_content(model="small", contents="Say hello.", config=google.genai.types.GenerateContentConfig(max_output_tokens=4))
        self.assertEqual(counted.total_tokens, whole.usage_metadata.prompt_token_count)
        self.assertIn("models/small", [m.name for m in self.genai.models.list()])

    def test_genai_functions_embeddings_and_errors(self):
        types = google.genai.types
        tool = types.Tool(function_declarations=[types.FunctionDeclaration(name="get_weather", description="w", parameters=types.Schema(
            type=types.Type.OBJECT, properties={"city": types.Schema(type=types.Type.STRING)}, required=["city"]))])
        for model in ("m-openai-chat", "m-anthropic", "m-gemini"):
            answer = self.genai.models.generate_content(model=model, contents="scenario:call", config=types.GenerateContentConfig(tools=[tool]))
            self.assertEqual((answer.function_calls[0].name, answer.function_calls[0].args["city"]), ("get_weather", 'Köln "am Rhein"'))
        sent = self.upstreams["openai-chat"].seen[-1][0]["tools"][0]["function"]["parameters"]
        self.assertEqual((sent["type"], sent["properties"]["city"]["type"]), ("object", "string"))
        embedded = self.genai.models.embed_content(model="embed", contents=["a cat", "a dog"])
        self.assertEqual(len(embedded.embeddings), 2)
        with self.assertRaises(google.genai.errors.ClientError) as caught:
            self.genai.models.generate_content(model="smal", contents="x")
        self.assertEqual((caught.exception.code, caught.exception.status), (404, "NOT_FOUND"))


if __name__ == "__main__":
    unittest.main()
