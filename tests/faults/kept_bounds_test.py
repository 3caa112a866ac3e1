"""What clients leave with us is bounded in bytes, in memory and on disk: conversations, chains of responses, batches,
background responses, files. Sizes are small here; the attack with real ones is bench/memory/run."""
import json
import re
import threading
import unittest

from harness import Tandem, Upstream, until

KIB, MIB = 1 << 10, 1 << 20
ADMIN, ALICE, BOB = ({"authorization": f"Bearer {name}-key-0123456789"} for name in ("admin", "alice", "bob"))


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
        self.upstream = Upstream(self.script)
        self.addCleanup(self.upstream.close)
        self.tandem = Tandem("server: { listen: 127.0.0.1:PORT, workers: 2, limits: { memory_bytes: 48MiB, body_bytes: 2MiB } }\n"
                             f"providers: {{ p: {self.upstream.provider()} }}\nmodels: {{ m: {{ provider: p, context: 100000000 }} }}\n"
                             f"keys: {{ admin: {{ secret: admin-key-0123456789, admin: true }}, alice: {{ secret: alice-key-0123456789, limits: {self.LIMITS} }},\n"
                             f"  bob: {{ secret: bob-key-0123456789 }} }}\n")
        self.addCleanup(self.tandem.stop)
        self.addCleanup(self.open.set)

    def script(self, connection, body, number):
        if b"WAIT" in body:
            self.open.wait(60)
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


if __name__ == "__main__":
    unittest.main()
