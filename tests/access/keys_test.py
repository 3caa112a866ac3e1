"""Keys that the owner makes while the server runs: `tandem keys`, beside those of tandem.yaml."""
import json
import os
import pathlib
import sqlite3
import unittest

from harness import Tandem, Upstream, until

FILE_KEY = {"authorization": "Bearer file-0123456789abcdef"}
CONFIG = """
providers:
  far: {far}
  near: {near}
models:
  big: {{ provider: far, price: {{ input: 1, output: 10 }} }}
  home: {{ provider: near }}
teams: {{ lab: {{ budgets: [{{ limit: 1 }}], limits: {{ rpm: 50 }} }} }}
{keys}
"""


def bearer(secret):
    return {"authorization": f"Bearer {secret}"}


class Keys(unittest.TestCase):
    def start(self, keys="keys: { file: { secret: file-0123456789abcdef } }"):
        far, near = Upstream(), Upstream()
        self.far, self.near = far, near
        self.addCleanup(far.close)
        self.addCleanup(near.close)
        tandem = Tandem(CONFIG.format(far=far.provider("cloud"), near=near.provider(), keys=keys))
        self.addCleanup(tandem.stop)
        return tandem

    def make(self, tandem, *arguments):
        made = tandem.cli("keys", "create", *arguments)
        self.assertEqual(made.returncode, 0, made.stderr)
        return made.stdout.strip()

    def ask(self, tandem, secret, model="home", path="/v1/chat/completions", **fields):
        return tandem.request(path, {"model": model, "messages": [{"role": "user", "content": "hello"}], **fields}, bearer(secret))

    def test_without_keys_nobody_makes_one_or_lowers_a_label_but_the_owner(self):
        """Whoever reaches the port may ask; what one user may do to all others is not for them."""
        upstream = Upstream()
        self.addCleanup(upstream.close)
        tandem = Tandem(f"providers: {{ lab: {upstream.provider()} }}\nmodels: {{ small: {{ provider: lab }} }}\n")
        self.addCleanup(tandem.stop)
        decision = tandem.chat("my account is DE89 3704 0044 0532 0130 00")[1]["x-tandem-decision"]
        asked = [("/tandem/v1/keys", {"name": "mine", "settings": {"admin": True}}), ("/tandem/v1/labels/release", {"decision": decision, "reason": "I say so"}),
                 ("/tandem/v1/labels/forget", {"key": "anonymous", "reason": "I say so"}), ("/tandem/v1/keys/mine/rotate", {})]
        for path, body in asked:
            status, _, raw = tandem.request(path, body)
            self.assertEqual(status, 403, (path, raw))
            self.assertIn(b"admin token", raw)
        self.assertEqual(tandem.request("/tandem/v1/status")[0], 200)
        self.assertEqual(tandem.chat("hello")[0], 200)
        self.assertEqual(tandem.cli("keys", "create", "mine").returncode, 0)

    def test_a_key_counts_from_when_it_is_made_until_it_is_revoked(self):
        tandem = self.start()
        secret = self.make(tandem, "alice", "--team", "lab", "--budget", "0.5/week", "--rpm", "20")
        self.assertTrue(secret.startswith("tandem-") and len(secret) > 60)
        self.assertEqual(self.ask(tandem, secret)[0], 200)
        self.assertEqual(tandem.request("/v1/models", headers=FILE_KEY)[0], 200)
        listed = tandem.cli("keys", "list").stdout
        self.assertIn("alice", listed)
        self.assertIn("lab", listed)
        self.assertNotIn(secret, listed)
        # What it is called in the ledger, and that the secret is nowhere on the disk.
        self.assertEqual(tandem.explain()["key"], "alice")
        for file in pathlib.Path(tandem.folder).rglob("*"):
            if file.is_file():
                self.assertNotIn(secret.encode(), file.read_bytes(), file)
        # After a crash too.
        tandem.kill()
        tandem.start()
        self.assertEqual(self.ask(tandem, secret)[0], 200)
        revoked = tandem.cli("keys", "revoke", "alice")
        self.assertEqual(revoked.returncode, 0, revoked.stderr)
        status, _, body = self.ask(tandem, secret)
        self.assertEqual(status, 401, body)
        self.assertIn("revoked", tandem.cli("keys", "list").stdout)
        # Its name is not given again: the ledger and the label memory know it.
        again = tandem.cli("keys", "create", "alice")
        self.assertNotEqual(again.returncode, 0)
        self.assertIn("alice", again.stderr)
        tandem.kill()
        tandem.start()
        self.assertEqual(self.ask(tandem, secret)[0], 401)

    def test_a_key_that_is_rotated_has_two_secrets_for_as_long_as_its_owner_says(self):
        tandem = self.start()
        old = self.make(tandem, "alice")
        renewed = tandem.cli("keys", "rotate", "alice", "--overlap", "24h")
        self.assertEqual(renewed.returncode, 0, renewed.stderr)
        new = renewed.stdout.strip()
        self.assertEqual((self.ask(tandem, old)[0], self.ask(tandem, new)[0]), (200, 200))
        newest = tandem.cli("keys", "rotate", "alice").stdout.strip()
        self.assertEqual((self.ask(tandem, old)[0], self.ask(tandem, new)[0], self.ask(tandem, newest)[0]), (401, 401, 200))

    def test_a_key_that_expires_says_so(self):
        tandem = self.start()
        secret = self.make(tandem, "alice", "--expires", "90d")
        self.assertEqual(self.ask(tandem, secret)[0], 200)
        self.assertNotEqual(tandem.cli("keys", "create", "late", "--expires", "2020-01-01").returncode, 0)
        tandem.kill()
        with sqlite3.connect(os.path.join(tandem.folder, "data", "ledger.db")) as database:
            database.execute("UPDATE keys SET settings = json_set(settings, '$.expires', '2020-01-01') WHERE name = 'alice'")
        tandem.start()
        status, _, body = self.ask(tandem, secret)
        self.assertEqual(status, 401)
        self.assertIn("expired", str(body))
        self.assertIn("tandem keys rotate alice", str(body))

    def test_an_expired_key_of_the_file_is_sent_to_the_file(self):
        tandem = Tandem(f"providers: {{ p: {{ kind: openai, base_url: 'http://127.0.0.1:9/v1', zone: local }} }}\nmodels: {{ m: {{ provider: p }} }}\n"
                        "keys: { alice: { secret: alice-0123456789abcdef, expires: '2020-01-01' } }\n")
        self.addCleanup(tandem.stop)
        status, _, body = tandem.chat(model="m", headers={"authorization": "Bearer alice-0123456789abcdef"})
        self.assertEqual(status, 401)
        self.assertIn("keys.alice.expires in tandem.yaml", str(body))
        self.assertNotIn("rotate", str(body))

    def test_a_limit_of_a_stored_key_says_that_the_store_has_it(self):
        tandem = self.start()
        secret = self.make(tandem, "alice", "--rpm", "1")
        self.ask(tandem, secret)
        status, _, body = self.ask(tandem, secret)
        self.assertEqual(status, 429)
        self.assertIn("`tandem keys create`", str(body))

    def test_scopes_hold(self):
        tandem = self.start()
        secret = self.make(tandem, "narrow", "--alias", "home", "--dialect", "anthropic", "--most", "internal")
        status, _, body = self.ask(tandem, secret)
        self.assertEqual(status, 403)
        self.assertIn("anthropic", str(body))
        status, _, body = self.ask(tandem, secret, path="/v1/messages", max_tokens=50)
        self.assertEqual(status, 200, body)
        status, _, body = self.ask(tandem, secret, path="/v1/messages", model="big", max_tokens=50)
        self.assertEqual(status, 403, body)
        status, _, body = tandem.request("/v1/messages", {"model": "home", "max_tokens": 50, "messages": [{"role": "user", "content": "my IBAN is DE89370400440532013000"}]}, bearer(secret))
        self.assertEqual(status, 403, body)
        self.assertIn("private", str(body))
        # What belongs to the owner is not for a client's key.
        self.assertEqual(tandem.request("/tandem/v1/keys", headers=bearer(secret))[0], 403)
        owner = self.make(tandem, "deputy", "--admin")
        self.assertEqual(tandem.request("/tandem/v1/keys", headers=bearer(owner))[0], 200)

    def test_the_first_key_closes_the_door_and_the_last_one_does_not_open_it(self):
        tandem = self.start(keys="")
        self.assertEqual(self.ask(tandem, "anything")[0], 200)
        self.make(tandem, "first")
        self.assertEqual(self.ask(tandem, "anything")[0], 401)
        self.assertEqual(tandem.cli("keys", "revoke", "first").returncode, 0)
        self.assertEqual(self.ask(tandem, "anything")[0], 401)
        self.assertEqual(tandem.cli("keys", "list").returncode, 0)  # the owner's socket needs none

    def test_bad_input_says_what_to_do(self):
        tandem = self.start()
        for arguments, part in ((["file"], "file"), (["a b"], "letters"), (["x", "--team", "lap"], "lab"), (["x", "--budget", "much"], "5/day"), (["x", "--budget", "5/fortnight"], "month"),
                                (["x", "--label", "hidden"], "internal"), (["x", "--dialect", "openai"], "openai-chat"), (["x", "--expires", "soon"], "90d"), (["x", "--alias", "hume"], "home")):
            made = tandem.cli("keys", "create", *arguments)
            self.assertNotEqual(made.returncode, 0, arguments)
            self.assertIn(part, made.stderr, arguments)
        for command in ("rotate", "revoke"):
            self.assertNotEqual(tandem.cli("keys", command, "nobody").returncode, 0)
            self.assertIn("tandem.yaml", tandem.cli("keys", command, "file").stderr)

    def test_a_key_whose_team_leaves_the_config_opens_nothing_until_it_is_back(self):
        tandem = self.start()
        secret = self.make(tandem, "alice", "--team", "lab")
        config = CONFIG.format(far=self.far.provider("cloud"), near=self.near.provider(), keys="keys: { file: { secret: file-0123456789abcdef } }")
        tandem.write(config.replace("teams: { lab:", "teams: { other:"))
        until(lambda: self.ask(tandem, secret)[0] == 401, "the key to be left out")
        self.assertIn("LEFT OUT", tandem.cli("keys", "list").stdout)
        tandem.write(config)
        until(lambda: self.ask(tandem, secret)[0] == 200, "the key to be back")


if __name__ == "__main__":
    unittest.main()
