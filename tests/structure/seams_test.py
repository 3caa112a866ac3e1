"""A new kind of provider, command, route, detector or job is one file and one line: each is made up here, in a copy of the sources, and asked
of the program that comes of it."""
import contextlib
import json
import pathlib
import shlex
import shutil
import sqlite3
import subprocess
import tempfile
import unittest

from harness import Tandem, Upstream, until
import harness

BUILD = pathlib.Path(harness.BINARY).parent
ROOT = pathlib.Path(__file__).resolve().parents[2]

KIND = """// A server that is like OpenAI's and wants its key elsewhere.
#include "dialect/losses.h"
#include "provider/kind.h"

namespace tandem::provider {
namespace {
void authorize(net::Fields& headers, const Secret& key) {
    headers.add("x-made-up-key", key.reveal());
}
Said read_error(const json::Value& body) {
    Said said;
    said.message = "made up: " + message_in(body);
    return said;
}
}  // namespace
extern const Kind kMadeUp;
constinit const Kind kMadeUp = {.name = "made-up",
                                .product = "Made Up",
                                .speaker = dialect::Speaker::openai_chat,
                                .list_path = "/made-up-models",
                                .authorize = authorize,
                                .read_error = read_error};
}  // namespace tandem::provider
"""

COMMAND = """// tandem madeup: says so.
#include "cli/cli.h"

namespace tandem::cli {
void add_madeup(CLI::App& app, Globals&, Action& action) {
    app.add_subcommand("madeup", "A command that was made up")->callback([&] {
        action = [] {
            std::puts("it was made up");
            return kOk;
        };
    });
}
}  // namespace tandem::cli
"""

ROUTE = """// What answers at a path that was made up.
#pragma once
#include "api/routes.h"

namespace tandem::api {
inline net::Task<> made_up(Api&, const Route&, gateway::Call call) {
    net::Response response;
    response.body = "made up for " + std::string(call.who.id());
    co_await call.exchange.reply(std::move(response));
}
}  // namespace tandem::api
"""


JOB = """// A job that was made up: it writes into a file who it is for.
#pragma once
#include <fstream>

#include "job_kinds.h"

namespace tandem {
inline net::Task<jobs::Queue::Outcome> made_up(JobRooms&, jobs::Queue::Context& context) {
    if (context.job.progress.empty()) {
        (void)co_await context.note("half");
        co_return jobs::Queue::again(seconds(1), "it is half done");
    }
    std::ofstream(context.job.payload) << context.job.progress << " for " << context.job.owner << ", paid by " << context.job.budget;
    co_return jobs::Queue::done();
}
}  // namespace tandem
"""


def each_file(entries):
    """Of files that are compiled together (CMakeLists.txt), an entry for each, as if it were compiled by itself, with the file
    that includes all of them."""
    for entry in entries:
        if not pathlib.Path(entry["file"]).name.startswith("unity_"):
            yield entry
            continue
        for line in pathlib.Path(entry["file"]).read_text().splitlines():
            if line.startswith("#include"):
                file = line.split('"')[1]
                yield {**entry, "file": file, "command": entry["command"].replace(entry["file"], file), "together": pathlib.Path(entry["file"])}


class Copy:
    """The sources, and what is built of those that were changed."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tandem-seams-"))
        shutil.copytree(ROOT / "src", self.folder / "src")
        self.added, self.lines = [], {}
        entries = list(each_file(json.loads((BUILD / "compile_commands.json").read_text())))
        self.commands = {entry["file"]: entry for entry in entries}
        self.generators = {entry["file"]: entry for entry in entries if "tandem_patterns.dir" in entry["command"]}

    def add(self, name, text):
        (self.folder / "src" / name).write_text(text)
        self.added.append(name)

    def line(self, name, after, line):
        """One line more in a file, behind the one that has `after` in it."""
        file = self.folder / "src" / name
        lines = file.read_text().splitlines(keepends=True)
        at = next(number for number, one in enumerate(lines) if after in one)
        lines.insert(at + 1, line + "\n")
        file.write_text("".join(lines))
        self.lines[name] = self.lines.get(name, 0) + 1

    def touched(self):
        """Of this copy: files that are new, lines that are new in others, both counted by comparing with the sources."""
        differs = subprocess.run(["diff", "-r", "-N", str(ROOT / "src"), str(self.folder / "src")], capture_output=True, text=True).stdout
        new = [line for line in differs.splitlines() if line.startswith(("> ", "< "))]
        own = sum(len((self.folder / "src" / name).read_text().splitlines()) for name in self.added)
        return len(self.added), len(new) - own

    def compile(self, name, like=None, generator=False):
        """`like`: a file of the sources that is compiled in the same way, for one that is new. `generator`: as the program has
        it that makes the detectors' database."""
        entry = (self.generators if generator else self.commands)[str(ROOT / "src" / (like or name))]
        target = self.folder / (name.replace("/", "_") + (".generator.o" if generator else ".o"))
        words = shlex.split(entry["command"].replace(f"-I{ROOT}/src", f"-I{self.folder}/src"))
        words[words.index("-o") + 1] = str(target)
        source = self.folder / "src" / name
        if not like and "together" in entry:
            # The library has one object for all of them.
            source = self.folder / entry["together"].name
            source.write_text(entry["together"].read_text().replace(f"{ROOT}/src", f"{self.folder}/src"))
        words[words.index("-c") + 1] = str(source)
        return target, subprocess.Popen(words, cwd=entry["directory"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def link(self, target, instead_of, objects):
        """A program of the build, with other objects instead of one of its own; those go before what libraries have."""
        commands = subprocess.run(["ninja", "-C", str(BUILD), "-t", "commands", "-s", target], capture_output=True, text=True, check=True).stdout
        command = next(line for line in commands.splitlines()[::-1] if f" -o {target} " in line)
        words = shlex.split(command.replace(": && ", "", 1).removesuffix(" && :"))
        at = next(number for number, word in enumerate(words) if word.endswith(instead_of))
        words[at:at + 1] = [str(one) for one in objects]
        made = self.folder / pathlib.Path(target).name
        words[words.index("-o") + 1] = str(made)
        result = subprocess.run(words, cwd=BUILD, capture_output=True, text=True)
        assert result.returncode == 0, result.stderr[-4000:]
        return made

    def patterns(self, name):
        """The detectors' database, as the build makes it, with one family changed."""
        target, process = self.compile(name, generator=True)
        output, _ = process.communicate()
        assert process.returncode == 0, output[-4000:]
        generator = self.link("src/tandem_patterns", pathlib.Path(name).name + ".o", [target])
        (self.folder / "src/patterns_db.cpp").touch()
        subprocess.run([generator, self.folder / "src/patterns_db.cpp"], check=True, capture_output=True)
        return self.compile("patterns_db.cpp", like=BUILD / "src/patterns_db.cpp")

    def close(self):
        shutil.rmtree(self.folder)


class Seams(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.counts = {}
        cls.copy = Copy()
        cls.addClassCleanup(cls.copy.close)
        cls.make("kind", ["provider/kinds/made_up.cpp", KIND], ["provider/kind.cpp", "X(kOpenAi)", "    X(kMadeUp) \\"])
        cls.make("command", ["cli/made_up.cpp", COMMAND], ["cli/commands.h", "X(health, ", "    X(madeup, more) \\"])
        cls.make("route", ["api/made_up.h", ROUTE], ["api/routes.cpp", '"GET", "/healthz"', '    {"GET", "/tandem/v1/made-up", client, kChat, "Made up", made_up},'],
                 ["api/routes.cpp", '#include "api/routes.h"', '#include "api/made_up.h"'])
        cls.make("job", ["made_up_job.h", JOB], ["job_kinds.cpp", "{alerts::Alerts::kJob", '    {"made-up", {1, 1}, made_up},'],
                 ["job_kinds.cpp", '#include "alerts/alerts.h"', '#include "made_up_job.h"'])
        files, others = cls.copy.touched()
        cls.copy.line("privacy/patterns/credentials.cpp", '{token("pulumi")', '    {token("made-up"), "\\\\bmadeup_[a-z0-9]{40}", false, whole, "madeup_{40k}", "madeup_x"},')
        cls.counts["detector"] = (cls.copy.touched()[0] - files, cls.copy.touched()[1] - others)
        like = {"provider/kinds/made_up.cpp": "provider/kinds/openai.cpp", "cli/made_up.cpp": "cli/health.cpp"}
        names = ["main.cpp", "cli/help.cpp", "cli/made_up.cpp", "provider/kind.cpp", "provider/kinds/made_up.cpp", "api/routes.cpp",
                 "privacy/patterns/credentials.cpp", "job_kinds.cpp"]
        objects = []
        for two in (names[:2], names[2:4], names[4:6], names[6:]):  # two at a time
            for name, (target, process) in [(name, cls.copy.compile(name, like.get(name))) for name in two]:
                output, _ = process.communicate()
                assert process.returncode == 0, f"{name}: {output[-4000:]}"
                objects.append(target)
        target, process = cls.copy.patterns("privacy/patterns/credentials.cpp")
        output, _ = process.communicate()
        assert process.returncode == 0, output[-4000:]
        cls.binary = cls.copy.link("tandem", "main.cpp.o", [*objects, target])
        usual, harness.BINARY = harness.BINARY, str(cls.binary)
        cls.addClassCleanup(setattr, harness, "BINARY", usual)
        cls.upstream = Upstream()
        cls.addClassCleanup(cls.upstream.close)
        cls.tandem = Tandem(f"""
providers:
  new: {{ kind: made-up, zone: local, base_url: {cls.upstream.base_url}, api_key: its-key-0123456789 }}
models:
  m: {{ provider: new }}
""")
        cls.addClassCleanup(cls.tandem.stop)

    @classmethod
    def make(cls, what, file, *lines):
        files, others = cls.copy.touched()
        cls.copy.add(*file)
        for line in lines:
            cls.copy.line(*line)
        now = cls.copy.touched()
        cls.counts[what] = (now[0] - files, now[1] - others)

    def test_each_is_one_file_and_one_line(self):
        # What is declared in a header is included as well.
        self.assertEqual(self.counts, {"kind": (1, 1), "command": (1, 1), "route": (1, 2), "detector": (0, 1), "job": (1, 2)})

    def test_a_kind_of_provider_is_asked_in_its_way(self):
        status, headers, body = self.tandem.chat()
        self.assertEqual((status, json.loads(body)["choices"][0]["message"]["content"]), (200, "Hello there"))
        self.assertEqual(headers["x-tandem-provider"], "new")
        head, _ = self.upstream.requests[-1]
        self.assertIn("x-made-up-key: its-key-0123456789", head)
        self.assertNotIn("uthorization", head)

    def test_a_kind_of_provider_is_known_to_the_commands(self):
        listed = self.tandem.cli("models", "--json")
        self.assertIn('"kind":"made-up"', listed.stdout.replace(" ", ""), listed.stderr)
        self.tandem.cli("doctor")
        self.assertIn("GET /v1/made-up-models", [head.split(" HTTP")[0] for head, _ in self.upstream.requests])

    def test_an_unknown_kind_is_told_of_those_that_there_are(self):
        (self.tandem.folder / "wrong.yaml").write_text("providers: { a: { kind: made-down, zone: local, base_url: http://127.0.0.1:1/v1 } }\n")
        wrong = self.tandem.cli("serve", "--check", "--config", str(self.tandem.folder / "wrong.yaml"))
        self.assertIn("made-up", wrong.stderr + wrong.stdout)

    def test_a_command_is_run_and_shown(self):
        self.assertEqual(self.tandem.cli("madeup").stdout, "it was made up\n")
        self.assertIn("A command that was made up", self.tandem.cli("--help").stdout)
        self.assertIn("madeup", self.tandem.cli("completion", "bash").stdout)

    def test_a_detector_finds_what_it_is_for(self):
        self.assertEqual(self.tandem.chat("it is madeup_" + "0123456789" * 4)[1]["x-tandem-label"], "secret")
        self.assertEqual(self.tandem.chat("it is madeup_x")[1]["x-tandem-label"], "public")

    def test_a_route_answers_and_is_in_the_table(self):
        status, _, body = self.tandem.request("/tandem/v1/made-up")
        self.assertEqual((status, body), (200, b"made up for anonymous"))
        self.assertEqual(self.tandem.request("/tandem/v1/made-up", {})[0], 405)
        paths = json.loads(self.tandem.request("/tandem/v1/openapi.json")[2])["paths"]
        self.assertEqual(paths["/tandem/v1/made-up"]["get"]["summary"], "Made up")

    def test_a_job_is_begun_until_it_has_ended(self):
        self.tandem.kill()
        ledger, told = self.tandem.folder / "data/ledger.db", self.tandem.folder / "told"
        with contextlib.closing(sqlite3.connect(ledger)) as database, database:
            database.execute("INSERT INTO jobs (id, kind, owner, label, budget, payload, progress, created, due, begun, ends)"
                             " VALUES ('made-up-1', 'made-up', 'alice', 0, 'bob', ?, '', 1, 0, 0, 0)", (str(told),))
        self.tandem.start()
        left = lambda: sqlite3.connect(f"file:{ledger}?mode=ro", uri=True).execute("SELECT count(*) FROM jobs").fetchone()[0]
        until(lambda: left() == 0, "the end of the job")
        self.assertEqual(told.read_text(), "half for alice, paid by bob")


if __name__ == "__main__":
    unittest.main()
