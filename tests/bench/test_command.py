#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`caisson bench` measures each thing and says so in JSON: test_command.py CAISSON IMAGE [WHAT...].

No figure is judged, only that there is one and that its parts agree. Prints TAP.
"""
import json
import os
import subprocess
import sys

import rows

# What is measured: how many rows of ratios there are, or what is true of the
# one object.
RATIOS = {"rings": 1, "aead": 26, "ff1": 5, "hmac": 2, "tokenize": 3,
          "pipeline": 12, "echo": 5}
TWO_CPUS = ("rings", "pipeline", "echo")
ENCLAVE = ("echo", "start", "idle", "pipeline")
OBJECTS = {
    "start": lambda row: 0 < row["us"]["min"] <= row["us"]["p50"] <= row["us"]["max"],
    "idle": lambda row: 0 <= row["percent_of_a_core"] <= 100,
}
TIMEOUT_SECONDS = 200
ENVIRONMENT = dict(os.environ, CAISSON_BENCH_SCALE="0.05")  # no figure is judged: short slices


def measure(program, image, what):
    """What is wrong, or None."""
    command = [program, "bench", what, "--seconds", "1", "--json"]
    if what in ENCLAVE:
        command += ["--image", image, "--backend", "process"]
    done = subprocess.run(command, capture_output=True, text=True, check=False,
                          timeout=TIMEOUT_SECONDS, env=ENVIRONMENT)
    if done.returncode != 0:
        return f"exit code {done.returncode}: {done.stderr.strip()}"
    found = [json.loads(line) for line in done.stdout.splitlines()]
    if what in OBJECTS:
        good = len(found) == 1 and found[0]["bench"] == what and OBJECTS[what](found[0])
        return None if good else f"{found}"
    faults = [fault for fault in map(rows.wrong, found) if fault]
    if faults:
        return faults[0]
    ratios = [row for row in found if "ratio" in row]
    if len(ratios) != RATIOS[what]:
        return f"{len(ratios)} rows, not {RATIOS[what]}"
    return None


def teaches(program, what):
    """What is wrong with the help of one thing, or None."""
    done = subprocess.run([program, "bench", what, "--help"], capture_output=True, text=True,
                          check=False)
    good = (done.returncode == 0 and done.stdout.startswith(f"usage: caisson bench {what} ")
            and f"$ caisson bench {what}" in done.stdout)
    return None if good else f"help: {done.stdout[:80]!r}"


def main():
    program, image = sys.argv[1:3]
    names = sys.argv[3:] or list(RATIOS) + list(OBJECTS)
    failed = False
    print(f"1..{len(names)}")
    for at, what in enumerate(names, 1):
        if what in TWO_CPUS and len(os.sched_getaffinity(0)) < 2:
            print(f"ok {at} - {what} # SKIP it takes two CPUs")
            continue
        wrong = measure(program, image, what) or teaches(program, what)
        failed |= wrong is not None
        print(f"{'ok' if wrong is None else 'not ok'} {at} - {what}")
        if wrong:
            print(f"# {wrong}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
