"""A scripted model server for tests of probes: it answers the questions of the suites as far as it is able to, does what requests ask
for, and leaves out what it is told to leave out."""
import contextlib
import json
import random
import re
import threading
import time

from harness import DONE, SSE_HEAD, chunk, http

TRADES = {"dentist": "pulls aching teeth", "pilot": "takes passengers across", "firefighter": "puts out burning", "barber": "trims hair", "plumber": "mends leaking",
          "baker": "makes loaves", "veterinarian": "treats sick", "carpenter": "carves tables", "astronomer": "looks at the stars", "lawyer": "defends the accused",
          "beekeeper": "keeps hives", "miller": "grinds wheat", "clockmaker": "repairs watches", "librarian": "lends books"}
TOKEN = 4  # bytes of a token, as this server counts


def read_notes(notes, question):
    """The answer to a question of the suite `context`, from what is seen of the notes."""
    if which := re.findall(r"the (\w+ locker in \w+)", question):
        codes = [re.search(rf"The {locker} opens with (\d+)", notes) for locker in which]
        return ", ".join(code[1] if code else "unknown" for code in codes)
    if gauge := re.search(r"does gauge (\w+) show", question):
        name = gauge[1]
        for _ in range(5):
            if value := re.search(rf"Gauge {name} shows (\d+)", notes):
                return value[1]
            if not (other := re.search(rf"Gauge {name} was set to what gauge (\w+) shows", notes)):
                break
            name = other[1]
        return "unknown"
    if who := re.search(r"How many crates did (\w+) bring", question):
        return str(sum(int(n) for n in re.findall(rf"{who[1]} brought (\d+) crates", notes)))
    if trade := re.search(r"Who is the (\w+)\?", question):
        found = re.search(rf"(\w+) {TRADES[trade[1]]}", notes)
        return found[1] if found else "unknown"
    return None


def reckon(text):
    """The answer to a question of the suite `reasoning`."""
    if begin := re.match(r"Begin with (\d+)\.", text):
        value = int(begin[1])
        for step, by in re.findall(r"(Add ten times|Add|Multiply by) (\d+)\.", text):
            value = value * int(by) if step.startswith("M") else value + int(by) * (10 if "ten" in step else 1)
        return str(value)
    if pairs := re.findall(r"(\w+) is (older|younger) than (\w+)\.", text):
        older = [(a, b) if how == "older" else (b, a) for a, how, b in pairs]
        row = {a for a, _ in older} - {b for _, b in older} if "the oldest" in text else {b for _, b in older} - {a for a, _ in older}
        return row.pop()
    if text.startswith("There are boxes."):
        boxes = dict(re.findall(r"Box (\d+) holds the (\w+)", text))
        for a, b in re.findall(r"what is in box (\d+) and what is in box (\d+) change places", text):
            boxes[a], boxes[b] = boxes[b], boxes[a]
        return boxes[re.search(r"What is in box (\d+) now", text)[1]]
    return None


class Able:
    """`without`: features that it ignores. `context`: tokens that it sees; longer prompts are refused, or, without "overflow", cut to their
    end (`keeps="end"`) or their beginning. `right`: how often it gives an answer that it knows."""

    def __init__(self, without=(), context=None, keeps="end", right=1.0, pace=0.0, counts=True, cut_to=None):
        self.without, self.context, self.keeps, self.right, self.pace, self.counts = set(without), context, keeps, right, pace, counts
        self.cut_to = cut_to or context  # tokens that are left of a prompt that is too long
        self.noise, self.slot, self.asked = random.Random(11), threading.Lock(), []

    def does(self, feature):
        return feature not in self.without

    def __call__(self, connection, body, number):
        asked = json.loads(body)
        self.asked.append(asked)
        text = asked["messages"][-1]["content"] or ""
        tokens = len(body) // TOKEN
        if self.context and tokens > self.context:
            if self.does("overflow"):
                connection.sendall(http({"error": {"message": f"the prompt is too long: {tokens} tokens, and the context is {self.context}", "type": "invalid_request_error",
                                                   "code": "context_length_exceeded"}}, "400 Bad Request"))
                return None
            room = (self.cut_to - 32) * TOKEN
            text = text[-room:] if self.keeps == "end" else text[:room]
            tokens = self.cut_to
        message = self.answer(asked, text)
        usage = {"prompt_tokens": tokens, "completion_tokens": len((message["content"] or "").split()) + 1, "total_tokens": 0}
        if asked.get("stream"):
            return self.stream(connection, asked, message, usage)
        with self.slot if self.pace else contextlib.nullcontext():
            time.sleep(self.pace * usage["completion_tokens"])
        choices = [{"index": i, "message": message, "finish_reason": "tool_calls" if "tool_calls" in message else "stop"}
                   for i in range(asked.get("n", 1) if self.does("n") else 1)]
        if asked.get("logprobs") and self.does("logprobs"):
            choices[0]["logprobs"] = {"content": [{"token": "x", "logprob": -0.1, "bytes": None, "top_logprobs": []}]}
        connection.sendall(http({"id": "c", "object": "chat.completion", "created": 1, "model": "able", "choices": choices, **({"usage": usage} if self.counts else {})}))
        return None

    def stream(self, connection, asked, message, usage):
        with self.slot if self.pace else contextlib.nullcontext():
            with contextlib.suppress(OSError):
                connection.sendall(SSE_HEAD + chunk("", role="assistant"))
            gone = False
            for word in (message["content"] or "").split(" "):
                time.sleep(self.pace)
                try:
                    if not gone:
                        connection.sendall(chunk(word + " "))
                except OSError:
                    gone = True
                    if self.does("cancel stops work"):
                        return "close"
            if not gone:
                connection.sendall(chunk(finish="stop") + (chunk(usage=usage) if self.does("usage in streams") else b"") + DONE)
        return "close"

    def answer(self, asked, text):
        if call := self.call(asked, text):
            return {"role": "assistant", "content": None, "tool_calls": [{"id": "c1", "type": "function", "function": call}]}
        said = self.say(asked, text)
        most = asked.get("max_tokens") or asked.get("max_completion_tokens")
        if most and self.does("max_tokens"):
            said = " ".join(said.split(" ")[:most])
        for stop in asked.get("stop") or [] if self.does("stop") else []:
            said = said.split(stop)[0]
        return {"role": "assistant", "content": said}

    def call(self, asked, text):
        tools, choice = asked.get("tools"), asked.get("tool_choice")
        if not tools:
            return None
        names = [tool["function"]["name"] for tool in tools]
        if choice == "none" and self.does("tool_choice none"):
            return None
        if isinstance(choice, dict):
            name = choice["function"]["name"] if self.does("tool_choice named") else next(n for n in names if n != choice["function"]["name"])
        elif choice == "required":
            if not self.does("tool_choice required"):
                return None
            name = names[0]
        else:
            name = names[0]  # it is eager
        schema = tools[names.index(name)]["function"]["parameters"]
        return {"name": name, "arguments": json.dumps({k: 7 if v.get("type") == "integer" else "x" for k, v in schema.get("properties", {}).items()})}

    def say(self, asked, text):
        form = asked.get("response_format") or {}
        if form.get("type") == "json_schema" and self.does("response_format json_schema"):
            return json.dumps({k: v["enum"][0] for k, v in form["json_schema"]["schema"]["properties"].items() if "enum" in v})
        if form.get("type") == "json_object" and self.does("response_format json_object"):
            return '{"name": "Somewhere"}'
        if asked.get("temperature", 1) > 1:
            chance = random.Random(asked["seed"] if self.does("seed") else None)
            return " ".join(chance.choice(["salt", "moon", "reed", "ink", "moss"]) for _ in range(12))
        if word := re.match(r"Say the word (\w+) five times", text):
            return " ".join([word[1]] * 5)
        notes, _, question = text.rpartition("\n\n")
        known = read_notes(notes, question) or reckon(text)
        if known is not None:
            return known if self.noise.random() < self.right else "I do not know."
        return " ".join(["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"] * 60)
