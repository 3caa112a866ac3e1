"""A machine to install on: a copy-on-write copy of this one with systemd as its first process, in namespaces of its own. What is done in it
is gone with it; its loopback is this machine's."""
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

from harness import until

# Its processes are in a group of their own, which goes with it.
START = r"""
set -eu
work=$1; boot=$2; shift 2
mount --make-rprivate /
mkdir "$work/groups"; mount -t cgroup2 none "$work/groups"
group=$work/groups/tandem-machine-$$; mkdir "$group"
sh -c 'echo $$ >"$1/cgroup.procs"; shift; exec "$@"' sh "$group" unshare --mount --pid --fork --kill-child --cgroup --ipc --uts sh -c "$boot" sh "$work" "$@" || true
find "$group" -depth -type d -exec rmdir {} \;
"""
BOOT = r"""
set -eu
work=$1; shift
mkdir "$work/disk"; mount -t tmpfs none "$work/disk"; mkdir "$work/disk/upper" "$work/disk/work" "$work/disk/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/disk/upper,workdir=$work/disk/work" "$work/disk/root"
cd "$work/disk/root"
mount -t proc proc proc; mount --bind proc/sys proc/sys; mount -o remount,bind,ro proc/sys
mount -t tmpfs -o mode=755 none dev
for node in null zero full random urandom tty; do touch dev/$node; mount --bind /dev/$node dev/$node; done
mkdir dev/pts dev/shm; mount -t devpts -o newinstance,ptmxmode=0666 none dev/pts; ln -s pts/ptmx dev/ptmx; mount -t tmpfs -o mode=1777 none dev/shm
ln -s /proc/self/fd dev/fd; ln -s /proc/self/fd/0 dev/stdin; ln -s /proc/self/fd/1 dev/stdout; ln -s /proc/self/fd/2 dev/stderr
mount -t sysfs -o ro sysfs sys; mount -t cgroup2 none sys/fs/cgroup
mount -t tmpfs -o mode=755 none run; mount -t tmpfs -o mode=1777 none tmp
for folder; do mkdir -p ".$folder"; mount --bind "$folder" ".$folder"; done
# Not chroot: who lives in one may make no user namespace, and the unit has PrivateUsers.
mkdir .old; pivot_root . .old; umount -l .old; rmdir .old
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system --unit=basic.target --show-status=0
"""


class Machine:
    """`folders` of this machine are the same there."""

    def __init__(self, *folders):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="machine-"))
        self.log = self.folder / "log"
        with open(self.log, "wb") as log:
            self.start = subprocess.Popen(["unshare", "--mount", "sh", "-c", START, "sh", self.folder, BOOT, *folders], stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def first(self):
        """Its first process, as this machine counts; None: it is not there yet."""
        pid = str(self.start.pid)
        for _ in range(2):  # START's sh, unshare, systemd
            try:
                with open(f"/proc/{pid}/task/{pid}/children") as children:
                    pid = (children.read().split() or [None])[0]
            except OSError:
                return None
            if pid is None:
                return None
        return int(pid)

    def up(self):
        """Whether it is up; waits for it."""
        try:
            return bool(until(lambda: self.start.poll() is not None or self.run("systemctl is-active basic.target").stdout == "active\n", "the machine")) and self.start.poll() is None
        except AssertionError:
            return False

    def run(self, line, env=None):
        """A line of a shell, as root."""
        first = self.first()
        if first is None:
            return subprocess.CompletedProcess(line, 255, "", "there is no first process yet")
        return subprocess.run(["nsenter", "-t", str(first), "-m", "-p", "-i", "-u", "-C", "-r", "-w", "bash", "-c", line], capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL,
                              env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", "HOME": "/root", **(env or {})})

    def close(self):
        if first := self.first():
            os.kill(first, signal.SIGKILL)
        self.start.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)


def can_boot():
    """Whether this machine lets one be made: root, systemd, overlayfs and cgroups."""
    if os.geteuid() != 0 or not all(map(shutil.which, ("unshare", "nsenter", "systemctl"))) or not os.path.exists("/lib/systemd/systemd"):
        return False
    machine = Machine()
    try:
        return machine.up()
    finally:
        machine.close()
