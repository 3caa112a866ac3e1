"""Each error that a client can see has a stable code: in a header, in the body of its dialect, in a stream, in the record and on the command line.
The codes are those of docs/reference/errors.md; tests/docs/codes.txt pins the ones that there are."""
import http.client as http_client
import json
import pathlib
import re
import unittest

from harness import SSE_HEAD, Tandem, Upstream, chunk, http, until

PAGE = (pathlib.Path(__file__).resolve().parents[2] / "docs/reference/errors.md").read_text()
KINDS = re.findall(r"^\| `(\w+)` \|", PAGE, re.M)
CODES = set(re.findall(r"^- `(\w+)`: ", PAGE, re.M))

CONFIG = """
providers:
  far:  {far}
  near: {near}
{away_providers}{ill_providers}models:
  m: {{ provider: far, context: 4096, price: {{ input: 1.00, output: 1.00 }} }}
  h: {{ provider: near, context: 4096 }}
{away_models}{ill_models}policy: {{ preset: cloud-first, failure: {{ attempts: 1 }} }}
keys:
  alice: {{ secret: alice-key-0123456789 }}
  quiet: {{ secret: quiet-key-0123456789, label: private, most: private }}
  small: {{ secret: small-key-0123456789, aliases: [h], dialects: [openai-chat] }}
  poor:  {{ secret: poor-key-01234567890, budgets: [{{ limit: 0.000001, window: day }}] }}
  slow:  {{ secret: slow-key-01234567890, limits: {{ rpm: 1 }} }}
  few:   {{ secret: few-key-012345678901, limits: {{ tpm: 5 }} }}
  gauge: {{ secret: gauge-key-0123456789, metrics: true }}
  root:  {{ secret: root-key-01234567890, admin: true }}
"""
KEY = {name: {"authorization": f"Bearer {secret}"} for name, secret in re.findall(r"(\w+):\s+\{\{ secret: ([\w-]+)", CONFIG)}
HI = [{"role": "user", "content": "hi"}]
FRONTS = {"/v1/chat/completions": {"messages": HI}, "/v1/completions": {"prompt": "hi"}, "/v1/responses": {"input": "hi"}, "/v1/messages": {"max_tokens": 9, "messages": HI},
          "/v1beta/models/MODEL:generateContent": {"contents": [{"parts": [{"text": "hi"}]}]}, "/api/chat": {"messages": HI, "stream": False}}


def said_in(raw):
    """The code in an error's body, whatever its dialect; several servers' words in one function, since the reader of a log has no more to go by."""
    body = json.loads(raw)
    if isinstance(body, list):
        body = body[0]
    if "code" in body and isinstance(body.get("error"), str):
        return body["code"]
    error = body["error"]
    if "details" in error:
        return error["details"][0]["reason"].lower()
    return error["reason"] if "reason" in error else error["code"]


# What a provider answers to a model of this name, and the code of it.
NO_CREDIT = {"402": ("402 Payment Required", "Insufficient Balance"), "credit": ("400 Bad Request", "Your credit balance is too low to access the API")}
# What stands in an error beside `error.message`, or in place of it.
ASIDE = {"raw": {"error": {"message": "Provider returned error", "metadata": {"raw": json.dumps({"error": {"message": "at most 1 image"}}), "provider_name": "Crucible"}}},
         "busy": {"error": {"message": "Provider returned error", "metadata": {"raw": "try again shortly", "provider_name": "Crucible"}}},
         "detail": {"detail": "too many tokens"}, "list": {"detail": [{"loc": ["body", "tools"], "msg": "too many"}]}}
WORDS = {"raw": "Provider returned error (Crucible: at most 1 image)", "busy": "Provider returned error (Crucible: try again shortly)", "detail": "too many tokens",
         "list": "body.tools: too many"}
SAID = {"401": "provider_refused_key", "404": "provider_unknown_model", "500": "provider_error", "429": "provider_rate_limited", "400": "provider_refused",
        "long": "prompt_too_long", "prose": "provider_misspoke", "nothing": "provider_misspoke"}


# Each has a provider of its own: one that failed for another test is left alone for a while.
AWAY = [f"away-{number}" for number in range(len(FRONTS) + 1)]
ILL = [f"ill-{number}-{words}" for number in range(len(FRONTS)) for words in (*SAID, *NO_CREDIT, *ASIDE, "cut")]


def ill(connection, body, number):
    word = json.loads(body)["model"].rpartition("-")[2]
    if word == "cut":
        connection.sendall(SSE_HEAD + chunk("", role="assistant") + chunk("Hello "))
        return "close"
    if word == "prose":
        connection.sendall(http(b"I am well", type="text/plain"))
    elif word == "nothing":
        connection.sendall(http({"id": "a", "object": "chat.completion", "choices": []}))
    elif word in NO_CREDIT:
        connection.sendall(http({"error": {"message": NO_CREDIT[word][1]}}, NO_CREDIT[word][0]))
    elif word in ASIDE:
        connection.sendall(http(ASIDE[word], "502 Bad Gateway"))
    elif word == "long":
        connection.sendall(http({"error": {"message": "as it was said", "code": "context_length_exceeded"}}, "400 Bad Request"))
    else:
        connection.sendall(http({"error": {"message": "as it was said"}}, f"{word} No"))


class Codes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.far, cls.near = Upstream(), Upstream()
        cls.ill = Upstream(ill)
        cls.addClassCleanup(cls.ill.close)
        cls.tandem = Tandem(CONFIG.format(far=cls.far.provider("cloud"), near=cls.near.provider("local"),
                                         away_providers="".join(f"  {name}: {{ kind: openai, zone: local, base_url: http://127.0.0.1:1/v1 }}\n" for name in AWAY),
                                         away_models="".join(f"  {name}: {{ provider: {name}, context: 4096 }}\n" for name in AWAY),
                                         ill_providers="".join(f"  {name}: {cls.ill.provider('local')}\n" for name in ILL),
                                         ill_models="".join(f"  {name}: {{ provider: {name}, context: 4096 }}\n" for name in ILL)))
        cls.addClassCleanup(cls.far.close)
        cls.addClassCleanup(cls.near.close)
        cls.addClassCleanup(cls.tandem.stop)

    def asked(self, code, path, body=None, headers=KEY["alice"], method=None):
        status, got, raw = self.tandem.request(path, body, headers, method)
        self.assertGreaterEqual(status, 400, raw)
        self.assertEqual(got["x-tandem-error"], code, (path, raw))
        self.assertEqual(said_in(raw), code, raw)
        return status, got, raw

    # ---- the list itself ----

    def test_no_code_is_renamed_or_taken_away(self):
        pinned = dict(line.split() for line in (pathlib.Path(__file__).resolve().parents[1] / "docs/codes.txt").read_text().splitlines())
        kind, now = "", {}
        for line in PAGE.splitlines():
            if match := re.fullmatch(r"## (\w+)", line):
                kind = match[1]
            if match := re.match(r"- `(\w+)`: ", line):
                now[match[1]] = kind
        self.assertEqual(now, pinned, "a code is for ever: new ones go into tests/docs/codes.txt, none goes out or to another kind")

    # ---- every route ----

    def test_every_refusal_of_every_route_has_a_code(self):
        document = json.loads(self.tandem.request("/tandem/v1/openapi.json", headers=KEY["root"])[2])
        seen = {}
        for path, methods in document["paths"].items():
            # `some-id` is nobody's; a route that takes anything there is still one that must not fail without a code.
            at = re.sub(r"\{\w+\*?\}", lambda m: "nobody" if "model" in m.group(0) else "some-id", path)
            for method in methods:
                bad = [(None, {}), (None, {"authorization": "Bearer who-is-this-0123456789"}), (None, {**KEY["root"], "x-tandem-label": "privat"}),
                       (None, {**KEY["root"], "x-tandem-lable": "private"}), (None, {**KEY["root"], "x-api-key": "alice-key-0123456789"}), (None, KEY["gauge"]), (None, KEY["alice"])]
                if method == "post":
                    bad += [(raw, KEY["root"]) for raw in (b"", b"{", b"[1]", b'{"model":7}', b'{"model":"nobody"}', b'{"a":1,"a":2}', b"\xff", b'{"model":"m","messages":7,"input":7,"contents":7,"prompt":7}')]
                    bad += [(b"{}", {**KEY["root"], "content-encoding": "rot13"}), (b"{}", {**KEY["root"], "content-encoding": "gzip"})]
                if method == "get" and "stream" not in path and "logs" not in path and "events" not in path:
                    bad += [("?limit=x&since=never&nobody=1", KEY["root"])]
                for body, headers in bad:
                    query, body = (body, None) if isinstance(body, str) else ("", body)
                    with self.subTest(method=method, path=path, body=body, headers=headers):
                        status, got, raw = self.tandem.request(at + query, body, {"content-type": "application/json", **headers}, method.upper())
                        if status < 400:
                            continue
                        code = got["x-tandem-error"]
                        self.assertIn(code, CODES, raw)
                        self.assertNotIn(code, KINDS, f"it says no more than its kind: {status} {raw}")
                        if got["content-type"] == "application/json":
                            self.assertEqual(said_in(raw), code, raw)
                        seen.setdefault(code, path)
                self.asked("method_not_allowed", at, headers=KEY["root"], method="PATCH")
        for code in ("missing_key", "unknown_key", "two_keys", "invalid_header", "unknown_header", "admin_only", "metrics_only", "invalid_json", "invalid_field", "unknown_model",
                     "unknown_object", "unknown_decision", "invalid_encoding", "unknown_parameter", "invalid_parameter", "local_only"):
            self.assertIn(code, seen)

    def test_an_unknown_path_and_a_websocket(self):
        self.asked("unknown_path", "/v1/chat/completion", {})
        self.asked("no_websocket", "/v1/responses", headers={**KEY["alice"], "upgrade": "websocket", "connection": "upgrade"}, method="GET")

    def streamed(self, path, body):
        """All that came of a stream that is broken off, as it is where the end would say that the answer was whole."""
        try:
            status, _, raw = self.tandem.request(path, body, KEY["alice"])
            self.assertEqual(status, 200, raw)
            return raw
        except http_client.IncompleteRead as cut:
            return cut.partial

    # ---- questions, in every dialect ----

    def test_a_question_is_refused_with_the_same_code_in_every_dialect(self):
        for number, (path, body) in enumerate(FRONTS.items()):
            at = lambda model: path.replace("MODEL", model)
            with self.subTest(path):
                self.asked("unknown_model", at("nobody"), {"model": "nobody", **body})
                self.asked("invalid_field", at("h"), {"model": "h", **{name: 7 for name in body}})
                self.asked("no_candidate_for_label", at("m"), {"model": "m", **body}, {**KEY["alice"], "x-tandem-label": "private"})
                self.asked("label_not_allowed", at("h"), {"model": "h", **body}, {**KEY["quiet"], "x-tandem-label": "secret"})
                self.asked("request_over_budget", at("m"), {"model": "m", **body}, KEY["poor"])
                self.asked("provider_unreachable", at(AWAY[number]), {"model": AWAY[number], **body})
                self.asked("request_over_limit", at("m"), {"model": "m", **body}, KEY["few"])
                long = json.loads(json.dumps(body).replace('"hi"', json.dumps("word " * 9000)))
                self.asked("prompt_too_long", at("h"), {"model": "h", **long})
        self.asked("model_not_allowed", "/v1/chat/completions", {"model": "m", "messages": HI}, KEY["small"])
        self.asked("api_not_allowed", "/v1/messages", {"model": "h", **FRONTS["/v1/messages"]}, KEY["small"])

    def test_a_limit_of_a_key(self):
        self.assertEqual(self.tandem.request("/v1/chat/completions", {"model": "h", "messages": HI}, KEY["slow"])[0], 200)
        self.asked("request_limit_reached", "/v1/chat/completions", {"model": "h", "messages": HI}, KEY["slow"])

    def test_what_a_provider_does_has_a_code_for_clients_of_every_dialect(self):
        for words, code in SAID.items():
            for number, (path, body) in enumerate(FRONTS.items()):
                with self.subTest(path=path, words=words):
                    model = f"ill-{number}-{words}"
                    status, got, raw = self.tandem.request(path.replace("MODEL", model), {"model": model, **body}, KEY["alice"])
                    self.assertGreaterEqual(status, 400, raw)
                    self.assertEqual(got["x-tandem-error"], code, raw)
                    # A client of the provider's own dialect gets its words as they are where they are about the request.
                    if b"as it was said" not in raw:
                        self.assertEqual(said_in(raw), code, raw)

    def test_an_account_without_credit_is_no_matter_of_the_client(self):
        for word in NO_CREDIT:
            for number, (path, body) in enumerate(FRONTS.items()):
                with self.subTest(path=path, word=word):
                    model = f"ill-{number}-{word}"
                    status, got, raw = self.asked("provider_refused_key", path.replace("MODEL", model), {"model": model, **body})
                    self.assertEqual((status, got["x-should-retry"]), (502, "false"))
                    self.assertIn(f"the owner has to add credit at {model}".encode(), raw)
                    self.assertIn(f"{model} says that the owner's account has no credit left", got["x-tandem-warnings"])

    def test_the_reason_of_a_refusal_is_told_wherever_a_provider_says_it(self):
        for word, words in WORDS.items():
            for number, (path, body) in enumerate(FRONTS.items()):
                with self.subTest(path=path, word=word):
                    model = f"ill-{number}-{word}"
                    raw = self.asked("provider_error", path.replace("MODEL", model), {"model": model, **body})[2]
                    self.assertIn(f"{model} answered with status 502: {words}", raw.decode())

    def test_an_error_in_a_stream_has_it_in_every_dialect(self):
        for number, (path, body) in enumerate(FRONTS.items()):
            with self.subTest(path):
                model = f"ill-{number}-cut"
                at = path.replace("MODEL", model).replace(":generateContent", ":streamGenerateContent?alt=sse")
                raw = self.streamed(at, {"model": model, **body, "stream": True})
                self.assertRegex(raw, rb'(?i)"(reason|code)":"provider_broke_off"')

    def test_openais_own_codes_stay(self):
        for code, body, headers in (("model_not_found", {"model": "nobody"}, KEY["alice"]), ("invalid_api_key", {"model": "h"}, {}),
                                    ("insufficient_quota", {"model": "m"}, KEY["poor"]), ("rate_limit_exceeded", {"model": "m"}, KEY["few"])):
            raw = self.tandem.request("/v1/chat/completions", {"messages": HI, **body}, headers)[2]
            self.assertEqual(json.loads(raw)["error"]["code"], code)
        raw = self.tandem.request("/v1/chat/completions", {"model": "m", "messages": HI}, {**KEY["alice"], "x-tandem-label": "private"})[2]
        self.assertEqual(json.loads(raw)["error"]["code"], "no_candidate_for_label")

    # ---- afterwards ----

    def test_the_record_the_log_and_commands_have_it(self):
        _, headers, _ = self.asked("no_candidate_for_label", "/v1/chat/completions", {"model": "m", "messages": HI}, {**KEY["alice"], "x-tandem-label": "private"})
        id = headers["x-tandem-decision"]
        explained = json.loads(self.tandem.cli("explain", id, "--json").stdout)
        self.assertEqual(explained["refusal"]["code"], "no_candidate_for_label")
        self.assertIn("no model may take this request", explained["refusal"]["message"])
        _, headers, _ = self.asked("provider_unreachable", "/v1/chat/completions", {"model": AWAY[-1], "messages": HI})
        explained = json.loads(self.tandem.cli("explain", headers["x-tandem-decision"], "--json").stdout)
        self.assertEqual([attempt["code"] for attempt in explained["attempts"]], ["provider_unreachable"])
        self.assertNotIn("refusal", explained)
        self.assertIn("; provider_unreachable)", self.tandem.cli("explain", headers["x-tandem-decision"]).stdout)
        until(lambda: "why=no_candidate_for_label" in self.tandem.log_text(), "the log's line")
        for arguments, code in ((("explain", "00000000", "--json"), "unknown_decision"), (("ask", "hi", "--alias", "nobody", "--json"), "unknown_model")):
            said = self.tandem.cli(*arguments)
            self.assertNotEqual(said.returncode, 0)
            self.assertEqual(json.loads(said.stdout)["code"], code, said.stdout + said.stderr)


if __name__ == "__main__":
    unittest.main()
