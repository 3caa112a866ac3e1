"""`tandem doctor` on what goes wrong on a first evening: it finds it, says the cause, and what to write instead."""
# ctest: starts no real engine
import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import unittest

import model_servers
from harness import BINARY, free_port


class Doctor(unittest.TestCase):
    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="doctor-"))
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)

    def server(self, make, *arguments, **named):
        server = make(*arguments, **named)
        self.addCleanup(server.close)
        return server

    def doctor(self, config, code=6):
        file = self.home / "tandem.yaml"
        file.write_text(f"server: {{ listen: 127.0.0.1:{free_port()} }}\ndata: {self.home}/data\n" + config)
        env = {**os.environ, "HOME": str(self.home), "TANDEM_CACHE": str(self.home / "cache")}
        result = subprocess.run([BINARY, "doctor", "--json", "--config", str(file)], env=env, capture_output=True, text=True, timeout=60)
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        return json.loads(result.stdout)

    def one(self, checks, name, grade="bad"):
        found = [c for c in checks if (c["check"], c["grade"]) == (name, grade)]
        self.assertEqual(len(found), 1, checks)
        return found[0]["text"], found[0].get("mend", "")

    def provider(self, url, kind="openai", zone="local", more="", model="m", code=6, rest=""):
        return self.doctor(f"providers: {{ p: {{ kind: {kind}, zone: {zone}, base_url: '{url}'{more} }} }}\nmodels: {{ m: {{ provider: p, name: '{model}'{rest} }} }}\n", code)

    def test_a_base_url_without_its_path_or_with_too_much_of_it(self):
        vllm = self.server(model_servers.vllm)
        for wrong in (vllm.url, vllm.url + "/api/v1", vllm.url + "/v1/models"):
            text, mend = self.one(self.provider(wrong, model="Qwen/Qwen2.5-32B-Instruct-AWQ"), "provider p")
            self.assertIn("no list of models", text)
            self.assertIn(f"set base_url: {vllm.url}/v1 ", mend)
        page = self.server(model_servers.web_page)
        self.assertIn("gives a page, not JSON", self.one(self.provider(page.url + "/v1"), "provider p")[0])
        ollama = self.server(model_servers.ollama)
        self.assertIn(f"set base_url: {ollama.url}/v1", self.one(self.provider(ollama.url), "provider p")[1])

    def test_a_server_of_another_kind(self):
        vllm = self.server(model_servers.vllm)
        self.assertIn("it is no Ollama: set kind: openai", self.one(self.provider(vllm.url, "ollama", rest=", context: 1000"), "provider p")[1])

    def test_a_kind_that_is_another_dialect_than_the_server_speaks(self):
        proxy = self.server(model_servers.anthropic, "m")
        text, mend = self.one(self.provider(proxy.url + "/v1"), "provider p")
        self.assertIn(f"{proxy.url}/v1/chat/completions is not there (status 404)", text)
        self.assertEqual(f"set kind: anthropic and base_url: {proxy.url}", mend)
        unlisted = self.server(model_servers.anthropic, "m", listed=False)
        self.assertEqual(f"set kind: anthropic and base_url: {unlisted.url}", self.one(self.provider(unlisted.url), "provider p")[1])
        wrong = (400, "application/json", b'{"error":{"message":"messages: required"}}')
        chat = self.server(model_servers.Server, {"/v1/models": model_servers.listing("m"), "/v1/models?limit=1000": model_servers.listing("m"), "/v1/chat/completions": wrong})
        for kind in ("anthropic", "responses"):
            self.assertEqual(f"set kind: openai and base_url: {chat.url}/v1", self.one(self.provider(chat.url + "/v1", kind), "provider p")[1])
        self.assertIn("answers at", self.one(self.provider(chat.url + "/v1", code=0), "provider p", "good")[0])
        self.assertIn("answers at", self.one(self.provider(proxy.url, "anthropic", code=0), "provider p", "good")[0])

    def test_the_cause_of_what_does_not_answer(self):
        port = free_port()
        self.assertIn("nothing listens at", self.one(self.provider(f"http://127.0.0.1:{port}/v1"), "provider p")[0])
        self.assertIn("no machine is known by the name 'no-such-host.invalid'", self.one(self.provider("http://no-such-host.invalid/v1", zone="cloud"), "provider p")[0])
        silent = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(silent.close)
        self.assertIn("does not answer in", self.one(self.provider(f"http://127.0.0.1:{silent.getsockname()[1]}/v1"), "provider p")[0])
        plain = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(plain.close)

        def speak_http():
            connection, _ = plain.accept()
            with connection:
                connection.recv(10)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        threading.Thread(target=speak_http, daemon=True).start()
        text, mend = self.one(self.provider(f"https://127.0.0.1:{plain.getsockname()[1]}/v1"), "provider p")
        self.assertIn("no TLS connection", text)
        self.assertIn("write http://", mend)

    def test_a_certificate_that_is_not_trusted_is_named_as_that(self):
        certificate, key = self.home / "c.pem", self.home / "k.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "3", "-subj", "/CN=elsewhere"], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def serve():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                try:
                    context.wrap_socket(connection, server_side=True).recv(100)
                except OSError:
                    pass
        threading.Thread(target=serve, daemon=True).start()
        text, mend = self.one(self.provider(f"https://127.0.0.1:{listener.getsockname()[1]}/v1"), "provider p")
        self.assertIn("self-signed certificate", text.replace("self signed", "self-signed"))
        self.assertIn("SSL_CERT_FILE", mend)

    def test_a_key_that_is_missing_and_one_that_is_refused(self):
        locked = self.server(model_servers.Server, {"/v1/models": (401, "application/json", b'{"error":{"message":"no"}}')})
        self.assertIn("none is set", self.one(self.provider(locked.url + "/v1"), "provider p")[0])
        self.assertIn("refuses the key", self.one(self.provider(locked.url + "/v1", more=", api_key: hidden-key-hidden"), "provider p")[0])

    def test_a_model_that_is_not_listed_with_the_nearest(self):
        ollama = self.server(model_servers.ollama)
        checks = self.provider(ollama.url, "ollama", model="qwen2.5:7bb", rest=", context: 1000")
        self.assertIn("p does not list 'qwen2.5:7bb'; did you mean 'qwen2.5:7b'?", self.one(checks, "model m")[0])
        self.provider(ollama.url, "ollama", model="nomic-embed-text", rest=", context: 1000, capabilities: [embeddings]", code=0)
        dated = self.server(model_servers.Server, {"/v1/models": model_servers.listing("claude-sonnet-4-5-20250929")})
        self.provider(dated.url + "/v1", model="claude-sonnet-4-5", code=0)
        self.assertIn("does not list", self.one(self.provider(dated.url + "/v1", model="claude-sonnet-5"), "model m")[0])

    def test_a_context_that_is_claimed_and_not_there(self):
        self.assertIn("the config says context 64000, the server has 24576", self.one(self.provider(self.server(model_servers.vllm).url + "/v1", model="Qwen/Qwen2.5-32B-Instruct-AWQ", rest=", context: 64000"), "model m")[0])
        self.assertIn("the model has 32768", self.one(self.provider(self.server(model_servers.ollama).url, "ollama", model="qwen2.5:7b", rest=", context: 64000"), "model m")[0])
        self.assertIn("the server has 16384", self.one(self.provider(self.server(model_servers.llama_server).url, "llama-server", model="x", rest=", context: 64000"), "model m")[0])

    def test_what_would_break_a_promise(self):
        ollama = self.server(model_servers.ollama)
        self.assertIn("machines of its own cloud", self.one(self.provider(ollama.url, "ollama", model="gpt-oss:120b-cloud", rest=", context: 1000"), "model m")[0])
        self.assertIn("makes vectors and does not talk", self.one(self.provider(ollama.url, "ollama", model="nomic-embed-text", rest=", context: 1000"), "model m")[0])
        checks = self.doctor("providers: { p: { kind: openai, zone: local, base_url: 'https://api.example.invalid/v1' } }\nmodels: { m: { provider: p } }\n")
        self.assertIn("private content goes to api.example.invalid", self.one(checks, "provider p", "warning")[0])

    def test_a_binary_that_is_no_engine_and_a_file_that_is_no_model(self):
        page = self.home / "page.gguf"
        page.write_text("<!doctype html>")
        mute = self.home / "mute"
        mute.write_text("#!/bin/sh\nexit 0\n")
        mute.chmod(0o755)
        for binary, said in ((mute, "--version gives nothing"), ("/bin/cat", "--version gives 'cat"), ("/nowhere/llama-server", "")):
            checks = self.doctor(f"engine: {{ binary: {binary} }}\nproviders: {{ h: {{ kind: engine }} }}\nmodels: {{ m: {{ provider: h, file: {page} }} }}\n")
            self.assertIn(said, self.one(checks, "engine")[0])
        self.assertIn("is no GGUF file", self.one(checks, "model m")[0])
        sleeper = self.home / "sleeper"
        sleeper.write_text("#!/bin/sh\nexec sleep 100\n")
        sleeper.chmod(0o755)
        checks = self.doctor(f"engine: {{ binary: {sleeper} }}\nproviders: {{ h: {{ kind: engine }} }}\nmodels: {{ m: {{ provider: h, file: {page} }} }}\n")
        self.one(checks, "engine")

    def test_the_servers_own_certificate(self):
        certificate, key = self.home / "c.pem", self.home / "k.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "3", "-subj", "/CN=t"], check=True, capture_output=True)
        vllm = self.server(model_servers.vllm)
        rest = f"providers: {{ p: {{ kind: openai, zone: local, base_url: '{vllm.url}/v1' }} }}\nmodels: {{ m: {{ provider: p, name: Qwen/Qwen2.5-32B-Instruct-AWQ }} }}\n"

        def tls(file):
            config = self.home / "tandem.yaml"
            config.write_text(f"server: {{ listen: 127.0.0.1:{free_port()}, tls: {{ certificate: {file}, key: {key} }} }}\ndata: {self.home}/data\n" + rest)
            result = subprocess.run([BINARY, "doctor", "--json", "--config", str(config)], env={**os.environ, "HOME": str(self.home)}, capture_output=True, text=True, timeout=60)
            return {c["check"]: c for c in json.loads(result.stdout)}["tls"]
        self.assertEqual(tls(certificate)["grade"], "warning")
        self.assertRegex(tls(certificate)["text"], "good for [23] days")
        self.assertEqual(tls(self.home / "none.pem")["grade"], "bad")


if __name__ == "__main__":
    unittest.main()
