"""Random faults under a mixed load: three models in room for one, on the real llama-server and the real SmolLM2, while their processes are
killed, stopped and starved, their sockets taken away, their logs flooded, their files damaged and the disk filled. Each request gets its
whole answer or a clear error, no process is left, and the memory stays within its limit.

It takes 12 s. `TANDEM_FAULT_SECONDS=600 TANDEM_FAULT_PAUSE=0.6` is what docs/measurements.md says of 1,000 faults."""
import collections
import contextlib
import http.client
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from harness import CACHE, Tandem, until

SECONDS = float(os.environ.get("TANDEM_FAULT_SECONDS", "12"))
PAUSE = float(os.environ.get("TANDEM_FAULT_PAUSE", "1"))  # seconds between two faults, about
MODELS = "abc"


def real_file():
    return CACHE / "models" / "smollm2-135m-instruct-q4_1.gguf"


class Faults(unittest.TestCase):
    def setUp(self):
        self.files = pathlib.Path(tempfile.mkdtemp(prefix="tandem-files-"))
        self.addCleanup(shutil.rmtree, self.files, True)
        for model in MODELS:
            shutil.copy(real_file(), self.files / f"{model}.gguf")
        self.random = random.Random(int(os.environ.get("TANDEM_FAULT_SEED", "7")))
        self.outcomes, self.faults = collections.Counter(), collections.Counter()
        self.wrong, self.over, self.late = [], [], []
        self.tandem = Tandem(self.config())
        self.addCleanup(self.tandem.stop)

    def config(self, limit=None):
        memory = f"memory: {limit}, " if limit else ""
        return (f"engine: {{ {memory}patience: 2s, stall: 5s }}\nproviders: {{ home: {{ kind: engine }} }}\nmodels:\n"
                + "".join(f"  {m}: {{ provider: home, file: {self.files / m}.gguf, context: 1024, slots: 2 }}\n" for m in MODELS))

    def engines(self):
        return json.loads(self.tandem.request("/tandem/v1/engines")[2])

    def running(self):
        return [e for e in self.engines()["engines"] if e["pid"]]

    # ---- the load ----

    def client(self, model, seed):
        choice = random.Random(seed)
        while time.monotonic() < self.end:
            stream = choice.random() < 0.5
            text = "Count one two " * choice.choice((1, 1, 10, 60))
            try:
                status, headers, raw = self.tandem.chat(text, model=model, max_tokens=choice.choice((4, 30, 100)), timeout=120, stream=stream)
            except http.client.IncompleteRead as error:  # it ends without its end, after an event that says why
                status, raw = 200, error.partial
            except Exception as error:  # noqa: BLE001 - a client must never see such a thing
                self.wrong.append((model, repr(error)))
                continue
            whole = b"data: [DONE]" in raw if stream and status == 200 else b'"finish_reason"' in raw
            failed = b'"error"' in raw
            self.outcomes["answered" if whole and not failed else "error" if failed else "neither"] += 1
            if failed == whole or (failed and b'"message"' not in raw):
                self.wrong.append((model, status, raw[-300:]))
            if failed and status != 200:
                time.sleep(0.2)

    def owner(self):
        """One that is quarantined is started again, as its owner would."""
        while time.monotonic() < self.end:
            for e in self.engines()["engines"]:
                if e["state"] == "quarantined":
                    self.tandem.request(f"/tandem/v1/engines/{e['model']}/start", b"{}", timeout=120)
            time.sleep(1)

    def sample(self):
        while time.monotonic() < self.end:
            total, run = 0, self.running()
            for e in run:
                with contextlib.suppress(OSError, StopIteration):
                    lines = pathlib.Path(f"/proc/{e['pid']}/status").read_text().splitlines()
                    total += next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))
            if total > self.limit:
                self.over.append((total, [(e["model"], e["state"]) for e in run]))
            time.sleep(0.05)

    # ---- what goes wrong ----

    def break_something(self):
        kinds = (self.kill, self.kill, self.segv, self.stop_signal, self.starve, self.take_socket, self.flood_log, self.damage_file,
                 self.damage_prompts, self.fill_disk)
        if named := os.environ.get("TANDEM_FAULT_KINDS"):
            kinds = tuple(getattr(self, name) for name in named.split(","))
        while time.monotonic() < self.end - 3:
            kind = self.random.choice(kinds)
            with contextlib.suppress(OSError, IndexError):  # it has gone, or there is no room
                kind(self.random.choice(self.running()) if kind.__name__ not in ("damage_file", "damage_prompts", "fill_disk") else None)
                self.faults[kind.__name__] += 1
            time.sleep(self.random.uniform(0.2, 1.8) * PAUSE)

    def kill(self, engine):
        os.kill(engine["pid"], signal.SIGKILL)

    def segv(self, engine):
        os.kill(engine["pid"], signal.SIGSEGV)

    def stop_signal(self, engine):
        os.kill(engine["pid"], signal.SIGSTOP)

    def starve(self, engine):
        """No descriptor more, or no memory more."""
        if self.random.random() < 0.5:
            resource.prlimit(engine["pid"], resource.RLIMIT_NOFILE, (6, 6))
        else:
            resource.prlimit(engine["pid"], resource.RLIMIT_AS, (1 << 20, 1 << 20))

    def take_socket(self, engine):
        """Its socket goes, or becomes somebody else's, who answers nothing."""
        path = pathlib.Path(engine["socket"])
        path.unlink()
        if self.random.random() < 0.5:
            stranger = socket.socket(socket.AF_UNIX)
            self.addCleanup(stranger.close)
            folder = os.open(path.parent, os.O_PATH)
            stranger.bind(f"/proc/self/fd/{folder}/{path.name}")
            os.close(folder)
            stranger.listen()

    def flood_log(self, engine):
        with open(engine["log"], "ab") as log:
            log.write(b"I slot update_slots: eval time = 1 ms / 9 tokens error failed\n" * 150_000)

    def damage_file(self, _):
        """For a while: the file is another one then, as after a bad download."""
        model = self.random.choice(MODELS)
        file, broken = self.files / f"{model}.gguf", self.files / f"{model}.new"
        data = bytearray(real_file().read_bytes())
        at = self.random.randrange(0, 200_000)
        data[at:at + 4096] = self.random.randbytes(4096)
        broken.write_bytes(data if self.random.random() < 0.7 else data[:len(data) // 2])
        os.replace(broken, file)

        def mend():
            shutil.copy(real_file(), broken)
            os.replace(broken, file)
        threading.Timer(2, mend).start()

    def damage_prompts(self, _):
        for file in self.tandem.folder.glob("data/engines/*.d/prompts/*"):
            with open(file, "r+b") as bytes:
                bytes.seek(self.random.randrange(0, 4096))
                bytes.write(self.random.randbytes(512))

    def fill_disk(self, _):
        """Where the data lies on a disk of its own (below)."""
        if not self.small_disk:
            raise PermissionError
        free = shutil.disk_usage(self.tandem.folder / "data").free
        with open(self.tandem.folder / "data" / "ballast", "wb") as file, contextlib.suppress(OSError):
            os.posix_fallocate(file.fileno(), 0, max(1, free - 4096))
        threading.Timer(1, lambda: (self.tandem.folder / "data" / "ballast").unlink(missing_ok=True)).start()

    def with_a_small_disk(self):
        self.tandem.kill()
        data = self.tandem.folder / "data"
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300m", "tmpfs", data], capture_output=True).returncode == 0
        if mounted:
            self.addCleanup(subprocess.run, ["umount", "-l", data], capture_output=True)
        self.tandem.start()
        return mounted

    def test_all_of_them_at_once(self):
        self.small_disk = self.with_a_small_disk()
        for model in MODELS:
            self.assertEqual(self.tandem.chat("hi", model=model, max_tokens=60, timeout=120)[0], 200)
            self.tandem.request(f"/tandem/v1/engines/{model}/stop", b"{}")
        until(lambda: not self.running(), "all to be measured")
        self.limit = max(e["memory"]["planned_bytes"] for e in self.engines()["engines"]) * 8 // 5
        self.tandem.write(self.config(self.limit))
        until(lambda: self.engines()["memory"]["limit_bytes"] == self.limit, "the config to be read again")
        self.end = time.monotonic() + SECONDS
        threads = [threading.Thread(target=self.client, args=(model, seed)) for seed, model in enumerate("aabc")]
        threads += [threading.Thread(target=work) for work in (self.break_something, self.owner, self.sample)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seen = self.engines()
        print(f"{sum(self.faults.values())} faults {dict(self.faults)}, {dict(self.outcomes)}, "
              f"{sum(e['loads'] for e in seen['engines'])} loads, incidents {dict(collections.Counter(i['kind'] for i in seen['incidents']))}, "
              f"longest waits {[e['longest_wait_ms'] for e in seen['engines']]} ms", flush=True)
        self.assertEqual(self.wrong, [])
        self.assertEqual(self.over, [], f"the limit is {self.limit}")
        self.assertGreater(sum(self.faults.values()), SECONDS / PAUSE / 3)
        self.assertGreater(self.outcomes["answered"], 0)
        self.calm_after_it()

    def calm_after_it(self):
        """All are well again, one that is killed is back within 5 s and its loading, and nothing is left at the end."""
        time.sleep(3)
        loading = []
        for model in MODELS:
            self.tandem.request(f"/tandem/v1/engines/{model}/start", b"{}", timeout=120)
            self.tandem.request(f"/tandem/v1/engines/{model}/stop", b"{}", timeout=120)
            started = time.monotonic()
            status, _, raw = self.tandem.chat("hi", model=model, max_tokens=4, timeout=120)
            self.assertEqual(status, 200, raw)
            loading.append(time.monotonic() - started)
            before = next(e for e in self.engines()["engines"] if e["model"] == model)
            os.kill(before["pid"], signal.SIGKILL)
            started = time.monotonic()
            until(lambda: self.tandem.chat("hi", model=model, max_tokens=4, timeout=120)[0] == 200, "it to be back", 60)
            self.late.append(time.monotonic() - started)
        print(f"back after {[round(t, 1) for t in self.late]} s, loading takes {[round(t, 1) for t in loading]} s", flush=True)
        self.assertLess(max(self.late), 5 + 2 * max(loading))
        folder = str(self.files)
        self.tandem.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.tandem.process.wait(60), 0)
        left = [p for p in pathlib.Path("/proc").glob("[0-9]*/cmdline") if self.reads(p, folder)]
        self.assertEqual(left, [])

    @staticmethod
    def reads(cmdline, folder):
        with contextlib.suppress(OSError):
            text = cmdline.read_bytes().decode(errors="replace")
            return folder in text and "llama-server" in text
        return False


if __name__ == "__main__":
    unittest.main()
