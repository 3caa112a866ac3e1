"""A backup is made beside a running server, is verified, and comes back whole or not at all."""
import contextlib
import hashlib
import io
import json
import os
import pathlib
import random
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
import threading
import time
import unittest
import warnings

from harness import BINARY, Tandem, Upstream, free_port, until

KEY = "alice-secret-0123456789"


def tree(folder):
    """Each file below a folder with its content, but for what belongs to no backup."""
    own = ("tandem.lock", "ledger.db-wal", "ledger.db-shm")
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file() and p.name not in own and not str(p.relative_to(folder)).startswith("before-")}


class Backup(unittest.TestCase):
    """One server with something of everything in its folder; the tests read its archive."""

    @classmethod
    def setUpClass(cls):
        warnings.simplefilter("ignore", ResourceWarning)
        cls.cloud = Upstream()
        cls.tandem = Tandem(f"providers:\n  far: {cls.cloud.provider('cloud')}\nmodels:\n  big: {{ provider: far, price: {{ input: 1, output: 10 }} }}\n"
                            f"keys: {{ alice: {{ secret: '${{ALICE}}', admin: true }} }}\n", env={"ALICE": KEY})
        cls.head = {"authorization": "Bearer " + KEY}
        cls.data = cls.tandem.folder / "data"
        for n in range(3):
            assert cls.tandem.chat(f"question {n}", model="big", headers=cls.head)[0] == 200
        form = b"--b\r\ncontent-disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.jsonl\"\r\n\r\n{\"a\": 1}\n\r\n--b--\r\n"
        status, _, raw = cls.tandem.request("/v1/files", form, {**cls.head, "content-type": "multipart/form-data; boundary=b"})
        assert status == 200, raw
        cls.upload = json.loads(raw)["id"]
        (cls.data / "models").mkdir(exist_ok=True)
        (cls.data / "models/large.gguf").write_bytes(b"GGUF" * 1000)
        cls.archive = cls.tandem.folder / "tandem.tar"
        result = cls.tandem.cli("backup", str(cls.archive))
        assert result.returncode == 0, result.stdout + result.stderr
        cls.said = result.stdout

    @classmethod
    def tearDownClass(cls):
        cls.tandem.stop()
        cls.cloud.close()

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tandem-backup-"))
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.into = self.folder / "data"

    def run_cli(self, *arguments, code=0, **more):
        result = subprocess.run([BINARY, *map(str, arguments)], env={**os.environ, "HOME": str(self.folder), "TANDEM_CONFIG": "", "TMPDIR": str(self.folder)}, cwd=self.folder, capture_output=True, timeout=120, **more)
        self.assertEqual(result.returncode, code, result.stdout[-3000:].decode(errors="replace") + result.stderr[-3000:].decode(errors="replace"))
        return result

    def restore(self, archive, *more, code=0):
        return self.run_cli("restore", archive, "--data", self.into, *more, code=code)

    def second(self, config=""):
        """A server over the restored folder."""
        server = Tandem("", start=False)
        self.addCleanup(server.stop)
        server.write(f"providers:\n  far: {self.cloud.provider('cloud')}\nmodels:\n  big: {{ provider: far, price: {{ input: 1, output: 10 }} }}\n" + config)
        shutil.copytree(self.into, server.folder / "data")
        return server

    # ---- what is in it ----

    def test_it_is_private_and_says_what_it_has_and_standard_tools_can_check_it(self):
        self.assertEqual(self.archive.stat().st_mode & 0o777, 0o600)
        self.assertIn("3 egress records", self.said)
        with tarfile.open(self.archive) as tar:
            names = tar.getnames()
            tar.extractall(self.folder / "out", filter="data") if hasattr(tarfile, "data_filter") else tar.extractall(self.folder / "out")
        for name in ("backup.json", "data/ledger.db", "data/privacy.key", "data/admin.token", "data/egress.checkpoints", f"data/files/{self.upload}", "SHA256SUMS"):
            self.assertIn(name, names)
        self.assertFalse([n for n in names if "models" in n or n.endswith(("-wal", "-shm", ".lock", ".log"))], names)
        self.assertEqual(subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=self.folder / "out").returncode, 0)

    def test_a_restored_folder_has_the_same_ledger_record_and_files(self):
        self.restore(self.archive)
        server = self.second()
        for command in (("cost", "--json"), ("audit", "list", "--json")):
            self.assertEqual(server.cli(*command).stdout, self.tandem.cli(*command).stdout)
        self.assertIn("is whole", server.cli("audit", "verify").stdout)
        server.start()
        self.assertEqual((server.folder / "data/admin.token").read_bytes(), (self.data / "admin.token").read_bytes())
        self.assertEqual((server.folder / "data/files" / self.upload).read_bytes(), b'{"a": 1}\n')
        self.assertEqual(server.chat("again", model="big")[0], 200)
        self.assertEqual(json.loads(server.cli("audit", "verify", "--json").stdout)["records"], 4)

    def test_models_and_config_come_on_request(self):
        file = self.folder / "all.tar"
        self.assertEqual(self.tandem.cli("backup", str(file), "--models", "--with-config").returncode, 0)
        self.restore(file, "--config", self.folder / "etc/tandem.yaml")
        self.assertEqual((self.into / "models/large.gguf").read_bytes(), b"GGUF" * 1000)
        self.assertEqual((self.folder / "etc/tandem.yaml").read_text(), self.tandem.file.read_text())
        (self.folder / "etc/tandem.yaml").write_text("currency: EUR\n")
        said = self.restore(file, "--config", self.folder / "etc/tandem.yaml", "--force").stdout.decode()
        self.assertIn("tandem.yaml.from-backup", said)
        self.assertEqual((self.folder / "etc/tandem.yaml").read_text(), "currency: EUR\n")

    def test_it_needs_no_secret_of_the_config(self):
        env = {k: v for k, v in self.tandem.env.items() if k != "ALICE"}
        result = subprocess.run([BINARY, "backup", str(self.folder / "x.tar")], env=env, cwd=self.folder, capture_output=True, text=True, timeout=60)
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_it_goes_through_a_pipe(self):
        made = subprocess.run([BINARY, "backup", "-"], env=self.tandem.env, cwd=self.folder, capture_output=True, timeout=60)
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertIn(b"3 egress records", made.stderr)
        self.run_cli("restore", "-", "--check", input=made.stdout)
        self.run_cli("restore", "-", "--data", self.into, input=made.stdout)
        self.assertTrue((self.into / "ledger.db").exists())
        self.assertFalse(list(self.data.glob("backup.part*")))

    def test_a_folder_gets_a_file_with_the_time_in_its_name(self):
        answer = json.loads(self.tandem.cli("backup", str(self.folder), "--json").stdout)
        self.assertRegex(answer["file"], r"/tandem-\d{8}T\d{6}Z\.tar$")
        self.assertEqual(answer["backup"]["egress_records"], 3)
        self.assertEqual(answer["left_out"], [])
        self.assertEqual(os.stat(answer["file"]).st_size, answer["bytes"])

    def test_what_is_left_out_is_named_and_a_folder_on_another_disk_is_not(self):
        self.restore(self.archive)
        shutil.move(self.into / "files", self.folder / "elsewhere")
        (self.into / "files").symlink_to(self.folder / "elsewhere")
        (self.folder / "elsewhere/link").symlink_to("/etc/passwd")
        os.mkfifo(self.folder / "elsewhere/pipe")
        answer = json.loads(self.run_cli("backup", self.folder / "x.tar", "--json", "--data", self.into).stdout)
        self.assertEqual(sorted(answer["left_out"]), ["files/link (a link)", "files/pipe (no regular file)"])
        with tarfile.open(self.folder / "x.tar") as tar:
            self.assertIn(f"data/files/{self.upload}", tar.getnames())

    def test_an_archive_in_the_data_folder_is_refused(self):
        result = self.tandem.cli("backup", str(self.data / "x.tar"))
        self.assertEqual(result.returncode, 1)
        self.assertIn("lies in the data folder", result.stderr)

    # ---- beside a server, and killed ----

    def test_an_archive_replaces_an_archive_and_nothing_else(self):
        """A pipe, a device, the config, what the config reads, what the data folder has, and a file of the owner's."""
        make = lambda name, *more, code=6: self.tandem.cli("backup", str(name), *more).returncode == code
        config = self.tandem.file.read_text()
        os.mkfifo(self.folder / "pipe")
        os.symlink(self.data / "privacy.key", self.folder / "link")
        os.symlink("/dev/null", self.folder / "device")
        (self.folder / "mine").write_text("precious")
        os.link(self.tandem.file, self.folder / "hard")
        key = (self.data / "privacy.key").read_bytes()
        for name in ("pipe", "device", "mine", "hard", self.tandem.file):
            for more in ((), ("--force",)):
                if (name, more) != ("mine", ("--force",)):
                    self.assertTrue(make(self.folder / name, *more), (name, more))
        self.assertTrue(make(self.folder / "link", "--force", code=1))
        self.assertTrue(make(self.data / "privacy.key", "--force", code=1))
        self.assertEqual((self.tandem.file.read_text(), (self.data / "privacy.key").read_bytes(), (self.folder / "mine").read_text()), (config, key, "precious"))
        self.assertTrue((self.folder / "pipe").is_fifo() and (self.folder / "link").is_symlink() and (self.folder / "device").is_symlink())
        # What it may replace.
        self.assertTrue(make(self.folder / "mine", "--force", code=0))
        (self.folder / "empty").touch()
        os.symlink(self.folder / "elsewhere.tar", self.folder / "linked.tar")
        for name in ("mine", "empty", "linked.tar", "linked.tar"):
            self.assertTrue(make(self.folder / name, code=0), name)
        self.assertTrue((self.folder / "linked.tar").is_symlink())
        self.run_cli("restore", self.folder / "elsewhere.tar", "--check")
        self.assertEqual([p.name for p in self.folder.glob("*.part*")], [])

    def test_a_killed_backup_leaves_the_old_archive_and_nothing_else(self):
        file = self.folder / "kept.tar"
        shutil.copy(self.archive, file)
        for delay in (0.0, 0.03, 0.06, 0.09, 0.12, 0.16):
            process = subprocess.Popen([BINARY, "backup", str(file)], env=self.tandem.env, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(delay)
            process.kill()
            process.wait()
            self.run_cli("restore", file, "--check")
        self.assertEqual(self.tandem.cli("backup", str(file)).returncode, 0)
        self.assertEqual([p.name for p in self.folder.iterdir() if p.name.startswith("kept")], ["kept.tar"])

    def test_a_restore_that_is_killed_at_any_moment_is_done_or_not_done(self):
        self.restore(self.archive)
        new = tree(self.into)
        (self.into / "ledger.db").write_bytes((self.into / "ledger.db").read_bytes())
        (self.into / "old.txt").write_text("old")
        old = tree(self.into)
        seen = set()
        rest = random.Random(1)
        for n in range(14):
            process = subprocess.Popen([BINARY, "restore", str(self.archive), "--data", str(self.into), "--force"], env={**os.environ, "HOME": str(self.folder), "TANDEM_CONFIG": ""}, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(rest.uniform(0.01, 0.25))
            process.kill()
            process.wait()
            # Whoever opens the folder next finishes what was decided: a restore that is refused does.
            self.restore(self.archive, code=6)
            now = {k: v for k, v in tree(self.into).items() if not k.startswith("restore.")}
            self.assertIn(now, (old, new))
            seen.add("old" if now == old else "new")
            if now == new:
                (self.into / "old.txt").write_text("old")
        self.assertTrue(seen)

    def test_a_decided_restore_is_finished_by_the_next_start_wherever_it_was_cut(self):
        self.restore(self.archive)
        names = sorted(p.name for p in self.into.iterdir() if p.name != "tandem.lock")
        for moved_old in (0, 2, len(names)):
            for moved_new in ((0,) if moved_old < len(names) else (0, 1, len(names))):
                with self.subTest(moved_old=moved_old, moved_new=moved_new):
                    cut = self.folder / "cut"
                    shutil.rmtree(cut, True)
                    shutil.copytree(self.into, cut)
                    (cut / "privacy.key").write_text("the old key")
                    work = cut / ("restore.moving" if moved_new else "restore.decided")
                    work.mkdir()
                    shutil.copytree(self.into, work / "data")
                    (work / "data/tandem.lock").unlink()
                    (work / "before").write_text("before-20260101T000000Z")
                    (cut / "before-20260101T000000Z").mkdir()
                    for name in names[:moved_old]:
                        shutil.move(cut / name, cut / "before-20260101T000000Z" / name)
                    for name in names[:moved_new]:
                        shutil.move(work / "data" / name, cut / name)
                    server = Tandem("", start=False)
                    self.addCleanup(server.stop)
                    server.write("models: { m: { provider: p } }\nproviders: { p: { kind: openai, zone: local, base_url: 'http://127.0.0.1:9/v1' } }\n")
                    shutil.copytree(cut, server.folder / "data")
                    server.start()
                    self.assertEqual((server.folder / "data/privacy.key").read_bytes(), (self.into / "privacy.key").read_bytes())
                    self.assertFalse(list((server.folder / "data").glob("restore.*")))
                    self.assertEqual((server.folder / "data/before-20260101T000000Z/privacy.key").read_text(), "the old key")
                    self.assertIn("is whole", server.cli("audit", "verify").stdout)

    # ---- the config ----

    CONFIG = b"providers: { p: { kind: openai, zone: cloud, base_url: 'https://x/v1', api_key: 'file:key' } }\nmodels: { m: { provider: p, name: gpt-5.1 } }\n"

    def with_config(self, *members):
        return self.rewritten(lambda before: before + [("config/" + name, content) for name, content in members])

    def test_only_what_the_config_reads_is_written_beside_it(self):
        config = self.folder / "etc/tandem.yaml"
        for name in (".bash_profile", "authorized_keys", "sub/key", "tandem.yml", ".key"):
            self.refused(self.with_config(("tandem.yaml", self.CONFIG), ("key", b"k"), (name, b"hostile")), "is no file that its config reads")
            self.assertFalse(config.parent.exists())
        self.refused(self.with_config(("tandem.yaml", b"api_key: ["), ("key", b"k")), "the archive's config is wrong")
        self.refused(self.with_config(("key", b"k")), "is no file that its config reads")
        # Not even where the config names it.
        self.refused(self.with_config(("tandem.yaml", self.CONFIG.replace(b"file:key", b"file:.key")), (".key", b"k")), "is no file that its config reads")
        shutil.rmtree(self.into)
        self.restore(self.with_config(("tandem.yaml", self.CONFIG), (".bash_profile", b"hostile")), "--without-config", "--config", config)
        self.assertFalse(config.parent.exists())
        self.assertFalse((self.folder / ".bash_profile").exists())

    def test_each_file_of_the_config_is_listed_and_each_restore_keeps_those_before(self):
        config = self.folder / "etc/tandem.yaml"
        said = self.restore(self.with_config(("tandem.yaml", self.CONFIG), ("key", b"one")), "--config", config).stdout.decode()
        self.assertIn(f"its config is {config}\n", said)
        self.assertIn(f"a file that its config reads is {config.parent}/key\n", said)
        for text in (b"# two\n", b"# three\n", b"# two\n"):
            answer = json.loads(self.restore(self.with_config(("tandem.yaml", text + self.CONFIG), ("key", b"one")), "--force", "--config", config, "--json").stdout)
            self.assertEqual(pathlib.Path(answer["config"]).read_bytes(), text + self.CONFIG)
        self.assertEqual({p.name: p.read_bytes()[:5] for p in config.parent.iterdir()}, {"tandem.yaml": self.CONFIG[:5], "key": b"one", "tandem.yaml.from-backup": b"# two", "tandem.yaml.from-backup.2": b"# thr"})

    def test_a_restore_that_is_killed_never_has_the_new_config_with_the_old_data(self):
        """The next start of the server finishes both, and runs with the restored config."""
        text = f"server: {{ listen: 127.0.0.1:{free_port()} }}\n".encode() + self.CONFIG
        archive = self.with_config(("tandem.yaml", text), ("key", b"one"))
        done, cut = 0, 0
        for attempt in range(int(os.environ.get("TANDEM_KILLS", "8"))):
            folder = self.folder / f"try{attempt}"
            data, config = folder / "xdg/tandem", folder / ".config/tandem/tandem.yaml"
            data.mkdir(parents=True)
            (data / "mine").write_text("old data")
            env = {"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_DATA_HOME": str(folder / "xdg"), "XDG_RUNTIME_DIR": str(folder)}
            process = subprocess.Popen([BINARY, "restore", str(archive), "--force"], env=env, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(random.uniform(0, 0.3) if attempt % 4 else 20)
            process.kill()
            process.wait()
            self.assertFalse(config.exists() and (data / "mine").exists(), attempt)
            decided = not (data / "mine").exists() or (data / "restore.decided").exists()
            done += decided
            cut += decided and not config.exists()
            # Without a config, the port may be somebody's: the restore is finished before that is known.
            server = subprocess.Popen([BINARY, "serve"], env=env, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            self.addCleanup(server.stdout.close)
            said = []
            line = next((l for l in server.stdout if said.append(l) or "ready at" in l), "")
            server.terminate()
            server.wait(60)
            self.assertEqual(config.exists(), decided, (attempt, line))
            if decided:
                self.assertEqual(config.read_bytes(), text)
                self.assertIn(text.decode().split()[3], line, "".join(said))  # the address that the restored config has
            self.assertEqual([p.name for p in data.glob("restore.*")], [])
        self.assertGreater(done, 0)

    @unittest.skipUnless(os.geteuid() == 0, "only root gives files to others")
    def test_a_service_can_read_the_config_that_root_restores(self):
        self.into.mkdir()
        os.chown(self.into, 12345, 12346)
        config = self.folder / "etc/tandem.yaml"
        archive = self.with_config(("tandem.yaml", self.CONFIG), ("key", b"one"))
        self.restore(archive, "--config", config)
        owner = lambda p: (p.stat().st_uid, p.stat().st_gid, p.stat().st_mode & 0o7777)
        self.assertEqual([owner(config), owner(config.parent / "key"), owner(config.parent)], [(0, 12346, 0o640)] * 2 + [(0, 12346, 0o750)])
        # What the service's user puts into its folder, root does not carry out.
        work = self.into / "restore.moving"
        (work / "config").mkdir(parents=True)
        (work / "config/tandem.yaml").write_text("# hostile\n")
        (work / "config-path").write_text(str(self.folder / "etc/new.yaml"))
        for file in (work, *work.rglob("*")):
            os.chown(file, 12345, 12346)
        said = self.restore(archive, "--config", config, "--force").stdout.decode()
        self.assertIn("the data folder belongs to another user", said)
        self.assertFalse((self.folder / "etc/new.yaml").exists())

    def test_copies_of_keys_that_a_killed_restore_left_are_removed_at_the_next_start(self):
        self.restore(self.archive)
        server = self.second()
        for name in ("restore.AbCdEf", "backup.part.AbCdEf"):
            (server.folder / "data" / name / "data").mkdir(parents=True)
            (server.folder / "data" / name / "data/privacy.key").write_text("a copy")
        server.start()
        self.assertEqual([p.name for p in (server.folder / "data").glob("*.AbCdEf")], [])

    # ---- refusals ----

    def test_it_is_refused_while_a_server_runs(self):
        before = tree(self.data)
        result = self.run_cli("restore", self.archive, "--data", self.data, "--force", code=1)
        self.assertIn(b"stop it first", result.stderr)
        self.assertEqual(set(tree(self.data)), set(before))

    def test_a_folder_with_content_needs_force_and_is_kept(self):
        self.restore(self.archive)
        (self.into / "mine.txt").write_text("mine")
        (self.into / "ledger.db-wal").write_bytes(os.urandom(8192))  # of the ledger that was there, and of no other
        (self.into / "models").mkdir()
        (self.into / "models/m.gguf").write_text("stays")
        result = self.restore(self.archive, code=6)
        self.assertIn(b"is not empty; with --force", result.stderr)
        answer = json.loads(self.restore(self.archive, "--force", "--json").stdout)
        self.assertEqual((pathlib.Path(answer["before"]) / "mine.txt").read_text(), "mine")
        self.assertFalse((self.into / "mine.txt").exists() or (self.into / "ledger.db-wal").exists())
        self.assertEqual((self.into / "models/m.gguf").read_text(), "stays")
        self.assertEqual(self.into.stat().st_mode & 0o077, 0)

    @unittest.skipUnless(os.geteuid() == 0, "only root gives files to others")
    def test_files_that_root_restores_belong_to_the_owner_of_the_folder(self):
        self.into.mkdir()
        os.chown(self.into, 12345, 12346)
        self.restore(self.archive)
        self.restore(self.archive, "--force")
        for file in self.into.rglob("*"):
            self.assertEqual((file.stat().st_uid, file.stat().st_gid), (12345, 12346), file)

    def refused(self, archive, word=None):
        """The archive is refused with exit 6, and the folder that was there is as it was."""
        self.into.mkdir(exist_ok=True)
        (self.into / "ledger.db").write_text("what was there")
        result = self.restore(archive, "--force", code=6)
        if word:
            self.assertIn(word, result.stderr.decode(errors="replace"))
        self.assertEqual(tree(self.into), {"ledger.db": b"what was there"})
        self.assertEqual(sorted(p.name for p in self.into.iterdir()), ["ledger.db", "tandem.lock"])

    def rewritten(self, change, sums=True):
        """The archive with its members changed by `change(members)`, with right sums again."""
        with tarfile.open(self.archive) as tar:
            members = [(m.name, tar.extractfile(m).read()) for m in tar.getmembers() if m.name != "SHA256SUMS"]
        members = change(members)
        if sums:
            members.append(("SHA256SUMS", "".join(f"{hashlib.sha256(c).hexdigest()}  {n}\n" for n, c in members if isinstance(c, bytes)).encode()))
        file = self.folder / "changed.tar"
        with tarfile.open(file, "w") as tar:
            for name, content in members:
                info = content if isinstance(content, tarfile.TarInfo) else tarfile.TarInfo(name)
                if isinstance(content, bytes):
                    info.size = len(content)
                tar.addfile(info, io.BytesIO(content) if isinstance(content, bytes) else None)
        return file

    def test_a_flipped_bit_and_a_cut_are_noticed_anywhere(self):
        whole = self.archive.read_bytes()
        with tarfile.open(self.archive) as tar:
            spans = [(m.offset_data, m.size) for m in tar.getmembers() if m.size]
        rest = random.Random(7)
        damaged = self.folder / "damaged.tar"
        for start, size in spans:
            at = start + rest.randrange(size)
            damaged.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << rest.randrange(8))]) + whole[at + 1:])
            self.refused(damaged)
        for size in (0, 1, 511, 512, len(whole) // 2, len(whole) - 1024):
            damaged.write_bytes(whole[:size])
            self.refused(damaged)
        damaged.write_bytes(os.urandom(100_000))
        self.refused(damaged)
        damaged.write_bytes(bytes(100_000))
        self.refused(damaged, "no SHA256SUMS")

    def test_a_hostile_archive_is_refused_and_touches_nothing(self):
        def kind(name, type, link=""):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = type, link
            return info
        secret = self.folder / "secret"
        secret.write_text("untouched")
        long = "data/" + "x" * 200
        for what, extra in {
            "up": [("../secret", b"x")], "up within": [("data/../../secret", b"x")], "absolute": [(str(secret), b"x")], "hidden up": [("data/files/../../../secret", b"x")],
            "long up": [(f"{long}/../../../secret", b"x")], "empty part": [("data//x", b"x")], "control": [("data/a\x1b[2Jb", b"x")], "elsewhere": [("etc/passwd", b"x")],
            "link": [("data/files", kind("data/files", tarfile.SYMTYPE, "/etc")), ("data/files/x", b"x")], "hard link": [("data/h", kind("data/h", tarfile.LNKTYPE, str(secret)))],
            "device": [("data/d", kind("data/d", tarfile.CHRTYPE))], "pipe": [("data/p", kind("data/p", tarfile.FIFOTYPE))], "twice": [("data/privacy.key", b"x" * 300)],
            "journal": [("data/ledger.db-wal", b"x")], "journal 2": [("data/ledger.db-journal", b"x")], "decided": [("data/restore.decided/before", b"before-x")], "lock": [("data/tandem.lock", b"")],
            "file for folder": [("data/files", b"x")], "deep": [("data/" + "/".join("d" * 40), b"x")], "sums twice": [("SHA256SUMS", b"")],
        }.items():
            with self.subTest(what):
                self.refused(self.rewritten(lambda members: members + extra))
        self.assertEqual(secret.read_text(), "untouched")
        # A file without a sum, a sum without a file, no sums, no ledger.
        self.refused(self.rewritten(lambda m: m + [("SHA256SUMS", "".join(f"{hashlib.sha256(c).hexdigest()}  {n}\n" for n, c in m).encode()), ("data/new", b"x")], sums=False), "have a sum")
        self.refused(self.rewritten(lambda m: m + [("SHA256SUMS", (("0" * 64 + "  data/none\n").encode()))], sums=False), "missing")
        self.refused(self.rewritten(lambda m: m, sums=False), "no SHA256SUMS")
        self.refused(self.rewritten(lambda m: [x for x in m if x[0] != "data/ledger.db"]), "no data/ledger.db")
        self.refused(self.rewritten(lambda m: [(n, c.replace(b'"format":1', b'"format":9') if n == "backup.json" else c) for n, c in m]), "format 9")

    def changed_ledger(self, *statements):
        with tarfile.open(self.archive) as tar:
            (self.folder / "l.db").write_bytes(tar.extractfile("data/ledger.db").read())
        database = sqlite3.connect(self.folder / "l.db")
        for statement in statements:
            database.execute(statement)
        database.commit()
        database.execute("PRAGMA journal_mode = DELETE")
        database.close()
        content = (self.folder / "l.db").read_bytes()
        return self.rewritten(lambda m: [(n, content if n == "data/ledger.db" else c) for n, c in m])

    def test_a_record_that_was_changed_in_the_archive_is_refused(self):
        self.refused(self.changed_ledger("UPDATE egress SET bytes = bytes + 1 WHERE sequence = 2"), "not whole")
        self.refused(self.changed_ledger("PRAGMA user_version = 999"), "version 999")
        self.refused(self.rewritten(lambda m: [(n, c) for n, c in m if n != "data/egress.checkpoints"]), "not whole")
        with tarfile.open(self.archive) as tar:
            ledger = bytearray(tar.extractfile("data/ledger.db").read())
        ledger[4096:12288] = os.urandom(8192)
        self.refused(self.rewritten(lambda m: [(n, bytes(ledger) if n == "data/ledger.db" else c) for n, c in m]))

    def test_a_damaged_record_is_backed_up_as_it_is_and_says_so(self):
        self.restore(self.archive)
        database = sqlite3.connect(self.into / "ledger.db")
        database.execute("UPDATE egress SET bytes = bytes + 1 WHERE sequence = 2")
        database.commit()
        database.close()
        result = self.run_cli("backup", self.folder / "evidence.tar", "--data", self.into, code=6)
        self.assertIn(b"not whole, and was backed up as it is", result.stderr)
        shutil.rmtree(self.into)
        self.assertIn(b"not whole when it was made", self.restore(self.folder / "evidence.tar").stdout)
        # A ledger that SQLite cannot read is no backup.
        content = bytearray((self.into / "ledger.db").read_bytes())
        content[4096:20480] = os.urandom(16384)
        (self.into / "ledger.db").write_bytes(content)
        self.run_cli("backup", self.folder / "bad.tar", "--data", self.into, code=6)
        self.assertFalse((self.folder / "bad.tar").exists())

    def test_an_archive_that_other_tools_packed_again_is_taken(self):
        with tarfile.open(self.archive) as tar:
            tar.extractall(self.folder / "out", filter="data") if hasattr(tarfile, "data_filter") else tar.extractall(self.folder / "out")
        subprocess.run(["tar", "-C", str(self.folder / "out"), "-cf", str(self.folder / "gnu.tar"), "."], check=True)
        self.restore(self.folder / "gnu.tar")
        self.assertTrue((self.into / "files" / self.upload).exists())

    def test_what_is_not_there_is_said(self):
        self.run_cli("restore", "nothing.tar", "--data", self.into, code=5)
        self.assertIn(b"there is no ledger", self.run_cli("backup", self.folder / "x.tar", "--data", self.into, code=5).stderr)
        self.assertIn(b"cannot make a folder beside", self.run_cli("backup", "/nowhere/x.tar", "--data", self.data, code=1).stderr)


class UnderLoad(unittest.TestCase):
    def test_every_archive_is_whole(self):
        warnings.simplefilter("ignore", ResourceWarning)
        cloud = Upstream()
        self.addCleanup(cloud.close)
        server = Tandem(f"providers:\n  far: {cloud.provider('cloud')}\nmodels:\n  big: {{ provider: far }}\n")
        self.addCleanup(server.stop)
        file = server.folder / "load.tar"
        stop = threading.Event()

        def ask():
            while not stop.is_set():
                server.chat("load", model="big")

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            until(lambda: server.egress(), "a record")
            records = []
            for _ in range(6):
                result = server.cli("backup", str(file), "--json")
                self.assertEqual(result.returncode, 0, result.stderr)
                records.append(json.loads(result.stdout)["backup"]["egress_records"])
                checked = server.cli("restore", str(file), "--check")
                self.assertEqual(checked.returncode, 0, checked.stderr)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.assertEqual(records, sorted(set(records)))  # asked meanwhile: each has more


if __name__ == "__main__":
    unittest.main()
