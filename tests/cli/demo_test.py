#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The demo as a test (TAP): a small run on one backend, a wrong image, and a killed process each.

    demo_test.py process|kvm [RECORDS]      reads $CAISSON_BUILD

With RECORDS, one run of that many is all: the soak of the long suite.

The wrong image is genuine, but takes no such policy: the tenant sees it in the sealed receipt, and
no record is sealed. The comparison and the audit bring controls of their own (planted faults that
each run must find), and the results say whether they did. The four steady-state zeros have theirs
here: images whose run loop carves, leaves or touches a page that is gone while there is work; the
page is taken away from outside, by a hole in the memory file of the rings.
"""
import ctypes
import json
import os
import signal
import subprocess
import sys
import time

BUILD = os.environ["CAISSON_BUILD"]
COMMAND = os.path.join(BUILD, "caisson")
BACKEND = sys.argv[1]
ZEROS = ("mismatches", "rejected", "host_plaintext_hits", "allocations_steady", "syscalls_steady",
         "exits_steady")


def demo(*arguments, env=None, timeout=90):
    return subprocess.run([COMMAND, "demo", "--backend", BACKEND, "--json", *arguments],
                          capture_output=True, text=True, timeout=timeout, env=env)


def children(pid):
    """In the order in which they were made; those of every thread."""
    found = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
                found += [int(child) for child in file.read().split()]
    except OSError:
        return []
    return sorted(found)


def whole_run(records=3000, timeout=90):
    done = demo("--records", str(records), "--seed", "7", timeout=timeout)
    result = json.loads(done.stdout)
    assert result["backend"] == BACKEND and len(result["measurement"]) == 96, result
    assert result["records_in"] == result["records_out"] == records, result
    assert all(result[name] == 0 for name in ZEROS), result
    assert result["complete"] and result["planted_found"] == 8, result
    assert result["mismatch_planted_found"] == 1, result
    assert set(result["latency_us"]) == {"p50", "p99", "p999"}, result
    # Page faults may be the kernel's own doing: then the demo says so and fails honestly.
    assert done.returncode == (0 if result["page_faults_steady"] == 0 else 1), done


def wrong_image():
    done = demo("--records", "500", "--image", os.path.join(BUILD, "enclaves", "echo.elf"))
    assert done.returncode == 1 and "did not take the grant" in done.stderr, done


def refused_policy():
    done = demo("--records", "500", "--policy", os.path.join(BUILD, "build.ninja"))
    assert done.returncode == 1 and done.stdout == "", done


def killed(pick):
    """One of its processes dies while records flow: a message and exit code 1, soon."""
    with subprocess.Popen([COMMAND, "demo", "--backend", BACKEND, "--records", "200000"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        victim = None
        while victim is None and time.monotonic() < deadline:
            time.sleep(0.02)
            victim = pick(process.pid)
        assert victim is not None, "no such process"
        os.kill(victim, signal.SIGKILL)
        started = time.monotonic()
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 1 and "did not come to its end" in errors, errors
        assert time.monotonic() - started < 60


def tenant(pid):
    found = children(pid)
    return found[1] if len(found) > 1 and children(found[1]) else None


def consumer(pid):
    found = children(pid)
    return (children(found[1]) or [None])[0] if len(found) > 1 else None


def enclave(pid):
    found = children(pid)
    return found[2] if len(found) > 2 and children(found[1]) else None


# ---- the four zeros ----

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.mmap.restype = ctypes.c_void_p
LIBC.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
LIBC.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
LIBC.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
LIBC.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
LIBC.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_long, ctypes.c_long]
HUGE = 2 << 20
CARDS_ONLY = {**os.environ, "CAISSON_SHARED": "/nonexistent"}  # no real records
HOLE = 3           # FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE
PAGE = 496 * 4096  # in the rings; channel 1, which the demo leaves alone (meson.build)


def collapse():
    """Has the kernel make a huge page of small ones, which it counts; False if it will not."""
    base = LIBC.mmap(None, 2 * HUGE, 3, 0x22, -1, 0)
    LIBC.madvise(base, 2 * HUGE, 15)  # MADV_NOHUGEPAGE, so that the pages are small at first
    LIBC.memset(base, 1, 2 * HUGE)
    LIBC.madvise(base, 2 * HUGE, 14)
    made = LIBC.madvise((base + HUGE - 1) & -HUGE, HUGE, 25) == 0  # MADV_COLLAPSE
    LIBC.munmap(base, 2 * HUGE)
    return made


def rings(pid):
    """The memory file of the enclave's rings, opened, or None while there is none."""
    folder = f"/proc/{pid}/fd"
    try:
        for name in os.listdir(folder):
            if "memfd:caisson-rings" in os.readlink(os.path.join(folder, name)):
                return os.open(os.path.join(folder, name), os.O_RDWR)
    except OSError:
        pass
    return None


def seeded(name):
    return os.path.join(BUILD, "tests", "cli", f"zero_{name}.elf")


def shows(image, *broken):
    done = demo("--records", "5000", "--image", seeded(image), env=CARDS_ONLY)
    result = json.loads(done.stdout)
    assert all(result[name] != 0 for name in broken), result
    assert all(result[name] == 0 for name in ZEROS if name not in broken), result
    assert not result["ok"] and done.returncode == 1, done


def holes(moves, until):
    """A run whose enclave's page is taken away all the time, until it has said so often enough."""
    with subprocess.Popen([COMMAND, "demo", "--backend", BACKEND, "--json", "--records", "60000",
                           "--image", seeded("fault")], env=CARDS_ONLY, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        os.set_blocking(process.stderr.fileno(), False)
        said, file, deadline = b"", None, time.monotonic() + 60
        while process.poll() is None and said.count(b"once more") < until:
            assert time.monotonic() < deadline
            if file is None:
                file = rings(process.pid)
            elif LIBC.fallocate(file, HOLE, PAGE, 4096) == 0 and moves:
                collapse()
            said += process.stderr.read() or b""
            time.sleep(0.0005)
        os.set_blocking(process.stderr.fileno(), True)
        out, errors = process.communicate(timeout=60)
        if file is not None:
            os.close(file)
        return process.returncode, json.loads(out), (said + errors).decode()


def faults_show():
    code, result, said = holes(moves=False, until=9)
    assert code == 1 and result["page_faults_steady"] != 0 and not result["ok"], (result, said)
    # The machine may have moved memory by itself; if not, there is no second try.
    assert "page faults in the enclave" in said, said
    assert result["repeats"] == said.count("once more"), (result, said)


def faults_repeat():
    """While the kernel moves memory too: once more, and good if the faults are gone by then."""
    code, result, said = holes(moves=True, until=1)
    assert result["repeats"] == 1 and said.count("once more") == 1, (result, said)
    assert code == 0 and result["page_faults_steady"] == 0 and result["ok"], (result, said)


def faults_repeat_twice():
    code, result, said = holes(moves=True, until=9)
    assert result["repeats"] == 2 and said.count("once more") == 2, (result, said)
    assert code == 1 and result["page_faults_steady"] != 0 and not result["ok"], (result, said)


def main():
    if BACKEND == "kvm" and not os.access("/dev/kvm", os.R_OK | os.W_OK):
        print("1..0 # SKIP no /dev/kvm here")
        return 0
    tests = [("small run", whole_run), ("wrong image", wrong_image),
             ("refused policy", refused_policy), ("killed tenant", lambda: killed(tenant)),
             ("killed consumer", lambda: killed(consumer)),
             ("allocations show", lambda: shows("carve", "allocations_steady")),
             ("gate calls and exits show", lambda: shows("park", "syscalls_steady",
                                                         "exits_steady")),
             ("page faults show", faults_show)]
    again = [("faults while the kernel moves memory: once more", faults_repeat),
             ("faults that stay: two repeats at most", faults_repeat_twice)]
    can_collapse = collapse()
    tests += again if can_collapse else []
    if BACKEND == "process":
        tests.append(("killed enclave", lambda: killed(enclave)))
    if len(sys.argv) > 2:
        records = int(sys.argv[2])
        tests = [(f"{records} records", lambda: whole_run(records, timeout=3600))]
    print(f"1..{len(tests)}")
    failures = 0
    for number, (name, test) in enumerate(tests, 1):
        try:
            test()
            print(f"ok {number} - {name}")
        except (AssertionError, IndexError, ValueError, OSError,
                subprocess.TimeoutExpired) as error:
            failures += 1
            print(f"not ok {number} - {name}\n# {str(error)[:2000]!r}")
    if not can_collapse:
        print(f"# {len(again)} skipped: this kernel makes no huge pages on request")
    return 1 if failures else 0


sys.exit(main())
