"""The owner is told, once, when a budget fills up and when a key spends out of the ordinary: by a webhook, a program, the log."""
import base64
import hashlib
import hmac
import http.server
import json
import sqlite3
import stat
import threading
import time
import unittest

from harness import Tandem, Upstream, until

SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes, ok").decode()


class Hook:
    """A webhook's receiver: answers with `statuses` in turn, then with 200."""

    def __init__(self, statuses=(), headers=()):
        self.calls, self.statuses = [], list(statuses)
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                hook.calls.append((self.path, dict(self.headers), body))
                self.send_response(hook.statuses.pop(0) if hook.statuses else 200)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Alerts(unittest.TestCase):
    def start(self, alerts, budget="{ limit: 0.001 }", start=True):
        self.upstream = Upstream()
        self.addCleanup(self.upstream.close)
        tandem = Tandem(f"providers:\n  far: {self.upstream.provider('cloud')}\nmodels:\n  big: {{ provider: far, price: {{ input: 10, output: 20 }} }}\n"
                        f"keys: {{ alice: {{ secret: alice-0123456789abcdef, budgets: [{budget}] }} }}\nalerts: {alerts}\n", start=start)
        self.addCleanup(tandem.stop)
        return tandem

    def hook(self, *arguments, **named):
        hook = Hook(*arguments, **named)
        self.addCleanup(hook.close)
        return hook

    def spend(self, tandem, times=1):
        return [tandem.chat(model="big", max_tokens=5, headers={"authorization": "Bearer alice-0123456789abcdef"})[0] for _ in range(times)]

    def cost(self, tandem):
        return json.loads(tandem.cli("status", "--json").stdout)["budgets"][0]["spent"]

    def test_each_threshold_is_told_once_for_a_window_also_over_a_crash(self):
        hook = self.hook()
        tandem = self.start(f"{{ at: [20%, 60%], webhook: {{ url: '{hook.url}', private: true, secret: '{SECRET}' }} }}")
        statuses = self.spend(tandem, 30)
        self.assertEqual((statuses[0], statuses[-1]), (200, 429))
        # 20 %, 60 %, and that there is no room any more.
        until(lambda: len(hook.calls) >= 3, "three alerts")
        tandem.kill()
        tandem.start()
        self.spend(tandem, 5)
        time.sleep(1)
        self.assertEqual(len(hook.calls), 3, [c[2] for c in hook.calls])
        percents = []
        for path, headers, body in hook.calls:
            headers = {k.lower(): v for k, v in headers.items()}
            said = json.loads(body)
            percents.append(said["data"]["percent"])
            self.assertEqual((said["type"], said["data"]["key"], said["data"]["limit"], said["data"]["currency"]), ("budget", "alice", "0.001000", "USD"))
            self.assertIn("keys.alice.budgets[0]", said["text"])
            self.assertEqual((headers["webhook-id"], path), (said["id"], "/hook"))
            signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
            mac = hmac.new(b"a secret of thirty-two bytes, ok", signed, hashlib.sha256).digest()
            self.assertEqual(headers["webhook-signature"], "v1," + base64.b64encode(mac).decode())
            self.assertLess(abs(time.time() - int(headers["webhook-timestamp"])), 60)
        self.assertEqual(sorted(percents), [20, 60, 100])
        self.assertEqual(tandem.log_text().count("an alert\""), 3 if "\"an alert\"" in tandem.log_text() else 0)

    def test_a_dearer_model_that_nobody_asked_for_says_nothing_of_a_budgets_room(self):
        upstream = Upstream()
        self.addCleanup(upstream.close)
        tandem = Tandem(f"providers:\n  far: {upstream.provider('cloud')}\nmodels:\n  small: {{ provider: far, price: {{ input: 10, output: 20 }} }}\n"
                        "  dear: { provider: far, price: { input: 1000, output: 2000 } }\n"
                        "keys: { alice: { secret: alice-0123456789abcdef, budgets: [{ limit: 0.003, on_budget: refuse }] } }\nalerts: { at: [99%] }\n")
        self.addCleanup(tandem.stop)
        ask = lambda: tandem.chat(model="small", max_tokens=5, headers={"authorization": "Bearer alice-0123456789abcdef"})[0]
        told = lambda: [line for line in tandem.log_text().splitlines() if "had no room" in line]
        self.assertEqual(ask(), 200)
        statuses = [ask() for _ in range(60)]
        self.assertEqual(statuses[-1], 429)
        until(told, "an alert of the budget that is full")
        self.assertEqual(len(told()), 1, "once for its window")
        self.assertNotIn("0.000000 USD is used", told()[0])

    def test_a_call_that_fails_is_made_again_with_the_same_id_after_a_crash_too(self):
        hook = self.hook([500, 503])
        tandem = self.start(f"{{ at: [20%], webhook: {{ url: '{hook.url}', private: true }} }}")
        self.spend(tandem, 4)
        until(lambda: hook.calls, "the first call")
        until(lambda: "was not delivered" in tandem.log_text(), "the log to say so")
        tandem.kill()
        tandem.start()
        until(lambda: len(hook.calls) >= 2, "the second call")
        until(lambda: len(hook.calls) >= 3, "the third call", seconds=60)
        self.assertEqual(len({json.loads(c[2])["id"] for c in hook.calls}), 1)

    def test_a_private_address_is_not_called_unless_the_owner_says_so(self):
        hook = self.hook()
        port = hook.url.split(":")[2].split("/")[0]
        for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433"):
            tandem = self.start(f"{{ at: [20%], webhook: {{ url: 'http://{host}:{port}/hook' }} }}")
            self.spend(tandem, 4)
            until(lambda: "was not delivered" in tandem.log_text(), "the log to say so")
            self.assertIn("alerts.webhook.private", tandem.log_text())
        self.assertEqual(hook.calls, [])

    def test_a_redirect_is_not_followed(self):
        inner = self.hook()
        hook = self.hook([307] * 50, headers=[("location", inner.url)])
        tandem = self.start(f"{{ at: [20%], webhook: {{ url: '{hook.url}', private: true }} }}")
        self.spend(tandem, 4)
        until(lambda: "redirects are not followed" in tandem.log_text(), "the log to say so")
        self.assertEqual(inner.calls, [])

    def test_a_program_of_the_owners_gets_the_alert_and_nothing_of_ours(self):
        tandem = self.start("{}", start=False)
        script = tandem.folder / "notify"
        script.write_text(f"#!/bin/sh\ncat > {tandem.folder}/alert.json.new\nenv > {tandem.folder}/alert.env\nls -l /proc/self/fd > {tandem.folder}/alert.fds\n"
                          f"mv {tandem.folder}/alert.json.new {tandem.folder}/alert.json\n")
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        tandem.env["CLOUD_SECRET"] = "never-show-this"
        tandem.write(tandem.file.read_text().split("\n", 2)[2].replace("alerts: {}", f"alerts: {{ at: [20%], command: [{script}] }}"))
        tandem.start()
        self.spend(tandem, 4)
        until((tandem.folder / "alert.json").exists, "the program to have run")
        said = json.loads((tandem.folder / "alert.json").read_text())
        self.assertEqual(said["data"]["percent"], 20)
        environment = (tandem.folder / "alert.env").read_text()
        self.assertIn("TANDEM_ALERT_TEXT=20 %", environment)
        self.assertNotIn("never-show-this", environment)
        self.assertNotIn("socket", (tandem.folder / "alert.fds").read_text())
        self.assertNotIn("ledger", (tandem.folder / "alert.fds").read_text())

    def test_a_key_that_spends_far_more_than_it_used_to_is_told_once_an_hour(self):
        hook = self.hook()
        tandem = self.start(f"{{ at: [], runaway: {{ times: 5, least: 0.0001 }}, webhook: {{ url: '{hook.url}', private: true }} }}", budget="{ limit: 100 }")
        self.spend(tandem, 1)
        tandem.kill()
        # A week in which it spent a little in every hour: the row of a real attempt, moved back.
        with sqlite3.connect(tandem.folder / "data" / "ledger.db") as database:
            columns = [row[1] for row in database.execute("PRAGMA table_info(attempts)")]
            row = dict(zip(columns, database.execute("SELECT * FROM attempts").fetchone()))
            for hour in range(2, 100):
                row.update(number=100 + hour, time=int(time.time() * 1000) - hour * 3_600_000, cost=50)
                # Ids sort by time; the number keeps them apart.
                database.execute(f"INSERT INTO attempts ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})", [row[c] for c in columns])
        tandem.start()
        self.spend(tandem, 8)
        until(lambda: hook.calls, "the alert", seconds=100)
        self.spend(tandem, 2)
        said = json.loads(hook.calls[0][2])
        self.assertEqual((said["type"], said["data"]["key"], said["data"]["minutes"], len(hook.calls)), ("runaway", "alice", 10, 1))
        self.assertIn("usually spends", said["text"])

    def test_bad_input_says_what_to_do(self):
        for text, part in (("{ at: [often] }", "80%"), ("{ webhook: {} }", "url"), ("{ webhook: { url: ftp://x } }", "https://"), ("{ command: notify }", "absolute"), ("{ runaway: { times: 1 } }", "from 2 to"),
                           ("{ email: x }", "email")):
            tandem = self.start(text, start=False)
            self.assertIn(part, tandem.cli("policy", "show").stderr, text)


if __name__ == "__main__":
    unittest.main()
