"""kill -9 of Tandem under load, again and again: each response that a client received whole is in the ledger, each body that
the cloud received is in the egress record, the chain holds, and no engine is left."""
import hashlib
import json
import os
import pathlib
import random
import socket
import threading
import time
import unittest

from harness import DONE, SSE_HEAD, Tandem, Upstream, chunk, processes_of, until

ROUNDS = int(os.environ.get("TANDEM_KILLS", "20"))
KILLED_UNDER_BUDGET = max(6, ROUNDS // 2)


class Kill(unittest.TestCase):
    def test_nothing_acknowledged_is_lost(self):
        cloud = Upstream()
        tandem = Tandem(f"providers:\n  home: {{ kind: engine }}\n  far: {cloud.provider('cloud')}\nmodels:\n  small: {{ provider: home, file: smollm2-135m-instruct-q4_1.gguf, context: 2048, slots: 2 }}\n"
                        "  big: { provider: far, price: { input: 1, output: 10 } }\n", start=False)
        rng = random.Random(20)
        whole = []
        try:
            for round in range(ROUNDS):
                tandem.start()
                stop = threading.Event()
                begun = threading.Event()

                def load(worker):
                    n = 0
                    while not stop.is_set():
                        n += 1
                        model = "small" if worker == 0 else "big"
                        try:
                            status, headers, body = tandem.chat(f"round {round} worker {worker} number {n}", model, stream=n % 2 == 0, max_tokens=8, timeout=20)
                        except OSError:
                            continue
                        except Exception:  # an answer that was cut: the client knows that it has not got it
                            continue
                        if status == 200 and (body.endswith(b"[DONE]\n\n") or n % 2):
                            whole.append(headers["x-tandem-decision"])
                            begun.set()

                threads = [threading.Thread(target=load, args=(w,)) for w in range(6)]
                [t.start() for t in threads]
                begun.wait(30)
                stop.wait(0.05 + rng.random() * 0.4)  # the kill comes at any moment
                engines = [p for p in processes_of("smollm2-135m") if str(tandem.folder).encode() in pathlib.Path(f"/proc/{p}/environ").read_bytes()]
                tandem.kill()
                stop.set()
                [t.join() for t in threads]
                for pid in engines:
                    until(lambda: not pathlib.Path(f"/proc/{pid}").exists(), "the engine to be gone", 5)
            tandem.start()
            import sqlite3
            ledger = sqlite3.connect(tandem.folder / "data/ledger.db")
            answered = {row[0] for row in ledger.execute("SELECT d.id FROM decisions d JOIN attempts a ON a.decision = d.id WHERE a.outcome = 'answered'")}
            self.assertGreater(len(whole), ROUNDS)
            self.assertEqual([d for d in whole if d not in answered], [])
            recorded = [r["body_sha256"] for r in tandem.egress()]
            received = [hashlib.sha256(body).hexdigest() for _, body in cloud.requests]
            self.assertGreater(len(received), ROUNDS)
            missing = [h for h in received if h not in set(recorded)]
            self.assertEqual(missing, [])
            verdict = tandem.cli("audit", "verify", "--json")
            self.assertEqual((verdict.returncode, json.loads(verdict.stdout)["whole"]), (0, True))
            self.assertEqual(ledger.execute("PRAGMA integrity_check").fetchone()[0], "ok")
            print(f"{ROUNDS} kills, {len(whole)} whole answers, all in the ledger; {len(received)} bodies at the cloud, all in the egress record of {len(recorded)}")
            ledger.close()
        finally:
            tandem.stop()
            cloud.close()

    def test_what_was_under_way_is_on_the_bill_and_a_budget_holds_over_kills(self):
        """The cloud counts what it has said; the ledger has as much at least, and all kills together spend one budget."""
        counted = [0]
        lock = threading.Lock()

        def slow(connection, body, number):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(SSE_HEAD)
            for _ in range(json.loads(body)["max_completion_tokens"]):
                connection.sendall(chunk("word "))
                with lock:
                    counted[0] += 1
                time.sleep(0.01)
            connection.sendall(chunk(finish="length") + DONE)
            return "close"

        cloud = Upstream(slow)
        # 0.01 pays for 1,000 tokens.
        tandem = Tandem(f"providers:\n  far: {cloud.provider('cloud')}\nmodels:\n  big: {{ provider: far, price: {{ input: 0, output: 10 }} }}\n"
                        "keys:\n  alice: { secret: alice-0123456789abc, budgets: [{ limit: 0.01, window: total }] }\n", start=False)
        rng = random.Random(7)
        headers = {"authorization": "Bearer alice-0123456789abc"}
        try:
            for _ in range(KILLED_UNDER_BUDGET):
                tandem.start()
                begun = len(cloud.requests)

                def ask():
                    try:
                        tandem.chat("hello", "big", headers, stream=True, max_completion_tokens=60, timeout=20)
                    except Exception:  # cut by the kill
                        pass

                threads = [threading.Thread(target=ask) for _ in range(6)]
                [t.start() for t in threads]
                end = time.monotonic() + 2
                while len(cloud.requests) < begun + 3 and time.monotonic() < end:
                    time.sleep(0.005)
                time.sleep(rng.random() * 0.4)
                tandem.kill()
                [t.join() for t in threads]
            tandem.start()
            rows = json.loads(tandem.cli("cost", "--json").stdout)
            sent = len({r["decision"] for r in tandem.egress()})
            self.assertGreater(len(cloud.requests), 6)
            self.assertGreaterEqual(rows["total_micros"], counted[0] * 10)
            self.assertLessEqual(rows["total_micros"], 10_000)
            self.assertLessEqual(counted[0], 1000)
            import sqlite3
            ledger = sqlite3.connect(tandem.folder / "data/ledger.db")
            outcomes = dict(ledger.execute("SELECT outcome, count(*) FROM attempts WHERE zone = 1 AND cost > 0 GROUP BY 1"))
            self.assertGreater(outcomes.get("lost", 0), 0)
            self.assertEqual(sum(outcomes.values()), sent)
            self.assertEqual(ledger.execute("SELECT count(*) FROM open_attempts").fetchone()[0], 0)
            lost = ledger.execute("SELECT decision FROM attempts WHERE outcome = 'lost'").fetchone()[0]
            ledger.close()
            self.assertEqual(tandem.explain(lost)["attempts"][0]["outcome"], "lost")
            self.assertIn("were under way when tandem ended", tandem.log_text())
            print(f"{KILLED_UNDER_BUDGET} kills, {counted[0]} tokens said, {rows['total_micros']} micros in the ledger of 10000: {outcomes}")
        finally:
            tandem.stop()
            cloud.close()


if __name__ == "__main__":
    unittest.main()
