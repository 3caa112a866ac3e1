"""What is private stays out of everything that Tandem writes: log, ledger, records, checkpoints, engine logs, and what its
commands print. What a client asks to be kept (a stored response, a file) is kept, and is not looked at here."""
import json
import pathlib
import unittest
import warnings

from harness import Tandem, Upstream, http

VALUES = ["DE89 3704 0044 0532 0130 00", "4111 1111 1111 1111", "ghp_aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hI6", "own-value-of-the-owner-42", "the patient in room four has a fever"]


def complain(connection, body, number):
    """A provider that quotes the prompt in its errors."""
    if not body:  # doctor asks for the models
        return connection.sendall(http({}))
    said = json.dumps(json.loads(body).get("messages") or json.loads(body).get("input"), ensure_ascii=False)
    status = ("400 Bad Request", "500 Internal Server Error", "429 Too Many Requests", "200 OK")[number % 4]
    connection.sendall(http({"error": {"message": f"cannot do {said}", "type": "x"}}, status))


class NothingWritten(unittest.TestCase):
    def test_no_value_is_in_anything_that_is_written(self):
        warnings.simplefilter("ignore", ResourceWarning)
        cloud, home = Upstream(complain), Upstream(complain)
        self.addCleanup(cloud.close)
        self.addCleanup(home.close)
        tandem = Tandem(f"""privacy: {{ own: {{ mine: {{ values: [{VALUES[3]}], label: secret }} }}, actions: {{ cloud: {{ private: redact, secret: redact }} }} }}
providers:
  far: {cloud.provider('cloud')}
  near: {home.provider()}
  engine: {{ kind: engine }}
models:
  m: {{ provider: far }}
  h: {{ provider: near }}
  smollm2: {{ provider: engine, file: smollm2-135m-instruct-q4_1.gguf, context: 2048 }}
aliases: {{ all: [m, h] }}
""")
        self.addCleanup(tandem.stop)
        for value in VALUES:
            # The last has nothing that a detector knows: its label comes from the header.
            headers = {"x-tandem-label": "private"} if value == VALUES[4] else {}
            for model in ("m", "h", "all"):
                for stream in (False, True):
                    tandem.chat(f"look: {value}", model=model, stream=stream, headers=headers)
                    tandem.request("/v1/messages", {"model": model, "max_tokens": 9, "stream": stream, "messages": [{"role": "user", "content": value}]}, headers)
                    tandem.request("/v1/responses", {"model": model, "store": False, "stream": stream, "input": value}, headers)
                    tandem.request("/api/chat", {"model": model, "stream": stream, "messages": [{"role": "user", "content": value}]}, headers)
            tandem.request("/v1/embeddings", {"model": "m", "input": value}, headers)
            tandem.request("/v1/chat/completions", {"model": value, "messages": []})
            tandem.request("/v1/chat/completions", f'{{"model":"m","messages":[{{"role":"user","content":"{value}"'.encode())
            tandem.request("/tandem/v1/privacy/scan", {"text": value})
        self.assertEqual(tandem.chat(f"look: {VALUES[0]} and {VALUES[4]}", model="smollm2", max_tokens=4, headers={"x-tandem-label": "private"})[0], 200)
        printed = [tandem.cli(*command).stdout for command in (("explain", "last"), ("explain", "--json"), ("audit", "list", "--json"), ("audit", "prove"), ("audit", "export"), ("cost",), ("doctor",))]
        tandem.process.terminate()
        tandem.process.wait(30)
        files = [f for f in tandem.folder.rglob("*") if f.is_file() and f != tandem.file]
        self.assertTrue({"ledger.db", "privacy.key", "egress.checkpoints", "log"} <= {f.name for f in files}, files)
        for value in VALUES:
            for form in (value, value.replace(" ", ""), json.dumps(value)[1:-1]):
                for file in files:
                    self.assertNotIn(form.encode(), file.read_bytes(), f"{value} is in {file}")
                for text in printed:
                    self.assertNotIn(form, text)
        core = pathlib.Path(tandem.folder) / "core"
        self.assertFalse(core.exists())


if __name__ == "__main__":
    unittest.main()
