"""What clients leave with us is bounded in bytes, in memory and on disk: conversations, chains of responses, batches,
background responses, files. Sizes are small here; the attack with real ones is bench/memory/run."""
import json
import re
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
import unittest

from harness import ANSWER, Tandem, Upstream, http, until

KIB, MIB = 1 << 10, 1 << 20
ADMIN, ALICE, BOB, CAROL = ({"authorization": f"Bearer {name}-key-0123456789"} for name in ("admin", "alice", "bob", "carol"))


def form(data):
    return (b'--b\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--b\r\ncontent-disposition: form-data; name="file"; filename="in.jsonl"\r\n\r\n'
            + data + b"\r\n--b--\r\n")


def lines(count, size=100):
    return "".join(json.dumps({"custom_id": str(i), "method": "POST", "url": "/v1/chat/completions",
                               "body": {"model": "m", "messages": [{"role": "user", "content": f"{i} " + "w" * size}]}}) + "\n" for i in range(count)).encode()


class KeptBounds(unittest.TestCase):
    LIMITS = "{ files: 6, file_bytes: 4MiB, responses: 20, response_bytes: 8MiB, conversations: 4, conversation_bytes: 3MiB }"

    def setUp(self):
        self.open = threading.Event()
        self.lock, self.waiting = threading.Lock(), 0
        self.upstream = Upstream(self.script)
        self.addCleanup(self.upstream.close)
        self.tandem = Tandem("server: { listen: 127.0.0.1:PORT, workers: 2, limits: { memory_bytes: 48MiB, body_bytes: 2MiB } }\n"
                             f"providers: {{ p: {self.upstream.provider()} }}\nmodels: {{ m: {{ provider: p, context: 100000000 }} }}\n"
                             f"keys: {{ admin: {{ secret: admin-key-0123456789, admin: true }}, alice: {{ secret: alice-key-0123456789, limits: {self.LIMITS} }},\n"
                             f"  bob: {{ secret: bob-key-0123456789 }}, carol: {{ secret: carol-key-0123456789, limits: {{ files: 4, file_bytes: 96KiB, conversation_bytes: 100KiB }} }} }}\n")
        self.addCleanup(self.tandem.stop)
        self.addCleanup(self.open.set)

    def script(self, connection, body, number):
        if b"WAIT" in body:
            with self.lock:
                self.waiting += 1
            self.open.wait(60)
        if b"LONG" in body:
            message = {"role": "assistant", "content": "w" * 20_000}
            return connection.sendall(http({**ANSWER, "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}))
        Upstream.answer_well(connection, body, number)

    def post(self, path, body, who=ALICE, **headers):
        status, _, answer = self.tandem.request(path, body, {**who, **headers})
        return status, json.loads(answer)

    def upload(self, data, who=ALICE):
        return self.post("/v1/files", form(data), who, **{"content-type": "multipart/form-data; boundary=b"})

    def metric(self, name, **labels):
        text = self.tandem.request("/metrics", headers=ADMIN)[2].decode()
        inner = ",".join(f'{k}="{v}"' for k, v in labels.items())
        return float(re.search(rf"^tandem_{name}\{{{re.escape(inner)}\}} (\S+)$", text, re.M)[1])

    def given_back(self):
        until(lambda: sum(self.metric("memory_bytes", kind=k) for k in ("body", "document", "answer", "job")) == 0, "all of it to be given back")
        self.assertLessEqual(self.metric("memory_most_bytes"), 48 * MIB)

    def item(self, size):
        return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "z" * size}]}

    def test_a_conversation_is_bounded_and_one_that_does_not_fit_a_request_is_refused_unread(self):
        _, made = self.post("/v1/conversations", {})
        path = f"/v1/conversations/{made['id']}/items"
        statuses = [self.post(path, {"items": [self.item(900 * KIB)]})[0] for _ in range(5)]
        self.assertEqual(statuses, [200, 200, 200, 413, 413])
        self.assertIn("conversation_bytes", self.post(path, {"items": [self.item(900 * KIB)]})[1]["error"]["message"])
        status, refused = self.post("/v1/responses", {"model": "m", "input": "hello", "conversation": made["id"]})
        self.assertEqual((status, refused["error"]["code"], refused["error"]["param"]), (400, "context_length_exceeded", "conversation"), refused)
        self.assertEqual(self.upstream.requests, [])
        # A list is bounded in bytes and goes on where it stopped.
        status, _, listed = self.tandem.request(path + "?limit=100&order=asc", headers=ALICE)
        self.assertEqual(len(json.loads(listed)["data"]), 3)
        first = json.loads(listed)["data"][0]["id"]
        self.assertEqual(self.tandem.request(f"{path}/{first}", headers=ALICE, method="DELETE")[0], 200)
        self.assertEqual(self.post(path, {"items": [self.item(900 * KIB)]})[0], 200)
        self.given_back()

    def test_conversations_are_counted(self):
        statuses = [self.post("/v1/conversations", {})[0] for _ in range(6)]
        self.assertEqual(statuses, [200] * 4 + [413] * 2)
        self.assertEqual(self.post("/v1/conversations", {}, BOB)[0], 200)
        self.assertEqual(self.post("/v1/conversations", {"metadata": {"a": "x" * 20_000}}, BOB)[0], 413)

    def test_a_chain_of_responses_ends_where_it_does_not_fit_a_request(self):
        previous, answered = None, 0
        for _ in range(12):
            status, answer = self.post("/v1/responses", {"model": "m", "input": "c" * (300 * KIB), **({"previous_response_id": previous} if previous else {})})
            if status != 200:
                break
            previous, answered = answer["id"], answered + 1
        self.assertEqual((status, answer["error"]["code"], answer["error"]["param"]), (400, "context_length_exceeded", "previous_response_id"), answer)
        self.assertIn(answered, range(4, 8))
        self.given_back()

    def test_the_oldest_responses_go_and_the_newest_stay(self):
        ids = [self.post("/v1/responses", {"model": "m", "input": f"hello {i}"})[1]["id"] for i in range(25)]
        found = [self.tandem.request(f"/v1/responses/{id}", headers=ALICE)[0] for id in ids]
        self.assertEqual(found, [404] * 5 + [200] * 20)
        # By bytes too.
        large = [self.post("/v1/responses", {"model": "m", "input": "x" * MIB})[1]["id"] for _ in range(10)]
        self.assertEqual([self.tandem.request(f"/v1/responses/{id}", headers=ALICE)[0] for id in large[-5:]], [200] * 5)
        self.assertEqual(self.tandem.request(f"/v1/responses/{large[0]}", headers=ALICE)[0], 404)
        self.assertEqual(self.post("/v1/responses", {"model": "m", "input": "again", "previous_response_id": ids[0]})[0], 404)

    def test_files_are_bounded_in_number_and_bytes(self):
        statuses = [self.upload(lines(10, 100_000))[0] for _ in range(5)]
        self.assertEqual(statuses, [200] * 4 + [413])
        refused = self.upload(lines(10, 100_000))[1]["error"]["message"]
        self.assertIn("DELETE /v1/files/", refused)
        self.assertIn("file_bytes", refused)
        for file in json.loads(self.tandem.request("/v1/files", headers=ALICE)[2])["data"]:
            self.assertEqual(self.tandem.request(f"/v1/files/{file['id']}", headers=ALICE, method="DELETE")[0], 200)
        statuses = [self.upload(lines(1))[0] for _ in range(8)]
        self.assertEqual(statuses, [200] * 6 + [413] * 2)
        self.given_back()

    def test_a_files_content_comes_back_byte_for_byte(self):
        data = lines(9, 150_000)
        file = self.upload(data)[1]["id"]
        self.assertEqual(self.tandem.request(f"/v1/files/{file}/content", headers=ALICE)[2], data)
        self.assertEqual(self.tandem.request(f"/v1/files/{file}/content", headers=BOB)[0], 404)

    def test_many_batches_on_one_file_take_turns_and_all_end(self):
        data = lines(8, 200 * KIB)
        file = self.upload(data, BOB)[1]["id"]
        ids = []
        for _ in range(20):
            status, made = self.post("/v1/batches", {"input_file_id": file, "endpoint": "/v1/chat/completions", "completion_window": "24h"}, BOB)
            self.assertEqual((status, made["status"]), (200, "in_progress"), made)
            ids.append(made["id"])
        self.assertEqual(self.post(f"/v1/batches/{ids[-1]}/cancel", {}, BOB)[0], 200)
        self.assertEqual(self.tandem.chat("hello", headers=ALICE)[0], 200)
        def all_ended():
            states = [json.loads(self.tandem.request(f"/v1/batches/{id}", headers=BOB)[2]) for id in ids]
            return all(s["status"] in ("completed", "cancelled", "failed") for s in states) and states
        states = until(all_ended, "the batches", 240)
        self.assertEqual([s["status"] for s in states], ["completed"] * 19 + ["cancelled"])
        for state in states[:19]:
            self.assertEqual(state["request_counts"], {"total": 8, "completed": 8, "failed": 0})
        output = self.tandem.request(f"/v1/files/{states[3]['output_file_id']}/content", headers=BOB)[2]
        self.assertEqual([json.loads(l)["custom_id"] for l in output.splitlines()], [str(i) for i in range(8)])
        self.given_back()

    def test_background_responses_are_bounded_by_the_account_and_by_their_number(self):
        made = [self.post("/v1/responses", {"model": "m", "input": "WAIT" + "b" * MIB, "background": True}, BOB) for _ in range(12)]
        taken = [answer["id"] for status, answer in made if status == 200]
        self.assertGreater(len(taken), 1)
        self.assertLess(len(taken), 12)
        self.assertTrue(all(status in (200, 503) for status, _ in made), made)
        self.assertEqual(self.tandem.chat("hello", headers=ALICE)[0], 200)
        self.assertEqual(self.tandem.chat("hello", headers=BOB)[0], 200)
        small = [self.post("/v1/responses", {"model": "m", "input": "WAIT", "background": True}, BOB)[0] for _ in range(40)]
        self.assertIn(429, small)
        self.assertLess(small.count(200) + len(taken), 33)
        self.open.set()
        for id in taken:
            until(lambda: json.loads(self.tandem.request(f"/v1/responses/{id}", headers=BOB)[2]).get("status") == "completed", "a response")
            events = self.tandem.request(f"/v1/responses/{id}?stream=true", headers=BOB)[2].decode()
            self.assertEqual(events.count("event: response.completed"), 1)
        self.given_back()

    def at_once(self, count, work):
        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(work, range(count)))

    def get(self, path, who=ALICE):
        status, headers, answer = self.tandem.request(path, headers=who)
        return status, headers, json.loads(answer)

    def begin_batch(self, file, who=ALICE):
        return self.post("/v1/batches", {"input_file_id": file, "endpoint": "/v1/chat/completions", "completion_window": "24h"}, who)

    def test_many_background_responses_at_once_do_not_pass_their_number(self):
        statuses = self.at_once(44, lambda _: self.post("/v1/responses", {"model": "m", "input": "WAIT", "background": True}, BOB)[0])
        self.assertEqual((statuses.count(200), statuses.count(429)), (32, 12), statuses)
        until(lambda: self.waiting == 32, "all of them to be asked")
        self.open.set()
        until(lambda: self.post("/v1/responses", {"model": "m", "input": "hello", "background": True}, BOB)[0] == 200, "room again")

    def test_many_requests_at_once_do_not_pass_the_bytes_of_a_conversation(self):
        id = self.post("/v1/conversations", {}, CAROL)[1]["id"]
        body = {"model": "m", "input": "c" * (80 * KIB), "conversation": id}
        statuses = self.at_once(12, lambda _: self.post("/v1/responses", body, CAROL)[0])
        self.assertLessEqual(statuses.count(200), 1)
        self.assertEqual(set(statuses) - {200, 413}, set())
        if 200 not in statuses:  # each saw the others' part
            self.assertEqual(self.post("/v1/responses", body, CAROL)[0], 200)
        self.assertEqual(self.post("/v1/responses", body, CAROL)[0], 413)
        self.assertEqual(self.post("/v1/responses", {**body, "input": "short"}, CAROL)[0], 200)

    def test_many_batches_at_once_do_not_pass_their_number(self):
        file = self.upload(lines(1).replace(b"0 w", b"WAIT w"), BOB)[1]["id"]
        def begin(_):
            return [self.begin_batch(file, BOB)[0] for _ in range(14)]
        statuses = [status for list in self.at_once(16, begin) for status in list]
        self.assertEqual((statuses.count(200), statuses.count(429)), (200, 24))

    def test_what_batches_leave_stays_within_the_limits_of_files(self):
        file = self.upload(lines(3), CAROL)[1]["id"]
        statuses = self.at_once(6, lambda _: self.begin_batch(file, CAROL)[0])
        self.assertLessEqual(statuses.count(200), 2)
        self.assertGreaterEqual(statuses.count(200), 1)
        def ended():
            batches = self.get("/v1/batches", CAROL)[2]["data"]
            return all(b["status"] == "completed" for b in batches) and batches
        until(ended, "the batches")
        files = self.get("/v1/files", CAROL)[2]["data"]
        self.assertLessEqual(len(files), 4)
        for one in files:
            self.tandem.request(f"/v1/files/{one['id']}", headers=CAROL, method="DELETE")
        # In bytes too: lines for whose answers there is no room are not asked, and say why.
        file = self.upload(lines(20).replace(b" w", b"LONG w"), CAROL)[1]["id"]
        self.assertEqual(self.begin_batch(file, CAROL)[0], 200)
        batch = until(ended, "the batch")[0]
        counts = batch["request_counts"]
        self.assertEqual(counts["completed"] + counts["failed"], 20)
        self.assertIn(counts["completed"], range(2, 9))  # four are under way at once
        errors = [json.loads(l) for l in self.tandem.request(f"/v1/files/{batch['error_file_id']}/content", headers=CAROL)[2].splitlines()]
        self.assertEqual({e["response"]["status_code"] for e in errors}, {413})
        self.assertIn("file_bytes", errors[0]["response"]["body"]["error"]["message"])
        self.assertEqual(len([1 for _, body in self.upstream.requests if b"LONG" in body]), counts["completed"])

    def test_lists_go_on_where_they_stopped(self):
        files = [self.upload(lines(1), BOB)[1]["id"] for _ in range(3)]
        batches = [self.begin_batch(files[0], BOB)[1]["id"] for _ in range(3)]
        page = self.get("/v1/batches?limit=2", BOB)[2]
        self.assertEqual([b["id"] for b in page["data"]], batches[:0:-1])
        self.assertEqual((page["has_more"], page["first_id"], page["last_id"]), (True, batches[2], batches[1]))
        page = self.get(f"/v1/batches?limit=2&after={batches[1]}", BOB)[2]
        self.assertEqual(([b["id"] for b in page["data"]], page["has_more"]), (batches[:1], False))
        until(lambda: all(b["status"] == "completed" for b in self.get("/v1/batches", BOB)[2]["data"]), "the batches")
        page = self.get(f"/v1/files?limit=1&order=asc&after={files[0]}&purpose=batch", BOB)[2]
        self.assertEqual(([f["id"] for f in page["data"]], page["has_more"], page["last_id"]), (files[1:2], True, files[1]))
        self.assertEqual(len(self.get("/v1/files", BOB)[2]["data"]), 6)
        for wrong, field in (("batches?limit=0", "limit"), ("batches?limit=101", "limit"), ("files?limit=x", "limit"), ("files?order=up", "order"), ("batches?order=asc", "order")):
            status, _, answer = self.get(f"/v1/{wrong}", BOB)
            self.assertEqual((status, answer["error"]["param"]), (400, field), answer)

    def test_a_batch_that_waits_for_its_turn_ends_at_once_where_it_is_cancelled(self):
        file = self.upload(lines(1).replace(b"0 w", b"WAIT w"), BOB)[1]["id"]
        ids = [self.begin_batch(file, BOB)[1]["id"] for _ in range(6)]
        until(lambda: self.waiting == 4, "four to be at work")
        for id in ids[4:]:
            self.assertEqual(self.post(f"/v1/batches/{id}/cancel", {}, BOB)[1]["status"], "cancelling")
            until(lambda: self.get(f"/v1/batches/{id}", BOB)[2]["status"] == "cancelled", "its end")
        self.assertEqual({self.get(f"/v1/batches/{id}", BOB)[2]["status"] for id in ids[:4]}, {"in_progress"})

    def test_what_was_being_written_when_the_server_was_killed_goes_at_its_start(self):
        file = self.upload(lines(1))[1]["id"]
        self.tandem.kill()
        folder = self.tandem.folder / "data/files"
        (folder / "file-0123.unfinished").write_text("half")
        self.tandem.start()
        self.assertEqual([f.name for f in folder.iterdir()], [file])

    def test_a_background_response_says_how_far_it_is_and_who_answers_it(self):
        status, headers, made = self.tandem.request("/v1/responses", {"model": "m", "input": "WAIT", "background": True}, BOB)
        self.assertEqual(status, 200)
        decision = headers["x-tandem-decision"]
        id = json.loads(made)["id"]
        self.assertEqual(json.loads(made)["status"], "queued")
        until(lambda: self.get(f"/v1/responses/{id}", BOB)[2]["status"] == "in_progress", "a model to be asked")
        def told(headers):
            return {k: headers.get(f"x-tandem-{k}") for k in ("decision", "model", "provider", "zone", "label")}
        who = {"decision": decision, "model": "m", "provider": "p", "zone": "local", "label": "public"}
        self.assertEqual(told(self.get(f"/v1/responses/{id}", BOB)[1]), who)
        for wrong in ("-1x", "-5", "99999999999999999999", "0"):  # there is no event yet
            status, _, answer = self.get(f"/v1/responses/{id}?stream=true&starting_after={wrong}", BOB)
            self.assertEqual((status, answer["error"]["param"]), (400, "starting_after"), answer)
        self.open.set()
        until(lambda: self.get(f"/v1/responses/{id}", BOB)[2]["status"] == "completed", "the answer")
        self.assertEqual(told(self.get(f"/v1/responses/{id}", BOB)[1]), who)
        _, headers, text = self.tandem.request(f"/v1/responses/{id}?stream=true", headers=BOB)
        self.assertEqual(told(headers), who)
        last = text.decode().count("event: ") - 1
        self.assertEqual(self.tandem.request(f"/v1/responses/{id}?stream=true&starting_after={last - 1}", headers=BOB)[2].decode().count("event: "), 1)
        self.assertIn(f"the last is number {last}", self.get(f"/v1/responses/{id}?stream=true&starting_after=999", BOB)[2]["error"]["message"])
        self.assertEqual(self.tandem.explain(decision)["attempts"][-1]["model"], "m")
        # It has ended: to cancel it changes nothing. One that is no background response is refused.
        self.assertEqual(self.post(f"/v1/responses/{id}/cancel", {}, BOB)[1]["status"], "completed")
        other = self.post("/v1/responses", {"model": "m", "input": "hello"}, BOB)[1]["id"]
        status, answer = self.post(f"/v1/responses/{other}/cancel", {}, BOB)
        self.assertEqual((status, answer["error"]["type"]), (400, "invalid_request_error"), answer)
        self.assertEqual(told(self.get(f"/v1/responses/{other}", BOB)[1])["model"], "m")

    def test_a_conversation_that_is_deleted_while_it_is_answered_stays_deleted(self):
        id = self.post("/v1/conversations", {}, BOB)[1]["id"]
        made = self.post("/v1/responses", {"model": "m", "input": "WAIT", "background": True, "conversation": id}, BOB)[1]["id"]
        until(lambda: self.waiting == 1, "it to be asked")
        self.assertEqual(self.tandem.request(f"/v1/conversations/{id}", headers=BOB, method="DELETE")[0], 200)
        self.open.set()
        until(lambda: self.get(f"/v1/responses/{made}", BOB)[2]["status"] == "completed", "the answer")
        with sqlite3.connect(self.tandem.folder / "data/ledger.db") as ledger:
            self.assertEqual(ledger.execute("SELECT COUNT(*) FROM kept_items").fetchone()[0], 0)
        self.assertEqual(self.get(f"/v1/conversations/{id}", BOB)[0], 404)


if __name__ == "__main__":
    unittest.main()
