"""What users of other gateways reported, tried on Tandem. Each file of this folder is a case: a config as a user has it, providers
with a script, steps, and what is right after each. A test is named by the case's title.

A case that has `left` says a thing that Tandem does not do. It is run like any other: what it expects is what the documents say, and
the words of the document that say so must stand there."""
import concurrent.futures
import contextlib
import hashlib
import http.client
import json
import os
import pathlib
import pty
import re
import select
import shutil
import socket
import sqlite3
import subprocess
import termios
import threading
import time
import unittest
import uuid

import harness
from harness import Tandem, until
from scripted import Provider
from words import fill, has_in_any_form, load

FOLDER = pathlib.Path(__file__).parent
DOCUMENTS = pathlib.Path(os.environ.get("TANDEM_SOURCE") or FOLDER.parent.parent)
AT_ONCE = 6         # cases that run side by side: most of a case is waiting
PATIENCE = float(os.environ.get("TANDEM_CASES_PATIENCE", 90))   # seconds that a client or a command waits; more where other work has the machine
LONGEST = 4 * PATIENCE   # seconds of one case
DIM = (b"\x1b[2m", b"\x1b[0m")   # what Tandem itself writes to a terminal


def at(thing, path):
    """`a.b.0.c` of JSON; `*` before the last name gathers over a list."""
    for name in path.split(".") if path else []:
        thing = [at(t, path.split("*.", 1)[1]) for t in thing] if name == "*" else thing[int(name)] if isinstance(thing, list) else thing[name]
        if name == "*":
            break
    return thing


def fits(value, wanted):
    """Whether a value is what a case wants: {"from", "to"}, {"like": regex}, {"any": [...]}, a part of an object, or the value itself."""
    if isinstance(wanted, dict):
        if "from" in wanted or "to" in wanted:
            return value is not None and wanted.get("from", value) <= value <= wanted.get("to", value)
        if "like" in wanted:
            return re.search(wanted["like"], str(value)) is not None
        if "any" in wanted:
            return any(fits(value, one) for one in wanted["any"])
        return isinstance(value, dict) and all(fits(value.get(k), v) for k, v in wanted.items())
    if isinstance(wanted, list):
        return isinstance(value, list) and len(value) == len(wanted) and all(fits(v, w) for v, w in zip(value, wanted))
    return value == wanted


class Answer:
    def __init__(self, status, headers, raw, seconds):
        self.status, self.headers, self.raw, self.seconds = status, headers, raw, seconds

    @property
    def body(self):
        return self.raw.decode(errors="replace")

    def events(self):
        """The JSON of an answer: the whole, or each event of a stream."""
        found = []
        with contextlib.suppress(ValueError):
            whole = json.loads(self.raw)
            return whole if isinstance(whole, list) else [whole]
        for line in self.body.splitlines():
            with contextlib.suppress(ValueError):
                found.append(json.loads(line.removeprefix("data:").strip()))
        return [one for one in found if isinstance(one, dict)]

    def said(self, which):
        """The text (or thoughts, or arguments of calls) of an answer in any dialect, joined."""
        return "".join(piece for event in self.events() for kind, piece in said_in(event) if kind == which and isinstance(piece, str))


def said_in(event):
    for choice in event.get("choices", []):
        message = choice.get("message") or choice.get("delta") or {}
        yield "text", message.get("content") or choice.get("text")
        yield "thought", message.get("reasoning_content")
        for call in message.get("tool_calls") or []:
            yield "arguments", call["function"].get("arguments")
    for candidate in event.get("candidates", []):
        for part in candidate.get("content", {}).get("parts", []):
            yield "thought" if part.get("thought") else "text", part.get("text")
    for block in event["content"] if isinstance(event.get("content"), list) else []:
        yield {"thinking": "thought"}.get(block["type"], "text"), block.get("thinking") or block.get("text")
        if block["type"] == "tool_use":
            yield "arguments", json.dumps(block["input"])
    for item in event.get("output", []) if event.get("object") == "response" else []:
        for part in item.get("content") or []:
            yield "text", part.get("text")
    kind = event.get("type", "")
    delta = event.get("delta")
    if kind == "response.output_text.delta":
        yield "text", delta
    if kind == "content_block_delta":
        yield "text", delta.get("text")
        yield "thought", delta.get("thinking")
        yield "arguments", delta.get("partial_json")
    if "done" in event and "model" in event:
        yield "text", (event.get("message") or {}).get("content") or event.get("response")


class Run:
    """One case at work: the server, its providers, the words kept so far, and what went wrong."""

    def __init__(self, case):
        self.case = case
        self.kept = {}
        self.wrong = []
        self.providers = {name: Provider(how, self.kept) for name, how in case.get("providers", {"cloud": {}}).items()}
        self.tandem = None
        self.rss = 0
        self.end = time.monotonic() + LONGEST

    def note(self, good, what):
        if not good:
            self.wrong.append(what)

    def config(self, lines):
        text = "\n".join(lines) + "\n"
        for name, provider in self.providers.items():
            text = text.replace(f"@{name}", f"http://127.0.0.1:{provider.port}")
        return text

    def go(self):
        try:
            environment = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=4:malloc_context_size=2", **self.case.get("environment", {})}
            self.tandem = Tandem(self.config(self.case["config"]), env=environment, start=False)
            if self.case.get("starts", True):
                self.tandem.start()
            self.steps(self.case["steps"])
        except Exception as error:  # a broken case is a failed one, with what was noted before
            self.wrong.append(f"{type(error).__name__}: {error}")
        finally:
            for provider in self.providers.values():
                provider.close()
            try:
                if self.tandem:
                    self.tandem.stop()
            except AssertionError as error:
                self.wrong.append(str(error)[-2000:])
            except subprocess.TimeoutExpired:
                self.tandem.kill()
                self.wrong.append("the server did not end in a minute")
        return self.wrong

    def steps(self, steps):
        for step in steps:
            self.step(step)

    def branch(self, steps):
        try:
            self.steps(steps)
        except Exception as error:
            self.wrong.append(f"{type(error).__name__}: {error}")

    def step(self, step):
        if time.monotonic() > self.end:
            raise TimeoutError(f"a case may take {LONGEST} s")
        if "each" in step:
            (name, values), = step["each"].items()
            for value in range(*values["range"]) if isinstance(values, dict) else values:
                self.kept[name] = fill(value, self.kept)
                self.steps(step["steps"])
            return
        if "together" in step:
            threads = [threading.Thread(target=self.branch, args=(part,)) for part in step["together"]]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            return
        step = fill(step, self.kept)
        kind = next(k for k in step if k in self.KINDS)
        if "within" not in step:
            return self.KINDS[kind](self, step)
        end = time.monotonic() + step["within"]
        while True:         # what is right may take a moment to be so
            before = len(self.wrong)
            self.KINDS[kind](self, step)
            if len(self.wrong) == before or time.monotonic() > end:
                return None
            del self.wrong[before:]
            time.sleep(0.05)

    # Requests

    def headers_of(self, step):
        given = step.get("headers", {})
        headers = list(given.items()) if isinstance(given, dict) else [tuple(pair) for pair in given]
        if "as" in step:
            headers.append(("authorization", f"Bearer {step['as']}-0123456789abc"))
        if "owner" in step:
            headers.append(("authorization", "Bearer " + (self.tandem.folder / "data/admin.token").read_text().strip()))
        return headers

    def upload(self, fields, headers):
        mark = uuid.uuid4().hex
        lines = fields["file"] if isinstance(fields["file"], str) else "\n".join(json.dumps(line) for line in fields["file"])
        headers.append(("content-type", f"multipart/form-data; boundary={mark}"))
        return (f'--{mark}\r\ncontent-disposition: form-data; name="purpose"\r\n\r\n{fields.get("purpose", "batch")}\r\n--{mark}\r\ncontent-disposition: form-data; '
                f'name="file"; filename="{fields.get("filename", "lines.jsonl")}"\r\n\r\n{lines}\r\n--{mark}--\r\n').encode()

    def ask(self, step):
        method = next(m for m in ("post", "get", "delete") if m in step)
        headers = self.headers_of(step)
        data = step["body"].encode() if "body" in step else json.dumps(step["json"]).encode() if "json" in step else None
        if "upload" in step:
            data = self.upload(step["upload"], headers)
        elif data is not None and not any(name.lower() == "content-type" for name, _ in headers):
            headers.append(("content-type", "application/json"))
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.tandem.port, timeout=step.get("timeout", PATIENCE))
        with contextlib.closing(connection):
            connection.putrequest(method.upper(), step[method].replace(" ", "%20"))
            for name, value in headers:
                connection.putheader(name, value.encode("utf-8") if isinstance(value, str) else value)
            if data is not None:
                connection.putheader("content-length", str(len(data)))
            if "leaves" in step:
                with contextlib.suppress(OSError, http.client.HTTPException):  # the server may be killed meanwhile
                    asked = {name: len(provider.requests) for name, provider in self.providers.items()}
                    connection.endheaders(data)
                    if (name := step["leaves"].get("reached")):
                        until(lambda: len(self.providers[name].requests) > asked[name], f"a request at {name}")
                    self.leave(connection, step["leaves"])
                return None
            connection.endheaders(data)
            answer = connection.getresponse()
            try:
                raw = answer.read()
            except http.client.IncompleteRead as cut:
                raw = cut.partial
            return Answer(answer.status, answer.headers, raw, time.monotonic() - began)

    def leave(self, connection, when):
        """A client that goes: after so many seconds (of which provider's having `reached` it, or of its asking), or after so many bytes of
        the answer. One that `stalls` leaves the rest unread first."""
        if "seconds" in when:
            time.sleep(when["seconds"])
        else:
            answer, left = connection.getresponse(), when["bytes"]
            while left > 0 and (got := answer.read1(left)):
                left -= len(got)
            time.sleep(when.get("stalls", 0))
        if connection.sock:
            with contextlib.suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)

    def request(self, step):
        many = step.get("threads", 1)
        with concurrent.futures.ThreadPoolExecutor(many) as pool:
            answers = list(pool.map(lambda _: self.ask(step), range(step.get("times", many))))
        gives = step.get("gives", {})
        if "statuses" in gives:
            counts = {}
            for answer in answers:
                counts[str(answer.status)] = counts.get(str(answer.status), 0) + 1
            self.note(all(fits(counts.get(s, 0), w) for s, w in gives["statuses"].items()) and set(counts) <= set(gives["statuses"]), f"statuses {counts}, wanted {gives['statuses']}")
        for answer in answers:
            if answer is not None:
                self.judge(step, answer, gives)
                for name, where in step.get("keep", {}).items():
                    self.kept[name] = answer.headers[where[7:]] if where.startswith("header ") else at(json.loads(answer.raw), where)

    def judge(self, step, answer, gives):
        what = f"{self.where(step)}: {answer.status} {answer.body[:300]!r}"
        if "status" in gives:
            wanted = gives["status"]
            self.note(answer.status in (wanted if isinstance(wanted, list) else [wanted]), f"{what}\n  wanted status {wanted}")
        if "takes" in gives:
            self.note(fits(answer.seconds, gives["takes"]), f"{what}\n  took {answer.seconds:.2f} s, wanted {gives['takes']}")
        for which in ("text", "thought", "arguments"):
            if which in gives:
                self.note(fits(answer.said(which), gives[which]), f"{what}\n  {which} is {answer.said(which)!r}\n  wanted {gives[which]!r}")
        if "arguments_json" in gives:
            try:
                self.note(fits(json.loads(answer.said("arguments")), gives["arguments_json"]), f"{what}\n  arguments {answer.said('arguments')!r}")
            except ValueError:
                self.note(False, f"{what}\n  arguments are no JSON: {answer.said('arguments')!r}")
        for value in gives.get("has", []):
            self.note(value in answer.body, f"{what}\n  has no {value!r}")
        for value in gives.get("lacks", []):
            self.note(not has_in_any_form(answer.raw, value), f"{what}\n  has {value!r}")
        for name, wanted in gives.get("headers", {}).items():
            self.note(fits(answer.headers[name], wanted), f"{what}\n  {name}: {answer.headers[name]!r}, wanted {wanted!r}")
        for path, wanted in gives.get("json", {}).items():
            try:
                found = at(json.loads(answer.raw), path)
            except (ValueError, KeyError, IndexError, TypeError) as error:
                found = f"nothing ({error!r})"
            self.note(fits(found, wanted), f"{what}\n  {path} is {found!r}, wanted {wanted!r}")
        if "error" in gives:
            self.note(('"error"' in answer.body) == gives["error"], f"{what}\n  an error event: wanted {gives['error']}")

    def where(self, step):
        short = json.dumps({k: v for k, v in step.items() if k not in ("gives", "keep")}, ensure_ascii=False)
        return short if len(short) < 300 else short[:200] + " ... " + short[-80:]

    # Commands

    def command(self, step):
        self.judge_command(step, *self.in_pipe(step["run"]))

    def in_pipe(self, arguments):
        result = subprocess.run([harness.BINARY, *arguments], env=self.tandem.env, cwd=self.tandem.folder, capture_output=True, timeout=2 * PATIENCE)
        return result.returncode, result.stdout, result.stderr

    def terminal(self, step):
        code, output = self.on_terminal(step["terminal"])
        for mark in DIM:
            output = output.replace(mark, b"")
        text = output.decode(errors="replace")
        raw = [c for c in text if (ord(c) < 0x20 and c not in "\t\n") or 0x7f <= ord(c) <= 0x9f]
        self.note(not raw, f"{self.where(step)}: control signs {raw[:5]!r} in {output[:400]!r}")
        self.judge_command(step, code, output, b"")

    def on_terminal(self, arguments):
        """A program whose input, output and errors are a terminal, which passes bytes through as they come."""
        ours, theirs = pty.openpty()
        modes = termios.tcgetattr(theirs)
        modes[1] &= ~termios.OPOST
        modes[3] &= ~termios.ECHO
        termios.tcsetattr(theirs, termios.TCSANOW, modes)
        program = subprocess.Popen([harness.BINARY, *arguments], env={**self.tandem.env, "TERM": "xterm-256color"}, cwd=self.tandem.folder, stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        output, end = b"", time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if select.select([ours], [], [], 0.2)[0]:
                try:
                    got = os.read(ours, 65536)
                except OSError:
                    break
                if not got:
                    break
                output += got
            elif program.poll() is not None:
                break
        os.close(ours)
        return program.wait(10), output

    def judge_command(self, step, code, output, errors):
        gives = step.get("gives", {})
        what = f"{self.where(step)}: exit {code}, {output[-600:]!r} {errors[-400:]!r}"
        if "exit" in gives:
            self.note(fits(code, gives["exit"]), f"{what}\n  wanted exit {gives['exit']}")
        for value in gives.get("has", []):
            self.note(value.encode() in output + errors, f"{what}\n  has no {value!r}")
        for value in gives.get("lacks", []):
            self.note(not has_in_any_form(output + errors, value), f"{what}\n  has {value!r}")
        if "output" in gives:
            self.note(output == gives["output"].encode(), f"{what}\n  wanted {gives['output']!r}")
        for path, wanted in gives.get("json", {}).items():
            try:
                found = at(json.loads(output), path)
            except (ValueError, KeyError, IndexError, TypeError) as error:
                found = f"nothing ({error!r})"
            self.note(fits(found, wanted), f"{what}\n  {path} is {found!r}, wanted {wanted!r}")
        for name, path in step.get("keep", {}).items():
            self.kept[name] = at(json.loads(output), path)
        if "save" in step:
            (self.tandem.folder / step["save"]).write_bytes(output)

    # The server and its folder

    def server(self, step):
        for what in step["server"].split(", "):
            if what == "kill":
                self.tandem.kill()
            elif what == "stop":
                self.tandem.process.terminate()
                code = self.tandem.process.wait(30)
                self.note(code == 0, f"the server ended with {code}: {self.tandem.log_text()[-800:]}")
            elif what == "start":
                self.tandem.start()
            else:
                raise ValueError(what)

    def reload(self, step):
        self.tandem.write(self.config(step["config"]))
        time.sleep(step.get("settles", 0.2))

    def sql(self, step):
        with contextlib.closing(sqlite3.connect(self.tandem.folder / "data/ledger.db")) as database:
            for statement in step["sql"]:
                database.execute(statement)
            database.commit()

    def file(self, step):
        path = self.tandem.folder / step["file"]
        if "write" in step:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step["write"])
        if step.get("remove"):
            path.unlink(missing_ok=True)
        if "copy_to" in step:
            shutil.copy(path, self.tandem.folder / step["copy_to"])
        if step.get("scramble"):
            path.write_bytes(os.urandom(path.stat().st_size))
        if "keep_lines" in step:
            path.write_text("".join(path.read_text().splitlines(True)[:step["keep_lines"]]))
        if "replace" in step:
            text = path.read_text()
            new = re.sub(step["replace"][0], step["replace"][1], text, count=1)
            assert new != text, f"{step['file']} has no {step['replace'][0]}"
            path.write_text(new)

    def folder(self, step):
        """A copy of the data folder, to be kept or put back."""
        data, copy = self.tandem.folder / "data", self.tandem.folder / f"copy-{step['name']}"
        source, target = (data, copy) if step["folder"] == "keep" else (copy, data)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target)

    def count(self, step):
        with contextlib.closing(sqlite3.connect(self.tandem.folder / "data/ledger.db")) as database:
            found = database.execute(step["count"]).fetchone()[0]
        self.note(fits(found, step["is"]), f"{step['count']} is {found}, wanted {step['is']}")

    def lock(self, step):
        """Another program writes to the ledger's file, and takes its time."""
        with contextlib.closing(sqlite3.connect(self.tandem.folder / "data/ledger.db", timeout=5, isolation_level=None)) as database:
            database.execute("BEGIN EXCLUSIVE")
            time.sleep(step["lock"])
            database.execute("ROLLBACK")

    def pause(self, step):
        """So many seconds, or until so many requests in all have reached providers: {"cloud": 4}."""
        if isinstance(step["wait"], dict):
            for name, count in step["wait"].items():
                until(lambda: len(self.providers[name].requests) >= count, f"{count} requests at {name}", PATIENCE)
        else:
            time.sleep(step["wait"])

    def memory(self, step):
        text = pathlib.Path(f"/proc/{self.tandem.process.pid}/status").read_text()
        now = int(re.search(r"RssAnon:\s+(\d+)", text)[1]) / 1024
        if step["memory"] == "now":
            self.rss = now
        else:
            self.note(now - self.rss <= step["memory"], f"memory rose from {self.rss:.0f} to {now:.0f} MiB, wanted {step['memory']} more at most")

    # What providers got, and what is on record

    def provider(self, step):
        one, gives = self.providers[step["provider"]], step["gives"]
        with one.lock:
            seen, requests = one.raw, list(one.requests)
        for name, value in (("connections", one.connections), ("requests", len(requests)), ("words", one.words)):
            if name in gives:
                self.note(fits(value, gives[name]), f"{step['provider']} had {value} {name}, wanted {gives[name]}: {[r[1][-200:] for r in requests[-2:]]}")
        for value in gives.get("never", []):
            self.note(not has_in_any_form(seen, value), f"{step['provider']} received {value!r}: {[r[1][-400:] for r in requests[-2:]]}")
        for value in gives.get("has", []):
            self.note(value.encode() in seen, f"{step['provider']} did not receive {value!r}: {seen[-600:]}")
        if "last" in gives:
            last = json.loads(requests[-1][1])
            for path, wanted in gives["last"].items():
                try:
                    found = at(last, path)
                except (KeyError, IndexError, TypeError) as error:
                    found = f"nothing ({error!r})"
                self.note(fits(found, wanted), f"{step['provider']}'s last request has {path} = {found!r}, wanted {wanted!r}")
        if "lasted" in gives:
            self.note(bool(one.ended) and all(fits(t, gives["lasted"]) for t in one.ended), f"streams lasted {one.ended}, wanted {gives['lasted']}")

    def cost(self, step):
        code, output, errors = self.in_pipe(["cost", "--by", step.get("by", "key"), "--json"])
        assert code == 0, errors
        said = json.loads(output)
        rows = {row["group"]: row for row in said["rows"]}
        for name, wanted in step["cost"].items():
            found = said if name == "total" else rows.get(name, {})
            wanted = wanted if isinstance(wanted, dict) and not {"from", "to"} & set(wanted) else {"total_micros" if name == "total" else "cost_micros": wanted}
            self.note(fits(found, wanted), f"cost of {name} is {found}, wanted {wanted}")

    def attempts(self, step):
        code, output, errors = self.in_pipe(["explain", "--json", *([step["of"]] if "of" in step else [])])
        assert code == 0, errors
        found = json.loads(output)["attempts"]
        self.note(fits(found, step["attempts"]), f"attempts {found}, wanted {step['attempts']}")

    def egress(self, step):
        records = self.tandem.egress()
        wanted = step["egress"]
        if isinstance(wanted, int) or "from" in wanted or "to" in wanted:
            self.note(fits(len(records), wanted), f"{len(records)} records of egress, wanted {wanted}")
            return
        for name in wanted.get("holds_those_of", []):    # a record more is right where the server died between record and sending
            received = {hashlib.sha256(body).hexdigest(): 0 for _, body in self.providers[name].requests}
            for _, body in self.providers[name].requests:
                received[hashlib.sha256(body).hexdigest()] += 1
            kept = [r["body_sha256"] for r in records]
            short = {h: n for h, n in received.items() if not n <= kept.count(h) <= n + wanted["more"]}
            self.note(not short, f"received {received}, records {len(kept)}; not as many: {short}")
        for name in wanted.get("are_those_of", []):
            received = sorted((len(body), hashlib.sha256(body).hexdigest()) for _, body in self.providers[name].requests)
            kept = sorted((r["bytes"], r["body_sha256"]) for r in records)
            self.note(kept == received, f"records {kept}, received {received}")
        for number, part in wanted.get("records", {}).items():
            self.note(fits(records[int(number)], part), f"record {number} is {records[int(number)]}, wanted {part}")

    def nowhere(self, step):
        """No file of the data folder and no line of the log has a value."""
        for value in step["nowhere"]:
            for path in [*(self.tandem.folder / "data").rglob("*"), self.tandem.log]:
                if path.is_file():
                    self.note(value.encode() not in path.read_bytes(), f"{path.name} has {value!r}")

    KINDS = {"post": request, "get": request, "delete": request, "run": command, "terminal": terminal, "server": server, "config": reload, "sql": sql, "file": file,
             "folder": folder, "lock": lock, "count": count, "wait": pause, "memory": memory, "provider": provider, "cost": cost, "attempts": attempts, "egress": egress, "nowhere": nowhere}


def left_is_said(case):
    """What is left must be said to users in the words that the case quotes."""
    left = case.get("left")
    if not left:
        return []
    text = (DOCUMENTS / left["document"]).read_text()
    plain = lambda t: " ".join(t.replace("*", "").split())
    return [] if plain(left["words"]) in plain(text) else [f"{left['document']} does not say {left['words']!r}"]


def outcome_of(file):
    """What went wrong in a case. TANDEM_CASES_TIMES names a file for how long each took."""
    case, began = load(file), time.monotonic()
    wrong = left_is_said(case) + Run(case).go()
    if times := os.environ.get("TANDEM_CASES_TIMES"):
        with open(times, "a") as out:
            out.write(f"{time.monotonic() - began:6.1f} s {file.name}\n")
    return wrong


class Cases(unittest.TestCase):
    chosen = []

    @classmethod
    def setUpClass(cls):
        cls.pool = concurrent.futures.ThreadPoolExecutor(AT_ONCE)
        cls.results = {file: cls.pool.submit(outcome_of, file) for file in cls.chosen}

    @classmethod
    def tearDownClass(cls):
        cls.pool.shutdown(cancel_futures=True)

    def check(self, file, case):
        wrong = self.results[file].result(20 * PATIENCE)
        if wrong:
            self.fail(f"{case['report']} ({file.name}):\n" + "\n".join(wrong[:6]) + (f"\n... and {len(wrong) - 6} more" if len(wrong) > 6 else ""))


def test_of(file):
    case = load(file)
    def test(self):
        self.check(file, case)
    test.__doc__ = f"{case['title']} [{case['report']}]" + (" (left)" if case.get("left") else "")
    test.file = file
    return "test_" + re.sub(r"\W+", "_", case["title"]).strip("_"), test


for found in sorted(FOLDER.glob("*.json")):
    setattr(Cases, *test_of(found))


def load_tests(loader, tests, pattern):
    """Only what was chosen (-k) is begun."""
    def walk(suite):
        for one in suite:
            yield from walk(one) if isinstance(one, unittest.TestSuite) else [one]
    for one in walk(tests):
        Cases.chosen.append(getattr(Cases, one._testMethodName).file)
    return tests


if __name__ == "__main__":
    unittest.main()
