#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What scripts/trusted_lines.py counts of images (echo first), and that it leaves nothing out."""
import os
import sys

SCRIPTS = sys.argv[1]
IMAGES = sys.argv[2:]
sys.path.insert(0, SCRIPTS)
import trusted_lines  # noqa: E402

points = 0


def check(good, what):
    global points
    points += 1
    print(f"{'ok' if good else 'not ok'} {points} - {what}")


def refuses(image, names):
    try:
        trusted_lines.measure(image, names)
    except ValueError:
        return True
    return False


for image in IMAGES:
    name = os.path.basename(image).removesuffix(".elf")
    lines, libraries = trusted_lines.measure(image)
    own = {f"enclaves/{name}/{f}" for f in os.listdir(f"{trusted_lines.ROOT}/enclaves/{name}")
           if f.endswith(".c")}
    # A file of the manifest alone leaves no code, but its name.
    check(own <= set(lines), f"{name}: every source of its own folder is counted")
    check("include/caisson/enclave.h" in lines and "src/core/xcopy.h" in lines,
          f"{name}: headers are counted with what includes them")
    check(sum(trusted_lines.by_part(lines).values()) == sum(lines.values()) > 1000,
          f"{name}: {sum(lines.values())} lines, {len(libraries)} objects of libraries")
ECHO = IMAGES[0]
files = trusted_lines.linked(ECHO)
check(refuses(ECHO, files + ["unknown.c"]), "a file that nobody knows is not left out")
check(refuses(ECHO, files + ["tokenize.c"]), "nor is one of another enclave's folder")
few = trusted_lines.measure(ECHO, [f for f in files if f != "echo.c"])[0]
check(sum(few.values()) < sum(trusted_lines.measure(ECHO)[0].values()),
      "a file less is counted as less")
print(f"1..{points}")
