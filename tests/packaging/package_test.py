"""The package: what is in it, what its scripts do in a copy of this machine, and that man page and completions are in step with the commands."""
# ctest: starts no real engine
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from harness import BINARY

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(BINARY).resolve().parent


def run(*words, code=0, **more):
    result = subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=300, **more)
    assert code is None or result.returncode == code, f"{words}: {result.returncode}\n{result.stdout[-3000:]}{result.stderr[-3000:]}"
    return result


def commands(*path):
    """Each command with those below it, as its own help has them."""
    help = run(BINARY, *path, "--help").stdout
    sections = re.findall(r"^[^\s].*:\n((?:  .*\n)+)", help, re.M)
    found = []
    for section in sections:
        for name in re.findall(r"^  ([a-z]+) ", section, re.M):
            found.append((*path, name))
    return found


class InStep(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.commands = commands()
        for command in list(cls.commands):
            if command[0] in ("audit", "learning", "experiment", "engine", "label", "policy", "privacy", "route"):
                cls.commands += commands(*command)

    def test_the_man_page_has_every_command_and_option(self):
        page = run(BINARY, "manual").stdout
        self.assertGreater(len(self.commands), 35)
        for command in self.commands:
            self.assertIn(".SS tandem " + " ".join(command), page)
            for option in re.findall(r"(--[a-z][a-z-]+)", run(BINARY, *command, "--help").stdout):
                self.assertTrue(option == "--help" or option.replace("-", "\\-") in page, (command, option))

    @unittest.skipUnless(shutil.which("groff"), "no groff")
    def test_the_man_page_is_read_without_a_warning(self):
        result = run("groff", "-man", "-Tutf8", "-ww", "-P-c", input=run(BINARY, "manual").stdout)
        self.assertEqual(result.stderr, "")
        text = re.sub("\x1b\\[[0-9;]*m|.\x08", "", result.stdout)
        self.assertIn("--with-config", text)
        self.assertIn("EXIT STATUS", text)

    def test_completions_know_every_command(self):
        for shell in ("bash", "zsh", "fish"):
            script = run(BINARY, "completion", shell).stdout
            for command in self.commands:
                self.assertIn(command[-1], script)
        for shell in ("bash", "zsh", "fish"):
            if shutil.which(shell):
                run(shell, "-n", input=run(BINARY, "completion", shell).stdout)

    def test_the_reference_has_every_command(self):
        text = (ROOT / "docs/reference/cli.md").read_text()
        for command in self.commands:
            self.assertRegex(text, rf"### `tandem {' '.join(command)}\b")


class Files(unittest.TestCase):
    def test_scripts_are_scripts(self):
        for name in ("packaging/deb.sh", "packaging/container/start.sh", *(f"packaging/debian/{n}" for n in ("postinst", "prerm", "postrm"))):
            run("bash" if name.endswith("deb.sh") else "sh", "-n", ROOT / name)

    def test_configs_that_ship_are_configs(self):
        for name in ("packaging/tandem.yaml", "packaging/container/tandem.yaml"):
            run(BINARY, "policy", "show", "--config", ROOT / name, env={**os.environ, "TANDEM_KEY": "0123456789abcdef"})

    def test_the_config_of_the_package_names_the_schema_that_the_package_has(self):
        """For editors: the place is that of the install rule and the prefix of deb.sh, which the package's own test looks at."""
        first = (ROOT / "packaging/tandem.yaml").read_text().splitlines()[0]
        self.assertEqual(first, "# yaml-language-server: $schema=/usr/share/tandem/tandem.schema.json")
        self.assertIn("install(FILES tandem.schema.json DESTINATION ${CMAKE_INSTALL_DATADIR}/tandem)", (ROOT / "packaging/CMakeLists.txt").read_text())
        self.assertIn("--prefix /usr ", (ROOT / "packaging/deb.sh").read_text())

    def test_what_the_example_comments_out_is_right_too(self):
        with tempfile.TemporaryDirectory() as folder:
            text = (ROOT / "packaging/tandem.yaml").read_text()
            text = re.sub(r"^( *)# ((?:ollama|openai|claude|mine|gpt|engine|keys|  alice|         price)\b.*)$", r"\1\2", text, flags=re.M)
            text = re.sub(r"^( *)#( +price:.*)$", r"\1 \2", text, flags=re.M)
            file = pathlib.Path(folder) / "tandem.yaml"
            file.write_text(text)
            for name in ("openai", "anthropic", "alice"):
                (pathlib.Path(folder) / name).write_text("secret-0123456789abcdef")
            shown = json.loads(run(BINARY, "models", "--json", "--config", file, env={**os.environ, "CREDENTIALS_DIRECTORY": folder}).stdout)
            self.assertEqual([m["id"] for m in shown["models"]], ["smollm2", "mine", "gpt"])


def can_overlay():
    """Whether a copy-on-write copy of this machine can be entered here."""
    if os.geteuid() != 0 or not shutil.which("unshare"):
        return False
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run(["unshare", "-m", "sh", "-c", f"mount -t tmpfs none {folder} && mkdir {folder}/u {folder}/w {folder}/m && mount -t overlay overlay -o lowerdir=/,upperdir={folder}/u,workdir={folder}/w {folder}/m"],
                              capture_output=True).returncode == 0


@unittest.skipUnless(shutil.which("dpkg-deb") and shutil.which("dpkg-shlibdeps") and (BUILD / "cmake_install.cmake").exists(), "no tools for packages here")
class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="tandem-deb-"))
        out = run(ROOT / "packaging/deb.sh", BUILD, cls.folder, env={**os.environ, "TANDEM_DEB_COMPRESSION": "none"})
        cls.deb = pathlib.Path(out.stdout.strip().splitlines()[-1])
        if not cls.deb.is_absolute():
            cls.deb = ROOT / cls.deb

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder, True)

    def test_it_holds_what_an_installation_needs(self):
        listed = run("dpkg-deb", "--contents", self.deb).stdout
        for name in ("usr/bin/tandem", "usr/share/man/man1/tandem.1.gz", "usr/share/bash-completion/completions/tandem", "usr/share/zsh/vendor-completions/_tandem", "usr/share/fish/vendor_completions.d/tandem.fish",
                     "lib/systemd/system/tandem.service", "etc/tandem/tandem.yaml", "etc/default/tandem", "usr/share/doc/tandem/guide.md", "usr/share/doc/tandem/how-to/upgrade.md", "usr/share/doc/tandem/reference/config.md", "usr/share/doc/tandem/examples/homelab.yaml", "usr/share/doc/tandem/copyright", "usr/share/doc/tandem/examples/gpu.conf", "usr/share/tandem/tandem.schema.json"):
            self.assertRegex(listed, rf"\./(usr/)?{name}\n".replace("(usr/)?usr", "usr"), name)
        self.assertRegex(listed, r"-rw-r----- root/root .* \./etc/tandem/tandem.yaml")
        self.assertNotIn("internals", listed)
        fields = run("dpkg-deb", "--field", self.deb).stdout
        for library in ("libc6", "libssl3", "libsqlite3-0", "libyaml-cpp", "libsodium23", "adduser"):
            self.assertIn(library, fields)
        self.assertNotIn("@", re.sub(r"<.*>", "", fields))
        conffiles = run("dpkg-deb", "--info", self.deb, "conffiles").stdout.split()
        self.assertEqual(conffiles, ["/etc/tandem/tandem.yaml", "/etc/default/tandem"])

    @unittest.skipUnless(shutil.which("systemd-analyze"), "no systemd-analyze")
    def test_the_unit_is_right_and_little_is_open_to_it(self):
        root = self.folder / "unit"
        run("dpkg-deb", "--extract", self.deb, root)
        (unit,) = root.rglob("tandem.service")
        text = unit.read_text()
        self.assertNotIn("@", re.sub(r"@system-service|@privileged|@resources", "", text))
        analysed = run("systemd-analyze", "verify", f"--root={root}", "tandem.service", code=None)
        complaints = [l for l in (analysed.stdout + analysed.stderr).splitlines() if "tandem.service" in l and not re.search(r"not found|Failed to|not executable|doesn't exist|Command 'man", l)]
        self.assertEqual(complaints, [])
        exposure = run("systemd-analyze", "security", "--offline=true", f"--root={root}", "tandem.service", code=None).stdout
        found = re.search(r"Overall exposure level for tandem.service: ([0-9.]+)", exposure)
        if found:  # older ones cannot do it offline
            self.assertLess(float(found.group(1)), 2.5, exposure[-3000:])

    @unittest.skipUnless(can_overlay(), "needs root and overlayfs")
    def test_it_installs_upgrades_and_goes_and_keeps_config_and_data(self):
        script = r"""
set -eu
mount -t tmpfs none "$1"; mkdir "$1/u" "$1/w" "$1/m"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/u,workdir=$1/w" "$1/m"
root=$1/m
mount -t proc proc "$root/proc"; mount --bind /dev "$root/dev"
mount -t tmpfs none "$root/run"; mkdir -p "$root/run/systemd/system"
mount -t tmpfs none "$root/tmp"
cp "$2" "$root/tmp/tandem.deb"
cat >"$root/usr/local/bin/systemctl" <<'X'
#!/bin/sh
echo "systemctl $*" >>/tmp/calls
X
chmod +x "$root/usr/local/bin/systemctl"
in_root() { chroot "$root" env PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C "$@"; }
say() { echo "== $*"; }
say install; in_root dpkg -i /tmp/tandem.deb 2>&1
say state; in_root getent passwd tandem; in_root stat -c '%n %U %G %a' /var/lib/tandem /etc/tandem /etc/tandem/tandem.yaml
say calls; cat "$root/tmp/calls"; : >"$root/tmp/calls"
say serve; in_root runuser -u tandem -- env HOME=/var/lib/tandem sh -c 'sed "s/127.0.0.1:7117/127.0.0.1:'"$3"'/" /etc/tandem/tandem.yaml >/tmp/c.yaml; tandem serve --config /tmp/c.yaml >/tmp/log 2>&1 & pid=$!; for i in $(seq 200); do tandem health --config /tmp/c.yaml >/dev/null 2>&1 && break; sleep 0.05; done; tandem health --config /tmp/c.yaml; tandem status --config /tmp/c.yaml | head -1; kill $pid; wait $pid' || cat "$root/tmp/log"
say again; in_root dpkg -i /tmp/tandem.deb 2>&1; cat "$root/tmp/calls"; : >"$root/tmp/calls"
say broken; echo 'modles: {}' >>"$root/etc/tandem/tandem.yaml"; in_root dpkg -i --force-confold /tmp/tandem.deb 2>&1; tail -1 "$root/etc/tandem/tandem.yaml"; cat "$root/tmp/calls"; : >"$root/tmp/calls"
in_root runuser -u tandem -- ln -s /etc/planted /var/lib/tandem/.removed
say remove; in_root dpkg -r tandem 2>&1; test -e "$root/etc/planted" && echo followed; cat "$root/tmp/calls"; test -e "$root/etc/tandem/tandem.yaml" && echo config kept
sed -i '/modles/d' "$root/etc/tandem/tandem.yaml"
say back; in_root dpkg -i /tmp/tandem.deb 2>&1; cat "$root/tmp/calls"; : >"$root/tmp/calls"; in_root dpkg -r tandem >/dev/null 2>&1
say purge; in_root dpkg -P tandem 2>&1; test -e "$root/var/lib/tandem/ledger.db" && echo data kept; test -e "$root/etc/tandem" || echo config gone
"""
        work = self.folder / "overlay"
        work.mkdir()
        from harness import free_port
        out = run("unshare", "-m", "sh", "-c", script, "sh", work, self.deb, free_port()).stdout
        part = {p.split("\n", 1)[0].strip(): p.split("\n", 1)[1] for p in out.split("== ")[1:]}
        self.assertIn("tandem:x:", part["state"])
        self.assertIn("/var/lib/tandem tandem tandem 700", part["state"])
        self.assertIn("/etc/tandem/tandem.yaml root tandem 640", part["state"])
        self.assertIn("systemctl enable tandem.service", part["calls"])
        self.assertIn("systemctl start tandem.service", part["calls"])
        self.assertIn("ready\n", part["serve"])
        self.assertIn("data in /var/lib/tandem", part["serve"])
        self.assertIn("try-restart", part["again"])
        self.assertNotIn("systemctl start", part["again"])
        self.assertIn("did you mean 'models'?", part["broken"])
        self.assertIn("not started", part["broken"])
        self.assertIn("modles: {}", part["broken"])
        self.assertNotRegex(part["broken"], "(?m)^systemctl (re|try-re)?start")  # but for the advice to do so
        self.assertIn("disable --now", part["remove"])
        self.assertNotIn("followed", part["remove"])  # a link of the service's user
        self.assertIn("its config is /etc/tandem/tandem.yaml", part["install"])
        self.assertIn("sudo tandem doctor", part["install"])
        self.assertNotIn("its config is", part["again"])
        self.assertIn("config kept", part["remove"])
        self.assertIn("systemctl start tandem.service", part["back"])  # an upgrade by dpkg's word, and no server that ran
        self.assertIn("your data stays in /var/lib/tandem", part["purge"])
        self.assertIn("data kept", part["purge"])
        self.assertIn("config gone", part["purge"])


if __name__ == "__main__":
    unittest.main()
