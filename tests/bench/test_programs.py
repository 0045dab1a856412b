#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each program of bench/ works and prints rows of the documented form: test_programs.py FOLDER.

Slices of a hundredth of their length: no figure means anything, and none is judged. A program that
is not built (its peers are missing, or nobody ran `make bench`) is skipped. Prints TAP.
"""
import json
import os
import subprocess
import sys
import tempfile

import rows

# Name, further arguments, plots that it must leave; {}: process, and kvm where it works.
PROGRAMS = [
    ("aead", [], []),
    ("crypto_parts", [], []),
    ("kem", [], []),
    ("trees", [], []),
    ("load", [], []),
    ("tokenize_session", [], []),
    ("rings", [], ["latency", "stream", "checks"]),
    ("echo", [], ["{}"]),
    ("pipeline", [], ["{}"]),
    ("grpc", [], ["latency"]),
    ("growth", ["--curve", "channels"], ["channels"]),
    ("park", [], ["{}"]),
    ("start", [], []),
    ("scale", [], ["{}"]),
    ("request_core", [], []),
    ("requests", [], []),
    ("transit", [], []),
    ("llm", [], []),
    ("zeros", ["--records", "5000"], []),
]
ALONE = ("aead", "crypto_parts", "kem", "trees", "tokenize_session")  # one CPU is enough
UNSEEN = ("start",)  # whose peer, a QEMU that boots for minutes, is not to be found
TIMEOUT_SECONDS = 240
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def plot_is_whole(path):
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except OSError:
        return False
    numbers_hold = "nan" not in text and "inf" not in text
    return (numbers_hold and text.endswith("</svg>\n") and "<title" in text and "<desc" in text
            and "<polyline" in text and "prefers-color-scheme" in text)


def run(path, arguments, plots, prefix):
    """What is wrong, or None."""
    command = [path, "--json", "--seconds", "0.001"] + arguments
    command += ["--svg", prefix] if plots else []
    environment = dict(os.environ, CAISSON_BENCH_SCALE="0.01")
    if os.path.basename(path) in UNSEEN:
        environment["PATH"] = ""
    done = subprocess.run(command, capture_output=True, text=True, check=False,
                          timeout=TIMEOUT_SECONDS, env=environment, cwd=ROOT)
    if done.returncode != 0:
        return f"exit code {done.returncode}: {done.stderr.strip()}"
    found = [json.loads(line) for line in done.stdout.splitlines()]
    if not any("ratio" in row for row in found) and not done.stderr:
        return "prints no row, and does not say why"
    faults = [fault for fault in map(rows.wrong, found) if fault]
    if faults:
        return faults[0]
    backends = ["process"] + (["kvm"] if os.access("/dev/kvm", os.R_OK | os.W_OK) else [])
    wanted = {plot.format(backend) for plot in plots for backend in backends}
    missing = [plot for plot in sorted(wanted) if not plot_is_whole(f"{prefix}-{plot}.svg")]
    return f"plot {missing[0]} is missing or broken" if missing else None


def controls():
    """Rows that are wrong in one way each, and must be found so."""
    good = {"goal": 1, "what": "a", "ours": "b", "other": "c", "kind": "at least", "target": 2.0,
            "ratio": 3.0, "p10": 2.5, "p90": 3.5, "pairs": 15, "ours_ns": 1.0, "other_ns": 3.0,
            "floor_ns": 0.0, "mode": "", "class": "ordinary", "reached": True}
    spread = {"histogram": "a", "samples": 2, "p50": 1.0, "p90": 2.0, "p99": 2.0, "p99.9": 2.0,
              "p99.99": 2.0, "max": 2.0}
    point = {"curve": "a", "line": "b", "x": 1, "unit": "c", "ns": 1.0, "ratio": 1.0, "p10": 0.9,
             "p90": 1.1, "pairs": 15}
    bad = [{name: value for name, value in row.items() if name != left_out}
           for row in (good, spread, point) for left_out in row
           if left_out not in ("histogram", "curve")]
    bad += [dict(good, **change) for change in (
        {"reached": False}, {"reached": None}, {"pairs": 14}, {"ours_ns": 0}, {"p10": 3.1},
        {"p90": 2.9}, {"mode": "A"}, {"floor_ns": 50}, {"kind": "about"}, {"extra": 1},
        {"class": "first"},
        {"ratio": float("nan")})]
    bad += [dict(spread, p90=0.5), dict(spread, samples=0), dict(point, ratio=2.0),
            dict(point, ns=0)]
    missed = [row for row in bad if rows.wrong(row) is None]
    alarms = [row for row in (good, spread, point) if rows.wrong(row)]
    return f"{missed or alarms}" if missed or alarms else None


def main():
    folder = os.path.abspath(sys.argv[1])
    two = len(os.sched_getaffinity(0)) >= 2
    failed = False
    print(f"1..{len(PROGRAMS) + 1}")
    with tempfile.TemporaryDirectory() as plots_folder:
        for at, (name, arguments, plots) in enumerate(PROGRAMS, 1):
            path = os.path.join(folder, name)
            if not os.path.exists(path):
                print(f"ok {at} - {name} # SKIP not built: make bench builds it")
            elif not two and name not in ALONE:
                print(f"ok {at} - {name} # SKIP it takes two CPUs")
            else:
                fault = run(path, arguments, plots, os.path.join(plots_folder, name))
                failed |= fault is not None
                print(f"{'not ok' if fault else 'ok'} {at} - {name}", flush=True)
                if fault:
                    print(f"# {fault}")
    fault = controls()
    print(f"{'not ok' if fault else 'ok'} {len(PROGRAMS) + 1} - wrong rows are found"
          + (f"\n# {fault}" if fault else ""))
    return 1 if failed or fault else 0


if __name__ == "__main__":
    sys.exit(main())
