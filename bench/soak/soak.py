"""A soak: mixed load, reloads and kill -9 for as long as it is told, on the release binary. It prints how much memory the process had over
time, and holds the ledger against what the provider itself counted.

    python bench/soak/soak.py --minutes 120

The load: whole and streamed answers in three dialects, embeddings, clients that leave, private content, bodies of 300 KB, batches, background
responses, conversations. A reload every minute, a kill -9 every `--kill` minutes. What is printed last: RssAnon (first and last quarter of
each life), requests, bodies with a planted value at the cloud (0), the provider's count of tokens and the ledger's.
"""
import argparse
import json
import pathlib
import random
import sqlite3
import statistics
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests"))
from harness import DONE, SSE_HEAD, Tandem, Upstream, chunk, http  # noqa: E402

IBAN = "DE89 3704 0044 0532 0130 00"
KEY = "soak-key-0123456789"
HEADERS = {"authorization": f"Bearer {KEY}"}


class Provider(Upstream):
    """Counts what it would bill: 20 tokens of prompt and as many of an answer as it says words."""

    def __init__(self):
        super().__init__(self.reply)
        self.billed = 0
        self.answers = 0
        self.leaks = 0

    def reply(self, connection, body, number):
        if b"3704 0044" in body or b"37040044" in body:
            self.leaks += 1
        self.requests.clear()
        self.raw = b""
        asked = json.loads(body)
        if "input" in asked:
            texts = asked["input"] if isinstance(asked["input"], list) else [asked["input"]]
            self.bill(len(texts))
            return connection.sendall(http({"object": "list", "data": [{"object": "embedding", "index": i, "embedding": [1, 2]} for i, _ in enumerate(texts)],
                                            "usage": {"prompt_tokens": len(texts), "total_tokens": len(texts)}}))
        words = random.randint(3, 40)
        usage = {"prompt_tokens": 20, "completion_tokens": words, "total_tokens": 20 + words}
        self.bill(20 + words)
        if asked.get("stream"):
            connection.sendall(SSE_HEAD + chunk("", role="assistant"))
            for _ in range(words):
                connection.sendall(chunk("word "))
                if random.random() < 0.1:
                    time.sleep(0.01)
            connection.sendall(chunk(finish="stop") + chunk(usage=usage) + DONE)
            return "close"
        connection.sendall(http({"id": "c", "object": "chat.completion", "created": 1, "model": "scripted", "usage": usage,
                                 "choices": [{"index": 0, "message": {"role": "assistant", "content": "word " * words}, "finish_reason": "stop"}]}))

    def bill(self, tokens):
        with self.lock:
            self.billed += tokens
            self.answers += 1


def rss(pid):
    try:
        for line in open(f"/proc/{pid}/status"):
            if line.startswith("RssAnon"):
                return int(line.split()[1]) / 1024
    except OSError:
        return None


class Soak:
    def __init__(self, minutes, kill, rate):
        self.end = time.monotonic() + minutes * 60
        self.kill_every, self.rate = kill * 60, rate
        self.provider = Provider()
        self.tandem = Tandem(self.config(1))
        self.lives, self.done, self.failed = [[]], 0, 0
        self.lock = threading.Lock()
        self.up = threading.Event()
        self.up.set()

    def config(self, turn):
        return (f"providers:\n  far: {self.provider.provider('cloud')}\nmodels:\n  m: {{ provider: far, context: {32768 + turn}, price: {{ input: 1, output: 1 }} }}\n"
                "  e: { provider: far, capabilities: [embeddings], price: { input: 1, output: 1 } }\npolicy: { preset: cloud-first }\n"
                f"keys:\n  soak: {{ secret: {KEY}, budgets: [{{ limit: 100000, window: day }}] }}\n")

    def one(self, random):
        kind = random.randrange(12)
        text = f"question {random.random()} about rivers"
        chat = {"model": "m", "messages": [{"role": "user", "content": text}]}
        if kind < 3:
            return self.tandem.request("/v1/chat/completions", {**chat, "stream": kind == 0}, HEADERS)
        if kind == 3:
            return self.tandem.request("/v1/messages", {**chat, "max_tokens": 100, "stream": True}, HEADERS)
        if kind == 4:
            return self.tandem.request("/v1/responses", {"model": "m", "input": text}, HEADERS)
        if kind == 5:
            return self.tandem.request("/v1/responses", {"model": "m", "input": text, "background": True}, HEADERS)
        if kind == 6:
            return self.tandem.request("/v1/embeddings", {"model": "e", "input": [text] * 10}, HEADERS)
        if kind == 7:
            return self.tandem.request("/v1/chat/completions", {"model": "m", "messages": [{"role": "user", "content": f"{text}: {IBAN}"}]}, HEADERS)
        if kind == 8:
            chat["messages"][0]["content"] += " and more words" * 20_000
            return self.tandem.request("/v1/chat/completions", chat, HEADERS)
        if kind == 9:
            made = json.loads(self.tandem.request("/v1/conversations", {}, HEADERS)[2])["id"]
            for _ in range(3):
                self.tandem.request("/v1/responses", {"model": "m", "input": text, "conversation": made}, HEADERS)
            return self.tandem.request(f"/v1/conversations/{made}", headers=HEADERS, method="DELETE")
        if kind == 10:  # leaves in the middle
            return self.tandem.request("/v1/chat/completions", {**chat, "stream": True}, HEADERS, timeout=0.03)
        line = "".join(json.dumps({"custom_id": str(i), "method": "POST", "url": "/v1/chat/completions", "body": chat}) + "\n" for i in range(5))
        form = ("--b\r\ncontent-disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"i\"\r\n\r\n" + line + "\r\n--b--\r\n").encode()
        file = json.loads(self.tandem.request("/v1/files", form, {**HEADERS, "content-type": "multipart/form-data; boundary=b"})[2])["id"]
        return self.tandem.request("/v1/batches", {"input_file_id": file, "endpoint": "/v1/chat/completions", "completion_window": "24h"}, HEADERS)

    def client(self, seed):
        chance = random.Random(seed)
        while time.monotonic() < self.end:
            self.up.wait()
            began = time.monotonic()
            try:
                self.one(chance)
                with self.lock:
                    self.done += 1
            except Exception:
                with self.lock:
                    self.failed += 1
            time.sleep(max(0, 1 / self.rate - (time.monotonic() - began)))

    def run(self, clients):
        threads = [threading.Thread(target=self.client, args=(i,), daemon=True) for i in range(clients)]
        for thread in threads:
            thread.start()
        next_reload = time.monotonic() + 60
        next_kill = time.monotonic() + self.kill_every
        turn = 1
        while time.monotonic() < self.end:
            time.sleep(5)
            if (now := rss(self.tandem.process.pid)) is not None:
                self.lives[-1].append(now)
            if time.monotonic() > next_reload:
                turn += 1
                self.tandem.write(self.config(turn))
                next_reload += 60
            if time.monotonic() > next_kill:
                self.up.clear()  # new ones wait; those under way are killed with it
                self.tandem.kill()
                self.tandem.start()
                self.up.set()
                self.lives.append([])
                next_kill += self.kill_every
        for thread in threads:
            thread.join()
        time.sleep(5)

    def report(self):
        self.tandem.process.terminate()
        self.tandem.process.wait(60)
        database = sqlite3.connect(self.tandem.folder / "data/ledger.db")
        rows = database.execute("SELECT outcome, count(*), sum(input + output), sum(estimated) FROM attempts GROUP BY 1").fetchall()
        size = (self.tandem.folder / "data/ledger.db").stat().st_size
        database.close()
        for number, life in enumerate(self.lives, 1):
            quarter = max(1, len(life) // 4)
            if life:
                print(f"life {number}: RssAnon MiB first quarter {statistics.mean(life[:quarter]):.0f}, last quarter {statistics.mean(life[-quarter:]):.0f}, most {max(life):.0f} ({len(life) * 5} s)")
        print(f"{self.done} requests, {self.failed} broke off (clients that leave, kills); {self.provider.leaks} bodies with a planted value at the cloud")
        for outcome, count, tokens, estimated in rows:
            print(f"ledger: {outcome:<10} {count:>8} attempts {tokens or 0:>10} tokens, {estimated or 0} of them estimated")
        total = sum(row[2] or 0 for row in rows)
        print(f"provider: {self.provider.answers} answers, {self.provider.billed} tokens; the ledger has {total} ({total / max(1, self.provider.billed):.4f} of it); ledger.db {size / 1e6:.1f} MB")
        verified = self.tandem.cli("audit", "verify")
        print("audit verify:", verified.stdout.strip() or verified.stderr.strip())
        self.tandem.process = None
        return self.provider.leaks == 0 and total >= self.provider.billed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--kill", type=float, default=10, help="minutes between two kill -9")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--rate", type=float, default=5, help="requests a second of each client")
    options = parser.parse_args()
    soak = Soak(options.minutes, options.kill, options.rate)
    soak.run(options.clients)
    good = soak.report()
    soak.provider.close()
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
