"""Providers that refuse what others of their dialect take, each in its own words: how to sample, how to think, members of messages, and
schemas of tools. Behind every dialect in front; what is refused is found out once."""
import json
import unittest

import harness
from matrix_test import CLIENTS
from providers_test import SPEAKS, Case, answers, calls_what_it_has, offer


def http(body, status):
    return harness.http(body, status, extra="Connection: close\r\n")  # the scripted servers close behind bytes


OPENAI = ("openai-chat", "openai-responses")


def refused(message, status="400 Bad Request", **fields):
    return http({"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None, **fields}}, status)


def refused_by_anthropic(message):
    return http({"type": "error", "error": {"type": "invalid_request_error", "message": message}}, "400 Bad Request")


def refused_by_google(message):
    return http({"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}}, "400 Bad Request")


def refused_by_pydantic(*location):
    return http({"detail": [{"type": "extra_forbidden", "loc": ["body", *location], "msg": "Extra inputs are not permitted", "input": None}]}, "422 Unprocessable Entity")


def takes_no_temperature(dialect, request, stream):
    """OpenAI's reasoning models, Kimi's, and Anthropic's newest."""
    config = request.get("generationConfig", request.get("options", request))
    if "temperature" in config:
        if dialect == "chat":
            return refused(f"Unsupported value: 'temperature' does not support {config['temperature']} with this model. Only the default (1) value is supported.", param="temperature", code="unsupported_value")
        if dialect == "responses":
            return refused("Unsupported parameter: 'temperature' is not supported with this model.", param="temperature")
        if dialect == "messages":
            return refused_by_anthropic("`temperature` is deprecated for this model.")
        return refused_by_google("temperature is not supported for this model.")
    return answers(dialect, request, stream)


def takes_one_of_the_two(dialect, request, stream):
    if "temperature" in request and "top_p" in request:
        return refused_by_anthropic("`temperature` and `top_p` cannot both be specified for this model. Please use only one.")
    return answers(dialect, request, stream)


def takes_temperature_one(dialect, request, stream):
    if request.get("temperature", 1) != 1:
        return refused("invalid temperature: only 1 is allowed for this model")
    return answers(dialect, request, stream)


def knows_few_members(dialect, request, stream):
    """Groq and Cerebras, for messages that a client has from an SDK's model_dump()."""
    for number, message in enumerate(request["messages"]):
        for name in message:
            if name not in ("role", "content", "tool_calls", "tool_call_id"):
                return refused(f"'messages.{number}' : for 'role:{message['role']}' the following must be satisfied[('messages.{number}' : property '{name}' is unsupported)]")
    return answers(dialect, request, stream)


def forbids_extras(dialect, request, stream):
    """Mistral and vLLM."""
    for name in request:
        if name not in ("model", "messages", "tools", "tool_choice", "stream", "max_tokens", "temperature"):
            return refused_by_pydantic(name)
    if request.get("tools") == []:
        return refused_by_pydantic("tools")
    return answers(dialect, request, stream)


def calls_one_by_one(dialect, request, stream):
    if "parallel_tool_calls" in request:
        return refused("Unsupported parameter: 'parallel_tool_calls' is not supported with this model.", param="parallel_tool_calls", code="unsupported_parameter")
    return answers(dialect, request, stream)


def knows_three_efforts(dialect, request, stream):
    effort = request.get("reasoning_effort", (request.get("reasoning") or {}).get("effort"))
    if effort not in (None, "low", "medium", "high"):
        return refused(f"Unsupported value: 'reasoning_effort' does not support '{effort}' with this model. Supported values are: 'low', 'medium', and 'high'.", param="reasoning_effort", code="unsupported_value")
    return answers(dialect, request, stream)


def thinks_not_at_all(dialect, request, stream):
    if dialect == "chat" and "reasoning_effort" in request:
        return refused("Unrecognized request argument supplied: reasoning_effort")
    if dialect == "ollama" and request.get("think"):
        return http({"error": "\"m\" does not support thinking"}, "400 Bad Request")
    if dialect == "gemini" and "thinkingConfig" in request.get("generationConfig", {}):
        return refused_by_google("Unable to submit request because thinking is not supported by this model.")
    return answers(dialect, request, stream)


def thinks_by_budget(dialect, request, stream):
    """Claude 4.5 and Gemini 2.5."""
    if dialect == "gemini":
        if "thinkingLevel" in request.get("generationConfig", {}).get("thinkingConfig", {}):
            return refused_by_google("Thinking level is not supported for this model.")
        return answers(dialect, request, stream)
    thinking = request.get("thinking", {})
    if thinking.get("type") == "adaptive":
        return refused_by_anthropic("adaptive thinking is not supported on this model")
    if "effort" in request.get("output_config", {}):
        return refused_by_anthropic("This model does not support the effort parameter.")
    if thinking.get("type") == "enabled" and not 1024 <= thinking["budget_tokens"] < request["max_tokens"]:
        return refused_by_anthropic("`max_tokens` must be greater than `thinking.budget_tokens`.")
    if thinking.get("type") == "enabled" and request.get("temperature", 1) != 1:
        return refused_by_anthropic("`temperature` may only be set to 1 when thinking is enabled.")
    if thinking.get("type") == "enabled" and request.get("tool_choice", {}).get("type") in ("any", "tool"):
        return refused_by_anthropic("Thinking may not be enabled when tool_choice forces tool use.")
    return answers(dialect, request, stream)


def thinks_by_effort(dialect, request, stream):
    """Claude Opus 4.7."""
    if request.get("thinking", {}).get("type") == "enabled":
        return refused_by_anthropic('"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.')
    return answers(dialect, request, stream)


def always_thinks(dialect, request, stream):
    """Gemini 2.5 Pro."""
    if request.get("generationConfig", {}).get("thinkingConfig", {}).get("thinkingBudget") == 0:
        return refused_by_google("Budget 0 is invalid. This model only works in thinking mode.")
    return answers(dialect, request, stream)


def lacks_a_level(dialect, request, stream):
    """Gemini 3 Pro."""
    if request.get("generationConfig", {}).get("thinkingConfig", {}).get("thinkingLevel") == "medium":
        return refused_by_google("Thinking level MEDIUM is not supported for this model.")
    return answers(dialect, request, stream)


def no_penalties(dialect, request, stream):
    if {"presencePenalty", "frequencyPenalty"} & set(request.get("generationConfig", {})):
        return refused_by_google("Penalty is not enabled for models/gemini-2.5-flash-lite")
    return answers(dialect, request, stream)


def forces_no_call_beside_thoughts(member):
    """DeepSeek, and Qwen, which both think where nothing is said."""
    def does(dialect, request, stream):
        off = request.get("thinking", {}).get("type") == "disabled" if member == "thinking" else request.get("enable_thinking") is False
        if request.get("tool_choice", "auto") not in ("auto", "none") and not off:
            return refused("Thinking mode does not support this tool_choice" if member == "thinking" else "<400> InternalError.Algo.InvalidParameter: The tool_choice parameter does not support being set to required or object in thinking mode")
        return calls_what_it_has(dialect, request, stream)
    return does


def says_all(dialect, request, stream):
    """A model that knows no stop sequences, or no more than four."""
    stops = request.get("stop") or []
    if dialect == "chat" and len(stops) > 4:
        return refused("Invalid 'stop': array too long. Expected an array with maximum length 4, but got an array with length 5 instead.", param="stop", code="array_above_max_length")
    if dialect == "chat" and stops:
        return refused("Unsupported parameter: 'stop' is not supported with this model.", param="stop", code="unsupported_parameter")
    return answers(dialect, request, stream, "Hello there END and more")


def nodes(schema, path="root"):
    yield path, schema
    for key, value in schema.items() if isinstance(schema, dict) else enumerate(schema) if isinstance(schema, list) else []:
        if isinstance(value, (dict, list)):
            yield from nodes(value, f"{path}.{key}")


def schema_in(dialect, request):
    if dialect == "gemini":
        tool = request["tools"][0]["functionDeclarations"][0]
        return tool.get("parametersJsonSchema", tool.get("parameters"))
    tool = request["tools"][0]
    return tool["input_schema"] if dialect == "messages" else tool["parameters"] if dialect == "responses" else tool["function"]["parameters"]


def reads_few_words(dialect, request, stream):
    """By its rules: no alternatives at the top (Anthropic, OpenAI), no type beside anyOf (Moonshot), no references and constants, nothing
    required that is not there (Gemini)."""
    schema = schema_in(dialect, request)
    for path, node in nodes(schema):
        if not isinstance(node, dict):
            continue
        if dialect == "chat" and "anyOf" in node and "type" in node:
            return refused(f"Invalid request: tools.function.parameters is not a valid moonshot flavored json schema, details: <At path '{path}': when using anyOf, type should be defined in anyOf items instead of the parent schema>")
        if dialect in ("messages", "responses", "ollama") and path == "root" and {"anyOf", "oneOf", "allOf"} & set(node):
            return {"messages": refused_by_anthropic("tools.0.custom.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level"),
                    "responses": refused("Invalid schema for function 'note': schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top level.", code="invalid_function_parameters"),
                    "ollama": http({"error": "JSON schema conversion failed:\nUnrecognized schema"}, "500 Internal Server Error")}[dialect]
        for word in ("$ref", "const", "$defs", "pattern"):
            if dialect == "gemini" and word in node:
                return refused_by_google(f"Invalid JSON payload received. Unknown name \"{word}\" at 'tools[0].function_declarations[0].parameters': Cannot find field.")
        if dialect == "gemini" and not set(node.get("required", [])) <= set(node.get("properties", {})):
            return refused_by_google("* GenerateContentRequest.tools[0].function_declarations[0].parameters.required[0]: property is not defined")
    return calls_what_it_has(dialect, request, stream)


RICH = {"type": "object", "$defs": {"place": {"type": "object", "properties": {"city": {"type": "string", "pattern": "^[A-Z]"}, "near": {"$ref": "#/$defs/place"}}, "required": ["city", "gone"]}},
        "properties": {"where": {"$ref": "#/$defs/place", "description": "Where it is"}, "kind": {"const": "big"}, "size": {"type": ["integer", "null"], "minimum": 1}, "level": {"enum": [1, 2, 3]},
                       "who": {"type": "string", "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
                       "mode": {"oneOf": [{"const": "a", "title": "A"}, {"const": "b"}]}, "pair": {"type": "array", "prefixItems": [{"type": "number"}, {"type": "string"}]}},
        "required": ["where"], "anyOf": [{"required": ["kind"]}, {"properties": {"other": {"type": "boolean"}}, "required": ["other"]}]}


class Refusals(Case):
    does = {"no-temperature": takes_no_temperature, "one-of-two": takes_one_of_the_two, "only-one": takes_temperature_one, "few-members": knows_few_members, "no-extras": forbids_extras,
            "one-by-one": calls_one_by_one, "three-efforts": knows_three_efforts, "no-thoughts": thinks_not_at_all, "by-budget": thinks_by_budget, "by-effort": thinks_by_effort,
            "always-thinks": always_thinks, "lacks-a-level": lacks_a_level, "no-penalties": no_penalties, "says-all": says_all, "deepseek": forces_no_call_beside_thoughts("thinking"), "qwen": forces_no_call_beside_thoughts("enable_thinking"), "few-words": reads_few_words}

    def good(self, front, model, change=None, stream=False):
        status, headers, raw = self.ask(front, model, stream, change)
        self.assertEqual(status, 200, f"{front} {model} {stream}: {raw}")
        return headers, CLIENTS[front].read(raw, stream)

    def last(self, behind):
        return self.upstreams[behind].asked[-1][1]

    def everywhere(self, model, behinds, change=None):
        """From every client, streamed and whole; what is found out is found out once."""
        for behind in behinds:
            for front in CLIENTS:
                for stream in (False, True):
                    with self.subTest(model=model, front=front, behind=behind, stream=stream):
                        status, _, raw = self.ask(front, f"{model}-{behind}", stream, change and change(front))
                        self.assertEqual(status, 200, raw)
                        self.assertIn(b"Hello there", raw)
            before = len(self.upstreams[behind].asked)
            self.good("openai-chat", f"{model}-{behind}", change and change("openai-chat"))
            self.assertEqual(len(self.upstreams[behind].asked), before + 1, behind)

    def test_a_temperature_that_a_model_does_not_take_is_left_out_with_a_warning(self):
        self.everywhere("no-temperature", ("openai-chat", "openai-responses", "anthropic", "gemini"))
        headers, _ = self.good("openai-chat", "no-temperature-openai-chat")
        self.assertIn("temperature was left out", headers["x-tandem-warnings"])
        self.everywhere("only-one", ("openai-chat",))

    def test_of_temperature_and_top_p_the_first_is_sent(self):
        both = lambda front: lambda body: {**body, "temperature": 0.5, "top_p": 0.9} if "generationConfig" not in body and "options" not in body else body
        self.everywhere("one-of-two", ("anthropic",), both)
        self.assertEqual(self.last("anthropic").get("temperature"), 0.5)

    def test_a_value_that_is_out_of_range_teaches_nothing(self):
        for message in ("Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 5 instead.", "max_tokens is too large", "temperature must be between 0 and 2"):
            self.upstreams["openai-chat"].does["few-members"] = lambda d, r, s, m=message: refused(m) if r.get("temperature") == 5 else answers(d, r, s)
            try:
                self.assertEqual(self.ask("openai-chat", "few-members-openai-chat", False, lambda body: {**body, "temperature": 5})[0], 400)
                self.good("openai-chat", "few-members-openai-chat")
                self.assertEqual(self.last("openai-chat")["temperature"], 0.5)
            finally:
                self.upstreams["openai-chat"].does["few-members"] = knows_few_members

    def test_members_that_clients_repeat_of_an_answer_are_left_out_where_they_are_refused(self):
        dumped = {"role": "assistant", "content": "Hello", "refusal": None, "annotations": [], "audio": None, "function_call": None, "tool_calls": None}
        history = [{"role": "user", "content": "hi", "name": "ann"}, {**dumped}, {"role": "user", "content": "go on"}]
        self.good("openai-chat", "few-members-openai-chat", lambda body: {**body, "messages": history})
        self.assertEqual([sorted(m) for m in self.last("openai-chat")["messages"]], [["content", "role"]] * 3)

    def test_wishes_that_a_server_forbids_are_left_out(self):
        wishes = {"user": "u", "store": True, "metadata": {"a": "b"}, "parallel_tool_calls": True, "seed": 1, "top_p": 0.9, "service_tier": "auto", "tools": []}
        for stream in (False, True):
            self.good("openai-chat", "no-extras-openai-chat", lambda body: {**{k: v for k, v in body.items() if k != "max_completion_tokens"}, **wishes, "max_tokens": 50}, stream)
        self.everywhere("no-extras", ("openai-chat",))
        for front in CLIENTS:
            self.good(front, "one-by-one-openai-chat", lambda body: {**offer("note", {"type": "object", "properties": {}})(body), **({"parallel_tool_calls": False} if front in OPENAI else {})})

    def test_what_an_answer_is_to_be_is_still_refused(self):
        self.upstreams["openai-chat"].does["no-extras"] = lambda d, r, s: refused_by_pydantic("n") if r.get("n") else answers(d, r, s)
        try:
            self.assertEqual(self.ask("openai-chat", "no-extras-openai-chat", False, lambda body: {**body, "n": 2})[0], 422)
        finally:
            self.upstreams["openai-chat"].does["no-extras"] = forbids_extras

    def thinking(self, how):
        """As each client asks for it; how: off, low or high."""
        budget = {"off": 0, "low": 2000, "high": 20000}[how]
        def of(front):
            def change(body):
                if front == "openai-chat":
                    return {**body, "reasoning_effort": "none" if how == "off" else how}
                if front == "openai-responses":
                    return {**body, "reasoning": {"effort": "none" if how == "off" else how}}
                if front == "anthropic":
                    return {**body, "max_tokens": 24000, "temperature": 1, "thinking": {"type": "disabled"} if how == "off" else {"type": "enabled", "budget_tokens": budget}}
                if front == "gemini":
                    return {**body, "generationConfig": {**body.get("generationConfig", {}), "thinkingConfig": {"thinkingBudget": budget}}}
                return {**body, "think": False if how == "off" else how}
            return change
        return of

    def test_thinking_is_said_as_the_model_takes_it(self):
        for how in ("high", "low", "off"):
            self.everywhere("by-budget", ("anthropic", "gemini"), self.thinking(how))
            self.everywhere("by-effort", ("anthropic",), self.thinking(how))
            self.everywhere("always-thinks", ("gemini",), self.thinking(how))
            self.everywhere("three-efforts", OPENAI, self.thinking(how))
            self.everywhere("no-thoughts", ("openai-chat", "gemini", "ollama"), self.thinking(how))
        room = lambda body: {**self.thinking("high")("openai-chat")(body), "max_completion_tokens": 16000}
        self.good("openai-chat", "by-budget-anthropic", room)
        self.assertGreater(self.last("anthropic")["thinking"]["budget_tokens"], 4096)
        self.good("openai-chat", "by-effort-anthropic", room)
        self.assertEqual((self.last("anthropic")["thinking"]["type"], self.last("anthropic")["output_config"]["effort"]), ("adaptive", "high"))
        self.good("openai-chat", "three-efforts-openai-chat", lambda body: {**body, "reasoning_effort": "minimal"})
        self.assertEqual(self.last("openai-chat")["reasoning_effort"], "low")

    def test_a_level_that_a_model_lacks_becomes_its_nearest(self):
        self.good("openai-chat", "lacks-a-level-gemini", lambda body: {**body, "reasoning_effort": "medium"})
        self.assertIn(self.last("gemini")["generationConfig"]["thinkingConfig"]["thinkingLevel"], ("low", "high"))

    def test_a_forced_call_goes_before_thoughts(self):
        forced = lambda body: {**offer("note", {"type": "object", "properties": {}})(body), "reasoning_effort": "high", "tool_choice": "required", "max_completion_tokens": 8000}
        headers, _ = self.good("openai-chat", "by-budget-anthropic", forced)
        self.assertIn("thinking", headers["x-tandem-warnings"])
        self.assertEqual(self.last("anthropic")["tool_choice"]["type"], "any")

    def test_a_forced_call_is_kept_where_a_model_takes_none_beside_its_thoughts(self):
        tool = offer("note", {"type": "object", "properties": {}})
        forces = {"anthropic": {"tool_choice": {"type": "tool", "name": "note"}}, "gemini": {"toolConfig": {"functionCallingConfig": {"mode": "ANY"}}}}
        for front in CLIENTS:
            if front == "ollama":
                continue  # it has no such choice
            for model in ("deepseek", "qwen"):
                for stream in (False, True):
                    _, said = self.good(front, f"{model}-openai-chat", lambda body: {**tool(body), **forces.get(front, {"tool_choice": "required"})}, stream)
                    self.assertEqual([n for n, _ in said["calls"]], ["note"])

    def test_an_answer_ends_at_a_stop_sequence_that_the_server_does_not_take(self):
        stops = {"anthropic": lambda b: {**b, "stop_sequences": ["END"]}, "gemini": lambda b: {**b, "generationConfig": {**b["generationConfig"], "stopSequences": ["END"]}},
                 "ollama": lambda b: {**b, "options": {**b["options"], "stop": ["END"]}}, "openai-chat": lambda b: {**b, "stop": ["x", "END", "y", "z", "w"]}}
        for behind in OPENAI:
            for front, change in stops.items():
                for stream in (False, True):
                    with self.subTest(front=front, behind=behind, stream=stream):
                        status, _, raw = self.ask(front, f"says-all-{behind}", stream, change)
                        if front == "anthropic":
                            self.assertIn(b'"stop_reason":"stop_sequence","stop_sequence":"END"', raw)
                            raw = raw.replace(b'"stop_reason":"stop_sequence"', b'"stop_reason":"end_turn"')
                        self.assertEqual((status, CLIENTS[front].read(raw, stream)["text"]), (200, "Hello there "), raw)

    def test_penalties_that_a_model_does_not_have(self):
        self.good("openai-chat", "no-penalties-gemini", lambda body: {**body, "presence_penalty": 0.5, "frequency_penalty": 0.2})

    def test_a_schema_is_said_in_words_that_the_server_reads(self):
        for behind in SPEAKS:
            for front in CLIENTS:
                for stream in (False, True):
                    with self.subTest(front=front, behind=behind, stream=stream):
                        _, said = self.good(front, f"few-words-{behind}", offer("note", RICH), stream)
                        self.assertEqual([n for n, _ in said["calls"]], ["note"])
            schema = schema_in(SPEAKS[behind], self.last(behind))
            properties = schema["properties"]
            self.assertEqual(set(properties), {*RICH["properties"], "other"})
            self.assertEqual((schema["required"], properties["where"]["description"]), (["where"], "Where it is"))
            self.assertEqual((properties["where"]["required"], properties["kind"]["enum"], properties["mode"]["enum"]), (["city"], ["big"], ["a", "b"]))
            self.assertEqual((properties["size"], properties["pair"]["items"], properties["who"]["anyOf"][0]), ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, {"type": "number"}, {"type": "string"}))
            self.assertIn("1, 2, 3", properties["level"]["description"])

    def test_bounds_of_googles_libraries_are_numbers_to_others(self):
        declared = {"type": "OBJECT", "properties": {"list": {"type": "ARRAY", "minItems": "2", "maxItems": "5", "items": {"type": "STRING", "maxLength": "9"}}}}
        for behind in SPEAKS:
            if behind == "gemini":
                continue
            self.good("gemini", f"good-{behind}", lambda body: {**body, "tools": [{"functionDeclarations": [{"name": "note", "description": "d", "parameters": declared}]}]})
            sent = schema_in(SPEAKS[behind], self.last(behind))["properties"]["list"]
            self.assertEqual((sent["minItems"], sent["maxItems"], sent["items"]["maxLength"]), (2, 5, 9))

    def test_texts_of_white_space_alone_do_not_reach_anthropic(self):
        history = [{"role": "user", "content": [{"type": "text", "text": "hi"}, {"type": "text", "text": " \n"}]}, {"role": "assistant", "content": "  "}, {"role": "user", "content": "go on"},
                   {"role": "assistant", "content": "It is \n"}]
        self.good("openai-chat", "good-anthropic", lambda body: {**body, "messages": history})
        texts = [p["text"] for m in self.last("anthropic")["messages"] for p in m["content"]]
        self.assertEqual(texts, ["hi", "go on", "It is"])


if __name__ == "__main__":
    unittest.main()
