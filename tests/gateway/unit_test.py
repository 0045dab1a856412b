# SPDX-License-Identifier: Apache-2.0
"""unit_test.py UNIT: the systemd unit, without a systemd that runs (TAP).

It must be closed (exposure by systemd-analyze at most 2.0) and yet let through what the backends
need. Each check finds its control: the unit with one line spoilt.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tap  # noqa: E402

UNIT = sys.argv[1]
SOURCE = os.environ.get("CAISSON_SOURCE", ".")
EXPOSURE_MAX = 2.0
NUMBERS = "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"
# The stub tries these and goes on without: as root only, or where an option requires it by name.
MAY_FAIL = {"setgroups", "setresgid", "setresuid", "memfd_secret"}
# What the gateway and the rest of the backends call beyond @default, by an strace of `caisson run`.
CALLS = {"accept4", "bind", "capget", "capset", "clone", "clone3", "close_range", "dup3",
         "epoll_create1", "epoll_ctl", "epoll_pwait", "execveat", "fcntl", "ftruncate", "futex",
         "ioctl", "listen", "madvise", "memfd_create", "mlock", "mprotect", "personality",
         "pidfd_send_signal", "prctl", "pread64", "recvfrom", "seccomp", "sendmsg", "sendto",
         "setsockopt", "shutdown", "socket", "tgkill", "timerfd_settime", "waitid", "writev"}
# And what a store calls, by the sources.
CALLS |= {"faccessat2", "fdatasync", "flock", "fstat", "fsync", "mkdir", "newfstatat", "openat",
          "pwrite64", "renameat", "unlinkat"}
SYSTEMD = shutil.which("systemd-analyze")


def read(text):
    """name -> values in order, of the service's section."""
    found = {}
    for line in text.split("[Service]")[1].split("[Install]")[0].splitlines():
        if line and not line.startswith("#"):
            name, value = line.split("=", 1)
            found.setdefault(name, []).append(value)
    return found


def analyze(text, *arguments):
    with tempfile.TemporaryDirectory(prefix="caisson-unit-") as folder:
        path = os.path.join(folder, "caisson-serve.service")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return subprocess.run([SYSTEMD, *arguments, path], capture_output=True, text=True,
                              timeout=60, check=False)


def exposure(text):
    result = analyze(text, "security", "--offline=true", "--no-pager")
    match = re.search(r"exposure level for \S+: ([0-9.]+)", result.stdout)
    assert match, result.stdout + result.stderr
    return float(match.group(1))


def members(name, known={}):
    """System calls of an @set, or the one of that name."""
    if not name.startswith("@"):
        return {name}
    if name not in known:
        text = subprocess.run([SYSTEMD, "syscall-filter", name], capture_output=True, text=True,
                              timeout=60, check=True).stdout
        known[name] = set()
        for line in text.splitlines()[1:]:
            if line.strip() and not line.strip().startswith("#"):
                known[name] |= members(line.strip())
    return known[name]


def allowed(unit):
    """What the lines of SystemCallFilter let through, read as systemd does: in order."""
    calls = set(members("@default"))
    for line in unit["SystemCallFilter"]:
        for word in line.lstrip("~").split():
            calls = calls - members(word) if line.startswith("~") else calls | members(word)
    return calls


def stub_calls():
    """By the numbers that the stub of the process backend names."""
    with open(os.path.join(SOURCE, "src/backend/process/stub_call.h"), encoding="utf-8") as file:
        numbers = set(re.findall(r"STUB_\w+ = (\d+)", file.read()))
    with open(NUMBERS, encoding="utf-8") as file:
        names = {number: name for name, number in
                 re.findall(r"#define __NR_(\w+) (\d+)", file.read())}
    assert len(numbers) > 30
    return {names[number] for number in numbers}


def lacks(text):
    """What the backends and the supervisor need and the unit does not give."""
    unit = read(text)
    found = sorted((stub_calls() - MAY_FAIL | CALLS) - allowed(unit))
    wanted = {"Type": "notify", "NotifyAccess": "main", "DeviceAllow": "/dev/kvm rw",
              "SupplementaryGroups": "kvm", "LimitMEMLOCK": "infinity",
              "SystemCallErrorNumber": "EPERM", "StateDirectory": "caisson",
              "StateDirectoryMode": "0700"}
    found += [name for name, value in wanted.items() if unit.get(name) != [value]]
    # the stub makes an image's pages executable, asks for its personality, and kvm is a device
    found += [name for name in ("MemoryDenyWriteExecute", "LockPersonality", "PrivateDevices")
              if unit.get(name, ["no"])[-1] != "no"]
    families = unit["RestrictAddressFamilies"][0].split()
    found += [f for f in ("AF_UNIX", "AF_INET", "AF_INET6") if f not in families]
    if "WatchdogSec" not in unit or "TimeoutStopSec" not in unit:
        found.append("WatchdogSec")
    return found


def without(text, line):
    assert text.count(line + "\n") == 1, line
    return text.replace(line + "\n", "")


def test_exposure(text):
    """its exposure is at most 2.0"""
    level = exposure(text)
    print(f"# exposure {level}")
    assert level <= EXPOSURE_MAX, level
    # --threshold says the same, in tenths
    assert analyze(text, "security", "--offline=true", "--threshold=20").returncode == 0
    spoilt = without(without(text, "PrivateUsers=yes"), "NoNewPrivileges=yes")
    spoilt = spoilt.replace("DynamicUser=yes", "User=root")
    spoilt = without(spoilt, "CapabilityBoundingSet=")
    assert exposure(spoilt) > EXPOSURE_MAX, exposure(spoilt)


def test_each_line(text):
    """no line that closes something makes it worse, and most make it better"""
    level = exposure(text)
    closing = [line for line in text.splitlines()
               if re.match(r"(Protect|Private|Restrict|NoNew|SystemCallArch|UMask|Keyring)", line)]
    assert len(closing) > 18, closing
    rise = {line: exposure(without(text, line)) - level for line in closing}
    # worth less than what is shown, or implied by DynamicUser
    quiet = {line for line, more in rise.items() if more <= 0}
    loud = {line for line, more in rise.items() if more > 0}
    assert all(more >= 0 for more in rise.values()), rise
    print(f"# {len(loud)} lines lower it by a tenth or more, {len(quiet)} by less")
    assert len(loud) > len(quiet), rise
    assert {"PrivateUsers=yes", "RestrictNamespaces=yes"} <= loud, rise


def test_needs(text):
    """what the backends and the supervisor need is let through"""
    assert lacks(text) == [], lacks(text)
    for old, new, missing in (
            ("@system-service seccomp", "@system-service", "seccomp"),
            ("SystemCallFilter=capset", "", "capset"),
            ("@keyring", "@keyring @process", "clone"),
            ("DeviceAllow=/dev/kvm rw", "", "DeviceAllow"),
            ("LimitMEMLOCK=infinity", "LimitMEMLOCK=64K", "LimitMEMLOCK"),
            ("PrivateTmp=yes", "PrivateTmp=yes\nPrivateDevices=yes", "PrivateDevices"),
            ("PrivateTmp=yes", "MemoryDenyWriteExecute=yes", "MemoryDenyWriteExecute"),
            ("AF_INET6 AF_UNIX", "AF_INET6", "AF_UNIX"),
            ("@keyring", "@keyring @sync", "fdatasync"),
            ("StateDirectory=caisson", "", "StateDirectory"),
            ("StateDirectoryMode=0700", "StateDirectoryMode=0755", "StateDirectoryMode"),
            ("Type=notify", "Type=exec", "Type"),
            ("WatchdogSec=30s", "", "WatchdogSec")):
        assert text.count(old) == 1, old
        assert missing in lacks(text.replace(old, new)), missing


def test_tpm(text):
    """with the drop-in for a TPM that the guide has, it is no more exposed than is allowed"""
    with open(os.path.join(SOURCE, "docs/GATEWAY.md"), encoding="utf-8") as file:
        found = re.findall(r"```\n\[Service\]\n([^`]*/dev/tpmrm0[^`]*)```", file.read())
    assert len(found) == 1, found
    for line in ("DeviceAllow=/dev/tpmrm0 rw", "SupplementaryGroups=tss"):
        assert line in found[0].splitlines(), found
    more = text.replace("[Install]", found[0] + "\n[Install]")
    level = exposure(more)
    print(f"# exposure {level}")
    assert level <= EXPOSURE_MAX, level
    assert exposure(more.replace("DeviceAllow=/dev/tpmrm0 rw", "DevicePolicy=auto\nDeviceAllow=\n"
                                 "PrivateUsers=no\nRestrictNamespaces=no")) > level


def test_verify(text):
    """systemd knows each directive and each value"""
    there = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", text, flags=re.M)
    there = re.sub(r"^Documentation=.*\n", "", there, flags=re.M)
    result = analyze(there, "verify", "--recursive-errors=no")
    assert result.returncode == 0 and "caisson-serve" not in result.stderr, result.stderr
    spoilt = there.replace("ProtectClock=yes", "ProtectClocks=yes")
    assert "ProtectClocks" in analyze(spoilt, "verify", "--recursive-errors=no").stderr


TESTS = [test_exposure, test_each_line, test_needs, test_tpm, test_verify]


def main():
    if SYSTEMD is None:
        return tap.skip_all(f"no systemd-analyze here: {len(TESTS)} checks of the unit not done")
    with open(UNIT, encoding="utf-8") as file:
        return tap.run(TESTS, file.read())


sys.exit(main())
