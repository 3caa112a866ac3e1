"""Nothing that a client makes leaves beside the body but what is looked at and on record: headers, query, path, file names."""
import json
import unittest
import warnings

from harness import Tandem, Upstream
from strict import StrictUpstream

IBAN = "DE89370400440532013000"
BETAS = ["claude-code-20250219", "interleaved-thinking-2025-05-14", "context-1m-2025-08-07", "prompt-caching-2024-07-31", "oauth-2025-04-20",
         "max-tokens-3-5-sonnet-2024-07-15", "output-128k-2025-02-19", "model-context-window-exceeded-2025-08-26"]
NOT_BETAS = [IBAN, IBAN.lower(), f"{IBAN.lower()}-2025-01-01", "peter@example.org", "peter.miller-2025-01-01", "Claude-Code-2025-02-19", "tools-1990-01-01", "tools-2025-13-01", "tools-2025-01-41",
             "4111111111111111-2025-01-01", "4111-1111-1111-1111-2025-01-01", "12-34-56-78-2025-01-01", "a" * 80 + "-2025-01-01", "a-b-c-d-e-f-g-h-i-2025-01-01", "2025-01-01", "tools", "tools;q=1",
             "sk-ant-api03-abcdefghijklmnop-2025-01-01", "a--b-2025-01-01", "-a-2025-01-01", "tools_x-2025-01-01", "t\u00e4ools-2025-01-01"]


class Headers(unittest.TestCase):
    def setUp(self):
        warnings.simplefilter("ignore", ResourceWarning)
        self.claude, self.far = StrictUpstream("anthropic"), Upstream()
        self.tandem = Tandem(f"privacy: {{ own: {{ project: {{ words: [falcon], label: private }} }} }}\nproviders:\n  claude: {self.claude.provider('cloud')}\n  far: {self.far.provider('cloud')}\n"
                             "models:\n  a: { provider: claude, name: scripted, context: 32768 }\n  m: { provider: far, context: 32768 }\n")
        for upstream in (self.claude, self.far):
            self.addCleanup(upstream.close)
        self.addCleanup(self.tandem.stop)

    def ask(self, beta=None):
        """Each is a conversation of its own: what a header holds labels its conversation like content."""
        self.asked = getattr(self, "asked", 0) + 1
        headers = {} if beta is None else {"anthropic-beta": beta.encode().decode("latin-1")}
        return self.tandem.request("/v1/messages", {"model": "a", "max_tokens": 9, "messages": [{"role": "user", "content": f"hello for the time {self.asked}"}]}, headers)

    def sent(self):
        head = self.claude.requests[-1][0]
        return next((line.split(": ", 1)[1] for line in head.split("\r\n") if line.lower().startswith("anthropic-beta:")), None)

    def test_betas_are_handed_on_and_in_the_record(self):
        status, headers, raw = self.ask(", ".join(BETAS))
        self.assertEqual(status, 200, raw)
        self.assertEqual(self.sent(), ",".join(BETAS))
        self.assertEqual(self.tandem.egress()[-1]["headers"], "anthropic-beta: " + ",".join(BETAS))
        self.assertIn(BETAS[0], self.tandem.cli("audit", "show", "1").stdout)
        self.assertIn(BETAS[0], self.tandem.cli("audit", "prove").stdout)
        self.assertEqual(self.ask()[0], 200)
        self.assertIsNone(self.sent())
        self.assertNotIn("headers", self.tandem.egress()[-1])
        self.assertEqual(self.tandem.cli("audit", "verify").returncode, 0)
        # What is on record of them cannot be changed, nor taken away.
        export = self.tandem.cli("audit", "export").stdout
        file = self.tandem.folder / "export.jsonl"
        for text, good in ((export, True), (export.replace("context-1m", "context-2m"), False), (export.replace('"headers":"anthropic-beta: ' + ",".join(BETAS) + '",', ""), False)):
            if "checkpoint" in text and '"records":2' in text:
                file.write_text(text)
                self.assertEqual(self.tandem.cli("audit", "verify", "--file", str(file)).returncode == 0, good)

    def test_what_has_not_the_shape_of_a_beta_is_left_out_with_a_warning(self):
        passed = 0
        for beta in NOT_BETAS:
            with self.subTest(beta=beta):
                before = len(self.claude.requests)
                status, headers, _ = self.ask(f"{beta}, {BETAS[0]}")
                if status == 200:
                    passed += 1
                    self.assertIn("anthropic-beta", headers["x-tandem-warnings"])
                    self.assertEqual(self.sent(), BETAS[0])
                else:
                    self.assertEqual(len(self.claude.requests), before)  # a detector has found it
        self.assertGreater(passed, 10)
        many = [f"tool-{chr(97 + i // 26)}{chr(97 + i % 26)}-2025-01-01" for i in range(60)]
        status, headers, _ = self.ask(",".join(many))
        self.assertEqual((status, len(self.sent().split(","))), (200, 32))
        self.assertIn("28 values", headers["x-tandem-warnings"])
        for beta in NOT_BETAS[:-1]:
            if beta not in ("tools", "2025-01-01"):
                self.assertNotIn(beta.encode(), self.claude.raw)

    def test_detectors_look_at_them_with_the_content(self):
        for beta in (IBAN, "DE89 3704 0044 0532 0130 00", f"{BETAS[0]}, {IBAN}", "project-falcon-2025-01-01", "falcon-20250101"):
            with self.subTest(beta=beta):
                status, headers, raw = self.ask(beta)
                self.assertEqual((status, headers["x-tandem-label"]), (400 if status == 400 else 422, "private"), raw)
        self.assertEqual(self.claude.connections, 0)

    def test_it_is_left_out_for_other_dialects_and_nothing_else_of_a_client_leaves(self):
        secret = "falcon"
        headers = {"anthropic-beta": BETAS[0], "user-agent": secret, "openai-organization": secret, "openai-project": secret, "openai-beta": secret, "x-stainless-os": secret, "cookie": secret,
                   "referer": f"http://{secret}/", "x-request-id": secret, "idempotency-key": secret, "accept-language": secret, "x-goog-user-project": secret, "anthropic-version": secret,
                   "x-tandem-conversation": secret, "x-forwarded-for": secret, "traceparent": secret, "accept": f"application/json; x={secret}", "content-type": f"application/json; x={secret}"}
        for path, body in (("/v1/messages", {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}),
                           ("/v1/messages", {"model": "a", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}),
                           (f"/v1/chat/completions?q={secret}", {"model": "m", "messages": [{"role": "user", "content": "x"}]}),
                           (f"/v1/messages?beta=true&q={secret}", {"model": "a", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}),
                           (f"/v1beta/models/m:generateContent?key={secret}&alt={secret}", {"contents": [{"parts": [{"text": "x"}]}]}),
                           (f"/v1beta/models/{secret}:generateContent", {"contents": [{"parts": [{"text": "x"}]}]}),
                           (f"/v1/responses?include={secret}", {"model": "m", "input": "x"})):
            with self.subTest(path=path):
                self.tandem.request(path, body, headers)
        self.assertGreater(len(self.claude.requests) + len(self.far.requests), 4)
        self.assertNotIn(secret.encode(), self.claude.raw + self.far.raw)
        self.assertNotIn(b"anthropic-beta", self.far.raw.lower())


if __name__ == "__main__":
    unittest.main()
