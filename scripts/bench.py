#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the programs of bench/, prints one table of the goals, and writes the rows as JSON.

A figure is a ratio of neighbouring slices of one run (bench/measure.h). Nothing here is a test: a
goal that is not reached is said, and is no failure; a program that does not work is one.
"""
import argparse
import datetime
import glob
import json
import os
import platform
import subprocess
import sys

# Name in build/bench, the goals of docs/PERFORMANCE.md that it measures.
PROGRAMS = [
    ("echo", "1"),
    ("rings", "2, 3, 4"),
    ("aead", "5"),
    ("pipeline", "6"),
    ("grpc", "7"),
    ("crypto_parts", "8, 9"),
    ("tokenize_session", "10"),
    ("start", "11"),
    ("scale", "12"),
    ("requests", "13, 14"),
    ("request_core", "15, 16"),
    ("transit", "23, 24, 25"),
    ("llm", "17, 18, 19"),
    ("trees", "20, 21"),
    ("load", "22"),
    ("pkcs11", "26"),
    ("zeros", "counts"),
    ("growth", "no goal: curves"),
    ("park", "no goal: waiting"),
    ("kem", "no goal: ML-KEM"),
]
PLOTS = ("echo", "rings", "pipeline", "grpc", "scale", "growth", "park")  # those that take --svg
FIELDS = {
    "rows": ("goal", "what", "ours", "other", "kind", "target", "ratio", "p10", "p90", "pairs",
             "ours_ns", "other_ns", "floor_ns", "mode", "class", "reached"),
    "exactly": ("goal", "what", "ours", "other", "kind", "target", "ratio", "p10", "p90", "mode",
                "reached"),  # counts that are 0 or not, of no slices
    "histograms": ("histogram", "samples", "p50", "p90", "p99", "p99.9", "p99.99", "max"),
    "curves": ("curve", "line", "x", "unit", "ns", "ratio", "p10", "p90", "pairs"),
}
TIMEOUT_SECONDS = 900
NOISY = 1.5  # the 90th percentile of a row over its 10th, above which its median says little


def cpu_model():
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as lines:
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def load():
    return [round(value, 2) for value in os.getloadavg()]


def progress(text):
    if sys.stderr.isatty():
        print("\r\033[K" + text, end="", file=sys.stderr, flush=True)


def run(path, seconds):
    """(rows of a program, why there are none, what it says it leaves out)"""
    command = [path, "--json"] + (["--seconds", str(seconds)] if seconds else [])
    if os.path.basename(path) in PLOTS:
        command += ["--svg", path]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS,
                              check=False)
    except subprocess.TimeoutExpired:
        return [], f"took more than {TIMEOUT_SECONDS} s", []
    if done.returncode != 0:
        return [], f"exit code {done.returncode}: {done.stderr.strip()[-200:]}", []
    try:
        rows = [json.loads(line) for line in done.stdout.splitlines()]
    except json.JSONDecodeError as error:
        return [], f"does not print JSON: {error}", []
    lacking = [field for row in rows for field in fields(row) if field not in row]
    if lacking:
        return [], f"a row lacks {lacking[0]}", []
    return rows, None, done.stderr.splitlines()


def kind(row):
    """Ratios; percentiles and curves, which have no place in the table."""
    return ("histograms" if "histogram" in row else "curves" if "curve" in row else "rows")


def fields(row):
    """What such a row must have (docs/PERFORMANCE.md)."""
    return FIELDS["exactly" if row.get("kind") == "exactly" else kind(row)]


def show(rows):
    width = max(len(row["what"]) for row in rows)
    against = max(len(row["other"]) for row in rows)
    print(f"{'goal':>4}  {'what':<{width}}  {'against':<{against}}  {'ratio':>8}  "
          f"{'p10 to p90':<18}  {'goal':<14}  reached")
    for row in sorted(rows, key=lambda row: row["goal"] or 99):
        is_goal = row["target"] or row["kind"] == "exactly"
        goal = f"{row['kind']} {row['target']:g}" if is_goal else ""
        spread = f"{row['p10']:.2f} to {row['p90']:.2f}"
        said = {True: "yes", False: "no", None: ""}[row["reached"]]
        said += ", noisy" if said and row["p90"] > NOISY * row["p10"] else ""
        place = f"  floor {row['floor_ns']:.0f} ns, mode {row['mode']}" if row["mode"] else ""
        place += "  real-time" if row.get("class") == "real-time" else ""
        print(f"{row['goal'] or '':>4}  {row['what']:<{width}}  {row['other']:<{against}}  "
              f"{row['ratio']:>8.2f}  {spread:<18}  {goal:<14}  {said}{place}")


def show_percentiles(histograms):
    """Single durations: a median alone hides the one in a thousand that waits."""
    names = FIELDS["histograms"][2:]
    labels = [f"{row['program']}: {row['histogram']}" for row in histograms]
    width = max(map(len, labels))
    heads = "".join(f"  {name:>10}" for name in names)
    print(f"\n{'ns, each duration by itself':<{width}}{heads}")
    for label, row in zip(labels, histograms):
        print(f"{label:<{width}}" + "".join(f"  {row[name]:>10,.0f}" for name in names))
    print()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", default="build", help="build folder (default: build)")
    parser.add_argument("--out", help="JSON file (default: BUILD/bench.json)")
    parser.add_argument("--seconds", type=float, help="for each row (default: the program's)")
    parser.add_argument("--only", action="append", metavar="PROGRAM",
                        help="run this program; may be given again")
    options = parser.parse_args()
    names = [name for name, _ in PROGRAMS]
    unknown = [name for name in options.only or [] if name not in names]
    if unknown:
        parser.error(f"no program {unknown[0]}: there are {', '.join(names)}")
    result = {"date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
              "cpu": cpu_model(), "cpus": len(os.sched_getaffinity(0)),
              "kernel": platform.release(), "load_before": load(), "rows": [], "histograms": [],
              "curves": [], "not_run": [], "left_out": []}
    broken = False
    for name, goals in PROGRAMS:
        if options.only and name not in options.only:
            continue
        path = os.path.join(options.build, "bench", name)
        progress(f"{name} (goals {goals})")
        if os.path.exists(path):
            rows, why, left_out = run(path, options.seconds)
            broken |= why is not None
        else:
            rows, left_out = [], []
            why = "not built: what it is compared with is missing (make bench-deps)"
        for row in rows:
            result[kind(row)].append(dict(row, program=name))
        result["left_out"] += left_out
        if why:
            result["not_run"].append({"program": name, "goals": goals, "why": why})
    result["load_after"] = load()
    progress("")
    if result["rows"]:
        show(result["rows"])
    if result["histograms"]:
        show_percentiles(result["histograms"])
    for left in result["not_run"]:
        print(f"goals {left['goals']} ({left['program']}): {left['why']}")
    for line in result["left_out"]:
        print(line)
    for path in sorted(glob.glob(os.path.join(options.build, "bench", "*.svg"))):
        print(f"plot: {path}")
    print(f"{result['cpu']}, {result['cpus']} CPUs, Linux {result['kernel']}, load "
          f"{result['load_before'][0]} before and {result['load_after'][0]} after")
    out = options.out or os.path.join(options.build, "bench.json")
    with open(out, "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)
        file.write("\n")
    return 1 if broken or not result["rows"] else 0


if __name__ == "__main__":
    sys.exit(main())
