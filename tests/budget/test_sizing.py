#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The sums of scripts/sizing.py, on rows that are made up: test_sizing.py SCRIPT."""
import json
import os
import subprocess
import sys
import tempfile


def row(program, what, ours, ns):
    return {"program": program, "what": what, "ours": ours, "ours_ns": ns}


RESULT = {
    "cpu": "a CPU", "cpus": 2, "kernel": "6", "date": "today",
    "load_before": [1], "load_after": [2],
    "rows": [row("aead", "open 256 B", "AES-NI batches", 900),
             row("aead", "open 256 B", "one record", 80),
             row("aead", "open 256 B", "batches of 32", 30),
             row("aead", "seal 256 B", "batches of 32", 34),
             row("aead", "seal 1 KiB", "batches of 32", 30),
             row("pipeline", "1 KiB, full, kvm", "pipeline", 9000),
             row("pipeline", "1 KiB, short, kvm", "pipeline", 1024),
             row("tokenize_session", "tokenize enclave", "a card record", 2480)],
}
WANTED = {  # the figures of a line: ns, records, cores for a Gb/s, Gb/s a core
    "open and seal, 256 B": ["64", "15,625,000", "0.031", "32.0"],
    "open and seal, 1 KiB": ["not measured", "", "", ""],  # half of it is missing
    "pipeline, 1 KiB, kvm": ["1,024", "976,562", "0.125", "8.0"],
    "pipeline, 1 KiB, process": ["not measured", "", "", ""],
    "tokenize a card": ["2,480", "403,226", "0.500", "2.0"],
}


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "bench.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(RESULT, file)
        text = subprocess.run([sys.executable, sys.argv[1], path], capture_output=True, text=True,
                              check=True).stdout
        missing = subprocess.run([sys.executable, sys.argv[1], path + "x"], capture_output=True,
                                 text=True, check=False)
    shown = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    results = [(name, [name] in [line[:1] for line in shown]
                and next(line[2:] for line in shown if line[0] == name) == figures)
               for name, figures in WANTED.items()]
    results.append(("where it was measured", "a CPU, 2 CPUs, Linux 6, today, load 1" in text))
    results.append(("no file is said", missing.returncode == 1 and "make bench" in missing.stderr))
    print(f"1..{len(results)}")
    for at, (name, holds) in enumerate(results, 1):
        print(f"{'ok' if holds else 'not ok'} {at} - {name}")
    return 0 if all(holds for _, holds in results) else 1


if __name__ == "__main__":
    sys.exit(main())
