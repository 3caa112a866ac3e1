"""What the owner releases is bytes, not positions: a released conversation goes on, and a new secret in it stays home wherever it stands,
in every dialect."""
import copy
import json
import unittest
import warnings

from harness import ANSWER, Tandem, Upstream, http
from strict import StrictUpstream

IBAN = "DE89 3704 0044 0532 0130 00"
NEW = "GB82 WEST 1234 5698 7654 32"
ALICE = {"authorization": "Bearer alice-key-0123456789"}
LONG_ANSWER = "That account belongs to the foundation, and every letter of it says so."


def answer_long(connection, body, number):
    connection.sendall(http({**ANSWER, "choices": [{**ANSWER["choices"][0], "message": {"role": "assistant", "content": LONG_ANSWER}}]}))


def at(body, path):
    for step in path:
        body = body[step]
    return body


# Each front: how texts (user, assistant, user, ...) are said, and where in that a new secret can stand: (place, change).
def chat(texts):
    return "/v1/chat/completions", {"model": "m", "messages": [{"role": "assistant" if i % 2 else "user", "content": t} for i, t in enumerate(texts)]}


def responses(texts):
    return "/v1/responses", {"model": "m", "store": False, "input": [{"role": "assistant" if i % 2 else "user", "content": t} for i, t in enumerate(texts)]}


def anthropic(texts):
    return "/v1/messages", {"model": "a", "max_tokens": 9, "messages": [{"role": "assistant" if i % 2 else "user", "content": t} for i, t in enumerate(texts)]}


def ollama(texts):
    return "/api/chat", {"model": "m", "stream": False, "messages": [{"role": "assistant" if i % 2 else "user", "content": t} for i, t in enumerate(texts)]}


def gemini(texts):
    return "/v1beta/models/m:generateContent", {"contents": [{"role": "model" if i % 2 else "user", "parts": [{"text": t}]} for i, t in enumerate(texts)]}


def member(path, key, value):
    return lambda body: at(body, path).__setitem__(key, value)


def changed(path, key):
    return lambda body: at(body, path).__setitem__(key, at(body, path)[key].replace(IBAN, NEW))


def appended(path, key, text):
    return lambda body: at(body, path).__setitem__(key, at(body, path)[key] + text)


def added(path, item):
    return lambda body: at(body, path).append(item)


def seam(path, key, last_path, last_key):
    """The new secret is cut in two: behind what was released, and before what comes next."""
    def change(body):
        at(body, path)[key] += " " + NEW[:14]
        at(body, last_path)[last_key] = NEW[14:] + " " + at(body, last_path)[last_key]
    return change


FUNCTION = {"type": "function", "function": {"name": "f", "description": f"uses {NEW}", "parameters": {"type": "object", "properties": {}}}}
FLAT = {"type": "function", "name": "f", "description": f"uses {NEW}", "parameters": {"type": "object", "properties": {}}}


def turns(list_name, text="content"):
    """Places that all dialects with a list of messages share."""
    first = (list_name, 0)
    return [
        ("an unknown field of the old message", member(first, "note", NEW)),
        ("a nested unknown field of the old message", member(first, "x", {"y": [{"z": NEW}]})),
        ("a key of an unknown field", member(first, "x", {NEW: 1})),
        ("an unknown field of an old answer", member((list_name, 1), "note", NEW)),
        ("an unknown field at the top", member((), "x_note", NEW)),
        ("a number", member((), "x_number", 4111111111111111)),
        ("metadata", member((), "metadata", {"note": NEW})),
        ("the user", member((), "user", NEW)),
    ]


def listed(list_name):
    first = (list_name, 0)
    return turns(list_name) + [
        ("name", member(first, "name", NEW)),
        ("the old message, changed", changed(first, "content")),
        ("the old message, longer", appended(first, "content", f" and {NEW}")),
        ("an old answer", member((list_name, 1), "content", f"noted {NEW}")),
        ("the last message", member((list_name, 2), "content", f"thanks {NEW}")),
        ("a seam between old and new", seam(first, "content", (list_name, 1), "content")),
        ("a part added to the old message", lambda body: at(body, first).__setitem__("content", [{"type": PART[list_name], "text": at(body, first)["content"]}, {"type": PART[list_name], "text": NEW}])),
        ("a seam between an old part and a new one", lambda body: at(body, first).__setitem__(
            "content", [{"type": PART[list_name], "text": at(body, first)["content"] + " " + NEW[:14]}, {"type": PART[list_name], "text": NEW[14:]}])),
        ("a seam behind an old part that is as it was", lambda body: at(body, first).__setitem__(
            "content", [{"type": PART[list_name], "text": at(body, first)["content"]}, {"type": PART[list_name], "text": NEW[:14]}, {"type": PART[list_name], "text": NEW[14:]}])),
    ]


PART = {"messages": "text", "input": "input_text"}

FRONTS = {
    "openai chat": (chat, listed("messages") + [
        ("a tool", member((), "tools", [FUNCTION])),
        ("a system message", lambda body: body["messages"].insert(0, {"role": "system", "content": NEW})),
        ("a later system message", added(("messages",), {"role": "system", "content": NEW})),
        ("a tool's arguments", lambda body: body["messages"].__setitem__(1, {"role": "assistant", "content": "noted", "tool_calls": [
            {"id": "c", "type": "function", "function": {"name": "f", "arguments": json.dumps({"a": NEW})}}]}) or body["messages"].insert(2, {"role": "tool", "tool_call_id": "c", "content": "ok"})),
        ("a tool's result", lambda body: body["messages"].__setitem__(1, {"role": "assistant", "content": "noted", "tool_calls": [
            {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}) or body["messages"].insert(2, {"role": "tool", "tool_call_id": "c", "content": NEW})),
        ("a stop word", member((), "stop", [NEW])),
        ("a schema", member((), "response_format", {"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object", "description": NEW}}})),
    ]),
    "openai responses": (responses, listed("input") + [
        ("a tool", member((), "tools", [FLAT])),
        ("instructions", member((), "instructions", f"mind {NEW}")),
        ("a tool's result", lambda body: body["input"].extend([{"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}, {"type": "function_call_output", "call_id": "c", "output": NEW}])),
    ]),
    "anthropic": (anthropic, listed("messages") + [
        ("a tool", member((), "tools", [{"name": "f", "description": NEW, "input_schema": {"type": "object"}}])),
        ("system", member((), "system", [{"type": "text", "text": NEW}])),
        ("the user's id", member((), "metadata", {"user_id": NEW})),
        ("a tool's result", lambda body: body["messages"].__setitem__(1, {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "f", "input": {}}]}) or
         body["messages"].__setitem__(2, {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": NEW}]})),
        ("cache_control", lambda body: at(body, ("messages", 0)).__setitem__("content", [{"type": "text", "text": at(body, ("messages", 0))["content"], "cache_control": {"type": "ephemeral", "note": NEW}}])),
    ]),
    "ollama": (ollama, turns("messages") + [
        ("the old message, changed", changed(("messages", 0), "content")),
        ("the last message", member(("messages", 2), "content", f"thanks {NEW}")),
        ("a seam between old and new", seam(("messages", 0), "content", ("messages", 1), "content")),
        ("a tool", member((), "tools", [FUNCTION])),
        ("a tool's name", member(("messages", 0), "tool_name", NEW)),
        ("options", member((), "options", {"stop": [NEW]})),
        ("the format", member((), "format", {"type": "object", "description": NEW})),
    ]),
    "gemini": (gemini, turns("contents") + [
        ("the old message, changed", changed(("contents", 0, "parts", 0), "text")),
        ("a part added to the old message", added(("contents", 0, "parts"), {"text": NEW})),
        ("a seam between old and new", seam(("contents", 0, "parts", 0), "text", ("contents", 1, "parts", 0), "text")),
        ("an unknown field of an old part", member(("contents", 0, "parts", 0), "note", NEW)),
        ("systemInstruction", member((), "systemInstruction", {"parts": [{"text": NEW}]})),
        ("labels", member((), "labels", {"a": NEW})),
        ("a tool", member((), "tools", [{"functionDeclarations": [{"name": "f", "description": NEW}]}])),
    ]),
}


class Release(unittest.TestCase):
    def setUp(self):
        warnings.simplefilter("ignore", ResourceWarning)
        self.cloud, self.claude, self.home = Upstream(), StrictUpstream("anthropic"), Upstream(answer_long)
        for upstream in (self.cloud, self.claude, self.home):
            self.addCleanup(upstream.close)
        self.tandem = Tandem("keys:\n  alice: { secret: alice-key-0123456789 }\nproviders:\n"
                             f"  far: {self.cloud.provider('cloud')}\n  claude: {self.claude.provider('cloud')}\n  near: {self.home.provider('local')}\n"
                             "models:\n  m: { provider: far, context: 32768 }\n  a: { provider: claude, name: scripted, context: 32768 }\n  home: { provider: near, context: 32768 }\n")
        self.addCleanup(self.tandem.stop)
        self.token = {"authorization": "Bearer " + (self.tandem.folder / "data/admin.token").read_text().strip()}
        self.numbers = iter(range(10_000))

    def ask(self, path, body, **headers):
        status, got, raw = self.tandem.request(path, body, {**ALICE, **headers})
        return status, got["x-tandem-label"], got["x-tandem-decision"], raw

    def release(self, **what):
        status, _, raw = self.tandem.request("/tandem/v1/labels/release", {"reason": "it is printed on every letter", **what}, self.token)
        self.assertEqual(status, 200, raw)

    def first(self):
        return f"Letter {next(self.numbers)}: the account of our foundation is {IBAN}, as printed on its letters."

    def released(self, build):
        first = self.first()
        status, label, decision, raw = self.ask(*build([first]))
        self.assertEqual(label, "private", raw)
        self.assertIn(status, (400, 422), raw)
        self.release(decision=decision)
        return first

    def left(self):
        return self.cloud.raw + self.claude.raw

    def test_a_new_secret_stays_home_wherever_it_stands_in_a_released_conversation(self):
        for front, (build, places) in FRONTS.items():
            for place, change in places:
                with self.subTest(front=front, place=place):
                    first = self.released(build)
                    path, body = build([first, "noted", "thanks"])
                    body = copy.deepcopy(body)
                    change(body)
                    status, label, _, raw = self.ask(path, body)
                    self.assertIn(label, ("private", "secret"), raw)
                    self.assertIn(status, (400, 422), raw)
        for cut in (NEW, NEW[14:], "4111111111111111"):
            self.assertNotIn(cut.encode(), self.left())
        self.assertEqual(self.tandem.cli("audit", "prove").returncode, 0)

    def test_a_released_conversation_goes_on_until_something_new_comes_and_after_a_restart(self):
        going = {}
        for front, (build, _) in FRONTS.items():
            with self.subTest(front=front):
                first = self.released(build)
                going[front] = first
                for texts in ([first], [first, "noted", "thanks"], [first, "noted", "thanks", "you are welcome", "12 letters went out, max 9"]):
                    status, label, _, raw = self.ask(*build(texts))
                    self.assertEqual((status, label), (200, "public"), raw)
                self.assertEqual(self.ask(*build([first, "noted", f"and {NEW}"]))[1], "private")
                self.assertEqual(self.ask(*build([first, "noted", "thanks"]))[1], "public")
                # Another conversation is looked at as ever.
                self.assertEqual(self.ask(*build([f"also {IBAN}"]))[1], "private")
        self.tandem.kill()
        self.tandem.start()
        for front, (build, _) in FRONTS.items():
            with self.subTest(front=front, restarted=True):
                status, label, _, raw = self.ask(*build([going[front], "noted", "thanks again"]))
                self.assertEqual((status, label), (200, "public"), raw)
                path, body = build([going[front], "noted", "thanks again"])
                self.assertEqual(self.ask(path, {**body, "x_note": NEW})[1], "private")
        self.assertNotIn(NEW.encode(), self.left())
        self.assertIn(IBAN.encode(), self.left())

    def test_a_client_that_moves_cache_control_and_changes_its_dialect_goes_on(self):
        first = self.released(anthropic)
        def marked(text):
            return [{"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}]
        for messages in ([(first, True)], [(first, False), ("noted", False), ("thanks", True)], [(first, False), ("noted", True), ("thanks", False), ("ok", False), ("bye", True)]):
            body = {"model": "a", "max_tokens": 9, "messages": [{"role": "assistant" if i % 2 else "user", "content": marked(t) if mark else t} for i, (t, mark) in enumerate(messages)]}
            self.assertEqual(self.ask("/v1/messages", body)[1], "public")
        for build in (chat, responses, ollama, gemini):
            status, label, _, raw = self.ask(*build([first, "noted", "thanks"]))
            self.assertEqual((status, label), (200, "public"), raw)

    def test_what_a_model_at_home_answered_is_released_with_its_question(self):
        first = self.first()
        path, body = chat([first])
        status, label, decision, raw = self.ask(path, {**body, "model": "home"})
        self.assertEqual((status, label), (200, "private"), raw)
        self.assertEqual(self.ask(*chat([first, LONG_ANSWER, "thanks"]))[1], "private")
        self.release(decision=decision)
        first = self.first()
        _, _, decision, _ = self.ask(path, {**chat([first])[1], "model": "home"})
        self.release(decision=decision)
        self.assertEqual(self.ask(*chat([first, LONG_ANSWER, "thanks"]))[1], "public")
        # The same answer in a conversation that was not released is as private as before.
        self.assertEqual(self.ask(*chat(["what did it say?", LONG_ANSWER, "go on"]))[1], "private")

    def test_responses_go_on_from_what_is_kept(self):
        def previous():
            status, label, decision, raw = self.ask("/v1/responses", {"model": "home", "input": self.first()})
            self.assertEqual((status, label), (200, "private"), raw)
            return decision, {"previous_response_id": json.loads(raw)["id"]}
        def conversation():
            item = {"type": "message", "role": "user", "content": self.first()}
            _, _, raw = self.tandem.request("/v1/conversations", {"items": [item]}, ALICE)
            on = {"conversation": json.loads(raw)["id"]}
            status, label, decision, raw = self.ask("/v1/responses", {"model": "m", "input": "what is it?", **on})
            self.assertEqual((status, label), (422, "private"), raw)
            return decision, on
        places = [("the input", {"input": f"and {NEW}"}), ("instructions", {"instructions": NEW}), ("metadata", {"metadata": {"a": NEW}}), ("a tool", {"tools": [FLAT]}),
                  ("an unknown field", {"x_note": NEW}), ("an item's unknown field", {"input": [{"role": "user", "content": "thanks", "note": NEW}]}),
                  ("a name", {"input": [{"role": "user", "content": "thanks", "name": NEW}]})]
        for kept in (previous, conversation):
            with self.subTest(kept=kept.__name__):
                decision, on = kept()
                self.assertEqual(self.ask("/v1/responses", {"model": "m", "input": "thanks", **on})[1], "private")
                decision, on = kept()
                self.release(decision=decision)
                asked = {"model": "m", "input": "thanks" if "previous_response_id" in on else "what is it?", **on}
                status, label, _, raw = self.ask("/v1/responses", asked)
                self.assertEqual((status, label), (200, "public"), raw)
            for place, change in places:
                with self.subTest(kept=kept.__name__, place=place):
                    decision, on = kept()
                    self.release(decision=decision)
                    self.assertEqual(self.ask("/v1/responses", {"model": "m", "input": "thanks", **on, **change})[1], "private")
        self.assertNotIn(NEW.encode(), self.left())

    def test_a_conversation_is_released_by_its_name(self):
        for front, (build, _) in FRONTS.items():
            with self.subTest(front=front):
                name, first, second = f"talk {front}", self.first(), self.first()
                said = {"x-tandem-conversation": name}
                self.assertEqual(self.ask(*build([first]), **said)[1], "private")
                self.assertEqual(self.ask(*build([first, "noted", second]), **said)[1], "private")
                self.assertEqual(self.ask(*build(["hello"]), **said)[1], "private")
                self.release(conversation=name, key="alice")
                for texts in (["hello"], [first, "noted", "thanks"], [first, "noted", second, "noted", "thanks"]):
                    status, label, _, raw = self.ask(*build(texts), **said)
                    self.assertEqual((status, label), (200, "public"), raw)
                self.assertEqual(self.ask(*build([first, "noted", second, "noted", f"and {NEW}"]), **said)[1], "private")
        self.assertNotIn(NEW.encode(), self.left())

    def test_a_label_that_its_client_gave_is_not_lifted_by_a_release_of_something_else(self):
        first = self.released(chat)
        plan = "Here is the plan of which nobody outside may know a word."
        self.assertEqual(self.ask(*chat([first, "noted", plan]), **{"x-tandem-label": "private"})[1], "private")
        self.assertEqual(self.ask(*chat([first, "noted", plan]))[1], "private")
        self.assertEqual(self.ask(*chat([plan]))[1], "private")


if __name__ == "__main__":
    unittest.main()
