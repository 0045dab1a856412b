#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The demo as a test (TAP): a small run on one backend, a wrong image, and a killed process each.

    demo_test.py process|kvm [RECORDS]      reads $CAISSON_BUILD

With RECORDS, one run of that many is all: the soak of the long suite.

The wrong image is genuine, but takes no such policy: the tenant sees it in the sealed receipt, and
no record is sealed. The comparison and the audit bring controls of their own (planted faults that
each run must find), and the results say whether they did.
"""
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


def demo(*arguments, timeout=90):
    return subprocess.run([COMMAND, "demo", "--backend", BACKEND, "--json", *arguments],
                          capture_output=True, text=True, timeout=timeout)


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


def main():
    if BACKEND == "kvm" and not os.access("/dev/kvm", os.R_OK | os.W_OK):
        print("1..0 # SKIP no /dev/kvm here")
        return 0
    tests = [("small run", whole_run), ("wrong image", wrong_image),
             ("refused policy", refused_policy), ("killed tenant", lambda: killed(tenant)),
             ("killed consumer", lambda: killed(consumer))]
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
    return 1 if failures else 0


sys.exit(main())
