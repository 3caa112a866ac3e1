"""A newcomer's evening: every command of docs/start.md, in its order, with nothing set but what the page says. The home is empty; an
Ollama and a cloud provider are scripted; the machine that the package is installed on has a real systemd (machine.py). Then what goes wrong
on an evening: the budget is used up, the provider is down."""
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest

import machine
import model_servers
from harness import BINARY, Upstream, free_port, until

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/start.md"
IBAN = b"3704 0044"


ROOT, SERVICE = PAGE.parents[1], "## 8."


def blocks(kind):
    return re.findall(rf"```{kind}\n(.*?)```", PAGE.read_text().split(SERVICE)[0], re.S)


class Evening(unittest.TestCase):
    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="evening-"))
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)
        (self.home / "bin").mkdir()
        (self.home / "bin/tandem").symlink_to(pathlib.Path(BINARY).resolve())
        self.ollama = model_servers.ollama()
        self.addCleanup(self.ollama.close)
        self.cloud = Upstream()
        self.addCleanup(self.cloud.close)
        # What the shell of the page's reader has, and nothing of ours.
        self.shell = {"HOME": str(self.home), "PATH": f"{self.home}/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "OLLAMA_HOST": self.ollama.address}
        self.secrets = {"OPENAI_API_KEY": "sk-test-0123456789"}
        self.server = None
        self.file = self.home / ".config/tandem/tandem.yaml"

    def tearDown(self):
        if self.server:
            self.server.terminate()
            self.server.wait(60)

    def run_line(self, line, code=0, secrets=False):
        env = {**self.shell, **(self.secrets if secrets else {})}
        result = subprocess.run(["bash", "-c", line], env=env, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
        self.assertEqual(result.returncode, code, f"{line}\n{result.stdout}{result.stderr}")
        return result.stdout + result.stderr

    def serve(self):
        self.log = self.home / "log"
        with open(self.log, "wb") as log:
            self.server = subprocess.Popen([BINARY, "serve"], env={**self.shell, **self.secrets}, stdout=log, stderr=log)
        until(lambda: b"tandem is ready at" in self.log.read_bytes() or self.server.poll() is not None, "the server")
        self.assertIsNone(self.server.poll(), self.log.read_text())

    def point_the_cloud_here(self):
        """The provider's address is the real one; the test's is put in its place, and a free port in that of 7117."""
        text = self.file.read_text()
        self.assertIn("https://api.openai.com/v1", text)
        text = text.replace("https://api.openai.com/v1", self.cloud.base_url).replace("127.0.0.1:7117", f"127.0.0.1:{free_port()}")
        self.file.write_text(text)

    def at_cloud(self):
        return [body for _, body in self.cloud.requests if body]  # doctor lists models

    def test_every_command_of_the_page_does_what_the_page_says(self):
        lines = [line for block in blocks("sh") for line in block.splitlines()]
        said = {}
        for line in lines:
            command = line.split("#")[0].strip()
            if command == "tandem serve":
                self.serve()
            elif command == "tandem init":
                said[command] = self.run_line("tandem init --yes --no-scan", secrets=True)
                self.point_the_cloud_here()
            else:
                # Only what a server needs to start needs a provider's key.
                said[command] = self.run_line(command, secrets=command == "tandem doctor")
                if command.startswith("tandem ask"):  # a pipe gets the answer alone
                    said[command] = self.run_line("tandem explain --last")
        self.assertIn("found Ollama", said["tandem init"])
        self.assertRegex(said["tandem init"], r"Write a Python function|code")
        tried = said["tandem route try --examples"]
        self.assertRegex(tried, r"talk +\d+ +qwen2\.5:7b \(local\)")
        self.assertRegex(tried, r"\[private\]")
        for prompt, zone in [("hi there", "local"), ("TCP proxy", "cloud"), ("My IBAN", "local")]:
            answer = next(text for command, text in said.items() if command.startswith("tandem ask") and prompt in command)
            self.assertIn(f"({zone}): ", answer.splitlines()[1], prompt)
        self.assertIn("private", said["tandem explain --last"])
        self.assertEqual(len(self.at_cloud()), 1)
        self.assertFalse([b for b in self.at_cloud() if IBAN in b])
        self.assertTrue((self.home / ".claude/settings.json").exists())
        self.assertTrue((self.home / ".codex/config.toml").exists())
        for model in ("qwen2.5:7b", "llama3.2:1b"):
            self.assertIn(model, said["tandem models"])
        self.assertRegex(said["tandem logs"], r"cloud")
        self.assertNotIn("TCP proxy", said["tandem logs"])
        self.assertRegex(said["tandem cost"], r"gpt|openai|cloud")
        self.assertTrue((self.home / "tandem-backup.tar").exists())
        # The machine is lost: the archive on another one knows what it cost and why, and the record of egress is whole.
        cost = self.run_line("tandem cost --json")
        self.server.terminate()
        self.assertEqual(self.server.wait(60), 0)
        shutil.rmtree(self.home / ".local/share/tandem")
        self.run_line("tandem restore ~/tandem-backup.tar")
        self.assertEqual(self.run_line("tandem cost --json"), cost)
        self.serve()
        self.run_line("tandem audit verify")
        self.assertIn("Hello from home", self.run_line("tandem ask 'hi there again'"))
        self.assertIn("local", self.run_line("tandem explain --last"))
        self.server.terminate()
        self.assertEqual(self.server.wait(60), 0)
        with self.subTest("leave it running"):
            self.leave_it_running(cost)

    def leave_it_running(self, cost):
        """Section 8, on a machine of its own."""
        if not machine.can_boot():
            self.skipTest("no machine with systemd can be made here")
        build = pathlib.Path(BINARY).resolve().parent
        package = subprocess.run([ROOT / "packaging/deb.sh", build, self.home], env={**os.environ, "TANDEM_DEB_COMPRESSION": "none"}, capture_output=True, text=True, check=True).stdout.split()[-1]
        there = machine.Machine(self.home, build)
        self.addCleanup(there.close)
        self.assertTrue(there.up(), there.log.read_text())
        # LeakSanitizer, in the program of a debug build, cannot do its work in so closed a unit.
        there.run("mkdir -p /etc/systemd/system/tandem.service.d; printf '[Service]\\nEnvironment=ASAN_OPTIONS=detect_leaks=0\\n' >/etc/systemd/system/tandem.service.d/debug.conf")
        said = {}
        for line in re.findall(r"```sh\n(.*?)```", PAGE.read_text().split(SERVICE)[1], re.S)[0].splitlines():
            # sudo gives root's home; what is installed is what was built for this test.
            script = "sudo() { HOME=/root \"$@\"; }; " + line.replace("./build/tandem_0.1.0_amd64.deb", package).replace("apt-get install", "apt-get install -y")
            result = there.run(script, {"HOME": str(self.home), **self.secrets})
            self.assertEqual(result.returncode, 0, f"{line}\n{result.stdout}{result.stderr}\n{there.run('journalctl -u tandem --no-pager').stdout}")
            said[line.split(" | ")[0]] = result.stdout + result.stderr
        self.assertIn("/var/lib/tandem", said["sudo tandem status"])
        # It is what it was: what it cost, where work goes, and what left this machine.
        self.assertEqual(there.run("tandem cost --json").stdout, cost)
        asked = lambda text: there.run(f"tandem ask {shlex.quote(text)} >/dev/null; tandem explain --last").stdout
        self.assertRegex(asked("hi there once more"), r"\(local\)")
        self.assertRegex(asked("Write a TLS terminating proxy in Rust with async, backpressure and tests for half-closed connections"), r"\(cloud\)")
        self.assertRegex(asked("My IBAN is DE89 3704 0044 0532 0130 00. Which branch is that?"), r"\(local\)")
        self.assertFalse([b for b in self.at_cloud() if IBAN in b])
        self.assertEqual(there.run("tandem audit verify").returncode, 0)
        # What its user alone may read, and what the key of the cloud is not in.
        self.assertEqual(there.run("stat -c '%U %a' /var/lib/tandem /etc/tandem/tandem.yaml /etc/default/tandem").stdout.split("\n")[:3], ["tandem 700", "root 640", "root 640"])
        self.assertEqual(there.run("find /var/lib/tandem ! -user tandem").stdout, "")
        self.assertNotIn("sk-test", there.run("journalctl --no-pager").stdout)
        # A config that would not start is no reason to end what runs: an update leaves it alone, and says what to correct.
        there.run("sed -i 's/^policy:/polcy:/' /etc/tandem/tandem.yaml")
        until(lambda: "polcy" in there.run("tandem status").stdout, "the server to refuse it")
        running = there.run("systemctl show -p MainPID --value tandem").stdout
        updated = there.run(f"dpkg -i {package}")
        self.assertIn("did you mean 'policy'?", updated.stdout + updated.stderr)
        self.assertEqual(there.run("systemctl show -p MainPID --value tandem").stdout, running)
        self.assertEqual(there.run("tandem health").stdout, "ready\n")
        there.run("sed -i 's/^polcy:/policy:/' /etc/tandem/tandem.yaml")
        # What doctor says of it is not to lock the service out.
        self.assertNotIn("other users can read the config", there.run("tandem doctor").stdout)
        # It comes back by itself, and an update of the package keeps all of it.
        first = there.run("systemctl show -p MainPID --value tandem").stdout
        there.run("systemctl kill -s KILL tandem")
        until(lambda: there.run("tandem health").stdout == "ready\n" and there.run("systemctl show -p MainPID --value tandem").stdout != first, "the service after it was killed")
        self.assertEqual(there.run(f"dpkg -i {package}").returncode, 0)
        until(lambda: there.run("tandem health").stdout == "ready\n", "the service after the update")
        self.assertIn("local", asked("hi there after the update"))

    def test_what_goes_wrong_on_an_evening_is_said(self):
        self.run_line("tandem init --yes --no-scan", secrets=True)
        self.point_the_cloud_here()
        key = blocks("yaml")[0].replace("limit: 2.00", "limit: 0.01")
        self.file.write_text(self.file.read_text() + "\n" + key)
        self.serve()
        port = re.search(rb"ready at http://127\.0\.0\.1:(\d+)", self.log.read_bytes())[1].decode()
        send = lambda alias, text: self.run_line(
            f"curl -sS -i http://127.0.0.1:{port}/v1/chat/completions -H 'authorization: Bearer my-key-of-twenty-characters' -H 'content-type: application/json' "
            f"-d '{json.dumps({'model': alias, 'messages': [{'role': 'user', 'content': text}]})}'")
        hard = "Prove that the square root of two is irrational, and that the proof carries over to every prime"
        for _ in range(10):
            answer = send("auto", hard)
            self.assertIn("HTTP/1.1 200", answer)
            if "x-tandem-zone: local" in answer:
                break
        # The budget is used up: home answers, and says what was passed over and why.
        self.assertIn("x-tandem-zone: local", answer)
        self.assertRegex(answer, r"x-tandem-warnings:[^\n]*was not asked: [^\n]*USD")
        refused = send("cloud", hard)
        self.assertIn("HTTP/1.1 429", refused)
        self.assertRegex(refused, r"0\.01[^\n]*USD")
        self.assertIn("keys.me.budgets", refused)
        self.assertIn("429", self.run_line("tandem logs --status 429"))

    def test_a_provider_that_is_down_is_said_and_home_goes_on(self):
        self.run_line("tandem init --yes --no-scan", secrets=True)
        self.point_the_cloud_here()
        self.serve()
        self.cloud.close()
        out = self.run_line("tandem ask 'Design a database schema for a hospital with audit trails, and argue each choice'")
        self.assertIn("Hello from home", out)
        self.assertIn("failed", self.run_line("tandem explain --last"))


if __name__ == "__main__":
    unittest.main()
