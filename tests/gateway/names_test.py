"""Names of models as clients send them: fixed names that an alias with a * stands for, pass-through, a default; with labels,
clearance and the keys' own aliases as for every other name."""
import json
import unittest

from harness import Tandem, Upstream

KEYS = {name: f"{name}-secret-0123456789" for name in ("all", "auto", "local", "claude", "one", "strong", "through")}


def header(key):
    return {"authorization": "Bearer " + KEYS[key]}


class Names(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home, cls.far = Upstream(), Upstream()
        cls.tandem = Tandem(
            f"policy: {{ preset: local-first }}\nproviders:\n  lab: {cls.home.provider()}\n  far: {cls.far.provider('cloud')}\n"
            "models:\n  small: { provider: lab }\n  big: { provider: far, price: { input: 1, output: 1 } }\n  \"or/*\": { provider: far, price: { input: 1, output: 1 } }\n"
            "  \"fixed-*-model\": { provider: lab, name: \"team/*-v2\" }\n"
            "aliases:\n  strong: [big]\n  \"claude-*\": auto\n  \"claude-opus-*\": strong\n  \"*haiku*\": local\n  \"secret-*\": private\n  \"listed-*\": [big, small]\n  \"*\": local\n"
            "keys:\n" + "".join(f"  {name}: {{ secret: {secret}, aliases: {aliases} }}\n" for (name, secret), aliases in zip(
                KEYS.items(), ("[auto, local, cloud, private, small, big, strong, \"or/*\", \"fixed-*-model\", \"claude-*\", \"listed-*\"]", "[auto]", "[local]", "[\"claude-*\"]", "[or/openai/gpt-5.1]", "[strong]", "[\"or/*\"]"))))

    @classmethod
    def tearDownClass(cls):
        cls.tandem.stop()
        cls.home.close()
        cls.far.close()

    def ask(self, model, key="all", content="hello", **more):
        return self.tandem.chat(content, model=model, headers={**header(key), **more})

    def test_a_fixed_name_falls_to_the_most_specific_alias_and_the_answer_says_so(self):
        for name, model in (("claude-sonnet-4-5", "small"), ("claude-opus-4-5", "big"), ("claude-haiku-4-5", "small"), ("gpt-4o-mini", "small"), ("listed-7", "big")):
            status, headers, body = self.ask(name)
            self.assertEqual((status, headers["x-tandem-model"]), (200, model), (name, body))
            self.assertIn(f"no model here is called '{name}'", headers["x-tandem-warnings"])
        self.assertIsNone(self.ask("auto")[1]["x-tandem-warnings"])
        self.assertIn("asked for   claude-sonnet-4-5", (self.ask("claude-sonnet-4-5"), self.tandem.cli("explain", "--last"))[1].stdout)
        self.assertTrue(self.tandem.explain()["replay_is_same"])

    def test_what_the_owner_passes_through_is_asked_by_its_providers_name(self):
        status, headers, _ = self.ask("or/openai/gpt-5.1")
        self.assertEqual((status, headers["x-tandem-model"], headers["x-tandem-warnings"]), (200, "or/openai/gpt-5.1", None))
        self.assertEqual(json.loads(self.far.requests[-1][1])["model"], "openai/gpt-5.1")
        self.assertEqual(self.ask("fixed-gold-model")[0], 200)
        self.assertEqual(json.loads(self.home.requests[-1][1])["model"], "team/gold-v2")
        rows = json.loads(self.tandem.cli("cost", "--by", "model", "--json").stdout)["rows"]
        self.assertIn("or/openai/gpt-5.1", [r["group"] for r in rows])

    def test_no_name_leads_out_of_its_place(self):
        before = len(self.far.requests)
        for name in ("or/", "or/../admin", "or/a b", "or/a\r\nx-injected: 1", "or/" + "x" * 300, "or/a?b", "or/*"):
            status, headers, body = self.ask(name)
            self.assertIn(status, (400, 403, 404), (name, body))
            self.assertNotIn("x-injected", {k.lower() for k in headers.keys()})
        self.assertEqual(len(self.far.requests), before)

    def test_labels_and_clearance_hold_behind_every_name(self):
        before = len(self.far.requests)
        card = "my card is 4111 1111 1111 1111"
        self.assertEqual(self.ask("claude-sonnet-4-5", content=card)[1]["x-tandem-zone"], "local")
        for name in ("or/openai/gpt-5.1", "claude-opus-4-5"):
            status, _, body = self.ask(name, content=card)
            self.assertEqual(status, 422, body)
        # The alias that labels does so under its other names.
        status, headers, _ = self.ask("secret-agent", content="a question that nothing else asks here")
        self.assertEqual((status, headers["x-tandem-label"], headers["x-tandem-zone"]), (200, "private", "local"))
        self.assertEqual(len(self.far.requests), before)

    def test_a_key_may_use_what_its_aliases_name_whatever_a_client_calls_it(self):
        for key, name, status in (("auto", "claude-sonnet-4-5", 200), ("auto", "claude-opus-4-5", 403), ("auto", "gpt-4o", 403), ("local", "gpt-4o", 200), ("local", "claude-x", 403), ("claude", "claude-x", 200),
                                  ("claude", "claude-opus-1", 403), ("claude", "auto", 403), ("one", "or/openai/gpt-5.1", 200), ("one", "or/openai/gpt-5", 403), ("strong", "claude-opus-4", 200), ("strong", "or/x", 403), ("through", "or/x", 200), ("through", "orz/x", 403), ("through", "x/or/x", 403)):
            self.assertEqual(self.ask(name, key)[0], status, (key, name))

    def test_the_lists_of_models_have_no_patterns_and_a_name_behind_one_can_be_looked_up(self):
        listed = [m["id"] for m in json.loads(self.tandem.request("/v1/models", headers=header("all"))[2])["data"]]
        self.assertIn("strong", listed)
        self.assertEqual([m for m in listed if "*" in m], [])
        tags = [m["name"] for m in json.loads(self.tandem.request("/api/tags", headers=header("all"))[2])["models"]]
        self.assertEqual([m for m in tags if "*" in m], [])
        self.assertEqual(self.tandem.request("/v1/models/claude-sonnet-4-5", headers=header("all"))[0], 200)
        self.assertEqual(self.tandem.request("/v1/models/claude-sonnet-4-5", headers=header("strong"))[0], 404)
        self.assertEqual(self.tandem.request("/api/show", {"model": "claude-sonnet-4-5"}, headers=header("all"))[0], 200)

    def test_a_name_that_nothing_stands_for_is_still_unknown(self):
        plain = Tandem(f"providers: {{ lab: {self.home.provider()} }}\nmodels: {{ small: {{ provider: lab }} }}\naliases: {{ \"gpt-*\": [small] }}\n")
        self.addCleanup(plain.stop)
        status, _, body = plain.chat(model="claude-x")
        self.assertEqual(status, 404)
        self.assertNotIn("*", json.loads(body)["error"]["message"])
        self.assertEqual(plain.chat(model="gpt-4o")[1]["x-tandem-model"], "small")


if __name__ == "__main__":
    unittest.main()
