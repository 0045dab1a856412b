#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The example's trainer (TAP): train_test.py TRAIN_HARBOUR"""
import os
import subprocess
import sys
import tempfile

SMALL = ["--width", "64", "--inner", "96", "--layers", "2", "--heads", "2", "--kv-heads", "1",
         "--context", "32", "--sequences", "2"]


def train(folder, name, *more):
    path = os.path.join(folder, name)
    out = subprocess.run([sys.argv[1], *SMALL, *more, path], capture_output=True, text=True,
                         timeout=100, check=True).stdout
    with open(path, "rb") as file:
        return file.read(), [float(line.split()[-1]) for line in out.splitlines()]


def point(number, good, name):
    print(f"{'ok' if good else 'not ok'} {number} - {name}", flush=True)
    return 0 if good else 1


def main():
    print("1..4")
    check = subprocess.run([sys.argv[1], *SMALL, "--check", "x"], capture_output=True, text=True,
                           timeout=100, check=False)
    failed = point(1, check.returncode == 0, "the gradient is what differences say")
    if failed:
        print("#", check.stdout, check.stderr)
    with tempfile.TemporaryDirectory() as folder:
        steps = ["--steps", "60", "--rate", "0.01"]
        one, losses = train(folder, "one", *steps, "--threads", "1")
        failed += point(2, losses[-1] < losses[0] - 2, "the loss falls")
        two, _ = train(folder, "two", *steps, "--threads", "2")
        failed += point(3, one == two, "the same file with one thread and with two")
        other, _ = train(folder, "other", *steps, "--seed", "2")
        failed += point(4, other != one, "another one from another seed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
