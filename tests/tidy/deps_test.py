# SPDX-License-Identifier: Apache-2.0
"""deps_test.py: scripts/deps.sh on a machine that is made up (TAP).

dpkg-query, apt-get, sudo and id are the test's own: nothing is installed, and what would be is
written down. `sudo` there runs nothing but apt-get.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../gateway"))
import tap  # noqa: E402

SCRIPT = os.path.join(os.environ.get("CAISSON_SOURCE", "."), "scripts", "deps.sh")
SHELL = {"sh", "env", "mktemp", "rm", "tail", "cat", "chmod"}
FAKES = {
    "dpkg-query": 'for p; do :; done; grep -qx "$p" "$HERE/there" && printf installed',
    "id": 'echo 1000',
    "apt-get": '''echo "apt-get $*" >>"$HERE/log"
[ "$1" = install ] || exit 0
shift 3
for p; do grep -qx "$p" "$HERE/refused" && exit 100; done
for p; do echo "$p" >>"$HERE/there"; done''',
    "sudo": '''[ "$1" = -n ] && exit 0
echo "sudo $*" >>"$HERE/log"
case "$*" in *"apt-get "*) "$@" ;; esac''',
}


class Machine:
    def __init__(self, folder, there=(), refused=(), without=()):
        self.folder = folder
        for name, text in FAKES.items():
            if name not in without:
                path = os.path.join(folder, name)
                with open(path, "w", encoding="ascii") as file:
                    file.write("#!/bin/sh\n" + text + "\n")
                os.chmod(path, 0o755)
        for name in SHELL | {"grep"}:
            os.symlink(shutil.which(name), os.path.join(folder, name))
        for name, lines in (("there", there), ("refused", refused), ("log", ())):
            with open(os.path.join(folder, name), "w", encoding="ascii") as file:
                file.writelines(line + "\n" for line in lines)

    def run(self, script, kind):
        own = os.path.join(self.folder, "deps.sh")
        with open(script, encoding="utf-8") as source, open(own, "w", encoding="utf-8") as target:
            # some machines have this file already
            target.write(source.read().replace("/usr/sbin/policy-rc.d",
                                               os.path.join(self.folder, "policy-rc.d")))
        return subprocess.run([shutil.which("sh"), own, kind], capture_output=True, text=True,
                              env={"PATH": self.folder, "HERE": self.folder}, timeout=60,
                              check=False)

    def log(self):
        with open(os.path.join(self.folder, "log"), encoding="ascii") as file:
            return file.read()

    def names(self):
        """What one call of apt-get would install."""
        return re.search(r"apt-get install -y --no-install-recommends (.*)", self.log()).group(1)


def machine(test):
    def run(script):
        with tempfile.TemporaryDirectory(prefix="caisson-deps-") as folder:
            test(script, folder)
    run.__doc__ = test.__doc__
    run.__name__ = test.__name__
    return run


@machine
def test_line(script, folder):
    """without root the line is printed, exactly, and nothing is installed"""
    here = Machine(folder, without=("sudo",))
    result = here.run(script, "build")
    assert result.returncode == 1 and here.log() == "", here.log()
    line = result.stderr.splitlines()[1].strip()
    assert line.startswith("apt-get install -y --no-install-recommends gcc libc6-dev make "), line
    for name in ("libssl-dev", "libnghttp2-dev", "meson"):
        assert name in line.split(), name


@machine
def test_light(script, folder):
    """a build wants no browser, no server, no client"""
    here = Machine(folder)
    assert here.run(script, "build").returncode == 0
    heavy = {"firefox-esr", "chromium", "nginx-light", "prometheus", "npm", "nodejs", "wrk", "curl",
             "systemd", "clang", "qemu-system-x86", "nghttp2-client"}
    assert not heavy & set(here.names().split()), here.names()
    assert "policy-rc.d" not in here.log()


@machine
def test_servers(script, folder):
    """servers among the tests' programs are not started"""
    here = Machine(folder)
    assert here.run(script, "check").returncode == 0
    assert "prometheus" in here.names().split() and "nginx-light" not in here.names().split()
    lines = here.log().splitlines()
    policy = [i for i, line in enumerate(lines) if "policy-rc.d" in line]
    install = [i for i, line in enumerate(lines) if line.startswith("apt-get install")]
    assert len(policy) == 2 and policy[0] < install[0] < policy[1], lines
    assert lines[policy[1]].startswith("sudo rm -f "), lines


@machine
def test_there(script, folder):
    """what is there is not asked for again"""
    with open(script, encoding="utf-8") as file:
        words = file.read().split()
    here = Machine(folder, there=sorted({w.strip('"') for w in words if w[0].isalpha()} | {
        w.strip('"').split('"')[-1] for w in words if "=" in w}))
    for kind in ("build", "check", "long", "bench"):
        result = here.run(script, kind)
        assert result.returncode == 0 and result.stderr == "" and here.log() == "", result.stderr


@machine
def test_one_refused(script, folder):
    """a wish that cannot be had takes no other along, and is named"""
    here = Machine(folder, refused=("npm",))
    result = here.run(script, "check")
    assert result.returncode == 0 and "going on without: npm\n" in result.stderr, result.stderr
    with open(os.path.join(folder, "there"), encoding="ascii") as file:
        there = file.read().split()
    assert {"gcc", "chromium", "wrk"} <= set(there) and "npm" not in there


@machine
def test_needed_refused(script, folder):
    """what is needed and cannot be had is a failure"""
    here = Machine(folder, refused=("libssl-dev",))
    assert here.run(script, "build").returncode != 0


TESTS = [test_line, test_light, test_servers, test_there, test_one_refused, test_needed_refused]
# The script with a bug, and the test that must fail.
BUGS = [
    (test_line, 'echo "    $line" >&2', 'echo "    apt-get install $needed" >&2'),
    (test_light, '[ "${1:-build}" != build ]', 'true'),
    (test_servers, 'made_policy=yes', 'made_policy='),
    (test_there, '[ "$status" != installed ]', 'true'),
    (test_one_refused, 'install "$package" || true', 'break'),
    (test_needed_refused, '*) return 1 ;;', '*) ;;'),
]


def bug(test, old, new):
    def found(script):
        with open(script, encoding="utf-8") as file:
            text = file.read()
        assert text.count(old) == 1, old
        with tempfile.NamedTemporaryFile("w", suffix=".sh") as file:
            file.write(text.replace(old, new))
            file.flush()
            assert tap.why_not(test, file.name)[1] is not None, "a seeded bug passes"
    found.__doc__ = "seeded bug found: " + test.__doc__
    return found


sys.exit(tap.run(TESTS + [bug(*row) for row in BUGS], SCRIPT))
