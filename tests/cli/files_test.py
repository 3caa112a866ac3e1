"""Files that are gone, are something else, or are somebody else's: nothing waits for them, nothing takes them for none, and nothing of
the owner's is lost."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from harness import BINARY, Tandem, Upstream, free_port, until

NOT_REGULAR = "and a regular file is needed"


class WhileAServerRuns(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = Upstream()
        cls.config = f"providers:\n  lab: {cls.home.provider('local')}\nmodels:\n  small: {{ provider: lab, name: s, context: 8192 }}\n"

    @classmethod
    def tearDownClass(cls):
        cls.home.close()

    def setUp(self):
        self.tandem = Tandem(self.config)
        self.addCleanup(self.tandem.stop)

    def put(self, what):
        file = self.tandem.file
        self.remove()
        if what == "pipe":
            os.mkfifo(file)
        elif what == "device":
            file.symlink_to("/dev/zero")
        elif what == "loop":
            file.symlink_to(file)
        elif what == "folder":
            file.mkdir()
        elif what == "socket":
            self.socket = socket.socket(socket.AF_UNIX)
            self.addCleanup(self.socket.close)
            self.socket.bind(str(file))

    def remove(self):
        if self.tandem.file.is_dir() and not self.tandem.file.is_symlink():
            self.tandem.file.rmdir()
        else:
            self.tandem.file.unlink(missing_ok=True)

    def has(self, model):
        return any(m["id"] == model for m in json.loads(self.tandem.request("/v1/models")[2])["data"])

    def test_what_is_no_file_in_its_place_stops_neither_server_nor_commands(self):
        for number, what in enumerate(("pipe", "device", "loop", "folder", "socket", "nothing")):
            with self.subTest(what):
                self.put(what)
                self.tandem.process.send_signal(signal.SIGHUP)
                refused = "cannot read" if what in ("loop", "nothing") else "is a folder" if what == "folder" else NOT_REGULAR
                until(lambda: refused in self.tandem.cli("status").stdout, "the config to be refused")
                for command in (["status"], ["models"], ["cost"]):
                    result = self.tandem.cli(*command, timeout=20)
                    self.assertEqual(result.returncode, 0, (command, result.stderr))
                    self.assertIn("this goes by it", result.stderr)
                asked = self.tandem.cli("ask", "--alias", "small" if number == 0 else f"m{number - 1}", "hello")
                self.assertEqual(asked.returncode, 0, asked.stderr)
                # The next good one is read, and nothing waits for the one before.
                self.remove()
                self.tandem.write(self.config.replace("small", f"m{number}"))
                until(lambda: self.has(f"m{number}"), "the good config to be read")
        self.tandem.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.tandem.process.wait(60), 0)

    def test_a_config_that_was_deleted_does_not_send_the_prompt_to_another_address(self):
        for env in ({}, {"TANDEM_CONFIG": ""}):
            with self.subTest(env):
                server = Tandem(self.config, start=False)
                self.addCleanup(server.stop)
                # Without a name, the file of the folder is the config.
                server.env.update(env)
                server.start()
                server.file.unlink()
                before = len(self.home.requests)
                for command in (["status"], ["models"], ["ask", "hello"]):
                    result = server.cli(*command)
                    self.assertEqual(result.returncode, 0, (command, result.stderr))
                    self.assertIn("the running server has", result.stderr)
                self.assertEqual(len(self.home.requests), before + 1)

    def test_one_error_is_one_line_of_the_log(self):
        self.tandem.write("modles: {}\nproviderz: {}\n")
        until(lambda: "the old one stays" in self.tandem.log_text(), "the config to be refused")
        (line,) = [l for l in self.tandem.log_text().splitlines() if "the old one stays" in l]
        self.assertIn("modles", line)
        self.assertIn("providerz", line)
        self.assertFalse([l for l in self.tandem.log_text().splitlines() if "providerz" in l and l != line])

    def test_a_certificate_for_another_name_is_said_where_the_socket_is_gone(self):
        folder = self.tandem.folder
        made = subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", folder / "k.pem", "-out", folder / "c.pem", "-days", "2", "-subj", "/CN=other.example", "-addext", "subjectAltName=DNS:other.example"], capture_output=True)
        if made.returncode != 0:
            self.skipTest("no openssl")
        server = Tandem(f"server: {{ listen: 127.0.0.1:PORT, tls: {{ certificate: {folder}/c.pem, key: {folder}/k.pem }} }}\n" + self.config, tls=True)
        self.addCleanup(server.stop)
        self.assertEqual(server.cli("status").returncode, 0)
        (server.folder / "data/tandem.sock").rename(server.folder / "data/away")
        result = server.cli("status")
        self.assertEqual(result.returncode, 4, result.stderr)
        self.assertIn("its certificate is not taken", result.stderr)
        self.assertNotIn("start one", result.stderr)


class Commands(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tandem-files-"))
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.file = self.folder / "tandem.yaml"
        self.file.write_text(f"data: {self.folder}/data\nproviders:\n  l: {{ kind: openai, zone: local, base_url: 'http://127.0.0.1:9/v1' }}\nmodels:\n  a: {{ provider: l, name: x, context: 100000 }}\n")
        self.env = {**os.environ, "HOME": str(self.folder), "TANDEM_CONFIG": str(self.file), "XDG_RUNTIME_DIR": str(self.folder)}

    def run_cli(self, *arguments, code=0, env=None, **more):
        result = subprocess.run([BINARY, *map(str, arguments)], env={**self.env, **(env or {})}, cwd=self.folder, capture_output=True, text=True, timeout=60, **more)
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        return result.stdout + result.stderr

    def test_a_config_that_a_variable_names_must_be_there(self):
        missing = self.folder / "none.yaml"
        for command in (["models"], ["serve"], ["serve", "--check"], ["policy", "show"]):
            said = self.run_cli(*command, code=5, env={"TANDEM_CONFIG": str(missing)})
            self.assertIn("none.yaml, which $TANDEM_CONFIG names", said)
            self.assertEqual(self.run_cli(*command, "--config", missing, code=5).count("cannot read"), 1)
        self.run_cli("init", "--yes", "--no-scan", env={"TANDEM_CONFIG": str(missing)})
        self.run_cli("models", env={"TANDEM_CONFIG": str(missing)})
        link = self.folder / "link.yaml"
        link.symlink_to(self.folder / "nowhere.yaml")
        self.assertIn("a link to a file that is not there", self.run_cli("models", "--config", link, code=5))

    def test_no_command_waits_for_a_pipe_that_has_the_name_of_its_file(self):
        pipe, there = self.folder / "pipe", self.folder / "there"
        os.mkfifo(pipe)
        there.mkdir()
        for name in (pipe, there):
            for command, code in ((["models", "--config", name], 3), (["serve", "--config", name], 3), (["route", "try", name], 3), (["route", "evaluate", name], 3), (["privacy", "scan", name], 3),
                                  (["prices", "import", name], 3), (["prices", "apply", "--jsonl", name], 3), (["audit", "verify", "--file", name], 3), (["cost", "break-even", "--profile", name], 5), (["restore", name, "--data", self.folder / "x"], 6)):
                with self.subTest(name=name.name, command=command[:2]):
                    self.run_cli(*command, code=code)
        self.assertIn("`-` is the standard input", self.run_cli("privacy", "scan", pipe, code=3))
        # What a shell hands over by name is a pipe on purpose.
        self.assertEqual(subprocess.run(["bash", "-c", f"{BINARY} privacy scan <(echo hello)"], env=self.env, capture_output=True, timeout=60).returncode, 0)

    def test_a_key_that_is_a_pipe_or_a_folder_is_refused(self):
        os.mkfifo(self.folder / "pipe")
        (self.folder / "there").mkdir()
        for name in ("pipe", "there"):
            self.file.write_text(f"data: {self.folder}/data\nproviders: {{ o: {{ kind: openai, zone: cloud, base_url: 'https://x/v1', api_key: 'file:{name}' }} }}\n")
            self.assertIn(NOT_REGULAR, self.run_cli("serve", code=3))
            self.file.write_text(f"data: {self.folder}/data\nprivacy: {{ own: {{ f: {{ values_of: {self.folder}/{name} }} }} }}\n")
            self.assertIn(NOT_REGULAR, self.run_cli("serve", code=3))
        self.file.write_text(f"data: {self.folder}/data\nserver: {{ listen: '127.0.0.1:{free_port()}', tls: {{ certificate: {self.folder}/pipe, key: {self.folder}/pipe }} }}\n")
        self.assertIn(NOT_REGULAR, self.run_cli("serve", code=3))

    def test_names_of_the_config_cannot_act_on_a_terminal(self):
        provider = "providers:\n  l: {kind: openai, zone: local, base_url: 'http://127.0.0.1:1/v1'}\n"
        esc = "\\e[31m"
        for text in (f'"{esc}foo": 1\n', provider + f'models:\n  "a{esc}b": {{provider: l, name: x, contxt: 1}}\n', provider + f'models:\n  "a{esc}b": {{provider: nope, name: x}}\n', f'keys:\n  "{esc}k": {{secret: short}}\n', f'aliases: {{ "a{esc}": [ "b{esc}" ] }}\n',
                     f'experiments: {{ "e{esc}": {{ models: [x{esc}] }} }}\n', f'hardware: {{ "h{esc}": {{ watts: x }} }}\n', f'teams: {{ "t{esc}": {{ x: 1 }} }}\n', f'providers: {{ "p{esc}": {{ kind: "{esc}" }} }}\n', f'privacy: {{ own: {{ "o{esc}": {{ values_of: "/nonexistent{esc}" }} }} }}\n'):
            self.file.write_text(text)
            for command in (["models"], ["serve", "--check"]):
                result = subprocess.run([BINARY, *command], env=self.env, cwd=self.folder, capture_output=True, timeout=60)
                self.assertNotIn(b"\x1b", result.stdout + result.stderr, text)

    def test_a_file_of_the_owner_beside_it_is_neither_replaced_nor_followed(self):
        victim = self.folder / "victim"
        victim.write_text("precious")
        (self.folder / ".claude").mkdir()
        settings = self.folder / ".claude/settings.json"
        settings.write_text('{"a": 1}')
        (self.folder / ".claude/settings.json.new").symlink_to(victim)
        (self.folder / "tandem.yaml.new").write_text("# my draft")
        self.run_cli("connect", "claude-code", "--write")
        self.run_cli("init", "--yes", "--no-scan", "--force")
        self.assertEqual(victim.read_text(), "precious")
        self.assertEqual((self.folder / "tandem.yaml.new").read_text(), "# my draft")
        self.assertTrue((self.folder / ".claude/settings.json.new").is_symlink())
        self.assertEqual(sorted(p.name for p in (self.folder / ".claude").iterdir()), ["settings.json", "settings.json.before-tandem", "settings.json.new"])

    @unittest.skipUnless(os.geteuid() == 0, "only root mounts")
    def test_a_full_disk_leaves_what_was_there_and_nothing_else(self):
        script = """
mount --make-rprivate /
mount -t tmpfs -o size=64k none "$1"; cd "$1"; mkdir .claude
printf 'currency: USD\\n' >tandem.yaml; echo '{"a":1}' >.claude/settings.json
dd if=/dev/zero of=fill bs=1k count=100 2>/dev/null || true
export HOME="$1" TANDEM_CONFIG="$1/tandem.yaml" XDG_RUNTIME_DIR="$1"
"$2" init --yes --no-scan --force >/dev/null 2>said && echo written
"$2" connect claude-code --write >/dev/null 2>said2 && echo written
ls -A . .claude; cat tandem.yaml .claude/settings.json
"""
        there = self.folder / "full"
        there.mkdir()
        result = subprocess.run(["unshare", "-m", "bash", "-c", script, "sh", there, BINARY], capture_output=True, text=True, timeout=60)
        if "mount" in result.stderr:
            self.skipTest(result.stderr)
        self.assertNotIn("written", result.stdout)
        self.assertNotRegex(result.stdout, r"\.old|\.new|before-tandem|by-tandem")
        self.assertTrue(result.stdout.endswith('currency: USD\n{"a":1}\n'), result.stdout)

    @unittest.skipUnless(os.geteuid() == 0, "only root becomes another user")
    def test_a_home_that_cannot_be_written_is_said(self):
        nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
        home = self.folder / "home"
        home.mkdir()
        self.folder.chmod(0o755)
        with contextlib.suppress(FileNotFoundError):
            result = subprocess.run([*nobody, BINARY, "init", "--yes", "--no-scan"], env={"HOME": str(home), "PATH": os.environ["PATH"]}, cwd="/", capture_output=True, text=True, timeout=60)
            if "failed to execute" in result.stderr:
                self.skipTest(result.stderr)
            self.assertNotEqual(result.returncode, 0)
            self.assertIn("cannot make the folder", result.stderr)
            self.assertIn("Permission denied", result.stderr)


class Service(unittest.TestCase):
    """What is said where the config is the one of the package's service: in a mount namespace of the test's own."""

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("unshare"), "needs root")
    def test_a_service_is_started_by_its_manager_and_its_variables_are_in_its_file(self):
        with tempfile.TemporaryDirectory() as folder:
            script = """
mount --make-rprivate / && mount -t tmpfs none "$1" && mkdir "$1/u" "$1/w" && mount -t overlay overlay -o "lowerdir=/etc,upperdir=$1/u,workdir=$1/w" /etc || { echo cannot mount; exit; }
mkdir -p /etc/tandem; cd "$1"
printf 'data: %s/data\\nserver: { listen: "127.0.0.1:1" }\\n' "$1" >/etc/tandem/tandem.yaml
"$2" status --config /etc/tandem/tandem.yaml
printf 'providers: { o: { kind: openai, zone: cloud, base_url: "https://x/v1", api_key: "${NOT_SET_ANYWHERE}" } }\\n' >/etc/tandem/tandem.yaml
"$2" serve --config /etc/tandem/tandem.yaml
"""
            result = subprocess.run(["unshare", "-m", "bash", "-c", script, "sh", folder, BINARY], env={"HOME": folder, "PATH": os.environ["PATH"]}, capture_output=True, text=True, timeout=60)
            if "cannot mount" in result.stdout:
                self.skipTest("no overlay here")
            self.assertIn("start one with `systemctl start tandem`", result.stderr)
            self.assertIn("set it in /etc/default/tandem", result.stderr)
            self.assertNotIn("export", result.stderr)


if __name__ == "__main__":
    unittest.main()
