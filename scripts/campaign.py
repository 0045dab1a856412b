#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Run libFuzzer campaigns, one target after another, and count them as TAP.

usage: campaign.py BUILD_FOLDER SECONDS_PER_TARGET [TARGET...]

The build is one of clang's with -Dfuzz=true. Each target starts from its seeds in fuzz/corpus/NAME
and keeps what it finds in BUILD_FOLDER/corpus/NAME, so that the next campaign goes on from there; a
finding is left in BUILD_FOLDER/findings/. A target that finds something, or that executes nothing,
fails.

A target in COUNTED runs that many inputs however long they take, and fails if there were fewer; the
environment variable CAISSON_FUZZ_RUNS is another number for them.
"""
import os
import re
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
INPUT_SIZE_MAX = 65536
COUNTED_SIZE_MAX = 8192
COUNTED = {"verify_parse": 20000000}


def target_names():
    return sorted(os.listdir(os.path.join(ROOT, "fuzz", "corpus")))


def bounds(name, seconds):
    """(least number of executions, libFuzzer's options) for a target."""
    if name not in COUNTED:
        return 1, [f"-max_total_time={seconds}", f"-max_len={INPUT_SIZE_MAX}"]
    runs = int(os.environ.get("CAISSON_FUZZ_RUNS", COUNTED[name]))
    return runs, [f"-runs={runs}", f"-max_len={COUNTED_SIZE_MAX}"]


def run_target(build, name, seconds):
    """(good, text) of one campaign; the text says how much was done."""
    least, options = bounds(name, seconds)
    grown = os.path.join(build, "corpus", name)
    findings = os.path.join(build, "findings", name + "-")
    os.makedirs(grown, exist_ok=True)
    os.makedirs(os.path.dirname(findings), exist_ok=True)
    start = time.monotonic()
    done = subprocess.run(
        [os.path.join(build, "fuzz", "fuzz_" + name), grown,
         os.path.join(ROOT, "fuzz", "corpus", name)] + options +
        ["-timeout=20", "-rss_limit_mb=2048", f"-artifact_prefix={findings}",
         "-print_final_stats=1"],
        capture_output=True, text=True, errors="replace", check=False)
    executed = re.search(r"number_of_executed_units:\s*(\d+)", done.stderr)
    covered = re.findall(r"cov: (\d+)", done.stderr)
    count = int(executed.group(1)) if executed else 0
    text = (f"{name}: {count} executions, coverage {covered[-1] if covered else 0} in "
            f"{time.monotonic() - start:.0f} s")
    for line in re.findall(r"^parser \w+: \d+ executions$", done.stderr, re.M):
        print("# " + line)
    good = done.returncode == 0 and count >= least
    if not good:
        print("# " + "\n# ".join(done.stderr.splitlines()[-40:]))
    return good, text


def main():
    build, seconds = os.path.abspath(sys.argv[1]), int(sys.argv[2])
    names = sys.argv[3:] or target_names()
    print(f"1..{len(names)}")
    failed = 0
    for number, name in enumerate(names, 1):
        good, text = run_target(build, name, seconds)
        failed += not good
        print(f"{'ok' if good else 'not ok'} {number} - {text}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
