"""A month of work on record: rows that the running program wrote for real requests, copied over the days of a span. What a copy changes
(time, tokens, label, length, cost) is said by whoever makes it; everything else is what the gateway wrote."""
import json
import sqlite3

BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
COLUMNS = ("decision", "number", "time", "key", "provider", "model", "zone", "outcome", "status", "error", "first_byte_ms", "total_ms", "input", "cached",
           "output", "reasoning", "estimated", "cost", "warnings", "cache_write", "source", "bill", "alias", "label", "work", "team")


def decision(at, number):
    """An id as the ledger's are: they sort by time."""
    value, text = at << 80 | number, ""
    for _ in range(26):
        value, digit = divmod(value, 32)
        text = BASE32[digit] + text
    return "dec_" + text


class Record:
    def __init__(self, tandem):
        self.file = tandem.folder / "data/ledger.db"
        self.count = 0
        with sqlite3.connect(self.file, timeout=30) as ledger:
            self.decisions = {row[0]: row for row in ledger.execute("SELECT * FROM decisions")}
            self.attempts = {}
            for row in ledger.execute(f"SELECT {', '.join(COLUMNS)} FROM attempts ORDER BY decision, number"):
                self.attempts.setdefault(row[0], []).append(dict(zip(COLUMNS, row)))

    def pattern(self, model):
        """The id of a real request that this model answered."""
        return next(d for d, rows in self.attempts.items() if rows[-1]["model"] == model and rows[-1]["outcome"] == "answered")

    def forget(self):
        """Only copies are left."""
        with sqlite3.connect(self.file, timeout=30) as ledger:
            ledger.execute("DELETE FROM attempts")
            ledger.execute("DELETE FROM decisions")

    def add(self, copies):
        """Each: (time in ms, id of the pattern, changes of the decision's inputs, changes of the attempt's row). Gives their ids."""
        decisions, attempts, ids = [], [], []
        parsed = {}
        for at, pattern, inputs, row in copies:
            self.count += 1
            id = decision(at, self.count)
            ids.append(id)
            old = self.decisions[pattern]
            if pattern not in parsed:
                parsed[pattern] = json.loads(old[7])
            label = {"public": 0, "internal": 1, "private": 2, "secret": 3}[inputs.get("label", "public")]
            decisions.append((id, at, row.get("key", old[2]), inputs.get("alias", old[3]), label, old[5], old[6],
                              json.dumps({**parsed[pattern], "time": at, **inputs}), old[8]))
            last = {**self.attempts[pattern][-1], "decision": id, "number": 1, "time": at, "label": label, **row}
            attempts.append([last[c] for c in COLUMNS])
        with sqlite3.connect(self.file, timeout=60) as ledger:
            ledger.executemany(f"INSERT INTO decisions VALUES ({', '.join('?' * len(old))})", decisions)
            ledger.executemany(f"INSERT INTO attempts ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})", attempts)
        return ids

    def say(self, outcomes):
        """Feedback of before: (decision, model, value)."""
        with sqlite3.connect(self.file, timeout=30) as ledger:
            ledger.executemany("INSERT INTO outcomes (decision, source, key, time, model, identity, value, weight, traits, note) VALUES "
                               "(?, 'feedback', 'owner', 0, ?, '', ?, 1000, x'', '')", [(d, m, round(v * 1000)) for d, m, v in outcomes])
