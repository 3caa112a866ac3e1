"""The one door: every route of the table reads the deciding headers, whatever it answers. The table is the one that the
server shows at /tandem/v1/openapi.json, so that a new route is walked by itself."""
import http.client
import itertools
import json
import re
import unittest

from harness import Tandem, Upstream, until

KEYS = """
keys:
  alice: { secret: alice-key-0123456789 }
  quiet: { secret: quiet-key-0123456789, label: private }
  root:  { secret: root-key-01234567890, admin: true }
"""
ALICE = ("authorization", "Bearer alice-key-0123456789")
ROOT = ("authorization", "Bearer root-key-01234567890")

# A body that each path takes, so that a refusal is about the header. Others get {}.
BODIES = {
    "/v1/chat/completions": {"model": "m", "messages": [{"role": "user", "content": "hello"}]},
    "/v1/completions": {"model": "m", "prompt": "hello"},
    "/v1/embeddings": {"model": "e", "input": "hello"},
    "/v1/rerank": {"model": "r", "query": "x", "documents": ["hello"]},
    "/v1/responses": {"model": "m", "input": "hello"},
    "/v1/responses/input_tokens": {"model": "m", "input": "hello"},
    "/v1/messages": {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hello"}]},
    "/v1/messages/count_tokens": {"model": "m", "messages": [{"role": "user", "content": "hello"}]},
    "/api/chat": {"model": "m", "messages": [{"role": "user", "content": "hello"}]},
    "/api/generate": {"model": "m", "prompt": "hello"},
    "/api/embed": {"model": "e", "input": "hello"},
    "/api/embeddings": {"model": "e", "prompt": "hello"},
    "/api/show": {"model": "m"},
    "/v1/conversations": {},
}


def form(text):
    return (b'--b\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--b\r\ncontent-disposition: form-data; name="file"; filename="in.jsonl"\r\n\r\n'
            + text.encode() + b"\r\n--b--\r\n")


class Routes(unittest.TestCase):
    numbers = itertools.count(1)

    @classmethod
    def setUpClass(cls):
        cls.cloud, cls.home = Upstream(), Upstream()
        cls.tandem = Tandem(f"""
providers:
  far:  {cls.cloud.provider("cloud")}
  near: {cls.home.provider("local")}
models:
  m: {{ provider: far, context: 32768 }}
  h: {{ provider: near, context: 32768 }}
  e: {{ provider: far, capabilities: [embeddings] }}
  r: {{ provider: far, capabilities: [rerank] }}
policy: {{ preset: cloud-first }}
{KEYS}""")
        cls.addClassCleanup(cls.cloud.close)
        cls.addClassCleanup(cls.home.close)
        cls.addClassCleanup(cls.tandem.stop)
        document = json.loads(cls.tandem.request("/tandem/v1/openapi.json", headers=dict([ALICE]))[2])
        cls.routes = [(method.upper(), path, operation["x-tandem-scope"], operation["x-tandem-errors"])
                      for path, methods in document["paths"].items() for method, operation in methods.items()]

    def call(self, method, path, headers=(), body=None):
        """With headers as a list, so that one may stand twice."""
        connection = http.client.HTTPConnection("127.0.0.1", self.tandem.port, timeout=60)
        connection.putrequest(method, path)
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        if not any(name.lower() == "content-type" for name, _ in headers):
            connection.putheader("content-type", "application/json")
        for name, value in headers:
            connection.putheader(name, value)
        connection.putheader("content-length", str(len(data)))
        connection.endheaders(data)
        answer = connection.getresponse()
        result = answer.status, answer.headers, answer.read()
        connection.close()
        return result

    def concrete(self, path):
        model = "m" if "embed" not in path.lower() else "e"
        return re.sub(r"\{\w+\*?\}", lambda m: model if "model" in m.group(0) else "some-id", path)

    def body_of(self, method, path):
        if method != "POST":
            return None
        if path in BODIES:
            return BODIES[path]
        if path.startswith(("/v1beta/", "/v1/models/")):
            content = {"content": {"parts": [{"text": "hello"}]}}
            return {"requests": [content]} if "batch" in path else {**content, "contents": [content["content"]]}
        return {}

    def test_there_are_routes_of_every_kind(self):
        self.assertGreater(len(self.routes), 60)
        self.assertEqual({r[2] for r in self.routes}, {"open", "client", "owner", "admin", "metrics", "local"})
        self.assertIn(("POST", "/v1/files", "client", "openai-chat"), self.routes)

    def test_a_wrong_deciding_header_is_refused_on_every_route_and_nothing_is_asked(self):
        before = self.cloud.connections + self.home.connections
        for method, path, scope, errors in self.routes:
            if scope == "open":
                continue
            for headers in ([("x-tandem-label", "privat")], [("x-tandem-label", "")], [("x-tandem-label", "public"), ("x-tandem-label", "private")],
                            [("X-Tandem-Label", "private"), ("x-tandem-label", "private")], [("x-tandem-lable", "private")], [("x-tandem-stakes", "much")],
                            [("x-tandem-timeout", "0")], [("x-tandem-timeout", "5"), ("x-tandem-timeout", "50000")], [("x-tandem-cache", "perhaps")],
                            [("x-tandem-conversation", "a"), ("x-tandem-conversation", "b")], [("x-tandem-clearance", "secret")]):
                with self.subTest(method=method, path=path, headers=headers):
                    status, _, raw = self.call(method, self.concrete(path), [ROOT, *headers], self.body_of(method, path))
                    self.assertEqual(status, 400, raw)
                    self.assertIn(headers[-1][0].lower().encode(), raw.lower())
        self.assertEqual(self.cloud.connections + self.home.connections, before)

    def test_two_keys_are_refused_on_every_route(self):
        for method, path, scope, _ in self.routes:
            if scope == "open":
                continue
            for headers in ([ALICE, ("x-api-key", "quiet-key-0123456789")], [ALICE, ("x-goog-api-key", "root-key-01234567890")], [ALICE, ROOT]):
                with self.subTest(method=method, path=path, headers=headers):
                    self.assertIn(self.call(method, self.concrete(path), headers, self.body_of(method, path))[0], (400, 401))
        # A client that sends its key twice, or beside a placeholder, is one client.
        for headers in ([ALICE, ("x-api-key", "alice-key-0123456789")], [ALICE, ("x-api-key", "sk-placeholder")], [("x-api-key", "alice-key-0123456789"), ("authorization", "Bearer none")]):
            self.assertEqual(self.call("GET", "/v1/models", headers)[0], 200, headers)

    def test_every_route_wants_a_key_and_the_owners_want_the_owner(self):
        for method, path, scope, errors in self.routes:
            with self.subTest(method=method, path=path):
                status = self.call(method, self.concrete(path), [], self.body_of(method, path))[0]
                if scope == "open":
                    self.assertEqual(status, 200)
                else:
                    self.assertEqual(status, 401)
                if scope in ("owner", "admin", "metrics", "local"):
                    self.assertEqual(self.call(method, self.concrete(path), [ALICE], self.body_of(method, path))[0], 403)

    def test_other_methods_say_what_is_taken_and_unknown_paths_name_the_nearest(self):
        for path in sorted({r[1] for r in self.routes}):
            methods = {r[0] for r in self.routes if r[1] == path}
            with self.subTest(path=path):
                status, headers, raw = self.call("PATCH", self.concrete(path), [ROOT], {})
                self.assertEqual(status, 405, raw)
                self.assertLessEqual(methods, set(headers["allow"].split(", ")))
        for wrong, right in (("/v1/chat/completion", b"/v1/chat/completions"), ("/v1/filez", b"/v1/files"), ("/tandem/v1/statsu", b"/tandem/v1/status"),
                             ("/v1/conversation", b"/v1/conversations")):
            status, _, raw = self.call("POST", wrong, [ROOT], {})
            self.assertEqual(status, 404)
            self.assertIn(right, raw)

    # ---- a label on everything that is left here ----

    def never_leaves(self, made):
        """Runs `made`, which must give the status of what was asked at last; nothing may have reached the cloud."""
        before = self.cloud.connections
        made()
        self.assertEqual(self.cloud.connections, before)

    def batch(self, file_headers, batch_headers, model="m", key=ALICE):
        # New words each time: what was private before is known again.
        line = json.dumps({"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": {"model": model, "messages": [{"role": "user", "content": f"hello {next(self.numbers)}"}]}})
        status, _, raw = self.call("POST", "/v1/files", [key, ("content-type", "multipart/form-data; boundary=b"), *file_headers], form(line))
        self.assertEqual(status, 200, raw)
        status, _, raw = self.call("POST", "/v1/batches", [key, *batch_headers], {"input_file_id": json.loads(raw)["id"], "endpoint": "/v1/chat/completions", "completion_window": "24h"})
        self.assertEqual(status, 200, raw)
        id = json.loads(raw)["id"]
        return until(lambda: (b := json.loads(self.call("GET", f"/v1/batches/{id}", [key])[2]))["status"] == "completed" and b, "the batch")

    def test_a_batch_is_as_private_as_its_header_its_files_header_and_its_key_say(self):
        private = [("x-tandem-label", "private")]
        for name, made in {"the batch's header": lambda: self.batch([], private), "the file's header": lambda: self.batch(private, []),
                           "the key": lambda: self.batch([], [], key=("authorization", "Bearer quiet-key-0123456789"))}.items():
            with self.subTest(name):
                def run():
                    self.assertEqual(made()["request_counts"], {"total": 1, "completed": 0, "failed": 1})
                self.never_leaves(run)
        # What is not private goes, and what is goes home where home may be asked.
        self.assertEqual(self.batch([], [])["request_counts"]["completed"], 1)
        self.never_leaves(lambda: self.assertEqual(self.batch([], private, model="h")["request_counts"]["completed"], 1))

    def test_a_conversation_is_as_private_as_any_header_that_its_parts_came_with(self):
        private = ("x-tandem-label", "private")
        def item():
            return {"items": [{"type": "message", "role": "user", "content": f"hello {next(self.numbers)}"}]}
        def begin(*headers):
            return json.loads(self.call("POST", "/v1/conversations", [ALICE, *headers], item())[2])["id"]
        def by_items(*headers):
            id = begin()
            self.assertEqual(self.call("POST", f"/v1/conversations/{id}/items", [ALICE, *headers], item())[0], 200)
            return id
        def by_metadata(*headers):
            id = begin()
            self.assertEqual(self.call("POST", f"/v1/conversations/{id}", [ALICE, *headers], {"metadata": {"a": "b"}})[0], 200)
            return id
        def by_answer(*headers):
            id = begin()
            self.assertEqual(self.call("POST", "/v1/responses", [ALICE, *headers], {"model": "h", "input": "hi", "conversation": id})[0], 200)
            return id
        for make in (begin, by_items, by_metadata, by_answer):
            with self.subTest(make.__name__):
                id = make(private)
                def ask():
                    status, headers, raw = self.call("POST", "/v1/responses", [ALICE], {"model": "m", "input": "and now?", "conversation": id})
                    self.assertEqual((status, headers["x-tandem-label"]), (422, "private"), raw)
                self.never_leaves(ask)
                if make is not by_answer:
                    self.assertEqual(self.call("POST", "/v1/responses", [ALICE], {"model": "m", "input": f"and now for {make.__name__}?", "conversation": make()})[0], 200)

    def test_a_response_is_as_private_as_the_header_of_what_it_goes_on_from(self):
        for more in ({}, {"background": True}, {"stream": True}, {"background": True, "stream": True}):
            with self.subTest(more):
                raw = self.call("POST", "/v1/responses", [ALICE, ("x-tandem-label", "private")], {"model": "h", "input": f"a plan {more}", **more})[2]
                id = re.search(rb'"id":\s*"(resp_\w+)"', raw).group(1).decode()
                until(lambda: json.loads(self.call("GET", f"/v1/responses/{id}", [ALICE])[2])["status"] not in ("queued", "in_progress"), "the response")
                def ask():
                    self.assertEqual(self.call("POST", "/v1/responses", [ALICE], {"model": "m", "input": "go on", "previous_response_id": id})[0], 422)
                self.never_leaves(ask)


class Identities(unittest.TestCase):
    """Names that an owner may give a key, and identities of Tandem's own, are never the same."""

    OURS = ["admin", "anonymous", "probe", "learning", "cache", "experiment:style", "experiment"]

    def setUp(self):
        self.cloud = Upstream()
        names = "".join(f"  {name!r}: {{ secret: {i}-secret-of-the-key, label: private }}\n" for i, name in enumerate(self.OURS))
        self.tandem = Tandem(f"providers:\n  far: {self.cloud.provider('cloud')}\nmodels:\n  m: {{ provider: far, context: 32768 }}\npolicy: {{ preset: cloud-first }}\nkeys:\n{names}")
        self.addCleanup(self.cloud.close)
        self.addCleanup(self.tandem.stop)
        self.admin = (self.tandem.folder / "data/admin.token").read_text().strip()

    def request(self, key, path, body=None, method=None, type="application/json"):
        status, headers, raw = self.tandem.request(path, body, {"authorization": f"Bearer {key}", "content-type": type}, method)
        return status, headers, raw

    def left_by(self, key):
        """What a key leaves: a file, a batch, a conversation."""
        line = json.dumps({"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "m", "messages": [{"role": "user", "content": "hello"}]}})
        file = json.loads(self.request(key, "/v1/files", form(line), type="multipart/form-data; boundary=b")[2])["id"]
        conversation = json.loads(self.request(key, "/v1/conversations", {})[2])["id"]
        batch = json.loads(self.request(key, "/v1/batches", {"input_file_id": file, "endpoint": "/v1/chat/completions", "completion_window": "24h"})[2])["id"]
        until(lambda: json.loads(self.request(key, f"/v1/batches/{batch}")[2])["status"] == "completed", "the batch")
        return [f"/v1/files/{file}", f"/v1/files/{file}/content", f"/v1/batches/{batch}", f"/v1/conversations/{conversation}"]

    def test_a_key_with_a_name_of_ours_is_a_client_like_any_other(self):
        by_admin = self.left_by(self.admin)
        self.assertEqual(self.cloud.connections, 1)  # the owner's batch has no label
        for i, name in enumerate(self.OURS):
            with self.subTest(name):
                key = f"{i}-secret-of-the-key"
                for path in by_admin:
                    self.assertEqual(self.request(key, path)[0], 404)
                for path in ("/tandem/v1/status", "/tandem/v1/learning", "/metrics"):
                    self.assertEqual(self.request(key, path)[0], 403)
                for path in self.left_by(key):
                    self.assertEqual(self.request(key, path)[0], 200)
                    self.assertEqual(self.request(self.admin, path)[0], 404)
        self.assertEqual(self.cloud.connections, 1)  # theirs are private, also in the background, also after a restart
        self.tandem.kill()
        self.tandem.start()
        for path in by_admin:
            self.assertEqual(self.request(self.admin, path)[0], 200)


if __name__ == "__main__":
    unittest.main()
