#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run.sh with a small model (TAP): run_test.py CAISSON IMAGE MODEL.gguf"""
import json
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    if shutil.which("curl") is None:
        print("1..0 # SKIP no curl")
        return 0
    print("1..2")
    done = subprocess.run([os.path.join(HERE, "run.sh"), *map(os.path.abspath, sys.argv[1:4])],
                          capture_output=True, text=True, timeout=100, check=False)
    lines = done.stdout.splitlines()
    good = done.returncode == 0 and lines[-1] == "== done"
    print("ok 1 - it runs to its end" if good else "not ok 1 - it runs to its end")
    answers = [json.loads(line) for line in lines if line.startswith('{"id"')]
    said = len(answers) == 1 and answers[0]["object"] == "chat.completion"
    print("ok 2 - the model answers" if said else "not ok 2 - the model answers")
    if not (good and said):
        print("\n".join("# " + line for line in (done.stdout + done.stderr).splitlines()))
    return 0 if good and said else 1


if __name__ == "__main__":
    sys.exit(main())
