"""`tandem route try`: where prompts would go, with nothing run; files as people have them, and what is no file of prompts."""
import json
import unittest

from harness import Tandem

CONFIG = ("providers:\n  lab: { kind: ollama, zone: local, base_url: 'http://127.0.0.1:1' }\n  far: { kind: openai, zone: cloud, base_url: 'http://127.0.0.1:1/v1', api_key: k }\n"
          "models:\n  home: { provider: lab, name: 'qwen2.5:7b', context: 16384 }\n  gpt: { provider: far, name: gpt-5.1, price: { input: 1.25, output: 10 } }\n")


class RouteTry(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tandem = Tandem(CONFIG, start=False)

    @classmethod
    def tearDownClass(cls):
        cls.tandem.stop()

    def try_lines(self, *lines, more=(), code=0):
        file = self.tandem.folder / "prompts.txt"
        file.write_text("\n".join(lines) + "\n")
        result = self.tandem.cli("route", "try", str(file), "--json", *more)
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        return json.loads(result.stdout)

    def zone(self, prompt):
        return next(iter(prompt["policies"].values()))["zone"]

    def test_prompts_and_whole_requests_go_where_their_work_says(self):
        tools = [{"type": "function", "function": {"name": n, "parameters": {"type": "object"}}} for n in ("bash", "edit", "read")]
        said = self.try_lines(
            "grazie mille!", "", "Prove that there is no largest prime number, and explain each step rigorously",
            json.dumps({"prompt": "Übersetze ins Englische:\nDer Zug fährt um neun."}),
            json.dumps({"messages": [{"role": "system", "content": "You are a coding agent with a terminal."}, {"role": "user", "content": "fix the failing test"}], "tools": tools}),
            "My IBAN is DE89 3704 0044 0532 0130 00, prove that its check sum is right")
        self.assertEqual([self.zone(p) for p in said["prompts"]], ["local", "cloud", "local", "cloud", "local"])
        self.assertEqual(said["prompts"][4]["label"], "private")
        self.assertEqual(said["shares"]["all"]["hybrid"], {"local": 3, "cloud": 2, "nowhere": 0})

    def test_prompts_are_shown_by_characters_and_without_what_turns_a_terminal(self):
        file = self.tandem.folder / "shown.txt"
        russian = "Объясни, пожалуйста, как устроен двигатель внутреннего сгорания, и почему он греется"
        file.write_bytes(("\ufeff" + russian + "\nabc\u202edef \u2066x\n").encode())
        shown = self.tandem.cli("route", "try", str(file)).stdout
        self.assertIn(russian[:48] + "...", shown)
        self.assertNotIn("\ufeff", shown)
        self.assertNotRegex(shown, "[\u202a-\u202e\u2066-\u2069]")
        self.assertEqual(json.loads(self.tandem.cli("route", "try", str(file), "--json").stdout)["prompts"][0]["prompt"], russian)
        refused = self.tandem.cli("route", "try", str(self.tandem.folder))
        self.assertEqual(refused.returncode, 3)
        self.assertIn("is a folder", refused.stderr)

    def test_presets_are_compared_side_by_side(self):
        said = self.try_lines("Design a distributed lock with fencing, and argue its safety in detail", more=("--preset", "hybrid", "--preset", "local-first", "--preset", "cloud-first"))
        policies = said["prompts"][0]["policies"]
        self.assertEqual({name: p["zone"] for name, p in policies.items()}, {"hybrid": "cloud", "local-first": "local", "cloud-first": "cloud"})
        self.assertIn("a good answer is expected of it with", policies["local-first"]["sentence"])

    def test_what_is_no_file_of_prompts_is_said(self):
        for arguments, code, words in [((), 2, "--examples"), (("/nonexistent/prompts",), 5, "cannot be read"), (("/dev/zero",), 3, "too long"), (("/dev/null",), 3, "no prompt"),
                                       (("--examples", "--preset", "hybird"), 5, "did you mean 'hybrid'")]:
            result = self.tandem.cli("route", "try", *arguments)
            self.assertEqual(result.returncode, code, result.stdout + result.stderr)
            self.assertIn(words, result.stdout + result.stderr)


if __name__ == "__main__":
    unittest.main()
