"""Hubs for the tests of `tandem model pull`: one that speaks as the Hugging Face hub does, one as Ollama's registry, and what they
redirect to, on a host of its own (127.0.0.2).

The headers are those that the real ones were seen to send, with their values replaced:
- the 302 of `resolve` (Location with a signature that expires, X-Linked-Etag, X-Linked-Size, X-Repo-Commit, Link of Xet):
  padeoe/hf-mirror-site#50, ngxson/wllama#248; a mirror's 200 with X-Linked-*: recorded in 2023, before Xet;
- the ETag of the bytes is that of Xet, and not their SHA-256;
- files that are not in LFS: a relative 307 to /api/resolve-cache: huggingface/swift-transformers#209, huggingface_hub#4815;
- X-Error-Code and X-Error-Message: huggingface_hub's utils/_http.py; 429 with RateLimit and RateLimit-Policy: huggingface_hub#3553;
- the registry's manifest is sent as text/plain (ollama#6470), a blob is a 307 to an address with X-Amz-Signature (ollama#8501, #8632), and
  `chunksums` is as server/internal/client/ollama/registry.go of ollama describes it.
"""
import base64
import contextlib
import hashlib
import http.client
import http.server
import json
import re
import secrets
import socket
import socketserver
import threading
import time
import urllib.parse

EXPOSED = "X-Repo-Commit,X-Request-Id,X-Error-Code,X-Error-Message,X-Total-Count,ETag,Link,Accept-Ranges,Content-Range,X-Linked-Size,X-Linked-ETag,X-Xet-Hash"


def sha(data):
    return hashlib.sha256(data).hexdigest()


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass  # clients are killed, and connections cut, on purpose


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def send_header(self, name, value):
        super().send_header(name, value)

    def answer(self, status, headers=(), body=b""):
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        if not any(name.lower() == "content-length" for name, _ in headers):
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        hub = self.server.hub
        with hub.lock:
            hub.seen.append((self.server.role, self.path, dict(self.headers.items())))
        if hub.limited and self.server.role in hub.limited:
            with hub.lock:
                left = hub.limited[self.server.role]
                if left:
                    hub.limited[self.server.role] -= 1
            if left:
                return self.answer(429, hub.limit_headers, b"")
        (hub.serve_bytes if self.server.role == "cdn" else hub.serve)(self)

    do_HEAD = do_GET


class Hub:
    """`files`: {path in the repository: bytes}. What it may be told to do is in the attributes."""

    def __init__(self, files, repository="acme/Tiny-GGUF", licence="apache-2.0", plain=()):
        self.files, self.repository, self.licence, self.plain = dict(files), repository, licence, set(plain)
        self.commit = sha(repr(sorted(files)).encode())[:40]
        self.lock = threading.Lock()
        self.seen = []
        self.gated = None  # a token that may read
        self.echoes = False  # says the token back
        self.coding = None  # that bytes are said to have
        self.valid_for = 3600.0  # seconds that a signature holds
        self.signatures = {}
        self.direct = False  # a mirror: bytes from the hub itself
        self.no_ranges = False
        self.cut_after = None  # bytes of an answer, after which the connection is cut; `cuts` times
        self.cuts = 0
        self.spoil = {}  # {(first byte): how many times a byte of a range that begins there is wrong}
        self.html = False  # a page instead of the bytes
        self.slow = 0.0  # seconds for each 256 KiB
        self.limited = {}
        self.limit_headers = [("retry-after", "1")]
        self.lie_about_size = 0
        self.most = None  # bytes of one answer, whatever was asked for
        self.refused = 0  # a status of the other host, whatever the signature
        self.drip = False  # one byte a second
        self.misplaced = False  # Content-Range of another part
        self.endless = False  # the list of files has always one more page
        self.stalls = 0  # answers that stop in the middle, and keep their connection
        self.no_length = False  # no Content-Length: the end of the connection is the end
        self.over = threading.Event()
        self.page_size = 1000
        self.changed = None
        self.etag = '"bb5ff7e7%s"' % secrets.token_hex(12)  # of Xet
        self.given = 0  # bytes
        self.hub, self.cdn = self.listen("127.0.0.1", "hub"), self.listen("127.0.0.2", "cdn")
        self.url = f"http://127.0.0.1:{self.hub.server_address[1]}"
        self.cdn_url = f"http://127.0.0.2:{self.cdn.server_address[1]}"

    def listen(self, host, role):
        server = Server((host, 0), Handler)
        server.hub, server.role = self, role
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return server

    def close(self):
        self.over.set()
        for server in (self.hub, self.cdn):
            server.shutdown()
            server.server_close()

    def requests(self, role=None):
        with self.lock:
            return [one for one in self.seen if role in (None, one[0])]

    # What a hub says

    def error(self, request, status, code, message):
        request.answer(status, [("content-type", "application/json; charset=utf-8"), ("x-powered-by", "huggingface-moon"),
                                ("x-error-code", code), ("x-error-message", message), ("access-control-expose-headers", EXPOSED)],
                       json.dumps({"error": message}).encode())

    def may_read(self, request):
        return self.gated is None or request.headers.get("authorization") == f"Bearer {self.gated}"

    def serve(self, request):
        path = urllib.parse.unquote(request.path.split("?")[0])
        api = f"/api/models/{self.repository}"
        token = request.headers.get("authorization")
        if token and self.gated is not None and token != f"Bearer {self.gated}" and path.startswith("/api"):
            return self.error(request, 401, "", f"Invalid credentials in Authorization header{': ' + token if self.echoes else ''}")
        if path.startswith("/api/resolve-cache/"):
            return self.serve_bytes(request)
        if not path.startswith((api + "/", f"/{self.repository}/")):
            return self.error(request, 401, "RepoNotFound", "Repository not found")
        if match := re.fullmatch(re.escape(api) + "/revision/(.+)", path):
            if match[1] not in ("main", self.commit):
                return self.error(request, 404, "RevisionNotFound", f"Invalid rev id: {match[1]}")
            return self.json(request, {"id": self.repository, "modelId": self.repository, "sha": self.commit, "private": False,
                                       "gated": "auto" if self.gated else False, "tags": ["gguf", f"license:{self.licence}"],
                                       "cardData": {"license": self.licence}, "siblings": [{"rfilename": name} for name in self.files]})
        if match := re.fullmatch(re.escape(api) + "/tree/([0-9a-f]{40})", path):
            return self.tree(request)
        if match := re.fullmatch(f"/{re.escape(self.repository)}/resolve/([^/]+)/(.+)", path):
            return self.resolve(request, match[1], match[2])
        return self.error(request, 404, "EntryNotFound", "Entry not found")

    def json(self, request, value, extra=()):
        request.answer(200, [("content-type", "application/json; charset=utf-8"), ("x-powered-by", "huggingface-moon"),
                             ("ratelimit", '"api";r=489;t=189'), ("ratelimit-policy", '"fixed window";"api";q=500;w=300'), *extra],
                       json.dumps(value).encode())

    def tree(self, request):
        query = urllib.parse.parse_qs(request.path.partition("?")[2])
        begin = int(query.get("cursor", ["0"])[0])
        rows = [{"type": "directory", "oid": "0" * 40, "size": 0, "path": "folder"}]
        for name, data in self.files.items():
            row = {"type": "file", "oid": sha(name.encode())[:40], "size": len(data) + self.lie_about_size, "path": name}
            if name not in self.plain:
                row["lfs"] = {"oid": sha(data), "size": len(data) + self.lie_about_size, "pointerSize": 135}
                row["xetHash"] = sha(data[::-1])
            rows.append(row)
        end = begin + self.page_size
        if self.endless:
            rows = (rows * (2 + end // len(rows)))[:end + 1]
        more = f'<{self.url}/api/models/{self.repository}/tree/{self.commit}?recursive=true&cursor={end}>; rel="next"'
        self.json(request, rows[begin:end], [("link", more)] if end < len(rows) else ())

    def resolve(self, request, revision, name):
        if not self.may_read(request):
            return self.error(request, 401 if not request.headers.get("authorization") else 403, "GatedRepo",
                              f"Access to model {self.repository} is restricted. You must have access to it and be authenticated to access it. "
                              "Please log in.")
        if name not in self.files:
            return self.error(request, 404, "EntryNotFound", "Entry not found")
        data = self.files[name]
        linked = [("x-powered-by", "huggingface-moon"), ("x-request-id", "Root=1-64019a9a-2a1c8df34f329c2167b71ce2"),
                  ("x-repo-commit", self.commit), ("accept-ranges", "bytes"), ("access-control-expose-headers", EXPOSED),
                  ("vary", "Origin, Accept"), ("cross-origin-opener-policy", "same-origin"), ("cache-control", "no-cache")]
        if name in self.plain:  # not in LFS
            etag = sha(name.encode())[:40]
            return request.answer(307, [*linked, ("etag", f'"{etag}"'), ("location", f"/api/resolve-cache/models/{self.repository}/{revision}/"
                                        f"{urllib.parse.quote(name)}?etag=%22{etag}%22")], b"Temporary Redirect")
        linked += [("x-linked-size", str(len(data))), ("x-linked-etag", f'"{sha(data)}"')]
        if self.direct:
            return self.serve_bytes(request, name, linked)
        linked += [("x-xet-hash", sha(data[::-1])), ("link", f'<{self.url}/api/models/{self.repository}/xet-read-token/{self.commit}>; '
                   'rel="xet-auth", <https://cas-server.xethub.hf.co/v1/reconstructions/00>; rel="xet-reconstruction-info"'),
                   ("content-type", "text/plain; charset=utf-8"), ("location", self.signed(name))]
        request.answer(302, linked, b"Found. Redirecting to another host")

    # What the other host says

    def signed(self, name):
        signature = secrets.token_hex(32)
        with self.lock:
            self.signatures[signature] = time.monotonic() + self.valid_for
        file = urllib.parse.quote(f"inline; filename*=UTF-8''{name}; filename=\"{name}\";")
        return (f"{self.cdn_url}/xet-bridge-us/65c0e0a24913fc50b7ba14d2/{urllib.parse.quote(name)}?X-Amz-Algorithm=AWS4-HMAC-SHA256"
                f"&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD&X-Amz-Credential=cas%2F20260409%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date="
                f"20260409T125114Z&X-Amz-Expires={int(self.valid_for)}&X-Amz-Signature={signature}&X-Amz-SignedHeaders=host"
                f"&X-Xet-Cas-Uid=public&response-content-disposition={file}&x-id=GetObject")

    def serve_bytes(self, request, name=None, headers=()):
        path, _, query = request.path.partition("?")
        if request.server.role == "cdn":
            if "authorization" in {key.lower() for key in request.headers}:
                return request.answer(400, [("content-type", "application/xml")], b"<Error><Code>InvalidArgument</Code><Message>Only one auth "
                                      b"mechanism allowed</Message></Error>")
            if self.refused:
                return request.answer(self.refused, [("content-type", "application/xml")], b"<Error/>")
            signature = urllib.parse.parse_qs(query).get("X-Amz-Signature", [""])[0]
            if self.signatures.get(signature, 0) < time.monotonic():
                return request.answer(403, [("content-type", "application/xml")], b"<Error><Code>AccessDenied</Code><Message>Request has expired"
                                      b"</Message></Error>")
        name = name or urllib.parse.unquote(path).split("/", 3)[-1]
        data = self.bytes_of(name, path)
        if data is None:
            return request.answer(404, [], b"")
        if self.html:
            return request.answer(206 if request.headers.get("range") else 200, [
                ("content-type", "text/html"), *self.part_header(request, data)], (b"<!DOCTYPE html>" + data)[self.slice(request, data)])
        ranged = request.headers.get("range") and not self.no_ranges
        if_range = request.headers.get("if-range")
        if if_range and if_range != self.etag:
            ranged = False
        part = self.slice(request, data) if ranged else slice(0, len(data))
        if ranged and part and self.most:
            part = slice(part.start, min(part.stop, part.start + self.most))
        if part is None:
            return request.answer(416, [("content-range", f"bytes */{len(data)}")], b"")
        body = bytearray(data[part])
        with self.lock:
            if self.spoil.get(part.start, 0) > 0 and len(body) > 1:
                self.spoil[part.start] -= 1
                body[len(body) // 2] ^= 0x40
            cut = self.cuts > 0 and self.cut_after is not None and len(body) > self.cut_after
            self.cuts -= cut
            stall = self.stalls > 0 and len(body) > 1
            self.stalls -= stall
        head = [*headers, ("content-type", "application/octet-stream"), ("etag", self.etag), ("cache-control", "public, max-age=31536000")]
        if self.no_length:
            head.append(("connection", "close"))
            request.close_connection = True
        else:
            head.append(("content-length", str(len(body))))
        if self.coding:
            head.append(("content-encoding", self.coding))
        if not self.no_ranges:
            head.append(("accept-ranges", "bytes"))
        if ranged:
            shift = 1 if self.misplaced and len(body) > 1 else 0
            head.append(("content-range", f"bytes {part.start + shift}-{part.stop - 1 + shift}/{len(data)}"))
        request.send_response_only(206 if ranged else 200)
        for key, value in head:
            request.send_header(key, value)
        request.end_headers()
        if cut:
            body = body[:self.cut_after]
        while self.drip and len(body) > 1 and not self.over.wait(1):
            request.wfile.write(body[:1])
            body = body[1:]
        for at in range(0, len(body), 256 * 1024):
            piece = body[at:at + 256 * 1024]
            request.wfile.write(piece)
            with self.lock:
                self.given += len(piece)
            if stall:
                self.over.wait(120)
            if self.slow:
                time.sleep(self.slow)  # a slow server is slow: nothing waits for this
        if cut:
            request.close_connection = True
            with contextlib.suppress(OSError):
                request.connection.shutdown(2)

    def bytes_of(self, name, path):
        if "/api/resolve-cache/" in path:
            name = urllib.parse.unquote(path).split(f"{self.repository}/", 1)[1].split("/", 1)[1]
        return self.files.get(name)

    @staticmethod
    def slice(request, data):
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range") or "")
        if not match:
            return slice(0, len(data))
        first, last = int(match[1]), int(match[2]) if match[2] else len(data) - 1
        return slice(first, min(last, len(data) - 1) + 1) if first < len(data) else None

    def part_header(self, request, data):
        part = self.slice(request, data)
        return [("content-range", f"bytes {part.start}-{part.stop - 1}/{len(data)}")] if request.headers.get("range") else []


class Registry(Hub):
    """Ollama's: one model, in one layer and what belongs to it."""

    def __init__(self, data, name="library/tiny", tag="latest", licence=b"\n  Apache License\n Version 2.0\n", chunks=0):
        super().__init__({"model": data, "license": licence, "params": b'{"stop":["<|im_end|>"]}'})
        self.name, self.tag, self.chunk = name, tag, chunks
        self.layers = {"model": "application/vnd.ollama.image.model", "license": "application/vnd.ollama.image.license",
                       "params": "application/vnd.ollama.image.params"}

    def manifest(self):
        rows = [{"mediaType": kind, "digest": "sha256:" + sha(self.files[key]), "size": len(self.files[key])} for key, kind in self.layers.items()]
        return json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
                           "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "digest": "sha256:" + "0" * 64, "size": 2},
                           "layers": rows}).encode()

    def serve(self, request):
        path = request.path.split("?")[0]
        if path == f"/v2/{self.name}/manifests/{self.tag}":
            return request.answer(200, [("content-type", "text/plain; charset=utf-8"), ("via", "1.1 google"), ("server", "cloudflare")], self.manifest())
        digests = {"sha256:" + sha(data): key for key, data in self.files.items()}
        if match := re.fullmatch(f"/v2/{self.name}/(blobs|chunksums)/(sha256:[0-9a-f]+)", path):
            if match[2] in digests and match[1] == "blobs" and self.direct:
                return self.serve_bytes(request, digests[match[2]])
            if match[2] in digests and match[1] == "blobs":
                return request.answer(307, [("location", self.signed(digests[match[2]])), ("content-length", "0"), ("server", "cloudflare")])
            if match[2] in digests and self.chunk:
                data = self.files[digests[match[2]]]
                lines = [f"sha256:{sha(data[at:at + self.chunk])} {at}-{min(at + self.chunk, len(data)) - 1}" for at in range(0, len(data), self.chunk)]
                return request.answer(200, [("content-location", self.signed(digests[match[2]]))], ("\n".join(lines) + "\n").encode())
        request.answer(404, [("content-type", "application/json")],
                       json.dumps({"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}).encode())

    def bytes_of(self, name, path):
        return self.files.get(name.rsplit("/", 1)[-1])


class Proxy:
    """An HTTP proxy: what it was asked for, with the credentials that it was given."""

    def __init__(self, credentials=None):
        self.credentials, self.seen = credentials, []
        proxy = self

        class Asked(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def may(self):
                given = self.headers.get("proxy-authorization")
                proxy.seen.append((self.command, self.path, given))
                if proxy.credentials and given != "Basic " + base64.b64encode(proxy.credentials.encode()).decode():
                    self.send_response_only(407)
                    self.send_header("proxy-authenticate", 'Basic realm="proxy"')
                    self.send_header("content-length", "0")
                    self.end_headers()
                    return False
                return True

            def do_GET(self):
                if not self.may():
                    return
                url = urllib.parse.urlsplit(self.path)
                connection = http.client.HTTPConnection(url.hostname, url.port, timeout=60)
                headers = {key: value for key, value in self.headers.items() if not key.lower().startswith("proxy-")}
                connection.request("GET", url._replace(scheme="", netloc="").geturl(), headers=headers)
                answer = connection.getresponse()
                body = answer.read()
                self.send_response_only(answer.status)
                for key, value in answer.getheaders():
                    self.send_header(key, value)
                self.end_headers()
                self.wfile.write(body)
                connection.close()

            def do_CONNECT(self):
                if not self.may():
                    return
                host, _, port = self.path.rpartition(":")
                with socket.create_connection((host, int(port)), 60) as other:
                    self.send_response_only(200, "Connection established")
                    self.end_headers()
                    back = threading.Thread(target=proxy.copy, args=(other, self.connection), daemon=True)
                    back.start()
                    proxy.copy(self.connection, other)
                    back.join(60)
                self.close_connection = True

        self.server = Server(("127.0.0.1", 0), Asked)
        self.address = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @staticmethod
    def copy(source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
