"""The memory of labels is bounded for each key, and never forgets in a way that lets something private go."""
import json
import sqlite3
import unittest
import warnings

from harness import ANSWER, Tandem, Upstream, http

IBAN = "DE89 3704 0044 0532 0130 00"
ALICE, BOB = ({"authorization": f"Bearer {name}-key-0123456789"} for name in ("alice", "bob"))


def said(texts):
    return [{"role": "assistant" if i % 2 else "user", "content": t} for i, t in enumerate(texts)]


def in_every_dialect(texts):
    """The same messages in each dialect: (path, body)."""
    return [("/v1/chat/completions", {"model": "m", "messages": said(texts)}),
            ("/v1/responses", {"model": "m", "store": False, "input": said(texts)}),
            ("/v1/messages", {"model": "m", "max_tokens": 9, "messages": said(texts)}),
            ("/api/chat", {"model": "m", "stream": False, "messages": said(texts)}),
            ("/v1beta/models/m:generateContent", {"contents": [{"role": "model" if i % 2 else "user", "parts": [{"text": t}]} for i, t in enumerate(texts)]})]


class LabelMemory(unittest.TestCase):
    def setUp(self):
        warnings.simplefilter("ignore", ResourceWarning)
        self.cloud, self.home = Upstream(), Upstream()
        for upstream in (self.cloud, self.home):
            self.addCleanup(upstream.close)

    KEYS = "keys:\n  alice: { secret: alice-key-0123456789 }\n  bob: { secret: bob-key-0123456789 }\n"

    def config(self, privacy=""):
        return (f"{privacy}providers:\n  far: {self.cloud.provider('cloud')}\n  near: {self.home.provider('local')}\n"
                "models:\n  m: { provider: far, context: 10000000 }\n  home: { provider: near, context: 10000000 }\n")

    def start(self, privacy="", keys=KEYS):
        self.tandem = Tandem(keys + self.config(privacy))
        self.addCleanup(self.tandem.stop)

    def label(self, key, texts, path="/v1/chat/completions", body=None, model="m", **headers):
        status, got, raw = self.tandem.request(path, body or {"model": model, "messages": said(texts)}, {**key, **headers}, timeout=300)
        if got["x-tandem-label"] in ("private", "secret") and model == "m":
            self.assertIn(status, (400, 422), raw)
        return got["x-tandem-label"]

    def rows(self, table="label_memory"):
        with sqlite3.connect(self.tandem.folder / "data/ledger.db") as database:
            (count,) = database.execute(f"SELECT count(*) FROM {table}").fetchone()
        database.close()
        return count

    def test_refused_requests_leave_little(self):
        self.start()
        old = ["What does the letter of the foundation say about its account, which is " + IBAN + "?", "noted", "And what of the man in room four, whom nobody has visited?"]
        self.assertEqual(self.label(ALICE, old), "private")
        before = self.rows()
        for i in range(10):
            self.assertEqual(self.label(ALICE, [f"message {i} {j} of a flood, long enough to be known again: {IBAN if j == 0 else ''}" for j in range(9_000)]), "private")
        self.assertLess(self.rows() - before, 10 * 100)
        self.assertLess(self.rows("labelled_decisions"), 100)
        size = sum(f.stat().st_size for f in (self.tandem.folder / "data").glob("ledger.db*"))
        self.assertLess(size, 64 << 20)
        # Its memory is not full: what is public stays public, and what was private, private.
        self.assertEqual(self.label(ALICE, ["what is the weather like today, and what will it be?"]), "public")
        for path, body in in_every_dialect([old[2]]) + in_every_dialect(old):
            self.assertEqual(self.label(ALICE, [], path, body), "private")
        self.assertNotIn(b"room four", self.cloud.raw)

    def test_a_flood_of_one_key_neither_lets_its_own_go_nor_touches_another(self):
        self.start("privacy: { label_memory: 300 }\n")
        hers = ["Tell me about the plan of which nobody outside may know a word.", "It is a plan of four parts, and each of them is better than the last."]
        his = ["Here is the diary that I have kept since the spring of that year.", "I see that you have kept it well, and that you have missed no day."]
        public = "Please write a title of four words for this conversation, if you can."
        for key, texts in ((ALICE, hers), (BOB, his)):
            self.assertEqual(self.label(key, [*texts, "go on"], model="home", **{"x-tandem-label": "private"}), "private")
        self.assertEqual(self.label(BOB, [public]), "public")
        self.assertEqual(self.label(BOB, [his[0], his[1], public], model="home"), "private")
        for i in range(8):
            self.label(ALICE, [f"message {i} {j} of a flood, and long enough to be known again." for j in range(100)], model="home", **{"x-tandem-label": "private"})
        self.assertLess(self.rows(), 400)
        def all_holds():
            for path, body in in_every_dialect([hers[0]]) + in_every_dialect([*hers, "thanks"]) + in_every_dialect(["and then?", hers[1], "go on"]) + in_every_dialect(["message 0 7 of a flood, and long enough to be known again."]):
                self.assertEqual(self.label(ALICE, [], path, body), "private", path)
            for path, body in in_every_dialect([his[0]]) + in_every_dialect(["and then?", his[1], "go on"]):
                self.assertEqual(self.label(BOB, [], path, body), "private", path)
            self.assertEqual(self.label(BOB, ["something else that is long enough to be known again"]), "public")
            self.assertEqual(self.label(ALICE, ["something else that is long enough to be known again"]), "private")
        all_holds()
        self.assertEqual(self.label(BOB, [public]), "public")
        _, headers, _ = self.tandem.chat("hello", model="m", headers=ALICE)
        reasons = self.tandem.explain(headers["x-tandem-decision"])["decision"]
        self.assertIn("label memory of this key is full", str(reasons) + self.tandem.cli("explain", headers["x-tandem-decision"]).stdout)
        doctor = self.tandem.cli("doctor").stdout
        self.assertIn("label memory of alice", doctor)
        self.assertNotIn("label memory of bob", doctor)
        self.tandem.kill()
        self.tandem.start()
        all_holds()
        # The owner alone takes the floor away, on record.
        self.assertEqual(self.tandem.request("/tandem/v1/labels/forget", {"key": "alice", "reason": "x"}, ALICE)[0], 403)
        self.assertEqual(self.tandem.cli("label", "forget", "--key", "alice").returncode, 2)
        result = self.tandem.cli("label", "forget", "--key", "alice", "--reason", "it was a flood")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.label(ALICE, ["something else that is long enough to be known again"]), "public")
        self.assertEqual(self.label(BOB, [his[0]]), "private")
        self.assertEqual(self.tandem.egress()[-2]["rule"], "it was a flood")
        self.assertNotIn("label memory of alice", self.tandem.cli("doctor").stdout)
        for text in (*hers, *his):
            self.assertNotIn(text.encode(), self.cloud.raw)

    def test_a_header_that_labels_more_than_can_be_remembered_raises_the_floor(self):
        self.start()
        texts = [f"message {j} of a long talk, and long enough to be known again." for j in range(200)]
        self.assertEqual(self.label(ALICE, texts, **{"x-tandem-label": "private"}), "private")
        for one in (texts[0], texts[100], texts[-1]):
            self.assertEqual(self.label(ALICE, [one]), "private")
        self.assertEqual(self.label(BOB, ["something that is long enough to be known again"]), "public")

    def test_what_is_public_of_one_key_is_not_forgotten_for_the_flood_of_another(self):
        self.start()
        self.assertEqual(self.label(ALICE, [f"my account is {IBAN}"]), "private")
        title = "Please write a title of four words for this conversation, if you can."
        self.assertEqual(self.label(BOB, [title]), "public")
        for i in range(6):
            self.assertEqual(self.label(ALICE, [f"public message {i} {j}, which is long enough to be known again." for j in range(20_000)]), "public")
        self.assertEqual(self.label(BOB, [f"my account is {IBAN}", "noted", title], model="home"), "private")
        self.assertEqual(self.label(BOB, [title]), "public")

    def test_a_common_first_message_labels_neither_another_key_nor_another_conversation(self):
        self.start()
        words = ["hi there", "yes", "continue", "thanks", "Hello", "test"]
        for text in words:
            self.assertEqual(self.label(ALICE, [text], model="home", **{"x-tandem-label": "private"}), "private")
        (answer,) = {json.loads(self.tandem.request("/v1/chat/completions", {"model": "home", "messages": said([text])}, ALICE)[2])["choices"][0]["message"]["content"] for text in words[:1]}
        for restarted in (False, True):
            if restarted:
                self.tandem.kill()
                self.tandem.start()
            for text in words:
                for key in (BOB, ALICE):
                    for path, body in in_every_dialect([text]):
                        self.assertEqual(self.label(key, [], path, body), "public", (text, path))
                # The conversation itself goes on as it was, in every dialect.
                for path, body in in_every_dialect([text, answer, "and then?"]):
                    self.assertEqual(self.label(ALICE, [], path, body), "private", (text, path))
                    self.assertEqual(self.label(BOB, [], path, body), "public", (text, path))

    def test_a_conversation_of_short_words_is_known_again_whatever_its_system_prompt_and_blanks_are(self):
        self.start()
        system = lambda time: [{"role": "system", "content": f"It is {time}."}]
        texts = ["shall we say nine?", "nine is fine", "then at the gate, where nobody of the others will look for us"]
        body = {"model": "home", "messages": system("9:00") + said(texts)}
        self.assertEqual(self.label(ALICE, None, body=body, model="home", **{"x-tandem-label": "private"}), "private")
        later = texts + ["see you there", "and who else comes?"]
        blanks = [f" {t}\n".replace(" ", "  ", 1) for t in texts] + later[3:]
        for messages in (system("9:07") + said(later), said(later), system("9:08") + said(blanks)):
            self.assertEqual(self.label(ALICE, None, body={"model": "m", "messages": messages}), "private", messages)
        for path, body in in_every_dialect(later):
            self.assertEqual(self.label(ALICE, None, path, body), "private", path)
        # Another key's, and others that begin alike, are not that conversation.
        self.assertEqual(self.label(BOB, later), "public")
        self.assertEqual(self.label(ALICE, ["shall we say nine?", "nine is fine", "then at the pier, where nobody of the others will look for us", "good", "and who else comes?"]), "public")

    def test_a_message_is_known_again_in_another_place_whatever_its_blanks_are(self):
        self.start()
        for text in ("The man in room four was not visited by anybody this month, and his sister asks why that is so.",
                     "\n\n".join(f"Paragraph {i} of the report on the man in room four, whom nobody visits." for i in range(200))):
            self.assertEqual(self.label(ALICE, [text], **{"x-tandem-label": "private"}), "private")
            for again in (text, text + " ", " " + text, text + "\n", text.replace(" ", "  "), text.replace(" ", "\n", 3), text.replace("\n\n", "\n")):
                talk = ["I have another question for you today, if I may", "Of course, ask whatever you like to ask", again]
                self.assertEqual(self.label(ALICE, talk), "private", repr(again[-40:]))
                for path, body in in_every_dialect(talk):
                    self.assertEqual(self.label(ALICE, talk, path, body), "private", path)
            self.assertEqual(self.label(ALICE, ["This is about something else altogether, I think", "Then tell me what it is about, please", text[:60]]), "public")

    def test_what_was_private_before_there_were_keys_is_private_for_each_key(self):
        self.start(keys="")
        told = ["What of the man in room four?", "He sleeps.", "Thanks."]
        self.assertEqual(self.label({}, told, model="home", **{"x-tandem-label": "private"}), "private")
        self.tandem.kill()
        self.tandem.write(self.KEYS + self.config())
        self.tandem.start()
        for key in (ALICE, BOB):
            self.assertEqual(self.label(key, [*told, "Welcome.", "go on"]), "private")
            self.assertEqual(self.label(key, ["What of the man in room three?"]), "public")

    def test_a_document_is_known_to_every_key_and_a_sentence_is_not(self):
        self.start()
        sentence = "Here is the diary that I have kept since the spring of that year. "
        document = "".join(f"On day {i} nobody came, and I wrote it down. " for i in range(20))
        for text in (sentence, document):
            self.assertEqual(self.label(ALICE, [text], model="home", **{"x-tandem-label": "private"}), "private")
        for path, body in in_every_dialect([sentence]) + in_every_dialect([sentence, "noted", "go on"]):
            self.assertEqual(self.label(BOB, [], path, body), "public", path)
        _, headers, _ = self.tandem.chat(document, model="home", headers=BOB)
        self.assertIn("a long text that was labelled before", self.tandem.cli("explain", headers["x-tandem-decision"]).stdout)
        for path, body in in_every_dialect([document]) + in_every_dialect(["look", "at what?", document]):
            self.assertEqual(self.label(BOB, [], path, body), "private", path)
        self.assertNotIn(document.encode(), self.cloud.raw)

    def test_what_the_owner_asks_beside_keys_labels_nobody_elses(self):
        self.start()
        for text in ("What would it cost us to move to Lyon next year?", "hi there"):
            self.assertEqual(self.tandem.cli("ask", "--alias", "home", "--label", "private", text).returncode, 0)
            for key in (ALICE, BOB):
                self.assertEqual(self.label(key, [text]), "public")
                for path, body in in_every_dialect([text, "Hello there", "and then?"]) + in_every_dialect([text, "another answer", "and then?"]):
                    self.assertEqual(self.label(key, [], path, body), "public", path)
        # It is the owner's all the same.
        self.assertIn("private", self.tandem.cli("ask", "--alias", "home", "What would it cost us to move to Lyon next year?").stderr
                      + self.tandem.cli("explain", "--last").stdout)

    def test_a_canned_answer_and_a_template_label_nobody_elses(self):
        self.start()
        template = ["Classify.", "Sure, I will gladly classify the sentiment of each sentence that you send me now.", "The food was great, and the room was warm."]
        question = "Please tell me what is the best way to cook potatoes for ten guests tonight"
        for texts in ([question], template):
            self.assertEqual(self.label(ALICE, texts, model="home", **{"x-tandem-label": "private"}), "private")
        for texts in (["x", question, "go on"], [*template[:2], "The weather is nice, and the sea is calm."]):
            for path, body in in_every_dialect(texts):
                self.assertEqual(self.label(BOB, [], path, body), "public", texts)
        # What a model gave in private is private for who brings it; not for whom a model gave it in public, whoever was first.
        notices = [f"I am sorry, but I cannot help with that: please ask the office that is responsible, which has the number {n}." for n in range(3)]
        said = lambda n: setattr(self.home, "script", lambda connection, body, number: connection.sendall(answer(notices[n])))
        ask = lambda key, **headers: self.label(key, [f"{number()} whom do I ask?"], model="home", **headers)
        for n, first, second in ((0, BOB, ALICE), (1, ALICE, BOB)):
            said(n)
            for key, headers in ((first, {}), (second, {"x-tandem-label": "private"})):
                self.assertEqual(ask(key, **headers), headers.get("x-tandem-label", "public"))
            self.assertEqual(self.label(first, ["whom do I ask?", notices[n], "thanks"]), "public")
        said(2)
        self.assertEqual(ask(ALICE, **{"x-tandem-label": "private"}), "private")
        for path, body in in_every_dialect(["whom did she ask?", notices[2], "thanks"]):
            self.assertEqual(self.label(BOB, [], path, body), "private", path)

    def test_blanks_of_any_script_and_the_ends_of_parts_hide_nothing(self):
        self.start()
        text = "The meeting with the lawyer of the other party is on Monday at nine in her own office."
        self.assertEqual(self.label(ALICE, [text], model="home", **{"x-tandem-label": "private"}), "private")
        for blank in ("\u00a0", "\u2009", "\u3000", "\u200b ", "\t", " \u00ad"):
            self.assertEqual(self.label(ALICE, ["look", "at what?", text.replace(" ", blank)]), "private", repr(blank))
        for at in (7, 13, 40):
            parts = [{"type": "text", "text": text[:at]}, {"type": "text", "text": text[at:]}]
            body = {"model": "m", "messages": [*said(["look", "at what?"]), {"role": "user", "content": parts}]}
            self.assertEqual(self.label(ALICE, [], body=body), "private", at)
        self.assertNotIn(b"lawyer", self.cloud.raw)


NUMBERS = iter(range(1_000_000))


def number():
    return next(NUMBERS)


def answer(text):
    return http({**ANSWER, "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]})


if __name__ == "__main__":
    unittest.main()
