"""A second model beside a slow first one: who answers first is heard, the other is stopped, and both are on the bill."""
import json
import threading
import time
import unittest

from harness import ANSWER, DONE, SSE_HEAD, Tandem, Upstream, chunk, http, until


def slow(seconds, gone):
    """Answers late; `gone` is set when nobody is there any more."""
    def script(connection, body, number):
        connection.settimeout(seconds)
        try:
            if connection.recv(1) == b"":
                gone.set()
                return "close"
        except TimeoutError:
            connection.settimeout(None)
        return Upstream.answer_well(connection, body, number)
    return script


class Hedges(unittest.TestCase):
    def start(self, first, second, hedge="after: 200ms", more="", second_zone="local", head=""):
        self.upstreams = [Upstream(first), Upstream(second)]
        for upstream in self.upstreams:
            self.addCleanup(upstream.close)
        self.tandem = Tandem(f"{head}providers:\n  p: {self.upstreams[0].provider()}\n  q: {self.upstreams[1].provider(second_zone)}\n"
                             "models:\n  slow: { provider: p, price: { input: 1, output: 1 } }\n  quick: { provider: q, price: { input: 10, output: 10 } }\n"
                             f"aliases: {{ both: {{ models: [slow, quick], failure: {{ hedge: {{ {hedge} }}{more} }} }} }}\n")
        self.addCleanup(self.tandem.stop)

    def attempts(self, headers):
        shown = json.loads(self.tandem.request("/tandem/v1/decisions/" + headers["x-tandem-decision"])[2])
        return [(a["model"], a["outcome"]) for a in shown["attempts"]], shown

    def test_the_faster_one_is_heard_and_the_other_is_stopped_and_paid_for(self):
        for stream in (False, True):
            gone = threading.Event()
            self.start(slow(20, gone), None)
            began = time.monotonic()
            status, headers, body = self.tandem.chat(model="both", stream=stream)
            self.assertLess(time.monotonic() - began, 5)
            self.assertEqual((status, headers["x-tandem-model"]), (200, "quick"), body)
            self.assertIn("had not answered after 200 ms", headers["x-tandem-warnings"])
            self.assertTrue(gone.wait(5), "the slow one works on for nobody")
            attempts, shown = self.attempts(headers)
            self.assertEqual(sorted(attempts), [("quick", "answered"), ("slow", "cancelled")])
            lost = next(a for a in shown["attempts"] if a["model"] == "slow")
            self.assertIn("another one answered first", lost["error"])
            cost = json.loads(self.tandem.cli("cost", "--json").stdout)
            self.assertIn("slow", json.dumps(cost), "what was sent is paid for")

    def test_nobody_else_is_asked_where_the_first_is_quick(self):
        self.start(None, None)
        for _ in range(5):
            self.assertEqual(self.tandem.chat(model="both")[1]["x-tandem-model"], "slow")
        self.assertEqual(len(self.upstreams[1].requests), 0)

    def test_the_first_is_heard_where_the_second_fails(self):
        self.start(slow(1, threading.Event()), lambda c, b, n: c.sendall(http({"error": {"message": "no"}}, "500 Internal Server Error")))
        status, headers, _ = self.tandem.chat(model="both")
        self.assertEqual((status, headers["x-tandem-model"]), (200, "slow"))
        self.assertEqual(sorted(self.attempts(headers)[0]), [("quick", "failed"), ("slow", "answered")])

    def test_by_how_long_the_first_usually_takes(self):
        stalls = threading.Event()
        def script(connection, body, number):
            if stalls.is_set():
                time.sleep(20)
            return Upstream.answer_well(connection, body, number)
        self.start(script, None, "quantile: 0.95")
        for _ in range(25):
            self.assertEqual(self.tandem.chat(model="both")[1]["x-tandem-model"], "slow")
        stalls.set()
        began = time.monotonic()
        self.assertEqual(self.tandem.chat(model="both")[1]["x-tandem-model"], "quick")
        self.assertLess(time.monotonic() - began, 5)

    def test_what_may_not_go_there_is_not_asked_there(self):
        self.start(slow(1, threading.Event()), None, second_zone="cloud")
        status, headers, _ = self.tandem.chat("my mail is jane.roe@example.com", model="both", headers={"x-tandem-label": "private"})
        self.assertEqual((status, headers["x-tandem-model"]), (200, "slow"))
        self.assertEqual(self.upstreams[1].raw, b"")
        self.assertEqual(self.tandem.egress(), [])

    def test_a_client_that_leaves_stops_both(self):
        gone = [threading.Event(), threading.Event()]
        self.start(slow(20, gone[0]), slow(20, gone[1]))
        with self.assertRaises(TimeoutError):
            self.tandem.chat(model="both", timeout=1)
        for event in gone:
            self.assertTrue(event.wait(5))
        def recorded():
            attempts = self.tandem.explain()["attempts"]
            return len(attempts) == 2 and all(a["outcome"] == "cancelled" for a in attempts)
        until(recorded, "both to be recorded")

    def test_tools_that_run_there_are_not_run_twice(self):
        self.start(slow(1, threading.Event()), None)
        status, headers, body = self.tandem.request("/v1/responses", {"model": "both", "input": "hello", "tools": [{"type": "web_search"}]})
        self.assertEqual(len(self.upstreams[1].requests), 0, body)


class Config(unittest.TestCase):
    def test_a_hedge_without_a_time_is_told(self):
        tandem = Tandem("policy: { failure: { hedge: { } } }\n", start=False)
        self.addCleanup(tandem.stop)
        said = tandem.cli("policy", "show")
        self.assertIn("after: 2s", said.stderr + said.stdout)


if __name__ == "__main__":
    unittest.main()
