#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How many cores a Gb/s of payload takes, from what `make bench` wrote.

    scripts/sizing.py [build/bench.json]

A core does one record in `ns`; so n bytes of payload a record take ns / (8 n) cores for each Gb/s.
The enclave's core alone: host, producers and consumers are beside it (docs/PERFORMANCE.md).
"""
import json
import sys

# What it is, bytes of payload, and the rows whose time adds up: program, what, ours. A card record
# of the demo has 620 bytes on average.
LINES = [(f"open and seal, {text}", size,
          [("aead", f"open {text}", "batches of 32"), ("aead", f"seal {text}", "batches of 32")])
         for text, size in (("256 B", 256), ("1 KiB", 1024), ("16 KiB", 16384))]
LINES += [(f"pipeline, {text}, {backend}", size,
           [("pipeline", f"{text}, short, {backend}", "pipeline")])
          for backend in ("process", "kvm")
          for text, size in (("256 B", 256), ("1 KiB", 1024), ("16 KiB", 16384))]
LINES += [("tokenize a card", 620, [("tokenize_session", "tokenize enclave", "a card record")])]


def find(result, program, what, ours):
    """ns a record of the first such row, or None"""
    return next((row["ours_ns"] for row in result["rows"]
                 if (row["program"], row["what"], row["ours"]) == (program, what, ours)), None)


def lines(result):
    """(what, bytes, ns a record or None)"""
    for name, size, rows in LINES:
        times = [find(result, *row) for row in rows]
        yield name, size, None if None in times else sum(times)


def show(result):
    print(f"| {'a record':<26} | payload | ns a record | records a core and second "
          "| cores for a Gb/s | Gb/s a core |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, size, ns in lines(result):
        if ns is None:
            print(f"| {name:<26} | {size:,} | not measured | | | |")
        else:
            print(f"| {name:<26} | {size:,} | {ns:,.0f} | {1e9 / ns:,.0f} | {ns / (8 * size):.3f} "
                  f"| {8 * size / ns:.1f} |")
    print(f"\n{result['cpu']}, {result['cpus']} CPUs, Linux {result['kernel']}, {result['date']}, "
          f"load {result['load_before'][0]} before and {result['load_after'][0]} after")


def main():
    path = sys.argv[1] if len(sys.argv) > 1 else "build/bench.json"
    if path in ("-h", "--help"):
        print(__doc__)
        return 0
    try:
        with open(path, encoding="utf-8") as file:
            show(json.load(file))
    except OSError as error:
        print(f"{path}: {error.strerror}: make bench writes it", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
