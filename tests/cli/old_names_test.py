"""What was called otherwise before is still taken, with a word of warning; both names at once are an error, and nothing is guessed."""
import json
import unittest

from harness import Tandem, Upstream

OLD = """providers:
  far: {far}
models:
  m: {{ provider: far, context: 32768 }}
keys:
  me: {{ secret: my-key-0123456789, value: high, admin: true }}
policy:
  objective: {{ value: 2 }}
  rules:
    - {{ name: dear, value: high, prefer: cloud, lean: 0.2 }}
    - {{ name: all, prefer: local, lean: 0.3 }}
"""
NEW = OLD.replace("value: high, admin", "stakes: high, admin").replace("{{ value: 2", "{{ answer_value: 2").replace("value: high, prefer", "asked_stakes: high, prefer").replace("lean:", "zone_bias:")
KEY = {"authorization": "Bearer my-key-0123456789"}


class OldNames(unittest.TestCase):
    def setUp(self):
        self.far = Upstream()
        self.addCleanup(self.far.close)

    def tandem(self, config, start=True):
        tandem = Tandem(config.replace("{far}", self.far.provider("cloud")).replace("{{", "{").replace("}}", "}") if "{far}" in config else config, start=start)
        self.addCleanup(tandem.stop)
        return tandem

    def test_old_keys_are_taken_as_the_new_ones_with_a_warning_of_each(self):
        old, new = self.tandem(OLD), self.tandem(NEW)
        checked = old.cli("serve", "--check")
        self.assertEqual(checked.returncode, 0, checked.stderr)
        lines = [line for line in checked.stderr.splitlines() if "is now called" in line]
        at = {line: number for number, line in enumerate(old.file.read_text().splitlines(), 1)}
        number = lambda words: next(n for line, n in at.items() if words in line)
        self.assertEqual(lines, [f"{old.file}:{number('me:')}: `keys.me.value` is now called `stakes`",
                                 f"{old.file}:{number('objective')}: `policy.objective.value` is now called `answer_value`",
                                 f"{old.file}:{number('dear')}: `policy.rules[0].value` is now called `asked_stakes`",
                                 f"{old.file}:{number('dear')}: `policy.rules[0].lean` is now called `zone_bias`",
                                 f"{old.file}:{number('name: all')}: `policy.rules[1].lean` is now called `zone_bias`"])
        self.assertEqual(new.cli("serve", "--check").stderr, "")
        # The log and the doctor say the same.
        for line in lines:
            self.assertIn(line, old.log_text())
            self.assertIn(line, old.cli("doctor").stdout)
        self.assertNotIn("is now called", new.log_text())
        # They mean the same.
        self.assertEqual(old.cli("policy", "show").stdout, new.cli("policy", "show").stdout)
        self.assertIn("asked_stakes: high, prefer: cloud, zone_bias: 0.2", new.cli("policy", "show").stdout)
        for tandem in (old, new):
            _, headers, _ = tandem.chat("hi", "m", KEY)
            explained = tandem.explain(headers["x-tandem-decision"])
            self.assertEqual((explained["rule"], explained["inputs"]["stakes"]), ("dear", "high"))

    def test_both_names_of_a_key_at_once_are_an_error(self):
        for both in ("keys: { a: { secret: my-key-0123456789, value: high, stakes: high } }", "policy: { objective: { value: 1, answer_value: 1 } }",
                     "policy: { rules: [ { name: a, prefer: local, lean: 0.1, zone_bias: 0.1 } ] }", "policy: { rules: [ { name: a, prefer: local, value: high, asked_stakes: high } ] }",
                     "policy: { attempts: 1, failure: { attempts: 1 } }"):
            with self.subTest(both):
                tandem = self.tandem(both + "\n", start=False)
                checked = tandem.cli("serve", "--check", "--json")
                self.assertNotEqual(checked.returncode, 0)
                self.assertIn("both stand", checked.stderr)
                self.assertEqual(json.loads(checked.stdout)["code"], "invalid_config")

    def test_a_wrong_value_under_an_old_name_is_an_error_and_what_is_mistyped_is_meant_for_the_new_one(self):
        for wrong, words in (("policy: { objective: { value: -1 } }", "answer_value"), ("policy: { objective: { answer_valu: 1 } }", "did you mean 'answer_value'")):
            checked = self.tandem(wrong + "\n", start=False).cli("serve", "--check")
            self.assertNotEqual(checked.returncode, 0)
            self.assertIn(words, checked.stderr)

    def test_a_new_config_of_a_running_server_is_warned_of_in_the_log(self):
        tandem = self.tandem(NEW)
        from harness import until
        tandem.write(OLD.format(far=self.far.provider("cloud")))
        until(lambda: "`policy.objective.value` is now called `answer_value`" in tandem.log_text(), "the warning")

    def test_the_schema_marks_them_and_the_keys_name_them(self):
        tandem = self.tandem(NEW, start=False)
        schema = json.loads(tandem.cli("config", "schema").stdout)
        objective = schema["properties"]["policy"]["properties"]["objective"]["properties"]
        self.assertTrue(objective["value"]["deprecated"])
        self.assertNotIn("deprecated", objective["answer_value"])
        self.assertTrue(schema["properties"]["policy"]["properties"]["attempts"]["deprecated"])
        keys = {key["key"]: key for key in json.loads(tandem.cli("config", "keys", "--json").stdout)}
        self.assertEqual(keys["keys.NAME.stakes"]["formerly"], "value")
        self.assertNotIn("keys.NAME.value", keys)

    def test_the_old_header_is_read_with_a_warning_and_not_beside_the_new_one(self):
        tandem = self.tandem(NEW.replace("stakes: high, admin", "admin"))
        for path, body in (("/v1/chat/completions", {"model": "m", "messages": [{"role": "user", "content": "hi"}]}),
                           ("/v1/messages", {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}), ("/v1/models", None)):
            with self.subTest(path):
                _, headers, _ = tandem.request(path, body, {**KEY, "x-tandem-value": "high"})
                self.assertIn("x-tandem-value is now called x-tandem-stakes", headers["x-tandem-warnings"])
                if body:
                    self.assertEqual(tandem.explain(headers["x-tandem-decision"])["inputs"]["stakes"], "high")
                self.assertNotIn("is now called", tandem.request(path, body, {**KEY, "x-tandem-stakes": "high"})[1].get("x-tandem-warnings", ""))
                status, headers, raw = tandem.request(path, body, {**KEY, "x-tandem-stakes": "high", "x-tandem-value": "high"})
                self.assertEqual((status, headers["x-tandem-error"]), (400, "repeated_header"), raw)
        status, headers, raw = tandem.request("/v1/models", None, {**KEY, "x-tandem-value": "much"})
        self.assertEqual((status, headers["x-tandem-error"]), (400, "invalid_header"))
        self.assertIn(b"x-tandem-value", raw)

    def test_the_old_option_of_commands(self):
        tandem = self.tandem(NEW)
        for name, words in (("--value", "tandem: --value is now called --stakes\n"), ("--stakes", "")):
            said = tandem.cli("explain", "--dry-run", "hi", name, "high", "--json")
            self.assertEqual((said.returncode, said.stderr), (0, words))
            self.assertEqual(json.loads(said.stdout)["inputs"]["stakes"], "high")
        self.assertNotEqual(tandem.cli("explain", "--dry-run", "hi", "--value", "high", "--stakes", "high").returncode, 0)
        self.assertNotIn("--value", tandem.cli("explain", "--help").stdout)


if __name__ == "__main__":
    unittest.main()
