"""The owner's commands on the server's machine: without a secret in the shell, with a broken config on disk, with TLS for
another name; over the socket in the data folder, which nobody else may use."""
import contextlib
import fcntl
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import threading
import unittest

from harness import BINARY, Tandem, Upstream, until

SECRETS = {"CLOUD_KEY": "sk-cloud-0123456789", "ALICE_KEY": "alice-secret-0123456789", "OWN_VALUE": "the-owners-own-value"}


class Local(http.client.HTTPConnection):
    """HTTP over a UNIX socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def local_request(path, target, body=None, headers=None):
    with contextlib.closing(Local(path)) as connection:
        connection.request("POST" if body else "GET", target, json.dumps(body) if body else None, {"content-type": "application/json", **(headers or {})})
        answer = connection.getresponse()
        return answer.status, answer.read()


def answers(path):
    try:
        return local_request(path, "/tandem/v1/status")[0] == 200
    except ConnectionRefusedError:  # of the socket that kill -9 left
        return False


class WithoutSecrets(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home, cls.cloud = Upstream(), Upstream()
        cls.addClassCleanup(cls.home.close)
        cls.addClassCleanup(cls.cloud.close)
        cls.config = f"""
providers:
  lab: {{ kind: openai, zone: local, base_url: {cls.home.base_url} }}
  far: {{ kind: openai, zone: cloud, base_url: {cls.cloud.base_url}, api_key: ${{CLOUD_KEY}} }}
models:
  small: {{ provider: lab }}
  big: {{ provider: far, price: {{ input: 1, output: 10 }} }}
keys:
  alice: {{ secret: ${{ALICE_KEY}}, label: private, aliases: [auto, small] }}
privacy: {{ own: {{ mine: {{ values: [${{OWN_VALUE}}] }}, words: {{ words: [Bluebird], label: private }} }} }}
currency: EUR
"""
        cls.tandem = Tandem(cls.config, env=SECRETS)
        cls.addClassCleanup(cls.tandem.stop)
        cls.socket = cls.tandem.folder / "data/tandem.sock"
        status, headers, raw = cls.tandem.chat(model="small", headers={"authorization": "Bearer " + SECRETS["ALICE_KEY"]})
        assert status == 200, raw
        cls.decision = headers["x-tandem-decision"]

    @classmethod
    def run_bare(cls, *arguments, **more):
        """With nothing in the environment but where the config is."""
        return subprocess.run([BINARY, *arguments, "--config", str(cls.tandem.file)], env={}, cwd="/", capture_output=True, text=True, timeout=60,
                              stdin=subprocess.DEVNULL, **more)

    def commands(self):
        decision = self.decision
        return [("cost",), ("cost", "--by", "key", "--json"), ("explain",), ("explain", decision), ("explain", "--dry-run", "hello"), ("status",), ("audit", "list"),
                ("audit", "verify"), ("policy", "show"), ("privacy", "scan", "/etc/hostname"), ("connect", "aider", "--model", "auto"),
                ("feedback", decision, "good"), ("learning", "show"), ("learning", "export"), ("probe",), ("experiment", "status"), ("engine", "list"),
                ("replay", "--policy", str(self.tandem.file)), ("ask", "-a", "small", "hello"), ("ask", "-a", "small", "--key", "alice", "hello")]

    def test_no_command_needs_a_secret(self):
        for command in self.commands():
            result = self.run_bare(*command)
            self.assertEqual(result.returncode, 0, f"{command}: {result.stdout}{result.stderr}")
        self.assertIn("EUR", self.run_bare("cost").stdout)

    def test_the_server_still_wants_every_secret_and_doctor_says_what_it_cannot_try(self):
        self.assertEqual(self.run_bare("serve").returncode, 3)
        result = self.run_bare("doctor")
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertRegex(result.stdout, "(?m)^warning .*CLOUD_KEY.*the running server says")

    def replace(self, text):
        new = self.tandem.folder / "new.yaml"
        new.write_text(text)
        os.replace(new, self.tandem.file)

    def test_a_broken_config_on_disk_stops_no_command(self):
        good = self.tandem.file.read_text()
        self.addCleanup(self.replace, good)
        commands = [c for c in self.commands() if c[0] != "replay"]  # it reads that very file as the other policy
        for broken in ("modles: {}\n" + good, good + "  : : [", good.split("providers:")[0] + "providers: [", "{", good.replace(str(self.tandem.folder / "data"), "/nowhere")+ "x: 1\n"):
            self.replace(broken)
            for command in commands:
                result = self.run_bare(*command)
                self.assertEqual(result.returncode, 0, f"{broken!r} {command}: {result.stdout}{result.stderr}")
                self.assertIn("the running server has a config that works", result.stderr)
            self.assertIn("EUR", self.run_bare("cost").stdout)
            commands = [("status",), ("policy", "show")]  # one kind of damage is enough for all of them

    def test_a_folder_named_by_a_variable_is_that_of_the_running_server(self):
        data = tempfile.mkdtemp(prefix="tandem-named-")
        self.addCleanup(shutil.rmtree, data, True)
        named = Tandem("", start=False, env={"WHERE": data})
        self.addCleanup(named.stop)
        named.file.write_text(named.file.read_text().replace(f"data: {named.folder}/data", "data: ${WHERE}/data"))
        run = lambda: subprocess.run([BINARY, "status", "--config", str(named.file)], env={}, capture_output=True, text=True)
        self.assertIn("WHERE is not set", run().stderr)
        named.start()
        self.assertIn(data + "/data", run().stdout)

    def test_a_file_that_is_emptied_before_it_is_written_takes_nobodys_key(self):
        good = self.tandem.file.read_text()
        self.addCleanup(self.replace, good)
        self.tandem.file.write_text("")
        until(lambda: "is empty; the old config stays" in self.tandem.log_text(), "the log to say so")
        self.assertEqual(self.tandem.request("/v1/models")[0], 401)

    def test_what_a_scan_cannot_look_for_is_said(self):
        result = self.run_bare("privacy", "scan", "/etc/hostname")
        self.assertIn("privacy.own.mine.values: the environment variable OWN_VALUE is not set, so it is not looked for", result.stderr)

    def test_ask_keeps_the_rules_of_its_key_and_has_none_of_the_owners(self):
        before = len(self.cloud.requests)
        asked = json.loads(self.run_bare("ask", "--json", "--key", "alice", "hello").stdout)["record"]
        self.assertEqual((asked["key"], asked["label"]), ("alice", "private"))
        self.assertEqual(len(self.cloud.requests), before)
        refused = self.run_bare("ask", "--key", "alice", "-a", "big", "hello")
        self.assertIn("may not use 'big'", refused.stderr)
        self.assertEqual(json.loads(self.run_bare("ask", "--json", "-a", "small", "hello").stdout)["record"]["key"], "admin")
        self.assertIn("did you mean 'alice'?", self.run_bare("ask", "--key", "alic", "hello").stderr)

    def test_nobody_but_the_admin_asks_as_another(self):
        headers = {"authorization": "Bearer " + SECRETS["ALICE_KEY"], "x-tandem-key": "anonymous"}
        self.assertEqual(self.tandem.chat(model="small", headers=headers)[0], 403)
        self.assertEqual(self.tandem.chat(model="small", headers={"x-tandem-key": "alice"})[0], 401)

    def test_the_socket_is_the_owners_alone_and_needs_no_token(self):
        info = self.socket.stat()
        self.assertTrue(stat.S_ISSOCK(info.st_mode))
        self.assertEqual(info.st_mode & 0o777, 0o600)
        self.assertEqual(local_request(self.socket, "/tandem/v1/status")[0], 200)
        self.assertEqual(self.tandem.request("/tandem/v1/status")[0], 401)
        # A key that is sent counts, there as elsewhere.
        self.assertEqual(local_request(self.socket, "/tandem/v1/status", headers={"authorization": "Bearer " + SECRETS["ALICE_KEY"]})[0], 403)
        self.assertEqual(local_request(self.socket, "/tandem/v1/status", headers={"authorization": "Bearer nobody"})[0], 401)

    def test_the_text_of_the_config_is_to_be_had_over_the_socket_only(self):
        status, raw = local_request(self.socket, "/tandem/v1/config")
        self.assertEqual(status, 200)
        self.assertEqual(json.loads(raw)["text"], self.tandem.file.read_text())
        token = (self.tandem.folder / "data/admin.token").read_text()
        self.assertEqual(self.tandem.request("/tandem/v1/config", headers={"authorization": "Bearer " + token})[0], 403)

    @unittest.skipUnless(os.geteuid() == 0, "only root can become another user")
    def test_a_process_of_another_user_is_not_served_even_where_the_mode_lets_it_in(self):
        folder, path = self.tandem.folder, self.socket
        modes = {p: p.stat().st_mode for p in (folder, folder / "data", path)}
        try:
            folder.chmod(0o755), (folder / "data").chmod(0o755), path.chmod(0o666)
            code = ("import socket,sys\ns=socket.socket(socket.AF_UNIX)\ns.connect(sys.argv[1])\n"
                    "s.sendall(b'GET /tandem/v1/status HTTP/1.1\\r\\nhost: localhost\\r\\n\\r\\n')\nprint(len(s.recv(100)))")
            seen = subprocess.run(["python3", "-c", code, str(path)], user=65534, group=65534, capture_output=True, text=True)
            self.assertTrue(seen.stdout.strip() == "0" or "Reset" in seen.stderr or "Broken pipe" in seen.stderr, seen.stdout + seen.stderr)
        finally:
            for place, mode in modes.items():
                place.chmod(mode & 0o7777)


class Sockets(unittest.TestCase):
    def test_a_socket_that_kill_9_left_is_replaced_and_a_stop_leaves_none(self):
        tandem = Tandem("")
        self.addCleanup(tandem.stop)
        path = tandem.folder / "data/tandem.sock"
        until(path.is_socket, "the socket, which comes after the port")
        tandem.kill()
        self.assertTrue(path.is_socket())
        self.assertEqual(tandem.cli("status").returncode, 4)
        tandem.start()
        until(lambda: answers(path), "a server behind the socket, which comes after the port")
        # One that is going at the moment is waited for.
        tandem.kill()
        lock = open(tandem.folder / "data/tandem.lock", "w")
        fcntl.flock(lock, fcntl.LOCK_EX)
        def release_once_it_is_wanted():
            wanted = lambda: tandem.process and any(os.path.realpath(fd).endswith("tandem.lock") for fd in pathlib.Path(f"/proc/{tandem.process.pid}/fd").iterdir())
            with contextlib.suppress(AssertionError):
                until(wanted, "the lock to be wanted")
            lock.close()
        tandem.process = None
        releases = threading.Thread(target=release_once_it_is_wanted)
        releases.start()
        tandem.start()
        releases.join()
        second = tandem.cli("serve")
        self.assertIn("another tandem uses", second.stderr)
        until(lambda: answers(path), "the server that waited for the lock")
        tandem.process.send_signal(signal.SIGTERM)
        tandem.process.wait(30)
        self.assertFalse(path.exists())

    def test_a_folder_with_a_long_name_has_one_too(self):
        tandem = Tandem("", start=False)
        self.addCleanup(tandem.stop)
        data = tandem.folder / ("long-name-" * 8) / ("longer-name-" * 8)
        tandem.file.write_text(tandem.file.read_text().replace(f"data: {tandem.folder}/data", f"data: {data}").replace("listen: 127.0.0.1", "listen: 127.0.0.1"))
        tandem.start()
        until((data / "tandem.sock").is_socket, "the socket, which comes after the port")
        (data / "admin.token").unlink()  # so that TCP would not do, were there keys
        self.assertEqual(tandem.cli("status").returncode, 0)
        tandem.file.write_text("{")
        self.assertEqual(tandem.cli("status").returncode, 0, "over the socket")

    def test_a_folder_that_others_may_write_has_none_and_commands_go_by_the_address(self):
        tandem = Tandem("", start=False)
        self.addCleanup(tandem.stop)
        (tandem.folder / "data").mkdir(mode=0o700)
        (tandem.folder / "data").chmod(0o777)
        tandem.start()
        self.assertFalse((tandem.folder / "data/tandem.sock").exists())
        until(lambda: "others may write to" in tandem.log_text(), "the log to say so")
        self.assertEqual(tandem.cli("status").returncode, 0)

    def test_what_is_no_socket_is_left_alone(self):
        tandem = Tandem("", start=False)
        self.addCleanup(tandem.stop)
        (tandem.folder / "data").mkdir(mode=0o700)
        (tandem.folder / "data/tandem.sock").write_text("mine")
        tandem.start()
        self.assertEqual((tandem.folder / "data/tandem.sock").read_text(), "mine")
        self.assertEqual(tandem.cli("status").returncode, 0)

    def test_tls_for_another_name_stops_no_command(self):
        tandem = Tandem("", start=False)
        self.addCleanup(tandem.stop)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(tandem.folder / "key.pem"), "-out", str(tandem.folder / "cert.pem"),
                        "-days", "1", "-subj", "/CN=ai.example.org"], check=True, capture_output=True)
        tandem.write(f"server: {{ listen: 127.0.0.1:{tandem.port}, tls: {{ certificate: {tandem.folder}/cert.pem, key: {tandem.folder}/key.pem }} }}\n")
        tandem.start()
        result = tandem.cli("status")
        self.assertEqual(result.returncode, 0, result.stderr)
        with contextlib.closing(socket.create_connection(("127.0.0.1", tandem.port), 5)) as plain:
            plain.sendall(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
            self.assertNotIn(b"200 OK", plain.recv(100))


if __name__ == "__main__":
    unittest.main()
