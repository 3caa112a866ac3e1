"""How often models call the right tool, raw llama-server against the same engine through Tandem.

    measure.py --model NAME --file GGUF --count 200 [--seed 20] [--choice auto|required] [--tools native|rendered] [--set own|public]

Both get the same requests at temperature 0; a share is printed with its interval (Wilson, 95 %). Scored: a call whose arguments fit the
schema of its tool (of all calls), the right tool with the right values (of tasks in which one fits), and calls in tasks in which none does."""
import argparse
import json
import math
import os
import pathlib
import sys
import time
import urllib.request

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/conformance"), str(pathlib.Path(__file__).parent)]
import harness
from harness import LlamaServer, Tandem
import public
from tasks import same, tasks


def interval(hits, of):
    if of == 0:
        return "none"
    z, p = 1.96, hits / of
    middle, half = (p + z * z / (2 * of)) / (1 + z * z / of), z * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return f"{hits} of {of} ({100 * p:.0f} %, {100 * max(0, middle - half):.0f} to {100 * min(1, middle + half):.0f})"


def is_right(wanted, name, arguments):
    if name != wanted["name"]:
        return False
    return public.is_right(wanted["any_of"], arguments) if "any_of" in wanted else same(wanted["arguments"], arguments)


def score(ask, made, choice):
    calls = valid = right = fits = astray = free = cut = 0
    began = time.monotonic()
    for task in made:
        messages = task.get("messages") or [{"role": "user", "content": task["words"]}]
        message, finish = ask({"messages": messages, "tools": task["tools"], "tool_choice": choice, "temperature": 0, "max_tokens": 200})
        cut += finish == "length"
        given = message.get("tool_calls") or []
        schemas = {tool["function"]["name"]: tool["function"]["parameters"] for tool in task["tools"]}
        read = []
        for call in given:
            calls += 1
            try:
                arguments = json.loads(call["function"]["arguments"])
                jsonschema.validate(arguments, schemas[call["function"]["name"]])
                valid += 1
                read.append((call["function"]["name"], arguments))
            except (ValueError, KeyError, jsonschema.ValidationError):
                pass
        if task["right"] is None:
            free += 1
            astray += bool(given)
        else:
            fits += 1
            right += len(given) == 1 and len(read) == 1 and is_right(task["right"], *read[0])
    seconds = time.monotonic() - began
    return {"valid": interval(valid, calls), "right": interval(right, fits), "astray": interval(astray, free), "cut": cut, "seconds_a_task": round(seconds / len(made), 2)}


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--model", required=True)
    options.add_argument("--file", required=True)
    options.add_argument("--count", type=int, default=200)
    options.add_argument("--seed", type=int, default=20)
    options.add_argument("--choice", default="auto")
    options.add_argument("--tools", default="native")
    options.add_argument("--set", default="own", choices=("own", "public"))
    options.add_argument("--skip-raw", action="store_true")
    given = options.parse_args()
    made = (public.tasks if given.set == "public" else tasks)(given.seed, given.count)
    if not given.skip_raw:
        harness.MODEL = given.file
        server = LlamaServer("own")

        def raw(body):
            request = urllib.request.Request(server.base_url + "/chat/completions", json.dumps({"model": "own", **body}).encode(),
                                             {"content-type": "application/json", "authorization": f"Bearer {server.key}"})
            with urllib.request.urlopen(request, timeout=600) as answer:
                choice = json.load(answer)["choices"][0]
            return choice["message"], choice["finish_reason"]

        print(given.model, given.choice, "raw", json.dumps(score(raw, made, given.choice)), flush=True)
        server.stop()
    tandem = Tandem(f"providers:\n  home: {{ kind: engine, first_byte_timeout: 10m }}\nmodels:\n  own: {{ provider: home, file: {given.file}, context: 4096, slots: 1, tools: {given.tools} }}\n")

    def through(body):
        status, _, raw = tandem.request("/v1/chat/completions", {"model": "own", **body}, timeout=600)
        if status != 200:
            print(status, raw[:300], file=sys.stderr)
            return {}, "error"
        choice = json.loads(raw)["choices"][0]
        return choice["message"], choice["finish_reason"]

    print(given.model, given.choice, f"through Tandem ({given.tools})", json.dumps(score(through, made, given.choice)), flush=True)
    tandem.stop()


if __name__ == "__main__":
    main()
