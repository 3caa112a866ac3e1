"""`tandem model`: files fetched from hubs that are as bad as real ones, checked, listed, adopted, deleted, served."""
# ctest: starts no real engine
import concurrent.futures
import hashlib
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import harness
from harness import BINARY, until
from hubs import Hub, Proxy, Registry, sha

MIB = 1 << 20


def gguf(size, seed=1):
    """A file of this size that begins as a GGUF file does: magic, version 3, no tensors, one entry."""
    key, name = b"general.architecture", b"llama"
    head = b"GGUF" + (3).to_bytes(4, "little") + (0).to_bytes(8, "little") + (1).to_bytes(8, "little")
    head += len(key).to_bytes(8, "little") + key + (8).to_bytes(4, "little") + len(name).to_bytes(8, "little") + name
    return head + random.Random(seed).randbytes(size - len(head))


class Place:
    """A home and a data folder, without a server."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tandem-models-"))
        self.config = self.folder / "tandem.yaml"
        self.config.write_text(f"data: {self.folder}/data\n# the owner's own words\n")
        self.models = self.folder / "data/models"
        self.env = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "HUGGING_FACE", "OLLAMA_", "LLAMA_CACHE", "XDG_"))}
        self.env |= {"HOME": str(self.folder), "TANDEM_CONFIG": str(self.config)}

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *arguments, env=None, timeout=120):
        return subprocess.run([BINARY, *arguments], env={**self.env, **(env or {})}, cwd=self.folder, capture_output=True, text=True, timeout=timeout)

    def start(self, *arguments, env=None):
        return subprocess.Popen([BINARY, *arguments], env={**self.env, **(env or {})}, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def listed(self):
        return json.loads(self.run("model", "list", "--json").stdout)["models"]


class Models(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.place = Place()
        self.addCleanup(self.place.close)

    def hub(self, files, **how):
        hub = Hub(files, **how)
        self.addCleanup(hub.close)
        return hub

    def registry(self, data, **how):
        hub = Registry(data, **how)
        self.addCleanup(hub.close)
        return hub

    def pull(self, hub, what=None, *more, env=None):
        return self.place.run("model", "pull", what or f"hf:{hub.repository}", *more, env={"HF_ENDPOINT": hub.url, **(env or {})})

    def good(self, result, code=0):
        self.assertEqual(result.returncode, code, result.stderr + result.stdout)
        return result

    def has(self, name, data):
        self.assertEqual(sha((self.place.models / name).read_bytes()), sha(data))
        self.assertEqual([file.name for file in (self.place.models / ".pull").iterdir()], [])


class FromTheHub(Models):
    def test_a_file_is_fetched_in_ranges_checked_pinned_and_listed(self):
        data = gguf(33 * MIB + 12345)
        hub = self.hub({"tiny-Q4_K_M.gguf": data, "README.md": b"hello"}, plain={"README.md"})
        result = self.good(self.pull(hub))
        self.has("tiny-Q4_K_M.gguf", data)
        self.assertIn("licence: apache-2.0", result.stderr)
        self.assertIn(hub.commit, result.stderr)
        self.assertIn("providers:\n  home: { kind: engine }\nmodels:\n  tiny-q4_k_m: { provider: home, file: tiny-Q4_K_M.gguf", result.stdout)
        [model] = self.place.listed()
        self.assertEqual((model["version"], model["files"][0]["sha256"], model["compared"], model["adopted"], model["state"]),
                         (hub.commit, sha(data), True, False, "there"))
        self.assertEqual(model["source"], "hf:acme/Tiny-GGUF:tiny-Q4_K_M.gguf")
        ranges = [head["range"] for role, _, head in hub.requests("cdn") if head.get("range") != "bytes=0-0"]
        self.assertEqual(len(ranges), 5, ranges)
        self.assertTrue(all(f"/resolve/{hub.commit}/" in path for _, path, _ in hub.requests("hub") if "/resolve/" in path))
        self.good(self.place.run("model", "verify"))

    def test_what_is_there_is_not_fetched_again(self):
        hub = self.hub({"tiny.gguf": gguf(MIB)})
        self.good(self.pull(hub))
        given = hub.given
        result = self.good(self.pull(hub))
        self.assertIn("is there already", result.stdout)
        self.assertLessEqual(hub.given - given, 1)  # the byte that tells where the file is

    def test_a_killed_pull_goes_on_where_it_was(self):
        data = gguf(128 * MIB)
        hub = self.hub({"tiny.gguf": data})
        hub.slow = 0.02
        for _ in range(3):
            given = hub.given
            process = self.place.start("model", "pull", "hf:acme/Tiny-GGUF", env={"HF_ENDPOINT": hub.url})
            until(lambda: hub.given - given > 32 * MIB or process.poll() is not None, "some bytes")
            process.send_signal(signal.SIGKILL)
            process.communicate()
        self.assertEqual(self.place.listed(), [])
        hub.slow = 0
        result = self.good(self.pull(hub))
        self.assertIn("are there already", result.stderr)
        self.has("tiny.gguf", data)
        # What of each of four ranges had not been noted, and what the system had taken in for a busy reader (6 MiB of each at
        # most); a pull that begins anew is given 96 MiB more than the file has.
        self.assertLess(hub.given, len(data) + 3 * 4 * 6 * MIB)

    def test_a_pull_that_was_killed_before_its_entry_is_entered(self):
        data = gguf(10 * MIB)
        hub = self.hub({"tiny.gguf": data})
        self.good(self.pull(hub))
        (self.place.models / "manifest.json").unlink()
        given = hub.given
        self.good(self.pull(hub))
        self.assertLessEqual(hub.given - given, 1)
        self.assertEqual([(model["name"], model["adopted"]) for model in self.place.listed()], [("tiny.gguf", False)])

    def test_cut_connections_are_taken_up_within_the_range(self):
        data = gguf(40 * MIB)
        hub = self.hub({"tiny.gguf": data})
        hub.cut_after, hub.cuts = 3 * MIB, 12
        self.good(self.pull(hub))
        self.has("tiny.gguf", data)
        self.assertLess(hub.given, len(data) + 8 * MIB)

    def test_a_range_that_came_wrong_is_found_and_fetched_again(self):
        data = gguf(64 * MIB)
        hub = self.hub({"tiny.gguf": data})
        hub.spoil = {16 * MIB: 1}
        result = self.good(self.pull(hub))
        self.has("tiny.gguf", data)
        self.assertIn("had come wrong", result.stderr)
        self.assertLess(hub.given, len(data) + 33 * MIB)

    def test_bytes_that_changed_on_the_disk_are_fetched_again_and_not_the_file(self):
        data = gguf(48 * MIB)
        hub = self.hub({"tiny.gguf": data})
        hub.slow = 0.02
        process = self.place.start("model", "pull", "hf:acme/Tiny-GGUF", "--connections", "1", env={"HF_ENDPOINT": hub.url})
        until(lambda: hub.given > 30 * MIB, "most of it")
        process.kill()
        process.communicate()
        [part] = (self.place.models / ".pull").glob("*.part")
        with open(part, "r+b") as file:
            file.seek(9 * MIB)
            file.write(b"a disk lost this")
        hub.slow, given = 0, hub.given
        result = self.good(self.pull(hub))
        self.assertIn("changed on the disk", result.stderr)
        self.has("tiny.gguf", data)
        self.assertLess(hub.given - given, 40 * MIB)

    def test_what_is_always_wrong_is_refused_and_not_kept(self):
        hub = self.hub({"tiny.gguf": gguf(2 * MIB)})
        hub.spoil = {0: 1000}
        result = self.pull(hub)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("SHA-256", result.stderr)
        self.assertEqual(self.place.listed(), [])
        self.assertEqual(sorted(file.name for file in self.place.models.glob("*.gguf")), [])

    def test_a_signature_that_expires_is_asked_for_anew(self):
        data = gguf(64 * MIB)
        hub = self.hub({"tiny.gguf": data})
        hub.valid_for, hub.slow = 0.5, 0.03
        self.good(self.pull(hub))
        self.has("tiny.gguf", data)
        resolved = [path for _, path, _ in hub.requests("hub") if "/resolve/" in path]
        self.assertGreater(len(resolved), 2)
        self.assertLess(hub.given, len(data) + MIB)

    def test_a_hub_that_asks_to_wait_is_waited_for(self):
        data = gguf(9 * MIB)
        hub = self.hub({"tiny.gguf": data})
        hub.limited = {"hub": 2, "cdn": 1}
        hub.limit_headers = [("ratelimit", '"resolvers";r=0;t=1'), ("ratelimit-policy", '"fixed window";"resolvers";q=5000;w=300')]
        begun = time.monotonic()
        self.good(self.pull(hub))
        self.assertGreater(time.monotonic() - begun, 2.0)
        self.has("tiny.gguf", data)
        hub.limited = {"hub": 1000}
        hub.limit_headers = [("retry-after", "7200")]
        (self.place.models / "tiny.gguf").unlink()
        result = self.pull(hub)
        self.assertEqual(result.returncode, 1)
        self.assertIn("wait for 7200 s", result.stderr)

    def test_the_token_stays_with_the_hub(self):
        for number, env in enumerate(({"HF_TOKEN": "hf_of_the_test"}, None)):
            with self.subTest(number):
                hub = self.hub({"tiny.gguf": gguf(9 * MIB, number)})
                hub.gated = "hf_of_the_test"
                if env is None:  # where the hub's own program keeps it
                    (self.place.folder / ".cache/huggingface").mkdir(parents=True)
                    (self.place.folder / ".cache/huggingface/token").write_text("hf_of_the_test\n")
                self.good(self.pull(hub, env=env))
                self.assertTrue(all(head.get("authorization") == "Bearer hf_of_the_test" for _, _, head in hub.requests("hub")))
                self.assertEqual([head for _, _, head in hub.requests("cdn") if "authorization" in {key.lower() for key in head}], [])
                written = "".join(path.read_text(errors="replace") for path in self.place.models.rglob("*.json"))
                self.assertNotIn("hf_of_the_test", written)
                self.assertNotIn("X-Amz-Signature", written)
                self.place.run("model", "rm", "tiny.gguf")

    def test_refusals_say_what_to_do(self):
        hub = self.hub({"tiny-Q4_K_M.gguf": gguf(MIB), "tiny-Q8_0.gguf": gguf(MIB, 2), "tiny-Q6_K.gguf": gguf(MIB, 3), "tiny-Q6_K_L.gguf": gguf(MIB, 4)})
        for what, token, words, code in (
                ("hf:acme/Gone-GGUF", None, "no repository acme/Gone-GGUF, or it is private", 5),
                ("hf:acme/Tiny-GGUF:Q5_0", None, "tiny-Q8_0.gguf", 5),
                ("hf:acme/Tiny-GGUF:absent.gguf", None, "has no file 'absent.gguf'", 5),
                ("hf:acme/Tiny-GGUF@v9", None, "no revision 'v9'", 5),
                ("hf:acme", None, "ORG/REPO", 2),
                ("ftp://host/file.gguf", None, "ftp is not spoken", 2)):
            with self.subTest(what):
                result = self.pull(hub, what)
                self.assertEqual((result.returncode, words in result.stderr), (code, True), result.stderr)
        hub.gated = "hf_right"
        result = self.pull(hub)
        self.assertIn("gated: accept its terms at", result.stderr)
        self.assertIn("HF_TOKEN", result.stderr)
        self.assertIn("refuses the token: Invalid credentials", self.pull(hub, env={"HF_TOKEN": "hf_wrong"}).stderr)
        hub.echoes = True
        result = self.pull(hub, env={"HF_TOKEN": "hf_wrong"})
        self.assertIn("Bearer (the token)", result.stderr)
        self.assertNotIn("hf_wrong", result.stdout + result.stderr)
        before = len(hub.requests("hub"))
        self.assertIn("no token has", self.pull(hub, env={"HF_TOKEN": "hf_wrong\r\nx-evil: 1"}).stderr)
        self.assertEqual(len(hub.requests("hub")), before)
        hub.gated = None
        self.good(self.pull(hub, "hf:acme/Tiny-GGUF:q6_k"))  # a whole word, in any case
        self.assertEqual([model["name"] for model in self.place.listed()], ["tiny-Q6_K.gguf"])

    def test_a_split_model_is_fetched_whole_and_a_part_is_not_enough(self):
        parts = {f"Q4_K_M/big-Q4_K_M-0000{n}-of-00003.gguf": gguf(MIB + n, n) for n in (1, 2, 3)}
        hub = self.hub({**parts, "mmproj-F16.gguf": gguf(MIB, 9), "MTP/mtp-big-Q4_K_M.gguf": gguf(MIB, 10)})
        hub.page_size = 2
        result = self.good(self.pull(hub, "hf:acme/Tiny-GGUF:Q4_K_M"))
        self.assertIn("and 2 parts", result.stderr)
        self.assertIn("projector", result.stderr)
        [model] = self.place.listed()
        self.assertEqual((model["name"], len(model["files"])), ("big-Q4_K_M-00001-of-00003.gguf", 3))
        self.good(self.place.run("model", "rm", model["name"]))
        self.assertEqual(list(self.place.models.glob("*.gguf")), [])
        del hub.files["Q4_K_M/big-Q4_K_M-00002-of-00003.gguf"]
        self.assertIn("2 of its 3 parts", self.pull(hub, "hf:acme/Tiny-GGUF:Q4_K_M").stderr)

    def test_a_mirror_that_gives_the_bytes_itself(self):
        data = gguf(20 * MIB)
        hub = self.hub({"tiny.gguf": data})
        hub.direct = True
        self.good(self.pull(hub))
        self.has("tiny.gguf", data)
        self.assertEqual(hub.requests("cdn"), [])

    def test_a_file_outside_lfs_comes_by_a_relative_redirect(self):
        data = gguf(MIB)
        hub = self.hub({"tiny.gguf": data}, plain={"tiny.gguf"})
        result = self.good(self.pull(hub))
        self.has("tiny.gguf", data)
        self.assertIn("its source says none", result.stdout)

    def test_a_page_instead_of_the_file_is_noticed_at_its_first_bytes(self):
        hub = self.hub({"tiny.gguf": gguf(40 * MIB)})
        hub.html = True
        result = self.pull(hub)
        self.assertIn("no GGUF file", result.stderr)
        self.assertEqual(self.place.listed(), [])

    def test_a_mirror_whose_list_and_file_differ_is_refused(self):
        hub = self.hub({"tiny.gguf": gguf(MIB)})
        hub.lie_about_size = 5
        self.assertIn("are said to be", self.pull(hub).stderr)

    def test_room_is_looked_at_first(self):
        hub = self.hub({"tiny.gguf": gguf(MIB)})
        hub.lie_about_size = 1 << 50
        result = self.pull(hub)
        self.assertIn("GB free", result.stderr)
        self.assertEqual(hub.given, 1)
        hub.lie_about_size = (1 << 63) - 1 - MIB
        self.assertIn("no model has so many", self.pull(hub).stderr)

    def test_bytes_in_another_coding_are_refused_at_once(self):
        hub = self.hub({"tiny.gguf": gguf(MIB)})
        hub.coding = "gzip"
        result = self.pull(hub)
        self.assertEqual(result.returncode, 1)
        self.assertIn("in the coding 'gzip', which was not asked for", result.stderr)
        self.assertEqual(hub.given, 1)

    def test_two_at_once_do_not_write_over_each_other(self):
        data = gguf(40 * MIB)
        hub = self.hub({"tiny.gguf": data})
        hub.slow = 0.5  # the second begins while the first is under way, on a busy machine too
        first = self.place.start("model", "pull", "hf:acme/Tiny-GGUF", env={"HF_ENDPOINT": hub.url})
        until(lambda: hub.given > MIB, "the first to write")
        second = self.pull(hub)
        hub.slow = 0
        self.assertIn("another process pulls the same file", second.stderr)
        self.assertEqual(first.wait(60), 0, first.communicate())
        self.has("tiny.gguf", data)

    def test_the_same_name_of_another_maker_gets_a_name_of_its_own(self):
        one, other = gguf(MIB, 1), gguf(MIB, 2)
        self.good(self.pull(self.hub({"model.gguf": one})))
        self.good(self.pull(self.hub({"model.gguf": other}, repository="beta/Two"), "hf:beta/Two"))
        self.has("model.gguf", one)
        self.has("beta_model.gguf", other)


    def test_a_connection_that_stalls_is_left_and_only_its_range_is_asked_for_again(self):
        data = gguf(40 * MIB)
        hub = self.hub({"tiny.gguf": data})
        hub.stalls = 2
        self.good(self.pull(hub))
        self.has("tiny.gguf", data)
        self.assertLess(hub.given, len(data) + 2 * MIB)

    def test_bytes_that_are_refused_with_every_signature_are_given_up_soon(self):
        data = gguf(80 * MIB)
        hub = self.hub({"tiny.gguf": data})
        hub.slow = 0.02
        process = self.place.start("model", "pull", "hf:acme/Tiny-GGUF", env={"HF_ENDPOINT": hub.url})
        until(lambda: hub.given > MIB, "the first bytes")
        hub.refused, hub.cuts, hub.cut_after = 400, 100, MIB
        begun = time.monotonic()
        self.assertIn("answered 400", process.communicate(timeout=60)[1])
        self.assertEqual(process.returncode, 1)
        self.assertLess(time.monotonic() - begun, 30)
        hub.refused = hub.cuts = 0
        self.assertIn("are there already", self.good(self.pull(hub)).stderr)
        self.has("tiny.gguf", data)

    def test_a_server_that_gives_less_than_was_asked_for(self):
        data = gguf(20 * MIB)
        hub = self.hub({"tiny.gguf": data})
        hub.most = 3 * MIB
        self.good(self.pull(hub))
        self.has("tiny.gguf", data)
        self.assertLess(hub.given, len(data) + 10)

    def test_a_mirror_that_says_no_length(self):
        data = gguf(20 * MIB)
        hub = self.hub({"tiny.gguf": data})
        hub.direct = hub.no_length = True
        self.good(self.pull(hub))
        self.has("tiny.gguf", data)

    def test_a_file_that_its_maker_has_replaced_is_pulled_anew(self):
        hub = self.hub({"tiny.gguf": gguf(MIB, 1)})
        self.good(self.pull(hub))
        hub.files["tiny.gguf"] = gguf(MIB, 2)
        self.good(self.pull(hub))
        self.has("tiny.gguf", gguf(MIB, 2))
        self.assertEqual([model["files"][0]["sha256"] for model in self.place.listed()], [sha(gguf(MIB, 2))])

    def test_what_an_interrupted_pull_left_is_seen_and_can_be_deleted(self):
        hub = self.hub({"tiny.gguf": gguf(40 * MIB)})
        hub.slow = 0.02
        process = self.place.start("model", "pull", "hf:acme/Tiny-GGUF", env={"HF_ENDPOINT": hub.url})
        until(lambda: hub.given > 8 * MIB, "some bytes")
        self.assertIn("0 bytes are free", self.place.run("model", "rm", "--unfinished").stdout)  # it is under way
        process.kill()
        process.communicate()
        self.assertIn("unfinished: tiny.gguf, ", self.place.run("model", "list").stdout)
        [left] = json.loads(self.place.run("model", "list", "--json").stdout)["unfinished"]
        self.assertEqual((left["name"], left["size"]), ("tiny.gguf", 40 * MIB))
        self.good(self.place.run("model", "rm", "--unfinished"))
        self.assertEqual(list((self.place.models / ".pull").iterdir()), [])
        self.assertEqual(self.place.run("model", "rm").returncode, 2)


class OnBadLines(Models):
    def proxy(self, **how):
        proxy = Proxy(**how)
        self.addCleanup(proxy.close)
        return proxy

    def test_a_proxy_is_used_with_its_credentials_and_not_where_no_proxy_says_so(self):
        data = gguf(20 * MIB)
        hub, proxy = self.hub({"tiny.gguf": data}), self.proxy(credentials="me:p@ss")
        self.good(self.pull(hub, env={"HTTP_PROXY": f"http://me:p%40ss@{proxy.address}"}))
        self.has("tiny.gguf", data)
        asked = [path for _, path, _ in proxy.seen]
        self.assertTrue(any(path.startswith(hub.url) for path in asked) and any(path.startswith(hub.cdn_url) for path in asked), asked)
        self.assertNotIn("proxy-authorization", {key.lower() for _, _, head in hub.requests() for key in head})
        wrong = self.pull(hub, env={"http_proxy": f"http://me:wr0ng@{proxy.address}"})
        self.assertIn("407", wrong.stderr)
        self.assertNotIn("wr0ng", wrong.stdout + wrong.stderr)
        seen = len(proxy.seen)
        self.good(self.pull(hub, env={"HTTP_PROXY": f"http://me:p%40ss@{proxy.address}", "NO_PROXY": "localhost,127.0.0.1,127.0.0.2"}))
        self.assertEqual(len(proxy.seen), seen)
        refused = self.pull(hub, env={"ALL_PROXY": "socks5://me:s3cret@127.0.0.1:1"})
        self.assertIn("no SOCKS", refused.stderr)
        self.assertNotIn("s3cret", refused.stderr)

    def test_a_tunnel_is_asked_for_where_the_hub_speaks_tls(self):
        proxy = self.proxy(credentials="me:word")
        hub = self.hub({"tiny.gguf": gguf(MIB)})
        address = hub.url.removeprefix("http://")
        # What is at the other end of the tunnel speaks no TLS: the handshake fails there, and not before.
        through = self.pull(hub, env={"HF_ENDPOINT": f"https://{address}", "HTTPS_PROXY": f"http://me:word@{proxy.address}"})
        self.assertIn("TLS handshake", through.stderr)
        self.assertEqual({(method, path) for method, path, _ in proxy.seen}, {("CONNECT", address)})
        refused = self.pull(hub, env={"HF_ENDPOINT": f"https://{address}", "HTTPS_PROXY": f"http://{proxy.address}"})
        self.assertIn("the proxy wants credentials", refused.stderr)

    def test_what_drips_is_given_up(self):
        hub = self.hub({"tiny.gguf": gguf(2 * MIB)})
        hub.drip = True
        begun = time.monotonic()
        result = self.pull(hub)
        self.assertIn("too slow to be waited for", result.stderr)
        self.assertLess(time.monotonic() - begun, 90)
        hub.drip = False
        self.good(self.pull(hub))
        self.has("tiny.gguf", gguf(2 * MIB))

    def test_another_part_than_was_asked_for_is_an_error_at_once(self):
        hub = self.hub({"tiny.gguf": gguf(20 * MIB)})
        hub.misplaced = True
        begun = time.monotonic()
        result = self.pull(hub)
        self.assertIn("sent 'bytes ", result.stderr)
        self.assertLess(time.monotonic() - begun, 20)

    def test_a_list_without_an_end_is_said_to_be_cut(self):
        hub = self.hub({"tiny.gguf": gguf(MIB), "other.gguf": gguf(MIB, 2)})
        hub.endless, hub.page_size = True, 3
        self.assertIn("more than 50 pages", self.pull(hub, f"hf:{hub.repository}:absent.gguf").stderr)

    def test_xet_is_not_needed_for_what_it_stores(self):
        """X-Xet-Hash and its links are there (ngxson/wllama#248); the file comes by plain HTTPS from where the hub redirects to."""
        hub = self.hub({"tiny.gguf": gguf(9 * MIB)})
        self.good(self.pull(hub))
        self.has("tiny.gguf", gguf(9 * MIB))
        self.assertEqual([path for _, path, _ in hub.requests() if "xet-read-token" in path or "reconstructions" in path], [])

    def test_room_is_said_in_digits_that_tell(self):
        hub = self.hub({"tiny.gguf": gguf(MIB)})
        hub.lie_about_size = 1 << 50
        self.assertRegex(self.pull(hub).stderr, r"needs 1125899\.\d{3} GB more, 0\.067 GB stay free, and \S+ has \d+\.\d{3} GB free")


class FromElsewhere(Models):
    def test_a_registry_that_gives_blobs_itself(self):
        data = gguf(20 * MIB)
        hub = self.registry(data, name="me/mine", tag="q8")
        hub.direct = True
        self.good(self.place.run("model", "pull", f"ollama:{hub.url}/me/mine:q8"))
        self.has("mine-q8.gguf", data)

    def test_ollamas_registry(self):
        data = gguf(20 * MIB)
        hub = self.registry(data)
        result = self.good(self.place.run("model", "pull", f"ollama:{hub.url}/library/tiny"))
        self.has("tiny.gguf", data)
        self.assertIn("licence: Apache License", result.stderr)
        [model] = self.place.listed()
        self.assertEqual(model["version"], "sha256:" + sha(hub.manifest()))
        self.assertIn("no model library/absent:latest", self.place.run("model", "pull", f"ollama:{hub.url}/library/absent").stderr)

    def test_a_wrong_range_of_a_registry_that_names_them_is_noticed_at_once(self):
        data = gguf(20 * MIB)
        hub = self.registry(data, tag="3b", chunks=4 * MIB)
        hub.spoil = {8 * MIB: 2}
        result = self.good(self.place.run("model", "pull", f"ollama:{hub.url}/library/tiny:3b"))
        self.has("tiny-3b.gguf", data)
        self.assertIn("came wrong, fetching them again", result.stderr)
        self.assertLess(hub.given, len(data) + 8 * MIB + MIB)

    def test_a_url_with_and_without_ranges_and_with_a_sum(self):
        data = gguf(20 * MIB)
        hub = self.hub({"tiny.gguf": data})
        hub.direct = True
        url = f"{hub.url}/acme/Tiny-GGUF/resolve/main/tiny.gguf"
        hub.no_ranges, hub.cuts, hub.cut_after = True, 1, 9 * MIB
        self.good(self.place.run("model", "pull", url))
        self.has("tiny.gguf", data)
        self.assertEqual(self.place.listed()[0]["source"], url)
        self.place.run("model", "rm", "tiny.gguf")
        hub.no_ranges = False
        self.assertIn("said to be", self.place.run("model", "pull", url, "--sha256", "0" * 64).stderr)

    def test_a_file_of_the_owner_is_copied(self):
        own = self.place.folder / "My Model (1).gguf"
        own.write_bytes(gguf(MIB))
        self.good(self.place.run("model", "pull", str(own)))
        self.has("My-Model-1.gguf", own.read_bytes())
        (self.place.folder / "page.gguf").write_text("<html>")
        self.assertIn("no GGUF file", self.place.run("model", "pull", str(self.place.folder / "page.gguf")).stderr)


class OnTheDisk(Models):
    def put(self, path, data):
        file = self.place.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        return file

    def test_files_of_other_programs_are_used_where_they_are_and_only_forgotten(self):
        ollama, studio, hub = gguf(MIB, 1), gguf(MIB, 2), gguf(MIB, 3)
        blob = self.put(f".ollama/models/blobs/sha256-{sha(ollama)}", ollama)
        manifest = {"layers": [{"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:" + sha(ollama), "size": len(ollama)}]}
        self.put(".ollama/models/manifests/registry.ollama.ai/library/llama3.2/3b", json.dumps(manifest).encode())
        self.put(".ollama/models/manifests/registry.ollama.ai/library/broken/latest", b"{")
        old = gguf(MIB, 4)  # as versions before 0.1.31 named blobs, from the hub
        self.put(f".ollama/models/blobs/sha256:{sha(old)}", old)
        self.put(".ollama/models/manifests/hf.co/bartowski/Old-GGUF/Q4_K_L", json.dumps(manifest).replace(sha(ollama), sha(old)).encode())
        tensors = {"layers": [{"mediaType": "application/vnd.ollama.image.tensor; name=a", "digest": "sha256:" + sha(old), "size": len(old)}]}
        self.put(".ollama/models/manifests/registry.ollama.ai/library/of-mlx/latest", json.dumps(tensors).encode())
        self.put(".lmstudio/models/acme/Tiny-GGUF/tiny-Q8_0.gguf", studio)
        self.put(".lmstudio/models/acme/Tiny-GGUF/mmproj-tiny.gguf", gguf(MIB, 8))
        self.put(".lmstudio/models/acme/Tiny-GGUF/downloading_other.gguf", b"not yet")
        cache = ".cache/huggingface/hub/models--acme--Other-GGUF"
        stored = self.put(f"{cache}/blobs/{sha(hub)}", hub)
        link = self.place.folder / cache / "snapshots" / ("ab" * 20) / "other-Q4_K_M.gguf"
        link.parent.mkdir(parents=True)
        link.symlink_to(os.path.relpath(stored, link.parent))
        self.good(self.place.run("model", "import"))
        models = {model["name"]: model for model in self.place.listed()}
        self.assertEqual(sorted(models), ["Old-GGUF-Q4_K_L.gguf", "llama3.2-3b.gguf", "other-Q4_K_M.gguf", "tiny-Q8_0.gguf"])
        self.assertEqual(models["Old-GGUF-Q4_K_L.gguf"]["source"], "ollama:hf.co/bartowski/Old-GGUF:Q4_K_L")
        self.assertEqual(models["llama3.2-3b.gguf"]["files"][0]["path"], str(blob))
        self.assertEqual((models["other-Q4_K_M.gguf"]["source"], models["other-Q4_K_M.gguf"]["version"]), ("hf:acme/Other-GGUF:other-Q4_K_M.gguf", "ab" * 20))
        self.assertEqual({name: model["files"][0]["sha256"] for name, model in models.items()},
                         {"Old-GGUF-Q4_K_L.gguf": sha(old), "llama3.2-3b.gguf": sha(ollama), "other-Q4_K_M.gguf": sha(hub), "tiny-Q8_0.gguf": sha(studio)})
        self.good(self.place.run("model", "verify"))
        self.assertIn("4 are known", self.place.run("model", "import").stdout)
        self.assertEqual(list(self.place.models.glob("*.gguf")), [])
        (self.place.folder / ".lmstudio").rename(self.place.folder / "away")  # a disk that is not mounted
        self.assertEqual({model["name"]: model["state"] for model in self.place.listed()}["tiny-Q8_0.gguf"], "missing")
        (self.place.folder / "away").rename(self.place.folder / ".lmstudio")
        for name in models:
            self.good(self.place.run("model", "rm", name))
        self.assertTrue(blob.exists() and link.exists())
        self.assertEqual(self.place.listed(), [])

    def test_verify_finds_what_changed_and_what_is_gone(self):
        hub = self.hub({"tiny.gguf": gguf(MIB)})
        self.good(self.pull(hub))
        with open(self.place.models / "tiny.gguf", "r+b") as file:
            file.seek(1000)
            file.write(b"x")
        self.assertIn("changed", self.good(self.place.run("model", "verify"), 6).stdout)
        (self.place.models / "tiny.gguf").unlink()
        self.assertIn("missing", self.good(self.place.run("model", "verify"), 6).stdout)
        self.assertEqual(self.place.listed()[0]["state"], "missing")

    def test_a_damaged_manifest_is_said_and_nothing_is_lost(self):
        hub = self.hub({"tiny.gguf": gguf(MIB)})
        self.good(self.pull(hub))
        manifest = self.place.models / "manifest.json"
        whole = manifest.read_text()
        for wrong in ("", "[]", whole[:-20], whole.replace('"path":"tiny.gguf"', '"path":"../../etc/passwd"'),
                      whole.replace('"name":"tiny.gguf"', '"name":"../tiny.gguf"'), '{"models":' + "[" * 200):
            manifest.write_text(wrong)
            result = self.place.run("model", "rm", "tiny.gguf")
            self.assertIn("is damaged", result.stderr, wrong)
            self.assertEqual(manifest.read_text(), wrong)
        manifest.write_text(whole.replace('"version":1,"models"', '"version":2,"models"'))
        for command in ("list", "import"):
            self.assertIn("newer tandem", self.place.run("model", command).stderr)
        self.assertIn('"version":2', manifest.read_text())
        self.assertTrue((self.place.models / "tiny.gguf").exists())

    def test_pulls_at_once_lose_nothing(self):
        """Four models whose files have one name: who comes second finds it taken, says so, and gets another the next time."""
        hubs = [self.hub({"tiny.gguf": gguf(6 * MIB, number)}, repository=f"maker{number}/Tiny-GGUF") for number in range(4)]
        for hub in hubs:
            hub.slow = 0.01
        for _ in range(4):
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                results = list(pool.map(lambda hub: self.pull(hub, f"hf:{hub.repository}", "--add"), hubs))
            for result in results:
                self.assertTrue(result.returncode == 0 or "stays as it is" in result.stderr, result.stderr)
            if not any(result.returncode for result in results):
                break
        self.assertEqual([result.returncode for result in results], [0] * 4)
        listed = self.place.listed()
        self.assertEqual((len(listed), {one["state"] for one in listed}), (4, {"there"}))
        self.good(self.place.run("model", "verify"))
        self.assertEqual({one["source"].split(":")[1] for one in listed}, {hub.repository for hub in hubs})
        for one in listed:
            self.assertEqual(self.place.config.read_text().count(f"file: {one['name']},"), 1, self.place.config.read_text())

    def test_lines_are_added_to_the_config_and_used_models_stay(self):
        hub = self.hub({"tiny.gguf": gguf(MIB)})
        result = self.good(self.pull(hub, None, "--add"))
        text = self.place.config.read_text()
        self.assertIn("# the owner's own words", text)
        self.assertIn("tandem.yaml.old", result.stdout)
        self.assertIn("file: tiny.gguf", text)
        self.good(self.place.run("serve", "--check"))
        self.assertEqual(self.place.listed()[0]["used_by"], ["tiny"])
        self.assertIn("is used by tiny", self.place.run("model", "rm", "tiny.gguf").stderr)
        self.good(self.place.run("model", "rm", "--force", "tiny.gguf"))


class Shown(Models):
    def test_a_hostile_header_is_an_error_and_takes_no_memory(self):
        head = b"GGUF" + (3).to_bytes(4, "little")
        for number, rest in enumerate((
                (0).to_bytes(8, "little") + (1 << 63).to_bytes(8, "little"),  # entries
                (1 << 40).to_bytes(8, "little") + (0).to_bytes(8, "little"),  # tensors
                (0).to_bytes(8, "little") + (1).to_bytes(8, "little") + ((1 << 62) + 5).to_bytes(8, "little"),  # a key
                (0).to_bytes(8, "little") + (1).to_bytes(8, "little") + (1).to_bytes(8, "little") + b"a" + (9).to_bytes(4, "little")
                + (8).to_bytes(4, "little") + (1 << 29).to_bytes(8, "little"),  # an array of texts
                b"")):
            file = self.place.folder / f"{number}.gguf"
            file.write_bytes(head + rest)
            with self.subTest(number):
                result = self.place.run("model", "show", str(file), timeout=10)
                self.assertEqual(result.returncode, 3, result.stderr)
                self.assertIn("GGUF header", result.stderr)

    def test_parts_that_were_joined_are_no_model(self):
        entry = b"".join(len(key).to_bytes(8, "little") + key + (2).to_bytes(4, "little") + value.to_bytes(2, "little") for key, value in ((b"split.no", 0), (b"split.count", 3)))
        joined = self.place.folder / "joined.gguf"
        joined.write_bytes(b"GGUF" + (3).to_bytes(4, "little") + (0).to_bytes(8, "little") + (2).to_bytes(8, "little") + entry)
        for command in (("model", "pull", "./joined.gguf"), ("model", "import", str(joined))):
            self.assertIn("is part 1 of 3", self.place.run(*command).stderr)

    def test_a_file_that_was_cut_is_known_as_such(self):
        whole = pathlib.Path(harness.MODEL)
        if not whole.exists():
            self.skipTest("no model on this machine")
        cut = self.place.folder / "cut.gguf"
        with open(whole, "rb") as file:
            cut.write_bytes(file.read(50 * MIB))
        self.assertIn("cut off", self.place.run("model", "show", str(cut)).stderr)
        shown = json.loads(self.good(self.place.run("model", "show", "--json", str(whole))).stdout)["gguf"]
        self.assertEqual((shown["architecture"], shown["quantization"], shown["layers"]["kv_heads"], shown["tokenizer"]["tokens"]), ("llama", "Q4_1", 3, 49152))
        self.assertLess(abs(shown["tensor_bytes"] - whole.stat().st_size), 4 * MIB)


if __name__ == "__main__":
    unittest.main()
