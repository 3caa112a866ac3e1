"""An engine that tries to get out of its sandbox (prisoner.c), as its owner would run it: as root and as another user, with and without
namespaces, with and without Landlock. What it manages without a sandbox shows that each attempt is a real one."""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import unittest

import harness
from harness import ENGINE, MODEL, Tandem, until

SOURCE = pathlib.Path(__file__).resolve().parent
COMPILER = next((c for c in ("cc", "gcc", "clang-19", "clang") if shutil.which(c)), None)
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
ROOT = os.getuid() == 0
# As in a container or where AppArmor restricts them: in a user namespace in which there may be no more of them.
NO_NAMESPACES = ("unshare", "--user", "--map-root-user", "sh", "-c", 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"', "sh")

# What fails without a sandbox, too, or needs what this machine may not have.
NEEDS_LUCK = {"tcp_public", "vsock", "packet", "by_handle", "chroot", "bpf", "perf", "userfaultfd", "io_uring", "make_device", "write_core_pattern",
              "mount", "unshare_files", "unshare_user", "write_program", "netlink", "keys",
              "tandem_tkill", "engine_tkill", "leave_by_dots"}


def build(name):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tandem-prison-", dir="/tmp"))
    folder.chmod(0o755)
    subprocess.run([COMPILER, "-O1", "-pthread", "-o", folder / name, SOURCE / f"{name}.c"], check=True)
    return folder / name


@unittest.skipUnless(COMPILER, "no C compiler")
class Prison(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.prisoner, cls.without = build("prisoner"), build("without")
        cls.addClassCleanup(lambda: [shutil.rmtree(p.parent, ignore_errors=True) for p in (cls.prisoner, cls.without)])

    def listeners(self, folder):
        """What an engine must not reach, of this test's own."""
        kinds = {"listener": (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)), "abstract": (socket.AF_UNIX, socket.SOCK_STREAM, f"\0{folder.name}"),
                 "pathsocket": (socket.AF_UNIX, socket.SOCK_STREAM, str(folder / "p.sock")), "datagram": (socket.AF_UNIX, socket.SOCK_DGRAM, str(folder / "d.sock"))}
        found = {}
        for name, (family, kind, address) in kinds.items():
            one = socket.socket(family, kind)
            self.addCleanup(one.close)
            one.bind(address)
            if kind == socket.SOCK_STREAM:
                one.listen(64)
            found[name] = one.getsockname()[1] if family == socket.AF_INET else address.strip("\0")
        for name in ("pathsocket", "datagram"):
            os.chmod(found[name], 0o777)
        return found

    def serve(self, wrapper=(), sandbox="auto", user=None, args="]", readable=""):
        t = Tandem("", start=False)
        self.addCleanup(t.stop)
        t.folder.chmod(0o755)
        models = t.folder / "models"
        models.mkdir()
        for name in ("m.gguf", "other.gguf", "lora.gguf"):
            (models / name).write_bytes(b"GGUF" + bytes(64))
        t.home = t.folder / "home"
        t.home.mkdir()
        (t.home / "diary").write_text("dear diary")
        t.env["HOME"] = str(t.home)
        t.write(f"engine: {{ binary: {self.prisoner}, sandbox: {sandbox}, readable: [{readable.replace('HOME', str(t.home)).replace('FOLDER', str(t.folder))}] }}\nproviders: {{ home: {{ kind: engine }} }}\nmodels:\n"
                f"  m: {{ provider: home, file: {models}/m.gguf, context: 4096, args: [--lora, {models}/lora.gguf{args} }}\n  other: {{ provider: home, file: {models}/other.gguf }}\n")
        t.targets = self.listeners(t.folder)
        if user is not None:
            for path in (t.folder, *t.folder.rglob("*")):
                os.chown(path, user, user, follow_symlinks=False)
        t.wrapper = wrapper
        t.start()
        return t

    def engine(self, t, model):
        return next(e for e in json.loads(t.request("/tandem/v1/engines")[2])["engines"] if e["model"] == model)

    def attempt(self, t):
        """What the engine of `m` managed: name to errno."""
        status, _, body = t.chat(model="other")
        self.assertEqual(status, 200, body)
        other, data = self.engine(t, "other"), t.folder / "data"
        self.assertEqual(t.chat(model="m")[0], 200)
        own = self.engine(t, "m")
        targets = {**t.targets, "data": data, "home": t.home, "model": t.folder / "models/m.gguf", "modelfolder": t.folder / "models", "lora": t.folder / "models/lora.gguf",
                   "config": t.file, "port": t.port, "tandem": t.process.pid, "engine": other["pid"], "othersocket": other["socket"], "otherlog": other["log"],
                   "otherfolder": pathlib.Path(other["socket"]).parent, "tandemsocket": data / "tandem.sock", "stranger": self.without.parent.name, "run": pathlib.Path(own["socket"]).parent}
        status, _, body = t.chat("[[" + ";".join(f"{k}={v}" for k, v in targets.items()) + "]]", model="m", timeout=120)
        self.assertEqual(status, 200, body)
        text = json.loads(body)["choices"][0]["message"]["content"]
        self.assertTrue(text.startswith("tried: "), text)
        tried = {name: int(code) for name, _, code in (word.partition("=") for word in text.split()[1:])}
        self.assertGreater(len(tried), 90, text)
        return tried, self.engine(t, "m")

    def check(self, t, files=True, network=True, processes=True, by=None):
        tried, engine = self.attempt(t)
        held = engine["sandbox"]
        for name, code in tried.items():
            if name.startswith("may_"):
                self.assertEqual(code, 0, f"{name}: an engine needs that: {os.strerror(code)}")
        got_out = {name for name, code in tried.items() if code == 0 and not name.startswith("may_")}
        if files and network and processes:
            self.assertEqual(got_out, set(), held)
            self.assertEqual(held["holds"], ["files", "network", "processes", "calls"])
            self.assertNotEqual(tried["read_ledger"], 9999)
        if by is not None:
            self.assertEqual(held["by"], by, held)
        return tried, held, got_out

    def test_off_it_manages_all_of_it(self):
        """Without this, the tests below might try nothing."""
        tried, held, got_out = self.check(self.serve(sandbox="off"), files=False)
        self.assertEqual(held["holds"], [])
        expected = {name for name in tried if not name.startswith("may_")} - NEEDS_LUCK
        if not ROOT:
            expected -= {"read_shadow", "list_root_home"}
        # What ends the attempt itself is the machine's own rule (Yama, protected links), and not ours.
        expected -= {name for name in tried if name.endswith(("_ptrace", "_vm_readv", "_mem", "_environ", "_maps", "_queue", "_fd")) or name in ("read_by_hard_link", "truncate_model", "mark_ledger")}
        self.assertEqual(expected - got_out, set(), tried)

    def test_with_all_that_the_system_has(self):
        t = self.serve()
        tried, held, _ = self.check(t)
        self.assertIn("seccomp", held["by"])

    def test_without_namespaces(self):
        t = self.serve(NO_NAMESPACES)
        _, held, _ = self.check(t, by=["landlock", "seccomp"])
        self.assertIn("namespaces: clone: No space left on device", held["missing"][0])
        self.assertIn("the sandbox of engine m holds files, network, processes, system calls; it is without namespaces", t.log_text())

    def test_without_namespaces_by_seccomp(self):
        self.check(self.serve((self.without, "namespaces")), by=["landlock", "seccomp"])

    def test_with_the_landlock_of_debian_12_alone(self):
        for who, user in (((), None), *([(NOBODY, 65534)] if ROOT else [])):
            with self.subTest(who):
                self.check(self.serve((*who, self.without, "new-landlock,namespaces"), user=user), by=["landlock", "seccomp"])

    def test_without_landlock(self):
        self.check(self.serve((self.without, "landlock")), by=["namespaces", "mounts", "seccomp"])

    @unittest.skipUnless(ROOT, "needs root to be somebody else")
    def test_as_another_user(self):
        for wrapper in ((), (self.without, "namespaces"), (self.without, "landlock")):
            with self.subTest(wrapper):
                t = self.serve((*NOBODY, *wrapper), user=65534)
                self.check(t)

    def test_without_both_it_says_so_and_require_does_not_start(self):
        t = self.serve((self.without, "landlock,namespaces"))
        _, held, got_out = self.check(t, files=False)
        self.assertEqual(held["holds"], ["network", "calls"])
        self.assertIn("read_ledger", got_out, "and it says so rightly")
        self.assertFalse({n for n in got_out if n.startswith(("tcp", "udp", "abstract", "path_", "tandem_socket", "fork", "exec"))}, got_out)
        t = self.serve((self.without, "landlock,namespaces"), sandbox="require")
        status, _, body = t.chat(model="m")
        self.assertEqual(status, 503)
        message = json.loads(body)["error"]["message"]
        self.assertIn("does not let Tandem hold: files, processes", message)
        self.assertIn("Landlock: landlock_create_ruleset", message)

    def test_require_starts_where_all_is_held(self):
        self.check(self.serve((self.without, "namespaces"), sandbox="require"))

    def test_no_engine_is_left_when_tandem_is_killed(self):
        for wrapper in ((), (self.without, "namespaces")):
            t = self.serve(wrapper)
            self.assertEqual(t.chat(model="m")[0], 200)
            pid = self.engine(t, "m")["pid"]
            t.kill()
            until(lambda: not pathlib.Path(f"/proc/{pid}").exists(), "the engine to be gone", 5)

    def test_a_kept_connection_to_an_engine_is_not_used_for_the_next_one(self):
        t = self.serve()
        sockets = set()
        for _ in range(3):
            self.assertEqual(t.chat(model="m")[0], 200)
            engine = self.engine(t, "m")
            sockets.add(engine["socket"])
            self.assertEqual(stat_mode(pathlib.Path(engine["socket"]).parent), 0o700)
            os.kill(engine["pid"], signal.SIGKILL)
            until(lambda: self.engine(t, "m")["pid"] not in (0, engine["pid"]) or t.chat(model="m")[0] == 200, "the next engine")
            until(lambda: not pathlib.Path(engine["socket"]).exists(), "the socket of the killed engine to be removed")
        self.assertEqual(len(sockets), 3)

    def test_many_clients_at_once_find_room_in_a_short_queue(self):
        """connect(2) to a UNIX socket whose queue is full fails at once, where TCP tries again."""
        t = self.serve(args=", '--queue', '0'], slots: 24")
        self.assertEqual(t.chat(model="m")[0], 200)
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(t.chat(model="m")[:2])) for _ in range(24)]
        [x.start() for x in threads]
        [x.join() for x in threads]
        # None of them had to be sent again.
        self.assertEqual([(status, headers["x-tandem-warnings"]) for status, headers in answers], [(200, None)] * 24)

    def test_an_engine_that_does_not_start_says_what_to_do(self):
        """Words of a llama-server that knows no UNIX socket (before ggml-org/llama.cpp#12613), and of one that lacks a library."""
        for words, hint in (("main: couldn't bind HTTP server socket, hostname: x.sock, port: 8080", "it is too old to listen on a UNIX socket"),
                            ("libx.so.1: cannot open shared object file: No such file", "name in engine.readable what it may read besides")):
            t = Tandem("", start=False)
            self.addCleanup(t.stop)
            engine = t.folder / "engine"
            engine.write_text(f'#!/bin/sh\necho "{words}"\nexit 1\n')
            engine.chmod(0o755)
            (t.folder / "m.gguf").write_bytes(b"GGUF" + bytes(64))
            t.write(f"engine: {{ binary: {engine} }}\nproviders: {{ home: {{ kind: engine }} }}\nmodels: {{ m: {{ provider: home, file: m.gguf }} }}\n")
            t.start()
            status, _, body = t.chat(model="m")
            self.assertEqual(status, 503)
            self.assertIn(hint, json.loads(body)["error"]["message"])

    def test_what_the_owner_opens_is_read(self):
        """A file that the engine must not read becomes readable by engine.readable, and a folder with the data does not."""
        t = self.serve(readable="HOME/diary, HOME, FOLDER")
        tried, _ = self.attempt(t)
        self.assertEqual((tried["read_home"], tried["list_home"] != 0, tried["read_ledger"] != 0), (0, True, True), tried)

    def test_doctor_says_what_is_held_and_what_is_not(self):
        t = self.serve((self.without, "landlock,namespaces"))
        for wrapper, grade, words in (((), "good", "files, network, processes, system calls"), ((self.without, "landlock,namespaces"), "warning", "network, system calls")):
            said = subprocess.run([*wrapper, harness.BINARY, "doctor", "--json"], env=t.env, cwd=t.folder, capture_output=True, text=True, timeout=60)
            check = next(c for c in json.loads(said.stdout) if c["check"] == "engine sandbox")
            self.assertEqual(check["grade"], grade, check)
            self.assertIn(words, check["text"])


def stat_mode(path):
    return path.stat().st_mode & 0o777


class Real(unittest.TestCase):
    """The real llama-server with a real model, in its sandbox."""

    def serve(self, more="", wrapper=()):
        t = Tandem(f"models:\n  small: {{ provider: home, file: {MODEL}, context: 2048{more} }}\nproviders: {{ home: {{ kind: engine }} }}\nengine: {{ sandbox: require }}\n", start=False)
        self.addCleanup(t.stop)
        t.wrapper = wrapper
        t.start()
        return t

    def engine(self, t):
        return json.loads(t.cli("engine", "list", "--json").stdout)["engines"][0]

    def test_it_answers_is_stopped_and_comes_back_after_a_kill(self):
        t = self.serve()
        status, _, body = t.chat("Say hello.", max_tokens=8)
        self.assertEqual(status, 200, body)
        self.assertTrue(json.loads(body)["choices"][0]["message"]["content"])
        first = self.engine(t)
        self.assertEqual(first["sandbox"]["holds"], ["files", "network", "processes", "calls"])
        listening = {line.split()[3] for net in ("tcp", "tcp6") for line in pathlib.Path(f"/proc/{first['pid']}/net/{net}").read_text().splitlines()[1:]}
        if "namespaces" in first["sandbox"]["by"]:
            self.assertEqual(listening, set(), "its network is empty")
        os.kill(first["pid"], signal.SIGKILL)
        until(lambda: t.chat("Say hello.", max_tokens=8)[0] == 200, "the engine to be back", 60)
        second = self.engine(t)
        self.assertNotEqual(first["socket"], second["socket"])
        self.assertEqual(t.cli("engine", "stop", "small").returncode, 0)
        until(lambda: self.engine(t)["state"] == "stopped", "the stop")
        self.assertFalse(pathlib.Path(second["socket"]).exists())
        self.assertIn("model loaded", t.cli("engine", "logs", "small").stdout)
        self.assertEqual(t.chat("Say hello.", max_tokens=8)[0], 200)

    def test_without_namespaces(self):
        t = self.serve(wrapper=NO_NAMESPACES)
        self.assertEqual(t.chat("Say hello.", max_tokens=8)[0], 200)
        self.assertEqual(self.engine(t)["sandbox"]["by"], ["landlock", "seccomp"])

    def test_a_data_folder_whose_name_is_too_long_for_a_socket(self):
        t = Tandem("", start=False)
        self.addCleanup(t.stop)
        long = t.folder / ("long, and with a comma " * 6).strip()
        t.file.write_text(f'data: "{long}"\nserver: {{ listen: 127.0.0.1:{t.port}, workers: 2 }}\nmodels: {{ small: {{ provider: home, file: {MODEL}, context: 2048 }} }}\nproviders: {{ home: {{ kind: engine }} }}\n')
        t.start()
        status, _, body = t.chat("Say hello.", max_tokens=8)
        self.assertEqual(status, 200, body)

    def test_an_argument_that_takes_the_address_is_refused(self):
        t = Tandem("", start=False)
        self.addCleanup(t.stop)
        t.write(f"models: {{ small: {{ provider: home, file: {MODEL}, args: ['--host', '0.0.0.0'] }} }}\nproviders: {{ home: {{ kind: engine }} }}\n")
        said = t.cli("serve", "--check")
        self.assertNotEqual(said.returncode, 0)
        self.assertIn("take out --host", said.stderr + said.stdout)


if __name__ == "__main__":
    unittest.main()
