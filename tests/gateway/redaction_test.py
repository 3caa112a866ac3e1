"""What a cloud model may not see is taken out before it is asked, and put back into what it answers."""
import json
import unittest
import warnings

import anthropic
import openai

from harness import ANSWER, DONE, SSE_HEAD, Tandem, Upstream, chunk, http

IBAN = "DE89 3704 0044 0532 0130 00"
CARD = "4111 1111 1111 1111"
MAIL = "grace.hopper@navy-example.org"
SECRET = "s3cr3t-Falcon-value-77"


def echo(connection, body, number):
    """A model that says what it was told last, in pieces of three bytes where it is to stream."""
    request = json.loads(body)
    said = request["messages"][-1]["content"]
    if not isinstance(said, str):
        said = said[-1]["text"]
    if request.get("tools"):
        call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "note", "arguments": json.dumps({"text": said})}}
        if request.get("stream"):
            pieces = [call["function"]["arguments"][i:i + 2] for i in range(0, len(call["function"]["arguments"]), 2)]
            first = {**call, "function": {"name": "note", "arguments": ""}}
            connection.sendall(SSE_HEAD + chunk(None, role="assistant", tool_calls=[first]) + b"".join(
                chunk(None, tool_calls=[{"index": 0, "function": {"arguments": p}}]) for p in pieces) + chunk(finish="tool_calls") + DONE)
            return "close"
        message = {"role": "assistant", "content": None, "tool_calls": [{k: v for k, v in call.items() if k != "index"}]}
        return connection.sendall(http({**ANSWER, "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}))
    if request.get("stream"):
        pieces = [said[i:i + 3] for i in range(0, len(said), 3)]
        connection.sendall(SSE_HEAD + b"".join(chunk(p) for p in pieces) + chunk(finish="stop") + DONE)
        return "close"
    return connection.sendall(http({**ANSWER, "choices": [{"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"}]}))


class Redaction(unittest.TestCase):
    privacy = "privacy: { actions: { cloud: { private: redact, internal: redact, secret: redact } }, own: { falcon: { values: [%s], label: secret } } }\n" % SECRET

    def setUp(self):
        warnings.simplefilter("ignore", ResourceWarning)
        self.cloud = Upstream(echo)
        self.addCleanup(self.cloud.close)
        self.tandem = Tandem(self.config(self.privacy))
        self.addCleanup(self.tandem.stop)

    def config(self, privacy, extra=""):
        return f"{privacy}providers:\n  far: {self.cloud.provider('cloud')}\n{extra}models:\n  m: {{ provider: far, context: 32768, capabilities: [tools] }}\npolicy: {{ preset: cloud-first }}\n"

    def seen(self):
        return b"".join(body for _, body in self.cloud.requests)

    def say(self, text, **fields):
        status, headers, raw = self.tandem.chat(text, model="m", **fields)
        self.assertEqual(status, 200, raw)
        return headers, json.loads(raw)["choices"][0]["message"]["content"]

    def test_values_stay_home_and_come_back(self):
        text = f"Pay {IBAN} with {CARD}, write to {MAIL}; the key is {SECRET}. Again: {IBAN}."
        headers, answer = self.say(text)
        self.assertEqual(answer, text)
        self.assertEqual(headers["x-tandem-label"], "secret")
        self.assertIn("IBAN_CODE:2", headers["x-tandem-redacted"])
        for value in (IBAN, CARD, MAIL, SECRET, "0532"):
            self.assertNotIn(value.encode(), self.seen())
        sent = json.loads(self.cloud.requests[0][1])["messages"][0]["content"]
        self.assertEqual(sent, "Pay <IBAN_CODE_1> with <CREDIT_CARD_1>, write to <EMAIL_ADDRESS_1>; the key is <FALCON_1>. Again: <IBAN_CODE_1>.")
        (record,) = self.tandem.egress()
        self.assertEqual((record["label"], record["redacted"]), ("public", "CREDIT_CARD:1,EMAIL_ADDRESS:1,FALCON:1,IBAN_CODE:2"))
        self.assertEqual(self.tandem.cli("audit", "verify").returncode, 0)

    def test_streams_and_tool_calls_with_the_official_sdks(self):
        client = openai.OpenAI(base_url=self.tandem.url + "/v1", api_key="x", max_retries=0)
        text = f'Say "{MAIL}" to\n{IBAN}'
        ask = [{"role": "user", "content": text}]
        stream = client.chat.completions.create(model="m", messages=ask, stream=True)
        self.assertEqual("".join(c.choices[0].delta.content or "" for c in stream if c.choices), text)
        tools = [{"type": "function", "function": {"name": "note", "parameters": {"type": "object"}}}]
        whole = client.chat.completions.create(model="m", messages=ask, tools=tools)
        self.assertEqual(json.loads(whole.choices[0].message.tool_calls[0].function.arguments), {"text": text})
        arguments = ""
        for c in client.chat.completions.create(model="m", messages=ask, tools=tools, stream=True):
            for call in (c.choices and c.choices[0].delta.tool_calls) or []:
                arguments += call.function.arguments or ""
        self.assertEqual(json.loads(arguments), {"text": text})
        other = anthropic.Anthropic(base_url=self.tandem.url, api_key="x", max_retries=0)
        with other.messages.stream(model="m", max_tokens=99, messages=ask) as stream:
            self.assertEqual("".join(stream.text_stream), text)
        response = client.responses.create(model="m", input=text)
        self.assertEqual(response.output_text, text)
        again = client.responses.create(model="m", input="And now?", previous_response_id=response.id)
        self.assertEqual(again.output_text, "And now?")
        for value in (MAIL, IBAN):
            self.assertNotIn(value.encode(), self.seen())
        self.assertIn(b"<IBAN_CODE_1>", self.cloud.requests[-1][1])

    def test_a_value_keeps_its_name_through_turns_restarts_and_not_for_another_key(self):
        self.tandem.stop()
        keys = "keys:\n  alice: { secret: alice-key-0123456789 }\n  bob: { secret: bob-key-01234567890 }\n"
        self.tandem = Tandem(self.config(self.privacy, keys))
        self.addCleanup(self.tandem.stop)
        def turn(text, key, conversation="c1"):
            status, _, raw = self.tandem.chat(text, model="m", headers={"authorization": f"Bearer {key}", "x-tandem-conversation": conversation})
            self.assertEqual(status, 200, raw)
            return json.loads(self.cloud.requests[-1][1])["messages"][-1]["content"]
        self.assertEqual(turn(f"{CARD}", "alice-key-0123456789"), "<CREDIT_CARD_1>")
        self.assertEqual(turn("5555 5555 5555 4444", "alice-key-0123456789"), "<CREDIT_CARD_2>")
        self.tandem.kill()
        self.tandem.start()
        self.assertEqual(turn(f"my 5555555555554444 and {CARD}", "alice-key-0123456789"), "my <CREDIT_CARD_2> and <CREDIT_CARD_1>")
        self.assertEqual(turn("5555 5555 5555 4444", "bob-key-01234567890"), "<CREDIT_CARD_1>")
        self.assertEqual(turn("5555 5555 5555 4444", "alice-key-0123456789", "c2"), "<CREDIT_CARD_1>")
        for file in (self.tandem.folder / "data").rglob("*"):
            if file.is_file():
                for value in (CARD, "5555 5555 5555 4444", "5555555555554444"):
                    self.assertNotIn(value.encode(), file.read_bytes(), file)

    def test_a_placeholder_that_the_user_typed_is_left_alone(self):
        text = f"What is <IBAN_CODE_1>? Mine is {IBAN}."
        self.assertEqual(self.say(text)[1], text)
        self.assertIn(b"<IBAN_CODE_2>", self.seen())

    def test_json_in_tool_results_unknown_fields_and_schemas(self):
        messages = [{"role": "user", "content": "look"},
                    {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "type": "function", "function": {"name": "note", "arguments": json.dumps({"iban": IBAN, "q": "a \"b\""})}}]},
                    {"role": "tool", "tool_call_id": "c", "content": json.dumps({"mail": MAIL, "password": "Tr0ub4dor&3xyz!"})},
                    {"role": "user", "content": "go on"}]
        tools = [{"type": "function", "function": {"name": "note", "description": f"as {MAIL} wants it", "parameters": {"type": "object"}}}]
        status, _, raw = self.tandem.request("/v1/chat/completions", {"model": "m", "messages": messages, "tools": tools, "metadata": {"who": MAIL}, "user": MAIL})
        self.assertEqual(status, 200, raw)
        sent = json.loads(self.cloud.requests[0][1])
        self.assertEqual(json.loads(sent["messages"][1]["tool_calls"][0]["function"]["arguments"]), {"iban": "<IBAN_CODE_1>", "q": "a \"b\""})
        for value in (MAIL, IBAN, "Tr0ub4dor"):
            self.assertNotIn(value.encode(), self.seen())

    def test_what_cannot_be_taken_out_is_refused_and_stays_home(self):
        for body in ({"messages": [{"role": "user", "content": "x"}], "metadata": {IBAN: "y"}},                       # the name of a field
                     {"messages": [{"role": "user", "content": IBAN[:14]}, {"role": "user", "content": IBAN[14:]}]}):  # cut in two
            status, headers, raw = self.tandem.request("/v1/chat/completions", {"model": "m", **body})
            self.assertIn(status, (400, 422), raw)
            self.assertEqual(headers["x-tandem-label"], "private")
        status, _, raw = self.tandem.chat("the plan", model="m", headers={"x-tandem-label": "private"})
        self.assertIn(status, (400, 422), raw)
        self.assertEqual((self.cloud.connections, self.tandem.egress()), (0, []))

    def test_what_was_made_of_the_whole_stays_home(self):
        self.tandem.stop()
        home = Upstream()
        self.addCleanup(home.close)
        self.tandem = Tandem(f"{self.privacy}providers:\n  far: {self.cloud.provider('cloud')}\n  near: {home.provider()}\nmodels:\n  m: {{ provider: far }}\n  h: {{ provider: near }}\naliases: {{ both: [m, h] }}\n")
        self.addCleanup(self.tandem.stop)
        ask = [{"role": "user", "content": f"Remember {IBAN}"}]
        self.assertEqual(self.tandem.chat(model="h", messages=ask)[1]["x-tandem-zone"], "local")
        on = ask + [{"role": "assistant", "content": "Hello there"}, {"role": "user", "content": "go on"}]
        self.assertEqual(self.tandem.chat(model="both", messages=on)[1]["x-tandem-zone"], "local")
        self.assertEqual(self.cloud.connections, 0)
        self.assertEqual(self.tandem.chat(f"Another: {IBAN}", model="both")[1]["x-tandem-zone"], "cloud")

    def test_masks_do_not_come_back_and_blocks_say_so(self):
        self.tandem.write(self.config("privacy: { actions: { cloud: { private: mask, secret: block } } }\n"))
        self.tandem.stop()
        self.tandem = Tandem(self.config("privacy: { actions: { cloud: { private: mask, secret: block } } }\n"))
        self.addCleanup(self.tandem.stop)
        self.assertEqual(self.say(f"Pay {IBAN}")[1], "Pay [IBAN_CODE]")
        status, _, raw = self.tandem.chat("key sk-ant-api03-" + "abcDEF123_-x" * 7 + "abcdefgAA", model="m")
        self.assertIn(status, (400, 422), raw)
        self.assertIn(b"blocks", raw)

    def test_realistic_stand_ins_are_valid_nobodys_and_come_back(self):
        self.tandem.stop()
        self.tandem = Tandem(self.config(self.privacy.replace("privacy: {", "privacy: { placeholders: realistic,", 1)))
        self.addCleanup(self.tandem.stop)
        text = f"Pay {IBAN} with {CARD}, write to {MAIL}."
        self.assertEqual(self.say(text)[1], text)
        sent = json.loads(self.cloud.requests[0][1])["messages"][0]["content"]
        self.assertRegex(sent, r"^Pay DE\d\d \d{4} \d{4} \d{4} \d{4} \d\d with 4000 00\d\d \d{4} \d{4}, write to [a-z.]+\d\d@example.com\.$")
        for value in (IBAN, CARD, MAIL):
            self.assertNotIn(value, sent)

    def test_an_error_that_quotes_the_prompt_has_the_values_back_and_the_record_does_not(self):
        def complain(connection, body, number):
            said = json.loads(body)["messages"][-1]["content"]
            connection.sendall(http({"error": {"message": f"cannot do: {said}", "type": "invalid_request_error"}}, "400 Bad Request"))
        self.cloud.script = complain
        status, headers, raw = self.tandem.chat(f"Pay {IBAN}", model="m")
        self.assertEqual(status, 400)
        self.assertIn(IBAN, json.loads(raw)["error"]["message"])
        self.assertNotIn(IBAN, json.dumps(self.tandem.explain()))
        self.assertNotIn(IBAN, self.tandem.log_text())

    def test_a_signed_list_of_thoughts_comes_through_with_its_values(self):
        details = [{"type": "reasoning.text", "text": "They say <IBAN_CODE_1>.", "format": "x", "index": 0, "signature": "c2ln"}]

        def script(connection, body, number):
            if json.loads(body).get("stream"):
                connection.sendall(SSE_HEAD + chunk(None, role="assistant", reasoning_details=details) + chunk("Fine") + chunk(finish="stop") + DONE)
                return "close"
            message = {"role": "assistant", "content": "Fine", "reasoning_details": details}
            connection.sendall(http({**ANSWER, "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}))
        self.cloud.script = script
        for stream in (False, True):
            status, headers, raw = self.tandem.chat(f"Pay {IBAN}", model="m", stream=stream)
            self.assertEqual((status, headers["x-tandem-redacted"]), (200, "IBAN_CODE:1"), raw)
            events = [json.loads(line[6:]) for line in raw.decode().splitlines() if line.startswith("data: {")] if stream else [json.loads(raw)]
            found = [d for e in events for c in e["choices"] for d in c.get("delta", c.get("message")).get("reasoning_details", [])]
            self.assertEqual(found, [{**details[0], "text": f"They say {IBAN}."}], raw)

    def test_answers_are_looked_at(self):
        self.tandem.stop()
        rules = "privacy: { answers: [{ from: cloud, label: private, do: mask }, { label: secret, do: stop }] }\n"
        self.tandem = Tandem(self.config(rules))
        self.addCleanup(self.tandem.stop)
        token = "ghp_" + "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hI6"
        def answer(text):
            def script(connection, body, number):
                if json.loads(body).get("stream"):
                    connection.sendall(SSE_HEAD + b"".join(chunk(text[i:i + 3]) for i in range(0, len(text), 3)) + chunk(finish="stop") + DONE)
                    return "close"
                connection.sendall(http({**ANSWER, "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]}))
            return script
        self.cloud.script = answer(f"The other customer's account is {IBAN}, as you know.")
        self.assertEqual(self.say("which account?")[1], "The other customer's account is [IBAN_CODE], as you know.")
        client = openai.OpenAI(base_url=self.tandem.url + "/v1", api_key="x", max_retries=0)
        stream = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "which?"}], stream=True)
        self.assertEqual("".join(c.choices[0].delta.content or "" for c in stream if c.choices), "The other customer's account is [IBAN_CODE], as you know.")
        self.cloud.script = answer(f"use {token} for it")
        status, _, raw = self.tandem.chat("how?", model="m")
        self.assertIn(status, (400, 422), raw)
        self.assertIn(b"stopped", raw)
        self.assertNotIn(token.encode(), raw)


if __name__ == "__main__":
    unittest.main()
