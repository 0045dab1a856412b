#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`caisson bench` measures each thing and says so in JSON: bench_test.py CAISSON IMAGE [WHAT...].

No figure is judged, only that there is one and that its parts agree. Prints TAP.
"""
import json
import os
import subprocess
import sys

# What is measured: how many rows of ratios there are (rings: at least one), or what is true of the
# one object.
RATIOS = {"rings": 1, "aead": 26, "ff1": 5, "hmac": 2, "tokenize": 3,
          "pipeline": 12}
TWO_CPUS = ("rings", "pipeline")
ENCLAVE = ("echo", "start", "idle", "pipeline")
OBJECTS = {
    "echo": lambda row: row["us"]["min"] <= row["us"]["p50"] <= row["us"]["max"],
    "start": lambda row: 0 < row["us"]["min"] <= row["us"]["p50"] <= row["us"]["max"],
    "idle": lambda row: row["percent_of_a_core"] >= 0,
}
TIMEOUT_SECONDS = 200


def is_ratio(row):
    reached = None
    if row["target"] > 0 and abs(row["ratio"] - row["target"]) < 1e-3:  # as far as is printed
        reached = row["reached"]
    elif row["target"] > 0:
        reached = (row["ratio"] >= row["target"] if row["kind"] == "at least"
                   else row["ratio"] <= row["target"])
    return (row["what"] and row["ours"] and row["other"] and row["pairs"] >= 15
            and row["ours_ns"] > 0 and row["other_ns"] > 0
            and 0 <= row["p10"] <= row["ratio"] <= row["p90"] and row["reached"] == reached)


def measure(program, image, what):
    """What is wrong, or None."""
    command = [program, "bench", what, "--seconds", "1", "--json"]
    if what in ENCLAVE:
        command += ["--image", image, "--backend", "process"]
    done = subprocess.run(command, capture_output=True, text=True, check=False,
                          timeout=TIMEOUT_SECONDS)
    if done.returncode != 0:
        return f"exit code {done.returncode}: {done.stderr.strip()}"
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    if what in OBJECTS:
        good = len(rows) == 1 and rows[0]["bench"] == what and OBJECTS[what](rows[0])
        return None if good else f"{rows}"
    ratios = [row for row in rows if "ratio" in row]
    if what == "rings" and ratios:
        return None if all(is_ratio(row) for row in ratios) else f"{ratios}"
    if len(ratios) != RATIOS[what]:
        return f"{len(ratios)} rows, not {RATIOS[what]}"
    wrong = [row for row in ratios if not is_ratio(row)]
    return f"{wrong}" if wrong else None


def main():
    program, image = sys.argv[1:3]
    names = sys.argv[3:] or list(RATIOS) + list(OBJECTS)
    failed = False
    print(f"1..{len(names)}")
    for at, what in enumerate(names, 1):
        if what in TWO_CPUS and len(os.sched_getaffinity(0)) < 2:
            print(f"ok {at} - {what} # SKIP it takes two CPUs")
            continue
        wrong = measure(program, image, what)
        failed |= wrong is not None
        print(f"{'ok' if wrong is None else 'not ok'} {at} - {what}")
        if wrong:
            print(f"# {wrong}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
