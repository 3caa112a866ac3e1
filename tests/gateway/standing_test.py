"""What speaks against a model for a moment: its provider's health and the key's money. Who is passed over is named, a short deadline of a
client is nobody's failure, the last provider is tried before its pause is over, and a limit says when it helps to come back."""
import concurrent.futures
import contextlib
import http.client
import json
import socket
import threading
import unittest
import warnings

from harness import Tandem, Upstream, http as reply, until

ALICE = {"authorization": "Bearer alice-0123456789abc"}
BROKEN = reply({"error": {"message": "out of memory"}}, "500 Internal Server Error")


def message(body):
    error = json.loads(body)["error"]
    return error["message"] if isinstance(error, dict) else error


class Standing(unittest.TestCase):
    def setUp(self):
        warnings.simplefilter("ignore", ResourceWarning)
        self.home, self.cloud = Upstream(), Upstream()
        for upstream in (self.home, self.cloud):
            self.addCleanup(upstream.close)

    def start(self, policy="policy: { preset: hybrid }", keys="", models="", home_extra=""):
        self.tandem = Tandem(f"providers:\n  lab: {self.home.provider('local', home_extra)}\n  far: {self.cloud.provider('cloud')}\nmodels:\n"
                             f"  small: {{ provider: lab, context: 32768 }}\n  big: {{ provider: far, context: 32768, price: {{ input: 1, output: 10 }} }}\n{models}"
                             f"aliases: {{ both: [big, small] }}\ncurrency: EUR\n{policy}\n{keys}")
        self.addCleanup(self.tandem.stop)
        return self.tandem

    def break_(self, upstream, model):
        upstream.script = lambda c, b, n: c.sendall(BROKEN)
        for _ in range(3):
            self.tandem.chat(model=model)
        upstream.script = Upstream.answer_well

    def together(self, count, ask):
        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            return list(pool.map(ask, range(count)))

    # ---- health ----

    def test_a_short_deadline_of_one_client_opens_no_breaker_and_the_owners_own_does(self):
        t = self.start(policy="policy: { failure: { attempts: 1 } }", home_extra=", first_byte_timeout: 1500ms")
        release = threading.Event()
        self.addCleanup(release.set)
        self.home.script = lambda c, b, n: release.wait(20) and None
        for stream in (False, True):
            answers = self.together(6, lambda _: t.chat(model="small", headers={"x-tandem-timeout": "1"}, stream=stream))
            self.assertEqual({status for status, _, _ in answers}, {504})
        self.home.script = Upstream.answer_well
        status, headers, body = t.chat(model="small")
        self.assertEqual((status, headers["x-tandem-warnings"]), (200, None), body)
        # In the middle of a stream as well.
        def begins(c, b, n):
            c.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
                      b'data: {"choices":[{"index":0,"delta":{"content":"one"}}]}\n\n')
            release.wait(20)
        self.home.script = begins
        def cut(_):
            with contextlib.suppress(http.client.IncompleteRead):  # a stream that is cut has no last chunk
                t.chat(model="small", headers={"x-tandem-timeout": "1"}, stream=True)
        self.together(4, cut)
        self.home.script = Upstream.answer_well
        self.assertEqual(t.chat(model="both")[1]["x-tandem-warnings"], None)
        self.assertEqual(t.chat(model="small")[0], 200)
        # What the owner gives the provider is what it is measured by, whatever else the client would have waited for.
        self.home.script = lambda c, b, n: release.wait(20) and None
        self.together(3, lambda _: t.chat(model="small", headers={"x-tandem-timeout": "30"}))
        self.home.script = Upstream.answer_well
        status, headers, _ = t.chat(model="local")
        self.assertIn("lab has failed and would be left alone", headers["x-tandem-warnings"])

    def test_the_last_provider_is_tried_before_its_pause_is_over_by_one_request_at_a_time(self):
        t = self.start(policy="policy: { failure: { attempts: 1 } }")
        self.break_(self.home, "small")
        status, headers, body = t.chat(model="small")
        self.assertEqual(status, 200, body)
        self.assertIn("no other may take this request", headers["x-tandem-warnings"])
        self.assertEqual(t.chat(model="small")[1]["x-tandem-warnings"], None)
        self.break_(self.home, "small")
        before, release = len(self.home.requests), threading.Event()
        self.home.script = lambda c, b, n: release.wait(20) and c.sendall(BROKEN)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            trial = pool.submit(lambda: t.chat(model="small"))
            until(lambda: len(self.home.requests) > before, "the trial to be under way")
            for status, headers, body in self.together(5, lambda _: t.chat(model="small")):
                self.assertEqual(status, 503, body)
                self.assertIn("is being tried by another request", message(body))
                self.assertGreaterEqual(int(headers["retry-after"]), 1)
            self.assertEqual(len(self.home.requests), before + 1)
            release.set()
            status, headers, body = trial.result()
        # A trial that fails says what the others were told, with when to come back.
        self.assertEqual(status, 503, body)
        self.assertIn("lab failed 4 times in a row", message(body))
        self.assertTrue(1 <= int(headers["retry-after"]) <= 8, headers["retry-after"])

    def test_a_provider_that_is_left_alone_is_named_where_another_answers(self):
        t = self.start(policy="policy: { failure: { attempts: 1 } }")
        self.break_(self.cloud, "big")
        status, headers, _ = t.chat(model="both")
        self.assertEqual((status, headers["x-tandem-model"]), (200, "small"))
        self.assertRegex(headers["x-tandem-warnings"], r"^big was not asked: far failed 3 times in a row and is left alone for \d s: far answered with status 500$")
        self.assertIn("big was not asked", t.explain(headers["x-tandem-decision"])["attempts"][0]["warnings"])
        # What would have come after the model that answered is nobody's concern.
        self.assertEqual(t.chat(model="small")[1]["x-tandem-warnings"], None)

    def test_what_a_provider_said_to_one_is_told_to_nobody_else(self):
        """A provider may quote the prompt in its error; why it is left alone is told to everybody."""
        words = "We plan to fire Smith on Monday"
        for status in (500, 429, 503):
            for headers in ("", "retry-after: 30\r\n"):
                def refuse(connection, body, number):
                    error = json.dumps({"error": {"message": f"cannot process prompt: {json.loads(body)['messages'][-1]['content']}", "type": "server_error"}}).encode()
                    connection.sendall(f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{headers}content-length: {len(error)}\r\n\r\n".encode() + error)
                far = Upstream(refuse)
                near = Upstream()
                self.addCleanup(far.close)
                self.addCleanup(near.close)
                tandem = Tandem(f"providers:\n  far: {far.provider('cloud')}\n  near: {near.provider()}\nmodels:\n  big: {{ provider: far }}\n  small: {{ provider: near }}\n"
                                "aliases: { both: [big, small] }\nkeys:\n  a: { secret: aaaa-0123456789abcdef, label: internal }\n  c: { secret: cccc-0123456789abcdef }\n")
                self.addCleanup(tandem.stop)
                for _ in range(4):
                    tandem.chat(words, "big", {"authorization": "Bearer aaaa-0123456789abcdef"})
                for path, body in (("/v1/chat/completions", {"model": "both", "messages": [{"role": "user", "content": "hello"}]}),
                                   ("/v1/messages", {"model": "both", "max_tokens": 9, "messages": [{"role": "user", "content": "hello"}]})):
                    got, fields, _ = tandem.request(path, body, {"authorization": "Bearer cccc-0123456789abcdef"})
                    self.assertEqual(got, 200)
                    self.assertIn(f"far answered with status {status}", fields["x-tandem-warnings"])
                    self.assertNotIn("Smith", str(fields) + tandem.cli("explain", fields["x-tandem-decision"]).stdout)
                self.assertNotIn("Smith", tandem.cli("status").stdout + tandem.cli("models").stdout + tandem.cli("status", "--json").stdout)
                tandem.stop()

    def test_each_attempt_has_its_own_notes_and_who_was_not_asked_is_no_attempt(self):
        t = self.start(policy="policy: { failure: { attempts: 5 } }", keys="keys:\n  alice: { secret: alice-0123456789abc, budgets: [{ limit: 10, window: month }] }\n")
        t.file.write_text(t.file.read_text().replace("aliases: { both: [big, small] }", 'aliases: { both: [big, small], "team-*": both }'))
        t.process.send_signal(1)
        until(lambda: t.chat(model="team-x", headers=ALICE)[0] == 200, "the alias")
        self.cloud.script = lambda c, b, n: c.sendall(BROKEN)
        status, headers, body = t.chat(model="team-x", headers=ALICE)
        self.assertEqual((status, headers["x-tandem-model"]), (200, "small"), body)
        attempts = t.explain(headers["x-tandem-decision"])["attempts"]
        # The third failure opens the breaker, so that the fourth time nobody is asked.
        self.assertEqual([(a["model"], a["outcome"]) for a in attempts], [("big", "failed")] * 3 + [("big", "skipped"), ("small", "answered")])
        first, second, skipped, last = attempts[0]["warnings"], attempts[1]["warnings"], attempts[3], attempts[4].get("warnings", "")
        self.assertRegex(first, r"^no model here is called 'team-x': the alias 'team-\*' stands for it and means both; big may answer with \d+ tokens: [^;]*; ask for [^;]*$")
        self.assertRegex(second, r"^big may answer with ")
        self.assertNotIn("stands for it", second)
        self.assertNotIn("may answer", last)  # it costs nothing, so that nothing is reserved for it
        self.assertNotRegex(first + second + last, "failed|not asked")
        self.assertNotIn("warnings", skipped)
        self.assertEqual(skipped["usage"]["input"], 0)
        # The client is told all of it.
        for words in ("stands for it", "big may answer", "big failed", "big was not asked"):
            self.assertEqual(headers["x-tandem-warnings"].count(words), 1, words)
        lines = t.cli("explain", headers["x-tandem-decision"]).stdout.splitlines()
        self.assertRegex(lines[1], r"^  small at lab \(local\) answered, after others failed: big: .*; not asked: big: far failed 3 times in a row")
        self.assertIn("  why         asked for team-x: the alias both lists its models in this order", lines)
        listed = lines[lines.index("  attempts") + 1:]
        self.assertEqual([line[4:7].strip() for line in listed[:5]], ["1.", "2.", "3.", "-", "4."], listed)
        self.assertRegex(listed[3], r"^    -  big at far \(cloud\): not asked \(far failed 3 times in a row[^)]*\)$")
        until(lambda: "a model was not asked" in t.log_text() and "attempts=4" in t.log_text(), "the log")

    def test_what_stands_behind_the_one_that_answered_is_not_named(self):
        t = self.start(policy="policy: { preset: local-first, failure: { attempts: 1 } }")
        self.break_(self.cloud, "big")
        status, headers, _ = t.chat("hi", model="auto")
        self.assertEqual((status, headers["x-tandem-model"], headers["x-tandem-warnings"]), (200, "small", None))
        # But where that one fails too, all are named, each once.
        self.cloud.script = lambda connection, body, number: connection.sendall(BROKEN)
        self.home.script = lambda c, b, n: "close"
        status, headers, body = t.chat("hi", model="auto")
        self.assertIn(status, (502, 503))
        text = headers["x-tandem-warnings"]
        # Whether big's pause is over by then, and it is tried, is a matter of time.
        self.assertEqual((text.count("small failed"), text.count("big was not asked") + text.count("big failed")), (1, 1), text)

    def test_clients_that_leave_open_no_breaker(self):
        t = self.start(policy="policy: { failure: { attempts: 1 } }")
        release = threading.Event()
        self.addCleanup(release.set)
        self.home.script = lambda c, b, n: release.wait(20) and None
        for i in range(5):
            with socket.create_connection(("127.0.0.1", t.port)) as client:
                body = json.dumps({"model": "small", "stream": bool(i % 2), "messages": [{"role": "user", "content": "hello"}]}).encode()
                client.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                until(lambda: len(self.home.requests) > i, "the request to be under way")
        self.home.script = Upstream.answer_well
        status, headers, body = t.chat(model="small")
        self.assertEqual((status, headers["x-tandem-warnings"]), (200, None), body)

    def test_failures_behind_a_200_open_the_breaker_too(self):
        forms = {"an error": reply({"error": {"message": "upstream is down", "code": 502}}), "no JSON": reply(b"<html>Bad gateway</html>"),
                 "an event": b'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\ndata: {"error": {"message": "upstream is down", "code": 502}}\n\n'}
        for what, form in forms.items():
            with self.subTest(what):
                t = self.start(policy="policy: { failure: { attempts: 1 } }")
                self.cloud.script = lambda c, b, n: c.sendall(form) or ("close" if what == "an event" else None)
                for _ in range(3):
                    t.chat(model="big", stream=what == "an event")
                self.cloud.requests.clear()
                status, headers, body = t.chat(model="both")
                self.assertEqual((status, headers["x-tandem-model"]), (200, "small"), body)
                self.assertIn("big was not asked", headers["x-tandem-warnings"])
                self.assertEqual(self.cloud.requests, [])

    # ---- money ----

    KEYS = "keys:\n  alice: { secret: alice-0123456789abc, budgets: [{ limit: 0.01, window: month }] }\n  boss: { secret: boss-0123456789abc, admin: true }\n"

    def test_a_choice_that_a_budget_made_is_told_once_for_all_models(self):
        t = self.start(policy="policy: { preset: cloud-first }", keys=self.KEYS, models="  huge: { provider: far, name: other, context: 32768, price: { input: 2, output: 20 } }\n")
        status, headers, body = t.chat("hello", headers=ALICE, max_tokens=4000)
        self.assertEqual((status, headers["x-tandem-zone"]), (200, "local"), body)
        text = headers["x-tandem-warnings"]
        self.assertRegex(text, r"^(big, huge|huge, big) were not asked: the budget of 0\.01\d* EUR per month of the key 'alice' has ")
        self.assertEqual(text.count("the budget of"), 1, text)
        decision = t.explain(headers["x-tandem-decision"])["decision"]
        self.assertEqual({c["model"]: c.get("excluded") for c in decision["candidates"]}["big"], "budget")

    def test_a_budget_says_currency_limit_spent_reserved_end_and_what_to_raise_in_every_dialect(self):
        t = self.start(keys=self.KEYS, models="  huge: { provider: far, name: other, context: 32768, price: { input: 1, output: 10 } }\n")
        self.assertEqual(t.chat("hello", model="big", headers=ALICE, max_tokens=500)[0], 200)
        said = [{"role": "user", "content": "hello"}]
        for path, body in (("/v1/chat/completions", {"model": "cloud", "messages": said, "max_tokens": 999}), ("/v1/responses", {"model": "cloud", "input": "hello", "max_output_tokens": 999}),
                           ("/v1/messages", {"model": "cloud", "messages": said, "max_tokens": 999}), ("/api/chat", {"model": "cloud", "messages": said, "options": {"num_predict": 999}}),
                           ("/v1beta/models/cloud:generateContent", {"contents": [{"role": "user", "parts": [{"text": "hello"}]}], "generationConfig": {"maxOutputTokens": 999}})):
            status, headers, raw = t.request(path, body, ALICE)
            text = message(raw)
            self.assertIn(status, (402, 429), text)
            for part in ("0.01", "EUR", "per month", "left until ", ":00 UTC", "spent", "reserved", "raise keys.alice.budgets[0].limit in tandem.yaml", "big (up to ", " EUR)", "huge (up to "):
                self.assertIn(part, text)
            self.assertEqual(text.count("the budget of"), 1, text)
            # Nobody waits until the month is over.
            self.assertEqual((headers["retry-after"], headers["x-should-retry"]), (None, "false"), f"{path} {status} {text}")

    def test_no_budget_holds_for_a_model_without_a_price_however_often_it_is_asked_for(self):
        t = self.start(keys=self.KEYS, models="  x: { provider: far, name: acme-nine, context: 32768 }\n")
        for model in ("x", "cloud"):
            status, headers, body = t.chat(model=model, headers=ALICE, max_tokens=5000)
            self.assertEqual((status, headers["retry-after"], headers["x-should-retry"]), (429, None, "false"), f"{model} {body}")

    def test_a_limit_says_when_it_helps_to_come_back(self):
        t = self.start(keys="keys:\n  alice: { secret: alice-0123456789abc, limits: { rpm: 2 } }\n  bob: { secret: bob-0123456789abcd, limits: { concurrency: 1 } }\n"
                            "  carol: { secret: carol-0123456789abc, limits: { tpm: 600 } }\n  dora: { secret: dora-0123456789abc, budgets: [{ limit: 0.01, window: total }] }\n")
        key = lambda name, tail: {"authorization": f"Bearer {name}-0123456789{tail}"}
        def refused(headers, **fields):
            status, got, raw = t.chat("hello", headers=headers, **fields)
            self.assertIn(status, (402, 429), raw)
            return message(raw), got["retry-after"], got["x-should-retry"]
        for _ in range(2):
            t.chat(model="small", headers=ALICE)
        text, wait, again = refused(ALICE, model="small")
        self.assertIn("keys.alice.limits.rpm", text)
        self.assertTrue(50 <= int(wait) <= 60 and again is None, (wait, again))
        release = threading.Event()
        self.home.script = lambda c, b, n: release.wait(20) and Upstream.answer_well(c, b, n)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            held = pool.submit(lambda: t.chat(model="small", headers=key("bob", "abcd")))
            until(lambda: len(self.home.requests) == 3, "a request to be under way")
            text, wait, again = refused(key("bob", "abcd"), model="small")
            self.assertIn("keys.bob.limits.concurrency", text)
            self.assertEqual((wait, again), ("1", None))
            release.set()
            self.assertEqual(held.result()[0], 200)
        text, wait, again = refused(key("carol", "abc"), model="small", max_tokens=5000)
        self.assertIn("never fits", text)
        self.assertEqual((wait, again), (None, "false"))
        text, wait, again = refused(key("dora", "abc"), model="big", max_tokens=5000)
        self.assertIn("this may need more than the whole budget", text)
        self.assertEqual((wait, again), (None, "false"))
        # What a request under way has reserved comes back; what is spent of a total does not.
        release = threading.Event()
        self.cloud.script = lambda c, b, n: release.wait(20) and Upstream.answer_well(c, b, n)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            held = pool.submit(lambda: t.chat(model="big", headers=key("dora", "abc"), max_tokens=700))
            until(lambda: self.cloud.requests, "a request to be under way")
            text, wait, again = refused(key("dora", "abc"), model="big", max_tokens=700)
            self.assertIn("wait until requests under way have ended", text)
            self.assertEqual((wait, again), ("5", None))
            release.set()
            self.assertEqual(held.result()[0], 200)
        self.assertEqual(t.chat(model="big", headers=key("dora", "abc"), max_tokens=700)[0], 200)


if __name__ == "__main__":
    unittest.main()
