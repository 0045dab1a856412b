# SPDX-License-Identifier: Apache-2.0
"""unit_run_test.py CAISSON ECHO_IMAGE UNIT [PART]: the unit under a systemd that runs (TAP, long).

A systemd of its own is the first process of namespaces of its own (pid, mount, network, ipc, uts,
cgroup), over a copy-on-write view of this system: nothing is written to the machine but a cgroup,
which goes away at the end. Root only; skipped where that cannot be had. Without the kernel's v1
hierarchy of systemd's name it is skipped, too: on a pure cgroup v2 it was never tried.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tap  # noqa: E402

CAISSON, IMAGE, UNIT = [os.path.abspath(path) for path in sys.argv[1:4]]
CGROUPS = "/sys/fs/cgroup"
INSIDE = r'''#!/bin/sh
# Devices, /proc/sys and /sys are the machine's own: the nest gets nodes of a few devices, and the
# rest to read. Of the system's units nothing starts by itself.
set -e
mount -t tmpfs top "$BOX"/top
cd "$BOX"/top
mkdir upper work root
mount -t overlay -o lowerdir=/,upperdir=upper,workdir=work top root
root=$BOX/top/root
mount -t tmpfs -o mode=755 dev $root/dev
for name in null zero full random urandom tty kvm; do
    [ ! -e /dev/$name ] || { : >$root/dev/$name; mount --bind /dev/$name $root/dev/$name; }
done
ln -s /proc/self/fd $root/dev/fd
mount -t proc proc $root/proc
for name in sys sysrq-trigger; do
    [ -e $root/proc/$name ] || continue
    mount --bind $root/proc/$name $root/proc/$name
    mount -o remount,bind,ro $root/proc/$name
done
mount -t sysfs -o ro sysfs $root/sys
mount -t tmpfs -o mode=755 cgroup $root/sys/fs/cgroup
for name in $GROUPS_; do mkdir $root/sys/fs/cgroup/$name; done
mount -t cgroup -o none,name=systemd cgroup $root/sys/fs/cgroup/systemd
mount -t cgroup2 cgroup $root/sys/fs/cgroup/unified
mount -t cgroup -o devices cgroup $root/sys/fs/cgroup/devices
mount -t tmpfs -o mode=755 run $root/run
rm -rf $root/etc/systemd/system $root/etc/caisson $root/usr/lib/systemd/system/*.wants \
    $root/usr/lib/systemd/system-generators
mkdir -p $root/etc/systemd/system $root/etc/caisson
cp "$BOX"/units/* $root/etc/systemd/system/
cp "$BOX"/conf/* $root/etc/caisson/
install -D -m 755 "$BOX"/caisson "$root$(sed -n 's/^ExecStart=\([^ ]*\) .*/\1/p' \
    "$BOX"/units/caisson-serve.service)"
mount -t tmpfs -o mode=1777 tmp $root/tmp
cd $root
pivot_root . .
umount -l .
cd /
mount --make-rshared / # as the machine's own first process does; credentials need it
exec env -i container=docker PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin \
    /lib/systemd/systemd --unit=caisson-test.target --show-status=false
'''


def machine():
    """What a nest that leaks would change."""
    found = {}
    for name in os.listdir("/dev"):
        status = os.lstat("/dev/" + name)
        found["/dev/" + name] = (status.st_mode, status.st_uid, status.st_gid)
    for base in ("/proc/sys/fs", "/proc/sys/vm", "/proc/sys/kernel", "/proc/sys/net/core"):
        for name in os.listdir(base):
            try:
                with open(os.path.join(base, name), encoding="ascii") as file:
                    found[os.path.join(base, name)] = file.read()
            except (OSError, ValueError):
                pass  # a folder, or nothing to read
    for name in list(found):  # these move by themselves
        if re.search(r"(nr|state|last_pid|uuid|random|entropy|poolsize|stat)$|-nr|-state", name):
            del found[name]
    return found


def reason_to_skip():
    if os.geteuid() != 0:
        return "root only"
    if not os.path.exists("/lib/systemd/systemd") or shutil.which("nsenter") is None:
        return "no systemd here"
    if not all(os.path.isdir(os.path.join(CGROUPS, name)) for name in Nest.GROUPS):
        return "no cgroup v1 hierarchy for systemd here"
    with tempfile.TemporaryDirectory() as folder:
        probe = subprocess.run(["unshare", "-mpfuinC", "sh", "-c",
                                f"mount -t tmpfs t {folder} && cd {folder} && mkdir u w r && mount "
                                "-t overlay -o lowerdir=/,upperdir=u,workdir=w t r"],
                               capture_output=True, timeout=60, check=False)
    return None if probe.returncode == 0 else "namespaces and overlays are not allowed here"


class Nest:
    GROUPS = ("systemd", "unified", "devices")

    def __init__(self):
        self.box = tempfile.mkdtemp(prefix="caisson-unit-")
        self.name = os.path.basename(self.box)
        self.process, self.pid = None, None
        for folder in ("units", "conf", "top"):
            os.mkdir(os.path.join(self.box, folder))
        os.chmod(self.box, 0o755)
        shutil.copy(CAISSON, os.path.join(self.box, "caisson"))
        shutil.copy(UNIT, os.path.join(self.box, "units", "caisson-serve.service"))
        self.put("units/caisson-test.target", "[Unit]\nDefaultDependencies=no\n")
        self.put("inside.sh", INSIDE)
        os.chmod(os.path.join(self.box, "inside.sh"), 0o755)

    def put(self, name, text):
        with open(os.path.join(self.box, name), "w", encoding="utf-8") as file:
            file.write(text)

    def run(self, *arguments):
        """In the folder of the configuration."""
        result = subprocess.run([CAISSON, *arguments], cwd=os.path.join(self.box, "conf"),
                                capture_output=True, text=True, timeout=60, check=False)
        assert result.returncode == 0, (arguments, result.stderr)
        return (result.stdout.split() or [""])[-1]

    def fill_conf(self):
        self.run("keygen", "signer", "signer.key")
        self.root = self.run("keygen", "root", "root.key")
        self.run("keygen", "tenant", "tenant.key")
        shutil.copy(IMAGE, os.path.join(self.box, "conf", "echo.elf"))
        self.run("sign", "echo.elf", "--key", "signer.key", "-o", "echo.sig")
        self.config("process")

    def config(self, backend):
        self.put("conf/serve.json", json.dumps({
            "listeners": [{"port": 8080}], "admin": {"port": 9090},
            "services": [{"name": "echo", "image": "echo.elf", "signature": "echo.sig",
                          "backend": backend, "control": "/run/caisson/echo.sock",
                          "evidence": {"root": "/run/credentials/caisson-serve.service/root"}}]}))
        self.drop_in("credential", "LoadCredential=root:/etc/caisson/root.key")
        self.drop_in("log", "StandardOutput=append:/run/serve.log",
                     "StandardError=append:/run/serve.log") # there is no journal

    def drop_in(self, name, *lines):
        """Before start(): written once. After: into the nest."""
        text = "[Service]\n" + "\n".join(lines) + "\n"
        folder = "/etc/systemd/system/caisson-serve.service.d"
        if self.pid is None:
            self.put("conf/" + name + ".drop", text)
        else:
            self.inside("sh", "-c", f"mkdir -p {folder} && printf '%s' \"$1\" >{folder}/$2.conf",
                        "sh", text, name)
            self.inside("systemctl", "daemon-reload")

    def start(self):
        for group in self.GROUPS:
            os.makedirs(os.path.join(CGROUPS, group, self.name))

        def join():
            for group in self.GROUPS:
                path = os.path.join(CGROUPS, group, self.name, "cgroup.procs")
                with open(path, "w", encoding="ascii") as file:
                    file.write(str(os.getpid()))

        with open(os.path.join(self.box, "log"), "w", encoding="ascii") as log:
            self.process = subprocess.Popen(
                ["unshare", "-mpfuinC", "--propagation", "private", "--kill-child",
                 os.path.join(self.box, "inside.sh")], preexec_fn=join, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, env=dict(os.environ, BOX=self.box,
                                                 GROUPS_=" ".join(self.GROUPS)))
        until = time.monotonic() + 30
        while True:
            children = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
            with open(children, encoding="ascii") as file:
                pids = file.read().split()
            if pids:
                self.pid = pids[0]
                state = self.inside("systemctl", "is-system-running", check=False)
                if state.stdout.strip() in ("running", "degraded"):
                    break
            assert time.monotonic() < until, "systemd does not come up"
            time.sleep(0.2)
        self.inside("sh", "-c", "cd /etc/systemd/system && mkdir -p caisson-serve.service.d && "
                    "for f in /etc/caisson/*.drop; do "
                    "cp $f caisson-serve.service.d/$(basename $f .drop).conf; done")
        self.inside("systemctl", "daemon-reload")

    def inside(self, *arguments, check=True):
        result = subprocess.run(["nsenter", "-t", self.pid, "-m", "-p", "-u", "-i", "-n", "-C",
                                 *arguments], capture_output=True, text=True, timeout=90,
                                check=False)
        assert not check or result.returncode == 0, (arguments, result.stdout, result.stderr)
        return result

    def show(self, name):
        return self.inside("systemctl", "show", "caisson-serve", "-p", name,
                           "--value").stdout.strip()

    def curl(self, path, port=9090):
        return self.inside("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}",
                           f"http://127.0.0.1:{port}{path}", check=False).stdout

    def grant(self, version):
        return self.inside("sh", "-c", "cd /etc/caisson && caisson grant --control "
                           "/run/caisson/echo.sock --tenant tenant.key --no-policy --version "
                           f"{version} --image echo.elf --insecure-dev --root {self.root} "
                           "--statement /tmp/statement", check=False)

    def wait(self, what, seconds=20):
        until = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < until, "it does not come: " + self.words()
            time.sleep(0.2)

    def words(self):
        return self.inside("sh", "-c", "systemctl status caisson-serve --no-pager -l; "
                           "tail -5 /run/serve.log", check=False).stdout[-2500:]

    def up(self):
        """Active, which is once it was told ready; or it says why not."""
        result = self.inside("systemctl", "start", "caisson-serve", check=False)
        assert result.returncode == 0 and self.show("ActiveState") == "active", self.words()

    def close(self):
        if self.pid is not None:
            os.kill(int(self.pid), signal.SIGKILL)  # with it goes all of its namespace
        if self.process is not None:
            self.process.wait(30)
        for group in self.GROUPS:
            top = os.path.join(CGROUPS, group, self.name)
            for folder, _, _ in os.walk(top, topdown=False):
                for _ in range(50):  # processes may still be ending
                    try:
                        os.rmdir(folder)
                        break
                    except OSError:
                        time.sleep(0.1)
        shutil.rmtree(self.box, ignore_errors=True)


def serves(nest, version):
    nest.up()
    assert nest.curl("/healthz") == "200", "it was told ready before it listens"
    result = nest.grant(version)
    assert result.returncode == 0, result.stderr + nest.words()
    nest.wait(lambda: nest.curl("/readyz") == "200")
    assert nest.curl("/gateway", 8080) == "200"


def test_serves(nest):
    """it starts, is told ready when it listens, and serves with the process backend"""
    serves(nest, 1)
    pids = nest.inside("sh", "-c", "cat /sys/fs/cgroup/systemd/system.slice/"
                       "caisson-serve.service/cgroup.procs").stdout.split()
    assert len(pids) >= 2, "no process for the enclave"
    for pid in pids:
        text = nest.inside("cat", f"/proc/{pid}/status").stdout
        got = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
        assert got["Uid"].split()[0] != "0" and got["NoNewPrivs"] == "1", got
        assert got["Seccomp"] == "2" and int(got["CapEff"], 16) == int(got["CapBnd"], 16) == 0, got


def test_reload_and_stop(nest):
    """a reload leaves it active; a stop lets it drain and is no failure"""
    serves(nest, 2)
    nest.inside("systemctl", "reload", "caisson-serve")
    assert nest.show("ActiveState") == "active" and nest.curl("/readyz") == "200"
    nest.inside("systemctl", "stop", "caisson-serve")
    assert nest.show("ActiveState") == "inactive" and nest.show("Result") == "success"


def test_watchdog(nest):
    """a loop that does not turn is ended and started again"""
    nest.drop_in("watchdog", "WatchdogSec=2s", "RestartSec=100ms")
    serves(nest, 3)
    time.sleep(5)
    assert nest.show("NRestarts") == "0", "it is ended although its loop turns"
    nest.inside("kill", "-STOP", nest.show("MainPID"))
    nest.wait(lambda: nest.show("NRestarts") == "1")
    nest.wait(lambda: nest.curl("/healthz") == "200")
    nest.inside("systemctl", "stop", "caisson-serve")
    nest.drop_in("watchdog")


def does_not_start(nest, line):
    """It is told ready once its enclaves have started: with that line they do not."""
    nest.drop_in("stricter", line, "TimeoutStartSec=4s", "Restart=no")
    result = nest.inside("systemctl", "start", "caisson-serve", check=False)
    assert result.returncode != 0, line + " could stand in the unit"
    assert nest.show("Result") == "timeout", nest.words()
    nest.inside("systemctl", "reset-failed", "caisson-serve")
    nest.drop_in("stricter")


def test_kvm(nest):
    """it serves with the kvm backend, by the one device that is let through"""
    if not os.path.exists("/dev/kvm"):
        return "no /dev/kvm here"
    nest.inside("sed", "-i", 's/"process"/"kvm"/', "/etc/caisson/serve.json")
    serves(nest, 4)
    nest.inside("systemctl", "stop", "caisson-serve")
    does_not_start(nest, "DeviceAllow=")
    nest.inside("sed", "-i", 's/"kvm"/"process"/', "/etc/caisson/serve.json")
    return None


def test_left_out(nest):
    """what the unit leaves out would stop the process backend"""
    for line in ("MemoryDenyWriteExecute=yes", "LockPersonality=yes",
                 "SystemCallFilter=~capset", "SystemCallFilter=~seccomp"):
        does_not_start(nest, line)
    serves(nest, 5)
    nest.inside("systemctl", "stop", "caisson-serve")


TESTS = [test_serves, test_reload_and_stop, test_watchdog, test_kvm, test_left_out]


def run(tests):
    before = machine()
    nest = Nest()
    try:
        nest.fill_conf()
        nest.start()
        status = tap.run(tests, nest, more=1)
    finally:
        nest.close()
    after = machine()
    changed = [f"{k}: {before.get(k)} {after.get(k)}" for k in before.keys() | after.keys()
               if before.get(k) != after.get(k)]
    spoilt = tap.point(len(tests) + 1, "the machine is as it was", None,
                       "\n".join(changed) if changed else None)
    return 1 if spoilt else status


def main():
    reason = reason_to_skip()
    if reason is not None:
        return tap.skip_all(f"{reason}: {len(TESTS)} checks of the unit not done")
    return run(tap.chosen(TESTS, 4))


sys.exit(main())
