"""What an engine has read outlives its unloading: a conversation goes on after a swap without being read again; and what is kept of it on
disk is bounded, is nobody else's, and goes. The real llama-server and the real SmolLM2, one of two models in memory at a time."""
import json
import pathlib
import random
import unittest

from harness import MODEL, Tandem, until

WORDS = "the old pump in the cellar was checked on Tuesday because of a noise which nobody could explain until Miller came".split()


def config(limit=None, engine="", context=1024):
    memory = f"memory: {limit}, " if limit else ""
    return (f"engine: {{ {memory}patience: 200ms, {engine} }}\nproviders: {{ home: {{ kind: engine }} }}\nmodels:\n"
            + "".join(f"  {name}: {{ provider: home, file: {MODEL}, context: {context}, slots: 2 }}\n" for name in "ab"))


class KeptPrompts(unittest.TestCase):
    def serve(self, engine=""):
        self.tandem = Tandem(config(engine=engine))
        self.addCleanup(self.tandem.stop)
        for model in "ab":
            self.say(model, self.conversation(0))
            self.tandem.request(f"/tandem/v1/engines/{model}/stop", b"{}")
        until(lambda: all(e["state"] == "stopped" for e in self.engines()), "both to be measured")
        self.limit = max(e["memory"]["planned_bytes"] for e in self.engines()) * 8 // 5
        self.tandem.write(config(self.limit, engine))
        until(lambda: json.loads(self.tandem.request("/tandem/v1/engines")[2])["memory"]["limit_bytes"] == self.limit, "the config to be read again")

    def engines(self):
        return json.loads(self.tandem.request("/tandem/v1/engines")[2])["engines"]

    def conversation(self, seed):
        """None begins as another does, or it would have the slot of that."""
        return [{"role": "system", "content": f"{seed} {seed} {seed}"},
                {"role": "user", "content": " ".join(random.Random(seed).choices(WORDS, k=150))}]

    def say(self, model, messages):
        """Tokens of the prompt, and how many of them did not have to be read."""
        status, headers, raw = self.tandem.chat(messages=messages, model=model, max_tokens=3, temperature=0, timeout=120)
        self.assertEqual(status, 200, raw)
        answer = json.loads(raw)
        messages += [answer["choices"][0]["message"], {"role": "user", "content": "and then?"}]
        return answer["usage"]["prompt_tokens"], answer["usage"]["prompt_tokens_details"]["cached_tokens"]

    def files(self, model="?"):
        return sorted(pathlib.Path(self.tandem.folder).glob(f"data/engines/{model}.d/prompts/*"))

    def test_conversations_go_on_after_a_swap(self):
        self.serve()
        first, second, other = self.conversation(1), self.conversation(2), self.conversation(3)
        self.say("a", first), self.say("a", second)
        self.say("b", other)
        self.assertEqual((len(self.files("a")), self.files("b")), (2, []))
        self.assertTrue(all(file.stat().st_mode & 0o077 == 0 or file.parent.stat().st_mode & 0o077 == 0 for file in self.files()))
        for talk in (first, second):
            prompt, cached = self.say("a", talk)
            self.assertGreater(cached, 140)
            self.assertLess(prompt - cached, 40)
        self.assertEqual((self.files("a"), len(self.files("b"))), ([], 1))
        prompt, cached = self.say("b", other)
        self.assertGreater(cached, 140)

    def test_more_conversations_than_slots_are_each_read_once(self):
        self.tandem = Tandem(config())
        self.addCleanup(self.tandem.stop)
        talks = [self.conversation(seed) for seed in range(5)]
        for talk in talks:
            self.say("a", talk)
        for talk in talks:
            prompt, cached = self.say("a", talk)
            self.assertLess(prompt - cached, 40)

    def test_nothing_is_left_of_it(self):
        self.serve()
        self.say("a", self.conversation(1)), self.say("b", self.conversation(2))
        self.assertTrue(self.files())
        self.tandem.kill()
        self.tandem.start()
        self.assertEqual(self.files(), [])
        self.say("a", self.conversation(1)), self.say("b", self.conversation(2))
        self.assertTrue(self.files())
        folder = self.tandem.folder
        self.tandem.process.terminate()
        self.tandem.process.wait(60)
        self.assertEqual(sorted(pathlib.Path(folder).glob("data/engines/*.d/prompts/*")), [])

    def test_a_damaged_file_and_one_of_another_setup_are_not_taken(self):
        self.serve()
        talk = self.conversation(1)
        self.say("a", talk), self.say("b", self.conversation(2))
        for file in self.files("a"):
            file.write_bytes(random.Random(5).randbytes(file.stat().st_size))
        prompt, cached = self.say("a", talk)
        self.assertLess(cached, 20)
        self.assertEqual([e["restarts"] for e in self.engines()], [0, 0])
        self.say("b", self.conversation(2))
        self.assertTrue(self.files("a"))
        self.tandem.write(config(self.limit * 2, context=2048))
        until(lambda: json.loads(self.tandem.request("/tandem/v1/engines")[2])["memory"]["limit_bytes"] == self.limit * 2, "the config")
        self.say("a", talk)
        self.assertEqual(self.files("a"), [])

    def test_the_bound_and_the_owner_who_wants_none(self):
        """One conversation of 150 words takes 4 MB here."""
        self.serve("prompts: 6MiB")
        self.say("a", self.conversation(1)), self.say("a", self.conversation(2)), self.say("b", self.conversation(3))
        self.assertEqual(len(self.files("a")), 1)
        self.say("a", self.conversation(4))
        self.assertLess(sum(file.stat().st_size for file in self.files()), 6 << 20)
        self.tandem.write(config(self.limit, "prompts: 0"))
        until(lambda: self.say("b", self.conversation(5)) and self.say("a", self.conversation(6)) and not self.files(), "no files", 120)
        self.say("b", self.conversation(7))
        self.assertEqual(self.files(), [])


if __name__ == "__main__":
    unittest.main()
