"""`tandem advise`, --apply, --check and --undo as an owner uses them, on rows that the running program wrote."""
import hashlib
import html.parser
import json
import pathlib
import re
import subprocess
import unittest
from decimal import Decimal as D

from advice.compare_test import MONTHS, SPAN, Compared, config, micros
from advice.record import Record
from harness import BINARY, until


class Advised(Compared):
    def advise(self, *arguments, code=0):
        result = self.tandem.cli("advise", "--json", *arguments)
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        return json.loads(result.stdout) if result.stdout else {}

    def proposal(self, id, *arguments):
        answer = self.advise("--all", *arguments)
        return next((p for p in answer["proposals"] if p["id"] == id), None), answer

    def office(self, more=""):
        """Four weeks of work that all goes to the cloud, beside a machine that nobody needs."""
        self.start("policy: { preset: cloud-first }   # we tried home first\n" + more)
        self.copy([(hour * 3_600_000, "gpt", 2000, 0, 300, "public", 3_000, "code") for hour in range(28 * 24)])


class Proposals(Advised):
    def test_a_machine_that_nobody_needs_is_to_be_sold_for_what_it_costs(self):
        self.office()
        answer = self.advise(*SPAN)
        best = next(p for p in answer["proposals"] if p["number"] == answer["best"])
        self.assertEqual(best["id"], "sell-box")
        # 40 a month of depreciation, 6 of capital, and electricity that idles: 730 h x 50 W x 1.1 x 0.30.
        saved = D(40) + D(6) + D(730) * D("0.05") * D("1.1") * D("0.30")
        self.assertAlmostEqual(best["gain"]["mean"], float(saved), places=3)
        self.assertEqual(best["gain"]["error"], 0)
        self.assertEqual([c for c in best["changes"] if c["by_hand"]], [{"change": "sell box", "by_hand": True}])
        self.assertTrue(any("machines and electricity" in reason for reason in best["reasons"]), best["reasons"])
        text = self.tandem.cli("advise", *SPAN).stdout
        self.assertIn("by hand: sell box", text)
        self.assertRegex(text, r"1 \(without the machine box\) is worth \d+\.\d\d USD a month more than today's")

    def test_nothing_that_breaks_a_label_is_proposed(self):
        self.start()
        self.copy([(hour * 3_600_000, "small" if hour % 2 else "gpt", 2000, 0, 300, "private" if hour % 2 else "public", 3_000, "code")
                   for hour in range(28 * 24)])
        answer = self.advise("--all", *SPAN)
        for one in answer["proposals"]:
            # Whoever is not answered at home is not answered at all: never elsewhere.
            self.assertEqual(one["private"]["requests"] - one["private"]["home"], one["unserved"]["label"] + one["unserved"]["other"], one["id"])
            if one["number"] > 0:
                self.assertEqual(one["private"]["home"], 336, one["id"])
        sold, _ = self.proposal("sell-box", *SPAN)
        self.assertEqual(sold["number"], 0)
        self.assertIn("336 requests that are answered now would not be (label 336)", sold["refused"])
        self.refused("sell-box is not offered: 336 requests", "advise", *SPAN, "--apply", "sell-box", code=3)

    def test_what_was_said_decides_between_two_models_and_doubt_asks_for_a_probe(self):
        self.start("policy: { preset: local-first }\n", small=0.65)
        hours = range(28 * 24)
        private = [hour % 10 == 0 for hour in hours]
        by = ["small" if private[hour] or hour % 2 else "gpt" for hour in hours]
        ids = self.copy([(hour * 3_600_000, by[hour], 2000, 0, 300, "private" if private[hour] else "public", 3_000, "code") for hour in hours])
        before, answer = self.proposal("cloud-first", *SPAN)
        # Nobody has said how good either is: it is advised as a bet, with what would tell, and as a tie with changing nothing.
        self.assertEqual((answer["best"], answer["sure"]), (before["number"], False), answer["verdict"])
        self.assertRegex(answer["verdict"], r"is the best bet, not a sure one: \d.* % likely; .*`tandem probe \w+ --each 20` would tell more")
        self.assertTrue(0.6 <= before["gain"]["likely"] < 0.975 and before["gain"]["expected_loss"] > 0, before["gain"])
        self.assertIn(0, before["ties"])
        self.assertIn("does not tell it apart from changing nothing", self.tandem.cli("advise", *SPAN).stdout)
        self.assertIn("tandem probe gpt --each 20", [e["command"] for e in before["experiments"]])
        self.assertIn("tandem experiment start small-or-gpt --kind pairs --control small --treatment gpt", [e["command"] for e in before["experiments"]])
        Record(self.tandem).say([(d, model, 1 if model == "gpt" else 0) for d, model in zip(ids, by)])
        after, answer = self.proposal("cloud-first", *SPAN)
        self.assertTrue(after["gain"]["sure"] and answer["sure"], after)
        self.assertNotIn(0, after["ties"])
        self.assertGreater(answer["best"], 0)
        self.assertLess(after["quality"]["high"] - after["quality"]["low"], before["quality"]["high"] - before["quality"]["low"])

        # The belief by its formula, n0 = n1 = 12, n2 = 24: residuals of what was said beside what is expected of ordinary work.
        def believed(model, expected, said):
            count = D(by.count(model))
            d = count * (said - expected) / (count + 12)
            of_kind = (count * (said - expected) + 12 * d) / (count + 12)
            return min(D(1), max(D(0), expected + (count * (said - expected) + 24 * of_kind) / (count + 24)))
        mean = (believed("gpt", D("0.9"), 1) * private.count(False) + believed("small", D("0.65"), 0) * private.count(True)) / len(hours)
        self.assertAlmostEqual(after["quality"]["mean"], float(mean), places=4)

    def test_a_machine_is_bought_only_where_the_owner_names_one(self):
        self.start()
        # 100,000 tokens of answer an hour: 730 a month at 10 a million tokens and more is 730 USD.
        self.copy([(hour * 3_600_000, "gpt", 2000, 0, 100_000, "public", 300_000, "code") for hour in range(28 * 24)])
        self.assertFalse(any(p["id"].startswith("buy") for p in self.advise("--all", *SPAN)["proposals"]))
        offer = self.tandem.folder / "offer.yaml"
        offer.write_text("hardware:\n  - { name: rack, price: 960, life_months: 48, watts_idle: 10, watts_busy: 400,\n"
                         "      runs: [{ model: large, input_per_second: 10000, output_per_second: 40, quality: 0.9 }] }\n")
        rack, _ = self.proposal("buy-rack+learned", *SPAN, "--profile", str(offer))
        self.assertIsNotNone(rack)
        # An answer takes 0.2 s and 2,500 s, one comes each hour: one machine keeps up.
        station = next(s for s in rack["stations"] if s["model"] == "large")
        self.assertEqual((station["servers"], station["keeps_up"]), (1, True))
        # 20 of depreciation beside the 40 and 6 of the old one.
        self.assertEqual(rack["month"]["depreciation_micros"], 60_000_000)
        self.assertEqual(rack["month"]["cloud_micros"], 0)

    def test_a_model_of_a_provider_that_is_not_there_waits_for_its_key(self):
        self.start()
        self.copy([(hour * 3_600_000, "gpt", 2000, 0, 300, "public", 3_000, "code") for hour in range(28 * 24)])
        # The scripted provider is not known to the book as one, so `openai` is somebody new.
        more, _ = self.proposal("with-openai/gpt-4o-mini", *SPAN, "--with", "openai/gpt-4o-mini")
        self.assertTrue(more["changes"][0]["by_hand"])
        self.assertIn("add the provider openai with your key", more["changes"][0]["change"])
        self.refused("first add the provider openai", "advise", *SPAN, "--with", "openai/gpt-4o-mini", "--apply", "with-openai/gpt-4o-mini", code=3)

    def test_a_model_of_the_price_book_is_written_into_the_config(self):
        self.start()
        self.tandem.write(config(self.lab, self.far).replace("  far:", "  openai: { kind: openai, zone: cloud, base_url: https://api.openai.com/v1, api_key: k }\n  far:"))
        self.copy([(hour * 3_600_000, "gpt", 2000, 0, 300, "public", 3_000, "code") for hour in range(28 * 24)])
        result = self.tandem.cli("advise", *SPAN, "--with", "openai/gpt-4o-mini", "--apply", "with-openai/gpt-4o-mini")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertIn('openai/gpt-4o-mini: { provider: openai, name: "gpt-4o-mini" }', self.tandem.file.read_text())
        until(lambda: "openai/gpt-4o-mini" in self.tandem.request("/v1/models")[2].decode(), "the new model")

    def test_two_keys_of_the_same_work_are_named(self):
        self.start("keys:\n  anna: { secret: anna-secret-0123456789 }\n  bert: { secret: bert-secret-0123456789 }\n  carl: { secret: carl-secret-0123456789, label: private }\n"
                   "  me: { secret: me-secret-0123456789, admin: true }\n")
        for key in ("anna", "bert", "carl"):
            for i in range(20):
                self.assertEqual(self.tandem.chat(f"write a function {i}", headers={"authorization": f"Bearer {key}-secret-0123456789"})[0], 200)
        said = self.advise()["housekeeping"]
        self.assertTrue(any("the keys anna and bert have the same rights" in one for one in said), said)
        self.assertFalse(any("carl" in one for one in said), said)

    def test_the_page_has_a_picture_and_a_table_and_nothing_from_outside(self):
        self.office()
        page = self.tandem.folder / "advice.html"
        self.assertEqual(self.tandem.cli("advise", *SPAN, "--all", "--html", str(page)).returncode, 0)
        text = page.read_text()

        class Read(html.parser.HTMLParser):
            tags, open = [], []

            def handle_starttag(self, tag, attributes):
                self.tags.append(tag)
                if tag not in ("meta", "line", "circle", "polyline", "br"):
                    self.open.append(tag)

            def handle_endtag(self, tag):
                if tag not in ("line", "circle", "polyline"):
                    assert self.open.pop() == tag, tag
        reader = Read()
        reader.feed(text)
        self.assertEqual(reader.open, [])
        self.assertNotIn("script", reader.tags)
        self.assertNotRegex(text, r"(src|href)=|https?://")
        rows = len(re.findall("<tr>", text)) - 1  # less its head
        # A point for each row of the table but that of the record beside the quality, and beside the time for each that is known.
        answer = self.advise("--all", *SPAN)
        timed = [e["latency"]["known"] for e in (answer["now"], *answer["proposals"])].count(True)
        self.assertEqual(rows, len(answer["proposals"]) + 2)
        self.assertGreater(timed, 1)
        self.assertEqual(reader.tags.count("svg"), 2)
        self.assertEqual(reader.tags.count("circle"), rows - 1 + timed)
        self.assertIn("prefers-color-scheme:dark", text)


class Applied(Advised):
    def setUp(self):
        self.office()
        self.file = self.tandem.file
        self.before = self.file.read_text()

    def apply(self, which, code=0):
        result = self.tandem.cli("advise", *SPAN, "--apply", which)
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        return result.stdout + result.stderr

    def test_it_changes_one_word_keeps_the_comment_and_can_be_taken_back(self):
        said = self.apply("local-first")
        self.assertIn("local-first is applied", said)
        self.assertEqual(self.file.read_text(), self.before.replace("preset: cloud-first }   # we tried", "preset: local-first }   # we tried"))
        backup = pathlib.Path(str(self.file) + ".old")
        self.assertEqual(backup.read_text(), self.before)
        # The running server goes by it.
        asked = []

        def new_policy():
            asked.append(self.tandem.chat("write a function")[1].get("x-tandem-model"))
            return asked[-1] == "small"
        until(new_policy, "the new policy")
        check = json.loads(self.tandem.cli("advise", "--check", "--json").stdout)
        self.assertEqual((check["applied"], check["state"]), ("local-first", "in force"))
        self.assertEqual(check["since"]["requests"], len(asked))
        self.assertAlmostEqual(check["since"]["cost_per_day"] * check["since"]["days"] * 1e6, asked.count("gpt") * self.price(7, 0, 3), delta=5)
        self.assertEqual(check["predicted_cloud_per_day"], 0)
        booked = sum(self.price(2000, 0, 300) for _ in range(28 * 24))
        self.assertEqual(check["predicted"]["now"]["month"]["cloud_micros"], micros(D(booked) * MONTHS))
        self.assertEqual(self.tandem.cli("advise", "--check").returncode, 0)
        self.assertIn("is as it was before local-first", self.tandem.cli("advise", "--undo").stdout)
        self.assertEqual(self.file.read_text(), self.before)
        until(lambda: self.tandem.chat("write a function")[1].get("x-tandem-model") == "gpt", "the old policy")
        self.assertEqual(json.loads(self.tandem.cli("advise", "--check", "--json").stdout)["state"], "taken back")
        self.refused("there is nothing to take back", "advise", "--undo", code=5)

    def test_it_is_applied_once(self):
        self.apply("local-first")
        after = self.file.read_text()
        self.assertIn("local-first is applied already", self.apply("local-first", code=3))
        self.assertEqual(self.file.read_text(), after)
        self.assertFalse(pathlib.Path(str(self.file) + ".old.2").exists())

    def test_a_number_that_is_not_there_changes_nothing(self):
        for which in ("99", "0", "-1", "no-such", "today"):
            self.assertIn(f"there is no proposal '{which}'", self.apply(which, code=5))
        self.assertEqual(self.file.read_text(), self.before)
        self.assertEqual(list(self.file.parent.glob("*.old*")), [])

    def test_a_number_of_the_list_is_the_same_as_its_name(self):
        answer = self.advise(*SPAN)
        first = answer["proposals"][0]
        self.assertEqual(first["number"], 1)
        self.assertIn(f"{first['id']} is applied", self.apply("1"))
        self.assertIn("auto: false, provider: lab", self.file.read_text())

    def test_undo_does_not_throw_away_what_was_written_since(self):
        self.apply("local-first")
        changed = self.file.read_text() + "# a thought of mine\n"
        self.file.write_text(changed)
        self.refused("was changed since local-first was applied, and that would be lost", "advise", "--undo", code=3)
        self.assertEqual(self.file.read_text(), changed)
        self.assertEqual(json.loads(self.tandem.cli("advise", "--check", "--json").stdout)["state"], "changed since")

    def test_undo_wants_the_backup_to_be_what_it_was(self):
        self.apply("local-first")
        after = self.file.read_text()
        pathlib.Path(str(self.file) + ".old").write_text("something else\n")
        self.refused("is not what it was: nothing is put back", "advise", "--undo", code=1)
        self.assertEqual(self.file.read_text(), after)

    def test_killed_between_backup_and_write_nothing_is_lost(self):
        # All is done but the last step, as if the process was killed then.
        self.apply("local-first")
        self.file.write_text(self.before)
        self.assertEqual(pathlib.Path(str(self.file) + ".old").read_text(), self.before)
        self.assertEqual(json.loads(self.tandem.cli("advise", "--check", "--json").stdout)["state"], "not written")
        self.assertIn("was never written", self.tandem.cli("advise", "--undo").stdout)
        self.assertEqual(self.file.read_text(), self.before)
        self.assertIn("local-first is applied", self.apply("local-first"))

    def test_killed_at_any_moment_the_file_is_whole(self):
        after = self.before.replace("preset: cloud-first }   # we tried", "preset: local-first }   # we tried")
        seen = set()
        for step in range(12):
            with subprocess.Popen([BINARY, "advise", *SPAN, "--apply", "local-first"], env=self.tandem.env, cwd=self.tandem.folder,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
                try:
                    process.wait(60 if step == 11 else step * 0.15)  # the last one is not killed
                except subprocess.TimeoutExpired:
                    process.kill()
            text = self.file.read_text()
            self.assertIn(text, (self.before, after))
            seen.add(text)
            for old in self.file.parent.glob("tandem.yaml.old*"):
                self.assertIn(old.read_text(), (self.before, ""))  # a copy that was begun and not ended is nobody's backup
            self.assertIn(self.tandem.cli("advise", "--undo").returncode, (0, 5))
            self.assertEqual(self.file.read_text(), self.before)
        self.assertIn(after, seen)

    def test_the_api_has_the_advice_and_what_was_applied(self):
        self.apply("local-first")
        listed = json.loads(self.tandem.request("/tandem/v1/advice/applied")[2])["applied"]
        self.assertEqual([(one["name"], one["undone"]) for one in listed], [("local-first", 0)])
        said = self.advise("--all", *SPAN)

        def the_same():  # once the server has the new config
            status, _, body = self.tandem.request("/tandem/v1/advice?since=2026-03-02&until=2026-03-30&all=true")
            self.assertEqual(status, 200, body)
            return json.loads(body) == said
        until(the_same, "the advice of the new config")
        self.assertEqual(self.tandem.request("/tandem/v1/advice?all=maybe")[0], 400)
        self.assertEqual(self.tandem.request("/tandem/v1/advice/applied", {"name": "x"})[0], 400)
        self.assertEqual(self.tandem.request("/tandem/v1/advice/applied/77/undone", {})[0], 404)

    def test_a_note_of_another_file_is_not_followed(self):
        """Who may write notes over the API must not write files by them."""
        victim = self.tandem.folder / "victim"
        victim.write_text("mine\n")
        (self.tandem.folder / "evil").write_text("theirs\n")
        sums = {"before": hashlib.sha256(b"theirs\n").hexdigest(), "after": hashlib.sha256(b"mine\n").hexdigest()}
        for file, backup in ((victim, self.tandem.folder / "evil"), (self.file, self.tandem.folder / "evil"), (victim, f"{victim}.old/../evil")):
            note = {"name": "x", "file": str(file), "backup": str(backup), "predicted": "{}", **sums}
            status, _, body = self.tandem.request("/tandem/v1/advice/applied", note)
            self.assertEqual(status, 200, body)
            self.refused("was applied to", "advise", "--undo", code=3)
            self.assertEqual(victim.read_text(), "mine\n")
            self.assertEqual(self.file.read_text(), self.before)
            self.assertEqual(self.tandem.request(f"/tandem/v1/advice/applied/{json.loads(body)['id']}/undone", {})[0], 200)

    def test_without_a_server_nothing_is_changed(self):
        self.tandem.process.terminate()
        self.tandem.process.wait(30)
        self.assertIn("no server answers", self.apply("local-first", code=4))
        self.assertEqual(self.file.read_text(), self.before)
        self.assertEqual(list(self.file.parent.glob("*.old*")), [])
        self.tandem.start()

    def test_undo_works_while_the_server_is_down_and_is_noted_later(self):
        self.apply("local-first")
        self.tandem.process.terminate()
        self.tandem.process.wait(30)
        result = self.tandem.cli("advise", "--undo")
        self.assertEqual(result.returncode, 4)
        self.assertIn("It is not noted in the store", result.stdout)
        self.assertEqual(self.file.read_text(), self.before)
        self.tandem.start()
        self.assertEqual(self.tandem.cli("advise", "--undo").returncode, 0)
        self.assertEqual(json.loads(self.tandem.cli("advise", "--check", "--json").stdout)["state"], "taken back")

    def test_what_cannot_be_changed_cleanly_is_left_to_the_owner(self):
        # The same word, written so that it does not stand in the text.
        self.file.write_text(self.before.replace("preset: cloud-first }", 'preset: "cloud\\x2dfirst" }'))
        before = self.file.read_text()
        said = self.apply("local-first", code=3)
        self.assertIn("policy.preset: local-first", said)
        self.assertIn("by hand", said)
        self.assertEqual(self.file.read_text(), before)
        self.assertEqual(list(self.file.parent.glob("*.old*")), [])


if __name__ == "__main__":
    unittest.main()
